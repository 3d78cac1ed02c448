//! Finding another way for parcels whose way has closed: a few in each call, those nearest to their
//! divert first.
//!
//! When a chute closes, all that are heading for it are poured onto a pile; when the plan or a wave
//! changes, all that are heading anywhere. Each is looked at: one that may keep its way goes back,
//! one that needs another is put in order of its distance to the point where it is too late. Then
//! they are decided again in that order. A closing chute is mostly done within the call that told
//! of it; a plan switch goes on in the time-outs that follow.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::state::{Intent, Item, Slot, Whereabouts};
use crate::ids::ChuteId;
use crate::limits::{
    LOOKS_PER_CALL_MAX, REDECIDED_BY_COMMAND_MAX, SWEEP_PER_CALL_MAX, WISHES_PER_CALL_MAX,
};
use crate::outbox::Outbox;
use crate::units::Micros;

/// How finely distances are told apart: to a 32nd of themselves, the nearest to a millimetre.
const STEPS: u32 = 32;
/// Distances up to 16 km, which is longer than any belt.
const DISTANCES: u32 = STEPS * 20;
const WORDS: usize = (DISTANCES / 64) as usize;
const _: () = assert!(WORDS <= 63);

/// What is still to be done of a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Redo {
    /// For each distance, whether somebody may stand there.
    near: Vec<u64>,
    /// For each word of these, whether it is not empty: it is asked several times in every call.
    some: u64,
    /// The next slot to be looked at for one that was decided under another plan and is heading
    /// nowhere; `None`: all have been.
    pub sweep: Option<Slot>,
    spent: Spent,
}

/// What calls at one instant have done: one call, and a tick before it, are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Spent {
    at: Micros,
    decided: u32,
    looked: u32,
    wished: u32,
}

impl Redo {
    pub fn new() -> Self {
        Self {
            near: vec![0; WORDS],
            some: 0,
            sweep: None,
            spent: Spent::default(),
        }
    }

    pub fn is_sound(&self) -> bool {
        let is_noted = |(at, word): (usize, &u64)| (self.some >> at & 1 != 0) == (*word != 0);
        self.near.len() == WORDS
            && self.some >> WORDS == 0
            && self.near.iter().enumerate().all(is_noted)
    }

    fn nearest(&self) -> Option<u32> {
        if self.some == 0 {
            return None;
        }
        let word = self.some.trailing_zeros();
        Some(word * 64 + self.near[word as usize].trailing_zeros())
    }

    fn mark(&mut self, distance: u32, is_there: bool) {
        let (word, bit) = ((distance / 64) as usize, 1 << (distance % 64));
        if is_there {
            self.near[word] |= bit;
        } else {
            self.near[word] &= !bit;
        }
        self.some = self.some & !(1 << word) | u64::from(self.near[word] != 0) << word;
    }
}

/// How many lists there are for so many chutes: one for each, the pile, one for each distance.
pub(super) const fn lists(chutes: usize) -> usize {
    chutes + 1 + DISTANCES as usize
}

/// The list for a distance in mm: to the millimetre up to 32, then coarser as it grows.
fn step_of(mm: i64) -> u32 {
    let mm = mm.max(0) as u64;
    if mm < u64::from(STEPS) {
        return mm as u32;
    }
    let octave = 63 - mm.leading_zeros() - STEPS.trailing_zeros();
    let within = (mm >> octave) as u32 - STEPS;
    ((octave + 1) * STEPS + within).min(DISTANCES - 1)
}

impl Sorter {
    fn pile(&self) -> u32 {
        self.state.chutes.len() as u32
    }

    fn list_of(&self, distance: u32) -> u32 {
        self.pile() + 1 + distance
    }

    /// All that are heading for a chute need to be looked at.
    pub(super) fn look_again_at(&mut self, id: ChuteId) {
        let pile = self.pile();
        self.state.lists.pour(u32::from(id.0), pile);
    }

    /// All that are heading anywhere need to be looked at.
    pub(super) fn look_again_at_all(&mut self) {
        for chute in 0..self.state.chutes.len() {
            self.look_again_at(ChuteId(chute as u16));
        }
    }

