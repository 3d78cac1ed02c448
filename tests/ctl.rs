//! `sorthub ctl` and the local socket under it, against a real engine.

mod common;
mod operated;
mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;

use operated::{Operated, ctl, socket_of};
use program::{Dir, Running, count, wait_for};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use sorthub::control::CLIENTS_MAX;
use sorthub::journal::Reader;
use sorthub::journal::block::Item;

/// A demonstration that goes on until it is asked to end.
fn long_demo(dir: &Dir) -> Operated {
    Operated::demo(dir, &["--duration", "600s"])
}

#[test]
fn people_see_how_the_hub_is() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    let status = engine.wait_until("parcels sorted", "status", |status| {
        count(&status["books"], "sorted") > 0
    });
    assert_eq!(status["hub"], "demo");
    assert_eq!(count(&status, "plan_version"), 1);
    assert_eq!(status["books"]["balance"], true);
    assert_eq!(status["tracks"][0]["linked"], true);
    let chutes = engine.done("chutes");
    let chutes = chutes["chutes"].as_array().expect("a list");
    assert_eq!(chutes.len(), 15);
    assert_eq!(chutes[2]["chute"], "A03");
    assert_eq!(engine.done("plan list")["plans"][0]["state"], "active");
    assert_eq!(engine.done("wave list")["waves"], Value::Array(vec![]));
    assert!(engine.done("alarms list")["alarms"].is_array());
    let text = engine.ctl(&["status"]);
    assert_eq!(text.code, Some(0));
    assert!(
        text.out.starts_with("demo: plan 1, running "),
        "{}",
        text.out
    );
    assert!(
        engine.ctl(&["chutes"]).out.contains("\nA03     open "),
        "{text:?}"
    );
}

#[test]
fn a_slip_is_told_with_its_mend_and_ends_with_2() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    for (words, wanted) in [
        ("chute A3 lock", "did you mean `A03`?"),
        ("chute A03 lok", "similar value exists: 'lock'"),
        ("plan activate x", "invalid value 'x'"),
        (
            "plan stage no-such-file.toml",
            "no-such-file.toml has 1 fault",
        ),
        ("carrier 60 disable", "its carriers are 0 to 59"),
    ] {
        let (code, said) = engine.not_done(words);
        assert_eq!(code, 2, "{words}: {said}");
        assert!(said.contains(wanted), "{words}: {said}");
    }
    let (code, said) = engine.not_done("plan activate 7");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("no plan 7 is at hand"), "{said}");
    let problem = engine.ctl(&["--json", "chute", "A3", "lock"]);
    assert_eq!(problem.json()["problem"]["status"], 422);

    let nowhere = dir.arg("nowhere.sock");
    let nobody = ctl(&["--socket", &nowhere, "status"]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    assert!(nobody.err.contains("no engine answers at"), "{nobody:?}");
}

#[test]
fn the_socket_is_its_owners_and_one_engines() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    let mode = fs::metadata(&engine.socket)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(engine.socket, dir.file("journal").join("control.sock"));

    let socket = engine.socket.to_str().expect("UTF-8");
    let args = ["demo", "--listen", "127.0.0.1:0", "--control", socket];
    let mut second = Running::start(&dir, "second", &args);
    assert_eq!(second.end(), Some(2));
    assert!(
        second.err().contains("another engine listens here"),
        "{}",
        second.err()
    );
    // The first goes on.
    engine.done("status");

    let Operated { program, socket } = engine;
    program.terminate();
    assert!(!socket.exists(), "it is removed at the end");
}

