//! What a chute is at the moment: what it says of itself, what people want of it, and what lies in
//! it, brought to one answer.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::bags::{Bag, Step};
use super::state::contents_max;
use super::{Setup, Sorter};
use crate::hub::{Capacity, Hub, Lot, Sensing};
use crate::ids::{BagId, ChuteId, ParcelId};
use crate::limits::LOCKED_LONG;
use crate::operator::{ChuteWish, Refused};
use crate::outbox::Outbox;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::signal::{Alarm, ChuteState, Lamp, Output, Refusal};
use crate::units::Micros;

/// What a chute is, all things considered. Where several hold, the first in this order counts,
/// but for `Open` and `Half`, which hold when nothing else does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChuteIs {
    /// It takes parcels.
    #[default]
    Open,
    /// It takes parcels, and its half eye is covered.
    Half,
    /// A person has taken it out of service.
    Disabled,
    /// Its PLC says that it is out of service.
    DisabledByPlc,
    /// Parcels are stuck in it.
    Jammed,
    /// It was locked at the chute itself and opens only there.
    LockedLocally,
    /// Its bag is being changed because somebody asked for it.
    BagChange,
    /// Its bag is being changed because it holds what it may.
    BagLimit,
    /// A person has locked it, or its PLC still holds the lock.
    Locked,
    /// What lies in it is its last owner's and has not been cleared.
    PendingClear,
    /// Its full eye is covered by what no parcel can be.
    EyeStuck,
    /// Its full eye has been covered for long enough.
    Full,
}

impl ChuteIs {
    /// Its name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Half => "half",
            Self::Disabled => "disabled",
            Self::DisabledByPlc => "disabled-by-plc",
            Self::Jammed => "jammed",
            Self::LockedLocally => "locked-locally",
            Self::BagChange => "bag-change",
            Self::BagLimit => "bag-limit",
            Self::Locked => "locked",
            Self::PendingClear => "pending-clear",
            Self::EyeStuck => "eye-stuck",
            Self::Full => "full",
        }
    }

    /// Why it takes nothing; `None` if it does.
    #[must_use]
    pub const fn closed_because(self) -> Option<Reason> {
        match self {
            Self::Open | Self::Half => None,
            Self::Disabled | Self::DisabledByPlc | Self::EyeStuck => Some(Reason::ChuteDisabled),
            Self::Jammed => Some(Reason::ChuteJammed),
            Self::LockedLocally | Self::Locked => Some(Reason::ChuteLocked),
            Self::BagChange => Some(Reason::BagChange),
            Self::BagLimit => Some(Reason::BagLimit),
            Self::PendingClear => Some(Reason::PendingClear),
            Self::Full => Some(Reason::ChuteFull),
        }
    }

    /// Whether its PLC refuses by itself for as long as this lasts, so that a try is safe.
    #[must_use]
    pub const fn is_guarded(self) -> bool {
        matches!(
            self,
            Self::Full | Self::Jammed | Self::LockedLocally | Self::DisabledByPlc
        )
    }

    /// Whether it is locked in one way or another, which should not last long.
    const fn is_locked(self) -> bool {
        matches!(
            self,
            Self::LockedLocally | Self::Locked | Self::BagChange | Self::BagLimit
        )
    }
}

/// A chute as last told, what people want of it, and what is on its way to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Chute {
    pub is: ChuteIs,
    /// Since when it is that.
    pub since: Micros,
    pub state: ChuteState,
    /// The full eye has been covered for long enough.
    pub full_held: bool,
    pub eye_stuck: bool,
    /// Something has dropped since the full eye was last clear or the chute was emptied, or that
    /// is not known: what covers the eye can be a parcel.
    pub has_dropped: bool,
    pub disabled: bool,
    pub locked: bool,
    pub pending_clear: bool,
    /// Whose parcels lie in it, or did last: see [`Plan::owner`](crate::plan::Plan::owner); 0 for
    /// nobody's.
    pub owner: u64,
    pub bag: Bag,
    /// What was said last of what its PLC should do.
    pub wish: Wish,
    /// It stands in the queue of chutes whose wish has changed.
    pub is_queued: bool,
    /// When it was chosen last, in choices: the one chosen longest ago breaks a tie.
    pub turn: u64,
    pub taken: u16,
    pub dropped: u64,
    pub refused: [u64; Refusal::COUNT],
    /// For how long it was full and locked, but for the present stretch.
    pub full_us: u64,
    pub locked_us: u64,
    /// Parcels on their way to it.
    pub coming: u32,
    /// Of those, how many are to be sent elsewhere as soon as their turn comes.
    pub leaving: u32,
    /// Mass and volume (cm³) of those on their way, where its container has a limit.
    pub coming_weight: u64,
    pub coming_volume: u64,
    /// Room held for those on their way, in the unit of its capacity.
    pub held: u64,
    /// Room used by what is in it, in the unit of its capacity.
    pub used: u64,
    /// What is in it, in order, for chutes with a capacity: the room of each parcel.
    pub contents: VecDeque<u32>,
    /// Taken out, and that was told by another track's PLC before the drop was by its own; and
    /// when the last of them was told.
    pub early: (u8, Micros),
}

