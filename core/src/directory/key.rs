//! Waybill numbers as integers, without loss.
//!
//! Two waybills must never be taken for one: a parcel would go where another one belongs. So a
//! number is not hashed into a key but written in a smaller alphabet, in a form chosen by the text
//! itself. Each form has a range of integers of its own, and within a form the numeration is
//! bijective (digits from 1 on, no zero), so that "007" and "7" differ as well. What fits no form
//! is kept as text.

use crate::limits::WAYBILL_BYTES_MAX;

/// Why a text cannot be a waybill number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWaybill {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It has more than [`WAYBILL_BYTES_MAX`] bytes.
    #[error("it has more than {WAYBILL_BYTES_MAX} bytes")]
    TooLong,
    /// There is a control character in it, which no scanner passes on.
    #[error("it has a control character in it")]
    Control,
}

/// A waybill number as the table keeps it: what [`Waybills`](super::Waybills) is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waybill<'t>(pub(super) Key<'t>);

impl<'t> Waybill<'t> {
    /// The number that a text is, exactly: neither blanks nor small letters are made equal.
    ///
    /// # Errors
    /// Why no waybill can have this number. As a look-up it is one without an answer; in
    /// pre-advice it is a fault.
    #[inline]
    pub fn of(text: &'t str) -> Result<Self, NoWaybill> {
        Key::of(text).map(Self)
    }

    /// The same number without the text that it was made from; `None` if it is kept as text.
    #[inline]
    #[must_use]
    pub const fn without_text(&self) -> Option<Waybill<'static>> {
        match self.0 {
            Key::Narrow(key) => Some(Waybill(Key::Narrow(key))),
            Key::Wide(key) => Some(Waybill(Key::Wide(key))),
            Key::Long(_) => None,
        }
    }

    /// Whether it fits into 64 bits, as most carriers' numbers do.
    #[must_use]
    pub const fn is_narrow(&self) -> bool {
        matches!(self.0, Key::Narrow(_))
    }
}

/// A number in the smallest form that holds it. Zero is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key<'t> {
    /// Up to 4 letters with up to 13 digits behind them; up to 18 digits; the 13 characters of a
    /// postal item (UPU S10); anything of up to 12 letters and digits.
    Narrow(u64),
    /// Up to 38 digits; up to 24 letters and digits; up to 19 printable ASCII characters.
    Wide(u128),
    /// Anything else.
    Long(&'t str),
}

/// How many texts of up to `len` characters an alphabet of `base` has, the empty one among them.
const fn count(base: u128, len: u32) -> u128 {
    let mut sum = 1;
    let mut at = 0;
    while at < len {
        sum = sum * base + 1;
        at += 1;
    }
    sum
}

const PREFIX_LETTERS: usize = 4;
const SERIAL_DIGITS: usize = 13;
const NARROW_DIGITS: usize = 18;
const NARROW_ALNUM: usize = 12;
const WIDE_DIGITS: usize = 38;
const WIDE_ALNUM: usize = 24;
const WIDE_PRINTABLE: usize = 19;

const SERIALS: u64 = count(10, SERIAL_DIGITS as u32) as u64;
const S10_SERIALS: u64 = 1_000_000_000;

// Where each form's range begins. The empty text would be the first of the first range: 0.
const NARROW_DIGITS_FROM: u64 = count(26, PREFIX_LETTERS as u32) as u64 * SERIALS;
const S10_FROM: u64 = NARROW_DIGITS_FROM + count(10, NARROW_DIGITS as u32) as u64;
const NARROW_ALNUM_FROM: u64 = S10_FROM + 26 * 26 * S10_SERIALS * 26 * 26;
const WIDE_DIGITS_FROM: u128 = 1;
const WIDE_ALNUM_FROM: u128 = WIDE_DIGITS_FROM + count(10, WIDE_DIGITS as u32);
const WIDE_PRINTABLE_FROM: u128 = WIDE_ALNUM_FROM + count(36, WIDE_ALNUM as u32);

// The last range of each width ends within it; the sums above are checked by the compiler.
const _: () =
    assert!(NARROW_ALNUM_FROM as u128 + count(36, NARROW_ALNUM as u32) <= u64::MAX as u128);
const _: () = assert!(WIDE_PRINTABLE_FROM <= u128::MAX - count(95, WIDE_PRINTABLE as u32));

impl<'t> Key<'t> {
    #[inline]
    fn of(text: &'t str) -> Result<Self, NoWaybill> {
        let bytes = text.as_bytes();
        if bytes.is_empty() {
            return Err(NoWaybill::Empty);
        }
        if bytes.len() > WAYBILL_BYTES_MAX {
            return Err(NoWaybill::TooLong);
        }
        let (letters, prefix) = leading(bytes, 26, b'A');
        let rest = bytes.get(letters..).unwrap_or(&[]);
        let (digits, serial) = leading_digits(rest);
        let suffix = rest.get(digits..).unwrap_or(&[]);
        Ok(match (letters, digits, suffix.len()) {
            (..=PREFIX_LETTERS, ..=SERIAL_DIGITS, 0) => Self::Narrow(prefix * SERIALS + serial),
            (0, ..=NARROW_DIGITS, 0) => Self::Narrow(NARROW_DIGITS_FROM + serial),
            (0, ..=WIDE_DIGITS, 0) => Self::Wide(WIDE_DIGITS_FROM + large(bytes, 10, digit)),
            (2, 9, 2) if leading(suffix, 26, b'A').0 == 2 => {
                let pair = |letters: &[u8]| plain(letters, 26, b'A');
                let number = plain(rest.split_at(9).0, 10, b'0');
                let carrier = pair(bytes.split_at(2).0);
                Self::Narrow(S10_FROM + (carrier * S10_SERIALS + number) * 676 + pair(suffix))
            }
            _ => return Self::of_mixed(text),
        })
    }

