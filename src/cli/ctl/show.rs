//! Answers for people: tables and lines in place of JSON.

use std::fmt::Write as _;

use serde_json::Value;

use crate::operator::{AdviceTo, AlarmsTo, PlanTo, Request, UnreadTo, WaveTo};

mod chutes;

/// An answer as text.
pub(super) fn text(request: &Request, answer: &Value) -> String {
    match request {
        Request::Status {} => status(answer),
        Request::Chutes { chute, .. } => chutes::text(chute.is_some(), answer),
        Request::Waybills { .. } => waybills(answer),
        Request::Plan(PlanTo::List {}) => table(
            &answer["plans"],
            &["version", "state", "destinations", "waves", "by", "source"],
            "no plans",
        ),
        Request::Plan(PlanTo::Stage { .. }) => staged(answer),
        Request::Plan(PlanTo::Diff { .. }) => plain(&answer["text"]),
        Request::Plan(PlanTo::Activate { .. }) if answer["was_active"] == true => {
            format!("plan {} was active already\n", answer["active"])
        }
        Request::Plan(PlanTo::Activate { .. } | PlanTo::Rollback {}) => {
            format!(
                "plan {} is active, before it {}\n",
                answer["active"], answer["before"]
            )
        }
        Request::Advice(AdviceTo::Status {}) => {
            let mb = answer["bytes"].as_f64().unwrap_or_default() / 1e6;
            format!(
                "{} waybills with {} different advices ({mb:.1} MB), {} said singly since\n",
                answer["waybills"], answer["different"], answer["single"]
            )
        }
        Request::Advice(AdviceTo::Load { .. }) => loaded(answer),
        Request::Wave(WaveTo::List {}) => table(
            &answer["waves"],
            &["wave", "state", "cut_off", "opens"],
            "the plan has no waves",
        ),
        Request::Wave(WaveTo::Extend { wave, .. }) => {
            format!("{wave} is cut off at {}\n", plain(&answer["cut_off"]))
        }
        Request::Unread(UnreadTo::List {}) => table(
            &answer["unread"],
            &["parcel", "on", "why", "left_mm", "seat"],
            "nothing is waiting to be keyed in",
        ),
        Request::Alarms(AlarmsTo::List {}) => table(
            &answer["alarms"],
            &["id", "priority", "state", "times", "text", "mend"],
            "no alarms",
        ),
        Request::Why { .. } => why(answer),
        _ => done(answer),
    }
}

fn done(answer: &Value) -> String {
    let done = match answer["done"].as_u64() {
        Some(0 | 1) | None => "done".to_owned(),
        Some(count) => format!("done, {count} times"),
    };
    match &answer["note"] {
        Value::String(note) => format!("{done}; {note}\n"),
        _ => format!("{done}\n"),
    }
}

fn waybills(answer: &Value) -> String {
    let nothing = "nothing stands";
    let mut out = table(&answer["waybills"], &["waybill", "stands"], nothing);
    if let Value::String(mark) = &answer["after"] {
        let count = &answer["count"];
        // Writing into a text cannot fail.
        let _ = writeln!(out, "{count} in all; go on with `waybills --after {mark}`");
    }
    out
}

fn loaded(answer: &Value) -> String {
    let mut out = String::new();
    for fault in answer["faults"].as_array().into_iter().flatten() {
        // Writing into a text cannot fail.
        let _ = writeln!(out, "{}\n", plain(fault));
    }
    let (waybills, replaced) = (&answer["waybills"], &answer["replaced"]);
    let _ = write!(out, "{waybills} waybills");
    let _ = match &answer["left_out"] {
        none if *none == 0 => writeln!(out, ", {replaced} rows replaced by later ones"),
        left => writeln!(
            out,
            ", {replaced} rows replaced by later ones, {left} left out"
        ),
    };
    out
}

