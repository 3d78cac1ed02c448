//! The PLC's events: a FIFO, and the window in front of it.

use alloc::collections::VecDeque;

use super::image::Image;
use crate::plc::event::Event;
use crate::plc::map::{EVENTS_BASE, SLOT_REGS, SLOTS};
use crate::plc::ring::{Seq, after, distance, to_wire};

/// Places that only answers and inventories may take, so that a resynchronisation gets through a
/// full FIFO.
pub(super) const RESERVED: usize = 16;

/// Events not acknowledged yet, oldest first; the first `published` of them are in the window.
#[derive(Debug)]
pub(super) struct EventFifo {
    events: VecDeque<Event>,
    depth: usize,
    published: usize,
    newest: Option<Seq>,
    acked: Option<Seq>,
}

impl EventFifo {
    pub(super) fn new(depth: usize) -> Self {
        let events = VecDeque::with_capacity(depth);
        Self {
            events,
            depth,
            published: 0,
            newest: None,
            acked: None,
        }
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.published = 0;
        self.newest = None;
        self.acked = None;
    }

    /// Places left for everything, the reserved ones included.
    pub(super) fn room(&self) -> usize {
        self.depth - self.events.len()
    }

    /// Takes an event, unless there is no room above `kept_free` places.
    pub(super) fn push(&mut self, event: Event, kept_free: usize) -> Option<Seq> {
        if self.room() <= kept_free {
            return None;
        }
        let seq = after(self.newest);
        self.newest = Some(seq);
        self.events.push_back(Event { seq, ..event });
        Some(seq)
    }

    /// Drops what the engine has safe. An acknowledgement of anything not in the window changes
    /// nothing.
    pub(super) fn on_ack(&mut self, register: u16) {
        let ack = Seq::from_wire(register);
        let steps = usize::from(distance(self.acked, ack));
        if ack.is_some() && steps <= self.published {
            self.events.drain(..steps);
            self.published -= steps;
            self.acked = ack;
        }
    }

    /// Clears the window: everything unacknowledged is to be published again, under another epoch.
    ///
    /// What the last engine had acknowledged goes too, so that the new one can tell where the ring
    /// begins for it.
    pub(super) fn republish(&mut self, image: &mut Image) {
        self.published = 0;
        image.put(EVENTS_BASE, &[0; SLOTS * SLOT_REGS]);
    }

    /// Fills the window.
    pub(super) fn publish(&mut self, image: &mut Image, epoch: u16) {
        while self.published < SLOTS {
            let Some(event) = self.events.get(self.published) else {
                break;
            };
            let address = EVENTS_BASE + (event.seq.slot() * SLOT_REGS) as u16;
            image.put(address, &Event { epoch, ..*event }.encode());
            self.published += 1;
        }
    }

    /// The newest event in the window, as on the wire.
    pub(super) fn head_on_wire(&self) -> u16 {
        let head = self
            .published
            .checked_sub(1)
            .and_then(|last| self.events.get(last));
        to_wire(head.map_or(self.acked, |event| Some(event.seq)))
    }

    /// Whether events wait behind the window.
    pub(super) fn has_more(&self) -> bool {
        self.events.len() > self.published
    }
}
