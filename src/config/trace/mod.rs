//! Recorded traces: a layout and a list of parcels become a hub with its plan and plant.
//!
//! The line is built as the data sets describe it: the infeed at 0, then the scanner, then the
//! outfeeds at equal distances, then the end, from which a return brings back what nobody took.
//! What they leave open is chosen here, each with its reason at the constant.
//!
//! Lengths are rounded to mm, speeds to mm/s, masses to g, times to µs, each half up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sorthub_core::directory::{BuildError, Builder, Directory, Expected, Row, Waybill};
use sorthub_core::facts::Advice;
use sorthub_core::hub::{
    Capacity, Caps, ChuteRules, ChuteSpec, Hub, HubSpec, InductionSpec, MeetsBy, Outlet,
    ScannerSpec, Sensing, TrackKind, TrackSpec,
};
use sorthub_core::ids::{ChuteId, DestId, TrackId};
use sorthub_core::limits::CELLS_PER_TRACK_MAX;
use sorthub_core::plan::{DestinationSpec, NoReadPolicy, Plan, PlanSpec, RoomPolicy};
use sorthub_core::scanner::{Field, Framing, Template};
use sorthub_core::units::{Micros, Mm, MmPerS};
use sorthub_sim::spec::{
    ChutePlant, InductionPlant, ParcelPlant, PlantSpec, ScannerPlant, Service, TraceParcel,
    TrackPlant,
};

use super::HubFile;
use super::fault::{Fault, TraceFault, in_order};
use super::links::{Functions, LinksSpec, Peer, PlcLink, ScannerLink};
use super::source::{Source, Span};
use layout::Layout;
use parcels::Parcel;

mod layout;
mod parcels;

/// A parcel takes about 60 bytes: this is several million of them.
const TRACE_MB_MAX: u64 = 512;

/// From the last outfeed to the end, where what went round often enough is rejected. The sets have
/// no such place; it is near, so that the way round is hardly longer than recorded.
const END_MM: u32 = 500;

/// The gap that the recorded line keeps between two parcels.
const GAP_MM: u32 = 300;

/// How far a parcel may be from where it should be. Less than the gap, so that it cannot be taken
/// for its neighbour.
const TOLERANCE_MM: u32 = 150;

/// Before an outfeed the PLC must know the order for this time: some scans and the shoes' start.
const LEAD_MS: u32 = 100;

/// How long after the trigger a silent scanner counts as a no-read.
const WAIT_MS: u32 = 500;

/// The PLC's cycle.
const PLC_SCAN_MS: u64 = 10;

/// A parcel goes round this often before it is rejected.
const LAPS_MAX: u8 = 3;

/// Where the line's PLC and scanner are, for those who run it over sockets.
const PLC_ADDRESS: &str = "127.0.0.1:1502";
const SCANNER_ADDRESS: &str = "127.0.0.1:2111";

/// Reads a layout and the parcels that went over it.
///
/// # Errors
/// Every fault of both files, warnings included.
pub fn read(layout: &Path, parcels: &Path) -> Result<HubFile, Vec<Fault>> {
    let layout = Source::read(layout, TRACE_MB_MAX);
    let parcels = Source::read(parcels, TRACE_MB_MAX);
    match (layout, parcels) {
        (Ok(layout), Ok(parcels)) => from_sources(&layout, &parcels),
        (Err(layout), Err(parcels)) => Err([layout, parcels].concat()),
        (Err(layout), Ok(parcels)) => Err([layout, check_parcels(&parcels)].concat()),
        (Ok(layout), Err(parcels)) => Err([check_layout(&layout), parcels].concat()),
    }
}

