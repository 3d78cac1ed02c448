//! What several commands read: a hub file, or a layout with parcels.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use sorthub_core::units::Micros;
use sorthub_sim::run::Action;

use super::Exit;
use crate::advice::{self, Loaded, Options};
use crate::config::fault::TextFault;
use crate::config::scenario::Scenario;
use crate::config::{Fault, HubFile, trace};

/// A hub file, or a recorded trace.
#[derive(Clone, Debug, Args)]
pub struct HubInput {
    /// The hub file.
    #[arg(value_name = "HUB.toml", required_unless_present = "layout")]
    pub hub: Option<PathBuf>,
    /// The layout of a recorded line, in place of a hub file.
    #[arg(
        long,
        value_name = "FILE",
        requires = "parcels",
        conflicts_with = "hub"
    )]
    pub layout: Option<PathBuf>,
    /// The parcels that went over that line.
    #[arg(long, value_name = "FILE", requires = "layout", conflicts_with = "hub")]
    pub parcels: Option<PathBuf>,
}

impl HubInput {
    /// Reads it. Faults and warnings go to standard error.
    ///
    /// # Errors
    /// [`Exit::BadInput`] if there is any fault; all have been printed.
    pub fn read(&self) -> Result<HubFile, Exit> {
        let read = match (&self.hub, &self.layout, &self.parcels) {
            (Some(hub), _, _) => HubFile::read(hub),
            (None, Some(layout), Some(parcels)) => trace::read(layout, parcels),
            // The argument parser lets no other combination through.
            _ => return Err(Exit::BadInput),
        };
        match read {
            Ok(file) => {
                print_faults(&file.warnings);
                Ok(file)
            }
            Err(faults) => {
                print_faults(&faults);
                Err(Exit::BadInput)
            }
        }
    }
}

/// Pre-advice that is there from the start.
#[derive(Clone, Debug, Default, Args)]
pub struct AdviceInput {
    /// Where waybills are for: a CSV file of pre-advice (docs/advice.md).
    #[arg(long, value_name = "FILE.csv")]
    advice: Option<PathBuf>,
    /// Leave rows of --advice with a fault out, rather than refuse the file.
    #[arg(long, requires = "advice")]
    advice_lenient: bool,
}

impl AdviceInput {
    /// Reads it for a hub. Faults, and how many waybills there are, go to standard error.
    ///
    /// # Errors
    /// [`Exit::BadInput`] if the file is refused; all faults have been printed.
    pub fn read_into(&self, file: &mut HubFile) -> Result<(), Exit> {
        let Some(path) = &self.advice else {
            return Ok(());
        };
        let options = Options {
            lenient: self.advice_lenient,
            ..Options::of_hub(&file.hub, file.formats.clone())
        };
        match advice::load_file(path, &options) {
            Ok(Loaded { waybills, report }) => {
                print_faults(&with_more(report.faults, report.more_faults));
                let (count, out) = (report.waybills, report.left_out);
                eprintln!("pre-advice: {count} waybills, {out} rows left out");
                file.directory.set_waybills(Arc::new(waybills));
                Ok(())
            }
            Err(refused) => {
                print_faults(&with_more(refused.faults, refused.more_faults));
                Err(Exit::BadInput)
            }
        }
    }
}

/// Faults, with one more that counts those that are not listed.
#[must_use]
pub fn with_more(mut faults: Vec<Fault>, more: u64) -> Vec<Fault> {
    if let Some(last) = faults.last().filter(|_| more > 0) {
        let others = usize::try_from(more).unwrap_or(usize::MAX);
        faults.push(Fault {
            kind: TextFault::More { others }.into(),
            ..last.clone()
        });
    }
    faults
}

/// Reads a scenario and looks its names up in a hub. Faults go to standard error. `until`: how far
/// the plan's cut-offs are kept.
///
/// # Errors
/// [`Exit::BadInput`] if there is any fault; all have been printed.
pub fn scenario(
    path: &Path,
    file: &HubFile,
    until: Option<Micros>,
) -> Result<(Scenario, Vec<Action>), Exit> {
    Scenario::read_for(path, file, until).map_err(|faults| {
        print_faults(&faults);
        Exit::BadInput
    })
}

/// Prints faults to standard error, with a last line that counts them.
pub fn print_faults(faults: &[Fault]) {
    for fault in faults {
        eprintln!("{fault}\n");
    }
    if !faults.is_empty() {
        eprintln!("{}", count(faults));
    }
}

/// `2 errors, 1 warning`.
#[must_use]
pub fn count(faults: &[Fault]) -> String {
    let errors = faults.iter().filter(|fault| fault.is_error()).count();
    let of = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    match (errors, faults.len() - errors) {
        (errors, 0) => of(errors, "error"),
        (0, warnings) => of(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", of(errors, "error"), of(warnings, "warning")),
    }
}
