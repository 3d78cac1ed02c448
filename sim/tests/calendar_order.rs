//! The calendar takes what a heap would take, in the same order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;
use sorthub_sim::calendar::Calendar;

/// A heap of everything ever set, with the stale entries skipped.
#[derive(Default)]
struct Reference {
    heap: BinaryHeap<Reverse<(u64, usize)>>,
    current: Vec<Option<u64>>,
}

impl Reference {
    fn new(slots: usize) -> Self {
        Self {
            current: vec![None; slots],
            ..Self::default()
        }
    }

    fn set(&mut self, slot: usize, key: u64) {
        self.current[slot] = Some(key);
        self.heap.push(Reverse((key, slot)));
    }

    fn clear(&mut self, slot: usize) {
        self.current[slot] = None;
    }

    fn pop(&mut self) -> Option<(u64, usize)> {
        while let Some(Reverse((key, slot))) = self.heap.pop() {
            if self.current[slot] == Some(key) {
                self.current[slot] = None;
                return Some((key, slot));
            }
        }
        None
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// So far ahead of the last key taken; 0 makes equal keys.
    Set(usize, u64),
    /// At any key, before the last one taken too.
    SetAnywhere(usize, u64),
    Clear(usize),
    Pop,
}

fn steps(slots: usize) -> impl Strategy<Value = Vec<Step>> {
    let ahead = prop_oneof![Just(0), 1..50_u64, 1..5_000_u64, 1..10_000_000_u64];
    let step = prop_oneof![
        5 => (0..slots, ahead).prop_map(|(slot, ahead)| Step::Set(slot, ahead)),
        1 => (0..slots, 0..100_000_u64).prop_map(|(slot, key)| Step::SetAnywhere(slot, key)),
        1 => (0..slots).prop_map(Step::Clear),
        5 => Just(Step::Pop),
    ];
    proptest::collection::vec(step, 1..400)
}

proptest! {
    #[test]
    fn takes_what_a_heap_takes(
        steps in steps(40), span in prop_oneof![Just(0), Just(64), 1..100_000_u64],
    ) {
        let (mut calendar, mut reference) = (Calendar::new(40, span), Reference::new(40));
        let mut now = 0;
        for step in steps {
            match step {
                Step::Set(slot, ahead) => {
                    calendar.set(slot, now + ahead);
                    reference.set(slot, now + ahead);
                }
                Step::SetAnywhere(slot, key) => {
                    calendar.set(slot, key);
                    reference.set(slot, key);
                }
                Step::Clear(slot) => {
                    calendar.clear(slot);
                    reference.clear(slot);
                }
                Step::Pop => {
                    let peeked = calendar.peek();
                    let taken = calendar.pop();
                    prop_assert_eq!(peeked, taken);
                    prop_assert_eq!(taken, reference.pop());
                    now = taken.map_or(now, |(key, _)| key);
                }
            }
            let waiting = reference.current.iter().flatten().count();
            prop_assert_eq!(calendar.len(), waiting);
        }
        while let Some(taken) = reference.pop() {
            prop_assert_eq!(calendar.pop(), Some(taken));
        }
        prop_assert!(calendar.is_empty());
    }
}

#[test]
fn a_slot_waits_for_one_thing() {
    let mut calendar = Calendar::new(2, 1_000);
    calendar.set(0, 10);
    calendar.set(0, 20);
    calendar.set(1, 15);
    assert_eq!(calendar.key(0), Some(20));
    assert_eq!(
        [calendar.pop(), calendar.pop(), calendar.pop()],
        [Some((15, 1)), Some((20, 0)), None]
    );
    assert_eq!(calendar.key(0), None);
}
