//! A source of views without engine or sockets: a real `Sorter` on a plant made of a few lines.
//!
//! The plant is only true enough that every part of a view changes: belts move, parcels come, are
//! read, sorted, refused and rejected, chutes fill and are emptied.
#![allow(
    dead_code,
    reason = "each test binary that includes this module uses a part of it"
)]

mod hubs;
mod plant;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sorthub::telemetry::{
    AlarmBoard, HubView, LatencyRow, LinkRow, ScannerRow, ShortText, Throughput, View,
    ViewPublisher, ViewSource, view_slot,
};
use sorthub_core::units::Micros;

pub(crate) use hubs::Scene;
use plant::Plant;

/// Plant time that has passed before a scene is shown.
const WARM_UP_S: u64 = 100;

/// A running source; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) hub: HubView,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Source {
    /// Starts the scene, warmed up so that the belts are not empty.
    pub(crate) fn start(scene: Scene) -> (Self, ViewSource) {
        let plant = Plant::new(scene);
        let hub = HubView::new(plant.sorter.hub(), plant.sorter.plan());
        let (publisher, source) = view_slot();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let board = AlarmBoard::new(&hub);
        let run = move || {
            let mut run = Run::new(plant, publisher, board);
            run.warm_up();
            run.until(&told);
        };
        let thread = thread::Builder::new().name("synthetic".to_owned());
        let thread = thread.spawn(run).expect("the system gives a thread");
        (
            Self {
                hub,
                stop,
                thread: Some(thread),
            },
            source,
        )
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(
                ended.is_none_or(|end| end.is_ok()),
                "the synthetic source has panicked"
            );
        }
    }
}

struct Run {
    plant: Plant,
    publisher: ViewPublisher,
    board: AlarmBoard,
    sorted: Throughput,
    inducted: Throughput,
    started: Instant,
    began: Micros,
}

impl Run {
    fn new(plant: Plant, publisher: ViewPublisher, board: AlarmBoard) -> Self {
        let rate = Throughput::new(Micros(0), 0);
        Self {
            publisher,
            board,
            sorted: rate.clone(),
            inducted: rate,
            started: Instant::now(),
            began: plant.now,
            plant,
        }
    }

    /// Lets the plant run for a while at once, so that parcels and counts are as in a running hub.
    fn warm_up(&mut self) {
        for second in 1..=WARM_UP_S {
            self.plant.run_to(Micros::from_secs(second));
            self.measure();
        }
        self.plant.begin_scene();
        (self.started, self.began) = (Instant::now(), self.plant.now);
    }

    fn measure(&mut self) {
        let books = self.plant.sorter.books();
        self.sorted.take(self.plant.now, books.sorted);
        self.inducted.take(self.plant.now, books.inducted);
    }

    fn until(&mut self, stop: &AtomicBool) {
        let mut published = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            // The plant's pace, not a wait for anything.
            thread::sleep(Duration::from_millis(5));
            let wall_us = self.started.elapsed().as_micros() as u64;
            self.plant.run_to(self.began.after(Micros(wall_us)));
            for alarm in self.plant.alarms.drain(..) {
                self.board.note(self.plant.now, &alarm);
            }
            if published.elapsed() >= Duration::from_millis(100) {
                published = Instant::now();
                self.publish();
            }
        }
    }

    fn publish(&mut self) {
        self.measure();
        let Self {
            plant,
            board,
            sorted,
            inducted,
            ..
        } = self;
        board.follow(plant.now, &plant.sorter);
        self.publisher.publish(|view| {
            view.read_sorter(&plant.sorter, plant.now, |code| {
                plant.texts.get(&code.0).map(String::as_str)
            });
            view.speed_permille = 1_000;
            view.sorted_per_h = sorted.per_hour();
            view.inducted_per_h = inducted.per_hour();
            board.write(&mut view.alarms);
            rest(view, plant);
        });
    }
}

fn rest(view: &mut View, plant: &Plant) {
    view.decision = latency(&plant.decision_ns);
    // There is no wire here; a plausible multiple keeps the table readable.
    let LatencyRow {
        count,
        p50_ns,
        p99_ns,
        max_ns,
    } = view.decision;
    view.wire_to_wire = LatencyRow {
        count,
        p50_ns: p50_ns * 90,
        p99_ns: p99_ns * 90,
        max_ns: max_ns * 90,
    };
    view.scanners.clear();
    view.scanners
        .extend(plant.scanned.iter().map(|scanner| ScannerRow {
            reads: scanner.reads,
            no_reads: scanner.no_reads,
            last: scanner.last.as_deref().map(ShortText::new),
            silent: false,
            linked: true,
        }));
    view.links.clear();
    view.links.push(LinkRow {
        name: ShortText::new("journal"),
        up: true,
    });
}

fn latency(samples: &hdrhistogram::Histogram<u64>) -> LatencyRow {
    LatencyRow {
        count: samples.len(),
        p50_ns: samples.value_at_quantile(0.5),
        p99_ns: samples.value_at_quantile(0.99),
        max_ns: samples.max(),
    }
}