/// What a chute's PLC should do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wish {
    /// Drop nothing more.
    pub lock: bool,
    /// What the lamp shows.
    pub lamp: Lamp,
    /// Why, where it is not simply open.
    pub why: Option<Reason>,
}

/// When to look at a chute again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When its full eye has been covered for long enough.
    Full,
    /// When its full eye has been covered for so long that it must be stuck.
    Stuck,
    /// When it has been locked for too long.
    Locked,
}

/// How many there are.
const TIMERS: u32 = 3;

impl Timer {
    const fn number(self, chute: ChuteId) -> u32 {
        chute.0 as u32 * TIMERS + self as u32
    }

    const fn of(number: u32) -> (ChuteId, Self) {
        let timer = match number % TIMERS {
            0 => Self::Full,
            1 => Self::Stuck,
            _ => Self::Locked,
        };
        (ChuteId((number / TIMERS) as u16), timer)
    }
}

/// Every chute of a hub at the start, with the bag that hangs at it.
pub(super) fn all(hub: &Hub, plan: &Plan, setup: Setup) -> Vec<Chute> {
    let chutes = hub.chutes().iter().enumerate();
    let chute = chutes.map(|(at, spec)| {
        let bag = BagId(ParcelId::of(setup.run_epoch, setup.sorter, at as u64 + 1));
        let id = ChuteId(at as u16);
        let owner = if plan.uses(id).is_any() {
            plan.owner(id)
        } else {
            0
        };
        Chute::new(spec.capacity, spec.outlets.len(), bag, owner)
    });
    chute.collect()
}

/// How many deadlines so many chutes can have.
pub(super) const fn timers(chutes: usize) -> usize {
    chutes * TIMERS as usize
}

impl Chute {
    fn new(capacity: Capacity, outlets: usize, bag: BagId, owner: u64) -> Self {
        Self {
            is: ChuteIs::Open,
            since: Micros(0),
            state: ChuteState::OPEN,
            full_held: false,
            eye_stuck: false,
            has_dropped: true,
            disabled: false,
            locked: false,
            pending_clear: false,
            owner,
            bag: Bag::new(bag, outlets),
            wish: Wish::default(),
            is_queued: false,
            turn: 0,
            taken: 0,
            dropped: 0,
            refused: [0; Refusal::COUNT],
            full_us: 0,
            locked_us: 0,
            coming: 0,
            leaving: 0,
            coming_weight: 0,
            coming_volume: 0,
            held: 0,
            used: 0,
            contents: VecDeque::with_capacity(contents_max(capacity)),
            early: (0, Micros(0)),
        }
    }

    /// What it is by all that is known.
    fn judge(&self) -> ChuteIs {
        let state = &self.state;
        if self.disabled {
            ChuteIs::Disabled
        } else if !state.enabled {
            ChuteIs::DisabledByPlc
        } else if state.jammed {
            ChuteIs::Jammed
        } else if state.locked && self.bag.step == Step::Open {
            ChuteIs::LockedLocally
        } else if self.bag.step != Step::Open {
            self.bag.why
        } else if self.locked || state.lock_applied {
            ChuteIs::Locked
        } else if self.pending_clear {
            ChuteIs::PendingClear
        } else if self.eye_stuck {
            ChuteIs::EyeStuck
        } else if self.full_held {
            ChuteIs::Full
        } else if state.half {
            ChuteIs::Half
        } else {
            ChuteIs::Open
        }
    }

