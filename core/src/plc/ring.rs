//! Sequence arithmetic of the event and command rings.
//!
//! A sequence number runs 1..=65520 and then starts at 1 again; 0 on the wire means "nothing yet",
//! because some PLCs clear their data. 65520 is a multiple of every window size a PLC might offer
//! (7, 15, 16, 48), so that the slot of a number never jumps at the wrap.

use super::map::SLOTS;

/// The highest sequence number; the next one is 1.
pub const SEQ_MAX: u16 = 65_520;

const _: () = assert!(
    (SEQ_MAX as usize).is_multiple_of(SLOTS),
    "a slot would jump at the wrap"
);

/// A sequence number of a ring, 1..=65520.
///
/// It has no order of its own (a ring has none): compare with [`distance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seq(u16);

impl Seq {
    /// The number a fresh ring starts with.
    pub const FIRST: Self = Self(1);

    /// The number in a register, or `None` for 0 ("nothing") and for numbers no ring produces.
    #[must_use]
    pub const fn from_wire(register: u16) -> Option<Self> {
        if register == 0 || register > SEQ_MAX {
            None
        } else {
            Some(Self(register))
        }
    }

    /// The register value, 1..=65520.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 == SEQ_MAX {
            Self::FIRST
        } else {
            Self(self.0 + 1)
        }
    }

    /// The number before this one.
    #[must_use]
    pub const fn previous(self) -> Self {
        if self.0 == 1 {
            Self(SEQ_MAX)
        } else {
            Self(self.0 - 1)
        }
    }

    /// The slot of the window this number is published in, 0..[`SLOTS`].
    #[must_use]
    pub const fn slot(self) -> usize {
        (self.0 as usize - 1) % SLOTS
    }
}

/// The number after `position`, where `None` is a ring that has not started.
#[must_use]
pub const fn after(position: Option<Seq>) -> Seq {
    match position {
        None => Seq::FIRST,
        Some(seq) => seq.next(),
    }
}

/// The register value of a position, 0 for a ring that has not started.
#[must_use]
pub const fn to_wire(position: Option<Seq>) -> u16 {
    match position {
        None => 0,
        Some(seq) => seq.get(),
    }
}

/// Steps forward from `from` to `to`.
///
/// A position that lies behind gives a large number, and going back to "not started" gives
/// `u16::MAX`: whoever accepts only distances up to what is outstanding refuses stale registers
/// without a further rule.
#[must_use]
pub const fn distance(from: Option<Seq>, to: Option<Seq>) -> u16 {
    match (from, to) {
        (None, None) => 0,
        (None, Some(to)) => to.0,
        (Some(_), None) => u16::MAX,
        (Some(from), Some(to)) if to.0 >= from.0 => to.0 - from.0,
        (Some(from), Some(to)) => SEQ_MAX - from.0 + to.0,
    }
}

/// Whether the wrapping counter value `a` is later than `b` (epochs, generations, lost-event
/// counters).
///
/// Half the range counts as ahead, the other half as behind.
#[must_use]
pub const fn is_newer(a: u16, b: u16) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead != 0 && ahead < 0x8000
}
