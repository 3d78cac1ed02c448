//! Pre-advice for millions of waybills: built once from rows, then only read.

use alloc::vec::Vec;
use core::hint::black_box;

use super::advices::{Numbers, Shared, pack, unpack};
use super::key::{Key, Waybill};
use super::long::{Added, LongTable, TextsFull};
use super::table::{NoPlace, Packed as _, Slot, Table};
use crate::facts::Advice;
use crate::limits::{ADVICES_MAX, WAYBILLS_MAX};

/// Waybills with their advice. It is read by many threads and changed by none.
///
/// A waybill takes about 13.5 bytes if its number fits 64 bits and 23.5 otherwise, 8.5 more if any
/// of its kind has declared measures, and its part of an advice, which is kept once for all
/// waybills with the same one.
#[derive(Clone, Debug, Default)]
pub struct Waybills {
    parts: [Tables; PARTS],
    long: LongTable,
    advices: Vec<Shared>,
}

/// Parts that a table has. Each can be filled by a thread of its own: all that takes time is done
/// without asking another one.
pub const PARTS: usize = 2;

/// Numbers that fit an integer, of one part.
#[derive(Clone, Debug)]
struct Tables {
    narrow: Table<u64, 5>,
    wide: Table<u128, 3>,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            narrow: Table::with_room(0),
            wide: Table::with_room(0),
        }
    }
}

impl Tables {
    fn len(&self) -> usize {
        self.narrow.len() + self.wide.len()
    }
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
    Narrow(usize, Slot),
    Wide(usize, Slot),
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

impl Waybills {
    /// Finds a waybill.
    #[inline]
    #[must_use]
    pub fn find(&self, waybill: &Waybill<'_>) -> Option<Found> {
        let (advice, declared) = match waybill.0 {
            Key::Narrow(key) => {
                let part = key.half();
                let (value, slot) = self.parts[part].narrow.get(key)?;
                (value, Declared::Narrow(part, slot))
            }
            Key::Wide(key) => {
                let part = key.half();
                let (value, slot) = self.parts[part].wide.get(key)?;
                (value, Declared::Wide(part, slot))
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
            Declared::Narrow(part, slot) => self.parts[part].narrow.extra(slot),
            Declared::Wide(part, slot) => self.parts[part].wide.extra(slot),
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
            Key::Narrow(key) => self.parts[key.half()].narrow.get_both(key)?,
            Key::Wide(key) => self.parts[key.half()].wide.get_both(key)?,
            Key::Long(text) => self.long.get(text)?,
        };
        Some(self.whole(advice, packed))
    }

    /// How many waybills there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(Tables::len).sum::<usize>() + self.long.len()
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
        let parts = self.parts.iter();
        let parts = parts.map(|part| part.narrow.bytes() + part.wide.bytes());
        parts.sum::<usize>() + self.long.bytes() + advices
    }
}

/// One row of pre-advice, as it is put into a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'t> {
    key: Key<'t>,
    shared: Shared,
    /// Of the advice.
    hash: u64,
    declared: u64,
}

impl<'t> Row<'t> {
    /// A waybill, and what is advised for it; declared measures beyond the limits count as the
    /// limit.
    #[inline]
    #[must_use]
    pub fn new(waybill: Waybill<'t>, advice: &Advice) -> Self {
        let shared = Shared::of(advice);
        Self {
            key: waybill.0,
            shared,
            hash: Numbers::hash(&shared),
            declared: pack(&advice.declared),
        }
    }

    /// Whether its number fits into 64 bits ([`Waybill::is_narrow`]).
    #[must_use]
    pub const fn is_narrow(&self) -> bool {
        matches!(self.key, Key::Narrow(_))
    }

    /// Which part of a table it belongs to, below [`PARTS`].
    #[inline]
    #[must_use]
    pub fn part(&self) -> usize {
        match self.key {
            Key::Narrow(key) => key.half(),
            Key::Wide(key) => key.half(),
            Key::Long(_) => 0,
        }
    }
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

/// One part of a table that is being built, with the rows that belong to it ([`Row::part`]).
///
/// The same rows in the same order give the same part; what is done with another part meanwhile
/// does not matter to it.
#[derive(Clone, Debug)]
pub struct Part {
    tables: Tables,
    long: LongTable,
    advices: Vec<Shared>,
    numbers: Numbers,
    /// Rows for a number that is kept as text, which were replaced.
    replaced: u64,
}

/// Rows whose places are loaded before the first of them is added: enough to keep the memory
/// busy, and few enough to stay in the first cache.
const AHEAD: usize = 64;

impl Part {
    /// A part without rows, of a table for which so many are expected.
    #[must_use]
    pub fn new(expected: Expected) -> Self {
        let room = |rows: usize| rows.min(WAYBILLS_MAX).div_ceil(PARTS);
        Self {
            tables: Tables {
                narrow: Table::with_room(room(expected.narrow)),
                wide: Table::with_room(room(expected.wide)),
            },
            long: LongTable::default(),
            advices: Vec::new(),
            numbers: Numbers::of(&[]),
            replaced: 0,
        }
    }

    /// Adds rows of this part; of several for one waybill the last one stands.
    ///
    /// # Errors
    /// Why the rows make no table; the part then is of no more use.
    pub fn add(&mut self, rows: &[Row<'_>]) -> Result<(), BuildError> {
        rows.chunks(AHEAD)
            .try_for_each(|rows| self.add_some(rows.iter()))
    }

    fn add_some<'r>(
        &mut self,
        rows: impl Iterator<Item = &'r Row<'r>> + Clone,
    ) -> Result<(), BuildError> {
        let likely = self.load_ahead(rows.clone());
        let mut rows = rows.zip(likely);
        rows.try_for_each(|(row, likely)| self.add_row(row, likely))
    }

