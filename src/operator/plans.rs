//! The versions of the sort plan that are at hand: read, checked, compiled, kept.
//!
//! All of it happens on the thread of whoever asks. The decision thread is only handed a compiled
//! plan; and since each version is kept here for as long as the sorter may hold it, the decision
//! thread never frees one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use sorthub_core::hub::Hub;
use sorthub_core::identify::Formats;
use sorthub_core::plan::Plan;

use super::problem::Problem;
use crate::config::{Fault, Files, HubFile, PlanFile, Source};

/// Versions that are kept: the active one, the one before, and some to choose from.
pub const VERSIONS_MAX: usize = 8;

/// No plan that people write is larger, its tables not counted.
const FILE_MB_MAX: u64 = 16;

/// Faults of a file that an answer lists; the rest is counted.
const FAULTS_TOLD_MAX: usize = 20;

/// A plan that was read from a file and fits the hub.
#[derive(Clone, Debug)]
pub struct ReadPlan {
    /// It, compiled.
    pub plan: Arc<Plan>,
    /// What is odd about it.
    pub warnings: Vec<String>,
}

impl ReadPlan {
    /// Reads a plan: from a file of its own, or from a hub file that describes the same hub.
    ///
    /// # Errors
    /// Every fault of the file, or that it is for another hub.
    pub fn read(path: &Path, hub: &Hub, formats: Option<&Formats>) -> Result<Self, Problem> {
        let unusable = |faults: Vec<Fault>| of_faults(path, &faults);
        let source = Source::read(path, FILE_MB_MAX).map_err(unusable)?;
        if PlanFile::is_one(source.text()) {
            let file = PlanFile::from_source(&source, &Files::beside(path), hub, formats);
            let file = file.map_err(unusable)?;
            return Ok(Self {
                plan: file.plan,
                warnings: texts(&file.warnings),
            });
        }
        let file = HubFile::from_source(&source, &Files::beside(path)).map_err(unusable)?;
        if file.hub.spec() != hub.spec() {
            let problem = format!("{} describes another hub", path.display());
            let mend = "stage a plan for the hub that is running; another hub needs a restart";
            return Err(Problem::unusable(problem, mend));
        }
        Ok(Self {
            plan: file.plan,
            warnings: texts(&file.warnings),
        })
    }
}

fn of_faults(path: &Path, faults: &[Fault]) -> Problem {
    let errors = faults.iter().filter(|fault| fault.is_error()).count();
    let of = if errors == 1 { "fault" } else { "faults" };
    let problem = format!("{} has {errors} {of}", path.display());
    Problem {
        faults: texts(faults),
        ..Problem::unusable(
            problem,
            "mend each, then stage it again; the running plan stays",
        )
    }
}

fn texts(faults: &[Fault]) -> Vec<String> {
    let mut texts: Vec<String> = faults
        .iter()
        .take(FAULTS_TOLD_MAX)
        .map(|fault| format!("{fault}"))
        .collect();
    if faults.len() > FAULTS_TOLD_MAX {
        texts.push(format!("and {} more", faults.len() - FAULTS_TOLD_MAX));
    }
    texts
}

/// A version at hand.
#[derive(Clone, Debug)]
struct Version {
    plan: Arc<Plan>,
    source: PathBuf,
    by: String,
}

/// The versions at hand.
#[derive(Debug)]
pub(super) struct Shelf {
    /// The oldest first.
    versions: Vec<Version>,
    active: u32,
    before: Option<u32>,
}

impl Shelf {
    pub fn new(plan: Arc<Plan>) -> Self {
        let active = plan.version();
        let versions = vec![Version {
            plan,
            source: PathBuf::new(),
            by: "the start".to_owned(),
        }];
        Self {
            versions,
            active,
            before: None,
        }
    }

    pub fn active(&self) -> &Arc<Plan> {
        match self.version(self.active) {
            Some(version) => &version.plan,
            None => unreachable!("the active plan is never taken off the shelf"),
        }
    }

    pub fn before(&self) -> Option<u32> {
        self.before
    }

    fn version(&self, version: u32) -> Option<&Version> {
        let mut all = self.versions.iter();
        all.find(|one| one.plan.version() == version)
    }

    /// The plan of a version.
    pub fn plan(&self, version: u32) -> Result<Arc<Plan>, Problem> {
        let plan = self.version(version).map(|one| Arc::clone(&one.plan));
        plan.ok_or_else(|| {
            let all: Vec<String> = self
                .versions
                .iter()
                .map(|v| v.plan.version().to_string())
                .collect();
            let problem = format!("no plan {version} is at hand");
            Problem::refused(
                problem,
                format!("stage it first; at hand: {}", all.join(", ")),
            )
        })
    }

    /// Whether a plan may be put on the shelf; makes room for it. True if it is there already.
    pub fn admit(&mut self, plan: &Arc<Plan>) -> Result<bool, Problem> {
        let version = plan.version();
        if let Some(same) = self.version(version) {
            if same.plan == *plan {
                return Ok(true);
            }
            let problem = format!("there is another plan with version {version}");
            let mend = format!("give this one a version above {}", self.newest());
            return Err(Problem::refused(problem, mend));
        }
        if version < self.newest() {
            let problem = format!("version {version} is older than {}", self.newest());
            let mend = format!(
                "give it a version above {}; versions only grow",
                self.newest()
            );
            return Err(Problem::refused(problem, mend));
        }
        if self.versions.len() >= VERSIONS_MAX {
            // One that the sorter still holds must not be freed by it.
            let free = self.versions.iter().position(|one| {
                let number = one.plan.version();
                let in_use = number == self.active || Some(number) == self.before;
                !in_use && Arc::strong_count(&one.plan) == 1
            });
            let Some(free) = free else {
                let problem = format!("{VERSIONS_MAX} plans are in use");
                return Err(Problem::refused(
                    problem,
                    "clear the chutes of old ones first",
                ));
            };
            self.versions.remove(free);
        }
        Ok(false)
    }

    pub fn put(&mut self, plan: Arc<Plan>, source: PathBuf, by: String) {
        self.versions.push(Version { plan, source, by });
    }

    pub fn activated(&mut self, version: u32) {
        if version != self.active {
            self.before = Some(self.active);
            self.active = version;
        }
    }

    fn newest(&self) -> u32 {
        let all = self.versions.iter().map(|one| one.plan.version());
        all.max().unwrap_or(0)
    }

    pub fn list(&self) -> Value {
        let row = |one: &Version| {
            let version = one.plan.version();
            let state = if version == self.active {
                "active"
            } else if Some(version) == self.before {
                "before"
            } else {
                "staged"
            };
            json!({
                "version": version,
                "state": state,
                "destinations": one.plan.destinations(),
                "waves": one.plan.spec().waves.len(),
                "source": one.source,
                "by": one.by,
            })
        };
        let rows: Vec<Value> = self.versions.iter().rev().map(row).collect();
        json!({ "plans": rows })
    }
}
