//! Patterns: from text to the shapes that a code can have.
//!
//! A shape has one length and one set of characters for each place, so that where a group begins
//! needs no search. A pattern with repetitions has one shape for each combination of counts.

use alloc::string::String;
use alloc::vec::Vec;

use super::fault::FormatFaultKind;
use super::text::is_kept;
use crate::limits::{CODE_CHARS_MAX, FORMAT_SHAPES_MAX};

/// ASCII characters, one bit each.
pub(super) type Set = u128;

/// The digits.
pub(super) const DIGITS: Set = 0x3ff << b'0';
/// The capital letters.
pub(super) const CAPITALS: Set = 0x3ff_ffff << b'A';

/// A part of a code that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Identity,
    Over,
    Check,
    Postcode,
    Address,
    Word,
}

impl Group {
    pub(super) const COUNT: usize = 6;
    const ALL: [(&'static str, Self); Self::COUNT] = [
        ("identity", Self::Identity),
        ("over", Self::Over),
        ("check", Self::Check),
        ("postcode", Self::Postcode),
        ("address", Self::Address),
        ("word", Self::Word),
    ];

    const fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(word, _)| *word == name);
        found.map(|(_, group)| *group)
    }
}

/// From one place of a code to another; empty where there is no such part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: u8,
    pub(super) end: u8,
}

impl Part {
    pub(super) const fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(super) const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub(super) const fn range(self) -> core::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One form of a code: a set of characters for each place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) sets: Vec<Set>,
    parts: [Part; Group::COUNT],
}

impl Shape {
    pub(super) fn part(&self, group: Group) -> Part {
        self.parts[group as usize]
    }

    /// Whether a part can hold nothing but what is in a set.
    pub(super) fn holds_only(&self, group: Group, allowed: Set) -> bool {
        let sets = self.sets.get(self.part(group).range()).unwrap_or(&[]);
        sets.iter().all(|set| set & !allowed == 0)
    }

    /// The places between two characters where a group begins or ends, one bit each.
    pub(super) fn borders(&self) -> u64 {
        let parts = self.parts.iter().filter(|part| !part.is_empty());
        let ends = parts.flat_map(|part| [part.start, part.end]);
        ends.filter(|&end| usize::from(end) < self.sets.len())
            .fold(0, |bits, end| bits | 1 << end)
    }
}

#[derive(Clone, Copy, Debug)]
enum Item {
    Open(Group),
    Close(Group),
    Repeat { set: Set, least: usize, most: usize },
}

/// A fault and the character of the pattern where it is.
pub(super) type At = (Option<usize>, FormatFaultKind);

/// Reads a pattern and gives every shape it has, those with more characters first.
///
/// # Errors
/// The first fault, with its place.
pub(super) fn shapes(pattern: &str) -> Result<Vec<Shape>, At> {
    let items = Reader::new(pattern).items()?;
    let mut shapes = alloc::vec![Shape::default()];
    for item in items {
        match item {
            Item::Open(group) => shapes.iter_mut().for_each(|shape| {
                let here = shape.sets.len() as u8;
                shape.parts[group as usize] = Part {
                    start: here,
                    end: here,
                };
            }),
            Item::Close(group) => shapes
                .iter_mut()
                .for_each(|shape| shape.parts[group as usize].end = shape.sets.len() as u8),
            Item::Repeat { set, least, most } => {
                if shapes.len() * (most - least + 1) > FORMAT_SHAPES_MAX {
                    return Err((None, FormatFaultKind::TooWide));
                }
                let counts = (least..=most).rev();
                let grown =
                    counts.flat_map(|count| shapes.iter().map(move |s| grow(s, set, count)));
                shapes = grown.collect();
            }
        }
        if shapes.iter().any(|s| s.sets.len() > CODE_CHARS_MAX) {
            return Err((None, FormatFaultKind::TooLong));
        }
    }
    if shapes.iter().any(|shape| shape.sets.is_empty()) {
        return Err((None, FormatFaultKind::Empty));
    }
    Ok(shapes)
}

fn grow(shape: &Shape, set: Set, count: usize) -> Shape {
    let mut grown = shape.clone();
    grown.sets.extend(core::iter::repeat_n(set, count));
    grown
}

struct Reader<'p> {
    chars: core::iter::Peekable<core::iter::Enumerate<core::str::Chars<'p>>>,
    items: Vec<Item>,
    /// Groups that are open, with where they were opened.
    open: Vec<(Group, usize)>,
}

impl<'p> Reader<'p> {
    fn new(pattern: &'p str) -> Self {
        Self {
            chars: pattern.chars().enumerate().peekable(),
            items: Vec::new(),
            open: Vec::new(),
        }
    }

