//! Known results of queueing theory, met by the plant.

mod common;

use common::{Model, Naive, small_loop};
use sorthub_core::hub::{Capacity, MeetsBy, TrackKind};
use sorthub_core::ids::ChuteId;
use sorthub_core::plan::NoReadPolicy;
use sorthub_core::units::{Micros, Mm};
use sorthub_sim::plant::Options;
use sorthub_sim::run::simulate;
use sorthub_sim::spec::Service;

/// A loop of 200 carriers of 500 mm at 2 m/s (four a second) with `zones` inductions at equal
/// distances, each with a scanner right behind it, and 40 chutes spread evenly. Parcels are for
/// any chute alike; nothing is ever full.
fn even_loop(zones: u32, rate_per_h: u32) -> Model {
    let mut model = Model::empty(2);
    let kind = TrackKind::Loop {
        carriers: 200,
        pitch: Mm(500),
    };
    let track = model.add_track(kind, 2_000, 250);
    for zone in 0..zones {
        let at = zone * (100_000 / zones);
        model.add_induction(track, at, rate_per_h, Micros(0));
        model.add_scanner(track, at + 1, MeetsBy::Carrier, 1_000_000);
    }
    for chute in 0..40 {
        let at = 1_250 + chute * 2_500;
        let id = model.add_chute(track, at, 0, Capacity::Unlimited, Service::Instant);
        model.add_destination(track, id, 1);
    }
    model.plan.reject = vec![ChuteId(0)];
    model
}

/// Each carrier is emptied and filled several times a lap: with k zones and even chutes a
/// saturated loop of R carriers a second moves R 2k/(k+1).
#[test]
fn a_saturated_loop_moves_more_with_more_zones() {
    for (zones, gain) in [(1, 1.0), (2, 4.0 / 3.0), (4, 1.6)] {
        let model = even_loop(zones, 40_000);
        let mut plant = model.plant(Options {
            seed: 1,
            reads_once: true,
            ..Options::default()
        });
        let mut naive = Naive::new(200, |dest| ChuteId(dest.0 as u16), |_| ChuteId(0));
        let warm = Micros::from_secs(600);
        naive.run(&mut plant, warm, |_, _| {});
        let before = plant.tally().discharged;
        let span_s = 20_000;
        naive.run(&mut plant, warm.after(Micros::from_secs(span_s)), |_, _| {});
        let rate = (plant.tally().discharged - before) as f64 / span_s as f64;
        let expected = 4.0 * gain;
        assert!(
            (rate / expected - 1.0).abs() < 0.01,
            "{zones} zones: {rate}, not {expected}"
        );
    }
}

/// An induction of its own loop, all carriers empty: a queue with Poisson arrivals, `a` a slot,
/// served at the next pass. From arrival to pass it takes a/(2(1-a)) + 1/2 slots.
#[test]
fn waiting_for_carriers_is_a_slotted_queue() {
    for (load, expected_slots) in [(0.3, 0.714_285_7), (0.6, 1.25), (0.8, 2.5)] {
        // Four passes a second.
        let rate_per_h = (load * 4.0 * 3_600.0) as u32;
        let mut model = even_loop(1, rate_per_h);
        // All parcels leave at the first chute, so that every carrier comes back empty.
        model.plant.demand[0].truncate(1);
        let mut plant = model.plant(Options {
            seed: 4,
            reads_once: true,
            ..Options::default()
        });
        let mut naive = Naive::new(200, |dest| ChuteId(dest.0 as u16), |_| ChuteId(0));
        // Twenty batches; the difference must be within three standard errors of their means.
        let mut batches = Vec::new();
        let (mut waited, mut inducted) = (0, 0);
        for batch in 1..=20 {
            naive.run(&mut plant, Micros::from_secs(batch * 10_000), |_, _| {});
            let tally = *plant.tally();
            let wait = (tally.waited_us - waited) as f64 / (tally.inducted - inducted) as f64;
            (waited, inducted) = (tally.waited_us, tally.inducted);
            batches.push(wait / 250_000.0);
        }
        let mean = batches.iter().sum::<f64>() / 20.0;
        let variance = batches.iter().map(|b| (b - mean) * (b - mean)).sum::<f64>() / 19.0;
        let error = (variance / 20.0).sqrt();
        let apart = (mean - expected_slots).abs();
        assert!(
            apart < 3.0 * error,
            "load {load}: {mean} +- {error}, not {expected_slots}"
        );
    }
}

/// A label that is not read one time in five, tried up to three times: 0.2^3 are rejected, and
/// each parcel is looked at (1 - 0.2^3)/(1 - 0.2) times.
#[test]
fn no_reads_are_tried_again_as_often_as_the_plan_says() {
    let mut model = small_loop();
    model.plant.inductions[0].rate_per_h = 1_200;
    model.plant.scanners[0].read_ppm = 800_000;
    model.plan.no_read = NoReadPolicy::Again;
    model.plan.laps_max = 2;
    let horizon = Micros::from_secs(100_000);
    let outcome = simulate(&model.job().until(horizon), 1).unwrap_or_else(|e| panic!("{e}"));
    let ended = (outcome.inducted - outcome.on_sorter) as f64;
    let rejected = outcome.rejected["no-read"] as f64 / ended;
    let error = (0.008_f64 * 0.992 / ended).sqrt();
    assert!(
        (rejected - 0.008).abs() < 3.0 * error,
        "{rejected} rejected, not 0.008"
    );
    // A lap for each look beyond the first: 0.2 + 0.04 a parcel.
    let laps = outcome.recirculated as f64 / outcome.inducted as f64;
    assert!((laps - 0.24).abs() < 0.01, "{laps} laps a parcel, not 0.24");
}
