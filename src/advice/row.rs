//! One row of a file to one row of the table.

use std::ops::Range;

use sorthub_core::directory::{PARTS, Row, Waybill};
use sorthub_core::facts::{Address, Advice, DestKey, Measures, ServiceKey, Tags};
use sorthub_core::identify::Formats;
use sorthub_core::limits::{DECLARED_SIDE_MAX, DECLARED_WEIGHT_MAX};
use sorthub_core::units::{Grams, Mm};

use super::columns::{Columns, MEASURES};
use crate::config::fault::{AdviceFault, FaultKind, RowFault, TextFault};
use crate::config::number::{NumberFault, scaled};
use crate::config::rows::holds_rows;

/// What is wrong with a row, and in which field if in one.
pub(super) type Told = (Option<usize>, FaultKind);

/// The fields of a row.
pub(super) struct Fields<'r> {
    /// A text with the fields in it, as it is in the file.
    pub bytes: &'r [u8],
    /// The same, if it is text and no field ends within a character.
    pub text: Option<&'r str>,
    /// Where each ends, behind the end of what is before the first.
    pub bounds: &'r [u32],
    /// Bytes from the end of one field to the beginning of the next.
    pub between: u32,
}

impl<'r> Fields<'r> {
    /// How many there are.
    fn len(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    #[inline(always)]
    fn range(&self, field: usize) -> Range<usize> {
        match self.bounds.get(field..).and_then(<[u32]>::first_chunk) {
            Some([before, end]) => before.wrapping_add(self.between) as usize..*end as usize,
            None => 0..0,
        }
    }

    fn bytes(&self, field: usize) -> &'r [u8] {
        self.bytes.get(self.range(field)).unwrap_or(&[])
    }

    /// A field without the blanks around it; empty where there is none.
    #[inline(always)]
    pub(super) fn get(&self, field: usize) -> &'r str {
        match self.text.and_then(|text| text.get(self.range(field))) {
            Some(text) if is_trimmed(text.as_bytes()) => text,
            text => self.trimmed(field, text),
        }
    }

    /// Apart, because hardly any field comes here.
    #[cold]
    fn trimmed(&self, field: usize, text: Option<&'r str>) -> &'r str {
        let text = match (text, self.text) {
            (None, None) => std::str::from_utf8(self.bytes(field)).ok(),
            (text, _) => text,
        };
        text.unwrap_or("").trim()
    }

    #[inline(always)]
    fn optional(&self, field: Option<usize>) -> &'r str {
        field.map_or("", |field| self.get(field))
    }

    /// Whether the row says nothing: spreadsheets leave rows of commas behind.
    pub(super) fn is_blank(&self) -> bool {
        self.is_blank_from(0)
    }

    fn is_blank_from(&self, first: usize) -> bool {
        (first..self.len()).all(|field| self.bytes(field).trim_ascii().is_empty())
    }

    /// The first field that has other rows in it.
    fn with_rows(&self, columns: &Columns) -> Option<usize> {
        // Between two separators of a line there is no line end.
        if self.between > 0 {
            return None;
        }
        let holds = |nth: &usize| holds_rows(self.bytes(*nth), columns.separator, columns.fields);
        (0..self.len()).find(holds)
    }

    /// The first field that is no text, and the byte that is to blame.
    fn bad_field(&self) -> Option<(usize, u8)> {
        if self.text.is_some() {
            return None;
        }
        (0..self.len()).find_map(|nth| {
            let field = self.bytes(nth);
            let error = std::str::from_utf8(field).err()?;
            Some((nth, field.get(error.valid_up_to()).copied()?))
        })
    }
}

/// Whether there surely are no blanks around it: those of other alphabets begin beyond ASCII.
fn is_trimmed(text: &[u8]) -> bool {
    match text {
        [] => true,
        [first, .., last] | [first @ last] => first.is_ascii_graphic() && last.is_ascii_graphic(),
    }
}

