//! What a page or a person can see of the sorter. Nothing here changes anything.

use alloc::sync::Arc;

use super::state::NO_ITEM;
use super::{Books, Sorter};
use crate::hub::Hub;
use crate::ids::{CellId, ChuteId, CodeId, ParcelId, PlcItem, TrackId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::signal::{Basis, ChuteState};
use crate::units::{BeltMm, Micros, MmPerS};

/// A parcel on its way, as a page or a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemView {
    /// Its id; counter 0 while it is not known whether it is a new one.
    pub parcel: ParcelId,
    /// The PLC's number for it.
    pub item: PlcItem,
    /// Its carrier or window.
    pub cell: CellId,
    /// The belt position at which it was (or would have been) at the track's origin.
    pub origin: BeltMm,
    /// Its code, once read.
    pub code: CodeId,
    /// The chute it is ordered to.
    pub chute: Option<ChuteId>,
    /// Why it goes there, or what kept it from leaving last.
    pub why: Reason,
    /// What said where it is for.
    pub basis: Basis,
    /// Laps added so far.
    pub laps: u8,
}

/// A chute, as a page or a person sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChuteView {
    /// What it said of itself last.
    pub state: ChuteState,
    /// Parcels that left by it.
    pub dropped: u64,
    /// Parcels in it, for chutes that can count them.
    pub holds: u32,
    /// Parcels on their way to it, where room is reserved.
    pub coming: u32,
}

/// A track, as a page or a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackView {
    /// The last encoder that was told.
    pub at: BeltMm,
    /// The speed told with it.
    pub speed: MmPerS,
    /// When that was.
    pub told: Micros,
    /// Whether the PLC link is up.
    pub linked: bool,
    /// Parcels that the PLC has forgotten and that may be found again.
    pub in_doubt: u32,
}

impl Sorter {
    /// The book.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.state.books
    }

    /// The hub it sorts.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The plan it sorts by.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The parcels in carriers and windows, track by track in their order.
    pub fn items(&self) -> impl Iterator<Item = ItemView> + '_ {
        let slots = self.state.cells.iter().filter(|&&slot| slot != NO_ITEM);
        slots.map(|&slot| {
            let item = &self.state.items[slot as usize];
            let why = match item.intent {
                super::state::Intent::Sort | super::state::Intent::Undecided => item.cause,
                _ => item.why(),
            };
            ItemView {
                parcel: item.parcel,
                item: item.item,
                cell: item.cell,
                origin: item.origin,
                code: item.code,
                chute: item.ordered.and_then(|order| order.chutes[0]),
                why,
                basis: item.basis,
                laps: item.laps,
            }
        })
    }

    /// One chute.
    #[must_use]
    pub fn chute(&self, chute: ChuteId) -> ChuteView {
        let chute = &self.state.chutes[chute.index()];
        ChuteView {
            state: chute.state,
            dropped: chute.dropped,
            holds: chute.contents.len() as u32,
            coming: chute.coming,
        }
    }

    /// One track.
    #[must_use]
    pub fn track(&self, track: TrackId) -> TrackView {
        let track = &self.state.tracks[track.index()];
        TrackView {
            at: track.at,
            speed: track.speed,
            told: track.told,
            linked: track.linked,
            in_doubt: track.in_doubt.len() as u32,
        }
    }
}
