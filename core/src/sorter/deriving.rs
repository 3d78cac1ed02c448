//! Where a parcel is for, from what is known of it: the first that knows wins.

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::cases::Host;
use super::state::{Intent, Slot, Whereabouts};
use crate::facts::{Facts, Reading, Verdict};
use crate::ids::{DestId, TrackId};
use crate::operator::HostSays;
use crate::outbox::Outbox;
use crate::plan::{AddressKind, NoReadPolicy, Stage, Then};
use crate::reason::Reason;
use crate::signal::{Basis, Output};

/// What becomes of a parcel, and what said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Derived {
    pub intent: Intent,
    pub dest: Option<DestId>,
    pub basis: Basis,
}

impl Derived {
    /// Nothing is known yet.
    pub const NOTHING: Self = Self::so(Intent::Undecided, Basis::Nothing);

    const fn so(intent: Intent, basis: Basis) -> Self {
        Self {
            intent,
            dest: None,
            basis,
        }
    }

    const fn to(dest: DestId, basis: Basis) -> Self {
        Self {
            intent: Intent::Sort,
            dest: Some(dest),
            basis,
        }
    }

    const fn reject(why: Reason, basis: Basis) -> Self {
        Self::so(Intent::Reject(why), basis)
    }

    const fn by_rule(then: Then, basis: Basis) -> Self {
        match then {
            Then::To(dest) => Self::to(dest, basis),
            Then::Reject(why) => Self::reject(why, basis),
        }
    }
}

impl Sorter {
    /// Where an item is for.
    pub(super) fn derive(&self, slot: Slot) -> Derived {
        if let Some(held) = self.derive_stop(slot) {
            return held;
        }
        match self.state.facts[slot as usize].read {
            Reading::Good => self.derive_good(slot),
            Reading::NoRead => Derived::so(self.no_read(slot), Basis::Nothing),
            Reading::Invalid => Derived::reject(Reason::InvalidCode, Basis::Nothing),
            Reading::Several => Derived::reject(Reason::Several, Basis::Nothing),
            Reading::Conflict if self.state.cases[slot as usize].is_keyed => {
                Derived::reject(Reason::KeyedOtherwise, Basis::Nothing)
            }
            Reading::Conflict => Derived::reject(Reason::Conflict, Basis::Nothing),
        }
    }

    /// What stops a parcel whether it was read or not. A suspect one goes nowhere else, not even
    /// if a person sends it: suspect goods are never sorted onwards.
    fn derive_stop(&self, slot: Slot) -> Option<Derived> {
        let facts = &self.state.facts[slot as usize];
        let case = &self.state.cases[slot as usize];
        let told = self
            .state
            .instructions
            .of(self.state.items[slot as usize].code);
        let is_suspect = facts.verdict == Verdict::Suspect || told.is_suspect;
        if is_suspect && !(mutant!("suspect_is_forced") && case.forced.is_some()) {
            return Some(Derived::reject(Reason::SecurityHold, Basis::Hold));
        }
        if let Some(chute) = case.forced {
            return Some(Derived::so(Intent::Force(chute), Basis::Forced));
        }
        if case.is_damaged {
            return Some(Derived::reject(Reason::Damaged, Basis::Hold));
        }
        if told.is_held {
            return Some(Derived::reject(Reason::Held, Basis::Hold));
        }
        if case.host == Host::Said(HostSays::Hold) {
            return Some(Derived::reject(Reason::Held, Basis::Host));
        }
        // Together, several parcels may well be too heavy: that each must be read comes first.
        if facts.read == Reading::Several {
            return None;
        }
        let fault = self.plan.spec().checks.fault(facts)?;
        Some(Derived::reject(fault, Basis::Hold))
    }

    /// Where a parcel with a good code is for, if nothing stops it.
    fn derive_good(&self, slot: Slot) -> Derived {
        let (plan, facts) = (&self.plan, &self.state.facts[slot as usize]);
        let told = self.state.instructions.of(facts.code);
        if told.intercept.is_some() {
            // A plan switched to later may not have its destination.
            let lost = Derived::reject(Reason::Intercept, Basis::Intercept);
            let to = |dest| Derived::to(dest, Basis::Intercept);
            return plan.dest(told.intercept).map_or(lost, to);
        }
        if let Some(then) = plan.rule(Stage::First, facts) {
            return Derived::by_rule(then, Basis::FirstRule);
        }
        let advice = &facts.advice;
        if let Some(dest) = plan.dest(advice.dest) {
            let others = plan.destinations();
            let dest = match dest {
                DestId(own) if mutant!("neighbours_destination") => DestId((own + 1) % others),
                own => own,
            };
            return Derived::to(dest, Basis::PreAdvice);
        }
        if let Some(dest) = plan.dest_at(AddressKind::Segment, advice.segment) {
            return Derived::to(dest, Basis::Segment);
        }
        if let Some(dest) = plan.dest_at(AddressKind::Postcode, advice.postcode) {
            return Derived::to(dest, Basis::Postcode);
        }
        self.derive_elsewhere(slot, facts)
    }

