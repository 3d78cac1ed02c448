//! What is different between two plans, as a person wants to know it before switching.
//!
//! Destinations and chutes are compared by their names, so that the two plans may be for two
//! versions of a hub. Addresses are compared by where they go, not by how the rules are written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use sorthub_core::facts::{Address, DestKey};
use sorthub_core::ids::{ChuteId, DestId};
use sorthub_core::plan::{AddressKind, Plan};

use super::plan::placing::kind_word;
use super::plan_words::{Words, cut_off};

/// Nobody compares longer lists by eye.
const ENTRIES_MAX: usize = 12;

/// What is different. Lists hold the first of what they count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanDiff {
    /// The versions of the old and the new plan.
    pub versions: [u32; 2],
    /// Whether they differ in anything but their versions.
    pub differs: bool,
    /// Whether the new version is the greater one, as it must be to be staged after the old one.
    pub version_grows: bool,
    /// Destinations that only the new one has.
    pub added: Listed<String>,
    /// Destinations that only the old one has.
    pub removed: Listed<String>,
    /// Destinations that both have, with other chutes.
    pub changed: Listed<Changed>,
    /// Addresses that go to another destination.
    pub addresses: Listed<Moved>,
    /// Chutes in use whose owner changes: they must be cleared before the new one gets them.
    pub owners: Listed<Owner>,
    /// Waves, by name.
    pub waves: Vec<Change>,
    /// Rules that only one of them has, each as a line with its place among all; `-` is the old
    /// one's, `+` the new one's.
    pub rules: Listed<String>,
    /// Whether the rules that both have stand in another order.
    pub rules_reordered: bool,
    /// What the plans say of all parcels.
    pub policies: Vec<Change>,
}

/// The first of many, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub first: Vec<T>,
}

/// A key whose value changes; `-` is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The key or name.
    pub what: String,
    /// The old value.
    pub from: String,
    /// The new value.
    pub to: String,
}

/// A destination that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its name.
    pub destination: String,
    /// What of it.
    pub changes: Vec<Change>,
}

/// Addresses that go from one destination to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Which kind of address.
    pub kind: &'static str,
    /// Where they went; `None`: nowhere.
    pub from: Option<String>,
    /// Where they go.
    pub to: Option<String>,
    /// How many prefixes.
    pub count: usize,
    /// The first of them, neighbours joined: `755`, `100..105`.
    pub prefixes: Vec<String>,
}

/// A chute with another owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// The chute.
    pub chute: String,
    /// Destinations and causes that may end in it no more.
    pub no_more: Listed<String>,
    /// Those that now may.
    pub now_also: Listed<String>,
    /// How many may before and after.
    pub stay: usize,
}

impl<T> Listed<T> {
    fn of(all: Vec<T>, most: usize) -> Self {
        let count = all.len();
        let mut first = all;
        first.truncate(most);
        Self { count, first }
    }
}

/// What is different; lists are cut to `most` entries.
#[must_use]
pub fn diff(old: Words<'_>, new: Words<'_>, most: usize) -> PlanDiff {
    let sides = Sides { old, new, most };
    let (removed, added) = sides.only_one();
    let (rules, rules_reordered) = sides.rules();
    let versions = [old.plan.version(), new.plan.version()];
    let mut diff = PlanDiff {
        versions,
        differs: false,
        version_grows: versions[1] > versions[0],
        added: Listed::of(added, most),
        removed: Listed::of(removed, most),
        changed: Listed::of(sides.changed(), most),
        addresses: Listed::of(sides.addresses(), most),
        owners: Listed::of(sides.owners(), most),
        waves: sides.waves(),
        rules: Listed::of(rules, most),
        rules_reordered,
        policies: sides.policies(),
    };
    diff.differs = !diff.is_empty();
    diff
}

struct Sides<'s> {
    old: Words<'s>,
    new: Words<'s>,
    most: usize,
}

