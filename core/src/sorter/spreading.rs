//! Choosing a chute: which of a destination's chutes a parcel can go to, and which of those first.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::heading::{Place, Share};
use super::state::Slot;
use crate::hub::Sensing;
use crate::ids::{ChuteId, DestId};
use crate::limits::{ORDER_CHUTES_MAX, SHARES_MAX};
use crate::plan::{RoomPolicy, Way};
use crate::reason::Reason;

pub(super) type Chutes = [Option<ChuteId>; ORDER_CHUTES_MAX];

/// Which of a plan's lists is chosen from.
#[derive(Clone, Copy)]
pub(super) enum Answers {
    /// A destination's own chutes, then its alternates.
    Own(DestId),
    /// Its overflow.
    Overflow(DestId),
}

/// What was chosen.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    /// In the order to try them; none if nothing takes the parcel.
    pub chutes: Chutes,
    /// What the first of them is charged to.
    pub share: Option<Share>,
    /// What kept it from those that it does not go to.
    pub cause: Reason,
}

/// Why a chute is not chosen. Of several the last kind says what happens next: while one of the
/// chutes only waits for something, the parcel may wait too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum No {
    /// It never takes this parcel.
    Never,
    /// It is past.
    Past,
    /// It takes nothing now.
    Shut,
}

/// Parcels given to each share of each destination, under the plan of `epoch`.
///
/// A share gets the next parcel when it has had the fewest for its size (Webster's rule), so that
/// after any number of parcels each has had its part, to less than one. The counts of a plan that
/// is no longer active are not cleared but outdated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Shares {
    pub epoch: u32,
    /// Epoch and count, in one word.
    #[serde(serialize_with = "without_zeros")]
    given: Vec<u64>,
}

fn without_zeros<S: serde::Serializer>(given: &[u64], to: S) -> Result<S::Ok, S::Error> {
    let used = given
        .iter()
        .rposition(|count| *count > 0)
        .map_or(0, |last| last + 1);
    to.collect_seq(&given[..used])
}

impl Shares {
    pub fn new() -> Self {
        Self {
            epoch: 1,
            given: vec![0; SHARES_MAX],
        }
    }

    /// Gives back what a decoded one lacks; `false` if there is too much of it.
    pub fn reserve(&mut self) -> bool {
        let fits = self.given.len() <= SHARES_MAX;
        self.given.resize(SHARES_MAX, 0);
        fits
    }

    fn get(&self, counter: u32) -> u32 {
        let word = self.given[counter as usize];
        if (word >> 32) as u32 == self.epoch {
            word as u32
        } else {
            0
        }
    }

    fn set(&mut self, counter: u32, given: u32) {
        self.given[counter as usize] = u64::from(self.epoch) << 32 | u64::from(given);
    }

    pub fn charge(&mut self, share: Share) {
        self.set(share.counter, self.get(share.counter) + 1);
    }

    pub fn refund(&mut self, share: Share) {
        if share.epoch == self.epoch {
            self.set(share.counter, self.get(share.counter).saturating_sub(1));
        }
    }

    fn turn(&self, counter: u32, share: u16) -> Turn {
        Turn {
            given: u64::from(self.get(counter)) * 2 + 1,
            share: u64::from(share),
        }
    }

    /// Those that can take nothing save nothing up for later: they are counted on with `chosen`.
    /// When all have had a whole round, it is taken off, so that counts stay small.
    fn keep_level(
        &mut self,
        first: u32,
        shares: &[u16],
        chosen: usize,
        shut: impl Fn(usize) -> bool,
    ) {
        let (given, size) = (self.get(first + chosen as u32), shares[chosen]);
        let at = |nth: usize| first + nth as u32;
        for (nth, &share) in shares.iter().enumerate() {
            if nth != chosen && size > 0 && shut(nth) {
                // With the one that it is about to be given.
                let level = u64::from(given + 1) * u64::from(share) / u64::from(size);
                self.set(at(nth), self.get(at(nth)).max(level as u32));
            }
        }
        if given < u32::from(size) {
            return;
        }
        let mut all = shares.iter().enumerate();
        if all.all(|(nth, &share)| self.get(at(nth)) >= u32::from(share)) {
            for (nth, &share) in shares.iter().enumerate() {
                self.set(at(nth), self.get(at(nth)) - u32::from(share));
            }
        }
    }
}

/// How a share stands: who has had the fewest for its size comes first.
#[derive(Clone, Copy)]
struct Turn {
    /// Twice what it was given, and one.
    given: u64,
    share: u64,
}

impl First for Turn {
    /// Whether one fraction is below the other, without a division; nothing is above a share of
    /// nothing.
    fn is_before(self, other: Self) -> bool {
        self.given * other.share < other.given * self.share
    }
}

/// How a chute of a bank stands: the emptiest comes first, and of those equally full the one that
/// was chosen longest ago.
#[derive(Clone, Copy)]
struct Level {
    load: u64,
    turn: u64,
}

impl First for Level {
    fn is_before(self, other: Self) -> bool {
        (self.load, self.turn) < (other.load, other.turn)
    }
}

