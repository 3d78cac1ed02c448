//! The sort plan: which chutes serve which destination, and what happens when none can.
//!
//! [`PlanSpec`] is what a person wrote, already parsed; [`Plan::new`] checks it against a hub,
//! returns every fault, and compiles it into flat tables.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::hub::Hub;
use crate::ids::{ChuteId, DestId, TrackId};
use crate::limits::LAPS_MAX;
use crate::reason::Reason;

/// A sort plan as described, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSpec {
    /// Grows with every change; a decision says under which version it was made.
    pub version: u32,
    /// Where parcels can be for.
    pub destinations: Vec<DestinationSpec>,
    /// Chutes of last resort, tried in this order on each track.
    pub reject: Vec<ChuteId>,
    /// Chutes of their own for some causes of rejection; the others use `reject`.
    pub exceptions: Vec<(Reason, ChuteId)>,
    /// How room in a chute is judged.
    pub room: RoomPolicy,
    /// What happens to a parcel whose code could not be read.
    pub no_read: NoReadPolicy,
    /// How many laps a parcel may add before it is rejected.
    pub laps_max: u8,
}

/// A destination and its chutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationSpec {
    /// What people and pre-advice call it.
    pub name: String,
    /// Its chutes, the preferred one first.
    pub chutes: Vec<ChuteId>,
    /// Chutes for parcels that may lap no more (on a line without return: at once) before they
    /// are rejected.
    pub overflow: Vec<ChuteId>,
}

/// How room in a chute is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomPolicy {
    /// A parcel is sent only where there is room for it and for all on their way. Needs a count
    /// of what was taken out.
    Reserve,
    /// A parcel is sent; if the chute refuses it, the plan's next answer follows.
    Attempt,
}

/// What happens to a parcel whose code could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoReadPolicy {
    /// It is rejected at once.
    Reject,
    /// Every later scanner tries again, until no lap is left.
    Again,
}

/// What is wrong with a plan; the `Display` text says the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanFault {
    /// A list names a chute that the hub does not have.
    NoSuchChute {
        /// Which destination, by position; `None` for the reject and exception lists.
        destination: Option<usize>,
        /// The chute's number.
        chute: ChuteId,
    },
    /// A destination without any chute.
    NoChute {
        /// Which destination, by position.
        destination: usize,
    },
    /// Two destinations have the same name.
    SameName {
        /// The later of the two, by position.
        destination: usize,
    },
    /// A track from which no reject chute can be reached.
    NoReject {
        /// Which track.
        track: TrackId,
    },
    /// More laps than the core allows.
    TooManyLaps,
    /// The same cause has two exception chutes.
    TwoExceptions(Reason),
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchChute { chute, .. } => {
                write!(
                    f,
                    "there is no chute number {}; name one that the hub has",
                    chute.0
                )
            }
            Self::NoChute { .. } => write!(f, "the destination has no chute; give it at least one"),
            Self::SameName { .. } => {
                write!(
                    f,
                    "the destination's name is given twice; give each its own"
                )
            }
            Self::NoReject { track } => write!(
                f,
                "track number {} has no reject chute; what it cannot sort would go round for ever",
                track.0
            ),
            Self::TooManyLaps => write!(f, "at most {LAPS_MAX} laps are possible"),
            Self::TwoExceptions(reason) => {
                write!(f, "the cause `{reason}` has two exception chutes; keep one")
            }
        }
    }
}

/// A plan that has passed every check, compiled for one hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    spec: PlanSpec,
    /// Start of each destination's chutes in `chutes`, and the end of the last.
    first: Vec<u32>,
    /// All destinations' chutes, one after the other: own, then overflow.
    chutes: Vec<ChuteId>,
    /// Where a destination's overflow chutes begin in `chutes`.
    overflow_first: Vec<u32>,
}

impl Plan {
    /// Checks a plan against a hub and compiles it.
    ///
    /// # Errors
    /// Every fault there is, not just the first.
    pub fn new(spec: PlanSpec, hub: &Hub) -> Result<Self, Vec<PlanFault>> {
        let faults = check(&spec, hub);
        if !faults.is_empty() {
            return Err(faults);
        }
        let count = spec.destinations.len();
        let mut first = Vec::with_capacity(count + 1);
        let mut overflow_first = Vec::with_capacity(count);
        let mut chutes = Vec::new();
        for destination in &spec.destinations {
            first.push(chutes.len() as u32);
            chutes.extend_from_slice(&destination.chutes);
            overflow_first.push(chutes.len() as u32);
            chutes.extend_from_slice(&destination.overflow);
        }
        first.push(chutes.len() as u32);
        Ok(Self {
            spec,
            first,
            chutes,
            overflow_first,
        })
    }

