//! The layout of a recorded line: `property,value,unit`.

use std::collections::BTreeMap;

use crate::config::fault::{Fault, Odd, TraceFault};
use crate::config::names::nearest;
use crate::config::rows::{Row, Rows};
use crate::config::source::Source;

/// The header that every layout begins with.
const HEADER: &str = "property,value,unit";

/// A line as its layout describes it, in mm and mm/s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) speed_mm_s: u32,
    pub(super) infeed_to_scanner_mm: u32,
    pub(super) scanner_to_outfeed_mm: u32,
    pub(super) between_outfeeds_mm: u32,
    pub(super) return_mm: u32,
    /// The length of each outfeed that has none of its own.
    pub(super) any_outfeed_mm: Option<u32>,
    /// Lengths of outfeeds by their numbers, from 1.
    pub(super) outfeeds_mm: BTreeMap<u32, u32>,
}

impl Layout {
    /// How many outfeeds there are, where the layout itself says so.
    pub(super) fn outfeeds(&self) -> Option<u32> {
        match self.any_outfeed_mm {
            Some(_) => None,
            None => self.outfeeds_mm.keys().next_back().copied(),
        }
    }

    /// The length of an outfeed.
    pub(super) fn outfeed_mm(&self, number: u32) -> Option<u32> {
        self.outfeeds_mm
            .get(&number)
            .copied()
            .or(self.any_outfeed_mm)
    }
}

/// More outfeeds than any line has; a higher number is a slip.
pub(super) const OUTFEEDS_MAX: u32 = 1_000;

/// What a row can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Property {
    Speed,
    InfeedToScanner,
    ScannerToOutfeed,
    BetweenOutfeeds,
    Return,
    AnyOutfeed,
    Outfeed(u32),
}

/// Names as data sets give them, the usual one of a property first; case, plurals and blanks do
/// not matter.
const NAMES: &[(&str, Property)] = &[
    ("Belt Speed", Property::Speed),
    ("Distance Infeeds to Scanner", Property::InfeedToScanner),
    ("Distance Scanner to Outfeeds", Property::ScannerToOutfeed),
    ("Distance between Outfeeds", Property::BetweenOutfeeds),
    ("Distance Outfeeds to Infeeds", Property::Return),
    ("Distance Infeeds to Arrival", Property::Return),
    ("Length outfeed", Property::AnyOutfeed),
];

/// Those that every layout must have.
const NEEDED: &[Property] = &[
    Property::Speed,
    Property::InfeedToScanner,
    Property::ScannerToOutfeed,
    Property::BetweenOutfeeds,
    Property::Return,
];

/// Units with how many decimals of them the smaller unit holds.
type Units = &'static [(&'static str, u32)];
const OF_LENGTH: Units = &[("m", 3), ("cm", 1), ("mm", 0)];
const OF_SPEED: Units = &[("m/s", 3), ("mm/s", 0)];

impl Property {
    fn name(self) -> String {
        match self {
            Self::Outfeed(number) => format!("Length outfeed {number}"),
            other => NAMES
                .iter()
                .find(|(_, p)| *p == other)
                .map_or("", |(n, _)| *n)
                .to_owned(),
        }
    }

    fn named(text: &str) -> Option<Self> {
        let words = normal(text);
        if let Some((_, property)) = NAMES.iter().find(|(name, _)| normal(name) == words) {
            return Some(*property);
        }
        let number = words.strip_prefix("length outfeed ")?.parse().ok()?;
        (1..=OUTFEEDS_MAX)
            .contains(&number)
            .then_some(Self::Outfeed(number))
    }

    fn units(self) -> (Units, &'static str) {
        match self {
            Self::Speed => (OF_SPEED, "m/s or mm/s"),
            _ => (OF_LENGTH, "m, cm or mm"),
        }
    }
}

/// Lower case, single blanks, no plurals.
fn normal(text: &str) -> String {
    let words = text.split_whitespace().map(str::to_lowercase);
    let singular: Vec<String> = words
        .map(|word| word.trim_end_matches('s').to_owned())
        .collect();
    singular.join(" ")
}

