//! What choosing a chute costs, for each way of spreading and for one, two and eight chutes, beside
//! a loop by hand over the same lists and states.
//!
//! What is timed is the difference of two `handle` calls, so that nothing need be made public for
//! it. A chute tells that it was full for a parcel; the parcel goes round, and the next answer of
//! its plan is chosen anew, which is the same chute, so that nothing is said. The other call tells
//! the same of a parcel that is to be rejected, for which nothing is chosen: there is nowhere else
//! to go. The difference is therefore all of a choice: letting go of the room that was held before,
//! asking the chutes of the list whether they take the parcel and (`shares`, `level`) how each of
//! them stands, holding room at the chosen one, and finding that the order says so already.
//!
//! The floor finds the first open chute with room in an array, for the same parcels; 4 ns where it
//! was measured first. Aim 20 ns, at most 100. `cargo bench --bench choose` prints medians over
//! rounds with the lowest and the highest; without `--bench` one short round runs.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use sorthub_core::facts::{DestKey, Facts};
use sorthub_core::hub::*;
use sorthub_core::ids::{CellId, ChuteId, CodeId, InductionId, PlcItem, ScannerId, TrackId};
use sorthub_core::limits::LAPS_MAX;
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::{DestinationSpec, Plan, PlanSpec, RoomPolicy, Spread};
use sorthub_core::signal::{ChuteState, LinkState, Refusal, ScanKey, Signal};
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::{BeltMm, Micros, Mm, MmPerS};

/// Parcels, carriers and chutes; one parcel for each chute, so that none has reason to move.
const PARCELS: u32 = 64;
const REJECT: ChuteId = ChuteId(PARCELS as u16);
/// The belt stands, and nothing hangs on time.
const AT: BeltMm = BeltMm(1_000_000);
const NOW: Micros = Micros::from_secs(1);
/// Times that a parcel can fail before it has no lap left, less one to spare.
const FAILURES: u32 = LAPS_MAX as u32 - 1;
const CAPACITY: u32 = 100;

#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Nothing is chosen: the parcels are rejected.
    None,
    Preferred,
    Shares,
    Level,
}

/// Destinations of so many chutes each, of which the first are shut.
#[derive(Clone, Copy)]
struct Lists {
    each: u32,
    shut: u32,
}

const LISTS: [Lists; 5] = [
    Lists { each: 1, shut: 0 },
    Lists { each: 2, shut: 0 },
    Lists { each: 8, shut: 0 },
    Lists { each: 2, shut: 1 },
    Lists { each: 8, shut: 7 },
];

impl Lists {
    fn is_shut(self, chute: u32) -> bool {
        chute % self.each < self.shut
    }

    fn hub() -> Hub {
        let chute = |at: u32| ChuteSpec {
            name: format!("C{at}"),
            outlets: vec![Outlet {
                track: TrackId(0),
                at: Mm(5_000 + at * 500),
                lead: Mm(300),
            }],
            capacity: Capacity::Parcels(CAPACITY),
            sensing: Sensing::Counted,
            rules: ChuteRules::AS_TOLD,
        };
        let spec = HubSpec {
            name: "bench".into(),
            tracks: vec![TrackSpec {
                name: "loop".into(),
                kind: TrackKind::Loop {
                    carriers: PARCELS,
                    pitch: Mm(600),
                },
                speed: MmPerS(2_500),
                tolerance: Mm(300),
                caps: Caps::NONE,
            }],
            inductions: vec![InductionSpec {
                name: "in".into(),
                track: TrackId(0),
                at: Mm(1_000),
                quota_permille: 1_000,
            }],
            scanners: vec![ScannerSpec {
                name: "scan".into(),
                track: TrackId(0),
                at: Mm(2_000),
                meets_by: MeetsBy::Carrier,
                wait: Mm(1_000),
            }],
            chutes: Vec::from_iter((0..=PARCELS).map(chute)),
            ..HubSpec::default()
        };
        Hub::new(spec).expect("the hub of this bench has no faults")
    }

