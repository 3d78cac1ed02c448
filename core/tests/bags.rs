//! Bags and cages: what they hold, and how they are changed step by step.

mod common;

use common::*;
use sorthub_core::hub::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::reason::Reason;
use sorthub_core::signal::*;
use sorthub_core::sorter::{BagStep, ChuteIs};
use sorthub_core::units::*;

const A: ChuteId = ChuteId(0);
const LABEL: CodeId = CodeId(77);

fn hand_with(lot: Lot, lot_most: LotMost) -> Hand {
    let mut hub = loop_spec();
    for chute in &mut hub.chutes[..3] {
        chute.rules = ChuteRules {
            lot,
            lot_most,
            ..ChuteRules::AS_TOLD
        };
    }
    Hand::new(hub, plan_spec())
}

fn bag_hand() -> Hand {
    hand_with(Lot::Bag, LotMost::default())
}

fn wish(hand: &mut Hand, to: ChuteWish) -> (Result<(), Refused>, Vec<Output>) {
    hand.command(Command::Chute { chute: A, to })
}

fn told(hand: &mut Hand, state: ChuteState) -> Vec<Output> {
    hand.tell(Signal::Chute {
        chute: A,
        state,
        taken: 0,
    })
}

const LOCKED: ChuteState = ChuteState {
    lock_applied: true,
    ..ChuteState::OPEN
};

fn stages(said: &[Output]) -> Vec<(BagStage, u32, CodeId)> {
    let bags = said.iter().filter_map(|output| match *output {
        Output::Bag {
            to, pieces, label, ..
        } => Some((to, pieces, label)),
        _ => None,
    });
    bags.collect()
}

fn step(hand: &Hand) -> BagStep {
    hand.sorter.chute(A).bag.expect("a bag hangs there").step
}

fn bag_of(said: &[Output]) -> Option<BagId> {
    said.iter().find_map(|output| match output {
        Output::Ended { bag, .. } => *bag,
        _ => None,
    })
}

/// A parcel of so many grams drops into A.
fn drop_one(hand: &mut Hand, item: u32, grams: u32) -> Vec<Output> {
    let start = hand.now.0 as i64 / 1_000;
    let mut facts = good(u64::from(item), 0);
    facts.measured.weight = Grams(grams);
    hand.inducted(3, item);
    hand.belt(start + 500);
    hand.at_scanner(3, item, item as u16);
    hand.scanned(item as u16, facts);
    hand.belt(start + 2_500);
    hand.discharged(0, 3, item)
}

/// From the wish for a change to the frozen bag.
fn freeze(hand: &mut Hand) -> Vec<Output> {
    assert_eq!(wish(hand, ChuteWish::ChangeBag).0, Ok(()));
    told(hand, LOCKED)
}

#[test]
fn a_bag_is_changed_step_by_step() {
    let mut hand = bag_hand();
    let first = bag_of(&drop_one(&mut hand, 100, 500)).expect("it dropped into a bag");
    let (answer, said) = wish(&mut hand, ChuteWish::ChangeBag);
    assert_eq!(answer, Ok(()));
    let lock = Output::ChuteWish {
        chute: A,
        lock: true,
        lamp: Lamp::Wait,
        why: Some(Reason::BagChange),
    };
    assert!(said.contains(&lock), "{said:?}");
    assert_eq!(hand.sorter.chute(A).is, ChuteIs::BagChange);
    let ready = ChuteWish::BagReady;
    assert_eq!(wish(&mut hand, ready).0, Err(Refused::BagNotFrozen));
    for again in [ChuteWish::ChangeBag, ChuteWish::Unlock] {
        assert_eq!(wish(&mut hand, again).0, Err(Refused::BagChanging));
    }
    let bind = ChuteWish::BindBag { label: LABEL };
    assert_eq!(
        wish(&mut hand, bind).0,
        Err(Refused::BagNotFrozen),
        "not frozen yet"
    );
    assert_eq!(step(&hand), BagStep::Asked);
    let said = told(&mut hand, LOCKED);
    assert_eq!(stages(&said), [(BagStage::Frozen, 1, CodeId::NONE)]);
    assert_eq!(step(&hand), BagStep::Frozen);
    assert_eq!(
        wish(&mut hand, ChuteWish::BagReady).0,
        Err(Refused::BagNotLabelled),
        "no label"
    );
    let (answer, said) = wish(&mut hand, bind);
    assert_eq!(answer, Ok(()));
    assert_eq!(step(&hand), BagStep::Bound);
    let is_ready =
        |output: &Output| matches!(output, Output::ChuteWish { lamp, .. } if *lamp == Lamp::Ready);
    assert!(said.iter().any(is_ready), "{said:?}");
    let (answer, said) = wish(&mut hand, ChuteWish::BagReady);
    assert_eq!(answer, Ok(()));
    assert_eq!(stages(&said), [(BagStage::Opened, 0, LABEL)]);
    told(&mut hand, ChuteState::OPEN);
    assert_eq!(hand.sorter.chute(A).is, ChuteIs::Open);
    let second = bag_of(&drop_one(&mut hand, 101, 500)).expect("it dropped into the next bag");
    assert_ne!(first, second);
    let bag = hand.sorter.chute(A).bag.expect("a bag hangs there");
    assert_eq!((bag.bag, bag.pieces, bag.weight_g), (second, 1, 500));
    assert!(bag.is_counted, "it was empty when it was hung");
}

