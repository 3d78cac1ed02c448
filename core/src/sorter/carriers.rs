//! Carriers: items that lie over several, carriers still occupied after a discharge, and carriers
//! that are used no more.

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::state::{NO_ITEM, Slot};
use crate::ids::{CellId, ChuteId, ParcelId, PlcItem, TrackId};
use crate::limits::{CARRIER_FAILURES_MAX, CHUTE_FAILURES_MAX, SPANS_MAX};
use crate::operator::Refused;
use crate::outbox::Outbox;
use crate::reason::Reason;
use crate::running::DisabledBy;
use crate::signal::{Alarm, Output};
use crate::units::BeltMm;

/// A carrier or window besides the item that is known by it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Carrier {
    /// An item that is known by another carrier and lies on this one too.
    pub under: Slot,
    /// By whom it was disabled.
    pub off: Option<DisabledBy>,
    /// Discharges that failed in a row, the chute of the first of them, and whether they were at
    /// more than one.
    failed: u8,
    failed_at: Option<ChuteId>,
    is_failing_anywhere: bool,
    /// What left it last.
    last: Option<Left>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Left {
    parcel: ParcelId,
    item: PlcItem,
    chute: ChuteId,
}

impl Carrier {
    pub const NEW: Self = Self {
        under: NO_ITEM,
        off: None,
        failed: 0,
        failed_at: None,
        is_failing_anywhere: false,
        last: None,
    };
}

/// How a chute's diverter does.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Diverter {
    /// Discharges that failed, in all.
    pub failed: u64,
    /// In a row, the carrier of the first of them, and whether they were from more than one.
    in_row: u8,
    failed_from: Option<CellId>,
    is_failing_all: bool,
}

impl Sorter {
    /// Puts an item into its cell; whatever was there has left without a word and may turn up
    /// again.
    pub(super) fn enter_cell(&mut self, slot: Slot, cell: CellId) {
        let before = self.state.cells[cell.index()];
        if before != NO_ITEM {
            self.doubt(before);
        }
        let over = self.state.carriers[cell.index()].under;
        if over != NO_ITEM {
            self.doubt(over);
        }
        self.state.cells[cell.index()] = slot;
        let track = self.state.items[slot as usize].track;
        self.state.running[usize::from(track)].occupied += 1;
        self.unsettle(TrackId(track));
    }

    /// Takes an item out of its cell, and off the carriers besides.
    pub(super) fn leave_cell(&mut self, slot: Slot) {
        let item = &self.state.items[slot as usize];
        let (track, cell, spans) = (TrackId(item.track), item.cell, item.spans);
        assert_eq!(
            self.state.cells[cell.index()],
            slot,
            "an item is not in its own cell"
        );
        self.state.cells[cell.index()] = NO_ITEM;
        let mut freed = 1;
        for nth in 1..spans {
            let besides = self.carrier_after(track, cell, nth);
            let under = &mut self.state.carriers[besides.index()].under;
            if *under == slot {
                *under = NO_ITEM;
                freed += 1;
            }
        }
        self.state.items[slot as usize].spans = 1;
        let running = &mut self.state.running[track.index()];
        assert!(
            running.occupied >= freed,
            "more cells came free than were occupied"
        );
        running.occupied -= freed;
        self.unsettle(track);
    }

    /// An item lies on more carriers than its own: they are occupied by the same item.
    pub(super) fn lie_over(&mut self, slot: Slot, spans: u8) {
        let item = &self.state.items[slot as usize];
        let (track, cell) = (TrackId(item.track), item.cell);
        let kind = self.hub.tracks()[track.index()].kind;
        let most = kind.cells().min(u32::from(SPANS_MAX)) as u8;
        if !kind.is_loop() {
            return;
        }
        for nth in 1..spans.min(most) {
            let besides = self.carrier_after(track, cell, nth);
            for other in [
                self.state.cells[besides.index()],
                self.state.carriers[besides.index()].under,
            ] {
                if other != NO_ITEM {
                    self.doubt(other);
                }
            }
            self.state.carriers[besides.index()].under = slot;
            self.state.items[slot as usize].spans = nth + 1;
            self.state.running[track.index()].occupied += 1;
        }
    }

    /// The carrier with the nth next number, round the loop.
    fn carrier_after(&self, track: TrackId, cell: CellId, nth: u8) -> CellId {
        let range = self.hub.cells_of(track);
        let own = cell.0 - range.start + u32::from(nth);
        CellId(range.start + own % (range.end - range.start))
    }

    /// An item has left a carrier by a chute.
    pub(super) fn carrier_emptied(&mut self, slot: Slot, chute: ChuteId) {
        let item = &self.state.items[slot as usize];
        let carrier = &mut self.state.carriers[item.cell.index()];
        carrier.last = Some(Left {
            parcel: item.parcel,
            item: item.item,
            chute,
        });
        carrier.failed = 0;
        carrier.failed_at = None;
        carrier.is_failing_anywhere = false;
        let diverter = &mut self.state.diverters[chute.index()];
        diverter.in_row = 0;
        diverter.failed_from = None;
        diverter.is_failing_all = false;
    }

