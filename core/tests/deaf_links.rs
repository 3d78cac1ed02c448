//! Telegrams while a PLC is not heard: what names its pass can wait, the rest is nobody's.

mod common;

use common::*;
use sorthub_core::hub::MeetsBy;
use sorthub_core::ids::*;
use sorthub_core::signal::*;
use sorthub_core::units::*;

fn link(hand: &mut Hand, to: LinkState) {
    hand.tell(Signal::Link { track: LOOP, to });
}

fn telegram(hand: &mut Hand, key: ScanKey) -> Vec<Output> {
    hand.tell(Signal::Scanned {
        scanner: ScannerId(0),
        key,
        facts: good(9, 1),
    })
}

fn hand(meets_by: MeetsBy) -> Hand {
    let mut hub = loop_spec();
    hub.scanners[0].meets_by = meets_by;
    Hand::new(hub, plan_spec())
}

/// In the carrier there may be another item by now, and which one leaves first nobody tells.
#[test]
fn a_carriers_telegram_is_nobodys_while_the_link_is_lost() {
    let mut hand = hand(MeetsBy::Carrier);
    hand.inducted(3, 100);
    link(&mut hand, LinkState::Lost);
    hand.now = Micros(500_000);
    assert_eq!(
        order(&telegram(&mut hand, ScanKey::Carrier(CellId(3)))),
        None
    );
    assert_eq!(hand.sorter.books().unmatched_scans, 1);
    // Nor does it wait for who is told of later.
    link(&mut hand, LinkState::Up);
    hand.belt(500);
    assert_eq!(order(&hand.at_scanner(3, 100, 1)), None);
    // Read in its next lap, it has its chute.
    hand.belt(12_500);
    let said = telegram(&mut hand, ScanKey::Carrier(CellId(3)));
    let order = order(&said).expect("the PLC is heard again");
    assert_eq!((order.cell, order.item), (CellId(3), PlcItem(100)));
}

/// Another run of the engine knows what the one before knew, but it hears no PLC yet.
#[test]
fn a_run_that_has_just_begun_hears_no_plc() {
    let mut hand = hand(MeetsBy::Carrier);
    hand.inducted(3, 100);
    hand.sorter.begin_run(6);
    hand.now = Micros(500_000);
    assert_eq!(
        order(&telegram(&mut hand, ScanKey::Carrier(CellId(3)))),
        None
    );
    assert_eq!(hand.sorter.books().unmatched_scans, 1);
}

#[test]
fn a_telegram_with_the_encoder_waits_for_its_item() {
    let window = Mm(50);
    let mut hand = hand(MeetsBy::Encoder { window });
    hand.inducted(3, 100);
    link(&mut hand, LinkState::Lost);
    hand.now = Micros(500_000);
    let said = telegram(&mut hand, ScanKey::Encoder(BeltMm(500)));
    assert_eq!(order(&said), None);
    link(&mut hand, LinkState::Up);
    hand.belt(500);
    let said = hand.at_scanner(3, 100, 1);
    assert!(order(&said).is_some(), "its telegram was there: {said:?}");
}
