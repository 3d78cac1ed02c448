//! How items leave, and what chutes say of themselves.

use super::Sorter;
use super::state::{Intent, Slot, contents_max};
use crate::hub::{Capacity, Sensing};
use crate::ids::{CellId, ChuteId, PlcItem};
use crate::outbox::Outbox;
use crate::reason::{Disposition, Reason};
use crate::signal::{Alarm, ChuteState, OrderAnswer, Output, Refusal};
use crate::units::{BeltMm, Mm};

impl Sorter {
    /// An item left by a chute.
    pub(super) fn discharged(
        &mut self,
        chute: ChuteId,
        cell: CellId,
        item: PlcItem,
        at: BeltMm,
        outbox: &mut Outbox,
    ) {
        self.state.chutes[chute.index()].dropped += 1;
        let Some(slot) = self.find_or_count(cell, item) else {
            self.fill(chute, Mm(0));
            return;
        };
        self.state.items[slot as usize].evidence = at;
        self.fill(chute, self.state.items[slot as usize].length);
        if let Some(transfer) = self.hub.transfer_from(chute) {
            self.enter_in_book(slot, outbox);
            self.carrier_emptied(slot, chute);
            self.hand_over(slot, transfer, chute, outbox);
            return;
        }
        let (how, why) = self.judge(slot, chute);
        self.enter_in_book(slot, outbox);
        self.carrier_emptied(slot, chute);
        if why == Reason::Elsewhere {
            let item = &self.state.items[slot as usize];
            let ordered = item.ordered.and_then(|order| order.chutes[0]);
            let alarm = Alarm::Missort {
                parcel: item.parcel,
                ordered,
                went: chute,
            };
            outbox.push(Output::Alarm(alarm));
        }
        if why == Reason::Late && how == Disposition::Sorted {
            self.tell_slipped(slot, chute, outbox);
        }
        self.end(slot, how, why, Some(chute), outbox);
    }

    /// What leaving by this chute means for this item. Judged by the plan, not by the order that
    /// stood: the PLC may have obeyed an older one, and that chute was as good.
    fn judge(&self, slot: Slot, chute: ChuteId) -> (Disposition, Reason) {
        let item = &self.state.items[slot as usize];
        if item.dest.is_some_and(|dest| self.plan.allows(dest, chute)) {
            return (Disposition::Sorted, item.why());
        }
        let why = match item.intent {
            Intent::Reject(_) | Intent::Force(_) | Intent::Ask => item.why(),
            // It ran to the end before anything could be done about it.
            Intent::Undecided if item.cause == Reason::Planned => Reason::NoRead,
            Intent::Sort if item.cause == Reason::Planned => Reason::Late,
            _ => item.cause,
        };
        if self.plan.rejects(why).any(|reject| reject == chute) {
            return (Disposition::Rejected, why);
        }
        if item.intent == Intent::Force(chute) {
            return (Disposition::Sorted, Reason::Forced);
        }
        if let Some(judged) = self.judge_replaced(slot, chute) {
            return judged;
        }
        if item.dest.is_none() && item.revision == 0 {
            // Never read and never ordered by us: an order of the run before us stood for it.
            return (Disposition::Sorted, Reason::UnknownItem);
        }
        (Disposition::Sorted, Reason::Elsewhere)
    }

    /// A person took an item off, from its cell or from the return.
    pub(super) fn removed_by_hand(&mut self, cell: CellId, item: PlcItem, outbox: &mut Outbox) {
        let found = self.find_returning(cell, item);
        if let Some(slot) = found.or_else(|| self.find_or_count(cell, item)) {
            self.end(slot, Disposition::Removed, Reason::Forced, None, outbox);
        }
    }

    /// An item passed a chute it was ordered to and did not leave.
    pub(super) fn not_discharged(
        &mut self,
        chute: ChuteId,
        cell: CellId,
        item: PlcItem,
        at: BeltMm,
        cause: Refusal,
        outbox: &mut Outbox,
    ) {
        match cause {
            Refusal::Failed => self.discharge_failed(cell, chute, outbox),
            Refusal::Late => self.state.books.late_orders += 1,
            _ => {}
        }
        let Some(slot) = self.find_or_count(cell, item) else {
            return;
        };
        let it = &mut self.state.items[slot as usize];
        it.evidence = at;
        it.cause = cause.reason();
        // While another chute of the order is still to come, the order goes on by itself.
        let is_over = it.ordered.is_some_and(|order| order.last() == Some(chute));
        if is_over && !mutant!("refusal_unheard") {
            self.order_failed(slot, outbox);
        }
    }

