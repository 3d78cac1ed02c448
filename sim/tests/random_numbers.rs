//! Random numbers have the right moments, and hang on their names alone.

use proptest::prelude::*;
use sorthub_sim::random::{Purpose, Stream, Weighted, exponential};

#[test]
fn exponential_has_the_moments_of_the_exponential() {
    let stream = Stream::new(7, Purpose::Service, 0);
    let count = 1_000_000;
    let (mut sum, mut squares, mut cubes, mut above_three) = (0.0, 0.0, 0.0, 0);
    for n in 0..count {
        let x = stream.exponential(n);
        assert!((0.0..37.0).contains(&x), "{x} is out of range");
        sum += x;
        squares += x * x;
        cubes += x * x * x;
        above_three += u32::from(x > 3.0);
    }
    let count = count as f64;
    // Five standard errors each: of x sqrt(1), x^2 sqrt(20), x^3 sqrt(684).
    assert!((sum / count - 1.0).abs() < 5.0 * (1.0 / count).sqrt());
    assert!((squares / count - 2.0).abs() < 5.0 * (20.0 / count).sqrt());
    assert!((cubes / count - 6.0).abs() < 5.0 * (684.0 / count).sqrt());
    let tail = 0.049_787_068;
    let error = (tail * (1.0 - tail) / count).sqrt();
    assert!((f64::from(above_three) / count - tail).abs() < 5.0 * error);
}

#[test]
fn exponential_at_known_places() {
    // u = 1 gives 0, u = 1/2 gives ln 2, u = 2^-53 gives 53 ln 2.
    let ln_2 = core::f64::consts::LN_2;
    assert_eq!(exponential(u64::MAX), 0.0);
    assert!((exponential(((1 << 52) - 1) << 11) - ln_2).abs() < 1e-15);
    assert!((exponential(0) - 53.0 * ln_2).abs() < 1e-13);
}

#[test]
fn exponential_is_the_same_to_the_last_bit() {
    // The same formulas written in Python, on another compiler's floats, give these bits too. A
    // machine that gives others would give other runs.
    let stream = Stream::new(1, Purpose::Arrival, 3);
    let mixed = (0..100_000).fold(0_u64, |mix, n| {
        mix.rotate_left(5)
            ^ stream
                .exponential(n)
                .to_bits()
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    assert_eq!(mixed, EXPONENTIALS, "got {mixed:#x}");
}

const EXPONENTIALS: u64 = 0xb154_4e3e_8758_db94;

#[test]
fn streams_of_other_names_share_nothing() {
    let named = |seed, purpose, device| Stream::new(seed, purpose, device).at(0);
    let mut seen = vec![];
    for seed in 0..20 {
        for purpose in [
            Purpose::Arrival,
            Purpose::Destination,
            Purpose::Reading,
            Purpose::Mass,
        ] {
            for device in 0..20 {
                seen.push(named(seed, purpose, device));
            }
        }
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn neighbouring_streams_are_not_correlated() {
    let (a, b) = (
        Stream::new(1, Purpose::Arrival, 0),
        Stream::new(1, Purpose::Arrival, 1),
    );
    let count = 200_000;
    let unit = |x: u64| (x >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
    let along: f64 = (0..count).map(|n| unit(a.at(n)) * unit(a.at(n + 1))).sum();
    let across: f64 = (0..count).map(|n| unit(a.at(n)) * unit(b.at(n))).sum();
    // Each product has mean 0 and standard deviation 1/12.
    let bound = 5.0 / 12.0 * f64::from(count as u32).sqrt();
    assert!(along.abs() < bound, "{along} against {bound}");
    assert!(across.abs() < bound, "{across} against {bound}");
}

#[test]
fn weights_are_kept() {
    let weights: Vec<u32> = (0..10).map(|j| 54 + 8 * j).collect();
    let draw = Weighted::new(weights.iter().copied());
    let stream = Stream::new(5, Purpose::Destination, 0);
    let (mut counts, all) = ([0_u64; 10], 1_000_000_u64);
    for n in 0..all {
        counts[draw.pick(stream.at(n)).expect("there are weights")] += 1;
    }
    let total: u32 = weights.iter().sum();
    // Chi-square with 9 degrees of freedom: 33.7 is exceeded once in ten thousand.
    let chi: f64 = counts
        .iter()
        .zip(&weights)
        .fold(0.0, |chi, (&count, &weight)| {
            let due = all as f64 * f64::from(weight) / f64::from(total);
            chi + (count as f64 - due) * (count as f64 - due) / due
        });
    assert!(chi < 33.7, "chi-square is {chi}");
}

proptest! {
    #[test]
    fn only_what_has_weight_is_drawn(
        weights in proptest::collection::vec(0_u32..5, 0..20), uniform: u64,
    ) {
        let draw = Weighted::new(weights.iter().copied());
        match draw.pick(uniform) {
            Some(index) => prop_assert!(weights[index] > 0),
            None => prop_assert!(weights.iter().all(|&weight| weight == 0)),
        }
    }

    #[test]
    fn bounds_are_kept(seed: u64, n: u64, low: u32, high: u32) {
        let value = Stream::new(seed, Purpose::Length, 0).between(n, low, high);
        prop_assert!(value >= low && value <= high.max(low));
    }
}
