//! Positions by key, in a table that is made once.

use alloc::vec;
use alloc::vec::Vec;

/// Open addressing with linear probing, at most half full, so that a look-up is bounded and
/// usually one step. Keys are numbers other than 0.
///
/// Keys that differ in their last bits only lie beside each other, because parcel numbers come one
/// after the other; such blocks are scattered. If they followed each other too, the parcels on a
/// belt would be one run, and to forget the first could mean to go through all of it. Nothing ever
/// goes through the table in its own order.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookup {
    // Apart, so that a fresh table is zeroed memory that the system hands out page by page.
    keys: Vec<u64>,
    places: Vec<u32>,
    len: usize,
    most: usize,
}

impl Lookup {
    /// A table for at most so many keys.
    pub fn new(most: usize) -> Self {
        let size = (most * 2).next_power_of_two().max(8);
        Self {
            keys: vec![0; size],
            places: vec![0; size],
            len: 0,
            most,
        }
    }

    /// Where a key is.
    pub fn get(&self, key: u64) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let at = self.find(key).ok()?;
        Some(self.places[at])
    }

    /// Says where a key is from now on. The caller keeps to as many keys as there is room for.
    pub fn set(&mut self, key: u64, place: u32) {
        assert!(key != 0, "a look-up was given no key");
        match self.find(key) {
            Ok(at) => self.places[at] = place,
            Err(at) => {
                assert!(self.len < self.most, "a full look-up was added to");
                self.keys[at] = key;
                self.places[at] = place;
                self.len += 1;
            }
        }
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: u64) {
        if self.len == 0 {
            return;
        }
        let Ok(mut gap) = self.find(key) else {
            return;
        };
        self.len -= 1;
        // What was pushed on past the gap moves back into it, so that no search stops too early.
        let mask = self.keys.len() - 1;
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            if self.keys[at] == 0 {
                break;
            }
            let pushed = at.wrapping_sub(self.home(self.keys[at])) & mask;
            if pushed >= at.wrapping_sub(gap) & mask {
                self.keys[gap] = self.keys[at];
                self.places[gap] = self.places[at];
                gap = at;
            }
        }
        self.keys[gap] = 0;
    }

    fn home(&self, key: u64) -> usize {
        // The multiplier is 2^64 by the golden ratio (Knuth), which spreads numbers in a row.
        let block = (key / BLOCK).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (block * BLOCK + key % BLOCK) as usize & (self.keys.len() - 1)
    }

    /// Where a key stands, or the free place where it would.
    fn find(&self, key: u64) -> Result<usize, usize> {
        let mask = self.keys.len() - 1;
        let mut at = self.home(key);
        loop {
            match self.keys[at] {
                0 => return Err(at),
                found if found == key => return Ok(at),
                _ => at = (at + 1) & mask,
            }
        }
    }
}

/// Keys that stand side by side: what a cache line holds.
const BLOCK: u64 = 8;

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::Lookup;

    /// As many parcels in a row as a full hub has, of two runs of the engine.
    #[test]
    fn keys_one_after_the_other_are_not_one_run() {
        const PARCELS: u64 = 50_000;
        for first in [1_u64, 7 << 40, (7 << 40) + 12_345_678] {
            let mut lookup = Lookup::new(2 * PARCELS as usize);
            for key in first..first + PARCELS {
                lookup.set(key, 1);
            }
            let runs = lookup.keys.split(|key| *key == 0);
            let longest = runs.map(<[u64]>::len).max();
            assert!(longest < Some(300), "{longest:?} from {first}");
        }
    }

    /// Keys of which many share a place, against an ordered map.
    #[test]
    fn it_says_what_a_map_says() {
        let mut lookup = Lookup::new(50);
        let mut map = BTreeMap::new();
        let mut seed = 1_u64;
        for step in 0..20_000_u32 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = 1 + (seed >> 33) % 9 + (seed >> 40) % 12 * 128;
            if seed >> 63 == 0 && map.len() < 50 {
                lookup.set(key, step);
                map.insert(key, step);
            } else {
                lookup.remove(key);
                map.remove(&key);
            }
            let probe = 1 + (seed >> 20) % 9 + (seed >> 50) % 12 * 128;
            assert_eq!(lookup.get(probe), map.get(&probe).copied(), "step {step}");
        }
        for (key, place) in &map {
            assert_eq!(lookup.get(*key), Some(*place));
        }
        assert!(map.len() > 20, "the table was never nearly full");
    }
}
