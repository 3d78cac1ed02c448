//! What really happened, and how much of it nobody could notice.

use std::collections::{BTreeMap, BTreeSet};

use sorthub_core::hub::Hub;
use sorthub_core::ids::{ChuteId, CodeId, DestId, TrackId};
use sorthub_core::plan::Plan;
use sorthub_core::reason::Disposition;

use crate::plant::{Exit, Way};
use crate::torture::draw::Drawn;
use crate::torture::fault::{Fault, What};

/// How far a book may differ from the truth because of what nobody could notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::torture) enum Hides {
    /// It may not.
    Nothing,
    /// One parcel may stand in it as a lost one and a new one.
    Identity,
    /// Parcels may have left, or come, without being in it.
    Exits,
}

fn feeds_a_transfer(hub: &Hub, track: TrackId) -> bool {
    let mut from = hub.transfers().iter().map(|transfer| transfer.from);
    from.any(|chute| hub.outlet(chute, track).is_some())
}

fn is_fed_by_a_transfer(hub: &Hub, track: TrackId) -> bool {
    let mut to = hub.transfers().iter().map(|transfer| transfer.to);
    to.any(|induction| hub.inductions()[induction.index()].track == track)
}

fn elsewhere(fault: &Fault) -> Option<(CodeId, DestId)> {
    match fault.what {
        What::Intercepted(code, dest) => Some((code, dest)),
        _ => None,
    }
}

/// What really happened in a run.
#[derive(Debug)]
pub(in crate::torture) struct Truth {
    exits: BTreeMap<u64, Way>,
    /// Codes that were read on a parcel that does not bear them, and that parcel's own.
    doubtful: BTreeSet<CodeId>,
    hides: Hides,
    /// Nothing is put wrong in this run.
    is_calm: bool,
    /// People sort by the other plan for a while.
    has_other_plan: bool,
    /// Where somebody wants waybills sent for a while.
    elsewhere: Vec<(CodeId, DestId)>,
}

impl Truth {
    /// Nothing has happened yet; these faults will.
    pub fn new(hub: &Hub, faults: &[Fault]) -> Self {
        let hides = faults.iter().map(|fault| match fault.what {
            // What it had not told yet is told by nobody.
            What::PlcRestart(_) => Hides::Exits,
            // At the end of a line it drops off, and nobody knows of it.
            What::Mislaid(track) if !hub.tracks()[track.index()].kind.is_loop() => Hides::Exits,
            What::EyeBlind(_)
            | What::InductionBlind(_)
            | What::Mislaid(_)
            | What::LabelBefore(_)
            | What::Flood(_) => Hides::Identity,
            // What it puts on a transfer may come out before that is told.
            What::LinkCut(track)
            | What::RequestsLost(track, _)
            | What::RepliesLost(track, _)
            | What::Slow(track, _)
                if feeds_a_transfer(hub, track) =>
            {
                Hides::Identity
            }
            // Nor do two links tell in the order of what happened when nobody has heard them for
            // long.
            What::Crash | What::Rival if !hub.transfers().is_empty() => Hides::Identity,
            // What came over a transfer and was not read is taken for the oldest that is expected.
            What::ScannerSilent(scanner)
            | What::ScannerLate(scanner, _)
            | What::ScannerSwapped(scanner)
            | What::ScannerOdd(scanner, _)
                if is_fed_by_a_transfer(hub, hub.scanners()[scanner.index()].track) =>
            {
                Hides::Identity
            }
            _ => Hides::Nothing,
        });
        let mut hides = hides.max().unwrap_or(Hides::Nothing);
        // A PLC cannot tell that somebody took off what it does not know of.
        let unknown =
            |fault: &Fault| matches!(fault.what, What::InductionBlind(_) | What::Mislaid(_));
        let taken = |fault: &Fault| matches!(fault.what, What::TakenOff(_));
        if faults.iter().any(unknown) && faults.iter().any(taken) {
            hides = Hides::Exits;
        }
        Self {
            exits: BTreeMap::new(),
            doubtful: BTreeSet::new(),
            hides,
            is_calm: faults.is_empty(),
            has_other_plan: faults.iter().any(|fault| fault.what == What::OtherPlan),
            elsewhere: faults.iter().filter_map(elsewhere).collect(),
        }
    }

