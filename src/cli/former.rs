//! What a run takes over from the one before in its journal: what people had said, and their plan.

use std::path::Path;
use std::sync::Arc;

use sorthub_core::plan::Plan;

use crate::config::HubFile;
use crate::replay::{self, Former};

/// Finds it and tells those who start the run. Puts the plan that was active in the place of the
/// hub file's, if it is a later version.
pub(super) fn take_over(dir: &Path, file: &mut HubFile) -> Vec<Former> {
    let mut all = match replay::former(dir, &file.hub) {
        Ok(all) => all,
        Err(error) => {
            eprintln!("what people had said to the run before is not known: {error}");
            return Vec::new();
        }
    };
    for former in &mut all {
        tell(former);
    }
    if let Some(plan) = later_plan(&all, &file.plan) {
        let (last, own) = (plan.version(), file.plan.version());
        eprintln!("plan {last} goes on, as it was active last; the hub file has plan {own}");
        file.follow(Arc::clone(plan));
    }
    all
}

/// Says what stands and what does not; a plan that does not is taken out.
fn tell(former: &mut Former) {
    let Former { run, words, .. } = former;
    if let Some(record) = former.known_to {
        eprintln!(
            "the journal of run {run} has a gap at record {record}: what people said to it after \
             that is not known; say it again"
        );
    }
    if former.is_of_other_hub {
        eprintln!(
            "the hub file has changed since run {run}: what people said stands by the names in \
             it; the plan that was active does not"
        );
        former.plan = None;
    }
    for word in &former.lost {
        eprintln!("this does not stand any more, for the hub file does not have it: {word}");
    }
    let count = words.len();
    if count > 0 {
        eprintln!("{count} words of people (locks, holds, modes) stand as in run {run}");
    }
}

/// The plan that was active last on all sorters, if it is later than the hub file's.
fn later_plan<'a>(all: &'a [Former], own: &Plan) -> Option<&'a Arc<Plan>> {
    let mut plans = all.iter().map(|former| former.plan.as_ref());
    let last = plans.next()??;
    let is_it = |plan: Option<&Arc<Plan>>| plan.is_some_and(|plan| plan.spec() == last.spec());
    (last.version() > own.version() && plans.all(is_it)).then_some(last)
}
