//! What is said of a waybill holds for all its parcels, those that ride and those to come.

mod common;

use std::sync::Arc;

use common::*;
use sorthub_core::facts::*;
use sorthub_core::hub::TrackKind;
use sorthub_core::ids::*;
use sorthub_core::limits::{INSTRUCTIONS_MAX, SWEEP_PER_CALL_MAX};
use sorthub_core::operator::*;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::*;
use sorthub_core::sorter::Sorter;
use sorthub_core::units::*;

const CODE: u64 = 42;

fn intercept(to: &str) -> WaybillWish {
    let to = DestKey::of(to);
    WaybillWish::Intercept { to }
}

#[test]
fn a_hold_reaches_every_parcel_that_rides_with_the_number() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.read(3, 100, good(CODE, 0));
    hand.read(4, 101, good(CODE + 1, 0));
    hand.read(5, 102, good(CODE, 1));
    let said = hand.waybill(CODE, WaybillWish::Hold);
    let held = said.iter().filter_map(|output| match output {
        Output::Divert(order) => Some((order.item.0, chutes(order), order.why, order.revision)),
        _ => None,
    });
    let held: Vec<_> = held.collect();
    let expected = [
        (100, vec![3], Reason::Held, 2),
        (102, vec![3], Reason::Held, 2),
    ];
    assert_eq!(held, expected);
    let said = hand.waybill(CODE, WaybillWish::Release);
    assert_eq!(
        order(&said).map(|order| (order.item.0, chutes(&order))),
        Some((100, vec![0]))
    );
}

#[test]
fn an_intercept_waits_for_its_parcel() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    assert_eq!(hand.waybill(CODE, intercept("c")), []);
    assert_eq!(hand.sorter.instructions().0, 1);
    let said = hand.read(3, 100, good(CODE, 0));
    assert_eq!(
        decided(&said),
        Some((Some(2), Reason::Intercept, Basis::Intercept))
    );
    hand.belt(4_500);
    let said = hand.discharged(2, 3, 100);
    let sorted = (Disposition::Sorted, Reason::Intercept, Some(2));
    assert_eq!(ended(&said), Some(sorted));
    hand.waybill(CODE, WaybillWish::CancelIntercept);
    assert_eq!(hand.sorter.instructions().0, 0);
}

#[test]
fn a_hold_and_an_intercept_end_one_without_the_other() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.waybill(CODE, intercept("c"));
    hand.waybill(CODE, WaybillWish::Hold);
    let said = hand.read(3, 100, good(CODE, 0));
    let held = (Some(3), Reason::Held, Basis::Hold);
    assert_eq!(decided(&said), Some(held));
    let said = hand.waybill(CODE, WaybillWish::Release);
    let redirected = (Some(2), Reason::Intercept, Basis::Intercept);
    assert_eq!(
        decided(&said),
        Some(redirected),
        "the redirect still stands"
    );
    hand.waybill(CODE, WaybillWish::Hold);
    assert_eq!(hand.waybill(CODE, WaybillWish::CancelIntercept), []);
    let said = hand.waybill(CODE, WaybillWish::Release);
    let planned = (Some(0), Reason::Planned, Basis::PreAdvice);
    assert_eq!(decided(&said), Some(planned));
    assert_eq!(hand.sorter.instructions().0, 0);
}

