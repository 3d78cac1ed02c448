//! The live engine: one thread that owns the sorter, its scanner links and its PLC links.
//!
//! The thread runs a current-thread tokio runtime. A scanner's task reads what its socket has,
//! tells the sorter, and so fills the mailbox; the PLC link's task, woken next, writes the order;
//! only then the journal's thread is woken. Nothing crosses to another thread on the way from scan
//! to order. Other threads get in by an inbox ([`InboxSender`]), and see what they may see through
//! a view slot and a pulse that never hold the decision thread up.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam::atomic::AtomicCell;
use sorthub_core::hub::Hub;
use sorthub_core::identify::Formats;
use sorthub_core::ids::{SorterId, TrackId};
use sorthub_core::plan::Plan;
use sorthub_core::plc::ConfigError;
use sorthub_core::signal::Signal;
use sorthub_core::sorter::{Books, Setup, Sorter};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet};

mod asking;
mod decider;
mod former;
mod host;
mod hub;
mod inbox;
mod lanes;
mod latency;
mod show;
mod stats;

pub use asking::{FOUND_MAX, Found, Question};
pub use decider::Decider;
pub use host::{HOST_QUESTIONS_MAX, HostLink, HostQuestion};
pub use hub::{HubEngine, HubSetup};
pub use inbox::{Batch, Full, INBOX_MAX, InboxReceiver, InboxSender, NotStaged, Request, inbox};
pub use latency::{Latency, Percentiles};
pub use show::{Pulse, PulseCell};
pub use stats::{ScannerStats, Stats};

use crate::advice::Reader;
use crate::clock::Clock;
use crate::config::LinksSpec;
use crate::journal::{CloseError, Counts, Recorder};
use crate::replay::Former;
use crate::telemetry::{AlarmBoard, HubView, ViewPublisher};
use asking::Reply;
pub(crate) use asking::hand_plan;

/// How often people are shown something new.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// How long an ending run waits for its PLCs to hear that the grant is given back.
const RELEASE_MAX: Duration = Duration::from_millis(500);

/// What an engine runs on.
#[derive(Debug)]
pub struct EngineSetup {
    /// The hub.
    pub hub: Arc<Hub>,
    /// Which of its sorters this is.
    pub sorter: SorterId,
    /// The plan.
    pub plan: Arc<Plan>,
    /// What codes look like; `None`: they are taken as they come.
    pub formats: Option<Arc<Formats>>,
    /// What codes mean, in generations.
    pub directory: Reader,
    /// Where PLCs and scanners are; every track must have a PLC.
    pub links: LinksSpec,
    /// The journal of this run; its epoch goes into parcel ids and claims.
    pub recorder: Recorder,
    /// The clock of the hub.
    pub clock: Clock,
    /// Where views go.
    pub publisher: ViewPublisher,
    /// The door for requests of other threads, both sides.
    pub inbox: (InboxSender, InboxReceiver),
    /// The doors of all sorters of the hub, in their order.
    pub neighbours: Arc<[InboxSender]>,
    /// What people had said to the run before.
    pub former: Former,
}

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A track without a PLC.
    #[error(
        "track `{track}` has no `plc` in the hub file: give it an address, or simulate the hub"
    )]
    NoPlc {
        /// Its name.
        track: String,
    },
    /// A track that does not fit the PLC interface.
    #[error("track `{track}` does not fit one PLC: {source}")]
    Config {
        /// Its name.
        track: String,
        /// What does not fit.
        source: ConfigError,
    },
    /// The system gave no thread or event loop.
    #[error("the decision thread did not start: {0}")]
    System(#[from] io::Error),
}

/// What a run came to.
#[derive(Debug)]
pub struct EngineReport {
    /// The book.
    pub books: Books,
    /// The sorter's digest at the end.
    pub digest: u64,
    /// Its output hash at the end.
    pub output_hash: u64,
    /// How long decisions took.
    pub decision: Percentiles,
    /// From the telegram or PLC event that an order follows from, read at its socket, until the
    /// PLC has acknowledged the write of the order.
    pub wire_to_wire: Percentiles,
    /// What scanners sent.
    pub scanners: Vec<ScannerStats>,
    /// What happened on the PLC links.
    pub stats: Stats,
    /// How the journal was closed.
    pub journal: Result<Counts, CloseError>,
    /// The invariant that broke, if one did: then the numbers above are those of that instant.
    pub broken: Option<String>,
}

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    thread: JoinHandle<EngineReport>,
    inbox: InboxSender,
    pulse: PulseCell,
}

