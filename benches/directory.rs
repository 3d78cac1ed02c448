//! What pre-advice for ten million waybills takes: memory, look-ups beside a hash map over the same
//! entries, loading beside splitting the file alone, and the peak of a reload.
//!
//! `cargo bench --bench directory` prints medians over rounds, in which both sides take turns, with
//! the lowest and the highest. Ratios are of the two sides of one round. `-- loading` leaves out
//! look-ups and the reload. Without `--bench` one short round over a small file runs.

use std::fs::File;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use csv::{ByteRecord, ReaderBuilder};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use sorthub::advice::{Generations, Options, TagColumn, load_file};
use sorthub_core::directory::{Builder, Directory, Expected, Row, Waybill, Waybills};
use sorthub_core::facts::{Advice, Measures, Tags};
use sorthub_core::ids::CodeId;

#[path = "../core/tests/common/counting.rs"]
mod counting;
#[path = "reference/waybills.rs"]
mod waybills;

use counting::all_held_bytes;
use waybills::Sample;

/// Set for the process that only loads a file twice and says how much memory that took.
const RELOAD: &str = "SORTHUB_BENCH_RELOAD";

struct Size {
    rows: u64,
    lookups: usize,
    rounds: usize,
    load_rounds: usize,
}

const FULL: Size = Size {
    rows: 10_000_000,
    lookups: 2_000_000,
    rounds: 9,
    load_rounds: 7,
};

const SMOKE: Size = Size {
    rows: 20_000,
    lookups: 10_000,
    rounds: 1,
    load_rounds: 1,
};

fn options() -> Options {
    Options {
        tags: vec![TagColumn {
            tag: Tags::DANGEROUS,
            column: "contents".to_owned(),
            value: "dangerous".to_owned(),
        }],
        ..Options::default()
    }
}

/// Median with lowest and highest.
fn spread(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [
        values[values.len() / 2],
        values[0],
        values[values.len() - 1],
    ]
}

fn print(what: &str, unit: &str, values: Vec<f64>) {
    let [middle, low, high] = spread(values);
    println!("{what:<52} {middle:>8.2} {unit} ({low:.2} to {high:.2})");
}

fn ratio(what: &str, ours: &[f64], theirs: &[f64]) {
    let each = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs);
    print(&format!("  ratio, {what}"), "", each.collect());
}

fn memory(path: &Path) -> Waybills {
    let before = all_held_bytes();
    let loaded = load_file(path, &options()).expect("the file was written by this bench");
    let held = all_held_bytes() - before;
    let (waybills, report) = (loaded.waybills, loaded.report);
    println!(
        "{} rows, {} waybills, {} different advices; counted by the allocator {:.1} MB",
        report.rows,
        waybills.len(),
        waybills.advices(),
        held as f64 / 1e6
    );
    let each = held as f64 / waybills.len() as f64;
    print(
        "memory, declared measures included",
        "bytes a waybill",
        vec![each],
    );
    waybills
}

/// Nanoseconds a call of something that is done for each of a list.
fn each_ns<T, A>(list: &[T], call: impl Fn(&T) -> A) -> f64 {
    let begun = Instant::now();
    for item in list {
        black_box(call(item));
    }
    begun.elapsed().as_nanos() as f64 / list.len() as f64
}

/// Nanoseconds a call where which item is next hangs on the answer before.
fn chain_ns<T>(list: &[T], call: impl Fn(&T) -> u32) -> f64 {
    // No answer has this bit, but the compiler cannot know, so the processor has to wait.
    let mask = black_box(1_usize << 31);
    let mut answer = 0;
    let begun = Instant::now();
    for at in 0..list.len() {
        answer = call(&list[at | answer as usize & mask]);
    }
    black_box(answer);
    begun.elapsed().as_nanos() as f64 / list.len() as f64
}

/// The map that ours is held against, over the same entries.
fn hash_map(sample: &Sample, size: &Size) -> HashMap<u64, u32, FixedState> {
    let before = all_held_bytes();
    let mut map = HashMap::default();
    map.reserve(size.rows as usize);
    for row in 0..size.rows {
        map.insert(CodeId::of(&sample.waybill(row)).0, row as u32);
    }
    let held = all_held_bytes() - before;
    let each = held as f64 / map.len() as f64;
    print("  hashbrown, u64 to u32", "bytes a waybill", vec![each]);
    map
}

/// What a table without declared measures holds.
fn bare_memory(sample: &Sample, size: &Size, waybills: &Waybills) {
    let before = all_held_bytes();
    let is_narrow = |row: &u64| Waybill::of(&sample.waybill(*row)).is_ok_and(|it| it.is_narrow());
    let narrow = (0..size.rows).filter(is_narrow).count();
    let wide = size.rows as usize - narrow;
    let mut builder = Builder::new(Expected { narrow, wide });
    for row in 0..size.rows {
        let text = sample.waybill(row);
        let waybill = Waybill::of(&text).expect("the sample has waybills only");
        let advice = Advice {
            declared: Measures::default(),
            ..waybills
                .get(&waybill)
                .expect("the file was made of the sample")
        };
        let added = builder.add(&[Row::new(waybill, &advice)]);
        added.expect("there is room");
    }
    let built = builder.finish().expect("there is room");
    let held = all_held_bytes() - before;
    let each = held as f64 / built.waybills.len() as f64;
    print(
        "memory, without declared measures",
        "bytes a waybill",
        vec![each],
    );
}

