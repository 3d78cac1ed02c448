//! The synthetic plant: carriers and windows in closed form, looked at every few milliseconds.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use hdrhistogram::Histogram;
use sorthub_core::facts::Facts;
use sorthub_core::hub::{Capacity, TrackKind};
use sorthub_core::ids::{
    CellId, ChuteId, CodeId, DestId, InductionId, PlcItem, ScannerId, TrackId,
};
use sorthub_core::outbox::Outbox;
use sorthub_core::signal::{Alarm, ChuteState, LinkState, Order, Output, ScanKey, Signal};
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::{BeltMm, Micros, Mm};

use super::hubs::{self, Scene};

const STEP: Micros = Micros(10_000);
/// A parcel takes this long to be taken out of a chute.
const SERVICE: Micros = Micros(9_000_000);
/// Every so many-th parcel cannot be read.
const NO_READ_EVERY: u64 = 40;

#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) reads: u64,
    pub(super) no_reads: u64,
    pub(super) last: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Riding {
    item: PlcItem,
    origin: i64,
    code: u64,
    order: Option<Order>,
}

#[derive(Debug, Default)]
struct Chute {
    state: ChuteState,
    holds: u32,
    taken: u16,
    next_out: Micros,
}

#[derive(Debug)]
pub(super) struct Plant {
    scene: Scene,
    pub(super) sorter: Sorter,
    pub(super) now: Micros,
    pub(super) texts: BTreeMap<u64, String>,
    pub(super) scanned: Vec<Scanned>,
    pub(super) decision_ns: Histogram<u64>,
    pub(super) alarms: Vec<Alarm>,
    outbox: Outbox,
    belts: Vec<i64>,
    cells: Vec<Option<Riding>>,
    returning: VecDeque<(i64, u16, Riding)>,
    chutes: Vec<Chute>,
    items: u64,
    random: u64,
}

impl Plant {
    pub(super) fn new(scene: Scene) -> Self {
        let hub = hubs::hub(scene);
        let plan = hubs::plan(&hub);
        let open = || Chute {
            state: ChuteState::OPEN,
            ..Chute::default()
        };
        let mut plant = Self {
            scene,
            now: Micros(0),
            texts: BTreeMap::new(),
            scanned: hub.scanners().iter().map(|_| Scanned::default()).collect(),
            decision_ns: Histogram::new_with_max(10_000_000_000, 3).expect("it is a sound range"),
            alarms: Vec::new(),
            outbox: Outbox::new(),
            belts: vec![0; hub.tracks().len()],
            cells: vec![None; hub.cells() as usize],
            returning: VecDeque::new(),
            chutes: hub.chutes().iter().map(|_| open()).collect(),
            items: 0,
            random: 0x2545_f491_4f6c_dd1d,
            sorter: Sorter::new(hub, plan, Setup::new(7)),
        };
        for track in plant.tracks() {
            plant.tell(Signal::Link {
                track,
                to: LinkState::Up,
            });
        }
        plant
    }

    /// Does to the running plant what the scene is about.
    pub(super) fn begin_scene(&mut self) {
        match self.scene {
            Scene::Troubled => self.cause_trouble(),
            Scene::LoopAndLine => self.tell(Signal::Link {
                track: TrackId(1),
                to: LinkState::Lost,
            }),
            Scene::SmallLoop | Scene::Line | Scene::LargeLoop | Scene::FourLoops => {}
        }
    }

    pub(super) fn run_to(&mut self, until: Micros) {
        while self.now < until {
            self.now = self.now.after(STEP);
            for track in self.tracks() {
                if self.sorter.track(track).linked {
                    self.step(track);
                }
            }
            self.serve();
        }
    }

    fn tracks(&self) -> impl Iterator<Item = TrackId> + use<> {
        (0..self.belts.len() as u16).map(TrackId)
    }

    fn step(&mut self, track: TrackId) {
        let hub = self.sorter.hub().clone();
        let spec = &hub.tracks()[track.index()];
        let from = self.belts[track.index()];
        let to = i64::from(spec.speed.0) * self.now.0 as i64 / 1_000_000;
        self.belts[track.index()] = to;
        for cell in hub.cells_of(track).map(CellId) {
            match self.cells[cell.index()] {
                Some(riding) => self.ride(track, cell, riding, from, to),
                None if spec.kind.is_loop() => self.board_loop(track, cell, from, to),
                None => {}
            }
        }
        if !spec.kind.is_loop() {
            self.board_line(track, to);
        }
        let at = BeltMm(to);
        self.tell(Signal::Belt {
            track,
            at,
            speed: spec.speed,
        });
    }

    /// The belt position in `(from, to]` at which what was at the origin at `origin` passes `at`.
    fn passes(&self, track: TrackId, origin: i64, at: u32, from: i64, to: i64) -> Option<i64> {
        let kind = self.sorter.hub().tracks()[track.index()].kind;
        let first = origin + i64::from(at);
        let when = match kind {
            TrackKind::Loop { .. } => {
                let round = i64::from(kind.length().0);
                to - (to - first).rem_euclid(round)
            }
            TrackKind::Line { .. } => first,
        };
        (when > from && when <= to).then_some(when)
    }

