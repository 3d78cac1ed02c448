//! The whole chain on simulated time: plant, PLCs, mailboxes, exchanges, sorters.

use std::collections::VecDeque;
use std::sync::Arc;

use sorthub_core::facts::Facts;
use sorthub_core::ids::{ChuteId, CodeId, ScannerId, SorterId, TrackId};
use sorthub_core::operator::{Command, Ticket};
use sorthub_core::outbox::Outbox;
use sorthub_core::plc::{Exchange, Mark};
use sorthub_core::signal::{Output, Signal};
use sorthub_core::sorter::{Books, Setup, Sorter, Wish};
use sorthub_core::units::{Micros, MmPerS};

use super::dice::Dice;
use super::draw::Drawn;
use super::fault::{Fault, What};
use super::judge::Judge;
use super::lane::{InFlight, Lane, link_ms};
use crate::plant::{BeltCommand, ChuteCommand, Options, Plant, PlantEvent, Sight};
use crate::plc_node::PlcNode;

mod trouble;

/// A PLC's cycle.
const SCAN: Micros = Micros::from_millis(10);
/// How long an exchange may take before its connection is dropped.
const GIVE_UP: Micros = Micros::from_millis(500);
/// How long until a dropped connection is tried again.
const RETRY: Micros = Micros::from_millis(100);
/// How long what is on the tracks gets to leave once nobody comes any more.
const EMPTYING_MAX: Micros = Micros::from_secs(900);

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// When.
    pub at: Micros,
    /// What did not hold.
    pub what: String,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Parcels that got on.
    pub parcels: u64,
    /// Calls of sorters.
    pub calls: u64,
    /// Faults that were put in.
    pub faults: u64,
    /// The output hashes of all sorters together.
    pub hash: u64,
}

/// What is being put wrong with one link at the moment.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    requests_lost: u16,
    replies_lost: u16,
    slow_ms: u16,
    is_cut: bool,
    eye_blind: bool,
    eye_twice: bool,
}

/// What is being put wrong with one scanner.
#[derive(Clone, Copy, Debug, Default)]
struct ScannerTrouble {
    late_ms: u16,
    is_twice: bool,
    is_swapped: bool,
    held: Option<Signal>,
}

/// A record of a sorter's journal.
#[derive(Clone, Copy)]
struct Record {
    now: Micros,
    signal: Signal,
    durable: Micros,
    mark: Option<(usize, Mark)>,
}

pub(super) struct Chain {
    drawn: Drawn,
    faults: Vec<Fault>,
    /// Begins and ends of faults still to come, the next one last.
    timetable: Vec<(Micros, usize, bool)>,
    plant: Plant,
    plcs: Vec<PlcNode>,
    lanes: Vec<Lane>,
    looks: Vec<Micros>,
    sorters: Vec<Sorter>,
    judges: Vec<Judge>,
    /// For each sorter its last snapshot and the calls since.
    journals: Vec<(Vec<u8>, Vec<Record>)>,
    handed_over: VecDeque<Signal>,
    telegrams: Vec<(Micros, u64, Signal)>,
    telegrams_sent: u64,
    trouble: Vec<Trouble>,
    scanner_trouble: Vec<ScannerTrouble>,
    disk_ms: u16,
    epoch: u16,
    dice: Dice,
    now: Micros,
    next_scan: Micros,
    outbox: Outbox,
    events: Vec<PlantEvent>,
    calls: u64,
    /// Books of sorters that were forgotten by a crash.
    forgotten: bool,
}

