//! Faults in what a hub file or a table of formats means: names nobody has, and whatever the core
//! refuses.

use serde::{Serialize, Serializer};
use sorthub_core::hub::HubFaultKind;
use sorthub_core::identify::FormatFaultKind;
use sorthub_core::plan::PlanFault;
use thiserror::Error;

use super::did_you_mean;

/// A fault in what is described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[serde(
    tag = "code",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
#[non_exhaustive]
pub enum Meaning {
    /// A plan by itself says nothing: its chutes are a hub's.
    #[error("this is a sort plan, and there is no hub to check it against")]
    NoHub,
    /// A name that nothing has.
    #[error("there is no {what} `{name}`")]
    UnknownName {
        /// What kind of thing is named.
        what: &'static str,
        /// The name.
        name: String,
        /// The one most like it.
        nearest: Option<String>,
    },
    /// Two things with one name.
    #[error("the name `{name}` of this {what} is already given in line {first_line}")]
    SameName {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
        /// Where it is given first.
        first_line: u32,
    },
    /// Two things with one name, in two files.
    #[error(
        "the name `{name}` of this {what} is already given in line {first_line} of {first_file}"
    )]
    SameNameElsewhere {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
        /// The other file.
        first_file: String,
        /// Where it is given there.
        first_line: u32,
    },
    /// Two devices that cannot share an address do.
    #[error("the address `{address}` is already used in line {first_line}")]
    SameAddress {
        /// The address, with the unit where there is one.
        address: String,
        /// Where it is used first.
        first_line: u32,
    },
    /// One code prefix for two destinations.
    #[error("codes that begin with `{prefix}` already go to `{other}`")]
    SamePrefix {
        /// The prefix.
        prefix: String,
        /// The destination that has it already.
        other: String,
    },
    /// The same addresses for two destinations.
    #[error("{kind}s that begin with `{prefix}` already go to `{other}`")]
    SameAddresses {
        /// What kind of address.
        kind: &'static str,
        /// How they begin.
        prefix: String,
        /// The destination that has them already.
        other: String,
    },
    /// One thing is named twice in a list.
    #[error("`{name}` is named twice in `{key}`")]
    Repeated {
        /// The list.
        key: String,
        /// The name.
        name: String,
    },
    /// Telegrams do not carry what they are to be matched by.
    #[error("telegrams are matched by {meets_by}, but their fields have no `{field}`")]
    NoKeyField {
        /// The way of matching.
        meets_by: &'static str,
        /// The field that it needs.
        field: &'static str,
    },
    /// Telegrams do not carry a code.
    #[error("the telegram's fields have no `code`")]
    NoCodeField,
    /// Two codes of a telegram cannot be told from two fields.
    #[error("`{between}` stands between two fields and between two codes")]
    SameSeparator {
        /// The character.
        between: char,
    },
    /// A chute with two outlets on one track.
    #[error("the chute `{chute}` has two outlets on `{track}`")]
    TwoOutlets {
        /// The chute.
        chute: String,
        /// The track.
        track: String,
    },
    /// A track whose rejects could go nowhere.
    #[error("no chute of `reject` can be reached from `{track}`")]
    NoReject {
        /// The track.
        track: String,
    },
    /// An induction makes parcels that are for nowhere.
    #[error("parcels get on at `{track}`, but no destination there has a weight")]
    NoDemand {
        /// The track.
        track: String,
    },
    /// Parcels of a track are for a destination that cannot be reached from it.
    #[error("`{destination}` has no chute on `{track}`")]
    OutOfReach {
        /// The destination.
        destination: String,
        /// The track.
        track: String,
    },
    /// The core refuses a part of the hub.
    #[error("{}{}", of(element), problem_of(fault))]
    Hub {
        /// Which part, by kind and name; empty for the hub as a whole.
        element: String,
        /// What is wrong.
        #[serde(rename = "problem", serialize_with = "as_text")]
        fault: HubFaultKind,
    },
    /// The core refuses a code format.
    #[error("format `{format}`: {}", problem_of(fault))]
    Format {
        /// Which, by name.
        format: String,
        /// What is wrong.
        #[serde(rename = "problem", serialize_with = "as_text")]
        fault: FormatFaultKind,
    },
    /// The core refuses a part of the plan.
    #[error("{}", problem_of(fault))]
    Plan {
        /// What is wrong.
        #[serde(rename = "problem", serialize_with = "as_text")]
        fault: PlanFault,
    },
}

impl Meaning {
    pub(super) fn mend(&self) -> String {
        match self {
            Self::NoHub => "add `--hub HUB.toml`, or the hub file that names it".to_owned(),
            Self::UnknownName { nearest, .. } => {
                format!(
                    "name one that is described{}",
                    did_you_mean(nearest.as_ref())
                )
            }
            Self::SameName { .. } | Self::SameNameElsewhere { .. } => {
                "give each its own name".to_owned()
            }
            Self::SameAddress { .. } => {
                "give each its own address; in a bank put {n} or {track} into it".to_owned()
            }
            Self::SamePrefix { .. } | Self::SameAddresses { .. } => {
                "keep it at one of the two".to_owned()
            }
            Self::Repeated { .. } => "name it once".to_owned(),
            Self::NoKeyField { field, .. } => {
                format!("add \"{field}\" to `fields`, or match by something else")
            }
            Self::NoCodeField => "add \"code\" to `fields`".to_owned(),
            Self::SameSeparator { .. } => "give each a character of its own".to_owned(),
            Self::TwoOutlets { .. } => "describe them as two chutes".to_owned(),
            Self::NoReject { track } => {
                format!("add a chute that takes parcels from `{track}` to `reject`")
            }
            Self::NoDemand { .. } => {
                "give a destination a weight, or set `rate_per_h = 0`".to_owned()
            }
            Self::OutOfReach { track, .. } => {
                format!("give it a chute that takes parcels from `{track}`, or leave it out")
            }
            Self::Hub { fault, .. } => mend_of(fault),
            Self::Format { fault, .. } => mend_of(fault),
            Self::Plan { fault } => mend_of(fault),
        }
    }
}

/// Which part is meant, before what is wrong with it.
fn of(element: &str) -> String {
    if element.is_empty() {
        String::new()
    } else {
        format!("{element}: ")
    }
}

/// The core says "what is wrong; what to do". This is the first half.
fn problem_of(fault: &impl ToString) -> String {
    let text = fault.to_string();
    text.split_once("; ")
        .map_or(text.clone(), |(problem, _)| problem.to_owned())
}

/// And this the second.
fn mend_of(fault: &impl ToString) -> String {
    let text = fault.to_string();
    text.split_once("; ")
        .map_or("correct it".to_owned(), |(_, mend)| mend.to_owned())
}

fn as_text<S: Serializer>(fault: &impl ToString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&problem_of(fault))
}
