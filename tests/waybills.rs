//! What is said of waybills over `sorthub ctl`: each word ends by itself, what stands can be
//! looked up whether or not a parcel rides, and a slip is not answered with `done`.

mod common;
mod operated;
mod program;

use operated::Operated;
use program::{Dir, count};
use serde_json::{Value, json};

/// A waybill that no parcel of the demonstration bears.
const NEVER_HERE: &str = "A03-99999999";

fn demo(dir: &Dir) -> Operated {
    Operated::demo(dir, &["--duration", "600s"])
}

/// The code of a refusal, which must be one.
fn refused(engine: &Operated, words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let said = engine.ctl(&[&["--json"][..], &words].concat());
    assert_eq!(said.code, Some(1), "{words:?}: {said:?}");
    let problem = said.json()["problem"].take();
    assert_eq!(problem["status"], 409, "{problem}");
    problem["code"].as_str().expect("a code").to_owned()
}

fn listed(engine: &Operated) -> Vec<Value> {
    let list = engine.done("waybills");
    let rows = list["waybills"].as_array().expect("a list").clone();
    assert_eq!(count(&list, "count"), rows.len() as u64);
    rows
}

#[test]
fn a_hold_and_an_intercept_end_one_without_the_other() {
    let dir = Dir::new();
    let engine = demo(&dir);
    assert_eq!(listed(&engine), [] as [Value; 0]);
    engine.done(&format!("intercept {NEVER_HERE} --to B01"));
    engine.done(&format!("hold {NEVER_HERE}"));
    let row = |held: bool, to: Option<&str>| {
        let row = listed(&engine).pop().expect("one stands");
        assert_eq!(row["waybill"], NEVER_HERE);
        assert_eq!(
            (&row["held"], &row["suspect"]),
            (&held.into(), &false.into())
        );
        assert_eq!(row["intercept"], json!(to));
    };
    row(true, Some("B01"));
    engine.done(&format!("release {NEVER_HERE}"));
    row(false, Some("B01"));
    engine.done(&format!("hold {NEVER_HERE}"));
    engine.done(&format!("intercept {NEVER_HERE} --cancel"));
    row(true, None);
    engine.done(&format!("release {NEVER_HERE}"));
    assert_eq!(listed(&engine), [] as [Value; 0]);
}

#[test]
fn what_ends_nothing_is_refused_with_its_own_reason() {
    let dir = Dir::new();
    let engine = demo(&dir);
    engine.done(&format!("hold {NEVER_HERE}"));
    assert_eq!(refused(&engine, "release A03-99999998"), "not-held");
    engine.done(&format!("release {NEVER_HERE}"));
    assert_eq!(
        refused(&engine, &format!("release {NEVER_HERE}")),
        "not-held"
    );
    let cancel = format!("intercept {NEVER_HERE} --cancel");
    assert_eq!(refused(&engine, &cancel), "not-intercepted");
    engine.done(&format!("verdict {NEVER_HERE} suspect"));
    assert_eq!(
        refused(&engine, &format!("release {NEVER_HERE}")),
        "suspect"
    );

    // Its prefix says where it is for; nobody has advised it.
    let withdraw = format!("advice withdraw {NEVER_HERE}");
    assert_eq!(refused(&engine, &withdraw), "not-advised");
    engine.done(&format!("advice set {NEVER_HERE} --to B02"));
    engine.done(&withdraw);
    assert_eq!(refused(&engine, &withdraw), "not-advised");
}

#[test]
fn why_says_what_stands_for_a_waybill_that_does_not_ride() {
    let dir = Dir::new();
    let engine = demo(&dir);
    let why = format!("why {NEVER_HERE}");
    assert_eq!(refused(&engine, &why), "not-here");
    engine.done(&format!("advice set {NEVER_HERE} --to B02 --weight-g 1200"));
    let told = engine.ctl(&["why", NEVER_HERE]);
    let wanted = format!("waybill {NEVER_HERE}: not on the sorter; pre-advised for B02\n");
    assert_eq!((told.code, told.out), (Some(0), wanted));

    engine.done(&format!("intercept {NEVER_HERE} --to B01"));
    engine.done(&format!("hold {NEVER_HERE}"));
    engine.done(&format!("verdict {NEVER_HERE} suspect"));
    let told = engine.done(&why);
    let words = "not on the sorter; suspect until its verdict is clear; \
                 held until it is released; intercepted: goes to B01; pre-advised for B02";
    assert_eq!(told["waits"][0]["why"], words, "{told}");
    let stands = &told["stands"];
    assert_eq!(
        (&stands["held"], &stands["intercept"]),
        (&true.into(), &"B01".into())
    );
    assert_eq!(stands["advice"]["destination"], "B02");
    assert_eq!(stands["advice"]["weight_g"], 1200);
    assert_eq!(stands["advice"]["length_mm"], Value::Null);

    let one = engine.ctl(&["waybills", NEVER_HERE]);
    assert!(one.out.contains("held until it is released"), "{one:?}");
    assert!(one.out.contains("pre-advised for B02"), "{one:?}");
    let other = engine.ctl(&["waybills", "A03-99999998"]);
    assert_eq!(
        (other.code, other.out.as_str()),
        (Some(0), "nothing stands\n")
    );
}

#[test]
fn a_long_list_comes_in_pages() {
    let dir = Dir::new();
    let engine = demo(&dir);
    let mut line = engine.connect();
    let names: Vec<String> = (0..450).map(|nth| format!("B02-9{nth:07}")).collect();
    for name in &names {
        let reply = line.ask(&format!(r#"{{"do":"hold","waybill":"{name}"}}"#));
        assert_eq!(reply["ok"], true, "{reply}");
    }
    let (mut found, mut sizes, mut after) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let mut request = json!({ "do": "waybills" });
        if let Some(mark) = &after {
            request["after"] = mark.as_str().into();
        }
        let reply = line.ask(&request.to_string());
        let answer = &reply["answer"];
        assert_eq!(count(answer, "count"), 450, "{reply}");
        let rows = answer["waybills"].as_array().expect("a list");
        sizes.push(rows.len());
        let texts = rows.iter().filter_map(|row| row["waybill"].as_str());
        found.extend(texts.map(str::to_owned));
        after = answer["after"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [200, 200, 50]);
    found.sort();
    assert_eq!(found, names);
    let text = engine.ctl(&["waybills"]).out;
    let (_, mark) = text.split_once("--after ").expect("a mark at the end");
    let mark = mark.trim_end_matches(['`', '\n']);
    let second = engine.ctl(&["waybills", "--after", mark]);
    assert_eq!(second.code, Some(0), "{second:?}");
    let (code, said) = engine.not_done("waybills --after x");
    assert!(code == 2 && said.contains("is no mark"), "{said}");
}
