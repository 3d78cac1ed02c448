//! What is recorded can be read, and is on disk when the journal says so.

use sorthub::journal::block::{Block, Call, Item};
use sorthub::journal::{Journal, JournalError, Options, Reader, Tail};
use sorthub_core::ids::{CellId, CodeId, ParcelId, PlcItem, ScannerId, TrackId};
use sorthub_core::operator::Ticket;
use sorthub_core::signal::{Alarm, Output, Signal};
use sorthub_core::units::{BeltMm, Micros, MmPerS};

use crate::world::{Dir, Said, World, record, wait_until, write_run};

/// Everything in a run, read back.
#[derive(Default)]
struct Read {
    calls: Vec<Said>,
    seqs: Vec<u64>,
    texts: Vec<(CodeId, String)>,
    notes: Vec<(Ticket, String)>,
    /// Versions, each with how many calls came before.
    staged: Vec<(u32, usize)>,
    digests: Vec<u64>,
    blocks: u64,
}

fn read_run(dir: &Dir, run: u32) -> Read {
    let reader = Reader::open(dir.path()).expect("there is a journal");
    let info = reader.run(run).expect("the run is there");
    let mut read = Read::default();
    let mut outputs = Vec::new();
    let tail = reader.visit(&info, |block| {
        read.blocks += 1;
        let mut items = block.items();
        while let Some(item) = items.next(&mut outputs)? {
            match item {
                Item::Call(Call {
                    seq,
                    now,
                    signal,
                    hash_after,
                }) => {
                    let outputs = outputs.clone();
                    read.seqs.push(seq);
                    read.calls.push(Said {
                        now,
                        signal,
                        outputs,
                        hash_after,
                    });
                }
                Item::Text { code, text } => read.texts.push((code, text.to_owned())),
                Item::Note { ticket, text } => read.notes.push((ticket, text.to_owned())),
                Item::Staged { version } => read.staged.push((version, read.calls.len())),
                Item::Close { digest } => read.digests.push(digest),
                Item::Gap { first, .. } => panic!("nobody has made a gap at {first}"),
            }
        }
        Ok(true)
    });
    assert_eq!(tail.expect("nothing is damaged"), Tail::Whole);
    read
}

#[test]
fn everything_recorded_comes_out_in_order() {
    let dir = Dir::new();
    let (world, calls) = write_run(dir.path(), 1, 400);
    let said: usize = calls.iter().map(|said| said.outputs.len()).sum();
    assert!(
        calls.len() > 1_000 && said > 500,
        "the world makes calls with outputs"
    );

    let read = read_run(&dir, 1);
    assert_eq!(read.calls, calls);
    let seqs: Vec<u64> = (1..=calls.len() as u64).collect();
    assert_eq!(read.seqs, seqs);
    assert_eq!(read.digests, [world.sorter.digest()]);
    assert!(read.blocks >= 8, "every 50 steps were waited for");
}

#[test]
fn texts_of_codes_come_before_their_calls_and_once() {
    let dir = Dir::new();
    let (_, calls) = write_run(dir.path(), 2, 300);
    let read = read_run(&dir, 1);
    let mut expected = Vec::new();
    for said in &calls {
        if let Signal::Scanned { facts, .. } = said.signal
            && facts.code != CodeId::NONE
            && !expected.contains(&facts.code)
        {
            expected.push(facts.code);
        }
    }
    let codes: Vec<CodeId> = read.texts.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, expected);
    assert!(
        read.texts
            .iter()
            .all(|(code, text)| CodeId::of(text) == *code)
    );
}

#[test]
fn long_texts_are_cut_between_characters() {
    let dir = Dir::new();
    let world = World::new(1, 3);
    let journal = Journal::open(dir.path(), &world.header(), Options::default()).unwrap();
    let mut recorder = journal.start().unwrap();
    let texts = [
        "".to_owned(),
        "x".repeat(64),
        "x".repeat(65),
        "件".repeat(100),
    ];
    for (nth, text) in texts.iter().enumerate() {
        recorder.text(CodeId(nth as u64 + 1), text);
    }
    recorder.close(0).unwrap();
    let read: Vec<String> = read_run(&dir, 1)
        .texts
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    // 256 bytes hold 85 characters of three bytes.
    assert_eq!(
        read,
        [
            "".to_owned(),
            "x".repeat(64),
            "x".repeat(65),
            "件".repeat(85)
        ]
    );
}

