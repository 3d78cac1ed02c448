//! What a hub description must satisfy, and what to do where it does not.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::named::is_fixed;
use super::{Capacity, HubSpec, Lot, TrackKind, TrackSpec};
use crate::facts::Tags;
use crate::ids::{ChuteId, TrackId};
use crate::limits::{
    CELLS_PER_TRACK_MAX, CHUTES_MAX, CHUTES_PER_TRACK_MAX, INDUCTIONS_PER_TRACK_MAX, TRACKS_MAX,
};

/// One thing wrong with a hub description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubFault {
    /// Which part of the description.
    pub element: Element,
    /// What is wrong with it.
    pub kind: HubFaultKind,
}

/// A part of a hub description, by its position in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// The hub as a whole.
    Hub,
    /// `tracks[n]`.
    Track(usize),
    /// `inductions[n]`.
    Induction(usize),
    /// `scanners[n]`.
    Scanner(usize),
    /// `chutes[n]`.
    Chute(usize),
    /// `groups[n]`.
    Group(usize),
    /// `tags[n]`.
    Tag(usize),
    /// `sorters[n]`.
    Sorter(usize),
    /// `transfers[n]`.
    Transfer(usize),
}

/// What can be wrong with a hub description; the `Display` text says the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HubFaultKind {
    /// A list that needs at least one entry has none.
    Empty(&'static str),
    /// More entries than the core can number.
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there may be.
        max: u64,
    },
    /// Two elements of one kind have the same name.
    SameName(String),
    /// An element names a track that is not there.
    NoSuchTrack(TrackId),
    /// Something stands beyond the end of its track.
    BeyondTrack {
        /// Where it stands, in mm.
        at: u32,
        /// How long the track is, in mm.
        length: u32,
    },
    /// A number that must be larger than zero is not.
    Zero(&'static str),
    /// A chute takes parcels from nowhere.
    NoOutlet,
    /// A chute takes parcels from one track at two places.
    TwoOutlets(TrackId),
    /// The diverter must act before the parcel is on the track at all.
    LeadBeforeStart {
        /// How far before the outlet, in mm.
        lead: u32,
        /// Where the outlet is, in mm.
        at: u32,
    },
    /// A line without a chute at its end: what nobody took would fall on the floor.
    NoEndChute(u32),
    /// A track on which nothing can be read, so that nothing can be sorted.
    NoScanner,
    /// A line's scanner stands behind its last chute.
    ScannerBehindChutes,
    /// Limits of a container are given for a chute whose parcels lie in none.
    NoContainer,
    /// The caps of a track's occupancy are not in order, or above all of it.
    Caps,
    /// An induction's quota is nothing, or more than all.
    Quota(u16),
    /// A group without chutes.
    NoMember,
    /// A group names a chute that is not there.
    NoSuchChute(ChuteId),
    /// A track that is in no sorter, or in two.
    NotInOneSorter {
        /// In how many it is.
        sorters: usize,
    },
    /// A chute that takes parcels from tracks of two sorters.
    SharedBySorters,
    /// A transfer names a chute or induction that is not there.
    NoSuchEnd(&'static str),
    /// Two transfers begin at one chute.
    TwoTransfers,
    /// Parcels on a transfer would be lost before they can arrive.
    PatienceTooShort,
}

impl fmt::Display for HubFaultKind {
    #[expect(
        clippy::too_many_lines,
        reason = "a table: one arm for each kind of fault"
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(what) => write!(f, "the hub has no {what}; add at least one"),
            Self::TooMany { what, max } => write!(f, "too many {what}; at most {max} are possible"),
            Self::SameName(name) => {
                write!(f, "the name `{name}` is given twice; give each its own")
            }
            Self::NoSuchTrack(track) => {
                write!(
                    f,
                    "there is no track number {}; name one that is described",
                    track.0
                )
            }
            Self::BeyondTrack { at, length } => write!(
                f,
                "stands at {at} mm, but the track ends at {length} mm; move it onto the track"
            ),
            Self::Zero(what) => write!(f, "{what} must be larger than zero"),
            Self::NoOutlet => write!(f, "takes parcels from no track; give it an outlet"),
            Self::TwoOutlets(track) => write!(
                f,
                "has two outlets on track number {}; describe them as two chutes",
                track.0
            ),
            Self::LeadBeforeStart { lead, at } => write!(
                f,
                "must be ordered {lead} mm ahead, but stands only {at} mm from the start of the \
                 line; shorten the lead or move the chute"
            ),
            Self::NoEndChute(length) => write!(
                f,
                "what no chute takes would fall off its end; put a chute at {length} mm"
            ),
            Self::NoScanner => write!(f, "has no scanner, so nothing on it can be sorted; add one"),
            Self::ScannerBehindChutes => write!(
                f,
                "stands behind the last chute, so what it reads comes too late; move it upstream"
            ),
            Self::NoContainer => write!(
                f,
                "has limits for a container, but its parcels lie in none; make it a cage or a bag"
            ),
            Self::Caps => write!(
                f,
                "inductions must be slowed at 1 to 1000 permille of its places, and stopped at no \
                 less than that"
            ),
            Self::Quota(permille) => write!(
                f,
                "may fill {permille} permille of what comes past; give it 1 to 1000"
            ),
            Self::NoMember => write!(f, "has no chute in it; name at least one"),
            Self::NoSuchChute(chute) => {
                let chute = chute.0;
                write!(
                    f,
                    "there is no chute number {chute}; name one that is described"
                )
            }
            Self::NotInOneSorter { sorters: 0 } => {
                write!(f, "is in no sorter; add it to the tracks of one")
            }
            Self::NotInOneSorter { sorters } => {
                write!(f, "is in {sorters} sorters; leave it in one")
            }
            Self::SharedBySorters => write!(
                f,
                "takes parcels from tracks of two sorters; put these tracks into one sorter"
            ),
            Self::NoSuchEnd(what) => write!(f, "names no {what} of the hub; name one that it has"),
            Self::TwoTransfers => write!(f, "its chute feeds another transfer too; keep one"),
            Self::PatienceTooShort => write!(
                f,
                "parcels would be lost before they arrive; the patience must be longer than the \
                 travel"
            ),
        }
    }
}

