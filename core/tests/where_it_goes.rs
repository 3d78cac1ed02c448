//! Where a parcel is for: the first that knows wins, and says so.

mod common;

use common::*;
use sorthub_core::facts::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::plan::*;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::*;
use sorthub_core::units::*;

/// Destinations a (chute 0), b (1, 2), c (2); chute 3 rejects. Everything that can say where a
/// parcel goes says something else, so that taking one away lets the next one show.
fn plan() -> PlanSpec {
    let address = |kind, prefix, to| AddressRule {
        kind,
        prefix: Address::of(prefix),
        to: DestId(to),
    };
    let rule = |stage, when, to| AttributeRule {
        stage,
        when: vec![when],
        then: Then::To(DestId(to)),
    };
    PlanSpec {
        addresses: vec![
            address(AddressKind::Segment, "510", 1),
            address(AddressKind::Postcode, "5", 0),
            address(AddressKind::Postcode, "51", 2),
        ],
        rules: vec![
            rule(Stage::Last, Condition::Heavier(Grams(100)), 1),
            rule(Stage::First, Condition::Tagged(Tags::DANGEROUS), 2),
        ],
        checks: Checks {
            weight_most: Grams(30_000),
            length_most: Mm(1_200),
            weight_tolerance_permille: 100,
            weight_tolerance: Grams(50),
            size_tolerance: Mm(20),
        },
        ..plan_spec()
    }
}

/// Facts on which everything knows something.
fn everything() -> Facts {
    let mut facts = good(9, 0);
    facts.advice.segment = Address::of("510-XYZ");
    facts.advice.postcode = Address::of("51234");
    facts.advice.tags = Tags::DANGEROUS;
    facts.measured.weight = Grams(500);
    facts.verdict = Verdict::Suspect;
    facts
}

#[test]
fn the_first_that_knows_wins() {
    let mut facts = everything();
    let mut intercepted = true;
    let mut held = true;
    let mut steps: Vec<(Option<u16>, Reason, Basis)> = Vec::new();
    for step in 0..9 {
        match step {
            1 => facts.verdict = Verdict::Clear,
            2 => held = false,
            3 => facts.measured.weight = Grams(30_000),
            4 => intercepted = false,
            5 => facts.advice.tags = Tags::NONE,
            6 => facts.advice.dest = DestKey::NONE,
            7 => facts.advice.segment = Address::of("51"),
            8 => facts.advice.postcode = Address::of("6"),
            _ => facts.measured.weight = Grams(30_001),
        }
        let mut hand = Hand::new(loop_spec(), plan());
        if intercepted {
            let to = DestKey::of("b");
            hand.waybill(9, WaybillWish::Intercept { to });
        }
        if held {
            hand.waybill(9, WaybillWish::Hold);
        }
        let said = hand.read(3, 100, facts);
        steps.push(decided(&said).expect("a read parcel is decided"));
    }
    let expected = [
        (Some(3), Reason::SecurityHold, Basis::Hold),
        (Some(3), Reason::Held, Basis::Hold),
        (Some(3), Reason::WeightOrSize, Basis::Hold),
        (Some(1), Reason::Intercept, Basis::Intercept),
        (Some(2), Reason::Planned, Basis::FirstRule),
        (Some(0), Reason::Planned, Basis::PreAdvice),
        (Some(1), Reason::Planned, Basis::Segment),
        (Some(2), Reason::Planned, Basis::Postcode),
        (Some(1), Reason::Planned, Basis::Rule),
    ];
    assert_eq!(steps, expected);
}

#[test]
fn when_nobody_knows_the_cause_says_whether_anything_was_advised() {
    let mut plan = plan();
    plan.rules.clear();
    let mut elsewhere = Facts::advised(CodeId(9), DestKey::NONE);
    elsewhere.advice.postcode = Address::of("6");
    for (facts, why) in [
        (Facts::advised(CodeId(9), DestKey::NONE), Reason::NoData),
        (good(9, 7), Reason::NoRule),
        (elsewhere, Reason::NoRule),
    ] {
        let mut hand = Hand::new(loop_spec(), plan.clone());
        let said = hand.read(3, 100, facts);
        assert_eq!(decided(&said), Some((Some(3), why, Basis::Nothing)));
    }
}

