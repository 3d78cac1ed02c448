//! `[plant]`: what the hub is like beyond what the engine knows of it.

use sorthub_core::hub::{Capacity, ChuteSpec, HubSpec, Sensing};
use sorthub_core::ids::{DestId, TrackId};
use sorthub_core::plan::PlanSpec;
use sorthub_core::units::{Grams, Micros, Mm};
use sorthub_sim::spec::{
    ChutePlant, Demand, HostPlant, InductionPlant, ParcelPlant, PlantSpec, ScannerPlant, Service,
    TrackPlant,
};

use super::bank::Names;
use super::fault::{Meaning, TextFault};
use super::plan::PlanDraft;
use super::reader::{Table, Value};

/// Least time between two inductions, where the file does not say.
const SPACING_MS: u64 = 400;

/// The names that the plant's tables may refer to.
pub(super) struct Known<'n> {
    pub(super) tracks: Names,
    pub(super) inductions: Names,
    pub(super) scanners: Names,
    pub(super) chutes: &'n Names,
    pub(super) destinations: Names,
}

pub(super) fn read(
    root: &Table<'_>,
    hub: &HubSpec,
    plan: &PlanDraft,
    tracks: &[TrackPlant],
    known: &Known<'_>,
) -> PlantSpec {
    let mut plant = usual(hub, &plan.spec, tracks);
    let Some(table) = root.table("plant", "[plant]") else {
        return plant;
    };
    for entry in table.tables("induction", "[[plant.induction]]") {
        read_inductions(&entry, known, &mut plant);
    }
    for entry in table.tables("scanner", "[[plant.scanner]]") {
        read_scanners(&entry, known, &mut plant);
    }
    for entry in table.tables("chute", "[[plant.chute]]") {
        read_chutes(&entry, hub, known, &mut plant);
    }
    let before = table.faults.mark();
    for entry in table.tables("demand", "[[plant.demand]]") {
        read_demand(&entry, known, &mut plant);
    }
    if let Some(entry) = table.table("parcel", "`parcel`") {
        read_parcel(&entry, &mut plant.parcels);
    }
    plant.host = table.table("host", "`host`").map(|entry| read_host(&entry));
    table.finish();
    if plan.sound && table.faults.mark() == before {
        check_demand(&table, hub, &plant);
    }
    plant
}

/// The plant of a hub file that says nothing about it.
fn usual(hub: &HubSpec, plan: &PlanSpec, tracks: &[TrackPlant]) -> PlantSpec {
    let induction = InductionPlant {
        rate_per_h: 0,
        spacing: Micros::from_millis(SPACING_MS),
        queue: None,
    };
    let scanner = ScannerPlant {
        read_ppm: 1_000_000,
        delay: Micros(0),
    };
    let chute = |spec: &ChuteSpec| ChutePlant {
        service: Service::Instant,
        counts_taken: spec.sensing == Sensing::Counted,
        full_eye: false,
    };
    PlantSpec {
        tracks: tracks.to_vec(),
        inductions: vec![induction; hub.inductions.len()],
        scanners: vec![scanner; hub.scanners.len()],
        chutes: hub.chutes.iter().map(chute).collect(),
        demand: (0..hub.tracks.len())
            .map(|track| reachable(hub, plan, track))
            .collect(),
        parcels: ParcelPlant::default(),
        host: None,
        trace: vec![],
    }
}

/// All destinations with a chute on a track or on one that its transfers lead to, with equal
/// weights.
fn reachable(hub: &HubSpec, plan: &PlanSpec, track: usize) -> Vec<Demand> {
    let mut tracks = vec![TrackId(track as u16)];
    let mut looked_at = 0;
    while let Some(&from) = tracks.get(looked_at) {
        looked_at += 1;
        for transfer in &hub.transfers {
            let chute = hub.chutes.get(transfer.from.index());
            let begins_here = chute.is_some_and(|chute| takes_from(chute, from));
            let to = hub.inductions.get(transfer.to.index()).map(|i| i.track);
            tracks.extend(to.filter(|to| begins_here && !tracks.contains(to)));
        }
    }
    let chutes = hub.chutes.iter();
    let on_track: Vec<bool> = chutes
        .map(|chute| tracks.iter().any(|&track| takes_from(chute, track)))
        .collect();
    let within = plan
        .destinations
        .iter()
        .enumerate()
        .filter(|(_, destination)| {
            let mut chutes = destination.chutes.iter().chain(&destination.overflow);
            chutes.any(|chute| on_track.get(chute.index()).copied().unwrap_or(false))
        });
    within
        .map(|(at, _)| Demand {
            dest: DestId(at as u32),
            weight: 1,
        })
        .collect()
}

