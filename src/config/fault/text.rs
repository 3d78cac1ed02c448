//! Faults in the text itself: it cannot be read, or a key or value is not one that is known.

use serde::Serialize;
use thiserror::Error;

use super::did_you_mean;

/// A fault in the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[serde(
    tag = "code",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
#[non_exhaustive]
pub enum TextFault {
    /// The file cannot be opened or read.
    #[error("cannot be read: {problem}")]
    Unreadable {
        /// What the operating system says.
        problem: String,
    },
    /// A file that is named cannot be opened or read.
    #[error("`{file}` cannot be read: {problem}")]
    FileUnreadable {
        /// The file, as it is named.
        file: String,
        /// What the operating system says.
        problem: String,
    },
    /// The file is larger than any sensible one.
    #[error("is larger than {most_mb} MB")]
    TooLarge {
        /// The limit.
        most_mb: u64,
    },
    /// The file is not UTF-8 from here on.
    #[error("the byte {byte:#04x} is not UTF-8 text")]
    NotUtf8 {
        /// The first byte that does not fit.
        byte: u8,
    },
    /// The line is not TOML.
    #[error("not understood: {problem}")]
    Syntax {
        /// What the parser says.
        problem: String,
    },
    /// A bracket is opened and the next entry begins before it is closed.
    #[error("`{bracket}` is opened here and never closed")]
    Unclosed {
        /// The opening bracket.
        bracket: char,
    },
    /// A key that nobody reads.
    #[error("`{key}` is not a key of {table}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The table it stands in.
        table: String,
        /// The known key that is most like it.
        nearest: Option<String>,
        /// All known keys, joined.
        known: String,
    },
    /// A key that is known but has no place beside the others of this table.
    #[error("`{key}` has no place here: {why}")]
    NotHere {
        /// The key.
        key: String,
        /// Why not.
        why: &'static str,
    },
    /// A key that must be there is not.
    #[error("{table} has no `{key}`")]
    Missing {
        /// The key.
        key: String,
        /// The table that lacks it.
        table: String,
        /// What to write, as an example.
        example: &'static str,
    },
    /// A value of another type.
    #[error("`{key}` is {found}, but must be {wanted}")]
    WrongType {
        /// The key.
        key: String,
        /// The type it must have.
        wanted: &'static str,
        /// The type it has.
        found: &'static str,
    },
    /// A number that is too small or too large.
    #[error("`{key}` is {found}, but must be from {least} to {most}")]
    OutOfRange {
        /// The key, which ends in the unit.
        key: String,
        /// The number given.
        found: String,
        /// The smallest possible.
        least: u64,
        /// The largest possible.
        most: u64,
    },
    /// A word that is not one of a few.
    #[error("`{key}` is `{found}`, which is none of {}", allowed.join(", "))]
    NotOneOf {
        /// The key.
        key: String,
        /// The word given.
        found: String,
        /// The words possible.
        allowed: Vec<&'static str>,
        /// The one most like it.
        nearest: Option<String>,
    },
    /// A text that must not be empty is.
    #[error("`{key}` is empty")]
    Blank {
        /// The key.
        key: String,
    },
    /// A text with a control character, such as a line break, in it.
    #[error("`{key}` has a control character in it")]
    ControlCharacter {
        /// The key.
        key: String,
    },
    /// A text that is not an address.
    #[error("`{found}` is not an address")]
    BadAddress {
        /// The text.
        found: String,
    },
    /// More errors in the same table than are listed.
    #[error("and {others} more errors in this file")]
    More {
        /// How many.
        others: usize,
    },
    /// A text that is neither the beginning of an address nor a range of addresses.
    #[error("`{found}` does not work as an address: {problem}")]
    BadAddressRange {
        /// The text.
        found: String,
        /// Why not.
        problem: &'static str,
    },
    /// A text that is not a time of day.
    #[error("`{found}` is not a time of day")]
    BadTime {
        /// The text.
        found: String,
    },
    /// A name's pattern cannot give each member of a bank its own name.
    #[error("the name pattern `{pattern}` does not work: {problem}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// Why not.
        problem: &'static str,
    },
}

