//! The sort plan: which chutes serve which destination, and what happens when none can.
//!
//! [`PlanSpec`] is what a person wrote, already parsed; [`Plan::new`] checks it against a hub,
//! returns every fault, and compiles it into flat tables. A compiled plan never changes: what
//! moves while sorting (which waves are open, how full chutes are) is the sorter's.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::facts::{Address, DestKey, Facts};
use crate::hub::Hub;
use crate::ids::{ChuteId, DestId, WaveId};
use crate::outbox::RollingHash;
use crate::reason::Reason;

mod address;
mod check;
mod checks;
mod lists;
mod spec;
mod uses;

pub use check::PlanFault;
pub use spec::{
    AddressKind, AddressRule, AttributeRule, Checks, Condition, DestinationSpec, NoReadPolicy,
    PlanSpec, RoomPolicy, Spread, Stage, Then, WaveSpec,
};

pub use lists::Way;
pub use uses::Use;

use address::Prefixes;
use lists::Lists;

/// A set of waves, one bit each.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Waves(pub u64);

impl Waves {
    /// Whether a wave is among them.
    #[must_use]
    pub const fn has(self, wave: WaveId) -> bool {
        self.0 >> (wave.0 & 63) & 1 != 0
    }

    /// These with one more, or one less.
    #[must_use]
    pub const fn with(self, wave: WaveId, open: bool) -> Self {
        let bit = 1 << (wave.0 & 63);
        Self(if open { self.0 | bit } else { self.0 & !bit })
    }
}

/// A plan that has passed every check, compiled for one hub.
#[derive(Clone, Debug)]
pub struct Plan {
    spec: PlanSpec,
    keys: Vec<DestKey>,
    /// Waves by their names.
    wave_keys: Vec<DestKey>,
    /// For each chute, what it is used for.
    uses: Vec<Use>,
    /// Destinations by their keys. Only ever asked for one key, so its order does not matter.
    by_key: HashMap<DestKey, DestId, FixedState>,
    lists: Lists,
    segments: Prefixes,
    postcodes: Prefixes,
    /// For each chute, a hash over all that may end in it: it changes with the chute's owner.
    owners: Vec<u64>,
}

impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        // The tables follow from it.
        self.spec == other.spec
    }
}

impl Eq for Plan {}

impl Plan {
    /// Checks a plan against a hub and compiles it.
    ///
    /// # Errors
    /// Every fault there is, not just the first.
    pub fn new(spec: PlanSpec, hub: &Hub) -> Result<Self, Vec<PlanFault>> {
        let keys: Vec<DestKey> = spec
            .destinations
            .iter()
            .map(|d| DestKey::of(&d.name))
            .collect();
        let faults = check::check(&spec, &keys, hub);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut by_key = HashMap::with_capacity_and_hasher(keys.len(), FixedState::default());
        by_key.extend((0..).map(DestId).zip(&keys).map(|(dest, key)| (*key, dest)));
        let waves = spec.waves.iter().map(|wave| DestKey::of(&wave.name));
        Ok(Self {
            by_key,
            wave_keys: waves.collect(),
            uses: uses::of(&spec, hub.chutes().len()),
            lists: Lists::new(&spec.destinations),
            segments: Prefixes::new(&spec.addresses, AddressKind::Segment),
            postcodes: Prefixes::new(&spec.addresses, AddressKind::Postcode),
            owners: owners(&spec, &keys, hub.chutes().len()),
            keys,
            spec,
        })
    }

    /// The description it was compiled from.
    #[must_use]
    pub fn spec(&self) -> &PlanSpec {
        &self.spec
    }

