//! How a view gets from the decision thread to whoever shows it.
//!
//! Four views go round: one waits in the slot, at most two are the reader's (the one it has and,
//! for an instant, the next), and so at least one is left to be filled. Neither side ever
//! allocates, waits for the other, or wakes it, and an unread view is replaced by a newer one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam::queue::ArrayQueue;

use super::view::View;

const VIEWS: usize = 4;

#[derive(Debug)]
struct Slot {
    /// The newest view that nobody has picked up.
    fresh: ArrayQueue<Box<View>>,
    /// Views to be filled again.
    spare: ArrayQueue<Box<View>>,
    watchers: AtomicUsize,
}

/// The decision thread's end.
#[derive(Debug)]
pub struct ViewPublisher {
    slot: Arc<Slot>,
    /// The view that the last one has replaced.
    hand: Option<Box<View>>,
    sequence: u64,
}

/// The end of whoever shows the views; just one thread reads.
#[derive(Debug)]
pub struct ViewSource {
    slot: Arc<Slot>,
    current: Option<Box<View>>,
}

/// Where watchers come in; any thread may hold one.
#[derive(Clone, Debug)]
pub struct Watchers {
    slot: Arc<Slot>,
}

/// Somebody watches for as long as this lives.
#[derive(Debug)]
pub struct Watching {
    slot: Arc<Slot>,
}

/// A slot's two ends.
#[must_use]
pub fn view_slot() -> (ViewPublisher, ViewSource) {
    let slot = Arc::new(Slot {
        fresh: ArrayQueue::new(1),
        spare: ArrayQueue::new(VIEWS),
        watchers: AtomicUsize::new(0),
    });
    for _ in 0..VIEWS {
        // There is room for all of them.
        let _ = slot.spare.push(Box::default());
    }
    let publisher = ViewPublisher {
        slot: Arc::clone(&slot),
        hand: None,
        sequence: 0,
    };
    let source = ViewSource {
        slot,
        current: None,
    };
    (publisher, source)
}

impl ViewPublisher {
    /// Whether anybody watches; if not, filling a view is work for nobody.
    #[must_use]
    pub fn wanted(&self) -> bool {
        self.slot.watchers.load(Ordering::Relaxed) > 0
    }

    /// Lets `fill` write a view and leaves it for the reader, if anybody watches; says whether
    /// it did. The view that `fill` gets holds the values of an earlier filling.
    pub fn publish(&mut self, fill: impl FnOnce(&mut View)) -> bool {
        if !self.wanted() {
            return false;
        }
        let free = self.hand.take();
        // With one in the slot and two at the reader, the fourth is here or there.
        let Some(mut view) = free.or_else(|| self.slot.spare.pop()) else {
            return false;
        };
        fill(&mut view);
        self.sequence += 1;
        view.sequence = self.sequence;
        self.hand = self.slot.fresh.force_push(view);
        true
    }
}

impl ViewSource {
    /// Where watchers come in.
    #[must_use]
    pub fn watchers(&self) -> Watchers {
        Watchers {
            slot: Arc::clone(&self.slot),
        }
    }

    /// The newest view if there is one that was not picked up before.
    pub fn newest(&mut self) -> Option<&View> {
        let fresh = self.slot.fresh.pop()?;
        if let Some(read) = self.current.replace(fresh) {
            // There is room for all the views there are.
            let _ = self.slot.spare.push(read);
        }
        self.current.as_deref()
    }
}

impl Watchers {
    /// Asks the engine for views until what is returned is dropped.
    #[must_use]
    pub fn join(&self) -> Watching {
        self.slot.watchers.fetch_add(1, Ordering::Relaxed);
        Watching {
            slot: Arc::clone(&self.slot),
        }
    }

    /// Whether anybody watches.
    #[must_use]
    pub fn any(&self) -> bool {
        self.slot.watchers.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.slot.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn nothing_is_filled_while_nobody_watches() {
        let (mut publisher, mut source) = view_slot();
        assert!(!publisher.publish(|_| panic!("filled for nobody")));
        let watching = source.watchers().join();
        assert!(publisher.publish(|view| view.plant_us = 7));
        assert_eq!(source.newest().map(|view| view.plant_us), Some(7));
        drop(watching);
        assert!(!publisher.publish(|_| panic!("filled for nobody")));
    }

    #[test]
    fn the_reader_gets_the_newest_once() {
        let (mut publisher, mut source) = view_slot();
        let _watching = source.watchers().join();
        for time in 1..=5 {
            assert!(publisher.publish(|view| view.plant_us = time));
        }
        let seen = source.newest().map(|view| (view.sequence, view.plant_us));
        assert_eq!(seen, Some((5, 5)));
        assert!(source.newest().is_none());
    }

    #[test]
    fn the_same_views_go_round_for_ever() {
        let (mut publisher, mut source) = view_slot();
        let _watching = source.watchers().join();
        let mut places = Vec::new();
        for round in 0..1_000 {
            assert!(publisher.publish(|view| {
                let place = std::ptr::from_mut(view).addr();
                if !places.contains(&place) {
                    places.push(place);
                }
            }));
            if round % 3 == 0 {
                assert!(source.newest().is_some());
            }
        }
        assert!(places.len() <= VIEWS, "{} views were made", places.len());
    }

    #[test]
    fn both_ends_run_at_once_without_a_torn_view() {
        let (mut publisher, mut source) = view_slot();
        let watching = source.watchers().join();
        let writer = std::thread::spawn(move || {
            let mut written = 0_u64;
            while publisher.publish(|view| {
                view.plant_us = written;
                view.queue_drops = written;
            }) {
                written += 1;
            }
            written
        });
        let mut last = None;
        let mut seen = 0;
        let deadline = Instant::now() + Duration::from_secs(60);
        while seen < 300 {
            assert!(
                Instant::now() < deadline,
                "the writer found no view to fill"
            );
            let Some(view) = source.newest() else {
                std::thread::yield_now();
                continue;
            };
            assert_eq!(view.plant_us, view.queue_drops);
            assert!(last < Some(view.sequence), "a view came twice or too late");
            last = Some(view.sequence);
            seen += 1;
        }
        drop(watching);
        assert!(writer.join().expect("the writer ends by itself") >= 300);
    }
}
