//! Hub files, recorded traces and tables of code formats: from text to what is checked.
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
use sorthub_core::identify::{Formats, code_of};
use sorthub_core::ids::CodeId;
use sorthub_core::plan::Plan;
use sorthub_sim::spec::PlantSpec;

pub mod canonical;
pub mod carriers;
pub mod diff;
pub mod fault;
pub mod links;
pub mod plan_words;
pub mod scenario;
pub mod source;
pub mod trace;

mod bank;
mod chutes;
mod collect;
mod devices;
mod diff_text;
mod draft;
mod files;
mod joining;
mod labels;
mod lookup;
mod named;
pub(crate) mod names;
pub(crate) mod number;
mod odd;
mod placing;
mod plan;
mod plan_file;
mod plant;
mod reader;
pub(crate) mod rows;
mod syntax;
mod tracks;

pub use carriers::CarrierFile;
pub use fault::{Fault, FaultKind, Severity};
pub use files::Files;
pub use links::LinksSpec;
pub use plan_file::PlanFile;
pub use source::Source;

use bank::Names;
use draft::Draft;
use plan::Carriers;
use plan::placing::Against;
use plant::Known;
use reader::{Faults, Table};
use source::Span;

pub(crate) use names::nearest;

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
    /// What codes look like; `None`: they are taken as they come.
    pub formats: Option<Arc<Formats>>,
    /// What the hub's own labels of containers look like; `None`: it says nothing of them.
    pub container_labels: Option<Arc<Formats>>,
    /// What codes mean: the prefixes of the plan, or the pre-advice of a trace.
    pub directory: Directory,
    /// Where PLCs and scanners are.
    pub links: LinksSpec,
    /// The text it was read from; for a trace, the layout and then the parcels. Files that it
    /// names follow.
    pub text: String,
    /// What is odd about it.
    pub warnings: Vec<Fault>,
}

/// What reading a file came to.
#[derive(Clone, Debug)]
pub struct Inspected<F> {
    /// What is described; `None` if there is an error.
    pub file: Option<F>,
    /// Every fault, warnings included, in the order of their places.
    pub faults: Vec<Fault>,
    /// The files that it names, as faults call them.
    pub named: Vec<String>,
}

/// Whether a text is a table of a plan, by its header.
#[must_use]
pub fn is_plan_table(source: &Source) -> bool {
    plan::tables::kind_of(source).is_some()
}

/// Every fault in the form of a plan's table; `None` if it is no such table. What it names is only
/// looked for when the plan that it belongs to is read.
#[must_use]
pub fn check_plan_table(source: &Source) -> Option<Vec<Fault>> {
    let kind = plan::tables::kind_of(source)?;
    Some(plan::tables::check_form(source, kind))
}

impl HubFile {
    /// Reads a hub file, and the files that it names.
    ///
    /// # Errors
    /// Every fault, warnings included, in the order of their places.
    pub fn read(path: &Path) -> Result<Self, Vec<Fault>> {
        let source = Source::read(path, HUB_FILE_MB_MAX)?;
        Self::from_source(&source, &Files::beside(path))
    }

    /// Puts another plan for the same hub in place of the one in the file.
    pub fn follow(&mut self, plan: Arc<Plan>) {
        self.directory.set_prefixes(plan.code_prefixes());
        self.plan = plan;
    }

    /// Reads a hub file's text; `name` is what faults call the file.
    ///
    /// # Errors
    /// As [`HubFile::read`]. Files that it names cannot be found.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        Self::from_source(&Source::new(name, text.to_owned()), &Files::None)
    }

    /// Reads a hub file that is already in memory.
    ///
    /// # Errors
    /// As [`HubFile::read`].
    pub fn from_source(source: &Source, files: &Files) -> Result<Self, Vec<Fault>> {
        let Inspected { file, faults, .. } = Self::inspect(source, files);
        file.ok_or(faults)
    }

    /// Reads a hub file for its faults.
    #[must_use]
    pub fn inspect(source: &Source, files: &Files) -> Inspected<Self> {
        let (mended, slips) = syntax::mend(source);
        let entries = syntax::parse(&mended);
        let faults = Faults::new(source, &slips);
        let root = Table::new(&faults, &entries, Span::default(), "the file");
        let read = read_all(&root, files);
        let texts = faults.named();
        let named: Vec<String> = texts.iter().map(|text| text.name().to_owned()).collect();
        let faults = faults.finish();
        let is_good = !faults.iter().any(Fault::is_error);
        let texts = std::iter::once(source.text()).chain(texts.iter().map(|text| text.text()));
        let file = read.filter(|_| is_good).map(|file| Self {
            text: texts.collect::<Vec<&str>>().join("\n"),
            warnings: faults.clone(),
            ..file
        });
        Inspected {
            file,
            faults,
            named,
        }
    }

    /// The hub and its plan as text without spelling variants, as the journal keeps it: whatever
    /// decides anything, and nothing else. [`canonical::from_text`] makes hub and plan of it again.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical::to_text(self.hub.spec(), self.plan.spec())
    }

    /// The number that the engine knows a parcel with this label by.
    #[must_use]
    pub fn code_id(&self, label: &str) -> CodeId {
        code_of(self.formats.as_deref(), label)
    }

    /// A fingerprint of [`HubFile::canonical`]; see [`canonical::hash`].
    #[must_use]
    pub fn hash(&self) -> u64 {
        canonical::hash(&self.canonical())
    }
}

/// Reads all tables. `None` where the core refuses what they describe.
fn read_all(root: &Table<'_>, files: &Files) -> Option<HubFile> {
    let draft = Draft::read(root);
    let formats = carriers::read_named(root, files);
    let container_labels = labels::read(root);
    let spec = &draft.spec;
    let chutes = Names::of_chutes(spec);
    let carriers = match &formats {
        None if root.get("carriers").is_some() => Carriers::Unknown,
        formats => Carriers::of(formats.as_ref()),
    };
    let known = plan::Known {
        hub: spec,
        chutes: &chutes,
        files,
        carriers,
    };
    let plan_draft = plan::read(root, &known);
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
    let against = Against {
        spec,
        hub: hub.as_ref(),
        chutes_sound: Draft::all_sound(&draft.chutes, root.faults),
    };
    let plan = plan::placing::check(&plan_draft, &against, root.faults);
    let (hub, plan) = (hub?, plan?);
    if root.faults.mark() == 0 {
        odd::find(&draft, &hub, &plan, &plant, root.faults);
        odd::find_in_plan(&plan_draft, &hub, &plan, Some(&plant), root.faults);
    }
    let mut directory = Directory::new();
    directory.set_prefixes(plan.code_prefixes());
    Some(HubFile {
        hub: Arc::new(hub),
        directory,
        plan: Arc::new(plan),
        plant,
        formats: formats.map(Arc::new),
        container_labels: container_labels.map(Arc::new),
        links: draft.links,
        text: String::new(),
        warnings: vec![],
    })
}
