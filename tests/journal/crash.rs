//! A writing process that is killed leaves a journal that holds all it had called durable.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use sorthub::journal::{Journal, Options};
use sorthub::replay::{self, End, replay};

use crate::world::{Dir, World, record};

/// Set for the process that is to be killed: the directory of its journal.
const CHILD: &str = "SORTHUB_TEST_JOURNAL_CHILD";

const ROUNDS: u32 = 8;

const SIGKILL: i32 = 9;

#[test]
fn a_killed_engine_leaves_every_durable_record() {
    if let Some(dir) = std::env::var_os(CHILD) {
        write_until_killed(Path::new(&dir));
    }
    let dir = Dir::new();
    let mut durable_by_run = Vec::new();
    for round in 0..ROUNDS {
        // From the very first commit to hundreds later.
        durable_by_run.push(write_and_kill(dir.path(), 1 << round));
    }
    let options = replay::Options {
        verify: true,
        run: None,
    };
    let reports = replay(dir.path(), options).expect("the journal is whole");
    assert_eq!(reports.len(), ROUNDS as usize);
    for (report, durable) in reports.iter().zip(durable_by_run) {
        assert_eq!(report.end, End::Open, "run {}", report.run);
        let (run, records) = (report.run, report.records);
        assert!(
            records >= durable,
            "run {run} has {records} records, {durable} were promised"
        );
        assert!(report.books.balance());
    }
    // And an engine starts on it as if nothing had happened.
    let world = World::new(1, 1);
    let journal = Journal::open(dir.path(), &world.header(), Options::default()).unwrap();
    assert_eq!(journal.run_epoch(), ROUNDS + 1);
    assert!(
        journal.cut().is_none(),
        "SQLite's log has no half rows: {:?}",
        journal.cut()
    );
}

/// Starts a writer, kills it once it has said so many times how far its disk is, and gives the
/// last it said.
fn write_and_kill(dir: &Path, lines: usize) -> u64 {
    let program = std::env::current_exe().expect("a test knows itself");
    let mut child = Command::new(program)
        .args([
            "--exact",
            "crash::a_killed_engine_leaves_every_durable_record",
            "--nocapture",
        ])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test can be started again");
    let out = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut said = out
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| durable_of(&line));
    let seen = said.by_ref().take(lines).last();
    child.kill().expect("it runs until it is killed");
    let ended = child.wait().expect("it is ours");
    assert_eq!(
        ended.signal(),
        Some(SIGKILL),
        "it was killed and did not fail by itself"
    );
    // What it said between our last line and its death was promised too.
    said.last().or(seen).expect("it said how far its disk is")
}

fn durable_of(line: &str) -> Option<u64> {
    line.strip_prefix("durable ")?.parse().ok()
}

fn write_until_killed(dir: &Path) -> ! {
    let header = World::new(0, 1).header();
    let journal = Journal::open(dir, &header, Options::default()).expect("it can be opened");
    let mut world = World::new(journal.run_epoch(), u64::from(journal.run_epoch()));
    let mut recorder = journal.start().expect("there is a thread");
    // The name of the test stands on this line already, without its end.
    println!();
    let mut told = 0;
    loop {
        let mut last = 0;
        world.step(&mut |said| last = record(&mut recorder, said));
        recorder.wake();
        // Runs ahead of the disk, but not so far that the queue fills: there would be a gap.
        while last > recorder.durable_seq() + 200 {
            std::thread::yield_now();
        }
        let durable = recorder.durable_seq();
        if durable > told {
            told = durable;
            let mut out = std::io::stdout().lock();
            writeln!(out, "durable {durable}")
                .and_then(|()| out.flush())
                .expect("it is read");
        }
    }
}
