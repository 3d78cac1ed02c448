//! What the sorter makes of parcels that come over a transfer.

mod common;

use common::*;
use sorthub_core::hub::*;
use sorthub_core::ids::*;
use sorthub_core::signal::*;
use sorthub_core::units::*;

const SECOND: TrackId = TrackId(1);
const OVER: TransferId = TransferId(0);
/// Parcels of another run, as they were named before they went onto the transfer.
const SENT: [ParcelId; 2] = [ParcelId::new(4, 1), ParcelId::new(4, 2)];

/// The loop, and a transfer of 2 s from its last chute but one to a second loop.
fn joined() -> Hand {
    let mut hub = loop_spec();
    let mut second = hub.tracks[0].clone();
    second.name = "T2".into();
    hub.tracks.push(second);
    let mut induction = hub.inductions[0].clone();
    (induction.name, induction.track) = ("I2".into(), SECOND);
    hub.inductions.push(induction);
    let mut scanner = hub.scanners[0].clone();
    (scanner.name, scanner.track) = ("S2".into(), SECOND);
    hub.scanners.push(scanner);
    for (name, at) in [("D", 3_000), ("R2", 6_000)] {
        let mut chute = chute(name, at);
        chute.outlets[0].track = SECOND;
        hub.chutes.push(chute);
    }
    hub.chutes[2].capacity = Capacity::Unlimited;
    hub.transfers.push(TransferSpec {
        from: ChuteId(2),
        to: InductionId(1),
        travel: Micros::from_secs(2),
        patience: Micros::from_secs(60),
    });
    let mut plan = plan_spec();
    plan.destinations[1].chutes = vec![ChuteId(1)];
    plan.destinations[2].chutes = vec![ChuteId(4)];
    plan.destinations[2].overflow = vec![];
    plan.reject.push(ChuteId(5));
    Hand::new(hub, plan)
}

/// Two parcels with the codes 1 and 2 go onto the transfer; 3 s later one comes out and this code
/// is read of it.
fn comes_out_with(hand: &mut Hand, code: u64) -> Vec<Output> {
    for (parcel, code) in SENT.into_iter().zip(1..) {
        let facts = good(code, 2);
        hand.tell(Signal::Transfer {
            transfer: OVER,
            parcel,
            facts,
        });
    }
    hand.now = Micros::from_secs(3);
    let (cell, item) = (CellId(23), PlcItem(7));
    hand.tell(Signal::Inducted {
        induction: InductionId(1),
        cell,
        item,
        at: BeltMm(3_000),
        length: Mm(400),
        spans: 1,
        returned: false,
    });
    hand.tell(Signal::AtScanner {
        scanner: ScannerId(1),
        cell,
        item,
        trigger: 9,
        at: BeltMm(3_500),
    });
    hand.tell(Signal::Scanned {
        scanner: ScannerId(1),
        key: ScanKey::Trigger(9),
        facts: good(code, 2),
    })
}

fn known(said: &[Output]) -> Vec<ParcelId> {
    let known = said.iter().filter_map(|output| match output {
        Output::Known { parcel, .. } => Some(*parcel),
        _ => None,
    });
    known.collect()
}

#[test]
fn of_two_that_may_have_come_out_the_code_says_which() {
    let mut hand = joined();
    let said = comes_out_with(&mut hand, 2);
    assert_eq!(known(&said), [SENT[1]]);
    assert_eq!(hand.sorter.books().taken_over, 1);
}

/// It was put on by hand, or the news of its way is late: those that were sent are still to come.
#[test]
fn what_bears_a_code_that_nobody_sent_is_none_of_those_that_were_sent() {
    let mut hand = joined();
    let said = comes_out_with(&mut hand, 3);
    assert_eq!(known(&said), [ParcelId::new(5, 1)]);
    assert_eq!(hand.sorter.books().taken_over, 0);
}
