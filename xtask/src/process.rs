//! Starts other programs and reads what they print.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};

/// The command as a person would type it: its program without the folder.
pub(crate) fn shown(command: &Command) -> String {
    let program = command.get_program();
    let program = Path::new(program).file_name().unwrap_or(program);
    let words = [program].into_iter().chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs to the end with the terminal as its output.
///
/// # Errors
/// The command and how it ended, if not well.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("   $ {}", shown(command));
    let status = command.stdin(Stdio::null()).status();
    ended(command, status)
}

/// Runs to the end and returns its standard output as text; its errors go to the terminal.
///
/// # Errors
/// The command and how it ended, if not well.
pub(crate) fn read(command: &mut Command) -> Result<String, String> {
    let output = capture(command.stderr(Stdio::inherit()))?;
    ended(command, Ok(output.status))?;
    String::from_utf8(output.stdout).map_err(|_| format!("`{}` printed no text", shown(command)))
}

/// Runs to the end and returns all it printed, whatever its exit status.
///
/// # Errors
/// The command, if it could not be started.
pub(crate) fn capture(command: &mut Command) -> Result<Output, String> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped());
    let child = command.spawn();
    let child = child.map_err(|why| format!("`{}` did not start: {why}", shown(command)))?;
    child
        .wait_with_output()
        .map_err(|why| format!("`{}` was lost: {why}", shown(command)))
}

/// Runs to the end, passing each line of its output and errors on to the terminal and to `each`.
/// Both go through one pipe, so that lines come in the order in which they were written.
///
/// # Errors
/// The command and how it ended, if not well.
pub(crate) fn follow(command: &mut Command, mut each: impl FnMut(&str)) -> Result<(), String> {
    println!("   $ {}", shown(command));
    let status = (|| {
        let (reader, writer) = io::pipe()?;
        command
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let mut child = command.spawn()?;
        // The command holds the pipe's other ends: while they are open, reading never ends.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut lines = BufReader::new(reader);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            io::stdout().write_all(text.as_bytes())?;
            each(text.trim_end());
            line.clear();
        }
        child.wait()
    })();
    ended(command, status)
}

fn ended(command: &Command, status: io::Result<ExitStatus>) -> Result<(), String> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` ended with {status}", shown(command))),
        Err(why) => Err(format!("`{}` did not run: {why}", shown(command))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_errors_are_followed_in_order() {
        let mut seen = Vec::new();
        let script = "echo one; echo two >&2; echo three; exit 3";
        let ended = follow(&mut shell(script), |line| seen.push(line.to_owned()));
        assert_eq!(seen, ["one", "two", "three"]);
        assert!(
            ended
                .expect_err("the script exits with 3")
                .contains("exit status: 3")
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let message = run(&mut Command::new("no-such-program-here")).expect_err("not installed");
        assert!(message.contains("no-such-program-here"), "{message}");
    }
}
