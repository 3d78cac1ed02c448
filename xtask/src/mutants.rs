//! Kept mutants: wrong rules left in the source behind `mutant!("name")`, each with what must catch
//! it (tests/mutants.toml): a test, or `sorthub torture`. They prove that both can fail.
//!
//! One build holds all of them, and the environment variable `SORTHUB_MUTANT` says which is on. A
//! flag for rustc in the environment would build every dependency anew; Cargo instead starts a
//! copy of this program in place of rustc for the workspace's own packages
//! (`RUSTC_WORKSPACE_WRAPPER`), and since it keeps builds by another wrapper apart, dependencies
//! are shared with the usual builds.

mod list;
mod wrapper;

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::equipment::Equipment;
use crate::process;
use crate::report::Report;
use crate::steps::Context;
use crate::tally::{Reader, Tally};

use list::{Catcher, LIST, Mutant, TestName};
pub(crate) use wrapper::{is_wrapper, run_as_wrapper};

/// Names the mutant that is on.
const CHOSEN: &str = "SORTHUB_MUTANT";

/// Runs of torture within which a mutant must be caught, in parts: most are caught in the first,
/// and the others need not be waited for then.
const TORTURE_PARTS: [u32; 3] = [10, 40, 150];

/// Tries the mutants of these names, or all.
pub(crate) fn check(context: &Context, names: &[String]) -> Report {
    let mutants = match list::read(&context.root) {
        Ok(mutants) => mutants,
        Err(why) => return Report::of(Err(why)),
    };
    let mut report = Report::default();
    match list::in_source(&context.root) {
        Ok(source) => report.failures.extend(list::differences(&mutants, &source)),
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
    match Bench::new(context, &chosen) {
        Ok(bench) => try_all(&bench, &chosen, &mut report),
        Err(why) => report.failures.push(why),
    }
    report
}

fn try_all(bench: &Bench<'_>, chosen: &[&Mutant], report: &mut Report) {
    for mutant in chosen {
        let Mutant { name, what, by } = mutant;
        println!("   -- {name}: {what}");
        match bench.verdict(mutant) {
            Ok(Verdict::Caught) => println!("   -- {name}: caught by {by}"),
            Ok(Verdict::Skipped) => report
                .skips
                .push(format!("{name}: its test {by} is skipped here")),
            Err(why) => report.failures.push(format!("mutant {name}: {why}")),
        }
    }
}

enum Verdict {
    Caught,
    /// Something that the test needs is missing on this machine.
    Skipped,
}

/// Where mutants are tried: everything that they need is built.
struct Bench<'a> {
    context: &'a Context,
    equipment: Equipment,
    target: PathBuf,
    wrapper: PathBuf,
    /// The program with all mutants in it, if torture is to catch any of those chosen.
    program: Option<PathBuf>,
}

impl<'a> Bench<'a> {
    /// Builds once what the chosen mutants need, and shows that torture passes without any of them.
    fn new(context: &'a Context, chosen: &[&Mutant]) -> Result<Self, String> {
        let target = context.target()?;
        let wrapper = wrapper::make(&target.join("mutants/wrapper"))?;
        let mut bench = Self {
            equipment: Equipment::gather(context),
            context,
            target,
            wrapper,
            program: None,
        };
        let tests: BTreeSet<_> = chosen.iter().filter_map(|m| m.by.target()).collect();
        for (package, file) in tests {
            let mut build = bench.mutated(bench.cargo_test(package, file));
            process::run(build.arg("--no-run"))
                .map_err(|why| format!("with all mutants {package} does not build: {why}"))?;
        }
        if chosen.iter().any(|m| m.by == Catcher::Torture) {
            let mut build = context.cargo("build");
            build.args(["--release", "--locked", "--bin", "sorthub"]);
            process::run(&mut bench.mutated(build))
                .map_err(|why| format!("with all mutants the program does not build: {why}"))?;
            let file = format!("mutants/release/sorthub{}", env::consts::EXE_SUFFIX);
            let program = bench.target.join(file);
            if tortured(&program, None)? {
                return Err("torture fails without any mutant: mend that first".into());
            }
            bench.program = Some(program);
        }
        Ok(bench)
    }

