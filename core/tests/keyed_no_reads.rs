//! What could not be read is keyed in while it goes round, and persons send single parcels.

mod common;

use common::*;
use sorthub_core::facts::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::plan::NoReadPolicy;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::*;
use sorthub_core::sorter::{ChuteIs, Unread};
use sorthub_core::units::*;

fn unread(hand: &Hand) -> Vec<Unread> {
    let mut queue = Vec::new();
    hand.sorter.unread(&mut queue);
    queue
}

fn take(seat: u16) -> ParcelWish {
    let seat = SeatId(seat);
    ParcelWish::Take { seat }
}

fn key(seat: u16, facts: Facts) -> ParcelWish {
    let seat = SeatId(seat);
    ParcelWish::Key { seat, facts }
}

fn give_back(seat: u16) -> ParcelWish {
    let seat = SeatId(seat);
    ParcelWish::GiveBack { seat }
}

/// A sorter with one parcel that could not be read.
fn with_one(no_read: NoReadPolicy) -> Hand {
    let mut plan = plan_spec();
    plan.no_read = no_read;
    let mut hand = Hand::new(loop_spec(), plan);
    hand.read(3, 100, Facts::default());
    hand
}

#[test]
fn the_queue_is_sorted_by_what_is_left_of_the_way() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.inducted(5, 102);
    assert_eq!(
        unread(&hand),
        [],
        "what no scanner has seen yet is not unread"
    );
    let invalid = Facts {
        read: Reading::Invalid,
        ..Facts::default()
    };
    hand.read(3, 100, Facts::default());
    hand.read(4, 101, invalid);
    hand.read(6, 103, good(9, 0));
    let queue = unread(&hand);
    let seen: Vec<_> = queue
        .iter()
        .map(|one| (one.item.0, one.why, one.picture))
        .collect();
    let picture = |trigger| Some((ScannerId(0), trigger));
    // The invalid one is on its way out already; the other has two more laps.
    let expected = [
        (101, Reason::InvalidCode, picture(101)),
        (100, Reason::NoRead, picture(100)),
    ];
    assert_eq!(seen, expected);
    // It stood at 1,000 mm when the belt was at 1,000; R is at 6,000 with 200 of lead.
    assert_eq!(queue[0].left_mm, 6_000 - 200 - 1_000 - 500);
    // It came 500 mm earlier, and has two laps of 12 m on top of that.
    assert_eq!(queue[1].left_mm, 6_000 - 200 - 1_000 - 1_000 + 24_000);
    hand.belt(2_000);
    assert_eq!(unread(&hand)[0].left_mm, queue[0].left_mm - 500);
    hand.tell(Signal::RemovedByHand {
        cell: CellId(4),
        item: PlcItem(101),
    });
    assert_eq!(unread(&hand).len(), 1);
}

#[test]
fn a_keyed_code_counts_as_read() {
    for policy in [NoReadPolicy::Again, NoReadPolicy::Reject] {
        let mut hand = with_one(policy);
        assert_eq!(hand.parcel(1, take(2)), []);
        assert_eq!(unread(&hand)[0].seat, Some(SeatId(2)));
        let said = hand.parcel(1, key(2, good(9, 0)));
        let read = Output::Read {
            parcel: ParcelId::new(5, 1),
            by: Reader::Seat(SeatId(2)),
            code: CodeId(9),
        };
        assert!(said.contains(&read), "{said:?}");
        assert_eq!(
            decided(&said),
            Some((Some(0), Reason::Planned, Basis::PreAdvice))
        );
        assert_eq!(unread(&hand), []);
        hand.belt(2_500);
        hand.discharged(0, 3, 100);
        let books = hand.sorter.books();
        assert_eq!((books.keyed, books.keyed_in_time, books.sorted), (1, 1, 1));
    }
}

#[test]
fn one_seat_holds_one_parcel_and_one_parcel_one_seat() {
    let mut hand = with_one(NoReadPolicy::Again);
    hand.read(4, 101, Facts::default());
    hand.parcel(1, take(2));
    assert_eq!(hand.parcel(1, take(2)), [], "asking twice does no harm");
    assert_eq!(hand.try_parcel(1, take(3)).0, Err(Refused::NotYours));
    assert_eq!(hand.try_parcel(2, take(2)).0, Err(Refused::SeatBusy));
    assert_eq!(hand.try_parcel(1, give_back(3)).0, Err(Refused::NotYours));
    assert_eq!(
        hand.try_parcel(1, key(3, good(9, 0))).0,
        Err(Refused::NotYours)
    );
    assert_eq!(
        hand.try_parcel(1, key(2, Facts::default())).0,
        Err(Refused::NoCode)
    );
    hand.parcel(1, give_back(2));
    hand.parcel(2, take(2));
    hand.parcel(1, take(3));
    // A parcel that leaves frees its seat.
    hand.belt(6_000);
    hand.discharged(3, 4, 101);
    assert_eq!(
        hand.try_parcel(2, key(2, good(9, 0))).0,
        Err(Refused::NoSuchParcel)
    );
    hand.parcel(1, give_back(3));
    hand.parcel(1, take(2));
    assert_eq!(hand.sorter.books().keyed, 0);
}

