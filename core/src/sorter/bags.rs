//! Bags and cages at chutes: what they hold, and how they are changed, step by step.
//!
//! Asked, locked here, locked at the chute, the last parcels past the commit point accounted for,
//! contents frozen, new label bound, ready, open.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::chutes::ChuteIs;
use super::state::{Slot, State};
use crate::facts::Facts;
use crate::hub::{ChuteRules, Lot, LotMost};
use crate::ids::{BagId, ChuteId, CodeId, ParcelId, TrackId};
use crate::operator::Refused;
use crate::outbox::Outbox;
use crate::signal::{BagStage, Lamp, Output};
use crate::units::BeltMm;

/// How far a bag change has come, as a page or a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BagStep {
    /// None is going on: the bag takes parcels.
    Open,
    /// It was asked for; its PLC has not locked the chute yet.
    Asked,
    /// The chute is locked; what was past the commit point is waited for.
    Locked,
    /// The contents stand: the bag can be taken off.
    Frozen,
    /// The label of the bag that comes after it is bound.
    Bound,
}

impl BagStep {
    /// Its name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Asked => "asked",
            Self::Locked => "locked",
            Self::Frozen => "frozen",
            Self::Bound => "bound",
        }
    }
}

/// How far a bag change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Step {
    /// None is going on.
    Open,
    /// It was asked for; nothing more is sent, and the PLC should lock.
    Asked,
    /// The PLC has locked; what was past the commit point may not have been told of yet.
    Locked,
    /// The contents stand; the new bag is hung and its label scanned.
    Frozen,
}

/// The bag or cage at a chute.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Bag {
    pub id: BagId,
    pub label: CodeId,
    pub pieces: u32,
    pub weight: u32,
    pub volume: u32,
    /// It has been counted since it was empty.
    is_counted: bool,
    pub step: Step,
    /// Why it is being changed: `BagChange` or `BagLimit`.
    pub why: ChuteIs,
    /// The label of the bag that comes after it.
    pub next: CodeId,
    /// The label of the bag before it.
    last: CodeId,
    /// For each outlet, the belt position after which nothing drops any more.
    closed_at: Vec<BeltMm>,
}

/// A bag, as a page or a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BagView {
    /// Which.
    pub bag: BagId,
    /// Its label; [`CodeId::NONE`] while it has none.
    pub label: CodeId,
    /// Parcels in it.
    pub pieces: u32,
    /// Their mass in g, as far as it is known.
    pub weight_g: u32,
    /// Their volume in cm³, as far as it is known.
    pub volume_cm3: u32,
    /// Whether that is all: whether it was empty when the count began.
    pub is_counted: bool,
    /// Its contents stand: it can be taken off.
    pub is_frozen: bool,
    /// The label of the bag that comes after it, once bound.
    pub next: CodeId,
    /// How far its change has come.
    pub step: BagStep,
}

impl Bag {
    pub fn new(id: BagId, outlets: usize) -> Self {
        Self {
            id,
            label: CodeId::NONE,
            pieces: 0,
            weight: 0,
            volume: 0,
            is_counted: false,
            step: Step::Open,
            why: ChuteIs::BagChange,
            next: CodeId::NONE,
            last: CodeId::NONE,
            closed_at: vec![BeltMm(0); outlets],
        }
    }

    /// What the chute's lamp shows during a change.
    pub fn lamp(&self) -> Lamp {
        match self.step {
            Step::Open => Lamp::Dark,
            Step::Asked | Step::Locked => Lamp::Wait,
            Step::Frozen if self.next == CodeId::NONE => Lamp::Change,
            Step::Frozen => Lamp::Ready,
        }
    }

    /// Whether its PLC has locked for a change, and the last parcels are waited for.
    pub fn is_locked(&self) -> bool {
        self.step == Step::Locked
    }

    /// Whether something may be in it.
    pub fn may_hold(&self) -> bool {
        self.pieces > 0 || !self.is_counted
    }

