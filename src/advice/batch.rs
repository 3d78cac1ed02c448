//! A batch of rows: as they stand in the file, and as they go into the table.

use std::ops::Range;

use csv::ByteRecord;
use sorthub_core::directory::{PARTS, Row, Waybill};
use sorthub_core::facts::Advice;

use super::blocks::Stopped;
use super::columns::Columns;
use super::lines::{Ends, is_row_end};
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

/// Some rows. All batches of a file go round, so that their memory is taken only once.
#[derive(Debug)]
pub(super) struct Batch {
    rows: Rows,
    ends: Ends,
    /// The bounds of one record's fields.
    record_bounds: Vec<u32>,
    /// For each part of the table.
    pub prepared: [Vec<Row<'static>>; PARTS],
    /// Those for the table whose number must be kept as text. They are equal to none of the
    /// others, so that their order matters only among themselves.
    pub texts: Vec<(Box<str>, Advice)>,
    /// Faults; line feeds are counted from the first row of the batch.
    pub found: Vec<Found>,
    pub left_out: u64,
    /// Line feeds in it, if it is text. Records count theirs from where the first of them begins.
    pub feeds: u64,
    /// Why there are no more rows behind it, if not because the file ends.
    pub stopped: Option<Stopped>,
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
            ends: Ends::default(),
            record_bounds: Vec::new(),
            prepared: Default::default(),
            texts: Vec::new(),
            found: Vec::new(),
            left_out: 0,
            feeds: 0,
            stopped: None,
        }
    }

    /// Takes everything out; with the memory for text and for records, if it has some.
    pub(super) fn clear(&mut self) -> (Vec<u8>, Vec<ByteRecord>) {
        self.prepared.iter_mut().for_each(Vec::clear);
        self.stopped = None;
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

    /// Line feeds of text that is not understood yet.
    pub(super) fn line_feeds(&self) -> u64 {
        match &self.rows {
            Rows::Lines { bytes, .. } => bytes.iter().filter(|byte| **byte == b'\n').count() as u64,
            Rows::Records { .. } => 0,
        }
    }

    /// Understands the rows.
    pub(super) fn prepare(&mut self, columns: &Columns) {
        let mut taker = Taker {
            columns,
            ready: Ready {
                prepared: &mut self.prepared,
                texts: &mut self.texts,
            },
            found: &mut self.found,
            left_out: &mut self.left_out,
        };
        match &self.rows {
            Rows::Lines { bytes, start } => {
                let text = std::str::from_utf8(bytes).ok();
                let separator = columns.separator;
                self.feeds = self.ends.each_line(bytes, separator, |line| {
                    let fields = Fields {
                        bytes,
                        text,
                        bounds: line.bounds,
                        between: 1,
                    };
                    taker.take(&fields, *start + line.start as u64, line.feeds);
                });
            }
            Rows::Records {
                records,
                used,
                start,
            } => {
                for record in records.get(used.clone()).unwrap_or(&[]) {
                    let bytes = record.as_slice();
                    let end = |nth| record.range(nth).map_or(0, |range| range.end as u32);
                    self.record_bounds.clear();
                    self.record_bounds.push(0);
                    self.record_bounds.extend((0..record.len()).map(end));
                    let whole = |text: &&str| {
                        let mut ends = self.record_bounds.iter().map(|end| *end as usize);
                        ends.all(|end| text.is_char_boundary(end))
                    };
                    let fields = Fields {
                        bytes,
                        text: std::str::from_utf8(bytes).ok().filter(whole),
                        bounds: &self.record_bounds,
                        between: 0,
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
    ready: Ready<'b>,
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
        let is_taken = row::read(fields, self.columns, &mut self.ready, tell);
        *self.left_out += u64::from(!is_taken && !fields.is_blank());
    }
}

/// The row of a waybill whose number was kept as text.
pub(super) fn text_row<'t>((text, advice): &'t (Box<str>, Advice)) -> Option<Row<'t>> {
    let waybill = Waybill::of(text).ok()?;
    Some(Row::new(waybill, advice))
}
