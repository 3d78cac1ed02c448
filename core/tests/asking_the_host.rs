//! The host is asked where a parcel goes when nothing here knows, and may be late.

mod common;

use common::*;
use sorthub_core::facts::*;
use sorthub_core::hub::{HubSpec, TrackKind};
use sorthub_core::ids::*;
use sorthub_core::limits::QUESTIONS_MAX;
use sorthub_core::operator::*;
use sorthub_core::plan::*;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::*;
use sorthub_core::sorter::{Ask, HostStatus, Waiting, What};
use sorthub_core::units::*;

const PATIENCE: Micros = Micros::from_millis(700);

fn asking() -> PlanSpec {
    PlanSpec {
        host: Some(PATIENCE),
        ..plan_spec()
    }
}

fn unknown(code: u64) -> Facts {
    Facts::advised(CodeId(code), DestKey::NONE)
}

fn to(name: &str) -> ParcelWish {
    ParcelWish::Host(HostSays::To(DestKey::of(name)))
}

/// Who is asked about until when.
fn asked(said: &[Output]) -> Vec<(u64, Micros)> {
    let asked = said.iter().filter_map(|output| match output {
        Output::AskHost { parcel, until, .. } => Some((parcel.counter(), *until)),
        _ => None,
    });
    asked.collect()
}

/// A sorter that has asked about one parcel, and until when.
fn waiting(hub: HubSpec, plan: PlanSpec) -> (Hand, Micros) {
    let mut hand = Hand::new(hub, plan);
    let said = hand.read(3, 100, unknown(9));
    let until = hand.now.after(PATIENCE);
    assert_eq!(asked(&said), [(1, until)]);
    (hand, until)
}

#[test]
fn an_answer_in_time_decides() {
    let (mut hand, until) = waiting(loop_spec(), asking());
    assert_eq!(hand.sorter.next_timeout(), Some(until));
    assert_eq!(
        hand.sorter.items().next().and_then(|item| item.chute),
        None,
        "it goes round"
    );
    hand.now = Micros(until.0 - 1);
    let said = hand.parcel(1, to("b"));
    assert_eq!(
        decided(&said),
        Some((Some(1), Reason::Planned, Basis::Host))
    );
    assert_eq!(hand.sorter.next_timeout(), None);
    let books = hand.sorter.books();
    assert_eq!(
        (books.host_asked, books.host_answered, books.host_late),
        (1, 1, 0)
    );
}

#[test]
fn without_an_answer_the_rules_decide_and_then_the_cause() {
    let mut ruled = asking();
    ruled.rules = vec![AttributeRule {
        stage: Stage::Last,
        when: vec![],
        then: Then::To(DestId(2)),
    }];
    let late = (Some(3), Reason::HostLate, Basis::Nothing);
    let by_rule = (Some(2), Reason::Planned, Basis::Rule);
    for (plan, expected) in [(asking(), late), (ruled, by_rule)] {
        let (mut hand, until) = waiting(loop_spec(), plan);
        hand.now = Micros(until.0 - 1);
        assert_eq!(hand.tell(Signal::Tick), []);
        hand.now = until;
        assert_eq!(decided(&hand.tell(Signal::Tick)), Some(expected));
        assert_eq!(hand.sorter.books().host_late, 1);
    }
}

#[test]
fn at_the_deadline_it_is_too_late() {
    let (mut hand, until) = waiting(loop_spec(), asking());
    hand.now = until;
    let said = hand.parcel(1, to("b"));
    assert_eq!(
        decided(&said),
        Some((Some(3), Reason::HostLate, Basis::Nothing))
    );
}

#[test]
fn what_the_host_does_not_know_either_is_decided_at_once() {
    for (says, expected) in [
        (HostSays::Unknown, (Some(3), Reason::NoData, Basis::Nothing)),
        (
            HostSays::To(DestKey::of("nowhere")),
            (Some(3), Reason::NoRule, Basis::Nothing),
        ),
        (HostSays::Hold, (Some(3), Reason::Held, Basis::Host)),
    ] {
        let (mut hand, _) = waiting(loop_spec(), asking());
        let said = hand.parcel(1, ParcelWish::Host(says));
        assert_eq!(decided(&said), Some(expected));
        assert_eq!(hand.sorter.next_timeout(), None);
    }
}

