//! Levels: the state of chutes and inductions, and what the engine wishes of them.
//!
//! Changes are told by events, in order with everything else; the areas hold the same as levels.

use super::lists::{ChuteBits, ChuteCause, InductionBits, StopCause};
use super::map::{CHUTE_REGS, INDUCTION_REGS, INDUCTION_WISH_REGS, pack, unpack};

/// State of one chute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChuteLevel {
    /// Its bits.
    pub bits: ChuteBits,
    /// Why it is not open.
    pub cause: ChuteCause,
    /// Parcels dropped into it so far, wrapping.
    pub drops: u16,
    /// Parcels taken out of it so far, wrapping; stays 0 where nothing counts them.
    pub taken: u16,
    /// Counts its bags or cages.
    pub bag_generation: u16,
}

impl ChuteLevel {
    /// The registers, in wire order.
    #[must_use]
    pub const fn encode(&self) -> [u16; CHUTE_REGS] {
        let cause = self.cause.code() as u16;
        [
            self.bits.0,
            cause,
            self.drops,
            self.taken,
            self.bag_generation,
        ]
    }

    /// The level in registers.
    #[must_use]
    pub const fn decode(r: &[u16; CHUTE_REGS]) -> Self {
        Self {
            bits: ChuteBits(r[0]),
            cause: ChuteCause::from_code(low_or_unknown(r[1])),
            drops: r[2],
            taken: r[3],
            bag_generation: r[4],
        }
    }
}

/// State of one induction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InductionLevel {
    /// Its bits.
    pub bits: InductionBits,
    /// Parcels an hour it may feed now.
    pub rate_per_h: u16,
    /// Parcels it has fed so far, wrapping.
    pub count: u16,
    /// Why it stands.
    pub cause: StopCause,
}

impl InductionLevel {
    /// The registers, in wire order.
    #[must_use]
    pub const fn encode(&self) -> [u16; INDUCTION_REGS] {
        [
            self.bits.0,
            self.rate_per_h,
            self.count,
            self.cause.code() as u16,
        ]
    }

    /// The level in registers.
    #[must_use]
    pub const fn decode(r: &[u16; INDUCTION_REGS]) -> Self {
        Self {
            bits: InductionBits(r[0]),
            rate_per_h: r[1],
            count: r[2],
            cause: StopCause::from_code(low_or_unknown(r[3])),
        }
    }
}

/// A cause register above 255 can not be in a list; 255 stands for all of them.
const fn low_or_unknown(register: u16) -> u8 {
    if register > 0xFF {
        0xFF
    } else {
        register as u8
    }
}

/// How fast an induction may feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Nothing said: the PLC holds the induction.
    #[default]
    Unsaid,
    /// Feed.
    Run,
    /// Feed at the slow rate.
    Slow,
    /// Do not feed.
    Stop,
}

/// What the engine wishes of one induction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InductionWish {
    /// How fast.
    pub pace: Pace,
    /// Most parcels an hour, 0 for no limit of the engine's.
    pub rate_max_per_h: u16,
}

impl InductionWish {
    /// The registers, in wire order.
    #[must_use]
    pub const fn encode(&self) -> [u16; INDUCTION_WISH_REGS] {
        let pace = match self.pace {
            Pace::Unsaid => 0,
            Pace::Run => 1,
            Pace::Slow => 2,
            Pace::Stop => 3,
        };
        [pace, self.rate_max_per_h]
    }

    /// The wish in registers; a pace outside the list is a stop.
    #[must_use]
    pub const fn decode(r: &[u16; INDUCTION_WISH_REGS]) -> Self {
        let pace = match r[0] {
            0 => Pace::Unsaid,
            1 => Pace::Run,
            2 => Pace::Slow,
            _ => Pace::Stop,
        };
        Self {
            pace,
            rate_max_per_h: r[1],
        }
    }
}

/// What the engine wishes of one chute, one register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChuteWish {
    /// Lock it: drop nothing more.
    pub lock: bool,
    /// Pattern of its lamp, 0 (dark) to 7; the site says what they mean.
    pub lamp: u8,
    /// The engine's reason number, for the PLC's display only.
    pub reason: u8,
}

impl ChuteWish {
    /// The register: bit 0 lock, bits 1 to 3 lamp, high byte reason.
    #[must_use]
    pub const fn encode(&self) -> u16 {
        pack(self.reason, (self.lamp & 7) << 1 | self.lock as u8)
    }

    /// The wish in a register.
    #[must_use]
    pub const fn decode(register: u16) -> Self {
        let (reason, low) = unpack(register);
        Self {
            lock: low & 1 != 0,
            lamp: low >> 1 & 7,
            reason,
        }
    }
}
