//! A hash table for exact keys that is built once and then only read.
//!
//! A line of the processor's cache holds `N` keys with their values. A key stands in one of two
//! lines; one that is in the way is moved to its other line, so that lines can be filled almost
//! entirely. A look-up loads both lines at once and never a third one.
//!
//! Each line also has a few bits of each of its keys' hashes, its tags, in one integer. Comparing
//! them takes a handful of instructions for all places of both lines. That matters more than it
//! seems: the processor looks a few hundred instructions ahead, so the shorter a look-up is, the
//! more of them wait for memory at the same time.
//!
//! All of it is a function of the keys and the order in which they came.

mod staging;

use alloc::vec;
use alloc::vec::Vec;
use core::hint::{black_box, select_unpredictable};

use staging::Staged;

/// A key of a table; the default is "no key".
pub(super) trait Packed: Copy + Eq + Default {
    /// Mixed bits of the key; another seed gives others.
    fn mix(self, seed: u64) -> u64;

    /// A bit that stands half and half over any row of keys, whatever `mix` says of them.
    fn half(self) -> usize;
}

/// Odd numbers without a pattern in their bits: digits of pi and of e.
const MIX: [u64; 2] = [0x243f_6a88_85a3_08d3, 0xb7e1_5162_8aed_2a6b];

/// The golden part of 2^64: multiples of it spread over the range more evenly than chance, however
/// keys follow one another (Knuth, The Art of Computer Programming, volume 3, section 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Both halves of the product, so that high and low bits of the result hang on all bits.
pub(super) fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

impl Packed for u64 {
    fn mix(self, seed: u64) -> u64 {
        fold(self ^ seed, MIX[0])
    }

    fn half(self) -> usize {
        (self.wrapping_mul(GOLDEN) >> 63) as usize
    }
}

impl Packed for u128 {
    fn mix(self, seed: u64) -> u64 {
        let low = fold(self as u64 ^ seed, MIX[0]);
        fold(low ^ ((self >> 64) as u64), MIX[1])
    }

    fn half(self) -> usize {
        (self as u64 ^ ((self >> 64) as u64)).half()
    }
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry<K> {
    pub key: K,
    pub value: u32,
    /// Kept in a column of its own, which is there only if one entry's is not zero.
    pub extra: u64,
}

/// A place in a table: line and place in it. It holds until the table is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    line: usize,
    place: usize,
}

/// One line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line<K, const N: usize> {
    keys: [K; N],
    values: [u32; N],
    /// `N` tags, the first in the lowest bits. An empty place has any.
    tags: u32,
}

const _: () = assert!(size_of::<Line<u64, 5>>() == 64 && size_of::<Line<u128, 3>>() == 64);

impl<K: Packed, const N: usize> Line<K, N> {
    const TAG_BITS: u32 = 32 / N as u32;
    const TAG_MASK: u32 = (1 << Self::TAG_BITS) - 1;
    /// The lowest bit of each tag of two lines.
    const LOW_BITS: u64 = {
        let mut bits = 0;
        let mut at = 0;
        while at < N as u32 {
            bits |= 1_u64 << (at * Self::TAG_BITS);
            at += 1;
        }
        bits | bits << 32
    };
    const HIGH_BITS: u64 = Self::LOW_BITS << (Self::TAG_BITS - 1);

    fn empty() -> Self {
        Self {
            keys: [K::default(); N],
            values: [0; N],
            tags: 0,
        }
    }

    /// The highest bit of each tag of two lines that is `tag`, and now and then of the one above
    /// it. The subtraction borrows from the highest bit where all bits of a tag are zero.
    fn matches(&self, other: &Self, tag: u32) -> u64 {
        let tags = u64::from(self.tags) | u64::from(other.tags) << 32;
        let zero = tags ^ (u64::from(tag) * Self::LOW_BITS);
        zero.wrapping_sub(Self::LOW_BITS) & !zero & Self::HIGH_BITS
    }

    /// The first free place. All are looked at, because which it is cannot be foreseen.
    fn free_place(&self) -> Option<usize> {
        let free = |place| u32::from(self.keys[place] == K::default()) << place;
        let free = (0..N).fold(0, |all, place| all | free(place));
        (free != 0).then(|| free.trailing_zeros() as usize)
    }
}

