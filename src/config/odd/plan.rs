//! Warnings about a plan that is legal.

use std::collections::{BTreeMap, BTreeSet};

use sorthub_core::facts::Address;
use sorthub_core::hub::{Hub, TrackKind};
use sorthub_core::ids::{ChuteId, DestId, TrackId};
use sorthub_core::plan::{
    AddressKind, AttributeRule, Condition, DestinationSpec, Plan, PlanSpec, Spread, Stage, Then,
};
use sorthub_core::reason::Reason;
use sorthub_core::units::Micros;
use sorthub_sim::spec::{PlantSpec, Service};

use super::super::fault::Odd;
use super::super::plan::PlanDraft;
use super::super::plan::placing::kind_word;
use super::super::reader::Faults;
use super::super::source::Span;

/// One chute gets much if it gets so many times what a chute gets on average.
const MUCH_TIMES: u64 = 5;

/// A plan with its places.
struct Looking<'p, 'a> {
    draft: &'p PlanDraft,
    spec: &'p PlanSpec,
    hub: &'p Hub,
    faults: &'p Faults<'a>,
}

/// Reports what is odd about a plan; how much comes for each destination is known where there is
/// a plant.
pub(in super::super) fn find(
    draft: &PlanDraft,
    hub: &Hub,
    plan: &Plan,
    plant: Option<&PlantSpec>,
    faults: &Faults<'_>,
) {
    let looking = Looking {
        draft,
        spec: plan.spec(),
        hub,
        faults,
    };
    looking.destinations();
    looking.ways();
    looking.waves();
    looking.rules();
    looking.addresses();
    looking.causes();
    match plant {
        Some(plant) => looking.loads(plant),
        None => looking.chutes(),
    }
}

impl Looking<'_, '_> {
    fn chute(&self, chute: ChuteId) -> String {
        self.hub.chutes()[chute.index()].name.clone()
    }

    fn add(&self, places: &[Span], at: usize, odd: Odd) {
        let place = places.get(at).copied().unwrap_or(self.draft.header);
        self.faults.add(place, odd);
    }

    /// Lists of one destination that do not go together.
    fn destinations(&self) {
        let mut rejects = vec![false; self.hub.chutes().len()];
        let own = self.spec.exceptions.iter().flat_map(|(_, own)| own);
        for chute in self.spec.reject.iter().chain(own) {
            rejects[chute.index()] = true;
        }
        let mut told = vec![false; rejects.len()];
        let mut lists = vec![0; rejects.len()];
        for (at, dest) in self.spec.destinations.iter().enumerate() {
            self.repeated(at, dest, &mut lists);
            if let Spread::Shares(shares) = &dest.spread {
                let none = dest
                    .chutes
                    .iter()
                    .zip(shares)
                    .find(|(_, share)| **share == 0);
                if let Some((chute, _)) = none {
                    let odd = Odd::ShareOfNothing {
                        destination: dest.name.clone(),
                        chute: self.chute(*chute),
                    };
                    let place = self.draft.shares.get(&at).copied();
                    self.faults.add(place.unwrap_or(self.draft.header), odd);
                }
            }
            for chute in dest.every_chute().filter(|chute| rejects[chute.index()]) {
                if !std::mem::replace(&mut told[chute.index()], true) {
                    let (destination, chute) = (dest.name.clone(), self.chute(*chute));
                    let odd = Odd::RejectShared { destination, chute };
                    self.add(&self.draft.names, at, odd);
                }
            }
        }
    }

    /// A later list of a destination with a chute that an earlier one has. `lists` holds for each
    /// chute the last list that it was seen in, as 3 times the destination and the list.
    fn repeated(&self, at: usize, dest: &DestinationSpec, lists: &mut [usize]) {
        const NAMES: [&str; 3] = ["chutes", "alternates", "overflow"];
        let own = [&dest.chutes, &dest.alternates, &dest.overflow];
        for (nth, list) in own.into_iter().enumerate() {
            let (first, here) = (3 * at + 1, 3 * at + 1 + nth);
            let mut told = false;
            for chute in list {
                let before = std::mem::replace(&mut lists[chute.index()], here);
                if (first..here).contains(&before) && !std::mem::replace(&mut told, true) {
                    let odd = Odd::ChuteRepeated {
                        destination: dest.name.clone(),
                        chute: self.chute(*chute),
                        list: NAMES[nth],
                        earlier: NAMES[before - first],
                    };
                    self.add(&self.draft.names, at, odd);
                }
            }
        }
    }