#[test]
fn a_bag_is_not_frozen_before_the_last_past_the_commit_point_is_accounted_for() {
    let mut hand = bag_hand();
    hand.brought(3, 100, 0);
    hand.belt(2_350);
    assert_eq!(
        stages(&freeze(&mut hand)),
        [],
        "one is past the commit point"
    );
    let said = hand.discharged(0, 3, 100);
    assert_eq!(stages(&said), [(BagStage::Frozen, 1, CodeId::NONE)]);
}

#[test]
fn a_bag_is_frozen_when_the_belt_has_carried_the_last_past_although_nobody_said_so() {
    let mut hand = bag_hand();
    hand.brought(3, 100, 0);
    hand.belt(2_350);
    freeze(&mut hand);
    let said = hand.belt(2_800);
    assert_eq!(
        stages(&said),
        [],
        "within 200 mm of lead and 300 mm of tolerance"
    );
    let said = hand.belt(2_850);
    assert_eq!(stages(&said), [(BagStage::Frozen, 0, CodeId::NONE)]);
    // What drops in all the same is told, in the bag's new contents too.
    let said = hand.discharged(0, 3, 100);
    assert_eq!(stages(&said), [(BagStage::Frozen, 1, CodeId::NONE)]);
    assert!(bag_of(&said).is_some());
}

#[test]
fn parcels_before_the_commit_point_go_elsewhere_when_a_bag_is_changed() {
    let mut hand = bag_hand();
    hand.brought(3, 100, 1);
    let to = ChuteWish::ChangeBag;
    let (_, said) = hand.command(Command::Chute {
        chute: ChuteId(1),
        to,
    });
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![2]));
}

#[test]
fn a_label_is_on_one_bag_only() {
    let mut hand = bag_hand();
    let bind = ChuteWish::BindBag { label: LABEL };
    let (answer, said) = wish(&mut hand, bind);
    assert_eq!(answer, Ok(()), "the bag that hangs has none yet");
    assert_eq!(stages(&said), [(BagStage::Labelled, 0, LABEL)]);
    let elsewhere = Command::Chute {
        chute: ChuteId(1),
        to: bind,
    };
    assert_eq!(hand.command(elsewhere).0, Err(Refused::LabelInUse));
    freeze(&mut hand);
    assert_eq!(
        wish(&mut hand, bind).0,
        Err(Refused::LabelInUse),
        "its own, on the old bag"
    );
    let next = CodeId(78);
    assert_eq!(
        wish(&mut hand, ChuteWish::BindBag { label: next }).0,
        Ok(())
    );
    assert_eq!(wish(&mut hand, ChuteWish::BagReady).0, Ok(()));
    assert_eq!(
        hand.command(elsewhere).0,
        Err(Refused::LabelInUse),
        "the last one"
    );
}

#[test]
fn a_bag_that_is_kept_takes_parcels_again() {
    let mut hand = bag_hand();
    drop_one(&mut hand, 100, 500);
    freeze(&mut hand);
    let (answer, said) = wish(&mut hand, ChuteWish::KeepBag);
    assert_eq!(answer, Ok(()));
    assert_eq!(stages(&said), [(BagStage::Kept, 1, CodeId::NONE)]);
    told(&mut hand, ChuteState::OPEN);
    drop_one(&mut hand, 101, 500);
    assert_eq!(hand.sorter.chute(A).bag.map(|bag| bag.pieces), Some(2));
    for no_change in [ChuteWish::KeepBag, ChuteWish::BagReady] {
        assert_eq!(wish(&mut hand, no_change).0, Err(Refused::NoBagChange));
    }
    let bind = ChuteWish::BindBag { label: LABEL };
    assert_eq!(wish(&mut hand, bind).0, Ok(()), "it has none yet");
    let another = ChuteWish::BindBag {
        label: CodeId(LABEL.0 + 1),
    };
    assert_eq!(wish(&mut hand, another).0, Err(Refused::NoBagChange));
}

