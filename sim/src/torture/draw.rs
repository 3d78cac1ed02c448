//! What a run is about: a hub, a plan and a plant, drawn from the seed.

use std::sync::Arc;

use sorthub_core::hub::{
    Capacity, Caps, ChuteRules, ChuteSpec, Hub, HubSpec, InductionSpec, Lot, MeetsBy, Outlet,
    ScannerSpec, Sensing, SorterSpec, TrackKind, TrackSpec, TransferSpec,
};
use sorthub_core::ids::{ChuteId, DestId, InductionId, TrackId, WaveId};
use sorthub_core::plan::{DestinationSpec, NoReadPolicy, Plan, PlanSpec, RoomPolicy, WaveSpec};
use sorthub_core::units::{Grams, Micros, Mm, MmPerS};

use super::dice::Dice;
use super::fault::FIRST_PLAN;
use crate::spec::{
    ChutePlant, Demand, InductionPlant, ParcelPlant, PlantSpec, ScannerPlant, Service, TrackPlant,
};

/// A hub with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The hub.
    pub hub: Arc<Hub>,
    /// The plan that it begins with.
    pub plan: Arc<Plan>,
    /// Another one for the same destinations, which is staged from the start.
    pub other: Arc<Plan>,
    /// Its plant.
    pub plant: Arc<PlantSpec>,
    /// Events that its PLCs can keep for an engine that is away.
    pub fifo_depth: u16,
}

impl Drawn {
    /// Its plans.
    #[must_use]
    pub fn plans(&self) -> [Arc<Plan>; 2] {
        [Arc::clone(&self.plan), Arc::clone(&self.other)]
    }
}

/// The description while it is drawn.
struct Draft {
    dice: Dice,
    hub: HubSpec,
    plan: PlanSpec,
    plant: PlantSpec,
    /// Chutes for destinations, by track.
    own: Vec<Vec<ChuteId>>,
}

/// Draws the hub of a seed.
///
/// # Panics
/// If what was drawn is no sound hub: a fault of the drawing.
#[must_use]
pub fn draw(seed: u64) -> Drawn {
    let mut draft = Draft {
        dice: Dice::new(seed, 1),
        hub: HubSpec {
            name: format!("torture {seed}"),
            ..HubSpec::default()
        },
        plan: PlanSpec::default(),
        plant: PlantSpec::default(),
        own: vec![],
    };
    let tracks = draft.dice.pick(&[1, 1, 1, 2, 2, 3]);
    for _ in 0..tracks {
        draft.track();
    }
    if tracks > 1 && draft.dice.chance(400) {
        draft.share();
    }
    if tracks > 1 && draft.dice.chance(600) {
        draft.transfers();
    }
    draft.plan();
    draft.host(Dice::new(seed, 5));
    draft.containers(Dice::new(seed, 8));
    draft.waves(Dice::new(seed, 9));
    let fifo_depth = draft.dice.pick(&[256, 256, 4_096]);
    let Draft {
        hub, plan, plant, ..
    } = draft;
    let hub = Hub::new(hub).unwrap_or_else(|faults| panic!("drew an unsound hub: {faults:?}"));
    let other = moved(&plan, &hub);
    let compiled = |plan| {
        let plan = Plan::new(plan, &hub);
        plan.unwrap_or_else(|faults| panic!("drew an unsound plan: {faults:?}"))
    };
    let (plan, other) = (compiled(plan), compiled(other));
    Drawn {
        hub: Arc::new(hub),
        plan: Arc::new(plan),
        other: Arc::new(other),
        plant: Arc::new(plant),
        fifo_depth,
    }
}

