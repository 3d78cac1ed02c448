//! The event calendar: for each slot at most one due key, taken in order of (key, slot).
//!
//! A plant has few kinds of device and each waits for one thing at a time: a carrier for the next
//! place where something happens to it, a chute for its worker. So the calendar is made of a fixed
//! number of slots, and an event is put off or called off by setting or clearing its slot; nothing
//! is allocated after construction and nothing stale is ever taken. Equal keys are taken in the
//! order of their slots rather than of their setting, so that what happens does not hang on when
//! it was planned: a run in which some events are folded away stays the same run.
//!
//! The key is whatever the driver counts in: microseconds for what clocks drive, nanometres of
//! belt travel for what a belt carries. Slots hang in buckets of equal width, a power of two; the
//! buckets form a ring, and a bitmap tells which hold anything. A key farther off than once round
//! the ring hangs in its bucket until its turn comes.

/// See the module.
#[derive(Clone, Debug)]
pub struct Calendar {
    slots: Box<[Slot]>,
    /// First slot of each bucket's chain.
    heads: Box<[u32]>,
    /// One bit a bucket: whether its chain holds anything.
    filled: Box<[u64]>,
    /// A key's bucket, counted from key 0 without wrapping, is `key >> shift`.
    shift: u32,
    /// No pending key lies in a bucket before this one.
    cursor: u64,
    /// The first slot, if known.
    first: u32,
    pending: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    /// The next in the bucket's chain, `END`, or `IDLE` if the slot waits for nothing.
    next: u32,
}

const END: u32 = u32::MAX;
const IDLE: u32 = u32::MAX - 1;
const UNKNOWN: u32 = u32::MAX;

impl Calendar {
    /// A calendar of `slots` slots, quickest when keys lie up to `span` ahead of the first.
    ///
    /// # Panics
    /// If there are more slots than 32 bits can number.
    #[must_use]
    pub fn new(slots: usize, span: u64) -> Self {
        assert!(slots < IDLE as usize, "too many slots");
        // Several buckets for each slot, so that chains are short: one slot or none in most.
        let buckets = (slots * 4).next_power_of_two().clamp(64, 1 << 16);
        let width = (span / buckets as u64).max(1).next_power_of_two();
        Self {
            slots: vec![Slot { key: 0, next: IDLE }; slots].into_boxed_slice(),
            heads: vec![END; buckets].into_boxed_slice(),
            filled: vec![0; buckets / 64].into_boxed_slice(),
            shift: width.trailing_zeros(),
            cursor: 0,
            first: UNKNOWN,
            pending: 0,
        }
    }

    /// How many slots wait for something.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending
    }

    /// Whether nothing is waited for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending == 0
    }

    /// What a slot waits for.
    #[must_use]
    pub fn key(&self, slot: usize) -> Option<u64> {
        let slot = &self.slots[slot];
        (slot.next != IDLE).then_some(slot.key)
    }

    /// Makes a slot wait for `key`, instead of whatever it waited for.
    #[inline]
    pub fn set(&mut self, slot: usize, key: u64) {
        self.clear(slot);
        let ordinal = key >> self.shift;
        let bucket = self.bucket(ordinal);
        let head = core::mem::replace(&mut self.heads[bucket], slot as u32);
        self.slots[slot] = Slot { key, next: head };
        self.filled[bucket / 64] |= 1 << (bucket % 64);
        self.pending += 1;
        self.cursor = if self.pending == 1 {
            ordinal
        } else {
            self.cursor.min(ordinal)
        };
        if self.first != UNKNOWN {
            let first = (self.slots[self.first as usize].key, self.first);
            if (key, slot as u32) < first {
                self.first = slot as u32;
            }
        }
    }

    /// Makes a slot wait for nothing.
    #[inline]
    pub fn clear(&mut self, slot: usize) {
        let Slot { key, next, .. } = self.slots[slot];
        if next == IDLE {
            return;
        }
        let bucket = self.bucket(key >> self.shift);
        let mut at = self.heads[bucket];
        if at == slot as u32 {
            self.heads[bucket] = next;
            if next == END {
                self.filled[bucket / 64] &= !(1 << (bucket % 64));
            }
        } else {
            while self.slots[at as usize].next != slot as u32 {
                at = self.slots[at as usize].next;
            }
            self.slots[at as usize].next = next;
        }
        self.slots[slot].next = IDLE;
        self.pending -= 1;
        if self.first == slot as u32 {
            self.first = UNKNOWN;
        }
    }

    /// The first key and its slot, left where it is.
    #[inline]
    pub fn peek(&mut self) -> Option<(u64, usize)> {
        if self.first == UNKNOWN {
            if self.pending == 0 {
                return None;
            }
            self.first = self.find_first();
        }
        Some((self.slots[self.first as usize].key, self.first as usize))
    }

    /// Takes the first key and its slot; the slot waits for nothing then.
    #[inline]
    pub fn pop(&mut self) -> Option<(u64, usize)> {
        let found = self.peek()?;
        self.clear(found.1);
        Some(found)
    }

    fn bucket(&self, ordinal: u64) -> usize {
        ordinal as usize & (self.heads.len() - 1)
    }

    fn find_first(&mut self) -> u32 {
        let buckets = self.heads.len();
        let mut ahead = 0;
        while ahead < buckets {
            let bucket = self.bucket(self.cursor + ahead as u64);
            let word = self.filled[bucket / 64] >> (bucket % 64);
            if word == 0 {
                ahead += 64 - bucket % 64;
                continue;
            }
            ahead += word.trailing_zeros() as usize;
            let ordinal = self.cursor + ahead as u64;
            let chain = self.heads[self.bucket(ordinal)];
            if let Some(slot) = self.first_of(chain, ordinal) {
                self.cursor = ordinal;
                return slot;
            }
            ahead += 1;
        }
        // Everything is farther off than once round the ring.
        let waiting = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.next != IDLE);
        let first = waiting.min_by_key(|(at, slot)| (slot.key, *at));
        let (at, slot) = first.expect("pending counts the waiting slots");
        self.cursor = slot.key >> self.shift;
        at as u32
    }

    /// The first slot of a chain whose key lies in this very bucket, not a round or more later.
    fn first_of(&self, chain: u32, ordinal: u64) -> Option<u32> {
        let mut best = None;
        let mut at = chain;
        while at != END {
            let slot = &self.slots[at as usize];
            let rank = (slot.key, at);
            if slot.key >> self.shift == ordinal && best.is_none_or(|least| rank < least) {
                best = Some(rank);
            }
            at = slot.next;
        }
        best.map(|(_, at)| at)
    }
}
