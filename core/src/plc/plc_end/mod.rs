//! The PLC's end of the mailbox: what a PLC programme does between two scans.

mod claims;
mod config;
mod fifo;
mod image;

use alloc::collections::VecDeque;

use super::LinkMs;
use super::blocks::{Header, Info, Status};
use super::command::Command;
use super::event::{Event, EventKind, Slot, SlotError};
use super::inventory::{InventoryCell, InventoryHeader};
use super::levels::{ChuteLevel, ChuteWish, InductionLevel, InductionWish, Pace};
use super::lists::{Answer, CellBits, EngineBits, StatusBits};
use super::map::{
    Area, CELL_REGS, CELLS_BASE, CHUTE_REGS, CHUTES_BASE, HEADER_REGS, INDUCTION_REGS,
    INDUCTION_WISH_REGS, INDUCTIONS_BASE, INFO_BASE, INVENTORY_BASE, MAP_VERSION, SLOT_REGS, SLOTS,
    STATUS_BASE,
};
use super::ring::{Seq, after, distance, to_wire};
use claims::Claims;
pub use config::{PlcConfig, PlcConfigError};
use fifo::{EventFifo, RESERVED};
pub use image::Exception;
use image::Image;

/// A command taken from the granted area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumed {
    /// Its sequence number, to be named in the answer.
    pub seq: Seq,
    /// The epoch it was given under.
    pub epoch: u16,
    /// The command.
    pub command: Command,
}

/// The FIFO is full: the event is lost and counted, and the engine will ask for an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event FIFO is full: the event is lost and counted")]
pub struct Overflow;

/// What the plant adds to the status at the end of a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusInputs {
    /// Encoder in mm, wrapping. No event pushed later may have an older one.
    pub encoder_mm: u32,
    /// Speed of the track.
    pub speed_mm_s: u16,
    /// State of the track; only the bits of [`StatusBits::PLANT`] count.
    pub bits: StatusBits,
}

/// The PLC's end of the mailbox: what a PLC programme does between two scans.
///
/// How a virtual PLC uses it: serve `read` and `write` whenever a request comes; once a scan call
/// `begin_scan(now)`, take the commands, run the plant and push what happened, and call
/// `end_scan(now, inputs)`. Requests are served between scans, so that a reader sees status and
/// events of one instant.
#[derive(Debug)]
pub struct PlcEnd {
    config: PlcConfig,
    image: Image,
    fifo: EventFifo,
    claims: Claims,
    engine_bits: EngineBits,
    link_ok: bool,
    commands: VecDeque<Consumed>,
    command_ack: Option<Seq>,
    heartbeat: u16,
    heartbeat_at: Option<LinkMs>,
    echo: u16,
    changes: u16,
    events_lost: u16,
    overflow: bool,
    generation: u16,
}

impl PlcEnd {
    /// Sets up a PLC end that has just been switched on. All memory is taken here.
    ///
    /// # Errors
    /// See [`PlcConfigError`].
    pub fn new(config: &PlcConfig) -> Result<Self, PlcConfigError> {
        config.check()?;
        let Info {
            chutes,
            inductions,
            cells,
            fifo_depth,
            ..
        } = config.info;
        let mut plc = Self {
            config: *config,
            image: Image::new(chutes, inductions, cells),
            fifo: EventFifo::new(usize::from(fifo_depth)),
            claims: Claims::new(config.loss_ms),
            engine_bits: EngineBits::default(),
            link_ok: false,
            commands: VecDeque::with_capacity(SLOTS),
            command_ack: None,
            heartbeat: 0,
            heartbeat_at: None,
            echo: 0,
            changes: 0,
            events_lost: 0,
            overflow: false,
            generation: 0,
        };
        plc.image.put(INFO_BASE, &plc.config.info.encode());
        Ok(plc)
    }

