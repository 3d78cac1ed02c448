//! The recorded trace, by the rules of the model that came with it.
//!
//! The data lie outside the project; without them the test says so and passes, except where
//! `CI=true` demands them.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::Model;
use sorthub_core::hub::{Capacity, MeetsBy, Sensing, TrackKind};
use sorthub_core::ids::{ChuteId, DestId, TrackId};
use sorthub_core::plan::{DestinationSpec, RoomPolicy};
use sorthub_core::signal::{Output, Signal};
use sorthub_core::units::{Grams, Micros, Mm};
use sorthub_sim::plant::{Row, Way};
use sorthub_sim::run::{RunError, World};
use sorthub_sim::spec::{Service, TraceParcel};

const GAP_MM: u32 = 300;
const ROUNDS_MAX: u32 = 3;

#[expect(
    clippy::disallowed_methods,
    reason = "where the data lie and who runs the test"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn trace_folder() -> Option<PathBuf> {
    let folder = match environment("SORTHUB_TRACE_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    if folder.join("posisorter-1.csv").exists() {
        return Some(folder);
    }
    let is_ci = environment("CI").is_some_and(|ci| ci == "true");
    assert!(
        !is_ci,
        "no recorded trace in {}; set SORTHUB_TRACE_DIR",
        folder.display()
    );
    None
}

/// A number with decimals in thousandths.
fn thousandths(text: &str) -> u32 {
    let number: f64 = text.trim().parse().expect("a number");
    (number * 1_000.0).round() as u32
}

/// The line of the layout, with a chute for each outfeed and a reject chute a metre behind the
/// last.
fn model(folder: &std::path::Path) -> Model {
    let layout =
        std::fs::read_to_string(folder.join("posisorter-1.layout.csv")).expect("the trace");
    let rows = layout
        .lines()
        .skip(1)
        .map(|row| row.split(',').collect::<Vec<_>>());
    let mm: BTreeMap<String, u32> = rows
        .map(|row| (row[0].to_lowercase(), thousandths(row[1])))
        .collect();
    let lengths: Vec<u32> = (1..)
        .map_while(|n| mm.get(&format!("length outfeed {n}")))
        .copied()
        .collect();
    let scanner = mm["distance infeeds to scanner"];
    let first = scanner + mm["distance scanner to outfeeds"];
    let last = first + mm["distance between outfeeds"] * (lengths.len() as u32 - 1);
    let end = last + 1_000;

    let mut model = Model::empty(ROUNDS_MAX as u8);
    let returns = Some(Mm(mm["distance outfeeds to infeeds"] - 1_000));
    let kind = TrackKind::Line {
        length: Mm(end),
        windows: 200,
        returns,
    };
    let track = model.add_track(kind, mm["belt speed"], 250);
    model.plant.tracks[0].gap = Mm(GAP_MM);
    model.add_induction(track, 0, 0, Micros(0));
    model.add_scanner(track, scanner, MeetsBy::Trigger, 1_000_000);
    for (nth, length) in lengths.iter().enumerate() {
        let at = first + mm["distance between outfeeds"] * nth as u32;
        let capacity = Capacity::Length(Mm(*length));
        let chute = model.add_chute(track, at, 400, capacity, Service::BySize);
        model.hub.chutes[chute.index()].sensing = Sensing::Counted;
        model.plant.chutes[chute.index()].counts_taken = true;
    }
    let reject = model.add_chute(track, end, 400, Capacity::Unlimited, Service::Instant);
    model.plan.reject = vec![reject];
    model.plan.room = RoomPolicy::Reserve;
    add_parcels(folder, &mut model);
    model
}

/// A destination for each set of feasible chutes. Some lengths stand in mm in a column of metres.
fn add_parcels(folder: &std::path::Path, model: &mut Model) {
    let parcels = std::fs::read_to_string(folder.join("posisorter-1.csv")).expect("the trace");
    let mut sets: BTreeMap<String, u32> = BTreeMap::new();
    model.plan.destinations.clear();
    for row in parcels.lines().skip(1) {
        let row: Vec<&str> = row.split(',').collect();
        let size = [row[2], row[3], row[4]].map(|side| {
            let side = thousandths(side);
            Mm(if side > 10_000 { side / 1_000 } else { side })
        });
        let next = sets.len() as u32;
        let dest = (!row[6].trim().is_empty()).then(|| {
            *sets.entry(row[6].to_owned()).or_insert_with(|| {
                let chutes = row[6]
                    .split('|')
                    .map(|n| ChuteId(n.trim().parse::<u16>().expect("a number") - 1));
                let (name, chutes) = (row[6].to_owned(), chutes.collect());
                model.plan.destinations.push(DestinationSpec {
                    name,
                    chutes,
                    ..DestinationSpec::default()
                });
                next
            })
        });
        model.plant.trace.push(TraceParcel {
            label: format!("T{}", row[0]),
            arrival: Micros(u64::from(thousandths(row[1])) * 1_000),
            size,
            mass: Grams(thousandths(row[5]) / 1_000),
            track: TrackId(0),
            dest: dest.map(DestId),
        });
    }
}

