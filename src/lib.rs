//! The live engine of a sorting hub, and everything its command line does.
//!
//! [`config`] reads hub files and traces; [`engine`] is the thread that owns the sorter, with its
//! links [`plc`] and [`scanner`]; [`journal`] keeps what happened and [`replay`] runs it again;
//! [`telemetry`] and [`api`] show it to people, who reach it through [`operator`] and its local
//! socket [`control`]. [`emulate`] is the virtual hub on sockets, [`demo`]
//! runs both ends in one process; [`cli`] is the command line.

pub mod advice;
pub mod api;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod demo;
pub mod emulate;
pub mod engine;
pub mod journal;
pub mod operator;
pub mod plc;
pub mod replay;
pub mod scanner;
pub mod telemetry;
