//! What a plan switch costs while 50,000 parcels ride: the calls that carry it beside the calls of
//! the same work without one.
//!
//! `cargo bench --bench switching` fills eight loops, then switches between two plans of 100,000
//! rules to and fro; half of the destinations have other chutes in the other plan. Work goes on
//! all the time: belts, parcels that get on, telegrams, discharges, as many as 1.2 million parcels
//! an hour make (on eight belts that is ten times as fast as real ones). The engine's timer is
//! good to a millisecond, so that what is left of a switch comes by at most a tick in each, beside
//! the share that every signal carries. Printed are medians over rounds with the lowest and the
//! highest; both kinds of calls are of the same rounds. Without `--bench` a small hub is switched
//! once each way, and counts are asserted.
#![expect(
    unsafe_code,
    reason = "a counting allocator cannot be written without it"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sorthub::config::PlanFile;
use sorthub_core::facts::{Address, DestKey, Facts, ServiceKey};
use sorthub_core::hub::*;
use sorthub_core::ids::{
    CellId, ChuteId, CodeId, InductionId, ParcelId, PlcItem, ScannerId, TrackId,
};
use sorthub_core::limits::SWEEP_PER_CALL_MAX;
use sorthub_core::operator::{Command, Ticket};
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::Plan;
use sorthub_core::signal::{ChuteState, LinkState, Output, ScanKey, Signal};
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::{BeltMm, Micros, Mm, MmPerS};

