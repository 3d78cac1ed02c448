//! The text in a run's header from which hub and plan are made again.

use sorthub_core::hub::{Hub, HubFault, HubSpec};
use sorthub_core::plan::{Plan, PlanFault, PlanSpec};

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// It is not the text of a hub and a plan as this build knows them.
    #[error("the run's hub and plan cannot be read ({0}); replay it with the build that wrote it")]
    Unreadable(serde_json::Error),
    /// This build finds the hub faulty.
    #[error("this build refuses the run's hub ({}); replay it with the build that wrote it",
        hub_faults(.0))]
    Hub(Vec<HubFault>),
    /// This build finds the plan faulty.
    #[error("this build refuses the run's plan ({}); replay it with the build that wrote it",
        plan_faults(.0))]
    Plan(Vec<PlanFault>),
}

/// The canonical text of a hub and its plan, for [`super::RunHeader::description`]: JSON, fields
/// in the order of their declaration.
///
/// # Panics
/// Never: both are made of texts, numbers, lists and enums, and JSON can hold those.
#[must_use]
pub fn describe(hub: &Hub, plan: &Plan) -> String {
    serde_json::to_string(&(hub.spec(), plan.spec())).expect("JSON holds every hub and plan")
}

/// The hub and plan that a text describes, checked again.
///
/// # Errors
/// See [`DescriptionError`].
pub fn understand(text: &str) -> Result<(Hub, Plan), DescriptionError> {
    let (hub, plan): (HubSpec, PlanSpec) =
        serde_json::from_str(text).map_err(DescriptionError::Unreadable)?;
    let hub = Hub::new(hub).map_err(DescriptionError::Hub)?;
    let plan = Plan::new(plan, &hub).map_err(DescriptionError::Plan)?;
    Ok((hub, plan))
}

fn hub_faults(faults: &[HubFault]) -> String {
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| format!("{:?}: {}", fault.element, fault.kind))
        .collect();
    faults.join("; ")
}

fn plan_faults(faults: &[PlanFault]) -> String {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}
