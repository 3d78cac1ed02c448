//! The live engine of a sorting hub, and everything its command line does.
//!
//! [`config`] reads hub files and traces; [`engine`] is the thread that owns the sorter, with its
//! links [`plc`] and [`scanner`]; [`journal`] keeps what happened and [`replay`] runs it again;
//! [`telemetry`] and [`api`] show it to people; [`cli`] is the command line.

pub mod cli;
pub mod config;
pub mod journal;
pub mod replay;