    /// The description it was compiled from.
    #[must_use]
    pub fn spec(&self) -> &PlanSpec {
        &self.spec
    }

    /// The plan's version.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.spec.version
    }

    /// A destination's own chutes, the preferred first; none for a destination that the plan does
    /// not have.
    #[must_use]
    pub fn chutes(&self, dest: DestId) -> &[ChuteId] {
        match self.overflow_first.get(dest.index()) {
            Some(&end) => &self.chutes[self.first[dest.index()] as usize..end as usize],
            None => &[],
        }
    }

    /// A destination's overflow chutes.
    #[must_use]
    pub fn overflow(&self, dest: DestId) -> &[ChuteId] {
        match self.overflow_first.get(dest.index()) {
            Some(&from) => &self.chutes[from as usize..self.first[dest.index() + 1] as usize],
            None => &[],
        }
    }

    /// Whether a chute is one that this destination's parcels may end in as sorted.
    #[must_use]
    pub fn allows(&self, dest: DestId, chute: ChuteId) -> bool {
        self.chutes(dest).contains(&chute) || self.overflow(dest).contains(&chute)
    }

    /// Where parcels rejected for `reason` go, in the order to try them.
    pub fn rejects(&self, reason: Reason) -> impl Iterator<Item = ChuteId> + '_ {
        let own = self
            .spec
            .exceptions
            .iter()
            .filter(move |(cause, _)| *cause == reason);
        own.map(|(_, chute)| *chute)
            .chain(self.spec.reject.iter().copied())
    }

    /// The destination with this name.
    #[must_use]
    pub fn destination_named(&self, name: &str) -> Option<DestId> {
        let at = self.spec.destinations.iter().position(|d| d.name == name)?;
        Some(DestId(at as u32))
    }

    /// How many destinations it has.
    #[must_use]
    pub fn destinations(&self) -> u32 {
        self.spec.destinations.len() as u32
    }
}

fn check(spec: &PlanSpec, hub: &Hub) -> Vec<PlanFault> {
    let mut faults = Vec::new();
    let known = |chute: &&ChuteId| chute.index() < hub.chutes().len();
    for (index, destination) in spec.destinations.iter().enumerate() {
        if destination.chutes.is_empty() {
            faults.push(PlanFault::NoChute { destination: index });
        }
        let all = destination.chutes.iter().chain(&destination.overflow);
        for &chute in all.filter(|chute| !known(chute)) {
            faults.push(PlanFault::NoSuchChute {
                destination: Some(index),
                chute,
            });
        }
    }
    let own = spec.exceptions.iter().map(|(_, chute)| chute);
    for &chute in spec.reject.iter().chain(own).filter(|chute| !known(chute)) {
        faults.push(PlanFault::NoSuchChute {
            destination: None,
            chute,
        });
    }
    for (nth, (reason, _)) in spec.exceptions.iter().enumerate() {
        if spec.exceptions[..nth]
            .iter()
            .any(|(other, _)| other == reason)
        {
            faults.push(PlanFault::TwoExceptions(*reason));
        }
    }
    if spec.laps_max > LAPS_MAX {
        faults.push(PlanFault::TooManyLaps);
    }
    faults.extend(same_names(spec));
    for track in (0..hub.tracks().len()).map(|track| TrackId(track as u16)) {
        if !spec
            .reject
            .iter()
            .any(|&chute| hub.outlet(chute, track).is_some())
        {
            faults.push(PlanFault::NoReject { track });
        }
    }
    faults
}

fn same_names(spec: &PlanSpec) -> Vec<PlanFault> {
    let names = spec
        .destinations
        .iter()
        .enumerate()
        .map(|(at, d)| (d.name.as_str(), at));
    let mut names: Vec<(&str, usize)> = names.collect();
    names.sort_unstable();
    let mut faults = vec![];
    for pair in names.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        faults.push(PlanFault::SameName {
            destination: pair[1].1,
        });
    }
    faults
}
