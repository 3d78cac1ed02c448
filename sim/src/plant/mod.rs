//! The plant: belts, inductions, scanners, chutes and the PLCs that run them.
//!
//! It does what steel and PLCs do, and nothing else: it obeys orders by the letter of
//! [`Order`](sorthub_core::signal::Order), has the last word at the chute, and says what a PLC
//! would notice. It decides nowhere where a parcel goes. What really happened stands in its
//! [`Tally`] and ledger, which are written without a look at any decision.
//!
//! A driver asks [`Plant::next_time`], lets [`Plant::step`] do what is due, and hands on the
//! events; orders and other commands may come at any time from the last step on. The simulator
//! calls it by the calendar, the virtual hub by the clock.

use std::sync::Arc;

use sorthub_core::hub::Hub;
use sorthub_core::ids::{CellId, ChuteId, DestId, InductionId, PlcItem, TrackId};
use sorthub_core::running::{Feeding, Pace, Standstill};
use sorthub_core::signal::ChuteState;
use sorthub_core::units::{BeltMm, Micros, MmPerS};

use crate::calendar::Calendar;
use crate::spec::PlantSpec;

mod belt;
mod chute;
mod command;
mod event;
mod fault;
mod feed;
mod infeed;
mod papers;
mod parcel;
mod passing;
mod plc;
mod scanner;
mod track;
mod transfer;
mod truth;

pub use command::{BeltCommand, ChuteCommand};
pub use event::{PlantEvent, Sight};
pub use fault::PlantFault;
pub use parcel::{Parcels, Traits};
pub use truth::{Exit, Row, Tally, Way};

use chute::Chute;
use infeed::Induction;
use plc::Outlets;
use scanner::Scanner;
use track::Track;
use truth::Ledger;

/// How a plant is run, beyond what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The same seed, the same parcels, whatever is done with them.
    pub seed: u64,
    /// Whether PLCs also answer orders that they accept.
    pub answers_all: bool,
    /// Whether a row is kept for every parcel; it takes memory for each.
    pub keeps_ledger: bool,
    /// Whether scanners pass over parcels that have been read and have an order. Real ones read
    /// them again; the sorter has no use for it, and the simulator is quicker without.
    pub reads_once: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Plant {
    hub: Arc<Hub>,
    spec: Arc<PlantSpec>,
    options: Options,
    parcels: Parcels,
    now: Micros,
    tracks: Vec<Track>,
    inductions: Vec<Induction>,
    scanners: Vec<Scanner>,
    chutes: Vec<Chute>,
    outlets: Outlets,
    /// What clocks drive: ramps, telegrams on their way, workers, full eyes.
    clock: Calendar,
    slots: ClockSlots,
    /// What has happened and was not yet handed out.
    out: Vec<PlantEvent>,
    /// Cells whose next event must be planned anew before anything else happens.
    unplanned: Vec<(u32, u32)>,
    /// Chutes found too late for; kept to save allocation.
    late: Vec<ChuteId>,
    tally: Tally,
    ledger: Ledger,
}

/// Where each kind of device begins in the clock's slots.
#[derive(Clone, Copy, Debug)]
struct ClockSlots {
    scanners: usize,
    workers: usize,
    eyes: usize,
}

/// A parcel on a track, for drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParcelView {
    /// Its carrier or window.
    pub cell: CellId,
    /// Its number in the plant.
    pub number: u64,
    /// The PLC's number for it; `None`: the PLC does not know it.
    pub item: Option<PlcItem>,
    /// Where it is for.
    pub dest: Option<DestId>,
    /// How far its front edge is from the track's origin, in mm; `None`: it is on the return.
    pub at_mm: Option<i64>,
    /// The chute that its PLC will try next.
    pub chute: Option<ChuteId>,
}

/// A chute as it really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChuteTruth {
    /// What its PLC says of it.
    pub state: ChuteState,
    /// Parcels in it.
    pub holds: u32,
    /// Parcels that have dropped in.
    pub dropped: u64,
    /// Parcels that have been taken out.
    pub taken: u64,
    /// For how long it has been full, in µs.
    pub full_us: u64,
    /// Whether it can be full at all.
    pub is_limited: bool,
}