    fn board_loop(&mut self, track: TrackId, cell: CellId, from: i64, to: i64) {
        let hub = self.sorter.hub().clone();
        let TrackKind::Loop { pitch, .. } = hub.tracks()[track.index()].kind else {
            return;
        };
        let own = cell.0 - hub.cells_of(track).start;
        let origin = -i64::from(own) * i64::from(pitch.0);
        for induction in hub.inductions_of(track) {
            let eye = hub.inductions()[induction.index()].at.0;
            if let Some(at) = self.passes(track, origin, eye, from, to)
                && self.draw(100) < 42
            {
                self.board(induction, cell, at, at - i64::from(eye));
                return;
            }
        }
    }

    fn board_line(&mut self, track: TrackId, to: i64) {
        let hub = self.sorter.hub().clone();
        let Some(cell) = hub
            .cells_of(track)
            .find(|&at| self.cells[at as usize].is_none())
        else {
            return;
        };
        let Some(induction) = hub.inductions_of(track).next() else {
            return;
        };
        let eye = i64::from(hub.inductions()[induction.index()].at.0);
        let origin = to - eye;
        let own = hub.cells_of(track).filter_map(|at| self.cells[at as usize]);
        if own
            .map(|riding| riding.origin)
            .max()
            .is_some_and(|last| origin - last < 1_400)
        {
            return;
        }
        if self
            .returning
            .front()
            .is_some_and(|(due, of, _)| *due <= to && *of == track.0)
        {
            let (_, _, riding) = self.returning.pop_front().expect("it was looked at");
            self.cells[cell as usize] = Some(Riding {
                origin,
                order: None,
                ..riding
            });
            let (cell, item, at) = (CellId(cell), riding.item, BeltMm(to));
            let length = Mm(400);
            self.tell(Signal::Inducted {
                induction,
                cell,
                item,
                at,
                length,
                spans: 1,
                returned: true,
            });
        } else if self.draw(100) < 3 {
            self.board(induction, CellId(cell), to, origin);
        }
    }

    fn board(&mut self, induction: InductionId, cell: CellId, at: i64, origin: i64) {
        self.items += 1;
        let item = PlcItem(self.items as u32);
        let riding = Riding {
            item,
            origin,
            code: self.items,
            order: None,
        };
        self.cells[cell.index()] = Some(riding);
        let (at, length) = (BeltMm(at), Mm(400));
        self.tell(Signal::Inducted {
            induction,
            cell,
            item,
            at,
            length,
            spans: 1,
            returned: false,
        });
    }

    fn ride(&mut self, track: TrackId, cell: CellId, riding: Riding, from: i64, to: i64) {
        let hub = self.sorter.hub().clone();
        for scanner in hub.scanners_of(track) {
            let eye = hub.scanners()[scanner.index()].at.0;
            if let Some(at) = self.passes(track, riding.origin, eye, from, to) {
                self.scan(scanner, cell, riding, at);
            }
        }
        let item = riding.item;
        if hub.tracks()[track.index()].kind.is_loop()
            && let Some(at) = self.passes(track, riding.origin, 0, from, to)
        {
            self.tell(Signal::LapPassed {
                cell,
                item,
                at: BeltMm(at),
            });
        }
        // An order may have come with the reading just now.
        let Some(riding) = self.cells[cell.index()] else {
            return;
        };
        let ordered = riding.order.map(|order| order.chutes).unwrap_or_default();
        for chute in ordered.into_iter().flatten() {
            let outlet = hub
                .outlet(chute, track)
                .expect("orders name reachable chutes");
            if let Some(at) = self.passes(track, riding.origin, outlet.at.0, from, to)
                && self.leave(chute, cell, item, at)
            {
                return;
            }
        }
        let TrackKind::Line {
            length, returns, ..
        } = hub.tracks()[track.index()].kind
        else {
            return;
        };
        if to - riding.origin >= i64::from(length.0) {
            self.cells[cell.index()] = None;
            let due = to + i64::from(returns.map_or(0, |mm| mm.0));
            self.returning.push_back((due, track.0, riding));
            self.tell(Signal::Returning {
                cell,
                item,
                at: BeltMm(to),
            });
        }
    }

    fn scan(&mut self, scanner: ScannerId, cell: CellId, riding: Riding, at: i64) {
        let (item, at) = (riding.item, BeltMm(at));
        let trigger = (self.items % 60_000) as u16 + 1;
        self.tell(Signal::AtScanner {
            scanner,
            cell,
            item,
            trigger,
            at,
        });
        let read = !riding.code.is_multiple_of(NO_READ_EVERY);
        let row = &mut self.scanned[scanner.index()];
        let facts = if read {
            row.reads += 1;
            let text = format!("SF{:012}", riding.code * 7_919 % 1_000_000_000_000);
            row.last = Some(text.clone());
            self.facts(scanner, riding, text)
        } else {
            row.no_reads += 1;
            Facts::default()
        };
        self.tell(Signal::Scanned {
            scanner,
            key: ScanKey::Trigger(trigger),
            facts,
        });
    }

