//! Faults with their places: the line is read again from the file when all of it has been read,
//! because only the few that are listed need theirs.

use std::io::{Read, Seek, SeekFrom};

use crate::config::Fault;
use crate::config::FaultKind;
use crate::config::rows::field_ranges;
use crate::config::source::{Source, Span};

/// A fault, and where its row begins.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// In bytes from the beginning of the file.
    pub byte: u64,
    /// Line feeds before it, but for those of blank lines right before it.
    pub feeds: u64,
    /// In which field, if in one.
    pub field: Option<usize>,
    pub kind: FaultKind,
}

/// As much of a line as is looked at; of a longer one the place is its beginning.
const LINE_BYTES_MAX: u64 = 16 * 1_024;

/// Reads the lines of faults.
pub(super) fn placed<R: Read + Seek>(
    name: &str,
    separator: u8,
    input: &mut R,
    found: Vec<Found>,
) -> Vec<Fault> {
    let placed = found.into_iter().map(|found| {
        let line = read_line(input, &found);
        place(name, separator, found, line)
    });
    placed.collect()
}

/// The line of a fault, with how many blank lines stand before it. If it cannot be read any more,
/// the fault is told without it.
fn read_line<R: Read + Seek>(input: &mut R, found: &Found) -> (u64, String) {
    let mut bytes = Vec::new();
    let read = input
        .seek(SeekFrom::Start(found.byte))
        .and_then(|_| input.by_ref().take(LINE_BYTES_MAX).read_to_end(&mut bytes));
    if read.is_err() {
        return (0, String::new());
    }
    // The `csv` crate counts line ends before a row as part of it.
    let is_end = |byte: &u8| *byte == b'\n' || *byte == b'\r';
    let blank = bytes.iter().take_while(|byte| is_end(byte)).count();
    let (before, rest) = bytes.split_at(blank);
    let ends = before.iter().filter(|byte| **byte == b'\n').count() as u64;
    let line = rest.split(is_end).next().unwrap_or(&[]);
    (ends, String::from_utf8_lossy(line).into_owned())
}

fn place(name: &str, separator: u8, found: Found, (blank, line): (u64, String)) -> Fault {
    let source = Source::new(name, line);
    let text = source.text();
    let fields = field_ranges(text, separator);
    // A field behind a quoted line break cannot be shown on the row's first line.
    let field = found.field.and_then(|field| fields.get(field).cloned());
    let span = Span::from(field.unwrap_or(0..text.len()));
    let mut fault = source.fault(span, found.kind);
    fault.line = u32::try_from(found.feeds + blank + 1).unwrap_or(u32::MAX);
    fault
}