/// What says which of two chutes comes first.
trait First: Copy {
    fn is_before(self, other: Self) -> bool;
}

/// The chutes found so far.
struct Pick {
    chutes: Chutes,
    found: usize,
    most: usize,
    /// The first that is shut and refuses by itself: where nothing is open, a try costs nothing.
    guarded: Option<ChuteId>,
    /// A container has too little room left for this parcel.
    is_bag_short: bool,
    no: No,
    cause: Reason,
}

impl Pick {
    fn is_full(&self) -> bool {
        self.found == self.most
    }

    fn take(&mut self, chute: ChuteId) {
        self.chutes[self.found] = Some(chute);
        self.found += 1;
    }

    fn note(&mut self, no: No, cause: Reason) {
        if no > self.no || self.cause == Reason::NoRule {
            self.no = no;
            self.cause = cause;
        }
    }
}

/// The best of some chutes, by what comes first.
struct Best<K> {
    /// What comes first, which chute, and its place in the list.
    of: [Option<(K, ChuteId, usize)>; ORDER_CHUTES_MAX],
}

impl<K: First> Best<K> {
    /// Keeps a chute if it is among the `most` that come first; of equals the earlier one stays
    /// before the later.
    fn offer(&mut self, most: usize, key: K, chute: ChuteId, nth: usize) {
        let of = &mut self.of[..most];
        let stays = |place: &Option<(K, ChuteId, usize)>| {
            place.is_some_and(|(other, ..)| !key.is_before(other))
        };
        let at = of.iter().position(|place| !stays(place)).unwrap_or(most);
        if at < most {
            of.copy_within(at..most - 1, at + 1);
            of[at] = Some((key, chute, nth));
        }
    }
}

impl Sorter {
    /// The chutes of a list that an item can still reach and that take it, the first to be tried
    /// first; with `reserve` only one, and only if there is room. Otherwise says why not.
    ///
    /// Whatever was held for the item before is let go of.
    pub(super) fn choose(&mut self, slot: Slot, answers: Answers) -> Choice {
        self.release_room(slot);
        let place = self.place(slot);
        let reserve = self.plan.spec().room == RoomPolicy::Reserve;
        let mut pick = Pick {
            chutes: [None; ORDER_CHUTES_MAX],
            found: 0,
            most: if reserve { 1 } else { ORDER_CHUTES_MAX },
            guarded: None,
            is_bag_short: false,
            no: No::Never,
            cause: Reason::NoRule,
        };
        let mut share = None;
        match answers {
            Answers::Own(dest) => {
                share = self.choose_own(slot, place, dest, &mut pick);
                if !pick.is_full() {
                    self.choose_in_order(slot, place, self.plan.alternates(dest), &mut pick);
                }
                let own = self.plan.chutes(dest, self.state.waves);
                if pick.found == 0 && own.is_empty() && self.plan.has_waves(dest) {
                    pick.note(No::Never, Reason::WaveOver);
                }
            }
            Answers::Overflow(dest) => {
                self.choose_in_order(slot, place, self.plan.overflow(dest), &mut pick);
            }
        }
        let is_loop = self.hub.tracks()[place.track.index()].kind.is_loop();
        if pick.found == 0 && !reserve && is_loop {
            // Nothing is open, but on a loop a try costs nothing: the chute may open by then.
            pick.chutes[0] = pick.guarded;
        }
        if pick.found == 0 && pick.is_bag_short {
            self.bags_turned_away(slot, answers);
        }
        Choice {
            chutes: pick.chutes,
            share,
            cause: pick.cause,
        }
    }

    fn choose_own(
        &mut self,
        slot: Slot,
        place: Place,
        dest: DestId,
        pick: &mut Pick,
    ) -> Option<Share> {
        let own = self.plan.chutes(dest, self.state.waves);
        let (first, shares) = match self.plan.way(dest) {
            Way::Preferred => {
                self.choose_in_order(slot, place, own, pick);
                return None;
            }
            Way::Level => {
                self.choose_best(slot, place, own, pick, |nth| self.level_of(own[nth]));
                return None;
            }
            Way::Shares { shares, counters } => (counters, shares),
        };
        let turn = |nth: usize| self.state.shares.turn(first + nth as u32, shares[nth]);
        let chosen = self.choose_best(slot, place, own, pick, turn)?;
        let chutes = &self.state.chutes;
        let shut = |nth: usize| chutes[own[nth].index()].is.closed_because().is_some();
        self.state.shares.keep_level(first, shares, chosen, shut);
        Some(Share {
            counter: first + chosen as u32,
            epoch: self.state.shares.epoch,
        })
    }

    fn choose_in_order(&self, slot: Slot, place: Place, list: &[ChuteId], pick: &mut Pick) {
        for at in 0..list.len() {
            let at = if mutant!("alternate_first") {
                list.len() - 1 - at
            } else {
                at
            };
            if pick.is_full() {
                return;
            }
            if self.is_able(slot, place, list[at], pick) {
                pick.take(list[at]);
            }
        }
    }

