//! From a described table to one that is ready: every check, and the order of precedence.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::check::Check;
use super::fault::{FormatFault, FormatFaultKind, FormatPart};
use super::pattern::{self, CAPITALS, DIGITS, Group, Shape};
use super::spec::{FormatSpec, FormatsSpec, Kind};
use super::table::{Form, Table};
use super::text::separator;
use crate::ids::FormatId;
use crate::limits::{FORMAT_SHAPES_MAX, FORMATS_MAX, OMITTED_CHARS_MAX, SHAPES_MAX};

/// A table and what goes with each of its formats.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub(super) table: Table,
    pub(super) rules: Vec<Rule>,
}

/// What is needed of a format to judge a code, beside its shapes.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) check: Option<Check>,
    pub(super) kind: Kind,
    /// Place in the order of precedence, from 0.
    pub(super) rank: u16,
    /// See [`separator`].
    pub(super) separators: u8,
    /// The words that it may have, sorted.
    pub(super) words: Vec<Vec<u8>>,
    pub(super) omitted: Vec<u8>,
    pub(super) is_gs1: bool,
}

pub(super) fn compile(spec: &FormatsSpec) -> Result<Compiled, Vec<FormatFault>> {
    let mut faults = Vec::new();
    if spec.formats.len() > FORMATS_MAX {
        let fault = fault(
            FORMATS_MAX,
            FormatPart::Whole,
            FormatFaultKind::TooManyFormats,
        );
        return Err(alloc::vec![fault]);
    }
    check_names(spec, &mut faults);
    let mut rules = Vec::new();
    let mut shapes = Vec::new();
    for (at, format) in spec.formats.iter().enumerate() {
        let mut found = Found {
            format: at,
            faults: &mut faults,
        };
        let own = shapes_of(format, &mut found);
        rules.push(rule_of(format, &own, &mut found));
        shapes.extend(own.into_iter().map(|shape| {
            let form = Form::new(FormatId(at as u16), &shape);
            (form, shape)
        }));
        if shapes.len() > SHAPES_MAX {
            found.add(FormatPart::Whole, FormatFaultKind::TooManyShapes);
            return Err(faults);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let order = order(spec);
    for (rank, format) in order.iter().enumerate() {
        rules[*format].rank = rank as u16;
    }
    // Stable: patterns and counts of one format keep their order.
    let rank = |form: &Form| rules[form.format.index()].rank;
    let priority = |form: &Form| spec.formats[form.format.index()].priority;
    shapes.sort_by_key(|(form, _)| (priority(form), Reverse(form.is_checked()), rank(form)));
    Ok(Compiled {
        table: Table::new(&shapes),
        rules,
    })
}

/// The formats in the order of precedence.
fn order(spec: &FormatsSpec) -> Vec<usize> {
    let mut order: Vec<usize> = (0..spec.formats.len()).collect();
    order.sort_by_key(|at| {
        let format = &spec.formats[*at];
        (format.priority, Reverse(format.check.is_some()))
    });
    order
}

fn fault(format: usize, part: FormatPart, kind: FormatFaultKind) -> FormatFault {
    FormatFault { format, part, kind }
}

fn check_names(spec: &FormatsSpec, faults: &mut Vec<FormatFault>) {
    let mut taken = BTreeMap::new();
    for (at, format) in spec.formats.iter().enumerate() {
        if format.name.trim().is_empty() {
            faults.push(fault(at, FormatPart::Name, FormatFaultKind::NoName));
            continue;
        }
        let first = *taken.entry(format.name.as_str()).or_insert(at);
        if first != at {
            let name = format.name.clone();
            faults.push(fault(
                at,
                FormatPart::Name,
                FormatFaultKind::SameName { name, first },
            ));
        }
    }
}

/// Where the faults of one format go.
struct Found<'f> {
    format: usize,
    faults: &'f mut Vec<FormatFault>,
}

impl Found<'_> {
    fn add(&mut self, part: FormatPart, kind: FormatFaultKind) {
        self.faults.push(fault(self.format, part, kind));
    }
}

/// The shapes of all patterns of a format that have no fault.
fn shapes_of(format: &FormatSpec, found: &mut Found<'_>) -> Vec<Shape> {
    if format.patterns.is_empty() {
        found.add(FormatPart::Whole, FormatFaultKind::NoPattern);
    }
    let mut all = Vec::new();
    for (nth, text) in format.patterns.iter().enumerate() {
        match pattern::shapes(text) {
            Ok(shapes) => {
                // Every shape has the same groups; one fault of a kind is enough.
                let kinds = shapes.iter().flat_map(|shape| faults_of(format, shape));
                let mut told: Vec<FormatFaultKind> = Vec::new();
                for kind in kinds {
                    if !told.contains(&kind) {
                        told.push(kind);
                    }
                }
                for kind in told {
                    found.add(FormatPart::Pattern { nth, at: None }, kind);
                }
                all.extend(shapes);
            }
            Err((at, kind)) => found.add(FormatPart::Pattern { nth, at }, kind),
        }
    }
    if all.len() > FORMAT_SHAPES_MAX {
        found.add(FormatPart::Whole, FormatFaultKind::TooWide);
        all.truncate(FORMAT_SHAPES_MAX);
    }
    all
}

