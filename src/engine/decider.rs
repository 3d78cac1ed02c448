//! What the decision thread owns: the sorter, the mailbox ends of its PLCs, and what it writes to.
//!
//! Every signal goes through [`Decider::tell`]: the sorter is called, orders go into the mailbox,
//! the call goes to the journal's queue. Nothing here waits. [`Decider::turn_over`] wakes who has
//! to do with what was said: first the PLC links, then the journal.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use sorthub_core::facts::{Facts, Reading};
use sorthub_core::hub::Hub;
use sorthub_core::identify::Formats;
use sorthub_core::ids::{CellId, ScannerId, SorterId, TrackId};
use sorthub_core::operator::Ticket;
use sorthub_core::outbox::Outbox;
use sorthub_core::scanner::{Dropped, Telegram};
use sorthub_core::signal::{Output, ScanKey, Signal};
use sorthub_core::sorter::{Sorter, Wish};
use sorthub_core::units::Micros;
use tokio::sync::Notify;

use super::asking::Reply;
use super::host::Host;
use super::inbox::{INBOX_MAX, InboxSender, Request};
use super::lanes::Lane;
use super::latency::Latency;
use super::show::Show;
use super::stats::{ScannerStats, Stats};
use crate::advice::Reader;
use crate::clock::Clock;
use crate::config::links::ScannerLink;
use crate::journal::Recorder;

/// How many signals before a broken invariant are kept for its report.
const KEPT_SIGNALS: usize = 32;

/// How much news of parcels on transfers can wait for inboxes that are full.
const HANDED_OVER_MAX: usize = 4_096;

/// The state of the decision thread.
pub struct Decider {
    pub(super) sorter: Sorter,
    pub(super) clock: Clock,
    pub(super) lanes: Vec<Lane>,
    pub(super) recorder: Recorder,
    pub(super) show: Show,
    pub(super) stats: Stats,
    pub(super) scanners: Vec<ScannerStats>,
    pub(super) decision: Latency,
    pub(super) wire_to_wire: Latency,
    pub(super) outbox: Outbox,
    id: SorterId,
    neighbours: Arc<[InboxSender]>,
    /// Parcels put on transfers that the sorter at their end has not been told of yet.
    handed_over: VecDeque<Signal>,
    formats: Option<Arc<Formats>>,
    directory: Reader,
    links: Vec<Option<ScannerLink>>,
    last: VecDeque<(Micros, Signal)>,
    /// Set when an invariant of the sorter broke: no order leaves any more.
    broken: Option<String>,
    /// Answers that leave after the links' turn.
    pub(super) replies: VecDeque<Reply>,
    pub(super) host: Host,
    /// Counts commands.
    pub(super) ticket: Ticket,
    /// Woken when the sorter's next time-out may have moved.
    pub(super) timer: Rc<Notify>,
    /// Woken after the links, to wake the journal.
    pub(super) after: Rc<Notify>,
    /// Woken when the run must end because an invariant broke.
    pub(super) halt: Rc<Notify>,
}

/// What a decider is made of.
pub(super) struct Parts {
    pub sorter: Sorter,
    pub id: SorterId,
    pub neighbours: Arc<[InboxSender]>,
    pub clock: Clock,
    pub lanes: Vec<Lane>,
    pub recorder: Recorder,
    pub show: Show,
    pub formats: Option<Arc<Formats>>,
    pub directory: Reader,
    pub links: Vec<Option<ScannerLink>>,
}

impl Decider {
    pub(super) fn new(parts: Parts) -> Self {
        let scanners = parts
            .links
            .iter()
            .map(|_| ScannerStats::default())
            .collect();
        Self {
            sorter: parts.sorter,
            clock: parts.clock,
            lanes: parts.lanes,
            recorder: parts.recorder,
            show: parts.show,
            stats: Stats::default(),
            scanners,
            decision: Latency::new(),
            wire_to_wire: Latency::new(),
            id: parts.id,
            neighbours: parts.neighbours,
            handed_over: VecDeque::with_capacity(HANDED_OVER_MAX),
            outbox: Outbox::new(),
            formats: parts.formats,
            directory: parts.directory,
            links: parts.links,
            last: VecDeque::with_capacity(KEPT_SIGNALS),
            broken: None,
            replies: VecDeque::with_capacity(INBOX_MAX),
            host: Host::default(),
            ticket: Ticket(0),
            timer: Rc::new(Notify::new()),
            after: Rc::new(Notify::new()),
            halt: Rc::new(Notify::new()),
        }
    }

