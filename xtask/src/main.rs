//! The repository's own commands: `cargo xtask test` and `cargo xtask mutants`.
//!
//! Everything the project asks of a change is one list of steps (`steps.rs`), run by one command,
//! on a developer's machine and in CI alike. A step never stops the ones after it: what failed is
//! listed once more at the end.

mod equipment;
mod licences;
mod mutants;
mod process;
mod purity;
mod report;
mod samples;
mod spdx;
mod steps;
mod tally;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::steps::{Context, STEPS};

const USAGE: &str = "\
usage: cargo xtask test [--only STEP]... [--list]
       cargo xtask mutants [NAME]...

  test       every check of the project; --only runs the named steps, --list names them
  mutants    switch on each kept mutant of tests/mutants.toml and demand that it is caught

  --root DIR     work on the workspace in DIR instead of this one
";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
enum Request {
    List,
    Test { only: Vec<String> },
    Mutants { names: Vec<String> },
}

fn main() -> ExitCode {
    // Cargo starts a copy of this program in place of rustc while it builds the mutants.
    if mutants::is_wrapper(env::args_os().next().as_deref()) {
        return mutants::run_as_wrapper();
    }
    let (request, root) = match parse(env::args().skip(1)) {
        Ok(parsed) => parsed,
        Err(message) => {
            eprintln!("{message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let context = Context::new(&root.unwrap_or_else(workspace_root));
    let good = match request {
        Request::List => {
            for step in STEPS {
                println!("{:10} {}", step.name, step.what);
            }
            return ExitCode::SUCCESS;
        }
        Request::Test { only } => steps::run(&context, &only),
        Request::Mutants { names } => steps::run_mutants(&context, &names),
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The folder above this package: `cargo run` says where that is.
fn workspace_root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<(Request, Option<PathBuf>), String> {
    let command = args.next().ok_or("a command is missing")?;
    let (mut root, mut list, mut only, mut names) = (None, false, Vec::new(), Vec::new());
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match (command.as_str(), arg.as_str()) {
            (_, "--root") => root = Some(PathBuf::from(value()?)),
            ("test", "--list") => list = true,
            ("test", "--only") => only.push(known_step(value()?)?),
            ("mutants", name) if !name.starts_with('-') => names.push(arg),
            _ => return Err(format!("`{arg}` is not known to `{command}`")),
        }
    }
    let request = match command.as_str() {
        "test" if list => Request::List,
        "test" => Request::Test { only },
        "mutants" => Request::Mutants { names },
        _ => return Err(format!("`{command}` is not a command")),
    };
    Ok((request, root))
}

fn known_step(name: String) -> Result<String, String> {
    if STEPS.iter().any(|step| step.name == name) {
        return Ok(name);
    }
    let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
    Err(format!(
        "no step is named `{name}`; the steps are {}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, String> {
        parse(line.split_whitespace().map(str::to_owned)).map(|(request, _)| request)
    }

    #[test]
    fn only_and_names_may_be_repeated() {
        let only = vec!["fmt".to_owned(), "doc".to_owned()];
        assert_eq!(
            parsed("test --only fmt --only doc"),
            Ok(Request::Test { only })
        );
        let names = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(parsed("mutants a b"), Ok(Request::Mutants { names }));
        assert_eq!(parsed("test --list"), Ok(Request::List));
    }

    #[test]
    fn a_wrong_word_is_named_in_the_answer() {
        for (line, word) in [
            ("test --only fnt", "fnt"),
            ("test --only", "--only"),
            ("test extra", "extra"),
            ("mutants --all", "--all"),
            ("tset", "tset"),
        ] {
            let message = parsed(line).expect_err(line);
            assert!(message.contains(word), "{line}: {message}");
        }
    }
}
