//! The PLC arrow of the picture: carries the mailbox's exchanges over Modbus TCP.
//!
//! What is exchanged and why is the mailbox machine's ([`sorthub_core::plc`]); here it gets a
//! socket, a time-out, and a new connection when something is wrong.

mod exchange;
pub mod lane;

pub use exchange::ExchangeError;
