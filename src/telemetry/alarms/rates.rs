//! Shares over the last hour, from counts that only grow.

use sorthub_core::units::Micros;

const BUCKETS: usize = 60;
const BUCKET: Micros = Micros::from_secs(60);

/// Two counts of which one is a part of the other, and how they grew in the last hour.
#[derive(Clone, Debug, Default)]
pub(super) struct Share {
    /// Both counts at the end of each of the last minutes, the oldest first.
    before: std::collections::VecDeque<(u64, u64)>,
    minute: u64,
    now: (u64, u64),
}

impl Share {
    /// Takes both counts at `now`.
    pub fn take(&mut self, now: Micros, part: u64, all: u64) {
        let minute = now.0 / BUCKET.0;
        while self.minute < minute {
            self.minute = (self.minute + 1).max(minute.saturating_sub(BUCKETS as u64));
            if self.before.len() == BUCKETS {
                self.before.pop_front();
            }
            self.before.push_back(self.now);
        }
        self.now = (part, all);
    }

    /// How much both grew within the last `minutes`, at most an hour, and the minute now going on.
    pub fn within(&self, minutes: usize) -> (u64, u64) {
        let at = self.before.len().checked_sub(minutes);
        let (part, all) = at.map_or((0, 0), |at| self.before[at]);
        (
            self.now.0.saturating_sub(part),
            self.now.1.saturating_sub(all),
        )
    }

    /// Both counts since the start.
    pub fn ever(&self) -> (u64, u64) {
        self.now
    }
}

/// A share in parts of `unit`; 0 of nothing.
pub(super) fn share((part, all): (u64, u64), unit: u64) -> u64 {
    part * unit / all.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_longer_ago_than_asked_for_does_not_count() {
        let mut share = Share::default();
        for minute in 0..100 {
            let bad = if minute < 50 { minute } else { 50 };
            share.take(Micros(minute * BUCKET.0), bad, minute * 10);
        }
        assert_eq!(share.within(10), (0, 100));
        // The hour began with minute 40: ten bad ones since.
        assert_eq!(share.within(60).1, 600);
        assert!((10..=11).contains(&share.within(60).0));
        assert_eq!(share.ever(), (50, 990));
    }

    #[test]
    fn a_long_silence_is_caught_up_with() {
        let mut share = Share::default();
        share.take(Micros(0), 5, 10);
        share.take(Micros(10_000 * BUCKET.0), 6, 20);
        assert_eq!(share.within(60), (1, 10));
    }
}
