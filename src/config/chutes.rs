//! `[[chute]]`: single ones and banks, with one outlet or several.

use std::rc::Rc;

use sorthub_core::hub::{Capacity, ChuteSpec, Outlet, Sensing};
use sorthub_core::ids::TrackId;
use sorthub_core::limits::CHUTES_MAX;
use sorthub_core::units::Mm;

use super::bank::{Bank, Limits, Names, PLACE_MM_MAX, read_tracks};
use super::devices::read_place;
use super::draft::{Draft, members_within, origin_of, place};
use super::fault::Meaning;
use super::reader::Table;

const LIMITS: Limits = Limits {
    count_max: CHUTES_MAX as u32,
    can_repeat: true,
};

/// More than any chute, bag or cage holds.
const PARCELS_MAX: u32 = 10_000;

/// An outlet of the first chute of a bank. Without a track it is on the member's own.
struct OutletForm {
    track: Option<TrackId>,
    at: u32,
    lead: u32,
}

pub(super) fn read(root: &Table<'_>, tracks: &Names, draft: &mut Draft) {
    for table in root.tables("chute", "[[chute]]") {
        let mark = table.faults.mark();
        let (on, outlets) = read_outlets(&table, tracks);
        let bank = Bank::of_devices(&table, on, LIMITS);
        let capacity = read_capacity(&table);
        let sensings = [("eyes", Sensing::Eyes), ("counted", Sensing::Counted)];
        let sensing = table.get("sensing").and_then(|v| v.choice(&sensings));
        let origin = origin_of(&table, mark);
        for member in members_within(&bank, draft.spec.chutes.len()) {
            let of_member = |outlet: &OutletForm| Outlet {
                track: outlet.track.or(member.track).unwrap_or(TrackId(0)),
                at: Mm(place(outlet.at, member.offset_mm)),
                lead: Mm(outlet.lead),
            };
            let outlets = outlets.iter().map(of_member).collect();
            draft.spec.chutes.push(ChuteSpec {
                name: member.name,
                outlets,
                capacity,
                sensing: sensing.unwrap_or_default(),
            });
            draft.chutes.push(Rc::clone(&origin));
        }
    }
}

/// Either `track` or `tracks` with `at_mm` and `lead_mm`, or `outlets` with several of them.
fn read_outlets(table: &Table<'_>, tracks: &Names) -> (Vec<(TrackId, String)>, Vec<OutletForm>) {
    if table.get("outlets").is_none() {
        let on = read_tracks(table, tracks);
        let (at, lead) = read_at_and_lead(table);
        return (
            on,
            vec![OutletForm {
                track: None,
                at,
                lead,
            }],
        );
    }
    for key in ["track", "tracks", "at_mm", "lead_mm"] {
        table.refuse(key, "each of `outlets` has its own");
    }
    let mut outlets: Vec<OutletForm> = Vec::new();
    for entry in table.tables("outlets", "an outlet") {
        let (at, lead) = read_at_and_lead(&entry);
        let track = entry.require("track", "track = \"…\"");
        entry.finish();
        let Some(track) = track.and_then(|value| tracks.find_one(value)) else {
            continue;
        };
        let id = TrackId(track as u16);
        if outlets.iter().any(|outlet| outlet.track == Some(id)) {
            let name = |key| {
                table
                    .get(key)
                    .and_then(|v| v.any_text())
                    .unwrap_or("")
                    .to_owned()
            };
            let fault = Meaning::TwoOutlets {
                chute: name("name"),
                track: tracks.all()[track].clone(),
            };
            table.faults.add(entry.span, fault);
        }
        outlets.push(OutletForm {
            track: Some(id),
            at,
            lead,
        });
    }
    (vec![], outlets)
}

fn read_at_and_lead(table: &Table<'_>) -> (u32, u32) {
    (
        read_place(table, "at_mm", "at_mm = 9000"),
        read_place(table, "lead_mm", "lead_mm = 300"),
    )
}

fn read_capacity(table: &Table<'_>) -> Capacity {
    let parcels = table.get("capacity_parcels");
    let length = table.get("capacity_mm");
    if parcels.is_some() && length.is_some() {
        table.refuse(
            "capacity_mm",
            "`capacity_parcels` already says how much it holds",
        );
    }
    let parcels = parcels.and_then(|v| v.int(1..=PARCELS_MAX));
    let length = length.and_then(|v| v.int(1..=PLACE_MM_MAX));
    match (parcels, length) {
        (Some(parcels), _) => Capacity::Parcels(parcels),
        (None, Some(length)) => Capacity::Length(Mm(length)),
        (None, None) => Capacity::Unlimited,
    }
}