fn lookups(waybills: Waybills, size: &Size) {
    let sample = Sample::new(size.rows);
    bare_memory(&sample, size, &waybills);
    let map = hash_map(&sample, size);
    assert_eq!(map.len(), waybills.len(), "the same entries");
    let rows = (0..size.lookups).map(|nth| sample.row_to_ask(nth as u64));
    let texts = Vec::from_iter(rows.map(|row| sample.waybill(row)));
    let of = |text| Waybill::of(text).expect("the sample has waybills only");
    let keys = Vec::from_iter(texts.iter().map(|text| of(text)));
    let hashes = Vec::from_iter(texts.iter().map(|text| CodeId::of(text).0));
    let mut directory = Directory::new();
    directory.set_waybills(Arc::new(waybills));
    let table = directory.waybills();
    let ours = |key: &Waybill<'_>| {
        table
            .find(key)
            .map_or(u32::MAX >> 1, |found| found.number())
    };
    let theirs = |key: &u64| map.get(key).copied().unwrap_or(u32::MAX >> 1);
    let whole = |text: &String| directory.advice(text).declared.weight.0;
    let mut rounds: [Vec<f64>; 6] = Default::default();
    for round in 0..=size.rounds {
        let figures = [
            each_ns(&keys, |key| ours(key)),
            each_ns(&hashes, |key| theirs(key)),
            chain_ns(&keys, ours),
            chain_ns(&hashes, theirs),
            each_ns(&texts, whole),
            chain_ns(&texts, whole),
        ];
        // The first round only warms up.
        if round > 0 || size.rounds == 1 {
            rounds
                .iter_mut()
                .zip(figures)
                .for_each(|(list, figure)| list.push(figure));
        }
    }
    let [
        apart,
        apart_map,
        chained,
        chained_map,
        whole_apart,
        whole_chained,
    ] = rounds;
    print(
        "one look-up, each hangs on the one before",
        "ns",
        chained.clone(),
    );
    print("  hashbrown, u64 to u32", "ns", chained_map.clone());
    ratio("at most 1.3", &chained, &chained_map);
    print("many look-ups at the same time, each", "ns", apart.clone());
    print("  hashbrown, u64 to u32", "ns", apart_map.clone());
    ratio("of many at the same time", &apart, &apart_map);
    print("from a code's text to its whole advice", "ns", whole_apart);
    print("  each hangs on the one before", "ns", whole_chained);
}

/// Splitting the file into records, and nothing else.
fn parse(path: &Path) -> u64 {
    let file = File::open(path).expect("the file was written by this bench");
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(256 * 1_024)
        .from_reader(file);
    let (mut record, mut rows) = (ByteRecord::new(), 0);
    while reader
        .read_byte_record(&mut record)
        .expect("the file can be read")
    {
        rows += u64::from(black_box(&record).len() > 1);
    }
    rows - 1
}

fn loading(path: &Path, size: &Size) {
    let (mut parse_s, mut load_s) = (vec![], vec![]);
    for _ in 0..size.load_rounds {
        let begun = Instant::now();
        let rows = parse(path);
        parse_s.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let loaded = load_file(path, &options()).expect("the file was written by this bench");
        load_s.push(begun.elapsed().as_secs_f64());
        assert_eq!(loaded.report.rows, rows, "the same rows");
    }
    print("splitting the file alone", "s", parse_s.clone());
    print("loading it", "s", load_s.clone());
    ratio(
        "splitting alone to loading, at least 0.7",
        &parse_s,
        &load_s,
    );
}

/// A figure of this process in MB, as the system counts it.
fn system_mb(figure: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(figure))?;
    let kb = line.trim_start_matches(':').split_whitespace().next()?;
    Some(kb.parse::<f64>().ok()? * 1_024.0 / 1e6)
}

/// In a process of its own, because the system only tells the highest of its whole life.
fn reload(path: &Path) {
    let generations = Generations::new(Directory::new());
    let mut reader = generations.reader();
    let load = || generations.load_file(path, &options()).map(drop);
    load().expect("the file was written by this bench");
    reader.refresh();
    generations.sweep();
    let figures = [system_mb("VmHWM"), system_mb("VmRSS")];
    load().expect("the file was written by this bench");
    reader.refresh();
    let left = generations.sweep();
    assert_eq!(left, 0, "the first generation is freed");
    let [Some(first), Some(one)] = figures else {
        println!("the system does not tell the memory of a process");
        return;
    };
    let (peak, after) = (
        system_mb("VmHWM").unwrap_or(0.0),
        system_mb("VmRSS").unwrap_or(0.0),
    );
    println!(
        "memory of a process that only loads, MB: peak of the first load {first:.0}, \
         loaded {one:.0}, peak of a reload {peak:.0}, after it {after:.0}"
    );
}

fn main() {
    if let Some(path) = std::env::var_os(RELOAD) {
        reload(Path::new(&path));
        return;
    }
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let only_loading = std::env::args().any(|arg| arg == "loading");
    let size = if is_bench { FULL } else { SMOKE };
    let path = file(&size);
    let waybills = memory(&path);
    loading(&path, &size);
    if !only_loading {
        lookups(waybills, &size);
        let own = std::env::current_exe().expect("a program knows where it is");
        let child = Command::new(own).env(RELOAD, &path).status();
        assert!(child.expect("a bench can start itself").success());
    }
    std::fs::remove_file(&path).expect("it was written by this bench");
}

fn file(size: &Size) -> PathBuf {
    let name = format!("waybills-{}-{}.csv", size.rows, std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let begun = Instant::now();
    let bytes = Sample::new(size.rows)
        .write(&path)
        .expect("the disk takes a file");
    let took: Duration = begun.elapsed();
    println!(
        "{} rows, {:.0} MB, written in {took:.1?}",
        size.rows,
        bytes as f64 / 1e6
    );
    path
}
