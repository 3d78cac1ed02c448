//! Engine and virtual hub as two programs: each is ended or killed while the other goes on.
#![cfg(unix)]

mod common;
mod http;
mod operated;
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use program::{Dir, Running, assert_balance, at_addresses, calls, count, rejected, verified};
use serde_json::Value;
use sorthub_core::running::Pace;
use sorthub_core::signal::{Output, Signal};

/// The loop of the demo hub: how far two laps are.
const TWO_LAPS_MM: i64 = 2 * 36_000;

/// A virtual hub and the file by which an engine finds it.
struct Plant {
    running: Running,
    plc: SocketAddr,
}

impl Plant {
    /// Starts it on free ports and writes `hub.toml`.
    fn start(dir: &Dir) -> Self {
        let demo = "config/demo.toml";
        let ledger = dir.arg("ledger.csv");
        let args = ["emulate", "--config", demo, "--any-port", "--json"];
        let args = [&args[..], &["--ledger", &ledger]].concat();
        let (plant, addresses) = Self::announced(Running::start(dir, "emulate", &args));
        let text = fs::read_to_string(demo).expect("the demo hub is there");
        fs::write(dir.file("hub.toml"), at_addresses(&text, &addresses)).expect("it can be kept");
        plant
    }

    /// Starts it anew with other parcels, where `hub.toml` says.
    fn again(dir: &Dir) -> Self {
        let (hub, ledger) = (dir.arg("hub.toml"), dir.arg("ledger-again.csv"));
        let args = ["emulate", "--config", &hub, "--json", "--seed", "2"];
        let args = [&args[..], &["--ledger", &ledger]].concat();
        Self::announced(Running::start(dir, "emulate-again", &args)).0
    }

    fn announced(mut running: Running) -> (Self, Value) {
        let addresses: Value = running.wait_for("the virtual hub's addresses", |program| {
            serde_json::from_str(&program.out()).ok()
        });
        let plc = addresses["plcs"][0]["address"].as_str();
        let plc = plc.expect("an address").parse().expect("of a socket");
        (Self { running, plc }, addresses)
    }

    /// A register of the status block.
    fn status(&self, register: u8) -> u16 {
        let mut stream = TcpStream::connect(self.plc).expect("the virtual PLC listens");
        stream
            .write_all(&[0, 1, 0, 0, 0, 6, 1, 3, 0, register, 0, 1])
            .expect("it takes a request");
        let mut answer = [0; 11];
        stream.read_exact(&mut answer).expect("it answers");
        assert_eq!(answer[7], 3, "an exception: {answer:?}");
        u16::from_be_bytes([answer[9], answer[10]])
    }
}

/// An engine on `hub.toml` that keeps its journal in `journal`.
struct Engine {
    running: Running,
    page: SocketAddr,
}

impl Engine {
    fn start(dir: &Dir, name: &str) -> Self {
        Self::start_with(dir, name, &[])
    }

    fn start_with(dir: &Dir, name: &str, more: &[&str]) -> Self {
        let (hub, journal) = (dir.arg("hub.toml"), dir.arg("journal"));
        let args = ["run", "--config", &hub, "--journal", &journal];
        let args = [&args[..], &["--listen", "127.0.0.1:0"], more].concat();
        let mut running = Running::start(dir, name, &args);
        let page = running.page();
        Self { running, page }
    }

    /// Polls what it shows until it is so.
    fn until(&mut self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let page = self.page;
        self.running.wait_for(what, |_| {
            let answer = http::get(page, "/api/view");
            let view = (answer.status == 200).then(|| answer.json())?;
            is_so(&view).then_some(view)
        })
    }

    /// Runs `sorthub ctl` on it.
    fn ctl(&mut self, words: &[&str]) -> operated::Said {
        let socket = operated::socket_of(&mut self.running);
        let socket = socket.to_str().expect("UTF-8");
        operated::ctl(&[&["--socket", socket][..], words].concat())
    }

    /// Sorts until so many parcels have left.
    fn sorts(&mut self, at_least: u64) -> Value {
        let what = format!("{at_least} parcels are sorted");
        self.until(&what, |view| count(&view["books"], "sorted") >= at_least)
    }
}

fn belt_mm(view: &Value) -> i64 {
    view["tracks"][0]["belt_mm"].as_i64().expect("a position")
}

