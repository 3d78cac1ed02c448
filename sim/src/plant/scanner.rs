//! Scanners: when an item passes, what they say, and when.

use std::collections::VecDeque;

use sorthub_core::hub::{Hub, MeetsBy};
use sorthub_core::ids::{CellId, PlcItem, ScannerId};
use sorthub_core::signal::{ScanKey, Signal};
use sorthub_core::units::{BeltMm, Micros};

use super::Plant;
use super::belt::encoder;
use super::event::{PlantEvent, Sight};
use crate::spec::{PlantSpec, ScannerPlant};

/// A scanner of the plant.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    meets_by: MeetsBy,
    plant: ScannerPlant,
    /// The last trigger number; 0 is never given.
    trigger: u16,
    /// It sends nothing.
    pub is_silent: bool,
    /// Telegrams on their way and when they are sent; the delay is constant, so they keep their
    /// order.
    underway: VecDeque<(Micros, ScanKey, Sight)>,
}

impl Scanner {
    pub fn all(hub: &Hub, spec: &PlantSpec) -> Vec<Self> {
        let both = hub.scanners().iter().zip(&spec.scanners);
        both.map(|(scanner, plant)| Self {
            meets_by: scanner.meets_by,
            plant: *plant,
            trigger: 0,
            is_silent: false,
            underway: VecDeque::new(),
        })
        .collect()
    }

    pub fn forget_underway(&mut self) {
        self.underway.clear();
    }

    fn key(&mut self, cell: CellId, at: BeltMm) -> ScanKey {
        self.trigger = self.trigger.checked_add(1).unwrap_or(1);
        match self.meets_by {
            MeetsBy::Trigger => ScanKey::Trigger(self.trigger),
            MeetsBy::Carrier => ScanKey::Carrier(cell),
            MeetsBy::Encoder { .. } => ScanKey::Encoder(at),
            MeetsBy::Arrival { .. } => ScanKey::Arrival,
        }
    }
}

impl Plant {
    /// An item's front edge is at a scanner's trigger eye.
    pub(super) fn pass_scanner(&mut self, index: usize, cell: usize, at_nm: i64) {
        let track = &mut self.tracks[index];
        let scanner_id = track.pass_station(cell);
        let scanner = &mut self.scanners[scanner_id.index()];
        let (cell_id, at) = (track.cell_id(cell), encoder(at_nm));
        if track.cells[cell].plc.item == 0 {
            let item = track.new_item();
            track.cells[cell].plc.item = item.0;
            self.out.push(PlantEvent::Plc(Signal::Unexpected {
                cell: cell_id,
                item,
                at,
            }));
        }
        let key = scanner.key(cell_id, at);
        // Where the telegram names the carrier, nobody needs the PLC to say who is at the scanner.
        if scanner.meets_by != MeetsBy::Carrier {
            self.out.push(PlantEvent::Plc(Signal::AtScanner {
                scanner: scanner_id,
                cell: cell_id,
                item: PlcItem(track.cells[cell].plc.item),
                trigger: scanner.trigger,
                at,
            }));
        }
        if let Some(parcel) = &mut track.cells[cell].parcel {
            self.tally.scanned += u64::from(parcel.scans == 0);
            let nth = parcel.scans;
            parcel.scans += 1;
            let is_read = self
                .parcels
                .is_read(parcel.number, nth, scanner.plant.read_ppm);
            if !scanner.is_silent {
                parcel.is_read |= is_read;
                let (number, dest) = (parcel.number, parcel.dest);
                let measured = self.parcels.measured(number, parcel.mass);
                let verdict = self.parcels.verdict(number);
                self.send(
                    scanner_id,
                    key,
                    Sight {
                        number,
                        is_read,
                        dest,
                        measured,
                        verdict,
                    },
                );
            }
        }
        self.plan_later(index, cell);
    }

    fn send(&mut self, id: ScannerId, key: ScanKey, sight: Sight) {
        let scanner = &mut self.scanners[id.index()];
        if scanner.plant.delay == Micros(0) {
            self.out.push(PlantEvent::Telegram {
                scanner: id,
                key,
                sight,
            });
            return;
        }
        let due = self.now.after(scanner.plant.delay);
        scanner.underway.push_back((due, key, sight));
        if scanner.underway.len() == 1 {
            self.clock.set(self.slots.scanners + id.index(), due.0);
        }
    }

    pub(super) fn telegram_event(&mut self, index: usize) {
        let scanner = &mut self.scanners[index];
        if let Some((_, key, sight)) = scanner.underway.pop_front() {
            let id = ScannerId(index as u16);
            self.out.push(PlantEvent::Telegram {
                scanner: id,
                key,
                sight,
            });
        }
        if let Some(&(due, ..)) = scanner.underway.front() {
            self.clock.set(self.slots.scanners + index, due.0);
        }
    }
}
