//! What comes to an induction and waits there.
//!
//! Nothing sees a parcel before it is inducted, so arrivals are no events: the stream is followed
//! only as far as the head of the queue, and again, when asked, to count who waits. Only where
//! some are turned away, or the feed was stopped, are those waiting held one by one.

use std::collections::VecDeque;

use sorthub_core::units::Micros;

use crate::random::Stream;

/// A parcel that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number in the plant.
    pub number: u64,
    /// When it came.
    pub at: Micros,
}

/// Where an induction's parcels come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A Poisson stream. The n-th parcel here has the number `first + n * step`.
    Poisson {
        /// Draws of the times between.
        gaps: Stream,
        /// Mean time between, in µs; `None`: nobody ever comes.
        mean_us: Option<f64>,
        /// The first parcel's number.
        first: u64,
        /// From one parcel's number to the next one's.
        step: u64,
    },
    /// Recorded arrivals, in order of time.
    Trace(Vec<Arrival>),
}

/// A place in the stream: the next arrival.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    n: u64,
    at: Micros,
}

/// The queue at an induction.
#[derive(Clone, Debug)]
pub struct Feed {
    source: Source,
    /// Most that can wait.
    room: Option<u32>,
    /// Those waiting that are held one by one; they come before `next`.
    held: VecDeque<Arrival>,
    next: Cursor,
    /// Arrivals counted so far are those before this place; never behind `next`.
    counted: Cursor,
    arrived: u64,
    turned_away: u64,
    /// Nobody comes after this.
    closed: bool,
}

impl Feed {
    /// A queue, empty at time 0.
    #[must_use]
    pub fn new(source: Source, room: Option<u32>) -> Self {
        let next = source.begin(Micros(0), 0);
        Self {
            source,
            room,
            held: VecDeque::new(),
            next,
            counted: next,
            arrived: 0,
            turned_away: 0,
            closed: false,
        }
    }

    /// When the head of the queue came or will come; `None` if nobody ever does.
    #[inline]
    #[must_use]
    pub fn head_at(&self) -> Option<Micros> {
        if let Some(head) = self.held.front() {
            return Some(head.at);
        }
        (!self.closed && self.next.at < Micros::NEVER).then_some(self.next.at)
    }

    /// The head of the queue, come or still to come; `None` if nobody ever does.
    #[must_use]
    pub fn head(&self) -> Option<Arrival> {
        if let Some(head) = self.held.front() {
            return Some(*head);
        }
        let at = self.head_at()?;
        Some(Arrival {
            number: self.source.number(self.next.n),
            at,
        })
    }

    /// Takes the head of the queue, which must have come by `now`.
    pub fn take(&mut self, now: Micros) -> Option<Arrival> {
        if self.room.is_some() {
            // Who came before the head leaves met the queue with the head still in it.
            self.admit(now);
        }
        if let Some(head) = self.held.pop_front() {
            return Some(head);
        }
        if self.closed || self.next.at > now {
            return None;
        }
        let head = Arrival {
            number: self.source.number(self.next.n),
            at: self.next.at,
        };
        if self.counted.n == self.next.n {
            self.arrived += 1;
            self.next = self.source.after(self.next);
            self.counted = self.next;
        } else {
            self.next = self.source.after(self.next);
        }
        Some(head)
    }

    /// How many have come by `now`, those turned away included.
    pub fn arrived(&mut self, now: Micros) -> u64 {
        self.count(now);
        self.arrived
    }

    /// How many were turned away by `now`.
    pub fn turned_away(&mut self, now: Micros) -> u64 {
        self.count(now);
        self.turned_away
    }

    /// How many wait at `now`.
    pub fn waiting(&mut self, now: Micros) -> u64 {
        self.count(now);
        self.held.len() as u64 + (self.counted.n - self.next.n)
    }

    /// Whether nobody waits and nobody will come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.head_at().is_none()
    }

    /// Stops or resumes the stream. Who waits goes on waiting; a recorded arrival whose time
    /// passes meanwhile is lost, a Poisson stream begins anew.
    pub fn open(&mut self, now: Micros, open: bool) {
        if open == self.closed {
            if open {
                self.next = self.source.begin(now, self.next.n);
                self.counted = self.next;
            } else {
                self.count(now);
                while self.next.n < self.counted.n {
                    let number = self.source.number(self.next.n);
                    self.held.push_back(Arrival {
                        number,
                        at: self.next.at,
                    });
                    self.next = self.source.after(self.next);
                }
            }
            self.closed = !open;
        }
    }

    fn count(&mut self, now: Micros) {
        if self.room.is_some() {
            self.admit(now);
            return;
        }
        while !self.closed && self.counted.at <= now {
            self.arrived += 1;
            self.counted = self.source.after(self.counted);
        }
    }

    fn admit(&mut self, now: Micros) {
        while !self.closed && self.next.at <= now {
            self.arrived += 1;
            if self
                .room
                .is_some_and(|room| self.held.len() >= room as usize)
            {
                self.turned_away += 1;
            } else {
                let number = self.source.number(self.next.n);
                self.held.push_back(Arrival {
                    number,
                    at: self.next.at,
                });
            }
            self.next = self.source.after(self.next);
            self.counted = self.next;
        }
    }
}

impl Source {
    /// The first arrival from `now` on, the n-th of the stream or, in a trace, a later one.
    fn begin(&self, now: Micros, n: u64) -> Cursor {
        match self {
            Self::Poisson { .. } => Cursor {
                n,
                at: now.after(self.gap(n)),
            },
            Self::Trace(rows) => {
                let n = rows.partition_point(|row| row.at < now).max(n as usize);
                Cursor {
                    n: n as u64,
                    at: self.recorded(n as u64),
                }
            }
        }
    }

    fn after(&self, cursor: Cursor) -> Cursor {
        let n = cursor.n + 1;
        match self {
            Self::Poisson { .. } => Cursor {
                n,
                at: cursor.at.after(self.gap(n)),
            },
            Self::Trace(_) => Cursor {
                n,
                at: self.recorded(n),
            },
        }
    }

    fn gap(&self, n: u64) -> Micros {
        match self {
            Self::Poisson {
                gaps,
                mean_us: Some(mean),
                ..
            } => Micros((gaps.exponential(n) * mean + 0.5) as u64),
            _ => Micros::NEVER,
        }
    }

    fn recorded(&self, n: u64) -> Micros {
        match self {
            Self::Trace(rows) => rows.get(n as usize).map_or(Micros::NEVER, |row| row.at),
            Self::Poisson { .. } => Micros::NEVER,
        }
    }

    fn number(&self, n: u64) -> u64 {
        match self {
            Self::Poisson { first, step, .. } => first + n * step,
            Self::Trace(rows) => rows.get(n as usize).map_or(0, |row| row.number),
        }
    }
}
