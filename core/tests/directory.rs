//! The directory against a map of the standard library: whatever is built, advised, withdrawn and
//! replaced, a look-up gives what was said last, and nothing else ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use sorthub_core::directory::{
    AdviseError, BuildError, Builder, Directory, Expected, NoWaybill, Row, Waybill, Waybills,
};
use sorthub_core::facts::{Address, Advice, DestKey, Measures, ServiceKey, Tags};
use sorthub_core::limits::{
    DECLARED_SIDE_MAX, DECLARED_WEIGHT_MAX, RECENT_ADVICES_MAX, WAYBILL_BYTES_MAX,
};
use sorthub_core::units::{Grams, Mm};

/// Numbers of all forms, so short that many are equal and many differ in one character only.
fn waybill() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-C]{0,5}[0-2]{1,2}",
        2 => "[01]{1,4}",
        2 => "[0-9]{12,40}",
        2 => "[A-Z]{2}[0-9]{9}[A-Z]{2}",
        2 => "1Z[0-9A-Z]{16}",
        2 => "[A-Z0-9]{11,26}",
        1 => "[ -~]{17,21}",
        1 => "[a\u{e9}\u{4e00}]{1,6}",
        1 => "[0-9a-f-]{36}",
    ]
}

fn advice() -> impl Strategy<Value = Advice> {
    let declared = (0..4_u32, 0..3_u32, any::<bool>()).prop_map(|(weight, side, largest)| {
        let (weight, side) = match largest {
            true => (DECLARED_WEIGHT_MAX, DECLARED_SIDE_MAX),
            false => (Grams(weight), Mm(side)),
        };
        let (length, width, height) = (side, Mm(side.0 / 2), Mm(side.0 / 3));
        Measures {
            weight,
            length,
            width,
            height,
        }
    });
    (0..5_u64, 0..5_u64, 0..3_u64, declared).prop_map(|(dest, place, tags, declared)| Advice {
        known: true,
        dest: DestKey(dest),
        segment: Address(place),
        postcode: Address(place * 3 % 5),
        service: ServiceKey(tags),
        tags: Tags(tags),
        declared,
    })
}

fn rows() -> impl Strategy<Value = Vec<(String, Advice)>> {
    prop::collection::vec((waybill(), advice()), 0..400)
}

fn expected() -> impl Strategy<Value = Expected> {
    (0..500_usize, 0..500_usize).prop_map(|(narrow, wide)| Expected { narrow, wide })
}

type Model = BTreeMap<String, Advice>;

fn row<'t>(waybill: &'t str, advice: &Advice) -> Row<'t> {
    let waybill = Waybill::of(waybill).expect("the strategies make waybills only");
    let advice = *advice;
    Row::new(waybill, &advice)
}

fn build(expected: Expected, rows: &[(String, Advice)]) -> (Waybills, u64) {
    let mut builder = Builder::new(expected);
    let all = Vec::from_iter(rows.iter().map(|(waybill, advice)| row(waybill, advice)));
    // In two parts, because a load comes in batches.
    let (first, second) = all.split_at(all.len() / 3);
    builder.add(first).expect("a few rows have room");
    builder.add(second).expect("a few rows have room");
    let built = builder.finish().expect("a few rows have room");
    (built.waybills, built.replaced)
}

