//! The command line: one file for each command.
//!
//! A command reads its input, calls the library, prints, and ends with one of the exit codes of
//! [`Exit`]. What it found out goes to standard output, everything else to standard error.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::operator::of_parser;

/// As the standard library's, for all commands, but without its panic: a log that nobody reads any
/// more, or for which there is no room, must not end an engine.
macro_rules! eprintln {
    () => { $crate::cli::tell(format_args!("\n")) };
    ($($text:tt)+) => { $crate::cli::tell(format_args!("{}\n", format_args!($($text)+))) };
}

/// The same without the end of the line.
macro_rules! eprint {
    ($($text:tt)+) => { $crate::cli::tell(format_args!($($text)+)) };
}

pub mod check;
pub mod ctl;
pub mod demo;
pub mod duration;
pub mod emulate;
mod former;
pub mod identify;
pub mod input;
pub mod plan;
pub mod replay;
pub mod run;
pub mod signals;
pub mod simulate;
pub mod torture;

/// The control engine of a parcel sorting hub, with a simulator that runs the same decisions.
#[derive(Debug, Parser)]
#[command(name = "sorthub", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Run(run::RunArgs),
    Emulate(emulate::EmulateArgs),
    Check(check::CheckArgs),
    Plan(plan::PlanArgs),
    Identify(identify::IdentifyArgs),
    Simulate(simulate::SimulateArgs),
    Ctl(ctl::CtlArgs),
    Torture(torture::TortureArgs),
    /// Run a journal through the sorter again.
    Replay(replay::ReplayArgs),
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done,
    /// It ran and found something wrong: lost parcels, a replay that differs, a broken invariant.
    Wrong,
    /// Arguments or input are faulty; a message has named the file, the place and the mend.
    BadInput,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Wrong => Self::from(1),
            Exit::BadInput => Self::from(2),
        }
    }
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    log_to_standard_error();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for and go to standard output; all else is an error.
            let bad = error.use_stderr();
            if bad && is_ctl_for_a_program() {
                return ended(ctl::fail(true, &of_parser(&error)).into());
            }
            let printed = error.print();
            if !bad {
                note_print(printed);
            }
            return ended(if bad { Exit::BadInput } else { Exit::Done }.into());
        }
    };
    ended(obey(cli.command))
}

/// What a process ends with: whatever a command found, nobody has read it if it was not written.
fn ended(code: ExitCode) -> ExitCode {
    if UNWRITTEN.load(Ordering::Relaxed) {
        return Exit::BadInput.into();
    }
    code
}

fn obey(command: Command) -> ExitCode {
    match command {
        Command::Demo(args) => demo::run(&args).into(),
        Command::Run(args) => run::run(&args).into(),
        Command::Emulate(args) => emulate::run(&args).into(),
        Command::Check(args) => check::run(&args).into(),
        Command::Plan(args) => plan::run(&args).into(),
        Command::Identify(args) => identify::run(&args).into(),
        Command::Simulate(args) => simulate::run(&args).into(),
        Command::Ctl(args) => ctl::run(&args).into(),
        Command::Torture(args) => torture::run(&args).into(),
        Command::Replay(args) => replay::run(&args),
    }
}

/// Whether whoever has started us reads the answer of `ctl` as JSON, also if the rest of what was
/// said is not understood.
fn is_ctl_for_a_program() -> bool {
    let mut args = std::env::args_os().skip(1);
    args.next().is_some_and(|command| command == "ctl") && args.any(|arg| arg == "--json")
}

/// Logs go to standard error, as much as `RUST_LOG` asks for; by default warnings and up, and who
/// has changed what by hand.
fn log_to_standard_error() {
    let usual = || {
        let audit = "audit=info".parse().expect("a target and a level");
        EnvFilter::default()
            .add_directive(LevelFilter::WARN.into())
            .add_directive(audit)
    };
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into());
    let filter = match filter.try_from_env() {
        Ok(filter) => filter,
        Err(error) => {
            if std::env::var_os(EnvFilter::DEFAULT_ENV).is_some() {
                eprintln!("RUST_LOG is not understood: {error}; logging warnings and up");
            }
            usual()
        }
    };
    // A second subscriber can only come from a test that runs two commands in one process.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // That a line of the log cannot be written, it would tell by a panic of the thread.
        .log_internal_errors(false)
        // Colours only where somebody sees them.
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// Whether a result could not be written. It is of the process, as standard output is.
static UNWRITTEN: AtomicBool = AtomicBool::new(false);

/// Prints a result. A reader that has gone away (`| head`) is no fault of ours; where it cannot be
/// written for another reason, such as a full disk, that is told once, and the command ends with
/// [`Exit::BadInput`].
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    note_print(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

fn note_print(printed: io::Result<()>) {
    if let Err(error) = printed
        && error.kind() != ErrorKind::BrokenPipe
        && !UNWRITTEN.swap(true, Ordering::Relaxed)
    {
        eprintln!("standard output cannot be written: {error}; make room, or send it elsewhere");
    }
}

/// Writes to standard error. There is nobody to tell if even that cannot be written.
fn tell(text: fmt::Arguments<'_>) {
    let _ = io::stderr().write_fmt(text);
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_declarations_of_all_commands_fit_together() {
        Cli::command().debug_assert();
    }
}
