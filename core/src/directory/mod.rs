//! What codes mean: the pure look-up that turns a reading into
//! [`Facts`](crate::facts::Facts).
//!
//! The driver does it, not the sorter: facts are journaled, so that replay needs no directory.
//!
//! A [`Directory`] is a generation: pre-advice from a file ([`Waybills`]), which clones share, what
//! was said of single waybills since then, and prefixes of codes. Whoever owns it changes a clone
//! and hands that out; those who look up never see a change.

mod advices;
mod codes;
mod key;
mod long;
mod prefixes;
mod recent;
mod table;
mod waybills;

use alloc::string::String;
use alloc::sync::Arc;

pub use codes::CodeFacts;
pub use key::{NoWaybill, Waybill};
use prefixes::Prefixes;
use recent::Recent;
pub use recent::{AdviseError, Mark};
pub use waybills::{BuildError, Builder, Built, Expected, Found, PARTS, Part, Row, Waybills};

use crate::facts::{Advice, DestKey};

/// Waybills and prefixes with what is known of them.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    waybills: Arc<Waybills>,
    recent: Recent,
    prefixes: Prefixes,
}

impl Directory {
    /// An empty directory: everything is "no data".
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The table of waybills, without what was said of single ones since it was built.
    #[must_use]
    pub fn waybills(&self) -> &Arc<Waybills> {
        &self.waybills
    }

    /// Puts another table in place of the one before. What was said of single waybills stands
    /// ([`Directory::forget_recent`]).
    pub fn set_waybills(&mut self, waybills: Arc<Waybills>) {
        self.waybills = waybills;
    }

    /// Pre-advice for one waybill; the newest one for a waybill stands, whatever the table says.
    ///
    /// # Errors
    /// The number is none, or there were too many single advices since the table was built.
    pub fn advise(&mut self, waybill: &str, advice: Advice) -> Result<(), AdviseError> {
        let known = true;
        self.recent.set(waybill, Some(Advice { known, ..advice }))
    }

    /// Withdraws what is advised for one waybill.
    ///
    /// # Errors
    /// As for [`Directory::advise`].
    pub fn withdraw(&mut self, waybill: &str) -> Result<(), AdviseError> {
        self.recent.set(waybill, None)
    }

    /// What is advised for this very waybill, whatever its prefix says. Allocates nothing.
    #[must_use]
    pub fn advised(&self, waybill: &str) -> Option<Advice> {
        match self.recent.get(waybill) {
            Some(change) => change,
            None => Waybill::of(waybill)
                .ok()
                .and_then(|key| self.waybills.get(&key)),
        }
    }

    /// How many waybills have been advised or withdrawn singly.
    #[must_use]
    pub fn recent(&self) -> usize {
        self.recent.len()
    }

    /// The point after the newest single advice.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.recent.mark()
    }

    /// Drops what was said of single waybills up to a point: when a table is put in place whose
    /// file was begun then, because the file is newer.
    pub fn forget_recent(&mut self, until: Mark) {
        self.recent.forget(until);
    }

    /// The table with what was said of single waybills up to a point in it. It takes as long as
    /// copying the table.
    ///
    /// # Errors
    /// The table has become too large.
    pub fn folded(&self, until: Mark) -> Result<Waybills, BuildError> {
        let mut builder = Builder::resume(&self.waybills);
        for (text, advice) in self.recent.in_order(until) {
            // It was asked when the advice was taken.
            let Ok(waybill) = Waybill::of(text) else {
                continue;
            };
            match advice {
                Some(advice) => builder.add(&[Row::new(waybill, &advice)])?,
                None => {
                    builder.remove(&waybill);
                }
            }
        }
        Ok(builder.finish()?.waybills)
    }

    /// Sets the prefixes; of several that fit a code, the longest counts. Small letters count as
    /// capitals, in prefixes and codes. Of equal ones the last stands.
    pub fn set_prefixes(&mut self, prefixes: impl IntoIterator<Item = (String, DestKey)>) {
        self.prefixes = Prefixes::of(prefixes);
    }

    /// What is advised for a code: by its waybill first, then by its longest known prefix.
    /// Allocates nothing.
    #[must_use]
    pub fn advice(&self, code: &str) -> Advice {
        let advice = self.advised(code).or_else(|| {
            let dest = self.prefixes.longest(code)?;
            Some(Advice {
                known: true,
                dest,
                ..Advice::default()
            })
        });
        advice.unwrap_or_default()
    }

    /// The destination that is named outright for a code.
    #[must_use]
    pub fn dest(&self, code: &str) -> Option<DestKey> {
        Some(self.advice(code).dest).filter(|dest| dest.is_some())
    }
}