impl Chain {
    pub fn new(seed: u64, drawn: Drawn, faults: Vec<Fault>) -> Self {
        let hub = &drawn.hub;
        let options = Options {
            seed,
            answers_all: true,
            keeps_ledger: false,
            reads_once: false,
        };
        let names = drawn.plan.spec().destinations.iter();
        let names = names.map(|dest| dest.name.clone()).collect();
        let plant = Plant::new(Arc::clone(hub), Arc::clone(&drawn.plant), names, options)
            .unwrap_or_else(|faults| panic!("drew an unsound plant: {faults:?}"));
        let mut dice = Dice::new(seed, 3);
        let tracks = hub.tracks().len();
        let plcs = (0..tracks).map(|track| {
            PlcNode::new(hub, TrackId(track as u16), 7)
                .unwrap_or_else(|error| panic!("drew an unfit track: {error}"))
        });
        let plcs = plcs.collect();
        let fc23 = dice.chance(500);
        let lanes = (0..tracks).map(|track| Lane::new(hub, TrackId(track as u16), 1, fc23));
        let lanes = lanes.collect();
        let sorters: Vec<Sorter> = (0..hub.sorters())
            .map(|sorter| new_sorter(&drawn, sorter, 1))
            .collect();
        let judges = (0..sorters.len())
            .map(|sorter| Judge::new(hub, &drawn.plan, seed, sorter as u64))
            .collect();
        let journals = sorters.iter().map(|s| (s.snapshot(), vec![])).collect();
        let mut timetable = vec![];
        for (index, fault) in faults.iter().enumerate() {
            timetable.push((fault.at, index, true));
            timetable.push((fault.at.after(fault.lasts), index, false));
        }
        timetable.sort_by_key(|&(at, index, begins)| std::cmp::Reverse((at, index, !begins)));
        Self {
            timetable,
            faults,
            plant,
            plcs,
            lanes,
            looks: vec![Micros(0); tracks],
            sorters,
            judges,
            journals,
            handed_over: VecDeque::new(),
            telegrams: vec![],
            telegrams_sent: 0,
            trouble: vec![Trouble::default(); tracks],
            scanner_trouble: vec![ScannerTrouble::default(); hub.scanners().len()],
            disk_ms: 1,
            epoch: 1,
            dice,
            now: Micros(0),
            next_scan: Micros(0),
            outbox: Outbox::new(),
            events: vec![],
            calls: 0,
            forgotten: false,
            drawn,
        }
    }

    /// Runs up to the horizon, then until everything has left, and holds book against truth.
    pub fn run(mut self, horizon: Micros) -> Result<Passed, Broken> {
        let result = self.run_all(horizon);
        let at = self.now;
        result.map_err(|what| Broken { at, what })?;
        let hashes = self.sorters.iter().map(Sorter::output_hash);
        Ok(Passed {
            parcels: self.plant.tally().inducted,
            calls: self.calls,
            faults: self.faults.len() as u64,
            hash: hashes.fold(0, |all, hash| all.rotate_left(1) ^ hash),
        })
    }

    fn run_all(&mut self, horizon: Micros) -> Result<(), String> {
        for chute in 0..self.drawn.hub.chutes().len() {
            self.tell_chute(ChuteId(chute as u16));
        }
        self.run_until(horizon, false)?;
        self.plant.feed(horizon.max(self.plant.now()), false);
        self.run_until(horizon.after(EMPTYING_MAX), true)?;
        self.check_end()
    }

