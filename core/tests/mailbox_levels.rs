//! Levels, wishes and inventories: never against the order of the events, and whole or not at all.

mod mailbox_support;

use mailbox_support::pair::{Pair, config, item_event};
use mailbox_support::plant::closed;
use mailbox_support::{CELLS, CHUTES, Fault, World};
use sorthub_core::plc::{
    Area, CellBits, ChuteBits, ChuteCause, ChuteLevel, ChuteWish, Command, Delivery, EngineConfig,
    Event, EventKind, InductionBits, InductionLevel, InductionWish, InventoryCell, InventoryEnd,
    InventoryHeader, Link, Pace, StopCause, map,
};

fn nothing() -> Event {
    Event::of(EventKind::LapPassed)
}

fn chutes_told(pair: &Pair) -> Vec<(u16, ChuteLevel)> {
    let chute = |delivery: &Delivery| match delivery {
        Delivery::Chute(chute, level) => Some((*chute, *level)),
        _ => None,
    };
    pair.told.iter().filter_map(chute).collect()
}

#[test]
fn every_level_is_told_after_the_grant_and_then_only_what_differs() {
    let mut pair = Pair::fresh();
    let stopped = InductionLevel {
        bits: InductionBits::ENABLED,
        rate_per_h: 900,
        count: 17,
        cause: StopCause::LocalStop,
    };
    pair.plc.set_induction(2, stopped, nothing()).expect("room");
    pair.run(1_000);
    let numbers: Vec<_> = chutes_told(&pair).iter().map(|(chute, _)| *chute).collect();
    assert_eq!(numbers, Vec::from_iter(1..=CHUTES));
    assert!(pair.told.contains(&Delivery::Induction(2, stopped)));
    pair.told.clear();
    // A drop has its own event; the counter is seen by the slow check.
    pair.plc
        .set_chute(
            28,
            ChuteLevel {
                drops: 3,
                ..closed()
            },
            nothing(),
        )
        .expect("room");
    pair.run(6_000);
    assert_eq!(
        chutes_told(&pair),
        [(
            28,
            ChuteLevel {
                drops: 3,
                ..closed()
            }
        )]
    );
}

#[test]
fn a_change_comes_as_an_event_and_not_again_as_a_level() {
    let mut pair = Pair::up(config());
    let full = ChuteLevel {
        bits: ChuteBits::ENABLED.and(ChuteBits::FULL),
        cause: ChuteCause::Full,
        ..closed()
    };
    pair.plc.set_chute(5, full, nothing()).expect("room");
    pair.run(12_000);
    let ChuteLevel {
        bits, taken, cause, ..
    } = full;
    let change = EventKind::ChuteState { bits, taken, cause };
    let told = |d: &&Delivery| matches!(d, Delivery::Event(_, e) if e.kind == change);
    assert_eq!(pair.told.iter().filter(told).count(), 1);
    assert_eq!(chutes_told(&pair), []);
}

#[test]
fn a_change_whose_event_was_lost_is_found_by_the_change_counter() {
    let mut pair = Pair::up(EngineConfig {
        sweep_ms: 1_000_000,
        ..config()
    });
    while pair.plc.push_event(item_event(1)).is_ok() {}
    let jam = ChuteLevel {
        bits: ChuteBits::JAM,
        cause: ChuteCause::Jam,
        ..closed()
    };
    pair.plc.set_chute(29, jam, nothing()).expect_err("no room");
    pair.run(2_000);
    assert_eq!(chutes_told(&pair), [(29, jam)]);
}

#[test]
fn levels_never_run_ahead_of_the_events() {
    for seed in 0..40 {
        for fc23 in [false, true] {
            let mut world = World::new(seed, fc23);
            world.plant.event_every = 1;
            world.node(0).levels_only_forward = true;
            world.node(0).disk_ms_max = 5;
            world.run(2_000);
            world.strike(Fault::LoseReply);
            world.run(500);
            world.settle(5_000);
            world.run(1_500);
            let told = world.node(0).chutes.clone();
            assert_eq!(
                told, world.plant.chutes,
                "seed {seed}: what is told is what is"
            );
        }
    }
}

