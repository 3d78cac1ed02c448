//! `[plan]`: what goes where.

use std::collections::BTreeMap;

use sorthub_core::directory::Directory;
use sorthub_core::facts::DestKey;
use sorthub_core::hub::{HubSpec, TrackKind};
use sorthub_core::ids::{ChuteId, DestId};
use sorthub_core::limits::LAPS_MAX;
use sorthub_core::plan::{DestinationSpec, NoReadPolicy, PlanSpec, RoomPolicy};
use sorthub_core::reason::Reason;

use super::bank::Names;
use super::fault::{Meaning, TextFault};
use super::names::nearest;
use super::reader::{Faults, Table};
use super::source::Span;

/// The plan as it is being read.
#[derive(Debug)]
pub(super) struct PlanDraft {
    pub(super) spec: PlanSpec,
    /// Where each destination's name is given.
    pub(super) names: Vec<Span>,
    pub(super) header: Span,
    pub(super) reject: Span,
    pub(super) laps: Span,
    pub(super) exceptions: Span,
    /// Whether no error was found.
    pub(super) sound: bool,
    /// Code prefixes with their destinations.
    pub(super) prefixes: Vec<(String, DestId)>,
}

impl PlanDraft {
    /// The look-up of codes that goes with the plan.
    pub(super) fn directory(&self) -> Directory {
        let mut directory = Directory::new();
        let key = |dest: &DestId| DestKey::of(&self.spec.destinations[dest.index()].name);
        let prefixes = self
            .prefixes
            .iter()
            .map(|(text, dest)| (text.clone(), key(dest)));
        directory.set_prefixes(prefixes);
        directory
    }
}

/// Prefixes with the positions of their destinations.
struct Prefixes<'f, 'a> {
    faults: &'f Faults<'a>,
    taken: BTreeMap<String, usize>,
}

pub(super) fn read(root: &Table<'_>, hub: &HubSpec, chutes: &Names) -> PlanDraft {
    let mark = root.faults.mark();
    let mut draft = PlanDraft {
        spec: PlanSpec::default(),
        names: vec![],
        header: root.span,
        reject: root.span,
        laps: root.span,
        exceptions: root.span,
        sound: false,
        prefixes: vec![],
    };
    let Some(table) = root
        .require("plan", "[plan]")
        .and_then(|v| v.table("[plan]"))
    else {
        return draft;
    };
    draft.header = table.span;
    read_rules(&table, &mut draft);
    read_last_resorts(&table, chutes, &mut draft);
    read_destinations(&table, hub, chutes, &mut draft);
    draft.reject = table.place_of("reject");
    draft.laps = table.place_of("laps_max");
    draft.exceptions = table.place_of("exceptions");
    table.finish();
    draft.sound = root.faults.mark() == mark && !root.faults.broken_at(table.span);
    draft
}

fn read_rules(table: &Table<'_>, draft: &mut PlanDraft) {
    let spec = &mut draft.spec;
    if let Some(version) = table.get("version").and_then(|v| v.int(1..=u32::MAX)) {
        spec.version = version;
    }
    let rooms = [
        ("attempt", RoomPolicy::Attempt),
        ("reserve", RoomPolicy::Reserve),
    ];
    if let Some(room) = table.get("room").and_then(|v| v.choice(&rooms)) {
        spec.room = room;
    }
    let policies = [
        ("reject", NoReadPolicy::Reject),
        ("again", NoReadPolicy::Again),
    ];
    if let Some(no_read) = table.get("no_read").and_then(|v| v.choice(&policies)) {
        spec.no_read = no_read;
    }
    if let Some(laps) = table
        .get("laps_max")
        .and_then(|v| v.int(0..=u32::from(LAPS_MAX)))
    {
        spec.laps_max = laps as u8;
    }
}

fn read_last_resorts(table: &Table<'_>, chutes: &Names, draft: &mut PlanDraft) {
    if let Some(value) = table.require("reject", "reject = [\"…\"]") {
        draft.spec.reject = ids(chutes.find_all(value));
    }
    let Some(causes) = table.table("exceptions", "`exceptions`") else {
        return;
    };
    for (word, span) in causes.keys() {
        let named = Reason::named(word).filter(|reason| *reason != Reason::Planned);
        let Some(reason) = named else {
            let known: Vec<&str> = Reason::ALL
                .iter()
                .skip(1)
                .map(|reason| reason.name())
                .collect();
            unknown_cause(&causes, span, word, &known);
            continue;
        };
        let chute = causes
            .entry(word, "exceptions")
            .and_then(|value| chutes.find_one(value));
        draft
            .spec
            .exceptions
            .extend(chute.map(|at| (reason, vec![ChuteId(at as u16)])));
    }
}

