//! Proves that `core/` needs no operating system, and that `core/` and `sim/` keep to their rooms.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process;
use crate::report::Report;
use crate::steps::Context;

/// Every package that the core may be built from, with why it may.
const CORE_PACKAGES: &[(&str, &str)] = &[
    ("sorthub-core", "itself"),
    ("cobs", "below postcard, not used"),
    ("foldhash", "hashing with a fixed seed"),
    ("hashbrown", "hash tables without std's random seed"),
    ("postcard", "bytes of snapshots and journal records"),
    ("serde", "names the fields of snapshots and records"),
    ("serde_core", "below serde"),
    ("thiserror", "error texts"),
];

/// Packages that open sockets, own a runtime, keep files or draw from the OS: not for `sim/`.
const BANNED_IN_SIM: &[&str] = &[
    "async-std",
    "axum",
    "getrandom",
    "hyper",
    "mio",
    "rusqlite",
    "smol",
    "socket2",
    "tokio",
];

/// What must not stand in the core's source, tests apart, with the mend.
const BANNED_IN_CORE: &[(&str, &str)] = &[
    ("extern crate std", "the core is no_std: use core or alloc"),
    ("std::", "the core is no_std: use core:: or alloc::"),
    (
        "core::arch",
        "time and randomness are handed in, not read from the processor",
    ),
    (
        "asm!",
        "time and randomness are handed in, not read from the processor",
    ),
    (
        "f32",
        "no floating point in a decision: use integer newtypes",
    ),
    (
        "f64",
        "no floating point in a decision: use integer newtypes",
    ),
    (
        "static mut",
        "all state is in the value that the caller owns",
    ),
    ("Atomic", "all state is in the value that the caller owns"),
];

/// A target without an operating system, tried too where it is installed.
const BARE_TARGET: &str = "x86_64-unknown-none";

/// Every check of this step.
pub(crate) fn check(context: &Context) -> Report {
    let mut failures = Vec::new();
    for check in [core_links_without_std, builds_for_bare_target] {
        failures.extend(check(context).err());
    }
    for check in [core_tree, sim_tree, attributes, core_source] {
        match check(context) {
            Ok(found) => failures.extend(found),
            Err(why) => failures.push(why),
        }
    }
    Report {
        failures,
        ..Report::default()
    }
}

/// Compiles the probe against the core; and once more with `std` added, which must not compile,
/// or the probe would prove nothing.
fn core_links_without_std(context: &Context) -> Result<(), String> {
    let library = core_library(context)?;
    let folder = context.target()?.join("purity");
    fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let probe = include_str!("../probe/no_std.rs");
    let compile = |name: &str, source: &str| {
        let file = folder.join(format!("{name}.rs"));
        fs::write(&file, source).map_err(|why| format!("{}: {why}", file.display()))?;
        let mut rustc = Command::new("rustc");
        rustc.args([
            "--edition=2024",
            "--crate-type=staticlib",
            "--emit=metadata",
        ]);
        rustc
            .args(["--crate-name", name, "-Cpanic=abort"])
            .arg(&file);
        rustc.arg("--out-dir").arg(&folder);
        rustc
            .arg("--extern")
            .arg(format!("sorthub_core={}", library.display()));
        let deps = library.parent().unwrap_or(&folder).join("deps");
        rustc
            .arg("-L")
            .arg(format!("dependency={}", deps.display()));
        let output = process::capture(rustc.stderr(Stdio::piped()))?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok::<_, String>(if output.status.success() {
            None
        } else {
            Some(errors)
        })
    };
    if let Some(errors) = compile("no_std", probe)? {
        println!("{errors}");
        return Err("core/ or a package below it uses std: see the compiler's words above".into());
    }
    match compile(
        "with_std",
        &probe.replace("extern crate sorthub_core", "extern crate std"),
    )? {
        Some(errors) if errors.contains("panic_impl") => Ok(()),
        other => Err(format!(
            "xtask/probe/no_std.rs no longer tells std apart: {other:?}"
        )),
    }
}

/// Builds the core alone, so with its own features only, and finds its library.
fn core_library(context: &Context) -> Result<PathBuf, String> {
    let mut build = context.cargo("build");
    build.args([
        "--package",
        "sorthub-core",
        "--lib",
        "--locked",
        "--message-format",
        "json",
    ]);
    let text = process::read(&mut build)?;
    let messages = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_core = |message: &Value| message["target"]["name"] == "sorthub_core";
    let artifact = messages.filter(of_core).find_map(|message| {
        let files = message["filenames"]
            .as_array()?
            .iter()
            .filter_map(Value::as_str);
        files
            .map(PathBuf::from)
            .find(|file| file.extension().is_some_and(|ext| ext == "rlib"))
    });
    artifact.ok_or_else(|| "cargo built no library for sorthub-core".to_owned())
}

fn builds_for_bare_target(context: &Context) -> Result<(), String> {
    let mut rustc = Command::new("rustc");
    let libraries =
        process::read(rustc.args(["--print", "target-libdir", "--target", BARE_TARGET]));
    if !libraries.is_ok_and(|folder| Path::new(folder.trim()).is_dir()) {
        println!("   the target {BARE_TARGET} is not installed: the link probe stands alone");
        return Ok(());
    }
    let mut build = context.cargo("build");
    process::run(build.args([
        "-p",
        "sorthub-core",
        "--lib",
        "--locked",
        "--target",
        BARE_TARGET,
    ]))
}

