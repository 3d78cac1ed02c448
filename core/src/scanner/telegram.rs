//! What the fields of a frame mean.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::units::Grams;

/// A field of a scanner's telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Field {
    /// The PLC's trigger number, decimal, below 65536.
    Trigger,
    /// The carrier's number on its track, decimal, from 0.
    Carrier,
    /// The belt position at the trigger, in mm, decimal, 32 bits that wrap.
    EncoderMm,
    /// The code, or a no-read word.
    Code,
    /// Mass in grams, decimal, digits after the point are cut; zero means not measured.
    WeightG,
    /// Something that is not used.
    Skip,
}

/// How a scanner's telegram is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// What stands between two fields.
    pub separator: char,
    /// The fields in their order; further fields of a telegram are not looked at.
    pub fields: Vec<Field>,
    /// What stands in the code field when nothing could be read; an empty field means that too.
    pub no_read: Vec<String>,
}

/// What a telegram says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Telegram<'a> {
    /// The trigger number, if it carries one.
    pub trigger: Option<u16>,
    /// The carrier's number on its track, if it carries one.
    pub carrier: Option<u16>,
    /// The belt position, if it carries one.
    pub encoder_mm: Option<u32>,
    /// The code; `None` is a no-read.
    pub code: Option<&'a str>,
    /// Mass; zero means not measured.
    pub weight: Grams,
}

/// Why a frame is not a telegram. Cause: the scanner's output format and the hub file's `fields`
/// differ, or noise. The frame is dropped and counted; its parcel becomes a no-read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TelegramError {
    /// It is not text.
    #[error("the frame is not text; check the scanner's output format")]
    NotText,
    /// It ends before a field that must be there.
    #[error("the frame lacks the field {0:?}; compare `fields` with the scanner's output format")]
    Missing(Field),
    /// A number is none, or out of range.
    #[error("the field {0:?} is not a number in range; compare `fields` with the scanner's format")]
    BadNumber(Field),
}

impl Template {
    /// Reads a frame.
    ///
    /// # Errors
    /// See [`TelegramError`]; nothing of such a frame is used.
    pub fn read<'a>(&self, frame: &'a [u8]) -> Result<Telegram<'a>, TelegramError> {
        let text = core::str::from_utf8(frame).map_err(|_| TelegramError::NotText)?;
        let mut parts = text.split(self.separator);
        let mut telegram = Telegram::default();
        for &field in &self.fields {
            // Readers pad with blanks and NULs.
            let part = parts
                .next()
                .map(|part| part.trim_matches([' ', '\0', '\t']));
            let bad = TelegramError::BadNumber(field);
            let Some(part) = part else {
                match field {
                    Field::Skip | Field::WeightG => continue,
                    _ => return Err(TelegramError::Missing(field)),
                }
            };
            match field {
                Field::Trigger => telegram.trigger = Some(part.parse().map_err(|_| bad)?),
                Field::Carrier => telegram.carrier = Some(part.parse().map_err(|_| bad)?),
                Field::EncoderMm => telegram.encoder_mm = Some(part.parse().map_err(|_| bad)?),
                Field::Code => telegram.code = self.code(part),
                Field::WeightG => telegram.weight = Grams(whole(part).ok_or(bad)?),
                Field::Skip => {}
            }
        }
        Ok(telegram)
    }

    fn code<'a>(&self, part: &'a str) -> Option<&'a str> {
        let unread = part.is_empty() || self.no_read.iter().any(|word| word == part);
        (!unread).then_some(part)
    }
}

/// The whole part of a decimal number; an empty field is zero.
fn whole(part: &str) -> Option<u32> {
    if part.is_empty() {
        return Some(0);
    }
    let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if digits { whole.parse().ok() } else { None }
}
