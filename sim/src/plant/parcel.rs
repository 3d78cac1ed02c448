//! What parcels are like: pure functions of the seed and the parcel's number.
//!
//! A generated parcel's number tells its induction and its turn there; a traced one's is its row.
//! So a label, a size or a destination can be asked for at any time, also long after the parcel
//! has left, and nothing is kept.

use std::fmt::Write as _;
use std::sync::Arc;

use sorthub_core::hub::Hub;
use sorthub_core::ids::{DestId, InductionId, TrackId};
use sorthub_core::units::{Grams, Micros, Mm};

use crate::plant::feed::{Arrival, Source};
use crate::plant::papers::Papers;
use crate::random::{Purpose, Stream, Weighted};
use crate::spec::{ParcelPlant, PlantSpec, Service};

/// What the plant knows of a parcel that its label and a scale would tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// Where it is for; `None`: nowhere.
    pub dest: Option<DestId>,
    /// Its length along the belt.
    pub length: Mm,
    /// Its mass.
    pub mass: Grams,
}

/// Makes parcels.
#[derive(Clone, Debug)]
pub struct Parcels {
    spec: Arc<PlantSpec>,
    names: Arc<[String]>,
    /// For each induction, its track.
    tracks: Vec<TrackId>,
    demand: Vec<Demands>,
    lengths: Stream,
    masses: Stream,
    services: Stream,
    readings: Stream,
    pub(super) papers: Papers,
}

#[derive(Clone, Debug)]
struct Demands {
    draws: Stream,
    shares: Weighted,
    dests: Vec<DestId>,
}

impl Parcels {
    /// Parcels of a checked description. `names` are the destinations' names in the plan, for the
    /// labels.
    #[must_use]
    pub(super) fn new(hub: &Hub, spec: Arc<PlantSpec>, names: Arc<[String]>, seed: u64) -> Self {
        let demand = spec
            .demand
            .iter()
            .enumerate()
            .map(|(track, demands)| Demands {
                draws: Stream::new(seed, Purpose::Destination, track as u64),
                shares: Weighted::new(demands.iter().map(|demand| demand.weight)),
                dests: demands.iter().map(|demand| demand.dest).collect(),
            });
        Self {
            demand: demand.collect(),
            tracks: hub
                .inductions()
                .iter()
                .map(|induction| induction.track)
                .collect(),
            lengths: Stream::new(seed, Purpose::Length, 0),
            masses: Stream::new(seed, Purpose::Mass, 0),
            services: Stream::new(seed, Purpose::Service, 0),
            readings: Stream::new(seed, Purpose::Reading, 0),
            papers: Papers::new(seed),
            spec,
            names,
        }
    }

    /// Where an induction's parcels come from: the trace if there is one, else its own stream.
    #[must_use]
    pub(super) fn source(&self, induction: InductionId, hub: &Hub, seed: u64) -> Source {
        let index = induction.index();
        if self.spec.trace.is_empty() {
            let rate_per_h = self.spec.inductions[index].rate_per_h;
            return Source::Poisson {
                gaps: Stream::new(seed, Purpose::Arrival, index as u64),
                mean_us: (rate_per_h > 0).then(|| 3.6e9 / f64::from(rate_per_h)),
                first: 1 + index as u64,
                step: self.tracks.len() as u64,
            };
        }
        let track = self.tracks[index];
        let mut rows = Vec::new();
        if hub.inductions_of(track).next() == Some(induction) {
            let all = self
                .spec
                .trace
                .iter()
                .enumerate()
                .filter(|(_, row)| row.track == track);
            rows.extend(all.map(|(nth, row)| Arrival {
                number: nth as u64 + 1,
                at: row.arrival,
            }));
            // Stable: rows of one time stay in the order they were written.
            rows.sort_by_key(|row| row.at);
        }
        Source::Trace(rows)
    }

    /// What parcel `number` is like.
    #[inline]
    #[must_use]
    pub fn traits(&self, number: u64) -> Traits {
        let plant = &self.spec.parcels;
        if !self.spec.trace.is_empty() {
            let Some(row) = self.row(number) else {
                return Traits {
                    dest: None,
                    length: plant.length.0,
                    mass: plant.mass.0,
                };
            };
            return Traits {
                dest: row.dest,
                length: row.size[0],
                mass: row.mass,
            };
        }
        let induction = number.wrapping_sub(1) % self.tracks.len() as u64;
        let demand = &self.demand[self.tracks[induction as usize].index()];
        let pick = demand.shares.pick(demand.draws.at(number));
        Traits {
            dest: pick.map(|index| demand.dests[index]),
            length: Mm(self
                .lengths
                .between(number, plant.length.0.0, plant.length.1.0)),
            mass: Grams(self.masses.between(number, plant.mass.0.0, plant.mass.1.0)),
        }
    }

    /// Writes the text on a parcel's label: a traced parcel's own, else the name of its
    /// destination and at least eight digits of its number.
    pub fn write_label(&self, number: u64, text: &mut String) {
        text.clear();
        if let Some(row) = self.row(number) {
            text.push_str(&row.label);
            return;
        }
        let dest = self.traits(number).dest;
        let name = dest.and_then(|dest| self.names.get(dest.index()));
        text.push_str(name.map_or("nowhere", String::as_str));
        // Writing to a String cannot fail.
        let _ = write!(text, "-{number:08}");
    }

    /// The text on a parcel's label.
    #[must_use]
    pub fn label(&self, number: u64) -> String {
        let mut text = String::new();
        self.write_label(number, &mut text);
        text
    }

    /// Whether parcel `number` is read at its `nth` passage of a scanner that reads `read_ppm`.
    #[inline]
    #[must_use]
    pub(super) fn is_read(&self, number: u64, nth: u32, read_ppm: u32) -> bool {
        // 2^12 passages each before two parcels share a draw; laps are limited to far fewer.
        let draw = self
            .readings
            .below((number << 12) + u64::from(nth), 1_000_000);
        draw < u64::from(read_ppm)
    }

    /// How long taking parcel `number` out of a chute lasts.
    #[inline]
    #[must_use]
    pub(super) fn service(&self, number: u64, service: Service) -> Micros {
        match service {
            Service::Instant => Micros(0),
            Service::Exponential { mean } => {
                Micros((self.services.exponential(number) * mean.0 as f64 + 0.5) as u64)
            }
            Service::BySize => self.row(number).map_or_else(
                || service_by_size(0, self.traits(number).mass),
                |row| {
                    let [length, width, height] = row.size.map(|side| u64::from(side.0));
                    service_by_size(length * width * height, row.mass)
                },
            ),
        }
    }

    pub(super) fn plant(&self) -> &ParcelPlant {
        &self.spec.parcels
    }

    pub(super) fn row(&self, number: u64) -> Option<&crate::spec::TraceParcel> {
        self.spec
            .trace
            .get(usize::try_from(number.checked_sub(1)?).ok()?)
    }
}

/// See [`Service::BySize`]; the volume is in mm³.
fn service_by_size(volume_mm3: u64, mass: Grams) -> Micros {
    let by_volume = match volume_mm3 {
        0..35_000_000 => 0,
        35_000_000..55_000_000 => 1,
        _ => 2,
    };
    let by_mass = match mass.0 {
        0..1_700 => 0,
        1_700..2_800 => 1,
        _ => 2,
    };
    Micros(4_500_000 + (by_volume + by_mass) * 1_000_000)
}
