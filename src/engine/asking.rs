//! What people ask of the decision thread, and how it answers them.
//!
//! An answer never leaves in the turn that found it: the links come first. Questions take bounded
//! time and write into memory that whoever asks has brought along.

use std::sync::Arc;

use sorthub_core::ids::CodeId;
use sorthub_core::operator::{Command, Refused, Ticket};
use sorthub_core::plan::Plan;
use sorthub_core::signal::{Output, Signal};
use sorthub_core::sorter::{Ask, ItemView, Sorter, Standing, Unread, Waiting};
use sorthub_core::units::Micros;
use tokio::sync::oneshot;

use super::decider::Decider;
use super::inbox::{Batch, NotStaged, Request};
use crate::telemetry::why::why;
use crate::telemetry::{AlarmRefused, ShortText, View};

/// Most parcels of one waybill that are told; of a larger shipment the first ones.
pub const FOUND_MAX: usize = 64;

/// Something to look up, or to note on the alarms.
#[derive(Debug)]
pub enum Question {
    /// The parcels on the sorter with this code, written into the list: at most as many as it has
    /// room for.
    Parcels(CodeId, Vec<ItemView>),
    /// What something waits for.
    Why(Ask),
    /// The parcels that can be keyed in, the most urgent first, in place of what the list holds.
    Unread(Vec<Unread>),
    /// What stands for a waybill.
    StandsFor(CodeId),
    /// Waybills for which something stands, those behind this one, in place of what the list
    /// holds: at most as many as it has room for.
    Standing(CodeId, Vec<Standing>),
    /// Somebody, by name, has seen an alarm.
    Acknowledge(u64, ShortText),
    /// Somebody puts an alarm aside for so long.
    Shelve(u64, Micros),
}

/// What was looked up.
#[derive(Debug)]
pub enum Found {
    /// Parcels.
    Parcels(Vec<ItemView>),
    /// What it waits for, in words; `None`: there is no such thing here.
    Why(Option<String>),
    /// Parcels that can be keyed in.
    Unread(Vec<Unread>),
    /// What stands for the waybill.
    Stands(Standing),
    /// What stands, and for how many waybills in all.
    Standing(Vec<Standing>, usize),
    /// Whether it was noted.
    Alarm(Result<(), AlarmRefused>),
}

/// An answer on its way to whoever asked.
#[derive(Debug)]
pub(super) enum Reply {
    Obeyed(Box<Batch>, oneshot::Sender<Box<Batch>>),
    Staged(
        Result<(), NotStaged>,
        oneshot::Sender<Result<(), NotStaged>>,
    ),
    Seen(Box<View>, oneshot::Sender<Box<View>>),
    Found(Found, oneshot::Sender<Found>),
}

impl Reply {
    fn send(self) {
        // Whoever has gone away meanwhile does not need it.
        match self {
            Self::Obeyed(batch, to) => drop(to.send(batch)),
            Self::Staged(result, to) => drop(to.send(result)),
            Self::Seen(view, to) => drop(to.send(view)),
            Self::Found(found, to) => drop(to.send(found)),
        }
    }
}

impl Decider {
    /// Serves a request that takes one turn.
    pub(super) fn serve(&mut self, request: Request) {
        match request {
            Request::Tell(signal) => {
                self.tell(signal, None);
                self.turn_over();
            }
            Request::Stage(plan, to) => {
                let staged = self.stage(plan);
                self.reply(Reply::Staged(staged, to));
            }
            Request::Look(mut view, to) => {
                self.write(self.clock.plant_now(), &mut view);
                self.reply(Reply::Seen(view, to));
            }
            Request::Ask(question, to) => {
                let found = self.find(question);
                self.reply(Reply::Found(found, to));
            }
            Request::Host(link) => {
                self.show.keeps_texts = link.is_some();
                self.host.join(link);
            }
            Request::Roles(roles) => self.show.set_roles(&roles),
            Request::Obey(..) | Request::Stop => unreachable!("these take more than a turn"),
        }
    }

    /// Has the sorter carry out a command; `None` if the run has broken off.
    pub(super) fn obey(&mut self, note: &str, command: Command) -> Option<Result<(), Refused>> {
        if self.broken().is_some() {
            return None;
        }
        let ticket = Ticket(self.ticket.0.wrapping_add(1));
        self.ticket = ticket;
        self.recorder.note(ticket, note);
        self.tell(Signal::Command { ticket, command }, None);
        if self.broken().is_some() {
            return None;
        }
        let mut said = self.outbox.outputs().iter();
        said.find_map(|output| match *output {
            Output::Answered { ticket: of, answer } if of == ticket => Some(answer),
            _ => None,
        })
    }

    fn stage(&mut self, plan: Arc<Plan>) -> Result<(), NotStaged> {
        if !self.recorder.staged(plan.version()) {
            return Err(NotStaged);
        }
        hand_plan(&mut self.sorter, plan);
        self.turn_over();
        Ok(())
    }

    fn find(&mut self, question: Question) -> Found {
        match question {
            Question::Parcels(code, mut parcels) => {
                let room = parcels.capacity() - parcels.len();
                let fits = self.sorter.items().filter(|item| item.code == code);
                parcels.extend(fits.take(room));
                Found::Parcels(parcels)
            }
            Question::Why(ask) => {
                let is_here = self.sorter.why(ask) != Waiting::NotHere;
                let now = self.clock.plant_now();
                Found::Why(is_here.then(|| why(&self.sorter, now, ask)))
            }
            Question::Unread(mut queue) => {
                self.sorter.unread(&mut queue);
                Found::Unread(queue)
            }
            Question::StandsFor(code) => Found::Stands(self.sorter.stands_for(code)),
            Question::Standing(after, mut list) => {
                self.sorter.standing(after, &mut list);
                Found::Standing(list, self.sorter.instructions().0)
            }
            Question::Acknowledge(id, who) => {
                Found::Alarm(self.acknowledge_alarm(id, who.as_str()))
            }
            Question::Shelve(id, wait) => Found::Alarm(self.shelve_alarm(id, wait)),
        }
    }

    /// An answer that leaves after the links' turn.
    pub(super) fn reply(&mut self, reply: Reply) {
        self.replies.push_back(reply);
        self.after.notify_one();
    }

    /// Lets the answers go, and wakes a host that has been asked.
    pub(super) fn answer(&mut self) {
        while let Some(reply) = self.replies.pop_front() {
            reply.send();
        }
        self.host.wake();
    }
}

/// Hands a plan to a sorter, to be activated later.
pub(crate) fn hand_plan(sorter: &mut Sorter, plan: Arc<Plan>) {
    // Whoever staged it keeps it, so that nothing is freed here.
    let _not_needed = sorter.stage_in_turn(plan);
}
