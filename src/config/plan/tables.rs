//! Large plans as tables: `destinations = "….csv"` and `addresses = "….csv"`.

use std::rc::Rc;

use sorthub_core::facts::Address;
use sorthub_core::ids::{ChuteId, DestId, WaveId};
use sorthub_core::plan::{AddressKind, DestinationSpec, Spread};

use super::super::bank::Names;
use super::super::collect::Listing;
use super::super::fault::{Fault, Meaning, Odd, RowFault, TextFault};
use super::super::names::nearest;
use super::super::reader::{Faults, Table, Value};
use super::super::rows::{Row, Rows};
use super::super::source::{Source, Span};
use super::super::syntax::Slips;
use super::destinations::{Adding, Places, SHARES_SAY_IT, in_order, owned};
use super::{Known, PLAN_TABLE_MB_MAX, PlanDraft, codes, ids, open_named};

/// Columns of a table of destinations; only the name must be there. Nobody reads `note`.
const DESTINATION: [&str; 11] = [
    "name",
    "chutes",
    "shares",
    "spread",
    "alternates",
    "overflow",
    "waves",
    "segments",
    "postcodes",
    "prefixes",
    "note",
];

const DESTINATION_HEADER: &str = "name,chutes,alternates,overflow,segments,postcodes";

/// Columns of a table of addresses.
const ADDRESS: [&str; 6] = ["kind", "prefix", "from", "to", "destination", "note"];

const ADDRESS_HEADER: &str = "kind,prefix,destination";

/// Whether a text is a table of destinations, of addresses, or neither, by its header.
pub(in super::super) fn kind_of(source: &Source) -> Option<Kind> {
    let mut lines = source.text().lines();
    let header = lines.find(|line| !line.trim().is_empty())?;
    let columns = header.split([',', ';', '\t']);
    let columns: Vec<String> = columns.map(|column| column.trim().to_lowercase()).collect();
    let has = |name: &str| columns.iter().any(|column| column == name);
    if has("kind") && has("destination") {
        Some(Kind::Addresses)
    } else if has("name") && (has("chutes") || has("waves")) {
        Some(Kind::Destinations)
    } else {
        None
    }
}

/// Every fault in the form of a table: what it names is not known.
pub(in super::super) fn check_form(source: &Source, kind: Kind) -> Vec<Fault> {
    let slips = Slips::default();
    let nothing = Source::new(source.name(), String::new());
    let faults = Faults::new(&nothing, &slips);
    let source = Rc::new(source.clone());
    let file = faults.add_file(&source, Slips::default());
    let mut draft = PlanDraft::new(Span::default());
    match kind {
        Kind::Addresses => read_address_rows(&source, file, &faults, None, &mut draft),
        Kind::Destinations => {
            let mut adding = Adding::new(&faults, &mut draft);
            read_destination_rows(&source, file, None, &mut adding);
        }
    }
    faults.finish()
}

/// The two tables of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Destinations,
    Addresses,
}

/// A table with its columns found.
struct Sheet<'s, const N: usize> {
    file: u16,
    rows: Vec<Row>,
    columns: [Option<usize>; N],
    source: &'s Source,
    separator: u8,
}

/// One row of a table.
struct Cells<'c, const N: usize> {
    row: &'c Row,
    columns: [Option<usize>; N],
    places: Vec<Span>,
    whole: Span,
}

/// Splits a table that has been taken in; `None` if it cannot be used, which is then reported.
fn sheet<'s, const N: usize>(
    faults: &Faults<'_>,
    file: u16,
    source: &'s Source,
    (known, needed): ([&'static str; N], &[&'static str]),
    header: &'static str,
) -> Option<Sheet<'s, N>> {
    let mut rows = match Rows::read(source, header) {
        Ok(rows) => rows,
        Err(found) => {
            faults.absorb(file, found, &Listing::default());
            return None;
        }
    };
    let columns = rows.columns_of(known, needed);
    if rows.rows.is_empty() && !rows.is_faulty() {
        rows.fault_at_header(Odd::NoRows);
    }
    let (found, listing) = rows.take_faults();
    faults.absorb(file, found, &listing);
    let separator = rows.separator();
    Some(Sheet {
        file,
        columns: columns?,
        rows: rows.rows,
        source,
        separator,
    })
}

