//! All shapes of all formats as one automaton.
//!
//! Codes of one length share a block of masks, with a bit for each shape of that length: one mask
//! for each place and class of characters. The shapes that fit a code are what is left after one
//! AND for each of its characters, whatever the number of formats. Bits are in the order of
//! precedence, so that the first shape that holds is the answer.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::pattern::{Group, Part, Set, Shape};
use crate::ids::FormatId;
use crate::limits::CODE_CHARS_MAX;

const WORD: usize = u64::BITS as usize;

/// A shape without its sets of characters, which the masks hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) format: FormatId,
    /// Where a group begins or ends between two characters, one bit each.
    pub(super) borders: u64,
    pub(super) identity: Part,
    pub(super) over: Part,
    pub(super) check: Part,
    pub(super) postcode: Part,
    pub(super) address: Part,
    pub(super) word: Part,
}

impl Form {
    pub(super) fn new(format: FormatId, shape: &Shape) -> Self {
        let named = shape.part(Group::Identity);
        let whole = Part {
            start: 0,
            end: shape.sets.len() as u8,
        };
        Self {
            format,
            borders: shape.borders(),
            identity: if named.is_empty() { whole } else { named },
            over: shape.part(Group::Over),
            check: shape.part(Group::Check),
            postcode: shape.part(Group::Postcode),
            address: shape.part(Group::Address),
            word: shape.part(Group::Word),
        }
    }

    /// Whether it has a check character.
    pub(super) const fn is_checked(&self) -> bool {
        !self.check.is_empty()
    }
}

/// The shapes of one length.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    /// Where its masks begin.
    masks: u32,
    /// Its shapes.
    first: u32,
    count: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Which class each ASCII character is in: characters that no pattern tells apart share one.
    classes: [u8; 128],
    class_count: usize,
    blocks: [Block; CODE_CHARS_MAX + 1],
    /// By block, word of 64 shapes, place, class.
    masks: Vec<u64>,
    forms: Vec<Form>,
}

impl Table {
    /// Puts shapes together, which are in the order of precedence.
    pub(super) fn new(shapes: &[(Form, Shape)]) -> Self {
        let (classes, class_count) = classes(shapes);
        let mut table = Self {
            classes,
            class_count,
            blocks: [Block::default(); CODE_CHARS_MAX + 1],
            masks: Vec::new(),
            forms: Vec::with_capacity(shapes.len()),
        };
        for length in 1..=CODE_CHARS_MAX {
            let of_length = shapes
                .iter()
                .filter(|(_, shape)| shape.sets.len() == length);
            table.add_block(length, &Vec::from_iter(of_length));
        }
        table.masks.shrink_to_fit();
        table
    }

    fn add_block(&mut self, length: usize, shapes: &[&(Form, Shape)]) {
        self.blocks[length] = Block {
            masks: self.masks.len() as u32,
            first: self.forms.len() as u32,
            count: shapes.len() as u32,
        };
        self.forms.extend(shapes.iter().map(|(form, _)| *form));
        for word in shapes.chunks(WORD) {
            for place in 0..length {
                let begin = self.masks.len();
                self.masks.resize(begin + self.class_count, 0);
                for (bit, (_, shape)) in word.iter().enumerate() {
                    for byte in 0..128_u8 {
                        if shape.sets[place] & 1 << byte != 0 {
                            let class = usize::from(self.classes[usize::from(byte)]);
                            self.masks[begin + class] |= 1 << bit;
                        }
                    }
                }
            }
        }
    }

    /// The shapes that fit a code, in the order of precedence.
    pub(super) fn fitting<'t>(&'t self, code: &'t [u8]) -> impl Iterator<Item = &'t Form> {
        let block = self.blocks.get(code.len()).copied().unwrap_or_default();
        let words = (block.count as usize).div_ceil(WORD);
        let span = code.len() * self.class_count;
        (0..words).flat_map(move |word| {
            let begin = block.masks as usize + word * span;
            let masks = self.masks.get(begin..begin + span).unwrap_or(&[]);
            let mut alive = self.alive(masks, code);
            let forms = self
                .forms
                .get(block.first as usize + word * WORD..)
                .unwrap_or(&[]);
            core::iter::from_fn(move || {
                let form = forms.get(alive.trailing_zeros() as usize)?;
                // No bit left means 64, which may still be a shape of the next word.
                let found = (alive != 0).then_some(form);
                alive &= alive.wrapping_sub(1);
                found
            })
        })
    }

    #[inline]
    fn alive(&self, masks: &[u64], code: &[u8]) -> u64 {
        let rows = masks.chunks_exact(self.class_count).zip(code);
        rows.fold(u64::MAX, |alive, (row, byte)| {
            let class = self.classes.get(usize::from(*byte)).copied().unwrap_or(0);
            alive & row.get(usize::from(class)).copied().unwrap_or(0)
        })
    }

    /// How many shapes there are.
    pub(super) fn len(&self) -> usize {
        self.forms.len()
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.masks) + size_of_val(&*self.forms)
    }
}

/// Characters that are in the same sets of all shapes get one number.
fn classes(shapes: &[(Form, Shape)]) -> ([u8; 128], usize) {
    let mut sets: Vec<Set> = shapes
        .iter()
        .flat_map(|(_, shape)| shape.sets.iter().copied())
        .collect();
    sets.sort_unstable();
    sets.dedup();
    let mut numbers: BTreeMap<Vec<bool>, u8> = BTreeMap::new();
    let mut classes = [0; 128];
    for (byte, class) in classes.iter_mut().enumerate() {
        let member = sets.iter().map(|set| set & 1 << byte != 0).collect();
        let next = numbers.len() as u8;
        *class = *numbers.entry(member).or_insert(next);
    }
    (classes, numbers.len())
}
