//! What a plan switch costs while 50,000 parcels ride: the calls that carry it beside the calls of
//! the same work without one.
//!
//! `cargo bench --bench switching` fills eight loops, then switches between two plans of 100,000
//! rules to and fro; half of the destinations have other chutes in the other plan. Work goes on
//! all the time: belts, parcels that get on, telegrams, discharges, as many as 1.2 million parcels
//! an hour make (on eight belts that is ten times as fast as real ones). The engine's timer is
//! good to a millisecond, so that what is left of a switch comes by at most a tick in each, beside
//! the share that every signal carries. Printed are medians over rounds with the lowest and the
//! highest; both kinds of calls are of the same rounds. Without `--bench` a small hub is switched
//! once each way, and counts are asserted.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sorthub::config::PlanFile;
use sorthub_core::hub::Hub;
use sorthub_core::plan::Plan;

#[path = "../../core/tests/common/counting.rs"]
mod counting;

mod plant;
mod sizes;

use plant::{Calls, Plant};
use sizes::{BENCH, SMOKE, Sizes, TRACKS};

fn read(path: &Path, hub: &Hub) -> Arc<Plan> {
    let read = PlanFile::read(path, hub, None);
    read.expect("a plan of this bench has no faults").plan
}

fn millis(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1e3
}

fn median(mut costs: Vec<f64>) -> (f64, f64, f64) {
    costs.sort_by(f64::total_cmp);
    (costs[costs.len() / 2], costs[0], costs[costs.len() - 1])
}

fn ratio(ours: &[f64], others: &[f64]) -> String {
    let ratios = ours.iter().zip(others).map(|(a, b)| a / b).collect();
    let (ratio, least, most) = median(ratios);
    format!("ratio {ratio:.2} ({least:.2} to {most:.2})")
}

/// From files to a plan that can be staged, which another thread does.
fn compile(path: &Path, hub: &Hub, rounds: usize) {
    let (mut whole, mut splitting, mut compiling) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut plan = None;
        whole.push(millis(|| plan = Some(read(path, hub))));
        splitting.push(millis(|| {
            for table in ["destinations.csv", "addresses.csv"] {
                let text = fs::read(path.with_file_name(table)).expect("it was written");
                let mut reader = csv::Reader::from_reader(text.as_slice());
                let fields: usize = reader.records().flatten().map(|record| record.len()).sum();
                black_box(fields);
            }
        }));
        let spec = plan.expect("it was read").spec().clone();
        compiling.push(millis(|| drop(black_box(Plan::new(spec, hub)))));
    }
    let (split_ms, ..) = median(splitting.clone());
    for (what, costs) in [
        ("files to plan", whole),
        ("  of that, Plan::new", compiling),
    ] {
        let ratio = ratio(&costs, &splitting);
        let (ms, ..) = median(costs);
        println!(
            "{what:<24} {:.3} s   splitting the tables {:.3} s   {ratio}",
            ms / 1e3,
            split_ms / 1e3
        );
    }
}

/// The 50th, 99th and 99.9th percentile, in µs.
fn percentiles(costs_ns: &mut [u32]) -> [f64; 3] {
    costs_ns.sort_unstable();
    let last = costs_ns.len() - 1;
    [500, 990, 999].map(|permille| f64::from(costs_ns[last * permille / 1_000]) / 1e3)
}

fn print(what: &str, costs_us: Vec<f64>) {
    let (middle, low, high) = median(costs_us);
    println!("  {what:<40} {middle:>8.2} us ({low:.2} to {high:.2})");
}

/// Switches to and fro, and what that cost.
fn switches(what: &str, sizes: &Sizes, hub: &Arc<Hub>, plans: &[Arc<Plan>; 2]) {
    let mut plant = Plant::new(sizes, hub, plans);
    plant.fill();
    let riding = plant.sorter.books().on_sorter;
    println!("{what}: {riding} parcels ride");
    let mut costs: [Vec<[f64; 3]>; 3] = Default::default();
    let (mut activating, mut until_over) = (Vec::new(), Vec::new());
    let (mut most, mut without_way) = (0, 0);
    for _ in 0..sizes.rounds {
        plant.calls = Calls::default();
        for _ in 0..sizes.pairs {
            plant.switch(plans[1].version());
            plant.switch(plans[0].version());
        }
        plant.assert_bounds(riding);
        let calls = &mut plant.calls;
        let all = [
            &mut calls.normal_ns,
            &mut calls.during_ns,
            &mut calls.ticks_ns,
        ];
        for (costs, calls_ns) in costs.iter_mut().zip(all) {
            costs.push(percentiles(calls_ns));
        }
        activating.extend(calls.activating_ns.iter().map(|ns| f64::from(*ns) / 1e3));
        until_over.append(&mut calls.until_over);
        most = most.max(calls.redecided_most);
        without_way += calls.without_way;
    }
    let of = |kind: usize, nth: usize| Vec::from_iter(costs[kind].iter().map(|of| of[nth]));
    for (nth, name) in ["p50", "p99", "p99.9"].into_iter().enumerate() {
        print(&format!("a signal without a switch, {name}"), of(0, nth));
        print(&format!("a signal during a switch, {name}"), of(1, nth));
        println!("    {}", ratio(&of(1, nth), &of(0, nth)));
        print(&format!("a tick during a switch, {name}"), of(2, nth));
    }
    print("the call that activates", activating);
    let (middle, low, high) = median(until_over.iter().map(|(count, ..)| *count as f64).collect());
    println!("  calls until it is over {middle} ({low} to {high})");
    print(
        "  their time",
        until_over
            .iter()
            .map(|(_, ns, _)| *ns as f64 / 1e3)
            .collect(),
    );
    print(
        "  by the plant",
        until_over.iter().map(|(.., us)| *us as f64).collect(),
    );
    let switches = until_over.len();
    println!(
        "  most parcels re-decided in a call {most}; without a way {} a switch; \
         {switches} switches, nothing allocated or freed",
        without_way / switches as u64
    );
}

fn main() {
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let sizes = if is_bench { BENCH } else { SMOKE };
    let hub = Arc::new(sizes.hub());
    println!(
        "{} destinations, {} addresses, {} rules on attributes over {} chutes of {TRACKS} loops",
        sizes.destinations, sizes.addresses, sizes.rules, sizes.chutes
    );
    for (what, version, by_shares) in [("preferred chutes", 1, false), ("with shares", 11, true)] {
        let paths = [0, sizes.half() / 2].map(|moved| {
            let version = version + u32::from(moved > 0);
            sizes.write_plan(version, moved, by_shares)
        });
        if !by_shares {
            compile(&paths[0], &hub, sizes.rounds);
        }
        let plans = paths.map(|path| read(&path, &hub));
        switches(what, &sizes, &hub, &plans);
    }
}
