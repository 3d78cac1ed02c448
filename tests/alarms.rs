//! What the list of alarms promises, on a real sorter and without any thread.

mod small_hub;

use small_hub::*;
use sorthub::telemetry::{
    ALARM_ROWS_MAX, AlarmBoard, AlarmRefused, AlarmRow, HubView, LinkHealth,
    NEW_ROWS_PER_MINUTE_MAX, Priority, SHELVED_MAX,
};
use sorthub_core::facts::{DestKey, Facts};
use sorthub_core::ids::{CellId, ChuteId, CodeId, ParcelId, PlcItem, ScannerId, SorterId};
use sorthub_core::operator::{ChuteWish, Command, Ticket};
use sorthub_core::running::DisabledBy;
use sorthub_core::signal::{Alarm, ChuteState, LinkState, Refusal, ScanKey, Signal};
use sorthub_core::sorter::Sorter;
use sorthub_core::units::{BeltMm, Micros, MmPerS};

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
fn a_reject_chute_is_alarmed_whatever_it_is_closed_by() {
    let (jammed, disabled) = (
        ChuteState {
            jammed: true,
            ..ChuteState::OPEN
        },
        ChuteState {
            enabled: false,
            ..ChuteState::OPEN
        },
    );
    let wish = |to| Signal::Command {
        ticket: Ticket(1),
        command: Command::Chute { chute: REJECTS, to },
    };
    let told = |state| Signal::Chute {
        chute: REJECTS,
        state,
        taken: 0,
    };
    let (off, on) = (wish(ChuteWish::Disable), wish(ChuteWish::Enable));
    for (closes, opens, by) in [
        (off, on, "disabled"),
        (told(disabled), told(ChuteState::OPEN), "disabled-by-plc"),
        (told(jammed), told(ChuteState::OPEN), "jammed"),
        (wish(ChuteWish::Lock), wish(ChuteWish::Unlock), "locked"),
    ] {
        let mut sorter = sorter(20);
        let mut board = board(&sorter);
        let is_alarmed = |board: &AlarmBoard| {
            let mut rows = board.rows().filter(|row| row.cleared_us.is_none());
            let critical = rows.find(|row| row.priority == Priority::Critical)?;
            Some(critical.text.to_string())
        };
        tell(&mut sorter, Micros::from_secs(1), closes);
        board.follow(Micros::from_secs(1), &sorter);
        let text = is_alarmed(&board);
        let wanted = format!("R1, a reject chute, is closed: {by}");
        assert_eq!(text.as_deref(), Some(wanted.as_str()));
        tell(&mut sorter, Micros::from_secs(2), opens);
        board.follow(Micros::from_secs(2), &sorter);
        assert_eq!(is_alarmed(&board), None, "{by}");
    }
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
        let missort = missort(went);
        board.note(Micros::from_secs(u64::from(went) * 60), &missort);
    }
    assert_eq!(board.rows().count(), ALARM_ROWS_MAX);
}

fn missort(went: u16) -> Alarm {
    Alarm::Missort {
        parcel: ParcelId::new(3, 1),
        ordered: None,
        went: ChuteId(went),
    }
}

#[test]
fn more_kinds_in_a_minute_than_can_be_read_are_counted_in_one_row() {
    let sorter = sorter(20);
    let mut board = board(&sorter);
    for went in 0..50 {
        board.note(Micros::from_secs(10), &missort(went));
    }
    let most = NEW_ROWS_PER_MINUTE_MAX as usize;
    assert_eq!(board.rows().count(), most + 1);
    let flood = board.rows().next().expect("the newest").clone();
    assert_eq!(flood.times, 50 - most as u64, "{}", flood.text);
    // What is critical comes through, and the next minute begins anew.
    board.note(Micros::from_secs(11), &Alarm::LinkLost { track: TRACK });
    board.note(Micros::from_secs(61), &missort(49));
    assert_eq!(board.rows().count(), most + 3);
}

