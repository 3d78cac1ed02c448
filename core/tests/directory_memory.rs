//! What a directory holds is counted by the allocator and stays within its budget; looking up
//! takes no memory.

#[path = "common/counting.rs"]
mod counting;

use std::sync::Arc;

use counting::{calls, held_bytes};
use sorthub_core::directory::{Builder, Directory, Expected, Row, Waybill, Waybills};
use sorthub_core::facts::{Address, Advice, DestKey, Measures};
use sorthub_core::units::{Grams, Mm};

const ROWS: u64 = 240_000;

fn number(nth: u64, is_wide: bool) -> String {
    match is_wide {
        true => format!("1ZX4{:014}", nth * 7),
        false => format!("SF{:013}", nth * 7),
    }
}

fn build(is_wide: bool, is_declared: bool, expected: Expected) -> Waybills {
    let mut builder = Builder::new(expected);
    for nth in 0..ROWS {
        let text = number(nth, is_wide);
        let mut advice = Advice {
            dest: DestKey(nth % 2_000 + 1),
            segment: Address(nth % 2_000 * 3),
            ..Advice::default()
        };
        if is_declared {
            advice.declared = Measures {
                weight: Grams(1_000),
                length: Mm(400),
                width: Mm(300),
                height: Mm(200),
            };
        }
        let waybill = Waybill::of(&text).expect("it is a waybill");
        builder
            .add(&[Row::new(waybill, &advice)])
            .expect("there is room");
    }
    builder.finish().expect("there is room").waybills
}

#[test]
fn a_waybill_takes_no_more_than_its_budget() {
    let rows = ROWS as usize;
    let right = |is_wide| match is_wide {
        true => (0, rows),
        false => (rows, 0),
    };
    // Bytes a waybill, in tenths, for a number of each width, without and with measures. Of a
    // million and more it would be a little less: here each advice has only 120 waybills.
    for (is_wide, is_declared, budget_tenths) in [
        (false, false, 148),
        (false, true, 237),
        (true, false, 248),
        (true, true, 338),
    ] {
        let (narrow, wide) = right(is_wide);
        // Whether the guess is right, far too small or far too large.
        let guesses = [(narrow, wide), (0, 0), (narrow * 3, wide * 3)];
        for (narrow, wide) in guesses {
            let before = held_bytes();
            let waybills = build(is_wide, is_declared, Expected { narrow, wide });
            let held = (held_bytes() - before) as usize;
            assert_eq!(waybills.len(), rows);
            assert_eq!(waybills.bytes(), held, "it does not know what it holds");
            let tenths = held * 10 / rows;
            // Three percent are not worth building anew for, and a try that fails adds three.
            let more = if (narrow, wide) == right(is_wide) {
                0
            } else {
                budget_tenths / 14
            };
            assert!(
                tenths <= budget_tenths + more,
                "{tenths} tenths, wide {is_wide}, declared {is_declared}, for {narrow} and {wide}"
            );
        }
    }
}

#[test]
fn looking_up_allocates_nothing() {
    let mut directory = Directory::new();
    directory.set_waybills(Arc::new(build(true, true, Expected::default())));
    directory.set_prefixes([("SF".to_owned(), DestKey(9))]);
    for nth in 0..100 {
        let advised = directory.advise(&number(nth, false), Advice::default());
        advised.expect("there is room");
    }
    let mut asked = Vec::from_iter((0..1_000).map(|nth| number(nth, nth % 2 == 0)));
    asked.extend(
        [
            "",
            "x",
            "\u{e9}\u{e9}",
            "0123456789012345678901234567890123456789",
        ]
        .map(String::from),
    );
    let before = calls();
    let mut known = 0;
    for text in &asked {
        let read = directory.read(None, [text.as_str()]);
        known += u32::from(read.facts.advice.known);
    }
    assert_eq!(calls() - before, 0);
    assert_eq!(known, 1_000, "by table, by single advice or by prefix");
}
