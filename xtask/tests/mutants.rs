//! `cargo xtask mutants` on a small workspace: it must tell a caught mutant from one that
//! survives, does not build, or has lost its test, and must not build dependencies again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LIBRARY: &str = r#"
//! A rule with its mutants.
/// Whether this mutant is on.
pub fn is_on(name: &str) -> bool {
    cfg!(mutant) && std::env::var("SORTHUB_MUTANT").as_deref() == Ok(name)
}
macro_rules! mutant { ($name:literal) => { is_on($name) }; }
/// Whether `x` is above three.
pub fn above_three(x: u32) -> bool {
    if mutant!("reversed") { return x <= 3; }
    if mutant!("harmless") { return x > 3; }
    x > 3
}
#[cfg(test)]
mod tests {
    #[test]
    fn four_is_above() { assert!(super::above_three(4)); }
}
"#;

/// Says whether 4 is above 3; tortured, ends as `sorthub torture` does, but is ill from seed 51 on
/// if it finds the file `ill` beside it.
const PROGRAM: &str = r#"
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let good = rule::above_three(4);
    print!("{good}");
    let seed: u32 = args.get(3).map_or(0, |seed| seed.parse().unwrap());
    let ill = seed > 50 && std::path::Path::new("ill").exists();
    std::process::exit(i32::from(args.len() > 1 && (ill || !good)));
}
"#;

const MANIFEST: &str = r#"
[package]
name = "rule"
version = "0.1.0"
edition = "2024"
[[bin]]
name = "sorthub"
path = "src/main.rs"
[dependencies]
outside = { path = "../outside" }
[lints.rust]
unexpected_cfgs = { level = "warn", check-cfg = ['cfg(mutant)'] }
[workspace]
"#;

const PROGRAM_TEST: &str = r#"
//! Runs the program.
#[test]
fn it_says_so() {
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_sorthub")).output();
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
    write("rule/src/main.rs", PROGRAM);
    write("rule/tests/program.rs", PROGRAM_TEST);
    let entry = |(name, by): &(&str, &str)| {
        let by = match *by {
            "torture" => "caught-by = \"torture\"".to_owned(),
            test if test.contains("::") => format!("package = \"rule\"\ntest = \"{test}\""),
            test => format!("package = \"rule\"\ntest = \"{test}\"\ntest-file = \"program\""),
        };
        format!("[[mutant]]\nname = \"{name}\"\nwhat = \"wrong\"\n{by}\n")
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
    xtask.current_dir(root);
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
fn a_test_tells_caught_from_surviving_mutants() {
    let root = workspace("verdicts", &[("reversed", TEST), ("harmless", TEST)]);
    let Run { good, text, failed } = mutants(&root, &[]);
    assert!(!good);
    assert!(text.contains("reversed: caught by"), "{text}");
    assert_eq!(failed.len(), 1, "{text}");
    assert!(
        failed[0].contains("harmless") && failed[0].contains("passes with it"),
        "{text}"
    );
    // Once in all; before Cargo 1.91, which has no folder apart for what is only on the way to a
    // program, once more for the mutants.
    assert!(text.matches("Compiling outside").count() <= 2, "{text}");
    // As it is; with all mutants in it, it was built before (which is not in this text).
    assert_eq!(text.matches("Compiling rule").count(), 1, "{text}");

    let Run { good, text, failed } = mutants(&root, &["reversed"]);
    assert!(good && failed.is_empty(), "{text}");
    assert!(
        !text.contains("Compiling"),
        "a second run has nothing to build: {text}"
    );
}

#[test]
fn torture_tells_caught_from_surviving_mutants() {
    let listed = [("reversed", "torture"), ("harmless", "torture")];
    let root = workspace("torture", &listed);
    let Run { good, text, failed } = mutants(&root, &[]);
    assert!(!good);
    assert!(text.contains("reversed: caught by torture"), "{text}");
    assert_eq!(failed.len(), 1, "{text}");
    assert!(failed[0].contains("harmless") && failed[0].contains("200 runs"));

    fs::write(root.join("ill"), "").expect("a file is written");
    let Run { good, text, failed } = mutants(&root, &["reversed"]);
    assert!(!good, "what fails by itself catches nothing: {text}");
    assert_eq!(failed.len(), 1, "{text}");
    assert!(failed[0].contains("without any mutant"), "{text}");
}

#[test]
fn mutants_that_do_not_build_are_no_mutants() {
    let root = workspace("broken", &[("reversed", TEST), ("harmless", TEST)]);
    let broken = format!("{LIBRARY}\n#[cfg(mutant)]\ncompile_error!(\"no such rule\");\n");
    fs::write(root.join("src/lib.rs"), broken).expect("a file is written");
    let Run { good, text, failed } = mutants(&root, &[]);
    assert!(!good);
    assert_eq!(failed.len(), 1, "{text}");
    assert!(failed[0].contains("does not build"), "{text}");
}

#[test]
fn the_list_must_fit_the_source_and_its_tests() {
    let listed = [("reversed", "tests::gone"), ("extra", TEST)];
    let root = workspace("list", &listed);
    let Run { good, text, failed } = mutants(&root, &["reversed", "unknown"]);
    assert!(!good);
    let all = failed.join("\n");
    for part in [
        "mutant!(\"harmless\")",
        "lists `extra`",
        "`unknown`",
        "no test `tests::gone`",
    ] {
        assert!(all.contains(part), "{part} is missing in\n{text}");
    }
    assert_eq!(failed.len(), 4, "{text}");
}

#[test]
fn a_program_with_mutants_never_takes_the_place_of_the_good_one() {
    let root = workspace("program", &[("reversed", "it_says_so"), ("harmless", TEST)]);
    let Run { good, text, .. } = mutants(&root, &["reversed"]);
    assert!(good, "{text}");
    let says = |path: &str| {
        let file = format!("sorthub{}", std::env::consts::EXE_SUFFIX);
        let mut program = Command::new(root.join(path).join(file));
        let output = program.env("SORTHUB_MUTANT", "reversed").output();
        String::from_utf8(output.expect("it was built").stdout)
    };
    assert_eq!(says("target/debug").as_deref(), Ok("true"));
    assert_eq!(says("target/mutants/debug").as_deref(), Ok("false"));
}
