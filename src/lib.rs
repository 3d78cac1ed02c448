//! The live engine.

pub mod api;
pub mod telemetry;
