//! What the core refuses, put at the places where it is described.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};
use std::rc::Rc;

use sorthub_core::hub::{
    Capacity, Element, Hub, HubFault, HubFaultKind, HubSpec, ScannerSpec, TrackKind,
};
use sorthub_core::ids::TrackId;
use sorthub_core::plan::{Plan, PlanFault};
use sorthub_core::units::{Mm, MmPerS};

use super::draft::Draft;
use super::fault::Meaning;
use super::plan::PlanDraft;
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

/// Checks the plan; `None` if it has faults, which are then reported. Where there is no hub to
/// check it against, what does not depend on the hub's own faults is still checked.
pub(super) fn check_plan(
    draft: &Draft,
    plan: &PlanDraft,
    hub: Option<&Hub>,
    faults: &Faults<'_>,
) -> Option<Plan> {
    let stand_in;
    let against = match hub {
        Some(hub) => hub,
        None => {
            stand_in = Hub::new(stand_in_for(&draft.spec)).ok()?;
            &stand_in
        }
    };
    match Plan::new(plan.spec.clone(), against) {
        Ok(plan) => hub.is_some().then_some(plan),
        Err(found) => {
            for fault in found {
                report_plan_fault(draft, plan, fault, faults);
            }
            None
        }
    }
}

/// What tells two faults at one place apart.
fn discriminant_of(
    meaning: &Meaning,
) -> (Discriminant<Meaning>, Option<Discriminant<HubFaultKind>>) {
    let of_core = match meaning {
        Meaning::Hub { fault, .. } => Some(discriminant(fault)),
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
        HubFaultKind::NoScanner => Draft::all_sound(&draft.scanners, faults),
        HubFaultKind::NoEndChute(_) | HubFaultKind::ScannerBehindChutes => {
            Draft::all_sound(&draft.chutes, faults)
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

/// The first element of this kind with a name.
fn position_of(spec: &HubSpec, element: Element, name: &str) -> Option<usize> {
    match element {
        Element::Hub => None,
        Element::Track(_) => spec.tracks.iter().position(|other| other.name == name),
        Element::Induction(_) => spec.inductions.iter().position(|other| other.name == name),
        Element::Scanner(_) => spec.scanners.iter().position(|other| other.name == name),
        Element::Chute(_) => spec.chutes.iter().position(|other| other.name == name),
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

fn report_plan_fault(draft: &Draft, plan: &PlanDraft, fault: PlanFault, faults: &Faults<'_>) {
    let destination = |at: usize| plan.names.get(at).copied().unwrap_or(plan.header);
    let (span, meaning): (Span, Meaning) = match fault {
        PlanFault::SameName { destination: at } => {
            let name = plan
                .spec
                .destinations
                .get(at)
                .map(|d| d.name.clone())
                .unwrap_or_default();
            let first = plan
                .spec
                .destinations
                .iter()
                .position(|other| other.name == name);
            let first_line = faults.line_of(destination(first.unwrap_or(at)));
            if name.is_empty() || first_line == faults.line_of(destination(at)) {
                // No name at all, or the names of chutes, is reported where they are given.
                return;
            }
            (
                destination(at),
                Meaning::SameName {
                    what: "destination",
                    name,
                    first_line,
                },
            )
        }
        // What follows from a fault already reported in the plan or its chutes.
        _ if !plan.sound => return,
        PlanFault::NoReject { .. } if !Draft::all_sound(&draft.chutes, faults) => return,
        PlanFault::NoReject { track } => {
            let track = name_of(&draft.spec, Element::Track(track.index()));
            (plan.reject, Meaning::NoReject { track })
        }
        PlanFault::NoChute { destination: at } => (destination(at), Meaning::Plan { fault }),
        PlanFault::TooManyLaps => (plan.laps, Meaning::Plan { fault }),
        PlanFault::TwoExceptions(_) => (plan.exceptions, Meaning::Plan { fault }),
        PlanFault::NoSuchChute {
            destination: Some(at),
            ..
        } => (destination(at), Meaning::Plan { fault }),
        fault => (plan.header, Meaning::Plan { fault }),
    };
    faults.add(span, meaning);
}

/// A hub with the same tracks, chutes and outlets and nothing to complain of, so that a plan can
/// be checked in the same run in which its hub is refused.
fn stand_in_for(spec: &HubSpec) -> HubSpec {
    let mut hub = spec.clone();
    for (at, track) in hub.tracks.iter_mut().enumerate() {
        track.name = at.to_string();
        track.kind = TrackKind::Loop {
            carriers: 1,
            pitch: Mm(1),
        };
        track.speed = MmPerS(1);
        track.tolerance = Mm(1);
    }
    hub.inductions.truncate(1);
    for induction in &mut hub.inductions {
        (induction.track, induction.at) = (TrackId(0), Mm(0));
    }
    let Some(scanner) = hub.scanners.first().cloned() else {
        return hub;
    };
    hub.scanners = (0..hub.tracks.len())
        .map(|at| ScannerSpec {
            name: at.to_string(),
            track: TrackId(at as u16),
            at: Mm(0),
            ..scanner.clone()
        })
        .collect();
    for (at, chute) in hub.chutes.iter_mut().enumerate() {
        chute.name = at.to_string();
        let mut seen = vec![];
        chute.outlets.retain_mut(|outlet| {
            outlet.at = Mm(0);
            let is_new = !seen.contains(&outlet.track);
            seen.push(outlet.track);
            is_new
        });
        chute.capacity = Capacity::Unlimited;
    }
    hub.sorters.clear();
    hub.transfers.clear();
    hub
}