#[test]
fn what_is_urgent_stays_until_somebody_has_seen_it() {
    let mut sorter = sorter(20);
    let mut board = board(&sorter);
    board.note(Micros::from_secs(1), &missort(0));
    let id = board.rows().next().expect("it is there").id;
    // Sixty-three others, seen and over; then one more than there is room for.
    for went in 1..64 {
        board.note(Micros::from_secs(u64::from(went) * 60), &missort(went));
        let newest = board.rows().next().expect("it is there").id;
        board.acknowledge(newest, "Li").expect("it is there");
    }
    chute_is(&mut sorter, Micros::from_secs(4_000), REJECTS, FULL);
    board.follow(Micros::from_secs(4_000), &sorter);
    assert_eq!(board.rows().count(), ALARM_ROWS_MAX);
    let kept = board.rows().find(|row| row.id == id);
    assert!(kept.is_some_and(|row| !row.is_done()), "nobody has seen it");
    board.acknowledge(id, "Wang").expect("it is there");
    let row = board.rows().find(|row| row.id == id).expect("it is there");
    assert_eq!(
        row.acknowledged_by.map(|by| by.as_str().to_owned()),
        Some("Wang".to_owned())
    );
    assert!(row.is_done());
    // The same again is news.
    board.note(Micros::from_secs(5_000), &missort(0));
    let row = board.rows().next().expect("the newest");
    assert_eq!((row.id, row.acknowledged_by), (id, None));
}

#[test]
fn a_shelved_alarm_comes_back_in_time() {
    let mut sorter = sorter(20);
    let mut board = board(&sorter);
    let hour = |hours: u64| Micros::from_secs(hours * 3_600);
    chute_is(&mut sorter, Micros(0), REJECTS, FULL);
    board.follow(Micros(0), &sorter);
    let id = standing(&board)[0].id;
    board
        .shelve(Micros(0), id, hour(1))
        .expect("an hour is allowed");
    board.follow(Micros(1), &sorter);
    assert_eq!(standing(&board)[0].shelved_until_us, Some(hour(1).0));
    board.follow(hour(1), &sorter);
    assert_eq!(standing(&board)[0].shelved_until_us, None);
    let long = SHELVED_MAX.after(Micros(1));
    assert_eq!(
        board.shelve(Micros(0), id, long),
        Err(AlarmRefused::TooLong)
    );
    assert_eq!(
        board.acknowledge(99, "Li"),
        Err(AlarmRefused::NoSuchAlarm(99))
    );
}

