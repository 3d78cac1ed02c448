//! Statistics of runs: a histogram of times, and means with confidence intervals.

use serde::Serialize;
use sorthub_core::units::Micros;

/// Times in bins of 0.1 s, with their exact mean and maximum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeHistogram {
    bins: Vec<u64>,
    count: u64,
    sum_us: u128,
    max: Micros,
}

/// What a histogram of times says, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TimeSummary {
    /// The mean.
    pub mean: f64,
    /// Half of the times are below this upper edge of a bin.
    pub p50: f64,
    /// 99 % of the times are below this upper edge of a bin.
    pub p99: f64,
    /// The longest time.
    pub max: f64,
}

const BIN_US: u64 = 100_000;
/// A day's worth of bins; what takes longer is counted in the last.
const BINS_MAX: usize = 24 * 3600 * 10;

impl TimeHistogram {
    /// Counts one time.
    #[inline]
    pub fn record(&mut self, time: Micros) {
        let bin = ((time.0 / BIN_US) as usize).min(BINS_MAX - 1);
        if bin >= self.bins.len() {
            self.bins.resize(bin + 1, 0);
        }
        self.bins[bin] += 1;
        self.count += 1;
        self.sum_us += u128::from(time.0);
        self.max = self.max.max(time);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The upper edge, in s, of the bin in which `per_cent` of the times are reached; 0 if there
    /// are none.
    #[must_use]
    pub fn percentile_s(&self, per_cent: u64) -> f64 {
        let rank = (self.count * per_cent).div_ceil(100).max(1);
        let mut below = 0;
        for (bin, count) in self.bins.iter().enumerate() {
            below += count;
            if below >= rank {
                return (bin + 1) as f64 / 10.0;
            }
        }
        0.0
    }

    /// Mean, median, 99th percentile and maximum.
    #[must_use]
    pub fn summary(&self) -> TimeSummary {
        TimeSummary {
            mean: ratio(self.sum_us as f64, self.count as f64) / 1e6,
            p50: self.percentile_s(50),
            p99: self.percentile_s(99),
            max: self.max.0 as f64 / 1e6,
        }
    }
}

/// `part / whole`; 0 if there is no whole.
#[must_use]
pub fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// A mean over replications.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Half the width of its 95 % confidence interval; `None` with fewer than two replications.
    pub half_width: Option<f64>,
}

impl Mean {
    /// The mean of independent values and its interval after Student.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = ratio(values.iter().sum(), count);
        if values.len() < 2 {
            return Self {
                mean,
                half_width: None,
            };
        }
        let squares: f64 = values
            .iter()
            .map(|value| (value - mean) * (value - mean))
            .sum();
        let error = (squares / (count - 1.0) / count).sqrt();
        Self {
            mean,
            half_width: Some(student_95(values.len() as u32 - 1) * error),
        }
    }
}

/// The 97.5 % point of Student's t with so many degrees of freedom: two-sided 95 %.
///
/// Tabled up to 10; beyond, the expansion around the normal distribution (Abramowitz and Stegun
/// 26.7.5) is right to four decimals.
#[must_use]
pub fn student_95(freedom: u32) -> f64 {
    const TABLE: [f64; 10] = [
        12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    ];
    if freedom == 0 {
        return f64::INFINITY;
    }
    if let Some(&tabled) = TABLE.get(freedom as usize - 1) {
        return tabled;
    }
    let z = 1.959_963_984_540_054_f64;
    let (z2, n) = (z * z, f64::from(freedom));
    let g1 = z * (z2 + 1.0) / 4.0;
    let g2 = z * (3.0 + z2 * (16.0 + z2 * 5.0)) / 96.0;
    let g3 = z * (-15.0 + z2 * (17.0 + z2 * (19.0 + z2 * 3.0))) / 384.0;
    let g4 = z * (-945.0 + z2 * (-1920.0 + z2 * (1482.0 + z2 * (776.0 + z2 * 79.0)))) / 92_160.0;
    z + (g1 + (g2 + (g3 + g4 / n) / n) / n) / n
}
