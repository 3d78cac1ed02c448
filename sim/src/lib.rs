//! The simulated world of sorthub.
#![forbid(unsafe_code)]

pub mod spec;
