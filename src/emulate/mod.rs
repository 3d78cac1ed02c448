//! The virtual hub: the plant of the simulator behind real sockets.
//!
//! It runs on a thread and runtime of its own: a Modbus TCP server for each track's PLC, which
//! keeps to `docs/plc-interface.md` and to nothing else, the sockets of the scanners, and the plant
//! that moves on the wall clock. What really happened is in its ledger, which is written without
//! anything that an engine says of itself.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use crossbeam::queue::ArrayQueue;
use sorthub_core::hub::Hub;
use sorthub_core::ids::TrackId;
use sorthub_core::plan::Plan;
use sorthub_core::plc::PlcConfigError;
use sorthub_sim::plant::{Options, Plant, PlantFault, Tally};
use sorthub_sim::spec::PlantSpec;
use tokio::task::LocalSet;

mod fault;
mod ledger;
mod plc;
mod scanner;
mod world;

pub use fault::{Fault, FaultError, FaultKind};
pub use ledger::{LedgerRow, Left, write_csv};

use crate::clock::Clock;
use crate::config::LinksSpec;
use plc::VirtualPlc;
use scanner::VirtualScanner;
use world::World;

/// What a virtual hub is made of.
#[derive(Clone, Debug)]
pub struct EmulatorSetup {
    /// The hub.
    pub hub: Arc<Hub>,
    /// The plan, for the names of destinations on labels.
    pub plan: Arc<Plan>,
    /// What the plant is like.
    pub plant: PlantSpec,
    /// Where the sockets are. Port 0 is chosen by the system; [`Emulator::links`] tells which.
    pub links: LinksSpec,
    /// Seed of everything random.
    pub seed: u64,
    /// Plant time a real time, in thousandths.
    pub speed_permille: u32,
    /// Whether the PLCs can read and write in one request (FC23).
    pub fc23: bool,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
}

/// Why a virtual hub does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulateError {
    /// The plant's description does not fit the hub.
    #[error("the plant does not fit the hub: {}", listed(.0))]
    Plant(Vec<PlantFault>),
    /// A track or scanner without an address.
    #[error("`{0}` has no address in the hub file: give it a `plc` or `link`")]
    NoAddress(String),
    /// A track that does not fit the PLC interface.
    #[error("track `{track}` does not fit one PLC: {source}")]
    Plc {
        /// Its name.
        track: String,
        /// What does not fit.
        source: PlcConfigError,
    },
    /// A socket could not be opened.
    #[error("cannot listen at {address} for `{device}`: {source}")]
    Listen {
        /// Where.
        address: String,
        /// For which PLC or scanner.
        device: String,
        /// What the system said.
        source: io::Error,
    },
    /// A fault names something that the hub does not have.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// The system gave no thread or event loop.
    #[error("the virtual hub did not start: {0}")]
    System(#[from] io::Error),
}

fn listed(faults: &[PlantFault]) -> String {
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// A request to a running virtual hub.
#[derive(Clone, Copy, Debug)]
enum Wish {
    /// Let new parcels arrive, or no more.
    Feed(bool),
    /// End.
    Stop,
}

/// What the virtual hub counts for whoever watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorldPulse {
    /// What really happened so far.
    pub tally: Tally,
    /// Nothing is on the tracks and nobody will come any more.
    pub is_idle: bool,
    /// Plant time in microseconds.
    pub plant_us: u64,
    /// Parcels that wait at inductions.
    pub waiting: u64,
    /// Telegrams that found no connection.
    pub telegrams_unsent: u64,
}

/// What really happened.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// A row for each parcel that got on, in that order.
    pub rows: Vec<LedgerRow>,
    /// Parcels that arrived at an induction.
    pub arrived: u64,
    /// Of these, the ones that still wait there.
    pub waiting: u64,
    /// Of these, the ones that found the queue full.
    pub turned_away: u64,
    /// Telegrams that found no connection.
    pub telegrams_unsent: u64,
    /// Plant time at the end, in microseconds.
    pub plant_us: u64,
}

/// A running virtual hub.
#[derive(Debug)]
pub struct Emulator {
    thread: JoinHandle<Truth>,
    wishes: Arc<ArrayQueue<Wish>>,
    pulse: Arc<crossbeam::atomic::AtomicCell<WorldPulse>>,
    links: LinksSpec,
}

