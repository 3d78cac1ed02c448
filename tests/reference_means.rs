//! LSRM-1 over a hundred days, from the command line: the means are those of other programs.
//!
//! A single day near saturation says nothing (the wait at the inductions runs from 7 s to 150 s),
//! so this takes as many as the others did. The seeds are fixed: the outcome is the same each time.

mod common;

use std::process::Command;

use serde_json::Value;

const SEEDS: usize = 100;
/// Of the normal distribution, 99 % lies within so many standard errors.
const ERRORS_OF_99_PER_CENT: f64 = 2.576;

/// A number that each replication gives, and where it stands in it.
struct Measure {
    name: &'static str,
    at: &'static str,
    /// Mean and standard error of other authors' programs, 100 seeds.
    elsewhere: (f64, f64),
    /// Mean and standard error of the program in `benches/reference/`, 1000 seeds.
    by_hand: (f64, f64),
}

const MEASURES: [Measure; 7] = [
    Measure {
        name: "sorted",
        at: "/sorted",
        elsewhere: (464_175.0, 63.0),
        by_hand: (464_151.3, 20.1),
    },
    Measure {
        name: "rejected as no-read",
        at: "/rejected/no-read",
        elsewhere: (7_195.0, 8.0),
        by_hand: (7_198.1, 2.7),
    },
    Measure {
        name: "rejected after laps",
        at: "/rejected/most-laps",
        elsewhere: (8_300.0, 36.0),
        by_hand: (8_253.5, 11.4),
    },
    Measure {
        name: "recirculation rate",
        at: "/recirculation_rate",
        elsewhere: (0.1488, 0.0005),
        by_hand: (0.148_051, 0.000_168),
    },
    Measure {
        name: "chute full share",
        at: "/chute_full_share",
        elsewhere: (0.0592, 0.0002),
        by_hand: (0.058_924, 0.000_062),
    },
    Measure {
        name: "induction wait, s",
        at: "/induction_wait_s",
        elsewhere: (29.6, 1.7),
        by_hand: (26.59, 0.46),
    },
    Measure {
        name: "time in system, s",
        at: "/time_in_system_s/mean",
        elsewhere: (69.5, 1.7),
        by_hand: (66.49, 0.47),
    },
];

fn replications() -> Vec<Value> {
    let seeds = SEEDS.to_string();
    let args = ["--horizon", "24h", "--seed", "1", "--replications", &seeds];
    let out = Command::new(common::sorthub())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["simulate", "config/lsrm-1.toml", "--json"])
        .args(args)
        .output()
        .expect("the program can be started");
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{said}");
    let all: Value = serde_json::from_slice(&out.stdout).expect("one JSON value and no more");
    let list = all["replications"].as_array().expect("a list of runs");
    list.clone()
}

/// Mean and standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    (mean, (squares.sum::<f64>() / (count - 1.0) / count).sqrt())
}

/// Should this fail after a change of the random numbers alone, `cargo bench --bench lsrm --
/// --seeds 1000` tells chance from a fault.
#[test]
fn means_of_a_hundred_seeds_are_those_of_other_programs() {
    let runs = replications();
    assert_eq!(runs.len(), SEEDS);
    let mut faults = Vec::new();
    for measure in &MEASURES {
        let value = |run: &Value| {
            let found = run.pointer(measure.at).and_then(Value::as_f64);
            found.unwrap_or_else(|| panic!("no number `{}` in a run", measure.at))
        };
        let (ours, error) = mean(&Vec::from_iter(runs.iter().map(value)));
        assert!(error > 0.0, "all runs have the same {}", measure.name);
        let others = [
            ("elsewhere", measure.elsewhere),
            ("by hand", measure.by_hand),
        ];
        for (whose, (theirs, their_error)) in others {
            let apart = (ours - theirs) / error.hypot(their_error);
            if apart.abs() > ERRORS_OF_99_PER_CENT {
                let name = measure.name;
                faults.push(format!(
                    "{name}: {ours} ± {error}, {whose} {theirs} ± {their_error}, {apart:.1} errors"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
