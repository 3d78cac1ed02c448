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
//! `switching` puts another plan in place, `redeciding` finds parcels another way, `commands` serves
//! people.

use alloc::sync::Arc;

use crate::hub::Hub;
use crate::ids::{BagId, ChuteId, ParcelId, ScannerId, TrackId};
use crate::outbox::Outbox;
use crate::plan::Plan;
use crate::reason::{Disposition, Reason};
use crate::signal::{Alarm, LinkState, Output, Signal};
use crate::units::Micros;

mod bags;
mod books;
mod chutes;
mod commands;
mod deadlines;
mod deriving;
mod doubt;
mod exits;
mod heading;
mod lists;
mod reading;
mod redeciding;
mod ring;
mod routing;
mod snapshot;
mod spreading;
mod state;
mod switching;
mod tracking;
mod views;

pub use bags::BagView;
pub use books::{Books, ByReason};
pub use chutes::{ChuteIs, Wish};
pub use snapshot::RestoreError;
pub use switching::StageRefused;
pub use views::{ChuteView, ItemView, TrackView};

use state::{Slot, State};
use switching::Plans;
use tracking::Seen;

/// What a sorter is made with, besides its hub and plan.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Goes into every parcel id of this run; grows with each start of the live engine.
    pub run_epoch: u32,
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
        let state = State::new(&hub, &plan, setup.run_epoch);
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
        if self.is_due(now) {
            self.fire_due(now, outbox);
        }
        self.take(signal, outbox);
        self.settle(outbox);
        for output in &outbox.outputs()[said..] {
            self.state.hash.mix(output);
        }
        self.check_invariants();
    }

    fn take(&mut self, signal: &Signal, outbox: &mut Outbox) {
        match *signal {
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
            Signal::Command { ticket, command } => self.command(ticket, &command, outbox),
            Signal::Scanned {
                scanner,
                key,
                facts,
            } => self.scanned(scanner, key, facts, outbox),
            _ => self.take_of_item(signal, outbox),
        }
    }

    /// What is told of one item.
    fn take_of_item(&mut self, signal: &Signal, outbox: &mut Outbox) {
        match *signal {
            Signal::Inducted {
                induction,
                cell,
                item,
                at,
                length,
                returned,
            } => {
                let seen = Seen {
                    at,
                    eye: self.hub.inductions()[induction.index()].at,
                };
                if returned {
                    self.came_round(cell, item, seen, length, outbox);
                } else {
                    self.inducted(cell, item, seen, length, outbox);
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
            Signal::Missing { cell, item, .. } => self.missing(cell, item),
            Signal::Unexpected { cell, item, at } => self.unexpected(cell, item, at, outbox),
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
            | Signal::Scanned { .. } => unreachable!("not told of one item: {signal:?}"),
        }
    }

    /// When to call next with [`Signal::Tick`] if nothing happens before; `None` if nothing is
    /// waited for.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Micros> {
        let silent = self.next_silent().map(|(due, _)| due);
        let chute = self.state.deadlines.first().map(|(due, _)| due);
        let at_once = !self.state.gone.is_empty() || self.is_unsettled();
        let at_once = at_once.then_some(self.state.now);
        let due = [silent, chute, at_once].into_iter().flatten().min();
        due.map(|due| due.max(self.state.hold_until))
    }

    fn is_due(&self, now: Micros) -> bool {
        self.next_timeout().is_some_and(|due| due <= now)
    }

    /// Fires what is due, in (deadline, id) order, up to one call's share; the rest is due a
    /// microsecond later, so that a second call at the same time changes nothing.
    fn fire_due(&mut self, now: Micros, outbox: &mut Outbox) {
        while self.may_decide() {
            let Some((slot, how)) = self.state.gone.pop_front() else {
                break;
            };
            self.count_decision();
            self.end(slot, how, Reason::CommunicationLost, outbox);
        }
        while self.may_decide() {
            let is_due = |due: &Micros| *due <= now;
            let silent = self.next_silent().filter(|(due, _)| is_due(due));
            let chute = self.state.deadlines.first().filter(|(due, _)| is_due(due));
            match (silent, chute) {
                (None, None) => break,
                (Some((silent, scanner)), chute) if chute.is_none_or(|(due, _)| silent <= due) => {
                    self.scanner_silent(scanner, outbox);
                }
                (_, Some((_, number))) => self.chute_due(number, outbox),
                (Some(_), None) => unreachable!("the silent scanner is the only one due"),
            }
            self.count_decision();
        }
        self.settle(outbox);
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
        match to {
            LinkState::Up => {}
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
        self.forget(slot);
    }

    /// A parcel id that was never given before.
    fn name_parcel(&mut self) -> ParcelId {
        self.state.parcels_named += 1;
        ParcelId::new(self.state.run_epoch, self.state.parcels_named)
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
