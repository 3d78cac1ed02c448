//! The sorter's laws, held against streams of signals that make no sense as well as sense.

mod common;

use std::sync::Arc;

use common::*;
use proptest::prelude::*;
use sorthub_core::facts::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::*;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::*;
use sorthub_core::sorter::{Ask, Sorter, Waiting};
use sorthub_core::units::*;

// Cells and items come from small ranges, so that signals often mean the same item, and often not.

fn any_cell() -> impl Strategy<Value = CellId> {
    (0..16_u32).prop_map(CellId)
}

fn any_item() -> impl Strategy<Value = PlcItem> {
    (1..6_u32).prop_map(PlcItem)
}

fn any_chute() -> impl Strategy<Value = ChuteId> {
    (0..4_u16).prop_map(ChuteId)
}

fn any_at() -> impl Strategy<Value = BeltMm> {
    (0..60_000_i64).prop_map(BeltMm)
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let read = (0..4_u8, 0..4_u64, 0..4_u32).prop_map(|(read, code, dest)| match read {
        0 => Facts::default(),
        1 => Facts {
            read: [Reading::Conflict, Reading::Invalid, Reading::Several][code as usize % 3],
            ..Facts::default()
        },
        2 if dest == 3 => Facts::advised(CodeId(code + 1), DestKey::NONE),
        _ => good(code + 1, dest),
    });
    (read, 0..20_u32, 0..12_usize).prop_map(|(facts, weight, verdict)| Facts {
        measured: Measures {
            weight: Grams(weight * 100),
            ..Measures::default()
        },
        verdict: VERDICTS.get(verdict).copied().unwrap_or_default(),
        ..facts
    })
}

fn any_chute_told() -> impl Strategy<Value = Signal> {
    (any_chute(), 0..6_u8, 0..4_u16).prop_map(|(chute, bits, taken)| {
        let state = ChuteState {
            full: bits == 1,
            jammed: bits == 2,
            locked: bits == 3,
            lock_applied: bits == 5,
            enabled: bits != 4,
            half: false,
        };
        Signal::Chute {
            chute,
            state,
            taken,
        }
    })
}

fn any_scan() -> impl Strategy<Value = Signal> {
    let key = prop_oneof![
        (0..4_u16).prop_map(ScanKey::Trigger),
        any_cell().prop_map(ScanKey::Carrier),
        any_at().prop_map(ScanKey::Encoder),
        Just(ScanKey::Arrival),
    ];
    let scanner = ScannerId(0);
    (key, any_facts()).prop_map(move |(key, facts)| Signal::Scanned {
        scanner,
        key,
        facts,
    })
}

fn any_track_signal() -> impl Strategy<Value = Signal> {
    let track = LOOP;
    let link = prop_oneof![
        Just(LinkState::Up),
        Just(LinkState::Lost),
        Just(LinkState::Reset)
    ];
    prop_oneof![
        2 => Just(Signal::Tick),
        6 => (any_at(), 0..3_u32).prop_map(move |(at, v)| Signal::Belt {
            track, at, speed: MmPerS(v * 500),
        }),
        1 => link.prop_map(move |to| Signal::Link { track, to }),
        1 => any_at().prop_map(move |at| Signal::InventoryEnd { track, at }),
    ]
}

fn any_answer() -> impl Strategy<Value = OrderAnswer> {
    prop_oneof![
        Just(OrderAnswer::Accepted),
        Just(OrderAnswer::NoSuchItem),
        Just(OrderAnswer::Late),
        Just(OrderAnswer::BadChute),
        Just(OrderAnswer::Expired),
        Just(OrderAnswer::WrongEpoch),
    ]
}

