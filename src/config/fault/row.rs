//! Faults in the form of a table: its header, and rows that do not fit it.

use std::borrow::Cow;

use serde::Serialize;
use thiserror::Error;

use super::did_you_mean;

/// A fault in the form of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[serde(
    tag = "code",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
#[non_exhaustive]
pub enum RowFault {
    /// The file has no header row.
    #[error("the file has no header")]
    Empty {
        /// The header it must begin with.
        header: &'static str,
    },
    /// A column that is needed is not in the header.
    #[error("there is no column `{column}`")]
    MissingColumn {
        /// The column.
        column: Cow<'static, str>,
        /// The column given that is most like it.
        nearest: Option<String>,
    },
    /// A column stands in the header twice.
    #[error("the column `{column}` is there twice")]
    ColumnTwice {
        /// The column.
        column: Cow<'static, str>,
    },
    /// A row with fewer or more fields than the header.
    #[error("the row has {found} fields, but the header has {wanted}")]
    RowLength {
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        wanted: usize,
    },
    /// A quote that is closed far behind its row, or never.
    #[error("a quote is not closed in its row: the rows that follow are taken for part of it")]
    OpenQuote,
    /// The row cannot be split into fields.
    #[error("the row cannot be read: {problem}")]
    BadRow {
        /// What the CSV reader says.
        problem: String,
    },
    /// A row of addresses that does not say which.
    #[error("the row must have either `prefix`, or `from` and `to`")]
    PrefixOrRange,
    /// A column that is not one of those known.
    #[error("`{column}` is not a column of this table")]
    UnknownColumn {
        /// The column.
        column: String,
        /// The known one that is most like it.
        nearest: Option<String>,
        /// All known columns, joined.
        known: String,
    },
}

impl RowFault {
    pub(super) fn mend(&self) -> String {
        match self {
            Self::Empty { header } => format!("begin it with the header `{header}`"),
            Self::MissingColumn { nearest, .. } => {
                format!("add it to the header{}", did_you_mean(nearest.as_ref()))
            }
            Self::ColumnTwice { .. } => "keep one of the two".to_owned(),
            Self::RowLength { .. } => {
                "write one field for each column, separated by commas".to_owned()
            }
            Self::OpenQuote => {
                "close it where its field ends; write two for one that is meant".to_owned()
            }
            Self::BadRow { .. } => "write fields separated by commas".to_owned(),
            Self::PrefixOrRange => "fill in the one or the others".to_owned(),
            Self::UnknownColumn {
                nearest: Some(near),
                ..
            } => {
                format!("did you mean `{near}`?")
            }
            Self::UnknownColumn { known, .. } => format!("known columns here: {known}"),
        }
    }
}
