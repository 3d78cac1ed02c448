//! A belt: how far it has travelled at any time, and when it will have travelled so far.
//!
//! Travel is counted in nanometres: a speed of v mm/s is v nm/µs, so that at constant speed travel
//! and time turn into each other without rounding as long as both are whole.

use sorthub_core::units::{BeltMm, Micros, MmPerS};

/// Nanometres of belt travel in a millimetre.
pub const NM_PER_MM: i64 = 1_000_000;

/// The encoder reading at a travel: the whole millimetres behind it.
#[must_use]
pub fn encoder(travel_nm: i64) -> BeltMm {
    BeltMm(travel_nm.div_euclid(NM_PER_MM))
}

/// A belt with ramps.
#[derive(Clone, Debug)]
pub struct Belt {
    /// The present phase began here; travel, and speed in mm/s, at that time.
    since: Micros,
    travel_nm: i64,
    speed: u32,
    /// What it speeds up or slows down to, in mm/s.
    target: u32,
    /// mm/s²; 0: at once.
    ramp: u32,
    /// 2^64 over the speed, rounded down, to divide by it; 0 where that does not fit or is not
    /// needed, at speeds of 1 and 0.
    per_speed: u64,
}

impl Belt {
    /// A belt running at its full speed from travel 0 at time 0.
    #[must_use]
    pub fn running(speed: MmPerS, ramp_mm_s2: u32) -> Self {
        let mut belt = Self {
            since: Micros(0),
            travel_nm: 0,
            speed: 0,
            target: speed.0,
            ramp: ramp_mm_s2,
            per_speed: 0,
        };
        belt.set_speed(speed.0);
        belt
    }

    fn set_speed(&mut self, speed: u32) {
        self.speed = speed;
        self.per_speed = match speed {
            0 | 1 => 0,
            speed => ((1_u128 << 64) / u128::from(speed)) as u64,
        };
    }

    /// How many whole microseconds its present speed takes for so far, rounded up. A multiplication
    /// and a look at the remainder instead of a division: every event's time comes from here.
    #[inline]
    fn time_for(&self, ahead_nm: u64) -> u64 {
        let speed = u64::from(self.speed);
        let mut time = ((u128::from(ahead_nm) * u128::from(self.per_speed)) >> 64) as u64;
        if self.per_speed == 0 {
            time = ahead_nm;
        }
        // At most two short of the quotient rounded up.
        while time * speed < ahead_nm {
            time += 1;
        }
        time
    }

    /// Whether it neither speeds up nor slows down.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        self.speed == self.target
    }

    /// Whether it stands and will go on standing.
    #[must_use]
    pub fn is_standing(&self) -> bool {
        self.speed == 0 && self.target == 0
    }

    /// Its speed at a time, rounded down.
    #[must_use]
    pub fn speed(&self, now: Micros) -> MmPerS {
        if self.is_steady() {
            return MmPerS(self.speed);
        }
        if self.phase_end().is_some_and(|end| now >= end) {
            return MmPerS(self.target);
        }
        let change = u64::from(self.ramp) * now.since(self.since).0 / 1_000_000;
        let change = change as u32;
        MmPerS(if self.target > self.speed {
            self.speed + change
        } else {
            self.speed - change
        })
    }

    /// How far it has travelled at a time in the present phase or, after it, at the target speed.
    #[inline]
    #[must_use]
    pub fn travel_nm(&self, now: Micros) -> i64 {
        let span = now.since(self.since).0;
        if self.is_steady() {
            return self.travel_nm + (u64::from(self.speed) * span) as i64;
        }
        let ramp_span = self.ramp_span();
        if span <= ramp_span {
            return self.travel_nm + self.ramp_travel(span);
        }
        let beyond = u64::from(self.target) * (span - ramp_span);
        self.travel_nm + self.ramp_travel(ramp_span) + beyond as i64
    }

    /// The first whole microsecond at which it has travelled so far; `None` if it never does.
    #[inline]
    #[must_use]
    pub fn time_of(&self, travel_nm: i64) -> Option<Micros> {
        let ahead = travel_nm - self.travel_nm;
        if ahead <= 0 {
            return Some(self.since);
        }
        if self.is_steady() {
            if self.speed == 0 {
                return None;
            }
            return Some(self.since.after(Micros(self.time_for(ahead as u64))));
        }
        let ramp_span = self.ramp_span();
        let beyond = ahead - self.ramp_travel(ramp_span);
        if beyond > 0 {
            let speed = u64::from(self.target);
            let rest = (speed > 0).then(|| (beyond as u64).div_ceil(speed))?;
            return Some(self.since.after(Micros(ramp_span + rest)));
        }
        let (mut low, mut high) = (0, ramp_span);
        while low < high {
            let middle = low.midpoint(high);
            if self.ramp_travel(middle) < ahead {
                low = middle + 1
            } else {
                high = middle
            }
        }
        Some(self.since.after(Micros(low)))
    }

    /// When the present ramp ends; `None` if it is not on one.
    #[must_use]
    pub fn phase_end(&self) -> Option<Micros> {
        (!self.is_steady()).then(|| self.since.after(Micros(self.ramp_span())))
    }

    /// Ends the ramp whose end is reached.
    pub fn settle(&mut self, now: Micros) {
        if self.phase_end().is_some_and(|end| now >= end) {
            self.travel_nm = self.travel_nm(now);
            self.since = now;
            self.set_speed(self.target);
        }
    }

    /// From now on it speeds up or slows down to `target`.
    pub fn aim(&mut self, now: Micros, target: MmPerS) {
        let (travel_nm, speed) = (self.travel_nm(now), self.speed(now));
        self.begin_phase(now, travel_nm, speed, target);
    }

    /// It stands at once, without a ramp: its drive has lost its enable.
    pub fn cut(&mut self, now: Micros) {
        self.begin_phase(now, self.travel_nm(now), MmPerS(0), MmPerS(0));
    }

    fn begin_phase(&mut self, now: Micros, travel_nm: i64, speed: MmPerS, target: MmPerS) {
        self.since = now;
        self.travel_nm = travel_nm;
        self.target = target.0;
        self.set_speed(if self.ramp == 0 { target.0 } else { speed.0 });
    }

    fn ramp_span(&self) -> u64 {
        let change = u64::from(self.speed.abs_diff(self.target));
        (change * 1_000_000)
            .checked_div(u64::from(self.ramp))
            .unwrap_or(0)
    }

    /// Travel in the first `span` µs of the ramp: v t +- a t²/2. The product of 32 and 64 bits is
    /// taken in 128.
    fn ramp_travel(&self, span: u64) -> i64 {
        let even = u128::from(self.speed) * u128::from(span);
        let curve = u128::from(self.ramp) * u128::from(span) * u128::from(span) / 2_000_000;
        let travel = if self.target > self.speed {
            even + curve
        } else {
            even - curve
        };
        travel as i64
    }
}