    /// Whether something of a change is still to be done.
    pub(super) fn is_unfinished(&self) -> bool {
        !self.state.lists.is_empty(self.pile())
            || self.state.redo.nearest().is_some()
            || self.state.redo.sweep.is_some()
            || !self.state.told.is_empty()
    }

    fn spent(&mut self) -> &mut Spent {
        let now = self.state.now;
        let spent = &mut self.state.redo.spent;
        if spent.at != now {
            *spent = Spent {
                at: now,
                ..Spent::default()
            };
        }
        spent
    }

    /// Whether this instant's share of decisions is not used up; if it is, the rest waits. A
    /// command about a waybill has a share of its own.
    pub(super) fn may_decide(&mut self) -> bool {
        let share = SWEEP_PER_CALL_MAX - REDECIDED_BY_COMMAND_MAX;
        let may = self.spent().decided < share as u32;
        self.hold_unless(may)
    }

    /// One of this instant's share of decisions is made.
    pub(super) fn count_decision(&mut self) {
        self.spent().decided += 1;
        self.may_decide();
    }

    fn may_look(&mut self) -> bool {
        let may = self.spent().looked < LOOKS_PER_CALL_MAX as u32;
        self.hold_unless(may)
    }

    fn hold_unless(&mut self, may: bool) -> bool {
        if !may {
            self.state.hold_until = self.state.now.after(Micros(1));
        }
        may
    }

    /// Goes on with what is still to be done, up to this instant's share.
    pub(super) fn catch_up(&mut self, outbox: &mut Outbox) {
        while self.is_unfinished() {
            // Chutes come before parcels: what has become free by the first look can be chosen.
            let goes_on = self.look_through_pile()
                && self.say_wishes(outbox)
                && self.decide_nearest(outbox)
                && self.sweep_others(outbox);
            if !goes_on {
                break;
            }
        }
        self.retire_plan(outbox);
    }

    /// Sorts the pile; `false` if this instant's share was not enough.
    fn look_through_pile(&mut self) -> bool {
        while let Some(slot) = self.state.lists.first(self.pile()) {
            if !self.may_look() {
                return false;
            }
            self.spent().looked += 1;
            self.state.lists.take_out(slot);
            let Some(heading) = self.state.items[slot as usize].heading_for() else {
                unreachable!("an item on the pile is heading nowhere");
            };
            if self.keeps_its_way(slot) {
                self.state.lists.push(u32::from(heading.0), slot);
                continue;
            }
            let place = self.place(slot);
            let outlet = self.hub.outlet(heading, place.track);
            let distance = outlet.and_then(|outlet| place.to_commit_mm(outlet));
            let distance = step_of(distance.unwrap_or(0));
            self.state.redo.mark(distance, true);
            let list = self.list_of(distance);
            self.state.lists.push(list, slot);
            self.set_leaving(slot, true);
        }
        true
    }

    /// Whether an item that is heading for a chute goes on to it without being decided again.
    fn keeps_its_way(&self, slot: Slot) -> bool {
        let item = &self.state.items[slot as usize];
        let Some(heading) = item.heading_for() else {
            return true;
        };
        if self.is_committed(slot) {
            // The PLC has it in hand; what comes of it is told.
            return true;
        }
        item.plan == self.state.plans.active
            && self.state.chutes[heading.index()]
                .is
                .closed_because()
                .is_none()
            && self.is_still_an_answer(slot, heading)
    }

    /// Whether a chute is one of those that an item may be sent to while these waves are open.
    pub(super) fn is_still_an_answer(&self, slot: Slot, chute: ChuteId) -> bool {
        let item = &self.state.items[slot as usize];
        let (Intent::Sort, Some(dest)) = (item.intent, item.dest) else {
            return true;
        };
        if !self.plan.has_waves(dest) {
            return true;
        }
        let own = self.plan.chutes(dest, self.state.waves).iter();
        let more = self
            .plan
            .alternates(dest)
            .iter()
            .chain(self.plan.overflow(dest));
        own.chain(more).any(|answer| *answer == chute)
    }