fn any_item_signal() -> impl Strategy<Value = Signal> {
    let place = || (any_cell(), any_item(), any_at());
    let cause = prop_oneof![
        Just(Refusal::Full),
        Just(Refusal::Late),
        Just(Refusal::Failed)
    ];
    prop_oneof![
        6 => (place(), any::<bool>(), 0..4_u8).prop_map(|((cell, item, at), returned, spans)| {
            let induction = InductionId(0);
            Signal::Inducted { induction, cell, item, at, length: Mm(400), spans, returned }
        }),
        5 => (place(), 0..4_u16).prop_map(|((cell, item, at), trigger)| {
            Signal::AtScanner { scanner: ScannerId(0), cell, item, trigger, at }
        }),
        4 => (any_chute(), place()).prop_map(|(chute, (cell, item, at))| {
            Signal::Discharged { chute, cell, item, at }
        }),
        4 => (any_chute(), place(), cause).prop_map(|(chute, (cell, item, at), cause)| {
            Signal::NotDischarged { chute, cell, item, at, cause }
        }),
        3 => place().prop_map(|(cell, item, at)| Signal::LapPassed { cell, item, at }),
        2 => place().prop_map(|(cell, item, at)| Signal::Returning { cell, item, at }),
        1 => place().prop_map(|(cell, item, at)| Signal::Missing { cell, item, at }),
        2 => place().prop_map(|(cell, item, at)| Signal::Unexpected { cell, item, at }),
        1 => place().prop_map(|(cell, item, _)| Signal::RemovedByHand { cell, item }),
        2 => (place(), 0..4_u16, any_answer()).prop_map(|((cell, item, _), revision, answer)| {
            Signal::OrderAnswered { cell, item, revision, answer }
        }),
        1 => place().prop_map(|(cell, item, at)| Signal::Inventory { cell, item, at }),
        1 => place().prop_map(|(cell, item, at)| Signal::CarrierNotEmpty { cell, item, at }),
        1 => any_cell().prop_map(|cell| Signal::CarrierDisabled { cell }),
    ]
}

fn any_waybill_wish() -> impl Strategy<Value = WaybillWish> {
    let to = (0..3_usize).prop_map(|at| DestKey::of(["a", "c", "nowhere"][at]));
    prop_oneof![
        Just(WaybillWish::Hold),
        to.prop_map(|to| WaybillWish::Intercept { to }),
        Just(WaybillWish::Release),
        Just(WaybillWish::CancelIntercept),
        (0..3_usize).prop_map(|at| WaybillWish::Verdict(VERDICTS[at])),
    ]
}

const VERDICTS: [Verdict; 3] = [Verdict::None, Verdict::Clear, Verdict::Suspect];

fn any_parcel_wish() -> impl Strategy<Value = ParcelWish> {
    let seat = || (0..2_u16).prop_map(SeatId);
    let says = prop_oneof![
        2 => Just(HostSays::To(DestKey::of("b"))),
        1 => Just(HostSays::To(DestKey::of("nowhere"))),
        1 => Just(HostSays::Hold),
        1 => Just(HostSays::Unknown),
    ];
    prop_oneof![
        2 => seat().prop_map(|seat| ParcelWish::Take { seat }),
        1 => seat().prop_map(|seat| ParcelWish::GiveBack { seat }),
        2 => (seat(), any_facts()).prop_map(|(seat, facts)| ParcelWish::Key { seat, facts }),
        1 => Just(ParcelWish::Damaged),
        2 => (0..5_u16).prop_map(|chute| ParcelWish::Force { chute: ChuteId(chute) }),
        1 => Just(ParcelWish::Removed),
        3 => says.prop_map(ParcelWish::Host),
    ]
}

fn any_command() -> impl Strategy<Value = Signal> {
    let mode = prop_oneof![
        3 => Just(Mode::Automatic),
        1 => Just(Mode::Manual),
        1 => Just(Mode::Maintenance),
        1 => Just(Mode::Emptying),
    ];
    let track = prop_oneof![
        3 => mode.prop_map(TrackWish::Mode),
        3 => Just(TrackWish::Start),
        1 => Just(TrackWish::Drain),
        1 => Just(TrackWish::Purge),
        1 => Just(TrackWish::Close),
        1 => Just(TrackWish::Open),
    ];
    let induction = prop_oneof![
        Just(InductionWish::Run),
        Just(InductionWish::Stop),
        (0..3_u16).prop_map(|hundreds| InductionWish::Limit(hundreds * 100)),
    ];
    let command = prop_oneof![
        3 => (0..2_u16, track).prop_map(|(track, to)| Command::Track { track: TrackId(track), to }),
        2 => (0..2_u16, induction).prop_map(|(induction, to)| Command::Induction {
            induction: InductionId(induction), to,
        }),
        2 => (0..25_u32, any::<bool>()).prop_map(|(cell, enabled)| Command::Carrier {
            cell: CellId(cell), enabled,
        }),
        5 => (0..5_u64, any_waybill_wish()).prop_map(|(code, to)| {
            Command::Waybill { code: CodeId(code), to }
        }),
        10 => (1..12_u64, any_parcel_wish()).prop_map(|(count, to)| {
            Command::Parcel { parcel: ParcelId::new(5, count), to }
        }),
    ];
    (any::<u32>(), command).prop_map(|(ticket, command)| Signal::Command {
        ticket: Ticket(ticket),
        command,
    })
}