#[test]
fn nobody_asks_about_what_is_known() {
    let mut hand = Hand::new(loop_spec(), asking());
    assert_eq!(asked(&hand.read(3, 100, good(9, 0))), []);
    assert_eq!(
        hand.try_parcel(1, to("b")).0,
        Err(Refused::NotAsked),
        "and nobody wants an answer"
    );
    assert_eq!(hand.try_parcel(2, to("b")).0, Err(Refused::NoSuchParcel));
    // Without a host in the plan nobody is asked at all.
    let mut hand = Hand::new(loop_spec(), plan_spec());
    let said = hand.read(3, 100, unknown(9));
    assert_eq!(
        decided(&said),
        Some((Some(3), Reason::NoData, Basis::Nothing))
    );
}

#[test]
fn a_late_answer_serves_once_the_parcel_goes_round() {
    let (mut hand, until) = waiting(loop_spec(), asking());
    hand.now = until;
    hand.tell(Signal::Tick);
    assert_eq!(
        hand.parcel(1, to("b")),
        [],
        "it is on its way to the reject chute"
    );
    hand.belt(5_500);
    hand.refused(3, 3, 100);
    hand.belt(11_500);
    let said = hand.lap(3, 100);
    assert_eq!(
        decided(&said),
        Some((Some(1), Reason::Planned, Basis::Host))
    );
}

#[test]
fn a_late_answer_serves_at_once_if_the_last_try_has_failed() {
    let (mut hand, until) = waiting(loop_spec(), asking());
    hand.now = until;
    hand.tell(Signal::Tick);
    hand.belt(5_500);
    hand.refused(3, 3, 100);
    let said = hand.parcel(1, to("b"));
    assert_eq!(
        decided(&said),
        Some((Some(1), Reason::Planned, Basis::Host))
    );
}

#[test]
fn to_hold_a_parcel_it_is_never_too_late() {
    let mut hand = Hand::new(loop_spec(), asking());
    hand.read(3, 100, good(9, 0));
    let said = hand.parcel(1, ParcelWish::Host(HostSays::Hold));
    assert_eq!(decided(&said), Some((Some(3), Reason::Held, Basis::Host)));
    let said = hand.parcel(1, ParcelWish::Host(HostSays::Unknown));
    let back = (Some(0), Reason::Planned, Basis::PreAdvice);
    assert_eq!(decided(&said), Some(back), "and it can take the hold back");
}

#[test]
fn on_a_line_it_is_ordered_to_the_last_reject_chute_meanwhile() {
    let mut plan = asking();
    // The end, at 6 m, and one before it.
    plan.reject = vec![ChuteId(2), ChuteId(3)];
    let (mut hand, _) = waiting(line_spec(None), plan.clone());
    let item = hand.sorter.items().next().expect("it rides");
    assert_eq!((item.chute, item.why), (Some(ChuteId(3)), Reason::HostLate));
    let said = hand.parcel(1, to("b"));
    let order = order(&said).expect("the answer revises the order");
    assert_eq!((chutes(&order), order.revision), (vec![1, 2], 2));

    let (mut hand, _) = waiting(line_spec(None), plan.clone());
    hand.belt(1_100);
    let said = hand.discharged(3, 3, 100);
    let rejected = (Disposition::Rejected, Reason::HostLate, Some(3));
    assert_eq!(ended(&said), Some(rejected));
    assert_eq!(
        hand.sorter.next_timeout(),
        None,
        "a parcel that has left asks nothing"
    );

    let (hand, _) = waiting(line_spec(Some(2_000)), plan);
    let item = hand.sorter.items().next().expect("it rides");
    assert_eq!(
        item.chute, None,
        "a line that brings it back is like a loop"
    );
}

#[test]
fn a_parcel_waits_for_no_longer_than_it_may_lap() {
    let mut plan = asking();
    plan.host = Some(Micros::from_secs(3_600));
    let mut hand = Hand::new(loop_spec(), plan);
    hand.read(3, 100, unknown(9));
    for lap in 0..3 {
        hand.belt(11_500 + lap * 12_000);
        let said = hand.lap(3, 100);
        let late = (Some(3), Reason::HostLate, Basis::Nothing);
        assert_eq!(decided(&said), (lap == 2).then_some(late), "lap {lap}");
    }
    assert_eq!(hand.sorter.next_timeout(), None);
}

