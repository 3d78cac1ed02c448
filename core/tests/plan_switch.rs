//! A plan that takes another one's place while parcels ride.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::*;
use sorthub_core::facts::{DestKey, Facts};
use sorthub_core::hub::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::plan::*;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::*;
use sorthub_core::sorter::{ChuteIs, RestoreError, Sorter, StageRefused};
use sorthub_core::units::*;

/// Version 8: `a` and `c` have changed places, `b` stays as it is.
fn next_plan() -> PlanSpec {
    let mut plan = plan_spec();
    plan.version = 8;
    plan.destinations[0].chutes = vec![ChuteId(2)];
    plan.destinations[2].chutes = vec![ChuteId(0)];
    plan.destinations[2].overflow.clear();
    plan.destinations[1].chutes = vec![ChuteId(1)];
    plan
}

fn first_plan() -> PlanSpec {
    let mut plan = plan_spec();
    plan.destinations[1].chutes = vec![ChuteId(1)];
    plan.destinations[2].overflow.clear();
    plan
}

fn compiled(hand: &Hand, plan: PlanSpec) -> Arc<Plan> {
    Arc::new(Plan::new(plan, hand.sorter.hub()).expect("the test plan is sound"))
}

fn stage(hand: &mut Hand, plan: PlanSpec) {
    let plan = compiled(hand, plan);
    hand.sorter.stage(plan).expect("there is room for it");
}

fn activate(hand: &mut Hand, version: u32) -> (Result<(), Refused>, Vec<Output>) {
    hand.command(Command::Activate { version })
}

fn hand_of(lot: Lot) -> Hand {
    let mut hub = loop_spec();
    for chute in &mut hub.chutes {
        chute.rules.lot = lot;
    }
    let mut hand = Hand::new(hub, first_plan());
    stage(&mut hand, next_plan());
    hand
}

fn retired(said: &[Output]) -> Option<u32> {
    said.iter().find_map(|output| match output {
        Output::RetirePlan { version } => Some(*version),
        _ => None,
    })
}

fn told(hand: &mut Hand, chute: u16, state: ChuteState) -> Vec<Output> {
    let (chute, taken) = (ChuteId(chute), 0);
    hand.tell(Signal::Chute {
        chute,
        state,
        taken,
    })
}

#[test]
fn parcels_decided_before_are_sent_where_the_new_plan_says() {
    let mut hand = hand_of(Lot::Flow);
    let sent = |said: &[Output]| order(said).map(|order| (chutes(&order), order.plan_version));
    assert_eq!(sent(&hand.brought(3, 100, 0)), Some((vec![0], 7)));
    let (answer, said) = activate(&mut hand, 8);
    assert_eq!(answer, Ok(()));
    assert_eq!(sent(&said), Some((vec![2], 8)));
    assert_eq!(hand.sorter.plan().version(), 8);
    assert_eq!(sent(&hand.brought(4, 101, 0)), Some((vec![2], 8)));
    assert_eq!(
        retired(&said),
        Some(7),
        "nothing lies in a chute and nobody is on the way"
    );
}

#[test]
fn a_parcel_keeps_its_order_while_its_chute_keeps_its_owner() {
    let mut hand = hand_of(Lot::Flow);
    hand.brought(3, 100, 1);
    let (_, said) = activate(&mut hand, 8);
    assert_eq!(order(&said), None);
    let said = hand.discharged(1, 3, 100);
    let as_planned = (Disposition::Sorted, Reason::Planned, Some(1));
    assert_eq!(ended(&said), Some(as_planned));
}

#[test]
fn what_was_past_the_commit_point_is_sorted_under_the_old_plan() {
    let mut hand = hand_of(Lot::Flow);
    hand.brought(3, 100, 0);
    hand.belt(2_350);
    let (_, said) = activate(&mut hand, 8);
    assert_eq!(order(&said), None, "the PLC has it in hand");
    assert_eq!(hand.sorter.chute(ChuteId(0)).is, ChuteIs::PendingClear);
    assert_eq!(hand.sorter.former_plan(), Some(7));
    let said = hand.discharged(0, 3, 100);
    let as_planned = (Disposition::Sorted, Reason::Planned, Some(0));
    assert_eq!(ended(&said), Some(as_planned), "no missort");
    assert_eq!(hand.sorter.books().missorted, 0);
    assert_eq!(retired(&said), Some(7), "it was the last");
    assert_eq!(hand.sorter.chute(ChuteId(0)).is, ChuteIs::Open);
}

