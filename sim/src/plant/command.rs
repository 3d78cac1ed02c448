//! What can be told to the plant: by the sorter through its PLCs, by people, and by faults.
//!
//! Every command has the time at which it comes: not before the last step, and not after the next
//! thing that is due.

use sorthub_core::ids::{CellId, ChuteId, InductionId, PlcItem, ScannerId, TrackId};
use sorthub_core::running::Pace;
use sorthub_core::signal::{Order, OrderAnswer, Signal};
use sorthub_core::units::{Micros, MmPerS};

use super::Plant;
use super::belt::encoder;
use super::event::PlantEvent;
use super::truth::Way;

/// A command to a belt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeltCommand {
    /// Run at the speed of the hub description.
    Run,
    /// Run at this speed.
    Speed(MmPerS),
    /// Stop by the ramp.
    Stop,
}

/// Something done to a chute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChuteCommand {
    /// Parcels are stuck, or no longer.
    Jam(bool),
    /// It is locked, or no longer.
    Lock(bool),
    /// It is taken out of service, or put back.
    Disable(bool),
}

/// How often the PLC tells the belt's speed while it changes.
const RAMP_TOLD_EVERY: Micros = Micros::from_millis(100);

impl Plant {
    /// The plant's time moves on to `now`, with nothing happening in between.
    fn command_at(&mut self, now: Micros) {
        assert!(
            now >= self.now,
            "a command came before what has happened already"
        );
        self.now = now;
    }

    /// An order reaches the PLC.
    pub fn order(&mut self, now: Micros, order: &Order) {
        self.command_at(now);
        let (item, revision) = (order.item, order.revision);
        let Some((index, cell)) = self.find(order.cell) else {
            self.answer(order.cell, item, revision, OrderAnswer::NoSuchItem);
            return;
        };
        let track = &mut self.tracks[index];
        if !track.is_alive {
            return;
        }
        let now_nm = track.belt.travel_nm(now);
        let mut plc = track.cells[cell].plc;
        let answer = plc.take(
            order,
            now_nm,
            track.reach(cell, &self.outlets),
            &mut self.late,
        );
        track.cells[cell].plc = plc;
        self.answer(order.cell, item, revision, answer);
        self.tell_late(index, cell, encoder(now_nm));
        self.plan_later(index, cell);
    }

    /// A withdrawal reaches the PLC.
    pub fn withdraw(&mut self, now: Micros, cell_id: CellId, item: PlcItem, revision: u16) {
        self.command_at(now);
        let Some((index, cell)) = self.find(cell_id) else {
            self.answer(cell_id, item, revision, OrderAnswer::NoSuchItem);
            return;
        };
        let track = &mut self.tracks[index];
        if !track.is_alive {
            return;
        }
        let now_nm = track.belt.travel_nm(now);
        let mut plc = track.cells[cell].plc;
        let answer = plc.withdraw(item, revision, now_nm, track.reach(cell, &self.outlets));
        track.cells[cell].plc = plc;
        self.answer(cell_id, item, revision, answer);
        self.plan_later(index, cell);
    }

    fn answer(&mut self, cell: CellId, item: PlcItem, revision: u16, answer: OrderAnswer) {
        if answer != OrderAnswer::Accepted || self.options.answers_all {
            let signal = Signal::OrderAnswered {
                cell,
                item,
                revision,
                answer,
            };
            self.out.push(PlantEvent::Plc(signal));
        }
    }

    fn find(&self, cell: CellId) -> Option<(usize, usize)> {
        let (track, own) = self.hub.track_of(cell)?;
        Some((track.index(), usize::from(own)))
    }

    /// Starts or stops a belt, or changes its speed. A belt whose PLC is dead stays still.
    pub fn belt(&mut self, now: Micros, id: TrackId, command: BeltCommand) {
        self.command_at(now);
        let track = &mut self.tracks[id.index()];
        if !track.is_alive {
            return;
        }
        let target = match command {
            BeltCommand::Run => self.hub.tracks()[id.index()].speed,
            BeltCommand::Speed(speed) => speed,
            BeltCommand::Stop => MmPerS(0),
        };
        track.belt.aim(now, target);
        self.belt_changed(id);
    }

