//! The views of several sorters, put together to one of their hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use sorthub_core::hub::Hub;
use sorthub_core::ids::TrackId;
use sorthub_core::plan::Waves;

use super::slot::{ViewPublisher, ViewSource, Watching};
use super::view::{BooksRow, ITEM_ROWS_MAX, LatencyRow, View};

/// As often as sorters show something new.
const MERGE_EVERY: Duration = Duration::from_millis(100);

/// A thread that puts views together for as long as this lives.
#[derive(Debug)]
pub struct ViewMerger {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Which sorter each device belongs to, by its position in the hub.
struct Owners {
    tracks: Vec<usize>,
    inductions: Vec<usize>,
    chutes: Vec<usize>,
    scanners: Vec<usize>,
}

impl ViewMerger {
    /// Starts it. `sources` are the sorters' slots in their order, `all` is where the hub's go.
    #[must_use]
    pub fn start(hub: &Hub, sources: Vec<ViewSource>, all: ViewPublisher) -> Self {
        let owners = Owners::new(hub);
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let body = move || run(&owners, sources, all, &asked);
        let thread = std::thread::Builder::new().name("views".into());
        // Without it the page stays empty, and sorting goes on.
        let thread = thread
            .spawn(body)
            .inspect_err(|error| tracing::error!(%error, "no thread for the page's views"));
        Self {
            stop,
            thread: thread.ok(),
        }
    }
}

impl Drop for ViewMerger {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}

fn run(owners: &Owners, mut sources: Vec<ViewSource>, mut all: ViewPublisher, stop: &AtomicBool) {
    let mut watching: Vec<Watching> = Vec::new();
    let mut latest: Vec<View> = sources.iter().map(|_| View::default()).collect();
    // Which of them is of the time since somebody watches.
    let mut is_new = vec![false; latest.len()];
    while !stop.load(Ordering::Relaxed) {
        if all.wanted() {
            if watching.is_empty() {
                is_new.fill(false);
                for source in &mut sources {
                    let _ = source.newest();
                }
                watching = sources
                    .iter()
                    .map(|source| source.watchers().join())
                    .collect();
            }
            for (nth, source) in sources.iter_mut().enumerate() {
                if let Some(view) = source.newest() {
                    latest[nth].clone_from(view);
                    is_new[nth] = true;
                }
            }
            // Whoever has just come must not see what was true when the last one left.
            if is_new.iter().all(|is_new| *is_new) {
                all.publish(|view| owners.merge(&latest, view));
            }
        } else {
            watching.clear();
        }
        std::thread::sleep(MERGE_EVERY);
    }
}

/// Puts the views of a hub's sorters, in their order, together.
pub fn merge_views(hub: &Hub, views: &[View], into: &mut View) {
    Owners::new(hub).merge(views, into);
}

impl Owners {
    fn new(hub: &Hub) -> Self {
        let owner = |track: TrackId| hub.sorter_of(track).index();
        let tracks = (0..hub.tracks().len()).map(|track| owner(TrackId(track as u16)));
        let chutes = hub.chutes().iter().map(|chute| {
            let outlet = chute.outlets.first();
            outlet.map_or(0, |outlet| owner(outlet.track))
        });
        let scanners = hub.scanners().iter().map(|scanner| owner(scanner.track));
        let inductions = hub.inductions().iter().map(|i| owner(i.track));
        Self {
            inductions: inductions.collect(),
            tracks: tracks.collect(),
            chutes: chutes.collect(),
            scanners: scanners.collect(),
        }
    }

    /// Each device as its own sorter sees it; counts together.
    fn merge(&self, views: &[View], into: &mut View) {
        into.plan_version = views.first().map_or(0, |view| view.plan_version);
        // One that a sorter could not open yet is not open.
        into.waves = Waves(views.iter().fold(u64::MAX, |all, view| all & view.waves.0));
        into.plant_us = views.iter().map(|view| view.plant_us).max().unwrap_or(0);
        into.speed_permille = views
            .iter()
            .map(|view| view.speed_permille)
            .max()
            .unwrap_or(0);
        pick(&self.tracks, views, &mut into.tracks, |view| &view.tracks);
        for (row, owner) in into.tracks.iter_mut().zip(&self.tracks) {
            // Every belt as it is at the same time.
            let since_us = into.plant_us - views[*owner].plant_us;
            row.belt_mm += (u64::from(row.speed_mm_s) * since_us / 1_000_000) as i64;
        }
        pick(&self.inductions, views, &mut into.inductions, |view| {
            &view.inductions
        });
        pick(&self.chutes, views, &mut into.chutes, |view| &view.chutes);
        pick(&self.scanners, views, &mut into.scanners, |view| {
            &view.scanners
        });
        into.items.clear();
        into.alarms.clear();
        into.links.clear();
        into.books = BooksRow::default();
        into.books.balance = true;
        (into.decision, into.wire_to_wire) = (LatencyRow::default(), LatencyRow::default());
        (into.items_left_out, into.queue_drops) = (0, 0);
        (into.sorted_per_h, into.inducted_per_h) = (0, 0);
        for view in views {
            let room = ITEM_ROWS_MAX - into.items.len();
            into.items.extend(view.items.iter().take(room));
            into.items_left_out += view.items_left_out;
            into.items_left_out += view.items.len().saturating_sub(room) as u32;
            into.alarms.extend(view.alarms.iter().cloned());
            into.links.extend(view.links.iter().cloned());
            into.books.add(&view.books);
            into.decision.slower_of(&view.decision);
            into.wire_to_wire.slower_of(&view.wire_to_wire);
            into.sorted_per_h += view.sorted_per_h;
            into.inducted_per_h += view.inducted_per_h;
            into.queue_drops += view.queue_drops;
        }
        into.alarms
            .sort_by_key(|row| std::cmp::Reverse(row.since_us));
    }
}

fn pick<T: Copy + Default>(
    owners: &[usize],
    views: &[View],
    into: &mut Vec<T>,
    list: impl Fn(&View) -> &Vec<T>,
) {
    into.clear();
    let rows = owners.iter().enumerate();
    // Before its first view a sorter has shown nothing.
    into.extend(rows.map(|(at, owner)| list(&views[*owner]).get(at).copied().unwrap_or_default()));
}
