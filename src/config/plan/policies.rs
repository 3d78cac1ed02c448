//! What a plan says of all parcels: policies, checks, the host, last resorts.

use sorthub_core::ids::ChuteId;
use sorthub_core::limits::LAPS_MAX;
use sorthub_core::plan::{Checks, NoReadPolicy, RoomPolicy};
use sorthub_core::reason::Reason;
use sorthub_core::units::{Grams, Micros, Mm};

use super::super::fault::TextFault;
use super::super::names::nearest;
use super::super::reader::{Table, Value};
use super::super::source::Span;
use super::{Known, PlanDraft, chutes, ids};

/// Longer than a parcel is ever on a track.
const TIME_S_MAX: u32 = 24 * 3_600;

/// A parcel has left long before a host that takes longer has answered.
const DEADLINE_MS_MAX: u32 = 600_000;

/// Heavier and longer than anything that a sorter carries.
const WEIGHT_G_MAX: u32 = 1_000_000;
const LENGTH_MM_MAX: u32 = 10_000;

pub(super) fn read(table: &Table<'_>, draft: &mut PlanDraft) {
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
    if let Some(time) = table.get("time_max_s").and_then(|v| v.int(1..=TIME_S_MAX)) {
        spec.time_max = Micros::from_secs(u64::from(time));
    }
    if let Some(host) = table.table("host", "[plan.host]") {
        let deadline = host.require("deadline_ms", "deadline_ms = 300");
        let deadline = deadline.and_then(|v| v.int(1..=DEADLINE_MS_MAX));
        spec.host = deadline.map(|ms| Micros::from_millis(u64::from(ms)));
        host.finish();
    }
    if let Some(checks) = table.table("checks", "[plan.checks]") {
        spec.checks = read_checks(&checks);
    }
}

fn read_checks(table: &Table<'_>) -> Checks {
    let number = |key, most| {
        let value = table.get(key).and_then(|v| v.int(0..=most));
        value.unwrap_or(0)
    };
    let checks = Checks {
        weight_most: Grams(number("weight_most_g", WEIGHT_G_MAX)),
        length_most: Mm(number("length_most_mm", LENGTH_MM_MAX)),
        weight_tolerance_permille: number("weight_tolerance_permille", 10_000) as u16,
        weight_tolerance: Grams(number("weight_tolerance_g", WEIGHT_G_MAX)),
        size_tolerance: Mm(number("size_tolerance_mm", LENGTH_MM_MAX)),
    };
    table.finish();
    checks
}

pub(super) fn read_last_resorts(table: &Table<'_>, known: &Known<'_>, draft: &mut PlanDraft) {
    if let Some(value) = table.require("reject", "reject = [\"…\"]") {
        let mark = table.faults.mark();
        draft.spec.reject = chutes(value, known);
        draft.sound_reject = table.faults.mark() == mark;
    }
    let Some(causes) = table.table("exceptions", "`exceptions`") else {
        return;
    };
    for (word, span) in causes.keys() {
        let Some(value) = causes.entry(word, "exceptions") else {
            continue;
        };
        let Some(reason) = cause(word) else {
            let table = "`exceptions`".to_owned();
            let (key, nearest, known) = (word.to_owned(), nearest_cause(word), causes_joined());
            causes.faults.add(
                span,
                TextFault::UnknownKey {
                    key,
                    table,
                    nearest,
                    known,
                },
            );
            continue;
        };
        let list = one_or_several(value, known);
        if !list.is_empty() {
            draft.spec.exceptions.push((reason, list));
            draft.exceptions.push(span);
        }
    }
}

/// One chute, or a list of them.
fn one_or_several(value: Value<'_>, known: &Known<'_>) -> Vec<ChuteId> {
    if value.is_list() {
        return chutes(value, known);
    }
    let texts: Vec<(&str, Span)> = value
        .text()
        .map(|text| (text, value.span))
        .into_iter()
        .collect();
    ids(known.chutes.find_set_of(value.key, &texts, value.faults))
}

/// The cause of a rejection with this word.
pub(super) fn cause(word: &str) -> Option<Reason> {
    Reason::named(word).filter(|reason| *reason != Reason::Planned)
}

/// The words for causes of a rejection.
fn causes() -> impl Iterator<Item = &'static str> {
    let all = Reason::ALL
        .iter()
        .filter(|reason| **reason != Reason::Planned);
    all.map(|reason| reason.name())
}

pub(super) fn nearest_cause(word: &str) -> Option<String> {
    nearest(word, causes())
}

fn causes_joined() -> String {
    causes().collect::<Vec<&str>>().join(", ")
}

/// The same as a list, for messages.
pub(super) fn cause_words() -> Vec<&'static str> {
    causes().collect()
}
