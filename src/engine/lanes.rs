//! The PLC links as the decision thread sees them: orders in, deliveries out.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use sorthub_core::hub::Hub;
use sorthub_core::ids::{ChuteId, InductionId};
use sorthub_core::operator::Mode;
use sorthub_core::plc::map::{HEADER_REGS, SLOTS};
use sorthub_core::plc::ring::{Seq, distance};
use sorthub_core::plc::{
    Area, CellBits, Command, ConfigError, Delivery, EngineBits, EngineConfig, EngineEnd, Event,
    EventKind, Exchange, Header, InventoryEnd, Link, Mark, Write,
};
use sorthub_core::running::{Pace, RunState};
use sorthub_core::signal::{LinkState, Output, Signal};
use sorthub_core::sorter::Wish;
use sorthub_core::wire::{Wire, WireError, induction_wish};
use tokio::sync::Notify;

use super::decider::Decider;
use crate::config::links::{Functions, PlcLink};
use crate::plc::lane::Next;
use crate::telemetry::LinkHealth;

/// The area of the register map that this engine writes; a standby would have the other.
const AREA: Area = Area::A;

/// One PLC link.
pub struct Lane {
    pub(super) end: EngineEnd,
    pub(super) wire: Wire,
    pub(super) news: Rc<Notify>,
    /// For each cell the newest order that the mailbox has not taken: while the PLC has not
    /// granted us, or its ring is full. The newest wins, so there is never more than one a cell.
    unsent: Vec<Option<(Command, Option<Instant>)>>,
    unsent_count: usize,
    /// For each cell whether its carrier is to be used, where the mailbox has not taken that yet.
    unsent_uses: Vec<Option<bool>>,
    unsent_uses_count: usize,
    /// For each command in the mailbox that is not yet at the PLC: when the telegram or event
    /// came that it follows from.
    on_their_way: VecDeque<Option<Instant>>,
    /// The newest command that the PLC has acknowledged the write of.
    written: Option<Seq>,
    /// An inventory has to be asked for as soon as the mailbox takes it.
    wants_inventory: bool,
    /// The PLC's encoder may count anew, and nothing has been told on it yet.
    is_fresh: bool,
    /// Events told to the sorter whose calls are not all on disk yet.
    unacknowledged: VecDeque<(u64, Mark)>,
    has_news: bool,
    /// Where the inventory being told was latched.
    inventory_at: u32,
    /// It is known what is on the track, so that parcels may come as far as the link is concerned.
    is_ready: bool,
    /// How the sorter runs the track.
    run: RunState,
    /// How the link does, for people.
    pub(super) health: LinkHealth,
}

impl Lane {
    /// A lane that is not connected.
    pub(super) fn new(wire: Wire, link: &PlcLink, epoch: u16) -> Result<Self, ConfigError> {
        let (chutes, inductions, cells) = wire.counts();
        let config = EngineConfig {
            poll_ms: link.poll_ms,
            fc23: link.functions != Functions::Fc3Fc16,
            config_hash: wire.config_hash(),
            ..EngineConfig::new(AREA, epoch, chutes, inductions, cells)
        };
        let mut end = EngineEnd::new(config)?;
        // Until the sorter lets them run.
        for induction in 1..=inductions {
            end.set_induction(induction, induction_wish(Pace::Stop, 0));
        }
        Ok(Self {
            end,
            wire,
            news: Rc::new(Notify::new()),
            unsent: vec![None; usize::from(cells)],
            unsent_count: 0,
            unsent_uses: vec![None; usize::from(cells)],
            unsent_uses_count: 0,
            on_their_way: VecDeque::with_capacity(usize::from(config.waiting_max) + SLOTS),
            written: None,
            wants_inventory: false,
            is_fresh: true,
            unacknowledged: VecDeque::new(),
            has_news: false,
            inventory_at: 0,
            is_ready: false,
            run: RunState::default(),
            health: LinkHealth::default(),
        })
    }

    /// Takes an order for the cell with this number on its track.
    pub(super) fn order(&mut self, own: u16, output: &Output, came: Option<Instant>) {
        let Some(command) = self.wire.command(output) else {
            return;
        };
        if self.unsent_count == 0 && self.push(command, came) {
            return;
        }
        let place = &mut self.unsent[usize::from(own)];
        self.unsent_count += usize::from(place.is_none());
        *place = Some((command, came));
    }

