//! `[[chute]]`: single ones and banks, with one outlet or several.

use std::rc::Rc;

use sorthub_core::hub::{Capacity, ChuteRules, ChuteSpec, Lot, Outlet, Sensing};
use sorthub_core::ids::TrackId;
use sorthub_core::limits::CHUTES_MAX;
use sorthub_core::units::{Micros, Mm};

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

/// More than any parcel weighs, in g.
const WEIGHT_G_MAX: u32 = 1_000_000;

/// More than any bag or cage weighs, in g.
const LOT_WEIGHT_G_MAX: u32 = 10_000_000;

/// Longer than any parcel slides past an eye, in ms.
const FULL_AFTER_MS_MAX: u32 = 60_000;

/// Longer than anybody waits with an eye that is stuck, in s.
const STUCK_AFTER_S_MAX: u32 = 86_400;

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
        let rules = read_rules(&table);
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
                rules,
            });
            draft.chutes.push(Rc::clone(&origin));
        }
    }
}

/// What it takes, when its eye is believed, and what its parcels lie in.
fn read_rules(table: &Table<'_>) -> ChuteRules {
    let mut rules = ChuteRules::default();
    let number = |key, most| table.get(key).and_then(|value| value.int(0..=most));
    let set = |value: &mut u32, key, most| *value = number(key, most).unwrap_or(*value);
    set(&mut rules.weight_most.0, "weight_most_g", WEIGHT_G_MAX);
    set(&mut rules.length_most.0, "length_most_mm", PLACE_MM_MAX);
    if let Some(fragile) = table.get("fragile").and_then(|value| value.flag()) {
        rules.refuses_fragile = !fragile;
    }
    if let Some(ms) = number("full_after_ms", FULL_AFTER_MS_MAX) {
        rules.full_after = Micros::from_millis(u64::from(ms));
    }
    match number("stuck_after_s", STUCK_AFTER_S_MAX) {
        // 0 is "not at all", as with the other numbers.
        Some(0) => rules.stuck_after = Micros::NEVER,
        Some(secs) => rules.stuck_after = Micros::from_secs(u64::from(secs)),
        None => {}
    }
    let lots = [("flow", Lot::Flow), ("cage", Lot::Cage), ("bag", Lot::Bag)];
    if let Some(lot) = table.get("lot").and_then(|value| value.choice(&lots)) {
        rules.lot = lot;
    }
    let most = &mut rules.lot_most;
    set(&mut most.pieces, "lot_pieces_most", PARCELS_MAX);
    set(&mut most.weight.0, "lot_weight_most_g", LOT_WEIGHT_G_MAX);
    set(&mut most.volume_cm3, "lot_volume_most_cm3", u32::MAX);
    rules
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
