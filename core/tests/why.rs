//! For anything on the sorter it can be said what it waits for, and until when.

mod common;

use common::*;
use sorthub_core::facts::Facts;
use sorthub_core::hub::{Caps, SorterSpec};
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::reason::Reason;
use sorthub_core::running::*;
use sorthub_core::signal::*;
use sorthub_core::sorter::{Ask, ParcelWaits, Waiting, What};
use sorthub_core::units::*;

fn hand() -> Hand {
    let mut hand = Hand::new(loop_spec(), plan_spec());
    hand.told();
    hand
}

fn on(hand: &Hand, cell: u32) -> ParcelWaits {
    match hand.sorter.why(Ask::Cell(CellId(cell))) {
        Waiting::Carries { parcel, .. } => parcel,
        other => panic!("nothing lies on carrier {cell}: {other:?}"),
    }
}

/// What is waited for, and for how many mm and µs from now.
fn waits(hand: &Hand, cell: u32) -> (What, Option<i64>, Option<u64>) {
    let parcel = on(hand, cell);
    let until = parcel.until.map(|at| at.since(hand.now).0);
    (parcel.what, parcel.until_mm, until)
}

#[test]
fn a_parcel_waits_for_a_scanner_then_its_telegram_then_its_chute() {
    let mut hand = hand();
    let scanner = ScannerId(0);
    // Got on at 500 mm; the scanner stands at 1000 mm and the belt runs at 1 mm/ms.
    hand.inducted(1, 1);
    assert_eq!(
        waits(&hand, 1),
        (What::Scanner(scanner), Some(500), Some(500_000))
    );
    hand.belt(500);
    hand.at_scanner(1, 1, 1);
    assert_eq!(
        waits(&hand, 1),
        (What::Telegram(scanner), Some(800), Some(800_000))
    );
    hand.now = Micros(700_000);
    assert_eq!(waits(&hand, 1).1, Some(800), "as of the last call");
    hand.tell(Signal::Tick);
    assert_eq!(waits(&hand, 1).1, Some(600));
    let said = hand.scanned(1, good(1, 0));
    let what = What::Chute {
        chute: ChuteId(0),
        why: Reason::Planned,
    };
    // It is at 1200 mm, chute A at 3000 mm.
    assert_eq!(waits(&hand, 1), (what, Some(1_800), Some(1_800_000)));
    let parcel = order(&said).expect("it is ordered").parcel;
    assert_eq!(
        hand.sorter.why(Ask::Parcel(parcel)),
        Waiting::Parcel(on(&hand, 1))
    );
    assert_eq!(on(&hand, 1).dest, Some(DestId(0)));
}

#[test]
fn a_standing_belt_has_a_way_but_no_time() {
    let mut hand = hand();
    hand.inducted(1, 1);
    hand.tell(Signal::Belt {
        track: LOOP,
        at: BeltMm(0),
        speed: MmPerS(0),
    });
    assert_eq!(
        waits(&hand, 1),
        (What::Scanner(ScannerId(0)), Some(500), None)
    );
}

#[test]
fn a_parcel_that_no_chute_takes_says_so() {
    let mut plan = plan_spec();
    plan.room = sorthub_core::plan::RoomPolicy::Reserve;
    let mut hub = loop_spec();
    hub.chutes[0].sensing = sorthub_core::hub::Sensing::Counted;
    let mut hand = Hand::new(hub, plan);
    let full = ChuteState {
        full: true,
        ..ChuteState::OPEN
    };
    hand.tell(Signal::Chute {
        chute: ChuteId(0),
        state: full,
        taken: 0,
    });
    hand.brought(1, 1, 0);
    let (what, mm, _) = waits(&hand, 1);
    // From 1000 mm on round a loop of 12 m.
    assert_eq!((what, mm), (What::Lap(Reason::ChuteFull), Some(11_000)));
    let chute = hand.sorter.why(Ask::Chute(ChuteId(0)));
    let expected = Waiting::Chute {
        closed: Some(Reason::ChuteFull),
        ordered: 0,
        next_mm: None,
    };
    assert_eq!(chute, expected);
}

#[test]
fn a_chute_knows_the_next_of_those_on_their_way() {
    let mut hand = hand();
    hand.brought(1, 1, 0);
    hand.brought(2, 2, 0);
    // The first is at 1500 mm by now, the chute at 3000 mm.
    let chute = hand.sorter.why(Ask::Chute(ChuteId(0)));
    let expected = Waiting::Chute {
        closed: None,
        ordered: 2,
        next_mm: Some(1_500),
    };
    assert_eq!(chute, expected);
}

#[test]
fn a_parcel_in_doubt_has_two_laps_to_be_found() {
    let mut hand = hand();
    let said = hand.brought(1, 1, 0);
    let parcel = order(&said).expect("it is ordered").parcel;
    hand.tell(Signal::Link {
        track: LOOP,
        to: LinkState::Reset,
    });
    hand.belt(1_500);
    let Waiting::Parcel(waits) = hand.sorter.why(Ask::Parcel(parcel)) else {
        panic!("it is still in the book");
    };
    // Two laps of 12 m and the tolerance of 0.3 m, since it was last heard of at 0.5 m.
    assert_eq!(
        (waits.what, waits.until_mm),
        (What::Finding, Some(24_300 - 1_000))
    );
}

