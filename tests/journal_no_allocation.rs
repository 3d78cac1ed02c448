//! Recording a call allocates nothing on the decision thread.

#[path = "../core/tests/common/counting.rs"]
mod counting;

use counting::calls;
use sorthub::journal::{Journal, Options, RunHeader};
use sorthub_core::ids::{ChuteId, CodeId, ParcelId};
use sorthub_core::reason::Reason;
use sorthub_core::signal::{Basis, Output, Signal};
use sorthub_core::units::Micros;

#[test]
fn recording_allocates_nothing() {
    let before = calls();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(calls() - before, 2, "the counter counts");

    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let dir = dir.join(format!("no-allocation-{}", std::process::id()));
    let header = RunHeader {
        build: sorthub::journal::build(),
        description: String::new(),
        sorter: 0,
        plan_version: 1,
        clock_permille: 1_000,
        started_unix_us: 0,
    };
    // Small enough that the queue is full now and then: a gap must not allocate either.
    let options = Options {
        queue_slots: 64,
        ..Options::default()
    };
    let journal = Journal::open(&dir, &header, options).unwrap();
    let mut recorder = journal.start().unwrap();
    let decided = Output::Decided {
        parcel: ParcelId::new(1, 1),
        chute: Some(ChuteId(1)),
        why: Reason::Planned,
        basis: Basis::PreAdvice,
    };
    let before = calls();
    for nth in 0..10_000 {
        recorder.text(CodeId(nth), "a code of the usual length");
        recorder.record(Micros(nth), &Signal::Tick, &[decided; 3], nth);
        recorder.wake();
    }
    assert_eq!(calls() - before, 0);
    let counts = recorder.close(0).unwrap();
    assert_eq!(counts.records + counts.missing, 10_000);
    assert!(counts.records > 0 && counts.missing > 0, "{counts:?}");
    let _ = std::fs::remove_dir_all(&dir);
}
