//! `sorthub check` and the readers behind it: what people get wrong is told at its place.
//!
//! Each file in `tests/faulty/` has its faults beside it in `<file>.expected`, as `check` prints
//! them. `UPDATE_EXPECT=1` writes those anew; read the difference before it is committed.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sorthub::config::scenario::Scenario;
use sorthub::config::{CarrierFile, Fault, Files, HubFile, Source, trace};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_in(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder is part of the project");
    let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
    let fits = |path: &PathBuf| {
        endings
            .iter()
            .any(|end| path.display().to_string().ends_with(end))
    };
    let mut found: Vec<PathBuf> = paths.filter(fits).collect();
    found.sort();
    assert!(
        !found.is_empty(),
        "{folder} holds nothing that ends in {endings:?}"
    );
    found
}

/// The faults of a file, read under its bare name so that goldens hold no path.
fn faults_of(path: &Path) -> Vec<Fault> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .expect("names are text");
    let bytes = fs::read(path).expect("the file can be read");
    let source = match Source::from_bytes(name, bytes) {
        Ok(source) => source,
        Err(faults) => return faults,
    };
    if CarrierFile::is_one(&source) {
        return CarrierFile::from_source(&source)
            .map_or_else(|faults| faults, |file| file.warnings);
    }
    if Scenario::is_one(&source) {
        let hub = HubFile::read(&root().join("config/demo.toml")).expect("the ready hub");
        return Scenario::check(&source, Some(&hub));
    }
    if name.ends_with(".toml") {
        return HubFile::inspect(&source, &Files::In("tests/faulty".into())).faults;
    }
    if name.ends_with(".layout.csv") {
        return trace::check_layout(&source);
    }
    let layout = fs::read_to_string(root().join("tests/faulty/good.layout.csv"));
    let layout = Source::new("good.layout.csv", layout.expect("the layout can be read"));
    trace::from_sources(&layout, &source).map_or_else(|faults| faults, |file| file.warnings)
}

#[test]
fn every_fault_is_told_at_its_place() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut differing = Vec::new();
    for path in files_in("tests/faulty", &[".toml", ".csv"]) {
        let texts: Vec<String> = faults_of(&path).iter().map(|f| format!("{f}\n")).collect();
        let told = texts.join("\n");
        let golden = PathBuf::from(format!("{}.expected", path.display()));
        if update {
            fs::write(&golden, &told).expect("the golden can be written");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if told != expected {
            differing.push(format!("--- {}\n{told}", path.display()));
        }
    }
    assert!(
        differing.is_empty(),
        "told otherwise than in .expected (UPDATE_EXPECT=1 writes them anew):\n{}",
        differing.join("\n")
    );
}

fn sorthub(args: &[&str]) -> Output {
    let mut command = Command::new(common::sorthub());
    let command = command
        .current_dir(root())
        .env_remove("RUST_LOG")
        .args(args);
    command.output().expect("the program can be started")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the program writes UTF-8")
}

#[test]
fn good_files_end_with_0_and_say_so() {
    let files = [
        "config/demo.toml",
        "config/lsrm-1.toml",
        "config/carriers.toml",
    ];
    let out = sorthub(&[&["check"][..], &files].concat());
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let expected = files.map(|file| format!("{file}: ok\n")).concat();
    assert_eq!(text(&out.stdout), expected);
    assert_eq!(text(&out.stderr), "");
}

#[test]
fn faulty_files_end_with_2_and_every_fault_of_every_file() {
    let files = [
        "tests/faulty/names.toml",
        "tests/faulty/rows.csv",
        "config/demo.toml",
    ];
    let out = sorthub(&["check", files[0], files[1], files[2]]);
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(text(&out.stdout), "config/demo.toml: ok\n");
    let told = text(&out.stderr);
    let expected = fs::read_to_string(root().join("tests/faulty/names.toml.expected"));
    let expected = expected.expect("the golden is there");
    let first_lines = expected.lines().filter(|line| line.starts_with("error: "));
    for line in first_lines {
        let line = line.replace("names.toml", files[0]);
        assert!(told.contains(&line), "{line} is not in:\n{told}");
    }
    assert!(
        told.contains("tests/faulty/rows.csv:3:3: `arrival_s` is -3.068"),
        "{told}"
    );
}

#[test]
fn parcels_are_checked_against_the_one_layout_given() {
    let layout = "tests/faulty/good.layout.csv";
    let out = sorthub(&["check", "tests/faulty/rows.csv", layout]);
    let told = text(&out.stderr);
    assert!(
        told.contains("the layout has no outfeed 4; it has 3"),
        "{told}"
    );
    assert_eq!(text(&out.stdout), format!("{layout}: ok\n"));
    let alone = sorthub(&["check", "tests/faulty/rows.csv"]);
    assert!(
        !text(&alone.stderr).contains("no outfeed 4"),
        "nothing says how many there are"
    );
}

#[test]
fn warnings_do_not_change_the_exit_code() {
    let out = sorthub(&["check", "tests/faulty/odd.toml"]);
    assert_eq!(out.status.code(), Some(0));
    assert!(text(&out.stderr).contains("warning: tests/faulty/odd.toml:33:9:"));
    assert!(text(&out.stderr).trim_end().ends_with("10 warnings"));
}

#[test]
fn json_is_one_object_with_typed_faults() {
    let out = sorthub(&[
        "check",
        "--json",
        "tests/faulty/broken_header.toml",
        "config/demo.toml",
    ]);
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(text(&out.stderr), "");
    let json: Value = serde_json::from_slice(&out.stdout).expect("one JSON value and no more");
    assert_eq!(json["ok"], false);
    assert_eq!(json["files"][1]["ok"], true);
    assert_eq!(json["files"][0]["kind"], "hub");
    let faults = json["files"][0]["faults"]
        .as_array()
        .expect("a list of faults");
    let word = faults
        .iter()
        .find(|fault| fault["code"] == "not-one-of")
        .expect("the last one");
    assert_eq!(
        (&word["line"], &word["column"]),
        (&Value::from(33), &Value::from(16))
    );
    assert_eq!(word["severity"], "error");
    assert_eq!(word["nearest"], "one_for_each_chute");
    assert!(
        word["mend"]
            .as_str()
            .is_some_and(|mend| mend.starts_with("use one of"))
    );
}

#[test]
fn bad_arguments_end_with_2_and_help_with_0() {
    for args in [
        vec![],
        vec!["check"],
        vec!["chekc", "x"],
        vec!["check", "--jsno", "x"],
    ] {
        let out = sorthub(&args);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        assert!(!out.stderr.is_empty() && out.stdout.is_empty(), "{args:?}");
    }
    for args in [vec!["--help"], vec!["check", "--help"], vec!["--version"]] {
        let out = sorthub(&args);
        assert_eq!(out.status.code(), Some(0), "{args:?}");
        assert!(out.stderr.is_empty() && !out.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let out = sorthub(&["check", "config/no-such-hub.toml", "config"]);
    assert_eq!(out.status.code(), Some(2));
    let told = text(&out.stderr);
    assert!(
        told.contains("error: config/no-such-hub.toml:1:1: cannot be read:"),
        "{told}"
    );
    assert!(
        told.contains("error: config:1:1: cannot be read:"),
        "{told}"
    );
}
