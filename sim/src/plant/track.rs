//! A track: its belt, its cells, and what comes next to each.
//!
//! On a loop a cell is a carrier; where it is follows from the belt's travel alone. On a line a
//! cell is a window, given to a parcel from the infeed to its exit. Whatever happens to a parcel
//! on a belt is due at a travel, not at a time, so that stops and ramps move all of it at once.

use std::collections::VecDeque;

use sorthub_core::hub::{Hub, TrackKind};
use sorthub_core::ids::{CellId, ChuteId, DestId, PlcItem, ScannerId, TrackId};
use sorthub_core::units::{Grams, Micros, Mm};

use crate::calendar::Calendar;
use crate::plant::belt::{Belt, NM_PER_MM};
use crate::plant::plc::{Outlets, Reach, Tracked};
use crate::spec::TrackPlant;

/// Loop or line, in nanometres.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Loop {
        carriers: u32,
        pitch_nm: i64,
    },
    Line {
        return_nm: Option<i64>,
        end: Option<ChuteId>,
    },
}

/// A parcel on a track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    pub number: u64,
    pub dest: Option<DestId>,
    pub length: Mm,
    pub mass: Grams,
    pub arrived: Micros,
    pub inducted: Micros,
    /// Travel when it got on, for the count of laps.
    pub entered_nm: i64,
    /// Times that it came round over a line's return.
    pub returns: u32,
    /// Times round beyond the first on the tracks that it was on before this one.
    pub laps_before: u32,
    /// Times that a scanner looked at it.
    pub scans: u32,
    /// A telegram with its code went out since the PLC gave it its present number.
    pub is_read: bool,
    /// Its row in the ledger.
    pub row: u32,
}

/// What comes next to a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Once round: past a loop's origin, or at the end of a line.
    Round,
    /// Past a scanner.
    Scanner,
    /// Past the chute it is ordered to.
    Target,
    /// Its order lapses.
    Lapse,
}

/// A carrier or window with a parcel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub parcel: Option<Carried>,
    /// It is on a line's return: not on the belt, but still in the PLC's books.
    pub on_return: bool,
    pub plc: Tracked,
    /// Travel at which it was at the origin, in this lap or pass.
    pub lap_start_nm: i64,
    /// The next scanner, and the travel at which it comes.
    station: u32,
    station_nm: i64,
    /// Scanners pass it over at present, so that `station` stays behind.
    is_passed_over: bool,
    /// The PLC puts nothing more on it.
    pub is_disabled: bool,
    pub next: Next,
}

impl Cell {
    /// Whether an induction may put a parcel on it.
    pub fn is_free(&self) -> bool {
        self.parcel.is_none() && !self.is_disabled
    }
}

/// A track of the plant.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub id: TrackId,
    pub shape: Shape,
    pub length_nm: i64,
    pub gap_nm: i64,
    pub belt: Belt,
    /// Slots: the cells, then the inductions.
    pub calendar: Calendar,
    pub cells: Box<[Cell]>,
    cell_base: u32,
    /// Scanners in order of position.
    stations: Vec<(i64, ScannerId)>,
    /// Inductions in order of position.
    pub inductions: Vec<usize>,
    /// Travel of the last event on it.
    pub reached_nm: i64,
    /// Its PLC is running.
    pub is_alive: bool,
    /// Its inductions have been stopped on the spot.
    pub is_held: bool,
    item_last: u32,
    /// Windows not in use, longest unused first.
    pub free: VecDeque<u32>,
    /// Windows whose parcels are on the belt.
    pub on_belt: Vec<u32>,
    /// Windows whose parcels are on the return, and the travel at which they reach the infeed.
    pub returning: VecDeque<(u32, i64)>,
    /// When the calendar's first event is due; asked for again after a change.
    due: Micros,
    is_due_known: bool,
}

const NOTHING: Cell = Cell {
    parcel: None,
    on_return: false,
    plc: Tracked::NONE,
    lap_start_nm: 0,
    station: 0,
    station_nm: 0,
    is_passed_over: false,
    is_disabled: false,
    next: Next::Round,
};

