//! `[[track]]`: loops and lines with their PLCs.

use std::rc::Rc;

use sorthub_core::hub::{Caps, TrackKind, TrackSpec};
use sorthub_core::limits::CELLS_PER_TRACK_MAX;
use sorthub_core::units::{Micros, Mm, MmPerS};
use sorthub_sim::spec::TrackPlant;

use super::bank::{Bank, PLACE_MM_MAX};
use super::draft::{Draft, members_within, origin_of};
use super::links::read_plc;
use super::reader::Table;

/// Nothing that carries parcels is faster than 20 m/s.
const SPEED_MM_S_MAX: u32 = 20_000;

/// How far an item may be from where it should be, where the file does not say: on a line; a loop
/// has half a pitch.
const TOLERANCE_OF_LINE_MM: u32 = 200;

/// Gap between two parcels on a line, where the file does not say.
const GAP_MM: u32 = 300;

/// The PLC's cycle, where the file does not say.
const PLC_SCAN_MS: u32 = 10;

#[derive(Clone, Copy)]
enum Shape {
    Loop,
    Line,
}

pub(super) fn read(root: &Table<'_>, draft: &mut Draft) {
    for table in root.tables("track", "[[track]]") {
        let mark = table.faults.mark();
        let bank = Bank::of_tracks(&table);
        let members = members_within(&bank, draft.spec.tracks.len());
        let shape = table
            .require("kind", "kind = \"loop\"")
            .and_then(|v| v.choice(&[("loop", Shape::Loop), ("line", Shape::Line)]));
        let kind = read_kind(&table, shape);
        let speed = table
            .require("speed_mm_s", "speed_mm_s = 2000")
            .and_then(|v| v.int(1..=SPEED_MM_S_MAX));
        let tolerance = table
            .get("tolerance_mm")
            .and_then(|v| v.int(1..=PLACE_MM_MAX));
        let caps = read_caps(&table, kind);
        let plant = read_plant(&table, shape);
        let links = read_plc(&table, &members, &mut draft.addresses);
        let origin = origin_of(&table, mark);
        for (member, link) in members.into_iter().zip(links) {
            draft.spec.tracks.push(TrackSpec {
                name: member.name,
                kind,
                speed: MmPerS(speed.unwrap_or(1)),
                tolerance: Mm(tolerance.unwrap_or_else(|| usual_tolerance(kind))),
                caps,
            });
            draft.track_plants.push(plant);
            draft.links.tracks.push(link);
            draft.tracks.push(Rc::clone(&origin));
        }
    }
}

/// When inductions are slowed and stopped. Where nothing comes round again, nothing can jam.
fn read_caps(table: &Table<'_>, kind: TrackKind) -> Caps {
    let cap = |key| {
        let value = table.get(key)?;
        match value.any_text() {
            Some(_) => value.choice(&[("off", None)]),
            None => value.int(1..=1_000).map(|permille| Some(permille as u16)),
        }
    };
    let (slow, stop) = (cap("slow_at_permille"), cap("stop_at_permille"));
    let turns = kind.is_loop() || kind.round() > kind.length();
    let usual = if turns { Caps::USUAL } else { Caps::NONE };
    let stop_permille = stop.unwrap_or(usual.stop_permille);
    // Whoever lowers the second without a word about the first wants it not above that.
    let most = stop_permille.unwrap_or(1_000);
    Caps {
        slow_permille: slow.unwrap_or(usual.slow_permille.map(|slow| slow.min(most))),
        stop_permille,
    }
}

fn usual_tolerance(kind: TrackKind) -> u32 {
    match kind {
        TrackKind::Loop { pitch, .. } => (pitch.0 / 2).max(1),
        TrackKind::Line { .. } => TOLERANCE_OF_LINE_MM,
    }
}

fn read_kind(table: &Table<'_>, shape: Option<Shape>) -> TrackKind {
    const OF_LINE: &[&str] = &["length_mm", "windows", "return_mm"];
    const OF_LOOP: &[&str] = &["carriers", "pitch_mm"];
    let cells = |key, example| {
        table
            .require(key, example)
            .and_then(|v| v.int(1..=CELLS_PER_TRACK_MAX))
            .unwrap_or(1)
    };
    let length = |key, example| {
        Mm(table
            .require(key, example)
            .and_then(|v| v.int(1..=PLACE_MM_MAX))
            .unwrap_or(1))
    };
    match shape {
        Some(Shape::Loop) => {
            let why = "a loop is as long as its carriers, and has no return";
            OF_LINE.iter().for_each(|key| table.refuse(key, why));
            TrackKind::Loop {
                carriers: cells("carriers", "carriers = 300"),
                pitch: length("pitch_mm", "pitch_mm = 600"),
            }
        }
        Some(Shape::Line) => {
            OF_LOOP
                .iter()
                .for_each(|key| table.refuse(key, "a line has no carriers"));
            let returns = table.get("return_mm").and_then(|v| v.int(1..=PLACE_MM_MAX));
            TrackKind::Line {
                length: length("length_mm", "length_mm = 20_000"),
                windows: cells("windows", "windows = 100"),
                returns: returns.map(Mm),
            }
        }
        None => {
            // Without the kind nobody can say which of these belong here.
            for key in OF_LINE.iter().chain(OF_LOOP) {
                table.get(key);
            }
            TrackKind::Loop {
                carriers: 1,
                pitch: Mm(1),
            }
        }
    }
}

fn read_plant(table: &Table<'_>, shape: Option<Shape>) -> TrackPlant {
    let ramp = table.get("ramp_mm_s2").and_then(|v| v.int(0..=100_000));
    let scan = table.get("plc_scan_ms").and_then(|v| v.int(1..=1_000));
    let gap = if let Some(Shape::Loop) = shape {
        table.refuse("gap_mm", "on a loop the carriers keep parcels apart");
        0
    } else {
        table
            .get("gap_mm")
            .and_then(|v| v.int(0..=PLACE_MM_MAX))
            .unwrap_or(GAP_MM)
    };
    TrackPlant {
        ramp_mm_s2: ramp.unwrap_or(0),
        gap: Mm(gap),
        plc_scan: Micros::from_millis(u64::from(scan.unwrap_or(PLC_SCAN_MS))),
    }
}
