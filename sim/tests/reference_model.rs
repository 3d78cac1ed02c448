//! The reference model LSRM-1 with the real sorter inside.

mod common;

use common::{Naive, lsrm};
use sorthub_core::ids::{ChuteId, InductionId, TrackId};
use sorthub_core::signal::Signal;
use sorthub_core::units::{BeltMm, Micros};
use sorthub_sim::plant::{Options, PlantEvent};
use sorthub_sim::run::{replicate, simulate};

const HOURS_6: Micros = Micros::from_secs(6 * 3_600);

#[test]
fn carriers_pass_the_inductions_as_the_model_says() {
    let mut plant = lsrm(1).plant(Options {
        seed: 1,
        ..Options::default()
    });
    let mut naive = Naive::new(300, |dest| ChuteId(dest.0 as u16), |_| ChuteId(100));
    let mut seen = 0;
    naive.run(&mut plant, Micros::from_secs(600), |now, event| {
        if let PlantEvent::Plc(Signal::Inducted {
            induction,
            cell,
            at,
            ..
        }) = *event
        {
            // t = 0.1 + 0.2 n at every induction; the carrier is (75 i + 2 - n) mod 300.
            assert_eq!((now.0 - 100_000) % 200_000, 0);
            let n = (now.0 as i64 - 100_000) / 200_000;
            let carrier = (75 * i64::from(induction.0) + 2 - n).rem_euclid(300);
            assert_eq!(i64::from(cell.0), carrier);
            assert_eq!(at, BeltMm(now.0 as i64 * 3 / 1_000));
            seen += 1;
        }
    });
    assert!(seen > 3_000, "{seen} parcels got on in ten minutes");
}

/// The carrier that passes induction `i` at a time, if one does.
fn carrier_at(induction: usize, t: u64) -> usize {
    assert_eq!(t % 200_000, 100_000, "no carrier passes at {t}");
    let n = (t as i64 - 100_000) / 200_000;
    (75 * induction as i64 + 2 - n).rem_euclid(300) as usize
}

/// Holds every induction against the rule, with the carriers' histories worked out anew from what
/// the PLC said: the head of the queue takes the first empty carrier that passes once it is there
/// and the station has rested.
#[test]
fn the_first_empty_carrier_is_taken_and_none_is_passed_over() {
    let options = Options {
        seed: 9,
        keeps_ledger: true,
        ..Options::default()
    };
    let mut plant = lsrm(1).plant(options);
    let mut naive = Naive::new(300, |dest| ChuteId(dest.0 as u16), |_| ChuteId(100));
    let mut got_on = Vec::new();
    let mut history: Vec<Vec<(u64, bool)>> = vec![vec![]; 300];
    naive.run(
        &mut plant,
        Micros::from_secs(7_200),
        |now, event| match *event {
            PlantEvent::Plc(Signal::Inducted {
                induction, cell, ..
            }) => {
                got_on.push((now.0, induction.index(), cell.index()));
                history[cell.index()].push((now.0, true));
            }
            PlantEvent::Plc(Signal::Discharged { cell, .. }) => {
                history[cell.index()].push((now.0, false));
            }
            _ => {}
        },
    );
    let is_occupied = |carrier: usize, t: u64| {
        let before = history[carrier].partition_point(|&(at, _)| at < t);
        before > 0 && history[carrier][before - 1].1
    };
    let rows = plant.ledger();
    assert_eq!(rows.len(), got_on.len());
    let (mut rested, mut arrived) = ([0; 4], [0; 4]);
    let mut passed_over = 0;
    for (row, &(t, induction, cell)) in rows.iter().zip(&got_on) {
        assert!(
            row.arrived.0 >= arrived[induction],
            "not first in, first out"
        );
        arrived[induction] = row.arrived.0;
        let ready = row.arrived.0.max(rested[induction]);
        rested[induction] = t + 400_000;
        let mut pass = 100_000 + ready.saturating_sub(100_000).div_ceil(200_000) * 200_000;
        while pass < t {
            let carrier = carrier_at(induction, pass);
            assert!(
                is_occupied(carrier, pass),
                "carrier {carrier} was empty at {pass}"
            );
            passed_over += 1;
            pass += 200_000;
        }
        assert_eq!(pass, t);
        assert_eq!(carrier_at(induction, t), cell);
        assert!(!is_occupied(cell, t), "carrier {cell} was taken at {t}");
    }
    assert!(
        passed_over > 10_000,
        "only {passed_over} occupied carriers passed"
    );
}

