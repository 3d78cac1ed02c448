//! Modes and steps of a track, and what it does with a part missing.

mod common;

use common::*;
use sorthub_core::facts::{DestKey, Facts};
use sorthub_core::hub::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::plan::NoReadPolicy;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::running::*;
use sorthub_core::signal::*;
use sorthub_core::units::*;

fn hand() -> Hand {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.told();
    hand
}

fn state(hand: &Hand) -> RunState {
    hand.sorter.track(LOOP).state
}

fn hold(hand: &Hand) -> Hold {
    hand.sorter.induction(InductionId(0)).hold
}

fn chute_is(hand: &mut Hand, chute: u16, full: bool) -> Vec<Output> {
    let state = ChuteState {
        full,
        ..ChuteState::OPEN
    };
    let chute = ChuteId(chute);
    hand.tell(Signal::Chute {
        chute,
        state,
        taken: 0,
    })
}

fn withdrawn(said: &[Output]) -> usize {
    let is_withdrawal = |output: &&Output| matches!(output, Output::Withdraw { .. });
    said.iter().filter(is_withdrawal).count()
}

#[test]
fn parcels_come_only_when_it_is_known_what_is_on_the_track() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    assert_eq!(hold(&hand), Hold::NotTold);
    assert_eq!(pace(&hand.told()), Some((Pace::Run, 0)));
    let reset = hand.tell(Signal::Link {
        track: LOOP,
        to: LinkState::Reset,
    });
    assert_eq!(pace(&reset), Some((Pace::Stop, 0)));
    let up = hand.tell(Signal::Link {
        track: LOOP,
        to: LinkState::Up,
    });
    assert_eq!(pace(&up), None, "a link alone says nothing of the track");
    assert_eq!(pace(&hand.told()), Some((Pace::Run, 0)));
}

#[test]
fn a_drained_track_sorts_what_it_carries_and_stays_stopped() {
    let mut hand = hand();
    hand.brought(1, 1, 0);
    let (answer, said) = hand.track(TrackWish::Drain);
    assert_eq!(answer, Ok(()));
    assert_eq!(pace(&said), Some((Pace::Stop, 0)));
    assert_eq!(state(&hand).step, Step::Draining);
    hand.belt(3_000);
    let said = hand.discharged(0, 1, 1);
    assert_eq!(
        ended(&said).map(|end| end.0),
        Some(Disposition::Sorted),
        "{said:?}"
    );
    assert_eq!(state(&hand).step, Step::Stopped);
    assert_eq!(hold(&hand), Hold::NotStarted);
    let (answer, said) = hand.track(TrackWish::Start);
    assert_eq!((answer, pace(&said)), (Ok(()), Some((Pace::Run, 0))));
}

#[test]
fn a_purge_sends_everything_to_the_reject_chute() {
    let mut hand = hand();
    hand.brought(1, 1, 0);
    hand.brought(2, 2, 1);
    // One that was never read, too.
    hand.inducted(5, 5);
    hand.run_track(TrackWish::Purge);
    let said = hand.due();
    let sent: Vec<_> = said
        .iter()
        .filter_map(|output| match output {
            Output::Divert(order) => Some((order.item.0, chutes(order), order.why)),
            _ => None,
        })
        .collect();
    let purged = |item| (item, vec![3], Reason::Purged);
    assert_eq!(sent, [purged(1), purged(2), purged(5)]);
    hand.belt(6_500);
    let said = hand.discharged(3, 1, 1);
    assert_eq!(
        ended(&said),
        Some((Disposition::Rejected, Reason::Purged, Some(3)))
    );
    hand.discharged(3, 2, 2);
    assert_eq!(state(&hand).step, Step::Purging);
    hand.discharged(3, 5, 5);
    assert_eq!(state(&hand).step, Step::Stopped);
}

#[test]
fn a_purge_of_many_is_done_a_share_in_each_call() {
    let mut spec = loop_spec();
    let carriers = 2_000;
    spec.tracks[0].kind = TrackKind::Loop {
        carriers,
        pitch: Mm(600),
    };
    let mut hand = Hand::new(spec, plan_spec());
    hand.told();
    for cell in 0..carriers {
        hand.inducted(cell, cell + 1);
        hand.at_scanner(cell, cell + 1, 7);
        hand.scanned(7, good(u64::from(cell) + 1, 0));
    }
    hand.run_track(TrackWish::Purge);
    let (mut calls, mut orders) = (0, 0);
    while let Some(due) = hand.sorter.next_timeout() {
        hand.now = due;
        let said = hand.tell(Signal::Tick);
        let here = said
            .iter()
            .filter(|output| matches!(output, Output::Divert(_)))
            .count();
        assert!(here <= 64, "{here} were decided again in one call");
        orders += here;
        calls += 1;
    }
    assert_eq!(orders, carriers as usize);
    assert!(calls < 100, "{calls} calls");
}

