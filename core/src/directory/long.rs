//! Waybill numbers that fit no integer, kept as the texts they are.

use alloc::string::String;
use core::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// A few odd numbers beside millions that fit an integer; about 30 bytes each and their text.
#[derive(Clone, Debug, Default)]
pub(super) struct LongTable {
    /// All texts, one behind the other.
    texts: String,
    entries: HashTable<LongEntry>,
}

#[derive(Clone, Copy, Debug)]
struct LongEntry {
    from: u32,
    len: u32,
    value: u32,
    extra: u64,
}

/// What adding an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// The text was not there.
    New,
    /// The text was there: the newer entry stands.
    Replaced,
}

/// All texts together are longer than 4 GB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextsFull;

fn hash(text: &str) -> u64 {
    FixedState::default().hash_one(text)
}

fn text_of<'t>(texts: &'t str, entry: &LongEntry) -> &'t str {
    let from = entry.from as usize;
    texts.get(from..from + entry.len as usize).unwrap_or("")
}

impl LongTable {
    pub(super) fn get(&self, text: &str) -> Option<(u32, u64)> {
        let same = |entry: &LongEntry| text_of(&self.texts, entry) == text;
        let entry = self.entries.find(hash(text), same)?;
        Some((entry.value, entry.extra))
    }

    pub(super) fn add(&mut self, text: &str, value: u32, extra: u64) -> Result<Added, TextsFull> {
        let same = |entry: &LongEntry| text_of(&self.texts, entry) == text;
        if let Some(entry) = self.entries.find_mut(hash(text), same) {
            (entry.value, entry.extra) = (value, extra);
            return Ok(Added::Replaced);
        }
        // The end must fit as well, so that no sum of the two overflows.
        u32::try_from(self.texts.len() + text.len()).map_err(|_| TextsFull)?;
        let entry = LongEntry {
            from: self.texts.len() as u32,
            len: text.len() as u32,
            value,
            extra,
        };
        self.texts.push_str(text);
        let texts = &self.texts;
        self.entries
            .insert_unique(hash(text), entry, |entry| hash(text_of(texts, entry)));
        Ok(Added::New)
    }

    /// Takes a text's entry out; the text itself stays until the table is built anew.
    pub(super) fn remove(&mut self, text: &str) -> bool {
        let texts = &self.texts;
        let same = |entry: &LongEntry| text_of(texts, entry) == text;
        match self.entries.find_entry(hash(text), same) {
            Ok(found) => {
                found.remove();
                true
            }
            Err(_) => false,
        }
    }

    pub(super) fn trim(&mut self) {
        let texts = &mut self.texts;
        texts.shrink_to_fit();
        self.entries
            .shrink_to_fit(|entry| hash(text_of(texts, entry)));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.texts.capacity() + self.entries.allocation_size()
    }
}
