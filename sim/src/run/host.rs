//! A host that is asked where parcels go: it knows, takes its time, and is silent now and then.

use std::collections::{BTreeMap, VecDeque};

use sorthub_core::facts::DestKey;
use sorthub_core::ids::{CodeId, ParcelId};
use sorthub_core::operator::{Command, HostSays, ParcelWish, Ticket};
use sorthub_core::signal::Signal;
use sorthub_core::units::Micros;

use crate::plant::Plant;
use crate::random::{Purpose, Stream};
use crate::spec::HostPlant;

/// See the module.
#[derive(Debug)]
pub(super) struct Host {
    plant: Option<HostPlant>,
    silence: Stream,
    /// Parcels of a trace by their codes; a generated parcel's code is its number.
    numbers: BTreeMap<CodeId, u64>,
    /// Answers on their way; the delay is constant, so they keep their order.
    underway: VecDeque<(Micros, usize, ParcelId, HostSays)>,
}

impl Host {
    pub fn new(spec: &crate::spec::PlantSpec, seed: u64) -> Self {
        let labels = spec.trace.iter().zip(1..);
        let numbers = labels.map(|(row, number)| (CodeId::of(&row.label), number));
        Self {
            plant: spec.host,
            silence: Stream::new(seed, Purpose::Silence, 0),
            numbers: if spec.host.is_some() {
                numbers.collect()
            } else {
                BTreeMap::new()
            },
            underway: VecDeque::new(),
        }
    }

    /// Which parcel has a code, where codes are no numbers.
    pub fn learn(&mut self, code: CodeId, number: u64) {
        if self.plant.is_some() && code != CodeId::NONE {
            self.numbers.insert(code, number);
        }
    }

    /// A sorter asks about a parcel.
    pub fn asked(
        &mut self,
        now: Micros,
        sorter: usize,
        (parcel, code): (ParcelId, CodeId),
        plant: &Plant,
        keys: &[DestKey],
    ) {
        let Some(spec) = self.plant else { return };
        let number = if self.numbers.is_empty() {
            Some(code.0)
        } else {
            self.numbers.get(&code).copied()
        };
        let draw = self.silence.below(number.unwrap_or(0), 1_000_000);
        if draw < u64::from(spec.silent_ppm) {
            return;
        }
        let dest = number.and_then(|number| plant.parcels().traits(number).dest);
        let says = dest.map_or(HostSays::Unknown, |dest| HostSays::To(keys[dest.index()]));
        let due = now.after(spec.delay);
        self.underway.push_back((due, sorter, parcel, says));
    }

    /// When the next answer comes.
    pub fn next(&self) -> Option<Micros> {
        self.underway.front().map(|&(due, ..)| due)
    }

    /// The next answer, with the sorter that it is for.
    pub fn answer(&mut self) -> Option<(usize, Signal)> {
        let (_, sorter, parcel, says) = self.underway.pop_front()?;
        let to = ParcelWish::Host(says);
        let command = Command::Parcel { parcel, to };
        let ticket = Ticket(0);
        Some((sorter, Signal::Command { ticket, command }))
    }
}