#[test]
fn an_emptied_track_lets_nobody_lap() {
    let mut hand = hand();
    let (answer, said) = hand.track(TrackWish::Mode(Mode::Emptying));
    assert_eq!((answer, pace(&said)), (Ok(()), Some((Pace::Stop, 0))));
    let said = hand.brought(1, 1, 0);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![0]));
    hand.belt(3_000);
    let said = hand.refused(0, 1, 1);
    // In automatic it would go round twice.
    let now = order(&said).expect("it is sent elsewhere at once");
    assert_eq!((chutes(&now), now.why), (vec![3], Reason::MostLaps));
    assert_eq!(hand.track(TrackWish::Start).0, Err(Refused::BeingEmptied));
    assert_eq!(hand.track(TrackWish::Mode(Mode::Automatic)).0, Ok(()));
    assert_eq!(hold(&hand), Hold::NotStarted, "a mode starts nothing");
}

#[test]
fn in_maintenance_nothing_is_ordered_and_what_was_is_withdrawn() {
    let mut hand = hand();
    hand.brought(1, 1, 0);
    hand.run_track(TrackWish::Mode(Mode::Maintenance));
    assert_eq!(withdrawn(&hand.due()), 1);
    let said = hand.brought(2, 2, 0);
    assert_eq!(order(&said), None, "nothing is sent");
    // Laps that nobody was asked in are not held against a parcel.
    for _ in 0..5 {
        hand.lap(1, 1);
    }
    for worked_on in [TrackWish::Start, TrackWish::Drain, TrackWish::Purge] {
        assert_eq!(hand.track(worked_on).0, Err(Refused::InMaintenance));
    }
    hand.run_track(TrackWish::Mode(Mode::Automatic));
    let said = hand.due();
    let again: Vec<u32> = said
        .iter()
        .filter_map(|output| match output {
            Output::Divert(order) => Some(order.item.0),
            _ => None,
        })
        .collect();
    assert_eq!(again, [1, 2], "both find their way again");
}

#[test]
fn in_manual_parcels_come_but_are_not_sent() {
    let mut hand = hand();
    let said = hand.run_track(TrackWish::Mode(Mode::Manual));
    assert_eq!(pace(&said), None, "people put parcels on");
    let said = hand.brought(1, 1, 0);
    assert_eq!(order(&said), None);
    assert_eq!(hand.track(TrackWish::Purge).0, Err(Refused::InManual));
}

#[test]
fn a_closed_track_takes_nothing_until_it_is_open() {
    let mut hand = hand();
    let (answer, said) = hand.track(TrackWish::Close);
    assert_eq!((answer, pace(&said)), (Ok(()), Some((Pace::Stop, 0))));
    assert_eq!(hold(&hand), Hold::Closed);
    let said = hand.run_track(TrackWish::Open);
    assert_eq!(pace(&said), Some((Pace::Run, 0)));
    let track = TrackId(9);
    let to = TrackWish::Close;
    let answer = hand.command(Command::Track { track, to }).0;
    assert_eq!(answer, Err(Refused::NoSuchDevice));
}

#[test]
fn a_lost_link_holds_inductions_until_it_is_back() {
    let mut hand = hand();
    let link = |to| Signal::Link { track: LOOP, to };
    let said = hand.tell(link(LinkState::Lost));
    assert_eq!(pace(&said), Some((Pace::Stop, 0)));
    assert!(state(&hand).lost.has(Parts::LINK));
    // What is decided meanwhile is said: the driver keeps the newest order for each cell.
    assert!(order(&hand.brought(1, 1, 0)).is_some());
    let said = hand.tell(link(LinkState::Up));
    assert_eq!(pace(&said), Some((Pace::Run, 0)));
    assert!(state(&hand).lost.is_none());
}

#[test]
fn closed_reject_chutes_slow_inductions_down() {
    let mut hand = hand();
    assert_eq!(pace(&chute_is(&mut hand, 0, true)), None);
    let said = chute_is(&mut hand, 3, true);
    assert_eq!(pace(&said), Some((Pace::Slow, 0)));
    assert_eq!(hold(&hand), Hold::RejectClosed);
    let said = chute_is(&mut hand, 3, false);
    assert_eq!(pace(&said), Some((Pace::Run, 0)));
}

/// Two scanners; an item passes the first one, which says nothing of it.
fn unread(hand: &mut Hand, n: u32) -> Vec<Output> {
    let start = i64::from(n) * 2_500;
    hand.belt(start);
    hand.inducted(n % 20, n + 1);
    hand.belt(start + 500);
    hand.at_scanner(n % 20, n + 1, n as u16);
    hand.now = Micros(hand.now.0 + 1_500_000);
    hand.tell(Signal::Tick)
}

