//! The decision core of sorthub.
//!
//! A [`Sorter`](sorter::Sorter) is handed a time and a [`Signal`](signal::Signal) and says what to
//! do. It reads no clock, opens no socket, spawns no thread and draws no random number; it does
//! not even link the standard library. So the same calls give the same outputs, whether the
//! signals come from sockets, from a model of the plant, or from the journal.
//!
//! A tour: [`hub`] describes what there is and [`plan`] what goes where; both are checked once and
//! shared. [`identify`] says what a scanned code is, [`directory`] turns it into [`facts`].
//! [`signal`] and [`operator`] are the vocabulary, [`reason`] its two closed lists, [`sorter`] the
//! state machine, [`plc`] the two ends of the PLC link.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(mutant)]
extern crate std;

#[macro_use]
pub mod mutant;

pub mod alarm;
pub mod directory;
pub mod facts;
pub mod hub;
pub mod identify;
pub mod ids;
pub mod limits;
pub mod operator;
pub mod outbox;
pub mod plan;
pub mod plc;
pub mod reason;
pub mod running;
pub mod scanner;
pub mod signal;
pub mod sorter;
pub mod units;
pub mod wire;
