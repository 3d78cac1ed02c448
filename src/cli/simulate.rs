//! `sorthub simulate`: a hub with its plan over some hours of simulated parcels, or a trace.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use sorthub_core::units::Micros;
use sorthub_sim::run::{Job, Replications, RunError, replicate};

use super::input::HubInput;
use super::{Exit, duration, input, print};
use crate::config::HubFile;

/// Simulate a hub: the same decisions as live, with a model of the plant around them.
#[derive(Clone, Debug, Args)]
pub struct SimulateArgs {
    #[command(flatten)]
    input: HubInput,
    /// How long, for example 24h; a trace runs until its last parcel has left, a hub for 24h.
    #[arg(long, value_name = "TIME", value_parser = horizon)]
    horizon: Option<Micros>,
    /// What people do in it, and when: a scenario file (docs/scenarios.md).
    #[arg(long, value_name = "F.toml")]
    scenario: Option<PathBuf>,
    /// The seed of all random numbers; the same seed gives the same result.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many runs, with this seed and those that follow.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    replications: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Where neither a horizon nor a trace says when to end.
const HORIZON: Micros = Micros::from_secs(24 * 3_600);

/// Longer than a hub stands; beyond it sums of times would not fit.
const HORIZON_MAX: Micros = Micros::from_secs(100 * 366 * 24 * 3_600);

fn horizon(text: &str) -> Result<Micros, String> {
    let horizon = duration::parse(text).map_err(|error| error.to_string())?;
    if horizon == Micros(0) || horizon > HORIZON_MAX {
        return Err("give more than nothing and at most 100 years".to_owned());
    }
    Ok(horizon)
}

/// Simulates; wrong if a parcel was lost or the sorter's book differs from what happened.
#[must_use]
pub fn run(args: &SimulateArgs) -> Exit {
    let file = match args.input.read() {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let usual = file.plant.trace.is_empty().then_some(HORIZON);
    let name = file.hub.spec().name.clone();
    let horizon = args.horizon.or(usual);
    let scenario = args.scenario.as_deref();
    let scenario = scenario
        .map(|path| input::scenario(path, &file, horizon))
        .transpose();
    let scenario = match scenario {
        Ok(scenario) => scenario,
        Err(exit) => return exit,
    };
    let mut job = job(file, horizon);
    if let Some((scenario, actions)) = scenario {
        job.labels_as_codes = scenario.names_waybills();
        job.actions = actions.into();
    }
    let begun = Instant::now();
    let clock_us = || begun.elapsed().as_micros() as u64;
    let all = match replicate(&job, args.seed, args.replications, &clock_us) {
        Ok(all) => all,
        Err(error) => {
            eprintln!("error: {name}: {error}");
            return match error {
                RunError::Plant(_) | RunError::Endless => Exit::BadInput,
                _ => Exit::Wrong,
            };
        }
    };
    let wall_s = begun.elapsed().as_secs_f64();
    if args.json {
        let json = serde_json::to_string(&all).expect("names and finite numbers are always JSON");
        print(&format!("{json}\n"));
    } else {
        print(&table(&name, job.horizon, &all, wall_s));
    }
    if all.replications.iter().any(|outcome| outcome.lost > 0) {
        eprintln!("error: {name}: parcels were lost");
        return Exit::Wrong;
    }
    Exit::Done
}

fn job(file: HubFile, horizon: Option<Micros>) -> Job {
    let job = Job {
        formats: file.formats,
        ..Job::new(file.hub, file.plan, Arc::new(file.plant))
    };
    match horizon {
        Some(horizon) => job.until(horizon),
        None => job,
    }
}

/// A row of the table: what people call it, its name among the means, decimals, unit.
type Row = (&'static str, &'static str, usize, &'static str);

const BEFORE_REJECTS: &[Row] = &[
    ("arrived", "arrived", 0, ""),
    ("  waiting at the end", "waiting", 0, ""),
    ("  turned away", "turned_away", 0, ""),
    ("inducted", "inducted", 0, ""),
    ("  sorted", "sorted", 0, ""),
];

const AFTER_REJECTS: &[Row] = &[
    ("  removed", "removed", 0, ""),
    ("  lost", "lost", 0, ""),
    ("  on the sorter at the end", "on_sorter", 0, ""),
    ("  on transfers at the end", "in_transfer", 0, ""),
    ("missorted", "missorted", 0, ""),
    ("laps for another try", "recirculated", 0, ""),
    ("  for each parcel inducted", "recirculation_rate", 4, ""),
    ("sorted an hour", "throughput_per_hour", 0, ""),
    ("time in the system, mean", "time_in_system_s.mean", 1, "s"),
    ("  half are below", "time_in_system_s.p50", 1, "s"),
    ("  99 % are below", "time_in_system_s.p99", 1, "s"),
    ("wait for induction, mean", "induction_wait_s", 1, "s"),
    ("share of time chutes are full", "chute_full_share", 4, ""),
    ("last parcel left after", "makespan_s", 1, "s"),
];

fn table(name: &str, horizon: Option<Micros>, all: &Replications, wall_s: f64) -> String {
    let count = all.replications.len();
    let seed = all.replications.first().map_or(0, |first| first.seed);
    let until = match horizon {
        Some(end) => format!("{:.1} h", end.0 as f64 / 3.6e9),
        None => "to the last parcel".to_owned(),
    };
    let mut text = match count {
        1 => format!("{name}, {until}, seed {seed}\n\n"),
        _ => format!("{name}, {until}, mean of {count} seeds from {seed} ± 95 %\n\n"),
    };
    let rejects = all.mean.iter().filter_map(|(key, mean)| {
        let reason = key.strip_prefix("rejected.")?;
        Some((format!("  rejected, {reason}"), mean, 0, ""))
    });
    let named = |rows: &'static [Row]| {
        rows.iter().filter_map(|(title, key, decimals, unit)| {
            let mean = all.mean.get(*key)?;
            // Most hubs have no transfers.
            let is_shown = *key != "in_transfer" || mean.mean > 0.0;
            is_shown.then(|| ((*title).to_owned(), mean, *decimals, *unit))
        })
    };
    for (title, mean, decimals, unit) in named(BEFORE_REJECTS)
        .chain(rejects)
        .chain(named(AFTER_REJECTS))
    {
        let value = number(mean.mean, decimals);
        let width = mean.half_width.map_or(String::new(), |half| {
            format!(" ± {}", number(half, decimals.max(1)))
        });
        let line = format!("{title:<32}{value:>14}{width} {unit}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if let [only] = all.replications.as_slice() {
        let _ = writeln!(
            text,
            "{:<32}{:>14.1} s",
            "longest in the system", only.time_in_system_s.max
        );
        let _ = writeln!(
            text,
            "{:<32}{:>14}",
            "hash of all outputs", only.output_hash
        );
        for action in &only.actions {
            let came = match (&action.refused, action.done) {
                (None, 1) => "done".to_owned(),
                (None, count) => format!("done, {count} times"),
                (Some(why), 0) => format!("refused: {why}"),
                (Some(why), count) => format!("done {count} times, then refused: {why}"),
            };
            let at_s = action.at.0 as f64 / 1e6;
            let _ = writeln!(text, "at {at_s:>9.1} s  {}: {came}", action.action);
        }
    }
    let events: u64 = all.replications.iter().map(|outcome| outcome.events).sum();
    let per_s = events as f64 / wall_s.max(1e-9) / 1e6;
    let _ = writeln!(
        text,
        "\n{} events in {wall_s:.3} s: {per_s:.2} million a second",
        grouped(events)
    );
    text
}

/// A number with groups of three digits.
fn number(value: f64, decimals: usize) -> String {
    let fixed = format!("{value:.decimals$}");
    match fixed.split_once('.') {
        Some((whole, fraction)) => match whole.parse() {
            Ok(whole) => format!("{}.{fraction}", grouped(whole)),
            Err(_) => fixed,
        },
        None => fixed.parse().map_or(fixed, grouped),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        for (value, decimals, text) in [
            (0.0, 0, "0"),
            (999.0, 0, "999"),
            (1_000.0, 0, "1,000"),
            (1_234_567.89, 1, "1,234,567.9"),
            (0.1488, 4, "0.1488"),
            (-1_234.5, 1, "-1234.5"),
        ] {
            assert_eq!(number(value, decimals), text);
        }
    }
}
