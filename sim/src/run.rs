//! Runs: the real [`Sorter`] and the simulated plant, joined by the calendar instead of sockets.
//!
//! What the sorter hears is what it would hear live: what PLCs and scanners say, and each second
//! how far the belts have travelled. Its orders reach the PLCs at once. At the end its book is
//! held against what really happened; any difference is an error.

use std::collections::VecDeque;
use std::sync::Arc;

use sorthub_core::facts::{Advice, DestKey, Facts, Reading};
use sorthub_core::hub::Hub;
use sorthub_core::identify::{Formats, code_of};
use sorthub_core::ids::{ChuteId, CodeId, SorterId, TrackId};
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::Plan;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::{LinkState, Output, Signal};
use sorthub_core::sorter::{Books, Setup, Sorter};
use sorthub_core::units::{Micros, MmPerS};

use actions::Said;

use crate::plant::{Exit, Options, Plant, PlantEvent, PlantFault, Sight, Way};
use crate::spec::PlantSpec;
use crate::stats::TimeHistogram;

mod actions;
mod host;
mod outcome;
mod replicate;

pub use actions::{Action, ActionOutcome, Deed};
use host::Host;
pub use outcome::{ChuteOutcome, Difference, Outcome};
pub use replicate::{Replications, replicate};

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Job {
    /// The hub.
    pub hub: Arc<Hub>,
    /// The plan that it sorts by.
    pub plan: Arc<Plan>,
    /// What the plant is like.
    pub plant: Arc<PlantSpec>,
    /// Nothing happens at or after this. `None`: until a trace's last parcel has left.
    pub horizon: Option<Micros>,
    /// See [`Options::reads_once`]; it makes no difference to any order.
    pub reads_once: bool,
    /// See [`Options::keeps_ledger`].
    pub keeps_ledger: bool,
    /// What people do, in the order of time.
    pub actions: Arc<[Action]>,
    /// Codes are made from the texts of labels, as live, so that people can name waybills; else
    /// from parcels' numbers, which is faster and decides alike.
    pub labels_as_codes: bool,
    /// What the codes on labels look like; `None`: a label's text is its code.
    pub formats: Option<Arc<Formats>>,
}

impl Job {
    /// A run of a hub up to a horizon, without a ledger.
    #[must_use]
    pub fn new(hub: Arc<Hub>, plan: Arc<Plan>, plant: Arc<PlantSpec>) -> Self {
        let (horizon, reads_once, keeps_ledger) = (None, true, false);
        Self {
            hub,
            plan,
            plant,
            horizon,
            reads_once,
            keeps_ledger,
            actions: Arc::new([]),
            labels_as_codes: false,
            formats: None,
        }
    }

    /// The same, up to another horizon.
    #[must_use]
    pub fn until(self, horizon: Micros) -> Self {
        Self {
            horizon: Some(horizon),
            ..self
        }
    }
}

/// Why a run has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The plant's description has faults; mend each.
    #[error("the plant's description has faults: {}", listed(.0))]
    Plant(Vec<PlantFault>),
    /// Parcels keep coming and no horizon was given; give one.
    #[error("parcels keep coming, so the run needs a horizon; give one")]
    Endless,
    /// So many things happened at one instant that sorter and PLC must be answering each other in
    /// a circle: a fault of the program.
    #[error("sorter and plant answer each other in a circle at {} us", .at.0)]
    Stuck {
        /// When.
        at: Micros,
    },
    /// The sorter's book does not say what really happened: a fault of the program.
    #[error("the sorter's book differs from what really happened: {}", listed(.0))]
    Differs(Vec<Difference>),
}

fn listed<T: std::fmt::Display>(all: &[T]) -> String {
    all.iter().map(T::to_string).collect::<Vec<_>>().join("; ")
}