fn get(waybills: &Waybills, text: &str) -> Option<Advice> {
    waybills.get(&Waybill::of(text).expect("it is a waybill"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_table_gives_the_last_row_of_each_waybill(
        rows in rows(),
        expected in expected(),
        others in prop::collection::vec(waybill(), 0..50),
    ) {
        let (waybills, replaced) = build(expected, &rows);
        let model = Model::from_iter(rows.iter().cloned());
        prop_assert_eq!(waybills.len(), model.len());
        prop_assert_eq!(replaced as usize, rows.len() - model.len());
        for text in model.keys().chain(&others) {
            prop_assert_eq!(get(&waybills, text), model.get(text).copied(), "{}", text);
        }
        // A character more or less is another waybill.
        for text in model.keys() {
            let longer = format!("{text}0");
            prop_assert_eq!(get(&waybills, &longer), model.get(&longer).copied());
            let shorter = String::from_iter(text.chars().skip(1));
            if !shorter.is_empty() {
                prop_assert_eq!(get(&waybills, &shorter), model.get(&shorter).copied());
            }
        }
    }

    #[test]
    fn equal_advice_is_kept_once(rows in rows()) {
        let (waybills, _) = build(Expected::default(), &rows);
        let shared = |advice: &Advice| Advice { declared: Measures::default(), ..*advice };
        let mut different = Vec::from_iter(rows.iter().map(|(_, advice)| shared(advice)));
        different.sort_by_key(|a| (a.dest, a.segment, a.postcode, a.service, a.tags.0));
        different.dedup();
        prop_assert_eq!(waybills.advices(), different.len());
        for (text, _) in &rows {
            let found = waybills.find(&Waybill::of(text).expect("a waybill")).expect("it is there");
            prop_assert!((found.number() as usize) < different.len());
        }
    }

    #[test]
    fn rows_can_be_taken_out_and_added_to_a_finished_table(
        rows in rows(),
        out in prop::collection::vec(waybill(), 0..30),
        more in prop::collection::vec((waybill(), advice()), 0..30),
    ) {
        let (waybills, _) = build(Expected::default(), &rows);
        let mut model = Model::from_iter(rows);
        let mut builder = Builder::resume(&waybills);
        let some_there = model.keys().step_by(3).cloned().collect::<Vec<_>>();
        for text in out.iter().chain(&some_there) {
            let removed = builder.remove(&Waybill::of(text).expect("it is a waybill"));
            prop_assert_eq!(removed, model.remove(text).is_some());
        }
        for (text, advice) in &more {
            prop_assert_eq!(builder.add(&[row(text, advice)]), Ok(()));
        }
        let changed = builder.finish().expect("a few rows have room").waybills;
        let asked = Vec::from_iter(out.iter().chain(&some_there).cloned());
        model.extend(more);
        for text in model.keys().chain(&asked) {
            prop_assert_eq!(get(&changed, text), model.get(text).copied());
        }
        prop_assert_eq!(changed.len(), model.len());
    }
}

/// What can happen to a directory between two look-ups.
#[derive(Clone, Debug)]
enum Step {
    Advise(String, Advice),
    Withdraw(String),
    /// A file is begun.
    Begin,
    /// The table of the file that was begun last is put in place.
    Load(Vec<(String, Advice)>),
    Fold,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (waybill(), advice()).prop_map(|(text, advice)| Step::Advise(text, advice)),
        3 => waybill().prop_map(Step::Withdraw),
        1 => Just(Step::Begin),
        1 => prop::collection::vec((waybill(), advice()), 0..60).prop_map(Step::Load),
        1 => Just(Step::Fold),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_newest_word_stands(steps in prop::collection::vec(step(), 1..120)) {
        let mut directory = Directory::new();
        let mut table = Model::new();
        // Changes since the last file, those since the one that is being read counted apart.
        let mut changes: Vec<(String, Option<Advice>)> = Vec::new();
        let (mut begun, mut mark) = (0, directory.mark());
        let mut seen = Vec::new();
        for step in steps {
            match step {
                Step::Advise(text, advice) => {
                    prop_assert_eq!(directory.advise(&text, advice), Ok(()));
                    seen.push(text.clone());
                    changes.push((text, Some(advice)));
                }
                Step::Withdraw(text) => {
                    prop_assert_eq!(directory.withdraw(&text), Ok(()));
                    seen.push(text.clone());
                    changes.push((text, None));
                }
                Step::Begin => (begun, mark) = (changes.len(), directory.mark()),
                Step::Load(rows) => {
                    directory.set_waybills(Arc::new(build(Expected::default(), &rows).0));
                    directory.forget_recent(mark);
                    changes.drain(..begun);
                    begun = 0;
                    seen.extend(rows.iter().map(|(text, _)| text.clone()));
                    table = Model::from_iter(rows);
                }
                Step::Fold => {
                    let folded = directory.folded(directory.mark()).expect("a few rows have room");
                    directory.set_waybills(Arc::new(folded));
                    directory.forget_recent(directory.mark());
                    mark = directory.mark();
                    for (text, advice) in changes.drain(..) {
                        match advice {
                            Some(advice) => table.insert(text, advice),
                            None => table.remove(&text),
                        };
                    }
                    begun = 0;
                    prop_assert_eq!(directory.recent(), 0);
                    prop_assert_eq!(directory.waybills().len(), table.len());
                }
            }
            // All are asked where all could have changed, else the one that did.
            let changed_last = changes.iter().any(|(text, _)| seen.last() == Some(text));
            let all = changes.is_empty() || !changed_last;
            let from = if all { 0 } else { seen.len() - 1 };
            for text in &seen[from..] {
                let changed = changes.iter().rev().find(|(other, _)| other == text);
                let wanted = match changed {
                    Some((_, advice)) => *advice,
                    None => table.get(text).copied(),
                };
                prop_assert_eq!(directory.advice(text), wanted.unwrap_or_default(), "{}", text);
            }
        }
    }

    #[test]
    fn any_text_is_survived(text in any::<String>(), long in "\\PC{0,80}") {
        for text in [text, long] {
            let mut directory = Directory::new();
            prop_assert_eq!(directory.advice(&text), Advice::default());
            let advice = Advice { known: true, dest: DestKey(1), ..Advice::default() };
            match directory.advise(&text, advice) {
                Ok(()) => prop_assert_eq!(directory.advice(&text), advice),
                Err(error) => {
                    prop_assert!(matches!(error, AdviseError::NoWaybill(_)));
                    prop_assert_eq!(directory.advice(&text), Advice::default());
                }
            }
        }
    }
}

/// Each text once, and each found by itself alone.
fn check_distinct(texts: &[String]) {
    let advice = |nth: usize| Advice {
        known: true,
        dest: DestKey(nth as u64 + 1),
        ..Advice::default()
    };
    let mut builder = Builder::new(Expected::default());
    for (nth, text) in texts.iter().enumerate() {
        builder
            .add(&[row(text, &advice(nth))])
            .expect("there is room");
    }
    let built = builder.finish().expect("there is room");
    assert_eq!(built.replaced, 0, "two texts with one key");
    let waybills = built.waybills;
    for (nth, text) in texts.iter().enumerate() {
        assert_eq!(get(&waybills, text), Some(advice(nth)), "{text}");
    }
}

#[test]
fn all_short_texts_have_keys_of_their_own() {
    let alphabet = ["0", "1", "9", "A", "B", "Z", "a", "-", " ", "~", "\u{e9}"];
    let mut texts = vec![String::new()];
    let mut from = 0;
    for _ in 0..4 {
        let until = texts.len();
        for nth in from..until {
            for letter in alphabet {
                texts.push(format!("{}{letter}", texts[nth]));
            }
        }
        from = until;
    }
    texts.remove(0);
    check_distinct(&texts);
}

#[test]
fn the_ends_of_all_forms_have_keys_of_their_own() {
    let mut texts = Vec::new();
    for len in 1..=WAYBILL_BYTES_MAX {
        for letter in ["0", "9", "A", "Z", " ", "~", "z"] {
            texts.push(letter.repeat(len));
        }
    }
    for (letters, digits) in (1..6).flat_map(|letters| (1..16).map(move |digits| (letters, digits)))
    {
        for (letter, digit) in [("A", "0"), ("A", "9"), ("Z", "0"), ("Z", "9")] {
            texts.push(format!(
                "{}{}",
                letter.repeat(letters),
                digit.repeat(digits)
            ));
            texts.push(format!(
                "{}{}",
                digit.repeat(digits),
                letter.repeat(letters)
            ));
            let both = letter.repeat(letters);
            texts.push(format!("{both}{}{both}", digit.repeat(digits)));
        }
    }
    check_distinct(&texts);
}

#[test]
fn numbers_given_in_sequence_find_places() {
    // As carriers give them: by one, in steps, and with a check digit behind.
    for step in [1_u64, 10, 11, 97, 1 << 20, 1_000_003, 999_999_999] {
        let text = |nth: u64| format!("SF{:013}", nth * step % 10_000_000_000_000);
        let wide = |nth: u64| format!("1ZX{:015}", nth * step);
        let count = 30_000;
        let expected = Expected {
            narrow: count as usize,
            wide: count as usize,
        };
        let mut builder = Builder::new(expected);
        for nth in 0..count {
            let advice = Advice {
                dest: DestKey(nth),
                ..Advice::default()
            };
            let rows = [text(nth), wide(nth)];
            let rows = rows.each_ref().map(|text| row(text, &advice));
            builder.add(&rows).expect("there is room");
        }
        let waybills = builder.finish().expect("there is room").waybills;
        assert_eq!(waybills.len() as u64, 2 * count);
        // Lines of 64 bytes for 30,000 numbers of each width, and 40 bytes an advice: nothing had
        // to grow because numbers crowd.
        let lines = waybills.bytes() - 40 * waybills.advices();
        assert!(lines <= (8_192 + 16_384) * 64, "step {step}: {lines}");
        for nth in (0..count).step_by(17) {
            let dest = |text: String| get(&waybills, &text).map(|advice| advice.dest);
            assert_eq!(dest(text(nth)), Some(DestKey(nth)), "step {step}");
            assert_eq!(dest(wide(nth)), Some(DestKey(nth)), "step {step}");
            assert_eq!(dest(format!("SG{nth:013}")), None);
        }
    }
}

#[test]
fn many_rows_come_out_right_however_many_were_expected() {
    const ROWS: u64 = 150_000;
    let text = |nth: u64| match nth % 3 {
        0 => format!("1ZX{nth:015}"),
        _ => format!("SF{nth:013}"),
    };
    // Each waybill has a row, and each fifth of them another one later.
    let order = (0..ROWS).chain((0..ROWS).step_by(5));
    let dest = |at: usize| DestKey(at as u64 + 1);
    let gone = (0..ROWS).step_by(1_001);
    for (narrow, wide) in [(100_000, 50_000), (40_000, 0), (0, 0), (400_000, 400_000)] {
        let mut builder = Builder::new(Expected { narrow, wide });
        for (at, nth) in order.clone().enumerate() {
            let advice = Advice {
                dest: dest(at % 1_000),
                ..Advice::default()
            };
            builder
                .add(&[row(&text(nth), &advice)])
                .expect("there is room");
        }
        for nth in gone.clone() {
            let (text, absent) = (text(nth), format!("X{nth}"));
            assert!(
                builder.remove(&Waybill::of(&text).expect("a waybill")),
                "{text}"
            );
            assert!(!builder.remove(&Waybill::of(&absent).expect("a waybill")));
        }
        let built = builder.finish().expect("there is room");
        let left = ROWS as usize - gone.clone().count();
        assert_eq!(built.waybills.len(), left, "for {narrow} and {wide}");
        assert!(built.replaced <= ROWS / 5 && built.replaced >= ROWS / 5 - 200);
        for nth in 0..ROWS {
            let last = match nth % 5 {
                0 => ROWS + nth / 5,
                _ => nth,
            };
            let wanted = (nth % 1_001 != 0).then(|| dest(last as usize % 1_000));
            let found = get(&built.waybills, &text(nth)).map(|advice| advice.dest);
            assert_eq!(found, wanted, "{nth} for {narrow} and {wide}");
        }
    }
}

#[test]
fn what_is_no_waybill_is_refused() {
    assert_eq!(Waybill::of("").unwrap_err(), NoWaybill::Empty);
    let longest = "x".repeat(WAYBILL_BYTES_MAX);
    assert!(Waybill::of(&longest).is_ok());
    assert_eq!(
        Waybill::of(&format!("{longest}x")).unwrap_err(),
        NoWaybill::TooLong
    );
    for text in ["a\nb", "\0", "AB\u{7f}", "0123456789012345678901234\t"] {
        assert_eq!(
            Waybill::of(text).unwrap_err(),
            NoWaybill::Control,
            "{text:?}"
        );
    }
}

#[test]
fn single_advices_are_bounded_and_changing_one_needs_no_room() {
    let mut directory = Directory::new();
    let advice = Advice {
        known: true,
        dest: DestKey(1),
        ..Advice::default()
    };
    for nth in 0..RECENT_ADVICES_MAX {
        assert_eq!(directory.advise(&format!("W{nth}"), advice), Ok(()));
    }
    assert_eq!(directory.advise("ONE MORE", advice), Err(AdviseError::Full));
    assert_eq!(directory.withdraw("ONE MORE"), Err(AdviseError::Full));
    assert_eq!(directory.withdraw("W7"), Ok(()));
    assert_eq!(directory.advice("W7"), Advice::default());
    let folded = directory.folded(directory.mark()).expect("there is room");
    directory.set_waybills(Arc::new(folded));
    directory.forget_recent(directory.mark());
    assert_eq!(directory.advise("ONE MORE", advice), Ok(()));
    assert_eq!(
        (directory.advice("W8"), directory.advice("W7").known),
        (advice, false)
    );
}

#[test]
fn a_clone_keeps_what_it_had() {
    let mut directory = Directory::new();
    directory
        .advise("W1", Advice::default())
        .expect("there is room");
    let before = directory.clone();
    directory.withdraw("W1").expect("there is room");
    assert!(before.advice("W1").known && !directory.advice("W1").known);
    assert!(
        Arc::ptr_eq(before.waybills(), directory.waybills()),
        "the table is shared"
    );
}

#[test]
fn measures_beyond_the_limits_count_as_the_limit() {
    let side = Mm(u32::MAX);
    let advice = Advice {
        declared: Measures {
            weight: Grams(u32::MAX),
            length: side,
            width: Mm(3),
            height: side,
        },
        ..Advice::default()
    };
    let (waybills, _) = build(Expected::default(), &[("W1".to_owned(), advice)]);
    let declared = get(&waybills, "W1").expect("it is there").declared;
    assert_eq!(declared.weight, DECLARED_WEIGHT_MAX);
    assert_eq!([declared.length, declared.height], [DECLARED_SIDE_MAX; 2]);
    assert_eq!(declared.width, Mm(3));
    let words = BuildError::Advices.to_string();
    assert!(words.contains("; "), "an error says what to do: {words}");
}
