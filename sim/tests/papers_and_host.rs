//! Parcels with wrong papers or none, a host that knows them, and runs that balance all the same.

mod common;

use common::{Model, small_line, small_loop};
use sorthub_core::facts::{DestKey, Facts};
use sorthub_core::ids::{ChuteId, CodeId, DestId, SeatId, TrackId};
use sorthub_core::operator::{Command, ParcelWish, Ticket, WaybillWish};
use sorthub_core::plan::{Checks, NoReadPolicy};
use sorthub_core::signal::{Basis, Output, Signal};
use sorthub_core::units::{Grams, Micros, Mm};
use sorthub_sim::plant::ParcelView;
use sorthub_sim::run::{Outcome, World, simulate, simulate_observed};
use sorthub_sim::spec::HostPlant;

const HOURS: Micros = Micros::from_secs(4 * 3_600);

fn busy(mut model: Model) -> Model {
    model.plant.inductions[0].rate_per_h = 1_200;
    model.plant.demand[0][1].weight = 2;
    model
}

fn share(part: u64, all: u64) -> f64 {
    part as f64 / all as f64
}

fn assert_near(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() < 0.03,
        "{what}: {found:.3}, not {expected:.3}"
    );
}

/// A quarter of the parcels have no pre-advice; the host answers nine in ten after 150 ms.
fn asking(model: Model) -> Model {
    let mut model = busy(model);
    model.plan.host = Some(Micros::from_millis(200));
    model.plant.parcels.unadvised_ppm = 250_000;
    model.plant.host = Some(HostPlant {
        delay: Micros::from_millis(150),
        silent_ppm: 100_000,
    });
    model
}

fn late_share(outcome: &Outcome) -> f64 {
    share(
        outcome.rejected.get("host-late").copied().unwrap_or(0),
        outcome.inducted,
    )
}

#[test]
fn a_host_that_answers_in_time_has_its_parcels_sorted() {
    let job = asking(small_loop()).job().until(HOURS);
    let (mut asked, mut by_host) = (0_u64, 0_u64);
    let mut watch = |_, _: &Signal, said: &[Output]| {
        for output in said {
            asked += u64::from(matches!(output, Output::AskHost { .. }));
            let decided = matches!(
                output,
                Output::Decided {
                    basis: Basis::Host,
                    ..
                }
            );
            by_host += u64::from(decided);
        }
    };
    let outcome = simulate_observed(&job, 1, &mut watch).expect("the book is true");
    assert!(outcome.inducted > 4_000, "{outcome:?}");
    assert_near(share(asked, outcome.inducted), 0.25, "asked");
    assert_near(share(by_host, asked), 0.9, "answered");
    assert_near(late_share(&outcome), 0.025, "late");
    assert_eq!(outcome.missorted, 0);
    // The same seed twice is the same run.
    assert_eq!(
        simulate(&job, 1).expect("again").output_hash,
        outcome.output_hash
    );
}

#[test]
fn a_host_slower_than_its_deadline_might_as_well_be_silent() {
    for model in [small_loop(), small_line(false)] {
        let mut model = asking(model);
        model.plant.host = Some(HostPlant {
            delay: Micros::from_millis(250),
            silent_ppm: 0,
        });
        let slow = simulate(&model.job().until(HOURS), 1).expect("the book is true");
        model.plant.host = None;
        let silent = simulate(&model.job().until(HOURS), 1).expect("the book is true");
        assert_near(late_share(&slow), 0.25, "late");
        assert_eq!(slow.rejected, silent.rejected);
        assert_eq!(slow.sorted, silent.sorted);
    }
}

#[test]
fn a_parcel_of_a_line_is_sorted_by_an_answer_that_comes_while_it_rides() {
    let outcome =
        simulate(&asking(small_line(false)).job().until(HOURS), 1).expect("the book is true");
    assert_near(late_share(&outcome), 0.025, "late");
    assert_eq!(outcome.missorted, 0);
}

