//! `sorthub check`: every fault of some files, each at its place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Exit, input, print};
use crate::advice::{self, Options};
use crate::config::fault::Meaning;
use crate::config::scenario::Scenario;
use crate::config::{
    CarrierFile, Fault, FaultKind, Files, HubFile, Inspected, PlanFile, Severity, Source,
    check_plan_table, is_plan_table, trace,
};

/// Check hub files, sort plans, tables of code formats, layouts, parcel traces and scenarios: every
/// fault at its place, with its mend.
///
/// What a file is, its content tells: tables of rows begin with a header, one of code formats has
/// a `[[format]]`, a scenario an `[[at]]`. A plan and its tables are checked with the hub file that
/// names them, or against the hub of --hub, or the only hub among the files; a scenario with the
/// hub that it names, or else so; parcels against the layout if there is just one.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// The files.
    #[arg(value_name = "FILE", required_unless_present = "advice")]
    files: Vec<PathBuf>,
    /// A CSV file of pre-advice; read as the hub among the files, or of --hub, would read it. Can
    /// be repeated.
    #[arg(long, value_name = "FILE.csv")]
    advice: Vec<PathBuf>,
    /// The hub that a plan is checked against.
    #[arg(long, value_name = "HUB.toml")]
    hub: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// No file that is checked is larger, in megabytes.
const FILE_MB_MAX: u64 = 512;

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Hub,
    Plan,
    PlanTable,
    Carriers,
    Scenario,
    Layout,
    Parcels,
    Advice,
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
    file: String,
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

impl Checked {
    fn of(path: &Path, kind: Kind, ok: bool, found: Vec<Fault>) -> Self {
        let faults = found.iter().map(|fault| FaultJson {
            severity: fault.severity(),
            file: fault.file.to_string(),
            line: fault.line,
            column: fault.column,
            message: fault.kind.to_string(),
            mend: fault.kind.mend(),
            kind: fault.kind.clone(),
        });
        Self {
            file: path.display().to_string(),
            kind,
            ok,
            faults: faults.collect(),
            found,
        }
    }
}

/// The files that are checked together.
struct Batch<'b> {
    files: &'b [PathBuf],
    read: Vec<Result<Source, Vec<Fault>>>,
    /// The only layout among them.
    layout: Option<usize>,
    /// Each hub among them, by the position of its file.
    hubs: BTreeMap<usize, Inspected<HubFile>>,
    /// The hub that plans are checked against which none of these names, and scenarios that name
    /// none.
    hub: Option<HubFile>,
}

/// Checks; done if no file has an error.
#[must_use]
pub fn run(args: &CheckArgs) -> Exit {
    let batch = match Batch::read(args) {
        Ok(batch) => batch,
        Err(faults) => {
            input::print_faults(&faults);
            return Exit::BadInput;
        }
    };
    let files = (0..args.files.len()).map(|at| batch.check(at));
    let advice = args.advice.iter().map(|path| batch.check_advice(path));
    let files = files.chain(advice).collect();
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
    let mut lines = source.text().lines();
    let header = lines.find(|line| !line.trim().is_empty()).unwrap_or("");
    let columns: Vec<String> = header.split(',').map(|c| c.trim().to_lowercase()).collect();
    let has = |name: &str| columns.iter().any(|column| column == name);
    // No line of a hub file has commas and neither quotes nor brackets.
    let is_rows = columns.len() > 1 && !header.contains(['=', '[', '#']);
    if is_rows && has("waybill") {
        Kind::Advice
    } else if is_plan_table(source) {
        Kind::PlanTable
    } else if has("property") || (is_rows && has("unit")) {
        Kind::Layout
    } else if is_rows {
        Kind::Parcels
    } else if Scenario::is_one(source) {
        Kind::Scenario
    } else if PlanFile::is_one(source.text()) {
        Kind::Plan
    } else if CarrierFile::is_one(source) {
        Kind::Carriers
    } else {
        Kind::Hub
    }
}

