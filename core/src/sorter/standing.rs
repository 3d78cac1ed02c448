//! What people have said of waybills: it is kept until they take it back, and holds for every
//! parcel with the number, those that ride and those still to come.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::lookup::Lookup;
use super::state::{NO_ITEM, Slot};
use crate::facts::{DestKey, Verdict};
use crate::ids::CodeId;
use crate::limits::{INSTRUCTIONS_MAX, REDECIDED_BY_COMMAND_MAX, REDECIDING_MAX};
use crate::operator::{Refused, WaybillWish};
use crate::outbox::Outbox;

/// What stands for one waybill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Instruction {
    pub code: CodeId,
    pub is_held: bool,
    pub is_suspect: bool,
    /// Where it is sent instead.
    pub intercept: DestKey,
}

impl Instruction {
    const fn says_something(&self) -> bool {
        self.is_held || self.is_suspect || self.intercept.is_some()
    }
}

/// What stands for a waybill, as a page or a person sees it. Ordered by the waybill's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// The waybill.
    pub code: CodeId,
    /// Its parcels are held.
    pub is_held: bool,
    /// A security device suspects them.
    pub is_suspect: bool,
    /// Where they are sent instead; [`DestKey::NONE`]: where they are for.
    pub intercept: DestKey,
}

impl Standing {
    /// Whether anything stands.
    #[must_use]
    pub const fn says_something(&self) -> bool {
        self.is_held || self.is_suspect || self.intercept.is_some()
    }
}

impl From<Instruction> for Standing {
    fn from(of: Instruction) -> Self {
        let Instruction {
            code,
            is_held,
            is_suspect,
            intercept,
        } = of;
        Self {
            code,
            is_held,
            is_suspect,
            intercept,
        }
    }
}

/// All that stands, by waybill.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Instructions {
    all: Vec<Instruction>,
    #[serde(skip)]
    places: Lookup,
}

impl Instructions {
    pub fn new() -> Self {
        Self {
            all: Vec::with_capacity(INSTRUCTIONS_MAX),
            places: Lookup::new(INSTRUCTIONS_MAX),
        }
    }

    /// Finds its way again after decoding; `false` if it cannot be what was encoded.
    pub fn rebuild(&mut self) -> bool {
        self.places = Lookup::new(INSTRUCTIONS_MAX);
        if self.all.len() > INSTRUCTIONS_MAX {
            return false;
        }
        self.all.reserve_exact(INSTRUCTIONS_MAX - self.all.len());
        for (place, one) in self.all.iter().enumerate() {
            if one.code == CodeId::NONE || self.places.get(one.code.0).is_some() {
                return false;
            }
            self.places.set(one.code.0, place as u32);
        }
        true
    }

    /// What stands for a waybill; nothing for [`CodeId::NONE`].
    pub fn of(&self, code: CodeId) -> Instruction {
        let place = if code == CodeId::NONE {
            None
        } else {
            self.places.get(code.0)
        };
        let nothing = Instruction {
            code,
            ..Instruction::default()
        };
        place.map_or(nothing, |place| self.all[place as usize])
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// All that stands, in no order that means anything.
    pub fn all(&self) -> &[Instruction] {
        &self.all
    }

    /// Sets what stands for a waybill.
    fn set(&mut self, new: Instruction) -> Result<(), Refused> {
        match self.places.get(new.code.0) {
            Some(place) if new.says_something() => self.all[place as usize] = new,
            Some(place) => {
                self.places.remove(new.code.0);
                self.all.swap_remove(place as usize);
                if let Some(moved) = self.all.get(place as usize) {
                    self.places.set(moved.code.0, place);
                }
            }
            None if !new.says_something() => {}
            None if self.all.len() == INSTRUCTIONS_MAX => return Err(Refused::TooMany),
            None => {
                self.places.set(new.code.0, self.all.len() as u32);
                self.all.push(new);
            }
        }
        Ok(())
    }
}

/// A waybill with more parcels on the way than one call re-decides.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Redeciding {
    pub code: CodeId,
    /// The next of them.
    pub next: Slot,
    /// The verdict that was given for them.
    pub verdict: Option<Verdict>,
    /// Whether nobody's sending them to a chute before counts any more: of two words the later
    /// stands.
    pub ends_force: bool,
}

impl Sorter {
    /// What stands for a waybill.
    #[must_use]
    pub fn stands_for(&self, code: CodeId) -> Standing {
        self.state.instructions.of(code).into()
    }

