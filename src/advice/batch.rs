//! A batch of rows: as they stand in the file, and as they go into the table.

use std::ops::Range;

use csv::ByteRecord;
use sorthub_core::directory::{Row, Waybill};
use sorthub_core::facts::Advice;

use super::columns::Columns;
use super::lines::{each_line, is_row_end, separators};
use super::places::Found;
use super::row::{self, Fields, Ready, Told};

/// Rows as they stand in the file.
#[derive(Debug)]
pub(super) enum Rows {
    /// Text without quotes, of whole lines.
    Lines {
        bytes: Vec<u8>,
        /// Where it begins in the file.
        start: u64,
    },
    /// Records, with their places in a text.
    Records {
        records: Vec<ByteRecord>,
        /// Only so many from here and up to there; the others keep their memory.
        used: Range<usize>,
        /// Where that text begins in the file.
        start: u64,
    },
}

/// Some rows. All batches of a file go round between two threads, so that their memory is taken
/// only once.
#[derive(Debug)]
pub(super) struct Batch {
    rows: Rows,
    is_prepared: bool,
    separators: Vec<u32>,
    fields: Vec<(u32, u32)>,
    /// For the table.
    pub prepared: Vec<Row<'static>>,
    /// Those for the table whose number must be kept as text. They are equal to none of the
    /// others, so that their order matters only among themselves.
    pub texts: Vec<(Box<str>, Advice)>,
    /// Faults; line feeds are counted from the first row of the batch.
    pub found: Vec<Found>,
    pub left_out: u64,
    feeds: u64,
}

