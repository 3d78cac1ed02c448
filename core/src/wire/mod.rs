//! Between the sorter's vocabulary and that of the PLC link, both ways.
//!
//! The link speaks of one track: carriers, chutes, inductions and scanners are numbered from 1 in
//! the order of the hub description, counting only those of the track; encoders have 32 bits. The
//! engine's end turns events into signals and orders into commands; the virtual PLC's end turns
//! signals into events and commands into orders.

use alloc::sync::Arc;
use alloc::vec::Vec;

mod words;

pub use words::{answer, chute_bits, chute_state, induction_wish};

use words::{feeding, not_discharged, order_answer, refusal};

use crate::hub::Hub;
use crate::ids::{CellId, ChuteId, InductionId, ParcelId, PlcItem, ScannerId, TrackId};
use crate::plc::{
    self, Assign, ChuteLevel, ChuteWish, Command, DisableCause, Event, EventKind, InductionLevel,
    Quality, Seq, Withdrawal,
};
use crate::reason::Reason;
use crate::signal::{LinkState, OnFail, Order, Output, Signal};
use crate::sorter::Wish;
use crate::units::{BeltMm, Mm, MmPerS};

/// A PLC speaks of something that the hub description does not have: the two differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum WireError {
    /// No such carrier or window.
    #[error("the PLC speaks of carrier or window {0}, which the hub file does not give it")]
    Cell(u16),
    /// No such chute.
    #[error("the PLC speaks of chute {0}, which the hub file does not give it")]
    Chute(u16),
    /// No such induction or scanner.
    #[error("the PLC speaks of induction or scanner {0}, which the hub file does not give it")]
    Device(u16),
}

/// The numbering of one track's link, and its encoder.
#[derive(Clone, Debug)]
pub struct Wire {
    hub: Arc<Hub>,
    track: TrackId,
    /// The last position, to unwrap the next encoder value by.
    near: BeltMm,
    chutes: Vec<ChuteId>,
    inductions: Vec<InductionId>,
    scanners: Vec<ScannerId>,
}

impl Wire {
    /// The numbering of a track.
    #[must_use]
    pub fn new(hub: Arc<Hub>, track: TrackId) -> Self {
        let mut chutes: Vec<ChuteId> = hub.outlets(track).iter().map(|(_, c)| *c).collect();
        chutes.sort_unstable();
        let inductions = hub.inductions_of(track).collect();
        let scanners = hub.scanners_of(track).collect();
        Self {
            hub,
            track,
            near: BeltMm(0),
            chutes,
            inductions,
            scanners,
        }
    }

    /// The track.
    #[must_use]
    pub fn track(&self) -> TrackId {
        self.track
    }

    /// A number that differs between two hub descriptions, never 0: engine and PLC compare it, so
    /// that one set up for another hub is not obeyed.
    #[must_use]
    pub fn config_hash(&self) -> u32 {
        let mut hash = crate::outbox::RollingHash::default();
        hash.mix(self.hub.spec());
        hash.mix(&self.track);
        let value = hash.value();
        ((value ^ (value >> 32)) as u32).max(1)
    }

    /// How many chutes, inductions and carriers or windows the link has.
    #[must_use]
    pub fn counts(&self) -> (u16, u16, u16) {
        let cells = self.hub.cells_of(self.track);
        let cells = (cells.end - cells.start) as u16;
        (
            self.chutes.len() as u16,
            self.inductions.len() as u16,
            cells,
        )
    }

    /// The chute with a number of the link.
    ///
    /// # Errors
    /// If the link has no such chute.
    pub fn chute(&self, number: u16) -> Result<ChuteId, WireError> {
        lookup(&self.chutes, number).ok_or(WireError::Chute(number))
    }

    /// The number of a chute on the link; 0 if the track does not pass it.
    #[must_use]
    pub fn chute_number(&self, chute: ChuteId) -> u16 {
        number(&self.chutes, chute)
    }

    /// The number of a cell on the link.
    #[must_use]
    pub fn cell_number(&self, cell: CellId) -> u16 {
        (cell.0 - self.hub.cells_of(self.track).start) as u16 + 1
    }

