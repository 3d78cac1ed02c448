//! What can be asked, in words and as JSON, and the desk that has it done: any input is survived,
//! and a request is taken whole or not at all.

mod common;
mod program;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use program::Dir;
use proptest::prelude::*;
use serde_json::{Value, json};
use sorthub::advice::Generations;
use sorthub::config::{CarrierFile, HubFile};
use sorthub::control::{LINE_BYTES_MAX, Line, Splitter};
use sorthub::engine::{INBOX_MAX, InboxReceiver, InboxSender, Request as Wish, inbox};
use sorthub::journal::{Journal, Options, Recorder};
use sorthub::operator::{Asker, Desk, DeskSetup, Kind, LocalSeconds, Names, Request};
use sorthub_core::ids::ChuteId;
use sorthub_core::operator::{ChuteWish, Command, Refused};
use sorthub_core::signal::Signal;

fn demo() -> HubFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo.toml");
    HubFile::read(&path).expect("the ready hub has no faults")
}

/// The same request in both spellings.
const SPELLINGS: &[(&str, &str)] = &[
    ("status", r#"{"do":"status"}"#),
    ("chutes --closed", r#"{"do":"chutes","closed":true}"#),
    (
        "chute A03 lock",
        r#"{"do":"chute","chute":"A03","to":"lock"}"#,
    ),
    (
        "chute 'bay 3' cleared",
        r#"{"do":"chute","chute":"bay 3","to":"cleared"}"#,
    ),
    (
        "bag A03 bind 376130321109103420",
        r#"{"do":"bag","chute":"A03","to":"bind","label":"376130321109103420"}"#,
    ),
    (
        "bag A03 change",
        r#"{"do":"bag","chute":"A03","to":"change"}"#,
    ),
    (
        "bank A* disable",
        r#"{"do":"bank","bank":"A*","to":"disable"}"#,
    ),
    (
        "induction in-1 limit 1200",
        r#"{"do":"induction","induction":"in-1","to":"limit","per_h":1200}"#,
    ),
    (
        "track loop mode maintenance",
        r#"{"do":"track","track":"loop","to":"mode","mode":"maintenance"}"#,
    ),
    (
        "track loop drain",
        r#"{"do":"track","track":"loop","to":"drain"}"#,
    ),
    (
        "carrier 7 disable --track loop",
        r#"{"do":"carrier","carrier":7,"to":"disable","track":"loop"}"#,
    ),
    (
        "intercept A03-00000017 --to B01",
        r#"{"do":"intercept","waybill":"A03-00000017","dest":"B01"}"#,
    ),
    (
        "intercept A03-00000017 --cancel",
        r#"{"do":"intercept","waybill":"A03-00000017","cancel":true}"#,
    ),
    ("waybills", r#"{"do":"waybills"}"#),
    (
        "waybills A03-00000017",
        r#"{"do":"waybills","waybill":"A03-00000017"}"#,
    ),
    ("waybills --after 8f", r#"{"do":"waybills","after":"8f"}"#),
    ("chutes A03", r#"{"do":"chutes","chute":"A03"}"#),
    (
        "hold A03-00000017",
        r#"{"do":"hold","waybill":"A03-00000017"}"#,
    ),
    (
        "release A03-00000017",
        r#"{"do":"release","waybill":"A03-00000017"}"#,
    ),
    (
        "verdict A03-00000017 suspect",
        r#"{"do":"verdict","waybill":"A03-00000017","verdict":"suspect"}"#,
    ),
    ("advice status", r#"{"do":"advice","to":"status"}"#),
    (
        "advice load today.csv --lenient",
        r#"{"do":"advice","to":"load","file":"today.csv","lenient":true}"#,
    ),
    (
        "advice set A03-00000017 --segment 571-A1 --tag fragile --weight-g 1200",
        r#"{"do":"advice","to":"set","waybill":"A03-00000017","segment":"571-A1",
            "tags":["fragile"],"weight_g":1200}"#,
    ),
    (
        "advice withdraw A03-00000017",
        r#"{"do":"advice","to":"withdraw","waybill":"A03-00000017"}"#,
    ),
    ("unread list", r#"{"do":"unread","to":"list"}"#),
    (
        "unread key 3-127 A03-00000017 --seat 2",
        r#"{"do":"unread","to":"key","parcel":"3-127","code":"A03-00000017","seat":2}"#,
    ),
    (
        "unread give-back 3-127",
        r#"{"do":"unread","to":"give-back","parcel":"3-127","seat":1}"#,
    ),
    (
        "parcel 3-127 force A03",
        r#"{"do":"parcel","parcel":"3-127","to":"force","chute":"A03"}"#,
    ),
    ("alarms list", r#"{"do":"alarms","to":"list"}"#),
    (
        "alarms shelve 4",
        r#"{"do":"alarms","to":"shelve","alarm":4,"minutes":30}"#,
    ),
    (
        "plan stage next.toml",
        r#"{"do":"plan","to":"stage","file":"next.toml"}"#,
    ),
    (
        "plan diff 12 13",
        r#"{"do":"plan","to":"diff","from":12,"into":13}"#,
    ),
    (
        "plan activate 13",
        r#"{"do":"plan","to":"activate","version":13}"#,
    ),
    ("plan rollback", r#"{"do":"plan","to":"rollback"}"#),
    (
        "wave close noon",
        r#"{"do":"wave","to":"close","wave":"noon"}"#,
    ),
    (
        "wave extend noon 12:15",
        r#"{"do":"wave","to":"extend","wave":"noon","until":"12:15"}"#,
    ),
    ("why chute A03", r#"{"do":"why","of":"chute","name":"A03"}"#),
    ("why A03-00000017", r#"{"do":"why","of":"A03-00000017"}"#),
    ("host", r#"{"do":"host"}"#),
    (
        "host-says 3-127 --to B01",
        r#"{"do":"host-says","parcel":"3-127","dest":"B01"}"#,
    ),
    (
        "host-says 3-127 --hold",
        r#"{"do":"host-says","parcel":"3-127","hold":true}"#,
    ),
];

#[test]
fn words_and_json_say_the_same() {
    for (words, text) in SPELLINGS {
        let value: Value = serde_json::from_str(text).expect("JSON");
        let by_words = Request::from_words(words).unwrap_or_else(|p| panic!("{words}: {p}"));
        let by_json = Request::from_json(value.clone()).unwrap_or_else(|p| panic!("{text}: {p}"));
        assert_eq!(by_words, by_json, "{words}");
        assert_eq!(by_words.to_json(), value, "{words}");
    }
    let said: Vec<&str> = SPELLINGS
        .iter()
        .filter_map(|(w, _)| w.split(' ').next())
        .collect();
    for verb in Request::verbs() {
        assert!(
            said.contains(&verb.as_str()),
            "`{verb}` is in no example here"
        );
    }
}

#[test]
fn what_makes_no_sense_is_told_with_what_would() {
    let cases = [
        (r#"{"do":"sttus"}"#, "did you mean `status`?"),
        (
            r#"{"do":"chute","chute":"A03","to":"lok"}"#,
            "did you mean `lock`?",
        ),
        (r#"{"do":"chute","chute":"A03"}"#, "missing field `to`"),
        (
            r#"{"do":"chute","chute":"A03","to":"lock","x":1}"#,
            "unknown field `x`",
        ),
        (
            r#"{"do":"plan","to":"activat","version":1}"#,
            "expected one of `stage`",
        ),
        (
            r#"{"do":"carrier","carrier":70000,"to":"enable"}"#,
            "expected u16",
        ),
        (r#"{"to":"lock"}"#, "has no `do`"),
        (r#"["do"]"#, "is a JSON object"),
    ];
    for (text, wanted) in cases {
        let value = serde_json::from_str(text).expect("JSON");
        let problem = Request::from_json(value).expect_err(text);
        assert_eq!(problem.kind(), Kind::Malformed, "{text}");
        assert!(problem.to_string().contains(wanted), "{text}: {problem}");
        assert!(!problem.mend.is_empty(), "{text}");
    }
    let words = [
        ("chute A03 lok", "lock"),
        ("chut A03 lock", "chute"),
        ("chute 'A03 lock", "not closed"),
        ("", "status"),
    ];
    for (words, wanted) in words {
        let problem = Request::from_words(words).expect_err(words);
        assert!(problem.to_string().contains(wanted), "{words}: {problem}");
    }
}

#[test]
fn names_become_numbers_or_the_nearest_is_told() {
    let file = demo();
    let names = Names {
        hub: &file.hub,
        plan: &file.plan,
        formats: file.formats.as_deref(),
        container_labels: file.container_labels.as_deref(),
        directory: &file.directory,
    };
    let commands = |words: &str| {
        let request = Request::from_words(words).unwrap_or_else(|p| panic!("{words}: {p}"));
        names.commands(&request)
    };
    let lock = Command::Chute {
        chute: ChuteId(2),
        to: ChuteWish::Lock,
    };
    assert_eq!(commands("chute A03 lock"), Ok(Some(vec![lock])));
    assert_eq!(
        commands("bank B* disable").map(|all| all.map(|all| all.len())),
        Ok(Some(7))
    );
    assert_eq!(commands("status"), Ok(None));
    let wrong = [
        ("chute A3 lock", "did you mean `A03`?"),
        ("bank C* lock", "no chute's name begins with `C`"),
        ("induction in-3 stop", "did you mean `in-1`?"),
        ("track lop drain", "did you mean `loop`?"),
        ("carrier 60 disable", "its carriers are 0 to 59"),
        ("wave close noon", "there is no wave at all"),
        (
            "intercept A03-00000017 --to B08",
            "there is no destination `B08`",
        ),
        ("parcel 17 damaged", "no parcel's number"),
        ("parcel 1-0 damaged", "no parcel's number"),
        ("parcel 99999999-1 damaged", "no parcel's number"),
        ("unread take 1-7 --seat 0", "numbered from 1"),
        ("hold ''", "no code is given"),
        ("hold 'A03\n00000017'", "no line breaks"),
        ("release 'A03\u{1b}[2J'", "no line breaks"),
        ("bag A03 bind 'a b'", "is no label of a container"),
        ("bag A03 bind 'a\u{7}b'", "no control characters"),
        ("bag A03 bind 37613032110910342", "18 digits"),
        ("bag A03 bind 376130321109103421", "must be 0"),
    ];
    for (words, wanted) in wrong {
        let problem = commands(words).expect_err(words);
        assert_eq!(problem.kind(), Kind::Unusable, "{words}: {problem}");
        assert!(problem.to_string().contains(wanted), "{words}: {problem}");
    }
    let halves = [
        "parcel 1-7 force",
        "bag A03 bind",
        "induction in-1 limit",
        "track loop mode",
    ];
    let too_much = [
        "parcel 1-7 damaged A03",
        "bag A03 keep X",
        "induction in-1 run 9",
    ];
    for words in halves.into_iter().chain(too_much) {
        let problem = commands(words).expect_err(words);
        assert_eq!(problem.kind(), Kind::Malformed, "{words}: {problem}");
    }
}

#[test]
fn half_an_intercept_and_a_why_of_nothing_are_told_with_what_is_missing() {
    let file = demo();
    let names = Names {
        hub: &file.hub,
        plan: &file.plan,
        formats: file.formats.as_deref(),
        container_labels: None,
        directory: &file.directory,
    };
    let intercepts = [
        json!({"do": "intercept", "waybill": "W"}),
        json!({"do": "intercept", "waybill": "W", "dest": "B01", "cancel": true}),
    ];
    for half in intercepts {
        let request = Request::from_json(half).expect("its keys are known");
        let problem = names.commands(&request).expect_err("half of it is missing");
        assert_eq!(problem.kind(), Kind::Malformed, "{problem}");
    }
    let asked = [
        ("chute", "why chute A01"),
        ("induction", "why induction in-1"),
        ("carrier", "why carrier 12"),
        ("parcel", "why parcel 3-127"),
    ];
    for (kind, example) in asked {
        let problem = names.subject(kind, None, None).expect_err(kind);
        assert!(problem.mend.contains(example), "{problem}");
    }
}

/// A person who typed a digit wrong learns which one the label can have.
#[test]
fn a_code_that_cannot_be_believed_is_refused_with_the_reason() {
    let file = demo();
    let formats = CarrierFile::shipped().formats;
    let names = Names {
        hub: &file.hub,
        plan: &file.plan,
        formats: Some(&formats),
        container_labels: None,
        directory: &file.directory,
    };
    let long = "7".repeat(65);
    for (code, wanted) in [
        ("RB123456786US", "the check character is 6 but must be 5"),
        ("what?", "no format has this form"),
        ("42090210", "it says only where to"),
        (&long, "longer than 64 characters"),
        (&long.repeat(1_000), "at most 64 characters"),
        ("RB123456785US\nRB123456785US", "no line breaks"),
    ] {
        let hold = Request::Hold {
            waybill: code.to_owned(),
        };
        let problem = names.commands(&hold).expect_err(code);
        assert_eq!(problem.kind(), Kind::Unusable, "{problem}");
        assert!(problem.detail.contains(wanted), "{problem}");
        assert!(problem.detail.len() < 200, "not all of it is said again");
    }
}

/// What a bag's label looks like, the hub file says.
#[test]
fn labels_of_bags_are_as_the_hub_file_says() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo.toml");
    let hub = fs::read_to_string(demo).expect("the ready hub is part of the project");
    let hub = format!("container_labels = ['BAG-\\d{{4}}']\n{hub}");
    let file = HubFile::parse("hub.toml", &hub).expect("it has no fault");
    let names = Names {
        hub: &file.hub,
        plan: &file.plan,
        formats: file.formats.as_deref(),
        container_labels: file.container_labels.as_deref(),
        directory: &file.directory,
    };
    let bind = |label: &str| {
        let words = format!("bag A03 bind '{label}'");
        names.commands(&Request::from_words(&words).expect("it is understood"))
    };
    assert!(bind("BAG-0007").is_ok());
    assert!(
        bind("376130321109103420").is_ok(),
        "an SSCC is one everywhere"
    );
    let problem = bind("BAG-007").expect_err("a digit is missing");
    assert!(problem.mend.contains("`BAG-\\d{4}`"), "{problem}");
}

proptest! {
    #[test]
    fn any_words_are_a_request_or_a_problem(text in ".{0,200}") {
        if let Err(problem) = Request::from_words(&text) {
            prop_assert!(!problem.detail.is_empty() && !problem.mend.is_empty());
        }
    }

    #[test]
    fn any_change_to_a_request_is_survived(
        nth in 0..SPELLINGS.len(),
        key in "(do|to|chute|wave|version|parcel|seat|x)",
        value in prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
            Just(json!([1, {"a": []}])),
        ],
    ) {
        let mut request: Value = serde_json::from_str(SPELLINGS[nth].1).expect("JSON");
        request[key] = value;
        if let Ok(request) = Request::from_json(request) {
            let file = demo();
            let names = Names {
                hub: &file.hub,
                plan: &file.plan,
                formats: None,
                container_labels: None,
                directory: &file.directory,
            };
            // Whatever it names, it is answered.
            let _ = names.commands(&request);
        }
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_are_cut(
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        cuts in prop::collection::vec(1..50_usize, 1..40),
    ) {
        let bytes = lines.join(&b'\n');
        let mut whole = Splitter::default();
        whole.push(&bytes);
        let mut expected: Vec<Line> = std::iter::from_fn(|| whole.line()).collect();
        expected.extend(whole.rest());

        let (mut splitter, mut rest, mut found) = (Splitter::default(), &bytes[..], Vec::new());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            splitter.push(piece);
            found.extend(std::iter::from_fn(|| splitter.line()));
            rest = after;
        }
        found.extend(splitter.rest());
        prop_assert_eq!(&found, &expected);
        // All that is no end of a line comes out, in order.
        let kept: Vec<u8> = found.into_iter().flat_map(|line| match line {
            Line::Whole(bytes) => bytes,
            Line::TooLong => vec![],
        }).collect();
        let blank = |line: &[u8]| line.trim_ascii().is_empty();
        let all = bytes.split(|byte| *byte == b'\n').filter(|line| !blank(line));
        prop_assert_eq!(kept, all.flatten().copied().collect::<Vec<u8>>());
    }
}

#[test]
fn a_line_without_an_end_takes_no_memory_for_ever() {
    let mut splitter = Splitter::default();
    for _ in 0..1_000 {
        splitter.push(&[b'x'; 4_096]);
        assert_eq!(splitter.line(), None);
    }
    splitter.push(b"\n{}\n");
    assert_eq!(splitter.line(), Some(Line::TooLong));
    assert_eq!(splitter.line(), Some(Line::Whole(b"{}".to_vec())));
    splitter.push(&vec![b'y'; LINE_BYTES_MAX]);
    splitter.push(b"\n");
    assert_eq!(
        splitter.line(),
        Some(Line::Whole(vec![b'y'; LINE_BYTES_MAX]))
    );
}

/// A desk before an engine that the test plays.
struct Played {
    desk: Desk,
    sender: InboxSender,
    receiver: InboxReceiver,
    _recorder: Recorder,
    _dir: Dir,
}

fn played() -> Played {
    let (dir, file) = (Dir::new(), demo());
    let header = sorthub::demo::header(&file, 1_000);
    let journal = Journal::open(&dir.file("journal"), &header, Options::default());
    let recorder = journal.expect("a new journal").start().expect("a thread");
    let (sender, receiver) = inbox();
    let setup = DeskSetup {
        hub: Arc::clone(&file.hub),
        plan: Arc::clone(&file.plan),
        formats: None,
        container_labels: None,
        directory: Arc::new(Generations::new(file.directory.clone())),
        inboxes: vec![sender.clone()],
        keepers: vec![recorder.plan_keeper()],
        show: None,
        texts: Vec::new(),
    };
    Played {
        desk: Desk::new(setup, LocalSeconds(0)),
        sender,
        receiver,
        _recorder: recorder,
        _dir: dir,
    }
}

fn asker() -> Asker {
    Asker {
        name: "lin".to_owned(),
        way: "a test".to_owned(),
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_full_inbox_answers_busy_and_nothing_is_half_done() {
    let played = played();
    let request = Request::from_words("bank A* lock").expect("a request");
    for _ in 0..INBOX_MAX {
        played.sender.send(Wish::Tell(Signal::Tick)).expect("room");
    }
    let problem = played
        .desk
        .ask(&asker(), &request)
        .await
        .expect_err("there is no room");
    assert_eq!(problem.kind(), Kind::Busy, "{problem}");
    let waiting: Vec<Wish> = std::iter::from_fn(|| played.receiver.next()).collect();
    assert_eq!(waiting.len(), INBOX_MAX);
    assert!(
        waiting
            .iter()
            .all(|wish| matches!(wish, Wish::Tell(Signal::Tick)))
    );

    // With room all seven go in one piece, and each has its answer.
    let engine = async {
        played.receiver.ready().await;
        let Some(Wish::Obey(mut batch, reply)) = played.receiver.next() else {
            panic!("a batch of commands was sent");
        };
        assert_eq!(batch.commands.len(), 7);
        assert_eq!(
            batch.note,
            r#"lin by a test: {"bank":"A*","do":"bank","to":"lock"}"#
        );
        batch.answers.extend([Ok(()); 6]);
        batch.answers.push(Err(Refused::LockedLocally));
        reply.send(batch).expect("the desk waits");
    };
    let asker = asker();
    let (answer, ()) = tokio::join!(played.desk.ask(&asker, &request), engine);
    let problem = answer.expect_err("one is locked");
    assert_eq!(problem.kind(), Kind::Refused);
    assert!(
        problem.detail.starts_with("6 of 7 done; `A07`"),
        "{problem}"
    );
    assert_eq!(problem.faults.len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn an_engine_that_ends_leaves_nobody_waiting() {
    let played = played();
    let request = Request::from_words("chute A03 lock").expect("a request");
    let engine = async {
        played.receiver.ready().await;
        drop(played.receiver.next());
    };
    let asker = asker();
    let (answer, ()) = tokio::join!(played.desk.ask(&asker, &request), engine);
    assert_eq!(answer.expect_err("it ended").kind(), Kind::Unavailable);
}

#[tokio::test(flavor = "current_thread")]
async fn there_is_one_host_at_a_time() {
    let played = played();
    let first = played.desk.join(&asker()).expect("nobody was there");
    let refused = played.desk.join(&asker()).expect_err("one is there");
    assert_eq!(refused.kind(), Kind::Refused);
    played.desk.leave(&asker(), &first);
    let second = played.desk.join(&asker()).expect("the first has left");
    // One that has left already takes nobody's place.
    played.desk.leave(&asker(), &first);
    assert!(played.desk.join(&asker()).is_err());
    drop(second);
}
