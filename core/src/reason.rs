//! The two closed lists: what became of a parcel, and why.

use core::fmt;

use serde::{Deserialize, Serialize};

/// What finally became of an item. Each has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Disposition {
    /// It left by a chute that its destination's plan allows, or by another one it was not sent
    /// to: then the reason is [`Reason::Elsewhere`].
    Sorted,
    /// It left by a reject or exception chute; the reason says why it could not be sorted.
    Rejected,
    /// A person took it off, or it was gone when the PLC's inventory was adopted.
    Removed,
    /// It was not where it must have been, for longer than a lap.
    Lost,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why something was decided or happened. A closed list: every report speaks in these.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[repr(u8)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word for it in reports and files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

reasons! {
    /// As the plan says; nothing went wrong.
    Planned = "planned",
    /// No code could be read, or the scanner said nothing in time.
    NoRead = "no-read",
    /// Codes that contradict each other were read.
    Conflict = "conflict",
    /// A code was read, but its check digit or form is wrong.
    InvalidCode = "invalid-code",
    /// The code is good, but nothing is known about it.
    NoData = "no-data",
    /// The destination is known, but the plan has no chute for it on this track.
    NoRule = "no-rule",
    /// Every chute of the destination was full.
    ChuteFull = "chute-full",
    /// The chute is locked.
    ChuteLocked = "chute-locked",
    /// The chute is jammed.
    ChuteJammed = "chute-jammed",
    /// The chute is out of service.
    ChuteDisabled = "chute-disabled",
    /// The order came too late to be obeyed.
    Late = "late",
    /// It has gone round as often as the plan allows.
    MostLaps = "most-laps",
    /// The gap to its neighbour was too small to divert it alone.
    Gap = "gap",
    /// A telegram and an item could not be matched to each other.
    Unmatched = "unmatched",
    /// The item is two parcels, or lies over two carriers.
    DoubleItem = "double-item",
    /// The PLC does not know the item, or found one it had not announced; of a sorted one: it left
    /// by an order that a run before this one gave.
    UnknownItem = "unknown-item",
    /// The PLC's tracking was lost and the item was not found again.
    CommunicationLost = "communication-lost",
    /// It was not seen where it had to pass.
    Missing = "missing",
    /// A person or a PLC interlock forced it.
    Forced = "forced",
    /// It left by another chute than it was ordered to: a missort.
    Elsewhere = "elsewhere",
    /// It was stopped on its way: returned or redirected.
    Intercept = "intercept",
    /// A security device or officer wants to see it.
    SecurityHold = "security-hold",
    /// Its sender, the customs or the office must say first.
    Held = "held",
    /// It is heavier or larger than anything here may be.
    WeightOrSize = "weight-or-size",
    /// It was measured otherwise than declared.
    DeclaredMismatch = "declared-mismatch",
    /// Codes of several parcels were read in one gate.
    Several = "several-parcels",
    /// It is damaged.
    Damaged = "damaged",
    /// The host did not answer in time, and nothing here knows where it goes.
    HostLate = "host-late",
    /// It has been on the sorter as long as the plan allows.
    MostTime = "most-time",
    /// The wave of its destination has reached its cut-off, and no other takes it.
    WaveOver = "wave-over",
    /// What lies in the chute belongs to its last owner and has not been cleared.
    PendingClear = "pending-clear",
    /// The bag at the chute is being changed.
    BagChange = "bag-change",
    /// The bag at the chute is as full or heavy as it may be.
    BagLimit = "bag-limit",
    /// The chute does not take parcels so heavy, long or fragile.
    ChuteLimits = "chute-limits",
    /// The track or sorter that leads to it is out of service.
    OutOfService = "out-of-service",
    /// The track is being purged.
    Purged = "purged",
    /// A scanner read another code than a person had keyed in.
    KeyedOtherwise = "keyed-otherwise",
}

impl Reason {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The number that goes over the PLC link and into tables.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The reason with this word.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.name() == name)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Disposition {
    /// The word for it in reports and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sorted => "sorted",
            Self::Rejected => "rejected",
            Self::Removed => "removed",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
