//! Replay: the same calls say the same, and the first that does not is named.

use rusqlite::params;
use sorthub::journal::block::{Block, Item};
use sorthub::replay::{self, Difference, End, RunReport, What, replay};
use sorthub_core::ids::ChuteId;
use sorthub_core::signal::{Output, Signal};
use sorthub_core::units::Micros;

use crate::world::{Dir, Said, write_run};

const VERIFY: replay::Options = replay::Options {
    verify: true,
    run: None,
};

fn verify(dir: &Dir) -> RunReport {
    replay(dir.path(), VERIFY)
        .expect("the journal can be read")
        .remove(0)
}

fn difference(dir: &Dir) -> Difference {
    match verify(dir).end {
        End::Differs(difference) => *difference,
        end => panic!("the change was not seen: {end:?}"),
    }
}

/// Writes the run again with every call as `change` leaves it, checksums right: what a build with
/// other rules would have recorded.
fn rewrite(dir: &Dir, mut change: impl FnMut(u64, &mut Said), digest: impl Fn(u64) -> u64) {
    let conn = dir.connect();
    let mut rows = conn
        .prepare("SELECT id, first_seq, next_seq, bytes FROM blocks")
        .expect("the journal is whole");
    let rows: Vec<(i64, i64, i64, Vec<u8>)> = rows
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .expect("the journal is whole")
        .map(|row| row.expect("the journal is whole"))
        .collect();
    for (id, first_seq, next_seq, bytes) in rows {
        let mut old = Block::new(1, first_seq as u64);
        (old.next_seq, old.bytes) = (next_seq as u64, bytes);
        let mut new = Block::new(1, first_seq as u64);
        let mut items = old.items();
        let mut outputs = Vec::new();
        while let Some(item) = items.next(&mut outputs).expect("the journal is whole") {
            match item {
                Item::Call(call) => {
                    let (now, signal) = (call.now, call.signal);
                    let outputs = outputs.clone();
                    let mut said = Said {
                        now,
                        signal,
                        outputs,
                        hash_after: call.hash_after,
                    };
                    change(call.seq, &mut said);
                    new.call(said.now, &said.signal, &said.outputs, said.hash_after);
                }
                Item::Text { code, text } => new.text(code, text),
                Item::Note { ticket, text } => new.note(ticket, text),
                Item::Staged { version } => new.staged(version),
                Item::Gap { count, .. } => new.gap(count),
                Item::Close { digest: old } => new.close(digest(old)),
            }
        }
        let row = params![
            id,
            new.first.0 as i64,
            new.last.0 as i64,
            new.hash_after as i64,
            new.crc(),
            new.bytes
        ];
        conn.execute(
            "UPDATE blocks SET first_us = ?2, last_us = ?3, hash_after = ?4, crc = ?5, bytes = ?6
             WHERE id = ?1",
            row,
        )
        .expect("the journal is whole");
    }
}

fn same(digest: u64) -> u64 {
    digest
}

/// The sequence number of the nth call for which `is` holds.
fn seq_of(calls: &[Said], nth: usize, is: impl Fn(&Said) -> bool) -> u64 {
    let found = calls
        .iter()
        .enumerate()
        .filter(|(_, said)| is(said))
        .nth(nth);
    found.expect("the world has such a call").0 as u64 + 1
}

fn diverts(said: &Said) -> bool {
    said.outputs
        .iter()
        .any(|output| matches!(output, Output::Divert(_)))
}

#[test]
fn a_closed_run_comes_out_again() {
    let dir = Dir::new();
    let (world, calls) = write_run(dir.path(), 1, 2_000);
    let report = verify(&dir);
    assert_eq!(report.end, End::Closed);
    assert!(report.is_good());
    assert_eq!(report.records, calls.len() as u64);
    assert_eq!(
        report.outputs,
        calls
            .iter()
            .map(|said| said.outputs.len() as u64)
            .sum::<u64>()
    );
    assert_eq!(&report.books, world.sorter.books());
    assert_eq!(report.digest, world.sorter.digest());
    assert_eq!(report.span, (calls[0].now, calls[calls.len() - 1].now));
    // It was a run worth replaying.
    assert!(report.books.balance());
    assert!(report.books.sorted > 200 && report.books.recirculated > 10);
    assert!(report.books.silent_scans > 0);
}

#[test]
fn an_unchanged_rewrite_is_the_same_run() {
    let dir = Dir::new();
    write_run(dir.path(), 1, 300);
    rewrite(&dir, |_, _| {}, same);
    assert_eq!(verify(&dir).end, End::Closed);
}

#[test]
fn another_chute_is_named_with_both_answers() {
    let dir = Dir::new();
    let (_, calls) = write_run(dir.path(), 2, 600);
    let changed = seq_of(&calls, 40, diverts);
    let to_reject = |seq: u64, said: &mut Said| {
        // Every order from there on; the first is the one to be named.
        if seq >= changed {
            for output in &mut said.outputs {
                if let Output::Divert(order) = output {
                    order.chutes[0] = Some(ChuteId(3));
                }
            }
        }
    };
    rewrite(&dir, to_reject, same);
    let found = difference(&dir);
    let said = &calls[changed as usize - 1];
    assert_eq!((found.seq, found.now), (changed, said.now));
    assert!(
        found.signal.starts_with("TOP read code "),
        "{}",
        found.signal
    );
    let What::Outputs { recorded, replayed } = found.what else {
        panic!("{:?}", found.what)
    };
    let recorded = recorded.join("\n");
    let replayed = replayed.join("\n");
    assert!(
        recorded.contains("divert to REJECT, else lap"),
        "{recorded}"
    );
    let before_it = |text: &str| {
        text.contains("divert to A1")
            || text.contains("divert to B1")
            || text.contains("divert to C1")
    };
    assert!(before_it(&replayed), "{replayed}");
    assert_eq!(verify(&dir).records, changed - 1);
}

