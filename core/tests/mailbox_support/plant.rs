//! The PLC programme on the simulated link: makes events, obeys commands, and remembers the truth.

use std::collections::{BTreeMap, BTreeSet};

use super::node::Node;
use super::{CELLS, CHUTES, INDUCTIONS};
use sorthub_core::plc::{
    Answer, CellBits, ChuteBits, ChuteCause, ChuteLevel, Command, Consumed, Event, EventKind,
    InventoryCell, LinkMs, PlcConfig, PlcEnd, Seq, StatusBits, StatusInputs,
};

/// A small reproducible generator.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

/// Sequence, revision and cell of a command consumed.
pub type ConsumedOrder = (u16, u16, u16);

pub struct Plant {
    pub plc: PlcEnd,
    pub boot: u16,
    /// Makes no more events by itself.
    pub quiet: bool,
    /// One event in so many scans, on average; 0 for none.
    pub event_every: u64,
    dice: Dice,
    encoder_mm: u32,
    next_item: u32,
    newest: Option<Seq>,
    /// What was pushed, by boot and sequence. Changes of levels are told by the PLC end itself and
    /// left out.
    pub truth: BTreeMap<(u16, u16), Event>,
    /// Highest sequence any engine acknowledged, by boot.
    pub acked: BTreeMap<u16, u16>,
    /// Every event's encoder value, by boot, in order.
    pub encoders: BTreeMap<u16, Vec<(u16, u32)>>,
    pub inventories: BTreeMap<(u16, u16), Vec<InventoryCell>>,
    generation: u16,
    /// Chutes as they are.
    pub chutes: BTreeMap<u16, ChuteLevel>,
    /// Commands consumed: by boot, epoch, then in order: sequence, revision, cell.
    pub consumed: BTreeMap<(u16, u16), Vec<ConsumedOrder>>,
    pub lost: u16,
    pub retired: BTreeSet<u16>,
}

pub fn closed() -> ChuteLevel {
    ChuteLevel {
        bits: ChuteBits(0),
        cause: ChuteCause::Open,
        drops: 0,
        taken: 0,
        bag_generation: 0,
    }
}

impl Plant {
    pub fn new(seed: u64) -> Self {
        let plc = PlcEnd::new(&PlcConfig::new(1, CHUTES, INDUCTIONS, CELLS)).expect("good");
        Self {
            plc,
            boot: 1,
            quiet: false,
            event_every: 3,
            dice: Dice::new(seed),
            encoder_mm: 1_000,
            next_item: 1,
            newest: None,
            truth: BTreeMap::new(),
            acked: BTreeMap::new(),
            encoders: BTreeMap::new(),
            inventories: BTreeMap::new(),
            generation: 0,
            chutes: (1..=CHUTES).map(|chute| (chute, closed())).collect(),
            consumed: BTreeMap::new(),
            lost: 0,
            retired: BTreeSet::new(),
        }
    }

    pub fn newest(&self) -> Option<u16> {
        self.newest.map(Seq::get)
    }

    pub fn retire(&mut self, node: &Node) {
        self.retired.insert(node.epoch);
    }

    pub fn reboot(&mut self) {
        self.boot += 1;
        self.plc.reboot(self.boot);
        self.newest = None;
        self.generation = 0;
        self.lost = 0;
        self.chutes = (1..=CHUTES).map(|chute| (chute, closed())).collect();
    }

    fn at(&self) -> Event {
        let plc_ms = self.encoder_mm;
        Event {
            encoder_mm: self.encoder_mm,
            plc_ms,
            ..Event::of(EventKind::LapPassed)
        }
    }

    fn record(&mut self, seq: Seq, event: Event) {
        let next = self.newest.map_or(Seq::FIRST, Seq::next);
        assert_eq!(seq, next, "sequence numbers go up by one");
        self.newest = Some(seq);
        self.truth.insert((self.boot, seq.get()), event);
        self.encoders
            .entry(self.boot)
            .or_default()
            .push((seq.get(), event.encoder_mm));
    }

    pub fn push(&mut self, event: Event) {
        match self.plc.push_event(event) {
            Ok(seq) => self.record(seq, event),
            Err(_) => self.lost += 1,
        }
    }