#[test]
fn parcels_of_a_line_run_to_its_end_or_come_round() {
    let mut hand = Hand::new(line_spec(Some(2_000)), plan_spec());
    hand.brought(1, 1, 9);
    let (what, _, _) = waits(&hand, 1);
    let reject = What::Chute {
        chute: ChuteId(3),
        why: Reason::NoRule,
    };
    assert_eq!(what, reject);
    hand.inducted(2, 2);
    hand.belt(1_000);
    hand.at_scanner(2, 2, 2);
    hand.scanned(2, Facts::default());
    assert_eq!(waits(&hand, 2).0, What::End(Reason::NoRead));
    let parcel = on(&hand, 2).parcel;
    hand.belt(6_000);
    hand.tell(Signal::Returning {
        cell: CellId(2),
        item: PlcItem(2),
        at: BeltMm(6_000),
    });
    hand.belt(6_500);
    let Waiting::Parcel(waits) = hand.sorter.why(Ask::Parcel(parcel)) else {
        panic!("it is on the return");
    };
    assert_eq!((waits.what, waits.until_mm), (What::Return, Some(1_500)));
}

#[test]
fn an_induction_says_what_holds_it_and_how_full_its_track_is() {
    let mut spec = loop_spec();
    spec.tracks[0].caps = Caps::USUAL;
    let mut hand = Hand::new(spec, plan_spec());
    hand.told();
    hand.belt(700);
    for cell in 0..18 {
        hand.inducted(cell, cell + 1);
    }
    let expected = Waiting::Induction {
        pace: Pace::Stop,
        hold: Hold::Full,
        since: Micros(700_000),
        occupancy_permille: 900,
        limit_per_h: 0,
        feeding: Feeding::default(),
    };
    assert_eq!(hand.sorter.why(Ask::Induction(InductionId(0))), expected);
}

#[test]
fn a_mode_that_sends_nothing_is_the_reason() {
    let mut hand = hand();
    hand.brought(1, 1, 0);
    hand.run_track(TrackWish::Mode(Mode::Maintenance));
    hand.due();
    assert_eq!(waits(&hand, 1), (What::Mode(Mode::Maintenance), None, None));
}

#[test]
fn an_empty_carrier_waits_for_an_induction_or_is_disabled() {
    let mut hand = hand();
    let ask = Ask::Cell(CellId(4));
    assert_eq!(hand.sorter.why(ask), Waiting::Empty { disabled: None });
    let off = Command::Carrier {
        cell: CellId(4),
        enabled: false,
    };
    hand.command(off).0.expect("taken");
    let disabled = Some(DisabledBy::Operator);
    assert_eq!(hand.sorter.why(ask), Waiting::Empty { disabled });
}

#[test]
fn what_is_not_there_is_not_here() {
    let hand = hand();
    let asks = [
        Ask::Parcel(ParcelId(77)),
        Ask::Cell(CellId(99)),
        Ask::Chute(ChuteId(99)),
        Ask::Induction(InductionId(9)),
    ];
    for ask in asks {
        assert_eq!(hand.sorter.why(ask), Waiting::NotHere, "{ask:?}");
    }
}

/// Of what another sorter owns this one knows only that it is there: its word would be a guess.
#[test]
fn of_several_sorters_each_answers_for_its_own_devices() {
    let mut hub = loop_spec();
    let mut second = hub.tracks[0].clone();
    second.name = "T2".into();
    hub.tracks.push(second);
    let mut induction = hub.inductions[0].clone();
    (induction.name, induction.track) = ("I2".into(), TrackId(1));
    hub.inductions.push(induction);
    let mut scanner = hub.scanners[0].clone();
    (scanner.name, scanner.track) = ("S2".into(), TrackId(1));
    hub.scanners.push(scanner);
    let mut outlet = chute("D", 3_000);
    outlet.outlets[0].track = TrackId(1);
    hub.chutes.push(outlet);
    hub.sorters = (0..2)
        .map(|track| SorterSpec {
            name: format!("sorter {track}"),
            tracks: vec![TrackId(track)],
        })
        .collect();
    let devices = |track: u16| {
        let cells = hub.tracks[0].kind.cells();
        [
            Ask::Cell(CellId(u32::from(track) * cells)),
            Ask::Chute(ChuteId(if track == 0 { 0 } else { 4 })),
            Ask::Induction(InductionId(track)),
        ]
    };
    let (own, foreign) = (devices(0), devices(1));
    let mut plan = plan_spec();
    plan.reject.push(ChuteId(4));
    let hand = Hand::new(hub, plan);
    for ask in own {
        assert_ne!(hand.sorter.why(ask), Waiting::NotHere, "{ask:?}");
    }
    for ask in foreign {
        assert_eq!(hand.sorter.why(ask), Waiting::NotHere, "{ask:?}");
    }
}