#[test]
fn a_socket_left_behind_is_replaced_and_a_file_is_not() {
    let dir = Dir::new();
    let path = dir.file("control.sock");
    drop(UnixListener::bind(&path).expect("a path for a socket"));
    assert!(path.exists(), "a dead engine leaves it");
    let control = dir.arg("control.sock");
    let args = ["demo", "--listen", "127.0.0.1:0", "--duration", "600s"];
    let args = [&args[..], &["--control", &control]].concat();
    let mut program = Running::start(&dir, "first", &args);
    assert_eq!(socket_of(&mut program), path);
    program.kill();
    assert!(path.exists(), "nobody could remove it");
    let mut program = Running::start(&dir, "second", &args);
    assert_eq!(socket_of(&mut program), path);
    assert_eq!(ctl(&["--socket", &control, "status"]).code, Some(0));
    program.kill();

    fs::remove_file(&path).expect("the socket is there");
    fs::write(&path, "notes").expect("a file in its place");
    let mut program = Running::start(&dir, "third", &args);
    assert_eq!(program.end(), Some(2));
    assert!(program.err().contains("no socket"), "{}", program.err());
    assert_eq!(fs::read_to_string(&path).expect("it stays"), "notes");
}

#[test]
fn each_line_has_its_answer_in_order_with_its_id() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    let mut line = engine.connect();
    line.send(
        b"{\"id\":1,\"do\":\"status\"}\n\n  \nnot json\n\
          {\"id\":\"x\",\"do\":\"plan\",\"to\":\"list\"}\n",
    );
    let first = line.next().expect("an answer");
    assert_eq!(
        (&first["id"], &first["ok"]),
        (&Value::from(1), &Value::from(true))
    );
    let second = line.next().expect("an answer");
    assert_eq!(
        (&second["id"], &second["problem"]["status"]),
        (&Value::Null, &Value::from(400))
    );
    let third = line.next().expect("an answer");
    assert_eq!(
        (&third["id"], &third["ok"]),
        (&Value::from("x"), &Value::from(true))
    );
    line.send(&vec![b'x'; 200_000]);
    let long = line.ask("");
    assert_eq!(long["problem"]["status"], 413, "{long}");
    // A last line need not have an end.
    line.send(b"{\"do\":\"status\",\"by\":7}");
    line.write
        .shutdown(std::net::Shutdown::Write)
        .expect("it is open");
    assert_eq!(line.next().expect("an answer")["problem"]["status"], 400);
    assert_eq!(line.next(), None);
}

#[test]
fn any_bytes_are_survived() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    let mut runner = TestRunner::new(Config::with_cases(60));
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        "[\\[{\":,}\\]a-z0-9 \\n]{0,200}".prop_map(String::into_bytes),
    ];
    let survived = runner.run(&piece, |mut bytes| {
        let mut line = engine.connect();
        bytes.push(b'\n');
        line.send(&bytes);
        line.send(b"{\"id\":\"last\",\"do\":\"status\"}\n");
        let blank = |line: &&[u8]| line.trim_ascii().is_empty();
        let lines = bytes
            .split(|byte| *byte == b'\n')
            .filter(|l| !blank(l))
            .count();
        for _ in 0..lines {
            let answer = line.next();
            prop_assert!(answer.is_some_and(|answer| answer["ok"].is_boolean()));
        }
        let last = line.next().expect("the engine lives");
        prop_assert_eq!(&last["id"], &Value::from("last"));
        prop_assert_eq!(&last["ok"], &Value::from(true));
        Ok(())
    });
    survived.expect("each line is answered");
}

#[test]
fn one_client_too_many_is_told_and_others_are_served() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    let mut lines: Vec<_> = (0..CLIENTS_MAX).map(|_| engine.connect()).collect();
    for line in &mut lines {
        assert_eq!(line.ask("{\"do\":\"status\"}")["ok"], true);
    }
    let mut one_more = engine.connect();
    let told = one_more.next().expect("it is told");
    assert_eq!(told["problem"]["status"], 429, "{told}");
    assert_eq!(one_more.next(), None);
    drop(lines.pop());
    wait_for("a place that is free again", || {
        (engine.ctl(&["status"]).code == Some(0)).then_some(())
    });
}

