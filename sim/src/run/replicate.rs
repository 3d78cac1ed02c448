//! Replications: the same job under many seeds, on as many threads as there are.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;
use sorthub_core::reason::Reason;

use super::{Job, Outcome, RunError, simulate};
use crate::stats::Mean;

/// Replications and their means.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replications {
    /// One for each seed, in the order of the seeds.
    pub replications: Vec<Outcome>,
    /// The mean of each number over the replications; rejects by reason as `rejected.<reason>`,
    /// times as `time_in_system_s.<which>`.
    pub mean: BTreeMap<String, Mean>,
}

/// Runs `count` replications with the seeds `seed`, `seed + 1` and so on.
///
/// Each is one thread's work from beginning to end, so the results are the same on any number of
/// threads. `clock_us` tells wall-clock time from any origin, for [`Outcome::wall_s`] alone.
///
/// # Errors
/// The error of the first seed that has one.
pub fn replicate(
    job: &Job,
    seed: u64,
    count: u32,
    clock_us: &(dyn Fn() -> u64 + Sync),
) -> Result<Replications, RunError> {
    let all: Vec<Result<Outcome, RunError>> = (0..u64::from(count))
        .into_par_iter()
        .map(|nth| {
            let begun = clock_us();
            let mut outcome = simulate(job, seed.wrapping_add(nth))?;
            outcome.wall_s = clock_us().saturating_sub(begun) as f64 / 1e6;
            Ok(outcome)
        })
        .collect();
    // Collected in order first, so that which error is told does not hang on threads either.
    let replications = all
        .into_iter()
        .collect::<Result<Vec<Outcome>, RunError>>()?;
    let mean = means(&replications);
    Ok(Replications { replications, mean })
}

fn means(all: &[Outcome]) -> BTreeMap<String, Mean> {
    type Number = fn(&Outcome) -> f64;
    let numbers: [(&str, Number); 20] = [
        ("arrived", |o| o.arrived as f64),
        ("inducted", |o| o.inducted as f64),
        ("waiting", |o| o.waiting as f64),
        ("turned_away", |o| o.turned_away as f64),
        ("sorted", |o| o.sorted as f64),
        ("missorted", |o| o.missorted as f64),
        ("removed", |o| o.removed as f64),
        ("lost", |o| o.lost as f64),
        ("on_sorter", |o| o.on_sorter as f64),
        ("in_transfer", |o| o.in_transfer as f64),
        ("recirculated", |o| o.recirculated as f64),
        ("recirculation_rate", |o| o.recirculation_rate),
        ("throughput_per_hour", |o| o.throughput_per_hour),
        ("time_in_system_s.mean", |o| o.time_in_system_s.mean),
        ("time_in_system_s.p50", |o| o.time_in_system_s.p50),
        ("time_in_system_s.p99", |o| o.time_in_system_s.p99),
        ("induction_wait_s", |o| o.induction_wait_s),
        ("chute_full_share", |o| o.chute_full_share),
        ("makespan_s", |o| o.makespan_s),
        ("events", |o| o.events as f64),
    ];
    let mut means = BTreeMap::new();
    for (name, number) in numbers {
        let values: Vec<f64> = all.iter().map(number).collect();
        means.insert(name.to_owned(), Mean::of(&values));
    }
    for reason in Reason::ALL.iter().map(|reason| reason.name()) {
        let values: Vec<f64> = all
            .iter()
            .map(|o| *o.rejected.get(reason).unwrap_or(&0) as f64)
            .collect();
        if values.iter().any(|&value| value > 0.0) {
            means.insert(format!("rejected.{reason}"), Mean::of(&values));
        }
    }
    means
}
