//! The hubs that the synthetic source can run.

use std::sync::Arc;

use sorthub_core::hub::{
    Capacity, Caps, ChuteRules, ChuteSpec, Hub, HubSpec, InductionSpec, MeetsBy, Outlet,
    ScannerSpec, Sensing, TrackKind, TrackSpec,
};
use sorthub_core::ids::{ChuteId, TrackId};
use sorthub_core::plan::{DestinationSpec, NoReadPolicy, Plan, PlanSpec, RoomPolicy};
use sorthub_core::units::{Mm, MmPerS};

/// What is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// A loop of 60 carriers with 14 chutes, all well.
    SmallLoop,
    /// The same with a jam, a lock, a chute out of service, a full reject and a missort.
    Troubled,
    /// A line with a return.
    Line,
    /// A loop, and a line whose PLC link is lost.
    LoopAndLine,
    /// A loop of 300 carriers with 101 chutes.
    LargeLoop,
    /// Four of those: 1,200 carriers.
    FourLoops,
}

pub(super) fn hub(scene: Scene) -> Arc<Hub> {
    let mut spec = HubSpec {
        name: "Hangzhou East".to_owned(),
        ..HubSpec::default()
    };
    match scene {
        Scene::SmallLoop | Scene::Troubled => small_loop(&mut spec),
        Scene::Line => line(&mut spec),
        Scene::LoopAndLine => {
            small_loop(&mut spec);
            line(&mut spec);
        }
        Scene::LargeLoop => large_loop(&mut spec, 0),
        Scene::FourLoops => (0..4).for_each(|nth| large_loop(&mut spec, nth)),
    }
    Arc::new(Hub::new(spec).expect("the synthetic hubs are sound"))
}

pub(super) fn plan(hub: &Hub) -> Arc<Plan> {
    let chutes = || hub.chutes().iter().enumerate();
    let reject = |(_, chute): &(usize, &ChuteSpec)| chute.name.starts_with('R');
    let destinations = chutes()
        .filter(|chute| !reject(chute))
        .map(|(at, chute)| DestinationSpec {
            name: format!("Branch {}", chute.name),
            chutes: vec![ChuteId(at as u16)],
            ..DestinationSpec::default()
        });
    let spec = PlanSpec {
        version: 12,
        destinations: destinations.collect(),
        reject: chutes()
            .filter(reject)
            .map(|(at, _)| ChuteId(at as u16))
            .collect(),
        room: RoomPolicy::Attempt,
        no_read: NoReadPolicy::Again,
        laps_max: 2,
        ..PlanSpec::default()
    };
    Arc::new(Plan::new(spec, hub).expect("the synthetic plans are sound"))
}

fn track(spec: &mut HubSpec, name: String, kind: TrackKind, speed_mm_s: u32) -> TrackId {
    let speed = MmPerS(speed_mm_s);
    spec.tracks.push(TrackSpec {
        name,
        kind,
        speed,
        tolerance: Mm(300),
        caps: Caps::USUAL,
    });
    TrackId(spec.tracks.len() as u16 - 1)
}

fn induction(spec: &mut HubSpec, track: TrackId, at: u32) {
    let name = format!("Induction {}", spec.inductions.len() + 1);
    spec.inductions.push(InductionSpec {
        name,
        track,
        at: Mm(at),
        quota_permille: 1_000,
    });
}

fn scanner(spec: &mut HubSpec, track: TrackId, at: u32) {
    let name = format!("Scanner {}", spec.scanners.len() + 1);
    let (meets_by, wait) = (MeetsBy::Trigger, Mm(1_000));
    spec.scanners.push(ScannerSpec {
        name,
        track,
        at: Mm(at),
        meets_by,
        wait,
    });
}

fn chute(spec: &mut HubSpec, name: String, track: TrackId, at: u32, capacity: Capacity) {
    spec.chutes.push(ChuteSpec {
        name,
        outlets: vec![Outlet {
            track,
            at: Mm(at),
            lead: Mm(600),
        }],
        capacity,
        sensing: Sensing::Counted,
        rules: ChuteRules::AS_TOLD,
    });
}

fn small_loop(spec: &mut HubSpec) {
    let kind = TrackKind::Loop {
        carriers: 60,
        pitch: Mm(600),
    };
    let on = track(spec, "Loop 1".to_owned(), kind, 2_000);
    for at in [900, 18_900] {
        induction(spec, on, at);
        scanner(spec, on, at + 1_500);
    }
    for bank in 0..2 {
        for nth in 0..7 {
            let name = format!("C{:02}", bank * 7 + nth + 1);
            let at = 4_500 + bank * 18_000 + nth * 1_650;
            chute(spec, name, on, at, Capacity::Parcels(20));
        }
    }
    chute(spec, "R1".to_owned(), on, 34_900, Capacity::Unlimited);
}

fn line(spec: &mut HubSpec) {
    let kind = TrackKind::Line {
        length: Mm(24_000),
        windows: 40,
        returns: Some(Mm(12_500)),
    };
    let on = track(spec, "Line 1".to_owned(), kind, 800);
    induction(spec, on, 500);
    scanner(spec, on, 6_300);
    for nth in 0..5 {
        let name = format!("S{}", nth + 1);
        chute(
            spec,
            name,
            on,
            9_300 + nth * 2_500,
            Capacity::Length(Mm(3_000)),
        );
    }
    chute(
        spec,
        format!("R{}", spec.tracks.len()),
        on,
        24_000,
        Capacity::Unlimited,
    );
}

fn large_loop(spec: &mut HubSpec, nth: u32) {
    let kind = TrackKind::Loop {
        carriers: 300,
        pitch: Mm(600),
    };
    let on = track(spec, format!("Loop {}", nth + 1), kind, 3_000);
    for quarter in 0..4 {
        induction(spec, on, quarter * 45_000 + 1_500);
        scanner(spec, on, quarter * 45_000 + 6_000);
        for place in 0..25 {
            let name = format!(
                "{}{:02}",
                char::from(b'A' + (nth * 4 + quarter) as u8),
                place
            );
            let at = quarter * 45_000 + 9_000 + place * 1_350;
            chute(spec, name, on, at, Capacity::Parcels(20));
        }
    }
    chute(
        spec,
        format!("R{}", nth + 1),
        on,
        178_500,
        Capacity::Unlimited,
    );
}
