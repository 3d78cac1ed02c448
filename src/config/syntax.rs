//! From text to TOML tables, with every slip reported and none drowning the rest.
//!
//! The parser recovers from most slips by itself. What it cannot do is guess where a list that was
//! never closed should have ended: it takes all the rest of the file for entries of the list. So
//! such lists are found first and blanked out, and the parser sees the rest.

use std::collections::BTreeSet;

use toml::de::{DeTable, Error};

use super::fault::{Fault, TextFault};
use super::source::{Source, Span};

/// What a look at the lines alone tells.
#[derive(Debug, Default)]
struct Outline {
    /// Where `[table]` headers begin.
    headers: Vec<usize>,
    /// Brackets that were never closed: where they open, and where the next entry begins.
    unclosed: Vec<Unclosed>,
}

#[derive(Clone, Copy, Debug)]
struct Unclosed {
    open: usize,
    until: usize,
    bracket: char,
}

/// The slips of a text, and which parts of it they leave unreliable.
#[derive(Debug)]
pub(super) struct Slips {
    /// Each with its place, at most one a line.
    pub(super) faults: Vec<Fault>,
    /// Where tables begin, the first always at 0.
    sections: Vec<usize>,
    /// Sections (by where they begin) with a slip in them.
    broken: BTreeSet<usize>,
    /// Lines with a slip.
    lines: BTreeSet<u32>,
    /// Whether a table's header is broken, so that whole elements may be missing.
    pub(super) headers_broken: bool,
}

impl Slips {
    /// Whether keys may be missing around here because of a slip.
    pub(super) fn touch(&self, at: usize) -> bool {
        self.broken.contains(&self.section_of(at))
    }

    /// Whether a slip has been reported for this line already.
    pub(super) fn hide(&self, line: u32) -> bool {
        self.lines.contains(&line)
    }

    fn section_of(&self, at: usize) -> usize {
        let after = self.sections.partition_point(|&start| start <= at);
        self.sections
            .get(after.saturating_sub(1))
            .copied()
            .unwrap_or(0)
    }

    fn add(&mut self, source: &Source, span: Span, fault: TextFault) {
        let line = source.line_of(span.start);
        self.broken.insert(self.section_of(span.start));
        self.headers_broken |= source.line(line).trim_start().starts_with('[');
        if self.lines.insert(line) {
            self.faults.push(source.fault(span, fault));
        }
    }
}

/// The text with what cannot be parsed blanked out, and the slips found so far.
pub(super) fn mend(source: &Source) -> (String, Slips) {
    let outline = outline(source);
    let mut sections = vec![0];
    sections.extend(outline.headers.iter().filter(|&&at| at > 0));
    let mut slips = Slips {
        faults: vec![],
        sections,
        broken: BTreeSet::new(),
        lines: BTreeSet::new(),
        headers_broken: false,
    };
    let mut bytes = source.text().as_bytes().to_vec();
    for &Unclosed {
        open,
        until,
        bracket,
    } in &outline.unclosed
    {
        let span = Span {
            start: open,
            end: open + 1,
        };
        slips.add(source, span, TextFault::Unclosed { bracket });
        let from = source.start_of(source.line_of(open));
        // Line breaks stay, so that all places keep their meaning.
        let given_up = bytes
            .iter_mut()
            .take(until)
            .skip(from)
            .filter(|byte| **byte != b'\n');
        given_up.for_each(|byte| *byte = b' ');
    }
    // Whole lines were blanked out, so that no character was cut in two.
    let text = String::from_utf8(bytes).unwrap_or_else(|_| source.text().to_owned());
    (text, slips)
}

/// Parses the mended text and adds what the parser finds.
pub(super) fn parse<'t>(mended: &'t str, source: &Source, slips: &mut Slips) -> DeTable<'t> {
    let (table, errors) = DeTable::parse_recoverable(mended);
    for error in errors {
        slips.add(
            source,
            span_of(&error),
            TextFault::Syntax {
                problem: error.message().into(),
            },
        );
    }
    table.into_inner()
}

fn span_of(error: &Error) -> Span {
    error.span().map_or_else(Span::default, Span::from)
}

fn outline(source: &Source) -> Outline {
    let mut found = Outline::default();
    let mut lexer = Lexer::default();
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        if lexer.quote.is_none() {
            if let Some(&(bracket, open)) = lexer.open.last()
                && begins_an_entry(line, bracket)
            {
                // The outermost bracket began the entry that is given up.
                let (bracket, open) = *lexer.open.first().unwrap_or(&(bracket, open));
                found.unclosed.push(Unclosed {
                    open,
                    until: start,
                    bracket: char::from(bracket),
                });
                lexer.open.clear();
            }
            if lexer.open.is_empty() && line.trim_start().starts_with('[') {
                found
                    .headers
                    .push(start + line.len() - line.trim_start().len());
                start += line.len();
                continue;
            }
        }
        lexer.line(line.as_bytes(), start);
        start += line.len();
    }
    if let Some(&(bracket, open)) = lexer.open.first() {
        found.unclosed.push(Unclosed {
            open,
            until: start,
            bracket: char::from(bracket),
        });
    }
    found
}

/// Just enough of TOML's lexical rules to follow brackets: strings, comments, brackets.
#[derive(Default)]
struct Lexer {
    /// Brackets that are open, with their places.
    open: Vec<(u8, usize)>,
    /// The quote of a string over several lines, while in one.
    quote: Option<[u8; 3]>,
}

impl Lexer {
    fn line(&mut self, line: &[u8], start: usize) {
        let mut at = 0;
        while let Some(&byte) = line.get(at) {
            let rest = line.get(at..).unwrap_or(&[]);
            if let Some(quote) = self.quote {
                let ends = rest.starts_with(&quote);
                self.quote = if ends { None } else { Some(quote) };
                at += match (ends, byte) {
                    (true, _) => 3,
                    (false, b'\\') if quote == *br#"""""# => 2,
                    (false, _) => 1,
                };
                continue;
            }
            match byte {
                b'#' => return,
                b'"' | b'\'' if rest.starts_with(&[byte; 3]) => {
                    self.quote = Some([byte; 3]);
                    at += 3;
                }
                b'"' | b'\'' => at += string_len(rest),
                b'[' | b'{' => {
                    self.open.push((byte, start + at));
                    at += 1;
                }
                b']' | b'}' => {
                    self.open.pop();
                    at += 1;
                }
                _ => at += 1,
            }
        }
    }
}

/// The length of a string within one line, with its quotes; to the line's end if it has no other.
fn string_len(rest: &[u8]) -> usize {
    let quote = rest.first().copied().unwrap_or(b'"');
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        if byte == quote {
            return at + 1;
        }
        at += if byte == b'\\' && quote == b'"' { 2 } else { 1 };
    }
    at
}

/// Whether a line can only be the beginning of a new entry, though a bracket is open: a header, or
/// within a list (where TOML has no keys) `key =`.
fn begins_an_entry(line: &str, innermost: u8) -> bool {
    let line = line.trim_start();
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if let Some(header) = line.strip_prefix("[[").or_else(|| line.strip_prefix('[')) {
        let word = header
            .trim_start()
            .split(|c| !is_bare(c))
            .next()
            .unwrap_or("");
        let is_name = word.starts_with(|c: char| c.is_ascii_alphabetic());
        return is_name && !matches!(word, "true" | "false" | "inf" | "nan");
    }
    let rest = line.trim_start_matches(is_bare);
    innermost == b'[' && rest.len() < line.len() && rest.trim_start().starts_with('=')
}
