//! Pre-advice while the hub runs: a file in place of the one before, and word of single waybills.
//!
//! What comes of it is the directory's next generation, which the decision threads take up between
//! two turns. It is for parcels that are read from then on; one that rides has its facts already.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use sorthub_core::directory::{AdviseError, Directory};
use sorthub_core::facts::Advice;
use sorthub_core::hub::Hub;
use sorthub_core::identify::Formats;
use sorthub_core::plan::Plan;

use super::problem::{Kind, Problem};
use crate::advice::{Generations, Options, Refused, Report};
use crate::config::fault::{AdviceFault, Fault, FaultKind, TextFault};

/// Faults of a file that an answer lists; the rest is counted.
const FAULTS_TOLD_MAX: usize = 20;

/// What a desk does with pre-advice.
#[derive(Debug)]
pub(super) struct Advices {
    generations: Arc<Generations>,
    options: Options,
    /// Held while a file is read: two at once would need memory for both.
    loading: tokio::sync::Mutex<()>,
}

impl Advices {
    pub(super) fn new(
        generations: Arc<Generations>,
        hub: &Hub,
        formats: Option<Arc<Formats>>,
    ) -> Self {
        Self {
            generations,
            options: Options {
                faults_max: FAULTS_TOLD_MAX,
                ..Options::of_hub(hub, formats)
            },
            loading: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn formats(&self) -> Option<&Formats> {
        self.options.formats.as_deref()
    }

    /// The same for another thread.
    pub(super) fn shared_formats(&self) -> Option<Arc<Formats>> {
        self.options.formats.clone()
    }

    /// What codes mean now.
    pub(super) fn directory(&self) -> Arc<Directory> {
        self.generations.current()
    }

    /// Codes begin as this plan says from now on.
    pub(super) fn follow(&self, plan: &Plan) {
        self.generations
            .change(|directory| directory.set_prefixes(plan.code_prefixes()));
    }

    pub(super) fn status(&self) -> Value {
        let directory = self.directory();
        let waybills = directory.waybills();
        json!({
            "waybills": waybills.len(),
            "different": waybills.advices(),
            "bytes": waybills.bytes(),
            "single": directory.recent(),
        })
    }

    /// Reads a file on another thread and puts it in place of the one before.
    pub(super) async fn load(&self, file: &Path, lenient: bool) -> Result<Value, Problem> {
        let Ok(_only_one) = self.loading.try_lock() else {
            let problem = "another file of pre-advice is being read";
            return Err(Problem::new(Kind::Busy, problem, "try again when it is in"));
        };
        let (generations, path) = (Arc::clone(&self.generations), file.to_owned());
        let options = Options {
            lenient,
            ..self.options.clone()
        };
        let read = move || generations.load_file(&path, &options);
        let loaded = tokio::task::spawn_blocking(read).await;
        match loaded.map_err(|_| lost_thread())? {
            Ok(report) => Ok(told(&report)),
            Err(refused) => Err(of_refused(file, &refused)),
        }
    }

    /// Says what is advised for one waybill, by its identity.
    pub(super) async fn set(&self, waybill: String, advice: Advice) -> Result<Value, Problem> {
        self.single(move |generations| generations.advise(&waybill, advice).map(|()| true))
            .await
    }

    /// Takes back what is advised for one waybill.
    pub(super) async fn withdraw(&self, waybill: String) -> Result<Value, Problem> {
        self.single(move |generations| generations.withdraw(&waybill))
            .await
    }

    /// On another thread, because single advices are folded into the table now and then. `false`
    /// of `say`: there is nothing to be withdrawn.
    async fn single(
        &self,
        say: impl FnOnce(&Generations) -> Result<bool, AdviseError> + Send + 'static,
    ) -> Result<Value, Problem> {
        let generations = Arc::clone(&self.generations);
        let said = tokio::task::spawn_blocking(move || say(&generations)).await;
        match said.map_err(|_| lost_thread())? {
            Ok(true) => Ok(json!({ "done": 1 })),
            Ok(false) => {
                let problem = "nothing is advised for this waybill";
                let mend = "read its number again";
                Err(Problem::refused(problem, mend).with_code("not-advised"))
            }
            Err(AdviseError::Full) => {
                let problem = "there is no room for more single advices while a file is read";
                Err(Problem::new(Kind::Busy, problem, "try again when it is in"))
            }
            Err(AdviseError::NoWaybill(why)) => {
                let problem = format!("this cannot be a waybill number: {why}");
                Err(Problem::unusable(
                    problem,
                    "give it as it stands on the label",
                ))
            }
        }
    }
}

fn told(report: &Report) -> Value {
    json!({
        "waybills": report.waybills,
        "rows": report.rows,
        "replaced": report.replaced,
        "left_out": report.left_out,
        "faults": texts(&report.faults, report.more_faults),
    })
}

fn of_refused(file: &Path, refused: &Refused) -> Problem {
    let count = refused.faults.len() as u64 + refused.more_faults;
    let of = if count == 1 { "fault" } else { "faults" };
    let problem = format!("{} has {count} {of}", file.display());
    let is_unreadable = |fault: &Fault| {
        matches!(
            fault.kind,
            FaultKind::Text(TextFault::Unreadable { .. }) | FaultKind::Advice(AdviceFault::NoRows)
        )
    };
    let mend = match refused.faults.as_slice() {
        [only] if is_unreadable(only) => "the pre-advice before stays",
        _ => "mend each, or leave such rows out with --lenient; the pre-advice before stays",
    };
    Problem {
        faults: texts(&refused.faults, refused.more_faults),
        ..Problem::unusable(problem, mend)
    }
}

fn texts(faults: &[Fault], more: u64) -> Vec<String> {
    let listed = faults.iter().map(ToString::to_string);
    let rest = (more > 0).then(|| format!("and {more} more"));
    listed.chain(rest).collect()
}

fn lost_thread() -> Problem {
    let problem = "the thread that did it has ended by a fault";
    let mend = "check the file with `sorthub check --advice`";
    Problem::new(Kind::Unavailable, problem, mend)
}
