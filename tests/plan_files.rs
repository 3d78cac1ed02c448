//! Sort plans in files of their own: read for a hub, compared, shown, kept as text.
//!
//! `tests/plans/next.toml` is the plan of `config/regional.toml` as it might be a week later. What
//! is different is in `tests/plans/next.expected`; `UPDATE_EXPECT=1` writes it anew.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;
use sorthub::config::diff::diff;
use sorthub::config::plan_words::Words;
use sorthub::config::{CarrierFile, Fault, Files, HubFile, PlanFile, Source, canonical};
use sorthub_core::facts::{Address, DestKey, Tags};
use sorthub_core::identify::Formats;
use sorthub_core::ids::{ChuteId, WaveId};
use sorthub_core::plan::{AddressKind, Condition, Plan, Spread, Stage, Then};
use sorthub_core::reason::Reason;
use sorthub_core::units::{Grams, Micros};

const HUB: &str = "config/regional.toml";
const NEXT: &str = "tests/plans/next.toml";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn told(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

fn hub() -> HubFile {
    HubFile::read(&root().join(HUB)).unwrap_or_else(|faults| panic!("{}", told(&faults)))
}

fn next(hub: &HubFile) -> PlanFile {
    let read = PlanFile::read(&root().join(NEXT), &hub.hub, hub.formats.as_deref());
    read.unwrap_or_else(|faults| panic!("{}", told(&faults)))
}

fn sorthub(args: &[&str]) -> Output {
    let mut command = Command::new(common::sorthub());
    let command = command
        .current_dir(root())
        .env_remove("RUST_LOG")
        .args(args);
    command.output().expect("the program can be started")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the program writes UTF-8")
}

fn chutes(file: &HubFile, names: &[&str]) -> Vec<ChuteId> {
    let id = |name: &&str| file.hub.chute_named(name).expect("a chute of the hub");
    names.iter().map(id).collect()
}

#[test]
fn what_is_read_is_what_is_written() {
    let file = hub();
    let (plan, spec) = (&file.plan, file.plan.spec());
    assert_eq!((spec.version, spec.destinations.len()), (12, 45));
    let dest = |name: &str| plan.destination_named(name).expect("it is planned");
    assert_eq!(
        plan.chutes(dest("Xihu"), plan.waves()),
        chutes(&file, &["A01"])
    );
    assert_eq!(
        plan.overflow(dest("Xihu")),
        chutes(&file, &["A23", "A24"]),
        "@spare"
    );
    assert_eq!(*plan.spread(dest("Yiwu")), Spread::Shares(vec![2, 1]));
    assert_eq!(*plan.spread(dest("Ningbo")), Spread::Level);
    let times: Vec<Option<u16>> = spec.waves.iter().map(|wave| wave.cut_off_min).collect();
    assert_eq!(times, [Some(13 * 60 + 30), Some(23 * 60)]);
    let shanghai = dest("Shanghai");
    assert_eq!(plan.chutes(shanghai, plan.waves()), chutes(&file, &["B21"]));
    let night = plan.waves().with(WaveId(0), false);
    assert_eq!(plan.chutes(shanghai, night), chutes(&file, &["B22"]));

    let at = |kind, text: &str| plan.dest_at(kind, Address::of(text));
    let ningbo = Some(dest("Ningbo"));
    assert_eq!(at(AddressKind::Postcode, "315100"), ningbo, "3150 to 3152");
    assert_eq!(at(AddressKind::Postcode, "315301"), Some(dest("Cixi")));
    assert_eq!(at(AddressKind::Segment, "574-001"), ningbo);
    assert_eq!(
        at(AddressKind::Segment, "574-2-18"),
        Some(dest("Cixi")),
        "the longest"
    );
    assert_eq!(at(AddressKind::Postcode, "201900"), Some(shanghai));
    assert_eq!(at(AddressKind::Postcode, "9"), None);

    assert_eq!(spec.time_max, Micros::from_secs(1_200));
    assert_eq!(spec.checks.weight_most, Grams(30_000));
    let rejects: Vec<ChuteId> = plan.rejects(Reason::MostTime).collect();
    assert_eq!(rejects[..2], chutes(&file, &["manual-2", "manual-1"]));
    let names: Vec<&str> = file.hub.spec().tag_names().collect();
    assert_eq!(names, ["dangerous", "fragile", "cold", "insured"]);
    assert_eq!(spec.rules[0].when, [Condition::Tagged(Tags::DANGEROUS)]);
    assert_eq!(spec.rules[0].stage, Stage::First);
    let cold = &spec.rules[2];
    assert_eq!(cold.then, Then::To(dest("Xiaoshan")));
    assert!(cold.when.contains(&Condition::AtMostHeavy(Grams(15_000))));
    let key = |name: &str| DestKey::of(name);
    assert_eq!(file.directory.dest("Yiwu-0001"), Some(key("Yiwu")));
}

#[test]
fn a_plan_file_says_the_same_as_the_hub_file_that_names_it() {
    let file = hub();
    let read = PlanFile::read(&root().join("config/regional/plan.toml"), &file.hub, None);
    let plan = read.unwrap_or_else(|faults| panic!("{}", told(&faults)));
    assert_eq!(plan.plan, file.plan);
    assert_eq!(plan.warnings, []);
    let xihu = ("Xihu-".to_owned(), DestKey::of("Xihu"));
    assert!(plan.plan.code_prefixes().any(|prefix| prefix == xihu));
}

#[test]
fn a_plan_alone_goes_through_canonical_text() {
    let file = hub();
    let plan = next(&file).plan;
    let text = canonical::plan_to_text(plan.spec());
    let back = canonical::plan_from_text(&text, &file.hub).expect("what was written can be read");
    assert_eq!(back, plan);
    let other_format = text.replace("\"format\":2", "\"format\":3");
    let no_chute = text.replace("\"reject\":[", "\"reject\":[9999,");
    assert!(other_format != text && no_chute != text);
    for damaged in [
        "",
        "{}",
        text.get(1..).expect("it is plain text"),
        &other_format,
        &no_chute,
        file.canonical().get(..50).expect("it is plain text"),
    ] {
        assert!(
            canonical::plan_from_text(damaged, &file.hub).is_err(),
            "{damaged:.60}"
        );
    }
}

#[test]
fn a_difference_is_told_in_words() {
    let out = sorthub(&["plan", "diff", HUB, NEXT]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let golden = root().join("tests/plans/next.expected");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&golden, &out.stdout).expect("the golden can be written");
    }
    let expected = fs::read_to_string(golden).expect("the golden is there");
    assert_eq!(
        text(&out.stdout),
        expected,
        "UPDATE_EXPECT=1 writes it anew"
    );
}

