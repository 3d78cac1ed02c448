//! What the next exchange is, and when.

use super::{EngineEnd, Exchange, Grant, InfoCheck, Read, TOLD_MAX, Write};
use crate::plc::LinkMs;
use crate::plc::blocks::Header;
use crate::plc::lists::EngineBits;
use crate::plc::map::{
    AREA_REGS, HEADER_REGS, INFO_BASE, INFO_REGS, POLL_REGS, SLOT_REGS, STATUS_BASE,
};

/// What an exchange reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadKind {
    /// The status block and the event window: the poll.
    Status,
    /// What the PLC says about itself, before anything is written on a connection.
    Info,
    /// A page of levels.
    Levels,
    /// A page of a latched inventory.
    Inventory,
}

/// What an exchange writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteKind {
    /// The header, and the command window if anything in it is open.
    Area,
    /// A page of wishes.
    Wishes,
}

impl EngineEnd {
    /// The exchange to carry out now; `None` while one is under way, without a connection, while
    /// deliveries wait, or when nothing is due.
    pub fn next_exchange(&mut self, now: LinkMs) -> Option<Exchange> {
        self.on_time(now);
        if !self.may_start() {
            return None;
        }
        let (mut read, mut write) = (self.read_due(now), self.write_due(now));
        if self.fc23 && (read.is_some() || write.is_some()) {
            read = read.or(Some(ReadKind::Status));
            write = write.or(self.may_write().then_some(WriteKind::Area));
        } else if read.is_some() && write.is_some() {
            // A command does not wait for a poll (the window of seven lets no more than seven go
            // first); other writes and reads take turns.
            if self.commands_due() || !self.last_was_write {
                read = None;
            } else {
                write = None;
            }
        }
        if read.is_none() && write.is_none() {
            return None;
        }
        self.last_was_write = write.is_some();
        let write = write.map(|kind| self.compose(now, kind));
        Some(Exchange {
            read: self.begin(read),
            write,
        })
    }

    /// When to call [`next_exchange`](Self::next_exchange) again if nothing is pushed or replied
    /// before.
    ///
    /// `None`: nothing will happen by time alone.
    #[must_use]
    pub fn next_timeout(&self, now: LinkMs) -> Option<LinkMs> {
        let lost_at = self.liveness.deadline();
        if !self.may_start() {
            return lost_at;
        }
        if self.read_due(now).is_some() || self.write_due(now).is_some() {
            return Some(now);
        }
        let mut at = self.next_poll();
        if self.info != InfoCheck::Agrees {
            at = at.min(self.info_at);
        }
        if self.may_write() {
            at = at.min(self.heartbeat_at);
        }
        if self.holds() {
            at = at.min(self.wishes.refresh_at());
            at = self.sweep.next_at().map_or(at, |sweep_at| at.min(sweep_at));
        }
        Some(lost_at.map_or(at, |lost_at| at.min(lost_at)).max(now))
    }

    /// Timers that only mark things as due.
    fn on_time(&mut self, now: LinkMs) {
        self.check_liveness(now);
        if self.holds() {
            self.wishes.on_time(now);
            self.sweep.on_time(now);
        }
    }

    /// An inventory being told is waited for to its end: nothing may be queued behind it.
    fn may_start(&self) -> bool {
        let room = self.told.len() <= TOLD_MAX / 2;
        self.connected && self.outstanding.is_none() && room && !self.inventory.is_telling()
    }

    /// Nothing is written before it is known whose life the PLC leads and that it is the right PLC.
    fn may_write(&self) -> bool {
        self.boot.is_some() && self.info != InfoCheck::Unread
    }

    fn commands_due(&self) -> bool {
        self.holds() && self.commands.wants_write()
    }

    fn write_due(&self, now: LinkMs) -> Option<WriteKind> {
        if !self.may_write() {
            return None;
        }
        let commands = self.commands_due();
        // News for inductions and chutes takes turns with commands, so that neither keeps the other
        // out.
        let turn = !commands || self.last_wrote == Some(WriteKind::Area);
        if self.holds() && self.wishes.is_changed() && turn {
            return Some(WriteKind::Wishes);
        }
        let ack = self.ack_news && (self.more_events || now >= self.next_poll());
        if commands || self.header_news || ack || now >= self.heartbeat_at {
            return Some(WriteKind::Area);
        }
        (self.holds() && self.wishes.is_wanted()).then_some(WriteKind::Wishes)
    }

