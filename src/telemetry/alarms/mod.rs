//! What a person should know and do, as rows of a list that cannot flood.
//!
//! An alarm of one kind about one device is one row, however often it comes: it is counted. A row
//! stands while its cause lasts. What is urgent is latched: it stays after that until somebody has
//! acknowledged it. A row can be shelved for a time by somebody who knows of it and cannot mend it
//! now. The words are in one place (`words`), so that all who show an alarm say the same.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sorthub_core::ids::SorterId;
use sorthub_core::signal::Alarm;
use sorthub_core::units::Micros;

use super::hub_view::{ChuteRole, HubView};
use super::view::ShortText;

mod levels;
mod rates;
mod words;

pub use levels::LinkHealth;
pub use words::About;

use levels::Levels;
use words::Names;

/// Most rows that are kept; of those that are over, the oldest goes first.
pub const ALARM_ROWS_MAX: usize = 64;

/// Most new rows within a minute that are not critical: who gets more reads none of them. What is
/// beyond is counted in a row of its own.
pub const NEW_ROWS_PER_MINUTE_MAX: u32 = 20;

/// The longest time that an alarm can be shelved for: a shift. Longer, and it is forgotten.
pub const SHELVED_MAX: Micros = Micros::from_secs(12 * 3_600);

/// How soon a person must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// At once: sorting has stopped or is about to.
    Critical,
    /// Within minutes: parcels go where they should not, or round for nothing.
    High,
    /// In this shift.
    Low,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlarmRow {
    /// A number of its own, growing with each new row; no two rows of a hub have the same.
    pub id: u64,
    /// How soon a person must act.
    pub priority: Priority,
    /// What is the matter.
    #[serde(serialize_with = "shared_text")]
    pub text: Arc<str>,
    /// What it usually comes from.
    pub cause: &'static str,
    /// What to do about it.
    pub mend: &'static str,
    /// Plant time of the first occurrence, in µs.
    pub since_us: u64,
    /// Plant time when the cause was over, in µs; `None` while it lasts.
    pub cleared_us: Option<u64>,
    /// How often it has occurred since.
    pub times: u64,
    /// Whether it stays in the list until somebody has acknowledged it.
    pub latched: bool,
    /// Who has acknowledged it, if anybody.
    pub acknowledged_by: Option<ShortText>,
    /// Plant time until which it is shelved, in µs, if it is.
    pub shelved_until_us: Option<u64>,
}

impl AlarmRow {
    /// Whether nobody needs it any more: over, and acknowledged if it had to be.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.cleared_us.is_some() && (!self.latched || self.acknowledged_by.is_some())
    }
}

/// Why an alarm was neither acknowledged nor shelved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AlarmRefused {
    /// There is none with this number, or no more.
    #[error("there is no alarm {0} in the list; read the list again and name one of it")]
    NoSuchAlarm(u64),
    /// It would be shelved for longer than a shift.
    #[error("an alarm can be shelved for 12 hours at most; shelve it until then, or mend it")]
    TooLong,
}

/// The alarms of a run.
#[derive(Debug)]
pub struct AlarmBoard {
    names: Names,
    rows: VecDeque<(About, AlarmRow)>,
    next_id: u64,
    /// From one row's number to the next: as many as there are sorters.
    id_step: u64,
    levels: Levels,
    /// The minute in which new rows are counted, and how many there were.
    minute: u64,
    new_rows: u32,
}

impl AlarmBoard {
    /// An empty board for a hub of one sorter.
    #[must_use]
    pub fn new(hub: &HubView) -> Self {
        Self {
            names: Names::new(hub),
            rows: VecDeque::with_capacity(ALARM_ROWS_MAX),
            next_id: 1,
            id_step: 1,
            levels: Levels::new(hub),
            minute: 0,
            new_rows: 0,
        }
    }

    /// An empty board for one of several sorters of a hub: its numbers are its own.
    #[must_use]
    pub fn of_sorter(hub: &HubView, sorter: SorterId, sorters: usize) -> Self {
        Self {
            next_id: sorter.index() as u64 + 1,
            id_step: sorters.max(1) as u64,
            ..Self::new(hub)
        }
    }

    /// Another plan uses the chutes otherwise: `roles` in the order of the hub.
    pub fn set_roles(&mut self, roles: &[ChuteRole]) {
        self.names.set_roles(roles);
    }

    /// Notes what the sorter says. A lost link and a reset stand until [`AlarmBoard::follow`] sees
    /// them over; most others are single events and over at once.
    pub fn note(&mut self, now: Micros, alarm: &Alarm) {
        let (about, text) = self.names.of(alarm);
        if about.lasts() {
            self.stands(now, about, |_| text);
        } else {
            self.happened(now, about, text);
        }
    }

    /// Somebody has seen an alarm and takes care of it.
    ///
    /// # Errors
    /// [`AlarmRefused::NoSuchAlarm`].
    pub fn acknowledge(&mut self, id: u64, who: &str) -> Result<(), AlarmRefused> {
        self.row(id)?.acknowledged_by = Some(ShortText::new(who));
        Ok(())
    }

