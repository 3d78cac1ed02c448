//! What the sorter does with parcels on a loop.

mod common;

use common::*;
use sorthub_core::facts::*;
use sorthub_core::ids::*;
use sorthub_core::plan::{NoReadPolicy, RoomPolicy};
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::*;
use sorthub_core::units::*;

#[test]
fn a_parcel_goes_all_the_way() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let said = hand.brought(3, 100, 1);
    let order = order(&said).expect("a read parcel is ordered at once");
    assert_eq!(
        chutes(&order),
        [1, 2],
        "its chute first, the alternate second"
    );
    assert_eq!((order.item, order.cell), (PlcItem(100), CellId(3)));
    assert_eq!((order.revision, order.plan_version), (1, 7));
    assert_eq!(order.parcel, ParcelId::new(5, 1));
    hand.belt(3_500);
    let said = hand.discharged(1, 3, 100);
    assert_eq!(
        ended(&said),
        Some((Disposition::Sorted, Reason::Planned, Some(1)))
    );
    assert_eq!(hand.sorter.books().sorted, 1);
    assert_eq!(hand.sorter.items().count(), 0);
}

#[test]
fn telegram_and_item_meet_in_either_order() {
    for telegram_first in [true, false] {
        let mut hand = Hand::new(loop_spec(), plan_spec());
        hand.inducted(3, 100);
        hand.belt(500);
        let (first, second) = if telegram_first {
            (hand.scanned(9, good(1, 0)), hand.at_scanner(3, 100, 9))
        } else {
            (hand.at_scanner(3, 100, 9), hand.scanned(9, good(1, 0)))
        };
        assert_eq!(order(&first), None);
        assert_eq!(order(&second).map(|order| chutes(&order)), Some(vec![0]));
    }
}

#[test]
fn a_telegram_for_nobody_is_counted_and_dropped() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.inducted(3, 100);
    hand.belt(500);
    hand.scanned(77, good(1, 0));
    hand.at_scanner(3, 100, 9);
    hand.belt(1_301);
    assert_eq!(hand.sorter.books().unmatched_scans, 1);
    // Its item's own telegram never came, so it was a silent scan; both within the allowance.
    hand.belt(1_302);
    assert_eq!(hand.sorter.books().silent_scans, 1);
}

#[test]
fn two_candidates_are_never_a_guess() {
    let mut hub = loop_spec();
    hub.scanners[0].meets_by = sorthub_core::hub::MeetsBy::Encoder { window: Mm(300) };
    let mut hand = Hand::new(hub, plan_spec());
    hand.inducted(3, 100);
    hand.inducted(4, 101);
    hand.belt(500);
    hand.at_scanner(3, 100, 1);
    hand.at_scanner(4, 101, 2);
    let key = ScanKey::Encoder(BeltMm(500));
    let said = hand.tell(Signal::Scanned {
        scanner: ScannerId(0),
        key,
        facts: good(1, 0),
    });
    assert_eq!(order(&said), None);
    assert_eq!(hand.sorter.books().unmatched_scans, 1);
}

#[test]
fn an_unread_parcel_is_tried_again_and_rejected_when_no_lap_is_left() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.inducted(3, 100);
    for lap in 0..4 {
        hand.belt(500 + lap * 12_000);
        hand.at_scanner(3, 100, lap as u16);
        assert_eq!(
            order(&hand.scanned(lap as u16, Facts::default())).is_some(),
            lap == 2
        );
        if lap == 2 {
            break;
        }
        hand.belt(11_500 + lap * 12_000);
        hand.lap(3, 100);
    }
    hand.belt(29_500);
    let said = hand.discharged(3, 3, 100);
    assert_eq!(
        ended(&said),
        Some((Disposition::Rejected, Reason::NoRead, Some(3)))
    );
}

