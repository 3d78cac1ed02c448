//! A small loop with one chute and a reject chute, on a sorter of its own.
#![allow(dead_code, reason = "each test file uses its own share")]

use std::sync::Arc;

use sorthub_core::hub::{
    Capacity, Caps, ChuteRules, ChuteSpec, Hub, HubSpec, InductionSpec, MeetsBy, Outlet,
    ScannerSpec, Sensing, TrackKind, TrackSpec,
};
use sorthub_core::ids::{ChuteId, TrackId};
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::{DestinationSpec, NoReadPolicy, Plan, PlanSpec, RoomPolicy};
use sorthub_core::signal::{ChuteState, LinkState, Signal};
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::{Micros, Mm, MmPerS};

pub const TRACK: TrackId = TrackId(0);
pub const SORTS: ChuteId = ChuteId(0);
pub const REJECTS: ChuteId = ChuteId(1);

pub fn sorter(carriers: u32) -> Sorter {
    let kind = TrackKind::Loop {
        carriers,
        pitch: Mm(600),
    };
    let (speed, tolerance) = (MmPerS(2_000), Mm(300));
    let chute = |name: &str, at| ChuteSpec {
        name: name.to_owned(),
        outlets: vec![Outlet {
            track: TRACK,
            at: Mm(at),
            lead: Mm(600),
        }],
        capacity: Capacity::Parcels(10),
        sensing: Sensing::Counted,
        rules: ChuteRules::AS_TOLD,
    };
    let (meets_by, wait) = (MeetsBy::Trigger, Mm(1_000));
    let hub = HubSpec {
        name: "test".to_owned(),
        tracks: vec![TrackSpec {
            name: "loop".to_owned(),
            kind,
            speed,
            tolerance,
            caps: Caps::USUAL,
        }],
        inductions: vec![InductionSpec {
            name: "I1".to_owned(),
            track: TRACK,
            at: Mm(100),
            quota_permille: 1_000,
        }],
        scanners: vec![ScannerSpec {
            name: "S1".to_owned(),
            track: TRACK,
            at: Mm(1_000),
            meets_by,
            wait,
        }],
        chutes: vec![chute("C1", 4_000), chute("R1", 5_000)],
        ..HubSpec::default()
    };
    let hub = Hub::new(hub).expect("the hub is sound");
    let destination = DestinationSpec {
        name: "north".to_owned(),
        chutes: vec![SORTS],
        ..DestinationSpec::default()
    };
    let plan = PlanSpec {
        version: 1,
        destinations: vec![destination],
        reject: vec![REJECTS],
        room: RoomPolicy::Attempt,
        no_read: NoReadPolicy::Again,
        laps_max: 2,
        ..PlanSpec::default()
    };
    let plan = Plan::new(plan, &hub).expect("the plan is sound");
    let mut sorter = Sorter::new(Arc::new(hub), Arc::new(plan), Setup::new(3));
    tell(
        &mut sorter,
        Micros(0),
        Signal::Link {
            track: TRACK,
            to: LinkState::Up,
        },
    );
    sorter
}

pub fn tell(sorter: &mut Sorter, now: Micros, signal: Signal) {
    sorter.handle(now, &signal, &mut Outbox::new());
}

pub fn chute_is(sorter: &mut Sorter, now: Micros, chute: ChuteId, state: ChuteState) {
    tell(
        sorter,
        now,
        Signal::Chute {
            chute,
            state,
            taken: 0,
        },
    );
}