/// The two lines of a key and its tag.
#[derive(Clone, Copy)]
struct Home {
    first: usize,
    second: usize,
    tag: u32,
}

/// Lines among which both lines of a key are. The second one is found from the first by flipping
/// bits, so that a group is a power of two. In a small group chance overfills some: with 2,048
/// lines by 3 % now and then. A large one would leave many lines of the last group without use.
const GROUP_LINES: core::ops::RangeInclusive<usize> = 1 << 11..=1 << 13;

/// Keys moved for one that has no place, before the table is built anew.
const MOVES_MAX: usize = 500;

/// Attempts to build a table anew. At the fill aimed for hardly one table needs a second; keys
/// would have to be made to collide under seed after seed to need all.
const SEEDS_MAX: u64 = 16;

/// The entries of two lines are so many that one finds no place with any seed tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoPlace;

/// A table with lines of `N` keys.
#[derive(Clone, Debug)]
pub(super) struct Table<K, const N: usize> {
    /// As many as a multiple of the group.
    lines: Vec<Line<K, N>>,
    /// By line and place; empty if there is nothing in it.
    extras: Vec<u64>,
    /// One less than the lines of a group, which are a power of two.
    group_mask: usize,
    seed: u64,
    entries: usize,
    /// Entries that were replaced by a later one with the same key.
    replaced: u64,
    /// Where the search for a key to be moved goes on.
    turn: u64,
    staged: Staged<K>,
}

impl<K: Packed, const N: usize> Table<K, N> {
    /// How full lines are meant to be. A key then is moved a few times at most; from 99 % of five
    /// places and 96 % of three on there is no place for all.
    const FILL_PERCENT: usize = if N > 3 { 95 } else { 92 };

    /// A table with room for so many entries. More are taken too, at the cost of time.
    pub(super) fn with_room(entries: usize) -> Self {
        let (lines, group) = Self::lines_for(entries);
        Self {
            lines: vec![Line::empty(); lines],
            extras: Vec::new(),
            group_mask: group - 1,
            seed: 0,
            entries: 0,
            replaced: 0,
            turn: 0,
            staged: Staged::new(lines / group),
        }
    }

    /// The lines for so many entries, and how many of them are a group: all, if they are few.
    fn lines_for(entries: usize) -> (usize, usize) {
        let lines = entries.saturating_mul(100) / (N * Self::FILL_PERCENT) + 1;
        if lines < GROUP_LINES.start() * 2 {
            let lines = lines.next_power_of_two().max(2);
            return (lines, lines);
        }
        let group = 1 << (lines / 32).ilog2();
        let group = group.clamp(*GROUP_LINES.start(), *GROUP_LINES.end());
        (lines.next_multiple_of(group), group)
    }

    fn home(&self, key: K) -> Home {
        let mixed = key.mix(self.seed);
        // A product's high half instead of a remainder: no division. It takes its bits from the
        // top, the others from the bottom.
        let first = ((u128::from(mixed) * self.lines.len() as u128) >> 64) as usize;
        Home {
            first,
            second: first ^ (mixed as usize & self.group_mask | 1),
            tag: (mixed >> 16) as u32 & Line::<K, N>::TAG_MASK,
        }
    }

    /// The value of a key, and the slot for [`Table::extra`].
    #[inline]
    pub(super) fn get(&self, key: K) -> Option<(u32, Slot)> {
        self.get_at(self.home(key), key)
    }

    #[inline]
    fn get_at(&self, home: Home, key: K) -> Option<(u32, Slot)> {
        let (first, second) = (self.lines.get(home.first)?, self.lines.get(home.second)?);
        let mut matches = first.matches(second, home.tag);
        while matches != 0 {
            let bit = matches.trailing_zeros();
            // Which of the two it is cannot be foreseen; a wrong guess would throw away what is
            // being loaded for the look-ups behind this one.
            let in_first = bit < 32;
            let line = select_unpredictable(in_first, first, second);
            let place = (bit % 32 / Line::<K, N>::TAG_BITS) as usize;
            if *line.keys.get(place)? == key {
                let at = select_unpredictable(in_first, home.first, home.second);
                return Some((*line.values.get(place)?, Slot { line: at, place }));
            }
            matches &= matches - 1;
        }
        None
    }

