//! Where an item goes: choosing chutes, giving orders, and what follows when one fails.

use super::Sorter;
use super::heading::Share;
use super::spreading::{Answers, Choice, Chutes};
use super::state::{Intent, Slot, Standing};
use crate::hub::TrackKind;
use crate::ids::{ChuteId, TrackId};
use crate::limits::ORDER_CHUTES_MAX;
use crate::outbox::Outbox;
use crate::reason::Reason;
use crate::signal::{OnFail, Order, Output};

impl Sorter {
    /// Whether what is not diverted comes by again.
    pub(super) fn comes_round(&self, track: TrackId) -> bool {
        match self.hub.tracks()[track.index()].kind {
            TrackKind::Loop { .. } => true,
            TrackKind::Line { returns, .. } => returns.is_some(),
        }
    }

    /// Gives an item a way if it has none at the moment.
    pub(super) fn route_if_idle(&mut self, slot: Slot, outbox: &mut Outbox) {
        if self.state.items[slot as usize].ordered.is_none() {
            self.route(slot, outbox);
        }
    }

    /// Chooses where an item goes and says so, if that is news.
    pub(super) fn route(&mut self, slot: Slot, outbox: &mut Outbox) {
        self.renew(slot, outbox);
        self.purge(slot, outbox);
        let item = &self.state.items[slot as usize];
        if !self.sends_item(item) {
            return;
        }
        match item.intent {
            Intent::Undecided => self.withdraw(slot, outbox),
            Intent::Ask => self.route_asking(slot, outbox),
            Intent::Force(chute) => self.route_forced(slot, chute, outbox),
            Intent::Reject(why) => self.route_reject(slot, why, outbox),
            Intent::Sort => {
                if !item.is_spent && self.route_sort(slot, outbox) {
                    return;
                }
                let item = &self.state.items[slot as usize];
                let track = TrackId(item.track);
                let may_lap = item.laps < self.laps_max(track) && !item.is_spent;
                if !is_lasting(item.cause) && may_lap && self.comes_round(track) {
                    // No chute takes it now: it goes round without an order.
                    outbox.push(item.decided(None, item.cause));
                    let here = self.state.tracks[track.index()].by(self.state.now);
                    self.state.items[slot as usize]
                        .idle_since
                        .get_or_insert(here);
                    self.withdraw(slot, outbox);
                    return;
                }
                self.last_resort(slot, outbox);
            }
        }
    }

    /// It may lap no more: overflow, and if there is none, reject.
    fn last_resort(&mut self, slot: Slot, outbox: &mut Outbox) {
        let item = &mut self.state.items[slot as usize];
        let (cause, dest) = (item.cause, item.dest);
        let standing = item.ordered;
        item.is_spent = true;
        if let Some(dest) = dest {
            let Choice { chutes, .. } = self.choose(slot, Answers::Overflow(dest));
            // An overflow that has just refused is not asked again.
            if chutes[0].is_some() && standing.is_none_or(|order| order.chutes != chutes) {
                self.order(slot, chutes, cause, outbox);
                return;
            }
        }
        let why = self.reject_spent(slot);
        self.route_reject(slot, why, outbox);
    }

    /// There is nowhere left for an item but the reject chutes: says why.
    pub(super) fn reject_spent(&mut self, slot: Slot) -> Reason {
        let item = &self.state.items[slot as usize];
        let laps_count = self.comes_round(TrackId(item.track)) && !is_lasting(item.cause);
        let why = if laps_count {
            Reason::MostLaps
        } else {
            item.cause
        };
        self.state.items[slot as usize].intent = Intent::Reject(why);
        why
    }

    /// Tries the destination's own chutes; `false` if none can be tried now, with the cause noted
    /// at the item.
    fn route_sort(&mut self, slot: Slot, outbox: &mut Outbox) -> bool {
        let Some(dest) = self.state.items[slot as usize].dest else {
            self.state.items[slot as usize].cause = Reason::NoData;
            return false;
        };
        let Choice {
            mut chutes,
            share,
            mut cause,
        } = self.choose(slot, Answers::Own(dest));
        if cause == Reason::NoRule && chutes[0].is_none() {
            (chutes, cause) = self.choose_transfer(slot, dest);
        }
        if chutes[0].is_none() {
            self.state.items[slot as usize].cause = cause;
            return false;
        }
        let why = self.state.items[slot as usize].why();
        self.order_by_share(slot, chutes, share, why, outbox);
        true
    }

