//! Plans on their way into the journal, from whichever thread has read them.
//!
//! A plan's text can be megabytes: far too much for the queue of records, and nothing that the
//! decision thread should touch. It goes to the writer by a door of its own, and is durable before
//! the plan is handed to the sorter; so a replay finds every plan that was ever activated.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Thread;
use std::time::Duration;

use crossbeam::queue::ArrayQueue;

use super::watch::Shared;

/// How many plans can wait for the writer. People bring one at a time.
pub(super) const PLANS_WAITING_MAX: usize = 4;

/// How long one waits for the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// A plan that waits to be stored.
#[derive(Debug)]
pub(super) struct PlanText {
    pub version: u32,
    pub text: String,
    done: SyncSender<Result<Option<u32>, String>>,
}

impl PlanText {
    pub fn answer(self, kept: Result<Option<u32>, String>) {
        // Whoever has waited too long has gone; a plan more in the journal does no harm.
        let _ = self.done.try_send(kept);
    }
}

/// Why a plan is not in the journal; it must not be activated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// Others wait already.
    #[error("the journal has {PLANS_WAITING_MAX} plans waiting: try again in a moment")]
    Busy,
    /// The store cannot be written.
    #[error("the journal cannot keep the plan ({0}): free some space, then stage it again")]
    Failing(String),
}

/// The door for plans' texts.
#[derive(Clone, Debug)]
pub struct PlanKeeper {
    queue: Arc<ArrayQueue<PlanText>>,
    shared: Arc<Shared>,
    writer: Thread,
}

impl PlanKeeper {
    pub(super) fn new(
        queue: Arc<ArrayQueue<PlanText>>,
        shared: Arc<Shared>,
        writer: Thread,
    ) -> Self {
        Self {
            queue,
            shared,
            writer,
        }
    }

    /// Stores a plan's canonical text; it is durable when this returns. Each run has its own
    /// plans: gives the last run before in which another text was staged under this version.
    ///
    /// # Errors
    /// See [`KeepError`].
    pub fn keep(&self, version: u32, text: String) -> Result<Option<u32>, KeepError> {
        let (done, kept) = sync_channel(1);
        let plan = PlanText {
            version,
            text,
            done,
        };
        self.queue.push(plan).map_err(|_| KeepError::Busy)?;
        self.shared.wake(&self.writer);
        self.wait(&kept)
    }

    fn wait(&self, kept: &Receiver<Result<Option<u32>, String>>) -> Result<Option<u32>, KeepError> {
        match kept.recv_timeout(PATIENCE) {
            Ok(kept) => kept.map_err(KeepError::Failing),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                let why = self.shared.last_error();
                let why = why.unwrap_or_else(|| "it does not answer".to_owned());
                Err(KeepError::Failing(why))
            }
        }
    }
}
