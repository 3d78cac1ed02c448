//! Events and commands on a link without faults: order, windows, what goes out when, and slots that
//! mean nothing.

mod mailbox_support;

use mailbox_support::pair::{Pair, assign, config, item_event, mark_of, plc_config};
use sorthub_core::plc::{
    Answer, Area, Command, Delivery, EngineConfig, Event, EventKind, Exception, Header, Link, Mark,
    PlcEnd, PushRefused, ReplyError, Seq, Slot, StatusInputs, check_under, map,
};

#[test]
fn a_command_leaves_at_once_even_when_a_poll_is_due() {
    let mut pair = Pair::up(config());
    pair.now = pair.now.plus(500);
    pair.engine.push(assign(3, 1)).expect("room");
    let exchange = pair.turn().expect("due");
    assert_eq!(exchange.read, None, "the poll would delay it");
    let write = exchange.write.expect("the command");
    assert_eq!((write.address, write.registers().len()), (400, 121));
    assert_eq!(pair.turn().expect("due").read.expect("the poll").count, 125);
}

#[test]
fn an_idle_poll_is_one_read_and_at_most_one_header() {
    let mut pair = Pair::up(EngineConfig {
        sweep_ms: 60_000,
        wishes_ms: 60_000,
        ..config()
    });
    pair.run(100);
    pair.exchanges = 0;
    pair.run(2_000);
    // 100 polls of 20 ms and 20 heartbeats of 100 ms.
    assert!(
        (100..=125).contains(&pair.exchanges),
        "{} exchanges",
        pair.exchanges
    );
}

#[test]
fn with_fc23_every_exchange_reads_and_writes_until_the_plc_refuses_it() {
    let mut pair = Pair::up(EngineConfig {
        fc23: true,
        ..config()
    });
    pair.engine.push(assign(3, 1)).expect("room");
    let exchange = pair.engine.next_exchange(pair.now).expect("due");
    assert!(exchange.read.is_some() && exchange.write.is_some());
    pair.engine.fc23_refused(pair.now);
    pair.run(100);
    assert_eq!(pair.consumed.len(), 1);
    for _ in 0..100 {
        pair.run(1);
        if let Some(exchange) = pair.engine.next_exchange(pair.now) {
            assert!(exchange.read.is_none() || exchange.write.is_none());
            pair.carry_out(&exchange);
        }
    }
}

#[test]
fn the_newest_order_of_a_cell_takes_the_place_of_an_unsent_one() {
    let mut pair = Pair::up(config());
    for (cell, revision) in [(1, 1), (2, 1), (1, 2), (1, 3)] {
        pair.engine.push(assign(cell, revision)).expect("room");
    }
    pair.engine
        .push(Command::CarrierEnable {
            cell: 1,
            enable: false,
        })
        .expect("room");
    pair.run(50);
    pair.engine.push(assign(1, 4)).expect("room");
    pair.run(50);
    let subjects: Vec<_> = pair.consumed.iter().map(|c| c.command.subject()).collect();
    assert_eq!(
        subjects,
        [(1_001, 1, 3), (1_002, 2, 1), (0, 1, 0), (1_001, 1, 4)]
    );
}

#[test]
fn the_queue_is_bounded_and_says_so() {
    let mut pair = Pair::fresh();
    assert_eq!(pair.engine.push(assign(1, 1)), Err(PushRefused::NotGranted));
    let mut pair = Pair::up(EngineConfig {
        waiting_max: 3,
        ..config()
    });
    for cell in 1..=3 {
        pair.engine.push(assign(cell, 1)).expect("room");
    }
    assert_eq!(pair.engine.push(assign(4, 1)), Err(PushRefused::Full));
    pair.engine
        .push(assign(3, 2))
        .expect("in the place of the older one");
    pair.run(50);
    pair.engine.push(assign(4, 1)).expect("room again");
}

#[test]
fn no_more_than_seven_commands_are_out_and_the_rest_follows() {
    let mut pair = Pair::up(config());
    pair.scans = false;
    for cell in 1..=30 {
        pair.engine.push(assign(cell, 1)).expect("room");
    }
    pair.run(200);
    pair.scan();
    assert_eq!(pair.consumed.len(), 7);
    pair.scans = true;
    pair.run(200);
    let cells: Vec<_> = pair
        .consumed
        .iter()
        .map(|c| c.command.subject().1)
        .collect();
    assert_eq!(cells, Vec::from_iter(1..=30));
}

