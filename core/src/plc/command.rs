//! Commands: what the engine asks of the PLC, as one slot of 16 registers.

use super::event::{Slot, SlotError, sequence_if};
use super::map::{SLOT_REGS, check_under, long, pack, unpack, words};
use super::ring::{Seq, to_wire};

/// What the PLC does with a parcel that none of its order's chutes took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnFail {
    /// Keep it on the track and try again on the next lap.
    Lap,
    /// Send it to the PLC's reject chute.
    Reject,
    /// Let it run to the end of the line.
    Straight,
}

/// One item's order: at which chute it is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assign {
    /// Counts the orders of this item from 1; the PLC obeys only a newer one than it holds.
    pub revision: u16,
    /// The item, which must still be there.
    pub item: u32,
    /// Carrier or window it lies in.
    pub cell: u16,
    /// First, second and third chute, 0 for none. The next is tried only after the one before
    /// refused.
    pub chutes: [u16; 3],
    /// What if none of them takes it.
    pub on_fail: OnFail,
    /// The order lapses when the encoder has reached this value without a discharge, in mm,
    /// wrapping.
    pub valid_until_mm: u32,
    /// Most further laps.
    pub laps_max: u16,
    /// The engine's reason number, for the PLC's display only.
    pub reason: u16,
    /// Version of the sort plan that said so, for the PLC's display only.
    pub plan_version: u16,
}

/// Which order of which item in which cell, where a command needs no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// As in [`Assign`]: newer than the order it takes back.
    pub revision: u16,
    /// The item.
    pub item: u32,
    /// Carrier or window it lies in.
    pub cell: u16,
    /// The engine's reason number, for the PLC's display only.
    pub reason: u16,
}

/// What the engine asks of the PLC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Discharge this item at one of these chutes.
    Assign(Assign),
    /// Forget the order: the item stays on the track (loop) or runs to the end (line).
    Cancel(Withdrawal),
    /// Send the item to the PLC's own reject chute.
    ForceReject(Withdrawal),
    /// Use a carrier, or stop using it.
    CarrierEnable {
        /// The carrier.
        cell: u16,
        /// Use it (else not).
        enable: bool,
    },
    /// Latch a frozen inventory and say so in the ring (event 20).
    Resync,
}

/// Wire numbers of `CarrierEnable`. Not 1 and 0: a zero register must not be an order.
const ENABLE: u16 = 1;
const DISABLE: u16 = 2;

impl OnFail {
    const fn code(self) -> u8 {
        match self {
            Self::Lap => 1,
            Self::Reject => 2,
            Self::Straight => 3,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Lap),
            2 => Some(Self::Reject),
            3 => Some(Self::Straight),
            _ => None,
        }
    }
}

impl Command {
    /// The slot that carries this command to the PLC that runs under `boot`.
    #[must_use]
    pub fn encode(&self, seq: Seq, epoch: u16, boot: u16) -> Slot {
        let mut slot = [0; SLOT_REGS];
        slot[0] = to_wire(Some(seq));
        slot[1] = epoch;
        slot[2] = u16::from(self.code());
        match self {
            Self::Assign(order) => {
                slot[2] = pack(order.on_fail.code(), self.code());
                slot[3] = order.revision;
                slot[4..6].copy_from_slice(&words(order.item));
                slot[6] = order.cell;
                slot[7..10].copy_from_slice(&order.chutes);
                slot[10..12].copy_from_slice(&words(order.valid_until_mm));
                slot[12] = order.laps_max;
                slot[13] = order.reason;
                slot[14] = order.plan_version;
            }
            Self::Cancel(what) | Self::ForceReject(what) => {
                slot[3] = what.revision;
                slot[4..6].copy_from_slice(&words(what.item));
                slot[6] = what.cell;
                slot[13] = what.reason;
            }
            Self::CarrierEnable { cell, enable } => {
                slot[6] = *cell;
                slot[7] = if *enable { ENABLE } else { DISABLE };
            }
            Self::Resync => {}
        }
        slot[15] = check_under(boot, &slot[..15]);
        slot
    }

    /// The sequence number, epoch and command in a slot.
    ///
    /// # Errors
    /// See [`SlotError`]. After `Meaning` the slot is whole: the PLC consumes it and answers "not
    /// understood".
    pub fn decode(slot: &Slot, boot: u16) -> Result<(Seq, u16, Self), SlotError> {
        let seq = sequence_if(slot, check_under(boot, &slot[..15]))?;
        let command = Self::from_slot(slot).ok_or(SlotError::Meaning)?;
        Ok((seq, slot[1], command))
    }

    fn from_slot(slot: &Slot) -> Option<Self> {
        let (on_fail, code) = unpack(slot[2]);
        let item = long(slot[4], slot[5]);
        let [revision, cell, reason] = [slot[3], slot[6], slot[13]];
        Some(match code {
            1 => Self::Assign(Assign {
                revision,
                item,
                cell,
                chutes: [slot[7], slot[8], slot[9]],
                on_fail: OnFail::from_code(on_fail)?,
                valid_until_mm: long(slot[10], slot[11]),
                laps_max: slot[12],
                reason,
                plan_version: slot[14],
            }),
            2 => Self::Cancel(Withdrawal {
                revision,
                item,
                cell,
                reason,
            }),
            3 => Self::ForceReject(Withdrawal {
                revision,
                item,
                cell,
                reason,
            }),
            4 if slot[7] == ENABLE => Self::CarrierEnable { cell, enable: true },
            4 if slot[7] == DISABLE => Self::CarrierEnable {
                cell,
                enable: false,
            },
            5 => Self::Resync,
            _ => return None,
        })
    }

    const fn code(&self) -> u8 {
        match self {
            Self::Assign(_) => 1,
            Self::Cancel(_) => 2,
            Self::ForceReject(_) => 3,
            Self::CarrierEnable { .. } => 4,
            Self::Resync => 5,
        }
    }

    /// Item, cell and revision the command is about, 0 where it has none.
    #[must_use]
    pub const fn subject(&self) -> (u32, u16, u16) {
        match self {
            Self::Assign(order) => (order.item, order.cell, order.revision),
            Self::Cancel(what) | Self::ForceReject(what) => (what.item, what.cell, what.revision),
            Self::CarrierEnable { cell, .. } => (0, *cell, 0),
            Self::Resync => (0, 0, 0),
        }
    }

    /// Whether this newer command makes `older` pointless while that one has not been sent.
    ///
    /// Orders of a cell replace each other (a cell holds one item at a time, and only the newest
    /// order of it is obeyed); they never replace the enabling of a carrier, nor the other way
    /// round.
    #[must_use]
    pub fn replaces(&self, older: &Self) -> bool {
        match (self, older) {
            (Self::Resync, Self::Resync) => true,
            (Self::CarrierEnable { cell: new, .. }, Self::CarrierEnable { cell: old, .. }) => {
                new == old
            }
            (new, old) => new.is_order() && old.is_order() && new.subject().1 == old.subject().1,
        }
    }

    const fn is_order(&self) -> bool {
        matches!(
            self,
            Self::Assign(_) | Self::Cancel(_) | Self::ForceReject(_)
        )
    }
}
