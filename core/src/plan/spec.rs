//! A sort plan as a person wrote it, already parsed and not yet checked.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::facts::{Address, CarrierKey, ServiceKey, Tags};
use crate::ids::{ChuteId, DestId, WaveId};
use crate::reason::Reason;
use crate::units::{Grams, Micros, Mm};

/// A sort plan as described, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSpec {
    /// Grows with every change; a decision says under which version it was made.
    pub version: u32,
    /// Where parcels can be for.
    pub destinations: Vec<DestinationSpec>,
    /// Waves, numbered in their order; at most [`WAVES_MAX`](crate::limits::WAVES_MAX).
    pub waves: Vec<WaveSpec>,
    /// Which destination an address belongs to; of several that fit, the longest counts.
    pub addresses: Vec<AddressRule>,
    /// Rules on attributes; the first that fits counts.
    pub rules: Vec<AttributeRule>,
    /// Chutes of last resort, tried in this order on each track.
    pub reject: Vec<ChuteId>,
    /// Chutes of their own for some causes of rejection, in the order to try them; then, and for
    /// the other causes, `reject`.
    pub exceptions: Vec<(Reason, Vec<ChuteId>)>,
    /// How room in a chute is judged.
    pub room: RoomPolicy,
    /// What happens to a parcel whose code could not be read.
    pub no_read: NoReadPolicy,
    /// How many laps a parcel may add before it is rejected.
    pub laps_max: u8,
    /// How long a parcel may be on a track before it is rejected; [`Micros::NEVER`]: as long as
    /// its laps last.
    pub time_max: Micros,
    /// When the host is asked, how long its answer may take; `None`: it is not asked.
    pub host: Option<Micros>,
    /// What measured parcels must keep to.
    pub checks: Checks,
    /// Names of the carriers and services in `rules`, which have only their keys: for people.
    pub words: Vec<String>,
}

/// A destination and its chutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationSpec {
    /// What people and pre-advice call it.
    pub name: String,
    /// Its chutes; how a parcel finds one among them says `spread`.
    pub chutes: Vec<ChuteId>,
    /// How parcels spread over `chutes`, and over those of a wave.
    pub spread: Spread,
    /// Chutes tried in this order when none of `chutes` takes a parcel.
    pub alternates: Vec<ChuteId>,
    /// Chutes for parcels that may lap no more (on a line without return: at once) before they
    /// are rejected.
    pub overflow: Vec<ChuteId>,
    /// Its waves in the order of their cut-offs: while one is open, its chutes stand in place of
    /// `chutes`. When the last is cut off and `chutes` is empty, parcels are rejected with
    /// [`Reason::WaveOver`].
    pub waves: Vec<(WaveId, Vec<ChuteId>)>,
    /// How codes without pre-advice begin that are for it, besides its name
    /// ([`Plan::code_prefixes`](super::Plan::code_prefixes)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
}

impl DestinationSpec {
    /// How codes begin that name it, as the virtual hub prints them.
    #[must_use]
    pub fn name_prefix(&self) -> String {
        alloc::format!("{}-", self.name)
    }

    /// Every chute that it names, those of its waves among them; some may come twice.
    pub fn every_chute(&self) -> impl Iterator<Item = &ChuteId> {
        let waves = self.waves.iter().flat_map(|(_, chutes)| chutes);
        let own = self.chutes.iter().chain(&self.alternates);
        own.chain(&self.overflow).chain(waves)
    }
}

/// How parcels of a destination spread over its chutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spread {
    /// The first that is open takes them all.
    #[default]
    Preferred,
    /// Each gets its share, one number for each chute.
    Shares(Vec<u16>),
    /// The emptiest comes first, so that all fill evenly.
    Level,
}

/// A wave: parcels for one departure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveSpec {
    /// What people call it.
    pub name: String,
    /// Its cut-off in minutes since midnight, local time; the driver closes the wave then. `None`:
    /// a person does.
    pub cut_off_min: Option<u16>,
}

/// Which part of an address a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AddressKind {
    /// The segment code (三段码).
    Segment,
    /// The postcode.
    Postcode,
}

/// Addresses that begin so are for a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AddressRule {
    /// Of which kind.
    pub kind: AddressKind,
    /// How they begin.
    pub prefix: Address,
    /// The destination, by its place in [`PlanSpec::destinations`].
    pub to: DestId,
}

/// A rule on attributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeRule {
    /// When it is asked.
    pub stage: Stage,
    /// What a parcel must be like; all of it must hold.
    pub when: Vec<Condition>,
    /// What happens then.
    pub then: Then,
}

/// When an attribute rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// Before the parcel's destination is looked for: what must not go with the others.
    First,
    /// When nothing else knows a destination.
    Last,
}

/// A condition on a parcel. One on something that was not measured, or not advised, does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Condition {
    /// Heavier than this.
    Heavier(Grams),
    /// At most as heavy as this.
    AtMostHeavy(Grams),
    /// Its longest side is longer than this.
    Longer(Mm),
    /// Its longest side is at most as long as this.
    AtMostLong(Mm),
    /// Of more volume than so many cm³.
    Larger(u32),
    /// Of at most so many cm³.
    AtMostLarge(u32),
    /// Of this carrier.
    Carrier(CarrierKey),
    /// Of this service.
    Service(ServiceKey),
    /// With all of these attributes.
    Tagged(Tags),
    /// With none of these attributes.
    Untagged(Tags),
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Then {
    /// To a destination.
    To(DestId),
    /// To the chutes for this cause.
    Reject(Reason),
}

/// What measured parcels must keep to. Zero: not checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// Heaviest parcel that is sorted.
    pub weight_most: Grams,
    /// Longest side that is sorted.
    pub length_most: Mm,
    /// How far the measured mass may be from the declared one, in thousandths of it.
    pub weight_tolerance_permille: u16,
    /// And at least so far.
    pub weight_tolerance: Grams,
    /// How far each measured side may be from the declared one.
    pub size_tolerance: Mm,
}

/// How room in a chute is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomPolicy {
    /// A parcel is sent only where there is room for it and for all on their way. Needs a count
    /// of what was taken out.
    Reserve,
    /// A parcel is sent; if the chute refuses it, the plan's next answer follows.
    Attempt,
}

/// What happens to a parcel whose code could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoReadPolicy {
    /// It is rejected at once, whatever later scanners read; a person can still key its code in.
    Reject,
    /// Every later scanner tries again, until no lap is left.
    Again,
}

impl Default for PlanSpec {
    fn default() -> Self {
        Self {
            version: 1,
            destinations: Vec::new(),
            waves: Vec::new(),
            addresses: Vec::new(),
            rules: Vec::new(),
            reject: Vec::new(),
            exceptions: Vec::new(),
            room: RoomPolicy::Attempt,
            no_read: NoReadPolicy::Reject,
            laps_max: 3,
            time_max: Micros::NEVER,
            host: None,
            checks: Checks::default(),
            words: Vec::new(),
        }
    }
}
