//! What people have said to one sorter, said again to a fresh one, stands there too.

mod common;

use std::sync::Arc;

use common::*;
use proptest::prelude::*;
use sorthub_core::facts::{DestKey, Verdict};
use sorthub_core::hub::Lot;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::plan::Plan;
use sorthub_core::running::Step;
use sorthub_core::signal::Output;
use sorthub_core::sorter::ChuteIs;

const W: CodeId = CodeId(31);

fn hand() -> Hand {
    let mut hub = loop_spec();
    hub.chutes[1].rules.lot = Lot::Bag;
    hub.chutes[2].rules.lot = Lot::Cage;
    Hand::new(hub, plan_spec())
}

/// A fresh sorter that has been told the words of another one; each must be taken.
fn told_again(before: &Hand) -> Hand {
    let mut after = hand();
    for word in before.sorter.words() {
        assert_eq!(after.command(word).0, Ok(()), "{word:?}");
    }
    after
}

fn say(hand: &mut Hand, words: &[Command]) {
    for &word in words {
        assert_eq!(hand.command(word).0, Ok(()), "{word:?}");
    }
}

fn chute(chute: u16, to: ChuteWish) -> Command {
    let chute = ChuteId(chute);
    Command::Chute { chute, to }
}

fn waybill(to: WaybillWish) -> Command {
    Command::Waybill { code: W, to }
}

fn track(to: TrackWish) -> Command {
    Command::Track { track: LOOP, to }
}

fn induction(to: InductionWish) -> Command {
    let induction = InductionId(0);
    Command::Induction { induction, to }
}

#[test]
fn nobody_has_said_anything_at_the_start() {
    assert_eq!(hand().sorter.words(), []);
}

#[test]
fn a_held_waybill_is_held_by_the_next_run() {
    let mut before = hand();
    say(&mut before, &[waybill(WaybillWish::Hold)]);
    let mut after = told_again(&before);
    after.inducted(3, 100);
    after.belt(500);
    after.at_scanner(3, 100, 1);
    let said = after.scanned(1, good(W.0, 0));
    let sent: Vec<_> = said
        .iter()
        .filter(|it| matches!(it, Output::Divert(_)))
        .collect();
    assert!(
        order(&said).is_none_or(|order| chutes(&order) == [3]),
        "onwards although it is held: {sent:?}"
    );
}

#[test]
fn chutes_bags_and_inductions_are_as_they_were() {
    let mut before = hand();
    let words = [
        chute(0, ChuteWish::Disable),
        chute(3, ChuteWish::Lock),
        chute(1, ChuteWish::BindBag { label: CodeId(9) }),
        chute(1, ChuteWish::ChangeBag),
        induction(InductionWish::Limit(1_200)),
        induction(InductionWish::Stop),
        Command::Carrier {
            cell: CellId(4),
            enabled: false,
        },
    ];
    say(&mut before, &words);
    let after = told_again(&before);
    let is = |at| after.sorter.chute(ChuteId(at)).is;
    assert_eq!(is(0), ChuteIs::Disabled);
    assert_eq!(is(1), ChuteIs::BagChange);
    assert_eq!(is(3), ChuteIs::Locked);
    let bag = after.sorter.chute(ChuteId(1)).bag.expect("one hangs there");
    assert_eq!((bag.label, bag.is_counted), (CodeId(9), false));
    assert_eq!(after.sorter.words(), before.sorter.words());
}

/// Nobody is let onto a track that is being worked on, nor onto one that was drained, before a
/// person starts it.
#[test]
fn a_track_that_stands_stands_on() {
    for (words, mode) in [
        (&[TrackWish::Mode(Mode::Maintenance)][..], Mode::Maintenance),
        (&[TrackWish::Mode(Mode::Emptying)], Mode::Emptying),
        (&[TrackWish::Drain], Mode::Automatic),
        (
            &[
                TrackWish::Mode(Mode::Maintenance),
                TrackWish::Mode(Mode::Automatic),
            ],
            Mode::Automatic,
        ),
    ] {
        let mut before = hand();
        before.told();
        words.iter().for_each(|to| say(&mut before, &[track(*to)]));
        let mut after = told_again(&before);
        after.told();
        let state = after.sorter.track(LOOP).state;
        assert_eq!(state.mode, mode, "{words:?}");
        assert_ne!(state.step, Step::Started, "{words:?}");
    }
}

