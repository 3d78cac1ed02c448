//! The reference model with the real sorter.

mod common;

use common::lsrm;
use sorthub_core::units::Micros;
use sorthub_sim::run::simulate;

#[test]
fn one() {
    let job = lsrm(1).job().until(Micros::from_secs(86_400));
    for seed in 1..6 {
    let t = std::time::Instant::now();
    let o = simulate(&job, seed).unwrap_or_else(|e| panic!("{e}"));
    println!("{:?} {}", t.elapsed(), format!("{:?}", o).split("chutes:").next().unwrap());
    println!("{} {} {:?}", o.events, o.output_hash, o.chutes.len());
    }
}