thread_local! {
    static ALLOCATOR_CALLS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local
// cell that needs no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATOR_CALLS.with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATOR_CALLS.with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TRACKS: u32 = 8;
const PITCH_MM: u32 = 600;
/// The PLC must know an order so many carriers before its chute.
const LEAD_PITCHES: u32 = 3;
/// Where parcels get on and are read, in carriers from the origin.
const INDUCTION_AT: u32 = 2;
const SCANNER_AT: u32 = 5;
/// From one signal to the next: 1.2 million parcels an hour, six signals each.
const SIGNAL_US: u64 = 500;
/// A belt moves by a carrier while each of the eight tells its six signals.
const STEP_US: u64 = SIGNAL_US * 6 * TRACKS as u64;
const SPEED: MmPerS = MmPerS((PITCH_MM as u64 * 1_000_000 / STEP_US) as u32);
/// How finely the engine's timer sleeps.
const TICK_US: u64 = 1_000;

struct Sizes {
    rounds: usize,
    /// To the other plan and back.
    pairs: usize,
    carriers: u32,
    chutes: u32,
    destinations: u32,
    addresses: u32,
    rules: u32,
}

const BENCH: Sizes = Sizes {
    rounds: 9,
    pairs: 6,
    carriers: 6_500,
    chutes: 400,
    destinations: 40_000,
    addresses: 59_900,
    rules: 100,
};

const SMOKE: Sizes = Sizes {
    rounds: 1,
    pairs: 1,
    carriers: 160,
    chutes: 40,
    destinations: 400,
    addresses: 500,
    rules: 10,
};

impl Sizes {
    /// Where a chute stands on every loop, in carriers: the last of a lap, so that parcels ride
    /// for nearly all of it.
    fn chute_at(&self, chute: u32) -> u32 {
        self.carriers - self.chutes - 10 + chute
    }

    fn reject(&self) -> u32 {
        self.chutes - 1
    }

    /// Chutes in one half of the plan; the first half is the one that changes.
    fn half(&self) -> u32 {
        self.chutes / 2 - 1
    }

    /// Chute `nth` in the half of a destination, when its chutes are moved on by `moved`.
    fn chute_of(&self, destination: u32, nth: u32, moved: u32) -> u32 {
        let half = self.half();
        match destination % 2 {
            0 => (destination / 2 + nth + moved) % half,
            _ => half + (destination / 2 + nth) % half,
        }
    }

    fn hub(&self) -> Hub {
        let on_all = |at: u32, lead: u32| {
            let outlet = |track: u32| Outlet {
                track: TrackId(track as u16),
                at: Mm(at * PITCH_MM),
                lead: Mm(lead * PITCH_MM),
            };
            Vec::from_iter((0..TRACKS).map(outlet))
        };
        let tracks = 0..TRACKS;
        let spec = HubSpec {
            name: "bench".into(),
            tracks: Vec::from_iter(tracks.clone().map(|track| TrackSpec {
                name: format!("loop {track}"),
                kind: TrackKind::Loop {
                    carriers: self.carriers,
                    pitch: Mm(PITCH_MM),
                },
                speed: SPEED,
                tolerance: Mm(PITCH_MM / 2),
                caps: Caps::NONE,
            })),
            inductions: Vec::from_iter(tracks.clone().map(|track| InductionSpec {
                name: format!("in {track}"),
                track: TrackId(track as u16),
                at: Mm(INDUCTION_AT * PITCH_MM),
                quota_permille: 1_000,
            })),
            scanners: Vec::from_iter(tracks.map(|track| ScannerSpec {
                name: format!("scan {track}"),
                track: TrackId(track as u16),
                at: Mm(SCANNER_AT * PITCH_MM),
                meets_by: MeetsBy::Trigger,
                wait: Mm(4 * PITCH_MM),
            })),
            chutes: Vec::from_iter((0..self.chutes).map(|chute| ChuteSpec {
                name: format!("C{chute:03}"),
                outlets: on_all(self.chute_at(chute), LEAD_PITCHES),
                capacity: Capacity::Parcels(1_000),
                sensing: Sensing::Eyes,
                rules: ChuteRules::AS_TOLD,
            })),
            ..HubSpec::default()
        };
        Hub::new(spec).expect("the hub of this bench has no faults")
    }

    /// Writes a plan's files; gives the plan's path. Every fourth destination has shares if
    /// `by_shares`.
    fn write_plan(&self, version: u32, moved: u32, by_shares: bool) -> PathBuf {
        let folder = format!("bench-switching-{version}");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        fs::create_dir_all(&folder).expect("the target folder takes another");
        let mut destinations = "name,chutes,shares,alternates,overflow\n".to_owned();
        for at in 0..self.destinations {
            let [own, next, third, fourth] =
                [0, 7, 11, 13].map(|nth| self.chute_of(at, nth, moved));
            let shares = if by_shares && at / 2 % 2 == 0 {
                "2|1"
            } else {
                ""
            };
            let row = format!("C{own:03}|C{next:03},{shares},C{third:03},C{fourth:03}");
            writeln!(destinations, "branch {at},{row}").expect("text takes more");
        }
        let mut addresses = "kind,prefix,destination\n".to_owned();
        for at in 0..self.addresses {
            let (code, to) = (self.postcode(at), at * 7 % self.destinations);
            writeln!(addresses, "postcode,{code},branch {to}").expect("text takes more");
        }
        let mut plan = format!(
            "[plan]\nversion = {version}\nlaps_max = 20\nreject = [\"C{:03}\"]\n\
             destinations = \"destinations.csv\"\naddresses = \"addresses.csv\"\n",
            self.reject()
        );
        for at in 0..self.rules {
            let rule =
                format!("stage = \"first\"\nservice = \"service {at}\"\nto = \"branch {at}\"");
            write!(plan, "\n[[plan.rule]]\n{rule}\n").expect("text takes more");
        }
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).expect("the target folder takes files");
        };
        write("destinations.csv", &destinations);
        write("addresses.csv", &addresses);
        write("plan.toml", &plan);
        folder.join("plan.toml")
    }

    fn postcode(&self, nth: u32) -> String {
        format!("{:06}", nth * (1_000_000 / self.addresses))
    }

    /// What is known of a parcel: named by pre-advice, or by its postcode only; now and then with
    /// a service that a rule asks for.
    fn facts(&self, number: u32) -> Facts {
        let code = CodeId(u64::from(number) + 1);
        let step = number.wrapping_mul(2_654_435_761) >> 7;
        let mut facts = Facts::advised(code, DestKey::NONE);
        facts.advice.known = true;
        if number.is_multiple_of(2) {
            let name = format!("branch {}", step % self.destinations);
            facts.advice.dest = DestKey::of(&name);
        } else {
            facts.advice.postcode = Address::of(&self.postcode(step % self.addresses));
        }
        if number.is_multiple_of(64) {
            let service = format!("service {}", step % self.rules);
            facts.advice.service = ServiceKey::of(&service);
        }
        facts
    }
}

