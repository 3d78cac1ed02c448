//! The plant on the wall clock, with its PLCs' cycles and its scanners' telegrams.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crossbeam::atomic::AtomicCell;
use crossbeam::queue::ArrayQueue;
use sorthub_core::ids::{ChuteId, InductionId, ScannerId, TrackId};
use sorthub_core::signal::{ScanKey, Signal};
use sorthub_core::units::Micros;
use sorthub_sim::plant::{BeltCommand, Plant, PlantEvent, Sight};
use sorthub_sim::plc_node::PlcNode;

use super::fault::{Fault, FaultKind};
use super::plc::VirtualPlc;
use super::scanner::{Content, VirtualScanner};
use super::{EmulatorSetup, Truth, Wish, WorldPulse, ledger};
use crate::clock::Clock;

/// The shortest step of the wall clock: the event loop's own grain.
const STEP_MIN: Duration = Duration::from_millis(1);

pub(super) struct World {
    setup: EmulatorSetup,
    plant: Plant,
    plcs: Vec<VirtualPlc>,
    scanners: Vec<Rc<RefCell<VirtualScanner>>>,
    clock: Clock,
    /// What is still to go wrong or to be mended, the next one last.
    timetable: Vec<(Micros, Fault, bool)>,
    events: Vec<PlantEvent>,
    /// When the next PLC cycle is.
    next_scan: Micros,
    scan: Micros,
    is_stopped: bool,
}

impl World {
    pub fn new(
        setup: EmulatorSetup,
        plant: Plant,
        plcs: Vec<VirtualPlc>,
        scanners: Vec<Rc<RefCell<VirtualScanner>>>,
        clock: Clock,
    ) -> Self {
        let mut timetable = Vec::new();
        for &fault in &setup.faults {
            timetable.push((fault.at, fault, true));
            timetable.push((fault.at.after(fault.lasts), fault, false));
        }
        timetable.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        let scan = setup.plant.tracks.iter().map(|track| track.plc_scan).min();
        Self {
            plant,
            plcs,
            scanners,
            clock,
            timetable,
            events: Vec::with_capacity(64),
            next_scan: Micros(0),
            scan: scan.unwrap_or(Micros::from_millis(10)).max(Micros(1)),
            is_stopped: false,
            setup,
        }
    }

    /// Everything up to this instant happens.
    async fn turn(&mut self) {
        let now = self.clock.plant_now();
        while let Some(&(at, fault, begins)) = self.timetable.last()
            && at <= now
        {
            self.timetable.pop();
            self.run_plant(at.after(Micros(1)));
            self.change(self.plant.now().max(at), fault, begins).await;
        }
        self.run_plant(now.after(Micros(1)));
        if now >= self.next_scan {
            self.scan_plcs(self.plant.now().max(now));
            // Cycles that the host was too slow for are left out, not made up.
            self.next_scan = now.after(self.scan);
        }
    }

    fn run_plant(&mut self, before: Micros) {
        while let Some(now) = self.plant.step(before, &mut self.events) {
            let events = std::mem::take(&mut self.events);
            for event in &events {
                self.tell(now, event);
            }
            self.events = events;
            self.events.clear();
        }
    }

    fn tell(&mut self, now: Micros, event: &PlantEvent) {
        match event {
            PlantEvent::Plc(Signal::Chute { chute, .. }) => self.tell_chute(*chute, now),
            PlantEvent::Plc(signal) => {
                let Some(track) = self.setup.hub.track_of_signal(signal) else {
                    return;
                };
                let at = self.plant.encoder(track, now);
                let mut plc = self.plcs[track.index()].node();
                if plc.is_alive() {
                    plc.tell(signal, at, now);
                }
            }
            PlantEvent::Telegram {
                scanner,
                key,
                sight,
            } => {
                self.send(*scanner, *key, sight, now);
            }
            PlantEvent::Left(_) => {}
        }
    }

    fn tell_chute(&mut self, chute: ChuteId, now: Micros) {
        let truth = self.plant.chute(chute, now);
        let counts_taken = self.setup.plant.chutes[chute.index()].counts_taken;
        for plc in &self.plcs {
            let mut plc = plc.node();
            if plc.is_alive() {
                let at = self.plant.encoder(plc.track(), now);
                plc.chute(chute, &truth, counts_taken, at);
            }
        }
    }

    fn send(&self, scanner: ScannerId, key: ScanKey, sight: &Sight, now: Micros) {
        let track = self.setup.hub.scanners()[scanner.index()].track;
        let label = sight.is_read.then(|| self.plant.label(sight.number));
        let carrier = match key {
            ScanKey::Carrier(cell) => self.setup.hub.track_of(cell).map_or(0, |(_, own)| own),
            _ => 0,
        };
        let encoder = match key {
            ScanKey::Encoder(at) => at,
            _ => self.plant.encoder(track, now),
        };
        self.scanners[scanner.index()].borrow_mut().send(&Content {
            key,
            carrier,
            encoder_mm: encoder.wire(),
            code: label.as_deref(),
            measured: sight.measured,
            verdict: sight.verdict,
        });
    }

