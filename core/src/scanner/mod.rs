//! The scanner link without sockets: bytes to frames, frames to telegrams.
//!
//! A [`Framer`] takes bytes at any cut and finds the frames in them; a [`Template`] says what the
//! fields of a frame mean. Both survive anything a socket can bring: what makes no sense is
//! dropped with a reason, and the next frame is found again.

mod frame;
mod telegram;

pub use frame::{Dropped, Framer, Framing};
pub use telegram::{
    CODES_MAX, Codes, Field, LengthUnit, MassUnit, Telegram, TelegramError, Template,
};