#[test]
fn who_gave_a_command_and_which_plan_was_staged_stand_at_their_places() {
    let dir = Dir::new();
    let mut world = World::new(1, 5);
    let journal = Journal::open(dir.path(), &world.header(), Options::default()).unwrap();
    let mut recorder = journal.start().unwrap();
    let keeper = recorder.plan_keeper();
    keeper.keep(7, "the seventh".to_owned()).unwrap();
    // Durable as soon as it is kept, with the run still open.
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.plan(1, 7).unwrap().as_deref(), Some("the seventh"));
    let mut calls = 0;
    for step in 0..3 {
        recorder.note(Ticket(step), &format!("lin: request {step}"));
        if step == 1 {
            assert!(recorder.staged(7));
        }
        world.step(&mut |said| {
            calls += 1;
            record(&mut recorder, said);
        });
    }
    recorder.close(0).unwrap();
    let read = read_run(&dir, 1);
    assert_eq!(read.calls.len(), calls);
    let notes: Vec<String> = (0..3).map(|step| format!("lin: request {step}")).collect();
    let of: Vec<(Ticket, String)> = (0..3).map(Ticket).zip(notes).collect();
    assert_eq!(read.notes, of);
    assert_eq!(read.staged.len(), 1);
    let (version, before) = read.staged[0];
    assert!(
        version == 7 && 0 < before && before < calls,
        "{before} of {calls}"
    );
    assert_eq!(reader.plan(1, 8).unwrap(), None);
    assert_eq!(reader.plan(2, 7).unwrap(), None);
}

#[test]
fn a_plan_that_is_not_what_was_written_is_damage() {
    let dir = Dir::new();
    let world = World::new(1, 6);
    let journal = Journal::open(dir.path(), &world.header(), Options::default()).unwrap();
    let recorder = journal.start().unwrap();
    recorder
        .plan_keeper()
        .keep(7, "the seventh".to_owned())
        .unwrap();
    recorder.close(0).unwrap();
    let changed = dir
        .connect()
        .execute("UPDATE plans SET text = 'another'", []);
    assert_eq!(changed.unwrap(), 1);
    let read = Reader::open(dir.path()).unwrap().plan(1, 7);
    assert!(
        matches!(read, Err(JournalError::Damaged { .. })),
        "{read:?}"
    );
}

#[test]
fn a_record_is_on_disk_once_the_journal_says_so() {
    let dir = Dir::new();
    let mut world = World::new(1, 4);
    let journal = Journal::open(dir.path(), &world.header(), Options::default()).unwrap();
    let mut recorder = journal.start().unwrap();
    let watch = recorder.watch();
    assert_eq!(watch.durable_seq(), 0);
    for _ in 0..20 {
        let mut last = 0;
        world.step(&mut |said| last = record(&mut recorder, said));
        recorder.wake();
        wait_until("the step is durable", || watch.may_acknowledge(last));
        assert!(!watch.is_failing());
        // Another connection sees it while the engine still runs.
        assert_eq!(read_run(&dir, 1).seqs.last(), Some(&last));
    }
    let counts = recorder.close(0).unwrap();
    assert_eq!(counts.records, read_run(&dir, 1).calls.len() as u64);
    assert_eq!((counts.gaps, counts.missing, counts.texts_lost), (0, 0, 0));
    assert!(
        counts.wakes <= counts.blocks + 1,
        "at most one wake for a commit"
    );
}

#[test]
fn a_dropped_recorder_loses_nothing_and_leaves_the_run_open() {
    let dir = Dir::new();
    let mut world = World::new(1, 5);
    let journal = Journal::open(dir.path(), &world.header(), Options::default()).unwrap();
    let mut recorder = journal.start().unwrap();
    let mut calls = 0;
    for _ in 0..100 {
        world.step(&mut |said| calls = record(&mut recorder, said));
    }
    drop(recorder);
    let read = read_run(&dir, 1);
    assert_eq!(read.seqs.last(), Some(&calls));
    assert!(read.digests.is_empty());
}