    /// Decides those that need another way, the nearest first; `false` if this instant's share was
    /// not enough.
    fn decide_nearest(&mut self, outbox: &mut Outbox) -> bool {
        while let Some(distance) = self.state.redo.nearest() {
            let Some(slot) = self.state.lists.first(self.list_of(distance)) else {
                self.state.redo.mark(distance, false);
                continue;
            };
            if !self.may_decide() {
                return false;
            }
            self.count_decision();
            self.state.lists.take_out(slot);
            self.set_leaving(slot, false);
            match self.state.items[slot as usize].heading_for() {
                // While it waited its way has opened again, or it has become too late.
                Some(heading) if self.keeps_its_way(slot) => {
                    self.state.lists.push(u32::from(heading.0), slot);
                }
                _ => self.decide_again(slot, outbox),
            }
        }
        true
    }

    /// Decides an item again that is heading for a chute.
    pub(super) fn decide_again(&mut self, slot: Slot, outbox: &mut Outbox) {
        let before = self.state.items[slot as usize];
        self.renew(slot, outbox);
        if before.plan == self.state.plans.active || !self.keeps_order(slot, &before) {
            self.remember_order(slot);
            if before.plan == self.state.plans.active && self.has_begun_its_order(&before) {
                self.order_failed(slot, outbox);
            } else {
                self.route(slot, outbox);
            }
        }
        // It may have been left as it is; then it is heading there as before.
        let heading = self.state.items[slot as usize].heading_for();
        if let Some(heading) = heading
            && self.state.lists.is_alone(slot)
        {
            self.state.lists.push(u32::from(heading.0), slot);
        }
    }

    /// Whether a chute of an item's order on a loop has refused it already: if the rest of the
    /// order has closed too, it has failed.
    fn has_begun_its_order(&self, item: &Item) -> bool {
        let is_loop = self.hub.tracks()[usize::from(item.track)].kind.is_loop();
        let first = item.ordered.and_then(|order| order.chutes[0]);
        is_loop && item.intent == Intent::Sort && first.is_some() && first != item.heading_for()
    }

    /// Looks after those that were decided under another plan and are heading nowhere; `false` if
    /// this instant's share was not enough.
    fn sweep_others(&mut self, outbox: &mut Outbox) -> bool {
        while let Some(slot) = self.state.redo.sweep {
            if slot as usize >= self.state.items.len() {
                self.state.redo.sweep = None;
                break;
            }
            if !self.may_look() || !self.may_decide() {
                return false;
            }
            self.spent().looked += 1;
            self.state.redo.sweep = Some(slot + 1);
            let item = &self.state.items[slot as usize];
            if item.whereabouts == Whereabouts::Free
                || item.plan == self.state.plans.active
                || item.aim.is_some()
            {
                continue;
            }
            self.renew(slot, outbox);
            let item = &self.state.items[slot as usize];
            if item.whereabouts == Whereabouts::Riding
                && item.intent != Intent::Undecided
                && !item.provisional
            {
                self.count_decision();
                self.route_if_idle(slot, outbox);
            }
        }
        true
    }

    /// Says what PLCs of chutes should do; `false` if this instant's share was not enough.
    fn say_wishes(&mut self, outbox: &mut Outbox) -> bool {
        while let Some(&id) = self.state.told.front() {
            let may = self.spent().wished < WISHES_PER_CALL_MAX as u32;
            if !self.hold_unless(may) {
                return false;
            }
            self.spent().wished += 1;
            self.state.told.pop_front();
            // It stands in the queue once, until now.
            self.update_chute(id, outbox);
            self.say_wish(id, outbox);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_with_the_distance_and_never_by_more_than_a_32nd() {
        let mut last = 0;
        for mm in 0..200_000 {
            let step = step_of(mm);
            assert!(step == last || step == last + 1, "{mm} mm");
            assert!(
                step > last || mm < 32 || step_of(mm - mm / 32 - 1) < step,
                "{mm} mm"
            );
            last = step;
        }
        assert_eq!(step_of(-5), 0);
        assert_eq!(step_of(i64::MAX), DISTANCES - 1);
    }
}
