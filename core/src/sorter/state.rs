//! What the sorter remembers, all of it allocated at the start.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Setup;
use super::asking::Question;
use super::books::Books;
use super::carriers::{Carrier, Diverter};
use super::cases::Case;
use super::chutes::{self, Chute};
use super::deadlines::Deadlines;
use super::handing::Transfers;
use super::heading::Aim;
use super::keying::Seat;
use super::lists::Lists;
use super::lookup::Lookup;
use super::pacing::{Induction, Running};
use super::parts::Hearing;
use super::redeciding::{self, Redo};
use super::ring::Ring;
use super::spreading::Shares;
use super::standing::{Instructions, Redeciding};
use super::switching::Known;
use crate::facts::Facts;
use crate::hub::{Capacity, Hub};
use crate::ids::{CellId, ChuteId, CodeId, DestId, InductionId, ParcelId, PlcItem, SorterId};
use crate::limits::{
    CHUTE_CONTENTS_MAX, ORDER_CHUTES_MAX, QUESTIONS_MAX, REDECIDING_MAX, SCANNER_WAITING_MAX,
    SEATS_MAX,
};
use crate::outbox::RollingHash;
use crate::plan::{Plan, Waves};
use crate::reason::{Disposition, Reason};
use crate::signal::{Basis, Output, ScanKey};
use crate::units::{BeltMm, Micros, Mm, MmPerS};

/// A position in [`State::items`].
pub(super) type Slot = u32;

/// "No item" in [`State::cells`].
pub(super) const NO_ITEM: Slot = Slot::MAX;

/// What is to become of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Intent {
    /// Nothing is known about it yet.
    Undecided,
    /// To one of the chutes of its destination.
    Sort,
    /// To a reject chute, for this reason.
    Reject(Reason),
    /// To the chute that a person has named.
    Force(ChuteId),
    /// The host was asked and has not answered yet.
    Ask,
}

/// Where the sorter believes an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Whereabouts {
    /// In its cell.
    Riding,
    /// On the return of its line, in no cell.
    Returning,
    /// Somewhere on its track: the PLC no longer knows it. It is known again by its code.
    InDoubt,
    /// Not there any more; it is ended in one of the next calls.
    Gone,
    /// Nowhere: its slot is free.
    Free,
}

/// A parcel on its way.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub parcel: ParcelId,
    pub item: PlcItem,
    pub cell: CellId,
    pub track: u16,
    pub whereabouts: Whereabouts,
    /// The PLC has reported it, but whether it is a parcel in doubt or a new one is not known
    /// before it is read: it is not in the book.
    pub provisional: bool,
    /// The induction at which it came over a transfer, while it is not known which it is.
    pub over: Option<InductionId>,
    /// The belt position at which it was, or would have been, at the track's origin.
    pub origin: BeltMm,
    /// The belt position at which it was last heard of.
    pub evidence: BeltMm,
    pub length: Mm,
    /// Carriers that it lies on.
    pub spans: u8,
    pub code: CodeId,
    /// The plan that it was decided under, by its place in [`Known`].
    pub plan: u8,
    /// Where it is for, in that plan.
    pub dest: Option<DestId>,
    pub intent: Intent,
    /// What said where it is for.
    pub basis: Basis,
    /// What kept it from leaving last, or why it goes where it goes.
    pub cause: Reason,
    /// The order that stands at the PLC, if any.
    pub ordered: Option<Standing>,
    /// The order that the PLC would not take, until the item has come to a scanner or round again.
    pub refused: Option<Standing>,
    pub revision: u16,
    /// By when the last order had to be obeyed.
    pub obey_by: BeltMm,
    /// Where it is heading.
    pub aim: Option<Aim>,
    /// Failed tries that led to another lap.
    pub laps: u8,
    /// Where the belt was when it was left without an order, if it has passed its chutes so since
    /// the lap eye.
    pub idle_since: Option<BeltMm>,
    /// Its own chutes have had their last turn: where it goes now it goes for want of laps.
    pub is_spent: bool,
    /// Times it has passed the lap eye.
    pub rounds: u8,
}

/// An order that stands at the PLC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Standing {
    pub chutes: [Option<ChuteId>; ORDER_CHUTES_MAX],
}

impl Item {
    /// Why it goes where it goes, if nothing gets in its way.
    pub fn why(&self) -> Reason {
        match self.intent {
            Intent::Reject(why) => why,
            Intent::Force(_) => Reason::Forced,
            Intent::Ask => Reason::HostLate,
            Intent::Sort if self.basis == Basis::Intercept => Reason::Intercept,
            Intent::Sort | Intent::Undecided => Reason::Planned,
        }
    }

