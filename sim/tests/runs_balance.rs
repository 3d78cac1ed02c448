//! Whatever happens in a run, every parcel is accounted for, and the sorter's book tells the
//! truth.

mod common;

use common::{Model, lsrm, parcel, small_line, small_loop};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;
use sorthub_core::hub::{Capacity, MeetsBy, Sensing};
use sorthub_core::ids::{ChuteId, ScannerId, TrackId};
use sorthub_core::plan::{NoReadPolicy, RoomPolicy};
use sorthub_core::signal::{LinkState, Signal};
use sorthub_core::units::{Micros, Mm, MmPerS};
use sorthub_sim::plant::{BeltCommand, ChuteCommand};
use sorthub_sim::run::{Outcome, RunError, World, replicate, simulate};
use sorthub_sim::spec::Service;

fn hour() -> Micros {
    Micros::from_secs(3_600)
}

fn assert_balance(outcome: &Outcome) {
    let gone = outcome.waiting + outcome.turned_away;
    assert_eq!(outcome.arrived, outcome.inducted + gone);
    let rejected: u64 = outcome.rejected.values().sum();
    let ended = outcome.sorted + rejected + outcome.removed + outcome.lost;
    assert_eq!(outcome.inducted, ended + outcome.on_sorter);
    let by_chute: u64 = outcome.chutes.iter().map(|chute| chute.sorted).sum();
    assert_eq!(outcome.sorted, by_chute);
}

/// A busy small loop: two destinations, slow workers, bad labels, a telegram that takes its time.
fn busy_loop() -> Model {
    let mut model = small_loop();
    model.plant.inductions[0].rate_per_h = 3_000;
    model.plant.demand[0][1].weight = 2;
    model.plant.scanners[0].read_ppm = 900_000;
    model.plant.scanners[0].delay = Micros::from_millis(250);
    model.plan.no_read = NoReadPolicy::Again;
    for chute in &mut model.plant.chutes[..2] {
        chute.service = Service::Exponential {
            mean: Micros::from_secs(3),
        };
    }
    model
}

/// A busy small line with a return, chutes that count, and room held for those on their way.
fn busy_line() -> Model {
    let mut model = small_line(true);
    model.plan.room = RoomPolicy::Reserve;
    model.plan.destinations[1].chutes = vec![ChuteId(1), ChuteId(0)];
    model.plant.inductions[0].rate_per_h = 1_500;
    model.plant.demand[0][1].weight = 2;
    model.plant.parcels.length = (Mm(150), Mm(600));
    model.plant.scanners[0].read_ppm = 950_000;
    for chute in 0..2 {
        model.hub.chutes[chute].capacity = Capacity::Length(Mm(2_000));
        model.hub.chutes[chute].sensing = Sensing::Counted;
        model.plant.chutes[chute].counts_taken = true;
        model.plant.chutes[chute].service = Service::BySize;
    }
    model
}

