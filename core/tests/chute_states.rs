//! What a chute is: eyes that are held and stuck, locks, what people want, and what becomes of
//! parcels on their way to one that closes.

mod common;

use common::*;
use sorthub_core::facts::*;
use sorthub_core::hub::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::*;
use sorthub_core::sorter::ChuteIs;
use sorthub_core::units::*;

const A: ChuteId = ChuteId(0);
const B: ChuteId = ChuteId(1);

fn told(hand: &mut Hand, chute: ChuteId, state: ChuteState) -> Vec<Output> {
    let taken = 0;
    hand.tell(Signal::Chute {
        chute,
        state,
        taken,
    })
}

fn full(is: bool) -> ChuteState {
    ChuteState {
        full: is,
        ..ChuteState::OPEN
    }
}

fn wish(hand: &mut Hand, chute: ChuteId, to: ChuteWish) -> (Result<(), Refused>, Vec<Output>) {
    hand.command(Command::Chute { chute, to })
}

fn wishes(said: &[Output]) -> Vec<(u16, bool, Lamp)> {
    let wish = said.iter().filter_map(|output| match *output {
        Output::ChuteWish {
            chute, lock, lamp, ..
        } => Some((chute.0, lock, lamp)),
        _ => None,
    });
    wish.collect()
}

fn hub_with(rules: ChuteRules) -> HubSpec {
    let mut hub = loop_spec();
    hub.chutes[0].rules = rules;
    hub
}

fn is(hand: &Hand, chute: ChuteId) -> ChuteIs {
    hand.sorter.chute(chute).is
}

#[test]
fn an_eye_must_be_covered_for_a_while_until_the_chute_counts_as_full() {
    let full_after = Micros::from_secs(2);
    let mut hand = Hand::new(
        hub_with(ChuteRules {
            full_after,
            ..ChuteRules::AS_TOLD
        }),
        plan_spec(),
    );
    told(&mut hand, A, full(true));
    assert_eq!(is(&hand, A), ChuteIs::Open);
    assert_eq!(hand.sorter.next_timeout(), Some(full_after));
    hand.now = Micros::from_secs(1);
    told(&mut hand, A, full(false));
    assert_eq!(hand.sorter.next_timeout(), None, "a parcel slid past");
    told(&mut hand, A, full(true));
    hand.now = Micros::from_secs(3);
    hand.tell(Signal::Tick);
    assert_eq!(is(&hand, A), ChuteIs::Full);
    assert_eq!(hand.sorter.chute(A).since, Micros::from_secs(3));
    hand.now = Micros::from_secs(10);
    told(&mut hand, A, full(false));
    let view = hand.sorter.chute(A);
    assert_eq!((view.is, view.full_us), (ChuteIs::Open, 7_000_000));
}

#[test]
fn an_eye_that_nothing_can_cover_is_stuck_until_it_is_clear() {
    let rules = ChuteRules {
        stuck_after: Micros::from_secs(60),
        ..ChuteRules::AS_TOLD
    };
    let mut hand = Hand::new(hub_with(rules), plan_spec());
    // What lay in it at the start is not known: its eye may be right.
    told(&mut hand, A, full(true));
    hand.now = Micros::from_secs(1_000);
    assert_eq!(hand.tell(Signal::Tick), []);
    told(&mut hand, A, full(false));
    told(&mut hand, A, full(true));
    assert_eq!(is(&hand, A), ChuteIs::Full);
    hand.now = Micros::from_secs(1_060);
    let said = hand.tell(Signal::Tick);
    assert!(said.contains(&Output::Alarm(Alarm::EyeStuck { chute: A })));
    assert_eq!(is(&hand, A), ChuteIs::EyeStuck);
    assert!(!is(&hand, A).is_guarded(), "it is out of the plan");
    told(&mut hand, A, full(false));
    assert_eq!(is(&hand, A), ChuteIs::Open);
}

#[test]
fn an_eye_that_a_parcel_can_cover_is_never_stuck_until_the_chute_is_emptied() {
    let rules = ChuteRules {
        stuck_after: Micros::from_secs(60),
        ..ChuteRules::AS_TOLD
    };
    let mut hand = Hand::new(hub_with(rules), plan_spec());
    told(&mut hand, A, full(true));
    told(&mut hand, A, full(false));
    hand.brought(3, 100, 0);
    hand.belt(2_500);
    hand.discharged(0, 3, 100);
    told(&mut hand, A, full(true));
    hand.now = Micros::from_secs(500);
    hand.tell(Signal::Tick);
    assert_eq!(
        is(&hand, A),
        ChuteIs::Full,
        "nobody empties it, that is all"
    );
    assert_eq!(wish(&mut hand, A, ChuteWish::Cleared).0, Ok(()));
    hand.now = Micros::from_secs(560);
    hand.tell(Signal::Tick);
    assert_eq!(is(&hand, A), ChuteIs::EyeStuck);
}

