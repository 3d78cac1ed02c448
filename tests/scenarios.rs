//! Scenario files through the program: checked, simulated, and done to a running engine.

mod common;
mod program;

use std::fs;

use program::{Dir, Running, assert_balance, count, json};
use serde_json::Value;

const MORNING: &str = "config/scenarios/demo-morning.toml";

fn simulated(dir: &Dir, name: &str, more: &[&str]) -> Value {
    let args = ["simulate", "config/demo.toml", "--horizon", "1h", "--json"];
    let said = json(dir, name, &[&args[..], more].concat());
    said["replications"][0].clone()
}

#[test]
fn the_ready_scenario_is_sound_and_all_of_it_is_done() {
    let dir = Dir::new();
    let checked = json(&dir, "check", &["check", MORNING, "--json"]);
    assert_eq!(checked["files"][0]["kind"], "scenario", "{checked}");
    assert_eq!(checked["ok"], true, "{checked}");
    let run = simulated(&dir, "with", &["--scenario", MORNING]);
    assert_balance(&run);
    let actions = run["actions"].as_array().expect("a list of actions");
    assert_eq!(actions.len(), 7);
    for action in actions {
        assert_eq!(
            (count(action, "done"), &action["refused"]),
            (1, &Value::Null),
            "{action}"
        );
    }
    let without = simulated(&dir, "without", &[]);
    assert_eq!(without["actions"], Value::Null);
    assert_ne!(run["output_hash"], without["output_hash"]);
    let again = simulated(&dir, "again", &["--scenario", MORNING]);
    assert_eq!(run["output_hash"], again["output_hash"]);
    // Parcels waited for the second induction to let them in again.
    let wait_s = |run: &Value| run["induction_wait_s"].as_f64().expect("a mean wait");
    assert!(
        wait_s(&run) > 2.0 * wait_s(&without),
        "{} {}",
        wait_s(&run),
        wait_s(&without)
    );
}

#[test]
fn a_scenario_needs_a_hub_and_no_slip() {
    let dir = Dir::new();
    let path = dir.arg("alone.toml");
    let step = "[[at]]\ntime = \"00:01:00\"\ndo = \"chute A03 lock\"\n";
    fs::write(&path, step).expect("the test's folder takes files");
    let mut alone = Running::start(&dir, "alone", &["check", &path]);
    assert_eq!(alone.end(), Some(2));
    assert!(
        alone.err().contains("no hub to look names up in"),
        "{}",
        alone.err()
    );
    let beside = ["check", &path, "config/demo.toml", "--json"];
    assert_eq!(json(&dir, "beside", &beside)["ok"], true);

    fs::write(&path, step.replace("A03", "A3")).expect("the test's folder takes files");
    for (name, args) in [
        (
            "simulate",
            vec!["simulate", "config/demo.toml", "--scenario", &path],
        ),
        (
            "demo",
            vec!["demo", "--listen", "127.0.0.1:0", "--scenario", &path],
        ),
    ] {
        let mut refused = Running::start(&dir, name, &args);
        assert_eq!(refused.end(), Some(2), "{name}");
        let told = refused.err();
        assert!(
            told.contains("alone.toml:3:6: there is no chute `A3`"),
            "{told}"
        );
        assert!(told.contains("did you mean `A03`?"), "{told}");
    }
}

#[test]
fn a_demonstration_follows_a_scenario_as_people_would() {
    let dir = Dir::new();
    let path = dir.arg("short.toml");
    let text = "
[[at]]
time = \"2s\"
do = \"induction in-2 stop\"

[[at]]
time = \"4s\"
do = \"induction in-2 run\"
";
    fs::write(&path, text).expect("the test's folder takes files");
    let journal = dir.arg("journal");
    let args = [
        "demo",
        "--duration",
        "6s",
        "--listen",
        "127.0.0.1:0",
        "--json",
    ];
    let more = ["--scenario", &path, "--journal", &journal];
    let report = json(&dir, "demo", &[&args[..], &more].concat());
    program::assert_good(&report);
    let actions = report["actions"].as_array().expect("a list of actions");
    let told: Vec<&Value> = actions
        .iter()
        .map(|action| &action["answer"]["done"])
        .collect();
    assert_eq!(told, [&Value::from(1), &Value::from(1)], "{report}");
    program::verified(&dir, "journal");
}