    /// The news that it goes to a chute, or to none.
    pub fn decided(&self, chute: Option<ChuteId>, why: Reason) -> Output {
        let (parcel, basis) = (self.parcel, self.basis);
        Output::Decided {
            parcel,
            chute,
            why,
            basis,
        }
    }
}

impl Standing {
    /// The chute that is tried last.
    pub fn last(&self) -> Option<ChuteId> {
        self.chutes.iter().rev().find_map(|chute| *chute)
    }
}

/// A belt as last told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Track {
    pub at: BeltMm,
    pub speed: MmPerS,
    pub told: Micros,
    pub linked: bool,
    /// The encoder may count anew: the PLC has just started, or we have.
    pub is_fresh: bool,
    /// It is past this: an order that had to be obeyed by then came too late.
    pub passed: BeltMm,
    /// Up to where the lost check has gone round.
    pub swept: BeltMm,
    /// The cell that the lost check looks at next.
    pub sweep_next: u32,
    /// Items on the return, first in first.
    pub returning: VecDeque<Slot>,
    /// Items in doubt, longest first.
    pub in_doubt: VecDeque<Slot>,
}

impl Track {
    /// Where the belt is by now if it has kept its speed.
    pub fn by(&self, now: Micros) -> BeltMm {
        let at = self.at.plus(self.speed.travel_mm(now.since(self.told)));
        at.max(self.passed)
    }

    /// When the belt will be at `goal` if it keeps its speed.
    pub fn when(&self, goal: BeltMm) -> Option<Micros> {
        let wait = self.speed.time_for(goal.minus(self.at))?;
        Some(self.told.after(wait))
    }
}

/// An item at a scanner that waits for its telegram.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct WaitingItem {
    pub cell: CellId,
    pub item: PlcItem,
    pub trigger: u16,
    pub at: BeltMm,
}

/// A telegram that waits for its item.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct WaitingScan {
    pub key: ScanKey,
    pub facts: Facts,
    /// Where the belt was when it came.
    pub at: BeltMm,
}

/// A scanner's two waiting rooms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Scanner {
    pub items: Ring<WaitingItem>,
    pub scans: Ring<WaitingScan>,
}

/// Everything that a snapshot holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub now: Micros,
    pub run_epoch: u32,
    pub sorter: SorterId,
    pub parcels_named: u64,
    pub items: Vec<Item>,
    /// Parcels that will come over transfers.
    pub transfers: Transfers,
    /// What is known of each item, in the same places; apart, because most calls need it not.
    pub facts: Vec<Facts>,
    /// What people and hosts have to do with each item, in the same places.
    pub cases: Vec<Case>,
    pub free: Vec<Slot>,
    pub cells: Vec<Slot>,
    pub tracks: Vec<Track>,
    pub scanners: Vec<Scanner>,
    /// How many items wait at scanners in all, so that a time-out is found without looking.
    pub waiting: u32,
    pub chutes: Vec<Chute>,
    /// For each chute, how its diverter does.
    pub diverters: Vec<Diverter>,
    /// For each track, how it runs.
    pub running: Vec<Running>,
    /// Tracks on which something has changed that inductions depend on: a bit for each.
    pub unsettled: u64,
    /// Tracks whose cells are being looked at.
    pub reviewing: u64,
    pub inductions: Vec<Induction>,
    /// Questions in a row that the host has not answered in time.
    pub host_late_in_row: u16,
    /// For each scanner, what is heard of it.
    pub hearing: Vec<Hearing>,
    /// For each cell, what it is as a carrier.
    pub carriers: Vec<Carrier>,
    /// When to look at chutes again.
    pub deadlines: Deadlines,
    /// Who is heading for which chute, and who is to be decided again.
    pub lists: Lists,
    pub redo: Redo,
    /// Chutes whose PLC may have to be told something, each at most once.
    pub told: VecDeque<ChuteId>,
    /// How many chutes wait to be cleared.
    pub pending_clear: u32,
    /// How many bags are locked for a change while the last parcels are waited for.
    pub bags_locked: u32,
    pub bags_named: u64,
    /// Chutes chosen so far.
    pub turns: u64,
    pub shares: Shares,
    pub plans: Known,
    /// Waves of the plan that are open.
    pub waves: Waves,
    /// Items known to be gone, and how, to be ended a few each call.
    pub gone: VecDeque<(Slot, Disposition)>,
    /// Due work beyond one call's share waits until then.
    pub hold_until: Micros,
    /// Items that are not in the book.
    pub provisional: u64,
    /// Which item a parcel is.
    #[serde(skip)]
    pub by_parcel: Lookup,
    /// Which item is the first with a code.
    #[serde(skip)]
    pub by_code: Lookup,
    pub instructions: Instructions,
    /// Waybills whose parcels are re-decided, a few each call.
    pub redeciding: VecDeque<Redeciding>,
    /// Questions to the host, by deadline.
    pub questions: VecDeque<Question>,
    /// Items that can be keyed in, in no order.
    pub unread: Vec<Slot>,
    pub seats: Vec<Seat>,
    pub books: Books,
    pub hash: RollingHash,
}

