//! What a parcel, a carrier, a chute or an induction waits for, and until when.

use super::Sorter;
use super::cases::Host;
use super::state::{Intent, Item, NO_ITEM, Slot, Whereabouts};
use crate::hub::TrackKind;
use crate::ids::{CellId, ChuteId, DestId, InductionId, ParcelId, ScannerId, TrackId};
use crate::operator::Mode;
use crate::reason::Reason;
use crate::running::{DisabledBy, Feeding, Hold, Pace};
use crate::signal::Basis;
use crate::units::Micros;

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A parcel on its way.
    Parcel(ParcelId),
    /// A carrier or window.
    Cell(CellId),
    /// A chute.
    Chute(ChuteId),
    /// An induction.
    Induction(InductionId),
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// There is no such parcel on the sorter, or no such device, or it is another sorter's.
    NotHere,
    /// A parcel.
    Parcel(ParcelWaits),
    /// A carrier or window with nothing on it.
    Empty {
        /// Who disabled it; `None`: it waits for an induction to fill it.
        disabled: Option<DisabledBy>,
    },
    /// A carrier or window that a parcel lies on.
    Carries {
        /// The parcel.
        parcel: ParcelWaits,
        /// Who disabled it: it goes out of use when the parcel has left.
        disabled: Option<DisabledBy>,
    },
    /// A chute.
    Chute {
        /// Why it takes nothing; `None`: it is open.
        closed: Option<Reason>,
        /// Parcels ordered to it, whether room is reserved or not.
        ordered: u32,
        /// How far the next of them still has to go; `None` if there is none, or its belt's place
        /// is not known.
        next_mm: Option<i64>,
    },
    /// An induction.
    Induction {
        /// How fast it may feed.
        pace: Pace,
        /// What holds it.
        hold: Hold,
        /// Since when.
        since: Micros,
        /// The occupancy of its track, in thousandths.
        occupancy_permille: u32,
        /// Most parcels an hour; 0: no limit.
        limit_per_h: u16,
        /// What it really does.
        feeding: Feeding,
    },
}

/// Which parcel, where, and what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParcelWaits {
    /// The parcel; counter 0 while it is not known whether it is a new one.
    pub parcel: ParcelId,
    /// Its carrier or window, or the one it had.
    pub cell: CellId,
    /// Where it is for, if that is known.
    pub dest: Option<DestId>,
    /// What said so.
    pub basis: Basis,
    /// Laps added so far.
    pub laps: u8,
    /// What it waits for.
    pub what: What,
    /// Until when, in mm of belt from now; `None`: until something is told.
    pub until_mm: Option<i64>,
    /// When that is if the belt keeps its speed; `None` also if it stands.
    pub until: Option<Micros>,
}

/// What a parcel waits for. A closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// To be found again: its PLC has forgotten it. Until then it is lost.
    Finding,
    /// To come round over the return of its line.
    Return,
    /// To pass the next scanner.
    Scanner(ScannerId),
    /// For the telegram of the scanner that it has passed. Until then it is not read.
    Telegram(ScannerId),
    /// For the host, which was asked where it goes. Until then it goes round, or on.
    Host {
        /// The host's deadline.
        until: Micros,
    },
    /// To pass the chute that it is ordered to.
    Chute {
        /// Which.
        chute: ChuteId,
        /// Why there.
        why: Reason,
    },
    /// For another lap, since no chute takes it now.
    Lap(Reason),
    /// To run off the end of its line, since no chute took it.
    End(Reason),
    /// For its track to send parcels again.
    Mode(Mode),
    /// For the encoder of its track to move again.
    Encoder,
}

impl Sorter {
    /// What something waits for, and until when. For people: it may look at every parcel.
    #[must_use]
    pub fn why(&self, ask: Ask) -> Waiting {
        match ask {
            Ask::Parcel(parcel) => self.why_parcel(parcel),
            Ask::Cell(cell) => self.why_cell(cell),
            Ask::Chute(chute) => self.why_chute(chute),
            Ask::Induction(induction) => self.why_induction(induction),
        }
    }

