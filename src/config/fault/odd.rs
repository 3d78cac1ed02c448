//! Warnings: what is legal, and hardly what was meant.

use serde::Serialize;
use thiserror::Error;

/// Something odd that does not stop a start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[serde(
    tag = "code",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
#[non_exhaustive]
pub enum Odd {
    /// A chute that the plan never sends anything to.
    #[error("nothing is ever sent to the chute `{chute}`")]
    ChuteUnused {
        /// The chute.
        chute: String,
        /// How many more of the same bank are unused.
        others: usize,
    },
    /// So little belt between a scanner and the first chute that orders for it come too late.
    #[error(
        "from `{scanner}` to the last moment for an order to `{chute}` there are {has_ms} ms, \
         but reading, deciding and telling the PLC take about {needs_ms} ms"
    )]
    ScannerNear {
        /// The scanner.
        scanner: String,
        /// The first chute behind it.
        chute: String,
        /// Time between them at normal speed, less the chute's lead.
        has_ms: u64,
        /// Time that an order takes.
        needs_ms: u64,
        /// The distance at which it would do, in mm.
        needs_mm: u64,
    },
    /// An induction gets more parcels than it can put on the belt.
    #[error("`{induction}` gets {rate_per_h} parcels an hour but can induct {most_per_h}")]
    RateAboveSpacing {
        /// The induction.
        induction: String,
        /// What comes.
        rate_per_h: u64,
        /// What its spacing allows.
        most_per_h: u64,
    },
    /// The belt cannot carry what gets on it.
    #[error(
        "behind `{induction}` the belt would have to carry {rate_per_h} parcels an hour, \
             but `{track}` carries {most_per_h}"
    )]
    RateAboveBelt {
        /// The induction behind which the belt is fullest.
        induction: String,
        /// The track.
        track: String,
        /// What would be on the belt there.
        rate_per_h: u64,
        /// What the belt carries.
        most_per_h: u64,
    },
    /// The plan counts room, but nothing tells what is taken out of the chute.
    #[error("room in `{chute}` is counted, but nothing counts what is taken out of it")]
    RoomNotCounted {
        /// The chute.
        chute: String,
        /// How many more of the same bank.
        others: usize,
    },
    /// A length of a trace that can only be millimetres.
    #[error("`{column}` of parcel {parcel} is {found}, which can only be millimetres; read as mm")]
    LengthInMm {
        /// The column, which is in metres.
        column: &'static str,
        /// The parcel.
        parcel: String,
        /// What stands there.
        found: String,
    },
    /// A property of a layout that is not used.
    #[error("`{property}` is not a property that is used")]
    PropertyNotUsed {
        /// The property.
        property: String,
        /// The known one most like it.
        nearest: Option<String>,
    },
}

impl Odd {
    pub(super) fn mend(&self) -> String {
        match self {
            Self::ChuteUnused { others, .. } => {
                format!(
                    "give it to a destination, or leave it out{}",
                    and_others(*others)
                )
            }
            Self::ScannerNear { needs_mm, .. } => {
                format!("leave at least {needs_mm} mm between them")
            }
            Self::RateAboveSpacing { .. } => {
                "lower `rate_per_h` or `spacing_ms`; otherwise its queue only grows".to_owned()
            }
            Self::RateAboveBelt { .. } => {
                "lower the rates, or raise the speed; otherwise queues only grow".to_owned()
            }
            Self::RoomNotCounted { others, .. } => format!(
                "set `sensing = \"counted\"` or `room = \"attempt\"`{}",
                and_others(*others)
            ),
            Self::LengthInMm { .. } => "write it in metres".to_owned(),
            Self::PropertyNotUsed {
                nearest: Some(near),
                ..
            } => {
                format!("did you mean `{near}`?")
            }
            Self::PropertyNotUsed { .. } => "remove the row, or correct its name".to_owned(),
        }
    }
}

fn and_others(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => "; the same holds for 1 more described here".to_owned(),
        n => format!("; the same holds for {n} more described here"),
    }
}