    /// The PLC's answer to an order.
    pub(super) fn order_answered(
        &mut self,
        cell: CellId,
        item: PlcItem,
        revision: u16,
        answer: OrderAnswer,
        outbox: &mut Outbox,
    ) {
        let Some(slot) = self.state.find(cell, item) else {
            // It has left meanwhile; its order is history.
            return;
        };
        let it = &self.state.items[slot as usize];
        let is_current = it.revision == revision || mutant!("any_answer");
        if !is_current || it.ordered.is_none() {
            // An answer to an order that no longer stands.
            return;
        }
        match answer {
            OrderAnswer::Accepted => {}
            OrderAnswer::OldRevision => {
                // The PLC holds a newer one, given by a run before this. A leap passes it.
                let it = &mut self.state.items[slot as usize];
                it.revision = it
                    .revision
                    .wrapping_add(if mutant!("no_leap") { 0 } else { 256 });
                self.order_void(slot, outbox);
            }
            OrderAnswer::NoSuchItem => self.doubt(slot),
            OrderAnswer::Expired => {
                self.state.books.late_orders += 1;
                self.state.items[slot as usize].cause = Reason::Late;
                self.order_void(slot, outbox);
            }
            OrderAnswer::Late => {
                self.state.books.late_orders += 1;
                self.state.items[slot as usize].cause = Reason::Late;
                self.order_refused(slot, outbox);
            }
            OrderAnswer::WrongEpoch => {
                self.state.items[slot as usize].cause = Reason::CommunicationLost;
                self.order_refused(slot, outbox);
            }
            OrderAnswer::BadChute => {
                self.state.items[slot as usize].cause = Reason::NoRule;
                self.state.items[slot as usize].intent = Intent::Reject(Reason::NoRule);
                self.order_refused(slot, outbox);
            }
        }
    }

    /// What a chute says of itself.
    pub(super) fn chute_told(&mut self, id: ChuteId, state: ChuteState, taken: u16) {
        let chute = &mut self.state.chutes[id.index()];
        let was_closed = chute.state.closed_because().is_some();
        chute.state = state;
        if was_closed != state.closed_because().is_some() {
            self.look_at_rejects(id);
        }
        let chute = &mut self.state.chutes[id.index()];
        let more = taken.wrapping_sub(chute.taken);
        if more > u16::MAX / 2 {
            // The counter went back. A little: another PLC of a shared chute tells an older state.
            // Far: its PLC has restarted, and what was taken out meanwhile is not known. Counting
            // the chute as emptied is safe, since it refuses by itself when it is full.
            if chute.taken.wrapping_sub(taken) > TAKEN_STALE_MAX || mutant!("stale_is_restart") {
                chute.contents.clear();
                chute.used = 0;
                chute.taken = taken;
            }
            return;
        }
        chute.taken = taken;
        for _ in 0..more {
            let Some(room) = chute.contents.pop_front() else {
                // Taken out before it was told to be in: an empty chute is empty.
                break;
            };
            if !mutant!("taken_but_room_used") {
                chute.used -= u64::from(room);
            }
        }
    }

    /// Something has dropped into a chute.
    fn fill(&mut self, id: ChuteId, length: Mm) {
        let spec = &self.hub.chutes()[id.index()];
        if spec.sensing != Sensing::Counted {
            return;
        }
        let room = room_of(spec.capacity, length);
        let chute = &mut self.state.chutes[id.index()];
        if chute.contents.len() < contents_max(spec.capacity) {
            chute.contents.push_back(room);
            chute.used += u64::from(room);
        }
    }

    /// Lets go of the room that is held for an item.
    pub(super) fn release_room(&mut self, slot: Slot) {
        let item = &mut self.state.items[slot as usize];
        let Some(id) = item.reserved.take() else {
            return;
        };
        let room = room_of(self.hub.chutes()[id.index()].capacity, item.length);
        if mutant!("room_stays_held") {
            return;
        }
        let chute = &mut self.state.chutes[id.index()];
        assert!(chute.coming > 0, "room was let go of that nobody held");
        chute.coming -= 1;
        chute.held -= u64::from(room);
    }

    /// Holds room for an item in a chute, if there is any besides what is in it and on its way.
    pub(super) fn hold_room(&mut self, slot: Slot, id: ChuteId) -> bool {
        let spec = &self.hub.chutes()[id.index()];
        let item = &mut self.state.items[slot as usize];
        let room = room_of(spec.capacity, item.length);
        let chute = &mut self.state.chutes[id.index()];
        let limit = match (spec.sensing, spec.capacity) {
            // Its eyes say when it is full; what it holds before that is not known.
            (Sensing::Eyes, _) | (_, Capacity::Unlimited) => u64::MAX,
            (Sensing::Counted, Capacity::Parcels(most)) => u64::from(most),
            (Sensing::Counted, Capacity::Length(most)) => u64::from(most.0),
        };
        if chute.used + chute.held + u64::from(room) > limit && !mutant!("room_for_all") {
            return false;
        }
        assert!(item.reserved.is_none(), "an item held room in two chutes");
        item.reserved = Some(id);
        chute.coming += if mutant!("room_held_twice") { 2 } else { 1 };
        chute.held += u64::from(room);
        true
    }
}

/// How far back a chute's counter of parcels taken out may be told by a link that is behind.
const TAKEN_STALE_MAX: u16 = 16;

/// The room that a parcel takes, in the unit of a capacity.
fn room_of(capacity: Capacity, length: Mm) -> u32 {
    match capacity {
        Capacity::Unlimited | Capacity::Parcels(_) => 1,
        Capacity::Length(_) => length.0,
    }
}