    fn why_parcel(&self, parcel: ParcelId) -> Waiting {
        self.slot_of(parcel).map_or(Waiting::NotHere, |slot| {
            Waiting::Parcel(self.parcel_waits(slot))
        })
    }

    fn why_cell(&self, cell: CellId) -> Waiting {
        let is_own = |(track, _)| self.is_own(track);
        let Some(carrier) = self.state.carriers.get(cell.index()) else {
            return Waiting::NotHere;
        };
        if !self.hub.track_of(cell).is_some_and(is_own) {
            return Waiting::NotHere;
        }
        let own = self.state.cells[cell.index()];
        let slot = if own == NO_ITEM { carrier.under } else { own };
        let disabled = carrier.off;
        if slot == NO_ITEM {
            return Waiting::Empty { disabled };
        }
        let parcel = self.parcel_waits(slot);
        Waiting::Carries { parcel, disabled }
    }

    fn why_chute(&self, chute: ChuteId) -> Waiting {
        // What another sorter's chute is, only that one is told.
        if !self.is_own_chute(chute) && !mutant!("why_of_foreign_chutes") {
            return Waiting::NotHere;
        }
        let Some(state) = self.state.chutes.get(chute.index()) else {
            return Waiting::NotHere;
        };
        let closed = state.is.closed_because();
        let riding = self.state.cells.iter().filter(|slot| **slot != NO_ITEM);
        let to_it = riding.filter(|slot| {
            let ordered = self.state.items[**slot as usize].ordered;
            ordered.is_some_and(|order| order.chutes[0] == Some(chute))
        });
        let (mut ordered, mut next_mm) = (0, None::<i64>);
        for &slot in to_it {
            ordered += 1;
            if let Some(mm) = self.mm_to_chute(slot, chute) {
                next_mm = Some(next_mm.map_or(mm, |next| next.min(mm)));
            }
        }
        Waiting::Chute {
            closed,
            ordered,
            next_mm,
        }
    }

    fn why_induction(&self, id: InductionId) -> Waiting {
        let all = self.hub.inductions();
        let Some(spec) = all.get(id.index()).filter(|spec| self.is_own(spec.track)) else {
            return Waiting::NotHere;
        };
        let view = self.induction(id);
        Waiting::Induction {
            pace: view.pace,
            hold: view.hold,
            since: view.since,
            occupancy_permille: self.occupancy_permille(spec.track) as u32,
            limit_per_h: view.limit_per_h,
            feeding: view.feeding,
        }
    }

    fn parcel_waits(&self, slot: Slot) -> ParcelWaits {
        let item = &self.state.items[slot as usize];
        let track = TrackId(item.track);
        let (what, until_mm) = self.what_next(slot, item);
        let belt = &self.state.tracks[track.index()];
        let now = belt.by(self.state.now);
        ParcelWaits {
            parcel: item.parcel,
            cell: item.cell,
            dest: item.dest,
            basis: item.basis,
            laps: item.laps,
            what,
            until_mm,
            until: until_mm.and_then(|mm| belt.when(now.plus(mm))),
        }
    }