    /// A belt is on a ramp: tells its speed now and then, and the end of the ramp.
    pub(super) fn ramp_event(&mut self, index: usize) {
        self.tracks[index].belt.settle(self.now);
        self.belt_changed(TrackId(index as u16));
    }

    fn belt_changed(&mut self, id: TrackId) {
        let track = &mut self.tracks[id.index()];
        track.changed();
        match track.belt.phase_end() {
            Some(end) => {
                let next = end.min(self.now.after(RAMP_TOLD_EVERY));
                self.clock.set(id.index(), next.0);
            }
            None => self.clock.clear(id.index()),
        }
        let (at, speed) = (self.encoder(id, self.now), self.speed(id, self.now));
        self.out.push(PlantEvent::Plc(Signal::Belt {
            track: id,
            at,
            speed,
        }));
        self.plan_inductions_of(id.index());
    }

    /// A PLC dies: its belt stands at once, and it forgets its orders and what is on the track.
    pub fn halt_plc(&mut self, now: Micros, id: TrackId) {
        self.command_at(now);
        let track = &mut self.tracks[id.index()];
        track.is_alive = false;
        track.belt.cut(now);
        track.changed();
        track.forget();
        self.clock.clear(id.index());
        for cell in 0..self.tracks[id.index()].cells.len() {
            self.plan_later(id.index(), cell);
        }
        self.plan_inductions_of(id.index());
    }

    /// A PLC boots. What is on its track it does not know; each item is told as unexpected at the
    /// next scanner. Its belt stands until it is told to run: no restart by a reset.
    pub fn restart_plc(&mut self, now: Micros, id: TrackId) {
        self.command_at(now);
        let track = &mut self.tracks[id.index()];
        track.is_alive = true;
        self.belt_changed(id);
    }

    /// A scanner falls silent, or speaks again. Telegrams on their way are lost.
    pub fn silence_scanner(&mut self, now: Micros, id: ScannerId, silent: bool) {
        self.command_at(now);
        let scanner = &mut self.scanners[id.index()];
        scanner.is_silent = silent;
        scanner.forget_underway();
        self.clock.clear(self.slots.scanners + id.index());
    }

    /// Something is done to a chute; its PLC tells.
    pub fn change_chute(&mut self, now: Micros, id: ChuteId, command: ChuteCommand) {
        self.command_at(now);
        let switches = &mut self.chutes[id.index()].switches;
        match command {
            ChuteCommand::Jam(on) => switches.jammed = on,
            ChuteCommand::Lock(on) => switches.locked = on,
            ChuteCommand::Disable(on) => switches.enabled = !on,
        }
        self.tell_chute(id);
    }

    /// The PLC of a track locks a chute as its engine wishes, or lets go of it. A chute of several
    /// tracks is open when all of them have; a lock made at the chute itself stays.
    pub fn lock_chute(&mut self, now: Micros, id: ChuteId, by: TrackId, lock: bool) {
        self.command_at(now);
        let chute = &mut self.chutes[id.index()];
        let (before, bit) = (chute.locked_by, 1 << by.0);
        chute.locked_by = if lock { before | bit } else { before & !bit };
        if (chute.locked_by != 0) != (before != 0) {
            chute.switches.lock_applied = chute.locked_by != 0;
            self.tell_chute(id);
        }
    }

    /// Somebody presses the button at a chute; its PLC tells.
    pub fn press_button(&mut self, now: Micros, chute: ChuteId) {
        self.command_at(now);
        self.out.push(PlantEvent::Plc(Signal::BagButton { chute }));
    }

    /// The number of the parcel in a cell, if the PLC knows it there by this number of its own.
    #[must_use]
    pub fn number_at(&self, cell: CellId, item: PlcItem) -> Option<u64> {
        let (track, own) = self.hub.track_of(cell)?;
        let cell = self.tracks[track.index()].cells.get(usize::from(own))?;
        cell.parcel
            .filter(|_| cell.plc.item == item.0)
            .map(|parcel| parcel.number)
    }