#[test]
fn an_unread_parcel_is_rejected_at_once_if_the_plan_says_so() {
    let mut plan = plan_spec();
    plan.no_read = NoReadPolicy::Reject;
    let mut hand = Hand::new(loop_spec(), plan);
    hand.inducted(3, 100);
    hand.belt(500);
    hand.at_scanner(3, 100, 1);
    let said = hand.scanned(1, Facts::default());
    assert_eq!(
        order(&said).map(|o| (chutes(&o), o.why)),
        Some((vec![3], Reason::NoRead))
    );
}

#[test]
fn a_silent_scanner_is_given_up_by_belt_not_by_time() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.inducted(3, 100);
    hand.belt(500);
    hand.at_scanner(3, 100, 1);
    assert_eq!(hand.sorter.next_timeout(), Some(Micros::from_millis(1_300)));
    let stop = Signal::Belt {
        track: LOOP,
        at: BeltMm(600),
        speed: MmPerS(0),
    };
    hand.now = Micros::from_millis(600);
    hand.tell(stop);
    assert_eq!(
        hand.sorter.next_timeout(),
        None,
        "a stopped belt runs no deadline down"
    );
    hand.now = Micros::from_secs(3_600);
    hand.tell(Signal::Tick);
    assert_eq!(hand.sorter.books().silent_scans, 0);
}

#[test]
fn a_refused_parcel_laps_and_is_rejected_after_the_last() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.brought(3, 100, 0);
    let mut laps = 0;
    let rejected = loop {
        hand.belt(2_500 + laps * 12_000);
        let said = hand.refused(0, 3, 100);
        if let Some(order) = order(&said) {
            break order;
        }
        laps += 1;
        hand.belt(11_500 + (laps - 1) * 12_000);
        assert_eq!(
            order(&hand.lap(3, 100)),
            None,
            "the standing order serves for the next lap"
        );
    };
    assert_eq!(laps, 2);
    assert_eq!(
        (chutes(&rejected), rejected.why),
        (vec![3], Reason::MostLaps)
    );
    assert_eq!(rejected.revision, 2, "newer than the order before");
    assert_eq!(hand.sorter.books().recirculated, 2);
    let said = hand.discharged(3, 3, 100);
    assert_eq!(
        ended(&said),
        Some((Disposition::Rejected, Reason::MostLaps, Some(3)))
    );
}

#[test]
fn overflow_comes_before_reject_and_reject_after_a_refusing_overflow() {
    let mut plan = plan_spec();
    plan.laps_max = 0;
    let mut hand = Hand::new(loop_spec(), plan);
    hand.brought(3, 100, 2);
    hand.belt(4_500);
    let said = hand.refused(2, 3, 100);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![0]));
    hand.belt(14_500);
    let said = hand.refused(0, 3, 100);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![3]));
}

/// Its own chute may be open again by then; but it has had its laps.
#[test]
fn an_overflow_that_closes_calls_nobody_back_to_his_own_chute() {
    let mut plan = plan_spec();
    plan.laps_max = 0;
    let mut hand = Hand::new(loop_spec(), plan);
    hand.brought(3, 100, 2);
    hand.belt(4_500);
    let said = hand.refused(2, 3, 100);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![0]));
    let said = hand.tell(Signal::Chute {
        chute: ChuteId(0),
        state: ChuteState {
            jammed: true,
            ..ChuteState::OPEN
        },
        taken: 0,
    });
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![3]));
}

#[test]
fn a_closed_chute_is_passed_over_for_an_open_alternate() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let state = ChuteState {
        full: true,
        ..ChuteState::OPEN
    };
    hand.tell(Signal::Chute {
        chute: ChuteId(1),
        state,
        taken: 0,
    });
    let said = hand.brought(3, 100, 1);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![2]));
}

