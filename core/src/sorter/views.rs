//! What a page or a person can see of the sorter. Nothing here changes anything.

use alloc::sync::Arc;

use super::state::NO_ITEM;
use super::{BagView, Books, ChuteIs, Sorter, Wish};
use crate::hub::{Hub, Lot};
use crate::ids::{
    CellId, ChuteId, CodeId, DestId, InductionId, ParcelId, PlcItem, ScannerId, TrackId,
};
use crate::plan::{Plan, Waves};
use crate::reason::Reason;
use crate::running::{DisabledBy, Feeding, Hold, Pace, RunState};
use crate::signal::{Basis, ChuteState, Refusal};
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
    /// Where it is for, once that is known.
    pub dest: Option<DestId>,
    /// Carriers that it lies on.
    pub spans: u8,
}

/// A chute, as a page or a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChuteView {
    /// What it is, all things considered; [`ChuteIs::closed_because`] says why it takes nothing.
    pub is: ChuteIs,
    /// Since when it is that.
    pub since: Micros,
    /// What it said of itself last.
    pub state: ChuteState,
    /// What its PLC was told last to do with it.
    pub wish: Wish,
    /// Parcels that left by it.
    pub dropped: u64,
    /// Parcels that it refused, by [`Refusal`] in its order.
    pub refused: [u64; Refusal::COUNT],
    /// For how long it was full so far, in µs.
    pub full_us: u64,
    /// For how long it was locked so far, or its bag being changed, in µs.
    pub locked_us: u64,
    /// Parcels in it, for chutes that can count them.
    pub holds: u32,
    /// Parcels on their way to it.
    pub coming: u32,
    /// The bag or cage that hangs there, if it has one.
    pub bag: Option<BagView>,
    /// Discharges into it that failed at its diverter or a carrier.
    pub failed: u64,
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
    /// Its mode and step, and what it does without.
    pub state: RunState,
    /// Carriers or windows that are taken or may be, and what that is in thousandths of the usable
    /// ones.
    pub occupied: u32,
    /// See `occupied`.
    pub occupancy_permille: u32,
    /// Carriers that are not used.
    pub disabled: u32,
}

/// An induction, as a page or a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InductionView {
    /// How fast it may feed.
    pub pace: Pace,
    /// Most parcels an hour; 0: no limit.
    pub limit_per_h: u16,
    /// What holds it.
    pub hold: Hold,
    /// Since when.
    pub since: Micros,
    /// What it really does, as its PLC says.
    pub feeding: Feeding,
}

/// A scanner, as a page or a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScannerView {
    /// Telegrams that it sent.
    pub telegrams: u64,
    /// Of those, with one good code.
    pub good: u64,
    /// Items in a row that it has sent nothing for.
    pub silent_in_row: u16,
    /// Whether it counts as silent.
    pub is_silent: bool,
}

impl Sorter {
    /// The book.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.state.books
    }

    /// The time of its last call.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.state.now
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
                // A destination of another plan would be taken for one of this plan.
                dest: item.dest.filter(|_| item.plan == self.state.plans.active),
                spans: item.spans,
            }
        })
    }

    /// One chute.
    #[must_use]
    pub fn chute(&self, id: ChuteId) -> ChuteView {
        let chute = &self.state.chutes[id.index()];
        let (full_us, locked_us) = chute.closed_us(self.state.now);
        let has_bag = self.hub.chutes()[id.index()].rules.lot != Lot::Flow;
        ChuteView {
            failed: self.state.diverters[id.index()].failed,
            is: chute.is,
            since: chute.since,
            state: chute.state,
            wish: chute.wish,
            dropped: chute.dropped,
            refused: chute.refused,
            full_us,
            locked_us,
            holds: chute.contents.len() as u32,
            coming: chute.coming,
            bag: has_bag.then(|| chute.bag.view()),
        }
    }

    /// Which waves are open.
    #[must_use]
    pub fn waves(&self) -> Waves {
        self.state.waves
    }

    /// One track.
    #[must_use]
    pub fn track(&self, track: TrackId) -> TrackView {
        let running = &self.state.running[track.index()];
        let (occupied, permille) = (self.on_track(track), self.occupancy_permille(track));
        let track = &self.state.tracks[track.index()];
        TrackView {
            state: running.state,
            occupied,
            occupancy_permille: permille as u32,
            disabled: running.disabled,
            at: track.at,
            speed: track.speed,
            told: track.told,
            linked: track.linked,
            in_doubt: track.in_doubt.len() as u32,
        }
    }

    /// One induction.
    #[must_use]
    pub fn induction(&self, induction: InductionId) -> InductionView {
        let induction = &self.state.inductions[induction.index()];
        InductionView {
            pace: induction.said.0,
            limit_per_h: induction.said.1,
            hold: induction.hold,
            since: induction.since,
            feeding: induction.feeding,
        }
    }

    /// One scanner.
    #[must_use]
    pub fn scanner(&self, scanner: ScannerId) -> ScannerView {
        let hearing = &self.state.hearing[scanner.index()];
        ScannerView {
            telegrams: hearing.telegrams,
            good: hearing.good,
            silent_in_row: hearing.silent,
            is_silent: hearing.is_silent(),
        }
    }

    /// Who disabled a carrier; `None`: it is used.
    #[must_use]
    pub fn carrier_disabled(&self, cell: CellId) -> Option<DisabledBy> {
        self.state.carriers.get(cell.index())?.off
    }
}
