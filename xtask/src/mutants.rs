//! Kept mutants: wrong rules left in the source behind `cfg(mutant = "name")`, each with the test
//! that must catch it (tests/mutants.toml). They prove that the tests can fail.
//!
//! A flag for rustc in the environment would rebuild every dependency for every mutant. Cargo
//! instead starts a copy of this program in place of rustc for the workspace's own packages
//! (`RUSTC_WORKSPACE_WRAPPER`); the copy's file name says which mutant, and since Cargo keeps
//! builds by different wrappers apart, dependencies are built once and mutants stay cached.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::equipment::Equipment;
use crate::process;
use crate::purity::rust_files;
use crate::report::Report;
use crate::steps::Context;
use crate::tally::{Reader, Tally};

const LIST: &str = "tests/mutants.toml";
const SOURCES: [&str; 3] = ["core/src", "sim/src", "src"];
/// Starts the file name of each wrapper.
const WRAPPER: &str = "rustc-with-mutant-";

/// One entry of the list.
#[derive(Debug, PartialEq, Eq)]
struct Mutant {
    name: String,
    /// The wrong rule, in a sentence.
    what: String,
    /// The package whose test must fail.
    package: String,
    /// The file in `tests/` without its ending; none for a unit test of the library.
    test_file: Option<String>,
    /// The test's whole name.
    test: String,
}

/// The mutant's name, if this program was started as a wrapper.
pub(crate) fn name_of_wrapper(program: Option<&OsStr>) -> Option<String> {
    let file = Path::new(program?).file_stem()?.to_str()?;
    file.strip_prefix(WRAPPER).map(str::to_owned)
}

/// Stands in for rustc: `wrapper RUSTC ARGS...` runs `RUSTC ARGS... --cfg mutant="name"`.
pub(crate) fn run_as_wrapper(name: &str) -> ExitCode {
    let mut args = env::args_os().skip(1);
    let Some(rustc) = args.next() else {
        eprintln!("this copy of xtask stands in for rustc: it is started by cargo");
        return ExitCode::from(2);
    };
    let mut rustc = Command::new(rustc);
    rustc
        .args(args)
        .arg("--cfg")
        .arg(format!("mutant=\"{name}\""));
    match rustc.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        // Cargo reports what rustc printed; the code itself tells it nothing more.
        Ok(_) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("`{}` did not run: {why}", process::shown(&rustc));
            ExitCode::FAILURE
        }
    }
}

/// Tries the mutants of these names, or all.
pub(crate) fn check(context: &Context, names: &[String]) -> Report {
    let mutants = match listed(&context.root) {
        Ok(mutants) => mutants,
        Err(why) => return Report::of(Err(why)),
    };
    let mut report = Report::default();
    match in_source(&context.root) {
        Ok(source) => report.failures.extend(differences(&mutants, &source)),
        Err(why) => report.failures.push(why),
    }
    for name in names
        .iter()
        .filter(|name| mutants.iter().all(|mutant| mutant.name != **name))
    {
        report
            .failures
            .push(format!("{LIST} lists no mutant `{name}`"));
    }
    if mutants.is_empty() && report.failures.is_empty() {
        return Report::skipped(format!("{LIST} lists no mutant"));
    }
    let chosen: Vec<_> = mutants
        .iter()
        .filter(|m| names.is_empty() || names.contains(&m.name))
        .collect();
    let equipment = Equipment::gather(context);
    for mutant in chosen {
        println!("   -- {}: {}", mutant.name, mutant.what);
        match caught(context, &equipment, mutant) {
            Ok(Verdict::Caught) => println!("   -- {}: caught by {}", mutant.name, mutant.test),
            Ok(Verdict::Skipped) => {
                let Mutant { name, test, .. } = mutant;
                report
                    .skips
                    .push(format!("{name}: its test {test} is skipped here"));
            }
            Err(why) => report
                .failures
                .push(format!("mutant {}: {why}", mutant.name)),
        }
    }
    report
}

enum Verdict {
    Caught,
    /// Something that the test needs is missing on this machine.
    Skipped,
}