/// The codes that were read of parcels on the sorter.
fn read_codes(view: &Value) -> BTreeSet<String> {
    let items = view["items"].as_array().expect("a list of items");
    let codes = items.iter().filter_map(|item| item["waybill"].as_str());
    codes.map(str::to_owned).collect()
}

/// A row of the virtual hub's ledger.
struct Row {
    label: String,
    destination: String,
    left_by: String,
}

/// The ledger, in which nothing may have left by a wrong chute. In the demo hub each destination is
/// named after its only chute.
fn ledger(dir: &Dir, name: &str) -> Vec<Row> {
    let mut csv = csv::Reader::from_path(dir.file(name)).expect("the ledger was written");
    let columns = csv.headers().expect("a ledger has a header");
    let expected = "label,destination,inducted_s,left_by,left_s,laps";
    assert_eq!(columns.iter().collect::<Vec<_>>().join(","), expected);
    let rows = csv.records().map(|row| {
        let row = row.expect("a whole row");
        let cell = |nth: usize| row[nth].to_owned();
        Row {
            label: cell(0),
            destination: cell(1),
            left_by: cell(3),
        }
    });
    let rows: Vec<Row> = rows.collect();
    for row in &rows {
        let allowed = ["", "reject", row.destination.as_str()];
        assert!(
            allowed.contains(&row.left_by.as_str()),
            "{} left by {}",
            row.label,
            row.left_by
        );
    }
    rows
}

#[test]
fn sigterm_ends_a_run_in_good_order() {
    let dir = Dir::new();
    let plant = Plant::start(&dir);
    let mut engine = Engine::start(&dir, "run");
    engine.sorts(2);
    assert_ne!(plant.status(2), 0, "the engine is granted");
    assert_eq!(engine.running.terminate(), Some(0));
    assert_eq!(plant.status(2), 0, "the grant was given back");

    let replayed = verified(&dir, "journal");
    let runs = replayed["runs"].as_array().expect("a list of runs");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["end"]["how"], "closed");
    assert_balance(&runs[0]);
    assert!(count(&runs[0], "sorted") >= 2 && count(&runs[0], "lost") == 0);

    assert_eq!(plant.running.terminate(), Some(0));
    let left = ledger(&dir, "ledger.csv");
    let left = left.iter().filter(|row| !row.left_by.is_empty()).count() as u64;
    assert!(left >= count(&runs[0], "sorted") + rejected(&runs[0]));
}

#[test]
fn a_killed_engine_comes_back_and_takes_up_what_is_on_the_belt() {
    let dir = Dir::new();
    let plant = Plant::start(&dir);
    let mut first = Engine::start(&dir, "run");
    let before = first.until("parcels are sorted while others are on the way", |view| {
        count(&view["books"], "sorted") >= 2 && read_codes(view).len() >= 4
    });
    let riding = read_codes(&before);
    let epoch = plant.status(2);
    first.running.kill();

    let mut second = Engine::start(&dir, "run-again");
    let start = second.until("the PLC obeys the second run", |view| {
        view["tracks"][0]["linked"] == true && count(&view["books"], "inducted") > 0
    });
    assert_eq!(plant.status(2), epoch + 1, "a newer epoch was granted");
    // A code that was not read again is not on the view: two laps bring all before a scanner.
    second.until("what was on the belt has left", |view| {
        let gone = read_codes(view).is_disjoint(&riding);
        gone && belt_mm(view) - belt_mm(&start) > TWO_LAPS_MM
    });
    assert_eq!(second.running.terminate(), Some(0));
    assert_eq!(plant.running.terminate(), Some(0));

    let rows = ledger(&dir, "ledger.csv");
    for label in &riding {
        let row = rows.iter().find(|row| row.label == *label);
        let left_by = &row.expect("what was read had got on").left_by;
        assert!(!left_by.is_empty(), "{label} is still on its way");
    }
    let replayed = verified(&dir, "journal");
    let runs = replayed["runs"].as_array().expect("a list of runs");
    let [killed, closed] = &runs[..] else {
        panic!("two runs: {replayed}")
    };
    assert_ne!(killed["end"]["how"], "closed");
    assert_eq!(closed["end"]["how"], "closed");
    for run in [killed, closed] {
        assert_balance(run);
        assert_eq!(count(run, "lost"), 0);
    }
    // Whoever got on ended in the first run, or left unheard between the two, or is in the second
    // run's book. What left unheard is told afterwards, for an item that is not known.
    let second = calls(&dir.file("journal"), 2);
    let known: BTreeSet<_> = outputs(&second, known_item);
    let left: BTreeSet<_> = second
        .iter()
        .filter_map(|call| left_item(&call.signal))
        .collect();
    let ended = count(killed, "sorted") + rejected(killed);
    let booked = ended + count(closed, "inducted");
    let unheard = left.difference(&known).count() as u64;
    let got_on = rows.len() as u64;
    assert!(
        booked <= got_on && got_on <= booked + unheard,
        "{got_on} got on, {booked} are booked, {unheard} unheard"
    );
    let listed = second.iter().filter(|call| is_inventory(&call.signal));
    assert!(listed.count() > 0, "the PLC's inventory was told");
}

