//! The description of a hub: tracks, inductions, scanners, chutes.
//!
//! [`HubSpec`] is what a person wrote, already parsed; [`Hub::new`] checks all of it and returns
//! every fault, each naming its element, so that whoever read the text can add file and line. The
//! live engine, the simulator and replay all go through here.

use alloc::vec::Vec;

use crate::ids::{CellId, ChuteId, InductionId, ScannerId, SorterId, TrackId, TransferId};
use crate::limits::{
    CELLS_PER_TRACK_MAX, CHUTES_MAX, CHUTES_PER_TRACK_MAX, INDUCTIONS_PER_TRACK_MAX, TRACKS_MAX,
};

mod check;
mod named;
mod spec;
mod ways;

pub use check::{Element, HubFault, HubFaultKind};
pub use named::{GroupSpec, TagSpec};
pub use spec::{
    Capacity, Caps, ChuteRules, ChuteSpec, HubSpec, InductionSpec, Lot, LotMost, MeetsBy, Outlet,
    ScannerSpec, Sensing, SorterSpec, TrackKind, TrackSpec, TransferSpec,
};

use ways::Ways;

/// A hub that has passed every check, with the tables that the sorter looks things up in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hub {
    spec: HubSpec,
    /// First cell of each track, and one past the last of all.
    cell_base: Vec<u32>,
    /// For each track, its outlets in order of position.
    outlets: Vec<Vec<(Outlet, ChuteId)>>,
    /// For each chute, what choosing asks of it, side by side.
    gates: Vec<Gate>,
    /// How tracks are joined.
    ways: Ways,
}

/// What choosing asks of a chute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gate {
    /// Its first outlet, which nearly always is the only one.
    first: Outlet,
    traits: GateTraits,
}

/// What choosing must look at besides a chute's place and state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateTraits {
    /// There are parcels that it does not take whatever its state.
    pub is_picky: bool,
    /// Its container has a limit.
    pub has_lot_most: bool,
}

impl Hub {
    /// Checks a description.
    ///
    /// # Errors
    /// Every fault there is, not just the first; see [`HubFaultKind`] for each mend.
    pub fn new(spec: HubSpec) -> Result<Self, Vec<HubFault>> {
        let faults = check::check(&spec);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut cell_base = Vec::with_capacity(spec.tracks.len() + 1);
        let mut next = 0;
        for track in &spec.tracks {
            cell_base.push(next);
            next += track.kind.cells();
        }
        cell_base.push(next);
        let outlets = (0..spec.tracks.len())
            .map(|track| outlets_of(&spec, TrackId(track as u16)))
            .collect();
        let gates = spec.chutes.iter().map(|chute| Gate {
            first: chute.outlets[0],
            traits: GateTraits {
                is_picky: chute.rules.is_picky(),
                has_lot_most: chute.rules.lot != Lot::Flow && chute.rules.lot_most.is_any(),
            },
        });
        Ok(Self {
            ways: Ways::new(&spec),
            cell_base,
            outlets,
            gates: gates.collect(),
            spec,
        })
    }

    /// The description it was made from.
    #[must_use]
    pub fn spec(&self) -> &HubSpec {
        &self.spec
    }

    /// All tracks.
    #[must_use]
    pub fn tracks(&self) -> &[TrackSpec] {
        &self.spec.tracks
    }

    /// All inductions.
    #[must_use]
    pub fn inductions(&self) -> &[InductionSpec] {
        &self.spec.inductions
    }

    /// All scanners.
    #[must_use]
    pub fn scanners(&self) -> &[ScannerSpec] {
        &self.spec.scanners
    }

    /// All chutes.
    #[must_use]
    pub fn chutes(&self) -> &[ChuteSpec] {
        &self.spec.chutes
    }

    /// How many carriers and windows there are in all.
    #[must_use]
    pub fn cells(&self) -> u32 {
        *self.cell_base.last().unwrap_or(&0)
    }

    /// The cells of a track, as hub-wide numbers.
    #[must_use]
    pub fn cells_of(&self, track: TrackId) -> core::ops::Range<u32> {
        self.cell_base[track.index()]..self.cell_base[track.index() + 1]
    }

    /// The hub-wide number of a track's own carrier or window; `None` if it has no such one.
    #[must_use]
    pub fn cell(&self, track: TrackId, own: u16) -> Option<CellId> {
        let range = self.cells_of(track);
        let cell = range.start + u32::from(own);
        range.contains(&cell).then_some(CellId(cell))
    }

    /// The track of a cell, and the cell's number on it.
    #[must_use]
    pub fn track_of(&self, cell: CellId) -> Option<(TrackId, u16)> {
        let after = self.cell_base.partition_point(|&base| base <= cell.0);
        if after == 0 || after == self.cell_base.len() {
            return None;
        }
        let own = cell.0 - self.cell_base[after - 1];
        Some((TrackId(after as u16 - 1), own as u16))
    }

