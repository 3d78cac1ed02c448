//! Versions of the plan in a running engine: staged, activated, brought back, and all of it made
//! again from the journal.

mod common;
mod operated;
mod program;

use std::fs;

use operated::Operated;
use program::{Dir, count, verified};

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
