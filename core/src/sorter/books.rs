//! The sorter's book: every parcel is on exactly one side of it.

use serde::{Deserialize, Serialize};

use crate::reason::{Disposition, Reason};

/// Counts since the start. `inducted = sorted + rejected + removed + lost + on_sorter`, always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// Parcels that got on, and those found on the track that nobody had announced.
    pub inducted: u64,
    /// Parcels that left by a chute their destination allows, and missorts.
    pub sorted: u64,
    /// Of those sorted, the ones that left elsewhere than ordered.
    pub missorted: u64,
    /// Parcels rejected, all causes.
    pub rejected: u64,
    /// Parcels rejected, by cause.
    pub rejected_by: ByReason,
    /// Parcels taken off by hand.
    pub removed: u64,
    /// Parcels lost.
    pub lost: u64,
    /// Parcels still on their way.
    pub on_sorter: u64,
    /// Tries to leave that failed and led to another lap.
    pub recirculated: u64,
    /// Telegrams that met no item, or more than one.
    pub unmatched_scans: u64,
    /// Items whose scanner said nothing in time.
    pub silent_scans: u64,
    /// Signals about an item that is not where they say.
    pub unknown_items: u64,
    /// Items that could not be followed because there was no room left.
    pub not_followed: u64,
    /// Parcels found again after the PLC had lost its tracking.
    pub adopted: u64,
    /// Orders given.
    pub orders: u64,
}

/// A count for each reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByReason([u64; Reason::COUNT]);

impl Default for ByReason {
    fn default() -> Self {
        Self([0; Reason::COUNT])
    }
}

impl core::ops::Index<Reason> for ByReason {
    type Output = u64;

    fn index(&self, reason: Reason) -> &u64 {
        &self.0[usize::from(reason.code())]
    }
}

// Arrays of more than 32 are not known to serde.
impl Serialize for ByReason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_slice().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ByReason {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let counts = alloc::vec::Vec::<u64>::deserialize(deserializer)?;
        let counts = counts.try_into();
        counts
            .map(Self)
            .map_err(|_| serde::de::Error::custom("not one count for each reason"))
    }
}

impl Books {
    /// Whether every parcel is accounted for.
    #[must_use]
    pub const fn balance(&self) -> bool {
        self.inducted == self.sorted + self.rejected + self.removed + self.lost + self.on_sorter
    }

    pub(super) fn start(&mut self) {
        self.inducted += 1;
        self.on_sorter += 1;
    }

    pub(super) fn end(&mut self, how: Disposition, why: Reason) {
        assert!(
            self.on_sorter > 0,
            "a parcel ended that was not on the sorter"
        );
        self.on_sorter -= 1;
        match how {
            Disposition::Sorted => {
                self.sorted += 1;
                self.missorted += u64::from(why == Reason::Elsewhere);
            }
            Disposition::Rejected => {
                self.rejected += 1;
                self.rejected_by.0[usize::from(why.code())] += 1;
            }
            Disposition::Removed => self.removed += 1,
            Disposition::Lost => self.lost += 1,
        }
    }
}