/// The plan after this one: each destination has the chutes of the one before it on its track.
fn moved(plan: &PlanSpec, hub: &Hub) -> PlanSpec {
    let mut moved = plan.clone();
    moved.version = plan.version + 1;
    let is_with = |nth: usize, first: usize| {
        let outlets = |nth: usize| {
            let dest = &plan.destinations[nth];
            let mut chutes = dest.every_chute();
            let first = chutes.next().expect("every destination has a chute");
            &hub.chutes()[first.index()].outlets
        };
        outlets(nth)[0].track == outlets(first)[0].track
    };
    let mut first = 0;
    for nth in 1..plan.destinations.len() {
        if is_with(nth, first) {
            let (left, right) = moved.destinations.split_at_mut(nth);
            std::mem::swap(&mut left[nth - 1].chutes, &mut right[0].chutes);
            std::mem::swap(&mut left[nth - 1].overflow, &mut right[0].overflow);
            std::mem::swap(&mut left[nth - 1].waves, &mut right[0].waves);
        } else {
            first = nth;
        }
    }
    moved
}

impl Draft {
    fn track(&mut self) {
        let id = TrackId(self.hub.tracks.len() as u16);
        let is_loop = self.dice.chance(600);
        let length = self.dice.between(16, 36) * 500;
        let returns = self
            .dice
            .chance(500)
            .then(|| Mm(self.dice.between(8, 20) as u32 * 500));
        let kind = if is_loop {
            TrackKind::Loop {
                carriers: (length / 500) as u32,
                pitch: Mm(500),
            }
        } else {
            TrackKind::Line {
                length: Mm(length as u32),
                windows: self.dice.between(8, 24) as u32,
                returns,
            }
        };
        self.hub.tracks.push(TrackSpec {
            name: format!("T{}", id.0),
            kind,
            speed: MmPerS(self.dice.pick(&[500, 1_000, 1_500])),
            tolerance: Mm(250),
            caps: if self.dice.chance(500) {
                Caps::USUAL
            } else {
                Caps::NONE
            },
        });
        self.plant.tracks.push(TrackPlant {
            ramp_mm_s2: self.dice.pick(&[0, 500]),
            gap: Mm(200),
            plc_scan: Micros::from_millis(10),
        });
        self.plant.demand.push(vec![]);
        let inductions = if is_loop { self.dice.between(1, 2) } else { 1 };
        for nth in 0..inductions {
            let at = if is_loop { 500 + nth * length / 2 } else { 0 };
            self.induction(id, at as u32);
        }
        let scanners = self.dice.between(1, 2);
        for nth in 0..scanners {
            let at = 1_500 + nth * if is_loop { length / 2 } else { 500 };
            self.scanner(id, at as u32);
        }
        self.chutes(id, is_loop, length as u32);
    }

    fn induction(&mut self, track: TrackId, at: u32) {
        let name = format!("in {}", self.hub.inductions.len());
        self.hub.inductions.push(InductionSpec {
            name,
            track,
            at: Mm(at),
            quota_permille: self.dice.pick(&[1_000, 1_000, 500]),
        });
        self.plant.inductions.push(InductionPlant {
            rate_per_h: self.dice.pick(&[600, 1_500, 3_000]),
            spacing: Micros::from_millis(self.dice.pick(&[0, 700])),
            queue: Some(50),
        });
    }

    fn scanner(&mut self, track: TrackId, at: u32) {
        // Half of the least distance between parcels, so that no telegram fits two.
        let window = Mm(150);
        // The window of arrivals must hold the time to the telegram, which the plant varies.
        let meets_by = match self.dice.below(4) {
            0 | 1 => MeetsBy::Trigger,
            2 => MeetsBy::Carrier,
            _ => MeetsBy::Encoder { window },
        };
        let is_loop = self.hub.tracks[track.index()].kind.is_loop();
        let meets_by = match meets_by {
            MeetsBy::Carrier if !is_loop => MeetsBy::Trigger,
            other => other,
        };
        let name = format!("scan {}", self.hub.scanners.len());
        self.hub.scanners.push(ScannerSpec {
            name,
            track,
            at: Mm(at),
            meets_by,
            wait: Mm(700),
        });
        self.plant.scanners.push(ScannerPlant {
            read_ppm: self.dice.pick(&[1_000_000, 980_000, 850_000]),
            delay: Micros::from_millis(self.dice.pick(&[0, 60, 200, 450])),
        });
    }

