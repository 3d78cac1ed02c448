//! The journal's file: SQLite with a write-ahead log, every commit on the disk before it counts.
//!
//! Tables: `runs`, one row a run, with what it ran under; `blocks`, the records, rows in order of
//! writing, the blocks of a run beside each other; `plans`, the plans that were handed to a running
//! sorter; `cuts`, what was cut off when a run was begun
//! after a damaged end. Numbers of 64 bits without sign are stored as the same bits with one.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use sorthub_core::units::Micros;

use super::block::{Block, BlockFault, FORMAT};
use super::crc32c::crc32c;
use super::{JournalError, RunHeader};

/// The journal's file in its directory.
pub const FILE_NAME: &str = "journal.db";

/// Held by whoever writes, for as long as it runs; the system lets go of it when the process dies.
const LOCK_NAME: &str = "journal.lock";

/// "sort" in ASCII: says to SQLite's tools, and to us, what the file is.
const APPLICATION_ID: u32 = 0x736f_7274;

/// Parcel ids have 24 bits for the run.
const RUN_EPOCH_MAX: u32 = (1 << 24) - 1;

/// How long a commit waits for another program that has locked the file, before it has failed.
const BUSY: Duration = Duration::from_millis(100);

const SCHEMA: &str = "
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,           -- the run epoch, from 1
    build TEXT NOT NULL,
    description TEXT NOT NULL,         -- hub and plan, canonical
    sorter INTEGER NOT NULL,           -- which of the hub
    plan_version INTEGER NOT NULL,
    clock_permille INTEGER NOT NULL,   -- speed of the sorter's clock against the wall clock
    started_unix_us INTEGER NOT NULL,
    first_block INTEGER NOT NULL,      -- its blocks have ids from here to the next run's
    crc INTEGER NOT NULL               -- CRC-32C of the rest (numbers little-endian)
) STRICT;
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,         -- one past the last
    records INTEGER NOT NULL,
    first_us INTEGER NOT NULL,         -- the sorter's time of the first call, and of the last
    last_us INTEGER NOT NULL,
    hash_after INTEGER NOT NULL,       -- rolling output hash after the last call
    crc INTEGER NOT NULL,              -- CRC-32C of run ... hash_after (little-endian) and bytes
    bytes BLOB NOT NULL
) STRICT;
CREATE TABLE plans (
    run INTEGER NOT NULL,
    version INTEGER NOT NULL,
    text TEXT NOT NULL,                -- canonical
    crc INTEGER NOT NULL,              -- CRC-32C of the rest (numbers little-endian)
    PRIMARY KEY (run, version)
) STRICT;
CREATE TABLE cuts (
    run INTEGER NOT NULL,              -- whose end was cut
    block INTEGER NOT NULL,            -- the row that was removed
    first_seq INTEGER NOT NULL,        -- the first record that is gone with it
    why TEXT NOT NULL,
    before_run INTEGER NOT NULL        -- the run that was begun then
) STRICT;
";

const BLOCK_COLUMNS: &str =
    "id, run, first_seq, next_seq, records, first_us, last_us, hash_after, crc, bytes";

/// A damaged end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The run.
    pub run: u32,
    /// The row of the table `blocks`.
    pub block: i64,
    /// The first record that is gone: the run is whole up to the one before.
    pub first_seq: u64,
    /// What was wrong.
    pub why: String,
}

impl std::fmt::Display for TornTail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "run {}: the last block (row {} of blocks) is damaged ({}): the run ends before record \
             {}",
            self.run, self.block, self.why, self.first_seq
        )
    }
}

/// The file, open for writing by us alone.
#[derive(Debug)]
pub(super) struct Store {
    file: PathBuf,
    conn: Connection,
    cut: Option<TornTail>,
    /// Given back when the store is dropped.
    _lock: File,
}

impl Store {
    /// Opens or makes the file, and cuts a torn tail.
    pub(super) fn open(
        dir: &Path,
        bytes_max: Option<u64>,
    ) -> Result<(Self, Option<TornTail>), JournalError> {
        let lock = lock(dir)?;
        let file = dir.join(FILE_NAME);
        let conn = connect(&file, bytes_max).map_err(|e| JournalError::of_store(&file, e))?;
        prepare(&file, &conn)?;
        sync_directory(dir)?;
        let mut store = Self {
            file,
            conn,
            cut: None,
            _lock: lock,
        };
        store.cut = store.torn_tail()?;
        let cut = store.cut.clone();
        Ok((store, cut))
    }

    /// The last run's last block, if it is damaged.
    fn torn_tail(&self) -> Result<Option<TornTail>, JournalError> {
        let last = last_run(&self.conn).map_err(|e| JournalError::of_store(&self.file, e))?;
        let Some((run, first_block)) = last else {
            return Ok(None);
        };
        let blocks = first_block..i64::MAX;
        visit_blocks(&self.file, &self.conn, run, blocks, |_| Ok(true))
    }

