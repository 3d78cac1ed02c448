//! What the core refuses of a hub, put at the places where it is described.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};
use std::rc::Rc;

use sorthub_core::hub::{Element, Hub, HubFault, HubFaultKind, HubSpec};
use sorthub_core::ids::TrackId;

use super::draft::Draft;
use super::fault::Meaning;
use super::reader::Faults;
use super::source::Span;

/// Checks the hub; `None` if it has faults, which are then reported.
pub(super) fn check_hub(draft: &Draft, faults: &Faults<'_>) -> Option<Hub> {
    match Hub::new(draft.spec.clone()) {
        Ok(hub) => Some(hub),
        Err(found) => {
            // All members of a bank share a place; one fault of a kind is enough to find it.
            let mut reported = HashSet::new();
            for fault in found {
                if let Some((span, meaning)) = place_hub_fault(draft, fault, faults)
                    && reported.insert((span.start, discriminant_of(&meaning)))
                {
                    faults.add(span, meaning);
                }
            }
            None
        }
    }
}

/// What tells two faults at one place apart.
type Apart = (
    Discriminant<Meaning>,
    Option<(Discriminant<HubFaultKind>, &'static str)>,
);

fn discriminant_of(meaning: &Meaning) -> Apart {
    let of_core = match meaning {
        Meaning::Hub { fault, .. } => {
            let what = match fault {
                HubFaultKind::Empty(what)
                | HubFaultKind::TooMany { what, .. }
                | HubFaultKind::Zero(what)
                | HubFaultKind::NoSuchEnd(what) => what,
                _ => "",
            };
            Some((discriminant(fault), what))
        }
        _ => None,
    };
    (discriminant(meaning), of_core)
}

/// The place and meaning of a fault; `None` if it follows from one that is reported already.
fn place_hub_fault(draft: &Draft, fault: HubFault, faults: &Faults<'_>) -> Option<(Span, Meaning)> {
    let HubFault { element, kind } = fault;
    let (what, origins, at) = match element {
        Element::Hub => {
            let meaning = Meaning::Hub {
                element: String::new(),
                fault: kind,
            };
            return (!faults.headers_broken()).then_some((Span::default(), meaning));
        }
        Element::Track(at) => ("track", &draft.tracks, at),
        Element::Induction(at) => ("induction", &draft.inductions, at),
        Element::Scanner(at) => ("scanner", &draft.scanners, at),
        Element::Chute(at) => ("chute", &draft.chutes, at),
        Element::Group(at) => ("chute group", &draft.groups, at),
        Element::Tag(at) => ("tag", &draft.tags, at),
        Element::Sorter(at) => ("sorter", &draft.sorters, at),
        Element::Transfer(at) => ("transfer", &draft.transfers, at),
    };
    let origin = origins.get(at)?;
    let name = name_of(&draft.spec, element);
    if let HubFaultKind::SameName(name) = kind {
        let first = origins.get(position_of(&draft.spec, element, &name)?)?;
        // A bank whose pattern gives all of them one name is reported as that.
        let is_own_bank = Rc::ptr_eq(first, origin) && !origin.sound;
        let first_line = faults.line_of(first.name);
        let meaning = Meaning::SameName {
            what,
            name,
            first_line,
        };
        return (!is_own_bank).then_some((origin.name, meaning));
    }
    let believable = match kind {
        // Where there is none at all, that is told of the hub.
        HubFaultKind::NoScanner => {
            !draft.scanners.is_empty() && Draft::all_sound(&draft.scanners, faults)
        }
        HubFaultKind::NoEndChute(_) | HubFaultKind::ScannerBehindChutes => {
            Draft::all_sound(&draft.chutes, faults)
        }
        HubFaultKind::BeyondTrack { at, .. } => has_sound_track(draft, element, at),
        HubFaultKind::NotInOneSorter { .. } | HubFaultKind::SharedBySorters => {
            Draft::all_sound(&draft.sorters, faults)
        }
        _ => true,
    };
    if !believable || !origin.sound {
        return None;
    }
    let span = match kind {
        HubFaultKind::BeyondTrack { .. } | HubFaultKind::ScannerBehindChutes => origin.at,
        HubFaultKind::LeadBeforeStart { .. } => origin.lead,
        _ => origin.table,
    };
    let meaning = match kind {
        HubFaultKind::TwoOutlets(track) => {
            let track = name_of(&draft.spec, Element::Track(track.index()));
            Meaning::TwoOutlets { chute: name, track }
        }
        fault => Meaning::Hub {
            element: format!("{what} `{name}`"),
            fault,
        },
    };
    Some((span, meaning))
}

/// Whether the tracks on which an element stands at a place are as long as they say: of one with a
/// fault, nobody knows.
fn has_sound_track(draft: &Draft, element: Element, at_mm: u32) -> bool {
    let spec = &draft.spec;
    let is_sound = |track: TrackId| {
        let origin = draft.tracks.get(track.index());
        origin.is_none_or(|origin| origin.sound)
    };
    match element {
        Element::Induction(at) => spec.inductions.get(at).is_none_or(|i| is_sound(i.track)),
        Element::Scanner(at) => spec.scanners.get(at).is_none_or(|s| is_sound(s.track)),
        Element::Chute(at) => {
            let mut outlets = spec.chutes.get(at).into_iter().flat_map(|c| &c.outlets);
            outlets.all(|outlet| outlet.at.0 != at_mm || is_sound(outlet.track))
        }
        _ => true,
    }
}

/// The first element of this kind with a name.
fn position_of(spec: &HubSpec, element: Element, name: &str) -> Option<usize> {
    match element {
        Element::Hub => None,
        Element::Track(_) => spec.tracks.iter().position(|other| other.name == name),
        Element::Induction(_) => spec.inductions.iter().position(|other| other.name == name),
        Element::Scanner(_) => spec.scanners.iter().position(|other| other.name == name),
        Element::Chute(_) => spec.chutes.iter().position(|other| other.name == name),
        Element::Group(_) => spec.groups.iter().position(|other| other.name == name),
        Element::Tag(_) => spec.tags.iter().position(|other| other.name == name),
        Element::Sorter(_) => spec.sorters.iter().position(|other| other.name == name),
        // It has no name of its own.
        Element::Transfer(_) => None,
    }
}

fn name_of(spec: &HubSpec, element: Element) -> String {
    let name = match element {
        Element::Hub => None,
        Element::Track(at) => spec.tracks.get(at).map(|track| &track.name),
        Element::Induction(at) => spec.inductions.get(at).map(|induction| &induction.name),
        Element::Scanner(at) => spec.scanners.get(at).map(|scanner| &scanner.name),
        Element::Chute(at) => spec.chutes.get(at).map(|chute| &chute.name),
        Element::Group(at) => spec.groups.get(at).map(|group| &group.name),
        Element::Tag(at) => spec.tags.get(at).map(|tag| &tag.name),
        Element::Sorter(at) => spec.sorters.get(at).map(|sorter| &sorter.name),
        // It is called by the chute that it begins at.
        Element::Transfer(at) => {
            let transfer = spec.transfers.get(at);
            let chute = transfer.and_then(|transfer| spec.chutes.get(transfer.from.index()));
            chute.map(|chute| &chute.name)
        }
    };
    name.cloned().unwrap_or_default()
}
