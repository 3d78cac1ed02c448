//! Parcels that could not be read, and the people who key their codes in while they go round.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::state::{Item, Slot, Whereabouts};
use crate::facts::{Facts, Reading};
use crate::hub::{Outlet, TrackKind};
use crate::ids::{CellId, CodeId, ParcelId, PlcItem, ScannerId, SeatId, TrackId};
use crate::limits::SEATS_MAX;
use crate::operator::Refused;
use crate::outbox::Outbox;
use crate::reason::Reason;
use crate::signal::{Output, Reader};
use crate::units::BeltMm;

/// A seat and the item that it keys in.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Seat {
    pub seat: SeatId,
    pub slot: Slot,
}

/// A parcel that could not be read and can still be keyed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Which.
    pub parcel: ParcelId,
    /// Its carrier or window.
    pub cell: CellId,
    /// The PLC's number for it.
    pub item: PlcItem,
    /// The scanner that has its newest picture, and the picture's trigger number there.
    pub picture: Option<(ScannerId, u16)>,
    /// Why it is not known.
    pub why: Reason,
    /// The seat that keys it in.
    pub seat: Option<SeatId>,
    /// Belt travel until it leaves for good, in mm, as far as is known by now. What is keyed in
    /// later on a loop serves if its exit chute does not take it.
    pub left_mm: i64,
}

impl Sorter {
    /// Parcels that can be keyed in, the most urgent first, in place of what `queue` holds.
    ///
    /// Its time goes with how many there are, not with how many parcels ride.
    pub fn unread(&self, queue: &mut Vec<Unread>) {
        queue.clear();
        let slots = self.state.unread.iter();
        queue.extend(slots.filter_map(|&slot| self.unread_one(slot)));
        queue.sort_unstable_by_key(|one| (one.left_mm, one.parcel));
    }

    fn unread_one(&self, slot: Slot) -> Option<Unread> {
        let item = &self.state.items[slot as usize];
        let left_mm = self.left_mm(slot, item)?;
        let case = &self.state.cases[slot as usize];
        Some(Unread {
            parcel: item.parcel,
            cell: item.cell,
            item: item.item,
            picture: case.seen_by,
            why: match item.why() {
                Reason::Planned => Reason::NoRead,
                why => why,
            },
            seat: case.seat,
            left_mm,
        })
    }

    /// Belt travel to an item's last chance to be sent elsewhere: the commit point of its exit if
    /// it has an order, else of the farthest exit that is left to it, on a loop after its last lap.
    /// `None` for one in doubt.
    fn left_mm(&self, slot: Slot, item: &Item) -> Option<i64> {
        let track = TrackId(item.track);
        let kind = self.hub.tracks()[track.index()].kind;
        let lap = i64::from(kind.length().0);
        let returns = match kind {
            TrackKind::Line { returns, .. } => returns.map_or(0, |mm| i64::from(mm.0)),
            TrackKind::Loop { .. } => 0,
        };
        if item.whereabouts != Whereabouts::Riding {
            // Once it has come round, the whole line lies before it.
            return (item.whereabouts == Whereabouts::Returning).then_some(lap);
        }
        let now = self.state.tracks[track.index()].by(self.state.now);
        let commit = |Outlet { lead, .. }: Outlet, chute| {
            let pass = self.reach(slot, chute)?;
            Some(pass.plus(-i64::from(lead.0)).minus(now))
        };
        if let Some(order) = item.ordered {
            let chutes = order.chutes.iter().flatten();
            let first = chutes
                .filter_map(|&chute| commit(self.hub.outlet(chute, track)?, chute))
                .min();
            // Past the commit point it is decided, unless the chute refuses it.
            return Some(first.unwrap_or(0));
        }
        let exits = self.hub.outlets(track).iter();
        let last = exits
            .filter_map(|&(outlet, chute)| commit(outlet, chute))
            .max();
        let laps = if self.comes_round(track) {
            i64::from(self.laps_max(track).saturating_sub(item.laps))
        } else {
            0
        };
        Some(last.unwrap_or(0) + laps * (lap + returns))
    }

