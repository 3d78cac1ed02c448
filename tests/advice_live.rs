//! Codes and pre-advice in a running engine: identities by the hub's own table, addresses from
//! labels, and files that are loaded while parcels ride.

mod common;
mod operated;
mod program;

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use operated::Operated;
use program::{Dir, Running, count};
use serde_json::Value;

/// Chutes of the ready hub, and destinations here.
fn chutes() -> impl Iterator<Item = String> {
    let names = |bank| (1..=7).map(move |nth| format!("{bank}{nth:02}"));
    ["A", "B"].into_iter().flat_map(names)
}

/// The ready hub with a table of formats; each destination has its name for a segment code, if
/// that is wanted. Labels are as ever: `A03-00000017`.
fn hub(dir: &Dir, pattern: &str, has_segments: bool) -> String {
    let key = if has_segments { "segments" } else { "" };
    hub_with(dir, "hub.toml", pattern, key)
}

/// The same with each destination's name in a list of another key.
fn hub_with(dir: &Dir, file: &str, pattern: &str, key: &str) -> String {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo.toml");
    let demo = fs::read_to_string(demo).expect("the ready hub is part of the project");
    let mut destinations = String::new();
    for chute in chutes() {
        let list = match key {
            "" => String::new(),
            key => format!("{key} = ['{chute}']"),
        };
        let _ = writeln!(
            destinations,
            "[[plan.destination]]\nname = '{chute}'\nchutes = ['{chute}']\n{list}"
        );
    }
    let all = "destinations = \"one_for_each_chute\"\n";
    assert!(demo.contains(all), "the ready hub has changed");
    let hub = demo.replace(all, &destinations);
    let hub = format!("carriers = \"carriers.toml\"\n{hub}");
    fs::write(dir.file(file), hub).expect("the folder takes files");
    let table = format!(
        "[[format]]\nname = 'own'\ncarrier = 'own'\npatterns = ['{pattern}']\nseparators = '-'\n"
    );
    fs::write(dir.file("carriers.toml"), table).expect("the folder takes files");
    dir.arg(file)
}

/// Without its hyphen a label begins with no destination's prefix.
const NUMBER: &str = r"[AB]\d{10}";
const WITH_ADDRESS: &str = r"(?<address>[AB]\d{2})\d{8}";

/// Every label that the virtual hub can print in a short run, and where it is for.
fn all_labels(dir: &Dir, name: &str) -> String {
    let mut text = String::from("waybill,destination\n");
    for chute in chutes() {
        for nth in 0..3_000 {
            let _ = writeln!(text, "{chute}-{nth:08},{chute}");
        }
    }
    fs::write(dir.file(name), text).expect("the folder takes files");
    dir.arg(name)
}

fn demo(dir: &Dir, hub: &str, more: &[&str]) -> Value {
    let args = ["demo", "--listen", "127.0.0.1:0", "--json", "--config", hub];
    Running::start(dir, "demo", &[&args[..], more].concat()).json()
}

/// Everybody who was read went where the label is for, and the book says what happened.
fn all_sorted(report: &Value) {
    assert!(count(report, "sorted") > 20, "{report}");
    let rejected = report["rejected"].as_object().expect("causes");
    for cause in ["no-data", "no-rule", "invalid-code"] {
        assert!(!rejected.contains_key(cause), "{report}");
    }
    let ledger = &report["ledger"];
    assert_eq!(
        count(ledger, "agreed"),
        count(ledger, "parcels"),
        "{ledger}"
    );
}

#[test]
fn an_address_on_the_label_sorts_without_pre_advice() {
    let dir = Dir::new();
    let more = ["--duration", "6s", "--speed", "5"];
    let with_segments = hub(&dir, WITH_ADDRESS, true);
    all_sorted(&demo(&dir, &with_segments, &more));
    // Without segment codes in the plan nothing else says it.
    let without = hub(&dir, WITH_ADDRESS, false);
    let report = demo(&dir, &without, &more);
    assert_eq!(count(&report, "sorted"), 0, "{report}");
    assert!(count(&report["rejected"], "no-rule") > 20, "{report}");
}

#[test]
fn pre_advice_is_there_from_the_start() {
    let dir = Dir::new();
    let hub = hub(&dir, NUMBER, false);
    let advice = all_labels(&dir, "advice.csv");
    let more = ["--duration", "6s", "--speed", "5", "--advice", &advice];
    all_sorted(&demo(&dir, &hub, &more));
}

