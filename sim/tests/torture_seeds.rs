//! Runs under faults: many seeds, and kept ones that once found something.

use sorthub_core::ids::TrackId;
use sorthub_core::units::Micros;
use sorthub_sim::torture::{Fault, What, run_seed, run_with, torture};

const HORIZON: Micros = Micros::from_secs(60);

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..4 {
        assert_eq!(run_seed(seed, HORIZON), run_seed(seed, HORIZON));
    }
}

#[test]
fn a_few_seeds_pass() {
    let report = torture(1, 40, HORIZON, &|| {});
    let failures: Vec<String> = report
        .failures
        .iter()
        .map(|failure| {
            let faults: Vec<String> = failure.faults.iter().map(ToString::to_string).collect();
            let (seed, broken) = (failure.seed, &failure.broken);
            format!(
                "seed {seed}: {} at {}\n{faults:#?}",
                broken.what, broken.at.0
            )
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(report.sum.parcels > 200, "{report:?}");
}

/// An overflow chute that is full is tried on the last lap though the own chute's eye is free: the
/// judge once took that for a fault.
#[test]
fn the_last_lap_goes_to_the_overflow() {
    let hour = Micros::from_secs(3_600);
    assert!(run_seed(173, hour).is_ok());
}

/// A chute that opened again called parcels back which had used their laps up (944, 1140); what was
/// taken out of a shared chute was told before its drop was (1960); a long queue on a transfer was
/// given up though it moved (936).
#[test]
fn seeds_of_chutes_that_open_again_and_of_late_news_pass() {
    let hour = Micros::from_secs(3_600);
    for seed in [944, 1_140, 1_960, 936] {
        let passed = run_seed(seed, hour);
        assert!(passed.is_ok(), "{seed}: {passed:?}");
    }
}

/// An engine that had taken over with a backlog gave late orders for ever (10385, 10163); one
/// learnt nothing from confirmed orders of the run before (11171); what replaced one another while
/// a link was down made missorts (13611); an order without an answer was not taken back (13888);
/// laps were not counted if a chute was open whenever the lap eye was passed (31307).
#[test]
fn seeds_of_taking_over_pass() {
    let hour = Micros::from_secs(3_600);
    for seed in [10_385, 10_163, 11_171, 13_611, 13_888, 31_307] {
        let passed = run_seed(seed, hour);
        assert!(passed.is_ok(), "{seed}: {passed:?}");
    }
}

/// A carrier's telegram was taken for the parcel that had been there before the PLC was heard no
/// more (4918); the judge took what a PLC does not have for an order that stands (3220).
#[test]
fn seeds_of_deaf_links_pass() {
    let hour = Micros::from_secs(3_600);
    for seed in [3_220, 4_918] {
        let passed = run_seed(seed, hour);
        assert!(passed.is_ok(), "{seed}: {passed:?}");
    }
}

/// Given up because an eye had missed it, it passed the lap eye for ever, and nobody minded.
#[test]
fn what_was_given_up_is_taken_up_at_the_lap_eye() {
    let blind = Fault {
        at: Micros(17_503_239),
        lasts: Micros(9_000_000),
        what: What::EyeBlind(TrackId(0)),
    };
    let passed = run_with(378, Micros(22_500_000), &[blind]);
    assert!(passed.is_ok(), "{passed:?}");
}
