//! What the sorter does with parcels on a line.

mod common;

use common::*;
use sorthub_core::ids::*;
use sorthub_core::plan::RoomPolicy;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::*;
use sorthub_core::units::*;

fn end_of_line(hand: &mut Hand, cell: u32, item: u32) {
    let at = BeltMm(hand.now.0 as i64 / 1_000);
    hand.tell(Signal::Returning {
        cell: CellId(cell),
        item: PlcItem(item),
        at,
    });
}

fn came_round(hand: &mut Hand, cell: u32, item: u32) -> Vec<Output> {
    let at = BeltMm(hand.now.0 as i64 / 1_000);
    hand.tell(Signal::Inducted {
        induction: InductionId(0),
        cell: CellId(cell),
        item: PlcItem(item),
        at,
        length: Mm(400),
        spans: 1,
        returned: true,
    })
}

#[test]
fn only_chutes_still_ahead_are_ordered() {
    for (telegram_at, expected) in [(3_300, vec![1, 2]), (3_301, vec![2]), (4_301, vec![3])] {
        let mut hub = line_spec(None);
        hub.scanners[0].wait = Mm(5_000);
        let mut hand = Hand::new(hub, plan_spec());
        hand.inducted(0, 1);
        hand.belt(500);
        hand.at_scanner(0, 1, 1);
        // B stands at 4000 and must be ordered 200 before: the item is there at belt 3300.
        hand.belt(telegram_at);
        let order = order(&hand.scanned(1, good(1, 1))).expect("ordered");
        assert_eq!(
            chutes(&order),
            expected,
            "with the telegram at {telegram_at}"
        );
    }
}

#[test]
fn a_jammed_chute_is_passed_over_on_a_line() {
    let mut hand = Hand::new(line_spec(None), plan_spec());
    let state = ChuteState {
        jammed: true,
        ..ChuteState::OPEN
    };
    hand.tell(Signal::Chute {
        chute: ChuteId(1),
        state,
        taken: 0,
    });
    let said = hand.brought(0, 1, 1);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![2]));
}

#[test]
fn without_a_return_the_end_takes_what_no_chute_can() {
    let mut hand = Hand::new(line_spec(None), plan_spec());
    let state = ChuteState {
        locked: true,
        ..ChuteState::OPEN
    };
    hand.tell(Signal::Chute {
        chute: ChuteId(0),
        state,
        taken: 0,
    });
    let said = hand.brought(0, 1, 0);
    assert_eq!(
        order(&said).map(|o| (chutes(&o), o.why)),
        Some((vec![3], Reason::ChuteLocked))
    );
    let said = hand.discharged(3, 0, 1);
    assert_eq!(
        ended(&said),
        Some((Disposition::Rejected, Reason::ChuteLocked, Some(3)))
    );
}

#[test]
fn with_a_return_it_comes_round_so_often_and_no_more() {
    let mut plan = plan_spec();
    plan.room = RoomPolicy::Reserve;
    let mut hand = Hand::new(line_spec(Some(3_000)), plan);
    let state = ChuteState {
        locked: true,
        ..ChuteState::OPEN
    };
    hand.tell(Signal::Chute {
        chute: ChuteId(0),
        state,
        taken: 0,
    });
    hand.brought(0, 1, 0);
    let mut rounds = 0;
    let rejected = loop {
        hand.belt(6_000 + rounds * 10_000);
        end_of_line(&mut hand, rounds as u32, 1);
        assert_eq!(hand.sorter.items().count(), 0, "it is in no window now");
        assert_eq!(hand.sorter.books().on_sorter, 1, "but still in the book");
        rounds += 1;
        hand.belt(10_000 * rounds);
        came_round(&mut hand, rounds as u32, 1);
        hand.belt(10_000 * rounds + 500);
        hand.at_scanner(rounds as u32, 1, rounds as u16);
        if let Some(order) = order(&hand.scanned(rounds as u16, good(1, 0))) {
            break order;
        }
    };
    assert_eq!(rounds, 2, "the plan allows two laps");
    assert_eq!(
        (chutes(&rejected), rejected.why),
        (vec![3], Reason::MostLaps)
    );
    assert_eq!(hand.sorter.books().recirculated, 2);
}

#[test]
fn a_refusal_on_a_line_tries_a_chute_further_on() {
    let mut plan = plan_spec();
    plan.destinations[1].chutes = vec![ChuteId(1)];
    plan.destinations[1].overflow = vec![ChuteId(2)];
    let mut hand = Hand::new(line_spec(None), plan);
    hand.brought(0, 1, 1);
    hand.belt(3_550);
    let said = hand.refused(1, 0, 1);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![2]));
}

#[test]
fn a_missed_eye_does_not_shift_the_parcels_behind() {
    let mut hand = Hand::new(line_spec(None), plan_spec());
    for item in 0..4 {
        hand.belt(i64::from(item) * 900);
        hand.inducted(item, 10 + item);
    }
    // The eye misses item 11 altogether; items 10, 12, 13 must get their own destinations.
    hand.belt(3_000);
    for (item, dest) in [(0, 0), (2, 1), (3, 2)] {
        hand.at_scanner(item, 10 + item, item as u16);
        let said = hand.scanned(item as u16, good(u64::from(item) + 1, dest));
        let order = order(&said).expect("ordered");
        assert_eq!(order.item, PlcItem(10 + item));
        assert_eq!(order.chutes[0], Some(ChuteId(dest as u16)));
    }
}

#[test]
fn what_reaches_the_end_without_a_word_is_lost_in_the_end() {
    let mut hand = Hand::new(line_spec(None), plan_spec());
    hand.brought(0, 1, 0);
    for mm in (600..20_000).step_by(50) {
        hand.belt(mm);
    }
    assert_eq!(hand.sorter.books().lost, 1);
    assert!(hand.sorter.books().balance());
}

#[test]
fn a_parcel_taken_off_the_return_is_removed_not_lost() {
    let mut hand = Hand::new(line_spec(Some(3_000)), plan_spec());
    hand.brought(0, 1, 0);
    hand.belt(6_000);
    end_of_line(&mut hand, 0, 1);
    let said = hand.tell(Signal::RemovedByHand {
        cell: CellId(0),
        item: PlcItem(1),
    });
    assert_eq!(
        ended(&said).map(|(how, ..)| how),
        Some(Disposition::Removed)
    );
    assert_eq!(hand.sorter.books().on_sorter, 0);
}
