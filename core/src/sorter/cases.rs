//! What people, hosts and seats have to do with an item, and how items are found by their names.
//!
//! An item is found by its parcel id and by its code, in bounded time, because a hold must reach
//! its parcels before the next divert and not after a scan of the belt. Several items can have one
//! code (子母件): they hang in a ring, the longest read first.

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::deriving::Derived;
use super::state::{Intent, NO_ITEM, Slot, Standing, Whereabouts};
use crate::facts::Reading;
use crate::ids::{ChuteId, CodeId, ParcelId, ScannerId, SeatId};
use crate::limits::ORDER_CHUTES_MAX;
use crate::operator::HostSays;
use crate::reason::Reason;
use crate::units::{BeltMm, Micros};

/// What is asked for less often than where an item is; apart from it for that reason.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Case {
    /// What was derived last. Routing may have gone on from there (laps, a wave's end).
    pub derived: Derived,
    pub host: Host,
    /// The chute that a person sends it to.
    pub forced: Option<ChuteId>,
    pub is_damaged: bool,
    /// Its code was keyed in.
    pub is_keyed: bool,
    /// The seat that keys it in.
    pub seat: Option<SeatId>,
    /// The last scanner that has said something of it, and the number of its picture there.
    pub seen_by: Option<(ScannerId, u16)>,
    /// The orders that stood before it was re-decided.
    pub replaced: Option<Replaced>,
    /// The next with the same code.
    pub next: Slot,
    /// The one before; of the first, the last.
    pub before: Slot,
    /// Its place among the unread.
    pub unread: Slot,
}

impl Case {
    pub const NEW: Self = Self {
        derived: Derived::NOTHING,
        host: Host::NotAsked,
        forced: None,
        is_damaged: false,
        is_keyed: false,
        seat: None,
        seen_by: None,
        replaced: None,
        next: NO_ITEM,
        before: NO_ITEM,
        unread: NO_ITEM,
    };
}

/// How it stands with the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Host {
    /// It was not asked, or what was asked has been answered otherwise.
    NotAsked,
    /// It has until then.
    Asked { until: Micros },
    /// It has answered.
    Said(HostSays),
    /// It has not answered in time.
    Late,
    /// It has answered too late, while the parcel had a way: that counts when the way has failed.
    SaidLate(HostSays),
}

/// Orders that may still be obeyed although they were replaced. While a link is down, several may
/// have been: the PLC obeys the last one that it heard.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Replaced {
    /// Their chutes, and whether the parcel was to be rejected there; the newest first.
    pub chutes: [Option<(ChuteId, bool)>; REPLACED_CHUTES_MAX],
    /// Where the belt is when the item has passed the last of them.
    pub until: BeltMm,
}

/// Chutes of replaced orders that are remembered of one item: those of two orders.
pub(super) const REPLACED_CHUTES_MAX: usize = ORDER_CHUTES_MAX * 2;

impl Sorter {
    /// The item that is this parcel.
    pub(super) fn slot_of(&self, parcel: ParcelId) -> Option<Slot> {
        let slot = self.state.by_parcel.get(parcel.0)?;
        let gone = self.state.items[slot as usize].whereabouts == Whereabouts::Gone;
        (!gone).then_some(slot)
    }

    /// Gives an item its parcel's id, by which it is found.
    pub(super) fn name_item(&mut self, slot: Slot, parcel: ParcelId) {
        self.state.items[slot as usize].parcel = parcel;
        if parcel != ParcelId::default() {
            self.state.by_parcel.set(parcel.0, slot);
        }
    }

    /// Gives an item its code, by which it is found.
    pub(super) fn mark(&mut self, slot: Slot, code: CodeId) {
        assert!(code != CodeId::NONE, "an item was given no code");
        self.unmark(slot);
        self.state.items[slot as usize].code = code;
        let cases = &mut self.state.cases;
        cases[slot as usize].next = NO_ITEM;
        let Some(first) = self.state.by_code.get(code.0) else {
            cases[slot as usize].before = slot;
            self.state.by_code.set(code.0, slot);
            return;
        };
        let last = cases[first as usize].before;
        cases[slot as usize].before = last;
        cases[last as usize].next = slot;
        cases[first as usize].before = slot;
    }