#[test]
fn what_stands_is_listed_in_pages_without_gaps() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    // In an order that is neither up nor down.
    let codes: Vec<u64> = (1..=100).map(|nth| 1 + nth * 37 % 101).collect();
    for &code in &codes {
        hand.waybill(code, WaybillWish::Hold);
    }
    hand.waybill(50, intercept("b"));
    hand.waybill(51, WaybillWish::Verdict(Verdict::Suspect));
    hand.waybill(52, WaybillWish::Release);
    let (mut page, mut after, mut all) = (Vec::with_capacity(7), CodeId::NONE, vec![]);
    loop {
        hand.sorter.standing(after, &mut page);
        assert!(page.len() <= 7 && page.capacity() == 7, "{page:?}");
        let Some(last) = page.last() else { break };
        after = last.code;
        all.extend_from_slice(&page);
    }
    let mut expected = codes;
    expected.sort_unstable();
    expected.retain(|&code| code != 52);
    let listed: Vec<u64> = all.iter().map(|told| told.code.0).collect();
    assert_eq!(listed, expected);
    let of = |code| {
        let told = all.iter().find(|told| told.code == CodeId(code));
        let told = told.expect("it is listed");
        assert_eq!(*told, hand.sorter.stands_for(CodeId(code)));
        (told.is_held, told.is_suspect, told.intercept)
    };
    assert_eq!(of(50), (true, false, DestKey::of("b")));
    assert_eq!(of(51), (true, true, DestKey::NONE));
    assert_eq!(of(53), (true, false, DestKey::NONE));
    assert!(!hand.sorter.stands_for(CodeId(52)).says_something());
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let mut wants = |code, to| {
        let code = CodeId(code);
        hand.command(Command::Waybill { code, to }).0
    };
    let to_none = WaybillWish::Intercept { to: DestKey::NONE };
    assert_eq!(wants(CODE, to_none), Err(Refused::NoSuchDestination));
    assert_eq!(wants(0, WaybillWish::Hold), Err(Refused::NoCode));
    assert_eq!(wants(CODE, WaybillWish::Release), Err(Refused::NotHeld));
    let cancel = WaybillWish::CancelIntercept;
    assert_eq!(wants(CODE, cancel), Err(Refused::NotIntercepted));
    assert_eq!(hand.sorter.instructions().0, 0);
}

#[test]
fn a_suspect_waybill_is_held_until_it_is_cleared_whoever_releases_it() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.read(3, 100, good(CODE, 0));
    let said = hand.waybill(CODE, WaybillWish::Verdict(Verdict::Suspect));
    assert_eq!(
        decided(&said),
        Some((Some(3), Reason::SecurityHold, Basis::Hold))
    );
    let (code, to) = (CodeId(CODE), WaybillWish::Release);
    let released = hand.command(Command::Waybill { code, to }).0;
    assert_eq!(released, Err(Refused::Suspect));
    let chute = ChuteId(0);
    let forced = hand.try_parcel(1, ParcelWish::Force { chute });
    assert_eq!(forced, (Err(Refused::Suspect), vec![]));
    let said = hand.waybill(CODE, WaybillWish::Verdict(Verdict::Clear));
    assert_eq!(
        decided(&said),
        Some((Some(0), Reason::Planned, Basis::PreAdvice))
    );
}

#[test]
fn clearing_a_waybill_clears_what_a_device_here_has_seen() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let mut facts = good(CODE, 0);
    facts.verdict = Verdict::Suspect;
    let said = hand.read(3, 100, facts);
    assert_eq!(
        decided(&said),
        Some((Some(3), Reason::SecurityHold, Basis::Hold))
    );
    let said = hand.waybill(CODE, WaybillWish::Verdict(Verdict::Clear));
    assert_eq!(
        decided(&said),
        Some((Some(0), Reason::Planned, Basis::PreAdvice))
    );
}

#[test]
fn the_same_chute_for_another_reason_is_told_without_a_new_order() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.read(3, 100, good(CODE, 0));
    let said = hand.waybill(CODE, intercept("a"));
    let decided_as = (Some(0), Reason::Intercept, Basis::Intercept);
    assert_eq!((decided(&said), order(&said)), (Some(decided_as), None));
}

