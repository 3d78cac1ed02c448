//! The door for other threads: a bounded lock-free queue into the decision thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam::queue::ArrayQueue;
use sorthub_core::ids::CodeId;
use sorthub_core::operator::{Command, Refused};
use sorthub_core::plan::Plan;
use sorthub_core::signal::Signal;
use tokio::sync::{Notify, oneshot};

use super::asking::{Found, Question};
use super::host::HostLink;
use crate::telemetry::{ChuteRole, View};

/// How many requests can wait. People and hosts send a few a second; what comes faster than it is
/// taken is told so.
pub const INBOX_MAX: usize = 1_024;

/// Something that another thread wants of the decision thread. Whoever asks brings the memory for
/// the answer along.
#[derive(Debug)]
pub enum Request {
    /// Tell the sorter this.
    Tell(Signal),
    /// Carry out what a person or host wants.
    Obey(Box<Batch>, oneshot::Sender<Box<Batch>>),
    /// Take a plan, to be activated later.
    Stage(Arc<Plan>, oneshot::Sender<Result<(), NotStaged>>),
    /// Write down how things are.
    Look(Box<View>, oneshot::Sender<Box<View>>),
    /// Look something up.
    Ask(Question, oneshot::Sender<Found>),
    /// Questions to the host go there from now on; `None`: nowhere.
    Host(Option<HostLink>),
    /// What the active plan uses each chute for, so that alarms are ranked by it.
    Roles(Vec<ChuteRole>),
    /// End the run: give back the PLCs' grants and close the journal.
    Stop,
}

/// Commands that belong together, carried out in order.
#[derive(Debug)]
pub struct Batch {
    /// Who wants it and what it was in words: goes into the journal before each.
    pub note: String,
    /// A code that they name, with its text: it goes into the journal too.
    pub named: Option<(CodeId, String)>,
    /// What is wanted.
    pub commands: Vec<Command>,
    /// An answer to each, in the same order.
    pub answers: Vec<Result<(), Refused>>,
}

impl Batch {
    /// Commands with room for their answers.
    #[must_use]
    pub fn new(note: String, named: Option<(CodeId, String)>, commands: Vec<Command>) -> Self {
        let answers = Vec::with_capacity(commands.len());
        Self {
            note,
            named,
            commands,
            answers,
        }
    }
}

/// The journal's queue is full: a plan that it does not know of is not taken, because no replay
/// could go on behind its activation. Try again in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal is behind: try again in a moment")]
pub struct NotStaged;

/// The inbox is full; nothing was taken. Try again when the engine has caught up, and let the
/// person or host who asked know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has {INBOX_MAX} requests waiting: try again in a moment")]
pub struct Full;

#[derive(Debug)]
struct Inbox {
    queue: ArrayQueue<Request>,
    /// Whether the decision thread has been woken and has not come yet, so that it is woken once
    /// for however many requests.
    woken: AtomicBool,
    wake: Notify,
}

/// The sending side, for any thread.
#[derive(Clone, Debug)]
pub struct InboxSender(Arc<Inbox>);

/// The decision thread's side.
#[derive(Debug)]
pub struct InboxReceiver(Arc<Inbox>);

/// An inbox with its two sides.
#[must_use]
pub fn inbox() -> (InboxSender, InboxReceiver) {
    let inbox = Arc::new(Inbox {
        queue: ArrayQueue::new(INBOX_MAX),
        woken: AtomicBool::new(false),
        wake: Notify::new(),
    });
    (InboxSender(Arc::clone(&inbox)), InboxReceiver(inbox))
}

impl InboxSender {
    /// Whether there is no room just now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.queue.is_full()
    }

    /// Hands a request over; never waits.
    ///
    /// # Errors
    /// [`Full`] if too many wait already.
    pub fn send(&self, request: Request) -> Result<(), Full> {
        self.0.queue.push(request).map_err(|_| Full)?;
        if !self.0.woken.swap(true, Ordering::AcqRel) {
            self.0.wake.notify_one();
        }
        Ok(())
    }
}

impl InboxReceiver {
    /// Waits until there may be something.
    pub async fn ready(&self) {
        self.0.wake.notified().await;
        // Before the queue is looked at: whoever pushes after that wakes again.
        self.0.woken.store(false, Ordering::Release);
    }

    /// The next request, in the order they came.
    pub fn next(&self) -> Option<Request> {
        self.0.queue.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_inbox_says_so_and_loses_nothing_it_took() {
        let (sender, receiver) = inbox();
        for _ in 0..INBOX_MAX {
            sender.send(Request::Tell(Signal::Tick)).unwrap();
        }
        assert_eq!(sender.send(Request::Stop), Err(Full));
        assert_eq!(std::iter::from_fn(|| receiver.next()).count(), INBOX_MAX);
        assert_eq!(sender.send(Request::Stop), Ok(()));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn many_requests_wake_once_and_none_is_overlooked() {
        let (sender, receiver) = inbox();
        for round in 0..100 {
            sender.send(Request::Tell(Signal::Tick)).unwrap();
            sender.send(Request::Tell(Signal::Tick)).unwrap();
            receiver.ready().await;
            let taken = std::iter::from_fn(|| receiver.next()).count();
            assert_eq!(taken, 2, "in round {round}");
        }
    }
}
