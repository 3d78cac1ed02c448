//! What a PLC answers to orders, and what is made of it.

mod common;

use common::{Hand, LOOP, chutes, ended, good, loop_spec, order, plan_spec};
use sorthub_core::facts::DestKey;
use sorthub_core::ids::{CellId, ChuteId, PlcItem};
use sorthub_core::operator::WaybillWish;
use sorthub_core::plan::RoomPolicy;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::{ChuteState, OrderAnswer, Output, Signal};
use sorthub_core::units::BeltMm;

#[test]
fn what_leaves_by_an_order_of_the_run_before_is_no_missort() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let at = BeltMm(0);
    hand.tell(Signal::Inventory {
        cell: CellId(4),
        item: PlcItem(101),
        at,
    });
    hand.tell(Signal::InventoryEnd { track: LOOP, at });
    let said = hand.discharged(1, 4, 101);
    let expected = (Disposition::Sorted, Reason::UnknownItem, Some(1));
    assert_eq!(ended(&said), Some(expected));
    assert_eq!(hand.sorter.books().missorted, 0);
}

#[test]
fn an_order_the_plc_calls_late_is_given_again() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let first = order(&hand.brought(3, 100, 0)).expect("ordered");
    let answer = |revision, answer| Signal::OrderAnswered {
        cell: CellId(3),
        item: PlcItem(100),
        revision,
        answer,
    };
    let said = hand.tell(answer(first.revision, OrderAnswer::Expired));
    let second = order(&said).expect("given again");
    assert!(second.revision > first.revision);
    let said = hand.tell(answer(first.revision, OrderAnswer::Expired));
    assert_eq!(
        order(&said),
        None,
        "an answer to an old order changes nothing"
    );
}

#[test]
fn an_order_that_came_too_late_tells_where_the_belt_is() {
    // The belt's place is not told as long as there is anything else to tell.
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let first = order(&hand.brought(3, 100, 0)).expect("ordered");
    let said = hand.tell(Signal::OrderAnswered {
        cell: CellId(3),
        item: PlcItem(100),
        revision: first.revision,
        answer: OrderAnswer::Expired,
    });
    let second = order(&said).expect("given again");
    let lap = 12_000;
    assert!(second.obey_by >= first.obey_by.plus(lap), "{second:?}");
    // Once it is told, that counts.
    hand.belt(first.obey_by.0 + 100);
    assert_eq!(hand.sorter.track(LOOP).at, first.obey_by.plus(100));
}

#[test]
fn an_order_of_the_run_before_that_is_confirmed_makes_ours_newer() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let (cell, item, at) = (CellId(4), PlcItem(101), BeltMm(0));
    hand.tell(Signal::Inventory { cell, item, at });
    hand.tell(Signal::InventoryEnd { track: LOOP, at });
    hand.tell(Signal::OrderAnswered {
        cell,
        item,
        revision: 3,
        answer: OrderAnswer::Accepted,
    });
    hand.belt(500);
    hand.at_scanner(4, 101, 1);
    let ours = order(&hand.scanned(1, good(101, 0))).expect("ordered");
    assert_eq!(ours.revision, 4);
}

#[test]
fn a_lap_past_its_chute_counts_though_there_is_an_order_again_at_the_lap_eye() {
    // How far the belt has gone when the chute, 3 m on, opens again; and the laps counted.
    for (opens_at, laps) in [(1_000, 0), (4_000, 1)] {
        let mut plan = plan_spec();
        plan.room = RoomPolicy::Reserve;
        let mut hand = Hand::new(loop_spec(), plan);
        let full = |full| Signal::Chute {
            chute: ChuteId(0),
            state: ChuteState {
                full,
                ..ChuteState::OPEN
            },
            taken: 0,
        };
        hand.tell(full(true));
        assert_eq!(order(&hand.brought(3, 100, 0)), None);
        hand.belt(opens_at);
        hand.tell(full(false));
        let to = DestKey::of("a");
        let said = hand.waybill(100, WaybillWish::Intercept { to });
        assert!(order(&said).is_some(), "{said:?}");
        hand.belt(12_000);
        hand.lap(3, 100);
        assert_eq!(hand.sorter.books().recirculated, laps, "{opens_at}");
    }
}

#[test]
fn an_order_that_is_never_answered_for_is_taken_back_and_given_anew() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let first = order(&hand.brought(3, 100, 0)).expect("ordered");
    let mut said = vec![];
    for lap in 1..=5 {
        hand.belt(lap * 12_000);
        said = hand.lap(3, 100);
    }
    let withdrawn = said.iter().find_map(|output| match output {
        Output::Withdraw { revision, .. } => Some(*revision),
        _ => None,
    });
    let anew = order(&said).expect("it goes to the reject chute now");
    assert_eq!(withdrawn, Some(first.revision + 1));
    assert_eq!(
        (anew.revision, chutes(&anew)),
        (first.revision + 2, vec![3])
    );
}
