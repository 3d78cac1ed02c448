//! One parcel, times worked out by hand: belt at 1 m/s, so a metre is a second.

mod common;

use common::{Steps, one_parcel, order, parcel, small_line};
use sorthub_core::ids::{CellId, ChuteId, InductionId, PlcItem, ScannerId, TrackId};
use sorthub_core::signal::{ScanKey, Signal};
use sorthub_core::units::{BeltMm, Micros, Mm, MmPerS};
use sorthub_sim::plant::{BeltCommand, PlantEvent, Way};

const CELL: CellId = CellId(1);
const ITEM: PlcItem = PlcItem(1);

fn discharged(chute: u16, at_mm: i64) -> Signal {
    Signal::Discharged {
        chute: ChuteId(chute),
        cell: CELL,
        item: ITEM,
        at: BeltMm(at_mm),
    }
}

#[test]
fn onto_the_first_empty_carrier_past_the_scanner_and_into_its_chute() {
    let mut steps = Steps::new(&one_parcel());
    steps.until(1_499);
    let inducted = Signal::Inducted {
        induction: InductionId(0),
        cell: CELL,
        item: ITEM,
        at: BeltMm(500),
        length: Mm(400),
        spans: 1,
        returned: false,
    };
    assert_eq!(steps.said(), [(500, inducted)]);
    steps.until(1_500);
    let telegram = steps.seen.iter().find_map(|(at, event)| match event {
        PlantEvent::Telegram {
            scanner,
            key,
            sight,
        } => Some((*at, *scanner, *key, *sight)),
        _ => None,
    });
    let (at, scanner, key, sight) = telegram.expect("the scanner has spoken");
    assert_eq!((at, scanner), (Micros::from_millis(1_500), ScannerId(0)));
    assert_eq!(key, ScanKey::Trigger(1));
    assert!(sight.is_read);
    assert_eq!(steps.plant.label(sight.number), "P1");
    let at_scanner = Signal::AtScanner {
        scanner: ScannerId(0),
        cell: CELL,
        item: ITEM,
        trigger: 1,
        at: BeltMm(1_500),
    };
    assert_eq!(steps.said(), [(1_500, at_scanner)]);

    steps
        .order(1_500, &order(CELL, ITEM, 1, &[0]))
        .until(20_000);
    assert_eq!(steps.said(), [(4_500, discharged(0, 4_500))]);
    let row = steps.plant.ledger()[0];
    assert_eq!(row.arrived, Micros::from_millis(300));
    assert_eq!(row.inducted, Micros::from_millis(500));
    assert_eq!(
        row.exit,
        Some((Way::Chute(ChuteId(0)), Micros::from_millis(4_500)))
    );
    assert_eq!(row.laps, 0);
    assert!(steps.plant.is_idle());
}

#[test]
fn without_an_order_it_goes_round_and_is_read_again() {
    let mut steps = Steps::new(&one_parcel());
    steps.until(1_600).said();
    steps.until(19_600);
    let lap = |at| Signal::LapPassed {
        cell: CELL,
        item: ITEM,
        at: BeltMm(at),
    };
    let again = Signal::AtScanner {
        scanner: ScannerId(0),
        cell: CELL,
        item: ITEM,
        trigger: 2,
        at: BeltMm(11_500),
    };
    assert_eq!(
        steps.said(),
        [(9_500, lap(9_500)), (11_500, again), (19_500, lap(19_500))]
    );
    // Out at the third passage of chute B, 6 m behind the induction: two whole laps.
    steps
        .order(19_600, &order(CELL, ITEM, 1, &[1]))
        .until(60_000);
    assert_eq!(steps.plant.ledger()[0].laps, 2);
    assert_eq!(steps.said().last(), Some(&(26_500, discharged(1, 26_500))));
}

#[test]
fn a_stop_of_a_minute_moves_everything_by_a_minute() {
    let mut steps = Steps::new(&one_parcel());
    steps.order(1_500, &order(CELL, ITEM, 1, &[0])).until(3_000);
    steps
        .plant
        .belt(Micros::from_millis(3_000), TrackId(0), BeltCommand::Stop);
    steps.until(63_000);
    assert_eq!(
        steps.plant.speed(TrackId(0), Micros::from_millis(63_000)),
        MmPerS(0)
    );
    steps.said();
    steps
        .plant
        .belt(Micros::from_millis(63_000), TrackId(0), BeltCommand::Run);
    steps.until(200_000);
    assert_eq!(steps.said(), [(64_500, discharged(0, 4_500))]);
}

#[test]
fn ramps_take_their_time_and_their_way() {
    let mut model = one_parcel();
    model.plant.tracks[0].ramp_mm_s2 = 500;
    let mut steps = Steps::new(&model);
    steps.order(1_500, &order(CELL, ITEM, 1, &[0])).until(2_000);
    // From 1 m/s to rest in 2 s and 1 m: it stands at 3 m of travel from 4 s on.
    steps
        .plant
        .belt(Micros::from_millis(2_000), TrackId(0), BeltCommand::Stop);
    steps.until(3_000);
    assert_eq!(
        steps.plant.speed(TrackId(0), Micros::from_millis(3_000)),
        MmPerS(500)
    );
    assert_eq!(
        steps.plant.encoder(TrackId(0), Micros::from_millis(3_000)),
        BeltMm(2_750)
    );
    steps.until(10_000);
    assert_eq!(
        steps.plant.encoder(TrackId(0), Micros::from_millis(10_000)),
        BeltMm(3_000)
    );
    // Back to 1 m/s in 2 s and 1 m: at 4 m of travel at 12 s, and at 4.5 m half a second later.
    steps
        .plant
        .belt(Micros::from_millis(10_000), TrackId(0), BeltCommand::Run);
    steps.said();
    steps.until(20_000);
    assert_eq!(steps.said(), [(12_500, discharged(0, 4_500))]);
}

