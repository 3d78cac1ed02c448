//! Events: what the PLC tells, as one slot of 16 registers.

use super::lists::{
    Answer, ChuteBits, ChuteCause, DisableCause, InductionBits, NotDischargedCause, Quality,
    ResetCause, StatusBits, StopCause,
};
use super::map::{SLOT_REGS, check_of, long, pack, unpack, words};
use super::ring::{Seq, to_wire};

/// One slot of a window as registers.
pub type Slot = [u16; SLOT_REGS];

/// Why the registers of a slot are not an event or command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// All registers are zero: nothing was published here yet.
    #[error("the slot is empty: wait for it")]
    Empty,
    /// The check register does not fit: half written, or made for another boot. Wait for the next
    /// read.
    #[error("the slot's check does not fit: read it again")]
    Check,
    /// The sequence number is 0 or above 65520. The slot can not be placed; alarm.
    #[error("the slot has no sequence number of a ring: the writer must use 1 to 65520")]
    Sequence,
    /// The slot is whole but its type or a field is outside the contract. Take it as read; alarm.
    #[error("the slot's type or a field is outside the contract: compare the map versions")]
    Meaning,
}

/// One thing that happened at the plant, in the order in which the PLC saw it.
///
/// `item` is the PLC's number of one passage from induction to exit, 0 where the event is about no
/// item. `encoder_mm` wraps at 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Epoch of the engine it was published to, 0 while none was granted. Set by the PLC end.
    pub epoch: u16,
    /// Its place in the ring. Set by the PLC end.
    pub seq: Seq,
    /// The item, 0 for none.
    pub item: u32,
    /// Carrier of a loop or window of a line, 0 for none.
    pub cell: u16,
    /// The device that saw it (induction, scanner, eye, chute; by type), 0 for none.
    pub device: u16,
    /// Carriers the item lies on, 0 where it does not matter.
    pub spanned: u8,
    /// Laps the item has completed.
    pub lap: u8,
    /// Encoder value latched when it happened, in mm.
    pub encoder_mm: u32,
    /// The PLC's clock when it happened, in ms, wrapping.
    pub plc_ms: u32,
    /// What happened.
    pub kind: EventKind,
}

/// What happened. The numbers on the wire are those of `docs/plc-interface.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// An item was put on the track; the device is the induction.
    Inducted {
        /// Its length along the belt.
        length_mm: u16,
        /// Free belt to the item before it.
        gap_mm: u16,
        /// It came back over a return conveyor: the same item in a new window.
        returned: bool,
    },
    /// An item stands at a scanner (the device), which was told this trigger number.
    AtScanner {
        /// The trigger number handed to the scanner, to be found in its telegram.
        trigger: u16,
    },
    /// An item was weighed and measured.
    Measured {
        /// Mass, 65535 for that or more.
        mass_g: u16,
        /// Length along the belt.
        length_mm: u16,
    },
    /// An item left at a chute.
    Discharged {
        /// The chute it really left at.
        chute: u16,
        /// Revision of the order obeyed, 0 without one.
        revision: u16,
        /// How well that is known.
        quality: Quality,
    },
    /// An item did not leave where it was to.
    NotDischarged {
        /// The chute it was to leave at.
        chute: u16,
        /// Why not.
        cause: NotDischargedCause,
    },
    /// An occupied carrier passed the lap mark.
    LapPassed,
    /// An item reached the end of a line.
    EndOfLine {
        /// It goes round again over the return conveyor.
        returning: bool,
    },
    /// An item was not seen in its window by an eye (the device).
    Missing,
    /// An eye (the device) saw an item nobody knew; it has a new number.
    Unexpected,
    /// A carrier that should be empty is not.
    CarrierNotEmpty,
    /// What became of a command.
    CommandAnswered {
        /// Sequence of the command slot.
        seq: u16,
        /// Its revision.
        revision: u16,
        /// Accepted, refused, or expired later.
        answer: Answer,
    },
    /// A chute (the device) changed.
    ChuteState {
        /// Its bits now.
        bits: ChuteBits,
        /// Parcels taken out of it so far, wrapping; stays 0 where nothing counts them.
        taken: u16,
        /// Why it is not open.
        cause: ChuteCause,
    },
    /// The bag button of a chute (the device) was pressed.
    BagButton,
    /// An induction (the device) changed.
    InductionState {
        /// Its bits now.
        bits: InductionBits,
        /// Parcels an hour it may feed now.
        rate_per_h: u16,
        /// Why it stands.
        cause: StopCause,
    },
    /// The track started, stopped or changed speed.
    Motion {
        /// Speed now.
        speed_mm_s: u16,
        /// Track state now.
        bits: StatusBits,
    },
    /// The PLC no longer knows what lies where; items keep no number.
    TrackingReset {
        /// Why.
        cause: ResetCause,
    },
    /// A device raised or cleared an alarm.
    Alarm {
        /// The plant's own alarm number.
        code: u16,
        /// Raised (else cleared).
        on: bool,
    },
    /// A person took the item off.
    RemovedByHand,
    /// A carrier takes no more parcels.
    CarrierDisabled {
        /// Why.
        cause: DisableCause,
    },
    /// The inventory area now holds a frozen copy, taken at this point of the ring.
    InventoryLatched {
        /// Occupied cells in it.
        occupied: u16,
        /// The copy's number, equal to the one in the area's header.
        generation: u16,
    },
}

