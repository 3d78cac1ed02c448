//! A chute: what lies in it, and its one worker, first in first out.
//!
//! When a parcel drops in, its departure is known: the worker takes it out once those before it
//! are out. So what lies in a chute at any time follows from a row of departure times, and a chute
//! needs no events of its own unless somebody is told of them.

use std::collections::VecDeque;

use sorthub_core::hub::Capacity;
use sorthub_core::signal::{ChuteState, Refusal};
use sorthub_core::units::{Micros, Mm};

/// How long the full eye must be covered before it is told: parcels slide past it.
pub const EYE_HOLD: Micros = Micros::from_millis(2_500);

/// A chute of the plant.
#[derive(Clone, Debug)]
pub struct Chute {
    /// Jammed, locked, in service: what a person or a fault did to it.
    pub(super) switches: ChuteState,
    /// The tracks whose PLCs hold it locked for their engine, a bit each.
    pub(super) locked_by: u64,
    /// Units that it holds: parcels, or millimetres end to end.
    room: u64,
    by_length: bool,
    /// The least that a parcel can take up; with less room than this it is full.
    least: u64,
    used: u64,
    /// Departure and size of each parcel in it.
    inside: VecDeque<(Micros, u64)>,
    last_departure: Micros,
    /// Full up to `full_until`; `full_us` counts it all, also what is still to come.
    full_until: Micros,
    full_us: u64,
    dropped: u64,
    taken: u64,
    /// What the eye was last told to see.
    eye_told: bool,
}

impl Chute {
    /// An empty chute in service. `shortest` is the length of the shortest parcel there is.
    #[must_use]
    pub(super) fn new(capacity: Capacity, shortest: Mm) -> Self {
        let (room, by_length) = match capacity {
            Capacity::Unlimited => (u64::MAX, false),
            Capacity::Parcels(parcels) => (u64::from(parcels), false),
            Capacity::Length(length) => (u64::from(length.0), true),
        };
        let first_room = if by_length { 16 } else { room.min(64) as usize };
        Self {
            switches: ChuteState::OPEN,
            locked_by: 0,
            room,
            by_length,
            least: if by_length {
                u64::from(shortest.0.max(1))
            } else {
                1
            },
            used: 0,
            inside: VecDeque::with_capacity(first_room),
            last_departure: Micros(0),
            full_until: Micros(0),
            full_us: 0,
            dropped: 0,
            taken: 0,
            eye_told: false,
        }
    }

    /// Whether it can be full at all.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.room != u64::MAX
    }

    /// Why a parcel of this length would not be taken; `None` if it would.
    pub(super) fn refuses(&mut self, now: Micros, length: Mm) -> Option<Refusal> {
        if let Some(cause) = self.switches.closed_because() {
            return Some(cause);
        }
        self.settle(now);
        (self.used.saturating_add(self.size(length)) > self.room).then_some(Refusal::Full)
    }

    /// A parcel drops in and will be taken out `service` after the worker has begun with it.
    pub(super) fn drop_in(&mut self, now: Micros, length: Mm, service: Micros) {
        self.dropped += 1;
        self.settle(now);
        let begun = self.last_departure.max(now);
        let departure = begun.after(service);
        self.last_departure = departure;
        if departure <= now {
            self.taken += 1;
            return;
        }
        let size = self.size(length);
        self.used += size;
        self.inside.push_back((departure, size));
        if self.is_limited() && self.room - self.used.min(self.room) < self.least {
            self.full_from(now);
        }
    }

    /// A parcel drops onto the conveyor behind it and stays until it is let go.
    pub(super) fn hold(&mut self, length: Mm) {
        self.dropped += 1;
        self.used += self.size(length);
    }

    /// A parcel has left the conveyor behind it.
    pub(super) fn let_go(&mut self, length: Mm) {
        self.taken += 1;
        self.used -= self.size(length);
    }

    /// Parcels in it.
    pub fn holds(&mut self, now: Micros) -> u32 {
        self.settle(now);
        self.inside.len() as u32
    }

    /// Parcels that have dropped in so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Parcels that have been taken out so far.
    pub fn taken(&mut self, now: Micros) -> u64 {
        self.settle(now);
        self.taken
    }

    /// When the next parcel will be taken out.
    pub fn next_departure(&mut self, now: Micros) -> Option<Micros> {
        self.settle(now);
        self.inside.front().map(|&(departure, _)| departure)
    }

    /// For how long it has been full, in µs.
    #[must_use]
    pub fn full_us(&self, now: Micros) -> u64 {
        self.full_us - self.full_until.since(now).0
    }

    /// Whether it is full now, and until when if nothing more drops in.
    pub(super) fn full_until(&self, now: Micros) -> Option<Micros> {
        (self.full_until > now).then_some(self.full_until)
    }

    /// Tells the eye to see what is there; whether that is news.
    pub(super) fn tell_eye(&mut self, full: bool) -> bool {
        core::mem::replace(&mut self.eye_told, full) != full
    }

    /// What it says of itself: its switches, and its full eye if it has one.
    #[must_use]
    pub(super) fn state(&self) -> ChuteState {
        ChuteState {
            full: self.eye_told,
            ..self.switches
        }
    }

    fn size(&self, length: Mm) -> u64 {
        if self.by_length {
            u64::from(length.0)
        } else {
            1
        }
    }

    #[inline]
    fn settle(&mut self, now: Micros) {
        while let Some(&(departure, size)) = self.inside.front() {
            if departure > now {
                break;
            }
            self.inside.pop_front();
            self.used -= size;
            self.taken += 1;
        }
    }

    /// It is full from now until enough has been taken out for the shortest parcel.
    fn full_from(&mut self, now: Micros) {
        let mut used = self.used;
        for &(departure, size) in &self.inside {
            used -= size;
            if used + self.least <= self.room {
                // It may have been full already, when it holds more than fits (an end of line).
                let from = self.full_until.max(now);
                self.full_us += departure.since(from).0;
                self.full_until = self.full_until.max(departure);
                return;
            }
        }
    }
}