/// The old owner's parcels lie in it: a person must look before others come in.
#[test]
fn a_chute_that_waits_to_be_cleared_is_locked() {
    let mut before = hand();
    before.brought(3, 100, 1);
    before.discharged(1, 3, 100);
    // Another destination than the one whose parcel lies in it.
    let mut other = plan_spec();
    other.version += 1;
    other.destinations[0].chutes = vec![ChuteId(1)];
    other.destinations[1].chutes = vec![ChuteId(0), ChuteId(2)];
    let version = other.version;
    let other = Plan::new(other, before.sorter.hub()).expect("the other plan is sound");
    let staged = before.sorter.stage(Arc::new(other));
    assert!(staged.is_ok(), "there is room for it");
    assert_eq!(before.command(Command::Activate { version }).0, Ok(()));
    before.due();
    let waits = (0..4).map(ChuteId);
    let waits: Vec<_> = waits
        .filter(|chute| before.sorter.chute(*chute).is == ChuteIs::PendingClear)
        .collect();
    assert!(!waits.is_empty(), "a chute changes hands");
    let after = told_again(&before);
    for chute in waits {
        assert_eq!(after.sorter.chute(chute).is, ChuteIs::Locked);
    }
}

fn any_word() -> impl Strategy<Value = Command> {
    let chute_wish = prop_oneof![
        Just(ChuteWish::Lock),
        Just(ChuteWish::Unlock),
        Just(ChuteWish::Disable),
        Just(ChuteWish::Enable),
        Just(ChuteWish::ChangeBag),
        Just(ChuteWish::KeepBag),
        (1..9_u64).prop_map(|label| ChuteWish::BindBag {
            label: CodeId(label)
        }),
    ];
    let track_wish = prop_oneof![
        Just(TrackWish::Start),
        Just(TrackWish::Drain),
        Just(TrackWish::Purge),
        Just(TrackWish::Close),
        Just(TrackWish::Open),
        Just(TrackWish::Mode(Mode::Automatic)),
        Just(TrackWish::Mode(Mode::Manual)),
        Just(TrackWish::Mode(Mode::Maintenance)),
        Just(TrackWish::Mode(Mode::Emptying)),
    ];
    let waybill_wish = prop_oneof![
        Just(WaybillWish::Hold),
        Just(WaybillWish::Release),
        Just(WaybillWish::Verdict(Verdict::Suspect)),
        Just(WaybillWish::Verdict(Verdict::Clear)),
        (0..3_usize).prop_map(|to| WaybillWish::Intercept {
            to: DestKey::of(["a", "b", "c"][to])
        }),
    ];
    prop_oneof![
        (0..4_u16, chute_wish).prop_map(|(at, to)| chute(at, to)),
        track_wish.prop_map(track),
        (1..4_u64, waybill_wish).prop_map(|(code, to)| Command::Waybill {
            code: CodeId(code),
            to,
        }),
        prop_oneof![
            Just(InductionWish::Run),
            Just(InductionWish::Stop),
            (0..3_u16).prop_map(|n| InductionWish::Limit(n * 600)),
        ]
        .prop_map(induction),
        (0..4_u32, any::<bool>()).prop_map(|(cell, enabled)| Command::Carrier {
            cell: CellId(cell),
            enabled,
        }),
    ]
}

proptest! {
    /// Whatever was said, in whatever order, the words of what stands bring another sorter there.
    #[test]
    fn words_said_again_leave_nothing_to_say(
        words in proptest::collection::vec(any_word(), 0..40),
    ) {
        let mut before = hand();
        before.told();
        for word in words {
            let _perhaps_refused = before.command(word);
        }
        let after = told_again(&before);
        let sorted = |hand: &Hand| {
            let mut words = hand.sorter.words();
            words.sort_by_key(|word| format!("{word:?}"));
            words
        };
        prop_assert_eq!(sorted(&after), sorted(&before));
    }
}
