//! The table of code formats: what the carriers' codes look like. `docs/carriers.md` lists every
//! key.

use std::path::Path;

use sorthub_core::identify::{
    CheckDigit, CheckSpec, FormatFault, FormatFaultKind, FormatPart, FormatSpec, Formats,
    FormatsSpec, Kind,
};

use super::bank::Names;
use super::fault::{Fault, Meaning, TextFault};
use super::files::{Files, open_named};
use super::reader::{Faults, Table, Value};
use super::source::{Source, Span};
use super::syntax;

/// No table that people describe needs more.
const FILE_MB_MAX: u64 = 16;

/// The table that is used where no other is given, as it stands in `config/carriers.toml`.
const SHIPPED: &str = include_str!("../../config/carriers.toml");

/// Words for the check rules without parameters.
const CHECKS: &[(&str, Rule)] = &[
    ("gs1-mod-10", Rule::Gs1Mod10),
    ("s10-mod-11", Rule::S10Mod11),
    ("ups-mod-10", Rule::UpsMod10),
    ("mod-7", Rule::Mod7),
    ("iso-7064-mod-37-36", Rule::Iso7064Mod37x36),
];

#[derive(Clone, Copy)]
enum Rule {
    Gs1Mod10,
    S10Mod11,
    UpsMod10,
    Mod7,
    Iso7064Mod37x36,
}

/// A table of code formats, checked.
#[derive(Clone, Debug)]
pub struct CarrierFile {
    /// The formats.
    pub formats: Formats,
    /// What is odd about it.
    pub warnings: Vec<Fault>,
}

impl CarrierFile {
    /// The table that is built in.
    ///
    /// # Panics
    /// If `config/carriers.toml` had a fault when this program was built; a test reads it.
    #[must_use]
    pub fn shipped() -> Self {
        let source = Source::new("config/carriers.toml", SHIPPED.to_owned());
        Self::from_source(&source).expect("the test of the shipped table passed")
    }

    /// Reads a table.
    ///
    /// # Errors
    /// Every fault, in the order of their places.
    pub fn read(path: &Path) -> Result<Self, Vec<Fault>> {
        Self::from_source(&Source::read(path, FILE_MB_MAX)?)
    }

    /// Reads a table that is already in memory.
    ///
    /// # Errors
    /// As [`CarrierFile::read`].
    pub fn from_source(source: &Source) -> Result<Self, Vec<Fault>> {
        let (mended, slips) = syntax::mend(source);
        let entries = syntax::parse(&mended);
        let faults = Faults::new(source, &slips);
        let formats = read_all(&Table::new(&faults, &entries, Span::default(), "the file"));
        let warnings = faults.finish();
        match formats {
            Some(formats) if !warnings.iter().any(Fault::is_error) => {
                Ok(Self { formats, warnings })
            }
            _ => Err(warnings),
        }
    }

    /// Whether a text is such a table rather than a hub file: it has a `[[format]]`.
    #[must_use]
    pub fn is_one(source: &Source) -> bool {
        source.text().lines().any(|line| {
            let header = line.trim_start().trim_start_matches('[');
            header.len() < line.trim_start().len() && header.trim_start().starts_with("format")
        })
    }
}

/// `carriers` of a hub file: the table in the file that it names. `None` if there is none, or if
/// it has a fault.
pub(super) fn read_named(root: &Table<'_>, files: &Files) -> Option<Formats> {
    let source = open_named(root.get("carriers")?, files, FILE_MB_MAX)?;
    let (mended, slips) = syntax::mend(&source);
    let entries = syntax::parse(&mended);
    let file = root.faults.add_file(&source, slips);
    let whole = Span::of(file, 0..0);
    read_all(&Table::new(root.faults, &entries, whole, "the file"))
}