    fn read_due(&self, now: LinkMs) -> Option<ReadKind> {
        if self.info != InfoCheck::Agrees && now >= self.info_at {
            return Some(ReadKind::Info);
        }
        let page = if self.grant != Grant::Held {
            None
        } else if self.inventory.page().is_some() {
            Some(ReadKind::Inventory)
        } else {
            self.sweep.wanted().map(|_| ReadKind::Levels)
        };
        let status = (now >= self.next_poll()).then_some(ReadKind::Status);
        // Pages and polls take turns: a long inventory must not hide a heartbeat or an
        // acknowledgement.
        if self.last_read_was_page {
            status.or(page)
        } else {
            page.or(status)
        }
    }

    fn next_poll(&self) -> LinkMs {
        let waiting = self.commands.waits_for_room()
            || self.sweep.is_confirming()
            || (self.more_events && self.made_room);
        if waiting {
            self.poll_at
                .min(self.polled_at.plus(self.config.poll_urgent_ms))
        } else {
            self.poll_at
        }
    }

    fn begin(&mut self, read: Option<ReadKind>) -> Option<Read> {
        let span = match read? {
            ReadKind::Status => (STATUS_BASE, POLL_REGS as u16),
            ReadKind::Info => (INFO_BASE, INFO_REGS as u16),
            ReadKind::Levels => self.sweep.wanted()?,
            ReadKind::Inventory => self.inventory.page()?,
        };
        let (address, count) = span;
        self.last_read_was_page = matches!(read, Some(ReadKind::Levels | ReadKind::Inventory));
        self.outstanding = Some((read, count));
        Some(Read { address, count })
    }

    fn compose(&mut self, now: LinkMs, kind: WriteKind) -> Write {
        self.outstanding = Some((None, 0));
        self.last_wrote = Some(kind);
        if kind == WriteKind::Wishes
            && let Some((address, registers)) = self.wishes.take()
        {
            return Write::new(address, registers);
        }
        self.compose_area(now)
    }

    /// The header, and with it the whole window while a command in it is open: a PLC that lost the
    /// slots (cleared data, a late write of an old connection) has them back within a heartbeat.
    fn compose_area(&mut self, now: LinkMs) -> Write {
        if now >= self.heartbeat_at {
            self.heartbeat = self.heartbeat.wrapping_add(1);
            self.heartbeat_at = now.plus(self.config.heartbeat_ms);
        }
        if self.grant == Grant::Unasked && self.info == InfoCheck::Agrees {
            self.grant = Grant::Waiting { since: now };
        }
        let boot = self.boot.unwrap_or(0);
        let holds = self.holds();
        if holds {
            self.commands.load(self.config.epoch, boot);
            self.made_room |= self.ack_news;
            self.ack_news = false;
        }
        self.header_news = false;
        let mut registers = [0; AREA_REGS];
        registers[..HEADER_REGS].copy_from_slice(&self.header(boot).encode());
        let mut count = HEADER_REGS;
        if holds && self.commands.in_flight() > 0 {
            for slot in self.commands.slots() {
                registers[count..count + SLOT_REGS].copy_from_slice(slot);
                count += SLOT_REGS;
            }
        }
        Write::new(self.config.area.base(), &registers[..count])
    }

    fn header(&self, boot: u16) -> Header {
        let agrees = self.info == InfoCheck::Agrees;
        let bits = self
            .chosen
            .with(EngineBits::LOSS_SEEN, self.loss_seen)
            .with(EngineBits::CONFIG_MISMATCH, !agrees)
            .with(EngineBits::RELEASING, self.releasing);
        let held = self.grant == Grant::Held;
        Header {
            claim: if agrees { self.config.epoch } else { 0 },
            heartbeat: self.heartbeat,
            echo: self.their_heartbeat,
            boot,
            event_ack: if held { self.intake.ack_on_wire() } else { 0 },
            command_head: if held {
                self.commands.head_on_wire()
            } else {
                0
            },
            bits,
        }
    }
}