    /// Destinations that cannot be reached from where parcels get on.
    fn ways(&self) {
        let tracks = || (0..self.hub.tracks().len()).map(|at| TrackId(at as u16));
        // For each track where parcels get on, those that they can reach, as bits.
        let mut begins: Vec<(TrackId, u64)> = Vec::new();
        for from in tracks().filter(|track| self.hub.inductions_of(*track).next().is_some()) {
            let is_way = |to: &TrackId| *to == from || !self.hub.ways(from, *to).is_empty();
            let reached = tracks().filter(is_way).map(|to| 1_u64 << to.index());
            begins.push((from, reached.fold(0, |all, bit| all | bit)));
        }
        let outlets = |chute: &ChuteId| &self.hub.chutes()[chute.index()].outlets;
        let mut unreached: BTreeMap<TrackId, Vec<usize>> = BTreeMap::new();
        let mut serves: BTreeSet<TrackId> = BTreeSet::new();
        for (at, dest) in self.spec.destinations.iter().enumerate() {
            let outlets = dest.every_chute().flat_map(outlets);
            let on = outlets.fold(0_u64, |on, outlet| on | 1 << outlet.track.index());
            if begins.iter().all(|(_, reached)| reached & on == 0) {
                let destination = dest.name.clone();
                self.add(&self.draft.names, at, Odd::NoWay { destination });
                continue;
            }
            for (from, reached) in &begins {
                if reached & on == 0 {
                    unreached.entry(*from).or_default().push(at);
                } else {
                    serves.insert(*from);
                }
            }
        }
        // Made from the chutes, each loop has its own destinations, and is meant to.
        for (track, dests) in unreached {
            if let Some(first) = dests.first()
                && !self.draft.is_generated
                && serves.contains(&track)
            {
                let odd = Odd::NoWayFrom {
                    track: self.hub.tracks()[track.index()].name.clone(),
                    destination: self.spec.destinations[*first].name.clone(),
                    others: dests.len() - 1,
                };
                self.add(&self.draft.names, *first, odd);
            }
        }
    }

    fn waves(&self) {
        let mut used = vec![false; self.spec.waves.len()];
        for (wave, _) in self.spec.destinations.iter().flat_map(|dest| &dest.waves) {
            used[wave.index()] = true;
        }
        for (at, wave) in self.spec.waves.iter().enumerate() {
            if !used[at] {
                let wave = wave.name.clone();
                self.add(&self.draft.waves, at, Odd::WaveUnused { wave });
            }
        }
    }

    fn rules(&self) {
        let rules = &self.spec.rules;
        for (at, rule) in rules.iter().enumerate() {
            let odd = if contradicts(&rule.when) {
                Odd::RuleNever
            } else if let Some(by) = rules[..at].iter().position(|other| covers(other, rule)) {
                let by = self
                    .draft
                    .rules
                    .get(by)
                    .copied()
                    .unwrap_or(self.draft.header);
                let by_line = self.faults.line_of(by);
                Odd::RuleShadowed { by_line }
            } else if rule.when.is_empty() && rule.stage == Stage::First {
                Odd::RuleTakesAll
            } else {
                continue;
            };
            self.add(&self.draft.rules, at, odd);
        }
    }

