//! What a demonstration says at its end: for people and as JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sorthub_core::reason::Reason;
use sorthub_core::sorter::Books;

use super::DemoReport;
use crate::engine::Percentiles;

/// The report as one JSON object.
#[must_use]
pub fn json(report: &DemoReport) -> Value {
    let books = &report.engine.books;
    let plant_s = report.truth.plant_us as f64 / 1e6;
    json!({
        "seed": report.seed,
        "arrived": report.truth.arrived,
        "waiting": report.truth.waiting,
        "turned_away": report.truth.turned_away,
        "inducted": books.inducted,
        "sorted": books.sorted,
        "missorted": books.missorted,
        "rejected": rejected(books),
        "removed": books.removed,
        "lost": books.lost,
        "on_sorter": books.on_sorter,
        "recirculated": books.recirculated,
        "recirculation_rate": ratio(books.recirculated, books.inducted),
        "adopted": books.adopted,
        "throughput_per_hour": if plant_s > 0.0 {
            books.sorted as f64 * 3_600.0 / plant_s
        } else {
            0.0
        },
        "orders": books.orders,
        "balanced": books.balance(),
        "plant_s": plant_s,
        "wall_s": report.wall.as_secs_f64(),
        "output_hash": format!("{:016x}", report.engine.output_hash),
        "digest": format!("{:016x}", report.engine.digest),
        "latency_us": {
            "decision": latency(&report.engine.decision),
            "wire_to_wire": latency(&report.engine.wire_to_wire),
        },
        "scanners": scanners(report),
        "plc_links": {
            "unreadable_events": report.engine.stats.unreadable_events,
            "changes": report.engine.stats.link_changes,
        },
        "telegrams_unsent": report.truth.telegrams_unsent,
        "actions": asked(report),
        "ledger": report.verdict,
        "simulated": report.comparison,
        "journal": {
            "dir": report.journal,
            "records": report.records,
            "error": report.engine.journal.as_ref().err().map(ToString::to_string),
        },
        "broken": report.engine.broken,
        "good": report.is_good(),
    })
}

/// What a scenario's timetable came to.
fn asked(report: &DemoReport) -> Vec<Value> {
    let all = report.asked.iter();
    all.map(|asked| {
        let (answer, problem) = match &asked.answer {
            Ok(answer) => (Some(answer), None),
            Err(problem) => (None, Some(problem)),
        };
        json!({
            "at": asked.at.0 as f64 / 1e6,
            "request": asked.request.to_json(),
            "answer": answer,
            "problem": problem,
        })
    })
    .collect()
}

fn scanners(report: &DemoReport) -> Vec<Value> {
    let specs = report
        .file
        .hub
        .scanners()
        .iter()
        .zip(&report.engine.scanners);
    specs
        .map(|(spec, stats)| {
            json!({
                "name": spec.name,
                "reads": stats.reads,
                "no_reads": stats.no_reads,
                "garbage": stats.garbage,
            })
        })
        .collect()
}

fn rejected(books: &Books) -> Value {
    let counts = Reason::ALL.iter().map(|why| (why, books.rejected_by[*why]));
    let some = counts.filter(|(_, count)| *count > 0);
    Value::Object(
        some.map(|(why, count)| (why.name().to_owned(), json!(count)))
            .collect::<Map<_, _>>(),
    )
}

fn latency(of: &Percentiles) -> Value {
    json!({
        "count": of.count,
        "p50": us(of.p50_ns),
        "p99": us(of.p99_ns),
        "p999": us(of.p999_ns),
        "max": us(of.max_ns),
    })
}

fn us(ns: u64) -> f64 {
    ns as f64 / 1_000.0
}

fn ratio(part: u64, of: u64) -> f64 {
    if of == 0 {
        0.0
    } else {
        part as f64 / of as f64
    }
}

/// How many single differences are listed; the rest is counted.
const LISTED_MAX: usize = 20;