    /// Loses everything, as a power failure does, and starts under another boot id. The status
    /// stays empty until the first scan.
    ///
    /// # Panics
    /// If `boot` is 0 or the present one: a life that can not be told from the last would hide the
    /// loss.
    pub fn reboot(&mut self, boot: u16) {
        assert!(
            boot != 0 && boot != self.config.boot,
            "a new life needs another boot id"
        );
        self.config.boot = boot;
        self.image.clear();
        self.image.put(INFO_BASE, &self.config.info.encode());
        self.fifo.clear();
        self.commands.clear();
        self.claims = Claims::new(self.config.loss_ms);
        self.engine_bits = EngineBits::default();
        self.link_ok = false;
        self.command_ack = None;
        self.heartbeat_at = None;
        self.echo = 0;
        self.changes = 0;
        self.events_lost = 0;
        self.overflow = false;
        self.generation = 0;
    }

    /// FC3.
    ///
    /// # Errors
    /// The exception to answer with.
    pub fn read(&self, address: u16, out: &mut [u16]) -> Result<(), Exception> {
        self.image.read(address, out)
    }

    /// FC16, wholly or not at all.
    ///
    /// # Errors
    /// The exception to answer with; nothing was written.
    pub fn write(&mut self, address: u16, registers: &[u16]) -> Result<(), Exception> {
        self.image.write(address, registers)
    }

    /// Looks at what the engines wrote: claims, heartbeats, acknowledgements, commands.
    pub fn begin_scan(&mut self, now: LinkMs) {
        let boot = self.config.boot;
        let image = &self.image;
        let headers = Area::BOTH.map(|area| {
            Header::decode(image.block::<HEADER_REGS>(area.base()))
                .filter(|header| header.boot == boot)
        });
        let scanned = self.claims.scan(now, headers);
        if scanned.new_grant {
            self.on_new_grant();
        }
        self.link_ok = self.claims.lease_holds(now) && !self.claims.loss_latched;
        let Some(header) = scanned.header else { return };
        self.engine_bits = header.bits;
        self.echo = header.heartbeat;
        self.fifo.on_ack(header.event_ack);
        self.consume(&header);
    }

    /// Another engine: its command ring begins anew, and what the last one did not acknowledge is
    /// its to hear.
    fn on_new_grant(&mut self) {
        self.commands.clear();
        self.command_ack = None;
        self.fifo.republish(&mut self.image);
        self.engine_bits = EngineBits::default();
        if let Some((area, _)) = self.claims.granted() {
            self.image.clear_wishes(area);
        }
    }

    /// Takes commands in order, as long as they are whole, of this grant, and there is room for
    /// their answers.
    fn consume(&mut self, header: &Header) {
        let Some((area, epoch)) = self.claims.granted() else {
            return;
        };
        let head = Seq::from_wire(header.command_head);
        if usize::from(distance(self.command_ack, head)) > SLOTS {
            return;
        }
        while self.command_ack != head {
            // The answer to each command taken, and an inventory beside it, must find a place.
            if self.commands.len() == SLOTS || self.fifo.room() < 2 * (self.commands.len() + 1) {
                return;
            }
            let seq = after(self.command_ack);
            let address = area.base() + (HEADER_REGS + seq.slot() * SLOT_REGS) as u16;
            let slot: &Slot = self.image.block(address);
            let decoded = Command::decode(slot, self.config.boot);
            let ours = slot[0] == seq.get() && slot[1] == epoch;
            match decoded {
                Ok((_, _, command)) if ours => {
                    self.commands.push_back(Consumed {
                        seq,
                        epoch,
                        command,
                    });
                }
                Err(SlotError::Meaning) if ours => self.answer_not_understood(seq),
                _ => return,
            }
            self.command_ack = Some(seq);
        }
    }

    fn answer_not_understood(&mut self, seq: Seq) {
        let answer = Answer::NotUnderstood;
        let kind = EventKind::CommandAnswered {
            seq: seq.get(),
            revision: 0,
            answer,
        };
        let _lost_is_counted = self.push_with(Event::of(kind), 0);
    }

    /// The next command consumed, in order.
    pub fn next_command(&mut self) -> Option<Consumed> {
        self.commands.pop_front()
    }