    /// Loads what numbering the advices of some rows will need, all at the same time; one after the
    /// other, each would wait for the memory. The number that each advice is likely to have.
    fn load_ahead<'r>(&self, rows: impl Iterator<Item = &'r Row<'r>> + Clone) -> [u32; AHEAD] {
        let slots = rows.clone().map(|row| self.numbers.touch(row.hash));
        black_box(slots.fold(0, |all, slot| all ^ slot));
        let mut numbers = [0; AHEAD];
        for (number, row) in numbers.iter_mut().zip(rows) {
            *number = self.numbers.likely(row.hash);
        }
        let loaded = numbers.iter().fold(0, |all, number| {
            let advice = self.advices.get(*number as usize);
            all ^ advice.map_or(0, Shared::touch)
        });
        black_box(loaded);
        numbers
    }

    fn add_row(&mut self, row: &Row<'_>, likely: u32) -> Result<(), BuildError> {
        let value = match self.advices.get(likely as usize) {
            Some(shared) if *shared == row.shared => Some(likely),
            _ => self
                .numbers
                .number(&mut self.advices, &row.shared, row.hash),
        };
        let value = value.ok_or(BuildError::Advices)?;
        match row.key {
            Key::Narrow(key) => self.tables.narrow.stage(key, value, row.declared)?,
            Key::Wide(key) => self.tables.wide.stage(key, value, row.declared)?,
            Key::Long(text) => {
                if self.long.add(text, value, row.declared)? == Added::Replaced {
                    self.replaced += 1;
                }
            }
        }
        match self.len() > WAYBILLS_MAX {
            true => Err(BuildError::Waybills),
            false => Ok(()),
        }
    }

    fn len(&self) -> usize {
        self.tables.len() + self.long.len()
    }

    fn remove(&mut self, waybill: &Waybill<'_>) -> bool {
        match waybill.0 {
            Key::Narrow(key) => self.tables.narrow.remove(key),
            Key::Wide(key) => self.tables.wide.remove(key),
            Key::Long(text) => self.long.remove(text),
        }
    }

    /// Does what is left to do when all rows have been added, and gives back what was set aside for
    /// rows that did not come.
    ///
    /// # Errors
    /// As for [`Part::add`].
    pub fn settle(&mut self) -> Result<(), BuildError> {
        let Tables { narrow, wide } = &mut self.tables;
        narrow.flush()?;
        wide.flush()?;
        self.replaced += narrow.take_replaced() + wide.take_replaced();
        narrow.trim()?;
        wide.trim()?;
        self.long.trim();
        Ok(())
    }
}

/// Builds a table from rows. The same rows in the same order give the same table.
#[derive(Clone, Debug)]
pub struct Builder {
    parts: [Part; PARTS],
}

impl Builder {
    /// A table without rows.
    #[must_use]
    pub fn new(expected: Expected) -> Self {
        Self::of(core::array::from_fn(|_| Part::new(expected)))
    }

    /// A table of all its parts, in their order.
    #[must_use]
    pub fn of(parts: [Part; PARTS]) -> Self {
        Self { parts }
    }

    /// Goes on from a table that is finished.
    #[must_use]
    pub fn resume(made: &Waybills) -> Self {
        let mut long = Some(made.long.clone());
        Self::of(made.parts.each_ref().map(|tables| Part {
            tables: tables.clone(),
            long: long.take().unwrap_or_default(),
            advices: made.advices.clone(),
            numbers: Numbers::of(&made.advices),
            replaced: 0,
        }))
    }

    /// Adds rows; of several for one waybill the last one stands.
    ///
    /// # Errors
    /// Why the rows make no table; the builder then is of no more use.
    pub fn add(&mut self, rows: &[Row<'_>]) -> Result<(), BuildError> {
        for rows in rows.chunks(AHEAD) {
            for (nth, part) in self.parts.iter_mut().enumerate() {
                part.add_some(rows.iter().filter(|row| row.part() == nth))?;
            }
        }
        Ok(())
    }

    /// Takes a waybill out; whether it was there.
    pub fn remove(&mut self, waybill: &Waybill<'_>) -> bool {
        let mut removed = self.parts.iter_mut().map(|part| part.remove(waybill));
        removed.any(|removed| removed)
    }

    /// The table. What was set aside for rows that did not come is given back.
    ///
    /// # Errors
    /// As for [`Builder::add`].
    pub fn finish(self) -> Result<Built, BuildError> {
        let mut made = Waybills::default();
        let mut replaced = 0;
        let mut numbers = Numbers::of(&[]);
        for (nth, mut part) in self.parts.into_iter().enumerate() {
            part.settle()?;
            replaced += part.replaced;
            if nth == 0 {
                (made.advices, numbers, made.long) = (part.advices, part.numbers, part.long);
            } else {
                let number = |shared| {
                    let hash = Numbers::hash(shared);
                    numbers.number(&mut made.advices, shared, hash)
                };
                let numbers: Option<Vec<u32>> = part.advices.iter().map(number).collect();
                let numbers = numbers.ok_or(BuildError::Advices)?;
                let number = |number: u32| numbers.get(number as usize).copied().unwrap_or(number);
                part.tables.narrow.renumber(number);
                part.tables.wide.renumber(number);
            }
            made.parts[nth] = part.tables;
            if made.len() > WAYBILLS_MAX {
                return Err(BuildError::Waybills);
            }
        }
        made.advices.shrink_to_fit();
        Ok(Built {
            waybills: made,
            replaced,
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