#[test]
fn a_slower_belt_takes_longer() {
    let mut steps = Steps::new(&one_parcel());
    steps.order(1_500, &order(CELL, ITEM, 1, &[0])).until(2_500);
    let half = BeltCommand::Speed(MmPerS(500));
    steps
        .plant
        .belt(Micros::from_millis(2_500), TrackId(0), half);
    steps.said();
    steps.until(20_000);
    assert_eq!(steps.said(), [(6_500, discharged(0, 4_500))]);
}

#[test]
fn an_induction_keeps_its_spacing_and_skips_occupied_carriers() {
    let mut model = one_parcel();
    model.plant.inductions[0].spacing = Micros::from_millis(1_200);
    model.plant.trace = (1..=4)
        .map(|n| parcel(&format!("P{n}"), 300, 400, Some(0)))
        .collect();
    let mut steps = Steps::new(&model);
    steps.until(30_000);
    let got_on: Vec<u64> = steps
        .plant
        .ledger()
        .iter()
        .map(|row| row.inducted.0 / 1_000)
        .collect();
    // Passes come each 500 ms, so 1200 ms of rest make 1500.
    assert_eq!(got_on, [500, 2_000, 3_500, 5_000]);
}

#[test]
fn a_full_loop_takes_nobody_until_a_carrier_comes_free() {
    let mut model = one_parcel();
    model.plant.trace = (0..22)
        .map(|n| parcel(&format!("P{n}"), 0, 400, Some(0)))
        .collect();
    let mut steps = Steps::new(&model);
    steps.until(30_000);
    // 20 carriers, one each half second from 0 on.
    assert_eq!(steps.plant.tally().on_tracks(), 20);
    assert_eq!(
        steps.plant.ledger()[19].inducted,
        Micros::from_millis(9_500)
    );
    // The carrier emptied at chute A at 5 m comes past the induction at 1 m after 6 m. Item 1 got
    // onto carrier 2 at 0 s, at 1 m; it passes chute A at 4 s, 14 s, ..., 34 s.
    steps
        .order(30_000, &order(CellId(2), PlcItem(1), 1, &[0]))
        .until(50_000);
    assert_eq!(
        steps.plant.ledger()[20].inducted,
        Micros::from_millis(40_000)
    );
    assert_eq!(steps.plant.tally().on_tracks(), 20);
    assert_eq!(
        steps
            .plant
            .waiting(InductionId(0), Micros::from_millis(50_000)),
        1
    );
}

#[test]
fn a_line_keeps_the_gap_and_brings_back_what_nobody_took() {
    let mut model = small_line(true);
    model.plant.trace = vec![
        parcel("P1", 1_000, 600, Some(0)),
        parcel("P2", 1_100, 400, Some(0)),
        parcel("P3", 15_900, 400, Some(0)),
        // Far off; nobody who comes round waits for it.
        parcel("P4", 100_000, 400, Some(0)),
    ];
    let mut steps = Steps::new(&model);
    steps.until(40_000);
    let got_on: Vec<u64> = steps
        .plant
        .ledger()
        .iter()
        .map(|row| row.inducted.0 / 1_000)
        .collect();
    // P2 follows P1's 600 mm and the gap of 300 mm. P1 is at the end at 11 s and back at 16 s. P3
    // comes at 15.9 s, before anyone who came round waits, and gets on. P1 waits for P3's 400 mm
    // and the gap.
    assert_eq!(got_on, [1_000, 1_900, 15_900]);
    let said = steps.said();
    let returned: Vec<(u64, PlcItem, CellId)> = said
        .iter()
        .filter_map(|(at, signal)| match signal {
            Signal::Inducted {
                item,
                cell,
                returned: true,
                ..
            } => Some((*at, *item, *cell)),
            _ => None,
        })
        .take(2)
        .collect();
    assert_eq!(
        returned,
        [
            (16_600, PlcItem(1), CellId(3)),
            (17_500, PlcItem(2), CellId(4))
        ]
    );
    let gone_round = Signal::Returning {
        cell: CellId(0),
        item: PlcItem(1),
        at: BeltMm(11_000),
    };
    assert!(said.contains(&(11_000, gone_round)));
}

#[test]
fn who_came_round_goes_before_who_is_new() {
    let mut model = small_line(true);
    model.plant.trace = vec![
        parcel("P1", 1_000, 600, Some(0)),
        parcel("P2", 15_500, 600, Some(0)),
        parcel("P3", 15_600, 600, Some(0)),
    ];
    let mut steps = Steps::new(&model);
    steps.until(20_000);
    let got_on: Vec<u64> = steps
        .plant
        .ledger()
        .iter()
        .map(|row| row.inducted.0 / 1_000)
        .collect();
    // P2 is clear at 16.4 s. P1 is back at 16.0 s and goes then; P3 has waited longer, and waits
    // until 17.3 s.
    assert_eq!(got_on, [1_000, 15_500, 17_300]);
}

#[test]
fn a_line_without_return_drops_everything_at_its_end() {
    let mut model = small_line(false);
    model.plant.trace = vec![parcel("P1", 1_000, 600, Some(0))];
    let mut steps = Steps::new(&model);
    steps.until(40_000);
    let exit = Signal::Discharged {
        chute: ChuteId(2),
        cell: CellId(0),
        item: PlcItem(1),
        at: BeltMm(11_000),
    };
    assert_eq!(steps.said().last(), Some(&(11_000, exit)));
    assert!(steps.plant.is_idle());
}
