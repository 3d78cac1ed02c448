//! What choosing a chute reads of a plan, flat and side by side.

use alloc::vec;
use alloc::vec::Vec;

use super::Waves;
use super::spec::{PlanSpec, Spread};
use crate::facts::DestKey;
use crate::ids::{ChuteId, DestId, WaveId};

/// Every destination's lists of chutes.
#[derive(Clone, Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    waves: Vec<(WaveId, Span)>,
    lists: Vec<ChuteId>,
    shares: Vec<u16>,
    uses: Vec<Use>,
    share_counters: u32,
}

/// A destination.
#[derive(Clone, Copy, Debug)]
struct Row {
    key: DestKey,
    own: Span,
    alternates: Span,
    overflow: Span,
    waves: Span,
    shares: Span,
    /// The first of its counters, one for each share.
    counters: u32,
    is_level: bool,
}

/// A part of a list.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    at: u32,
    len: u32,
}

impl Span {
    fn of<T>(self, all: &[T]) -> &[T] {
        &all[self.at as usize..][..self.len as usize]
    }

    fn add<T>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) -> Self {
        let at = all.len() as u32;
        all.extend(more);
        let len = all.len() as u32 - at;
        Self { at, len }
    }
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

/// What a plan uses a chute for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Parcels of a destination may end in it as sorted.
    pub sorts: bool,
    /// Rejected parcels may end in it.
    pub rejects: bool,
}

impl Use {
    /// Whether it is used at all.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.sorts || self.rejects
    }
}

impl Table {
    pub fn new(spec: &PlanSpec, chutes: usize) -> Self {
        let mut table = Self {
            rows: Vec::with_capacity(spec.destinations.len()),
            waves: Vec::new(),
            lists: Vec::new(),
            shares: Vec::new(),
            uses: vec![Use::default(); chutes],
            share_counters: 0,
        };
        for dest in &spec.destinations {
            for chute in dest.every_chute() {
                table.uses[chute.index()].sorts = true;
            }
            let own = Span::add(&mut table.lists, dest.chutes.iter().copied());
            let alternates = Span::add(&mut table.lists, dest.alternates.iter().copied());
            let overflow = Span::add(&mut table.lists, dest.overflow.iter().copied());
            let lists = &mut table.lists;
            let of_wave = dest
                .waves
                .iter()
                .map(|(wave, chutes)| (*wave, Span::add(lists, chutes.iter().copied())));
            let waves = Span::add(&mut table.waves, of_wave);
            let shares: &[u16] = match &dest.spread {
                Spread::Shares(shares) => shares,
                Spread::Preferred | Spread::Level => &[],
            };
            let counters = table.share_counters;
            table.share_counters += shares.len() as u32;
            table.rows.push(Row {
                key: DestKey::of(&dest.name),
                own,
                alternates,
                overflow,
                waves,
                shares: Span::add(&mut table.shares, shares.iter().copied()),
                counters,
                is_level: dest.spread == Spread::Level,
            });
        }
        let exceptions = spec.exceptions.iter().flat_map(|(_, chutes)| chutes);
        for chute in spec.reject.iter().chain(exceptions) {
            table.uses[chute.index()].rejects = true;
        }
        table
    }

    fn row(&self, dest: DestId) -> Option<&Row> {
        self.rows.get(dest.index())
    }

    pub fn key(&self, dest: DestId) -> DestKey {
        self.row(dest).map_or(DestKey::NONE, |row| row.key)
    }

    pub fn own(&self, dest: DestId, open: Waves) -> &[ChuteId] {
        let Some(row) = self.row(dest) else {
            return &[];
        };
        let mut waves = row.waves.of(&self.waves).iter();
        let span = waves.find(|(wave, _)| open.has(*wave));
        span.map_or(row.own, |(_, span)| *span).of(&self.lists)
    }

    pub fn has_waves(&self, dest: DestId) -> bool {
        self.row(dest).is_some_and(|row| row.waves.len > 0)
    }

    pub fn alternates(&self, dest: DestId) -> &[ChuteId] {
        self.row(dest)
            .map_or(&[], |row| row.alternates.of(&self.lists))
    }

    pub fn overflow(&self, dest: DestId) -> &[ChuteId] {
        self.row(dest)
            .map_or(&[], |row| row.overflow.of(&self.lists))
    }

    pub fn way(&self, dest: DestId) -> Way<'_> {
        match self.row(dest) {
            Some(row) if row.shares.len > 0 => Way::Shares {
                shares: row.shares.of(&self.shares),
                counters: row.counters,
            },
            Some(row) if row.is_level => Way::Level,
            _ => Way::Preferred,
        }
    }

    pub fn chutes(&self) -> usize {
        self.uses.len()
    }

    pub fn uses(&self, chute: ChuteId) -> Use {
        self.uses.get(chute.index()).copied().unwrap_or_default()
    }
}
