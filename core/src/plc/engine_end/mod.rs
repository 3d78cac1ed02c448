//! The engine's end of the mailbox.

mod commands;
mod config;
mod exchange;
mod intake;
mod liveness;
mod receive;
mod schedule;
mod sweep;
mod wishes;

use alloc::collections::VecDeque;

use super::LinkMs;
use super::blocks::Info;
use super::command::Command;
use super::event::{Event, Slot};
use super::inventory::{InventoryCell, InventoryEnd, InventoryReader, Told};
use super::levels::{ChuteLevel, ChuteWish, InductionLevel, InductionWish};
use super::lists::{EngineBits, StatusBits};
use super::map::SLOTS;
use super::ring::Seq;
use commands::CommandRing;
pub use config::{ConfigError, EngineConfig};
pub use exchange::{Exchange, Read, Write};
use intake::EventIntake;
use liveness::Liveness;
use schedule::{ReadKind, WriteKind};
use sweep::{LEVELS_PER_PAGE, Sweep};
use wishes::Wishes;

/// Names one event for good: the PLC's life and the place in its ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The PLC's boot id.
    pub boot: u16,
    /// Sequence number of the event.
    pub seq: Seq,
}

/// What happened to the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Both heartbeats move: the PLC runs, and hears us.
    Up,
    /// No sign of life for the loss time. Accepted orders still hold; undecided items lap or
    /// reject.
    Lost {
        /// The last sign of life.
        since: LinkMs,
    },
    /// The PLC lost its tracking and begins again under another boot id. Every command is void;
    /// nothing that was on the track is known to it.
    Reset {
        /// The new boot id.
        boot: u16,
    },
    /// The PLC obeys this engine. Ask for an inventory.
    Granted {
        /// The PLC's boot id.
        boot: u16,
    },
    /// The PLC obeys another engine. Once this was granted before, only a run with a newer epoch
    /// gets it back.
    Refused {
        /// The epoch it obeys.
        granted_epoch: u16,
    },
    /// Events were lost in the PLC. Ask for an inventory.
    EventsLost {
        /// How many.
        count: u16,
    },
    /// The PLC had stopped hearing us for its loss time; inductions stood. It has been told that
    /// this was seen.
    LossLatched,
    /// The PLC is set up for another hub. Nothing is claimed until that is mended.
    ConfigMismatch {
        /// What the PLC says about itself.
        theirs: Info,
    },
    /// The PLC speaks another version of the register map. Nothing is claimed.
    VersionMismatch {
        /// Its version.
        theirs: u16,
    },
}

/// What comes out of the mailbox, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Something happened to the link.
    Link(Link),
    /// The next event. Acknowledge it when it is safe.
    Event(Mark, Event),
    /// The next slot of the ring is whole but outside the contract. Alarm, and acknowledge it.
    Unreadable(Mark, Slot),
    /// One cell of the inventory that the event before it told of. Cells that hold and disable
    /// nothing are left out.
    Inventory(InventoryCell),
    /// The inventory's end. Later events follow.
    InventoryEnd(InventoryEnd),
    /// A chute's levels, where they differ from what was told before.
    Chute(u16, ChuteLevel),
    /// An induction's levels, where they differ from what was told before.
    Induction(u16, InductionLevel),
    /// The track now. Everything that happened up to this encoder value has been told.
    Status {
        /// Encoder in mm, wrapping.
        encoder_mm: u32,
        /// Speed.
        speed_mm_s: u16,
        /// State of track and mailbox.
        bits: StatusBits,
    },
}

/// Why a command was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushRefused {
    /// Too many wait already. Decide less, or let the parcel lap; push again after the next
    /// acknowledgement.
    #[error("the command queue is full: push again when the PLC has consumed some")]
    Full,
    /// The PLC does not obey this engine. Wait for `Granted`.
    #[error("the PLC has not granted this engine: wait for the grant")]
    NotGranted,
}

/// Why a reply was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// There is no exchange under way.
    #[error("a reply without an exchange: drop the connection")]
    Unasked,
    /// Another number of registers than was asked for.
    #[error("{got} registers instead of {asked}: drop the connection")]
    Count {
        /// Registers asked for.
        asked: u16,
        /// Registers handed in.
        got: usize,
    },
}

/// How far the claim has come, in the PLC's present life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    Unasked,
    Waiting { since: LinkMs },
    Held,
    Refused,
}

/// Whether the PLC's info block was read on this connection, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InfoCheck {
    Unread,
    Agrees,
    Differs,
}

