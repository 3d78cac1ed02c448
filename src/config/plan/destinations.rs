//! `[[plan.destination]]`: where parcels can be for, one by one or one for each chute.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sorthub_core::facts::{Address, DestKey};
use sorthub_core::hub::{HubSpec, TrackKind};
use sorthub_core::ids::{ChuteId, DestId, WaveId};
use sorthub_core::plan::{AddressKind, AddressRule, DestinationSpec, PlanSpec, Spread};

use super::super::bank::Names;
use super::super::fault::{Meaning, TextFault};
use super::super::names::nearest;
use super::super::reader::{Faults, Table, Value};
use super::super::source::Span;
use super::{Known, PlanDraft, chutes, codes, tables};

/// The word for one destination a chute.
const ONE_FOR_EACH_CHUTE: &str = "one_for_each_chute";

/// What else can stand there.
const TABLE: &str = "a table (*.csv)";

/// Texts with their places.
pub(super) type Texts<'t> = [(&'t str, Span)];

/// Destinations as they are added one by one, from whatever form.
pub(super) struct Adding<'d, 'a> {
    pub(super) faults: &'d Faults<'a>,
    pub(super) draft: &'d mut PlanDraft,
    /// Names of waves.
    pub(super) waves: Names,
    /// Code prefixes with the positions of their destinations.
    prefixes: HashMap<String, usize>,
    keys: HashMap<DestKey, usize>,
}

/// Where a destination is described.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub(super) name: Span,
    pub(super) shares: Span,
    /// No error was found in its lists.
    pub(super) sound: bool,
}

pub(super) fn read(table: &Table<'_>, known: &Known<'_>, draft: &mut PlanDraft) {
    let described = table.tables("destination", "[[plan.destination]]");
    let other = table.get("destinations");
    if other.and_then(|value| value.any_text()) == Some(ONE_FOR_EACH_CHUTE) {
        let why = "`destinations = \"one_for_each_chute\"` already makes them all";
        table.refuse("destination", why);
        one_for_each_chute(table, known.hub, draft);
        return;
    }
    if described.is_empty() && table.get("destination").is_none() && other.is_none() {
        table.missing("destinations", "destinations = \"one_for_each_chute\"");
    }
    let mut adding = Adding::new(table.faults, draft);
    for one in described {
        read_destination(&one, known, &mut adding);
    }
    if let Some(file) = other.filter(names_a_table) {
        tables::read_destinations(file, known, &mut adding);
    }
}

fn names_a_table(value: &Value<'_>) -> bool {
    let Some(text) = value.text() else {
        return false;
    };
    let is_table = text.to_lowercase().ends_with(".csv");
    if !is_table {
        let allowed = vec![ONE_FOR_EACH_CHUTE, TABLE];
        value.fault(TextFault::NotOneOf {
            key: value.key.to_owned(),
            found: text.to_owned(),
            allowed,
            nearest: nearest(text, [ONE_FOR_EACH_CHUTE]),
        });
    }
    is_table
}

fn one_for_each_chute(table: &Table<'_>, hub: &HubSpec, draft: &mut PlanDraft) {
    draft.is_generated = true;
    let span = table.place_of("destinations");
    for chute in sorting_chutes(hub, &draft.spec) {
        let name = hub.chutes[chute.index()].name.clone();
        draft.names.push(span);
        draft.sound_lists.push(true);
        draft.spec.destinations.push(DestinationSpec {
            name,
            chutes: vec![chute],
            ..DestinationSpec::default()
        });
    }
}

/// All chutes but those of last resort, those that feed transfers, and the ends of lines.
fn sorting_chutes(hub: &HubSpec, plan: &PlanSpec) -> Vec<ChuteId> {
    let is_end = |chute: &ChuteId| {
        hub.chutes[chute.index()].outlets.iter().any(|outlet| {
            let track = hub.tracks.get(outlet.track.index());
            let line = track.filter(|t| matches!(t.kind, TrackKind::Line { .. }));
            line.is_some_and(|t| t.kind.length() == outlet.at)
        })
    };
    let mut is_last = vec![false; hub.chutes.len()];
    let own = plan.exceptions.iter().flat_map(|(_, own)| own);
    for chute in plan.reject.iter().chain(own) {
        is_last[chute.index()] = true;
    }
    for feeding in hub.transfers.iter().map(|transfer| transfer.from.index()) {
        // One that names a chute which is not there is told by the core.
        is_last
            .get_mut(feeding)
            .into_iter()
            .for_each(|last| *last = true);
    }
    let all = (0..hub.chutes.len().min(usize::from(u16::MAX))).map(|at| ChuteId(at as u16));
    all.filter(|chute| !is_end(chute) && !is_last[chute.index()])
        .collect()
}

fn read_destination(table: &Table<'_>, known: &Known<'_>, adding: &mut Adding<'_, '_>) {
    let list = |key| table.get(key).map(|value| chutes(value, known));
    let texts = |key| table.get(key).map(|v| v.texts()).unwrap_or_default();
    let name = table.require("name", "name = \"…\"").and_then(|v| v.text());
    let prefixes = texts("prefixes");
    let mark = table.faults.mark();
    let own = list("chutes");
    let waves = read_waves(table, known, adding);
    if own.is_none() && waves.is_empty() {
        table.missing("chutes", "chutes = [\"…\"]");
    }
    let dest = DestinationSpec {
        name: name.unwrap_or_default().to_owned(),
        chutes: own.unwrap_or_default(),
        spread: read_spread(table),
        alternates: list("alternates").unwrap_or_default(),
        overflow: list("overflow").unwrap_or_default(),
        waves,
        prefixes: owned(&prefixes),
    };
    let lists = table.faults.mark() == mark;
    let [segments, postcodes] = ["segments", "postcodes"].map(texts);
    let mark = table.faults.mark();
    table.finish();
    let keys = table.faults.mark() == mark && !table.faults.broken_at(table.span);
    adding.add_codes(&segments, AddressKind::Segment);
    adding.add_codes(&postcodes, AddressKind::Postcode);
    let (name, shares) = (table.place_of("name"), table.place_of("shares"));
    adding.add_prefixes(&dest, name, &prefixes);
    let sound = lists && keys;
    adding.add(
        dest,
        Places {
            name,
            shares,
            sound,
        },
    );
}