    /// Begins a run; durable when it returns. A torn tail is cut in the same commit.
    /// Its number is above `after`, and above those of all runs in the journal.
    pub(super) fn begin_run(
        &mut self,
        header: &RunHeader,
        after: u32,
    ) -> Result<u32, JournalError> {
        let file = self.file.clone();
        let failed = |e| JournalError::of_store(&file, e);
        let last = last_run(&self.conn).map_err(failed)?;
        let last = last.map_or(0, |(run, _)| run);
        let run = last.max(after).saturating_add(1);
        if run > RUN_EPOCH_MAX {
            return Err(JournalError::RunsUsedUp { file });
        }
        let cut = self.cut.take();
        let commit = self.conn.transaction().map_err(failed)?;
        write_run(&commit, run, header, cut.as_ref()).map_err(failed)?;
        commit.commit().map_err(failed)?;
        Ok(run)
    }

    /// Adds a block; durable when it returns.
    pub(super) fn append(&self, block: &Block) -> rusqlite::Result<()> {
        const SQL: &str = "INSERT INTO blocks
            (run, first_seq, next_seq, records, first_us, last_us, hash_after, crc, bytes)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        // One statement is one commit.
        self.conn.prepare_cached(SQL)?.execute(params![
            block.run,
            block.first_seq.cast_signed(),
            block.next_seq.cast_signed(),
            block.records,
            block.first.0.cast_signed(),
            block.last.0.cast_signed(),
            block.hash_after.cast_signed(),
            block.crc(),
            block.bytes,
        ])?;
        Ok(())
    }
}

impl Store {
    /// Keeps a plan's text; durable when it returns. The same version of a run is kept once: the
    /// newest text stands, and only one that was not yet activated is ever replaced. Gives the last
    /// run before in which another text had this version.
    pub(super) fn keep_plan(
        &self,
        run: u32,
        version: u32,
        text: &str,
    ) -> rusqlite::Result<Option<u32>> {
        const OTHER: &str =
            "SELECT max(run) FROM plans WHERE run < ?1 AND version = ?2 AND text <> ?3";
        const SQL: &str =
            "INSERT OR REPLACE INTO plans (run, version, text, crc) VALUES (?1, ?2, ?3, ?4)";
        let crc = plan_crc(run, version, text);
        self.conn.execute(SQL, params![run, version, text, crc])?;
        let other = params![run, version, text];
        self.conn.query_row(OTHER, other, |row| row.get(0))
    }
}

/// The checksum of a row of `plans`.
pub(super) fn plan_crc(run: u32, version: u32, text: &str) -> u32 {
    crc32c(&[&run.to_le_bytes(), &version.to_le_bytes(), text.as_bytes()])
}

