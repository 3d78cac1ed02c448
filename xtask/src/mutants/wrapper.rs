//! The copy of this program that Cargo starts in place of rustc.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::process;

/// The file name of the copy, without the system's ending.
const WRAPPER: &str = "rustc-with-mutants";

/// Whether this program was started as the wrapper.
pub(crate) fn is_wrapper(program: Option<&OsStr>) -> bool {
    let file = program.and_then(|program| Path::new(program).file_stem());
    file == Some(OsStr::new(WRAPPER))
}

/// Stands in for rustc: `wrapper RUSTC ARGS...` runs `RUSTC ARGS... --cfg mutant`.
pub(crate) fn run_as_wrapper() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let Some(rustc) = args.next() else {
        eprintln!("this copy of xtask stands in for rustc: it is started by cargo");
        return ExitCode::from(2);
    };
    let mut rustc = Command::new(rustc);
    rustc.args(args).args(["--cfg", "mutant"]);
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

/// A copy of this program under the wrapper's name. One that is there already is renewed only if
/// it differs, since Cargo builds everything again behind a wrapper that is newer.
///
/// # Errors
/// The folder, and why the copy could not be made there.
pub(super) fn make(folder: &Path) -> Result<PathBuf, String> {
    let failed = |why: std::io::Error| format!("{}: {why}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    let copy = folder.join(format!("{WRAPPER}{}", env::consts::EXE_SUFFIX));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wrapper_takes_itself_for_one() {
        assert!(is_wrapper(Some(OsStr::new("target/rustc-with-mutants"))));
        assert!(!is_wrapper(Some(OsStr::new("target/debug/xtask"))));
        assert!(!is_wrapper(None));
    }
}
