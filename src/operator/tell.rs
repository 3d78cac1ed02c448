//! How things are, as JSON with names: from a view's numbers.

use serde_json::{Value, json};
use sorthub_core::hub::Hub;
use sorthub_core::ids::CellId;
use sorthub_core::operator::Mode;
use sorthub_core::plan::{Plan, Waves};
use sorthub_core::running::{Pace, RunState, Step};
use sorthub_core::sorter::Unread;

use super::waves::CutOffs;
use crate::telemetry::{BagRow, View};

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
                "mode": mode_of(&row.state),
                "occupancy_permille": row.occupancy_permille,
                "carriers_disabled": row.disabled,
            })
        })
        .collect();
    let inductions = hub.inductions().iter().zip(&view.inductions);
    let inductions: Vec<Value> = inductions
        .map(|(spec, row)| {
            json!({
                "induction": spec.name,
                "pace": pace_of(row.pace),
                "because": row.hold.map(|hold| hold.to_string()),
                "limit_per_h": row.limit_per_h,
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
        "inductions": inductions,
        "scanners": scanners,
        "chutes_closed": view.chutes.iter().filter(|row| row.is.closed_because().is_some()).count(),
        "alarms_standing": standing.count(),
        "records_missing": view.queue_drops,
    })
}

/// A track's mode, or the step it is in, in the words of the command line.
fn mode_of(state: &RunState) -> &'static str {
    match (state.closed, state.step, state.mode) {
        (true, ..) => "closed",
        (_, Step::Draining, _) => "draining",
        (_, Step::Purging, _) => "purging",
        (_, Step::Stopped, _) => "stopped",
        (_, Step::Started, Mode::Automatic) => "automatic",
        (_, Step::Started, Mode::Manual) => "manual",
        (_, Step::Started, Mode::Maintenance) => "maintenance",
        (_, Step::Started, Mode::Emptying) => "emptying",
    }
}

fn pace_of(pace: Pace) -> &'static str {
    match pace {
        Pace::Run => "runs",
        Pace::Slow => "goes slowly",
        Pace::Stop => "stands",
    }
}

/// `chutes`.
pub(super) fn chutes(hub: &Hub, view: &View, only_closed: bool) -> Value {
    let rows = hub.chutes().iter().zip(&view.chutes);
    let rows = rows.filter(|(_, row)| !only_closed || row.is.closed_because().is_some());
    let rows: Vec<Value> = rows
        .map(|(spec, row)| {
            json!({
                "chute": spec.name,
                "state": row.is.name(),
                "for_s": view.plant_us.saturating_sub(row.since_us) / 1_000_000,
                "dropped": row.dropped,
                "holds": row.holds,
                "coming": row.coming,
                "bag": row.bag.as_ref().map(bag),
            })
        })
        .collect();
    json!({ "chutes": rows })
}

/// A bag or cage in words.
fn bag(row: &BagRow) -> String {
    let at_least = if row.counted { "" } else { "at least " };
    let mut words = format!("{at_least}{} pieces, {} g", row.pieces, row.weight_g);
    let more = [
        (!row.labelled, "no label"),
        (row.frozen, "frozen"),
        (row.next_bound, "next bound"),
    ];
    for (_, word) in more.into_iter().filter(|(holds, _)| *holds) {
        words.push_str(", ");
        words.push_str(word);
    }
    words
}

/// `alarms list`.
pub(super) fn alarms(view: &View) -> Value {
    let rows = view.alarms.iter().map(|row| {
        let state = match (row.cleared_us, row.acknowledged_by, row.shelved_until_us) {
            (_, _, Some(_)) => "shelved",
            (None, Some(_), _) => "stands, seen",
            (None, None, _) => "stands",
            (Some(_), Some(_), _) => "over, seen",
            (Some(_), None, _) => "over",
        };
        let mut told = json!(row);
        told["state"] = state.into();
        told
    });
    json!({ "alarms": rows.collect::<Vec<Value>>() })
}

/// `wave list`.
pub(super) fn waves(plan: &Plan, open: Waves, cut_offs: &CutOffs) -> Value {
    let waves = plan.spec().waves.iter().enumerate();
    let rows: Vec<Value> = waves
        .map(|(at, wave)| {
            let id = sorthub_core::ids::WaveId(at as u8);
            let state = if open.has(id) { "open" } else { "closed" };
            json!({
                "wave": wave.name,
                "state": state,
                "cut_off": cut_offs.of_wave(id),
                "opens": cut_offs.opens(id),
            })
        })
        .collect();
    json!({ "plan_version": plan.version(), "waves": rows })
}

/// Unread parcels that an answer lists; a person keys one at a time.
const UNREAD_TOLD_MAX: usize = 100;

/// `unread list`.
pub(super) fn unread(hub: &Hub, all: &[Unread]) -> Value {
    let rows = all.iter().take(UNREAD_TOLD_MAX).map(|one| {
        let picture = one.picture.map(|(scanner, trigger)| {
            let name = &hub.scanners()[scanner.index()].name;
            json!({ "scanner": name, "trigger": trigger })
        });
        json!({
            "parcel": one.parcel.to_string(),
            "on": place(hub, one.cell),
            "why": one.why.name(),
            "left_mm": one.left_mm,
            "seat": one.seat.map(|seat| seat.0 + 1),
            "picture": picture,
        })
    });
    json!({ "count": all.len(), "unread": rows.collect::<Vec<Value>>() })
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
