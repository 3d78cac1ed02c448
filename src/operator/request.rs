//! What can be asked of a running hub: one grammar for the command line, the socket and scenarios.
//!
//! A [`Request`] has two spellings. In words it is what stands behind `sorthub ctl`
//! (`chute A03 lock`), and a scenario may say it so too. As JSON it is one flat object with names
//! in place of numbers (`{"do": "chute", "chute": "A03", "to": "lock"}`). Both come from the same
//! declarations below, so neither can say what the other cannot. The comments on them are the help
//! texts of the command line.

use std::fmt;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::advice_request::AdviceTo;
use super::problem::Problem;
use super::words::{
    BagTo, BankTo, CarrierTo, ChuteTo, InductionTo, ModeTo, ParcelTo, TrackTo, VerdictTo,
    maybe_word, word,
};
use crate::config::nearest;

/// What a person or a host wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Subcommand)]
#[serde(
    tag = "do",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
pub enum Request {
    /// How the hub is doing: counts, rates, links, plan and alarms
    Status {},
    /// Sort plans: bring a new one in, look, switch, and switch back
    #[command(subcommand)]
    Plan(PlanTo),
    /// Waves: open, cut off, extend
    #[command(subcommand)]
    Wave(WaveTo),
    /// Every chute with its state, or those that are not open, or all about one
    Chutes {
        /// Only this one, with what it refused and for how long it was closed
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chute: Option<String>,
        /// Only those that take nothing
        #[arg(long)]
        #[serde(default, skip_serializing_if = "is_false")]
        closed: bool,
    },
    /// A chute: lock it, take it out of service, say that it was emptied
    Chute {
        /// Its name in the hub file
        chute: String,
        /// What is wanted
        #[serde(deserialize_with = "word")]
        to: ChuteTo,
    },
    /// A bag change at a chute, step by step
    Bag {
        /// The chute's name
        chute: String,
        /// Which step
        #[serde(deserialize_with = "word")]
        to: BagTo,
        /// For `bind`: the label of the new bag, as scanned
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    },
    /// A bank of chutes, as the hub file groups them
    Bank {
        /// The bank's name
        bank: String,
        /// What is wanted
        #[serde(deserialize_with = "word")]
        to: BankTo,
    },
    /// An induction: run, stop, limit
    Induction {
        /// Its name in the hub file
        induction: String,
        /// What is wanted
        #[serde(deserialize_with = "word")]
        to: InductionTo,
        /// For `limit`: parcels an hour; 0 takes the limit away
        #[serde(default, skip_serializing_if = "Option::is_none")]
        per_h: Option<u16>,
    },
    /// A loop or line: its mode, and letting parcels in or not
    Track {
        /// Its name in the hub file
        track: String,
        /// What is wanted
        #[serde(deserialize_with = "word")]
        to: TrackTo,
        /// For `mode`: which
        #[serde(
            default,
            deserialize_with = "maybe_word",
            skip_serializing_if = "Option::is_none"
        )]
        mode: Option<ModeTo>,
    },
    /// A carrier: use it or not
    Carrier {
        /// Its number on its track, from 0
        carrier: u16,
        /// What is wanted
        #[serde(deserialize_with = "word")]
        to: CarrierTo,
        /// Its track; not needed where there is only one
        #[arg(long)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        track: Option<String>,
    },
    /// Send a waybill's parcels to another destination, return or redirect; or no more
    Intercept {
        /// The waybill
        waybill: String,
        /// The destination, by its name in the plan
        #[arg(
            long = "to",
            value_name = "DEST",
            required_unless_present = "cancel",
            conflicts_with = "cancel"
        )]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dest: Option<String>,
        /// To where they are for after all; a hold stands
        #[arg(long)]
        #[serde(default, skip_serializing_if = "is_false")]
        cancel: bool,
    },
    /// Hold a waybill's parcels wherever they are, now or later
    Hold {
        /// The waybill
        waybill: String,
    },
    /// The hold of a waybill is over; an intercept stands
    Release {
        /// The waybill
        waybill: String,
    },
    /// What stands for waybills: holds, intercepts, suspect verdicts
    Waybills {
        /// Only this one, with its pre-advice
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waybill: Option<String>,
        /// Go on behind a page, by the mark at its end
        #[arg(long, value_name = "MARK", conflicts_with = "waybill")]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Pre-advice: where waybills are for, from a file or one by one
    #[command(subcommand)]
    Advice(AdviceTo),
    /// What a security device says of a waybill's parcels
    Verdict {
        /// The waybill
        waybill: String,
        /// What it says
        #[serde(deserialize_with = "word")]
        verdict: VerdictTo,
    },
    /// Parcels that could not be read: list them, take one, key its code in
    #[command(subcommand)]
    Unread(UnreadTo),
    /// One parcel: send it somewhere, or say what happened to it
    Parcel {
        /// Its number, as lists and pages show it: `3-127`
        parcel: String,
        /// What is wanted
        #[serde(deserialize_with = "word")]
        to: ParcelTo,
        /// For `force`: the chute
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chute: Option<String>,
    },
    /// Alarms: list, acknowledge, shelve
    #[command(subcommand)]
    Alarms(AlarmsTo),
    /// Why something waits, and until when: a waybill, parcel, carrier, chute or induction
    Why {
        /// `carrier`, `chute`, `induction`, `parcel` or `waybill` before its name; or just the
        /// waybill or the parcel's number
        of: String,
        /// Its name or number
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The carrier's track; not needed where there is only one
        #[arg(long)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        track: Option<String>,
    },
    /// Answer as the host: be asked about parcels that nothing here knows a destination for
    ///
    /// Without `--answers` each question is shown, and a line on standard input answers it:
    /// `3-127 SHA`, `3-127 hold` or `3-127 unknown`.
    Host {
        /// Answer from this CSV file: columns `waybill` and `destination` (a name, `hold`, or
        /// nothing for not known)
        #[arg(long, value_name = "FILE")]
        #[serde(skip)]
        answers: Option<PathBuf>,
    },
    /// A host's answer about one parcel: a destination, a hold, or (with neither) not known
    HostSays {
        /// The parcel's number, as it was asked for
        parcel: String,
        /// Where it goes, by the destination's name in the plan
        #[arg(long = "to", value_name = "DEST", conflicts_with = "hold")]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dest: Option<String>,
        /// It is to be held
        #[arg(long)]
        #[serde(default, skip_serializing_if = "is_false")]
        hold: bool,
    },
}

