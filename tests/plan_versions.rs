//! Versions of the plan in a running engine: staged, activated, brought back, and all of it made
//! again from the journal.

mod common;
mod operated;
mod program;

use std::fs;

use operated::Operated;
use program::{Dir, Running, count, verified};
use serde_json::json;

/// A demonstration that goes on until it is asked to end.
fn long_demo(dir: &Dir) -> Operated {
    Operated::demo(dir, &["--duration", "600s"])
}

/// The demo hub with a plan of this version, as a file.
fn with_version(dir: &Dir, version: u32, laps_max: u32) -> String {
    let demo = fs::read_to_string("config/demo.toml").expect("the ready hub");
    let text = demo
        .replace("[plan]\n", &format!("[plan]\nversion = {version}\n"))
        .replace("laps_max = 2", &format!("laps_max = {laps_max}"));
    let name = format!("plan-{version}-{laps_max}.toml");
    fs::write(dir.file(&name), text).expect("the test's folder takes files");
    dir.arg(&name)
}

fn active(engine: &Operated) -> u64 {
    count(&engine.done("status"), "plan_version")
}

#[test]
fn a_run_that_went_back_to_its_first_plan_is_replayed() {
    let dir = Dir::new();
    let next = with_version(&dir, 2, 3);
    // Each run of a journal has its own first plan.
    for (run, back) in [(1, "plan rollback"), (2, "plan activate 1")] {
        let engine = long_demo(&dir);
        engine.done(&format!("plan stage {next}"));
        engine.done("plan activate 2");
        assert_eq!(active(&engine), 2);
        engine.done(back);
        assert_eq!(active(&engine), 1);
        let status = engine.done("status");
        let sorted = count(&status["books"], "sorted");
        engine.wait_until("more parcels are sorted", "status", |status| {
            count(&status["books"], "sorted") > sorted
        });
        assert_eq!(engine.program.terminate(), Some(0));
        let replayed = verified(&dir, "journal");
        let runs = replayed["runs"].as_array().expect("a list of runs");
        assert_eq!(runs.len(), run, "{replayed}");
        assert_eq!(runs[run - 1]["end"]["how"], "closed");
    }
}

#[test]
fn what_is_so_already_is_told_as_done() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    let said = engine.ctl(&["plan", "activate", "1"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.out, "plan 1 was active already\n");
    let same = with_version(&dir, 1, 2);
    let said = engine.ctl(&["plan", "stage", &same]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.out, "plan 1 is active already, as this file says\n");
    let (code, said) = engine.not_done("plan rollback");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("no plan was active before"), "{said}");
}

#[test]
fn versions_at_hand_are_compared_without_advice_for_their_files() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    let four = with_version(&dir, 4, 3);
    engine.done(&format!("plan stage {four}"));
    let text = |words: &str| {
        let said = engine.done(words);
        said["text"].as_str().expect("a text").to_owned()
    };
    let back = text("plan diff 4 1");
    assert!(back.starts_with("plan version 4 -> 1\n"), "{back}");
    assert!(back.contains("laps_max: 3 -> 2"), "{back}");
    assert!(!back.contains("set `version"), "{back}");
    // Between files it is the second that has to follow the first.
    let one = with_version(&dir, 1, 2);
    let mut files = Running::start(&dir, "diff", &["plan", "diff", &four, &one]);
    assert_eq!(files.end(), Some(1));
    assert!(
        files.out().contains("set `version = 5` or more"),
        "{}",
        files.out()
    );
}

#[test]
fn a_version_that_was_another_plan_in_a_run_before_is_told() {
    let dir = Dir::new();
    let first = with_version(&dir, 2, 3);
    let engine = long_demo(&dir);
    let staged = engine.done(&format!("plan stage {first}"));
    assert_eq!(staged["warnings"], json!([]));
    assert_eq!(engine.program.terminate(), Some(0));

    let engine = long_demo(&dir);
    let other = with_version(&dir, 2, 4);
    let staged = engine.done(&format!("plan stage {other}"));
    let told = staged["warnings"][0].as_str().expect("a warning");
    assert!(told.contains("run 1 had another plan 2"), "{told}");
    engine.done("plan activate 2");
    assert_eq!(engine.program.terminate(), Some(0));

    // Each run has its own, and the one before them is as good as ever.
    let engine = long_demo(&dir);
    let staged = engine.done(&format!("plan stage {other}"));
    let told = staged["warnings"].as_array().expect("a list");
    assert_eq!(told.len(), 1, "{staged}");
    assert_eq!(engine.program.terminate(), Some(0));
    verified(&dir, "journal");
}
