//! `cargo xtask mutants` on a small workspace: it must tell a caught mutant from one that
//! survives, does not build, or has lost its test, and must not build dependencies again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LIBRARY: &str = r#"
//! A rule with its mutants.
/// Whether `x` is above three.
pub fn above_three(x: u32) -> bool {
    #[cfg(mutant = "broken")]
    compile_error!("no such rule");
    if cfg!(mutant = "reversed") { return x <= 3; }
    if cfg!(mutant = "harmless") { return x > 3; }
    x > 3
}
#[cfg(test)]
mod tests {
    #[test]
    fn four_is_above() { assert!(super::above_three(4)); }
}
"#;

const MANIFEST: &str = r#"
[package]
name = "rule"
version = "0.1.0"
edition = "2024"
[dependencies]
outside = { path = "../outside" }
[lints.rust]
unexpected_cfgs = { level = "warn", check-cfg = ['cfg(mutant, values(any()))'] }
[workspace]
"#;

const PROGRAM_TEST: &str = r#"
//! Runs the program.
#[test]
fn it_says_so() {
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_rule")).output();
    assert_eq!(program.unwrap().stdout, b"true");
}
"#;

/// A workspace of one package that depends on one outside of it.
fn workspace(name: &str, mutants: &[(&str, &str)]) -> PathBuf {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&base);
    let write = |path: &str, text: &str| {
        let path = base.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
        fs::write(path, text).expect("a file is written");
    };
    write(
        "outside/Cargo.toml",
        "[package]\nname = \"outside\"\nedition = \"2024\"\n[workspace]",
    );
    write("outside/src/lib.rs", "");
    write("rule/Cargo.toml", MANIFEST);
    write("rule/core/src/empty.rs", "");
    write("rule/src/lib.rs", LIBRARY);
    write(
        "rule/src/main.rs",
        "fn main() { print!(\"{}\", rule::above_three(4)); }",
    );
    write("rule/tests/program.rs", PROGRAM_TEST);
    let entry = |(name, test): &(&str, &str)| {
        let file = if test.contains("::") {
            ""
        } else {
            "test-file = \"program\"\n"
        };
        format!(
            "[[mutant]]\nname = \"{name}\"\nwhat = \"wrong\"\npackage = \"rule\"\n\
             test = \"{test}\"\n{file}"
        )
    };
    write(
        "rule/tests/mutants.toml",
        &mutants.iter().map(entry).collect::<String>(),
    );
    let lock = cargo()
        .arg("generate-lockfile")
        .current_dir(base.join("rule"))
        .output();
    assert!(lock.expect("cargo runs").status.success());
    base.join("rule")
}

fn cargo() -> Command {
    Command::new(env!("CARGO"))
}

struct Run {
    good: bool,
    /// What it printed, each line indented, so that a failing test here does not print what the
    /// outer `cargo xtask test` would take for results of its own.
    text: String,
    failed: Vec<String>,
}

/// Runs `xtask mutants NAMES...` there.
fn mutants(root: &Path, names: &[&str]) -> Run {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.arg("mutants").args(names).arg("--root").arg(root);
    for variable in ["PYTHON", "CHROMIUM", "CHROMEDRIVER", "TRACE_DIR"] {
        xtask.env(format!("SORTHUB_{variable}"), "not needed here");
    }
    xtask
        .env("CARGO", env!("CARGO"))
        .env("CARGO_TARGET_DIR", root.join("target"));
    xtask.env_remove("CI").env_remove("RUSTC_WORKSPACE_WRAPPER");
    let output = xtask.output().expect("xtask runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let failed = text
        .lines()
        .filter(|line| line.starts_with("FAILED: "))
        .map(str::to_owned);
    Run {
        good: output.status.success(),
        failed: failed.collect(),
        text: text.lines().map(|line| format!("    {line}\n")).collect(),
    }
}

const TEST: &str = "tests::four_is_above";

#[test]
fn caught_surviving_and_broken_mutants_are_told_apart() {
    let listed = [("reversed", TEST), ("harmless", TEST), ("broken", TEST)];
    let root = workspace("verdicts", &listed);
    let Run { good, text, failed } = mutants(&root, &[]);
    assert!(!good);
    assert!(text.contains("reversed: caught by"), "{text}");
    assert_eq!(failed.len(), 2, "{text}");
    assert!(
        failed[0].contains("harmless") && failed[0].contains("passes with it"),
        "{text}"
    );
    assert!(
        failed[1].contains("broken") && failed[1].contains("does not build"),
        "{text}"
    );
    // Once in all; before Cargo 1.91, which has no folder apart for what is only on the way to a
    // program, once more for all mutants together.
    assert!(text.matches("Compiling outside").count() <= 2, "{text}");

    let Run { good, text, failed } = mutants(&root, &["reversed"]);
    assert!(good && failed.is_empty(), "{text}");
    assert!(
        !text.contains("Compiling"),
        "a second run has nothing to build: {text}"
    );
}

#[test]
fn the_list_must_fit_the_source_and_its_tests() {
    let listed = [
        ("reversed", "tests::gone"),
        ("harmless", TEST),
        ("extra", TEST),
    ];
    let root = workspace("list", &listed);
    let Run { good, text, failed } = mutants(&root, &["reversed", "unknown"]);
    assert!(!good);
    let all = failed.join("\n");
    for part in [
        "cfg(mutant = \"broken\")",
        "lists `extra`",
        "`unknown`",
        "no test `tests::gone`",
    ] {
        assert!(all.contains(part), "{part} is missing in\n{text}");
    }
    assert_eq!(failed.len(), 4, "{text}");
}

#[test]
fn a_mutated_program_never_takes_the_place_of_the_good_one() {
    let listed = [
        ("reversed", "it_says_so"),
        ("harmless", TEST),
        ("broken", TEST),
    ];
    let root = workspace("program", &listed);
    let Run { good, text, .. } = mutants(&root, &["reversed"]);
    assert!(good, "{text}");
    let says = |path: &str| {
        let program = root
            .join(path)
            .join(format!("rule{}", std::env::consts::EXE_SUFFIX));
        String::from_utf8(Command::new(program).output().expect("it was built").stdout)
    };
    assert_eq!(says("target/debug").as_deref(), Ok("true"));
    assert_eq!(says("target/mutants/debug").as_deref(), Ok("false"));
}
