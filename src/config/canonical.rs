//! A hub and its plan as one text without spelling variants, for the journal's header; and a plan
//! alone, for the journal where another one becomes active.
//!
//! Whatever decides anything is in it, and nothing else: not the plant, the links, or comments. Two
//! runs under equal texts decide alike; an equal hash means an equal text for all but intent.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sorthub_core::hub::{Hub, HubSpec};
use sorthub_core::plan::{Plan, PlanSpec};
use thiserror::Error;

/// Grows when the form changes in a way that older programs cannot read.
const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Canonical<'a> {
    format: u32,
    hub: Cow<'a, HubSpec>,
    plan: Cow<'a, PlanSpec>,
}

#[derive(Serialize, Deserialize)]
struct CanonicalPlan<'a> {
    format: u32,
    plan: Cow<'a, PlanSpec>,
}

/// The format of a text, read before the rest of it: that of another format may look otherwise.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Why a canonical text cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// It is not such a text; take the journal from a backup.
    #[error("not a canonical description: {0}; restore the file from a backup")]
    Damaged(#[from] serde_json::Error),
    /// It was written by a program of another version.
    #[error(
        "written in format {0}, but this program reads {FORMAT}; use the program that wrote it"
    )]
    OtherFormat(u32),
    /// It describes no hub or plan that could work, so it was not written by this program, or for
    /// another hub.
    #[error("describes nothing that could work: {0}; restore the file from a backup")]
    Refused(String),
}

/// The canonical text of a hub and its plan.
#[must_use]
pub fn to_text(hub: &HubSpec, plan: &PlanSpec) -> String {
    written(&Canonical {
        format: FORMAT,
        hub: Cow::Borrowed(hub),
        plan: Cow::Borrowed(plan),
    })
}

/// The canonical text of a plan alone. Which hub it is for does not stand in it.
#[must_use]
pub fn plan_to_text(plan: &PlanSpec) -> String {
    written(&CanonicalPlan {
        format: FORMAT,
        plan: Cow::Borrowed(plan),
    })
}

fn written(all: &impl Serialize) -> String {
    serde_json::to_string(all).expect("numbers, texts and lists can always be written as JSON")
}

/// The hub and plan of a canonical text.
///
/// # Errors
/// See [`CanonicalError`].
pub fn from_text(text: &str) -> Result<(Arc<Hub>, Arc<Plan>), CanonicalError> {
    check_format(text)?;
    let all: Canonical<'_> = serde_json::from_str(text)?;
    let hub = Hub::new(all.hub.into_owned())
        .map_err(|faults| refused(faults.first().map(|fault| fault.kind.to_string())))?;
    let plan = compiled(all.plan, &hub)?;
    Ok((Arc::new(hub), plan))
}

/// The plan of a canonical text of its own, for the hub that it was written for.
///
/// # Errors
/// See [`CanonicalError`].
pub fn plan_from_text(text: &str, hub: &Hub) -> Result<Arc<Plan>, CanonicalError> {
    check_format(text)?;
    let all: CanonicalPlan<'_> = serde_json::from_str(text)?;
    compiled(all.plan, hub)
}

fn check_format(text: &str) -> Result<(), CanonicalError> {
    let Format { format } = serde_json::from_str(text)?;
    if format == FORMAT {
        Ok(())
    } else {
        Err(CanonicalError::OtherFormat(format))
    }
}

fn compiled(plan: Cow<'_, PlanSpec>, hub: &Hub) -> Result<Arc<Plan>, CanonicalError> {
    Plan::new(plan.into_owned(), hub)
        .map(Arc::new)
        .map_err(|faults| refused(faults.first().map(ToString::to_string)))
}

fn refused(fault: Option<String>) -> CanonicalError {
    CanonicalError::Refused(fault.unwrap_or_default())
}

/// FNV-1a with 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv): a fingerprint, no protection.
#[must_use]
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