    fn is_full(&self, most: &LotMost) -> bool {
        let reached = |has: u32, most: u32| most > 0 && has >= most;
        reached(self.pieces, most.pieces)
            || reached(self.weight, most.weight.0)
            || reached(self.volume, most.volume_cm3)
    }

    fn said(&self, chute: ChuteId, to: BagStage) -> Output {
        Output::Bag {
            chute,
            bag: self.id,
            label: self.label,
            pieces: self.pieces,
            weight: crate::units::Grams(self.weight),
            volume_cm3: self.volume,
            to,
        }
    }

    pub fn view(&self) -> BagView {
        BagView {
            bag: self.id,
            label: self.label,
            pieces: self.pieces,
            weight_g: self.weight,
            volume_cm3: self.volume,
            is_counted: self.is_counted,
            is_frozen: self.step == Step::Frozen,
            next: self.next,
            step: match self.step {
                Step::Open => BagStep::Open,
                Step::Asked => BagStep::Asked,
                Step::Locked => BagStep::Locked,
                Step::Frozen if self.next == CodeId::NONE => BagStep::Frozen,
                Step::Frozen => BagStep::Bound,
            },
        }
    }
}

/// Mass in g and volume in cm³ of a parcel: measured, else declared, else 0.
pub(super) fn bulk(facts: &Facts) -> (u32, u32) {
    let (measured, declared) = (&facts.measured, &facts.advice.declared);
    let weight = match measured.weight.0 {
        0 => declared.weight.0,
        weight => weight,
    };
    let volume = measured.volume_cm3().or_else(|| declared.volume_cm3());
    (weight, volume.unwrap_or(0).min(u64::from(u32::MAX)) as u32)
}

impl Sorter {
    /// Whether the container at a chute has room for a parcel besides those on their way to it.
    pub(super) fn bag_has_room(&self, id: ChuteId, slot: Slot) -> bool {
        let most = &self.hub.chutes()[id.index()].rules.lot_most;
        let chute = &self.state.chutes[id.index()];
        let bag = &chute.bag;
        let (weight, volume) = bulk(&self.state.facts[slot as usize]);
        let fits = |has: u32, coming: u64, more: u32, most: u32| {
            most == 0 || u64::from(has) + coming + u64::from(more) <= u64::from(most)
        };
        // What alone is more than a whole bag takes goes into an empty one.
        let is_empty = bag.pieces == 0 && chute.coming == 0;
        is_empty
            || mutant!("bag_without_limit")
            || (fits(bag.pieces, u64::from(chute.coming), 1, most.pieces)
                && fits(bag.weight, chute.coming_weight, weight, most.weight.0)
                && fits(bag.volume, chute.coming_volume, volume, most.volume_cm3))
    }

    /// A parcel found no room in the container although nothing more is on its way to it: what is
    /// left of it is of no use, and it is changed.
    pub(super) fn bag_turned_away(&mut self, id: ChuteId) {
        // One that is being changed already is not asked for again.
        if self.state.chutes[id.index()].coming == 0
            && self.change_bag(id, ChuteIs::BagLimit).is_ok()
        {
            self.state.queue_chute(id);
        }
    }

    /// Something dropped into the container at a chute; `None` if it has none.
    pub(super) fn drop_into_bag(
        &mut self,
        id: ChuteId,
        facts: &Facts,
        outbox: &mut Outbox,
    ) -> Option<BagId> {
        let ChuteRules { lot, lot_most, .. } = self.hub.chutes()[id.index()].rules;
        if lot == Lot::Flow {
            return None;
        }
        let bag = &mut self.state.chutes[id.index()].bag;
        let (weight, volume) = bulk(facts);
        bag.pieces += 1;
        bag.weight = bag.weight.saturating_add(weight);
        bag.volume = bag.volume.saturating_add(volume);
        let bag_id = bag.id;
        if bag.step == Step::Frozen {
            // It was told too late, or the lock did not hold: its contents are said again.
            outbox.push(bag.said(id, BagStage::Frozen));
        } else if bag.is_full(&lot_most) {
            let _is_asked_already = self.change_bag(id, ChuteIs::BagLimit);
        }
        Some(bag_id)
    }

