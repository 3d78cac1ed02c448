//! Entries on their way into a table.

use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;

use super::{Entry, NoPlace, Packed, Table};

/// Entries on their way into a table, by the group that they belong to.
///
/// Added one by one, entries of a large table wait for memory each. A group with its column fits
/// the second cache; it is loaded once for all entries that have been put aside for it.
#[derive(Clone, Debug)]
pub(super) struct Staged<K> {
    /// None for a table that fits the cache as a whole.
    pub(super) groups: Vec<Vec<Entry<K>>>,
    /// Entries of one group before they are added.
    most: usize,
}

/// Groups that fit the cache at the same time.
const GROUPS_CACHED: usize = 2;

/// Entries that are put aside at most, but for the groups of very large tables.
const STAGED_MAX: usize = 1 << 21;

/// Entries whose lines are loaded before the first of them is added.
const FLUSHED_AHEAD: usize = 16;

impl<K: Packed> Staged<K> {
    pub(super) fn new(groups: usize) -> Self {
        let staged = if groups > GROUPS_CACHED { groups } else { 0 };
        Self {
            groups: vec![Vec::new(); staged],
            most: (STAGED_MAX / groups).clamp(256, 4_096),
        }
    }
}

impl<K: Packed, const N: usize> Table<K, N> {
    /// Adds an entry now or later ([`Table::flush`]), which takes less time than adding each at
    /// once.
    ///
    /// It comes in parts and the call is one, so that it is in registers when it is put aside. An
    /// entry that is put together in memory before is copied only when all writes before are done,
    /// which wait for memory.
    #[inline(never)]
    pub(in super::super) fn stage(
        &mut self,
        key: K,
        value: u32,
        extra: u64,
    ) -> Result<(), NoPlace> {
        let group = self.group(key);
        let most = self.staged.most;
        let Some(staged) = self.staged.groups.get_mut(group) else {
            return self.add_parts(key, value, extra);
        };
        if staged.capacity() == 0 {
            staged.reserve_exact(most);
        }
        staged.push(Entry { key, value, extra });
        match staged.len() < most {
            true => Ok(()),
            false => self.flush_group(group),
        }
    }

    #[inline(never)]
    fn add_parts(&mut self, key: K, value: u32, extra: u64) -> Result<(), NoPlace> {
        self.add(Entry { key, value, extra })
    }

    /// Adds what has been put aside; from then on entries are added at once.
    pub(in super::super) fn flush(&mut self) -> Result<(), NoPlace> {
        // A table that grows meanwhile has put the rest aside anew, in other groups.
        while let Some(group) = self
            .staged
            .groups
            .iter()
            .position(|staged| !staged.is_empty())
        {
            self.flush_group(group)?;
        }
        self.staged.groups = Vec::new();
        Ok(())
    }

    pub(super) fn group(&self, key: K) -> usize {
        self.home(key).first / (self.group_mask + 1)
    }

    fn flush_group(&mut self, group: usize) -> Result<(), NoPlace> {
        let Some(staged) = self.staged.groups.get_mut(group) else {
            return Ok(());
        };
        let mut entries = core::mem::take(staged);
        let lines = self.lines.chunks(self.group_mask + 1).nth(group);
        let places = self.extras.chunks((self.group_mask + 1) * N).nth(group);
        // In order, which the memory is quick at; eight places are a line of the cache. Memory
        // that was never written is not read: the system would have to provide it twice.
        let tags = lines.map_or(0, |lines| lines.iter().fold(0, |all, line| all | line.tags));
        let places = places.filter(|_| tags != 0).map_or(0, |places| {
            places.iter().step_by(8).fold(0, |all, at| all ^ at)
        });
        black_box(places);
        for some in entries.chunks(FLUSHED_AHEAD) {
            self.load_ahead(some);
            for entry in some {
                self.add(*entry)?;
            }
        }
        entries.clear();
        // Its memory is for the next ones, unless the table has grown and has other groups.
        if let Some(staged) = self
            .staged
            .groups
            .get_mut(group)
            .filter(|new| new.capacity() == 0)
        {
            *staged = entries;
        }
        Ok(())
    }

    /// Loads the lines of some entries, all at the same time; one after the other, each would wait
    /// for the second cache.
    fn load_ahead(&self, entries: &[Entry<K>]) {
        let tags = entries.iter().map(|entry| {
            let home = self.home(entry.key);
            let tags = |line: usize| self.lines.get(line).map_or(0, |line| line.tags);
            tags(home.first) ^ tags(home.second)
        });
        black_box(tags.fold(0, |all, tags| all ^ tags));
    }
}
