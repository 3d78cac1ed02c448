//! What people have decided and not taken back, as commands that say it again: for another run,
//! which knows nothing of it.

use alloc::vec::Vec;

use super::Sorter;
use super::bags::Step as BagStep;
use crate::facts::Verdict;
use crate::ids::{CellId, ChuteId, CodeId, InductionId, TrackId};
use crate::operator::{ChuteWish, Command, InductionWish, Mode, TrackWish, WaybillWish};
use crate::running::{DisabledBy, Step};

impl Sorter {
    /// The commands that bring a fresh sorter of the same hub, by the same plan, to where people
    /// have brought this one, in the order in which they have to be given.
    ///
    /// Waves are left out: they go by the hub's clock. So is what concerns single parcels, which
    /// another run finds anew. A chute that waits to be cleared is locked: what lies in it is not
    /// its owner's, and only a person can say when it is gone. A bag's label stands again and a
    /// change that was under way is asked for again, but what is in the bag was not counted.
    #[must_use]
    pub fn words(&self) -> Vec<Command> {
        let mut words = Vec::new();
        self.words_of_tracks(&mut words);
        self.words_of_inductions(&mut words);
        self.words_of_carriers(&mut words);
        self.words_of_chutes(&mut words);
        self.words_of_waybills(&mut words);
        words
    }

    fn words_of_tracks(&self, words: &mut Vec<Command>) {
        for (index, running) in self.state.running.iter().enumerate() {
            let (track, state) = (TrackId(index as u16), &running.state);
            let mut say = |to| words.push(Command::Track { track, to });
            if state.closed {
                say(TrackWish::Close);
            }
            if !self.is_own(track) {
                continue;
            }
            if state.mode != Mode::Automatic {
                say(TrackWish::Mode(state.mode));
            }
            // By these modes it stands already.
            let stands = matches!(state.mode, Mode::Maintenance | Mode::Emptying);
            match state.step {
                Step::Purging => say(TrackWish::Purge),
                Step::Draining => say(TrackWish::Drain),
                // What it still carries is sorted, but nobody is let in before it is started.
                Step::Stopped if !stands => say(TrackWish::Drain),
                Step::Stopped | Step::Started => {}
            }
        }
    }

    fn words_of_inductions(&self, words: &mut Vec<Command>) {
        for (index, one) in self.state.inductions.iter().enumerate() {
            let induction = InductionId(index as u16);
            let mut say = |to| words.push(Command::Induction { induction, to });
            if one.limit_per_h > 0 {
                say(InductionWish::Limit(one.limit_per_h));
            }
            if one.is_stopped {
                say(InductionWish::Stop);
            }
        }
    }

    fn words_of_carriers(&self, words: &mut Vec<Command>) {
        for (index, carrier) in self.state.carriers.iter().enumerate() {
            // What its PLC disabled it says itself.
            let by_us = [DisabledBy::Operator, DisabledBy::Failures].map(Some);
            if by_us.contains(&carrier.off) {
                words.push(Command::Carrier {
                    cell: CellId(index as u32),
                    enabled: false,
                });
            }
        }
    }

    fn words_of_chutes(&self, words: &mut Vec<Command>) {
        for (index, chute) in self.state.chutes.iter().enumerate() {
            let id = ChuteId(index as u16);
            if !self.is_own_chute(id) {
                continue;
            }
            let mut say = |to| words.push(Command::Chute { chute: id, to });
            if chute.disabled {
                say(ChuteWish::Disable);
            }
            if chute.locked || chute.pending_clear {
                say(ChuteWish::Lock);
            }
            if chute.bag.label != CodeId::NONE {
                let label = chute.bag.label;
                say(ChuteWish::BindBag { label });
            }
            if chute.bag.step != BagStep::Open {
                say(ChuteWish::ChangeBag);
            }
        }
    }

    fn words_of_waybills(&self, words: &mut Vec<Command>) {
        for told in self.state.instructions.all() {
            let mut say = |to| {
                words.push(Command::Waybill {
                    code: told.code,
                    to,
                });
            };
            if told.is_suspect {
                say(WaybillWish::Verdict(Verdict::Suspect));
            }
            if told.is_held && !mutant!("held_until_the_restart") {
                say(WaybillWish::Hold);
            }
            if told.intercept.is_some() {
                say(WaybillWish::Intercept { to: told.intercept });
            }
        }
    }
}
