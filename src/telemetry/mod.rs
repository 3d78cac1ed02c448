//! What people and monitors see of a running engine.
//!
//! The decision thread fills a [`View`] now and then, only while somebody watches, and leaves it
//! in a [slot](view_slot); whoever shows it picks the newest up on a clock of its own. Neither
//! side ever waits for the other or wakes it.

mod alarms;
mod hub_view;
mod rate;
mod slot;
mod view;

pub use alarms::{AlarmBoard, AlarmRow, Priority, ALARM_ROWS_MAX};
pub use hub_view::{
    CapacityView, ChutePlace, ChuteRole, ChuteSite, HubView, Site, TrackSite,
    DESTINATIONS_NAMED_MAX,
};
pub use rate::Throughput;
pub use slot::{view_slot, ViewPublisher, ViewSource, Watchers, Watching};
pub use view::{
    BooksRow, ByReason, ChuteRow, ItemRow, LatencyRow, LinkRow, ScannerRow, ShortText, TrackRow, View,
    ITEM_ROWS_MAX,
};