impl Sides<'_> {
    /// Destinations of the old plan that the new one does not have, and the other way round.
    fn only_one(&self) -> (Vec<String>, Vec<String>) {
        let missing = |of: &Plan, in_other: &Plan| {
            let dests = of.spec().destinations.iter();
            let missing = dests.filter(|dest| in_other.dest(DestKey::of(&dest.name)).is_none());
            missing
                .map(|dest| dest.name.clone())
                .collect::<Vec<String>>()
        };
        let (old, new) = (self.old.plan, self.new.plan);
        (missing(old, new), missing(new, old))
    }

    fn changed(&self) -> Vec<Changed> {
        let mut changed = Vec::new();
        for dest in &self.new.plan.spec().destinations {
            let Some(before) = self.old.plan.dest(DestKey::of(&dest.name)) else {
                continue;
            };
            let before = &self.old.plan.spec().destinations[before.index()];
            let (from, to) = (
                self.old.destination_parts(before),
                self.new.destination_parts(dest),
            );
            let mut changes = Vec::new();
            for ((what, from), (_, to)) in from.into_iter().zip(to) {
                if from != to {
                    changes.push(change(what, from, to));
                }
            }
            if !changes.is_empty() {
                let destination = dest.name.clone();
                changed.push(Changed {
                    destination,
                    changes,
                });
            }
        }
        changed
    }

    /// Prefixes of either plan whose addresses go elsewhere, by where they went and go.
    fn addresses(&self) -> Vec<Moved> {
        let (old, new) = (&self.old, &self.new);
        let rules = |words: &Words<'_>| {
            let rules = words.plan.spec().addresses.iter();
            rules
                .map(|rule| (rule.kind, rule.prefix))
                .collect::<Vec<_>>()
        };
        let mut prefixes = rules(old);
        prefixes.extend(rules(new));
        prefixes.sort_unstable();
        prefixes.dedup();
        type Ways<'w> = (AddressKind, Option<&'w str>, Option<&'w str>);
        let mut moved: BTreeMap<Ways<'_>, Vec<Address>> = BTreeMap::new();
        for (kind, prefix) in prefixes {
            let dest = |words: &Words<'_>| words.plan.dest_at(kind, prefix);
            let from = dest(old).map(|dest| old.destination(dest));
            let to = dest(new).map(|dest| new.destination(dest));
            if from != to {
                moved.entry((kind, from, to)).or_default().push(prefix);
            }
        }
        let moved = moved.into_iter().map(|((kind, from, to), prefixes)| Moved {
            kind: kind_word(kind),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            count: prefixes.len(),
            prefixes: joined(&prefixes, self.most),
        });
        let mut moved: Vec<Moved> = moved.collect();
        moved.sort_by_key(|moved| std::cmp::Reverse(moved.count));
        moved
    }

    fn owners(&self) -> Vec<Owner> {
        let (old, new) = (&self.old, &self.new);
        let chutes = |words: &Words<'_>| (0..words.hub.chutes().len() as u16).map(ChuteId);
        let names: HashMap<&str, ChuteId> =
            chutes(new).map(|chute| (new.chute(chute), chute)).collect();
        let mut pairs = Vec::new();
        for chute in chutes(old) {
            let other = names.get(old.chute(chute)).copied();
            let owner = other.map(|other| new.plan.owner(other));
            if owner != Some(old.plan.owner(chute)) {
                pairs.push((chute, other));
            }
        }
        let (from, to) = (Users::of(old), Users::of(new));
        let owners = pairs.into_iter().filter_map(|(chute, other)| {
            let from = from.of_chute(chute);
            let to = other.map_or(vec![], |other| to.of_chute(other));
            let (before, after): (BTreeSet<&String>, BTreeSet<&String>) =
                (from.iter().collect(), to.iter().collect());
            let only = |of: &BTreeSet<&String>, other: &BTreeSet<&String>| {
                let only = of.difference(other).map(|name| (*name).clone());
                Listed::of(only.collect(), self.most)
            };
            // What nobody used holds nothing to clear.
            (!from.is_empty()).then(|| Owner {
                chute: old.chute(chute).to_owned(),
                no_more: only(&before, &after),
                now_also: only(&after, &before),
                stay: before.intersection(&after).count(),
            })
        });
        owners.collect()
    }

    fn waves(&self) -> Vec<Change> {
        let waves = |words: &Words<'_>| {
            let waves = words.plan.spec().waves.iter();
            waves
                .map(|wave| (wave.name.clone(), cut_off(wave)))
                .collect()
        };
        changes(waves(&self.old), waves(&self.new))
    }

    fn rules(&self) -> (Vec<String>, bool) {
        let lines = |words: &Words<'_>| {
            let rules = words.plan.spec().rules.iter();
            rules.map(|rule| words.rule(rule)).collect::<Vec<String>>()
        };
        let (old, new) = (lines(&self.old), lines(&self.new));
        let (in_old, in_new): (BTreeSet<&String>, BTreeSet<&String>) =
            (old.iter().collect(), new.iter().collect());
        let only = |sign: char, of: &[String], other: &BTreeSet<&String>| {
            let places = (1..).zip(of);
            let only = places.filter(|(_, line)| !other.contains(line));
            let lines = only.map(|(place, line)| format!("{sign} {place}. {line}"));
            lines.collect::<Vec<String>>()
        };
        let mut all = only('-', &old, &in_new);
        all.extend(only('+', &new, &in_old));
        let both = |of: &[String], other: &BTreeSet<&String>| {
            let both = of.iter().filter(|line| other.contains(line));
            both.cloned().collect::<Vec<String>>()
        };
        let reordered = both(&old, &in_new) != both(&new, &in_old);
        (all, reordered)
    }

    fn policies(&self) -> Vec<Change> {
        changes(self.old.policies(), self.new.policies())
    }
}

