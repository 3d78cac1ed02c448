//! The decision thread's end of the journal, and what crosses to the writer.
//!
//! Everything crosses in slots of one size, `Copy`, so that recording neither allocates nor waits.
//! What belongs together ends with its own slot (a call after its outputs, a text with its last
//! part), and either all of it gets in or nothing: the writer never sees half a record for long.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use crossbeam::queue::ArrayQueue;
use sorthub_core::ids::CodeId;
use sorthub_core::operator::Ticket;
use sorthub_core::signal::{Output, Signal};
use sorthub_core::units::Micros;

use super::plans::{PlanKeeper, PlanText};
use super::watch::{Shared, Watch};
use super::{CloseError, Counts};

/// Bytes of a code's text that are kept; the rest is cut off. The longest carrier codes have
/// under 100.
pub const CODE_TEXT_BYTES_MAX: usize = 256;

const TEXT_PART_BYTES: usize = 64;

/// How often a close looks whether there is room for its last slot.
const CLOSE_POLL: Duration = Duration::from_millis(1);

/// What crosses the queue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// An output of the call that follows.
    Said(Output),
    /// A call; its outputs came before.
    Call {
        now: Micros,
        signal: Signal,
        hash_after: u64,
    },
    /// So many calls found no room.
    Gap { count: u64 },
    /// A plan was handed to the sorter; its text is in the table `plans`.
    Staged { version: u32 },
    /// A part of a text.
    Text {
        of: TextOf,
        part: [u8; TEXT_PART_BYTES],
        len: u8,
        last: bool,
    },
    /// The run is over; what the sorter's digest is then.
    Close { digest: u64 },
}

/// What a text belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum TextOf {
    /// A code's own text.
    Code(CodeId),
    /// Who gave a command, and in which words.
    Command(Ticket),
}

// The largest is a scanned call or an order. A bigger slot costs on every record.
const _: () = assert!(size_of::<Slot>() <= 160);

/// The decision thread's end: there is one, and only it puts anything into the queue.
#[derive(Debug)]
pub struct Recorder {
    queue: Arc<ArrayQueue<Slot>>,
    shared: Arc<Shared>,
    plans: Arc<ArrayQueue<PlanText>>,
    writer: Option<JoinHandle<()>>,
    writer_thread: Thread,
    run_epoch: u32,
    next_seq: u64,
    /// Slots that are surely free. The queue is asked only when these are used up, since asking
    /// fetches the writer's cache line.
    room: usize,
    /// Calls that found no room since the last that did.
    missing: u64,
    close_patience: Duration,
}

impl Recorder {
    pub(super) fn new(
        queue: Arc<ArrayQueue<Slot>>,
        plans: Arc<ArrayQueue<PlanText>>,
        shared: Arc<Shared>,
        writer: JoinHandle<()>,
        run_epoch: u32,
        close_patience: Duration,
    ) -> Self {
        let writer_thread = writer.thread().clone();
        let room = queue.capacity();
        Self {
            queue,
            plans,
            shared,
            writer: Some(writer),
            writer_thread,
            run_epoch,
            next_seq: 1,
            room,
            missing: 0,
            close_patience,
        }
    }

    /// The epoch of the run.
    #[must_use]
    pub fn run_epoch(&self) -> u32 {
        self.run_epoch
    }

