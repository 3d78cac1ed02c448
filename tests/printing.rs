//! What becomes of results that nobody reads, or for which there is no room.

mod common;
mod program;

use std::fs::{self, File};
use std::io::{Read as _, pipe};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use program::Dir;

/// Commands that print a result, each in its own way.
const COMMANDS: [&[&str]; 8] = [
    &["identify", "3318810025"],
    &["identify", "--json", "3318810025"],
    &["identify", "--together", "3318810025"],
    &["check", "config/demo.toml"],
    &["check", "--json", "config/demo.toml"],
    &["plan", "show", "config/demo.toml"],
    &["simulate", "config/demo.toml", "--horizon", "1s"],
    &["--help"],
];

fn run(args: &[&str], stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> (ExitStatus, String) {
    let mut command = Command::new(common::sorthub());
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env_remove("RUST_LOG")
        .args(args)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr);
    let mut child = command.spawn().expect("the program can be started");
    let mut told = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut told).expect("it writes UTF-8");
    }
    (child.wait().expect("it ends"), told)
}

/// A pipe whose reader has gone away, as behind `| head`.
fn nobody_reads() -> Stdio {
    let (reader, writer) = pipe().expect("the system gives pipes");
    drop(reader);
    writer.into()
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cannot_be_written_is_told_and_ends_with_2() {
    let full = || {
        let device = File::options().write(true).open("/dev/full");
        device.expect("Linux has a device that is always full")
    };
    for args in COMMANDS {
        let (status, told) = run(args, full(), Stdio::piped());
        assert_eq!(status.code(), Some(2), "{args:?}: {told}");
        let times = told.matches("standard output cannot be written").count();
        assert_eq!(times, 1, "{args:?}: {told}");
        assert!(told.contains("make room"), "{args:?} gives no mend: {told}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    for args in COMMANDS {
        let (status, told) = run(args, nobody_reads(), Stdio::piped());
        assert_eq!((status.code(), told.as_str()), (Some(0), ""), "{args:?}");
    }
}

/// Faults go to standard error; so do the addresses that a live engine prints, and its log of who
/// has done what.
#[test]
fn nobody_has_to_read_standard_error() {
    let faulty = ["check", "tests/faulty/names.toml"];
    let (status, _) = run(&faulty, Stdio::null(), nobody_reads());
    assert_eq!(status.code(), Some(2));
    let unknown = ["check", "--no-such-flag"];
    let (status, _) = run(&unknown, Stdio::null(), nobody_reads());
    assert_eq!(status.code(), Some(2));
    let dir = Dir::new();
    let scenario = dir.arg("lock.toml");
    let step = "[[at]]\ntime = \"0s\"\ndo = \"chute A03 lock\"\n";
    fs::write(&scenario, step).expect("the test's folder takes files");
    let mut demo = vec!["demo", "--duration", "1s", "--listen", "127.0.0.1:0"];
    demo.extend(["--scenario", &scenario]);
    let (status, told) = run(&demo, Stdio::null(), Stdio::piped());
    assert!(
        told.contains("audit"),
        "the chute is locked with a line of the log:\n{told}"
    );
    assert_eq!(status.code(), Some(0), "{told}");
    let (status, _) = run(&demo, Stdio::null(), nobody_reads());
    assert_eq!(
        status.code(),
        Some(0),
        "it runs on without anybody who reads the log"
    );
}
