//! The journal's thread: drains the queue into a block and commits it, again and again.
//!
//! It commits whenever there is something and it has nothing else to do. While one commit runs,
//! the next block gathers in the queue, so that a commit carries one record when little happens
//! and hundreds under load. A block that cannot be committed is kept and tried again: first the
//! queue absorbs what comes meanwhile, and when that is full the recorder counts a gap.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::Instant;

use crossbeam::queue::ArrayQueue;
use sorthub_core::ids::CodeId;
use sorthub_core::signal::Output;

use super::block::Block;
use super::plans::{PLANS_WAITING_MAX, PlanText};
use super::queue::{Recorder, Slot, TextOf};
use super::store::Store;
use super::watch::Shared;
use super::{JournalError, Options};

/// Codes whose text was written lately, by the low bits of their number: a parcel is read by
/// several scanners, but its text is needed once.
const TEXTS_KNOWN: usize = 4_096;

struct Writer {
    store: Store,
    queue: Arc<ArrayQueue<Slot>>,
    plans: Arc<ArrayQueue<PlanText>>,
    run: u32,
    shared: Arc<Shared>,
    options: Options,
    block: Block,
    /// Outputs whose call has not come out of the queue yet.
    said: Vec<Output>,
    /// Text whose last part has not come out of the queue yet.
    text: Vec<u8>,
    texts_known: Vec<CodeId>,
    /// When a close stops waiting for a store that fails.
    give_up: Option<Instant>,
}

/// Starts the thread of a run.
pub(super) fn start(store: Store, run: u32, options: Options) -> Result<Recorder, JournalError> {
    let queue = Arc::new(ArrayQueue::new(options.queue_slots.max(1)));
    let plans = Arc::new(ArrayQueue::new(PLANS_WAITING_MAX));
    let shared = Arc::new(Shared::default());
    let mut writer = Writer {
        store,
        queue: Arc::clone(&queue),
        plans: Arc::clone(&plans),
        run,
        shared: Arc::clone(&shared),
        options,
        block: Block::new(run, 1),
        said: Vec::with_capacity(sorthub_core::limits::OUTPUTS_PER_CALL_MAX),
        text: Vec::with_capacity(super::CODE_TEXT_BYTES_MAX),
        texts_known: vec![CodeId::NONE; TEXTS_KNOWN],
        give_up: None,
    };
    let thread = std::thread::Builder::new().name("journal".to_owned());
    let thread = thread
        .spawn(move || {
            let alarm = AlarmOnPanic(Arc::clone(&writer.shared));
            writer.run();
            std::mem::forget(alarm);
        })
        .map_err(JournalError::Thread)?;
    Ok(Recorder::new(
        queue,
        plans,
        shared,
        thread,
        run,
        options.close_patience,
    ))
}

/// Marks the journal as failing when the writer panics, so that nobody waits for it.
struct AlarmOnPanic(Arc<Shared>);

impl Drop for AlarmOnPanic {
    fn drop(&mut self) {
        self.0
            .set_last_error("the journal's thread has stopped by a fault".to_owned());
        self.0.failing.store(true, Ordering::Release);
    }
}

impl Writer {
    fn run(&mut self) {
        loop {
            // Read before draining: what was pushed before the close is then seen.
            let closing = self.shared.closing.load(Ordering::Acquire);
            self.drain();
            self.keep_plans();
            if !self.block.is_empty() {
                if !self.commit() {
                    return;
                }
            } else if closing {
                return;
            } else {
                self.sleep();
            }
        }
    }

    /// Takes from the queue until it is empty or the block is full.
    fn drain(&mut self) {
        while !self.block.is_full()
            && let Some(slot) = self.queue.pop()
        {
            match slot {
                Slot::Said(output) => self.said.push(output),
                Slot::Call {
                    now,
                    signal,
                    hash_after,
                } => {
                    self.block.call(now, &signal, &self.said, hash_after);
                    self.said.clear();
                }
                Slot::Gap { count } => {
                    let first = self.block.next_seq;
                    tracing::error!(first, count, "JournalGapNamed: the queue was full");
                    self.block.gap(count);
                }
                Slot::Text {
                    of,
                    part,
                    len,
                    last,
                } => {
                    self.text.extend_from_slice(&part[..usize::from(len)]);
                    if last {
                        self.keep_text(of);
                    }
                }
                Slot::Staged { version } => self.block.staged(version),
                Slot::Close { digest } => self.block.close(digest),
            }
        }
    }

    fn keep_text(&mut self, of: TextOf) {
        // The recorder cuts texts between characters, so nothing is replaced here.
        let text = String::from_utf8_lossy(&self.text);
        match of {
            TextOf::Command(ticket) => self.block.note(ticket, &text),
            TextOf::Code(code) => {
                let known = &mut self.texts_known[code.0 as usize % TEXTS_KNOWN];
                if *known != code {
                    *known = code;
                    self.block.text(code, &text);
                }
            }
        }
        self.text.clear();
    }

    /// Stores the texts of plans that wait; each is durable before its sender goes on.
    fn keep_plans(&mut self) {
        while let Some(plan) = self.plans.pop() {
            let kept = self.store.keep_plan(self.run, plan.version, &plan.text);
            plan.answer(kept.map_err(|error| error.to_string()));
        }
    }

    /// Commits the block, trying until it succeeds; false if a close has waited long enough.
    fn commit(&mut self) -> bool {
        while let Err(error) = self.store.append(&self.block) {
            self.shared.failed_commits.fetch_add(1, Ordering::Relaxed);
            self.shared.set_last_error(error.to_string());
            if !self.shared.failing.swap(true, Ordering::AcqRel) {
                let first = self.block.first_seq;
                tracing::error!(first, %error, "JournalCommitFailed: trying on");
            }
            if !self.wait_for_retry() {
                return false;
            }
        }
        if self.shared.failing.swap(false, Ordering::AcqRel) {
            tracing::info!(first = self.block.first_seq, "JournalCommitSucceeded again");
        }
        let shared = &self.shared;
        shared
            .records
            .fetch_add(u64::from(self.block.records), Ordering::Relaxed);
        shared.blocks.fetch_add(1, Ordering::Relaxed);
        shared
            .bytes
            .fetch_add(self.block.bytes.len() as u64, Ordering::Relaxed);
        shared
            .durable_seq
            .store(self.block.next_seq - 1, Ordering::Release);
        self.block.follow();
        true
    }

    /// Waits for the next try; false if there should be none.
    fn wait_for_retry(&mut self) -> bool {
        let next = Instant::now() + self.options.retry;
        loop {
            let now = Instant::now();
            if self.shared.closing.load(Ordering::Acquire) {
                let give_up = *self
                    .give_up
                    .get_or_insert(now + self.options.close_patience);
                if now >= give_up {
                    return false;
                }
            }
            if now >= next {
                return true;
            }
            // Woken early only by a close.
            std::thread::park_timeout(next - now);
        }
    }

    /// Parks until someone has put something into the queue and says so.
    fn sleep(&self) {
        self.shared.sleeping.store(true, Ordering::Relaxed);
        // Pairs with the fence in the recorder's wake.
        fence(Ordering::SeqCst);
        if self.queue.is_empty()
            && self.plans.is_empty()
            && !self.shared.closing.load(Ordering::Acquire)
        {
            std::thread::park();
        }
        self.shared.sleeping.store(false, Ordering::Relaxed);
    }
}