#[test]
fn wishes_are_written_on_change_and_again_if_the_plc_forgets_them() {
    let mut pair = Pair::up(config());
    let lock = ChuteWish {
        lock: true,
        lamp: 3,
        reason: 9,
    };
    assert!(pair.engine.set_chute(30, lock));
    assert!(!pair.engine.set_chute(31, lock) && !pair.engine.set_chute(0, lock));
    let slow = InductionWish {
        pace: Pace::Slow,
        rate_max_per_h: 600,
    };
    assert!(pair.engine.set_induction(2, slow));
    assert!(!pair.engine.set_induction(3, slow) && !pair.engine.set_induction(0, slow));
    pair.run(30);
    assert_eq!(pair.plc.chute_wish(30), lock);
    assert_eq!(pair.plc.induction_wish(2), slow);
    assert_eq!(pair.plc.chute_wish(31), ChuteWish::default());
    pair.plc
        .write(Area::A.chute_wish_base(), &[0; 30])
        .expect("writable");
    pair.run(1_100);
    assert_eq!(pair.plc.chute_wish(30), lock);
}

fn cells(items: &[(u16, u32)]) -> Vec<InventoryCell> {
    let bits = CellBits::OCCUPIED.and(CellBits::ORDERED);
    let cell = |(cell, item): &(u16, u32)| InventoryCell {
        cell: *cell,
        item: *item,
        chute: 4,
        bits,
        lap: 2,
    };
    items.iter().map(cell).collect()
}

fn index_of(pair: &Pair, wanted: impl Fn(&Delivery) -> bool) -> usize {
    pair.told.iter().position(wanted).expect("told")
}

#[test]
fn an_inventory_stands_between_the_events_before_and_after_it() {
    let mut pair = Pair::up(config());
    let mut expected = cells(&[(1, 11), (33, 12), (CELLS, 13)]);
    let disabled = InventoryCell {
        cell: 40,
        item: 0,
        chute: 0,
        bits: CellBits::DISABLED,
        lap: 0,
    };
    expected.insert(2, disabled);
    pair.plc.push_event(item_event(1)).expect("room");
    pair.plc
        .latch_inventory(expected.clone(), nothing())
        .expect("room");
    pair.plc.push_event(item_event(2)).expect("room");
    pair.run(300);
    let before = index_of(&pair, |d| matches!(d, Delivery::Event(_, e) if e.item == 1));
    assert!(matches!(
        pair.told[before + 1],
        Delivery::Event(
            _,
            Event {
                kind: EventKind::InventoryLatched { occupied: 3, .. },
                ..
            }
        )
    ));
    let told: Vec<_> = pair.told[before + 2..before + 6].to_vec();
    assert_eq!(
        told,
        expected
            .into_iter()
            .map(Delivery::Inventory)
            .collect::<Vec<_>>()
    );
    assert_eq!(
        pair.told[before + 6],
        Delivery::InventoryEnd(InventoryEnd::Complete)
    );
    let after = index_of(&pair, |d| matches!(d, Delivery::Event(_, e) if e.item == 2));
    assert_eq!(after, before + 7);
}

#[test]
fn an_inventory_replaced_while_it_is_read_is_not_told_in_part() {
    let mut pair = Pair::up(config());
    pair.plc
        .latch_inventory(cells(&[(1, 11)]), nothing())
        .expect("room");
    let mut replaced = false;
    for _ in 0..400 {
        pair.run(1);
        let exchange = pair.engine.next_exchange(pair.now);
        let Some(exchange) = exchange else { continue };
        let is_cells = exchange
            .read
            .is_some_and(|read| read.address > map::CELLS_BASE);
        if is_cells && !replaced {
            replaced = true;
            pair.plc
                .latch_inventory(cells(&[(2, 22)]), nothing())
                .expect("room");
        }
        pair.carry_out(&exchange);
    }
    assert!(replaced);
    let ends: Vec<_> = pair
        .told
        .iter()
        .filter(|d| matches!(d, Delivery::Inventory(_) | Delivery::InventoryEnd(_)))
        .collect();
    let [first, cell, last] = ends[..] else {
        panic!("{ends:?}")
    };
    assert_eq!(*first, Delivery::InventoryEnd(InventoryEnd::Superseded));
    assert!(matches!(
        cell,
        Delivery::Inventory(InventoryCell { item: 22, .. })
    ));
    assert_eq!(*last, Delivery::InventoryEnd(InventoryEnd::Complete));
}

