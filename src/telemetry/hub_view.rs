//! The part of a hub that does not move, for whoever draws it.

use serde::Serialize;
use sorthub_core::hub::{Capacity, Hub, Sensing, TrackKind};
use sorthub_core::ids::{ChuteId, TrackId};
use sorthub_core::plan::Plan;

/// Most destinations that are named for one chute; a plan can have a hundred thousand.
pub const DESTINATIONS_NAMED_MAX: usize = 24;

/// A hub and what its plan makes of it.
#[derive(Clone, Debug, Serialize)]
pub struct HubView {
    /// What people call the hub.
    pub name: String,
    /// The sort plan's version.
    pub plan_version: u32,
    /// Laps a parcel may add before it is rejected.
    pub laps_max: u8,
    /// Loops and lines.
    pub tracks: Vec<TrackSite>,
    /// Where parcels get on.
    pub inductions: Vec<Site>,
    /// Where parcels are read.
    pub scanners: Vec<Site>,
    /// Where parcels leave.
    pub chutes: Vec<ChuteSite>,
}

/// A loop or a line.
#[derive(Clone, Debug, Serialize)]
pub struct TrackSite {
    /// What people call it.
    pub name: String,
    /// Whether carriers go round; else it is a line.
    pub is_loop: bool,
    /// Once round, or from infeed to end, in mm.
    pub length_mm: u32,
    /// How many carriers or windows it has.
    pub cells: u32,
    /// The hub-wide number of its first carrier or window.
    pub first_cell: u32,
    /// From one carrier to the next, in mm; `None` for a line.
    pub pitch_mm: Option<u32>,
    /// The length of a line's return, in mm, if it has one.
    pub return_mm: Option<u32>,
    /// The belt's usual speed, in mm/s.
    pub speed_mm_s: u32,
}

/// An induction or a scanner.
#[derive(Clone, Debug, Serialize)]
pub struct Site {
    /// What people call it.
    pub name: String,
    /// Its track, by position in the list.
    pub track: u16,
    /// Where it stands, in mm from the track's origin.
    pub at_mm: u32,
}

/// A chute.
#[derive(Clone, Debug, Serialize)]
pub struct ChuteSite {
    /// What people call it.
    pub name: String,
    /// Where it takes parcels.
    pub outlets: Vec<ChutePlace>,
    /// How much it holds; `None`: more than can come.
    pub capacity: Option<CapacityView>,
    /// Whether what is in it is counted; else only its eyes tell.
    pub counted: bool,
    /// What the plan uses it for.
    pub role: ChuteRole,
    /// Destinations that it serves, at most [`DESTINATIONS_NAMED_MAX`] of them.
    pub destinations: Vec<String>,
    /// How many it serves in all.
    pub destinations_count: u32,
}

/// Where a chute takes parcels from a track.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ChutePlace {
    /// The track, by position in the list.
    pub track: u16,
    /// Where, in mm from the track's origin.
    pub at_mm: u32,
}

/// How much a chute holds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CapacityView {
    /// So many parcels.
    Parcels(u32),
    /// Parcels end to end up to this length.
    LengthMm(u32),
}

/// What the plan uses a chute for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChuteRole {
    /// Destinations.
    Sort,
    /// Parcels that could not be sorted.
    Reject,
    /// Nothing.
    Unused,
}

impl HubView {
    /// Describes a hub under a plan.
    #[must_use]
    pub fn new(hub: &Hub, plan: &Plan) -> Self {
        let tracks = (0..hub.tracks().len()).map(|track| track_site(hub, track));
        let inductions = hub.inductions().iter();
        let scanners = hub.scanners().iter();
        Self {
            name: hub.spec().name.clone(),
            plan_version: plan.version(),
            laps_max: plan.spec().laps_max,
            tracks: tracks.collect(),
            inductions: inductions.map(|i| site(&i.name, i.track, i.at.0)).collect(),
            scanners: scanners.map(|s| site(&s.name, s.track, s.at.0)).collect(),
            chutes: chute_sites(hub, plan),
        }
    }

    /// What the plan uses each chute for, in the order of the hub.
    #[must_use]
    pub fn roles(&self) -> Vec<ChuteRole> {
        self.chutes.iter().map(|chute| chute.role).collect()
    }
}

fn site(name: &str, track: TrackId, at_mm: u32) -> Site {
    Site {
        name: name.to_owned(),
        track: track.0,
        at_mm,
    }
}

fn track_site(hub: &Hub, index: usize) -> TrackSite {
    let track = &hub.tracks()[index];
    let (pitch, returns) = match track.kind {
        TrackKind::Loop { pitch, .. } => (Some(pitch.0), None),
        TrackKind::Line { returns, .. } => (None, returns.map(|length| length.0)),
    };
    TrackSite {
        name: track.name.clone(),
        is_loop: track.kind.is_loop(),
        length_mm: track.kind.length().0,
        cells: track.kind.cells(),
        first_cell: hub.cells_of(TrackId(index as u16)).start,
        pitch_mm: pitch,
        return_mm: returns,
        speed_mm_s: track.speed.0,
    }
}

fn chute_sites(hub: &Hub, plan: &Plan) -> Vec<ChuteSite> {
    let mut sites: Vec<ChuteSite> = hub
        .chutes()
        .iter()
        .map(|chute| ChuteSite {
            name: chute.name.clone(),
            outlets: chute
                .outlets
                .iter()
                .map(|outlet| ChutePlace {
                    track: outlet.track.0,
                    at_mm: outlet.at.0,
                })
                .collect(),
            capacity: match chute.capacity {
                Capacity::Unlimited => None,
                Capacity::Parcels(count) => Some(CapacityView::Parcels(count)),
                Capacity::Length(length) => Some(CapacityView::LengthMm(length.0)),
            },
            counted: chute.sensing == Sensing::Counted,
            role: ChuteRole::Unused,
            destinations: Vec::new(),
            destinations_count: 0,
        })
        .collect();
    for destination in &plan.spec().destinations {
        for chute in destination.every_chute() {
            serve(&mut sites[chute.index()], &destination.name);
        }
    }
    let exceptions = plan.spec().exceptions.iter().flat_map(|(_, own)| own);
    for chute in plan.spec().reject.iter().chain(exceptions) {
        mark_reject(&mut sites, *chute);
    }
    sites
}

fn serve(site: &mut ChuteSite, destination: &str) {
    site.role = ChuteRole::Sort;
    site.destinations_count += 1;
    if site.destinations.len() < DESTINATIONS_NAMED_MAX {
        site.destinations.push(destination.to_owned());
    }
}

/// A chute that serves a destination besides stays one that sorts.
fn mark_reject(sites: &mut [ChuteSite], chute: ChuteId) {
    let site = &mut sites[chute.index()];
    if site.role == ChuteRole::Unused {
        site.role = ChuteRole::Reject;
    }
}