/// Reads a layout and parcels that are already in memory.
///
/// # Errors
/// As [`read`].
pub fn from_sources(layout: &Source, parcels: &Source) -> Result<HubFile, Vec<Fault>> {
    let (line, mut faults) = layout::read(layout);
    let (trace, of_parcels) = parcels::read(parcels, line.outfeeds());
    faults.extend(of_parcels);
    let named = trace
        .iter()
        .filter_map(|parcel| parcel.feasible.last().copied())
        .max();
    let outfeeds = line
        .outfeeds_mm
        .keys()
        .next_back()
        .copied()
        .max(named)
        .unwrap_or(0);
    let failed = faults.iter().any(Fault::is_error);
    if outfeeds == 0 && !failed {
        faults.push(layout.fault(Span::default(), TraceFault::NoOutfeeds));
    }
    let faults = in_order(faults);
    if outfeeds == 0 || failed {
        return Err(faults);
    }
    let refused =
        |problem: String| vec![layout.fault(Span::default(), TraceFault::Line { problem })];
    let hub = Hub::new(hub_of(&line, outfeeds))
        .map_err(|found| refused(found.first().map_or(String::new(), |f| f.kind.to_string())))?;
    let (plan, dests) = plan_of(&trace, outfeeds);
    let plan = Plan::new(plan, &hub)
        .map_err(|found| refused(found.first().map_or(String::new(), ToString::to_string)))?;
    let plant = plant_of(&hub, &trace, &dests);
    let directory = directory_of(&plan, &plant).map_err(|error| refused(error.to_string()))?;
    Ok(HubFile {
        hub: Arc::new(hub),
        plan: Arc::new(plan),
        plant,
        container_labels: None,
        formats: None,
        directory,
        links: links(),
        text: format!("{}{}", layout.text(), parcels.text()),
        warnings: faults,
    })
}

/// Pre-advice for each parcel that has a destination.
fn directory_of(plan: &Plan, plant: &PlantSpec) -> Result<Directory, BuildError> {
    let parcels = plant.trace.iter();
    let advised = parcels.filter_map(|parcel| {
        let advice = Advice {
            dest: plan.key(parcel.dest?),
            ..Advice::default()
        };
        let waybill = Waybill::of(&parcel.label).ok()?;
        Some(Row::new(waybill, &advice))
    });
    let rows = Vec::from_iter(advised);
    let wide = rows.iter().filter(|row| !row.is_narrow()).count();
    let mut builder = Builder::new(Expected {
        narrow: rows.len() - wide,
        wide,
    });
    builder.add(&rows)?;
    let mut directory = Directory::new();
    directory.set_waybills(Arc::new(builder.finish()?.waybills));
    Ok(directory)
}

/// Every fault of a layout by itself.
#[must_use]
pub fn check_layout(source: &Source) -> Vec<Fault> {
    in_order(layout::read(source).1)
}

/// Every fault of a list of parcels, as far as it can be told without its layout.
#[must_use]
pub fn check_parcels(source: &Source) -> Vec<Fault> {
    in_order(parcels::read(source, None).1)
}

/// How far a belt moves in some ms, rounded up.
fn travel_mm(speed_mm_s: u32, ms: u32) -> u32 {
    (u64::from(speed_mm_s) * u64::from(ms)).div_ceil(1_000) as u32
}

fn hub_of(line: &Layout, outfeeds: u32) -> HubSpec {
    let scanner = line.infeed_to_scanner_mm;
    let first = scanner + line.scanner_to_outfeed_mm;
    let end = first + (outfeeds - 1) * line.between_outfeeds_mm + END_MM;
    // No two parcels are nearer than the gap, so that never more than this are under way.
    let windows = ((end + line.return_mm) / GAP_MM + 16).min(CELLS_PER_TRACK_MAX);
    let lead = Mm(travel_mm(line.speed_mm_s, LEAD_MS));
    let track = TrackId(0);
    let outfeed = |number: u32| ChuteSpec {
        name: format!("outfeed-{number}"),
        outlets: vec![Outlet {
            track,
            at: Mm(first + (number - 1) * line.between_outfeeds_mm),
            lead,
        }],
        capacity: Capacity::Length(Mm(line.outfeed_mm(number).unwrap_or(1))),
        sensing: Sensing::Counted,
        // Its room is counted; there is no eye that parcels slide past.
        rules: ChuteRules::AS_TOLD,
    };
    let reject = ChuteSpec {
        name: "reject".to_owned(),
        outlets: vec![Outlet {
            track,
            at: Mm(end),
            lead,
        }],
        capacity: Capacity::Unlimited,
        sensing: Sensing::Eyes,
        rules: ChuteRules::AS_TOLD,
    };
    // Half the way to the first outfeed is left for deciding, however slow the belt is.
    let wait = travel_mm(line.speed_mm_s, WAIT_MS).min(line.scanner_to_outfeed_mm / 2);
    HubSpec {
        name: "recorded line".to_owned(),
        tracks: vec![TrackSpec {
            name: "line".to_owned(),
            kind: TrackKind::Line {
                length: Mm(end),
                windows,
                returns: Some(Mm(line.return_mm)),
            },
            speed: MmPerS(line.speed_mm_s),
            tolerance: Mm(TOLERANCE_MM),
            caps: Caps::NONE,
        }],
        inductions: vec![InductionSpec {
            name: "infeed".to_owned(),
            track,
            at: Mm(0),
            quota_permille: 1_000,
        }],
        scanners: vec![ScannerSpec {
            name: "scanner".to_owned(),
            track,
            at: Mm(scanner),
            meets_by: MeetsBy::Trigger,
            wait: Mm(wait),
        }],
        chutes: (1..=outfeeds).map(outfeed).chain([reject]).collect(),
        ..HubSpec::default()
    }
}