    /// What an item waits for, and for how many mm of belt from now.
    fn what_next(&self, slot: Slot, item: &Item) -> (What, Option<i64>) {
        let track = TrackId(item.track);
        let spec = &self.hub.tracks()[track.index()];
        let now = self.state.tracks[track.index()].by(self.state.now);
        let since_heard = now.minus(item.evidence);
        match item.whereabouts {
            Whereabouts::InDoubt | Whereabouts::Gone | Whereabouts::Free => {
                return (What::Finding, Some(self.patience(track) - since_heard));
            }
            Whereabouts::Returning => {
                let far = i64::from(spec.kind.round().0) - i64::from(spec.kind.length().0);
                return (What::Return, Some((far - since_heard).max(0)));
            }
            Whereabouts::Riding => {}
        }
        if let Host::Asked { until } = self.state.cases[slot as usize].host {
            return (What::Host { until }, None);
        }
        let standing = item.ordered.and_then(|order| order.chutes[0]);
        if let Some(chute) = standing {
            let why = item.why();
            return (What::Chute { chute, why }, self.mm_to_chute(slot, chute));
        }
        if let Some((scanner, until_mm)) = self.telegram_due(item) {
            return (What::Telegram(scanner), Some(until_mm));
        }
        let running = &self.state.running[track.index()];
        if !self.sends(track) {
            let is_mode = !matches!(running.state.mode, Mode::Automatic | Mode::Emptying);
            let what = if is_mode {
                What::Mode(running.state.mode)
            } else {
                What::Encoder
            };
            return (what, None);
        }
        let next = self.next_scanner(track, item);
        match (item.intent, next) {
            (Intent::Undecided, Some((scanner, mm))) => (What::Scanner(scanner), Some(mm)),
            _ => {
                let why = match item.intent {
                    Intent::Reject(why) => why,
                    _ => item.cause,
                };
                let mm = self.mm_to_end(track, item);
                if spec.kind.is_loop() {
                    (What::Lap(why), Some(mm))
                } else {
                    (What::End(why), Some(mm))
                }
            }
        }
    }

    /// How far an item still has to go to a chute.
    fn mm_to_chute(&self, slot: Slot, chute: ChuteId) -> Option<i64> {
        let item = &self.state.items[slot as usize];
        let track = TrackId(item.track);
        let at = i64::from(self.hub.outlet(chute, track)?.at.0);
        Some(self.mm_to(track, item, at))
    }

    /// How far to a place of its track; a lap more on a loop if it is past it.
    fn mm_to(&self, track: TrackId, item: &Item, at: i64) -> i64 {
        let now = self.state.tracks[track.index()].by(self.state.now);
        let far = at - now.minus(item.origin);
        match self.hub.tracks()[track.index()].kind {
            kind @ TrackKind::Loop { .. } => far.rem_euclid(i64::from(kind.length().0)),
            TrackKind::Line { .. } => far.max(0),
        }
    }

    /// How far to a loop's origin, where its next lap begins, or to a line's end.
    fn mm_to_end(&self, track: TrackId, item: &Item) -> i64 {
        let length = self.hub.tracks()[track.index()].kind.length();
        self.mm_to(track, item, i64::from(length.0))
    }

    /// The scanner that an item passes next, and how far that is; `None` if it passes none again.
    fn next_scanner(&self, track: TrackId, item: &Item) -> Option<(ScannerId, i64)> {
        let now = self.state.tracks[track.index()].by(self.state.now);
        let kind = self.hub.tracks()[track.index()].kind;
        let place = now.minus(item.origin);
        let ahead = self.hub.scanners_of(track).filter_map(|scanner| {
            let at = i64::from(self.hub.scanners()[scanner.index()].at.0);
            // The one that it stands at has seen it.
            let far = match self.mm_to(track, item, at) {
                0 => i64::from(kind.length().0),
                far => far,
            };
            (kind.is_loop() || at > place).then_some((far, scanner))
        });
        ahead.min().map(|(mm, scanner)| (scanner, mm))
    }

    /// The scanner whose telegram for an item is due, and how much further it is waited for.
    fn telegram_due(&self, item: &Item) -> Option<(ScannerId, i64)> {
        let track = TrackId(item.track);
        let now = self.state.tracks[track.index()].by(self.state.now);
        let mut scanners = self.hub.scanners_of(track);
        scanners.find_map(|scanner| {
            let waiting = &self.state.scanners[scanner.index()].items;
            let mut own = waiting
                .iter()
                .filter(|waiting| waiting.cell == item.cell && waiting.item == item.item);
            let wait = i64::from(self.hub.scanners()[scanner.index()].wait.0);
            let passed = own.next()?.at;
            Some((scanner, wait - now.minus(passed)))
        })
    }
}
