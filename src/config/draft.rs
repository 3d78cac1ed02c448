//! The hub as it is being read: what is described, where, and how much of it can be relied on.

use std::rc::Rc;

use sorthub_core::hub::HubSpec;
use sorthub_sim::spec::TrackPlant;

use super::bank::{Bank, Member, Names};
use super::chutes;
use super::devices;
use super::joining;
use super::links::{Addresses, LinksSpec};
use super::named;
use super::reader::{Faults, Table};
use super::source::Span;
use super::tracks;

/// Where an element is described. The members of a bank share one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Origin {
    pub(super) table: Span,
    pub(super) name: Span,
    pub(super) at: Span,
    pub(super) lead: Span,
    /// No error was found while it was read; what follows from it can be believed.
    pub(super) sound: bool,
}

/// Everything read from the tables of devices.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) spec: HubSpec,
    pub(super) links: LinksSpec,
    pub(super) track_plants: Vec<TrackPlant>,
    pub(super) tracks: Vec<Rc<Origin>>,
    pub(super) inductions: Vec<Rc<Origin>>,
    pub(super) scanners: Vec<Rc<Origin>>,
    pub(super) chutes: Vec<Rc<Origin>>,
    pub(super) groups: Vec<Rc<Origin>>,
    pub(super) tags: Vec<Rc<Origin>>,
    pub(super) sorters: Vec<Rc<Origin>>,
    pub(super) transfers: Vec<Rc<Origin>>,
    pub(super) addresses: Addresses,
}

/// More elements of one kind are not even read: the core numbers fewer, and says so.
pub(super) const ELEMENTS_MAX: usize = 70_000;

impl Draft {
    /// Reads all devices.
    pub(super) fn read(root: &Table<'_>) -> Self {
        let mut draft = Self::default();
        if let Some(name) = root
            .require("name", "name = \"my hub\"")
            .and_then(|v| v.text())
        {
            name.clone_into(&mut draft.spec.name);
        }
        tracks::read(root, &mut draft);
        let tracks = Names::new("track", draft.spec.tracks.iter().map(|t| t.name.as_str()));
        devices::read_inductions(root, &tracks, &mut draft);
        devices::read_scanners(root, &tracks, &mut draft);
        chutes::read(root, &tracks, &mut draft);
        let chutes = Names::of_chutes(&draft.spec);
        named::read_groups(root, &chutes, &mut draft);
        named::read_tags(root, &mut draft);
        joining::read_sorters(root, &tracks, &mut draft);
        joining::read_transfers(root, &mut draft);
        draft
    }

    /// Whether every element of a kind is there and sound, so that it means something if one is
    /// not found.
    pub(super) fn all_sound(origins: &[Rc<Origin>], faults: &Faults<'_>) -> bool {
        !faults.headers_broken() && origins.iter().all(|origin| origin.sound)
    }
}

/// The origin of a table that has just been read; `mark` was taken before.
pub(super) fn origin_of(table: &Table<'_>, mark: usize) -> Rc<Origin> {
    table.finish();
    Rc::new(Origin {
        table: table.span,
        name: table.place_of("name"),
        at: table.place_of("at_mm"),
        lead: table.place_of("lead_mm"),
        sound: table.faults.mark() == mark && !table.faults.broken_at(table.span),
    })
}

/// The members of a bank as far as there is room for them.
pub(super) fn members_within(bank: &Bank, already: usize) -> Vec<Member> {
    let room = ELEMENTS_MAX.saturating_sub(already);
    bank.members().take(room).collect()
}

/// A place on a track: far beyond every track where it cannot be told in 32 bits.
pub(super) fn place(at_mm: u32, offset_mm: u64) -> u32 {
    u32::try_from(u64::from(at_mm) + offset_mm).unwrap_or(u32::MAX)
}
