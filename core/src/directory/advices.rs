//! What pre-advice says, each different advice once, and declared measures in 64 bits.

use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

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
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers(HashTable<u32>);

impl Numbers {
    /// The numbers of a list.
    pub(super) fn of(list: &[Shared]) -> Self {
        let mut numbers = HashTable::with_capacity(list.len());
        for (number, shared) in list.iter().enumerate() {
            let rehash = |number: &u32| hash_of(list, *number);
            numbers.insert_unique(hash(shared), number as u32, rehash);
        }
        Self(numbers)
    }

    /// The number of an advice, which is put behind the others if it is a new one; `None` if there
    /// are too many.
    pub(super) fn number(&mut self, list: &mut Vec<Shared>, shared: &Shared) -> Option<u32> {
        let hash = hash(shared);
        let same = |number: &u32| list.get(*number as usize) == Some(shared);
        if let Some(number) = self.0.find(hash, same) {
            return Some(*number);
        }
        let number = u32::try_from(list.len()).ok()?;
        if list.len() >= ADVICES_MAX {
            return None;
        }
        list.push(*shared);
        let rehash = |number: &u32| hash_of(list, *number);
        self.0.insert_unique(hash, number, rehash);
        Some(number)
    }
}

fn hash(shared: &Shared) -> u64 {
    FixedState::default().hash_one(shared)
}

fn hash_of(list: &[Shared], number: u32) -> u64 {
    list.get(number as usize).map_or(0, hash)
}

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
