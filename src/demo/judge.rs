//! Holds what an engine says against what really happened, and two runs against each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use sorthub_core::facts::DestKey;
use sorthub_core::hub::Hub;
use sorthub_core::ids::{ChuteId, CodeId};
use sorthub_core::operator::{Command, HostSays, ParcelWish, WaybillWish};
use sorthub_core::plan::Plan;
use sorthub_core::reason::Disposition;
use sorthub_core::signal::{Output, Signal};

use super::trail::{Passage, Trails};
use crate::config::HubFile;
use crate::emulate::{LedgerRow, Left, Truth};

/// What the ledger says of the engine's book.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Parcels that really got on.
    pub parcels: u64,
    /// Of these, the ones of which the book says what really happened.
    pub agreed: u64,
    /// Parcels that really left by a chute that neither their destination nor rejection allows.
    pub wrong_chute: Vec<String>,
    /// What the book says otherwise, or not at all, or too much.
    pub differences: Vec<Disagreement>,
}

/// A parcel on which ledger and book do not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// Its label; for one that only the book knows, its parcel id.
    pub parcel: String,
    /// What really happened.
    pub ledger: String,
    /// What the engine says.
    pub book: String,
}

/// Where a parcel ended, as far as ledger and book can agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    OnItsWay,
    Chute(ChuteId),
    ByHand,
    Lost,
}

fn end_of_row(row: &LedgerRow) -> End {
    match row.left {
        Left::Not => End::OnItsWay,
        Left::ByHand => End::ByHand,
        Left::Chute(chute) => End::Chute(chute),
    }
}

fn end_of_passage(passage: &Passage) -> End {
    match passage.ended {
        None => End::OnItsWay,
        Some(ending) => match (ending.how, ending.chute) {
            (Disposition::Removed, _) => End::ByHand,
            (Disposition::Lost, _) => End::Lost,
            (_, Some(chute)) => End::Chute(chute),
            (_, None) => End::OnItsWay,
        },
    }
}

fn words(end: End, hub: &Hub) -> String {
    match end {
        End::OnItsWay => "on its way".into(),
        End::ByHand => "taken off".into(),
        End::Lost => "lost".into(),
        End::Chute(chute) => format!("left by {}", hub.chutes()[chute.index()].name),
    }
}

/// What people and hosts wanted of a run, and were not refused: what the ledger is judged by,
/// beside the plan that the run began with.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The plans that were handed to the sorter later.
    pub plans: Vec<Arc<Plan>>,
    /// Destinations that waybills were sent to in place of their own.
    intercepts: BTreeMap<CodeId, BTreeSet<DestKey>>,
    /// Destinations that were named for single parcels: by a host, or by whoever keyed a code in.
    named: BTreeSet<DestKey>,
    /// Chutes that parcels were sent to by hand.
    forced: BTreeSet<ChuteId>,
}

