//! What the sorter costs: a call, a call of each kind, the decision from scan to order beside the
//! least that choosing a chute can be, and from a code's text to the order with ten million
//! waybills in memory, in cache misses over that memory.
//!
//! `cargo bench --bench sorter` prints medians over rounds with the lowest and the highest. The
//! calls are those of simulated hours of LSRM-1, kept and given to a fresh sorter; nothing of the
//! simulator is timed. Without `--bench` one short round runs.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sorthub::config::HubFile;
use sorthub_core::directory::{Builder, Directory, Expected, Row, Waybill};
use sorthub_core::facts::{Address, Advice, DestKey, Facts, Measures};
use sorthub_core::hub::{Hub, Sensing};
use sorthub_core::ids::{CellId, ChuteId, CodeId, DestId, InductionId, PlcItem, ScannerId};
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::{AddressKind, AddressRule, DestinationSpec, Plan, RoomPolicy};
use sorthub_core::signal::{ChuteState, Output, ScanKey, Signal};
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::{BeltMm, Grams, Micros, Mm};
use sorthub_sim::run::{Job, World};

#[path = "reference/waybills.rs"]
#[expect(dead_code, reason = "here no file of them is needed")]
mod waybills;

use waybills::Sample;

const ROUNDS: usize = 15;
const SETUP: Setup = Setup::new(1);

type Calls = Vec<(Micros, Signal)>;

fn hub_file() -> HubFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/lsrm-1.toml");
    HubFile::read(&path).expect("a hub of this project has no faults")
}

fn print(what: &str, unit: &str, mut costs_ns: Vec<f64>) {
    costs_ns.sort_by(f64::total_cmp);
    let (low, high) = (costs_ns[0], costs_ns[costs_ns.len() - 1]);
    let middle = costs_ns[costs_ns.len() / 2];
    println!("{what:<58} {middle:>7.1} ns {unit} ({low:.1} to {high:.1})");
}

/// Everything that the sorter was told in a run, and what it said at the end of it.
fn calls(file: &HubFile, horizon: Micros) -> (Calls, u64) {
    let plant = Arc::new(file.plant.clone());
    let job = Job::new(Arc::clone(&file.hub), Arc::clone(&file.plan), plant).until(horizon);
    let mut calls = Vec::new();
    let mut keep = |now, signal: &Signal, _: &[Output]| calls.push((now, *signal));
    let mut world = World::new(&job, 1).expect("the model has no faults");
    world
        .run(None, &mut keep)
        .expect("it does not go in circles");
    let said = world.sorter().output_hash();
    (calls, said)
}

/// A call as a driver makes it, all kinds mixed as they come.
fn whole(file: &HubFile, calls: &Calls, said: u64, rounds: usize) {
    let mut costs_ns = Vec::new();
    let mut parcels = 0;
    for _ in 0..rounds {
        let mut sorter = Sorter::new(Arc::clone(&file.hub), Arc::clone(&file.plan), SETUP);
        let mut outbox = Outbox::new();
        let begun = Instant::now();
        for (now, signal) in calls {
            sorter.handle(*now, signal, &mut outbox);
            black_box(outbox.outputs());
            outbox.clear();
        }
        costs_ns.push(begun.elapsed().as_nanos() as f64);
        assert_eq!(sorter.output_hash(), said, "the same calls, another sorter");
        parcels = sorter.books().inducted;
    }
    let per = |n: f64| costs_ns.iter().map(|cost| cost / n).collect();
    println!("{} calls for {parcels} parcels of LSRM-1 S1", calls.len());
    print(
        "a call, all kinds as they come",
        "a call",
        per(calls.len() as f64),
    );
    print("all calls of a parcel", "a parcel", per(parcels as f64));
}

fn kind(signal: &Signal) -> &'static str {
    match signal {
        Signal::Tick => "Tick",
        Signal::Belt { .. } => "Belt",
        Signal::Inducted { .. } => "Inducted",
        Signal::AtScanner { .. } => "AtScanner",
        Signal::Scanned { .. } => "Scanned",
        Signal::Discharged { .. } => "Discharged",
        Signal::NotDischarged { .. } => "NotDischarged",
        Signal::LapPassed { .. } => "LapPassed",
        _ => "others",
    }
}

