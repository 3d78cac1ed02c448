//! The whole chain on simulated time: plant, PLCs, mailboxes, exchanges, sorters.

use std::collections::VecDeque;
use std::sync::Arc;

use sorthub_core::ids::{ChuteId, CodeId, ParcelId, SorterId, TrackId};
use sorthub_core::outbox::Outbox;
use sorthub_core::signal::{ScanKey, Signal};
use sorthub_core::sorter::{Books, Setup, Sorter};
use sorthub_core::units::Micros;

use super::dice::Dice;
use super::draw::Drawn;
use super::fault::Fault;
use super::judge::{Judge, Truth};
use super::lane::{Lane, link_ms};
use crate::plant::{Exit, Options, Plant, PlantEvent, Way};
use crate::plc_node::PlcNode;

mod calls;
mod end;
mod links;
mod telegrams;
mod upsets;

use calls::Journal;
use links::Rival;
use telegrams::{ScannerTrouble, Telegram};
use upsets::ROUNDS;

/// A PLC's cycle.
const SCAN: Micros = Micros::from_millis(10);
/// How long what is on the tracks and waits for them gets to leave once nobody comes any more, as
/// long as something happens. Some of what is drawn is fed far more than it can sort.
const EMPTYING_MAX: Micros = Micros::from_secs(20_000);
/// Real conveyors are full long before; here they back up without end.
const ON_TRANSFERS_MAX: u64 = 100;
/// So long at least does something get on or leave, or nothing will any more: longer than all laps
/// of the longest track. What has been lost on a transfer is waited for longer.
const STALLED: Micros = Micros::from_secs(600);

