//! Hubs, plans and plants for the tests, and a stand-in for the sorter where the plant is to be
//! tested alone.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::Arc;

use sorthub_core::hub::{
    Capacity, ChuteSpec, Hub, HubSpec, InductionSpec, MeetsBy, Outlet, ScannerSpec, Sensing,
    TrackKind, TrackSpec,
};
use sorthub_core::ids::{CellId, ChuteId, DestId, ParcelId, PlcItem, TrackId};
use sorthub_core::plan::{DestinationSpec, NoReadPolicy, Plan, PlanSpec, RoomPolicy};
use sorthub_core::reason::Reason;
use sorthub_core::signal::{OnFail, Order, ScanKey, Signal};
use sorthub_core::units::{BeltMm, Grams, Micros, Mm, MmPerS};
use sorthub_sim::plant::{Options, Plant, PlantEvent};
use sorthub_sim::run::Job;
use sorthub_sim::spec::{
    ChutePlant, Demand, InductionPlant, ParcelPlant, PlantSpec, ScannerPlant, Service, TraceParcel,
    TrackPlant,
};

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
        let names = self.plan.destinations.iter().map(|dest| dest.name.clone()).collect();
        let hub = Arc::new(Hub::new(self.hub.clone()).expect("a hub without faults"));
        Plant::new(hub, Arc::new(self.plant.clone()), names, options).expect("no faults")
    }
}

/// A loop of its own with one induction, one scanner and one chute, and a reject chute.
///
/// 20 carriers of 500 mm at 1 m/s: once round is 10 s. Induction at 1 m, scanner at 2 m, chute A
/// at 5 m, chute B at 7 m, reject at 9.5 m.
pub fn small_loop() -> Model {
    let chute = |name: &str, at: u32, capacity| ChuteSpec {
        name: name.into(),
        outlets: vec![Outlet { track: TrackId(0), at: Mm(at), lead: Mm(200) }],
        capacity,
        sensing: Sensing::Eyes,
    };
    let hub = HubSpec {
        name: "small loop".into(),
        tracks: vec![TrackSpec {
            name: "loop".into(),
            kind: TrackKind::Loop { carriers: 20, pitch: Mm(500) },
            speed: MmPerS(1_000),
            tolerance: Mm(250),
        }],
        inductions: vec![InductionSpec {
            name: "in".into(),
            track: TrackId(0),
            at: Mm(1_000),
        }],
        scanners: vec![ScannerSpec {
            name: "tunnel".into(),
            track: TrackId(0),
            at: Mm(2_000),
            meets_by: MeetsBy::Trigger,
            wait: Mm(500),
        }],
        chutes: vec![
            chute("A", 5_000, Capacity::Parcels(2)),
            chute("B", 7_000, Capacity::Parcels(2)),
            chute("reject", 9_500, Capacity::Unlimited),
        ],
    };
    let dest = |name: &str, chute| DestinationSpec {
        name: name.into(),
        chutes: vec![ChuteId(chute)],
        overflow: vec![],
    };
    let plan = PlanSpec {
        version: 1,
        destinations: vec![dest("alpha", 0), dest("beta", 1)],
        reject: vec![ChuteId(2)],
        exceptions: vec![],
        room: RoomPolicy::Attempt,
        no_read: NoReadPolicy::Reject,
        laps_max: 2,
    };
    let own = ChutePlant { service: Service::Instant, counts_taken: false, full_eye: false };
    let plant = PlantSpec {
        tracks: vec![TrackPlant { ramp_mm_s2: 0, gap: Mm(0), plc_scan: Micros(10_000) }],
        inductions: vec![InductionPlant { rate_per_h: 600, spacing: Micros(0), queue: None }],
        scanners: vec![ScannerPlant { read_ppm: 1_000_000, delay: Micros(0) }],
        chutes: vec![own; 3],
        demand: vec![vec![Demand { dest: DestId(0), weight: 1 }]],
        parcels: ParcelPlant::default(),
        trace: vec![],
    };
    Model { hub, plan, plant }
}

/// The reference model: `loops` loops of 300 carriers with 100 chutes each.
pub fn lsrm(loops: u16) -> Model {
    let mut hub = HubSpec { name: "LSRM-1".into(), ..HubSpec::default() };
    let mut plan = PlanSpec {
        version: 1,
        destinations: vec![],
        reject: vec![],
        exceptions: vec![],
        room: RoomPolicy::Attempt,
        no_read: NoReadPolicy::Reject,
        laps_max: 3,
    };
    let mut plant = PlantSpec::default();
    for loop_id in 0..loops {
        lsrm_loop(TrackId(loop_id), &mut hub, &mut plan, &mut plant);
    }
    Model { hub, plan, plant }
}

