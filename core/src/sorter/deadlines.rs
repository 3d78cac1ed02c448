//! Deadlines by number, in (deadline, number) order.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::units::Micros;

/// One deadline, or none, for each number below a limit: a binary heap that knows where each
/// number stands in it, so that one can be moved or taken out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Deadlines {
    due: Vec<Micros>,
    place: Vec<u32>,
    heap: Vec<u32>,
}

/// The place of a number without a deadline.
const NOWHERE: u32 = u32::MAX;

impl Deadlines {
    pub fn new(numbers: usize) -> Self {
        Self {
            due: vec![Micros::NEVER; numbers],
            place: vec![NOWHERE; numbers],
            heap: Vec::with_capacity(numbers),
        }
    }

    /// Gives back the capacity that a decoded one lacks; `false` if it contradicts itself.
    pub fn reserve(&mut self, numbers: usize) -> bool {
        self.heap
            .reserve_exact(numbers - self.heap.len().min(numbers));
        let in_place = |(at, number): (usize, &u32)| {
            self.place
                .get(*number as usize)
                .is_some_and(|place| *place as usize == at)
        };
        let placed = self.place.iter().filter(|place| **place != NOWHERE);
        self.due.len() == numbers
            && self.place.len() == numbers
            && placed.count() == self.heap.len()
            && self.heap.iter().enumerate().all(in_place)
    }

    /// The first that is due.
    pub fn first(&self) -> Option<(Micros, u32)> {
        let number = *self.heap.first()?;
        Some((self.due[number as usize], number))
    }

    /// Gives a number a deadline in place of what it had; [`Micros::NEVER`] is none.
    pub fn set(&mut self, number: u32, due: Micros) {
        if due == Micros::NEVER {
            return self.clear(number);
        }
        self.due[number as usize] = due;
        let mut at = self.place[number as usize];
        if at == NOWHERE {
            at = self.heap.len() as u32;
            self.heap.push(number);
        }
        self.settle(at as usize, number);
    }

    /// Takes a number's deadline away.
    pub fn clear(&mut self, number: u32) {
        let at = self.place[number as usize];
        if at == NOWHERE {
            return;
        }
        self.place[number as usize] = NOWHERE;
        self.due[number as usize] = Micros::NEVER;
        let Some(last) = self.heap.pop() else {
            unreachable!("a number stands in an empty heap");
        };
        if last != number {
            self.settle(at as usize, last);
        }
    }

    fn before(&self, a: u32, b: u32) -> bool {
        (self.due[a as usize], a) < (self.due[b as usize], b)
    }

    /// Puts a number where it belongs, if it stands or is to stand at `at`.
    fn settle(&mut self, mut at: usize, number: u32) {
        while at > 0 && self.before(number, self.heap[(at - 1) / 2]) {
            self.put(at, self.heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        loop {
            let mut child = at * 2 + 1;
            if child >= self.heap.len() {
                break;
            }
            if child + 1 < self.heap.len() && self.before(self.heap[child + 1], self.heap[child]) {
                child += 1;
            }
            if !self.before(self.heap[child], number) {
                break;
            }
            self.put(at, self.heap[child]);
            at = child;
        }
        self.put(at, number);
    }

    fn put(&mut self, at: usize, number: u32) {
        self.heap[at] = number;
        self.place[number as usize] = at as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_however_they_were_moved() {
        let mut deadlines = Deadlines::new(50);
        let mut plain = [Micros::NEVER; 50];
        let mut random = 1_u64;
        for _ in 0..5_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let (number, due) = ((random >> 33) % 50, (random >> 40) % 9);
            let due = if due == 8 { Micros::NEVER } else { Micros(due) };
            deadlines.set(number as u32, due);
            plain[number as usize] = due;
            let first = plain.iter().enumerate().map(|(at, due)| (*due, at as u32));
            let first = first.min().filter(|(due, _)| *due < Micros::NEVER);
            assert_eq!(deadlines.first(), first);
            assert!(deadlines.clone().reserve(50));
        }
    }
}
