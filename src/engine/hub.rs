//! All sorters of a hub: one decision thread each, joined by their inboxes.

use std::sync::Arc;

use sorthub_core::hub::Hub;
use sorthub_core::identify::Formats;
use sorthub_core::ids::SorterId;
use sorthub_core::plan::Plan;

use super::inbox::inbox;
use super::{Engine, EngineReport, EngineSetup, InboxSender, Percentiles, Pulse, StartError};
use crate::advice::Generations;
use crate::clock::Clock;
use crate::config::LinksSpec;
use crate::journal::Recorder;
use crate::replay::Former;
use crate::telemetry::{ViewMerger, ViewPublisher, view_slot};

/// What the engines of a hub run on.
#[derive(Debug)]
pub struct HubSetup {
    /// The hub.
    pub hub: Arc<Hub>,
    /// The plan.
    pub plan: Arc<Plan>,
    /// What codes look like; `None`: they are taken as they come.
    pub formats: Option<Arc<Formats>>,
    /// What codes mean, in generations that are shared by all sorters.
    pub directory: Arc<Generations>,
    /// Where PLCs and scanners are; every track must have a PLC.
    pub links: LinksSpec,
    /// A journal for each sorter, in their order.
    pub recorders: Vec<Recorder>,
    /// What people had said to the run before, for each sorter in their order; may be empty.
    pub former: Vec<Former>,
    /// Plant time a real time, in thousandths: 1000 beside a real plant.
    pub speed_permille: u32,
    /// Where views of the whole hub go.
    pub publisher: ViewPublisher,
}

/// The running engines of a hub.
#[derive(Debug)]
pub struct HubEngine {
    hub: Arc<Hub>,
    engines: Vec<Engine>,
    /// Puts the sorters' views together, if there are several.
    _merger: Option<ViewMerger>,
}

impl HubEngine {
    /// Starts a decision thread for each sorter.
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub fn start(setup: HubSetup) -> Result<Self, StartError> {
        let HubSetup {
            hub,
            plan,
            formats,
            directory,
            links,
            recorders,
            former,
            speed_permille,
            publisher,
        } = setup;
        let mut former = former.into_iter();
        let boxes: Vec<_> = recorders.iter().map(|_| inbox()).collect();
        let neighbours: Arc<[InboxSender]> = boxes.iter().map(|(door, _)| door.clone()).collect();
        let (publishers, merger) = publishers(&hub, publisher);
        let clock = Clock::new(speed_permille);
        let mut engines: Vec<Engine> = Vec::new();
        let all = recorders.into_iter().zip(boxes).zip(publishers);
        for (index, ((recorder, inbox), publisher)) in all.enumerate() {
            let started = Engine::start(EngineSetup {
                hub: Arc::clone(&hub),
                sorter: SorterId(index as u16),
                plan: Arc::clone(&plan),
                formats: formats.clone(),
                directory: directory.reader(),
                links: links.clone(),
                recorder,
                clock,
                publisher,
                inbox,
                neighbours: Arc::clone(&neighbours),
                former: former.next().unwrap_or_default(),
            });
            match started {
                Ok(engine) => engines.push(engine),
                Err(error) => {
                    engines.into_iter().for_each(|engine| drop(engine.stop()));
                    return Err(error);
                }
            }
        }
        Ok(Self {
            hub,
            engines,
            _merger: merger,
        })
    }

    /// The doors for requests of other threads, one for each sorter.
    #[must_use]
    pub fn inboxes(&self) -> Vec<InboxSender> {
        self.engines.iter().map(Engine::inbox).collect()
    }

    /// The latest numbers of the hub.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        let mut pulses = self.engines.iter().map(Engine::pulse);
        let first = pulses.next().unwrap_or_default();
        pulses.fold(first, Pulse::and)
    }

    /// Whether one of the threads has ended by itself: an invariant broke.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.engines.iter().any(Engine::has_ended)
    }

    /// Ends the run: grants are given back, journals are closed.
    ///
    /// # Panics
    /// As [`Engine::stop`].
    #[must_use]
    pub fn stop(self) -> EngineReport {
        let owners = scanner_owners(&self.hub);
        let mut reports: Vec<EngineReport> = self.engines.into_iter().map(Engine::stop).collect();
        let scanners = owners.iter().enumerate();
        let scanners = scanners.map(|(at, owner)| reports[*owner].scanners[at]);
        let scanners = scanners.collect();
        let mut all = reports.remove(0);
        reports.into_iter().for_each(|report| all.add(report));
        EngineReport { scanners, ..all }
    }
}

impl EngineReport {
    /// Adds what another sorter of the hub came to. Of latencies the slower distribution stands.
    fn add(&mut self, other: Self) {
        self.books.add(&other.books);
        self.digest = self.digest.rotate_left(1) ^ other.digest;
        self.output_hash = self.output_hash.rotate_left(1) ^ other.output_hash;
        let slower = |a: Percentiles, b: Percentiles| if a.p50_ns >= b.p50_ns { a } else { b };
        self.decision = slower(self.decision, other.decision);
        self.wire_to_wire = slower(self.wire_to_wire, other.wire_to_wire);
        self.stats.unreadable_events += other.stats.unreadable_events;
        self.stats.link_changes += other.stats.link_changes;
        self.stats.untold_transfers += other.stats.untold_transfers;
        if self.journal.is_ok() {
            // The first that went wrong is told.
            self.journal = other.journal;
        }
        self.broken = self.broken.take().or(other.broken);
    }
}

/// Which sorter each scanner belongs to.
fn scanner_owners(hub: &Hub) -> Vec<usize> {
    let scanners = hub.scanners().iter();
    scanners
        .map(|scanner| hub.sorter_of(scanner.track).index())
        .collect()
}

/// Where each sorter's views go: to the page itself, or to whoever puts them together.
fn publishers(hub: &Hub, all: ViewPublisher) -> (Vec<ViewPublisher>, Option<ViewMerger>) {
    if hub.sorters() == 1 {
        return (vec![all], None);
    }
    let (own, sources): (Vec<_>, Vec<_>) = (0..hub.sorters()).map(|_| view_slot()).unzip();
    (own, Some(ViewMerger::start(hub, sources, all)))
}