fn read(path: &Path, hub: &Hub) -> Arc<Plan> {
    let read = PlanFile::read(path, hub);
    read.expect("a plan of this bench has no faults").plan
}

fn millis(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1e3
}

fn median(mut costs: Vec<f64>) -> (f64, f64, f64) {
    costs.sort_by(f64::total_cmp);
    (costs[costs.len() / 2], costs[0], costs[costs.len() - 1])
}

fn ratio(ours: &[f64], others: &[f64]) -> String {
    let ratios = ours.iter().zip(others).map(|(a, b)| a / b).collect();
    let (ratio, least, most) = median(ratios);
    format!("ratio {ratio:.2} ({least:.2} to {most:.2})")
}

/// From files to a plan that can be staged, which another thread does.
fn compile(path: &Path, hub: &Hub, rounds: usize) {
    let (mut whole, mut splitting, mut compiling) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut plan = None;
        whole.push(millis(|| plan = Some(read(path, hub))));
        splitting.push(millis(|| {
            for table in ["destinations.csv", "addresses.csv"] {
                let text = fs::read(path.with_file_name(table)).expect("it was written");
                let mut reader = csv::Reader::from_reader(text.as_slice());
                let fields: usize = reader.records().flatten().map(|record| record.len()).sum();
                black_box(fields);
            }
        }));
        let spec = plan.expect("it was read").spec().clone();
        compiling.push(millis(|| drop(black_box(Plan::new(spec, hub)))));
    }
    let (split_ms, ..) = median(splitting.clone());
    for (what, costs) in [
        ("files to plan", whole),
        ("  of that, Plan::new", compiling),
    ] {
        let ratio = ratio(&costs, &splitting);
        let (ms, ..) = median(costs);
        println!(
            "{what:<24} {:.3} s   splitting the tables {:.3} s   {ratio}",
            ms / 1e3,
            split_ms / 1e3
        );
    }
}

/// A parcel on a carrier, as the plant knows it.
#[derive(Clone, Copy)]
struct Load {
    item: PlcItem,
    number: u32,
    chute: Option<ChuteId>,
}

/// Eight loops with nothing but what the sorter is told of them, and the sorter with its clock.
struct Plant<'a> {
    sizes: &'a Sizes,
    sorter: Sorter,
    outbox: Outbox,
    now: Micros,
    ticked: Micros,
    cells: Vec<Option<Load>>,
    taken: Vec<u16>,
    steps: i64,
    next: u32,
    calls: Calls,
}

/// What calls cost and did, in one round.
#[derive(Default)]
struct Calls {
    /// The last switch goes on.
    switches: bool,
    /// Signals without a switch, signals during one, and ticks during one.
    normal_ns: Vec<u32>,
    during_ns: Vec<u32>,
    ticks_ns: Vec<u32>,
    activating_ns: Vec<u32>,
    /// Calls and their time until each switch was over, and how long that was by the plant.
    until_over: Vec<(usize, u64, u64)>,
    /// Calls of the allocator in calls of the sorter during switches.
    allocations: u64,
    /// Most parcels that one call decided something of, but for the one that it was about.
    redecided_most: usize,
    redecided: u64,
    /// Of those, how many were sent round because no chute took them.
    without_way: u64,
}

/// The parcel that an output decides something of.
fn decided(output: &Output) -> Option<ParcelId> {
    match *output {
        Output::Divert(order) => Some(order.parcel),
        Output::Withdraw { parcel, .. } | Output::Decided { parcel, .. } => Some(parcel),
        _ => None,
    }
}

