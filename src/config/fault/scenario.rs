//! Faults of a scenario: what people are said to do, and when.

use serde::Serialize;
use thiserror::Error;

/// A fault in a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[serde(
    tag = "code",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
#[non_exhaustive]
pub enum ScenarioFault {
    /// No time that can be understood.
    #[error("`{found}` is no time of the run")]
    BadTime {
        /// What stands there.
        found: String,
    },
    /// A request that makes no sense, or not in this hub.
    #[error("{detail}")]
    Request {
        /// What is wrong.
        detail: String,
        /// What to do.
        how: String,
    },
    /// A request that only looks, or waits for somebody.
    #[error("`{verb}` changes nothing, so there is no use for it in a scenario")]
    OnlyLooks {
        /// What is asked.
        verb: String,
    },
    /// A request that needs an engine with its journal and alarms around the sorter.
    #[error("`{verb}` is for a running engine, not for a scenario")]
    NotHere {
        /// What is asked.
        verb: String,
    },
    /// Names cannot be looked up.
    #[error("there is no hub to look names up in")]
    NoHub,
}

impl ScenarioFault {
    /// What to do about it.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            Self::BadTime { .. } => {
                "write how long after the start, as 00:10:00 or 10m30s".to_owned()
            }
            Self::Request { how, .. } => how.clone(),
            Self::OnlyLooks { .. } => "leave it out; the outcome tells what was done".to_owned(),
            Self::NotHere { .. } => "leave it out".to_owned(),
            Self::NoHub => {
                "say which hub it is for with `hub = \"…\"`, or check it with the hub's file"
                    .to_owned()
            }
        }
    }
}
