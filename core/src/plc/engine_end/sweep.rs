//! Reading the levels of chutes and inductions, without contradicting the events.
//!
//! A page is read between two polls. An event about one of its entries that is taken after the page
//! may be older than the page, so a page is told only once every event up to a later status has
//! been taken, and without the entries that such an event was about: those have been told by the
//! event.

use alloc::vec::Vec;

use crate::plc::LinkMs;
use crate::plc::event::{Event, EventKind};
use crate::plc::levels::{ChuteLevel, InductionLevel};
use crate::plc::map::{CHUTE_REGS, CHUTES_BASE, INDUCTION_REGS, INDUCTIONS_BASE, READ_MAX};

const CHUTES_PER_PAGE: u16 = (READ_MAX / CHUTE_REGS) as u16;
const INDUCTIONS_PER_PAGE: u16 = (READ_MAX / INDUCTION_REGS) as u16;
/// Most levels one page can tell.
pub(super) const LEVELS_PER_PAGE: usize = INDUCTIONS_PER_PAGE as usize;

const _: () = assert!(CHUTES_PER_PAGE <= INDUCTIONS_PER_PAGE && LEVELS_PER_PAGE <= 32);

/// One level, by the number of its device.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level {
    Chute(u16, ChuteLevel),
    Induction(u16, InductionLevel),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Until the next sweep.
    Resting,
    /// The page is to be read...
    Reading,
    /// ...and told once all events up to a later status are taken.
    Confirming,
}

/// What a page is of: entries `first..first + count`, counted from 0.
#[derive(Clone, Copy)]
struct Page {
    chutes: bool,
    first: u16,
    count: u16,
}

#[derive(Debug)]
pub(super) struct Sweep {
    interval_ms: u32,
    chutes: Vec<Option<ChuteLevel>>,
    inductions: Vec<Option<InductionLevel>>,
    page: u16,
    stage: Stage,
    /// Another sweep was asked for while one was running.
    again: bool,
    next_at: LinkMs,
    /// Entries of the page that an event was about since it was read.
    touched: u32,
    buffer: [u16; READ_MAX],
    /// The PLC's change counter as the events make it, `None` until known.
    changes: Option<u16>,
}

impl Sweep {
    pub(super) fn new(chutes: u16, inductions: u16, interval_ms: u32) -> Self {
        Self {
            interval_ms,
            chutes: alloc::vec![None; usize::from(chutes)],
            inductions: alloc::vec![None; usize::from(inductions)],
            page: 0,
            stage: Stage::Resting,
            again: false,
            next_at: LinkMs(0),
            touched: 0,
            buffer: [0; READ_MAX],
            changes: None,
        }
    }

    fn layout(&self) -> Option<Page> {
        let (chutes, inductions) = (self.chutes.len() as u16, self.inductions.len() as u16);
        let chute_pages = chutes.div_ceil(CHUTES_PER_PAGE);
        let (of_chutes, first, all, per_page) = if self.page < chute_pages {
            (true, self.page * CHUTES_PER_PAGE, chutes, CHUTES_PER_PAGE)
        } else {
            let first = (self.page - chute_pages) * INDUCTIONS_PER_PAGE;
            (false, first, inductions, INDUCTIONS_PER_PAGE)
        };
        (first < all).then(|| Page {
            chutes: of_chutes,
            first,
            count: per_page.min(all - first),
        })
    }

    /// Reads all levels, now or after the sweep that is running.
    pub(super) fn ask(&mut self) {
        if self.stage == Stage::Resting {
            self.page = 0;
            self.again = false;
            self.stage = if self.layout().is_some() {
                Stage::Reading
            } else {
                Stage::Resting
            };
        } else {
            self.again = true;
        }
    }

    /// Forgets what is known and reads everything: another PLC life, or the first.
    pub(super) fn restart(&mut self) {
        self.chutes.fill(None);
        self.inductions.fill(None);
        self.changes = None;
        self.stage = Stage::Resting;
        self.ask();
    }

    /// A page read on the old connection is read again.
    pub(super) fn reconnected(&mut self) {
        if self.stage == Stage::Confirming {
            self.stage = Stage::Reading;
        }
    }

