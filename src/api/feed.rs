//! The views on their way to watchers: one clock, one serialisation, many readers.
//!
//! A watcher that is slower than the clock skips views; nothing is queued for it but the one it
//! is reading.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use futures_core::Stream;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::telemetry::{View, ViewSource, Watchers, Watching};

/// How often watchers get a view. Faster is not seen: the page moves the belts in between.
const PERIOD: Duration = Duration::from_millis(100);

/// How long one request for a view waits until the engine has published.
const FIRST_VIEW_MAX: Duration = Duration::from_secs(2);

/// With the engine silent, watchers get a comment this often, so that neither side takes the
/// connection for dead.
const COMMENT_PERIOD: Duration = Duration::from_secs(5);

/// How soon a browser that lost the stream tries again, as the stream's first line.
const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n\n");
const COMMENT: Bytes = Bytes::from_static(b": the engine has published nothing\n\n");

/// A view as it goes over the wire.
#[derive(Clone, Debug, Default)]
struct Frame {
    /// As one event of the stream, with the JSON in the middle; empty while nobody watches.
    event: Bytes,
    /// [`View::sequence`].
    sequence: u64,
}

const EVENT_HEAD: &[u8] = b"event: view\ndata: ";
const EVENT_TAIL: &[u8] = b"\n\n";

impl Frame {
    /// A view's fields always have a JSON form; should that change, the view is not shown.
    fn new(view: &View) -> Option<Self> {
        let mut event = EVENT_HEAD.to_vec();
        serde_json::to_writer(&mut event, view).ok()?;
        event.extend_from_slice(EVENT_TAIL);
        Some(Self {
            event: event.into(),
            sequence: view.sequence,
        })
    }

    fn json(&self) -> Bytes {
        let end = self.event.len() - EVENT_TAIL.len();
        self.event.slice(EVENT_HEAD.len()..end)
    }
}

/// The way to the newest view.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    newest: watch::Receiver<Frame>,
    watchers: Watchers,
    joined: Arc<Notify>,
    places: Arc<Semaphore>,
}

/// Makes a feed of `source` for at most `watchers_max` streams at once, and the task that drives
/// it until `stop` says so.
pub(super) fn feed(
    source: ViewSource,
    watchers_max: usize,
    stop: watch::Receiver<bool>,
) -> (Feed, impl Future<Output = ()> + Send + use<>) {
    let (sender, newest) = watch::channel(Frame::default());
    let joined = Arc::new(Notify::new());
    let feed = Feed {
        newest,
        watchers: source.watchers(),
        joined: Arc::clone(&joined),
        places: Arc::new(Semaphore::new(watchers_max)),
    };
    (feed, run(source, sender, joined, stop))
}

async fn run(
    mut source: ViewSource,
    newest: watch::Sender<Frame>,
    joined: Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    let watchers = source.watchers();
    let mut clock = interval(PERIOD);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = clock.tick() => {}
        }
        if !watchers.any() {
            // Whoever comes next must not see what was true when the last one left.
            newest.send_replace(Frame::default());
            tokio::select! {
                _ = stop.changed() => return,
                () = joined.notified() => {}
            }
            let _ = source.newest();
            clock.reset();
        } else if let Some(frame) = source.newest().and_then(Frame::new) {
            newest.send_replace(frame);
        }
    }
}

impl Feed {
    fn join(&self) -> Watching {
        let watching = self.watchers.join();
        self.joined.notify_one();
        watching
    }

    /// The next view as JSON; `None` if the engine publishes none in time.
    pub(super) async fn view(&self) -> Option<Bytes> {
        let mut newest = self.newest.clone();
        let seen = newest.borrow().sequence;
        let _watching = self.join();
        let newer = newest.wait_for(|frame| frame.sequence > seen);
        let frame = timeout(FIRST_VIEW_MAX, newer).await.ok()?.ok()?;
        Some(frame.json())
    }

    /// A stream of views; `None` if as many as may watch already do.
    pub(super) fn events(&self) -> Option<Events> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let (sender, events) = mpsc::channel(1);
        let newest = self.newest.clone();
        tokio::spawn(follow(newest, sender, self.join(), place));
        Some(Events { events })
    }
}

/// Hands one watcher the newest view whenever it is ready for one.
async fn follow(
    mut newest: watch::Receiver<Frame>,
    events: mpsc::Sender<Bytes>,
    _watching: Watching,
    _place: OwnedSemaphorePermit,
) {
    newest.mark_changed();
    let mut event = RETRY;
    loop {
        if !event.is_empty() && events.send(event).await.is_err() {
            return;
        }
        tokio::select! {
            () = events.closed() => return,
            changed = timeout(COMMENT_PERIOD, newest.changed()) => match changed {
                Ok(Ok(())) => event = newest.borrow_and_update().event.clone(),
                // The feed has stopped.
                Ok(Err(_)) => return,
                Err(_) => event = COMMENT,
            },
        }
    }
}

/// One watcher's events, as a response body.
#[derive(Debug)]
pub(super) struct Events {
    events: mpsc::Receiver<Bytes>,
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_recv(context).map(|event| event.map(Ok))
    }
}
