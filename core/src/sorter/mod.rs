//! The sorter: one pure state machine that follows every parcel and says where it goes.
//!
//! Its laws: `handle` first fires what is due by `now`, so that `handle(t, Tick)` and then
//! `handle(t, s)` is the same as `handle(t, s)`; the same calls give the same outputs, bit for
//! bit; nothing is allocated after [`Sorter::new`]; and its invariants are asserted in release
//! builds too, because a wrong chute is worse than a stop.
//!
//! The parts: `tracking` follows items from belt positions, `reading` brings telegrams and items
//! together, `deriving` says where they are for, `spreading` which chutes that can be and `routing`
//! by which they leave, `heading` holds room for them on their way, `exits` books how they left,
//! `doubt` finds items again that a PLC has forgotten, `chutes` and `bags` say what takes parcels,
//! `switching` puts another plan in place, `redeciding` finds parcels another way, `commands`
//! serves people: `standing` keeps what is said of waybills, `parcels` does what is wanted of
//! single ones, `asking` asks the host, `keying` is for what could not be read; `cases` holds what
//! they know of an item.

use alloc::sync::Arc;

use crate::hub::Hub;
use crate::ids::{BagId, ChuteId, ParcelId, ScannerId, SorterId, TrackId, TransferId};
use crate::outbox::Outbox;
use crate::plan::Plan;
use crate::reason::{Disposition, Reason};
use crate::running::{DisabledBy, Parts};
use crate::signal::{Alarm, LinkState, Output, Signal};
use crate::units::Micros;

mod asking;
mod bags;
mod books;
mod carriers;
mod cases;
mod chutes;
mod commands;
mod deadlines;
mod deriving;
mod doubt;
mod exits;
mod grounds;
mod handing;
mod heading;
mod keying;
mod lists;
mod lookup;
mod modes;
mod pacing;
mod parcels;
mod parts;
mod reading;
mod redeciding;
mod ring;
mod routing;
mod snapshot;
mod spreading;
mod standing;
mod state;
mod switching;
mod tracking;
mod views;
mod why;
mod words;

pub use bags::{BagStep, BagView};
pub use books::{Books, ByReason};
pub use chutes::{ChuteIs, Wish};
pub use grounds::{Grounds, HostStatus};
pub use keying::Unread;
pub use snapshot::RestoreError;
pub use standing::Standing;
pub use switching::StageRefused;
pub use views::{ChuteView, InductionView, ItemView, ScannerView, TrackView};
pub use why::{Ask, ParcelWaits, Waiting, What};

use state::{Slot, State};
use switching::Plans;
use tracking::Seen;

/// What time brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// When a scanner has said nothing of an item for too long.
    Scanner(ScannerId),
    /// When the host has not answered in time.
    Host,
    /// When a parcel has not come out of a transfer in time.
    Transfer(TransferId),
    /// When to look at a chute again.
    Chute(u32),
}

/// What a sorter is made with, besides its hub and plan.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Goes into every parcel id of this run; grows with each start of the live engine.
    pub run_epoch: u32,
    /// Which sorter of the hub it is; goes into every parcel id too.
    pub sorter: SorterId,
}

impl Setup {
    /// The only sorter of a hub, in this run.
    #[must_use]
    pub const fn new(run_epoch: u32) -> Self {
        Self {
            run_epoch,
            sorter: SorterId(0),
        }
    }
}

/// The sorter of one hub's tracks.
#[derive(Debug)]
pub struct Sorter {
    hub: Arc<Hub>,
    /// The active plan; it is among `plans` too.
    plan: Arc<Plan>,
    plans: Plans,
    state: State,
}

impl Sorter {
    /// A sorter with nothing on it. All it will ever need is allocated here.
    #[must_use]
    pub fn new(hub: Arc<Hub>, plan: Arc<Plan>, setup: Setup) -> Self {
        let state = State::new(&hub, &plan, setup);
        let mut plans = Plans::default();
        plans[0] = Some(Arc::clone(&plan));
        Self {
            hub,
            plan,
            plans,
            state,
        }
    }

    /// Takes one signal and leaves what follows from it in `outbox` (which it does not clear).
    ///
    /// First fires everything due by `now`, so that `handle(t, Tick)` and then `handle(t, s)` is
    /// the same as `handle(t, s)`.
    ///
    /// # Panics
    /// When `now` goes back, when a signal names a device that the hub does not have, and when an
    /// invariant is broken: each is a fault of the program around it, and sorting on would risk a
    /// wrong chute.
    pub fn handle(&mut self, now: Micros, signal: &Signal, outbox: &mut Outbox) {
        assert!(
            now >= self.state.now,
            "time went back from {:?} to {now:?}",
            self.state.now
        );
        self.state.now = now;
        let said = outbox.outputs().len();
        let waits_for_tick = mutant!("due_only_at_ticks") && *signal != Signal::Tick;
        if self.is_due(now) && !waits_for_tick {
            self.fire_due(now, outbox);
            self.settle(outbox);
        }
        self.take(signal, outbox);
        self.catch_up(outbox);
        self.settle(outbox);
        for output in &outbox.outputs()[said..] {
            self.state.hash.mix(output);
        }
        self.check_invariants();
    }