/// Who looks on at a run: called after each call of the sorter.
pub trait Observer {
    /// The sorter was told `signal` at `now`, and said `outputs`.
    fn called(&mut self, now: Micros, signal: &Signal, outputs: &[Output]);
}

/// Nobody looks on.
impl Observer for () {
    #[inline]
    fn called(&mut self, _now: Micros, _signal: &Signal, _outputs: &[Output]) {}
}

impl<F: FnMut(Micros, &Signal, &[Output])> Observer for F {
    fn called(&mut self, now: Micros, signal: &Signal, outputs: &[Output]) {
        self(now, signal, outputs);
    }
}

/// A sorter and a plant in the middle of a run.
#[derive(Debug)]
pub struct World {
    job: Job,
    seed: u64,
    plant: Plant,
    sorters: Vec<Sorter>,
    /// Parcels put on transfers that their next sorter has not been told of yet.
    handed_over: VecDeque<Signal>,
    host: Host,
    now: Micros,
    /// When the belts' travel is told next.
    belts_told_next: Micros,
    has_begun: bool,
    outbox: Outbox,
    events: Vec<PlantEvent>,
    times: TimeHistogram,
    /// By chute: parcels that the sorter says were sorted there.
    sorted: Vec<u64>,
    /// Chutes that the plan names for rejected parcels.
    is_reject: Vec<bool>,
    /// By destination: what pre-advice calls it.
    keys: Vec<DestKey>,
    /// Parcels that really left by a chute that neither their destination nor rejection allows.
    astray: u64,
    /// What people have said of that.
    said: Said,
    /// The actions that were due so far.
    acted: Vec<ActionOutcome>,
    /// Counts commands.
    tickets: u32,
    /// Parcels that the sorter says left elsewhere than their papers say because somebody wanted
    /// it.
    redirected: u64,
    /// Things that happened at `now`.
    at_once: u32,
}

/// How often the sorter is told how far a moving belt has travelled.
const BELTS_TOLD_EVERY: Micros = Micros::from_secs(1);
/// More things than any hub can do at one instant.
const AT_ONCE_MAX: u32 = 1_000_000;

impl World {
    /// A run at its beginning.
    ///
    /// # Errors
    /// [`RunError::Plant`]; [`RunError::Endless`] if there is no horizon and no trace.
    pub fn new(job: &Job, seed: u64) -> Result<Self, RunError> {
        if job.horizon.is_none() && job.plant.trace.is_empty() {
            return Err(RunError::Endless);
        }
        let options = Options {
            seed,
            answers_all: false,
            keeps_ledger: job.keeps_ledger,
            reads_once: job.reads_once,
        };
        let names = job
            .plan
            .spec()
            .destinations
            .iter()
            .map(|dest| dest.name.clone())
            .collect();
        let plant = Plant::new(Arc::clone(&job.hub), Arc::clone(&job.plant), names, options)
            .map_err(RunError::Plant)?;
        let sorters = (0..job.hub.sorters()).map(|sorter| {
            let setup = Setup {
                run_epoch: 1,
                sorter: SorterId(sorter as u16),
            };
            Sorter::new(Arc::clone(&job.hub), Arc::clone(&job.plan), setup)
        });
        let chutes = job.hub.chutes().len();
        let mut is_reject = vec![false; chutes];
        let plan = job.plan.spec();
        let exceptions = plan.exceptions.iter().flat_map(|(_, chutes)| chutes);
        plan.reject
            .iter()
            .chain(exceptions)
            .for_each(|chute| is_reject[chute.index()] = true);
        Ok(Self {
            job: job.clone(),
            seed,
            plant,
            sorters: sorters.collect(),
            handed_over: VecDeque::new(),
            host: Host::new(&job.plant, seed),
            now: Micros(0),
            belts_told_next: BELTS_TOLD_EVERY,
            has_begun: false,
            outbox: Outbox::new(),
            events: Vec::with_capacity(64),
            times: TimeHistogram::default(),
            sorted: vec![0; chutes],
            is_reject,
            keys: job
                .plan
                .spec()
                .destinations
                .iter()
                .map(|d| DestKey::of(&d.name))
                .collect(),
            astray: 0,
            said: Said::new(chutes),
            acted: Vec::with_capacity(job.actions.len()),
            tickets: 0,
            redirected: 0,
            at_once: 0,
        })
    }