/// Reads a layout; what is missing of it is zero where there are faults.
pub(super) fn read(source: &Source) -> (Layout, Vec<Fault>) {
    let mut layout = Layout::default();
    let mut rows = match Rows::read(source, HEADER) {
        Ok(rows) => rows,
        Err(faults) => return (layout, faults),
    };
    let Some([property, value, unit]) = rows.columns(["property", "value", "unit"]) else {
        return (layout, rows.into_faults());
    };
    let mut lines: BTreeMap<Property, u32> = BTreeMap::new();
    for row in std::mem::take(&mut rows.rows) {
        let text = row.field(property);
        let Some(found) = Property::named(text) else {
            unknown_property(&mut rows, &row, property);
            continue;
        };
        if let Some(&first_line) = lines.get(&found) {
            let fault = TraceFault::PropertyTwice {
                property: found.name(),
                first_line,
            };
            rows.fault_at(&row, Some(property), fault);
            continue;
        }
        lines.insert(found, rows.line_of(&row));
        let number = read_value(&mut rows, &row, found, [value, unit]).unwrap_or(1);
        layout.set(found, number);
    }
    let missing = NEEDED
        .iter()
        .copied()
        .filter(|property| !lines.contains_key(property));
    let missing: Vec<Property> = missing.chain(missing_outfeeds(&layout)).collect();
    for property in missing {
        let unit = if property == Property::Speed {
            "m/s"
        } else {
            "m"
        };
        let property = property.name();
        rows.fault_at_header(TraceFault::MissingProperty { property, unit });
    }
    (layout, rows.into_faults())
}

impl Layout {
    fn set(&mut self, property: Property, number: u32) {
        match property {
            Property::Speed => self.speed_mm_s = number,
            Property::InfeedToScanner => self.infeed_to_scanner_mm = number,
            Property::ScannerToOutfeed => self.scanner_to_outfeed_mm = number,
            Property::BetweenOutfeeds => self.between_outfeeds_mm = number,
            Property::Return => self.return_mm = number,
            Property::AnyOutfeed => self.any_outfeed_mm = Some(number),
            Property::Outfeed(outfeed) => {
                self.outfeeds_mm.insert(outfeed, number);
            }
        }
    }
}

/// Outfeeds between others that have no length, where there is none for all.
fn missing_outfeeds(layout: &Layout) -> Vec<Property> {
    let last = layout.outfeeds().unwrap_or(0);
    let without = (1..=last).filter(|number| layout.outfeed_mm(*number).is_none());
    without.map(Property::Outfeed).collect()
}

/// A property that nobody uses is odd, not wrong: the sets differ in what they add.
fn unknown_property(rows: &mut Rows<'_>, row: &Row, column: usize) {
    let property = row.field(column).to_owned();
    let nearest = nearest(&property, NAMES.iter().map(|(name, _)| *name));
    rows.fault_at(
        row,
        Some(column),
        Odd::PropertyNotUsed { property, nearest },
    );
}

/// A value in mm or mm/s, rounded half up.
fn read_value(
    rows: &mut Rows<'_>,
    row: &Row,
    property: Property,
    [value, unit]: [usize; 2],
) -> Option<u32> {
    let (units, allowed) = property.units();
    let given: String = row.field(unit).to_lowercase().split_whitespace().collect();
    let known = units.iter().find(|(name, _)| *name == given);
    if known.is_none() {
        let (property, unit_given) = (property.name(), row.field(unit).to_owned());
        let fault = TraceFault::OddUnit {
            property,
            unit: unit_given,
            allowed,
        };
        rows.fault_at(row, Some(unit), fault);
    }
    // A wrong unit must not hide a wrong number.
    let number = rows.number(
        row,
        value,
        &property.name(),
        known.map_or(3, |(_, shift)| *shift),
    )?;
    let (most, range) = match property {
        Property::Speed => (20_000, "above 0 and at most 20 m/s"),
        _ => (1_000_000, "above 0 and at most 1000 m"),
    };
    if known.is_some() && !(1..=most).contains(&number) {
        let (what, found) = (property.name(), row.field(value).to_owned());
        rows.fault_at(
            row,
            Some(value),
            TraceFault::OutOfRange { what, found, range },
        );
        return None;
    }
    known.and_then(|_| u32::try_from(number).ok())
}
