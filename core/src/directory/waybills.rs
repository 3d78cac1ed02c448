//! Pre-advice for millions of waybills: built once from rows, then only read.

use alloc::vec::Vec;
use core::hint::black_box;

use super::advices::{Numbers, Shared, pack, unpack};
use super::key::{Key, Waybill};
use super::long::{Added, LongTable, TextsFull};
use super::table::{Entry, NoPlace, Slot, Table};
use crate::facts::Advice;
use crate::limits::{ADVICES_MAX, WAYBILLS_MAX};

/// Waybills with their advice. It is read by many threads and changed by none.
///
/// A waybill takes about 13.5 bytes if its number fits 64 bits and 23.5 otherwise, 8.5 more if any
/// of its kind has declared measures, and its part of an advice, which is kept once for all
/// waybills with the same one.
#[derive(Clone, Debug)]
pub struct Waybills {
    narrow: Table<u64, 5>,
    wide: Table<u128, 3>,
    long: LongTable,
    advices: Vec<Shared>,
}

/// Where a waybill was found.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    advice: u32,
    declared: Declared,
}

/// Measures are not loaded before they are asked for.
#[derive(Clone, Copy, Debug)]
enum Declared {
    Narrow(Slot),
    Wide(Slot),
    Packed(u64),
}

impl Found {
    /// The number of the advice. Waybills with the same advice, but for what is declared, have the
    /// same number.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.advice
    }
}

impl Default for Waybills {
    fn default() -> Self {
        Self {
            narrow: Table::with_room(0),
            wide: Table::with_room(0),
            long: LongTable::default(),
            advices: Vec::new(),
        }
    }
}

impl Waybills {
    /// Finds a waybill.
    #[inline]
    #[must_use]
    pub fn find(&self, waybill: &Waybill<'_>) -> Option<Found> {
        let (advice, declared) = match waybill.0 {
            Key::Narrow(key) => {
                let (value, slot) = self.narrow.get(key)?;
                (value, Declared::Narrow(slot))
            }
            Key::Wide(key) => {
                let (value, slot) = self.wide.get(key)?;
                (value, Declared::Wide(slot))
            }
            Key::Long(text) => {
                let (value, packed) = self.long.get(text)?;
                (value, Declared::Packed(packed))
            }
        };
        Some(Found { advice, declared })
    }

    /// The advice of a waybill that was found in this same table.
    #[must_use]
    pub fn advice(&self, found: &Found) -> Advice {
        let packed = match found.declared {
            Declared::Narrow(slot) => self.narrow.extra(slot),
            Declared::Wide(slot) => self.wide.extra(slot),
            Declared::Packed(packed) => packed,
        };
        self.whole(found.advice, packed)
    }

    fn whole(&self, advice: u32, packed: u64) -> Advice {
        let shared = self.advices.get(advice as usize);
        shared.map_or_else(Advice::default, |shared| shared.with(unpack(packed)))
    }

    /// What is advised for a waybill.
    #[must_use]
    pub fn get(&self, waybill: &Waybill<'_>) -> Option<Advice> {
        let (advice, packed) = match waybill.0 {
            Key::Narrow(key) => self.narrow.get_both(key)?,
            Key::Wide(key) => self.wide.get_both(key)?,
            Key::Long(text) => self.long.get(text)?,
        };
        Some(self.whole(advice, packed))
    }

    /// How many waybills there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.narrow.len() + self.wide.len() + self.long.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many different advices there are.
    #[must_use]
    pub fn advices(&self) -> usize {
        self.advices.len()
    }

    /// The memory that it holds, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let advices = self.advices.capacity() * size_of::<Shared>();
        self.narrow.bytes() + self.wide.bytes() + self.long.bytes() + advices
    }
}

/// One row of pre-advice.
#[derive(Clone, Copy, Debug)]
pub struct Row<'t> {
    /// Which waybill.
    pub waybill: Waybill<'t>,
    /// What is advised; declared measures beyond the limits count as the limit.
    pub advice: Advice,
}

/// How many rows are expected, so that the table has the right size from the start. It grows if
/// there are more, at the cost of time, and gives memory back if there are fewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// With numbers that fit 64 bits ([`Waybill::is_narrow`]).
    pub narrow: usize,
    /// With longer numbers.
    pub wide: usize,
}

/// Why a table cannot be built. The rows are refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Too many waybills.
    #[error("there are more than {WAYBILLS_MAX} waybills; load those that are still to come")]
    Waybills,
    /// Too many different advices.
    #[error("there are more than {ADVICES_MAX} different advices; leave out what no rule needs")]
    Advices,
    /// Too much text of numbers that are unlike any carrier's.
    #[error("odd waybill numbers have more than 4 GB; check that the column is the right one")]
    Texts,
    /// Numbers that were made to stand in each other's way. Each attempt takes another seed and
    /// more room; sixteen of them do not fail by chance.
    #[error("waybill numbers crowd in one place of the table; check where they come from")]
    NoPlace,
}