    fn plan(self, way: Way, hub: &Hub) -> Plan {
        let chutes = |dest: u32| (dest * self.each..(dest + 1) * self.each).map(|at| at as u16);
        let spread = match way {
            Way::None | Way::Preferred => Spread::Preferred,
            Way::Shares => Spread::Shares(vec![1; self.each as usize]),
            Way::Level => Spread::Level,
        };
        let spec = PlanSpec {
            destinations: Vec::from_iter((0..PARCELS / self.each).map(|dest| DestinationSpec {
                name: format!("D{dest}"),
                chutes: Vec::from_iter(chutes(dest).map(ChuteId)),
                spread: spread.clone(),
                ..DestinationSpec::default()
            })),
            reject: vec![REJECT],
            room: RoomPolicy::Reserve,
            laps_max: LAPS_MAX,
            ..PlanSpec::default()
        };
        Plan::new(spec, hub).expect("its chutes are the hub's")
    }
}

/// A sorter with its parcels, which fail again and again.
struct Choosing {
    lists: Lists,
    way: Way,
    sorter: Sorter,
    outbox: Outbox,
    told: Vec<Signal>,
    next: u32,
    failed: u32,
}

impl Choosing {
    fn new(lists: Lists, way: Way, hub: &Arc<Hub>) -> Self {
        let plan = Arc::new(lists.plan(way, hub));
        let mut choosing = Self {
            lists,
            way,
            sorter: Sorter::new(Arc::clone(hub), plan, Setup::new(1)),
            outbox: Outbox::new(),
            told: Vec::new(),
            next: 0,
            failed: 0,
        };
        let (track, to) = (TrackId(0), LinkState::Up);
        choosing.tell(&Signal::Link { track, to });
        for chute in (0..PARCELS).filter(|chute| lists.is_shut(*chute)) {
            let state = ChuteState {
                locked: true,
                ..ChuteState::OPEN
            };
            let (chute, taken) = (ChuteId(chute as u16), 0);
            choosing.tell(&Signal::Chute {
                chute,
                state,
                taken,
            });
        }
        choosing.put_on();
        choosing
    }

    fn tell(&mut self, signal: &Signal) {
        self.outbox.clear();
        self.sorter.handle(NOW, signal, &mut self.outbox);
    }

    /// Takes off what is there and puts on as many new parcels, which have all their laps before
    /// them.
    fn put_on(&mut self) {
        for nth in 0..PARCELS.min(self.next) {
            let (cell, item) = (CellId(nth), PlcItem(self.next - PARCELS + nth + 1));
            self.tell(&Signal::RemovedByHand { cell, item });
        }
        self.told.clear();
        self.failed = 0;
        for nth in 0..PARCELS {
            self.put_on_one(nth);
        }
        self.next += PARCELS;
    }

    fn put_on_one(&mut self, nth: u32) {
        let number = self.next + nth;
        let (cell, item, at) = (CellId(nth), PlcItem(number + 1), AT);
        let (scanner, code) = (ScannerId(0), CodeId(u64::from(number) + 1));
        self.tell(&Signal::Inducted {
            induction: InductionId(0),
            cell,
            item,
            at,
            length: Mm(400),
            spans: 1,
            returned: false,
        });
        self.tell(&Signal::AtScanner {
            scanner,
            cell,
            item,
            trigger: nth as u16,
            at,
        });
        let dest = match self.way {
            Way::None => DestKey::NONE,
            _ => DestKey::of(&format!("D{}", nth % (PARCELS / self.lists.each))),
        };
        self.tell(&Signal::Scanned {
            scanner,
            key: ScanKey::Carrier(cell),
            facts: Facts::advised(code, dest),
        });
        let ordered = self.sorter.items().find(|found| found.cell == cell);
        let chute = ordered.and_then(|found| found.chute);
        let chute = chute.expect("it is ordered to a chute");
        assert_eq!(chute == REJECT, self.way == Way::None);
        self.told.push(Signal::NotDischarged {
            chute,
            cell,
            item,
            at,
            cause: Refusal::Full,
        });
    }

    /// Nanoseconds of a call, over one for each parcel.
    fn fail(&mut self) -> f64 {
        if self.failed == FAILURES {
            self.put_on();
        }
        self.failed += 1;
        self.outbox.clear();
        let begun = Instant::now();
        for signal in &self.told {
            self.sorter.handle(NOW, signal, &mut self.outbox);
        }
        let took_ns = begun.elapsed().as_nanos() as f64;
        let said = self.outbox.outputs();
        assert!(said.is_empty(), "another chute was chosen: {said:?}");
        took_ns / f64::from(PARCELS)
    }

