//! Event to durable, beside a raw file: the journal with everything on, and a floor that writes
//! 100 bytes an event into a prewritten file, both committing whenever they are idle.
//!
//! `cargo bench --bench journal` runs them in turn, in rounds, and prints medians over the rounds
//! and the ratio with its range. Then what recording costs the decision thread, and the speed of
//! replay.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam::queue::ArrayQueue;
use hdrhistogram::Histogram;
use sorthub::journal::{Journal, Options, Recorder, RunHeader};
use sorthub_core::ids::ParcelId;
use sorthub_core::ids::{CellId, ChuteId, PlcItem, TrackId};
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::{Output, Signal};
use sorthub_core::units::{BeltMm, Micros, MmPerS};

const ROUNDS: usize = 5;
const RATES_PER_S: [u64; 3] = [1_000, 10_000, 100_000];
const ROUND: Duration = Duration::from_secs(1);
const EVENT_BYTES: usize = 100;
/// A minute: longer than any round, so that nothing is clamped.
const LATENCY_US_MAX: u64 = 60_000_000;
const RAW_FILE_BYTES: usize = 64 << 20;

/// Something that takes events and says how many are durable.
trait Sink {
    fn put(&mut self, nth: u64);
    fn durable(&self) -> u64;
}

struct Journaled(Recorder);

impl Sink for Journaled {
    fn put(&mut self, nth: u64) {
        let (cell, item, at) = (
            CellId(nth as u32 % 300),
            PlcItem(nth as u32),
            BeltMm(nth as i64),
        );
        let chute = ChuteId(7);
        let signal = Signal::Discharged {
            chute,
            cell,
            item,
            at,
        };
        let parcel = ParcelId::new(1, nth);
        let (how, why) = (Disposition::Sorted, Reason::Planned);
        let ended = Output::Ended {
            parcel,
            how,
            why,
            chute: Some(chute),
            bag: None,
        };
        self.0.record(
            Micros(nth),
            &signal,
            &[ended],
            nth.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        );
        self.0.wake();
    }

    fn durable(&self) -> u64 {
        self.0.durable_seq()
    }
}

struct Raw {
    queue: Arc<ArrayQueue<[u8; EVENT_BYTES]>>,
    durable: Arc<AtomicU64>,
    sleeping: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    writer: Option<std::thread::JoinHandle<()>>,
}

impl Raw {
    fn start(dir: &Path) -> Self {
        let mut file = File::create(dir.join("raw")).expect("the disk takes a file");
        file.write_all(&vec![0; RAW_FILE_BYTES])
            .expect("there is room");
        file.sync_all().expect("the disk works");
        file.seek(SeekFrom::Start(0)).expect("a file can be sought");
        let queue = Arc::new(ArrayQueue::new(65_536));
        let durable = Arc::new(AtomicU64::new(0));
        let [sleeping, stop] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let shared = (
            queue.clone(),
            durable.clone(),
            sleeping.clone(),
            stop.clone(),
        );
        let writer = std::thread::spawn(move || write_raw(&mut file, &shared));
        Self {
            queue,
            durable,
            sleeping,
            stop,
            writer: Some(writer),
        }
    }
}

type RawShared = (
    Arc<ArrayQueue<[u8; EVENT_BYTES]>>,
    Arc<AtomicU64>,
    Arc<AtomicBool>,
    Arc<AtomicBool>,
);

fn write_raw(file: &mut File, (queue, durable, sleeping, stop): &RawShared) {
    let mut batch = Vec::new();
    let mut written = 0;
    loop {
        let stopping = stop.load(Ordering::Acquire);
        batch.clear();
        while let Some(event) = queue.pop() {
            batch.extend_from_slice(&event);
        }
        if batch.is_empty() {
            if stopping {
                return;
            }
            sleeping.store(true, Ordering::SeqCst);
            if queue.is_empty() {
                std::thread::park();
            }
            sleeping.store(false, Ordering::SeqCst);
            continue;
        }
        written += batch.len();
        if written > RAW_FILE_BYTES {
            file.seek(SeekFrom::Start(0)).expect("a file can be sought");
            written = batch.len();
        }
        file.write_all(&batch)
            .and_then(|()| file.sync_data())
            .expect("the disk works");
        durable.fetch_add((batch.len() / EVENT_BYTES) as u64, Ordering::Release);
    }
}

impl Sink for Raw {
    fn put(&mut self, nth: u64) {
        self.queue
            .push([nth as u8; EVENT_BYTES])
            .expect("the disk keeps up");
        if self.sleeping.swap(false, Ordering::SeqCst) {
            self.writer.as_ref().expect("it runs").thread().unpark();
        }
    }

    fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let writer = self.writer.take().expect("it is dropped once");
        writer.thread().unpark();
        writer.join().expect("the raw writer does not panic");
    }
}

