//! Warnings about a hub that is legal: it will run, but hardly as it was meant to.

use std::collections::BTreeMap;
use std::rc::Rc;

use sorthub_core::hub::{Capacity, ChuteSpec, Hub, MeetsBy, ScannerSpec, Sensing, TrackKind};
use sorthub_core::ids::{ChuteId, TrackId};
use sorthub_core::plan::{DestinationSpec, Plan, PlanSpec, RoomPolicy};
use sorthub_sim::spec::PlantSpec;

use super::draft::{Draft, Origin};
use super::fault::Odd;
use super::reader::Faults;

mod plan;

pub(super) use plan::find as find_in_plan;

/// What reading, deciding and telling the PLC take besides the scanner's own delay: a poll, two
/// PLC scans, the write and some guard.
const DECISION_MS: u64 = 140;

const MS_PER_H: u64 = 3_600_000;

/// Reports everything odd.
pub(super) fn find(draft: &Draft, hub: &Hub, plan: &Plan, plant: &PlantSpec, faults: &Faults<'_>) {
    unused_chutes(draft, hub, plan, faults);
    uncounted_chutes(draft, hub, plan, faults);
    near_scanners(draft, hub, plant, faults);
    rates_above_spacing(draft, hub, plant, faults);
    for track in 0..hub.tracks().len() {
        rate_above_belt(draft, hub, plan, plant, TrackId(track as u16), faults);
    }
}

/// Reports once for each table: its first chute of those given, and how many more there are.
fn report_by_table(
    draft: &Draft,
    hub: &Hub,
    chutes: &[ChuteId],
    faults: &Faults<'_>,
    odd: impl Fn(String, usize) -> Odd,
) {
    let mut tables: Vec<(&Rc<Origin>, Vec<ChuteId>)> = Vec::new();
    for &chute in chutes {
        let origin = &draft.chutes[chute.index()];
        match tables.last_mut() {
            Some((table, members)) if Rc::ptr_eq(table, origin) => members.push(chute),
            _ => tables.push((origin, vec![chute])),
        }
    }
    for (origin, members) in tables {
        let first = members
            .first()
            .map(|chute| hub.chutes()[chute.index()].name.clone())
            .unwrap_or_default();
        faults.add(origin.table, odd(first, members.len() - 1));
    }
}

fn unused_chutes(draft: &Draft, hub: &Hub, plan: &Plan, faults: &Faults<'_>) {
    let unused = unused(hub, plan.spec());
    let odd = |chute, others| Odd::ChuteUnused { chute, others };
    report_by_table(draft, hub, &unused, faults, odd);
}

/// Chutes that a plan never sends anything to and that no line ends in.
fn unused(hub: &Hub, spec: &PlanSpec) -> Vec<ChuteId> {
    let mut used = vec![false; hub.chutes().len()];
    let planned = spec
        .destinations
        .iter()
        .flat_map(DestinationSpec::every_chute);
    let rejects = spec
        .reject
        .iter()
        .chain(spec.exceptions.iter().flat_map(|(_, own)| own));
    let transfers = hub.transfers().iter().map(|transfer| &transfer.from);
    let ends: Vec<ChuteId> = (0..hub.tracks().len())
        .filter_map(|track| hub.end_chute(TrackId(track as u16)))
        .collect();
    for chute in planned.chain(rejects).chain(transfers).chain(&ends) {
        used[chute.index()] = true;
    }
    let chutes = (0..).map(ChuteId).zip(used);
    chutes
        .filter(|(_, used)| !used)
        .map(|(chute, _)| chute)
        .collect()
}

fn uncounted_chutes(draft: &Draft, hub: &Hub, plan: &Plan, faults: &Faults<'_>) {
    let uncounted = uncounted(hub, plan.spec());
    let odd = |chute, others| Odd::RoomNotCounted { chute, others };
    report_by_table(draft, hub, &uncounted, faults, odd);
}

