//! What a reply says.

use super::intake::Taken;
use super::schedule::ReadKind;
use super::sweep::Level;
use super::{
    Delivery, EngineEnd, EventIntake, Grant, InfoCheck, Link, Queued, REPLY_TOLD_MAX, ReplyError,
    TOLD_MAX,
};
use crate::plc::LinkMs;
use crate::plc::blocks::{Info, Status};
use crate::plc::event::{Event, EventKind};
use crate::plc::lists::StatusBits;
use crate::plc::map::{MAP_VERSION, POLL_REGS, STATUS_REGS};
use crate::plc::ring::{Seq, is_newer};

const _: () = assert!(TOLD_MAX / 2 + REPLY_TOLD_MAX <= TOLD_MAX);

impl EngineEnd {
    /// The exchange under way succeeded; `registers` is what it read, empty if it read nothing.
    ///
    /// # Errors
    /// See [`ReplyError`]: call [`failed`](Self::failed) and drop the connection.
    pub fn reply(&mut self, now: LinkMs, registers: &[u16]) -> Result<(), ReplyError> {
        let (read, asked) = self.outstanding.ok_or(ReplyError::Unasked)?;
        if registers.len() != usize::from(asked) {
            return Err(ReplyError::Count {
                asked,
                got: registers.len(),
            });
        }
        self.outstanding = None;
        match read {
            None => {}
            Some(ReadKind::Status) => self.on_poll(now, registers),
            Some(ReadKind::Info) => self.on_info(now, registers),
            Some(ReadKind::Levels) => self.sweep.on_page(registers),
            Some(ReadKind::Inventory) => {
                self.inventory.on_page(registers);
                if self.inventory.is_telling() {
                    self.told.push_back(Queued::Inventory);
                }
            }
        }
        self.check_liveness(now);
        Ok(())
    }

    fn on_info(&mut self, now: LinkMs, registers: &[u16]) {
        let info = registers.try_into().ok().and_then(Info::decode);
        let Some(info) = info else {
            self.info = InfoCheck::Unread;
            self.info_at = now.plus(self.config.poll_ms);
            return;
        };
        let ours = &self.config;
        let hashes = [info.config_hash, ours.config_hash];
        let same_hub = hashes.contains(&0) || hashes[0] == hashes[1];
        let same_size = [info.chutes, info.inductions, info.cells]
            == [ours.chutes, ours.inductions, ours.cells];
        self.header_news = true;
        if same_hub && same_size {
            self.info = InfoCheck::Agrees;
            return;
        }
        self.info = InfoCheck::Differs;
        self.info_at = now.plus(self.config.loss_ms);
        if !core::mem::replace(&mut self.mismatch_told, true) {
            self.tell(Delivery::Link(Link::ConfigMismatch { theirs: info }));
        }
    }

    fn on_poll(&mut self, now: LinkMs, registers: &[u16]) {
        self.polled_at = now;
        self.poll_at = now.plus(self.config.poll_ms);
        let Ok(registers) = <&[u16; POLL_REGS]>::try_from(registers) else {
            return;
        };
        let Some((head, slots)) = registers.split_first_chunk::<STATUS_REGS>() else {
            return;
        };
        let status = Status::decode(head);
        if !self.accepts(&status) {
            return;
        }
        let is_other = self.boot != Some(status.boot);
        if is_other && !(mutant!("any_boot") && self.boot.is_some()) {
            self.on_boot(now, status.boot);
        }
        self.their_heartbeat = status.heartbeat;
        let granted = self.on_grant(now, &status);
        if self
            .liveness
            .on_status(now, status.heartbeat, status.echo, granted)
        {
            self.tell(Delivery::Link(Link::Up));
        }
        if granted {
            self.inventory.polled();
            self.commands.on_ack(status.command_ack);
            self.on_bits(&status);
            self.on_events_lost(status.events_lost);
            self.on_window(now, &status, slots);
        }
    }

    /// Version or boot id 0 is a PLC that has not started to speak, or has cleared its data:
    /// nothing.
    fn accepts(&mut self, status: &Status) -> bool {
        if status.version == 0 || status.boot == 0 {
            return false;
        }
        let theirs = status.version;
        if theirs != MAP_VERSION && self.version_told.replace(theirs) != Some(theirs) {
            self.tell(Delivery::Link(Link::VersionMismatch { theirs }));
        }
        theirs == MAP_VERSION
    }

