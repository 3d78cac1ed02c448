//! Banks: one table that describes many devices of a kind, evenly spaced, with numbered names.

use sorthub_core::ids::TrackId;
use sorthub_core::limits::{CHUTES_MAX, TRACKS_MAX};

use super::fault::TextFault;
pub(super) use super::lookup::Names;
use super::names::Pattern;
use super::reader::Table;

/// No track is longer than 10 km, and nothing stands further from its beginning.
pub(super) const PLACE_MM_MAX: u32 = 10_000_000;

/// Most chutes of one bank, which is also the most that the core can number.
const MEMBERS_MAX: u32 = CHUTES_MAX as u32;

/// The largest number that the first member of a bank can have.
const FIRST_MAX: u32 = 999_999_999;

/// What a kind of device allows its banks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Most devices in one row.
    pub(super) count_max: u32,
    /// Whether the row can be repeated along the track.
    pub(super) can_repeat: bool,
}

/// A bank as described.
#[derive(Debug)]
pub(super) struct Bank {
    name: Pattern,
    count: u32,
    first: u32,
    step_mm: u32,
    banks: u32,
    bank_step_mm: u32,
    /// Once on each of these; once without one if there are none.
    tracks: Vec<(TrackId, String)>,
}

/// One device of a bank.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) track: Option<TrackId>,
    pub(super) track_name: String,
    /// How far behind the first one on its track.
    pub(super) offset_mm: u64,
}

impl Bank {
    /// Reads what a bank of devices on tracks has: `name`, `count`, `first`, `step_mm`, and, if
    /// it can be repeated, `banks` and `bank_step_mm`.
    pub(super) fn of_devices(
        table: &Table<'_>,
        tracks: Vec<(TrackId, String)>,
        limits: Limits,
    ) -> Self {
        let step = table.get("step_mm");
        let step_mm = step.and_then(|v| v.int(1..=PLACE_MM_MAX)).unwrap_or(0);
        let (mut banks, mut bank_step_mm) = (1, 0);
        if limits.can_repeat {
            let step = table.get("bank_step_mm");
            banks = read_count(table, "banks", limits.count_max);
            bank_step_mm = step.and_then(|v| v.int(1..=PLACE_MM_MAX)).unwrap_or(0);
            if banks > 1 && step.is_none() {
                table.missing("bank_step_mm", "bank_step_mm = 45_000");
            }
        }
        let base = Self::read_base(table, limits.count_max);
        if base.count > 1 && step.is_none() {
            table.missing("step_mm", "step_mm = 1200");
        }
        let bank = Self {
            step_mm,
            banks,
            bank_step_mm,
            tracks,
            ..base
        };
        bank.check(table);
        bank
    }

    /// Reads what a bank of tracks has: `name`, `count` and `first`.
    pub(super) fn of_tracks(table: &Table<'_>) -> Self {
        let bank = Self::read_base(table, TRACKS_MAX as u32);
        bank.check(table);
        bank
    }

    /// A bank whose name cannot be read is a bank all the same: its devices are there, so that
    /// nobody complains of too few.
    fn read_base(table: &Table<'_>, count_max: u32) -> Self {
        let name = table.require("name", "name = \"…\"");
        let count = read_count(table, "count", count_max);
        let first = table.get("first").and_then(|v| v.int(0..=FIRST_MAX));
        let pattern = name.and_then(|value| {
            let parsed = Pattern::parse(value.text()?);
            parsed.map_err(|fault| value.fault(fault)).ok()
        });
        Self {
            name: pattern.unwrap_or_else(|| Pattern::unreadable(table.span.start)),
            count,
            first: first.unwrap_or(1),
            step_mm: 0,
            banks: 1,
            bank_step_mm: 0,
            tracks: vec![],
        }
    }

    fn check(&self, table: &Table<'_>) {
        let in_all =
            u64::from(self.count) * u64::from(self.banks) * self.tracks.len().max(1) as u64;
        if in_all > u64::from(MEMBERS_MAX) {
            let fault = TextFault::OutOfRange {
                key: "count".to_owned(),
                found: in_all.to_string(),
                least: 1,
                most: u64::from(MEMBERS_MAX),
            };
            table.faults.add(table.place_of("count"), fault);
        }
        let problem = if (self.count > 1 || self.banks > 1) && !self.name.has_number() {
            "a bank of several needs {n} in it"
        } else if self.tracks.len() > 1 && !self.name.has_track() {
            "a bank on several tracks needs {track} in it"
        } else {
            return;
        };
        let pattern = table
            .get("name")
            .and_then(|v| v.any_text())
            .unwrap_or("")
            .to_owned();
        table.faults.add(
            table.place_of("name"),
            TextFault::BadPattern { pattern, problem },
        );
    }

    /// Its devices, track by track in the order of their places.
    pub(super) fn members(&self) -> impl Iterator<Item = Member> + '_ {
        let without = [(None, "")];
        let on: Vec<(Option<TrackId>, &str)> = if self.tracks.is_empty() {
            without.to_vec()
        } else {
            self.tracks
                .iter()
                .map(|(id, name)| (Some(*id), name.as_str()))
                .collect()
        };
        let places = move |(track, track_name)| {
            (0..self.banks).flat_map(move |bank| {
                (0..self.count).map(move |nth| self.member(track, track_name, bank, nth))
            })
        };
        on.into_iter().flat_map(places).take(MEMBERS_MAX as usize)
    }

    fn member(&self, track: Option<TrackId>, track_name: &str, bank: u32, nth: u32) -> Member {
        let number = self
            .first
            .saturating_add(bank.saturating_mul(self.count) + nth);
        let step = u64::from(nth) * u64::from(self.step_mm);
        Member {
            name: self.name.expand(number, track_name),
            number,
            track,
            track_name: track_name.to_owned(),
            offset_mm: u64::from(bank) * u64::from(self.bank_step_mm) + step,
        }
    }
}

fn read_count(table: &Table<'_>, key: &'static str, most: u32) -> u32 {
    table
        .get(key)
        .and_then(|value| value.int(1..=most))
        .unwrap_or(1)
}

/// The tracks that a device stands on: `track` for one, or `tracks` for one bank on each.
pub(super) fn read_tracks(table: &Table<'_>, tracks: &Names) -> Vec<(TrackId, String)> {
    let with_name = |at: usize| (TrackId(at as u16), tracks.all()[at].clone());
    let one = table.get("track");
    let Some(list) = table.get("tracks") else {
        let found = match one {
            Some(value) => tracks.find_one(value),
            // In a hub of one track there is no need to name it.
            None if tracks.all().len() == 1 => Some(0),
            None => {
                table.missing("track", "track = \"…\"");
                None
            }
        };
        return found.map(with_name).into_iter().collect();
    };
    if one.is_some() {
        table.refuse("track", "the bank stands on all of `tracks`");
    }
    let mut found = tracks.find_all(list);
    let mut seen = vec![];
    found.retain(|at| {
        let is_new = !seen.contains(at);
        seen.push(*at);
        is_new
    });
    found.into_iter().map(with_name).collect()
}
