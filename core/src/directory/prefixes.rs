//! Destinations by how a code begins.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::facts::DestKey;

/// Prefixes, sorted, so that the longest one of a code is found by bisection.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefixes(Vec<(Box<str>, DestKey)>);

impl Prefixes {
    /// Of equal prefixes the last stands.
    pub(super) fn of(prefixes: impl IntoIterator<Item = (String, DestKey)>) -> Self {
        let mut sorted: Vec<(Box<str>, DestKey)> = Vec::new();
        for (prefix, dest) in prefixes {
            let prefix = prefix.into_boxed_str();
            match sorted.binary_search_by(|(other, _)| other.as_ref().cmp(prefix.as_ref())) {
                Ok(at) => sorted[at].1 = dest,
                Err(at) => sorted.insert(at, (prefix, dest)),
            }
        }
        Self(sorted)
    }

    pub(super) fn longest(&self, code: &str) -> Option<DestKey> {
        // Each round either finds the prefix or cuts the code to what it shares with the nearest
        // smaller one, so there are at most as many rounds as characters.
        let mut rest = code;
        loop {
            let after = self
                .0
                .partition_point(|(prefix, _)| prefix.as_ref() <= rest);
            let (nearest, dest) = self.0.get(after.checked_sub(1)?)?;
            if rest.starts_with(nearest.as_ref()) {
                return Some(*dest);
            }
            let shared = shared_len(rest, nearest);
            if shared == 0 {
                let empty = self.0.first()?;
                return empty.0.is_empty().then_some(empty.1);
            }
            rest = rest.get(..shared)?;
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
