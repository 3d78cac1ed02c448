//! `sorthub torture`: the same seeds give the same result, and a slip is told.

mod common;

use std::process::{Command, Output};

use serde_json::Value;

fn torture(args: &[&str]) -> Output {
    let mut command = Command::new(common::sorthub());
    let output = command.arg("torture").args(args).output();
    output.expect("the program starts")
}

fn result(args: &[&str]) -> Value {
    let output = torture(args);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    serde_json::from_str(&said).expect("one JSON object")
}

#[test]
fn the_same_seeds_give_the_same_result_and_others_another() {
    let five = ["--runs", "5", "--seed", "40", "--json"];
    let (first, again) = (result(&five), result(&five));
    assert_eq!(first, again);
    assert_eq!(first["passed"], 5, "{first}");
    for what in ["parcels", "calls", "faults"] {
        assert!(first[what].as_u64().is_some_and(|n| n > 0), "{first}");
    }
    let others = result(&["--runs", "5", "--seed", "45", "--json"]);
    assert_ne!(first["hash"], others["hash"]);
}

#[test]
fn people_are_told_how_many_passed() {
    let output = torture(&["--runs", "2"]);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("2 of 2"), "{said}");
}

#[test]
fn a_slip_in_the_arguments_ends_with_2() {
    for args in [
        &["--runs", "many"][..],
        &["--seed", "one"],
        &["--horizon", "1 fortnight"],
        &["--sorter", "best"],
    ] {
        let output = torture(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(args[0]), "{args:?}: {said}");
        assert_eq!(output.stdout, b"", "{args:?}");
    }
}
