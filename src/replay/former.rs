//! What people had said in the last run of a journal: found by making its calls again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sorthub_core::hub::Hub;
use sorthub_core::ids::CodeId;
use sorthub_core::operator::{ChuteWish, Command};
use sorthub_core::plan::Plan;

use super::run::made_again;
use super::{End, ReplayError};
use crate::journal::block::Item;
use crate::journal::{self, JournalError, Reader, RunInfo};

/// What people had said to a sorter in the run before, and not taken back.
#[derive(Clone, Debug, Default)]
pub struct Former {
    /// That run's epoch; 0: there was none.
    pub run: u32,
    /// What says it again, in order.
    pub words: Vec<Command>,
    /// The texts of the codes in them, as far as the journal has them.
    pub texts: Vec<(CodeId, String)>,
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
    let words = sorter.words();
    Ok(Former {
        run: info.run,
        texts: texts(&reader, &info, &words)?,
        words,
        plan: Some(Arc::clone(sorter.plan())),
        known_to: match end {
            Some(End::Gap { first, .. }) => Some(first),
            _ => None,
        },
        is_of_other_hub: sorter.hub().spec() != hub.spec(),
    })
}

/// Looks for the texts of the codes that words name.
fn texts(
    reader: &Reader,
    info: &RunInfo,
    words: &[Command],
) -> Result<Vec<(CodeId, String)>, JournalError> {
    let mut texts: BTreeMap<CodeId, String> = BTreeMap::new();
    let codes = words.iter().filter_map(|word| match *word {
        Command::Waybill { code, .. } => Some(code),
        Command::Chute {
            to: ChuteWish::BindBag { label },
            ..
        } => Some(label),
        _ => None,
    });
    texts.extend(codes.map(|code| (code, String::new())));
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let mut outputs = Vec::new();
    reader.visit(info, |block| {
        let mut items = block.items();
        while let Some(item) = items.next(&mut outputs)? {
            if let Item::Text { code, text } = item
                && let Some(place) = texts.get_mut(&code)
            {
                text.clone_into(place);
            }
        }
        Ok(true)
    })?;
    texts.retain(|_, text| !text.is_empty());
    Ok(texts.into_iter().collect())
}
