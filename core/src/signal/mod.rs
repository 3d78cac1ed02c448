//! What the sorter is told, and what it says.
//!
//! A [`Signal`] is small, `Copy` and without references, so that it can cross a queue, lie in a
//! journal and come out again unchanged. It carries facts (what a code means was looked up before,
//! in the [`Directory`](crate::directory::Directory)); what is done about them is the sorter's.

use serde::{Deserialize, Serialize};

mod output;

pub use output::{BagStage, Basis, Lamp, OnFail, Order, Output, Reader};

pub use crate::alarm::Alarm;
use crate::facts::Facts;
use crate::ids::{CellId, ChuteId, InductionId, ParcelId, PlcItem, ScannerId, TrackId, TransferId};
use crate::operator::{Command, Ticket};
use crate::reason::Reason;
use crate::running::Feeding;
use crate::units::{BeltMm, Mm, MmPerS};

/// Something that happened, told to [`Sorter::handle`](crate::sorter::Sorter::handle).
///
/// *Exogenous* signals (arrivals, readings, people, faults) would have come whatever we had
/// decided; *endogenous* ones ([`Signal::is_endogenous`]) are the plant's answers to our orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Signal {
    /// Nothing; time has passed and what is due should happen.
    Tick,
    /// A belt's encoder and speed; everything that happened on it before `at` has been told.
    Belt {
        /// Which belt.
        track: TrackId,
        /// Its travel.
        at: BeltMm,
        /// Its speed now.
        speed: MmPerS,
    },
    /// An item got onto a track.
    Inducted {
        /// Where.
        induction: InductionId,
        /// Onto which carrier or into which window.
        cell: CellId,
        /// The PLC's number for it.
        item: PlcItem,
        /// The encoder latched at the induction eye.
        at: BeltMm,
        /// Its length.
        length: Mm,
        /// How many carriers it lies on: `cell` and those with the next higher numbers. At least 1.
        spans: u8,
        /// It came round over the line's return and keeps its number.
        returned: bool,
    },
    /// An item passed a scanner's trigger eye.
    AtScanner {
        /// Which scanner.
        scanner: ScannerId,
        /// The carrier or window.
        cell: CellId,
        /// The PLC's number for it.
        item: PlcItem,
        /// The number that the telegram will carry too.
        trigger: u16,
        /// The encoder latched at the eye.
        at: BeltMm,
    },
    /// A scanner's telegram.
    Scanned {
        /// Which scanner.
        scanner: ScannerId,
        /// How it names the item it saw.
        key: ScanKey,
        /// What it read, identified and looked up.
        facts: Facts,
    },
    /// An item left by a chute.
    Discharged {
        /// By which.
        chute: ChuteId,
        /// From which carrier or window.
        cell: CellId,
        /// The PLC's number for it.
        item: PlcItem,
        /// The encoder latched there.
        at: BeltMm,
    },
    /// An item passed a chute it was ordered to and did not leave.
    NotDischarged {
        /// The chute.
        chute: ChuteId,
        /// The carrier or window.
        cell: CellId,
        /// The PLC's number for it.
        item: PlcItem,
        /// The encoder latched there.
        at: BeltMm,
        /// Why.
        cause: Refusal,
    },
    /// An occupied carrier passed the loop's lap eye.
    LapPassed {
        /// The carrier.
        cell: CellId,
        /// The PLC's number for the item.
        item: PlcItem,
        /// The encoder latched there.
        at: BeltMm,
    },
    /// An item reached the end of a line and goes onto its return.
    Returning {
        /// The window it had.
        cell: CellId,
        /// The PLC's number for it.
        item: PlcItem,
        /// The encoder latched there.
        at: BeltMm,
    },
    /// An item was not seen where it had to pass.
    Missing {
        /// The carrier or window.
        cell: CellId,
        /// The PLC's number for it.
        item: PlcItem,
        /// The encoder at the end of its window.
        at: BeltMm,
    },
    /// An item was seen where none was known; the PLC has given it a number.
    Unexpected {
        /// The carrier or window.
        cell: CellId,
        /// The PLC's new number for it.
        item: PlcItem,
        /// The encoder latched there.
        at: BeltMm,
    },
    /// A carrier is still occupied after its discharge was told.
    CarrierNotEmpty {
        /// The carrier.
        cell: CellId,
        /// The PLC's number for what lies there: that of the item that was to have left.
        item: PlcItem,
        /// The encoder latched there.
        at: BeltMm,
    },
    /// A PLC uses a carrier no more: because it failed, or a person on the spot said so.
    CarrierDisabled {
        /// The carrier.
        cell: CellId,
    },
    /// What an induction really does.
    InductionState {
        /// Which.
        induction: InductionId,
        /// What it does.
        feeding: Feeding,
    },
    /// A person took an item off.
    RemovedByHand {
        /// The carrier or window.
        cell: CellId,
        /// The PLC's number for it.
        item: PlcItem,
    },
    /// The PLC's answer to an order.
    OrderAnswered {
        /// The carrier or window.
        cell: CellId,
        /// The PLC's number for the item.
        item: PlcItem,
        /// The order's revision.
        revision: u16,
        /// What it said.
        answer: OrderAnswer,
    },
    /// The state of a chute.
    Chute {
        /// Which.
        chute: ChuteId,
        /// Its state.
        state: ChuteState,
        /// Parcels taken out so far, counted by the chute's exit; wraps.
        taken: u16,
    },
    /// The button at a chute was pressed: its bag should be changed, or has been.
    BagButton {
        /// Which chute's.
        chute: ChuteId,
    },
    /// The state of a track's PLC link.
    Link {
        /// Which track.
        track: TrackId,
        /// What became of it.
        to: LinkState,
    },
    /// One line of a PLC's inventory: what lies on a carrier or in a window.
    Inventory {
        /// The carrier or window.
        cell: CellId,
        /// The PLC's number for what is there.
        item: PlcItem,
        /// The encoder when the inventory was latched.
        at: BeltMm,
    },
    /// A parcel was put on a transfer that ends at an induction of this sorter.
    Transfer {
        /// Which.
        transfer: TransferId,
        /// The parcel: it keeps its id.
        parcel: ParcelId,
        /// What is known of it.
        facts: Facts,
    },
    /// A person or a host wants something.
    Command {
        /// What the answer will name.
        ticket: Ticket,
        /// What.
        command: Command,
    },
    /// The inventory of a track is told in full.
    InventoryEnd {
        /// Which track.
        track: TrackId,
        /// The encoder when the inventory was latched.
        at: BeltMm,
    },
}

