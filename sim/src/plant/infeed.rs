//! Getting parcels onto a track: which carrier, or which place on a line, is the next to take one.

use std::collections::VecDeque;

use sorthub_core::hub::{Hub, InductionSpec};
use sorthub_core::ids::{InductionId, PlcItem};
use sorthub_core::running::Pace;
use sorthub_core::signal::Signal;
use sorthub_core::units::{Micros, Mm};

use super::Plant;
use super::belt::{NM_PER_MM, encoder};
use super::event::PlantEvent;
use super::feed::{Arrival, Feed};
use super::parcel::Parcels;
use super::track::{Carried, Shape, Track};
use super::transfer::Brought;
use super::truth::Row;
use crate::spec::PlantSpec;

/// An induction of the plant.
#[derive(Clone, Debug)]
pub(super) struct Induction {
    pub track: usize,
    /// Its slot in the track's calendar.
    pub slot: usize,
    pub at_nm: i64,
    /// A line's first induction is where its return ends.
    pub is_infeed: bool,
    pub feed: Feed,
    /// Parcels that come over transfers, in the order in which they are here.
    pub brought: VecDeque<Brought>,
    spacing: Micros,
    /// How fast its PLC lets it feed.
    pub pace: Pace,
    pub limit_per_h: u16,
    /// No induction of a new parcel before this.
    rested_at: Micros,
    /// When its limit allows the next one.
    allowed_at: Micros,
    /// Carriers up to this travel have been tried.
    tried_nm: i64,
    /// Carriers less than this before the induction have passed all that could empty or fill them.
    settled_nm: i64,
}

impl Induction {
    pub fn new(track: &Track, nth: usize, at_nm: i64, feed: Feed, spacing: Micros) -> Self {
        Self {
            track: track.id.index(),
            slot: track.cells.len() + nth,
            at_nm,
            is_infeed: nth == 0,
            feed,
            brought: VecDeque::new(),
            spacing,
            pace: Pace::Run,
            limit_per_h: 0,
            rested_at: Micros(0),
            allowed_at: Micros(0),
            tried_nm: -1,
            settled_nm: 0,
        }
    }

    /// Told where the other devices are that can empty or fill a carrier of its loop.
    pub fn settle_behind(&mut self, devices_nm: impl Iterator<Item = i64>, length_nm: i64) {
        let before = devices_nm.map(|at_nm| (self.at_nm - at_nm).rem_euclid(length_nm));
        self.settled_nm = before.min().unwrap_or(length_nm);
    }

    /// Whether it lets no new parcel on.
    fn is_stopped(&self, track: &Track) -> bool {
        track.is_held || self.pace == Pace::Stop
    }

    /// A parcel gets on: the next one may after the least time between two, which is twice as long
    /// at the slow pace, and when the limit allows it. The limit is a rate, not a least time: with
    /// a carrier only now and then a least time would let fewer on.
    fn rest(&mut self, now: Micros) {
        let own = match self.pace {
            Pace::Slow => Micros(self.spacing.0.saturating_mul(2)),
            Pace::Run | Pace::Stop => self.spacing,
        };
        let hour_us = Micros::from_secs(3_600).0;
        let between = Micros(
            hour_us
                .checked_div(u64::from(self.limit_per_h))
                .unwrap_or(0),
        );
        // One that was late may be made up for, but no more.
        let late = Micros(now.0.saturating_sub(between.0));
        self.allowed_at = self.allowed_at.max(late).after(between);
        self.rested_at = now.after(own).max(self.allowed_at);
    }

    /// When the head of the queue can be put on.
    fn ready(&self) -> Option<Micros> {
        let brought = self.brought.front().map(|first| first.at);
        let head = [brought, self.feed.head_at()].into_iter().flatten().min();
        head.map(|head| head.max(self.rested_at))
    }

    /// Whether the next to get on comes over a transfer: whoever is here first.
    fn is_brought_next(&self) -> bool {
        let head = self.feed.head_at().unwrap_or(Micros::NEVER);
        self.brought.front().is_some_and(|first| first.at <= head)
    }

