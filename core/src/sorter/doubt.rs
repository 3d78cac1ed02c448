//! Items that a PLC has forgotten, and how they are found again.
//!
//! A PLC that restarts knows of no item. The parcels are still there, and when one is read again
//! its code says which it was: it is adopted under its old id. What is not found within two laps
//! of belt is lost.

use super::Sorter;
use super::state::{Slot, Whereabouts};
use super::tracking::Seen;
use crate::ids::{CellId, CodeId, PlcItem, TrackId};
use crate::limits::SWEEP_PER_CALL_MAX;
use crate::outbox::Outbox;
use crate::reason::{Disposition, Reason};
use crate::signal::{Alarm, Output};
use crate::units::{BeltMm, Mm};

impl Sorter {
    /// An item is no longer where it should be: it may be found again.
    pub(super) fn doubt(&mut self, slot: Slot) {
        if !mutant!("doubt_keeps_room") {
            self.release_room(slot);
        }
        self.leave_cell(slot);
        self.put_in_doubt(slot);
    }

    /// The rest of [`Sorter::doubt`], for an item that is in no cell.
    pub(super) fn put_in_doubt(&mut self, slot: Slot) {
        let it = &mut self.state.items[slot as usize];
        let track = usize::from(it.track);
        let belt = &mut self.state.tracks[track];
        it.whereabouts = Whereabouts::InDoubt;
        it.ordered = None;
        it.evidence = belt.at;
        if it.provisional {
            // It was never in the book, and nothing is known by which to find it again.
            self.end_provisional(slot);
            self.forget(slot);
            return;
        }
        if belt.in_doubt.len() == self.hub.tracks()[track].kind.cells() as usize {
            // As many in doubt as the track has places: the oldest is not coming back.
            if let Some(oldest) = belt.in_doubt.pop_front() {
                self.state.items[oldest as usize].whereabouts = Whereabouts::Gone;
                self.state.gone.push_back((oldest, Disposition::Lost));
            }
        }
        belt.in_doubt.push_back(slot);
    }

    /// A PLC has lost its tracking: every item on the track is in doubt.
    pub(super) fn tracking_reset(&mut self, track: TrackId, outbox: &mut Outbox) {
        for cell in self.hub.cells_of(track) {
            let slot = self.state.cells[cell as usize];
            if slot != super::state::NO_ITEM && !mutant!("reset_is_trusted") {
                self.doubt(slot);
            }
        }
        while let Some(slot) = self.state.tracks[track.index()].returning.pop_front() {
            self.put_in_doubt(slot);
        }
        for (scanner, spec) in self.state.scanners.iter_mut().zip(self.hub.scanners()) {
            if spec.track == track {
                while scanner.items.pop_first().is_some() {
                    self.state.waiting -= 1;
                }
                // The PLC counts its triggers anew: an old telegram would find a new parcel.
                while scanner.scans.pop_first().is_some() {
                    self.state.books.unmatched_scans += 1;
                }
            }
        }
        self.state.running[track.index()].is_told = false;
        self.unsettle(track);
        let belt = &mut self.state.tracks[track.index()];
        belt.is_fresh = true;
        let in_doubt = belt.in_doubt.len() as u32;
        outbox.push(Output::Alarm(Alarm::TrackingReset { track, in_doubt }));
    }

    /// The PLC has found something that nobody announced.
    pub(super) fn unexpected(
        &mut self,
        cell: CellId,
        item: PlcItem,
        at: BeltMm,
        outbox: &mut Outbox,
    ) {
        // Its length is not known; 0 takes no room, and a chute's own eye has the last word.
        let seen = Seen { at, eye: Mm(0) };
        let Some(slot) = self.admit(cell, item, seen, Mm(0), outbox) else {
            return;
        };
        self.begin_provisional(slot);
        self.state.items[slot as usize].cause = Reason::UnknownItem;
    }

    /// A PLC's tracking has failed for an item, unless it is in the middle of finding again what
    /// it has forgotten.
    pub(super) fn mistracked(&mut self, cell: CellId) {
        let Some((track, _)) = self.hub.track_of(cell) else {
            return;
        };
        let finds_again = !self.state.tracks[track.index()].in_doubt.is_empty();
        self.state.books.mistracked += u64::from(!finds_again);
    }