impl Engine {
    /// Starts the decision thread.
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub fn start(setup: EngineSetup) -> Result<Self, StartError> {
        let epoch = setup.recorder.run_epoch();
        // The interface's epochs have 16 bits and 0 is none.
        let claim = (epoch % u32::from(u16::MAX)) as u16 + 1;
        let mut links = Vec::new();
        for (wire, link) in lanes::wires(&setup.hub).zip(&setup.links.tracks) {
            let track = setup.hub.tracks()[wire.track().index()].name.clone();
            let Some(link) = link.clone() else {
                return Err(StartError::NoPlc { track });
            };
            // Checked here, where the caller hears of it; made anew on the thread that owns it.
            lanes::Lane::new(wire, &link, claim)
                .map_err(|source| StartError::Config { track, source })?;
            links.push(link);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut setup = setup;
        let (sender, receiver) = std::mem::replace(&mut setup.inbox, inbox::inbox());
        let pulse: PulseCell = Arc::new(AtomicCell::new(Pulse::default()));
        let thread_pulse = Arc::clone(&pulse);
        let body = move || run(&runtime, setup, &links, claim, receiver, thread_pulse);
        let thread = std::thread::Builder::new()
            .name("sorter".into())
            .spawn(body)?;
        Ok(Self {
            thread,
            inbox: sender,
            pulse,
        })
    }

    /// The door for requests of other threads.
    #[must_use]
    pub fn inbox(&self) -> InboxSender {
        self.inbox.clone()
    }

    /// The latest numbers.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.load()
    }

