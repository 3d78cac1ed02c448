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
        self.release_room(slot);
        let item = self.state.items[slot as usize];
        if item.provisional {
            // It was never in the book, and nothing is known by which to find it again.
            self.state.provisional -= 1;
            self.forget(slot);
            return;
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
        if belt.in_doubt.len() == self.hub.tracks()[track].kind.cells() as usize {
            // As many in doubt as the track has places: the oldest is not coming back.
            if let Some(oldest) = belt.in_doubt.pop_front() {
                self.state.gone.push_back((oldest, Disposition::Lost));
            }
        }
        belt.in_doubt.push_back(slot);
    }

    /// A PLC has lost its tracking: every item on the track is in doubt.
    pub(super) fn tracking_reset(&mut self, track: TrackId, outbox: &mut Outbox) {
        for cell in self.hub.cells_of(track) {
            let slot = self.state.cells[cell as usize];
            if slot != super::state::NO_ITEM {
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
            }
        }
        let in_doubt = self.state.tracks[track.index()].in_doubt.len() as u32;
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
        let it = &mut self.state.items[slot as usize];
        it.provisional = true;
        it.cause = Reason::UnknownItem;
        self.state.provisional += 1;
    }

    /// A missing item may turn up elsewhere on the track.
    pub(super) fn missing(&mut self, cell: CellId, item: PlcItem) {
        if let Some(slot) = self.find_or_count(cell, item) {
            self.doubt(slot);
        }
    }

    /// A provisional item was read: if its code is that of one in doubt, it is that one, which
    /// goes on under its old id in the new place. Returns the slot to go on with.
    pub(super) fn recognise(&mut self, slot: Slot, code: CodeId, outbox: &mut Outbox) -> Slot {
        let found = self.state.items[slot as usize];
        if !found.provisional || code == CodeId::NONE {
            return slot;
        }
        let items = &self.state.items;
        let track = &self.state.tracks[usize::from(found.track)];
        let position = track
            .in_doubt
            .iter()
            .position(|&old| items[old as usize].code == code);
        let Some(old) = position.and_then(|at| {
            self.state.tracks[usize::from(found.track)]
                .in_doubt
                .remove(at)
        }) else {
            return slot;
        };
        self.state.provisional -= 1;
        self.forget(slot);
        let it = &mut self.state.items[old as usize];
        it.whereabouts = Whereabouts::Riding;
        it.cell = found.cell;
        it.item = found.item;
        it.origin = found.origin;
        it.evidence = found.evidence;
        it.ordered = None;
        // The PLC counts the revisions of this item from its own beginning.
        it.revision = 0;
        outbox.push(Output::Known {
            parcel: it.parcel,
            cell: it.cell,
            item: it.item,
        });
        self.state.cells[found.cell.index()] = old;
        self.state.books.adopted += 1;
        old
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
            Some(slot) => self.state.items[slot as usize].evidence = at,
            None => self.unexpected(cell, item, at, outbox),
        }
    }

    /// The inventory is complete: what it did not name is gone, taken off while nobody told.
    pub(super) fn inventory_end(&mut self, track: TrackId, at: BeltMm) {
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
            self.end(
                slot,
                Disposition::Lost,
                Reason::CommunicationLost,
                None,
                outbox,
            );
        }
    }
}