    /// Records one call of the sorter: what it was told, what it said, and its rolling output
    /// hash after that. Gives the call's sequence number, from 1, for
    /// [`Watch::may_acknowledge`].
    ///
    /// Never waits and never allocates. Without room the call becomes part of a gap. The writer
    /// is not woken: call [`Recorder::wake`] when the turn's orders are out.
    pub fn record(
        &mut self,
        now: Micros,
        signal: &Signal,
        outputs: &[Output],
        hash_after: u64,
    ) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        if !self.make_room_after_gap(outputs.len() + 1) {
            if self.missing == 0 {
                self.shared.gaps.fetch_add(1, Ordering::Relaxed);
            }
            self.missing += 1;
            self.shared.missing.fetch_add(1, Ordering::Relaxed);
            return seq;
        }
        for output in outputs {
            self.push(Slot::Said(*output));
        }
        self.push(Slot::Call {
            now,
            signal: *signal,
            hash_after,
        });
        seq
    }

    /// Keeps the text of a code, so that a parcel can be traced by its waybill. To be called
    /// before the call that names the code; the writer leaves out what it has just written.
    pub fn text(&mut self, code: CodeId, text: &str) {
        self.put_text(TextOf::Code(code), text);
    }

    /// Keeps who gives a command and in which words. To be called before the call that carries it.
    pub fn note(&mut self, ticket: Ticket, text: &str) {
        self.put_text(TextOf::Command(ticket), text);
    }

    /// Records that the sorter is handed a plan, so that a replay hands it over at the same place.
    /// False if there is no room for that: then the plan must not be handed over.
    #[must_use]
    pub fn staged(&mut self, version: u32) -> bool {
        let has_room = self.make_room_after_gap(1);
        if has_room {
            self.push(Slot::Staged { version });
        }
        has_room
    }

    /// A door for plans' texts, for other threads.
    #[must_use]
    pub fn plan_keeper(&self) -> PlanKeeper {
        PlanKeeper::new(
            Arc::clone(&self.plans),
            Arc::clone(&self.shared),
            self.writer_thread.clone(),
        )
    }

    fn put_text(&mut self, of: TextOf, text: &str) {
        let mut end = text.len().min(CODE_TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let bytes = &text.as_bytes()[..end];
        let parts = bytes.len().div_ceil(TEXT_PART_BYTES).max(1);
        if !self.make_room_after_gap(parts) {
            self.shared.texts_lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        for nth in 0..parts {
            let from = nth * TEXT_PART_BYTES;
            let to = bytes.len().min(from + TEXT_PART_BYTES);
            let mut part = [0; TEXT_PART_BYTES];
            part[..to - from].copy_from_slice(&bytes[from..to]);
            let len = (to - from) as u8;
            self.push(Slot::Text {
                of,
                part,
                len,
                last: nth + 1 == parts,
            });
        }
    }

    /// Wakes the writer if it sleeps: at most once for each of its commits. To be called once a
    /// turn, after the orders are written.
    pub fn wake(&self) {
        self.shared.wake(&self.writer_thread);
    }

    /// Up to here every record is on disk, or named there as missing; 0 before the first.
    #[must_use]
    pub fn durable_seq(&self) -> u64 {
        self.shared.durable_seq.load(Ordering::Acquire)
    }

    /// A view for other threads.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch(Arc::clone(&self.shared))
    }

    /// Ends the run: stores what is still in the queue and the sorter's final digest, and waits
    /// until all of it is on disk.
    ///
    /// # Errors
    /// See [`CloseError`]. The journal is readable in either case.
    pub fn close(mut self, digest: u64) -> Result<Counts, CloseError> {
        let give_up = Instant::now() + self.close_patience;
        while !self.make_room_after_gap(1) && Instant::now() < give_up {
            self.wake();
            std::thread::sleep(CLOSE_POLL);
        }
        let all_in = self.missing == 0 && self.room > 0;
        if all_in {
            self.push(Slot::Close { digest });
        }
        let stopped = self.finish();
        let durable = self.durable_seq();
        let last = self.next_seq - 1;
        if stopped {
            return Err(CloseError::Stopped { durable });
        }
        if durable < last || !all_in || self.shared.failing.load(Ordering::Acquire) {
            let why = self
                .shared
                .last_error()
                .unwrap_or_else(|| "too slow".to_owned());
            return Err(CloseError::Unsaved {
                first: durable + 1,
                records: last - durable,
                why,
            });
        }
        Ok(self.watch().counts())
    }

    /// Lets the writer store what is in the queue and waits for its end; true if it panicked.
    fn finish(&mut self) -> bool {
        let Some(writer) = self.writer.take() else {
            return false;
        };
        self.shared.closing.store(true, Ordering::Release);
        self.writer_thread.unpark();
        writer.join().is_err()
    }

    /// Whether there is room for so many slots. After a gap the gap's own slot goes in first, and
    /// only once half of the queue is free: a queue that stays nearly full would otherwise make a
    /// gap of every other record.
    fn make_room_after_gap(&mut self, slots: usize) -> bool {
        if self.missing == 0 {
            return self.has_room(slots);
        }
        let half = self.queue.capacity() / 2;
        if !self.has_room((slots + 1).max(half)) {
            return false;
        }
        self.push(Slot::Gap {
            count: self.missing,
        });
        self.missing = 0;
        true
    }

    fn has_room(&mut self, slots: usize) -> bool {
        if self.room < slots {
            // Only the writer changes it meanwhile, and it only makes room.
            self.room = self.queue.capacity() - self.queue.len();
        }
        self.room >= slots
    }

    fn push(&mut self, slot: Slot) {
        self.room -= 1;
        let refused = self.queue.push(slot).is_err();
        assert!(
            !refused,
            "a slot of the journal's queue was free and is taken"
        );
    }
}

impl Drop for Recorder {
    /// Without [`Recorder::close`] the run stays open, as after a crash, but nothing in the queue
    /// is lost.
    fn drop(&mut self) {
        let _ = self.finish();
    }
}
