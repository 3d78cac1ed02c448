//! Waves by the clock: which are open when a run begins, live and simulated, and how long people
//! can extend one.

mod common;
mod operated;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use operated::{Operated, socket_of};
use program::{Dir, Running, count, json, verified};
use serde_json::{Value, json};

/// Its waves are `early`, until 09:30, and `late`, until 21:30; Shanghai goes to A01, then A02.
const HUB: &str = "docs/day/hub.toml";

/// A time zone in which it is this hour now.
fn zone_of_hour(hour: i64) -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let utc = (since.as_secs() / 3_600 % 24) as i64;
    // POSIX counts west of Greenwich.
    format!("DAY{}", utc - hour)
}

/// A demonstration that begins in this hour of the local day.
fn demo_at_hour(dir: &Dir, hour: i64) -> Operated {
    let journal = dir.arg("journal");
    let args = ["demo", "--config", HUB, "--duration", "600s", "--json"];
    let more = ["--listen", "127.0.0.1:0", "--journal", &journal];
    let env = BTreeMap::from([("TZ".to_owned(), zone_of_hour(hour))]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut program = Running::start_in(dir, "demo", &[&args[..], &more].concat(), root, &env);
    let socket = socket_of(&mut program);
    Operated { program, socket }
}

/// Each wave with its state, its next cut-off, and when it opens again.
fn waves(engine: &Operated) -> Vec<[Value; 4]> {
    let said = engine.done("wave list");
    let rows = said["waves"].as_array().expect("a list of waves");
    let row = |row: &Value| ["wave", "state", "cut_off", "opens"].map(|key| row[key].clone());
    rows.iter().map(row).collect()
}

#[test]
fn a_run_that_begins_in_the_afternoon_does_not_load_the_truck_that_has_left() {
    let dir = Dir::new();
    let engine = demo_at_hour(&dir, 14);
    let late = [json!("late"), json!("open"), json!("21:30"), json!(null)];
    let early = ["early", "closed", "09:30", "22:30"].map(|text| json!(text));
    // Whoever asks first finds it so.
    assert_eq!(waves(&engine), [early.clone(), late.clone()]);
    let shanghai = engine.wait_until("a parcel for Shanghai is sorted", "chutes", |all| {
        dropped(all, "A02") > 0
    });
    assert_eq!(dropped(&shanghai, "A01"), 0, "{shanghai}");

    // Under another plan it stays over, and comes back for a truck that is late.
    engine.done("plan stage docs/day/afternoon.toml");
    engine.done("plan activate 2");
    assert_eq!(waves(&engine), [early, late.clone()]);
    let said = engine.done("wave extend early 00:15");
    assert_eq!(said["cut_off"], "00:15 tomorrow");
    let early = [json!("early"), json!("open"), json!("00:15"), json!(null)];
    assert_eq!(waves(&engine), [early.clone(), late.clone()]);
    let (code, said) = engine.not_done("wave extend late 04:30");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("04:30 has passed"), "{said}");
    assert!(said.contains(" tomorrow"), "{said}");
    // An extension outlives the plan under which it was made.
    engine.done("plan rollback");
    assert_eq!(waves(&engine), [early, late]);
    assert_eq!(engine.program.terminate(), Some(0));
    verified(&dir, "journal");
}

/// Parcels that have dropped into a chute.
fn dropped(chutes: &Value, name: &str) -> u64 {
    let all = chutes["chutes"].as_array().expect("a list of chutes");
    let chute = all.iter().find(|chute| chute["chute"] == name);
    count(chute.expect("a chute of the hub"), "dropped")
}

/// A simulated run that starts at a time of day.
fn simulated(dir: &Dir, starts: &str, horizon: &str) -> Value {
    let path = dir.arg("scenario.toml");
    let step = "[[at]]\ntime = \"1s\"\ndo = \"induction in-1 run\"\n";
    fs::write(&path, format!("starts = \"{starts}\"\n{step}")).expect("a file is written");
    let args = ["simulate", HUB, "--horizon", horizon, "--json"];
    let said = json(dir, "run", &[&args[..], &["--scenario", &path]].concat());
    said["replications"][0].clone()
}

/// What was done in a simulated run, by the second, but for the step itself.
fn actions(run: &Value) -> Vec<(u64, String)> {
    let all = run["actions"].as_array().expect("a list of actions");
    let told = all.iter().map(|action| {
        assert_eq!(count(action, "done"), 1, "{action}");
        let second = action["at"].as_f64().expect("a time") as u64;
        let words = action["action"].as_str().expect("words").to_owned();
        (second, words)
    });
    told.filter(|(_, words)| words.starts_with("wave"))
        .collect()
}

/// Parcels that were sorted into a chute.
fn sorted(run: &Value, name: &str) -> u64 {
    let all = run["chutes"].as_array().expect("a list of chutes");
    let chute = all.iter().find(|chute| chute["name"] == name);
    count(chute.expect("a chute of the hub"), "sorted")
}

#[test]
fn a_simulated_day_begins_with_the_waves_of_its_hour() {
    let dir = Dir::new();
    let morning = simulated(&dir, "06:00", "30m");
    assert_eq!(actions(&morning), []);
    let (early, late) = (sorted(&morning, "A01"), sorted(&morning, "A02"));
    assert!(early > 0 && late == 0, "{early} early, {late} late");

    let afternoon = simulated(&dir, "14:46", "30m");
    let at_once = (0, "wave close early (its cut-off)".to_owned());
    assert_eq!(actions(&afternoon), [at_once]);
    let (early, late) = (sorted(&afternoon, "A01"), sorted(&afternoon, "A02"));
    assert!(early == 0 && late > 0, "{early} early, {late} late");
}

#[test]
fn the_waves_of_the_next_day_open_an_hour_after_the_last_of_this_one() {
    let dir = Dir::new();
    let told = |second: u64, words: &str| (second, words.to_owned());
    let evening = simulated(&dir, "21:00", "2h");
    assert_eq!(
        actions(&evening),
        [
            told(0, "wave close early (its cut-off)"),
            told(1_800, "wave close late (its cut-off)"),
            told(5_400, "wave open early (its next day)"),
            told(5_400, "wave open late (its next day)"),
        ]
    );
    assert_eq!(actions(&simulated(&dir, "22:30", "1m")), []);
}
