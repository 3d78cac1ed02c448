//! What it costs to say what a code is, with the whole shipped table.
//!
//! `cargo bench --bench identify` prints medians over rounds with the lowest and the highest, and
//! the ratio to reading every byte of the code once for its [`CodeId`], in the same round: less no
//! table can do. Without `--bench` one short round runs.

use std::hint::black_box;
use std::time::Instant;

use sorthub::config::CarrierFile;
use sorthub_core::identify::{Formats, Label};
use sorthub_core::ids::CodeId;

/// Rounds are many and short, so that most of them are not interrupted.
const ROUNDS: usize = 401;
/// Passages over a list of codes in one round.
const PASSES: u32 = 200;

/// Real labels, as scanners send them: carriers of three continents, misread and foreign codes.
const MIXED: &[&str] = &[
    "1Z5R89390357567127",
    "420787459405803699300124287899",
    "]C100376130321109103420",
    "SF1385628716739",
    "9622001900000000000000776632517510",
    "RB123456785GB",
    "%008182709980000020028101276",
    "JDX024407261700-1-1-",
    "3318810025",
    "773277027280336",
    "TBA502887274000",
    "JJD1410302937991",
    "YT8962646785389",
    "00340433836442636597",
    "0073938000549297",
    "463431409940372",
    "9261292700768711948020",
    "HTTPS://EXAMPLE.COM/1234",
    "C01-00000017",
    "1207119765021",
];
/// What fits most formats, and so is checked most often.
const DIGITS: &[&str] = &[
    "403934084723025",
    "201298452277",
    "73610555582883",
    "7196901075600307738",
];
const LABEL: &[&str] = &[
    "42090210",
    "1Z5R89390357567127",
    "420902109405803699300124287899",
];

fn print(what: &str, unit: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values[0], values[values.len() - 1]);
    let middle = values[values.len() / 2];
    println!("{what:<46} {middle:>7.1} {unit} ({low:.1} to {high:.1})");
}

/// What one code costs, in ns.
fn each(codes: &[&str], passes: u32, mut of: impl FnMut(&str)) -> f64 {
    let begun = Instant::now();
    for _ in 0..passes {
        for code in codes {
            of(black_box(code));
        }
    }
    begun.elapsed().as_nanos() as f64 / f64::from(passes) / codes.len() as f64
}

fn identify(formats: &Formats, what: &str, codes: &[&str], rounds: usize, passes: u32) {
    let (mut ours_ns, mut floor_ns, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let ours = each(codes, passes, |code| {
            black_box(formats.identify(code));
        });
        let floor = each(codes, passes, |code| {
            black_box(CodeId::of(code));
        });
        ours_ns.push(ours);
        floor_ns.push(floor);
        ratios.push(ours / floor);
    }
    print(&format!("identify, {what}"), "ns a code", ours_ns);
    print("  reading each byte once", "ns a code", floor_ns);
    print("  ratio", "x", ratios);
}

fn main() {
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let (rounds, passes) = if is_bench { (ROUNDS, PASSES) } else { (1, 10) };
    let formats = CarrierFile::shipped().formats;
    let (shapes, bytes) = formats.size();
    let count = formats.spec().formats.len();
    println!(
        "{count} formats with {shapes} shapes in {} KB",
        bytes / 1_000
    );
    identify(&formats, "mixed labels", MIXED, rounds, passes);
    identify(&formats, "bare digits", DIGITS, rounds, passes);
    let label = formats.label(LABEL.iter().copied());
    assert!(matches!(label, Label::Good { .. }), "{label:?}");
    let labels_ns = (0..rounds).map(|_| {
        each(&[""], passes, |_| {
            black_box(formats.label(black_box(LABEL).iter().copied()));
        })
    });
    print(
        "judge a label of three codes",
        "ns a label",
        labels_ns.collect(),
    );
}
