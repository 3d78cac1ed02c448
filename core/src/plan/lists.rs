//! The chutes of all destinations in one row, as decisions read them.
//!
//! The description keeps each list by itself. A decision for one parcel of a plan with 100,000
//! destinations would wait for memory at each of them; here a destination is one entry and one
//! run of chutes behind it.

use alloc::vec;
use alloc::vec::Vec;

use super::Waves;
use super::spec::{DestinationSpec, Spread};
use crate::ids::{ChuteId, DestId, WaveId};

#[derive(Clone, Debug)]
pub(super) struct Lists {
    chutes: Vec<ChuteId>,
    of: Vec<Entry>,
    waves: Vec<OfWave>,
    /// The ways to spread, with the first of their share counters; the first two are those
    /// without numbers.
    spreads: Vec<(Spread, u32)>,
    share_counters: u32,
}

/// How parcels spread over a destination's chutes, as choosing reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way<'a> {
    /// The first that takes a parcel.
    Preferred,
    /// By shares, one for each chute.
    Shares {
        /// The shares.
        shares: &'a [u16],
        /// The first of the plan's share counters that are theirs.
        counters: u32,
    },
    /// The emptiest first.
    Level,
}

/// A destination: where its lists begin, one behind the other.
#[derive(Clone, Copy, Debug)]
struct Entry {
    own: u32,
    alternates: u32,
    overflow: u32,
    of_waves: u32,
    end: u32,
    /// Its first wave, and how many it has.
    wave: u32,
    waves: u32,
    spread: u32,
}

/// The chutes of a destination in one of its waves.
#[derive(Clone, Copy, Debug)]
struct OfWave {
    wave: WaveId,
    start: u32,
    end: u32,
}

impl Lists {
    pub(super) fn new(destinations: &[DestinationSpec]) -> Self {
        let mut lists = Self {
            chutes: Vec::new(),
            of: Vec::with_capacity(destinations.len()),
            waves: Vec::new(),
            spreads: vec![(Spread::Preferred, 0), (Spread::Level, 0)],
            share_counters: 0,
        };
        for dest in destinations {
            lists.push(dest);
        }
        assert!(
            lists.chutes.len() <= u32::MAX as usize,
            "a plan of that size does not fit into memory twice"
        );
        lists
    }

    fn push(&mut self, dest: &DestinationSpec) {
        let own = self.append(&dest.chutes);
        let alternates = self.append(&dest.alternates);
        let overflow = self.append(&dest.overflow);
        let (of_waves, wave) = (self.chutes.len() as u32, self.waves.len() as u32);
        for (wave, chutes) in &dest.waves {
            let start = self.append(chutes);
            let end = self.chutes.len() as u32;
            self.waves.push(OfWave {
                wave: *wave,
                start,
                end,
            });
        }
        let spread = match &dest.spread {
            Spread::Preferred => 0,
            Spread::Level => 1,
            Spread::Shares(shares) => {
                let counters = self.share_counters;
                self.share_counters += shares.len() as u32;
                self.spreads.push((dest.spread.clone(), counters));
                self.spreads.len() as u32 - 1
            }
        };
        self.of.push(Entry {
            own,
            alternates,
            overflow,
            of_waves,
            end: self.chutes.len() as u32,
            wave,
            waves: dest.waves.len() as u32,
            spread,
        });
    }

    /// Appends a list; says where it begins.
    fn append(&mut self, chutes: &[ChuteId]) -> u32 {
        let start = self.chutes.len() as u32;
        self.chutes.extend_from_slice(chutes);
        start
    }

    fn run(&self, from: u32, to: u32) -> &[ChuteId] {
        &self.chutes[from as usize..to as usize]
    }

    pub(super) fn own(&self, dest: DestId, open: Waves) -> &[ChuteId] {
        let Some(of) = self.of.get(dest.index()) else {
            return &[];
        };
        let first = of.wave as usize;
        let waves = &self.waves[first..first + of.waves as usize];
        match waves
            .iter()
            .find(|wave| open.has(wave.wave) || mutant!("first_wave_stays"))
        {
            Some(wave) => self.run(wave.start, wave.end),
            None => self.run(of.own, of.alternates),
        }
    }

    pub(super) fn alternates(&self, dest: DestId) -> &[ChuteId] {
        let of = self.of.get(dest.index());
        of.map_or(&[], |of| self.run(of.alternates, of.overflow))
    }

    pub(super) fn overflow(&self, dest: DestId) -> &[ChuteId] {
        let of = self.of.get(dest.index());
        of.map_or(&[], |of| self.run(of.overflow, of.of_waves))
    }

    pub(super) fn every(&self, dest: DestId) -> &[ChuteId] {
        let of = self.of.get(dest.index());
        of.map_or(&[], |of| self.run(of.own, of.end))
    }

    pub(super) fn spread(&self, dest: DestId) -> &Spread {
        let of = self.of.get(dest.index());
        &self.spreads[of.map_or(0, |of| of.spread as usize)].0
    }

    pub(super) fn way(&self, dest: DestId) -> Way<'_> {
        let of = self.of.get(dest.index());
        match &self.spreads[of.map_or(0, |of| of.spread as usize)] {
            (Spread::Preferred, _) => Way::Preferred,
            (Spread::Level, _) => Way::Level,
            (Spread::Shares(shares), counters) => Way::Shares {
                shares,
                counters: *counters,
            },
        }
    }

    pub(super) fn has_waves(&self, dest: DestId) -> bool {
        self.of.get(dest.index()).is_some_and(|of| of.waves > 0)
    }
}