#[test]
fn wrong_papers_and_suspect_parcels_are_found() {
    let mut model = busy(small_loop());
    let parcels = &mut model.plant.parcels;
    parcels.mass = (Grams(500), Grams(30_000));
    parcels.width = Some((Mm(100), Mm(350)));
    parcels.height = Some((Mm(20), Mm(300)));
    parcels.misdeclared_ppm = Some(200_000);
    parcels.suspect_ppm = Some(100_000);
    model.plan.checks = Checks {
        weight_most: Grams(20_160),
        weight_tolerance_permille: 50,
        size_tolerance: Mm(30),
        ..Checks::default()
    };
    let outcome = simulate(&model.job().until(HOURS), 1).expect("the book is true");
    let of = |why: &str| {
        let count = outcome.rejected.get(why).copied().unwrap_or(0);
        share(count, outcome.inducted)
    };
    assert_near(of("security-hold"), 0.1, "suspect");
    assert_near(of("weight-or-size"), 0.9 / 3.0, "a third is too heavy");
    assert_near(
        of("declared-mismatch"),
        0.9 * 2.0 / 3.0 * 0.2,
        "wrongly declared",
    );
    assert_eq!(outcome.missorted, 0);
}

/// People who change their minds while parcels ride: whatever leaves, the book stays true.
#[test]
fn commands_in_the_middle_of_a_run_leave_the_book_true() {
    for (model, seed) in [
        (small_loop(), 1),
        (small_line(false), 2),
        (small_line(true), 3),
    ] {
        let mut model = asking(model);
        model.plant.scanners[0].read_ppm = 800_000;
        model.plan.no_read = NoReadPolicy::Again;
        let job = model.job().until(HOURS);
        let mut world = World::new(&job, seed).expect("a sound model");
        let mut nobody = |_, _: &Signal, _: &[Output]| {};
        let (mut at, mut taken) = (Micros(0), 0_u64);
        for step in 0..2_000_usize {
            at = at.after(Micros::from_millis(6_700));
            world.run(Some(at), &mut nobody).expect("it goes on");
            let all: Vec<_> = world.plant().view(TrackId(0), at).collect();
            let Some(one) = all.get(step % all.len().max(1)) else {
                continue;
            };
            for command in wishes(&world, step, one) {
                taken += u64::from(tell(&mut world, at, command));
            }
        }
        world.run(None, &mut nobody).expect("it goes on");
        let books = world.sorter().books().clone();
        // `finish` holds the book against what really happened.
        let outcome = world.finish().expect("the book is true");
        assert!(taken > 600, "too few commands were taken: {taken}");
        assert!(books.keyed > 20, "{books:?}");
        assert_eq!(outcome.missorted, 0, "{books:?}");
    }
}

/// What somebody wants of a parcel.
fn wishes(world: &World, step: usize, real: &ParcelView) -> Vec<Command> {
    let mut items = world.sorter().items();
    let Some(item) = items.find(|item| Some(item.item) == real.item) else {
        return vec![];
    };
    let code = CodeId(real.number);
    let waybill = |to| vec![Command::Waybill { code, to }];
    let parcel = item.parcel;
    let wish = |to| Command::Parcel { parcel, to };
    let (chute, seat) = (ChuteId(step as u16 % 3), SeatId(0));
    let name = |dest: DestId| DestKey::of(&format!("d{}", dest.0));
    let facts = Facts::advised(code, real.dest.map_or(DestKey::NONE, name));
    match step % 8 {
        0 => waybill(WaybillWish::Hold),
        1 => waybill(WaybillWish::Intercept {
            to: name(DestId(0)),
        }),
        2 => waybill(WaybillWish::Release),
        3 => vec![wish(ParcelWish::Force { chute })],
        4 => vec![wish(ParcelWish::Damaged)],
        _ => vec![
            wish(ParcelWish::Take { seat }),
            wish(ParcelWish::Key { seat, facts }),
            wish(ParcelWish::GiveBack { seat }),
        ],
    }
}

/// Tells a command; whether it was taken.
fn tell(world: &mut World, at: Micros, command: Command) -> bool {
    let mut taken = false;
    let mut watch = |_, _: &Signal, said: &[Output]| {
        let answer = said.iter().rev().find_map(|output| match output {
            Output::Answered { answer, .. } => Some(*answer),
            _ => None,
        });
        taken = answer == Some(Ok(()));
    };
    let ticket = Ticket(1);
    world.tell_sorter(at, &Signal::Command { ticket, command }, &mut watch);
    taken
}
