//! What the plant lets its surroundings know.

use sorthub_core::facts::{Measures, Verdict};
use sorthub_core::ids::{DestId, ScannerId};
use sorthub_core::signal::{ScanKey, Signal};

use crate::plant::truth::Exit;

/// Something that happened in the plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlantEvent {
    /// A PLC says so. It never says what only a scanner or a person can know.
    Plc(Signal),
    /// A scanner sends a telegram.
    Telegram {
        /// Which scanner.
        scanner: ScannerId,
        /// How it names the item.
        key: ScanKey,
        /// What it saw.
        sight: Sight,
    },
    /// The truth about a parcel that has left, just before the PLC says what it has noticed of it.
    /// It is for statistics and for judges, never for the sorter.
    Left(Exit),
}

/// What a scanner saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The parcel's number in the plant; [`Plant::label`](super::Plant::label) knows its label.
    pub number: u64,
    /// Whether the label could be read.
    pub is_read: bool,
    /// What a directory says that the label is for.
    pub dest: Option<DestId>,
    /// What a scale and a volume scanner say.
    pub measured: Measures,
    /// What an X-ray machine says.
    pub verdict: Verdict,
}