    /// Takes the wish to use a carrier or not, for the cell with this number on its track.
    pub(super) fn use_carrier(&mut self, own: u16, enabled: bool) {
        let place = &mut self.unsent_uses[usize::from(own)];
        self.unsent_uses_count += usize::from(place.is_none());
        *place = Some(enabled);
        self.has_news = true;
    }

    /// Sets how fast an induction may feed.
    pub(super) fn pace(&mut self, induction: InductionId, to: Pace, limit_per_h: u16) {
        let number = self.wire.induction_number(induction);
        let is_known = self
            .end
            .set_induction(number, induction_wish(to, limit_per_h));
        debug_assert!(is_known, "the lane of another track was asked");
        self.has_news = true;
    }

    /// Sets what the PLC should do with a chute, if its track passes it.
    pub(super) fn wish_chute(&mut self, chute: ChuteId, wish: Wish) {
        if let Some((number, wish)) = self.wire.chute_wish(chute, wish) {
            let is_known = self.end.set_chute(number, wish);
            debug_assert!(is_known, "a chute of the wire is not one of the mailbox");
            self.has_news = true;
        }
    }

    /// Tells the PLC how its track is run.
    pub(super) fn run(&mut self, to: RunState) {
        self.run = to;
        self.tell_bits();
    }

    fn ready(&mut self, is_ready: bool) {
        self.is_ready = is_ready;
        self.tell_bits();
    }

    fn tell_bits(&mut self) {
        let bits = EngineBits::default()
            .with(EngineBits::READY, self.is_ready)
            .with(EngineBits::DEGRADED, !self.run.lost.is_none())
            .with(
                EngineBits::EMPTYING_REQUEST,
                self.run.mode == Mode::Emptying,
            );
        self.end.set_bits(bits);
        self.has_news = true;
    }

    /// Hands the mailbox what it will take.
    fn push_unsent(&mut self) {
        if self.wants_inventory && self.push(Command::Resync, None) {
            self.wants_inventory = false;
        }
        self.push_unsent_uses();
        if self.unsent_count == 0 {
            return;
        }
        for own in 0..self.unsent.len() {
            let Some((command, came)) = self.unsent[own] else {
                continue;
            };
            if !self.push(command, came) {
                // Not granted, or full: the newest order for each cell waits here.
                return;
            }
            self.unsent[own] = None;
            self.unsent_count -= 1;
        }
    }

    fn push_unsent_uses(&mut self) {
        if self.unsent_uses_count == 0 {
            return;
        }
        for own in 0..self.unsent_uses.len() {
            let Some(enable) = self.unsent_uses[own] else {
                continue;
            };
            let cell = own as u16 + 1;
            if !self.push(Command::CarrierEnable { cell, enable }, None) {
                return;
            }
            self.unsent_uses[own] = None;
            self.unsent_uses_count -= 1;
        }
    }

    /// Hands the mailbox a command; whether it was taken.
    fn push(&mut self, command: Command, came: Option<Instant>) -> bool {
        let before = self.end.commands_open();
        if self.end.push(command).is_err() {
            return false;
        }
        self.has_news = true;
        // An order that took the place of an unsent one goes out in its stead.
        if self.end.commands_open() > before
            && self.on_their_way.len() < self.on_their_way.capacity()
        {
            self.on_their_way.push_back(came);
        }
        true
    }

    /// Forgets every order: the PLC has lost its tracking and they are void.
    fn void_unsent(&mut self) {
        self.unsent.fill(None);
        self.unsent_count = 0;
        self.unsent_uses.fill(None);
        self.unsent_uses_count = 0;
        self.on_their_way.clear();
        self.written = None;
        self.unacknowledged.clear();
    }

    pub(super) fn wake_if_news(&mut self) {
        if std::mem::take(&mut self.has_news) {
            self.news.notify_one();
        }
    }
}

impl Decider {
    pub(crate) fn lane_connected(&mut self, lane: usize) {
        let now = self.clock.link_now();
        self.lanes[lane].end.connected(now);
    }

    pub(crate) fn lane_disconnected(&mut self, lane: usize) {
        let now = self.clock.link_now();
        self.lanes[lane].end.disconnected(now);
        self.hear(lane);
        self.turn_over();
    }

    pub(crate) fn lane_without_fc23(&mut self, lane: usize) {
        let now = self.clock.link_now();
        self.lanes[lane].end.fc23_refused(now);
    }