/// Prefixes as a destination keeps them.
pub(super) fn owned(prefixes: &Texts<'_>) -> Vec<String> {
    let texts = prefixes.iter().map(|(text, _)| (*text).to_owned());
    texts.collect()
}

/// Why there is no place for a spread.
pub(super) const SHARES_SAY_IT: &str = "`shares` already says how parcels spread";

fn read_spread(table: &Table<'_>) -> Spread {
    let words = [("preferred", Spread::Preferred), ("level", Spread::Level)];
    let positions = [(words[0].0, 0), (words[1].0, 1)];
    let spread = table.get("spread").and_then(|v| v.choice(&positions));
    let Some(shares) = table.get("shares") else {
        return spread.map_or(Spread::Preferred, |at: usize| words[at].1.clone());
    };
    table.refuse("spread", SHARES_SAY_IT);
    let list = shares.list("a list of shares").unwrap_or_default();
    let numbers = list.iter().filter_map(|v| v.int(0..=u32::from(u16::MAX)));
    Spread::Shares(numbers.map(|share| share as u16).collect())
}

/// `waves = { morning = ["A01"], night = ["A02"] }`.
fn read_waves(
    table: &Table<'_>,
    known: &Known<'_>,
    adding: &Adding<'_, '_>,
) -> Vec<(WaveId, Vec<ChuteId>)> {
    let Some(waves) = table.table("waves", "`waves`") else {
        return vec![];
    };
    let mut found = Vec::new();
    for (name, span) in waves.keys() {
        let list = waves.entry(name, "waves").map(|value| chutes(value, known));
        let wave = adding.waves.find(name, span, adding.faults);
        found.extend(wave.zip(list).map(|(at, list)| (WaveId(at as u8), list)));
    }
    in_order(found)
}

/// Waves in the order of the plan, which is that of their cut-offs.
pub(super) fn in_order(mut waves: Vec<(WaveId, Vec<ChuteId>)>) -> Vec<(WaveId, Vec<ChuteId>)> {
    waves.sort_by_key(|(wave, _)| *wave);
    waves
}

impl<'d, 'a> Adding<'d, 'a> {
    pub(super) fn new(faults: &'d Faults<'a>, draft: &'d mut PlanDraft) -> Self {
        let waves = draft.spec.waves.iter().map(|wave| wave.name.as_str());
        Self {
            faults,
            waves: Names::new("wave", waves),
            draft,
            prefixes: HashMap::new(),
            keys: HashMap::new(),
        }
    }

    /// Adds a destination, which gets the next number.
    pub(super) fn add(&mut self, dest: DestinationSpec, places: Places) {
        let at = self.draft.spec.destinations.len();
        if matches!(dest.spread, Spread::Shares(_)) {
            self.draft.shares.insert(at, places.shares);
        }
        self.draft.names.push(places.name);
        self.draft.sound_lists.push(places.sound);
        self.draft.spec.destinations.push(dest);
    }

    /// Adds address rules for the destination that is added next.
    pub(super) fn add_codes(&mut self, texts: &Texts<'_>, kind: AddressKind) {
        let to = DestId(self.draft.spec.destinations.len() as u32);
        for &(text, span) in texts {
            match codes::prefixes(text) {
                Ok(prefixes) => self.draft.add_addresses(kind, &prefixes, to, span),
                Err(problem) => self.faults.add_error(span, || TextFault::BadAddressRange {
                    found: text.to_owned(),
                    problem,
                }),
            }
        }
    }

    /// Sees that no other destination has the prefixes of the one that is added next: its name, and
    /// those given.
    pub(super) fn add_prefixes(&mut self, dest: &DestinationSpec, place: Span, texts: &Texts<'_>) {
        let name = &dest.name;
        let at = self.draft.spec.destinations.len();
        // Two of one name are reported as such, not by what follows from it.
        let is_new = match self.keys.entry(DestKey::of(name)) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(at);
                true
            }
        };
        if !name.is_empty() && is_new {
            self.add_prefix(dest.name_prefix(), place);
        }
        for &(prefix, span) in texts {
            self.add_prefix(prefix.to_owned(), span);
        }
    }

    fn add_prefix(&mut self, prefix: String, span: Span) {
        let dest = self.draft.spec.destinations.len();
        let named = |at: usize| self.draft.spec.destinations.get(at).map(|d| d.name.clone());
        // Small letters count as capitals when a code is looked up.
        match self.prefixes.entry(prefix.to_ascii_uppercase()) {
            Entry::Occupied(taken) => {
                let other = named(*taken.get()).unwrap_or_default();
                self.faults.add(span, Meaning::SamePrefix { prefix, other });
            }
            Entry::Vacant(free) => {
                free.insert(dest);
            }
        }
    }
}

impl PlanDraft {
    /// Adds address rules that are all given at one place.
    pub(super) fn add_addresses(
        &mut self,
        kind: AddressKind,
        prefixes: &[Address],
        to: DestId,
        place: Span,
    ) {
        for &prefix in prefixes {
            self.spec.addresses.push(AddressRule { kind, prefix, to });
            self.addresses.push(place);
        }
    }
}
