//! Loops that turn, and the sorter that is told of it, each of its calls timed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use sorthub_core::hub::Hub;
use sorthub_core::ids::{CellId, ChuteId, InductionId, ParcelId, PlcItem, ScannerId, TrackId};
use sorthub_core::limits::SWEEP_PER_CALL_MAX;
use sorthub_core::operator::{Command, Ticket};
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::Plan;
use sorthub_core::signal::{ChuteState, LinkState, Output, ScanKey, Signal};
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::{BeltMm, Micros, Mm};

use super::counting::calls;
use super::sizes::{INDUCTION_AT, PITCH_MM, SCANNER_AT, SIGNAL_US, SPEED, Sizes, TRACKS};

/// How finely the engine's timer sleeps.
const TICK_US: u64 = 1_000;

/// A parcel on a carrier, as the plant knows it.
#[derive(Clone, Copy)]
struct Load {
    item: PlcItem,
    number: u32,
    chute: Option<ChuteId>,
}

/// Eight loops with nothing but what the sorter is told of them, and the sorter with its clock.
pub struct Plant<'a> {
    sizes: &'a Sizes,
    pub sorter: Sorter,
    outbox: Outbox,
    now: Micros,
    ticked: Micros,
    cells: Vec<Option<Load>>,
    taken: Vec<u16>,
    steps: i64,
    next: u32,
    pub calls: Calls,
}

/// What calls cost and did, in one round.
#[derive(Default)]
pub struct Calls {
    /// The last switch goes on.
    switches: bool,
    /// Signals without a switch, signals during one, and ticks during one.
    pub normal_ns: Vec<u32>,
    pub during_ns: Vec<u32>,
    pub ticks_ns: Vec<u32>,
    pub activating_ns: Vec<u32>,
    /// Calls and their time until each switch was over, and how long that was by the plant.
    pub until_over: Vec<(usize, u64, u64)>,
    /// Calls of the allocator in calls of the sorter during switches.
    allocations: u64,
    /// Most parcels that one call decided something of, but for the one that it was about.
    pub redecided_most: usize,
    redecided: u64,
    /// Of those, how many were sent round because no chute took them.
    pub without_way: u64,
}

/// The parcel that an output decides something of.
fn decided(output: &Output) -> Option<ParcelId> {
    match *output {
        Output::Divert(order) => Some(order.parcel),
        Output::Withdraw { parcel, .. } | Output::Decided { parcel, .. } => Some(parcel),
        _ => None,
    }
}

