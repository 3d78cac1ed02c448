//! A virtual PLC: the plant's end of the mailbox, obeyed to the letter and without sockets.
//!
//! Each PLC cycle is [`PlcNode::begin_scan`], then whatever the plant answers at once, then
//! [`PlcNode::end_scan`]. Registers are read and written in between, as Modbus would.

use std::collections::BTreeMap;
use std::sync::Arc;

use sorthub_core::hub::{Hub, TrackKind};
use sorthub_core::ids::{CellId, ChuteId, PlcItem, TrackId};
use sorthub_core::plc::{
    self, Answer, CellBits, ChuteLevel, Command, Consumed, EngineBits, Event, EventKind,
    InductionBits, InductionLevel, InventoryCell, LinkMs, PlcConfig, PlcConfigError, PlcEnd,
    StatusBits, StatusInputs, StopCause,
};
use sorthub_core::running::{Pace, Standstill};
use sorthub_core::signal::{Order, OrderAnswer, Signal};
use sorthub_core::units::{BeltMm, Micros};
use sorthub_core::wire::{Wire, answer, chute_bits};

use crate::plant::{ChuteTruth, Plant};

/// Events that the PLC can keep for an engine that is away: more than its chutes can say at once.
const FIFO_DEPTH: u16 = 4_096;

/// A PLC of one track.
#[derive(Debug)]
pub struct PlcNode {
    track: TrackId,
    wire: Wire,
    end: PlcEnd,
    config: PlcConfig,
    /// The command that each cell's order came by, to be named in later answers.
    commands: BTreeMap<(CellId, u16), Consumed>,
    is_alive: bool,
    /// Where its encoder counts from, in mm of the belt's travel.
    zero: BeltMm,
    has_lost: bool,
}

impl PlcNode {
    /// A PLC in the life that `boot` names, 0 excepted.
    ///
    /// # Errors
    /// If the track does not fit the register map.
    pub fn new(hub: &Arc<Hub>, track: TrackId, boot: u16) -> Result<Self, PlcConfigError> {
        Self::with_fifo(hub, track, boot, FIFO_DEPTH)
    }

    /// A PLC that keeps so many events for an engine that is away.
    ///
    /// # Errors
    /// If the track does not fit the register map, or the FIFO is too small.
    pub fn with_fifo(
        hub: &Arc<Hub>,
        track: TrackId,
        boot: u16,
        fifo_depth: u16,
    ) -> Result<Self, PlcConfigError> {
        let wire = Wire::new(Arc::clone(hub), track);
        let (chutes, inductions, cells) = wire.counts();
        let mut config = PlcConfig::new(boot, chutes, inductions, cells);
        let kind = hub.tracks()[track.index()].kind;
        config.info.config_hash = wire.config_hash();
        config.info.fifo_depth = fifo_depth;
        config.info.track_mm = kind.length().0;
        if let TrackKind::Loop { pitch, .. } = kind {
            config.info.pitch_mm = pitch.0 as u16;
        }
        Ok(Self {
            track,
            wire,
            end: PlcEnd::new(&config)?,
            config,
            commands: BTreeMap::new(),
            is_alive: true,
            zero: BeltMm(0),
            has_lost: false,
        })
    }

    /// Its track.
    #[must_use]
    pub fn track(&self) -> TrackId {
        self.track
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.is_alive
    }

    /// Its registers, for whoever carries requests to them.
    pub fn registers(&mut self) -> &mut PlcEnd {
        &mut self.end
    }

    /// It dies.
    pub fn kill(&mut self) {
        self.is_alive = false;
        self.commands.clear();
    }

    /// Whether its FIFO was too full for something since it was made.
    #[must_use]
    pub fn has_lost_events(&self) -> bool {
        self.has_lost
    }

    /// Where its encoder counts from, in mm of the belt's travel.
    #[must_use]
    pub fn zero(&self) -> BeltMm {
        self.zero
    }

    /// It boots, with nothing in its memory; its encoder counts from `zero` on.
    pub fn boot(&mut self, zero: BeltMm) {
        self.zero = zero;
        self.config.boot = self.config.boot.wrapping_add(1).max(1);
        self.end.reboot(self.config.boot);
        self.is_alive = true;
    }

    /// The first half of a PLC cycle: what engines wrote is looked at and obeyed.
    pub fn begin_scan(&mut self, link: LinkMs, now: Micros, plant: &mut Plant) {
        self.end.begin_scan(link);
        while let Some(consumed) = self.end.next_command() {
            self.obey(&consumed, now, plant);
        }
        pace_inductions(&self.end, &self.wire, now, plant);
        lock_chutes(&self.end, &self.wire, now, plant);
    }