/// Everything that is to be checked, as it happened.
#[derive(Default)]
struct Seen {
    /// Travel in mm and length of each parcel that got on, in order.
    inducted: Vec<(i64, u32)>,
    scans: usize,
}

#[test]
fn the_rules_of_the_model_are_kept() {
    let Some(folder) = trace_folder() else {
        // Straight to standard error, so that it is seen although the test passes.
        let line = "sorthub-test-skipped: the_rules_of_the_model_are_kept: no recorded trace\n";
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
        return;
    };
    let model = model(&folder);
    let mut job = model.job();
    job.keeps_ledger = true;
    let mut world = World::new(&job, 1).unwrap();
    let mut seen = Seen::default();
    let mut observer = |_: Micros, signal: &Signal, _: &[Output]| match *signal {
        Signal::Inducted { at, length, .. } => seen.inducted.push((at.0, length.0)),
        Signal::Scanned { .. } => seen.scans += 1,
        _ => {}
    };
    world.run(None, &mut observer).unwrap();

    let rows: Vec<Row> = world.plant().ledger().to_vec();
    assert_eq!(rows.len(), model.plant.trace.len());
    for pair in seen.inducted.windows(2) {
        let room = pair[1].0 - pair[0].0;
        // Encoders tell whole millimetres, so that a gap can look one short.
        assert!(
            room + 1 >= i64::from(pair[0].1 + GAP_MM),
            "too near: {pair:?}"
        );
    }
    let rounds: u32 = rows.iter().map(|row| row.laps).sum();
    assert_eq!(seen.inducted.len(), rows.len() + rounds as usize);
    assert_eq!(
        seen.scans,
        seen.inducted.len(),
        "the scanner decides at every pass"
    );
    check_exits(&model, &rows);
    check_chutes(&model, &rows);
    let outcome = world
        .finish()
        .unwrap_or_else(|error: RunError| panic!("{error}"));
    assert_eq!(
        (outcome.on_sorter, outcome.lost, outcome.missorted),
        (0, 0, 0)
    );
    assert_eq!(outcome.arrived, rows.len() as u64);
    assert!(
        outcome.recirculated > 0,
        "nothing went round: the trace is too easy to tell"
    );
}

/// Each leaves by one of its own chutes, or by reject: at once if it has none, and else after as
/// many rounds as are allowed.
fn check_exits(model: &Model, rows: &[Row]) {
    let reject = model.plan.reject[0];
    for row in rows {
        let Some((Way::Chute(chute), _)) = row.exit else {
            panic!("{row:?} is still there")
        };
        assert!(row.laps <= ROUNDS_MAX);
        match row.dest {
            None => assert_eq!((chute, row.laps), (reject, 0)),
            Some(_) if chute == reject => assert_eq!(row.laps, ROUNDS_MAX),
            Some(dest) => {
                assert!(
                    model.plan.destinations[dest.index()]
                        .chutes
                        .contains(&chute)
                );
            }
        }
    }
}

/// Works each chute's worker out anew from when parcels dropped in: what lies in it, end to end,
/// never exceeds its length.
fn check_chutes(model: &Model, rows: &[Row]) {
    for (index, spec) in model.hub.chutes.iter().enumerate() {
        let Capacity::Length(length) = spec.capacity else {
            continue;
        };
        let mut drops: Vec<(Micros, &TraceParcel)> = Vec::new();
        for row in rows {
            match row.exit {
                Some((Way::Chute(chute), at)) if chute.index() == index => {
                    drops.push((at, &model.plant.trace[row.number as usize - 1]));
                }
                _ => {}
            }
        }
        drops.sort_by_key(|(at, _)| *at);
        assert!(!drops.is_empty(), "nothing was sorted into {}", spec.name);
        let mut inside: Vec<(u64, u32)> = Vec::new();
        let mut free_at = 0;
        for (at, parcel) in drops {
            inside.retain(|(until, _)| *until > at.0);
            let used: u32 = inside.iter().map(|(_, length)| length).sum();
            assert!(
                used + parcel.size[0].0 <= length.0,
                "{} overflows at {at:?}",
                spec.name
            );
            let [x, y, z] = parcel.size.map(|side| f64::from(side.0) / 1_000.0);
            let volume = x * y * z;
            let by_volume = u64::from(volume >= 0.035) + u64::from(volume >= 0.055);
            let by_mass = u64::from(parcel.mass.0 >= 1_700) + u64::from(parcel.mass.0 >= 2_800);
            free_at = free_at.max(at.0) + 4_500_000 + (by_volume + by_mass) * 1_000_000;
            inside.push((free_at, parcel.size[0].0));
        }
    }
}
