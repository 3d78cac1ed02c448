//! Every ready file in `config/` and `examples/` goes through the shipped `sorthub check`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process;
use crate::report::Report;
use crate::steps::Context;

const FOLDERS: [&str; 2] = ["config", "examples"];
/// What `check` reads. Notes beside them and example programs are not its business.
const KINDS: [&str; 2] = ["toml", "csv"];

/// A file that no reader accepts: not the syntax, and no content that could be meant.
const FAULTY: &str = "[[hub\nthis is = = no sample\n";

/// Checks all files in one call, as a person would, and one faulty file for control.
pub(crate) fn check(context: &Context) -> Report {
    let files = match samples(&context.root) {
        Ok(files) if files.is_empty() => {
            return Report::skipped("there is no sample in config/ or examples/");
        }
        Ok(files) => files,
        Err(why) => return Report::of(Err(why)),
    };
    let program = match context.program() {
        Ok(program) => program,
        Err(why) => return Report::of(Err(why)),
    };
    let mut failures = Vec::new();
    failures.extend(refuses_a_faulty_file(context, &program).err());
    let mut check = Command::new(program);
    failures.extend(process::run(check.arg("check").args(files).current_dir(&context.root)).err());
    Report {
        failures,
        ..Report::default()
    }
}

/// A `check` that accepts everything would make this step worthless.
fn refuses_a_faulty_file(context: &Context, program: &Path) -> Result<(), String> {
    let file = context.target()?.join("faulty-sample.toml");
    fs::write(&file, FAULTY).map_err(|why| format!("{}: {why}", file.display()))?;
    let mut check = Command::new(program);
    let output = process::capture(check.arg("check").arg(&file).stderr(Stdio::piped()))?;
    let message = String::from_utf8_lossy(&output.stderr);
    if output.status.code() != Some(2) || !message.contains("faulty-sample.toml") {
        return Err(format!(
            "`sorthub check` on a faulty file must exit with 2 and name the file, but ended with \
             {} and said: {message}",
            output.status
        ));
    }
    Ok(())
}

/// The samples, as paths from the root, in order of name.
fn samples(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    folders.retain(|folder| folder.is_dir());
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.map_err(|why| format!("{}: {why}", folder.display()))?;
        for path in entries.into_iter().map(|entry| entry.path()) {
            let kind = path.extension().and_then(|ext| ext.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if kind.is_some_and(|kind| KINDS.contains(&kind)) {
                found.push(
                    path.strip_prefix(root)
                        .map_or(path.clone(), Path::to_path_buf),
                );
            }
        }
    }
    found.sort();
    Ok(found)
}