/// Which destinations and causes use each chute.
struct Users<'u> {
    words: Words<'u>,
    destinations: Vec<Vec<DestId>>,
}

impl<'u> Users<'u> {
    fn of(words: &Words<'u>) -> Self {
        let mut destinations = vec![Vec::new(); words.hub.chutes().len()];
        for (at, dest) in words.plan.spec().destinations.iter().enumerate() {
            let id = DestId(at as u32);
            for chute in dest.every_chute() {
                let users: &mut Vec<DestId> = &mut destinations[chute.index()];
                if users.last() != Some(&id) {
                    users.push(id);
                }
            }
        }
        Self {
            words: *words,
            destinations,
        }
    }

    fn of_chute(&self, chute: ChuteId) -> Vec<String> {
        let spec = self.words.plan.spec();
        let dests = self.destinations[chute.index()].iter();
        let dests = dests.map(|dest| self.words.destination(*dest).to_owned());
        let causes = spec
            .exceptions
            .iter()
            .filter(|(_, own)| own.contains(&chute));
        let causes = causes.map(|(cause, _)| format!("rejected as {cause}"));
        let all = spec.reject.contains(&chute).then(|| "rejected".to_owned());
        dests.chain(causes).chain(all).collect()
    }
}

/// A change of a list: both whole where people can still read them, else only what differs.
fn change(what: &str, from: String, to: String) -> Change {
    let entries = |text: &str| text.split(", ").map(str::to_owned).collect::<Vec<String>>();
    let (old, new) = (entries(&from), entries(&to));
    let what = what.to_owned();
    if old.len().max(new.len()) <= ENTRIES_MAX {
        return Change { what, from, to };
    }
    let only = |of: &[String], other: &[String]| {
        let other: BTreeSet<&String> = other.iter().collect();
        let only = of.iter().filter(|entry| !other.contains(entry));
        let only: Vec<&str> = only.map(String::as_str).collect();
        (!only.is_empty()).then(|| only.join(", "))
    };
    match (only(&old, &new), only(&new, &old)) {
        (None, None) => Change {
            what: format!("{what}, in another order"),
            from: format!("{}, …", old[..ENTRIES_MAX.min(old.len())].join(", ")),
            to: format!("{}, …", new[..ENTRIES_MAX.min(new.len())].join(", ")),
        },
        (gone, come) => Change {
            what: format!("{what}, what differs of {} and {}", old.len(), new.len()),
            from: gone.unwrap_or_else(|| "-".to_owned()),
            to: come.unwrap_or_else(|| "-".to_owned()),
        },
    }
}

/// What of two lists of keys and values is different, in the order of the keys.
fn changes(old: Vec<(String, String)>, new: Vec<(String, String)>) -> Vec<Change> {
    let mut both: BTreeMap<String, [Option<String>; 2]> = BTreeMap::new();
    for (what, from) in old {
        both.entry(what).or_default()[0] = Some(from);
    }
    for (what, to) in new {
        both.entry(what).or_default()[1] = Some(to);
    }
    let different = both.into_iter().filter(|(_, [from, to])| from != to);
    let value = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    different
        .map(|(what, [from, to])| Change {
            what,
            from: value(from),
            to: value(to),
        })
        .collect()
}

/// Prefixes as people write them: `100..105` where they follow each other.
pub(crate) fn joined(prefixes: &[Address], most: usize) -> Vec<String> {
    let mut runs: Vec<(String, String)> = Vec::new();
    for prefix in prefixes {
        let text = prefix.to_string();
        let full = runs.len() == most;
        match runs.last_mut() {
            Some((_, last)) if next(last).as_ref() == Some(&text) => *last = text,
            _ if full => break,
            _ => runs.push((text.clone(), text)),
        }
    }
    let written = runs.into_iter().map(|(first, last)| {
        if first == last {
            first
        } else {
            format!("{first}..{last}")
        }
    });
    written.collect()
}

/// The code of the same length that follows: its last digits counted on.
fn next(code: &str) -> Option<String> {
    let mut bytes = code.as_bytes().to_vec();
    for byte in bytes.iter_mut().rev() {
        match *byte {
            b'9' => *byte = b'0',
            b'0'..=b'8' => {
                *byte += 1;
                return String::from_utf8(bytes).ok();
            }
            _ => return None,
        }
    }
    None
}
