//! Once set up, neither end takes memory, whatever passes and however often the link breaks.

#[path = "common/counting.rs"]
mod counting;

use sorthub_core::plc::{
    Answer, Area, CellBits, Command, Delivery, EngineConfig, EngineEnd, Event, EventKind,
    InventoryCell, LinkMs, PlcConfig, PlcEnd, StatusInputs, Withdrawal,
};

/// Ten simulated minutes; events, commands, inventories, levels, and a lost connection each three
/// seconds.
fn traffic(plc: &mut PlcEnd, engine: &mut EngineEnd) -> (u32, u32) {
    let (mut events, mut commands) = (0, 0);
    let mut registers = [0; 125];
    let at = Event::of(EventKind::LapPassed);
    for ms in 0..600_000_u64 {
        let now = LinkMs(ms);
        if ms.is_multiple_of(3_000) {
            engine.failed(now);
            engine.connected(now);
        }
        if ms.is_multiple_of(10) {
            plc.begin_scan(now);
            while let Some(consumed) = plc.next_command() {
                commands += 1;
                let _lost = plc.answer(&consumed, Answer::Accepted, at);
                if consumed.command == Command::Resync {
                    let bits = CellBits::OCCUPIED;
                    let cells = (1..=30).map(|cell| InventoryCell {
                        cell,
                        item: u32::from(cell),
                        chute: 1,
                        bits,
                        lap: 0,
                    });
                    let _lost = plc.latch_inventory(cells, at);
                }
            }
            let _lost = plc.push_event(Event { item: 1, ..at });
            plc.end_scan(now, &StatusInputs::default());
        }
        if ms.is_multiple_of(7) {
            let cell = (ms % 90) as u16 + 1;
            let what = Withdrawal {
                revision: 1,
                item: 1,
                cell,
                reason: 0,
            };
            let _refused = engine.push(Command::Cancel(what));
        }
        if ms.is_multiple_of(2_000) {
            let _refused = engine.push(Command::Resync);
        }
        let Some(exchange) = engine.next_exchange(now) else {
            continue;
        };
        let mut count = 0;
        if let Some(read) = exchange.read {
            count = usize::from(read.count);
            plc.read(read.address, &mut registers[..count])
                .expect("good");
        }
        if let Some(write) = &exchange.write {
            plc.write(write.address, write.registers()).expect("good");
        }
        engine.reply(now, &registers[..count]).expect("as asked");
        while let Some(delivery) = engine.next_event() {
            if let Delivery::Event(mark, _) = delivery {
                events += 1;
                assert!(engine.acknowledge(mark));
            }
        }
    }
    (events, commands)
}

#[test]
fn neither_end_takes_memory_after_its_start() {
    let mut plc = PlcEnd::new(&PlcConfig::new(1, 30, 2, 100)).expect("good");
    let mut engine = EngineEnd::new(EngineConfig::new(Area::A, 1, 30, 2, 100)).expect("good");
    let before = counting::taken();
    let (events, commands) = traffic(&mut plc, &mut engine);
    assert_eq!(counting::taken() - before, 0, "allocations");
    assert!(before > 0, "the counter counts");
    assert!(
        events > 50_000 && commands > 50_000,
        "{events} events, {commands} commands"
    );
}
