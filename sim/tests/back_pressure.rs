//! Caps keep carriers of a jammed loop free, quotas leave some to inductions further on, and a
//! track is drained, purged and closed while parcels come.

mod common;

use common::*;
use sorthub_core::hub::{Capacity, Caps, MeetsBy, TrackKind};
use sorthub_core::ids::{CellId, InductionId, TrackId};
use sorthub_core::operator::{Command, Ticket, TrackWish};
use sorthub_core::running::{Hold, Step};
use sorthub_core::signal::{Output, Signal};
use sorthub_core::units::Micros;
use sorthub_sim::run::World;
use sorthub_sim::spec::Service;

const LOOP: TrackId = TrackId(0);
const HOUR: Micros = Micros::from_secs(3_600);

/// A loop of 100 carriers with a carrier each 0.5 s, fed as fast as it goes at two places next to
/// each other; all of it is for one chute, which is emptied too slowly.
fn jammed(caps: Caps, quota_permille: u16) -> Model {
    let mut model = Model::empty(100);
    let kind = TrackKind::Loop {
        carriers: 100,
        pitch: sorthub_core::units::Mm(500),
    };
    let track = model.add_track(kind, 1_000, 250);
    model.hub.tracks[0].caps = caps;
    for at in [1_000, 2_000] {
        model.add_induction(track, at, 20_000, Micros(0));
    }
    model.hub.inductions[0].quota_permille = quota_permille;
    model.add_scanner(track, 5_000, MeetsBy::Trigger, 1_000_000);
    let mean = Micros::from_secs(20);
    let service = Service::Exponential { mean };
    let chute = model.add_chute(track, 10_000, 0, Capacity::Parcels(3), service);
    model.add_destination(track, chute, 1);
    let reject = model.add_chute(track, 49_000, 0, Capacity::Unlimited, Service::Instant);
    model.plan.reject = vec![reject];
    model
}

/// The fullest that the loop ever was, by what its PLC said, after ten minutes of an hour.
fn fullest(model: &Model) -> usize {
    let mut world = World::new(&model.job().until(HOUR), 7).expect("the hub is sound");
    let mut fullest = 0;
    for second in 0..3_600 {
        let until = Micros::from_secs(second);
        world.run(Some(until), &mut ()).expect("it runs");
        fullest = fullest.max(world.plant().inventory(LOOP).count());
    }
    world.finish().expect("book and truth agree");
    fullest
}

#[test]
fn caps_keep_a_tenth_of_the_carriers_free() {
    assert_eq!(fullest(&jammed(Caps::NONE, 1_000)), 100, "nothing is free");
    let fullest = fullest(&jammed(Caps::USUAL, 1_000));
    assert!((85..=90).contains(&fullest), "{fullest} of 100");
}

/// Parcels that got on at each induction in an hour.
fn fed(model: &Model) -> [u32; 2] {
    let mut fed = [0; 2];
    let mut world = World::new(&model.job().until(HOUR), 3).expect("the hub is sound");
    let mut count = |_, signal: &Signal, _: &[Output]| {
        if let Signal::Inducted { induction, .. } = signal {
            fed[induction.index()] += 1;
        }
    };
    world.run(None, &mut count).expect("it runs");
    world.finish().expect("book and truth agree");
    fed
}

/// The same, but the chute takes everything at once.
fn flowing(quota_permille: u16) -> Model {
    let mut model = jammed(Caps::USUAL, quota_permille);
    model.plant.chutes[0].service = Service::Instant;
    model
}

#[test]
fn a_quota_leaves_carriers_to_the_induction_behind() {
    let [first, second] = fed(&flowing(1_000));
    assert!(first > 50 * second.max(1), "{first} and {second}");
    // 7200 carriers pass in an hour.
    let [first, second] = fed(&flowing(600));
    assert!((4_200..=4_330).contains(&first), "{first}");
    assert!((2_700..=2_900).contains(&second), "{second}");
}

