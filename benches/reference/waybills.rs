//! A file of pre-advice as a large hub gets it: numbers of several carriers, a hundred thousand
//! places, declared mass and size.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// So many rows, each a function of its number.
pub struct Sample {
    rows: u64,
}

/// Different segments, each with its postcode and branch.
const PLACES: u64 = 100_000;
const BRANCHES: u64 = 4_000;

/// A number without a pattern from one with (SplitMix64).
fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Sample {
    pub fn new(rows: u64) -> Self {
        Self { rows }
    }

    /// The waybill of a row. Carriers give numbers out in sequence, with gaps.
    pub fn waybill(&self, row: u64) -> String {
        let serial = row * 7 + scatter(row) % 7;
        let letters = |nth: u64| char::from(b'A' + (scatter(row + nth) % 26) as u8);
        match scatter(row) % 100 {
            0..=29 => format!("SF{:013}", 1_300_000_000_000 + serial),
            30..=44 => format!("YT{:013}", 8_800_000_000_000 + serial),
            45..=64 => format!("{:014}", 78_000_000_000_000 + serial),
            65..=76 => format!("JT{:013}", 3_000_000_000_000 + serial),
            77..=84 => format!("E{}{:09}CN", letters(1), 100_000_000 + serial),
            85..=89 => format!("{:018}", 340_123_450_000_000_000 + serial),
            90..=94 => format!("1Z{}{:015}", letters(2), serial),
            _ => format!("92612{:017}", 90_000_000_000_000 + serial),
        }
    }

    /// The row that look-up `nth` asks for; no order that a cache could foresee.
    pub fn row_to_ask(&self, nth: u64) -> u64 {
        scatter(nth ^ 0x5eed) % self.rows
    }

    /// Writes the file; how many bytes it has.
    pub fn write(&self, path: &Path) -> io::Result<u64> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        writeln!(
            file,
            "waybill,destination,segment,postcode,service,contents,weight_g,length_mm,width_mm,\
             height_mm,pieces"
        )?;
        for row in 0..self.rows {
            let random = scatter(row ^ 0xca11);
            let place = random % PLACES;
            let branch = place % BRANCHES;
            let service = if random >> 20 & 3 == 0 {
                "express"
            } else {
                "standard"
            };
            let contents = match random >> 22 & 127 {
                0 => "dangerous",
                1..=40 => "documents",
                _ => "goods",
            };
            let side = |shift: u32| 50 + (random >> shift) % 550;
            writeln!(
                file,
                "{},BRANCH-{branch:04},{:03}-{:02}-{:03},{:06},{service},{contents},{},{},{},{},1",
                self.waybill(row),
                branch % 700,
                place / BRANCHES,
                place % 997,
                100_000 + place * 7,
                50 + random % 19_000,
                side(30),
                side(40),
                side(50),
            )?;
        }
        file.flush()?;
        Ok(std::fs::metadata(path)?.len())
    }
}
