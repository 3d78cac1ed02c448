//! The PLC mailbox: the codec and both ends of it, as machines without sockets or clocks.
//!
//! The contract is `docs/plc-interface.md`. In short: the PLC writes a status block and a window of
//! seven event slots, the engine writes a header and a window of seven command slots, and either
//! side says how far it has taken the other's. Everything is Modbus holding registers; one FC3 and
//! one FC16 (or one FC23) is a whole poll.
//!
//! - [`EngineEnd`] is the engine's side. A driver asks it for the next [`Exchange`], carries that
//!   out on a socket, and hands back the reply; commands are pushed in and [`Delivery`]s come out,
//!   each event once and in order.
//! - [`PlcEnd`] is the PLC's side: the register image a Modbus server serves, and what the PLC
//!   programme does with it once a scan. The virtual PLC runs it, and it is the reference for real
//!   ones.
//!
//! Both are handed the time as [`LinkMs`]: real milliseconds, also where the belt runs faster than
//! real time.
//!
//! ```
//! use sorthub_core::plc::{Area, Delivery, EngineConfig, EngineEnd, Link, LinkMs};
//! use sorthub_core::plc::{PlcConfig, PlcEnd, StatusInputs};
//!
//! let mut plc = PlcEnd::new(&PlcConfig::new(7, 40, 2, 100)).unwrap();
//! let mut engine = EngineEnd::new(EngineConfig::new(Area::A, 1, 40, 2, 100)).unwrap();
//! engine.connected(LinkMs(0));
//! let mut granted = false;
//! for ms in 0..1_000 {
//!     let now = LinkMs(ms);
//!     if ms % 10 == 0 {
//!         plc.begin_scan(now);
//!         plc.end_scan(now, &StatusInputs::default());
//!     }
//!     let Some(exchange) = engine.next_exchange(now) else { continue };
//!     let mut registers = [0; 125];
//!     let mut count = 0;
//!     if let Some(read) = exchange.read {
//!         count = usize::from(read.count);
//!         plc.read(read.address, &mut registers[..count]).unwrap();
//!     }
//!     if let Some(write) = &exchange.write {
//!         plc.write(write.address, write.registers()).unwrap();
//!     }
//!     engine.reply(now, &registers[..count]).unwrap();
//!     while let Some(delivery) = engine.next_event() {
//!         granted |= delivery == Delivery::Link(Link::Granted { boot: 7 });
//!     }
//! }
//! assert!(granted);
//! ```

mod blocks;
mod command;
mod engine_end;
mod event;
mod inventory;
mod levels;
mod lists;
pub mod map;
mod plc_end;
pub mod ring;

pub use blocks::{Header, Info, Status};
pub use command::{Assign, Command, OnFail, Withdrawal};
pub use engine_end::{
    ConfigError, Delivery, EngineConfig, EngineEnd, Exchange, Link, Mark, PushRefused, Read,
    ReplyError, Write,
};
pub use event::{Event, EventKind, Slot, SlotError};
pub use inventory::{InventoryCell, InventoryEnd, InventoryHeader};
pub use levels::{ChuteLevel, ChuteWish, InductionLevel, InductionWish, Pace};
pub use lists::{
    Answer, CellBits, ChuteBits, ChuteCause, DisableCause, EngineBits, InductionBits,
    NotDischargedCause, Quality, ResetCause, StatusBits, StopCause,
};
pub use map::{Area, check_of, check_under};
pub use plc_end::{Consumed, Exception, Overflow, PlcConfig, PlcConfigError, PlcEnd, StatusInputs};
pub use ring::Seq;

/// Real milliseconds since a start of the caller's choosing. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkMs(pub u64);

impl LinkMs {
    /// This time and that many milliseconds.
    #[must_use]
    pub const fn plus(self, ms: u32) -> Self {
        Self(self.0.saturating_add(ms as u64))
    }

    /// Milliseconds since `earlier`, 0 if that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