#[test]
fn parcels_on_their_way_to_a_chute_that_closes_get_the_next_answer_at_once() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let first = order(&hand.brought(3, 100, 1)).expect("ordered");
    assert_eq!(chutes(&first), [1, 2]);
    let said = told(&mut hand, B, full(true));
    let second = order(&said).expect("ordered elsewhere in the same call");
    assert_eq!((chutes(&second), second.revision), (vec![2], 2));
    assert_eq!(hand.sorter.chute(B).coming, 0);
    assert_eq!(hand.sorter.chute(ChuteId(2)).coming, 1);
}

#[test]
fn what_is_past_the_commit_point_is_left_to_the_plc() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    // It passes B 3.5 m after it got on; the order stands from 200 mm before that.
    hand.brought(3, 100, 1);
    hand.belt(3_350);
    assert_eq!(told(&mut hand, B, full(true)), []);
    let said = hand.discharged(1, 3, 100);
    let as_planned = (Disposition::Sorted, Reason::Planned, Some(1));
    assert_eq!(ended(&said), Some(as_planned));
}

#[test]
fn a_chute_that_a_person_locks_is_locked_at_the_plc_and_never_tried() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let (answer, said) = wish(&mut hand, A, ChuteWish::Lock);
    assert_eq!(answer, Ok(()));
    assert_eq!(wishes(&said), [(0, true, Lamp::Locked)]);
    assert_eq!(is(&hand, A), ChuteIs::Locked);
    let said = hand.brought(3, 100, 0);
    assert_eq!(order(&said), None, "its PLC may not have locked it yet");
    let applied = ChuteState {
        lock_applied: true,
        ..ChuteState::OPEN
    };
    told(&mut hand, A, applied);
    let (answer, said) = wish(&mut hand, A, ChuteWish::Unlock);
    assert_eq!(answer, Ok(()));
    assert_eq!(wishes(&said), [(0, false, Lamp::Dark)]);
    assert_eq!(
        is(&hand, A),
        ChuteIs::Locked,
        "its PLC still holds the lock"
    );
    told(&mut hand, A, ChuteState::OPEN);
    assert_eq!(is(&hand, A), ChuteIs::Open);
}

#[test]
fn our_own_lock_goes_while_the_chute_is_locked_at_itself_too() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    assert_eq!(wish(&mut hand, A, ChuteWish::Lock).0, Ok(()));
    let locked = ChuteState {
        locked: true,
        ..ChuteState::OPEN
    };
    told(&mut hand, A, locked);
    assert_eq!(wish(&mut hand, A, ChuteWish::Unlock).0, Ok(()));
    assert_eq!(is(&hand, A), ChuteIs::LockedLocally);
    told(&mut hand, A, ChuteState::OPEN);
    assert_eq!(is(&hand, A), ChuteIs::Open);
}

#[test]
fn a_local_lock_opens_only_locally() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let locked = ChuteState {
        locked: true,
        ..ChuteState::OPEN
    };
    told(&mut hand, A, locked);
    assert_eq!(is(&hand, A), ChuteIs::LockedLocally);
    assert_eq!(
        wish(&mut hand, A, ChuteWish::Unlock).0,
        Err(Refused::LockedLocally)
    );
    told(&mut hand, A, ChuteState::OPEN);
    assert_eq!(is(&hand, A), ChuteIs::Open);
}

#[test]
fn a_chute_locked_for_too_long_is_alarmed_once() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    assert_eq!(wish(&mut hand, A, ChuteWish::Lock).0, Ok(()));
    let due = hand.sorter.next_timeout().expect("somebody should look");
    assert_eq!(due, Micros::from_secs(180));
    hand.now = due;
    let said = hand.tell(Signal::Tick);
    assert_eq!(said, [Output::Alarm(Alarm::LockedLong { chute: A })]);
    assert_eq!(hand.sorter.next_timeout(), None);
}

#[test]
fn a_chute_out_of_service_is_planned_around_until_it_is_enabled() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let (answer, said) = wish(&mut hand, B, ChuteWish::Disable);
    assert_eq!(answer, Ok(()));
    assert_eq!(wishes(&said), [(1, true, Lamp::OutOfService)]);
    let said = hand.brought(3, 100, 1);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![2]));
    assert_eq!(wish(&mut hand, B, ChuteWish::Enable).0, Ok(()));
    assert_eq!(is(&hand, B), ChuteIs::Open);
    let said = hand.brought(4, 101, 1);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![1, 2]));
}

#[test]
fn a_chute_that_is_not_there_takes_no_wish() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let (answer, said) = wish(&mut hand, ChuteId(9), ChuteWish::Lock);
    assert_eq!(answer, Err(Refused::NoSuchDevice));
    assert_eq!(said, [], "nothing but the answer");
}

#[test]
fn what_a_chute_refuses_is_counted_by_cause() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.brought(3, 100, 0);
    hand.belt(2_500);
    hand.refused(0, 3, 100);
    let view = hand.sorter.chute(A);
    assert_eq!(view.refused[Refusal::Full as usize], 1);
    assert_eq!(view.refused.iter().sum::<u64>(), 1);
}

