//! What the decision thread counts besides the book.

use crate::telemetry::ShortText;

/// Counts of one scanner's link.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScannerStats {
    /// Telegrams with a good code.
    pub reads: u64,
    /// Telegrams without one.
    pub no_reads: u64,
    /// Frames and bytes that were no telegram.
    pub garbage: u64,
    /// The last code.
    pub last: Option<ShortText>,
    /// Whether it is connected.
    pub linked: bool,
}

impl ScannerStats {
    pub(super) fn count(&mut self, good: bool, code: Option<&str>) {
        if good {
            self.reads += 1;
        } else {
            self.no_reads += 1;
        }
        if let Some(code) = code {
            self.last = Some(ShortText::new(code));
        }
    }
}

/// Counts of the PLC links.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Events outside the interface, or about what the hub file does not have.
    pub unreadable_events: u64,
    /// Times a link went up, down, or was granted.
    pub link_changes: u64,
    /// Parcels on transfers that the next sorter could not be told of.
    pub untold_transfers: u64,
}
