//! Faults as they begin and end, and what an engine goes on from after it has died.

use std::sync::Arc;

use super::*;

impl Chain {
    /// A fault begins or ends.
    #[expect(
        clippy::too_many_lines,
        reason = "a table: one arm for each kind of fault"
    )]
    pub(super) fn change(&mut self, index: usize, begins: bool) -> Result<(), String> {
        let now = self.now.max(self.plant.now());
        let on = |value: u16| if begins { value } else { 0 };
        match self.faults[index].what {
            What::PlcRestart(track) if begins => {
                self.plcs[track.index()].kill();
                self.plant.halt_plc(now, track);
                if self.lanes[track.index()].is_connected {
                    self.disconnect(track.index())?;
                }
            }
            What::PlcRestart(track) => {
                if !self.plcs[track.index()].is_alive() {
                    self.plcs[track.index()].boot();
                    self.plant.restart_plc(now, track);
                    for chute in 0..self.drawn.hub.chutes().len() {
                        self.tell_chute(ChuteId(chute as u16));
                    }
                    // Somebody has walked up and pressed start.
                    self.plant.belt(now, track, BeltCommand::Run);
                }
            }
            What::LinkCut(track) => {
                self.trouble[track.index()].is_cut = begins;
                if begins && self.lanes[track.index()].is_connected {
                    self.disconnect(track.index())?;
                }
            }
            What::RequestsLost(track, n) => self.trouble[track.index()].requests_lost = on(n),
            What::RepliesLost(track, n) => self.trouble[track.index()].replies_lost = on(n),
            What::Slow(track, ms) => self.trouble[track.index()].slow_ms = on(ms),
            What::BeltStop(track) if begins => self.plant.belt(now, track, BeltCommand::Stop),
            What::BeltSlow(track) if begins => {
                let speed = MmPerS(self.drawn.hub.tracks()[track.index()].speed.0 / 2);
                self.plant.belt(now, track, BeltCommand::Speed(speed));
            }
            What::BeltStop(track) | What::BeltSlow(track) => {
                self.plant.belt(now, track, BeltCommand::Run);
            }
            What::Jam(chute) => self
                .plant
                .change_chute(now, chute, ChuteCommand::Jam(begins)),
            What::Lock(chute) => self
                .plant
                .change_chute(now, chute, ChuteCommand::Lock(begins)),
            What::Disable(chute) => {
                self.plant
                    .change_chute(now, chute, ChuteCommand::Disable(begins));
            }
            What::ScannerSilent(scanner) => self.plant.silence_scanner(now, scanner, begins),
            What::ScannerLate(scanner, ms) => {
                self.scanner_trouble[scanner.index()].late_ms = on(ms);
            }
            What::ScannerTwice(scanner) => {
                self.scanner_trouble[scanner.index()].is_twice = begins;
            }
            What::ScannerSwapped(scanner) => {
                let trouble = &mut self.scanner_trouble[scanner.index()];
                trouble.is_swapped = begins;
                // Nobody came after the one that was held back: it comes late.
                if let Some(held) = trouble.held.take() {
                    self.telegrams_sent += 1;
                    self.telegrams.push((self.now, self.telegrams_sent, held));
                }
            }
            What::EyeBlind(track) => self.trouble[track.index()].eye_blind = begins,
            What::EyeTwice(track) => self.trouble[track.index()].eye_twice = begins,
            What::TakenOff(track) if begins => {
                let first = self.plant.view(track, now).next();
                if let Some(parcel) = first {
                    self.plant.remove(now, parcel.number);
                }
            }
            What::TakenOff(_) => {}
            What::DiskSlow(ms) => self.disk_ms = on(ms).max(1),
            What::Crash if begins => self.crash()?,
            What::Crash
            | What::Drained(_)
            | What::Purged(_)
            | What::Maintained(_)
            | What::Emptied(_)
            | What::Closed(_)
            | What::CarrierOff(_)
            | What::InductionOff(_) => {}
        }
        self.people_say(&self.faults[index].what.commands(begins))
    }

    /// People tell every sorter that it is for what they want.
    fn people_say(&mut self, commands: &[Command]) -> Result<(), String> {
        for &command in commands {
            let ticket = Ticket(0);
            let signal = Signal::Command { ticket, command };
            match self.drawn.hub.addressee(&signal) {
                Some(sorter) => self.call(sorter.index(), &signal, None)?,
                None => {
                    for sorter in 0..self.sorters.len() {
                        self.call(sorter, &signal, None)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The engine dies. It starts again at once, either knowing nothing, or with what is durable.
    fn crash(&mut self) -> Result<(), String> {
        self.epoch += 1;
        let knows_nothing = self.dice.chance(400);
        self.forgotten |= knows_nothing;
        let mut resume: Vec<Option<Mark>> = vec![None; self.lanes.len()];
        for index in 0..self.sorters.len() {
            if knows_nothing {
                self.sorters[index] = new_sorter(&self.drawn, index, u32::from(self.epoch));
                self.judges[index].forgotten();
            } else {
                self.restore(index, &mut resume)?;
                self.judges[index].replaced();
            }
            self.journals[index] = (self.sorters[index].snapshot(), vec![]);
        }
        for (index, resume) in resume.into_iter().enumerate() {
            let track = TrackId(index as u16);
            self.lanes[index] = Lane::resumed(&self.drawn.hub, track, self.epoch, resume);
            self.lanes[index].retry_at = self.now.after(RETRY);
            // What is wished of chutes is a level, which the new lane does not know.
            let sorter = &self.sorters[self.drawn.hub.sorter_of(track).index()];
            for chute in (0..self.drawn.hub.chutes().len()).map(|at| ChuteId(at as u16)) {
                self.lanes[index].wish_chute(chute, sorter.chute(chute).wish);
            }
        }
        Ok(())
    }

    /// A sorter from its snapshot and the calls after it that are durable.
    fn restore(&mut self, index: usize, resume: &mut [Option<Mark>]) -> Result<(), String> {
        let (snapshot, records) = &self.journals[index];
        let (hub, plan) = (Arc::clone(&self.drawn.hub), Arc::clone(&self.drawn.plan));
        let mut sorter = Sorter::restore(hub, &[plan], snapshot)
            .map_err(|error| format!("a snapshot cannot be restored: {error}"))?;
        for record in records.iter().filter(|record| record.durable <= self.now) {
            self.outbox.clear();
            sorter.handle(record.now, &record.signal, &mut self.outbox);
            if let Some((lane, mark)) = record.mark {
                resume[lane] = Some(mark);
            }
        }
        self.unsay_the_rest(index, &sorter)?;
        sorter.begin_run(u32::from(self.epoch));
        self.sorters[index] = sorter;
        Ok(())
    }

    /// Takes back what was said in the calls that are not durable, the last first. `sorter` is as
    /// it was after the last durable one.
    fn unsay_the_rest(&mut self, index: usize, sorter: &Sorter) -> Result<(), String> {
        let (hub, plan) = (Arc::clone(&self.drawn.hub), Arc::clone(&self.drawn.plan));
        let mut again = Sorter::restore(hub, &[plan], &sorter.snapshot())
            .map_err(|error| format!("a snapshot cannot be restored: {error}"))?;
        let (_, records) = &self.journals[index];
        let mut said = vec![];
        for record in records.iter().filter(|record| record.durable > self.now) {
            self.outbox.clear();
            again.handle(record.now, &record.signal, &mut self.outbox);
            said.push(self.outbox.outputs().to_vec());
        }
        for outputs in said.iter().rev() {
            self.judges[index].unsay(outputs);
        }
        Ok(())
    }
}
