//! Advice for single waybills since the table was built.

use alloc::boxed::Box;
use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::key::{NoWaybill, Waybill};
use crate::facts::Advice;
use crate::limits::RECENT_ADVICES_MAX;

/// Why a single advice is not taken; nothing is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdviseError {
    /// No waybill has this number.
    #[error("this is no waybill number: {0}; correct it")]
    NoWaybill(#[from] NoWaybill),
    /// There are too many since the table was built.
    #[error("more than {RECENT_ADVICES_MAX} single advices; fold them into the table")]
    Full,
}

/// A point between two single advices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// The newest advice or withdrawal of each waybill.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    /// `None`: withdrawn.
    changes: HashMap<Box<str>, (Mark, Option<Advice>), FixedState>,
    mark: Mark,
}

impl Recent {
    /// The change of a waybill, if there is one. Before the first one it costs a comparison.
    #[inline]
    pub(super) fn get(&self, waybill: &str) -> Option<Option<Advice>> {
        if self.changes.is_empty() {
            return None;
        }
        self.changes.get(waybill).map(|(_, advice)| *advice)
    }

    pub(super) fn set(&mut self, waybill: &str, advice: Option<Advice>) -> Result<(), AdviseError> {
        Waybill::of(waybill)?;
        let is_new = !self.changes.contains_key(waybill);
        if is_new && self.changes.len() >= RECENT_ADVICES_MAX {
            return Err(AdviseError::Full);
        }
        self.mark.0 += 1;
        self.changes.insert(waybill.into(), (self.mark, advice));
        Ok(())
    }

    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    /// Drops what was said up to a point.
    pub(super) fn forget(&mut self, until: Mark) {
        self.changes.retain(|_, (mark, _)| *mark > until);
    }

    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Up to a point, in the order in which they were said, so that what is built from them does
    /// not hang on the order of hashes.
    pub(super) fn in_order(&self, until: Mark) -> Vec<(&str, Option<Advice>)> {
        let mut all = Vec::from_iter(self.changes.iter().filter(|(_, (mark, _))| *mark <= until));
        all.sort_unstable_by_key(|(_, (mark, _))| *mark);
        let plain = all.into_iter();
        plain
            .map(|(waybill, (_, advice))| (waybill.as_ref(), *advice))
            .collect()
    }
}