#[test]
fn what_is_measured_must_keep_to_the_plan_and_to_what_was_declared() {
    let sides = |length, width, height| Measures {
        weight: Grams(0),
        length: Mm(length),
        width: Mm(width),
        height: Mm(height),
    };
    let weighs = |grams| Measures {
        weight: Grams(grams),
        ..Measures::default()
    };
    let (heavy, differs) = (Some(Reason::WeightOrSize), Some(Reason::DeclaredMismatch));
    let nothing = Measures::default();
    for (measured, declared, expected) in [
        (weighs(30_000), nothing, None),
        (weighs(30_001), nothing, heavy),
        (sides(0, 1_201, 0), nothing, heavy),
        (sides(1_200, 1_200, 1_200), nothing, None),
        // A tenth of it, and at least 50 g.
        (weighs(1_100), weighs(1_000), None),
        (weighs(1_101), weighs(1_000), differs),
        (weighs(899), weighs(1_000), differs),
        (weighs(150), weighs(100), None),
        (weighs(151), weighs(100), differs),
        // Zero means not measured, or not declared.
        (nothing, weighs(1_000), None),
        (weighs(1_000), nothing, None),
        // How it lies on the belt does not matter, and each side may differ by 20 mm.
        (sides(300, 420, 200), sides(400, 300, 200), None),
        (sides(300, 421, 200), sides(400, 300, 200), differs),
        (sides(300, 0, 200), sides(400, 300, 200), None),
        // What is too heavy is so however it was declared.
        (weighs(40_000), weighs(1_000), heavy),
    ] {
        let mut facts = good(9, 0);
        facts.measured = measured;
        facts.advice.declared = declared;
        assert_eq!(
            plan().checks.fault(&facts),
            expected,
            "{measured:?} for {declared:?}"
        );
        let mut hand = Hand::new(loop_spec(), plan());
        let said = hand.read(3, 100, facts);
        let (_, why, basis) = decided(&said).expect("a read parcel is decided");
        assert_eq!(basis == Basis::Hold, expected.is_some());
        assert_eq!(why, expected.unwrap_or(Reason::Planned));
    }
    assert_eq!(
        Checks::default().fault(&everything()),
        None,
        "zero is not checked"
    );
}

#[test]
fn each_cause_has_its_own_exception_chute() {
    let mut hub = loop_spec();
    hub.chutes
        .extend((0..4).map(|n| chute(&format!("X{n}"), 7_000 + 500 * n)));
    let mut plan = plan_spec();
    plan.no_read = NoReadPolicy::Reject;
    let causes = [
        (Reading::NoRead, Reason::NoRead),
        (Reading::Conflict, Reason::Conflict),
        (Reading::Invalid, Reason::InvalidCode),
        (Reading::Several, Reason::Several),
    ];
    for (nth, (_, why)) in causes.iter().enumerate() {
        plan.exceptions.push((*why, vec![ChuteId(4 + nth as u16)]));
    }
    for (nth, (read, why)) in causes.into_iter().enumerate() {
        let mut hand = Hand::new(hub.clone(), plan.clone());
        let facts = Facts {
            read,
            ..Facts::default()
        };
        let said = hand.read(3, 100, facts);
        let chute = 4 + nth as u16;
        assert_eq!(decided(&said), Some((Some(chute), why, Basis::Nothing)));
        hand.belt(7_500);
        let said = hand.discharged(chute, 3, 100);
        assert_eq!(
            ended(&said),
            Some((Disposition::Rejected, why, Some(chute)))
        );
    }
}

/// Two scanners, at 1 m and at 2 m.
fn two_scanners() -> sorthub_core::hub::HubSpec {
    let mut hub = loop_spec();
    let mut second = hub.scanners[0].clone();
    second.name = "S2".into();
    second.at = Mm(2_000);
    hub.scanners.push(second);
    hub
}

fn at_second(hand: &mut Hand, facts: Facts) -> Vec<Output> {
    let (scanner, trigger, at) = (ScannerId(1), 9, BeltMm(1_500));
    hand.belt(1_500);
    let (cell, item) = (CellId(3), PlcItem(100));
    hand.tell(Signal::AtScanner {
        scanner,
        cell,
        item,
        trigger,
        at,
    });
    let key = ScanKey::Trigger(trigger);
    hand.tell(Signal::Scanned {
        scanner,
        key,
        facts,
    })
}

