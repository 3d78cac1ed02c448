//! Spans of time on the command line: `60s`, `24h`, `1h30m`, `250ms`.

use sorthub_core::units::Micros;
use thiserror::Error;

/// Why a text is no span of time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    /// A number without a unit, or the other way round.
    #[error("`{0}` is not a number with a unit; write for example 90s, 24h, 1h30m or 250ms")]
    NotUnderstood(String),
    /// A unit that is not known.
    #[error("`{0}` is not a unit; use ms, s, m, h or d")]
    UnknownUnit(String),
    /// Longer than can be counted in microseconds.
    #[error("`{0}` is too long; at most 500 000 years can be told apart")]
    TooLong(String),
}

const UNITS: &[(&str, u64)] = &[
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("min", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
];

/// Reads a span of time: whole numbers, each with its unit.
///
/// # Errors
/// See [`DurationError`].
pub fn parse(text: &str) -> Result<Micros, DurationError> {
    let mut rest = text.trim();
    let mut total = 0_u64;
    let bad = || DurationError::NotUnderstood(text.to_owned());
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, after) = rest.split_at(unit_at);
        let end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let too_long = || DurationError::TooLong(text.to_owned());
        if number.is_empty() {
            return Err(bad());
        }
        let (_, micros) = UNITS
            .iter()
            .find(|(name, _)| *name == unit.trim())
            .ok_or_else(|| DurationError::UnknownUnit(unit.to_owned()))?;
        let number: u64 = number.parse().map_err(|_| too_long())?;
        let part = number.checked_mul(*micros).ok_or_else(too_long)?;
        total = total.checked_add(part).ok_or_else(too_long)?;
        rest = after;
    }
    Ok(Micros(total))
}

/// As [`parse`], for spans of real time.
///
/// # Errors
/// See [`DurationError`].
pub fn parse_std(text: &str) -> Result<std::time::Duration, DurationError> {
    Ok(std::time::Duration::from_micros(parse(text)?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_add_up() {
        let cases = [
            ("24h", 86_400_000_000),
            ("60s", 60_000_000),
            ("1h30m", 5_400_000_000),
            ("250ms", 250_000),
            ("1m 5s", 65_000_000),
            ("2d", 172_800_000_000),
            ("0s", 0),
        ];
        for (text, micros) in cases {
            assert_eq!(parse(text), Ok(Micros(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_says_why() {
        assert_eq!(parse("5"), Err(DurationError::NotUnderstood("5".into())));
        assert_eq!(parse(""), Err(DurationError::NotUnderstood(String::new())));
        assert_eq!(parse("s"), Err(DurationError::NotUnderstood("s".into())));
        assert_eq!(
            parse("-5s"),
            Err(DurationError::NotUnderstood("-5s".into()))
        );
        assert_eq!(parse("5y"), Err(DurationError::UnknownUnit("y".into())));
        assert_eq!(parse("1.5h"), Err(DurationError::UnknownUnit(".".into())));
        let long = "99999999999999d";
        assert_eq!(parse(long), Err(DurationError::TooLong(long.into())));
    }
}
