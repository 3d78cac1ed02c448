//! What the core refuses of a plan, put at the places where it is described.

use std::collections::HashMap;

use sorthub_core::facts::{Address, DestKey};
use sorthub_core::hub::{
    Capacity, Caps, Hub, HubSpec, InductionSpec, LotMost, MeetsBy, Outlet, ScannerSpec, TrackKind,
};
use sorthub_core::ids::TrackId;
use sorthub_core::plan::{AddressKind, Plan, PlanFault};
use sorthub_core::units::{Mm, MmPerS};

use super::super::fault::Meaning;
use super::super::reader::Faults;
use super::super::source::Span;
use super::PlanDraft;

/// The hub that a plan is checked against.
pub(in super::super) struct Against<'h> {
    pub(in super::super) spec: &'h HubSpec,
    /// None where the hub itself is refused.
    pub(in super::super) hub: Option<&'h Hub>,
    /// Whether all its chutes are there and sound.
    pub(in super::super) chutes_sound: bool,
}

/// Checks a plan; `None` if it has faults, which are then reported. Where there is no hub to
/// check it against, what does not depend on the hub's own faults is still checked.
pub(in super::super) fn check(
    plan: &PlanDraft,
    against: &Against<'_>,
    faults: &Faults<'_>,
) -> Option<Plan> {
    let stand_in;
    let hub = match against.hub {
        Some(hub) => hub,
        None => {
            stand_in = Hub::new(stand_in_for(against.spec)).ok()?;
            &stand_in
        }
    };
    match Plan::new(plan.spec.clone(), hub) {
        Ok(compiled) => against.hub.is_some().then_some(compiled),
        Err(found) => {
            let placing = Placing::new(plan, against, faults);
            for fault in found {
                placing.report(fault);
            }
            None
        }
    }
}

struct Placing<'p, 'a> {
    plan: &'p PlanDraft,
    against: &'p Against<'p>,
    faults: &'p Faults<'a>,
    /// The first destination of each name, and the first rule of each prefix.
    first_named: HashMap<DestKey, usize>,
    first_prefix: HashMap<(AddressKind, Address), usize>,
}

impl<'p, 'a> Placing<'p, 'a> {
    fn new(plan: &'p PlanDraft, against: &'p Against<'p>, faults: &'p Faults<'a>) -> Self {
        let (mut first_named, mut first_prefix) = (HashMap::new(), HashMap::new());
        for (at, dest) in plan.spec.destinations.iter().enumerate() {
            first_named.entry(DestKey::of(&dest.name)).or_insert(at);
        }
        for (at, rule) in plan.spec.addresses.iter().enumerate() {
            first_prefix.entry((rule.kind, rule.prefix)).or_insert(at);
        }
        Self {
            plan,
            against,
            faults,
            first_named,
            first_prefix,
        }
    }

    fn destination(&self, at: usize) -> Span {
        let plan = self.plan;
        plan.names.get(at).copied().unwrap_or(plan.header)
    }

    fn report(&self, fault: PlanFault) {
        let plan = self.plan;
        match fault {
            PlanFault::SameName { destination } => self.same_name(destination),
            PlanFault::SameWave { wave } => self.same_wave(wave),
            PlanFault::SameAddress { address } => self.same_address(address),
            fault if !self.is_believable(&fault) => {}
            PlanFault::NoReject { track } => {
                let track = self.against.spec.tracks.get(track.index());
                let track = track.map(|track| track.name.clone()).unwrap_or_default();
                self.faults.add(plan.reject, Meaning::NoReject { track });
            }
            fault => {
                let place = self.place(&fault);
                self.faults.add_error(place, || Meaning::Plan { fault });
            }
        }
    }

    /// Whether a fault does not follow from one that is reported already. What is wrong elsewhere
    /// in the plan hides none.
    fn is_believable(&self, fault: &PlanFault) -> bool {
        let plan = self.plan;
        let lists = |at: usize| plan.sound_lists.get(at).is_some_and(|sound| *sound);
        match *fault {
            PlanFault::NoChute { destination }
            | PlanFault::Shares { destination }
            | PlanFault::NoSuchWave { destination, .. }
            | PlanFault::NoSuchChute {
                destination: Some(destination),
                ..
            } => lists(destination),
            PlanFault::NoReject { .. } => plan.sound_reject && self.against.chutes_sound,
            // A name that nothing has is told where it stands.
            PlanFault::NoSuchTarget { .. } | PlanFault::NoSuchDestination { .. } => plan.sound,
            _ => true,
        }
    }