/// A format as it is being read, with its places.
struct Draft<'a> {
    spec: FormatSpec,
    table: Span,
    name: Span,
    carrier: Option<(&'a str, Span)>,
    patterns: Vec<Value<'a>>,
    check: Span,
    omitted: Span,
    separators: Span,
    words: Vec<Span>,
    /// No error was found while it was read.
    sound: bool,
}

impl Draft<'_> {
    fn place_of(&self, part: FormatPart) -> Span {
        match part {
            FormatPart::Whole => self.table,
            FormatPart::Name => self.name,
            FormatPart::Pattern { nth, at } => {
                self.patterns.get(nth).map_or(self.table, |value| match at {
                    Some(at) => value.place_in(at),
                    None => value.span,
                })
            }
            FormatPart::Check => self.check,
            FormatPart::Omitted => self.omitted,
            FormatPart::Separators => self.separators,
            FormatPart::Word(nth) => self.words.get(nth).copied().unwrap_or(self.table),
        }
    }
}

fn read_all(root: &Table<'_>) -> Option<Formats> {
    let tables = root.tables("format", "[[format]]");
    if tables.is_empty() {
        root.missing("format", "[[format]]");
    }
    let mut drafts: Vec<Draft<'_>> = tables.iter().map(read_format).collect();
    let chosen = read_choice(root, &drafts);
    root.finish();
    // What is left out is checked too: it may be wanted tomorrow.
    let all = FormatsSpec {
        formats: drafts.iter().map(|draft| draft.spec.clone()).collect(),
    };
    let formats = match Formats::new(all) {
        Ok(formats) => formats,
        Err(found) => {
            found
                .iter()
                .for_each(|fault| report(root.faults, &drafts, fault));
            return None;
        }
    };
    let Some(chosen) = chosen else {
        return Some(formats);
    };
    drafts.retain(|draft| chosen.contains(&draft.spec.carrier));
    let formats = drafts.into_iter().map(|draft| draft.spec).collect();
    // A part of a table without faults has none.
    Formats::new(FormatsSpec { formats }).ok()
}

/// `carriers`: whose formats are used; `None` for all.
fn read_choice(root: &Table<'_>, drafts: &[Draft<'_>]) -> Option<Vec<String>> {
    let list = root.get("carriers")?;
    let known = drafts.iter().filter_map(|draft| draft.carrier);
    let names = Names::new("carrier", known.map(|(name, _)| name));
    let all_read = drafts.iter().all(|draft| draft.carrier.is_some());
    let mut chosen = Vec::new();
    for (name, span) in list.texts() {
        if all_read {
            names.find(name, span, root.faults);
        }
        chosen.push(name.to_owned());
    }
    if list.is_list() && chosen.is_empty() {
        list.fault(TextFault::Blank {
            key: "carriers".to_owned(),
        });
    }
    Some(chosen)
}

fn read_format<'a>(table: &Table<'a>) -> Draft<'a> {
    let mark = table.faults.mark();
    let name = table
        .require("name", "name = \"sscc-18\"")
        .and_then(|value| value.text());
    let carrier = table
        .require("carrier", "carrier = \"UPS\"")
        .and_then(|value| Some((value.text()?, value.span)));
    let mut spec = FormatSpec::new(
        name.unwrap_or(""),
        carrier.map_or("", |(name, _)| name),
        &[],
    );
    let kinds = [
        ("waybill", Kind::Waybill),
        ("route", Kind::Route),
        ("container", Kind::Container),
        ("unit", Kind::Unit),
    ];
    if let Some(kind) = table.get("kind").and_then(|value| value.choice(&kinds)) {
        spec.kind = kind;
    }
    if let Some(priority) = table.get("priority").and_then(|value| value.int(1..=9_999)) {
        spec.priority = priority as u16;
    }
    let patterns = table
        .require("patterns", "patterns = ['1Z\\d{16}']")
        .and_then(|value| value.list("a list of patterns"))
        .unwrap_or_default();
    let patterns: Vec<Value<'a>> = patterns
        .into_iter()
        .filter(|v| v.text().is_some())
        .collect();
    spec.patterns = patterns
        .iter()
        .filter_map(|v| v.any_text())
        .map(str::to_owned)
        .collect();
    spec.check = table.get("check").and_then(read_check);
    if let Some(omitted) = table.get("omitted").and_then(|value| value.text()) {
        omitted.clone_into(&mut spec.omitted);
    }
    if let Some(separators) = table.get("separators").and_then(|value| value.text()) {
        separators.clone_into(&mut spec.separators);
    }
    if let Some(is_gs1) = table.get("gs1").and_then(|value| value.flag()) {
        spec.is_gs1 = is_gs1;
    }
    let words = table
        .get("words")
        .map(|value| value.texts())
        .unwrap_or_default();
    spec.words = words.iter().map(|(word, _)| (*word).to_owned()).collect();
    table.finish();
    Draft {
        spec,
        table: table.span,
        name: table.place_of("name"),
        carrier,
        patterns,
        check: table.place_of("check"),
        omitted: table.place_of("omitted"),
        separators: table.place_of("separators"),
        words: words.into_iter().map(|(_, span)| span).collect(),
        sound: table.faults.mark() == mark && !table.faults.broken_at(table.span),
    }
}

