//! The plant's PLC obeys orders by the letter.

mod common;

use common::{Model, Steps, one_parcel, order, parcel, small_line};
use sorthub_core::ids::{CellId, ChuteId, PlcItem, ScannerId, TrackId};
use sorthub_core::signal::{ChuteState, OnFail, Order, Refusal, Signal};
use sorthub_core::units::{BeltMm, Micros};
use sorthub_sim::plant::{BeltCommand, ChuteCommand, Options, Way};

const CELL: CellId = CellId(1);
const ITEM: PlcItem = PlcItem(1);

fn ms(ms: u64) -> Micros {
    Micros::from_millis(ms)
}

/// What is said about an item's orders and chutes, as short words.
fn told(steps: &mut Steps) -> Vec<String> {
    let one = |(at, signal): (u64, Signal)| match signal {
        Signal::Discharged { chute, .. } => Some(format!("{at} left by {}", chute.0)),
        Signal::NotDischarged { chute, cause, .. } => {
            Some(format!("{at} not by {}: {cause:?}", chute.0))
        }
        Signal::OrderAnswered {
            revision, answer, ..
        } => Some(format!("{at} order {revision} {answer:?}")),
        _ => None,
    };
    steps.said().into_iter().filter_map(one).collect()
}

/// Gives orders at times, and compares what is told up to 40 s.
fn check(model: &Model, orders: &[(u64, Order)], expected: &[&str]) {
    let mut steps = Steps::new(model);
    for (at_ms, order) in orders {
        steps.order(*at_ms, order);
    }
    steps.until(40_000);
    assert_eq!(told(&mut steps), expected);
}

/// The parcel is on the belt of the small loop from 0.5 s on; it passes A at 4.5 s, B at 6.5 s,
/// reject at 9.0 s, and each again 10 s later. Commit points are 0.2 s before.
#[test]
fn only_the_item_that_is_there_and_a_newer_revision_count() {
    let stranger = order(CELL, PlcItem(2), 1, &[0]);
    check(
        &one_parcel(),
        &[(1_500, stranger)],
        &["1500 order 1 NoSuchItem"],
    );
    let elsewhere = order(CellId(2), ITEM, 1, &[0]);
    check(
        &one_parcel(),
        &[(1_500, elsewhere)],
        &["1500 order 1 NoSuchItem"],
    );
    let nowhere = order(CellId(99), ITEM, 1, &[0]);
    check(
        &one_parcel(),
        &[(1_500, nowhere)],
        &["1500 order 1 NoSuchItem"],
    );

    let (old, new) = (order(CELL, ITEM, 2, &[0]), order(CELL, ITEM, 3, &[1]));
    check(
        &one_parcel(),
        &[(1_500, old), (1_600, new)],
        &["6500 left by 1"],
    );
    let both = [(1_500, new), (1_600, old)];
    check(
        &one_parcel(),
        &both,
        &["1600 order 2 OldRevision", "6500 left by 1"],
    );
    let twice = [(1_500, new), (1_600, new)];
    check(
        &one_parcel(),
        &twice,
        &["1600 order 3 OldRevision", "6500 left by 1"],
    );
}

#[test]
fn revisions_wrap() {
    let high = order(CELL, ITEM, 0x7fff, &[0]);
    let higher = order(CELL, ITEM, 0xfffe, &[0]);
    let wrapped = order(CELL, ITEM, 3, &[1]);
    let orders = [(1_500, high), (1_600, higher), (1_700, wrapped)];
    check(&one_parcel(), &orders, &["6500 left by 1"]);
}

#[test]
fn a_chute_must_be_on_the_track() {
    let bad = order(CELL, ITEM, 1, &[0, 7]);
    check(&one_parcel(), &[(1_500, bad)], &["1500 order 1 BadChute"]);
}

#[test]
fn an_order_behind_the_commit_point_waits_for_the_next_pass_of_a_loop() {
    let in_time = [(4_300, order(CELL, ITEM, 1, &[0]))];
    check(&one_parcel(), &in_time, &["4500 left by 0"]);
    let late = [(4_301, order(CELL, ITEM, 1, &[0]))];
    check(&one_parcel(), &late, &["14500 left by 0"]);
}

