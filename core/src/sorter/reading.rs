//! How a telegram and an item find each other, and what a reading makes of an item.

use super::Sorter;
use super::state::{Intent, NO_ITEM, Slot, WaitingItem, WaitingScan};
use crate::facts::{Facts, Reading};
use crate::hub::MeetsBy;
use crate::ids::{CellId, CodeId, PlcItem, ScannerId, TrackId};
use crate::outbox::Outbox;
use crate::plan::NoReadPolicy;
use crate::reason::Reason;
use crate::signal::{Reader, ScanKey};
use crate::units::{BeltMm, Micros};

impl Sorter {
    /// An item passed a scanner's eye: its position is known anew, and its telegram is due.
    pub(super) fn at_scanner(
        &mut self,
        scanner: ScannerId,
        cell: CellId,
        item: PlcItem,
        trigger: u16,
        at: BeltMm,
        outbox: &mut Outbox,
    ) {
        let slot = match self.state.find(cell, item) {
            Some(slot) => slot,
            None => {
                // The PLC follows it and we do not: the news of it was lost. Take it up.
                self.state.books.unknown_items += 1;
                self.unexpected(cell, item, at, outbox);
                match self.state.find(cell, item) {
                    Some(slot) => slot,
                    None => return,
                }
            }
        };
        let eye = i64::from(self.hub.scanners()[scanner.index()].at.0);
        let it = &mut self.state.items[slot as usize];
        it.origin = at.plus(-eye);
        it.evidence = at;
        it.refused = None;
        let is_read = it.intent != Intent::Undecided;
        let waiting = WaitingItem {
            cell,
            item,
            trigger,
            at,
        };
        let meets = self.meets(scanner);
        let scans = &mut self.state.scanners[scanner.index()].scans;
        match scans.take_only(|scan| meets.fits(&waiting, scan)) {
            Ok(scan) => self.apply(Sight { scanner, trigger }, slot, &scan.facts, outbox),
            Err(0) => {
                let spec = &self.hub.scanners()[scanner.index()];
                if spec.meets_by == MeetsBy::Carrier && is_read {
                    // Its telegram came first and was known by the carrier's number.
                    return;
                }
                if self.state.scanners[scanner.index()].items.is_full() {
                    self.scanner_silent(scanner, outbox);
                }
                self.state.scanners[scanner.index()].items.push(waiting);
                self.state.waiting += 1;
            }
            Err(count) => {
                // Several telegrams could be its own: never a guess, for it or for the next one.
                scans.drop_all(|scan| meets.fits(&waiting, scan));
                self.state.books.unmatched_scans += count as u64;
                self.state.items[slot as usize].cause = Reason::Unmatched;
                self.apply(Sight { scanner, trigger }, slot, &Facts::default(), outbox);
            }
        }
    }

    /// A telegram came.
    pub(super) fn scanned(
        &mut self,
        scanner: ScannerId,
        key: ScanKey,
        facts: Facts,
        outbox: &mut Outbox,
    ) {
        self.heard(scanner, facts.read, outbox);
        let track = self.hub.scanners()[scanner.index()].track;
        let scan = WaitingScan {
            key,
            facts,
            at: self.state.tracks[track.index()].by(self.state.now),
        };
        let meets = self.meets(scanner);
        let room = &mut self.state.scanners[scanner.index()];
        match room.items.take_only(|item| meets.fits(item, &scan)) {
            Ok(item) => {
                self.state.waiting -= 1;
                // It may have left or been forgotten since.
                if let Some(slot) = self.find_or_count(item.cell, item.item) {
                    let trigger = item.trigger;
                    self.apply(Sight { scanner, trigger }, slot, &facts, outbox);
                }
            }
            // Without the PLC's word nobody knows where the belt is, nor who has left a carrier and
            // who has come into it: such a telegram could be anyone's.
            Err(0)
                if !key.names_a_pass()
                    && !self.state.tracks[track.index()].linked
                    && !mutant!("deaf_but_sure") =>
            {
                self.state.books.unmatched_scans += 1;
            }
            Err(0) => {
                if let ScanKey::Carrier(cell) = key
                    && let Some(slot) = self.at_this_scanner(scanner, cell)
                {
                    let trigger = 0;
                    self.apply(Sight { scanner, trigger }, slot, &facts, outbox);
                    return;
                }
                let scans = &mut self.state.scanners[scanner.index()].scans;
                if scans.is_full() {
                    scans.pop_first();
                    self.state.books.unmatched_scans += 1;
                }
                scans.push(scan);
            }
            Err(_) if mutant!("two_fit_so_the_first") => {
                if let Some(item) = room.items.pop_first() {
                    self.state.waiting -= 1;
                    if let Some(slot) = self.find_or_count(item.cell, item.item) {
                        let trigger = item.trigger;
                        self.apply(Sight { scanner, trigger }, slot, &facts, outbox);
                    }
                }
            }
            Err(_) => self.state.books.unmatched_scans += 1,
        }
    }