impl Plant<'_> {
    pub fn new<'a>(sizes: &'a Sizes, hub: &Arc<Hub>, plans: &[Arc<Plan>; 2]) -> Plant<'a> {
        let [first, second] = plans.clone();
        let mut sorter = Sorter::new(Arc::clone(hub), first, Setup::new(1));
        sorter.stage(second).expect("there is room for a second");
        let mut plant = Plant {
            sizes,
            sorter,
            outbox: Outbox::new(),
            now: Micros(0),
            ticked: Micros(0),
            cells: vec![None; hub.cells() as usize],
            taken: vec![0; sizes.chutes as usize],
            steps: 0,
            next: 0,
            calls: Calls::default(),
        };
        for track in 0..TRACKS {
            let (track, to) = (TrackId(track as u16), LinkState::Up);
            plant.call(&Signal::Link { track, to });
        }
        plant
    }

    /// One call, timed by itself, less what looking at the clock takes.
    fn call(&mut self, signal: &Signal) {
        self.outbox.clear();
        let allocated = calls();
        let begun = Instant::now();
        let looked = Instant::now();
        self.sorter.handle(self.now, signal, &mut self.outbox);
        let took = looked.elapsed().saturating_sub(looked - begun);
        let allocated = calls() - allocated;
        self.obey();
        self.note(signal, took.as_nanos() as u32, allocated);
    }

    fn note(&mut self, signal: &Signal, took_ns: u32, allocated: u64) {
        let is_over = self.is_settled();
        let calls = &mut self.calls;
        if !calls.switches {
            if *signal != Signal::Tick {
                calls.normal_ns.push(took_ns);
            }
            return;
        }
        match signal {
            Signal::Tick => calls.ticks_ns.push(took_ns),
            Signal::Command { .. } => calls.activating_ns.push(took_ns),
            _ => calls.during_ns.push(took_ns),
        }
        calls.allocations += allocated;
        if let Some((count, ns, _)) = calls.until_over.last_mut() {
            *count += 1;
            *ns += u64::from(took_ns);
        }
        let said = self.outbox.outputs();
        let parcels = BTreeSet::from_iter(said.iter().filter_map(decided));
        let own = usize::from(matches!(signal, Signal::Scanned { .. }));
        let redecided = parcels.len().saturating_sub(own);
        calls.redecided_most = calls.redecided_most.max(redecided);
        calls.redecided += redecided as u64;
        let goes_round = |said: &&Output| matches!(said, Output::Decided { chute: None, .. });
        calls.without_way += said.iter().filter(goes_round).count() as u64;
        calls.switches = !is_over;
    }

    fn obey(&mut self) {
        for said in self.outbox.outputs() {
            let (cell, item, chute) = match *said {
                Output::Divert(order) => (order.cell, order.item, order.chutes[0]),
                Output::Withdraw { cell, item, .. } => (cell, item, None),
                _ => continue,
            };
            if let Some(load) = &mut self.cells[cell.index()]
                && load.item == item
            {
                load.chute = chute;
            }
        }
    }

    /// A signal at its own time; before it, what the sorter's timer makes due.
    fn tell(&mut self, signal: &Signal) {
        let now = self.now.after(Micros(SIGNAL_US));
        let due = self.sorter.next_timeout();
        let due = due.map(|due| due.max(self.ticked.after(Micros(TICK_US))));
        if let Some(due) = due.filter(|due| *due < now) {
            self.now = due.max(self.now);
            self.ticked = self.now;
            self.call(&Signal::Tick);
        }
        self.now = now;
        self.call(signal);
    }

    /// The cell that is at a place of a track.
    fn cell_at(&self, track: u32, place: u32) -> CellId {
        let carriers = i64::from(self.sizes.carriers);
        let own = (self.steps - i64::from(place)).rem_euclid(carriers);
        CellId(track * self.sizes.carriers + own as u32)
    }

    /// One belt moves by a carrier.
    fn step(&mut self, track: u32) {
        let at = BeltMm(self.steps * i64::from(PITCH_MM));
        let id = TrackId(track as u16);
        self.tell(&Signal::Belt {
            track: id,
            at,
            speed: SPEED,
        });
        for number in 0..self.sizes.chutes {
            let (chute, cell) = (
                ChuteId(number as u16),
                self.cell_at(track, self.sizes.chute_at(number)),
            );
            let load = self.cells[cell.index()].filter(|load| load.chute == Some(chute));
            if let Some(Load { item, .. }) = load {
                self.drop_into(chute, cell, item, at);
            }
        }
        let cell = self.cell_at(track, 0);
        if let Some(Load { item, .. }) = self.cells[cell.index()] {
            self.tell(&Signal::LapPassed { cell, item, at });
        }
        self.get_on(track, at);
        self.read(track, at);
    }

    fn drop_into(&mut self, chute: ChuteId, cell: CellId, item: PlcItem, at: BeltMm) {
        self.cells[cell.index()] = None;
        self.tell(&Signal::Discharged {
            chute,
            cell,
            item,
            at,
        });
        let taken = &mut self.taken[chute.index()];
        *taken = taken.wrapping_add(1);
        let (taken, state) = (*taken, ChuteState::OPEN);
        self.tell(&Signal::Chute {
            chute,
            state,
            taken,
        });
    }

    fn get_on(&mut self, track: u32, at: BeltMm) {
        let cell = self.cell_at(track, INDUCTION_AT);
        if self.cells[cell.index()].is_some() {
            return;
        }
        self.next += 1;
        let item = PlcItem(self.next);
        self.cells[cell.index()] = Some(Load {
            item,
            number: self.next,
            chute: None,
        });
        self.tell(&Signal::Inducted {
            induction: InductionId(track as u16),
            cell,
            item,
            at,
            length: Mm(400),
            spans: 1,
            returned: false,
        });
    }

    fn read(&mut self, track: u32, at: BeltMm) {
        let cell = self.cell_at(track, SCANNER_AT);
        let Some(load) = self.cells[cell.index()] else {
            return;
        };
        let (item, facts) = (load.item, self.sizes.facts(load.number));
        let (scanner, trigger) = (ScannerId(track as u16), item.0 as u16);
        self.tell(&Signal::AtScanner {
            scanner,
            cell,
            item,
            trigger,
            at,
        });
        self.tell(&Signal::Scanned {
            scanner,
            key: ScanKey::Trigger(trigger),
            facts,
        });
    }

    fn step_all(&mut self) {
        self.steps += 1;
        (0..TRACKS).for_each(|track| self.step(track));
    }

    /// Whether nothing of a switch is left to be done: the sorter does not ask to be called again
    /// at once.
    fn is_settled(&self) -> bool {
        let due = self.sorter.next_timeout();
        due.is_none_or(|due| due.since(self.now) > Micros(10))
    }

    pub fn fill(&mut self) {
        for _ in 0..self.sizes.carriers {
            self.step_all();
        }
    }
}

impl Plant<'_> {
    /// Switches to a plan and goes on until nothing depends on the one before, and for as long
    /// again.
    pub fn switch(&mut self, version: u32) {
        let (begun, normal) = (self.now, self.calls.normal_ns.len());
        self.calls.switches = true;
        self.calls.until_over.push((0, 0, 0));
        let (ticket, command) = (Ticket(1), Command::Activate { version });
        self.now = self.now.after(Micros(SIGNAL_US));
        self.call(&Signal::Command { ticket, command });
        let answered = Output::Answered {
            ticket,
            answer: Ok(()),
        };
        assert!(self.outbox.outputs().contains(&answered));
        while self.calls.switches {
            self.step_all();
        }
        if let Some((.., plant_us)) = self.calls.until_over.last_mut() {
            *plant_us = self.now.since(begun).0;
        }
        let during = self.calls.during_ns.len();
        while self.sorter.former_plan().is_some() || self.calls.normal_ns.len() < normal + during {
            self.step_all();
        }
    }

    /// Counts that must be so, whatever the machine.
    pub fn assert_bounds(&self, riding: u64) {
        let calls = &self.calls;
        assert_eq!(
            calls.allocations, 0,
            "calls of the allocator during a switch"
        );
        assert!(calls.redecided_most <= SWEEP_PER_CALL_MAX);
        let switches = calls.until_over.len() as u64;
        assert!(
            calls.redecided > switches * riding / 3,
            "{} of {riding} in {switches} switches: half of them change chutes",
            calls.redecided
        );
        let books = self.sorter.books();
        assert_eq!((books.missorted, books.lost), (0, 0), "{books:?}");
    }
}