    /// Puts an alarm aside until `until`, in plant time: it is known, and cannot be mended now.
    /// [`AlarmBoard::follow`] takes it back then.
    ///
    /// # Errors
    /// See [`AlarmRefused`].
    pub fn shelve(&mut self, now: Micros, id: u64, until: Micros) -> Result<(), AlarmRefused> {
        if until.since(now) > SHELVED_MAX {
            return Err(AlarmRefused::TooLong);
        }
        self.row(id)?.shelved_until_us = Some(until.0);
        Ok(())
    }

    fn row(&mut self, id: u64) -> Result<&mut AlarmRow, AlarmRefused> {
        let found = self.rows.iter_mut().find(|(_, row)| row.id == id);
        found
            .map(|(_, row)| row)
            .ok_or(AlarmRefused::NoSuchAlarm(id))
    }

    /// The rows, the newest first.
    pub fn rows(&self) -> impl Iterator<Item = &AlarmRow> + '_ {
        self.rows.iter().rev().map(|(_, row)| row)
    }

    /// Writes the rows into a view's list.
    pub fn write(&self, rows: &mut Vec<AlarmRow>) {
        rows.clear();
        rows.extend(self.rows().cloned());
    }

    /// A single event: it is over as soon as it is noted.
    fn happened(&mut self, now: Micros, about: About, text: String) {
        if let Some(at) = self.rows.iter().position(|(other, _)| *other == about) {
            // The newest comes last; its text names the newest case, which nobody has seen yet.
            let (about, mut row) = self.rows.remove(at).expect("it was found there");
            row.times += 1;
            row.text = text.into();
            row.cleared_us = Some(now.0);
            row.acknowledged_by = None;
            self.rows.push_back((about, row));
            return;
        }
        self.add(now, about, text);
        self.over(now, about);
    }

    /// A level: it stands until it is over, and a later one of its kind opens the row again.
    fn stands(&mut self, now: Micros, about: About, text: impl FnOnce(&Names) -> String) {
        if self.is_standing(about) {
            return;
        }
        let before = self.rows.iter().position(|(other, _)| *other == about);
        let before = before.and_then(|at| self.rows.remove(at));
        let text = text(&self.names);
        self.add(now, about, text);
        if let (Some((_, before)), Some((last, row))) = (before, self.rows.back_mut())
            && *last == about
        {
            row.times += before.times;
            row.shelved_until_us = before.shelved_until_us;
        }
    }

    /// A level that holds or does not.
    fn level(
        &mut self,
        now: Micros,
        about: About,
        holds: bool,
        text: impl FnOnce(&Names) -> String,
    ) {
        if holds {
            self.stands(now, about, text);
        } else {
            self.over(now, about);
        }
    }

    fn is_standing(&self, about: About) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|(other, row)| *other == about && row.cleared_us.is_none())
    }

    fn add(&mut self, now: Micros, about: About, text: String) {
        let says = about.says();
        if says.priority != Priority::Critical && self.is_flooded(now) && about != About::Flood {
            let text = "More alarms come than a person can read".to_owned();
            self.happened(now, About::Flood, text);
            return;
        }
        if self.rows.len() >= ALARM_ROWS_MAX {
            self.make_room();
        }
        let row = AlarmRow {
            id: self.next_id,
            priority: says.priority,
            text: text.into(),
            cause: says.cause,
            mend: says.mend,
            since_us: now.0,
            cleared_us: None,
            times: 1,
            latched: says.priority < Priority::Low,
            acknowledged_by: None,
            shelved_until_us: None,
        };
        self.next_id += self.id_step;
        self.rows.push_back((about, row));
    }

    /// Drops the row that is missed least: one that is done, else one that is over, else the
    /// oldest.
    fn make_room(&mut self) {
        let done = self.rows.iter().position(|(_, row)| row.is_done());
        let over = || {
            let mut rows = self.rows.iter();
            rows.position(|(_, row)| row.cleared_us.is_some())
        };
        let at = done.or_else(over).unwrap_or(0);
        self.rows.remove(at);
    }

    /// Counts a new row, and whether there have been too many in this minute.
    fn is_flooded(&mut self, now: Micros) -> bool {
        let minute = now.0 / Micros::from_secs(60).0;
        if minute != self.minute {
            (self.minute, self.new_rows) = (minute, 0);
        }
        self.new_rows = self.new_rows.saturating_add(1);
        self.new_rows > NEW_ROWS_PER_MINUTE_MAX
    }

    fn over(&mut self, now: Micros, about: About) {
        let standing =
            |(other, row): &&mut (About, AlarmRow)| *other == about && row.cleared_us.is_none();
        if let Some((_, row)) = self.rows.iter_mut().find(standing) {
            row.cleared_us = Some(now.0);
        }
    }

    /// Takes back what was shelved long enough.
    fn unshelve(&mut self, now: Micros) {
        for (_, row) in &mut self.rows {
            if row.shelved_until_us.is_some_and(|until| until <= now.0) {
                row.shelved_until_us = None;
            }
        }
    }
}

fn shared_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
