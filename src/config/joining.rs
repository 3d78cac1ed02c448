//! `[[sorter]]` and `[[transfer]]`: which tracks share a control thread, and what joins them.

use sorthub_core::hub::{SorterSpec, TransferSpec};
use sorthub_core::ids::{ChuteId, InductionId, TrackId};
use sorthub_core::units::Micros;

use super::bank::Names;
use super::draft::{Draft, origin_of};
use super::reader::Table;

/// Nobody waits an hour for a conveyor.
const TRAVEL_MS_MAX: u32 = 3_600_000;

/// How many times the travel is waited when no patience is given.
const PATIENCE_TRAVELS: u64 = 10;

pub(super) fn read_sorters(root: &Table<'_>, tracks: &Names, draft: &mut Draft) {
    for table in root.tables("sorter", "[[sorter]]") {
        let mark = table.faults.mark();
        let name = table.require("name", "name = \"…\"").and_then(|v| v.text());
        let own = table
            .require("tracks", "tracks = [\"…\"]")
            .map(|list| tracks.find_all(list))
            .unwrap_or_default();
        let origin = origin_of(&table, mark);
        draft.spec.sorters.push(SorterSpec {
            name: name.unwrap_or_default().to_owned(),
            tracks: own.into_iter().map(|at| TrackId(at as u16)).collect(),
        });
        draft.sorters.push(origin);
    }
}

pub(super) fn read_transfers(root: &Table<'_>, draft: &mut Draft) {
    let chutes = draft.spec.chutes.iter().map(|chute| chute.name.as_str());
    let chutes = Names::new("chute", chutes);
    let inductions = draft.spec.inductions.iter().map(|i| i.name.as_str());
    let inductions = Names::new("induction", inductions);
    for table in root.tables("transfer", "[[transfer]]") {
        let mark = table.faults.mark();
        let from = table.require("from", "from = \"a chute\"");
        let from = from.and_then(|value| chutes.find_one(value));
        let to = table.require("to", "to = \"an induction\"");
        let to = to.and_then(|value| inductions.find_one(value));
        let travel = table.require("travel_ms", "travel_ms = 20_000");
        let travel = travel.and_then(|v| v.int(1..=TRAVEL_MS_MAX)).unwrap_or(1);
        let travel = Micros::from_millis(u64::from(travel));
        let patience = table.get("patience_ms");
        let patience = patience.and_then(|v| v.int(1..=u32::MAX));
        let patience = patience.map_or(Micros(travel.0 * PATIENCE_TRAVELS), |ms| {
            Micros::from_millis(u64::from(ms))
        });
        let origin = origin_of(&table, mark);
        let (Some(from), Some(to)) = (from, to) else {
            continue;
        };
        draft.spec.transfers.push(TransferSpec {
            from: ChuteId(from as u16),
            to: InductionId(to as u16),
            travel,
            patience,
        });
        draft.transfers.push(origin);
    }
}
