//! The journal and its replay: what is recorded comes out again; what is damaged, missing or
//! different is named.

mod crash;
mod damage;
mod full;
mod replay;
mod round_trip;
mod world;
