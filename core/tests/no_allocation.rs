//! Nothing is allocated or freed in `handle` after the start.

mod common;

#[path = "common/counting.rs"]
mod counting;

use std::sync::Arc;

use common::*;
use counting::calls;
use sorthub_core::facts::*;
use sorthub_core::hub::{Capacity, Sensing, TrackKind};
use sorthub_core::identify::{CheckSpec, FormatSpec, Formats, FormatsSpec, Label};
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::plan::{Plan, RoomPolicy, Spread};
use sorthub_core::signal::*;
use sorthub_core::units::*;

#[test]
fn the_counter_counts() {
    let before = calls();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(calls() - before, 2);
}

/// A thousand parcels with everything that can happen to them, once to find out what is said and
/// a second time, on a fresh sorter, counting.
#[test]
fn handling_allocates_nothing() {
    let mut hub = loop_spec();
    hub.chutes[0].sensing = Sensing::Counted;
    hub.chutes[0].capacity = Capacity::Length(Mm(2_000));
    for room in [RoomPolicy::Attempt, RoomPolicy::Reserve] {
        let mut plan = plan_spec();
        plan.room = room;
        plan.host = Some(Micros::from_millis(900));
        let mut hand = Hand::new(hub.clone(), plan);
        let signals = a_day();
        let before = calls();
        for (now, signal) in &signals {
            hand.now = *now;
            hand.outbox.clear();
            hand.sorter.handle(*now, signal, &mut hand.outbox);
        }
        assert_eq!(calls() - before, 0, "with {room:?}");
        let books = hand.sorter.books();
        assert!(
            books.sorted > 200 && books.rejected > 50 && books.lost > 20,
            "{books:?}"
        );
        let host = (books.host_answered, books.host_late);
        assert!(host.0 > 20 && host.1 > 20 && books.keyed > 20, "{books:?}");
    }
}

fn a_day() -> Vec<(Micros, Signal)> {
    let mut signals = Vec::new();
    for n in 0..1_000_u32 {
        let mm = i64::from(n) * 600;
        let now = Micros(mm as u64 * 1_000);
        let seen = (CellId(n % 20), PlcItem(n + 1), BeltMm(mm));
        brought(n, seen, &mut |signal| signals.push((now, signal)));
        wanted(n, &mut |signal| signals.push((now, signal)));
        left(n, seen, &mut |signal| signals.push((now, signal)));
    }
    signals
}

/// A parcel gets on and is read, sometimes with the eye or the telegram missing.
fn brought(n: u32, (cell, item, at): (CellId, PlcItem, BeltMm), tell: &mut impl FnMut(Signal)) {
    let (track, scanner, induction) = (LOOP, ScannerId(0), InductionId(0));
    let trigger = n as u16;
    tell(Signal::Belt {
        track,
        at,
        speed: MmPerS(1_000),
    });
    tell(Signal::Inducted {
        induction,
        cell,
        item,
        at,
        length: Mm(400),
        spans: 1 + u8::from(n.is_multiple_of(13)),
        returned: false,
    });
    if !n.is_multiple_of(7) {
        tell(Signal::AtScanner {
            scanner,
            cell,
            item,
            trigger,
            at,
        });
    }
    let facts = if n.is_multiple_of(5) {
        Facts::default()
    } else {
        good(u64::from(n) + 1, n % 4)
    };
    if !n.is_multiple_of(11) {
        tell(Signal::Scanned {
            scanner,
            key: ScanKey::Trigger(trigger),
            facts,
        });
    }
}

/// People and the host say something of it, or of one that comes later.
fn wanted(n: u32, tell: &mut impl FnMut(Signal)) {
    let code = CodeId(u64::from(n) + 1);
    let parcel = ParcelId::new(5, u64::from(n) + 1);
    let seat = SeatId(n as u16 % 3);
    let facts = good(u64::from(n) + 5_000, 0);
    let of_waybill = |to| Command::Waybill { code, to };
    let of_parcel = |to| Command::Parcel { parcel, to };
    let commands = match n % 13 {
        0 => [
            of_waybill(WaybillWish::Hold),
            of_waybill(WaybillWish::Release),
        ],
        1 => [
            of_waybill(WaybillWish::Verdict(Verdict::Suspect)),
            of_parcel(ParcelWish::Damaged),
        ],
        10 => [
            of_waybill(WaybillWish::Intercept {
                to: DestKey::of("c"),
            }),
            of_waybill(WaybillWish::CancelIntercept),
        ],
        2..=5 => [
            of_parcel(ParcelWish::Take { seat }),
            of_parcel(ParcelWish::Key { seat, facts }),
        ],
        6..=9 => [
            of_parcel(ParcelWish::Host(HostSays::To(DestKey::of("b")))),
            of_parcel(ParcelWish::Force { chute: ChuteId(1) }),
        ],
        _ => return,
    };
    for command in commands {
        let ticket = Ticket(n);
        tell(Signal::Command { ticket, command });
    }
}

