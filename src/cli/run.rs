//! `sorthub run`: the engine, for real.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clap::Args;

use super::{Exit, former, input, signals};
use crate::advice::Generations;
use crate::api::{Api, ApiLimits};
use crate::config::HubFile;
use crate::control::{self, Bound, Control};
use crate::demo::header;
use crate::engine::{EngineReport, HubEngine, HubSetup};
use crate::journal::{self, Journal, Recorder};
use crate::operator::DeskSetup;
use crate::telemetry::{HubView, view_slot};

/// How often it is looked whether it should end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The engine, for real: connects to the PLCs and scanners of the hub file and sorts.
///
/// It runs until Ctrl-C or SIGTERM, then gives the PLCs' grants back and closes the journal.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// The hub file.
    #[arg(long, value_name = "HUB.toml")]
    config: PathBuf,
    /// Keep the journal in this directory.
    #[arg(long, value_name = "DIR", default_value = "journal")]
    journal: PathBuf,
    /// Where the page is served; port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The local socket for `sorthub ctl`. Without it control.sock in the journal's directory.
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
    /// Give this run a number above N: where the journal is lost, PLCs obey no run with a lower
    /// number than the last one that they have obeyed; the alarm says which.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    after_run: u32,
    #[command(flatten)]
    advice: input::AdviceInput,
}

/// Runs it.
#[must_use]
pub fn run(args: &RunArgs) -> Exit {
    let hub = input::HubInput {
        hub: Some(args.config.clone()),
        layout: None,
        parcels: None,
    };
    let file = hub.read().and_then(|mut file| {
        args.advice.read_into(&mut file)?;
        Ok(file)
    });
    let mut file = match file {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let interrupts = Arc::new(AtomicU32::new(0));
    if let Err(error) = signals::count(&interrupts) {
        eprintln!("Ctrl-C will end it without closing the journal: {error}");
    }
    let (engine, api, control, directory) = match start(args, &mut file) {
        Ok(started) => started,
        Err(error) => {
            eprintln!("{error}");
            return Exit::BadInput;
        }
    };
    eprintln!("page: http://{}/", api.address());
    eprintln!("control: {}", control.path().display());
    while interrupts.load(Ordering::Relaxed) == 0 && !engine.has_ended() {
        std::thread::sleep(LOOK_EVERY);
        // Here and not where parcels are decided: it frees hundreds of megabytes.
        directory.sweep();
    }
    // Those who ask first: nobody is left without an answer.
    drop(control.stop());
    let report = engine.stop();
    drop(api);
    conclude(&report)
}

type Started = (HubEngine, Api, Control, Arc<Generations>);

fn start(args: &RunArgs, file: &mut HubFile) -> Result<Started, Box<dyn std::error::Error>> {
    let former = former::take_over(&args.journal, file);
    let texts = former.iter().flat_map(|former| former.texts.clone());
    let texts = texts.collect();
    let header = header(file, 1_000);
    let journals = journal::open_all(
        &args.journal,
        &file.hub,
        &header,
        journal::Options {
            after_run: args.after_run,
            ..journal::Options::default()
        },
    )?;
    let path = args.control.clone();
    let bound = Bound::take(&path.unwrap_or_else(|| control::usual_path(&args.journal)))?;
    let (publisher, source) = view_slot();
    let hub_view = HubView::new(&file.hub, &file.plan);
    let api = Api::start(args.listen, ApiLimits::default(), &hub_view, source)?;
    let recorders = journals.into_iter().map(Journal::start);
    let recorders = recorders.collect::<Result<Vec<Recorder>, _>>()?;
    let keepers = recorders.iter().map(Recorder::plan_keeper).collect();
    // Taken, so that nothing else keeps the first table when another one takes its place.
    let directory = Arc::new(Generations::new(std::mem::take(&mut file.directory)));
    let engine = HubEngine::start(HubSetup {
        hub: Arc::clone(&file.hub),
        plan: Arc::clone(&file.plan),
        formats: file.formats.clone(),
        directory: Arc::clone(&directory),
        links: file.links.clone(),
        former,
        recorders,
        speed_permille: 1_000,
        publisher,
    })?;
    let desk = DeskSetup {
        hub: Arc::clone(&file.hub),
        plan: Arc::clone(&file.plan),
        container_labels: file.container_labels.clone(),
        formats: file.formats.clone(),
        directory: Arc::clone(&directory),
        inboxes: engine.inboxes(),
        keepers,
        show: Some(api.hub_show()),
        texts,
    };
    let control = bound.serve(desk, 1_000, Vec::new())?;
    Ok((engine, api, control, directory))
}

fn conclude(report: &EngineReport) -> Exit {
    let books = &report.books;
    eprintln!(
        "inducted {}, sorted {}, rejected {}, removed {}, lost {}, on sorter {}",
        books.inducted, books.sorted, books.rejected, books.removed, books.lost, books.on_sorter
    );
    if let Err(error) = &report.journal {
        eprintln!("journal: {error}");
    }
    if let Some(broken) = &report.broken {
        eprintln!("stopped because an invariant broke: {broken}");
    }
    let good = books.balance() && books.lost == 0;
    if report.broken.is_none() && report.journal.is_ok() && good {
        Exit::Done
    } else {
        Exit::Wrong
    }
}
