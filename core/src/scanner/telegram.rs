//! What the fields of a frame mean.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::facts::{Measures, Verdict};
use crate::units::{Grams, Mm};

/// Codes that one telegram can carry: what is on one label, and a neighbour's.
pub const CODES_MAX: usize = 8;

/// A field of a scanner's telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Field {
    /// The PLC's trigger number, decimal, below 65536.
    Trigger,
    /// The carrier's number on its track, decimal, from 0.
    Carrier,
    /// The belt position at the trigger, in mm, decimal, 32 bits that wrap.
    EncoderMm,
    /// The code or codes, or a no-read word.
    Code,
    /// Mass, decimal; zero or nothing means not measured.
    Weight(MassUnit),
    /// A length along the belt, decimal; zero or nothing means not measured.
    Length(LengthUnit),
    /// A length across the belt.
    Width(LengthUnit),
    /// A length above the belt.
    Height(LengthUnit),
    /// What a security device says, in the words of the template; nothing means nothing.
    Verdict,
    /// Something that is not used.
    Skip,
}

/// In what a scale counts. Digits beyond grams are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MassUnit {
    /// Grams.
    Grams,
    /// Kilograms.
    Kilograms,
}

/// In what a volume scanner counts. Digits beyond millimetres are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LengthUnit {
    /// Millimetres.
    Millimetres,
    /// Centimetres.
    Centimetres,
}

impl MassUnit {
    /// How many digits after the point are whole grams.
    const fn digits(self) -> usize {
        match self {
            Self::Grams => 0,
            Self::Kilograms => 3,
        }
    }
}

impl LengthUnit {
    /// How many digits after the point are whole millimetres.
    const fn digits(self) -> usize {
        match self {
            Self::Millimetres => 0,
            Self::Centimetres => 1,
        }
    }
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
    /// What stands between two codes in the code field; `None`: the field is one code.
    pub between_codes: Option<char>,
    /// Words in the verdict field for what may go on.
    pub clear: Vec<String>,
    /// Words in the verdict field for what somebody must look at.
    pub suspect: Vec<String>,
}

impl Template {
    /// A template of these fields, separated by `;`, with no words of its own.
    #[must_use]
    pub fn of(fields: Vec<Field>) -> Self {
        Self {
            separator: ';',
            fields,
            no_read: Vec::new(),
            between_codes: None,
            clear: Vec::new(),
            suspect: Vec::new(),
        }
    }
}

/// The codes of one telegram, in the order in which the scanner gave them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codes<'a> {
    all: [&'a str; CODES_MAX],
    count: usize,
}

impl<'a> Codes<'a> {
    /// The codes; none is a no-read.
    #[must_use]
    pub fn all(&self) -> &[&'a str] {
        &self.all[..self.count]
    }

    /// The first code.
    #[must_use]
    pub fn first(&self) -> Option<&'a str> {
        self.all().first().copied()
    }

    /// Adds one, if there is room and it is not there yet: readers give a code once for each side
    /// on which they saw it.
    fn add(&mut self, code: &'a str) -> bool {
        if self.all().contains(&code) {
            return true;
        }
        let Some(free) = self.all.get_mut(self.count) else {
            return false;
        };
        *free = code;
        self.count += 1;
        true
    }
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
    /// The codes; none is a no-read.
    pub codes: Codes<'a>,
    /// Mass and size, the longest side as the length.
    pub measured: Measures,
    /// What a security device says.
    pub verdict: Verdict,
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
    /// More codes than a parcel can have.
    #[error("more than {CODES_MAX} codes in one frame; set the scanner up to send fewer")]
    TooManyCodes,
    /// The verdict is none of the words for one. Nothing is sorted on a verdict that is not known.
    #[error("the verdict is neither a word of `clear` nor of `suspect`; add it to one of them")]
    UnknownVerdict,
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
            match part {
                Some(part) => self.read_field(field, part, &mut telegram)?,
                None if field.may_be_missing() => {}
                None => return Err(TelegramError::Missing(field)),
            }
        }
        telegram.measured = telegram.measured.longest_first();
        Ok(telegram)
    }

    fn read_field<'a>(
        &self,
        field: Field,
        part: &'a str,
        telegram: &mut Telegram<'a>,
    ) -> Result<(), TelegramError> {
        let bad = TelegramError::BadNumber(field);
        let mm = |unit: LengthUnit| fixed(part, unit.digits()).map(Mm).ok_or(bad);
        match field {
            Field::Trigger => telegram.trigger = Some(part.parse().map_err(|_| bad)?),
            Field::Carrier => telegram.carrier = Some(part.parse().map_err(|_| bad)?),
            Field::EncoderMm => telegram.encoder_mm = Some(part.parse().map_err(|_| bad)?),
            Field::Code => self.read_codes(part, &mut telegram.codes)?,
            Field::Weight(unit) => {
                telegram.measured.weight = fixed(part, unit.digits()).map(Grams).ok_or(bad)?;
            }
            Field::Length(unit) => telegram.measured.length = mm(unit)?,
            Field::Width(unit) => telegram.measured.width = mm(unit)?,
            Field::Height(unit) => telegram.measured.height = mm(unit)?,
            Field::Verdict => telegram.verdict = self.verdict(part)?,
            Field::Skip => {}
        }
        Ok(())
    }

    fn read_codes<'a>(&self, part: &'a str, codes: &mut Codes<'a>) -> Result<(), TelegramError> {
        let mut one = |code: &'a str| {
            let code = code.trim_matches([' ', '\0', '\t']);
            let unread = code.is_empty() || self.no_read.iter().any(|word| word == code);
            if unread || codes.add(code) {
                Ok(())
            } else {
                Err(TelegramError::TooManyCodes)
            }
        };
        match self.between_codes {
            None => one(part),
            Some(between) => part.split(between).try_for_each(one),
        }
    }

    fn verdict(&self, part: &str) -> Result<Verdict, TelegramError> {
        let is_one_of = |words: &[String]| words.iter().any(|word| word == part);
        if part.is_empty() {
            Ok(Verdict::None)
        } else if is_one_of(&self.suspect) {
            Ok(Verdict::Suspect)
        } else if is_one_of(&self.clear) {
            Ok(Verdict::Clear)
        } else {
            Err(TelegramError::UnknownVerdict)
        }
    }
}

impl Field {
    /// Whether both say the same of a parcel, if perhaps in other units.
    #[must_use]
    pub fn is_like(self, other: Self) -> bool {
        core::mem::discriminant(&self) == core::mem::discriminant(&other)
    }

    /// Whether a telegram may end before it: what was not measured need not be sent.
    const fn may_be_missing(self) -> bool {
        matches!(
            self,
            Self::Skip | Self::Weight(_) | Self::Length(_) | Self::Width(_) | Self::Height(_)
        )
    }
}

/// A decimal number times ten to the power of `digits`, what is left after the point cut off; an
/// empty field is zero.
fn fixed(part: &str, digits: usize) -> Option<u32> {
    if part.is_empty() {
        return Some(0);
    }
    let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut value: u32 = whole.parse().ok()?;
    let fraction = fraction.bytes().chain(core::iter::repeat(b'0'));
    for digit in fraction.take(digits) {
        let digit = u32::from(digit - b'0');
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    Some(value)
}
