//! Codes as scanners and people give them, in one spelling.
//!
//! What does not belong to a code is left out: blanks and NULs, the parentheses that are printed
//! around application identifiers, the symbology identifier that a reader puts in front (`]C1`;
//! ISO/IEC 15424), and FNC1, which readers send as GS (1Dh). Letters become capitals.

use core::fmt;

use crate::limits::{CODE_CHARS_MAX, OMITTED_CHARS_MAX};

/// Room in front of the code for what its print leaves out.
const HEAD: usize = OMITTED_CHARS_MAX;
/// Group separator: how FNC1 inside a code is sent.
const GS: u8 = 0x1d;
const DROP: u8 = 0;
const REFUSE: u8 = 0xff;

/// What each byte becomes.
const NORMAL: [u8; 256] = {
    let mut table = [REFUSE; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        table[byte] = (byte as u8).to_ascii_uppercase();
        byte += 1;
    }
    let dropped = *b" \t\r\n\0()";
    let mut at = 0;
    while at < dropped.len() {
        table[dropped[at] as usize] = DROP;
        at += 1;
    }
    table[GS as usize] = GS;
    table
};

/// Whether a character can be in a code, once it is in one spelling.
pub(super) fn is_kept(byte: u8) -> bool {
    NORMAL[usize::from(byte)] == byte && byte != DROP && byte != GS
}

/// Why a text cannot be a code of any format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotACode {
    /// Nothing is left of it.
    Empty,
    /// It has more than [`CODE_CHARS_MAX`] characters.
    TooLong,
    /// It has a character that no format has, such as a letter that is not ASCII.
    Foreign,
}

impl fmt::Display for NotACode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is nothing in it"),
            Self::TooLong => write!(f, "it is longer than {CODE_CHARS_MAX} characters"),
            Self::Foreign => f.write_str("it has a character that no format has"),
        }
    }
}

/// A code in one spelling, with room for what its print leaves out.
#[derive(Clone, Copy)]
pub struct Code {
    bytes: [u8; HEAD + CODE_CHARS_MAX],
    start: u8,
    end: u8,
    /// Where FNC1 stood between two characters, one bit for the place of the second.
    pub(super) breaks: u64,
    /// Its reader or its print says that it begins with an application identifier of GS1.
    pub(super) is_gs1: bool,
}

impl Code {
    /// Brings a text into the one spelling in which codes are compared.
    ///
    /// # Errors
    /// Why it cannot be a code.
    pub fn new(text: &str) -> Result<Self, NotACode> {
        let mut bytes = [0; HEAD + CODE_CHARS_MAX];
        let mut end = HEAD;
        let mut breaks = 0;
        let mut is_gs1 = false;
        for byte in text.bytes() {
            match NORMAL[usize::from(byte)] {
                DROP => is_gs1 |= byte == b'(' && end == HEAD,
                REFUSE => return Err(NotACode::Foreign),
                GS if end == bytes.len() => {}
                GS => breaks |= 1 << (end - HEAD),
                byte => {
                    *bytes.get_mut(end).ok_or(NotACode::TooLong)? = byte;
                    end += 1;
                }
            }
        }
        let mut start = HEAD;
        while is_symbology(&bytes[start..end]) {
            is_gs1 |= is_gs1_symbology(&bytes[start..end]);
            start += 3;
            breaks >>= 3;
        }
        is_gs1 |= breaks & 1 != 0;
        if start == end {
            return Err(NotACode::Empty);
        }
        // FNC1 before the first character says what kind of code it is and separates nothing;
        // nor does one behind the last.
        let inside = (1_u64.checked_shl((end - start) as u32).unwrap_or(0)).wrapping_sub(1) & !1;
        Ok(Self {
            bytes,
            start: start as u8,
            end: end as u8,
            breaks: breaks & inside,
            is_gs1,
        })
    }

    /// Nothing at all.
    pub(super) const fn empty() -> Self {
        Self {
            bytes: [0; HEAD + CODE_CHARS_MAX],
            start: HEAD as u8,
            end: HEAD as u8,
            breaks: 0,
            is_gs1: false,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes
            .get(usize::from(self.start)..usize::from(self.end))
            .unwrap_or(&[])
    }

    /// The text; capitals, digits and other visible ASCII only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii(self.bytes())
    }

    /// The characters from `start` to `end`, with as many before them as the print leaves out;
    /// those are there only where [`Code::with_omitted`] put them.
    pub(super) fn part(&self, start: u8, end: u8, omitted: u8) -> &[u8] {
        let from = usize::from(self.start) + usize::from(start) - usize::from(omitted);
        let to = usize::from(self.start) + usize::from(end);
        self.bytes.get(from..to).unwrap_or(&[])
    }

    /// The code with what the print leaves out in front of it.
    pub(super) fn with_omitted(mut self, omitted: &[u8]) -> Self {
        let start = usize::from(self.start);
        if let Some(room) = self.bytes.get_mut(start - omitted.len()..start) {
            room.copy_from_slice(omitted);
        }
        self
    }

    /// The code without separators, and which those were (see [`separator`]); `None` if it has
    /// none.
    pub(super) fn without_separators(&self) -> Option<(Self, u8)> {
        let found = self
            .bytes()
            .iter()
            .fold(0, |bits, byte| bits | separator(*byte));
        if found == 0 {
            return None;
        }
        let mut rest = Self::empty();
        for (at, byte) in self.bytes().iter().enumerate() {
            if self.breaks & 1 << at != 0 && rest.end > rest.start {
                rest.breaks |= 1 << (rest.end - rest.start);
            }
            if separator(*byte) == 0 {
                rest.bytes[usize::from(rest.end)] = *byte;
                rest.end += 1;
            }
        }
        Some((rest, found))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.as_str())
    }
}

/// One bit for each character that is printed between others; zero for all else.
pub(super) const fn separator(byte: u8) -> u8 {
    match byte {
        b'-' => 1,
        b'.' => 2,
        b'/' => 4,
        _ => 0,
    }
}

/// Bytes that are known to be ASCII, as text.
pub(super) fn ascii(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or("")
}

/// Whether a symbology identifier says that application identifiers follow: GS1-128, DataBar, GS1
/// DataMatrix, GS1 QR, GS1 DotCode (GS1 General Specifications, symbology identifiers).
fn is_gs1_symbology(code: &[u8]) -> bool {
    matches!(
        code,
        [b']', b'C', b'1', ..]
            | [b']', b'E' | b'e', b'0'..=b'2', ..]
            | [b']', b'D' | b'd', b'2', ..]
            | [b']', b'Q', b'3', ..]
            | [b']', b'J', b'1', ..]
    )
}

/// Whether a code begins with a symbology identifier.
fn is_symbology(code: &[u8]) -> bool {
    matches!(code, [b']', letter, modifier, ..]
        if letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric())
}