#[test]
fn every_parcel_is_accounted_for() {
    for (name, model) in [
        ("loop", busy_loop()),
        ("line", busy_line()),
        ("model", lsrm(1)),
    ] {
        for seed in 1..4 {
            let run = simulate(&model.job().until(hour()), seed);
            let outcome = run.unwrap_or_else(|error| panic!("{name}, seed {seed}: {error}"));
            assert_balance(&outcome);
            assert_eq!(outcome.lost, 0);
            assert!(outcome.sorted > 500, "{name}: {} sorted", outcome.sorted);
            assert!(outcome.recirculated > 0, "{name}: nothing went round");
            assert!(!outcome.rejected.is_empty(), "{name}: nothing was rejected");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_outcome() {
    let job = busy_loop().job().until(hour());
    let run = |seed| simulate(&job, seed).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run(7), run(7));
    assert_ne!(run(7).output_hash, run(8).output_hash);
}

#[test]
fn reading_again_changes_nothing() {
    for model in [busy_loop(), busy_line(), lsrm(1)] {
        let mut job = model.job().until(hour());
        let once = simulate(&job, 5).unwrap_or_else(|error| panic!("{error}"));
        job.reads_once = false;
        let always = simulate(&job, 5).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(once, always);
    }
}

#[test]
fn replications_are_the_same_on_any_number_of_threads() {
    let job = busy_loop().job().until(hour());
    let on = |threads| {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| replicate(&job, 1, 6, &|| 0))
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let one = on(1);
    assert_eq!(one, on(3));
    assert_eq!(
        one.replications.iter().map(|o| o.seed).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6]
    );
    let sorted: u64 = one.replications.iter().map(|o| o.sorted).sum();
    assert_eq!(one.mean["sorted"].mean, sorted as f64 / 6.0);
}

#[test]
fn a_belt_stop_of_a_minute_loses_nobody() {
    for (model, ramp) in [
        (busy_loop(), 0),
        (busy_loop(), 300),
        (busy_line(), 0),
        (lsrm(1), 400),
    ] {
        let mut model = model;
        model.plant.tracks[0].ramp_mm_s2 = ramp;
        let job = model.job().until(hour());
        let mut world = World::new(&job, 2).unwrap_or_else(|error| panic!("{error}"));
        for minute in [10, 20, 21, 40] {
            let at = Micros::from_secs(minute * 60 + 7);
            world
                .run(Some(at), &mut ())
                .unwrap_or_else(|error| panic!("{error}"));
            assert!(world.plant().tally().on_tracks() > 0);
            world.plant_mut().belt(at, TrackId(0), BeltCommand::Stop);
            let at = at.after(Micros::from_secs(60));
            world
                .run(Some(at), &mut ())
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(world.plant().speed(TrackId(0), at), MmPerS(0));
            world.plant_mut().belt(at, TrackId(0), BeltCommand::Run);
        }
        world
            .run(None, &mut ())
            .unwrap_or_else(|error| panic!("{error}"));
        let outcome = world.finish().unwrap_or_else(|error| panic!("{error}"));
        assert_balance(&outcome);
        assert_eq!((outcome.lost, outcome.missorted), (0, 0));
    }
}

#[test]
fn a_stopped_feed_runs_empty() {
    let job = busy_line().job().until(hour());
    let mut world = World::new(&job, 2).unwrap_or_else(|error| panic!("{error}"));
    let half = Micros::from_secs(1_800);
    world
        .run(Some(half), &mut ())
        .unwrap_or_else(|error| panic!("{error}"));
    world.plant_mut().feed(half, false);
    world
        .run(None, &mut ())
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(world.plant().is_idle());
    let outcome = world.finish().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((outcome.on_sorter, outcome.waiting), (0, 0));
    assert_balance(&outcome);
}

#[test]
fn a_full_queue_turns_parcels_away() {
    let mut model = busy_loop();
    model.plant.inductions[0].rate_per_h = 9_000;
    model.plant.inductions[0].queue = Some(5);
    let outcome = simulate(&model.job().until(hour()), 1).unwrap_or_else(|error| panic!("{error}"));
    assert_balance(&outcome);
    assert!(
        outcome.turned_away > 1_000,
        "{} turned away",
        outcome.turned_away
    );
    assert!(outcome.waiting <= 5);
}

/// Half way through an hour the PLC dies and boots, and the link notices; what the PLC forgot is
/// found again at the scanner.
/// A parcel that somebody takes off meanwhile is one that nobody tells of.
fn with_a_restart(taken_off_unseen: bool) -> Result<Outcome, RunError> {
    let job = busy_loop().job().until(hour());
    let mut world = World::new(&job, 2)?;
    let at = Micros::from_secs(1_800);
    world.run(Some(at), &mut ())?;
    let on_belt = world.plant().view(TrackId(0), at).next();
    let plant = world.plant_mut();
    plant.halt_plc(at, TrackId(0));
    if taken_off_unseen {
        let number = on_belt.expect("somebody is on the belt").number;
        assert!(plant.remove(at, number));
    }
    plant.restart_plc(at, TrackId(0));
    plant.belt(at, TrackId(0), BeltCommand::Run);
    for to in [LinkState::Lost, LinkState::Reset, LinkState::Up] {
        world.tell_sorter(
            at,
            &Signal::Link {
                track: TrackId(0),
                to,
            },
            &mut (),
        );
    }
    world.run(None, &mut ())?;
    world.finish()
}

#[test]
fn a_restarted_plc_loses_nobody_on_a_loop() {
    let outcome = with_a_restart(false).unwrap_or_else(|error| panic!("{error}"));
    assert_balance(&outcome);
    assert_eq!((outcome.lost, outcome.missorted), (0, 0));
}

#[test]
fn a_book_that_differs_from_the_truth_is_found() {
    let Err(RunError::Differs(differences)) = with_a_restart(true) else {
        panic!("the sorter cannot know that the parcel was taken off");
    };
    let what: Vec<&str> = differences.iter().map(|d| d.what.as_str()).collect();
    assert_eq!(what, ["parcels removed", "parcels lost"]);
    assert_eq!((differences[0].truth, differences[0].book), (1, 0));
    assert_eq!((differences[1].truth, differences[1].book), (0, 1));
}

#[test]
fn a_run_that_would_never_end_is_refused() {
    let run = simulate(&busy_loop().job(), 1);
    assert_eq!(run.err(), Some(RunError::Endless));
}

#[test]
fn a_trace_ends_with_its_last_parcel() {
    let mut model = small_loop();
    model.plant.trace = (0..50)
        .map(|n| parcel(&format!("P{n}"), n * 700, 400, Some(0)))
        .collect();
    let outcome = simulate(&model.job(), 1).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        (outcome.arrived, outcome.on_sorter, outcome.sorted),
        (50, 0, 50)
    );
    // The last comes at 34.3 s, gets on at 34.5 s and leaves 4 m further.
    assert_eq!(outcome.makespan_s, 38.5);
}

