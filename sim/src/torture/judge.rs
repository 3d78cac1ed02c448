//! What must hold, whatever happens: checked after every call of a sorter and every exit.

use std::collections::BTreeMap;
use std::sync::Arc;

use sorthub_core::hub::Hub;
use sorthub_core::ids::{CodeId, ParcelId};
use sorthub_core::limits::OUTPUTS_PER_CALL_MAX;
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::Plan;
use sorthub_core::signal::{OrderAnswer, Output, Signal};
use sorthub_core::sorter::Sorter;
use sorthub_core::units::Micros;

use super::dice::Dice;

mod bags;
mod office;
mod orders;
mod truth;

use bags::Bags;
use office::Office;
use orders::Orders;
pub(super) use truth::{Hides, Truth};

/// More calls at one instant than any hub has reason for.
const CALLS_AT_ONCE_MAX: u32 = 20_000;

/// For how many calls a sorter made of a snapshot is kept beside the one that runs.
const TWIN_CALLS: u32 = 60;

/// One sorter's judge.
pub(super) struct Judge {
    hub: Arc<Hub>,
    dice: Dice,
    /// Parcels that were named, and whether their passage is over.
    parcels: BTreeMap<ParcelId, bool>,
    /// The code that was read of each parcel, and the parcel of each code.
    codes: BTreeMap<ParcelId, CodeId>,
    bearers: BTreeMap<CodeId, ParcelId>,
    orders: Orders,
    office: Office,
    bags: Bags,
    twin: Option<(Sorter, u32)>,
    outbox: Outbox,
    last: Micros,
    at_once: u32,
    snapshot_bytes_max: usize,
}

impl Judge {
    pub fn new(hub: &Arc<Hub>, plan: &Arc<Plan>, seed: u64, sorter: u64) -> Self {
        // All that a sorter can hold is bounded by its hub; a generous price for each place.
        let cells = hub.cells() as usize;
        let bytes = cells * 2_000 + hub.chutes().len() * 60_000 + hub.transfers().len() * 300_000;
        Self {
            hub: Arc::clone(hub),
            dice: Dice::new(seed, 100 + sorter),
            parcels: BTreeMap::new(),
            codes: BTreeMap::new(),
            bearers: BTreeMap::new(),
            orders: Orders::new(hub, plan),
            office: Office::default(),
            bags: Bags::default(),
            twin: None,
            outbox: Outbox::new(),
            last: Micros(0),
            at_once: 0,
            snapshot_bytes_max: bytes + 200_000,
        }
    }

    /// The sorter has been put in another one's place.
    pub fn replaced(&mut self) {
        self.twin = None;
        self.orders.forget();
        self.office.forget();
        self.bags.forget();
    }

    /// What was said in a call that is not durable was said to nobody: it may be said again.
    pub fn unsay(&mut self, outputs: &[Output]) {
        for output in outputs {
            match *output {
                Output::Known { parcel, .. } => {
                    self.parcels.remove(&parcel);
                }
                Output::Ended { parcel, .. } | Output::HandOver { parcel, .. } => {
                    self.parcels.insert(parcel, false);
                }
                Output::Read { parcel, code, .. } => {
                    self.codes.remove(&parcel);
                    self.bearers.remove(&code);
                }
                _ => {}
            }
        }
    }

    /// It begins anew, knowing nothing.
    pub fn forgotten(&mut self) {
        self.replaced();
        self.parcels.clear();
        self.codes.clear();
        self.bearers.clear();
    }

    /// Before a call: now and then it is made with a copy too, in two steps.
    pub fn before(
        &mut self,
        sorter: &Sorter,
        now: Micros,
        signal: &Signal,
    ) -> Result<Option<u64>, String> {
        self.orders.hear(signal)?;
        let is_due = sorter.next_timeout().is_some_and(|due| due <= now);
        let is_due_besides = is_due && *signal != Signal::Tick;
        if !self.dice.chance(if is_due_besides { 200 } else { 5 }) {
            return Ok(None);
        }
        // Time may pass in one step or in two.
        let mut stepwise = self.copy(sorter)?;
        self.outbox.clear();
        stepwise.handle(now, &Signal::Tick, &mut self.outbox);
        stepwise.handle(now, signal, &mut self.outbox);
        Ok(Some(stepwise.digest()))
    }