fn unknown_cause(causes: &Table<'_>, span: Span, word: &str, known: &[&str]) {
    causes.faults.add(
        span,
        TextFault::UnknownKey {
            key: word.to_owned(),
            table: "`exceptions`".to_owned(),
            nearest: nearest(word, known.iter().copied()),
            known: known.join(", "),
        },
    );
}

fn read_destinations(table: &Table<'_>, hub: &HubSpec, chutes: &Names, draft: &mut PlanDraft) {
    let mut prefixes = Prefixes {
        faults: table.faults,
        taken: BTreeMap::new(),
    };
    let described = table.tables("destination", "[[plan.destination]]");
    if let Some(short) = table.get("destinations") {
        short.choice(&[("one_for_each_chute", ())]);
        let why = "`destinations = \"one_for_each_chute\"` already makes them all";
        table.refuse("destination", why);
        for (nth, chute) in sorting_chutes(hub, &draft.spec).into_iter().enumerate() {
            let name = hub.chutes[chute.index()].name.clone();
            draft
                .prefixes
                .push((format!("{name}-"), DestId(nth as u32)));
            draft.names.push(short.span);
            let destination = DestinationSpec {
                name,
                chutes: vec![chute],
                ..DestinationSpec::default()
            };
            draft.spec.destinations.push(destination);
        }
        return;
    }
    if described.is_empty() && table.get("destination").is_none() {
        table.missing("destinations", "destinations = \"one_for_each_chute\"");
    }
    for one in described {
        read_destination(&one, chutes, &mut prefixes, draft);
    }
}

fn read_destination(
    table: &Table<'_>,
    chutes: &Names,
    prefixes: &mut Prefixes<'_, '_>,
    draft: &mut PlanDraft,
) {
    let list = |value| ids(chutes.find_all(value));
    let name = table.require("name", "name = \"…\"").and_then(|v| v.text());
    let own = table.require("chutes", "chutes = [\"…\"]").map(list);
    let overflow = table.get("overflow").map(list);
    let name = name.unwrap_or_default().to_owned();
    // Two of one name are reported as such, not by what follows from it.
    let is_new = draft
        .spec
        .destinations
        .iter()
        .all(|other| other.name != name);
    if !name.is_empty() && is_new {
        prefixes.add(&format!("{name}-"), table.place_of("name"), draft);
    }
    for (prefix, span) in table.get("prefixes").map(|v| v.texts()).unwrap_or_default() {
        prefixes.add(prefix, span, draft);
    }
    table.finish();
    draft.names.push(table.place_of("name"));
    draft.spec.destinations.push(DestinationSpec {
        name,
        chutes: own.unwrap_or_default(),
        overflow: overflow.unwrap_or_default(),
        ..DestinationSpec::default()
    });
}

impl Prefixes<'_, '_> {
    /// Adds a prefix of the destination that is read next.
    fn add(&mut self, prefix: &str, span: Span, draft: &mut PlanDraft) {
        let dest = draft.spec.destinations.len();
        match self.taken.get(prefix) {
            Some(&other) => {
                let other = draft.spec.destinations.get(other).map(|d| d.name.clone());
                let (prefix, other) = (prefix.to_owned(), other.unwrap_or_default());
                self.faults.add(span, Meaning::SamePrefix { prefix, other });
            }
            None => {
                self.taken.insert(prefix.to_owned(), dest);
                draft
                    .prefixes
                    .push((prefix.to_owned(), DestId(dest as u32)));
            }
        }
    }
}

/// All chutes but those of last resort and the ends of lines.
fn sorting_chutes(hub: &HubSpec, plan: &PlanSpec) -> Vec<ChuteId> {
    let is_end = |chute: &ChuteId| {
        hub.chutes[chute.index()].outlets.iter().any(|outlet| {
            let track = hub.tracks.get(outlet.track.index());
            let line = track.filter(|t| matches!(t.kind, TrackKind::Line { .. }));
            line.is_some_and(|t| t.kind.length() == outlet.at)
        })
    };
    let last = |chute: &ChuteId| {
        plan.reject.contains(chute) || plan.exceptions.iter().any(|(_, own)| own.contains(chute))
    };
    let all = (0..hub.chutes.len().min(usize::from(u16::MAX))).map(|at| ChuteId(at as u16));
    all.filter(|chute| !is_end(chute) && !last(chute)).collect()
}

fn ids(positions: Vec<usize>) -> Vec<ChuteId> {
    positions.into_iter().map(|at| ChuteId(at as u16)).collect()
}