/// Something done to the plant, and how long after the last thing.
#[derive(Clone, Debug)]
enum Act {
    Belt(BeltCommand),
    Chute(u16, ChuteCommand),
    Silence(bool),
    Remove,
    Feed(bool),
}

fn acts() -> impl Strategy<Value = Vec<(u64, Act)>> {
    let belt = prop_oneof![
        3 => Just(BeltCommand::Run),
        1 => Just(BeltCommand::Stop),
        1 => (1_u32..2_000).prop_map(|speed| BeltCommand::Speed(MmPerS(speed))),
    ];
    let chute = prop_oneof![
        any::<bool>().prop_map(ChuteCommand::Jam),
        any::<bool>().prop_map(ChuteCommand::Lock),
        any::<bool>().prop_map(ChuteCommand::Disable),
    ];
    let act = prop_oneof![
        3 => belt.prop_map(Act::Belt),
        3 => (0_u16..2, chute).prop_map(|(chute, what)| Act::Chute(chute, what)),
        1 => any::<bool>().prop_map(Act::Silence),
        2 => Just(Act::Remove),
        1 => any::<bool>().prop_map(Act::Feed),
    ];
    proptest::collection::vec((1_u64..90_000_000, act), 0..25)
}

fn act(world: &mut World, at: Micros, act: &Act) {
    // From the belt or from a line's return.
    let first = world
        .plant()
        .view(TrackId(0), at)
        .next()
        .map(|parcel| parcel.number);
    let plant = world.plant_mut();
    match *act {
        Act::Belt(command) => plant.belt(at, TrackId(0), command),
        Act::Chute(chute, command) => plant.change_chute(at, ChuteId(chute), command),
        Act::Silence(silent) => plant.silence_scanner(at, ScannerId(0), silent),
        Act::Remove => {
            first.map(|number| plant.remove(at, number));
        }
        Act::Feed(open) => plant.feed(at, open),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Stops, slow belts, ramps, closed chutes, silent scanners and people with quick hands: the
    /// book still tells the truth.
    #[test]
    fn no_disturbance_loses_a_parcel(
        acts in acts(), seed: u64, ramp in prop_oneof![Just(0), 200_u32..2_000],
        line: bool, meets in 0..3_u8,
    ) {
        let mut model = if line { busy_line() } else { busy_loop() };
        model.plant.tracks[0].ramp_mm_s2 = ramp;
        model.hub.scanners[0].meets_by = match meets {
            0 => MeetsBy::Trigger,
            1 => MeetsBy::Encoder { window: Mm(100) },
            _ => MeetsBy::Carrier,
        };
        let mut job = model.job().until(Micros::from_secs(1_500));
        job.keeps_ledger = true;
        let mut world = World::new(&job, seed).unwrap();
        let mut at = Micros(0);
        for (wait, what) in &acts {
            at = at.after(Micros(*wait));
            if at >= Micros::from_secs(1_500) {
                break;
            }
            world.run(Some(at), &mut ()).unwrap();
            act(&mut world, at, what);
        }
        world.run(None, &mut ()).unwrap();
        let mut labels: Vec<u64> = world.plant().ledger().iter().map(|row| row.number).collect();
        let count = labels.len();
        labels.sort_unstable();
        labels.dedup();
        prop_assert_eq!(labels.len(), count, "a parcel got on twice");
        let outcome = world.finish();
        prop_assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
        assert_balance(&outcome.unwrap());
    }
}