    fn chutes(&mut self, track: TrackId, is_loop: bool, length: u32) {
        let count = self.dice.between(2, 5) as u32;
        let (from, to) = (3_000, length - 1_000);
        let mut own = vec![];
        for nth in 0..count {
            let at = from + (to - from) * nth / count;
            let limited = self.dice.chance(800);
            own.push(self.chute(track, at, limited));
        }
        self.own.push(own);
        // What was never read, or was refused everywhere, ends at the last one.
        let at = if is_loop { length - 500 } else { length };
        let reject = self.chute(track, at, false);
        self.plan.reject.push(reject);
    }

    fn chute(&mut self, track: TrackId, at: u32, limited: bool) -> ChuteId {
        let id = ChuteId(self.hub.chutes.len() as u16);
        let sensing = self.dice.pick(&[Sensing::Eyes, Sensing::Counted]);
        let capacity = if !limited {
            Capacity::Unlimited
        } else if self.dice.chance(500) {
            Capacity::Parcels(self.dice.between(1, 6) as u32)
        } else {
            Capacity::Length(Mm(self.dice.between(6, 20) as u32 * 100))
        };
        let lead = Mm(self.dice.pick(&[100, 300]));
        self.hub.chutes.push(ChuteSpec {
            name: format!("C{}", id.0),
            outlets: vec![Outlet {
                track,
                at: Mm(at),
                lead,
            }],
            capacity,
            sensing,
            rules: ChuteRules::AS_TOLD,
        });
        let service = if limited {
            Service::Exponential {
                mean: Micros::from_millis(self.dice.pick(&[2_000, 8_000])),
            }
        } else {
            Service::Instant
        };
        self.plant.chutes.push(ChutePlant {
            service,
            counts_taken: sensing == Sensing::Counted,
            full_eye: self.dice.chance(500),
        });
        id
    }

    /// A chute of the first track takes parcels of the second one too.
    fn share(&mut self) {
        let chute = self.dice.pick(&self.own[0]);
        let at = Mm(self.hub.tracks[1].kind.length().0 - 800);
        let lead = self.hub.chutes[chute.index()].outlets[0].lead;
        self.hub.chutes[chute.index()].outlets.push(Outlet {
            track: TrackId(1),
            at,
            lead,
        });
        self.own[1].push(chute);
    }

    /// A transfer from each track to the next, and two sorters or one.
    fn transfers(&mut self) {
        for from in 0..self.hub.tracks.len() - 1 {
            let (from, to) = (TrackId(from as u16), TrackId(from as u16 + 1));
            let outlets = self.hub.chutes.iter().flat_map(|chute| &chute.outlets);
            let last = outlets.filter(|outlet| outlet.track == from);
            let at = last.map(|outlet| outlet.at.0).max().unwrap_or(0) - 400;
            let chute = self.chute(from, at, false);
            let induction = InductionId(self.hub.inductions.len() as u16);
            let is_loop = self.hub.tracks[to.index()].kind.is_loop();
            self.induction(to, if is_loop { 1_000 } else { 250 });
            self.plant.inductions[induction.index()].rate_per_h = 0;
            let travel = Micros::from_millis(self.dice.between(2_000, 8_000));
            // What waits behind a slow induction for longer than the patience would be lost.
            self.hub.inductions[induction.index()].quota_permille = 1_000;
            self.hub.transfers.push(TransferSpec {
                from: chute,
                to: induction,
                travel,
                patience: Micros::from_secs(600),
            });
        }
        let is_shared = self.hub.chutes.iter().any(|chute| chute.outlets.len() > 1);
        if !is_shared && self.dice.chance(500) {
            for track in 0..self.hub.tracks.len() {
                self.hub.sorters.push(SorterSpec {
                    name: format!("S{track}"),
                    tracks: vec![TrackId(track as u16)],
                });
            }
        }
    }