impl State {
    pub fn new(hub: &Hub, plan: &Plan, setup: Setup) -> Self {
        let cells = hub.cells() as usize;
        // Every cell can hold an item while as many again are on returns or in doubt.
        let slots = cells * 2;
        let tracks = (0..hub.tracks().len()).map(|track| {
            let own = hub.tracks()[track].kind.cells() as usize;
            Track {
                at: BeltMm(0),
                speed: MmPerS(0),
                told: Micros(0),
                linked: false,
                is_fresh: true,
                passed: BeltMm(0),
                swept: BeltMm(0),
                sweep_next: 0,
                returning: VecDeque::with_capacity(own),
                in_doubt: VecDeque::with_capacity(own),
            }
        });
        let inductions = hub.inductions().iter();
        let scanner = || Scanner {
            items: Ring::with_capacity(SCANNER_WAITING_MAX),
            scans: Ring::with_capacity(SCANNER_WAITING_MAX),
        };
        Self {
            now: Micros(0),
            run_epoch: setup.run_epoch,
            sorter: setup.sorter,
            parcels_named: 0,
            items: Vec::with_capacity(slots),
            transfers: Transfers::new(hub),
            facts: Vec::with_capacity(slots),
            cases: Vec::with_capacity(slots),
            free: Vec::with_capacity(slots),
            cells: vec![NO_ITEM; cells],
            tracks: tracks.collect(),
            scanners: hub.scanners().iter().map(|_| scanner()).collect(),
            waiting: 0,
            chutes: chutes::all(hub, plan, setup),
            deadlines: Deadlines::new(chutes::timers(hub.chutes().len())),
            lists: Lists::new(slots, redeciding::lists(hub.chutes().len())),
            redo: Redo::new(),
            told: VecDeque::with_capacity(hub.chutes().len()),
            pending_clear: 0,
            bags_locked: 0,
            // Those that hang at the start have the first numbers.
            bags_named: hub.chutes().len() as u64,
            turns: 0,
            shares: Shares::new(),
            plans: Known::new(plan.version()),
            diverters: vec![Diverter::default(); hub.chutes().len()],
            running: vec![Running::default(); hub.tracks().len()],
            unsettled: 0,
            reviewing: 0,
            inductions: inductions.map(|spec| Induction::new(hub, spec)).collect(),
            host_late_in_row: 0,
            hearing: vec![Hearing::default(); hub.scanners().len()],
            carriers: vec![Carrier::NEW; cells],
            waves: plan.waves(),
            gone: VecDeque::with_capacity(slots),
            hold_until: Micros(0),
            provisional: 0,
            by_parcel: Lookup::new(slots),
            by_code: Lookup::new(slots),
            instructions: Instructions::new(),
            redeciding: VecDeque::with_capacity(REDECIDING_MAX),
            questions: VecDeque::with_capacity(QUESTIONS_MAX),
            unread: Vec::with_capacity(slots),
            seats: Vec::with_capacity(SEATS_MAX),
            books: Books::default(),
            hash: RollingHash::default(),
        }
    }

    /// Finds everything by its names again after decoding; `false` if the state cannot be one that
    /// was encoded.
    pub fn rebuild(&mut self, hub: &Hub) -> bool {
        let slots = hub.cells() as usize * 2;
        let count = self.items.len();
        if count > slots || self.facts.len() != count || self.cases.len() != count {
            return false;
        }
        self.by_parcel = Lookup::new(slots);
        self.by_code = Lookup::new(slots);
        let mut is_free = vec![false; count];
        for &slot in &self.free {
            match is_free.get_mut(slot as usize) {
                Some(free) => *free = true,
                None => return false,
            }
        }
        let used = (0..count).filter(|&slot| !is_free[slot]);
        for slot in used {
            let (item, case) = (&self.items[slot], &self.cases[slot]);
            if item.parcel != ParcelId::default() {
                self.by_parcel.set(item.parcel.0, slot as Slot);
            }
            if item.code == CodeId::NONE {
                continue;
            }
            let Some(before) = self.cases.get(case.before as usize) else {
                return false;
            };
            // Of a ring, the first is the one that its last does not lead to.
            if before.next != slot as Slot {
                self.by_code.set(item.code.0, slot as Slot);
            }
        }
        self.instructions.rebuild()
    }

