//! What a plan uses each chute for.

use alloc::vec;
use alloc::vec::Vec;

use super::spec::PlanSpec;

/// What a plan uses a chute for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Parcels of a destination may end in it as sorted.
    pub sorts: bool,
    /// Rejected parcels may end in it.
    pub rejects: bool,
}

impl Use {
    /// Whether it is used at all.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.sorts || self.rejects
    }
}

/// For each chute of a hub.
pub(super) fn of(spec: &PlanSpec, chutes: usize) -> Vec<Use> {
    let mut uses = vec![Use::default(); chutes];
    for chute in spec.destinations.iter().flat_map(|dest| dest.every_chute()) {
        uses[chute.index()].sorts = true;
    }
    let exceptions = spec.exceptions.iter().flat_map(|(_, chutes)| chutes);
    for chute in spec.reject.iter().chain(exceptions) {
        uses[chute.index()].rejects = true;
    }
    uses
}
