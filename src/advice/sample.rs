//! How many rows a file has, guessed from parts of it, so that the table is made in the right
//! size from the start.

use std::io::{Read, Seek, SeekFrom};

use csv::ByteRecord;
use sorthub_core::directory::{Expected, Waybill};

use super::blocks::reader_of;
use super::lines::is_row_end;
use crate::config::rows::separator;

/// Parts that are looked at, spread over the file: carriers often stand one behind the other.
const PARTS: u64 = 64;
const PART_BYTES: u64 = 16 * 1_024;

/// What stands in the parts.
#[derive(Default)]
struct Seen {
    bytes: u64,
    narrow: u64,
    wide: u64,
}

/// Guesses, and goes back to the beginning. Also finds what stands between fields.
pub(super) fn look<R: Read + Seek>(input: &mut R) -> std::io::Result<(Expected, u8)> {
    let length = input.seek(SeekFrom::End(0))?;
    let mut seen = Seen::default();
    let (mut waybill, mut separator) = (None, b',');
    let mut part = Vec::new();
    // Parts of a small file overlap; then all of it is looked at once.
    let parts = PARTS.min(length / (PART_BYTES * 2)).max(1);
    let part_bytes = if parts == 1 {
        length.min(PART_BYTES * PARTS)
    } else {
        PART_BYTES
    };
    for nth in 0..parts {
        input.seek(SeekFrom::Start(length / parts * nth))?;
        part.clear();
        input.by_ref().take(part_bytes).read_to_end(&mut part)?;
        if nth == 0 {
            separator = separator_of(&part);
            waybill = header_of(&part, separator);
        }
        let Some(column) = waybill else {
            break;
        };
        seen.count(&part, separator, column);
    }
    input.seek(SeekFrom::Start(0))?;
    let all = |rows: u64| match seen.bytes {
        0 => 0,
        // Half a percent more, so that the guess is seldom too small.
        bytes => (u128::from(length) * u128::from(rows) * 201 / (u128::from(bytes) * 200)) as usize,
    };
    let expected = Expected {
        narrow: all(seen.narrow),
        wide: all(seen.wide),
    };
    Ok((expected, separator))
}

/// What stands between fields, by the header.
fn separator_of(part: &[u8]) -> u8 {
    let is_text = |line: &&[u8]| !line.trim_ascii().is_empty();
    let header = part.split(|byte| is_row_end(*byte)).find(is_text);
    separator(&String::from_utf8_lossy(header.unwrap_or(&[])))
}

/// Which column holds the waybill.
fn header_of(part: &[u8], separator: u8) -> Option<usize> {
    let mut record = ByteRecord::new();
    let is_there = reader_of(part, separator).read_byte_record(&mut record);
    is_there.ok().filter(|there| *there)?;
    let is_waybill = |name: &[u8]| name.trim_ascii().eq_ignore_ascii_case(b"waybill");
    record.iter().position(is_waybill)
}

impl Seen {
    /// Counts the whole rows of a part. Its first row may be the end of one, or the header.
    fn count(&mut self, part: &[u8], separator: u8, column: usize) {
        let is_break = |byte: &u8| *byte == b'\n';
        let first = part
            .iter()
            .position(is_break)
            .map_or(part.len(), |at| at + 1);
        let last = part.iter().rposition(is_break).map_or(0, |at| at + 1);
        let Some(rows) = part.get(first..last) else {
            return;
        };
        let mut reader = reader_of(rows, separator);
        let mut record = ByteRecord::new();
        while let Ok(true) = reader.read_byte_record(&mut record) {
            let field = record.get(column).unwrap_or(b"");
            match std::str::from_utf8(field.trim_ascii()).map(Waybill::of) {
                Ok(Ok(waybill)) if waybill.is_narrow() => self.narrow += 1,
                _ => self.wide += 1,
            }
        }
        self.bytes += rows.len() as u64;
    }
}