#[test]
fn outputs_left_out_or_added_are_named() {
    let dir = Dir::new();
    let (_, calls) = write_run(dir.path(), 3, 200);
    let changed = seq_of(&calls, 5, |said| !said.outputs.is_empty());
    rewrite(
        &dir,
        |seq, said| {
            if seq == changed {
                said.outputs.clear()
            }
        },
        same,
    );
    let found = difference(&dir);
    assert_eq!(found.seq, changed);
    assert!(matches!(found.what, What::Outputs { recorded, .. } if recorded.is_empty()));

    let dir = Dir::new();
    let (_, calls) = write_run(dir.path(), 3, 200);
    let extra = calls
        .iter()
        .find_map(|said| said.outputs.first().copied())
        .unwrap();
    let changed = seq_of(&calls, 5, |said| said.outputs.is_empty());
    rewrite(
        &dir,
        |seq, said| {
            if seq == changed {
                said.outputs.push(extra)
            }
        },
        same,
    );
    let found = difference(&dir);
    assert_eq!(found.seq, changed);
    assert!(matches!(found.what, What::Outputs { replayed, .. } if replayed.is_empty()));
}

#[test]
fn another_rolling_hash_or_digest_is_named() {
    let dir = Dir::new();
    let (_, calls) = write_run(dir.path(), 4, 200);
    rewrite(
        &dir,
        |seq, said| {
            if seq == 77 {
                said.hash_after ^= 1
            }
        },
        same,
    );
    let found = difference(&dir);
    assert_eq!(found.seq, 77);
    assert!(matches!(found.what, What::Hash { recorded, replayed } if recorded == replayed ^ 1));

    let dir = Dir::new();
    write_run(dir.path(), 4, 200);
    rewrite(&dir, |_, _| {}, |digest| digest ^ 1);
    let found = difference(&dir);
    assert_eq!(found.seq, calls.len() as u64);
    assert!(matches!(found.what, What::Digest { recorded, replayed } if recorded == replayed ^ 1));
}

#[test]
fn a_sorter_that_stops_is_named_at_its_call() {
    let dir = Dir::new();
    let (_, calls) = write_run(dir.path(), 5, 200);
    let changed = calls.len() as u64 / 2;
    rewrite(
        &dir,
        |seq, said| {
            if seq == changed {
                said.now = Micros(0)
            }
        },
        same,
    );
    let found = difference(&dir);
    assert_eq!(found.seq, changed);
    assert!(matches!(found.what, What::Stopped { why } if why.contains("time went back")));
}

#[test]
fn without_verify_a_difference_does_not_matter() {
    let dir = Dir::new();
    let (world, calls) = write_run(dir.path(), 6, 200);
    rewrite(&dir, |_, said| said.outputs.clear(), |digest| digest ^ 1);
    let options = replay::Options {
        verify: false,
        run: Some(1),
    };
    let report = replay(dir.path(), options).unwrap().remove(0);
    assert_eq!(
        (report.end, report.records),
        (End::Closed, calls.len() as u64)
    );
    assert_eq!(&report.books, world.sorter.books());
}

#[test]
fn runs_are_replayed_one_by_one() {
    let dir = Dir::new();
    let worlds: Vec<_> = (1..=3)
        .map(|seed| write_run(dir.path(), seed, 100).0)
        .collect();
    let reports = replay(dir.path(), VERIFY).unwrap();
    assert_eq!(
        reports.iter().map(|report| report.run).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    for (report, world) in reports.iter().zip(&worlds) {
        assert_eq!(
            (&report.end, &report.books),
            (&End::Closed, world.sorter.books())
        );
    }
    let second = replay(
        dir.path(),
        replay::Options {
            run: Some(2),
            ..VERIFY
        },
    )
    .unwrap();
    assert_eq!(second.len(), 1);
    assert_eq!(
        (second[0].run, second[0].digest),
        (2, worlds[1].sorter.digest())
    );
    assert!(
        replay(
            dir.path(),
            replay::Options {
                run: Some(9),
                ..VERIFY
            }
        )
        .is_err()
    );
}

#[test]
fn a_signal_about_an_unknown_device_is_still_put_in_words() {
    let dir = Dir::new();
    let (_, calls) = write_run(dir.path(), 7, 100);
    let changed = seq_of(&calls, 0, |said| {
        matches!(said.signal, Signal::Discharged { .. })
    });
    let elsewhere = |seq: u64, said: &mut Said| {
        if let Signal::Discharged { chute, .. } = &mut said.signal
            && seq == changed
        {
            *chute = ChuteId(999);
        }
    };
    rewrite(&dir, elsewhere, same);
    let found = difference(&dir);
    assert_eq!(found.seq, changed);
    assert!(
        found.signal.contains("chute 999 (not in this hub)"),
        "{}",
        found.signal
    );
}
