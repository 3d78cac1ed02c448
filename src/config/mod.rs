//! Hub files and recorded traces: from text to a checked hub, plan and plant.
//!
//! One place for all three worlds: the live engine, the simulator and replay read a hub through
//! [`HubFile`]. Reading works like a compiler: [`source`] holds the text, `syntax` parses it and
//! mends what would hide other faults, `reader` walks the tables, one module reads each kind of
//! table, the core checks what they describe, and every [`Fault`] is given at its place, not just
//! the first. `docs/hub-file.md` lists every key.
//!
//! ```
//! use sorthub::config::HubFile;
//!
//! let faults = HubFile::parse("hub.toml", "name = 'my hub'\nspeed = 3").unwrap_err();
//! assert!(faults.iter().any(|fault| fault.line == 2 && fault.is_error()));
//! ```

use std::path::Path;
use std::sync::Arc;

use sorthub_core::directory::Directory;
use sorthub_core::hub::Hub;
use sorthub_core::plan::Plan;
use sorthub_sim::spec::PlantSpec;

pub mod canonical;
pub mod fault;
pub mod links;
pub mod source;
pub mod trace;

mod bank;
mod chutes;
mod devices;
mod draft;
pub(crate) mod names;
mod odd;
mod placing;
mod plan;
mod plant;
mod reader;
mod syntax;
mod tracks;

pub use fault::{Fault, FaultKind, Severity};
pub use links::LinksSpec;
pub use source::Source;

use bank::Names;
use draft::Draft;
use plant::Known;
use reader::{Faults, Table};
use source::Span;

/// No hub that people describe needs more.
const HUB_FILE_MB_MAX: u64 = 16;

/// A hub with all that belongs to it, checked.
#[derive(Clone, Debug)]
pub struct HubFile {
    /// What the engine knows of the hub.
    pub hub: Arc<Hub>,
    /// What goes where.
    pub plan: Arc<Plan>,
    /// What the simulated hub is like beyond that.
    pub plant: PlantSpec,
    /// What codes mean: the prefixes of the plan, or the pre-advice of a trace.
    pub directory: Directory,
    /// Where PLCs and scanners are.
    pub links: LinksSpec,
    /// The text it was read from; for a trace, the layout and then the parcels.
    pub text: String,
    /// What is odd about it.
    pub warnings: Vec<Fault>,
}

impl HubFile {
    /// Reads a hub file.
    ///
    /// # Errors
    /// Every fault, warnings included, in the order of their places.
    pub fn read(path: &Path) -> Result<Self, Vec<Fault>> {
        Self::from_source(&Source::read(path, HUB_FILE_MB_MAX)?)
    }

    /// Reads a hub file's text; `name` is what faults call the file.
    ///
    /// # Errors
    /// As [`HubFile::read`].
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        Self::from_source(&Source::new(name, text.to_owned()))
    }

    /// Reads a hub file that is already in memory.
    ///
    /// # Errors
    /// As [`HubFile::read`].
    pub fn from_source(source: &Source) -> Result<Self, Vec<Fault>> {
        let (mended, slips) = syntax::mend(source);
        let entries = syntax::parse(&mended);
        let faults = Faults::new(source, &slips);
        let read = read_all(&Table::new(&faults, &entries, Span::default(), "the file"));
        let warnings = faults.finish();
        match read {
            Some(file) if !warnings.iter().any(Fault::is_error) => Ok(Self {
                text: source.text().to_owned(),
                warnings,
                ..file
            }),
            _ => Err(warnings),
        }
    }

    /// The hub and its plan as text without spelling variants, as the journal keeps it: whatever
    /// decides anything, and nothing else. [`canonical::from_text`] makes hub and plan of it again.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical::to_text(self.hub.spec(), self.plan.spec())
    }

    /// A fingerprint of [`HubFile::canonical`]; see [`canonical::hash`].
    #[must_use]
    pub fn hash(&self) -> u64 {
        canonical::hash(&self.canonical())
    }
}

/// Reads all tables. `None` where the core refuses what they describe.
fn read_all(root: &Table<'_>) -> Option<HubFile> {
    let draft = Draft::read(root);
    let spec = &draft.spec;
    let chutes = Names::new("chute", spec.chutes.iter().map(|chute| chute.name.as_str()));
    let plan_draft = plan::read(root, spec, &chutes);
    let destinations = plan_draft.spec.destinations.iter();
    let known = Known {
        tracks: Names::new("track", spec.tracks.iter().map(|track| track.name.as_str())),
        inductions: Names::new("induction", spec.inductions.iter().map(|i| i.name.as_str())),
        scanners: Names::new("scanner", spec.scanners.iter().map(|s| s.name.as_str())),
        chutes: &chutes,
        destinations: Names::new("destination", destinations.map(|d| d.name.as_str())),
    };
    let plant = plant::read(root, spec, &plan_draft, &draft.track_plants, &known);
    root.finish();
    let hub = placing::check_hub(&draft, root.faults);
    let plan = placing::check_plan(&draft, &plan_draft, hub.as_ref(), root.faults);
    let (hub, plan) = (hub?, plan?);
    if root.faults.mark() == 0 {
        odd::find(&draft, &hub, &plan, &plant, root.faults);
    }
    Some(HubFile {
        hub: Arc::new(hub),
        plan: Arc::new(plan),
        plant,
        directory: plan_draft.directory(),
        links: draft.links,
        text: String::new(),
        warnings: vec![],
    })
}