    /// Starts the slow check when it is due.
    pub(super) fn on_time(&mut self, now: LinkMs) {
        if self.stage == Stage::Resting && now >= self.next_at {
            self.ask();
            self.next_at = now.plus(self.interval_ms);
        }
    }

    /// When the next slow check starts, unless a sweep is running.
    pub(super) fn next_at(&self) -> Option<LinkMs> {
        (self.stage == Stage::Resting).then_some(self.next_at)
    }

    pub(super) fn is_confirming(&self) -> bool {
        self.stage == Stage::Confirming
    }

    /// The page to read: address and count.
    pub(super) fn wanted(&self) -> Option<(u16, u16)> {
        if self.stage != Stage::Reading {
            return None;
        }
        self.layout().map(|page| {
            let (base, regs) = if page.chutes {
                (CHUTES_BASE, CHUTE_REGS as u16)
            } else {
                (INDUCTIONS_BASE, INDUCTION_REGS as u16)
            };
            (base + page.first * regs, page.count * regs)
        })
    }

    pub(super) fn on_page(&mut self, registers: &[u16]) {
        if self.stage == Stage::Reading {
            self.buffer[..registers.len()].copy_from_slice(registers);
            self.touched = 0;
            self.stage = Stage::Confirming;
        }
    }

    /// Learns from an event what it says about a device.
    pub(super) fn on_event(&mut self, event: &Event) {
        let Some(at) = event.device.checked_sub(1) else {
            return;
        };
        let is_chute = match event.kind {
            EventKind::ChuteState { bits, taken, cause } => {
                if let Some(Some(known)) = self.chutes.get_mut(usize::from(at)) {
                    *known = ChuteLevel {
                        bits,
                        taken,
                        cause,
                        ..*known
                    };
                }
                true
            }
            EventKind::InductionState {
                bits,
                rate_per_h,
                cause,
            } => {
                if let Some(Some(known)) = self.inductions.get_mut(usize::from(at)) {
                    *known = InductionLevel {
                        bits,
                        rate_per_h,
                        cause,
                        ..*known
                    };
                }
                false
            }
            _ => return,
        };
        self.changes = self.changes.map(|changes| changes.wrapping_add(1));
        if let Some(page) = self.layout().filter(|page| page.chutes == is_chute)
            && let Some(bit) = at.checked_sub(page.first).filter(|bit| *bit < page.count)
        {
            self.touched |= 1 << bit;
        }
    }

    /// Every event up to a status has been taken: tells the page that was read before it, and
    /// compares the PLC's change counter with the changes told by events (one missing means levels
    /// that nobody heard of).
    pub(super) fn on_complete(&mut self, now: LinkMs, changes: u16, mut tell: impl FnMut(Level)) {
        if self.changes.is_some_and(|known| known != changes) {
            self.ask();
        }
        self.changes = Some(changes);
        if self.stage != Stage::Confirming {
            return;
        }
        if let Some(page) = self.layout() {
            for bit in 0..page.count {
                if self.touched & 1 << bit == 0
                    && let Some(level) = self.changed_level(page, bit)
                {
                    tell(level);
                }
            }
        }
        self.advance(now);
    }

    /// The level of one entry of the page, if it is not what is known; it is from now on.
    fn changed_level(&mut self, page: Page, bit: u16) -> Option<Level> {
        let at = usize::from(page.first + bit);
        let number = page.first + bit + 1;
        if page.chutes {
            let (levels, _) = self.buffer.as_chunks::<CHUTE_REGS>();
            let level = ChuteLevel::decode(&levels[usize::from(bit)]);
            let known = self.chutes[at].replace(level);
            (known != Some(level)).then_some(Level::Chute(number, level))
        } else {
            let (levels, _) = self.buffer.as_chunks::<INDUCTION_REGS>();
            let level = InductionLevel::decode(&levels[usize::from(bit)]);
            let known = self.inductions[at].replace(level);
            (known != Some(level)).then_some(Level::Induction(number, level))
        }
    }

    fn advance(&mut self, now: LinkMs) {
        self.page += 1;
        self.stage = Stage::Reading;
        if self.layout().is_none() {
            self.stage = Stage::Resting;
            self.next_at = now.plus(self.interval_ms);
            if self.again {
                self.ask();
            }
        }
    }
}