    /// How long the next to get on is, and when it is here; `None` if nobody ever comes.
    fn next(&self, parcels: &Parcels) -> Option<(Mm, Micros)> {
        if self.is_brought_next() {
            let first = self.brought.front()?;
            return Some((first.parcel.length, first.at));
        }
        let head = self.feed.head()?;
        Some((parcels.traits(head.number).length, head.at))
    }
}

impl Plant {
    /// Puts into the calendar when an induction next tries to put a parcel on.
    pub(super) fn plan_induction(&mut self, index: usize) {
        let induction = &self.inductions[index];
        let track = &mut self.tracks[induction.track];
        track.changed();
        // A stop is for new parcels: what comes round over a line's return is let in all the same.
        let is_idle = induction.is_stopped(track) && track.is_loop();
        if !track.is_alive || is_idle || track.belt.is_standing() {
            track.calendar.clear(induction.slot);
            return;
        }
        let at_nm = match track.shape {
            Shape::Loop { carriers, pitch_nm } => {
                next_carrier(induction, track, carriers, pitch_nm, self.now)
            }
            Shape::Line { .. } => self.next_place(index),
        };
        let slot = self.inductions[index].slot;
        let calendar = &mut self.tracks[self.inductions[index].track].calendar;
        match at_nm {
            Some(at_nm) => calendar.set(slot, at_nm as u64),
            None => calendar.clear(slot),
        }
    }

    /// Plans all inductions of a track anew: its belt has changed, or room has come free that an
    /// induction did not count on.
    pub(super) fn plan_inductions_of(&mut self, track: usize) {
        for nth in 0..self.tracks[track].inductions.len() {
            self.plan_induction(self.tracks[track].inductions[nth]);
        }
    }

    /// The travel has come at which an induction wanted to try.
    pub(super) fn try_induction(&mut self, index: usize, at_nm: i64) {
        let track = &self.tracks[self.inductions[index].track];
        match track.shape {
            Shape::Loop { carriers, pitch_nm } => {
                self.inductions[index].tried_nm = at_nm;
                let carrier = carrier_at(self.inductions[index].at_nm, at_nm, carriers, pitch_nm);
                let is_free = track.cells[carrier].is_free();
                let is_ready = self.inductions[index]
                    .ready()
                    .is_some_and(|at| at <= self.now);
                if is_free && is_ready {
                    self.induct_new(index, carrier, at_nm);
                }
                self.plan_induction(index);
            }
            Shape::Line { .. } => {
                if self.try_line(index, at_nm) {
                    self.plan_inductions_of(self.inductions[index].track);
                } else {
                    // Rounding can call a hair too early; the belt must move before the next try.
                    self.plan_induction(index);
                    let slot = self.inductions[index].slot;
                    let track = &mut self.tracks[self.inductions[index].track];
                    if track.calendar.key(slot) == Some(at_nm as u64) {
                        let soon_nm = track.belt.travel_nm(self.now.after(Micros(1)));
                        track.calendar.set(slot, soon_nm.max(at_nm + 1) as u64);
                    }
                }
            }
        }
    }

    fn try_line(&mut self, index: usize, at_nm: i64) -> bool {
        let induction = &self.inductions[index];
        let track = &self.tracks[induction.track];
        if let Some(&(window, _)) = track
            .returning
            .front()
            .filter(|(_, reaches)| induction.is_infeed && *reaches <= at_nm)
        {
            let length = track.cells[window as usize]
                .parcel
                .map_or(Mm(0), |parcel| parcel.length);
            let is_clear = track.clear_from(induction.at_nm, at_nm, length) == at_nm;
            if is_clear {
                self.induct_returning(index, at_nm);
            }
            // Whoever comes round goes first: nobody else is tried while it waits.
            return is_clear;
        }
        if induction.is_stopped(track) {
            return false;
        }
        let Some((length, _)) = induction.next(&self.parcels) else {
            return false;
        };
        let is_ready = induction.ready().is_some_and(|at| at <= self.now);
        let is_clear = track.clear_from(induction.at_nm, at_nm, length) == at_nm;
        if !(is_ready && is_clear) {
            return false;
        }
        let Some(window) = self.tracks[induction.track].free.pop_front() else {
            return false;
        };
        self.tracks[self.inductions[index].track]
            .on_belt
            .push(window);
        self.induct_new(index, window as usize, at_nm);
        true
    }