    /// Address rules that say what a shorter prefix says already: told once for each file.
    fn addresses(&self) {
        let addresses = &self.spec.addresses;
        let mut order: Vec<usize> = (0..addresses.len()).collect();
        order.sort_by_key(|&at| (addresses[at].kind, addresses[at].prefix, at));
        let mut repeats: BTreeMap<u16, (usize, usize)> = BTreeMap::new();
        let mut open: Vec<(AddressKind, Address, DestId)> = Vec::new();
        for at in order {
            let rule = &addresses[at];
            let ended = |(kind, prefix, _): &mut (AddressKind, Address, DestId)| {
                *kind != rule.kind || !rule.prefix.starts_with(*prefix)
            };
            while open.pop_if(ended).is_some() {}
            if open.last().is_some_and(|(.., to)| *to == rule.to) {
                let file = self.draft.addresses.get(at).map_or(0, |place| place.file);
                let (first, count) = repeats.entry(file).or_insert((at, 0));
                *first = at.min(*first);
                *count += 1;
            }
            open.push((rule.kind, rule.prefix, rule.to));
        }
        for (first, count) in repeats.into_values() {
            let rule = &addresses[first];
            let odd = Odd::AddressRepeats {
                kind: kind_word(rule.kind),
                prefix: rule.prefix.to_string(),
                destination: self.spec.destinations[rule.to.index()].name.clone(),
                others: count - 1,
            };
            self.add(&self.draft.addresses, first, odd);
        }
    }

    /// Exception chutes for causes that cannot happen.
    fn causes(&self) {
        for (at, (cause, _)) in self.spec.exceptions.iter().enumerate() {
            if let Some(why) = self.impossible(*cause) {
                let cause = cause.name();
                self.add(
                    &self.draft.exceptions,
                    at,
                    Odd::CauseImpossible { cause, why },
                );
            }
        }
    }

    fn impossible(&self, cause: Reason) -> Option<&'static str> {
        let checks = &self.spec.checks;
        let by_rule = |rule: &AttributeRule| rule.then == Then::Reject(cause);
        if self.spec.rules.iter().any(by_rule) {
            return None;
        }
        let comes_round = |kind: &TrackKind| match kind {
            TrackKind::Loop { .. } => true,
            TrackKind::Line { returns, .. } => returns.is_some(),
        };
        let (is_impossible, why) = match cause {
            Reason::Elsewhere => (true, "what went elsewhere has left already"),
            Reason::Missing => (true, "what is missing cannot be sent anywhere"),
            Reason::WaveOver => (self.spec.waves.is_empty(), "the plan has no waves"),
            Reason::HostLate => (self.spec.host.is_none(), "the plan has no `host`"),
            Reason::MostTime => (
                self.spec.time_max == Micros::NEVER,
                "the plan has no `time_max_s`",
            ),
            Reason::WeightOrSize => (
                checks.weight_most.0 == 0 && checks.length_most.0 == 0,
                "`checks` has neither `weight_most_g` nor `length_most_mm`",
            ),
            Reason::DeclaredMismatch => (
                checks.weight_tolerance_permille == 0
                    && checks.weight_tolerance.0 == 0
                    && checks.size_tolerance.0 == 0,
                "`checks` has no tolerance",
            ),
            Reason::MostLaps => (
                !self
                    .hub
                    .tracks()
                    .iter()
                    .any(|track| comes_round(&track.kind)),
                "nothing comes round on a line without return",
            ),
            _ => (false, ""),
        };
        is_impossible.then_some(why)
    }

    /// Destinations that get much and have one chute.
    fn loads(&self, plant: &PlantSpec) {
        let mut loads = vec![0_u64; self.spec.destinations.len()];
        for (track, demand) in plant.demand.iter().enumerate() {
            let inductions = self.hub.inductions().iter().zip(&plant.inductions);
            let own = inductions.filter(|(spec, _)| spec.track.index() == track);
            let rate: u64 = own.map(|(_, plant)| u64::from(plant.rate_per_h)).sum();
            let weights: u64 = demand.iter().map(|demand| u64::from(demand.weight)).sum();
            for one in demand.iter().filter(|_| weights > 0) {
                loads[one.dest.index()] += rate * u64::from(one.weight) / weights;
            }
        }
        let mut used = vec![false; self.hub.chutes().len()];
        let dests = self.spec.destinations.iter();
        for chute in dests.clone().flat_map(DestinationSpec::every_chute) {
            used[chute.index()] = true;
        }
        let chutes = used.iter().filter(|used| **used).count().max(1) as u64;
        let usual = loads.iter().sum::<u64>() / chutes;
        for (at, (dest, load)) in dests.zip(&loads).enumerate() {
            let Some(chute) = only_chute(dest).filter(|_| *load > 0) else {
                continue;
            };
            let (most, is_much, measure) = match plant.chutes[chute.index()].service {
                // A quarter more than can be taken out is more than waiting evens out.
                Service::Exponential { mean } => {
                    let most = Micros::from_secs(3_600).0 / mean.0.max(1);
                    (most, load * 4 > most * 5, "it is emptied at about")
                }
                Service::Instant | Service::BySize => {
                    let is_much = *load > usual.saturating_mul(MUCH_TIMES);
                    (usual, is_much, "a chute gets on average")
                }
            };
            if is_much {
                let odd = Odd::OneChuteForMuch {
                    destination: dest.name.clone(),
                    chute: self.chute(chute),
                    per_h: *load,
                    measure,
                    most_per_h: most,
                };
                self.add(&self.draft.names, at, odd);
            }
        }
    }

    /// What is told at the chutes themselves where they are described in the same file.
    fn chutes(&self) {
        let unused = super::unused(self.hub, self.spec);
        if let Some(first) = unused.first() {
            let (chute, others) = (self.chute(*first), unused.len() - 1);
            self.faults
                .add(self.draft.header, Odd::ChuteUnused { chute, others });
        }
        let uncounted = super::uncounted(self.hub, self.spec);
        if let Some(first) = uncounted.first() {
            let (chute, others) = (self.chute(*first), uncounted.len() - 1);
            self.faults
                .add(self.draft.header, Odd::RoomNotCounted { chute, others });
        }
    }
}

