//! Tracks joined by transfers: parcels that need two sorts.

mod common;

use common::{Model, parcel, small_loop};
use sorthub_core::hub::{Capacity, MeetsBy, SorterSpec, TrackKind, TransferSpec};
use sorthub_core::ids::{ChuteId, DestId, InductionId, TrackId};
use sorthub_core::operator::{Command, Ticket, TrackWish};
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::{Output, Signal};
use sorthub_core::units::Micros;
use sorthub_sim::run::{Outcome, World};
use sorthub_sim::spec::{Demand, Service};

const SECOND: TrackId = TrackId(1);

/// The small loop with a transfer at 8 m to the induction of a second loop, whose chute serves
/// destination 2. A third of the first loop's parcels is for there.
fn two_loops(read_ppm: u32, rate_per_h: u32) -> Model {
    let mut model = small_loop();
    model.plant.scanners[0].read_ppm = read_ppm;
    model.plant.inductions[0].rate_per_h = rate_per_h;
    let transfer = model.add_chute(
        TrackId(0),
        8_000,
        200,
        Capacity::Unlimited,
        Service::Instant,
    );
    let kind = TrackKind::Loop {
        carriers: 30,
        pitch: sorthub_core::units::Mm(500),
    };
    let track = model.add_track(kind, 1_000, 250);
    model.add_induction(track, 1_000, 0, Micros(0));
    model.add_scanner(track, 2_000, MeetsBy::Trigger, read_ppm);
    let hole = Service::Instant;
    let own = model.add_chute(track, 5_000, 200, Capacity::Unlimited, hole);
    let reject = model.add_chute(track, 9_500, 200, Capacity::Unlimited, hole);
    model.add_destination(track, own, 0);
    model.plan.reject.push(reject);
    let dest = DestId(model.plan.destinations.len() as u32 - 1);
    model.plant.demand[0].push(Demand { dest, weight: 1 });
    model.plant.demand[0][1].weight = 1;
    model.hub.transfers.push(TransferSpec {
        from: transfer,
        to: InductionId(1),
        travel: Micros::from_secs(15),
        patience: Micros::from_secs(120),
    });
    model
}

fn apart(mut model: Model) -> Model {
    for track in 0..2 {
        model.hub.sorters.push(SorterSpec {
            name: format!("sorter {track}"),
            tracks: vec![TrackId(track)],
        });
    }
    model
}

fn run(model: &Model, seed: u64) -> Outcome {
    let job = model.job().until(Micros::from_secs(2 * 3_600));
    let mut world = World::new(&job, seed).expect("the hub is sound");
    world.run(None, &mut ()).expect("it runs");
    world.finish().expect("book and truth agree")
}

#[test]
fn a_parcel_keeps_its_id_over_a_transfer_and_has_one_disposition() {
    for model in [two_loops(1_000_000, 0), apart(two_loops(1_000_000, 0))] {
        let mut model = model;
        model.plant.trace = vec![parcel("P1", 300, 400, Some(2))];
        let job = model.job();
        let mut world = World::new(&job, 1).expect("the hub is sound");
        let (mut handed, mut ended) = (vec![], vec![]);
        let mut observer = |_: Micros, _: &Signal, outputs: &[Output]| {
            for output in outputs {
                match *output {
                    Output::HandOver { parcel, .. } => handed.push(parcel),
                    Output::Ended {
                        parcel, how, chute, ..
                    } => ended.push((parcel, how, chute)),
                    _ => {}
                }
            }
        };
        world.run(None, &mut observer).expect("it runs");
        let books = world.books();
        assert_eq!(
            (books.inducted, books.sorted, books.in_transfer()),
            (1, 1, 0)
        );
        assert_eq!((books.handed_over, books.taken_over), (1, 1));
        assert_eq!(handed.len(), 1);
        let at = Some(ChuteId(4));
        assert_eq!(ended, [(handed[0], Disposition::Sorted, at)]);
        world.finish().expect("book and truth agree");
    }
}

#[test]
fn one_thread_or_two_sort_the_same() {
    let together = run(&two_loops(1_000_000, 1_500), 3);
    let apart = run(&apart(two_loops(1_000_000, 1_500)), 3);
    assert!(together.sorted > 2_000, "{together:?}");
    let without_hash = |outcome: Outcome| Outcome {
        output_hash: String::new(),
        ..outcome
    };
    assert_eq!(without_hash(together), without_hash(apart));
}

