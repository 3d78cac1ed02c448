//! The longest prefix of an address, found among ranges of numbers.

use alloc::vec;
use alloc::vec::Vec;

use super::spec::{AddressKind, AddressRule};
use crate::facts::Address;
use crate::ids::DestId;

/// Prefixes of one kind of address, laid out side by side.
///
/// A prefix is a range of packed addresses, and two prefixes either lie within each other or
/// apart. So what the longest prefix says is a row of ranges without gaps or overlaps, and an
/// address is looked up among their beginnings.
#[derive(Clone, Debug)]
pub(super) struct Prefixes {
    /// Where each range begins, ascending; the first at 0.
    starts: Vec<u64>,
    /// The destination of each range, or [`NOBODY`].
    dests: Vec<u32>,
    index: Index,
}

/// No prefix fits.
const NOBODY: u32 = u32::MAX;

/// How many ranges begin before an address of each beginning, so that only those between two
/// beginnings are bisected: by the first three characters, and where many ranges share them by the
/// fourth, too. Of 100,000 six-digit postcodes about ten are left.
///
/// Three characters make a table of 256 kB, four would make one of 10 MB that is nearly empty.
#[derive(Clone, Debug, Default)]
struct Index {
    /// For each beginning of three characters, and one more; empty where there are few ranges.
    by_three: Vec<u32>,
    /// For each beginning of three characters, which of `by_fourth`, or [`NO_BLOCK`].
    block: Vec<u32>,
    /// For each fourth character, and one more.
    by_fourth: Vec<[u32; FOURTHS + 1]>,
}

/// How many characters there can be, the end of an address among them.
const FOURTHS: usize = 40;

/// The ranges of a beginning are few.
const NO_BLOCK: u32 = u32::MAX;

/// Fewer ranges than this are bisected in as many steps as the index would save.
const INDEXED_FROM: usize = 512;

/// Ranges that share three characters are bisected without a look at the fourth up to here.
const FEW: u32 = 8;

impl Prefixes {
    pub(super) fn new(rules: &[AddressRule], kind: AddressKind) -> Self {
        let own = rules.iter().filter(|rule| rule.kind == kind);
        let mut own: Vec<(Address, DestId)> = own.map(|rule| (rule.prefix, rule.to)).collect();
        own.sort_unstable();
        own.dedup_by_key(|(prefix, _)| *prefix);
        let mut ranges = Ranges::default();
        // Prefixes that the present one lies within, the shortest first.
        let mut open: Vec<(Address, DestId)> = Vec::new();
        for (prefix, to) in own {
            ranges.leave(&mut open, |last| last < prefix);
            ranges.begin(prefix.0, to.0);
            open.push((prefix.last_with_prefix(), to));
        }
        ranges.leave(&mut open, |_| true);
        ranges.finish()
    }

    pub(super) fn longest(&self, address: Address) -> Option<DestId> {
        if !address.is_some() {
            return None;
        }
        let (from, to) = self
            .index
            .between(address)
            .unwrap_or((0, self.starts.len()));
        let within = &self.starts[from..to];
        let after = from + within.partition_point(|start| *start <= address.0);
        let dest = self.dests[after - 1];
        (dest != NOBODY).then_some(DestId(dest))
    }

    /// All addresses that have a destination, as first and last of each range.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (Address, Address, DestId)> + '_ {
        let ends = self.starts.iter().skip(1).copied();
        let ends = ends.chain(core::iter::once(Address::END));
        let ranges = self.starts.iter().zip(ends).zip(&self.dests);
        let with_dest = ranges.filter(|(_, dest)| **dest != NOBODY);
        with_dest.map(|((start, end), dest)| (Address(*start), Address(end - 1), DestId(*dest)))
    }
}

/// The ranges while they are being laid out.
struct Ranges {
    starts: Vec<u64>,
    dests: Vec<u32>,
}

impl Default for Ranges {
    fn default() -> Self {
        Self {
            starts: vec![0],
            dests: vec![NOBODY],
        }
    }
}

impl Ranges {
    /// From here on it is this destination's.
    fn begin(&mut self, at: u64, dest: u32) {
        if self.starts.last() == Some(&at) {
            self.starts.pop();
            self.dests.pop();
        }
        if self.dests.last() != Some(&dest) {
            self.starts.push(at);
            self.dests.push(dest);
        }
    }

    /// Ends the innermost prefixes as long as `ended` says so of their last address.
    fn leave(&mut self, open: &mut Vec<(Address, DestId)>, ended: impl Fn(Address) -> bool) {
        while let Some((last, _)) = open.pop_if(|(last, _)| ended(*last)) {
            let outer = open.last().map_or(NOBODY, |(_, to)| to.0);
            self.begin(last.0 + 1, outer);
        }
    }

    fn finish(self) -> Prefixes {
        let Self { starts, dests } = self;
        assert!(starts.len() == dests.len() && starts.is_sorted());
        assert!(starts.first() == Some(&0), "every address lies in a range");
        let index = if starts.len() < INDEXED_FROM {
            Index::default()
        } else {
            Index::of(&starts)
        };
        Prefixes {
            starts,
            dests,
            index,
        }
    }
}

impl Index {
    fn of(starts: &[u64]) -> Self {
        let begin_before = |chars: usize, beginning: u64| {
            starts.partition_point(|start| Address(*start).beginning(chars) < beginning) as u32
        };
        let mut index = Self::default();
        let threes = Address(Address::END - 1).beginning(3) + 1;
        for three in 0..=threes {
            index.by_three.push(begin_before(3, three));
        }
        for three in 0..threes {
            let [from, to] = [three, three + 1].map(|at| index.by_three[at as usize]);
            if to - from <= FEW {
                index.block.push(NO_BLOCK);
                continue;
            }
            index.block.push(index.by_fourth.len() as u32);
            let mut fourths = [0; FOURTHS + 1];
            for (fourth, before) in fourths.iter_mut().enumerate() {
                *before = begin_before(4, three * FOURTHS as u64 + fourth as u64);
            }
            index.by_fourth.push(fourths);
        }
        index
    }

    /// Between which ranges that of an address is, after the one that begins last before them;
    /// `None` without an index, and for what is no address.
    fn between(&self, address: Address) -> Option<(usize, usize)> {
        let four = address.beginning(4);
        let (three, fourth) = (
            (four / FOURTHS as u64) as usize,
            (four % FOURTHS as u64) as usize,
        );
        let (before, until) = match *self.block.get(three)? {
            NO_BLOCK => (self.by_three[three], self.by_three[three + 1]),
            block => {
                let fourths = &self.by_fourth[block as usize];
                (fourths[fourth], fourths[fourth + 1])
            }
        };
        Some((before as usize, until as usize))
    }
}
