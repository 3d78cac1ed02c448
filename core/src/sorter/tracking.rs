//! Following items by belt position: getting on, going round, being overdue.

use super::Sorter;
use super::state::{Intent, Item, NO_ITEM, Slot, State, Whereabouts};
use crate::hub::TrackKind;
use crate::ids::{CellId, CodeId, InductionId, ParcelId, PlcItem, TrackId};
use crate::limits::SWEEP_PER_CALL_MAX;
use crate::outbox::Outbox;
use crate::reason::{Disposition, Reason};
use crate::signal::{Alarm, Basis, Output};
use crate::units::{BeltMm, Mm, MmPerS};

/// Where an item was seen: the encoder latched at an eye, and where the eye stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub at: BeltMm,
    pub eye: Mm,
}

impl Seen {
    /// Where the belt was when the item was at the track's origin.
    pub fn origin(self) -> BeltMm {
        self.at.plus(-i64::from(self.eye.0))
    }
}

impl Sorter {
    /// A belt has told its position; everything before it has been told too, so that what has
    /// not been heard of by now was not there.
    pub(super) fn belt(&mut self, track: TrackId, at: BeltMm, speed: MmPerS, outbox: &mut Outbox) {
        let now = self.state.now;
        let before = &self.state.tracks[track.index()];
        let back = at.minus(before.at);
        if back < 0 && before.is_fresh {
            self.rebase(track, back);
        }
        let belt = &mut self.state.tracks[track.index()];
        if belt.is_fresh {
            belt.passed = belt.passed.min(at);
        }
        // An encoder at rest can tremble by a step: that moves nobody back.
        let at = if belt.is_fresh { at } else { at.max(belt.at) };
        let has_moved = belt.is_fresh || at != belt.at;
        belt.is_fresh = false;
        belt.told = now;
        belt.speed = speed;
        belt.at = at;
        self.watch_encoder(track, has_moved, speed);
        self.drop_stale_scans(track);
        self.bags_go_on(track, outbox);
        self.sweep(track, outbox);
    }

    /// The PLC found an item's order too late. It tells where the belt is only when it has nothing
    /// else to tell; if it goes on refusing orders until then, that is never, so that each refusal
    /// must say what it does of the belt.
    pub(super) fn belt_has_passed(&mut self, slot: Slot) {
        let item = &self.state.items[slot as usize];
        let belt = &mut self.state.tracks[usize::from(item.track)];
        belt.passed = belt.passed.max(item.obey_by);
    }

    /// A restarted PLC's encoder starts anew: everything remembered in belt positions moves along,
    /// so that distances since then stay what they were.
    fn rebase(&mut self, track: TrackId, by: i64) {
        let State {
            items,
            tracks,
            scanners,
            ..
        } = &mut self.state;
        let belt = &mut tracks[track.index()];
        belt.swept = belt.swept.plus(by);
        belt.passed = belt.passed.plus(by);
        for item in items.iter_mut().filter(|item| item.track == track.0) {
            item.origin = item.origin.plus(by);
            item.evidence = item.evidence.plus(by);
            item.obey_by = item.obey_by.plus(by);
            item.idle_since = item.idle_since.map(|since| since.plus(by));
        }
        for (scanner, spec) in scanners.iter_mut().zip(self.hub.scanners()) {
            if spec.track == track {
                scanner
                    .items
                    .for_each_mut(|item| item.at = item.at.plus(by));
                scanner
                    .scans
                    .for_each_mut(|scan| scan.at = scan.at.plus(by));
            }
        }
    }

    /// Looks at one cell for each cell's length the belt has moved, so that each is looked at
    /// once a lap: in belt travel, not in time, so a stopped belt loses nobody.
    fn sweep(&mut self, track: TrackId, outbox: &mut Outbox) {
        let spec = &self.hub.tracks()[track.index()];
        let (kind, tolerance) = (spec.kind, i64::from(spec.tolerance.0));
        let range = self.hub.cells_of(track);
        let cells = range.end - range.start;
        let length = i64::from(kind.length().0);
        let step = (length / i64::from(cells)).max(1);
        let mut share = SWEEP_PER_CALL_MAX as u32;
        let belt = &mut self.state.tracks[track.index()];
        let at = belt.at;
        if at.minus(belt.swept) > length {
            // More than a lap in one step: once round is enough.
            belt.swept = at.plus(-length);
        }
        while at.minus(self.state.tracks[track.index()].swept) >= step && share > 0 {
            let belt = &mut self.state.tracks[track.index()];
            belt.swept = belt.swept.plus(step);
            let cell = range.start + belt.sweep_next;
            belt.sweep_next = (belt.sweep_next + 1) % cells;
            let slot = self.state.cells[cell as usize];
            if slot == NO_ITEM {
                continue;
            }
            let item = &self.state.items[slot as usize];
            let most = if mutant!("lost_after_half_a_lap") {
                length / 2
            } else {
                length + tolerance
            };
            if at.minus(item.evidence) > most {
                self.end(slot, Disposition::Lost, Reason::Missing, outbox);
                share -= 1;
            }
        }
        self.sweep_returning(track, kind, outbox);
        self.sweep_doubt(track, self.patience(track), outbox);
    }