impl Plant {
    /// An empty plant at time 0, all belts running. `names` are the names of the plan's
    /// destinations, for the labels.
    ///
    /// # Errors
    /// Every fault of the description.
    pub fn new(
        hub: Arc<Hub>,
        spec: Arc<PlantSpec>,
        names: Arc<[String]>,
        options: Options,
    ) -> Result<Self, Vec<PlantFault>> {
        let faults = fault::check(&hub, &spec, names.len());
        if !faults.is_empty() {
            return Err(faults);
        }
        let tracks: Vec<Track> = (0..hub.tracks().len())
            .map(|track| Track::new(&hub, TrackId(track as u16), &spec.tracks[track]))
            .collect();
        let shortest = spec.trace.iter().map(|row| row.size[0]).min();
        let shortest = shortest.unwrap_or(spec.parcels.length.0);
        let chutes = hub
            .chutes()
            .iter()
            .map(|chute| Chute::new(chute.capacity, shortest));
        let chutes: Vec<Chute> = chutes.collect();
        let scanners = Scanner::all(&hub, &spec);
        let slots = ClockSlots {
            scanners: tracks.len(),
            workers: tracks.len() + scanners.len(),
            eyes: tracks.len() + scanners.len() + chutes.len(),
        };
        let clock = Calendar::new(slots.eyes + chutes.len(), 64_000_000);
        let outlets = Outlets::new(&hub);
        let parcels = Parcels::new(&hub, Arc::clone(&spec), names, options.seed);
        let inductions = infeed::all(&hub, &spec, &parcels, &tracks, options.seed);
        let mut plant = Self {
            options,
            parcels,
            now: Micros(0),
            tracks,
            inductions,
            scanners,
            chutes,
            outlets,
            clock,
            slots,
            out: Vec::with_capacity(16),
            unplanned: Vec::with_capacity(16),
            late: Vec::new(),
            tally: Tally::default(),
            ledger: Ledger::new(options.keeps_ledger),
            hub,
            spec,
        };
        for track in 0..plant.tracks.len() {
            plant.plan_inductions_of(track);
        }
        Ok(plant)
    }

    /// When something happens next; `None` if nothing ever will unless a command comes.
    #[inline]
    pub fn next_time(&mut self) -> Option<Micros> {
        if !self.out.is_empty() {
            return Some(self.now);
        }
        self.first_due().map(|(time, _)| time)
    }

    /// Lets the next thing happen if it is due before `before`, and puts what is to be told about
    /// it behind `events`, in order. Returns its time; `None` if nothing was due.
    ///
    /// What follows from commands is told by the next step, at the time of the command.
    #[inline]
    pub fn step(&mut self, before: Micros, events: &mut Vec<PlantEvent>) -> Option<Micros> {
        if self.out.is_empty() {
            let (time, device) = self.first_due()?;
            if time >= before {
                return None;
            }
            self.now = time;
            match device {
                Device::Clock => self.clock_event(),
                Device::Belt(track) => self.belt_event(track),
            }
        } else if self.now >= before {
            return None;
        }
        events.append(&mut self.out);
        Some(self.now)
    }

    fn first_due(&mut self) -> Option<(Micros, Device)> {
        self.plan_the_unplanned();
        let mut first = (Micros::NEVER, Device::Clock);
        if let Some((time, _)) = self.clock.peek() {
            first.0 = Micros(time).max(self.now);
        }
        for (index, track) in self.tracks.iter_mut().enumerate() {
            let due = track.due(self.now);
            if due < first.0 {
                first = (due, Device::Belt(index));
            }
        }
        (first.0 < Micros::NEVER).then_some(first)
    }

    fn plan_later(&mut self, track: usize, cell: usize) {
        let entry = (track as u32, cell as u32);
        if self.unplanned.last() != Some(&entry) {
            self.unplanned.push(entry);
        }
    }

    fn plan_the_unplanned(&mut self) {
        while let Some((track, cell)) = self.unplanned.pop() {
            let track = &mut self.tracks[track as usize];
            track.plan(cell as usize, self.options.reads_once, self.now);
        }
    }

    fn clock_event(&mut self) {
        let Some((_, slot)) = self.clock.pop() else {
            return;
        };
        if slot < self.slots.scanners {
            self.ramp_event(slot);
        } else if slot < self.slots.workers {
            self.telegram_event(slot - self.slots.scanners);
        } else if slot < self.slots.eyes {
            self.worker_event(slot - self.slots.workers);
        } else {
            self.eye_event(slot - self.slots.eyes);
        }
    }

    fn belt_event(&mut self, index: usize) {
        let track = &mut self.tracks[index];
        let Some((at_nm, slot)) = track.pop() else {
            return;
        };
        let cells = track.cells.len();
        if slot < cells {
            self.pass(index, slot, at_nm);
        } else {
            let induction = track.inductions[slot - cells];
            self.try_induction(induction, at_nm);
        }
    }