    /// What the lane does next.
    pub(crate) fn lane_next(&mut self, lane: usize) -> Next {
        self.acknowledge(lane);
        let now = self.clock.link_now();
        let it = &mut self.lanes[lane];
        it.push_unsent();
        it.has_news = false;
        if let Some(exchange) = it.end.next_exchange(now) {
            tracing::trace!(lane, ?now, ?exchange, "exchange");
            return Next::Exchange(exchange);
        }
        let due = it.end.next_timeout(now).unwrap_or_else(|| now.plus(100));
        // A millisecond at least: link time has no finer grain, and the thread has other work.
        let due = due.max(now.plus(1));
        Next::Wait(self.clock.real_of_link(due).into())
    }

    /// Takes the registers of an exchange; `false` if the connection must be dropped.
    pub(crate) fn lane_reply(
        &mut self,
        lane: usize,
        exchange: &Exchange,
        registers: &[u16],
    ) -> bool {
        let now = self.clock.link_now();
        if let Some(write) = &exchange.write {
            self.orders_arrived(lane, write);
        }
        if let Err(error) = self.lanes[lane].end.reply(now, registers) {
            tracing::error!(lane, %error, "exchange not understood");
            return false;
        }
        self.hear(lane);
        self.turn_over();
        true
    }

    /// A write has been answered: the commands that it published are at the PLC.
    fn orders_arrived(&mut self, lane: usize, write: &Write) {
        let registers = write.registers();
        let it = &mut self.lanes[lane];
        let header: Option<&[u16; HEADER_REGS]> = registers.first_chunk();
        let (true, Some(header)) = (write.address == AREA.base(), header) else {
            return;
        };
        let Some(head) = Header::decode(header).and_then(|h| Seq::from_wire(h.command_head)) else {
            return;
        };
        let arrived = Instant::now();
        let count = usize::from(distance(it.written, Some(head)));
        it.written = Some(head);
        for came in it
            .on_their_way
            .drain(..count.min(it.on_their_way.len()))
            .flatten()
        {
            self.wire_to_wire.record(arrived - came);
        }
    }

    /// Takes in all that the mailbox has to tell.
    fn hear(&mut self, lane: usize) {
        while let Some(delivery) = self.lanes[lane].end.next_event() {
            tracing::trace!(lane, ?delivery, "PLC tells");
            if let Err(error) = self.take_delivery(lane, &delivery) {
                self.stats.unreadable_events += 1;
                self.lanes[lane].health.unreadable += 1;
                tracing::error!(lane, %error, ?delivery, "the PLC and the hub file differ");
            }
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "a table: one arm for each kind of delivery"
    )]
    fn take_delivery(&mut self, lane: usize, delivery: &Delivery) -> Result<(), WireError> {
        match *delivery {
            Delivery::Link(link) => self.link_changed(lane, link),
            Delivery::Event(mark, event) => self.take_event(lane, mark, &event)?,
            Delivery::Unreadable(mark, slot) => {
                self.stats.unreadable_events += 1;
                self.lanes[lane].health.unreadable += 1;
                tracing::error!(
                    lane,
                    ?slot,
                    "an event outside the interface was passed over"
                );
                self.lanes[lane].unacknowledged.push_back((0, mark));
            }
            Delivery::Inventory(cell) => {
                let it = &mut self.lanes[lane];
                let at = it.wire.position(it.inventory_at);
                if cell.item != 0 {
                    let item = sorthub_core::ids::PlcItem(cell.item);
                    let own = it.wire.cell(cell.cell)?;
                    self.tell(
                        Signal::Inventory {
                            cell: own,
                            item,
                            at,
                        },
                        None,
                    );
                }
                if cell.bits.has(CellBits::DISABLED) {
                    let cell = self.lanes[lane].wire.cell(cell.cell)?;
                    self.tell(Signal::CarrierDisabled { cell }, None);
                }
            }
            Delivery::InventoryEnd(InventoryEnd::Complete) => {
                let it = &mut self.lanes[lane];
                let at = it.wire.position(it.inventory_at);
                let track = it.wire.track();
                // Only now it is known what is on the track: parcels may come.
                it.ready(true);
                self.tell(Signal::InventoryEnd { track, at }, None);
            }
            Delivery::InventoryEnd(InventoryEnd::Superseded) => {}
            Delivery::InventoryEnd(
                end @ (InventoryEnd::Miscounted { .. } | InventoryEnd::Unreadable),
            ) => {
                tracing::error!(
                    lane,
                    ?end,
                    "the PLC's inventory cannot be used; asking again"
                );
                self.ask_inventory(lane);
            }
            Delivery::Chute(number, level) => {
                let signal = self.lanes[lane].wire.chute_level(number, &level)?;
                self.tell(signal, None);
            }
            Delivery::Induction(number, level) => {
                let signal = self.lanes[lane].wire.induction_level(number, &level)?;
                self.tell(signal, None);
            }
            Delivery::Status {
                encoder_mm,
                speed_mm_s,
                ..
            } => {
                self.lanes[lane].is_fresh = false;
                let wire = &mut self.lanes[lane].wire;
                let at = wire.position(encoder_mm);
                let belt = wire.belt(at, speed_mm_s);
                self.tell(belt, None);
            }
        }
        Ok(())
    }