#[test]
fn events_wait_for_their_acknowledgement_and_then_go_on() {
    let mut pair = Pair::up(config());
    pair.acknowledges = false;
    for item in 1..=20 {
        pair.plc.push_event(item_event(item)).expect("room");
    }
    pair.run(200);
    assert_eq!(pair.items(), Vec::from_iter(1..=7));
    assert!(!pair.has_status(), "more happened than was told");
    let marks: Vec<_> = pair.told.iter().filter_map(mark_of).collect();
    assert!(pair.engine.acknowledge(marks[2]));
    assert!(!pair.engine.acknowledge(marks[2]), "twice");
    pair.run(100);
    assert_eq!(pair.items(), Vec::from_iter(1..=10));
    let untold = Mark {
        boot: 1,
        seq: Seq::from_wire(15).expect("in the ring"),
    };
    assert!(!pair.engine.acknowledge(untold));
    let newest = pair
        .told
        .iter()
        .filter_map(mark_of)
        .next_back()
        .expect("told");
    assert!(pair.engine.acknowledge(newest));
    pair.acknowledges = true;
    pair.run(100);
    assert_eq!(pair.items(), Vec::from_iter(1..=20));
    assert!(pair.has_status());
}

#[test]
fn both_rings_go_round_their_end() {
    let mut pair = Pair::up(EngineConfig {
        poll_urgent_ms: 0,
        ..config()
    });
    let mut item = 0;
    for turn in 0..9_400_u32 {
        for cell in 1..=7 {
            item += 1;
            pair.plc.push_event(item_event(item)).expect("room");
            pair.engine.push(assign(cell, turn as u16)).expect("room");
        }
        pair.now = pair.now.plus(20);
        for _ in 0..4 {
            pair.scan();
            pair.turn();
        }
    }
    pair.run(200);
    assert!(item > 65_520, "past the end");
    assert_eq!(pair.items(), Vec::from_iter(1..=item));
    assert_eq!(pair.consumed.len(), item as usize);
    let again = pair
        .consumed
        .iter()
        .filter(|consumed| consumed.seq == Seq::FIRST)
        .count();
    assert_eq!(again, 2, "1 comes after 65520");
}

#[test]
fn a_status_is_told_only_when_everything_before_it_has_been() {
    let mut pair = Pair::up(config());
    pair.inputs = StatusInputs {
        encoder_mm: 777,
        ..StatusInputs::default()
    };
    for item in 1..=9 {
        pair.plc.push_event(item_event(item)).expect("room");
    }
    pair.run(200);
    let at = |wanted: &dyn Fn(&Delivery) -> bool| pair.told.iter().position(wanted);
    let ninth = at(&|d| matches!(d, Delivery::Event(_, event) if event.item == 9));
    let status = at(&|d| {
        matches!(
            d,
            Delivery::Status {
                encoder_mm: 777,
                ..
            }
        )
    });
    assert!(ninth.is_some() && ninth < status, "{ninth:?} {status:?}");
}

#[test]
fn an_event_outside_the_contract_is_handed_over_and_the_ring_goes_on() {
    let mut pair = Pair::up(config());
    pair.tamper = Some(Box::new(|read, registers| {
        if read.address == 0 {
            for slot in registers[13..].as_chunks_mut::<16>().0 {
                if slot[4..6] == [0, 2] {
                    slot[2] = 99;
                    slot[15] = map::check_of(&slot[..15]);
                }
            }
        }
    }));
    for item in 1..=3 {
        pair.plc.push_event(item_event(item)).expect("room");
    }
    pair.run(100);
    assert_eq!(pair.items(), [1, 3]);
    let odd = |d: &Delivery| matches!(d, Delivery::Unreadable(_, slot) if slot[2] == 99);
    assert_eq!(pair.told.iter().filter(|d| odd(d)).count(), 1);
}

#[test]
fn a_command_outside_the_contract_is_answered_and_the_ring_goes_on() {
    let mut pair = Pair::up(config());
    pair.scans = false;
    for cell in 1..=3 {
        pair.engine.push(assign(cell, 1)).expect("room");
    }
    pair.run(50);
    let address = Area::A.base() + 9 + 16;
    let mut slot: Slot = [0; 16];
    pair.plc.read(address, &mut slot).expect("a slot");
    slot[2] = 0x0909;
    slot[15] = check_under(1, &slot[..15]);
    pair.plc.write(address, &slot).expect("writable");
    pair.scan();
    pair.scans = true;
    pair.run(50);
    assert_eq!(pair.consumed.len(), 2);
    let answer = EventKind::CommandAnswered {
        seq: 2,
        revision: 0,
        answer: Answer::NotUnderstood,
    };
    assert!(
        pair.told
            .iter()
            .any(|d| matches!(d, Delivery::Event(_, e) if e.kind == answer))
    );
}

