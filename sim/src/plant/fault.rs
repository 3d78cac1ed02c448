//! What a plant's description must satisfy.

use std::fmt;

use sorthub_core::hub::{Hub, Sensing};
use sorthub_core::ids::{DestId, TrackId};

use crate::spec::{PlantSpec, Service};

/// One thing wrong with a plant's description; the `Display` text says the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlantFault {
    /// A list is not as long as the hub's list of the same devices.
    ListLength {
        /// Which list.
        list: &'static str,
        /// How long it is.
        is: usize,
        /// How long it must be.
        must_be: usize,
    },
    /// Parcels are for a destination that the plan does not have.
    NoSuchDestination {
        /// On which track, or in the trace.
        track: TrackId,
        /// Which.
        dest: DestId,
    },
    /// An induction is fed, but its track's parcels are for nowhere.
    NoDemand(TrackId),
    /// A traced parcel arrives at a track that has no induction.
    NoInduction {
        /// The parcel's row, from 0.
        row: usize,
    },
    /// A scanner reads more than a million parts in a million.
    ReadShare {
        /// The scanner, by position.
        scanner: usize,
    },
    /// More than a million parts in a million.
    Share {
        /// Of what.
        of: &'static str,
    },
    /// The shortest or lightest parcel is longer or heavier than the longest or heaviest, or has
    /// no length.
    ParcelBounds,
    /// A traced parcel without a length.
    NoLength {
        /// Its row, from 0.
        row: usize,
    },
    /// The hub says that a chute's exit counts, but in the plant it does not: what is in it would
    /// never be known to have been taken out.
    DoesNotCount {
        /// The chute, by position.
        chute: usize,
    },
    /// A worker whose mean time is zero.
    ZeroService {
        /// The chute, by position.
        chute: usize,
    },
}

impl fmt::Display for PlantFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ListLength { list, is, must_be } => {
                write!(
                    f,
                    "the plant describes {is} {list}, but the hub has {must_be}"
                )
            }
            Self::NoSuchDestination { track, dest } => write!(
                f,
                "parcels of track number {} are for destination number {}, which the plan does \
                 not have; add it or take it out of the demand",
                track.0, dest.0
            ),
            Self::NoDemand(track) => write!(
                f,
                "track number {} is fed, but its parcels are for nowhere; give it demand",
                track.0
            ),
            Self::NoInduction { row } => write!(
                f,
                "the parcel in row {} arrives at a track without an induction; add one",
                row + 1
            ),
            Self::ReadShare { scanner } => {
                write!(
                    f,
                    "scanner number {scanner} reads more than all; at most 1000000 ppm"
                )
            }
            Self::Share { of } => write!(f, "`{of}` is more than all; at most 1000000 ppm"),
            Self::ParcelBounds => write!(
                f,
                "parcels must be at least 1 mm long, and the lower bounds of length and mass not \
                 above the upper ones"
            ),
            Self::NoLength { row } => {
                write!(
                    f,
                    "the parcel in row {} must be at least 1 mm long",
                    row + 1
                )
            }
            Self::DoesNotCount { chute } => write!(
                f,
                "chute number {chute} is described as counted, but its exit does not count; let \
                 it count, or describe it as sensed by eyes"
            ),
            Self::ZeroService { chute } => write!(
                f,
                "the mean time to empty chute number {chute} is zero; say `Instant` if it is a hole"
            ),
        }
    }
}

/// Finds every fault.
pub(super) fn check(hub: &Hub, spec: &PlantSpec, destinations: usize) -> Vec<PlantFault> {
    let mut found = Vec::new();
    let lists = [
        ("tracks", spec.tracks.len(), hub.tracks().len()),
        ("inductions", spec.inductions.len(), hub.inductions().len()),
        ("scanners", spec.scanners.len(), hub.scanners().len()),
        ("chutes", spec.chutes.len(), hub.chutes().len()),
        ("tracks' demands", spec.demand.len(), hub.tracks().len()),
    ];
    for (list, is, must_be) in lists {
        if is != must_be {
            found.push(PlantFault::ListLength { list, is, must_be });
        }
    }
    check_demand(hub, spec, destinations, &mut found);
    check_trace(hub, spec, destinations, &mut found);
    for (scanner, plant) in spec.scanners.iter().enumerate() {
        if plant.read_ppm > 1_000_000 {
            found.push(PlantFault::ReadShare { scanner });
        }
    }
    for (chute, plant) in spec.chutes.iter().enumerate() {
        if matches!(plant.service, Service::Exponential { mean } if mean.0 == 0) {
            found.push(PlantFault::ZeroService { chute });
        }
        let sensing = hub.chutes().get(chute).map(|spec| spec.sensing);
        if sensing == Some(Sensing::Counted) && !plant.counts_taken {
            found.push(PlantFault::DoesNotCount { chute });
        }
    }
    let (length, mass) = (spec.parcels.length, spec.parcels.mass);
    if length.0.0 == 0 || length.0 > length.1 || mass.0 > mass.1 {
        found.push(PlantFault::ParcelBounds);
    }
    let (parcels, silent) = (&spec.parcels, spec.host.map(|host| host.silent_ppm));
    for (of, ppm) in [
        ("unadvised_ppm", Some(parcels.unadvised_ppm)),
        ("misdeclared_ppm", parcels.misdeclared_ppm),
        ("suspect_ppm", parcels.suspect_ppm),
        ("silent_ppm", silent),
    ] {
        if ppm > Some(1_000_000) {
            found.push(PlantFault::Share { of });
        }
    }
    found
}

fn check_demand(hub: &Hub, spec: &PlantSpec, destinations: usize, found: &mut Vec<PlantFault>) {
    for (index, demands) in spec.demand.iter().enumerate() {
        let track = TrackId(index as u16);
        for dest in demands.iter().map(|demand| demand.dest) {
            if dest.index() >= destinations {
                found.push(PlantFault::NoSuchDestination { track, dest });
            }
        }
        let mut fed = hub
            .inductions_of(track)
            .filter_map(|i| spec.inductions.get(i.index()));
        let is_fed = spec.trace.is_empty() && fed.any(|induction| induction.rate_per_h > 0);
        if is_fed && demands.iter().all(|demand| demand.weight == 0) {
            found.push(PlantFault::NoDemand(track));
        }
    }
}

fn check_trace(hub: &Hub, spec: &PlantSpec, destinations: usize, found: &mut Vec<PlantFault>) {
    for (row, parcel) in spec.trace.iter().enumerate() {
        if hub.inductions_of(parcel.track).next().is_none() {
            found.push(PlantFault::NoInduction { row });
        }
        if parcel.size[0].0 == 0 {
            found.push(PlantFault::NoLength { row });
        }
        if let Some(dest) = parcel.dest.filter(|dest| dest.index() >= destinations) {
            found.push(PlantFault::NoSuchDestination {
                track: parcel.track,
                dest,
            });
        }
    }
}