    fn of_mixed(text: &'t str) -> Result<Self, NoWaybill> {
        let bytes = text.as_bytes();
        let alnum = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let printable = |byte: &u8| (b' '..=b'~').contains(byte);
        if bytes.len() <= WIDE_ALNUM && bytes.iter().all(alnum) {
            return Ok(match bytes.len() {
                ..=NARROW_ALNUM => Self::Narrow(NARROW_ALNUM_FROM + small(bytes, 36, either)),
                _ => Self::Wide(WIDE_ALNUM_FROM + large(bytes, 36, either)),
            });
        }
        if bytes.len() <= WIDE_PRINTABLE && bytes.iter().all(printable) {
            let value = large(bytes, 95, |byte| byte - b' ' + 1);
            return Ok(Self::Wide(WIDE_PRINTABLE_FROM + value));
        }
        if text.chars().any(char::is_control) {
            return Err(NoWaybill::Control);
        }
        Ok(Self::Long(text))
    }
}

/// How many bytes at the beginning are digits to a base, the first of them written as `zero`, and
/// their bijective number. Of more than fit 64 bits it is none of use.
fn leading(bytes: &[u8], base: u8, zero: u8) -> (usize, u64) {
    let (mut count, mut number) = (0, 0_u64);
    for byte in bytes {
        let digit = byte.wrapping_sub(zero);
        if digit >= base {
            break;
        }
        number = number
            .wrapping_mul(u64::from(base))
            .wrapping_add(u64::from(digit) + 1);
        count += 1;
    }
    (count, number)
}

/// As [`leading`] for decimal digits, eight at a time. Other bytes than digits end them, and where
/// they end is found without asking at each.
fn leading_digits(bytes: &[u8]) -> (usize, u64) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (mut count, mut number) = (0, 0_u64);
    let mut rest = bytes;
    loop {
        let (text, next) = match rest.split_first_chunk::<8>() {
            Some((text, next)) => (u64::from_le_bytes(*text), next),
            None => (last_word(bytes, rest.len()), &[][..]),
        };
        let values = text ^ (ONES * u64::from(b'0'));
        // A value of ten or more has a bit in its high half, at the latest with six added.
        let others = (values | ((values & (ONES * 0x0f)) + ONES * 6)) & (ONES * 0xf0);
        let digits = others.trailing_zeros() as usize / 8;
        // Zeros take the place of what is not there, before the digits.
        let values = values.checked_shl((8 - digits as u32) * 8).unwrap_or(0);
        let pairs = (values.wrapping_mul(10) + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
        let eight = (fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff;
        let (scale, ones) = DIGITS[digits];
        number = number.wrapping_mul(scale).wrapping_add(eight + ones);
        count += digits;
        if digits < 8 {
            return (count, number);
        }
        rest = next;
    }
}

/// Ten to the power of a count of digits, and the number whose digits are so many ones.
const DIGITS: [(u64, u64); 9] = {
    let mut digits = [(1, 0); 9];
    let mut count = 1;
    while count < 9 {
        let (scale, ones) = digits[count - 1];
        digits[count] = (scale * 10, ones * 10 + 1);
        count += 1;
    }
    digits
};

/// The last bytes of a text, fewer than eight, with zeros behind them.
fn last_word(bytes: &[u8], count: usize) -> u64 {
    if let Some(last) = bytes.last_chunk::<8>() {
        return u64::from_le_bytes(*last)
            .checked_shr(64 - count as u32 * 8)
            .unwrap_or(0);
    }
    let rest = bytes.iter().rev().take(count);
    rest.fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn letter(byte: u8) -> u8 {
    byte - b'A' + 1
}

fn digit(byte: u8) -> u8 {
    byte - b'0' + 1
}

fn either(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => digit(byte),
        _ => letter(byte) + 10,
    }
}

// The sums below wrap only where the ranges above would not fit; asking at each step whether they
// do takes as long as all the rest.

/// A bijective number of at most 64 bits.
fn small(bytes: &[u8], base: u64, value: fn(u8) -> u8) -> u64 {
    let digits = bytes.iter().map(|byte| u64::from(value(*byte)));
    digits.fold(0, |sum, digit| sum.wrapping_mul(base).wrapping_add(digit))
}

/// A bijective number of at most 128 bits.
fn large(bytes: &[u8], base: u128, value: fn(u8) -> u8) -> u128 {
    let digits = bytes.iter().map(|byte| u128::from(value(*byte)));
    digits.fold(0, |sum, digit| sum.wrapping_mul(base).wrapping_add(digit))
}

/// A number of a fixed count of digits, the first of them written as `zero`.
fn plain(bytes: &[u8], base: u64, zero: u8) -> u64 {
    let digits = bytes.iter().map(|byte| u64::from(byte - zero));
    digits.fold(0, |sum, digit| sum * base + digit)
}