#[test]
fn commands_of_an_earlier_life_are_no_commands() {
    let mut pair = Pair::up(config());
    pair.scans = false;
    pair.engine.push(assign(1, 1)).expect("room");
    let exchange = pair.turn().expect("the command");
    let late = exchange.write.expect("the command");
    pair.plc.reboot(2);
    pair.scans = true;
    pair.run(500);
    // The old connection's write arrives only now, and of the next one only the header.
    pair.plc
        .write(late.address, late.registers())
        .expect("writable");
    pair.engine.push(assign(2, 1)).expect("room");
    let torn = pair
        .engine
        .next_exchange(pair.now)
        .and_then(|exchange| exchange.write);
    pair.plc
        .write(late.address, &torn.expect("the command").registers()[..9])
        .expect("writable");
    pair.scan();
    assert_eq!(pair.consumed, [], "the slot is of the first life");
    pair.engine.failed(pair.now);
    pair.engine.connected(pair.now);
    pair.run(100);
    assert_eq!(pair.consumed.len(), 1);
    assert_eq!(pair.consumed[0].command, assign(2, 1));
}

#[test]
fn cleared_command_slots_are_written_again() {
    let mut pair = Pair::up(config());
    pair.scans = false;
    pair.engine.push(assign(1, 1)).expect("room");
    pair.run(5);
    pair.plc.write(Area::A.base(), &[0; 121]).expect("writable");
    pair.scans = true;
    pair.run(150);
    assert_eq!(pair.consumed.len(), 1);
}

/// Another run of the engine, in the same area, on the same PLC.
fn next_run(last: Pair, resume: Option<Mark>) -> Pair {
    let now = last.now;
    let mut next = Pair::new(
        EngineConfig {
            epoch: 6,
            resume,
            ..config()
        },
        last.plc,
    );
    next.now = now;
    next.engine.connected(now);
    next
}

#[test]
fn events_on_disk_are_not_told_again_to_the_next_run() {
    let mut first = Pair::up(config());
    first.acknowledges = false;
    for item in 1..=5 {
        first.plc.push_event(item_event(item)).expect("room");
    }
    first.run(50);
    // Three are on disk, and the PLC never heard of it.
    let on_disk = first.told.iter().filter_map(mark_of).nth(2);
    let next = EngineConfig {
        epoch: 6,
        resume: on_disk,
        ..config()
    };
    let now = first.now;
    let mut second = Pair::new(next, first.plc);
    second.now = now;
    second.engine.connected(now);
    second.run(3_000);
    assert_eq!(second.items(), [4, 5]);
}

/// The next run takes over from one that acknowledged two of six events, and its first polls are
/// torn.
fn takes_over(torn_polls: u32, mut tear: impl FnMut(&mut [u16], &[u16]) + 'static) -> Vec<u32> {
    let mut first = Pair::up(config());
    first.acknowledges = false;
    for item in 1..=6 {
        first.plc.push_event(item_event(item)).expect("room");
    }
    first.run(50);
    let marks: Vec<_> = first.told.iter().filter_map(mark_of).collect();
    assert!(first.engine.acknowledge(marks[1]));
    first.run(50);
    let mut before = [0; map::POLL_REGS];
    first.plc.read(0, &mut before).expect("the poll block");
    let mut second = next_run(first, None);
    let mut polls = 0;
    second.tamper = Some(Box::new(move |read, registers| {
        let granted = read.address == 0 && registers[2] == 6;
        polls += u32::from(granted);
        if granted && polls <= torn_polls {
            tear(
                &mut registers[13 + 2 * 16..13 + 4 * 16],
                &before[13 + 2 * 16..13 + 4 * 16],
            );
        }
    }));
    second.run(3_000);
    second.items()
}

#[test]
fn a_first_poll_half_from_before_the_grant_loses_nothing() {
    // Items 3 and 4 as published to the last run, however often.
    let items = takes_over(3, |slots, before| slots.copy_from_slice(before));
    assert_eq!(items, [3, 4, 5, 6]);
}

#[test]
fn a_first_poll_half_from_before_the_events_loses_nothing() {
    let items = takes_over(1, |slots, _| slots.fill(0));
    assert_eq!(items, [3, 4, 5, 6]);
}

#[test]
fn a_slot_of_the_last_run_is_no_command_of_this_one() {
    let mut first = Pair::up(config());
    first.scans = false;
    first.engine.push(assign(1, 1)).expect("room");
    first.turn().expect("the command");
    let mut second = next_run(first, None);
    second.run(1_500);
    assert_eq!(second.plc.granted(), Some((Area::A, 6)));
    second.engine.push(assign(2, 1)).expect("room");
    let torn = second
        .engine
        .next_exchange(second.now)
        .and_then(|exchange| exchange.write);
    let torn = torn.expect("the command");
    second
        .plc
        .write(torn.address, &torn.registers()[..9])
        .expect("writable");
    second.scan();
    assert_eq!(second.consumed, []);
}

