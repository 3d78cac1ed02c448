//! How many parcels an hour, from counts that only grow.

use sorthub_core::units::Micros;

const BUCKETS: usize = 60;
const BUCKET: Micros = Micros::from_secs(1);

/// The rate over the last minute of plant time, from a count that is told now and then.
#[derive(Clone, Debug)]
pub struct Throughput {
    /// The count at the end of each of the last seconds, as a ring.
    counts: [u64; BUCKETS],
    /// The second that was told last, since the driver's origin.
    second: u64,
    /// How many seconds are in the ring.
    filled: u64,
    count: u64,
}

impl Throughput {
    /// Begins at `now` with a count of `count`.
    #[must_use]
    pub const fn new(now: Micros, count: u64) -> Self {
        Self {
            counts: [count; BUCKETS],
            second: now.0 / BUCKET.0,
            filled: 0,
            count,
        }
    }

    /// Takes the count at `now`; an earlier time than the last is taken as the last.
    pub fn take(&mut self, now: Micros, count: u64) {
        let second = (now.0 / BUCKET.0).max(self.second);
        // Seconds that nobody told of ended with the count before them.
        for passed in self.second..second.min(self.second + BUCKETS as u64) {
            self.counts[passed as usize % BUCKETS] = self.count;
        }
        self.filled = (self.filled + (second - self.second)).min(BUCKETS as u64);
        self.second = second;
        self.count = count;
    }

    /// The hourly rate over the whole seconds in the last minute; 0 in the first second.
    #[must_use]
    pub fn per_hour(&self) -> u32 {
        let Some(span) = self.filled.checked_sub(1).filter(|span| *span > 0) else {
            return 0;
        };
        let newest = self.counts[(self.second - 1) as usize % BUCKETS];
        let oldest = self.counts[(self.second - self.filled) as usize % BUCKETS];
        let rate = newest.saturating_sub(oldest) * 3_600 / span;
        u32::try_from(rate).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(steps: impl IntoIterator<Item = (u64, u64)>) -> u32 {
        let mut rate = Throughput::new(Micros(0), 0);
        for (second, count) in steps {
            rate.take(Micros::from_secs(second), count);
        }
        rate.per_hour()
    }

    #[test]
    fn an_even_stream_has_its_rate_from_the_third_second_on() {
        assert_eq!(told([(0, 0), (1, 2)]), 0);
        assert_eq!(told((0..=10).map(|second| (second, second * 2))), 7_200);
        assert_eq!(told((0..=600).map(|second| (second, second * 2))), 7_200);
    }

    #[test]
    fn only_the_last_minute_counts() {
        let stopped = (0..=200).map(|second| (second, second.min(100)));
        assert_eq!(told(stopped), 0);
        let half = (0..=130).map(|second| (second, second.min(100)));
        let rate = told(half);
        assert!((1_700..2_000).contains(&rate), "{rate}");
    }

    #[test]
    fn a_long_silence_is_a_minute_without_parcels() {
        assert_eq!(told([(0, 0), (1, 500), (1_000, 500)]), 0);
    }
}