#[test]
fn on_a_line_what_is_behind_is_not_reached_any_more_and_the_outcome_is_told_truthfully() {
    let mut hand = Hand::new(line_spec(None), plan_spec());
    hand.read(3, 100, good(CODE, 0));
    // Chute A stands at 3 m with 200 mm lead; the item was at 0.5 m when the belt was at 0.
    hand.belt(2_400);
    let said = hand.waybill(CODE, WaybillWish::Hold);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![3]));
    hand.belt(2_500);
    let said = hand.discharged(0, 3, 100);
    let sorted = (Disposition::Sorted, Reason::Late, Some(0));
    assert_eq!(ended(&said), Some(sorted));
    let slipped = Alarm::Slipped {
        parcel: ParcelId::new(5, 1),
        went: ChuteId(0),
        why: Reason::Held,
    };
    assert!(said.contains(&Output::Alarm(slipped)), "{said:?}");
    assert_eq!(hand.sorter.books().missorted, 0);
}

#[test]
fn of_orders_that_replaced_one_another_each_may_still_be_obeyed() {
    let mut hand = Hand::new(line_spec(None), plan_spec());
    hand.read(3, 100, good(CODE, 0));
    hand.belt(1_000);
    hand.waybill(CODE, intercept("c"));
    hand.belt(1_200);
    hand.waybill(CODE, intercept("b"));
    hand.belt(2_500);
    let said = hand.discharged(0, 3, 100);
    let sorted = (Disposition::Sorted, Reason::Late, Some(0));
    assert_eq!(ended(&said), Some(sorted));
    assert_eq!(hand.sorter.books().missorted, 0);
}

#[test]
fn a_replaced_order_excuses_nothing_once_its_chute_is_past() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.read(3, 100, good(CODE, 0));
    hand.belt(2_400);
    hand.waybill(CODE, WaybillWish::Hold);
    hand.belt(11_500);
    hand.lap(3, 100);
    hand.belt(14_500);
    let said = hand.discharged(0, 3, 100);
    let missorted = (Disposition::Sorted, Reason::Elsewhere, Some(0));
    assert_eq!(ended(&said), Some(missorted));
}

#[test]
fn a_hold_finds_a_parcel_in_doubt_when_it_is_read_again() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.read(3, 100, good(CODE, 0));
    let (track, to) = (LOOP, LinkState::Reset);
    hand.tell(Signal::Link { track, to });
    assert_eq!(hand.waybill(CODE, WaybillWish::Hold), []);
    hand.belt(500);
    let at = BeltMm(500);
    let (cell, item) = (CellId(3), PlcItem(7));
    hand.tell(Signal::Unexpected { cell, item, at });
    hand.at_scanner(3, 7, 9);
    let said = hand.scanned(9, good(CODE, 0));
    let order = order(&said).expect("it is found again");
    assert_eq!(
        (order.parcel, chutes(&order)),
        (ParcelId::new(5, 1), vec![3])
    );
    assert_eq!(order.why, Reason::Held);
}

#[test]
fn as_many_waybills_as_there_is_room_for() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    for code in 1..=INSTRUCTIONS_MAX as u64 {
        hand.waybill(code, WaybillWish::Hold);
    }
    let one_more = Command::Waybill {
        code: CodeId(INSTRUCTIONS_MAX as u64 + 1),
        to: WaybillWish::Hold,
    };
    assert_eq!(hand.command(one_more).0, Err(Refused::TooMany));
    // One that has word already can have more, and a released one makes room.
    hand.waybill(7, intercept("a"));
    hand.waybill(8, WaybillWish::Release);
    assert_eq!(hand.command(one_more).0, Ok(()));
    let (now, most) = hand.sorter.instructions();
    assert_eq!((now, most), (INSTRUCTIONS_MAX, INSTRUCTIONS_MAX));
}

/// A loop of 400 carriers, all but a few of them with parcels of one waybill.
fn a_shipment(parcels: u32) -> Hand {
    let mut hub = loop_spec();
    hub.tracks[0].kind = TrackKind::Loop {
        carriers: 400,
        pitch: Mm(600),
    };
    let mut hand = Hand::new(hub, plan_spec());
    for nth in 0..parcels {
        hand.read(nth, nth + 1, good(CODE, 0));
    }
    hand
}

