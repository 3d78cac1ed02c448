//! Torture: deterministic fault simulation of the whole chain.
//!
//! A seed draws a hub, a plan, a plant and a list of faults; the run is the same on every machine.
//! The chain is the real one but for sockets and disks: plant, PLC end of the mailbox, exchanges
//! that are late or lost, engine end, sorters, a journal that loses its tail. After every call of
//! a sorter it is checked what must hold whatever happens; at the end everything must have left.
//! The faults are data, so that a failing run can be repeated with fewer of them.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use sorthub_core::units::Micros;

mod chain;
mod dice;
mod draw;
mod fault;
mod judge;
mod lane;

pub use chain::{Broken, Passed};
pub use draw::{Drawn, draw};
pub use fault::{Fault, What, draw as draw_faults};

use chain::Chain;
use dice::Dice;

/// A run that failed, and the smallest one that was found to fail too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What failed first.
    pub broken: Broken,
    /// How many faults the seed had drawn.
    pub drawn: usize,
    /// Those that are needed.
    pub faults: Vec<Fault>,
    /// A shorter horizon at which it still fails.
    pub horizon: Micros,
}

/// What many runs came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs that passed.
    pub passed: u64,
    /// All of them together.
    pub sum: Passed,
    /// Runs that failed, in the order of their seeds.
    pub failures: Vec<Failure>,
}

/// How many failures are made smaller; the others are only told.
const SHRUNK_MAX: usize = 3;

thread_local! {
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Remembers where a panic of this thread came from, for the failure that it leads to: to be called
/// from a panic hook.
pub fn note_panic(place: String) {
    PANICKED_AT.with_borrow_mut(|kept| *kept = place);
}

/// How long the run of a seed is: from half a minute up to `longest`, most of them short.
#[must_use]
pub fn length(seed: u64, longest: Micros) -> Micros {
    let mut dice = Dice::new(seed, 4);
    let mut length = Micros::from_secs(30).min(longest);
    while length < longest && dice.chance(400) {
        length = Micros(length.0 * 2).min(longest);
    }
    length
}

/// One run with its own faults.
///
/// # Errors
/// What did not hold, a panic of the program among it.
pub fn run_seed(seed: u64, horizon: Micros) -> Result<Passed, Broken> {
    let length = length(seed, horizon);
    let faults = draw_faults(seed, &draw(seed), length);
    run_with(seed, length, &faults)
}

/// One run with these faults in place of its own.
///
/// # Errors
/// As [`run_seed`].
pub fn run_with(seed: u64, horizon: Micros, faults: &[Fault]) -> Result<Passed, Broken> {
    let run = || Chain::new(seed, draw(seed), faults.to_vec()).run(horizon);
    // What was running is not used again.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Broken {
            at: Micros::NEVER,
            what: format!(
                "panicked: {} {}",
                text.unwrap_or_default(),
                PANICKED_AT.take()
            ),
        })
    })
}

/// Runs so many seeds on all cores; `told` is called after each.
#[must_use]
pub fn torture(first_seed: u64, runs: u64, horizon: Micros, told: &(dyn Fn() + Sync)) -> Report {
    let results: Vec<(u64, Result<Passed, Broken>)> = (0..runs)
        .into_par_iter()
        .map(|nth| {
            let seed = first_seed.wrapping_add(nth);
            let result = run_seed(seed, horizon);
            told();
            (seed, result)
        })
        .collect();
    let mut report = Report::default();
    for (seed, result) in results {
        match result {
            Ok(passed) => {
                report.passed += 1;
                report.sum.parcels += passed.parcels;
                report.sum.calls += passed.calls;
                report.sum.faults += passed.faults;
                report.sum.hash = report.sum.hash.rotate_left(1) ^ passed.hash;
            }
            Err(broken) => {
                let is_first = report.failures.len() < SHRUNK_MAX;
                report
                    .failures
                    .push(failure(seed, horizon, broken, is_first));
            }
        }
    }
    report
}

fn failure(seed: u64, longest: Micros, broken: Broken, shrinks: bool) -> Failure {
    let horizon = length(seed, longest);
    let faults = draw_faults(seed, &draw(seed), horizon);
    let mut failure = Failure {
        seed,
        broken,
        drawn: faults.len(),
        faults,
        horizon,
    };
    if shrinks {
        shrink(&mut failure);
    }
    failure
}

/// Runs that are spent on making one failure smaller.
const SHRINKING_RUNS_MAX: u32 = 40;

/// Leaves faults out as long as the run still fails, then shortens it.
fn shrink(failure: &mut Failure) {
    let mut at = 0;
    let mut left = SHRINKING_RUNS_MAX;
    while at < failure.faults.len() && left > 0 {
        left -= 1;
        let mut fewer = failure.faults.clone();
        fewer.remove(at);
        if run_with(failure.seed, failure.horizon, &fewer).is_err() {
            failure.faults = fewer;
        } else {
            at += 1;
        }
    }
    while left > 0 {
        left -= 1;
        let shorter = Micros(failure.horizon.0 / 4 * 3);
        let last = failure.faults.iter().map(|fault| fault.at).max();
        let is_after_all = last.is_none_or(|last| shorter > last);
        if shorter < Micros::from_secs(1)
            || !is_after_all
            || run_with(failure.seed, shorter, &failure.faults).is_ok()
        {
            return;
        }
        failure.horizon = shorter;
    }
}