    /// How long something in doubt may still be found again, in mm of belt: two rounds.
    pub(super) fn patience(&self, track: TrackId) -> i64 {
        let spec = &self.hub.tracks()[track.index()];
        i64::from(spec.kind.round().0) * 2 + i64::from(spec.tolerance.0)
    }

    /// A return conveyor can hold parcels back, but not for as long as four times round.
    fn sweep_returning(&mut self, track: TrackId, kind: TrackKind, outbox: &mut Outbox) {
        let TrackKind::Line {
            length,
            returns: Some(returns),
            ..
        } = kind
        else {
            return;
        };
        let patience = 4 * (i64::from(length.0) + i64::from(returns.0));
        let at = self.state.tracks[track.index()].at;
        for _ in 0..SWEEP_PER_CALL_MAX / 4 {
            let Some(&slot) = self.state.tracks[track.index()].returning.front() else {
                return;
            };
            if at.minus(self.state.items[slot as usize].evidence) <= patience {
                return;
            }
            self.end(slot, Disposition::Lost, Reason::Missing, outbox);
        }
    }

    /// A new item got on.
    pub(super) fn inducted(
        &mut self,
        induction: InductionId,
        cell: CellId,
        item: PlcItem,
        seen: Seen,
        (length, spans): (Mm, u8),
        outbox: &mut Outbox,
    ) {
        let Some(slot) = self.admit(cell, item, seen, length, outbox) else {
            return;
        };
        self.lie_over(slot, spans);
        self.begin_provisional(slot);
        if self.hub.transfers_to(induction).next().is_some() {
            self.state.items[slot as usize].over = Some(induction);
            self.take_over_the_only(slot, induction, outbox);
            return;
        }
        self.book_new(slot, outbox);
    }

    /// Makes room for an item in a cell and starts to follow it; it is not in the book yet.
    pub(super) fn admit(
        &mut self,
        cell: CellId,
        item: PlcItem,
        seen: Seen,
        length: Mm,
        outbox: &mut Outbox,
    ) -> Option<Slot> {
        let Some((track, _)) = self.hub.track_of(cell) else {
            panic!(
                "a signal names cell {}, which the hub does not have",
                cell.0
            );
        };
        let before = self.state.cells[cell.index()];
        if before != NO_ITEM {
            // Its slot may be the one that is needed.
            self.doubt(before);
        }
        let new = Item {
            parcel: ParcelId::default(),
            item,
            cell,
            track: track.0,
            whereabouts: Whereabouts::Riding,
            provisional: false,
            over: None,
            origin: seen.origin(),
            evidence: seen.at,
            length,
            spans: 1,
            code: CodeId::NONE,
            plan: self.state.plans.active,
            dest: None,
            basis: Basis::Nothing,
            intent: Intent::Undecided,
            cause: Reason::Planned,
            ordered: None,
            refused: None,
            revision: 0,
            obey_by: BeltMm(0),
            idle_since: None,
            aim: None,
            laps: 0,
            is_spent: false,
            rounds: 0,
        };
        let Some(slot) = self.state.take_slot(&self.hub, new) else {
            self.state.books.not_followed += 1;
            outbox.push(Output::Alarm(Alarm::TooManyItems { cell }));
            return None;
        };
        self.enter_cell(slot, cell);
        let active = usize::from(self.state.plans.active);
        self.state.plans.riders[active] += 1;
        Some(slot)
    }

    /// Puts an item in the book, if it is not in it yet: as one in doubt that was never read, if
    /// there is any, and else as a new one.
    pub(super) fn enter_in_book(&mut self, slot: Slot, outbox: &mut Outbox) {
        let is_new = self.state.items[slot as usize].provisional || mutant!("booked_again");
        if is_new && !self.adopt(slot, CodeId::NONE, outbox) {
            self.book_new(slot, outbox);
        }
    }

    /// Puts a provisional item in the book as a new one, with an id of its own.
    fn book_new(&mut self, slot: Slot, outbox: &mut Outbox) {
        let parcel = self.name_parcel();
        self.name_item(slot, parcel);
        self.end_provisional(slot);
        let item = &self.state.items[slot as usize];
        outbox.push(Output::Known {
            parcel,
            cell: item.cell,
            item: item.item,
        });
        self.state.books.start();
        self.sort_unread(slot);
    }

    /// An item is followed, but not in the book yet.
    pub(super) fn begin_provisional(&mut self, slot: Slot) {
        let item = &mut self.state.items[slot as usize];
        item.provisional = true;
        self.state.provisional += 1;
        self.state.running[usize::from(item.track)].provisional += 1;
    }

