//! Whatever a hub file, a table of formats, a layout or a trace holds, reading it ends with a
//! result, and every fault stands at a place that the text has.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use sorthub::config::{
    CarrierFile, Fault, Files, HubFile, PlanFile, Source, check_plan_table, trace,
};

const LAYOUT: &str = include_str!("faulty/good.layout.csv");
const CARRIERS: &str = include_str!("../config/carriers.toml");
const ROWS: &str = include_str!("faulty/rows.csv");

fn demo() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo.toml");
    std::fs::read_to_string(path).expect("the demo is there")
}

/// Every fault must have a place in the text and print itself with a mend.
fn check_places(faults: &[Fault], text: &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.split('\n').collect();
    for fault in faults {
        let line = lines.get(fault.line as usize - 1);
        let line = line.unwrap_or_else(|| panic!("no line {}: {fault}", fault.line));
        let columns = line.chars().count() + 1;
        assert!(
            (1..=columns).contains(&(fault.column as usize)),
            "{fault} in {line:?}"
        );
        assert!(fault.width >= 1 && !fault.kind.mend().is_empty(), "{fault}");
    }
}

fn read_hub(text: &str) {
    match HubFile::parse("hub.toml", text) {
        Ok(file) => {
            assert!(!file.warnings.iter().any(Fault::is_error));
            check_places(&file.warnings, text);
        }
        Err(faults) => {
            assert!(
                faults.iter().any(Fault::is_error),
                "refused without a reason"
            );
            check_places(&faults, text);
        }
    }
}

fn read_carriers(text: &str) {
    match CarrierFile::from_source(&Source::new("carriers.toml", text.to_owned())) {
        Ok(file) => check_places(&file.warnings, text),
        Err(faults) => {
            assert!(
                faults.iter().any(Fault::is_error),
                "refused without a reason"
            );
            check_places(&faults, text);
        }
    }
}

fn read_trace(layout: &str, parcels: &str) {
    let layout_source = Source::new("layout", layout.to_owned());
    let parcels_source = Source::new("parcels", parcels.to_owned());
    let read = trace::from_sources(&layout_source, &parcels_source);
    assert!(!matches!(&read, Err(faults) if !faults.iter().any(Fault::is_error)));
    for fault in read.map_or_else(|faults| faults, |file| file.warnings) {
        let text = if &*fault.file == "layout" {
            layout
        } else {
            parcels
        };
        check_places(&[fault], text);
    }
    check_places(&trace::check_layout(&parcels_source), parcels);
    check_places(&trace::check_parcels(&layout_source), layout);
}

const PLAN: &str = include_str!("../config/regional/plan.toml");
const DESTINATIONS: &str = include_str!("../config/regional/destinations.csv");
const ADDRESSES: &str = include_str!("../config/regional/addresses.csv");

/// The hub of the plan above.
fn regional() -> &'static HubFile {
    static HUB: LazyLock<HubFile> = LazyLock::new(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/regional.toml");
        HubFile::read(&path).expect("the regional hub has no faults")
    });
    &HUB
}

/// Every fault stands at a place of one of the three texts.
fn read_plan(plan: &str, destinations: &str, addresses: &str) {
    let texts = [
        ("plan.toml", plan),
        ("destinations.csv", destinations),
        ("addresses.csv", addresses),
    ];
    let source = |(name, text): (&str, &str)| Source::new(name, text.to_owned());
    let files = Files::Given(texts.map(source).to_vec());
    let read = PlanFile::inspect(&source(texts[0]), &files, &regional().hub, None);
    let has_error = read.faults.iter().any(Fault::is_error);
    assert_eq!(
        read.file.is_none(),
        has_error,
        "refused for a reason, or taken"
    );
    for fault in read.faults {
        let text = texts.iter().find(|(name, _)| *name == &*fault.file);
        let (_, text) = text.unwrap_or_else(|| panic!("no file {}: {fault}", fault.file));
        check_places(&[fault], text);
    }
    for table in [destinations, addresses] {
        let found = check_plan_table(&Source::new("table", table.to_owned()));
        check_places(&found.unwrap_or_default(), table);
    }
}

/// Pieces that a hub file is made of, and pieces that break it.
fn piece() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "\"",
        "\"\"\"",
        "'",
        "=",
        ",",
        "\n",
        "#",
        "\\",
        "{n}",
        "{n:3}",
        "{track}",
        "*",
        "-",
        "0",
        "9",
        "4294967295",
        "99999999999999999999",
        "0.5",
        "true",
        "at_mm",
        "count = 60000\n",
        "count = 3\n",
        "track",
        "[[chute]]\n",
        "[[track]]\n",
        "[plan]\n",
        "[[format]]\n",
        "patterns = ['",
        "(?<check>\\d)",
        "tracks = [\"*\"]\n",
        "kind = \"line\"\n",
        "outlets = [",
        "é",
        "漢字",
        "\u{feff}",
        "\u{7f}",
    ];
    prop_oneof![
        4 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ]
}

/// A text with some places of it replaced.
fn mutate(text: &str, changes: &[(prop::sample::Index, usize, String)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, cut, new) in changes {
        let at = at.index(chars.len() + 1);
        let end = (at + cut).min(chars.len());
        chars.splice(at..end, new.chars());
    }
    chars.into_iter().collect()
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, String)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0..30_usize, piece()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(source) = Source::from_bytes("any", bytes.clone()) {
            read_hub(source.text());
            read_carriers(source.text());
            read_trace(source.text(), source.text());
        } else {
            let text = String::from_utf8_lossy(&bytes);
            let faults = Source::from_bytes("any", bytes.clone()).expect_err("it is no text");
            check_places(&faults, &text);
        }
    }

    #[test]
    fn any_text_is_survived(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        read_hub(&text);
        read_carriers(&text);
        read_trace(&text, &text);
    }

    #[test]
    fn a_hub_file_with_changes_is_survived(changes in changes()) {
        read_hub(&mutate(&demo(), &changes));
    }

    #[test]
    fn a_table_of_formats_with_changes_is_survived(changes in changes()) {
        read_carriers(&mutate(CARRIERS, &changes));
    }

    #[test]
    fn a_plan_with_tables_that_are_changed_is_survived(
        plan in changes(),
        destinations in changes(),
        addresses in changes(),
    ) {
        read_plan(&mutate(PLAN, &plan), DESTINATIONS, ADDRESSES);
        read_plan(PLAN, &mutate(DESTINATIONS, &destinations), ADDRESSES);
        read_plan(PLAN, DESTINATIONS, &mutate(ADDRESSES, &addresses));
    }

    #[test]
    fn any_text_as_a_table_is_survived(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        read_plan(PLAN, &text, ADDRESSES);
        read_plan(PLAN, DESTINATIONS, &text);
        read_plan(&text, &text, &text);
    }

    #[test]
    fn a_trace_with_changes_is_survived(layout in changes(), parcels in changes()) {
        read_trace(&mutate(LAYOUT, &layout), ROWS);
        read_trace(LAYOUT, &mutate(ROWS, &parcels));
    }
}
