//! What the decision thread shows to people: views for the page, a pulse for the terminal.

use std::sync::Arc;

use crossbeam::atomic::AtomicCell;
use sorthub_core::ids::{CodeId, ScannerId, TrackId};
use sorthub_core::signal::Alarm;
use sorthub_core::units::Micros;

use super::decider::Decider;
use super::latency::Percentiles;
use crate::telemetry::{
    AlarmBoard, AlarmRefused, ChuteRole, LatencyRow, ScannerRow, ShortText, Throughput, View,
    ViewPublisher,
};

/// The few numbers that a status line needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    /// Parcels inducted so far.
    pub inducted: u64,
    /// Of those, sorted.
    pub sorted: u64,
    /// Rejected.
    pub rejected: u64,
    /// Lost.
    pub lost: u64,
    /// Still on their way.
    pub on_sorter: u64,
    /// Net throughput over the last minute of plant time.
    pub sorted_per_h: u32,
    /// Wire to wire: see [`EngineReport`](super::EngineReport).
    pub wire_to_wire: Percentiles,
    /// Whether every PLC link is up.
    pub linked: bool,
    /// Parcels in doubt after a PLC has restarted.
    pub in_doubt: u32,
}

impl Pulse {
    /// The numbers of two sorters of a hub together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let slower = if self.wire_to_wire.p50_ns >= other.wire_to_wire.p50_ns {
            self.wire_to_wire
        } else {
            other.wire_to_wire
        };
        Self {
            inducted: self.inducted + other.inducted,
            sorted: self.sorted + other.sorted,
            rejected: self.rejected + other.rejected,
            lost: self.lost + other.lost,
            on_sorter: self.on_sorter + other.on_sorter,
            sorted_per_h: self.sorted_per_h + other.sorted_per_h,
            wire_to_wire: slower,
            linked: self.linked && other.linked,
            in_doubt: self.in_doubt + other.in_doubt,
        }
    }
}

/// Where the pulse is left for whoever wants it; reading never stops the decision thread.
pub type PulseCell = Arc<AtomicCell<Pulse>>;

pub(super) struct Show {
    /// Only lent out while a view is written.
    publisher: Option<ViewPublisher>,
    pulse: PulseCell,
    board: AlarmBoard,
    inducted: Throughput,
    sorted: Throughput,
    texts: Texts,
    /// Somebody beside the watchers of views needs the texts of codes.
    pub(super) keeps_texts: bool,
}

impl Show {
    pub(super) fn new(publisher: ViewPublisher, pulse: PulseCell, board: AlarmBoard) -> Self {
        Self {
            publisher: Some(publisher),
            pulse,
            board,
            inducted: Throughput::new(Micros(0), 0),
            sorted: Throughput::new(Micros(0), 0),
            texts: Texts::default(),
            keeps_texts: false,
        }
    }

    pub(super) fn alarm(&mut self, now: Micros, alarm: &Alarm) {
        self.board.note(now, alarm);
    }

    /// Remembers the text of a code while its parcel is about.
    pub(super) fn text(&mut self, code: CodeId, text: &str) {
        if self.keeps_texts || self.is_watched() {
            self.texts.add(code, text);
        }
    }

    fn is_watched(&self) -> bool {
        self.publisher.as_ref().is_some_and(ViewPublisher::wanted)
    }

    /// The text of a code, where it is remembered.
    pub(super) fn text_of(&self, code: CodeId) -> Option<ShortText> {
        self.texts.of.get(&code).copied()
    }

    /// What the active plan uses each chute for.
    pub(super) fn set_roles(&mut self, roles: &[ChuteRole]) {
        self.board.set_roles(roles);
    }
}

impl Decider {
    /// Leaves a view, if somebody watches, and a pulse.
    pub(super) fn show(&mut self) {
        let now = self.clock.plant_now();
        let books = self.sorter.books();
        let (inducted, sorted) = (books.inducted, books.sorted);
        self.show.inducted.take(now, inducted);
        self.show.sorted.take(now, sorted);
        self.follow(now);
        self.pulse();
        if self.show.is_watched() {
            self.view(now);
        }
    }