    /// The cell with a number of the link.
    ///
    /// # Errors
    /// If the link has no such cell.
    pub fn cell(&self, number: u16) -> Result<CellId, WireError> {
        let own = number.checked_sub(1).ok_or(WireError::Cell(number))?;
        self.hub
            .cell(self.track, own)
            .ok_or(WireError::Cell(number))
    }

    /// The number of an induction on the link, 0 if it has none there.
    #[must_use]
    pub fn induction_number(&self, induction: InductionId) -> u16 {
        number(&self.inductions, induction)
    }

    /// The induction with a number of the link.
    ///
    /// # Errors
    /// If the link has no such induction.
    pub fn induction(&self, number: u16) -> Result<InductionId, WireError> {
        lookup(&self.inductions, number).ok_or(WireError::Device(number))
    }

    /// An encoder value of the link, unwrapped by the one before it.
    pub fn position(&mut self, encoder_mm: u32) -> BeltMm {
        self.near = BeltMm::unwrap_near(self.near, encoder_mm);
        self.near
    }

    /// What an event of the PLC tells the sorter; `None` if it is none of its business.
    ///
    /// # Errors
    /// If it speaks of something that the hub description does not have.
    #[expect(
        clippy::too_many_lines,
        reason = "a table: one arm for each kind of event"
    )]
    pub fn signal(&mut self, event: &Event) -> Result<Option<Signal>, WireError> {
        let at = self.position(event.encoder_mm);
        let item = PlcItem(event.item);
        let cell = || self.cell(event.cell);
        Ok(Some(match event.kind {
            EventKind::Inducted {
                length_mm,
                returned,
                ..
            } => Signal::Inducted {
                induction: self.induction(event.device)?,
                cell: cell()?,
                item,
                at,
                length: Mm(u32::from(length_mm)),
                // 0 where the PLC does not say.
                spans: event.spanned.max(1),
                returned,
            },
            EventKind::AtScanner { trigger } => Signal::AtScanner {
                scanner: lookup(&self.scanners, event.device)
                    .ok_or(WireError::Device(event.device))?,
                cell: cell()?,
                item,
                trigger,
                at,
            },
            EventKind::Discharged { chute, .. } => Signal::Discharged {
                chute: self.chute(chute)?,
                cell: cell()?,
                item,
                at,
            },
            EventKind::NotDischarged { chute, cause } => Signal::NotDischarged {
                chute: self.chute(chute)?,
                cell: cell()?,
                item,
                at,
                cause: refusal(cause),
            },
            EventKind::LapPassed => Signal::LapPassed {
                cell: cell()?,
                item,
                at,
            },
            EventKind::EndOfLine { returning: true } => Signal::Returning {
                cell: cell()?,
                item,
                at,
            },
            EventKind::Missing => Signal::Missing {
                cell: cell()?,
                item,
                at,
            },
            EventKind::Unexpected => Signal::Unexpected {
                cell: cell()?,
                item,
                at,
            },
            // The answer to a command about no item, as the request for an inventory is.
            EventKind::CommandAnswered { .. } if event.item == 0 => return Ok(None),
            EventKind::CommandAnswered {
                revision, answer, ..
            } => Signal::OrderAnswered {
                cell: cell()?,
                item,
                revision,
                answer: order_answer(answer),
            },
            EventKind::ChuteState { bits, taken, .. } => Signal::Chute {
                chute: self.chute(event.device)?,
                state: chute_state(bits),
                taken,
            },
            EventKind::BagButton => Signal::BagButton {
                chute: self.chute(event.device)?,
            },
            EventKind::Motion { speed_mm_s, .. } => self.belt(at, speed_mm_s),
            EventKind::TrackingReset { .. } => self.link(LinkState::Reset),
            EventKind::RemovedByHand => Signal::RemovedByHand {
                cell: cell()?,
                item,
            },
            EventKind::CarrierNotEmpty => Signal::CarrierNotEmpty {
                cell: cell()?,
                item,
                at,
            },
            EventKind::CarrierDisabled { .. } => Signal::CarrierDisabled { cell: cell()? },
            EventKind::InductionState {
                bits,
                rate_per_h,
                cause,
            } => Signal::InductionState {
                induction: self.induction(event.device)?,
                feeding: feeding(bits, rate_per_h, cause),
            },
            EventKind::Measured { .. }
            | EventKind::EndOfLine { returning: false }
            | EventKind::Alarm { .. }
            | EventKind::InventoryLatched { .. } => return Ok(None),
        }))
    }

    /// A belt's position and speed as a signal.
    #[must_use]
    pub fn belt(&self, at: BeltMm, speed_mm_s: u16) -> Signal {
        Signal::Belt {
            track: self.track,
            at,
            speed: MmPerS(u32::from(speed_mm_s)),
        }
    }

    /// A change of the link as a signal. A PLC that has lost its tracking counts its encoder anew.
    pub fn link(&mut self, to: LinkState) -> Signal {
        if to == LinkState::Reset {
            self.near = BeltMm(0);
        }
        Signal::Link {
            track: self.track,
            to,
        }
    }

    /// The levels of a chute as a signal.
    ///
    /// # Errors
    /// If the link has no such chute.
    pub fn chute_level(&self, chute: u16, level: &ChuteLevel) -> Result<Signal, WireError> {
        let state = chute_state(level.bits);
        Ok(Signal::Chute {
            chute: self.chute(chute)?,
            state,
            taken: level.taken,
        })
    }

    /// The levels of an induction as a signal.
    ///
    /// # Errors
    /// If the link has no such induction.
    pub fn induction_level(
        &self,
        number: u16,
        level: &InductionLevel,
    ) -> Result<Signal, WireError> {
        Ok(Signal::InductionState {
            induction: self.induction(number)?,
            feeding: feeding(level.bits, level.rate_per_h, level.cause),
        })
    }

    /// The command that tells the PLC what the sorter has said; `None` if it is not for a PLC.
    #[must_use]
    pub fn command(&self, output: &Output) -> Option<Command> {
        match output {
            Output::Divert(order) => Some(Command::Assign(Assign {
                revision: order.revision,
                item: order.item.0,
                cell: self.cell_number(order.cell),
                chutes: order
                    .chutes
                    .map(|chute| chute.map_or(0, |c| self.chute_number(c))),
                on_fail: match order.on_fail {
                    OnFail::Lap => plc::OnFail::Lap,
                    OnFail::Straight => plc::OnFail::Straight,
                },
                valid_until_mm: order.obey_by.wire(),
                // `obey_by` says it in belt millimetres; the count of laps is not used.
                laps_max: u16::MAX,
                reason: u16::from(order.why.code()) + 1,
                plan_version: order.plan_version as u16,
            })),
            Output::CarrierEnable { cell, enabled } => Some(Command::CarrierEnable {
                cell: self.cell_number(*cell),
                enable: *enabled,
            }),
            Output::Withdraw {
                item,
                cell,
                revision,
                ..
            } => Some(Command::Cancel(Withdrawal {
                revision: *revision,
                item: item.0,
                cell: self.cell_number(*cell),
                reason: 0,
            })),
            _ => None,
        }
    }

    /// What the PLC should do with a chute, in its words, and the chute's number on the link;
    /// `None` if the track does not pass it.
    #[must_use]
    pub fn chute_wish(&self, chute: ChuteId, wish: Wish) -> Option<(u16, ChuteWish)> {
        let words = ChuteWish {
            lock: wish.lock,
            lamp: wish.lamp as u8,
            reason: wish.why.map_or(0, |why| why.code() + 1),
        };
        match self.chute_number(chute) {
            0 => None,
            number => Some((number, words)),
        }
    }

    /// The order that a command gives, for the virtual PLC.
    ///
    /// # Errors
    /// If it names something that the track does not have.
    pub fn order(&self, assign: &Assign, near: BeltMm) -> Result<Order, WireError> {
        let mut chutes = [None; 3];
        for (place, &number) in chutes.iter_mut().zip(&assign.chutes) {
            if number != 0 {
                *place = Some(self.chute(number)?);
            }
        }
        let why = usize::from(assign.reason).checked_sub(1);
        Ok(Order {
            parcel: ParcelId(0),
            item: PlcItem(assign.item),
            cell: self.cell(assign.cell)?,
            revision: assign.revision,
            chutes,
            on_fail: match assign.on_fail {
                plc::OnFail::Lap => OnFail::Lap,
                // The engine never asks for the PLC's own reject chute: it names the chute.
                plc::OnFail::Straight | plc::OnFail::Reject => OnFail::Straight,
            },
            obey_by: BeltMm::unwrap_near(near, assign.valid_until_mm),
            why: why
                .and_then(|why| Reason::ALL.get(why))
                .copied()
                .unwrap_or(Reason::Planned),
            plan_version: u32::from(assign.plan_version),
        })
    }

    /// What the virtual PLC says of something that its plant has seen; `None` for what is not an
    /// event of the link (levels and belts have registers of their own).
    #[must_use]
    #[expect(
        clippy::too_many_lines,
        reason = "a table: one arm for each kind of signal"
    )]
    pub fn event(&self, signal: &Signal) -> Option<Event> {
        let mut spanned = 1;
        let (device, cell, item, at, kind) = match *signal {
            Signal::Inducted {
                induction,
                cell,
                item,
                at,
                length,
                spans,
                returned,
            } => {
                spanned = spans;
                let length_mm = length.0.min(u32::from(u16::MAX)) as u16;
                let kind = EventKind::Inducted {
                    length_mm,
                    gap_mm: 0,
                    returned,
                };
                (number(&self.inductions, induction), cell, item, at, kind)
            }
            Signal::AtScanner {
                scanner,
                cell,
                item,
                trigger,
                at,
            } => {
                let device = number(&self.scanners, scanner);
                (device, cell, item, at, EventKind::AtScanner { trigger })
            }
            Signal::Discharged {
                chute,
                cell,
                item,
                at,
            } => {
                let chute = self.chute_number(chute);
                let quality = Quality::ACTUATED.and(Quality::SEEN_EMPTY);
                (
                    chute,
                    cell,
                    item,
                    at,
                    EventKind::Discharged {
                        chute,
                        revision: 0,
                        quality,
                    },
                )
            }
            Signal::NotDischarged {
                chute,
                cell,
                item,
                at,
                cause,
            } => {
                let chute = self.chute_number(chute);
                let cause = not_discharged(cause);
                (
                    chute,
                    cell,
                    item,
                    at,
                    EventKind::NotDischarged { chute, cause },
                )
            }
            Signal::LapPassed { cell, item, at } => (0, cell, item, at, EventKind::LapPassed),
            Signal::Returning { cell, item, at } => {
                (0, cell, item, at, EventKind::EndOfLine { returning: true })
            }
            Signal::Missing { cell, item, at } => (0, cell, item, at, EventKind::Missing),
            Signal::Unexpected { cell, item, at } => (0, cell, item, at, EventKind::Unexpected),
            Signal::CarrierNotEmpty { cell, item, at } => {
                (0, cell, item, at, EventKind::CarrierNotEmpty)
            }
            Signal::CarrierDisabled { cell } => {
                let cause = DisableCause::Local;
                let kind = EventKind::CarrierDisabled { cause };
                (0, cell, PlcItem(0), self.near, kind)
            }
            Signal::RemovedByHand { cell, item } => {
                (0, cell, item, self.near, EventKind::RemovedByHand)
            }
            Signal::BagButton { chute } => {
                let chute = self.chute_number(chute);
                return Some(bag_button(chute, self.near));
            }
            _ => return None,
        };
        Some(Event {
            epoch: 0,
            seq: Seq::FIRST,
            item: item.0,
            cell: self.cell_number(cell),
            device,
            spanned,
            lap: 0,
            encoder_mm: at.wire(),
            plc_ms: 0,
            kind,
        })
    }
}

/// The press of a chute's button: an event of no item.
fn bag_button(chute: u16, at: BeltMm) -> Event {
    Event {
        epoch: 0,
        seq: Seq::FIRST,
        item: 0,
        cell: 0,
        device: chute,
        spanned: 0,
        lap: 0,
        encoder_mm: at.wire(),
        plc_ms: 0,
        kind: EventKind::BagButton,
    }
}

fn lookup<T: Copy>(list: &[T], number: u16) -> Option<T> {
    list.get(usize::from(number).checked_sub(1)?).copied()
}

fn number<T: Ord + Copy>(list: &[T], thing: T) -> u16 {
    list.binary_search(&thing).map_or(0, |at| at as u16 + 1)
}
