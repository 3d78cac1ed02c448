//! Splitting text without quotes: separators and line ends are all there is, so they can be found
//! eight bytes at a time. Text with quotes goes through the `csv` crate ([`super::blocks`]).

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x80 * ONES;

/// Finds the separators and row ends of a text and puts their places into a list.
pub(super) fn separators(text: &[u8], separator: u8, places: &mut Vec<u32>) {
    places.clear();
    let mut check = |at: usize| {
        if text[at] == separator || is_row_end(text[at]) {
            places.push(at as u32);
        }
    };
    let limit = ONES * u64::from(separator.max(b'\r') + 1);
    let (words, rest) = text.as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The highest bit of each byte up to the comma, and now and then of the one above it: no
        // letter or digit is among them, so that hardly any place is looked at for nothing.
        let mut low = word.wrapping_sub(limit) & !word & HIGH_BITS;
        while low != 0 {
            check(nth * 8 + low.trailing_zeros() as usize / 8);
            low &= low - 1;
        }
    }
    (text.len() - rest.len()..text.len()).for_each(check);
}

/// Whether a byte ends a row: line feed, carriage return, or both do, as in the `csv` crate.
pub(super) fn is_row_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// Calls back for each line that is not empty, with where it begins, the ranges of its fields and
/// how many line feeds stand before it. Returns how many there are in all.
/// The last line needs no end.
pub(super) fn each_line(
    text: &[u8],
    separators: &[u32],
    fields: &mut Vec<(u32, u32)>,
    mut call: impl FnMut(usize, &[(u32, u32)], u64),
) -> u64 {
    let (mut start, mut field, mut feeds) = (0, 0, 0);
    fields.clear();
    for &at in separators {
        let byte = text[at as usize];
        if !is_row_end(byte) {
            fields.push((field, at));
            field = at + 1;
            continue;
        }
        if at > start {
            fields.push((field, at));
            call(start as usize, fields, feeds);
            fields.clear();
        }
        feeds += u64::from(byte == b'\n');
        (start, field) = (at + 1, at + 1);
    }
    let end = text.len() as u32;
    if end > start {
        fields.push((field, end));
        call(start as usize, fields, feeds);
    }
    feeds
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

    fn by_us(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let (mut places, mut fields, mut found) = (vec![9], vec![], vec![]);
        separators(text, b',', &mut places);
        let feeds = each_line(text, &places, &mut fields, |_, fields, _| {
            let bytes = |(from, to): &(u32, u32)| text[*from as usize..*to as usize].to_vec();
            found.push(Vec::from_iter(fields.iter().map(bytes)));
        });
        assert_eq!(
            feeds as usize,
            text.iter().filter(|byte| **byte == b'\n').count()
        );
        found
    }

    #[test]
    fn lines_are_split_as_the_csv_crate_does() {
        // All texts of up to five characters, and the same behind others, so that separators
        // stand at all places of a word.
        let alphabet = [b'a', b',', b'\n', b'\r', b'\xac'];
        for len in 0..=5_u32 {
            for nth in 0..5_usize.pow(len) {
                let digit = |place| alphabet[nth / 5_usize.pow(place) % 5];
                let mut text = Vec::from_iter((0..len).map(digit));
                assert_eq!(by_us(&text), by_crate(&text), "{text:?}");
                text.splice(0..0, *b"ab,\x2d\x2b,defghijk,l");
                assert_eq!(by_us(&text), by_crate(&text), "{text:?}");
            }
        }
    }
}
