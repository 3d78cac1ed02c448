//! `[[plan.wave]]` and `[[plan.rule]]`.

use sorthub_core::facts::{CarrierKey, ServiceKey, Tags};
use sorthub_core::ids::DestId;
use sorthub_core::limits::{RULES_MAX, WAVES_MAX};
use sorthub_core::plan::{AttributeRule, Condition, Stage, Then, WaveSpec};
use sorthub_core::units::{Grams, Mm};

use super::super::bank::Names;
use super::super::fault::{Meaning, Odd, TextFault};
use super::super::names::nearest;
use super::super::reader::{Table, Value};
use super::policies::{cause, cause_words, nearest_cause};
use super::{Carriers, Known, PlanDraft};

pub(super) fn read_waves(table: &Table<'_>, draft: &mut PlanDraft) {
    // One more than possible, so that the core says that there are too many.
    let waves = table.tables("wave", "[[plan.wave]]").into_iter();
    for wave in waves.take(WAVES_MAX + 1) {
        let name = wave.require("name", "name = \"…\"").and_then(|v| v.text());
        let cut_off_min = wave.get("cut_off").and_then(time_of_day);
        wave.finish();
        let name = name.unwrap_or_default().to_owned();
        draft.waves.push(wave.place_of("name"));
        draft.spec.waves.push(WaveSpec { name, cut_off_min });
    }
}

/// `"14:30"` as minutes since midnight.
fn time_of_day(value: Value<'_>) -> Option<u16> {
    let text = value.text()?;
    let part = |text: &str, below: u16| {
        let digits = matches!(text.len(), 1..=2) && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse::<u16>().ok().filter(|_| digits);
        number.filter(|number| *number < below)
    };
    let time = text.split_once(':').and_then(|(hours, minutes)| {
        Some(part(hours, 24)? * 60 + part(minutes, 60).filter(|_| minutes.len() == 2)?)
    });
    if time.is_none() {
        let found = text.to_owned();
        value.fault(TextFault::BadTime { found });
    }
    time
}

pub(super) fn read(table: &Table<'_>, known: &Known<'_>, dests: &Names, draft: &mut PlanDraft) {
    let rules = table.tables("rule", "[[plan.rule]]").into_iter();
    for rule in rules.take(RULES_MAX + 1) {
        let stages = [("first", Stage::First), ("last", Stage::Last)];
        let stage = rule.get("stage").and_then(|v| v.choice(&stages));
        let mut when = Vec::new();
        read_measures(&rule, &mut when);
        read_names(&rule, known, &mut when, &mut draft.spec.words);
        let then = read_then(&rule, dests);
        rule.finish();
        draft.rules.push(rule.span);
        draft.spec.rules.push(AttributeRule {
            stage: stage.unwrap_or(Stage::Last),
            when,
            then: then.unwrap_or(Then::To(DestId(0))),
        });
    }
}

fn read_measures(rule: &Table<'_>, when: &mut Vec<Condition>) {
    type Of = fn(u32) -> Condition;
    let keys: [(&'static str, Of); 6] = [
        ("heavier_than_g", |g| Condition::Heavier(Grams(g))),
        ("at_most_g", |g| Condition::AtMostHeavy(Grams(g))),
        ("longer_than_mm", |mm| Condition::Longer(Mm(mm))),
        ("at_most_mm", |mm| Condition::AtMostLong(Mm(mm))),
        ("larger_than_cm3", Condition::Larger),
        ("at_most_cm3", Condition::AtMostLarge),
    ];
    for (key, of) in keys {
        let value = rule.get(key).and_then(|v| v.int(0..=u32::MAX));
        when.extend(value.map(of));
    }
}

fn read_names(
    rule: &Table<'_>,
    known: &Known<'_>,
    when: &mut Vec<Condition>,
    words: &mut Vec<String>,
) {
    let mut text = |key| {
        let name = rule.get(key).and_then(|v| v.text())?;
        if words.iter().all(|word| word != name) {
            words.push(name.to_owned());
        }
        Some(name)
    };
    let carrier = text("carrier");
    if let (Some(name), Some(value)) = (carrier, rule.get("carrier")) {
        check_carrier(name, value, known.carriers);
    }
    let carrier = carrier.map(|name| Condition::Carrier(CarrierKey::of(name)));
    let service = text("service").map(|name| Condition::Service(ServiceKey::of(name)));
    when.extend(carrier);
    when.extend(service);
    let tags = rule.get("tags").map(|list| tags_of(list, known));
    let without = rule.get("not_tags").map(|list| tags_of(list, known));
    // An empty list asks for nothing, so that it is no condition.
    let is_any = |tags: &Tags| *tags != Tags::NONE;
    when.extend(tags.filter(is_any).map(Condition::Tagged));
    when.extend(without.filter(is_any).map(Condition::Untagged));
}

/// Only the formats of codes say whose a parcel is. What services there are, nobody here knows:
/// pre-advice has them.
fn check_carrier(name: &str, value: Value<'_>, carriers: Carriers<'_>) {
    match carriers {
        Carriers::Of(formats) => {
            let formats = formats.spec().formats.iter();
            let all = formats.map(|format| format.carrier.as_str());
            if all.clone().all(|other| other != name) {
                value.fault(Meaning::UnknownName {
                    what: "carrier",
                    name: name.to_owned(),
                    nearest: nearest(name, all),
                });
            }
        }
        Carriers::NoTable => value.fault(Odd::NoCarriers),
        Carriers::Unknown => {}
    }
}

/// The bits of the attributes that a list names.
fn tags_of(list: Value<'_>, known: &Known<'_>) -> Tags {
    let mut bits = Tags::NONE;
    for (name, span) in list.texts() {
        match known.hub.tag(name) {
            Some(tag) => bits = bits.and(tag),
            None => list.faults.add_error(span, || Meaning::UnknownName {
                what: "tag",
                name: name.to_owned(),
                nearest: nearest(name, known.hub.tag_names()),
            }),
        }
    }
    bits
}

fn read_then(rule: &Table<'_>, dests: &Names) -> Option<Then> {
    let (to, reject) = (rule.get("to"), rule.get("reject"));
    if to.is_some() && reject.is_some() {
        rule.refuse("reject", "`to` already says where the parcel goes");
    }
    match (to, reject) {
        (Some(to), _) => dests.find_one(to).map(|at| Then::To(DestId(at as u32))),
        (None, Some(reject)) => {
            let word = reject.text()?;
            let found = cause(word);
            if found.is_none() {
                let (key, found) = ("reject".to_owned(), word.to_owned());
                reject.fault(TextFault::NotOneOf {
                    key,
                    found,
                    allowed: cause_words(),
                    nearest: nearest_cause(word),
                });
            }
            found.map(Then::Reject)
        }
        (None, None) => {
            rule.missing("to", "to = \"…\"` or `reject = \"…\"");
            None
        }
    }
}
