//! Handing parcels over to another track or sorter, and taking them over.
//!
//! A transfer is a conveyor that nobody tracks: parcels go in at a chute and come out at an
//! induction. Whoever owns that induction is told of each that went in
//! ([`Signal::Transfer`](crate::signal::Signal::Transfer)) and expects it. One that comes out is
//! known for sure when it is read. Before that it is taken for the only one that can have come out
//! by then, if there is just one, and none of which we do not know can be on its way since before
//! we began. What was never read is booked as the oldest of them, without its code being trusted.
//! What has not come out in time is lost.

use alloc::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::spreading::Chutes;
use super::state::Slot;
use crate::facts::Facts;
use crate::hub::{Hub, TransferSpec};
use crate::ids::{ChuteId, CodeId, DestId, InductionId, ParcelId, TrackId, TransferId};
use crate::limits::{ORDER_CHUTES_MAX, TRANSFER_EXPECTED_MAX};
use crate::outbox::Outbox;
use crate::reason::{Disposition, Reason};
use crate::running::Pace;
use crate::signal::{Alarm, Output};
use crate::units::Micros;

/// A parcel on a transfer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Expected {
    pub parcel: ParcelId,
    pub facts: Facts,
    pub since: Micros,
}

/// The parcels on each transfer, the oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Transfers {
    expected: alloc::vec::Vec<VecDeque<Expected>>,
    /// When the first of each came out last, or what went in before us did: a queue that moves
    /// is waited for, however long it is.
    moved: alloc::vec::Vec<Micros>,
    /// When we were told of a link first. What went in before that is not known here.
    begun: Option<Micros>,
    /// How many in all, so that nothing is looked for where nothing is.
    count: u32,
}

impl Transfers {
    pub fn new(hub: &Hub) -> Self {
        let room = |_: &TransferSpec| VecDeque::with_capacity(TRANSFER_EXPECTED_MAX);
        Self {
            expected: hub.transfers().iter().map(room).collect(),
            moved: alloc::vec![Micros(0); hub.transfers().len()],
            begun: None,
            count: 0,
        }
    }

    /// A link is there: from now on it is known what goes in.
    pub fn begin(&mut self, now: Micros) {
        self.begun.get_or_insert(now);
    }

    /// Whether something can still be on a transfer that went in before we began.
    fn may_hold_unknown(&self, spec: &TransferSpec, now: Micros) -> bool {
        let begun = self.begun.unwrap_or(now);
        now < begun.after(spec.patience)
    }

    /// Gives back the capacity that a decoded state lacks.
    pub fn reserve(&mut self) {
        for queue in &mut self.expected {
            queue.reserve_exact(TRANSFER_EXPECTED_MAX.saturating_sub(queue.len()));
        }
    }

    fn take(&mut self, transfer: TransferId, at: usize) -> Option<Expected> {
        if mutant!("taken_over_again") {
            return self.expected[transfer.index()].get(at).copied();
        }
        let taken = self.expected[transfer.index()].remove(at);
        self.count -= u32::from(taken.is_some());
        taken
    }
}

impl Sorter {
    /// A parcel left by a chute that feeds a transfer: its passage here is over, but not its way.
    pub(super) fn hand_over(
        &mut self,
        slot: Slot,
        transfer: TransferId,
        chute: ChuteId,
        outbox: &mut Outbox,
    ) {
        self.enter_in_book(slot, outbox);
        self.release_room(slot);
        let item = self.state.items[slot as usize];
        let ordered = item.ordered.and_then(|order| order.chutes[0]);
        let was_sent = item
            .ordered
            .is_some_and(|order| order.chutes.contains(&Some(chute)));
        if self.judge_replaced(slot, chute).is_some() {
            self.tell_slipped(slot, chute, outbox);
        } else if !was_sent && item.revision != 0 {
            outbox.push(Output::Alarm(Alarm::Missort {
                parcel: item.parcel,
                ordered,
                went: chute,
            }));
        }
        outbox.push(Output::HandOver {
            transfer,
            parcel: item.parcel,
            facts: self.facts_to_go(slot),
        });
        if mutant!("handed_over_and_sorted") {
            self.state.books.end(Disposition::Sorted, Reason::Planned);
        } else {
            self.state.books.hand_over();
        }
        self.forget(slot);
    }

