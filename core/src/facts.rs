//! What is known of a parcel besides where it is: the compact facts that a signal carries.
//!
//! Facts are not decisions. The driver identifies codes and looks waybills up with the pure
//! functions of this crate, and what came of it travels in the signal and lies in the journal, so
//! that replay needs neither format table nor directory. Nothing here depends on a sort plan:
//! which destination an address belongs to is decided by the plan that is active when the parcel
//! is decided, and again when another one becomes active while it rides.

use serde::{Deserialize, Serialize};

use crate::ids::CodeId;
use crate::units::{Grams, Mm};

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
            Deserialize,
        )]
        pub struct $name(pub u64);

        impl $name {
            /// No name.
            pub const NONE: Self = Self(0);

            /// The key of a name; that of the empty name is [`Self::NONE`].
            #[must_use]
            pub fn of(name: &str) -> Self {
                if name.is_empty() { Self::NONE } else { Self(CodeId::of(name).0) }
            }

            /// Whether there is a name.
            #[must_use]
            pub const fn is_some(self) -> bool {
                self.0 != 0
            }
        }
    };
}

key! {
    /// A destination by its name, as pre-advice, hosts and people give it.
    ///
    /// It is a hash of the name ([`CodeId::of`]), so that pre-advice and every version of the plan
    /// agree on it without a common register. [`Plan::new`](crate::plan::Plan::new) refuses two
    /// names with one key.
    DestKey
}
key! {
    /// A carrier (SF, UPS, …) by its name, as the table of code formats gives it.
    CarrierKey
}
key! {
    /// A service (express, economy, …) by its name, as pre-advice gives it.
    ServiceKey
}

/// A segment code (三段码) or postcode, packed so that a prefix is a range of numbers.
///
/// Up to [`Address::CHARS_MAX`] characters to the base 40, the first in the highest place; what
/// follows is cut off. Letters count as capitals, blanks are left out, and every character that is
/// neither digit nor letter counts as the same separator.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Address(pub u64);

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressFault {
    /// There is nothing in it.
    Empty,
    /// It has a character other than digits, letters from A to Z, and `-`, `/`, `.` or `_`.
    Foreign,
    /// It has nothing but separators.
    Bare,
}

impl core::fmt::Display for AddressFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

impl AddressFault {
    /// What is wrong, as part of a sentence.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Empty => "there is nothing in it",
            Self::Foreign => "it has a character that is none of an address",
            Self::Bare => "it has neither digit nor letter",
        }
    }
}

impl Address {
    /// No address.
    pub const NONE: Self = Self(0);
    /// Characters that are kept.
    pub const CHARS_MAX: usize = 12;
    const BASE: u64 = 40;

