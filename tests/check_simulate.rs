//! `sorthub simulate` from the command line: what it prints, and how it ends.

mod common;

use std::process::{Command, Output};

use serde_json::Value;

fn simulate(args: &[&str]) -> Output {
    let mut command = Command::new(common::sorthub());
    let command = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUST_LOG");
    command
        .arg("simulate")
        .args(args)
        .output()
        .expect("the program can be started")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the program writes UTF-8")
}

/// The one JSON object of a run that must succeed.
fn json(args: &[&str]) -> Value {
    let out = simulate(args);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("one JSON value and no more")
}

fn count(object: &Value, name: &str) -> u64 {
    object[name]
        .as_u64()
        .unwrap_or_else(|| panic!("`{name}` is a count in {object}"))
}

/// Every parcel is on exactly one side of the book.
fn assert_balance(run: &Value) {
    let rejected = run["rejected"].as_object().expect("rejects by reason");
    let rejected: u64 = rejected.values().filter_map(Value::as_u64).sum();
    let at_inductions = count(run, "waiting") + count(run, "turned_away");
    assert_eq!(
        count(run, "arrived"),
        count(run, "inducted") + at_inductions
    );
    let ended = count(run, "sorted") + rejected + count(run, "removed") + count(run, "lost");
    assert_eq!(count(run, "inducted"), ended + count(run, "on_sorter"));
    let chutes = run["chutes"].as_array().expect("a list of chutes");
    let sorted: u64 = chutes.iter().map(|chute| count(chute, "sorted")).sum();
    assert_eq!(sorted, count(run, "sorted"));
}

#[test]
fn the_same_seed_gives_the_same_json_but_for_the_wall_clock() {
    let args = [
        "config/lsrm-1.toml",
        "--horizon",
        "30m",
        "--seed",
        "7",
        "--json",
    ];
    let (mut first, mut second) = (json(&args), json(&args));
    for run in [&mut first, &mut second] {
        let run = &mut run["replications"][0];
        assert_eq!(run["seed"], 7);
        assert!(count(run, "sorted") > 5_000 && count(run, "events") > 30_000);
        assert_balance(run);
        run["wall_s"] = Value::Null;
    }
    assert_eq!(first, second);
    let other = json(&[
        "config/lsrm-1.toml",
        "--horizon",
        "30m",
        "--seed",
        "8",
        "--json",
    ]);
    assert_ne!(
        other["replications"][0]["output_hash"],
        first["replications"][0]["output_hash"]
    );
}

#[test]
fn replications_have_seeds_in_a_row_and_means_with_intervals() {
    let args = [
        "config/demo.toml",
        "--horizon",
        "20m",
        "--replications",
        "3",
        "--json",
    ];
    let all = json(&args);
    let runs = all["replications"].as_array().expect("a list of runs");
    let seeds: Vec<u64> = runs.iter().map(|run| count(run, "seed")).collect();
    assert_eq!(seeds, [1, 2, 3]);
    runs.iter().for_each(assert_balance);
    let sum: u64 = runs.iter().map(|run| count(run, "sorted")).sum();
    let mean = &all["mean"]["sorted"];
    let told = mean["mean"].as_f64().expect("a mean");
    assert!((told * 3.0 - sum as f64).abs() < 1e-6, "{told} of {sum}");
    assert!(mean["half_width"].as_f64().is_some_and(|half| half > 0.0));
    let single = json(&["config/demo.toml", "--horizon", "20m", "--json"]);
    assert_eq!(single["mean"]["sorted"]["half_width"], Value::Null);
}

