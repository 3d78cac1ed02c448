//! From text to TOML tables, with every slip reported and none drowning the rest.
//!
//! The parser recovers from some slips by itself. From others it takes all the rest of the file for
//! part of the slip: a list that was never closed, a line without `=`. So it is not asked to
//! recover: what its first error points at is blanked out, and the rest is parsed again.

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
#[derive(Debug, Default)]
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

    /// What a slip makes unreadable: its line, or if that is a table's header all of the table.
    fn extent_of(&self, source: &Source, at: usize) -> std::ops::Range<usize> {
        let line = source.line_of(at);
        let start = source.start_of(line);
        if source.line(line).trim_start().starts_with('[') {
            let after = self.sections.partition_point(|&section| section <= at);
            let end = self.sections.get(after).copied();
            return start..end.unwrap_or(source.text().len());
        }
        start..source.start_of(line + 1)
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

/// Rounds of parsing before the rest of a file is given up. A file with more broken lines than
/// this is no hub file.
const ROUNDS_MAX: usize = 200;

/// The text with what cannot be parsed blanked out, and the slips that were found.
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
    let mut text = source.text().to_owned();
    for unclosed in &outline.unclosed {
        let &Unclosed {
            open,
            until,
            bracket,
        } = unclosed;
        let span = Span::from(open..open + 1);
        slips.add(source, span, TextFault::Unclosed { bracket });
        text = blank(text, source.start_of(source.line_of(open))..until);
    }
    for _ in 0..ROUNDS_MAX {
        let (_, errors) = DeTable::parse_recoverable(&text);
        let first = errors.iter().min_by_key(|error| span_of(error).start);
        let Some(error) = first else {
            return (text, slips);
        };
        let span = span_of(error);
        let problem = if span.start == span.end && error.message().contains("must be quoted") {
            "there is no value"
        } else {
            error.message()
        };
        slips.add(
            source,
            span,
            TextFault::Syntax {
                problem: problem.to_owned(),
            },
        );
        let broken = slips.extent_of(source, span.start);
        let is_blank = text
            .get(broken.clone())
            .is_none_or(|part| part.trim().is_empty());
        if error.span().is_none() || is_blank {
            break;
        }
        text = blank(text, broken);
    }
    // Nothing of what cannot be told apart is believed.
    slips.headers_broken = true;
    slips.broken.extend(slips.sections.iter().copied());
    (String::new(), slips)
}

/// Parses what was mended.
pub(super) fn parse(mended: &str) -> DeTable<'_> {
    DeTable::parse_recoverable(mended).0.into_inner()
}

/// Every byte of a range of whole lines becomes a blank, but line breaks stay: all places keep
/// their meaning.
fn blank(text: String, range: std::ops::Range<usize>) -> String {
    let mut bytes = text.into_bytes();
    let given_up = bytes.iter_mut().take(range.end).skip(range.start);
    given_up
        .filter(|byte| **byte != b'\n')
        .for_each(|byte| *byte = b' ');
    // Whole lines were blanked out, so that no character was cut in two.
    String::from_utf8(bytes).unwrap_or_default()
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
                    // `}` also ends a list that was left open within the braces.
                    let opener = if byte == b']' { b'[' } else { b'{' };
                    if let Some(depth) = self.open.iter().rposition(|(b, _)| *b == opener) {
                        self.open.truncate(depth);
                    }
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