    fn take(&mut self, signal: &Signal, outbox: &mut Outbox) {
        match *signal {
            Signal::Tick if mutant!("tick_gives_up") => self.scanner_silent(ScannerId(0), outbox),
            Signal::Tick => {}
            Signal::Belt { track, at, speed } => self.belt(track, at, speed, outbox),
            Signal::Chute {
                chute,
                state,
                taken,
            } => self.chute_told(chute, state, taken, outbox),
            Signal::BagButton { chute } => self.bag_button(chute, outbox),
            Signal::Link { track, to } => self.link(track, to, outbox),
            Signal::Inventory { cell, item, at } => self.inventory(cell, item, at, outbox),
            Signal::InventoryEnd { track, at } => self.inventory_end(track, at),
            Signal::Transfer {
                transfer,
                parcel,
                facts,
            } => self.expect(transfer, parcel, facts, outbox),
            Signal::Command { ticket, command } => self.command(ticket, &command, outbox),
            Signal::CarrierDisabled { cell } => {
                self.disable_carrier(cell, DisabledBy::Plc, outbox);
            }
            Signal::InductionState { induction, feeding } => {
                self.state.inductions[induction.index()].feeding = feeding;
            }
            Signal::Scanned {
                scanner,
                key,
                facts,
            } => self.scanned(scanner, key, facts, outbox),
            _ => self.take_of_item(signal, outbox),
        }
    }

