//! The local time of day.

use std::fmt;

use rusqlite::Connection;

use crate::clock::Clock;
use crate::operator::LocalSeconds;

/// The clock on the wall, in the system's time zone; or, beside a virtual hub that runs faster,
/// one that showed the same when the hub began and runs as fast as it.
pub struct Wall {
    /// SQLite, which is here anyway, asks the C library for the local time. The standard library
    /// cannot, and time zones are nothing to be written anew.
    asked: Option<Connection>,
    scaled: Option<(Clock, LocalSeconds)>,
}

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wall").finish_non_exhaustive()
    }
}

impl Wall {
    /// The wall clock beside a plant's clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let mut wall = Self {
            asked: Connection::open_in_memory().ok(),
            scaled: None,
        };
        if clock.speed_permille() != 1_000 {
            wall.scaled = wall.now().map(|now| (clock, now));
        }
        wall
    }

    /// The local time; `None` if the system does not tell.
    #[must_use]
    pub fn now(&self) -> Option<LocalSeconds> {
        if let Some((clock, began)) = &self.scaled {
            let elapsed_s = clock.plant_now().0 / 1_000_000;
            return Some(LocalSeconds(began.0 + i64::try_from(elapsed_s).ok()?));
        }
        let sql = "SELECT CAST(strftime('%s', 'now', 'localtime') AS INTEGER)";
        let told = self.asked.as_ref()?.query_row(sql, [], |row| row.get(0));
        match told {
            Ok(seconds) => Some(LocalSeconds(seconds)),
            Err(error) => {
                tracing::warn!(%error, "the local time is not known: cut-offs wait");
                None
            }
        }
    }
}