impl Signal {
    /// Whether this is an answer of the plant to our orders, rather than something that would
    /// have happened whatever we had decided.
    #[must_use]
    pub const fn is_endogenous(&self) -> bool {
        matches!(
            self,
            Self::Discharged { .. }
                | Self::NotDischarged { .. }
                | Self::LapPassed { .. }
                | Self::Returning { .. }
                | Self::OrderAnswered { .. }
                | Self::CarrierNotEmpty { .. }
                | Self::InductionState { .. }
        )
    }
}

/// How a telegram names the item that its scanner saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ScanKey {
    /// By the PLC's trigger number.
    Trigger(u16),
    /// By carrier.
    Carrier(CellId),
    /// By the belt position at the trigger.
    Encoder(BeltMm),
    /// Not at all; only by when it came.
    Arrival,
}

impl ScanKey {
    /// Whether it says of itself which pass of which item it is of. A carrier comes round again
    /// each lap, perhaps with another item.
    #[must_use]
    pub const fn names_a_pass(self) -> bool {
        matches!(self, Self::Trigger(_) | Self::Encoder(_))
    }
}

/// Why a chute did not take an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// It was full.
    Full,
    /// It was locked.
    Locked,
    /// It was jammed.
    Jammed,
    /// It was out of service.
    Disabled,
    /// The order came after the commit point.
    Late,
    /// The gap to a neighbour was too small.
    Gap,
    /// The diverter did not act.
    Failed,
}

impl Refusal {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// All of them, in their order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Full,
        Self::Locked,
        Self::Jammed,
        Self::Disabled,
        Self::Late,
        Self::Gap,
        Self::Failed,
    ];

    /// Its name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Locked => "locked",
            Self::Jammed => "jammed",
            Self::Disabled => "disabled",
            Self::Late => "late",
            Self::Gap => "gap",
            Self::Failed => "failed",
        }
    }

    /// The reason that reports give.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Full => Reason::ChuteFull,
            Self::Locked => Reason::ChuteLocked,
            Self::Jammed => Reason::ChuteJammed,
            Self::Disabled | Self::Failed => Reason::ChuteDisabled,
            Self::Late => Reason::Late,
            Self::Gap => Reason::Gap,
        }
    }
}

/// A PLC's answer to an order, before it is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrderAnswer {
    /// It stands.
    Accepted,
    /// That item is not in that cell; the order stands nowhere.
    NoSuchItem,
    /// Every chute it names is past already.
    Late,
    /// It names a chute that the PLC does not have.
    BadChute,
    /// A newer revision was there before it.
    OldRevision,
    /// It was given under an epoch that is over.
    WrongEpoch,
    /// It was not executed by the encoder it was good until.
    Expired,
}

/// What a chute says of itself: levels, not edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChuteState {
    /// In service.
    pub enabled: bool,
    /// The eye near its top is covered.
    pub half: bool,
    /// The full eye is covered.
    pub full: bool,
    /// Parcels are stuck.
    pub jammed: bool,
    /// Locked at the chute itself, or its shutter is closed: it opens only there.
    pub locked: bool,
    /// The lock that we wished for holds: nothing more will drop.
    pub lock_applied: bool,
}

impl ChuteState {
    /// In service and empty.
    pub const OPEN: Self = Self {
        enabled: true,
        half: false,
        full: false,
        jammed: false,
        locked: false,
        lock_applied: false,
    };

    /// Why it takes nothing; `None` if it does.
    #[must_use]
    pub const fn closed_because(self) -> Option<Refusal> {
        if !self.enabled {
            Some(Refusal::Disabled)
        } else if self.jammed {
            Some(Refusal::Jammed)
        } else if self.locked || self.lock_applied {
            Some(Refusal::Locked)
        } else if self.full {
            Some(Refusal::Full)
        } else {
            None
        }
    }
}

/// What became of a link to a PLC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LinkState {
    /// It is up and our claim is granted; what happened meanwhile has been or will be told.
    Up,
    /// Nothing was heard for as long as the heartbeat allows. Nothing is void.
    Lost,
    /// The PLC has lost its tracking: every item on the track is in doubt.
    Reset,
}