#[test]
fn an_acknowledgement_of_what_was_never_published_changes_nothing() {
    let mut pair = Pair::up(config());
    pair.acknowledges = false;
    for item in 1..=20 {
        pair.plc.push_event(item_event(item)).expect("room");
    }
    pair.run(100);
    let mut registers = [0; map::HEADER_REGS];
    pair.plc
        .read(Area::A.base(), &mut registers)
        .expect("the header");
    let header = Header::decode(&registers).expect("whole");
    for event_ack in [8, 20, 21, 65_520, 65_521] {
        let wrong = Header {
            event_ack,
            ..header
        };
        pair.plc
            .write(Area::A.base(), &wrong.encode())
            .expect("writable");
        pair.scan();
    }
    pair.acknowledges = true;
    for mark in pair.told.iter().filter_map(mark_of).collect::<Vec<_>>() {
        assert!(pair.engine.acknowledge(mark));
    }
    pair.run(200);
    assert_eq!(pair.items(), Vec::from_iter(1..=20));
}

#[test]
fn lost_events_are_counted_and_an_inventory_still_gets_through() {
    let mut pair = Pair::up(config());
    pair.break_link();
    let mut lost = 0;
    for item in 1..=300 {
        lost += u16::from(pair.plc.push_event(item_event(item)).is_err());
    }
    assert!(lost > 0);
    pair.plc
        .latch_inventory([], Event::of(EventKind::LapPassed))
        .expect("kept room");
    pair.mend_link();
    pair.run(2_000);
    assert!(
        pair.links().contains(&Link::EventsLost { count: lost }),
        "{:?}",
        pair.links()
    );
    assert_eq!(pair.items().len(), usize::from(300 - lost) + 1);
}

#[test]
fn commands_wait_in_the_plc_while_their_answers_find_no_room() {
    let mut pair = Pair::up(config());
    pair.acknowledges = false;
    while pair.plc.push_event(item_event(1)).is_ok() {}
    let at = Event::of(EventKind::LapPassed);
    for cell in 1..=30 {
        pair.engine.push(assign(cell, 1)).expect("room");
    }
    for _ in 0..100 {
        pair.run(10);
        for consumed in std::mem::take(&mut pair.consumed) {
            pair.plc
                .answer(&consumed, Answer::Accepted, at)
                .expect("a consumed command's answer");
        }
    }
    assert!(pair.engine.commands_open() > 0, "the window stood");
}

#[test]
fn the_plc_refuses_what_the_map_does_not_allow_and_changes_nothing() {
    let mut plc = PlcEnd::new(&plc_config(1)).expect("good");
    let end = map::map_end(70) as u16;
    let refused: [(u16, usize); 7] = [
        (0, 1),
        (13, 16),
        (200, 1),
        (399, 2),
        (520, 2),
        (2_000, 5),
        (12_000, 8),
    ];
    for (address, count) in refused {
        let answer = plc.write(address, &vec![7; count]);
        assert_eq!(answer, Err(Exception::IllegalAddress), "{address}");
    }
    assert_eq!(
        plc.write(8_003, &[1, 1]),
        Err(Exception::IllegalAddress),
        "induction 3 of 2"
    );
    assert_eq!(plc.write(400, &[0; 124]), Err(Exception::IllegalCount));
    assert_eq!(plc.write(400, &[]), Err(Exception::IllegalCount));
    assert_eq!(plc.write(400, &[0; 121]), Ok(()));
    assert_eq!(plc.read(0, &mut [0; 126]), Err(Exception::IllegalCount));
    assert_eq!(plc.read(0, &mut []), Err(Exception::IllegalCount));
    assert_eq!(
        plc.read(end - 1, &mut [0; 2]),
        Err(Exception::IllegalAddress)
    );
    let mut register = [7];
    plc.read(399, &mut register).expect("between the blocks");
    assert_eq!(register, [0]);
}

#[test]
fn a_reply_that_fits_no_exchange_is_an_error() {
    let mut pair = Pair::up(config());
    assert_eq!(pair.engine.reply(pair.now, &[]), Err(ReplyError::Unasked));
    pair.now = pair.now.plus(60);
    let mut asked = pair.engine.next_exchange(pair.now).expect("due");
    while asked.read.is_none() {
        pair.carry_out(&asked);
        asked = pair.engine.next_exchange(pair.now).expect("due");
    }
    let got = usize::from(asked.read.expect("a read").count) - 1;
    let error = pair.engine.reply(pair.now, &vec![0; got]);
    assert_eq!(
        error,
        Err(ReplyError::Count {
            asked: got as u16 + 1,
            got
        })
    );
}
