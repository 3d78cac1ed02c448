//! The links between engine and PLCs: exchanges that take time, or get lost.

use sorthub_core::ids::TrackId;
use sorthub_core::plc::map::{HEADER_REGS, SLOT_REGS, STATUS_BASE, STATUS_REGS};
use sorthub_core::plc::ring::{SEQ_MAX, distance};
use sorthub_core::plc::{Area, Exchange, PlcEnd, Seq, Status, Write};
use sorthub_core::units::Micros;

use super::Chain;
use crate::plc_node::PlcNode;
use crate::torture::dice::Dice;
use crate::torture::lane::{InFlight, Lane, link_ms};

/// How long an exchange may take before its connection is dropped.
const GIVE_UP: Micros = Micros::from_millis(500);
/// How long until a dropped connection is tried again.
pub(super) const RETRY: Micros = Micros::from_millis(100);

/// An engine that was taken for dead: another has been started in its place, but it still beats
/// and writes. It decides nothing any more.
pub(super) struct Rival {
    pub track: TrackId,
    pub lane: Lane,
    pub look: Micros,
    pub until: Micros,
}

impl Rival {
    /// When it has something to do.
    pub fn next(&self) -> Micros {
        let due = self
            .lane
            .in_flight
            .as_ref()
            .map_or(self.look, InFlight::next);
        due.min(self.until)
    }
}

impl Chain {
    /// What is due on one link.
    pub(super) fn run_lane(&mut self, index: usize) -> Result<(), String> {
        if let Some(flight) = &mut self.lanes[index].in_flight {
            flight.serve(&mut self.plcs[index], self.now)?;
            if flight.reply_at.is_some_and(|at| at <= self.now) && flight.served_at.is_none() {
                let registers = std::mem::take(&mut flight.registers);
                let lane = &mut self.lanes[index];
                lane.in_flight = None;
                lane.end
                    .reply(link_ms(self.now), &registers)
                    .map_err(|error| format!("an exchange is not understood: {error}"))?;
                self.looks[index] = self.now;
                self.hear(index)?;
            } else if flight.give_up_at <= self.now {
                self.disconnect(index)?;
            } else {
                return Ok(());
            }
        }
        if !self.lanes[index].is_connected {
            return self.connect(index);
        }
        if self.looks[index] <= self.now {
            self.look(index);
        }
        Ok(())
    }

    fn connect(&mut self, index: usize) -> Result<(), String> {
        let lane = &mut self.lanes[index];
        if lane.retry_at > self.now {
            return Ok(());
        }
        if self.trouble[index].is_cut || !self.plcs[index].is_alive() {
            lane.retry_at = self.now.after(RETRY);
            // The link's loss is noticed meanwhile.
            lane.end.disconnected(link_ms(self.now));
            return self.hear(index);
        }
        lane.is_connected = true;
        lane.end.connected(link_ms(self.now));
        self.looks[index] = self.now;
        self.look(index);
        Ok(())
    }

    pub(super) fn disconnect(&mut self, index: usize) -> Result<(), String> {
        let lane = &mut self.lanes[index];
        lane.in_flight = None;
        lane.is_connected = false;
        lane.retry_at = self.now.after(RETRY);
        lane.end.disconnected(link_ms(self.now));
        self.hear(index)
    }

    /// Sends the next exchange, if there is one.
    fn look(&mut self, index: usize) {
        let now = self.now;
        let Some(exchange) = self.lanes[index].next_exchange(now) else {
            self.looks[index] = self.lanes[index].next_look(now);
            return;
        };
        let trouble = self.trouble[index];
        let lost = (trouble.requests_lost, trouble.replies_lost);
        let flight = InFlight::new(exchange, &mut self.dice, now, trouble.slow_ms, lost);
        self.lanes[index].in_flight = Some(flight);
    }

    /// What rivals do; those whose time is over are gone.
    pub(super) fn run_rivals(&mut self) {
        let now = self.now;
        for rival in &mut self.rivals {
            let plc = &mut self.plcs[rival.track.index()];
            let lane = &mut rival.lane;
            let is_broken = self.trouble[rival.track.index()].is_cut || !plc.is_alive();
            if let Some(mut flight) = lane.in_flight.take() {
                // Nothing that it writes is judged: it may be behind the times.
                let served = flight.serve(plc, now);
                let is_over = flight.reply_at.is_some_and(|at| at <= now);
                let replied = is_over && lane.end.reply(link_ms(now), &flight.registers).is_ok();
                let is_lost = flight.give_up_at <= now;
                if served.is_err() || is_broken || is_lost || (is_over && !replied) {
                    // Without its connection nobody takes it for alive any more.
                    rival.until = now;
                } else if !is_over {
                    lane.in_flight = Some(flight);
                }
                while lane.hear().is_some() {}
            } else if rival.look <= now {
                match lane.next_exchange(now) {
                    Some(exchange) => {
                        lane.in_flight =
                            Some(InFlight::new(exchange, &mut self.dice, now, 0, (0, 0)));
                    }
                    None => rival.look = lane.next_look(now),
                }
            }
        }
        self.rivals.retain(|rival| rival.until > now);
    }