/// Finds every fault.
pub(super) fn check(spec: &HubSpec) -> Vec<HubFault> {
    let mut found = Faults(Vec::new());
    let lists = [
        ("track", spec.tracks.len(), TRACKS_MAX),
        ("induction", spec.inductions.len(), usize::from(u16::MAX)),
        ("scanner", spec.scanners.len(), usize::from(u16::MAX)),
        ("chute", spec.chutes.len(), CHUTES_MAX),
    ];
    for (what, len, max) in lists {
        if len == 0 {
            found.add(Element::Hub, HubFaultKind::Empty(what));
        } else if len > max {
            found.add(
                Element::Hub,
                HubFaultKind::TooMany {
                    what,
                    max: max as u64,
                },
            );
        }
    }
    check_names(spec, &mut found);
    for (index, track) in spec.tracks.iter().enumerate() {
        check_track(index, track, spec, &mut found);
        check_room(index, spec, &mut found);
    }
    for (index, induction) in spec.inductions.iter().enumerate() {
        check_place(
            Element::Induction(index),
            induction.track,
            induction.at.0,
            spec,
            &mut found,
        );
        if !(1..=1_000).contains(&induction.quota_permille) {
            let kind = HubFaultKind::Quota(induction.quota_permille);
            found.add(Element::Induction(index), kind);
        }
    }
    for (index, scanner) in spec.scanners.iter().enumerate() {
        let element = Element::Scanner(index);
        check_place(element, scanner.track, scanner.at.0, spec, &mut found);
        if is_behind_all_chutes(spec, scanner.track, scanner.at.0) {
            found.add(element, HubFaultKind::ScannerBehindChutes);
        }
    }
    for index in 0..spec.chutes.len() {
        check_chute(index, spec, &mut found);
    }
    check_groups(spec, &mut found);
    check_sorters(spec, &mut found);
    check_transfers(spec, &mut found);
    found.0
}

struct Faults(Vec<HubFault>);

impl Faults {
    fn add(&mut self, element: Element, kind: HubFaultKind) {
        self.0.push(HubFault { element, kind });
    }
}

fn check_names(spec: &HubSpec, found: &mut Faults) {
    let tracks = spec.tracks.iter().map(|t| t.name.as_str());
    same_names(tracks, Element::Track, found);
    let inductions = spec.inductions.iter().map(|i| i.name.as_str());
    same_names(inductions, Element::Induction, found);
    let scanners = spec.scanners.iter().map(|s| s.name.as_str());
    same_names(scanners, Element::Scanner, found);
    let chutes = spec.chutes.iter().map(|c| c.name.as_str());
    same_names(chutes, Element::Chute, found);
    let groups = spec.groups.iter().map(|g| g.name.as_str());
    same_names(groups, Element::Group, found);
    let tags = spec.tags.iter().map(|t| t.name.as_str());
    same_names(tags, Element::Tag, found);
    let sorters = spec.sorters.iter().map(|s| s.name.as_str());
    same_names(sorters, Element::Sorter, found);
}

