//! Splitting text without quotes: separators and line ends are all there is, so they can be found
//! eight bytes at a time. Text with quotes goes through the `csv` crate ([`super::blocks`]).

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x80 * ONES;

/// Where the fields and rows of a text end.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// One place before the text ([`BEFORE`]), then that of each separator and row end; what is
    /// behind the last one found is of a former text.
    fields: Vec<u32>,
    /// For each row, how many places there are up to its end.
    rows: Vec<u32>,
}

/// One byte behind it the text begins.
const BEFORE: u32 = u32::MAX;

/// A row of a text.
pub(super) struct Line<'e> {
    /// Where it begins.
    pub start: usize,
    /// Where the row before and each of its fields end; one byte behind each the next one begins.
    pub bounds: &'e [u32],
    /// Line feeds before it.
    pub feeds: u64,
}

impl Ends {
    /// Finds those of a text.
    ///
    /// Sixty-four bytes at a time, because how many separators there are among them cannot be
    /// foreseen, and each wrong guess costs as much as finding several.
    fn find(&mut self, text: &[u8], separator: u8) {
        self.rows.clear();
        let mut found = 1;
        let limit = separator.max(b'\r') + 1;
        let (blocks, rest) = text.as_chunks::<64>();
        for (nth, block) in blocks.iter().enumerate() {
            self.make_room(found);
            let mut low = low_bytes(block, limit);
            while low != 0 {
                let at = low.trailing_zeros() as usize;
                self.check(nth * 64 + at, block[at % 64], separator, &mut found);
                low &= low - 1;
            }
        }
        self.make_room(found);
        let before = text.len() - rest.len();
        for (at, byte) in rest.iter().enumerate() {
            self.check(before + at, *byte, separator, &mut found);
        }
        // The last row needs no end.
        if text.last().is_some_and(|byte| !is_row_end(*byte)) {
            self.fields[found] = text.len() as u32;
            self.rows.push(found as u32 + 1);
        }
    }

    /// Makes room for a block of separators, and for one more: a place is written before it is
    /// known whether it counts.
    fn make_room(&mut self, found: usize) {
        if self.fields.len() < found + 65 {
            self.fields.resize((found + 65) * 2, BEFORE);
        }
    }

    fn check(&mut self, at: usize, byte: u8, separator: u8, found: &mut usize) {
        self.fields[*found] = at as u32;
        *found += usize::from(byte == separator || is_row_end(byte));
        if is_row_end(byte) {
            self.rows.push(*found as u32);
        }
    }

    /// Calls back for each line that is not empty. Returns how many line feeds there are.
    pub(super) fn each_line(
        &mut self,
        text: &[u8],
        separator: u8,
        mut call: impl FnMut(&Line<'_>),
    ) -> u64 {
        self.find(text, separator);
        let (mut first, mut feeds) = (0, 0);
        for &next in &self.rows {
            let bounds = self.fields.get(first..next as usize).unwrap_or(&[]);
            if let [before, .., end] = bounds {
                let (start, end) = (before.wrapping_add(1) as usize, *end as usize);
                if end > start {
                    call(&Line {
                        start,
                        bounds,
                        feeds,
                    });
                }
                feeds += u64::from(text.get(end) == Some(&b'\n'));
            }
            first = next as usize - 1;
        }
        feeds
    }
}

/// One bit for each byte of ASCII below a limit, the first in the lowest. Up to the comma there
/// are no letters and digits, so that hardly any place is looked at for nothing.
fn low_bytes(block: &[u8; 64], limit: u8) -> u64 {
    let limit = ONES * u64::from(limit);
    let (words, _) = block.as_chunks::<8>();
    words.iter().rev().fold(0, |low, word| {
        let word = u64::from_le_bytes(*word);
        // With its highest bit set, no byte borrows from the next one.
        let is_low = !((word | HIGH_BITS) - limit) & !word & HIGH_BITS;
        // The product has the eight bits side by side at its top.
        low << 8 | (is_low >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

/// Whether a byte ends a row: line feed, carriage return, or both do, as in the `csv` crate.
pub(super) fn is_row_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a text, as the `csv` crate splits it.
    fn by_crate(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut reader = super::super::blocks::reader_of(text, b',');
        let records = reader
            .byte_records()
            .map(|record| record.expect("memory can be read"));
        let fields = |record: csv::ByteRecord| record.iter().map(<[u8]>::to_vec).collect();
        records.map(fields).collect()
    }

    fn by_us(text: &[u8], ends: &mut Ends) -> Vec<Vec<Vec<u8>>> {
        let mut found = vec![];
        let feeds = ends.each_line(text, b',', |line| {
            let start = |before: u32| before.wrapping_add(1) as usize;
            assert_eq!(start(line.bounds[0]), line.start);
            let fields = line.bounds.windows(2).map(|bounds| {
                let (before, end) = (bounds[0], bounds[1] as usize);
                text[start(before)..end].to_vec()
            });
            found.push(Vec::from_iter(fields));
        });
        assert_eq!(
            feeds as usize,
            text.iter().filter(|byte| **byte == b'\n').count()
        );
        found
    }

    #[test]
    fn lines_are_split_as_the_csv_crate_does() {
        // All texts of up to five characters; the same behind others, so that separators stand
        // at all places of a word, and across the end of a block.
        let alphabet = [b'a', b',', b'\n', b'\r', b'\xac'];
        let ends = &mut Ends::default();
        for len in 0..=5_u32 {
            for nth in 0..5_usize.pow(len) {
                let digit = |place| alphabet[nth / 5_usize.pow(place) % 5];
                let mut text = Vec::from_iter((0..len).map(digit));
                assert_eq!(by_us(&text, ends), by_crate(&text), "{text:?}");
                text.splice(0..0, *b"ab,\x2d\x2b,defghijk,l");
                assert_eq!(by_us(&text, ends), by_crate(&text), "{text:?}");
                text.splice(5..5, [b'+', b'm', b'\x80', b'-'].repeat(11));
                assert_eq!(by_us(&text, ends), by_crate(&text), "{text:?}");
            }
        }
    }
}