/// The calls one by one, less what looking at the clock takes.
fn by_kind(file: &HubFile, calls: &Calls, rounds: usize) {
    let mut costs_ns = BTreeMap::<_, Vec<f64>>::new();
    let mut counts = BTreeMap::<_, usize>::new();
    for round in 0..rounds {
        let mut sorter = Sorter::new(Arc::clone(&file.hub), Arc::clone(&file.plan), SETUP);
        let mut outbox = Outbox::new();
        let mut single_ns = BTreeMap::<_, Vec<u64>>::new();
        for (now, signal) in calls {
            let begun = Instant::now();
            let looked = Instant::now();
            sorter.handle(*now, signal, &mut outbox);
            let took = looked.elapsed().saturating_sub(looked - begun);
            outbox.clear();
            let of_kind = single_ns.entry(kind(signal)).or_default();
            of_kind.push(took.as_nanos() as u64);
        }
        // The median of single calls, because a few are interrupted for milliseconds.
        for (kind, mut took) in single_ns {
            let middle = took.len() / 2;
            let median = *took.select_nth_unstable(middle).1;
            costs_ns.entry(kind).or_default().push(median as f64);
            if round == 0 {
                counts.insert(kind, took.len());
            }
        }
    }
    for (kind, costs_ns) in costs_ns {
        print(
            &format!("  {kind}, {} calls", counts[kind]),
            "a call",
            costs_ns,
        );
    }
}

/// Parcels that are read in one go. Each scanner has as many in front of it as it has carriers to
/// the next device, and all wait for their telegram.
const BURST: u32 = 64;
const SCANNERS: u32 = 4;
const BURSTS: u32 = 400;
/// Where a carrier was at the loop's origin; the belt stands, and nothing hangs on time.
const AT: BeltMm = BeltMm(1_000_000);
const NOW: Micros = Micros::from_secs(1);

/// A hub whose chutes are `closed` or open, and a plan with so many destinations of so many chutes.
struct Choice {
    what: &'static str,
    room: RoomPolicy,
    destinations: u32,
    chutes_each: u32,
    closed: u32,
    /// Parcels are known by segment codes, for which the plan has so many rules.
    addresses: u32,
}

const CHOICES: [Choice; 6] = [
    Choice {
        what: "one chute, attempt",
        room: RoomPolicy::Attempt,
        destinations: 100,
        chutes_each: 1,
        closed: 0,
        addresses: 0,
    },
    Choice {
        what: "three chutes, attempt",
        room: RoomPolicy::Attempt,
        destinations: 100,
        chutes_each: 3,
        closed: 0,
        addresses: 0,
    },
    Choice {
        what: "three chutes, reserve",
        room: RoomPolicy::Reserve,
        destinations: 100,
        chutes_each: 3,
        closed: 0,
        addresses: 0,
    },
    Choice {
        what: "eight chutes, five closed, attempt",
        room: RoomPolicy::Attempt,
        destinations: 92,
        chutes_each: 8,
        closed: 5,
        addresses: 0,
    },
    Choice {
        what: "three chutes, attempt, 100,000 segment rules",
        room: RoomPolicy::Attempt,
        destinations: 400,
        chutes_each: 3,
        closed: 0,
        addresses: 100_000,
    },
    Choice {
        what: "three chutes, attempt, plan of 100,000",
        room: RoomPolicy::Attempt,
        destinations: 100_000,
        chutes_each: 3,
        closed: 0,
        addresses: 0,
    },
];

impl Choice {
    /// Chute `nth` of a destination. Closed chutes are the first of the hub.
    fn chute(&self, dest: u32, nth: u32) -> ChuteId {
        let open = 100 - self.closed;
        let nth = match nth.checked_sub(self.closed) {
            None => nth,
            Some(nth) => self.closed + (dest + nth) % open,
        };
        ChuteId(nth as u16)
    }

