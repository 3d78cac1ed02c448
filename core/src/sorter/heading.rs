//! Which parcels are on their way to which chute, and what is held there for them.

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::bags::bulk;
use super::state::{Item, Slot};
use crate::hub::{Capacity, ChuteSpec, Outlet, Sensing, TrackKind};
use crate::ids::{ChuteId, TrackId};
use crate::units::{BeltMm, Mm};

/// Where an item is heading, and what is held for it there.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Aim {
    pub chute: ChuteId,
    /// In the unit of the chute's capacity.
    pub room: u32,
    /// Mass and volume, where the chute's container has a limit.
    pub weight: u32,
    pub volume: u32,
    /// The share that it was charged to, if it was chosen by shares.
    pub share: Option<Share>,
    /// It is to be sent elsewhere as soon as its turn comes.
    pub is_leaving: bool,
}

/// A counter of shares, under the plan that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Share {
    pub counter: u32,
    pub epoch: u32,
}

/// Where an item is on its track, for asking which outlets are still ahead of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub track: TrackId,
    origin: BeltMm,
    now: BeltMm,
    /// Once round; 0 on a line, where what is past is past.
    lap_mm: i64,
}

impl Place {
    /// Where it will pass an outlet next, as a belt position; `None` if it is past it for good. On
    /// a line it must still be before the commit point.
    #[inline(always)]
    pub fn pass(&self, outlet: Outlet) -> Option<BeltMm> {
        let pass = self.origin.plus(i64::from(outlet.at.0));
        let behind = self.now.minus(pass) + i64::from(outlet.lead.0);
        if behind <= 0 {
            return Some(pass);
        }
        if self.lap_mm == 0 {
            return mutant!("past_commit_is_in_time").then_some(pass);
        }
        if behind <= self.lap_mm {
            return Some(pass.plus(self.lap_mm));
        }
        let laps = (behind + self.lap_mm - 1) / self.lap_mm;
        Some(pass.plus(laps * self.lap_mm))
    }

    /// How far it is from the point where its way through an outlet is settled.
    pub fn to_commit_mm(self, outlet: Outlet) -> Option<i64> {
        let pass = self.pass(outlet)?;
        Some(pass.minus(self.now) - i64::from(outlet.lead.0))
    }

    /// Whether it is past the point where its way through an outlet is settled, and may not have
    /// been heard of there yet.
    pub fn is_committed(&self, outlet: Outlet, tolerance: Mm) -> bool {
        let commit = self
            .origin
            .plus(i64::from(outlet.at.0) - i64::from(outlet.lead.0));
        let mut behind = self.now.minus(commit);
        if behind <= 0 {
            return false;
        }
        if self.lap_mm > 0 {
            behind %= self.lap_mm;
        }
        self.lap_mm == 0 || behind <= i64::from(outlet.lead.0) + i64::from(tolerance.0)
    }
}

impl Sorter {
    /// Where an item is.
    pub(super) fn place(&self, slot: Slot) -> Place {
        let item = &self.state.items[slot as usize];
        let track = &self.hub.tracks()[usize::from(item.track)];
        Place {
            track: TrackId(item.track),
            origin: item.origin,
            now: self.state.tracks[usize::from(item.track)].by(self.state.now),
            lap_mm: match track.kind {
                TrackKind::Loop { .. } => i64::from(track.kind.length().0),
                TrackKind::Line { .. } => 0,
            },
        }
    }

    /// Where an item will pass a chute next: see [`Place::pass`]. `None` also if its track does not
    /// pass the chute.
    pub(super) fn reach(&self, slot: Slot, chute: ChuteId) -> Option<BeltMm> {
        let place = self.place(slot);
        place.pass(self.hub.outlet(chute, place.track)?)
    }

    /// Whether it is too late to send an item elsewhere than to the chute that it is heading for.
    pub(super) fn is_committed(&self, slot: Slot) -> bool {
        let place = self.place(slot);
        let aim = self.state.items[slot as usize].aim;
        let outlet = aim.and_then(|aim| self.hub.outlet(aim.chute, place.track));
        let tolerance = self.hub.tracks()[place.track.index()].tolerance;
        outlet.is_some_and(|outlet| place.is_committed(outlet, tolerance))
    }

    /// Whether a chute has room for an item besides what is in it and on its way, as far as that
    /// is known.
    #[inline(always)]
    pub(super) fn has_room(&self, slot: Slot, id: ChuteId) -> bool {
        let spec = &self.hub.chutes()[id.index()];
        let Some(limit) = limit_of(spec) else {
            return true;
        };
        let room = room_of(spec.capacity, self.state.items[slot as usize].length);
        let chute = &self.state.chutes[id.index()];
        chute.used + chute.held + u64::from(room) <= limit || mutant!("room_for_all")
    }