    /// Goes on to a time, or until nothing is anywhere any more.
    fn run_until(&mut self, until: Micros, or_empty: bool) -> Result<(), String> {
        loop {
            let next = self.next();
            if next > until {
                self.now = until;
                return Ok(());
            }
            self.now = next;
            self.turn()?;
            if or_empty && self.is_empty() {
                return Ok(());
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.plant.is_idle()
            && self.timetable.is_empty()
            && self.sorters.iter().all(|sorter| {
                sorter.books().on_sorter == 0
                    && sorter.items().next().is_none()
                    && sorter.next_timeout().is_none()
            })
            && self.books().in_transfer() == 0
    }

    fn books(&self) -> Books {
        let mut books = Books::default();
        self.sorters
            .iter()
            .for_each(|sorter| books.add(sorter.books()));
        books
    }

    fn next(&mut self) -> Micros {
        let mut next = self.next_scan;
        if let Some(at) = self.plant.next_time() {
            next = next.min(at);
        }
        if let Some(&(at, ..)) = self.timetable.last() {
            next = next.min(at);
        }
        for (at, ..) in &self.telegrams {
            next = next.min(*at);
        }
        for sorter in &self.sorters {
            next = next.min(sorter.next_timeout().unwrap_or(Micros::NEVER));
        }
        for (lane, look) in self.lanes.iter().zip(&self.looks) {
            let due = match &lane.in_flight {
                Some(flight) => {
                    let served = flight.served_at.unwrap_or(Micros::NEVER);
                    let reply = flight.reply_at.unwrap_or(Micros::NEVER);
                    served.min(reply).min(flight.give_up_at)
                }
                None if lane.is_connected => *look,
                None => lane.retry_at,
            };
            next = next.min(due);
        }
        next.max(self.now)
    }

    /// Whatever is due at this instant happens.
    fn turn(&mut self) -> Result<(), String> {
        self.run_plant()?;
        while let Some(&(at, index, begins)) = self.timetable.last()
            && at <= self.now
        {
            self.timetable.pop();
            self.change(index, begins)?;
            self.run_plant()?;
        }
        if self.next_scan <= self.now {
            self.next_scan = self.now.after(SCAN);
            self.scan_plcs()?;
        }
        self.run_telegrams()?;
        for lane in 0..self.lanes.len() {
            self.run_lane(lane)?;
        }
        for sorter in 0..self.sorters.len() {
            while self.sorters[sorter]
                .next_timeout()
                .is_some_and(|due| due <= self.now)
            {
                self.call(sorter, &Signal::Tick, None)?;
            }
        }
        Ok(())
    }

    fn run_plant(&mut self) -> Result<(), String> {
        let mut events = std::mem::take(&mut self.events);
        while self
            .plant
            .step(self.now.after(Micros(1)), &mut events)
            .is_some()
        {
            for event in events.drain(..) {
                self.plant_says(&event)?;
            }
        }
        self.events = events;
        Ok(())
    }

    fn plant_says(&mut self, event: &PlantEvent) -> Result<(), String> {
        match event {
            PlantEvent::Plc(Signal::Chute { chute, .. }) => self.tell_chute(*chute),
            PlantEvent::Plc(signal) => self.plc_sees(signal),
            PlantEvent::Telegram {
                scanner,
                key,
                sight,
            } => {
                let (scanner, key) = (*scanner, *key);
                let facts = self.facts(sight);
                self.telegram(
                    scanner,
                    Signal::Scanned {
                        scanner,
                        key,
                        facts,
                    },
                );
            }
            PlantEvent::Left(exit) => Judge::left(&self.drawn.hub, &self.drawn.plan, exit)?,
        }
        Ok(())
    }

    /// What a PLC's eyes tell it, unless they are blind.
    fn plc_sees(&mut self, signal: &Signal) {
        let track = match *signal {
            Signal::Belt { track, .. } => track,
            Signal::Inducted { cell, .. }
            | Signal::AtScanner { cell, .. }
            | Signal::Discharged { cell, .. }
            | Signal::NotDischarged { cell, .. }
            | Signal::LapPassed { cell, .. }
            | Signal::Returning { cell, .. }
            | Signal::Missing { cell, .. }
            | Signal::Unexpected { cell, .. }
            | Signal::RemovedByHand { cell, .. }
            | Signal::OrderAnswered { cell, .. } => match self.drawn.hub.track_of(cell) {
                Some((track, _)) => track,
                None => return,
            },
            _ => return,
        };
        let at = self.plant.encoder(track, self.now);
        let trouble = &mut self.trouble[track.index()];
        let is_eye = matches!(signal, Signal::AtScanner { .. } | Signal::LapPassed { .. });
        if is_eye && std::mem::take(&mut trouble.eye_blind) {
            return;
        }
        let times = 1 + u32::from(is_eye && std::mem::take(&mut trouble.eye_twice));
        let plc = &mut self.plcs[track.index()];
        if plc.is_alive() {
            (0..times).for_each(|_| plc.tell(signal, at, self.now));
        }
    }

    fn tell_chute(&mut self, chute: ChuteId) {
        let truth = self.plant.chute(chute, self.now);
        let counts = self.drawn.plant.chutes[chute.index()].counts_taken;
        for plc in self.plcs.iter_mut().filter(|plc| plc.is_alive()) {
            let at = self.plant.encoder(plc.track(), self.now);
            plc.chute(chute, &truth, counts, at);
        }
    }

    fn facts(&self, sight: &Sight) -> Facts {
        let measured = sight.measured;
        if !sight.is_read {
            return Facts {
                measured,
                ..Facts::default()
            };
        }
        let key = sight.dest.map(|dest| self.drawn.plan.key(dest));
        Facts {
            measured,
            ..Facts::advised(CodeId(sight.number + 1), key.unwrap_or_default())
        }
    }

    fn telegram(&mut self, scanner: ScannerId, signal: Signal) {
        let trouble = &mut self.scanner_trouble[scanner.index()];
        let due = self
            .now
            .after(Micros::from_millis(u64::from(trouble.late_ms)));
        let mut sent = vec![signal];
        if trouble.is_twice {
            sent.push(signal);
        }
        if trouble.is_swapped {
            match trouble.held.take() {
                None => {
                    trouble.held = Some(signal);
                    return;
                }
                Some(first) => {
                    sent.push(first);
                    trouble.is_swapped = false;
                }
            }
        }
        for signal in sent {
            self.telegrams_sent += 1;
            self.telegrams.push((due, self.telegrams_sent, signal));
        }
    }

    fn run_telegrams(&mut self) -> Result<(), String> {
        while let Some(first) = (0..self.telegrams.len())
            .filter(|&at| self.telegrams[at].0 <= self.now)
            .min_by_key(|&at| (self.telegrams[at].0, self.telegrams[at].1))
        {
            let (_, _, signal) = self.telegrams.remove(first);
            let sorter = self.drawn.hub.addressee(&signal);
            self.call(sorter.map_or(0, SorterId::index), &signal, None)?;
        }
        Ok(())
    }

    fn scan_plcs(&mut self) -> Result<(), String> {
        let link = link_ms(self.now);
        for plc in self.plcs.iter_mut().filter(|plc| plc.is_alive()) {
            plc.begin_scan(link, self.now, &mut self.plant);
        }
        self.run_plant()?;
        for plc in self.plcs.iter_mut().filter(|plc| plc.is_alive()) {
            plc.end_scan(link, self.now, &self.plant);
        }
        Ok(())
    }

    /// What is due on one link.
    fn run_lane(&mut self, index: usize) -> Result<(), String> {
        if let Some(flight) = &mut self.lanes[index].in_flight {
            if flight.served_at.is_some_and(|at| at <= self.now) {
                flight.served_at = None;
                match serve(&mut self.plcs[index], &flight.exchange) {
                    Some(registers) => flight.registers = registers,
                    None => flight.reply_at = None,
                }
            }
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

    fn disconnect(&mut self, index: usize) -> Result<(), String> {
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
        let dice = &mut self.dice;
        let way_us = dice.between(200, 3_000) + u64::from(trouble.slow_ms) * 1_000;
        let back_us = dice.between(200, 3_000) + u64::from(trouble.slow_ms) * 1_000;
        let is_gone = dice.chance(u64::from(trouble.requests_lost));
        let no_reply = dice.chance(u64::from(trouble.replies_lost)) || is_gone;
        self.lanes[index].in_flight = Some(InFlight {
            exchange,
            served_at: (!is_gone).then_some(Micros(now.0 + way_us)),
            registers: vec![],
            reply_at: (!no_reply).then_some(Micros(now.0 + way_us + back_us)),
            give_up_at: now.after(GIVE_UP),
        });
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

    fn call(
        &mut self,
        index: usize,
        signal: &Signal,
        mark: Option<(usize, Mark)>,
    ) -> Result<(), String> {
        self.calls += 1;
        let now = self.now;
        let sorter = &mut self.sorters[index];
        let stepwise = self.judges[index].before(sorter, now, signal)?;
        self.outbox.clear();
        sorter.handle(now, signal, &mut self.outbox);
        let outputs = self.outbox.outputs();
        self.judges[index].after(sorter, now, signal, outputs, stepwise)?;
        for output in outputs {
            match *output {
                Output::Divert(ref order) => {
                    if let Some((track, own)) = self.drawn.hub.track_of(order.cell) {
                        self.lanes[track.index()].order(own, output);
                        self.looks[track.index()] = now;
                    }
                }
                Output::Withdraw { cell, .. } => {
                    if let Some((track, own)) = self.drawn.hub.track_of(cell) {
                        self.lanes[track.index()].order(own, output);
                        self.looks[track.index()] = now;
                    }
                }
                Output::CarrierEnable { cell, .. } => {
                    if let Some((track, own)) = self.drawn.hub.track_of(cell) {
                        self.lanes[track.index()].use_carrier(own, output);
                        self.looks[track.index()] = now;
                    }
                }
                Output::Pace {
                    induction,
                    to,
                    limit_per_h,
                } => {
                    let track = self.drawn.hub.inductions()[induction.index()].track;
                    self.lanes[track.index()].pace(induction, to, limit_per_h);
                    self.looks[track.index()] = now;
                }
                Output::ChuteWish {
                    chute,
                    lock,
                    lamp,
                    why,
                } => {
                    let wish = Wish { lock, lamp, why };
                    for (lane, look) in self.lanes.iter_mut().zip(&mut self.looks) {
                        lane.wish_chute(chute, wish);
                        *look = now;
                    }
                }
                Output::HandOver {
                    transfer,
                    parcel,
                    facts,
                } => self.handed_over.push_back(Signal::Transfer {
                    transfer,
                    parcel,
                    facts,
                }),
                _ => {}
            }
        }
        self.journal(index, signal, mark);
        while let Some(news) = self.handed_over.pop_front() {
            let to = self.drawn.hub.addressee(&news).map_or(0, SorterId::index);
            self.call(to, &news, None)?;
        }
        Ok(())
    }

    /// Writes a call down; its event is acknowledged once it is durable.
    fn journal(&mut self, index: usize, signal: &Signal, mark: Option<(usize, Mark)>) {
        let (now, signal) = (self.now, *signal);
        let (snapshot, records) = &mut self.journals[index];
        // Records become durable in their order.
        let before = records.last().map_or(now, |record: &Record| record.durable);
        let durable = before.max(now.after(Micros::from_millis(u64::from(self.disk_ms))));
        if let Some((lane, mark)) = mark {
            self.lanes[lane].durable_at(durable, mark);
        }
        records.push(Record {
            now,
            signal,
            durable,
            mark,
        });
        if records.len() > 2_000 && records.iter().all(|record| record.durable <= now) {
            *snapshot = self.sorters[index].snapshot();
            records.clear();
        }
    }

    /// Everything has left, and the book says so.
    fn check_end(&mut self) -> Result<(), String> {
        if !self.is_empty() {
            let books = self.books();
            return Err(format!(
                "{} parcels are still in the plant and {} in the book, {} in transfer, {} s after \
                 the last came",
                self.plant.tally().on_tracks() + self.plant.tally().on_transfers(),
                books.on_sorter,
                books.in_transfer(),
                EMPTYING_MAX.0 / 1_000_000,
            ));
        }
        if self.forgotten || self.faults.iter().any(|fault| fault.what.hides_something()) {
            return Ok(());
        }
        let (books, tally) = (self.books(), *self.plant.tally());
        for (what, truth, book) in [
            ("inducted", tally.inducted, books.inducted),
            (
                "discharged",
                tally.discharged,
                books.sorted + books.rejected,
            ),
            ("removed", tally.removed, books.removed),
            ("lost", 0, books.lost),
            ("missorted", 0, books.missorted),
            ("handed over", tally.handed_over, books.handed_over),
        ] {
            if truth != book {
                return Err(format!("{what}: really {truth}, in the book {book}"));
            }
        }
        Ok(())
    }
}

fn new_sorter(drawn: &Drawn, sorter: usize, run_epoch: u32) -> Sorter {
    let setup = Setup {
        run_epoch,
        sorter: SorterId(sorter as u16),
    };
    Sorter::new(Arc::clone(&drawn.hub), Arc::clone(&drawn.plan), setup)
}

/// A PLC's Modbus server: what is written comes first. `None`: nobody answers.
fn serve(plc: &mut PlcNode, exchange: &Exchange) -> Option<Vec<u16>> {
    if !plc.is_alive() {
        return None;
    }
    let end = plc.registers();
    if let Some(write) = &exchange.write {
        end.write(write.address, write.registers()).ok()?;
    }
    let Some(read) = exchange.read else {
        return Some(vec![]);
    };
    let mut registers = vec![0; usize::from(read.count)];
    end.read(read.address, &mut registers).ok()?;
    Some(registers)
}
