//! The parcels of a trace, one a row.

use std::collections::HashMap;

use sorthub_core::units::{Grams, Micros, Mm};

use super::layout::OUTFEEDS_MAX;
use crate::config::fault::{Fault, Odd, TraceFault};
use crate::config::number::{is_whole, scaled};
use crate::config::rows::{Row, Rows};
use crate::config::source::Source;

/// The header that every trace begins with.
const HEADER: &str = "parcel,arrival_s,length_m,width_m,height_m,weight_g,feasible_chutes";

const COLUMNS: [&str; 7] = [
    "parcel",
    "arrival_s",
    "length_m",
    "width_m",
    "height_m",
    "weight_g",
    "feasible_chutes",
];

/// Where a number of metres is so large that it was hardly meant, in mm.
const METRES_MAX_MM: u64 = 10_000;

/// What such a number can be in millimetres.
const PLAUSIBLE_MM: std::ops::RangeInclusive<u64> = 100..=3_000;

/// A parcel as its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parcel {
    pub(super) number: u64,
    pub(super) arrival: Micros,
    pub(super) size: [Mm; 3],
    pub(super) mass: Grams,
    /// Outfeeds that it may leave by, ascending; none: only reject.
    pub(super) feasible: Vec<u32>,
}

/// Reads all parcels. `outfeeds` is how many the layout has, where it says so itself.
pub(super) fn read(source: &Source, outfeeds: Option<u32>) -> (Vec<Parcel>, Vec<Fault>) {
    let mut rows = match Rows::read(source, HEADER) {
        Ok(rows) => rows,
        Err(faults) => return (vec![], faults),
    };
    let Some(columns) = rows.columns(COLUMNS) else {
        return (vec![], rows.into_faults());
    };
    let mut parcels = Vec::new();
    let mut lines: HashMap<u64, u32> = HashMap::new();
    let all = std::mem::take(&mut rows.rows);
    if all.is_empty() && !rows.is_faulty() {
        rows.fault_at_header(TraceFault::NoParcels);
    }
    for row in &all {
        let line = rows.line_of(row);
        let parcel = read_parcel(&mut rows, row, columns, outfeeds);
        let Some(number) = scaled(row.field(columns[0]), 0).ok() else {
            continue;
        };
        if let Some(&first_line) = lines.get(&number) {
            let parcel = number.to_string();
            let fault = TraceFault::DuplicateParcel { parcel, first_line };
            rows.fault_at(row, Some(columns[0]), fault);
            continue;
        }
        lines.insert(number, line);
        parcels.extend(parcel);
    }
    (parcels, rows.into_faults())
}

fn read_parcel(
    rows: &mut Rows<'_>,
    row: &Row,
    columns: [usize; 7],
    outfeeds: Option<u32>,
) -> Option<Parcel> {
    let [number, arrival, length, width, height, weight, feasible] = columns;
    let text = row.field(number).to_owned();
    let number = whole(rows, row, number, "parcel");
    let arrival = ranged(
        rows,
        row,
        arrival,
        ("arrival_s", 6),
        Range {
            most: 100_000_000_000_000,
            words: "at most 100 000 000 s",
        },
    );
    let length = metres(rows, row, length, "length_m", &text);
    let width = metres(rows, row, width, "width_m", &text);
    let height = metres(rows, row, height, "height_m", &text);
    let mass = ranged(
        rows,
        row,
        weight,
        ("weight_g", 0),
        Range {
            most: 1_000_000,
            words: "at most 1 000 000 g",
        },
    );
    let feasible = chutes(rows, row, feasible, outfeeds);
    Some(Parcel {
        number: number?,
        arrival: Micros(arrival?),
        size: [Mm(length?), Mm(width?), Mm(height?)],
        mass: Grams(mass? as u32),
        feasible: feasible?,
    })
}

fn whole(rows: &mut Rows<'_>, row: &Row, column: usize, what: &str) -> Option<u64> {
    let value = rows.number(row, column, what, 0)?;
    let text = row.field(column);
    if !is_whole(text) {
        let (what, found) = (what.to_owned(), text.to_owned());
        rows.fault_at(row, Some(column), TraceFault::NotWhole { what, found });
        return None;
    }
    Some(value)
}

/// The largest value of a column in its small unit, and how to say it.
#[derive(Clone, Copy)]
struct Range {
    most: u64,
    words: &'static str,
}

fn ranged(
    rows: &mut Rows<'_>,
    row: &Row,
    column: usize,
    (what, shift): (&'static str, u32),
    range: Range,
) -> Option<u64> {
    let value = rows.number(row, column, what, shift)?;
    if value > range.most {
        let (what, found) = (what.to_owned(), row.field(column).to_owned());
        let fault = TraceFault::OutOfRange {
            what,
            found,
            range: range.words,
        };
        rows.fault_at(row, Some(column), fault);
        return None;
    }
    Some(value)
}

/// A length in metres as mm, rounded half up. A few rows of recorded sets hold millimetres
/// instead; where that is the only thing a number can mean, it is read so, and said.
fn metres(
    rows: &mut Rows<'_>,
    row: &Row,
    column: usize,
    what: &'static str,
    parcel: &str,
) -> Option<u32> {
    let mm = rows.number(row, column, what, 3)?;
    let found = row.field(column).to_owned();
    if (1..=METRES_MAX_MM).contains(&mm) {
        return u32::try_from(mm).ok();
    }
    match scaled(&found, 0) {
        Ok(as_mm) if mm > METRES_MAX_MM && PLAUSIBLE_MM.contains(&as_mm) => {
            let odd = Odd::LengthInMm {
                column: what,
                parcel: parcel.to_owned(),
                found,
            };
            rows.fault_at(row, Some(column), odd);
            u32::try_from(as_mm).ok()
        }
        _ => {
            let range = "above 0 and at most 10 m";
            let fault = TraceFault::OutOfRange {
                what: what.to_owned(),
                found,
                range,
            };
            rows.fault_at(row, Some(column), fault);
            None
        }
    }
}

/// Outfeed numbers joined by `|`.
fn chutes(
    rows: &mut Rows<'_>,
    row: &Row,
    column: usize,
    outfeeds: Option<u32>,
) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    let mut good = true;
    for part in row
        .field(column)
        .split('|')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let most = outfeeds.unwrap_or(OUTFEEDS_MAX);
        let fault = match part.parse::<u64>() {
            Ok(number) if (1..=u64::from(most)).contains(&number) => {
                found.push(number as u32);
                continue;
            }
            Ok(chute) => TraceFault::UnknownChute {
                chute,
                chutes: most,
            },
            Err(_) => {
                let what = "feasible_chutes".to_owned();
                TraceFault::BadNumber {
                    what,
                    found: part.to_owned(),
                }
            }
        };
        good = false;
        rows.fault_at(row, Some(column), fault);
    }
    found.sort_unstable();
    found.dedup();
    good.then_some(found)
}