    /// A missing item may turn up elsewhere on the track.
    pub(super) fn missing(&mut self, cell: CellId, item: PlcItem) {
        if let Some(slot) = self.find_or_count(cell, item) {
            self.doubt(slot);
        }
    }

    /// A provisional item was read: if its code is that of one in doubt, it is that one.
    pub(super) fn recognise(&mut self, slot: Slot, code: CodeId, outbox: &mut Outbox) {
        if self.state.items[slot as usize].provisional {
            self.adopt(slot, code, outbox);
        }
    }

    /// If an item in doubt has this code, `slot` goes on as that one, under its old id.
    ///
    /// [`CodeId::NONE`] means any that was never read: it has no other identity to lose, and so
    /// the book stays true.
    pub(super) fn adopt(&mut self, slot: Slot, code: CodeId, outbox: &mut Outbox) -> bool {
        let items = &self.state.items;
        let in_doubt = &mut self.state.tracks[usize::from(items[slot as usize].track)].in_doubt;
        let position = in_doubt
            .iter()
            .position(|&old| items[old as usize].code == code || mutant!("anyone_is_adopted"));
        let Some(old) = position.and_then(|at| in_doubt.remove(at)) else {
            return self.take_over_by(slot, code, outbox);
        };
        let before = self.state.items[old as usize];
        self.adopt_case(old, slot);
        self.put_under(slot, before.plan);
        self.end_provisional(slot);
        let it = &mut self.state.items[slot as usize];
        it.length = before.length;
        it.dest = before.dest;
        it.basis = before.basis;
        it.intent = before.intent;
        it.cause = before.cause;
        it.laps = before.laps;
        it.is_spent = before.is_spent;
        it.rounds = before.rounds;
        outbox.push(Output::Known {
            parcel: it.parcel,
            cell: it.cell,
            item: it.item,
        });
        self.state.books.adopted += 1;
        self.sort_unread(slot);
        true
    }

    /// One line of an inventory. What we know is confirmed; what we do not know is taken up.
    pub(super) fn inventory(
        &mut self,
        cell: CellId,
        item: PlcItem,
        at: BeltMm,
        outbox: &mut Outbox,
    ) {
        match self.state.find(cell, item) {
            Some(_) if mutant!("inventory_confirms_nobody") => {}
            Some(slot) => self.state.items[slot as usize].evidence = at,
            None => self.unexpected(cell, item, at, outbox),
        }
    }

    /// The inventory is complete: what it did not name is gone, taken off while nobody told.
    pub(super) fn inventory_end(&mut self, track: TrackId, at: BeltMm) {
        let running = &mut self.state.running[track.index()];
        running.is_told = true;
        running.says_again = true;
        if running.disabled > 0 {
            self.review(track, true);
        }
        self.unsettle(track);
        for cell in self.hub.cells_of(track) {
            let slot = self.state.cells[cell as usize];
            if slot == super::state::NO_ITEM || self.state.items[slot as usize].evidence >= at {
                continue;
            }
            self.doubt(slot);
            // Only now it is known to be gone, rather than somewhere else on the track.
            let in_doubt = &mut self.state.tracks[track.index()].in_doubt;
            if in_doubt.back() == Some(&slot) {
                in_doubt.pop_back();
                self.state.items[slot as usize].whereabouts = Whereabouts::Gone;
                self.state.gone.push_back((slot, Disposition::Removed));
            }
        }
    }

    /// Gives up what has been in doubt for more than `patience` mm of belt.
    pub(super) fn sweep_doubt(&mut self, track: TrackId, patience: i64, outbox: &mut Outbox) {
        let at = self.state.tracks[track.index()].at;
        for _ in 0..SWEEP_PER_CALL_MAX / 4 {
            let Some(&slot) = self.state.tracks[track.index()].in_doubt.front() else {
                return;
            };
            if at.minus(self.state.items[slot as usize].evidence) <= patience {
                return;
            }
            self.end(slot, Disposition::Lost, Reason::CommunicationLost, outbox);
        }
    }
}
