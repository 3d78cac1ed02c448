//! Any bytes at any cut are survived, and whole frames are found.

use proptest::prelude::*;
use sorthub_core::scanner::{Dropped, Field, Framer, Framing, TelegramError, Template};
use sorthub_core::units::Grams;

fn frames(framing: Framing, pieces: &[&[u8]]) -> Vec<Result<Vec<u8>, Dropped>> {
    let mut framer = Framer::new(framing);
    let mut found = Vec::new();
    for piece in pieces {
        framer.push(piece, |frame| found.push(frame.map(<[u8]>::to_vec)));
    }
    found
}

fn template() -> Template {
    Template {
        separator: ';',
        fields: vec![Field::Trigger, Field::Code, Field::WeightG],
        no_read: vec!["NoRead".into(), "?".into()],
    }
}

#[test]
fn frames_between_stx_and_etx_are_found() {
    let bytes = b"\r\nxx\x03\x02one\x03\r\n\x02cut\x02two\x03";
    let expected = [
        Err(Dropped::Noise),
        Ok(b"one".to_vec()),
        Err(Dropped::Cut),
        Ok(b"two".to_vec()),
    ];
    assert_eq!(frames(Framing::StxEtx, &[bytes]), expected);
}

#[test]
fn lines_are_found_with_either_end() {
    let expected = [
        Ok(b"one".to_vec()),
        Ok(b"two".to_vec()),
        Ok(b"three".to_vec()),
    ];
    assert_eq!(
        frames(Framing::CrLf, &[b"one\r\ntwo\n\r\nthree\r"]),
        expected
    );
}

#[test]
fn a_frame_without_end_is_dropped_and_the_next_one_found() {
    for (framing, start, end) in [
        (Framing::StxEtx, &b"\x02"[..], &b"\x03"[..]),
        (Framing::CrLf, b"", b"\r\n"),
    ] {
        let long = vec![b'x'; 5_000];
        let found = frames(framing, &[start, &long, end, start, b"next", end]);
        assert_eq!(
            found,
            [Err(Dropped::TooLong), Ok(b"next".to_vec())],
            "{framing:?}"
        );
    }
}

#[test]
fn a_new_connection_forgets_half_a_frame() {
    let mut framer = Framer::new(Framing::StxEtx);
    framer.push(b"\x02half", |_| panic!("no frame yet"));
    framer.restart();
    let mut found = Vec::new();
    framer.push(b"\x02whole\x03", |frame| {
        found.push(frame.map(<[u8]>::to_vec))
    });
    assert_eq!(found, [Ok(b"whole".to_vec())]);
}

#[test]
fn fields_are_read_by_the_template() {
    let read = template()
        .read(b"00042; SF1234567890123 ;1250.9;extra")
        .expect("a telegram");
    assert_eq!(read.trigger, Some(42));
    assert_eq!(read.code, Some("SF1234567890123"));
    assert_eq!(read.weight, Grams(1_250));
}

#[test]
fn no_read_words_and_empty_codes_are_no_reads() {
    for text in ["1;NoRead;", "1;?;0", "1;;", "1;\0", "1;  "] {
        let template = template();
        let read = template.read(text.as_bytes()).expect(text);
        assert_eq!((read.code, read.weight), (None, Grams(0)), "{text}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_the_field() {
    let refused = |text: &[u8]| template().read(text).expect_err("refused");
    assert_eq!(refused(b"x;A"), TelegramError::BadNumber(Field::Trigger));
    assert_eq!(
        refused(b"65536;A"),
        TelegramError::BadNumber(Field::Trigger)
    );
    assert_eq!(refused(b"1"), TelegramError::Missing(Field::Code));
    assert_eq!(
        refused(b"1;A;12,5"),
        TelegramError::BadNumber(Field::WeightG)
    );
    assert_eq!(
        refused(b"1;A;1.x"),
        TelegramError::BadNumber(Field::WeightG)
    );
    assert_eq!(refused(b"1;\xff\xfe"), TelegramError::NotText);
}

proptest! {
    #[test]
    fn the_cut_does_not_matter(
        bytes in prop::collection::vec(
            prop_oneof![Just(2_u8), Just(3), Just(13), Just(10), any::<u8>()], 0..300),
        cuts in prop::collection::vec(0..300_usize, 0..6),
        stx in any::<bool>(),
    ) {
        let framing = if stx { Framing::StxEtx } else { Framing::CrLf };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        prop_assert_eq!(frames(framing, &pieces), frames(framing, &[&bytes]));
    }

    #[test]
    fn no_frame_makes_a_template_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = template().read(&bytes);
    }
}