/// Rows that are understood. They are put together where they stay: one that is handed from
/// function to function is copied before it is all written, and waits each time.
pub(super) struct Ready<'b> {
    /// Those whose number needs no text, for each part of the table.
    pub prepared: &'b mut [Vec<Row<'static>>; PARTS],
    /// Those whose number is kept as text.
    pub texts: &'b mut Vec<(Box<str>, Advice)>,
}

impl Ready<'_> {
    /// Takes a row with the number that a text is, unless it is only looked at for faults.
    #[inline(always)]
    fn take(&mut self, text: &str, advice: &Advice, is_good: bool) -> Result<bool, AdviceFault> {
        match Waybill::of(text) {
            Ok(_) if !is_good => Ok(false),
            Ok(waybill) => {
                match waybill.without_text() {
                    Some(waybill) => {
                        let row = Row::new(waybill, advice);
                        self.prepared[row.part()].push(row);
                    }
                    None => self.texts.push((text.into(), *advice)),
                }
                Ok(true)
            }
            Err(problem) => Err(AdviceFault::NoWaybill {
                problem: problem.to_string(),
            }),
        }
    }

    /// As [`Ready::take`], with the number that is in a text by the formats of codes.
    #[inline(never)]
    fn take_identity(
        &mut self,
        text: &str,
        formats: &Formats,
        advice: &Advice,
        is_good: bool,
    ) -> Result<bool, AdviceFault> {
        let found = formats.identify(text);
        match found.identity() {
            Some(identity) => self.take(identity, advice, is_good),
            None => Err(AdviceFault::NoCode {
                found: text.to_owned(),
                problem: match found.verdict() {
                    verdict if verdict.is_good() => "it says only where to".to_owned(),
                    verdict => verdict.to_string(),
                },
            }),
        }
    }
}

/// Reads a row; whether it was taken. If not, it is blank or has faults, and each of them is told.
pub(super) fn read(
    fields: &Fields<'_>,
    columns: &Columns,
    ready: &mut Ready<'_>,
    mut tell: impl FnMut(Told),
) -> bool {
    if fields.is_blank() {
        return false;
    }
    let (found, wanted) = (fields.len(), columns.fields);
    if let Some(field) = fields.with_rows(columns) {
        tell((Some(field), RowFault::OpenQuote.into()));
        return false;
    }
    if found < wanted || !fields.is_blank_from(wanted) {
        tell((None, RowFault::RowLength { found, wanted }.into()));
        return false;
    }
    if let Some((field, byte)) = fields.bad_field() {
        tell((Some(field), TextFault::NotUtf8 { byte }.into()));
        return false;
    }
    let places = [columns.destination, columns.segment, columns.postcode];
    let [destination, segment, postcode] = places.map(|field| fields.optional(field));
    let (segment, postcode) = (address(segment), address(postcode));
    let are_addresses = segment.is_some() & postcode.is_some();
    if !are_addresses {
        tell_addresses(fields, columns, &mut tell);
    }
    let declared = measures(fields, columns, &mut tell);
    let is_measured = declared.is_some();
    let advice = Advice {
        known: true,
        dest: DestKey::of(destination),
        segment: segment.unwrap_or_default(),
        postcode: postcode.unwrap_or_default(),
        service: ServiceKey::of(fields.optional(columns.service)),
        tags: tags(fields, columns),
        declared: declared.unwrap_or_default(),
    };
    let is_placed = advice.dest.is_some() || advice.segment.is_some() || advice.postcode.is_some();
    if !is_placed && are_addresses {
        let field = places.iter().flatten().next().copied();
        tell((field, AdviceFault::NoPlace.into()));
    }
    let is_good = is_placed && are_addresses && is_measured;
    let text = fields.get(columns.waybill);
    let taken = match columns.formats.as_deref() {
        None => ready.take(text, &advice, is_good),
        Some(formats) => ready.take_identity(text, formats, &advice, is_good),
    };
    taken.unwrap_or_else(|fault| {
        tell((Some(columns.waybill), fault.into()));
        false
    })
}

/// An address, none where there is no text; `None` if the text is no address.
#[inline(always)]
fn address(text: &str) -> Option<Address> {
    match text.is_empty() {
        true => Some(Address::NONE),
        false => Address::checked(text).ok(),
    }
}

