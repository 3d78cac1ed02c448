//! How the tracks of a hub are joined.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use super::{Hub, HubSpec};
use crate::ids::{ChuteId, SorterId, TrackId, TransferId};
use crate::operator::{Command, TrackWish};
use crate::signal::Signal;

/// Tables made of a description without faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    pub sorter_of: Vec<SorterId>,
    pub from_chute: Vec<Option<TransferId>>,
    /// For each pair of tracks, from and to: the chutes of the first that feed the shortest ways.
    pub next: Vec<Vec<ChuteId>>,
}

impl Ways {
    pub fn new(spec: &HubSpec) -> Self {
        let tracks = spec.tracks.len();
        let mut sorter_of = vec![SorterId(0); tracks];
        for (index, sorter) in spec.sorters.iter().enumerate() {
            for track in &sorter.tracks {
                sorter_of[track.index()] = SorterId(index as u16);
            }
        }
        let mut from_chute = vec![None; spec.chutes.len()];
        for (index, transfer) in spec.transfers.iter().enumerate() {
            from_chute[transfer.from.index()] = Some(TransferId(index as u16));
        }
        let mut next = vec![Vec::new(); tracks * tracks];
        for to in 0..tracks {
            let hops = hops_to(spec, to);
            for (chute, from, over) in joints(spec) {
                let goes_nearer = match (hops[from.index()], hops[over.index()]) {
                    (Some(here), Some(there)) => there < here,
                    _ => false,
                };
                if goes_nearer {
                    next[from.index() * tracks + to].push(chute);
                }
            }
        }
        Self {
            sorter_of,
            from_chute,
            next,
        }
    }
}

/// Each place where a transfer takes parcels from a track, with the track that it leads to.
fn joints(spec: &HubSpec) -> impl Iterator<Item = (ChuteId, TrackId, TrackId)> + '_ {
    spec.transfers.iter().flat_map(|transfer| {
        let to = spec.inductions[transfer.to.index()].track;
        let outlets = &spec.chutes[transfer.from.index()].outlets;
        outlets
            .iter()
            .map(move |outlet| (transfer.from, outlet.track, to))
    })
}

/// For each track, how many transfers its parcels need at least to get to `to`.
fn hops_to(spec: &HubSpec, to: usize) -> Vec<Option<u32>> {
    let mut hops = vec![None; spec.tracks.len()];
    hops[to] = Some(0);
    let mut reached = VecDeque::from([to]);
    while let Some(at) = reached.pop_front() {
        for (_, from, over) in joints(spec) {
            if over.index() == at && hops[from.index()].is_none() {
                hops[from.index()] = hops[at].map(|hops| hops + 1);
                reached.push_back(from.index());
            }
        }
    }
    hops
}

impl Hub {
    /// The sorter that a signal is for; `None`: it is for all of them, or names nothing of the hub.
    #[must_use]
    pub fn addressee(&self, signal: &Signal) -> Option<SorterId> {
        if let Signal::Command { command, .. } = signal {
            return self.addressee_of(command);
        }
        let track = self.track_of_signal(signal)?;
        self.ways.sorter_of.get(track.index()).copied()
    }

    /// The track that a signal is about; `None`: it is about none, or names nothing of the hub.
    #[must_use]
    pub fn track_of_signal(&self, signal: &Signal) -> Option<TrackId> {
        Some(match *signal {
            Signal::Belt { track, .. }
            | Signal::Link { track, .. }
            | Signal::InventoryEnd { track, .. } => track,
            Signal::AtScanner { scanner, .. } | Signal::Scanned { scanner, .. } => {
                self.scanners().get(scanner.index())?.track
            }
            Signal::Chute { chute, .. } | Signal::BagButton { chute } => self.track_at(chute)?,
            Signal::Transfer { transfer, .. } => {
                let to = self.transfers().get(transfer.index())?.to;
                self.inductions()[to.index()].track
            }
            Signal::Inducted { cell, .. }
            | Signal::Discharged { cell, .. }
            | Signal::NotDischarged { cell, .. }
            | Signal::LapPassed { cell, .. }
            | Signal::Returning { cell, .. }
            | Signal::Missing { cell, .. }
            | Signal::Unexpected { cell, .. }
            | Signal::RemovedByHand { cell, .. }
            | Signal::OrderAnswered { cell, .. }
            | Signal::CarrierNotEmpty { cell, .. }
            | Signal::CarrierDisabled { cell }
            | Signal::Inventory { cell, .. } => self.track_of(cell)?.0,
            Signal::InductionState { induction, .. } => {
                self.inductions().get(induction.index())?.track
            }
            Signal::Command { .. } | Signal::Tick => return None,
        })
    }

    /// The sorter that a command is for; `None`: it is for all of them, or names nothing of the
    /// hub.
    #[must_use]
    pub fn addressee_of(&self, command: &Command) -> Option<SorterId> {
        let track = match *command {
            Command::Chute { chute, .. } => self.track_at(chute)?,
            // All of them plan around it.
            Command::Track {
                to: TrackWish::Close | TrackWish::Open,
                ..
            } => return None,
            Command::Track { track, .. } => track,
            Command::Induction { induction, .. } => self.inductions().get(induction.index())?.track,
            Command::Carrier { cell, .. } => self.track_of(cell)?.0,
            // Whoever has it on a track; the others do not know it.
            Command::Parcel { .. } => return None,
            Command::Activate { .. } | Command::Wave { .. } | Command::Waybill { .. } => {
                return None;
            }
        };
        self.ways.sorter_of.get(track.index()).copied()
    }

    fn track_at(&self, chute: ChuteId) -> Option<TrackId> {
        let chute = self.chutes().get(chute.index())?;
        chute.outlets.first().map(|outlet| outlet.track)
    }
}
