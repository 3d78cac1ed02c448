//! Conveyors from chutes to inductions: what goes in comes out after its travel, in order, and
//! waits at the induction before anybody new gets on.

use sorthub_core::ids::{ChuteId, TransferId};
use sorthub_core::units::Micros;

use super::Plant;
use super::track::Carried;

/// A parcel that comes over a transfer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brought {
    /// When it is at the induction.
    pub at: Micros,
    /// Which transfer brings it.
    pub over: TransferId,
    pub parcel: Carried,
}

impl Plant {
    /// A parcel has dropped onto a transfer.
    pub(super) fn carry_over(&mut self, over: TransferId, parcel: Carried) {
        let spec = self.hub.transfers()[over.index()];
        let at = self.now.after(spec.travel);
        let to = spec.to.index();
        self.tally.handed_over += 1;
        let brought = &mut self.inductions[to].brought;
        let behind = brought.partition_point(|other| other.at <= at);
        brought.insert(behind, Brought { at, over, parcel });
        self.chutes[spec.from.index()].hold(parcel.length);
        self.plan_induction(to);
    }

    /// The first parcel that has come over a transfer gets off it.
    pub(super) fn bring(&mut self, index: usize) -> Option<Carried> {
        let Brought { over, parcel, .. } = self.inductions[index].brought.pop_front()?;
        let from: ChuteId = self.hub.transfers()[over.index()].from;
        self.chutes[from.index()].let_go(parcel.length);
        self.tally.taken_over += 1;
        Some(parcel)
    }
}