    /// From now on an item is heading for a chute.
    pub(super) fn aim(&mut self, slot: Slot, id: ChuteId, share: Option<Share>) {
        let item = &mut self.state.items[slot as usize];
        assert!(item.aim.is_none(), "an item was heading for two chutes");
        let room = room_of(self.hub.chutes()[id.index()].capacity, item.length);
        let (mut weight, mut volume) = (0, 0);
        if self.hub.gate(id).has_lot_most {
            (weight, volume) = bulk(&self.state.facts[slot as usize]);
        }
        item.aim = Some(Aim {
            chute: id,
            room,
            weight,
            volume,
            share,
            is_leaving: false,
        });
        self.state.turns += 1;
        let chute = &mut self.state.chutes[id.index()];
        chute.coming += if mutant!("room_held_twice") { 2 } else { 1 };
        chute.held += u64::from(room);
        chute.coming_weight += u64::from(weight);
        chute.coming_volume += u64::from(volume);
        chute.turn = self.state.turns;
        self.state.lists.push(u32::from(id.0), slot);
        if let Some(share) = share {
            self.state.shares.charge(share);
        }
    }

    /// An item is no longer heading for the chute that it was heading for; what it was charged to
    /// is given back.
    pub(super) fn release_room(&mut self, slot: Slot) {
        if let Some(Aim {
            share: Some(share), ..
        }) = self.leave_way(slot)
        {
            self.state.shares.refund(share);
        }
    }

    /// An item that is heading for a chute is to be sent elsewhere, or is not after all.
    pub(super) fn set_leaving(&mut self, slot: Slot, is_leaving: bool) {
        let Some(aim) = &mut self.state.items[slot as usize].aim else {
            return;
        };
        if aim.is_leaving == is_leaving {
            return;
        }
        aim.is_leaving = is_leaving;
        let id = aim.chute;
        let chute = &mut self.state.chutes[id.index()];
        if is_leaving {
            chute.leaving += 1;
        } else {
            chute.leaving -= 1;
        }
        if chute.pending_clear && chute.coming == chute.leaving {
            // The last that it waited for: its new owner's parcels need not wait for these.
            self.state.queue_chute(id);
        }
    }

    /// An item is no longer heading for the chute that it was heading for.
    pub(super) fn leave_way(&mut self, slot: Slot) -> Option<Aim> {
        self.set_leaving(slot, false);
        let aim = self.state.items[slot as usize].aim.take()?;
        self.state.lists.take_out(slot);
        if mutant!("room_stays_held") {
            return Some(aim);
        }
        let chute = &mut self.state.chutes[aim.chute.index()];
        assert!(chute.coming > 0, "room was let go of that nobody held");
        chute.coming -= 1;
        chute.held -= u64::from(aim.room);
        chute.coming_weight -= u64::from(aim.weight);
        chute.coming_volume -= u64::from(aim.volume);
        if chute.coming == 0 && (chute.pending_clear || chute.bag.is_locked()) {
            // The last that it waited for.
            self.state.queue_chute(aim.chute);
        }
        Some(aim)
    }

    /// A chute of an item's order has refused it, and it goes on to the next.
    pub(super) fn aim_at_next(&mut self, slot: Slot, refused: ChuteId) {
        let item = &self.state.items[slot as usize];
        let Some(standing) = item.ordered else { return };
        let mut after = standing
            .chutes
            .iter()
            .flatten()
            .skip_while(|chute| **chute != refused);
        if let Some(&next) = after.nth(1) {
            self.release_room(slot);
            self.aim(slot, next, None);
        }
    }
}

/// How much a chute holds, in the unit of its capacity, if what is in it can be counted.
pub(super) fn limit_of(spec: &ChuteSpec) -> Option<u64> {
    match (spec.sensing, spec.capacity) {
        // Its eyes say when it is full; what it holds before that is not known.
        (Sensing::Eyes, _) | (_, Capacity::Unlimited) => None,
        (Sensing::Counted, Capacity::Parcels(most)) => Some(u64::from(most)),
        (Sensing::Counted, Capacity::Length(most)) => Some(u64::from(most.0)),
    }
}

/// The room that a parcel takes, in the unit of a capacity.
pub(super) fn room_of(capacity: Capacity, length: Mm) -> u32 {
    match capacity {
        Capacity::Unlimited | Capacity::Parcels(_) => 1,
        Capacity::Length(_) => length.0,
    }
}

impl Item {
    /// The chute that it is heading for.
    pub fn heading_for(&self) -> Option<ChuteId> {
        self.aim.map(|aim| aim.chute)
    }
}
