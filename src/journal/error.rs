//! What can be wrong with a journal, and what to do about it.

use std::path::PathBuf;

/// Why a journal cannot be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The directory cannot be made or used.
    #[error("{}: {source}; name a directory that can be written to", dir.display())]
    Directory {
        /// Which.
        dir: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another engine writes to it.
    #[error(
        "{}: another engine writes to this journal; stop it, or name another directory",
        dir.display()
    )]
    InUse {
        /// Which directory.
        dir: PathBuf,
    },
    /// There is no journal to read.
    #[error("{}: there is no journal here; name a directory given to --journal", file.display())]
    Missing {
        /// The file that is not there.
        file: PathBuf,
    },
    /// The file is something else.
    #[error(
        "{}: this is not a journal; name a directory given to --journal, or move the file away",
        file.display()
    )]
    NotAJournal {
        /// Which file.
        file: PathBuf,
    },
    /// It was written in another format.
    #[error(
        "{}: written in journal format {found}, this program knows {}; read it with the program \
         that wrote it, and begin a new journal in another directory",
        file.display(), super::block::FORMAT
    )]
    Format {
        /// Which file.
        file: PathBuf,
        /// Its format.
        found: u32,
    },
    /// It is damaged elsewhere than at its end, so nothing in it can be relied on.
    #[error(
        "{}: {place}: {what}; restore the file from a copy, or keep it aside and begin a new \
         journal in another directory", file.display()
    )]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// Which row of which table.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// There is no such run.
    #[error("{}: there is no run {run}; it holds {held}", file.display())]
    NoRun {
        /// Which file.
        file: PathBuf,
        /// The run asked for.
        run: u32,
        /// The runs that there are, in words.
        held: String,
    },
    /// No run epochs are left: parcel ids would repeat.
    #[error("{}: all run epochs are used up; begin a new journal in another directory",
        file.display())]
    RunsUsedUp {
        /// Which file.
        file: PathBuf,
    },
    /// The store failed otherwise.
    #[error("{}: {source}; check the disk and who may write to it", file.display())]
    Store {
        /// Which file.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The system gave no thread.
    #[error("no thread for the journal: {0}; free memory or raise the limit of threads")]
    Thread(std::io::Error),
}

/// Why a close could not save everything.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// The store failed to the end; the journal stops before these records.
    #[error(
        "the journal ends before record {first}: {records} records could not be written \
        ({why}); free the disk and begin a new run"
    )]
    Unsaved {
        /// The first record that is missing.
        first: u64,
        /// How many are.
        records: u64,
        /// What the store said last.
        why: String,
    },
    /// The writer's thread has panicked; the journal ends where it stopped.
    #[error("the journal's thread has stopped by a fault; it is whole up to record {durable}")]
    Stopped {
        /// The last record on disk.
        durable: u64,
    },
}

impl JournalError {
    /// What SQLite said about a file, as what it means for a journal.
    pub(super) fn of_store(file: &std::path::Path, source: rusqlite::Error) -> Self {
        use rusqlite::{Error, ErrorCode};
        let file = file.to_owned();
        // A value that does not fit its column is damage that SQLite itself did not see.
        if let Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::FromSqlConversionFailure(..)
        | Error::Utf8Error(..) = source
        {
            let place = "a value in a table".to_owned();
            return Self::Damaged {
                file,
                place,
                what: source.to_string(),
            };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotAJournal { file },
            Some(ErrorCode::DatabaseCorrupt) => {
                let place = "the database's own pages".to_owned();
                Self::Damaged {
                    file,
                    place,
                    what: source.to_string(),
                }
            }
            _ => Self::Store { file, source },
        }
    }
}