/// How long until all levels have been read again, the last link is up and its lease is granted.
const SETTLING: Micros = Micros::from_secs(12);

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
    induction_blind: bool,
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
    journals: Vec<Journal>,
    handed_over: VecDeque<Signal>,
    telegrams: Vec<Telegram>,
    telegrams_sent: u64,
    /// Engines that were taken for dead.
    rivals: Vec<Rival>,
    trouble: Vec<Trouble>,
    scanner_trouble: Vec<ScannerTrouble>,
    disk_ms: u16,
    /// So much later than they are due do ticks come.
    ticks_late: Micros,
    host_is_silent: bool,
    /// What the host has just been asked.
    asked: Vec<(ParcelId, CodeId)>,
    /// Labels of bags that were used.
    labels: u64,
    epoch: u16,
    dice: Dice,
    now: Micros,
    next_scan: Micros,
    /// When people look at how the tracks run.
    next_round: Micros,
    outbox: Outbox,
    events: Vec<PlantEvent>,
    calls: u64,
    truth: Truth,
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
            PlcNode::with_fifo(hub, TrackId(track as u16), 7, drawn.fifo_depth)
                .unwrap_or_else(|error| panic!("drew an unfit track: {error}"))
        });
        let plcs = plcs.collect();
        let fc23 = dice.chance(500);
        let lanes = (0..tracks).map(|track| Lane::new(hub, TrackId(track as u16), fc23));
        let lanes = lanes.collect();
        let sorters: Vec<Sorter> = (0..hub.sorters())
            .map(|sorter| new_sorter(&drawn, sorter, 1))
            .collect();
        let judges = (0..sorters.len())
            .map(|sorter| Judge::new(hub, &drawn.plan, seed, sorter as u64))
            .collect();
        let journals = sorters.iter().map(Journal::new).collect();
        let mut timetable = vec![];
        for (index, fault) in faults.iter().enumerate() {
            timetable.push((fault.at, index, true));
            timetable.push((fault.at.after(fault.lasts), index, false));
        }
        timetable.sort_by_key(|&(at, index, begins)| std::cmp::Reverse((at, index, !begins)));
        Self {
            timetable,
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
            rivals: vec![],
            scanner_trouble: vec![ScannerTrouble::default(); hub.scanners().len()],
            disk_ms: 1,
            ticks_late: Micros(0),
            host_is_silent: false,
            asked: vec![],
            labels: 0,
            epoch: 1,
            dice,
            now: Micros(0),
            next_scan: Micros(0),
            next_round: ROUNDS,
            outbox: Outbox::new(),
            events: vec![],
            calls: 0,
            truth: Truth::new(hub, &faults),
            faults,
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
        self.run_until(horizon)?;
        self.plant.feed(horizon.max(self.plant.now()), false);
        self.run_empty(horizon.after(EMPTYING_MAX))?;
        self.check_empty()?;
        // All that there is to tell has been told by then.
        self.run_for(SETTLING)?;
        self.run_until_chutes_rest()?;
        self.check_end()
    }

    /// Goes on for so long.
    fn run_for(&mut self, time: Micros) -> Result<(), String> {
        let until = self.now.after(time);
        self.run_until(until)
    }

    /// Goes on to a time.
    fn run_until(&mut self, until: Micros) -> Result<(), String> {
        loop {
            let next = self.next();
            if next > until {
                self.now = until;
                return Ok(());
            }
            self.now = next;
            self.turn()?;
        }
    }

    /// Goes on until nothing is anywhere any more, but not for ever.
    fn run_empty(&mut self, until: Micros) -> Result<(), String> {
        let patience = self.drawn.hub.transfers().iter();
        let patience = patience.map(|transfer| transfer.patience).max();
        let stalled = STALLED.after(patience.unwrap_or(Micros(0)));
        let progress = |chain: &Self| {
            let (books, tally) = (chain.books(), chain.plant.tally());
            let booked = (books.on_sorter, books.in_transfer());
            let really = (tally.inducted, tally.taken_over, tally.removed);
            (booked, really, tally.last_exit, chain.timetable.len())
        };
        let mut before = progress(self);
        let mut changed = self.now;
        while self.now < until && self.now.since(changed) < stalled {
            self.now = self.next();
            self.turn()?;
            if self.is_empty() {
                return Ok(());
            }
            let here = progress(self);
            if here != before {
                before = here;
                changed = self.now;
            }
        }
        Ok(())
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
        let mut next = self.next_scan.min(self.next_round);
        if let Some(at) = self.plant.next_time() {
            next = next.min(at);
        }
        if let Some(&(at, ..)) = self.timetable.last() {
            next = next.min(at);
        }
        for telegram in &self.telegrams {
            next = next.min(telegram.due);
        }
        for sorter in &self.sorters {
            let due = sorter.next_timeout().unwrap_or(Micros::NEVER);
            next = next.min(due.after(self.ticks_late));
        }
        for rival in &self.rivals {
            next = next.min(rival.next());
        }
        for (lane, look) in self.lanes.iter().zip(&self.looks) {
            let due = match &lane.in_flight {
                Some(flight) => flight.next(),
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
        if self.next_round <= self.now {
            self.next_round = self.now.after(ROUNDS);
            self.people_look()?;
            if self.plant.tally().on_transfers() > ON_TRANSFERS_MAX {
                self.truth.overfed();
            }
        }
        self.run_telegrams()?;
        for lane in 0..self.lanes.len() {
            self.run_lane(lane)?;
        }
        self.run_rivals();
        for sorter in 0..self.sorters.len() {
            while self.sorters[sorter]
                .next_timeout()
                .is_some_and(|due| due.after(self.ticks_late) <= self.now)
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
                let track = self.drawn.hub.scanners()[scanner.index()].track;
                let zero = self.plcs[track.index()].zero();
                let key = match *key {
                    ScanKey::Encoder(at) => ScanKey::Encoder(at.plus(-zero.0)),
                    key => key,
                };
                self.telegram(*scanner, key, sight);
            }
            PlantEvent::Left(exit) => {
                self.truth.left(&self.drawn, exit)?;
                self.hangs_open(exit)?;
            }
        }
        Ok(())
    }

    /// What has left did not drop into a container whose contents stand.
    fn hangs_open(&self, exit: &Exit) -> Result<(), String> {
        let Way::Chute(chute) = exit.way else {
            return Ok(());
        };
        let frozen = |sorter: &Sorter| sorter.chute(chute).bag.is_some_and(|bag| bag.is_frozen);
        if self.sorters.iter().any(frozen) {
            let name = &self.drawn.hub.chutes()[chute.index()].name;
            return Err(format!(
                "parcel {} drops into the bag at {name}, whose contents stand",
                exit.number
            ));
        }
        Ok(())
    }

    /// What a PLC's eyes tell it, unless they are blind.
    fn plc_sees(&mut self, signal: &Signal) {
        let Some(track) = self.drawn.hub.track_of_signal(signal) else {
            return;
        };
        let at = self.plant.encoder(track, self.now);
        let trouble = &mut self.trouble[track.index()];
        let is_new = matches!(
            signal,
            Signal::Inducted {
                returned: false,
                ..
            }
        );
        if is_new && std::mem::take(&mut trouble.induction_blind) {
            return;
        }
        let is_eye = matches!(signal, Signal::AtScanner { .. } | Signal::LapPassed { .. });
        if is_eye && std::mem::take(&mut trouble.eye_blind) {
            return;
        }
        let times = 1 + u32::from(is_eye && std::mem::take(&mut trouble.eye_twice));
        let plc = &mut self.plcs[track.index()];
        if plc.is_alive() {
            (0..times).for_each(|_| plc.tell(signal, at, self.now));
            if plc.has_lost_events() {
                self.truth.forgotten();
            }
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
}

fn new_sorter(drawn: &Drawn, sorter: usize, run_epoch: u32) -> Sorter {
    let setup = Setup {
        run_epoch,
        sorter: SorterId(sorter as u16),
    };
    let mut sorter = Sorter::new(Arc::clone(&drawn.hub), Arc::clone(&drawn.plan), setup);
    let staged = sorter.stage(Arc::clone(&drawn.other));
    assert!(staged.is_ok(), "a new sorter has room for another plan");
    sorter
}
