//! What a large plan costs: from its tables to what the sorter decides by, and each question that
//! a decision asks of it.
//!
//! `cargo bench --bench plan` prints medians over rounds with the lowest and the highest, each
//! beside something simple done in turn with it in the same run: splitting the same tables into
//! fields, a bisection over the ranges that the prefixes make, one read at a random place of an
//! array of the same length. Without `--bench` one short round runs.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sorthub::config::{HubFile, PlanFile};
use sorthub_core::facts::{Address, DestKey};
use sorthub_core::hub::Hub;
use sorthub_core::ids::{ChuteId, DestId};
use sorthub_core::plan::{AddressKind, Plan};

const HUB: &str = r#"
name = "bench"
[[track]]
name = "loop"
kind = "loop"
carriers = 1000
pitch_mm = 600
speed_mm_s = 3000
[[induction]]
name = "in"
at_mm = 1000
[[scanner]]
name = "scan"
at_mm = 3000
meets_by = "carrier"
wait_mm = 1000
[[chute]]
name = "C{n:3}"
first = 0
count = 401
at_mm = 10_000
step_mm = 1350
lead_mm = 300
[plan]
reject = ["C400"]
destinations = "one_for_each_chute"
"#;

const PLAN: &str = "[plan]\nversion = 2\nreject = [\"C400\"]\n\
    destinations = \"destinations.csv\"\naddresses = \"addresses.csv\"\n";

/// Sorting chutes of the bench's hub.
const CHUTES: u32 = 400;

struct Sizes {
    rounds: usize,
    destinations: u32,
    addresses: u32,
    asked: usize,
}

/// Numbers without an order that a cache could follow; the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u32) -> u32 {
        // The generator of Steele, Lea and Flood (splitmix64).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(mixed ^ (mixed >> 31)) * u128::from(limit)) >> 64) as u32
    }
}

fn median(costs: &mut [f64]) -> (f64, f64, f64) {
    costs.sort_by(f64::total_cmp);
    (costs[costs.len() / 2], costs[0], costs[costs.len() - 1])
}

/// Ours, the other's, and the ratio of each round.
fn print(what: &str, unit: &str, ours: &[f64], other: &str, others: &[f64]) {
    let mut ratios: Vec<f64> = ours.iter().zip(others).map(|(a, b)| a / b).collect();
    let (ratio, least, most) = median(&mut ratios);
    let (ours, ..) = median(&mut ours.to_vec());
    let (others, ..) = median(&mut others.to_vec());
    println!(
        "{what:<44} {ours:>8.1} {unit}   {other:<26} {others:>8.1} {unit}   \
         ratio {ratio:.2} ({least:.2} to {most:.2})"
    );
}

/// Writes the plan's files; gives the plan's path.
fn write_plan(sizes: &Sizes) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-plan");
    fs::create_dir_all(&folder).expect("the target folder takes another");
    let mut numbers = Numbers(1);
    let mut chute = || numbers.below(CHUTES);
    let mut destinations = "name,chutes,alternates,overflow,segments\n".to_owned();
    for at in 0..sizes.destinations {
        let own = format!("C{:03}|C{:03}", at % CHUTES, (at + 7) % CHUTES);
        let (alternate, overflow) = (chute(), chute());
        destinations += &format!("branch {at},{own},C{alternate:03},C{overflow:03},{at:06}\n");
    }
    let mut addresses = "kind,prefix,destination\n".to_owned();
    let mut numbers = Numbers(2);
    let step = 1_000_000 / sizes.addresses;
    for at in 0..sizes.addresses {
        let to = numbers.below(sizes.destinations);
        addresses += &format!("postcode,{:06},branch {to}\n", at * step);
    }
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).expect("the target folder takes files");
    };
    write("destinations.csv", &destinations);
    write("addresses.csv", &addresses);
    write("plan.toml", PLAN);
    folder.join("plan.toml")
}

fn millis(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1e3
}

