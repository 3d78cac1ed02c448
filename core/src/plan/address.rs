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
    /// For each beginning of [`INDEXED_CHARS`] characters, how many ranges begin before it: only
    /// those between it and the next are bisected. Empty where there are few ranges.
    index: Vec<u32>,
}

/// No prefix fits.
const NOBODY: u32 = u32::MAX;

/// Three characters make an index of 256 kB, which the second-level cache still holds, and leave
/// about a hundred of 100,000 six-digit postcodes to bisect. Four would make it 10 MB.
const INDEXED_CHARS: usize = 3;

/// Fewer ranges than this are bisected in as many steps as the index would save.
const INDEXED_FROM: usize = 512;

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
        let (mut from, mut to) = (0, self.starts.len());
        let bucket = address.beginning(INDEXED_CHARS) as usize;
        if let Some(&[before, until]) = self.index.get(bucket..bucket + 2) {
            // The range that it lies in may have begun before the bucket.
            (from, to) = (before as usize, until as usize);
        }
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
        let mut index = Vec::new();
        if starts.len() >= INDEXED_FROM {
            let buckets = Address(Address::END - 1).beginning(INDEXED_CHARS) + 2;
            index.reserve_exact(buckets as usize);
            let mut before = 0;
            for bucket in 0..buckets {
                let begins_before = |start: &u64| Address(*start).beginning(INDEXED_CHARS) < bucket;
                let more = starts[before..]
                    .iter()
                    .take_while(|start| begins_before(start));
                before += more.count();
                index.push(before as u32);
            }
        }
        Prefixes {
            starts,
            dests,
            index,
        }
    }
}