#[test]
fn a_difference_as_json_counts_more_than_it_lists() {
    let out = sorthub(&["plan", "diff", NEXT, HUB, "--json", "--limit", "1"]);
    assert_eq!(out.status.code(), Some(1), "12 does not follow 13");
    assert_eq!(text(&out.stderr), "");
    let json: Value = serde_json::from_slice(&out.stdout).expect("one JSON value and no more");
    assert_eq!(json["versions"], serde_json::json!([13, 12]));
    assert_eq!(
        (&json["version_grows"], &json["differs"]),
        (&false.into(), &true.into())
    );
    assert_eq!(json["added"]["count"], 2);
    assert_eq!(json["added"]["first"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["addresses"]["count"], 9);
}

#[test]
fn a_plan_does_not_differ_from_itself() {
    let file = hub();
    let words = Words {
        hub: &file.hub,
        plan: &file.plan,
    };
    let same = diff(words, words, 20);
    assert!(!same.differs && same.may_follow());
    assert!(same.to_string().contains("the plans say the same"));
    let mut spec = file.plan.spec().clone();
    spec.rules.reverse();
    let reversed = Plan::new(spec, &file.hub).expect("rules may stand in any order");
    let other = Words {
        plan: &reversed,
        ..words
    };
    let told = diff(words, other, 20);
    assert!(told.rules_reordered && told.differs && !told.may_follow());
    let advice = told.advice().expect("the second has to follow");
    assert!(advice.contains("set `version = 13` or more"), "{advice}");
}

#[test]
fn one_change_in_a_long_list_is_told_as_one() {
    let file = hub();
    let mut spec = file.plan.spec().clone();
    let bank = file
        .hub
        .group_named("bank-a")
        .expect("a group")
        .chutes
        .clone();
    spec.destinations[0].alternates = bank.clone();
    let old = Plan::new(spec.clone(), &file.hub).expect("sound");
    spec.destinations[0].alternates = bank[..bank.len() - 1].to_vec();
    let shorter = Plan::new(spec.clone(), &file.hub).expect("sound");
    spec.destinations[0].alternates = bank.into_iter().rev().collect();
    let turned = Plan::new(spec, &file.hub).expect("sound");
    let words = |plan| Words {
        hub: &file.hub,
        plan,
    };
    let one = diff(words(&old), words(&shorter), 20).changed.first[0].changes[0].clone();
    assert_eq!((one.from.as_str(), one.to.as_str()), ("A24", "-"), "{one}");
    let order = diff(words(&old), words(&turned), 20).changed.first[0].changes[0].clone();
    assert!(order.what.contains("in another order"), "{order}");
}

#[test]
fn a_plan_is_shown_in_words() {
    let out = sorthub(&["plan", "show", HUB, "--chute", "B21"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let shown = text(&out.stdout);
    for part in [
        "plan version 12 for Hangzhou regional hub",
        "destinations: 1\n  Shanghai",
        "waves noon: B21; night: B22",
        "first: dangerous -> reject as held",
        "last: service express, not insured -> Shanghai",
        "addresses: 45 segment codes, 54 postcodes",
    ] {
        assert!(shown.contains(part), "{part:?} is not in:\n{shown}");
    }
    let out = sorthub(&[
        "plan",
        "show",
        NEXT,
        "--hub",
        HUB,
        "--destination",
        "Y",
        "--json",
    ]);
    let json: Value = serde_json::from_slice(&out.stdout).expect("one JSON value and no more");
    assert_eq!(
        (&json["version"], &json["destinations"]["count"]),
        (&13.into(), &4.into())
    );
    let out = sorthub(&["plan", "show", HUB, "--chute", "C99"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("no chute `C99`"));
    let out = sorthub(&["plan", "show", HUB, "--chute", "b21"]);
    assert!(text(&out.stderr).contains("did you mean `B21`?"));
    for (name, mend) in [
        ("shanghai", "did you mean `Shanghai`?"),
        ("nope", "name one"),
    ] {
        let out = sorthub(&["plan", "show", HUB, "--destination", name]);
        assert_eq!((out.status.code(), text(&out.stdout)), (Some(2), ""));
        let told = text(&out.stderr);
        assert!(told.contains(&format!("begins with `{name}`")), "{told}");
        assert!(told.contains(mend), "{told}");
    }
}

#[test]
fn a_plan_needs_a_hub() {
    for args in [
        vec!["check", NEXT],
        vec!["plan", "show", NEXT],
        vec!["plan", "diff", NEXT, NEXT],
    ] {
        let out = sorthub(&args);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        assert!(
            text(&out.stderr).contains("there is no hub to check it against"),
            "{args:?}"
        );
    }
    let out = sorthub(&["check", NEXT, "--hub", HUB]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("nothing is ever sent to the chute `B20`"));
    assert_eq!(text(&out.stdout), format!("{NEXT}: ok\n"));
    let out = sorthub(&["check", NEXT, "--hub", "tests/faulty/names.toml"]);
    assert_eq!(
        out.status.code(),
        Some(2),
        "no plan is checked against a faulty hub"
    );
}

#[test]
fn a_hub_with_its_plan_and_tables_is_checked_together() {
    let files = [
        HUB,
        "config/regional/plan.toml",
        "config/regional/destinations.csv",
        "config/regional/addresses.csv",
        "config/demo.toml",
    ];
    let out = sorthub(&["check", files[0], files[1], files[2], files[3], files[4]]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let ok: Vec<String> = files.iter().map(|file| format!("{file}: ok\n")).collect();
    assert_eq!(text(&out.stdout), ok.concat());
    // Each fault is told once, with the file in which it stands.
    let (toml, csv) = (
        "tests/faulty/plan_tables.toml",
        "tests/faulty/tables/addresses.csv",
    );
    let out = sorthub(&["check", "--json", toml, csv]);
    assert_eq!(out.status.code(), Some(2));
    let json: Value = serde_json::from_slice(&out.stdout).expect("one JSON value and no more");
    let faults = |at: usize| {
        json["files"][at]["faults"]
            .as_array()
            .expect("a list")
            .clone()
    };
    assert_eq!(json["files"][1]["kind"], "plan-table");
    assert!(faults(0).iter().all(|fault| fault["file"] != csv) && !faults(0).is_empty());
    assert!(faults(1).iter().all(|fault| fault["file"] == csv) && !faults(1).is_empty());
    assert_eq!(
        (&json["files"][0]["ok"], &json["files"][1]["ok"]),
        (&false.into(), &false.into())
    );
}

#[test]
fn a_table_alone_is_checked_in_its_form() {
    let out = sorthub(&["check", "tests/faulty/tables/addresses.csv"]);
    assert_eq!(out.status.code(), Some(2));
    let told = text(&out.stderr);
    assert!(
        told.contains("addresses.csv:4:1: `kind` is `postcde`"),
        "{told}"
    );
    assert!(
        !told.contains("Mialn"),
        "nothing says which destinations there are: {told}"
    );
    let out = sorthub(&["check", "config/regional/destinations.csv"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
}

/// Small tables in memory, so that nobody has to write files for it.
fn given(
    plan: &str,
    destinations: &str,
    addresses: &str,
    hub: &HubFile,
) -> Result<PlanFile, String> {
    let source = |name: &str, text: &str| Source::new(name, text.to_owned());
    let tables = vec![source("d.csv", destinations), source("a.csv", addresses)];
    PlanFile::from_source(
        &source("plan.toml", plan),
        &Files::Given(tables),
        &hub.hub,
        hub.formats.as_deref(),
    )
    .map_err(|faults| told(&faults))
}

/// A plan that is staged for a running engine is for the carriers that come to its hub.
#[test]
fn a_rule_names_a_carrier_of_the_table_that_the_hub_has() {
    let plan = "[plan]\nversion = 20\nreject = ['manual-2', 'manual-1']\n\
                destinations = 'one_for_each_chute'\n\
                [[plan.rule]]\ncarrier = 'DHLL'\nto = 'A01'\n";
    let with = |plan: &str, formats: Option<Formats>| {
        let formats = formats.map(Arc::new);
        given(plan, "", "", &HubFile { formats, ..hub() })
    };
    let shipped = || CarrierFile::shipped().formats;
    let refused = with(plan, Some(shipped())).expect_err("there is no such carrier");
    assert!(refused.contains("there is no carrier `DHLL`"), "{refused}");
    assert!(refused.contains("did you mean `DHL`?"), "{refused}");
    let known = with(&plan.replace("DHLL", "DHL"), Some(shipped())).expect("it is one");
    assert!(
        !told(&known.warnings).contains("carrier"),
        "{}",
        told(&known.warnings)
    );
    let without = with(plan, None).expect("nobody can say what is misspelt");
    assert!(told(&without.warnings).contains("no parcel can meet this"));
}

#[test]
fn a_hundred_thousand_rows_are_read_and_compiled() {
    let hub = hub();
    let names: Vec<&str> = hub
        .hub
        .chutes()
        .iter()
        .map(|chute| chute.name.as_str())
        .collect();
    let mut destinations = "name,chutes,overflow\n".to_owned();
    let mut addresses = "kind,prefix,destination\n".to_owned();
    for at in 0..100_000 {
        let (own, next) = (names[at % 48], names[(at + 1) % 48]);
        destinations += &format!("D{at},{own}|{next},@spare\n");
        addresses += &format!("postcode,{at:05},D{}\n", at * 7 % 100_000);
    }
    let plan = "[plan]\nreject = ['manual-1']\ndestinations = 'd.csv'\naddresses = 'a.csv'\n";
    let read = given(plan, &destinations, &addresses, &hub).unwrap_or_else(|told| panic!("{told}"));
    let plan = read.plan;
    assert_eq!(plan.destinations(), 100_000);
    assert_eq!(plan.code_prefixes().count(), 100_000);
    for at in [0_u32, 1, 4_711, 99_999] {
        let found = plan.dest_at(AddressKind::Postcode, Address::of(&format!("{at:05}-1")));
        let name = format!("D{}", u64::from(at) * 7 % 100_000);
        assert_eq!(found, plan.destination_named(&name));
    }
    // As many faults are told as anybody reads.
    let bad = addresses.replace(",D", ",X");
    let told = given(
        "[plan]\nreject = ['manual-1']\ndestinations = 'd.csv'\naddresses = 'a.csv'\n",
        &destinations,
        &bad,
        &hub,
    );
    let told = told.expect_err("nobody has these names");
    assert_eq!(told.matches("error: ").count(), 51);
    assert!(told.contains("and 99950 more errors in this file"));
}

#[test]
fn tables_of_spreadsheets_are_understood() {
    let hub = hub();
    let plan =
        "[plan]\nreject = ['manual-1']\ndestinations = 'd.csv'\n[[plan.wave]]\nname = 'noon'";
    let destinations = "\u{feff}Note;NAME;Chutes;Waves;Shares;Postcodes\r\n\
        ;Rome; A01 | A02 ;\"noon:A03|A04\";3|1;\"00; 01\"\r\n;;;;;\r\n\
        by hand;\"Mil;an\";@bank-b;;;20|21\r\n";
    // A semicolon within a field is not one between postcodes.
    let told = given(plan, destinations, "", &hub).expect_err("`00; 01` is no postcode");
    assert!(told.contains("d.csv:2:"), "{told}");
    let good = destinations.replace("00; 01", "00|01");
    let read = given(plan, &good, "", &hub).unwrap_or_else(|told| panic!("{told}"));
    let plan = &read.plan;
    let rome = plan.destination_named("Rome").expect("it is there");
    let open = plan.waves();
    assert_eq!(plan.chutes(rome, open), chutes(&hub, &["A03", "A04"]));
    let closed = open.with(WaveId(0), false);
    assert_eq!(plan.chutes(rome, closed), chutes(&hub, &["A01", "A02"]));
    let milan = plan.destination_named("Mil;an").expect("it is quoted");
    assert_eq!(plan.chutes(milan, open).len(), 24);
    let at = plan.dest_at(AddressKind::Postcode, Address::of("20121"));
    assert_eq!(at, Some(milan));
}