#[test]
fn the_button_asks_for_a_change_and_ends_it() {
    let mut hand = bag_hand();
    let press = Signal::BagButton { chute: A };
    hand.tell(press);
    assert_eq!(hand.sorter.chute(A).is, ChuteIs::BagChange);
    told(&mut hand, LOCKED);
    assert_eq!(
        stages(&hand.tell(press)),
        [],
        "the new bag has no label yet"
    );
    assert_eq!(
        wish(&mut hand, ChuteWish::BindBag { label: LABEL }).0,
        Ok(())
    );
    let said = hand.tell(press);
    assert_eq!(stages(&said), [(BagStage::Opened, 0, LABEL)]);
}

#[test]
fn a_cage_needs_no_label_and_a_flow_has_nothing_to_change() {
    let mut hand = hand_with(Lot::Cage, LotMost::default());
    freeze(&mut hand);
    assert_eq!(wish(&mut hand, ChuteWish::BagReady).0, Ok(()));
    let mut hand = hand_with(Lot::Flow, LotMost::default());
    let bind = ChuteWish::BindBag { label: LABEL };
    for bag in [
        ChuteWish::ChangeBag,
        bind,
        ChuteWish::BagReady,
        ChuteWish::KeepBag,
    ] {
        assert_eq!(wish(&mut hand, bag).0, Err(Refused::NoBagThere));
    }
    assert_eq!(bag_of(&drop_one(&mut hand, 100, 500)), None);
    assert_eq!(hand.sorter.chute(A).bag, None);
}

#[test]
fn a_bag_that_holds_what_it_may_asks_to_be_changed_by_itself() {
    let two = LotMost {
        pieces: 2,
        ..LotMost::default()
    };
    let mut hand = hand_with(Lot::Bag, two);
    drop_one(&mut hand, 100, 500);
    assert_eq!(hand.sorter.chute(A).is, ChuteIs::Open);
    drop_one(&mut hand, 101, 500);
    assert_eq!(hand.sorter.chute(A).is, ChuteIs::BagLimit);
    assert!(hand.sorter.chute(A).wish.lock);
    assert_eq!(
        wish(&mut hand, ChuteWish::KeepBag).0,
        Err(Refused::BagFull),
        "it is full"
    );
    assert_eq!(
        order(&hand.brought(4, 102, 0)),
        None,
        "it goes round meanwhile"
    );
}

#[test]
fn those_on_their_way_count_against_a_bags_limit() {
    let two = LotMost {
        pieces: 2,
        ..LotMost::default()
    };
    let mut hand = hand_with(Lot::Bag, two);
    assert!(order(&hand.brought(3, 100, 0)).is_some());
    assert!(order(&hand.brought(4, 101, 0)).is_some());
    let said = hand.brought(5, 102, 0);
    assert_eq!(
        decided(&said).map(|(chute, why, _)| (chute, why)),
        Some((None, Reason::BagLimit))
    );
    assert_eq!(
        hand.sorter.chute(A).is,
        ChuteIs::Open,
        "two are still to come"
    );
}

/// Where all is closed, a full chute is tried, as it may be free by then; but not beyond the limit
/// of its bag.
#[test]
fn a_full_chute_is_not_tried_beyond_its_bags_limit() {
    let two = LotMost {
        pieces: 2,
        ..LotMost::default()
    };
    let full = ChuteState {
        full: true,
        ..ChuteState::OPEN
    };
    let mut hand = hand_with(Lot::Bag, two);
    told(&mut hand, full);
    for (cell, item) in [(3, 100), (4, 101)] {
        let tried = order(&hand.brought(cell, item, 0)).expect("it may be free by then");
        assert_eq!(chutes(&tried), [0]);
    }
    let said = hand.brought(5, 102, 0);
    assert_eq!(order(&said), None, "two are on their way: {said:?}");
}

#[test]
fn a_bag_with_too_little_left_for_a_parcel_is_changed() {
    let heavy = LotMost {
        weight: Grams(20_000),
        ..LotMost::default()
    };
    let mut hand = hand_with(Lot::Bag, heavy);
    drop_one(&mut hand, 100, 18_000);
    assert_eq!(hand.sorter.chute(A).is, ChuteIs::Open);
    let mut facts = good(101, 0);
    facts.measured.weight = Grams(3_000);
    assert_eq!(order(&hand.read(4, 101, facts)), None);
    assert_eq!(hand.sorter.chute(A).is, ChuteIs::BagLimit);
}

#[test]
fn what_a_person_takes_away_is_said_and_the_next_is_open() {
    let mut hand = hand_with(Lot::Cage, LotMost::default());
    drop_one(&mut hand, 100, 500);
    let (answer, said) = wish(&mut hand, ChuteWish::Cleared);
    assert_eq!(answer, Ok(()));
    let frozen = (BagStage::Frozen, 1, CodeId::NONE);
    assert_eq!(stages(&said), [frozen, (BagStage::Opened, 0, CodeId::NONE)]);
}