fn takes_from(chute: &ChuteSpec, track: TrackId) -> bool {
    chute.outlets.iter().any(|outlet| outlet.track == track)
}

/// The elements that an entry is about: those it names, or all.
fn targets(entry: &Table<'_>, names: &Names) -> (bool, Vec<usize>) {
    match entry.get("names") {
        Some(list) => (true, names.find_all(list)),
        None => (false, (0..names.all().len()).collect()),
    }
}

fn millis(value: Value<'_>) -> Option<Micros> {
    value
        .int(0..=86_400_000)
        .map(|ms| Micros::from_millis(u64::from(ms)))
}

fn read_inductions(entry: &Table<'_>, known: &Known<'_>, plant: &mut PlantSpec) {
    let (_, targets) = targets(entry, &known.inductions);
    let rate = entry.get("rate_per_h").and_then(|v| v.int(0..=1_000_000));
    let spacing = entry.get("spacing_ms").and_then(millis);
    let queue = entry.get("queue").and_then(|value| match value.any_text() {
        Some(_) => value.choice(&[("unlimited", None)]),
        None => value.int(0..=1_000_000).map(Some),
    });
    entry.finish();
    for at in targets {
        let induction = &mut plant.inductions[at];
        induction.rate_per_h = rate.unwrap_or(induction.rate_per_h);
        induction.spacing = spacing.unwrap_or(induction.spacing);
        induction.queue = queue.unwrap_or(induction.queue);
    }
}

fn read_scanners(entry: &Table<'_>, known: &Known<'_>, plant: &mut PlantSpec) {
    let (_, targets) = targets(entry, &known.scanners);
    let read_ppm = entry.get("read_ppm").and_then(|v| v.int(0..=1_000_000));
    let delay = entry.get("delay_ms").and_then(millis);
    entry.finish();
    for at in targets {
        let scanner = &mut plant.scanners[at];
        scanner.read_ppm = read_ppm.unwrap_or(scanner.read_ppm);
        scanner.delay = delay.unwrap_or(scanner.delay);
    }
}

#[derive(Clone, Copy)]
enum Work {
    Instant,
    Exponential,
    BySize,
}

fn read_chutes(entry: &Table<'_>, hub: &HubSpec, known: &Known<'_>, plant: &mut PlantSpec) {
    let (by_name, targets) = targets(entry, known.chutes);
    let words = [
        ("instant", Work::Instant),
        ("exponential", Work::Exponential),
        ("by_size", Work::BySize),
    ];
    let work = entry.get("service").and_then(|v| v.choice(&words));
    let service = match work {
        Some(Work::Exponential) => {
            let mean = entry.require("service_mean_ms", "service_mean_ms = 14_000");
            mean.and_then(|v| v.int(1..=86_400_000))
                .map(|ms| Service::Exponential {
                    mean: Micros::from_millis(u64::from(ms)),
                })
        }
        other => {
            let why = "only `service = \"exponential\"` has a mean";
            entry.refuse("service_mean_ms", why);
            other.map(|work| match work {
                Work::BySize => Service::BySize,
                Work::Instant | Work::Exponential => Service::Instant,
            })
        }
    };
    let full_eye = entry.get("full_eye").and_then(|v| v.flag());
    entry.finish();
    for at in targets {
        // What never fills needs neither worker nor eye, unless it is asked for by name.
        if hub.chutes[at].capacity == Capacity::Unlimited && !by_name {
            continue;
        }
        let chute = &mut plant.chutes[at];
        chute.service = service.unwrap_or(chute.service);
        chute.full_eye = full_eye.unwrap_or(chute.full_eye);
    }
}