#[test]
fn a_silent_scanner_is_stood_in_for_by_another_one() {
    let mut spec = loop_spec();
    let second = ScannerSpec {
        name: "S2".into(),
        at: Mm(2_000),
        ..spec.scanners[0].clone()
    };
    spec.scanners.push(second);
    let mut plan = plan_spec();
    plan.no_read = NoReadPolicy::Reject;
    let mut hand = Hand::new(spec, plan);
    hand.told();
    for n in 0..9 {
        let said = unread(&mut hand, n);
        assert_eq!(order(&said).map(|order| order.why), Some(Reason::NoRead));
    }
    assert!(state(&hand).lost.is_none());
    let tenth = unread(&mut hand, 9);
    assert_eq!(order(&tenth), None, "the next scanner reads it");
    assert!(state(&hand).lost.has(Parts::SCANNER));
    assert_eq!(
        hold(&hand),
        Hold::Nothing,
        "there is another one: it goes on"
    );
    hand.scanned(999, Facts::default());
    assert!(state(&hand).lost.is_none(), "it has spoken");
}

#[test]
fn without_any_scanner_nothing_more_comes_until_somebody_starts_it() {
    let mut hand = hand();
    let mut said = Vec::new();
    for n in 0..10 {
        said = unread(&mut hand, n);
    }
    assert_eq!(pace(&said), Some((Pace::Stop, 0)));
    assert_eq!(hold(&hand), Hold::ScannersSilent);
    let (answer, said) = hand.track(TrackWish::Start);
    assert_eq!((answer, pace(&said)), (Ok(()), Some((Pace::Run, 0))));
}

#[test]
fn nothing_is_sent_while_the_encoder_stands_and_the_belt_runs() {
    let mut hand = hand();
    hand.brought(1, 1, 0);
    let at = BeltMm(hand.now.0 as i64 / 1_000);
    let belt = |hand: &mut Hand, at, ms| {
        hand.now = hand.now.after(Micros::from_millis(ms));
        hand.tell(Signal::Belt {
            track: LOOP,
            at,
            speed: MmPerS(1_000),
        })
    };
    belt(&mut hand, at, 100);
    let said = belt(&mut hand, at, 2_000);
    assert_eq!(pace(&said), None, "a poll or two say nothing");
    let said = belt(&mut hand, at, 1_000);
    assert_eq!(pace(&said), Some((Pace::Stop, 0)));
    assert_eq!(hold(&hand), Hold::EncoderStuck);
    let (cell, item) = (CellId(3), PlcItem(9));
    hand.tell(Signal::AtScanner {
        scanner: ScannerId(0),
        cell,
        item,
        trigger: 9,
        at,
    });
    assert_eq!(order(&hand.scanned(9, good(9, 1))), None);
    let said = belt(&mut hand, at.plus(50), 50);
    assert_eq!(pace(&said), Some((Pace::Run, 0)));
    let said = hand.due();
    assert_eq!(order(&said).map(|order| order.item), Some(item));
}

#[test]
fn no_command_names_what_is_not_there() {
    let mut hand = hand();
    let (track, induction) = (TrackId(3), InductionId(5));
    let start = Command::Track {
        track,
        to: TrackWish::Start,
    };
    let stop = Command::Induction {
        induction,
        to: InductionWish::Stop,
    };
    let carrier = Command::Carrier {
        cell: CellId(20),
        enabled: false,
    };
    for command in [start, stop, carrier] {
        assert_eq!(hand.command(command).0, Err(Refused::NoSuchDevice));
    }
}

#[test]
fn a_host_that_is_late_again_and_again_is_a_lost_part() {
    let mut plan = plan_spec();
    plan.host = Some(Micros::from_millis(300));
    let mut hand = Hand::new(loop_spec(), plan);
    hand.told();
    let asked = |said: &[Output]| {
        said.iter().find_map(|output| match output {
            Output::AskHost { parcel, .. } => Some(*parcel),
            _ => None,
        })
    };
    for n in 0..5 {
        assert!(state(&hand).lost.is_none(), "{n} late answers are no loss");
        let said = hand.brought(n, n + 1, 9);
        assert!(asked(&said).is_some(), "{said:?}");
        hand.now = hand.now.after(Micros::from_millis(400));
        hand.tell(Signal::Tick);
        hand.belt(hand.now.0 as i64 / 1_000);
    }
    assert_eq!(state(&hand).lost, Parts::HOST);
    assert_eq!(hold(&hand), Hold::Nothing, "what it knows itself is sorted");
    let said = hand.brought(9, 9, 9);
    let parcel = asked(&said).expect("it is asked all the same");
    let to = ParcelWish::Host(HostSays::To(DestKey::of("a")));
    let (answer, _) = hand.command(Command::Parcel { parcel, to });
    assert_eq!(answer, Ok(()));
    assert!(state(&hand).lost.is_none());
}
