//! The steps of `cargo xtask test`, in the order in which they run: cheap ones first.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::equipment::Equipment;
use crate::report::{Finished, Report, Run};
use crate::tally::Reader;
use crate::{licences, mutants, process, purity, samples};

/// One step: a name for `--only`, what it asks, and how it finds out.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    run: fn(&Context) -> Report,
}

/// Every step.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        what: "the code is formatted",
        run: fmt,
    },
    Step {
        name: "licences",
        what: "every dependency has an accepted licence",
        run: licences::check,
    },
    Step {
        name: "clippy",
        what: "no warning in any target of the workspace",
        run: clippy,
    },
    Step {
        name: "doc",
        what: "the documentation builds without a warning",
        run: doc,
    },
    Step {
        name: "purity",
        what: "core/ needs no OS; core/ and sim/ keep to their rooms",
        run: purity::check,
    },
    Step {
        name: "release",
        what: "the program builds as it is shipped",
        run: release,
    },
    Step {
        name: "tests",
        what: "all tests of the workspace",
        run: tests,
    },
    Step {
        name: "samples",
        what: "every file of config/ and examples/ passes `sorthub check`",
        run: samples::check,
    },
    Step {
        name: "torture",
        what: "2000 seeded runs under faults break no invariant",
        run: torture,
    },
    Step {
        name: "benches",
        what: "every bench builds and runs one short round",
        run: benches,
    },
    Step {
        name: "mutants",
        what: "each kept mutant is caught by its test or by torture",
        run: |context| mutants::check(context, &[]),
    },
];

/// Where the workspace is and how its tools are called.
pub(crate) struct Context {
    pub(crate) root: PathBuf,
    /// `CI=true`: what is missing is a failure.
    pub(crate) ci: bool,
}

impl Context {
    /// For the workspace in `root`.
    pub(crate) fn new(root: &Path) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        Self {
            root,
            ci: env::var("CI").is_ok_and(|value| value == "true"),
        }
    }

    /// `cargo COMMAND` in the workspace, by the same toolchain that runs this program.
    pub(crate) fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg(command).current_dir(&self.root);
        // Left by `cargo run` for this package; a build script that watches them would run again.
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_PKG_") {
                cargo.env_remove(name);
            }
        }
        cargo
            .env_remove("CARGO_MANIFEST_DIR")
            .env_remove("CARGO_MANIFEST_PATH");
        cargo
    }

    /// What Cargo knows of the workspace's own packages.
    ///
    /// # Errors
    /// What `cargo metadata` complained of.
    pub(crate) fn metadata(&self) -> Result<Value, String> {
        let mut metadata = self.cargo("metadata");
        let text = process::read(metadata.args(["--no-deps", "--format-version", "1"]))?;
        serde_json::from_str(&text).map_err(|why| format!("cargo metadata: {why}"))
    }

    /// The workspace's target folder, wherever the environment puts it.
    ///
    /// # Errors
    /// As for [`Context::metadata`].
    pub(crate) fn target(&self) -> Result<PathBuf, String> {
        let metadata = self.metadata()?;
        let target = metadata["target_directory"].as_str();
        target
            .map(PathBuf::from)
            .ok_or_else(|| "cargo metadata: no target folder".to_owned())
    }

    /// Builds the program as it is shipped (nothing to do if it is fresh) and says where it is.
    ///
    /// # Errors
    /// That it did not build.
    pub(crate) fn program(&self) -> Result<PathBuf, String> {
        process::run(self.cargo("build").args(["--release", "--locked"]))?;
        Ok(self
            .target()?
            .join("release")
            .join(format!("sorthub{}", env::consts::EXE_SUFFIX)))
    }
}

/// Runs the named steps, or all if none is named, and prints what they found. True: all is well.
pub(crate) fn run(context: &Context, only: &[String]) -> bool {
    let chosen = STEPS
        .iter()
        .filter(|step| only.is_empty() || only.iter().any(|n| n == step.name));
    finish(
        context,
        chosen
            .map(|step| timed(step.name, step.what, || (step.run)(context)))
            .collect(),
    )
}