impl<const N: usize> Sheet<'_, N> {
    fn cells<'c>(&self, row: &'c Row) -> Cells<'c, N> {
        let mut places = row.places(self.source, self.separator);
        for place in &mut places {
            place.file = self.file;
        }
        let (start, end) = match (places.first(), places.last()) {
            (Some(first), Some(last)) => (first.start, last.end),
            _ => (0, 0),
        };
        Cells {
            row,
            columns: self.columns,
            places,
            whole: Span::of(self.file, start..end),
        }
    }
}

impl<'c, const N: usize> Cells<'c, N> {
    /// What stands in a column; `None` if nothing does.
    fn get(&self, column: usize) -> Option<(&'c str, Span)> {
        let at = self.columns[column]?;
        let text = self.row.field(at);
        let place = self.places.get(at).copied().unwrap_or(self.whole);
        (!text.is_empty()).then_some((text, place))
    }

    /// What stands there, part by part.
    fn parts(&self, column: usize) -> Vec<(&'c str, Span)> {
        let Some((text, place)) = self.get(column) else {
            return vec![];
        };
        parts(text).map(|part| (part, place)).collect()
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split('|')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

pub(super) fn read_destinations(value: Value<'_>, known: &Known<'_>, adding: &mut Adding<'_, '_>) {
    let Some(source) = open_named(value, known.files, PLAN_TABLE_MB_MAX) else {
        return;
    };
    let file = adding.faults.add_file(&source, Slips::default());
    read_destination_rows(&source, file, Some(known), adding);
}

/// Without a hub only the form is checked.
fn read_destination_rows(
    source: &Source,
    file: u16,
    known: Option<&Known<'_>>,
    adding: &mut Adding<'_, '_>,
) {
    let faults = adding.faults;
    let columns = (DESTINATION, ["name"].as_slice());
    let Some(sheet) = sheet(faults, file, source, columns, DESTINATION_HEADER) else {
        return;
    };
    for row in &sheet.rows {
        let cells = sheet.cells(row);
        let list = |column: usize| {
            let Some(known) = known else { return vec![] };
            let (key, texts) = (DESTINATION[column], cells.parts(column));
            ids(known.chutes.find_set_of(key, &texts, faults))
        };
        let (name, place) = cells.get(0).unwrap_or(("", cells.whole));
        if name.is_empty() {
            faults.add_error(place, || no_value("name"));
        }
        let prefixes = cells.parts(9);
        let mark = faults.mark();
        let dest = DestinationSpec {
            name: name.to_owned(),
            chutes: list(1),
            spread: spread(&cells, faults),
            alternates: list(4),
            overflow: list(5),
            waves: known.map_or(vec![], |known| waves(&cells, known, adding)),
            prefixes: owned(&prefixes),
        };
        let sound = faults.mark() == mark;
        adding.add_codes(&cells.parts(7), AddressKind::Segment);
        adding.add_codes(&cells.parts(8), AddressKind::Postcode);
        adding.add_prefixes(&dest, place, &prefixes);
        let shares = cells.get(2).map_or(place, |(_, place)| place);
        let name = place;
        adding.add(
            dest,
            Places {
                name,
                shares,
                sound,
            },
        );
    }
}

fn no_value(column: &str) -> TextFault {
    TextFault::Blank {
        key: column.to_owned(),
    }
}

/// Either shares in their column, or a word in that of the spread.
fn spread(cells: &Cells<'_, 11>, faults: &Faults<'_>) -> Spread {
    if let Some((text, place)) = cells.get(2) {
        if let Some((_, place)) = cells.get(3) {
            faults.add_error(place, || TextFault::NotHere {
                key: "spread".to_owned(),
                why: SHARES_SAY_IT,
            });
        }
        let share = |part: &str| part.parse().map_err(|_| part.to_owned());
        let numbers: Result<Vec<u16>, String> = parts(text).map(share).collect();
        let numbers = numbers.unwrap_or_else(|found| {
            faults.add_error(place, || TextFault::OutOfRange {
                key: "shares".to_owned(),
                found: format!("`{found}`"),
                least: 0,
                most: u16::MAX.into(),
            });
            vec![1; parts(text).count()]
        });
        return Spread::Shares(numbers);
    }
    match cells.get(3) {
        None | Some(("preferred", _)) => Spread::Preferred,
        Some(("level", _)) => Spread::Level,
        Some((word, place)) => {
            let allowed = vec!["preferred", "level"];
            faults.add_error(place, || TextFault::NotOneOf {
                key: "spread".to_owned(),
                found: word.to_owned(),
                nearest: nearest(word, allowed.iter().copied()),
                allowed,
            });
            Spread::Preferred
        }
    }
}

/// `morning:A01|A02;night:A03`.
fn waves(
    cells: &Cells<'_, 11>,
    known: &Known<'_>,
    adding: &Adding<'_, '_>,
) -> Vec<(WaveId, Vec<ChuteId>)> {
    let Some((text, place)) = cells.get(6) else {
        return vec![];
    };
    let mut found: Vec<(WaveId, Vec<ChuteId>)> = Vec::new();
    for part in text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (name, list) = part.split_once(':').unwrap_or((part, ""));
        let Some(at) = adding.waves.find(name.trim(), place, adding.faults) else {
            continue;
        };
        let wave = WaveId(at as u8);
        if found.iter().any(|(other, _)| *other == wave) {
            let (key, name) = ("waves".to_owned(), name.trim().to_owned());
            adding.faults.add(place, Meaning::Repeated { key, name });
        }
        let texts: Vec<(&str, Span)> = parts(list).map(|part| (part, place)).collect();
        let chutes = known.chutes.find_set_of("waves", &texts, adding.faults);
        found.push((wave, ids(chutes)));
    }
    in_order(found)
}

pub(super) fn read_addresses(
    table: &Table<'_>,
    known: &Known<'_>,
    dests: &Names,
    draft: &mut PlanDraft,
) {
    let Some(value) = table.get("addresses") else {
        return;
    };
    let Some(source) = open_named(value, known.files, PLAN_TABLE_MB_MAX) else {
        return;
    };
    let file = table.faults.add_file(&source, Slips::default());
    read_address_rows(&source, file, table.faults, Some(dests), draft);
}

/// Without the names of destinations only the form is checked.
fn read_address_rows(
    source: &Source,
    file: u16,
    faults: &Faults<'_>,
    dests: Option<&Names>,
    draft: &mut PlanDraft,
) {
    let columns = (ADDRESS, ["kind", "destination"].as_slice());
    let Some(sheet) = sheet(faults, file, source, columns, ADDRESS_HEADER) else {
        return;
    };
    for row in &sheet.rows {
        let cells = sheet.cells(row);
        let kind = kind(&cells, faults);
        let prefixes = prefixes(&cells, faults);
        let Some((name, place)) = cells.get(4) else {
            faults.add_error(cells.whole, || no_value("destination"));
            continue;
        };
        let to = match dests {
            Some(dests) => dests.find(name, place, faults),
            None => None,
        };
        if let (Some(kind), Some((prefixes, place)), Some(to)) = (kind, prefixes, to) {
            draft.add_addresses(kind, &prefixes, DestId(to as u32), place);
        }
    }
}

fn kind(cells: &Cells<'_, 6>, faults: &Faults<'_>) -> Option<AddressKind> {
    let (word, place) = cells.get(0).unwrap_or(("", cells.whole));
    match word {
        "segment" => Some(AddressKind::Segment),
        "postcode" => Some(AddressKind::Postcode),
        other => {
            let allowed = vec!["segment", "postcode"];
            faults.add_error(place, || TextFault::NotOneOf {
                key: "kind".to_owned(),
                found: other.to_owned(),
                nearest: nearest(other, allowed.iter().copied()),
                allowed,
            });
            None
        }
    }
}

/// `prefix`, or `from` and `to`.
fn prefixes(cells: &Cells<'_, 6>, faults: &Faults<'_>) -> Option<(Vec<Address>, Span)> {
    let (found, text, place) = match (cells.get(1), cells.get(2), cells.get(3)) {
        (Some((prefix, place)), None, None) => (codes::prefixes(prefix), prefix.to_owned(), place),
        (None, Some((from, place)), Some((to, _))) => {
            (codes::range(from, to), format!("{from}..{to}"), place)
        }
        _ => {
            faults.add_error(cells.whole, || RowFault::PrefixOrRange);
            return None;
        }
    };
    match found {
        Ok(prefixes) => Some((prefixes, place)),
        Err(problem) => {
            faults.add_error(place, || TextFault::BadAddressRange {
                found: text,
                problem,
            });
            None
        }
    }
}
