//! How things are, as JSON with names: from a view's numbers.

use std::cmp::Reverse;

use serde_json::{Map, Value, json};
use sorthub_core::facts::{Address, Advice, DestKey};
use sorthub_core::hub::{Hub, Lot};
use sorthub_core::ids::{CellId, ChuteId};
use sorthub_core::plan::{Plan, Waves};
use sorthub_core::running::Pace;
use sorthub_core::signal::Refusal;
use sorthub_core::sorter::{ChuteIs, Standing, Unread};

use super::resolve::Names;
use super::texts::Texts;
use super::waves::CutOffs;
use crate::telemetry::{AlarmRow, BagRow, ChuteRow, View};

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
                "mode": row.state.mode.name(),
                "step": row.state.step.name(),
                "closed": row.state.closed,
                "lost": row.state.lost.names().collect::<Vec<_>>(),
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
                "silent": row.silent,
                "reads": row.reads,
                "no_reads": row.no_reads,
            })
        })
        .collect();
    let mut books = json!(view.books);
    // Each sorter is looked at by itself: a parcel can be taken over between two looks.
    let (handed, taken) = (view.books.handed_over, view.books.taken_over);
    books["in_transfer"] = (handed as i64 - taken as i64).into();
    let standing = view.alarms.iter().filter(|row| row.cleared_us.is_none());
    json!({
        "hub": hub.spec().name,
        "plan_version": view.plan_version,
        "plant_s": view.plant_us as f64 / 1e6,
        "books": books,
        "sorted_per_h": view.sorted_per_h,
        "inducted_per_h": view.inducted_per_h,
        "tracks": tracks,
        "inductions": inductions,
        "scanners": scanners,
        "chutes_closed": view.chutes.iter().filter(|row| row.is.closed_because().is_some()).count(),
        "alarms_standing": standing.count(),
        "transfers": hub.transfers().len(),
        "records_missing": view.queue_drops,
    })
}

fn pace_of(pace: Pace) -> &'static str {
    match pace {
        Pace::Run => "runs",
        Pace::Slow => "goes slowly",
        Pace::Stop => "stands",
    }
}