    /// The plant.
    #[must_use]
    pub fn plant(&self) -> &Plant {
        &self.plant
    }

    /// The plant, for commands between two calls of [`World::run`].
    pub fn plant_mut(&mut self) -> &mut Plant {
        &mut self.plant
    }

    /// The sorter, or the first of several.
    #[must_use]
    pub fn sorter(&self) -> &Sorter {
        &self.sorters[0]
    }

    /// All sorters of the hub.
    #[must_use]
    pub fn sorters(&self) -> &[Sorter] {
        &self.sorters
    }

    /// The book of the hub.
    #[must_use]
    pub fn books(&self) -> Books {
        let mut books = Books::default();
        self.sorters
            .iter()
            .for_each(|sorter| books.add(sorter.books()));
        books
    }

    /// Tells the sorter something that the plant does not say by itself: what a driver notices of
    /// its links, or a person. To be used between two calls of [`World::run`], at the time up to
    /// which the first one ran.
    pub fn tell_sorter(&mut self, at: Micros, signal: &Signal, observer: &mut impl Observer) {
        self.begin(observer);
        self.now = self.now.max(at);
        self.call(signal, observer);
    }

    /// Goes on up to, but not including, `before`; without one, to the end of the job.
    ///
    /// # Errors
    /// [`RunError::Stuck`].
    pub fn run(
        &mut self,
        before: Option<Micros>,
        observer: &mut impl Observer,
    ) -> Result<(), RunError> {
        self.begin(observer);
        let horizon = self.job.horizon.unwrap_or(Micros::NEVER);
        let before = before.unwrap_or(Micros::NEVER).min(horizon);
        let ends_when_idle = self.job.horizon.is_none();
        let mut events = std::mem::take(&mut self.events);
        loop {
            let timeouts = self.sorters.iter().filter_map(Sorter::next_timeout);
            let timeout = timeouts.min().unwrap_or(Micros::NEVER);
            let action = self.next_action();
            let answer = self.host.next().unwrap_or(Micros::NEVER);
            let other = timeout.min(self.belts_told_next).min(action).min(answer);
            // A hub at rest may be started again by somebody.
            let is_at_rest = action == Micros::NEVER && self.is_at_rest();
            if ends_when_idle && (self.plant.is_idle() || is_at_rest) {
                break;
            }
            // What the plant does at an instant comes before what else is due then.
            if let Some(now) = self
                .plant
                .step(before.min(other.after(Micros(1))), &mut events)
            {
                self.advance(now)?;
                for event in events.drain(..) {
                    self.tell(&event, observer);
                }
                continue;
            }
            if other >= before {
                break;
            }
            self.advance(other.max(self.now))?;
            if action <= other {
                self.act(observer);
            } else if answer <= other {
                if let Some((sorter, signal)) = self.host.answer() {
                    self.call_one(sorter, &signal, observer);
                }
            } else if self.belts_told_next <= other {
                // Behind all that happens at this instant: everything up to here has been told.
                self.tell_belts(observer);
            } else {
                self.call(&Signal::Tick, observer);
            }
        }
        self.events = events;
        Ok(())
    }

    /// Nothing more will happen unless a person says so: no parcel is on the tracks, and whoever
    /// waits is not let in.
    fn is_at_rest(&mut self) -> bool {
        self.plant.tally().on_tracks() == 0
            && self.plant.next_time().is_none()
            && self.sorters.iter().all(|s| s.next_timeout().is_none())
            && self.tracks().all(|track| {
                let sorter = self.job.hub.sorter_of(track);
                self.sorters[sorter.index()].track(track).in_doubt == 0
            })
    }