    pub(super) fn hub(&self) -> &Arc<Hub> {
        self.sorter.hub()
    }

    /// Why the run must end, if an invariant of the sorter broke.
    pub(super) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Tells the sorter something and does what it says. `came` is when the telegram or event that
    /// it is told was read from its socket. Returns the journal's number of the call.
    pub(super) fn tell(&mut self, signal: Signal, came: Option<Instant>) -> u64 {
        if self.broken.is_some() {
            return 0;
        }
        let now = self.clock.plant_now();
        self.keep(now, signal);
        self.outbox.clear();
        let before = Instant::now();
        let (sorter, outbox) = (&mut self.sorter, &mut self.outbox);
        // The state is not used again after a panic: no order leaves, and the run ends.
        let call = catch_unwind(AssertUnwindSafe(|| sorter.handle(now, &signal, outbox)));
        if let Err(panic) = call {
            self.stop_on(panic.as_ref());
            // The journal keeps the signal that did it, so that a replay stops at the same place.
            let hash = self.sorter.output_hash();
            return self.recorder.record(now, &signal, &[], hash);
        }
        self.decision.record(before.elapsed());
        for nth in 0..self.outbox.outputs().len() {
            let output = self.outbox.outputs()[nth];
            self.carry_out(now, &output, came);
        }
        let (outputs, hash) = (self.outbox.outputs(), self.sorter.output_hash());
        self.recorder.record(now, &signal, outputs, hash)
    }

    fn carry_out(&mut self, now: Micros, output: &Output, came: Option<Instant>) {
        match output {
            Output::Divert(order) => self.order(order.cell, output, came),
            Output::Withdraw { cell, .. } => self.order(*cell, output, None),
            Output::Alarm(alarm) => self.show.alarm(now, alarm),
            Output::AskHost {
                parcel,
                code,
                until,
            } => self.ask_host(now, *parcel, *code, *until),
            Output::Pace {
                induction,
                to,
                limit_per_h,
            } => {
                let track = self.hub().inductions()[induction.index()].track;
                self.lanes[track.index()].pace(*induction, *to, *limit_per_h);
            }
            Output::CarrierEnable { cell, enabled } => {
                if let Some((track, own)) = self.hub().track_of(*cell) {
                    self.lanes[track.index()].use_carrier(own, *enabled);
                }
            }
            Output::ChuteWish {
                chute,
                lock,
                lamp,
                why,
            } => {
                let (lock, lamp, why) = (*lock, *lamp, *why);
                for lane in &mut self.lanes {
                    lane.wish_chute(*chute, Wish { lock, lamp, why });
                }
            }
            Output::Track { track, to } => self.lanes[track.index()].run(*to),
            Output::HandOver {
                transfer,
                parcel,
                facts,
            } => self.hand_over(Signal::Transfer {
                transfer: *transfer,
                parcel: *parcel,
                facts: *facts,
            }),
            Output::Known { .. }
            | Output::Read { .. }
            | Output::Decided { .. }
            | Output::Answered { .. }
            | Output::StillThere { .. }
            | Output::Bag { .. }
            | Output::RetirePlan { .. }
            | Output::Ended { .. } => {}
        }
    }

    fn order(&mut self, cell: CellId, output: &Output, came: Option<Instant>) {
        let Some((TrackId(track), own)) = self.sorter.hub().track_of(cell) else {
            return;
        };
        self.lanes[usize::from(track)].order(own, output, came);
    }

    /// Whether a track is of this sorter.
    pub(super) fn owns(&self, track: TrackId) -> bool {
        self.hub().sorter_of(track) == self.id
    }

    /// Keeps news of a parcel on a transfer for whoever owns the transfer's end, who is told at
    /// the end of the turn.
    fn hand_over(&mut self, news: Signal) {
        if self.handed_over.len() == HANDED_OVER_MAX {
            // Its end has stood still for minutes. The parcel will be one that nobody announced.
            self.handed_over.pop_front();
            self.stats.untold_transfers += 1;
        }
        self.handed_over.push_back(news);
    }

