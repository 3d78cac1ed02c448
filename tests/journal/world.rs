//! A small loop with a perfect PLC, and a place to keep its journal.
//!
//! The sorter decides; what it says moves the parcels here. Everything follows from the seed, so
//! that two worlds of the same seed make the same calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sorthub::config::canonical;
use sorthub::journal::{Options, Recorder, RunHeader};
use sorthub_core::facts::{DestKey, Facts, Measures, Reading};
use sorthub_core::hub::{
    Capacity, Caps, ChuteRules, ChuteSpec, Hub, HubSpec, InductionSpec, MeetsBy, Outlet,
    ScannerSpec, Sensing, TrackKind, TrackSpec,
};
use sorthub_core::ids::{CellId, ChuteId, CodeId, InductionId, PlcItem};
use sorthub_core::ids::{ScannerId, TrackId};
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::{DestinationSpec, NoReadPolicy, Plan, PlanSpec, RoomPolicy};
use sorthub_core::signal::{ChuteState, LinkState, Order, Output, Refusal, ScanKey, Signal};
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::{BeltMm, Grams, Micros, Mm, MmPerS};

const CARRIERS: u32 = 20;
const PITCH_MM: u32 = 600;
const SLOT_US: u64 = 300_000;
const SCANNER_SLOT: u64 = 2;
/// Slots from the induction to each chute; the last is the reject chute.
const CHUTE_SLOTS: [u64; 4] = [5, 7, 9, 11];
const TRACK: TrackId = TrackId(0);

/// One call of the sorter and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub now: Micros,
    pub signal: Signal,
    pub outputs: Vec<Output>,
    pub hash_after: u64,
}

struct Riding {
    cell: CellId,
    item: PlcItem,
    since_slot: u64,
    dest: u32,
    order: Option<Order>,
}

/// The world.
pub struct World {
    pub hub: Arc<Hub>,
    pub plan: Arc<Plan>,
    pub sorter: Sorter,
    outbox: Outbox,
    slot: u64,
    random: u64,
    next_item: u32,
    riding: Vec<Riding>,
}

impl World {
    pub fn new(run_epoch: u32, seed: u64) -> Self {
        let hub = Arc::new(Hub::new(hub_spec()).expect("the test's hub is sound"));
        let plan = Arc::new(Plan::new(plan_spec(), &hub).expect("the test's plan is sound"));
        let setup = Setup::new(run_epoch);
        let sorter = Sorter::new(Arc::clone(&hub), Arc::clone(&plan), setup);
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let outbox = Outbox::new();
        Self {
            hub,
            plan,
            sorter,
            outbox,
            slot: 0,
            random,
            next_item: 1,
            riding: Vec::new(),
        }
    }

    /// A header for a run of this world.
    pub fn header(&self) -> RunHeader {
        RunHeader {
            build: sorthub::journal::build(),
            description: canonical::to_text(self.hub.spec(), self.plan.spec()),
            sorter: 0,
            plan_version: self.plan.version(),
            clock_permille: 1_000,
            started_unix_us: 1_700_000_000_000_000,
        }
    }

    /// The text on the parcel that has this number.
    pub fn label(item: PlcItem) -> String {
        format!("WB{:010}", item.0)
    }

    /// Makes all calls of the next 300 ms; tells each to `told`.
    pub fn step(&mut self, told: &mut impl FnMut(&Said)) {
        if self.slot == 0 {
            self.call(
                Signal::Link {
                    track: TRACK,
                    to: LinkState::Up,
                },
                told,
            );
            for chute in 0..CHUTE_SLOTS.len() as u16 {
                let (chute, state) = (ChuteId(chute), ChuteState::OPEN);
                self.call(
                    Signal::Chute {
                        chute,
                        state,
                        taken: 0,
                    },
                    told,
                );
            }
        }
        let at = self.at();
        self.call(
            Signal::Belt {
                track: TRACK,
                at,
                speed: MmPerS(2_000),
            },
            told,
        );
        let mut nth = 0;
        while nth < self.riding.len() {
            if self.pass(nth, told) {
                self.riding.swap_remove(nth);
            } else {
                nth += 1;
            }
        }
        self.induct(told);
        self.slot += 1;
    }

    fn at(&self) -> BeltMm {
        BeltMm(self.slot as i64 * i64::from(PITCH_MM))
    }

