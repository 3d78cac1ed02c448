//! What a table of code formats says, before it is checked.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// A table of code formats as described. [`Formats::new`](super::Formats::new) checks it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatsSpec {
    /// The formats; of two that are alike in all else, the first wins.
    pub formats: Vec<FormatSpec>,
}

/// One code format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatSpec {
    /// What reports call it; unique.
    pub name: String,
    /// Whose it is.
    pub carrier: String,
    /// What its codes are for.
    pub kind: Kind,
    /// Which format wins, and which code of a label: the smallest number.
    pub priority: u16,
    /// The forms that its codes have; the language is in [`Formats`](super::Formats). Of two that
    /// fit, the first counts.
    pub patterns: Vec<String>,
    /// How the character in the group `check` follows from those in the group `over`.
    pub check: Option<CheckSpec>,
    /// What the print leaves out at the beginning though it belongs to the identity and to what
    /// is checked; empty for most.
    pub omitted: String,
    /// Characters that are printed between the others and left out where a code does not fit with
    /// them: of `-`, `.` and `/`.
    pub separators: String,
    /// Its codes begin with an application identifier of GS1: where the reader or the print says
    /// that a code does, formats like this one come before all others.
    pub is_gs1: bool,
    /// What the group `word` may hold; a code with another word is none of this format.
    pub words: Vec<String>,
}

impl FormatSpec {
    /// A waybill format without a check digit, with priority 100.
    #[must_use]
    pub fn new(name: &str, carrier: &str, patterns: &[&str]) -> Self {
        Self {
            name: name.into(),
            carrier: carrier.into(),
            kind: Kind::Waybill,
            priority: 100,
            patterns: patterns.iter().map(|pattern| (*pattern).into()).collect(),
            check: None,
            omitted: String::new(),
            separators: String::new(),
            is_gs1: false,
            words: Vec::new(),
        }
    }
}

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It says which parcel this is.
    Waybill,
    /// It says where the parcel goes, not which it is: it never identifies one.
    Route,
    /// It says which bag, cage or pallet this is.
    Container,
    /// It says which parcel, bag, cage or pallet this is: all of them have such numbers.
    Unit,
}

/// How a check character is computed. Weights go round from the right, from the character next to
/// the check character; letters count only where it is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckSpec {
    /// GS1 General Specifications: weights 3, 1; what the sum lacks to a multiple of ten.
    #[serde(rename = "gs1-mod-10")]
    Gs1Mod10,
    /// UPU S10: eight digits, from the left weights 8, 6, 4, 2, 3, 5, 9, 7; eleven less the rest of
    /// the sum by eleven, 10 becoming 0 and 11 becoming 5.
    #[serde(rename = "s10-mod-11")]
    S10Mod11,
    /// UPS 1Z: weights 1, 2; letters count 2 to 9, then 0, 1 and so on, from A; what the sum lacks
    /// to a multiple of ten.
    #[serde(rename = "ups-mod-10")]
    UpsMod10,
    /// DHL Express: the number's rest by seven.
    #[serde(rename = "mod-7")]
    Mod7,
    /// ISO/IEC 7064, MOD 37,36: digits and letters.
    #[serde(rename = "iso-7064-mod-37-36")]
    Iso7064Mod37x36,
    /// Any other sum of digits.
    Weighted {
        /// From the right, repeated as needed.
        weights: Vec<u8>,
        /// By what the sum is divided.
        modulus: u8,
        /// What the check digit is; of a number of two digits, the last.
        digit: CheckDigit,
    },
}

/// What becomes of a weighted sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckDigit {
    /// The rest of the division.
    Remainder,
    /// What the sum lacks to a multiple of the modulus.
    Complement,
}