impl Track {
    pub fn new(hub: &Hub, id: TrackId, plant: &TrackPlant) -> Self {
        let spec = &hub.tracks()[id.index()];
        let length_nm = i64::from(spec.kind.length().0) * NM_PER_MM;
        let shape = match spec.kind {
            TrackKind::Loop { carriers, pitch } => Shape::Loop {
                carriers,
                pitch_nm: i64::from(pitch.0) * NM_PER_MM,
            },
            TrackKind::Line { returns, .. } => Shape::Line {
                return_nm: returns.map(|length| i64::from(length.0) * NM_PER_MM),
                end: hub.end_chute(id),
            },
        };
        let mut stations: Vec<(i64, ScannerId)> = hub
            .scanners_of(id)
            .map(|s| (i64::from(hub.scanners()[s.index()].at.0) * NM_PER_MM, s))
            .collect();
        stations.sort_unstable();
        let mut inductions: Vec<usize> = hub.inductions_of(id).map(|i| i.index()).collect();
        inductions.sort_by_key(|&i| (hub.inductions()[i].at, i));
        let cells = spec.kind.cells();
        let on_line = if spec.kind.is_loop() { 0 } else { cells };
        // Little lies farther ahead than the end of the lap or pass.
        let span = length_nm.unsigned_abs();
        Self {
            id,
            shape,
            length_nm,
            gap_nm: i64::from(plant.gap.0) * NM_PER_MM,
            belt: Belt::running(spec.speed, plant.ramp_mm_s2),
            calendar: Calendar::new(cells as usize + inductions.len(), span),
            cells: vec![NOTHING; cells as usize].into_boxed_slice(),
            cell_base: hub.cells_of(id).start,
            stations,
            inductions,
            reached_nm: 0,
            is_alive: true,
            is_held: false,
            item_last: 0,
            free: (0..on_line).collect(),
            on_belt: Vec::with_capacity(on_line as usize),
            returning: VecDeque::new(),
            due: Micros::NEVER,
            is_due_known: false,
        }
    }

    pub fn cell_id(&self, cell: usize) -> CellId {
        CellId(self.cell_base + cell as u32)
    }

    pub fn is_loop(&self) -> bool {
        matches!(self.shape, Shape::Loop { .. })
    }

    /// When its next event is due, not before `now`.
    #[inline]
    pub fn due(&mut self, now: Micros) -> Micros {
        if !self.is_due_known {
            let first = self.calendar.peek();
            let time = first.and_then(|(key, _)| self.belt.time_of(key as i64));
            self.due = time.map_or(Micros::NEVER, |time| time.max(now));
            self.is_due_known = true;
        }
        self.due
    }

    /// Its calendar or its belt has changed.
    #[inline]
    pub fn changed(&mut self) {
        self.is_due_known = false;
    }

    /// The PLC's next item number; 0 is never given.
    pub fn new_item(&mut self) -> PlcItem {
        self.item_last = self.item_last.checked_add(1).unwrap_or(1);
        PlcItem(self.item_last)
    }

    /// Takes the event that is due first.
    pub fn pop(&mut self) -> Option<(i64, usize)> {
        let (key, slot) = self.calendar.pop()?;
        self.changed();
        self.reached_nm = key as i64;
        Some((key as i64, slot))
    }

    /// Forgets all that the PLC knew, and which parcels have been read under its numbers.
    pub fn forget(&mut self) {
        for cell in 0..self.cells.len() {
            self.forget_cell(cell);
        }
        // It counts from 1 again: numbers of its last life come again.
        self.item_last = 0;
    }

    /// Forgets what the PLC knew of one cell.
    pub fn forget_cell(&mut self, cell: usize) {
        let cell = &mut self.cells[cell];
        cell.plc = Tracked::NONE;
        if let Some(parcel) = &mut cell.parcel {
            parcel.is_read = false;
        }
    }