    fn advance(&mut self, now: Micros) -> Result<(), RunError> {
        self.at_once = if now == self.now { self.at_once + 1 } else { 0 };
        if self.at_once > AT_ONCE_MAX {
            return Err(RunError::Stuck { at: now });
        }
        self.now = now;
        Ok(())
    }

    /// Ends the run: holds the sorter's book against the truth, and sums up.
    ///
    /// # Errors
    /// [`RunError::Differs`].
    pub fn finish(mut self) -> Result<Outcome, RunError> {
        let differences = outcome::differences(&mut self);
        if !differences.is_empty() {
            return Err(RunError::Differs(differences));
        }
        Ok(outcome::outcome(&mut self))
    }

    /// When the run ended, or will end: the horizon or, without one, now.
    fn end(&self) -> Micros {
        self.job.horizon.unwrap_or(self.now)
    }

    /// What every link says when it comes up: the belt, an empty inventory, the chutes.
    fn begin(&mut self, observer: &mut impl Observer) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        for track in self.tracks() {
            self.call(
                &Signal::Link {
                    track,
                    to: LinkState::Up,
                },
                observer,
            );
            let (at, speed) = (self.plant.encoder(track, self.now), self.speed(track));
            self.call(&Signal::Belt { track, at, speed }, observer);
            self.call(&Signal::InventoryEnd { track, at }, observer);
        }
        for chute in (0..self.job.hub.chutes().len()).map(|chute| ChuteId(chute as u16)) {
            let state = self.plant.chute(chute, self.now).state;
            self.call(
                &Signal::Chute {
                    chute,
                    state,
                    taken: 0,
                },
                observer,
            );
        }
    }

    fn tracks(&self) -> impl Iterator<Item = TrackId> + use<> {
        (0..self.job.hub.tracks().len()).map(|track| TrackId(track as u16))
    }

    fn speed(&self, track: TrackId) -> MmPerS {
        self.plant.speed(track, self.now)
    }

    fn tell_belts(&mut self, observer: &mut impl Observer) {
        self.belts_told_next = self.now.after(BELTS_TOLD_EVERY);
        for track in self.tracks() {
            let (at, speed) = (self.plant.encoder(track, self.now), self.speed(track));
            if speed > MmPerS(0) {
                self.call(&Signal::Belt { track, at, speed }, observer);
            }
        }
    }

    #[inline]
    fn tell(&mut self, event: &PlantEvent, observer: &mut impl Observer) {
        match event {
            PlantEvent::Plc(signal) => self.call(signal, observer),
            PlantEvent::Telegram {
                scanner,
                key,
                sight,
            } => {
                let (scanner, key, facts) = (*scanner, *key, self.facts(sight));
                if self.job.labels_as_codes {
                    self.host.learn(facts.code, sight.number);
                }
                self.call(
                    &Signal::Scanned {
                        scanner,
                        key,
                        facts,
                    },
                    observer,
                );
            }
            PlantEvent::Left(exit) => self.count(exit),
        }
    }

    /// What a directory that knows every label says. A generated label is a function of the
    /// parcel's number, so the number stands in for the code; nobody else gives such codes.
    fn facts(&self, sight: &Sight) -> Facts {
        let seen = Facts {
            measured: sight.measured,
            verdict: sight.verdict,
            ..Facts::default()
        };
        if !sight.is_read {
            return seen;
        }
        let parcels = self.plant.parcels();
        let known = sight.dest.filter(|_| parcels.is_advised(sight.number));
        let by_number = self.job.plant.trace.is_empty() && !self.job.labels_as_codes;
        let code = if by_number {
            CodeId(sight.number)
        } else {
            code_of(self.job.formats.as_deref(), &self.plant.label(sight.number))
        };
        Facts {
            read: Reading::Good,
            code,
            advice: known.map_or_else(Advice::default, |dest| Advice {
                known: true,
                dest: self.keys[dest.index()],
                declared: parcels.declared(sight.number),
                ..Advice::default()
            }),
            ..seen
        }
    }

    fn count(&mut self, exit: &Exit) {
        let Way::Chute(chute) = exit.way else { return };
        self.times.record(exit.at.since(exit.arrived));
        let is_right = exit
            .dest
            .is_some_and(|dest| self.job.plan.allows(dest, chute));
        if is_right || self.is_reject[chute.index()] {
            return;
        }
        let key = exit.dest.map(|dest| self.keys[dest.index()]);
        if !self.said.allows(key, chute) {
            self.astray += 1;
        }
    }

    #[inline]
    fn call(&mut self, signal: &Signal, observer: &mut impl Observer) {
        if self.sorters.len() == 1 {
            self.call_one(0, signal, observer);
        } else {
            match self.job.hub.addressee(signal) {
                Some(sorter) => self.call_one(sorter.index(), signal, observer),
                None => (0..self.sorters.len()).for_each(|s| self.call_one(s, signal, observer)),
            }
        }
        while let Some(signal) = self.handed_over.pop_front() {
            let sorter = self.job.hub.addressee(&signal).map_or(0, SorterId::index);
            self.call_one(sorter, &signal, observer);
        }
    }

    #[inline]
    fn call_one(&mut self, sorter: usize, signal: &Signal, observer: &mut impl Observer) {
        self.sorters[sorter].handle(self.now, signal, &mut self.outbox);
        observer.called(self.now, signal, self.outbox.outputs());
        for output in self.outbox.outputs() {
            match output {
                Output::Divert(order) => self.plant.order(self.now, order),
                Output::Withdraw {
                    item,
                    cell,
                    revision,
                    ..
                } => {
                    self.plant.withdraw(self.now, *cell, *item, *revision);
                }
                Output::ChuteWish { chute, lock, .. } => {
                    // All its PLCs obey at once, so that one stands for all.
                    let outlet = self.job.hub.chutes()[chute.index()].outlets[0];
                    self.plant.lock_chute(self.now, *chute, outlet.track, *lock);
                }
                Output::Pace {
                    induction,
                    to,
                    limit_per_h,
                } => self.plant.pace(self.now, *induction, *to, *limit_per_h),
                Output::CarrierEnable { cell, enabled } => {
                    self.plant.enable_carrier(self.now, *cell, *enabled);
                }
                Output::HandOver {
                    transfer,
                    parcel,
                    facts,
                } => self.handed_over.push_back(Signal::Transfer {
                    transfer: *transfer,
                    parcel: *parcel,
                    facts: *facts,
                }),
                Output::AskHost { parcel, code, .. } => {
                    let about = (*parcel, *code);
                    self.host
                        .asked(self.now, sorter, about, &self.plant, &self.keys);
                }
                Output::Ended {
                    how: Disposition::Sorted,
                    chute: Some(chute),
                    why,
                    ..
                } => {
                    self.sorted[chute.index()] += 1;
                    let wanted = [Reason::Forced, Reason::Intercept, Reason::Late];
                    self.redirected += u64::from(wanted.contains(why));
                }
                _ => {}
            }
        }
        self.outbox.clear();
    }
}

/// Runs a job with one seed.
///
/// # Errors
/// See [`RunError`].
pub fn simulate(job: &Job, seed: u64) -> Result<Outcome, RunError> {
    simulate_observed(job, seed, &mut ())
}

/// The same, with somebody looking on.
///
/// # Errors
/// See [`RunError`].
pub fn simulate_observed(
    job: &Job,
    seed: u64,
    observer: &mut impl Observer,
) -> Result<Outcome, RunError> {
    let mut world = World::new(job, seed)?;
    world.run(None, observer)?;
    world.finish()
}