    /// A parcel has been put on a transfer that ends at an induction of ours.
    pub(super) fn expect(
        &mut self,
        transfer: TransferId,
        parcel: ParcelId,
        facts: Facts,
        outbox: &mut Outbox,
    ) {
        if self.state.transfers.expected[transfer.index()].len() == TRANSFER_EXPECTED_MAX {
            // More than any conveyor holds: the oldest is not coming.
            self.lose_expected(transfer, outbox);
        }
        let since = self.state.now;
        self.state.transfers.count += 1;
        self.state.transfers.expected[transfer.index()].push_back(Expected {
            parcel,
            facts,
            since,
        });
    }

    /// If just one parcel can have come out at an induction by now, it is that one.
    pub(super) fn take_over_the_only(&mut self, slot: Slot, at: InductionId, outbox: &mut Outbox) {
        let mut able = None;
        for transfer in self.hub.transfers_to(at) {
            let spec = &self.hub.transfers()[transfer.index()];
            if self.state.transfers.may_hold_unknown(spec, self.state.now) {
                return;
            }
            let travel = spec.travel;
            for (nth, expected) in self.state.transfers.expected[transfer.index()]
                .iter()
                .enumerate()
            {
                if !has_arrived(expected, travel, self.state.now) {
                    break;
                }
                if able.replace((transfer, nth)).is_some() {
                    return;
                }
            }
        }
        let Some((transfer, nth)) = able else { return };
        let Some(expected) = self.take_expected(transfer, nth) else {
            return;
        };
        self.take_over(slot, &expected, outbox);
        if expected.facts.code != CodeId::NONE {
            self.state.facts[slot as usize] = expected.facts;
            self.mark(slot, expected.facts.code);
            self.redecide(slot, outbox);
        }
    }

    /// Takes an item over that came out at an induction: as the one with this code, or, with
    /// [`CodeId::NONE`], as the oldest that can have come out by now, unless codes were read of
    /// both: they are not the same then.
    pub(super) fn take_over_by(&mut self, slot: Slot, code: CodeId, outbox: &mut Outbox) -> bool {
        let item = &self.state.items[slot as usize];
        let Some(at) = item.over.filter(|_| self.state.transfers.count > 0) else {
            return false;
        };
        let is_read = self.state.facts[slot as usize].code != CodeId::NONE;
        let mut found: Option<(Micros, TransferId, usize)> = None;
        for transfer in self.hub.transfers_to(at) {
            let travel = self.hub.transfers()[transfer.index()].travel;
            let mut queue = self.state.transfers.expected[transfer.index()].iter();
            let nth = queue.position(|expected| match code {
                CodeId::NONE => {
                    let is_another = is_read && expected.facts.code != CodeId::NONE;
                    !is_another && has_arrived(expected, travel, self.state.now)
                }
                code => expected.facts.code == code || mutant!("any_is_taken_over"),
            });
            let Some(nth) = nth else { continue };
            let since = self.state.transfers.expected[transfer.index()][nth].since;
            if found.is_none_or(|(before, ..)| since < before) {
                found = Some((since, transfer, nth));
            }
        }
        let taken = found.and_then(|(_, transfer, nth)| self.take_expected(transfer, nth));
        let Some(expected) = taken else { return false };
        if code != CodeId::NONE {
            let read_just_now = self.state.facts[slot as usize];
            self.state.facts[slot as usize] = expected.facts.joined(&read_just_now);
        }
        self.take_over(slot, &expected, outbox);
        true
    }

    /// Takes one that has come out from a transfer's queue.
    fn take_expected(&mut self, transfer: TransferId, nth: usize) -> Option<Expected> {
        if nth == 0 {
            self.state.transfers.moved[transfer.index()] = self.state.now;
        }
        self.state.transfers.take(transfer, nth)
    }

