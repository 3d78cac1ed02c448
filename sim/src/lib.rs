//! The simulated world of sorthub: a model of the plant, driven by an event calendar, in which the
//! real [`Sorter`](sorthub_core::sorter::Sorter) decides.
//!
//! A tour: [`spec`] describes the plant; [`plant`] is the plant itself, a pure machine without
//! sockets or clocks that the virtual hub drives too; [`calendar`] and [`random`] are what it is
//! made with; [`run`] joins it with a sorter and says what came of it; [`stats`] sums up.
//!
//! Times are whole microseconds, belt travel whole nanometres, and every random number a pure
//! function of the seed and what it is for: a run is the same on every machine and on any number
//! of threads.
#![forbid(unsafe_code)]

pub mod calendar;
pub mod plant;
pub mod plc_node;
pub mod random;
pub mod run;
pub mod spec;
pub mod stats;
pub mod torture;
