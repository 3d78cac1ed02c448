//! Every limit of the core, in one place.
//!
//! Hitting one is a named, counted outcome, never a panic, a wait, or a silent drop.

use crate::units::{Grams, Micros, Mm};

/// Most outputs of one `handle` call. A call that could make more leaves work for the next.
pub const OUTPUTS_PER_CALL_MAX: usize = 1_024;

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

/// How far the occupancy of a track must fall below a cap before inductions are let go again, in
/// thousandths: without it they would stop and start with every parcel.
pub const OCCUPANCY_HYSTERESIS_PERMILLE: u64 = 50;

/// Discharges that a carrier may fail in a row, at two chutes at least, before it is disabled. At
/// one chute only it would be the chute.
pub const CARRIER_FAILURES_MAX: u8 = 3;

/// Discharges that a chute may fail in a row, from two carriers at least, before it is alarmed.
pub const CHUTE_FAILURES_MAX: u8 = 3;

/// Carriers that one item can lie on.
pub const SPANS_MAX: u8 = 4;

/// Items in a row that a scanner sends no telegram for before it counts as silent.
pub const SCANNER_SILENT_AFTER: u16 = 10;

/// Questions in a row that the host has not answered in time before it counts as lost.
pub const HOST_LOST_AFTER: u16 = 5;

/// Items in a row that a scanner reads nothing of before it is alarmed.
pub const NO_READ_STREAK: u16 = 20;

/// How far a belt must have come by its speed, in mm, while its encoder stands, before the encoder
/// counts as stuck. A poll of an encoder that moves never shows so much.
pub const ENCODER_STUCK_MM: i64 = 3_000;

/// Cells that one call looks at for work that concerns a whole track.
pub const REVIEW_CELLS_PER_CALL: u32 = 1_024;

/// Parcels that are expected from one transfer. A conveyor of 400 m with a parcel each 0.4 m.
pub const TRANSFER_EXPECTED_MAX: usize = 1_024;

/// Waves of one plan: they are kept as bits of one number.
pub const WAVES_MAX: usize = 64;

/// Attribute rules of one plan: a decision may look through all of them, at some nanoseconds each.
pub const RULES_MAX: usize = 1_000;

/// Parcels in one chute whose lengths are remembered, for chutes with a capacity in length.
pub const CHUTE_CONTENTS_MAX: usize = 4_096;

/// Parcels that a command about a waybill re-decides in its own call; if more carry the number,
/// they all follow by time-outs, the longest read first.
pub const REDECIDED_BY_COMMAND_MAX: usize = 16;

/// Waybills for which people have left word (holds, intercepts, verdicts). One in a hundred of
/// the waybills of a day at a large hub; those long gone are released by the host.
pub const INSTRUCTIONS_MAX: usize = 65_536;

/// Waybills whose many parcels are being re-decided at a time; beyond that a command is refused.
pub const REDECIDING_MAX: usize = 64;

/// Questions to the host that are open at a time: at ten thousand parcels a second and 300 ms.
/// For a parcel beyond that the local answer stands at once.
pub const QUESTIONS_MAX: usize = 4_096;

/// Seats at which people key in what could not be read.
pub const SEATS_MAX: usize = 256;

/// Characters of a scanned code that can fit a format. A longer one (a two-dimensional code with
/// a whole manifest in it) fits none.
pub const CODE_CHARS_MAX: usize = 64;

/// Characters that a format can put in front of a code because its print leaves them out.
pub const OMITTED_CHARS_MAX: usize = 4;

/// Formats of one table.
pub const FORMATS_MAX: usize = 1_000;

/// Shapes of one format: its patterns with every count of every repetition.
pub const FORMAT_SHAPES_MAX: usize = 256;

/// Shapes of all formats of one table; what is compiled from them stays below 9 MB.
pub const SHAPES_MAX: usize = 4_096;

/// Different waybills of one priority that are kept while one label is judged. Two already make
/// it a conflict; more only add evidence.
pub const LABEL_WAYBILLS_MAX: usize = 8;

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

/// Shares of one plan in all: each has a counter, made at the start so that a plan switch needs
/// none. A hub of 400 chutes with a hundred destinations over eight chutes each has 800.
pub const SHARES_MAX: usize = 65_536;

/// Plans that a sorter knows at once: the active one, the one before it while parcels or chutes
/// still depend on it, and those staged.
pub const PLANS_MAX: usize = 8;

/// Most parcels that one call looks at to find those that need another way; the rest are looked at
/// in the next calls. A look at a parcel that no cache holds is some 200 ns: with these a call
/// that only looks takes hardly longer than one that decides its share.
pub const LOOKS_PER_CALL_MAX: usize = 256;

/// Most wishes to chutes that one call says; the rest follow in the next calls.
pub const WISHES_PER_CALL_MAX: usize = 64;

/// How long a chute may be locked, or its bag being changed, before a person should look.
pub const LOCKED_LONG: Micros = Micros::from_secs(180);

// One re-decided parcel makes at most four outputs (withdraw, divert, decided, ended); a call
// re-decides a share of them, and a belt that was told ends as many again.
const _: () =
    assert!(OUTPUTS_PER_CALL_MAX >= SWEEP_PER_CALL_MAX * 2 * 4 + WISHES_PER_CALL_MAX + 64);