#[test]
fn an_intercept_answers_for_the_host() {
    let (mut hand, _) = waiting(loop_spec(), asking());
    let to_a = DestKey::of("a");
    let said = hand.waybill(9, WaybillWish::Intercept { to: to_a });
    assert_eq!(
        decided(&said),
        Some((Some(0), Reason::Intercept, Basis::Intercept))
    );
    assert_eq!(hand.sorter.next_timeout(), None);
    let said = hand.waybill(9, WaybillWish::CancelIntercept);
    assert_eq!(asked(&said).len(), 1, "now it must be asked again");
    let withdrawn = said
        .iter()
        .any(|output| matches!(output, Output::Withdraw { .. }));
    assert!(withdrawn, "and goes round meanwhile");
}

#[test]
fn deadlines_fire_in_order_and_a_few_a_call() {
    let mut hub = loop_spec();
    hub.tracks[0].kind = TrackKind::Loop {
        carriers: 400,
        pitch: Mm(600),
    };
    let mut plan = asking();
    plan.host = Some(Micros::from_secs(1_000));
    let mut hand = Hand::new(hub, plan);
    for nth in 0..200 {
        hand.read(nth, nth + 1, unknown(u64::from(nth) + 1));
    }
    // All deadlines are over at once, as after a stop of the driver.
    hand.now = Micros::from_secs(2_000);
    let mut fired = Vec::new();
    for call in 0.. {
        let said = hand.tell(Signal::Tick);
        let now = said.iter().filter_map(|output| match output {
            Output::Divert(order) => Some(order.parcel.counter()),
            _ => None,
        });
        let before = fired.len();
        fired.extend(now);
        assert!(fired.len() - before <= 64);
        assert_eq!(hand.tell(Signal::Tick), [], "not twice in one instant");
        if fired.len() == 200 {
            break;
        }
        assert_eq!(hand.sorter.next_timeout(), Some(hand.now.after(Micros(1))));
        hand.now = hand.now.after(Micros(1));
        assert!(call < 10, "it does not come to an end");
    }
    assert_eq!(fired, Vec::from_iter(1..=200));
}

#[test]
fn beyond_the_most_open_questions_the_local_answer_stands_at_once() {
    let mut hub = loop_spec();
    let carriers = QUESTIONS_MAX as u32 + 1;
    hub.tracks[0].kind = TrackKind::Loop {
        carriers,
        pitch: Mm(600),
    };
    let mut plan = asking();
    plan.host = Some(Micros::from_secs(100_000));
    let mut hand = Hand::new(hub, plan);
    for nth in 0..carriers - 1 {
        hand.read(nth, nth + 1, unknown(u64::from(nth) + 1));
    }
    let said = hand.read(carriers - 1, carriers, unknown(99_999));
    assert_eq!(asked(&said), []);
    assert_eq!(
        decided(&said),
        Some((Some(3), Reason::HostLate, Basis::Nothing))
    );
    assert_eq!(hand.sorter.books().host_not_asked, 1);
}

#[test]
fn a_question_goes_on_when_its_parcel_is_found_again() {
    let (mut hand, until) = waiting(loop_spec(), asking());
    let (track, to_reset) = (LOOP, LinkState::Reset);
    hand.tell(Signal::Link {
        track,
        to: to_reset,
    });
    hand.belt(550);
    let (cell, item, at) = (CellId(3), PlcItem(7), BeltMm(550));
    hand.tell(Signal::Unexpected { cell, item, at });
    hand.at_scanner(3, 7, 9);
    let said = hand.scanned(9, unknown(9));
    assert_eq!((asked(&said), order(&said)), (vec![], None));
    let grounds = hand
        .sorter
        .grounds(ParcelId::new(5, 1))
        .expect("it was found");
    assert_eq!(grounds.host, HostStatus::Asked { until });
    let said = hand.parcel(1, to("b"));
    assert_eq!(order(&said).map(|order| order.item), Some(PlcItem(7)));
}

#[test]
fn a_parcel_says_that_it_waits_for_the_host() {
    let (hand, until) = waiting(loop_spec(), asking());
    let Waiting::Parcel(waits) = hand.sorter.why(Ask::Parcel(ParcelId::new(5, 1))) else {
        panic!("it rides");
    };
    assert_eq!(waits.what, What::Host { until });
}
