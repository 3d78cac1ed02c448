//! Plans that are staged and activated, and what becomes of parcels decided under another one.
//!
//! Only the table is switched at once. A parcel knows the plan it was decided under: one that was
//! past the commit point stays under it until it has left; the others are decided again
//! ([`redeciding`](super::redeciding)). A chute whose owner changed, and that may hold the old
//! owner's parcels, takes nothing until it is cleared.

use alloc::sync::Arc;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::state::{Intent, Item, Slot};
use crate::ids::{ChuteId, DestId, WaveId};
use crate::limits::PLANS_MAX;
use crate::operator::Refused;
use crate::outbox::Outbox;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::signal::Output;

/// The plans that a sorter knows; beside the plans themselves, so that it can be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// The version in each place, if there is one.
    pub versions: [Option<u32>; PLANS_MAX],
    /// The place of the one that is sorted by.
    pub active: u8,
    /// The place of the one before, while parcels or chutes depend on it.
    pub former: Option<u8>,
    /// For each place, how many items were decided under its plan.
    pub riders: [u32; PLANS_MAX],
}

impl Known {
    pub fn new(version: u32) -> Self {
        let mut versions = [None; PLANS_MAX];
        versions[0] = Some(version);
        Self {
            versions,
            active: 0,
            former: None,
            riders: [0; PLANS_MAX],
        }
    }

    fn place(&self, version: u32) -> Option<u8> {
        let place = self
            .versions
            .iter()
            .position(|known| *known == Some(version));
        place.map(|place| place as u8)
    }
}

/// The plans themselves, in the same places.
pub(super) type Plans = [Option<Arc<Plan>>; PLANS_MAX];

/// Why a plan is not staged; the `Display` text says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StageRefused {
    /// It was compiled for a hub with another number of chutes.
    OtherHub,
    /// A plan of this version is known already.
    SameVersion,
    /// As many plans are known as there is room for.
    TooMany,
}

impl fmt::Display for StageRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherHub => "the plan was compiled for another hub; compile it for this one",
            Self::SameVersion => "a plan of this version is known already; give it a newer one",
            Self::TooMany => "as many plans are staged as there is room for; take one out first",
        })
    }
}

impl core::error::Error for StageRefused {}

impl Sorter {
    /// Hands over a plan that can be activated from now on. It is not a signal: who replays must
    /// stage the same plan before the same call.
    ///
    /// # Errors
    /// See [`StageRefused`]; the plan comes back with it.
    pub fn stage(&mut self, plan: Arc<Plan>) -> Result<(), (StageRefused, Arc<Plan>)> {
        if plan.chutes_of_hub() != self.hub.chutes().len() {
            return Err((StageRefused::OtherHub, plan));
        }
        if self.state.plans.place(plan.version()).is_some() {
            return Err((StageRefused::SameVersion, plan));
        }
        let versions = &mut self.state.plans.versions;
        let Some(free) = versions.iter().position(Option::is_none) else {
            return Err((StageRefused::TooMany, plan));
        };
        versions[free] = Some(plan.version());
        self.plans[free] = Some(plan);
        Ok(())
    }

    /// Hands over a plan as [`stage`](Self::stage) does, and makes room for it if need be: the
    /// oldest version that nothing depends on is taken out. Returns what is not needed here, to be
    /// dropped by whoever asks: the plan taken out, or the one handed over if a plan of its version
    /// is there already or it is for another hub.
    pub fn stage_in_turn(&mut self, plan: Arc<Plan>) -> Option<Arc<Plan>> {
        let plan = match self.stage(plan) {
            Ok(()) => return None,
            Err((StageRefused::TooMany, plan)) => plan,
            Err((_, plan)) => return Some(plan),
        };
        let (active, former) = (self.plan.version(), self.former_plan());
        let is_free = |version: &u32| *version != active && Some(*version) != former;
        let known = self.plans().map(|plan| plan.version());
        // Of all places at most two are taken by plans that something depends on.
        let taken_out = known
            .filter(is_free)
            .min()
            .and_then(|oldest| self.unstage(oldest));
        match self.stage(plan) {
            Ok(()) => taken_out,
            Err((_, plan)) => Some(plan),
        }
    }