    fn verdict(&self, mutant: &Mutant) -> Result<Verdict, String> {
        match (&mutant.by, &self.program) {
            (Catcher::Test(test), _) => self.caught_by(&mutant.name, test),
            (Catcher::Torture, Some(program)) if tortured(program, Some(&mutant.name))? => {
                Ok(Verdict::Caught)
            }
            (Catcher::Torture, _) => Err(format!(
                "torture passes {} runs with it: an invariant or a fault is missing",
                TORTURE_PARTS.iter().sum::<u32>()
            )),
        }
    }

    /// Shows that the mutant's test passes without it and fails with it.
    fn caught_by(&self, name: &str, test: &TestName) -> Result<Verdict, String> {
        let TestName {
            package,
            file,
            test,
        } = test;
        let healthy = run_test(self.cargo_test(package, file.as_deref()), test);
        match healthy {
            Tally {
                passed: 1,
                failed: 0,
                ..
            } => {}
            Tally { skipped: 1, .. } => return Ok(Verdict::Skipped),
            Tally { failed: 0, .. } => {
                return Err(format!("there is no test `{test}`: mend {LIST}"));
            }
            _ => return Err(format!("{test} fails without the mutant: mend that first")),
        }
        let mut mutated = self.mutated(self.cargo_test(package, file.as_deref()));
        mutated.env(CHOSEN, name);
        match run_test(mutated, test) {
            Tally { failed: 1, .. } => Ok(Verdict::Caught),
            Tally { passed: 1, .. } => Err(format!(
                "{test} passes with it: sharpen the test, or name the one that fails"
            )),
            other => Err(format!(
                "{test} neither passed nor failed ({other}): run it by hand"
            )),
        }
    }

    /// `cargo test` for one test binary.
    fn cargo_test(&self, package: &str, file: Option<&str>) -> Command {
        let mut cargo = self.context.cargo("test");
        cargo.args(["--locked", "--package", package]);
        match file {
            Some(file) => cargo.args(["--test", file]),
            None => cargo.arg("--lib"),
        };
        // The shipped program is not the mutant: whole-program tests use what Cargo built for them.
        cargo
            .env_remove("SORTHUB_BIN")
            .env_remove(CHOSEN)
            .envs(&self.equipment.env);
        cargo
    }

    /// The same with all mutants compiled in. Programs go to a folder of their own, never over the
    /// ones that a person starts; what they are made from is shared, so that no dependency is built
    /// again.
    fn mutated(&self, mut cargo: Command) -> Command {
        cargo
            .env("RUSTC_WORKSPACE_WRAPPER", &self.wrapper)
            .env("CARGO_TARGET_DIR", self.target.join("mutants"))
            .env("CARGO_BUILD_BUILD_DIR", &self.target);
        cargo
    }
}

/// Whether torture finds something with this mutant, or without any.
fn tortured(program: &Path, name: Option<&str>) -> Result<bool, String> {
    let mut seed = 1;
    for runs in TORTURE_PARTS {
        let mut torture = Command::new(program);
        let (first, count) = (seed.to_string(), runs.to_string());
        torture.args(["torture", "--seed", &first, "--runs", &count, "--json"]);
        match name {
            Some(name) => torture.env(CHOSEN, name),
            None => torture.env_remove(CHOSEN),
        };
        let shown = process::shown(&torture);
        let output = process::capture(&mut torture)?;
        match output.status.code() {
            Some(0) => {}
            Some(1) => return Ok(true),
            // Bad arguments, a panic that nobody caught, a signal: not what torture says of a run.
            _ => return Err(format!("`{shown}` ended with {}", output.status)),
        }
        seed += runs;
    }
    Ok(false)
}

fn run_test(mut cargo: Command, test: &str) -> Tally {
    cargo.args(["--", "--exact", test]);
    let mut reader = Reader::default();
    // How it ended shows in the counts: none means that no test ran to an end.
    let _ = process::follow(&mut cargo, |line| reader.line(line));
    reader.finish().0
}