#[test]
fn an_order_lapses_at_the_encoder_it_was_good_until() {
    let until = |at| Order {
        obey_by: BeltMm(at),
        ..order(CELL, ITEM, 1, &[0])
    };
    check(&one_parcel(), &[(1_500, until(4_500))], &["4500 left by 0"]);
    check(
        &one_parcel(),
        &[(1_500, until(4_499))],
        &["4500 order 1 Expired"],
    );
    check(
        &one_parcel(),
        &[(4_400, until(9_000))],
        &["9001 order 1 Expired"],
    );
    check(
        &one_parcel(),
        &[(1_500, until(1_499))],
        &["1500 order 1 Expired"],
    );
}

#[test]
fn a_committed_parcel_leaves_although_a_newer_order_came() {
    let orders = [
        (1_500, order(CELL, ITEM, 1, &[0])),
        (4_301, order(CELL, ITEM, 2, &[1])),
    ];
    check(&one_parcel(), &orders, &["4500 left by 0"]);
    let orders = [
        (1_500, order(CELL, ITEM, 1, &[0])),
        (4_300, order(CELL, ITEM, 2, &[1])),
    ];
    check(&one_parcel(), &orders, &["6500 left by 1"]);
}

#[test]
fn a_withdrawn_order_does_not_act_unless_committed() {
    for (at_ms, expected) in [(4_300, vec![]), (4_301, vec!["4500 left by 0"])] {
        let mut steps = Steps::new(&one_parcel());
        steps.order(1_500, &order(CELL, ITEM, 1, &[0])).until(at_ms);
        steps.plant.withdraw(ms(at_ms), CELL, ITEM, 2);
        steps.until(40_000);
        assert_eq!(told(&mut steps), expected);
    }
}

#[test]
fn the_next_chute_is_tried_when_the_one_before_refused() {
    let mut steps = Steps::new(&one_parcel());
    steps
        .plant
        .change_chute(ms(0), ChuteId(0), ChuteCommand::Lock(true));
    steps
        .order(1_500, &order(CELL, ITEM, 1, &[0, 1]))
        .until(40_000);
    assert_eq!(
        told(&mut steps),
        ["4500 not by 0: Locked", "6500 left by 1"]
    );
}

#[test]
fn chutes_are_tried_in_the_order_given_not_in_that_of_the_belt() {
    let mut steps = Steps::new(&one_parcel());
    steps
        .plant
        .change_chute(ms(0), ChuteId(1), ChuteCommand::Jam(true));
    steps
        .order(1_500, &order(CELL, ITEM, 1, &[1, 0]))
        .until(40_000);
    assert_eq!(
        told(&mut steps),
        ["6500 not by 1: Jammed", "14500 left by 0"]
    );
}

#[test]
fn an_order_that_laps_is_tried_again_and_one_that_goes_straight_is_over() {
    for (on_fail, expected) in [
        (
            OnFail::Lap,
            vec!["4500 not by 0: Disabled", "14500 left by 0"],
        ),
        (OnFail::Straight, vec!["4500 not by 0: Disabled"]),
    ] {
        let mut steps = Steps::new(&one_parcel());
        steps
            .plant
            .change_chute(ms(0), ChuteId(0), ChuteCommand::Disable(true));
        let order = Order {
            on_fail,
            ..order(CELL, ITEM, 1, &[0])
        };
        steps.order(1_500, &order).until(10_000);
        steps
            .plant
            .change_chute(ms(10_000), ChuteId(0), ChuteCommand::Disable(false));
        steps.until(40_000);
        assert_eq!(told(&mut steps), expected);
    }
}

