//! How items leave, and what chutes say of themselves.

use super::Sorter;
use super::heading::room_of;
use super::routing::is_newer;
use super::state::{Intent, Slot, contents_max};
use crate::facts::Facts;
use crate::hub::Sensing;
use crate::ids::{CellId, ChuteId, PlcItem};
use crate::outbox::Outbox;
use crate::reason::{Disposition, Reason};
use crate::signal::{Alarm, OrderAnswer, Output, Refusal};
use crate::units::{BeltMm, Micros, Mm};

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
        self.chute_dropped(chute);
        let Some(slot) = self.find_or_count(cell, item) else {
            self.fill(chute, Mm(0));
            self.drop_into_bag(chute, &Facts::default(), outbox);
            self.state.queue_chute(chute);
            return;
        };
        self.state.items[slot as usize].evidence = at;
        self.fill(chute, self.state.items[slot as usize].length);
        let is_where_it_went = self.state.items[slot as usize].heading_for() == Some(chute);
        if is_where_it_went {
            // It has come where it was heading: what it was charged to stays charged.
            self.leave_way(slot);
        }
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
        let facts = self.state.facts[slot as usize];
        let bag = self.drop_into_bag(chute, &facts, outbox);
        self.state.queue_chute(chute);
        self.end_in(slot, how, why, Some((chute, bag)), outbox);
    }

    /// What leaving by this chute means for this item. Judged by the plan, not by the order that
    /// stood: the PLC may have obeyed an older one, and that chute was as good.
    fn judge(&self, slot: Slot, chute: ChuteId) -> (Disposition, Reason) {
        let item = &self.state.items[slot as usize];
        let plan = self.plan_of(item);
        if item.dest.is_some_and(|dest| plan.allows(dest, chute)) {
            return (Disposition::Sorted, item.why());
        }
        let why = match item.intent {
            Intent::Reject(_) | Intent::Force(_) | Intent::Ask => item.why(),
            // It ran to the end before anything could be done about it.
            Intent::Undecided if item.cause == Reason::Planned => Reason::NoRead,
            Intent::Sort if item.cause == Reason::Planned => Reason::Late,
            _ => item.cause,
        };
        if plan.rejects(why).any(|reject| reject == chute) {
            return (Disposition::Rejected, why);
        }
        if item.intent == Intent::Force(chute) {
            return (Disposition::Sorted, Reason::Forced);
        }
        if let Some((how, why)) = self.judge_replaced(slot, chute) {
            // What lies in a chute that waits to be cleared is its last owner's, and so is this:
            // the PLC had it in hand already when the plan changed.
            let is_pending = self.state.chutes[chute.index()].pending_clear;
            return (how, if is_pending { Reason::Planned } else { why });
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
            self.end(slot, Disposition::Removed, Reason::Forced, outbox);
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
        self.state.chutes[chute.index()].refused[cause as usize] += 1;
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
        self.aim_at_next(slot, chute);
        let it = &self.state.items[slot as usize];
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
        let it = &mut self.state.items[slot as usize];
        if it.ordered.is_none() && is_newer(revision, it.revision) {
            // The run before us gave it. Ours would be refused if they were not newer.
            it.revision = revision;
        }
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
                self.belt_has_passed(slot);
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

    /// How many parcels have been taken out of a chute so far.
    pub(super) fn count_taken(&mut self, id: ChuteId, taken: u16) {
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
                self.chute_emptied(id);
            }
            return;
        }
        if more == 0 {
            return;
        }
        chute.taken = taken;
        for left in (1..=more).rev() {
            let Some(room) = chute.contents.pop_front() else {
                // Taken out before it was told to be in.
                if self.hub.chutes()[id.index()].outlets.len() > 1 {
                    let early = u16::from(chute.early.0).saturating_add(left);
                    chute.early = (early.min(EARLY_MAX) as u8, self.state.now);
                }
                break;
            };
            if !mutant!("taken_but_room_used") {
                chute.used -= u64::from(room);
            }
        }
        if chute.contents.is_empty() {
            self.chute_emptied(id);
        }
    }

    /// Something has dropped into a chute.
    fn fill(&mut self, id: ChuteId, length: Mm) {
        let spec = &self.hub.chutes()[id.index()];
        if spec.sensing != Sensing::Counted {
            return;
        }
        let room = room_of(spec.capacity, length);
        let now = self.state.now;
        let chute = &mut self.state.chutes[id.index()];
        if now.since(chute.early.1) > LINKS_APART_MAX {
            chute.early.0 = 0;
        }
        if chute.early.0 > 0 {
            chute.early.0 -= 1;
            return;
        }
        if chute.contents.len() < contents_max(spec.capacity) {
            chute.contents.push_back(room);
            chute.used += u64::from(room);
        }
    }
}

/// How far back a chute's counter of parcels taken out may be told by a link that is behind.
const TAKEN_STALE_MAX: u16 = 16;
/// As many as can drop while the link of their track is behind.
const EARLY_MAX: u16 = 16;
/// How long the link of one track can be behind that of another which passes the same chute.
const LINKS_APART_MAX: Micros = Micros::from_secs(60);