    /// Begins a bag change.
    pub(super) fn change_bag(&mut self, id: ChuteId, why: ChuteIs) -> Result<(), Refused> {
        let is_flow = self.hub.chutes()[id.index()].rules.lot == Lot::Flow;
        let bag = &mut self.state.chutes[id.index()].bag;
        if is_flow {
            return Err(Refused::NoBagThere);
        }
        if bag.step != Step::Open {
            return Err(Refused::BagChanging);
        }
        bag.step = Step::Asked;
        bag.why = why;
        Ok(())
    }

    /// The button at a chute: asks for a change, or says that the new bag hangs.
    pub(super) fn bag_button(&mut self, id: ChuteId, outbox: &mut Outbox) {
        let asked = self.change_bag(id, ChuteIs::BagChange);
        // A press that can mean neither is a press too many.
        let _taken = asked.or_else(|_| self.bag_ready(id, outbox));
        self.update_chute(id, outbox);
    }

    /// If its PLC has locked a chute whose bag is being changed, its outlets close one lead later.
    pub(super) fn bag_lock_told(&mut self, id: ChuteId) {
        let chute = &mut self.state.chutes[id.index()];
        let is_locked = chute.state.lock_applied || chute.state.locked;
        if chute.bag.step != Step::Asked || !is_locked {
            return;
        }
        chute.bag.step = Step::Locked;
        self.state.bags_locked += 1;
        let outlets = &self.hub.chutes()[id.index()].outlets;
        for (closed_at, outlet) in chute.bag.closed_at.iter_mut().zip(outlets) {
            let tolerance = self.hub.tracks()[outlet.track.index()].tolerance;
            let belt = self.state.tracks[outlet.track.index()].by(self.state.now);
            *closed_at = belt.plus(i64::from(outlet.lead.0) + i64::from(tolerance.0));
        }
    }

    /// Freezes the contents of a locked bag once nothing can drop into it any more: nothing that
    /// is known of is on its way, or the belts have carried it past.
    pub(super) fn bag_goes_on(&mut self, id: ChuteId, outbox: &mut Outbox) {
        let chute = &mut self.state.chutes[id.index()];
        if chute.bag.step != Step::Locked {
            return;
        }
        let outlets = &self.hub.chutes()[id.index()].outlets;
        let mut closed = chute.bag.closed_at.iter().zip(outlets);
        let is_past = closed.all(|(at, outlet)| self.state.tracks[outlet.track.index()].at >= *at);
        if chute.coming == 0 || is_past || mutant!("frozen_at_once") {
            chute.bag.step = Step::Frozen;
            self.state.bags_locked -= 1;
            outbox.push(chute.bag.said(id, BagStage::Frozen));
        }
    }

    /// A belt has moved on: bags of chutes on it may have become ready to be taken off.
    pub(super) fn bags_go_on(&mut self, track: TrackId, outbox: &mut Outbox) {
        if self.state.bags_locked == 0 {
            return;
        }
        for at in 0..self.state.chutes.len() {
            let is_here = |outlet: &crate::hub::Outlet| outlet.track == track;
            if self.state.chutes[at].bag.step == Step::Locked
                && self.hub.chutes()[at].outlets.iter().any(is_here)
            {
                self.update_chute(ChuteId(at as u16), outbox);
            }
        }
    }

    /// Whether a label is on a bag that hangs, was bound for the next, or was the last one.
    fn label_is_used(&self, label: CodeId) -> bool {
        let mut bags = self.state.chutes.iter().map(|chute| &chute.bag);
        bags.any(|bag| [bag.label, bag.next, bag.last].contains(&label))
    }

