//! A journal of the rules as they are meant: the program must make every command in it again. With
//! a wrong rule it must not, and must name the first record that differs.
//!
//! The journal is written from `replay_mutant/recorded.jsonl`: a line for each call of the sorter,
//! with what it said. A rule that is changed on purpose changes these lines too; renew them with
//! `UPDATE_EXPECT=1 cargo test --test replay_mutant`.

mod common;
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use program::{Dir, Running};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sorthub::config::HubFile;
use sorthub::journal::{self, Journal, RunHeader};
use sorthub_core::outbox::Outbox;
use sorthub_core::signal::{Output, Signal};
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::Micros;
use sorthub_sim::run::{Job, simulate_observed};

/// So many calls show lapped, refused and rejected parcels.
const CALLS: usize = 150;

/// A line of the recording.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    now: Micros,
    signal: Signal,
    outputs: Vec<Output>,
    /// The rolling hash over all outputs up to here.
    hash: u64,
    /// The digest of the sorter's state.
    digest: u64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay_mutant")
}

fn hub() -> HubFile {
    HubFile::read(&folder().join("hub.toml")).expect("the hub file is sound")
}

/// A sorter as in the first run of a journal.
fn sorter(file: &HubFile) -> Sorter {
    let (hub, plan) = (Arc::clone(&file.hub), Arc::clone(&file.plan));
    Sorter::new(hub, plan, Setup::new(1))
}

/// Records what the sorter says now, to a simulated plant.
fn renew(file: &HubFile) {
    let job = Job::new(
        Arc::clone(&file.hub),
        Arc::clone(&file.plan),
        Arc::new(file.plant.clone()),
    );
    let mut sorter = sorter(file);
    let mut outbox = Outbox::new();
    let mut lines = Vec::new();
    let mut told = |now: Micros, signal: &Signal, _: &[Output]| {
        if lines.len() == CALLS {
            return;
        }
        outbox.clear();
        sorter.handle(now, signal, &mut outbox);
        let line = Line {
            now,
            signal: *signal,
            outputs: outbox.outputs().to_vec(),
            hash: sorter.output_hash(),
            digest: sorter.digest(),
        };
        lines.push(serde_json::to_string(&line).expect("signals and outputs are JSON") + "\n");
    };
    simulate_observed(&job.until(Micros::from_secs(120)), 1, &mut told)
        .expect("the plant fits the hub");
    fs::write(folder().join("recorded.jsonl"), lines.concat()).expect("it can be kept");
}

fn recorded(file: &HubFile) -> Vec<Line> {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        renew(file);
    }
    let text = fs::read_to_string(folder().join("recorded.jsonl")).expect("it was recorded");
    let line = |line| serde_json::from_str(line).expect("a line is one call");
    text.lines().map(line).collect()
}

/// Writes the recording as a run's journal.
fn write(dir: &Path, file: &HubFile, lines: &[Line]) {
    let header = RunHeader {
        build: journal::build(),
        description: file.canonical(),
        sorter: 0,
        plan_version: file.plan.version(),
        clock_permille: 1_000,
        started_unix_us: 0,
    };
    let journal = Journal::open(dir, &header, journal::Options::default());
    let journal = journal.expect("the folder is new");
    assert_eq!(journal.run_epoch(), 1, "parcels are named by the run");
    let mut recorder = journal.start().expect("there is a thread");
    for line in lines {
        recorder.record(line.now, &line.signal, &line.outputs, line.hash);
    }
    let digest = lines.last().expect("something was recorded").digest;
    recorder.close(digest).expect("the disk takes it");
}

/// The first record with an order that names an alternate.
fn first_with_alternate(lines: &[Line]) -> u64 {
    let names_two =
        |output: &Output| matches!(output, Output::Divert(order) if order.chutes[1].is_some());
    let found = lines
        .iter()
        .position(|line| line.outputs.iter().any(names_two));
    found.expect("the recording has an alternate") as u64 + 1
}

/// What the program says of the journal, with its exit code.
fn replay(dir: &Dir) -> (Option<i32>, Value) {
    let journal = dir.arg("journal");
    let args = ["replay", &journal, "--verify", "--json"];
    let mut running = Running::start(dir, "replay", &args);
    let code = running.end();
    let said = serde_json::from_str(&running.out());
    (code, said.expect("one JSON value and no more"))
}

#[test]
fn recorded_commands_come_out_again() {
    let (dir, file) = (Dir::new(), hub());
    let lines = recorded(&file);
    assert_eq!(lines.len(), CALLS);
    write(&dir.file("journal"), &file, &lines);
    let (code, said) = replay(&dir);
    let end = &said["runs"][0]["end"];
    if sorthub_core::mutant!("alternate_first") {
        // The one way in which the mutant counts as caught is that the right record is named; else
        // this test passes, and the mutant is reported to have survived.
        let named = end["how"] == "differs" && end["record"] == first_with_alternate(&lines);
        if code != Some(1) || !named || end["what"]["kind"] != "outputs" {
            return;
        }
    }
    assert_eq!(end["how"], "closed", "{}", end["text"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said["runs"][0]["records"], CALLS as u64);
}

#[test]
fn the_first_record_that_was_made_by_another_rule_is_named() {
    let (dir, file) = (Dir::new(), hub());
    let mut lines = recorded(&file);
    // As a program would have recorded it that chooses the alternate first.
    let first = first_with_alternate(&lines);
    for line in &mut lines {
        for output in &mut line.outputs {
            if let Output::Divert(order) = output
                && order.chutes[1].is_some()
            {
                order.chutes.swap(0, 1);
            }
        }
    }
    write(&dir.file("journal"), &file, &lines);
    let (code, said) = replay(&dir);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(said["ok"], false);
    let end = &said["runs"][0]["end"];
    assert_eq!(end["how"], "differs", "{end}");
    assert_eq!(end["record"], first, "{end}");
    assert_eq!(said["runs"][0]["records"], first - 1);
    let what = &end["what"];
    assert_eq!(what["kind"], "outputs", "{end}");
    assert_ne!(what["recorded"], what["replayed"]);
}
