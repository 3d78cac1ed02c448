//! `sorthub replay`: run a journal through the sorter again.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};
use sorthub_core::reason::Reason;
use sorthub_core::sorter::Books;

use super::print;
use crate::replay::{Difference, End, Options, RunReport, What, clock, replay};

/// What a journal holds, made again; with --verify every command must come out again.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// The directory that was given to --journal.
    dir: PathBuf,
    /// Compare everything the sorter says with what it said, and name the first difference.
    #[arg(long)]
    verify: bool,
    /// Only this run; a directory holds one for each start of the engine.
    #[arg(long, value_name = "N")]
    run: Option<u32>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Does it: 0 all came out again, 1 something differs or is missing, 2 nothing to replay.
#[must_use]
pub fn run(args: &ReplayArgs) -> ExitCode {
    let options = Options {
        verify: args.verify,
        run: args.run,
    };
    let reports = match replay(&args.dir, options) {
        Ok(reports) => reports,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let good = reports.iter().all(RunReport::is_good);
    if args.json {
        let runs: Vec<Value> = reports
            .iter()
            .map(|run| run_json(run, args.verify))
            .collect();
        print(&format!(
            "{}\n",
            json!({ "ok": good, "verify": args.verify, "runs": runs })
        ));
    } else if reports.is_empty() {
        print("the journal holds no run\n");
    } else {
        let texts: Vec<String> = reports
            .iter()
            .map(|run| run_text(run, args.verify))
            .collect();
        print(&format!("{}\n", texts.join("\n")));
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

/// Records a second, and how many times faster than the run itself; none without a duration.
fn speed(run: &RunReport) -> (f64, Option<f64>) {
    let wall_s = run.wall.as_secs_f64().max(1e-9);
    let lasted_s = run.lasted().0 as f64 / 1e6;
    (
        run.records as f64 / wall_s,
        (lasted_s > 0.0).then_some(lasted_s / wall_s),
    )
}

fn run_text(run: &RunReport, verify: bool) -> String {
    let mut text = String::new();
    let header = &run.header;
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{}run {}, plan version {}, by {}",
        if header.sorter == 0 {
            String::new()
        } else {
            format!("sorter {}, ", header.sorter + 1)
        },
        run.run,
        header.plan_version,
        header.build
    );
    if header.clock_permille != 1_000 {
        let _ = write!(
            text,
            ", clock at {} times",
            f64::from(header.clock_permille) / 1e3
        );
    }
    let (per_s, times) = speed(run);
    let _ = write!(
        text,
        "\n  {} records, {} outputs, {} of sorting in {:.3} s: {per_s:.0} \
        records/s",
        run.records,
        run.outputs,
        clock(run.lasted()),
        run.wall.as_secs_f64()
    );
    if let Some(times) = times {
        let _ = write!(text, ", {times:.0} times real time");
    }
    let _ = write!(text, "\n  {}", books_text(&run.books));
    let _ = write!(text, "\n  {}", end_text(run, verify));
    text
}

fn books_text(books: &Books) -> String {
    let (over, on) = match (books.taken_over, books.handed_over) {
        (0, 0) => (String::new(), String::new()),
        (taken, handed) => (
            format!(" + taken over {taken}"),
            format!(" + handed over {handed}"),
        ),
    };
    let mut text = format!(
        "inducted {}{over} = sorted {} + rejected {} + removed {} + lost {}{on} + on the sorter {}",
        books.inducted, books.sorted, books.rejected, books.removed, books.lost, books.on_sorter
    );
    for (name, count) in rejected_by(books) {
        let _ = write!(text, "\n    rejected, {name}: {count}");
    }
    text
}

fn rejected_by(books: &Books) -> impl Iterator<Item = (&'static str, u64)> + '_ {
    let all = Reason::ALL
        .iter()
        .map(|reason| (reason.name(), books.rejected_by[*reason]));
    all.filter(|(_, count)| *count > 0)
}

fn end_text(run: &RunReport, verify: bool) -> String {
    let last = run.records;
    let so_far = if verify {
        "every output is the same"
    } else {
        "not verified"
    };
    match &run.end {
        End::Closed if verify => format!("closed; {so_far}, digest {:016x}", run.digest),
        End::Closed => format!("closed; {so_far}"),
        End::Open => format!("not closed: it ends after record {last}; {so_far} up to there"),
        End::Torn { first, why } => format!(
            "not closed, and the last block is damaged ({why}): it ends before record {first}; \
             {so_far} up to there"
        ),
        End::Gap {
            first,
            count,
            after,
        } => format!(
            "GAP: records {first} to {} are missing, so the {after} that follow cannot be \
             verified; {so_far} up to there",
            first + count - 1
        ),
        End::Differs(difference) => difference_text(difference),
    }
}

fn difference_text(difference: &Difference) -> String {
    let Difference {
        seq,
        now,
        signal,
        what,
    } = difference;
    let mut text = format!("DIFFERS at record {seq}, {}: {signal}", clock(*now));
    match what {
        What::Outputs { recorded, replayed } => {
            for (title, outputs) in [("recorded", recorded), ("replayed", replayed)] {
                let _ = write!(text, "\n    {title}:");
                if outputs.is_empty() {
                    text.push_str(" nothing");
                }
                for output in outputs {
                    let _ = write!(text, "\n      {output}");
                }
            }
        }
        What::Hash { recorded, replayed } => {
            let _ = write!(
                text,
                "\n    rolling hash recorded {recorded:016x}, replayed \
                {replayed:016x}"
            );
        }
        What::Digest { recorded, replayed } => {
            let _ = write!(
                text,
                "\n    all outputs are the same, but the final digest was \
                {recorded:016x} and is {replayed:016x}"
            );
        }
        What::Stopped { why } => {
            let _ = write!(text, "\n    the sorter stopped: {why}");
        }
    }
    text
}

fn run_json(run: &RunReport, verify: bool) -> Value {
    let (per_s, times) = speed(run);
    let books = &run.books;
    let rejected: serde_json::Map<String, Value> = rejected_by(books)
        .map(|(name, count)| (name.to_owned(), count.into()))
        .collect();
    json!({
        "run": run.run,
        "build": run.header.build,
        "plan_version": run.header.plan_version,
        "clock_permille": run.header.clock_permille,
        "started_unix_us": run.header.started_unix_us,
        "ok": run.is_good(),
        "records": run.records,
        "outputs": run.outputs,
        "span_us": run.lasted().0,
        "end": end_json(run, verify),
        "digest": format!("{:016x}", run.digest),
        "inducted": books.inducted,
        "sorted": books.sorted,
        "missorted": books.missorted,
        "rejected": rejected,
        "removed": books.removed,
        "lost": books.lost,
        "on_sorter": books.on_sorter,
        "recirculated": books.recirculated,
        "orders": books.orders,
        "wall_s": run.wall.as_secs_f64(),
        "records_per_s": per_s,
        "times_real_time": times,
    })
}

fn end_json(run: &RunReport, verify: bool) -> Value {
    let text = end_text(run, verify);
    match &run.end {
        End::Closed => json!({ "how": "closed", "text": text }),
        End::Open => json!({ "how": "open", "text": text }),
        End::Torn { first, .. } => json!({ "how": "torn", "first": first, "text": text }),
        End::Gap {
            first,
            count,
            after,
        } => json!({
            "how": "gap", "first": first, "count": count, "after": after, "text": text,
        }),
        End::Differs(d) => json!({
            "how": "differs", "record": d.seq, "now_us": d.now.0, "signal": d.signal,
            "what": what_json(&d.what), "text": text,
        }),
    }
}

fn what_json(what: &What) -> Value {
    fn pair(kind: &str, recorded: &Value, replayed: &Value) -> Value {
        json!({ "kind": kind, "recorded": recorded, "replayed": replayed })
    }
    let hex = |number: &u64| Value::from(format!("{number:016x}"));
    match what {
        What::Outputs { recorded, replayed } => pair("outputs", &json!(recorded), &json!(replayed)),
        What::Hash { recorded, replayed } => pair("hash", &hex(recorded), &hex(replayed)),
        What::Digest { recorded, replayed } => pair("digest", &hex(recorded), &hex(replayed)),
        What::Stopped { why } => json!({ "kind": "stopped", "why": why }),
    }
}
