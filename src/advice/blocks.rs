//! Cutting a file into batches of whole rows, which can then be understood on any thread.
//!
//! As long as there is no quote in a file, its rows end where its lines end, and a batch is a piece
//! of text. From the first quote on, rows are split by the `csv` crate, and a batch is a list of
//! records.

use std::io::{self, Chain, Cursor, Read};

use csv::{ByteRecord, ReaderBuilder};

use super::batch::{Batch, Rows};
use super::lines::is_row_end;

/// The text of a batch: few enough that it stays in the second cache with what is made of it, and
/// enough that handing it over costs nothing.
const BLOCK_BYTES: usize = 128 * 1_024;

/// Records of a batch.
const RECORDS: usize = 1_024;

/// The longest row. Quotes that are never closed make the rest of a file one row, which must not
/// fill the memory.
pub(super) const ROW_KB_MAX: usize = 1_024;

/// Why there are no more rows before the end of the file.
#[derive(Debug)]
pub(super) enum Stopped {
    /// A row is longer than [`ROW_KB_MAX`]. It begins so many bytes from the beginning of the
    /// file, and so many line feeds behind the batches before.
    RowTooLong { byte: u64, feeds: u64 },
    /// The file cannot be read on.
    Unreadable(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// How records are split: as in every table that this program reads.
pub(super) fn reader_of<R: Read>(input: R, separator: u8) -> csv::Reader<R> {
    ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(BLOCK_BYTES)
        .from_reader(input)
}

/// A file on its way into batches.
pub(super) struct Blocks<R> {
    separator: u8,
    state: State<R>,
}

enum State<R> {
    Lines {
        input: R,
        /// Where the next block begins in the file.
        start: u64,
        /// The beginning of a row whose end is not read yet.
        carry: Vec<u8>,
    },
    Records {
        reader: csv::Reader<Bounded<Chain<Cursor<Vec<u8>>, R>>>,
        /// Where the reader's text begins in the file.
        start: u64,
    },
    Done,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(input: R, separator: u8) -> Self {
        let (start, carry) = (0, Vec::new());
        let state = State::Lines {
            input,
            start,
            carry,
        };
        Self { separator, state }
    }

    /// Fills a batch; whether there is something in it. After the end or an error there is nothing
    /// any more.
    pub(super) fn fill(&mut self, batch: &mut Batch) -> Result<bool, Stopped> {
        let (mut bytes, mut records) = batch.clear();
        let mut state = std::mem::replace(&mut self.state, State::Done);
        if let State::Lines {
            input,
            start,
            carry,
        } = &mut state
        {
            bytes.append(carry);
            let is_end = read_block(input, *start, &mut bytes)?;
            if !bytes.contains(&b'"') {
                if !is_end {
                    let whole = bytes.iter().rposition(|byte| is_row_end(*byte));
                    let rest = bytes.split_off(whole.map_or(0, |at| at + 1));
                    *carry = rest;
                }
                let from = *start;
                *start += bytes.len() as u64;
                let is_some = !bytes.is_empty();
                batch.set(Rows::Lines { bytes, start: from });
                if !is_end {
                    self.state = state;
                }
                return Ok(is_some);
            }
        }
        if let State::Lines { input, start, .. } = state {
            let input = Bounded {
                input: Cursor::new(std::mem::take(&mut bytes)).chain(input),
                bytes: 0,
            };
            let reader = reader_of(input, self.separator);
            state = State::Records { reader, start };
        }
        let State::Records { reader, start } = &mut state else {
            return Ok(false);
        };
        let (used, more) = fill_records(reader, *start, &mut records);
        batch.set(Rows::Records {
            records,
            used: 0..used,
            start: *start,
        });
        if more? {
            self.state = state;
        }
        Ok(used > 0)
    }
}

/// Reads until there is a block with a row's end in it; whether the file ends with it. A carriage
/// return at its end may be half of a line end, which does no harm: what follows is an empty line.
fn read_block<R: Read>(input: &mut R, start: u64, bytes: &mut Vec<u8>) -> Result<bool, Stopped> {
    loop {
        let read = input.by_ref().take(BLOCK_BYTES as u64).read_to_end(bytes)?;
        if read < BLOCK_BYTES {
            return Ok(true);
        }
        if bytes.iter().any(|byte| is_row_end(*byte)) || bytes.contains(&b'"') {
            return Ok(false);
        }
        if bytes.len() > ROW_KB_MAX * 1_000 {
            let (byte, feeds) = (start, 0);
            return Err(Stopped::RowTooLong { byte, feeds });
        }
    }
}

/// How many records there are, and whether there may be more.
fn fill_records<R: Read>(
    reader: &mut csv::Reader<Bounded<R>>,
    start: u64,
    records: &mut Vec<ByteRecord>,
) -> (usize, Result<bool, Stopped>) {
    records.resize_with(RECORDS, ByteRecord::new);
    for (used, record) in records.iter_mut().enumerate() {
        reader.get_mut().bytes = 0;
        let (byte, line) = (reader.position().byte(), reader.position().line());
        let stopped = match reader
            .read_byte_record(record)
            .map_err(csv::Error::into_kind)
        {
            Ok(true) => continue,
            Ok(false) => return (used, Ok(false)),
            Err(csv::ErrorKind::Io(error)) if TooLong::is(&error) => Stopped::RowTooLong {
                byte: start + byte,
                feeds: line - 1,
            },
            Err(csv::ErrorKind::Io(error)) => Stopped::Unreadable(error),
            Err(other) => Stopped::Unreadable(io::Error::other(format!("{other:?}"))),
        };
        return (used, Err(stopped));
    }
    (RECORDS, Ok(true))
}

/// An input that ends with an error if too much of it is taken for one record.
struct Bounded<R> {
    input: R,
    /// Read since the record began.
    bytes: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes > ROW_KB_MAX * 1_000 {
            return Err(io::Error::other(TooLong));
        }
        let read = self.input.read(buffer)?;
        self.bytes += read;
        Ok(read)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the row is too long")]
struct TooLong;

impl TooLong {
    fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}