    fn obey(&mut self, consumed: &Consumed, now: Micros, plant: &mut Plant) {
        let near = plant.encoder(self.track, now);
        match &consumed.command {
            Command::Assign(assign) => match self.wire.order(assign, self.on_encoder(near)) {
                Ok(order) => {
                    let obey_by = order.obey_by.plus(self.zero.0);
                    let order = Order { obey_by, ..order };
                    let named = (order.cell, order.revision);
                    self.commands.insert(named, *consumed);
                    plant.order(now, &order);
                }
                Err(_) => self.answer(consumed, OrderAnswer::BadChute, near, now),
            },
            Command::Cancel(which) => match self.wire.cell(which.cell) {
                Ok(cell) => {
                    self.commands.insert((cell, which.revision), *consumed);
                    plant.withdraw(now, cell, PlcItem(which.item), which.revision);
                }
                Err(_) => self.answer(consumed, OrderAnswer::NoSuchItem, near, now),
            },
            // It has no reject chute of its own: the engine names the chute.
            Command::ForceReject(_) => {
                let stamp = stamp(self.on_encoder(near), now);
                let _lost_is_counted = self.end.answer(consumed, Answer::NotUnderstood, stamp);
            }
            Command::CarrierEnable { cell, enable } => match self.wire.cell(*cell) {
                Ok(cell) => {
                    plant.enable_carrier(now, cell, *enable);
                    self.answer(consumed, OrderAnswer::Accepted, near, now);
                }
                Err(_) => self.answer(consumed, OrderAnswer::NoSuchItem, near, now),
            },
            Command::Resync => {
                self.answer(consumed, OrderAnswer::Accepted, near, now);
                self.latch_inventory(now, plant);
            }
        }
    }

    fn latch_inventory(&mut self, now: Micros, plant: &Plant) {
        let cells = inventory(&self.wire, plant);
        let at = stamp(self.on_encoder(plant.encoder(self.track, now)), now);
        let _lost_is_counted = self.end.latch_inventory(cells, at);
    }

    fn answer(&mut self, to: &Consumed, said: OrderAnswer, at: BeltMm, now: Micros) {
        let stamp = stamp(self.on_encoder(at), now);
        let _lost_is_counted = self.end.answer(to, answer(said), stamp);
    }

    /// A position of the belt as its encoder shows it.
    fn on_encoder(&self, at: BeltMm) -> BeltMm {
        at.plus(-self.zero.0)
    }

    /// So many alarms at once that there may be no room left for what happens on the track.
    pub fn flood(&mut self, alarms: u16) {
        for code in 1..=alarms {
            let event = Event::of(EventKind::Alarm { code, on: true });
            let _lost_is_counted = self.end.push_event(event);
        }
    }

    fn push(&mut self, event: Event) {
        self.has_lost |= self.end.push_event(event).is_err();
    }

    /// Something has happened on the track.
    pub fn tell(&mut self, signal: &Signal, at: BeltMm, now: Micros) {
        let at = self.on_encoder(at);
        match *signal {
            Signal::OrderAnswered {
                cell,
                item,
                revision,
                answer: said,
            } => {
                if let Some(consumed) = self.commands.get(&(cell, revision)) {
                    let stamp = Event {
                        item: item.0,
                        cell: self.wire.cell_number(cell),
                        ..stamp(at, now)
                    };
                    let _lost_is_counted = self.end.answer(consumed, answer(said), stamp);
                }
            }
            Signal::Belt { speed, .. } => {
                let kind = EventKind::Motion {
                    speed_mm_s: speed.0 as u16,
                    bits: running(speed.0),
                };
                let event = Event {
                    encoder_mm: at.wire(),
                    ..Event::of(kind)
                };
                self.push(event);
            }
            _ => {
                if let Some(event) = self.wire.event(signal) {
                    if let Signal::Discharged { cell, .. } = *signal {
                        self.commands.retain(|(other, _), _| *other != cell);
                    }
                    let encoder_mm = match signal {
                        // It says nothing of where that was.
                        Signal::RemovedByHand { .. } => at.wire(),
                        _ => event.encoder_mm.wrapping_sub(self.zero.wire()),
                    };
                    let event = Event {
                        plc_ms: plc_ms(now),
                        encoder_mm,
                        ..event
                    };
                    self.push(event);
                }
            }
        }
    }

    /// Sets a chute's levels.
    pub fn chute(&mut self, chute: ChuteId, truth: &ChuteTruth, counts_taken: bool, at: BeltMm) {
        let number = self.wire.chute_number(chute);
        if number == 0 {
            return;
        }
        let (bits, cause) = chute_bits(truth.state);
        let level = ChuteLevel {
            bits,
            cause,
            drops: truth.dropped as u16,
            taken: if counts_taken { truth.taken as u16 } else { 0 },
            bag_generation: 0,
        };
        let at = stamp(self.on_encoder(at), Micros(0));
        let _lost_is_counted = self.end.set_chute(number, level, at);
    }