fn any_signal() -> impl Strategy<Value = Signal> {
    prop_oneof![
        10 => any_track_signal(),
        31 => any_item_signal(),
        5 => any_scan(),
        2 => any_chute_told(),
        10 => any_command(),
    ]
}

fn any_run() -> impl Strategy<Value = Vec<(u64, Signal)>> {
    prop::collection::vec((0..400_000_u64, any_signal()), 1..250)
}

/// A plan that asks the host, weighs, and has a rule for each stage.
fn asking_plan() -> PlanSpec {
    let rule = |stage, grams, then| AttributeRule {
        stage,
        when: vec![Condition::Heavier(Grams(grams))],
        then,
    };
    PlanSpec {
        host: Some(Micros(300_000)),
        checks: Checks {
            weight_most: Grams(1_800),
            ..Checks::default()
        },
        rules: vec![
            rule(Stage::First, 1_500, Then::To(DestId(1))),
            rule(Stage::Last, 1_000, Then::To(DestId(2))),
        ],
        exceptions: vec![(Reason::HostLate, vec![ChuteId(2)])],
        ..plan_spec()
    }
}

fn any_sorter() -> impl Strategy<Value = fn() -> Sorter> {
    let on_loop: fn() -> Sorter = || {
        let mut hub = loop_spec();
        hub.tracks[0].caps = sorthub_core::hub::Caps {
            slow_permille: Some(200),
            stop_permille: Some(400),
        };
        sorter(hub, plan_spec())
    };
    let reserving: fn() -> Sorter = || {
        let mut hub = loop_spec();
        hub.chutes[0].sensing = sorthub_core::hub::Sensing::Counted;
        hub.chutes[1].capacity = sorthub_core::hub::Capacity::Length(Mm(1_000));
        let mut plan = plan_spec();
        plan.room = RoomPolicy::Reserve;
        sorter(hub, plan)
    };
    let line: fn() -> Sorter = || sorter(line_spec(None), plan_spec());
    let returning: fn() -> Sorter = || {
        let mut plan = plan_spec();
        plan.room = RoomPolicy::Reserve;
        sorter(line_spec(Some(2_000)), plan)
    };
    let asking: fn() -> Sorter = || sorter(loop_spec(), asking_plan());
    let asking_line: fn() -> Sorter = || sorter(line_spec(None), asking_plan());
    prop_oneof![
        Just(on_loop),
        Just(reserving),
        Just(line),
        Just(returning),
        Just(asking),
        Just(asking_line),
    ]
}

/// Hands one call to a sorter and returns what it said.
fn call(sorter: &mut Sorter, now: Micros, signal: &Signal) -> Vec<Output> {
    let mut outbox = Outbox::new();
    sorter.handle(now, signal, &mut outbox);
    outbox.outputs().to_vec()
}