    /// Takes an item's code away.
    pub(super) fn unmark(&mut self, slot: Slot) {
        let code = core::mem::take(&mut self.state.items[slot as usize].code);
        if code == CodeId::NONE {
            return;
        }
        let cases = &mut self.state.cases;
        let (next, before) = (cases[slot as usize].next, cases[slot as usize].before);
        for due in &mut self.state.redeciding {
            if due.next == slot {
                due.next = next;
            }
        }
        let Some(first) = self.state.by_code.get(code.0) else {
            panic!("an item with a code is not found by it");
        };
        if first != slot {
            cases[before as usize].next = next;
            let after = if next == NO_ITEM { first } else { next };
            cases[after as usize].before = before;
        } else if next == NO_ITEM {
            self.state.by_code.remove(code.0);
        } else {
            cases[next as usize].before = before;
            self.state.by_code.set(code.0, next);
        }
    }

    /// Lets go of all that is held for an item under its names; it is about to be forgotten.
    pub(super) fn close_case(&mut self, slot: Slot) {
        self.unmark(slot);
        self.close_question(slot);
        self.free_seat(slot);
        self.leave_unread(slot);
        let parcel = self.state.items[slot as usize].parcel;
        if parcel != ParcelId::default() {
            self.state.by_parcel.remove(parcel.0);
        }
    }

    /// An item in doubt was found again as the one in `slot`: its parcel goes on as that one.
    pub(super) fn adopt_case(&mut self, old: Slot, slot: Slot) {
        let before = self.state.items[old as usize];
        let case = self.state.cases[old as usize];
        let read_just_now = self.state.facts[slot as usize];
        self.state.facts[slot as usize] = self.state.facts[old as usize].joined(&read_just_now);
        let seen_by = self.state.cases[slot as usize].seen_by.or(case.seen_by);
        self.state.cases[slot as usize] = Case {
            seen_by,
            replaced: None,
            next: NO_ITEM,
            before: NO_ITEM,
            unread: NO_ITEM,
            ..case
        };
        self.move_question(old, slot);
        if let Some(seat) = case.seat {
            self.state.cases[old as usize].seat = None;
            let seats = &mut self.state.seats;
            seats
                .iter_mut()
                .filter(|s| s.seat == seat)
                .for_each(|s| s.slot = slot);
        }
        if !mutant!("adopted_twice") {
            self.forget(old);
        }
        self.name_item(slot, before.parcel);
        if before.code != CodeId::NONE {
            self.mark(slot, before.code);
        }
    }

    /// Puts an item among the unread, or takes it out, as its case now stands.
    pub(super) fn sort_unread(&mut self, slot: Slot) {
        let item = &self.state.items[slot as usize];
        let unread = matches!(
            self.state.facts[slot as usize].read,
            Reading::NoRead | Reading::Invalid
        );
        let for_want_of_a_code = matches!(
            item.intent,
            Intent::Undecided
                | Intent::Reject(Reason::NoRead | Reason::Unmatched | Reason::InvalidCode)
        );
        let case = &mut self.state.cases[slot as usize];
        let wanted = unread && for_want_of_a_code && case.seen_by.is_some() && !item.provisional;
        if wanted == (case.unread != NO_ITEM) {
            return;
        }
        if wanted {
            case.unread = self.state.unread.len() as Slot;
            self.state.unread.push(slot);
        } else {
            self.leave_unread(slot);
        }
    }

    fn leave_unread(&mut self, slot: Slot) {
        let place = core::mem::replace(&mut self.state.cases[slot as usize].unread, NO_ITEM);
        if place == NO_ITEM {
            return;
        }
        self.state.unread.swap_remove(place as usize);
        if let Some(&moved) = self.state.unread.get(place as usize) {
            self.state.cases[moved as usize].unread = place;
        }
    }

    /// Remembers the order that stands, because another one is about to take its place: up to the
    /// commit point the new one counts, but past it, or while it is on its way, the old one does.
    pub(super) fn remember_order(&mut self, slot: Slot) {
        let item = &self.state.items[slot as usize];
        let Some(Standing { chutes }) = item.ordered else {
            return;
        };
        let passes = chutes.iter().flatten();
        let Some(until) = passes
            .filter_map(|&chute| self.next_pass(slot, chute))
            .max()
        else {
            return;
        };
        let rejects = matches!(item.intent, Intent::Reject(_));
        let before = self.state.cases[slot as usize].replaced;
        let before = before.filter(|before| item.evidence <= before.until);
        let newest = chutes.iter().flatten().map(|&chute| (chute, rejects));
        let older = before.iter().flat_map(|before| before.chutes).flatten();
        let older = older.filter(|(chute, _)| !chutes.contains(&Some(*chute)));
        let mut all = [None; REPLACED_CHUTES_MAX];
        for (place, chute) in all.iter_mut().zip(newest.chain(older)) {
            *place = Some(chute);
        }
        self.state.cases[slot as usize].replaced = Some(Replaced {
            chutes: all,
            until: before.map_or(until, |before| until.max(before.until)),
        });
    }
}