fn lock(dir: &Path) -> Result<File, JournalError> {
    let failed = |source| JournalError::Directory {
        dir: dir.to_owned(),
        source,
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let lock = File::create(dir.join(LOCK_NAME)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse {
            dir: dir.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Makes the names of new files durable: SQLite does so for its log, but not for the database.
fn sync_directory(dir: &Path) -> Result<(), JournalError> {
    let failed = |source| JournalError::Directory {
        dir: dir.to_owned(),
        source,
    };
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(failed)
}

fn connect(file: &Path, bytes_max: Option<u64>) -> rusqlite::Result<Connection> {
    let conn = Connection::open(file)?;
    conn.busy_timeout(BUSY)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    if let Some(bytes_max) = bytes_max {
        let page: i64 = conn.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = (bytes_max / page.unsigned_abs().max(1)).clamp(1, u64::from(u32::MAX) - 1);
        conn.pragma_update_and_check(None, "max_page_count", pages.cast_signed(), |_| Ok(()))?;
    }
    Ok(conn)
}

/// Makes the tables of a new file; checks that an old one is ours.
fn prepare(file: &Path, conn: &Connection) -> Result<(), JournalError> {
    let failed = |e| JournalError::of_store(file, e);
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = conn
        .query_row(tables, [], |row| row.get(0))
        .map_err(failed)?;
    if tables == 0 {
        let make = format!(
            "BEGIN; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};
             {SCHEMA} COMMIT;"
        );
        return conn.execute_batch(&make).map_err(failed);
    }
    check_format(file, conn)
}

/// Whether the file is a journal that we can read.
pub(super) fn check_format(file: &Path, conn: &Connection) -> Result<(), JournalError> {
    let number = |pragma| {
        let told = conn.pragma_query_value(None, pragma, |row| row.get::<_, u32>(0));
        told.map_err(|e| JournalError::of_store(file, e))
    };
    if number("application_id")? != APPLICATION_ID {
        return Err(JournalError::NotAJournal {
            file: file.to_owned(),
        });
    }
    let found = number("user_version")?;
    if found != FORMAT {
        return Err(JournalError::Format {
            file: file.to_owned(),
            found,
        });
    }
    Ok(())
}

fn last_run(conn: &Connection) -> rusqlite::Result<Option<(u32, i64)>> {
    let sql = "SELECT run, first_block FROM runs ORDER BY run DESC LIMIT 1";
    conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn write_run(
    conn: &Connection,
    run: u32,
    header: &RunHeader,
    cut: Option<&TornTail>,
) -> rusqlite::Result<()> {
    if let Some(cut) = cut {
        conn.execute("DELETE FROM blocks WHERE id = ?1", [cut.block])?;
        conn.execute(
            "INSERT INTO cuts (run, block, first_seq, why, before_run)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                cut.run,
                cut.block,
                cut.first_seq.cast_signed(),
                cut.why,
                run
            ],
        )?;
    }
    let first_block = last_block(conn)? + 1;
    conn.execute(
        "INSERT INTO runs (run, build, description, sorter, plan_version, clock_permille,
             started_unix_us, first_block, crc)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            run,
            header.build,
            header.description,
            header.sorter,
            header.plan_version,
            header.clock_permille,
            header.started_unix_us.cast_signed(),
            first_block,
            run_crc(run, header, first_block),
        ],
    )?;
    Ok(())
}

/// The checksum of a row of `runs`.
pub(super) fn run_crc(run: u32, header: &RunHeader, first_block: i64) -> u32 {
    crc32c(&[
        &run.to_le_bytes(),
        header.build.as_bytes(),
        header.description.as_bytes(),
        &header.sorter.to_le_bytes(),
        &header.plan_version.to_le_bytes(),
        &header.clock_permille.to_le_bytes(),
        &header.started_unix_us.to_le_bytes(),
        &first_block.to_le_bytes(),
    ])
}

/// Walks through a run's blocks in order, checking each and that they follow each other, until
/// `visit` gives false. If the damaged one is the last of the whole file it is a torn tail, and
/// the walk ends before it; damage elsewhere is an error.
pub(super) fn visit_blocks(
    file: &Path,
    conn: &Connection,
    run: u32,
    ids: std::ops::Range<i64>,
    mut visit: impl FnMut(&Block) -> Result<bool, BlockFault>,
) -> Result<Option<TornTail>, JournalError> {
    let failed = |e| JournalError::of_store(file, e);
    let sql = format!("SELECT {BLOCK_COLUMNS} FROM blocks WHERE id >= ?1 AND id < ?2 ORDER BY id");
    let mut statement = conn.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([ids.start, ids.end]).map_err(failed)?;
    let mut block = Block::new(run, 1);
    while let Some(row) = rows.next().map_err(failed)? {
        let expected = block.next_seq;
        let (id, crc) = read_block(row, &mut block).map_err(failed)?;
        let checked = check(&block, crc, run, expected).and_then(|()| visit(&block));
        match checked {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(fault) => {
                let last = last_block(conn).map_err(failed)?;
                let at_end = ids.end == i64::MAX && id == last;
                return torn_or_damaged(file, at_end, run, id, expected, fault).map(Some);
            }
        }
    }
    Ok(None)
}

/// Reads a row into `block`; gives its id and checksum.
fn read_block(row: &Row<'_>, block: &mut Block) -> rusqlite::Result<(i64, u32)> {
    let unsigned = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    block.run = row.get(1)?;
    block.first_seq = unsigned(2)?;
    block.next_seq = unsigned(3)?;
    block.records = row.get(4)?;
    block.first = Micros(unsigned(5)?);
    block.last = Micros(unsigned(6)?);
    block.hash_after = unsigned(7)?;
    block.bytes.clear();
    block.bytes.extend_from_slice(row.get_ref(9)?.as_blob()?);
    Ok((row.get(0)?, row.get(8)?))
}

fn check(block: &Block, crc: u32, run: u32, expected: u64) -> Result<(), BlockFault> {
    if block.crc() != crc || block.run != run {
        return Err(BlockFault::Checksum);
    }
    if block.first_seq != expected {
        return Err(BlockFault::Order {
            found: block.first_seq,
            expected,
        });
    }
    Ok(())
}

fn last_block(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("SELECT coalesce(max(id), 0) FROM blocks", [], |row| {
        row.get(0)
    })
}

fn torn_or_damaged(
    file: &Path,
    at_end: bool,
    run: u32,
    block: i64,
    first_seq: u64,
    fault: BlockFault,
) -> Result<TornTail, JournalError> {
    // Only bytes that differ can be a write that was torn; a whole block in the wrong place, or
    // one that says other things than it was made of, was not torn but tampered with or misread.
    if at_end && fault == BlockFault::Checksum {
        return Ok(TornTail {
            run,
            block,
            first_seq,
            why: fault.to_string(),
        });
    }
    let place = format!("row {block} of blocks (run {run}, record {first_seq})");
    Err(JournalError::Damaged {
        file: file.to_owned(),
        place,
        what: fault.to_string(),
    })
}
