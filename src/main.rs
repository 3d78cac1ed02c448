//! The `sorthub` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    sorthub::cli::main()
}