    /// Whether the thread has ended by itself: an invariant broke.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends the run: grants are given back, the journal is closed.
    ///
    /// # Panics
    /// If the decision thread itself panicked outside the sorter, which is a fault of the program.
    #[must_use]
    pub fn stop(self) -> EngineReport {
        while self.inbox.send(Request::Stop).is_err() && !self.thread.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
        match self.thread.join() {
            Ok(report) => report,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn run(
    runtime: &tokio::runtime::Runtime,
    setup: EngineSetup,
    links: &[crate::config::links::PlcLink],
    claim: u16,
    receiver: InboxReceiver,
    pulse: PulseCell,
) -> EngineReport {
    let hub_view = HubView::new(&setup.hub, &setup.plan);
    let board = AlarmBoard::of_sorter(&hub_view, setup.sorter, setup.hub.sorters());
    let run_epoch = setup.recorder.run_epoch();
    let lanes = lanes::wires(&setup.hub).zip(links).map(|(wire, link)| {
        lanes::Lane::new(wire, link, claim).expect("the same was checked before the start")
    });
    let mut decider = Decider::new(decider::Parts {
        lanes: lanes.collect(),
        sorter: Sorter::new(
            setup.hub,
            setup.plan,
            Setup {
                run_epoch,
                sorter: setup.sorter,
            },
        ),
        id: setup.sorter,
        neighbours: setup.neighbours,
        clock: setup.clock,
        recorder: setup.recorder,
        show: show::Show::new(setup.publisher, pulse, board),
        formats: setup.formats,
        directory: setup.directory,
        links: setup.links.scanners.clone(),
    });
    decider.say_again(&setup.former);
    let decider = Rc::new(RefCell::new(decider));
    let local = LocalSet::new();
    runtime.block_on(local.run_until(live(&decider, links, &setup.links, receiver)));
    // Every task of the set holds the decider; they end here.
    drop(local);
    let Ok(decider) = Rc::try_unwrap(decider) else {
        unreachable!("all tasks have ended");
    };
    report(decider.into_inner())
}

/// Runs every task until the run is to end.
async fn live(
    decider: &Rc<RefCell<Decider>>,
    links: &[crate::config::links::PlcLink],
    scanners: &LinksSpec,
    receiver: InboxReceiver,
) {
    let mut tasks = JoinSet::new();
    for (lane, link) in links.iter().enumerate() {
        if !decider.borrow().owns(TrackId(lane as u16)) {
            continue;
        }
        let news = Rc::clone(&decider.borrow().lanes[lane].news);
        let task = crate::plc::lane::run(Rc::clone(decider), lane, link.clone(), news);
        tasks.spawn_local(task);
    }
    for (scanner, link) in scanners.scanners.iter().enumerate() {
        let track = decider.borrow().hub().scanners()[scanner].track;
        if let Some(link) = link.clone().filter(|_| decider.borrow().owns(track)) {
            tasks.spawn_local(crate::scanner::run(Rc::clone(decider), scanner, link));
        }
    }
    tasks.spawn_local(timer(Rc::clone(decider)));
    tasks.spawn_local(after(Rc::clone(decider)));
    tasks.spawn_local(show(Rc::clone(decider)));
    let halt = Rc::clone(&decider.borrow().halt);
    tokio::select! {
        () = requests(decider, &receiver) => release(decider).await,
        () = halt.notified() => {}
    }
    tasks.shutdown().await;
}

/// Takes requests from other threads, until one ends the run.
async fn requests(decider: &RefCell<Decider>, receiver: &InboxReceiver) {
    loop {
        receiver.ready().await;
        while let Some(request) = receiver.next() {
            match request {
                Request::Stop => return,
                Request::Obey(batch, reply) => obey(decider, batch, reply).await,
                other => decider.borrow_mut().serve(other),
            }
        }
    }
}

/// Carries commands out one by one; between two of them the links have their turn.
async fn obey(
    decider: &RefCell<Decider>,
    mut batch: Box<Batch>,
    reply: oneshot::Sender<Box<Batch>>,
) {
    if let Some((code, text)) = &batch.named {
        decider.borrow_mut().recorder.text(*code, text);
    }
    for nth in 0..batch.commands.len() {
        if nth > 0 {
            tokio::task::yield_now().await;
        }
        let mut decider = decider.borrow_mut();
        let Some(answer) = decider.obey(&batch.note, batch.commands[nth]) else {
            // The run ends; who asked hears so by the reply that never comes.
            return;
        };
        batch.answers.push(answer);
        decider.turn_over();
    }
    decider.borrow_mut().reply(Reply::Obeyed(batch, reply));
}

/// Tells every PLC that its grant is given back, so that another engine need not wait.
async fn release(decider: &RefCell<Decider>) {
    for lane in &mut decider.borrow_mut().lanes {
        lane.end.release();
        lane.news.notify_one();
    }
    let give_up = tokio::time::Instant::now() + RELEASE_MAX;
    while tokio::time::Instant::now() < give_up
        && decider
            .borrow()
            .lanes
            .iter()
            .any(|lane| lane.end.is_releasing())
    {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Calls the sorter when it has asked to be called.
async fn timer(decider: Rc<RefCell<Decider>>) {
    let moved = Rc::clone(&decider.borrow().timer);
    loop {
        let due = {
            let mut decider = decider.borrow_mut();
            let due = decider.sorter.next_timeout();
            if due.is_some_and(|due| due <= decider.clock.plant_now()) {
                decider.tell(Signal::Tick, None);
                decider.turn_over();
            }
            decider
                .sorter
                .next_timeout()
                .map(|due| decider.clock.real_of(due))
        };
        let sleep = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            () = moved.notified() => {}
        }
    }
}

/// Wakes the journal, and answers those who asked, after the links have had their turn.
async fn after(decider: Rc<RefCell<Decider>>) {
    let turn = Rc::clone(&decider.borrow().after);
    loop {
        turn.notified().await;
        let mut decider = decider.borrow_mut();
        decider.recorder.wake();
        decider.answer();
    }
}

/// Shows people how things are.
async fn show(decider: Rc<RefCell<Decider>>) {
    let mut every = tokio::time::interval(SHOW_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        decider.borrow_mut().show();
    }
}

fn report(mut decider: Decider) -> EngineReport {
    decider.show();
    let digest = decider.sorter.digest();
    let broken = decider.broken().map(ToString::to_string);
    EngineReport {
        books: decider.sorter.books().clone(),
        digest,
        output_hash: decider.sorter.output_hash(),
        decision: decider.decision.percentiles(),
        wire_to_wire: decider.wire_to_wire.percentiles(),
        // A run that an invariant has ended is not closed in good order: its record stays open.
        journal: if broken.is_none() {
            decider.recorder.close(digest)
        } else {
            Ok(decider.recorder.watch().counts())
        },
        broken,
        scanners: decider.scanners,
        stats: decider.stats,
    }
}