#[test]
fn an_order_that_the_plc_obeyed_before_it_was_revised_is_no_missort() {
    let mut hand = hand_of(Lot::Cage);
    hand.brought(3, 100, 0);
    hand.belt(2_250);
    let (_, said) = activate(&mut hand, 8);
    let taken_back = |output: &Output| matches!(output, Output::Withdraw { .. });
    assert!(
        said.iter().any(taken_back),
        "just in time, as far as can be seen from here: {said:?}"
    );
    hand.belt(2_500);
    let said = hand.discharged(0, 3, 100);
    let as_planned = (Disposition::Sorted, Reason::Planned, Some(0));
    assert_eq!(ended(&said), Some(as_planned));
}

#[test]
fn a_parcel_past_its_chute_that_did_not_leave_comes_under_the_new_plan() {
    let mut hand = hand_of(Lot::Flow);
    hand.brought(3, 100, 0);
    hand.belt(2_350);
    assert_eq!(activate(&mut hand, 8).0, Ok(()));
    hand.belt(2_500);
    let said = hand.refused(0, 3, 100);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![2]));
    assert_eq!(retired(&said), Some(7));
}

#[test]
fn a_cage_takes_nothing_of_its_new_owner_before_it_is_cleared() {
    let mut hand = hand_of(Lot::Cage);
    for chute in 0..4 {
        let to = ChuteWish::Cleared;
        let chute = ChuteId(chute);
        assert_eq!(hand.command(Command::Chute { chute, to }).0, Ok(()));
    }
    hand.brought(3, 100, 0);
    hand.belt(2_500);
    hand.discharged(0, 3, 100);
    assert_eq!(activate(&mut hand, 8).0, Ok(()));
    let is = |hand: &Hand, chute| hand.sorter.chute(ChuteId(chute)).is;
    assert_eq!(is(&hand, 0), ChuteIs::PendingClear);
    assert_eq!(is(&hand, 2), ChuteIs::Open, "nothing lies in it");
    assert_eq!(is(&hand, 1), ChuteIs::Open, "its owner is the same");
    assert_eq!(hand.sorter.chute(ChuteId(0)).wish.lamp, Lamp::Clear);
    let said = hand.brought(4, 101, 2);
    assert_eq!(order(&said), None);
    assert_eq!(
        decided(&said).map(|(_, why, _)| why),
        Some(Reason::PendingClear)
    );
    assert_eq!(hand.sorter.former_plan(), Some(7));
    let to = ChuteWish::Cleared;
    let chute = ChuteId(0);
    let (answer, said) = hand.command(Command::Chute { chute, to });
    assert_eq!((answer, retired(&said)), (Ok(()), Some(7)));
    assert_eq!(is(&hand, 0), ChuteIs::Open);
}

#[test]
fn a_bag_closed_is_a_chute_cleared() {
    let mut hand = hand_of(Lot::Bag);
    assert_eq!(activate(&mut hand, 8).0, Ok(()));
    let chute = ChuteId(0);
    assert_eq!(
        hand.sorter.chute(chute).is,
        ChuteIs::PendingClear,
        "nobody knows what is in it"
    );
    let wish = |hand: &mut Hand, to| hand.command(Command::Chute { chute, to }).0;
    assert_eq!(wish(&mut hand, ChuteWish::ChangeBag), Ok(()));
    let lock_applied = ChuteState {
        lock_applied: true,
        ..ChuteState::OPEN
    };
    told(&mut hand, 0, lock_applied);
    let label = CodeId(5);
    assert_eq!(wish(&mut hand, ChuteWish::BindBag { label }), Ok(()));
    assert_eq!(wish(&mut hand, ChuteWish::BagReady), Ok(()));
    told(&mut hand, 0, ChuteState::OPEN);
    assert_eq!(hand.sorter.chute(chute).is, ChuteIs::Open);
}

