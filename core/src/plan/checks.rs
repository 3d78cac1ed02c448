//! What a parcel's measures say against the plan, and against what was declared.

use super::spec::Checks;
use crate::facts::{Facts, Measures};
use crate::reason::Reason;

impl Checks {
    /// Why a parcel must be looked at before it is sorted; `None` if nothing is wrong with it, as
    /// far as it was measured.
    #[must_use]
    pub fn fault(&self, facts: &Facts) -> Option<Reason> {
        let (measured, declared) = (&facts.measured, &facts.advice.declared);
        if self.is_too_much(measured) {
            return Some(Reason::WeightOrSize);
        }
        let differs =
            self.weight_differs(measured, declared) || self.size_differs(measured, declared);
        differs.then_some(Reason::DeclaredMismatch)
    }

    fn is_too_much(&self, measured: &Measures) -> bool {
        let sides = [measured.length.0, measured.width.0, measured.height.0];
        let too_heavy = self.weight_most.0 > 0 && measured.weight > self.weight_most;
        let too_long =
            self.length_most.0 > 0 && sides.iter().any(|side| *side > self.length_most.0);
        too_heavy || too_long
    }

    fn weight_differs(&self, measured: &Measures, declared: &Measures) -> bool {
        let (measured, declared) = (measured.weight.0, declared.weight.0);
        let (share, least) = (self.weight_tolerance_permille, self.weight_tolerance.0);
        if measured == 0 || declared == 0 || (share == 0 && least == 0) {
            return false;
        }
        let allowed = (u64::from(declared) * u64::from(share) / 1_000).max(u64::from(least));
        u64::from(measured.abs_diff(declared)) > allowed
    }

    /// Compares the longest side with the longest, and so on: how a parcel lies on the belt does
    /// not matter. That needs all three sides of both.
    fn size_differs(&self, measured: &Measures, declared: &Measures) -> bool {
        let (measured, declared) = (measured.sides(), declared.sides());
        let known = |sides: [u32; 3]| !sides.contains(&0);
        if self.size_tolerance.0 == 0 || !known(measured) || !known(declared) {
            return false;
        }
        let mut pairs = measured.iter().zip(declared);
        pairs.any(|(measured, declared)| measured.abs_diff(declared) > self.size_tolerance.0)
    }
}