    fn take_event(&mut self, lane: usize, mark: Mark, event: &Event) -> Result<(), WireError> {
        self.lanes[lane].inventory_at = event.encoder_mm;
        self.begin_encoder(lane, event);
        let signal = self.lanes[lane].wire.signal(event);
        if let Ok(Some(Signal::Link {
            to: LinkState::Reset,
            ..
        })) = signal
        {
            self.lanes[lane].is_fresh = true;
        }
        let seq = match &signal {
            Ok(Some(signal)) => self.tell(*signal, Some(Instant::now())),
            _ => 0,
        };
        self.lanes[lane].unacknowledged.push_back((seq, mark));
        signal.map(drop)
    }

    /// Before the first event on an encoder that counts anew, the sorter is told where it begins:
    /// what is remembered on the old one moves along, and what comes is on the new one.
    fn begin_encoder(&mut self, lane: usize, event: &Event) {
        let it = &mut self.lanes[lane];
        if it.is_fresh && !matches!(event.kind, EventKind::TrackingReset { .. }) {
            it.is_fresh = false;
            let at = it.wire.position(event.encoder_mm);
            let belt = it.wire.belt(at, 0);
            self.tell(belt, None);
        }
    }

    fn link_changed(&mut self, lane: usize, link: Link) {
        tracing::info!(lane, ?link, "PLC link");
        let to = match link {
            Link::Up => Some(LinkState::Up),
            Link::Lost { .. } => Some(LinkState::Lost),
            Link::Reset { .. } => {
                self.lanes[lane].void_unsent();
                self.lanes[lane].ready(false);
                Some(LinkState::Reset)
            }
            Link::Granted { .. } => {
                self.lanes[lane].health.refused_by = None;
                self.lanes[lane].health.is_mismatched = false;
                // Ready again once it is known what is on the track.
                self.lanes[lane].ready(false);
                self.ask_inventory(lane);
                Some(LinkState::Up)
            }
            Link::EventsLost { .. } => {
                self.lanes[lane].health.events_lost += 1;
                self.ask_inventory(lane);
                None
            }
            Link::Refused { granted_epoch } => {
                self.lanes[lane].health.refused_by = Some(granted_epoch);
                tracing::error!(
                    lane,
                    granted_epoch,
                    "the PLC obeys another engine: this one writes nothing"
                );
                None
            }
            Link::ConfigMismatch { .. } | Link::VersionMismatch { .. } => {
                self.lanes[lane].health.is_mismatched = true;
                tracing::error!(lane, ?link, "the PLC is not the one of the hub file");
                None
            }
            Link::LossLatched => None,
        };
        if let Some(to) = to {
            let signal = self.lanes[lane].wire.link(to);
            self.lanes[lane].is_fresh |= to == LinkState::Reset;
            self.tell(signal, None);
        }
        self.stats.link_changes += 1;
    }

    /// Asks for the inventory as soon as the mailbox takes the request.
    fn ask_inventory(&mut self, lane: usize) {
        self.lanes[lane].wants_inventory = true;
        self.lanes[lane].has_news = true;
    }

    /// Acknowledges the events whose calls are on disk, or that the journal has given up on.
    fn acknowledge(&mut self, lane: usize) {
        if self.broken().is_some() {
            // What was not handled is told again to whoever takes over.
            return;
        }
        let watch = self.recorder.watch();
        let it = &mut self.lanes[lane];
        let mut last = None;
        while let Some(&(seq, mark)) = it.unacknowledged.front() {
            if seq != 0 && !watch.may_acknowledge(seq) {
                break;
            }
            last = Some(mark);
            it.unacknowledged.pop_front();
        }
        if let Some(mark) = last {
            it.end.acknowledge(mark);
        }
    }
}

/// The wires of all tracks.
pub(super) fn wires(hub: &std::sync::Arc<Hub>) -> impl Iterator<Item = Wire> + '_ {
    let tracks = 0..hub.tracks().len();
    tracks.map(|track| Wire::new(hub.clone(), sorthub_core::ids::TrackId(track as u16)))
}
