//! CSV rows with the places of their fields.

use std::ops::Range;

use super::collect::Listing;
use super::fault::{Fault, FaultKind, RowFault, TraceFault};
use super::names::nearest;
use super::number::{NumberFault, scaled};
use super::source::{Source, Span};

/// A table as it stands in a file: a header and rows.
pub(super) struct Rows<'s> {
    source: &'s Source,
    /// What stands between two fields.
    separator: u8,
    header: Row,
    pub(super) rows: Vec<Row>,
    faults: Vec<Fault>,
    listing: Listing,
}

/// One row.
pub(super) struct Row {
    /// Where it begins, in bytes.
    start: usize,
    fields: csv::StringRecord,
}

impl Row {
    /// A field without the blanks around it; empty where there is none.
    pub(super) fn field(&self, column: usize) -> &str {
        self.fields.get(column).unwrap_or("").trim()
    }

    /// Where each field stands, as far as they stand on the row's first line.
    pub(super) fn places(&self, source: &Source, separator: u8) -> Vec<Span> {
        let rest = source.text().get(self.start..).unwrap_or("");
        let line_end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = rest.get(..line_end).unwrap_or("");
        let ranges = field_ranges(line, separator).into_iter();
        let place =
            |range: Range<usize>| Span::from(self.start + range.start..self.start + range.end);
        ranges.map(place).collect()
    }
}

impl<'s> Rows<'s> {
    /// Splits a text. An error if there is not even a header.
    pub(super) fn read(source: &'s Source, header: &'static str) -> Result<Self, Vec<Fault>> {
        let separator = separator(source.text());
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(source.text().as_bytes());
        let mut all = Self {
            source,
            separator,
            header: Row {
                start: 0,
                fields: csv::StringRecord::new(),
            },
            rows: vec![],
            faults: vec![],
            listing: Listing::default(),
        };
        let mut has_header = false;
        let mut records = reader.records();
        while let Some(record) = records.next() {
            match record {
                // Spreadsheets leave rows of commas behind; they say nothing.
                Ok(fields) if fields.iter().all(|field| field.trim().is_empty()) => {}
                Ok(fields) => {
                    let start = start_of(source, &fields);
                    let row = Row { start, fields };
                    if has_header {
                        all.add(row);
                    } else {
                        all.header = row;
                        has_header = true;
                    }
                }
                Err(error) => {
                    let at = records.reader().position().byte() as usize;
                    let problem = error.to_string();
                    all.fault(Span::from(at..at), RowFault::BadRow { problem });
                }
            }
        }
        if has_header {
            Ok(all)
        } else {
            Err(vec![
                source.fault(Span::default(), RowFault::Empty { header }),
            ])
        }
    }

    fn add(&mut self, row: Row) {
        let wanted = self.header.fields.len();
        let mut fields = row.fields.iter().map(str::as_bytes);
        if let Some(at) = fields.position(|field| holds_rows(field, self.separator, wanted)) {
            return self.fault_at(&row, Some(at), RowFault::OpenQuote);
        }
        let mut beyond = row.fields.iter().skip(wanted);
        let more = beyond.any(|field| !field.trim().is_empty());
        if row.fields.len() < wanted || more {
            let found = row.fields.len();
            self.fault_at(&row, None, RowFault::RowLength { found, wanted });
        } else {
            self.rows.push(row);
        }
    }

    /// What is wrong, and how many more faults there are than are listed.
    pub(super) fn take_faults(&mut self) -> (Vec<Fault>, Listing) {
        (
            std::mem::take(&mut self.faults),
            std::mem::take(&mut self.listing),
        )
    }

    /// What is wrong, with a last fault that counts those which are not listed.
    pub(super) fn into_faults(mut self) -> Vec<Fault> {
        let more = self.faults.last().map(|last| self.listing.rest(last));
        self.faults.extend(more.unwrap_or_default());
        self.faults
    }

    /// Whether something is wrong.
    pub(super) fn is_faulty(&self) -> bool {
        !self.faults.is_empty()
    }

    fn fault(&mut self, place: Span, kind: impl Into<FaultKind>) {
        let kind = kind.into();
        if self.listing.takes(kind.severity()) {
            self.faults.push(self.source.fault(place, kind));
        }
    }

