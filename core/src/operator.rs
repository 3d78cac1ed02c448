//! What people and hosts tell a running sorter, and what it answers.
//!
//! A command comes as [`Signal::Command`](crate::signal::Signal::Command) with a ticket, from the
//! operator's command line, an HTTP request or a scenario file alike, and is answered at once by
//! [`Output::Answered`](crate::signal::Output::Answered) under the same ticket. What it starts may
//! take longer; that is told by other outputs and levels.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::facts::{DestKey, Facts, Verdict};
use crate::ids::{CellId, ChuteId, CodeId, InductionId, ParcelId, SeatId, TrackId, WaveId};
use crate::sorter::ChuteIs;

/// Which command an answer belongs to; given by the driver, not looked at by the sorter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ticket(pub u32);

/// What a person or host wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Sort by the plan with this version from now on; the driver has handed it over before.
    Activate {
        /// Its version.
        version: u32,
    },
    /// The wave is open, or has reached its cut-off.
    Wave {
        /// Which.
        wave: WaveId,
        /// Open (else cut off).
        open: bool,
    },
    /// Something about a chute.
    Chute {
        /// Which.
        chute: ChuteId,
        /// What.
        to: ChuteWish,
    },
    /// Something about a waybill, wherever its parcels are, now or later.
    Waybill {
        /// Its identity.
        code: CodeId,
        /// What.
        to: WaybillWish,
    },
    /// Something about one parcel.
    Parcel {
        /// Which.
        parcel: ParcelId,
        /// What.
        to: ParcelWish,
    },
    /// Something about a track.
    Track {
        /// Which.
        track: TrackId,
        /// What.
        to: TrackWish,
    },
    /// Something about an induction.
    Induction {
        /// Which.
        induction: InductionId,
        /// What.
        to: InductionWish,
    },
    /// Use a carrier, or stop using it.
    Carrier {
        /// Which.
        cell: CellId,
        /// Use it (else not).
        enabled: bool,
    },
}

/// What is wanted of a chute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChuteWish {
    /// Take nothing more until it is unlocked.
    Lock,
    /// Take parcels again. A lock at the chute itself opens only there.
    Unlock,
    /// Out of service: plan around it.
    Disable,
    /// In service again.
    Enable,
    /// What is in it has been taken out: it may have a new owner.
    Cleared,
    /// Ask for a bag change.
    ChangeBag,
    /// The label of the new bag was scanned.
    BindBag {
        /// The new container's identity.
        label: CodeId,
    },
    /// The new bag hangs: open.
    BagReady,
    /// Give the bag change up and open again with the old bag.
    KeepBag,
}

/// What is wanted of a waybill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WaybillWish {
    /// Hold its parcels: the sender, the customs or the office must say first.
    Hold,
    /// Send its parcels to another destination: return or redirect.
    Intercept {
        /// Where to.
        to: DestKey,
    },
    /// The hold is over. An intercept stands: what the office asked for is not its to end.
    Release,
    /// What a security device upstream says.
    Verdict(Verdict),
    /// The intercept is over: its parcels go where they were for before. A hold stands.
    CancelIntercept,
}

/// What is wanted of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ParcelWish {
    /// A seat takes a parcel that could not be read, to key its code in.
    Take {
        /// Which seat.
        seat: SeatId,
    },
    /// The seat gives it back.
    GiveBack {
        /// Which seat.
        seat: SeatId,
    },
    /// The code as keyed in, identified and looked up.
    Key {
        /// Which seat.
        seat: SeatId,
        /// What it says.
        facts: Facts,
    },
    /// It is damaged.
    Damaged,
    /// Send it to this chute, whatever the plan says.
    Force {
        /// Where to.
        chute: ChuteId,
    },
    /// A person has taken it off.
    Removed,
    /// What a host says of it: the answer to [`Output::AskHost`](crate::signal::Output::AskHost).
    Host(HostSays),
}

/// A host's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HostSays {
    /// It goes there.
    To(DestKey),
    /// It is to be held.
    Hold,
    /// The host does not know it either.
    Unknown,
}

/// What is wanted of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrackWish {
    /// Another mode.
    Mode(Mode),
    /// Let parcels in again. It starts no motor: that is done at the machine.
    Start,
    /// Let no more parcels in; those on it are sorted.
    Drain,
    /// Send what is on it to the reject chutes.
    Purge,
    /// Out of service: plan around it.
    Close,
    /// In service again.
    Open,
}

/// The mode of a track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// Sorting.
    #[default]
    Automatic,
    /// People put on and send parcels one by one; nothing is sent by itself.
    Manual,
    /// Being worked on: nothing is let in and nothing is ordered.
    Maintenance,
    /// Being emptied: nothing is let in, what is on it is sorted or rejected.
    Emptying,
}

