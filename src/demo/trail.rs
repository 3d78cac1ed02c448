//! What became of each parcel, step by step, from the calls of a sorter.
//!
//! The same for a live run, read from its journal, and for a simulated one: so that two runs of
//! the same parcels can be held against each other.

use std::collections::BTreeMap;

use sorthub_core::hub::Hub;
use sorthub_core::ids::{CellId, ChuteId, CodeId, ParcelId, PlcItem};
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::signal::{Output, Reader, Refusal, Signal};
use sorthub_core::units::Micros;

/// Something that happened to a parcel, without when and on which carrier: two runs of the same
/// parcels agree in these or they do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It got on.
    Inducted,
    /// It came round over the return.
    CameRound,
    /// Its code was read.
    Read(Reader),
    /// It was decided where it goes; `None`: round or straight on.
    Decided(Option<ChuteId>, Reason),
    /// A chute refused it.
    Refused(ChuteId, Refusal),
    /// It passed the lap eye.
    Lapped,
    /// It went onto the return.
    Returning,
    /// The PLC missed it, or found it without knowing it.
    Surprise,
    /// It left by a chute.
    Left(ChuteId),
    /// A person took it off.
    TakenOff,
}

/// How a passage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What became of it.
    pub how: Disposition,
    /// Why.
    pub why: Reason,
    /// By which chute it left, if it did.
    pub chute: Option<ChuteId>,
}

/// One parcel's passage.
#[derive(Clone, Debug, Default)]
pub struct Passage {
    /// Its code, if it was read.
    pub code: CodeId,
    /// What happened to it.
    pub steps: Vec<Step>,
    /// How it ended; `None`: it is still on its way.
    pub ended: Option<Ending>,
}

/// The passages of a run.
#[derive(Debug)]
pub struct Trails<'h> {
    hub: &'h Hub,
    parcels: BTreeMap<(u16, PlcItem), ParcelId>,
    /// By parcel, in the order in which they became known.
    pub passages: BTreeMap<ParcelId, Passage>,
}

impl<'h> Trails<'h> {
    /// No passages yet.
    #[must_use]
    pub fn new(hub: &'h Hub) -> Self {
        Self {
            hub,
            parcels: BTreeMap::new(),
            passages: BTreeMap::new(),
        }
    }

    /// Takes in one call of the sorter.
    pub fn call(&mut self, _now: Micros, signal: &Signal, outputs: &[Output]) {
        for output in outputs {
            if let Output::Known { parcel, cell, item } = *output {
                self.parcels.insert((self.track(cell), item), parcel);
                self.passages.entry(parcel).or_default();
            }
        }
        if let Some((cell, item, step)) = step_of(signal)
            && let Some(&parcel) = self.parcels.get(&(self.track(cell), item))
        {
            self.add(parcel, step);
        }
        for output in outputs {
            self.output(output);
        }
    }

    fn output(&mut self, output: &Output) {
        match *output {
            Output::Read { parcel, by, code } => {
                self.passages.entry(parcel).or_default().code = code;
                self.add(parcel, Step::Read(by));
            }
            Output::Decided {
                parcel, chute, why, ..
            } => self.add(parcel, Step::Decided(chute, why)),
            Output::Ended {
                parcel,
                how,
                why,
                chute,
                ..
            } => {
                let passage = self.passages.entry(parcel).or_default();
                passage.ended = Some(Ending { how, why, chute });
            }
            _ => {}
        }
    }

    fn add(&mut self, parcel: ParcelId, step: Step) {
        self.passages.entry(parcel).or_default().steps.push(step);
    }

    fn track(&self, cell: CellId) -> u16 {
        self.hub
            .track_of(cell)
            .map_or(u16::MAX, |(track, _)| track.0)
    }
}

/// The step that a signal is for its item.
fn step_of(signal: &Signal) -> Option<(CellId, PlcItem, Step)> {
    Some(match *signal {
        Signal::Inducted {
            cell,
            item,
            returned: false,
            ..
        } => (cell, item, Step::Inducted),
        Signal::Inducted {
            cell,
            item,
            returned: true,
            ..
        } => (cell, item, Step::CameRound),
        Signal::Discharged {
            cell, item, chute, ..
        } => (cell, item, Step::Left(chute)),
        Signal::NotDischarged {
            cell,
            item,
            chute,
            cause,
            ..
        } => (cell, item, Step::Refused(chute, cause)),
        Signal::LapPassed { cell, item, .. } => (cell, item, Step::Lapped),
        Signal::Returning { cell, item, .. } => (cell, item, Step::Returning),
        Signal::Missing { cell, item, .. } | Signal::Unexpected { cell, item, .. } => {
            (cell, item, Step::Surprise)
        }
        Signal::RemovedByHand { cell, item } => (cell, item, Step::TakenOff),
        _ => return None,
    })
}

impl Step {
    /// The step in words.
    #[must_use]
    pub fn words(self, hub: &Hub) -> String {
        let chute = |chute: ChuteId| hub.chutes()[chute.index()].name.as_str();
        match self {
            Self::Inducted => "inducted".into(),
            Self::CameRound => "came round".into(),
            Self::Read(Reader::Scanner(scanner)) => {
                format!("read at {}", hub.scanners()[scanner.index()].name)
            }
            Self::Read(Reader::Seat(seat)) => format!("keyed in at seat {}", seat.0),
            Self::Decided(Some(to), why) => format!("decided for {} ({why})", chute(to)),
            Self::Decided(None, why) => format!("goes on ({why})"),
            Self::Refused(by, cause) => format!("refused by {} ({})", chute(by), cause.reason()),
            Self::Lapped => "lapped".into(),
            Self::Returning => "onto the return".into(),
            Self::Surprise => "missed or found by the PLC".into(),
            Self::Left(by) => format!("left by {}", chute(by)),
            Self::TakenOff => "taken off by hand".into(),
        }
    }
}

impl Ending {
    /// The ending in words.
    #[must_use]
    pub fn words(self, hub: &Hub) -> String {
        let chute = self
            .chute
            .map(|chute| hub.chutes()[chute.index()].name.as_str());
        match chute {
            Some(chute) => format!("{} by {chute} ({})", self.how, self.why),
            None => format!("{} ({})", self.how, self.why),
        }
    }
}