/// Flag of types 1 (returned), 7 (returning) and 17 (raised).
const FLAG: u8 = 1;

/// The variable part of a slot.
struct Payload {
    code: u8,
    flag: bool,
    p1: u16,
    p2: u16,
    cause: u8,
    quality: u8,
}

impl EventKind {
    fn payload(self) -> Payload {
        let with = |code, p1, p2| Payload {
            code,
            flag: false,
            p1,
            p2,
            cause: 0,
            quality: 0,
        };
        let caused = |code, p1, p2, cause| Payload {
            cause,
            ..with(code, p1, p2)
        };
        let flagged = |code, p1, p2, flag| Payload {
            flag,
            ..with(code, p1, p2)
        };
        match self {
            Self::Inducted {
                length_mm,
                gap_mm,
                returned,
            } => flagged(1, length_mm, gap_mm, returned),
            Self::AtScanner { trigger } => with(2, trigger, 0),
            Self::Measured { mass_g, length_mm } => with(3, mass_g, length_mm),
            Self::Discharged {
                chute,
                revision,
                quality,
            } => Payload {
                quality: quality.0,
                ..with(4, chute, revision)
            },
            Self::NotDischarged { chute, cause } => caused(5, chute, 0, cause.code()),
            Self::LapPassed => with(6, 0, 0),
            Self::EndOfLine { returning } => flagged(7, 0, 0, returning),
            Self::Missing => with(8, 0, 0),
            Self::Unexpected => with(9, 0, 0),
            Self::CarrierNotEmpty => with(10, 0, 0),
            Self::CommandAnswered {
                seq,
                revision,
                answer,
            } => caused(11, seq, revision, answer.code()),
            Self::ChuteState { bits, taken, cause } => caused(12, bits.0, taken, cause.code()),
            Self::BagButton => with(13, 0, 0),
            Self::InductionState {
                bits,
                rate_per_h,
                cause,
            } => caused(14, bits.0, rate_per_h, cause.code()),
            Self::Motion { speed_mm_s, bits } => with(15, speed_mm_s, bits.0),
            Self::TrackingReset { cause } => caused(16, 0, 0, cause.code()),
            Self::Alarm { code, on } => flagged(17, code, 0, on),
            Self::RemovedByHand => with(18, 0, 0),
            Self::CarrierDisabled { cause } => caused(19, 0, 0, cause.code()),
            Self::InventoryLatched {
                occupied,
                generation,
            } => with(20, occupied, generation),
        }
    }

    fn from_payload(payload: &Payload) -> Option<Self> {
        let Payload {
            code,
            flag,
            p1,
            p2,
            cause,
            quality,
        } = *payload;
        Some(match code {
            1 => Self::Inducted {
                length_mm: p1,
                gap_mm: p2,
                returned: flag,
            },
            2 => Self::AtScanner { trigger: p1 },
            3 => Self::Measured {
                mass_g: p1,
                length_mm: p2,
            },
            4 => Self::Discharged {
                chute: p1,
                revision: p2,
                quality: Quality(quality),
            },
            5 => Self::NotDischarged {
                chute: p1,
                cause: NotDischargedCause::from_code(cause),
            },
            6 => Self::LapPassed,
            7 => Self::EndOfLine { returning: flag },
            8 => Self::Missing,
            9 => Self::Unexpected,
            10 => Self::CarrierNotEmpty,
            11 => {
                let answer = Answer::from_code(cause);
                Self::CommandAnswered {
                    seq: p1,
                    revision: p2,
                    answer,
                }
            }
            _ => return Self::of_the_plant(payload),
        })
    }

