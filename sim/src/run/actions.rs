//! What people do in a run, at fixed times: commands as they would give them to a live engine.

use std::sync::Arc;

use serde::Serialize;
use sorthub_core::facts::DestKey;
use sorthub_core::ids::{ChuteId, ParcelId};
use sorthub_core::operator::{Command, HostSays, ParcelWish, Refused, Ticket, WaybillWish};
use sorthub_core::plan::Plan;
use sorthub_core::signal::{Output, Signal};
use sorthub_core::units::Micros;

use super::{Observer, World};

/// Something that people do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// When.
    pub at: Micros,
    /// In words, for the outcome.
    pub words: String,
    /// What is done, in this order.
    pub deeds: Vec<Deed>,
}

/// A part of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A plan is handed to the sorters, to be activated later.
    Stage(Arc<Plan>),
    /// A command is given.
    Command(Command),
}

/// What an action came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionOutcome {
    /// When it was due, in seconds of the run.
    #[serde(serialize_with = "as_seconds")]
    pub at: Micros,
    /// What it was, in words.
    pub action: String,
    /// How many of its commands were carried out.
    pub done: u64,
    /// Why the others were not: the first refusal.
    pub refused: Option<String>,
}

fn as_seconds<S: serde::Serializer>(at: &Micros, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(at.0 as f64 / 1e6)
}

/// What can end in which chute beside what the plan at the beginning says, because people said so.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// Every plan of the run but the first.
    plans: Vec<Arc<Plan>>,
    /// By chute: something was sent there by hand.
    chutes: Vec<bool>,
}

impl Said {
    pub fn new(chutes: usize) -> Self {
        Self {
            plans: Vec::new(),
            chutes: vec![false; chutes],
        }
    }

    /// Whether a parcel for this destination, if it has one, may have ended in a chute.
    pub fn allows(&self, dest: Option<DestKey>, chute: ChuteId) -> bool {
        let by_plan = |plan: &Arc<Plan>| {
            let dest = dest.and_then(|key| plan.dest(key));
            dest.is_some_and(|dest| plan.allows(dest, chute))
        };
        self.chutes[chute.index()] || self.plans.iter().any(by_plan)
    }

    fn note(&mut self, command: &Command, first: &Plan) {
        match *command {
            Command::Parcel {
                to: ParcelWish::Force { chute },
                ..
            } => self.chutes[chute.index()] = true,
            Command::Waybill {
                to: WaybillWish::Intercept { to },
                ..
            }
            | Command::Parcel {
                to: ParcelWish::Host(HostSays::To(to)),
                ..
            } => self.note_dest(to, first),
            Command::Parcel {
                to: ParcelWish::Key { facts, .. },
                ..
            } => self.note_dest(facts.advice.dest, first),
            _ => {}
        }
    }

    fn note_dest(&mut self, key: DestKey, first: &Plan) {
        let plans = std::iter::once(first).chain(self.plans.iter().map(Arc::as_ref));
        for plan in plans {
            let dest = plan
                .dest(key)
                .map(|dest| &plan.spec().destinations[dest.index()]);
            for chute in dest.into_iter().flat_map(|dest| dest.every_chute()) {
                self.chutes[chute.index()] = true;
            }
        }
    }
}

impl World {
    /// When the next action is due.
    pub(super) fn next_action(&self) -> Micros {
        let next = self.job.actions.get(self.acted.len());
        next.map_or(Micros::NEVER, |action| action.at)
    }

    /// Does what is due next.
    pub(super) fn act(&mut self, observer: &mut impl Observer) {
        let actions = Arc::clone(&self.job.actions);
        let Some(action) = actions.get(self.acted.len()) else {
            return;
        };
        let mut outcome = outcome_of(action);
        for deed in &action.deeds {
            match deed {
                Deed::Stage(plan) => self.stage(plan),
                Deed::Command(command) => match self.command(*command, observer) {
                    Ok(()) => outcome.done += 1,
                    Err(refused) => {
                        outcome.refused.get_or_insert_with(|| refused.to_string());
                    }
                },
            }
        }
        self.acted.push(outcome);
    }

    fn stage(&mut self, plan: &Arc<Plan>) {
        let spec = plan.spec();
        let exceptions = spec.exceptions.iter().flat_map(|(_, chutes)| chutes);
        for chute in spec.reject.iter().chain(exceptions) {
            self.is_reject[chute.index()] = true;
        }
        self.said.plans.push(Arc::clone(plan));
        for sorter in &mut self.sorters {
            let _not_needed = sorter.stage_in_turn(Arc::clone(plan));
        }
    }

    /// Gives a command to whom it concerns. Of several sorters one must know a parcel, and all
    /// must take anything else.
    fn command(&mut self, command: Command, observer: &mut impl Observer) -> Result<(), Refused> {
        self.said.note(&command, &self.job.plan);
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let taken_off = match command {
            Command::Parcel {
                parcel,
                to: ParcelWish::Removed,
            } => self.number_of(parcel),
            _ => None,
        };
        let mut answers = Vec::new();
        let mut heard = |now: Micros, signal: &Signal, outputs: &[Output]| {
            observer.called(now, signal, outputs);
            answers.extend(outputs.iter().filter_map(|output| match *output {
                Output::Answered { ticket: of, answer } if of == ticket => Some(answer),
                _ => None,
            }));
        };
        self.call(&Signal::Command { ticket, command }, &mut heard);
        let answer = match command {
            Command::Parcel { .. } => {
                let known = answers.iter().find(|a| **a != Err(Refused::NoSuchParcel));
                known.copied().unwrap_or(Err(Refused::NoSuchParcel))
            }
            _ => answers.into_iter().collect(),
        };
        if let (Ok(()), Some(number)) = (answer, taken_off) {
            // Whoever says that it is off the belt has taken it off.
            self.plant.remove(self.now, number);
        }
        answer
    }

    /// The plant's number of a parcel that is on a track.
    fn number_of(&self, parcel: ParcelId) -> Option<u64> {
        let mut items = self.sorters.iter().flat_map(|sorter| sorter.items());
        let item = items.find(|item| item.parcel == parcel)?;
        self.plant.number_at(item.cell, item.item)
    }

    /// What all actions came to; those that the run did not reach were not done.
    pub(super) fn actions(&self) -> Vec<ActionOutcome> {
        let left = self
            .job
            .actions
            .iter()
            .skip(self.acted.len())
            .map(|action| {
                let refused = Some("the run was over before it was due".to_owned());
                ActionOutcome {
                    refused,
                    ..outcome_of(action)
                }
            });
        self.acted.iter().cloned().chain(left).collect()
    }
}

fn outcome_of(action: &Action) -> ActionOutcome {
    ActionOutcome {
        at: action.at,
        action: action.words.clone(),
        done: 0,
        refused: None,
    }
}
