//! What people do with single parcels: force, damage, removal; and what is told of an order that
//! was replaced too late.

use super::Sorter;
use super::cases::Replaced;
use super::state::{Slot, Whereabouts};
use crate::facts::Verdict;
use crate::ids::{ChuteId, ParcelId, TrackId};
use crate::limits::ORDER_CHUTES_MAX;
use crate::operator::{ParcelWish, Refused};
use crate::outbox::Outbox;
use crate::reason::{Disposition, Reason};
use crate::running::Parts;
use crate::signal::{Alarm, Basis, Output};

impl Sorter {
    /// Somebody wants something of a parcel.
    pub(super) fn parcel(
        &mut self,
        parcel: ParcelId,
        wish: &ParcelWish,
        outbox: &mut Outbox,
    ) -> Result<(), Refused> {
        let slot = self.slot_of(parcel).ok_or(Refused::NoSuchParcel)?;
        match *wish {
            ParcelWish::Take { seat } => self.seat_takes(slot, seat),
            ParcelWish::GiveBack { seat } => self.seat_gives_back(slot, seat),
            ParcelWish::Key { seat, ref facts } => self.seat_keys(slot, seat, facts, outbox),
            ParcelWish::Damaged => {
                let case = &mut self.state.cases[slot as usize];
                case.is_damaged = true;
                // Of two words on one parcel the later stands.
                case.forced = None;
                self.redecide(slot, outbox);
                Ok(())
            }
            ParcelWish::Force { chute } => self.force(slot, chute, outbox),
            ParcelWish::Removed => {
                if self.state.items[slot as usize].whereabouts == Whereabouts::Riding {
                    self.withdraw(slot, outbox);
                }
                self.end(slot, Disposition::Removed, Reason::Forced, outbox);
                Ok(())
            }
            ParcelWish::Host(says) => self.host_says(slot, says, outbox),
        }
    }

    /// A person sends a parcel to a chute, whatever the plan says.
    fn force(&mut self, slot: Slot, chute: ChuteId, outbox: &mut Outbox) -> Result<(), Refused> {
        if chute.index() >= self.hub.chutes().len() {
            return Err(Refused::NoSuchDevice);
        }
        let item = &self.state.items[slot as usize];
        let told = self.state.instructions.of(item.code);
        let seen = self.state.facts[slot as usize].verdict;
        let is_suspect = seen == Verdict::Suspect || told.is_suspect;
        if is_suspect && !mutant!("suspect_is_forced") {
            return Err(Refused::Suspect);
        }
        let rides = item.whereabouts == Whereabouts::Riding;
        if !rides || self.reach(slot, chute).is_none() {
            return Err(Refused::OutOfReach);
        }
        let track = TrackId(item.track);
        if !self.may_be_forced(track) {
            let is_stuck = self.is_lost(track, Parts::ENCODER);
            return Err(if is_stuck {
                Refused::EncoderStuck
            } else {
                Refused::InMaintenance
            });
        }
        let is = self.state.chutes[chute.index()].is;
        if is.closed_because().is_some() {
            return Err(Refused::ChuteClosed { is });
        }
        self.state.cases[slot as usize].forced = Some(chute);
        self.redecide(slot, outbox);
        Ok(())
    }

    /// The way of an item that a person has forced; past its chute the plan has it again.
    pub(super) fn route_forced(&mut self, slot: Slot, chute: ChuteId, outbox: &mut Outbox) {
        if self.reach(slot, chute).is_none() {
            self.force_is_over(slot, outbox);
            return;
        }
        self.release_room(slot);
        let mut chutes = [None; ORDER_CHUTES_MAX];
        chutes[0] = Some(chute);
        self.order(slot, chutes, Reason::Forced, outbox);
    }

    /// The chute that an item was forced to has refused it on a loop: it tries again each lap,
    /// for as many as the plan allows.
    pub(super) fn forced_failed(&mut self, slot: Slot, outbox: &mut Outbox) {
        let laps_max = self.laps_max(TrackId(self.state.items[slot as usize].track));
        let item = &mut self.state.items[slot as usize];
        if item.laps >= laps_max {
            self.force_is_over(slot, outbox);
            return;
        }
        item.laps += 1;
        self.state.books.recirculated += 1;
    }

    fn force_is_over(&mut self, slot: Slot, outbox: &mut Outbox) {
        self.state.cases[slot as usize].forced = None;
        self.redecide(slot, outbox);
    }

    /// What leaving by this chute means for an item whose order for it was replaced, but may have
    /// been obeyed: neither a missort nor what is wanted now.
    pub(super) fn judge_replaced(
        &self,
        slot: Slot,
        chute: ChuteId,
    ) -> Option<(Disposition, Reason)> {
        let Replaced { chutes, until } = self.state.cases[slot as usize].replaced?;
        let item = &self.state.items[slot as usize];
        let tolerance = self.hub.tracks()[usize::from(item.track)].tolerance;
        let in_time = item.evidence <= until.plus(i64::from(tolerance.0));
        let mut chutes = chutes.iter().flatten();
        let &(_, rejects) = chutes.find(|(of, _)| *of == chute)?;
        if !in_time || mutant!("slipped_is_missort") {
            return None;
        }
        let how = if rejects {
            Disposition::Rejected
        } else {
            Disposition::Sorted
        };
        Some((how, Reason::Late))
    }

    /// A person must know when what should have been stopped was not.
    pub(super) fn tell_slipped(&self, slot: Slot, went: ChuteId, outbox: &mut Outbox) {
        let item = &self.state.items[slot as usize];
        if matches!(item.basis, Basis::Hold | Basis::Intercept) {
            outbox.push(Output::Alarm(Alarm::Slipped {
                parcel: item.parcel,
                went,
                why: item.why(),
            }));
        }
    }
}