#[test]
fn an_inventory_that_does_not_add_up_is_not_adopted() {
    let mut pair = Pair::up(config());
    pair.tamper = Some(Box::new(|read, registers| {
        if read.address == map::CELLS_BASE {
            registers[3] = 0;
        }
    }));
    pair.plc
        .latch_inventory(cells(&[(1, 11), (2, 12)]), nothing())
        .expect("room");
    pair.run(300);
    let end = InventoryEnd::Miscounted {
        read: 1,
        counted: 2,
    };
    assert!(pair.told.contains(&Delivery::InventoryEnd(end)));
    assert!(
        !pair
            .told
            .iter()
            .any(|d| matches!(d, Delivery::Inventory(_)))
    );
}

#[test]
fn an_inventory_of_another_life_is_not_taken_for_this_one() {
    let mut pair = Pair::up(config());
    pair.plc
        .latch_inventory(cells(&[(1, 11)]), nothing())
        .expect("room");
    let mut pages = 0;
    pair.tamper = Some(Box::new(move |read, registers| {
        if read.address == map::INVENTORY_BASE {
            let whole = registers.first_chunk().and_then(InventoryHeader::decode);
            let theirs = InventoryHeader {
                boot: 2,
                ..whole.expect("a header")
            };
            pages += 1;
            if pages < 20 {
                registers.copy_from_slice(&theirs.encode());
            }
        }
    }));
    pair.run(100);
    let any = |d: &Delivery| matches!(d, Delivery::Inventory(_) | Delivery::InventoryEnd(_));
    assert!(!pair.told.iter().any(any));
    pair.run(1_000);
    assert!(
        pair.told
            .contains(&Delivery::InventoryEnd(InventoryEnd::Complete))
    );
}

#[test]
fn an_inventory_that_never_shows_does_not_hold_the_events_for_ever() {
    let mut pair = Pair::up(config());
    pair.tamper = Some(Box::new(|read, registers| {
        if read.address == map::INVENTORY_BASE {
            registers.fill(0);
        }
    }));
    pair.plc
        .latch_inventory(cells(&[(1, 11)]), nothing())
        .expect("room");
    pair.plc.push_event(item_event(2)).expect("room");
    pair.run(500);
    assert_eq!(pair.items(), []);
    pair.run(5_000);
    assert!(
        pair.told
            .contains(&Delivery::InventoryEnd(InventoryEnd::Unreadable))
    );
    assert_eq!(pair.items(), [0, 2]);
}

#[test]
fn the_link_lives_while_a_long_inventory_is_read() {
    let big = EngineConfig {
        cells: 8_000,
        ..config()
    };
    let mut theirs = mailbox_support::pair::plc_config(1);
    theirs.info.cells = 8_000;
    let mut pair = Pair::new(big, sorthub_core::plc::PlcEnd::new(&theirs).expect("good"));
    pair.run(600);
    pair.plc
        .latch_inventory(cells(&[(7_999, 1)]), nothing())
        .expect("room");
    pair.engine.push(Command::Resync).expect("room");
    for _ in 0..3_000 {
        // A slow PLC: an exchange takes 7 ms.
        pair.now = pair.now.plus(6);
        pair.run(1);
        pair.scan();
    }
    assert!(
        pair.told
            .contains(&Delivery::InventoryEnd(InventoryEnd::Complete))
    );
    assert_eq!(pair.consumed.len(), 1);
    assert!(
        !pair
            .links()
            .iter()
            .any(|link| matches!(link, Link::Lost { .. }))
    );
}
