//! Lines of a bounded length, out of bytes that come in any pieces.

/// Longer than any request: a path and a few names.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// A line, or that there was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Its bytes, without the end.
    Whole(Vec<u8>),
    /// It was longer than [`LINE_BYTES_MAX`]; its bytes are gone.
    TooLong,
}

/// Cuts bytes into lines. Holds at most one line and what came in the same piece.
#[derive(Debug, Default)]
pub struct Splitter {
    held: Vec<u8>,
    /// Up to where no end of line was found.
    searched: usize,
    /// The line at hand is too long already; its rest is dropped.
    skips: bool,
}

impl Splitter {
    /// Takes a piece. To be followed by [`Splitter::line`] until that gives none.
    pub fn push(&mut self, piece: &[u8]) {
        self.held.extend_from_slice(piece);
    }

    /// The next whole line; blank ones are left out.
    pub fn line(&mut self) -> Option<Line> {
        loop {
            let rest = self.held.get(self.searched..).unwrap_or_default();
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
                self.searched = self.held.len();
                if self.held.len() > LINE_BYTES_MAX {
                    self.held.clear();
                    self.searched = 0;
                    self.skips = true;
                }
                return None;
            };
            let end = self.searched + end;
            let mut line: Vec<u8> = self.held.drain(..=end).collect();
            self.searched = 0;
            line.pop();
            if std::mem::take(&mut self.skips) || line.len() > LINE_BYTES_MAX {
                return Some(Line::TooLong);
            }
            if !line.trim_ascii().is_empty() {
                return Some(Line::Whole(line));
            }
        }
    }

    /// What is left when no more bytes come: a last line without an end.
    pub fn rest(&mut self) -> Option<Line> {
        let line = std::mem::take(&mut self.held);
        self.searched = 0;
        if std::mem::take(&mut self.skips) {
            return Some(Line::TooLong);
        }
        (!line.trim_ascii().is_empty()).then_some(Line::Whole(line))
    }
}