    /// What its PLC should do by all that is known.
    fn wanted(&self) -> Wish {
        let lock = self.disabled || self.locked || self.bag.step != Step::Open;
        let lamp = match self.is {
            ChuteIs::Disabled => Lamp::OutOfService,
            ChuteIs::BagChange | ChuteIs::BagLimit => self.bag.lamp(),
            ChuteIs::Locked if self.locked => Lamp::Locked,
            ChuteIs::PendingClear => Lamp::Clear,
            // What its PLC knows by itself it shows by itself.
            _ => Lamp::Dark,
        };
        let why = (lamp != Lamp::Dark).then(|| self.is.closed_because());
        Wish {
            lock,
            lamp,
            why: why.flatten(),
        }
    }

    /// For how long it has been full and locked by `now`, in µs.
    pub fn closed_us(&self, now: Micros) -> (u64, u64) {
        let more = now.since(self.since).0;
        let (mut full, mut locked) = (self.full_us, self.locked_us);
        match self.is {
            ChuteIs::Full => full += more,
            is if is.is_locked() => locked += more,
            _ => {}
        }
        (full, locked)
    }
}

impl Sorter {
    /// What a chute says of itself.
    pub(super) fn chute_told(
        &mut self,
        id: ChuteId,
        state: ChuteState,
        taken: u16,
        outbox: &mut Outbox,
    ) {
        let chute = &mut self.state.chutes[id.index()];
        let was = core::mem::replace(&mut chute.state, state);
        self.count_taken(id, taken);
        if state.full != was.full {
            self.eye_changed(id, state.full, outbox);
        }
        self.bag_lock_told(id);
        self.update_chute(id, outbox);
    }

    fn eye_changed(&mut self, id: ChuteId, covered: bool, outbox: &mut Outbox) {
        let now = self.state.now;
        let rules = self.hub.chutes()[id.index()].rules;
        let chute = &mut self.state.chutes[id.index()];
        if covered {
            let due = now.after(rules.full_after);
            self.state.deadlines.set(Timer::Full.number(id), due);
            if due <= now {
                self.chute_due(Timer::Full.number(id), outbox);
            }
            self.watch_eye(id);
        } else {
            chute.has_dropped = false;
            chute.full_held = false;
            chute.eye_stuck = false;
            self.state.deadlines.clear(Timer::Full.number(id));
            self.state.deadlines.clear(Timer::Stuck.number(id));
        }
    }

    /// A covered eye of a chute in which nothing can lie is given some time.
    fn watch_eye(&mut self, id: ChuteId) {
        let after = self.hub.chutes()[id.index()].rules.stuck_after;
        let chute = &self.state.chutes[id.index()];
        if chute.state.full && !chute.has_dropped && !chute.eye_stuck {
            let due = self.state.now.after(after);
            self.state.deadlines.set(Timer::Stuck.number(id), due);
        }
    }

    /// Nothing lies in a chute any more.
    pub(super) fn chute_emptied(&mut self, id: ChuteId) {
        self.state.chutes[id.index()].has_dropped = false;
        self.watch_eye(id);
    }

    /// A parcel has dropped: it can be what covers the eye.
    pub(super) fn chute_dropped(&mut self, id: ChuteId) {
        let chute = &mut self.state.chutes[id.index()];
        chute.dropped += 1;
        if !chute.has_dropped {
            chute.has_dropped = true;
            chute.eye_stuck = false;
            self.state.deadlines.clear(Timer::Stuck.number(id));
        }
    }

    /// A chute's deadline has come.
    pub(super) fn chute_due(&mut self, number: u32, outbox: &mut Outbox) {
        self.state.deadlines.clear(number);
        let (id, timer) = Timer::of(number);
        let chute = &mut self.state.chutes[id.index()];
        match timer {
            Timer::Full => chute.full_held = true,
            Timer::Stuck => {
                chute.eye_stuck = true;
                outbox.push(Output::Alarm(Alarm::EyeStuck { chute: id }));
            }
            Timer::Locked => outbox.push(Output::Alarm(Alarm::LockedLong { chute: id })),
        }
        self.update_chute(id, outbox);
    }

    /// Brings what a chute is up to date with what is known of it.
    pub(super) fn update_chute(&mut self, id: ChuteId, outbox: &mut Outbox) {
        self.bag_goes_on(id, outbox);
        self.clear_by_itself(id);
        let now = self.state.now;
        let chute = &mut self.state.chutes[id.index()];
        let (was, is) = (chute.is, chute.judge());
        if was != is {
            (chute.full_us, chute.locked_us) = chute.closed_us(now);
            chute.is = is;
            chute.since = now;
            if was.is_locked() != is.is_locked() {
                let due = if is.is_locked() {
                    now.after(LOCKED_LONG)
                } else {
                    Micros::NEVER
                };
                self.state.deadlines.set(Timer::Locked.number(id), due);
            }
            if is.closed_because().is_some() {
                self.look_again_at(id);
            }
            if is.closed_because().is_some() != was.closed_because().is_some() {
                self.look_at_rejects(id);
            }
        }
        let chute = &self.state.chutes[id.index()];
        if chute.wanted() != chute.wish {
            self.state.queue_chute(id);
        }
    }