    /// Lets the alarms see how everything is.
    fn follow(&mut self, now: Micros) {
        let board = &mut self.show.board;
        board.follow(now, &self.sorter);
        for lane in &self.lanes {
            board.follow_link(now, lane.wire.track(), &lane.health);
        }
        let watch = self.recorder.watch();
        board.follow_journal(now, watch.is_failing(), watch.counts().missing);
    }

    /// Somebody has seen an alarm.
    ///
    /// # Errors
    /// See [`AlarmRefused`].
    pub fn acknowledge_alarm(&mut self, id: u64, who: &str) -> Result<(), AlarmRefused> {
        self.show.board.acknowledge(id, who)
    }

    /// Somebody puts an alarm aside for a time.
    ///
    /// # Errors
    /// See [`AlarmRefused`].
    pub fn shelve_alarm(&mut self, id: u64, wait: Micros) -> Result<(), AlarmRefused> {
        let now = self.clock.plant_now();
        self.show.board.shelve(now, id, now.after(wait))
    }

    fn pulse(&mut self) {
        let books = self.sorter.books();
        let tracks = (0..self.lanes.len()).map(|track| TrackId(track as u16));
        let own = tracks.filter(|track| self.owns(*track));
        let tracks = own.map(|track| self.sorter.track(track));
        let (mut linked, mut in_doubt) = (true, 0);
        for track in tracks {
            linked &= track.linked;
            in_doubt += track.in_doubt;
        }
        self.show.pulse.store(Pulse {
            inducted: books.inducted,
            sorted: books.sorted,
            rejected: books.rejected,
            lost: books.lost,
            on_sorter: books.on_sorter,
            sorted_per_h: self.show.sorted.per_hour(),
            wire_to_wire: self.wire_to_wire.percentiles(),
            linked,
            in_doubt,
        });
    }

    fn view(&mut self, now: Micros) {
        // Lent out for the filling, which needs the rest of the decider.
        let mut publisher = self.show.publisher.take();
        if let Some(publisher) = &mut publisher {
            publisher.publish(|view| self.write(now, view));
        }
        self.show.publisher = publisher;
    }

    /// Writes down how things are now.
    pub(super) fn write(&self, now: Micros, view: &mut View) {
        let show = &self.show;
        view.read_sorter(&self.sorter, now, |code| show.texts.get(code));
        view.speed_permille = self.clock.speed_permille();
        view.decision = latency_row(self.decision.percentiles());
        view.wire_to_wire = latency_row(self.wire_to_wire.percentiles());
        view.inducted_per_h = show.inducted.per_hour();
        view.sorted_per_h = show.sorted.per_hour();
        view.queue_drops = self.recorder.watch().counts().missing + self.host.dropped;
        show.board.write(&mut view.alarms);
        view.scanners.clear();
        let scanners = self
            .scanners
            .iter()
            .enumerate()
            .map(|(at, scanner)| ScannerRow {
                silent: self.sorter.scanner(ScannerId(at as u16)).is_silent,
                reads: scanner.reads,
                no_reads: scanner.no_reads,
                last: scanner.last,
                linked: scanner.linked,
            });
        view.scanners.extend(scanners);
        // The page lists tracks and scanners by itself.
        view.links.clear();
        view.links.extend(self.host.row());
    }
}

fn latency_row(percentiles: Percentiles) -> LatencyRow {
    LatencyRow {
        count: percentiles.count,
        p50_ns: percentiles.p50_ns,
        p99_ns: percentiles.p99_ns,
        max_ns: percentiles.max_ns,
    }
}

/// The texts of the last codes read: as many as can be drawn, the oldest forgotten first.
#[derive(Default)]
struct Texts {
    order: std::collections::VecDeque<CodeId>,
    of: std::collections::BTreeMap<CodeId, ShortText>,
}

/// More than ride on a sorter that a page can draw.
const TEXTS_MAX: usize = 8_192;

impl Texts {
    fn add(&mut self, code: CodeId, text: &str) {
        if self.of.insert(code, ShortText::new(text)).is_some() {
            return;
        }
        self.order.push_back(code);
        if self.order.len() > TEXTS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.of.remove(&oldest);
        }
    }

    fn get(&self, code: CodeId) -> Option<&str> {
        self.of.get(&code).map(ShortText::as_str)
    }
}