impl Emulator {
    /// Opens the sockets and starts the plant.
    ///
    /// # Errors
    /// See [`EmulateError`]; nothing runs then.
    pub fn start(setup: EmulatorSetup) -> Result<Self, EmulateError> {
        for fault in &setup.faults {
            fault.check(&setup.hub)?;
        }
        let wishes = Arc::new(ArrayQueue::new(16));
        let pulse = Arc::new(crossbeam::atomic::AtomicCell::new(WorldPulse::default()));
        let (ready, started) = mpsc::sync_channel(1);
        let (thread_wishes, thread_pulse) = (Arc::clone(&wishes), Arc::clone(&pulse));
        let body = move || run(setup, &ready, &thread_wishes, &thread_pulse);
        let thread = std::thread::Builder::new()
            .name("virtual-hub".into())
            .spawn(body)?;
        match started.recv() {
            Ok(Ok(links)) => Ok(Self {
                thread,
                wishes,
                pulse,
                links,
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => match thread.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(_) => unreachable!("the thread says how its start went"),
            },
        }
    }

    /// Where its sockets really are.
    #[must_use]
    pub fn links(&self) -> &LinksSpec {
        &self.links
    }

    /// What has happened so far.
    #[must_use]
    pub fn pulse(&self) -> WorldPulse {
        self.pulse.load()
    }

    /// Lets new parcels arrive, or no more; who waits at an induction still gets on.
    pub fn feed(&self, open: bool) {
        self.wish(Wish::Feed(open));
    }

    /// Ends it.
    ///
    /// # Panics
    /// If the plant panicked, which is a fault of the program.
    #[must_use]
    pub fn stop(self) -> Truth {
        self.wish(Wish::Stop);
        match self.thread.join() {
            Ok(truth) => truth,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    fn wish(&self, wish: Wish) {
        // It is taken within a PLC cycle; only a dead thread leaves the queue full.
        while self.wishes.push(wish).is_err() && !self.thread.is_finished() {
            std::thread::yield_now();
        }
    }
}

fn run(
    setup: EmulatorSetup,
    ready: &mpsc::SyncSender<Result<LinksSpec, EmulateError>>,
    wishes: &ArrayQueue<Wish>,
    pulse: &crossbeam::atomic::AtomicCell<WorldPulse>,
) -> Truth {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let _nobody_waits = ready.send(Err(error.into()));
            return Truth::default();
        }
    };
    let local = LocalSet::new();
    runtime.block_on(local.run_until(async {
        match open(setup).await {
            Ok((world, links)) => {
                let _nobody_waits = ready.send(Ok(links));
                world::turn_until_stopped(world, wishes, pulse).await
            }
            Err(error) => {
                let _nobody_waits = ready.send(Err(error));
                Truth::default()
            }
        }
    }))
}

/// The boot id of PLCs that start now. They remember nothing from one process to the next, so the
/// clock counts their lives: another number each 100 ms, the same again after almost two hours.
fn boot_id() -> u16 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // 1 to 65535: 0 is no boot id.
    (since.as_millis() / 100 % u128::from(u16::MAX)) as u16 + 1
}

/// Opens every socket and puts the world together.
async fn open(setup: EmulatorSetup) -> Result<(World, LinksSpec), EmulateError> {
    let hub = Arc::clone(&setup.hub);
    let names = setup
        .plan
        .spec()
        .destinations
        .iter()
        .map(|dest| dest.name.clone());
    let names: Arc<[String]> = names.collect();
    let options = Options {
        seed: setup.seed,
        answers_all: true,
        keeps_ledger: true,
        reads_once: false,
    };
    let plant = Plant::new(
        Arc::clone(&hub),
        Arc::new(setup.plant.clone()),
        names,
        options,
    )
    .map_err(EmulateError::Plant)?;
    let mut links = setup.links.clone();
    let boot = boot_id();
    let mut plcs = Vec::new();
    for (track, spec) in hub.tracks().iter().enumerate() {
        let link = links.tracks.get_mut(track).and_then(Option::as_mut);
        let link = link.ok_or_else(|| EmulateError::NoAddress(spec.name.clone()))?;
        let id = TrackId(track as u16);
        let plc = VirtualPlc::new(&hub, id, boot, link.unit, setup.fc23).map_err(|source| {
            EmulateError::Plc {
                track: spec.name.clone(),
                source,
            }
        })?;
        link.address = plc
            .serve(&link.address)
            .await
            .map_err(|source| EmulateError::Listen {
                address: link.address.clone(),
                device: spec.name.clone(),
                source,
            })?;
        plcs.push(plc);
    }
    let mut scanners = Vec::new();
    for (scanner, spec) in hub.scanners().iter().enumerate() {
        let link = links.scanners.get_mut(scanner).and_then(Option::as_mut);
        let link = link.ok_or_else(|| EmulateError::NoAddress(spec.name.clone()))?;
        let device = Rc::new(RefCell::new(VirtualScanner::new(link)));
        scanner::open(&device, &mut link.peer)
            .await
            .map_err(|source| EmulateError::Listen {
                address: link.peer.address().to_owned(),
                device: spec.name.clone(),
                source,
            })?;
        scanners.push(device);
    }
    let clock = Clock::new(setup.speed_permille);
    Ok((World::new(setup, plant, plcs, scanners, clock), links))
}