/// (package, its features) for all that a library of ours is built from, on every platform.
fn tree(context: &Context, package: &str) -> Result<Vec<(String, String)>, String> {
    let mut tree = context.cargo("tree");
    tree.args([
        "--package",
        package,
        "--locked",
        "--target",
        "all",
        "--prefix",
        "none",
    ]);
    tree.args([
        "--edges",
        "normal,no-proc-macro",
        "--format",
        "{lib}|{p}|{f}",
    ]);
    let text = process::read(&mut tree)?;
    let mut packages = Vec::new();
    for line in text.lines() {
        let mut fields = line.trim_end_matches(" (*)").split('|').skip(1);
        let (Some(name), Some(features)) = (fields.next(), fields.next()) else {
            return Err(format!("cargo tree printed `{line}`"));
        };
        let name = name.split(' ').next().unwrap_or(name);
        packages.push((name.to_owned(), features.to_owned()));
    }
    packages.sort();
    packages.dedup();
    if packages.iter().all(|(name, _)| name != package) {
        return Err(format!("cargo tree does not list {package}"));
    }
    Ok(packages)
}

fn core_tree(context: &Context) -> Result<Vec<String>, String> {
    Ok(refused_in_core(&tree(context, "sorthub-core")?))
}

fn refused_in_core(packages: &[(String, String)]) -> Vec<String> {
    let mut refused = Vec::new();
    for (name, features) in packages {
        if !CORE_PACKAGES.iter().any(|(known, _)| known == name) {
            refused.push(format!(
                "core/ depends on {name}: drop it, or add it to xtask/src/purity.rs with why it \
                 computes only"
            ));
        } else if features.split(',').any(|feature| feature == "std") {
            refused.push(format!(
                "core/ uses {name} with its feature `std`: turn it off"
            ));
        }
    }
    refused
}

fn sim_tree(context: &Context) -> Result<Vec<String>, String> {
    let packages = tree(context, "sorthub-sim")?;
    let banned = packages
        .iter()
        .filter(|(name, _)| BANNED_IN_SIM.contains(&name.as_str()));
    Ok(banned
        .map(|(name, _)| format!("sim/ depends on {name}: sockets are for src/"))
        .collect())
}

/// Whole-crate promises stand at the top of the crate, not behind a `cfg_attr`.
fn attributes(context: &Context) -> Result<Vec<String>, String> {
    let mut missing = Vec::new();
    for (file, wanted) in [
        ("core/src/lib.rs", "#![no_std]"),
        ("core/src/lib.rs", "#![forbid(unsafe_code)]"),
        ("sim/src/lib.rs", "#![forbid(unsafe_code)]"),
    ] {
        let text =
            fs::read_to_string(context.root.join(file)).map_err(|e| format!("{file}: {e}"))?;
        if !text.lines().any(|line| line.trim_end() == wanted) {
            missing.push(format!("{file} lacks the line {wanted}"));
        }
    }
    Ok(missing)
}

fn core_source(context: &Context) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    rust_files(&context.root.join("core/src"), &mut files)?;
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let name = file
            .strip_prefix(&context.root)
            .unwrap_or(&file)
            .display()
            .to_string();
        found.extend(banned_in(&name, &text));
    }
    Ok(found)
}

/// The Rust files in and below a folder, in order of name.
///
/// # Errors
/// The folder that could not be read.
pub(crate) fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut paths: Vec<PathBuf> = entries
        .map_err(|why| format!("{}: {why}", folder.display()))?
        .into_iter()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            rust_files(&path, into)?;
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

/// One line for each banned word. Comments may name them, and tests at a file's end use them, as
/// does what is compiled for the kept mutants only.
fn banned_in(file: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        if ["#[cfg(test)]", "#[cfg(mutant)]"].contains(&line.trim()) {
            // A module for tests or mutants ends the file; any other such item here is one line.
            match lines.next() {
                Some((_, next)) if next.trim_end().ends_with('{') => break,
                _ => continue,
            }
        }
        let code = line.split("//").next().unwrap_or(line);
        for (word, mend) in BANNED_IN_CORE {
            if stands_in(code, word) {
                found.push(format!("{file}:{}: `{word}`: {mend}", index + 1));
            }
        }
    }
    found
}

/// Whether `word` begins and ends where an identifier does: `f64` is not in `of64`.
fn stands_in(code: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        let after = code
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        let open = word.ends_with(|c: char| !part_of_name(c)) || word == "Atomic";
        !before.is_some_and(part_of_name) && (open || !after.is_some_and(part_of_name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banned_words_are_found_in_code_only() {
        let text = "//! No f64 here.\nuse std::fmt;\nlet of64 = 1; // f64\nlet x: f64 = 0.0;\n";
        let found = banned_in("core/src/x.rs", text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("core/src/x.rs:2: `std::`"));
        assert!(found[1].starts_with("core/src/x.rs:4: `f64`"));
        assert_eq!(
            banned_in("x", "use core::sync::atomic::AtomicU64;").len(),
            1
        );
    }

    #[test]
    fn tests_may_use_std() {
        let one = "#[cfg(test)]\nextern crate std;\nuse std::fmt;\n";
        assert_eq!(banned_in("x", one).len(), 1);
        let module = "fn f() {}\n#[cfg(test)]\nmod tests {\n    use std::vec;\n}\n";
        assert!(banned_in("x", module).is_empty());
        assert!(banned_in("x", &module.replace("test)", "mutant)")).is_empty());
    }

    #[test]
    fn the_core_takes_listed_packages_without_std() {
        let package = |name: &str, features: &str| (name.to_owned(), features.to_owned());
        assert!(refused_in_core(&[package("serde", "alloc,derive")]).is_empty());
        assert_eq!(refused_in_core(&[package("serde", "alloc,std")]).len(), 1);
        assert_eq!(refused_in_core(&[package("tokio", "")]).len(), 1);
    }
}