    /// The item in a carrier, if by its position it is the one that a scanner has just seen: a
    /// carrier that the PLC has emptied and filled again since it last told us holds another one.
    fn at_this_scanner(&self, scanner: ScannerId, cell: CellId) -> Option<Slot> {
        let slot = *self.state.cells.get(cell.index())?;
        let spec = &self.hub.scanners()[scanner.index()];
        if slot == NO_ITEM || self.state.items[slot as usize].track != spec.track.0 {
            return None;
        }
        let kind = self.hub.tracks()[spec.track.index()].kind;
        let now = self.state.tracks[spec.track.index()].by(self.state.now);
        let place = now.minus(self.state.items[slot as usize].origin);
        let mut past = place - i64::from(spec.at.0);
        let wait = i64::from(spec.wait.0);
        if kind.is_loop() {
            let lap = i64::from(kind.length().0);
            // Just before the eye is as near to it as just behind it.
            past = (past + wait).rem_euclid(lap) - wait;
        }
        (past.abs() <= wait).then_some(slot)
    }

    /// The oldest item at a scanner has waited long enough: nothing was read of it.
    pub(super) fn scanner_silent(&mut self, scanner: ScannerId, outbox: &mut Outbox) {
        let Some(item) = self.state.scanners[scanner.index()].items.pop_first() else {
            return;
        };
        self.state.waiting -= 1;
        self.state.books.silent_scans += 1;
        self.unheard(scanner);
        if let Some(slot) = self.state.find(item.cell, item.item) {
            let trigger = item.trigger;
            self.apply(Sight { scanner, trigger }, slot, &Facts::default(), outbox);
        }
    }

    /// Telegrams whose item has not come within the scanner's allowance of belt never will.
    pub(super) fn drop_stale_scans(&mut self, track: TrackId) {
        if mutant!("telegram_kept") {
            return;
        }
        let at = self.state.tracks[track.index()].at;
        for (scanner, spec) in self.state.scanners.iter_mut().zip(self.hub.scanners()) {
            let keep = i64::from(spec.wait.0);
            while spec.track == track
                && scanner
                    .scans
                    .first()
                    .is_some_and(|scan| at.minus(scan.at) > keep)
            {
                scanner.scans.pop_first();
                self.state.books.unmatched_scans += 1;
            }
        }
    }

    /// What a reading makes of an item.
    fn apply(&mut self, sight: Sight, slot: Slot, facts: &Facts, outbox: &mut Outbox) {
        if facts.read == Reading::Good {
            self.recognise(slot, facts.code, outbox);
        }
        self.state.cases[slot as usize].seen_by = Some((sight.scanner, sight.trigger));
        let item = &self.state.items[slot as usize];
        let is_final = self.plan.spec().no_read == NoReadPolicy::Reject
            && matches!(
                item.intent,
                Intent::Reject(Reason::NoRead | Reason::Unmatched)
            );
        let known = &mut self.state.facts[slot as usize];
        let all = if is_final {
            // One reading is all it gets, but what is wrong with it still counts.
            let read = Reading::NoRead;
            known.joined(&Facts { read, ..*facts })
        } else {
            known.joined(facts)
        };
        let is_news = *known != all;
        *known = all;
        if !is_news && item.intent != Intent::Undecided {
            // What is known stays known, but it may need a new try.
            self.route_if_idle(slot, outbox);
            return;
        }
        if all.read == Reading::Good && item.code == CodeId::NONE {
            self.enter_in_book(slot, outbox);
            self.learn_code(slot, Reader::Scanner(sight.scanner), outbox);
        }
        let derived = self.derive(slot);
        if derived.intent == Intent::Undecided {
            self.state.items[slot as usize].cause = Reason::NoRead;
            self.sort_unread(slot);
        } else if derived == self.state.cases[slot as usize].derived {
            self.route_if_idle(slot, outbox);
        } else {
            self.decide(slot, derived, outbox);
        }
    }

    fn meets(&self, scanner: ScannerId) -> Meeting {
        let spec = &self.hub.scanners()[scanner.index()];
        let speed = self.state.tracks[spec.track.index()].speed;
        match spec.meets_by {
            MeetsBy::Trigger | MeetsBy::Carrier => Meeting {
                back_mm: 0,
                window_mm: 0,
            },
            MeetsBy::Encoder { window } => Meeting {
                back_mm: 0,
                window_mm: i64::from(window.0),
            },
            MeetsBy::Arrival { delay_ms, window } => Meeting {
                back_mm: speed.travel_mm(Micros::from_millis(u64::from(delay_ms))),
                window_mm: i64::from(window.0),
            },
        }
    }
}

/// Which scanner saw an item, and the number of its picture there; 0 if it has none.
#[derive(Clone, Copy)]
struct Sight {
    scanner: ScannerId,
    trigger: u16,
}

/// How far apart an item and a telegram may be to belong to each other.
#[derive(Clone, Copy)]
struct Meeting {
    /// How far the belt moves between the trigger and the telegram.
    back_mm: i64,
    window_mm: i64,
}

impl Meeting {
    fn fits(self, item: &WaitingItem, scan: &WaitingScan) -> bool {
        let window_mm = self.window_mm * if mutant!("window_too_wide") { 20 } else { 1 };
        let near = |at: BeltMm| item.at.minus(at).abs() <= window_mm;
        match scan.key {
            ScanKey::Trigger(trigger) => item.trigger == trigger || mutant!("any_trigger_fits"),
            ScanKey::Carrier(cell) => item.cell == cell,
            ScanKey::Encoder(at) => near(at),
            ScanKey::Arrival => near(scan.at.plus(-self.back_mm)),
        }
    }
}