impl<'b> Batch<'b> {
    /// Reads all files. An error only where the hub of `--hub` is faulty.
    fn read(args: &'b CheckArgs) -> Result<Self, Vec<Fault>> {
        let files = &args.files;
        let read = files.iter().map(|path| Source::read(path, FILE_MB_MAX));
        let read: Vec<Result<Source, Vec<Fault>>> = read.collect();
        let kinds = read.iter().map(|source| source.as_ref().ok().map(kind_of));
        let kinds: Vec<Option<Kind>> = kinds.collect();
        let of_kind = |kind| (0..kinds.len()).filter(move |at| kinds[*at] == Some(kind));
        let mut layouts = of_kind.clone()(Kind::Layout);
        let layout = layouts.next().filter(|_| layouts.next().is_none());
        let inspect = |at: usize| {
            let source = read[at].as_ref().ok()?;
            Some((at, HubFile::inspect(source, &Files::beside(&files[at]))))
        };
        let hubs: BTreeMap<usize, Inspected<HubFile>> =
            of_kind(Kind::Hub).filter_map(inspect).collect();
        let given = args.hub.as_deref().map(HubFile::read).transpose()?;
        let mut among = hubs.values().filter_map(|hub| hub.file.as_ref());
        let only = among.next().filter(|_| hubs.len() == 1);
        let hub = given.as_ref().or(only).cloned();
        Ok(Self {
            files,
            read,
            layout,
            hubs,
            hub,
        })
    }

    fn check(&self, at: usize) -> Checked {
        let path = &self.files[at];
        let (kind, all) = match &self.read[at] {
            Err(faults) => (Kind::Unreadable, faults.clone()),
            Ok(source) => {
                let kind = kind_of(source);
                (kind, self.faults_of(at, source, kind))
            }
        };
        // What stands in another file of these is told there.
        let is_other = |fault: &Fault| {
            let mut others = (0..self.files.len()).filter(|other| *other != at);
            others.any(|other| same_file(&self.files[other], &fault.file))
        };
        let ok = !all.iter().any(Fault::is_error);
        let found: Vec<Fault> = all.into_iter().filter(|fault| !is_other(fault)).collect();
        Checked::of(path, kind, ok, found)
    }

    /// Reads a file of pre-advice as a whole: only so it is known whether it can be kept.
    fn advice_faults(&self, path: &Path) -> Vec<Fault> {
        let hub = self.hub.as_ref();
        let options = hub.map(|file| Options::of_hub(&file.hub, file.formats.clone()));
        match advice::load_file(path, &options.unwrap_or_default()) {
            Ok(_) => Vec::new(),
            Err(refused) => input::with_more(refused.faults, refused.more_faults),
        }
    }

    fn check_advice(&self, path: &Path) -> Checked {
        let found = self.advice_faults(path);
        Checked::of(path, Kind::Advice, found.is_empty(), found)
    }

    fn faults_of(&self, at: usize, source: &Source, kind: Kind) -> Vec<Fault> {
        let path = &self.files[at];
        match kind {
            Kind::Hub | Kind::Unreadable => {
                let hub = self.hubs.get(&at);
                hub.map_or_else(Vec::new, |hub| hub.faults.clone())
            }
            Kind::Plan | Kind::PlanTable => {
                if let Some(hub) = self.named_by(path) {
                    let own = hub
                        .faults
                        .iter()
                        .filter(|fault| same_file(path, &fault.file));
                    return own.cloned().collect();
                }
                match (kind, &self.hub) {
                    (Kind::Plan, Some(hub)) => {
                        PlanFile::inspect(
                            source,
                            &Files::beside(path),
                            &hub.hub,
                            hub.formats.as_deref(),
                        )
                        .faults
                    }
                    (Kind::Plan, None) => vec![source.fault_at_start(Meaning::NoHub)],
                    _ => check_plan_table(source).unwrap_or_default(),
                }
            }
            Kind::Carriers => match CarrierFile::from_source(source) {
                Ok(file) => file.warnings,
                Err(faults) => faults,
            },
            Kind::Scenario => Scenario::check(source, self.hub.as_ref()),
            Kind::Advice => self.advice_faults(path),
            Kind::Layout => trace::check_layout(source),
            Kind::Parcels => match self.layout.and_then(|at| self.read[at].as_ref().ok()) {
                None => trace::check_parcels(source),
                Some(layout) => {
                    let read = trace::from_sources(layout, source);
                    let mut faults = read.map_or_else(|faults| faults, |file| file.warnings);
                    // Those of the layout are told with the layout itself.
                    faults.retain(|fault| *fault.file == *source.name());
                    faults
                }
            },
        }
    }

    /// The hub among the files that names this one.
    fn named_by(&self, path: &Path) -> Option<&Inspected<HubFile>> {
        let names_it = |hub: &&Inspected<HubFile>| hub.named.iter().any(|n| same_file(path, n));
        self.hubs.values().find(names_it)
    }
}

/// Whether a path and a name in a fault are the same file.
fn same_file(path: &Path, name: &str) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path == Path::new(name) || whole(path) == whole(Path::new(name))
}