    /// One cycle of every PLC: look, obey, let the plant answer, publish.
    fn scan_plcs(&mut self, now: Micros) {
        let link = self.clock.link_now();
        self.with_plcs(|plc, plant| plc.begin_scan(link, now, plant));
        // What the plant answered at once.
        self.run_plant(now.after(Micros(1)));
        self.with_plcs(|plc, plant| plc.end_scan(link, now, plant));
    }

    fn with_plcs(&mut self, mut act: impl FnMut(&mut PlcNode, &mut Plant)) {
        for plc in &self.plcs {
            let mut plc = plc.node();
            if plc.is_alive() {
                act(&mut plc, &mut self.plant);
            }
        }
    }

    /// Something goes wrong, or is mended.
    async fn change(&mut self, now: Micros, fault: Fault, begins: bool) {
        tracing::info!(?fault, begins, at_us = now.0, "virtual hub");
        let track = TrackId(fault.device as u16);
        match (fault.kind, begins) {
            (FaultKind::PlcRestart, true) => {
                self.plcs[fault.device].kill();
                self.plant.halt_plc(now, track);
            }
            (FaultKind::PlcRestart, false) => {
                self.plcs[fault.device].boot();
                self.plant.restart_plc(now, track);
                self.tell_levels(now);
                self.plcs[fault.device].mend().await;
                // Somebody has walked up and pressed start.
                self.plant.belt(now, track, BeltCommand::Run);
            }
            (FaultKind::PlcCut, true) => self.plcs[fault.device].cut(),
            (FaultKind::PlcCut, false) => self.plcs[fault.device].mend().await,
            (FaultKind::ScannerCut, cut) => self.scanners[fault.device].borrow_mut().cut(cut),
            (FaultKind::BeltStop, true) => self.plant.belt(now, track, BeltCommand::Stop),
            (FaultKind::BeltStop, false) => self.plant.belt(now, track, BeltCommand::Run),
        }
    }

    /// Sets the levels of every chute, as a PLC that has booted sees them.
    fn tell_levels(&mut self, now: Micros) {
        for chute in 0..self.setup.hub.chutes().len() {
            self.tell_chute(ChuteId(chute as u16), now);
        }
    }

    /// When to look again.
    fn next_turn(&mut self) -> Micros {
        let mut next = self.next_scan;
        if let Some(event) = self.plant.next_time() {
            next = next.min(event);
        }
        if let Some(&(at, ..)) = self.timetable.last() {
            next = next.min(at);
        }
        next
    }

    fn pulse(&mut self) -> WorldPulse {
        let now = self.plant.now();
        let inductions = (0..self.setup.hub.inductions().len()).map(|i| InductionId(i as u16));
        let waiting = inductions.map(|i| self.plant.waiting(i, now)).sum();
        WorldPulse {
            waiting,
            tally: *self.plant.tally(),
            is_idle: self.plant.is_idle(),
            plant_us: self.plant.now().0,
            telegrams_unsent: self.unsent(),
        }
    }

    fn unsent(&self) -> u64 {
        self.scanners
            .iter()
            .map(|scanner| scanner.borrow().unsent)
            .sum()
    }

    fn obey(&mut self, wish: Wish) {
        let now = self.plant.now();
        match wish {
            Wish::Feed(open) => self.plant.feed(now, open),
            Wish::Stop => self.is_stopped = true,
        }
    }

    fn truth(&mut self) -> Truth {
        let now = self.plant.now();
        let mut truth = Truth {
            rows: ledger::rows(&self.plant),
            telegrams_unsent: self.unsent(),
            plant_us: now.0,
            ..Truth::default()
        };
        for induction in (0..self.setup.hub.inductions().len()).map(|i| InductionId(i as u16)) {
            truth.arrived += self.plant.arrived(induction, now);
            truth.waiting += self.plant.waiting(induction, now);
            truth.turned_away += self.plant.turned_away(induction, now);
        }
        truth
    }
}

/// Lets the world turn until somebody wishes it to stop.
pub(super) async fn turn_until_stopped(
    mut world: World,
    wishes: &ArrayQueue<Wish>,
    pulse: &AtomicCell<WorldPulse>,
) -> Truth {
    world.tell_levels(Micros(0));
    while !world.is_stopped {
        world.turn().await;
        while let Some(wish) = wishes.pop() {
            world.obey(wish);
        }
        pulse.store(world.pulse());
        let next = world.next_turn();
        let next = world.clock.real_of(next);
        let soon = std::time::Instant::now() + STEP_MIN;
        tokio::time::sleep_until(next.max(soon).into()).await;
    }
    world.truth()
}
