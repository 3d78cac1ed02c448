//! Hubs, plans and plants for the tests, and a stand-in for the sorter where the plant is to be
//! tested alone.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses its own part"
)]

use std::sync::Arc;

use sorthub_core::hub::{Hub, HubSpec};
use sorthub_core::ids::{CellId, ChuteId, DestId, ParcelId, PlcItem, TrackId};
use sorthub_core::plan::{Plan, PlanSpec};
use sorthub_core::reason::Reason;
use sorthub_core::signal::{OnFail, Order, ScanKey, Signal};
use sorthub_core::units::{BeltMm, Micros};
use sorthub_sim::plant::{Options, Plant, PlantEvent};
use sorthub_sim::run::Job;
use sorthub_sim::spec::PlantSpec;

mod models;

pub use models::{lsrm, one_parcel, parcel, small_line, small_loop};

/// A hub with its plan and plant, not yet checked, to be changed by a test.
#[derive(Clone)]
pub struct Model {
    pub hub: HubSpec,
    pub plan: PlanSpec,
    pub plant: PlantSpec,
}

impl Model {
    pub fn job(&self) -> Job {
        let hub = Arc::new(Hub::new(self.hub.clone()).expect("a hub without faults"));
        let plan = Plan::new(self.plan.clone(), &hub).expect("a plan without faults");
        Job::new(hub, Arc::new(plan), Arc::new(self.plant.clone()))
    }

    pub fn plant(&self, options: Options) -> Plant {
        let names = self
            .plan
            .destinations
            .iter()
            .map(|dest| dest.name.clone())
            .collect();
        let hub = Arc::new(Hub::new(self.hub.clone()).expect("a hub without faults"));
        Plant::new(hub, Arc::new(self.plant.clone()), names, options).expect("no faults")
    }
}

/// An order as a test writes it.
pub fn order(cell: CellId, item: PlcItem, revision: u16, chutes: &[u16]) -> Order {
    let mut places = [None; 3];
    for (place, &chute) in places.iter_mut().zip(chutes) {
        *place = Some(ChuteId(chute));
    }
    Order {
        parcel: ParcelId(1),
        item,
        cell,
        revision,
        chutes: places,
        on_fail: OnFail::Lap,
        obey_by: BeltMm(i64::MAX / 2_000_000),
        why: Reason::Planned,
        plan_version: 1,
    }
}

/// A stand-in for the sorter: sends each parcel to chute number `dest`, what cannot be read and
/// what was refused `laps_max + 1` times to `reject(track)`.
pub struct Naive {
    pub laps_max: u8,
    pub reject: fn(TrackId) -> ChuteId,
    pub chute: fn(DestId) -> ChuteId,
    cells: Vec<(PlcItem, u16, u8)>,
    pub recirculated: u64,
    pub no_reads: u64,
}

impl Naive {
    pub fn new(cells: u32, chute: fn(DestId) -> ChuteId, reject: fn(TrackId) -> ChuteId) -> Self {
        let cells = vec![(PlcItem(0), 0, 0); cells as usize];
        Self {
            laps_max: 3,
            reject,
            chute,
            cells,
            recirculated: 0,
            no_reads: 0,
        }
    }

    /// Runs a plant up to a horizon.
    pub fn run(
        &mut self,
        plant: &mut Plant,
        before: Micros,
        mut seen: impl FnMut(Micros, &PlantEvent),
    ) {
        let mut events = Vec::new();
        while let Some(now) = plant.step(before, &mut events) {
            for event in events.drain(..) {
                seen(now, &event);
                self.answer(plant, now, &event);
            }
        }
    }

    fn answer(&mut self, plant: &mut Plant, now: Micros, event: &PlantEvent) {
        match *event {
            PlantEvent::Plc(Signal::Inducted { cell, item, .. }) => {
                self.cells[cell.index()] = (item, 0, 0);
            }
            PlantEvent::Telegram {
                key: ScanKey::Carrier(cell),
                sight,
                ..
            } => {
                let (item, revision, _) = self.cells[cell.index()];
                if revision > 0 {
                    return;
                }
                let track = plant.hub().track_of(cell).expect("a cell of the hub").0;
                self.no_reads += u64::from(!sight.is_read);
                let to = sight.dest.filter(|_| sight.is_read).map(self.chute);
                self.send(plant, now, cell, item, to.unwrap_or((self.reject)(track)));
            }
            PlantEvent::Plc(Signal::NotDischarged { cell, item, .. }) => {
                let laps = self.cells[cell.index()].2;
                if laps < self.laps_max {
                    self.cells[cell.index()].2 += 1;
                    self.recirculated += 1;
                    return;
                }
                let track = plant.hub().track_of(cell).expect("a cell of the hub").0;
                self.send(plant, now, cell, item, (self.reject)(track));
            }
            _ => {}
        }
    }

    fn send(&mut self, plant: &mut Plant, now: Micros, cell: CellId, item: PlcItem, to: ChuteId) {
        let revision = &mut self.cells[cell.index()].1;
        *revision += 1;
        plant.order(now, &order(cell, item, *revision, &[to.0]));
    }
}

/// Events with their times, from a plant that is stepped by hand.
pub struct Steps {
    pub plant: Plant,
    pub seen: Vec<(Micros, PlantEvent)>,
}

impl Steps {
    pub fn new(model: &Model) -> Self {
        let options = Options {
            seed: 1,
            keeps_ledger: true,
            ..Options::default()
        };
        Self {
            plant: model.plant(options),
            seen: vec![],
        }
    }

    /// Everything up to and at `at_ms`.
    pub fn until(&mut self, at_ms: u64) -> &mut Self {
        let mut events = Vec::new();
        let before = Micros(at_ms * 1_000 + 1);
        while let Some(now) = self.plant.step(before, &mut events) {
            self.seen.extend(events.drain(..).map(|event| (now, event)));
        }
        self
    }

    /// What PLCs said since the last call, with the time in ms; belts left out.
    pub fn said(&mut self) -> Vec<(u64, Signal)> {
        let all = self.seen.drain(..).filter_map(|(at, event)| match event {
            PlantEvent::Plc(Signal::Belt { .. }) => None,
            PlantEvent::Plc(signal) => {
                assert_eq!(at.0 % 1_000, 0, "{at:?} is no whole millisecond");
                Some((at.0 / 1_000, signal))
            }
            _ => None,
        });
        all.collect()
    }

    pub fn order(&mut self, at_ms: u64, order: &Order) -> &mut Self {
        self.until(at_ms)
            .plant
            .order(Micros::from_millis(at_ms), order);
        self
    }
}
