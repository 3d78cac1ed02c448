//! Decimal text to integers in smaller units, exactly.
//!
//! Going through floating point would make `0.525` m something that is not 525 mm; so the digits
//! are shifted instead.

/// Why a text gives no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberFault {
    /// It is not a decimal number.
    NotANumber,
    /// It is below zero.
    Negative,
    /// It is larger than anything that is measured here.
    TooLarge,
}

/// So many digits always fit into 64 bits.
const DIGITS_MAX: i64 = 18;

/// The number times ten to the power of `shift`, rounded half up. Blanks around it do not matter.
pub(crate) fn scaled(text: &str, shift: u32) -> Result<u64, NumberFault> {
    let number = Decimal::parse(text).ok_or(NumberFault::NotANumber)?;
    let whole = number.whole_digits.saturating_add(i64::from(shift));
    let is_zero = number.digits.is_empty();
    if number.negative && !is_zero {
        return Err(NumberFault::Negative);
    }
    if is_zero || whole < 0 {
        return Ok(0);
    }
    if whole > DIGITS_MAX {
        return Err(NumberFault::TooLarge);
    }
    let digits = number.digits.iter().copied().chain(std::iter::repeat(0));
    let value = digits
        .take(whole as usize)
        .fold(0, |value, digit| value * 10 + u64::from(digit));
    let next = number.digits.get(whole as usize).copied().unwrap_or(0);
    Ok(value + u64::from(next >= 5))
}

/// Whether a number has anything but zeros behind its point.
pub(super) fn is_whole(text: &str) -> bool {
    Decimal::parse(text).is_some_and(|number| {
        let from = usize::try_from(number.whole_digits.max(0)).unwrap_or(usize::MAX);
        number.digits.iter().skip(from).all(|&digit| digit == 0)
    })
}

/// `0.` and the digits, times ten to the power of `whole_digits`. Zero has no digits.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    whole_digits: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            // Longer exponents than this mean zero or far too much; both come out right.
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole
            .bytes()
            .chain(fraction.bytes())
            .map(|byte| byte.is_ascii_digit().then(|| byte - b'0'))
            .collect::<Option<_>>()?;
        let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
        let whole_digits = whole.len() as i64 - zeros as i64 + i64::from(exponent);
        let significant = digits.get(zeros..).unwrap_or(&[]).to_vec();
        (!digits.is_empty()).then_some(Self {
            negative,
            digits: significant,
            whole_digits,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_shifted_and_rounded_half_up() {
        let cases: &[(&str, u32, Result<u64, NumberFault>)] = &[
            ("0.651", 3, Ok(651)),
            (" 12.5 ", 3, Ok(12_500)),
            ("1.212", 6, Ok(1_212_000)),
            ("2731.8", 0, Ok(2_732)),
            ("2731.49999", 0, Ok(2_731)),
            ("0.0005", 3, Ok(1)),
            ("0.00049", 3, Ok(0)),
            (".5", 3, Ok(500)),
            ("5.", 0, Ok(5)),
            ("1e-05", 6, Ok(10)),
            ("5E3", 0, Ok(5_000)),
            ("007", 0, Ok(7)),
            ("-0.0", 3, Ok(0)),
            ("0", 9, Ok(0)),
            ("1e-2000000000", 0, Ok(0)),
            ("-3", 0, Err(NumberFault::Negative)),
            ("1e99", 0, Err(NumberFault::TooLarge)),
            ("1e2000000000", 0, Err(NumberFault::TooLarge)),
            ("", 0, Err(NumberFault::NotANumber)),
            (".", 0, Err(NumberFault::NotANumber)),
            ("0,5", 3, Err(NumberFault::NotANumber)),
            ("1.2.3", 0, Err(NumberFault::NotANumber)),
            ("nan", 0, Err(NumberFault::NotANumber)),
            ("1e", 0, Err(NumberFault::NotANumber)),
        ];
        for (text, shift, wanted) in cases {
            assert_eq!(scaled(text, *shift), *wanted, "{text:?} shifted by {shift}");
        }
    }

    #[test]
    fn whole_numbers_may_be_written_with_zeros_behind_the_point() {
        for (text, whole) in [("3", true), ("3.0", true), ("3.1", false), ("0.5", false)] {
            assert_eq!(is_whole(text), whole, "{text}");
        }
        assert!(is_whole("30e-1") && !is_whole("35e-1") && !is_whole("x"));
    }
}