#[test]
fn a_full_chute_refuses_until_a_parcel_is_taken_out() {
    let mut model = one_parcel();
    // Three parcels 0.5 s apart; A holds two, and taking one out lasts 4.5 s here. The first is
    // out at 9.0 s; the third, refused at 5.5 s, gets in a lap later.
    model.plant.trace = (1..=3)
        .map(|n| parcel(&format!("P{n}"), 300, 400, Some(0)))
        .collect();
    model.plant.chutes[0].service = sorthub_sim::spec::Service::BySize;
    model.plant.chutes[0].counts_taken = true;
    let mut steps = Steps::new(&model);
    for n in 0..3 {
        steps.order(
            1_500 + 500 * n,
            &order(
                CellId([1, 0, 19][n as usize]),
                PlcItem(n as u32 + 1),
                1,
                &[0],
            ),
        );
    }
    steps.until(40_000);
    let all = steps.said();
    let taken: Vec<(u64, u16)> = all
        .iter()
        .filter_map(|(at, signal)| match signal {
            Signal::Chute { taken, .. } => Some((*at, *taken)),
            _ => None,
        })
        .collect();
    assert_eq!(taken, [(9_000, 1), (13_500, 2), (20_000, 3)]);
    let refused: Vec<u64> = all
        .iter()
        .filter(|(_, s)| {
            matches!(
                s,
                Signal::NotDischarged {
                    cause: Refusal::Full,
                    ..
                }
            )
        })
        .map(|(at, _)| *at)
        .collect();
    assert_eq!(refused, [5_500]);
    // Full from the second drop at 5.0 s until the first is out at 9.0 s.
    assert_eq!(steps.plant.chute(ChuteId(0), ms(40_000)).full_us, 4_000_000);
}

#[test]
fn a_chute_is_full_up_to_the_instant_at_which_a_parcel_is_taken_out() {
    // P1 drops into A at 4.5 s and is out at 9.0 s; P2 drops in at 5.0 s. P3 would pass at 8.5 s;
    // a stop of the belt makes it later.
    for (stop_ms, expected) in [(499, "8999 not by 0: Full"), (500, "9000 left by 0")] {
        let mut model = one_parcel();
        let arrivals = [("P1", 300), ("P2", 300), ("P3", 4_300)];
        model.plant.trace = arrivals
            .map(|(label, at)| parcel(label, at, 400, Some(0)))
            .to_vec();
        model.plant.chutes[0].service = sorthub_sim::spec::Service::BySize;
        let mut steps = Steps::new(&model);
        steps.order(1_500, &order(CellId(1), PlcItem(1), 1, &[0]));
        steps.order(2_000, &order(CellId(0), PlcItem(2), 1, &[0]));
        steps.order(5_500, &order(CellId(13), PlcItem(3), 1, &[0]));
        steps
            .until(6_000)
            .plant
            .belt(ms(6_000), TrackId(0), BeltCommand::Stop);
        steps.until(6_000 + stop_ms).said();
        steps
            .plant
            .belt(ms(6_000 + stop_ms), TrackId(0), BeltCommand::Run);
        steps.until(9_500);
        assert_eq!(told(&mut steps), [expected]);
    }
}

#[test]
fn a_full_eye_is_told_after_it_was_covered_for_a_while() {
    let mut model = one_parcel();
    model.plant.trace = (1..=2)
        .map(|n| parcel(&format!("P{n}"), 300, 400, Some(0)))
        .collect();
    model.plant.chutes[0].service = sorthub_sim::spec::Service::BySize;
    model.plant.chutes[0].full_eye = true;
    let mut steps = Steps::new(&model);
    steps.order(1_500, &order(CellId(1), PlcItem(1), 1, &[0]));
    steps.order(2_000, &order(CellId(0), PlcItem(2), 1, &[0]));
    steps.until(40_000);
    let eye: Vec<(u64, bool)> = steps
        .said()
        .iter()
        .filter_map(|(at, signal)| match signal {
            Signal::Chute {
                state: ChuteState { full, .. },
                ..
            } => Some((*at, *full)),
            _ => None,
        })
        .collect();
    // Full at 5.0 s, told 2.5 s later; free again when the first is out at 9.0 s.
    assert_eq!(eye, [(7_500, true), (9_000, false)]);
}

/// On the small line the parcel gets on at 0 m at 1.0 s; it passes A at 5 s and B at 7 s.
#[test]
fn too_late_on_a_line_is_late() {
    let mut model = small_line(true);
    model.plant.trace = vec![parcel("P1", 1_000, 600, Some(0))];
    let give = |at_ms, chutes: &[u16]| {
        let straight = OnFail::Straight;
        vec![(
            at_ms,
            Order {
                on_fail: straight,
                ..order(CellId(0), ITEM, 1, chutes)
            },
        )]
    };
    check(&model, &give(4_800, &[0]), &["5000 left by 0"]);
    check(&model, &give(4_801, &[0]), &["4801 order 1 Late"]);
    check(
        &model,
        &give(4_900, &[0, 1]),
        &["4900 not by 0: Late", "7000 left by 1"],
    );
    check(&model, &give(8_000, &[0, 1]), &["8000 order 1 Late"]);
    check(
        &model,
        &give(8_000, &[0, 1, 2]),
        &[
            "8000 not by 0: Late",
            "8000 not by 1: Late",
            "11000 left by 2",
        ],
    );
}