/// A parcel of these measures for destination 1: to B, else to C.
fn sent(hand: &mut Hand, facts: Facts) -> Option<Vec<u16>> {
    hand.inducted(3, 100);
    let start = hand.now.0 as i64 / 1_000;
    hand.belt(start + 500);
    hand.at_scanner(3, 100, 7);
    let chutes = order(&hand.scanned(7, facts)).map(|order| chutes(&order));
    hand.discharged(3, 3, 100);
    chutes
}

#[test]
fn a_chute_takes_no_parcel_that_is_too_heavy_too_long_or_fragile() {
    let mut hub = loop_spec();
    hub.chutes[1].rules = ChuteRules {
        weight_most: Grams(5_000),
        length_most: Mm(600),
        refuses_fragile: true,
        ..ChuteRules::AS_TOLD
    };
    let mut hand = Hand::new(hub, plan_spec());
    let measured = |weight, length| {
        let mut facts = good(7, 1);
        facts.measured.weight = Grams(weight);
        facts.measured.length = Mm(length);
        facts
    };
    assert_eq!(sent(&mut hand, good(7, 1)), Some(vec![1, 2]), "not known");
    assert_eq!(sent(&mut hand, measured(5_000, 600)), Some(vec![1, 2]));
    assert_eq!(sent(&mut hand, measured(5_001, 600)), Some(vec![2]));
    assert_eq!(sent(&mut hand, measured(5_000, 601)), Some(vec![2]));
    let mut declared = good(7, 1);
    declared.advice.declared.weight = Grams(9_000);
    assert_eq!(sent(&mut hand, declared), Some(vec![2]));
    declared.measured.weight = Grams(4_000);
    assert_eq!(
        sent(&mut hand, declared),
        Some(vec![1, 2]),
        "measured counts"
    );
    let mut fragile = good(7, 1);
    fragile.advice.tags = Tags::FRAGILE;
    assert_eq!(sent(&mut hand, fragile), Some(vec![2]));
}

#[test]
fn a_parcel_that_none_of_its_chutes_can_take_is_rejected_without_a_lap() {
    let rules = ChuteRules {
        weight_most: Grams(1_000),
        ..ChuteRules::AS_TOLD
    };
    let mut hand = Hand::new(hub_with(rules), plan_spec());
    let mut facts = good(7, 0);
    facts.measured.weight = Grams(2_000);
    hand.inducted(3, 100);
    hand.belt(500);
    hand.at_scanner(3, 100, 7);
    let order = order(&hand.scanned(7, facts)).expect("to the reject chute");
    assert_eq!((chutes(&order), order.why), (vec![3], Reason::ChuteLimits));
}

#[test]
fn a_closed_reject_chute_is_passed_over_for_an_open_one() {
    let mut hub = loop_spec();
    hub.chutes.push(chute("R2", 7_000));
    let mut plan = plan_spec();
    plan.reject = vec![ChuteId(3), ChuteId(4)];
    let mut hand = Hand::new(hub, plan);
    let facts = Facts {
        read: Reading::Conflict,
        ..Facts::default()
    };
    let said = hand.read(3, 100, facts);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![3, 4]));
    let said = told(&mut hand, ChuteId(3), full(true));
    let revised = order(&said).expect("the open one first");
    assert_eq!(chutes(&revised), [4, 3], "the full one may be open by then");
}

#[test]
fn of_many_parcels_only_a_share_is_decided_in_a_call_and_the_nearest_first() {
    let mut hub = loop_spec();
    hub.tracks[0].kind = TrackKind::Loop {
        carriers: 400,
        pitch: Mm(600),
    };
    for (chute, at) in hub
        .chutes
        .iter_mut()
        .zip([200_000, 201_000, 202_000, 203_000])
    {
        chute.outlets[0].at = Mm(at);
    }
    let mut hand = Hand::new(hub, plan_spec());
    for n in 0..200 {
        hand.brought(n, 100 + n, 1);
        hand.belt(i64::from(n + 1) * 600);
    }
    assert_eq!(hand.sorter.chute(B).coming, 200);
    let mut decided = Vec::new();
    let mut calls = 0;
    let mut said = told(&mut hand, B, full(true));
    loop {
        let parcels = said.iter().filter_map(|output| match output {
            Output::Divert(order) => Some(order.parcel.counter()),
            _ => None,
        });
        let before = decided.len();
        decided.extend(parcels);
        assert!(decided.len() - before <= 64, "in call {calls}");
        calls += 1;
        let Some(due) = hand.sorter.next_timeout() else {
            break;
        };
        hand.now = hand.now.max(due);
        said = hand.tell(Signal::Tick);
    }
    assert!(calls >= 4, "200 parcels in {calls} calls");
    // The first that got on are the nearest; the order of those at nearly one place is free.
    assert_eq!(decided.len(), 200);
    let is_near = |(place, &count): (usize, &u64)| count.abs_diff(place as u64 + 1) <= 8;
    assert!(decided.iter().enumerate().all(is_near), "{decided:?}");
}