#[test]
fn what_was_read_meanwhile_needs_nobody() {
    let mut hand = with_one(NoReadPolicy::Again);
    hand.parcel(1, take(2));
    hand.belt(12_500);
    hand.at_scanner(3, 100, 7);
    hand.scanned(7, good(9, 0));
    assert_eq!(
        hand.try_parcel(1, key(2, good(9, 1))).0,
        Err(Refused::NotYours)
    );
    assert_eq!(hand.try_parcel(1, take(2)).0, Err(Refused::NotUnread));
}

#[test]
fn keyed_too_late_means_the_next_lap() {
    let mut hand = with_one(NoReadPolicy::Again);
    hand.parcel(1, take(2));
    // Chute A at 3 m is past.
    hand.belt(4_000);
    let said = hand.parcel(1, key(2, good(9, 0)));
    let order = order(&said).expect("it is ordered all the same");
    assert_eq!(chutes(&order), [0]);
    assert!(order.obey_by >= BeltMm(14_500), "{order:?}");
}

#[test]
fn a_parcel_that_was_let_go_before_its_code_was_keyed_in_was_not_in_time() {
    let mut hand = with_one(NoReadPolicy::Reject);
    hand.parcel(1, take(2));
    hand.belt(5_400);
    hand.parcel(1, key(2, good(9, 0)));
    hand.belt(5_500);
    let said = hand.discharged(3, 3, 100);
    let rejected = (Disposition::Rejected, Reason::Late, Some(3));
    assert_eq!(ended(&said), Some(rejected));
    let books = hand.sorter.books();
    assert_eq!((books.keyed, books.keyed_in_time), (1, 0));
}

#[test]
fn a_scanner_that_reads_otherwise_than_was_keyed_is_a_cause_of_its_own() {
    let mut hand = with_one(NoReadPolicy::Again);
    hand.parcel(1, take(2));
    hand.parcel(1, key(2, good(9, 0)));
    hand.belt(12_500);
    hand.at_scanner(3, 100, 7);
    assert_eq!(
        hand.scanned(7, good(9, 0)),
        [],
        "the same code is what was hoped for"
    );
    hand.belt(24_500);
    hand.at_scanner(3, 100, 8);
    let said = hand.scanned(8, good(10, 0));
    assert_eq!(
        decided(&said),
        Some((Some(3), Reason::KeyedOtherwise, Basis::Nothing))
    );
}

#[test]
fn a_seat_keeps_a_parcel_that_the_plc_has_lost_and_found() {
    let mut hand = with_one(NoReadPolicy::Again);
    hand.parcel(1, take(2));
    let (track, to) = (LOOP, LinkState::Reset);
    hand.tell(Signal::Link { track, to });
    assert_eq!(unread(&hand), [], "nobody knows where it is");
    hand.belt(600);
    let (cell, item, at) = (CellId(8), PlcItem(1), BeltMm(600));
    hand.tell(Signal::Unexpected { cell, item, at });
    hand.at_scanner(8, 1, 40);
    let conflict = Facts {
        read: Reading::Invalid,
        ..Facts::default()
    };
    hand.scanned(40, conflict);
    let queue = unread(&hand);
    assert_eq!(
        (queue[0].parcel.counter(), queue[0].seat),
        (1, Some(SeatId(2)))
    );
    let said = hand.parcel(1, key(2, good(9, 0)));
    assert_eq!(order(&said).map(|order| order.item), Some(PlcItem(1)));
}

#[test]
fn a_damaged_parcel_goes_where_damaged_ones_go() {
    let mut plan = plan_spec();
    plan.exceptions = vec![(Reason::Damaged, vec![ChuteId(2)])];
    for facts in [good(9, 0), Facts::default()] {
        let mut hand = Hand::new(loop_spec(), plan.clone());
        hand.read(3, 100, facts);
        let said = hand.parcel(1, ParcelWish::Damaged);
        assert_eq!(
            decided(&said),
            Some((Some(2), Reason::Damaged, Basis::Hold))
        );
        assert_eq!(hand.parcel(1, ParcelWish::Damaged), []);
        hand.belt(4_500);
        let said = hand.discharged(2, 3, 100);
        let rejected = (Disposition::Rejected, Reason::Damaged, Some(2));
        assert_eq!(ended(&said), Some(rejected));
    }
}

fn force(chute: u16) -> ParcelWish {
    let chute = ChuteId(chute);
    ParcelWish::Force { chute }
}

#[test]
fn a_forced_parcel_goes_there_whatever_the_plan_says() {
    for facts in [good(9, 0), Facts::default()] {
        let mut hand = Hand::new(loop_spec(), plan_spec());
        hand.read(3, 100, facts);
        let said = hand.parcel(1, force(1));
        assert_eq!(
            decided(&said),
            Some((Some(1), Reason::Forced, Basis::Forced))
        );
        hand.belt(3_500);
        let said = hand.discharged(1, 3, 100);
        let sorted = (Disposition::Sorted, Reason::Forced, Some(1));
        assert_eq!(ended(&said), Some(sorted));
        assert_eq!(hand.sorter.books().missorted, 0);
    }
}

