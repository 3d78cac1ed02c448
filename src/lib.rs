//! The live engine of a sorting hub, and everything its command line does.
//!
//! [`config`] reads hub files and traces, [`journal`] keeps what happened, [`replay`] runs it
//! again, [`cli`] is the command line.

pub mod cli;
pub mod config;
pub mod journal;
pub mod replay;