    /// What is told of one item.
    #[expect(
        clippy::too_many_lines,
        reason = "a table: one arm for each kind of signal"
    )]
    fn take_of_item(&mut self, signal: &Signal, outbox: &mut Outbox) {
        match *signal {
            Signal::Inducted {
                induction,
                cell,
                item,
                at,
                length,
                spans,
                returned,
            } => {
                let seen = Seen {
                    at,
                    eye: self.hub.inductions()[induction.index()].at,
                };
                if returned {
                    self.came_round(cell, item, seen, length, outbox);
                } else {
                    self.inducted(induction, cell, item, seen, (length, spans), outbox);
                }
            }
            Signal::AtScanner {
                scanner,
                cell,
                item,
                trigger,
                at,
            } => {
                self.at_scanner(scanner, cell, item, trigger, at, outbox);
            }
            Signal::Discharged {
                chute,
                cell,
                item,
                at,
            } => {
                self.discharged(chute, cell, item, at, outbox);
            }
            Signal::NotDischarged {
                chute,
                cell,
                item,
                at,
                cause,
            } => {
                self.not_discharged(chute, cell, item, at, cause, outbox);
            }
            Signal::LapPassed { cell, item, at } => self.lap_passed(cell, item, at, outbox),
            Signal::Returning { cell, item, at } => self.returning(cell, item, at),
            Signal::Missing { cell, item, .. } => {
                self.mistracked(cell);
                self.missing(cell, item);
            }
            Signal::Unexpected { cell, item, at } => {
                self.mistracked(cell);
                self.unexpected(cell, item, at, outbox);
            }
            Signal::CarrierNotEmpty { cell, item, at } => {
                self.carrier_not_empty(cell, item, at, outbox);
            }
            Signal::RemovedByHand { cell, item } => self.removed_by_hand(cell, item, outbox),
            Signal::OrderAnswered {
                cell,
                item,
                revision,
                answer,
            } => {
                self.order_answered(cell, item, revision, answer, outbox);
            }
            Signal::Tick
            | Signal::Belt { .. }
            | Signal::Chute { .. }
            | Signal::BagButton { .. }
            | Signal::Link { .. }
            | Signal::Inventory { .. }
            | Signal::InventoryEnd { .. }
            | Signal::Command { .. }
            | Signal::CarrierDisabled { .. }
            | Signal::InductionState { .. }
            | Signal::Transfer { .. }
            | Signal::Scanned { .. } => unreachable!("not told of one item: {signal:?}"),
        }
    }

    /// When to call next with [`Signal::Tick`] if nothing happens before; `None` if nothing is
    /// waited for.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Micros> {
        let owed = !self.state.gone.is_empty()
            || !self.state.redeciding.is_empty()
            || (self.state.unsettled | self.state.reviewing) != 0
            || self.is_unfinished();
        let now = owed.then_some(self.state.now);
        let timer = self.next_due().map(|(due, _)| due);
        let due = now.into_iter().chain(timer).min();
        due.map(|due| due.max(self.state.hold_until))
    }

    fn is_due(&self, now: Micros) -> bool {
        self.next_timeout().is_some_and(|due| due <= now)
    }

    /// Fires what is due, in (deadline, id) order, up to one call's share; the rest is due a
    /// microsecond later, so that a second call at the same time changes nothing.
    fn fire_due(&mut self, now: Micros, outbox: &mut Outbox) {
        while self.may_decide()
            && let Some((slot, how)) = self.state.gone.pop_front()
        {
            self.count_decision();
            self.end(slot, how, Reason::CommunicationLost, outbox);
        }
        self.redecide_some(outbox);
        while self.may_decide() {
            let Some((due, timer)) = self.next_due() else {
                break;
            };
            if due > now {
                break;
            }
            match timer {
                Timer::Scanner(scanner) => self.scanner_silent(scanner, outbox),
                Timer::Host => self.host_is_late(outbox),
                Timer::Transfer(transfer) => self.lose_expected(transfer, outbox),
                Timer::Chute(number) => self.chute_due(number, outbox),
            }
            self.count_decision();
        }
        self.go_on_reviewing(outbox);
        self.catch_up(outbox);
    }

    /// What is due next, and when; of two things at once, the first kind of [`Timer`] comes first.
    fn next_due(&self) -> Option<(Micros, Timer)> {
        let silent = self.next_silent();
        let silent = silent.map(|(due, scanner)| (due, Timer::Scanner(scanner)));
        let question = self.state.questions.front();
        let late = question.map(|question| (question.until, Timer::Host));
        let overdue = self.next_overdue();
        let overdue = overdue.map(|(due, transfer)| (due, Timer::Transfer(transfer)));
        let chute = self.state.deadlines.first();
        let chute = chute.map(|(due, number)| (due, Timer::Chute(number)));
        [silent, late, overdue, chute].into_iter().flatten().min()
    }

    /// The scanner whose oldest waiting item is the first to be given up, and when that is.
    fn next_silent(&self) -> Option<(Micros, ScannerId)> {
        if self.state.waiting == 0 {
            return None;
        }
        let scanners = self
            .state
            .scanners
            .iter()
            .zip(self.hub.scanners())
            .enumerate();
        let due = scanners.filter_map(|(index, (scanner, spec))| {
            let first = scanner.items.first()?;
            let track = &self.state.tracks[spec.track.index()];
            let due = track.when(first.at.plus(i64::from(spec.wait.0)))?;
            Some((due, ScannerId(index as u16)))
        });
        due.min()
    }

    fn link(&mut self, track: TrackId, to: LinkState, outbox: &mut Outbox) {
        self.state.tracks[track.index()].linked = to == LinkState::Up;
        self.lose(track, Parts::LINK, to == LinkState::Lost);
        match to {
            LinkState::Up => self.state.transfers.begin(self.state.now),
            LinkState::Lost => outbox.push(Output::Alarm(Alarm::LinkLost { track })),
            LinkState::Reset => self.tracking_reset(track, outbox),
        }
    }

    /// Ends an item's passage that did not end in a chute.
    fn end(&mut self, slot: Slot, how: Disposition, why: Reason, outbox: &mut Outbox) {
        self.end_in(slot, how, why, None, outbox);
    }

    /// Ends an item's passage: says so, books it, and lets go of everything held for it. `place`
    /// is the chute that it left by, with its bag.
    fn end_in(
        &mut self,
        slot: Slot,
        how: Disposition,
        why: Reason,
        place: Option<(ChuteId, Option<BagId>)>,
        outbox: &mut Outbox,
    ) {
        self.enter_in_book(slot, outbox);
        self.release_room(slot);
        let item = self.state.items[slot as usize];
        if how == Disposition::Lost {
            outbox.push(Output::Alarm(Alarm::Lost {
                parcel: item.parcel,
            }));
        }
        outbox.push(Output::Ended {
            parcel: item.parcel,
            how,
            why,
            chute: place.map(|(chute, _)| chute),
            bag: place.and_then(|(_, bag)| bag),
        });
        self.state.books.end(how, why);
        let in_time =
            how == Disposition::Sorted && !matches!(why, Reason::Late | Reason::Elsewhere);
        let is_keyed = self.state.cases[slot as usize].is_keyed;
        self.state.books.keyed_in_time += u64::from(is_keyed && in_time);
        self.forget(slot);
    }

    /// A parcel id that was never given before.
    fn name_parcel(&mut self) -> ParcelId {
        self.state.parcels_named += 1;
        ParcelId::of(
            self.state.run_epoch,
            self.state.sorter,
            self.state.parcels_named,
        )
    }

    /// What must hold after every call. Cheap on purpose: it runs in release builds.
    fn check_invariants(&self) {
        let state = &self.state;
        assert!(
            state.books.balance(),
            "the book does not balance: {:?}",
            state.books
        );
        assert!(
            state.followed() == state.books.on_sorter + state.provisional,
            "{} items are followed, but {} are booked and {} provisional",
            state.followed(),
            state.books.on_sorter,
            state.provisional
        );
    }
}