impl Mode {
    /// Its name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
            Self::Maintenance => "maintenance",
            Self::Emptying => "emptying",
        }
    }
}

/// What is wanted of an induction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InductionWish {
    /// Let parcels in.
    Run,
    /// Let none in.
    Stop,
    /// Let in at most so many an hour; 0: as many as come.
    Limit(u16),
}

/// Why a command was not taken; the `Display` text says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refused {
    /// No plan of this version was staged.
    NoSuchPlan,
    /// The last plan's chutes are not cleared yet.
    StillClearing {
        /// The first of them.
        chute: ChuteId,
    },
    /// There is no such wave in the plan.
    NoSuchWave,
    /// There is no such device in the hub, or not on this sorter.
    NoSuchDevice,
    /// There is no such parcel on the sorter.
    NoSuchParcel,
    /// The plan has no such destination.
    NoSuchDestination,
    /// The device is not in a state in which this is possible.
    NotNow,
    /// It was locked by hand at the chute and opens only there.
    LockedLocally,
    /// The label is bound already.
    LabelInUse,
    /// There is no room for another standing instruction.
    TooMany,
    /// The seat does not hold the parcel: another does, or none, or it was read meanwhile.
    NotYours,
    /// No code, or none that is valid, came with the command.
    NoCode,
    /// It is held for security.
    Suspect,
    /// The chute cannot be reached any more.
    OutOfReach,
    /// The waybill is not held.
    NotHeld,
    /// The waybill is not intercepted.
    NotIntercepted,
    /// The chute has neither bag nor cage.
    NoBagThere,
    /// No bag change is under way.
    NoBagChange,
    /// A bag change is under way.
    BagChanging,
    /// What is in the bag may still change.
    BagNotFrozen,
    /// The new bag has no label yet.
    BagNotLabelled,
    /// The bag holds as much as it may.
    BagFull,
    /// The track is in maintenance.
    InMaintenance,
    /// The track is being emptied.
    BeingEmptied,
    /// The track is in manual mode.
    InManual,
    /// The encoder stands while the belt is said to run: no place is known.
    EncoderStuck,
    /// The parcel needs no keying: it was read meanwhile, or is about to leave.
    NotUnread,
    /// The seat holds another parcel.
    SeatBusy,
    /// The chute takes nothing.
    ChuteClosed {
        /// What it is.
        is: ChuteIs,
    },
    /// Nobody has asked the host about the parcel.
    NotAsked,
}

impl Refused {
    /// Its name for programs. It does not change.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoSuchPlan => "no-such-plan",
            Self::StillClearing { .. } => "still-clearing",
            Self::NoSuchWave => "no-such-wave",
            Self::NoSuchDevice => "no-such-device",
            Self::NoSuchParcel => "no-such-parcel",
            Self::NoSuchDestination => "no-such-destination",
            Self::NotNow => "not-now",
            Self::LockedLocally => "locked-locally",
            Self::LabelInUse => "label-in-use",
            Self::TooMany => "too-many",
            Self::NotYours => "not-yours",
            Self::NoCode => "no-code",
            Self::Suspect => "suspect",
            Self::OutOfReach => "out-of-reach",
            Self::NotHeld => "not-held",
            Self::NotIntercepted => "not-intercepted",
            Self::NoBagThere => "no-bag-there",
            Self::NoBagChange => "no-bag-change",
            Self::BagChanging => "bag-changing",
            Self::BagNotFrozen => "bag-not-frozen",
            Self::BagNotLabelled => "bag-not-labelled",
            Self::BagFull => "bag-full",
            Self::InMaintenance => "in-maintenance",
            Self::BeingEmptied => "being-emptied",
            Self::InManual => "in-manual",
            Self::EncoderStuck => "encoder-stuck",
            Self::NotUnread => "not-unread",
            Self::SeatBusy => "seat-busy",
            Self::ChuteClosed { .. } => "chute-closed",
            Self::NotAsked => "not-asked",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchPlan => "no plan of this version is staged; stage it first",
            Self::StillClearing { .. } => {
                "chutes of the last plan are not cleared yet; clear them, then activate"
            }
            Self::NoSuchWave => "the plan has no such wave; name one of its waves",
            Self::NoSuchDevice => "the hub has no such device; name one that it has",
            Self::NoSuchParcel => {
                "no such parcel is on the sorter, or no more; read its number again"
            }
            Self::NoSuchDestination => {
                "the plan has no such destination; name one of its destinations"
            }
            Self::NotNow => "not possible in its present state; see its state, then do that first",
            Self::LockedLocally => "it is locked at the chute itself; open it there",
            Self::LabelInUse => "the label is bound to a container already; scan another one",
            Self::TooMany => "there are too many standing instructions; release old ones first",
            Self::NotYours => "the seat does not hold the parcel; take one that nobody holds",
            Self::NoCode => "a valid code is needed; give one, or give the parcel back",
            Self::Suspect => "it is held for security; clear the waybill's verdict first",
            Self::OutOfReach => "the chute cannot be reached any more; name another one",
            Self::NotHeld => "the waybill is not held; read its number again",
            Self::NotIntercepted => "the waybill is not intercepted; read its number again",
            Self::NoBagThere => "the chute has neither bag nor cage; name one that has",
            Self::NoBagChange => "no bag change is under way; ask for one first",
            Self::BagChanging => "the bag is being changed; hang the new one, or keep the old one",
            Self::BagNotFrozen => {
                "parcels may still drop into the bag; wait until its contents are frozen"
            }
            Self::BagNotLabelled => "the new bag has no label yet; scan and bind one first",
            Self::BagFull => "the bag holds as much as it may; hang a new one",
            Self::InMaintenance => "the track is in maintenance; set another mode first",
            Self::BeingEmptied => "the track is being emptied; set it to automatic first",
            Self::InManual => "in manual mode nothing is sent by itself; set another mode first",
            Self::EncoderStuck => {
                "the encoder stands, so no parcel's place is known; see to the encoder first"
            }
            Self::NotUnread => "the parcel need not be keyed in any more; take another one",
            Self::SeatBusy => "the seat holds another parcel; key that one in, or give it back",
            Self::ChuteClosed { is } => return closed(*is, f),
            Self::NotAsked => {
                "the host was not asked about this parcel; force it, or intercept its waybill"
            }
        })
    }
}