fn status(answer: &Value) -> String {
    let books = &answer["books"];
    let mut out = String::new();
    // Writing into a text cannot fail.
    let _ = writeln!(
        out,
        "{}: plan {}, running {:.0} s",
        plain(&answer["hub"]),
        answer["plan_version"],
        answer["plant_s"].as_f64().unwrap_or_default()
    );
    let _ = writeln!(
        out,
        "  inducted {}, sorted {}, rejected {}, removed {}, lost {}, on the sorter {}{}",
        books["inducted"],
        books["sorted"],
        books["rejected"],
        books["removed"],
        books["lost"],
        books["on_sorter"],
        in_transfer(answer)
    );
    let _ = writeln!(
        out,
        "  {} sorted and {} inducted an hour",
        answer["sorted_per_h"], answer["inducted_per_h"]
    );
    for track in answer["tracks"].as_array().into_iter().flatten() {
        let permille = track["occupancy_permille"].as_u64().unwrap_or_default();
        let _ = writeln!(
            out,
            "  {}: {}, PLC {}, {} mm/s, {} % occupied, {} in doubt{}",
            plain(&track["track"]),
            running(track),
            linked(track),
            track["speed_mm_s"],
            permille / 10,
            track["in_doubt"],
            degraded(track)
        );
    }
    for induction in answer["inductions"].as_array().into_iter().flatten() {
        let because = match &induction["because"] {
            Value::String(why) => format!(" because {why}"),
            _ => String::new(),
        };
        let name = plain(&induction["induction"]);
        let _ = writeln!(out, "  {name}: {}{because}", plain(&induction["pace"]));
    }
    for scanner in answer["scanners"].as_array().into_iter().flatten() {
        let _ = writeln!(
            out,
            "  {}: {}{}, {} read, {} not read",
            plain(&scanner["scanner"]),
            linked(scanner),
            if scanner["silent"] == true {
                ", SILENT"
            } else {
                ""
            },
            scanner["reads"],
            scanner["no_reads"]
        );
    }
    let _ = writeln!(
        out,
        "  {} chutes closed, {} alarms standing",
        answer["chutes_closed"], answer["alarms_standing"]
    );
    out
}

/// What is between two sorters, where the hub has transfers.
fn in_transfer(answer: &Value) -> String {
    if answer["transfers"].as_u64().unwrap_or(0) == 0 {
        return String::new();
    }
    format!(", on transfers {}", answer["books"]["in_transfer"])
}

/// A track's mode, with the step it is in and whether it is in service, where that is not as usual.
fn running(track: &Value) -> String {
    let mut words = plain(&track["mode"]);
    if track["step"] != "started" {
        words.push_str(", ");
        words.push_str(&plain(&track["step"]));
    }
    if track["closed"] == true {
        words.push_str(", out of service");
    }
    words
}

/// The parts that a track does without.
fn degraded(track: &Value) -> String {
    let lost = track["lost"].as_array().into_iter().flatten();
    let lost: Vec<String> = lost.map(plain).collect();
    if lost.is_empty() {
        return String::new();
    }
    format!(", DEGRADED without {}", lost.join(", "))
}

fn linked(of: &Value) -> &'static str {
    if of["linked"] == true {
        "linked"
    } else {
        "NOT linked"
    }
}

fn why(answer: &Value) -> String {
    let rows = answer["waits"].as_array().into_iter().flatten();
    rows.map(|row| format!("{}: {}\n", plain(&row["of"]), plain(&row["why"])))
        .collect()
}

fn staged(answer: &Value) -> String {
    let mut out = String::new();
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        let _ = writeln!(out, "{}\n", plain(warning));
    }
    let version = &answer["version"];
    let _ = if *version == answer["active"] {
        writeln!(out, "plan {version} is active already, as this file says")
    } else {
        let (destinations, active) = (&answer["destinations"], &answer["active"]);
        writeln!(
            out,
            "plan {version} with {destinations} destinations is staged; plan {active} stays active \
             until `plan activate {version}`"
        )
    };
    out
}

/// A value as people write it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

/// Rows under a header, as wide as they need to be.
fn table(rows: &Value, columns: &[&str], empty: &str) -> String {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return format!("{empty}\n");
    }
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|c| c.replace('_', " ")).collect()];
    for row in rows {
        lines.push(columns.iter().map(|column| plain(&row[column])).collect());
    }
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max();
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| width(at).unwrap_or(0))
        .collect();
    let mut out = String::new();
    for line in &lines {
        let cells = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let text = cells.collect::<Vec<_>>().join("  ");
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}
