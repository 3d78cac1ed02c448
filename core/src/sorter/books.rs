//! The sorter's book: every parcel is on exactly one side of it.

use serde::{Deserialize, Serialize};

use crate::reason::{Disposition, Reason};

/// Counts since the start. What came, `inducted + taken_over`, is what went and what is there,
/// `sorted + rejected + removed + lost + handed_over + on_sorter`, always. Over all sorters of a
/// hub, `handed_over - taken_over` parcels are in transfer.
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
    /// Parcels that left by a transfer, for another sort.
    pub handed_over: u64,
    /// Parcels that came over a transfer.
    pub taken_over: u64,
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
    /// Questions to the host.
    pub host_asked: u64,
    /// Of those, the ones that were answered in time.
    pub host_answered: u64,
    /// Of those, the ones that were not.
    pub host_late: u64,
    /// Parcels that the host could not be asked about, because too many questions were open.
    pub host_not_asked: u64,
    /// Parcels whose code was keyed in.
    pub keyed: u64,
    /// Of those, the ones that were sorted by it.
    pub keyed_in_time: u64,
    /// Orders that came too late to be obeyed.
    pub late_orders: u64,
    /// Items missing or unexpected where nothing explained it: faults of tracking.
    pub mistracked: u64,
    /// Discharges that failed at a carrier or diverter.
    pub failed_discharges: u64,
    /// Parcels that were told to have left and lay on their carrier still.
    pub still_there: u64,
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
        let ended = self.sorted + self.rejected + self.removed + self.lost;
        self.inducted + self.taken_over == ended + self.handed_over + self.on_sorter
    }

    /// Adds another sorter's counts, for the book of a hub.
    pub fn add(&mut self, other: &Self) {
        self.inducted += other.inducted;
        self.sorted += other.sorted;
        self.missorted += other.missorted;
        self.rejected += other.rejected;
        for (count, more) in self.rejected_by.0.iter_mut().zip(&other.rejected_by.0) {
            *count += more;
        }
        self.removed += other.removed;
        self.lost += other.lost;
        self.handed_over += other.handed_over;
        self.taken_over += other.taken_over;
        self.on_sorter += other.on_sorter;
        self.recirculated += other.recirculated;
        self.unmatched_scans += other.unmatched_scans;
        self.silent_scans += other.silent_scans;
        self.unknown_items += other.unknown_items;
        self.not_followed += other.not_followed;
        self.adopted += other.adopted;
        self.orders += other.orders;
        self.host_asked += other.host_asked;
        self.host_answered += other.host_answered;
        self.host_late += other.host_late;
        self.host_not_asked += other.host_not_asked;
        self.keyed += other.keyed;
        self.keyed_in_time += other.keyed_in_time;
        self.late_orders += other.late_orders;
        self.mistracked += other.mistracked;
        self.failed_discharges += other.failed_discharges;
        self.still_there += other.still_there;
    }

    /// Parcels on transfers between sorters, if these are the counts of a whole hub.
    #[must_use]
    pub const fn in_transfer(&self) -> u64 {
        self.handed_over.saturating_sub(self.taken_over)
    }

    pub(super) fn start(&mut self) {
        self.inducted += 1;
        self.on_sorter += 1;
    }

    pub(super) fn take_over(&mut self) {
        self.taken_over += 1;
        self.on_sorter += 1;
    }

    pub(super) fn hand_over(&mut self) {
        assert!(
            self.on_sorter > 0,
            "a parcel was handed over that was not on the sorter"
        );
        self.on_sorter -= 1;
        self.handed_over += 1;
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
