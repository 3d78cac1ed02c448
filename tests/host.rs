//! A host over the local socket: it is asked about what nothing in the engine knows, and its
//! answers decide.

mod common;
mod operated;
mod program;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use operated::{Operated, socket_of};
use program::{Dir, Running, at_addresses, count};
use serde_json::{Value, json};

/// The chutes of the demo hub that sort; the virtual hub labels parcels with their names.
fn chutes() -> impl Iterator<Item = String> {
    let bank = |letter: char| (1..=7).map(move |nth| format!("{letter}{nth:02}"));
    bank('A').chain(bank('B'))
}

/// A virtual hub, and an engine whose plan calls every destination otherwise than the labels do:
/// only a host knows what is meant.
fn start(dir: &Dir) -> (Running, Operated) {
    let demo = fs::read_to_string("config/demo.toml").expect("the ready hub");
    let args = [
        "emulate",
        "--config",
        "config/demo.toml",
        "--any-port",
        "--json",
    ];
    let mut plant = Running::start(dir, "emulate", &args);
    let addresses: Value = plant.wait_for("the virtual hub's addresses", |program| {
        serde_json::from_str(&program.out()).ok()
    });
    let mut hub: toml::Table = toml::from_str(&at_addresses(&demo, &addresses)).expect("TOML");
    let plan = hub["plan"].as_table_mut().expect("a plan");
    plan.remove("destinations");
    let host = toml::Table::from_iter([("deadline_ms".to_owned(), 4_000.into())]);
    plan.insert("host".to_owned(), host.into());
    let destinations = chutes().map(|chute| {
        let chutes = vec![toml::Value::from(chute.as_str())];
        let dest = [
            ("name".to_owned(), format!("to {chute}").into()),
            ("chutes".to_owned(), chutes.into()),
        ];
        toml::Value::from(toml::Table::from_iter(dest))
    });
    plan.insert(
        "destination".to_owned(),
        destinations.collect::<Vec<_>>().into(),
    );
    let file = dir.file("hub.toml");
    fs::write(&file, toml::to_string(&hub).expect("TOML")).expect("it can be kept");
    let (hub, journal) = (dir.arg("hub.toml"), dir.arg("journal"));
    let args = ["run", "--config", &hub, "--journal", &journal];
    let args = [&args[..], &["--listen", "127.0.0.1:0"]].concat();
    let mut program = Running::start(dir, "run", &args);
    let socket: PathBuf = socket_of(&mut program);
    (plant, Operated { program, socket })
}

#[test]
fn a_host_is_asked_and_its_answer_decides() {
    let dir = Dir::new();
    let (_plant, engine) = start(&dir);
    let mut host = engine.connect();
    assert_eq!(host.ask(r#"{"do":"host"}"#)["answer"]["host"], "joined");
    // There is one at a time, and it may ask for other things besides.
    let mut second = engine.connect();
    assert_eq!(second.ask(r#"{"do":"host"}"#)["problem"]["status"], 409);
    let mut sorted = 0;
    for _ in 0..10 {
        let said = host.next().expect("the engine asks");
        let question = &said["ask"];
        if question.is_null() {
            assert_eq!(said["ok"], true, "{said}");
            sorted += 1;
            continue;
        }
        let waybill = question["waybill"]
            .as_str()
            .expect("its text is remembered");
        assert!(count(question, "within_ms") <= 4_000);
        let (chute, _) = waybill.split_once('-').expect("a label of the virtual hub");
        let answer = json!({
            "do": "host-says", "parcel": question["parcel"], "dest": format!("to {chute}"),
        });
        host.send(format!("{answer}\n").as_bytes());
    }
    assert!(sorted > 0, "an answer was taken");
    engine.wait_until("parcels sorted where the host said", "status", |status| {
        count(&status["books"], "sorted") > 0
    });
    drop(host);
    // Without a host the local answer stands: what nobody knows is rejected.
    engine.wait_until("parcels rejected without a host", "status", |status| {
        let rejected = &status["books"]["rejected_by"];
        rejected
            .as_object()
            .is_some_and(|by| by.keys().any(|why| why == "host-late"))
    });
}

#[test]
fn answers_can_come_from_a_file() {
    let dir = Dir::new();
    let mut text = "waybill,destination\n".to_owned();
    for (number, chute) in (1..=400).flat_map(|n| chutes().map(move |chute| (n, chute))) {
        writeln!(text, "{chute}-{number:08},to {chute}").expect("texts take more");
    }
    fs::write(dir.file("answers.csv"), text).expect("the test's folder takes files");
    let (_plant, engine) = start(&dir);
    let socket = engine.socket.to_str().expect("UTF-8").to_owned();
    let answers = dir.arg("answers.csv");
    let args = ["ctl", "--socket", &socket, "host", "--answers", &answers];
    let mut host = Running::start(&dir, "host", &args);
    engine.wait_until("parcels sorted as the file says", "status", |status| {
        count(&status["books"], "sorted") >= 5
    });
    let status = engine.done("status");
    assert_eq!(status["books"]["missorted"], 0);
    assert!(
        host.out().lines().any(|line| line.contains("  to ")),
        "{}",
        host.out()
    );
    engine.program.terminate();
    // The line ends with the engine.
    assert_eq!(host.end(), Some(0), "{}", host.err());
}