    fn hear(&mut self, index: usize) -> Result<(), String> {
        while let Some((signal, mark)) = self.lanes[index].hear() {
            let mark = mark.map(|mark| (index, mark));
            match (signal, mark) {
                (Some(signal), mark) => {
                    let sorter = self.drawn.hub.sorter_of(TrackId(index as u16));
                    self.call(sorter.index(), &signal, mark)?;
                }
                (None, Some((lane, mark))) => self.lanes[lane].durable_at(self.now, mark),
                (None, None) => {}
            }
        }
        Ok(())
    }
}

impl InFlight {
    fn new(
        exchange: Exchange,
        dice: &mut Dice,
        now: Micros,
        slow_ms: u16,
        (requests_lost, replies_lost): (u16, u16),
    ) -> Self {
        let way_us = dice.between(200, 3_000) + u64::from(slow_ms) * 1_000;
        let back_us = dice.between(200, 3_000) + u64::from(slow_ms) * 1_000;
        let is_gone = dice.chance(u64::from(requests_lost));
        let no_reply = dice.chance(u64::from(replies_lost)) || is_gone;
        Self {
            exchange,
            served_at: (!is_gone).then_some(Micros(now.0 + way_us)),
            registers: vec![],
            reply_at: (!no_reply).then_some(Micros(now.0 + way_us + back_us)),
            give_up_at: now.after(GIVE_UP),
        }
    }

    /// When something happens to it.
    pub(super) fn next(&self) -> Micros {
        let served = self.served_at.unwrap_or(Micros::NEVER);
        let reply = self.reply_at.unwrap_or(Micros::NEVER);
        served.min(reply).min(self.give_up_at)
    }

    /// It reaches the PLC's Modbus server, if it is time: what is written comes first.
    fn serve(&mut self, plc: &mut PlcNode, now: Micros) -> Result<(), String> {
        if self.served_at.is_none_or(|at| at > now) {
            return Ok(());
        }
        self.served_at = None;
        if !plc.is_alive() {
            self.reply_at = None;
            return Ok(());
        }
        let end = plc.registers();
        if let Some(write) = &self.exchange.write {
            keeps_unconsumed(end, write)?;
            let written = end.write(write.address, write.registers());
            written.map_err(|_| format!("the PLC refuses a write at {}", write.address))?;
        }
        if let Some(read) = self.exchange.read {
            self.registers = vec![0; usize::from(read.count)];
            let read = end.read(read.address, &mut self.registers);
            read.map_err(|_| "the PLC refuses a read".to_owned())?;
        }
        Ok(())
    }
}

/// A command that the PLC it is for has not consumed is never written over by a later one.
fn keeps_unconsumed(end: &PlcEnd, write: &Write) -> Result<(), String> {
    let Some((area, epoch)) = end
        .granted()
        .filter(|(area, _)| area.base() == write.address)
    else {
        return Ok(());
    };
    let (_, slots) = write.registers().split_at(HEADER_REGS);
    let mut before = vec![0; slots.len()];
    let mut status = [0; STATUS_REGS];
    let is_read = end
        .read(Area::base(area) + HEADER_REGS as u16, &mut before)
        .is_ok()
        && end.read(STATUS_BASE, &mut status).is_ok();
    if !is_read {
        return Ok(());
    }
    let acked = Seq::from_wire(Status::decode(&status).command_ack);
    for (old, new) in before.chunks(SLOT_REGS).zip(slots.chunks(SLOT_REGS)) {
        let is_newer = match (Seq::from_wire(old[0]), Seq::from_wire(new[0])) {
            (Some(old), Some(new)) => old != new && distance(Some(old), Some(new)) < SEQ_MAX / 2,
            _ => false,
        };
        let steps = distance(acked, Seq::from_wire(old[0]));
        let is_open = (1..SEQ_MAX / 2).contains(&steps) && old[1] == epoch && new[1] == epoch;
        if is_newer && is_open {
            return Err(format!(
                "command {} is overwritten by {}, but {acked:?} is the last that was consumed",
                old[0], new[0]
            ));
        }
    }
    Ok(())
}
