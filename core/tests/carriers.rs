//! Items over two carriers, carriers that are not empty, that fail, that are disabled.

mod common;

use common::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::running::DisabledBy;
use sorthub_core::signal::*;
use sorthub_core::units::*;

fn hand() -> Hand {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.told();
    hand
}

fn long(hand: &mut Hand, cell: u32, item: u32) -> Vec<Output> {
    hand.tell(Signal::Inducted {
        induction: InductionId(0),
        cell: CellId(cell),
        item: PlcItem(item),
        at: BeltMm(hand.now.0 as i64 / 1_000),
        length: Mm(900),
        spans: 2,
        returned: false,
    })
}

fn failed(hand: &mut Hand, chute: u16, cell: u32, item: u32) -> Vec<Output> {
    let at = BeltMm(hand.now.0 as i64 / 1_000);
    hand.tell(Signal::NotDischarged {
        chute: ChuteId(chute),
        cell: CellId(cell),
        item: PlcItem(item),
        at,
        cause: Refusal::Failed,
    })
}

fn enabled(said: &[Output]) -> Option<(u32, bool)> {
    said.iter().find_map(|output| match output {
        Output::CarrierEnable { cell, enabled } => Some((cell.0, *enabled)),
        _ => None,
    })
}

fn occupied(hand: &Hand) -> u32 {
    hand.sorter.track(LOOP).occupied
}

#[test]
fn an_item_over_two_carriers_occupies_both_until_it_has_left() {
    let mut hand = hand();
    long(&mut hand, 4, 1);
    assert_eq!(occupied(&hand), 2);
    hand.at_scanner(4, 1, 1);
    hand.scanned(1, good(1, 0));
    hand.discharged(0, 4, 1);
    assert_eq!(occupied(&hand), 0);
    assert_eq!(hand.sorter.books().sorted, 1);
}

#[test]
fn the_carrier_after_the_last_is_the_first() {
    let mut hand = hand();
    long(&mut hand, 19, 1);
    assert_eq!(occupied(&hand), 2);
    // Somebody else on carrier 0: the long one must have left.
    hand.inducted(0, 2);
    assert_eq!(hand.sorter.track(LOOP).in_doubt, 1);
    assert_eq!(hand.sorter.items().count(), 1);
}

#[test]
fn a_new_item_over_two_carriers_puts_whoever_was_on_either_in_doubt() {
    let mut hand = hand();
    hand.inducted(4, 1);
    hand.inducted(5, 2);
    long(&mut hand, 4, 3);
    assert_eq!(hand.sorter.track(LOOP).in_doubt, 2);
    assert_eq!(hand.sorter.items().count(), 1);
    // Two carriers it lies on, and two in doubt.
    assert_eq!(occupied(&hand), 4);
}

#[test]
fn what_lies_there_still_is_a_correction_and_not_a_second_disposition() {
    let mut hand = hand();
    let said = hand.brought(4, 1, 0);
    let first = order(&said).expect("it is ordered").parcel;
    hand.belt(3_000);
    hand.discharged(0, 4, 1);
    hand.belt(3_100);
    let at = BeltMm(3_100);
    let (cell, item) = (CellId(4), PlcItem(1));
    let said = hand.tell(Signal::CarrierNotEmpty { cell, item, at });
    let correction = Output::StillThere {
        parcel: first,
        cell,
        chute: ChuteId(0),
    };
    assert!(said.contains(&correction), "{said:?}");
    assert_eq!(ended(&said), None);
    let books = hand.sorter.books().clone();
    assert_eq!(
        (books.sorted, books.still_there, books.failed_discharges),
        (1, 1, 1)
    );
    // It is read again and sorted as an item of its own.
    hand.belt(13_000);
    hand.at_scanner(4, 1, 1);
    let said = hand.scanned(1, good(1, 0));
    let second = order(&said).expect("it is sent again").parcel;
    assert_ne!(second, first);
    hand.belt(15_000);
    let said = hand.discharged(0, 4, 1);
    assert_eq!(ended(&said).map(|end| end.0), Some(Disposition::Sorted));
    assert!(hand.sorter.books().balance());
    assert_eq!(hand.sorter.books().inducted, 2);
}

#[test]
fn what_lies_there_still_and_cannot_be_read_is_a_double_item() {
    let mut hand = hand();
    hand.brought(4, 1, 0);
    hand.discharged(0, 4, 1);
    let at = BeltMm(hand.now.0 as i64 / 1_000);
    let (cell, item) = (CellId(4), PlcItem(1));
    hand.tell(Signal::CarrierNotEmpty { cell, item, at });
    let said = hand.discharged(3, 4, 1);
    assert_eq!(
        ended(&said),
        Some((Disposition::Rejected, Reason::DoubleItem, Some(3)))
    );
}

