//! Where a parcel is for, from what is known of it: the first that knows wins.

use super::Sorter;
use super::state::Intent;
use crate::facts::Facts;
use crate::ids::DestId;
use crate::plan::{AddressKind, Stage, Then};
use crate::reason::Reason;
use crate::signal::Basis;

/// What becomes of a parcel that was read, and what said so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Derived {
    pub intent: Intent,
    pub dest: Option<DestId>,
    pub basis: Basis,
}

impl Derived {
    fn to(dest: DestId, basis: Basis) -> Self {
        Self {
            intent: Intent::Sort,
            dest: Some(dest),
            basis,
        }
    }

    fn reject(why: Reason, basis: Basis) -> Self {
        Self {
            intent: Intent::Reject(why),
            dest: None,
            basis,
        }
    }

    fn by_rule(then: Then, basis: Basis) -> Self {
        match then {
            Then::To(dest) => Self::to(dest, basis),
            Then::Reject(why) => Self::reject(why, basis),
        }
    }
}

impl Sorter {
    /// Where a parcel with a good code is for.
    pub(super) fn derive(&self, facts: &Facts) -> Derived {
        let plan = &self.plan;
        let advice = &facts.advice;
        if let Some(then) = plan.rule(Stage::First, facts) {
            return Derived::by_rule(then, Basis::FirstRule);
        }
        if let Some(dest) = plan.dest(advice.dest) {
            return Derived::to(dest, Basis::PreAdvice);
        }
        if let Some(dest) = plan.dest_at(AddressKind::Segment, advice.segment) {
            return Derived::to(dest, Basis::Segment);
        }
        if let Some(dest) = plan.dest_at(AddressKind::Postcode, advice.postcode) {
            return Derived::to(dest, Basis::Postcode);
        }
        if let Some(then) = plan.rule(Stage::Last, facts) {
            return Derived::by_rule(then, Basis::Rule);
        }
        // Advice for somewhere that the plan does not know is another matter than none.
        let names_a_place =
            advice.dest.is_some() || advice.segment.is_some() || advice.postcode.is_some();
        let why = if names_a_place {
            Reason::NoRule
        } else {
            Reason::NoData
        };
        Derived::reject(why, Basis::Nothing)
    }
}
