//! `[[induction]]` and `[[scanner]]`.

use std::rc::Rc;

use sorthub_core::hub::{InductionSpec, MeetsBy, ScannerSpec};
use sorthub_core::ids::TrackId;
use sorthub_core::units::Mm;

use super::bank::{Bank, Limits, Names, PLACE_MM_MAX, read_tracks};
use super::draft::{Draft, members_within, origin_of, place};
use super::links::read_scanner;
use super::reader::Table;

/// Far more than stand at any track; it keeps the work of checking small.
const LIMITS: Limits = Limits {
    count_max: 1_000,
    can_repeat: false,
};

pub(super) fn read_inductions(root: &Table<'_>, tracks: &Names, draft: &mut Draft) {
    for table in root.tables("induction", "[[induction]]") {
        let mark = table.faults.mark();
        let on = read_tracks(&table, tracks);
        let bank = Bank::of_devices(&table, on, LIMITS);
        let at = read_place(&table, "at_mm", "at_mm = 1500");
        let quota = table.get("quota_permille").and_then(|v| v.int(1..=1_000));
        let origin = origin_of(&table, mark);
        for member in members_within(&bank, draft.spec.inductions.len()) {
            draft.spec.inductions.push(InductionSpec {
                name: member.name,
                track: member.track.unwrap_or(TrackId(0)),
                at: Mm(place(at, member.offset_mm)),
                quota_permille: quota.unwrap_or(1_000) as u16,
            });
            draft.inductions.push(Rc::clone(&origin));
        }
    }
}

pub(super) fn read_scanners(root: &Table<'_>, tracks: &Names, draft: &mut Draft) {
    for table in root.tables("scanner", "[[scanner]]") {
        let mark = table.faults.mark();
        let on = read_tracks(&table, tracks);
        let bank = Bank::of_devices(&table, on, LIMITS);
        let members = members_within(&bank, draft.spec.scanners.len());
        let at = read_place(&table, "at_mm", "at_mm = 6000");
        let meets_by = read_meets_by(&table);
        let wait = read_place(&table, "wait_mm", "wait_mm = 1000");
        let links = read_scanner(&table, meets_by, &members, &mut draft.addresses);
        let origin = origin_of(&table, mark);
        for (member, link) in members.into_iter().zip(links) {
            draft.spec.scanners.push(ScannerSpec {
                name: member.name,
                track: member.track.unwrap_or(TrackId(0)),
                at: Mm(place(at, member.offset_mm)),
                meets_by,
                wait: Mm(wait),
            });
            draft.links.scanners.push(link);
            draft.scanners.push(Rc::clone(&origin));
        }
    }
}

/// A place or a distance that must be given.
pub(super) fn read_place(table: &Table<'_>, key: &'static str, example: &'static str) -> u32 {
    table
        .require(key, example)
        .and_then(|v| v.int(0..=PLACE_MM_MAX))
        .unwrap_or(0)
}

#[derive(Clone, Copy)]
enum By {
    Trigger,
    Carrier,
    Encoder,
    Arrival,
}

fn read_meets_by(table: &Table<'_>) -> MeetsBy {
    let words = [
        ("trigger", By::Trigger),
        ("carrier", By::Carrier),
        ("encoder", By::Encoder),
        ("arrival", By::Arrival),
    ];
    let by = table
        .require("meets_by", "meets_by = \"trigger\"")
        .and_then(|v| v.choice(&words));
    let window = || {
        let value = table.require("window_mm", "window_mm = 150");
        Mm(value.and_then(|v| v.int(1..=PLACE_MM_MAX)).unwrap_or(1))
    };
    if let Some(By::Trigger | By::Carrier | By::Encoder) = by {
        table.refuse("delay_ms", "only a scanner that meets by arrival needs it");
    }
    if let Some(By::Trigger | By::Carrier) = by {
        table.refuse("window_mm", "a number either fits or not");
    }
    match by {
        Some(By::Trigger) => MeetsBy::Trigger,
        Some(By::Carrier) => MeetsBy::Carrier,
        Some(By::Encoder) => MeetsBy::Encoder { window: window() },
        Some(By::Arrival) => {
            let delay = table.require("delay_ms", "delay_ms = 150");
            let delay_ms = delay.and_then(|v| v.int(0..=10_000)).unwrap_or(0);
            MeetsBy::Arrival {
                delay_ms,
                window: window(),
            }
        }
        None => {
            table.get("window_mm");
            table.get("delay_ms");
            MeetsBy::Trigger
        }
    }
}