    /// To the reject chutes for a cause: those that take it first, and then those that may by the
    /// time it comes there, since there is nowhere else to go.
    fn route_reject(&mut self, slot: Slot, why: Reason, outbox: &mut Outbox) {
        self.release_room(slot);
        let mut chutes: Chutes = [None; ORDER_CHUTES_MAX];
        let place = self.place(slot);
        let is_ahead = |chute: &ChuteId| {
            let outlet = self.hub.outlet(*chute, place.track);
            outlet.is_some_and(|outlet| place.pass(outlet).is_some())
        };
        let is = |chute: &ChuteId| self.state.chutes[chute.index()].is;
        let open = |chute: &ChuteId| is(chute).closed_because().is_none();
        let ahead = self.plan.rejects(why).filter(is_ahead);
        let guarded = ahead.clone().filter(|chute| is(chute).is_guarded());
        let mut found = 0;
        for chute in ahead.filter(open).chain(guarded) {
            if found < ORDER_CHUTES_MAX && !chutes.contains(&Some(chute)) {
                chutes[found] = Some(chute);
                found += 1;
            }
        }
        if chutes[0].is_some() {
            self.order(slot, chutes, why, outbox);
        } else {
            // Past every reject chute of a line: it comes round, or the end takes it.
            let item = &self.state.items[slot as usize];
            outbox.push(item.decided(None, why));
            self.withdraw(slot, outbox);
        }
    }

    /// Gives an order, unless the one that stands says the same.
    pub(super) fn order(&mut self, slot: Slot, chutes: Chutes, why: Reason, outbox: &mut Outbox) {
        self.order_by_share(slot, chutes, None, why, outbox);
    }

    /// The same, charged to a share.
    fn order_by_share(
        &mut self,
        slot: Slot,
        chutes: Chutes,
        share: Option<Share>,
        why: Reason,
        outbox: &mut Outbox,
    ) {
        let item = self.state.items[slot as usize];
        let is_refused = item.refused.is_some_and(|refused| refused.chutes == chutes);
        if let (Some(first), false) = (chutes[0], is_refused) {
            self.aim(slot, first, share);
        }
        if item
            .ordered
            .is_some_and(|standing| standing.chutes == chutes)
        {
            return;
        }
        if is_refused {
            // The next scanner or the next lap asks again; until then it goes nowhere else either.
            outbox.push(item.decided(None, item.cause));
            self.withdraw(slot, outbox);
            return;
        }
        assert!(
            !item.provisional,
            "an item was ordered that is not in the book"
        );
        let track = TrackId(item.track);
        let kind = self.hub.tracks()[track.index()].kind;
        let tolerance = i64::from(self.hub.tracks()[track.index()].tolerance.0);
        let place = self.place(slot);
        let last = chutes.iter().flatten().filter_map(|&chute| {
            let outlet = self.hub.outlet(chute, track)?;
            place.pass(outlet)
        });
        let Some(last) = last.max() else {
            panic!("an order names no chute that the item can reach");
        };
        let (on_fail, further) = match kind {
            TrackKind::Loop { .. } => {
                let laps = i64::from(self.plan.spec().laps_max.saturating_sub(item.laps)) + 1;
                (OnFail::Lap, laps * i64::from(kind.length().0))
            }
            TrackKind::Line { .. } => (OnFail::Straight, 0),
        };
        let first = chutes[0].and_then(|chute| self.hub.outlet(chute, track));
        let first = first.and_then(|outlet| place.pass(outlet));
        let it = &mut self.state.items[slot as usize];
        let last_pass = first.map(|pass| pass.plus(-i64::from(kind.length().0)));
        if last_pass < it.idle_since {
            // It had not come to the chute again since it was left without an order.
            it.idle_since = None;
        }
        if !mutant!("order_without_new_revision") {
            it.revision = next_revision(it.revision);
        }
        it.ordered = Some(Standing { chutes });
        it.obey_by = last.plus(further + tolerance);
        let order = Order {
            parcel: it.parcel,
            item: it.item,
            cell: it.cell,
            revision: it.revision,
            chutes,
            on_fail,
            obey_by: it.obey_by,
            why,
            plan_version: self.plan.version(),
        };
        outbox.push(item.decided(chutes[0], why));
        outbox.push(Output::Divert(order));
        self.state.books.orders += 1;
    }

    /// Takes back the order that stands, if one does.
    pub(super) fn withdraw(&mut self, slot: Slot, outbox: &mut Outbox) {
        let it = &mut self.state.items[slot as usize];
        if it.ordered.take().is_none() || mutant!("withdrawal_unsaid") {
            return;
        }
        it.revision = next_revision(it.revision);
        let (parcel, item, cell, revision) = (it.parcel, it.item, it.cell, it.revision);
        outbox.push(Output::Withdraw {
            parcel,
            item,
            cell,
            revision,
        });
        self.release_room(slot);
    }