impl Wishes {
    /// Takes in one call of the sorter.
    pub fn call(&mut self, signal: &Signal, outputs: &[Output]) {
        let Signal::Command { ticket, command } = *signal else {
            return;
        };
        let answered = outputs.iter().any(|output| {
            matches!(output, Output::Answered { ticket: of, answer: Ok(()) } if *of == ticket)
        });
        if !answered {
            return;
        }
        match command {
            Command::Waybill {
                code,
                to: WaybillWish::Intercept { to },
            } => {
                self.intercepts.entry(code).or_default().insert(to);
            }
            Command::Parcel { to, .. } => match to {
                ParcelWish::Force { chute } => {
                    self.forced.insert(chute);
                }
                ParcelWish::Host(HostSays::To(dest)) => {
                    self.named.insert(dest);
                }
                ParcelWish::Key { facts, .. } => {
                    self.named.insert(facts.advice.dest);
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Whether somebody wanted what the first plan does not say.
    fn allow(&self, row: &LedgerRow, file: &HubFile, chute: ChuteId) -> bool {
        let first: &Plan = &file.plan;
        let own = row.dest.map(|dest| first.key(dest));
        let wanted = self.intercepts.get(&file.code_id(&row.label));
        let dests = own.into_iter().chain(wanted.into_iter().flatten().copied());
        let dests: Vec<DestKey> = dests.chain(self.named.iter().copied()).collect();
        let plans = std::iter::once(first).chain(self.plans.iter().map(Arc::as_ref));
        self.forced.contains(&chute)
            || plans.into_iter().any(|plan| {
                let mut dests = dests.iter().filter_map(|key| plan.dest(*key));
                dests.any(|dest| plan.allows(dest, chute)) || rejects_into(plan, chute)
            })
    }
}

fn rejects_into(plan: &Plan, chute: ChuteId) -> bool {
    let spec = plan.spec();
    let own = spec.exceptions.iter().flat_map(|(_, own)| own);
    spec.reject.iter().chain(own).any(|reject| *reject == chute)
}

/// Holds the book against the ledger. Parcels that were read are matched by their code; the others
/// have no name in the book and are matched by where they ended.
#[must_use]
pub fn judge(truth: &Truth, trails: &Trails<'_>, file: &HubFile, wishes: &Wishes) -> Verdict {
    let hub = &file.hub;
    let mut verdict = Verdict {
        parcels: truth.rows.len() as u64,
        ..Verdict::default()
    };
    verdict.wrong_chute = truth
        .rows
        .iter()
        .filter(|row| is_wrong(row, file, wishes))
        .map(|row| format!("{} {}", row.label, words(end_of_row(row), hub)))
        .collect();
    let mut by_code: BTreeMap<CodeId, VecDeque<&LedgerRow>> = BTreeMap::new();
    for row in &truth.rows {
        by_code
            .entry(file.code_id(&row.label))
            .or_default()
            .push_back(row);
    }
    let mut unread: BTreeMap<End, Vec<String>> = BTreeMap::new();
    for (id, passage) in &trails.passages {
        let row = by_code.get_mut(&passage.code).and_then(VecDeque::pop_front);
        let book = end_of_passage(passage);
        match row {
            Some(row) if end_of_row(row) == book => verdict.agreed += 1,
            Some(row) => verdict.differences.push(Disagreement {
                parcel: row.label.clone(),
                ledger: words(end_of_row(row), hub),
                book: words(book, hub),
            }),
            None => unread.entry(book).or_default().push(id.to_string()),
        }
    }
    for row in truth.rows.iter().filter(|row| {
        // Whoever is left under its code was not claimed by a passage.
        let code = file.code_id(&row.label);
        by_code
            .get(&code)
            .is_some_and(|left| left.iter().any(|other| std::ptr::eq(*other, *row)))
    }) {
        let end = end_of_row(row);
        match unread.get_mut(&end).and_then(Vec::pop) {
            Some(_) => verdict.agreed += 1,
            None => verdict.differences.push(Disagreement {
                parcel: row.label.clone(),
                ledger: words(end, hub),
                book: "not in the book".into(),
            }),
        }
    }
    for (end, parcels) in unread {
        for parcel in parcels {
            let (ledger, book) = ("not in the ledger".into(), words(end, hub));
            verdict.differences.push(Disagreement {
                parcel,
                ledger,
                book,
            });
        }
    }
    verdict
}

fn is_wrong(row: &LedgerRow, file: &HubFile, wishes: &Wishes) -> bool {
    let plan = &file.plan;
    let Left::Chute(chute) = row.left else {
        return false;
    };
    let allowed = row.dest.is_some_and(|dest| plan.allows(dest, chute));
    !allowed && !rejects_into(plan, chute) && !wishes.allow(row, file, chute)
}

/// How far two runs of the same parcels agree.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Comparison {
    /// Parcels of the live run.
    pub parcels: u64,
    /// Of these, the ones that ended in both runs alike.
    pub same: u64,
    /// `same` of `parcels`, between 0 and 1.
    pub share: f64,
    /// Each other one.
    pub different: Vec<Differing>,
}

/// A parcel that ended otherwise in the simulated run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Its label.
    pub parcel: String,
    /// How it ended live.
    pub live: String,
    /// How it ended in the simulation.
    pub simulated: String,
    /// The first step that differs, counted from 1.
    pub step: usize,
    /// What that step was live.
    pub live_step: String,
    /// What it was in the simulation.
    pub simulated_step: String,
}

/// Holds a live run against a simulated one, parcel by parcel.
#[must_use]
pub fn compare(
    labels: &BTreeMap<CodeId, String>,
    live: &Trails<'_>,
    simulated: &Trails<'_>,
    hub: &Hub,
) -> Comparison {
    let by_code: BTreeMap<CodeId, &Passage> = simulated
        .passages
        .values()
        .map(|passage| (passage.code, passage))
        .collect();
    let mut comparison = Comparison::default();
    let nothing = Passage::default();
    for passage in live.passages.values() {
        comparison.parcels += 1;
        let other = by_code.get(&passage.code).copied().unwrap_or(&nothing);
        if passage.ended == other.ended && passage.ended.is_some() {
            comparison.same += 1;
            continue;
        }
        comparison
            .different
            .push(differing(labels, passage, other, hub));
    }
    if comparison.parcels > 0 {
        comparison.share = comparison.same as f64 / comparison.parcels as f64;
    }
    comparison
}

fn differing(
    labels: &BTreeMap<CodeId, String>,
    live: &Passage,
    simulated: &Passage,
    hub: &Hub,
) -> Differing {
    let both = live.steps.iter().zip(&simulated.steps);
    let step = both
        .take_while(|(live, simulated)| live == simulated)
        .count();
    let at = |passage: &Passage| {
        passage
            .steps
            .get(step)
            .map_or_else(|| "nothing".to_owned(), |step| step.words(hub))
    };
    let ending = |passage: &Passage| {
        passage
            .ended
            .map_or_else(|| "on its way".to_owned(), |ending| ending.words(hub))
    };
    Differing {
        parcel: labels
            .get(&live.code)
            .cloned()
            .unwrap_or_else(|| "unread".into()),
        live: ending(live),
        simulated: ending(simulated),
        step: step + 1,
        live_step: at(live),
        simulated_step: at(simulated),
    }
}
