//! The thread that splits a file into records, ahead of the one that understands them.

use std::io::Read;

use crossbeam::channel::{Receiver, Sender, bounded};
use csv::{ByteRecord, ReaderBuilder};

/// Records that are handed over at once: few enough to stay in the second cache, enough that
/// handing them over costs nothing.
const BATCH_ROWS: usize = 512;

/// Batches on their way. The two threads seldom are further apart than one.
const BATCHES: usize = 4;

/// The longest row. Quotes that are never closed make the rest of a file one row, which must not
/// fill the memory.
pub(super) const ROW_KB_MAX: usize = 1_024;

/// How much is read from the file at once.
const BUFFER_BYTES: usize = 256 * 1_024;

/// Some records; only the first `rows` are of this batch, the others keep their memory.
#[derive(Debug, Default)]
pub(super) struct Batch {
    records: Vec<ByteRecord>,
    rows: usize,
}

impl Batch {
    pub(super) fn rows(&self) -> &[ByteRecord] {
        self.records.get(..self.rows).unwrap_or(&[])
    }
}

/// Why no more records come before the end of the file.
#[derive(Debug)]
pub(super) enum Stopped {
    /// A row is longer than [`ROW_KB_MAX`]. It begins at this byte and line.
    RowTooLong { byte: u64, line: u64 },
    /// The file cannot be read on.
    Unreadable(std::io::Error),
}

/// The end of the channels that the parser has.
pub(super) struct Parser {
    full: Sender<Result<Batch, Stopped>>,
    empty: Receiver<Batch>,
}

/// The other end.
pub(super) struct Batches {
    full: Receiver<Result<Batch, Stopped>>,
    empty: Sender<Batch>,
}

pub(super) fn channel() -> (Parser, Batches) {
    let (full, full_end) = bounded(BATCHES);
    let (empty_end, empty) = bounded(BATCHES + 2);
    let parser = Parser { full, empty };
    let batches = Batches {
        full: full_end,
        empty: empty_end,
    };
    (parser, batches)
}

impl Batches {
    /// The next batch; `None` after the last one.
    pub(super) fn next(&self) -> Option<Result<Batch, Stopped>> {
        self.full.recv().ok()
    }

    /// Gives a batch's memory back. If there is no room for it, it is freed.
    pub(super) fn give_back(&self, batch: Batch) {
        let _ = self.empty.try_send(batch);
    }
}

/// How records are split: as in every table that this program reads.
pub(super) fn reader_of<R: Read>(input: R) -> csv::Reader<R> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(BUFFER_BYTES)
        .from_reader(input)
}

impl Parser {
    /// Splits all of a file, or as much as is asked for.
    pub(super) fn run<R: Read>(self, input: R) {
        let mut reader = reader_of(Bounded { input, bytes: 0 });
        loop {
            let mut batch = self.empty.try_recv().unwrap_or_default();
            let more = fill(&mut reader, &mut batch);
            let is_last = !matches!(more, Ok(true));
            // Nobody listens any more when the rows before were refused for good.
            if batch.rows > 0 && self.full.send(Ok(batch)).is_err() {
                return;
            }
            if let Err(stopped) = more {
                let _ = self.full.send(Err(stopped));
            }
            if is_last {
                return;
            }
        }
    }
}

/// Fills a batch; whether there may be more records.
fn fill<R: Read>(reader: &mut csv::Reader<Bounded<R>>, batch: &mut Batch) -> Result<bool, Stopped> {
    batch.rows = 0;
    batch.records.resize_with(BATCH_ROWS, ByteRecord::new);
    for record in &mut batch.records {
        reader.get_mut().bytes = 0;
        let (byte, line) = (reader.position().byte(), reader.position().line());
        match reader.read_byte_record(record) {
            Ok(true) => batch.rows += 1,
            Ok(false) => return Ok(false),
            Err(error) => {
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) if TooLong::is(&error) => {
                        Stopped::RowTooLong { byte, line }
                    }
                    csv::ErrorKind::Io(error) => Stopped::Unreadable(error),
                    other => Stopped::Unreadable(std::io::Error::other(format!("{other:?}"))),
                });
            }
        }
    }
    Ok(true)
}

/// An input that ends with an error if too much of it is taken for one record.
struct Bounded<R> {
    input: R,
    /// Read since the record began.
    bytes: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.bytes > ROW_KB_MAX * 1_000 {
            return Err(std::io::Error::other(TooLong));
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
    fn is(error: &std::io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}
