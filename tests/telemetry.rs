//! What views and alarms promise, on a real sorter and without any thread.

use std::sync::Arc;

use sorthub::telemetry::{
    ALARM_ROWS_MAX, AlarmBoard, AlarmRow, HubView, ITEM_ROWS_MAX, Priority, ShortText, View,
};
use sorthub_core::hub::{
    Capacity, ChuteSpec, Hub, HubSpec, InductionSpec, MeetsBy, Outlet, ScannerSpec, Sensing,
    TrackKind, TrackSpec,
};
use sorthub_core::ids::{CellId, ChuteId, InductionId, ParcelId, PlcItem, TrackId};
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::{DestinationSpec, NoReadPolicy, Plan, PlanSpec, RoomPolicy};
use sorthub_core::signal::{Alarm, ChuteState, LinkState, Signal};
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::{BeltMm, Micros, Mm, MmPerS};

const TRACK: TrackId = TrackId(0);
const SORTS: ChuteId = ChuteId(0);
const REJECTS: ChuteId = ChuteId(1);

fn sorter(carriers: u32) -> Sorter {
    let kind = TrackKind::Loop {
        carriers,
        pitch: Mm(600),
    };
    let (speed, tolerance) = (MmPerS(2_000), Mm(300));
    let chute = |name: &str, at| ChuteSpec {
        name: name.to_owned(),
        outlets: vec![Outlet {
            track: TRACK,
            at: Mm(at),
            lead: Mm(600),
        }],
        capacity: Capacity::Parcels(10),
        sensing: Sensing::Counted,
    };
    let (meets_by, wait) = (MeetsBy::Trigger, Mm(1_000));
    let hub = HubSpec {
        name: "test".to_owned(),
        tracks: vec![TrackSpec {
            name: "loop".to_owned(),
            kind,
            speed,
            tolerance,
        }],
        inductions: vec![InductionSpec {
            name: "I1".to_owned(),
            track: TRACK,
            at: Mm(100),
        }],
        scanners: vec![ScannerSpec {
            name: "S1".to_owned(),
            track: TRACK,
            at: Mm(1_000),
            meets_by,
            wait,
        }],
        chutes: vec![chute("C1", 4_000), chute("R1", 5_000)],
    };
    let hub = Hub::new(hub).expect("the hub is sound");
    let destination = DestinationSpec {
        name: "north".to_owned(),
        chutes: vec![SORTS],
        ..DestinationSpec::default()
    };
    let plan = PlanSpec {
        version: 1,
        destinations: vec![destination],
        reject: vec![REJECTS],
        room: RoomPolicy::Attempt,
        no_read: NoReadPolicy::Again,
        laps_max: 2,
        ..PlanSpec::default()
    };
    let plan = Plan::new(plan, &hub).expect("the plan is sound");
    let mut sorter = Sorter::new(Arc::new(hub), Arc::new(plan), Setup { run_epoch: 3 });
    tell(
        &mut sorter,
        Micros(0),
        Signal::Link {
            track: TRACK,
            to: LinkState::Up,
        },
    );
    sorter
}

fn tell(sorter: &mut Sorter, now: Micros, signal: Signal) {
    sorter.handle(now, &signal, &mut Outbox::new());
}

fn chute_is(sorter: &mut Sorter, now: Micros, chute: ChuteId, state: ChuteState) {
    tell(
        sorter,
        now,
        Signal::Chute {
            chute,
            state,
            taken: 0,
        },
    );
}

fn board(sorter: &Sorter) -> AlarmBoard {
    AlarmBoard::new(&HubView::new(sorter.hub(), sorter.plan()))
}

fn standing(board: &AlarmBoard) -> Vec<&AlarmRow> {
    board
        .rows()
        .filter(|row| row.cleared_us.is_none())
        .collect()
}

const FULL: ChuteState = ChuteState {
    full: true,
    ..ChuteState::OPEN
};

#[test]
fn a_belt_is_shown_where_it_is_now_not_where_it_was_told() {
    let mut sorter = sorter(20);
    let (at, speed) = (BeltMm(5_000), MmPerS(2_000));
    tell(
        &mut sorter,
        Micros::from_secs(1),
        Signal::Belt {
            track: TRACK,
            at,
            speed,
        },
    );
    let mut view = View::default();
    view.read_sorter(&sorter, Micros::from_millis(1_050), |_| None);
    assert_eq!(
        (view.tracks[0].belt_mm, view.tracks[0].speed_mm_s),
        (5_100, 2_000)
    );
    // Where a belt is whose link is lost is not made up.
    let lost = Signal::Link {
        track: TRACK,
        to: LinkState::Lost,
    };
    tell(&mut sorter, Micros::from_millis(1_060), lost);
    view.read_sorter(&sorter, Micros::from_secs(9), |_| None);
    assert_eq!(
        (view.tracks[0].belt_mm, view.tracks[0].speed_mm_s),
        (5_000, 0)
    );
    assert!(!view.tracks[0].linked);
}