#[test]
fn a_carrier_that_was_not_told_to_be_emptied_simply_rides_on() {
    let mut hand = hand();
    hand.brought(4, 1, 0);
    let at = BeltMm(hand.now.0 as i64 / 1_000);
    let (cell, item) = (CellId(4), PlcItem(1));
    let said = hand.tell(Signal::CarrierNotEmpty { cell, item, at });
    assert!(
        !said.iter().any(|o| matches!(o, Output::StillThere { .. })),
        "{said:?}"
    );
    assert_eq!(hand.sorter.items().count(), 1);
}

#[test]
fn a_carrier_that_fails_at_several_chutes_is_disabled() {
    let mut hand = hand();
    hand.brought(4, 1, 1);
    assert_eq!(enabled(&failed(&mut hand, 1, 4, 1)), None);
    assert_eq!(enabled(&failed(&mut hand, 1, 4, 1)), None);
    let said = failed(&mut hand, 2, 4, 1);
    assert_eq!(enabled(&said), Some((4, false)));
    let by = DisabledBy::Failures;
    let cell = CellId(4);
    assert!(said.contains(&Output::Alarm(Alarm::CarrierDisabled { cell, by })));
    assert_eq!(hand.sorter.carrier_disabled(cell), Some(by));
    // What lies on it is still to be discharged.
    assert_eq!(hand.sorter.items().count(), 1);
}

#[test]
fn a_chute_that_fails_is_not_the_carriers_fault() {
    let mut hand = hand();
    hand.brought(4, 1, 0);
    for _ in 0..5 {
        let said = failed(&mut hand, 0, 4, 1);
        assert_eq!(enabled(&said), None, "it failed at one chute only");
    }
    hand.brought(6, 2, 0);
    hand.discharged(0, 6, 2);
    hand.brought(7, 3, 0);
    hand.brought(8, 4, 0);
    let chute_fails = |said: &[Output]| {
        let chute = ChuteId(0);
        said.contains(&Output::Alarm(Alarm::ChuteFails { chute }))
    };
    assert!(!chute_fails(&failed(&mut hand, 0, 7, 3)));
    assert!(!chute_fails(&failed(&mut hand, 0, 7, 3)));
    assert!(chute_fails(&failed(&mut hand, 0, 8, 4)));
    assert_eq!(hand.sorter.chute(ChuteId(0)).failed, 8);
}

#[test]
fn a_discharge_that_works_clears_a_carriers_record() {
    let mut hand = hand();
    hand.brought(4, 1, 1);
    failed(&mut hand, 1, 4, 1);
    failed(&mut hand, 2, 4, 1);
    hand.discharged(1, 4, 1);
    hand.brought(4, 2, 1);
    assert_eq!(enabled(&failed(&mut hand, 2, 4, 2)), None);
}

#[test]
fn disabled_carriers_are_said_again_when_the_plc_has_started_anew() {
    let mut hand = hand();
    let cell = CellId(7);
    let off = Command::Carrier {
        cell,
        enabled: false,
    };
    let (answer, said) = hand.command(off);
    assert_eq!((answer, enabled(&said)), (Ok(()), Some((7, false))));
    let (answer, said) = hand.command(off);
    assert_eq!((answer, enabled(&said)), (Ok(()), None), "once is enough");
    hand.tell(Signal::Link {
        track: LOOP,
        to: LinkState::Reset,
    });
    hand.told();
    assert_eq!(enabled(&hand.due()), Some((7, false)));
    let on = Command::Carrier {
        cell,
        enabled: true,
    };
    assert_eq!(enabled(&hand.command(on).1), Some((7, true)));
    assert_eq!(hand.sorter.track(LOOP).disabled, 0);
}

#[test]
fn a_carrier_that_its_plc_has_disabled_is_not_counted_on_either() {
    let mut hand = hand();
    let cell = CellId(7);
    let said = hand.tell(Signal::CarrierDisabled { cell });
    assert_eq!(enabled(&said), None, "the PLC knows");
    assert_eq!(hand.sorter.track(LOOP).disabled, 1);
    assert_eq!(hand.sorter.carrier_disabled(cell), Some(DisabledBy::Plc));
}

#[test]
fn a_plc_that_does_as_it_was_told_has_not_disabled_the_carrier_itself() {
    let mut hand = hand();
    let cell = CellId(3);
    let wish = Command::Carrier {
        cell,
        enabled: false,
    };
    assert_eq!(hand.command(wish).0, Ok(()));
    let said = hand.tell(Signal::CarrierDisabled { cell });
    assert_eq!(said, []);
    let by = hand.sorter.carrier_disabled(cell);
    assert_eq!(by, Some(DisabledBy::Operator));
    assert!(hand.sorter.words().contains(&wish), "it is a person's word");
}

#[test]
fn a_line_has_no_carriers() {
    let mut hand = Hand::new(line_spec(None), plan_spec());
    let cell = CellId(2);
    let off = Command::Carrier {
        cell,
        enabled: false,
    };
    assert_eq!(hand.command(off).0, Err(Refused::NoSuchDevice));
    long(&mut hand, 3, 1);
    assert_eq!(occupied(&hand), 1);
}
