//! What orders must be, and that a sorter knows which of its orders stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use sorthub_core::hub::{Capacity, Hub, Sensing};
use sorthub_core::ids::{CellId, ChuteId, DestId, ParcelId, PlcItem, TrackId};
use sorthub_core::operator::Command;
use sorthub_core::plan::{Plan, RoomPolicy};
use sorthub_core::reason::Reason;
use sorthub_core::signal::{LinkState, Order, OrderAnswer, Output, Signal};
use sorthub_core::sorter::{ItemView, Sorter, TrackView};

/// A PLC that holds a newer order than an engine knows of says so once, and once more for what was
/// on its way.
const OLD_REVISIONS_MAX: u32 = 3;

/// What was said of one item in a cell.
#[derive(Clone, Copy, Default)]
struct Said {
    parcel: ParcelId,
    revision: u16,
    /// Whether it is known what stands at the PLC, and then the first chute of it.
    stands: Option<Option<ChuteId>>,
    /// The last chute of the order, if it is for chutes of the parcel's own.
    last_own: Option<ChuteId>,
    /// Times that all chutes of its own have refused it.
    failed: u32,
    old_revisions: u32,
}

/// The orders of one sorter.
pub(super) struct Orders {
    hub: Arc<Hub>,
    plan: Arc<Plan>,
    said: BTreeMap<(CellId, PlcItem), Said>,
    /// What the present signal says has left its cell.
    leaves: Option<(CellId, PlcItem)>,
    /// Parcels were being sent elsewhere by another plan before the present signal, or are by it.
    switches: bool,
    /// The belts before the present signal.
    belts: Vec<TrackView>,
}

impl Orders {
    pub fn new(hub: &Arc<Hub>, plan: &Arc<Plan>) -> Self {
        Self {
            hub: Arc::clone(hub),
            plan: Arc::clone(plan),
            said: BTreeMap::new(),
            leaves: None,
            switches: false,
            belts: vec![],
        }
    }

    /// What the sorter is at, after it was called.
    pub fn look(&mut self, sorter: &Sorter) {
        self.switches = sorter.former_plan().is_some();
        let tracks = (0..self.hub.tracks().len()).map(|track| TrackId(track as u16));
        self.belts.clear();
        self.belts.extend(tracks.map(|track| sorter.track(track)));
    }

    /// What was said before is not known any more.
    pub fn forget(&mut self) {
        self.said.clear();
        self.belts.clear();
    }

    /// What a signal says of orders, before the sorter is called with it.
    pub fn hear(&mut self, signal: &Signal) -> Result<(), String> {
        self.leaves = None;
        match *signal {
            Signal::Command {
                command: Command::Activate { .. },
                ..
            } => self.switches = true,
            Signal::Inducted { cell, item, .. } | Signal::Unexpected { cell, item, .. } => {
                // The PLC holds no order for what has just got a place.
                let said = self.said.entry((cell, item)).or_default();
                said.stands = Some(None);
                said.last_own = None;
            }
            Signal::Returning { cell, item, .. }
            | Signal::Missing { cell, item, .. }
            | Signal::Discharged { cell, item, .. }
            | Signal::RemovedByHand { cell, item } => {
                self.said.remove(&(cell, item));
                self.leaves = Some((cell, item));
            }
            Signal::NotDischarged {
                cell, item, chute, ..
            } => return self.not_discharged(cell, item, chute),
            Signal::OrderAnswered {
                cell,
                item,
                revision,
                answer,
            } if answer != OrderAnswer::Accepted => {
                let said = self.said.get_mut(&(cell, item));
                let Some(said) = said.filter(|said| said.revision == revision) else {
                    return Ok(());
                };
                if answer == OrderAnswer::NoSuchItem {
                    // Of what it does not have, it has no order: whoever comes there is new to it.
                    self.said.remove(&(cell, item));
                    return Ok(());
                }
                said.stands = None;
                said.old_revisions += u32::from(answer == OrderAnswer::OldRevision);
                if said.old_revisions > OLD_REVISIONS_MAX {
                    return Err(format!("item {} never gets a newer revision", item.0));
                }
            }
            Signal::Link {
                track,
                to: LinkState::Reset,
            } => {
                let hub = &self.hub;
                self.said
                    .retain(|(cell, _), _| hub.track_of(*cell).is_some_and(|(of, _)| of != track));
            }
            _ => {}
        }
        Ok(())
    }

    fn not_discharged(
        &mut self,
        cell: CellId,
        item: PlcItem,
        chute: ChuteId,
    ) -> Result<(), String> {
        let Some(said) = self.said.get_mut(&(cell, item)) else {
            return Ok(());
        };
        let is_loop = self
            .hub
            .track_of(cell)
            .is_some_and(|(track, _)| self.hub.tracks()[track.index()].kind.is_loop());
        if !is_loop {
            // It may have been the last that was still ahead.
            said.stands = None;
            return Ok(());
        }
        said.failed += u32::from(said.last_own == Some(chute));
        if said.failed > u32::from(self.plan.spec().laps_max) + 1 {
            return Err(format!(
                "item {} has tried its chutes {} times, more laps than the plan allows",
                item.0, said.failed
            ));
        }
        Ok(())
    }

