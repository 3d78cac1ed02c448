//! The journal: every call of the sorter and all it said, on disk, in order.
//!
//! A record is a sequence number, the time, the signal, the outputs, and the rolling output hash
//! after them. [`crate::replay`] feeds a run's records to a fresh sorter and everything must come
//! out again.
//!
//! A tour, in the order of a start. [`Journal::open`] takes the directory, cuts a torn tail, and
//! begins a run: its epoch is on disk before the first parcel gets an id. [`Journal::start`] hands
//! the store to a thread of its own and leaves the decision thread with a [`Recorder`], which
//! copies records into a bounded queue and never waits. The writer drains the queue into a
//! [`Block`](block::Block) and commits it as one row whenever it has nothing else to do, so that
//! under load many records share one commit. [`Watch`] tells the others how far the disk is.
//! [`Reader`] reads it all back.
//!
//! What goes wrong is named, not hidden: records that found the queue full are a *gap* in the
//! journal; a store that cannot write makes [`Watch::is_failing`] true while the writer tries on.

use std::path::Path;

mod crc32c;
mod error;
mod hub;
mod plans;
mod queue;
mod reader;
mod store;
mod watch;
mod writer;

pub mod block;

pub use error::{CloseError, JournalError};
pub use hub::{found, open_all, places};
pub use plans::{KeepError, PlanKeeper};
pub use queue::{CODE_TEXT_BYTES_MAX, Recorder};
pub use reader::{Reader, RunInfo, Tail};
pub use store::{FILE_NAME, TornTail};
pub use watch::{Counts, Watch};

use std::time::Duration;

use sorthub_core::hub::Hub;
use sorthub_core::operator::Ticket;
use sorthub_core::plan::Plan;

use crate::config::canonical;

/// What a run is recorded under, written before its first record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunHeader {
    /// The build that decides; another build may decide otherwise.
    pub build: String,
    /// Hub and plan as text, from which replay makes them again; see [`describe`].
    pub description: String,
    /// Which sorter of the hub it is.
    pub sorter: u16,
    /// The version of the plan that the run begins with.
    pub plan_version: u32,
    /// How fast the sorter's clock runs against the wall clock, in thousandths: 1000 live, more
    /// when an emulated hub runs faster than real time.
    pub clock_permille: u32,
    /// When the run began: microseconds since 1970-01-01 UTC. For people; nothing is decided by
    /// it.
    pub started_unix_us: u64,
}

/// The command of the note with which a run begins that has heard again what people had said to
/// the one before; no real command has this number. A run without it was cut off before.
pub const WORDS_SAID: Ticket = Ticket(0);

/// The journal's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Room between the decision thread and the writer, in slots: a record takes one, and one
    /// more for each output. A record that needs more than there are is never stored.
    pub queue_slots: usize,
    /// The file never grows past this many bytes; then it is as with a full disk. `None`: until
    /// the disk is full.
    pub bytes_max: Option<u64>,
    /// How long to wait after a failed commit before the next try.
    pub retry: Duration,
    /// How long a close tries to save the rest on a store that fails.
    pub close_patience: Duration,
    /// The run gets a number above this one: a PLC that has obeyed a run of a journal that is lost
    /// obeys no run with a lower number.
    pub after_run: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            // A quarter of an hour at 20,000 parcels an hour, 0.2 s at 100,000 records a second;
            // about 6 MB.
            queue_slots: 65_536,
            bytes_max: None,
            retry: Duration::from_millis(100),
            close_patience: Duration::from_secs(5),
            after_run: 0,
        }
    }
}

/// A journal with a run begun in it, not yet written to.
#[derive(Debug)]
pub struct Journal {
    store: store::Store,
    run_epoch: u32,
    cut: Option<TornTail>,
    options: Options,
}

impl Journal {
    /// Opens the journal in a directory, making both if there are none, and begins a run.
    ///
    /// The run's epoch is durable when this returns. The run before must be whole: a damaged last
    /// block is cut, which [`Journal::cut`] tells and the file remembers.
    ///
    /// # Errors
    /// See [`JournalError`]; nothing has been begun then.
    pub fn open(dir: &Path, header: &RunHeader, options: Options) -> Result<Self, JournalError> {
        let (mut store, cut) = store::Store::open(dir, options.bytes_max)?;
        let run_epoch = store.begin_run(header, options.after_run)?;
        Ok(Self {
            store,
            run_epoch,
            cut,
            options,
        })
    }

    /// The epoch of the run that was begun: it goes into every parcel id, so that no id is ever
    /// given twice.
    #[must_use]
    pub fn run_epoch(&self) -> u32 {
        self.run_epoch
    }

    /// What was cut off the end of the run before, if its last block was damaged.
    #[must_use]
    pub fn cut(&self) -> Option<&TornTail> {
        self.cut.as_ref()
    }

    /// Starts the writer's thread. The recorder is for the thread that owns the sorter.
    ///
    /// # Errors
    /// [`JournalError::Thread`] if the system gives no thread.
    pub fn start(self) -> Result<Recorder, JournalError> {
        writer::start(self.store, self.run_epoch, self.options)
    }
}

/// The build that this program is, for [`RunHeader::build`].
#[must_use]
pub fn build() -> String {
    format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

/// The canonical text of a hub and its plan, for [`RunHeader::description`].
#[must_use]
pub fn describe(hub: &Hub, plan: &Plan) -> String {
    canonical::to_text(hub.spec(), plan.spec())
}
