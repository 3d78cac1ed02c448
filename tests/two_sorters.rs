//! A hub of two sorters, each on a thread of its own, joined by transfers, over real sockets.

mod common;
mod http;
mod operated;
mod program;

use operated::Operated;
use program::{Dir, Running, assert_good, count, verified};

#[test]
fn parcels_cross_from_one_sorter_to_the_other_and_both_journals_verify() {
    let dir = Dir::new();
    let journal = dir.arg("journal");
    let hub = concat!(env!("CARGO_MANIFEST_DIR"), "/config/two-loops.toml");
    let args = ["demo", "--config", hub, "--duration", "10s", "--speed", "8"];
    let more = ["--listen", "127.0.0.1:0", "--json", "--journal", &journal];
    let report = Running::start(&dir, "demo", &[&args[..], &more].concat()).json();
    assert_good(&report);

    let replayed = verified(&dir, "journal");
    let runs = replayed["runs"].as_array().expect("a list of runs");
    assert_eq!(runs.len(), 2, "{replayed}");
    let sum = |what| runs.iter().map(|run| count(run, what)).sum::<u64>();
    assert_eq!(sum("sorted"), count(&report, "sorted"));
    assert_eq!(sum("inducted"), count(&report, "inducted"));
    let apart = |run| count(run, "sorted") != count(run, "inducted");
    assert!(
        runs.iter().any(apart),
        "nobody crossed from one sorter to the other: {replayed}"
    );
}

#[test]
fn each_device_is_asked_of_the_sorter_that_owns_it_and_the_book_adds_up() {
    let dir = Dir::new();
    let hub = concat!(env!("CARGO_MANIFEST_DIR"), "/config/two-loops.toml");
    let args = ["--config", hub, "--duration", "600s", "--speed", "8"];
    let mut engine = Operated::demo(&dir, &args);
    engine.wait_until("every induction runs", "status", |status| {
        let mut all = status["inductions"].as_array().into_iter().flatten();
        all.all(|induction| induction["pace"] == "runs")
    });
    let why = |words: &str| {
        let told = engine.done(&format!("why {words}"));
        told["waits"][0]["why"].as_str().expect("a text").to_owned()
    };
    for (chute, induction) in [("1-04", "in-1"), ("2-04", "in-2")] {
        engine.done(&format!("chute {chute} lock"));
        let told = why(&format!("chute {chute}"));
        assert!(told.starts_with("closed (chute-locked)"), "{chute}: {told}");
        engine.done(&format!("chute {chute} unlock"));
        engine.done(&format!("induction {induction} stop"));
        let told = why(&format!("induction {induction}"));
        assert!(
            told.contains("a person has stopped it"),
            "{induction}: {told}"
        );
        engine.done(&format!("induction {induction} run"));
    }
    engine.wait_until("a parcel on a transfer", "status", |status| {
        let books = &status["books"];
        let at = |what| {
            books[what]
                .as_i64()
                .unwrap_or_else(|| panic!("{what}: {books}"))
        };
        let ended = at("sorted") + at("rejected") + at("removed") + at("lost");
        assert_eq!(
            at("inducted"),
            ended + at("on_sorter") + at("in_transfer"),
            "{books}"
        );
        at("in_transfer") > 0
    });
    let text = engine.ctl(&["status"]).out;
    assert!(text.contains(", on transfers "), "{text}");

    // Nobody has watched so far: who asks gets what is so now.
    let status = engine.done("status");
    let page = engine.program.page();
    for _ in 0..2 {
        let view = http::get(page, "/api/view").json();
        let seen = count(&view["books"], "inducted");
        assert!(seen >= count(&status["books"], "inducted"), "{view}");
    }

    engine.done("hold 1-01-99999999");
    engine.done("release 1-01-99999999");
    let (code, said) = engine.not_done("release 1-01-99999999");
    assert!(code == 1 && said.contains("is not held"), "{said}");
}
