//! The engine's side of one PLC link: orders in, signals out, as the live engine does it.

use std::collections::VecDeque;
use std::sync::Arc;

use sorthub_core::hub::Hub;
use sorthub_core::ids::{ChuteId, InductionId, TrackId};
use sorthub_core::plc::{
    Area, CellBits, Command, Delivery, EngineBits, EngineConfig, EngineEnd, EventKind, Exchange,
    InventoryEnd, Link, LinkMs, Mark,
};
use sorthub_core::running::Pace;
use sorthub_core::signal::{LinkState, Output, Signal};
use sorthub_core::sorter::Wish;
use sorthub_core::units::Micros;
use sorthub_core::wire::{Wire, induction_wish};

/// What comes out of a lane: something for the sorter, and with an event its mark.
pub(super) type Heard = (Option<Signal>, Option<Mark>);

/// One link.
pub(super) struct Lane {
    claim: (Area, u16),
    is_ready: bool,
    pub end: EngineEnd,
    wire: Wire,
    unsent: Vec<Option<Command>>,
    unsent_uses: Vec<Option<Command>>,
    wants_inventory: bool,
    is_fresh: bool,
    inventory_at: u32,
    /// Events told to the sorter that are not durable yet, with when they will be.
    undurable: VecDeque<(Micros, Mark)>,
    heard: VecDeque<Heard>,
    /// Whether the last exchange's fate is open.
    pub in_flight: Option<InFlight>,
    pub is_connected: bool,
    /// When to connect again.
    pub retry_at: Micros,
}

/// An exchange on the wire.
pub(super) struct InFlight {
    pub exchange: Exchange,
    /// When the PLC serves it; `None`: it never reaches it, or was served.
    pub served_at: Option<Micros>,
    /// What it will read.
    pub registers: Vec<u16>,
    /// When the reply is there; `None`: it never comes.
    pub reply_at: Option<Micros>,
    /// When the engine gives up.
    pub give_up_at: Micros,
}

impl Lane {
    /// A lane that is not connected.
    pub fn new(hub: &Arc<Hub>, track: TrackId, fc23: bool) -> Self {
        Self::with(hub, track, (Area::A, 1), fc23, None)
    }

    /// A lane of an engine that goes on after another run of it.
    pub fn resumed(
        hub: &Arc<Hub>,
        track: TrackId,
        area: Area,
        epoch: u16,
        resume: Option<Mark>,
    ) -> Self {
        Self::with(hub, track, (area, epoch), false, resume)
    }

    fn with(
        hub: &Arc<Hub>,
        track: TrackId,
        claim: (Area, u16),
        fc23: bool,
        resume: Option<Mark>,
    ) -> Self {
        let (area, epoch) = claim;
        let wire = Wire::new(Arc::clone(hub), track);
        let (chutes, inductions, cells) = wire.counts();
        let config = EngineConfig {
            poll_ms: 40,
            fc23,
            resume,
            config_hash: wire.config_hash(),
            ..EngineConfig::new(area, epoch, chutes, inductions, cells)
        };
        let mut end =
            EngineEnd::new(config).unwrap_or_else(|error| panic!("drew an unfit track: {error}"));
        for induction in 1..=inductions {
            end.set_induction(induction, induction_wish(Pace::Stop, 0));
        }
        Self {
            claim,
            is_ready: false,
            end,
            wire,
            unsent: vec![None; usize::from(cells)],
            unsent_uses: vec![None; usize::from(cells)],
            wants_inventory: false,
            is_fresh: true,
            inventory_at: 0,
            undurable: VecDeque::new(),
            heard: VecDeque::new(),
            in_flight: None,
            is_connected: false,
            retry_at: Micros(0),
        }
    }

    /// What it claims: where it writes, and its epoch.
    pub fn claim(&self) -> (Area, u16) {
        self.claim
    }

    /// Whether it has said that it is ready: it knows what is on the track.
    pub fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn ready(&mut self, is_ready: bool) {
        self.is_ready = is_ready;
        let none = EngineBits::default();
        self.end.set_bits(none.with(EngineBits::READY, is_ready));
    }

    /// Takes what the sorter says about a cell.
    pub fn order(&mut self, own: u16, output: &Output) {
        let Some(command) = self.wire.command(output) else {
            return;
        };
        let none_waits = self.unsent.iter().all(Option::is_none);
        if none_waits && self.end.push(command).is_ok() {
            return;
        }
        self.unsent[usize::from(own)] = Some(command);
    }

    /// Takes what the sorter says about the use of a carrier.
    pub fn use_carrier(&mut self, own: u16, output: &Output) {
        self.unsent_uses[usize::from(own)] = self.wire.command(output);
    }

    /// Takes what the PLC should do with a chute, if its track passes it.
    pub fn wish_chute(&mut self, chute: ChuteId, wish: Wish) {
        if let Some((number, wish)) = self.wire.chute_wish(chute, wish) {
            self.end.set_chute(number, wish);
        }
    }

    /// Takes how fast an induction may feed.
    pub fn pace(&mut self, induction: InductionId, to: Pace, limit_per_h: u16) {
        let number = self.wire.induction_number(induction);
        self.end
            .set_induction(number, induction_wish(to, limit_per_h));
    }