    /// Publishes events and the status. Everything that happened up to the encoder value given has
    /// been pushed.
    pub fn end_scan(&mut self, now: LinkMs, inputs: &StatusInputs) {
        let heartbeat_ms = u64::from(self.config.heartbeat_ms);
        if self
            .heartbeat_at
            .is_none_or(|at| now.since(at) >= heartbeat_ms)
        {
            self.heartbeat = self.heartbeat.wrapping_add(1);
            self.heartbeat_at = Some(now);
        }
        let granted = self.claims.granted();
        let epoch = granted.map_or(0, |(_, epoch)| epoch);
        self.fifo.publish(&mut self.image, epoch);
        let granted_b = granted.is_some_and(|(area, _)| area == Area::B);
        let bits = StatusBits(inputs.bits.0 & StatusBits::PLANT.0)
            .with(StatusBits::LINK_LOST, self.claims.loss_latched)
            .with(StatusBits::OVERFLOW, self.overflow)
            .with(StatusBits::CONFIG_MISMATCH, self.claims.mismatch)
            .with(StatusBits::MORE_EVENTS, self.fifo.has_more())
            .with(StatusBits::GRANTED_B, granted_b);
        let status = Status {
            version: MAP_VERSION,
            boot: self.config.boot,
            granted_epoch: epoch,
            heartbeat: self.heartbeat,
            echo: self.echo,
            bits,
            speed_mm_s: inputs.speed_mm_s,
            encoder_mm: inputs.encoder_mm,
            event_head: self.fifo.head_on_wire(),
            command_ack: to_wire(self.command_ack),
            changes: self.changes,
            events_lost: self.events_lost,
        };
        self.image.put(STATUS_BASE, &status.encode());
    }

    /// Tells that something happened; epoch and sequence number are filled in. Returns the latter.
    ///
    /// # Errors
    /// [`Overflow`]: the event is lost.
    pub fn push_event(&mut self, event: Event) -> Result<Seq, Overflow> {
        self.push_with(event, RESERVED)
    }

    fn push_with(&mut self, event: Event, kept_free: usize) -> Result<Seq, Overflow> {
        self.fifo.push(event, kept_free).ok_or_else(|| {
            self.events_lost = self.events_lost.wrapping_add(1);
            self.overflow = true;
            Overflow
        })
    }

    /// Answers a command. `at` carries the encoder value and the PLC's time; the rest is filled in.
    ///
    /// # Errors
    /// [`Overflow`]: the answer is lost.
    pub fn answer(&mut self, to: &Consumed, answer: Answer, at: Event) -> Result<Seq, Overflow> {
        let (item, cell, revision) = to.command.subject();
        let kind = EventKind::CommandAnswered {
            seq: to.seq.get(),
            revision,
            answer,
        };
        self.push_with(
            Event {
                item,
                cell,
                kind,
                ..at
            },
            0,
        )
    }

    /// Sets a chute's levels, and tells of a change of anything but the drop counter and the bag
    /// generation (the drop itself and the bag button have events of their own). `at` is as in
    /// [`answer`](Self::answer).
    ///
    /// # Errors
    /// [`Overflow`]: the level is set, the event is lost.
    ///
    /// # Panics
    /// If there is no such chute.
    pub fn set_chute(&mut self, chute: u16, level: ChuteLevel, at: Event) -> Result<(), Overflow> {
        assert!(
            (1..=self.config.info.chutes).contains(&chute),
            "chutes count from 1"
        );
        let address = CHUTES_BASE + (chute - 1) * CHUTE_REGS as u16;
        let before = ChuteLevel::decode(self.image.block(address));
        self.image.put(address, &level.encode());
        let ChuteLevel {
            bits, taken, cause, ..
        } = level;
        if (before.bits, before.taken, before.cause) == (bits, taken, cause) {
            return Ok(());
        }
        self.changes = self.changes.wrapping_add(1);
        let kind = EventKind::ChuteState { bits, taken, cause };
        self.push_event(Event {
            device: chute,
            kind,
            ..at
        })
        .map(drop)
    }