#[test]
fn two_sorters_of_a_hub_never_number_two_alarms_alike() {
    let sorter = sorter(20);
    let hub = HubView::new(sorter.hub(), sorter.plan());
    let ids = |which| {
        let mut board = AlarmBoard::of_sorter(&hub, SorterId(which), 2);
        (0..5).for_each(|went| board.note(Micros(1), &missort(went)));
        board.rows().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(
        (ids(0), ids(1)),
        (vec![9, 7, 5, 3, 1], vec![10, 8, 6, 4, 2])
    );
}

#[test]
fn silent_scanners_and_stuck_encoders_are_levels() {
    let mut sorter = sorter(20);
    let mut board = board(&sorter);
    let speed = MmPerS(1_000);
    let belt = |at: i64| Signal::Belt {
        track: TRACK,
        at: BeltMm(at),
        speed,
    };
    for n in 0..10_u32 {
        let now = Micros::from_secs(u64::from(n) * 2);
        tell(&mut sorter, now, belt(i64::from(n) * 2_000));
        let (cell, item) = (CellId(n), PlcItem(n + 1));
        let at = BeltMm(i64::from(n) * 2_000);
        let signal = Signal::AtScanner {
            scanner: ScannerId(0),
            cell,
            item,
            trigger: n as u16,
            at,
        };
        tell(&mut sorter, now, signal);
        tell(
            &mut sorter,
            now.after(Micros::from_millis(1_100)),
            Signal::Tick,
        );
    }
    board.follow(Micros::from_secs(20), &sorter);
    let texts: Vec<&str> = standing(&board).iter().map(|row| &*row.text).collect();
    assert_eq!(texts, ["S1 is silent"]);
    tell(&mut sorter, Micros::from_secs(24), belt(24_000));
    tell(&mut sorter, Micros::from_secs(25), belt(24_000));
    tell(&mut sorter, Micros::from_secs(29), belt(24_000));
    board.follow(Micros::from_secs(29), &sorter);
    assert_eq!(standing(&board)[0].priority, Priority::Critical);
    assert!(standing(&board)[0].text.contains("encoder of loop"));
    tell(&mut sorter, Micros::from_secs(30), belt(25_000));
    let telegram = Signal::Scanned {
        scanner: ScannerId(0),
        key: ScanKey::Trigger(999),
        facts: Facts::default(),
    };
    tell(&mut sorter, Micros::from_secs(30), telegram);
    board.follow(Micros::from_secs(30), &sorter);
    assert!(standing(&board).is_empty());
}

#[test]
fn tracking_that_fails_too_often_is_alarmed() {
    let mut sorter = sorter(20);
    let mut board = board(&sorter);
    for n in 0..3 {
        let now = Micros::from_secs(n);
        let (cell, item) = (CellId(n as u32), PlcItem(n as u32 + 1));
        let signal = Signal::Unexpected {
            cell,
            item,
            at: BeltMm(0),
        };
        board.follow(now, &sorter);
        assert!(standing(&board).is_empty(), "{n} cases are no rate");
        tell(&mut sorter, now, signal);
    }
    board.follow(Micros::from_secs(4), &sorter);
    assert!(
        standing(&board)[0]
            .text
            .contains("not where they should be")
    );
    board.follow(Micros::from_secs(2 * 3_600), &sorter);
    assert!(standing(&board).is_empty(), "an hour without one is over");
}

#[test]
fn links_and_journal_are_followed_too() {
    let sorter = sorter(20);
    let mut board = board(&sorter);
    let mut health = LinkHealth {
        refused_by: Some(7),
        unreadable: 2,
        ..LinkHealth::default()
    };
    board.follow_link(Micros(1), TRACK, &health);
    board.follow_link(Micros(2), TRACK, &health);
    board.follow_journal(Micros(3), true, 0);
    let texts: Vec<String> = board.rows().map(|row| row.text.to_string()).collect();
    let expected = [
        "The journal cannot be written",
        "The PLC of loop says what nobody understands",
        "The PLC of loop obeys another engine, run 7",
    ];
    assert_eq!(texts, expected);
    health.refused_by = None;
    board.follow_link(Micros(4), TRACK, &health);
    board.follow_journal(Micros(5), false, 17);
    assert!(standing(&board).is_empty());
    let newest = board.rows().next().expect("the gap");
    assert!(newest.text.contains("17 records"), "{}", newest.text);
}

#[test]
fn a_destination_that_no_chute_takes_is_told_while_its_parcels_go_round() {
    let mut sorter = sorter(20);
    let mut board = board(&sorter);
    chute_is(&mut sorter, Micros(0), SORTS, FULL);
    for n in 0..3_u32 {
        let (cell, item, at) = (CellId(n), PlcItem(n + 1), BeltMm(0));
        let trigger = n as u16;
        let scanner = ScannerId(0);
        let told = [
            Signal::AtScanner {
                scanner,
                cell,
                item,
                trigger,
                at,
            },
            Signal::Scanned {
                scanner,
                key: ScanKey::Trigger(trigger),
                facts: Facts::advised(CodeId(u64::from(n) + 1), DestKey::of("north")),
            },
            Signal::NotDischarged {
                chute: SORTS,
                cell,
                item,
                at,
                cause: Refusal::Full,
            },
        ];
        told.iter()
            .for_each(|signal| tell(&mut sorter, Micros(1), *signal));
    }
    board.follow(Micros::from_secs(2), &sorter);
    let row = standing(&board)[0];
    assert_eq!(
        &*row.text,
        "3 parcels for north go round: no chute takes them"
    );
    assert_eq!(row.priority, Priority::Low);
    for n in 0..3 {
        let signal = Signal::Discharged {
            chute: SORTS,
            cell: CellId(n),
            item: PlcItem(n + 1),
            at: BeltMm(0),
        };
        tell(&mut sorter, Micros::from_secs(3), signal);
    }
    board.follow(Micros::from_secs(4), &sorter);
    assert!(standing(&board).is_empty());
}

#[test]
fn every_alarm_says_cause_and_mend() {
    let sorter = sorter(20);
    let mut board = board(&sorter);
    let (cell, chute, scanner) = (CellId(3), SORTS, ScannerId(0));
    let by = DisabledBy::Failures;
    let all = [
        missort(0),
        Alarm::Lost {
            parcel: ParcelId(1),
        },
        Alarm::LinkLost { track: TRACK },
        Alarm::TrackingReset {
            track: TRACK,
            in_doubt: 4,
        },
        Alarm::TooManyItems { cell },
        Alarm::CarrierDisabled { cell, by },
        Alarm::CarrierNotEmpty { cell },
        Alarm::ChuteFails { chute },
        Alarm::NoReadStreak { scanner },
    ];
    all.iter().for_each(|alarm| board.note(Micros(1), alarm));
    assert_eq!(board.rows().count(), all.len());
    for row in board.rows() {
        for text in [&*row.text, row.cause, row.mend] {
            assert!(!text.is_empty() && !text.contains('?'), "{row:?}");
        }
    }
}