    /// An order, just given.
    pub fn order(&mut self, sorter: &Sorter, order: &Order) -> Result<(), String> {
        self.newer(order.cell, order.item, order.revision)?;
        let is_own = matches!(order.why, Reason::Planned | Reason::Intercept);
        let last = order.chutes.iter().rev().find_map(|chute| *chute);
        let said = self.said.entry((order.cell, order.item)).or_default();
        said.parcel = order.parcel;
        said.stands = Some(order.chutes[0]);
        said.last_own = last.filter(|_| is_own);
        self.is_sensible(sorter, order)?;
        self.is_in_time(sorter, order)?;
        if is_own && self.plan.spec().room == RoomPolicy::Reserve {
            self.has_room(sorter, order)?;
        }
        Ok(())
    }

    /// An order is taken back.
    pub fn withdrawal(
        &mut self,
        parcel: ParcelId,
        cell: CellId,
        item: PlcItem,
        revision: u16,
    ) -> Result<(), String> {
        self.newer(cell, item, revision)?;
        let said = self.said.entry((cell, item)).or_default();
        said.parcel = parcel;
        said.stands = Some(None);
        said.last_own = None;
        Ok(())
    }

    fn newer(&mut self, cell: CellId, item: PlcItem, revision: u16) -> Result<(), String> {
        let said = self.said.entry((cell, item)).or_default();
        let before = std::mem::replace(&mut said.revision, revision);
        let ahead = revision.wrapping_sub(before);
        if revision != 0 && (before == 0 || (ahead > 0 && ahead < u16::MAX / 2)) {
            return Ok(());
        }
        Err(format!(
            "item {} gets revision {revision} after {before}",
            item.0
        ))
    }

    /// The sorter takes for standing what it has said last.
    pub fn stand(&self, sorter: &Sorter) -> Result<(), String> {
        for item in sorter.items() {
            let said = self.said.get(&(item.cell, item.item));
            let Some(said) = said.filter(|said| said.parcel == item.parcel) else {
                continue;
            };
            if said.stands.is_some_and(|chute| chute != item.chute) {
                return Err(format!(
                    "parcel {} was said to go to {:?}, the sorter takes it to go to {:?}",
                    item.parcel, said.stands, item.chute
                ));
            }
        }
        Ok(())
    }

    fn is_sensible(&self, sorter: &Sorter, order: &Order) -> Result<(), String> {
        let track = self.track(order)?;
        let chutes = order.chutes.iter().flatten();
        for &chute in chutes.clone() {
            if self.hub.outlet(chute, track).is_none() {
                return Err(format!("an order names chute {} of another track", chute.0));
            }
        }
        let Some(&first) = chutes.clone().next() else {
            return Err("an order names no chute".to_owned());
        };
        self.is_allowed(sorter, order)?;
        let is_open = |chute: ChuteId| sorter.chute(chute).is.closed_because().is_none();
        if is_open(first) || !self.hub.tracks()[track.index()].kind.is_loop() {
            return Ok(());
        }
        // On a loop every chute can be reached, so a closed one is tried only if all are closed.
        // Several destinations may have been meant; wrong is what is wrong for each of them.
        let is_meant = |own: &[ChuteId]| chutes.clone().all(|chute| own.contains(chute));
        let dests = sorter.plan().spec().destinations.iter();
        if dests.clone().any(|dest| is_meant(&dest.overflow)) {
            // It may lap no more: its own chutes have had their turn, whatever their eyes say.
            return Ok(());
        }
        let owns =
            (0..dests.len() as u32).map(|dest| sorter.plan().chutes(DestId(dest), sorter.waves()));
        let mut meant = owns.filter(|own| is_meant(own)).peekable();
        let any = meant.peek().is_some();
        let all_better = meant.all(|own| {
            let mut here = own
                .iter()
                .filter(|&&chute| self.hub.outlet(chute, track).is_some());
            here.any(|&chute| is_open(chute) && self.bag_has_room(sorter, chute))
        });
        let rejects = self.plan.spec().reject.contains(&first);
        if any && all_better && !rejects {
            return Err(format!(
                "chute {} is ordered, which is closed, though another is open",
                first.0
            ));
        }
        Ok(())
    }

    /// Whether what hangs at a chute takes one more than those that are on their way to it.
    fn bag_has_room(&self, sorter: &Sorter, chute: ChuteId) -> bool {
        let view = sorter.chute(chute);
        let most = self.hub.chutes()[chute.index()].rules.lot_most.pieces;
        let will_hold = view.bag.map_or(0, |bag| bag.pieces + view.coming);
        most == 0 || will_hold < most
    }

