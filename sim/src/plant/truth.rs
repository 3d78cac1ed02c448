//! What really happened, written down without a look at any decision.

use sorthub_core::ids::{ChuteId, DestId};
use sorthub_core::units::Micros;

/// How a parcel left the plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a chute.
    Chute(ChuteId),
    /// A person took it off.
    ByHand,
}

/// A parcel that has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its number in the plant.
    pub number: u64,
    /// Where it was for.
    pub dest: Option<DestId>,
    /// When it reached its induction.
    pub arrived: Micros,
    /// When it first got onto a track.
    pub inducted: Micros,
    /// Times round beyond the first, as it really travelled.
    pub laps: u32,
    /// How it left.
    pub way: Way,
    /// When.
    pub at: Micros,
}

/// Counts of what really happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Parcels that got on for the first time.
    pub inducted: u64,
    /// Sum of their waits at the inductions, in µs.
    pub waited_us: u64,
    /// Parcels that passed a scanner for the first time.
    pub scanned: u64,
    /// Passages of a chute that the PLC was to use: taken or refused.
    pub attempts: u64,
    /// Of these, the ones that refused.
    pub refused: u64,
    /// Parcels that left by a chute.
    pub discharged: u64,
    /// Parcels that dropped onto a transfer.
    pub handed_over: u64,
    /// Parcels that got onto a track from a transfer.
    pub taken_over: u64,
    /// Parcels that a person took off.
    pub removed: u64,
    /// When the last parcel left.
    pub last_exit: Micros,
}

impl Tally {
    /// Parcels on the tracks and their returns.
    #[must_use]
    pub const fn on_tracks(&self) -> u64 {
        self.inducted + self.taken_over - self.handed_over - self.discharged - self.removed
    }

    /// Parcels on transfers.
    #[must_use]
    pub const fn on_transfers(&self) -> u64 {
        self.handed_over - self.taken_over
    }
}

/// A parcel's row in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number; [`Plant::label`](super::Plant::label) knows the label.
    pub number: u64,
    /// Where it was for.
    pub dest: Option<DestId>,
    /// When it reached its induction.
    pub arrived: Micros,
    /// When it first got onto a track.
    pub inducted: Micros,
    /// What became of it; `None`: it is still on its way.
    pub exit: Option<(Way, Micros)>,
    /// Times round beyond the first, up to its exit.
    pub laps: u32,
}

/// One row for each parcel, in the order in which they got on.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    rows: Option<Vec<Row>>,
}

impl Ledger {
    /// A ledger, or none: then nothing is remembered of who has left.
    pub fn new(is_kept: bool) -> Self {
        Self {
            rows: is_kept.then(Vec::new),
        }
    }

    pub fn rows(&self) -> &[Row] {
        self.rows.as_deref().unwrap_or(&[])
    }

    /// Opens a row; the number to close it by.
    pub fn enter(&mut self, row: Row) -> u32 {
        let Some(rows) = &mut self.rows else { return 0 };
        rows.push(row);
        (rows.len() - 1) as u32
    }

    pub fn close(&mut self, row: u32, exit: &Exit) {
        if let Some(rows) = &mut self.rows {
            let row = &mut rows[row as usize];
            assert!(row.exit.is_none(), "a parcel leaves only once");
            row.exit = Some((exit.way, exit.at));
            row.laps = exit.laps;
        }
    }
}
