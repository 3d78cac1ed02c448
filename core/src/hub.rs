//! The description of a hub: tracks, inductions, scanners, chutes.
//!
//! [`HubSpec`] is what a person wrote, already parsed; [`Hub::new`] checks all of it and returns
//! every fault, each naming its element, so that whoever read the text can add file and line. The
//! live engine, the simulator and replay all go through here.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::ids::{CellId, ChuteId, InductionId, ScannerId, SorterId, TrackId, TransferId};
use crate::limits::{
    CELLS_PER_TRACK_MAX, CHUTES_MAX, CHUTES_PER_TRACK_MAX, INDUCTIONS_PER_TRACK_MAX, TRACKS_MAX,
};
use crate::units::{Grams, Micros, Mm, MmPerS};

mod check;
mod named;
mod ways;

pub use check::{Element, HubFault, HubFaultKind};
pub use named::{GroupSpec, TagSpec};

use ways::Ways;

/// A hub as described, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HubSpec {
    /// What people call it.
    pub name: String,
    /// Loops and lines, each with its own PLC link.
    pub tracks: Vec<TrackSpec>,
    /// Where parcels get on.
    pub inductions: Vec<InductionSpec>,
    /// Where parcels are read.
    pub scanners: Vec<ScannerSpec>,
    /// Where parcels leave.
    pub chutes: Vec<ChuteSpec>,
    /// Chutes that are named and taken out of service as one.
    pub groups: Vec<GroupSpec>,
    /// Attributes of parcels that this hub knows beside the fixed ones.
    pub tags: Vec<TagSpec>,
    /// Which tracks share a control thread; without any, all do.
    pub sorters: Vec<SorterSpec>,
    /// Conveyors from chutes to inductions.
    pub transfers: Vec<TransferSpec>,
}

/// Tracks that are sorted by one control thread. Together they share chutes; with the tracks of
/// other sorters they are joined by transfers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SorterSpec {
    /// What people call it.
    pub name: String,
    /// Its tracks, by position in [`HubSpec::tracks`].
    pub tracks: Vec<TrackId>,
}

/// A conveyor that brings what leaves by a chute to an induction, for a second sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TransferSpec {
    /// The chute that feeds it.
    pub from: ChuteId,
    /// The induction that it feeds.
    pub to: InductionId,
    /// How long a parcel is on it when nothing holds it up.
    pub travel: Micros,
    /// How long a parcel may be on it before it is lost. Its conveyor has no encoder of ours, so
    /// this is time; it must cover every hold-up that is usual.
    pub patience: Micros,
}

/// A loop of carriers or a line of windows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrackSpec {
    /// What people call it.
    pub name: String,
    /// Loop or line, with its size.
    pub kind: TrackKind,
    /// The belt's speed when it runs normally.
    pub speed: MmPerS,
    /// How far an item may be from where it should be, in mm of belt, before it counts as
    /// missing.
    pub tolerance: Mm,
    /// How full it may become.
    pub caps: Caps,
}

/// How full a track may become before its inductions are slowed and stopped, in thousandths of its
/// usable carriers or windows; `None`: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Caps {
    /// From here on its inductions go slowly.
    pub slow_permille: Option<u16>,
    /// From here on they stand.
    pub stop_permille: Option<u16>,
}

impl Caps {
    /// What practice has found against gridlock on loops.
    pub const USUAL: Self = Self {
        slow_permille: Some(800),
        stop_permille: Some(900),
    };

    /// None: what is on the track leaves it by itself, or is to be seen to jam.
    pub const NONE: Self = Self {
        slow_permille: None,
        stop_permille: None,
    };
}

/// The two shapes of sorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrackKind {
    /// Cross-belt or tilt-tray: carriers go round, a parcel can lap.
    Loop {
        /// How many carriers.
        carriers: u32,
        /// From one carrier to the next.
        pitch: Mm,
    },
    /// Shoe, swivel-wheel or pusher line: windows, one pass.
    Line {
        /// From the infeed to the end.
        length: Mm,
        /// How many items can be on it (and on its return) at once.
        windows: u32,
        /// The length of the conveyor that brings undiverted parcels back to the infeed; without
        /// it they leave by the chute at the end.
        returns: Option<Mm>,
    },
}

/// An induction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct InductionSpec {
    /// What people call it.
    pub name: String,
    /// On which track, by position in [`HubSpec::tracks`].
    pub track: TrackId,
    /// Where, from the track's origin.
    pub at: Mm,
    /// The most that it may fill of the carriers (of a line: of the places) that come past, in
    /// thousandths, so that something is left for inductions further on; 1000: all.
    pub quota_permille: u16,
}

/// A scanner over a track.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ScannerSpec {
    /// What people call it.
    pub name: String,
    /// On which track.
    pub track: TrackId,
    /// Where its trigger eye stands, from the track's origin.
    pub at: Mm,
    /// How its telegram names the item it has seen.
    pub meets_by: MeetsBy,
    /// How far past the trigger the parcel may be, in mm of belt, before a silent scanner counts
    /// as a no-read.
    pub wait: Mm,
}

