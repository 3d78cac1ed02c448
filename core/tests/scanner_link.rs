//! Any bytes at any cut are survived, and whole frames are found.

use proptest::prelude::*;
use sorthub_core::facts::{Measures, Verdict};
use sorthub_core::scanner::{
    CODES_MAX, Dropped, Field, Framer, Framing, LengthUnit, MassUnit, TelegramError, Template,
};
use sorthub_core::units::{Grams, Mm};

fn frames(framing: Framing, pieces: &[&[u8]]) -> Vec<Result<Vec<u8>, Dropped>> {
    let mut framer = Framer::new(framing);
    let mut found = Vec::new();
    for piece in pieces {
        framer.push(piece, |frame| found.push(frame.map(<[u8]>::to_vec)));
    }
    found
}

const GRAMS: Field = Field::Weight(MassUnit::Grams);

fn template() -> Template {
    Template {
        no_read: vec!["NoRead".into(), "?".into()],
        ..Template::of(vec![Field::Trigger, Field::Code, GRAMS])
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
    assert_eq!(read.codes.all(), ["SF1234567890123"]);
    assert_eq!(read.measured.weight, Grams(1_250));
}

#[test]
fn no_read_words_and_empty_codes_are_no_reads() {
    for text in ["1;NoRead;", "1;?;0", "1;;", "1;\0", "1;  "] {
        let template = template();
        let read = template.read(text.as_bytes()).expect(text);
        assert_eq!(read.codes.first(), None, "{text}");
        assert_eq!(read.measured.weight, Grams(0), "{text}");
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
    assert_eq!(refused(b"1;A;12,5"), TelegramError::BadNumber(GRAMS));
    assert_eq!(refused(b"1;A;1.x"), TelegramError::BadNumber(GRAMS));
    assert_eq!(refused(b"1;\xff\xfe"), TelegramError::NotText);
}

/// What a DWS with an X-ray machine behind it sends.
fn measuring() -> Template {
    let (kilograms, cm) = (MassUnit::Kilograms, LengthUnit::Centimetres);
    let fields = vec![
        Field::Code,
        Field::Verdict,
        Field::Weight(kilograms),
        Field::Length(cm),
        Field::Width(LengthUnit::Millimetres),
        Field::Height(cm),
    ];
    Template {
        between_codes: Some(','),
        no_read: vec!["NoRead".into()],
        clear: vec!["OK".into(), "0".into()],
        suspect: vec!["ALARM".into()],
        ..Template::of(fields)
    }
}

#[test]
fn measures_come_in_the_units_of_their_device() {
    let all = |weight, length, width, height| Measures {
        weight: Grams(weight),
        length: Mm(length),
        width: Mm(width),
        height: Mm(height),
    };
    for (text, measured) in [
        ("A;OK;1.25;30.5;200;10", all(1_250, 305, 200, 100)),
        // The longest side is the length, however the parcel lies.
        ("A;OK;0.0019;10;400;25.49", all(1, 400, 254, 100)),
        ("A;OK;12;;;", all(12_000, 0, 0, 0)),
        ("A;OK", all(0, 0, 0, 0)),
        ("A;OK;4294967.295", all(u32::MAX, 0, 0, 0)),
    ] {
        let template = measuring();
        let read = template.read(text.as_bytes()).expect(text);
        assert_eq!(read.measured, measured, "{text}");
    }
    let refused = |text: &[u8]| measuring().read(text).expect_err("refused");
    let kilograms = Field::Weight(MassUnit::Kilograms);
    assert_eq!(
        refused(b"A;OK;4294967.296"),
        TelegramError::BadNumber(kilograms)
    );
    assert_eq!(refused(b"A;OK;-1"), TelegramError::BadNumber(kilograms));
}

#[test]
fn a_verdict_is_one_of_the_words_for_it_or_the_frame_is_not_believed() {
    for (text, verdict) in [
        ("A;OK", Verdict::Clear),
        ("A;0", Verdict::Clear),
        ("A; ALARM ", Verdict::Suspect),
        ("A;", Verdict::None),
        (";ALARM", Verdict::Suspect),
    ] {
        let template = measuring();
        let read = template.read(text.as_bytes()).expect(text);
        assert_eq!(read.verdict, verdict, "{text}");
    }
    let refused = |text: &[u8]| measuring().read(text).expect_err("refused");
    assert_eq!(refused(b"A;alarm"), TelegramError::UnknownVerdict);
    assert_eq!(refused(b"A"), TelegramError::Missing(Field::Verdict));
}

#[test]
fn one_telegram_can_carry_several_codes() {
    let template = measuring();
    let codes = |text| {
        let read = template.read(text).expect("a telegram");
        read.codes.all().to_vec()
    };
    assert_eq!(codes(b"A;OK"), ["A"]);
    assert_eq!(codes(b"A, B ,A,,NoRead;OK"), ["A", "B"]);
    assert_eq!(codes(b"NoRead;OK"), Vec::<&str>::new());
    let many: Vec<String> = (0..=CODES_MAX).map(|n| n.to_string()).collect();
    let fits = format!("{};OK", many[..CODES_MAX].join(","));
    assert_eq!(codes(fits.as_bytes()).len(), CODES_MAX);
    let too_many = format!("{};OK", many.join(","));
    let refused = template.read(too_many.as_bytes()).expect_err("refused");
    assert_eq!(refused, TelegramError::TooManyCodes);
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
        let _ = measuring().read(&bytes);
    }
}