#[test]
fn commands_take_effect_and_why_says_so() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    engine.wait_until("parcels on the sorter", "status", |status| {
        count(&status["books"], "on_sorter") > 0
    });
    let why = |words: &str| {
        let told = engine.done(&format!("why {words}"));
        told["waits"][0]["why"].as_str().expect("a text").to_owned()
    };
    engine.done("induction in-2 stop");
    assert!(why("induction in-2").contains("a person has stopped it"));
    let status = engine.done("status");
    assert_eq!(status["inductions"][1]["pace"], "stands", "{status}");
    assert_eq!(status["inductions"][0]["pace"], "runs", "{status}");
    engine.done("induction in-2 run");
    engine.done("carrier 3 disable");
    assert!(why("carrier 3").contains("disabled by a person"));
    engine.done("carrier 3 enable");
    assert!(why("chute A03").starts_with("open"));
    engine.done("track loop drain");
    assert_eq!(engine.done("status")["tracks"][0]["step"], "draining");
    engine.done("track loop start");
    assert_eq!(engine.done("status")["tracks"][0]["step"], "started");
    let (code, said) = engine.not_done("why waybill nobody-1");
    assert!(code == 1 && said.contains("is not on the sorter"), "{said}");
    let (code, said) = engine.not_done("why chut A03");
    assert!(
        code == 2 && said.contains("did you mean `chute`?"),
        "{said}"
    );
}

