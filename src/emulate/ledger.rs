//! The ledger: what really happened to each parcel.

use std::io::{self, Write};

use sorthub_core::hub::Hub;
use sorthub_core::ids::{ChuteId, DestId};
use sorthub_core::plan::Plan;
use sorthub_sim::plant::{Plant, Way};

/// How a parcel left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// By a chute.
    Chute(ChuteId),
    /// A person took it off.
    ByHand,
    /// It is still there.
    Not,
}

/// A parcel that got on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The code on its label.
    pub label: String,
    /// Where it was for; `None`: nowhere.
    pub dest: Option<DestId>,
    /// When it got on, in microseconds of plant time.
    pub inducted_us: u64,
    /// How it left.
    pub left: Left,
    /// When, in microseconds of plant time.
    pub left_us: Option<u64>,
    /// Times round beyond the first.
    pub laps: u32,
}

/// The rows of a plant's ledger.
pub(super) fn rows(plant: &Plant) -> Vec<LedgerRow> {
    let row = |row: &sorthub_sim::plant::Row| LedgerRow {
        label: plant.label(row.number),
        dest: row.dest,
        inducted_us: row.inducted.0,
        left: match row.exit {
            Some((Way::Chute(chute), _)) => Left::Chute(chute),
            Some((Way::ByHand, _)) => Left::ByHand,
            None => Left::Not,
        },
        left_us: row.exit.map(|(_, at)| at.0),
        laps: row.laps,
    };
    plant.ledger().iter().map(row).collect()
}

/// Writes a ledger as CSV: `label,destination,inducted_s,left_by,left_s,laps`.
///
/// # Errors
/// When it cannot be written.
pub fn write_csv(
    rows: &[LedgerRow],
    hub: &Hub,
    plan: &Plan,
    out: impl Write,
) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "label",
        "destination",
        "inducted_s",
        "left_by",
        "left_s",
        "laps",
    ])?;
    for row in rows {
        let dest = row
            .dest
            .and_then(|dest| plan.spec().destinations.get(dest.index()));
        let left_by = match row.left {
            Left::Chute(chute) => hub.chutes()[chute.index()].name.as_str(),
            Left::ByHand => "by hand",
            Left::Not => "",
        };
        csv.write_record([
            row.label.as_str(),
            dest.map_or("", |dest| dest.name.as_str()),
            &seconds(row.inducted_us),
            left_by,
            &row.left_us.map(seconds).unwrap_or_default(),
            &row.laps.to_string(),
        ])?;
    }
    csv.flush()
        .map_err(|error: io::Error| csv::Error::from(error))
}

/// Microseconds as seconds with six digits after the point.
fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}
