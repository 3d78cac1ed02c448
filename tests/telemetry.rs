//! What views promise, on a real sorter and without any thread.

mod small_hub;

use small_hub::*;
use sorthub::telemetry::{ITEM_ROWS_MAX, ShortText, View};
use sorthub_core::ids::{CellId, InductionId, PlcItem};
use sorthub_core::signal::{LinkState, Signal};
use sorthub_core::units::{BeltMm, Micros, Mm, MmPerS};

#[test]
fn a_belt_is_shown_where_it_is_now_not_where_it_was_told() {
    let mut sorter = sorter(20);
    let (at, speed) = (BeltMm(5_000), MmPerS(2_000));
    tell(
        &mut sorter,
        Micros::from_secs(1),
        Signal::Belt {
            track: TRACK,
            at,
            speed,
        },
    );
    let mut view = View::default();
    view.read_sorter(&sorter, Micros::from_millis(1_050), |_| None);
    assert_eq!(
        (view.tracks[0].belt_mm, view.tracks[0].speed_mm_s),
        (5_100, 2_000)
    );
    // Where a belt is whose link is lost is not made up.
    let lost = Signal::Link {
        track: TRACK,
        to: LinkState::Lost,
    };
    tell(&mut sorter, Micros::from_millis(1_060), lost);
    view.read_sorter(&sorter, Micros::from_secs(9), |_| None);
    assert_eq!(
        (view.tracks[0].belt_mm, view.tracks[0].speed_mm_s),
        (5_000, 0)
    );
    assert!(!view.tracks[0].linked);
}

#[test]
fn a_view_of_a_huge_hub_is_cut_and_says_by_how_much() {
    let more = 100;
    let mut sorter = sorter(ITEM_ROWS_MAX as u32 + more);
    for cell in 0..ITEM_ROWS_MAX as u32 + more {
        let (cell, item, at) = (CellId(cell), PlcItem(cell + 1), BeltMm(0));
        let (induction, length) = (InductionId(0), Mm(400));
        let signal = Signal::Inducted {
            induction,
            cell,
            item,
            at,
            length,
            spans: 1,
            returned: false,
        };
        tell(&mut sorter, Micros(1), signal);
    }
    let mut view = View::default();
    view.read_sorter(&sorter, Micros(1), |_| None);
    assert_eq!(
        (view.items.len(), view.items_left_out),
        (ITEM_ROWS_MAX, more)
    );
    assert_eq!(view.books.on_sorter, ITEM_ROWS_MAX as u64 + u64::from(more));
    // A second reading starts anew.
    view.read_sorter(&sorter, Micros(1), |_| None);
    assert_eq!(
        (view.items.len(), view.items_left_out),
        (ITEM_ROWS_MAX, more)
    );
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let text = "运单号".repeat(10);
    let short = ShortText::new(&text);
    assert!(text.starts_with(short.as_str()));
    assert_eq!(short.as_str().len(), 45);
    assert_eq!(ShortText::new("SF1234").as_str(), "SF1234");
}