    /// An order that the PLC would not take: another way must be found, but not the same one at
    /// once again, or a PLC that refuses everything would be asked for ever.
    pub(super) fn order_refused(&mut self, slot: Slot, outbox: &mut Outbox) {
        let it = &mut self.state.items[slot as usize];
        it.refused = it.ordered;
        self.order_void(slot, outbox);
    }

    /// An order that the PLC no longer holds: another way must be found.
    pub(super) fn order_void(&mut self, slot: Slot, outbox: &mut Outbox) {
        self.release_room(slot);
        self.state.items[slot as usize].ordered = None;
        self.route(slot, outbox);
    }

    /// No chute of an item's order has taken it.
    pub(super) fn order_failed(&mut self, slot: Slot, outbox: &mut Outbox) {
        let item = &self.state.items[slot as usize];
        let track = TrackId(item.track);
        if !self.hub.tracks()[track.index()].kind.is_loop() {
            // The order is over; a chute further on, the return, or the end has it now.
            self.order_void(slot, outbox);
            return;
        }
        if let Intent::Force(_) = item.intent {
            self.forced_failed(slot, outbox);
            return;
        }
        if item.intent != Intent::Sort {
            // A reject chute that refuses is tried again each lap: there is nowhere else to go.
            self.state.books.recirculated += 1;
            return;
        }
        let laps_max = self.laps_max(track) + u8::from(mutant!("a_lap_too_many"));
        if item.laps >= laps_max {
            self.release_room(slot);
            self.last_resort(slot, outbox);
            return;
        }
        self.count_lap(slot);
        // The plan's next answer; often the same, and then the standing order serves.
        self.route(slot, outbox);
    }

    /// A lap is over that was begun for want of a chute.
    fn count_lap(&mut self, slot: Slot) {
        let item = &mut self.state.items[slot as usize];
        item.idle_since = None;
        item.laps = item
            .laps
            .saturating_add(u8::from(!mutant!("laps_uncounted")));
        self.state.books.recirculated += 1;
    }

    /// An item has come round a loop.
    pub(super) fn after_lap(&mut self, slot: Slot, outbox: &mut Outbox) {
        let track = TrackId(self.state.items[slot as usize].track);
        if !self.sends(track) {
            // Nobody is asked to take it, and that is not its fault.
            return;
        }
        let laps_max = self.laps_max(track);
        let item = &mut self.state.items[slot as usize];
        item.refused = None;
        if item.ordered.is_some() && item.plan != self.state.plans.active {
            // It was past the commit point of its chute when the plan changed, and did not leave.
            self.decide_again(slot, outbox);
            return;
        }
        if item.ordered.is_none() {
            let is_unseen = item.intent == Intent::Undecided && item.cause != Reason::NoRead;
            if is_unseen && item.rounds <= 1 {
                // It got on behind the last scanner: no scanner has had its chance yet.
                return;
            }
            // Nobody took it because nobody was asked to: that was a lap too.
            self.count_lap(slot);
            let item = &mut self.state.items[slot as usize];
            if item.intent == Intent::Undecided && item.laps > laps_max {
                item.intent = Intent::Reject(match item.cause {
                    Reason::Planned => Reason::NoRead,
                    cause => cause,
                });
                self.enter_in_book(slot, outbox);
            }
            self.route(slot, outbox);
            return;
        }
        if item.idle_since.is_some() {
            // It has an order again, but has passed its chutes while it had none.
            self.count_lap(slot);
        }
        let item = &mut self.state.items[slot as usize];
        if item.rounds > laps_max.saturating_add(2) {
            // It should have left long ago and nothing was heard of its order: take it back and
            // say it again, and a parcel that no chute ever answers for is rejected.
            item.rounds = laps_max;
            if item.intent == Intent::Sort {
                item.intent = Intent::Reject(Reason::MostLaps);
            }
            self.withdraw(slot, outbox);
            self.route(slot, outbox);
        }
    }
}

/// Whether what keeps a parcel from its destination's chutes is not going to change while it goes
/// round.
const fn is_lasting(cause: Reason) -> bool {
    matches!(
        cause,
        Reason::NoRule | Reason::ChuteLimits | Reason::WaveOver
    )
}

/// Whether a revision comes after another one: they wrap, so that the nearer way round counts.
pub(super) fn is_newer(revision: u16, than: u16) -> bool {
    (1..0x8000).contains(&revision.wrapping_sub(than))
}

/// The revision after this one; 0 means "no order" and is left out.
fn next_revision(revision: u16) -> u16 {
    match revision.wrapping_add(1) {
        0 => 1,
        next => next,
    }
}
