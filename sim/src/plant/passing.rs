//! What happens to a parcel on its way: once round, at a chute, at the end; and in the chutes.

use sorthub_core::ids::{ChuteId, PlcItem};
use sorthub_core::signal::{OrderAnswer, Refusal, Signal};
use sorthub_core::units::{BeltMm, Micros, Mm};

use super::Plant;
use super::belt::encoder;
use super::chute::EYE_HOLD;
use super::event::PlantEvent;
use super::plc::Tracked;
use super::track::{Carried, Next, Shape};
use super::truth::{Exit, Way};
use crate::spec::Service;

impl Plant {
    /// What was planned for a cell has come.
    pub(super) fn pass(&mut self, track: usize, cell: usize, at_nm: i64) {
        match self.tracks[track].cells[cell].next {
            Next::Scanner => self.pass_scanner(track, cell, at_nm),
            Next::Target => self.pass_target(track, cell, at_nm),
            Next::Lapse => self.lapse(track, cell),
            Next::Round => match self.tracks[track].shape {
                Shape::Loop { .. } => self.pass_origin(track, cell, at_nm),
                Shape::Line { return_nm, end } => {
                    self.pass_end(track, cell, at_nm, return_nm, end);
                }
            },
        }
    }

    fn pass_origin(&mut self, index: usize, cell: usize, at_nm: i64) {
        let track = &mut self.tracks[index];
        track.cells[cell].lap_start_nm = at_nm;
        let item = track.cells[cell].plc.item;
        if item != 0 {
            self.out.push(PlantEvent::Plc(Signal::LapPassed {
                cell: track.cell_id(cell),
                item: PlcItem(item),
                at: encoder(at_nm),
            }));
        }
        self.plan_later(index, cell);
    }

    fn pass_end(
        &mut self,
        index: usize,
        cell: usize,
        at_nm: i64,
        return_nm: Option<i64>,
        end: Option<ChuteId>,
    ) {
        let Some(return_nm) = return_nm else {
            // Whoever comes so far falls off the end, whatever that chute says of itself.
            if let Some(end) = end {
                self.tally.attempts += 1;
                self.leave_by(index, cell, at_nm, end);
            }
            return;
        };
        let track = &mut self.tracks[index];
        let state = &mut track.cells[cell];
        state.on_return = true;
        let item = state.plc.item;
        state.plc = Tracked::new(PlcItem(item));
        track.on_belt.retain(|&window| window as usize != cell);
        track.returning.push_back((cell as u32, at_nm + return_nm));
        if item != 0 {
            self.out.push(PlantEvent::Plc(Signal::Returning {
                cell: track.cell_id(cell),
                item: PlcItem(item),
                at: encoder(at_nm),
            }));
        }
        self.plan_later(index, cell);
        self.plan_inductions_of(index);
    }

    fn pass_target(&mut self, index: usize, cell: usize, at_nm: i64) {
        let track = &mut self.tracks[index];
        let state = &track.cells[cell];
        let (Some(target), Some(parcel)) = (state.plc.target(), state.parcel) else {
            return;
        };
        self.tally.attempts += 1;
        let end_without_return = match track.shape {
            Shape::Line {
                return_nm: None,
                end,
            } => end,
            _ => None,
        };
        let must_take = end_without_return == Some(target.chute);
        let chute = &mut self.chutes[target.chute.index()];
        let Some(cause) = chute
            .refuses(self.now, parcel.length)
            .filter(|_| !must_take)
        else {
            self.leave_by(index, cell, at_nm, target.chute);
            return;
        };
        self.tally.refused += 1;
        self.not_discharged(index, cell, encoder(at_nm), target.chute, cause);
        let track = &mut self.tracks[index];
        let mut plc = track.cells[cell].plc;
        plc.refused(target, track.reach(cell, &self.outlets), &mut self.late);
        track.cells[cell].plc = plc;
        self.tell_late(index, cell, encoder(at_nm));
        self.plan_later(index, cell);
    }

    /// Says of the chutes that an order came too late for that it did.
    pub(super) fn tell_late(&mut self, index: usize, cell: usize, at: BeltMm) {
        if self.late.is_empty() {
            return;
        }
        let mut late = std::mem::take(&mut self.late);
        for chute in late.drain(..) {
            self.not_discharged(index, cell, at, chute, Refusal::Late);
        }
        self.late = late;
    }

    fn not_discharged(
        &mut self,
        index: usize,
        cell: usize,
        at: BeltMm,
        chute: ChuteId,
        cause: Refusal,
    ) {
        let track = &self.tracks[index];
        let item = PlcItem(track.cells[cell].plc.item);
        let cell = track.cell_id(cell);
        self.out.push(PlantEvent::Plc(Signal::NotDischarged {
            chute,
            cell,
            item,
            at,
            cause,
        }));
    }

    fn lapse(&mut self, index: usize, cell: usize) {
        let track = &mut self.tracks[index];
        let plc = &mut track.cells[cell].plc;
        let item = PlcItem(plc.item);
        let revision = plc.lapse();
        self.out.push(PlantEvent::Plc(Signal::OrderAnswered {
            cell: track.cell_id(cell),
            item,
            revision,
            answer: OrderAnswer::Expired,
        }));
        self.plan_later(index, cell);
    }

