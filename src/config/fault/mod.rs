//! Faults in what people wrote: where each is, what is wrong, and how to mend it.
//!
//! Readers never stop at the first fault. They collect [`Fault`]s, which are typed (a program can
//! act on them, `--json` prints their fields) and print themselves with the line they stand on.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

mod advice;
mod meaning;
mod odd;
mod row;
mod scenario;
mod text;
mod trace;

pub use advice::AdviceFault;
pub use meaning::Meaning;
pub use odd::Odd;
pub use row::RowFault;
pub use scenario::ScenarioFault;
pub use text::TextFault;
pub use trace::TraceFault;

/// What can stand in an address.
pub(crate) const ADDRESS_MEND: &str =
    "write digits and letters from A to Z, and between them -, /, . or _";

/// So many errors of one table are listed, and as many warnings; the others are counted.
pub(super) const LISTED_MAX: usize = 50;

/// One fault at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named by whoever asked.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters of the line are meant, at least 1.
    pub width: u32,
    /// The line itself; empty where there is none to show.
    pub excerpt: Box<str>,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong, by the step that finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum FaultKind {
    /// The text does not say anything that can be understood.
    Text(TextFault),
    /// The text is understood, but describes no hub or plan that could work.
    Meaning(Meaning),
    /// A table cannot be split into rows and columns.
    Row(RowFault),
    /// A row of a layout or of a trace.
    Trace(TraceFault),
    /// A row of pre-advice.
    Advice(AdviceFault),
    /// What people are said to do in a scenario.
    Scenario(ScenarioFault),
    /// Legal, but hardly what was meant. Does not stop anything.
    Odd(Odd),
}

/// Whether something can be run in spite of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing starts before it is mended.
    Error,
    /// It runs; a person should look.
    Warning,
}

impl Fault {
    /// Whether it stops a start.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }

    /// Whether it stops a start.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity() == Severity::Error
    }
}

impl FaultKind {
    /// Whether it stops a start.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Odd(_) => Severity::Warning,
            Self::Text(_)
            | Self::Meaning(_)
            | Self::Row(_)
            | Self::Trace(_)
            | Self::Advice(_)
            | Self::Scenario(_) => Severity::Error,
        }
    }

    /// What to do about it, as an imperative.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            Self::Text(fault) => fault.mend(),
            Self::Meaning(fault) => fault.mend(),
            Self::Row(fault) => fault.mend(),
            Self::Trace(fault) => fault.mend(),
            Self::Advice(fault) => fault.mend(),
            Self::Scenario(fault) => fault.mend(),
            Self::Odd(fault) => fault.mend(),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(fault) => fault.fmt(f),
            Self::Meaning(fault) => fault.fmt(f),
            Self::Row(fault) => fault.fmt(f),
            Self::Trace(fault) => fault.fmt(f),
            Self::Advice(fault) => fault.fmt(f),
            Self::Scenario(fault) => fault.fmt(f),
            Self::Odd(fault) => fault.fmt(f),
        }
    }
}

impl From<TextFault> for FaultKind {
    fn from(fault: TextFault) -> Self {
        Self::Text(fault)
    }
}

impl From<Meaning> for FaultKind {
    fn from(fault: Meaning) -> Self {
        Self::Meaning(fault)
    }
}

impl From<RowFault> for FaultKind {
    fn from(fault: RowFault) -> Self {
        Self::Row(fault)
    }
}

impl From<TraceFault> for FaultKind {
    fn from(fault: TraceFault) -> Self {
        Self::Trace(fault)
    }
}

impl From<AdviceFault> for FaultKind {
    fn from(fault: AdviceFault) -> Self {
        Self::Advice(fault)
    }
}

impl From<ScenarioFault> for FaultKind {
    fn from(fault: ScenarioFault) -> Self {
        Self::Scenario(fault)
    }
}

impl From<Odd> for FaultKind {
    fn from(odd: Odd) -> Self {
        Self::Odd(odd)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file, line, column, ..
        } = self;
        writeln!(
            f,
            "{}: {file}:{line}:{column}: {}",
            self.severity(),
            self.kind
        )?;
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        if !self.excerpt.is_empty() {
            writeln!(f, "{margin} |")?;
            writeln!(f, "{number} | {}", self.excerpt)?;
            writeln!(f, "{margin} | {}", self.carets())?;
        }
        write!(f, "{margin} = {}", self.kind.mend())
    }
}

impl Fault {
    /// Blanks up to the column, then carets. Tabs are kept and wide characters count twice, so
    /// that the carets stand under what they mean.
    fn carets(&self) -> String {
        let mut marks = String::new();
        let before = self.column as usize - 1;
        for (at, c) in self
            .excerpt
            .chars()
            .enumerate()
            .take(before + self.width as usize)
        {
            let wide = if is_wide(c) { 2 } else { 1 };
            match (at < before, c) {
                (true, '\t') => marks.push('\t'),
                (true, _) => marks.push_str(&" ".repeat(wide)),
                (false, _) => marks.push_str(&"^".repeat(wide)),
            }
        }
        if !marks.ends_with('^') {
            marks.push('^');
        }
        marks
    }
}

/// Whether a terminal gives a character two columns: Hangul Jamo, CJK with its punctuation,
/// Hangul, compatibility forms and full-width forms.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}')
}

/// Puts faults in the order of their places, errors before warnings at one place, and drops
/// repetitions.
pub(super) fn in_order(mut faults: Vec<Fault>) -> Vec<Fault> {
    // Stable, so that equal places keep the order in which they were found, and files the order
    // in which they were read.
    let mut files: Vec<Arc<str>> = Vec::new();
    for fault in &faults {
        if !files.contains(&fault.file) {
            files.push(fault.file.clone());
        }
    }
    let nth = |file: &Arc<str>| files.iter().position(|other| other == file);
    faults.sort_by_key(|f| (nth(&f.file), f.line, f.column, f.severity()));
    faults.dedup();
    faults
}

/// ` (did you mean ...?)`, where there is something near.
fn did_you_mean(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}