    fn copy(&self, sorter: &Sorter) -> Result<Sorter, String> {
        let bytes = sorter.snapshot();
        if bytes.len() > self.snapshot_bytes_max {
            return Err(format!("a snapshot has grown to {} bytes", bytes.len()));
        }
        let plans: Vec<_> = sorter.plans().cloned().collect();
        let copy = Sorter::restore(Arc::clone(&self.hub), &plans, &bytes);
        let copy = copy.map_err(|error| format!("a snapshot cannot be restored: {error}"))?;
        if copy.digest() == sorter.digest() {
            Ok(copy)
        } else {
            Err("a restored sorter has another digest".to_owned())
        }
    }

    /// After a call.
    pub fn after(
        &mut self,
        sorter: &Sorter,
        truth: &Truth,
        now: Micros,
        signal: &Signal,
        outputs: &[Output],
        stepwise: Option<u64>,
    ) -> Result<(), String> {
        self.at_once = if now == self.last {
            self.at_once + 1
        } else {
            0
        };
        self.last = now;
        if self.at_once > CALLS_AT_ONCE_MAX {
            return Err("sorter and plant answer each other in a circle".to_owned());
        }
        if outputs.len() > OUTPUTS_PER_CALL_MAX {
            return Err("more outputs than a call may have".to_owned());
        }
        if stepwise.is_some_and(|digest| digest != sorter.digest()) {
            return Err("a tick before the same call at the same time changes the result".into());
        }
        if !sorter.books().balance() {
            return Err(format!("the book does not balance: {:?}", sorter.books()));
        }
        self.follow_twin(sorter, now, signal, outputs)?;
        self.office.hear(sorter, signal, outputs)?;
        self.bags.hear(&self.hub, sorter, signal, outputs)?;
        for output in outputs {
            self.output(sorter, truth, output)
                .map_err(|what| format!("{what}, after {signal:?}"))?;
        }
        if truth.is_calm() {
            self.bags.keep_to_limits(&self.hub, sorter)?;
        }
        self.orders.look(sorter);
        if self.dice.chance(60) {
            self.orders
                .stand(sorter)
                .map_err(|what| format!("{what}, after {signal:?}"))?;
        }
        // What is rare is looked at more often: a part of the state that a snapshot forgets may
        // be in use only then.
        let often = if is_rare(signal) { 150 } else { 4 };
        if self.twin.is_none() && self.dice.chance(often) {
            self.twin = Some((self.copy(sorter)?, TWIN_CALLS));
        }
        Ok(())
    }

    fn follow_twin(
        &mut self,
        sorter: &Sorter,
        now: Micros,
        signal: &Signal,
        outputs: &[Output],
    ) -> Result<(), String> {
        let Some((mut twin, left)) = self.twin.take() else {
            return Ok(());
        };
        self.outbox.clear();
        twin.handle(now, signal, &mut self.outbox);
        if self.outbox.outputs() != outputs {
            return Err("a restored sorter says something else".to_owned());
        }
        if left == 1 && twin.digest() != sorter.digest() {
            return Err("a restored sorter has another future".to_owned());
        }
        self.twin = (left > 1).then_some((twin, left - 1));
        Ok(())
    }

