//! Units as types: time, belt position, lengths, mass and speed.
//!
//! The core computes in integers only, so that the same calls give the same bytes on every
//! machine. A quantity's unit is its type; a bare integer never crosses a public border.

use serde::{Deserialize, Serialize};

/// A point in time or a span, in microseconds since the driver's own origin.
///
/// Live that origin is the start of the engine on the monotonic clock; simulated it is the start
/// of the horizon. The core never asks what time it is: it is told.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Micros(pub u64);

impl Micros {
    /// The largest time; used as "never".
    pub const NEVER: Self = Self(u64::MAX);

    /// Whole seconds as microseconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000)
    }

    /// Whole milliseconds as microseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000)
    }

    /// The span since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// This time later by `span`; `NEVER` stays `NEVER`.
    #[must_use]
    pub const fn after(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// A length in millimetres.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Mm(pub u32);

/// A belt's travel in millimetres since its encoder's origin, unwrapped.
///
/// Positions, deadlines and lost checks are stated in this unit: a stopped belt does not move it,
/// so a stopped belt loses nobody.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct BeltMm(pub i64);

impl BeltMm {
    /// The travel from `earlier` to here, in mm; negative if `earlier` is further on.
    #[must_use]
    pub const fn minus(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// This position moved on by `mm`.
    #[must_use]
    pub const fn plus(self, mm: i64) -> Self {
        Self(self.0 + mm)
    }

    /// The unwrapped position nearest to `near` whose low 32 bits are `wire`.
    ///
    /// PLCs send an encoder of 32 bits; at 3 m/s it wraps every 16 days.
    #[must_use]
    pub const fn unwrap_near(near: Self, wire: u32) -> Self {
        let step = wire.wrapping_sub(near.0 as u32) as i32;
        Self(near.0 + step as i64)
    }

    /// The 32 bits that go over the wire.
    #[must_use]
    pub const fn wire(self) -> u32 {
        self.0 as u32
    }
}

/// A belt speed in millimetres a second.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct MmPerS(pub u32);

impl MmPerS {
    /// How far a belt at this speed moves in `span`, rounded down, in mm.
    #[must_use]
    pub const fn travel_mm(self, span: Micros) -> i64 {
        // u64 holds 3 m/s for 190 years of microseconds.
        (self.0 as u64).saturating_mul(span.0) as i64 / 1_000_000
    }

    /// How long a belt at this speed takes for `mm`, rounded up; `None` if it stands.
    #[must_use]
    pub const fn time_for(self, mm: i64) -> Option<Micros> {
        if self.0 == 0 {
            return None;
        }
        if mm <= 0 {
            return Some(Micros(0));
        }
        Some(Micros((mm as u64 * 1_000_000).div_ceil(self.0 as u64)))
    }
}

/// A mass in grams.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Grams(pub u32);