    fn induct(&mut self, told: &mut impl FnMut(&Said)) {
        let cell = CellId((self.slot % u64::from(CARRIERS)) as u32);
        if self.riding.iter().any(|riding| riding.cell == cell) || self.draw(3) == 0 {
            return;
        }
        let item = PlcItem(self.next_item);
        self.next_item += 1;
        let dest = self.draw(3);
        self.riding.push(Riding {
            cell,
            item,
            since_slot: self.slot,
            dest,
            order: None,
        });
        let (induction, at, length) = (InductionId(0), self.at(), Mm(400));
        let got_on = Signal::Inducted {
            induction,
            cell,
            item,
            at,
            length,
            spans: 1,
            returned: false,
        };
        self.call(got_on, told);
    }

    /// Moves one parcel on; true if it has left.
    fn pass(&mut self, nth: usize, told: &mut impl FnMut(&Said)) -> bool {
        let Riding {
            cell,
            item,
            since_slot,
            ..
        } = self.riding[nth];
        let at = self.at();
        let here = (self.slot - since_slot) % u64::from(CARRIERS);
        if here == 0 {
            self.call(Signal::LapPassed { cell, item, at }, told);
        }
        if here == SCANNER_SLOT {
            self.scan(nth, told);
        }
        let Some(index) = CHUTE_SLOTS.iter().position(|slot| *slot == here) else {
            return false;
        };
        let chute = ChuteId(index as u16);
        let order = self.riding[nth].order;
        if !order.is_some_and(|order| order.chutes.contains(&Some(chute))) {
            return false;
        }
        // The reject chute takes everything.
        let is_full = index < 3 && self.draw(6) == 0;
        let cause = Refusal::Full;
        let signal = if is_full {
            Signal::NotDischarged {
                chute,
                cell,
                item,
                at,
                cause,
            }
        } else {
            Signal::Discharged {
                chute,
                cell,
                item,
                at,
            }
        };
        self.call(signal, told);
        !is_full
    }

    fn scan(&mut self, nth: usize, told: &mut impl FnMut(&Said)) {
        let Riding {
            cell, item, dest, ..
        } = self.riding[nth];
        let (at, scanner, trigger) = (self.at(), ScannerId(0), item.0 as u16);
        let passed = Signal::AtScanner {
            scanner,
            cell,
            item,
            trigger,
            at,
        };
        self.call(passed, told);
        // One in twenty cannot be read, and once in forty the scanner says nothing at all.
        let read = self.draw(40);
        if read > 0 {
            let (key, facts) = (ScanKey::Trigger(trigger), facts(item, dest, read > 2));
            self.call(
                Signal::Scanned {
                    scanner,
                    key,
                    facts,
                },
                told,
            );
        }
    }

    fn call(&mut self, signal: Signal, told: &mut impl FnMut(&Said)) {
        let now = Micros(self.slot * SLOT_US);
        while let Some(due) = self.sorter.next_timeout().filter(|due| *due < now) {
            self.handle(due, Signal::Tick, told);
        }
        self.handle(now, signal, told);
    }

    fn handle(&mut self, now: Micros, signal: Signal, told: &mut impl FnMut(&Said)) {
        self.outbox.clear();
        self.sorter.handle(now, &signal, &mut self.outbox);
        for output in self.outbox.outputs() {
            let (item, order) = match output {
                Output::Divert(order) => (order.item, Some(*order)),
                Output::Withdraw { item, .. } => (*item, None),
                _ => continue,
            };
            let riding = self.riding.iter_mut().find(|riding| riding.item == item);
            riding.expect("orders are for parcels on the loop").order = order;
        }
        let outputs = self.outbox.outputs().to_vec();
        let hash_after = self.sorter.output_hash();
        told(&Said {
            now,
            signal,
            outputs,
            hash_after,
        });
    }

    /// Xorshift (Marsaglia 2003), below `below`.
    fn draw(&mut self, below: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        ((self.random >> 32) as u32) % below
    }
}

fn facts(item: PlcItem, dest: u32, read: bool) -> Facts {
    let measured = Measures {
        weight: Grams(700),
        ..Measures::default()
    };
    if !read {
        return Facts {
            measured,
            ..Facts::default()
        };
    }
    let code = CodeId::of(&World::label(item));
    Facts {
        measured,
        ..Facts::advised(code, DestKey::of(["A", "B", "C"][dest as usize]))
    }
}

