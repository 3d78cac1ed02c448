//! `sorthub demo`: every parcel goes over real sockets and is accounted for, and a recorded trace
//! comes out as it does in simulation.

mod common;
mod program;

use std::collections::BTreeMap;

use program::{Dir, Running, assert_good, calls, count, json, verified};
use serde_json::Value;
use sorthub_core::reason::Disposition;
use sorthub_core::signal::Output;

#[test]
fn every_parcel_is_accounted_for_and_the_journal_verifies() {
    let dir = Dir::new();
    let journal = dir.arg("journal");
    let args = ["demo", "--duration", "8s", "--listen", "127.0.0.1:0"];
    let more = ["--json", "--journal", &journal];
    let report = Running::start(&dir, "demo", &[&args[..], &more].concat()).json();
    assert_good(&report);
    assert!(count(&report, "sorted") > 0, "{report}");
    let scanners = report["scanners"].as_array().expect("a list of scanners");
    let reads: u64 = scanners.iter().map(|scanner| count(scanner, "reads")).sum();
    assert!(reads >= count(&report, "sorted"), "{report}");

    let replayed = verified(&dir, "journal");
    let run = &replayed["runs"][0];
    assert_eq!(run["end"]["how"], "closed");
    assert_eq!(count(run, "records"), count(&report["journal"], "records"));
    for same in ["digest", "inducted", "sorted", "rejected", "lost", "orders"] {
        assert_eq!(run[same], report[same], "{same}");
    }
}

/// How parcels ended, as the reports count them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ends {
    sorted: BTreeMap<String, u64>,
    rejected: BTreeMap<String, u64>,
}

impl Ends {
    /// Counts an ending in words, such as `sorted by outfeed-3 (planned)`, up or down.
    fn count(&mut self, ending: &str, up: bool) {
        let (how, rest) = ending.split_once(" by ").expect("how and where");
        let (chute, why) = rest.split_once(" (").expect("where and why");
        let (map, key) = match how {
            "sorted" => (&mut self.sorted, chute),
            "rejected" => (&mut self.rejected, why.trim_end_matches(')')),
            _ => panic!("a parcel of the trace ended as {ending}"),
        };
        let number = map.entry(key.to_owned()).or_default();
        if up {
            *number += 1;
        } else {
            *number -= 1;
        }
        map.retain(|_, number| *number > 0);
    }
}

/// The ends of a simulated run.
fn simulated_ends(run: &Value) -> Ends {
    let chutes = run["chutes"].as_array().expect("a list of chutes");
    let sorted = chutes.iter().map(|chute| {
        let name = chute["name"].as_str().expect("a name");
        (name.to_owned(), count(chute, "sorted"))
    });
    let rejected = run["rejected"].as_object().expect("rejects by reason");
    let rejected = rejected.iter().map(|(why, count)| {
        let count = count.as_u64().expect("a count");
        (why.clone(), count)
    });
    Ends {
        sorted: sorted.filter(|(_, count)| *count > 0).collect(),
        rejected: rejected.collect(),
    }
}

/// The ends in a live run's journal; chutes have their names from a simulated run's list.
fn live_ends(dir: &Dir, simulated: &Value) -> Ends {
    let mut ends = Ends::default();
    for call in calls(&dir.file("journal"), 1) {
        for output in call.outputs {
            let Output::Ended {
                how, why, chute, ..
            } = output
            else {
                continue;
            };
            let chute = chute.expect("each parcel of the trace left by a chute");
            let name = simulated["chutes"][chute.index()]["name"].as_str();
            assert!(matches!(how, Disposition::Sorted | Disposition::Rejected));
            let name = name.expect("a name");
            ends.count(&format!("{how} by {name} ({why})"), true);
        }
    }
    ends
}

#[test]
fn a_recorded_trace_goes_live_as_it_does_in_simulation() {
    let Some(traces) = common::trace_dir() else {
        return;
    };
    let dir = Dir::new();
    let layout = traces.join("posisorter-1.layout.csv");
    let parcels = traces.join("posisorter-1.csv");
    let files = ["--layout", layout.to_str().expect("UTF-8")];
    let files = [&files[..], &["--parcels", parcels.to_str().expect("UTF-8")]].concat();
    let journal = dir.arg("journal");
    let live = ["demo", "--speed", "20", "--json", "--listen", "127.0.0.1:0"];
    let keep = ["--journal", &journal];
    let live = json(&dir, "demo", &[&live[..], &files, &keep].concat());
    assert_good(&live);

    let simulated = json(
        &dir,
        "simulate",
        &[&["simulate", "--json"][..], &files].concat(),
    );
    let simulated = &simulated["replications"][0];
    assert_eq!(count(simulated, "inducted"), count(&live, "inducted"));

    let comparison = &live["simulated"];
    let all = count(comparison, "parcels");
    assert_eq!(all, count(&live, "inducted"));
    let share = comparison["share"].as_f64().expect("a share");
    assert!(share >= 0.98, "{comparison}");
    let different = comparison["different"].as_array().expect("a list");
    assert_eq!(count(comparison, "same") + different.len() as u64, all);
    let mut ends = live_ends(&dir, simulated);
    assert_eq!(ends.sorted.values().sum::<u64>(), count(&live, "sorted"));
    for parcel in different {
        let text = |key: &str| parcel[key].as_str().expect("a text").to_owned();
        assert!(!text("parcel").is_empty() && count(parcel, "step") > 0);
        let (step, simulated_step) = (text("live_step"), text("simulated_step"));
        assert!(!step.is_empty() && !simulated_step.is_empty());
        assert_ne!(step, simulated_step, "{parcel}");
        ends.count(&text("live"), false);
        ends.count(&text("simulated"), true);
    }
    // What is left of the live run after its differences is the simulated one.
    assert_eq!(ends, simulated_ends(simulated));
}