/// Weights, repeated as often as needed, for the destinations of each track in their order.
fn read_demand(entry: &Table<'_>, known: &Known<'_>, plant: &mut PlantSpec) {
    let tracks = entry.get("tracks").map(|list| known.tracks.find_all(list));
    let by_name = entry
        .get("destinations")
        .map(|list| (list, known.destinations.find_all(list)));
    let list = entry
        .require("weights", "weights = [1]")
        .and_then(|v| v.list("a list of weights"));
    let list = list.unwrap_or_default();
    let weights: Vec<u32> = list.iter().filter_map(|v| v.int(0..=1_000_000)).collect();
    entry.finish();
    if weights.is_empty() || weights.len() < list.len() {
        return;
    }
    let explicit = tracks.is_some();
    for track in tracks.unwrap_or_else(|| (0..plant.demand.len()).collect()) {
        let mut weights = weights.iter().copied().cycle();
        let demand = &mut plant.demand[track];
        let Some((list, named)) = &by_name else {
            for (demand, weight) in demand.iter_mut().zip(weights) {
                demand.weight = weight;
            }
            continue;
        };
        for &dest in named {
            let weight = weights.next().unwrap_or(0);
            // They are in the order of their destinations.
            match demand.binary_search_by_key(&dest, |demand| demand.dest.index()) {
                Ok(at) => demand[at].weight = weight,
                Err(_) if explicit => list.fault(Meaning::OutOfReach {
                    destination: known.destinations.all()[dest].clone(),
                    track: known.tracks.all()[track].clone(),
                }),
                Err(_) => {}
            }
        }
    }
}

fn read_parcel(entry: &Table<'_>, parcels: &mut ParcelPlant) {
    if let Some((least, most)) = entry.get("length_mm").and_then(|v| read_range(v, 10_000)) {
        parcels.length = (Mm(least), Mm(most));
    }
    if let Some((least, most)) = entry.get("mass_g").and_then(|v| read_range(v, 1_000_000)) {
        parcels.mass = (Grams(least), Grams(most));
    }
    let side = |key| entry.get(key).and_then(|v| read_range(v, 10_000));
    let side = |key| side(key).map(|(least, most)| (Mm(least), Mm(most)));
    parcels.width = side("width_mm");
    parcels.height = side("height_mm");
    match (entry.get("width_mm"), entry.get("height_mm")) {
        (Some(_), None) => entry.missing("height_mm", "height_mm = [20, 300]"),
        (None, Some(_)) => entry.missing("width_mm", "width_mm = [100, 400]"),
        _ => {}
    }
    let share = |key| entry.get(key).and_then(|v| v.int(0..=1_000_000));
    parcels.unadvised_ppm = share("unadvised_ppm").unwrap_or(parcels.unadvised_ppm);
    parcels.misdeclared_ppm = share("misdeclared_ppm");
    parcels.suspect_ppm = share("suspect_ppm");
    entry.finish();
}

fn read_host(entry: &Table<'_>) -> HostPlant {
    let delay = entry.get("delay_ms").and_then(millis);
    let silent_ppm = entry.get("silent_ppm").and_then(|v| v.int(0..=1_000_000));
    entry.finish();
    HostPlant {
        delay: delay.unwrap_or_default(),
        silent_ppm: silent_ppm.unwrap_or_default(),
    }
}

/// One number, or the smallest and the largest.
fn read_range(value: Value<'_>, most: u32) -> Option<(u32, u32)> {
    if !value.is_list() {
        return value.int(1..=most).map(|both| (both, both));
    }
    let list = value.list("two numbers")?;
    let [first, second] = list.as_slice() else {
        let (key, found) = (value.key.to_owned(), "a list of another length");
        value.fault(TextFault::WrongType {
            key,
            wanted: "two numbers",
            found,
        });
        return None;
    };
    let first = first.int(1..=most);
    let second = second.int(first.unwrap_or(1)..=most);
    Some((first?, second?))
}

/// Parcels that get on must be for somewhere.
fn check_demand(table: &Table<'_>, hub: &HubSpec, plant: &PlantSpec) {
    for (at, track) in hub.tracks.iter().enumerate() {
        let mut inductions = hub.inductions.iter().zip(&plant.inductions);
        let gets_some =
            inductions.any(|(spec, own)| spec.track.index() == at && own.rate_per_h > 0);
        if gets_some && plant.demand[at].iter().all(|demand| demand.weight == 0) {
            let fault = Meaning::NoDemand {
                track: track.name.clone(),
            };
            table.faults.add(table.place_of("demand"), fault);
        }
    }
}