    /// Gives back the capacity that a decoded state lacks, so that nothing is allocated later;
    /// `false` if it cannot be the state of this hub's sorter.
    pub fn reserve(&mut self, hub: &Hub) -> bool {
        let slots = hub.cells() as usize * 2;
        let chutes = hub.chutes().len();
        let is_sound = self.cells.len() == hub.cells() as usize
            && self.chutes.len() == chutes
            && self.deadlines.reserve(chutes::timers(chutes))
            && self.lists.is_sound(slots, redeciding::lists(chutes))
            && self.redo.is_sound()
            && self.shares.reserve();
        if !is_sound {
            return false;
        }
        self.told
            .reserve_exact(chutes.saturating_sub(self.told.len()));
        self.cases
            .reserve_exact(slots.saturating_sub(self.cases.len()));
        self.unread
            .reserve_exact(slots.saturating_sub(self.unread.len()));
        self.seats
            .reserve_exact(SEATS_MAX.saturating_sub(self.seats.len()));
        self.redeciding
            .reserve_exact(REDECIDING_MAX.saturating_sub(self.redeciding.len()));
        self.questions
            .reserve_exact(QUESTIONS_MAX.saturating_sub(self.questions.len()));
        self.items
            .reserve_exact(slots.saturating_sub(self.items.len()));
        self.transfers.reserve();
        self.facts
            .reserve_exact(slots.saturating_sub(self.facts.len()));
        self.free
            .reserve_exact(slots.saturating_sub(self.free.len()));
        self.gone
            .reserve_exact(slots.saturating_sub(self.gone.len()));
        for (track, spec) in self.tracks.iter_mut().zip(hub.tracks()) {
            let own = spec.kind.cells() as usize;
            track
                .returning
                .reserve_exact(own.saturating_sub(track.returning.len()));
            track
                .in_doubt
                .reserve_exact(own.saturating_sub(track.in_doubt.len()));
        }
        for scanner in &mut self.scanners {
            scanner.items.reserve(SCANNER_WAITING_MAX);
            scanner.scans.reserve(SCANNER_WAITING_MAX);
        }
        for (chute, spec) in self.chutes.iter_mut().zip(hub.chutes()) {
            let most = contents_max(spec.capacity);
            chute
                .contents
                .reserve_exact(most.saturating_sub(chute.contents.len()));
        }
        true
    }

    /// Its PLC may have to be told something of a chute.
    pub fn queue_chute(&mut self, id: ChuteId) {
        let chute = &mut self.chutes[id.index()];
        if !chute.is_queued {
            chute.is_queued = true;
            self.told.push_back(id);
        }
    }

    /// A free slot, or `None` when as many items are followed as there is room for.
    pub fn take_slot(&mut self, hub: &Hub, item: Item) -> Option<Slot> {
        if let Some(slot) = self.free.pop() {
            self.items[slot as usize] = item;
            self.facts[slot as usize] = Facts::default();
            self.cases[slot as usize] = Case::NEW;
            return Some(slot);
        }
        if self.items.len() >= hub.cells() as usize * 2 {
            return None;
        }
        self.items.push(item);
        self.facts.push(Facts::default());
        self.cases.push(Case::NEW);
        Some(self.items.len() as Slot - 1)
    }

    /// The item in a cell, if it is the one that the PLC means.
    pub fn find(&self, cell: CellId, item: PlcItem) -> Option<Slot> {
        let slot = *self.cells.get(cell.index())?;
        let is_it = slot != NO_ITEM && self.items[slot as usize].item == item;
        (is_it || mutant!("cell_is_enough") && slot != NO_ITEM).then_some(slot)
    }

    /// How many items are followed, in the book or not.
    pub fn followed(&self) -> u64 {
        (self.items.len() - self.free.len()) as u64
    }
}

/// How many parcels a chute can hold, as far as that must be remembered.
pub(super) fn contents_max(capacity: Capacity) -> usize {
    match capacity {
        Capacity::Unlimited => 0,
        // A few more than fit: what was on its way when it filled still comes.
        Capacity::Parcels(count) => (count as usize + 16).min(CHUTE_CONTENTS_MAX),
        // Nothing sorted by machine is shorter than 5 cm.
        Capacity::Length(length) => (length.0 as usize / 50 + 16).min(CHUTE_CONTENTS_MAX),
    }
}
