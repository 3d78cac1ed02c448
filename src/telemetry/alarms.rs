//! What a person should know and do, as rows of a list that cannot flood.
//!
//! An alarm of one kind about one device is one row, however often it comes: it is counted. A row
//! stands while its cause lasts and stays readable for a while after. The words are here, so that
//! every place that shows an alarm says the same.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sorthub_core::ids::{ChuteId, TrackId};
use sorthub_core::signal::Alarm;
use sorthub_core::sorter::Sorter;
use sorthub_core::units::Micros;

use super::hub_view::{ChuteRole, HubView};

/// Most rows that are kept; of those that are over, the oldest goes first.
pub const ALARM_ROWS_MAX: usize = 64;

/// A chute that is full or locked for a moment is work for its operator, not an alarm.
const CHUTE_CLOSED_MAX: Micros = Micros::from_secs(180);

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
    /// A number of its own, growing with each new row.
    pub id: u64,
    /// How soon a person must act.
    pub priority: Priority,
    /// What is the matter.
    #[serde(serialize_with = "shared_text")]
    pub text: Arc<str>,
    /// What to do about it.
    pub mend: &'static str,
    /// Plant time of the first occurrence, in µs.
    pub since_us: u64,
    /// Plant time when the cause was over, in µs; `None` while it lasts.
    pub cleared_us: Option<u64>,
    /// How often it has occurred since.
    pub times: u64,
}

/// What an alarm is about. Two occurrences with the same one share a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Missort(ChuteId),
    Lost,
    LinkLost(TrackId),
    TrackingReset(TrackId),
    TooManyItems,
    ChuteClosed(ChuteId),
    ChuteJammed(ChuteId),
}

/// The alarms of a run.
#[derive(Debug)]
pub struct AlarmBoard {
    names: Names,
    rows: VecDeque<(About, AlarmRow)>,
    next_id: u64,
    /// For each chute, since when it has taken nothing.
    closed_since: Vec<Option<Micros>>,
}

#[derive(Debug)]
struct Names {
    tracks: Vec<String>,
    chutes: Vec<(String, ChuteRole)>,
}

impl AlarmBoard {
    /// An empty board for a hub.
    #[must_use]
    pub fn new(hub: &HubView) -> Self {
        let chutes = hub.chutes.iter().map(|c| (c.name.clone(), c.role));
        Self {
            names: Names {
                tracks: hub.tracks.iter().map(|track| track.name.clone()).collect(),
                chutes: chutes.collect(),
            },
            rows: VecDeque::with_capacity(ALARM_ROWS_MAX),
            next_id: 1,
            closed_since: vec![None; hub.chutes.len()],
        }
    }

    /// Another plan uses the chutes otherwise: `roles` in the order of the hub.
    pub fn set_roles(&mut self, roles: &[ChuteRole]) {
        for ((_, role), new) in self.names.chutes.iter_mut().zip(roles) {
            *role = *new;
        }
    }

    /// Notes what the sorter says. A lost link and a reset stand until [`AlarmBoard::follow`] sees
    /// them over; the others are single events and over at once.
    pub fn note(&mut self, now: Micros, alarm: &Alarm) {
        match *alarm {
            Alarm::Missort { parcel, went, .. } => {
                let text = format!("Parcel {parcel} left by {}", self.names.chute(went));
                let mend = "Take it out by hand; check the diverter and the carrier before it.";
                self.happened(now, About::Missort(went), Priority::High, text, mend);
            }
            Alarm::Lost { parcel } => {
                let text = format!("Parcel {parcel} was not seen where it had to pass");
                let mend = "Look beside the belt and under the last eye that saw it.";
                self.happened(now, About::Lost, Priority::High, text, mend);
            }
            Alarm::LinkLost { track } => {
                let text = format!("No word from the PLC of {}", self.names.track(track));
                let mend =
                    "Check the PLC and its network; sorting goes on by itself once it answers.";
                self.stands(
                    now,
                    About::LinkLost(track),
                    Priority::Critical,
                    || text,
                    mend,
                );
            }
            Alarm::TrackingReset { track, in_doubt } => {
                let name = self.names.track(track);
                let text = format!("The PLC of {name} has lost {in_doubt} parcels");
                let mend = "Keep parcels on the belt: each is known again once it is read.";
                let about = About::TrackingReset(track);
                self.stands(now, about, Priority::High, || text, mend);
            }
            Alarm::TooManyItems { .. } => {
                let text = "An item is not followed: there is no room for it".to_owned();
                let mend = "Pause the inductions until the sorter has emptied.";
                self.happened(now, About::TooManyItems, Priority::Critical, text, mend);
            }
        }
    }