#[test]
fn a_flow_clears_itself_once_its_eyes_are_clear() {
    let mut hand = hand_of(Lot::Flow);
    let half = ChuteState {
        half: true,
        ..ChuteState::OPEN
    };
    told(&mut hand, 0, half);
    assert_eq!(activate(&mut hand, 8).0, Ok(()));
    assert_eq!(hand.sorter.chute(ChuteId(0)).is, ChuteIs::PendingClear);
    let said = told(&mut hand, 0, ChuteState::OPEN);
    assert_eq!(hand.sorter.chute(ChuteId(0)).is, ChuteIs::Open);
    assert_eq!(retired(&said), Some(7));
}

#[test]
fn a_third_plan_waits_and_the_one_before_does_not() {
    let mut hand = hand_of(Lot::Cage);
    let mut third = next_plan();
    third.version = 9;
    stage(&mut hand, third);
    assert_eq!(activate(&mut hand, 11).0, Err(Refused::NoSuchPlan));
    let before = hand.sorter.former_plan();
    assert_eq!(activate(&mut hand, 7).0, Ok(()), "it is active");
    assert_eq!(hand.sorter.former_plan(), before, "nothing was switched");
    assert_eq!(activate(&mut hand, 8).0, Ok(()));
    let chute = ChuteId(0);
    assert_eq!(
        activate(&mut hand, 9).0,
        Err(Refused::StillClearing { chute })
    );
    let (answer, said) = activate(&mut hand, 7);
    assert_eq!(answer, Ok(()));
    assert_eq!(
        hand.sorter.chute(chute).is,
        ChuteIs::Open,
        "what lies there is its own again"
    );
    assert_eq!(retired(&said), Some(8));
    let said = hand.brought(3, 100, 0);
    assert_eq!(order(&said).map(|order| order.plan_version), Some(7));
}

#[test]
fn destinations_are_known_by_their_names_across_versions() {
    let mut hand = hand_of(Lot::Flow);
    let mut plan = first_plan();
    plan.version = 9;
    plan.destinations.reverse();
    plan.destinations.pop();
    stage(&mut hand, plan);
    hand.brought(3, 100, 1);
    hand.brought(4, 101, 2);
    hand.brought(5, 102, 0);
    let (answer, said) = activate(&mut hand, 9);
    assert_eq!(answer, Ok(()));
    let orders: Vec<_> = said
        .iter()
        .filter_map(|output| match output {
            Output::Divert(order) => Some((order.item.0, chutes(order), order.why)),
            _ => None,
        })
        .collect();
    let gone = (102, vec![3], Reason::NoRule);
    assert_eq!(orders, [gone], "only the one whose destination is no more");
}

#[test]
fn a_wave_that_was_cut_off_stays_so_under_the_next_plan() {
    let wave = |name: &str| WaveSpec {
        name: name.into(),
        cut_off_min: None,
    };
    let mut plan = first_plan();
    plan.waves = vec![wave("early"), wave("late")];
    let mut next = next_plan();
    next.waves = vec![wave("new"), wave("early")];
    let mut hand = Hand::new(loop_spec(), plan);
    stage(&mut hand, next);
    let (wave, open) = (WaveId(0), false);
    assert_eq!(hand.command(Command::Wave { wave, open }).0, Ok(()));
    assert_eq!(activate(&mut hand, 8).0, Ok(()));
    let waves = hand.sorter.waves();
    assert!(waves.has(WaveId(0)) && !waves.has(WaveId(1)));
}