    /// The value of a key and what is kept beside it. Both are loaded at the same time; one after
    /// the other would wait for memory twice.
    #[inline]
    pub(super) fn get_both(&self, key: K) -> Option<(u32, u64)> {
        let home = self.home(key);
        // Which place it is, is not known yet; the middle is in the same line of the cache as most.
        let middle = |line: usize| self.extras.get(line * N + N / 2).copied();
        black_box((middle(home.first), middle(home.second)));
        let (value, slot) = self.get_at(home, key)?;
        Some((value, self.extra(slot)))
    }

    /// What is kept beside a value.
    #[inline]
    pub(super) fn extra(&self, slot: Slot) -> u64 {
        let column = self.extras.get(slot.line * N + slot.place);
        column.copied().unwrap_or(0)
    }

    /// Adds an entry; of two with one key the later one stands. After an error the table is of no
    /// more use.
    pub(super) fn add(&mut self, entry: Entry<K>) -> Result<(), NoPlace> {
        let home = self.home(entry.key);
        if let Some((_, slot)) = self.get_at(home, entry.key) {
            self.set(slot, home.tag, entry);
            self.replaced += 1;
            return Ok(());
        }
        self.entries += 1;
        if let Err(homeless) = self.place(entry) {
            let lines = self.lines.len();
            let full = self.entries * 100 >= lines * N * Self::FILL_PERCENT;
            let lines = if full { lines + lines / 4 } else { lines };
            self.rebuild(lines * N * Self::FILL_PERCENT / 100, Some(homeless))?;
        }
        Ok(())
    }

    /// Takes an entry out, if it is there.
    pub(super) fn remove(&mut self, key: K) -> bool {
        let group = self.group(key);
        let staged = self.staged.groups.get_mut(group);
        let was_staged = staged.is_some_and(|staged| {
            let before = staged.len();
            staged.retain(|entry| entry.key != key);
            staged.len() < before
        });
        let Some((_, slot)) = self.get(key) else {
            return was_staged;
        };
        self.set(slot, 0, Entry::default());
        self.entries -= 1;
        true
    }

    /// Gives back what was set aside for entries that did not come. Nothing may be staged.
    pub(super) fn trim(&mut self) -> Result<(), NoPlace> {
        let (lines, _) = Self::lines_for(self.entries);
        // A few percent are not worth the work.
        if self.lines.len() > lines + lines / 32 {
            self.rebuild(self.entries, None)?;
        }
        self.staged.groups = Vec::new();
        Ok(())
    }

    /// Everything in a table with room for so many, under another seed; with more room if that
    /// does not do.
    fn rebuild(&mut self, mut room: usize, homeless: Option<Entry<K>>) -> Result<(), NoPlace> {
        for attempt in 1..=SEEDS_MAX {
            let mut anew = Self::with_room(room);
            anew.seed = fold(self.seed ^ attempt, MIX[1]);
            anew.entries = self.entries;
            anew.replaced = self.replaced;
            let mut all = self.entries().chain(homeless);
            let placed = all.all(|entry| anew.place(entry).is_ok());
            drop(all);
            if placed {
                // What was put aside stays so, in other groups.
                let staged = core::mem::take(&mut self.staged.groups);
                *self = anew;
                return staged.into_iter().flatten().try_for_each(|entry| {
                    let group = self.group(entry.key);
                    match self.staged.groups.get_mut(group) {
                        Some(staged) => staged.push(entry),
                        None => self.add(entry)?,
                    }
                    Ok(())
                });
            }
            room += room / 32 + N;
        }
        Err(NoPlace)
    }