    /// Sets an induction's levels, and tells of a change of anything but the count. `at` is as in
    /// [`answer`](Self::answer).
    ///
    /// # Errors
    /// [`Overflow`]: the level is set, the event is lost.
    ///
    /// # Panics
    /// If there is no such induction.
    pub fn set_induction(
        &mut self,
        induction: u16,
        level: InductionLevel,
        at: Event,
    ) -> Result<(), Overflow> {
        assert!(
            (1..=self.config.info.inductions).contains(&induction),
            "they count from 1"
        );
        let address = INDUCTIONS_BASE + (induction - 1) * INDUCTION_REGS as u16;
        let before = InductionLevel::decode(self.image.block(address));
        self.image.put(address, &level.encode());
        let InductionLevel {
            bits,
            rate_per_h,
            cause,
            ..
        } = level;
        if (before.bits, before.rate_per_h, before.cause) == (bits, rate_per_h, cause) {
            return Ok(());
        }
        self.changes = self.changes.wrapping_add(1);
        let kind = EventKind::InductionState {
            bits,
            rate_per_h,
            cause,
        };
        self.push_event(Event {
            device: induction,
            kind,
            ..at
        })
        .map(drop)
    }

    /// Freezes a copy of what lies where and says so in the ring. Cells not given are empty. `at`
    /// is as in [`answer`](Self::answer).
    ///
    /// # Errors
    /// [`Overflow`]: the copy is there, nobody was told; the engine asks again when it hears of the
    /// lost event.
    ///
    /// # Panics
    /// If a cell does not exist.
    pub fn latch_inventory(
        &mut self,
        cells: impl IntoIterator<Item = InventoryCell>,
        at: Event,
    ) -> Result<Seq, Overflow> {
        for cell in 0..self.config.info.cells {
            self.image
                .put(CELLS_BASE + cell * CELL_REGS as u16, &[0; CELL_REGS]);
        }
        let mut occupied = 0;
        for cell in cells {
            assert!(
                (1..=self.config.info.cells).contains(&cell.cell),
                "cells count from 1"
            );
            occupied += u16::from(cell.bits.has(CellBits::OCCUPIED));
            self.image.put(
                CELLS_BASE + (cell.cell - 1) * CELL_REGS as u16,
                &cell.encode(),
            );
        }
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let header = InventoryHeader {
            generation,
            occupied,
            encoder_mm: at.encoder_mm,
            cells: self.config.info.cells,
            boot: self.config.boot,
        };
        self.image.put(INVENTORY_BASE, &header.encode());
        let kind = EventKind::InventoryLatched {
            occupied,
            generation,
        };
        let pushed = self.push_with(Event { kind, ..at }, 0);
        self.overflow &= pushed.is_err();
        pushed
    }

    /// Epoch and area of the engine obeyed.
    #[must_use]
    pub fn granted(&self) -> Option<(Area, u16)> {
        self.claims.granted()
    }

    /// Whether the engine obeyed shows life, and has seen any loss there was.
    #[must_use]
    pub fn is_link_ok(&self) -> bool {
        self.link_ok
    }

    /// What the engine obeyed says about itself; nothing while the link is not ok.
    #[must_use]
    pub fn engine_bits(&self) -> EngineBits {
        if self.link_ok {
            self.engine_bits
        } else {
            EngineBits::default()
        }
    }

    /// What an induction (from 1) is to do: its wish, or a stop while no engine is there and ready.
    #[must_use]
    pub fn induction_wish(&self, induction: u16) -> InductionWish {
        let stop = InductionWish {
            pace: Pace::Stop,
            rate_max_per_h: 0,
        };
        let exists = (1..=self.config.info.inductions).contains(&induction);
        match self.claims.granted() {
            Some((area, _)) if exists && self.engine_bits().has(EngineBits::READY) => {
                let offset = (induction - 1) * INDUCTION_WISH_REGS as u16;
                let address = area.induction_wish_base() + offset;
                let wish = InductionWish::decode(self.image.block(address));
                if wish.pace == Pace::Unsaid {
                    stop
                } else {
                    wish
                }
            }
            _ => stop,
        }
    }

    /// What is wished of a chute (from 1); the last wish stands while the link is lost.
    #[must_use]
    pub fn chute_wish(&self, chute: u16) -> ChuteWish {
        let exists = (1..=self.config.info.chutes).contains(&chute);
        match self.claims.granted() {
            Some((area, _)) if exists => {
                let [register] = *self.image.block(area.chute_wish_base() + chute - 1);
                ChuteWish::decode(register)
            }
            _ => ChuteWish::default(),
        }
    }
}
