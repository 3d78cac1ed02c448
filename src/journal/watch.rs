//! How far the disk is, for everyone who wants to know.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;

use crossbeam::utils::CachePadded;

/// The state that recorder, writer and watchers share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Read by the decision thread before each acknowledgement; away from what the writer counts.
    pub(super) durable_seq: CachePadded<AtomicU64>,
    /// The writer is about to park, or has: whoever has something for it must unpark it.
    pub(super) sleeping: CachePadded<AtomicBool>,
    pub(super) closing: AtomicBool,
    pub(super) failing: AtomicBool,
    pub(super) records: AtomicU64,
    pub(super) blocks: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) failed_commits: AtomicU64,
    pub(super) wakes: AtomicU64,
    pub(super) gaps: AtomicU64,
    pub(super) missing: AtomicU64,
    pub(super) texts_lost: AtomicU64,
    pub(super) last_error: Mutex<Option<String>>,
}

impl Shared {
    /// Wakes the writer if it sleeps.
    pub(super) fn wake(&self, writer: &Thread) {
        // Pairs with the fence in the writer's sleep: either it sees what was pushed, or we see
        // that it sleeps.
        fence(Ordering::SeqCst);
        if self.sleeping.load(Ordering::Relaxed) && self.sleeping.swap(false, Ordering::AcqRel) {
            self.wakes.fetch_add(1, Ordering::Relaxed);
            writer.unpark();
        }
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set_last_error(&self, why: String) {
        *self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// A view of the journal from any thread; cheap to clone and to read.
#[derive(Clone, Debug)]
pub struct Watch(pub(super) Arc<Shared>);

/// What the journal has counted since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records on disk.
    pub records: u64,
    /// Commits that succeeded, each one block.
    pub blocks: u64,
    /// Bytes in those blocks.
    pub bytes: u64,
    /// Commits that failed and were tried again.
    pub failed_commits: u64,
    /// Times that the writer's thread was woken.
    pub wakes: u64,
    /// Gaps: an alarm.
    pub gaps: u64,
    /// Records missing in the gaps.
    pub missing: u64,
    /// Texts of codes that found no room; the codes themselves are in the records.
    pub texts_lost: u64,
}

impl Watch {
    /// Up to here every record is on disk, or named there as missing; 0 before the first.
    #[must_use]
    pub fn durable_seq(&self) -> u64 {
        self.0.durable_seq.load(Ordering::Acquire)
    }

    /// Whether the store cannot be written: an alarm. The writer tries on, and sorting goes on.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.0.failing.load(Ordering::Acquire)
    }

    /// Whether the PLC may be told that an event is safe: its record is on disk, or the disk is
    /// gone and waiting for it would stop the hub.
    #[must_use]
    pub fn may_acknowledge(&self, seq: u64) -> bool {
        self.durable_seq() >= seq || self.is_failing()
    }

    /// What went wrong with the store last, in its own words.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.0.last_error()
    }

    /// The counts. Read one by one while the writer runs, so they may differ by a commit.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            records: read(&self.0.records),
            blocks: read(&self.0.blocks),
            bytes: read(&self.0.bytes),
            failed_commits: read(&self.0.failed_commits),
            wakes: read(&self.0.wakes),
            gaps: read(&self.0.gaps),
            missing: read(&self.0.missing),
            texts_lost: read(&self.0.texts_lost),
        }
    }
}