    /// Tells of parcels on transfers, in order; what does not fit into an inbox waits for the next
    /// turn.
    fn tell_handed_over(&mut self) {
        while let Some(&news) = self.handed_over.front() {
            let to = self.hub().addressee(&news).unwrap_or(self.id);
            if to == self.id {
                self.handed_over.pop_front();
                self.tell(news, None);
            } else if self.neighbours[to.index()]
                .send(Request::Tell(news))
                .is_ok()
            {
                self.handed_over.pop_front();
            } else {
                return;
            }
        }
    }

    fn keep(&mut self, now: Micros, signal: Signal) {
        if self.last.len() == KEPT_SIGNALS {
            self.last.pop_front();
        }
        self.last.push_back((now, signal));
    }

    /// An invariant broke: a wrong chute is worse than a stop. The links are dropped, so that the
    /// PLCs' own rules take over.
    fn stop_on(&mut self, panic: &(dyn std::any::Any + Send)) {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "no message".into());
        tracing::error!(%text, "an invariant of the sorter broke: orders and heartbeat stop");
        for (at, signal) in &self.last {
            tracing::error!(at_us = at.0, ?signal, "before that");
        }
        self.broken = Some(text);
        self.halt.notify_one();
    }

    /// A frame of a scanner, or bytes that were none.
    pub(crate) fn scanner_frame(
        &mut self,
        scanner: usize,
        frame: Result<&[u8], Dropped>,
        came: Instant,
    ) {
        let stats = &mut self.scanners[scanner];
        let Ok(frame) = frame else {
            stats.garbage += 1;
            return;
        };
        let Some(link) = self.links[scanner].as_ref() else {
            return;
        };
        match link.template.read(frame) {
            Ok(telegram) => self.telegram(scanner, &telegram, came),
            Err(error) => {
                stats.garbage += 1;
                if stats.garbage.is_power_of_two() {
                    tracing::warn!(scanner, %error, count = stats.garbage, "frame dropped");
                }
            }
        }
    }

    fn telegram(&mut self, scanner: usize, telegram: &Telegram<'_>, came: Instant) {
        let id = ScannerId(scanner as u16);
        let Some(key) = self.key(id, telegram) else {
            self.scanners[scanner].garbage += 1;
            return;
        };
        let codes = telegram.codes.all().iter().copied();
        let directory = self.directory.directory();
        let read = directory.read(self.formats.as_deref(), codes);
        let facts = Facts {
            measured: telegram.measured,
            verdict: telegram.verdict,
            ..read.facts
        };
        self.scanners[scanner].count(facts.read == Reading::Good, telegram.codes.first());
        if let Some(text) = read.text() {
            self.recorder.text(facts.code, text);
            self.show.text(facts.code, text);
        }
        self.tell(
            Signal::Scanned {
                scanner: id,
                key,
                facts,
            },
            Some(came),
        );
    }

    /// How a telegram names its item, the surest way first; `None` if it names what is not there.
    fn key(&mut self, scanner: ScannerId, telegram: &Telegram<'_>) -> Option<ScanKey> {
        let track = self.hub().scanners()[scanner.index()].track;
        if let Some(trigger) = telegram.trigger {
            return Some(ScanKey::Trigger(trigger));
        }
        if let Some(own) = telegram.carrier {
            return self.hub().cell(track, own).map(ScanKey::Carrier);
        }
        match telegram.encoder_mm {
            Some(mm) => {
                let near = self.sorter.track(track).at;
                Some(ScanKey::Encoder(sorthub_core::units::BeltMm::unwrap_near(
                    near, mm,
                )))
            }
            None => Some(ScanKey::Arrival),
        }
    }

    pub(crate) fn scanner_linked(&mut self, scanner: usize, linked: bool) {
        self.scanners[scanner].linked = linked;
    }

    /// The end of a turn: whoever has to do with what was said is woken, the PLC links first, so
    /// that an order is on its way before anybody else hears of it.
    pub(crate) fn turn_over(&mut self) {
        self.tell_handed_over();
        for lane in &mut self.lanes {
            lane.wake_if_news();
        }
        self.timer.notify_one();
        self.after.notify_one();
        // Between turns, so that one turn has one directory; heartbeats make turns while nothing
        // is scanned.
        self.directory.refresh();
    }
}
