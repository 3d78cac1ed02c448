//! A store that is slow, locked or full: sorting goes on, and what is missing has a name.

use sorthub::journal::{CloseError, Counts, Journal, Options, Recorder};
use sorthub::replay::{self, End, replay};
use std::time::Duration;

use crate::world::{Dir, World, record, wait_until};

const VERIFY: replay::Options = replay::Options {
    verify: true,
    run: None,
};

/// Short waits, so that the tests are quick.
fn options() -> Options {
    Options {
        retry: Duration::from_millis(5),
        close_patience: Duration::from_millis(300),
        ..Options::default()
    }
}

fn start(dir: &Dir, options: Options) -> (World, Recorder) {
    let world = World::new(1, 1);
    let journal = Journal::open(dir.path(), &world.header(), options).expect("nothing is damaged");
    (world, journal.start().expect("there is a thread"))
}

/// Steps the world into the journal until `done`; gives the last sequence number.
fn step_until(
    world: &mut World,
    recorder: &mut Recorder,
    mut done: impl FnMut(&Recorder) -> bool,
) -> u64 {
    let mut last = 0;
    wait_until("the journal has come to where it should", || {
        world.step(&mut |said| last = record(recorder, said));
        recorder.wake();
        done(recorder)
    });
    last
}

fn counts(recorder: &Recorder) -> Counts {
    recorder.watch().counts()
}

#[test]
fn a_locked_file_delays_records_but_loses_none() {
    let dir = Dir::new();
    let (mut world, mut recorder) = start(&dir, options());
    let other = dir.connect();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let watch = recorder.watch();
    let last = step_until(&mut world, &mut recorder, |_| watch.is_failing());
    assert!(watch.durable_seq() < last);
    assert!(
        watch.may_acknowledge(last),
        "the hub must not stop because the disk has"
    );
    assert!(watch.last_error().unwrap().contains("locked"));

    other.execute_batch("ROLLBACK").unwrap();
    wait_until("the writer has caught up", || watch.durable_seq() == last);
    wait_until("the alarm is over", || !watch.is_failing());
    let counts = recorder.close(world.sorter.digest()).unwrap();
    assert!(counts.failed_commits > 0);
    assert_eq!((counts.gaps, counts.missing), (0, 0));
    let reports = replay(dir.path(), VERIFY).unwrap();
    assert_eq!((reports[0].records, &reports[0].end), (last, &End::Closed));
}

#[test]
fn a_full_queue_makes_a_named_gap_and_the_journal_goes_on() {
    let dir = Dir::new();
    let (mut world, mut recorder) = start(
        &dir,
        Options {
            queue_slots: 64,
            ..options()
        },
    );
    // Some records in good order first.
    let whole = step_until(&mut world, &mut recorder, |r| r.durable_seq() > 20);
    wait_until("the good ones are durable", || {
        recorder.durable_seq() == whole
    });

    let other = dir.connect();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    step_until(&mut world, &mut recorder, |r| counts(r).missing > 100);
    let in_gap = counts(&recorder);
    assert_eq!(
        in_gap.gaps, 1,
        "one gap, not one for each record that found no room"
    );

    other.execute_batch("ROLLBACK").unwrap();
    // Until the gap has an end; then everything is recorded again.
    step_until(&mut world, &mut recorder, |r| {
        r.durable_seq() > in_gap.missing + whole + 200
    });
    let last = step_until(&mut world, &mut recorder, |_| true);
    let counts = recorder.close(world.sorter.digest()).unwrap();

    let reports = replay(dir.path(), VERIFY).unwrap();
    let End::Gap {
        first,
        count,
        after,
    } = reports[0].end
    else {
        panic!("there is a gap: {:?}", reports[0].end)
    };
    assert!(!reports[0].is_good());
    assert!(first > whole && count > 100);
    assert_eq!(
        reports[0].records,
        first - 1,
        "everything before the gap is verified"
    );
    assert_eq!(
        counts.records + counts.missing,
        last,
        "recorded or named as missing"
    );
    assert_eq!(counts.records, first - 1 + after);
    assert!(counts.missing >= count);
}

#[test]
fn a_call_larger_than_the_queue_is_a_gap() {
    let dir = Dir::new();
    let (mut world, mut recorder) = start(
        &dir,
        Options {
            queue_slots: 2,
            ..options()
        },
    );
    // A scanned parcel needs four slots.
    step_until(&mut world, &mut recorder, |r| {
        counts(r).gaps > 0 && r.durable_seq() > 100
    });
    drop(recorder);
    assert!(matches!(
        replay(dir.path(), VERIFY).unwrap()[0].end,
        End::Gap { .. }
    ));
}

#[test]
fn a_full_disk_is_an_alarm_and_what_was_durable_stays() {
    let dir = Dir::new();
    let bytes_max = Some(256 * 1024);
    let (mut world, mut recorder) = start(
        &dir,
        Options {
            bytes_max,
            ..options()
        },
    );
    let watch = recorder.watch();
    let last = step_until(&mut world, &mut recorder, |_| watch.is_failing());
    assert!(watch.last_error().unwrap().contains("full"));
    let durable = watch.durable_seq();
    assert!(durable > 0 && durable < last);

    let error = recorder.close(world.sorter.digest()).unwrap_err();
    let CloseError::Unsaved {
        first,
        records,
        why,
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((first, records), (durable + 1, last - durable));
    assert!(why.contains("full"), "{why}");
    let reports = replay(dir.path(), VERIFY).unwrap();
    assert_eq!((reports[0].records, &reports[0].end), (durable, &End::Open));
    assert!(std::fs::metadata(dir.file()).unwrap().len() <= 256 * 1024);
}

#[test]
fn a_run_after_a_full_disk_begins_where_there_is_room() {
    let dir = Dir::new();
    let bytes_max = Some(256 * 1024);
    let limited = Options {
        bytes_max,
        ..options()
    };
    let (mut world, mut recorder) = start(&dir, limited);
    let watch = recorder.watch();
    step_until(&mut world, &mut recorder, |_| watch.is_failing());
    drop(recorder);

    let (_, mut recorder) = start(&dir, options());
    let mut world = World::new(recorder.run_epoch(), 2);
    for _ in 0..200 {
        world.step(&mut |said| _ = record(&mut recorder, said));
    }
    recorder.close(world.sorter.digest()).unwrap();
    let reports = replay(dir.path(), VERIFY).unwrap();
    let ends: Vec<(u32, End)> = reports.into_iter().map(|r| (r.run, r.end)).collect();
    assert_eq!(ends, [(1, End::Open), (2, End::Closed)]);
}
