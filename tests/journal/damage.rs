//! A damaged end is cut and named; damage elsewhere is refused; nothing panics.

use proptest::prelude::*;
use rusqlite::params;
use sorthub::journal::{Journal, JournalError, Options};
use sorthub::replay::{self, End, ReplayError, replay};

use crate::world::{Dir, World, write_run};

const VERIFY: replay::Options = replay::Options {
    verify: true,
    run: None,
};

fn open(dir: &Dir) -> Result<Journal, JournalError> {
    Journal::open(dir.path(), &World::new(1, 1).header(), Options::default())
}

fn refusal(dir: &Dir) -> (String, String) {
    let open = open(dir).expect_err("opening is refused").to_string();
    let replay = replay(dir.path(), VERIFY)
        .expect_err("replay is refused")
        .to_string();
    (open, replay)
}

/// Id and first record of the last block.
fn last_block(dir: &Dir) -> (i64, i64) {
    let sql = "SELECT id, first_seq FROM blocks ORDER BY id DESC LIMIT 1";
    let row = dir
        .connect()
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
    row.expect("there are blocks")
}

#[test]
fn a_half_last_block_is_cut_and_named() {
    let dir = Dir::new();
    write_run(dir.path(), 1, 200);
    let (block, first) = last_block(&dir);
    dir.connect()
        .execute(
            "UPDATE blocks SET bytes = substr(bytes, 1, length(bytes) / 2) WHERE id = ?1",
            [block],
        )
        .unwrap();

    // Replay reads, and says so; it changes nothing.
    let torn = End::Torn {
        first: first as u64,
        why: "the checksum does not match".to_owned(),
    };
    for _ in 0..2 {
        let reports = replay(dir.path(), VERIFY).unwrap();
        assert_eq!(reports[0].end, torn);
        assert_eq!(reports[0].records, first as u64 - 1);
    }
    // The next start cuts it and says so, once.
    let journal = open(&dir).unwrap();
    let cut = journal.cut().expect("the tail was torn").clone();
    assert_eq!(
        (cut.run, cut.block, cut.first_seq),
        (1, block, first as u64)
    );
    assert_eq!(
        cut.to_string(),
        format!(
            "run 1: the last block (row {block} of blocks) is damaged (the checksum does not \
             match): the run ends before record {first}"
        )
    );
    drop(journal);
    assert!(open(&dir).unwrap().cut().is_none());
    // The file remembers it, and later runs are not touched by it.
    write_run(dir.path(), 2, 50);
    let reports = replay(dir.path(), VERIFY).unwrap();
    assert_eq!(reports[0].end, torn);
    assert_eq!(
        reports.last().map(|run| (run.run, &run.end)),
        Some((4, &End::Closed))
    );
}

#[test]
fn a_flipped_byte_in_the_middle_is_refused_with_its_place() {
    let dir = Dir::new();
    write_run(dir.path(), 1, 200);
    let conn = dir.connect();
    let sql = "SELECT id, first_seq, bytes FROM blocks ORDER BY id LIMIT 1 OFFSET 1";
    let (id, first, mut bytes): (i64, i64, Vec<u8>) = conn
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    conn.execute(
        "UPDATE blocks SET bytes = ?1 WHERE id = ?2",
        params![bytes, id],
    )
    .unwrap();
    drop(conn);
    let (open, replay) = refusal(&dir);
    let expected = format!(
        "{}: row {id} of blocks (run 1, record {first}): the checksum does not match; restore the \
         file from a copy, or keep it aside and begin a new journal in another directory",
        dir.file().display()
    );
    assert_eq!(open, expected);
    assert_eq!(replay, expected);
}

#[test]
fn a_missing_block_is_refused() {
    let dir = Dir::new();
    write_run(dir.path(), 1, 200);
    let deleted = "DELETE FROM blocks WHERE id = (SELECT min(id) + 1 FROM blocks)";
    assert_eq!(dir.connect().execute(deleted, []).unwrap(), 1);
    let (open, replay) = refusal(&dir);
    assert!(open.contains("expected was"), "{open}");
    assert_eq!(open, replay);
}

#[test]
fn a_changed_header_is_refused() {
    let dir = Dir::new();
    write_run(dir.path(), 1, 5);
    let changed = "UPDATE runs SET description = replace(description, 'A1', 'A2')";
    assert_eq!(dir.connect().execute(changed, []).unwrap(), 1);
    let error = replay(dir.path(), VERIFY).unwrap_err().to_string();
    assert!(
        error.contains("row 1 of runs: the checksum does not match"),
        "{error}"
    );
}

#[test]
fn a_hub_that_this_build_cannot_read_is_refused() {
    let dir = Dir::new();
    let mut header = World::new(1, 1).header();
    header.description = "{}".to_owned();
    drop(Journal::open(dir.path(), &header, Options::default()).unwrap());
    let error = replay(dir.path(), VERIFY).unwrap_err();
    assert!(matches!(error, ReplayError::Description { run: 1, .. }));
    assert!(error.to_string().starts_with("run 1: "), "{error}");
}

#[test]
fn other_files_are_refused() {
    let dir = Dir::new();
    let error = replay(dir.path(), VERIFY).unwrap_err();
    assert!(
        error.to_string().contains("there is no journal here"),
        "{error}"
    );

    std::fs::create_dir_all(dir.path()).unwrap();
    std::fs::write(
        dir.file(),
        "not a database, but long enough to have a header".repeat(9),
    )
    .unwrap();
    assert!(refusal(&dir).0.contains("this is not a journal"));

    std::fs::remove_file(dir.file()).unwrap();
    dir.connect().execute("CREATE TABLE other (x)", []).unwrap();
    assert!(refusal(&dir).0.contains("this is not a journal"));

    std::fs::remove_file(dir.file()).unwrap();
    write_run(dir.path(), 1, 5);
    dir.connect()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(
        refusal(&dir)
            .0
            .contains("written in journal format 99, this program knows 2")
    );
}

#[test]
fn a_directory_that_is_a_file_is_refused() {
    let dir = Dir::new();
    std::fs::create_dir_all(dir.path()).unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let opened = Journal::open(&file, &World::new(1, 1).header(), Options::default());
    assert!(matches!(opened, Err(JournalError::Directory { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens to the file, replay either refuses it, or finds a true beginning of the
    /// run, or does not notice because the damage is in free space: it never panics and never
    /// blames the sorter.
    #[test]
    fn any_damage_to_the_file_is_survived(
        wounds in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4),
        keep in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let dir = Dir::new();
        let (_, calls) = write_run(dir.path(), 1, 60);
        let mut bytes = std::fs::read(dir.file()).unwrap();
        for (at, flip) in &wounds {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        std::fs::write(dir.file(), bytes).unwrap();
        if let Ok(reports) = replay(dir.path(), VERIFY) {
            for report in reports {
                prop_assert!(report.records <= calls.len() as u64);
                prop_assert!(report.is_good(), "{:?}", report.end);
            }
        }
        let _ = open(&dir);
    }
}
