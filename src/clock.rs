//! The two clocks of everything live: real time for links, plant time for belts and plans.

use std::time::{Duration, Instant};

use sorthub_core::plc::LinkMs;
use sorthub_core::units::Micros;

/// A start, and how fast the plant's time runs against real time.
///
/// Beside a real plant they run alike; beside an emulated hub that runs faster, the plant's clock
/// is scaled while heartbeats and link times stay real.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    speed_permille: u32,
}

impl Clock {
    /// A clock that starts now. `speed_permille` is plant time a real time, in thousandths; 0
    /// counts as 1.
    #[must_use]
    pub fn new(speed_permille: u32) -> Self {
        Self {
            start: Instant::now(),
            speed_permille: speed_permille.max(1),
        }
    }

    /// Plant time a real time, in thousandths.
    #[must_use]
    pub fn speed_permille(&self) -> u32 {
        self.speed_permille
    }

    /// Plant time now.
    #[must_use]
    pub fn plant_now(&self) -> Micros {
        let real = self.start.elapsed().as_micros() as u64;
        Micros(scale(real, u64::from(self.speed_permille), 1_000))
    }

    /// Real milliseconds now, as links count them.
    #[must_use]
    pub fn link_now(&self) -> LinkMs {
        LinkMs(self.start.elapsed().as_millis() as u64)
    }

    /// When it will be this plant time.
    #[must_use]
    pub fn real_of(&self, plant: Micros) -> Instant {
        let real = scale(plant.0, 1_000, u64::from(self.speed_permille));
        // A microsecond later, so that the plant time has surely come.
        self.start + Duration::from_micros(real + 1)
    }

    /// When it will be this link time.
    #[must_use]
    pub fn real_of_link(&self, link: LinkMs) -> Instant {
        self.start + Duration::from_millis(link.0)
    }
}

/// `value * by / over` without overflow on the way.
fn scale(value: u64, by: u64, over: u64) -> u64 {
    let scaled = u128::from(value) * u128::from(by) / u128::from(over);
    // Only "never" is so late.
    u64::try_from(scaled).unwrap_or(u64::MAX / 4)
}