    /// Where a chute takes parcels from a track, if it does.
    #[must_use]
    pub fn outlet(&self, chute: ChuteId, track: TrackId) -> Option<Outlet> {
        let first = self.gates.get(chute.index())?.first;
        if first.track == track {
            return Some(first);
        }
        let mut more = self.spec.chutes[chute.index()].outlets.iter().copied();
        more.find(|outlet| outlet.track == track)
    }

    /// What choosing must look at besides a chute's place and state.
    #[must_use]
    pub fn gate(&self, chute: ChuteId) -> GateTraits {
        let gate = self.gates.get(chute.index());
        gate.map_or_else(GateTraits::default, |gate| gate.traits)
    }

    /// The outlets of a track in order of position.
    #[must_use]
    pub fn outlets(&self, track: TrackId) -> &[(Outlet, ChuteId)] {
        &self.outlets[track.index()]
    }

    /// The chute at the very end of a line, which takes what nobody else took; `None` for a loop.
    #[must_use]
    pub fn end_chute(&self, track: TrackId) -> Option<ChuteId> {
        let TrackKind::Line { length, .. } = self.spec.tracks[track.index()].kind else {
            return None;
        };
        let (outlet, chute) = self.outlets(track).last()?;
        (outlet.at == length).then_some(*chute)
    }

    /// The sorter that a track belongs to.
    #[must_use]
    pub fn sorter_of(&self, track: TrackId) -> SorterId {
        self.ways.sorter_of[track.index()]
    }

    /// How many sorters it has.
    #[must_use]
    pub fn sorters(&self) -> usize {
        self.spec.sorters.len().max(1)
    }

    /// All transfers.
    #[must_use]
    pub fn transfers(&self) -> &[TransferSpec] {
        &self.spec.transfers
    }

    /// The transfer that a chute feeds, if it feeds one.
    #[must_use]
    pub fn transfer_from(&self, chute: ChuteId) -> Option<TransferId> {
        self.ways.from_chute[chute.index()]
    }

    /// The transfers that feed an induction.
    pub fn transfers_to(&self, induction: InductionId) -> impl Iterator<Item = TransferId> + '_ {
        let all = self.spec.transfers.iter().enumerate();
        all.filter(move |(_, transfer)| transfer.to == induction)
            .map(|(index, _)| TransferId(index as u16))
    }

    /// The chutes of a track that feed the shortest ways to another one; none if there is no way.
    #[must_use]
    pub fn ways(&self, from: TrackId, to: TrackId) -> &[ChuteId] {
        let tracks = self.spec.tracks.len();
        &self.ways.next[from.index() * tracks + to.index()]
    }

    /// The chute with this name.
    #[must_use]
    pub fn chute_named(&self, name: &str) -> Option<ChuteId> {
        let at = self
            .spec
            .chutes
            .iter()
            .position(|chute| chute.name == name)?;
        Some(ChuteId(at as u16))
    }

    /// The scanners of a track.
    pub fn scanners_of(&self, track: TrackId) -> impl Iterator<Item = ScannerId> + '_ {
        let all = self.spec.scanners.iter().enumerate();
        all.filter(move |(_, s)| s.track == track)
            .map(|(i, _)| ScannerId(i as u16))
    }

    /// The inductions of a track.
    pub fn inductions_of(&self, track: TrackId) -> impl Iterator<Item = InductionId> + '_ {
        let all = self.spec.inductions.iter().enumerate();
        all.filter(move |(_, i)| i.track == track)
            .map(|(i, _)| InductionId(i as u16))
    }
}

fn outlets_of(spec: &HubSpec, track: TrackId) -> Vec<(Outlet, ChuteId)> {
    let mut found = Vec::new();
    for (index, chute) in spec.chutes.iter().enumerate() {
        for outlet in chute.outlets.iter().filter(|outlet| outlet.track == track) {
            found.push((*outlet, ChuteId(index as u16)));
        }
    }
    found.sort_by_key(|(outlet, chute)| (outlet.at, *chute));
    found
}

// Tracks and chutes are numbered with 16 bits, carriers and windows too on the wire.
const _: () = assert!(TRACKS_MAX <= u16::MAX as usize);
const _: () = assert!(CHUTES_MAX < u16::MAX as usize);
const _: () = assert!(CELLS_PER_TRACK_MAX <= crate::plc::map::CELLS_MAX as u32);
const _: () = assert!(CHUTES_PER_TRACK_MAX <= crate::plc::map::CHUTES_MAX as usize);
const _: () = assert!(INDUCTIONS_PER_TRACK_MAX <= crate::plc::map::INDUCTIONS_MAX as usize);