/// The chute of a destination that has just one.
fn only_chute(dest: &DestinationSpec) -> Option<ChuteId> {
    let mut chutes = dest.every_chute();
    let first = *chutes.next()?;
    chutes.all(|chute| *chute == first).then_some(first)
}

/// Whether no parcel can meet all of these.
fn contradicts(when: &[Condition]) -> bool {
    let pair = |one: &Condition, other: &Condition| match (*one, *other) {
        (Condition::Heavier(than), Condition::AtMostHeavy(most)) => most <= than,
        (Condition::Longer(than), Condition::AtMostLong(most)) => most <= than,
        (Condition::Larger(than), Condition::AtMostLarge(most)) => most <= than,
        (Condition::Tagged(with), Condition::Untagged(without)) => with.has_any(without),
        _ => false,
    };
    when.iter()
        .any(|one| when.iter().any(|other| pair(one, other)))
}

/// Whether an earlier rule fits whatever a later one of its stage fits.
fn covers(earlier: &AttributeRule, later: &AttributeRule) -> bool {
    let implied = |wanted: &Condition| later.when.iter().any(|given| implies(given, wanted));
    earlier.stage == later.stage && earlier.when.iter().all(implied)
}

/// Whether the second holds wherever the first does.
fn implies(given: &Condition, wanted: &Condition) -> bool {
    match (*given, *wanted) {
        (Condition::Heavier(given), Condition::Heavier(wanted)) => given >= wanted,
        (Condition::AtMostHeavy(given), Condition::AtMostHeavy(wanted)) => given <= wanted,
        (Condition::Longer(given), Condition::Longer(wanted)) => given >= wanted,
        (Condition::AtMostLong(given), Condition::AtMostLong(wanted)) => given <= wanted,
        (Condition::Larger(given), Condition::Larger(wanted)) => given >= wanted,
        (Condition::AtMostLarge(given), Condition::AtMostLarge(wanted)) => given <= wanted,
        (Condition::Tagged(given), Condition::Tagged(wanted))
        | (Condition::Untagged(given), Condition::Untagged(wanted)) => given.has(wanted),
        (given, wanted) => given == wanted,
    }
}
