//! From the codes on a parcel to facts: pre-advice by identity, the address on the label, and what
//! stays when the parcel is read again.

use std::sync::Arc;

use sorthub_core::directory::{Builder, Directory, Expected, Row, Waybill};
use sorthub_core::facts::{Address, Advice, CarrierKey, DestKey, Facts, Reading};
use sorthub_core::identify::*;
use sorthub_core::ids::CodeId;

fn format(name: &str, carrier: &str, priority: u16, patterns: &[&str]) -> FormatSpec {
    let mut format = FormatSpec::new(name, carrier, patterns);
    format.priority = priority;
    format
}

/// Numbers of two carriers, one of which prints the segment code into its own, and two codes that
/// only say where to.
fn formats() -> Formats {
    let mut segment = format("segment", "S", 5, &[r"(?<address>\d{3}-[A-Z]\d)"]);
    segment.kind = Kind::Route;
    let mut postcode = format("postcode", "S", 5, &[r"420(?<postcode>\d{5})"]);
    postcode.kind = Kind::Route;
    let mut checked = format("gs1", "blue", 20, &[r"(?<over>\d{7})(?<check>\d)"]);
    checked.check = Some(CheckSpec::Gs1Mod10);
    let red = [
        r"R(?<identity>\d{4})",
        r"R(?<identity>\d{4})(?<address>[A-Z]\d)",
    ];
    let formats = vec![format("red", "red", 20, &red), checked, segment, postcode];
    Formats::new(FormatsSpec { formats }).expect("the table has no faults")
}

fn to(dest: &str) -> Advice {
    Advice {
        known: true,
        dest: DestKey::of(dest),
        ..Advice::default()
    }
}

/// 0001 in the table by destination, 0002 said singly by segment.
fn directory() -> Directory {
    let mut builder = Builder::new(Expected::default());
    let waybill = Waybill::of("0001").expect("it is a waybill");
    let advice = to("SHA");
    builder
        .add(&[Row::new(waybill, &advice)])
        .expect("there is room");
    let mut directory = Directory::new();
    directory.set_waybills(Arc::new(builder.finish().expect("there is room").waybills));
    let by_segment = Advice {
        segment: Address::of("571-A1"),
        ..Advice::default()
    };
    directory.advise("0002", by_segment).expect("there is room");
    directory
}

fn read(codes: &[&str]) -> Facts {
    let formats = formats();
    let read = directory().read(Some(&formats), codes.iter().copied());
    let text = read.text().map(CodeId::of);
    assert_eq!(text.unwrap_or(CodeId::NONE), read.facts.code, "{codes:?}");
    read.facts
}

#[test]
fn pre_advice_is_asked_for_the_identity() {
    let known = read(&["r 0001"]);
    assert_eq!(known.read, Reading::Good);
    assert_eq!(known.code, CodeId::of("0001"));
    assert_eq!(known.carrier, CarrierKey::of("red"));
    assert_eq!(known.advice, to("SHA"));
    let unknown = read(&["R0003"]);
    assert_eq!(
        (unknown.read, unknown.advice),
        (Reading::Good, Advice::default())
    );
}

#[test]
fn an_address_on_the_label_counts_where_pre_advice_has_none() {
    let segment = |facts: Facts| facts.advice.segment;
    let own = read(&["R0003B7", "571-C3", "42012345"]);
    assert!(!own.advice.known, "it is no pre-advice");
    assert_eq!(segment(own), Address::of("B7"), "the number's own first");
    let beside = read(&["R0003", "571-C3"]);
    assert_eq!(segment(beside), Address::of("571-C3"));
    assert_eq!(
        segment(read(&["R0002B7"])),
        Address::of("571-A1"),
        "pre-advice is newer than the label"
    );
    let both = read(&["R0002", "42012345"]);
    assert_eq!(segment(both), Address::of("571-A1"));
    assert_eq!(both.advice.postcode, Address::of("12345"));
    assert!(both.advice.known);
}

#[test]
fn what_cannot_be_believed_is_not_looked_up() {
    for (codes, reading, text) in [
        (&["12345671"][..], Reading::Invalid, "12345671"),
        (&["0001"], Reading::Invalid, "0001"),
        (&["R0001", "12345670"], Reading::Conflict, "12345670"),
        (&["R0002", "R0001"], Reading::Several, "0001"),
    ] {
        let facts = read(codes);
        assert_eq!(facts.read, reading, "{codes:?}");
        assert_eq!(facts.code, CodeId::of(text), "{codes:?}");
        assert_eq!(facts.advice, Advice::default(), "{codes:?}");
    }
    let foreign = read(&["\u{4e0a}\u{6d77}"]);
    assert_eq!(
        (foreign.read, foreign.code),
        (Reading::Invalid, CodeId::NONE)
    );
    assert_eq!(read(&[]), Facts::default());
}

#[test]
fn without_a_table_the_first_code_counts_as_it_came() {
    let directory = directory();
    let read = directory.read(None, ["0001", "R0002"]);
    assert_eq!(read.text(), Some("0001"));
    assert_eq!(read.facts.read, Reading::Good);
    assert_eq!(read.facts.code, CodeId::of("0001"));
    assert_eq!(read.facts.advice, to("SHA"));
    let nothing = directory.read(None, []);
    assert_eq!((nothing.text(), nothing.facts), (None, Facts::default()));
}

#[test]
fn an_address_that_was_read_stays_with_the_parcel() {
    let route = read(&["571-C3"]);
    assert_eq!(
        (route.read, route.code),
        (Reading::NoRead, CodeId::NONE),
        "it does not say which parcel"
    );
    let segment = Address::of("571-C3");
    assert_eq!(route.advice.segment, segment);
    let number = read(&["R0003"]);
    for (first, second) in [(route, number), (number, route)] {
        let all = first.joined(&second);
        assert_eq!(all.read, Reading::Good);
        assert_eq!(all.code, number.code);
        assert_eq!(all.advice.segment, segment);
    }
    let advised = read(&["R0001"]);
    assert_eq!(route.joined(&advised).advice.dest, DestKey::of("SHA"));
    assert_eq!(
        advised.joined(&number_of(&advised)).advice,
        advised.advice,
        "what was known stays known"
    );
    let withdrawn = read(&["R0002"]).joined(&advised_anew());
    assert_eq!(withdrawn.advice, to("CAN"), "the newest pre-advice stands");
}

/// The same parcel, read where nothing is known of it.
fn number_of(facts: &Facts) -> Facts {
    Facts {
        advice: Advice::default(),
        ..*facts
    }
}

/// 0002 with other pre-advice.
fn advised_anew() -> Facts {
    Facts {
        advice: to("CAN"),
        ..number_of(&read(&["R0002"]))
    }
}