    fn leave_by(&mut self, index: usize, cell: usize, at_nm: i64, chute: ChuteId) {
        let state = &self.tracks[index].cells[cell];
        let (item, length) = (state.plc.item, state.parcel.map(|parcel| parcel.length));
        let discharged = Signal::Discharged {
            chute,
            cell: self.tracks[index].cell_id(cell),
            item: PlcItem(item),
            at: encoder(at_nm),
        };
        if let Some(over) = self.hub.transfer_from(chute) {
            let Some((mut parcel, laps)) = self.lift_off(index, cell, at_nm) else {
                return;
            };
            parcel.laps_before = laps;
            if item != 0 {
                self.out.push(PlantEvent::Plc(discharged));
            }
            self.carry_over(over, parcel);
            return;
        }
        let Some(exit) = self.take_off(index, cell, at_nm, Way::Chute(chute)) else {
            return;
        };
        self.tally.discharged += 1;
        self.tally.last_exit = self.now;
        if item != 0 {
            self.out.push(PlantEvent::Plc(discharged));
        }
        self.drop_into(chute, exit.number, length.unwrap_or_default());
    }

    /// Takes a parcel off a track, with the times round that it has made on all of them.
    fn lift_off(&mut self, index: usize, cell: usize, at_nm: i64) -> Option<(Carried, u32)> {
        let track = &mut self.tracks[index];
        let parcel = track.lift(cell)?;
        let laps = match track.shape {
            Shape::Loop { .. } => ((at_nm - parcel.entered_nm) / track.length_nm) as u32,
            Shape::Line { .. } => parcel.returns,
        };
        if !track.is_loop() {
            // A window has come free, and perhaps a place that an induction waited to see pass.
            self.plan_inductions_of(index);
        }
        Some((parcel, parcel.laps_before + laps))
    }

    /// Takes a parcel off a track, and tells the truth about it.
    pub(super) fn take_off(
        &mut self,
        index: usize,
        cell: usize,
        at_nm: i64,
        way: Way,
    ) -> Option<Exit> {
        let (parcel, laps) = self.lift_off(index, cell, at_nm)?;
        let exit = Exit {
            number: parcel.number,
            dest: parcel.dest,
            arrived: parcel.arrived,
            inducted: parcel.inducted,
            laps,
            way,
            at: self.now,
        };
        self.ledger.close(parcel.row, &exit);
        self.out.push(PlantEvent::Left(exit));
        Some(exit)
    }

    fn drop_into(&mut self, id: ChuteId, number: u64, length: Mm) {
        let plant = self.spec.chutes[id.index()];
        let service = self.parcels.service(number, plant.service);
        let chute = &mut self.chutes[id.index()];
        let was_full = chute.full_until(self.now).is_some();
        chute.drop_in(self.now, length, service);
        if plant.counts_taken {
            let slot = self.slots.workers + id.index();
            match chute.next_departure(self.now) {
                Some(departure) if self.clock.key(slot).is_none() => {
                    self.clock.set(slot, departure.0);
                }
                Some(_) => {}
                None => self.tell_chute(id),
            }
        }
        let chute = &self.chutes[id.index()];
        if plant.full_eye && !was_full && chute.full_until(self.now).is_some() {
            self.clock
                .set(self.slots.eyes + id.index(), self.now.after(EYE_HOLD).0);
        }
    }

    /// A worker has taken a parcel out of a chute that counts.
    pub(super) fn worker_event(&mut self, index: usize) {
        let slot = self.slots.workers + index;
        if let Some(departure) = self.chutes[index].next_departure(self.now) {
            self.clock.set(slot, departure.0);
        }
        self.tell_chute(ChuteId(index as u16));
    }

    /// A full eye has been covered for long enough, or is free again.
    pub(super) fn eye_event(&mut self, index: usize) {
        let chute = &mut self.chutes[index];
        let full_until = chute.full_until(self.now);
        if let Some(until) = full_until {
            self.clock.set(self.slots.eyes + index, until.0);
        }
        if chute.tell_eye(full_until.is_some()) {
            self.tell_chute(ChuteId(index as u16));
        }
    }

    /// Its PLC tells the state of a chute.
    pub(super) fn tell_chute(&mut self, id: ChuteId) {
        let chute = &mut self.chutes[id.index()];
        let taken = chute.taken(self.now) as u16;
        let state = chute.state();
        self.out.push(PlantEvent::Plc(Signal::Chute {
            chute: id,
            state,
            taken,
        }));
    }

    /// Parcels that workers have taken out so far; chutes that are mere holes have no workers.
    pub fn services(&mut self, now: Micros) -> u64 {
        let both = self.chutes.iter_mut().zip(&self.spec.chutes);
        let served = both.filter(|(_, plant)| plant.service != Service::Instant);
        served.map(|(chute, _)| chute.taken(now)).sum()
    }
}
