//! The local socket: how people at the machine, and a host beside it, reach a running engine.
//!
//! A Unix domain socket that only its owner may use. Each line is one JSON object, both ways; a
//! request is answered in a line of its own, in the order of the requests of a connection:
//!
//! ```text
//! → {"id": 7, "by": "lin", "do": "chute", "chute": "A03", "to": "lock"}
//! ← {"id": 7, "ok": true, "answer": {"done": 1}}
//! → {"do": "chute", "chute": "A3", "to": "lock"}
//! ← {"ok": false, "problem": {"status": 422, "detail": "there is no chute `A3`", "mend": "…"}}
//! ```
//!
//! What can be asked is [`crate::operator::Request`]. Whoever sends `{"do": "host"}` is asked about
//! parcels that nothing here knows a destination for, by lines with `ask`, and answers with
//! `{"do": "host-says", …}`. The room has a thread and runtime of its own, which also keeps the
//! plan's cut-offs and a scenario's timetable; whatever a client does, a fixed number are served,
//! each with a fixed amount of memory.

mod client;
mod lines;
mod place;
mod wall;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use sorthub_core::units::Micros;
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

pub use lines::{LINE_BYTES_MAX, Line, Splitter};
pub use place::{FILE_NAME, PlaceError};
pub use wall::Wall;

use crate::clock::Clock;
use crate::operator::{Asker, Desk, DeskSetup, LocalSeconds, Problem, Request};
use place::Place;

/// Connections at once; one more is told so and closed.
pub const CLIENTS_MAX: usize = 32;

/// Where the socket is if nobody says: beside the journal; where that path is too long for a
/// socket, in the system's folder for temporary files.
#[must_use]
pub fn usual_path(journal: &Path) -> PathBuf {
    let beside = journal.join(FILE_NAME);
    if place::fits(&beside) {
        return beside;
    }
    std::env::temp_dir().join(format!("sorthub-{}.sock", std::process::id()))
}

/// How often it is looked whether a wave has reached its cut-off.
const TICK_EVERY: Duration = Duration::from_secs(1);

/// How long open requests get to finish when the engine stops.
const STOP_MAX: Duration = Duration::from_secs(2);

/// Why there is no local socket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Its place cannot be had.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The system gave no thread or event loop.
    #[error("the system gives no means for another thread: {0}; raise its limits and start again")]
    System(#[from] io::Error),
}

/// Something that is asked at a time of the plant, without anybody at a keyboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// When.
    pub at: Micros,
    /// What.
    pub request: Request,
}

/// What a timed request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedAnswer {
    /// When it was due.
    pub at: Micros,
    /// What was asked.
    pub request: Request,
    /// The answer.
    pub answer: Result<Value, Problem>,
}

/// The socket, taken and not yet served: so that an engine whose place is taken does not start.
#[derive(Debug)]
pub struct Bound {
    place: Place,
}

impl Bound {
    /// Takes the place at a path.
    ///
    /// # Errors
    /// See [`PlaceError`]; another engine there is one of them.
    pub fn take(path: &Path) -> Result<Self, ControlError> {
        let place = Place::take(path)?;
        Ok(Self { place })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Serves the desk of an engine until [`Control::stop`], and asks what `timetable` says when it
    /// is due, in plant time from now.
    ///
    /// # Errors
    /// [`ControlError::System`].
    pub fn serve(
        mut self,
        setup: DeskSetup,
        speed_permille: u32,
        timetable: Vec<Timed>,
    ) -> Result<Control, ControlError> {
        let listener = self.place.listener()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // The work beside the loop: reading plans and pre-advice, taking single advices in.
            .max_blocking_threads(3)
            .build()?;
        let clock = Clock::new(speed_permille);
        let wall = Wall::new(clock);
        let desk = Desk::new(setup, wall.now().unwrap_or(LocalSeconds(0)));
        let (stop, stopped) = watch::channel(false);
        let path = self.place.path().to_owned();
        let body = move || {
            let place = self.place;
            let done = runtime.block_on(serve(listener, &desk, wall, clock, timetable, stopped));
            runtime.shutdown_timeout(STOP_MAX);
            drop(place);
            done
        };
        let thread = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(body)?;
        Ok(Control { path, stop, thread })
    }
}

/// A served socket.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    stop: watch::Sender<bool>,
    thread: JoinHandle<Vec<TimedAnswer>>,
}

impl Control {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends it and removes the socket; gives what the timetable came to. To be called before the
    /// engine stops, so that nobody is left without an answer.
    #[must_use]
    pub fn stop(self) -> Vec<TimedAnswer> {
        self.stop.send_replace(true);
        match self.thread.join() {
            Ok(done) => done,
            Err(_) => {
                tracing::error!("the thread of the local socket had panicked");
                Vec::new()
            }
        }
    }
}

async fn serve(
    listener: std::os::unix::net::UnixListener,
    desk: &Desk,
    wall: Wall,
    clock: Clock,
    timetable: Vec<Timed>,
    mut stopped: watch::Receiver<bool>,
) -> Vec<TimedAnswer> {
    let listener = match UnixListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the local socket cannot be served");
            return Vec::new();
        }
    };
    let mut done = Vec::with_capacity(timetable.len());
    let mut clients = JoinSet::new();
    let stopping = stopped.clone();
    let serving = async {
        // Before anybody is served, so that all find the waves as the clock says.
        if let Some(now) = wall.now() {
            desk.tick(now).await;
        }
        tokio::select! {
            () = accept(&listener, desk, clock, &stopping, &mut clients) => {}
            () = tick(desk, &wall) => {}
            () = follow(desk, clock, timetable, &mut done) => {}
        }
    };
    tokio::select! {
        _ = stopped.wait_for(|stop| *stop) => {}
        () = serving => {}
    }
    // Who has asked still gets the answer; who only listens is let go.
    let all_gone = async { while clients.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(STOP_MAX, all_gone).await;
    done
}

async fn accept(
    listener: &UnixListener,
    desk: &Desk,
    clock: Clock,
    stopping: &watch::Receiver<bool>,
    clients: &mut JoinSet<()>,
) {
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely: others will close theirs.
                tracing::warn!(%error, "a connection to the local socket failed");
                tokio::time::sleep(TICK_EVERY).await;
                continue;
            }
        };
        // Those that have ended.
        while clients.try_join_next().is_some() {}
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                let client = client::serve(stream, desk.clone(), clock, stopping.clone());
                clients.spawn(async move {
                    client.await;
                    drop(place);
                });
            }
            Err(_) => client::turn_away(&stream),
        }
    }
}

/// Keeps the plan's cut-offs.
async fn tick(desk: &Desk, wall: &Wall) {
    let mut every = tokio::time::interval(TICK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Some(now) = wall.now() {
            desk.tick(now).await;
        }
    }
}

/// Asks what the timetable says, in its order; never ends by itself.
async fn follow(desk: &Desk, clock: Clock, timetable: Vec<Timed>, done: &mut Vec<TimedAnswer>) {
    let asker = Asker {
        name: "the scenario".to_owned(),
        way: "its timetable".to_owned(),
    };
    for Timed { at, request } in timetable {
        tokio::time::sleep_until(clock.real_of(at).into()).await;
        let answer = desk.ask(&asker, &request).await;
        done.push(TimedAnswer {
            at,
            request,
            answer,
        });
    }
    std::future::pending().await
}
