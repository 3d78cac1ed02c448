//! What people had said in the last run of a journal: found by making its calls again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sorthub_core::hub::Hub;
use sorthub_core::ids::{CodeId, InductionId, TrackId};
use sorthub_core::operator::{ChuteWish, Command};
use sorthub_core::plan::Plan;
use sorthub_core::signal::Signal;

use super::run::made_again;
use super::{End, ReplayError, Words};
use crate::journal::block::Item;
use crate::journal::{self, JournalError, Reader, RunInfo, WORDS_SAID};

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
    /// The run was of another hub: its words stand by the names in them, its plan does not.
    pub is_of_other_hub: bool,
    /// Its words about what this hub does not have, in words.
    pub lost: Vec<String>,
}

/// The words of the last run of each of a hub's sorters, in their order; none where there was none.
/// A run that was cut off before it had heard those of the run before does not count.
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
    let Some(info) = last_settled(&reader)? else {
        return Ok(Former::default());
    };
    let (sorter, end) = made_again(&reader, &info)?;
    let (mut words, mut lost) = (Vec::new(), Vec::new());
    for word in sorter.words() {
        match by_name(word, sorter.hub(), hub) {
            Some(word) => words.push(word),
            None => lost.push(Words::new(sorter.hub()).command(&word)),
        }
    }
    Ok(Former {
        lost,
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

/// The last run that has heard all that people had said to the one before; the first of all had
/// nothing to hear.
fn last_settled(reader: &Reader) -> Result<Option<RunInfo>, JournalError> {
    let mut runs = reader.runs()?;
    while let Some(info) = runs.pop() {
        if runs.is_empty() || is_settled(reader, &info)? {
            return Ok(Some(info));
        }
    }
    Ok(None)
}

/// Whether a run says that it has heard all, or has done anything that comes after that.
fn is_settled(reader: &Reader, info: &RunInfo) -> Result<bool, JournalError> {
    let (mut is_settled, mut outputs) = (false, Vec::new());
    reader.visit(info, |block| {
        let mut items = block.items();
        while let Some(item) = items.next(&mut outputs)? {
            is_settled |= match item {
                Item::Note { ticket, .. } => ticket == WORDS_SAID,
                Item::Call(call) => !matches!(call.signal, Signal::Command { .. } | Signal::Tick),
                _ => false,
            };
        }
        Ok(!is_settled)
    })?;
    Ok(is_settled)
}

/// The same word for a hub whose devices may have other numbers; `None` if it does not have this
/// one.
fn by_name(word: Command, old: &Hub, new: &Hub) -> Option<Command> {
    let track_named = |track: TrackId| {
        let name = &old.tracks().get(track.index())?.name;
        let found = new.tracks().iter().position(|track| track.name == *name)?;
        Some(TrackId(found as u16))
    };
    Some(match word {
        Command::Chute { chute, to } => {
            let name = &old.chutes().get(chute.index())?.name;
            let chute = new.chute_named(name)?;
            Command::Chute { chute, to }
        }
        Command::Track { track, to } => {
            let track = track_named(track)?;
            Command::Track { track, to }
        }
        Command::Induction { induction, to } => {
            let name = &old.inductions().get(induction.index())?.name;
            let found = new.inductions().iter().position(|one| one.name == *name)?;
            let induction = InductionId(found as u16);
            Command::Induction { induction, to }
        }
        Command::Carrier { cell, enabled } => {
            let (track, own) = old.track_of(cell)?;
            let cell = new.cell(track_named(track)?, own)?;
            Command::Carrier { cell, enabled }
        }
        word => word,
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