    /// The positions of columns by their names. A fault for each that is there twice, for each
    /// needed one that is missing, and for each that is none of these.
    pub(super) fn columns_of<const N: usize>(
        &mut self,
        known: [&'static str; N],
        needed: &[&'static str],
    ) -> Option<[Option<usize>; N]> {
        let given = self.given();
        let mut all_good = true;
        for (at, column) in given.iter().enumerate() {
            if column.is_empty() || known.contains(&column.as_str()) {
                continue;
            }
            all_good = false;
            let fault = RowFault::UnknownColumn {
                column: column.clone(),
                nearest: nearest(column, known),
                known: known.join(", "),
            };
            self.fault(self.place(&self.header, Some(at)), fault);
        }
        let found = known.map(|name| {
            let mut places = (0..given.len()).filter(|&at| given[at] == name);
            let first = places.next();
            let place = if let Some(second) = places.next() {
                let fault = RowFault::ColumnTwice {
                    column: name.into(),
                };
                Some((self.place(&self.header, Some(second)), fault))
            } else if first.is_none() && needed.contains(&name) {
                let unknown = given.iter().map(String::as_str);
                let nearest = nearest(name, unknown.filter(|given| !known.contains(given)));
                let fault = RowFault::MissingColumn {
                    column: name.into(),
                    nearest,
                };
                Some((self.place(&self.header, None), fault))
            } else {
                None
            };
            if let Some((place, fault)) = place {
                all_good = false;
                self.fault(place, fault);
            }
            first
        });
        all_good.then_some(found)
    }

    /// The columns as the header gives them, without regard to case.
    fn given(&self) -> Vec<String> {
        let names = self.header.fields.iter();
        names.map(|name| name.trim().to_lowercase()).collect()
    }

    /// The positions of columns by their names; a fault for each that is missing or there twice.
    pub(super) fn columns<const N: usize>(
        &mut self,
        names: [&'static str; N],
    ) -> Option<[usize; N]> {
        let given = self.given();
        let mut all_there = true;
        let found = names.map(|name| {
            let mut places = (0..given.len()).filter(|&at| given[at] == name);
            let first = places.next();
            let fault = match (first, places.next()) {
                (Some(first), None) => return first,
                (Some(_), Some(second)) => (
                    Some(second),
                    RowFault::ColumnTwice {
                        column: name.into(),
                    },
                ),
                (None, _) => {
                    let unused = given
                        .iter()
                        .map(String::as_str)
                        .filter(|g| !names.contains(g));
                    let nearest = nearest(name, unused);
                    (
                        None,
                        RowFault::MissingColumn {
                            column: name.into(),
                            nearest,
                        },
                    )
                }
            };
            all_there = false;
            let place = self.place(&self.header, fault.0);
            self.fault(place, fault.1);
            0
        });
        all_there.then_some(found)
    }

    /// The line of a row.
    pub(super) fn line_of(&self, row: &Row) -> u32 {
        self.source.line_of(row.start)
    }

    /// Adds a fault at a field, or at the whole row.
    pub(super) fn fault_at(
        &mut self,
        row: &Row,
        column: Option<usize>,
        kind: impl Into<FaultKind>,
    ) {
        self.fault(self.place(row, column), kind);
    }

    /// Adds a fault at the header.
    pub(super) fn fault_at_header(&mut self, kind: impl Into<FaultKind>) {
        self.fault(self.place(&self.header, None), kind);
    }

    /// A field as a number times ten to the power of `shift`; `what` is what faults call it.
    pub(super) fn number(
        &mut self,
        row: &Row,
        column: usize,
        what: &str,
        shift: u32,
    ) -> Option<u64> {
        let text = row.field(column);
        let (what, found) = (what.to_owned(), text.to_owned());
        let fault = match scaled(text, shift) {
            Ok(number) => return Some(number),
            Err(_) if text.is_empty() => TraceFault::NoValue { what },
            Err(NumberFault::NotANumber) => TraceFault::BadNumber { what, found },
            Err(NumberFault::Negative) => TraceFault::Negative { what, found },
            Err(NumberFault::TooLarge) => TraceFault::OutOfRange {
                what,
                found,
                range: "far smaller",
            },
        };
        self.fault_at(row, Some(column), fault);
        None
    }

    /// Where a field stands, or the whole row.
    pub(super) fn place(&self, row: &Row, column: Option<usize>) -> Span {
        let places = row.places(self.source, self.separator);
        let end = places.last().map_or(row.start, |last| last.end);
        // A field behind a quoted line break cannot be shown on the row's first line.
        let field = column.and_then(|column| places.get(column).copied());
        field.unwrap_or(Span::from(row.start..end))
    }

    /// What stands between two fields.
    pub(super) fn separator(&self) -> u8 {
        self.separator
    }
}

/// Where a record really begins: the reader counts the blank lines before it as part of it.
fn start_of(source: &Source, fields: &csv::StringRecord) -> usize {
    let at = fields
        .position()
        .map_or(0, |position| position.byte() as usize);
    let before = source.text().get(at..).unwrap_or("");
    at + before.len() - before.trim_start_matches(['\n', '\r']).len()
}

/// Whether a field goes over line ends and has lines in it that are rows of a table with so many
/// columns. Whoever writes a note of several lines seldom separates it like a row; a quote that is
/// never closed makes the rest of a file one field.
pub(crate) fn holds_rows(field: &[u8], separator: u8, columns: usize) -> bool {
    let mut others = field.split(|byte| matches!(byte, b'\n' | b'\r')).skip(1);
    let is_row = |line: &[u8]| {
        let separators = line.iter().filter(|byte| **byte == separator).count();
        columns > 1 && separators + 1 >= columns
    };
    others.any(is_row)
}

/// Where each field stands in a line.
pub(crate) fn field_ranges(line: &str, separator: u8) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, byte) in line.bytes().enumerate() {
        quoted ^= byte == b'"';
        if byte == separator && !quoted {
            ranges.push(start..at);
            start = at + 1;
        }
    }
    ranges.push(start..line.len());
    ranges
}

/// A comma; where the header has none, the semicolon or tab that spreadsheets write instead.
pub(crate) fn separator(text: &str) -> u8 {
    let mut lines = text.lines();
    let header = lines.find(|line| !line.trim().is_empty()).unwrap_or("");
    let others = [b';', b'\t'].into_iter();
    let mut others = others.filter(|other| header.as_bytes().contains(other));
    let other = others.next().filter(|_| !header.contains(','));
    other.unwrap_or(b',')
}
