//! One engine end and one PLC end on a link without faults, for tests of single rules.

use super::{CELLS, CHUTES, INDUCTIONS};
use sorthub_core::plc::{
    Area, Assign, Command, Consumed, Delivery, EngineBits, EngineConfig, EngineEnd, Event,
    EventKind, Exchange, Link, LinkMs, Mark, OnFail, PlcConfig, PlcEnd, Read, StatusInputs,
};

/// Changes what a read brings.
pub type Tamper = Box<dyn FnMut(Read, &mut [u16])>;

pub struct Pair {
    pub plc: PlcEnd,
    pub engine: EngineEnd,
    pub now: LinkMs,
    pub told: Vec<Delivery>,
    pub consumed: Vec<Consumed>,
    pub inputs: StatusInputs,
    /// Acknowledge events as soon as they are told.
    pub acknowledges: bool,
    /// The PLC programme runs.
    pub scans: bool,
    /// The link carries exchanges.
    pub carries: bool,
    pub tamper: Option<Tamper>,
    pub exchanges: u64,
}

pub fn config() -> EngineConfig {
    EngineConfig::new(Area::A, 5, CHUTES, INDUCTIONS, CELLS)
}

pub fn plc_config(boot: u16) -> PlcConfig {
    PlcConfig::new(boot, CHUTES, INDUCTIONS, CELLS)
}

pub fn assign(cell: u16, revision: u16) -> Command {
    Command::Assign(Assign {
        revision,
        item: u32::from(cell) + 1_000,
        cell,
        chutes: [4, 5, 0],
        on_fail: OnFail::Lap,
        valid_until_mm: 9_000,
        laps_max: 2,
        reason: 0,
        plan_version: 3,
    })
}

pub fn item_event(item: u32) -> Event {
    let kind = EventKind::Inducted {
        length_mm: 300,
        gap_mm: 150,
        returned: false,
    };
    Event {
        item,
        cell: 2,
        device: 1,
        ..Event::of(kind)
    }
}

impl Pair {
    pub fn new(config: EngineConfig, plc: PlcEnd) -> Self {
        let mut engine = EngineEnd::new(config).expect("good");
        engine.set_bits(EngineBits::READY);
        engine.connected(LinkMs(0));
        Self {
            plc,
            engine,
            now: LinkMs(0),
            told: Vec::new(),
            consumed: Vec::new(),
            inputs: StatusInputs::default(),
            acknowledges: true,
            scans: true,
            carries: true,
            tamper: None,
            exchanges: 0,
        }
    }

    pub fn fresh() -> Self {
        Self::new(config(), PlcEnd::new(&plc_config(1)).expect("good"))
    }

    /// Granted, up, levels told, nothing pending.
    pub fn up(config: EngineConfig) -> Self {
        let mut pair = Self::new(config, PlcEnd::new(&plc_config(1)).expect("good"));
        pair.run(1_000);
        assert!(
            pair.links().contains(&Link::Granted { boot: 1 }),
            "{:?}",
            pair.links()
        );
        assert!(pair.links().contains(&Link::Up), "{:?}", pair.links());
        pair.told.clear();
        pair
    }

    pub fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now.0 += 1;
            if self.scans && self.now.0.is_multiple_of(10) {
                self.scan();
            }
            self.turn();
        }
    }

    pub fn scan(&mut self) {
        self.plc.begin_scan(self.now);
        while let Some(consumed) = self.plc.next_command() {
            self.consumed.push(consumed);
        }
        self.plc.end_scan(self.now, &self.inputs);
    }

    /// One exchange, if one is due and the link carries it.
    pub fn turn(&mut self) -> Option<Exchange> {
        if !self.carries {
            let _timers = self.engine.next_exchange(self.now);
            self.drain();
            return None;
        }
        let exchange = self.engine.next_exchange(self.now);
        if let Some(exchange) = &exchange {
            self.carry_out(exchange);
        }
        self.drain();
        exchange
    }

    pub fn carry_out(&mut self, exchange: &Exchange) {
        self.exchanges += 1;
        let mut registers = Vec::new();
        if let Some(read) = exchange.read {
            registers = vec![0; usize::from(read.count)];
            self.plc
                .read(read.address, &mut registers)
                .expect("a good read");
            if let Some(tamper) = &mut self.tamper {
                tamper(read, &mut registers);
            }
        }
        if let Some(write) = &exchange.write {
            self.plc
                .write(write.address, write.registers())
                .expect("a good write");
        }
        self.engine
            .reply(self.now, &registers)
            .expect("a good reply");
    }

    fn drain(&mut self) {
        while let Some(delivery) = self.engine.next_event() {
            if let (true, Some(mark)) = (self.acknowledges, mark_of(&delivery)) {
                assert!(self.engine.acknowledge(mark), "{mark:?}");
            }
            self.told.push(delivery);
        }
    }

    pub fn break_link(&mut self) {
        self.engine.failed(self.now);
        self.carries = false;
    }

    pub fn mend_link(&mut self) {
        self.engine.connected(self.now);
        self.carries = true;
    }

    pub fn links(&self) -> Vec<Link> {
        let link = |delivery: &Delivery| match delivery {
            Delivery::Link(link) => Some(*link),
            _ => None,
        };
        self.told.iter().filter_map(link).collect()
    }

    pub fn items(&self) -> Vec<u32> {
        let item = |delivery: &Delivery| match delivery {
            Delivery::Event(_, event) => Some(event.item),
            _ => None,
        };
        self.told.iter().filter_map(item).collect()
    }

    pub fn has_status(&self) -> bool {
        self.told
            .iter()
            .any(|delivery| matches!(delivery, Delivery::Status { .. }))
    }
}

pub fn mark_of(delivery: &Delivery) -> Option<Mark> {
    match delivery {
        Delivery::Event(mark, _) | Delivery::Unreadable(mark, _) => Some(*mark),
        _ => None,
    }
}