/// Shows that the mutant's test passes without it and fails with it.
fn caught(context: &Context, equipment: &Equipment, mutant: &Mutant) -> Result<Verdict, String> {
    let test = &mutant.test;
    let healthy = run_test(cargo_test(context, equipment, mutant), test);
    match healthy {
        Tally {
            passed: 1,
            failed: 0,
            ..
        } => {}
        Tally { skipped: 1, .. } => return Ok(Verdict::Skipped),
        Tally { failed: 0, .. } => return Err(format!("there is no test `{test}`: mend {LIST}")),
        _ => return Err(format!("{test} fails without the mutant: mend that first")),
    }

    let target = context.target()?;
    let wrapper = wrapper(&target.join("mutants/wrapper"), &mutant.name)?;
    let mutated = || {
        let mut cargo = cargo_test(context, equipment, mutant);
        cargo.env("RUSTC_WORKSPACE_WRAPPER", &wrapper);
        // Programs go to a folder of their own, never over the ones that a person starts; what
        // they are made from is shared, so that no dependency is built again.
        cargo.env("CARGO_TARGET_DIR", target.join("mutants"));
        cargo.env("CARGO_BUILD_BUILD_DIR", &target);
        cargo
    };
    process::run(mutated().arg("--no-run")).map_err(|why| format!("it does not build: {why}"))?;
    match run_test(mutated(), test) {
        Tally { failed: 1, .. } => Ok(Verdict::Caught),
        Tally { passed: 1, .. } => Err(format!(
            "{test} passes with it: sharpen the test, or name the one that fails"
        )),
        other => Err(format!(
            "{test} neither passed nor failed ({other}): run it by hand"
        )),
    }
}

/// `cargo test` for the test binary of this mutant.
fn cargo_test(context: &Context, equipment: &Equipment, mutant: &Mutant) -> Command {
    let mut cargo = context.cargo("test");
    cargo.args(["--locked", "--package", &mutant.package]);
    match &mutant.test_file {
        Some(file) => cargo.args(["--test", file]),
        None => cargo.arg("--lib"),
    };
    // The shipped program is not the mutant: whole-program tests use what Cargo built for them.
    cargo.env_remove("SORTHUB_BIN").envs(&equipment.env);
    cargo
}

fn run_test(mut cargo: Command, test: &str) -> Tally {
    cargo.args(["--", "--exact", test]);
    let mut reader = Reader::default();
    // How it ended shows in the counts: none means that no test ran to an end.
    let _ = process::follow(&mut cargo, |line| reader.line(line));
    reader.finish().0
}