    fn items(mut self) -> Result<Vec<Item>, At> {
        while let Some((at, c)) = self.chars.next() {
            match c {
                '(' => self.open_group(at)?,
                ')' => {
                    let (group, _) = self
                        .open
                        .pop()
                        .ok_or((Some(at), FormatFaultKind::Unbalanced))?;
                    self.items.push(Item::Close(group));
                }
                '[' => {
                    let set = self.set(at)?;
                    self.repeat(at, set)?;
                }
                '\\' => {
                    let set = self.escaped(at)?;
                    self.repeat(at, set)?;
                }
                '{' | '}' | '?' => return Err((Some(at), FormatFaultKind::BadCount)),
                ']' => return Err((Some(at), FormatFaultKind::BadSet)),
                '*' | '+' | '.' | '|' | '^' | '$' => {
                    return Err((Some(at), FormatFaultKind::NotKnown(c)));
                }
                _ => {
                    let set = self.one(at, c)?;
                    self.repeat(at, set)?;
                }
            }
        }
        match self.open.pop() {
            Some((_, at)) => Err((Some(at), FormatFaultKind::Unbalanced)),
            None => Ok(self.items),
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        self.chars.next_if(|(_, c)| *c == wanted).is_some()
    }

    /// `(?<name>`, the parenthesis being read already.
    fn open_group(&mut self, at: usize) -> Result<(), At> {
        if !(self.take('?') && self.take('<')) {
            return Err((Some(at), FormatFaultKind::Unbalanced));
        }
        let mut name = String::new();
        while let Some((_, c)) = self.chars.next_if(|(_, c)| c.is_ascii_alphabetic()) {
            name.push(c);
        }
        if !self.take('>') {
            return Err((Some(at), FormatFaultKind::Unbalanced));
        }
        let group = Group::named(&name).ok_or((Some(at), FormatFaultKind::NoSuchGroup(name)))?;
        let again = |item: &Item| matches!(item, Item::Open(other) if *other == group);
        if self.items.iter().any(again) {
            return Err((Some(at), FormatFaultKind::GroupTwice(group.name())));
        }
        self.open.push((group, at));
        self.items.push(Item::Open(group));
        Ok(())
    }

    /// One character that stands for itself.
    fn one(&self, at: usize, c: char) -> Result<Set, At> {
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii_lowercase() => Err((Some(at), FormatFaultKind::LowerCase(c))),
            Ok(byte) if is_kept(byte) => Ok(1 << byte),
            _ => Err((Some(at), FormatFaultKind::NeverMet(c))),
        }
    }

    /// What follows a backslash.
    fn escaped(&mut self, at: usize) -> Result<Set, At> {
        match self.chars.next() {
            Some((_, 'd')) => Ok(DIGITS),
            Some((_, c)) if c.is_ascii_punctuation() => self.one(at, c),
            Some((_, c)) => Err((Some(at), FormatFaultKind::NotKnown(c))),
            None => Err((Some(at), FormatFaultKind::NotKnown('\\'))),
        }
    }

    /// A set, its opening bracket being read already.
    fn set(&mut self, open: usize) -> Result<Set, At> {
        let bad = (Some(open), FormatFaultKind::BadSet);
        let mut set: Set = 0;
        loop {
            let (at, c) = self.chars.next().ok_or(bad.clone())?;
            let low = match c {
                ']' if set != 0 => return Ok(set),
                ']' | '[' | '^' => return Err(bad),
                '\\' => {
                    set |= self.escaped(at)?;
                    continue;
                }
                _ => self.one(at, c)?,
            };
            set |= low;
            // A hyphen at the end of a set stands for itself.
            let mut ahead = self.chars.clone();
            let is_range = ahead.next().is_some_and(|(_, c)| c == '-')
                && ahead.next().is_some_and(|(_, c)| c != ']');
            if is_range {
                self.chars.next();
                let (at, c) = self.chars.next().ok_or(bad.clone())?;
                let high = self.one(at, c)?;
                if high < low {
                    return Err(bad);
                }
                // All bits from the lower to the higher.
                set |= high | (high - low);
            }
        }
    }

    /// The count behind a character or a set, if there is one.
    fn repeat(&mut self, at: usize, set: Set) -> Result<(), At> {
        let (mut least, mut most) = (1, 1);
        if self.take('?') {
            least = 0;
        } else if self.take('{') {
            let bad = (Some(at), FormatFaultKind::BadCount);
            least = self.number().ok_or(bad.clone())?;
            most = match self.take(',') {
                true => self.number().ok_or(bad.clone())?,
                false => least,
            };
            if !self.take('}') || most == 0 || most < least {
                return Err(bad);
            }
        }
        if most > CODE_CHARS_MAX {
            return Err((Some(at), FormatFaultKind::TooLong));
        }
        self.items.push(Item::Repeat { set, least, most });
        Ok(())
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some((_, c)) = self.chars.next_if(|(_, c)| c.is_ascii_digit()) {
            let digit = c.to_digit(10)? as usize;
            let so_far: usize = number.unwrap_or(0);
            number = Some(so_far.saturating_mul(10).saturating_add(digit));
        }
        number
    }
}