    /// Looks at the levels of links and chutes, and raises and clears what they call for.
    pub fn follow(&mut self, now: Micros, sorter: &Sorter) {
        for track in (0..self.names.tracks.len()).map(|track| TrackId(track as u16)) {
            let view = sorter.track(track);
            if view.linked {
                self.over(now, About::LinkLost(track));
            }
            if view.in_doubt == 0 {
                self.over(now, About::TrackingReset(track));
            }
        }
        for chute in (0..self.closed_since.len()).map(|chute| ChuteId(chute as u16)) {
            let state = sorter.chute(chute).state;
            let jammed = state.jammed && state.enabled;
            self.jam(now, chute, jammed);
            self.closed(now, chute, (state.full || state.locked) && state.enabled);
        }
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

    fn jam(&mut self, now: Micros, chute: ChuteId, jammed: bool) {
        let about = About::ChuteJammed(chute);
        if !jammed {
            return self.over(now, about);
        }
        let text = |names: &Names| format!("{} is jammed", names.chute(chute));
        let mend = "Stop the chute, free the parcels, and reset it at its panel.";
        self.stands_named(now, about, Priority::High, text, mend);
    }

    fn closed(&mut self, now: Micros, chute: ChuteId, closed: bool) {
        let about = About::ChuteClosed(chute);
        let since = &mut self.closed_since[chute.index()];
        if !closed {
            *since = None;
            return self.over(now, about);
        }
        let since = *since.get_or_insert(now);
        let mend = "Empty it and let it open again; until then its parcels go round.";
        if self.names.chutes[chute.index()].1 == ChuteRole::Reject {
            // Nothing that cannot be sorted has anywhere to go.
            let text = |names: &Names| format!("{}, a reject chute, is closed", names.chute(chute));
            self.stands_named(now, about, Priority::Critical, text, mend);
        } else if now.since(since) >= CHUTE_CLOSED_MAX {
            let text =
                |names: &Names| format!("{} has taken nothing for 3 minutes", names.chute(chute));
            self.stands_named(now, about, Priority::High, text, mend);
        }
    }

    /// A single event: it is over as soon as it is noted.
    fn happened(
        &mut self,
        now: Micros,
        about: About,
        priority: Priority,
        text: String,
        mend: &'static str,
    ) {
        if let Some(at) = self.rows.iter().position(|(other, _)| *other == about) {
            // The newest comes last; its text names the newest case.
            let (about, mut row) = self.rows.remove(at).expect("it was found there");
            row.times += 1;
            row.text = text.into();
            row.cleared_us = Some(now.0);
            self.rows.push_back((about, row));
            return;
        }
        self.add(now, about, priority, text, mend);
        self.over(now, about);
    }

    fn stands_named(
        &mut self,
        now: Micros,
        about: About,
        priority: Priority,
        text: impl FnOnce(&Names) -> String,
        mend: &'static str,
    ) {
        if !self.is_standing(about) {
            let text = text(&self.names);
            self.stands(now, about, priority, || text, mend);
        }
    }

    /// A level: it stands until it is over, and a later one of its kind opens the row again.
    fn stands(
        &mut self,
        now: Micros,
        about: About,
        priority: Priority,
        text: impl FnOnce() -> String,
        mend: &'static str,
    ) {
        if self.is_standing(about) {
            return;
        }
        let before = self.rows.iter().position(|(other, _)| *other == about);
        let times = match before.and_then(|at| self.rows.remove(at)) {
            Some((_, row)) => row.times,
            None => 0,
        };
        self.add(now, about, priority, text(), mend);
        if let Some((_, row)) = self.rows.back_mut() {
            row.times += times;
        }
    }

    fn is_standing(&self, about: About) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|(other, row)| *other == about && row.cleared_us.is_none())
    }

    fn add(
        &mut self,
        now: Micros,
        about: About,
        priority: Priority,
        text: String,
        mend: &'static str,
    ) {
        if self.rows.len() >= ALARM_ROWS_MAX {
            let over = self
                .rows
                .iter()
                .position(|(_, row)| row.cleared_us.is_some());
            self.rows.remove(over.unwrap_or(0));
        }
        let row = AlarmRow {
            id: self.next_id,
            priority,
            text: text.into(),
            mend,
            since_us: now.0,
            cleared_us: None,
            times: 1,
        };
        self.next_id += 1;
        self.rows.push_back((about, row));
    }

    fn over(&mut self, now: Micros, about: About) {
        let standing =
            |(other, row): &&mut (About, AlarmRow)| *other == about && row.cleared_us.is_none();
        if let Some((_, row)) = self.rows.iter_mut().find(standing) {
            row.cleared_us = Some(now.0);
        }
    }
}

impl Names {
    fn track(&self, track: TrackId) -> &str {
        self.tracks.get(track.index()).map_or("?", String::as_str)
    }

    fn chute(&self, chute: ChuteId) -> &str {
        self.chutes.get(chute.index()).map_or("?", |(name, _)| name)
    }
}

fn shared_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