    /// What is known of a parcel.
    fn facts(&self, number: u32) -> Facts {
        // A step that visits all of them in no order that a cache could foresee.
        let step = number.wrapping_mul(2_654_435_761) >> 7;
        let code = CodeId(u64::from(number) + 1);
        if self.addresses == 0 {
            let dest = step % self.destinations;
            return Facts::advised(code, DestKey::of(&format!("D{dest}")));
        }
        let mut facts = Facts::advised(code, DestKey::NONE);
        facts.advice.known = true;
        // Longer than the rule for it, as segment codes are.
        let below = u64::from(step % 37);
        facts.advice.segment = Address(segment(step % self.addresses).0 + below);
        facts
    }

    fn sorter(&self, file: &HubFile) -> Sorter {
        let mut hub = file.hub.spec().clone();
        for chute in &mut hub.chutes {
            chute.sensing = Sensing::Counted;
        }
        let hub = Hub::new(hub).expect("a hub of this project has no faults");
        let mut plan = file.plan.spec().clone();
        plan.room = self.room;
        plan.destinations = Vec::from_iter((0..self.destinations).map(|dest| DestinationSpec {
            name: format!("D{dest}"),
            chutes: Vec::from_iter((0..self.chutes_each).map(|nth| self.chute(dest, nth))),
            ..DestinationSpec::default()
        }));
        plan.addresses = Vec::from_iter((0..self.addresses).map(|nth| AddressRule {
            kind: AddressKind::Segment,
            prefix: segment(nth),
            to: DestId(nth % self.destinations),
        }));
        let plan = Plan::new(plan, &hub).expect("its chutes are the hub's");
        let mut sorter = Sorter::new(Arc::new(hub), Arc::new(plan), SETUP);
        let mut outbox = Outbox::new();
        for chute in 0..100 {
            let state = ChuteState {
                locked: chute < self.closed,
                ..ChuteState::OPEN
            };
            let (chute, taken) = (ChuteId(chute as u16), 0);
            let signal = Signal::Chute {
                chute,
                state,
                taken,
            };
            sorter.handle(NOW, &signal, &mut outbox);
        }
        sorter
    }
}

/// Puts parcels on, lets their scanners see them, times the telegrams, and takes the parcels off.
struct Decider<'a> {
    choice: &'a Choice,
    /// Where facts are looked up by text; without it they are made beforehand.
    known: Option<&'a Known>,
    sorter: Sorter,
    outbox: Outbox,
    taken: [u16; 101],
    next: u32,
}

impl Decider<'_> {
    fn tell(&mut self, signal: &Signal) {
        self.outbox.clear();
        self.sorter.handle(NOW, signal, &mut self.outbox);
    }

    fn burst(&mut self) -> u64 {
        let first = self.next;
        self.next += BURST;
        for nth in 0..BURST {
            let (cell, item) = (CellId(nth), PlcItem(first + nth + 1));
            let scanner = ScannerId((nth % SCANNERS) as u16);
            let trigger = nth as u16;
            let (induction, at, length) = (InductionId(0), AT, Mm(400));
            let returned = false;
            self.tell(&Signal::Inducted {
                induction,
                cell,
                item,
                at,
                length,
                spans: 1,
                returned,
            });
            self.tell(&Signal::AtScanner {
                scanner,
                cell,
                item,
                trigger,
                at,
            });
        }
        self.outbox.clear();
        let took_ns = match self.known {
            None => self.decide(first),
            Some(known) => self.look_up_and_decide(first, known),
        };
        self.take_off();
        took_ns
    }

    fn decide(&mut self, first: u32) -> u64 {
        let telegrams: [Signal; BURST as usize] =
            std::array::from_fn(|nth| telegram(nth as u32, self.choice.facts(first + nth as u32)));
        let begun = Instant::now();
        for telegram in &telegrams {
            self.sorter.handle(NOW, telegram, &mut self.outbox);
        }
        begun.elapsed().as_nanos() as u64
    }

    fn look_up_and_decide(&mut self, first: u32, known: &Known) -> u64 {
        let texts: [String; BURST as usize] = std::array::from_fn(|nth| known.ask(first, nth));
        let begun = Instant::now();
        for (nth, text) in texts.iter().enumerate() {
            let read = known.directory.read(None, [text.as_str()]);
            let telegram = telegram(nth as u32, read.facts);
            self.sorter.handle(NOW, &telegram, &mut self.outbox);
        }
        begun.elapsed().as_nanos() as u64
    }

    fn take_off(&mut self) {
        let orders = self.outbox.outputs().iter().filter_map(|said| match said {
            Output::Divert(order) => Some((order.cell, order.item, order.chutes[0])),
            _ => None,
        });
        let orders = Vec::from_iter(orders);
        assert_eq!(orders.len(), BURST as usize, "a telegram without an order");
        for (cell, item, chute) in orders {
            let chute = chute.expect("an order names a chute");
            self.tell(&Signal::Discharged {
                chute,
                cell,
                item,
                at: AT,
            });
            let taken = &mut self.taken[chute.index()];
            *taken = taken.wrapping_add(1);
            let (taken, state) = (*taken, ChuteState::OPEN);
            self.tell(&Signal::Chute {
                chute,
                state,
                taken,
            });
        }
    }
}

