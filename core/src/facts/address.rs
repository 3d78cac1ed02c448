//! Segment codes and postcodes as numbers.

use serde::{Deserialize, Serialize};

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

/// What a character is in an address: its digit, and the marks below.
type Sign = u16;

/// The bits of the digit.
const DIGIT: Sign = 0xff;
/// No digit is 0, so that a prefix is less than what begins with it.
const BLANK: Sign = 0;
/// The digit of every character that is neither digit nor letter.
const SEPARATOR: Sign = 37;
/// It is a digit or a letter.
const NAMED: Sign = 0x100;
/// Whoever writes an address writes no such character.
const FOREIGN: Sign = 0x200;
/// What the byte means is only known when the character is looked at: it is left out, or is part
/// of one beyond ASCII.
const BY_CHARS: Sign = 0x400;

/// Of each byte.
const SIGNS: [Sign; 256] = {
    let mut signs = [FOREIGN | BY_CHARS | SEPARATOR; 256];
    let mut byte = 0;
    while byte < 128 {
        signs[byte as usize] = match byte {
            b'0'..=b'9' => NAMED | (1 + byte - b'0') as Sign,
            b'A'..=b'Z' => NAMED | (11 + byte - b'A') as Sign,
            b'a'..=b'z' => NAMED | (11 + byte - b'a') as Sign,
            // What people write between the parts of an address. They all count as the same.
            b'-' | b'/' | b'.' | b'_' => SEPARATOR,
            // What `char::is_whitespace` says of ASCII.
            b'\t'..=b'\r' | b' ' => BY_CHARS | BLANK,
            _ => FOREIGN | SEPARATOR,
        };
        byte += 1;
    }
    signs
};

fn sign(c: char) -> Sign {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => SIGNS[usize::from(byte)],
        _ if c.is_whitespace() => BY_CHARS | BLANK,
        _ => FOREIGN | SEPARATOR,
    }
}

/// A text that is packed, and what is to be said of its characters.
struct Packed {
    address: Address,
    /// The signs of all characters put together, for their marks.
    marks: Sign,
}

impl Packed {
    fn checked(&self) -> Result<Address, AddressFault> {
        match self {
            packed if packed.marks & FOREIGN != 0 => Err(AddressFault::Foreign),
            packed if packed.marks & NAMED == 0 => Err(AddressFault::Bare),
            packed => Ok(packed.address),
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
        match Self::by_bytes(text) {
            packed if packed.marks & BY_CHARS == 0 => packed.address,
            _ => Self::by_chars(text).map_or(Self::NONE, |packed| packed.address),
        }
    }

    /// Packs a text that somebody has written as an address. One that is read off a label is
    /// taken for what it can be, with [`Address::of`]; a slip of a person would only be found when
    /// its parcel has no way to go.
    ///
    /// # Errors
    /// Why it is none.
    #[inline]
    pub fn checked(text: &str) -> Result<Self, AddressFault> {
        match Self::by_bytes(text) {
            packed if packed.marks & BY_CHARS == 0 && !text.is_empty() => packed.checked(),
            _ => Self::by_chars(text)
                .ok_or(AddressFault::Empty)
                .and_then(|packed| packed.checked()),
        }
    }

    /// Packs a text byte by byte, which holds unless one of them is marked [`BY_CHARS`]. To stop at
    /// that one takes longer than to look at all.
    #[inline]
    fn by_bytes(text: &str) -> Packed {
        let (head, tail) = text.as_bytes().split_at(text.len().min(Self::CHARS_MAX));
        let (mut packed, mut marks) = (0_u64, 0);
        for byte in head {
            let sign = SIGNS[usize::from(*byte)];
            packed = Self::with(packed, sign);
            marks |= sign;
        }
        for byte in tail {
            marks |= SIGNS[usize::from(*byte)];
        }
        let address = Self(packed.wrapping_mul(Self::PLACES[head.len()]));
        Packed { address, marks }
    }

    /// Packs a text character by character; `None` if there is nothing in it.
    #[cold]
    fn by_chars(text: &str) -> Option<Packed> {
        let (mut packed, mut marks, mut chars) = (0_u64, 0, 0);
        let signs = text.chars().map(sign);
        for sign in signs.filter(|sign| sign & DIGIT != BLANK) {
            if chars < Self::CHARS_MAX {
                packed = Self::with(packed, sign);
                chars += 1;
            }
            marks |= sign;
        }
        let address = Self(packed.wrapping_mul(Self::PLACES[chars]));
        (chars > 0).then_some(Packed { address, marks })
    }

    /// Packs one digit more. Twelve fit; to ask at each of them takes as long as all the rest.
    const fn with(packed: u64, sign: Sign) -> u64 {
        let digit = (sign & DIGIT) as u64;
        packed.wrapping_mul(Self::BASE).wrapping_add(digit)
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