    /// The travel at which a line's induction can next put a parcel on.
    fn next_place(&self, index: usize) -> Option<i64> {
        let induction = &self.inductions[index];
        let track = &self.tracks[induction.track];
        let now_nm = track.belt.travel_nm(self.now);
        let returning = track.returning.front().filter(|_| induction.is_infeed);
        let back = returning.map(|&(window, reaches)| {
            let length = track.cells[window as usize]
                .parcel
                .map_or(Mm(0), |parcel| parcel.length);
            (
                reaches,
                track.clear_from(induction.at_nm, reaches.max(now_nm), length),
            )
        });
        let new = induction
            .next(&self.parcels)
            .filter(|_| !track.free.is_empty() && !induction.is_stopped(track))
            .map(|(length, at)| {
                let ready = at.max(induction.rested_at).max(self.now);
                track.clear_from(induction.at_nm, track.belt.travel_nm(ready), length)
            });
        match (back, new) {
            (None, new) => new,
            // A new parcel goes only as long as nobody who came round waits.
            (Some((reaches, _)), Some(new)) if new < reaches => Some(new),
            (Some((_, back)), _) => Some(back),
        }
    }

    fn induct_new(&mut self, index: usize, cell: usize, at_nm: i64) {
        let induction = &mut self.inductions[index];
        induction.rest(self.now);
        if induction.is_brought_next() {
            self.induct_brought(index, cell, at_nm);
            return;
        }
        let arrival = induction.feed.take(self.now);
        let Arrival {
            number,
            at: arrived,
        } = arrival.expect("the head of the queue is there");
        let traits = self.parcels.traits(number);
        let row = self.ledger.enter(Row {
            number,
            dest: traits.dest,
            arrived,
            inducted: self.now,
            exit: None,
            laps: 0,
        });
        let parcel = Carried {
            number,
            dest: traits.dest,
            length: traits.length,
            mass: traits.mass,
            arrived,
            inducted: self.now,
            entered_nm: at_nm,
            returns: 0,
            laps_before: 0,
            scans: 0,
            is_read: false,
            row,
        };
        self.tally.inducted += 1;
        self.tally.waited_us += self.now.since(arrived).0;
        let item = self.tracks[self.inductions[index].track].new_item();
        self.put_on(index, cell, parcel, item, at_nm, false);
    }

    /// Somebody who came over a transfer gets on: new to this track, not to the plant.
    fn induct_brought(&mut self, index: usize, cell: usize, at_nm: i64) {
        let Some(mut parcel) = self.bring(index) else {
            return;
        };
        parcel.entered_nm = at_nm;
        parcel.returns = 0;
        parcel.is_read = false;
        let item = self.tracks[self.inductions[index].track].new_item();
        self.put_on(index, cell, parcel, item, at_nm, false);
    }

    fn induct_returning(&mut self, index: usize, at_nm: i64) {
        let track = &mut self.tracks[self.inductions[index].track];
        let Some((old, _)) = track.returning.pop_front() else {
            return;
        };
        let item = track.cells[old as usize].plc.item;
        let Some(mut parcel) = track.lift(old as usize) else {
            return;
        };
        parcel.returns += 1;
        // The old window was freed last: it is taken again only if no other is free.
        let Some(window) = track.free.pop_front() else {
            return;
        };
        track.on_belt.push(window);
        // A PLC that has restarted meanwhile sees a parcel that it does not know.
        let is_known = item != 0;
        let item = if is_known {
            PlcItem(item)
        } else {
            track.new_item()
        };
        parcel.is_read = false;
        self.put_on(index, window as usize, parcel, item, at_nm, is_known);
    }

    fn put_on(
        &mut self,
        index: usize,
        cell: usize,
        parcel: Carried,
        item: PlcItem,
        at_nm: i64,
        returned: bool,
    ) {
        let induction = &self.inductions[index];
        let (number, from_nm) = (induction.track, induction.at_nm);
        let track = &mut self.tracks[number];
        track.place(cell, parcel, item, from_nm, at_nm);
        self.out.push(PlantEvent::Plc(Signal::Inducted {
            induction: InductionId(index as u16),
            cell: track.cell_id(cell),
            item,
            at: encoder(at_nm),
            length: parcel.length,
            spans: 1,
            returned,
        }));
        self.plan_later(number, cell);
    }
}

