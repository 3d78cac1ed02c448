//! What scanners send, and what goes wrong with it.

use sorthub_core::facts::{Facts, Reading};
use sorthub_core::ids::{CodeId, ScannerId};
use sorthub_core::operator::{Command, HostSays, ParcelWish, Ticket};
use sorthub_core::signal::{ScanKey, Signal};
use sorthub_core::units::Micros;

use super::Chain;
use crate::plant::Sight;
use crate::torture::dice::Dice;

/// A telegram on its way.
#[derive(Clone, Copy)]
pub(super) struct Telegram {
    pub due: Micros,
    nth: u64,
    signal: Signal,
}

/// What is being put wrong with one scanner.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ScannerTrouble {
    pub is_silent: bool,
    pub late_ms: u16,
    pub is_twice: bool,
    pub is_swapped: bool,
    /// What it says of each item in place of its code.
    pub odd: Option<Reading>,
    /// It reads the label of the item before.
    pub sees_before: bool,
    before: Option<Sight>,
    held: Option<Signal>,
}

impl Chain {
    fn facts(&mut self, scanner: ScannerId, sight: &Sight) -> Facts {
        let measured = sight.measured;
        let trouble = &mut self.scanner_trouble[scanner.index()];
        let before = trouble.before.replace(*sight);
        let seen = before.filter(|_| trouble.sees_before).unwrap_or(*sight);
        if let Some(read) = trouble.odd {
            return Facts {
                measured,
                read,
                ..Facts::default()
            };
        }
        if !seen.is_read {
            return Facts {
                measured,
                ..Facts::default()
            };
        }
        if seen.number != sight.number {
            self.truth.mislabelled(sight.number, seen.number);
        }
        let code = CodeId(seen.number + 1);
        let key = seen.dest.map(|dest| self.drawn.plan.key(dest));
        let key = key.filter(|_| !self.is_for_the_host(code));
        Facts {
            measured,
            ..Facts::advised(code, key.unwrap_or_default())
        }
    }

    /// Whether only the host knows where a parcel is for.
    fn is_for_the_host(&self, code: CodeId) -> bool {
        self.drawn.plan.spec().host.is_some() && code.0.is_multiple_of(3)
    }

    /// The host answers what it was asked: some answers come too late, some not at all, and one
    /// can overtake another.
    pub(super) fn host_answers(&mut self) {
        let deadline = self.drawn.plan.spec().host.unwrap_or(Micros(0));
        while let Some((parcel, code)) = self.asked.pop() {
            let mut dice = Dice::new(code.0, 6);
            if self.host_is_silent || dice.chance(50) {
                continue;
            }
            let wait = Micros(dice.below(deadline.0 * 5 / 4));
            let known = code.0.checked_sub(1).filter(|_| self.is_for_the_host(code));
            let dest = known.and_then(|number| self.plant.parcels().traits(number).dest);
            let to = dest.map_or(HostSays::Unknown, |dest| {
                HostSays::To(self.drawn.plan.key(dest))
            });
            let to = ParcelWish::Host(to);
            let command = Command::Parcel { parcel, to };
            let ticket = Ticket(0);
            self.send_telegram(self.now.after(wait), Signal::Command { ticket, command });
        }
    }

    pub(super) fn telegram(&mut self, scanner: ScannerId, key: ScanKey, sight: &Sight) {
        let facts = self.facts(scanner, sight);
        let signal = Signal::Scanned {
            scanner,
            key,
            facts,
        };
        let trouble = &mut self.scanner_trouble[scanner.index()];
        let late = Micros::from_millis(u64::from(trouble.late_ms));
        let mut sent = vec![signal];
        if trouble.is_twice {
            sent.push(signal);
        }
        if trouble.is_swapped {
            match trouble.held.take() {
                None => {
                    trouble.held = Some(signal);
                    return;
                }
                Some(first) => {
                    sent.push(first);
                    trouble.is_swapped = false;
                }
            }
        }
        for signal in sent {
            self.send_telegram(self.now.after(late), signal);
        }
    }

    fn send_telegram(&mut self, due: Micros, signal: Signal) {
        self.telegrams_sent += 1;
        self.telegrams.push(Telegram {
            due,
            nth: self.telegrams_sent,
            signal,
        });
    }

    /// Telegrams of a scanner come in the wrong order from now on, or no longer.
    pub(super) fn swap_telegrams(&mut self, scanner: ScannerId, begins: bool) {
        let trouble = &mut self.scanner_trouble[scanner.index()];
        trouble.is_swapped = begins;
        // Nobody came after the one that was held back: it comes late.
        if let Some(held) = trouble.held.take() {
            self.send_telegram(self.now, held);
        }
    }

    /// A telegram that names a carrier and comes a lap late is for what lies in it then.
    fn look_for_another(&mut self, signal: &Signal) {
        let Signal::Scanned {
            scanner,
            key: ScanKey::Carrier(cell),
            facts,
        } = *signal
        else {
            return;
        };
        let track = self.drawn.hub.scanners()[scanner.index()].track;
        let here = self.plant.view(track, self.now.max(self.plant.now()));
        let here = here.filter(|parcel| parcel.cell == cell).last();
        let label = facts.code.0.checked_sub(1);
        if let (Some(here), Some(label)) = (here, label)
            && here.number != label
        {
            self.truth.mislabelled(here.number, label);
        }
    }

    pub(super) fn run_telegrams(&mut self) -> Result<(), String> {
        while let Some(first) = (0..self.telegrams.len())
            .filter(|&at| self.telegrams[at].due <= self.now)
            .min_by_key(|&at| (self.telegrams[at].due, self.telegrams[at].nth))
        {
            let Telegram { signal, .. } = self.telegrams.remove(first);
            self.look_for_another(&signal);
            match self.drawn.hub.addressee(&signal) {
                Some(sorter) => self.call(sorter.index(), &signal, None)?,
                // An answer of the host; which sorter has asked, the parcel's number does not say.
                None => {
                    for sorter in 0..self.sorters.len() {
                        self.call(sorter, &signal, None)?;
                    }
                }
            }
        }
        Ok(())
    }
}
