//! Faults begin and end.

use std::sync::Arc;

use sorthub_core::hub::Lot;
use sorthub_core::ids::{ChuteId, CodeId, InductionId, TrackId};
use sorthub_core::operator::{ChuteWish, Command, Mode, Ticket, TrackWish};
use sorthub_core::plc::{Area, Mark};
use sorthub_core::running::{Hold, Step};
use sorthub_core::signal::Signal;
use sorthub_core::sorter::{ChuteIs, Sorter};
use sorthub_core::units::{Micros, MmPerS};

use super::calls::Journal;
use super::links::{RETRY, Rival};
use super::{Chain, new_sorter};
use crate::plant::{BeltCommand, ChuteCommand};
use crate::torture::fault::What;
use crate::torture::lane::Lane;

/// More alarms than the smallest FIFO has room for.
const FLOOD: u16 = 300;

/// The labels of bags are codes that no parcel bears.
const LABELS_FROM: u64 = 1 << 40;

/// How often people look at how the tracks run.
pub(super) const ROUNDS: Micros = Micros::from_secs(10);

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
                    let zero = self.plant.encoder(track, now);
                    self.plcs[track.index()].boot(zero);
                    self.plant.restart_plc(now, track);
                    for chute in 0..self.drawn.hub.chutes().len() {
                        self.tell_chute(ChuteId(chute as u16));
                    }
                    // Somebody has walked up and pressed start.
                    self.plant.belt(now, track, BeltCommand::Run);
                }
            }
            What::LinkCut(track) => self.cut(track, begins)?,
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
            What::ScannerSilent(scanner) => {
                self.scanner_trouble[scanner.index()].is_silent = begins;
                self.plant.silence_scanner(now, scanner, begins);
            }
            What::ScannerLate(scanner, ms) => {
                self.scanner_trouble[scanner.index()].late_ms = on(ms);
            }
            What::ScannerTwice(scanner) => {
                self.scanner_trouble[scanner.index()].is_twice = begins;
            }
            What::ScannerSwapped(scanner) => {
                self.swap_telegrams(scanner, begins);
            }
            What::ScannerOdd(scanner, read) => {
                self.scanner_trouble[scanner.index()].odd = begins.then_some(read);
            }
            What::LabelBefore(scanner) => {
                self.scanner_trouble[scanner.index()].sees_before = begins;
            }
            What::EyeBlind(track) => self.trouble[track.index()].eye_blind = begins,
            What::EyeTwice(track) => self.trouble[track.index()].eye_twice = begins,
            What::InductionBlind(track) => self.trouble[track.index()].induction_blind = begins,
            What::Mislaid(track) if begins && self.plcs[track.index()].is_alive() => {
                let last = self.plant.view(track, now).last();
                if let Some(parcel) = last {
                    self.plant.mislay(now, parcel.number);
                }
            }
            What::Mislaid(_) => {}
            What::TakenOff(track) if begins => {
                let first = self.plant.view(track, now).next();
                if let Some(parcel) = first {
                    self.plant.remove(now, parcel.number);
                }
            }
            What::TakenOff(_) => {}
            What::Flood(track) => {
                if begins && self.plcs[track.index()].is_alive() {
                    self.plcs[track.index()].flood(FLOOD);
                }
                self.cut(track, begins)?;
            }
            What::BagButton(chute) if begins => self.plant.press_button(now, chute),
            What::HostSilent => self.host_is_silent = begins,
            What::DiskSlow(ms) => self.disk_ms = on(ms).max(1),
            What::TicksLate(ms) => self.ticks_late = Micros::from_millis(u64::from(on(ms))),
            What::Crash if begins => self.crash(None)?,
            What::Rival if begins => self.crash(Some(now.after(self.faults[index].lasts)))?,
            What::Crash
            | What::Rival
            | What::Drained(_)
            | What::Purged(_)
            | What::Maintained(_)
            | What::Emptied(_)
            | What::Closed(_)
            | What::CarrierOff(_)
            | What::InductionOff(_)
            | What::OtherPlan
            | What::ChuteLocked(_)
            | What::ChuteOff(_)
            | What::BagChanged(_)
            | What::BagButton(_)
            | What::WaveOver(_)
            | What::Held(_)
            | What::Suspected(_)
            | What::Intercepted(..) => {}
        }
        self.people_say(&self.faults[index].what.commands(begins, &self.drawn.plan))
    }

    /// People come by: a track whose scanners were silent lets nothing in until a person who has
    /// seen them work again says so.
    pub(super) fn people_look(&mut self) -> Result<(), String> {
        let mut commands = vec![];
        for (index, spec) in self.drawn.hub.inductions().iter().enumerate() {
            let sorter = &self.sorters[self.drawn.hub.sorter_of(spec.track).index()];
            let view = sorter.induction(InductionId(index as u16));
            let mut scanners = self.drawn.hub.scanners().iter().zip(&self.scanner_trouble);
            let are_dead =
                scanners.any(|(of, trouble)| of.track == spec.track && trouble.is_silent);
            if view.hold == Hold::ScannersSilent && !are_dead {
                let (track, to) = (spec.track, TrackWish::Start);
                commands.push(Command::Track { track, to });
            }
        }
        commands.extend(self.chutes_to_open());
        commands.extend(self.tracks_to_start());
        commands.extend(self.chutes_to_clear());
        self.people_say(&commands)
    }

    /// Whether something that people want is wanted now.
    fn is_wanted(&self, what: What) -> bool {
        let mut of_it = self.faults.iter().filter(|fault| fault.what == what);
        of_it.any(|fault| (fault.at..fault.at.after(fault.lasts)).contains(&self.now))
    }

    /// Tracks that nobody wants to stand any more: that they were started may have been forgotten.
    fn tracks_to_start(&self) -> Vec<Command> {
        let mut commands = vec![];
        for track in (0..self.drawn.hub.tracks().len()).map(|at| TrackId(at as u16)) {
            let sorter = &self.sorters[self.drawn.hub.sorter_of(track).index()];
            let state = sorter.track(track).state;
            let stands = state.mode != Mode::Automatic || state.step != Step::Started;
            let standing = [
                What::Drained(track),
                What::Purged(track),
                What::Maintained(track),
                What::Emptied(track),
            ];
            if stands && !standing.into_iter().any(|what| self.is_wanted(what)) {
                commands.extend(What::Drained(track).commands(false, &self.drawn.plan));
            }
            if state.closed && !self.is_wanted(What::Closed(track)) {
                commands.extend(What::Closed(track).commands(false, &self.drawn.plan));
            }
        }
        commands
    }

    /// Chutes that nobody wants closed any more: that they were opened may have been forgotten.
    fn chutes_to_open(&self) -> Vec<Command> {
        let mut commands = vec![];
        for chute in (0..self.drawn.hub.chutes().len()).map(|at| ChuteId(at as u16)) {
            let is = |is| self.sorters.iter().any(|one| one.chute(chute).is == is);
            for (what, state) in [
                (What::ChuteLocked(chute), ChuteIs::Locked),
                (What::ChuteOff(chute), ChuteIs::Disabled),
            ] {
                if is(state) && !self.is_wanted(what) {
                    commands.extend(what.commands(false, &self.drawn.plan));
                }
            }
        }
        commands
    }

    /// Bags that can be taken off, and chutes in which another owner's parcels lie: people take
    /// out what is there and hang up what comes next.
    fn chutes_to_clear(&mut self) -> Vec<Command> {
        let mut commands = vec![];
        for chute in (0..self.drawn.hub.chutes().len()).map(|at| ChuteId(at as u16)) {
            let spec = &self.drawn.hub.chutes()[chute.index()];
            let sorter = self.drawn.hub.sorter_of(spec.outlets[0].track).index();
            let view = self.sorters[sorter].chute(chute);
            let mut say = |to| commands.push(Command::Chute { chute, to });
            if view.bag.is_some_and(|bag| bag.is_frozen) {
                if spec.rules.lot == Lot::Bag {
                    self.labels += 1;
                    say(ChuteWish::BindBag {
                        label: CodeId(LABELS_FROM + self.labels),
                    });
                }
                say(ChuteWish::BagReady);
            } else if view.is == ChuteIs::PendingClear && spec.rules.lot != Lot::Flow {
                say(ChuteWish::Cleared);
            }
        }
        commands
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

    fn cut(&mut self, track: TrackId, begins: bool) -> Result<(), String> {
        self.trouble[track.index()].is_cut = begins;
        if begins && self.lanes[track.index()].is_connected {
            self.disconnect(track.index())?;
        }
        Ok(())
    }

    /// The engine dies, or is taken for dead: then it goes on writing for a while. Another starts
    /// at once, either knowing nothing, or with what is durable.
    fn crash(&mut self, rival_until: Option<Micros>) -> Result<(), String> {
        self.epoch += 1;
        let knows_nothing = self.dice.chance(400);
        if knows_nothing {
            self.truth.forgotten();
        }
        let mut resume: Vec<Option<Mark>> = vec![None; self.lanes.len()];
        // It is told what people had said, as far as that is durable.
        let mut words = vec![];
        for index in 0..self.sorters.len() {
            if knows_nothing {
                let durable = self.durable(index, &mut resume)?;
                words.extend(durable.words());
                resume.fill(None);
                self.sorters[index] = new_sorter(&self.drawn, index, u32::from(self.epoch));
                self.judges[index].forgotten();
            } else {
                self.restore(index, &mut resume)?;
                self.judges[index].replaced();
            }
            self.journals[index] = Journal::new(&self.sorters[index]);
        }
        for (index, resume) in resume.into_iter().enumerate() {
            let track = TrackId(index as u16);
            let before = &self.lanes[index];
            // Whoever may still be alive keeps its area.
            let area = match (before.claim().0, rival_until) {
                (Area::A, Some(_)) => Area::B,
                (Area::B, Some(_)) => Area::A,
                (area, None) => area,
            };
            let mut lane = Lane::resumed(&self.drawn.hub, track, area, self.epoch, resume);
            lane.retry_at = self.now.after(RETRY);
            let mut before = std::mem::replace(&mut self.lanes[index], lane);
            if let Some(until) = rival_until.filter(|_| before.is_connected) {
                before.stop_acknowledging();
                self.rivals.push(Rival {
                    track,
                    lane: before,
                    look: self.now,
                    until,
                });
            }
            // What is wished of chutes is a level, which the new lane does not know.
            let sorter = &self.sorters[self.drawn.hub.sorter_of(track).index()];
            for chute in (0..self.drawn.hub.chutes().len()).map(|at| ChuteId(at as u16)) {
                self.lanes[index].wish_chute(chute, sorter.chute(chute).wish);
            }
        }
        self.people_say(&words)
    }

    /// Goes on with a sorter as it was after the calls that are durable.
    fn restore(&mut self, index: usize, resume: &mut [Option<Mark>]) -> Result<(), String> {
        let mut sorter = self.durable(index, resume)?;
        self.unsay_the_rest(index, &sorter)?;
        sorter.begin_run(u32::from(self.epoch));
        self.sorters[index] = sorter;
        Ok(())
    }

    /// A sorter from its snapshot and the calls after it that are durable, and up to which mark
    /// the events of each lane are.
    fn durable(&mut self, index: usize, resume: &mut [Option<Mark>]) -> Result<Sorter, String> {
        let Journal { snapshot, records } = &self.journals[index];
        let (hub, plans) = (Arc::clone(&self.drawn.hub), self.drawn.plans());
        let mut sorter = Sorter::restore(hub, &plans, snapshot)
            .map_err(|error| format!("a snapshot cannot be restored: {error}"))?;
        for record in records.iter().filter(|record| record.durable <= self.now) {
            self.outbox.clear();
            sorter.handle(record.now, &record.signal, &mut self.outbox);
            if let Some((lane, mark)) = record.mark {
                resume[lane] = Some(mark);
            }
        }
        Ok(sorter)
    }

    /// Takes back what was said in the calls that are not durable, the last first. `sorter` is as
    /// it was after the last durable one.
    fn unsay_the_rest(&mut self, index: usize, sorter: &Sorter) -> Result<(), String> {
        let (hub, plans) = (Arc::clone(&self.drawn.hub), self.drawn.plans());
        let mut again = Sorter::restore(hub, &plans, &sorter.snapshot())
            .map_err(|error| format!("a snapshot cannot be restored: {error}"))?;
        let records = self.journals[index].records.iter();
        let mut said = vec![];
        for record in records.filter(|record| record.durable > self.now) {
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
