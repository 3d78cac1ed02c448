//! What the plant's side says over the link is what the engine's side hears, and the other way.

mod common;

use std::sync::Arc;

use common::*;
use proptest::prelude::*;
use sorthub_core::hub::Hub;
use sorthub_core::ids::*;
use sorthub_core::plc::{Command, Event, EventKind};
use sorthub_core::reason::Reason;
use sorthub_core::signal::*;
use sorthub_core::units::*;
use sorthub_core::wire::{Wire, WireError, chute_bits, chute_state};

/// A hub of two loops, so that numbers on the link and numbers of the hub differ.
fn two_loops() -> Arc<Hub> {
    let mut spec = loop_spec();
    let again = loop_spec();
    spec.tracks.push(again.tracks[0].clone());
    spec.tracks[1].name = "U".into();
    for mut induction in again.inductions {
        induction.name = "I2".into();
        induction.track = TrackId(1);
        spec.inductions.push(induction);
    }
    for mut scanner in again.scanners {
        scanner.name = "S2".into();
        scanner.track = TrackId(1);
        spec.scanners.push(scanner);
    }
    for mut chute in again.chutes {
        chute.name += "2";
        chute.outlets[0].track = TrackId(1);
        spec.chutes.push(chute);
    }
    Arc::new(Hub::new(spec).expect("sound"))
}

fn wire() -> Wire {
    Wire::new(two_loops(), TrackId(1))
}

#[test]
fn what_the_plant_says_is_what_the_engine_hears() {
    let (cell, item, at) = (CellId(23), PlcItem(70_000), BeltMm(4_000));
    let (chute, induction, scanner) = (ChuteId(5), InductionId(1), ScannerId(1));
    let signals = [
        Signal::Inducted {
            induction,
            cell,
            item,
            at,
            length: Mm(345),
            spans: 2,
            returned: true,
        },
        Signal::AtScanner {
            scanner,
            cell,
            item,
            trigger: 65_535,
            at,
        },
        Signal::Discharged {
            chute,
            cell,
            item,
            at,
        },
        Signal::NotDischarged {
            chute,
            cell,
            item,
            at,
            cause: Refusal::Full,
        },
        Signal::NotDischarged {
            chute,
            cell,
            item,
            at,
            cause: Refusal::Gap,
        },
        Signal::LapPassed { cell, item, at },
        Signal::Returning { cell, item, at },
        Signal::Missing { cell, item, at },
        Signal::Unexpected { cell, item, at },
        Signal::RemovedByHand { cell, item },
        Signal::CarrierNotEmpty { cell, item, at },
        Signal::CarrierDisabled { cell },
    ];
    for signal in signals {
        let event = wire().event(&signal).expect("an event of the link");
        // Over the registers, as it really goes.
        let event = Event::decode(&event.encode()).expect("whole");
        assert_eq!(wire().signal(&event), Ok(Some(signal)));
    }
}

#[test]
fn an_order_arrives_as_it_was_given() {
    let order = Order {
        parcel: ParcelId(0),
        item: PlcItem(70_000),
        cell: CellId(20),
        revision: 3,
        chutes: [Some(ChuteId(7)), Some(ChuteId(4)), None],
        on_fail: OnFail::Lap,
        obey_by: BeltMm(5_000_000_000),
        why: Reason::MostLaps,
        plan_version: 9,
    };
    let command = wire().command(&Output::Divert(order)).expect("a command");
    let Command::Assign(assign) = command else {
        panic!("not an order: {command:?}");
    };
    assert_eq!(
        (assign.cell, assign.chutes),
        (1, [4, 1, 0]),
        "numbered from 1 on its own track"
    );
    assert_eq!(wire().order(&assign, BeltMm(4_999_000_000)), Ok(order));
}

#[test]
fn what_the_hub_does_not_have_is_refused_by_name() {
    let event = |cell, device, kind| Event {
        cell,
        device,
        ..Event::of(kind)
    };
    let inducted = EventKind::Inducted {
        length_mm: 1,
        gap_mm: 0,
        returned: false,
    };
    assert_eq!(
        wire().signal(&event(21, 1, inducted)),
        Err(WireError::Cell(21))
    );
    assert_eq!(
        wire().signal(&event(0, 1, inducted)),
        Err(WireError::Cell(0))
    );
    assert_eq!(
        wire().signal(&event(1, 2, inducted)),
        Err(WireError::Device(2))
    );
    let level = EventKind::ChuteState {
        bits: chute_bits(ChuteState::OPEN).0,
        taken: 0,
        cause: chute_bits(ChuteState::OPEN).1,
    };
    assert_eq!(wire().signal(&event(0, 5, level)), Err(WireError::Chute(5)));
}

#[test]
fn an_answer_about_no_item_is_none_of_the_sorters_business() {
    let kind = EventKind::CommandAnswered {
        seq: 1,
        revision: 0,
        answer: sorthub_core::plc::Answer::Accepted,
    };
    assert_eq!(wire().signal(&Event::of(kind)), Ok(None));
}

proptest! {
    #[test]
    fn a_chute_says_the_same_on_both_sides(
        enabled: bool, half: bool, full: bool, jammed: bool, locked: bool, lock_applied: bool,
    ) {
        let state = ChuteState { enabled, half, full, jammed, locked, lock_applied };
        prop_assert_eq!(chute_state(chute_bits(state).0), state);
    }

    #[test]
    fn no_registers_make_the_wire_panic(slot in prop::array::uniform16(any::<u16>())) {
        if let Ok(event) = Event::decode(&slot) {
            let _ = wire().signal(&event);
        }
    }
}
