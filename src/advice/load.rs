//! Reading a file into a table.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;

use csv::ByteRecord;
use sorthub_core::directory::{BuildError, Builder, Row, Waybills};

use super::columns::Columns;
use super::parse::{Batch, ROW_KB_MAX, Stopped, channel};
use super::places::{Found, placed};
use super::{Options, row, sample};
use crate::config::fault::{AdviceFault, Fault, FaultKind, TextFault};

/// What came of a file that was taken.
#[derive(Debug)]
pub struct Loaded {
    /// The table.
    pub waybills: Waybills,
    /// What is to be said of it.
    pub report: Report,
}

/// What is to be said of a file that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Waybills in the table.
    pub waybills: usize,
    /// Rows that were taken, those among them that another one replaced later.
    pub rows: u64,
    /// Rows for a waybill that had one before; the last one of each stands.
    pub replaced: u64,
    /// Rows that were left out because of a fault; none unless the file was read leniently.
    pub left_out: u64,
    /// The first faults of rows that were left out.
    pub faults: Vec<Fault>,
    /// Further faults, which are not listed.
    pub more_faults: u64,
}

/// A file that was not taken; what was there before stays.
#[derive(Debug, thiserror::Error)]
pub struct Refused {
    /// The first faults, in the order of their places.
    pub faults: Vec<Fault>,
    /// Further faults, which are not listed.
    pub more_faults: u64,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, fault) in self.faults.iter().enumerate() {
            let between = if nth == 0 { "" } else { "\n\n" };
            write!(f, "{between}{fault}")?;
        }
        match self.more_faults {
            0 => Ok(()),
            more => write!(f, "\n\nand {more} more faults"),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// It cannot be read, has a fault in a row and is not read leniently, or has a fault that leaves
/// no rows to read.
pub fn load_file(path: &Path, options: &Options) -> Result<Loaded, Refused> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(mut file) => load(&name, &mut file, options),
        Err(error) => Err(unreadable(&name, &error)),
    }
}

/// Reads something that is like a file, under the name that faults will give.
///
/// # Errors
/// As [`load_file`].
pub fn load<R: Read + Seek + Send>(
    name: &str,
    input: &mut R,
    options: &Options,
) -> Result<Loaded, Refused> {
    let expected = sample::expected(input).map_err(|error| unreadable(name, &error))?;
    let mut loading = Loading {
        options,
        columns: None,
        builder: Some(Builder::new(expected)),
        rows: 0,
        left_out: 0,
        found: Vec::new(),
        more_faults: 0,
        is_refused: false,
    };
    let (parser, batches) = channel();
    thread::scope(|scope| {
        scope.spawn(|| parser.run(&mut *input));
        // By value, so that the parser finds nobody listening if the rest is of no use.
        let batches = batches;
        while let Some(batch) = batches.next() {
            match batch {
                Ok(batch) => {
                    if loading.take(&batch).is_break() {
                        return;
                    }
                    batches.give_back(batch);
                }
                Err(stopped) => loading.stop(stopped),
            }
        }
    });
    loading.finish(name, input)
}

fn unreadable(name: &str, error: &std::io::Error) -> Refused {
    let found = Found {
        byte: 0,
        line: 1,
        field: None,
        kind: unreadable_kind(error),
    };
    Refused {
        faults: placed(name, &mut std::io::empty(), vec![found]),
        more_faults: 0,
    }
}

fn unreadable_kind(error: &std::io::Error) -> FaultKind {
    let problem = error.to_string();
    TextFault::Unreadable { problem }.into()
}

/// A file on its way into a table.
struct Loading<'o> {
    options: &'o Options,
    /// Of the header, once it was read.
    columns: Option<Columns>,
    /// Until nothing more can be built.
    builder: Option<Builder>,
    rows: u64,
    left_out: u64,
    found: Vec<Found>,
    more_faults: u64,
    /// Whether the file is refused as a whole.
    is_refused: bool,
}