impl Track {
    /// The first travel from `travel_nm` on at which a parcel of this length can get on at `at_nm`
    /// with a gap before and behind it, as far as those on the belt now are concerned.
    pub(super) fn clear_from(&self, at_nm: i64, travel_nm: i64, length: Mm) -> i64 {
        let rear_nm = at_nm - i64::from(length.0) * NM_PER_MM - self.gap_nm;
        let mut clear_nm = travel_nm;
        loop {
            let before = clear_nm;
            for &window in &self.on_belt {
                let cell = &self.cells[window as usize];
                let Some(parcel) = cell.parcel else { continue };
                let passed_nm = i64::from(parcel.length.0) * NM_PER_MM + self.gap_nm + at_nm;
                // Travel at which its end, and the gap behind it, is past the place.
                let free_nm = cell.lap_start_nm + passed_nm;
                let front_nm = clear_nm - cell.lap_start_nm;
                if clear_nm < free_nm && front_nm > rear_nm {
                    clear_nm = free_nm;
                }
            }
            if clear_nm == before {
                return clear_nm;
            }
        }
    }
}

/// The carrier that passes `at_nm` at that travel, which must be a pass.
fn carrier_at(at_nm: i64, travel_nm: i64, carriers: u32, pitch_nm: i64) -> usize {
    let behind = (travel_nm - at_nm) / pitch_nm;
    (-behind).rem_euclid(i64::from(carriers)) as usize
}

/// The travel at which a carrier next passes that may be free.
///
/// Carriers that have nothing before them that could empty or fill them need not be tried: what
/// they are now they will be then. Where they are is judged by the last event on the belt, not by
/// the clock: an event of this very microsecond may still be to come.
fn next_carrier(
    induction: &Induction,
    track: &Track,
    carriers: u32,
    pitch_nm: i64,
    now: Micros,
) -> Option<i64> {
    let ready = induction.ready()?.max(now);
    let from_nm = track.belt.travel_nm(ready).max(induction.tried_nm + 1);
    let phase_nm = (from_nm - induction.at_nm).rem_euclid(pitch_nm);
    let mut pass_nm = if phase_nm == 0 {
        from_nm
    } else {
        from_nm + pitch_nm - phase_nm
    };
    if pass_nm - track.reached_nm >= induction.settled_nm {
        return Some(pass_nm);
    }
    let mut carrier = carrier_at(induction.at_nm, pass_nm, carriers, pitch_nm);
    while pass_nm - track.reached_nm < induction.settled_nm && !track.cells[carrier].is_free() {
        pass_nm += pitch_nm;
        carrier = carrier.checked_sub(1).unwrap_or(carriers as usize - 1);
    }
    Some(pass_nm)
}

/// The inductions of a hub, in its order.
pub(super) fn all(
    hub: &Hub,
    spec: &PlantSpec,
    parcels: &Parcels,
    tracks: &[Track],
    seed: u64,
) -> Vec<Induction> {
    let one = |(index, of): (usize, &InductionSpec)| {
        let track = &tracks[of.track.index()];
        let nth = track
            .inductions
            .iter()
            .position(|&i| i == index)
            .unwrap_or(0);
        let plant = &spec.inductions[index];
        let source = parcels.source(InductionId(index as u16), hub, seed);
        let feed = Feed::new(source, plant.queue);
        let at_nm = i64::from(of.at.0) * NM_PER_MM;
        let mut induction = Induction::new(track, nth, at_nm, feed, plant.spacing);
        let outlets = hub.outlets(of.track).iter().map(|(outlet, _)| outlet.at);
        let others = hub
            .inductions_of(of.track)
            .filter(|other| other.index() != index);
        let others = others.map(|other| hub.inductions()[other.index()].at);
        let devices_nm = outlets.chain(others).map(|at| i64::from(at.0) * NM_PER_MM);
        induction.settle_behind(devices_nm, track.length_nm);
        induction
    };
    hub.inductions().iter().enumerate().map(one).collect()
}
