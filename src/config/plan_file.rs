//! A sort plan in files of its own, read for a hub that is already there.

use std::path::Path;
use std::sync::Arc;

use sorthub_core::hub::Hub;
use sorthub_core::identify::Formats;
use sorthub_core::plan::Plan;

use super::Inspected;
use super::bank::Names;
use super::fault::Fault;
use super::files::Files;
use super::odd;
use super::plan::placing::{self, Against};
use super::plan::{self, Carriers, PLAN_FILE_MB_MAX};
use super::reader::{Faults, Table};
use super::source::{Source, Span};
use super::syntax;

/// A plan, checked against a hub: what is staged for a running engine.
#[derive(Clone, Debug)]
pub struct PlanFile {
    /// The plan.
    pub plan: Arc<Plan>,
    /// What is odd about it.
    pub warnings: Vec<Fault>,
}

impl PlanFile {
    /// Reads a plan file and the tables that it names, for a hub and its table of code formats.
    ///
    /// # Errors
    /// Every fault, warnings included, in the order of their places.
    pub fn read(path: &Path, hub: &Hub, formats: Option<&Formats>) -> Result<Self, Vec<Fault>> {
        let source = Source::read(path, PLAN_FILE_MB_MAX)?;
        Self::from_source(&source, &Files::beside(path), hub, formats)
    }

    /// Reads a plan file that is already in memory.
    ///
    /// # Errors
    /// As [`PlanFile::read`].
    pub fn from_source(
        source: &Source,
        files: &Files,
        hub: &Hub,
        formats: Option<&Formats>,
    ) -> Result<Self, Vec<Fault>> {
        let Inspected { file, faults, .. } = Self::inspect(source, files, hub, formats);
        file.ok_or(faults)
    }

    /// Reads a plan file for its faults.
    #[must_use]
    pub fn inspect(
        source: &Source,
        files: &Files,
        hub: &Hub,
        formats: Option<&Formats>,
    ) -> Inspected<Self> {
        let (mended, slips) = syntax::mend(source);
        let entries = syntax::parse(&mended);
        let faults = Faults::new(source, &slips);
        let root = Table::new(&faults, &entries, Span::default(), "the plan file");
        let read = read_checked(&root, files, hub, formats);
        let texts = faults.named();
        let named = texts.iter().map(|text| text.name().to_owned()).collect();
        let faults = faults.finish();
        let is_good = !faults.iter().any(Fault::is_error);
        let file = read.filter(|_| is_good).map(|plan| Self {
            plan: Arc::new(plan),
            warnings: faults.clone(),
        });
        Inspected {
            file,
            faults,
            named,
        }
    }

    /// Whether a text looks like a plan of its own rather than like a hub with its plan.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        let mut lines = text.lines().map(str::trim_start);
        let header = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
        let is_plan = |line: &str| line.starts_with("[plan") || line.starts_with("[[plan");
        let of_hub = ["[[track", "[[induction", "[[scanner", "[[chute", "[plant"];
        let mut others = text.lines().map(str::trim_start);
        header.is_some_and(is_plan)
            && !others.any(|line| of_hub.iter().any(|other| line.starts_with(other)))
    }
}

fn read_checked(
    root: &Table<'_>,
    files: &Files,
    hub: &Hub,
    formats: Option<&Formats>,
) -> Option<Plan> {
    let chutes = Names::of_chutes(hub.spec());
    let known = plan::Known {
        hub: hub.spec(),
        chutes: &chutes,
        files,
        carriers: Carriers::of(formats),
    };
    let draft = plan::read_alone(root, &known)?;
    let against = Against {
        spec: hub.spec(),
        hub: Some(hub),
        chutes_sound: true,
    };
    let plan = placing::check(&draft, &against, root.faults)?;
    if root.faults.mark() == 0 {
        odd::find_in_plan(&draft, hub, &plan, None, root.faults);
    }
    Some(plan)
}