    fn output(&mut self, sorter: &Sorter, truth: &Truth, output: &Output) -> Result<(), String> {
        match *output {
            Output::Known { parcel, .. } => self.known(parcel)?,
            Output::Read { parcel, code, .. } => self.read(sorter, truth, parcel, code)?,
            Output::Ended {
                parcel, how, chute, ..
            } => {
                self.ends(parcel)?;
                if let Some(&code) = self.codes.get(&parcel) {
                    truth.confirms(code, how, chute)?;
                }
            }
            Output::HandOver { parcel, .. } => {
                self.ends(parcel)?;
                // It may come back over another transfer. What is unread there may be taken for
                // it, so that its code is not sure any more.
                self.parcels.remove(&parcel);
                if let Some(code) = self.codes.remove(&parcel) {
                    self.bearers.remove(&code);
                }
            }
            Output::Divert(ref order) => {
                self.is_under_way(order.parcel)?;
                self.orders.order(sorter, order)?;
                self.bags.order(&self.hub, sorter, order)?;
                if let Some(&code) = self.codes.get(&order.parcel) {
                    self.office.order(sorter, code, order)?;
                }
            }
            Output::Withdraw {
                parcel,
                cell,
                item,
                revision,
            } => {
                self.is_under_way(parcel)?;
                self.orders.withdrawal(parcel, cell, item, revision)?;
            }
            Output::Decided { .. } => self.orders.is_full(sorter, output)?,
            _ => {}
        }
        Ok(())
    }

    fn known(&mut self, parcel: ParcelId) -> Result<(), String> {
        match self.parcels.insert(parcel, false) {
            Some(true) => Err(format!(
                "parcel {parcel} is back after its passage was over"
            )),
            Some(false) | None => Ok(()),
        }
    }

    /// No two parcels in cells have one code. (One in doubt may: it was found unread, and is
    /// followed as a new one. So may one on a track that tells nothing: it may have gone over a
    /// transfer.)
    fn read(
        &mut self,
        sorter: &Sorter,
        truth: &Truth,
        parcel: ParcelId,
        code: CodeId,
    ) -> Result<(), String> {
        self.codes.insert(parcel, code);
        let Some(other) = self.bearers.insert(code, parcel) else {
            return Ok(());
        };
        let tells = |cell| {
            let track = self.hub.track_of(cell).map(|(track, _)| track);
            track.is_some_and(|track| sorter.track(track).linked)
        };
        let track_of = |cell| self.hub.track_of(cell).map(|(track, _)| track);
        let here = sorter.items().find(|item| item.parcel == parcel);
        let here = here.and_then(|item| track_of(item.cell));
        // That it has gone over a transfer can be told after it has come out.
        let leads_here = |from| {
            !truth.is_calm()
                && self.hub.transfers().iter().any(|transfer| {
                    let to = self.hub.inductions()[transfer.to.index()].track;
                    Some(to) == here && self.hub.outlet(transfer.from, from).is_some()
                })
        };
        let is_here = || {
            let mut items = sorter.items();
            items.any(|item| {
                let from = track_of(item.cell);
                item.parcel == other && tells(item.cell) && !from.is_some_and(leads_here)
            })
        };
        if other != parcel && truth.is_certain(code) && is_here() {
            return Err(format!("code {} is on {other} and on {parcel}", code.0));
        }
        Ok(())
    }

    fn ends(&mut self, parcel: ParcelId) -> Result<(), String> {
        match self.parcels.insert(parcel, true) {
            Some(true) => Err(format!("parcel {parcel} has two dispositions")),
            // What is lost on a transfer was never known here.
            Some(false) | None => Ok(()),
        }
    }

    fn is_under_way(&self, parcel: ParcelId) -> Result<(), String> {
        match self.parcels.get(&parcel) {
            Some(false) => Ok(()),
            Some(true) => Err(format!(
                "parcel {parcel} is ordered after its passage is over"
            )),
            None => Err(format!("parcel {parcel} is ordered but was never named")),
        }
    }
}

/// Whether a signal leads to parts of the state that most calls do not touch.
fn is_rare(signal: &Signal) -> bool {
    match *signal {
        Signal::OrderAnswered { answer, .. } => answer != OrderAnswer::Accepted,
        Signal::Link { .. }
        | Signal::InventoryEnd { .. }
        | Signal::Missing { .. }
        | Signal::Unexpected { .. }
        | Signal::Transfer { .. }
        | Signal::Command { .. } => true,
        _ => false,
    }
}