/// Offers events at a rate and gives p50 and p99 of the time from when each was due until it was
/// durable, in µs.
fn offer(sink: &mut impl Sink, rate_per_s: u64) -> (u64, u64) {
    let step_ns = 1_000_000_000 / rate_per_s;
    let count = ROUND.as_nanos() as u64 / step_ns;
    // Bounds are given: a histogram that grows by itself clamps in `saturating_record`.
    let bounds = Histogram::<u64>::new_with_bounds(1, LATENCY_US_MAX, 3);
    let mut latency_us = bounds.expect("the bounds are in order");
    let mut waiting: VecDeque<u64> = VecDeque::with_capacity(count as usize);
    let begun = Instant::now();
    let now_ns = || begun.elapsed().as_nanos() as u64;
    let (mut put, mut durable) = (0, 0);
    while durable < count {
        while put < count && now_ns() >= put * step_ns {
            waiting.push_back(put * step_ns);
            put += 1;
            sink.put(put);
        }
        let until = sink.durable();
        let now = now_ns();
        for due in waiting.drain(..(until - durable) as usize) {
            latency_us.saturating_record((now - due) / 1_000);
        }
        durable = until;
        std::hint::spin_loop();
    }
    (
        latency_us.value_at_quantile(0.5),
        latency_us.value_at_quantile(0.99),
    )
}

fn start(dir: &Path) -> Recorder {
    let header = RunHeader {
        build: sorthub::journal::build(),
        description: String::new(),
        sorter: 0,
        plan_version: 1,
        clock_permille: 1_000,
        started_unix_us: 0,
    };
    let journal = Journal::open(dir, &header, Options::default()).expect("the disk works");
    journal.start().expect("there is a thread")
}

fn durable_latency(dir: &Path) {
    println!("event to durable, µs, medians of {ROUNDS} rounds");
    println!(
        "{:>9} {:>14} {:>14}   ratio of p50 (range)",
        "events/s", "raw p50/p99", "journal"
    );
    for rate in RATES_PER_S {
        let (mut raw, mut journal) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            raw.push(offer(&mut Raw::start(dir), rate));
            let mut sink = Journaled(start(dir));
            journal.push(offer(&mut sink, rate));
            sink.0.close(0).expect("the disk works");
        }
        let pairs = raw.iter().zip(&journal);
        let mut ratios: Vec<f64> = pairs.map(|(r, j)| j.0 as f64 / r.0.max(1) as f64).collect();
        ratios.sort_by(f64::total_cmp);
        let show =
            |all: &[(u64, u64)]| format!("{}/{}", median(all, |x| x.0), median(all, |x| x.1));
        println!(
            "{rate:>9} {:>14} {:>14}   {:.2} ({:.2} to {:.2})",
            show(&raw),
            show(&journal),
            ratios[ROUNDS / 2],
            ratios[0],
            ratios[ROUNDS - 1]
        );
    }
}

fn median(all: &[(u64, u64)], which: impl Fn(&(u64, u64)) -> u64) -> u64 {
    let mut all: Vec<u64> = all.iter().map(which).collect();
    all.sort_unstable();
    all[all.len() / 2]
}

/// What a record with one output costs the thread that makes it, in bursts that fit the queue.
fn recording_cost(dir: &Path) {
    const BURST: u64 = 10_000;
    let mut sink = Journaled(start(dir));
    let mut costs_ns = Vec::new();
    for burst in 0..50 {
        let begun = Instant::now();
        for nth in 1..=BURST {
            sink.put(burst * BURST + nth);
        }
        costs_ns.push((begun.elapsed().as_nanos() as u64 / BURST, 0));
        while sink.durable() < (burst + 1) * BURST {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let counts = sink.0.close(0).expect("the disk works");
    let (cost, bytes) = (median(&costs_ns, |x| x.0), counts.bytes / counts.records);
    println!("a record with one output: {cost} ns on the decision thread, {bytes} bytes");
    println!(
        "{} records, {} commits, {} wakes",
        counts.records, counts.blocks, counts.wakes
    );
}

/// Reads back what was written, as replay does but without a sorter: the journal's own share.
fn reading_speed(dir: &Path) {
    let mut recorder = start(dir);
    let signal = Signal::Belt {
        track: TrackId(0),
        at: BeltMm(1),
        speed: MmPerS(2_000),
    };
    let run = recorder.run_epoch();
    for nth in 0..1_000_000 {
        recorder.record(Micros(nth), &signal, &[], nth);
        while nth > recorder.durable_seq() + 30_000 {
            recorder.wake();
            std::thread::yield_now();
        }
    }
    recorder.close(0).expect("the disk works");
    let reader = sorthub::journal::Reader::open(dir).expect("it was just written");
    let info = reader.run(run).expect("it was just written");
    let (begun, mut records, mut outputs) = (Instant::now(), 0_u64, Vec::new());
    let visited = reader.visit(&info, |block| {
        let mut items = block.items();
        while items.next(&mut outputs)?.is_some() {
            records += 1;
        }
        Ok(true)
    });
    visited.expect("it is whole");
    let per_s = records as f64 / begun.elapsed().as_secs_f64();
    println!("reading back: {:.1} million records/s", per_s / 1e6);
}

fn main() {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let dir = dir.join(format!("journal-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("the disk takes a directory");
    durable_latency(&dir);
    recording_cost(&dir);
    reading_speed(&dir);
    let _ = std::fs::remove_dir_all(&dir);
}
