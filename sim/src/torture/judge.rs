//! What must hold, whatever happens: checked after every call of a sorter and every exit.

use std::collections::BTreeMap;
use std::sync::Arc;

use sorthub_core::hub::Hub;
use sorthub_core::ids::{CellId, ChuteId, ParcelId, PlcItem};
use sorthub_core::limits::OUTPUTS_PER_CALL_MAX;
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::Plan;
use sorthub_core::signal::{Order, Output, Signal};
use sorthub_core::sorter::Sorter;
use sorthub_core::units::Micros;

use super::dice::Dice;
use crate::plant::{Exit, Way};

/// More calls at one instant than any hub has reason for.
const CALLS_AT_ONCE_MAX: u32 = 20_000;

/// For how many calls a sorter made of a snapshot is kept beside the one that runs.
const TWIN_CALLS: u32 = 60;

/// One sorter's judge.
pub(super) struct Judge {
    hub: Arc<Hub>,
    plan: Arc<Plan>,
    dice: Dice,
    /// Parcels that were named, and whether their passage is over.
    parcels: BTreeMap<ParcelId, bool>,
    /// The newest revision said for each item in a cell.
    revisions: BTreeMap<(CellId, PlcItem), u16>,
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
            plan: Arc::clone(plan),
            dice: Dice::new(seed, 100 + sorter),
            parcels: BTreeMap::new(),
            revisions: BTreeMap::new(),
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
        self.revisions.clear();
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
                _ => {}
            }
        }
    }

    /// It begins anew, knowing nothing.
    pub fn forgotten(&mut self) {
        self.replaced();
        self.parcels.clear();
    }

    /// Before a call: now and then a second sorter is made of the first one's snapshot.
    pub fn before(
        &mut self,
        sorter: &Sorter,
        now: Micros,
        signal: &Signal,
    ) -> Result<Option<u64>, String> {
        if self.twin.is_none() && self.dice.chance(4) {
            self.twin = Some((self.copy(sorter)?, TWIN_CALLS));
        }
        if !self.dice.chance(5) {
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
        for output in outputs {
            self.output(sorter, output)
                .map_err(|what| format!("{what}, after {signal:?}"))?;
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

    fn output(&mut self, sorter: &Sorter, output: &Output) -> Result<(), String> {
        match *output {
            Output::Known { parcel, .. } => {
                let before = self.parcels.insert(parcel, false);
                if before == Some(true) {
                    return Err(format!(
                        "parcel {parcel} is back after its passage was over"
                    ));
                }
            }
            Output::Ended { parcel, .. } => self.ends(parcel)?,
            Output::HandOver { parcel, .. } => {
                self.ends(parcel)?;
                // It may come back over another transfer.
                self.parcels.remove(&parcel);
            }
            Output::Divert(ref order) => {
                self.is_under_way(order.parcel)?;
                self.is_newer(order.cell, order.item, order.revision)?;
                self.is_sensible(sorter, order)?;
            }
            Output::Withdraw {
                parcel,
                cell,
                item,
                revision,
            } => {
                self.is_under_way(parcel)?;
                self.is_newer(cell, item, revision)?;
            }
            _ => {}
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

    fn is_newer(&mut self, cell: CellId, item: PlcItem, revision: u16) -> Result<(), String> {
        let before = self.revisions.insert((cell, item), revision);
        let is_newer = before.is_none_or(|before| {
            let ahead = revision.wrapping_sub(before);
            ahead > 0 && ahead < u16::MAX / 2
        });
        if is_newer && revision != 0 {
            return Ok(());
        }
        Err(format!(
            "item {} gets revision {revision} after {before:?}",
            item.0
        ))
    }

    fn is_sensible(&self, sorter: &Sorter, order: &Order) -> Result<(), String> {
        let Some((track, _)) = self.hub.track_of(order.cell) else {
            return Err(format!("an order names cell {}", order.cell.0));
        };
        let chutes = order.chutes.iter().flatten();
        for &chute in chutes.clone() {
            if self.hub.outlet(chute, track).is_none() {
                return Err(format!("an order names chute {} of another track", chute.0));
            }
        }
        let Some(&first) = chutes.clone().next() else {
            return Err("an order names no chute".to_owned());
        };
        let is_open = |chute: ChuteId| sorter.chute(chute).state.closed_because().is_none();
        if is_open(first) || !self.hub.tracks()[track.index()].kind.is_loop() {
            return Ok(());
        }
        // On a loop every chute can be reached, so a closed one is tried only if all are closed.
        // Several destinations may have been meant; wrong is what is wrong for each of them.
        let is_meant = |own: &[ChuteId]| chutes.clone().all(|chute| own.contains(chute));
        let dests = self.plan.spec().destinations.iter();
        if dests.clone().any(|dest| is_meant(&dest.overflow)) {
            // It may lap no more: its own chutes have had their turn, whatever their eyes say.
            return Ok(());
        }
        let mut meant = dests.filter(|dest| is_meant(&dest.chutes)).peekable();
        let any = meant.peek().is_some();
        let all_better = meant.all(|dest| {
            let own = dest.chutes.iter();
            let mut here = own.filter(|&&chute| self.hub.outlet(chute, track).is_some());
            here.any(|&chute| is_open(chute))
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

    /// A parcel has left the plant: never by a chute that is none of its own.
    pub fn left(hub: &Hub, plan: &Plan, exit: &Exit) -> Result<(), String> {
        let Way::Chute(chute) = exit.way else {
            return Ok(());
        };
        let spec = plan.spec();
        let rejects = spec.exceptions.iter().flat_map(|(_, chutes)| chutes);
        let is_right = exit.dest.is_some_and(|dest| plan.allows(dest, chute))
            || spec.reject.iter().chain(rejects).any(|&own| own == chute);
        if is_right {
            return Ok(());
        }
        let name = &hub.chutes()[chute.index()].name;
        let dest = exit
            .dest
            .map(|dest| plan.spec().destinations[dest.index()].name.as_str());
        Err(format!(
            "parcel {} for {dest:?} left by {name}, which is not its own",
            exit.number
        ))
    }
}
