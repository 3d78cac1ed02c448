//! `sorthub torture`: seeded fault simulation of the whole chain.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Args;
use serde_json::json;
use sorthub_core::units::Micros;
use sorthub_sim::torture::{Failure, Report, torture};

use super::{Exit, duration, print};

/// Put the sorter under faults: each seed draws a hub, a plan and faults, and runs the whole chain.
///
/// Plant, PLC mailbox, exchanges and engine are the real ones but for sockets and disks. After
/// every call it is checked what must hold whatever happens. A seed that fails is printed with the
/// faults that are needed for it.
#[derive(Clone, Debug, Args)]
pub struct TortureArgs {
    /// The first seed; the others follow.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many seeds are run.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    runs: u64,
    /// The longest run, in time of the plant; most are much shorter.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration::parse)]
    horizon: Micros,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs it.
#[must_use]
pub fn run(args: &TortureArgs) -> Exit {
    remember_places_of_panics();
    let begun = Instant::now();
    let done = AtomicU64::new(0);
    let progress = std::io::stderr().is_terminal();
    let told = || {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if progress && done.is_multiple_of(20) {
            eprint!("\r{done} of {}", args.runs);
        }
    };
    let report = torture(args.seed, args.runs, args.horizon, &told);
    if progress {
        eprint!("\r{:40}\r", "");
    }
    if args.json {
        print(&format!("{}\n", to_json(args, &report)));
    } else {
        print(&to_text(args, &report, begun.elapsed().as_secs_f64()));
    }
    if report.failures.is_empty() {
        Exit::Done
    } else {
        Exit::Wrong
    }
}

/// A panic of the sorter is a result here, and its place is part of it: nothing is printed where it
/// happens.
fn remember_places_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        sorthub_sim::torture::note_panic(place.unwrap_or_default());
    }));
}

fn to_json(args: &TortureArgs, report: &Report) -> String {
    let failures: Vec<_> = report
        .failures
        .iter()
        .map(|failure| {
            json!({
                "seed": failure.seed,
                "at_us": failure.broken.at.0,
                "what": failure.broken.what,
                "faults_drawn": failure.drawn,
                "faults": failure.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "horizon_us": failure.horizon.0,
            })
        })
        .collect();
    json!({
        "seed": args.seed,
        "runs": args.runs,
        "passed": report.passed,
        "failed": failures.len(),
        "parcels": report.sum.parcels,
        "calls": report.sum.calls,
        "faults": report.sum.faults,
        "hash": format!("{:016x}", report.sum.hash),
        "failures": failures,
    })
    .to_string()
}

fn to_text(args: &TortureArgs, report: &Report, wall_s: f64) -> String {
    let sum = &report.sum;
    let mut text = String::new();
    for failure in &report.failures {
        describe(&mut text, failure);
    }
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} of {} runs passed: {} parcels, {} calls, {} faults in {wall_s:.1} s",
        report.passed, args.runs, sum.parcels, sum.calls, sum.faults
    );
    text
}

fn describe(text: &mut String, failure: &Failure) {
    let Failure {
        seed,
        broken,
        drawn,
        faults,
        horizon,
    } = failure;
    let _ = writeln!(text, "seed {seed} fails: {}", broken.what);
    if broken.at < Micros::NEVER {
        let _ = writeln!(text, "  at {:.6} s", broken.at.0 as f64 / 1e6);
    }
    let (needed, s) = (faults.len(), horizon.0 as f64 / 1e6);
    let _ = writeln!(text, "  {needed} of {drawn} faults, {s:.1} s:");
    for fault in faults {
        let _ = writeln!(text, "    {fault},");
    }
    let _ = writeln!(text, "  again: sorthub torture --seed {seed} --runs 1");
}
