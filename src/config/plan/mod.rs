//! `[plan]`: what goes where, in the hub file or in files of its own.
//!
//! The tables are read in the order in which they lean on each other: waves, policies, last
//! resorts, destinations, addresses, rules.

use std::collections::BTreeMap;

use sorthub_core::hub::HubSpec;
use sorthub_core::identify::Formats;
use sorthub_core::ids::ChuteId;
use sorthub_core::plan::PlanSpec;

use super::bank::Names;
use super::fault::TextFault;
use super::files::{Files, open_named};
use super::reader::{Table, Value};
use super::source::Span;
use super::syntax;

mod codes;
mod destinations;
pub(super) mod placing;
mod policies;
mod rules;
pub(super) mod tables;

/// No plan that people write as TOML needs more.
pub(super) const PLAN_FILE_MB_MAX: u64 = 16;

/// A table of 100,000 destinations or addresses has a few megabytes.
const PLAN_TABLE_MB_MAX: u64 = 64;

/// What a plan may name.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    pub(super) hub: &'k HubSpec,
    pub(super) chutes: &'k Names,
    pub(super) files: &'k Files,
    pub(super) carriers: Carriers<'k>,
}

/// Whose parcels a rule may ask for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Carriers<'k> {
    /// Those of the hub's table of code formats.
    Of(&'k Formats),
    /// The hub has no table, so that it knows no parcel's carrier.
    NoTable,
    /// There is a table that cannot be used, which is told by itself.
    Unknown,
}

impl<'k> Carriers<'k> {
    /// Those of a hub without faults.
    pub(super) fn of(formats: Option<&'k Formats>) -> Self {
        formats.map_or(Self::NoTable, Self::Of)
    }
}

/// The plan as it is being read.
#[derive(Debug)]
pub(super) struct PlanDraft {
    pub(super) spec: PlanSpec,
    /// Where each destination's name is given.
    pub(super) names: Vec<Span>,
    /// Where each address rule is given.
    pub(super) addresses: Vec<Span>,
    /// Where each attribute rule is.
    pub(super) rules: Vec<Span>,
    /// Where the name of each wave is given.
    pub(super) waves: Vec<Span>,
    /// Where the shares of a destination are, by its position.
    pub(super) shares: BTreeMap<usize, Span>,
    /// Where the cause of each exception is given.
    pub(super) exceptions: Vec<Span>,
    pub(super) header: Span,
    pub(super) reject: Span,
    pub(super) laps: Span,
    /// Whether the destinations were made from the chutes, not described.
    pub(super) is_generated: bool,
    /// Whether no error was found.
    pub(super) sound: bool,
    /// The same of each destination's lists, by its position: what follows from them can be
    /// believed, whatever is wrong elsewhere.
    pub(super) sound_lists: Vec<bool>,
    /// The same of the chutes of last resort.
    pub(super) sound_reject: bool,
}

impl PlanDraft {
    fn new(header: Span) -> Self {
        Self {
            spec: PlanSpec::default(),
            names: vec![],
            addresses: vec![],
            rules: vec![],
            waves: vec![],
            shares: BTreeMap::new(),
            exceptions: vec![],
            header,
            reject: header,
            laps: header,
            is_generated: false,
            sound: false,
            sound_lists: vec![],
            sound_reject: false,
        }
    }
}

/// Reads the plan of a hub file, or the file that it names.
pub(super) fn read(root: &Table<'_>, known: &Known<'_>) -> PlanDraft {
    let Some(table) = root
        .require("plan", "[plan]")
        .and_then(|v| v.table("[plan]"))
    else {
        return PlanDraft::new(root.span);
    };
    let Some(name) = table.get("file") else {
        return read_plan(&table, known);
    };
    let why = "the plan is in the file that `file` names";
    let others = table.keys();
    for (key, span) in others.into_iter().filter(|(key, _)| *key != "file") {
        let key = key.to_owned();
        table.faults.add(span, TextFault::NotHere { key, why });
    }
    let mut draft = PlanDraft::new(table.span);
    let Some(source) = open_named(name, known.files, PLAN_FILE_MB_MAX) else {
        return draft;
    };
    let (mended, slips) = syntax::mend(&source);
    let entries = syntax::parse(&mended);
    let file = table.faults.add_file(&source, slips);
    let whole = Span::of(file, 0..0);
    let files = known.files.beside_named(name.text().unwrap_or_default());
    let known = Known {
        files: &files,
        ..*known
    };
    let root = Table::new(table.faults, &entries, whole, "the plan file");
    if let Some(read) = read_alone(&root, &known) {
        draft = read;
    }
    draft
}

/// Reads a file that holds a plan and nothing else.
pub(super) fn read_alone(root: &Table<'_>, known: &Known<'_>) -> Option<PlanDraft> {
    let table = root
        .require("plan", "[plan]")
        .and_then(|v| v.table("[plan]"));
    root.finish();
    let table = table?;
    table.refuse("file", "this is the plan's own file");
    Some(read_plan(&table, known))
}

fn read_plan(table: &Table<'_>, known: &Known<'_>) -> PlanDraft {
    let mark = table.faults.mark();
    let mut draft = PlanDraft::new(table.span);
    policies::read(table, &mut draft);
    rules::read_waves(table, &mut draft);
    policies::read_last_resorts(table, known, &mut draft);
    destinations::read(table, known, &mut draft);
    let names = draft.spec.destinations.iter().map(|d| d.name.as_str());
    let names = Names::new("destination", names);
    tables::read_addresses(table, known, &names, &mut draft);
    rules::read(table, known, &names, &mut draft);
    draft.reject = table.place_of("reject");
    draft.laps = table.place_of("laps_max");
    table.finish();
    draft.sound = table.faults.mark() == mark && !table.faults.broken_at(table.span);
    draft
}

fn ids(positions: Vec<usize>) -> Vec<ChuteId> {
    positions.into_iter().map(|at| ChuteId(at as u16)).collect()
}

/// The chutes that a list names, each once.
fn chutes(list: Value<'_>, known: &Known<'_>) -> Vec<ChuteId> {
    ids(known.chutes.find_set(list))
}
