//! All the codes that a scanner saw on one parcel, judged together.

use proptest::prelude::*;
use sorthub_core::identify::*;
use sorthub_core::limits::LABEL_WAYBILLS_MAX;

fn format(name: &str, priority: u16, patterns: &[&str]) -> FormatSpec {
    let mut format = FormatSpec::new(name, "carrier", patterns);
    format.priority = priority;
    format
}

/// A hub with two carriers of one priority, one that leads, and postcodes.
fn gate() -> Formats {
    let mut route = format("route", 5, &[r"420(?<postcode>\d{5})"]);
    route.kind = Kind::Route;
    let mut gs1 = format("gs1", 20, &[r"(?<over>\d{7})(?<check>\d)"]);
    gs1.check = Some(CheckSpec::Gs1Mod10);
    let formats = vec![
        format("lead", 10, &[r"L\d"]),
        format("red", 20, &[r"R\d", r"RR(?<identity>R\d)"]),
        format("blue", 20, &[r"B\d", r"B(?<identity>R\d)"]),
        gs1,
        route,
    ];
    Formats::new(FormatsSpec { formats }).expect("the table has no faults")
}

/// `good L1 12345`, `conflict R1 B1` and so on.
fn judged(codes: &[&str]) -> String {
    let formats = gate();
    let text = |code: &Identified| code.identity().unwrap_or(code.code()).to_owned();
    let postcode = |code: Option<Identified>| {
        let postcode = code
            .as_ref()
            .and_then(|code| code.postcode().map(str::to_owned));
        postcode.map_or(String::new(), |postcode| format!(" {postcode}"))
    };
    match formats.label(codes.iter().copied()) {
        Label::NoRead => "no-read".into(),
        Label::Good { item, route } => format!("good {}{}", text(&item), postcode(route)),
        Label::RouteOnly { route } => format!("route{}", postcode(route)),
        Label::Invalid { code } => format!("invalid {}", text(&code)),
        Label::Conflict { one, other } => format!("conflict {} {}", text(&one), text(&other)),
        Label::Several { one, other } => format!("several {} {}", text(&one), text(&other)),
    }
}

#[test]
fn a_label_is_judged_by_all_its_codes() {
    for (codes, expected) in [
        (vec![], "no-read"),
        (vec!["R1"], "good R1"),
        (vec!["R1", "r 1", "RRR1", "BR1"], "good R1"),
        (vec!["R1", "XYZ", "12345671"], "good R1"),
        (vec!["R1", "B1", "L1"], "good L1"),
        (vec!["B1", "R1"], "conflict R1 B1"),
        (vec!["12345670", "B1"], "conflict 12345670 B1"),
        (vec!["R2", "R1"], "several R1 R2"),
        (vec!["B1", "R2", "B2"], "several B1 B2"),
        (vec!["R2", "R1", "L1"], "good L1"),
        (vec!["L2", "R1", "L1"], "several L1 L2"),
        (vec!["XYZ"], "invalid XYZ"),
        (vec!["XYZ", "12345671"], "invalid 12345671"),
        (vec!["XYZ", "", "é"], "invalid XYZ"),
        (vec!["42012345", "R1"], "good R1 12345"),
        (vec!["42012345", "42012345", "R1"], "good R1 12345"),
        (vec!["42012345", "R1", "42054321"], "good R1"),
        (vec!["42012345", "XYZ"], "route 12345"),
        (vec!["42012345", "42054321"], "route"),
    ] {
        assert_eq!(judged(&codes), expected, "{codes:?}");
    }
}

proptest! {
    #[test]
    fn the_order_of_reading_plays_no_part(
        codes in prop::sample::subsequence(
            vec!["L1", "L2", "R1", "R2", "RRR1", "B1", "B2", "BR1", "XYZ", "12345670", "12345671",
                "42012345", "42054321", ""],
            0..LABEL_WAYBILLS_MAX,
        ).prop_flat_map(|codes| (Just(codes.clone()), Just(codes).prop_shuffle())),
    ) {
        prop_assert_eq!(judged(&codes.0), judged(&codes.1));
    }
}