fn hub_spec() -> HubSpec {
    let chute = |name: &str, slot: u64| ChuteSpec {
        name: name.to_owned(),
        outlets: vec![Outlet {
            track: TRACK,
            at: Mm(slot as u32 * PITCH_MM),
            lead: Mm(300),
        }],
        capacity: Capacity::Unlimited,
        sensing: Sensing::Eyes,
        rules: ChuteRules::AS_TOLD,
    };
    let names = ["A1", "B1", "C1", "REJECT"];
    HubSpec {
        name: "small loop".to_owned(),
        tracks: vec![TrackSpec {
            name: "LOOP".to_owned(),
            kind: TrackKind::Loop {
                carriers: CARRIERS,
                pitch: Mm(PITCH_MM),
            },
            speed: MmPerS(2_000),
            tolerance: Mm(150),
            caps: Caps::USUAL,
        }],
        inductions: vec![InductionSpec {
            name: "IN".to_owned(),
            track: TRACK,
            at: Mm(0),
            quota_permille: 1_000,
        }],
        scanners: vec![ScannerSpec {
            name: "TOP".to_owned(),
            track: TRACK,
            at: Mm(SCANNER_SLOT as u32 * PITCH_MM),
            meets_by: MeetsBy::Trigger,
            wait: Mm(900),
        }],
        chutes: names
            .iter()
            .zip(CHUTE_SLOTS)
            .map(|(name, slot)| chute(name, slot))
            .collect(),
        ..HubSpec::default()
    }
}

fn plan_spec() -> PlanSpec {
    let destination = |(index, name): (usize, &str)| DestinationSpec {
        name: name.to_owned(),
        chutes: vec![ChuteId(index as u16)],
        ..DestinationSpec::default()
    };
    PlanSpec {
        version: 7,
        destinations: ["A", "B", "C"]
            .into_iter()
            .enumerate()
            .map(destination)
            .collect(),
        reject: vec![ChuteId(3)],
        room: RoomPolicy::Attempt,
        no_read: NoReadPolicy::Again,
        laps_max: 2,
        ..PlanSpec::default()
    }
}

/// Hands a call to the recorder as the live engine does, the text of a new code first.
pub fn record(recorder: &mut Recorder, said: &Said) -> u64 {
    if let Signal::Scanned {
        key: ScanKey::Trigger(trigger),
        facts,
        ..
    } = said.signal
        && facts.read == Reading::Good
    {
        recorder.text(facts.code, &World::label(PlcItem(u32::from(trigger))));
    }
    recorder.record(said.now, &said.signal, &said.outputs, said.hash_after)
}

/// Runs a world into the journal in `dir` for so many steps and closes it; gives all calls.
pub fn write_run(dir: &Path, seed: u64, steps: u32) -> (World, Vec<Said>) {
    let world = World::new(0, seed);
    let journal = sorthub::journal::Journal::open(dir, &world.header(), Options::default());
    let journal = journal.expect("the directory is new or holds whole runs");
    let mut world = World::new(journal.run_epoch(), seed);
    let mut recorder = journal.start().expect("there is a thread");
    let mut calls = Vec::new();
    for step in 0..steps {
        world.step(&mut |said| {
            record(&mut recorder, said);
            calls.push(said.clone());
        });
        recorder.wake();
        // Some commits in between, so that the run has many blocks.
        if step % 50 == 0 {
            let last = calls.len() as u64;
            wait_until("the records are durable", || recorder.durable_seq() >= last);
        }
    }
    recorder
        .close(world.sorter.digest())
        .expect("the disk takes it");
    (world, calls)
}

/// Polls until `done`, at most a minute.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(
            Instant::now() < deadline,
            "a minute has passed and not yet: {what}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A directory of its own for one test, removed at the end.
pub struct Dir(PathBuf);

impl Dir {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("journal-{}-{nth}", std::process::id());
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // Left behind by a process of the same number that was killed.
        let _ = std::fs::remove_dir_all(&dir);
        Self(dir)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The journal's file.
    pub fn file(&self) -> PathBuf {
        self.0.join(sorthub::journal::FILE_NAME)
    }

    /// A connection of another program.
    pub fn connect(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).expect("the journal is there")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