    /// Packs a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::plain(text).unwrap_or_else(|| Self::pack(text.chars().map(Self::digit)))
    }

    /// Packs a text of few enough letters and digits and nothing else: nearly all are such. To stop
    /// at the first other character takes longer than to look at all.
    #[inline]
    fn plain(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > Self::CHARS_MAX {
            return None;
        }
        let (mut packed, mut is_plain) = (0_u64, true);
        for byte in text.bytes() {
            let digit = Self::DIGITS[usize::from(byte)];
            is_plain &= digit != Self::BLANK && digit != Self::SEPARATOR;
            packed = Self::with(packed, digit);
        }
        is_plain.then(|| Self(packed * Self::PLACES[text.len()]))
    }

    /// Packs a text that somebody has written as an address. One that is read off a label is
    /// taken for what it can be, with [`Address::of`]; a slip of a person would only be found when
    /// its parcel has no way to go.
    ///
    /// # Errors
    /// Why it is none.
    #[inline]
    pub fn checked(text: &str) -> Result<Self, AddressFault> {
        match Self::plain(text) {
            Some(plain) => Ok(plain),
            None => Self::checked_by_chars(text),
        }
    }

    #[cold]
    fn checked_by_chars(text: &str) -> Result<Self, AddressFault> {
        let mut kept = text.chars().filter(|c| !c.is_whitespace()).peekable();
        if kept.peek().is_none() {
            return Err(AddressFault::Empty);
        }
        let mut is_bare = true;
        for c in kept {
            let is_sign = c.is_ascii_alphanumeric();
            if !is_sign && !Self::SEPARATORS.contains(&c) {
                return Err(AddressFault::Foreign);
            }
            is_bare &= !is_sign;
        }
        if is_bare {
            return Err(AddressFault::Bare);
        }
        Ok(Self::of(text))
    }

    /// What people write between the parts of an address. They all count as the same.
    const SEPARATORS: [char; 4] = ['-', '/', '.', '_'];

    fn pack(digits: impl Iterator<Item = u8>) -> Self {
        let (mut packed, mut chars) = (0_u64, 0);
        for digit in digits.filter(|digit| *digit != Self::BLANK) {
            if chars == Self::CHARS_MAX {
                break;
            }
            packed = Self::with(packed, digit);
            chars += 1;
        }
        Self(packed.wrapping_mul(Self::PLACES[chars]))
    }

    /// Packs one digit more. Twelve fit; to ask at each of them takes as long as all the rest.
    const fn with(packed: u64, digit: u8) -> u64 {
        packed.wrapping_mul(Self::BASE).wrapping_add(digit as u64)
    }

    /// How many characters it has.
    #[must_use]
    pub const fn chars(self) -> usize {
        let (mut rest, mut chars) = (self.0, Self::CHARS_MAX);
        while chars > 0 && rest.is_multiple_of(Self::BASE) {
            rest /= Self::BASE;
            chars -= 1;
        }
        chars
    }

    /// Whether there is one.
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.0 != 0
    }

    /// What comes behind the last packed address.
    pub const END: u64 = Self::BASE.pow(Self::CHARS_MAX as u32);

    /// Its first characters, as a number below 40 to the power of `chars`.
    #[must_use]
    pub const fn beginning(self, chars: usize) -> u64 {
        self.0 / Self::BASE.pow((Self::CHARS_MAX - chars) as u32)
    }

    /// The last packed address that begins with this one; the first is itself.
    #[must_use]
    pub const fn last_with_prefix(self) -> Self {
        let free = Self::CHARS_MAX - self.chars();
        Self(self.0 + (Self::BASE.pow(free as u32) - 1))
    }

    /// Whether this address begins with `prefix`.
    #[must_use]
    pub const fn starts_with(self, prefix: Self) -> bool {
        prefix.0 <= self.0 && self.0 <= prefix.last_with_prefix().0
    }

    fn digit(c: char) -> u8 {
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii() => Self::ascii_digit(byte),
            _ if c.is_whitespace() => Self::BLANK,
            _ => Self::SEPARATOR,
        }
    }

    /// A character that does not count. No digit is 0, so that a prefix is less than what begins
    /// with it.
    const BLANK: u8 = 0;
    const SEPARATOR: u8 = 37;

    /// What the last of so many characters is multiplied by.
    const PLACES: [u64; Self::CHARS_MAX + 1] = {
        let mut places = [1; Self::CHARS_MAX + 1];
        let mut chars = Self::CHARS_MAX;
        while chars > 0 {
            places[chars - 1] = places[chars] * Self::BASE;
            chars -= 1;
        }
        places
    };

    /// Of each byte, of which those beyond ASCII are none of a plain text.
    const DIGITS: [u8; 256] = {
        let mut digits = [Self::SEPARATOR; 256];
        let mut byte = 0;
        while byte < 128 {
            digits[byte as usize] = Self::ascii_digit(byte);
            byte += 1;
        }
        digits
    };

    const fn ascii_digit(byte: u8) -> u8 {
        match byte.to_ascii_uppercase() {
            byte @ b'0'..=b'9' => 1 + byte - b'0',
            byte @ b'A'..=b'Z' => 11 + byte - b'A',
            // What `char::is_whitespace` says of ASCII.
            b'\t'..=b'\r' | b' ' => Self::BLANK,
            _ => Self::SEPARATOR,
        }
    }
}

impl core::fmt::Display for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut rest = self.0;
        let mut place = Self::BASE.pow(Self::CHARS_MAX as u32 - 1);
        while rest > 0 {
            let c = match rest / place {
                digit @ 1..=10 => b'0' + digit as u8 - 1,
                letter @ 11..=36 => b'A' + letter as u8 - 11,
                _ => b'-',
            };
            core::fmt::Write::write_char(f, char::from(c))?;
            rest %= place;
            place /= Self::BASE;
        }
        Ok(())
    }
}

/// Named attributes of a parcel, one bit each. The first are fixed; the hub names the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tags(pub u64);

impl Tags {
    /// No attribute.
    pub const NONE: Self = Self(0);
    /// Dangerous goods, as declared.
    pub const DANGEROUS: Self = Self(1);
    /// Must not fall far.
    pub const FRAGILE: Self = Self(2);
    /// Names of the fixed bits, in their order.
    pub const FIXED: [&'static str; 2] = ["dangerous", "fragile"];
    /// How many there can be, the fixed ones among them.
    pub const MAX: usize = 64;

    /// Whether it has all of `others`.
    #[must_use]
    pub const fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether it has any of `others`.
    #[must_use]
    pub const fn has_any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// Mass and size; zero means not measured, or not declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Measures {
    /// Mass.
    pub weight: Grams,
    /// The longest side.
    pub length: Mm,
    /// The middle side.
    pub width: Mm,
    /// The shortest side.
    pub height: Mm,
}

impl Measures {
    /// Its sides in mm, the longest first; 0 for one that is not measured.
    #[must_use]
    pub fn sides(&self) -> [u32; 3] {
        let mut sides = [self.length.0, self.width.0, self.height.0];
        sides.sort_unstable_by(|a, b| b.cmp(a));
        sides
    }

