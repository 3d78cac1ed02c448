//! What a scanned code is: which carrier's format it has, whether its check character holds, and
//! which part of it says which parcel this is and where it goes.
//!
//! A table of formats ([`FormatsSpec`]) is compiled once ([`Formats::new`]) and asked for each code
//! ([`Formats::identify`]) or for all codes that one scanner saw on one parcel
//! ([`Formats::label`]). Nothing is allocated in either.
//!
//! ```
//! use sorthub_core::identify::{CheckSpec, FormatSpec, Formats, FormatsSpec, Verdict};
//!
//! let mut sscc = FormatSpec::new("sscc", "GS1", &[r"00(?<identity>(?<over>\d{17})(?<check>\d))"]);
//! sscc.check = Some(CheckSpec::Gs1Mod10);
//! let formats = Formats::new(FormatsSpec { formats: vec![sscc] })?;
//!
//! let found = formats.identify("(00)3 7613032 110910342 0");
//! assert_eq!(found.identity(), Some("376130321109103420"));
//! let misread = formats.identify("00376130321109103421");
//! assert_eq!(misread.verdict(), Verdict::Failed { found: '1', expected: '0' });
//! # Ok::<(), Vec<sorthub_core::identify::FormatFault>>(())
//! ```

use alloc::vec::Vec;
use core::fmt;

use crate::ids::{CodeId, FormatId};

mod check;
mod compile;
mod fault;
mod label;
mod pattern;
mod spec;
mod table;
mod text;

pub use fault::{FormatFault, FormatFaultKind, FormatPart};
pub use label::Label;
pub use spec::{CheckDigit, CheckSpec, FormatSpec, FormatsSpec, Kind};
pub use text::{Code, NotACode};

use compile::{Compiled, Rule, compile};
use pattern::Part;
use table::Form;

/// A table of code formats, checked and compiled.
///
/// # Patterns
/// A pattern describes a whole code, in a small part of the language of regular expressions:
/// characters that stand for themselves (`1Z`), `\d` for a digit, sets (`[0-9A-Z]`), each
/// followed by a count if need be (`{15}`, `{10,12}`, `?`), and groups `(?<name>…)`, which may lie
/// in each other:
///
/// | group | holds |
/// | --- | --- |
/// | `identity` | what says which parcel it is; without it, the whole code does |
/// | `over`, `check` | what is checked, and the check character; not in prints without one |
/// | `postcode` | where it goes |
/// | `address` | the same in the hub's own words |
/// | `word` | one of the format's words |
///
/// # Precedence
/// Several formats can fit one code. One that holds (its check character is right, or it has none)
/// comes before one that fails. Of those that hold, the smallest priority number wins, then one
/// with a check character, then the one that stands first in the table. A check digit alone is
/// weak evidence: each tenth number of the right length has it.
#[derive(Clone, Debug)]
pub struct Formats {
    spec: FormatsSpec,
    compiled: Compiled,
}

/// What a code turned out to be.
#[derive(Clone, Copy, Debug)]
pub struct Identified {
    code: Code,
    verdict: Verdict,
    format: Option<FormatId>,
    kind: Kind,
    rank: u16,
    omitted: u8,
    identity: Part,
    postcode: Part,
    address: Part,
}

/// Whether a code can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It has the form of a format, and its check character is right.
    Checked,
    /// It has the form of a format that has no check character.
    Unchecked,
    /// It has the form of a format, but its check character is wrong: misread or mistyped.
    Failed {
        /// The check character that it has.
        found: char,
        /// The one that it would need.
        expected: char,
    },
    /// No format has this form: not a carrier's code, or one that the table lacks.
    NoFormat,
    /// It cannot be a code of any format.
    NotACode(NotACode),
}

impl Verdict {
    /// Whether the code can be used.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Checked | Self::Unchecked)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checked => f.write_str("the check character is right"),
            Self::Unchecked => f.write_str("the form is right; there is no check character"),
            Self::Failed { found, expected } => {
                write!(f, "the check character is {found} but must be {expected}")
            }
            Self::NoFormat => f.write_str("no format has this form"),
            Self::NotACode(why) => why.fmt(f),
        }
    }
}

/// The number of the identity that a label's text has; of one without an identity, and without a
/// table, that of the text itself.
#[must_use]
pub fn code_of(formats: Option<&Formats>, text: &str) -> CodeId {
    let found = formats.map(|formats| formats.identify(text));
    let identity = found.as_ref().and_then(Identified::identity);
    CodeId::of(identity.unwrap_or(text))
}

impl Identified {
    const fn nothing(code: Code, verdict: Verdict) -> Self {
        let none = Part { start: 0, end: 0 };
        Self {
            code,
            verdict,
            format: None,
            kind: Kind::Waybill,
            rank: u16::MAX,
            omitted: 0,
            identity: none,
            postcode: none,
            address: none,
        }
    }

    /// Whether it can be believed, and why not.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The format that it has, also where its check character is wrong.
    #[must_use]
    pub const fn format(&self) -> Option<FormatId> {
        self.format
    }