#[test]
fn a_person_gets_a_table_with_the_counts_and_the_speed() {
    let out = simulate(&["config/demo.toml", "--horizon", "1h"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let table = text(&out.stdout);
    assert!(table.starts_with("demo, 1.0 h, seed 1\n"), "{table}");
    for part in [
        "\narrived  ",
        "\n  sorted  ",
        "\n  lost  ",
        "million a second",
    ] {
        assert!(table.contains(part), "{part:?} is not in:\n{table}");
    }
}

#[test]
fn the_table_adds_up_where_parcels_are_on_transfers() {
    let args = ["config/two-loops.toml", "--horizon", "1h"];
    let out = simulate(&args);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let counts = |beginning: &str| {
        let lines = text(&out.stdout).lines();
        let rows = lines.filter_map(|line| line.strip_prefix(beginning));
        let numbers = rows.filter_map(|row| row.split_whitespace().last());
        let numbers = numbers.filter_map(|n| n.replace(',', "").parse::<u64>().ok());
        numbers.sum::<u64>()
    };
    let ended = counts("  sorted ") + counts("  rejected") + counts("  removed") + counts("  lost");
    let (riding, between) = (counts("  on the sorter"), counts("  on transfers"));
    assert!(between > 0, "{}", text(&out.stdout));
    assert_eq!(
        counts("inducted "),
        ended + riding + between,
        "{}",
        text(&out.stdout)
    );
}

#[test]
fn a_trace_runs_until_its_last_parcel_has_left() {
    let layout = "tests/faulty/good.layout.csv";
    let folder = std::env::temp_dir().join(format!("sorthub-simulate-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let parcels = folder.join("parcels.csv");
    let header = "parcel,arrival_s,length_m,width_m,height_m,weight_g,feasible_chutes\n";
    let rows = "1,0,0.5,0.3,0.2,900,1\n2,4.5,0.5,0.3,0.2,900,2|3\n3,1.5,0.5,0.3,0.2,900,\n";
    std::fs::write(&parcels, format!("{header}{rows}")).expect("the trace can be written");
    let parcels = parcels
        .to_str()
        .expect("the temporary folder has a plain name");
    let all = json(&["--layout", layout, "--parcels", parcels, "--json"]);
    std::fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
    let run = &all["replications"][0];
    assert_balance(run);
    assert_eq!((count(run, "arrived"), count(run, "sorted")), (3, 2));
    assert_eq!(
        run["rejected"]["no-data"], 1,
        "what may go nowhere is rejected"
    );
    assert_eq!(run["chutes"][0]["sorted"], 1);
}

#[test]
fn the_recorded_trace_is_sorted_but_for_what_may_go_nowhere() {
    let Some(folder) = common::trace_dir() else {
        return;
    };
    let path = |name: &str| folder.join(name).display().to_string();
    let (layout, parcels) = (path("posisorter-1.layout.csv"), path("posisorter-1.csv"));
    let all = json(&["--layout", &layout, "--parcels", &parcels, "--json"]);
    let run = &all["replications"][0];
    assert_balance(run);
    assert_eq!((count(run, "arrived"), count(run, "inducted")), (300, 300));
    assert_eq!(run["rejected"]["no-data"], 2);
    assert_eq!((count(run, "lost"), count(run, "on_sorter")), (0, 0));
}

#[test]
fn faulty_input_and_arguments_end_with_2_before_anything_runs() {
    let faulty: &[&[&str]] = &[
        &["tests/faulty/names.toml"],
        &["config/no-such-hub.toml"],
        &["config/demo.toml", "--horizon", "5"],
        &["config/demo.toml", "--horizon", "0s"],
        &["config/demo.toml", "--replications", "0"],
        &["--layout", "tests/faulty/good.layout.csv"],
        &[
            "--layout",
            "tests/faulty/layout.layout.csv",
            "--parcels",
            "tests/faulty/rows.csv",
        ],
        &["config/demo.toml", "--layout", "x", "--parcels", "y"],
        &[],
    ];
    for args in faulty {
        let out = simulate(args);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        assert!(out.stdout.is_empty() && !out.stderr.is_empty(), "{args:?}");
    }
    let both = simulate(faulty[6]);
    for place in [
        "layout.layout.csv:2:16",
        "layout.layout.csv:5:27",
        "rows.csv:3:3",
    ] {
        assert!(
            text(&both.stderr).contains(place),
            "{place}: {}",
            text(&both.stderr)
        );
    }
}