#[test]
fn a_forced_parcel_must_be_able_to_get_there() {
    let mut hand = Hand::new(line_spec(None), plan_spec());
    hand.read(3, 100, good(9, 1));
    assert_eq!(hand.try_parcel(1, force(77)).0, Err(Refused::NoSuchDevice));
    let (chute, state) = (
        ChuteId(2),
        ChuteState {
            jammed: true,
            ..ChuteState::OPEN
        },
    );
    hand.tell(Signal::Chute {
        chute,
        state,
        taken: 0,
    });
    let is = ChuteIs::Jammed;
    assert_eq!(
        hand.try_parcel(1, force(2)).0,
        Err(Refused::ChuteClosed { is })
    );
    hand.belt(2_400);
    assert_eq!(hand.try_parcel(1, force(0)).0, Err(Refused::OutOfReach));
    // What was refused has changed nothing.
    let item = hand.sorter.items().next().expect("it rides");
    assert_eq!((item.chute, item.why), (Some(ChuteId(1)), Reason::Planned));
}

#[test]
fn a_forced_parcel_that_is_not_taken_is_the_plans_again() {
    let mut hand = Hand::new(line_spec(None), plan_spec());
    hand.read(3, 100, good(9, 2));
    hand.parcel(1, force(1));
    hand.belt(3_500);
    let said = hand.refused(1, 3, 100);
    assert_eq!(
        decided(&said),
        Some((Some(2), Reason::Planned, Basis::PreAdvice))
    );

    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.read(3, 100, good(9, 2));
    hand.parcel(1, force(1));
    for lap in 0..3 {
        hand.belt(3_500 + 12_000 * lap);
        let said = hand.refused(1, 3, 100);
        assert_eq!(order(&said).is_some(), lap == 2, "lap {lap}");
        hand.belt(11_500 + 12_000 * lap);
        hand.lap(3, 100);
    }
    let item = hand.sorter.items().next().expect("it rides");
    assert_eq!(item.chute, Some(ChuteId(2)));
}

#[test]
fn a_removed_parcel_is_removed_wherever_it_was() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.read(3, 100, good(9, 0));
    hand.read(4, 101, Facts::default());
    let said = hand.parcel(1, ParcelWish::Removed);
    assert!(
        matches!(said[0], Output::Withdraw { .. }),
        "the PLC must not wait for it: {said:?}"
    );
    assert_eq!(
        ended(&said),
        Some((Disposition::Removed, Reason::Forced, None))
    );
    let (track, to) = (LOOP, LinkState::Reset);
    hand.tell(Signal::Link { track, to });
    let said = hand.parcel(2, ParcelWish::Removed);
    assert_eq!(
        ended(&said),
        Some((Disposition::Removed, Reason::Forced, None))
    );
    assert_eq!(
        hand.try_parcel(2, ParcelWish::Removed).0,
        Err(Refused::NoSuchParcel)
    );
    assert_eq!(
        (hand.sorter.books().removed, hand.sorter.books().on_sorter),
        (2, 0)
    );
}

#[test]
fn what_an_inventory_has_shown_to_be_gone_takes_no_more_commands() {
    const MANY: u32 = 100;
    let mut hub = loop_spec();
    hub.tracks[0].kind = sorthub_core::hub::TrackKind::Loop {
        carriers: 400,
        pitch: Mm(600),
    };
    let mut hand = Hand::new(hub, plan_spec());
    for nth in 0..MANY {
        hand.read(nth, nth + 1, good(u64::from(nth) + 1, 0));
    }
    hand.belt(60_000);
    let (track, at) = (LOOP, BeltMm(60_000));
    hand.tell(Signal::InventoryEnd { track, at });
    // More than one call ends: the last of them is still to be ended.
    let last = u64::from(MANY);
    let (answer, said) = hand.try_parcel(last, ParcelWish::Removed);
    assert_eq!(answer, Err(Refused::NoSuchParcel));
    assert_eq!(
        ended(&said),
        Some((Disposition::Removed, Reason::CommunicationLost, None))
    );
    assert!(hand.sorter.books().on_sorter > 0);
    for _ in 0..5 {
        hand.now = hand.now.after(Micros(1));
        hand.tell(Signal::Tick);
    }
    assert_eq!(hand.sorter.books().removed, last);
}

#[test]
fn in_manual_mode_a_person_sends_each_parcel() {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.told();
    hand.run_track(TrackWish::Mode(Mode::Manual));
    assert_eq!(order(&hand.read(3, 100, good(9, 0))), None);
    let said = hand.parcel(1, force(1));
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![1]));
    hand.run_track(TrackWish::Mode(Mode::Maintenance));
    let said = hand.tell(Signal::Tick);
    let withdrawn = said.iter().any(|o| matches!(o, Output::Withdraw { .. }));
    assert!(withdrawn, "nothing moves while people work there: {said:?}");
    assert_eq!(hand.try_parcel(1, force(2)).0, Err(Refused::InMaintenance));
}