impl Plant<'_> {
    fn new<'a>(sizes: &'a Sizes, hub: &Arc<Hub>, plans: &[Arc<Plan>; 2]) -> Plant<'a> {
        let [first, second] = plans.clone();
        let mut sorter = Sorter::new(Arc::clone(hub), first, Setup::new(1));
        sorter.stage(second).expect("there is room for a second");
        let mut plant = Plant {
            sizes,
            sorter,
            outbox: Outbox::new(),
            now: Micros(0),
            ticked: Micros(0),
            cells: vec![None; hub.cells() as usize],
            taken: vec![0; sizes.chutes as usize],
            steps: 0,
            next: 0,
            calls: Calls::default(),
        };
        for track in 0..TRACKS {
            let (track, to) = (TrackId(track as u16), LinkState::Up);
            plant.call(&Signal::Link { track, to });
        }
        plant
    }

    /// One call, timed by itself, less what looking at the clock takes.
    fn call(&mut self, signal: &Signal) {
        self.outbox.clear();
        let allocated = ALLOCATOR_CALLS.with(Cell::get);
        let begun = Instant::now();
        let looked = Instant::now();
        self.sorter.handle(self.now, signal, &mut self.outbox);
        let took = looked.elapsed().saturating_sub(looked - begun);
        let allocated = ALLOCATOR_CALLS.with(Cell::get) - allocated;
        self.obey();
        self.note(signal, took.as_nanos() as u32, allocated);
    }

    fn note(&mut self, signal: &Signal, took_ns: u32, allocated: u64) {
        let is_over = self.is_settled();
        let calls = &mut self.calls;
        if !calls.switches {
            if *signal != Signal::Tick {
                calls.normal_ns.push(took_ns);
            }
            return;
        }
        match signal {
            Signal::Tick => calls.ticks_ns.push(took_ns),
            Signal::Command { .. } => calls.activating_ns.push(took_ns),
            _ => calls.during_ns.push(took_ns),
        }
        calls.allocations += allocated;
        if let Some((count, ns, _)) = calls.until_over.last_mut() {
            *count += 1;
            *ns += u64::from(took_ns);
        }
        let said = self.outbox.outputs();
        let parcels = BTreeSet::from_iter(said.iter().filter_map(decided));
        let own = usize::from(matches!(signal, Signal::Scanned { .. }));
        let redecided = parcels.len().saturating_sub(own);
        calls.redecided_most = calls.redecided_most.max(redecided);
        calls.redecided += redecided as u64;
        let goes_round = |said: &&Output| matches!(said, Output::Decided { chute: None, .. });
        calls.without_way += said.iter().filter(goes_round).count() as u64;
        calls.switches = !is_over;
    }

    fn obey(&mut self) {
        for said in self.outbox.outputs() {
            let (cell, item, chute) = match *said {
                Output::Divert(order) => (order.cell, order.item, order.chutes[0]),
                Output::Withdraw { cell, item, .. } => (cell, item, None),
                _ => continue,
            };
            if let Some(load) = &mut self.cells[cell.index()]
                && load.item == item
            {
                load.chute = chute;
            }
        }
    }

    /// A signal at its own time; before it, what the sorter's timer makes due.
    fn tell(&mut self, signal: &Signal) {
        let now = self.now.after(Micros(SIGNAL_US));
        let due = self.sorter.next_timeout();
        let due = due.map(|due| due.max(self.ticked.after(Micros(TICK_US))));
        if let Some(due) = due.filter(|due| *due < now) {
            self.now = due.max(self.now);
            self.ticked = self.now;
            self.call(&Signal::Tick);
        }
        self.now = now;
        self.call(signal);
    }

    /// The cell that is at a place of a track.
    fn cell_at(&self, track: u32, place: u32) -> CellId {
        let carriers = i64::from(self.sizes.carriers);
        let own = (self.steps - i64::from(place)).rem_euclid(carriers);
        CellId(track * self.sizes.carriers + own as u32)
    }

    /// One belt moves by a carrier.
    fn step(&mut self, track: u32) {
        let at = BeltMm(self.steps * i64::from(PITCH_MM));
        let id = TrackId(track as u16);
        self.tell(&Signal::Belt {
            track: id,
            at,
            speed: SPEED,
        });
        for number in 0..self.sizes.chutes {
            let (chute, cell) = (
                ChuteId(number as u16),
                self.cell_at(track, self.sizes.chute_at(number)),
            );
            let load = self.cells[cell.index()].filter(|load| load.chute == Some(chute));
            if let Some(Load { item, .. }) = load {
                self.drop_into(chute, cell, item, at);
            }
        }
        let cell = self.cell_at(track, 0);
        if let Some(Load { item, .. }) = self.cells[cell.index()] {
            self.tell(&Signal::LapPassed { cell, item, at });
        }
        self.get_on(track, at);
        self.read(track, at);
    }

    fn drop_into(&mut self, chute: ChuteId, cell: CellId, item: PlcItem, at: BeltMm) {
        self.cells[cell.index()] = None;
        self.tell(&Signal::Discharged {
            chute,
            cell,
            item,
            at,
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

    fn get_on(&mut self, track: u32, at: BeltMm) {
        let cell = self.cell_at(track, INDUCTION_AT);
        if self.cells[cell.index()].is_some() {
            return;
        }
        self.next += 1;
        let item = PlcItem(self.next);
        self.cells[cell.index()] = Some(Load {
            item,
            number: self.next,
            chute: None,
        });
        self.tell(&Signal::Inducted {
            induction: InductionId(track as u16),
            cell,
            item,
            at,
            length: Mm(400),
            spans: 1,
            returned: false,
        });
    }

    fn read(&mut self, track: u32, at: BeltMm) {
        let cell = self.cell_at(track, SCANNER_AT);
        let Some(load) = self.cells[cell.index()] else {
            return;
        };
        let (item, facts) = (load.item, self.sizes.facts(load.number));
        let (scanner, trigger) = (ScannerId(track as u16), item.0 as u16);
        self.tell(&Signal::AtScanner {
            scanner,
            cell,
            item,
            trigger,
            at,
        });
        self.tell(&Signal::Scanned {
            scanner,
            key: ScanKey::Trigger(trigger),
            facts,
        });
    }

    fn step_all(&mut self) {
        self.steps += 1;
        (0..TRACKS).for_each(|track| self.step(track));
    }

    /// Whether nothing of a switch is left to be done: the sorter does not ask to be called again
    /// at once.
    fn is_settled(&self) -> bool {
        let due = self.sorter.next_timeout();
        due.is_none_or(|due| due.since(self.now) > Micros(10))
    }

    fn fill(&mut self) {
        for _ in 0..self.sizes.carriers {
            self.step_all();
        }
    }
}

impl Plant<'_> {
    /// Switches to a plan and goes on until nothing depends on the one before, and for as long
    /// again.
    fn switch(&mut self, version: u32) {
        let (begun, normal) = (self.now, self.calls.normal_ns.len());
        self.calls.switches = true;
        self.calls.until_over.push((0, 0, 0));
        let (ticket, command) = (Ticket(1), Command::Activate { version });
        self.now = self.now.after(Micros(SIGNAL_US));
        self.call(&Signal::Command { ticket, command });
        let answered = Output::Answered {
            ticket,
            answer: Ok(()),
        };
        assert!(self.outbox.outputs().contains(&answered));
        while self.calls.switches {
            self.step_all();
        }
        if let Some((.., plant_us)) = self.calls.until_over.last_mut() {
            *plant_us = self.now.since(begun).0;
        }
        let during = self.calls.during_ns.len();
        while self.sorter.former_plan().is_some() || self.calls.normal_ns.len() < normal + during {
            self.step_all();
        }
    }

    /// Counts that must be so, whatever the machine.
    fn assert_bounds(&self, riding: u64) {
        let calls = &self.calls;
        assert_eq!(
            calls.allocations, 0,
            "calls of the allocator during a switch"
        );
        assert!(calls.redecided_most <= SWEEP_PER_CALL_MAX);
        let switches = calls.until_over.len() as u64;
        assert!(
            calls.redecided > switches * riding / 3,
            "{} of {riding} in {switches} switches: half of them change chutes",
            calls.redecided
        );
        let books = self.sorter.books();
        assert_eq!((books.missorted, books.lost), (0, 0), "{books:?}");
    }
}

/// The 50th, 99th and 99.9th percentile, in µs.
fn percentiles(costs_ns: &mut [u32]) -> [f64; 3] {
    costs_ns.sort_unstable();
    let last = costs_ns.len() - 1;
    [500, 990, 999].map(|permille| f64::from(costs_ns[last * permille / 1_000]) / 1e3)
}

fn print(what: &str, costs_us: Vec<f64>) {
    let (middle, low, high) = median(costs_us);
    println!("  {what:<40} {middle:>8.2} us ({low:.2} to {high:.2})");
}

/// Switches to and fro, and what that cost.
fn switches(what: &str, sizes: &Sizes, hub: &Arc<Hub>, plans: &[Arc<Plan>; 2]) {
    let mut plant = Plant::new(sizes, hub, plans);
    plant.fill();
    let riding = plant.sorter.books().on_sorter;
    println!("{what}: {riding} parcels ride");
    let mut costs: [Vec<[f64; 3]>; 3] = Default::default();
    let (mut activating, mut until_over) = (Vec::new(), Vec::new());
    let (mut most, mut without_way) = (0, 0);
    for _ in 0..sizes.rounds {
        plant.calls = Calls::default();
        for _ in 0..sizes.pairs {
            plant.switch(plans[1].version());
            plant.switch(plans[0].version());
        }
        plant.assert_bounds(riding);
        let calls = &mut plant.calls;
        let all = [
            &mut calls.normal_ns,
            &mut calls.during_ns,
            &mut calls.ticks_ns,
        ];
        for (costs, calls_ns) in costs.iter_mut().zip(all) {
            costs.push(percentiles(calls_ns));
        }
        activating.extend(calls.activating_ns.iter().map(|ns| f64::from(*ns) / 1e3));
        until_over.append(&mut calls.until_over);
        most = most.max(calls.redecided_most);
        without_way += calls.without_way;
    }
    let of = |kind: usize, nth: usize| Vec::from_iter(costs[kind].iter().map(|of| of[nth]));
    for (nth, name) in ["p50", "p99", "p99.9"].into_iter().enumerate() {
        print(&format!("a signal without a switch, {name}"), of(0, nth));
        print(&format!("a signal during a switch, {name}"), of(1, nth));
        println!("    {}", ratio(&of(1, nth), &of(0, nth)));
        print(&format!("a tick during a switch, {name}"), of(2, nth));
    }
    print("the call that activates", activating);
    let (middle, low, high) = median(until_over.iter().map(|(count, ..)| *count as f64).collect());
    println!("  calls until it is over {middle} ({low} to {high})");
    print(
        "  their time",
        until_over
            .iter()
            .map(|(_, ns, _)| *ns as f64 / 1e3)
            .collect(),
    );
    print(
        "  by the plant",
        until_over.iter().map(|(.., us)| *us as f64).collect(),
    );
    let switches = until_over.len();
    println!(
        "  most parcels re-decided in a call {most}; without a way {} a switch; {switches} switches, \
         nothing allocated or freed",
        without_way / switches as u64
    );
}

fn main() {
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let sizes = if is_bench { BENCH } else { SMOKE };
    let hub = Arc::new(sizes.hub());
    println!(
        "{} destinations, {} addresses, {} rules on attributes over {} chutes of {TRACKS} loops",
        sizes.destinations, sizes.addresses, sizes.rules, sizes.chutes
    );
    for (what, version, by_shares) in [("preferred chutes", 1, false), ("with shares", 11, true)] {
        let paths = [0, sizes.half() / 2].map(|moved| {
            let version = version + u32::from(moved > 0);
            sizes.write_plan(version, moved, by_shares)
        });
        if !by_shares {
            compile(&paths[0], &hub, sizes.rounds);
        }
        let plans = paths.map(|path| read(&path, &hub));
        switches(what, &sizes, &hub, &plans);
    }
}