fn same_names<'a>(
    names: impl Iterator<Item = &'a str>,
    element: fn(usize) -> Element,
    found: &mut Faults,
) {
    let mut sorted: Vec<(&str, usize)> = names.enumerate().map(|(i, n)| (n, i)).collect();
    sorted.sort_unstable();
    for pair in sorted.windows(2) {
        if pair[0].0 == pair[1].0 {
            found.add(
                element(pair[1].1),
                HubFaultKind::SameName(pair[1].0.to_string()),
            );
        }
    }
}

fn check_track(index: usize, track: &TrackSpec, spec: &HubSpec, found: &mut Faults) {
    let element = Element::Track(index);
    if track.speed.0 == 0 {
        found.add(element, HubFaultKind::Zero("the speed"));
    }
    let slow = track.caps.slow_permille.unwrap_or(1);
    let stop = track.caps.stop_permille.unwrap_or(1_000);
    if slow == 0 || stop < slow || stop > 1_000 {
        found.add(element, HubFaultKind::Caps);
    }
    if track.tolerance.0 == 0 {
        found.add(element, HubFaultKind::Zero("the tolerance"));
    }
    match track.kind {
        TrackKind::Loop { carriers, pitch } => {
            if carriers == 0 {
                found.add(element, HubFaultKind::Zero("the number of carriers"));
            }
            if pitch.0 == 0 {
                found.add(element, HubFaultKind::Zero("the pitch"));
            }
        }
        TrackKind::Line {
            length,
            windows,
            returns,
        } => {
            if length.0 == 0 {
                found.add(element, HubFaultKind::Zero("the length"));
            }
            if windows == 0 {
                found.add(element, HubFaultKind::Zero("the number of windows"));
            }
            if returns.is_some_and(|length| length.0 == 0) {
                found.add(element, HubFaultKind::Zero("the length of the return"));
            }
            let id = TrackId(index as u16);
            let mut outlets = spec.chutes.iter().flat_map(|chute| &chute.outlets);
            if !outlets.any(|outlet| outlet.track == id && outlet.at == length) {
                found.add(element, HubFaultKind::NoEndChute(length.0));
            }
        }
    }
    if track.kind.cells() > CELLS_PER_TRACK_MAX {
        let max = u64::from(CELLS_PER_TRACK_MAX);
        found.add(
            element,
            HubFaultKind::TooMany {
                what: "carriers or windows",
                max,
            },
        );
    }
    if !spec
        .scanners
        .iter()
        .any(|scanner| scanner.track.index() == index)
    {
        found.add(element, HubFaultKind::NoScanner);
    }
}

/// What the register map of a track's PLC has no room for.
fn check_room(index: usize, spec: &HubSpec, found: &mut Faults) {
    let outlets = spec.chutes.iter().flat_map(|chute| &chute.outlets);
    let chutes = outlets
        .filter(|outlet| outlet.track.index() == index)
        .count();
    let inductions = spec.inductions.iter();
    let inductions = inductions
        .filter(|induction| induction.track.index() == index)
        .count();
    for (what, count, max) in [
        ("chutes on one track", chutes, CHUTES_PER_TRACK_MAX),
        (
            "inductions on one track",
            inductions,
            INDUCTIONS_PER_TRACK_MAX,
        ),
    ] {
        if count > max {
            let max = max as u64;
            found.add(Element::Track(index), HubFaultKind::TooMany { what, max });
        }
    }
}

fn check_place(element: Element, track: TrackId, at: u32, spec: &HubSpec, found: &mut Faults) {
    let Some(track_spec) = spec.tracks.get(track.index()) else {
        found.add(element, HubFaultKind::NoSuchTrack(track));
        return;
    };
    let length = track_spec.kind.length().0;
    // A loop's end is its origin again; only the end chute of a line stands exactly at the end.
    let beyond = if track_spec.kind.is_loop() {
        at >= length
    } else {
        at > length
    };
    if beyond {
        found.add(element, HubFaultKind::BeyondTrack { at, length });
    }
}

