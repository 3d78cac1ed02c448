//! What the sorter says.

use serde::{Deserialize, Serialize};

use crate::alarm::Alarm;
use crate::facts::Facts;
use crate::ids::{
    BagId, CellId, ChuteId, CodeId, InductionId, ParcelId, PlcItem, ScannerId, SeatId, TrackId,
    TransferId,
};
use crate::limits::ORDER_CHUTES_MAX;
use crate::operator::{Refused, Ticket};
use crate::reason::{Disposition, Reason};
use crate::running::{Pace, RunState};
use crate::units::{BeltMm, Grams, Micros};

/// Something that the sorter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Output {
    /// Tell the PLC where an item goes.
    Divert(Order),
    /// Tell the PLC that an item's order no longer stands: it laps or goes straight.
    Withdraw {
        /// The parcel.
        parcel: ParcelId,
        /// The PLC's number for it.
        item: PlcItem,
        /// Its carrier or window.
        cell: CellId,
        /// Newer than every order given for it before.
        revision: u16,
    },
    /// A parcel is known from now on.
    Known {
        /// Its id.
        parcel: ParcelId,
        /// Where it is.
        cell: CellId,
        /// The PLC's number for it.
        item: PlcItem,
    },
    /// A parcel's code is known.
    Read {
        /// The parcel.
        parcel: ParcelId,
        /// Who read it.
        by: Reader,
        /// Its code.
        code: CodeId,
    },
    /// Where a parcel goes was decided.
    Decided {
        /// The parcel.
        parcel: ParcelId,
        /// The chute it should leave by; `None`: it goes round, or straight on.
        chute: Option<ChuteId>,
        /// Why.
        why: Reason,
        /// What said where it is for.
        basis: Basis,
    },
    /// A parcel has gone onto a transfer: tell whoever owns the induction at its end.
    HandOver {
        /// Which.
        transfer: TransferId,
        /// The parcel.
        parcel: ParcelId,
        /// What is known of it.
        facts: Facts,
    },
    /// Ask the host where a parcel goes; its answer comes as
    /// [`ParcelWish::Host`](crate::operator::ParcelWish::Host).
    AskHost {
        /// The parcel.
        parcel: ParcelId,
        /// Its identity.
        code: CodeId,
        /// An answer then or later is too late.
        until: Micros,
    },
    /// A command's answer.
    Answered {
        /// The command's.
        ticket: Ticket,
        /// Taken, or why not.
        answer: Result<(), Refused>,
    },
    /// A parcel's passage is over.
    Ended {
        /// The parcel.
        parcel: ParcelId,
        /// What became of it.
        how: Disposition,
        /// Why.
        why: Reason,
        /// The chute it left by, if it did.
        chute: Option<ChuteId>,
        /// The bag or cage that it dropped into, if the chute has one.
        bag: Option<BagId>,
    },
    /// What a chute's PLC should do: a level, said when it changes.
    ChuteWish {
        /// Which chute.
        chute: ChuteId,
        /// Drop nothing more into it.
        lock: bool,
        /// What its lamp shows.
        lamp: Lamp,
        /// Why, where it is not simply open.
        why: Option<Reason>,
    },
    /// A bag or cage has come to another stage of its life, with what it holds by then. What
    /// drops in after it was frozen is told by another of these.
    Bag {
        /// At which chute it hangs.
        chute: ChuteId,
        /// Which.
        bag: BagId,
        /// Its label; [`CodeId::NONE`] while it has none.
        label: CodeId,
        /// Parcels in it.
        pieces: u32,
        /// Their mass, as far as it is known.
        weight: Grams,
        /// Their volume in cm³, as far as it is known.
        volume_cm3: u32,
        /// What has become of it.
        to: BagStage,
    },
    /// Nothing here depends on this version of the plan any more. It stays staged, so that it can
    /// be activated again, until it is taken out with
    /// [`Sorter::unstage`](crate::sorter::Sorter::unstage).
    RetirePlan {
        /// Which version.
        version: u32,
    },
    /// How fast an induction may feed: a level, said on change.
    Pace {
        /// Which.
        induction: InductionId,
        /// How fast.
        to: Pace,
        /// Most parcels an hour; 0: no limit.
        limit_per_h: u16,
    },
    /// Use a carrier, or stop using it.
    CarrierEnable {
        /// The carrier.
        cell: CellId,
        /// Use it (else not).
        enabled: bool,
    },
    /// How a track runs: a level, said on change.
    Track {
        /// Which.
        track: TrackId,
        /// How.
        to: RunState,
    },
    /// A correction: a parcel that was said to have left by a chute lies on its carrier still. Its
    /// disposition stands; what lies there is followed under an id of its own.
    StillThere {
        /// The parcel.
        parcel: ParcelId,
        /// The carrier.
        cell: CellId,
        /// The chute that it was said to have left by.
        chute: ChuteId,
    },
    /// A person should know.
    Alarm(Alarm),
}

/// What the lamp of a chute shows; the site decides what each looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Lamp {
    /// Nothing to do here.
    #[default]
    Dark,
    /// Locked: leave it.
    Locked,
    /// A bag change was asked for: parcels may still drop, wait.
    Wait,
    /// Nothing drops any more: change the bag and scan the new label.
    Change,
    /// The new label is bound: press when the bag hangs.
    Ready,
    /// What lies here is its last owner's: clear it.
    Clear,
    /// Out of service.
    OutOfService,
}

/// What became of a bag or cage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BagStage {
    /// It hangs, and parcels drop into it from now on.
    Opened,
    /// It was given its label while parcels drop into it.
    Labelled,
    /// Nothing more is sent to it; these are its contents.
    Frozen,
    /// It was to be changed and was not: parcels drop into it again.
    Kept,
}

/// Who read a parcel's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reader {
    /// A scanner.
    Scanner(ScannerId),
    /// A person, who keyed it in.
    Seat(SeatId),
}

/// What said where a parcel is for: the first that knew, in this order (but for
/// [`Basis::Nothing`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Basis {
    /// Nothing did: it goes where its cause says.
    #[default]
    Nothing,
    /// A person sent it to a chute.
    Forced,
    /// A hold, a check of weight, size or security, or damage. A suspect verdict comes before all.
    Hold,
    /// An intercept.
    Intercept,
    /// A rule of the plan on its attributes that comes before its destination.
    FirstRule,
    /// Pre-advice named the destination.
    PreAdvice,
    /// Its segment code.
    Segment,
    /// Its postcode.
    Postcode,
    /// The host.
    Host,
    /// A rule of the plan on its attributes, when nothing else knew.
    Rule,
}

/// Where an item should go: a state, not a message. For each item the newest revision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Order {
    /// The parcel.
    pub parcel: ParcelId,
    /// The PLC's number for it.
    pub item: PlcItem,
    /// Its carrier or window.
    pub cell: CellId,
    /// Grows with each order for this item, from 1; wraps past zero.
    pub revision: u16,
    /// The chutes to try: the second once the first has refused, and so on.
    pub chutes: [Option<ChuteId>; ORDER_CHUTES_MAX],
    /// What to do when none has taken it.
    pub on_fail: OnFail,
    /// The order lapses when the encoder is past this.
    pub obey_by: BeltMm,
    /// Why it goes there.
    pub why: Reason,
    /// The version of the plan that said so.
    pub plan_version: u32,
}

/// What a PLC does with an item that no ordered chute has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OnFail {
    /// The order stands: it is tried again next lap unless a newer one comes (loops).
    Lap,
    /// The order is over; the item goes straight on (lines).
    Straight,
}
