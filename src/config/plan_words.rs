//! A plan's parts in the words that people write them in.

use sorthub_core::facts::{CarrierKey, ServiceKey, Tags};
use sorthub_core::hub::Hub;
use sorthub_core::ids::{ChuteId, DestId};
use sorthub_core::plan::{
    AttributeRule, Condition, DestinationSpec, NoReadPolicy, Plan, PlanSpec, RoomPolicy, Spread,
    Stage, Then, WaveSpec,
};
use sorthub_core::units::Micros;

/// A plan with the hub that it is for.
#[derive(Clone, Copy, Debug)]
pub struct Words<'w> {
    /// The hub, which has the names of chutes and attributes.
    pub hub: &'w Hub,
    /// The plan.
    pub plan: &'w Plan,
}

impl<'w> Words<'w> {
    fn spec(&self) -> &'w PlanSpec {
        self.plan.spec()
    }

    /// The name of a chute.
    #[must_use]
    pub fn chute(&self, chute: ChuteId) -> &'w str {
        let chute = self.hub.chutes().get(chute.index());
        chute.map_or("?", |chute| chute.name.as_str())
    }

    /// The name of a destination.
    #[must_use]
    pub fn destination(&self, dest: DestId) -> &'w str {
        let dest = self.spec().destinations.get(dest.index());
        dest.map_or("?", |dest| dest.name.as_str())
    }

    /// `A01, A02`; `-` is none.
    #[must_use]
    pub fn chutes(&self, chutes: &[ChuteId]) -> String {
        if chutes.is_empty() {
            return "-".to_owned();
        }
        let names = chutes.iter().map(|chute| self.chute(*chute));
        names.collect::<Vec<&str>>().join(", ")
    }

    /// What a destination has, each under its key, and how it is written.
    #[must_use]
    pub fn destination_parts(&self, dest: &DestinationSpec) -> [(&'static str, String); 6] {
        let spread = match &dest.spread {
            Spread::Preferred => "preferred".to_owned(),
            Spread::Level => "level".to_owned(),
            Spread::Shares(shares) => {
                let shares = shares.iter().map(u16::to_string);
                shares.collect::<Vec<String>>().join(" : ")
            }
        };
        let prefixes = match dest.prefixes.as_slice() {
            [] => "-".to_owned(),
            prefixes => prefixes.join(", "),
        };
        let waves = dest.waves.iter().map(|(wave, chutes)| {
            let name = self.spec().waves.get(wave.index());
            let name = name.map_or("?", |wave| wave.name.as_str());
            format!("{name}: {}", self.chutes(chutes))
        });
        [
            ("chutes", self.chutes(&dest.chutes)),
            ("spread", spread),
            ("alternates", self.chutes(&dest.alternates)),
            ("overflow", self.chutes(&dest.overflow)),
            ("waves", waves.collect::<Vec<String>>().join("; ")),
            ("prefixes", prefixes),
        ]
    }

    /// What a plan says of all parcels, each under its key, and how it is written.
    #[must_use]
    pub fn policies(&self) -> Vec<(String, String)> {
        let spec = self.spec();
        let room = match spec.room {
            RoomPolicy::Attempt => "attempt",
            RoomPolicy::Reserve => "reserve",
        };
        let no_read = match spec.no_read {
            NoReadPolicy::Reject => "reject",
            NoReadPolicy::Again => "again",
        };
        let span = |span: Micros, unit: u64| (span.0 / unit).to_string();
        let none = || "-".to_owned();
        let time = (spec.time_max != Micros::NEVER).then(|| span(spec.time_max, 1_000_000));
        let host = spec.host.map(|host| span(host, 1_000));
        let checks = &spec.checks;
        let mut all = vec![
            ("room", room.to_owned()),
            ("no_read", no_read.to_owned()),
            ("laps_max", spec.laps_max.to_string()),
            ("time_max_s", time.unwrap_or_else(none)),
            ("host.deadline_ms", host.unwrap_or_else(none)),
            ("reject", self.chutes(&spec.reject)),
        ];
        let numbers = [
            ("checks.weight_most_g", checks.weight_most.0),
            ("checks.length_most_mm", checks.length_most.0),
            (
                "checks.weight_tolerance_permille",
                u32::from(checks.weight_tolerance_permille),
            ),
            ("checks.weight_tolerance_g", checks.weight_tolerance.0),
            ("checks.size_tolerance_mm", checks.size_tolerance.0),
        ];
        all.extend(numbers.map(|(key, number)| (key, number.to_string())));
        let all = all.into_iter().map(|(key, text)| (key.to_owned(), text));
        let mut exceptions: Vec<(String, String)> = spec
            .exceptions
            .iter()
            .map(|(cause, chutes)| (format!("exceptions.{cause}"), self.chutes(chutes)))
            .collect();
        exceptions.sort();
        all.chain(exceptions).collect()
    }

    /// A rule as one line: `first: heavier than 31500 g, fragile -> bulky`.
    #[must_use]
    pub fn rule(&self, rule: &AttributeRule) -> String {
        let stage = match rule.stage {
            Stage::First => "first",
            Stage::Last => "last",
        };
        let when = rule.when.iter().map(|when| self.condition(when));
        let mut when = when.collect::<Vec<String>>().join(", ");
        if when.is_empty() {
            when.push_str("every parcel");
        }
        let then = match rule.then {
            Then::To(dest) => self.destination(dest).to_owned(),
            Then::Reject(cause) => format!("reject as {cause}"),
        };
        format!("{stage}: {when} -> {then}")
    }

    fn condition(&self, condition: &Condition) -> String {
        match *condition {
            Condition::Heavier(than) => format!("heavier than {} g", than.0),
            Condition::AtMostHeavy(most) => format!("at most {} g", most.0),
            Condition::Longer(than) => format!("longer than {} mm", than.0),
            Condition::AtMostLong(most) => format!("at most {} mm", most.0),
            Condition::Larger(than) => format!("larger than {than} cm³"),
            Condition::AtMostLarge(most) => format!("at most {most} cm³"),
            Condition::Carrier(key) => {
                format!("carrier {}", self.word(|word| CarrierKey::of(word) == key))
            }
            Condition::Service(key) => {
                format!("service {}", self.word(|word| ServiceKey::of(word) == key))
            }
            Condition::Tagged(tags) => self.tags(tags).join(" and "),
            Condition::Untagged(tags) => format!("not {}", self.tags(tags).join(", not ")),
        }
    }

    /// The name of a carrier or service, of which rules have only the key.
    fn word(&self, is_it: impl Fn(&str) -> bool) -> &'w str {
        let mut words = self.spec().words.iter();
        let found = words.find(|word| is_it(word));
        found.map_or("that is not named here", |word| word.as_str())
    }

    fn tags(&self, tags: Tags) -> Vec<&'w str> {
        let names = self.hub.spec().tag_names();
        let bits = (0..Tags::MAX).map(|at| Tags(1 << at));
        let named = names.zip(bits).filter(|(_, bit)| tags.has(*bit));
        named.map(|(name, _)| name).collect()
    }
}

/// A wave's cut-off: `14:30`, or `by hand`.
#[must_use]
pub fn cut_off(wave: &WaveSpec) -> String {
    match wave.cut_off_min {
        Some(min) => format!("{:02}:{:02}", min / 60, min % 60),
        None => "by hand".to_owned(),
    }
}