/// The report as a page of text.
#[must_use]
pub fn text(report: &DemoReport) -> String {
    let books = &report.engine.books;
    let mut out = String::new();
    // Writing into a text cannot fail.
    let mut line = |text: String| out.push_str(&(text + "\n"));
    line(format!(
        "{}: {:.1} s of the hub in {:.1} s",
        report.file.hub.spec().name,
        report.truth.plant_us as f64 / 1e6,
        report.wall.as_secs_f64()
    ));
    line(format!(
        "  arrived      {:>8}   waiting {}, turned away {}",
        report.truth.arrived, report.truth.waiting, report.truth.turned_away
    ));
    line(format!("  inducted     {:>8}", books.inducted));
    line(format!(
        "  sorted       {:>8}   missorted {}",
        books.sorted, books.missorted
    ));
    line(format!(
        "  rejected     {:>8}   {}",
        books.rejected,
        reasons(books)
    ));
    line(format!("  removed      {:>8}", books.removed));
    line(format!("  lost         {:>8}", books.lost));
    line(format!("  on sorter    {:>8}", books.on_sorter));
    line(format!(
        "  recirculated {:>8}   {:.1} % of those inducted",
        books.recirculated,
        ratio(books.recirculated, books.inducted) * 100.0
    ));
    line(format!(
        "  decision      {}",
        percentiles(&report.engine.decision)
    ));
    line(format!(
        "  wire to wire  {}",
        percentiles(&report.engine.wire_to_wire)
    ));
    line(format!(
        "  books {}; {} calls journaled{}",
        balance(books),
        report.records,
        report
            .journal
            .as_ref()
            .map(|dir| format!(" in {}", dir.display()))
            .unwrap_or_default()
    ));
    line(format!(
        "  ledger: {} of {} parcels as the book says, {} in a wrong chute",
        report.verdict.agreed,
        report.verdict.parcels,
        report.verdict.wrong_chute.len()
    ));
    if let Err(error) = &report.engine.journal {
        line(format!("  JOURNAL: {error}"));
    }
    if let Some(broken) = &report.engine.broken {
        line(format!("  STOPPED: an invariant broke: {broken}"));
    }
    differences(report, &mut out);
    out
}

fn differences(report: &DemoReport, out: &mut String) {
    for wrong in report.verdict.wrong_chute.iter().take(LISTED_MAX) {
        let _ = writeln!(out, "  WRONG CHUTE: {wrong}");
    }
    for found in report.verdict.differences.iter().take(LISTED_MAX) {
        let _ = writeln!(
            out,
            "  DIFFERENCE: {}: really {}, in the book {}",
            found.parcel, found.ledger, found.book
        );
    }
    let more = report.verdict.differences.len().saturating_sub(LISTED_MAX);
    if more > 0 {
        let _ = writeln!(out, "  and {more} more; --json lists all");
    }
    let Some(comparison) = &report.comparison else {
        return;
    };
    let _ = writeln!(
        out,
        "  simulated: {} of {} parcels with the same outcome ({:.1} %)",
        comparison.same,
        comparison.parcels,
        comparison.share * 100.0
    );
    for found in &comparison.different {
        let _ = writeln!(
            out,
            "    {}: live {}, simulated {}; first different at step {}: {} / {}",
            found.parcel,
            found.live,
            found.simulated,
            found.step,
            found.live_step,
            found.simulated_step
        );
    }
}

fn reasons(books: &Books) -> String {
    let counts = Reason::ALL.iter().map(|why| (why, books.rejected_by[*why]));
    let some = counts.filter(|(_, count)| *count > 0);
    some.map(|(why, count)| format!("{why} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn percentiles(of: &Percentiles) -> String {
    if of.count == 0 {
        return "none measured".into();
    }
    format!(
        "p50 {} p99 {} max {} ({} measured)",
        duration(of.p50_ns),
        duration(of.p99_ns),
        duration(of.max_ns),
        of.count
    )
}

/// A duration with a unit that suits it.
#[must_use]
pub fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.1} µs", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        _ => format!("{:.1} s", ns as f64 / 1e9),
    }
}

fn balance(books: &Books) -> &'static str {
    if books.balance() {
        "balance"
    } else {
        "DO NOT BALANCE"
    }
}