#[test]
fn a_view_of_a_huge_hub_is_cut_and_says_by_how_much() {
    let more = 100;
    let mut sorter = sorter(ITEM_ROWS_MAX as u32 + more);
    for cell in 0..ITEM_ROWS_MAX as u32 + more {
        let (cell, item, at) = (CellId(cell), PlcItem(cell + 1), BeltMm(0));
        let (induction, length) = (InductionId(0), Mm(400));
        let signal = Signal::Inducted {
            induction,
            cell,
            item,
            at,
            length,
            returned: false,
        };
        tell(&mut sorter, Micros(1), signal);
    }
    let mut view = View::default();
    view.read_sorter(&sorter, Micros(1), |_| None);
    assert_eq!(
        (view.items.len(), view.items_left_out),
        (ITEM_ROWS_MAX, more)
    );
    assert_eq!(view.books.on_sorter, ITEM_ROWS_MAX as u64 + u64::from(more));
    // A second reading starts anew.
    view.read_sorter(&sorter, Micros(1), |_| None);
    assert_eq!(
        (view.items.len(), view.items_left_out),
        (ITEM_ROWS_MAX, more)
    );
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let text = "运单号".repeat(10);
    let short = ShortText::new(&text);
    assert!(text.starts_with(short.as_str()));
    assert_eq!(short.as_str().len(), 45);
    assert_eq!(ShortText::new("SF1234").as_str(), "SF1234");
}

#[test]
fn a_lost_link_stands_until_it_is_back() {
    let mut sorter = sorter(20);
    let mut board = board(&sorter);
    let lost = |now| Signal::Link {
        track: TRACK,
        to: now,
    };
    tell(&mut sorter, Micros::from_secs(5), lost(LinkState::Lost));
    board.note(Micros::from_secs(5), &Alarm::LinkLost { track: TRACK });
    board.follow(Micros::from_secs(6), &sorter);
    let rows = standing(&board);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].priority, rows[0].since_us),
        (Priority::Critical, 5_000_000)
    );
    tell(&mut sorter, Micros::from_secs(8), lost(LinkState::Up));
    board.follow(Micros::from_secs(8), &sorter);
    assert!(standing(&board).is_empty());
    let row = board.rows().next().expect("it can still be read");
    assert_eq!(row.cleared_us, Some(8_000_000));
    // The same again is the same row, counted.
    board.note(Micros::from_secs(9), &Alarm::LinkLost { track: TRACK });
    let rows: Vec<_> = board.rows().collect();
    assert_eq!(
        (rows.len(), rows[0].times, rows[0].since_us),
        (1, 2, 9_000_000)
    );
}

#[test]
fn a_chute_is_alarmed_when_it_stays_closed_and_a_reject_chute_at_once() {
    let mut sorter = sorter(20);
    let mut board = board(&sorter);
    chute_is(&mut sorter, Micros::from_secs(1), SORTS, FULL);
    board.follow(Micros::from_secs(1), &sorter);
    board.follow(Micros::from_secs(180), &sorter);
    assert!(
        standing(&board).is_empty(),
        "a full chute is its operator's work at first"
    );
    board.follow(Micros::from_secs(181), &sorter);
    assert_eq!(standing(&board)[0].priority, Priority::High);
    chute_is(&mut sorter, Micros::from_secs(190), REJECTS, FULL);
    board.follow(Micros::from_secs(190), &sorter);
    let newest = standing(&board)[0];
    assert_eq!(newest.priority, Priority::Critical);
    assert!(newest.text.contains("R1"), "{}", newest.text);
    chute_is(&mut sorter, Micros::from_secs(200), SORTS, ChuteState::OPEN);
    chute_is(
        &mut sorter,
        Micros::from_secs(200),
        REJECTS,
        ChuteState::OPEN,
    );
    board.follow(Micros::from_secs(200), &sorter);
    assert!(standing(&board).is_empty());
}

#[test]
fn a_flood_of_one_kind_is_one_row_and_the_list_is_bounded() {
    let sorter = sorter(20);
    let mut board = board(&sorter);
    for counter in 1..=1_000 {
        let parcel = ParcelId::new(3, counter);
        board.note(Micros(counter), &Alarm::Lost { parcel });
    }
    let rows: Vec<_> = board.rows().collect();
    assert_eq!((rows.len(), rows[0].times), (1, 1_000));
    assert!(
        rows[0].text.contains("3-1000"),
        "the newest case is named: {}",
        rows[0].text
    );
    for went in 0..200 {
        let parcel = ParcelId::new(3, 1);
        let missort = Alarm::Missort {
            parcel,
            ordered: None,
            went: ChuteId(went),
        };
        board.note(Micros(2_000), &missort);
    }
    assert_eq!(board.rows().count(), ALARM_ROWS_MAX);
}
