//! The hubs that the tests run, put together device by device.

use sorthub_core::hub::{
    Capacity, Caps, ChuteRules, ChuteSpec, HubSpec, InductionSpec, MeetsBy, Outlet, ScannerSpec,
    Sensing, TrackKind, TrackSpec,
};
use sorthub_core::ids::{ChuteId, DestId, TrackId};
use sorthub_core::plan::{DestinationSpec, NoReadPolicy, PlanSpec, RoomPolicy};
use sorthub_core::units::{Grams, Micros, Mm, MmPerS};
use sorthub_sim::spec::{
    ChutePlant, Demand, InductionPlant, PlantSpec, ScannerPlant, Service, TraceParcel, TrackPlant,
};

use super::Model;

impl Model {
    /// Nothing but a plan that tries chutes and rejects what it cannot read.
    pub fn empty(laps_max: u8) -> Self {
        let plan = PlanSpec {
            version: 1,
            destinations: vec![],
            reject: vec![],
            room: RoomPolicy::Attempt,
            no_read: NoReadPolicy::Reject,
            laps_max,
            ..PlanSpec::default()
        };
        let hub = HubSpec {
            name: "test".into(),
            ..HubSpec::default()
        };
        Self {
            hub,
            plan,
            plant: PlantSpec::default(),
        }
    }

    pub fn add_track(&mut self, kind: TrackKind, speed: u32, tolerance: u32) -> TrackId {
        let track = TrackId(self.hub.tracks.len() as u16);
        let name = format!("track {}", track.0);
        let (speed, tolerance) = (MmPerS(speed), Mm(tolerance));
        self.hub.tracks.push(TrackSpec {
            name,
            kind,
            speed,
            tolerance,
            caps: Caps::NONE,
        });
        let plc_scan = Micros(10_000);
        self.plant.tracks.push(TrackPlant {
            ramp_mm_s2: 0,
            gap: Mm(0),
            plc_scan,
        });
        self.plant.demand.push(vec![]);
        track
    }

    pub fn add_induction(&mut self, track: TrackId, at: u32, rate_per_h: u32, spacing: Micros) {
        let name = format!("in {}", self.hub.inductions.len());
        self.hub.inductions.push(InductionSpec {
            name,
            track,
            at: Mm(at),
            quota_permille: 1_000,
        });
        self.plant.inductions.push(InductionPlant {
            rate_per_h,
            spacing,
            queue: None,
        });
    }

    pub fn add_scanner(&mut self, track: TrackId, at: u32, meets_by: MeetsBy, read_ppm: u32) {
        let name = format!("tunnel {}", self.hub.scanners.len());
        let wait = Mm(500);
        self.hub.scanners.push(ScannerSpec {
            name,
            track,
            at: Mm(at),
            meets_by,
            wait,
        });
        self.plant.scanners.push(ScannerPlant {
            read_ppm,
            delay: Micros(0),
        });
    }

    pub fn add_chute(
        &mut self,
        track: TrackId,
        at: u32,
        lead: u32,
        capacity: Capacity,
        service: Service,
    ) -> ChuteId {
        let chute = ChuteId(self.hub.chutes.len() as u16);
        self.hub.chutes.push(ChuteSpec {
            name: format!("chute {}", chute.0),
            outlets: vec![Outlet {
                track,
                at: Mm(at),
                lead: Mm(lead),
            }],
            capacity,
            sensing: Sensing::Eyes,
            rules: ChuteRules::AS_TOLD,
        });
        self.plant.chutes.push(ChutePlant {
            service,
            counts_taken: false,
            full_eye: false,
        });
        chute
    }

    /// A destination with one chute, and so much of the track's demand.
    pub fn add_destination(&mut self, track: TrackId, chute: ChuteId, weight: u32) {
        let dest = DestId(self.plan.destinations.len() as u32);
        let name = format!("d{}", dest.0);
        self.plan.destinations.push(DestinationSpec {
            name,
            chutes: vec![chute],
            ..DestinationSpec::default()
        });
        self.plant.demand[track.index()].push(Demand { dest, weight });
    }
}

/// A loop of 20 carriers of 500 mm at 1 m/s: once round is 10 s. Induction at 1 m, scanner at 2 m,
/// chute A at 5 m, chute B at 7 m, reject at 9.5 m. Destination 0 is A, 1 is B; all is for A.
pub fn small_loop() -> Model {
    let mut model = Model::empty(2);
    let kind = TrackKind::Loop {
        carriers: 20,
        pitch: Mm(500),
    };
    let track = model.add_track(kind, 1_000, 250);
    model.add_induction(track, 1_000, 600, Micros(0));
    model.add_scanner(track, 2_000, MeetsBy::Trigger, 1_000_000);
    let a = model.add_chute(track, 5_000, 200, Capacity::Parcels(2), Service::Instant);
    let b = model.add_chute(track, 7_000, 200, Capacity::Parcels(2), Service::Instant);
    let reject = model.add_chute(track, 9_500, 200, Capacity::Unlimited, Service::Instant);
    model.add_destination(track, a, 1);
    model.add_destination(track, b, 0);
    model.plan.reject.push(reject);
    model
}

/// The reference model: `loops` loops of 300 carriers with 100 chutes each.
pub fn lsrm(loops: u16) -> Model {
    let mut model = Model::empty(3);
    for _ in 0..loops {
        let kind = TrackKind::Loop {
            carriers: 300,
            pitch: Mm(600),
        };
        let track = model.add_track(kind, 3_000, 300);
        for quarter in 0..4 {
            let start = quarter * 45_000;
            model.add_induction(track, start + 1_500, 5_000, Micros(400_000));
            model.add_scanner(track, start + 6_000, MeetsBy::Carrier, 985_000);
        }
        let service = Service::Exponential {
            mean: Micros::from_secs(14),
        };
        for chute in 0..100 {
            let at = chute / 25 * 45_000 + 9_000 + chute % 25 * 1_350;
            let id = model.add_chute(track, at, 300, Capacity::Parcels(20), service);
            // In proportion to 0.6 + 0.8 (j mod 10)/9.
            model.add_destination(track, id, 54 + 8 * (chute % 10));
        }
        let hole = Service::Instant;
        let reject = model.add_chute(track, 178_500, 300, Capacity::Unlimited, hole);
        model.plan.reject.push(reject);
    }
    model
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
