//! Questions to a host: out through a bounded queue, back as commands.
//!
//! The decision thread never waits for a host. A question that finds no room is dropped and
//! counted; its parcel gets the local answer at its deadline, as it does when nobody is there.

use std::sync::Arc;

use crossbeam::queue::ArrayQueue;
use sorthub_core::ids::{CodeId, ParcelId};
use sorthub_core::units::Micros;
use tokio::sync::Notify;

use super::decider::Decider;
use crate::telemetry::{LinkRow, ShortText};

/// Questions that can wait for the host: four seconds of an engine that asks about every parcel
/// of 200,000 an hour. Older ones could not be answered in time anyway.
pub const HOST_QUESTIONS_MAX: usize = 256;

/// A question to the host: where does this parcel go?
#[derive(Clone, Copy, Debug)]
pub struct HostQuestion {
    /// The parcel.
    pub parcel: ParcelId,
    /// Its identity.
    pub code: CodeId,
    /// The code's text, where it is remembered.
    pub text: Option<ShortText>,
    /// Plant time when it was asked.
    pub asked: Micros,
    /// Plant time after which an answer is too late.
    pub until: Micros,
}

/// The way to a host that has joined.
#[derive(Clone, Debug)]
pub struct HostLink {
    queue: Arc<ArrayQueue<HostQuestion>>,
    news: Arc<Notify>,
}

impl HostLink {
    /// A way with room for [`HOST_QUESTIONS_MAX`] questions.
    #[must_use]
    pub fn new() -> Self {
        Self {
            queue: Arc::new(ArrayQueue::new(HOST_QUESTIONS_MAX)),
            news: Arc::new(Notify::new()),
        }
    }

    /// The next question, once there is one.
    pub async fn next(&self) -> HostQuestion {
        loop {
            if let Some(question) = self.queue.pop() {
                return question;
            }
            self.news.notified().await;
        }
    }

    /// Whether both are ends of one way.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.queue, &other.queue)
    }
}

impl Default for HostLink {
    fn default() -> Self {
        Self::new()
    }
}

/// The decision thread's end.
#[derive(Debug, Default)]
pub(super) struct Host {
    link: Option<HostLink>,
    has_news: bool,
    /// Whether one has ever joined: from then on its link is shown.
    is_known: bool,
    /// Questions that found no room.
    pub dropped: u64,
}

impl Host {
    pub fn join(&mut self, link: Option<HostLink>) {
        self.is_known |= link.is_some();
        self.link = link;
    }

    /// Its line in the list of links.
    pub fn row(&self) -> Option<LinkRow> {
        self.is_known.then(|| LinkRow {
            name: ShortText::new("host"),
            up: self.link.is_some(),
        })
    }

    /// Wakes the host's thread, once for all that was asked in a turn.
    pub fn wake(&mut self) {
        if std::mem::take(&mut self.has_news)
            && let Some(link) = &self.link
        {
            link.news.notify_one();
        }
    }
}

impl Decider {
    pub(super) fn ask_host(&mut self, now: Micros, parcel: ParcelId, code: CodeId, until: Micros) {
        let text = self.show.text_of(code);
        let Some(link) = &self.host.link else { return };
        let question = HostQuestion {
            parcel,
            code,
            text,
            asked: now,
            until,
        };
        match link.queue.push(question) {
            Ok(()) => self.host.has_news = true,
            Err(_) => self.host.dropped += 1,
        }
    }
}