    /// Whether every failure led to a choice: only what is chosen for adds a lap.
    fn assert_chosen(&self) {
        let laps = if self.way == Way::None {
            0
        } else {
            self.failed
        };
        for found in self.sorter.items() {
            assert_eq!(u32::from(found.laps), laps);
        }
    }
}

/// What a chute is, for the loop by hand.
#[derive(Clone, Copy)]
struct State {
    is_open: bool,
    used: u32,
    held: u32,
}

/// The floor: lists of chutes, an array of their states, and nothing around it.
struct ByHand {
    lists: Vec<u16>,
    each: usize,
    parcels: Vec<u32>,
    states: Vec<State>,
}

impl ByHand {
    fn new(lists: Lists) -> Self {
        let state = |chute: u32| State {
            is_open: !lists.is_shut(chute),
            used: 0,
            held: 0,
        };
        Self {
            lists: Vec::from_iter((0..PARCELS).map(|chute| chute as u16)),
            each: lists.each as usize,
            parcels: Vec::from_iter((0..PARCELS).map(|nth| nth % (PARCELS / lists.each))),
            states: Vec::from_iter((0..PARCELS).map(state)),
        }
    }

    fn fail(&mut self) -> f64 {
        let begun = Instant::now();
        for &dest in &self.parcels {
            let list = &self.lists[dest as usize * self.each..][..self.each];
            let mut takes = list.iter().filter(|chute| {
                let state = &self.states[usize::from(**chute)];
                state.is_open && state.used + state.held < CAPACITY
            });
            if let Some(&chute) = black_box(takes.next()) {
                // Held, and let go of by the next.
                self.states[usize::from(chute)].held ^= 1;
            }
        }
        begun.elapsed().as_nanos() as f64 / f64::from(PARCELS)
    }
}

fn median(mut costs: Vec<f64>) -> (f64, f64, f64) {
    costs.sort_by(f64::total_cmp);
    (costs[costs.len() / 2], costs[0], costs[costs.len() - 1])
}

/// What one kind of list costs: the floor, and each way beside a call without a choice.
fn choose(lists: Lists, hub: &Arc<Hub>, rounds: usize, bursts: u32) {
    const WAYS: [(&str, Way); 4] = [
        ("nothing", Way::None),
        ("preferred", Way::Preferred),
        ("shares", Way::Shares),
        ("level", Way::Level),
    ];
    let mut by_hand = ByHand::new(lists);
    let mut choosing = WAYS.map(|(_, way)| Choosing::new(lists, way, hub));
    let mut floors_ns = Vec::new();
    let mut costs_ns: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        let mut floor_ns = Vec::new();
        let mut round_ns: [Vec<f64>; 4] = Default::default();
        // In turn, burst by burst: what the machine does besides falls on all of them alike.
        for _ in 0..bursts {
            floor_ns.push(by_hand.fail());
            for (choosing, costs) in choosing.iter_mut().zip(&mut round_ns) {
                costs.push(choosing.fail());
            }
        }
        floors_ns.push(median(floor_ns).0);
        for (costs, round) in costs_ns.iter_mut().zip(round_ns) {
            costs.push(median(round).0);
        }
    }
    choosing.iter().for_each(Choosing::assert_chosen);
    let (floor, low, high) = median(floors_ns.clone());
    println!(
        "{} to a destination, {} of them shut: by hand {floor:.1} ns ({low:.1} to {high:.1}), \
         a call without a choice {:.1} ns",
        lists.each,
        lists.shut,
        median(costs_ns[0].clone()).0
    );
    for ((name, _), costs) in WAYS.iter().zip(&costs_ns).skip(1) {
        let choice = Vec::from_iter(
            costs
                .iter()
                .zip(&costs_ns[0])
                .map(|(with, none)| with - none),
        );
        let ratios = choice
            .iter()
            .zip(&floors_ns)
            .map(|(ours, floor)| ours / floor);
        let (ratio, least, most) = median(ratios.collect());
        let (ns, low, high) = median(choice);
        println!(
            "  {name:<12} {ns:>6.1} ns a choice ({low:.1} to {high:.1})   ratio {ratio:.1} \
             ({least:.1} to {most:.1})"
        );
    }
}

fn main() {
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let (rounds, bursts) = if is_bench {
        (15, 2_000)
    } else {
        (1, FAILURES + 1)
    };
    let hub = Arc::new(Lists::hub());
    for lists in LISTS {
        choose(lists, &hub, rounds, bursts);
    }
}
