//! What the sorter itself has to alarm people about.

use serde::{Deserialize, Serialize};

use crate::ids::{CellId, ChuteId, ParcelId, ScannerId, TrackId};
use crate::reason::Reason;
use crate::running::DisabledBy;

/// What a person should know. Levels (a silent scanner, a closed reject chute, a disabled carrier)
/// are in [`RunState`](crate::running::RunState) and the sorter's views; these are events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Alarm {
    /// A parcel left by another chute than it was ordered to.
    Missort {
        /// The parcel.
        parcel: ParcelId,
        /// Where it was sent, if anywhere.
        ordered: Option<ChuteId>,
        /// Where it went.
        went: ChuteId,
    },
    /// A parcel was held or redirected too late: it left by the chute it was ordered to before.
    Slipped {
        /// The parcel.
        parcel: ParcelId,
        /// Where it went.
        went: ChuteId,
        /// Why it should not have.
        why: Reason,
    },
    /// A parcel was lost.
    Lost {
        /// The parcel.
        parcel: ParcelId,
    },
    /// A link to a PLC is lost.
    LinkLost {
        /// Which track's.
        track: TrackId,
    },
    /// A PLC has lost its tracking.
    TrackingReset {
        /// Which track.
        track: TrackId,
        /// How many parcels are in doubt.
        in_doubt: u32,
    },
    /// There is no room left to follow another item.
    TooManyItems {
        /// Where it got on.
        cell: CellId,
    },
    /// A carrier is no longer used.
    CarrierDisabled {
        /// Which.
        cell: CellId,
        /// By whom.
        by: DisabledBy,
    },
    /// A carrier was still occupied after its discharge.
    CarrierNotEmpty {
        /// Which.
        cell: CellId,
    },
    /// A chute has failed to take parcels from several carriers in a row: its diverter, not they.
    ChuteFails {
        /// Which.
        chute: ChuteId,
    },
    /// A full eye is covered by what no parcel can be: look at it and wipe it. The chute is out of
    /// the plan until it is clear.
    EyeStuck {
        /// Whose.
        chute: ChuteId,
    },
    /// A chute has been locked, or its bag being changed, for longer than that should take.
    LockedLong {
        /// Which.
        chute: ChuteId,
    },
    /// A scanner has read nothing of many items in a row.
    NoReadStreak {
        /// Which.
        scanner: ScannerId,
    },
}
