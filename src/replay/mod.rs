//! Replay: a journal's calls, made again, must say the same.
//!
//! [`replay`] makes the hub and the plan of a run from its header, hands every recorded call to a
//! fresh sorter, and, when asked to verify, compares each output, each rolling hash, and at the
//! end the digest of the sorter's whole state. The first record that differs is named with its
//! time, its signal, and both answers in words. Without verifying it still ends with the run's
//! books.
//!
//! Where the journal itself names records as missing nothing after them can be compared: the
//! sorter has not been told all. That is said, and is not a success.

use std::path::Path;
use std::time::Duration;

use sorthub_core::sorter::Books;
use sorthub_core::units::Micros;

use crate::config::canonical::CanonicalError;
use crate::journal::{self, JournalError, Reader, RunHeader};

mod former;
mod run;
mod words;

pub use former::{Former, former};
pub use words::{Words, clock};

/// What to replay, and how strictly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Compare everything the sorter says with what it said.
    pub verify: bool,
    /// Only this run; otherwise all, the oldest first.
    pub run: Option<u32>,
}

/// Why nothing could be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A run's sorter was handed a plan that neither its header nor the table `plans` holds.
    #[error(
        "run {run}: plan {version} is not in the journal's table `plans`; restore the file from a \
         backup"
    )]
    NoPlan {
        /// Which run.
        run: u32,
        /// The plan's version.
        version: u32,
    },
    /// A run's hub and plan cannot be made again.
    #[error("run {run}: {source}")]
    Description {
        /// Which run.
        run: u32,
        /// Why.
        source: CanonicalError,
    },
}

/// How a run came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// Its epoch.
    pub run: u32,
    /// What it ran under.
    pub header: RunHeader,
    /// Calls that were made again with nothing different.
    pub records: u64,
    /// Outputs that they made.
    pub outputs: u64,
    /// The time of the first call and of the last that was made again.
    pub span: (Micros, Micros),
    /// How it ended.
    pub end: End,
    /// The books after the last call that was made again.
    pub books: Books,
    /// The sorter's digest then.
    pub digest: u64,
    /// How long it took.
    pub wall: Duration,
}

/// How a run ended, and with it what its replay is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was closed in good order and nothing differs, the final digest included.
    Closed,
    /// It was not closed (a crash, a power cut, or it still runs), and nothing differs up to its
    /// last record.
    Open,
    /// As [`End::Open`], and its damaged last block was left out.
    Torn {
        /// The first record that is gone.
        first: u64,
        /// What was wrong with the block.
        why: String,
    },
    /// Records are missing. Nothing differs before them; nothing after them was made again.
    Gap {
        /// The first that is missing.
        first: u64,
        /// How many are.
        count: u64,
        /// Records that follow, in this gap's run.
        after: u64,
    },
    /// Something differs. Nothing after it was made again.
    Differs(Box<Difference>),
}

/// The first thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The record; for a digest the last one.
    pub seq: u64,
    /// Its time.
    pub now: Micros,
    /// Its signal, in words.
    pub signal: String,
    /// What differs.
    pub what: What,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The outputs, in words.
    Outputs {
        /// What was recorded.
        recorded: Vec<String>,
        /// What came out now.
        replayed: Vec<String>,
    },
    /// The outputs are the same, but not the rolling hash over them.
    Hash {
        /// What was recorded.
        recorded: u64,
        /// What came out now.
        replayed: u64,
    },
    /// Everything said is the same, but not the sorter's state at the end.
    Digest {
        /// What was recorded.
        recorded: u64,
        /// What came out now.
        replayed: u64,
    },
    /// The sorter stopped by an assertion.
    Stopped {
        /// What it said.
        why: String,
    },
}

impl RunReport {
    /// Whether all that the journal holds of the run came out again.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.end, End::Closed | End::Open | End::Torn { .. })
    }

    /// The time that the replayed part of the run lasted.
    #[must_use]
    pub fn lasted(&self) -> Micros {
        self.span.1.since(self.span.0)
    }
}

/// Replays the journal in a directory, or those of all sorters of a hub if it holds these.
///
/// # Errors
/// See [`ReplayError`]; a difference is not an error but a result.
pub fn replay(dir: &Path, options: Options) -> Result<Vec<RunReport>, ReplayError> {
    let mut reports = Vec::new();
    for place in journal::found(dir) {
        let reader = Reader::open(&place)?;
        let runs = match options.run {
            Some(run) => vec![reader.run(run)?],
            None => reader.runs()?,
        };
        for info in &runs {
            reports.push(run::replay_run(&reader, info, options.verify)?);
        }
    }
    Ok(reports)
}
