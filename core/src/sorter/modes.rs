//! Modes of tracks, and the steps between them: start, drain, purge.
//!
//! A change of mode concerns every parcel on a track. They are looked at a share in each call:
//! what each needs follows from the mode as it is then, so that two changes in a row are one look.

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::state::{Intent, Item, NO_ITEM, Slot};
use crate::ids::{CellId, TrackId};
use crate::limits::REVIEW_CELLS_PER_CALL;
use crate::operator::{Mode, Refused, TrackWish};
use crate::outbox::Outbox;
use crate::reason::Reason;
use crate::running::{Parts, Step};
use crate::signal::Output;
use crate::units::Micros;

/// A look at each cell of a track, going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Review {
    /// The cell that comes next, and one past the last.
    next: u32,
    end: u32,
    /// Carriers that are not used must be named to the PLC: it may have forgotten them.
    says_carriers: bool,
}

impl Sorter {
    /// A person wants something of a track.
    pub(super) fn track_wish(&mut self, track: TrackId, to: TrackWish) -> Result<(), Refused> {
        let is_own = self.is_own(track);
        let running = self.state.running.get_mut(track.index());
        let state = &mut running.ok_or(Refused::NoSuchDevice)?.state;
        if let TrackWish::Close | TrackWish::Open = to {
            state.closed = to == TrackWish::Close;
            self.plan_around(track);
            return Ok(());
        }
        if !is_own {
            return Err(Refused::NoSuchDevice);
        }
        let is_worked_on = state.mode == Mode::Maintenance;
        match to {
            TrackWish::Mode(mode) => {
                state.mode = mode;
                if matches!(mode, Mode::Maintenance | Mode::Emptying) {
                    // What follows lets nobody in before a person starts it again.
                    state.step = Step::Stopped;
                }
            }
            TrackWish::Start => {
                match state.mode {
                    Mode::Maintenance => return Err(Refused::InMaintenance),
                    Mode::Emptying => return Err(Refused::BeingEmptied),
                    Mode::Automatic | Mode::Manual => {}
                }
                state.step = Step::Started;
                self.trust_scanners(track);
            }
            TrackWish::Drain | TrackWish::Purge if is_worked_on => {
                return Err(Refused::InMaintenance);
            }
            TrackWish::Purge if state.mode == Mode::Manual => return Err(Refused::InManual),
            TrackWish::Drain => state.step = Step::Draining,
            TrackWish::Purge => state.step = Step::Purging,
            // Done above.
            TrackWish::Close | TrackWish::Open => {}
        }
        self.unsettle(track);
        self.review(track, false);
        Ok(())
    }

    /// A track of the hub has gone out of service or come back: parcels on the way to it find
    /// another way, or have one again.
    fn plan_around(&mut self, track: TrackId) {
        self.unsettle(track);
        for index in 0..self.hub.tracks().len() {
            let other = TrackId(index as u16);
            if other != track && self.is_own(other) {
                self.review(other, false);
            }
        }
    }

    /// Whether a track is one of this sorter's.
    pub(super) fn is_own(&self, track: TrackId) -> bool {
        track.index() < self.hub.tracks().len() && self.hub.sorter_of(track) == self.state.sorter
    }

    /// Every cell of a track is to be looked at, from the first one on.
    pub(super) fn review(&mut self, track: TrackId, says_carriers: bool) {
        let range = self.hub.cells_of(track);
        let running = &mut self.state.running[track.index()];
        let before = running.review.is_some_and(|review| review.says_carriers);
        running.review = Some(Review {
            next: range.start,
            end: range.end,
            says_carriers: says_carriers || before,
        });
        self.state.reviewing |= 1 << track.0;
    }