fn command(world: &mut World, at: Micros, to: TrackWish) {
    let track = LOOP;
    let command = Command::Track { track, to };
    let ticket = Ticket(1);
    let mut taken = false;
    let mut look = |_, _: &Signal, said: &[Output]| {
        let is_yes = |output: &Output| {
            let answer = Ok(());
            *output == Output::Answered { ticket, answer }
        };
        taken |= said.iter().any(is_yes);
    };
    world.tell_sorter(at, &Signal::Command { ticket, command }, &mut look);
    assert!(taken, "{to:?} was refused");
}

#[test]
fn a_drained_loop_runs_empty_and_starts_again() {
    let model = flowing(1_000);
    let mut world = World::new(&model.job().until(HOUR), 5).expect("the hub is sound");
    let minute = |minutes: u64| Micros::from_secs(minutes * 60);
    world.run(Some(minute(10)), &mut ()).expect("it runs");
    command(&mut world, minute(10), TrackWish::Drain);
    let before = world.books().inducted;
    world.run(Some(minute(15)), &mut ()).expect("it runs");
    assert_eq!(world.plant().inventory(LOOP).count(), 0);
    assert_eq!(world.books().inducted, before, "nobody got on meanwhile");
    let view = world.sorter().track(LOOP);
    assert_eq!(view.state.step, Step::Stopped);
    command(&mut world, minute(15), TrackWish::Start);
    world.run(Some(minute(20)), &mut ()).expect("it runs");
    assert!(world.books().inducted > before + 100);
    world.finish().expect("book and truth agree");
}

#[test]
fn a_purged_loop_ends_in_its_reject_chute() {
    let model = jammed(Caps::USUAL, 1_000);
    let mut world = World::new(&model.job().until(HOUR), 5).expect("the hub is sound");
    let minute = |minutes: u64| Micros::from_secs(minutes * 60);
    world.run(Some(minute(30)), &mut ()).expect("it runs");
    let riding = world.plant().inventory(LOOP).count() as u64;
    assert!(riding > 80, "{riding}");
    command(&mut world, minute(30), TrackWish::Purge);
    world.run(Some(minute(35)), &mut ()).expect("it runs");
    assert_eq!(world.plant().inventory(LOOP).count(), 0);
    let purged = world.books().rejected_by[sorthub_core::reason::Reason::Purged];
    // One or two had passed the point of no return to their chute.
    assert!(purged >= riding - 2, "{purged} of {riding}");
    world.finish().expect("book and truth agree");
}

#[test]
fn a_disabled_carrier_stays_empty() {
    let model = flowing(1_000);
    let mut world = World::new(&model.job().until(HOUR), 5).expect("the hub is sound");
    let cell = CellId(33);
    let signal = Signal::Command {
        ticket: Ticket(1),
        command: Command::Carrier {
            cell,
            enabled: false,
        },
    };
    world.tell_sorter(Micros(0), &signal, &mut ());
    let mut used = 0;
    let mut look = |_, signal: &Signal, _: &[Output]| {
        used += u32::from(matches!(signal, Signal::Inducted { cell: on, .. } if *on == cell));
    };
    world.run(Some(HOUR), &mut look).expect("it runs");
    assert_eq!(used, 0);
    world.finish().expect("book and truth agree");
}

#[test]
fn the_sorter_hears_what_inductions_really_do() {
    let model = flowing(1_000);
    let mut world = World::new(&model.job().until(HOUR), 5).expect("the hub is sound");
    let at = Micros::from_secs(60);
    world.run(Some(at), &mut ()).expect("it runs");
    world.plant_mut().hold_inductions(at, LOOP, true);
    world
        .run(Some(Micros::from_secs(120)), &mut ())
        .expect("it runs");
    let view = world.sorter().induction(InductionId(0));
    assert_eq!(view.hold, Hold::Nothing, "it may run, as far as we know");
    assert!(!view.feeding.runs, "somebody has stopped it on the spot");
}
