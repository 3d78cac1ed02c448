//! Every limit of the core, in one place.
//!
//! Hitting one is a named, counted outcome, never a panic, a wait, or a silent drop.

use crate::units::{Grams, Mm};

/// Most outputs of one `handle` call. A call that could make more leaves work for the next.
pub const OUTPUTS_PER_CALL_MAX: usize = 512;

/// Most parcels that one call re-decides or ends by itself (lost checks, time-outs); the rest
/// follow in the next calls.
pub const SWEEP_PER_CALL_MAX: usize = 64;

/// Items at one scanner that wait for their telegram, and telegrams that wait for their item.
/// At 0.2 s a carrier and 400 ms of camera time three are usual; a reader that is silent for a
/// whole lap fills it, and then the oldest is decided as a no-read.
pub const SCANNER_WAITING_MAX: usize = 32;

/// Chutes that one order can name: what fits the command slot of the PLC interface.
pub const ORDER_CHUTES_MAX: usize = 3;

/// Carriers or windows of one track: what the register map of its PLC has room for.
pub const CELLS_PER_TRACK_MAX: u32 = 8_000;

/// Chutes that one track passes: what the register map of its PLC has room for.
pub const CHUTES_PER_TRACK_MAX: usize = 1_000;

/// Inductions of one track: what the register map of its PLC has room for.
pub const INDUCTIONS_PER_TRACK_MAX: usize = 64;

/// Tracks of one sorter.
pub const TRACKS_MAX: usize = 64;

/// Chutes of one hub: they are numbered with 16 bits.
pub const CHUTES_MAX: usize = 60_000;

/// Laps after which a parcel is always rejected, whatever the plan says.
pub const LAPS_MAX: u8 = 100;

/// Waves of one plan: they are kept as bits of one number.
pub const WAVES_MAX: usize = 64;

/// Parcels in one chute whose lengths are remembered, for chutes with a capacity in length.
pub const CHUTE_CONTENTS_MAX: usize = 4_096;

/// The longest waybill number in bytes: the longest that carriers print has 34 characters.
pub const WAYBILL_BYTES_MAX: usize = 64;

/// Waybills of one directory: ten times what the largest hubs sort in a day.
pub const WAYBILLS_MAX: usize = 100_000_000;

/// Different advices (destination, addresses, service, attributes) of one directory. Waybills
/// with the same one share it; more than this would be one for nearly every waybill.
pub const ADVICES_MAX: usize = 20_000_000;

/// Advices and withdrawals of single waybills between two loads of the whole table: each of them
/// copies the others.
pub const RECENT_ADVICES_MAX: usize = 4_096;

/// Declared mass that pre-advice can keep: 22 bits of grams.
pub const DECLARED_WEIGHT_MAX: Grams = Grams((1 << 22) - 1);

/// Declared length, width or height that pre-advice can keep: 14 bits of millimetres.
pub const DECLARED_SIDE_MAX: Mm = Mm((1 << 14) - 1);

// One re-decided parcel makes at most four outputs (withdraw, divert, decided, ended).
const _: () = assert!(OUTPUTS_PER_CALL_MAX >= SWEEP_PER_CALL_MAX * 4 + 64);