    /// A seat takes a parcel to key it in.
    pub(super) fn seat_takes(&mut self, slot: Slot, seat: SeatId) -> Result<(), Refused> {
        let case = &self.state.cases[slot as usize];
        if case.seat == Some(seat) {
            return Ok(());
        }
        if case.seat.is_some() {
            return Err(Refused::NotYours);
        }
        if case.unread == super::state::NO_ITEM {
            return Err(Refused::NotUnread);
        }
        if self.state.seats.iter().any(|s| s.seat == seat) {
            return Err(Refused::SeatBusy);
        }
        if self.state.seats.len() == SEATS_MAX {
            return Err(Refused::TooMany);
        }
        self.state.seats.push(Seat { seat, slot });
        self.state.cases[slot as usize].seat = Some(seat);
        Ok(())
    }

    /// A seat gives its parcel back.
    pub(super) fn seat_gives_back(&mut self, slot: Slot, seat: SeatId) -> Result<(), Refused> {
        self.must_hold(slot, seat)?;
        self.free_seat(slot);
        Ok(())
    }

    fn must_hold(&self, slot: Slot, seat: SeatId) -> Result<(), Refused> {
        let holds = self.state.cases[slot as usize].seat == Some(seat);
        if holds {
            Ok(())
        } else {
            Err(Refused::NotYours)
        }
    }

    /// A seat has keyed a code in: it counts as a reading.
    pub(super) fn seat_keys(
        &mut self,
        slot: Slot,
        seat: SeatId,
        facts: &Facts,
        outbox: &mut Outbox,
    ) -> Result<(), Refused> {
        self.must_hold(slot, seat)?;
        if facts.read != Reading::Good || facts.code == CodeId::NONE {
            return Err(Refused::NoCode);
        }
        self.state.cases[slot as usize].is_keyed = true;
        self.state.books.keyed += 1;
        let facts = self.state.facts[slot as usize].joined(facts);
        self.state.facts[slot as usize] = facts;
        self.learn_code(slot, Reader::Seat(seat), outbox);
        self.redecide(slot, outbox);
        Ok(())
    }

    /// The code of an item is known from now on: whoever was keying it in need not.
    ///
    /// It is not if the item has just turned out to be one in doubt that is distrusted.
    pub(super) fn learn_code(&mut self, slot: Slot, by: Reader, outbox: &mut Outbox) {
        let Facts { read, code, .. } = self.state.facts[slot as usize];
        if read != Reading::Good || code == CodeId::NONE {
            return;
        }
        self.mark(slot, code);
        self.free_seat(slot);
        let parcel = self.state.items[slot as usize].parcel;
        outbox.push(Output::Read { parcel, by, code });
    }

    /// Nobody keys an item in any more.
    pub(super) fn free_seat(&mut self, slot: Slot) {
        let Some(seat) = self.state.cases[slot as usize].seat.take() else {
            return;
        };
        self.state.seats.retain(|other| other.seat != seat);
    }

    /// Where the belt is when an item passes a chute next, whether or not that is too late for an
    /// order; `None` if it is behind it on a line, or on another track.
    pub(super) fn next_pass(&self, slot: Slot, chute: crate::ids::ChuteId) -> Option<BeltMm> {
        let item = &self.state.items[slot as usize];
        let track = TrackId(item.track);
        let outlet = self.hub.outlet(chute, track)?;
        let kind = self.hub.tracks()[track.index()].kind;
        let pass = item.origin.plus(i64::from(outlet.at.0));
        let behind = self.state.tracks[track.index()]
            .by(self.state.now)
            .minus(pass);
        if behind <= 0 {
            return Some(pass);
        }
        let lap = i64::from(kind.length().0);
        kind.is_loop()
            .then(|| pass.plus((behind + lap - 1) / lap * lap))
    }
}
