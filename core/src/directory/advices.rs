//! What pre-advice says, each different advice once, and declared measures in 64 bits.

use alloc::vec;
use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use foldhash::fast::FixedState;

use crate::facts::{Address, Advice, DestKey, Measures, ServiceKey, Tags};
use crate::limits::{ADVICES_MAX, DECLARED_SIDE_MAX, DECLARED_WEIGHT_MAX};
use crate::units::{Grams, Mm};

/// What many waybills have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shared {
    dest: DestKey,
    segment: Address,
    postcode: Address,
    service: ServiceKey,
    tags: Tags,
}

impl Shared {
    pub(super) fn of(advice: &Advice) -> Self {
        Self {
            dest: advice.dest,
            segment: advice.segment,
            postcode: advice.postcode,
            service: advice.service,
            tags: advice.tags,
        }
    }

    /// Loads it; it may be in two lines of the cache.
    pub(super) fn touch(&self) -> u64 {
        self.dest.0 ^ self.tags.0
    }

    /// The whole advice of a waybill with these declared measures.
    pub(super) fn with(&self, declared: Measures) -> Advice {
        Advice {
            known: true,
            dest: self.dest,
            segment: self.segment,
            postcode: self.postcode,
            service: self.service,
            tags: self.tags,
            declared,
        }
    }
}

/// Numbers advices while a table is built.
///
/// An open hash table of numbers, of which at most half the slots are used. It is one of our own
/// so that a slot can be loaded ahead of its use.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    slots: Vec<Slot>,
    used: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The high half of the hash, so that other advices are seldom compared.
    tag: u32,
    number: u32,
}

impl Slot {
    const FREE: Self = Self {
        tag: 0,
        number: u32::MAX,
    };
}

impl Numbers {
    /// The numbers of a list.
    pub(super) fn of(list: &[Shared]) -> Self {
        let mut numbers = Self {
            slots: vec![Slot::FREE; (list.len() * 2 + 2).next_power_of_two()],
            used: list.len(),
        };
        for (number, shared) in list.iter().enumerate() {
            numbers.put(Self::hash(shared), number as u32);
        }
        numbers
    }

    pub(super) fn hash(shared: &Shared) -> u64 {
        FixedState::default().hash_one(shared)
    }

    fn first(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    /// Loads the first slot of a hash; the number in it.
    pub(super) fn touch(&self, hash: u64) -> u32 {
        self.slots[self.first(hash)].number
    }

    /// The first number whose advice may have this hash, by what its slot says of it; that of no
    /// advice if there is none.
    pub(super) fn likely(&self, hash: u64) -> u32 {
        let tag = (hash >> 32) as u32;
        let mut at = self.first(hash);
        loop {
            let slot = self.slots[at];
            if slot.tag == tag || slot.number == Slot::FREE.number {
                return slot.number;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// The number of an advice, which is put behind the others if it is a new one; `None` if there
    /// are too many.
    pub(super) fn number(
        &mut self,
        list: &mut Vec<Shared>,
        shared: &Shared,
        hash: u64,
    ) -> Option<u32> {
        let tag = (hash >> 32) as u32;
        let mut at = self.first(hash);
        while self.slots[at].number != Slot::FREE.number {
            let slot = self.slots[at];
            if slot.tag == tag && list.get(slot.number as usize) == Some(shared) {
                return Some(slot.number);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        if list.len() >= ADVICES_MAX {
            return None;
        }
        let number = list.len() as u32;
        list.push(*shared);
        self.used += 1;
        match self.used * 2 > self.slots.len() {
            true => *self = Self::of(list),
            false => self.put(hash, number),
        }
        Some(number)
    }

    fn put(&mut self, hash: u64, number: u32) {
        let tag = (hash >> 32) as u32;
        let mut at = self.first(hash);
        while self.slots[at].number != Slot::FREE.number {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = Slot { tag, number };
    }
}

// Every number is below that of a free slot.
const _: () = assert!(ADVICES_MAX < u32::MAX as usize);

const SIDE_BITS: u32 = 14;

/// Declared measures in 64 bits; what is beyond the limits counts as the limit. Zero is "nothing
/// declared".
pub(super) fn pack(measures: &Measures) -> u64 {
    let weight = measures.weight.min(DECLARED_WEIGHT_MAX).0;
    let sides = [measures.length, measures.width, measures.height];
    sides.iter().fold(u64::from(weight), |packed, side| {
        packed << SIDE_BITS | u64::from((*side).min(DECLARED_SIDE_MAX).0)
    })
}

pub(super) fn unpack(packed: u64) -> Measures {
    let side = |nth: u32| Mm((packed >> (nth * SIDE_BITS)) as u32 & DECLARED_SIDE_MAX.0);
    Measures {
        weight: Grams((packed >> (3 * SIDE_BITS)) as u32),
        length: side(2),
        width: side(1),
        height: side(0),
    }
}
