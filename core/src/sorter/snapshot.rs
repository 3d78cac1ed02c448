//! The sorter's state as bytes and as one number.

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::state::State;
use super::switching::Plans;
use crate::hub::Hub;
use crate::limits::PLANS_MAX;
use crate::outbox::RollingHash;
use crate::plan::Plan;

/// Why a snapshot cannot be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The bytes are not a snapshot of this build.
    #[error("not a snapshot of this build; replay the journal from its start instead")]
    Damaged,
    /// It was taken of another hub.
    #[error("taken of another hub; restore it with the hub it was taken of")]
    OtherHub,
    /// A plan that the sorter knew then was not handed over.
    #[error("plan version {version} was known then; hand it over too, as it was then")]
    NoSuchPlan {
        /// Its version.
        version: u32,
    },
}

#[derive(Serialize, Deserialize)]
struct Snapshot<S> {
    hub: u64,
    /// For each place in the state's list of versions, a hash over the plan.
    plans: [u64; PLANS_MAX],
    state: S,
}

impl Sorter {
    /// The running hash over everything it has said.
    #[must_use]
    pub fn output_hash(&self) -> u64 {
        self.state.hash.value()
    }

    /// A hash over its whole state. It reads all of it: for a follower or a replay, not for the
    /// decision thread.
    #[must_use]
    pub fn digest(&self) -> u64 {
        hash_of(&self.state)
    }

    /// Its whole state as bytes, for [`Sorter::restore`] in the same build.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let plan = |plan: &Option<Arc<Plan>>| plan.as_ref().map_or(0, |p| hash_of(p.spec()));
        encode(&Snapshot {
            hub: hash_of(self.hub.spec()),
            plans: self.plans.each_ref().map(plan),
            state: &self.state,
        })
    }

    /// Goes on in another run of the engine: ids of parcels from here on carry its epoch, so that
    /// none is given twice, even if the calls that gave some are lost. No PLC is heard until its
    /// link is up in this run.
    pub fn begin_run(&mut self, run_epoch: u32) {
        self.state.run_epoch = run_epoch;
        for track in &mut self.state.tracks {
            track.linked = false;
        }
    }

    /// A sorter with the state of a snapshot: its future is the same. `plans` are at least all
    /// that it knew then ([`Sorter::plans`]), in any order.
    ///
    /// # Errors
    /// When the bytes are damaged, or of another hub, or a plan is missing.
    pub fn restore(
        hub: Arc<Hub>,
        plans: &[Arc<Plan>],
        snapshot: &[u8],
    ) -> Result<Self, RestoreError> {
        let found: Snapshot<State> =
            postcard::from_bytes(snapshot).map_err(|_| RestoreError::Damaged)?;
        if found.hub != hash_of(hub.spec()) {
            return Err(RestoreError::OtherHub);
        }
        let mut state = found.state;
        if !state.rebuild(&hub) || !state.reserve(&hub) {
            return Err(RestoreError::Damaged);
        }
        if mutant!("restored_without_doubt") {
            state.tracks.iter_mut().for_each(|it| it.in_doubt.clear());
        }
        let mut known = Plans::default();
        for (place, version) in state.plans.versions.iter().enumerate() {
            let Some(version) = *version else { continue };
            let is_it = |plan: &&Arc<Plan>| {
                plan.version() == version && hash_of(plan.spec()) == found.plans[place]
            };
            let plan = plans.iter().find(is_it);
            known[place] = Some(plan.cloned().ok_or(RestoreError::NoSuchPlan { version })?);
        }
        let active = known.get(usize::from(state.plans.active));
        Ok(Self {
            hub,
            plan: active.cloned().flatten().ok_or(RestoreError::Damaged)?,
            plans: known,
            state,
        })
    }
}

fn hash_of(value: &impl Serialize) -> u64 {
    let mut hash = RollingHash::default();
    hash.mix(&encode(value).as_slice());
    hash.value()
}

fn encode(value: &impl Serialize) -> Vec<u8> {
    match postcard::to_allocvec(value) {
        Ok(bytes) => bytes,
        // It writes to memory, and every type in it has a length that is known.
        Err(error) => panic!("the state could not be encoded: {error}"),
    }
}