#[test]
fn reserved_room_counts_those_on_their_way() {
    let mut hub = loop_spec();
    hub.chutes[0].sensing = sorthub_core::hub::Sensing::Counted;
    let mut plan = plan_spec();
    plan.room = RoomPolicy::Reserve;
    let mut hand = Hand::new(hub, plan);
    for n in 0..3 {
        assert!(order(&hand.brought(n, 100 + n, 0)).is_some(), "three fit");
    }
    assert_eq!(
        order(&hand.brought(3, 103, 0)),
        None,
        "the fourth has no room"
    );
    assert_eq!(hand.sorter.chute(ChuteId(0)).coming, 3);
    hand.discharged(0, 0, 100);
    hand.lap(3, 103);
    assert_eq!(
        hand.sorter.chute(ChuteId(0)).holds,
        1,
        "it lies in the chute now"
    );
    assert_eq!(
        hand.sorter.chute(ChuteId(0)).coming,
        2,
        "so there is still no room"
    );
    hand.tell(Signal::Chute {
        chute: ChuteId(0),
        state: ChuteState::OPEN,
        taken: 1,
    });
    let said = hand.lap(3, 103);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![0]));
}

#[test]
fn a_missort_is_counted_and_alarmed() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.brought(3, 100, 0);
    let said = hand.discharged(1, 3, 100);
    assert_eq!(
        ended(&said),
        Some((Disposition::Sorted, Reason::Elsewhere, Some(1)))
    );
    assert!(
        said.iter()
            .any(|output| matches!(output, Output::Alarm(Alarm::Missort { .. })))
    );
    assert_eq!(hand.sorter.books().missorted, 1);
}

#[test]
fn what_is_not_heard_of_for_a_lap_is_lost_but_not_while_the_belt_stands() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.brought(3, 100, 0);
    hand.now = Micros::from_secs(7_200);
    hand.tell(Signal::Belt {
        track: LOOP,
        at: BeltMm(600),
        speed: MmPerS(0),
    });
    assert_eq!(hand.sorter.books().lost, 0);
    let mut lost_at = None;
    for mm in (600..40_000).step_by(100) {
        hand.now = hand.now.after(Micros::from_millis(100));
        hand.tell(Signal::Belt {
            track: LOOP,
            at: BeltMm(mm),
            speed: MmPerS(1_000),
        });
        if hand.sorter.books().lost == 1 && lost_at.is_none() {
            lost_at = Some(mm);
        }
    }
    let lost_at = lost_at.expect("lost in the end");
    // Last heard of at 500; a lap of 12 m and 300 mm, found within the next round of looks.
    assert!((12_800..=25_000).contains(&lost_at), "lost at {lost_at}");
}

#[test]
fn after_a_plc_restart_a_parcel_is_known_again_by_its_code() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let said = hand.brought(3, 100, 0);
    let parcel = order(&said).expect("ordered").parcel;
    let said = hand.tell(Signal::Link {
        track: LOOP,
        to: LinkState::Reset,
    });
    assert!(said.iter().any(|output| {
        matches!(
            output,
            Output::Alarm(Alarm::TrackingReset { in_doubt: 1, .. })
        )
    }));
    // The encoder starts anew; the carrier has another number, the parcel too.
    hand.tell(Signal::Belt {
        track: LOOP,
        at: BeltMm(0),
        speed: MmPerS(1_000),
    });
    let at = BeltMm(50);
    hand.tell(Signal::Unexpected {
        cell: CellId(8),
        item: PlcItem(1),
        at,
    });
    hand.at_scanner(8, 1, 40);
    let said = hand.scanned(40, good(100, 0));
    let order = order(&said).expect("ordered anew");
    assert_eq!(
        (order.parcel, order.cell, order.item),
        (parcel, CellId(8), PlcItem(1))
    );
    let said = hand.discharged(0, 8, 1);
    assert_eq!(
        ended(&said),
        Some((Disposition::Sorted, Reason::Planned, Some(0)))
    );
    assert_eq!(
        (hand.sorter.books().inducted, hand.sorter.books().adopted),
        (1, 1)
    );
}

