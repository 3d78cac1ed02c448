//! The door for other threads: a bounded lock-free queue into the decision thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam::queue::ArrayQueue;
use sorthub_core::signal::Signal;
use tokio::sync::Notify;

/// How many requests can wait. People and hosts send a few a second; what comes faster than it is
/// taken is told so.
pub const INBOX_MAX: usize = 1_024;

/// Something that another thread wants of the decision thread.
#[derive(Clone, Copy, Debug)]
pub enum Request {
    /// Tell the sorter this.
    Tell(Signal),
    /// End the run: give back the PLCs' grants and close the journal.
    Stop,
}

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