    fn entries(&self) -> impl Iterator<Item = Entry<K>> + '_ {
        let slots =
            (0..self.lines.len()).flat_map(|line| (0..N).map(move |place| Slot { line, place }));
        let all = slots.map(|slot| self.entry(slot));
        all.filter(|entry| entry.key != K::default())
    }

    fn entry(&self, slot: Slot) -> Entry<K> {
        Entry {
            key: self.lines[slot.line].keys[slot.place],
            value: self.lines[slot.line].values[slot.place],
            extra: self.extra(slot),
        }
    }

    fn set(&mut self, slot: Slot, tag: u32, entry: Entry<K>) {
        let line = &mut self.lines[slot.line];
        let shift = slot.place as u32 * Line::<K, N>::TAG_BITS;
        line.keys[slot.place] = entry.key;
        line.values[slot.place] = entry.value;
        line.tags = line.tags & !(Line::<K, N>::TAG_MASK << shift) | tag << shift;
        if entry.extra != 0 && self.extras.is_empty() {
            self.extras = vec![0; self.lines.len() * N];
        }
        if let Some(extra) = self.extras.get_mut(slot.line * N + slot.place) {
            *extra = entry.extra;
        }
    }

    /// Puts in an entry whose key is not there. An error is the entry that is left without a
    /// place, not necessarily the one given.
    fn place(&mut self, mut entry: Entry<K>) -> Result<(), Entry<K>> {
        let mut came_from = usize::MAX;
        for _ in 0..MOVES_MAX {
            let home = self.home(entry.key);
            for line in [home.first, home.second] {
                if let Some(place) = self.lines[line].free_place() {
                    self.set(Slot { line, place }, home.tag, entry);
                    return Ok(());
                }
            }
            // It takes the place of another one, which then has to move; not where it was just
            // moved from, or the two would change places for ever.
            let line = match came_from == home.first {
                true => home.second,
                false => home.first,
            };
            self.turn = fold(self.turn ^ MIX[1], MIX[0]).wrapping_add(1);
            let place = ((u128::from(self.turn) * N as u128) >> 64) as usize;
            let slot = Slot { line, place };
            let moved = self.entry(slot);
            self.set(slot, home.tag, entry);
            (entry, came_from) = (moved, line);
        }
        Err(entry)
    }

    /// Puts another value in place of each one.
    pub(super) fn renumber(&mut self, value: impl Fn(u32) -> u32) {
        for line in &mut self.lines {
            for (key, at) in line.keys.iter().zip(&mut line.values) {
                if *key != K::default() {
                    *at = value(*at);
                }
            }
        }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries
    }

    /// How many entries were replaced by a later one since this was asked last.
    pub(super) fn take_replaced(&mut self) -> u64 {
        core::mem::take(&mut self.replaced)
    }

    /// The memory it holds.
    pub(super) fn bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line<K, N>>() + self.extras.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that is hashed well only from a number of seeds on.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    struct Crowded<const FIRST_SEED_BAD: bool>(u64);

    impl<const FIRST_SEED_BAD: bool> Packed for Crowded<FIRST_SEED_BAD> {
        fn mix(self, seed: u64) -> u64 {
            match FIRST_SEED_BAD && seed != 0 {
                true => self.0.mix(seed),
                false => 1,
            }
        }

        fn half(self) -> usize {
            0
        }
    }

    fn entry<K>(key: K, value: u32) -> Entry<K> {
        let extra = 0;
        Entry { key, value, extra }
    }

    #[test]
    fn a_crowded_table_is_built_again_with_another_seed() {
        let mut table = Table::<Crowded<true>, 5>::with_room(1_000);
        for key in 1..=1_000 {
            assert_eq!(table.add(entry(Crowded(key), key as u32)), Ok(()));
        }
        assert_ne!(table.seed, 0, "more than ten keys had the same two lines");
        for key in 1..=1_000 {
            let found = table.get(Crowded(key)).map(|(value, _)| value);
            assert_eq!(found, Some(key as u32));
        }
        assert_eq!(table.get(Crowded(1_001)), None);
    }

    #[test]
    fn a_table_that_no_seed_helps_is_refused() {
        let mut table = Table::<Crowded<false>, 3>::with_room(100);
        for key in 1..=6 {
            assert_eq!(table.add(entry(Crowded(key), 0)), Ok(()));
        }
        assert_eq!(table.add(entry(Crowded(7), 0)), Err(NoPlace));
    }

    #[test]
    fn tags_that_match_beside_the_right_one_do_no_harm() {
        // All keys of a line pair share their tag, so each look-up compares several of them.
        let mut table = Table::<Crowded<false>, 5>::with_room(1);
        for key in 1..=10 {
            assert_eq!(table.add(entry(Crowded(key), key as u32)), Ok(()));
        }
        for key in 1..=10 {
            assert_eq!(
                table.get(Crowded(key)).map(|(value, _)| value),
                Some(key as u32)
            );
        }
        assert!(table.remove(Crowded(4)) && !table.remove(Crowded(4)));
        assert_eq!(table.get(Crowded(4)), None);
        assert_eq!(
            (table.len(), table.get(Crowded(5)).map(|found| found.0)),
            (9, Some(5))
        );
    }
}