/// What is in the delivery queue.
#[derive(Clone, Copy, Debug)]
enum Queued {
    Ready(Delivery),
    /// Here the inventory reader tells what it has.
    Inventory,
}

/// Most deliveries of one reply: a window of events, a page of levels, a status, an inventory, and
/// link changes.
const REPLY_TOLD_MAX: usize = SLOTS + LEVELS_PER_PAGE + 2 + 6;
/// Capacity of the delivery queue; no exchange is given that could overrun it.
const TOLD_MAX: usize = 2 * REPLY_TOLD_MAX;

/// The engine's end of the mailbox.
///
/// How a driver uses it, on one connection:
///
/// 1. `connected(now)` when the socket is open, `disconnected(now)` when it is gone.
/// 2. `next_exchange(now)`; carry it out; `reply(now, registers)`, or `failed(now)` after a
///    time-out or error, and then drop the connection, so that a late reply can never answer the
///    next question.
/// 3. After each reply take everything out of `next_event()`, push commands, and go on with 2. No
///    exchange is given while many deliveries wait.
/// 4. `None` from `next_exchange`: wait until `next_timeout(now)` or the next push.
///
/// **What goes out when.** Without FC23 an exchange is one request, so that nothing waits behind
/// the second half of another: a pending command is an FC16 of its own and leaves before the poll
/// that may be due, and an idle poll is an FC3 and, when the heartbeat or an acknowledgement is
/// due, an FC16. With FC23 each exchange reads the status and writes the header.
#[derive(Debug)]
pub struct EngineEnd {
    config: EngineConfig,
    connected: bool,
    fc23: bool,
    outstanding: Option<(Option<ReadKind>, u16)>,
    told: VecDeque<Queued>,

    boot: Option<u16>,
    info: InfoCheck,
    info_at: LinkMs,
    mismatch_told: bool,
    version_told: Option<u16>,
    grant: Grant,
    releasing: bool,
    liveness: Liveness,

    commands: CommandRing,
    intake: EventIntake,
    inventory: InventoryReader,
    sweep: Sweep,
    wishes: Wishes,
    events_lost: Option<u16>,

    chosen: EngineBits,
    loss_seen: bool,
    heartbeat: u16,
    heartbeat_at: LinkMs,
    their_heartbeat: u16,
    header_news: bool,
    ack_news: bool,
    /// The last status said that events wait behind the window, and whether we made room since.
    more_events: bool,
    made_room: bool,

    poll_at: LinkMs,
    polled_at: LinkMs,
    last_was_write: bool,
    last_wrote: Option<WriteKind>,
    last_read_was_page: bool,
}

