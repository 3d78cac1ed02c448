//! A queue with a fixed capacity, made once.

use alloc::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A queue that never grows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ring<T> {
    queue: VecDeque<T>,
    capacity: usize,
}

impl<T: Copy> Ring<T> {
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            queue: VecDeque::with_capacity(capacity),
            capacity,
        }
    }

    /// Makes room for `capacity` in all, after decoding.
    pub fn reserve(&mut self, capacity: usize) {
        self.capacity = capacity;
        self.queue
            .reserve_exact(capacity.saturating_sub(self.queue.len()));
    }

    pub fn is_full(&self) -> bool {
        self.queue.len() >= self.capacity
    }

    pub fn first(&self) -> Option<&T> {
        self.queue.front()
    }

    pub fn pop_first(&mut self) -> Option<T> {
        self.queue.pop_front()
    }

    /// Adds at the end; the caller has made room.
    pub fn push(&mut self, value: T) {
        assert!(!self.is_full(), "a full ring was pushed to");
        self.queue.push_back(value);
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.queue.iter()
    }

    pub fn for_each_mut(&mut self, change: impl FnMut(&mut T)) {
        self.queue.iter_mut().for_each(change);
    }

    /// Drops every element that fits.
    pub fn drop_all(&mut self, fits: impl Fn(&T) -> bool) {
        self.queue.retain(|value| !fits(value));
    }

    /// Takes out the only element that fits; `Err` with how many there are if that is not one.
    pub fn take_only(&mut self, fits: impl Fn(&T) -> bool) -> Result<T, usize> {
        let mut found = self
            .queue
            .iter()
            .enumerate()
            .filter(|(_, value)| fits(value));
        let Some((at, _)) = found.next() else {
            return Err(0);
        };
        let more = found.count();
        if more > 0 {
            return Err(more + 1);
        }
        self.queue.remove(at).ok_or(0)
    }
}