#[test]
fn plans_are_staged_and_taken_out_within_bounds() {
    let mut hand = hand_of(Lot::Flow);
    let again = compiled(&hand, next_plan());
    let refused = hand.sorter.stage(again).expect_err("version 8 is there");
    assert_eq!(refused.0, StageRefused::SameVersion);
    let mut staged = 0;
    let refused = loop {
        let mut plan = next_plan();
        plan.version = 20 + staged;
        let plan = compiled(&hand, plan);
        match hand.sorter.stage(plan) {
            Ok(()) => staged += 1,
            Err((refused, _)) => break refused,
        }
    };
    assert_eq!((refused, staged), (StageRefused::TooMany, 6));
    assert!(hand.sorter.unstage(7).is_none(), "it is active");
    let mut plan = next_plan();
    plan.version = 40;
    let plan = compiled(&hand, plan);
    let oldest = hand.sorter.stage_in_turn(Arc::clone(&plan));
    assert_eq!(oldest.map(|plan| plan.version()), Some(8));
    let again = hand.sorter.stage_in_turn(plan);
    assert_eq!(again.map(|plan| plan.version()), Some(40), "it is there");
    let taken = hand.sorter.unstage(20).expect("it is only staged");
    assert_eq!(taken.version(), 20);
    assert_eq!(activate(&mut hand, 20).0, Err(Refused::NoSuchPlan));
    let mut other = loop_spec();
    other.chutes.push(chute("D", 7_000));
    let other = Hub::new(other).expect("it is sound");
    let plan = Plan::new(next_plan(), &other).expect("it is sound");
    let refused = hand
        .sorter
        .stage(Arc::new(plan))
        .expect_err("of another hub");
    assert_eq!(refused.0, StageRefused::OtherHub);
}

#[test]
fn a_snapshot_in_the_middle_of_a_switch_has_the_same_future() {
    let mut hand = hand_of(Lot::Cage);
    hand.brought(3, 100, 0);
    hand.belt(2_350);
    assert_eq!(activate(&mut hand, 8).0, Ok(()));
    let (hub, bytes) = (Arc::clone(hand.sorter.hub()), hand.sorter.snapshot());
    let only = [Arc::clone(hand.sorter.plan())];
    let refused = Sorter::restore(Arc::clone(&hub), &only, &bytes).expect_err("one is missing");
    assert_eq!(refused, RestoreError::NoSuchPlan { version: 7 });
    let plans: Vec<_> = hand.sorter.plans().cloned().collect();
    let mut other = Sorter::restore(hub, &plans, &bytes).expect("its own snapshot");
    let mut said = Vec::new();
    for chute in [0, 2] {
        let to = ChuteWish::Cleared;
        let chute = ChuteId(chute);
        let command = Command::Chute { chute, to };
        let signal = Signal::Command {
            ticket: Ticket(1),
            command,
        };
        said.push(hand.tell(signal));
        hand.outbox.clear();
        other.handle(hand.now, &signal, &mut hand.outbox);
        assert_eq!(said.last().map(Vec::as_slice), Some(hand.outbox.outputs()));
    }
    assert_eq!(hand.sorter.digest(), other.digest());
}

#[test]
fn no_call_of_a_switch_decides_more_than_its_share() {
    let mut hub = loop_spec();
    hub.tracks[0].kind = TrackKind::Loop {
        carriers: 3_000,
        pitch: Mm(600),
    };
    for (chute, at) in hub
        .chutes
        .iter_mut()
        .zip([1_790_000, 1_791_000, 1_792_000, 1_793_000])
    {
        chute.outlets[0].at = Mm(at);
    }
    let mut hand = Hand::new(hub, first_plan());
    stage(&mut hand, next_plan());
    for n in 0..2_500 {
        hand.brought(n, 100 + n, n % 3);
        hand.belt(i64::from(n + 1) * 600);
    }
    let (answer, mut said) = activate(&mut hand, 8);
    assert_eq!(answer, Ok(()));
    let (mut decided, mut calls) = (0, 0);
    loop {
        let orders = said
            .iter()
            .filter(|output| matches!(output, Output::Divert(_)));
        let orders = orders.count();
        assert!(orders <= 64, "{orders} in call {calls}");
        decided += orders;
        calls += 1;
        let Some(due) = hand.sorter.next_timeout() else {
            break;
        };
        hand.now = hand.now.max(due);
        said = hand.tell(Signal::Tick);
    }
    assert_eq!(decided, 2_500 - 833, "all but those for `b`");
    assert_eq!(
        hand.sorter.former_plan(),
        None,
        "and all of them in {calls} calls"
    );
}