    /// The types that are about the plant rather than an item.
    fn of_the_plant(payload: &Payload) -> Option<Self> {
        let Payload {
            code,
            flag,
            p1,
            p2,
            cause,
            ..
        } = *payload;
        Some(match code {
            12 => {
                let cause = ChuteCause::from_code(cause);
                Self::ChuteState {
                    bits: ChuteBits(p1),
                    taken: p2,
                    cause,
                }
            }
            13 => Self::BagButton,
            14 => {
                let cause = StopCause::from_code(cause);
                Self::InductionState {
                    bits: InductionBits(p1),
                    rate_per_h: p2,
                    cause,
                }
            }
            15 => Self::Motion {
                speed_mm_s: p1,
                bits: StatusBits(p2),
            },
            16 => Self::TrackingReset {
                cause: ResetCause::from_code(cause),
            },
            17 => Self::Alarm { code: p1, on: flag },
            18 => Self::RemovedByHand,
            19 => Self::CarrierDisabled {
                cause: DisableCause::from_code(cause),
            },
            20 => Self::InventoryLatched {
                occupied: p1,
                generation: p2,
            },
            _ => return None,
        })
    }
}

impl Event {
    /// An event about nothing but itself: fill in what it is about with struct update.
    #[must_use]
    pub const fn of(kind: EventKind) -> Self {
        Self {
            epoch: 0,
            seq: Seq::FIRST,
            item: 0,
            cell: 0,
            device: 0,
            spanned: 0,
            lap: 0,
            encoder_mm: 0,
            plc_ms: 0,
            kind,
        }
    }

    /// The slot that carries this event.
    #[must_use]
    pub fn encode(&self) -> Slot {
        let payload = self.kind.payload();
        let mut slot = [0; SLOT_REGS];
        slot[0] = to_wire(Some(self.seq));
        slot[1] = self.epoch;
        slot[2] = pack(u8::from(payload.flag) * FLAG, payload.code);
        slot[3] = self.device;
        slot[4..6].copy_from_slice(&words(self.item));
        slot[6] = self.cell;
        slot[7] = pack(self.lap, self.spanned);
        slot[8..10].copy_from_slice(&words(self.encoder_mm));
        slot[10..12].copy_from_slice(&words(self.plc_ms));
        slot[12] = payload.p1;
        slot[13] = payload.p2;
        slot[14] = pack(payload.quality, payload.cause);
        slot[15] = check_of(&slot[..15]);
        slot
    }

    /// The event in a slot.
    ///
    /// # Errors
    /// See [`SlotError`]; whoever follows the ring still compares sequence and epoch.
    pub fn decode(slot: &Slot) -> Result<Self, SlotError> {
        let seq = whole_slot(slot)?;
        let (flags, code) = unpack(slot[2]);
        let (lap, spanned) = unpack(slot[7]);
        let (quality, cause) = unpack(slot[14]);
        let flag = flags & FLAG != 0;
        let payload = Payload {
            code,
            flag,
            p1: slot[12],
            p2: slot[13],
            cause,
            quality,
        };
        Ok(Self {
            epoch: slot[1],
            seq,
            item: long(slot[4], slot[5]),
            cell: slot[6],
            device: slot[3],
            spanned,
            lap,
            encoder_mm: long(slot[8], slot[9]),
            plc_ms: long(slot[10], slot[11]),
            kind: EventKind::from_payload(&payload).ok_or(SlotError::Meaning)?,
        })
    }
}

/// The sequence number of an event slot that is whole, whatever it says.
pub(super) fn whole_slot(slot: &Slot) -> Result<Seq, SlotError> {
    sequence_if(slot, check_of(&slot[..SLOT_REGS - 1]))
}

/// The sequence number of a slot, if its check is the right one.
pub(super) fn sequence_if(slot: &Slot, check: u16) -> Result<Seq, SlotError> {
    if slot.iter().all(|register| *register == 0) {
        return Err(SlotError::Empty);
    }
    if slot[SLOT_REGS - 1] != check {
        return Err(SlotError::Check);
    }
    Seq::from_wire(slot[0]).ok_or(SlotError::Sequence)
}
