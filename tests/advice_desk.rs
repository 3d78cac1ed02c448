//! Pre-advice through the desk: what is said or loaded is in the next generation, and what is
//! refused changes nothing.

mod common;
mod program;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use program::Dir;
use serde_json::Value;
use sorthub::advice::Generations;
use sorthub::config::HubFile;
use sorthub::engine::inbox;
use sorthub::operator::{Asker, Desk, DeskSetup, Kind, LocalSeconds, Problem, Request};
use sorthub_core::directory::Directory;
use sorthub_core::facts::{Address, Advice, DestKey, Measures, ServiceKey, Tags};
use sorthub_core::units::{Grams, Mm};

/// A desk of a hub whose scanners read `A03-00000017` as `A0300000017`.
struct At {
    desk: Desk,
    generations: Arc<Generations>,
    dir: Dir,
}

const FORMATS: &str = "[[format]]\nname = 'own'\ncarrier = 'own'\npatterns = ['[AB]\\d{10}']\n\
                       separators = '-'\n";

fn at_desk() -> At {
    let dir = Dir::new();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo.toml");
    let hub = fs::read_to_string(demo).expect("the ready hub is part of the project");
    let tag = "[[tag]]\nname = 'battery'\ncolumn = 'goods'\nvalue = 'battery'\n";
    let hub = format!("carriers = 'carriers.toml'\n{hub}\n{tag}");
    fs::write(dir.file("hub.toml"), hub).expect("the folder takes files");
    fs::write(dir.file("carriers.toml"), FORMATS).expect("the folder takes files");
    let file = HubFile::read(&dir.file("hub.toml")).expect("it has no fault");
    let generations = Arc::new(Generations::new(Directory::new()));
    let setup = DeskSetup {
        hub: file.hub,
        plan: file.plan,
        formats: file.formats,
        container_labels: file.container_labels,
        directory: Arc::clone(&generations),
        inboxes: vec![inbox().0],
        keepers: Vec::new(),
        show: None,
        texts: Vec::new(),
    };
    At {
        desk: Desk::new(setup, LocalSeconds(0)),
        generations,
        dir,
    }
}

impl At {
    async fn ask(&self, words: &str) -> Result<Value, Problem> {
        let request = Request::from_words(words).unwrap_or_else(|p| panic!("{words}: {p}"));
        self.obey(&request).await
    }

    async fn obey(&self, request: &Request) -> Result<Value, Problem> {
        let asker = Asker {
            name: "lin".to_owned(),
            way: "a test".to_owned(),
        };
        self.desk.ask(&asker, request).await
    }

    async fn load(&self, name: &str, text: &str, lenient: bool) -> Result<Value, Problem> {
        fs::write(self.dir.file(name), text).expect("the folder takes files");
        let lenient = if lenient { " --lenient" } else { "" };
        let words = format!("advice load '{}'{lenient}", self.dir.arg(name));
        self.ask(&words).await
    }

    fn advice(&self, identity: &str) -> Advice {
        self.generations.current().advice(identity)
    }

    fn dest(&self, identity: &str) -> Option<DestKey> {
        self.generations.current().dest(identity)
    }
}