impl TextFault {
    pub(super) fn mend(&self) -> String {
        match self {
            Self::Unreadable { .. } => {
                "check the path and that this user may read the file".to_owned()
            }
            Self::FileUnreadable { .. } => {
                "check the name, which is relative to the file that names it".to_owned()
            }
            Self::TooLarge { .. } => "check that this is the right file".to_owned(),
            Self::NotUtf8 { .. } => "save the file as UTF-8".to_owned(),
            Self::Syntax { problem } => mend_syntax(problem).to_owned(),
            Self::Unclosed { bracket } => {
                format!(
                    "close it with `{}`",
                    if *bracket == '{' { '}' } else { ']' }
                )
            }
            Self::UnknownKey {
                nearest: Some(near),
                ..
            } => {
                format!("did you mean `{near}`?")
            }
            Self::UnknownKey { known, .. } => format!("known keys here: {known}"),
            Self::NotHere { key, .. } => format!("remove `{key}`"),
            Self::Missing { example, .. } => format!("add `{example}`"),
            Self::WrongType { wanted, .. } => format!("write {wanted}"),
            Self::OutOfRange { key, .. } => {
                let unit = unit_of(key);
                format!("correct the number{unit}")
            }
            Self::NotOneOf {
                allowed, nearest, ..
            } => {
                format!(
                    "use one of {}{}",
                    allowed.join(", "),
                    did_you_mean(nearest.as_ref())
                )
            }
            Self::Blank { .. } => "write something there".to_owned(),
            Self::ControlCharacter { .. } => "leave it out".to_owned(),
            Self::BadAddress { .. } => {
                "write `host:port`, for example \"127.0.0.1:1502\"".to_owned()
            }
            Self::More { .. } => "mend those above; then these are told".to_owned(),
            Self::BadAddressRange { .. } => {
                "write how they begin, such as `755`, or a range such as `10000..10599`".to_owned()
            }
            Self::BadTime { .. } => "write hours and minutes, such as \"14:30\"".to_owned(),
            Self::BadPattern { .. } => "use {n} for the number, {n:3} for one of three digits, \
                                        {track} for the track's name"
                .to_owned(),
        }
    }
}

/// The mend for what the TOML parser found.
fn mend_syntax(problem: &str) -> &'static str {
    const MENDS: &[(&str, &str)] = &[
        ("duplicate key", "keep one of the two"),
        (
            "must be quoted",
            "write text in double quotes, and numbers in digits only",
        ),
        ("no value", "write `key = value`"),
        ("basic string", "close the quotes"),
        ("literal string", "close the quotes"),
        ("unclosed", "close it"),
        ("missing comma", "separate the entries of a list by commas"),
        ("recursion", "nest less deeply"),
        ("newline", "write one `key = value` a line"),
    ];
    let known = MENDS.iter().find(|(part, _)| problem.contains(part));
    known.map_or(
        "write `key = value`, one a line, or `[table]`",
        |(_, mend)| mend,
    )
}

/// Which unit a key's number is in, by its ending.
fn unit_of(key: &str) -> &'static str {
    const UNITS: &[(&str, &str)] = &[
        ("_mm_s2", "; it is in mm/s²"),
        ("_mm_s", "; it is in mm/s"),
        ("_mm", "; it is in mm"),
        ("_ms", "; it is in milliseconds"),
        ("_s", "; it is in seconds"),
        ("_cm3", "; it is in cm³"),
        ("_permille", "; it is in thousandths"),
        ("_g", "; it is in grams"),
        ("_per_h", "; it is in parcels an hour"),
        ("_ppm", "; it is in parts per million"),
    ];
    let ending = UNITS.iter().find(|(ending, _)| key.ends_with(ending));
    ending.map_or("", |(_, unit)| unit)
}