    /// The time of the last step or command.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.now
    }

    /// What it was made from.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// What parcels are like, and their labels.
    #[must_use]
    pub fn parcels(&self) -> &Parcels {
        &self.parcels
    }

    /// The text on a parcel's label.
    #[must_use]
    pub fn label(&self, number: u64) -> String {
        self.parcels.label(number)
    }

    /// A belt's encoder at a time.
    #[must_use]
    pub fn encoder(&self, track: TrackId, now: Micros) -> BeltMm {
        belt::encoder(self.tracks[track.index()].belt.travel_nm(now))
    }

    /// A belt's speed at a time.
    #[must_use]
    pub fn speed(&self, track: TrackId, now: Micros) -> MmPerS {
        self.tracks[track.index()].belt.speed(now)
    }

    /// Whether a track's PLC is running.
    #[must_use]
    pub fn is_alive(&self, track: TrackId) -> bool {
        self.tracks[track.index()].is_alive
    }

    /// What a track's PLC knows to be on its carriers or in its windows; what is on a line's
    /// return is in none until it has come round.
    pub fn inventory(&self, track: TrackId) -> impl Iterator<Item = (CellId, PlcItem)> + '_ {
        let track = &self.tracks[track.index()];
        let cells = track.cells.iter().enumerate();
        cells
            .filter(|(_, cell)| cell.plc.item != 0 && !cell.on_return)
            .map(|(index, cell)| (track.cell_id(index), PlcItem(cell.plc.item)))
    }

    /// What is on a track at a time, for drawing.
    pub fn view(&self, track: TrackId, now: Micros) -> impl Iterator<Item = ParcelView> + '_ {
        let track = &self.tracks[track.index()];
        let now_mm = belt::encoder(track.belt.travel_nm(now)).0;
        track
            .cells
            .iter()
            .enumerate()
            .filter_map(move |(index, cell)| {
                let parcel = cell.parcel?;
                let at_mm = now_mm - belt::encoder(cell.lap_start_nm).0;
                Some(ParcelView {
                    cell: track.cell_id(index),
                    number: parcel.number,
                    item: (cell.plc.item != 0).then_some(PlcItem(cell.plc.item)),
                    dest: parcel.dest,
                    at_mm: (!cell.on_return).then_some(at_mm),
                    chute: cell.plc.target().map(|target| target.chute),
                })
            })
    }

    /// A chute at a time.
    pub fn chute(&mut self, chute: ChuteId, now: Micros) -> ChuteTruth {
        let chute = &mut self.chutes[chute.index()];
        ChuteTruth {
            state: chute.state(),
            holds: chute.holds(now),
            dropped: chute.dropped(),
            taken: chute.taken(now),
            full_us: chute.full_us(now),
            is_limited: chute.is_limited(),
        }
    }

    /// How many parcels have come to an induction by a time, those turned away included.
    pub fn arrived(&mut self, induction: InductionId, now: Micros) -> u64 {
        self.inductions[induction.index()].feed.arrived(now)
    }

    /// What an induction does, as its PLC says.
    #[must_use]
    pub fn feeding(&self, induction: InductionId) -> Feeding {
        let induction = &self.inductions[induction.index()];
        let is_held = self.tracks[induction.track].is_held;
        let runs = induction.pace != Pace::Stop && !is_held;
        Feeding {
            runs,
            slow: induction.pace == Pace::Slow,
            rate_per_h: induction.limit_per_h,
            because: match (runs, is_held) {
                (true, _) => Standstill::Runs,
                (false, true) => Standstill::Locally,
                (false, false) => Standstill::Asked,
            },
        }
    }

    /// The carriers of a track that its PLC uses no more.
    pub fn disabled(&self, track: TrackId) -> impl Iterator<Item = CellId> + '_ {
        let track = &self.tracks[track.index()];
        let cells = track.cells.iter().enumerate();
        let disabled = cells.filter(|(_, cell)| cell.is_disabled);
        disabled.map(|(index, _)| track.cell_id(index))
    }

    /// How many wait at an induction at a time.
    pub fn waiting(&mut self, induction: InductionId, now: Micros) -> u64 {
        self.inductions[induction.index()].feed.waiting(now)
    }

    /// How many an induction has turned away by a time, because its queue was full.
    pub fn turned_away(&mut self, induction: InductionId, now: Micros) -> u64 {
        self.inductions[induction.index()].feed.turned_away(now)
    }

    /// Whether nothing is on the tracks and nobody waits or will come.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.tally.on_tracks() + self.tally.on_transfers() == 0
            && self.inductions.iter().all(|i| i.feed.is_over())
    }

    /// Counts of what really happened.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What really became of each parcel, in the order in which they got on; empty if no ledger
    /// is kept.
    #[must_use]
    pub fn ledger(&self) -> &[Row] {
        self.ledger.rows()
    }
}

#[derive(Clone, Copy, Debug)]
enum Device {
    Clock,
    Belt(usize),
}