    /// Takes a plan out, to be dropped by whoever asks. `None` if it is not known, if it is the
    /// active one, or if parcels or chutes still depend on it.
    pub fn unstage(&mut self, version: u32) -> Option<Arc<Plan>> {
        let place = self.state.plans.place(version)?;
        if place == self.state.plans.active || Some(place) == self.state.plans.former {
            return None;
        }
        self.state.plans.versions[usize::from(place)] = None;
        self.plans[usize::from(place)].take()
    }

    /// Every plan that it knows, staged, active and former.
    pub fn plans(&self) -> impl Iterator<Item = &Arc<Plan>> + '_ {
        self.plans.iter().flatten()
    }

    /// The version of the plan before the active one, while parcels or chutes depend on it.
    #[must_use]
    pub fn former_plan(&self) -> Option<u32> {
        let place = self.state.plans.former?;
        self.state.plans.versions[usize::from(place)]
    }

    /// The plan that an item was decided under.
    pub(super) fn plan_of(&self, item: &Item) -> &Plan {
        match &self.plans[usize::from(item.plan)] {
            Some(plan) => plan,
            None => unreachable!("a plan was taken out that an item was decided under"),
        }
    }

    /// From now on an item counts as decided under a plan.
    pub(super) fn put_under(&mut self, slot: Slot, plan: u8) {
        let item = &mut self.state.items[slot as usize];
        let before = core::mem::replace(&mut item.plan, plan);
        self.state.plans.riders[usize::from(before)] -= 1;
        self.state.plans.riders[usize::from(plan)] += 1;
    }

    /// Sorts by another plan from now on.
    pub(super) fn activate(&mut self, version: u32, outbox: &mut Outbox) -> Result<(), Refused> {
        let known = &self.state.plans;
        let Some(place) = known.place(version) else {
            return Err(Refused::NoSuchPlan);
        };
        if place == known.active {
            // As wanted. Of several sorters asked anew, those that have switched are here.
            return Ok(());
        }
        // Back to the one before is always possible; a third has to wait.
        if known.former.is_some_and(|former| former != place) {
            let mut chutes = self.state.chutes.iter();
            let pending = chutes.position(|chute| chute.pending_clear);
            let still = |chute| Refused::StillClearing {
                chute: ChuteId(chute as u16),
            };
            return Err(pending.map_or(Refused::NotNow, still));
        }
        let Some(plan) = self.plans[usize::from(place)].clone() else {
            unreachable!("a version is known whose plan is not there");
        };
        // Its own place holds on to the plan before, so that nothing is freed here.
        let before = core::mem::replace(&mut self.plan, plan);
        self.state.waves = self.plan.waves_after(&before, self.state.waves);
        self.state.plans.former = Some(self.state.plans.active);
        self.state.plans.active = place;
        self.state.shares.epoch = self.state.shares.epoch.wrapping_add(1);
        for chute in 0..self.state.chutes.len() {
            self.change_owner(ChuteId(chute as u16), &before, outbox);
        }
        self.look_again_at_all();
        self.state.redo.sweep = Some(0);
        Ok(())
    }

    /// Another plan is active: a chute with another owner takes nothing before it is cleared, if
    /// it may hold something.
    fn change_owner(&mut self, id: ChuteId, before: &Plan, outbox: &mut Outbox) {
        let (was, is) = (before.uses(id), self.plan.uses(id));
        let chute = &self.state.chutes[id.index()];
        // What was rejected for one cause may lie beside what was rejected for another.
        let only_rejects = !was.sorts && !is.sorts;
        let must_clear = is.is_any()
            && !only_rejects
            && chute.owner != 0
            && !mutant!("cleared_by_the_switch")
            && chute.owner != self.plan.owner(id)
            && self.is_own_chute(id)
            && self.may_hold(id);
        let chute = &mut self.state.chutes[id.index()];
        if must_clear != chute.pending_clear {
            chute.pending_clear = must_clear;
            if must_clear {
                self.state.pending_clear += 1;
            } else {
                self.state.pending_clear -= 1;
            }
            self.update_chute(id, outbox);
        }
        if !must_clear && is.is_any() {
            self.state.chutes[id.index()].owner = self.plan.owner(id);
        }
    }

    /// Opens a wave or cuts it off.
    pub(super) fn set_wave(&mut self, wave: WaveId, open: bool) -> Result<(), Refused> {
        if wave.index() >= self.plan.spec().waves.len() {
            return Err(Refused::NoSuchWave);
        }
        if self.state.waves.has(wave) != open {
            self.state.waves = self.state.waves.with(wave, open);
            self.look_again_at_all();
        }
        Ok(())
    }

    /// Brings an item under the active plan: where it is for is derived anew, since destinations
    /// of two plans are known to each other by their names only.
    pub(super) fn renew(&mut self, slot: Slot, outbox: &mut Outbox) {
        let active = self.state.plans.active;
        let item = self.state.items[slot as usize];
        if item.plan == active {
            return;
        }
        let before = self.state.cases[slot as usize].derived;
        let key = |plan: &Plan, dest: Option<DestId>| dest.map(|dest| plan.key(dest));
        let was = (
            before.intent,
            key(self.plan_of(&item), before.dest),
            before.basis,
        );
        self.put_under(slot, active);
        if item.provisional {
            // Nothing has been derived for it yet.
            return;
        }
        let mut derived = self.derive(slot);
        if derived.intent != Intent::Ask {
            self.close_question(slot);
        } else if !self.ask_host(slot, outbox) {
            derived = self.derive(slot);
        }
        self.state.cases[slot as usize].derived = derived;
        let is = (derived.intent, key(&self.plan, derived.dest), derived.basis);
        let it = &mut self.state.items[slot as usize];
        it.dest = derived.dest;
        // What has no lap left has none under another plan either, unless it is for elsewhere now.
        if is != was || it.intent != Intent::Reject(Reason::MostLaps) {
            it.intent = derived.intent;
            it.basis = derived.basis;
        }
        it.is_spent &= is == was;
        self.sort_unread(slot);
    }

    /// Whether an item that was just brought under the active plan keeps its order: its chutes
    /// have the same owner as before, and where it is for still allows them.
    pub(super) fn keeps_order(&self, slot: Slot, before: &Item) -> bool {
        let (old, new) = (self.plan_of(before), &*self.plan);
        let item = &self.state.items[slot as usize];
        let Some(standing) = before.ordered else {
            return false;
        };
        let allowed = |chute: ChuteId| match (before.intent, item.intent) {
            (Intent::Sort, Intent::Sort) => {
                let key = |plan: &Plan, item: &Item| item.dest.map(|dest| plan.key(dest));
                key(old, before) == key(new, item)
                    && item.dest.is_some_and(|dest| new.allows(dest, chute))
            }
            (Intent::Reject(was), Intent::Reject(is)) => {
                was == is && new.rejects(is).any(|reject| reject == chute)
            }
            _ => false,
        };
        let mut chutes = standing.chutes.iter().flatten();
        chutes.all(|&chute| old.owner(chute) == new.owner(chute) && allowed(chute))
            && item.heading_for().is_some_and(|heading| {
                self.state.chutes[heading.index()]
                    .is
                    .closed_because()
                    .is_none()
                    && self.is_still_an_answer(slot, heading)
            })
    }

    /// Says that nothing depends on the former plan any more, once that is so.
    pub(super) fn retire_plan(&mut self, outbox: &mut Outbox) {
        let known = &self.state.plans;
        let Some(former) = known.former.map(usize::from) else {
            return;
        };
        if known.riders[former] > 0 || self.state.pending_clear > 0 {
            return;
        }
        let Some(version) = known.versions[former] else {
            unreachable!("the former plan was taken out");
        };
        self.state.plans.former = None;
        outbox.push(Output::RetirePlan { version });
    }
}