    /// The label of a new bag was scanned, or that of one that hangs without.
    pub(super) fn bind_bag(
        &mut self,
        id: ChuteId,
        label: CodeId,
        outbox: &mut Outbox,
    ) -> Result<(), Refused> {
        let is_flow = self.hub.chutes()[id.index()].rules.lot == Lot::Flow;
        let bag = &self.state.chutes[id.index()].bag;
        let (step, has_label) = (bag.step, bag.label != CodeId::NONE);
        if is_flow {
            return Err(Refused::NoBagThere);
        }
        if label == CodeId::NONE {
            return Err(Refused::NoCode);
        }
        let is_same_again = bag.next == label && step == Step::Frozen;
        if !is_same_again && self.label_is_used(label) {
            return Err(Refused::LabelInUse);
        }
        let bag = &mut self.state.chutes[id.index()].bag;
        match step {
            Step::Frozen => bag.next = label,
            Step::Open if !has_label => {
                bag.label = label;
                outbox.push(bag.said(id, BagStage::Labelled));
            }
            Step::Open => return Err(Refused::NoBagChange),
            Step::Asked | Step::Locked => return Err(Refused::BagNotFrozen),
        }
        Ok(())
    }

    /// The new bag hangs.
    pub(super) fn bag_ready(&mut self, id: ChuteId, outbox: &mut Outbox) -> Result<(), Refused> {
        let lot = self.hub.chutes()[id.index()].rules.lot;
        let bag = &self.state.chutes[id.index()].bag;
        // A cage is known by its place; a bag without a label cannot be found again.
        let has_label = bag.next != CodeId::NONE || lot == Lot::Cage;
        match bag.step {
            _ if lot == Lot::Flow => return Err(Refused::NoBagThere),
            Step::Open => return Err(Refused::NoBagChange),
            Step::Asked | Step::Locked => return Err(Refused::BagNotFrozen),
            Step::Frozen if !has_label => return Err(Refused::BagNotLabelled),
            Step::Frozen => {}
        }
        self.open_bag(id, outbox);
        self.chute_emptied(id);
        self.chute_cleared(id);
        Ok(())
    }

    /// The bag is not changed after all.
    pub(super) fn keep_bag(&mut self, id: ChuteId, outbox: &mut Outbox) -> Result<(), Refused> {
        let ChuteRules { lot, lot_most, .. } = self.hub.chutes()[id.index()].rules;
        let bag = &mut self.state.chutes[id.index()].bag;
        if lot == Lot::Flow {
            return Err(Refused::NoBagThere);
        }
        if bag.step == Step::Open {
            return Err(Refused::NoBagChange);
        }
        if bag.is_full(&lot_most) {
            return Err(Refused::BagFull);
        }
        if bag.step == Step::Frozen {
            outbox.push(bag.said(id, BagStage::Kept));
        }
        self.state.bags_locked -= u32::from(bag.step == Step::Locked);
        bag.step = Step::Open;
        bag.next = CodeId::NONE;
        Ok(())
    }

    /// What lay in the container at a chute was taken out, or it was taken away as it is.
    pub(super) fn bag_cleared(&mut self, id: ChuteId, outbox: &mut Outbox) {
        if self.hub.chutes()[id.index()].rules.lot == Lot::Flow {
            return;
        }
        let bag = &self.state.chutes[id.index()].bag;
        if bag.step != Step::Frozen && bag.may_hold() {
            outbox.push(bag.said(id, BagStage::Frozen));
        }
        self.state.bags_locked -= u32::from(bag.step == Step::Locked);
        self.open_bag(id, outbox);
    }

    /// Another container hangs from now on, empty.
    fn open_bag(&mut self, id: ChuteId, outbox: &mut Outbox) {
        let number = self.name_bag();
        let bag = &mut self.state.chutes[id.index()].bag;
        bag.last = bag.label;
        bag.label = core::mem::replace(&mut bag.next, CodeId::NONE);
        bag.id = number;
        bag.pieces = 0;
        bag.weight = 0;
        bag.volume = 0;
        bag.is_counted = true;
        bag.step = Step::Open;
        outbox.push(bag.said(id, BagStage::Opened));
    }

    /// A number for a bag that was never given before.
    fn name_bag(&mut self) -> BagId {
        self.state.bags_named += 1;
        let State {
            run_epoch,
            sorter,
            bags_named,
            ..
        } = self.state;
        BagId(ParcelId::of(run_epoch, sorter, bags_named))
    }
}
