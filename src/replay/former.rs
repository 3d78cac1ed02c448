//! What people had said in the last run of a journal: found by making its calls again.

use std::path::Path;
use std::sync::Arc;

use sorthub_core::hub::Hub;
use sorthub_core::operator::Command;
use sorthub_core::plan::Plan;

use super::run::made_again;
use super::{End, ReplayError};
use crate::journal::{self, Reader};

/// What people had said to a sorter in the run before, and not taken back.
#[derive(Clone, Debug, Default)]
pub struct Former {
    /// That run's epoch; 0: there was none.
    pub run: u32,
    /// What says it again, in order.
    pub words: Vec<Command>,
    /// The plan that was active at its end; `None` where there was no run.
    pub plan: Option<Arc<Plan>>,
    /// The first record after which the journal does not know what was said, if it has a gap.
    pub known_to: Option<u64>,
    /// The run was of another hub: its words may mean something else here.
    pub is_of_other_hub: bool,
}

/// The words of the last run of each of a hub's sorters, in their order; none where there was none.
///
/// # Errors
/// See [`ReplayError`]: the last run cannot be made again.
pub fn former(dir: &Path, hub: &Hub) -> Result<Vec<Former>, ReplayError> {
    let places = journal::places(dir, hub).into_iter();
    places.map(|place| former_of(&place, hub)).collect()
}

fn former_of(place: &Path, hub: &Hub) -> Result<Former, ReplayError> {
    if !place.join(journal::FILE_NAME).is_file() {
        return Ok(Former::default());
    }
    let reader = Reader::open(place)?;
    let Some(info) = reader.runs()?.pop() else {
        return Ok(Former::default());
    };
    let (sorter, end) = made_again(&reader, &info)?;
    Ok(Former {
        run: info.run,
        words: sorter.words(),
        plan: Some(Arc::clone(sorter.plan())),
        known_to: match end {
            Some(End::Gap { first, .. }) => Some(first),
            _ => None,
        },
        is_of_other_hub: sorter.hub().spec() != hub.spec(),
    })
}