/// `alarms list`.
pub(super) fn alarms(view: &View) -> Value {
    let mut rows: Vec<&AlarmRow> = view.alarms.iter().collect();
    // What somebody must see to comes first, the worst of it before the rest.
    let is_over = |row: &AlarmRow| (row.cleared_us.is_some(), row.shelved_until_us.is_some());
    rows.sort_by_key(|row| (is_over(row), row.priority, Reverse(row.since_us)));
    let rows = rows.into_iter().map(|row| {
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

/// `chutes`: those that are asked for.
pub(super) fn chutes(
    hub: &Hub,
    view: &View,
    texts: &Texts,
    asked: impl Fn(ChuteId, ChuteIs) -> bool,
) -> Value {
    let rows = hub.chutes().iter().zip(&view.chutes).enumerate();
    let rows = rows.filter(|(at, (_, row))| asked(ChuteId(*at as u16), row.is));
    let rows: Vec<Value> = rows
        .map(|(_, (spec, row))| {
            let mut told = chute(row, view.plant_us);
            told["chute"] = spec.name.as_str().into();
            told["bag"] = match &row.bag {
                Some(row) => bag(row, spec.rules.lot == Lot::Bag, texts),
                None => Value::Null,
            };
            told
        })
        .collect();
    json!({ "chutes": rows })
}

fn chute(row: &ChuteRow, now_us: u64) -> Value {
    let refused = Refusal::ALL.into_iter().zip(row.refused);
    let refused = refused.filter(|(_, count)| *count > 0);
    let refused = refused.map(|(cause, count)| (cause.name().to_owned(), count.into()));
    json!({
        "state": row.is.name(),
        "for_s": now_us.saturating_sub(row.since_us) / 1_000_000,
        "dropped": row.dropped,
        "holds": row.holds,
        "coming": row.coming,
        "refused": refused.collect::<Map<String, Value>>(),
        "failed": row.failed,
        "full_s": row.full_us / 1_000_000,
        "locked_s": row.locked_us / 1_000_000,
    })
}

/// A bag or cage.
fn bag(row: &BagRow, is_bag: bool, texts: &Texts) -> Value {
    json!({
        "kind": if is_bag { "bag" } else { "cage" },
        "label": texts.of_some(row.label),
        "pieces": row.pieces,
        "weight_g": row.weight_g,
        "volume_cm3": row.volume_cm3,
        "counted": row.counted,
        "stage": row.step.name(),
        "next": texts.of_some(row.next),
    })
}

/// The name of a destination, if the plan has it.
fn dest_name(plan: &Plan, key: DestKey) -> Option<&str> {
    let spec = &plan.spec().destinations[plan.dest(key)?.index()];
    Some(&spec.name)
}

/// What stands for a waybill, in words; nothing: none.
pub(super) fn standing_words(told: &Standing, plan: &Plan) -> Vec<String> {
    let mut words = Vec::new();
    if told.is_suspect {
        words.push("suspect until its verdict is clear".to_owned());
    }
    if told.is_held {
        words.push("held until it is released".to_owned());
    }
    if told.intercept.is_some() {
        words.push(match dest_name(plan, told.intercept) {
            Some(name) => format!("intercepted: goes to {name}"),
            None => "intercepted, for a destination that the plan does not have".to_owned(),
        });
    }
    words
}

/// The same, as a row.
pub(super) fn standing_row(told: &Standing, waybill: &str, plan: &Plan) -> Value {
    json!({
        "waybill": waybill,
        "held": told.is_held,
        "suspect": told.is_suspect,
        "intercepted": told.intercept.is_some(),
        "intercept": dest_name(plan, told.intercept),
        "stands": standing_words(told, plan).join("; "),
    })
}

/// Where a waybill is advised for, in words.
pub(super) fn advice_words(advice: &Advice, plan: &Plan) -> String {
    let mut places = Vec::new();
    if advice.dest.is_some() {
        let name = dest_name(plan, advice.dest);
        places.push(
            name.unwrap_or("a destination that the plan does not have")
                .to_owned(),
        );
    }
    for (what, address) in [("segment", advice.segment), ("postcode", advice.postcode)] {
        if address.is_some() {
            places.push(format!("{what} {address}"));
        }
    }
    format!("pre-advised for {}", places.join(", "))
}

/// What is advised for a waybill; what is not is `null`.
pub(super) fn advice_row(advice: &Advice, names: Names<'_>) -> Value {
    let address = |of: Address| of.is_some().then(|| of.to_string());
    let known = |number: u32| (number > 0).then_some(number);
    let spec = names.hub.spec();
    let tags = spec.tag_names().filter(|name| {
        let tag = spec.tag(name);
        tag.is_some_and(|tag| advice.tags.has(tag))
    });
    json!({
        "destination": dest_name(names.plan, advice.dest),
        "segment": address(advice.segment),
        "postcode": address(advice.postcode),
        "tags": tags.collect::<Vec<_>>(),
        "weight_g": known(advice.declared.weight.0),
        "length_mm": known(advice.declared.length.0),
        "width_mm": known(advice.declared.width.0),
        "height_mm": known(advice.declared.height.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Priority;

    #[test]
    fn a_chute_tells_what_it_refused_by_cause_and_how_long_it_was_closed() {
        let mut row = ChuteRow {
            failed: 4,
            full_us: 61_000_000,
            locked_us: 7_500_000,
            ..ChuteRow::default()
        };
        row.refused[Refusal::Full as usize] = 2;
        row.refused[Refusal::Failed as usize] = 1;
        let told = chute(&row, 0);
        assert_eq!(told["refused"], json!({ "full": 2, "failed": 1 }));
        let seconds = (&told["full_s"], &told["locked_s"], &told["failed"]);
        assert_eq!(seconds, (&61.into(), &7.into(), &4.into()));
    }

    #[test]
    fn what_must_be_seen_to_comes_first_among_alarms() {
        let row = |id, priority, since_us, cleared_us, shelved_until_us| AlarmRow {
            id,
            priority,
            text: "it happened".into(),
            cause: "why",
            mend: "what to do",
            since_us,
            cleared_us,
            times: 1,
            latched: true,
            acknowledged_by: None,
            shelved_until_us,
        };
        let view = View {
            alarms: vec![
                row(1, Priority::Critical, 90, Some(95), None),
                row(2, Priority::Low, 80, None, None),
                row(3, Priority::High, 70, None, None),
                row(4, Priority::Low, 60, Some(65), None),
                row(5, Priority::Critical, 50, None, Some(500)),
                row(6, Priority::Critical, 40, None, None),
                row(7, Priority::High, 75, None, None),
            ],
            ..View::default()
        };
        let told = alarms(&view);
        let rows = told["alarms"].as_array().expect("a list");
        let ids: Vec<u64> = rows.iter().filter_map(|row| row["id"].as_u64()).collect();
        assert_eq!(ids, [6, 7, 3, 2, 5, 1, 4]);
    }
}