#[test]
fn a_refused_alternate_behind_the_parcel_is_late_on_a_line() {
    let mut model = small_line(true);
    model.plant.trace = vec![parcel("P1", 1_000, 600, Some(0))];
    let mut steps = Steps::new(&model);
    steps
        .plant
        .change_chute(ms(0), ChuteId(1), ChuteCommand::Lock(true));
    steps
        .order(2_000, &order(CellId(0), ITEM, 1, &[1, 0]))
        .until(14_000);
    assert_eq!(
        told(&mut steps),
        ["7000 not by 1: Locked", "7000 not by 0: Late"]
    );
}

#[test]
fn every_order_is_answered_if_that_is_asked_for() {
    let model = one_parcel();
    let mut steps = Steps::new(&model);
    steps.plant = model.plant(Options {
        answers_all: true,
        ..Options::default()
    });
    steps.order(1_500, &order(CELL, ITEM, 1, &[0])).until(5_000);
    assert_eq!(
        told(&mut steps),
        ["1500 order 1 Accepted", "4500 left by 0"]
    );
}

#[test]
fn a_restarted_plc_knows_nothing_and_numbers_what_it_finds() {
    let mut steps = Steps::new(&one_parcel());
    steps.order(1_500, &order(CELL, ITEM, 1, &[0])).until(3_000);
    steps.plant.halt_plc(ms(3_000), TrackId(0));
    steps.until(8_000).said();
    assert_eq!(steps.plant.inventory(TrackId(0)).count(), 0);
    steps.plant.restart_plc(ms(8_000), TrackId(0));
    steps.until(9_000);
    assert_eq!(steps.plant.encoder(TrackId(0), ms(9_000)), BeltMm(3_000));
    steps.plant.belt(ms(9_000), TrackId(0), BeltCommand::Run);
    steps.until(17_500);
    // It counts its items from 1 again.
    // It stood for 6 s; the order is forgotten, so it passes A; at the scanner again at 17.5 s.
    let found = Signal::Unexpected {
        cell: CELL,
        item: PlcItem(1),
        at: BeltMm(11_500),
    };
    let at_scanner = Signal::AtScanner {
        scanner: ScannerId(0),
        cell: CELL,
        item: PlcItem(1),
        trigger: 2,
        at: BeltMm(11_500),
    };
    assert_eq!(steps.said(), [(17_500, found), (17_500, at_scanner)]);
    let inventory: Vec<_> = steps.plant.inventory(TrackId(0)).collect();
    assert_eq!(inventory, [(CELL, PlcItem(1))]);
    steps
        .order(17_500, &order(CELL, PlcItem(1), 1, &[0]))
        .until(40_000);
    assert_eq!(told(&mut steps), ["20500 left by 0"]);
}

#[test]
fn a_silent_scanner_says_nothing_but_its_eye_does() {
    let mut steps = Steps::new(&one_parcel());
    steps.plant.silence_scanner(ms(0), ScannerId(0), true);
    steps.until(2_000);
    let telegrams = steps
        .seen
        .iter()
        .filter(|(_, event)| matches!(event, sorthub_sim::plant::PlantEvent::Telegram { .. }));
    assert_eq!(telegrams.count(), 0);
    assert!(
        steps
            .said()
            .iter()
            .any(|(_, s)| matches!(s, Signal::AtScanner { .. }))
    );
}

#[test]
fn a_parcel_removed_by_hand_is_told_and_leaves_its_carrier_free() {
    let mut steps = Steps::new(&one_parcel());
    steps.order(1_500, &order(CELL, ITEM, 1, &[0])).until(3_000);
    assert!(!steps.plant.remove(ms(3_000), 2));
    assert!(steps.plant.remove(ms(3_000), 1));
    steps.said();
    steps.until(30_000);
    assert_eq!(
        steps.said(),
        [(
            3_000,
            Signal::RemovedByHand {
                cell: CELL,
                item: ITEM
            }
        )]
    );
    assert_eq!(steps.plant.ledger()[0].exit, Some((Way::ByHand, ms(3_000))));
    assert!(steps.plant.is_idle());
}
