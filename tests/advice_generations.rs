//! Generations of the directory: what readers see and when, what is freed and by whom, and that a
//! reading thread neither waits nor touches the memory allocator.

#[path = "../core/tests/common/counting.rs"]
mod counting;

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use counting::calls;
use sorthub::advice::{Generations, Loaded, Options, Reader, Refused, load};
use sorthub_core::directory::{AdviseError, Directory};
use sorthub_core::facts::{Advice, DestKey};
use sorthub_core::limits::RECENT_ADVICES_MAX;

/// A table in which each of some waybills goes to one destination.
fn table(dest: u64, waybills: u64) -> Result<Loaded, Refused> {
    let rows = (0..waybills).map(|nth| format!("W{nth},{dest}\n"));
    let text = format!("waybill,destination\n{}", String::from_iter(rows));
    load("table.csv", &mut Cursor::new(text), &Options::default())
}

fn to(dest: u64) -> Advice {
    Advice {
        known: true,
        dest: DestKey::of(&dest.to_string()),
        ..Advice::default()
    }
}

/// What a reader knows of a waybill, after it has looked for a newer generation.
fn ask(reader: &mut Reader, waybill: &str) -> Option<DestKey> {
    reader.refresh();
    reader.directory().dest(waybill)
}

fn dest(dest: u64) -> Option<DestKey> {
    Some(to(dest).dest)
}

#[test]
fn a_reader_sees_a_new_generation_when_it_looks_for_it() {
    let generations = Generations::new(Directory::new());
    let (mut early, mut late) = (generations.reader(), generations.reader());
    generations.load(|| table(1, 10)).expect("it has no fault");
    assert_eq!(early.directory().dest("W3"), None, "it has not looked");
    assert_eq!(ask(&mut early, "W3"), dest(1));
    assert!(!early.refresh(), "there is nothing newer");
    generations.load(|| table(2, 10)).expect("it has no fault");
    generations.load(|| table(3, 5)).expect("it has no fault");
    assert_eq!(
        ask(&mut late, "W3"),
        dest(3),
        "the one in between is of no interest"
    );
    assert_eq!(
        ask(&mut late, "W7"),
        None,
        "a table replaces the one before as a whole"
    );
    assert_eq!(ask(&mut early, "W3"), dest(3));
    assert_eq!(
        ask(&mut generations.reader(), "W3"),
        dest(3),
        "one that comes later"
    );
}

#[test]
fn a_bad_file_leaves_everything_as_it_is() {
    let generations = Generations::new(Directory::new());
    let mut reader = generations.reader();
    generations.load(|| table(1, 10)).expect("it has no fault");
    generations.advise("W4", to(7)).expect("there is room");
    assert_eq!(ask(&mut reader, "W4"), dest(7));
    let text = "waybill,destination\nW1,2\n,2\n";
    let bad = || load("bad.csv", &mut Cursor::new(text), &Options::default());
    let refused = generations.load(bad).expect_err("a row has no waybill");
    assert_eq!(refused.faults.len(), 1);
    assert!(!reader.refresh(), "there is no new generation");
    assert_eq!(ask(&mut reader, "W1"), dest(1));
    assert_eq!(ask(&mut reader, "W4"), dest(7));
}

#[test]
fn old_generations_are_freed_once_no_reader_has_them() {
    let generations = Generations::new(Directory::new());
    let (mut busy, mut idle) = (generations.reader(), generations.reader());
    generations.load(|| table(1, 10)).expect("it has no fault");
    busy.refresh();
    idle.refresh();
    let first = Arc::downgrade(generations.current().waybills());
    generations.load(|| table(2, 10)).expect("it has no fault");
    generations.load(|| table(3, 10)).expect("it has no fault");
    busy.refresh();
    assert_eq!(generations.sweep(), 1, "one is read, one was never fetched");
    assert!(first.upgrade().is_some(), "the idle reader still has it");
    assert_eq!(idle.directory().dest("W3"), dest(1));
    idle.refresh();
    assert!(first.upgrade().is_some(), "a reader frees nothing");
    assert_eq!(generations.sweep(), 0);
    assert!(first.upgrade().is_none());
    drop(idle);
    generations.load(|| table(4, 10)).expect("it has no fault");
    busy.refresh();
    assert_eq!(
        generations.sweep(),
        0,
        "a reader that is gone keeps nothing"
    );
}

#[test]
fn what_is_said_while_a_file_is_read_outlives_it() {
    let generations = Generations::new(Directory::new());
    let mut reader = generations.reader();
    generations.load(|| table(1, 10)).expect("it has no fault");
    generations.advise("W1", to(7)).expect("there is room");
    generations.advise("W2", to(7)).expect("there is room");
    generations.withdraw("W3").expect("there is room");
    let report = generations.load(|| {
        generations.advise("W2", to(8)).expect("there is room");
        generations.withdraw("W5").expect("there is room");
        assert_eq!(ask(&mut reader, "W2"), dest(8), "it holds at once");
        table(2, 10)
    });
    assert_eq!(report.expect("it has no fault").waybills, 10);
    assert_eq!(ask(&mut reader, "W1"), dest(2), "the file is newer");
    assert_eq!(ask(&mut reader, "W2"), dest(8));
    assert_eq!(ask(&mut reader, "W3"), dest(2));
    assert_eq!(ask(&mut reader, "W5"), None);
}