#[test]
fn a_parcel_of_a_line_whose_host_has_not_answered_yet_goes_on_waiting() {
    let host = Some(Micros::from_secs(60));
    let asking = |plan: PlanSpec| PlanSpec { host, ..plan };
    let mut hand = Hand::new(line_spec(None), asking(first_plan()));
    stage(&mut hand, asking(next_plan()));
    let unknown = Facts::advised(CodeId(1), DestKey::NONE);
    let waits = order(&hand.read(3, 100, unknown)).map(|order| chutes(&order));
    assert_eq!(waits, Some(vec![3]), "as far as the line goes");
    let (answer, said) = activate(&mut hand, 8);
    assert_eq!((answer, order(&said)), (Ok(()), None), "its order stands");
    assert_eq!(hand.sorter.chute(ChuteId(3)).coming, 1);
    let to = ParcelWish::Host(HostSays::To(DestKey::of("b")));
    let said = hand.parcel(1, to);
    let sent = order(&said).map(|order| (chutes(&order), order.plan_version));
    assert_eq!(sent, Some((vec![1], 8)));
}

/// The parcels that something was said to be decided of.
fn re_decided(said: &[Output]) -> BTreeSet<ParcelId> {
    let parcel = |output: &Output| match *output {
        Output::Divert(order) => Some(order.parcel),
        Output::Withdraw { parcel, .. } | Output::Decided { parcel, .. } => Some(parcel),
        _ => None,
    };
    said.iter().filter_map(parcel).collect()
}

/// A loop of so many carriers with its chutes at the end of a lap, where the host is asked for
/// what the plan does not know, and another plan staged.
fn hand_with_a_host(carriers: u32) -> Hand {
    let mut hub = loop_spec();
    let (pitch, last) = (Mm(600), carriers * 600);
    hub.tracks[0].kind = TrackKind::Loop { carriers, pitch };
    for (chute, before) in hub.chutes.iter_mut().zip([9_000, 8_000, 7_000, 6_000]) {
        chute.outlets[0].at = Mm(last - before);
    }
    let host = Some(Micros::from_secs(3_600));
    let asking = |plan: PlanSpec| PlanSpec { host, ..plan };
    let mut hand = Hand::new(hub, asking(first_plan()));
    stage(&mut hand, asking(next_plan()));
    hand
}

#[test]
fn a_call_in_which_everything_falls_due_decides_no_more_than_its_share() {
    const EACH: u32 = 300;
    let mut hand = hand_with_a_host(1_500);
    // A third each: known to the plan, asked about, and of one waybill.
    for n in 0..3 * EACH {
        let facts = match n % 3 {
            0 => good(u64::from(n) + 1, 0),
            1 => Facts::advised(CodeId(u64::from(n) + 1), DestKey::NONE),
            _ => good(1_000_000, 1),
        };
        hand.read(n, 100 + n, facts);
        hand.belt(i64::from(n + 1) * 600);
    }
    // The belt stands, so that an hour later all are where they were and the host is late.
    let (track, speed) = (LOOP, MmPerS(0));
    let at = BeltMm(i64::from(3 * EACH) * 600);
    hand.tell(Signal::Belt { track, at, speed });
    let mut decided = BTreeSet::new();
    let mut calls = 0;
    let mut count = |said: &[Output]| {
        let now = re_decided(said);
        assert!(now.len() <= 64, "{} in call {calls}", now.len());
        (decided, calls) = (&decided | &now, calls + 1);
    };
    let (answer, said) = activate(&mut hand, 8);
    assert_eq!(answer, Ok(()));
    count(&said);
    count(&hand.waybill(1_000_000, WaybillWish::Hold));
    hand.now = hand.now.after(Micros::from_secs(7_200));
    // What is said of another waybill comes into it as well.
    count(&hand.waybill(1, WaybillWish::Hold));
    while let Some(due) = hand.sorter.next_timeout() {
        hand.now = hand.now.max(due);
        count(&hand.tell(Signal::Tick));
    }
    assert_eq!(decided.len(), 3 * EACH as usize, "in {calls} calls");
    assert_eq!(hand.sorter.books().host_late, u64::from(EACH));
    let held = hand.sorter.items().filter(|item| item.why == Reason::Held);
    assert_eq!(held.count(), EACH as usize + 1);
}