    /// In some runs a host is asked where some parcels are for. It has dice of its own, so that all
    /// else in a run is the same with it and without.
    fn host(&mut self, mut dice: Dice) {
        let deadline = Micros::from_millis(dice.pick(&[150, 400, 1_500]));
        self.plan.host = dice.chance(300).then_some(deadline);
    }

    /// In some runs parcels drop into bags and cages. What lies in one leaves with it and not one
    /// by one, so that they hang where nothing is counted as taken out.
    fn containers(&mut self, mut dice: Dice) {
        if !dice.chance(300) {
            return;
        }
        for id in self.own.iter().flatten() {
            let chute = &mut self.hub.chutes[id.index()];
            let counts = chute.sensing == Sensing::Counted && chute.capacity != Capacity::Unlimited;
            if !counts && dice.chance(600) {
                chute.rules.lot = dice.pick(&[Lot::Bag, Lot::Cage]);
                chute.rules.lot_most.pieces = dice.pick(&[0, 2, 5, 12]);
            }
        }
    }

    /// In some runs destinations have other chutes while a wave is open, and none but those.
    fn waves(&mut self, mut dice: Dice) {
        if !dice.chance(250) {
            return;
        }
        for nth in 0..dice.between(1, 2) {
            self.plan.waves.push(WaveSpec {
                name: format!("W{nth}"),
                cut_off_min: None,
            });
        }
        let waves = self.plan.waves.len() as u64;
        for dest in &mut self.plan.destinations {
            if !dice.chance(500) {
                continue;
            }
            let wave = WaveId(dice.below(waves) as u8);
            let own = self.own.iter().find(|own| own.contains(&dest.chutes[0]));
            let other = own.map(|own| dice.pick(own));
            dest.waves = vec![(wave, vec![other.unwrap_or(dest.chutes[0])])];
            if dice.chance(200) {
                dest.chutes.clear();
            }
        }
    }

    fn plan(&mut self) {
        self.plan.version = FIRST_PLAN;
        self.plan.laps_max = self.dice.between(0, 3) as u8;
        self.plan.room = self.dice.pick(&[RoomPolicy::Attempt, RoomPolicy::Reserve]);
        self.plan.no_read = self.dice.pick(&[NoReadPolicy::Reject, NoReadPolicy::Again]);
        let joined = !self.hub.transfers.is_empty();
        for track in 0..self.own.len() {
            let own = self.own[track].clone();
            for &chute in &own {
                let dest = DestId(self.plan.destinations.len() as u32);
                let mut chutes = vec![chute];
                let other = self.dice.pick(&own);
                if other != chute && self.dice.chance(500) {
                    chutes.push(other);
                }
                let overflow = self.dice.pick(&own);
                let overflow = (!chutes.contains(&overflow) && self.dice.chance(300))
                    .then_some(overflow)
                    .into_iter();
                self.plan.destinations.push(DestinationSpec {
                    name: format!("D{}", dest.0),
                    chutes,
                    overflow: overflow.collect(),
                    ..DestinationSpec::default()
                });
                let weight = self.dice.between(1, 4) as u32;
                // Whoever gets on upstream can be for here too.
                let passes = |from: usize| {
                    let outlets = &self.hub.chutes[chute.index()].outlets;
                    outlets.iter().any(|outlet| outlet.track.index() == from)
                };
                let from_here = (0..=track).filter(|&from| joined || passes(from));
                for from in from_here.collect::<Vec<_>>() {
                    self.plant.demand[from].push(Demand { dest, weight });
                }
            }
        }
        self.plant.parcels = ParcelPlant {
            length: (Mm(150), Mm(450)),
            mass: (Grams(100), Grams(5_000)),
            ..ParcelPlant::default()
        };
    }
}