    /// What it is for, if it has a format.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        self.format.map(|_| self.kind)
    }

    /// The code in the spelling in which codes are compared.
    #[must_use]
    pub fn code(&self) -> &str {
        self.code.as_str()
    }

    /// Which parcel or container it is: what directories are asked for and prints are made of.
    /// `None` if the code cannot be believed or identifies nothing.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        let identifies = self.verdict.is_good() && self.kind != Kind::Route;
        identifies.then(|| text::ascii(self.identity_bytes()))
    }

    /// The number of the identity; [`CodeId::NONE`] if there is none.
    #[must_use]
    pub fn code_id(&self) -> CodeId {
        self.identity().map_or(CodeId::NONE, CodeId::of)
    }

    /// The postcode that the code carries.
    #[must_use]
    pub fn postcode(&self) -> Option<&str> {
        self.part(self.postcode)
    }

    /// The address that the code carries, in the hub's own words.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.part(self.address)
    }

    fn part(&self, part: Part) -> Option<&str> {
        let is_there = self.verdict.is_good() && !part.is_empty();
        is_there.then(|| text::ascii(self.code.part(part.start, part.end, 0)))
    }

    fn identity_bytes(&self) -> &[u8] {
        let Part { start, end } = self.identity;
        self.code.part(start, end, self.omitted)
    }
}

impl Formats {
    /// Checks and compiles a table.
    ///
    /// # Errors
    /// Every fault there is, not just the first; each says its mend.
    pub fn new(spec: FormatsSpec) -> Result<Self, Vec<FormatFault>> {
        let compiled = compile(&spec)?;
        Ok(Self { spec, compiled })
    }

    /// What the table was made of.
    #[must_use]
    pub const fn spec(&self) -> &FormatsSpec {
        &self.spec
    }

    /// A format of the table.
    #[must_use]
    pub fn format(&self, id: FormatId) -> Option<&FormatSpec> {
        self.spec.formats.get(id.index())
    }

    /// How many shapes the formats have, and how many bytes what is compiled from them takes.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.compiled.table.len(), self.compiled.table.bytes())
    }

    /// Says what a code is.
    #[must_use]
    pub fn identify(&self, code: &str) -> Identified {
        let code = match Code::new(code) {
            Ok(code) => code,
            Err(why) => return Identified::nothing(Code::empty(), Verdict::NotACode(why)),
        };
        if code.is_gs1
            && let Some(found) = self.as_gs1(code)
        {
            return found;
        }
        if let Some(found) = self.best::<false>(code, 0) {
            return found;
        }
        let without = code.without_separators();
        let found = without.and_then(|(rest, separators)| self.best::<false>(rest, separators));
        found.unwrap_or_else(|| Identified::nothing(code, Verdict::NoFormat))
    }

    /// What a code is that begins with an application identifier: `(420)787451234` is a postcode
    /// even though, as digits, it may be a good number of others.
    #[cold]
    fn as_gs1(&self, code: Code) -> Option<Identified> {
        self.best::<true>(code, 0)
            .filter(|found| found.verdict.is_good())
    }

    /// The format that comes first among those that fit a code, from which separators were taken;
    /// of all, or of those of GS1's.
    fn best<const ONLY_GS1: bool>(&self, code: Code, separators: u8) -> Option<Identified> {
        let mut failed = None;
        for form in self.compiled.table.fitting(code.bytes()) {
            let rule = self.compiled.rules.get(form.format.index())?;
            if code.breaks & !form.borders != 0 || separators & !rule.separators != 0 {
                continue;
            }
            if ONLY_GS1 && !rule.is_gs1 {
                continue;
            }
            if !form.word.is_empty() && !rule.has_word(&code, form) {
                continue;
            }
            let with_omitted;
            let read = if rule.omitted.is_empty() {
                &code
            } else {
                with_omitted = code.with_omitted(&rule.omitted);
                &with_omitted
            };
            match rule.judge(read, form) {
                verdict @ Verdict::Failed { .. } if failed.is_none() => {
                    failed = Some(rule.identified(*read, form, verdict));
                }
                Verdict::Failed { .. } => {}
                verdict => return Some(rule.identified(*read, form, verdict)),
            }
        }
        failed
    }
}

impl Rule {
    fn has_word(&self, code: &Code, form: &Form) -> bool {
        let word = code.part(form.word.start, form.word.end, 0);
        self.words
            .binary_search_by(|known| known.as_slice().cmp(word))
            .is_ok()
    }

    /// Whether a code that fits holds.
    fn judge(&self, code: &Code, form: &Form) -> Verdict {
        let Some(check) = self.check.filter(|_| form.is_checked()) else {
            return Verdict::Unchecked;
        };
        let over = code.part(form.over.start, form.over.end, self.omitted.len() as u8);
        let expected = check.character(over);
        match code.part(form.check.start, form.check.end, 0) {
            [found] if *found == expected || mutant!("any_check_digit") => Verdict::Checked,
            found => Verdict::Failed {
                found: found.first().copied().map_or(' ', char::from),
                expected: char::from(expected),
            },
        }
    }

    fn identified(&self, code: Code, form: &Form, verdict: Verdict) -> Identified {
        Identified {
            code,
            verdict,
            format: Some(form.format),
            kind: self.kind,
            rank: self.rank,
            omitted: self.omitted.len() as u8,
            identity: form.identity,
            postcode: form.postcode,
            address: form.address,
        }
    }
}