fn telegram(nth: u32, facts: Facts) -> Signal {
    Signal::Scanned {
        scanner: ScannerId((nth % SCANNERS) as u16),
        key: ScanKey::Carrier(CellId(nth)),
        facts,
    }
}

/// Waybills in memory, each for one of a choice's destinations.
struct Known {
    directory: Directory,
    sample: Sample,
}

impl Known {
    fn new(rows: u64, destinations: u64) -> Self {
        let sample = Sample::new(rows);
        let expected = Expected {
            narrow: rows as usize,
            wide: 0,
        };
        let mut builder = Builder::new(expected);
        for row in 0..rows {
            let text = sample.waybill(row);
            let dest = DestKey::of(&format!("D{}", row % destinations));
            let declared = Measures {
                weight: Grams(1_000),
                ..Measures::default()
            };
            let advice = Advice {
                known: true,
                dest,
                declared,
                ..Advice::default()
            };
            let waybill = Waybill::of(&text).expect("the sample has waybills only");
            let added = builder.add(&[Row::new(waybill, &advice)]);
            added.expect("there is room for as many");
        }
        let built = builder.finish().expect("there is room for as many");
        let mut directory = Directory::new();
        directory.set_waybills(Arc::new(built.waybills));
        Self { directory, sample }
    }

    fn ask(&self, first: u32, nth: usize) -> String {
        let row = self.sample.row_to_ask(u64::from(first) + nth as u64);
        self.sample.waybill(row)
    }
}

/// From a code's text to the order, with so many waybills in memory. Their destinations are those
/// of the third choice.
fn whole_decisions(file: &HubFile, rows: u64, rounds: usize) {
    let choice = &CHOICES[2];
    let known = Known::new(rows, u64::from(choice.destinations));
    let bytes = known.directory.waybills().bytes();
    println!("{rows} waybills in {:.0} MB:", bytes as f64 / 1e6);
    let miss_ns = cache_miss(bytes, rounds);
    let bursts_ns = Vec::from_iter((0..rounds).map(|round| {
        let mut decider = Decider {
            choice,
            known: Some(&known),
            sorter: choice.sorter(file),
            outbox: Outbox::new(),
            taken: [0; 101],
            // Other waybills in each round: none is in a cache from the round before.
            next: round as u32 * BURST * BURSTS,
        };
        let mut bursts = Vec::from_iter((0..BURSTS).map(|_| decider.burst()));
        let middle = bursts.len() / 2;
        *bursts.select_nth_unstable(middle).1 as f64 / f64::from(BURST)
    }));
    let ratios = Vec::from_iter(bursts_ns.iter().map(|ns| ns / miss_ns));
    print("code to order, looked up among them", "each", bursts_ns);
    let low = ratios.iter().copied().fold(f64::MAX, f64::min);
    let high = ratios.iter().copied().fold(0.0, f64::max);
    println!("  {low:.2} to {high:.2} cache misses (at most 5, aim 2.5)");
}

