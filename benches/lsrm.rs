//! The reference model LSRM-1 with the real sorter inside, beside a program written by hand that
//! has none.
//!
//! `cargo bench --bench lsrm` runs both in turn, in rounds, and prints medians and the ratio with
//! its interval; then counts that no noise touches. `cargo bench --bench lsrm -- --seeds 1000`
//! holds their results against each other instead. Without `--bench` one short round runs.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sorthub::config::HubFile;
use sorthub_core::signal::{Output, Signal};
use sorthub_core::units::Micros;
use sorthub_sim::run::{Job, Outcome, World, simulate};

#[path = "../core/tests/common/counting.rs"]
mod counting;
mod reference;

/// The 2nd and 8th of nine sorted values enclose their median with a probability of 96 %.
const ROUNDS: usize = 9;
const INTERVAL: [usize; 2] = [1, 7];
const DAY_S: u64 = 86_400;
/// Half an hour: every rule of the model is met, chutes that are full included.
const SHORT_S: u64 = 1_800;
/// Eight measures, each wrong once in 800 comparisons of equals: together once in a hundred.
const ERRORS_APART_MAX: f64 = 3.23;

/// A parameter set of the model, for both programs.
struct Case {
    name: &'static str,
    loops: usize,
    job: Job,
}

impl Case {
    fn new(name: &'static str, loops: usize, file: &str, horizon_s: u64) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("config")
            .join(file);
        let file = HubFile::read(&path).expect("a hub of this project has no faults");
        let job = Job::new(file.hub, file.plan, file.plant.into());
        let job = job.until(Micros::from_secs(horizon_s));
        Self { name, loops, job }
    }

    fn horizon_s(&self) -> u64 {
        self.job.horizon.map_or(0, |horizon| horizon.0 / 1_000_000)
    }

    fn by_hand(&self, seed: u64) -> reference::Outcome {
        let outcome = reference::run(self.loops, seed, self.horizon_s());
        let rejected = outcome.rejected_no_read + outcome.rejected_after_laps;
        let accounted = outcome.sorted + rejected + outcome.on_sorter;
        assert_eq!(outcome.inducted, accounted, "a parcel was lost by hand");
        outcome
    }

    fn with_sorter(&self, seed: u64) -> Outcome {
        simulate(&self.job, seed).expect("the book agrees with what happened")
    }
}

/// Time that this thread has had a processor, which other programs make longer only through caches
/// and clock rates. Where Linux does not tell it, time on the wall.
fn busy(begun: Instant) -> Duration {
    // The kernel brings its account up to date when a thread yields; else it is up to a tick old.
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ns = told.and_then(|text| text.split(' ').next()?.parse().ok());
    ns.map_or_else(|| begun.elapsed(), Duration::from_nanos)
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let before = busy(begun);
    let done = std::hint::black_box(work());
    ((busy(begun) - before).as_secs_f64(), done)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values = Vec::from_iter(values);
    values.sort_by(f64::total_cmp);
    values
}

/// Both programs in turn, who goes first changing from round to round.
fn speed(case: &Case, rounds: usize) {
    let (mut events, mut times) = ([0.0; 2], Vec::new());
    for round in 0..rounds {
        let seed = round as u64 + 1;
        let hand = || timed(|| case.by_hand(seed).events);
        let ours = || timed(|| case.with_sorter(seed).events);
        let (hand, ours) = if round % 2 == 0 {
            let hand = hand();
            (hand, ours())
        } else {
            let ours = ours();
            (hand(), ours)
        };
        events[0] += hand.1 as f64;
        events[1] += ours.1 as f64;
        times.push((hand.0, ours.0));
    }
    let hand = sorted(times.iter().map(|time| time.0));
    let ours = sorted(times.iter().map(|time| time.1));
    let ratios = sorted(times.iter().map(|time| time.1 / time.0));
    let middle = rounds / 2;
    let [low, high] = match rounds {
        ROUNDS => INTERVAL.map(|nth| ratios[nth]),
        _ => [ratios[0], ratios[rounds - 1]],
    };
    let millions = |total: f64, s: f64| total / rounds as f64 / s / 1e6;
    println!(
        "{:<9} {:>5.1} h  by hand {:.3} s ({:.1} M events/s)   sorter inside {:.3} s \
         ({:.1} M events/s)   ratio {:.2} ({low:.2} to {high:.2})",
        case.name,
        case.horizon_s() as f64 / 3_600.0,
        hand[middle],
        millions(events[0], hand[middle]),
        ours[middle],
        millions(events[1], ours[middle]),
        ratios[middle],
    );
}

