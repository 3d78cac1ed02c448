//! What breaks in the plant is mended by itself: by the ledger of what really happened nothing goes
//! to a wrong chute, and nobody is lost.

mod common;
mod program;

use std::collections::BTreeSet;

use program::{Call, Dir, Running, assert_good, calls, count};
use serde_json::Value;
use sorthub_core::reason::Disposition;
use sorthub_core::signal::{LinkState, Output, Signal};
use sorthub_core::units::{Micros, MmPerS};

/// A run with a fault.
struct Struck {
    report: Value,
    calls: Vec<Call>,
}

impl Struck {
    /// Parcels that became known after an instant and were sorted.
    fn sorted_after(&self, instant: Micros) -> usize {
        let late = self.calls.iter().filter(|call| call.now > instant);
        let mut known = BTreeSet::new();
        let mut sorted = 0;
        for output in late.flat_map(|call| &call.outputs) {
            match *output {
                Output::Known { parcel, .. } => {
                    known.insert(parcel);
                }
                Output::Ended {
                    parcel,
                    how: Disposition::Sorted,
                    ..
                } => sorted += usize::from(known.contains(&parcel)),
                _ => {}
            }
        }
        sorted
    }

    fn heard(&self, link: LinkState) -> bool {
        let mut calls = self.calls.iter();
        calls.any(|call| matches!(call.signal, Signal::Link { to, .. } if to == link))
    }
}

/// Runs a demonstration with the fault for each seed, all at the same time, since they mostly wait.
/// Everything must come out well, and parcels that get on after `mended` must be sorted.
fn strike(fault: &str, speed: &str, mended: Micros, seeds: [&str; 2]) -> Vec<Struck> {
    let dir = Dir::new();
    let journal = |seed: &str| format!("journal-{seed}");
    let running: Vec<_> = seeds
        .iter()
        .map(|seed| {
            let journal = dir.arg(&journal(seed));
            let usual = ["demo", "--duration", "14s", "--listen", "127.0.0.1:0"];
            let own = ["--json", "--fault", fault, "--speed", speed];
            let keep = ["--seed", seed, "--journal", &journal];
            let args = [&usual[..], &own, &keep].concat();
            Running::start(&dir, &format!("demo-{seed}"), &args)
        })
        .collect();
    let reports: Vec<_> = running.into_iter().map(Running::json).collect();
    let struck = reports.into_iter().zip(seeds).map(|(report, seed)| Struck {
        report,
        calls: calls(&dir.file(&journal(seed)), 1),
    });
    let struck: Vec<_> = struck.collect();
    for run in &struck {
        assert_good(&run.report);
        assert_eq!(count(&run.report, "on_sorter"), 0, "{}", run.report);
        assert!(run.sorted_after(mended) >= 3, "{}", run.report);
    }
    struck
}

#[test]
fn a_plc_that_restarts_finds_its_parcels_again() {
    // An exit in the PLC's last cycles dies with its memory, and nobody ever hears of it. With
    // these seeds nothing leaves in the second before.
    for run in strike("plc-restart@6s+2s", "1", Micros::from_secs(8), ["1", "4"]) {
        assert!(run.heard(LinkState::Reset), "another boot id was seen");
        // Its memory was gone; the parcels on the belt were not.
        assert!(count(&run.report, "adopted") > 0, "{}", run.report);
    }
}

#[test]
fn a_scanner_that_is_cut_off_is_connected_again() {
    let runs = strike("scanner-cut@6s+3s", "1", Micros::from_secs(9), ["1", "2"]);
    let unsent = runs
        .iter()
        .map(|run| count(&run.report, "telegrams_unsent"));
    assert!(unsent.sum::<u64>() > 0, "no parcel met the cut");
}

#[test]
fn a_plc_that_is_cut_off_is_heard_to_the_end() {
    for run in strike("plc-cut@6s+3s", "1", Micros::from_secs(9), ["1", "2"]) {
        assert!(run.heard(LinkState::Lost), "three seconds are a loss");
        assert!(!run.heard(LinkState::Reset), "its memory was never gone");
        // What happened meanwhile came over afterwards: nothing had to be found again.
        assert_eq!(count(&run.report, "adopted"), 0, "{}", run.report);
    }
}

#[test]
fn a_belt_that_stops_for_a_minute_loses_nobody() {
    for run in strike("belt-stop@5s+60s", "10", Micros::from_secs(65), ["1", "2"]) {
        let standing = run.calls.iter().filter(|call| {
            let speed = MmPerS(0);
            matches!(call.signal, Signal::Belt { speed: told, .. } if told == speed)
        });
        let standing: Vec<_> = standing.map(|call| call.now).collect();
        let (Some(first), Some(last)) = (standing.first(), standing.last()) else {
            panic!("the belt never stood")
        };
        assert!(last.since(*first) > Micros::from_secs(50));
    }
}