#[test]
fn a_scale_or_a_security_device_further_on_adds_to_what_is_known() {
    let mut heavy = Facts::default();
    heavy.measured.weight = Grams(31_000);
    let suspect = Facts {
        verdict: Verdict::Suspect,
        ..Facts::default()
    };
    for (facts, why) in [
        (heavy, Reason::WeightOrSize),
        (suspect, Reason::SecurityHold),
    ] {
        let mut hand = Hand::new(two_scanners(), plan());
        let first = order(&hand.read(3, 100, good(9, 0))).expect("an order");
        let said = at_second(&mut hand, facts);
        assert_eq!(decided(&said), Some((Some(3), why, Basis::Hold)));
        let second = order(&said).expect("the order is revised");
        assert_eq!((second.parcel, second.revision), (first.parcel, 2));
        let grounds = hand.sorter.grounds(first.parcel).expect("it rides");
        assert_eq!(grounds.facts.code, CodeId(9), "what was known stays known");
        assert_eq!((grounds.basis, grounds.why), (Basis::Hold, why));
    }
}

#[test]
fn the_same_reading_twice_changes_nothing() {
    let mut hand = Hand::new(two_scanners(), plan());
    hand.read(3, 100, good(9, 0));
    assert_eq!(at_second(&mut hand, good(9, 0)), []);
    let mut weighed = good(9, 0);
    weighed.measured.weight = Grams(700);
    assert_eq!(at_second(&mut hand, weighed), [], "its way is the same");
    let grounds = hand.sorter.grounds(ParcelId::new(5, 1)).expect("it rides");
    assert_eq!(grounds.facts.measured.weight, Grams(700));
}

#[test]
fn newer_pre_advice_at_a_later_scanner_counts() {
    let mut hand = Hand::new(two_scanners(), plan());
    hand.read(3, 100, Facts::advised(CodeId(9), DestKey::NONE));
    let said = at_second(&mut hand, good(9, 0));
    assert_eq!(
        decided(&said),
        Some((Some(0), Reason::Planned, Basis::PreAdvice))
    );
    // That a later look-up finds nothing takes nothing back.
    let mut hand = Hand::new(two_scanners(), plan());
    hand.read(3, 100, good(9, 0));
    assert_eq!(
        at_second(&mut hand, Facts::advised(CodeId(9), DestKey::NONE)),
        []
    );
}

#[test]
fn a_rejected_no_read_is_sorted_if_a_later_scanner_reads_it() {
    let mut hand = Hand::new(two_scanners(), plan());
    let invalid = Facts {
        read: Reading::Invalid,
        ..Facts::default()
    };
    let said = hand.read(3, 100, invalid);
    assert_eq!(
        decided(&said),
        Some((Some(3), Reason::InvalidCode, Basis::Nothing))
    );
    let said = at_second(&mut hand, good(9, 0));
    assert_eq!(
        decided(&said),
        Some((Some(0), Reason::Planned, Basis::PreAdvice))
    );
    assert_eq!(order(&said).map(|order| order.revision), Some(2));

    let mut once = plan();
    once.no_read = NoReadPolicy::Reject;
    let mut hand = Hand::new(two_scanners(), once);
    hand.read(3, 100, Facts::default());
    assert_eq!(
        at_second(&mut hand, good(9, 0)),
        [],
        "one reading was all it got"
    );
}

#[test]
fn codes_that_contradict_each_other_are_not_mended_by_a_third() {
    let mut hand = Hand::new(two_scanners(), plan());
    let conflict = Facts {
        read: Reading::Conflict,
        ..Facts::default()
    };
    hand.read(3, 100, conflict);
    assert_eq!(at_second(&mut hand, good(9, 0)), []);
}

#[test]
fn grounds_name_the_rule_that_decided() {
    let mut hand = Hand::new(loop_spec(), plan());
    let mut facts = everything();
    facts.verdict = Verdict::None;
    hand.read(3, 100, facts);
    let grounds = hand.sorter.grounds(ParcelId::new(5, 1)).expect("it rides");
    assert_eq!((grounds.basis, grounds.rule), (Basis::FirstRule, Some(1)));
    assert_eq!(grounds.dest, DestKey::of("c"));
    assert_eq!(hand.sorter.grounds(ParcelId::new(5, 2)), None);
}