/// It leaves, or is refused, or is never heard of again; now and then the PLC restarts.
fn left(n: u32, (cell, item, at): (CellId, PlcItem, BeltMm), tell: &mut impl FnMut(Signal)) {
    let track = LOOP;
    if n.is_multiple_of(3) {
        let (chute, cause) = (ChuteId(0), Refusal::Full);
        tell(Signal::NotDischarged {
            chute,
            cell,
            item,
            at,
            cause,
        });
        tell(Signal::LapPassed { cell, item, at });
    }
    match n % 10 {
        0 | 9 => {}
        1 => tell(Signal::Discharged {
            chute: ChuteId(3),
            cell,
            item,
            at,
        }),
        _ => tell(Signal::Discharged {
            chute: ChuteId((n % 4) as u16),
            cell,
            item,
            at,
        }),
    }
    let (chute, state) = (ChuteId(0), ChuteState::OPEN);
    tell(Signal::Chute {
        chute,
        state,
        taken: n as u16,
    });
    let to = match n % 50 {
        10 => Some(TrackWish::Purge),
        20 => Some(TrackWish::Mode(Mode::Maintenance)),
        30 => Some(TrackWish::Mode(Mode::Automatic)),
        31 => Some(TrackWish::Start),
        _ => None,
    };
    if let Some(to) = to.filter(|_| n % 500 < 50) {
        let command = Command::Track { track, to };
        let ticket = Ticket(n);
        tell(Signal::Command { ticket, command });
        tell(Signal::Tick);
    }
    if n % 70 == 69 {
        tell(Signal::CarrierNotEmpty { cell, item, at });
        tell(Signal::CarrierDisabled { cell });
    }
    if n % 200 == 199 {
        tell(Signal::Link {
            track,
            to: LinkState::Reset,
        });
        tell(Signal::Unexpected { cell, item, at });
        tell(Signal::InventoryEnd { track, at });
        tell(Signal::Tick);
    }
}

#[test]
fn identifying_codes_allocates_nothing() {
    let alone = r"00(?<identity>(?<over>\d{17})(?<check>\d))";
    let behind = r"(?<postcode>\d{5})00(?<identity>(?<over>\d{17})(?<check>\d))";
    let mut sscc = FormatSpec::new("sscc", "GS1", &[alone, behind]);
    sscc.check = Some(CheckSpec::Gs1Mod10);
    sscc.separators = "-".into();
    let formats = Formats::new(FormatsSpec {
        formats: vec![sscc],
    });
    let formats = formats.expect("the table has no faults");
    let codes = [
        "(00)095287654321012346",
        "]C112345-00376130321109103420",
        "00376130321109103421",
        "something else",
    ];
    let before = calls();
    for code in codes {
        std::hint::black_box(formats.identify(code).identity());
    }
    let label = std::hint::black_box(formats.label(codes));
    assert_eq!(calls() - before, 0);
    assert!(matches!(label, Label::Several { .. }), "{label:?}");
}

/// Two plans that have `a` and `c` in each other's chutes, by shares in the second, switched to and
/// fro while thousands ride, more get on and some leave.
#[test]
fn switching_plans_allocates_and_frees_nothing() {
    let mut hub = loop_spec();
    hub.tracks[0].kind = TrackKind::Loop {
        carriers: 4_000,
        pitch: Mm(600),
    };
    for (nth, chute) in hub.chutes.iter_mut().enumerate() {
        chute.outlets[0].at = Mm(2_390_000 + nth as u32 * 1_000);
    }
    let mut next = plan_spec();
    next.version = 8;
    next.destinations[0].chutes = vec![ChuteId(2), ChuteId(1)];
    next.destinations[0].spread = Spread::Shares(vec![2, 1]);
    next.destinations[2].chutes = vec![ChuteId(0)];
    next.destinations[2].overflow.clear();
    let mut hand = Hand::new(hub, plan_spec());
    let next = Plan::new(next, hand.sorter.hub()).expect("it is sound");
    hand.sorter
        .stage(Arc::new(next))
        .expect("there is room for it");
    for n in 0..3_500 {
        hand.brought(n, 100 + n, n % 3);
        hand.belt(i64::from(n + 1) * 600);
    }
    let mut decided = 0;
    let mut handle = |hand: &mut Hand, signal: &Signal| {
        hand.outbox.clear();
        let before = calls();
        hand.sorter.handle(hand.now, signal, &mut hand.outbox);
        assert_eq!(calls() - before, 0, "{signal:?}");
        let orders = hand.outbox.outputs().iter();
        decided += orders
            .filter(|output| matches!(output, Output::Divert(_)))
            .count();
    };
    for (nth, version) in [8, 7].into_iter().enumerate() {
        let (ticket, command) = (Ticket(1), Command::Activate { version });
        handle(&mut hand, &Signal::Command { ticket, command });
        assert_eq!(hand.sorter.plan().version(), version);
        // Numbers between those that purge the track or restart its PLC.
        let (mut n, mut mm) = (3_610 + nth as u32 * 80, 2_100_000 + nth as i64 * 60_000);
        while hand.sorter.former_plan().is_some() {
            (n, mm) = (n + 1, mm + 600);
            hand.now = hand.now.max(Micros(mm as u64 * 1_000));
            let seen = (CellId(n), PlcItem(100 + n), BeltMm(mm));
            brought(n, seen, &mut |signal| handle(&mut hand, &signal));
            left(n, seen, &mut |signal| handle(&mut hand, &signal));
        }
    }
    assert!(decided > 2 * 2 * 3_500 / 3, "{decided} orders");
}