fn orders(said: &[Output]) -> usize {
    said.iter()
        .filter(|output| matches!(output, Output::Divert(_)))
        .count()
}

#[test]
fn many_parcels_of_one_waybill_are_redecided_a_few_a_call() {
    let mut hand = a_shipment(300);
    let mut redecided = orders(&hand.waybill(CODE, WaybillWish::Hold));
    assert!(redecided > 0 && redecided <= SWEEP_PER_CALL_MAX);
    let mut calls = 0;
    while let Some(due) = hand
        .sorter
        .next_timeout()
        .filter(|due| *due <= hand.now.after(Micros(9)))
    {
        hand.now = hand.now.max(due);
        let now = orders(&hand.tell(Signal::Tick));
        assert!(now <= SWEEP_PER_CALL_MAX);
        redecided += now;
        calls += 1;
        assert!(calls < 10, "it does not come to an end");
    }
    assert_eq!(redecided, 300, "each of them once");
}

#[test]
fn a_second_word_on_a_large_shipment_overtakes_the_first() {
    let mut hand = a_shipment(300);
    hand.waybill(CODE, WaybillWish::Verdict(Verdict::Suspect));
    hand.now = hand.now.after(Micros(1));
    hand.tell(Signal::Tick);
    hand.waybill(CODE, WaybillWish::Verdict(Verdict::Clear));
    // A parcel that leaves just where the work goes on does not stop it.
    for item in 17..120_u64 {
        hand.parcel(item, ParcelWish::Removed);
    }
    let snapshot = hand.sorter.snapshot();
    let (hub, plan) = (
        Arc::clone(hand.sorter.hub()),
        Arc::clone(hand.sorter.plan()),
    );
    hand.sorter = Sorter::restore(hub, &[plan], &snapshot).expect("its own snapshot");
    for _ in 0..10 {
        hand.now = hand.now.after(Micros(1));
        hand.tell(Signal::Tick);
    }
    let to_a = hand
        .sorter
        .items()
        .filter(|item| item.chute == Some(ChuteId(0)))
        .count();
    assert_eq!((to_a, hand.sorter.items().count()), (197, 197));
    for nth in 1..=300 {
        if let Some(grounds) = hand.sorter.grounds(ParcelId::new(5, nth)) {
            assert_eq!(grounds.facts.verdict, Verdict::Clear, "parcel {nth}");
        }
    }
}

#[test]
fn a_word_that_comes_after_a_person_sent_the_parcel_stands() {
    for nth in 0..2 {
        let mut hand = Hand::new(loop_spec(), plan_spec());
        hand.read(3, 100, good(CODE, 0));
        let force = ParcelWish::Force { chute: ChuteId(1) };
        let said = hand.parcel(1, force);
        let sent = order(&said).map(|order| (chutes(&order), order.why));
        assert_eq!(sent, Some((vec![1], Reason::Forced)));
        let (said, why) = match nth {
            0 => (hand.waybill(CODE, WaybillWish::Hold), Reason::Held),
            _ => (hand.parcel(1, ParcelWish::Damaged), Reason::Damaged),
        };
        let stopped = order(&said).map(|order| (chutes(&order), order.why));
        assert_eq!(stopped, Some((vec![3], why)));
        // The same the other way round: who sends it knows that it is held.
        let said = hand.parcel(1, force);
        let sent = order(&said).map(|order| (chutes(&order), order.why));
        assert_eq!(sent, Some((vec![1], Reason::Forced)));
    }
}

#[test]
fn an_intercept_outlives_a_plan_without_its_destination() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.waybill(CODE, intercept("nowhere"));
    let said = hand.read(3, 100, good(CODE, 0));
    let told = decided(&said).map(|(_, why, basis)| (why, basis));
    assert_eq!(told, Some((Reason::Intercept, Basis::Intercept)));
    let told = hand.sorter.stands_for(CodeId(CODE));
    assert_eq!(told.intercept, DestKey::of("nowhere"));
}
