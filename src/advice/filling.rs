//! Sharing the work of a load: one thread for each part of the table, and all do the same.
//!
//! Whoever has time cuts the next batch off the file and understands its rows. Each thread then
//! adds the rows that belong to its own part, batch by batch in the order of the file. So nobody
//! waits as long as there is something to cut, and what comes of it does not hang on who did what.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam::channel::{Receiver, Sender, bounded};
use sorthub_core::directory::PARTS;

use super::batch::Batch;
use super::blocks::Blocks;
use super::columns::Columns;

/// Batches that a thread holds at most for which one before is missing. A thread that is so far
/// ahead of another one waits for it.
const WAITING_MAX: usize = 4;

/// What can stand in a thread's inbox. It looks there after each batch that it cuts, and nobody
/// gets further ahead of that batch than [`WAITING_MAX`]; so nobody ever waits to send.
const INBOX: usize = WAITING_MAX * PARTS;

/// A file on its way into batches, which are counted.
struct Cutter<R> {
    blocks: Blocks<R>,
    next: u64,
    /// How many batches there are in all, once that is known.
    end: Option<u64>,
}

impl<R: Read> Cutter<R> {
    /// Fills a batch; its number in the file, or nothing if there is none any more.
    fn cut(&mut self, batch: &mut Batch) -> Option<u64> {
        if self.end.is_some() {
            return None;
        }
        let nth = self.next;
        match self.blocks.fill(batch) {
            Ok(true) => {}
            Ok(false) => {
                self.end = Some(nth);
                return None;
            }
            // There may be rows in the batch; they come first.
            Err(stopped) => {
                batch.stopped = Some(stopped);
                self.end = Some(nth + 1);
            }
        }
        self.next += 1;
        Some(nth)
    }
}

/// What the threads of a load have in common.
pub(super) struct Work<'c, R> {
    columns: &'c Columns,
    cutter: Mutex<Cutter<R>>,
}

/// What one thread tells the others.
enum Told {
    Batch(u64, Arc<Batch>),
    /// No table can come of it.
    Over,
}

/// One of the threads.
pub(super) struct Hand {
    others: Vec<Sender<Told>>,
    inbox: Receiver<Told>,
    /// Batches that are not added yet, by their number.
    waiting: BTreeMap<u64, Arc<Batch>>,
    /// The number of the one to be added next.
    next: u64,
    /// Batches that everybody is done with.
    spare: Vec<Batch>,
}

/// One hand for each part of the table.
pub(super) fn hands() -> Vec<Hand> {
    let (senders, inboxes): (Vec<_>, Vec<_>) = (0..PARTS).map(|_| bounded(INBOX)).unzip();
    let hands = inboxes.into_iter().enumerate().map(|(own, inbox)| {
        let others = senders.iter().enumerate().filter(|(nth, _)| *nth != own);
        Hand {
            others: others.map(|(_, sender)| sender.clone()).collect(),
            inbox,
            waiting: BTreeMap::new(),
            next: 0,
            spare: Vec::new(),
        }
    });
    hands.collect()
}

impl<'c, R: Read> Work<'c, R> {
    /// With the first batch, which was cut to find the header in it; it is the first hand's.
    pub(super) fn new(
        blocks: Blocks<R>,
        columns: &'c Columns,
        mut first: Batch,
        hand: &mut Hand,
    ) -> Self {
        first.prepare(columns);
        hand.tell(0, first);
        Self {
            columns,
            cutter: Mutex::new(Cutter {
                blocks,
                next: 1,
                end: None,
            }),
        }
    }

    /// Cuts a batch and understands it.
    fn cut(&self, mut batch: Batch) -> Result<(u64, Batch), Option<u64>> {
        let nth = {
            // A thread that panicked while it held the file makes the whole load panic.
            let mut cutter = self.cutter.lock().unwrap_or_else(PoisonError::into_inner);
            cutter.cut(&mut batch).ok_or(cutter.end)?
        };
        batch.prepare(self.columns);
        Ok((nth, batch))
    }
}

impl Hand {
    /// Does its share until all batches have been added, or until `add` or another hand gives up.
    pub(super) fn run<R: Read>(
        &mut self,
        work: &Work<'_, R>,
        mut add: impl FnMut(&Batch) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        loop {
            while let Ok(told) = self.inbox.try_recv() {
                self.keep(told)?;
            }
            while let Some(batch) = self.waiting.remove(&self.next) {
                self.next += 1;
                if add(&batch).is_break() {
                    for other in &self.others {
                        // One that has ended needs to hear nothing.
                        let _ = other.send(Told::Over);
                    }
                    return ControlFlow::Break(());
                }
                self.spare.extend(Arc::into_inner(batch));
            }
            if self.waiting.len() < WAITING_MAX {
                match work.cut(self.spare.pop().unwrap_or_else(Batch::new)) {
                    Ok((nth, batch)) => {
                        self.tell(nth, batch);
                        continue;
                    }
                    Err(end) if end == Some(self.next) => return ControlFlow::Continue(()),
                    Err(_) => {}
                }
            }
            match self.inbox.recv() {
                Ok(told) => self.keep(told)?,
                // The others have panicked.
                Err(_) => return ControlFlow::Break(()),
            }
        }
    }

    fn tell(&mut self, nth: u64, batch: Batch) {
        let batch = Arc::new(batch);
        for other in &self.others {
            let _ = other.send(Told::Batch(nth, Arc::clone(&batch)));
        }
        self.waiting.insert(nth, batch);
    }

    fn keep(&mut self, told: Told) -> ControlFlow<()> {
        match told {
            Told::Batch(nth, batch) => {
                self.waiting.insert(nth, batch);
                ControlFlow::Continue(())
            }
            Told::Over => ControlFlow::Break(()),
        }
    }
}
