//! What the plant is like beyond what the sorter knows of the hub: who comes, how well scanners
//! read, how fast chutes are emptied. Read from the `[plant]` part of a hub file.

use serde::{Deserialize, Serialize};
use sorthub_core::ids::{DestId, TrackId};
use sorthub_core::units::{Grams, Micros, Mm};

/// The plant of a hub. Lists run parallel to those of the hub description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantSpec {
    /// For each track.
    pub tracks: Vec<TrackPlant>,
    /// For each induction.
    pub inductions: Vec<InductionPlant>,
    /// For each scanner.
    pub scanners: Vec<ScannerPlant>,
    /// For each chute.
    pub chutes: Vec<ChutePlant>,
    /// For each track, where the parcels that get on there are for.
    pub demand: Vec<Vec<Demand>>,
    /// What a parcel is like.
    pub parcels: ParcelPlant,
    /// Who is asked about parcels that nothing here knows; `None`: nobody answers.
    pub host: Option<HostPlant>,
    /// Parcels of a recorded trace; where there are any, inductions make none of their own.
    pub trace: Vec<TraceParcel>,
}

/// A belt and its PLC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackPlant {
    /// How fast it speeds up and slows down, in mm/s²; 0: at once.
    pub ramp_mm_s2: u32,
    /// Least gap between the end of one parcel and the front of the next on a line.
    pub gap: Mm,
    /// The PLC's cycle. The simulator acts in time as it passes; `emulate` in these steps.
    pub plc_scan: Micros,
}

/// An induction's feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InductionPlant {
    /// Mean rate of a Poisson stream of arrivals, parcels an hour.
    pub rate_per_h: u32,
    /// Least time between two inductions here.
    pub spacing: Micros,
    /// How many parcels can wait here; an arrival beyond is turned away. `None`: any number.
    pub queue: Option<u32>,
}

/// A scanner's performance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannerPlant {
    /// Share of parcels it reads, in parts per million.
    pub read_ppm: u32,
    /// From the trigger eye to the telegram.
    pub delay: Micros,
}

/// A chute's worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChutePlant {
    /// How long taking out one parcel lasts.
    pub service: Service,
    /// Whether the chute's exit counts what is taken out and the PLC tells the engine.
    pub counts_taken: bool,
    /// Whether the chute has a full eye that the engine is told of.
    pub full_eye: bool,
}

/// How long taking one parcel out of a chute lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Service {
    /// No time: the chute is a hole.
    Instant,
    /// Exponentially distributed.
    Exponential {
        /// Its mean.
        mean: Micros,
    },
    /// By volume and mass: 4.5 s, plus 0 s below 35 dm³, 1 s below 55 dm³, else 2 s, plus 0 s
    /// below 1.7 kg, 1 s below 2.8 kg, else 2 s (the model that came with the recorded traces).
    BySize,
}

/// A share of the parcels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Where they are for.
    pub dest: DestId,
    /// Their weight among all demands of the track.
    pub weight: u32,
}

/// A host that knows every parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPlant {
    /// From the question to the answer.
    pub delay: Micros,
    /// Share of questions that it never answers, in parts per million.
    pub silent_ppm: u32,
}

/// Parcels' sizes and masses, uniformly distributed between the bounds, and what their papers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelPlant {
    /// Shortest and longest.
    pub length: (Mm, Mm),
    /// Lightest and heaviest.
    pub mass: (Grams, Grams),
    /// Narrowest and widest; without it and `height`, sides are not measured.
    pub width: Option<(Mm, Mm)>,
    /// Lowest and highest.
    pub height: Option<(Mm, Mm)>,
    /// Share of parcels without pre-advice, in parts per million.
    pub unadvised_ppm: u32,
    /// Share of parcels that declare half of what they measure, in parts per million; `None`:
    /// nobody declares anything.
    pub misdeclared_ppm: Option<u32>,
    /// Share of parcels that an X-ray machine finds suspect, in parts per million; `None`: there
    /// is none.
    pub suspect_ppm: Option<u32>,
}

impl Default for ParcelPlant {
    fn default() -> Self {
        Self {
            length: (Mm(400), Mm(400)),
            mass: (Grams(1_000), Grams(1_000)),
            width: None,
            height: None,
            unadvised_ppm: 0,
            misdeclared_ppm: None,
            suspect_ppm: None,
        }
    }
}

/// One parcel of a recorded trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceParcel {
    /// The code on its label.
    pub label: String,
    /// When it reaches the infeed.
    pub arrival: Micros,
    /// Length, width, height.
    pub size: [Mm; 3],
    /// Mass.
    pub mass: Grams,
    /// The track whose first induction it arrives at.
    pub track: TrackId,
    /// Where it is for; `None`: nowhere.
    pub dest: Option<DestId>,
}