impl From<NoPlace> for BuildError {
    fn from(NoPlace: NoPlace) -> Self {
        Self::NoPlace
    }
}

impl From<TextsFull> for BuildError {
    fn from(TextsFull: TextsFull) -> Self {
        Self::Texts
    }
}

/// Builds a table from rows. The same rows in the same order give the same table.
#[derive(Clone, Debug)]
pub struct Builder {
    made: Waybills,
    numbers: Numbers,
    /// Of those whose number is kept as text.
    replaced: u64,
}

/// Rows whose places are loaded before the first of them is added: enough to keep the memory
/// busy, and few enough to stay in the first cache.
const AHEAD: usize = 64;

impl Builder {
    /// A table without rows.
    #[must_use]
    pub fn new(expected: Expected) -> Self {
        Self {
            made: Waybills {
                narrow: Table::with_room(expected.narrow.min(WAYBILLS_MAX)),
                wide: Table::with_room(expected.wide.min(WAYBILLS_MAX)),
                ..Waybills::default()
            },
            numbers: Numbers::of(&[]),
            replaced: 0,
        }
    }

    /// Goes on from a table that is finished.
    #[must_use]
    pub fn resume(made: &Waybills) -> Self {
        Self {
            made: made.clone(),
            numbers: Numbers::of(&made.advices),
            replaced: 0,
        }
    }

    /// Adds rows; of several for one waybill the last one stands.
    ///
    /// # Errors
    /// Why the rows make no table; the builder then is of no more use.
    pub fn add(&mut self, rows: &[Row<'_>]) -> Result<(), BuildError> {
        for rows in rows.chunks(AHEAD) {
            let hashes = self.load_ahead(rows);
            for (row, hash) in rows.iter().zip(hashes) {
                self.add_row(row, hash)?;
            }
        }
        Ok(())
    }

    /// Loads what numbering the advices of some rows will need, all at the same time; one after the
    /// other, each would wait for the memory. Returns their hashes.
    fn load_ahead(&self, rows: &[Row<'_>]) -> [u64; AHEAD] {
        let mut hashes = [0; AHEAD];
        let mut numbers = [0; AHEAD];
        for (nth, row) in rows.iter().enumerate().take(AHEAD) {
            hashes[nth] = Numbers::hash(&Shared::of(&row.advice));
            numbers[nth] = self.numbers.touch(hashes[nth]);
        }
        let advices = &self.made.advices;
        let loaded = numbers.iter().fold(0, |all, number| {
            let advice = advices.get(*number as usize);
            all ^ advice.map_or(0, Shared::touch)
        });
        black_box(loaded);
        hashes
    }

    fn add_row(&mut self, row: &Row<'_>, hash: u64) -> Result<(), BuildError> {
        let shared = Shared::of(&row.advice);
        let made = &mut self.made;
        let value = self.numbers.number(&mut made.advices, &shared, hash);
        let value = value.ok_or(BuildError::Advices)?;
        let extra = pack(&row.advice.declared);
        match row.waybill.0 {
            Key::Narrow(key) => made.narrow.stage(Entry { key, value, extra })?,
            Key::Wide(key) => made.wide.stage(Entry { key, value, extra })?,
            Key::Long(text) => {
                if made.long.add(text, value, extra)? == Added::Replaced {
                    self.replaced += 1;
                }
            }
        }
        if made.len() > WAYBILLS_MAX {
            return Err(BuildError::Waybills);
        }
        Ok(())
    }

    /// Takes a waybill out; whether it was there.
    pub fn remove(&mut self, waybill: &Waybill<'_>) -> bool {
        match waybill.0 {
            Key::Narrow(key) => self.made.narrow.remove(key),
            Key::Wide(key) => self.made.wide.remove(key),
            Key::Long(text) => self.made.long.remove(text),
        }
    }

    /// The table. What was set aside for rows that did not come is given back.
    ///
    /// # Errors
    /// As for [`Builder::add`].
    pub fn finish(mut self) -> Result<Built, BuildError> {
        let mut made = self.made;
        made.narrow.flush()?;
        made.wide.flush()?;
        if made.len() > WAYBILLS_MAX {
            return Err(BuildError::Waybills);
        }
        self.replaced += made.narrow.take_replaced() + made.wide.take_replaced();
        made.narrow.trim()?;
        made.wide.trim()?;
        made.long.trim();
        made.advices.shrink_to_fit();
        Ok(Built {
            waybills: made,
            replaced: self.replaced,
        })
    }
}

/// A table that is built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The table.
    pub waybills: Waybills,
    /// Rows that were replaced by a later one for the same waybill.
    pub replaced: u64,
}