fn decisions(file: &HubFile, rounds: usize, miss_ns: f64) {
    for choice in &CHOICES {
        let (mut ours_ns, mut floor_ns) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let mut decider = Decider {
                choice,
                known: None,
                sorter: choice.sorter(file),
                outbox: Outbox::new(),
                taken: [0; 101],
                next: 0,
            };
            let mut bursts = Vec::from_iter((0..BURSTS).map(|_| decider.burst()));
            let middle = bursts.len() / 2;
            let median = *bursts.select_nth_unstable(middle).1;
            ours_ns.push(median as f64 / f64::from(BURST));
            floor_ns.push(first_fit(choice));
        }
        let mut sorted = ours_ns.clone();
        sorted.sort_by(f64::total_cmp);
        let ratio = sorted[sorted.len() / 2] / miss_ns;
        print(&format!("scan to order, {}", choice.what), "each", ours_ns);
        println!("  {ratio:.2} cache misses");
        print("  choosing alone, array, first fit", "each", floor_ns);
    }
}

/// The segment code of a rule.
fn segment(nth: u32) -> Address {
    Address::of(&format!("{nth:05}-"))
}

/// What a look into memory that no cache holds takes: a chain of looks, each of which says where
/// the next one is, over as much as ten million waybills need.
fn cache_miss(bytes: usize, rounds: usize) -> f64 {
    let places = (bytes / size_of::<u32>()).next_power_of_two();
    let mask = places as u32 - 1;
    // A full cycle of a linear congruence: no two looks near each other, none twice.
    let next = |at: u32| at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) & mask;
    let chain = Vec::from_iter((0..places as u32).map(next));
    const LOOKS: u32 = 200_000;
    let mut costs_ns = Vec::new();
    let mut at = 0;
    for _ in 0..rounds {
        let begun = Instant::now();
        for _ in 0..LOOKS {
            at = chain[at as usize];
        }
        costs_ns.push(begun.elapsed().as_nanos() as f64 / f64::from(LOOKS));
        black_box(at);
    }
    costs_ns.sort_by(f64::total_cmp);
    let middle = costs_ns[costs_ns.len() / 2];
    print("a cache miss over so much memory", "each", costs_ns);
    middle
}

/// The floor: a table of chutes by destination and an array of room, and nothing around it.
fn first_fit(choice: &Choice) -> f64 {
    let each = choice.chutes_each as usize;
    let all = (0..choice.destinations)
        .flat_map(|dest| (0..choice.chutes_each).map(move |nth| (dest, nth)));
    let table = Vec::from_iter(all.map(|(dest, nth)| choice.chute(dest, nth).0));
    let mut room = [u32::MAX; 100];
    room[..choice.closed as usize].fill(0);
    let count = BURST * BURSTS;
    let begun = Instant::now();
    for number in 0..count {
        let dest = (number.wrapping_mul(2_654_435_761) >> 7) % choice.destinations;
        let list = &table[dest as usize * each..][..each];
        let chosen = list.iter().find(|chute| room[usize::from(**chute)] > 0);
        if let Some(&chute) = black_box(chosen) {
            room[usize::from(chute)] -= 1;
        }
    }
    begun.elapsed().as_nanos() as f64 / f64::from(count)
}

fn main() {
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let (rounds, horizon) = match is_bench {
        true => (ROUNDS, Micros::from_secs(2 * 3_600)),
        false => (1, Micros::from_secs(600)),
    };
    let file = hub_file();
    let (calls, said) = calls(&file, horizon);
    whole(&file, &calls, said, rounds);
    by_kind(&file, &calls, rounds);
    // Ten million waybills at 50 bytes each; a moment's worth of it in a short round.
    let memory = if is_bench { 500_000_000 } else { 1_000_000 };
    let miss_ns = cache_miss(memory, rounds);
    decisions(&file, rounds, miss_ns);
    let rows = if is_bench { 10_000_000 } else { 20_000 };
    whole_decisions(&file, rows, rounds);
}
