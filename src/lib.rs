//! The live engine.

pub mod journal;
pub mod replay;
