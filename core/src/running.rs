//! Words for how a sorter runs: steps, lost parts, what holds an induction, who disabled a carrier.
//!
//! What each lost part means for parcels is written in `docs/running.md`.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::operator::Mode;

/// How fast an induction may feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pace {
    /// As fast as it can.
    Run,
    /// At half the rate that it could.
    Slow,
    /// Not at all.
    #[default]
    Stop,
}

/// What holds an induction back, or nothing. A closed list; of several the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Hold {
    /// What is on the track has not been told since it or we started.
    NotTold,
    /// The link to the track's PLC is lost.
    LinkLost,
    /// The encoder stands while the belt is said to run: no place is known.
    EncoderStuck,
    /// The track is out of service.
    Closed,
    /// The track is being worked on.
    Maintenance,
    /// The track is being emptied.
    Emptying,
    /// The track is being purged.
    Purging,
    /// The track was told to let nothing more in, and nobody has started it since.
    NotStarted,
    /// Every scanner of the track is silent: nothing could be sorted.
    ScannersSilent,
    /// A person has stopped the induction.
    Operator,
    /// The track is as full as it may be.
    Full,
    /// The track is so full that inductions go slowly.
    Crowded,
    /// Every reject chute of the track is closed, so inductions go slowly.
    RejectClosed,
    /// Nothing.
    Nothing,
}

impl Hold {
    /// How fast an induction goes that is held by this.
    #[must_use]
    pub const fn pace(self) -> Pace {
        match self {
            Self::Nothing => Pace::Run,
            Self::Crowded | Self::RejectClosed => Pace::Slow,
            _ => Pace::Stop,
        }
    }
}

/// What an induction really does, as its PLC says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Feeding {
    /// It feeds.
    pub runs: bool,
    /// At the slow rate.
    pub slow: bool,
    /// Parcels an hour that it may feed now; 0 where the PLC does not say.
    pub rate_per_h: u16,
    /// Why it stands.
    pub because: Standstill,
}

/// Why a PLC says that an induction stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Standstill {
    /// It has not said anything yet.
    #[default]
    Unsaid,
    /// It does not stand.
    Runs,
    /// We asked for it.
    Asked,
    /// The PLC obeys no engine at present.
    NoEngine,
    /// The track does not run.
    TrackStopped,
    /// A person stopped it on the spot; it starts only there.
    Locally,
    /// The PLC's tracking is not valid.
    NotTracking,
    /// A drive or an eye has failed.
    Fault,
    /// The safety circuit of its section is open.
    Safety,
    /// The PLC gave a cause outside the interface.
    Other,
}

/// What a track is in the middle of, beside its mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    /// Parcels may come.
    #[default]
    Started,
    /// No more come; those on it are sorted.
    Draining,
    /// No more come; those on it go to the reject chutes.
    Purging,
    /// No more come, until a person starts it.
    Stopped,
}

impl Step {
    /// Its name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Draining => "draining",
            Self::Purging => "purging",
            Self::Stopped => "stopped",
        }
    }
}

/// Parts that a track has to do without: it runs degraded while there is any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Parts(pub u8);

impl Parts {
    /// The link to its PLC.
    pub const LINK: Self = Self(1);
    /// One scanner at least.
    pub const SCANNER: Self = Self(2);
    /// All scanners.
    pub const ALL_SCANNERS: Self = Self(4);
    /// Every reject chute.
    pub const REJECT: Self = Self(8);
    /// Its encoder.
    pub const ENCODER: Self = Self(16);
    /// The host.
    pub const HOST: Self = Self(32);

    /// Whether all of `parts` are lost.
    #[must_use]
    pub const fn has(self, parts: Self) -> bool {
        self.0 & parts.0 == parts.0
    }

    /// These with `parts` lost or not.
    #[must_use]
    pub const fn with(self, parts: Self, lost: bool) -> Self {
        Self(if lost {
            self.0 | parts.0
        } else {
            self.0 & !parts.0
        })
    }

    /// Their names for reports, in the order above.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (Self::LINK, "plc-link"),
            (Self::SCANNER, "scanner"),
            (Self::ALL_SCANNERS, "all-scanners"),
            (Self::REJECT, "reject-chutes"),
            (Self::ENCODER, "encoder"),
            (Self::HOST, "host"),
        ];
        let lost = all.into_iter().filter(move |(part, _)| self.has(*part));
        lost.map(|(_, name)| name)
    }

    /// Whether nothing is lost.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// How a track runs: a level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunState {
    /// Its mode.
    pub mode: Mode,
    /// The step.
    pub step: Step,
    /// Out of service.
    pub closed: bool,
    /// What it does without.
    pub lost: Parts,
}

/// Who stopped a carrier from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DisabledBy {
    /// A person, here.
    Operator,
    /// The sorter, after too many discharges that failed.
    Failures,
    /// The PLC, or a person on the spot.
    Plc,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTold => "what is on the track has not been told yet",
            Self::LinkLost => "the link to its PLC is lost",
            Self::EncoderStuck => "the encoder stands while the belt runs",
            Self::Closed => "the track is out of service",
            Self::Maintenance => "the track is in maintenance",
            Self::Emptying => "the track is being emptied",
            Self::Purging => "the track is being purged",
            Self::NotStarted => "the track has not been started",
            Self::ScannersSilent => "every scanner of the track is silent",
            Self::Operator => "a person has stopped it",
            Self::Full => "the track is full",
            Self::Crowded => "the track is crowded",
            Self::RejectClosed => "every reject chute is closed",
            Self::Nothing => "nothing",
        })
    }
}