/// A chute takes nothing because of what it is; what opens it.
fn closed(is: ChuteIs, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let first = match is {
        // Neither takes nothing; whoever asks again is served.
        ChuteIs::Open | ChuteIs::Half => "ask again",
        ChuteIs::Disabled => "enable it first",
        ChuteIs::DisabledByPlc => "put it in service at the chute first",
        ChuteIs::Jammed => "clear the jam first",
        ChuteIs::LockedLocally => "open it at the chute first",
        ChuteIs::BagChange | ChuteIs::BagLimit => "change its bag first",
        ChuteIs::Locked => "unlock it first",
        ChuteIs::PendingClear => "clear it of its last owner's parcels first",
        ChuteIs::EyeStuck => "free its full eye first",
        ChuteIs::Full => "empty it first",
    };
    write!(
        f,
        "the chute is {}; {first}, or name another one",
        is.name()
    )
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    use super::*;

    const CHUTE: ChuteId = ChuteId(0);

    const ALL: [Refused; 30] = [
        Refused::NoSuchPlan,
        Refused::StillClearing { chute: CHUTE },
        Refused::NoSuchWave,
        Refused::NoSuchDevice,
        Refused::NoSuchParcel,
        Refused::NoSuchDestination,
        Refused::NotNow,
        Refused::LockedLocally,
        Refused::LabelInUse,
        Refused::TooMany,
        Refused::NotYours,
        Refused::NoCode,
        Refused::Suspect,
        Refused::OutOfReach,
        Refused::NotHeld,
        Refused::NotIntercepted,
        Refused::NoBagThere,
        Refused::NoBagChange,
        Refused::BagChanging,
        Refused::BagNotFrozen,
        Refused::BagNotLabelled,
        Refused::BagFull,
        Refused::InMaintenance,
        Refused::BeingEmptied,
        Refused::InManual,
        Refused::EncoderStuck,
        Refused::NotUnread,
        Refused::SeatBusy,
        Refused::ChuteClosed {
            is: ChuteIs::Locked,
        },
        Refused::NotAsked,
    ];

    /// Journals name a refusal by its place, programs by its code.
    #[test]
    fn each_refusal_has_a_place_a_code_and_a_mend_of_its_own() {
        let mut codes: Vec<&str> = ALL.iter().map(|why| why.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ALL.len());
        for (place, why) in ALL.into_iter().enumerate() {
            let code = why.code();
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(code.bytes().all(is_plain), "{code}");
            let text = why.to_string();
            let (problem, mend) = text.split_once("; ").expect("what is wrong; what to do");
            assert!(!problem.is_empty() && !mend.is_empty(), "{text}");
            let bytes = postcard::to_allocvec(&why).expect("it can be encoded");
            assert_eq!(usize::from(bytes[0]), place, "{code}");
        }
    }

    #[test]
    fn a_closed_chute_is_told_with_what_opens_it() {
        for (is, text) in [
            (ChuteIs::Locked, "the chute is locked; unlock it first"),
            (
                ChuteIs::LockedLocally,
                "locked-locally; open it at the chute",
            ),
            (ChuteIs::BagChange, "bag-change; change its bag first"),
            (ChuteIs::Disabled, "disabled; enable it first"),
        ] {
            let told = Refused::ChuteClosed { is }.to_string();
            assert!(told.contains(text), "{told}");
        }
    }
}
