//! Reading a journal, also one that an engine is writing at the moment, without changing it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row};

use super::block::{Block, BlockFault};
use super::store::{self, FILE_NAME, TornTail};
use super::{JournalError, RunHeader};

/// A journal open for reading.
#[derive(Debug)]
pub struct Reader {
    file: PathBuf,
    conn: Connection,
}

/// A run, as the journal tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// Its epoch.
    pub run: u32,
    /// What it ran under.
    pub header: RunHeader,
    /// What was cut off its end when the next run was begun.
    pub cut: Option<TornTail>,
    /// Rows of the table `blocks`, up to where the next run's begin.
    blocks: std::ops::Range<i64>,
}

/// How the reading of a run's blocks ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Every block was whole, or the visitor had enough.
    Whole,
    /// The last block is damaged and was left out; the next start of an engine cuts it.
    Torn(TornTail),
}

impl Reader {
    /// Opens the journal in a directory.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let file = dir.join(FILE_NAME);
        if !file.is_file() {
            return Err(JournalError::Missing { file });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&file, flags);
        let conn = conn.map_err(|e| JournalError::of_store(&file, e))?;
        store::check_format(&file, &conn)?;
        Ok(Self { file, conn })
    }

    /// Every run, the oldest first.
    ///
    /// # Errors
    /// See [`JournalError`]; a run whose header is damaged makes the whole journal damaged.
    pub fn runs(&self) -> Result<Vec<RunInfo>, JournalError> {
        let failed = |e| JournalError::of_store(&self.file, e);
        let sql = "SELECT r.run, build, description, plan_version, clock_permille,
                started_unix_us, first_block, crc, c.block, c.first_seq, c.why, sorter
            FROM runs r LEFT JOIN cuts c ON c.run = r.run ORDER BY r.run";
        let mut statement = self.conn.prepare(sql).map_err(failed)?;
        let rows = statement.query_map([], run_of_row).map_err(failed)?;
        let mut runs: Vec<RunInfo> = Vec::new();
        for row in rows {
            let (info, crc) = row.map_err(failed)?;
            if store::run_crc(info.run, &info.header, info.blocks.start) != crc {
                return Err(JournalError::Damaged {
                    file: self.file.clone(),
                    place: format!("row {} of runs", info.run),
                    what: "the checksum does not match".to_owned(),
                });
            }
            if let Some(before) = runs.last_mut() {
                before.blocks.end = info.blocks.start;
            }
            runs.push(info);
        }
        Ok(runs)
    }

    /// One run.
    ///
    /// # Errors
    /// [`JournalError::NoRun`], which names the runs that there are; and those of
    /// [`Reader::runs`].
    pub fn run(&self, run: u32) -> Result<RunInfo, JournalError> {
        let runs = self.runs()?;
        let held = match (runs.first(), runs.last()) {
            (Some(first), Some(last)) => format!("runs {} to {}", first.run, last.run),
            _ => "none".to_owned(),
        };
        let found = runs.into_iter().find(|info| info.run == run);
        found.ok_or_else(|| JournalError::NoRun {
            file: self.file.clone(),
            run,
            held,
        })
    }

    /// The text of a plan that was handed to a run's sorter; `None` if the run had none of this
    /// version.
    ///
    /// # Errors
    /// See [`JournalError`]; [`JournalError::Damaged`] if it is not what was written.
    pub fn plan(&self, run: u32, version: u32) -> Result<Option<String>, JournalError> {
        let failed = |e| JournalError::of_store(&self.file, e);
        let sql = "SELECT text, crc FROM plans WHERE run = ?1 AND version = ?2";
        let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?));
        let row = self.conn.query_row(sql, [run, version], read).optional();
        let Some((text, crc)) = row.map_err(failed)? else {
            return Ok(None);
        };
        if store::plan_crc(run, version, &text) != crc {
            return Err(JournalError::Damaged {
                file: self.file.clone(),
                place: format!("version {version} of plans (run {run})"),
                what: "the checksum does not match".to_owned(),
            });
        }
        Ok(Some(text))
    }

    /// Walks through a run's blocks in order until `visit` gives false or a fault. Each block is
    /// checked before it is given.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] where a block that is not the last is damaged, or where `visit`
    /// says so; see [`JournalError`] for the others.
    pub fn visit(
        &self,
        run: &RunInfo,
        visit: impl FnMut(&Block) -> Result<bool, BlockFault>,
    ) -> Result<Tail, JournalError> {
        let ids = run.blocks.clone();
        let torn = store::visit_blocks(&self.file, &self.conn, run.run, ids, visit)?;
        Ok(torn.map_or(Tail::Whole, Tail::Torn))
    }
}

fn run_of_row(row: &Row<'_>) -> rusqlite::Result<(RunInfo, u32)> {
    let run = row.get(0)?;
    let header = RunHeader {
        build: row.get(1)?,
        description: row.get(2)?,
        sorter: row.get(11)?,
        plan_version: row.get(3)?,
        clock_permille: row.get(4)?,
        started_unix_us: row.get::<_, i64>(5)?.cast_unsigned(),
    };
    let cut = match row.get::<_, Option<i64>>(8)? {
        Some(block) => {
            let first_seq = row.get::<_, i64>(9)?.cast_unsigned();
            Some(TornTail {
                run,
                block,
                first_seq,
                why: row.get(10)?,
            })
        }
        None => None,
    };
    let blocks = row.get(6)?..i64::MAX;
    Ok((
        RunInfo {
            run,
            header,
            cut,
            blocks,
        },
        row.get(7)?,
    ))
}
