//! What the engine wishes of inductions and chutes: levels, written on change and again now and
//! then.

use alloc::vec::Vec;

use crate::plc::LinkMs;
use crate::plc::levels::{ChuteWish, InductionWish};
use crate::plc::map::{Area, INDUCTION_WISH_REGS};

/// Registers of one page: within FC16 and FC23, and a multiple of an induction's two.
const PAGE_REGS: usize = 120;

/// Why a page is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    None,
    /// Only because some PLCs clear their data.
    Refresh,
    /// It says something new.
    Changed,
}

/// The wish registers of one area, in pages.
#[derive(Debug)]
pub(super) struct Wishes {
    area: Area,
    interval_ms: u32,
    inductions: Vec<u16>,
    chutes: Vec<u16>,
    needs: Vec<Need>,
    refresh_at: LinkMs,
}

impl Wishes {
    pub(super) fn new(area: Area, chutes: u16, inductions: u16, interval_ms: u32) -> Self {
        let inductions = alloc::vec![0; usize::from(inductions) * INDUCTION_WISH_REGS];
        let chutes = alloc::vec![0; usize::from(chutes)];
        let pages = inductions.len().div_ceil(PAGE_REGS) + chutes.len().div_ceil(PAGE_REGS);
        let needs = alloc::vec![Need::None; pages];
        Self {
            area,
            interval_ms,
            inductions,
            chutes,
            needs,
            refresh_at: LinkMs(0),
        }
    }

    /// `false` if there is no such induction.
    pub(super) fn set_induction(&mut self, induction: u16, wish: InductionWish) -> bool {
        let (wishes, _) = self.inductions.as_chunks_mut::<INDUCTION_WISH_REGS>();
        let at = usize::from(induction).wrapping_sub(1);
        let Some(registers) = wishes.get_mut(at) else {
            return false;
        };
        if *registers != wish.encode() {
            *registers = wish.encode();
            self.needs[at * INDUCTION_WISH_REGS / PAGE_REGS] = Need::Changed;
        }
        true
    }

    /// `false` if there is no such chute.
    pub(super) fn set_chute(&mut self, chute: u16, wish: ChuteWish) -> bool {
        let at = usize::from(chute).wrapping_sub(1);
        let Some(register) = self.chutes.get_mut(at) else {
            return false;
        };
        if *register != wish.encode() {
            *register = wish.encode();
            let induction_pages = self.inductions.len().div_ceil(PAGE_REGS);
            self.needs[induction_pages + at / PAGE_REGS] = Need::Changed;
        }
        true
    }

    /// Everything must be said (again): the PLC heard nothing of it under this grant, or the last
    /// write is in doubt.
    pub(super) fn say_all(&mut self) {
        self.needs.fill(Need::Changed);
    }

    pub(super) fn on_time(&mut self, now: LinkMs) {
        if now >= self.refresh_at {
            self.refresh_at = now.plus(self.interval_ms);
            for need in &mut self.needs {
                if *need == Need::None {
                    *need = Need::Refresh;
                }
            }
        }
    }

    pub(super) fn refresh_at(&self) -> LinkMs {
        self.refresh_at
    }

    /// Whether a page says something new.
    pub(super) fn is_changed(&self) -> bool {
        self.needs.contains(&Need::Changed)
    }

    /// Whether a page is to be written at all.
    pub(super) fn is_wanted(&self) -> bool {
        self.needs.iter().any(|need| *need != Need::None)
    }

    /// The page to write next, news first: address and registers. It counts as written.
    pub(super) fn take(&mut self) -> Option<(u16, &[u16])> {
        let changed = self.needs.iter().position(|need| *need == Need::Changed);
        let any = || self.needs.iter().position(|need| *need != Need::None);
        let page = changed.or_else(any)?;
        self.needs[page] = Need::None;
        let induction_pages = self.inductions.len().div_ceil(PAGE_REGS);
        let (base, registers, first) = if page < induction_pages {
            (
                self.area.induction_wish_base(),
                &self.inductions,
                page * PAGE_REGS,
            )
        } else {
            let first = (page - induction_pages) * PAGE_REGS;
            (self.area.chute_wish_base(), &self.chutes, first)
        };
        let end = registers.len().min(first + PAGE_REGS);
        Some((base + first as u16, &registers[first..end]))
    }
}