    fn facts(&mut self, scanner: ScannerId, riding: Riding, text: String) -> Facts {
        let code = CodeId::of(&text);
        let hub = self.sorter.hub().clone();
        let track = hub.scanners()[scanner.index()].track;
        let reachable = hub.outlets(track).iter().map(|(_, chute)| *chute);
        let plan = self.sorter.plan().clone();
        let dests = |chute| {
            (0..plan.destinations())
                .map(DestId)
                .find(|&d| plan.allows(d, chute))
        };
        let dests: Vec<DestId> = reachable.filter_map(dests).collect();
        // Some branches get more than their chute can hold.
        let hot = riding.code.is_multiple_of(5);
        let nth = if hot { 2 } else { riding.code as usize * 31 };
        self.texts.insert(code.0, text);
        Facts::advised(code, plan.key(dests[nth % dests.len()]))
    }

    /// Whether the item has left by `chute`.
    fn leave(&mut self, chute: ChuteId, cell: CellId, item: PlcItem, at: i64) -> bool {
        let at = BeltMm(at);
        let row = &mut self.chutes[chute.index()];
        if let Some(cause) = row.state.closed_because() {
            self.tell(Signal::NotDischarged {
                chute,
                cell,
                item,
                at,
                cause,
            });
            return false;
        }
        row.holds += 1;
        self.cells[cell.index()] = None;
        self.tell(Signal::Discharged {
            chute,
            cell,
            item,
            at,
        });
        self.level(chute);
        true
    }

    fn serve(&mut self) {
        for index in 0..self.chutes.len() {
            let row = &mut self.chutes[index];
            let stands = row.state.jammed || row.state.locked;
            if row.next_out > self.now || row.holds == 0 || stands {
                continue;
            }
            row.holds -= 1;
            row.taken = row.taken.wrapping_add(1);
            let spread = self.draw(SERVICE.0 * 2);
            self.chutes[index].next_out = self.now.after(Micros(spread));
            self.level(ChuteId(index as u16));
        }
    }

    /// Tells a chute's state and count.
    fn level(&mut self, chute: ChuteId) {
        let most = match self.sorter.hub().chutes()[chute.index()].capacity {
            Capacity::Unlimited => u32::MAX,
            Capacity::Parcels(count) => count,
            Capacity::Length(length) => length.0 / 400,
        };
        let row = &mut self.chutes[chute.index()];
        row.state.half = row.holds >= most / 2;
        row.state.full = row.holds >= most;
        let (state, taken) = (row.state, row.taken);
        self.tell(Signal::Chute {
            chute,
            state,
            taken,
        });
    }

    fn cause_trouble(&mut self) {
        self.chutes[9].state.jammed = true;
        self.chutes[4].state.locked = true;
        self.chutes[12].state.enabled = false;
        self.chutes[5].holds = 20;
        self.chutes[5].next_out = self.now.after(Micros::from_secs(600));
        for chute in [4, 5, 9, 12] {
            self.level(ChuteId(chute));
        }
        let went = ChuteId(3);
        let row = self
            .cells
            .iter()
            .position(|cell| cell.is_some_and(|it| it.order.is_some()));
        let cell = row.expect("some parcel has an order by now");
        let item = self.cells[cell].take().expect("it was found there").item;
        let (cell, at) = (CellId(cell as u32), BeltMm(self.belts[0]));
        self.tell(Signal::Discharged {
            chute: went,
            cell,
            item,
            at,
        });
    }

    fn tell(&mut self, signal: Signal) {
        let began = Instant::now();
        self.sorter.handle(self.now, &signal, &mut self.outbox);
        // Beyond the histogram's range is as good as its end.
        self.decision_ns
            .saturating_record(began.elapsed().as_nanos() as u64);
        for output in self.outbox.outputs() {
            match *output {
                Output::Divert(order) => {
                    order_to(&mut self.cells, order.cell, order.item, Some(order))
                }
                Output::Withdraw { cell, item, .. } => order_to(&mut self.cells, cell, item, None),
                Output::Alarm(alarm) => self.alarms.push(alarm),
                _ => {}
            }
        }
        self.outbox.clear();
    }

    /// A number below `below`, by xorshift (Marsaglia 2003).
    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }
}

fn order_to(cells: &mut [Option<Riding>], cell: CellId, item: PlcItem, order: Option<Order>) {
    let riding = cells[cell.index()].as_mut();
    if let Some(riding) = riding.filter(|riding| riding.item == item) {
        riding.order = order;
    }
}