#[test]
fn a_file_is_loaded_while_parcels_ride() {
    let dir = Dir::new();
    let hub = hub(&dir, NUMBER, false);
    let more = ["--config", &hub, "--duration", "600s", "--speed", "5"];
    let engine = Operated::demo(&dir, &more);
    let status = engine.wait_until("a parcel that nothing is known of", "status", |status| {
        count(&status["books"], "rejected") > 0
    });
    assert_eq!(count(&status["books"], "sorted"), 0, "{status}");

    let (code, said) = engine.not_done("advice load no-such-file.csv");
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("no-such-file.csv has 1 fault"), "{said}");
    let advice = all_labels(&dir, "advice.csv");
    let said = engine.ctl(&["advice", "load", &advice]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.starts_with("42000 waybills, 0 rows"), "{said:?}");
    engine.wait_until("sorted parcels", "status", |status| {
        count(&status["books"], "sorted") > 5
    });
    engine.done("advice set A03-00999999 --to B01");
    let said = engine.ctl(&["advice", "status"]);
    assert!(
        said.out.starts_with("42000 waybills with 14 different"),
        "{said:?}"
    );
    assert!(said.out.ends_with("1 said singly since\n"), "{said:?}");
    let Operated { mut program, .. } = engine;
    program.interrupt();
    let report = program.json();
    let ledger = &report["ledger"];
    assert_eq!(
        count(ledger, "agreed"),
        count(ledger, "parcels"),
        "{ledger}"
    );
}

#[test]
fn a_bad_file_is_told_before_anything_starts() {
    let dir = Dir::new();
    let hub = hub(&dir, NUMBER, false);
    let rows = "waybill,destination\nA03-00000001,A03\nC03-00000001,A03\n";
    fs::write(dir.file("bad.csv"), rows).expect("the folder takes files");
    let bad = dir.arg("bad.csv");
    let wanted = "bad.csv:3:1: `waybill` is `C03-00000001`, which is no parcel's number here";
    for args in [
        &["demo", "--config", &hub, "--advice", &bad][..],
        &["run", "--config", &hub, "--advice", &bad],
        &["check", &hub, "--advice", &bad],
        &["check", "--hub", &hub, &bad],
    ] {
        let mut program = Running::start(&dir, "bad", args);
        assert_eq!(program.end(), Some(2), "{args:?}: {}", program.err());
        assert!(
            program.err().contains(wanted),
            "{args:?}: {}",
            program.err()
        );
    }
    // Without the hub's table it may be a number.
    let mut program = Running::start(&dir, "good", &["check", "--advice", &bad]);
    assert_eq!(program.end(), Some(0), "{}", program.err());
    assert!(
        program.out().ends_with("bad.csv: ok\n"),
        "{}",
        program.out()
    );
}

#[test]
fn code_prefixes_come_and_go_with_the_plan() {
    let dir = Dir::new();
    let hub = hub(&dir, NUMBER, false);
    let next = hub_with(&dir, "next.toml", NUMBER, "prefixes");
    let text = fs::read_to_string(&next).expect("it was just written");
    let text = text.replace("[plan]\n", "[plan]\nversion = 2\n");
    fs::write(&next, text).expect("the folder takes files");
    let more = ["--config", &hub, "--duration", "600s", "--speed", "5"];
    let engine = Operated::demo(&dir, &more);
    let book = |status: &Value, what: &str| count(&status["books"], what);
    let status = engine.wait_until("a parcel that nothing is known of", "status", |status| {
        book(status, "rejected") > 0
    });
    assert_eq!(book(&status, "sorted"), 0, "{status}");

    engine.done(&format!("plan stage {next}"));
    let text = engine.ctl(&["plan", "diff", "1", "2"]).out;
    assert!(text.contains("prefixes: - -> A03"), "{text}");
    engine.done("plan activate 2");
    engine.wait_until("sorted parcels", "status", |status| {
        book(status, "sorted") > 5
    });

    // What has been read by then still goes by the prefixes; what comes later does not.
    engine.done("plan rollback");
    let books = |status: &Value| ["sorted", "rejected"].map(|what| book(status, what));
    let last = Cell::new(books(&engine.done("status")));
    engine.wait_until("rejected parcels alone", "status", |status| {
        let ([sorted, rejected], [sorted_last, rejected_last]) = (books(status), last.get());
        if sorted > sorted_last {
            last.set([sorted, rejected]);
        }
        sorted == sorted_last && rejected > rejected_last + 5
    });
}
