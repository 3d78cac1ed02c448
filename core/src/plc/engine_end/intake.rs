//! The engine's side of the event ring.

use crate::plc::event::{Event, Slot, SlotError, whole_slot};
use crate::plc::map::{SLOT_REGS, SLOTS};
use crate::plc::ring::{Seq, after, distance, to_wire};

/// What the next slot of the ring holds.
pub(super) enum Taken {
    Event(Event),
    /// A whole slot in its place whose meaning is outside the contract.
    Unreadable(Seq, Slot),
}

/// How far the ring has been taken and how far it has been acknowledged.
#[derive(Debug)]
pub(super) struct EventIntake {
    epoch: u16,
    /// Where an earlier run of the engine stopped, until the ring is found.
    resume: Option<Seq>,
    /// The place in the ring is known.
    found: bool,
    /// What the last poll looked like while it was not.
    looked: Option<Window>,
    taken: Option<Seq>,
    acked: Option<Seq>,
}

/// What a window holds for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    /// Nothing up to this head.
    Nothing(Seq),
    /// Events from this one to the head.
    From(Seq),
}

impl EventIntake {
    pub(super) fn new(epoch: u16, resume: Option<Seq>) -> Self {
        Self {
            epoch,
            resume,
            found: false,
            looked: None,
            taken: None,
            acked: None,
        }
    }

    /// Looks at a poll, before its events are taken.
    pub(super) fn observe(&mut self, head: Option<Seq>, slots: &[u16]) {
        if self.found {
            return;
        }
        let Some(head) = head else {
            // No event yet in this life of the PLC.
            self.found = true;
            return;
        };
        let window = self.look(head, slots);
        let expected = after(self.resume);
        // Where the ring must begin is known from the disk, or from a PLC that has just started.
        // Anything else might be a read half from before the grant: two polls must agree.
        let certain = window == Some(Window::From(expected));
        if certain || (window.is_some() && window == self.looked) {
            self.start(head, window);
        }
        self.looked = window;
    }

    /// The events for us, back from the head without a break: at the grant the PLC clears the
    /// window and publishes what is unacknowledged again under our epoch. `None` if the window is
    /// not whole.
    fn look(&self, head: Seq, slots: &[u16]) -> Option<Window> {
        let mut window = Window::Nothing(head);
        let mut seq = head;
        for _ in 0..SLOTS {
            let slot = slot_of(slots, seq);
            match whole_slot(slot) {
                Err(SlotError::Empty) => break,
                Ok(found) if found == seq && slot[1] == self.epoch => window = Window::From(seq),
                _ => return None,
            }
            seq = seq.previous();
        }
        Some(window)
    }

    fn start(&mut self, head: Seq, window: Option<Window>) {
        let before = match window {
            Some(Window::From(oldest)) if oldest == Seq::FIRST => None,
            Some(Window::From(oldest)) => Some(oldest.previous()),
            Some(Window::Nothing(head)) => Some(head),
            None => return,
        };
        // Events the earlier run has on disk, but could not acknowledge any more, are not told
        // again.
        let on_disk = self
            .resume
            .filter(|_| !mutant!("told_again"))
            .filter(|seq| distance(before, Some(*seq)) <= distance(before, Some(head)));
        self.taken = on_disk.or(before);
        self.acked = self.taken;
        self.found = true;
    }

    /// The next event of the window, if it is there and whole.
    pub(super) fn next(&mut self, head: Option<Seq>, slots: &[u16]) -> Option<Taken> {
        let ahead = usize::from(distance(self.taken, head));
        if !self.found || ahead == 0 || ahead > SLOTS {
            return None;
        }
        let seq = after(self.taken);
        let slot = slot_of(slots, seq);
        let is_ours = slot[1] == self.epoch;
        if whole_slot(slot) != Ok(seq) || !is_ours {
            return None;
        }
        let taken = match Event::decode(slot) {
            Ok(event) => Taken::Event(event),
            Err(SlotError::Meaning) => Taken::Unreadable(seq, *slot),
            Err(SlotError::Empty | SlotError::Check | SlotError::Sequence) => return None,
        };
        if !(mutant!("taken_again") && seq.get().is_multiple_of(50) && self.taken != self.acked) {
            self.taken = Some(seq);
        }
        Some(taken)
    }

    /// Whether everything up to `head` has been taken.
    pub(super) fn is_complete(&self, head: Option<Seq>) -> bool {
        self.found && distance(self.taken, head) == 0
    }

    /// Moves the acknowledgement up to `seq`. `false` if that is not the number of an event taken
    /// and not yet acknowledged.
    pub(super) fn acknowledge(&mut self, seq: Seq) -> bool {
        let seq = if mutant!("acknowledged_untaken") {
            seq.next()
        } else {
            seq
        };
        let steps = distance(self.acked, Some(seq));
        let good = self.found && steps > 0 && steps <= distance(self.acked, self.taken);
        if good {
            self.acked = Some(seq);
        }
        good
    }

    pub(super) fn ack_on_wire(&self) -> u16 {
        to_wire(if mutant!("acknowledged_early") {
            self.taken
        } else {
            self.acked
        })
    }
}

fn slot_of(slots: &[u16], seq: Seq) -> &Slot {
    let (slots, _) = slots.as_chunks::<SLOT_REGS>();
    &slots[seq.slot()]
}
