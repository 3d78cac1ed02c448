//! Asking the host where a parcel goes, when nothing here knows.
//!
//! The parcel goes on meanwhile: on a loop (or a line that brings it back) without an order, on
//! any other line to the reject chute it reaches last, which an answer in time revises. Without an
//! answer by the deadline the local answer stands: attribute rules, then the exception chute. A
//! later answer is kept, and serves if that way fails.

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::cases::Host;
use super::state::{Intent, Slot};
use crate::facts::Facts;
use crate::ids::{ChuteId, ParcelId, TrackId};
use crate::limits::{ORDER_CHUTES_MAX, QUESTIONS_MAX};
use crate::operator::{HostSays, Refused};
use crate::outbox::Outbox;
use crate::reason::Reason;
use crate::signal::{Basis, Output};
use crate::units::Micros;

/// An open question. They lie in the order of their deadlines.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Question {
    pub until: Micros,
    pub parcel: ParcelId,
    pub slot: Slot,
}

impl Sorter {
    /// Asks the host about an item, unless that was done; `false` if it cannot be asked, which
    /// counts as an answer that is late.
    pub(super) fn ask_host(&mut self, slot: Slot, outbox: &mut Outbox) -> bool {
        let case = &mut self.state.cases[slot as usize];
        let Some(patience) = self.plan.spec().host else {
            return false;
        };
        if let Host::Asked { .. } = case.host {
            return true;
        }
        if self.state.questions.len() == QUESTIONS_MAX {
            case.host = Host::Late;
            self.state.books.host_not_asked += 1;
            return false;
        }
        let until = self.state.now.after(patience);
        case.host = Host::Asked { until };
        let item = &self.state.items[slot as usize];
        let (parcel, code) = (item.parcel, item.code);
        let at = self.question(until, parcel).unwrap_or_else(|at| at);
        let question = Question {
            until,
            parcel,
            slot,
        };
        // The patience is the same for all under one plan, so that this is the end of the queue.
        self.state.questions.insert(at, question);
        self.state.books.host_asked += 1;
        outbox.push(Output::AskHost {
            parcel,
            code,
            until,
        });
        true
    }

    fn question(&self, until: Micros, parcel: ParcelId) -> Result<usize, usize> {
        let key = |question: &Question| (question.until, question.parcel);
        self.state
            .questions
            .binary_search_by_key(&(until, parcel), key)
    }

    /// Takes an item's open question back, if it has one.
    pub(super) fn close_question(&mut self, slot: Slot) {
        let case = &mut self.state.cases[slot as usize];
        let Host::Asked { until } = case.host else {
            return;
        };
        case.host = Host::NotAsked;
        let parcel = self.state.items[slot as usize].parcel;
        let Ok(at) = self.question(until, parcel) else {
            panic!("the question about parcel {parcel} is not among the open ones");
        };
        self.state.questions.remove(at);
    }

    /// An item's question is that of the item in another slot now.
    pub(super) fn move_question(&mut self, old: Slot, slot: Slot) {
        let case = &mut self.state.cases[old as usize];
        let Host::Asked { until } = case.host else {
            return;
        };
        case.host = Host::NotAsked;
        let parcel = self.state.items[old as usize].parcel;
        let Ok(at) = self.question(until, parcel) else {
            panic!("the question about parcel {parcel} is not among the open ones");
        };
        self.state.questions[at].slot = slot;
    }

    /// The host has not answered in time about the parcel that was asked about first.
    pub(super) fn host_is_late(&mut self, outbox: &mut Outbox) {
        let Some(&Question { slot, .. }) = self.state.questions.front() else {
            return;
        };
        self.stop_waiting(slot, outbox);
    }

    fn stop_waiting(&mut self, slot: Slot, outbox: &mut Outbox) {
        self.close_question(slot);
        self.state.cases[slot as usize].host = Host::Late;
        self.state.books.host_late += 1;
        self.host_unheard();
        self.redecide(slot, outbox);
    }

    /// The host has answered.
    pub(super) fn host_says(
        &mut self,
        slot: Slot,
        says: HostSays,
        outbox: &mut Outbox,
    ) -> Result<(), Refused> {
        let has_way = self.has_way(slot);
        match self.state.cases[slot as usize].host {
            Host::Asked { .. } => {
                self.close_question(slot);
                self.state.books.host_answered += 1;
                self.host_heard();
            }
            // To hold a parcel it is never too late, nor must anybody have asked.
            _ if says == HostSays::Hold => {}
            Host::Late | Host::SaidLate(_) if has_way => {
                self.state.cases[slot as usize].host = Host::SaidLate(says);
                return Ok(());
            }
            // It may change its mind, and must be able to take a hold back.
            Host::Late | Host::SaidLate(_) | Host::Said(_) => {}
            Host::NotAsked => return Err(Refused::NotAsked),
        }
        self.state.cases[slot as usize].host = Host::Said(says);
        self.redecide(slot, outbox);
        Ok(())
    }

    /// Whether an order stands for an item that no chute has refused yet.
    fn has_way(&self, slot: Slot) -> bool {
        let item = &self.state.items[slot as usize];
        item.ordered.is_some() && matches!(item.cause, Reason::Planned | Reason::HostLate)
    }

    /// An item goes round: an answer that came too late before serves now.
    pub(super) fn use_late_answer(&mut self, slot: Slot, outbox: &mut Outbox) {
        let item = &self.state.items[slot as usize];
        if item.intent != Intent::Reject(Reason::HostLate) && item.basis != Basis::Rule {
            return;
        }
        if let Host::SaidLate(says) = self.state.cases[slot as usize].host {
            self.state.cases[slot as usize].host = Host::Said(says);
            self.redecide(slot, outbox);
        }
    }

    /// What the next sorter is told of an item. A host that has named its destination need not be
    /// asked again there.
    pub(super) fn facts_to_go(&self, slot: Slot) -> Facts {
        let mut facts = self.state.facts[slot as usize];
        if let Host::Said(HostSays::To(dest)) = self.state.cases[slot as usize].host {
            facts.advice.dest = dest;
        }
        facts
    }

    /// The way of an item whose host has not answered yet.
    pub(super) fn route_asking(&mut self, slot: Slot, outbox: &mut Outbox) {
        let item = &self.state.items[slot as usize];
        let track = TrackId(item.track);
        if self.comes_round(track) {
            if item.laps > self.laps_max(track) {
                self.stop_waiting(slot, outbox);
            } else {
                self.withdraw(slot, outbox);
            }
            return;
        }
        let mut last: Option<(i64, ChuteId)> = None;
        for chute in self.plan.rejects(Reason::HostLate) {
            let pass = self.reach(slot, chute).map(|at| (at.0, chute));
            last = last.max(pass);
        }
        let Some((_, chute)) = last else {
            self.withdraw(slot, outbox);
            return;
        };
        self.release_room(slot);
        let mut chutes = [None; ORDER_CHUTES_MAX];
        chutes[0] = Some(chute);
        self.order(slot, chutes, Reason::HostLate, outbox);
    }
}