/// What is wanted of sort plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Subcommand)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PlanTo {
    /// Read a plan, check it against the hub, and keep it ready; nothing changes yet
    Stage {
        /// The plan's file, or a hub file with a plan in it
        file: PathBuf,
    },
    /// The versions that are at hand, and which is active
    List {},
    /// What changes from one version to another
    Diff {
        /// The version before
        from: u32,
        /// The version after
        into: u32,
    },
    /// Sort by a staged version from now on
    Activate {
        /// Its version
        // Not by the field's own name, which is the flag that prints the program's version.
        #[arg(id = "plan_version", value_name = "VERSION")]
        version: u32,
    },
    /// Back to the version that was active before
    Rollback {},
}

/// What is wanted of a wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Subcommand)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum WaveTo {
    /// The waves of the active plan with their cut-offs
    List {},
    /// Open it, also after its cut-off
    Open {
        /// Its name in the plan
        wave: String,
    },
    /// Cut it off now
    Close {
        /// Its name in the plan
        wave: String,
    },
    /// Move today's cut-off, and open it if it was cut off already
    Extend {
        /// Its name in the plan
        wave: String,
        /// The new cut-off, local time: `14:45`
        until: String,
    },
}

/// What is wanted of unread parcels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Subcommand)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum UnreadTo {
    /// Those that can still be keyed in, the most urgent first
    List {},
    /// A seat takes one
    Take {
        /// The parcel's number
        parcel: String,
        /// The seat, from 1
        #[arg(long, default_value_t = 1)]
        #[serde(default = "first_seat")]
        seat: u16,
    },
    /// The seat gives it back
    GiveBack {
        /// The parcel's number
        parcel: String,
        /// The seat, from 1
        #[arg(long, default_value_t = 1)]
        #[serde(default = "first_seat")]
        seat: u16,
    },
    /// Key its code in
    Key {
        /// The parcel's number
        parcel: String,
        /// The code on its label
        code: String,
        /// The seat, from 1
        #[arg(long, default_value_t = 1)]
        #[serde(default = "first_seat")]
        seat: u16,
    },
}

/// What is wanted of alarms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Subcommand)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AlarmsTo {
    /// All that stand, and those just over
    List {},
    /// Somebody has seen it
    Ack {
        /// Its number in the list
        alarm: u64,
    },
    /// Out of sight for a while
    Shelve {
        /// Its number in the list
        alarm: u64,
        /// For how many minutes
        #[arg(default_value_t = 30)]
        #[serde(default = "half_an_hour")]
        minutes: u16,
    },
}

pub(super) fn is_false(flag: &bool) -> bool {
    !*flag
}

fn first_seat() -> u16 {
    1
}

fn half_an_hour() -> u16 {
    30
}

/// `; did you mean ...?`, where there is something near.
pub(super) fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// The grammar in words, as a parser of its own.
#[derive(Parser)]
#[command(name = "sorthub ctl", no_binary_name = true, disable_help_flag = true)]
struct Words {
    #[command(subcommand)]
    request: Request,
}

impl Request {
    /// Reads a request in words, as it stands behind `sorthub ctl`. Quotes keep a name with blanks
    /// together.
    ///
    /// # Errors
    /// What is wrong, with what can stand there.
    pub fn from_words(text: &str) -> Result<Self, Problem> {
        let words = split(text)?;
        match Words::try_parse_from(words) {
            Ok(words) => Ok(words.request),
            Err(error) => Err(of_parser(&error)),
        }
    }