/// A copy of this program under the mutant's name. One that is there already is renewed only if
/// it differs, since Cargo builds everything again behind a wrapper that is newer.
fn wrapper(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let failed = |why: std::io::Error| format!("{}: {why}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    let copy = folder.join(format!("{WRAPPER}{name}{}", env::consts::EXE_SUFFIX));
    let this = this_program().map_err(failed)?;
    let same = fs::read(&copy).ok() == Some(fs::read(&this).map_err(failed)?);
    if !same {
        // Not written in place: a wrapper that still runs could not be.
        let fresh = copy.with_extension("new");
        fs::copy(&this, &fresh)
            .and_then(|_| fs::rename(&fresh, &copy))
            .map_err(failed)?;
    }
    Ok(copy)
}

/// Where this program lies. Building all tests links it anew while it runs; Linux then tells the
/// old path with a mark behind it, and what lies at the path now is as good.
fn this_program() -> std::io::Result<PathBuf> {
    let path = env::current_exe()?;
    if path.exists() {
        return Ok(path);
    }
    let unmarked = path
        .to_str()
        .and_then(|path| path.strip_suffix(" (deleted)"));
    Ok(unmarked.map(PathBuf::from).unwrap_or(path))
}

fn listed(root: &Path) -> Result<Vec<Mutant>, String> {
    let text = fs::read_to_string(root.join(LIST)).map_err(|why| format!("{LIST}: {why}"))?;
    parse(&text).map_err(|why| format!("{LIST}: {why}"))
}

fn parse(text: &str) -> Result<Vec<Mutant>, String> {
    let mut table: toml::Table = text
        .parse()
        .map_err(|why: toml::de::Error| why.to_string())?;
    let entries = table
        .remove("mutant")
        .unwrap_or_else(|| toml::Value::Array(Vec::new()));
    if let Some(key) = table.keys().next() {
        return Err(format!("`{key}` is not known: entries are [[mutant]]"));
    }
    let entries = entries
        .as_array()
        .cloned()
        .ok_or("entries are [[mutant]]")?;
    let mut mutants = Vec::new();
    for entry in entries {
        let mut fields = entry.as_table().cloned().ok_or("entries are [[mutant]]")?;
        let mut field = |name: &str| match fields.remove(name) {
            Some(toml::Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            None => Ok(None),
            Some(other) => Err(format!(
                "`{name} = {other}` must be a text that is not empty"
            )),
        };
        let name = field("name")?.ok_or("a mutant has no `name`")?;
        let missing = |what: &str| format!("mutant `{name}` has no `{what}`");
        let mutant = Mutant {
            what: field("what")?.ok_or_else(|| missing("what"))?,
            package: field("package")?.ok_or_else(|| missing("package"))?,
            test_file: field("test-file")?,
            test: field("test")?.ok_or_else(|| missing("test"))?,
            name,
        };
        if let Some(key) = fields.keys().next() {
            return Err(format!("mutant `{}`: `{key}` is not known", mutant.name));
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !mutant.name.chars().all(plain) {
            return Err(format!(
                "mutant `{}`: a name is of a-z, 0-9 and _",
                mutant.name
            ));
        }
        if mutants
            .iter()
            .any(|other: &Mutant| other.name == mutant.name)
        {
            return Err(format!("mutant `{}` is listed twice", mutant.name));
        }
        mutants.push(mutant);
    }
    Ok(mutants)
}

/// The names that stand in `cfg`s of the source.
fn in_source(root: &Path) -> Result<BTreeSet<String>, String> {
    let mut files = Vec::new();
    for folder in SOURCES
        .map(|folder| root.join(folder))
        .iter()
        .filter(|folder| folder.is_dir())
    {
        rust_files(folder, &mut files)?;
    }
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let uses = text.split("mutant = \"").skip(1);
        names.extend(
            uses.filter_map(|rest| rest.split('"').next())
                .map(str::to_owned),
        );
    }
    Ok(names)
}

fn differences(mutants: &[Mutant], source: &BTreeSet<String>) -> Vec<String> {
    let listed: BTreeSet<String> = mutants.iter().map(|mutant| mutant.name.clone()).collect();
    let unlisted = source.difference(&listed).map(|name| {
        format!("the source has cfg(mutant = \"{name}\"), {LIST} does not: name its test there")
    });
    let unused = listed.difference(source).map(|name| {
        format!("{LIST} lists `{name}`, the source has no cfg(mutant = \"{name}\"): drop the entry")
    });
    unlisted.chain(unused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"
        [[mutant]]
        name = "late_is_early"
        what = "the deadline is checked the wrong way round"
        package = "sorthub-core"
        test-file = "deadline"
        test = "late_is_late"
    "#;

    #[test]
    fn an_entry_is_read() {
        let mutants = parse(ENTRY).expect("a good list");
        assert_eq!(mutants.len(), 1);
        assert_eq!(mutants[0].test_file.as_deref(), Some("deadline"));
        assert!(parse("").expect("an empty list").is_empty());
    }

    #[test]
    fn faulty_lists_are_refused_with_the_place() {
        for (from, to, word) in [
            ("what", "wat", "what"),
            ("test-file", "test_file", "test_file"),
            ("late_is_early", "late is early", "a-z"),
            ("[[mutant]]", "[[mutants]]", "mutants"),
            ("\"late_is_late\"", "3", "test"),
        ] {
            let message = parse(&ENTRY.replacen(from, to, 1)).expect_err(to);
            assert!(message.contains(word), "{to}: {message}");
        }
        let twice = format!("{ENTRY}{ENTRY}");
        assert!(parse(&twice).expect_err("twice").contains("twice"));
    }

    #[test]
    fn list_and_source_must_agree() {
        let mutants = parse(ENTRY).expect("a good list");
        let source = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert!(differences(&mutants, &source(&["late_is_early"])).is_empty());
        assert_eq!(differences(&mutants, &source(&[])).len(), 1);
        assert_eq!(
            differences(&mutants, &source(&["late_is_early", "other"])).len(),
            1
        );
    }

    #[test]
    fn only_a_wrapper_takes_itself_for_one() {
        let name = |path: &str| name_of_wrapper(Some(OsStr::new(path)));
        assert_eq!(
            name("target/rustc-with-mutant-late_is_early"),
            Some("late_is_early".into())
        );
        assert_eq!(name("target/debug/xtask"), None);
    }
}
