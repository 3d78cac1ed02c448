//! The sorter's state as bytes and as one number.

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::state::State;
use crate::hub::Hub;
use crate::outbox::RollingHash;
use crate::plan::Plan;

/// Why a snapshot cannot be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The bytes are not a snapshot of this build.
    #[error("not a snapshot of this build; replay the journal from its start instead")]
    Damaged,
    /// It was taken of another hub or plan.
    #[error("taken of another hub or plan; restore it with the hub and plan it was taken under")]
    OtherHub,
}

#[derive(Serialize, Deserialize)]
struct Snapshot<S> {
    hub_and_plan: u64,
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
        let hub_and_plan = identity(&self.hub, &self.plan);
        encode(&Snapshot {
            hub_and_plan,
            state: &self.state,
        })
    }

    /// Goes on in another run of the engine: ids of parcels from here on carry its epoch, so that
    /// none is given twice, even if the calls that gave some are lost.
    pub fn begin_run(&mut self, run_epoch: u32) {
        self.state.run_epoch = run_epoch;
    }

    /// A sorter with the state of a snapshot: its future is the same.
    ///
    /// # Errors
    /// When the bytes are damaged, or of another hub or plan.
    pub fn restore(hub: Arc<Hub>, plan: Arc<Plan>, snapshot: &[u8]) -> Result<Self, RestoreError> {
        let found: Snapshot<State> =
            postcard::from_bytes(snapshot).map_err(|_| RestoreError::Damaged)?;
        if found.hub_and_plan != identity(&hub, &plan) {
            return Err(RestoreError::OtherHub);
        }
        let mut state = found.state;
        let cells = hub.cells() as usize;
        if state.cells.len() != cells || state.carriers.len() != cells {
            return Err(RestoreError::Damaged);
        }
        if !state.rebuild(&hub) {
            return Err(RestoreError::Damaged);
        }
        state.reserve(&hub);
        if mutant!("restored_without_refusals") {
            state.items.iter_mut().for_each(|item| item.refused = None);
        }
        if mutant!("restored_without_doubt") {
            state.tracks.iter_mut().for_each(|it| it.in_doubt.clear());
        }
        Ok(Self { hub, plan, state })
    }
}

fn identity(hub: &Hub, plan: &Plan) -> u64 {
    hash_of(&(hub.spec(), plan.spec()))
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