    /// Takes the chutes of a list that come first; the place of the very first in the list.
    fn choose_best<K: First>(
        &self,
        slot: Slot,
        place: Place,
        list: &[ChuteId],
        pick: &mut Pick,
        key: impl Fn(usize) -> K,
    ) -> Option<usize> {
        let mut best = Best {
            of: [None; ORDER_CHUTES_MAX],
        };
        for (nth, &chute) in list.iter().enumerate() {
            if self.is_able(slot, place, chute, pick) {
                best.offer(pick.most, key(nth), chute, nth);
            }
        }
        let found = best.of.iter().flatten();
        found.for_each(|(_, chute, _)| pick.take(*chute));
        best.of[0].map(|(.., nth)| nth)
    }

    /// Whether an item can go to a chute now; otherwise notes why not.
    #[inline(always)]
    fn is_able(&self, slot: Slot, place: Place, id: ChuteId, pick: &mut Pick) -> bool {
        let Some(outlet) = self.hub.outlet(id, place.track) else {
            // It is on another track.
            return false;
        };
        if place.pass(outlet).is_none() {
            pick.note(No::Past, Reason::Late);
            return false;
        }
        let gate = self.hub.gate(id);
        if gate.is_picky && !self.is_taken_by(slot, id) {
            pick.note(No::Never, Reason::ChuteLimits);
            return false;
        }
        let is = self.state.chutes[id.index()].is;
        if let Some(why) = is.closed_because().filter(|_| !mutant!("closed_is_open")) {
            // Its PLC may find it open again by then; what hangs there takes no more for that.
            if is.is_guarded() && (!gate.has_lot_most || self.bag_has_room(id, slot)) {
                pick.guarded = pick.guarded.or(Some(id));
            }
            pick.note(No::Shut, why);
            return false;
        }
        if pick.most == 1 && !self.has_room(slot, id) {
            pick.note(No::Shut, Reason::ChuteFull);
            return false;
        }
        if gate.has_lot_most && !self.bag_has_room(id, slot) {
            pick.is_bag_short = true;
            pick.note(No::Shut, Reason::BagLimit);
            return false;
        }
        true
    }

    /// Whether a parcel is one that a chute takes whatever its state: by what was measured, else
    /// by what was declared; what is not known keeps it from nowhere.
    fn is_taken_by(&self, slot: Slot, id: ChuteId) -> bool {
        let rules = &self.hub.chutes()[id.index()].rules;
        let facts = &self.state.facts[slot as usize];
        let (measured, declared) = (&facts.measured, &facts.advice.declared);
        let first = |a: u32, b: u32| if a > 0 { a } else { b };
        let weight = first(measured.weight.0, declared.weight.0);
        // The induction's eye sees it as long as it lies, which is not more than its longest side.
        let lies = self.state.items[slot as usize].length.0;
        let length = first(measured.length.0, declared.length.0).max(lies);
        let fits = |has: u32, most: u32| most == 0 || has <= most;
        fits(weight, rules.weight_most.0)
            && fits(length, rules.length_most.0)
            && !(rules.refuses_fragile && facts.advice.tags.has(crate::facts::Tags::FRAGILE))
    }

    /// How full a chute is or will be: its half eye before everything, then what is in it and on
    /// its way, in thousandths where it is known how much it takes.
    fn load_of(&self, id: ChuteId) -> u64 {
        let (spec, chute) = (
            &self.hub.chutes()[id.index()],
            &self.state.chutes[id.index()],
        );
        let half = u64::from(chute.state.half) << 32;
        let pieces_most = spec.rules.lot_most.pieces;
        let load = match (spec.sensing, super::heading::limit_of(spec)) {
            (Sensing::Counted, Some(most)) => (chute.used + chute.held) * 1_000 / most.max(1),
            _ if pieces_most > 0 => {
                let pieces = u64::from(chute.bag.pieces) + u64::from(chute.coming);
                pieces * 1_000 / u64::from(pieces_most)
            }
            _ => u64::from(chute.coming),
        };
        half | load.min(u64::from(u32::MAX))
    }

    fn level_of(&self, id: ChuteId) -> Level {
        Level {
            load: self.load_of(id),
            turn: self.state.chutes[id.index()].turn,
        }
    }

    /// Nothing took a parcel, and what kept it from some chutes was that their containers have too
    /// little room left: those are changed.
    fn bags_turned_away(&mut self, slot: Slot, answers: Answers) {
        let track = crate::ids::TrackId(self.state.items[slot as usize].track);
        for nth in 0.. {
            let (own, more) = match answers {
                Answers::Own(dest) => (
                    self.plan.chutes(dest, self.state.waves),
                    self.plan.alternates(dest),
                ),
                Answers::Overflow(dest) => (self.plan.overflow(dest), &[][..]),
            };
            let Some(&id) = own.iter().chain(more).nth(nth) else {
                return;
            };
            if self.state.chutes[id.index()].is.closed_because().is_none()
                && self.hub.outlet(id, track).is_some()
                && self.hub.gate(id).has_lot_most
                && !self.bag_has_room(id, slot)
            {
                self.bag_turned_away(id);
            }
        }
    }
}