    fn place(&self, fault: &PlanFault) -> Span {
        let plan = self.plan;
        let at = |places: &[Span], at: usize| places.get(at).copied().unwrap_or(plan.header);
        match *fault {
            PlanFault::NoChute { destination }
            | PlanFault::NoSuchWave { destination, .. }
            | PlanFault::NoSuchChute {
                destination: Some(destination),
                ..
            } => self.destination(destination),
            PlanFault::Shares { destination } => {
                let shares = plan.shares.get(&destination).copied();
                shares.unwrap_or(self.destination(destination))
            }
            PlanFault::TooManyLaps => plan.laps,
            PlanFault::TwoExceptions(reason) => {
                let same = |(other, _): &(_, _)| *other == reason;
                let last = plan.spec.exceptions.iter().rposition(same);
                at(&plan.exceptions, last.unwrap_or(usize::MAX))
            }
            PlanFault::TooManyWaves => plan.waves.last().copied().unwrap_or(plan.header),
            PlanFault::NoSuchTime { wave } | PlanFault::WaveOrder { wave } => at(&plan.waves, wave),
            PlanFault::TooManyRules => plan.rules.last().copied().unwrap_or(plan.header),
            PlanFault::NoSuchTarget { rule } => at(&plan.rules, rule),
            PlanFault::NoSuchDestination { address } => at(&plan.addresses, address),
            _ => plan.header,
        }
    }

    fn same_name(&self, at: usize) {
        let dests = &self.plan.spec.destinations;
        let name = dests.get(at).map(|d| d.name.clone()).unwrap_or_default();
        let first = self.first_named.get(&DestKey::of(&name)).copied();
        let (here, first) = (self.destination(at), self.destination(first.unwrap_or(at)));
        let first_line = self.faults.line_of(first);
        if name.is_empty() || (first.file, first_line) == (here.file, self.faults.line_of(here)) {
            // No name at all, or the names of chutes, is reported where they are given.
            return;
        }
        let what = "destination";
        if first.file == here.file {
            self.faults.add_error(here, || Meaning::SameName {
                what,
                name,
                first_line,
            });
        } else {
            let first_file = self.faults.name_of(first);
            self.faults.add_error(here, || Meaning::SameNameElsewhere {
                what,
                name,
                first_file,
                first_line,
            });
        }
    }

    fn same_wave(&self, at: usize) {
        let waves = &self.plan.spec.waves;
        let name = waves.get(at).map(|w| w.name.clone()).unwrap_or_default();
        let first = waves.iter().position(|wave| wave.name == name);
        if let (Some(first), Some(here)) = (first, self.plan.waves.get(at))
            && !name.is_empty()
        {
            let first_line = self.faults.line_of(self.plan.waves[first]);
            let what = "wave";
            let fault = Meaning::SameName {
                what,
                name,
                first_line,
            };
            self.faults.add(*here, fault);
        }
    }

    fn same_address(&self, at: usize) {
        let (rules, places) = (&self.plan.spec.addresses, &self.plan.addresses);
        let (Some(rule), Some(place)) = (rules.get(at), places.get(at)) else {
            return;
        };
        let first = self.first_prefix.get(&(rule.kind, rule.prefix));
        let first = first.and_then(|first| rules.get(*first));
        let other = first.and_then(|first| self.plan.spec.destinations.get(first.to.index()));
        self.faults.add_error(*place, || Meaning::SameAddresses {
            kind: kind_word(rule.kind),
            prefix: rule.prefix.to_string(),
            other: other.map(|dest| dest.name.clone()).unwrap_or_default(),
        });
    }
}

/// What people call a kind of address.
pub(in super::super) fn kind_word(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Segment => "segment code",
        AddressKind::Postcode => "postcode",
    }
}

/// A hub with the same tracks, chutes and outlets and nothing to complain of, so that a plan can
/// be checked in the same run in which its hub is refused.
fn stand_in_for(spec: &HubSpec) -> HubSpec {
    let mut hub = spec.clone();
    for (at, track) in hub.tracks.iter_mut().enumerate() {
        track.name = at.to_string();
        track.kind = TrackKind::Loop {
            carriers: 1,
            pitch: Mm(1),
        };
        track.speed = MmPerS(1);
        track.tolerance = Mm(1);
        track.caps = Caps::NONE;
    }
    hub.inductions = vec![InductionSpec {
        name: String::new(),
        track: TrackId(0),
        at: Mm(0),
        quota_permille: 1_000,
    }];
    hub.scanners = (0..hub.tracks.len())
        .map(|at| ScannerSpec {
            name: at.to_string(),
            track: TrackId(at as u16),
            at: Mm(0),
            meets_by: MeetsBy::Trigger,
            wait: Mm(0),
        })
        .collect();
    for (at, chute) in hub.chutes.iter_mut().enumerate() {
        chute.name = at.to_string();
        let mut seen = vec![];
        chute.outlets.retain_mut(|outlet| {
            outlet.at = Mm(0);
            let is_new = !seen.contains(&outlet.track);
            seen.push(outlet.track);
            is_new
        });
        if chute.outlets.is_empty() {
            chute.outlets.push(Outlet {
                track: TrackId(0),
                at: Mm(0),
                lead: Mm(0),
            });
        }
        chute.capacity = Capacity::Unlimited;
        chute.rules.lot_most = LotMost::default();
    }
    hub.groups.clear();
    hub.tags.clear();
    hub.sorters.clear();
    hub.transfers.clear();
    hub
}