/// Chutes whose room a plan counts, though nothing counts what is taken out.
fn uncounted(hub: &Hub, spec: &PlanSpec) -> Vec<ChuteId> {
    if spec.room != RoomPolicy::Reserve {
        return vec![];
    }
    let is_uncounted = |chute: &ChuteSpec| {
        chute.capacity != Capacity::Unlimited && chute.sensing != Sensing::Counted
    };
    let chutes = (0..).map(ChuteId).zip(hub.chutes());
    // What feeds a transfer is taken out by a conveyor.
    let uncounted = chutes.filter(|(_, chute)| is_uncounted(chute));
    let uncounted = uncounted.filter(|(id, _)| hub.transfer_from(*id).is_none());
    uncounted.map(|(chute, _)| chute).collect()
}

/// Belt from one place to another in the direction of travel, in mm; `None` on a line where it
/// lies behind. From a place of a loop to itself it is once round.
fn ahead(hub: &Hub, track: TrackId, from: u32, to: u32) -> Option<u64> {
    let kind = hub.tracks()[track.index()].kind;
    match kind {
        TrackKind::Line { .. } => to.checked_sub(from).filter(|mm| *mm > 0).map(u64::from),
        TrackKind::Loop { .. } if to > from => Some(u64::from(to - from)),
        TrackKind::Loop { .. } => Some(u64::from(kind.length().0) - u64::from(from - to)),
    }
}

fn near_scanners(draft: &Draft, hub: &Hub, plant: &PlantSpec, faults: &Faults<'_>) {
    for (at, scanner) in hub.scanners().iter().enumerate() {
        let ScannerSpec {
            track, at: place, ..
        } = *scanner;
        let speed = u64::from(hub.tracks()[track.index()].speed.0);
        let next = hub.outlets(track).iter().filter_map(|(outlet, chute)| {
            Some((
                ahead(hub, track, place.0, outlet.at.0)?,
                outlet.lead.0,
                *chute,
            ))
        });
        let Some((distance, lead, chute)) =
            next.min_by_key(|(distance, lead, _)| distance.saturating_sub(u64::from(*lead)))
        else {
            continue;
        };
        let calibrated = match scanner.meets_by {
            MeetsBy::Arrival { delay_ms, .. } => u64::from(delay_ms),
            MeetsBy::Trigger | MeetsBy::Carrier | MeetsBy::Encoder { .. } => 0,
        };
        let needs_ms = DECISION_MS + calibrated.max(plant.scanners[at].delay.0 / 1_000);
        let has_ms = distance.saturating_sub(u64::from(lead)) * 1_000 / speed;
        if has_ms < needs_ms {
            let odd = Odd::ScannerNear {
                scanner: scanner.name.clone(),
                chute: hub.chutes()[chute.index()].name.clone(),
                has_ms,
                needs_ms,
                needs_mm: (needs_ms * speed).div_ceil(1_000) + u64::from(lead),
            };
            faults.add(draft.scanners[at].at, odd);
        }
    }
}

fn rates_above_spacing(draft: &Draft, hub: &Hub, plant: &PlantSpec, faults: &Faults<'_>) {
    for (at, induction) in plant.inductions.iter().enumerate() {
        let Some(most_per_h) = (MS_PER_H * 1_000).checked_div(induction.spacing.0) else {
            continue;
        };
        let rate_per_h = u64::from(induction.rate_per_h);
        if rate_per_h > most_per_h {
            let induction = hub.inductions()[at].name.clone();
            let odd = Odd::RateAboveSpacing {
                induction,
                rate_per_h,
                most_per_h,
            };
            faults.add(draft.inductions[at].table, odd);
        }
    }
}

/// A stream of parcels from one induction, by how far they go.
struct Stream {
    at: u32,
    rate_per_h: u64,
    weights: u64,
    /// Travel in mm with the weight of those that go so far.
    travels: BTreeMap<u64, u64>,
}

