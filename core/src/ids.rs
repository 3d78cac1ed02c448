//! Names of things, as numbers that cannot be confused with each other.
//!
//! Devices are numbered from 0 in the order of the hub description. [`crate::plc`] adds one on the
//! wire, where an all-zero register must mean "nothing".

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
            Deserialize,
        )]
        pub struct $name(pub $inner);

        impl $name {
            /// The position in the hub description's list of this kind.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id! {
    /// A loop or a line, with the PLC that runs it: one track is one PLC link.
    TrackId(u16)
}
id! {
    /// Where parcels get onto a track.
    InductionId(u16)
}
id! {
    /// A code reader over a track.
    ScannerId(u16)
}
id! {
    /// Where parcels leave a track.
    ChuteId(u16)
}
id! {
    /// A sorter: tracks with one control thread.
    SorterId(u16)
}
id! {
    /// A conveyor from a chute to an induction.
    TransferId(u16)
}
id! {
    /// A carrier of a loop, or a window of a line, numbered from 0 through the tracks of the hub.
    CellId(u32)
}
id! {
    /// A destination of one version of the sort plan, by its place in it. Across versions a
    /// destination is known by its [`DestKey`](crate::facts::DestKey).
    DestId(u32)
}
id! {
    /// A wave of the sort plan.
    WaveId(u8)
}
id! {
    /// A place where a person keys in what could not be read.
    SeatId(u16)
}

id! {
    /// A code format, by its place in the table of formats.
    FormatId(u16)
}

/// The number that a PLC gives a parcel while it tracks it; 0 is never given.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PlcItem(pub u32);

/// One passage of a physical parcel from induction to exit.
///
/// The high 24 bits are the run epoch (durable, so that no id is given twice, not even after a
/// crash), the low 40 bits a counter.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ParcelId(pub u64);

impl ParcelId {
    const COUNTER_BITS: u32 = 40;
    /// 64 sorters with 17 billion parcels a run each.
    const SORTER_SHIFT: u32 = 34;

    /// Puts an id together; both parts are cut to their width.
    #[must_use]
    pub const fn new(run_epoch: u32, counter: u64) -> Self {
        let mask = (1 << Self::COUNTER_BITS) - 1;
        Self(((run_epoch as u64) << Self::COUNTER_BITS) | (counter & mask))
    }

    /// Puts an id of a hub with several sorters together: the counts of each begin elsewhere.
    #[must_use]
    pub const fn of(run_epoch: u32, sorter: SorterId, counter: u64) -> Self {
        let first = (sorter.0 as u64) << Self::SORTER_SHIFT;
        Self::new(run_epoch, first + counter)
    }

    /// The run that gave the id.
    #[must_use]
    pub const fn run_epoch(self) -> u32 {
        (self.0 >> Self::COUNTER_BITS) as u32
    }

    /// The count within the run, from 1.
    #[must_use]
    pub const fn counter(self) -> u64 {
        self.0 & ((1 << Self::COUNTER_BITS) - 1)
    }
}

impl core::fmt::Display for ParcelId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}-{}", self.run_epoch(), self.counter())
    }
}

/// One bag or cage at a chute, from when it was hung until it was taken away. Its label can come
/// later, or be on two of them; this number is its own, made as that of a parcel is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct BagId(pub ParcelId);

impl core::fmt::Display for BagId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// A scanned code, as a number: two readings of the same text have the same one.
///
/// FNV-1a with 64 bits over the text (Fowler, Noll, Vo; draft-eastlake-fnv). It serves to see that
/// two readings agree; where the text itself matters, the driver keeps it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct CodeId(pub u64);

impl CodeId {
    /// "No code": a reading without one.
    pub const NONE: Self = Self(0);

    /// The number of a text; never [`CodeId::NONE`].
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in text.bytes() {
            hash ^= u64::from(byte);
            hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(hash.max(1))
    }
}