    /// A discharge failed at the diverter or the carrier: which of them it was shows when it
    /// fails elsewhere too.
    pub(super) fn discharge_failed(&mut self, cell: CellId, chute: ChuteId, outbox: &mut Outbox) {
        self.state.books.failed_discharges += 1;
        let diverter = &mut self.state.diverters[chute.index()];
        diverter.failed += 1;
        diverter.in_row = diverter.in_row.saturating_add(1);
        let from = *diverter.failed_from.get_or_insert(cell);
        diverter.is_failing_all |= from != cell;
        if diverter.is_failing_all && diverter.in_row == CHUTE_FAILURES_MAX {
            outbox.push(Output::Alarm(Alarm::ChuteFails { chute }));
        }
        let is_carrier = self
            .hub
            .track_of(cell)
            .is_some_and(|(track, _)| self.hub.tracks()[track.index()].kind.is_loop());
        let carrier = &mut self.state.carriers[cell.index()];
        carrier.failed = carrier.failed.saturating_add(1);
        let at = *carrier.failed_at.get_or_insert(chute);
        carrier.is_failing_anywhere |= at != chute;
        let is_its_own = carrier.is_failing_anywhere || mutant!("blame_the_carrier");
        if is_carrier && is_its_own && carrier.failed >= CARRIER_FAILURES_MAX {
            self.disable_carrier(cell, DisabledBy::Failures, outbox);
        }
    }

    /// A carrier is still occupied after its discharge was told. What was said of the parcel
    /// stands and is corrected; what lies there is followed as an item of its own, and who it is
    /// shows when it is read.
    pub(super) fn carrier_not_empty(
        &mut self,
        cell: CellId,
        item: PlcItem,
        at: BeltMm,
        outbox: &mut Outbox,
    ) {
        outbox.push(Output::Alarm(Alarm::CarrierNotEmpty { cell }));
        if let Some(slot) = self.state.find(cell, item) {
            // Its discharge was not told to us: it simply rides on.
            self.state.items[slot as usize].evidence = at;
            return;
        }
        let last = self.state.carriers[cell.index()].last;
        if let Some(left) = last.filter(|left| left.item == item) {
            self.state.books.still_there += 1;
            self.state.carriers[cell.index()].last = None;
            outbox.push(Output::StillThere {
                parcel: left.parcel,
                cell,
                chute: left.chute,
            });
            self.discharge_failed(cell, left.chute, outbox);
        }
        self.unexpected(cell, item, at, outbox);
        if let Some(slot) = self.state.find(cell, item) {
            self.state.items[slot as usize].cause = Reason::DoubleItem;
        }
    }

    /// A person wants a carrier to be used, or not.
    pub(super) fn carrier_wish(
        &mut self,
        cell: CellId,
        enabled: bool,
        outbox: &mut Outbox,
    ) -> Result<(), Refused> {
        let (track, _) = self.hub.track_of(cell).ok_or(Refused::NoSuchDevice)?;
        if !self.hub.tracks()[track.index()].kind.is_loop() {
            return Err(Refused::NoSuchDevice);
        }
        if !enabled {
            self.disable_carrier(cell, DisabledBy::Operator, outbox);
            return Ok(());
        }
        let last = self.state.carriers[cell.index()].last;
        let under = self.state.carriers[cell.index()].under;
        if self.state.carriers[cell.index()].off.is_some() {
            self.state.carriers[cell.index()] = Carrier {
                last,
                under,
                ..Carrier::NEW
            };
            self.state.running[track.index()].disabled -= 1;
            self.unsettle(track);
        }
        // Said also when we had it in use: the PLC may have disabled it without our hearing so.
        outbox.push(Output::CarrierEnable {
            cell,
            enabled: true,
        });
        Ok(())
    }

    /// A carrier is used no more. What lies on it is still to be discharged.
    pub(super) fn disable_carrier(&mut self, cell: CellId, by: DisabledBy, outbox: &mut Outbox) {
        let Some((track, _)) = self.hub.track_of(cell) else {
            return;
        };
        if !self.hub.tracks()[track.index()].kind.is_loop() {
            return;
        }
        let off = &mut self.state.carriers[cell.index()].off;
        // A PLC that does as it was told says so: it is still by us.
        if by == DisabledBy::Plc && off.is_some() {
            return;
        }
        if off.replace(by).is_some() {
            return;
        }
        self.state.running[track.index()].disabled += 1;
        self.unsettle(track);
        if by != DisabledBy::Plc {
            outbox.push(Output::CarrierEnable {
                cell,
                enabled: false,
            });
        }
        outbox.push(Output::Alarm(Alarm::CarrierDisabled { cell, by }));
    }
}