/// Tells which fields are no addresses. Apart, because millions of rows never come here.
#[cold]
fn tell_addresses(fields: &Fields<'_>, columns: &Columns, tell: &mut dyn FnMut(Told)) {
    for (column, field) in [("segment", columns.segment), ("postcode", columns.postcode)] {
        let text = fields.optional(field);
        if let Err(why) = Address::checked(text)
            && !text.is_empty()
        {
            let fault = AdviceFault::BadAddress {
                column: column.to_owned(),
                found: text.to_owned(),
                problem: why.to_string(),
            };
            tell((field, fault.into()));
        }
    }
}

fn tags(fields: &Fields<'_>, columns: &Columns) -> Tags {
    let set = columns
        .tags
        .iter()
        .filter(|tag| fields.get(tag.field).eq_ignore_ascii_case(&tag.value));
    set.fold(Tags::NONE, |all, tag| all.and(tag.tag))
}

#[inline(always)]
fn measures(
    fields: &Fields<'_>,
    columns: &Columns,
    tell: &mut impl FnMut(Told),
) -> Option<Measures> {
    let mut is_good = true;
    let mut value = |nth: usize, most: u32| {
        let Some(field) = columns.measures[nth] else {
            return 0;
        };
        number(fields, field, most).unwrap_or_else(|fault| {
            is_good = false;
            let (column, found) = (MEASURES[nth].to_owned(), fields.get(field).to_owned());
            let fault = match fault {
                NumberFault::NotANumber => AdviceFault::BadNumber { column, found },
                NumberFault::Negative | NumberFault::TooLarge => AdviceFault::OutOfRange {
                    column,
                    found,
                    most,
                },
            };
            tell((Some(field), fault.into()));
            0
        })
    };
    // One by one and not as a list: a list written number by number and read as a whole waits
    // until all of it has been written.
    let declared = Measures {
        weight: Grams(value(0, DECLARED_WEIGHT_MAX.0)),
        length: Mm(value(1, DECLARED_SIDE_MAX.0)),
        width: Mm(value(2, DECLARED_SIDE_MAX.0)),
        height: Mm(value(3, DECLARED_SIDE_MAX.0)),
    };
    is_good.then_some(declared)
}

/// A number rounded to whole units; nothing is 0, "not declared".
fn number(fields: &Fields<'_>, field: usize, most: u32) -> Result<u32, NumberFault> {
    let range = fields.range(field);
    let digits = range.len();
    let last = fields.bytes.get(..range.end).and_then(<[u8]>::last_chunk);
    let plain = last
        .filter(|_| digits <= 8)
        .and_then(|last| plain(*last, digits));
    let value = match plain {
        Some(value) => value,
        None => odd_number(fields.get(field))?,
    };
    match u32::try_from(value) {
        Ok(value) if value <= most => Ok(value),
        _ => Err(NumberFault::TooLarge),
    }
}

/// One with more digits, with a fraction, or that is none. Apart, because hardly any is such.
#[cold]
fn odd_number(text: &str) -> Result<u64, NumberFault> {
    match text {
        "" => Ok(0),
        text => scaled(text, 0),
    }
}

/// The number that the last so many of eight bytes are, if they are digits; 0 of none.
///
/// All at once, because how many there are cannot be foreseen: pairs of digits are put together,
/// then pairs of pairs, then both halves.
fn plain(bytes: [u8; 8], digits: usize) -> Option<u64> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let others = u64::MAX.checked_shr(digits as u32 * 8).unwrap_or(0);
    let text = u64::from_le_bytes(bytes) & !others | others & (ONES * u64::from(b'0'));
    let values = text ^ (ONES * u64::from(b'0'));
    // A value of ten or more has a bit in its high half, at the latest with six added.
    if (values | ((values & (ONES * 0x0f)) + ONES * 6)) & (ONES * 0xf0) != 0 {
        return None;
    }
    let pairs = (values.wrapping_mul(10) + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff)
}
