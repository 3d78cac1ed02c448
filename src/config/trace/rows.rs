//! CSV rows with the places of their fields.

use super::number::{NumberFault, scaled};
use crate::config::fault::{Fault, FaultKind, TraceFault};
use crate::config::names::nearest;
use crate::config::source::{Source, Span};

/// A table as it stands in a file: a header and rows.
pub(super) struct Rows<'s> {
    source: &'s Source,
    header: Row,
    pub(super) rows: Vec<Row>,
    pub(super) faults: Vec<Fault>,
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
}

impl<'s> Rows<'s> {
    /// Splits a text. An error if there is not even a header.
    pub(super) fn read(source: &'s Source, header: &'static str) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(source.text().as_bytes());
        let mut rows = Vec::new();
        let mut records = reader.records();
        while let Some(record) = records.next() {
            match record {
                Ok(fields) => rows.push(Row {
                    start: start_of(source, &fields),
                    fields,
                }),
                Err(error) => {
                    let at = records.reader().position().byte() as usize;
                    let problem = error.to_string();
                    faults.push(source.fault(span(at, at), TraceFault::BadRow { problem }));
                }
            }
        }
        // Spreadsheets leave rows of commas behind; they say nothing.
        rows.retain(|row| row.fields.iter().any(|field| !field.trim().is_empty()));
        if rows.is_empty() {
            return Err(vec![
                source.fault(Span::default(), TraceFault::Empty { header }),
            ]);
        }
        let header = rows.remove(0);
        let mut all = Self {
            source,
            header,
            rows: vec![],
            faults,
        };
        for row in rows {
            let wanted = all.header.fields.len();
            let more = row
                .fields
                .iter()
                .skip(wanted)
                .any(|field| !field.trim().is_empty());
            if row.fields.len() < wanted || more {
                let found = row.fields.len();
                all.fault_at(&row, None, TraceFault::RowLength { found, wanted });
            } else {
                all.rows.push(row);
            }
        }
        Ok(all)
    }

    /// The positions of columns by their names; a fault for each that is missing or there twice.
    pub(super) fn columns<const N: usize>(
        &mut self,
        names: [&'static str; N],
    ) -> Option<[usize; N]> {
        let given: Vec<String> = self
            .header
            .fields
            .iter()
            .map(|name| name.trim().to_lowercase())
            .collect();
        let mut all_there = true;
        let found = names.map(|name| {
            let mut places = (0..given.len()).filter(|&at| given[at] == name);
            let first = places.next();
            let fault = match (first, places.next()) {
                (Some(first), None) => return first,
                (Some(_), Some(second)) => (Some(second), TraceFault::ColumnTwice { column: name }),
                (None, _) => {
                    let unused = given
                        .iter()
                        .map(String::as_str)
                        .filter(|g| !names.contains(g));
                    let nearest = nearest(name, unused);
                    (
                        None,
                        TraceFault::MissingColumn {
                            column: name,
                            nearest,
                        },
                    )
                }
            };
            all_there = false;
            let place = self.place(&self.header, fault.0);
            self.faults.push(self.source.fault(place, fault.1));
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
        let place = self.place(row, column);
        self.faults.push(self.source.fault(place, kind));
    }

    /// Adds a fault at the header.
    pub(super) fn fault_at_header(&mut self, kind: impl Into<FaultKind>) {
        let place = self.place(&self.header, None);
        self.faults.push(self.source.fault(place, kind));
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

    /// Where a field stands.
    fn place(&self, row: &Row, column: Option<usize>) -> Span {
        let rest = self.source.text().get(row.start..).unwrap_or("");
        let line_end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let whole = span(row.start, row.start + line_end);
        let line = rest.get(..line_end).unwrap_or("");
        // A field behind a quoted line break cannot be shown on the row's first line.
        match column.and_then(|column| field_in(line, column)) {
            Some(field) => span(row.start + field.start, row.start + field.end),
            None => whole,
        }
    }
}

/// Where a field stands in a line of a table.
pub(crate) fn field_in(line: &str, column: usize) -> Option<std::ops::Range<usize>> {
    let (mut start, mut nth, mut quoted) = (0, 0, false);
    for (at, byte) in line.bytes().enumerate() {
        quoted ^= byte == b'"';
        if byte == b',' && !quoted {
            if nth == column {
                return Some(start..at);
            }
            nth += 1;
            start = at + 1;
        }
    }
    (nth == column).then_some(start..line.len())
}

/// Where a record really begins: the reader counts the blank lines before it as part of it.
fn start_of(source: &Source, fields: &csv::StringRecord) -> usize {
    let at = fields
        .position()
        .map_or(0, |position| position.byte() as usize);
    let before = source.text().get(at..).unwrap_or("");
    at + before.len() - before.trim_start_matches(['\n', '\r']).len()
}

fn span(start: usize, end: usize) -> Span {
    Span { start, end }
}