    /// The plan's version.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.spec.version
    }

    /// The destination with a key.
    #[must_use]
    pub fn dest(&self, key: DestKey) -> Option<DestId> {
        self.by_key.get(&key).copied()
    }

    /// The key of a destination; [`DestKey::NONE`] for one that the plan does not have.
    #[must_use]
    pub fn key(&self, dest: DestId) -> DestKey {
        self.keys
            .get(dest.index())
            .copied()
            .unwrap_or(DestKey::NONE)
    }

    /// How codes begin and which destination they are for, for
    /// [`Directory::set_prefixes`](crate::directory::Directory::set_prefixes): what the plan says,
    /// and each destination's name with a dash.
    pub fn code_prefixes(&self) -> impl Iterator<Item = (String, DestKey)> + '_ {
        let dests = self.spec.destinations.iter().zip(&self.keys);
        dests.flat_map(|(dest, key)| {
            let all = core::iter::once(dest.name_prefix()).chain(dest.prefixes.iter().cloned());
            all.map(|prefix| (prefix, *key))
        })
    }

    /// The destination of an address: that of the longest prefix.
    #[must_use]
    pub fn dest_at(&self, kind: AddressKind, address: Address) -> Option<DestId> {
        match kind {
            AddressKind::Segment => self.segments.longest(address),
            AddressKind::Postcode => self.postcodes.longest(address),
        }
    }

    /// All addresses of a kind that have a destination: the first and the last of each range, in
    /// ascending order. Neighbours differ in their destination.
    pub fn address_ranges(
        &self,
        kind: AddressKind,
    ) -> impl Iterator<Item = (Address, Address, DestId)> + '_ {
        match kind {
            AddressKind::Segment => self.segments.ranges(),
            AddressKind::Postcode => self.postcodes.ranges(),
        }
    }

    /// What the first attribute rule of a stage that fits says.
    #[must_use]
    pub fn rule(&self, stage: Stage, facts: &Facts) -> Option<Then> {
        let at = self.rule_at(stage, facts)?;
        Some(self.spec.rules[at].then)
    }

    /// The place of the first attribute rule of a stage that fits.
    #[must_use]
    pub fn rule_at(&self, stage: Stage, facts: &Facts) -> Option<usize> {
        let mut rules = self.spec.rules.iter();
        rules.position(|rule: &AttributeRule| {
            rule.stage == stage && rule.when.iter().all(|when| when.holds(facts))
        })
    }

    /// A destination's own chutes while these waves are open, the preferred first; none for a
    /// destination that the plan does not have.
    #[must_use]
    pub fn chutes(&self, dest: DestId, open: Waves) -> &[ChuteId] {
        self.lists.own(dest, open)
    }

    /// Whether a destination's chutes are those of waves.
    #[must_use]
    pub fn has_waves(&self, dest: DestId) -> bool {
        self.lists.has_waves(dest)
    }

    /// A destination's alternates.
    #[must_use]
    pub fn alternates(&self, dest: DestId) -> &[ChuteId] {
        self.lists.alternates(dest)
    }

    /// A destination's overflow chutes.
    #[must_use]
    pub fn overflow(&self, dest: DestId) -> &[ChuteId] {
        self.lists.overflow(dest)
    }

    /// How a destination's parcels spread, as choosing reads it.
    #[must_use]
    pub fn way(&self, dest: DestId) -> Way<'_> {
        self.lists.way(dest)
    }

    /// What it uses a chute for.
    #[must_use]
    pub fn uses(&self, chute: ChuteId) -> Use {
        self.uses.get(chute.index()).copied().unwrap_or_default()
    }

    /// How many chutes the hub has that it was compiled for.
    #[must_use]
    pub fn chutes_of_hub(&self) -> usize {
        self.uses.len()
    }

    /// How a destination's parcels spread.
    #[must_use]
    pub fn spread(&self, dest: DestId) -> &Spread {
        self.lists.spread(dest)
    }

    /// Whether a chute is one that this destination's parcels may end in as sorted, in any wave.
    #[must_use]
    pub fn allows(&self, dest: DestId, chute: ChuteId) -> bool {
        self.lists.every(dest).contains(&chute)
    }

    /// Where parcels rejected for `reason` go, in the order to try them.
    pub fn rejects(&self, reason: Reason) -> impl Iterator<Item = ChuteId> + Clone + '_ {
        let own = self.spec.exceptions.iter();
        let own = own.filter(move |(cause, _)| *cause == reason);
        own.flat_map(|(_, chutes)| chutes.iter())
            .chain(&self.spec.reject)
            .copied()
    }

    /// A number that changes with what may end in a chute: its owner.
    #[must_use]
    pub fn owner(&self, chute: ChuteId) -> u64 {
        self.owners.get(chute.index()).copied().unwrap_or(0)
    }

    /// The destination with this name.
    #[must_use]
    pub fn destination_named(&self, name: &str) -> Option<DestId> {
        self.dest(DestKey::of(name))
    }

    /// How many destinations it has.
    #[must_use]
    pub fn destinations(&self) -> u32 {
        self.spec.destinations.len() as u32
    }

    /// Which waves are open at the start: all of them.
    #[must_use]
    pub fn waves(&self) -> Waves {
        (0..self.spec.waves.len()).fold(Waves::default(), |waves, at| {
            waves.with(WaveId(at as u8), true)
        })
    }

    /// Which waves are open when it takes another plan's place: all of them, but for those that
    /// the other knows by the same name and that are closed there.
    #[must_use]
    pub fn waves_after(&self, before: &Self, open: Waves) -> Waves {
        let all = self.wave_keys.iter().enumerate();
        all.fold(Waves::default(), |waves, (at, key)| {
            let same = before.wave_keys.iter().position(|other| other == key);
            let open = same.is_none_or(|at| open.has(WaveId(at as u8)));
            waves.with(WaveId(at as u8), open)
        })
    }
}