#[test]
fn the_sorter_does_what_the_model_says() {
    let model = lsrm(1);
    let outcome = simulate(&model.job().until(HOURS_6), 3).unwrap_or_else(|e| panic!("{e}"));

    let mut plant = model.plant(Options {
        seed: 3,
        ..Options::default()
    });
    let mut naive = Naive::new(300, |dest| ChuteId(dest.0 as u16), |_| ChuteId(100));
    let mut no_reads_out = 0;
    naive.run(&mut plant, HOURS_6, |_, event| {
        if let PlantEvent::Plc(Signal::Discharged {
            chute: ChuteId(100),
            ..
        }) = event
        {
            no_reads_out += 1;
        }
    });
    let tally = *plant.tally();
    let last = Micros(HOURS_6.0 - 1);
    let mut arrived = 0;
    for induction in (0..4).map(InductionId) {
        arrived += plant.arrived(induction, last);
    }
    assert_eq!(outcome.arrived, arrived);
    assert_eq!(outcome.inducted, tally.inducted);
    assert_eq!(outcome.recirculated, naive.recirculated);
    assert_eq!(outcome.rejected.values().sum::<u64>(), no_reads_out);
    assert_eq!(outcome.sorted, tally.discharged - no_reads_out);
    let services = plant.services(last);
    let canonical = arrived + tally.inducted + tally.scanned + tally.attempts + services;
    assert_eq!(outcome.events, canonical);
    // About 5.03 canonical events a parcel.
    let each = outcome.events as f64 / outcome.inducted as f64;
    assert!((5.0..5.3).contains(&each), "{each} events a parcel");
}

/// Means of 24 h over 100 seeds as measured elsewhere, with their standard errors. A run of 24 h
/// is near saturation, so a few seeds say little; the bounds are five joint standard errors.
#[test]
fn means_are_those_of_other_programs() {
    let job = lsrm(1).job().until(Micros::from_secs(86_400));
    let seeds = 8_u32;
    let all = replicate(&job, 1, seeds, &|| 0).unwrap_or_else(|e| panic!("{e}"));
    let near = |name: &str, expected: f64, error_of_100: f64| {
        let mean = all.mean[name].mean;
        let one = error_of_100 * 10.0;
        let error = one * (1.0 / f64::from(seeds) + 1.0 / 100.0_f64).sqrt();
        assert!(
            (mean - expected).abs() < 5.0 * error,
            "{name}: {mean}, not {expected}"
        );
    };
    near("sorted", 464_175.0, 63.0);
    near("rejected.no-read", 7_195.0, 8.0);
    near("rejected.most-laps", 8_300.0, 36.0);
    near("recirculation_rate", 0.1488, 0.0005);
    near("chute_full_share", 0.0592, 0.0002);
    near("induction_wait_s", 29.6, 1.7);
    near("time_in_system_s.mean", 69.5, 1.7);
}

#[test]
fn loops_of_one_hub_do_not_touch_each_other() {
    let horizon = Micros::from_secs(1_800);
    let outcome = simulate(&lsrm(2).job().until(horizon), 1).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(outcome.missorted, 0);
    let halves = outcome.chutes.split_at(101);
    for half in [halves.0, halves.1] {
        let sorted: u64 = half.iter().map(|chute| chute.sorted).sum();
        assert!(sorted > 8_000, "{sorted} sorted on one loop");
    }
    // One of them with the same parcels comes to the same: its inductions' streams hang on their
    // own numbers only.
    let mut plant = lsrm(2).plant(Options {
        seed: 1,
        ..Options::default()
    });
    let mut naive = Naive::new(
        600,
        |dest| ChuteId((dest.0 + dest.0 / 100) as u16),
        |TrackId(track)| ChuteId(track * 101 + 100),
    );
    naive.run(&mut plant, horizon, |_, _| {});
    assert_eq!(plant.tally().inducted, outcome.inducted);
    assert_eq!(naive.recirculated, outcome.recirculated);
}