    /// Puts an item in the book as one that was handed over.
    fn take_over(&mut self, slot: Slot, expected: &Expected, outbox: &mut Outbox) {
        self.name_item(slot, expected.parcel);
        self.end_provisional(slot);
        let it = &self.state.items[slot as usize];
        outbox.push(Output::Known {
            parcel: it.parcel,
            cell: it.cell,
            item: it.item,
        });
        self.state.books.take_over();
    }

    /// When the first parcel on a transfer is to be given up, and on which.
    pub(super) fn next_overdue(&self) -> Option<(Micros, TransferId)> {
        if self.state.transfers.count == 0 || mutant!("awaited_for_ever") {
            return None;
        }
        let queues = self
            .state
            .transfers
            .expected
            .iter()
            .zip(self.hub.transfers());
        let due = queues.enumerate().filter_map(|(index, (queue, spec))| {
            let first = queue.front()?;
            let induction = &self.state.inductions[spec.to.index()];
            if induction.said.0 == Pace::Stop {
                // What waits behind an induction that we hold is not lost.
                return None;
            }
            let moved = self.state.transfers.moved[index];
            let since = first.since.max(induction.let_go).max(moved);
            Some((since.after(spec.patience), TransferId(index as u16)))
        });
        due.min()
    }

    /// Gives up the oldest parcel on a transfer.
    pub(super) fn lose_expected(&mut self, transfer: TransferId, outbox: &mut Outbox) {
        let Some(expected) = self.state.transfers.take(transfer, 0) else {
            return;
        };
        let parcel = expected.parcel;
        self.state.books.take_over();
        self.state.books.end(Disposition::Lost, Reason::Missing);
        outbox.push(Output::Alarm(Alarm::Lost { parcel }));
        outbox.push(Output::Ended {
            parcel,
            how: Disposition::Lost,
            why: Reason::Missing,
            chute: None,
            bag: None,
        });
    }

    /// Whether a chute feeds a transfer to a track that is out of service.
    pub(super) fn leads_out_of_service(&self, chute: ChuteId) -> bool {
        self.hub.transfer_from(chute).is_some_and(|transfer| {
            let to = self.hub.transfers()[transfer.index()].to;
            let track = self.hub.inductions()[to.index()].track;
            self.state.running[track.index()].state.closed
        })
    }

    /// The first transfers on the shortest ways to a destination that has no chute on this track:
    /// open, and still to be reached. Else says what kept it from the first.
    pub(super) fn choose_transfer(&self, slot: Slot, dest: DestId) -> (Chutes, Reason) {
        let from = TrackId(self.state.items[slot as usize].track);
        let mut chutes: Chutes = [None; ORDER_CHUTES_MAX];
        let mut found = 0;
        let mut cause = Reason::NoRule;
        let own = self.plan.chutes(dest, self.state.waves);
        let all = own.iter().chain(self.plan.alternates(dest));
        let outlets = all.flat_map(|chute| &self.hub.chutes()[chute.index()].outlets);
        for &way in outlets.flat_map(|outlet| self.hub.ways(from, outlet.track)) {
            if self.leads_out_of_service(way) {
                cause = Reason::OutOfService;
                continue;
            }
            if found == ORDER_CHUTES_MAX {
                break;
            }
            if chutes.contains(&Some(way)) {
                continue;
            }
            if self.reach(slot, way).is_none() {
                cause = if cause == Reason::NoRule {
                    Reason::Late
                } else {
                    cause
                };
                continue;
            }
            if let Some(why) = self.state.chutes[way.index()].is.closed_because() {
                cause = why;
                continue;
            }
            chutes[found] = Some(way);
            found += 1;
        }
        (chutes, cause)
    }
}

/// Whether a parcel can have come out by `now`. A conveyor can be a little faster than described,
/// and news of what went in can be late; a fifth of the travel allows for both.
fn has_arrived(expected: &Expected, travel: Micros, now: Micros) -> bool {
    now.since(expected.since).0 >= travel.0 / 5 * 4
}