/// What a run needs whatever else the machine does.
fn counts(case: &Case) {
    let mut world = World::new(&case.job, 1).expect("the model has no faults");
    let (mut calls, mut ticks, mut said) = (0_u64, 0_u64, 0_u64);
    let before = counting::taken();
    let mut watch = |_, signal: &Signal, outputs: &[Output]| {
        calls += 1;
        ticks += u64::from(matches!(signal, Signal::Tick | Signal::Belt { .. }));
        said += outputs.len() as u64;
    };
    world
        .run(None, &mut watch)
        .expect("it does not go in circles");
    let allocations = counting::taken() - before;
    let outcome = world.finish().expect("the book agrees with what happened");
    let each = |count: u64| count as f64 / outcome.inducted as f64;
    println!(
        "{:<9} {} parcels: {:.2} canonical events, {:.2} calls of the sorter ({:.2} of them only \
         of time or belts), {:.2} outputs a parcel; {allocations} allocations in the run",
        case.name,
        outcome.inducted,
        each(outcome.events),
        each(calls),
        each(ticks),
        each(said),
    );
    assert!(calls >= 3 * outcome.inducted, "the sorter is not asked");
}

const MEASURES: [&str; 8] = [
    "arrived",
    "sorted",
    "rejected, no-read",
    "rejected after laps",
    "recirculation rate",
    "chute full share",
    "induction wait, s",
    "time in system, s",
];

fn of_hand(outcome: &reference::Outcome) -> [f64; 8] {
    [
        outcome.arrived as f64,
        outcome.sorted as f64,
        outcome.rejected_no_read as f64,
        outcome.rejected_after_laps as f64,
        outcome.recirculated as f64 / outcome.inducted as f64,
        outcome.chute_full_share,
        outcome.induction_wait_s,
        outcome.time_in_system_s,
    ]
}

fn of_sorter(outcome: &Outcome) -> [f64; 8] {
    let rejected = |why: &str| *outcome.rejected.get(why).unwrap_or(&0) as f64;
    [
        outcome.arrived as f64,
        outcome.sorted as f64,
        rejected("no-read"),
        rejected("most-laps"),
        outcome.recirculation_rate,
        outcome.chute_full_share,
        outcome.induction_wait_s,
        outcome.time_in_system_s.mean,
    ]
}

/// Mean and standard error of each measure over seeds.
fn means(seeds: u64, one: impl Fn(u64) -> [f64; 8] + Sync) -> [(f64, f64); 8] {
    let next = AtomicU64::new(1);
    let work = || {
        let mut all = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > seeds {
                return all;
            }
            all.push(one(seed));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let all: Vec<[f64; 8]> = std::thread::scope(|scope| {
        let running = Vec::from_iter((0..threads).map(|_| scope.spawn(work)));
        let done = running.into_iter().map(|thread| thread.join());
        done.flat_map(|all| all.expect("no run panics")).collect()
    });
    std::array::from_fn(|nth| {
        let mean = all.iter().map(|one| one[nth]).sum::<f64>() / seeds as f64;
        let squares = all.iter().map(|one| (one[nth] - mean).powi(2)).sum::<f64>();
        (mean, (squares / (seeds - 1) as f64 / seeds as f64).sqrt())
    })
}

/// Holds the results of both programs against each other.
fn results(case: &Case, seeds: u64) {
    let hand = means(seeds, |seed| of_hand(&case.by_hand(seed)));
    let ours = means(seeds, |seed| of_sorter(&case.with_sorter(seed)));
    println!(
        "{}, {} h, {seeds} seeds of each; standard errors",
        case.name,
        case.horizon_s() / 3_600
    );
    for (name, (hand, ours)) in MEASURES.iter().zip(hand.iter().zip(&ours)) {
        let error = hand.1.hypot(ours.1);
        let apart = (ours.0 - hand.0) / error;
        let verdict = if apart.abs() > ERRORS_APART_MAX {
            "  DIFFERENT"
        } else {
            ""
        };
        println!(
            "{name:<20} by hand {:>13.5} ± {:<10.5} sorter inside {:>13.5} ± {:<10.5} \
             {apart:>+5.2} errors apart{verdict}",
            hand.0, hand.1, ours.0, ours.1,
        );
    }
}

/// The number after `--seeds`, if it is given.
fn seeds(args: &[String]) -> Option<u64> {
    let at = args.iter().position(|arg| arg == "--seeds")?;
    let count = args.get(at + 1).and_then(|count| count.parse().ok());
    Some(
        count
            .filter(|count| *count > 1)
            .expect("--seeds needs a number above 1"),
    )
}

fn main() {
    let args = Vec::from_iter(std::env::args());
    if let Some(seeds) = seeds(&args) {
        results(&Case::new("S1", 1, "lsrm-1.toml", DAY_S), seeds);
        return;
    }
    let is_bench = args.iter().any(|arg| arg == "--bench");
    let (horizon_s, rounds) = if is_bench {
        (DAY_S, ROUNDS)
    } else {
        (SHORT_S, 1)
    };
    for (name, loops, file) in [("S1", 1, "lsrm-1.toml"), ("H4", 4, "lsrm-h4.toml")] {
        let case = Case::new(name, loops, file, horizon_s);
        speed(&case, rounds);
        counts(&case);
    }
}