/// A person who works on a track trusts that nobody is let onto it, whatever happens to the engine.
#[test]
fn what_people_have_said_stands_when_a_killed_engine_comes_back() {
    let dir = Dir::new();
    let plant = Plant::start(&dir);
    let mut first = Engine::start(&dir, "run");
    first.sorts(1);
    let next = dir.arg("plan-2.toml");
    let text = fs::read_to_string(dir.file("hub.toml")).expect("it was written");
    let text = text.replace("[plan]\n", "[plan]\nversion = 2\n");
    fs::write(&next, text.replace("laps_max = 2", "laps_max = 3")).expect("it can be kept");
    for words in [
        &["plan", "stage", &next][..],
        &["plan", "activate", "2"],
        &["chute", "A03", "disable"],
        &["hold", "HELD-00000001"],
        &["track", "loop", "mode", "maintenance"],
    ] {
        let said = first.ctl(words);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    first.running.kill();

    let mut second = Engine::start(&dir, "run-again");
    let told = second.running.err();
    assert!(told.contains("3 words of people"), "{told}");
    assert!(told.contains("plan 2 goes on"), "{told}");
    let status = second.ctl(&["status", "--json"]).json();
    assert_eq!(count(&status, "plan_version"), 2);
    // What was named keeps its name.
    let stands = second.ctl(&["waybills"]);
    assert!(stands.out.contains("HELD-00000001"), "{stands:?}");
    second.until(
        "the PLC obeys the second run, and nobody is let in",
        |view| {
            let hold = view["inductions"][0]["hold"].as_str();
            view["tracks"][0]["linked"] == true
                && hold.is_some_and(|hold| hold.contains("in maintenance"))
        },
    );
    assert_eq!(second.running.terminate(), Some(0));
    assert_eq!(plant.running.terminate(), Some(0));

    let replayed = verified(&dir, "journal");
    assert_balance(&replayed["runs"][1]);
    let calls = calls(&dir.file("journal"), 2);
    let words = calls.iter().map(|call| &call.signal);
    let words: Vec<_> = words
        .take_while(|signal| matches!(signal, Signal::Command { .. }))
        .collect();
    assert_eq!(words.len(), 3, "before anything else: {words:?}");
    let is_let_in = |output: &Output| matches!(output, Output::Pace { to: Pace::Run, .. });
    let mut outputs = calls.iter().flat_map(|call| &call.outputs);
    assert!(!outputs.any(is_let_in), "somebody was let in");
}

#[test]
fn a_start_that_fails_or_has_a_changed_hub_forgets_nothing() {
    let dir = Dir::new();
    let plant = Plant::start(&dir);
    let mut first = Engine::start(&dir, "run");
    for words in [
        &["chute", "A03", "disable"][..],
        &["hold", "HELD-00000001"],
        &["track", "loop", "mode", "maintenance"],
    ] {
        let said = first.ctl(words);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    first.running.kill();

    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let taken = taken.local_addr().expect("it is bound").to_string();
    let (hub, journal) = (dir.arg("hub.toml"), dir.arg("journal"));
    let args = ["run", "--config", &hub, "--journal", &journal];
    let args = [&args[..], &["--listen", &taken]].concat();
    let mut failed = Running::start(&dir, "run-failed", &args);
    assert_eq!(failed.end(), Some(2), "{}", failed.err());

    let change = |from: &str, to: &str| {
        let text = fs::read_to_string(&hub).expect("it was written");
        assert!(text.contains(from), "{text}");
        fs::write(&hub, text.replace(from, to)).expect("it can be kept");
    };
    change("wait_mm = 800", "wait_mm = 900");
    let mut second = Engine::start(&dir, "run-changed");
    let told = second.running.err();
    assert!(told.contains("has changed since run 1"), "{told}");
    assert!(told.contains("3 words of people"), "{told}");
    assert!(second.ctl(&["waybills"]).out.contains("HELD-00000001"));
    let closed = second.ctl(&["chutes", "--closed"]).out;
    assert!(closed.contains("A03"), "{closed}");
    assert_eq!(second.running.terminate(), Some(0));

    change("name = \"A{n:2}\"", "name = \"C{n:2}\"");
    let third = Engine::start(&dir, "run-without");
    let told = third.running.err();
    assert!(told.contains("2 words of people"), "{told}");
    let lost = told.lines().find(|line| line.contains("any more"));
    assert!(lost.is_some_and(|line| line.contains("A03")), "{told}");
    assert_eq!(third.running.terminate(), Some(0));
    assert_eq!(plant.running.terminate(), Some(0));
}

/// A PLC does not obey a run that is older than the one that it has obeyed last.
#[test]
fn a_lost_journal_is_told_and_gone_round() {
    let dir = Dir::new();
    let plant = Plant::start(&dir);
    for name in ["run", "run-again"] {
        let mut engine = Engine::start(&dir, name);
        engine.until("the PLC obeys it", |view| {
            view["tracks"][0]["linked"] == true
        });
        assert_eq!(engine.running.terminate(), Some(0));
    }
    fs::remove_dir_all(dir.file("journal")).expect("it was written");
    let mut third = Engine::start(&dir, "run-without");
    let told = "has obeyed a later run than this one";
    program::wait_for("an alarm", || {
        let alarms = third.ctl(&["alarms", "list"]);
        alarms.out.contains(told).then_some(())
    });
    assert_eq!(third.running.terminate(), Some(0));

    let mut fourth = Engine::start_with(&dir, "run-after", &["--after-run", "2"]);
    fourth.until("the PLC obeys it", |view| {
        view["tracks"][0]["linked"] == true
    });
    assert_eq!(fourth.running.terminate(), Some(0));
    assert_eq!(plant.running.terminate(), Some(0));
    let replayed = verified(&dir, "journal");
    let runs = replayed["runs"].as_array().expect("a list").iter();
    assert_eq!(Vec::from_iter(runs.map(|run| count(run, "run"))), [1, 3]);
}

fn outputs<T: Ord>(calls: &[program::Call], of: impl Fn(&Output) -> Option<T>) -> BTreeSet<T> {
    let outputs = calls.iter().flat_map(|call| &call.outputs);
    outputs.filter_map(of).collect()
}

fn known_item(output: &Output) -> Option<u32> {
    match output {
        Output::Known { item, .. } => Some(item.0),
        _ => None,
    }
}

fn left_item(signal: &Signal) -> Option<u32> {
    match signal {
        Signal::Discharged { item, .. } => Some(item.0),
        _ => None,
    }
}

fn is_inventory(signal: &Signal) -> bool {
    matches!(signal, Signal::Inventory { .. })
}

#[test]
fn an_engine_goes_on_when_the_plant_was_killed_and_started_anew() {
    let dir = Dir::new();
    let plant = Plant::start(&dir);
    let mut engine = Engine::start(&dir, "run");
    engine.sorts(2);
    let boot = plant.status(1);
    plant.running.kill();
    let again = Plant::again(&dir);
    assert_ne!(again.status(1), boot, "another life has another boot id");
    let back = engine.until("the link to the new PLC is up", |view| {
        view["tracks"][0]["linked"] == true
    });
    engine.sorts(count(&back["books"], "sorted") + 5);
    assert_eq!(engine.running.terminate(), Some(0));
    assert_eq!(again.running.terminate(), Some(0));

    let rows = ledger(&dir, "ledger-again.csv");
    let arrived = rows.iter().filter(|row| row.left_by == row.destination);
    assert!(arrived.count() >= 5);
    let replayed = verified(&dir, "journal");
    assert_balance(&replayed["runs"][0]);
    assert_eq!(replayed["runs"][0]["end"]["how"], "closed");
}
