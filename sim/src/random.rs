//! Random numbers by name: every draw is a pure function of (seed, purpose, device, number).
//!
//! A parcel's destination, or the time its handling takes, hangs on the parcel's own number and
//! on nothing that happened before. Two runs that differ in one rule therefore meet the same
//! parcels (common random numbers), and no order of events, threads or replications can shift a
//! stream.
//!
//! The generator is wyrand (Wang Yi, wyhash, public domain): its n-th number is a mix of
//! `key + n * step`, so any place of a stream can be asked for directly. Keys come from the
//! finaliser of splitmix64 (Steele, Lea, Flood 2014).
//!
//! Values are the same on every machine: draws are integers, and the exponential uses only
//! `+ - * /` on `f64`, which IEEE 754 defines to the last bit and Rust never fuses or reorders.
//! The logarithms of the standard library come from the platform and are not used.

/// What a stream of numbers is for. Streams of different purposes share nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Time from one arrival to the next; device: the induction.
    Arrival = 1,
    /// Where a parcel is for; device: the track.
    Destination = 2,
    /// Whether a scanner reads a label.
    Reading = 3,
    /// A parcel's length.
    Length = 4,
    /// A parcel's mass.
    Mass = 5,
    /// How long taking a parcel out of its chute lasts.
    Service = 6,
    /// A parcel's width.
    Width = 7,
    /// A parcel's height.
    Height = 8,
    /// Whether a parcel's pre-advice was sent.
    Advice = 9,
    /// Whether a parcel's sender has declared it rightly.
    Declaration = 10,
    /// What an X-ray machine says of a parcel.
    Verdict = 11,
    /// Whether the host stays silent when it is asked about a parcel.
    Silence = 12,
}

/// One stream, at which any place can be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: u64,
}

const STEP: u64 = 0xa076_1d64_78bd_642f;
const TWIST: u64 = 0xe703_7ed1_a0b4_28db;

impl Stream {
    /// The stream of a purpose and a device under a seed.
    #[must_use]
    pub const fn new(seed: u64, purpose: Purpose, device: u64) -> Self {
        let key = scatter(seed ^ scatter(purpose as u64 ^ scatter(device)));
        Self { key }
    }

    /// The number at place `n`: uniform over all 64 bits.
    #[inline]
    #[must_use]
    pub const fn at(&self, n: u64) -> u64 {
        let state = self.key.wrapping_add(n.wrapping_mul(STEP));
        let product = (state as u128) * ((state ^ TWIST) as u128);
        (product >> 64) as u64 ^ product as u64
    }

    /// The number at place `n`: uniform over `0..bound`; 0 if `bound` is 0.
    #[inline]
    #[must_use]
    pub const fn below(&self, n: u64, bound: u64) -> u64 {
        ((self.at(n) as u128 * bound as u128) >> 64) as u64
    }

    /// The number at place `n`: uniform over `low..=high`; `low` if they are the wrong way round.
    #[inline]
    #[must_use]
    pub const fn between(&self, n: u64, low: u32, high: u32) -> u32 {
        if high <= low {
            return low;
        }
        low + self.below(n, (high - low) as u64 + 1) as u32
    }

    /// The number at place `n`: exponential with mean 1.
    #[inline]
    #[must_use]
    pub fn exponential(&self, n: u64) -> f64 {
        exponential(self.at(n))
    }
}

const fn scatter(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Minus the logarithm of a uniform number in (0, 1] made of the upper 53 bits of `x`.
///
/// The number is split into 2^e times m in [1, 2); ln m is the tabled logarithm of the middle of
/// m's 128th, plus a short series for what is left (|r| < 1/256, so the first term left out is
/// below 2e-18).
#[inline]
#[must_use]
pub fn exponential(x: u64) -> f64 {
    let bits = (((x >> 11) + 1) as f64).to_bits();
    let below_one = 53 - ((bits >> 52) as i64 - 1023);
    let (inverse, ln_middle) = MIDDLES[(bits >> 45) as usize & 127];
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let r = m * inverse - 1.0;
    let tail = r * (-1.0 / 2.0 + r * (1.0 / 3.0 + r * (-1.0 / 4.0 + r * (1.0 / 5.0 - r / 6.0))));
    let value = below_one as f64 * LN_2 - ln_middle - r * (1.0 + tail);
    // Rounding can leave the smallest values a hair below zero.
    if value > 0.0 { value } else { 0.0 }
}

const LN_2: f64 = core::f64::consts::LN_2;

/// For each 128th of [1, 2): one over its middle, and the logarithm of its middle.
static MIDDLES: [(f64, f64); 128] = middles();

const fn middles() -> [(f64, f64); 128] {
    let mut table = [(0.0, 0.0); 128];
    let mut i = 0;
    while i < 128 {
        let middle = 1.0 + (i as f64 + 0.5) / 128.0;
        table[i] = (1.0 / middle, ln_by_series(middle));
        i += 1;
    }
    table
}

/// ln x for x in [1, 2): twice the series of artanh((x - 1) / (x + 1)), which is at most 1/3.
const fn ln_by_series(x: f64) -> f64 {
    let s = (x - 1.0) / (x + 1.0);
    let mut sum = 0.0;
    // From the smallest term up, so that the rounding of the large ones comes last.
    let mut n = 20;
    while n > 0 {
        n -= 1;
        sum = sum * s * s + 1.0 / (2 * n + 1) as f64;
    }
    2.0 * s * sum
}

/// Draws an index by weight, in constant time (alias method; Walker 1977, Vose 1991), in integers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weighted {
    /// For each column: below this share of `total` it is the column itself, else the alias.
    columns: Vec<(u64, u32)>,
    total: u64,
}

impl Weighted {
    /// Prepares the draw. Without any weight above zero it can draw nothing.
    #[must_use]
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let weights: Vec<u64> = weights.into_iter().map(u64::from).collect();
        let total: u64 = weights.iter().sum();
        if total == 0 {
            return Self::default();
        }
        let count = weights.len() as u64;
        // In units where every column holds `total`.
        let mut left: Vec<u64> = weights.iter().map(|weight| weight * count).collect();
        let mut columns: Vec<(u64, u32)> = (0..left.len()).map(|i| (total, i as u32)).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..left.len()).partition(|&i| left[i] < total);
        while let (Some(&giver), Some(taker)) = (large.last(), small.pop()) {
            columns[taker] = (left[taker], giver as u32);
            left[giver] -= total - left[taker];
            if left[giver] < total {
                large.pop();
                small.push(giver);
            }
        }
        Self { columns, total }
    }

    /// The index that a uniform 64-bit number stands for; `None` if there is nothing to draw.
    #[inline]
    #[must_use]
    pub fn pick(&self, uniform: u64) -> Option<usize> {
        let product = u128::from(uniform) * self.columns.len() as u128;
        let column = (product >> 64) as usize;
        let (threshold, alias) = *self.columns.get(column)?;
        let share = ((u128::from(product as u64) * u128::from(self.total)) >> 64) as u64;
        Some(if share < threshold {
            column
        } else {
            alias as usize
        })
    }
}
