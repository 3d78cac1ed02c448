//! Lists of items, for as many lists as were asked for; an item is in at most one of them.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::state::Slot;

/// Rings of neighbours. Each list is a ring through a node of its own, so that an item can be
/// taken out without a word on where it is, and a whole list joined to another at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lists {
    slots: u32,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Node {
    next: u32,
    before: u32,
}

impl Lists {
    pub fn new(slots: usize, lists: usize) -> Self {
        let alone = |at: usize| Node {
            next: at as u32,
            before: at as u32,
        };
        Self {
            slots: slots as u32,
            nodes: (0..slots + lists).map(alone).collect(),
        }
    }

    /// Whether a decoded one is of this size and every ring holds together.
    pub fn is_sound(&self, slots: usize, lists: usize) -> bool {
        let node = |at: u32| self.nodes.get(at as usize);
        self.slots as usize == slots
            && self.nodes.len() == slots + lists
            && self.nodes.iter().enumerate().all(|(at, own)| {
                node(own.next).is_some_and(|next| next.before as usize == at)
                    && node(own.before).is_some_and(|before| before.next as usize == at)
            })
    }

    /// The first item of a list.
    pub fn first(&self, list: u32) -> Option<Slot> {
        let first = self.nodes[(self.slots + list) as usize].next;
        (first < self.slots).then_some(first)
    }

    pub fn is_empty(&self, list: u32) -> bool {
        self.first(list).is_none()
    }

    /// Whether an item is in no list.
    pub fn is_alone(&self, slot: Slot) -> bool {
        self.nodes[slot as usize].next == slot
    }

    /// Takes an item out of its list, if it is in one.
    pub fn take_out(&mut self, slot: Slot) {
        let Node { next, before } = self.nodes[slot as usize];
        self.nodes[next as usize].before = before;
        self.nodes[before as usize].next = next;
        self.nodes[slot as usize] = Node {
            next: slot,
            before: slot,
        };
    }

    /// Puts an item that is in no list at the end of one.
    pub fn push(&mut self, list: u32, slot: Slot) {
        let end = self.slots + list;
        let last = self.nodes[end as usize].before;
        self.nodes[slot as usize] = Node {
            next: end,
            before: last,
        };
        self.nodes[last as usize].next = slot;
        self.nodes[end as usize].before = slot;
    }

    /// Joins all of one list to the end of another.
    pub fn pour(&mut self, from: u32, to: u32) {
        let (from, to) = (self.slots + from, self.slots + to);
        let Node {
            next: first,
            before: last,
        } = self.nodes[from as usize];
        if first == from {
            return;
        }
        self.nodes[from as usize] = Node {
            next: from,
            before: from,
        };
        let end = self.nodes[to as usize].before;
        self.nodes[end as usize].next = first;
        self.nodes[first as usize].before = end;
        self.nodes[last as usize].next = to;
        self.nodes[to as usize].before = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(lists: &mut Lists, list: u32) -> Vec<Slot> {
        let mut all = Vec::new();
        while let Some(slot) = lists.first(list) {
            lists.take_out(slot);
            all.push(slot);
        }
        all
    }

    #[test]
    fn lists_keep_their_order_when_items_leave_and_lists_are_joined() {
        let mut lists = Lists::new(6, 2);
        for (list, slot) in [(0, 1), (1, 4), (0, 2), (1, 5), (0, 3)] {
            lists.push(list, slot);
        }
        lists.take_out(2);
        assert!(lists.is_alone(2));
        lists.pour(0, 1);
        lists.pour(0, 1);
        assert!(lists.is_empty(0) && lists.is_sound(6, 2));
        assert_eq!(drain(&mut lists, 1), [4, 5, 1, 3]);
    }
}