    /// Whether nothing is put wrong in this run.
    pub fn is_calm(&self) -> bool {
        self.is_calm
    }

    /// How far the book may differ from it.
    pub fn hides(&self) -> Hides {
        self.hides
    }

    /// A sorter has lost its book, or a PLC something that it had to tell.
    pub fn forgotten(&mut self) {
        self.hides = Hides::Exits;
    }

    /// More wait on transfers than come out of them before nobody waits for them any more.
    pub fn overfed(&mut self) {
        self.hides = self.hides.max(Hides::Identity);
    }

    /// One parcel's label was read on another.
    pub fn mislabelled(&mut self, parcel: u64, label: u64) {
        self.doubtful
            .extend([CodeId(parcel + 1), CodeId(label + 1)]);
    }

    /// Whether a code was read where it is.
    pub fn is_certain(&self, code: CodeId) -> bool {
        code != CodeId::NONE && !self.doubtful.contains(&code)
    }

    /// A parcel has left the plant: never by a chute that is none of its own.
    pub fn left(&mut self, drawn: &Drawn, exit: &Exit) -> Result<(), String> {
        let (hub, plan) = (&*drawn.hub, &*drawn.plan);
        self.exits.insert(exit.number, exit.way);
        // A lap more before it is first seen, and one more to the reject chute, on each track.
        let laps_max = (u32::from(plan.spec().laps_max) + 2) * hub.tracks().len() as u32;
        if self.is_calm && exit.laps > laps_max {
            let (number, laps) = (exit.number, exit.laps);
            return Err(format!("parcel {number} has gone round {laps} times"));
        }
        let Way::Chute(chute) = exit.way else {
            return Ok(());
        };
        let spec = plan.spec();
        let rejects = spec.exceptions.iter().flat_map(|(_, chutes)| chutes);
        let allows = |plan: &Plan, dest| plan.allows(dest, chute);
        let is_allowed =
            |dest| allows(plan, dest) || (self.has_other_plan && allows(&drawn.other, dest));
        let code = CodeId(exit.number + 1);
        let elsewhere = self.elsewhere.iter().filter(|(of, _)| *of == code);
        let mut dests = exit
            .dest
            .into_iter()
            .chain(elsewhere.map(|&(_, dest)| dest));
        let is_right =
            dests.any(is_allowed) || spec.reject.iter().chain(rejects).any(|&own| own == chute);
        if is_right || !self.is_certain(code) {
            return Ok(());
        }
        let name = &hub.chutes()[chute.index()].name;
        let dest = exit
            .dest
            .map(|dest| plan.spec().destinations[dest.index()].name.as_str());
        Err(format!(
            "parcel {} for {dest:?} left by {name}, which is not its own",
            exit.number
        ))
    }

    /// A sorter says how the parcel with a code has left: that is how it really left.
    pub fn confirms(
        &self,
        code: CodeId,
        how: Disposition,
        chute: Option<ChuteId>,
    ) -> Result<(), String> {
        let expected = match (how, chute) {
            (Disposition::Sorted | Disposition::Rejected, Some(chute)) => Way::Chute(chute),
            (Disposition::Removed, _) if self.hides < Hides::Exits => Way::ByHand,
            _ => return Ok(()),
        };
        let way = self.exits.get(&(code.0 - 1));
        if !self.is_certain(code) || way == Some(&expected) {
            return Ok(());
        }
        Err(format!(
            "the parcel with code {} is said to have left by {expected:?}, but really {way:?}",
            code.0
        ))
    }
}
