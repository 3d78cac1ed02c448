//! `sorthub emulate`: the virtual hub alone, for commissioning an engine against it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::{Exit, duration, input, print, signals};
use crate::config::HubFile;
use crate::emulate::{Emulator, EmulatorSetup, Fault, Truth, write_csv};

/// How often it is looked whether it should end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The virtual hub alone: PLCs and scanners on sockets at the addresses of the hub file.
///
/// It keeps to docs/plc-interface.md, so any engine that does can be commissioned against it. It
/// runs until Ctrl-C, or for `--duration`.
#[derive(Clone, Debug, Args)]
pub struct EmulateArgs {
    /// The hub file.
    #[arg(long, value_name = "HUB.toml", required_unless_present = "layout")]
    config: Option<PathBuf>,
    /// The layout of a recorded line, in place of a hub file.
    #[arg(
        long,
        value_name = "FILE",
        requires = "parcels",
        conflicts_with = "config"
    )]
    layout: Option<PathBuf>,
    /// The parcels that went over that line.
    #[arg(long, value_name = "FILE", requires = "layout")]
    parcels: Option<PathBuf>,
    /// End after this much real time.
    #[arg(long, value_name = "TIME", value_parser = duration::parse_std)]
    duration: Option<Duration>,
    /// How many times faster than real time belts run and parcels come; links stay real.
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = super::demo::speed)]
    speed: u32,
    /// Seed of everything random in the plant.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// PLCs that cannot read and write in one request, as many real ones.
    #[arg(long)]
    without_fc23: bool,
    /// Let something go wrong; see `demo --help`. Can be repeated.
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
    /// Take free ports in place of the hub file's addresses.
    #[arg(long)]
    any_port: bool,
    /// Write what really happened to each parcel to this CSV file at the end.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Print one JSON object with the addresses at the start, and nothing else.
    #[arg(long)]
    json: bool,
}

/// Runs it.
#[must_use]
pub fn run(args: &EmulateArgs) -> Exit {
    let file = match read(args) {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let interrupts = Arc::new(AtomicU32::new(0));
    if let Err(error) = signals::count(&interrupts) {
        eprintln!("Ctrl-C will end it without a ledger: {error}");
    }
    // At the start, because what happened cannot be had again.
    let ledger = match args.ledger.as_ref().map(Ledger::create).transpose() {
        Ok(ledger) => ledger,
        Err(exit) => return exit,
    };
    let emulator = match Emulator::start(setup(args, &file)) {
        Ok(emulator) => emulator,
        Err(error) => {
            eprintln!("{error}");
            return Exit::BadInput;
        }
    };
    announce(args, &file, &emulator);
    let begun = Instant::now();
    while interrupts.load(Ordering::Relaxed) == 0
        && args
            .duration
            .is_none_or(|duration| begun.elapsed() < duration)
    {
        std::thread::sleep(LOOK_EVERY);
    }
    let truth = emulator.stop();
    eprintln!(
        "{} parcels arrived, {} got on, {} still wait; {} telegrams found no connection",
        truth.arrived,
        truth.rows.len(),
        truth.waiting,
        truth.telegrams_unsent
    );
    match ledger.map(|ledger| ledger.keep(&file, &truth)).transpose() {
        Ok(_) => Exit::Done,
        Err(exit) => exit,
    }
}

/// Where the ledger goes.
struct Ledger<'a> {
    path: &'a PathBuf,
    out: File,
}

impl<'a> Ledger<'a> {
    fn create(path: &'a PathBuf) -> Result<Self, Exit> {
        let out = File::create(path).map_err(|error| told(path, &error, Exit::BadInput))?;
        Ok(Self { path, out })
    }

    fn keep(self, file: &HubFile, truth: &Truth) -> Result<(), Exit> {
        let Self { path, out } = self;
        let written = write_csv(&truth.rows, &file.hub, &file.plan, out);
        written.map_err(|error| told(path, &error, Exit::Wrong))
    }
}

fn told(path: &Path, error: &dyn std::fmt::Display, exit: Exit) -> Exit {
    let path = path.display();
    eprintln!("the ledger {path} cannot be written: {error}; name a file that can be");
    exit
}

fn read(args: &EmulateArgs) -> Result<HubFile, Exit> {
    let hub = input::HubInput {
        hub: args.config.clone(),
        layout: args.layout.clone(),
        parcels: args.parcels.clone(),
    };
    hub.read()
}

fn setup(args: &EmulateArgs, file: &HubFile) -> EmulatorSetup {
    let mut links = file.links.clone();
    if args.any_port {
        links.take_free_ports();
    }
    EmulatorSetup {
        hub: Arc::clone(&file.hub),
        plan: Arc::clone(&file.plan),
        plant: file.plant.clone(),
        links,
        seed: args.seed,
        speed_permille: args.speed,
        fc23: !args.without_fc23,
        faults: args.faults.clone(),
    }
}

/// Says where everything is.
fn announce(args: &EmulateArgs, file: &HubFile, emulator: &Emulator) {
    let links = emulator.links();
    let plcs = file.hub.tracks().iter().zip(&links.tracks);
    let scanners = file.hub.scanners().iter().zip(&links.scanners);
    if args.json {
        let plcs: Vec<_> = plcs
            .filter_map(|(track, link)| {
                let link = link.as_ref()?;
                Some(json!({ "track": track.name, "address": link.address, "unit": link.unit }))
            })
            .collect();
        let scanners: Vec<_> = scanners
            .filter_map(|(scanner, link)| {
                let address = link.as_ref()?.peer.address();
                Some(json!({ "scanner": scanner.name, "address": address }))
            })
            .collect();
        print(&format!(
            "{}\n",
            json!({ "plcs": plcs, "scanners": scanners })
        ));
        return;
    }
    for (track, link) in plcs {
        if let Some(link) = link {
            print(&format!(
                "PLC of {}: {} unit {}\n",
                track.name, link.address, link.unit
            ));
        }
    }
    for (scanner, link) in scanners {
        if let Some(link) = link {
            print(&format!(
                "scanner {}: {}\n",
                scanner.name,
                link.peer.address()
            ));
        }
    }
}
