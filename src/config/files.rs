//! Files that a hub file or a plan names: where they are looked for.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::fault::{Fault, FaultKind, TextFault};
use super::reader::Value;
use super::source::Source;

/// Where the files are that a text names.
#[derive(Clone, Debug)]
pub enum Files {
    /// Nowhere: only the text itself was given.
    None,
    /// In this folder: names are relative to it.
    In(PathBuf),
    /// In memory, under the names that faults will give.
    Given(Vec<Source>),
}

impl Files {
    /// The folder that a file lies in.
    #[must_use]
    pub fn beside(path: &Path) -> Self {
        Self::In(path.parent().map_or_else(PathBuf::new, Path::to_path_buf))
    }

    /// The same for a file that is named in one of these.
    pub(super) fn beside_named(&self, name: &str) -> Self {
        match self {
            Self::In(folder) => Self::beside(&folder.join(name)),
            other => other.clone(),
        }
    }

    /// Reads a file that is named.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn open(&self, name: &str, most_mb: u64) -> Result<Source, OpenError> {
        let missing = |problem: &str| Err(OpenError::Missing(problem.to_owned()));
        match self {
            Self::In(folder) => Source::read(&folder.join(name), most_mb).map_err(|faults| {
                let problem = faults.iter().find_map(|fault| match &fault.kind {
                    FaultKind::Text(TextFault::Unreadable { problem }) => Some(problem.clone()),
                    FaultKind::Text(TextFault::TooLarge { most_mb }) => {
                        Some(format!("it is larger than {most_mb} MB"))
                    }
                    _ => None,
                });
                problem.map_or(OpenError::NotText(faults), OpenError::Missing)
            }),
            Self::Given(sources) => match sources.iter().find(|source| source.name() == name) {
                Some(source) => Ok(source.clone()),
                None => missing("it was not given"),
            },
            Self::None => missing("only one text was given, and no folder"),
        }
    }
}

/// Opens a file that a value names; reports why not.
pub(super) fn open_named(name: Value<'_>, files: &Files, most_mb: u64) -> Option<Rc<Source>> {
    let file = name.text()?;
    match files.open(file, most_mb) {
        Ok(source) => Some(Rc::new(source)),
        Err(OpenError::Missing(problem)) => {
            let file = file.to_owned();
            name.fault(TextFault::FileUnreadable { file, problem });
            None
        }
        Err(OpenError::NotText(faults)) => {
            name.faults.add_foreign(faults);
            None
        }
    }
}

/// Why a file that is named cannot be used.
#[derive(Debug)]
enum OpenError {
    /// There is none: to be told where it is named.
    Missing(String),
    /// It is no text: told at the place in it.
    NotText(Vec<Fault>),
}
