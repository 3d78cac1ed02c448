//! Reading a file into a table.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use sorthub_core::directory::{BuildError, Builder, Built, Expected, PARTS, Part, Waybills};

use super::batch::{Batch, text_row};
use super::blocks::{Blocks, ROW_KB_MAX, Stopped};
use super::columns::Columns;
use super::filling::{Hand, Work, hands};
use super::places::{Found, placed};
use super::{Options, sample};
use crate::config::fault::{AdviceFault, Fault, FaultKind, RowFault, TextFault};

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
    let (expected, separator) = sample::look(input).map_err(|error| unreadable(name, &error))?;
    let mut loading = Loading {
        options,
        separator,
        expected,
        builder: None,
        rows: 0,
        left_out: 0,
        feeds: 0,
        found: Vec::new(),
        more_faults: 0,
        is_refused: false,
    };
    let mut blocks = Blocks::new(&mut *input, separator);
    if let Some((first, columns)) = loading.header(&mut blocks) {
        loading.rows(blocks, first, &columns);
    }
    loading.finish(name, input)
}

fn unreadable(name: &str, error: &std::io::Error) -> Refused {
    let found = Found {
        byte: 0,
        feeds: 0,
        field: None,
        kind: unreadable_kind(error),
    };
    Refused {
        faults: placed(name, b',', &mut std::io::empty(), vec![found]),
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
    separator: u8,
    expected: Expected,
    /// When all rows are in it.
    builder: Option<Builder>,
    rows: u64,
    left_out: u64,
    /// Line feeds so far.
    feeds: u64,
    found: Vec<Found>,
    more_faults: u64,
    /// Whether the file is refused as a whole.
    is_refused: bool,
}

impl Loading<'_> {
    /// Reads up to the header; with the batch that it was in, without it.
    fn header<R: Read>(&mut self, blocks: &mut Blocks<R>) -> Option<(Batch, Columns)> {
        let mut batch = Batch::new();
        loop {
            match blocks.fill(&mut batch) {
                Ok(true) => {}
                Ok(false) => {
                    let header = "waybill,destination,weight_g";
                    self.refuse(0, 0, None, RowFault::Empty { header }.into());
                    return None;
                }
                Err(stopped) => {
                    self.stop(&stopped);
                    return None;
                }
            }
            if let Some(header) = batch.take_header(self.separator) {
                return match Columns::of(&header.names, self.separator, self.options) {
                    Ok(columns) => Some((batch, columns)),
                    Err(faults) => {
                        for (field, fault) in faults {
                            self.refuse(header.byte, header.feeds, field, fault);
                        }
                        None
                    }
                };
            }
            self.feeds += batch.line_feeds();
        }
    }

    /// Reads the rows. The threads share the work; this one also writes down what is to be said.
    fn rows<R: Read + Send>(&mut self, blocks: Blocks<R>, first: Batch, columns: &Columns) {
        let mut hands = hands().into_iter();
        let Some(mut own) = hands.next() else {
            return;
        };
        let work = &Work::new(blocks, columns, first, &mut own);
        let (expected, is_refused) = (self.expected, AtomicBool::new(false));
        let is_refused = &is_refused;
        let parts = thread::scope(|scope| {
            let others = hands.enumerate().map(|(nth, mut hand)| {
                let part = move || fill(&mut hand, work, nth + 1, expected, is_refused, |_| {});
                scope.spawn(part)
            });
            let others = Vec::from_iter(others);
            let first = fill(&mut own, work, 0, expected, is_refused, |batch| {
                self.note(batch);
                is_refused.store(self.is_refused, Ordering::Relaxed);
            });
            drop(own);
            let others = others.into_iter().map(|thread| match thread.join() {
                Ok(part) => part,
                Err(panic) => resume_unwind(panic),
            });
            Vec::from_iter([first].into_iter().chain(others))
        });
        let parts: Result<Option<Vec<Part>>, BuildError> = parts.into_iter().collect();
        match parts.map(|parts| parts.map(<[Part; PARTS]>::try_from)) {
            Ok(Some(Ok(parts))) => self.builder = Some(Builder::of(parts)),
            Ok(_) => {}
            Err(error) => self.no_table(error),
        }
    }

    /// Writes down what is to be said of a batch.
    fn note(&mut self, batch: &Batch) {
        for found in &batch.found {
            let feeds = self.feeds + found.feeds;
            // Nobody knows how many rows are in it.
            self.is_refused |= found.kind == RowFault::OpenQuote.into();
            self.tell(Found {
                feeds,
                ..found.clone()
            });
        }
        self.feeds += batch.feeds;
        self.left_out += batch.left_out;
        let rows = batch.prepared.iter().map(Vec::len).sum::<usize>();
        self.rows += (rows + batch.texts.len()) as u64;
        self.is_refused |= self.left_out > 0 && !self.options.lenient;
        if let Some(stopped) = &batch.stopped {
            self.stop(stopped);
        }
    }

    fn no_table(&mut self, error: BuildError) {
        let words = error.to_string();
        let (problem, mend) = words.split_once("; ").unwrap_or((&words, ""));
        let (problem, mend) = (problem.to_owned(), mend.to_owned());
        self.refuse(0, 0, None, AdviceFault::Table { problem, mend }.into());
    }

    fn stop(&mut self, stopped: &Stopped) {
        match stopped {
            Stopped::RowTooLong { byte, feeds } => {
                let most_kb = ROW_KB_MAX;
                let (byte, feeds) = (*byte, self.feeds + feeds);
                let fault = AdviceFault::RowTooLong { most_kb };
                self.refuse(byte, feeds, None, fault.into());
            }
            Stopped::Unreadable(error) => self.refuse(0, 0, None, unreadable_kind(error)),
        }
    }

    /// A fault with which nothing can come of the file.
    fn refuse(&mut self, byte: u64, feeds: u64, field: Option<usize>, kind: FaultKind) {
        self.is_refused = true;
        self.tell(Found {
            byte,
            feeds,
            field,
            kind,
        });
    }

    fn tell(&mut self, found: Found) {
        if self.found.len() >= self.options.faults_max.max(1) {
            self.more_faults += 1;
        } else {
            self.found.push(found);
        }
    }

    fn finish<R: Read + Seek>(mut self, name: &str, input: &mut R) -> Result<Loaded, Refused> {
        // An export that has failed must not wipe out what is known.
        if self.rows == 0 && self.left_out == 0 && !self.is_refused {
            self.refuse(0, 0, None, AdviceFault::NoRows.into());
        }
        let builder = self.builder.take().filter(|_| !self.is_refused);
        let built = match builder.map(Builder::finish) {
            Some(Ok(built)) => Some(built),
            Some(Err(error)) => {
                self.no_table(error);
                None
            }
            None => None,
        };
        let mut faults = placed(name, self.separator, input, self.found);
        faults.sort_by_key(|fault| (fault.line, fault.column));
        let more_faults = self.more_faults;
        match built {
            Some(Built { waybills, replaced }) => Ok(Loaded {
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

/// Fills one part of the table with its rows, and calls back for each batch before; nothing comes
/// of it if the file is refused meanwhile.
fn fill<R: Read>(
    hand: &mut Hand,
    work: &Work<'_, R>,
    nth: usize,
    expected: Expected,
    is_refused: &AtomicBool,
    mut note: impl FnMut(&Batch),
) -> Result<Option<Part>, BuildError> {
    let mut part = Some(Part::new(expected));
    let mut error = None;
    let ran = hand.run(work, |batch| {
        note(batch);
        // The rows of a refused file are only looked at for further faults.
        if is_refused.load(Ordering::Relaxed) {
            part = None;
        }
        let Some(part) = &mut part else {
            return ControlFlow::Continue(());
        };
        // Numbers that are kept as text belong to the first part.
        let texts = batch.texts.iter().filter(|_| nth == 0);
        let texts = Vec::from_iter(texts.filter_map(text_row));
        let added = part
            .add(&batch.prepared[nth])
            .and_then(|()| part.add(&texts));
        error = added.err();
        match error {
            None => ControlFlow::Continue(()),
            Some(_) => ControlFlow::Break(()),
        }
    });
    if let Some(error) = error {
        return Err(error);
    }
    let mut part = part.filter(|_| ran.is_continue());
    if let Some(part) = &mut part {
        part.settle()?;
    }
    Ok(part)
}
