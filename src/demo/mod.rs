//! The demonstration: engine and virtual hub in one process, over loopback sockets.
//!
//! Nothing is short-cut: scans cross TCP and orders cross Modbus TCP, the engine keeps its journal,
//! and at the end the journal is read back and held against the ledger of what really happened.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sorthub_core::hub::Hub;
use sorthub_core::ids::CodeId;
use sorthub_core::units::Micros;
use sorthub_sim::run::{Job, RunError, simulate_observed};

mod judge;
mod report;
mod trail;

pub use judge::{Comparison, Differing, Disagreement, Verdict, Wishes, compare, judge};
pub use report::{duration, json, text};
pub use trail::{Ending, Passage, Step, Trails};

use crate::advice::Generations;
use crate::api::{Api, ApiError, ApiLimits};
use crate::config::{HubFile, LinksSpec, canonical};
use crate::control::{self, Bound, ControlError, Timed, TimedAnswer};
use crate::emulate::{EmulateError, Emulator, EmulatorSetup, Fault, Truth, WorldPulse};
use crate::engine::{EngineReport, HubEngine, HubSetup, Pulse, StartError};
use crate::journal::block::{Block, Item};
use crate::journal::{self, Journal, JournalError, Reader, Recorder, RunHeader};
use crate::operator::DeskSetup;
use crate::telemetry::{HubView, view_slot};

/// How often the terminal's line is made anew.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long parcels on their way get to leave once no more arrive: a few laps of a slow line.
const DRAIN_MAX: Duration = Duration::from_secs(120);

/// How long the engine gets to hear of the last exits.
const SETTLE_MAX: Duration = Duration::from_secs(5);

/// What to demonstrate.
#[derive(Debug)]
pub struct DemoSetup {
    /// The hub, with its plant.
    pub file: HubFile,
    /// How long parcels arrive, in real time; `None`: until a trace is through.
    pub duration: Option<Duration>,
    /// Plant time a real time, in thousandths.
    pub speed_permille: u32,
    /// Seed of everything random in the plant.
    pub seed: u64,
    /// Where the page is served.
    pub listen: SocketAddr,
    /// Where the journal is kept; `None`: in a folder that is removed at the end.
    pub journal: Option<PathBuf>,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
    /// The local socket; `None`: beside the journal.
    pub control: Option<PathBuf>,
    /// What people are taken to ask, and when, in plant time.
    pub timetable: Vec<Timed>,
    /// How often somebody has asked for the end: once to let parcels out, twice to stop at once.
    pub interrupts: Arc<AtomicU32>,
}