/// The name of a rule, or `{ weights = […], modulus = …, digit = "…" }`.
fn read_check(value: Value<'_>) -> Option<CheckSpec> {
    if !value.is_table() {
        return Some(match value.choice(CHECKS)? {
            Rule::Gs1Mod10 => CheckSpec::Gs1Mod10,
            Rule::S10Mod11 => CheckSpec::S10Mod11,
            Rule::UpsMod10 => CheckSpec::UpsMod10,
            Rule::Mod7 => CheckSpec::Mod7,
            Rule::Iso7064Mod37x36 => CheckSpec::Iso7064Mod37x36,
        });
    }
    let table = value.table("`check`")?;
    let weights = table
        .require("weights", "weights = [3, 1]")
        .and_then(|value| value.list("a list of numbers"));
    let weights = weights.map(|list| {
        let numbers = list.iter().filter_map(|entry| entry.int(1..=255));
        numbers.map(|weight| weight as u8).collect::<Vec<u8>>()
    });
    let modulus = table
        .require("modulus", "modulus = 10")
        .and_then(|value| value.int(2..=97));
    let digits = [
        ("remainder", CheckDigit::Remainder),
        ("complement", CheckDigit::Complement),
    ];
    let digit = table
        .require("digit", "digit = \"complement\"")
        .and_then(|value| value.choice(&digits));
    table.finish();
    Some(CheckSpec::Weighted {
        weights: weights?,
        modulus: modulus? as u8,
        digit: digit?,
    })
}

/// Puts what the core refuses where it is described.
fn report(faults: &Faults<'_>, drafts: &[Draft<'_>], fault: &FormatFault) {
    let Some(draft) = drafts.get(fault.format) else {
        faults.add(Span::default(), meaning("", &fault.kind));
        return;
    };
    let name = draft.spec.name.as_str();
    match &fault.kind {
        FormatFaultKind::NoName => {}
        FormatFaultKind::SameName { first, .. } => {
            let first = drafts
                .get(*first)
                .map_or(Span::default(), |draft| draft.name);
            let same = Meaning::SameName {
                what: "format",
                name: name.to_owned(),
                first_line: faults.line_of(first),
            };
            faults.add(draft.name, same);
        }
        // What is wrong with a pattern, it shows by itself; what is missing may be missing only
        // because it could not be read.
        kind if draft.sound || matches!(fault.part, FormatPart::Pattern { at: Some(_), .. }) => {
            faults.add(draft.place_of(fault.part), meaning(name, kind));
        }
        _ => {}
    }
}

fn meaning(format: &str, fault: &FormatFaultKind) -> Meaning {
    Meaning::Format {
        format: format.to_owned(),
        fault: fault.clone(),
    }
}
