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
    /// A share of zero: the chute is in the list and gets nothing.
    #[error("`{chute}` has a share of 0, so that it gets nothing for `{destination}`")]
    ShareOfNothing {
        /// The destination.
        destination: String,
        /// The chute.
        chute: String,
    },
    /// A chute for rejected parcels, of all or of one cause, that a destination uses, too.
    #[error("`{chute}` is for rejected parcels, and also for `{destination}`")]
    RejectShared {
        /// The first destination that has it.
        destination: String,
        /// The chute.
        chute: String,
    },
    /// A list with a chute that an earlier list of the same destination has.
    #[error("`{chute}` of `{destination}` is in `{list}`, but already in `{earlier}`")]
    ChuteRepeated {
        /// The destination.
        destination: String,
        /// The chute.
        chute: String,
        /// The later list.
        list: &'static str,
        /// The earlier one.
        earlier: &'static str,
    },
    /// No chute of a destination is on a track where parcels get on.
    #[error(
        "no parcel can reach `{destination}`: none of its chutes is on a track with inductions"
    )]
    NoWay {
        /// The destination.
        destination: String,
    },
    /// Parcels that get on at one of the tracks cannot reach a destination.
    #[error("what gets on at `{track}` cannot reach `{destination}`")]
    NoWayFrom {
        /// The track.
        track: String,
        /// The first such destination.
        destination: String,
        /// How many more there are.
        others: usize,
    },
    /// Much for one chute, and no other to take it.
    #[error(
        "about {per_h} parcels an hour are for `{destination}`, whose only chute is `{chute}`; \
         {measure} {most_per_h}"
    )]
    OneChuteForMuch {
        /// The destination.
        destination: String,
        /// The chute.
        chute: String,
        /// What comes.
        per_h: u64,
        /// What it is measured by.
        measure: &'static str,
        /// That, in parcels an hour.
        most_per_h: u64,
    },
    /// A wave of no destination.
    #[error("no destination has the wave `{wave}`")]
    WaveUnused {
        /// The wave.
        wave: String,
    },
    /// A rule that an earlier one always forestalls.
    #[error("the rule is never reached: the one in line {by_line} fits whatever this one fits")]
    RuleShadowed {
        /// Where the earlier rule is.
        by_line: u32,
    },
    /// A rule whose conditions exclude each other.
    #[error("no parcel can meet all conditions of this rule")]
    RuleNever,
    /// A rule without conditions that comes before everything else.
    #[error("the rule has no condition, so that every parcel goes its way")]
    RuleTakesAll,
    /// An address rule that changes nothing.
    #[error("{kind}s that begin with `{prefix}` go to `{destination}` anyway")]
    AddressRepeats {
        /// What kind of address.
        kind: &'static str,
        /// How they begin.
        prefix: String,
        /// The destination.
        destination: String,
        /// How many more there are in the same file.
        others: usize,
    },
    /// Exception chutes for a cause that no parcel is rejected for.
    #[error("no parcel is rejected for `{cause}`: {why}")]
    CauseImpossible {
        /// The cause.
        cause: &'static str,
        /// Why not.
        why: &'static str,
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
    /// A table of a plan that says nothing.
    #[error("the table has a header and no rows")]
    NoRows,
    /// A rule for the parcels of a carrier, where no parcel has one.
    #[error("no parcel can meet this: the hub file names no table of code formats")]
    NoCarriers,
    /// More warnings of the same table than are listed.
    #[error("and {others} more warnings in this file")]
    More {
        /// How many.
        others: usize,
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
            Self::ShareOfNothing { .. } => {
                "leave the chute out, or make it an alternate".to_owned()
            }
            Self::RejectShared { .. } => "give the one or the other a chute of its own".to_owned(),
            Self::ChuteRepeated { list, .. } => format!("leave it out of `{list}`"),
            Self::NoWay { .. } => "give it a chute on a track where parcels get on".to_owned(),
            Self::NoWayFrom { others, .. } => format!(
                "give it a chute there, or see that no such parcel gets on{}",
                and_more(*others, "destination")
            ),
            Self::OneChuteForMuch { .. } => {
                "give it more chutes, alternates, or an overflow".to_owned()
            }
            Self::WaveUnused { .. } => "give it to a destination, or leave it out".to_owned(),
            Self::RuleShadowed { .. } => "put it before that one, or leave it out".to_owned(),
            Self::RuleNever => "correct its conditions, or leave it out".to_owned(),
            Self::RuleTakesAll => "give it a condition, or `stage = \"last\"`".to_owned(),
            Self::AddressRepeats { others, .. } => {
                format!("leave it out{}", and_more(*others, "address"))
            }
            Self::CauseImpossible { .. } => "leave it out".to_owned(),
            Self::LengthInMm { .. } => "write it in metres".to_owned(),
            Self::NoRows => "add rows, or do not name it".to_owned(),
            Self::NoCarriers => {
                "name one with `carriers = \"carriers.toml\"`, or leave the condition out"
                    .to_owned()
            }
            Self::More { .. } => "see to those above; then these are told".to_owned(),
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

/// `; the same holds for 3 more ...`.
fn and_more(others: usize, what: &str) -> String {
    match (others, what) {
        (0, _) => String::new(),
        (1, _) => format!("; the same holds for 1 more {what}"),
        (n, "address") => format!("; the same holds for {n} more addresses"),
        (n, _) => format!("; the same holds for {n} more {what}s"),
    }
}
