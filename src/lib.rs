//! The live engine of a sorting hub, and everything its command line does.
//!
//! [`config`] reads hub files and traces, [`cli`] is the command line.

pub mod cli;
pub mod config;
