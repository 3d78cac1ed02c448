//! Faults in the rows of a layout or of a parcel trace.

use serde::Serialize;
use thiserror::Error;

/// A fault in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[serde(
    tag = "code",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
#[non_exhaustive]
pub enum TraceFault {
    /// A field without anything in it.
    #[error("`{what}` is empty")]
    NoValue {
        /// Column or property.
        what: String,
    },
    /// A field that is not a number.
    #[error("`{what}` is `{found}`, which is not a number")]
    BadNumber {
        /// Column or property.
        what: String,
        /// What stands there.
        found: String,
    },
    /// A number that is not whole.
    #[error("`{what}` is `{found}`, which is not a whole number")]
    NotWhole {
        /// Column or property.
        what: String,
        /// What stands there.
        found: String,
    },
    /// A number below zero.
    #[error("`{what}` is {found}, which is below zero")]
    Negative {
        /// Column or property.
        what: String,
        /// What stands there.
        found: String,
    },
    /// A number that no real thing has.
    #[error("`{what}` is {found}, but must be {range}")]
    OutOfRange {
        /// Column or property.
        what: String,
        /// What stands there.
        found: String,
        /// What is possible.
        range: &'static str,
    },
    /// A parcel number that is there already.
    #[error("parcel {parcel} is already in line {first_line}")]
    DuplicateParcel {
        /// The parcel.
        parcel: String,
        /// Where it stands first.
        first_line: u32,
    },
    /// A chute that the layout does not have.
    #[error("the layout has no outfeed {chute}; it has {chutes}")]
    UnknownChute {
        /// The number given.
        chute: u64,
        /// How many there are.
        chutes: u32,
    },
    /// A property that the layout must have.
    #[error("the layout has no `{property}`")]
    MissingProperty {
        /// The property.
        property: String,
        /// The unit it is usually given in.
        unit: &'static str,
    },
    /// A property that stands there twice.
    #[error("`{property}` is already given in line {first_line}")]
    PropertyTwice {
        /// The property.
        property: String,
        /// Where it stands first.
        first_line: u32,
    },
    /// A unit that is not known for this property.
    #[error("`{property}` is in `{unit}`, which is not a unit for it")]
    OddUnit {
        /// The property.
        property: String,
        /// The unit given.
        unit: String,
        /// The units possible.
        allowed: &'static str,
    },
    /// Neither lengths of outfeeds nor parcels say how many outfeeds there are.
    #[error("there is no way to tell how many outfeeds there are")]
    NoOutfeeds,
    /// No parcel at all.
    #[error("there is no parcel in the file")]
    NoParcels,
    /// The core refuses the line that the layout describes.
    #[error("the line cannot be built: {problem}")]
    Line {
        /// What the core says.
        problem: String,
    },
}

impl TraceFault {
    pub(super) fn mend(&self) -> String {
        match self {
            Self::NoValue { .. } => "write a number".to_owned(),
            Self::BadNumber { .. } => {
                "write a decimal number with a point, for example 0.525".to_owned()
            }
            Self::NotWhole { .. } => "write a number without decimals".to_owned(),
            Self::Negative { .. } => "write a number that is not below zero".to_owned(),
            Self::OutOfRange { range, .. } => format!("write a number that is {range}"),
            Self::DuplicateParcel { .. } => "give each parcel its own number".to_owned(),
            Self::UnknownChute { .. } => {
                "name an outfeed of the layout, or add its length there".to_owned()
            }
            Self::MissingProperty { property, unit } => {
                format!("add a row `{property},<number>,{unit}`")
            }
            Self::PropertyTwice { .. } => "keep one of the two".to_owned(),
            Self::OddUnit { allowed, .. } => format!("give it in {allowed}"),
            Self::NoOutfeeds => {
                "add a row `Length outfeed 1,<number>,m` for each, or name them at parcels"
                    .to_owned()
            }
            Self::NoParcels => "check that this is the right file".to_owned(),
            Self::Line { .. } => "correct the distances of the layout".to_owned(),
        }
    }
}