/// From files to a plan that a sorter can be given.
fn compile(path: &Path, hub: &Hub, rounds: usize) {
    let (mut whole, mut splitting, mut compiling) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut read = None;
        whole.push(millis(|| read = PlanFile::read(path, hub, None).ok()));
        let read = read.expect("a plan of this bench has no faults");
        splitting.push(millis(|| {
            for table in ["destinations.csv", "addresses.csv"] {
                let text = fs::read(path.with_file_name(table)).expect("it was written");
                let mut reader = csv::Reader::from_reader(text.as_slice());
                let fields: usize = reader.records().flatten().map(|record| record.len()).sum();
                black_box(fields);
            }
        }));
        let spec = read.plan.spec().clone();
        compiling.push(millis(|| drop(black_box(Plan::new(spec, hub)))));
    }
    let other = "splitting the tables";
    print("files to plan", "ms", &whole, other, &splitting);
    print("  of that, Plan::new", "ms", &compiling, other, &splitting);
}

/// Nanoseconds of each of many questions.
fn nanos<Q: Copy, A>(questions: &[Q], mut ask: impl FnMut(Q) -> A) -> f64 {
    let begun = Instant::now();
    for &question in questions {
        black_box(ask(question));
    }
    begun.elapsed().as_nanos() as f64 / questions.len() as f64
}

fn questions(plan: &Plan, sizes: &Sizes) {
    let mut numbers = Numbers(3);
    let asked = 0..sizes.asked;
    let addresses = asked.clone().map(|_| {
        let code = format!("{:06}", numbers.below(1_000_000));
        Address::of(&code)
    });
    let addresses: Vec<Address> = addresses.collect();
    let dests: Vec<DestId> = asked
        .map(|_| DestId(numbers.below(sizes.destinations)))
        .collect();
    let keys: Vec<DestKey> = dests.iter().map(|dest| plan.key(*dest)).collect();
    let open = plan.waves();
    let ranges = plan.address_ranges(AddressKind::Postcode);
    let mut sorted: Vec<u64> = ranges
        .flat_map(|(first, last, _)| [first.0, last.0 + 1])
        .collect();
    sorted.sort_unstable();
    sorted.dedup();
    let array: Vec<u64> = (0..u64::from(sizes.destinations)).collect();
    let mut costs: [Vec<f64>; 7] = Default::default();
    for _ in 0..sizes.rounds {
        let all = [
            nanos(&addresses, |address| {
                plan.dest_at(AddressKind::Postcode, address)
            }),
            nanos(&addresses, |address| {
                sorted.partition_point(|prefix| *prefix <= address.0)
            }),
            nanos(&keys, |key| plan.dest(key)),
            nanos(&dests, |dest| plan.key(dest)),
            nanos(&dests, |dest| plan.chutes(dest, open).first().copied()),
            nanos(&dests, |dest| plan.allows(dest, ChuteId(3))),
            nanos(&dests, |dest| array[dest.index()]),
        ];
        for (costs, cost) in costs.iter_mut().zip(all) {
            costs.push(cost);
        }
    }
    let [dest_at, bisection, dest, key, chutes, allows, read] = costs;
    print(
        "dest_at",
        "ns",
        &dest_at,
        "bisection of all ranges",
        &bisection,
    );
    let other = "a read at random";
    print("dest", "ns", &dest, other, &read);
    print("key", "ns", &key, other, &read);
    print("chutes, the first of them", "ns", &chutes, other, &read);
    print("allows", "ns", &allows, other, &read);
}

fn main() {
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let sizes = match is_bench {
        true => Sizes {
            rounds: 9,
            destinations: 100_000,
            addresses: 100_000,
            asked: 1_000_000,
        },
        false => Sizes {
            rounds: 1,
            destinations: 1_000,
            addresses: 1_000,
            asked: 1_000,
        },
    };
    let hub = HubFile::parse("bench", HUB).expect("the hub of this bench has no faults");
    let path = write_plan(&sizes);
    println!(
        "{} destinations and {} addresses over {CHUTES} chutes",
        sizes.destinations, sizes.addresses
    );
    compile(&path, &hub.hub, sizes.rounds);
    let read = PlanFile::read(&path, &hub.hub, None).expect("a plan of this bench has no faults");
    questions(&read.plan, &sizes);
}