impl EngineEnd {
    /// Sets up an end that is not connected. All memory is taken here.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(config: EngineConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let EngineConfig {
            area,
            chutes,
            inductions,
            ..
        } = config;
        Ok(Self {
            config,
            connected: false,
            fc23: config.fc23,
            outstanding: None,
            told: VecDeque::with_capacity(TOLD_MAX),
            boot: config.resume.map(|mark| mark.boot),
            info: InfoCheck::Unread,
            info_at: LinkMs(0),
            mismatch_told: false,
            version_told: None,
            grant: Grant::Unasked,
            releasing: false,
            liveness: Liveness::new(config.loss_ms),
            commands: CommandRing::new(config.waiting_max),
            intake: EventIntake::new(config.epoch, config.resume.map(|mark| mark.seq)),
            inventory: InventoryReader::new(config.cells),
            sweep: Sweep::new(chutes, inductions, config.sweep_ms),
            wishes: Wishes::new(area, chutes, inductions, config.wishes_ms),
            events_lost: None,
            chosen: EngineBits::default(),
            loss_seen: false,
            heartbeat: 0,
            heartbeat_at: LinkMs(0),
            their_heartbeat: 0,
            header_news: false,
            ack_news: false,
            more_events: false,
            made_room: false,
            poll_at: LinkMs(0),
            polled_at: LinkMs(0),
            last_was_write: false,
            last_wrote: None,
            last_read_was_page: false,
        })
    }

    /// A connection is open. Whatever the last one left in doubt is said again on this one.
    pub fn connected(&mut self, now: LinkMs) {
        self.connected = true;
        self.outstanding = None;
        self.info = InfoCheck::Unread;
        self.info_at = now;
        self.mismatch_told = false;
        self.version_told = None;
        self.heartbeat_at = now;
        self.poll_at = now;
        self.polled_at = now;
        self.header_news = true;
        self.liveness.connected();
        self.commands.reconnected();
        self.inventory.reconnected();
        self.sweep.reconnected();
        self.wishes.say_all();
    }

    /// The connection is gone. The link itself counts as lost only after the loss time.
    pub fn disconnected(&mut self, now: LinkMs) {
        self.connected = false;
        self.outstanding = None;
        self.check_liveness(now);
    }

    /// The exchange under way timed out or broke. The driver drops the connection: the PLC may or
    /// may not have carried it out.
    pub fn failed(&mut self, now: LinkMs) {
        self.disconnected(now);
    }

    /// The PLC answered an FC23 with exception 01: it carried out nothing and never will. The
    /// connection stays.
    pub fn fc23_refused(&mut self, now: LinkMs) {
        self.fc23 = false;
        self.outstanding = None;
        self.poll_at = now;
        self.header_news = true;
        self.commands.reconnected();
        self.wishes.say_all();
    }

    /// Queues a command for the next free slot. An unsent order of the same cell is replaced in its
    /// place.
    ///
    /// # Errors
    /// See [`PushRefused`]; the command was not taken.
    pub fn push(&mut self, command: Command) -> Result<(), PushRefused> {
        if self.grant != Grant::Held || self.releasing {
            return Err(PushRefused::NotGranted);
        }
        if self.commands.push(command) {
            Ok(())
        } else {
            Err(PushRefused::Full)
        }
    }

    /// This event and all before it are safe: the PLC may forget them. `false` if it was not
    /// waiting for that (told in an earlier life of the PLC, or acknowledged already).
    pub fn acknowledge(&mut self, mark: Mark) -> bool {
        let good = self.boot == Some(mark.boot) && self.intake.acknowledge(mark.seq);
        self.ack_news |= good;
        good
    }

    /// Says what the engine is up to; only the bits of [`EngineBits::CHOSEN`] count.
    pub fn set_bits(&mut self, bits: EngineBits) {
        let chosen = EngineBits(bits.0 & EngineBits::CHOSEN.0);
        self.header_news |= chosen != self.chosen;
        self.chosen = chosen;
    }

    /// Sets what is wished of an induction, from 1. `false` if there is none with that number.
    pub fn set_induction(&mut self, induction: u16, wish: InductionWish) -> bool {
        self.wishes.set_induction(induction, wish)
    }

    /// Sets what is wished of a chute, from 1. `false` if there is none with that number.
    pub fn set_chute(&mut self, chute: u16, wish: ChuteWish) -> bool {
        self.wishes.set_chute(chute, wish)
    }

    /// Gives the grant back, for good: another engine need not wait for our silence. Takes no more
    /// commands.
    pub fn release(&mut self) {
        self.releasing = true;
        self.header_news = true;
    }

    /// Whether a release still has to be written.
    #[must_use]
    pub fn is_releasing(&self) -> bool {
        self.releasing && (self.header_news || self.outstanding.is_some())
    }

    /// Commands pushed that the PLC has not consumed.
    #[must_use]
    pub fn commands_open(&self) -> usize {
        self.commands.open()
    }

    /// The next thing the mailbox has to tell.
    pub fn next_event(&mut self) -> Option<Delivery> {
        loop {
            match self.told.front()? {
                Queued::Ready(delivery) => {
                    let delivery = *delivery;
                    self.told.pop_front();
                    return Some(delivery);
                }
                Queued::Inventory => match self.inventory.tell() {
                    Some(Told::Event(event)) => {
                        return Some(Delivery::Event(self.mark(event.seq), event));
                    }
                    Some(Told::Cell(cell)) => return Some(Delivery::Inventory(cell)),
                    Some(Told::End(end)) => {
                        self.told.pop_front();
                        return Some(Delivery::InventoryEnd(end));
                    }
                    None => {
                        self.told.pop_front();
                    }
                },
            }
        }
    }

    fn tell(&mut self, delivery: Delivery) {
        assert!(
            self.told.len() < TOLD_MAX,
            "an exchange was given without room for its reply"
        );
        self.told.push_back(Queued::Ready(delivery));
    }

    fn mark(&self, seq: Seq) -> Mark {
        Mark {
            boot: self.boot.unwrap_or(0),
            seq,
        }
    }

    fn check_liveness(&mut self, now: LinkMs) {
        if self.told.len() < TOLD_MAX
            && let Some(since) = self.liveness.check(now)
        {
            self.tell(Delivery::Link(Link::Lost { since }));
        }
    }

    /// Whether commands and wishes may be written.
    fn holds(&self) -> bool {
        self.grant == Grant::Held && self.info == InfoCheck::Agrees && !self.releasing
    }
}
