//! What codes mean: the pure look-up that turns a reading into [`Facts`].
//!
//! The driver does it, not the sorter: facts are journaled, so that replay needs no directory.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::facts::{Advice, DestKey, Facts, Measures, Reading};
use crate::ids::CodeId;
use crate::units::Grams;

/// Waybills and prefixes with their destinations.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    waybills: HashMap<Box<str>, DestKey, FixedState>,
    /// Sorted, so that the longest prefix of a code is found by bisection.
    prefixes: Vec<(Box<str>, DestKey)>,
}

impl Directory {
    /// An empty directory: everything is "no data".
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds pre-advice for one waybill; the newest one for a waybill stands.
    pub fn advise(&mut self, waybill: &str, dest: DestKey) {
        self.waybills.insert(waybill.into(), dest);
    }

    /// Sets the prefixes; of several that fit a code, the longest counts. Of equal ones the last
    /// stands.
    pub fn set_prefixes(&mut self, prefixes: impl IntoIterator<Item = (String, DestKey)>) {
        let mut sorted: Vec<(Box<str>, DestKey)> = Vec::new();
        for (prefix, dest) in prefixes {
            let prefix = prefix.into_boxed_str();
            match sorted.binary_search_by(|(other, _)| other.as_ref().cmp(prefix.as_ref())) {
                Ok(at) => sorted[at].1 = dest,
                Err(at) => sorted.insert(at, (prefix, dest)),
            }
        }
        self.prefixes = sorted;
    }

    /// Where a code is for: by pre-advice first, then by its longest known prefix.
    #[must_use]
    pub fn dest(&self, code: &str) -> Option<DestKey> {
        self.waybills
            .get(code)
            .copied()
            .or_else(|| self.longest_prefix(code))
    }

    fn advice(&self, code: &str) -> Advice {
        match self.dest(code) {
            None => Advice::default(),
            Some(dest) => Advice {
                known: true,
                dest,
                ..Advice::default()
            },
        }
    }

    fn longest_prefix(&self, code: &str) -> Option<DestKey> {
        // Each round either finds the prefix or cuts the code to what it shares with the nearest
        // smaller one, so there are at most as many rounds as characters.
        let mut rest = code;
        loop {
            let after = self
                .prefixes
                .partition_point(|(prefix, _)| prefix.as_ref() <= rest);
            let (nearest, dest) = self.prefixes.get(after.checked_sub(1)?)?;
            if rest.starts_with(nearest.as_ref()) {
                return Some(*dest);
            }
            let shared = shared_len(rest, nearest);
            if shared == 0 {
                let empty = self.prefixes.first()?;
                return empty.0.is_empty().then_some(empty.1);
            }
            rest = rest.get(..shared)?;
        }
    }

    /// The facts for a reading: `None` is a no-read.
    #[must_use]
    pub fn facts(&self, code: Option<&str>, weight: Grams) -> Facts {
        let measured = Measures {
            weight,
            ..Measures::default()
        };
        match code {
            None => Facts {
                measured,
                ..Facts::default()
            },
            Some(code) => Facts {
                read: Reading::Good,
                code: CodeId::of(code),
                advice: self.advice(code),
                measured,
                ..Facts::default()
            },
        }
    }
}

/// How many leading bytes two texts share, cut back to a character's border.
fn shared_len(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    (0..=same)
        .rev()
        .find(|&at| a.is_char_boundary(at))
        .unwrap_or(0)
}