impl Stream {
    /// How many of its parcels are on the belt `distance` behind the induction, an hour. Those
    /// that need more than once round for their chute count once for each time.
    fn flow_at(&self, distance: u64, length: u64) -> u64 {
        let weight: u64 = self
            .travels
            .iter()
            .map(|(travel, weight)| match travel.checked_sub(distance + 1) {
                Some(beyond) => weight * (beyond / length + 1),
                None => 0,
            })
            .sum();
        let per_h = u128::from(self.rate_per_h) * u128::from(weight) / u128::from(self.weights);
        u64::try_from(per_h).unwrap_or(u64::MAX)
    }
}

/// Compares what would be on the belt behind each induction with what the belt carries. Each
/// parcel is taken to go to its first chute at its first try; repeats come on top.
fn rate_above_belt(
    draft: &Draft,
    hub: &Hub,
    plan: &Plan,
    plant: &PlantSpec,
    track: TrackId,
    faults: &Faults<'_>,
) {
    let spec = &hub.tracks()[track.index()];
    let (least, most) = plant.parcels.length;
    let place_mm = match spec.kind {
        TrackKind::Loop { pitch, .. } => u64::from(pitch.0),
        TrackKind::Line { .. } => {
            u64::from(plant.tracks[track.index()].gap.0) + (u64::from(least.0 + most.0)) / 2
        }
    };
    let most_per_h = u64::from(spec.speed.0) * 3_600 / place_mm.max(1);
    let streams = streams(hub, plan, plant, track);
    let length = u64::from(spec.kind.length().0);
    let flow_behind = |at: u32| -> u64 {
        let flows = streams.iter().filter_map(|stream| {
            let distance = if stream.at == at {
                0
            } else {
                ahead(hub, track, stream.at, at)?
            };
            Some(stream.flow_at(distance, length))
        });
        flows.fold(0, u64::saturating_add)
    };
    let inductions = hub.inductions_of(track).map(|id| id.index());
    let fullest = inductions
        .map(|at| (flow_behind(hub.inductions()[at].at.0), at))
        .max();
    if let Some((rate_per_h, at)) = fullest.filter(|(rate, _)| *rate > most_per_h) {
        let odd = Odd::RateAboveBelt {
            induction: hub.inductions()[at].name.clone(),
            track: spec.name.clone(),
            rate_per_h,
            most_per_h,
        };
        faults.add(draft.inductions[at].table, odd);
    }
}

fn streams(hub: &Hub, plan: &Plan, plant: &PlantSpec, track: TrackId) -> Vec<Stream> {
    let demand = &plant.demand[track.index()];
    let weights: u64 = demand.iter().map(|demand| u64::from(demand.weight)).sum();
    let mut streams = Vec::new();
    for id in hub.inductions_of(track) {
        let at = hub.inductions()[id.index()].at.0;
        let rate_per_h = u64::from(plant.inductions[id.index()].rate_per_h);
        let scanners = hub
            .scanners_of(track)
            .map(|id| hub.scanners()[id.index()].at.0);
        let to_scanner = scanners
            .filter_map(|to| Some((ahead(hub, track, at, to)?, to)))
            .min();
        let Some((before, scanner)) = to_scanner.filter(|_| rate_per_h > 0 && weights > 0) else {
            continue;
        };
        let travels = demand.iter().filter_map(|demand| {
            let chutes = plan.chutes(demand.dest, plan.waves()).iter();
            let outlet = chutes
                .filter_map(|chute| hub.outlet(*chute, track))
                .next()?;
            let travel = before + ahead(hub, track, scanner, outlet.at.0)?;
            Some((travel, u64::from(demand.weight)))
        });
        // There are many destinations, but only as many travels as chutes.
        let mut by_travel = BTreeMap::new();
        for (travel, weight) in travels {
            *by_travel.entry(travel).or_insert(0) += weight;
        }
        streams.push(Stream {
            at,
            rate_per_h,
            weights,
            travels: by_travel,
        });
    }
    streams
}