#[test]
fn a_parcel_that_was_never_read_is_found_again_without_a_name() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.inducted(3, 100);
    hand.tell(Signal::Link {
        track: LOOP,
        to: LinkState::Reset,
    });
    hand.tell(Signal::Belt {
        track: LOOP,
        at: BeltMm(0),
        speed: MmPerS(1_000),
    });
    let at = BeltMm(50);
    hand.tell(Signal::Unexpected {
        cell: CellId(8),
        item: PlcItem(1),
        at,
    });
    hand.at_scanner(8, 1, 40);
    let said = hand.scanned(40, good(100, 0));
    assert_eq!(
        order(&said).map(|order| order.parcel),
        Some(ParcelId::new(5, 1))
    );
    hand.discharged(0, 8, 1);
    let books = hand.sorter.books();
    assert_eq!((books.inducted, books.sorted, books.adopted), (1, 1, 1));
}

/// Where scanners tell carriers only, the lap eye is the one that tells of it.
#[test]
fn what_was_given_up_and_passes_the_lap_eye_is_taken_up() {
    let mut hub = loop_spec();
    hub.scanners[0].meets_by = sorthub_core::hub::MeetsBy::Carrier;
    let mut hand = Hand::new(hub, plan_spec());
    hand.inducted(3, 100);
    hand.belt(11_000);
    let said = hand.belt(23_000);
    assert_eq!(
        ended(&said),
        Some((Disposition::Lost, Reason::Missing, None))
    );
    hand.belt(23_500);
    hand.lap(3, 100);
    hand.belt(24_500);
    let said = hand.tell(Signal::Scanned {
        scanner: ScannerId(0),
        key: ScanKey::Carrier(CellId(3)),
        facts: good(1, 0),
    });
    let order = order(&said).expect("it is there, and has been read");
    assert_eq!((order.cell, order.item), (CellId(3), PlcItem(100)));
    assert_eq!(chutes(&order), [0]);
}

#[test]
fn an_inventory_takes_up_what_is_there_and_ends_what_is_not() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.brought(3, 100, 0);
    hand.inducted(4, 101);
    hand.belt(2_000);
    let at = BeltMm(2_000);
    hand.tell(Signal::Inventory {
        cell: CellId(4),
        item: PlcItem(101),
        at,
    });
    hand.tell(Signal::Inventory {
        cell: CellId(9),
        item: PlcItem(77),
        at,
    });
    hand.tell(Signal::InventoryEnd { track: LOOP, at });
    let said = hand.tell(Signal::Tick);
    assert_eq!(
        ended(&said).map(|(how, ..)| how),
        Some(Disposition::Removed)
    );
    let on: Vec<u32> = hand.sorter.items().map(|item| item.item.0).collect();
    assert_eq!(on, [101, 77]);
}

#[test]
fn two_different_codes_on_one_item_are_a_conflict() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.brought(3, 100, 0);
    hand.belt(12_500);
    hand.at_scanner(3, 100, 2);
    let said = hand.scanned(2, good(555, 1));
    assert_eq!(
        order(&said).map(|o| (chutes(&o), o.why)),
        Some((vec![3], Reason::Conflict))
    );
}

#[test]
fn a_taken_counter_that_goes_back_counts_as_emptied_only_if_far() {
    let mut hub = loop_spec();
    hub.chutes[0].sensing = sorthub_core::hub::Sensing::Counted;
    let mut hand = Hand::new(hub, plan_spec());
    let told = |taken| Signal::Chute {
        chute: ChuteId(0),
        state: ChuteState::OPEN,
        taken,
    };
    hand.tell(told(500));
    for n in 0..3 {
        hand.brought(n, 100 + n, 0);
        hand.discharged(0, n, 100 + n);
    }
    hand.tell(told(499));
    assert_eq!(
        hand.sorter.chute(ChuteId(0)).holds,
        3,
        "an older state says nothing new"
    );
    hand.tell(told(500));
    assert_eq!(
        hand.sorter.chute(ChuteId(0)).holds,
        3,
        "nor does the same again"
    );
    hand.tell(told(501));
    assert_eq!(hand.sorter.chute(ChuteId(0)).holds, 2);
    hand.tell(told(0));
    assert_eq!(
        hand.sorter.chute(ChuteId(0)).holds,
        0,
        "its PLC has restarted"
    );
}