    /// The same with its sides in order: however a parcel lies, its longest side is its length.
    #[must_use]
    pub fn longest_first(self) -> Self {
        let [length, width, height] = self.sides().map(Mm);
        Self {
            length,
            width,
            height,
            ..self
        }
    }

    /// These, with what was measured later in place of it.
    #[must_use]
    pub fn updated(self, later: Self) -> Self {
        let newer = |before: u32, later: u32| if later > 0 { later } else { before };
        Self {
            weight: Grams(newer(self.weight.0, later.weight.0)),
            length: Mm(newer(self.length.0, later.length.0)),
            width: Mm(newer(self.width.0, later.width.0)),
            height: Mm(newer(self.height.0, later.height.0)),
        }
    }

    /// Volume in cm³, rounded down; `None` if a side is not measured.
    #[must_use]
    pub const fn volume_cm3(&self) -> Option<u64> {
        if self.length.0 == 0 || self.width.0 == 0 || self.height.0 == 0 {
            return None;
        }
        Some(self.length.0 as u64 * self.width.0 as u64 * self.height.0 as u64 / 1_000)
    }
}

/// What pre-advice says of a waybill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Advice {
    /// There is pre-advice; otherwise the rest is empty but for what the code itself says.
    pub known: bool,
    /// The destination, where it is named outright.
    pub dest: DestKey,
    /// The segment code.
    pub segment: Address,
    /// The postcode.
    pub postcode: Address,
    /// The service.
    pub service: ServiceKey,
    /// Attributes.
    pub tags: Tags,
    /// Mass and size as declared.
    pub declared: Measures,
}

impl Advice {
    /// The same with the segment code and the postcode of another one where it has none.
    #[must_use]
    pub fn with_address_of(self, other: &Self) -> Self {
        let or = |own: Address, other| if own.is_some() { own } else { other };
        Self {
            segment: or(self.segment, other.segment),
            postcode: or(self.postcode, other.postcode),
            ..self
        }
    }
}

/// What is known of a parcel after a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Facts {
    /// Whether there is a code, and a good one.
    pub read: Reading,
    /// The identity that the code gives, as a number; the text stays with the driver.
    pub code: CodeId,
    /// Whose code it is.
    pub carrier: CarrierKey,
    /// What pre-advice says.
    pub advice: Advice,
    /// Mass and size as measured here.
    pub measured: Measures,
    /// What a security device says.
    pub verdict: Verdict,
}

/// Whether a telegram carried a code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reading {
    /// None could be read.
    #[default]
    NoRead,
    /// One good code.
    Good,
    /// Codes that contradict each other.
    Conflict,
    /// A code whose form or check digit is wrong.
    Invalid,
    /// Codes of several parcels in one gate.
    Several,
}

/// What a security device (X-ray) says of a parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing.
    #[default]
    None,
    /// It may go on.
    Clear,
    /// Somebody must look at it.
    Suspect,
}

impl Facts {
    /// A good reading of a code that pre-advice names a destination for; without a key one that
    /// nothing is known of.
    #[must_use]
    pub fn advised(code: CodeId, dest: DestKey) -> Self {
        Self {
            read: Reading::Good,
            code,
            advice: Advice {
                known: dest.is_some(),
                dest,
                ..Advice::default()
            },
            ..Self::default()
        }
    }

    /// What is known after another reading of the same parcel.
    ///
    /// A good code makes up for one that could not be read or was not valid; two different good
    /// ones contradict each other, and then neither is trusted any more, whatever follows. What a
    /// later reading does not say stays as it was: a scale may see only the mass, an X-ray machine
    /// only its verdict.
    #[must_use]
    pub fn joined(&self, later: &Self) -> Self {
        let mut all = *self;
        // Several parcels on one scale weigh what none of them does.
        if later.read != Reading::Several {
            all.measured = self.measured.updated(later.measured);
        }
        if later.verdict != Verdict::None {
            all.verdict = later.verdict;
        }
        if later.read == Reading::NoRead {
            all.advice = self.advice.with_address_of(&later.advice);
        }
        match (self.read, later.read) {
            (Reading::Good, Reading::Good) if later.code != self.code => {
                all.read = if mutant!("first_code_wins") {
                    Reading::Good
                } else {
                    Reading::Conflict
                };
            }
            (Reading::Good | Reading::NoRead | Reading::Invalid, Reading::Good) => {
                all.read = Reading::Good;
                all.code = later.code;
                if later.carrier.is_some() {
                    all.carrier = later.carrier;
                }
                if !self.advice.known {
                    // What it has is from the label: one reader may see only the address, another
                    // only the number.
                    all.advice = later.advice.with_address_of(&self.advice);
                } else if later.advice.known {
                    all.advice = later.advice;
                }
            }
            (Reading::NoRead, Reading::NoRead) => {}
            (Reading::NoRead, read)
            | (Reading::Invalid, read @ (Reading::Conflict | Reading::Several)) => {
                all.read = read;
                all.code = later.code;
            }
            _ => {}
        }
        all
    }
}
