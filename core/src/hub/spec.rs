//! A hub as a person describes it.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{GroupSpec, TagSpec};
use crate::ids::{ChuteId, InductionId, TrackId};
use crate::units::{Grams, Micros, Mm, MmPerS};

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