    /// What stands, in the order of the waybills' numbers: those after `after`
    /// ([`CodeId::NONE`]: from the first), in place of what `list` holds and at most as many as it
    /// has room for. For people: it looks at every one.
    pub fn standing(&self, after: CodeId, list: &mut Vec<Standing>) {
        list.clear();
        let room = list.capacity();
        // The heap keeps the list's memory; the last of those that fit is on top.
        let mut first = BinaryHeap::from(core::mem::take(list));
        for told in &self.state.instructions.all {
            let told = Standing::from(*told);
            if told.code <= after {
                continue;
            }
            if first.len() < room {
                first.push(told);
            } else if let Some(mut last) = first.peek_mut()
                && told < *last
            {
                *last = told;
            }
        }
        *list = first.into_sorted_vec();
    }

    /// Somebody wants something of a waybill. It stands at once for all its parcels; those that
    /// ride are sent elsewhere if that changes their way.
    pub(super) fn waybill(
        &mut self,
        code: CodeId,
        wish: WaybillWish,
        outbox: &mut Outbox,
    ) -> Result<(), Refused> {
        if code == CodeId::NONE {
            return Err(Refused::NoCode);
        }
        let mut told = self.state.instructions.of(code);
        let mut verdict = None;
        match wish {
            WaybillWish::Hold => told.is_held = true,
            WaybillWish::Intercept { to } => {
                // The plan need not have it: a parcel that is called back must not go to its old
                // address because the plan was switched, or the engine started anew, meanwhile.
                if !to.is_some() {
                    return Err(Refused::NoSuchDestination);
                }
                told.intercept = to;
            }
            WaybillWish::Release => {
                if !told.is_held {
                    let is_suspect = told.is_suspect;
                    return Err(if is_suspect {
                        Refused::Suspect
                    } else {
                        Refused::NotHeld
                    });
                }
                told.is_held = false;
                if mutant!("release_forgets_intercept") {
                    told.intercept = DestKey::NONE;
                }
            }
            WaybillWish::CancelIntercept => {
                if !told.intercept.is_some() {
                    return Err(Refused::NotIntercepted);
                }
                told.intercept = DestKey::NONE;
            }
            WaybillWish::Verdict(said) => {
                told.is_suspect = said == Verdict::Suspect;
                verdict = Some(said);
            }
        }
        let ends_force = wish == WaybillWish::Hold && !mutant!("force_outlives_hold");
        self.redecide_waybill(code, verdict, ends_force, told, outbox)
    }

    fn redecide_waybill(
        &mut self,
        code: CodeId,
        verdict: Option<Verdict>,
        ends_force: bool,
        told: Instruction,
        outbox: &mut Outbox,
    ) -> Result<(), Refused> {
        let first = self.state.by_code.get(code.0);
        let Some(first) = first.filter(|_| !mutant!("word_misses_riders")) else {
            return self.state.instructions.set(told);
        };
        let under_way = self
            .state
            .redeciding
            .iter()
            .position(|due| due.code == code);
        if under_way.is_none() && self.state.redeciding.len() == REDECIDING_MAX {
            return Err(Refused::TooMany);
        }
        self.state.instructions.set(told)?;
        let before = under_way.and_then(|at| self.state.redeciding.remove(at));
        let mut due = Redeciding {
            code,
            next: first,
            verdict: verdict.or(before.and_then(|before| before.verdict)),
            ends_force: ends_force || before.is_some_and(|before| before.ends_force),
        };
        for _ in 0..REDECIDED_BY_COMMAND_MAX {
            self.redecide_one(&mut due, outbox);
        }
        if due.next != NO_ITEM {
            self.state.redeciding.push_back(due);
        }
        Ok(())
    }

    fn redecide_one(&mut self, due: &mut Redeciding, outbox: &mut Outbox) {
        let slot = due.next;
        if slot == NO_ITEM {
            return;
        }
        due.next = if mutant!("hold_reaches_one") {
            NO_ITEM
        } else {
            self.state.cases[slot as usize].next
        };
        if let Some(verdict) = due.verdict {
            self.state.facts[slot as usize].verdict = verdict;
        }
        if due.ends_force {
            self.state.cases[slot as usize].forced = None;
        }
        self.redecide(slot, outbox);
    }

    /// Goes on with waybills of many parcels, as far as this call's share goes.
    pub(super) fn redecide_some(&mut self, outbox: &mut Outbox) {
        while self.may_decide()
            && let Some(mut due) = self.state.redeciding.pop_front()
        {
            self.redecide_one(&mut due, outbox);
            self.count_decision();
            if due.next != NO_ITEM {
                self.state.redeciding.push_front(due);
            }
        }
    }
}