#[test]
fn each_start_has_an_epoch_of_its_own_and_its_header() {
    let dir = Dir::new();
    let world = World::new(1, 6);
    for run in 1..=3 {
        let header = sorthub::journal::RunHeader {
            sorter: 0,
            plan_version: run * 10,
            ..world.header()
        };
        // Begun and not even started: the epoch is used up all the same.
        let journal = Journal::open(dir.path(), &header, Options::default()).unwrap();
        assert_eq!(journal.run_epoch(), run);
        assert!(journal.cut().is_none());
    }
    write_run(dir.path(), 7, 10);
    let reader = Reader::open(dir.path()).unwrap();
    let runs = reader.runs().unwrap();
    let versions: Vec<_> = runs
        .iter()
        .map(|r| (r.run, r.header.plan_version))
        .collect();
    assert_eq!(versions, [(1, 10), (2, 20), (3, 30), (4, 7)]);
    assert_eq!(runs[3].header, world.header());
    assert!(read_run(&dir, 2).calls.is_empty());
    assert!(!read_run(&dir, 4).calls.is_empty());
    let error = reader.run(5).unwrap_err();
    assert!(
        error.to_string().contains("no run 5; it holds runs 1 to 4"),
        "{error}"
    );
}

#[test]
fn a_second_engine_is_refused_while_the_first_runs() {
    let dir = Dir::new();
    let world = World::new(1, 8);
    let first = Journal::open(dir.path(), &world.header(), Options::default()).unwrap();
    let second = Journal::open(dir.path(), &world.header(), Options::default());
    assert!(matches!(second, Err(JournalError::InUse { .. })));
    drop(first);
    let third = Journal::open(dir.path(), &world.header(), Options::default()).unwrap();
    assert_eq!(third.run_epoch(), 2);
}

#[test]
fn extreme_values_keep_their_bits() {
    let parcel = ParcelId(u64::MAX);
    let alarm = Output::Alarm(Alarm::Lost { parcel });
    let belt = |at| Signal::Belt {
        track: TrackId(u16::MAX),
        at,
        speed: MmPerS(u32::MAX),
    };
    let calls = [
        (
            Micros(u64::MAX),
            belt(BeltMm(i64::MIN)),
            vec![alarm; 512],
            u64::MAX,
        ),
        // A clock that went back is the sorter's to refuse; the journal says what happened.
        (Micros(0), belt(BeltMm(i64::MAX)), vec![], 0),
        (Micros(5), Signal::Tick, vec![alarm], 1),
    ];
    let mut block = Block::new(9, u64::MAX - 10);
    for (now, signal, outputs, hash) in &calls {
        block.call(*now, signal, outputs, *hash);
    }
    let mut items = block.items();
    let mut outputs = Vec::new();
    for (nth, (now, signal, said, hash)) in calls.iter().enumerate() {
        let seq = u64::MAX - 10 + nth as u64;
        let call = Call {
            seq,
            now: *now,
            signal: *signal,
            hash_after: *hash,
        };
        assert_eq!(items.next(&mut outputs), Ok(Some(Item::Call(call))));
        assert_eq!(&outputs, said);
    }
    assert_eq!(items.next(&mut outputs), Ok(None));
}

/// A journal is read for years. If this fails because a variant was added in the middle or a field
/// changed, raise `FORMAT` and say in the change log how older journals are read.
#[test]
fn the_bytes_of_a_block_are_those_of_this_format() {
    assert_eq!(sorthub::journal::block::FORMAT, 2);
    let mut block = Block::new(1, 1);
    let (scanner, cell, item) = (ScannerId(1), CellId(300), PlcItem(70_000));
    let (trigger, at) = (513, BeltMm(-2));
    block.text(CodeId(258), "WB1");
    let signal = Signal::AtScanner {
        scanner,
        cell,
        item,
        trigger,
        at,
    };
    let known = Output::Known {
        parcel: ParcelId::new(1, 2),
        cell,
        item,
    };
    block.call(Micros(1_000), &signal, &[known], 0x0102_0304_0506_0708);
    block.gap(3);
    block.close(9);
    let hex: Vec<String> = block
        .bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        hex.join(" "),
        "02 82 02 03 57 42 31 \
         00 e8 07 03 01 ac 02 f0 a2 04 81 04 03 01 \
         02 82 80 80 80 80 20 ac 02 f0 a2 04 08 07 06 05 04 03 02 01 \
         01 03 \
         03 09 00 00 00 00 00 00 00"
    );
    assert_eq!(block.next_seq, 5);
}