/// What does not fit together in one shape.
fn faults_of(format: &FormatSpec, shape: &Shape) -> Vec<FormatFaultKind> {
    let mut faults = Vec::new();
    let part = |group| shape.part(group);
    let has = |group| !part(group).is_empty();
    let rule = format.check.as_ref().and_then(|spec| Check::new(spec).ok());
    if has(Group::Over) != has(Group::Check) {
        faults.push(FormatFaultKind::HalfCheck);
    } else if has(Group::Check) && format.check.is_none() {
        faults.push(FormatFaultKind::NoRule);
    } else if part(Group::Check).len() > 1 {
        faults.push(FormatFaultKind::WideCheck);
    } else if let Some(rule) = rule.filter(|_| has(Group::Check)) {
        if !shape.holds_only(Group::Over, rule.takes()) {
            faults.push(FormatFaultKind::NotDigits("over"));
        }
        if !shape.holds_only(Group::Check, rule.gives()) {
            faults.push(FormatFaultKind::NotDigits("check"));
        }
        if rule
            .length()
            .is_some_and(|length| length != part(Group::Over).len())
        {
            faults.push(FormatFaultKind::WrongCount(rule.length().unwrap_or(0)));
        }
    }
    if has(Group::Word) == format.words.is_empty() {
        faults.push(FormatFaultKind::HalfWord);
    }
    if format.kind == Kind::Route && !has(Group::Postcode) && !has(Group::Address) {
        faults.push(FormatFaultKind::NoAddress);
    }
    let starts = |group| part(group).start == 0;
    let joins_on = starts(Group::Identity) && starts(Group::Over);
    if !format.omitted.is_empty() && !joins_on {
        faults.push(FormatFaultKind::OmittedElsewhere);
    }
    faults
}

fn rule_of(format: &FormatSpec, shapes: &[Shape], found: &mut Found<'_>) -> Rule {
    let check = match format.check.as_ref().map(Check::new).transpose() {
        Ok(check) => check,
        Err(kind) => {
            found.add(FormatPart::Check, kind);
            None
        }
    };
    let has_check = |shape: &Shape| !shape.part(Group::Check).is_empty();
    let has_half = |shape: &Shape| has_check(shape) || !shape.part(Group::Over).is_empty();
    if format.check.is_some() && !shapes.is_empty() && !shapes.iter().any(has_half) {
        found.add(FormatPart::Check, FormatFaultKind::NoCheckGroup);
    }
    let omitted = format.omitted.as_bytes().to_vec();
    let allowed = match check {
        Some(check) => check.takes(),
        None => DIGITS | CAPITALS,
    };
    let fits = |byte: &u8| byte.is_ascii() && allowed & (1 << byte) != 0;
    if omitted.len() > OMITTED_CHARS_MAX || !omitted.iter().all(fits) {
        found.add(FormatPart::Omitted, FormatFaultKind::BadOmitted);
    }
    let mut separators = 0;
    for c in format.separators.chars() {
        match u8::try_from(c).map(separator) {
            Ok(bit) if bit != 0 => separators |= bit,
            _ => found.add(FormatPart::Separators, FormatFaultKind::BadSeparator(c)),
        }
    }
    Rule {
        check,
        kind: format.kind,
        rank: 0,
        separators,
        words: words_of(format, shapes, found),
        omitted,
        is_gs1: format.is_gs1,
    }
}

fn words_of(format: &FormatSpec, shapes: &[Shape], found: &mut Found<'_>) -> Vec<Vec<u8>> {
    let parts = shapes.iter().map(|shape| shape.part(Group::Word).len());
    let lengths = Vec::from_iter(parts.filter(|length| *length > 0));
    for (nth, word) in format.words.iter().enumerate() {
        let good = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let fits = lengths.is_empty() || lengths.contains(&word.len());
        if word.is_empty() || !fits || !word.bytes().all(good) {
            found.add(FormatPart::Word(nth), FormatFaultKind::BadWord);
        }
    }
    let mut words: Vec<Vec<u8>> = format
        .words
        .iter()
        .map(|word| word.as_bytes().into())
        .collect();
    words.sort_unstable();
    words
}