/// Why there was no demonstration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The virtual hub did not start.
    #[error(transparent)]
    Emulate(#[from] EmulateError),
    /// The engine did not start.
    #[error(transparent)]
    Engine(#[from] StartError),
    /// The page cannot be served.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The local socket cannot be had.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The journal cannot be kept or read back.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The folder for the journal cannot be made.
    #[error("no folder for the journal: {0}; give one with --journal")]
    Folder(std::io::Error),
    /// The trace cannot be simulated for comparison.
    #[error(transparent)]
    Simulate(#[from] RunError),
}

impl DemoError {
    /// Whether it came up while or after something ran, rather than before.
    #[must_use]
    pub fn is_of_the_run(&self) -> bool {
        matches!(
            self,
            Self::Simulate(RunError::Differs(_) | RunError::Stuck { .. })
        )
    }
}

/// What a demonstration came to.
#[derive(Debug)]
pub struct DemoReport {
    /// What was demonstrated.
    pub file: HubFile,
    /// Its seed.
    pub seed: u64,
    /// What the engine says.
    pub engine: EngineReport,
    /// What really happened.
    pub truth: Truth,
    /// What the timetable came to.
    pub asked: Vec<TimedAnswer>,
    /// One held against the other.
    pub verdict: Verdict,
    /// For a recorded trace: the same in simulation.
    pub comparison: Option<Comparison>,
    /// Where the journal is, if it was kept.
    pub journal: Option<PathBuf>,
    /// Calls of the sorter that the journal holds.
    pub records: u64,
    /// How long it took, in real time.
    pub wall: Duration,
}

impl DemoReport {
    /// Whether everything is as it should be: the books balance, nobody was lost or went to a
    /// wrong chute, and the engine says what really happened.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.engine.broken.is_none()
            && self.engine.journal.is_ok()
            && self.engine.books.balance()
            && self.engine.books.lost == 0
            && self.verdict.wrong_chute.is_empty()
            && self.verdict.differences.is_empty()
    }
}

/// Demonstrates. `tell` is called with every line for people: the page's address, then one status
/// after the other.
///
/// # Errors
/// See [`DemoError`].
pub fn run(mut setup: DemoSetup, tell: &mut impl FnMut(Told<'_>)) -> Result<DemoReport, DemoError> {
    let begun = Instant::now();
    let folder = Folder::new(setup.journal.as_deref())?;
    let path = setup.control.clone();
    let bound = Bound::take(&path.unwrap_or_else(|| control::usual_path(&folder.path)))?;
    let links = on_free_ports(&setup.file.links, setup.speed_permille);
    let emulator = Emulator::start(EmulatorSetup {
        hub: Arc::clone(&setup.file.hub),
        plan: Arc::clone(&setup.file.plan),
        plant: setup.file.plant.clone(),
        links,
        seed: setup.seed,
        speed_permille: setup.speed_permille,
        fc23: true,
        faults: setup.faults.clone(),
    })?;
    let header = header(&setup.file, setup.speed_permille);
    let options = journal::Options::default();
    let journals = journal::open_all(&folder.path, &setup.file.hub, &header, options)?;
    let runs = journals.iter().map(Journal::run_epoch).collect();
    let (publisher, source) = view_slot();
    let hub_view = HubView::new(&setup.file.hub, &setup.file.plan);
    let api = Api::start(setup.listen, ApiLimits::default(), &hub_view, source)?;
    let recorders = journals.into_iter().map(Journal::start);
    let recorders = recorders.collect::<Result<Vec<Recorder>, _>>()?;
    let keepers = recorders.iter().map(Recorder::plan_keeper).collect();
    // Taken, so that nothing else keeps the first table when another one takes its place.
    let directory = Arc::new(Generations::new(std::mem::take(&mut setup.file.directory)));
    let engine = HubEngine::start(HubSetup {
        hub: Arc::clone(&setup.file.hub),
        plan: Arc::clone(&setup.file.plan),
        formats: setup.file.formats.clone(),
        directory: Arc::clone(&directory),
        links: emulator.links().clone(),
        // The virtual hub begins anew each time, and so do its people.
        former: Vec::new(),
        recorders,
        speed_permille: setup.speed_permille,
        publisher,
    })?;
    let desk = DeskSetup {
        hub: Arc::clone(&setup.file.hub),
        plan: Arc::clone(&setup.file.plan),
        container_labels: setup.file.container_labels.clone(),
        formats: setup.file.formats.clone(),
        directory: Arc::clone(&directory),
        inboxes: engine.inboxes(),
        keepers,
        show: Some(api.hub_show()),
        texts: Vec::new(),
    };
    let control = bound.serve(desk, setup.speed_permille, setup.timetable.clone())?;
    tell(Told::Page(api.address()));
    tell(Told::Control(control.path()));
    watch(&setup, &engine, &emulator, begun, tell);
    let asked = control.stop();
    let engine = engine.stop();
    let truth = emulator.stop();
    drop(api);
    let ended = Ended {
        engine,
        truth,
        asked,
    };
    conclude(setup, ended, &folder, runs, begun)
}

/// What a demonstration tells while it runs.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// Where the page is.
    Page(SocketAddr),
    /// Where the local socket is.
    Control(&'a Path),
    /// How things stand.
    Status(&'a Pulse, &'a WorldPulse, Duration),
    /// No more parcels arrive; those on their way may leave.
    Emptying,
}

/// Looks on until the time is up and the tracks are empty, or somebody asks for the end.
fn watch(
    setup: &DemoSetup,
    engine: &HubEngine,
    emulator: &Emulator,
    begun: Instant,
    tell: &mut impl FnMut(Told<'_>),
) {
    let mut drain_since = None;
    loop {
        std::thread::sleep(LOOK_EVERY);
        let (pulse, world) = (engine.pulse(), emulator.pulse());
        tell(Told::Status(&pulse, &world, begun.elapsed()));
        let interrupts = setup.interrupts.load(Ordering::Relaxed);
        if interrupts > 1 || engine.has_ended() {
            return;
        }
        let is_over = setup
            .duration
            .is_some_and(|duration| begun.elapsed() >= duration);
        if drain_since.is_none() && (is_over || interrupts > 0) {
            emulator.feed(false);
            drain_since = Some(Instant::now());
            tell(Told::Emptying);
        }
        let is_late = drain_since.is_some_and(|since: Instant| since.elapsed() > DRAIN_MAX);
        if world.is_idle || is_late {
            settle(engine, emulator);
            return;
        }
    }
}

/// Waits until the engine has heard of everything that has happened.
fn settle(engine: &HubEngine, emulator: &Emulator) {
    let give_up = Instant::now() + SETTLE_MAX;
    while Instant::now() < give_up && engine.pulse().on_sorter != emulator.pulse().tally.on_tracks()
    {
        std::thread::sleep(LOOK_EVERY);
    }
}

/// What is left when both ends have stopped.
struct Ended {
    engine: EngineReport,
    truth: Truth,
    asked: Vec<TimedAnswer>,
}

fn conclude(
    setup: DemoSetup,
    ended: Ended,
    folder: &Folder,
    runs: Vec<u32>,
    begun: Instant,
) -> Result<DemoReport, DemoError> {
    let Ended {
        engine,
        truth,
        asked,
    } = ended;
    let hub = Arc::clone(&setup.file.hub);
    let (mut live, mut wishes) = (Trails::new(&hub), Wishes::default());
    let mut records = 0;
    for (place, run) in journal::places(&folder.path, &hub).iter().zip(runs) {
        records += read_back(place, run, &hub, &mut live, &mut wishes)?;
    }
    let verdict = judge(&truth, &live, &setup.file, &wishes);
    let comparison = if setup.file.plant.trace.is_empty() {
        None
    } else {
        Some(against_simulation(&setup, &truth, &live)?)
    };
    Ok(DemoReport {
        seed: setup.seed,
        engine,
        truth,
        asked,
        verdict,
        comparison,
        journal: setup.journal,
        records,
        wall: begun.elapsed(),
        file: setup.file,
    })
}

/// Runs the same parcels in simulation and compares.
fn against_simulation(
    setup: &DemoSetup,
    truth: &Truth,
    live: &Trails<'_>,
) -> Result<Comparison, RunError> {
    let file = &setup.file;
    let (hub, plan) = (Arc::clone(&file.hub), Arc::clone(&file.plan));
    let job = Job::new(Arc::clone(&hub), plan, Arc::new(file.plant.clone()));
    let mut simulated = Trails::new(&hub);
    simulate_observed(
        &job,
        setup.seed,
        &mut |now: Micros, signal: &_, outputs: &[_]| {
            simulated.call(now, signal, outputs);
        },
    )?;
    let rows = truth.rows.iter();
    let labels: BTreeMap<CodeId, String> = rows
        .map(|row| (CodeId::of(&row.label), row.label.clone()))
        .collect();
    Ok(compare(&labels, live, &simulated, &hub))
}

/// Reads a run's calls back from its journal.
fn read_back(
    dir: &Path,
    run: u32,
    hub: &Hub,
    trails: &mut Trails<'_>,
    wishes: &mut Wishes,
) -> Result<u64, JournalError> {
    let reader = Reader::open(dir)?;
    let info = reader.run(run)?;
    let mut records = 0;
    let (mut outputs, mut staged) = (Vec::new(), Vec::new());
    reader.visit(&info, |block: &Block| {
        let mut items = block.items();
        while let Some(item) = items.next(&mut outputs)? {
            match item {
                Item::Call(call) => {
                    records += 1;
                    trails.call(call.now, &call.signal, &outputs);
                    wishes.call(&call.signal, &outputs);
                }
                Item::Staged { version } => staged.push(version),
                _ => {}
            }
        }
        Ok(true)
    })?;
    for version in staged {
        let text = reader.plan(run, version)?;
        // One that cannot be made again is one less to excuse anything by.
        let plan = text.and_then(|text| canonical::plan_from_text(&text, hub).ok());
        wishes.plans.extend(plan);
    }
    Ok(records)
}

/// What a run is recorded under.
#[must_use]
pub fn header(file: &HubFile, speed_permille: u32) -> RunHeader {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    RunHeader {
        build: journal::build(),
        description: file.canonical(),
        sorter: 0,
        plan_version: file.plan.version(),
        clock_permille: speed_permille,
        started_unix_us: since.as_micros() as u64,
    }
}

/// The same links on loopback ports that the system chooses, so that a demonstration never finds
/// a port taken; polled faster where the plant's clock runs faster.
fn on_free_ports(links: &LinksSpec, speed_permille: u32) -> LinksSpec {
    let mut links = links.clone();
    links.take_free_ports();
    for link in links.tracks.iter_mut().flatten() {
        link.poll_ms = (link.poll_ms * 1_000 / speed_permille.max(1_000)).max(2);
    }
    links
}

/// The journal's folder; one of our own is removed again.
struct Folder {
    path: PathBuf,
    is_ours: bool,
}

impl Folder {
    fn new(given: Option<&Path>) -> Result<Self, DemoError> {
        if let Some(path) = given {
            return Ok(Self {
                path: path.to_owned(),
                is_ours: false,
            });
        }
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let name = format!("sorthub-demo-{}-{}", std::process::id(), since.as_nanos());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).map_err(DemoError::Folder)?;
        Ok(Self {
            path,
            is_ours: true,
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_ours {
            // If it cannot be removed, the system's own clean-up of temporary files will.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Whether a status line can be drawn over itself.
#[must_use]
pub fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