impl Loading<'_> {
    /// Takes some records. It breaks off if the rest need not be read.
    fn take(&mut self, batch: &Batch) -> ControlFlow<()> {
        let mut records = batch.rows();
        while self.columns.is_none() {
            let Some((first, rest)) = records.split_first() else {
                return ControlFlow::Continue(());
            };
            records = rest;
            if !row::is_blank(first) {
                self.header(first)?;
            }
        }
        let Some(columns) = self.columns.take() else {
            return ControlFlow::Continue(());
        };
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            if !row::is_blank(record) {
                rows.extend(self.read(record, &columns));
            }
        }
        self.columns = Some(columns);
        self.rows += rows.len() as u64;
        self.add(&rows)
    }

    fn header(&mut self, record: &ByteRecord) -> ControlFlow<()> {
        match Columns::of(record, self.options) {
            Ok(columns) => {
                self.columns = Some(columns);
                ControlFlow::Continue(())
            }
            Err(faults) => {
                for (field, kind) in faults {
                    self.tell(record, field, kind.into());
                }
                self.is_refused = true;
                ControlFlow::Break(())
            }
        }
    }

    fn read<'r>(&mut self, record: &'r ByteRecord, columns: &Columns) -> Option<Row<'r>> {
        let row = row::read(record, columns, |(field, kind)| {
            self.tell(record, field, kind);
        });
        if row.is_none() {
            self.left_out += 1;
            self.is_refused |= !self.options.lenient;
        }
        row
    }

    fn add(&mut self, rows: &[Row<'_>]) -> ControlFlow<()> {
        // The rows of a refused file are only looked at for further faults.
        if self.is_refused {
            self.builder = None;
        }
        if let Some(builder) = &mut self.builder
            && let Err(error) = builder.add(rows)
        {
            self.no_table(error);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn no_table(&mut self, error: BuildError) {
        let words = error.to_string();
        let (problem, mend) = words.split_once("; ").unwrap_or((&words, ""));
        let (problem, mend) = (problem.to_owned(), mend.to_owned());
        self.tell_at(0, 1, None, AdviceFault::Table { problem, mend }.into());
        self.is_refused = true;
    }

    fn stop(&mut self, stopped: Stopped) {
        match stopped {
            Stopped::RowTooLong { byte, line } => {
                let most_kb = ROW_KB_MAX;
                self.tell_at(byte, line, None, AdviceFault::RowTooLong { most_kb }.into());
            }
            Stopped::Unreadable(error) => self.tell_at(0, 1, None, unreadable_kind(&error)),
        }
        self.is_refused = true;
    }

    fn tell(&mut self, record: &ByteRecord, field: Option<usize>, kind: FaultKind) {
        let at = record.position();
        let (byte, line) = at.map_or((0, 1), |at| (at.byte(), at.line()));
        self.tell_at(byte, line, field, kind);
    }

    fn tell_at(&mut self, byte: u64, line: u64, field: Option<usize>, kind: FaultKind) {
        if self.found.len() >= self.options.faults_max.max(1) {
            self.more_faults += 1;
            return;
        }
        self.found.push(Found {
            byte,
            line,
            field,
            kind,
        });
    }

    fn finish<R: Read + Seek>(mut self, name: &str, input: &mut R) -> Result<Loaded, Refused> {
        if self.columns.is_none() && self.found.is_empty() {
            self.tell_at(0, 1, None, AdviceFault::NoHeader.into());
            self.is_refused = true;
        }
        let builder = self.builder.take().filter(|_| !self.is_refused);
        let replaced = builder.as_ref().map_or(0, Builder::replaced);
        let waybills = match builder.map(Builder::finish) {
            Some(Ok(waybills)) => Some(waybills),
            Some(Err(error)) => {
                self.no_table(error);
                None
            }
            None => None,
        };
        let mut faults = placed(name, input, self.found);
        faults.sort_by_key(|fault| (fault.line, fault.column));
        let more_faults = self.more_faults;
        match waybills {
            Some(waybills) => Ok(Loaded {
                report: Report {
                    waybills: waybills.len(),
                    rows: self.rows,
                    replaced,
                    left_out: self.left_out,
                    faults,
                    more_faults,
                },
                waybills,
            }),
            None => Err(Refused {
                faults,
                more_faults,
            }),
        }
    }
}