    /// A person takes a parcel off; whether it was there.
    pub fn remove(&mut self, now: Micros, number: u64) -> bool {
        self.command_at(now);
        let found = self.tracks.iter().enumerate().find_map(|(index, track)| {
            let is_it = |cell: &super::track::Cell| {
                cell.parcel.is_some_and(|parcel| parcel.number == number)
            };
            Some((index, track.cells.iter().position(is_it)?))
        });
        let Some((index, cell)) = found else {
            return false;
        };
        let track = &self.tracks[index];
        let (item, cell_id) = (PlcItem(track.cells[cell].plc.item), track.cell_id(cell));
        let at_nm = track.belt.travel_nm(now);
        self.take_off(index, cell, at_nm, Way::ByHand);
        self.tally.removed += 1;
        self.tally.last_exit = now;
        if item.0 != 0 && self.tracks[index].is_alive {
            let signal = Signal::RemovedByHand {
                cell: cell_id,
                item,
            };
            self.out.push(PlantEvent::Plc(signal));
        }
        // An induction may have counted on that carrier being occupied.
        self.plan_inductions_of(index);
        true
    }

    /// A PLC takes a carrier or window for empty although a parcel lies there: it says that it is
    /// missing, forgets its order, and finds it again at the next scanner under another number.
    /// Whether it knew of that parcel.
    pub fn mislay(&mut self, now: Micros, number: u64) -> bool {
        self.command_at(now);
        let is_it = |cell: &super::track::Cell| {
            let is_known = cell.plc.item != 0 && !cell.on_return;
            is_known && cell.parcel.is_some_and(|parcel| parcel.number == number)
        };
        let mut tracks = self.tracks.iter().enumerate();
        let found = tracks.find_map(|(at, track)| Some((at, track.cells.iter().position(is_it)?)));
        let Some((index, cell)) = found else {
            return false;
        };
        let track = &mut self.tracks[index];
        let item = PlcItem(track.cells[cell].plc.item);
        track.forget_cell(cell);
        self.out.push(PlantEvent::Plc(Signal::Missing {
            cell: track.cell_id(cell),
            item,
            at: encoder(track.belt.travel_nm(now)),
        }));
        self.plan_later(index, cell);
        true
    }

    /// An induction is told how fast to feed: slowly is half as fast as it can. Who waits goes on
    /// waiting. Its PLC tells what it does then.
    pub fn pace(&mut self, now: Micros, id: InductionId, to: Pace, limit_per_h: u16) {
        self.command_at(now);
        let induction = &mut self.inductions[id.index()];
        if (induction.pace, induction.limit_per_h) == (to, limit_per_h) {
            return;
        }
        (induction.pace, induction.limit_per_h) = (to, limit_per_h);
        self.plan_induction(id.index());
        self.tell_feeding(id);
    }

    /// A person stops the inductions of a track on the spot, or lets them run again: who waits
    /// goes on waiting.
    pub fn hold_inductions(&mut self, now: Micros, id: TrackId, held: bool) {
        self.command_at(now);
        if self.tracks[id.index()].is_held == held {
            return;
        }
        self.tracks[id.index()].is_held = held;
        self.plan_inductions_of(id.index());
        for nth in 0..self.tracks[id.index()].inductions.len() {
            let induction = self.tracks[id.index()].inductions[nth];
            self.tell_feeding(InductionId(induction as u16));
        }
    }

    fn tell_feeding(&mut self, induction: InductionId) {
        let feeding = self.feeding(induction);
        self.out.push(PlantEvent::Plc(Signal::InductionState {
            induction,
            feeding,
        }));
    }

    /// A carrier is used no more, or again. What lies on it stays.
    pub fn enable_carrier(&mut self, now: Micros, cell: CellId, enabled: bool) {
        self.command_at(now);
        let Some((index, cell)) = self.find(cell) else {
            return;
        };
        self.tracks[index].cells[cell].is_disabled = !enabled;
        self.plan_inductions_of(index);
    }

    /// Stops or resumes all arrivals; who waits goes on waiting.
    pub fn feed(&mut self, now: Micros, open: bool) {
        self.command_at(now);
        for induction in &mut self.inductions {
            induction.feed.open(now, open);
        }
        for track in 0..self.tracks.len() {
            self.plan_inductions_of(track);
        }
    }
}