fn is_behind_all_chutes(spec: &HubSpec, track: TrackId, at: u32) -> bool {
    let is_line = spec
        .tracks
        .get(track.index())
        .is_some_and(|track| !track.kind.is_loop());
    let mut outlets = spec.chutes.iter().flat_map(|chute| &chute.outlets);
    is_line && !outlets.any(|outlet| outlet.track == track && outlet.at.0 > at)
}

fn check_chute(index: usize, spec: &HubSpec, found: &mut Faults) {
    let element = Element::Chute(index);
    let chute = &spec.chutes[index];
    if chute.outlets.is_empty() {
        found.add(element, HubFaultKind::NoOutlet);
    }
    match chute.capacity {
        Capacity::Parcels(0) => found.add(element, HubFaultKind::Zero("the capacity")),
        Capacity::Length(length) if length.0 == 0 => {
            found.add(element, HubFaultKind::Zero("the capacity"));
        }
        _ => {}
    }
    if chute.rules.lot == Lot::Flow && chute.rules.lot_most.is_any() {
        found.add(element, HubFaultKind::NoContainer);
    }
    for (nth, outlet) in chute.outlets.iter().enumerate() {
        check_place(element, outlet.track, outlet.at.0, spec, found);
        if chute.outlets[..nth]
            .iter()
            .any(|other| other.track == outlet.track)
        {
            found.add(element, HubFaultKind::TwoOutlets(outlet.track));
        }
        let track = spec.tracks.get(outlet.track.index());
        if track.is_some_and(|t| !t.kind.is_loop()) && outlet.lead > outlet.at {
            let fault = HubFaultKind::LeadBeforeStart {
                lead: outlet.lead.0,
                at: outlet.at.0,
            };
            found.add(element, fault);
        }
    }
}

fn check_groups(spec: &HubSpec, found: &mut Faults) {
    for (index, group) in spec.groups.iter().enumerate() {
        if group.chutes.is_empty() {
            found.add(Element::Group(index), HubFaultKind::NoMember);
        }
        for &chute in &group.chutes {
            if chute.index() >= spec.chutes.len() {
                let kind = HubFaultKind::NoSuchChute(chute);
                found.add(Element::Group(index), kind);
            }
        }
    }
    let own = spec.tags.iter().filter(|tag| !is_fixed(&tag.name)).count();
    if own + Tags::FIXED.len() > Tags::MAX {
        let max = (Tags::MAX - Tags::FIXED.len()) as u64;
        found.add(Element::Hub, HubFaultKind::TooMany { what: "tag", max });
    }
}

fn check_sorters(spec: &HubSpec, found: &mut Faults) {
    if spec.sorters.is_empty() {
        return;
    }
    for (index, sorter) in spec.sorters.iter().enumerate() {
        for &track in &sorter.tracks {
            if track.index() >= spec.tracks.len() {
                found.add(Element::Sorter(index), HubFaultKind::NoSuchTrack(track));
            }
        }
    }
    let sorter_of = |track: TrackId| {
        let mut sorters = spec.sorters.iter();
        sorters.position(|sorter| sorter.tracks.contains(&track))
    };
    for index in 0..spec.tracks.len() {
        let all = spec.sorters.iter().flat_map(|sorter| &sorter.tracks);
        let sorters = all.filter(|track| track.index() == index).count();
        if sorters != 1 {
            found.add(
                Element::Track(index),
                HubFaultKind::NotInOneSorter { sorters },
            );
        }
    }
    for (index, chute) in spec.chutes.iter().enumerate() {
        let mut sorters = chute.outlets.iter().map(|outlet| sorter_of(outlet.track));
        let first = sorters.next();
        if sorters.any(|other| Some(other) != first) {
            found.add(Element::Chute(index), HubFaultKind::SharedBySorters);
        }
    }
}

fn check_transfers(spec: &HubSpec, found: &mut Faults) {
    for (index, transfer) in spec.transfers.iter().enumerate() {
        let element = Element::Transfer(index);
        if transfer.from.index() >= spec.chutes.len() {
            found.add(element, HubFaultKind::NoSuchEnd("chute"));
        }
        if transfer.to.index() >= spec.inductions.len() {
            found.add(element, HubFaultKind::NoSuchEnd("induction"));
        }
        let mut before = spec.transfers[..index].iter();
        if before.any(|other| other.from == transfer.from) {
            found.add(element, HubFaultKind::TwoTransfers);
        }
        if transfer.patience <= transfer.travel {
            found.add(element, HubFaultKind::PatienceTooShort);
        }
    }
}