/// One destination for each set of feasible outfeeds, in order of first arrival in the file. What
/// may go nowhere has none.
fn plan_of(trace: &[Parcel], outfeeds: u32) -> (PlanSpec, BTreeMap<Vec<u32>, DestId>) {
    let mut dests: BTreeMap<Vec<u32>, DestId> = BTreeMap::new();
    let mut destinations = Vec::new();
    for feasible in trace
        .iter()
        .map(|parcel| &parcel.feasible)
        .filter(|set| !set.is_empty())
    {
        if dests.contains_key(feasible) {
            continue;
        }
        dests.insert(feasible.clone(), DestId(destinations.len() as u32));
        let names: Vec<String> = feasible.iter().map(ToString::to_string).collect();
        destinations.push(DestinationSpec {
            name: names.join("|"),
            chutes: feasible
                .iter()
                .map(|number| ChuteId(*number as u16 - 1))
                .collect(),
            ..DestinationSpec::default()
        });
    }
    let plan = PlanSpec {
        version: 1,
        destinations,
        reject: vec![ChuteId(outfeeds as u16)],
        room: RoomPolicy::Reserve,
        no_read: NoReadPolicy::Reject,
        laps_max: LAPS_MAX,
        ..PlanSpec::default()
    };
    (plan, dests)
}

fn plant_of(hub: &Hub, trace: &[Parcel], dests: &BTreeMap<Vec<u32>, DestId>) -> PlantSpec {
    let chute = |spec: &ChuteSpec| {
        let is_outfeed = spec.capacity != Capacity::Unlimited;
        ChutePlant {
            service: if is_outfeed {
                Service::BySize
            } else {
                Service::Instant
            },
            counts_taken: spec.sensing == Sensing::Counted,
            full_eye: false,
        }
    };
    let mut parcels: Vec<TraceParcel> = trace
        .iter()
        .map(|parcel| TraceParcel {
            label: parcel.number.to_string(),
            arrival: parcel.arrival,
            size: parcel.size,
            mass: parcel.mass,
            track: TrackId(0),
            dest: dests.get(&parcel.feasible).copied(),
        })
        .collect();
    // Rows are not always in order of time; those of one time stay in the order of the file.
    parcels.sort_by_key(|parcel| parcel.arrival);
    PlantSpec {
        host: None,
        tracks: vec![TrackPlant {
            ramp_mm_s2: 0,
            gap: Mm(GAP_MM),
            plc_scan: Micros::from_millis(PLC_SCAN_MS),
        }],
        // The gap on the belt is what keeps them apart.
        inductions: vec![InductionPlant {
            rate_per_h: 0,
            spacing: Micros(0),
            queue: None,
        }],
        // The recorded model reads every parcel, and decides while it passes the scanner.
        scanners: vec![ScannerPlant {
            read_ppm: 1_000_000,
            delay: Micros(0),
        }],
        chutes: hub.chutes().iter().map(chute).collect(),
        demand: vec![vec![]],
        parcels: ParcelPlant::default(),
        trace: parcels,
    }
}

fn links() -> LinksSpec {
    let plc = PlcLink {
        address: PLC_ADDRESS.to_owned(),
        unit: 1,
        functions: Functions::Fc3Fc16,
        poll_ms: 20,
    };
    let scanner = ScannerLink {
        peer: Peer::Connect(SCANNER_ADDRESS.to_owned()),
        framing: Framing::StxEtx,
        template: Template {
            no_read: vec!["NoRead".to_owned()],
            ..Template::of(vec![Field::Trigger, Field::Code])
        },
    };
    LinksSpec {
        tracks: vec![Some(plc)],
        scanners: vec![Some(scanner)],
    }
}
