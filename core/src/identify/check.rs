//! Check characters.

use super::fault::FormatFaultKind;
use super::pattern::{CAPITALS, DIGITS, Set};
use super::spec::{CheckDigit, CheckSpec};

/// Most weights of one rule.
const WEIGHTS_MAX: usize = 32;

/// A check rule, ready to be computed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Check {
    Gs1,
    S10,
    Ups,
    Mod7,
    Mod37x36,
    Weighted {
        weights: [u8; WEIGHTS_MAX],
        count: u8,
        modulus: u8,
        digit: CheckDigit,
    },
}

impl Check {
    pub(super) fn new(spec: &CheckSpec) -> Result<Self, FormatFaultKind> {
        Ok(match spec {
            CheckSpec::Gs1Mod10 => Self::Gs1,
            CheckSpec::S10Mod11 => Self::S10,
            CheckSpec::UpsMod10 => Self::Ups,
            CheckSpec::Mod7 => Self::Mod7,
            CheckSpec::Iso7064Mod37x36 => Self::Mod37x36,
            CheckSpec::Weighted {
                weights: given,
                modulus,
                digit,
            } => {
                let good = (1..=WEIGHTS_MAX).contains(&given.len()) && !given.contains(&0);
                if !good || *modulus < 2 {
                    return Err(FormatFaultKind::BadWeights);
                }
                let mut weights = [0; WEIGHTS_MAX];
                weights
                    .iter_mut()
                    .zip(given)
                    .for_each(|(to, from)| *to = *from);
                Self::Weighted {
                    weights,
                    count: given.len() as u8,
                    modulus: *modulus,
                    digit: *digit,
                }
            }
        })
    }

    /// The characters that can be checked.
    pub(super) const fn takes(self) -> Set {
        match self {
            Self::Ups | Self::Mod37x36 => DIGITS | CAPITALS,
            Self::Gs1 | Self::S10 | Self::Mod7 | Self::Weighted { .. } => DIGITS,
        }
    }

    /// The characters that the check character can be.
    pub(super) const fn gives(self) -> Set {
        match self {
            Self::Mod37x36 => DIGITS | CAPITALS,
            _ => DIGITS,
        }
    }

    /// How many characters are checked, where that is fixed.
    pub(super) const fn length(self) -> Option<usize> {
        match self {
            Self::S10 => Some(8),
            _ => None,
        }
    }

    /// The check character for some characters, all of which the rule takes.
    pub(super) fn character(&self, over: &[u8]) -> u8 {
        match self {
            Self::Gs1 => digit(complement(weighted(over, &[3, 1]), 10)),
            Self::S10 => match complement(weighted(over, &[7, 9, 5, 3, 2, 4, 6, 8]), 11) {
                10 => b'0',
                // No rest: eleven less nothing is 11, which becomes 5.
                0 => b'5',
                value => digit(value),
            },
            Self::Ups => digit(complement(ups_sum(over), 10)),
            Self::Mod7 => digit(
                over.iter()
                    .fold(0, |rest, byte| (rest * 10 + value(*byte)) % 7),
            ),
            Self::Mod37x36 => mod_37_36(over),
            Self::Weighted {
                weights,
                count,
                modulus,
                digit: what,
            } => {
                let weights = weights.get(..usize::from(*count)).unwrap_or(&[1]);
                let (sum, modulus) = (weighted(over, weights), u32::from(*modulus));
                digit(match what {
                    CheckDigit::Remainder => sum % modulus,
                    CheckDigit::Complement => complement(sum, modulus),
                })
            }
        }
    }
}

/// The last digit of a number, as a character.
fn digit(number: u32) -> u8 {
    b'0' + (number % 10) as u8
}

/// What a digit counts.
fn value(byte: u8) -> u32 {
    u32::from(byte.wrapping_sub(b'0'))
}

fn complement(sum: u32, modulus: u32) -> u32 {
    (modulus - sum % modulus) % modulus
}

/// The weights go round from the right. 64 characters of 9 times 255 are far from 32 bits.
fn weighted(over: &[u8], weights: &[u8]) -> u32 {
    let digits = over.iter().rev().map(|byte| value(*byte));
    digits
        .zip(weights.iter().cycle())
        .map(|(digit, weight)| digit * u32::from(*weight))
        .sum()
}

fn ups_sum(over: &[u8]) -> u32 {
    let values = over.iter().rev().map(|byte| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A' + 2) % 10,
        digit => value(*digit),
    });
    values
        .zip([1, 2].iter().cycle())
        .map(|(value, weight)| value * weight)
        .sum()
}

/// ISO/IEC 7064, the hybrid system MOD 37,36.
fn mod_37_36(over: &[u8]) -> u8 {
    let product = over.iter().fold(36, |product, byte| {
        let value = match byte {
            b'A'..=b'Z' => u32::from(byte - b'A') + 10,
            digit => value(*digit),
        };
        let sum = (product + value) % 36;
        (if sum == 0 { 36 } else { sum }) * 2 % 37
    });
    match (37 - product) % 36 {
        number @ 0..10 => digit(number),
        number => b'A' + (number - 10) as u8,
    }
}
