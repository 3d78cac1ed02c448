//! What something waits for, as a person reads it.

mod small_hub;

use small_hub::*;
use sorthub::telemetry::why::why;
use sorthub_core::facts::{DestKey, Facts};
use sorthub_core::ids::*;
use sorthub_core::operator::{Command, InductionWish, Ticket};
use sorthub_core::signal::*;
use sorthub_core::sorter::{Ask, Sorter};
use sorthub_core::units::{BeltMm, Micros, Mm, MmPerS};

/// A parcel on carrier 7, read at 1 m by now; the belt runs at 2 m/s.
fn with_a_parcel(dest: &str) -> Sorter {
    let mut sorter = sorter(20);
    let (cell, item, scanner) = (CellId(7), PlcItem(1), ScannerId(0));
    let at = |mm: i64| BeltMm(mm);
    let told = [
        Signal::InventoryEnd {
            track: TRACK,
            at: at(0),
        },
        Signal::Belt {
            track: TRACK,
            at: at(0),
            speed: MmPerS(2_000),
        },
        Signal::Inducted {
            induction: InductionId(0),
            cell,
            item,
            at: at(0),
            length: Mm(400),
            spans: 1,
            returned: false,
        },
        Signal::AtScanner {
            scanner,
            cell,
            item,
            trigger: 1,
            at: at(0),
        },
        Signal::Scanned {
            scanner,
            key: ScanKey::Trigger(1),
            facts: Facts::advised(CodeId(5), DestKey::of(dest)),
        },
    ];
    told.iter()
        .for_each(|signal| tell(&mut sorter, Micros(0), *signal));
    sorter
}

fn says(sorter: &Sorter, ask: Ask) -> String {
    why(sorter, Micros(0), ask)
}

#[test]
fn a_parcel_on_its_way() {
    let sorter = with_a_parcel("north");
    let parcel = sorter.items().next().expect("it is there").parcel;
    assert_eq!(
        says(&sorter, Ask::Parcel(parcel)),
        "on carrier 7 of loop, ordered to C1 in 3.0 m, 1.5 s"
    );
    assert_eq!(
        says(&sorter, Ask::Cell(CellId(7))),
        "carries parcel 3-1: on carrier 7 of loop, ordered to C1 in 3.0 m, 1.5 s"
    );
    assert_eq!(
        says(&sorter, Ask::Chute(SORTS)),
        "open; one parcel is on its way to it, the next of them in 3.0 m"
    );
}

#[test]
fn a_parcel_that_nobody_sorts() {
    let sorter = with_a_parcel("nowhere");
    assert_eq!(
        says(&sorter, Ask::Cell(CellId(7))),
        "carries parcel 3-1: on carrier 7 of loop, ordered to R1 (no-rule) in 4.0 m, 2.0 s"
    );
}

#[test]
fn an_induction_and_what_holds_it() {
    let mut sorter = with_a_parcel("north");
    let ask = Ask::Induction(InductionId(0));
    assert_eq!(says(&sorter, ask), "runs, for 0 s");
    let command = Command::Induction {
        induction: InductionId(0),
        to: InductionWish::Stop,
    };
    let stop = Signal::Command {
        ticket: Ticket(1),
        command,
    };
    tell(&mut sorter, Micros::from_secs(2), stop);
    assert_eq!(
        why(&sorter, Micros::from_secs(9), ask),
        "stopped because a person has stopped it, for 7 s"
    );
    let lost = Signal::Link {
        track: TRACK,
        to: LinkState::Lost,
    };
    tell(&mut sorter, Micros::from_secs(10), lost);
    assert_eq!(
        why(&sorter, Micros::from_secs(10), ask),
        "stopped because the link to its PLC is lost, for 0 s"
    );
}

#[test]
fn what_is_not_there() {
    let sorter = with_a_parcel("north");
    assert_eq!(
        says(&sorter, Ask::Parcel(ParcelId(99))),
        "is not on the sorter: it has left, or never came"
    );
    assert_eq!(
        says(&sorter, Ask::Chute(ChuteId(50))),
        "the hub has no such device"
    );
    assert_eq!(
        says(&sorter, Ask::Cell(CellId(0))),
        "empty: waits for an induction to fill it"
    );
}