    /// Which outlets come past a cell.
    pub fn reach<'a>(&self, cell: usize, outlets: &'a Outlets) -> Reach<'a> {
        Reach {
            outlets,
            track: self.id.index(),
            lap_start_nm: self.cells[cell].lap_start_nm,
            lap_nm: self.is_loop().then_some(self.length_nm),
        }
    }

    /// Puts a parcel into an empty cell, its front edge `at_nm` from the origin at that travel.
    pub fn place(&mut self, cell: usize, parcel: Carried, item: PlcItem, at_nm: i64, travel: i64) {
        assert!(
            self.cells[cell].parcel.is_none(),
            "a carrier or window holds one parcel only"
        );
        let lap_start_nm = travel - at_nm;
        let ahead = self
            .stations
            .partition_point(|&(station, _)| station < at_nm);
        self.cells[cell] = Cell {
            parcel: Some(parcel),
            plc: Tracked::new(item),
            lap_start_nm,
            is_disabled: self.cells[cell].is_disabled,
            ..NOTHING
        };
        self.head_for_station(cell, ahead);
    }

    /// Empties a cell and returns what was in it.
    pub fn lift(&mut self, cell: usize) -> Option<Carried> {
        // The rest of the cell is set anew when the next parcel is placed.
        let state = &mut self.cells[cell];
        let parcel = state.parcel.take()?;
        state.plc.item = 0;
        state.on_return = false;
        self.calendar.clear(cell);
        self.changed();
        if !self.is_loop() {
            self.on_belt.retain(|&window| window as usize != cell);
            self.returning
                .retain(|&(window, _)| window as usize != cell);
            self.free.push_back(cell as u32);
        }
        Some(parcel)
    }

    /// The scanner that a cell is passing; the next one is then what it heads for.
    pub fn pass_station(&mut self, cell: usize) -> ScannerId {
        let station = self.cells[cell].station as usize;
        self.head_for_station(cell, station + 1);
        self.stations[station].1
    }

    fn head_for_station(&mut self, cell: usize, station: usize) {
        let turns = self.is_loop();
        let cell = &mut self.cells[cell];
        // After a loop's last scanner its first comes a lap later; the lap may have begun already.
        if let Some(&(at_nm, _)) = self.stations.get(station) {
            cell.station = station as u32;
            cell.station_nm = cell.lap_start_nm + at_nm;
        } else if turns {
            cell.station = 0;
            cell.station_nm = cell.lap_start_nm + self.length_nm + self.stations[0].0;
        } else {
            cell.station_nm = i64::MAX;
        }
    }

    /// Puts what comes next to a cell into the calendar. `reads_once`: scanners pass over a parcel
    /// that has been read and has an order.
    #[inline]
    pub fn plan(&mut self, cell: usize, reads_once: bool, now: Micros) {
        self.is_due_known = false;
        let state = &self.cells[cell];
        let is_read = state.parcel.is_some_and(|parcel| parcel.is_read);
        let is_passed_over = reads_once && is_read && state.plc.target().is_some();
        if state.is_passed_over && !is_passed_over {
            let at_nm = self.belt.travel_nm(now) - state.lap_start_nm;
            let ahead = self
                .stations
                .partition_point(|&(station, _)| station < at_nm);
            self.head_for_station(cell, ahead);
        }
        let turns = self.is_loop();
        let state = &mut self.cells[cell];
        state.is_passed_over = is_passed_over;
        if state.parcel.is_none() || state.on_return {
            self.calendar.clear(cell);
            return;
        }
        // At one place the lap eye comes first, then scanners, then chutes, then a line's end.
        let (mut at_nm, mut next) = (state.lap_start_nm + self.length_nm, Next::Round);
        if let Some(target) = state.plc.target() {
            let lapse_nm = state.plc.lapses_at_nm();
            let (to_nm, what) = match lapse_nm {
                Some(lapse_nm) => (lapse_nm, Next::Lapse),
                None => (target.at_nm, Next::Target),
            };
            if to_nm < at_nm || to_nm == at_nm && !turns {
                (at_nm, next) = (to_nm, what);
            }
        }
        let comes_first = state.station_nm < at_nm
            || state.station_nm == at_nm && !(turns && next == Next::Round);
        if !is_passed_over && comes_first {
            (at_nm, next) = (state.station_nm, Next::Scanner);
        }
        state.next = next;
        self.calendar.set(cell, at_nm as u64);
    }
}
