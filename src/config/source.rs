//! A text with its name, and places in it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::fault::{Fault, FaultKind, TextFault};

/// A text that faults can be placed in.
#[derive(Clone, Debug)]
pub struct Source {
    name: Arc<str>,
    text: String,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
}

/// A part of a text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    /// Which text: 0 is the one that was asked for, the others are those it names.
    pub(crate) file: u16,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// A part of the text with this number.
    pub(super) fn of(file: u16, range: std::ops::Range<usize>) -> Self {
        let std::ops::Range { start, end } = range;
        Self { file, start, end }
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self::of(0, range)
    }
}

/// The longest excerpt that is shown with a fault; a longer line is shown without.
const EXCERPT_CHARS_MAX: usize = 300;

impl Source {
    /// A text under the name that faults will give.
    #[must_use]
    pub fn new(name: &str, text: String) -> Self {
        // Some editors and spreadsheets begin UTF-8 files with a byte order mark.
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let after_breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let lines = std::iter::once(0)
            .chain(after_breaks.map(|(at, _)| at + 1))
            .collect();
        Self {
            name: name.into(),
            text,
            lines,
        }
    }

    /// A text given as bytes.
    ///
    /// # Errors
    /// The place of the first byte that is not UTF-8.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, Vec<Fault>> {
        String::from_utf8(bytes)
            .map(|text| Self::new(name, text))
            .map_err(|error| {
                let at = error.utf8_error().valid_up_to();
                let byte = error.as_bytes().get(at).copied().unwrap_or(0);
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                // What comes before the bad byte is good and so keeps its length.
                let span = Span::from(at..at + '\u{fffd}'.len_utf8());
                vec![Self::new(name, text).fault(span, TextFault::NotUtf8 { byte })]
            })
    }

    /// Reads a file of at most `most_mb` megabytes.
    ///
    /// # Errors
    /// The one reason why it cannot be read as text.
    pub fn read(path: &Path, most_mb: u64) -> Result<Self, Vec<Fault>> {
        let name = path.display().to_string();
        let whole_file =
            |kind: TextFault| vec![Self::new(&name, String::new()).fault(Span::default(), kind)];
        let unreadable = |error: std::io::Error| {
            whole_file(TextFault::Unreadable {
                problem: error.to_string(),
            })
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        let most = most_mb * 1_000_000;
        file.take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > most {
            return Err(whole_file(TextFault::TooLarge { most_mb }));
        }
        Self::from_bytes(&name, bytes)
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of the line that a byte is in, from 1.
    pub(super) fn line_of(&self, at: usize) -> u32 {
        self.lines.partition_point(|&start| start <= at) as u32
    }

    /// Where a line begins, in bytes.
    pub(super) fn start_of(&self, line: u32) -> usize {
        self.lines
            .get(line as usize - 1)
            .copied()
            .unwrap_or(self.text.len())
    }

    /// A line by its number from 1, without its end.
    pub(super) fn line(&self, number: u32) -> &str {
        let whole = self.start_of(number)..self.start_of(number + 1);
        let line = self.text.get(whole).unwrap_or("");
        line.trim_end_matches(['\n', '\r'])
    }

    /// A fault of the file as a whole, given at its beginning.
    #[must_use]
    pub fn fault_at_start(&self, kind: impl Into<FaultKind>) -> Fault {
        self.fault(Span::default(), kind)
    }

    /// A fault at a place.
    pub(crate) fn fault(&self, span: Span, kind: impl Into<FaultKind>) -> Fault {
        let line = self.line_of(span.start);
        let text = self.line(line);
        let start = self.start_of(line);
        let column = chars_in(text, 0, span.start - start) + 1;
        let width = chars_in(text, span.start - start, span.end.max(span.start) - start).max(1);
        let fits = text.chars().nth(EXCERPT_CHARS_MAX).is_none();
        Fault {
            file: self.name.clone(),
            line,
            column: column as u32,
            width: width as u32,
            excerpt: if fits {
                printable(text).into()
            } else {
                "".into()
            },
            kind: kind.into(),
        }
    }
}

/// How many characters of a line begin between two of its bytes; a place beyond its end counts as
/// its end.
fn chars_in(line: &str, from: usize, to: usize) -> usize {
    line.char_indices()
        .filter(|(at, _)| (from..to).contains(at))
        .count()
}

/// Control characters would garble a terminal (or steer it).
fn printable(line: &str) -> String {
    line.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