#[test]
fn a_track_is_shown_with_mode_step_service_and_what_it_does_without() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    engine.wait_until("the link", "status", |status| {
        status["tracks"][0]["linked"] == true
    });
    let line = || {
        let text = engine.ctl(&["status"]).out;
        let line = text.lines().find(|line| line.starts_with("  loop: "));
        line.expect("the track has a line").to_owned()
    };
    assert!(line().starts_with("  loop: automatic, PLC linked, "));
    engine.done("track loop mode maintenance");
    assert!(line().starts_with("  loop: maintenance, stopped, PLC "));
    let track = engine.done("status")["tracks"][0].take();
    assert_eq!(
        (
            &track["mode"],
            &track["step"],
            &track["closed"],
            &track["lost"]
        ),
        (
            &"maintenance".into(),
            &"stopped".into(),
            &false.into(),
            &Value::Array(vec![])
        )
    );
    let refused = engine.ctl(&["--json", "track", "loop", "start"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(refused.json()["problem"]["code"], "in-maintenance");

    // What is done and has no effect yet says so.
    let said = engine.ctl(&["track", "loop", "mode", "automatic"]).out;
    assert_eq!(said, "done; nothing is let in before `track loop start`\n");
    engine.done("track loop close");
    assert!(line().starts_with("  loop: automatic, stopped, out of service, PLC "));
    let said = engine.ctl(&["track", "loop", "start"]).out;
    assert_eq!(said, "done; nothing is let in before `track loop open`\n");
    assert_eq!(engine.ctl(&["track", "loop", "open"]).out, "done\n");

    engine.done("chute reject disable");
    assert!(
        line().ends_with(", DEGRADED without reject-chutes"),
        "{}",
        line()
    );
    assert_eq!(
        engine.done("status")["tracks"][0]["lost"][0],
        "reject-chutes"
    );
    // And it is a critical alarm, above all that has been before.
    let is_first = |list: &Value| list["alarms"][0]["priority"] == "critical";
    let list = engine.wait_until("the alarm", "alarms list", is_first);
    let text = list["alarms"][0]["text"].as_str().expect("a text");
    assert_eq!(text, "reject, a reject chute, is closed: disabled");
}

#[test]
fn a_chute_tells_its_bag_and_what_it_refused() {
    let dir = Dir::new();
    let hub = ["--config", "docs/day/hub.toml", "--duration", "600s"];
    let engine = Operated::demo(&dir, &[&hub[..], &["--speed", "5"]].concat());
    let bag = || engine.done("chutes B01")["chutes"][0]["bag"].take();
    assert_eq!(
        (&bag()["kind"], &bag()["label"]),
        (&"bag".into(), &Value::Null)
    );
    engine.done("bag B01 bind BAG-0007");
    assert_eq!(bag()["label"], "BAG-0007");
    engine.wait_until("a parcel in the bag", "chutes B01", |told| {
        let bag = &told["chutes"][0]["bag"];
        count(bag, "pieces") > 0 && count(bag, "weight_g") > 0
    });
    engine.done("bag B01 change");
    engine.wait_until("the contents stand", "chutes B01", |told| {
        told["chutes"][0]["bag"]["stage"] == "frozen"
    });
    // The same number in two of its prints.
    engine.ctl(&["bag", "B01", "bind", "(00)3 7613032 110910342 0"]);
    let now = bag();
    assert_eq!(
        (&now["stage"], &now["next"]),
        (&"bound".into(), &"376130321109103420".into())
    );
    let text = engine.ctl(&["chutes", "B01"]).out;
    assert!(text.starts_with("B01: bag-change for "), "{text}");
    assert!(text.contains("\n  bag BAG-0007: "), "{text}");
    assert!(
        text.contains(", bound, next 376130321109103420\n"),
        "{text}"
    );
    let table = engine.ctl(&["chutes"]).out;
    assert!(table.contains("bag BAG-0007: "), "{table}");

    // Nanjing gets more than its chute can take.
    let a03 = engine.wait_until("a chute that was full", "chutes A03", |told| {
        count(&told["chutes"][0], "full_s") > 0
    });
    let row = &a03["chutes"][0];
    assert_eq!((&row["chute"], &row["failed"]), (&"A03".into(), &0.into()));
    assert!(row["refused"].is_object() && row["locked_s"] == 0, "{row}");
    let text = engine.ctl(&["chutes", "A03"]).out;
    assert!(text.contains(" s and locked for 0 s so far\n"), "{text}");
    let (code, said) = engine.not_done("chutes A3");
    assert!(code == 2 && said.contains("did you mean `A03`?"), "{said}");
}

#[test]
fn each_refusal_of_a_bag_change_names_the_step_that_is_wanted() {
    let dir = Dir::new();
    let hub = ["--config", "docs/day/hub.toml", "--duration", "600s"];
    let engine = Operated::demo(&dir, &hub);
    for (words, code) in [
        ("chute B01 cleared", None),
        ("bag hold change", Some("no-bag-there")),
        ("bag B01 keep", Some("no-bag-change")),
        ("bag B01 ready", Some("no-bag-change")),
        ("bag B01 change", None),
        ("bag B01 change", Some("bag-changing")),
        ("chute B01 unlock", Some("bag-changing")),
    ] {
        let args: Vec<&str> = words.split(' ').collect();
        let said = engine.ctl(&[&["--json"][..], &args].concat());
        assert_eq!(
            said.code,
            Some(i32::from(code.is_some())),
            "{words}: {said:?}"
        );
        assert_eq!(said.json()["problem"]["code"].as_str(), code, "{words}");
    }
}

#[test]
fn with_json_a_slip_of_the_grammar_is_an_object_too() {
    for args in [
        &["--json", "chute", "A03", "lok"][..],
        &["chute", "--json"],
        &["nonsense", "--json"],
    ] {
        let said = ctl(args);
        assert_eq!(said.code, Some(2), "{said:?}");
        let problem = &said.json()["problem"];
        assert_eq!(problem["status"], 400, "{problem}");
        assert!(problem["detail"].is_string() && problem["mend"].is_string());
    }
    let help = ctl(&["--help", "--json"]);
    assert_eq!(help.code, Some(0), "{help:?}");
    assert!(help.out.contains("Requests:"), "{help:?}");
}

#[test]
fn alarms_are_acknowledged_and_shelved() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    engine.done("carrier 3 disable");
    let listed = |state: &str| {
        let state = state.to_owned();
        move |list: &Value| {
            let rows = list["alarms"].as_array().expect("a list");
            rows.iter().any(|row| row["state"] == state.as_str())
        }
    };
    let list = engine.wait_until("the alarm", "alarms list", listed("stands"));
    let id = count(&list["alarms"][0], "id");
    engine.done(&format!("alarms ack {id} --as lin"));
    let list = engine.done("alarms list");
    assert!(listed("stands, seen")(&list), "{list}");
    assert_eq!(list["alarms"][0]["acknowledged_by"], "lin");
    engine.done(&format!("alarms shelve {id} 10"));
    assert!(listed("shelved")(&engine.done("alarms list")));
    let (code, said) = engine.not_done("alarms ack 999");
    assert!(code == 1 && said.contains("no alarm 999"), "{said}");
    let (code, said) = engine.not_done(&format!("alarms shelve {id} 1000"));
    assert!(code == 1 && said.contains("12 hours at most"), "{said}");
}

