//! How things are, as JSON with names: from a view's numbers.

use serde_json::{Value, json};
use sorthub_core::hub::Hub;
use sorthub_core::ids::CellId;
use sorthub_core::plan::Plan;
use sorthub_core::sorter::ItemView;

use super::waves::CutOffs;
use crate::telemetry::{ChuteRow, View};

/// `status`.
pub(super) fn status(hub: &Hub, view: &View) -> Value {
    let tracks = hub.tracks().iter().zip(&view.tracks);
    let tracks: Vec<Value> = tracks
        .map(|(spec, row)| {
            json!({
                "track": spec.name,
                "linked": row.linked,
                "speed_mm_s": row.speed_mm_s,
                "in_doubt": row.in_doubt,
            })
        })
        .collect();
    let scanners = hub.scanners().iter().zip(&view.scanners);
    let scanners: Vec<Value> = scanners
        .map(|(spec, row)| {
            json!({
                "scanner": spec.name,
                "linked": row.linked,
                "reads": row.reads,
                "no_reads": row.no_reads,
            })
        })
        .collect();
    let standing = view.alarms.iter().filter(|row| row.cleared_us.is_none());
    json!({
        "hub": hub.spec().name,
        "plan_version": view.plan_version,
        "plant_s": view.plant_us as f64 / 1e6,
        "books": view.books,
        "sorted_per_h": view.sorted_per_h,
        "inducted_per_h": view.inducted_per_h,
        "tracks": tracks,
        "scanners": scanners,
        "chutes_closed": view.chutes.iter().filter(|row| state_of(row) != "open").count(),
        "alarms_standing": standing.count(),
        "records_missing": view.queue_drops,
    })
}

/// `chutes`.
pub(super) fn chutes(hub: &Hub, view: &View, only_closed: bool) -> Value {
    let rows = hub.chutes().iter().zip(&view.chutes);
    let rows = rows.filter(|(_, row)| !only_closed || state_of(row) != "open");
    let rows: Vec<Value> = rows
        .map(|(spec, row)| {
            json!({
                "chute": spec.name,
                "state": state_of(row),
                "dropped": row.dropped,
                "holds": row.holds,
                "coming": row.coming,
                "half": row.half,
            })
        })
        .collect();
    json!({ "chutes": rows })
}

/// The one word for a chute's state.
fn state_of(row: &ChuteRow) -> &'static str {
    if row.disabled {
        "disabled"
    } else if row.jammed {
        "jammed"
    } else if row.locked {
        "locked"
    } else if row.full {
        "full"
    } else {
        "open"
    }
}

/// `alarms list`.
pub(super) fn alarms(view: &View) -> Value {
    json!({ "alarms": view.alarms })
}

/// `wave list`.
pub(super) fn waves(plan: &Plan, cut_offs: &CutOffs) -> Value {
    let waves = plan.spec().waves.iter().enumerate();
    let rows: Vec<Value> = waves
        .map(|(at, wave)| {
            let id = sorthub_core::ids::WaveId(at as u8);
            json!({ "wave": wave.name, "cut_off": cut_offs.of(id) })
        })
        .collect();
    json!({ "plan_version": plan.version(), "waves": rows })
}

/// Parcels with their places.
pub(super) fn parcels(hub: &Hub, found: &[ItemView]) -> Value {
    let rows: Vec<Value> = found.iter().map(|item| parcel(hub, item)).collect();
    json!({ "parcels": rows })
}

fn parcel(hub: &Hub, item: &ItemView) -> Value {
    let chute = item
        .chute
        .map(|chute| hub.chutes()[chute.index()].name.as_str());
    json!({
        "parcel": item.parcel.to_string(),
        "on": place(hub, item.cell),
        "chute": chute,
        "why": item.why.name(),
        "laps": item.laps,
    })
}

/// `carrier 12 of loop`.
fn place(hub: &Hub, cell: CellId) -> String {
    let Some((track, own)) = hub.track_of(cell) else {
        return format!("cell {}", cell.0);
    };
    let track = &hub.tracks()[track.index()];
    let kind = if track.kind.is_loop() {
        "carrier"
    } else {
        "window"
    };
    format!("{kind} {own} of {}", track.name)
}
