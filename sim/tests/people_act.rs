//! What people do at fixed times of a run: it has its effect, is answered, and comes out the same
//! each time.

mod common;

use common::{Model, small_loop};
use sorthub_core::ids::{InductionId, ParcelId};
use sorthub_core::operator::{Command, InductionWish, ParcelWish};
use sorthub_core::units::Micros;
use sorthub_sim::run::{Action, Deed, Job, Outcome, simulate};

const HOUR: Micros = Micros::from_secs(3_600);

fn at(minutes: u64, words: &str, command: Command) -> Action {
    Action {
        at: Micros::from_secs(minutes * 60),
        words: words.to_owned(),
        deeds: vec![Deed::Command(command)],
    }
}

fn pace(to: InductionWish) -> Command {
    let induction = InductionId(0);
    Command::Induction { induction, to }
}

fn run(model: &Model, actions: Vec<Action>) -> Outcome {
    let job = Job {
        actions: actions.into(),
        ..model.job().until(HOUR)
    };
    simulate(&job, 7).expect("book and truth agree")
}

fn break_of_half_an_hour() -> Vec<Action> {
    vec![
        at(10, "induction stop", pace(InductionWish::Stop)),
        at(40, "induction run", pace(InductionWish::Run)),
    ]
}

#[test]
fn a_stopped_induction_lets_nothing_in_until_it_runs_again() {
    let model = small_loop();
    let without = run(&model, Vec::new());
    let with = run(&model, break_of_half_an_hour());
    assert!(without.actions.is_empty());
    let done: Vec<(u64, bool)> = with
        .actions
        .iter()
        .map(|a| (a.done, a.refused.is_none()))
        .collect();
    assert_eq!(done, [(1, true), (1, true)]);
    assert_eq!(with.arrived, without.arrived);
    // Who came meanwhile waited, a quarter of an hour in the mean, and got on later.
    let (waited, usual) = (with.induction_wait_s, without.induction_wait_s);
    assert!(
        usual < 60.0 && waited > usual + 120.0,
        "{usual} s, then {waited} s"
    );
}

#[test]
fn the_same_actions_give_the_same_run() {
    let model = small_loop();
    let first = run(&model, break_of_half_an_hour());
    let second = run(&model, break_of_half_an_hour());
    assert_eq!(first, second);
}

#[test]
fn what_is_refused_or_never_due_is_in_the_outcome() {
    let damaged = Command::Parcel {
        parcel: ParcelId::new(9, 1),
        to: ParcelWish::Damaged,
    };
    let actions = vec![
        at(1, "parcel 9-1 damaged", damaged),
        at(120, "induction stop", pace(InductionWish::Stop)),
    ];
    let outcome = run(&small_loop(), actions);
    let told: Vec<&str> = outcome
        .actions
        .iter()
        .map(|action| action.refused.as_deref().expect("neither is done"))
        .collect();
    assert!(told[0].contains("; "), "it says what to do: {}", told[0]);
    assert_eq!(told[1], "the run was over before it was due");
    assert_eq!(outcome.actions[1].at, Micros::from_secs(7_200));
}

#[test]
fn deeds_of_one_time_are_done_in_their_order() {
    let model = small_loop();
    let both = |first, last| Action {
        at: Micros::from_secs(600),
        words: "both".to_owned(),
        deeds: vec![Deed::Command(pace(first)), Deed::Command(pace(last))],
    };
    let (stop, go) = (InductionWish::Stop, InductionWish::Run);
    let goes = run(&model, vec![both(stop, go)]);
    let stands = run(&model, vec![both(go, stop)]);
    assert_eq!((goes.actions[0].done, stands.actions[0].done), (2, 2));
    assert!(
        stands.inducted < goes.inducted,
        "{} {}",
        stands.inducted,
        goes.inducted
    );
}