/// What is counted as it comes and goes is what is there; and of everything it can be said what it
/// waits for.
fn check_cells(sorter: &Sorter) {
    let view = sorter.track(LOOP);
    let lain_on: u32 = sorter.items().map(|item| u32::from(item.spans)).sum();
    assert!(
        view.occupied >= lain_on,
        "{view:?}, but {lain_on} are lain on"
    );
    let cells = sorter.hub().cells();
    let disabled = (0..cells).filter(|cell| sorter.carrier_disabled(CellId(*cell)).is_some());
    assert_eq!(view.disabled, disabled.count() as u32);
    let of_cells = (0..cells).map(|cell| sorter.why(Ask::Cell(CellId(cell))));
    let carrying = of_cells.filter(|waiting| matches!(waiting, Waiting::Carries { .. }));
    assert_eq!(carrying.count() as u32, lain_on);
    for item in sorter.items().filter(|item| item.parcel.counter() != 0) {
        assert_ne!(sorter.why(Ask::Parcel(item.parcel)), Waiting::NotHere);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_book_balances_and_every_parcel_ends_once(make in any_sorter(), run in any_run()) {
        let mut sorter = make();
        let mut now = Micros(0);
        let mut known = std::collections::BTreeSet::new();
        let mut over = std::collections::BTreeSet::new();
        let mut unread = Vec::new();
        for (wait, signal) in run {
            now = now.after(Micros(wait));
            for output in call(&mut sorter, now, &signal) {
                match output {
                    Output::Known { parcel, .. } => { known.insert(parcel); }
                    Output::Ended { parcel, how, chute, .. } => {
                        prop_assert!(known.contains(&parcel), "{parcel} ended unannounced");
                        prop_assert!(over.insert(parcel), "{parcel} ended twice");
                        let left = matches!(how, Disposition::Sorted | Disposition::Rejected);
                        prop_assert_eq!(left, chute.is_some());
                    }
                    Output::Divert(order) => {
                        prop_assert!(known.contains(&order.parcel));
                        prop_assert!(!over.contains(&order.parcel), "ordered after its end");
                        prop_assert!(order.chutes[0].is_some());
                        prop_assert!(order.revision != 0);
                    }
                    _ => {}
                }
            }
            let mut riding = std::collections::BTreeSet::new();
            for item in sorter.items().filter(|item| item.parcel.counter() > 0) {
                riding.insert(item.parcel);
                let grounds = sorter.grounds(item.parcel).expect("a parcel is found by its id");
                if item.code != CodeId::NONE {
                    prop_assert_eq!(grounds.facts.code, item.code);
                }
            }
            sorter.unread(&mut unread);
            prop_assert!(unread.is_sorted_by_key(|one| one.left_mm));
            for one in unread.iter().filter(|one| !riding.contains(&one.parcel)) {
                prop_assert!(known.contains(&one.parcel) && !over.contains(&one.parcel));
            }
            let books = sorter.books();
            prop_assert!(books.balance());
            prop_assert_eq!(books.inducted, known.len() as u64);
            check_cells(&sorter);
            prop_assert_eq!(books.on_sorter, (known.len() - over.len()) as u64);
        }
    }

    #[test]
    fn a_tick_before_a_signal_changes_nothing(make in any_sorter(), run in any_run()) {
        let (mut with, mut without) = (make(), make());
        let mut now = Micros(0);
        for (wait, signal) in run {
            now = now.after(Micros(wait));
            let mut said = call(&mut with, now, &Signal::Tick);
            said.extend(call(&mut with, now, &signal));
            prop_assert_eq!(said, call(&mut without, now, &signal));
        }
        prop_assert_eq!(with.digest(), without.digest());
        prop_assert_eq!(with.output_hash(), without.output_hash());
    }

    #[test]
    fn a_restored_sorter_has_the_same_future(
        make in any_sorter(), run in any_run(), cut in 0..250_usize,
    ) {
        let mut sorter = make();
        let mut now = Micros(0);
        let cut = cut.min(run.len());
        for (wait, signal) in &run[..cut] {
            now = now.after(Micros(*wait));
            call(&mut sorter, now, signal);
        }
        let hub = Arc::clone(sorter.hub());
        let plans: Vec<_> = sorter.plans().cloned().collect();
        let mut other = Sorter::restore(hub, &plans, &sorter.snapshot()).expect("its own snapshot");
        prop_assert_eq!(sorter.digest(), other.digest());
        prop_assert_eq!(sorter.next_timeout(), other.next_timeout());
        for (wait, signal) in &run[cut..] {
            now = now.after(Micros(*wait));
            prop_assert_eq!(call(&mut sorter, now, signal), call(&mut other, now, signal));
        }
        prop_assert_eq!(sorter.digest(), other.digest());
    }

    #[test]
    fn no_bytes_make_restore_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let sorter = sorter(loop_spec(), plan_spec());
        let (hub, plan) = (Arc::clone(sorter.hub()), Arc::clone(sorter.plan()));
        prop_assert!(Sorter::restore(hub, &[plan], &bytes).is_err());
    }
}

#[test]
fn a_snapshot_of_another_plan_is_refused() {
    let sorter = sorter(loop_spec(), plan_spec());
    let mut plan = plan_spec();
    plan.version += 1;
    let other = common::sorter(loop_spec(), plan);
    let (hub, plan) = (Arc::clone(other.hub()), Arc::clone(other.plan()));
    let refused = Sorter::restore(hub, &[plan], &sorter.snapshot()).expect_err("another plan");
    let version = sorter.plan().version();
    assert_eq!(
        refused,
        sorthub_core::sorter::RestoreError::NoSuchPlan { version }
    );
}
