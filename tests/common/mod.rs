//! What tests find or miss on a machine. `cargo xtask test` gathers it and says where it is in
//! environment variables; docs/testing.md lists them.
//!
//! A test that needs something begins with `let Some(x) = common::x() else { return };`. Where it
//! is missing the test is skipped, visibly, or fails if this is a CI machine (`CI=true`).
#![allow(
    dead_code,
    reason = "each test binary that includes this module uses a part of it"
)]

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;

/// Python with the packages of tests/interop/requirements.txt.
pub(crate) fn python() -> Option<PathBuf> {
    equipment("SORTHUB_PYTHON", "Python with pymodbus")
}

/// The browser. Started by root, as in many containers, it needs `--no-sandbox`.
pub(crate) fn chromium() -> Option<PathBuf> {
    equipment("SORTHUB_CHROMIUM", "Chromium")
}

/// The program that drives the browser.
pub(crate) fn chromedriver() -> Option<PathBuf> {
    equipment("SORTHUB_CHROMEDRIVER", "ChromeDriver")
}

/// The folder of recorded traces, found beside the repository without xtask too.
pub(crate) fn trace_dir() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if env::var_os("SORTHUB_TRACE_DIR").is_none() && beside.is_dir() {
        return Some(beside);
    }
    equipment("SORTHUB_TRACE_DIR", "the recorded traces in ../shared/data")
}

/// The program under test: as it is shipped where xtask has built it so, else Cargo's own build.
pub(crate) fn sorthub() -> PathBuf {
    let built = option_env!("CARGO_BIN_EXE_sorthub").map(PathBuf::from);
    let program = env::var_os("SORTHUB_BIN").map(PathBuf::from).or(built);
    program.expect("set SORTHUB_BIN: outside the root package Cargo names no program")
}

/// Ends a test early with its name and the reason, in sight although the test passes; libtest
/// captures `eprintln!`, but not what goes to standard error itself. xtask counts these lines.
///
/// # Panics
/// On a CI machine: there everything that a test needs has to be present.
pub(crate) fn skip(reason: &str) {
    assert!(!is_ci(), "on a CI machine nothing is skipped: {reason}");
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("sorthub-test-skipped: {test}: {reason}\n");
    // One write, so that lines of parallel tests do not mix.
    io::stderr()
        .write_all(line.as_bytes())
        .expect("standard error takes a line");
}

fn equipment(variable: &str, what: &str) -> Option<PathBuf> {
    let path = env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.exists());
    if path.is_none() {
        skip(&format!(
            "{what} is missing: run `cargo xtask test`, or set {variable}"
        ));
    }
    path
}

fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true")
}