/// The header, and where it begins.
pub(super) struct Header {
    pub names: ByteRecord,
    pub byte: u64,
    pub feeds: u64,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            rows: Rows::Lines {
                bytes: Vec::new(),
                start: 0,
            },
            is_prepared: false,
            separators: Vec::new(),
            fields: Vec::new(),
            prepared: Vec::new(),
            texts: Vec::new(),
            found: Vec::new(),
            left_out: 0,
            feeds: 0,
        }
    }

    /// Takes everything out; with the memory for text and for records, if it has some.
    pub(super) fn clear(&mut self) -> (Vec<u8>, Vec<ByteRecord>) {
        self.is_prepared = false;
        self.prepared.clear();
        self.texts.clear();
        self.found.clear();
        (self.left_out, self.feeds) = (0, 0);
        let (bytes, start) = (Vec::new(), 0);
        match std::mem::replace(&mut self.rows, Rows::Lines { bytes, start }) {
            Rows::Lines { mut bytes, .. } => {
                bytes.clear();
                (bytes, Vec::new())
            }
            Rows::Records { records, .. } => (Vec::new(), records),
        }
    }

    /// Puts rows into an empty batch.
    pub(super) fn set(&mut self, rows: Rows) {
        self.rows = rows;
    }

    /// Takes the header out, if it is in this batch: the first row that is not blank.
    pub(super) fn take_header(&mut self, separator: u8) -> Option<Header> {
        match &mut self.rows {
            Rows::Lines { bytes, start } => {
                // A byte order mark, with which some editors begin a file.
                let mark = "\u{feff}".as_bytes();
                let mut from = match *start == 0 && bytes.starts_with(mark) {
                    true => mark.len(),
                    false => 0,
                };
                loop {
                    let rest = bytes.get(from..).filter(|rest| !rest.is_empty())?;
                    let end = rest.iter().position(|byte| is_row_end(*byte));
                    let line = rest.split_at(end.unwrap_or(rest.len())).0;
                    let (byte, next) = (*start + from as u64, from + line.len() + 1);
                    let names = ByteRecord::from_iter(line.split(|byte| *byte == separator));
                    if !is_blank(names.as_slice()) {
                        let before = bytes.get(..from).unwrap_or(&[]);
                        let feeds = before.iter().filter(|byte| **byte == b'\n').count() as u64;
                        // Blank bytes take the place of what is taken out, so that places and
                        // line feeds still count.
                        for byte in bytes.iter_mut().take(next) {
                            if *byte != b'\n' {
                                *byte = b'\r';
                            }
                        }
                        return Some(Header { names, byte, feeds });
                    }
                    from = next;
                }
            }
            Rows::Records {
                records,
                used,
                start,
            } => {
                let is_header = |nth: &usize| !is_blank(records[*nth].as_slice());
                let nth = used.clone().find(is_header)?;
                let names = records[nth].clone();
                used.start = nth + 1;
                let at = names.position();
                let (byte, feeds) = at.map_or((0, 0), |at| (at.byte(), at.line() - 1));
                let byte = *start + byte;
                Some(Header { names, byte, feeds })
            }
        }
    }

    /// Line feeds in it, if it is text. Records count theirs from where the first of them begins.
    pub(super) fn feeds(&self) -> u64 {
        match (&self.rows, self.is_prepared) {
            (Rows::Lines { bytes, .. }, false) => {
                bytes.iter().filter(|byte| **byte == b'\n').count() as u64
            }
            _ => self.feeds,
        }
    }

    /// Understands the rows, unless that has been done.
    pub(super) fn prepare(&mut self, columns: &Columns) {
        if std::mem::replace(&mut self.is_prepared, true) {
            return;
        }
        let mut taker = Taker {
            columns,
            prepared: &mut self.prepared,
            texts: &mut self.texts,
            found: &mut self.found,
            left_out: &mut self.left_out,
        };
        match &self.rows {
            Rows::Lines { bytes, start } => {
                let text = std::str::from_utf8(bytes).ok();
                separators(bytes, columns.separator, &mut self.separators);
                let (separators, fields) = (&self.separators, &mut self.fields);
                self.feeds = each_line(bytes, separators, fields, |from, ranges, feeds| {
                    let fields = Fields {
                        bytes,
                        text,
                        ranges,
                    };
                    taker.take(&fields, *start + from as u64, feeds);
                });
            }
            Rows::Records {
                records,
                used,
                start,
            } => {
                for record in records.get(used.clone()).unwrap_or(&[]) {
                    let bytes = record.as_slice();
                    let range = |nth| record.range(nth).unwrap_or_default();
                    let ranges = (0..record.len()).map(range);
                    self.fields.clear();
                    self.fields
                        .extend(ranges.map(|range| (range.start as u32, range.end as u32)));
                    let whole = |text: &&str| {
                        let mut starts = self.fields.iter().map(|(from, _)| *from as usize);
                        starts.all(|from| text.is_char_boundary(from))
                    };
                    let fields = Fields {
                        bytes,
                        text: std::str::from_utf8(bytes).ok().filter(whole),
                        ranges: &self.fields,
                    };
                    let at = record.position();
                    let (byte, line) = at.map_or((0, 1), |at| (at.byte(), at.line()));
                    taker.take(&fields, *start + byte, line - 1);
                }
            }
        }
    }
}

/// Whether a row says nothing: spreadsheets leave rows of commas behind.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.trim_ascii().is_empty()
}

/// Takes rows one by one.
struct Taker<'b> {
    columns: &'b Columns,
    prepared: &'b mut Vec<Row<'static>>,
    texts: &'b mut Vec<(Box<str>, Advice)>,
    found: &'b mut Vec<Found>,
    left_out: &'b mut u64,
}

impl Taker<'_> {
    fn take(&mut self, fields: &Fields<'_>, byte: u64, feeds: u64) {
        let found = &mut *self.found;
        let tell = |(field, kind): Told| {
            found.push(Found {
                byte,
                feeds,
                field,
                kind,
            });
        };
        match row::read(fields, self.columns, tell) {
            Some(Ready::Row(row)) => self.prepared.push(row),
            Some(Ready::Text(text, advice)) => self.texts.push((text, advice)),
            None if fields.is_blank() => {}
            None => *self.left_out += 1,
        }
    }
}

/// The row of a waybill whose number was kept as text.
pub(super) fn text_row<'t>((text, advice): &'t (Box<str>, Advice)) -> Option<Row<'t>> {
    let waybill = Waybill::of(text).ok()?;
    let advice = *advice;
    Some(Row { waybill, advice })
}