    /// An order is given under the plan that is active, and names chutes that this plan has for
    /// where the parcel is for, or that lead there.
    fn is_allowed(&self, sorter: &Sorter, order: &Order) -> Result<(), String> {
        let plan = sorter.plan();
        if order.plan_version != plan.version() {
            return Err(format!(
                "an order is of plan {}, though plan {} is active",
                order.plan_version,
                plan.version()
            ));
        }
        let item = sorter.items().find(|item| item.parcel == order.parcel);
        let dest = item.and_then(|item| item.dest);
        let (Some(dest), Reason::Planned | Reason::Intercept) = (dest, order.why) else {
            return Ok(());
        };
        let leads_on = |chute| self.hub.transfers().iter().any(|way| way.from == chute);
        // A chute of a wave that is over is none of its own, nor is one of the next.
        let own = plan.chutes(dest, sorter.waves()).iter();
        let own = own.chain(plan.alternates(dest)).chain(plan.overflow(dest));
        let mut chutes = order.chutes.iter().flatten();
        match chutes.find(|&&chute| !own.clone().any(|&own| own == chute) && !leads_on(chute)) {
            None => Ok(()),
            Some(chute) => Err(format!(
                "chute {} is ordered, which plan {} has not for the parcel's destination",
                chute.0,
                plan.version()
            )),
        }
    }

    fn track(&self, order: &Order) -> Result<TrackId, String> {
        let track = self.hub.track_of(order.cell).map(|(track, _)| track);
        track.ok_or_else(|| format!("an order names cell {}", order.cell.0))
    }

    /// On a line every chute of an order is still to be reached before its commit point.
    fn is_in_time(&self, sorter: &Sorter, order: &Order) -> Result<(), String> {
        let track = self.track(order)?;
        if self.hub.tracks()[track.index()].kind.is_loop() {
            return Ok(());
        }
        let Some(item) = sorter.items().find(|item| item.cell == order.cell) else {
            if self.leaves == Some((order.cell, order.item)) {
                // What was due was done before the signal was heard.
                return Ok(());
            }
            return Err(format!("cell {} is ordered but empty", order.cell.0));
        };
        for &chute in order.chutes.iter().flatten() {
            let behind = self.behind_commit(sorter, &item, track, chute);
            if behind > 0 {
                return Err(format!(
                    "chute {} is ordered {behind} mm behind its commit point",
                    chute.0
                ));
            }
        }
        Ok(())
    }

    /// How far an item on a line is past a chute's commit point, in mm.
    fn behind_commit(
        &self,
        sorter: &Sorter,
        item: &ItemView,
        track: TrackId,
        chute: ChuteId,
    ) -> i64 {
        let Some(outlet) = self.hub.outlet(chute, track) else {
            return 0;
        };
        let by_now = |belt: &TrackView| {
            let travelled = belt.speed.travel_mm(sorter.now().since(belt.told));
            belt.at.plus(travelled)
        };
        let here = by_now(&sorter.track(track));
        // What is due is decided before the signal is looked at, which may tell of a belt that is
        // further on.
        let before = self.belts.get(track.index()).map_or(here, by_now);
        let here = here.min(before);
        let commit = i64::from(outlet.at.0) - i64::from(outlet.lead.0);
        here.minus(item.origin.plus(commit))
    }

    /// Where room is reserved, what is in a chute and on its way has room in it.
    fn has_room(&self, sorter: &Sorter, order: &Order) -> Result<(), String> {
        let Some(first) = order.chutes[0] else {
            return Ok(());
        };
        let spec = &self.hub.chutes()[first.index()];
        let view = sorter.chute(first);
        match (spec.sensing, spec.capacity) {
            (Sensing::Counted, Capacity::Parcels(most)) if view.holds + view.coming > most => {
                Err(format!(
                    "{} and {} coming in {}, which has room for {most}",
                    view.holds, view.coming, spec.name
                ))
            }
            _ => Ok(()),
        }
    }

    /// A parcel is told that no chute has room: then there is something in them, or on its way.
    pub fn is_full(&self, sorter: &Sorter, output: &Output) -> Result<(), String> {
        let Output::Decided {
            parcel,
            chute: None,
            why: Reason::ChuteFull,
            ..
        } = *output
        else {
            return Ok(());
        };
        let item = sorter.items().find(|item| item.parcel == parcel);
        let Some((item, dest)) = item.and_then(|item| Some((item, item.dest?))) else {
            return Ok(());
        };
        let Some((track, _)) = self.hub.track_of(item.cell) else {
            return Ok(());
        };
        // Those that are still to be sent elsewhere hold room until their turn comes.
        if self.plan.spec().room != RoomPolicy::Reserve || self.switches {
            return Ok(());
        }
        let own = sorter.plan().chutes(dest, sorter.waves());
        let is_loop = self.hub.tracks()[track.index()].kind.is_loop();
        let here = |chute: &&ChuteId| {
            let is_ahead = is_loop || self.behind_commit(sorter, &item, track, **chute) <= 0;
            self.hub.outlet(**chute, track).is_some() && is_ahead
        };
        let is_empty = |chute: &ChuteId| {
            let view = sorter.chute(*chute);
            let is_counted = self.hub.chutes()[chute.index()].sensing == Sensing::Counted;
            let is_open = view.is.closed_because().is_none();
            is_counted && is_open && view.holds == 0 && view.coming == 0
        };
        if own.iter().filter(here).any(is_empty) {
            return Err(format!(
                "parcel {parcel} finds no room, but a chute is empty"
            ));
        }
        Ok(())
    }
}
