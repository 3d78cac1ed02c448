//! Back-pressure: inductions go slowly and stand by how full their track is.

mod common;

use common::*;
use sorthub_core::hub::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::running::*;
use sorthub_core::signal::*;

/// A loop of 20 carriers with the usual caps.
fn hand() -> Hand {
    let mut spec = loop_spec();
    spec.tracks[0].caps = Caps::USUAL;
    let mut hand = Hand::new(spec, plan_spec());
    hand.told();
    hand
}

fn wish(hand: &mut Hand, to: InductionWish) -> Vec<Output> {
    let induction = InductionId(0);
    let (answer, said) = hand.command(Command::Induction { induction, to });
    assert_eq!(answer, Ok(()));
    said
}

#[test]
fn inductions_slow_at_eight_tenths_and_stop_at_nine() {
    let mut hand = hand();
    let mut told = Vec::new();
    for cell in 0..20 {
        told.extend(pace(&hand.inducted(cell, cell + 1)).map(|(pace, _)| (cell + 1, pace)));
    }
    assert_eq!(told, [(16, Pace::Slow), (18, Pace::Stop)]);
    let view = hand.sorter.track(LOOP);
    assert_eq!((view.occupied, view.occupancy_permille), (20, 1_000));
}

#[test]
fn they_are_let_go_only_when_it_is_clearly_emptier() {
    let mut hand = hand();
    for cell in 0..18 {
        hand.inducted(cell, cell + 1);
    }
    let mut told = Vec::new();
    for cell in 0..6 {
        let left = hand.discharged(3, cell, cell + 1);
        told.extend(pace(&left).map(|(pace, _)| (18 - cell - 1, pace)));
    }
    // 900 less 50 is 850 permille, which is 17 of 20: below that. 800 less 50 is 15.
    assert_eq!(told, [(16, Pace::Slow), (14, Pace::Run)]);
}

#[test]
fn a_carrier_that_is_not_used_is_not_counted_on() {
    let mut hand = hand();
    for cell in 0..15 {
        hand.inducted(cell, cell + 1);
    }
    // 15 of 20 are 750 permille; of 18, 833.
    let off = |cell| Command::Carrier {
        cell: CellId(cell),
        enabled: false,
    };
    assert_eq!(pace(&hand.command(off(18)).1), None);
    assert_eq!(pace(&hand.command(off(19)).1), Some((Pace::Slow, 0)));
}

#[test]
fn parcels_in_doubt_still_lie_somewhere_but_are_not_counted_twice() {
    let mut hand = hand();
    for cell in 0..10 {
        hand.inducted(cell, cell + 1);
    }
    hand.tell(Signal::Link {
        track: LOOP,
        to: LinkState::Reset,
    });
    assert_eq!(hand.sorter.track(LOOP).occupied, 10);
    for cell in 0..10 {
        let at = sorthub_core::units::BeltMm(0);
        let (cell, item) = (CellId(cell), PlcItem(100 + cell));
        hand.tell(Signal::Unexpected { cell, item, at });
    }
    assert_eq!(hand.sorter.track(LOOP).occupied, 10);
}

#[test]
fn people_stop_and_limit_an_induction() {
    let mut hand = hand();
    let said = wish(&mut hand, InductionWish::Limit(900));
    assert_eq!(pace(&said), Some((Pace::Run, 900)));
    let said = wish(&mut hand, InductionWish::Stop);
    assert_eq!(pace(&said), Some((Pace::Stop, 900)));
    hand.run_track(TrackWish::Drain);
    let said = wish(&mut hand, InductionWish::Run);
    assert_eq!(pace(&said), None, "its track lets nobody in");
    let said = hand.run_track(TrackWish::Start);
    assert_eq!(pace(&said), Some((Pace::Run, 900)));
    let said = wish(&mut hand, InductionWish::Limit(0));
    assert_eq!(pace(&said), Some((Pace::Run, 0)));
}

#[test]
fn a_quota_is_a_rate_that_leaves_carriers_to_others() {
    let mut spec = loop_spec();
    spec.inductions[0].quota_permille = 400;
    let mut hand = Hand::new(spec, plan_spec());
    // 1000 mm/s over carriers of 600 mm are 6000 an hour; two fifths of them 2400.
    assert_eq!(pace(&hand.told()), Some((Pace::Run, 2_400)));
    let said = wish(&mut hand, InductionWish::Limit(3_000));
    assert_eq!(pace(&said), None, "the lower one holds");
    let said = wish(&mut hand, InductionWish::Limit(1_000));
    assert_eq!(pace(&said), Some((Pace::Run, 1_000)));
}

#[test]
fn without_caps_a_full_track_holds_nobody() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.told();
    for cell in 0..20 {
        assert_eq!(pace(&hand.inducted(cell, cell + 1)), None);
    }
}

#[test]
fn what_an_induction_really_does_is_kept_beside_what_it_was_told() {
    let mut hand = hand();
    let feeding = Feeding {
        runs: false,
        slow: false,
        rate_per_h: 0,
        because: Standstill::Locally,
    };
    let induction = InductionId(0);
    let said = hand.tell(Signal::InductionState { induction, feeding });
    assert!(said.is_empty(), "it is no reason to say anything: {said:?}");
    let view = hand.sorter.induction(induction);
    assert_eq!((view.pace, view.feeding), (Pace::Run, feeding));
}