    /// The second half of a PLC cycle: events and status are published.
    pub fn end_scan(&mut self, link: LinkMs, now: Micros, plant: &Plant) {
        let here = self.on_encoder(plant.encoder(self.track, now));
        let at = stamp(here, now);
        let speed = plant.speed(self.track, now);
        tell_inductions(&mut self.end, &self.wire, plant, at);
        let inputs = StatusInputs {
            encoder_mm: here.wire(),
            speed_mm_s: speed.0 as u16,
            bits: running(speed.0),
        };
        self.end.end_scan(link, &inputs);
    }
}

/// The inductions of a link's track do as the engine wishes; without one that is granted and ready
/// they stand.
fn pace_inductions(end: &PlcEnd, wire: &Wire, now: Micros, plant: &mut Plant) {
    let (_, inductions, _) = wire.counts();
    for number in 1..=inductions {
        let wish = end.induction_wish(number);
        let to = match wish.pace {
            plc::Pace::Run => Pace::Run,
            plc::Pace::Slow => Pace::Slow,
            plc::Pace::Stop | plc::Pace::Unsaid => Pace::Stop,
        };
        if let Ok(induction) = wire.induction(number) {
            plant.pace(now, induction, to, wish.rate_max_per_h);
        }
    }
}

/// The chutes of a link's track are locked as the engine wishes.
fn lock_chutes(end: &PlcEnd, wire: &Wire, now: Micros, plant: &mut Plant) {
    let (chutes, _, _) = wire.counts();
    for number in 1..=chutes {
        if let Ok(chute) = wire.chute(number) {
            plant.lock_chute(now, chute, wire.track(), end.chute_wish(number).lock);
        }
    }
}

/// Sets the levels of the inductions of a link's track; what has changed is told. `at` says when
/// and where.
fn tell_inductions(end: &mut PlcEnd, wire: &Wire, plant: &Plant, at: Event) {
    let (_, inductions, _) = wire.counts();
    let has_engine = end.engine_bits().has(EngineBits::READY);
    for number in 1..=inductions {
        let Ok(induction) = wire.induction(number) else {
            continue;
        };
        let feeding = plant.feeding(induction);
        let is_held = feeding.because == Standstill::Locally;
        let level = InductionLevel {
            bits: InductionBits::ENABLED
                .with(InductionBits::RUNNING, feeding.runs)
                .with(InductionBits::SLOW, feeding.slow)
                .with(InductionBits::LOCAL_STOP, is_held),
            rate_per_h: feeding.rate_per_h,
            count: 0,
            cause: match feeding.because {
                Standstill::Runs => StopCause::Running,
                Standstill::Locally => StopCause::LocalStop,
                _ if has_engine => StopCause::EngineStop,
                _ => StopCause::LinkLost,
            },
        };
        let _lost_is_counted = end.set_induction(number, level, at);
    }
}

/// What a link's track carries, and the carriers that are not used, as an inventory lists them.
fn inventory(wire: &Wire, plant: &Plant) -> Vec<InventoryCell> {
    let mut cells: BTreeMap<CellId, InventoryCell> = plant
        .inventory(wire.track())
        .map(|(cell, item)| {
            let line = InventoryCell {
                cell: wire.cell_number(cell),
                item: item.0,
                chute: 0,
                bits: CellBits::OCCUPIED,
                lap: 0,
            };
            (cell, line)
        })
        .collect();
    for cell in plant.disabled(wire.track()) {
        let line = cells.entry(cell).or_insert(InventoryCell {
            cell: wire.cell_number(cell),
            item: 0,
            chute: 0,
            bits: CellBits::default(),
            lap: 0,
        });
        line.bits = line.bits.with(CellBits::DISABLED, true);
    }
    cells.into_values().collect()
}

fn running(speed_mm_s: u32) -> StatusBits {
    StatusBits::HOMED
        .and(StatusBits::AUTO)
        .with(StatusBits::RUN, speed_mm_s > 0)
        .with(StatusBits::AT_SPEED, speed_mm_s > 0)
}

/// When and where something happened, for the mailbox.
fn stamp(at: BeltMm, now: Micros) -> Event {
    // The kind is filled in by whoever uses the stamp.
    Event {
        encoder_mm: at.wire(),
        plc_ms: plc_ms(now),
        ..Event::of(EventKind::LapPassed)
    }
}

fn plc_ms(now: Micros) -> u32 {
    (now.0 / 1_000) as u32
}