impl Condition {
    /// Whether it holds for a parcel. Measured values count; where there are none, declared ones.
    #[must_use]
    pub fn holds(&self, facts: &Facts) -> bool {
        let (measured, declared) = (&facts.measured, &facts.advice.declared);
        let first = |a: u32, b: u32| (a > 0).then_some(a).or((b > 0).then_some(b));
        let weight = first(measured.weight.0, declared.weight.0);
        let length = first(measured.length.0, declared.length.0);
        let volume = measured.volume_cm3().or_else(|| declared.volume_cm3());
        match *self {
            Self::Heavier(than) => weight.is_some_and(|weight| weight > than.0),
            Self::AtMostHeavy(most) => weight.is_some_and(|weight| weight <= most.0),
            Self::Longer(than) => length.is_some_and(|length| length > than.0),
            Self::AtMostLong(most) => length.is_some_and(|length| length <= most.0),
            Self::Larger(than) => volume.is_some_and(|volume| volume > u64::from(than)),
            Self::AtMostLarge(most) => volume.is_some_and(|volume| volume <= u64::from(most)),
            Self::Carrier(carrier) => facts.carrier == carrier,
            Self::Service(service) => facts.advice.service == service,
            Self::Tagged(tags) => facts.advice.tags.has(tags),
            Self::Untagged(tags) => facts.advice.known && !facts.advice.tags.has_any(tags),
        }
    }
}

/// For each chute a hash over the destinations and causes that may end in it, by their names, so
/// that it is the same in two plans that use the chute alike.
fn owners(spec: &PlanSpec, keys: &[DestKey], chutes: usize) -> Vec<u64> {
    let mut owners = vec![RollingHash::default(); chutes];
    let mut keys: Vec<(DestKey, usize)> = keys.iter().copied().zip(0..).collect();
    keys.sort_unstable();
    for (key, at) in keys {
        let dest = &spec.destinations[at];
        for chute in dest.every_chute() {
            owners[chute.index()].mix(&key);
        }
    }
    for (reason, list) in &spec.exceptions {
        list.iter()
            .for_each(|chute| owners[chute.index()].mix(reason));
    }
    spec.reject
        .iter()
        .for_each(|chute| owners[chute.index()].mix(&"reject"));
    owners.into_iter().map(RollingHash::value).collect()
}