    /// Another life of the PLC: everything agreed with the last one is void.
    fn on_boot(&mut self, now: LinkMs, boot: u16) {
        let had_one = self.boot.replace(boot).is_some();
        if had_one {
            self.tell(Delivery::Link(Link::Reset { boot }));
            self.intake = EventIntake::new(self.config.epoch, None);
        }
        self.grant = Grant::Unasked;
        self.info = InfoCheck::Unread;
        self.info_at = now;
        self.header_news = true;
        self.ack_news = false;
        self.loss_seen = false;
        self.more_events = false;
        self.events_lost = None;
        self.liveness.down();
        self.commands.void();
        self.inventory.void();
    }

    /// Compares the grant with our claim. `true` while it is ours.
    fn on_grant(&mut self, now: LinkMs, status: &Status) -> bool {
        let ours = status.granted_epoch == self.config.epoch
            && status.granted_area() == Some(self.config.area);
        let refused = Delivery::Link(Link::Refused {
            granted_epoch: status.granted_epoch,
        });
        match self.grant {
            // Also after a refusal: a claim is kept up, and granted when the other engine falls
            // silent. Where it was granted before in this life of the PLC, the rings stand as they
            // were.
            Grant::Unasked | Grant::Waiting { .. } | Grant::Refused if ours => {
                self.grant = Grant::Held;
                self.sweep.restart();
                self.wishes.say_all();
                self.tell(Delivery::Link(Link::Granted { boot: status.boot }));
            }
            // The old lease runs out after the loss time; after twice that the answer is no.
            Grant::Waiting { since }
                if !ours && now.since(since) >= u64::from(self.config.loss_ms) * 2 =>
            {
                self.grant = Grant::Refused;
                self.tell(refused);
            }
            Grant::Held if !ours => {
                self.grant = Grant::Refused;
                self.liveness.down();
                if !self.releasing {
                    self.tell(refused);
                }
            }
            _ => {}
        }
        ours
    }

    fn on_bits(&mut self, status: &Status) {
        let lost = status.bits.has(StatusBits::LINK_LOST);
        if lost && !self.loss_seen {
            self.tell(Delivery::Link(Link::LossLatched));
        }
        self.header_news |= lost != self.loss_seen;
        self.loss_seen = lost;
        self.more_events = status.bits.has(StatusBits::MORE_EVENTS);
        self.made_room = false;
    }

    fn on_events_lost(&mut self, lost: u16) {
        let known = *self.events_lost.get_or_insert(lost);
        if is_newer(lost, known) && !mutant!("events_lost_unheard") {
            self.events_lost = Some(lost);
            self.sweep.ask();
            self.tell(Delivery::Link(Link::EventsLost {
                count: lost.wrapping_sub(known),
            }));
        }
    }

    fn on_window(&mut self, now: LinkMs, status: &Status, slots: &[u16]) {
        let head = Seq::from_wire(status.event_head);
        self.intake.observe(head, slots);
        while !self.inventory.is_active() {
            match self.intake.next(head, slots) {
                Some(Taken::Event(event)) => self.on_event(event),
                Some(Taken::Unreadable(seq, slot)) => {
                    self.tell(Delivery::Unreadable(self.mark(seq), slot));
                }
                None => break,
            }
        }
        let complete =
            !self.inventory.is_active() && !self.more_events && self.intake.is_complete(head);
        let complete = complete || mutant!("status_before_events");
        if !complete {
            return;
        }
        let Self { sweep, told, .. } = self;
        sweep.on_complete(now, status.changes, |level| {
            told.push_back(Queued::Ready(match level {
                Level::Chute(chute, level) => Delivery::Chute(chute, level),
                Level::Induction(induction, level) => Delivery::Induction(induction, level),
            }));
        });
        let Status {
            encoder_mm,
            speed_mm_s,
            bits,
            ..
        } = *status;
        self.tell(Delivery::Status {
            encoder_mm,
            speed_mm_s,
            bits,
        });
    }

    fn on_event(&mut self, event: Event) {
        self.sweep.on_event(&event);
        match event.kind {
            // Told when it can be told whole; what comes after it waits.
            EventKind::InventoryLatched {
                occupied,
                generation,
            } => {
                self.inventory
                    .start(self.boot.unwrap_or(0), event, occupied, generation);
            }
            _ => self.tell(Delivery::Event(self.mark(event.seq), event)),
        }
    }
}