#[test]
fn a_trembling_encoder_moves_nobody() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.brought(3, 100, 0);
    let (track, speed) = (LOOP, MmPerS(0));
    for n in 0..2_000 {
        let at = BeltMm(500 - n % 2);
        hand.tell(Signal::Belt { track, at, speed });
    }
    let origin = hand.sorter.items().next().map(|item| item.origin);
    assert_eq!(
        origin,
        Some(BeltMm(-500)),
        "the scanner's eye stands at 1000"
    );
}

#[test]
fn an_order_of_an_earlier_run_is_passed() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let first = order(&hand.brought(3, 100, 0)).expect("ordered");
    let (cell, item, revision) = (CellId(3), PlcItem(100), first.revision);
    let answer = OrderAnswer::OldRevision;
    let said = hand.tell(Signal::OrderAnswered {
        cell,
        item,
        revision,
        answer,
    });
    let second = order(&said).expect("given again");
    assert_eq!(second.chutes, first.chutes);
    assert!(
        second.revision > first.revision + 200,
        "newer than what the PLC may hold"
    );
}

#[test]
fn a_plc_that_refuses_is_not_asked_the_same_at_once_again() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let first = order(&hand.brought(3, 100, 0)).expect("ordered");
    let (cell, item, revision) = (CellId(3), PlcItem(100), first.revision);
    let answer = OrderAnswer::WrongEpoch;
    let said = hand.tell(Signal::OrderAnswered {
        cell,
        item,
        revision,
        answer,
    });
    assert_eq!(order(&said), None);
    hand.belt(11_500);
    let said = hand.lap(3, 100);
    assert_eq!(
        order(&said).map(|order| order.chutes),
        Some(first.chutes),
        "a lap later"
    );
}

#[test]
fn a_lap_begun_behind_the_scanner_is_no_try() {
    let mut plan = plan_spec();
    plan.laps_max = 0;
    let mut hand = Hand::new(loop_spec(), plan);
    hand.inducted(3, 100);
    hand.belt(300);
    assert_eq!(order(&hand.lap(3, 100)), None);
    hand.belt(600);
    hand.at_scanner(3, 100, 1);
    let said = hand.scanned(1, good(1, 0));
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![0]));
}

#[test]
fn a_telegram_of_before_a_restart_finds_nobody() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.scanned(7, good(1, 0));
    hand.tell(Signal::Link {
        track: LOOP,
        to: LinkState::Reset,
    });
    hand.tell(Signal::Belt {
        track: LOOP,
        at: BeltMm(0),
        speed: MmPerS(1_000),
    });
    hand.inducted(3, 100);
    let said = hand.at_scanner(3, 100, 7);
    assert_eq!(order(&said), None);
}

#[test]
fn telegrams_that_two_could_be_meant_by_are_nobodys() {
    let mut hub = loop_spec();
    hub.scanners[0].meets_by = sorthub_core::hub::MeetsBy::Encoder { window: Mm(200) };
    let mut hand = Hand::new(hub, plan_spec());
    hand.inducted(3, 100);
    hand.inducted(4, 101);
    hand.belt(1_030);
    for at in [990, 1_020] {
        let key = ScanKey::Encoder(BeltMm(at));
        hand.tell(Signal::Scanned {
            scanner: ScannerId(0),
            key,
            facts: good(1, 0),
        });
    }
    let eye = |cell: u32, item: u32, at| Signal::AtScanner {
        scanner: ScannerId(0),
        cell: CellId(cell),
        item: PlcItem(item),
        trigger: 0,
        at: BeltMm(at),
    };
    assert_eq!(order(&hand.tell(eye(3, 100, 1_000))), None);
    assert_eq!(
        order(&hand.tell(eye(4, 101, 1_200))),
        None,
        "not the one left over"
    );
}
