//! A hub of two sorters, each on a thread of its own, joined by transfers, over real sockets.

mod common;
mod program;

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
