//! What a parcel's way rests on: so that a first match can be explained afterwards.

use super::Sorter;
use super::cases::Host;
use crate::facts::{DestKey, Facts};
use crate::ids::{ChuteId, ParcelId};
use crate::operator::HostSays;
use crate::plan::Stage;
use crate::reason::Reason;
use crate::signal::Basis;
use crate::units::Micros;

/// All that a decision was made from, and what decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grounds {
    /// What is known of the parcel, all readings together.
    pub facts: Facts,
    /// Its waybill is held.
    pub is_held: bool,
    /// Its waybill is suspect, whatever was seen of the parcel itself.
    pub is_suspect: bool,
    /// Where its waybill is sent instead.
    pub intercept: DestKey,
    /// A person sends it there.
    pub forced: Option<ChuteId>,
    /// A person has found it damaged.
    pub is_damaged: bool,
    /// Its code was keyed in.
    pub is_keyed: bool,
    /// How it stands with the host.
    pub host: HostStatus,
    /// What decided.
    pub basis: Basis,
    /// The place in the plan of the attribute rule that decided, if one did.
    pub rule: Option<usize>,
    /// The destination that came of it; [`DestKey::NONE`]: none.
    pub dest: DestKey,
    /// Why it goes where it goes.
    pub why: Reason,
}

/// How it stands with the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostStatus {
    /// It was not asked.
    NotAsked,
    /// It was asked and has until then.
    Asked {
        /// The deadline.
        until: Micros,
    },
    /// It has answered.
    Said(HostSays),
    /// It has not answered in time; an answer that came after all serves if the parcel's way
    /// fails.
    Late(Option<HostSays>),
}

impl Sorter {
    /// What a parcel's way rests on; `None` for one that is not on the sorter.
    #[must_use]
    pub fn grounds(&self, parcel: ParcelId) -> Option<Grounds> {
        let slot = self.slot_of(parcel)? as usize;
        let (item, case) = (&self.state.items[slot], &self.state.cases[slot]);
        let facts = self.state.facts[slot];
        let told = self.state.instructions.of(item.code);
        let rule = match item.basis {
            Basis::FirstRule => self.plan.rule_at(Stage::First, &facts),
            Basis::Rule => self.plan.rule_at(Stage::Last, &facts),
            _ => None,
        };
        Some(Grounds {
            facts,
            is_held: told.is_held,
            is_suspect: told.is_suspect,
            intercept: told.intercept,
            forced: case.forced,
            is_damaged: case.is_damaged,
            is_keyed: case.is_keyed,
            host: match case.host {
                Host::NotAsked => HostStatus::NotAsked,
                Host::Asked { until } => HostStatus::Asked { until },
                Host::Said(says) => HostStatus::Said(says),
                Host::Late => HostStatus::Late(None),
                Host::SaidLate(says) => HostStatus::Late(Some(says)),
            },
            basis: item.basis,
            rule,
            dest: item
                .dest
                .map_or(DestKey::NONE, |dest| self.plan_of(item).key(dest)),
            why: item.why(),
        })
    }

    /// How many waybills have a hold, an intercept or a suspect verdict, and how many there can be.
    #[must_use]
    pub fn instructions(&self) -> (usize, usize) {
        let most = crate::limits::INSTRUCTIONS_MAX;
        (self.state.instructions.len(), most)
    }
}