/// How a telegram of a scanner and an item find each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MeetsBy {
    /// The PLC's trigger number stands in the telegram and in the PLC's "at scanner" event.
    Trigger,
    /// The carrier's number stands in the telegram.
    Carrier,
    /// The belt position at the trigger stands in the telegram; an item within `window` of it is
    /// meant, if there is just one.
    Encoder {
        /// Half the width of the window.
        window: Mm,
    },
    /// Nothing stands in the telegram: it is met by when it came, less a calibrated delay, within
    /// `window` of belt. The last resort: exact only while the belt runs evenly.
    Arrival {
        /// From trigger to telegram, in ms.
        delay_ms: u32,
        /// Half the width of the window.
        window: Mm,
    },
}

/// A chute, with the places where it takes parcels from tracks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChuteSpec {
    /// What people call it.
    pub name: String,
    /// Where it takes parcels; several tracks can share one chute.
    pub outlets: Vec<Outlet>,
    /// How much it holds.
    pub capacity: Capacity,
    /// What the engine gets to know of how full it is.
    pub sensing: Sensing,
    /// What it takes, when its eye is believed, and what its parcels lie in.
    pub rules: ChuteRules,
}

/// What a chute takes, when its eye is believed, and what its parcels lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChuteRules {
    /// Heaviest parcel that it takes; 0: any.
    pub weight_most: Grams,
    /// Longest parcel that it takes; 0: any.
    pub length_most: Mm,
    /// It is too steep or too deep for what is fragile.
    pub refuses_fragile: bool,
    /// How long its full eye must be covered until it counts as full: parcels slide past the eye.
    pub full_after: Micros,
    /// How long its full eye may be covered while nothing dropped that could cover it, until the
    /// eye counts as stuck; [`Micros::NEVER`]: it is not watched.
    pub stuck_after: Micros,
    /// What its parcels lie in.
    pub lot: Lot,
    /// How much one container takes, where `lot` is one.
    pub lot_most: LotMost,
}

impl Default for ChuteRules {
    fn default() -> Self {
        Self {
            weight_most: Grams(0),
            length_most: Mm(0),
            refuses_fragile: false,
            full_after: Micros::from_secs(2),
            stuck_after: Micros::from_secs(120),
            lot: Lot::Flow,
            lot_most: LotMost::default(),
        }
    }
}

impl ChuteRules {
    /// Everything is taken, and the eye is believed at once and for ever: a chute of a model, or
    /// one whose PLC does all this by itself.
    pub const AS_TOLD: Self = Self {
        weight_most: Grams(0),
        length_most: Mm(0),
        refuses_fragile: false,
        full_after: Micros(0),
        stuck_after: Micros::NEVER,
        lot: Lot::Flow,
        lot_most: LotMost {
            pieces: 0,
            weight: Grams(0),
            volume_cm3: 0,
        },
    };

    /// Whether there are parcels that it does not take whatever its state.
    #[must_use]
    pub const fn is_picky(&self) -> bool {
        self.weight_most.0 > 0 || self.length_most.0 > 0 || self.refuses_fragile
    }
}

/// What the parcels of a chute lie in: who can say that its last owner's are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Lot {
    /// Nothing: they go on by conveyor or are taken away one by one.
    #[default]
    Flow,
    /// A cage, which is known by its place until it is wheeled away.
    Cage,
    /// A bag, which has a label of its own before it takes anything.
    Bag,
}

/// How much one container takes. Zero: as much as comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LotMost {
    /// Parcels.
    pub pieces: u32,
    /// Mass of its contents.
    pub weight: Grams,
    /// Volume of its contents in cm³.
    pub volume_cm3: u32,
}

impl LotMost {
    /// Whether there is any limit.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.pieces > 0 || self.weight.0 > 0 || self.volume_cm3 > 0
    }
}

/// What the engine gets to know of how full a chute is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sensing {
    /// Half and full eyes: levels, never "one left".
    #[default]
    Eyes,
    /// Besides, its exit counts what is taken out, so that what is in it is known.
    Counted,
}

/// A place where a chute takes parcels from a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Outlet {
    /// From which track.
    pub track: TrackId,
    /// Where, from the track's origin.
    pub at: Mm,
    /// How far before it the PLC must know the order (diverter actuation and PLC scan).
    pub lead: Mm,
}

/// How much a chute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Capacity {
    /// More than can come.
    Unlimited,
    /// So many parcels.
    Parcels(u32),
    /// Parcels end to end up to this length.
    Length(Mm),
}

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

impl TrackKind {
    /// How many carriers or windows it has.
    #[must_use]
    pub const fn cells(&self) -> u32 {
        match *self {
            Self::Loop { carriers, .. } => carriers,
            Self::Line { windows, .. } => windows,
        }
    }

    /// Once round, or from infeed to end.
    #[must_use]
    pub const fn length(&self) -> Mm {
        match *self {
            Self::Loop { carriers, pitch } => Mm(carriers.saturating_mul(pitch.0)),
            Self::Line { length, .. } => length,
        }
    }

    /// Once round for what nobody takes: a loop's length, or that of a line and its return.
    #[must_use]
    pub const fn round(&self) -> Mm {
        match *self {
            Self::Line {
                length,
                returns: Some(returns),
                ..
            } => Mm(length.0.saturating_add(returns.0)),
            _ => self.length(),
        }
    }

    /// Whether carriers go round.
    #[must_use]
    pub const fn is_loop(&self) -> bool {
        matches!(self, Self::Loop { .. })
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