    /// Says what a chute's PLC should do, if that has changed.
    pub(super) fn say_wish(&mut self, id: ChuteId, outbox: &mut Outbox) {
        let chute = &mut self.state.chutes[id.index()];
        chute.is_queued = false;
        let wish = chute.wanted();
        if wish == chute.wish {
            return;
        }
        chute.wish = wish;
        let Wish { lock, lamp, why } = wish;
        outbox.push(Output::ChuteWish {
            chute: id,
            lock,
            lamp,
            why,
        });
    }

    /// Whether a chute takes parcels from a track of this sorter.
    pub(super) fn is_own_chute(&self, id: ChuteId) -> bool {
        let spec = self.hub.chutes().get(id.index());
        spec.is_some_and(|chute| chute.outlets.iter().any(|outlet| self.is_own(outlet.track)))
    }

    /// Whether something may lie in a chute or drop into it yet, as far as can be known.
    pub(super) fn may_hold(&self, id: ChuteId) -> bool {
        let (spec, chute) = (
            &self.hub.chutes()[id.index()],
            &self.state.chutes[id.index()],
        );
        let holds = match (spec.rules.lot, spec.sensing) {
            (Lot::Flow, Sensing::Counted) => !chute.contents.is_empty(),
            (Lot::Flow, Sensing::Eyes) => chute.state.half || chute.state.full,
            (Lot::Cage | Lot::Bag, _) => chute.bag.may_hold(),
        };
        holds || chute.coming > chute.leaving
    }

    /// A chute that waits to be cleared and can hold nothing any more is cleared.
    fn clear_by_itself(&mut self, id: ChuteId) {
        if self.state.chutes[id.index()].pending_clear && !self.may_hold(id) {
            self.chute_cleared(id);
        }
    }

    /// What lay in a chute is gone: from now on it is its present owner's.
    pub(super) fn chute_cleared(&mut self, id: ChuteId) {
        let chute = &mut self.state.chutes[id.index()];
        if chute.pending_clear {
            chute.pending_clear = false;
            self.state.pending_clear -= 1;
        }
        if self.plan.uses(id).is_any() {
            chute.owner = self.plan.owner(id);
        }
    }

    /// What people want of a chute.
    pub(super) fn chute_wished(
        &mut self,
        id: ChuteId,
        to: ChuteWish,
        outbox: &mut Outbox,
    ) -> Result<(), Refused> {
        if !self.is_own_chute(id) {
            return Err(Refused::NoSuchDevice);
        }
        let chute = &mut self.state.chutes[id.index()];
        match to {
            ChuteWish::Lock => chute.locked = true,
            // Our own lock goes, whatever else keeps the chute closed.
            ChuteWish::Unlock if chute.locked => chute.locked = false,
            ChuteWish::Unlock if chute.state.locked => return Err(Refused::LockedLocally),
            ChuteWish::Unlock if chute.bag.step != Step::Open => return Err(Refused::BagChanging),
            ChuteWish::Unlock => {}
            ChuteWish::Disable => chute.disabled = true,
            ChuteWish::Enable => chute.disabled = false,
            ChuteWish::Cleared => self.cleared_by_hand(id, outbox),
            ChuteWish::ChangeBag => self.change_bag(id, ChuteIs::BagChange)?,
            ChuteWish::BindBag { label } => self.bind_bag(id, label, outbox)?,
            ChuteWish::BagReady => self.bag_ready(id, outbox)?,
            ChuteWish::KeepBag => self.keep_bag(id, outbox)?,
        }
        self.update_chute(id, outbox);
        Ok(())
    }

    /// A person has taken out what lay in a chute.
    fn cleared_by_hand(&mut self, id: ChuteId, outbox: &mut Outbox) {
        let chute = &mut self.state.chutes[id.index()];
        chute.contents.clear();
        chute.used = 0;
        self.bag_cleared(id, outbox);
        self.chute_emptied(id);
        self.chute_cleared(id);
    }
}
