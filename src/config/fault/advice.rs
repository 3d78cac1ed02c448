//! Faults in a file of pre-advice.

use serde::Serialize;
use thiserror::Error;

/// A fault in a file of pre-advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[serde(
    tag = "code",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
#[non_exhaustive]
pub enum AdviceFault {
    /// No column says where parcels are for.
    #[error("there is no column `destination`, `segment` or `postcode`")]
    NoPlaceColumn,
    /// There is a header and nothing else.
    #[error("the file has a header and no rows")]
    NoRows,
    /// A row is longer than any sensible one.
    #[error("the row has more than {most_kb} kB")]
    RowTooLong {
        /// The limit.
        most_kb: usize,
    },
    /// A text that no waybill has for a number.
    #[error("`waybill` cannot be a waybill number: {problem}")]
    NoWaybill {
        /// Why not.
        problem: String,
    },
    /// A text that no scanner can read as a parcel's number.
    #[error("`waybill` is `{found}`, which is no parcel's number here: {problem}")]
    NoCode {
        /// What stands there.
        found: String,
        /// Why not.
        problem: String,
    },
    /// A row that does not say where its waybill is for.
    #[error("the row does not say where its waybill is for")]
    NoPlace,
    /// A text that no rule of a plan can be for.
    #[error("`{column}` is `{found}`, which is no address: {problem}")]
    BadAddress {
        /// The column.
        column: String,
        /// What stands there.
        found: String,
        /// Why not.
        problem: String,
    },
    /// A field that is not a number.
    #[error("`{column}` is `{found}`, which is not a number")]
    BadNumber {
        /// The column, which ends in the unit.
        column: String,
        /// What stands there.
        found: String,
    },
    /// A number that no parcel has.
    #[error("`{column}` is {found}, but must be from 0 to {most}")]
    OutOfRange {
        /// The column, which ends in the unit.
        column: String,
        /// What stands there.
        found: String,
        /// The largest possible.
        most: u32,
    },
    /// The rows make no table.
    #[error("the waybills cannot be kept: {problem}")]
    Table {
        /// What the core says.
        problem: String,
        /// What it says to do.
        mend: String,
    },
}

impl AdviceFault {
    pub(super) fn mend(&self) -> String {
        match self {
            Self::NoPlaceColumn => "add at least one of them to the header".to_owned(),
            Self::NoRows => {
                "see why nothing was written to it; the pre-advice before stays".to_owned()
            }
            Self::RowTooLong { .. } => "close the quotes that are opened in it".to_owned(),
            Self::NoWaybill { .. } => "write the number that stands on the label".to_owned(),
            Self::NoCode { .. } => "write the number that stands on the label, or add its format \
                                   to the hub's table of carriers"
                .to_owned(),
            Self::NoPlace => "write a destination, a segment code or a postcode".to_owned(),
            Self::BadAddress { .. } => super::ADDRESS_MEND.to_owned(),
            Self::BadNumber { .. } => {
                "write a number without unit, or nothing if it is not known".to_owned()
            }
            Self::OutOfRange { column, .. } => match column.ends_with("_g") {
                true => "correct the number; it is in grams".to_owned(),
                false => "correct the number; it is in millimetres".to_owned(),
            },
            Self::Table { mend, .. } => mend.clone(),
        }
    }
}