    /// Reads a request as JSON.
    ///
    /// # Errors
    /// What is wrong, with what can stand there.
    pub fn from_json(value: Value) -> Result<Self, Problem> {
        let Value::Object(fields) = &value else {
            let problem = "a request is a JSON object";
            return Err(Problem::malformed(
                problem,
                "begin with {\"do\": \"status\"}",
            ));
        };
        let Some(verb) = fields.get("do").and_then(Value::as_str) else {
            let problem = "the request has no `do`";
            return Err(Problem::malformed(
                problem,
                format!("say what is wanted: {}", verbs()),
            ));
        };
        if !Self::verbs().iter().any(|known| known == verb) {
            let known = Self::verbs();
            let mend = format!(
                "use one of {}{}",
                verbs(),
                near(verb, known.iter().map(String::as_str))
            );
            let problem = format!("there is no request `{verb}`");
            return Err(Problem::malformed(problem, mend));
        }
        let verb = verb.to_owned();
        serde_json::from_value(value).map_err(|error| {
            let text = error.to_string();
            // What we say ourselves has its mend behind a semicolon; serde lists what it expects.
            let (problem, mend) = match text.split_once("; ") {
                Some((problem, mend)) => (problem.to_owned(), mend.to_owned()),
                None => (text, format!("see `sorthub ctl {verb} --help`")),
            };
            Problem::malformed(problem, mend)
        })
    }

    /// The request as JSON.
    ///
    /// # Panics
    /// Never: a path that is no text is the only thing without a JSON form, and it is replaced.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match serde_json::to_value(self) {
            Ok(value) => value,
            Err(_) => match self {
                Self::Plan(PlanTo::Stage { file }) => serde_json::json!({
                    "do": "plan", "to": "stage", "file": file.to_string_lossy(),
                }),
                Self::Advice(AdviceTo::Load { file, lenient }) => serde_json::json!({
                    "do": "advice", "to": "load", "file": file.to_string_lossy(),
                    "lenient": lenient,
                }),
                other => unreachable!("texts, numbers and words are always JSON: {other:?}"),
            },
        }
    }

    /// What can stand at `do`, and behind `sorthub ctl`.
    #[must_use]
    pub fn verbs() -> Vec<String> {
        let all = Self::augment_subcommands(clap::Command::new("ctl"));
        let names = all.get_subcommands().map(|verb| verb.get_name().to_owned());
        names.collect()
    }

    /// Whether it only looks. What changes something is logged louder.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        match self {
            Self::Status {}
            | Self::Chutes { .. }
            | Self::Waybills { .. }
            | Self::Why { .. }
            | Self::Plan(PlanTo::List {} | PlanTo::Diff { .. })
            | Self::Wave(WaveTo::List {})
            | Self::Advice(AdviceTo::Status {})
            | Self::Unread(UnreadTo::List {})
            | Self::Alarms(AlarmsTo::List {}) => true,
            Self::Plan(_)
            | Self::Wave(_)
            | Self::Chute { .. }
            | Self::Bag { .. }
            | Self::Bank { .. }
            | Self::Induction { .. }
            | Self::Track { .. }
            | Self::Carrier { .. }
            | Self::Intercept { .. }
            | Self::Hold { .. }
            | Self::Release { .. }
            | Self::Verdict { .. }
            | Self::Advice(_)
            | Self::Unread(_)
            | Self::Parcel { .. }
            | Self::Alarms(_)
            | Self::Host { .. }
            | Self::HostSays { .. } => false,
        }
    }
}

impl fmt::Display for Request {
    /// Its JSON form, for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(f)
    }
}

fn verbs() -> String {
    Request::verbs().join(", ")
}

/// Splits a line into words at blanks; quotes of either kind keep blanks.
fn split(text: &str) -> Result<Vec<String>, Problem> {
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (open, c) {
            (Some(quote), c) if c == quote => open = None,
            (None, '"' | '\'') => {
                open = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(quote) = open {
        let problem = format!("a {quote} is not closed");
        return Err(Problem::malformed(problem, "close it behind the name"));
    }
    words.extend(word);
    Ok(words)
}

/// The parser's message in one line, with its tips as the mend.
pub(crate) fn of_parser(error: &clap::Error) -> Problem {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("not understood");
    let problem = first.strip_prefix("error: ").unwrap_or(first);
    let tips: Vec<&str> = lines
        .take_while(|line| !line.starts_with("Usage:"))
        .map(|line| line.trim_start_matches("tip: "))
        .collect();
    let mend = if tips.is_empty() {
        format!("use one of {}", verbs())
    } else {
        tips.join(" ")
    };
    Problem::malformed(problem.trim_end_matches(':'), mend)
}
