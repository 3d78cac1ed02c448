//! `sorthub check`: every fault of some files, each at its place.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Exit, input, print};
use crate::config::scenario::Scenario;
use crate::config::{CarrierFile, Fault, FaultKind, HubFile, Severity, Source, trace};

/// Check hub files, tables of code formats, layouts, parcel traces and scenarios: every fault at
/// its place, with its mend.
///
/// What a file is, its content tells: tables of rows begin with a header, one of code formats has
/// a `[[format]]`, a scenario an `[[at]]`. Parcels are checked against the layout if there is just
/// one among the files, scenarios against the hub that they name, or else against the hub among
/// the files.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// The files.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// No file that is checked is larger, in megabytes.
const FILE_MB_MAX: u64 = 512;

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Hub,
    Carriers,
    Scenario,
    Layout,
    Parcels,
    Unreadable,
}

#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    kind: Kind,
    ok: bool,
    faults: Vec<FaultJson>,
    #[serde(skip)]
    found: Vec<Fault>,
}

#[derive(Debug, Serialize)]
struct FaultJson {
    severity: Severity,
    line: u32,
    column: u32,
    message: String,
    mend: String,
    #[serde(flatten)]
    kind: FaultKind,
}

#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    files: Vec<Checked>,
}

/// Checks; done if no file has an error.
#[must_use]
pub fn run(args: &CheckArgs) -> Exit {
    let read: Vec<_> = args
        .files
        .iter()
        .map(|path| Source::read(path, FILE_MB_MAX))
        .collect();
    let mut layouts = read
        .iter()
        .flatten()
        .filter(|source| kind_of(source) == Kind::Layout);
    let layout = layouts.next().filter(|_| layouts.next().is_none());
    let mut hubs = read
        .iter()
        .flatten()
        .filter(|source| kind_of(source) == Kind::Hub);
    let hub = hubs.next().filter(|_| hubs.next().is_none());
    let beside = Beside { layout, hub };
    let files = args.files.iter().zip(&read);
    let files = files
        .map(|(path, source)| check(path, source.as_ref(), beside))
        .collect();
    let mut report = Report { ok: true, files };
    report.ok = report.files.iter().all(|file| file.ok);
    if args.json {
        let json = serde_json::to_string(&report).expect("texts and numbers are always JSON");
        print(&format!("{json}\n"));
    } else {
        for file in &report.files {
            input::print_faults(&file.found);
            if file.ok {
                print(&format!("{}: ok\n", file.file));
            }
        }
    }
    if report.ok {
        Exit::Done
    } else {
        Exit::BadInput
    }
}

fn kind_of(source: &Source) -> Kind {
    let header = source
        .text()
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("");
    let columns: Vec<String> = header.split(',').map(|c| c.trim().to_lowercase()).collect();
    let has = |name: &str| columns.iter().any(|column| column == name);
    // No line of a hub file has commas and neither quotes nor brackets.
    let is_rows = columns.len() > 1 && !header.contains(['=', '[', '#']);
    if has("property") || (is_rows && has("unit")) {
        Kind::Layout
    } else if is_rows {
        Kind::Parcels
    } else if Scenario::is_one(source) {
        Kind::Scenario
    } else if CarrierFile::is_one(source) {
        Kind::Carriers
    } else {
        Kind::Hub
    }
}

/// What the files that need another one are checked against.
#[derive(Clone, Copy, Debug)]
struct Beside<'a> {
    layout: Option<&'a Source>,
    hub: Option<&'a Source>,
}

fn check(path: &Path, source: Result<&Source, &Vec<Fault>>, beside: Beside<'_>) -> Checked {
    let (kind, found) = match source {
        Err(faults) => (Kind::Unreadable, faults.clone()),
        Ok(source) => {
            let kind = kind_of(source);
            (kind, faults_of(source, kind, beside))
        }
    };
    let faults = found.iter().map(|fault| FaultJson {
        severity: fault.severity(),
        line: fault.line,
        column: fault.column,
        message: fault.kind.to_string(),
        mend: fault.kind.mend(),
        kind: fault.kind.clone(),
    });
    Checked {
        file: path.display().to_string(),
        kind,
        ok: !found.iter().any(Fault::is_error),
        faults: faults.collect(),
        found,
    }
}

fn faults_of(source: &Source, kind: Kind, beside: Beside<'_>) -> Vec<Fault> {
    let either = |read: Result<HubFile, Vec<Fault>>| match read {
        Ok(file) => file.warnings,
        Err(faults) => faults,
    };
    match (kind, beside.layout) {
        (Kind::Scenario, _) => scenario_faults(source, beside.hub),
        (Kind::Hub | Kind::Unreadable, _) => either(HubFile::from_source(source)),
        (Kind::Carriers, _) => match CarrierFile::from_source(source) {
            Ok(file) => file.warnings,
            Err(faults) => faults,
        },
        (Kind::Layout, _) => trace::check_layout(source),
        (Kind::Parcels, None) => trace::check_parcels(source),
        (Kind::Parcels, Some(layout)) => {
            let mut faults = either(trace::from_sources(layout, source));
            // Those of the layout are told with the layout itself.
            faults.retain(|fault| *fault.file == *source.name());
            faults
        }
    }
}

fn scenario_faults(source: &Source, hub: Option<&Source>) -> Vec<Fault> {
    let checked = Scenario::from_source(source).and_then(|scenario| {
        let file = match (scenario.hub_file(), hub) {
            (Some(named), _) => HubFile::read(&named)?,
            (None, Some(hub)) => HubFile::from_source(hub)?,
            (None, None) => return Err(vec![scenario.no_hub()]),
        };
        scenario.actions(&file, None)
    });
    checked.err().unwrap_or_default()
}
