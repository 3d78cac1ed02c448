//! LSRM-1 as one would write it by hand: a binary heap, one event for each thing that happens, no
//! controller, no plan, no tracking. It shares nothing with `sorthub-sim`, its random numbers
//! included, so that it can judge the simulator's results as well as its speed.
//!
//! Times are whole nanoseconds; a chute's service and the gap between arrivals are drawn in `f64`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

const S: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;
const CARRIERS: u64 = 300;
const SLOT: u64 = 200 * MS;
const LAP: u64 = 60 * S;
const CHUTES: usize = 100;
const INDUCTIONS: usize = 4;
const QUARTER: u64 = 15 * S;
const INDUCTION_AT: u64 = 500 * MS;
const SCANNER_AT: u64 = 2 * S;
const CHUTE_AT: u64 = 3 * S;
const CHUTE_STEP: u64 = 450 * MS;
const REJECT_AT: u64 = 59_500 * MS;
const ARRIVAL_GAP_MEAN_S: f64 = 0.72;
const INDUCTION_GAP: u64 = 400 * MS;
const READ_RATE: f64 = 0.985;
const ROOM: usize = 20;
const SERVICE_MEAN_S: f64 = 14.0;
const LAPS_MAX: u8 = 3;
const REJECT: u8 = CHUTES as u8;
/// Bins of 0.1 s up to an hour; what is longer falls into the last.
const BINS: usize = 36_000;

/// What one run gives; names as in the output of `simulate --json`.
#[derive(Default)]
pub struct Outcome {
    pub arrived: u64,
    pub inducted: u64,
    pub sorted: u64,
    pub rejected_no_read: u64,
    pub rejected_after_laps: u64,
    pub recirculated: u64,
    pub on_sorter: u64,
    pub induction_wait_s: f64,
    pub time_in_system_s: f64,
    pub time_in_system_p99_s: f64,
    pub chute_full_share: f64,
    /// Canonical events of the model's definition.
    pub events: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Arrival(u16),
    /// An induction looks whether the carrier in front of it is empty.
    Load(u16),
    /// A carrier's parcel is at the first scanner behind its induction.
    Scan(u16),
    /// A carrier is at the chute its parcel goes to.
    Pass(u16),
    Served(u16),
}

#[derive(Clone, Copy)]
struct Parcel {
    arrived: u64,
    induction: u16,
    laps: u8,
    chute: u8,
}

#[derive(Default)]
struct Induction {
    queue: VecDeque<u64>,
    free_from: u64,
}

#[derive(Clone, Copy, Default)]
struct Chute {
    held: usize,
    full_since: u64,
    full_for: u64,
}

/// xoshiro256++ by Blackman and Vigna, seeded by splitmix64.
struct Random([u64; 4]);

impl Random {
    fn new(mut seed: u64) -> Self {
        Self([(); 4].map(|()| {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let x = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^ (x >> 31)
        }))
    }

