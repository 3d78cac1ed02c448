//! What people and monitors see of a running engine.
//!
//! The decision thread fills a [`View`] now and then, only while somebody watches, and leaves it
//! in a [slot](view_slot); whoever shows it picks the newest up on a clock of its own. Neither
//! side ever waits for the other or wakes it.

mod alarms;
mod hub_view;
mod merge;
mod rate;
mod slot;
mod view;
pub mod why;

pub use alarms::{
    ALARM_ROWS_MAX, About, AlarmBoard, AlarmRefused, AlarmRow, LinkHealth, NEW_ROWS_PER_MINUTE_MAX,
    Priority, SHELVED_MAX,
};
pub use hub_view::{
    CapacityView, ChutePlace, ChuteRole, ChuteSite, DESTINATIONS_NAMED_MAX, HubView, Site,
    TrackSite,
};
pub use merge::{ViewMerger, merge_views};
pub use rate::Throughput;
pub use slot::{ViewPublisher, ViewSource, Watchers, Watching, view_slot};
pub use view::{
    BooksRow, ByReason, ChuteRow, ITEM_ROWS_MAX, InductionRow, ItemRow, LatencyRow, LinkRow,
    ScannerRow, ShortText, TrackRow, View,
};