fn to(name: &str) -> Option<DestKey> {
    Some(DestKey::of(name))
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_said_of_one_waybill_is_in_the_next_generation() {
    let at = at_desk();
    let words = "advice set a03-00000017 --to B01 --segment '571 a1' --postcode 310000 \
                 --service express --tag fragile --tag battery --weight-g 1200 --length-mm 400 \
                 --width-mm 300 --height-mm 200";
    let done = at.ask(words).await.expect("it makes sense");
    assert_eq!(done["done"], 1);
    let advised = Advice {
        known: true,
        dest: DestKey::of("B01"),
        segment: Address::of("571A1"),
        postcode: Address::of("310000"),
        service: ServiceKey::of("express"),
        tags: Tags::FRAGILE.and(Tags(1 << 2)),
        declared: Measures {
            weight: Grams(1_200),
            length: Mm(400),
            width: Mm(300),
            height: Mm(200),
        },
    };
    assert_eq!(at.advice("A0300000017"), advised, "by its identity");
    let status = at.ask("advice status").await.expect("it only looks");
    assert_eq!(
        (&status["single"], &status["waybills"]),
        (&1.into(), &0.into())
    );
    let withdrawn = at.ask("advice withdraw A0300000017").await;
    withdrawn.expect("it is a waybill");
    assert_eq!(at.advice("A0300000017"), Advice::default());
}

#[tokio::test(flavor = "current_thread")]
async fn a_slip_is_told_and_changes_nothing() {
    let at = at_desk();
    for (words, kind, wanted) in [
        (
            "set A03-00000017 --to B08",
            Kind::Unusable,
            "no destination `B08`",
        ),
        (
            "set A03-00000017",
            Kind::Malformed,
            "needs a destination, a segment",
        ),
        ("set X --to B01", Kind::Unusable, "`X` is no valid code"),
        ("withdraw X", Kind::Unusable, "`X` is no valid code"),
        (
            "set A03-00000017 --to B01 --tag batery",
            Kind::Unusable,
            "did you mean `battery`?",
        ),
        (
            "set A03-00000017 --to B01 --weight-g 5000000",
            Kind::Unusable,
            "`weight_g` is 5000000",
        ),
        (
            "set A03-00000017 --postcode 31!!",
            Kind::Unusable,
            "`31!!` is no postcode: it has a character that is none of an address",
        ),
        (
            "set A03-00000017 --to B01 --segment /-/",
            Kind::Unusable,
            "`/-/` is no segment code: it has neither digit nor letter",
        ),
    ] {
        let problem = at.ask(&format!("advice {words}")).await.expect_err(words);
        assert_eq!(problem.kind(), kind, "{words}: {problem}");
        assert!(problem.to_string().contains(wanted), "{words}: {problem}");
    }
    let lacking = r#"{"do":"advice","to":"set","dest":"B01"}"#;
    let lacking = serde_json::from_str(lacking).expect("JSON");
    let problem = Request::from_json(lacking).expect_err("nobody knows which waybill");
    assert!(problem.detail.contains("waybill"), "{problem}");
    assert_eq!(at.generations.current().recent(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn a_file_takes_the_place_of_what_was_there_or_is_refused() {
    let at = at_desk();
    let set = at.ask("advice set A03-00000001 --to A01").await;
    set.expect("it makes sense");
    let first = "waybill,destination,goods\nA03-00000017,B01,battery\na0300000018,B02,\n";
    let loaded = at.load("first.csv", first, false).await.expect("no fault");
    assert_eq!(
        (&loaded["waybills"], &loaded["rows"]),
        (&2.into(), &2.into())
    );
    assert_eq!(at.dest("A0300000017"), to("B01"));
    assert_eq!(at.advice("A0300000017").tags, Tags(1 << 2));
    assert_eq!(at.dest("A0300000018"), to("B02"));
    assert_eq!(at.dest("A0300000001"), None, "the file is newer");

    let second = "waybill,destination,goods\nA03-00000017,B03,\nC03-00000017,B04,\nA,,\n";
    let problem = at.load("second.csv", second, false).await;
    let problem = problem.expect_err("two rows have faults");
    assert_eq!(problem.kind(), Kind::Unusable);
    assert!(
        problem.detail.ends_with("second.csv has 3 faults"),
        "{problem}"
    );
    assert!(
        problem.faults[0].contains(":3:1: `waybill` is `C03-00000017`, which is no parcel's"),
        "{problem:?}"
    );
    assert_eq!(at.dest("A0300000017"), to("B01"), "what was there stays");

    let loaded = at.load("second.csv", second, true).await.expect("it may");
    assert_eq!(
        (&loaded["waybills"], &loaded["left_out"]),
        (&1.into(), &2.into())
    );
    assert_eq!(loaded["faults"].as_array().map(Vec::len), Some(3));
    assert_eq!(at.dest("A0300000017"), to("B03"));
    assert_eq!(at.dest("A0300000018"), None, "it is not in the file");

    let problem = at.load("third.csv", "waybill,destination\n", false).await;
    let problem = problem.expect_err("the hub's tag has no column");
    assert!(
        problem.faults[0].contains("no column `goods`"),
        "{problem:?}"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn two_files_are_not_read_at_once() {
    let at = at_desk();
    let pipe = at.dir.arg("pipe.csv");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("there is a mkfifo").success());
    let first = Request::from_words(&format!("advice load '{pipe}'")).expect("a request");
    // The first one waits until somebody opens the other end.
    let second = async {
        let second = at.load("second.csv", "waybill,destination,goods\n", false);
        let problem = second.await.expect_err("another one is being read");
        assert_eq!(problem.kind(), Kind::Busy, "{problem}");
        at.ask("advice set A03-00000017 --to B01").await
    };
    let write = async {
        let said = second.await;
        // Opening is enough, and waits for who reads.
        let opened = fs::File::options().write(true).open(&pipe);
        drop(opened.expect("somebody reads"));
        said
    };
    let (loaded, said) = tokio::join!(at.obey(&first), write);
    said.expect("a single waybill need not wait for a file");
    let problem = loaded.expect_err("a pipe is no file to go back and forth in");
    assert_eq!(problem.kind(), Kind::Unusable, "{problem}");
    assert_eq!(at.dest("A0300000017"), to("B01"), "it outlives the reading");
    let again = at.load(
        "second.csv",
        "waybill,destination,goods\nA0300000018,B01,\n",
        false,
    );
    again.await.expect("the first one has ended");
}
