//! Destinations by how a code begins.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::facts::DestKey;

/// Prefixes in capitals, sorted, so that the longest one of a code is found by bisection.
///
/// Small letters count as capitals: identification gives codes in capitals, while names of
/// destinations stand in the plan as people write them.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefixes(Vec<(Box<str>, DestKey)>);

impl Prefixes {
    /// Of equal prefixes the last stands.
    pub(super) fn of(prefixes: impl IntoIterator<Item = (String, DestKey)>) -> Self {
        let capitals = prefixes.into_iter().map(|(mut prefix, dest)| {
            prefix.make_ascii_uppercase();
            (prefix.into_boxed_str(), dest)
        });
        let mut sorted = Vec::from_iter(capitals);
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        sorted.dedup_by(|(later, dest), (earlier, stands)| {
            let is_same = later == earlier;
            if is_same {
                *stands = *dest;
            }
            is_same
        });
        Self(sorted)
    }

    pub(super) fn longest(&self, code: &str) -> Option<DestKey> {
        // Each round either finds the prefix or cuts the code to what it shares with the nearest
        // smaller one, so there are at most as many rounds as characters.
        let mut rest = code;
        loop {
            let not_after = |(prefix, _): &(Box<str>, DestKey)| {
                prefix.bytes().cmp(capitals(rest)) != Ordering::Greater
            };
            let after = self.0.partition_point(not_after);
            let (nearest, dest) = self.0.get(after.checked_sub(1)?)?;
            let shared = shared_len(rest, nearest);
            if shared == nearest.len() {
                return Some(*dest);
            }
            if shared == 0 {
                let empty = self.0.first()?;
                return empty.0.is_empty().then_some(empty.1);
            }
            rest = rest.get(..shared)?;
        }
    }
}

fn capitals(code: &str) -> impl Iterator<Item = u8> + '_ {
    code.bytes().map(|byte| byte.to_ascii_uppercase())
}

/// How many leading bytes a code shares with a prefix, cut back to a character's border.
fn shared_len(code: &str, prefix: &str) -> usize {
    let both = capitals(code).zip(prefix.bytes());
    let same = both.take_while(|(x, y)| x == y).count();
    (0..=same)
        .rev()
        .find(|&at| code.is_char_boundary(at))
        .unwrap_or(0)
}