#[test]
fn many_single_advices_are_folded_into_the_table() {
    let generations = Generations::new(Directory::new());
    let mut reader = generations.reader();
    generations.load(|| table(1, 10)).expect("it has no fault");
    generations.withdraw("W3").expect("there is room");
    let many = RECENT_ADVICES_MAX as u64 + 10;
    for nth in 0..many {
        generations
            .advise(&format!("X{nth}"), to(nth % 5))
            .expect("they are folded");
    }
    let table = generations.current();
    assert_eq!(table.waybills().len(), 9 + RECENT_ADVICES_MAX - 1);
    assert_eq!(table.recent(), 11);
    assert_eq!(ask(&mut reader, "W3"), None);
    for nth in 0..many {
        assert_eq!(ask(&mut reader, &format!("X{nth}")), dest(nth % 5));
    }
}

#[test]
fn while_a_file_is_read_only_so_many_single_advices_are_taken() {
    let generations = Generations::new(Directory::new());
    generations.advise("BEFORE", to(1)).expect("there is room");
    let report = generations.load(|| {
        // One makes room, because it was said before; the others must stay apart.
        for nth in 0..RECENT_ADVICES_MAX {
            generations
                .advise(&format!("X{nth}"), to(2))
                .expect("there is room");
        }
        let full = generations.advise("ONE MORE", to(2));
        assert_eq!(full, Err(AdviseError::Full));
        table(3, 10)
    });
    report.expect("it has no fault");
    let mut reader = generations.reader();
    assert_eq!(
        ask(&mut reader, "BEFORE"),
        None,
        "the file does not have it"
    );
    assert_eq!(ask(&mut reader, "X7"), dest(2));
    generations
        .advise("ONE MORE", to(2))
        .expect("now it is folded");
    assert_eq!(ask(&mut reader, "ONE MORE"), dest(2));
    assert_eq!(ask(&mut reader, "X7"), dest(2));
}

#[test]
fn prefixes_stay_when_tables_are_replaced() {
    let generations = Generations::new(Directory::new());
    generations.change(|directory| directory.set_prefixes([("W".to_owned(), to(9).dest)]));
    generations.load(|| table(1, 2)).expect("it has no fault");
    let mut reader = generations.reader();
    assert_eq!(
        (ask(&mut reader, "W1"), ask(&mut reader, "W2")),
        (dest(1), dest(9))
    );
}

/// Looks a few waybills up until it is told to stop. All of them must be of one generation, and
/// none older than the one before. Returns the last one and the calls of the allocator.
fn read_on(
    mut reader: Reader,
    stop: &AtomicBool,
    names: &[String],
    dests: &[DestKey],
) -> (usize, u64) {
    let before = calls();
    let mut last = 0;
    loop {
        // Before the look, so that the last look is at the last generation.
        let is_last = stop.load(Ordering::Acquire);
        reader.refresh();
        let directory = reader.directory();
        let first = directory.advice(&names[0]).dest;
        let generation = dests
            .iter()
            .position(|dest| *dest == first)
            .expect("one of them");
        assert!(
            generation >= last,
            "an older generation came after a newer one"
        );
        last = generation;
        for name in names {
            assert_eq!(
                directory.advice(name).dest,
                first,
                "two generations in one look"
            );
        }
        if is_last {
            return (last, calls() - before);
        }
    }
}

#[test]
fn readers_neither_allocate_nor_free_while_generations_come_and_go() {
    const GENERATIONS: u64 = 60;
    let generations = Generations::new(Directory::new());
    generations.load(|| table(0, 500)).expect("it has no fault");
    let stop = AtomicBool::new(false);
    let names = Vec::from_iter((0..500).step_by(50).map(|nth| format!("W{nth}")));
    let dests = Vec::from_iter((0..=GENERATIONS).map(|nth| to(nth).dest));
    thread::scope(|scope| {
        let readers = [generations.reader(), generations.reader()];
        let readers = readers.map(|reader| {
            let (stop, names, dests) = (&stop, &names, &dests);
            scope.spawn(move || read_on(reader, stop, names, dests))
        });
        for nth in 1..=GENERATIONS {
            generations
                .load(|| table(nth, 500))
                .expect("it has no fault");
        }
        // Readers that go on looking let go of all but the newest.
        let deadline = Instant::now() + Duration::from_secs(60);
        while generations.sweep() > 0 {
            assert!(
                Instant::now() < deadline,
                "a reader keeps an old generation"
            );
            thread::yield_now();
        }
        stop.store(true, Ordering::Release);
        for reader in readers {
            let (last, calls) = reader.join().expect("it reads to the end");
            assert_eq!(last as u64, GENERATIONS, "the newest is seen at last");
            assert_eq!(calls, 0, "calls of the allocator");
        }
    });
}