fn lsrm_loop(track: TrackId, hub: &mut HubSpec, plan: &mut PlanSpec, plant: &mut PlantSpec) {
    hub.tracks.push(TrackSpec {
        name: format!("loop {}", track.0),
        kind: TrackKind::Loop { carriers: 300, pitch: Mm(600) },
        speed: MmPerS(3_000),
        tolerance: Mm(300),
    });
    plant.tracks.push(TrackPlant { ramp_mm_s2: 0, gap: Mm(0), plc_scan: Micros(10_000) });
    for quarter in 0..4 {
        let start = quarter * 45_000;
        hub.inductions.push(InductionSpec {
            name: format!("in {}.{quarter}", track.0),
            track,
            at: Mm(start + 1_500),
        });
        let spacing = Micros(400_000);
        plant.inductions.push(InductionPlant { rate_per_h: 5_000, spacing, queue: None });
        hub.scanners.push(ScannerSpec {
            name: format!("scan {}.{quarter}", track.0),
            track,
            at: Mm(start + 6_000),
            meets_by: MeetsBy::Carrier,
            wait: Mm(300),
        });
        plant.scanners.push(ScannerPlant { read_ppm: 985_000, delay: Micros(0) });
    }
    let mut demand = Vec::new();
    for chute in 0..100_u32 {
        let (quarter, nth) = (chute / 25, chute % 25);
        let at = Mm(quarter * 45_000 + 9_000 + nth * 1_350);
        let id = ChuteId(hub.chutes.len() as u16);
        let dest = DestId(plan.destinations.len() as u32);
        hub.chutes.push(ChuteSpec {
            name: format!("chute {}.{chute}", track.0),
            outlets: vec![Outlet { track, at, lead: Mm(300) }],
            capacity: Capacity::Parcels(20),
            sensing: Sensing::Eyes,
        });
        plant.chutes.push(ChutePlant {
            service: Service::Exponential { mean: Micros::from_secs(14) },
            counts_taken: false,
            full_eye: false,
        });
        plan.destinations.push(DestinationSpec {
            name: format!("d{}.{chute}", track.0),
            chutes: vec![id],
            overflow: vec![],
        });
        demand.push(Demand { dest, weight: 54 + 8 * (chute % 10) });
    }
    plant.demand.push(demand);
    plan.reject.push(ChuteId(hub.chutes.len() as u16));
    hub.chutes.push(ChuteSpec {
        name: format!("reject {}", track.0),
        outlets: vec![Outlet { track, at: Mm(178_500), lead: Mm(300) }],
        capacity: Capacity::Unlimited,
        sensing: Sensing::Eyes,
    });
    let hole = ChutePlant { service: Service::Instant, counts_taken: false, full_eye: false };
    plant.chutes.push(hole);
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
        Self { laps_max: 3, reject, chute, cells, recirculated: 0, no_reads: 0 }
    }

    /// Runs a plant up to a horizon.
    pub fn run(&mut self, plant: &mut Plant, before: Micros, mut seen: impl FnMut(Micros, &PlantEvent)) {
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
            PlantEvent::Telegram { key: ScanKey::Carrier(cell), sight, .. } => {
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
        let options = Options { seed: 1, keeps_ledger: true, ..Options::default() };
        Self { plant: model.plant(options), seen: vec![] }
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
        self.until(at_ms).plant.order(Micros::from_millis(at_ms), order);
        self
    }
}

/// One parcel that arrives at 0.3 s at the small loop; it gets onto carrier 1 at 0.5 s.
pub fn one_parcel() -> Model {
    let mut model = small_loop();
    model.plant.trace = vec![parcel("P1", 300, 400, Some(0))];
    model
}

pub fn parcel(label: &str, at_ms: u64, length: u32, dest: Option<u32>) -> TraceParcel {
    TraceParcel {
        label: label.into(),
        arrival: Micros::from_millis(at_ms),
        size: [Mm(length), Mm(300), Mm(200)],
        mass: Grams(1_000),
        track: TrackId(0),
        dest: dest.map(DestId),
    }
}

/// A line of 10 m at 1 m/s: induction at its start, scanner at 2 m, chutes A at 4 m and B at 6 m,
/// the end chute at 10 m, and a return of 5 m if `returns`.
pub fn small_line(returns: bool) -> Model {
    let mut model = small_loop();
    model.hub.tracks[0].kind = TrackKind::Line {
        length: Mm(10_000),
        windows: 8,
        returns: returns.then_some(Mm(5_000)),
    };
    model.hub.inductions[0].at = Mm(0);
    for (chute, at) in model.hub.chutes.iter_mut().zip([4_000, 6_000, 10_000]) {
        chute.outlets[0].at = Mm(at);
    }
    model.plant.tracks[0].gap = Mm(300);
    model
}