#[test]
fn what_the_second_scanner_cannot_read_is_rejected_and_nobody_is_lost() {
    for seed in 0..20 {
        let outcome = run(&apart(two_loops(900_000, 1_800)), seed);
        assert_eq!(outcome.lost, 0, "seed {seed}: {outcome:?}");
        assert!(outcome.rejected.contains_key("no-read"), "seed {seed}");
        let rejected: u64 = outcome.rejected.values().sum();
        let gone = outcome.sorted + rejected + outcome.on_sorter + outcome.in_transfer;
        assert_eq!(outcome.inducted, gone, "seed {seed}");
    }
}

#[test]
fn what_never_comes_out_of_a_transfer_is_lost_in_time() {
    let mut model = apart(two_loops(1_000_000, 0));
    model.plant.trace = vec![parcel("P1", 300, 400, Some(2))];
    let job = model.job().until(Micros::from_secs(300));
    let mut world = World::new(&job, 1).expect("the hub is sound");
    // Nobody gets onto the second loop: the parcel stays on the conveyor.
    world.plant_mut().hold_inductions(Micros(0), SECOND, true);
    world.run(None, &mut ()).expect("it runs");
    let books = world.books();
    assert_eq!((books.inducted, books.lost), (1, 1));
    assert!(books.balance());
    assert_eq!(books.in_transfer(), 0);
}

#[test]
fn a_closed_transfer_lets_its_parcels_go_round() {
    let mut model = two_loops(1_000_000, 0);
    model.plant.trace = vec![parcel("P1", 300, 400, Some(2))];
    let job = model.job();
    let mut world = World::new(&job, 1).expect("the hub is sound");
    let jam = sorthub_sim::plant::ChuteCommand::Jam;
    let transfer = ChuteId(3);
    world
        .plant_mut()
        .change_chute(Micros(0), transfer, jam(true));
    world
        .run(Some(Micros::from_secs(14)), &mut ())
        .expect("it runs");
    assert_eq!(world.books().handed_over, 0);
    assert!(world.books().recirculated > 0);
    let now = Micros::from_secs(14);
    world.plant_mut().change_chute(now, transfer, jam(false));
    world.run(None, &mut ()).expect("it runs");
    assert_eq!(world.books().sorted, 1);
    world.finish().expect("book and truth agree");
}

#[test]
fn a_track_out_of_service_is_planned_around_at_once() {
    let mut model = two_loops(1_000_000, 0);
    model.plant.trace = vec![parcel("P1", 300, 400, Some(2))];
    let mut world = World::new(&model.job(), 1).expect("the hub is sound");
    let is_order = |output: &Output| matches!(output, Output::Divert(_));
    let mut ordered = false;
    let mut at = Micros(0);
    while !ordered {
        at = at.after(Micros::from_millis(10));
        assert!(at < Micros::from_secs(14), "it is never ordered");
        let mut look = |_, _: &Signal, said: &[Output]| ordered |= said.iter().any(is_order);
        world.run(Some(at), &mut look).expect("it runs");
    }
    let tell = |world: &mut World, at, to| {
        let (track, ticket) = (SECOND, Ticket(1));
        let command = Command::Track { track, to };
        let signal = Signal::Command { ticket, command };
        let mut said = vec![];
        let mut look = |_, _: &Signal, outputs: &[Output]| said.extend_from_slice(outputs);
        world.tell_sorter(at, &signal, &mut look);
        let soon = at.after(Micros::from_millis(1));
        world.run(Some(soon), &mut look).expect("it runs");
        said
    };
    let said = tell(&mut world, at, TrackWish::Close);
    let gives_up = |output: &Output| {
        let (chute, why) = (None, Reason::OutOfService);
        matches!(*output, Output::Decided { chute: c, why: w, .. } if (c, w) == (chute, why))
    };
    assert!(said.iter().any(gives_up), "{said:?}");
    let withdraws = |output: &Output| matches!(output, Output::Withdraw { .. });
    assert!(said.iter().any(withdraws), "{said:?}");
    let later = at.after(Micros::from_secs(2));
    world.run(Some(later), &mut ()).expect("it runs");
    assert_eq!(world.books().handed_over, 0);
    let said = tell(&mut world, later, TrackWish::Open);
    assert!(said.iter().any(is_order), "it has a way again: {said:?}");
    world.run(None, &mut ()).expect("it runs");
    assert_eq!(world.books().sorted, 1);
    world.finish().expect("book and truth agree");
}
