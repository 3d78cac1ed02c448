//! The sorter: one pure state machine that follows every parcel and says where it goes.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::hub::Hub;
use crate::ids::{CellId, ChuteId, CodeId, ParcelId, PlcItem, TrackId};
use crate::outbox::Outbox;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::signal::{ChuteState, Signal};
use crate::units::{BeltMm, Micros, MmPerS};

mod books;

pub use books::Books;

/// What a sorter is made with, besides its hub and plan.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Goes into every parcel id of this run; grows with each start of the live engine.
    pub run_epoch: u32,
}

/// The sorter of one hub's tracks.
#[derive(Debug)]
pub struct Sorter {
    hub: Arc<Hub>,
    plan: Arc<Plan>,
    books: Books,
}

/// A parcel on its way, as a page or a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemView {
    /// Its id.
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
    /// Why.
    pub why: Reason,
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
    /// Parcels on their way to it.
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
}

/// Why a snapshot cannot be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The bytes are not a snapshot of this build; replay the journal instead.
    #[error("not a snapshot of this build; replay the journal from its start instead")]
    Damaged,
    /// It was taken of another hub or plan; restore it with the ones it was taken under.
    #[error("taken of another hub or plan; restore it with the hub and plan it was taken under")]
    OtherHub,
}

impl Sorter {
    /// A sorter with nothing on it. All it will ever need is allocated here.
    #[must_use]
    pub fn new(hub: Arc<Hub>, plan: Arc<Plan>, setup: Setup) -> Self {
        let _ = setup;
        Self { hub, plan, books: Books::default() }
    }

    /// Takes one signal and leaves what follows from it in `outbox` (which it does not clear).
    ///
    /// First fires everything due by `now`, so that `handle(t, Tick)` and then `handle(t, s)` is
    /// the same as `handle(t, s)`. `now` must not go back.
    pub fn handle(&mut self, now: Micros, signal: &Signal, outbox: &mut Outbox) {
        let _ = (now, signal, outbox);
    }

    /// When to call next with [`Signal::Tick`] if nothing happens before; `None` if nothing is
    /// waited for.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Micros> {
        None
    }

    /// The book.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.books
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

    /// The running hash over everything it has said.
    #[must_use]
    pub fn output_hash(&self) -> u64 {
        0
    }

    /// A hash over its whole state.
    #[must_use]
    pub fn digest(&self) -> u64 {
        0
    }

    /// Its whole state as bytes, for [`Sorter::restore`] in the same build.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        Vec::new()
    }

    /// A sorter with the state of a snapshot: its future is the same.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(hub: Arc<Hub>, plan: Arc<Plan>, snapshot: &[u8]) -> Result<Self, RestoreError> {
        let _ = (hub, plan, snapshot);
        Err(RestoreError::Damaged)
    }

    /// The parcels on their way, track by track in order of carrier or window.
    pub fn items(&self) -> impl Iterator<Item = ItemView> + '_ {
        core::iter::empty()
    }

    /// One chute.
    #[must_use]
    pub fn chute(&self, chute: ChuteId) -> ChuteView {
        let _ = chute;
        ChuteView::default()
    }

    /// One track.
    #[must_use]
    pub fn track(&self, track: TrackId) -> TrackView {
        let _ = track;
        TrackView { at: BeltMm(0), speed: MmPerS(0), told: Micros(0), linked: false }
    }
}