    /// It is known now what it is, or it is forgotten.
    pub(super) fn end_provisional(&mut self, slot: Slot) {
        let item = &mut self.state.items[slot as usize];
        item.provisional = false;
        self.state.provisional -= 1;
        let track = TrackId(item.track);
        self.state.running[track.index()].provisional -= 1;
        self.unsettle(track);
    }

    /// An item came round over its line's return.
    pub(super) fn came_round(
        &mut self,
        cell: CellId,
        item: PlcItem,
        seen: Seen,
        length: Mm,
        outbox: &mut Outbox,
    ) {
        let Some((track, _)) = self.hub.track_of(cell) else {
            panic!(
                "a signal names cell {}, which the hub does not have",
                cell.0
            );
        };
        let Some(slot) = self.find_returning(cell, item) else {
            self.state.books.unknown_items += 1;
            self.unexpected(cell, item, seen.at, outbox);
            return;
        };
        self.state.tracks[track.index()]
            .returning
            .retain(|&other| other != slot);
        self.state.items[slot as usize].cell = cell;
        self.enter_cell(slot, cell);
        self.state.books.recirculated += 1;
        let it = &mut self.state.items[slot as usize];
        it.whereabouts = Whereabouts::Riding;
        it.origin = seen.origin();
        it.length = length;
        it.evidence = seen.at;
        it.refused = None;
        it.laps = it
            .laps
            .saturating_add(u8::from(!mutant!("returns_uncounted")));
        if it.is_spent && it.intent == Intent::Sort {
            // Its overflow has had its turn too.
            self.reject_spent(slot);
        }
        self.use_late_answer(slot, outbox);
    }

    /// An item goes onto the return: it is in no cell any more.
    pub(super) fn returning(&mut self, cell: CellId, item: PlcItem, at: BeltMm) {
        let Some(slot) = self.find_or_count(cell, item) else {
            return;
        };
        self.release_room(slot);
        self.leave_cell(slot);
        let it = &mut self.state.items[slot as usize];
        it.ordered = None;
        it.evidence = at;
        it.whereabouts = Whereabouts::Returning;
        let track = usize::from(it.track);
        let windows = self.hub.tracks()[track].kind.cells() as usize;
        let returning = &mut self.state.tracks[track].returning;
        if returning.len() < windows {
            returning.push_back(slot);
        } else {
            // There are never more items on a line and its return than it has windows.
            self.put_in_doubt(slot);
        }
    }

    /// An occupied carrier passed the lap eye: it is still there, and a lap is over. One that the
    /// PLC follows and we do not is taken up: where scanners tell carriers only, nothing else would
    /// tell of it again.
    pub(super) fn lap_passed(
        &mut self,
        cell: CellId,
        item: PlcItem,
        at: BeltMm,
        outbox: &mut Outbox,
    ) {
        let Some(slot) = self.find_or_count(cell, item) else {
            self.unexpected(cell, item, at, outbox);
            return;
        };
        let it = &mut self.state.items[slot as usize];
        it.evidence = at;
        it.rounds = it.rounds.saturating_add(1);
        self.use_late_answer(slot, outbox);
        self.after_lap(slot, outbox);
    }

    /// An item on the return of a cell's track: it is in no cell, but the PLC may name the one it
    /// had.
    pub(super) fn find_returning(&self, cell: CellId, item: PlcItem) -> Option<Slot> {
        let (track, _) = self.hub.track_of(cell)?;
        let mut returning = self.state.tracks[track.index()].returning.iter().copied();
        returning.find(|&slot| self.state.items[slot as usize].item == item)
    }

    /// The item a signal means; an item that is not where the signal says is counted.
    pub(super) fn find_or_count(&mut self, cell: CellId, item: PlcItem) -> Option<Slot> {
        let found = self.state.find(cell, item);
        if found.is_none() {
            self.state.books.unknown_items += 1;
        }
        found
    }

    /// Frees an item's slot, wherever it was.
    pub(super) fn forget(&mut self, slot: Slot) {
        self.close_case(slot);
        let item = self.state.items[slot as usize];
        let track = &mut self.state.tracks[usize::from(item.track)];
        match item.whereabouts {
            Whereabouts::Riding => self.leave_cell(slot),
            Whereabouts::Returning => track.returning.retain(|&other| other != slot),
            Whereabouts::InDoubt => track.in_doubt.retain(|&other| other != slot),
            Whereabouts::Gone => {}
            Whereabouts::Free => unreachable!("an item was forgotten twice"),
        }
        self.state.items[slot as usize].whereabouts = Whereabouts::Free;
        self.state.plans.riders[usize::from(item.plan)] -= 1;
        self.unsettle(TrackId(item.track));
        self.state.free.push(slot);
    }
}