    /// Where a parcel is for whose own data do not say it: the host, then rules, then its cause.
    fn derive_elsewhere(&self, slot: Slot, facts: &Facts) -> Derived {
        let (plan, advice) = (&self.plan, &facts.advice);
        let host = self.state.cases[slot as usize].host;
        match host {
            Host::Said(HostSays::To(key)) => {
                if let Some(dest) = plan.dest(key) {
                    return Derived::to(dest, Basis::Host);
                }
            }
            Host::NotAsked | Host::Asked { .. } if plan.spec().host.is_some() => {
                return Derived::so(Intent::Ask, Basis::Nothing);
            }
            _ => {}
        }
        if let Some(then) = plan.rule(Stage::Last, facts) {
            return Derived::by_rule(then, Basis::Rule);
        }
        // Advice for somewhere that the plan does not know is another matter than none.
        let names_a_place = advice.dest.is_some()
            || advice.segment.is_some()
            || advice.postcode.is_some()
            || matches!(host, Host::Said(HostSays::To(_)));
        let why = match host {
            Host::Late | Host::SaidLate(_) => Reason::HostLate,
            _ if names_a_place => Reason::NoRule,
            _ => Reason::NoData,
        };
        Derived::reject(why, Basis::Nothing)
    }

    /// What becomes of an item that could not be read: it is tried again if the plan says so and
    /// a scanner or a lap is left to do it.
    fn no_read(&self, slot: Slot) -> Intent {
        if mutant!("read_for_ever") {
            return Intent::Undecided;
        }
        let item = &self.state.items[slot as usize];
        let Some((scanner, _)) = self.state.cases[slot as usize].seen_by else {
            return Intent::Undecided;
        };
        let rejected = match item.cause {
            Reason::Unmatched => Intent::Reject(Reason::Unmatched),
            _ => Intent::Reject(Reason::NoRead),
        };
        let plan = self.plan.spec();
        if plan.no_read == NoReadPolicy::Reject && !self.stands_in(scanner) {
            return rejected;
        }
        let track = TrackId(item.track);
        let here = self.hub.scanners()[scanner.index()].at;
        let mut others = self.hub.scanners_of(track);
        let more = others.any(|s| self.hub.scanners()[s.index()].at > here);
        let again = more || (self.comes_round(track) && item.laps < self.laps_max(track));
        if again { Intent::Undecided } else { rejected }
    }

    /// Something new is known of an item: if that changes where it is for, it is sent there. Up to
    /// the commit point the order is revised; past it the PLC has the last word.
    pub(super) fn redecide(&mut self, slot: Slot, outbox: &mut Outbox) {
        let derived = self.derive(slot);
        if derived != self.state.cases[slot as usize].derived {
            self.decide(slot, derived, outbox);
        }
    }

    /// Makes an item's way what was derived for it.
    pub(super) fn decide(&mut self, slot: Slot, derived: Derived, outbox: &mut Outbox) {
        let mut derived = derived;
        if derived.intent != Intent::Undecided && self.state.items[slot as usize].provisional {
            // It may turn out to be one in doubt, of which more is known.
            self.enter_in_book(slot, outbox);
            derived = self.derive(slot);
        }
        self.remember_order(slot);
        if derived.intent == Intent::Ask {
            if !self.ask_host(slot, outbox) {
                derived = self.derive(slot);
            }
        } else {
            self.close_question(slot);
        }
        self.state.cases[slot as usize].derived = derived;
        let it = &mut self.state.items[slot as usize];
        it.intent = derived.intent;
        it.is_spent = false;
        it.dest = derived.dest;
        it.basis = derived.basis;
        if it.intent != Intent::Undecided {
            // What kept it from being read is over; what keeps it from leaving is not known yet.
            it.cause = match it.cause {
                Reason::NoRead | Reason::Unmatched => Reason::Planned,
                cause => cause,
            };
        }
        self.sort_unread(slot);
        if self.state.items[slot as usize].whereabouts != Whereabouts::Riding {
            return;
        }
        let said = outbox.outputs().len();
        self.route(slot, outbox);
        let told = |output: &Output| matches!(output, Output::Decided { .. });
        if outbox.outputs()[said..].iter().any(told) {
            return;
        }
        let item = &self.state.items[slot as usize];
        if let Some(standing) = item.ordered {
            // The order serves as it is, but for another reason.
            outbox.push(item.decided(standing.chutes[0], item.why()));
        }
    }
}