    fn push_unsent(&mut self) {
        if self.wants_inventory && self.end.push(Command::Resync).is_ok() {
            self.wants_inventory = false;
        }
        for place in self.unsent_uses.iter_mut().chain(&mut self.unsent) {
            let Some(command) = *place else { continue };
            if self.end.push(command).is_err() {
                return;
            }
            *place = None;
        }
    }

    /// The next exchange, if there is one now.
    pub fn next_exchange(&mut self, now: Micros) -> Option<Exchange> {
        while let Some(&(durable, mark)) = self.undurable.front() {
            if durable > now {
                break;
            }
            self.end.acknowledge(mark);
            self.undurable.pop_front();
        }
        self.push_unsent();
        self.end.next_exchange(link_ms(now))
    }

    /// When to look for an exchange again.
    pub fn next_look(&self, now: Micros) -> Micros {
        let next = self.end.next_timeout(link_ms(now));
        let next = next.map_or(now.0 + 100_000, |at| at.0 * 1_000);
        Micros(next.max(now.0 + 1_000))
    }

    /// What it has told its sorter since will not be durable in its journal.
    pub fn stop_acknowledging(&mut self) {
        self.undurable.clear();
    }

    /// The call with an event's signal will be durable at `at`.
    pub fn durable_at(&mut self, at: Micros, mark: Mark) {
        self.undurable.push_back((at, mark));
    }

    /// The next thing for the sorter.
    pub fn hear(&mut self) -> Option<Heard> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Some(heard);
            }
            let delivery = self.end.next_event()?;
            self.take(&delivery);
        }
    }

    fn say(&mut self, signal: Signal) {
        self.heard.push_back((Some(signal), None));
    }

    fn take(&mut self, delivery: &Delivery) {
        match *delivery {
            Delivery::Link(link) => self.link(link),
            Delivery::Event(mark, event) => {
                self.inventory_at = event.encoder_mm;
                if self.is_fresh && !matches!(event.kind, EventKind::TrackingReset { .. }) {
                    self.is_fresh = false;
                    let at = self.wire.position(event.encoder_mm);
                    let belt = self.wire.belt(at, 0);
                    self.say(belt);
                }
                let signal = self
                    .wire
                    .signal(&event)
                    .unwrap_or_else(|error| panic!("the PLC speaks of what is not there: {error}"));
                if matches!(
                    signal,
                    Some(Signal::Link {
                        to: LinkState::Reset,
                        ..
                    })
                ) {
                    self.is_fresh = true;
                }
                self.heard.push_back((signal, Some(mark)));
            }
            Delivery::Unreadable(mark, slot) => {
                panic!("an event outside the interface: {mark:?} {slot:?}")
            }
            Delivery::Inventory(cell) => {
                let at = self.wire.position(self.inventory_at);
                let item = sorthub_core::ids::PlcItem(cell.item);
                let is_disabled = cell.bits.has(CellBits::DISABLED);
                let Ok(cell) = self.wire.cell(cell.cell) else {
                    return;
                };
                if item.0 != 0 {
                    self.say(Signal::Inventory { cell, item, at });
                }
                if is_disabled {
                    self.say(Signal::CarrierDisabled { cell });
                }
            }
            Delivery::InventoryEnd(InventoryEnd::Complete) => {
                let (at, track) = (self.wire.position(self.inventory_at), self.wire.track());
                self.ready(true);
                self.say(Signal::InventoryEnd { track, at });
            }
            Delivery::InventoryEnd(InventoryEnd::Superseded) => {}
            Delivery::InventoryEnd(_) => self.wants_inventory = true,
            Delivery::Chute(number, level) => {
                let signal = self.wire.chute_level(number, &level);
                self.say(signal.unwrap_or_else(|error| panic!("no such chute: {error}")));
            }
            Delivery::Induction(number, level) => {
                let signal = self.wire.induction_level(number, &level);
                self.say(signal.unwrap_or_else(|error| panic!("no such induction: {error}")));
            }
            Delivery::Status {
                encoder_mm,
                speed_mm_s,
                ..
            } => {
                self.is_fresh = false;
                let at = self.wire.position(encoder_mm);
                let belt = self.wire.belt(at, speed_mm_s);
                self.say(belt);
            }
        }
    }

    fn link(&mut self, link: Link) {
        let to = match link {
            Link::Up => Some(LinkState::Up),
            Link::Lost { .. } => Some(LinkState::Lost),
            Link::Reset { .. } => {
                self.unsent.fill(None);
                self.unsent_uses.fill(None);
                self.undurable.clear();
                self.ready(false);
                Some(LinkState::Reset)
            }
            Link::Granted { .. } => {
                self.ready(false);
                self.wants_inventory = true;
                Some(LinkState::Up)
            }
            Link::EventsLost { .. } => {
                self.wants_inventory = true;
                None
            }
            Link::Refused { .. } | Link::LossLatched => None,
            Link::ConfigMismatch { .. } | Link::VersionMismatch { .. } => {
                panic!("the PLC is not the one of the hub: {link:?}")
            }
        };
        if let Some(to) = to {
            let signal = self.wire.link(to);
            self.is_fresh |= to == LinkState::Reset;
            self.say(signal);
        }
    }
}

pub(super) fn link_ms(now: Micros) -> LinkMs {
    LinkMs(now.0 / 1_000)
}