    /// Goes on with the looks that are under way, up to this instant's share of decisions.
    pub(super) fn go_on_reviewing(&mut self, outbox: &mut Outbox) {
        let mut cells = REVIEW_CELLS_PER_CALL;
        while self.state.reviewing != 0 {
            let track = TrackId(self.state.reviewing.trailing_zeros() as u16);
            while let Some(review) = self.state.running[track.index()].review {
                if !self.may_decide() {
                    return;
                }
                if cells == 0 {
                    self.state.hold_until = self.state.now.after(Micros(1));
                    return;
                }
                cells -= 1;
                let cell = CellId(review.next);
                let next = Review {
                    next: review.next + 1,
                    ..review
                };
                self.state.running[track.index()].review = (next.next < next.end).then_some(next);
                if self.review_cell(track, cell, review.says_carriers, outbox) {
                    self.count_decision();
                }
            }
            self.state.reviewing &= self.state.reviewing - 1;
        }
    }

    /// Looks at one cell; whether anything was said about it.
    fn review_cell(
        &mut self,
        track: TrackId,
        cell: CellId,
        says_carriers: bool,
        outbox: &mut Outbox,
    ) -> bool {
        let said = outbox.outputs().len();
        if says_carriers && self.state.carriers[cell.index()].off.is_some() {
            outbox.push(Output::CarrierEnable {
                cell,
                enabled: false,
            });
        }
        let slot = self.state.cells[cell.index()];
        if slot != NO_ITEM {
            if self.state.running[track.index()].state.step == Step::Purging {
                self.route(slot, outbox);
            } else if self.sends_item(&self.state.items[slot as usize]) {
                self.route_if_stranded(slot, outbox);
            } else if !self.is_lost(track, Parts::ENCODER) {
                self.withdraw(slot, outbox);
            }
        }
        outbox.outputs().len() > said
    }

    /// Gives an item a way if it has none, or one that leads to where nothing is sent any more.
    fn route_if_stranded(&mut self, slot: Slot, outbox: &mut Outbox) {
        let ordered = self.state.items[slot as usize].ordered;
        let first = ordered.and_then(|order| order.chutes[0]);
        if first.is_none_or(|chute| self.leads_out_of_service(chute)) {
            self.route(slot, outbox);
        }
    }

    /// Whether parcels on a track are sent anywhere at present.
    pub(super) fn sends(&self, track: TrackId) -> bool {
        let state = &self.state.running[track.index()].state;
        matches!(state.mode, Mode::Automatic | Mode::Emptying) && !state.lost.has(Parts::ENCODER)
    }

    /// Whether this parcel is. In manual mode a person sends each where it should go.
    pub(super) fn sends_item(&self, item: &Item) -> bool {
        let track = TrackId(item.track);
        let forced = matches!(item.intent, Intent::Force(_));
        self.sends(track) || (forced && self.may_be_forced(track))
    }

    /// Whether a person may send parcels on a track one by one.
    pub(super) fn may_be_forced(&self, track: TrackId) -> bool {
        let state = &self.state.running[track.index()].state;
        state.mode != Mode::Maintenance && !state.lost.has(Parts::ENCODER)
    }

    pub(super) fn is_lost(&self, track: TrackId, part: Parts) -> bool {
        self.state.running[track.index()].state.lost.has(part)
    }

    /// Laps that a parcel on a track may add: none while the track is being emptied.
    pub(super) fn laps_max(&self, track: TrackId) -> u8 {
        match self.state.running[track.index()].state.mode {
            Mode::Emptying => 0,
            _ => self.plan.spec().laps_max,
        }
    }

    /// While its track is being purged a parcel is rejected, whatever it is for.
    pub(super) fn purge(&mut self, slot: Slot, outbox: &mut Outbox) {
        let item = &mut self.state.items[slot as usize];
        let step = self.state.running[usize::from(item.track)].state.step;
        if step == Step::Purging && !matches!(item.intent, Intent::Reject(_)) {
            item.intent = Intent::Reject(Reason::Purged);
            self.enter_in_book(slot, outbox);
        }
    }
}