#[test]
fn a_plan_is_checked_and_kept_before_anything_changes() {
    let dir = Dir::new();
    let engine = long_demo(&dir);
    let demo = fs::read_to_string("config/demo.toml").expect("the ready hub");
    let write = |name: &str, text: &str| {
        fs::write(dir.file(name), text).expect("the test's folder takes files");
        dir.arg(name)
    };
    let with_plan = |lines: &str| demo.replace("[plan]\n", &format!("[plan]\n{lines}\n"));

    let faulty = write("faulty.toml", &with_plan("version = 2\nlaps_max = 2"));
    let (code, said) = engine.not_done(&format!("plan stage {faulty}"));
    assert_eq!(code, 2);
    assert!(
        said.contains("faulty.toml:"),
        "faults have their places: {said}"
    );
    let other = write(
        "other.toml",
        &demo.replace("carriers = 60", "carriers = 61"),
    );
    let (_, said) = engine.not_done(&format!("plan stage {other}"));
    assert!(said.contains("describes another hub"), "{said}");
    let same = with_plan("version = 1").replace("laps_max = 2", "laps_max = 3");
    let same = write("same.toml", &same);
    let (code, said) = engine.not_done(&format!("plan stage {same}"));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("give this one a version above 1"), "{said}");

    let next = write("next.toml", &with_plan("version = 2"));
    let staged = engine.done(&format!("plan stage {next} --as lin"));
    assert_eq!(
        (count(&staged, "version"), count(&staged, "active")),
        (2, 1)
    );
    // In the journal before it is said to be staged.
    let reader = Reader::open(&dir.file("journal")).expect("the journal is there");
    let kept = reader.plan(1, 2).expect("it is whole").expect("it is kept");
    assert!(kept.contains("\"version\":2"), "{kept}");
    let list = engine.done("plan list");
    assert_eq!(
        (&list["plans"][0]["state"], &list["plans"][1]["state"]),
        (&"staged".into(), &"active".into())
    );
    assert!(
        list["plans"][0]["by"]
            .as_str()
            .expect("a name")
            .starts_with("lin by the local socket")
    );
    assert_eq!(count(&engine.done("status"), "plan_version"), 1);
    let (_, said) = engine.not_done("plan rollback");
    assert!(said.contains("no plan was active before"), "{said}");
}

#[test]
fn who_asked_what_is_in_log_and_journal() {
    let dir = Dir::new();
    let engine = Operated::demo(&dir, &["--duration", "600s"]);
    let _ = engine.ctl(&["--as", "lin", "chute", "A03", "lock"]);
    let mut line = engine.connect();
    line.ask(r#"{"do":"chute","chute":"A03","to":"unlock","by":"wang\n\u0007"}"#);
    let log = engine.program.err();
    assert!(log.contains("lin by the local socket, user "), "{log}");
    engine.program.terminate();
    let reader = Reader::open(&dir.file("journal")).expect("the journal is there");
    let info = reader.run(1).expect("the run is there");
    let (mut notes, mut outputs) = (Vec::new(), Vec::new());
    let walked = reader.visit(&info, |block| {
        let mut items = block.items();
        while let Some(item) = items.next(&mut outputs)? {
            if let Item::Note { text, .. } = item {
                notes.push(text.to_owned());
            }
        }
        Ok(true)
    });
    walked.expect("the journal is whole");
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].starts_with("lin by the local socket, user "),
        "{notes:?}"
    );
    assert!(
        notes[0].ends_with(r#"{"chute":"A03","do":"chute","to":"lock"}"#),
        "{notes:?}"
    );
    assert!(
        notes[1].starts_with("wang by the local socket"),
        "{notes:?}"
    );
}
