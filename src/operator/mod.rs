//! What people and hosts may ask of a running hub: one entry for every way in.
//!
//! A [`Request`] comes as words or as JSON; [`Names`] turns its names into the numbers of one hub
//! and plan; the [`Desk`] has it carried out by the decision thread and gives back JSON, or a
//! [`Problem`] that says what to do. Nothing here knows sockets: the local socket
//! ([`crate::control`]), the simulator's scenarios and later an HTTP API all come in by the same
//! door, and so are logged and journaled alike.

mod advice_request;
mod advices;
mod desk;
mod labels;
mod plans;
mod problem;
mod request;
mod resolve;
mod sorters;
mod tell;
mod texts;
mod waves;
mod words;

pub use advice_request::{AdviceTo, SetAdvice};
pub use desk::{Asker, Desk, DeskSetup};
pub use plans::{ReadPlan, VERSIONS_MAX};
pub use problem::{Kind, Problem};
pub(crate) use request::of_parser;
pub use request::{AlarmsTo, PlanTo, Request, UnreadTo, WaveTo};
pub use resolve::{Names, Subject, parcel_id};
pub use waves::{CutOffs, LocalSeconds, Turn, time_of_day};
pub use words::{
    BagTo, BankTo, CarrierTo, ChuteTo, InductionTo, ModeTo, ParcelTo, TrackTo, VerdictTo,
};