/// Runs the kept mutants of these names, or all, and prints what was found. True: all is well.
pub(crate) fn run_mutants(context: &Context, names: &[String]) -> bool {
    let what = "each kept mutant is caught by its test or by torture";
    finish(
        context,
        vec![timed("mutants", what, || mutants::check(context, names))],
    )
}

fn timed(name: &'static str, what: &str, step: impl FnOnce() -> Report) -> Finished {
    println!("\n== {name}: {what}");
    let start = Instant::now();
    let report = step();
    let took = start.elapsed();
    for line in report.failures.iter().chain(&report.skips) {
        println!("   ! {line}");
    }
    println!("== {name}: {:.1} s", took.as_secs_f64());
    Finished { name, took, report }
}

fn finish(context: &Context, steps: Vec<Finished>) -> bool {
    let run = Run {
        steps,
        ci: context.ci,
    };
    let printed = run.print(&mut io::stdout().lock());
    printed.is_ok() && run.failures().is_empty()
}

fn fmt(context: &Context) -> Report {
    let checked = process::run(context.cargo("fmt").args(["--all", "--check"]));
    Report::of(checked.map_err(|why| format!("{why}: run `cargo fmt --all`")))
}

fn clippy(context: &Context) -> Report {
    let mut clippy = context.cargo("clippy");
    clippy.args([
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "--deny",
        "warnings",
    ]);
    Report::of(process::run(&mut clippy))
}

fn doc(context: &Context) -> Report {
    let mut doc = context.cargo("doc");
    doc.args([
        "--workspace",
        "--no-deps",
        "--locked",
        "--document-private-items",
    ]);
    Report::of(process::run(doc.env("RUSTDOCFLAGS", "--deny warnings")))
}

fn release(context: &Context) -> Report {
    Report::of(context.program().map(drop))
}

fn tests(context: &Context) -> Report {
    let equipment = Equipment::gather(context);
    let mut test = context.cargo("test");
    test.args(["--workspace", "--locked", "--no-fail-fast"])
        .envs(&equipment.env);
    // Whole-program tests try what is shipped. If that does not build, which is a failure of its
    // own, they run with the build that Cargo makes for them.
    match context.program() {
        Ok(program) => test.env("SORTHUB_BIN", program),
        Err(_) => test.env_remove("SORTHUB_BIN"),
    };
    let mut reader = Reader::default();
    let ended = process::follow(&mut test, |line| reader.line(line));
    let (tests, mut failures) = reader.finish();
    if let Err(why) = ended
        && failures.is_empty()
    {
        failures.push(why);
    }
    if tests.ran() == 0 {
        failures.push("not one test ran".to_owned());
    }
    Report {
        failures,
        skips: equipment.missing,
        tests,
    }
}

/// Runs of torture in one go; the first of them also try the kept mutants.
const TORTURE_RUNS: &str = "2000";

fn torture(context: &Context) -> Report {
    let tried = context.program().and_then(|program| {
        process::run(Command::new(program).args(["torture", "--seed", "1", "--runs", TORTURE_RUNS]))
    });
    Report::of(tried)
}

/// In the tests' profile, since a bench that starts is all that is asked here: the release
/// profile would link each of them with link-time optimisation.
fn benches(context: &Context) -> Report {
    let metadata = match context.metadata() {
        Ok(metadata) => metadata,
        Err(why) => return Report::of(Err(why)),
    };
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut targets = packages
        .filter_map(|package| package["targets"].as_array())
        .flatten();
    // `--bench` with a pattern that fits none is an error to Cargo.
    if !targets.any(|target| target["kind"][0] == "bench") {
        return Report::skipped("no package has a bench");
    }
    let mut bench = context.cargo("test");
    Report::of(process::run(bench.args([
        "--workspace",
        "--locked",
        "--bench",
        "*",
    ])))
}