    fn unit(&mut self) -> f64 {
        let [a, b, c, d] = &mut self.0;
        let out = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        (out >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential_ns(&mut self, mean_s: f64) -> u64 {
        (-(1.0 - self.unit()).ln() * mean_s * S as f64) as u64
    }
}

struct Model {
    calendar: BinaryHeap<Reverse<(u64, What)>>,
    inductions: Vec<Induction>,
    carriers: Vec<Option<Parcel>>,
    chutes: Vec<Chute>,
    /// Upper ends of the chutes' shares of the unit interval.
    shares: [f64; CHUTES],
    random: Random,
    out: Outcome,
    waits_ns: u64,
    times_ns: u64,
    bins: Vec<u32>,
}

/// Runs `loops` S1 loops in one model and one calendar (1 is S1, 4 is H4) from empty.
pub fn run(loops: usize, seed: u64, horizon_s: u64) -> Outcome {
    let mut total = 0.0;
    let weights = std::array::from_fn::<f64, CHUTES, _>(|j| 0.6 + 0.8 * (j % 10) as f64 / 9.0);
    let ends = weights.map(|w| {
        total += w;
        total
    });
    let mut model = Model {
        calendar: BinaryHeap::new(),
        inductions: Vec::from_iter((0..loops * INDUCTIONS).map(|_| Induction::default())),
        carriers: vec![None; loops * CARRIERS as usize],
        chutes: vec![Chute::default(); loops * CHUTES],
        shares: ends.map(|end| end / total),
        random: Random::new(seed),
        out: Outcome::default(),
        waits_ns: 0,
        times_ns: 0,
        bins: vec![0; BINS],
    };
    for i in 0..model.inductions.len() {
        let first = model.random.exponential_ns(ARRIVAL_GAP_MEAN_S);
        model.at(first, What::Arrival(i as u16));
    }
    let horizon = horizon_s * S;
    while let Some(Reverse((now, what))) = model.calendar.pop() {
        if now >= horizon {
            break;
        }
        match what {
            What::Arrival(i) => model.arrival(now, i),
            What::Load(i) => model.load(now, i),
            What::Scan(c) => model.scan(now, c),
            What::Pass(c) => model.pass(now, c),
            What::Served(c) => model.served(now, c),
        }
    }
    model.outcome(horizon)
}

impl Model {
    fn at(&mut self, time: u64, what: What) {
        self.calendar.push(Reverse((time, what)));
    }

    fn arrival(&mut self, now: u64, i: u16) {
        self.out.arrived += 1;
        self.out.events += 1;
        let next = now + self.random.exponential_ns(ARRIVAL_GAP_MEAN_S);
        self.at(next, What::Arrival(i));
        let induction = &mut self.inductions[i as usize];
        induction.queue.push_back(now);
        if induction.queue.len() == 1 {
            let pass = first_pass(now.max(induction.free_from));
            self.at(pass, What::Load(i));
        }
    }

    fn load(&mut self, now: u64, i: u16) {
        let (sorter, quarter) = (i as usize / INDUCTIONS, u64::from(i) % INDUCTIONS as u64);
        let pass = (now - SLOT / 2) / SLOT;
        let carrier = (75 * quarter + 2 + CARRIERS - pass % CARRIERS) % CARRIERS;
        let carrier = sorter * CARRIERS as usize + carrier as usize;
        if self.carriers[carrier].is_some() {
            self.at(now + SLOT, What::Load(i));
            return;
        }
        let induction = &mut self.inductions[i as usize];
        let arrived = induction.queue.pop_front().expect("somebody waits");
        induction.free_from = now + INDUCTION_GAP;
        let next = (!induction.queue.is_empty()).then(|| first_pass(induction.free_from));
        self.carriers[carrier] = Some(Parcel {
            arrived,
            induction: i,
            laps: 0,
            chute: REJECT,
        });
        self.out.inducted += 1;
        self.out.events += 1;
        self.waits_ns += now - arrived;
        self.at(now + SCANNER_AT - INDUCTION_AT, What::Scan(carrier as u16));
        if let Some(next) = next {
            self.at(next, What::Load(i));
        }
    }

    fn scan(&mut self, now: u64, c: u16) {
        self.out.events += 1;
        let read = self.random.unit() < READ_RATE;
        let share = if read { self.random.unit() } else { 1.0 };
        let parcel = self.carriers[c as usize].as_mut().expect("it carries one");
        parcel.chute = self.shares.partition_point(|end| *end <= share) as u8;
        let here = SCANNER_AT + QUARTER * (u64::from(parcel.induction) % INDUCTIONS as u64);
        let ahead = (place(parcel.chute) + LAP - here) % LAP;
        self.at(now + ahead, What::Pass(c));
    }

    fn pass(&mut self, now: u64, c: u16) {
        self.out.events += 1;
        let sorter = c as usize / CARRIERS as usize;
        let parcel = self.carriers[c as usize].as_mut().expect("it carries one");
        if parcel.chute == REJECT {
            match parcel.laps > LAPS_MAX {
                true => self.out.rejected_after_laps += 1,
                false => self.out.rejected_no_read += 1,
            }
            self.leave(now, c);
            return;
        }
        let number = sorter * CHUTES + parcel.chute as usize;
        let chute = &mut self.chutes[number];
        if chute.held == ROOM {
            parcel.laps += 1;
            if parcel.laps > LAPS_MAX {
                let ahead = REJECT_AT - place(parcel.chute);
                parcel.chute = REJECT;
                self.at(now + ahead, What::Pass(c));
            } else {
                self.out.recirculated += 1;
                self.at(now + LAP, What::Pass(c));
            }
            return;
        }
        chute.held += 1;
        let alone = chute.held == 1;
        if chute.held == ROOM {
            chute.full_since = now;
        }
        if alone {
            let end = now + self.random.exponential_ns(SERVICE_MEAN_S);
            self.at(end, What::Served(number as u16));
        }
        self.out.sorted += 1;
        self.leave(now, c);
    }

    fn leave(&mut self, now: u64, c: u16) {
        let parcel = self.carriers[c as usize].take().expect("it carries one");
        let time = now - parcel.arrived;
        self.times_ns += time;
        self.bins[((time / (100 * MS)) as usize).min(BINS - 1)] += 1;
    }

    fn served(&mut self, now: u64, number: u16) {
        self.out.events += 1;
        let chute = &mut self.chutes[number as usize];
        if chute.held == ROOM {
            chute.full_for += now - chute.full_since;
        }
        chute.held -= 1;
        if chute.held > 0 {
            let end = now + self.random.exponential_ns(SERVICE_MEAN_S);
            self.at(end, What::Served(number));
        }
    }

    fn outcome(mut self, horizon: u64) -> Outcome {
        let finished = self.bins.iter().map(|n| u64::from(*n)).sum::<u64>();
        let mut beyond = finished / 100;
        let p99 = self.bins.iter().rposition(|n| {
            let within = u64::from(*n) > beyond;
            beyond = beyond.saturating_sub(u64::from(*n));
            within
        });
        let full_ns = self.chutes.iter().map(|chute| match chute.held {
            ROOM => chute.full_for + horizon - chute.full_since,
            _ => chute.full_for,
        });
        let all_ns = (self.chutes.len() as u64 * horizon) as f64;
        self.out.chute_full_share = full_ns.sum::<u64>() as f64 / all_ns;
        self.out.on_sorter = self.carriers.iter().flatten().count() as u64;
        self.out.induction_wait_s = self.waits_ns as f64 / 1e9 / self.out.inducted.max(1) as f64;
        self.out.time_in_system_s = self.times_ns as f64 / 1e9 / finished.max(1) as f64;
        self.out.time_in_system_p99_s = p99.map_or(0.0, |bin| (bin + 1) as f64 / 10.0);
        self.out
    }
}

/// The first pass of a carrier at an induction at or after `time`: all inductions see them at
/// 0.1 s, 0.3 s, 0.5 s and so on.
fn first_pass(time: u64) -> u64 {
    time.saturating_sub(SLOT / 2).div_ceil(SLOT) * SLOT + SLOT / 2
}

/// Travel time from the loop's origin to a chute or to the reject chute.
fn place(chute: u8) -> u64 {
    if chute == REJECT {
        return REJECT_AT;
    }
    let (quarter, nth) = (u64::from(chute) / 25, u64::from(chute) % 25);
    QUARTER * quarter + CHUTE_AT + CHUTE_STEP * nth
}