    pub fn push_item(&mut self) {
        let kind = EventKind::Inducted {
            length_mm: 400,
            gap_mm: 200,
            returned: false,
        };
        let event = Event {
            item: self.next_item,
            cell: 5,
            device: 1,
            kind,
            ..self.at()
        };
        self.next_item += 1;
        self.push(event);
    }

    pub fn set_chute(&mut self, chute: u16, level: ChuteLevel) {
        let before = self.chutes.insert(chute, level).expect("exists");
        let told =
            (before.bits, before.taken, before.cause) != (level.bits, level.taken, level.cause);
        match self.plc.set_chute(chute, level, self.at()) {
            Ok(()) if told => {
                let seq = self.newest.map_or(Seq::FIRST, Seq::next);
                let ChuteLevel {
                    bits, taken, cause, ..
                } = level;
                let kind = EventKind::ChuteState { bits, taken, cause };
                self.record(
                    seq,
                    Event {
                        device: chute,
                        kind,
                        ..self.at()
                    },
                );
            }
            Ok(()) => {}
            Err(_) => self.lost += 1,
        }
    }

    pub fn latch(&mut self) {
        let mut cells = Vec::new();
        for cell in 1..=CELLS {
            if self.dice.below(3) == 0 {
                let item = self.next_item + u32::from(cell);
                let bits = CellBits::OCCUPIED;
                cells.push(InventoryCell {
                    cell,
                    item,
                    chute: cell % 7,
                    bits,
                    lap: 1,
                });
            }
        }
        let occupied = cells.len() as u16;
        self.generation += 1;
        let generation = self.generation;
        match self.plc.latch_inventory(cells.iter().copied(), self.at()) {
            Ok(seq) => {
                let kind = EventKind::InventoryLatched {
                    occupied,
                    generation,
                };
                self.record(seq, Event { kind, ..self.at() });
            }
            Err(_) => self.lost += 1,
        }
        self.inventories.insert((self.boot, generation), cells);
    }

    fn obey(&mut self, consumed: &Consumed) {
        let granted = self.plc.granted().map(|(_, epoch)| epoch);
        assert_eq!(
            granted,
            Some(consumed.epoch),
            "a command of an engine not granted"
        );
        let (_, cell, revision) = consumed.command.subject();
        let list = self
            .consumed
            .entry((self.boot, consumed.epoch))
            .or_default();
        list.push((consumed.seq.get(), revision, cell));
        match self.plc.answer(consumed, Answer::Accepted, self.at()) {
            Ok(seq) => {
                let (item, cell, revision) = consumed.command.subject();
                let answer = Answer::Accepted;
                let kind = EventKind::CommandAnswered {
                    seq: consumed.seq.get(),
                    revision,
                    answer,
                };
                self.record(
                    seq,
                    Event {
                        item,
                        cell,
                        kind,
                        ..self.at()
                    },
                );
            }
            Err(_) => self.lost += 1,
        }
        if consumed.command == Command::Resync {
            self.latch();
        }
    }

    /// One PLC cycle: 25 mm of belt in 10 ms.
    pub fn scan(&mut self, now: LinkMs) {
        self.plc.begin_scan(now);
        self.encoder_mm = self.encoder_mm.wrapping_add(25);
        while let Some(consumed) = self.plc.next_command() {
            self.obey(&consumed);
        }
        if !self.quiet && self.event_every > 0 && self.dice.below(self.event_every) == 0 {
            match self.dice.below(4) {
                0 => {
                    let chute = 1 + self.dice.below(u64::from(CHUTES)) as u16;
                    let mut level = self.chutes[&chute];
                    match self.dice.below(3) {
                        0 => level.bits = ChuteBits(level.bits.0 ^ ChuteBits::FULL.0),
                        1 => level.taken += 1,
                        _ => level.drops += 1,
                    }
                    self.set_chute(chute, level);
                }
                _ => self.push_item(),
            }
        }
        let bits = StatusBits::RUN;
        let inputs = StatusInputs {
            encoder_mm: self.encoder_mm,
            speed_mm_s: 2_500,
            bits,
        };
        self.plc.end_scan(now, &inputs);
    }
}
