//! What a plan must satisfy, and what to do where it does not.

use alloc::vec::Vec;
use core::fmt;

use super::spec::{PlanSpec, Spread, Then};
use crate::facts::DestKey;
use crate::hub::Hub;
use crate::ids::{ChuteId, DestId, TrackId, WaveId};
use crate::limits::{LAPS_MAX, RULES_MAX, SHARES_MAX, WAVES_MAX};
use crate::reason::Reason;

/// Minutes of a day.
const MIN_OF_DAY: u16 = 24 * 60;

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
    /// Two destinations have the same name, or names with the same key.
    SameName {
        /// The later of the two, by position.
        destination: usize,
    },
    /// Not one share for each chute, or none above zero.
    Shares {
        /// Which destination, by position.
        destination: usize,
    },
    /// More shares in all than are counted.
    TooManyShares,
    /// A destination names a wave that the plan does not have.
    NoSuchWave {
        /// Which destination, by position.
        destination: usize,
        /// The wave's number.
        wave: WaveId,
    },
    /// More waves than can be told apart.
    TooManyWaves,
    /// Cut-offs that go round the clock more than once, so that their order is not that of a day.
    WaveOrder {
        /// The first wave that is a day behind the first one, by position.
        wave: usize,
    },
    /// Two waves have the same name.
    SameWave {
        /// The later of the two, by position.
        wave: usize,
    },
    /// A cut-off that no day has.
    NoSuchTime {
        /// Which wave, by position.
        wave: usize,
    },
    /// More attribute rules than a decision can look through.
    TooManyRules,
    /// An address rule, by position, names a destination that the plan does not have.
    NoSuchDestination {
        /// Which rule.
        address: usize,
    },
    /// An address rule, by position, says of a prefix what another one says otherwise.
    SameAddress {
        /// The later of the two.
        address: usize,
    },
    /// An attribute rule, by position, names a destination that the plan does not have.
    NoSuchTarget {
        /// Which rule.
        rule: usize,
    },
    /// A track from which no reject chute can be reached.
    NoReject {
        /// Which track.
        track: TrackId,
    },
    /// More laps than the core allows.
    TooManyLaps,
    /// The same cause has two lists of exception chutes.
    TwoExceptions(Reason),
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchChute { chute, .. } => {
                let chute = chute.0;
                write!(
                    f,
                    "there is no chute number {chute}; name one that the hub has"
                )
            }
            Self::NoChute { .. } => write!(f, "the destination has no chute; give it at least one"),
            Self::SameName { .. } => {
                write!(
                    f,
                    "the destination's name is given twice; give each its own"
                )
            }
            Self::Shares { .. } => write!(
                f,
                "the shares do not fit the chutes; give one number for each, not all of them 0"
            ),
            Self::TooManyShares => write!(
                f,
                "at most {SHARES_MAX} shares are counted in all; level some destinations instead"
            ),
            Self::NoSuchWave { wave, .. } => {
                write!(f, "there is no wave number {}; describe it first", wave.0)
            }
            Self::TooManyWaves => write!(f, "at most {WAVES_MAX} waves are possible"),
            Self::WaveOrder { .. } => write!(
                f,
                "up to this wave the cut-offs go round the clock more than once; describe waves in \
                 the order of their cut-offs, which may pass midnight once"
            ),
            Self::SameWave { .. } => {
                write!(f, "the wave's name is given twice; give each its own")
            }
            Self::NoSuchTime { .. } => {
                write!(
                    f,
                    "the cut-off is at no time of a day; name one before 24:00"
                )
            }
            Self::TooManyRules => write!(
                f,
                "at most {RULES_MAX} attribute rules are possible; use addresses or pre-advice"
            ),
            Self::NoSuchDestination { .. } | Self::NoSuchTarget { .. } => {
                write!(f, "names a destination that the plan does not have")
            }
            Self::SameAddress { .. } => {
                write!(f, "the same addresses are for two destinations; keep one")
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

/// Finds every fault.
pub(super) fn check(spec: &PlanSpec, keys: &[DestKey], hub: &Hub) -> Vec<PlanFault> {
    let mut faults = Vec::new();
    for index in 0..spec.destinations.len() {
        check_destination(index, spec, hub, &mut faults);
    }
    let own = spec.exceptions.iter().flat_map(|(_, chutes)| chutes);
    for &chute in spec.reject.iter().chain(own) {
        if chute.index() >= hub.chutes().len() {
            faults.push(PlanFault::NoSuchChute {
                destination: None,
                chute,
            });
        }
    }
    for (nth, (reason, _)) in spec.exceptions.iter().enumerate() {
        let mut before = spec.exceptions[..nth].iter();
        if before.any(|(other, _)| other == reason) {
            faults.push(PlanFault::TwoExceptions(*reason));
        }
    }
    if spec.laps_max > LAPS_MAX {
        faults.push(PlanFault::TooManyLaps);
    }
    let shares = spec.destinations.iter().map(|dest| match &dest.spread {
        Spread::Shares(shares) => shares.len(),
        Spread::Preferred | Spread::Level => 0,
    });
    if shares.sum::<usize>() > SHARES_MAX {
        faults.push(PlanFault::TooManyShares);
    }
    check_waves(spec, &mut faults);
    same_names(keys, &mut faults);
    check_addresses(spec, &mut faults);
    if spec.rules.len() > RULES_MAX {
        faults.push(PlanFault::TooManyRules);
    }
    let known = |dest: DestId| dest.index() < spec.destinations.len();
    for (index, rule) in spec.rules.iter().enumerate() {
        if matches!(rule.then, Then::To(dest) if !known(dest)) {
            faults.push(PlanFault::NoSuchTarget { rule: index });
        }
    }
    for track in (0..hub.tracks().len()).map(|track| TrackId(track as u16)) {
        let mut reject = spec.reject.iter();
        if !reject.any(|&chute| hub.outlet(chute, track).is_some()) {
            faults.push(PlanFault::NoReject { track });
        }
    }
    faults
}

fn check_destination(index: usize, spec: &PlanSpec, hub: &Hub, faults: &mut Vec<PlanFault>) {
    let destination = &spec.destinations[index];
    let waves = destination.waves.iter();
    let of_waves = waves.clone().flat_map(|(_, chutes)| chutes);
    let own = destination.chutes.iter().chain(&destination.alternates);
    if own.chain(of_waves).next().is_none() {
        faults.push(PlanFault::NoChute { destination: index });
    }
    for &chute in destination.every_chute() {
        if chute.index() >= hub.chutes().len() {
            faults.push(PlanFault::NoSuchChute {
                destination: Some(index),
                chute,
            });
        }
    }
    for (wave, _) in waves.clone().filter(|(w, _)| w.index() >= spec.waves.len()) {
        faults.push(PlanFault::NoSuchWave {
            destination: index,
            wave: *wave,
        });
    }
    if let Spread::Shares(shares) = &destination.spread {
        let lists = waves.map(|(_, chutes)| chutes.len());
        let fits = |len: usize| len == shares.len() || len == 0;
        if !fits(destination.chutes.len())
            || !lists.into_iter().all(fits)
            || shares.iter().all(|&share| share == 0)
        {
            faults.push(PlanFault::Shares { destination: index });
        }
    }
}

fn check_waves(spec: &PlanSpec, faults: &mut Vec<PlanFault>) {
    if spec.waves.len() > WAVES_MAX {
        faults.push(PlanFault::TooManyWaves);
    }
    let names = spec.waves.iter().map(|wave| wave.name.as_str());
    let mut names: Vec<(&str, usize)> = names.zip(0..).collect();
    names.sort_unstable();
    for pair in names.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        faults.push(PlanFault::SameWave { wave: pair[1].1 });
    }
    for (wave, spec) in spec.waves.iter().enumerate() {
        if spec.cut_off_min.is_some_and(|min| min >= MIN_OF_DAY) {
            faults.push(PlanFault::NoSuchTime { wave });
        }
    }
    let mut first = None;
    let mut last = 0;
    for (wave, spec) in spec.waves.iter().enumerate() {
        let Some(min) = spec.cut_off_min.filter(|min| *min < MIN_OF_DAY) else {
            continue;
        };
        let after_first = (min + MIN_OF_DAY - *first.get_or_insert(min)) % MIN_OF_DAY;
        if after_first < last {
            faults.push(PlanFault::WaveOrder { wave });
            break;
        }
        last = after_first;
    }
}

fn same_names(keys: &[DestKey], faults: &mut Vec<PlanFault>) {
    let mut names: Vec<(DestKey, usize)> = keys.iter().copied().zip(0..).collect();
    names.sort_unstable();
    for pair in names.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        faults.push(PlanFault::SameName {
            destination: pair[1].1,
        });
    }
}

fn check_addresses(spec: &PlanSpec, faults: &mut Vec<PlanFault>) {
    let rules = spec.addresses.iter().enumerate();
    let mut sorted: Vec<_> = rules.map(|(at, r)| (r.kind, r.prefix, at, r.to)).collect();
    sorted.sort_unstable();
    for pair in sorted.windows(2) {
        if (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1) && pair[0].3 != pair[1].3 {
            faults.push(PlanFault::SameAddress { address: pair[1].2 });
        }
    }
    for (_, _, address, to) in sorted {
        if to.index() >= spec.destinations.len() {
            faults.push(PlanFault::NoSuchDestination { address });
        }
    }
}
