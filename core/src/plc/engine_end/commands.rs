//! The engine's side of the command ring.

use alloc::collections::VecDeque;

use crate::plc::command::Command;
use crate::plc::event::Slot;
use crate::plc::map::{SLOT_REGS, SLOTS};
use crate::plc::ring::{Seq, after, distance, to_wire};

/// Commands waiting for a slot, and the window of those the PLC has not consumed.
///
/// A command gets its sequence number when it is put into an exchange. From then on it is never
/// changed: even an exchange that failed may have reached the PLC.
#[derive(Debug)]
pub(super) struct CommandRing {
    waiting: VecDeque<Command>,
    waiting_max: usize,
    slots: [Slot; SLOTS],
    head: Option<Seq>,
    acked: Option<Seq>,
    /// The window holds something no completed write has carried on this connection.
    unwritten: bool,
}

impl CommandRing {
    pub(super) fn new(waiting_max: u16) -> Self {
        let waiting_max = usize::from(waiting_max);
        Self {
            waiting: VecDeque::with_capacity(waiting_max),
            waiting_max,
            slots: [[0; SLOT_REGS]; SLOTS],
            head: None,
            acked: None,
            unwritten: false,
        }
    }

    /// Queues a command, in the place of one that it makes pointless if that has not been sent.
    /// `false` when full.
    pub(super) fn push(&mut self, command: Command) -> bool {
        if let Some(older) = self
            .waiting
            .iter_mut()
            .find(|older| command.replaces(older))
        {
            *older = command;
            return true;
        }
        let room = self.waiting.len() < self.waiting_max;
        if room {
            self.waiting.push_back(command);
        }
        room
    }

    pub(super) fn in_flight(&self) -> usize {
        let in_flight = usize::from(distance(self.acked, self.head));
        assert!(
            in_flight <= SLOTS,
            "a slot was used again before its acknowledgement"
        );
        in_flight
    }

    /// Commands that are waiting or in flight.
    pub(super) fn open(&self) -> usize {
        self.waiting.len() + self.in_flight()
    }

    /// Whether a write would carry something new.
    pub(super) fn wants_write(&self) -> bool {
        self.unwritten || (!self.waiting.is_empty() && self.in_flight() < SLOTS)
    }

    /// Whether only the PLC's acknowledgement can make room.
    pub(super) fn waits_for_room(&self) -> bool {
        !self.waiting.is_empty() && self.in_flight() == SLOTS
    }

    /// Fills free slots. The window is about to be written.
    pub(super) fn load(&mut self, epoch: u16, boot: u16) {
        while self.in_flight() < SLOTS || mutant!("ring_overrun") {
            let Some(command) = self.waiting.pop_front() else {
                break;
            };
            let seq = after(self.head);
            self.slots[seq.slot()] = command.encode(seq, epoch, boot);
            self.head = Some(seq);
        }
        self.unwritten = false;
    }

    pub(super) fn slots(&self) -> &[Slot; SLOTS] {
        &self.slots
    }

    pub(super) fn head_on_wire(&self) -> u16 {
        to_wire(self.head)
    }

    /// Takes the PLC's acknowledgement. One that lies behind (a read served late) or ahead changes
    /// nothing.
    pub(super) fn on_ack(&mut self, register: u16) {
        let ack = Seq::from_wire(register);
        if ack.is_some() && distance(self.acked, ack) <= distance(self.acked, self.head) {
            self.acked = if mutant!("all_acknowledged") {
                self.head
            } else {
                ack
            };
        }
    }

    /// The window goes out again with the first write of a new connection.
    pub(super) fn reconnected(&mut self) {
        self.unwritten = self.in_flight() > 0;
    }

    /// Forgets everything: the PLC that was to carry it out has restarted.
    pub(super) fn void(&mut self) {
        if mutant!("orders_outlive_the_plc") {
            return;
        }
        self.waiting.clear();
        self.slots = [[0; SLOT_REGS]; SLOTS];
        self.head = None;
        self.acked = None;
        self.unwritten = false;
    }
}
