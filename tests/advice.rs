//! Files of pre-advice: what is in a good one is found, what is wrong in a bad one is told at its
//! place, and nothing that a file can hold does harm.
//!
//! Each file in `tests/faulty_advice/` has its faults beside it in `<file>.expected`.
//! `UPDATE_EXPECT=1` writes those anew; read the difference before it is committed.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use sorthub::advice::{Loaded, Options, Refused, TagColumn, load, load_file};
use sorthub::config::Fault;
use sorthub_core::directory::Waybill;
use sorthub_core::facts::{Address, Advice, DestKey, Measures, ServiceKey, Tags};
use sorthub_core::units::{Grams, Mm};

const GOODS: Tags = Tags(1 << 5);

fn options() -> Options {
    let tag = |tag, value: &str| TagColumn {
        tag,
        column: "contents".to_owned(),
        value: value.to_owned(),
    };
    Options {
        tags: vec![tag(Tags::DANGEROUS, "dangerous"), tag(GOODS, "goods")],
        ..Options::default()
    }
}

fn lenient() -> Options {
    Options {
        lenient: true,
        ..options()
    }
}

fn read(bytes: impl AsRef<[u8]>, options: &Options) -> Result<Loaded, Refused> {
    load("any.csv", &mut Cursor::new(bytes.as_ref()), options)
}

fn get(loaded: &Loaded, waybill: &str) -> Option<Advice> {
    let waybill = Waybill::of(waybill).expect("it is a waybill");
    loaded.waybills.get(&waybill)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faulty_advice")
}

#[test]
fn every_fault_is_told_at_its_place() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let entries = fs::read_dir(folder()).expect("the folder is part of the project");
    let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
    let mut paths = Vec::from_iter(paths.filter(|path| path.extension() == Some("csv".as_ref())));
    paths.sort();
    let mut differing = Vec::new();
    for path in &paths {
        let name = path.file_name().expect("it is a file").to_string_lossy();
        let bytes = fs::read(path).expect("the file can be read");
        let refused = load(&name, &mut Cursor::new(bytes), &options());
        let told = format!("{}\n", refused.expect_err("each of these has a fault"));
        let golden = PathBuf::from(format!("{}.expected", path.display()));
        if update {
            fs::write(&golden, &told).expect("the golden can be written");
        }
        if told != fs::read_to_string(&golden).unwrap_or_default() {
            differing.push(format!("--- {name}\n{told}"));
        }
    }
    assert!(paths.len() >= 7, "files are missing: {paths:?}");
    assert!(
        differing.is_empty(),
        "told otherwise than in .expected (UPDATE_EXPECT=1 writes them anew):\n{}",
        differing.join("\n")
    );
}

const GOOD: &str = "\u{feff}pieces, Segment ,contents,WAYBILL,destination,postcode,\
    weight_g,service\r\n\
    1,571-A1-03,Dangerous,SF1300000000001,上海,310000,1200,express\r\n\
    \r\n\
    2,,goods,\"1Z 999, AA\",\"\"\"B\"\"\" ,,12.5,\r\n\
    ,,,,,,,\r\n\
    1,571-a1 -03, GOODS ,JT1, ,,,,\r\n\
    1,,,SF1300000000001,BEIJING,,,\r\n\
    3,,paper,92612900000000000000005,,100 000,0,standard";

#[test]
fn columns_are_found_by_name_and_the_last_row_stands() {
    let loaded = read(GOOD, &options()).expect("it has no fault");
    let report = &loaded.report;
    assert_eq!((report.rows, report.waybills, report.replaced), (5, 4, 1));
    assert_eq!((report.left_out, report.more_faults), (0, 0));
    assert!(report.faults.is_empty());
    let known = Advice {
        known: true,
        ..Advice::default()
    };
    let weighing = |weight| Measures {
        weight: Grams(weight),
        ..Measures::default()
    };
    assert_eq!(
        get(&loaded, "SF1300000000001"),
        Some(Advice {
            dest: DestKey::of("BEIJING"),
            ..known
        }),
        "the whole last row, not what the row before had besides"
    );
    assert_eq!(
        get(&loaded, "1Z 999, AA"),
        Some(Advice {
            dest: DestKey::of("\"B\""),
            tags: GOODS,
            declared: weighing(13),
            ..known
        })
    );
    assert_eq!(
        get(&loaded, "JT1"),
        Some(Advice {
            segment: Address::of("571-A1-03"),
            tags: GOODS,
            ..known
        })
    );
    assert_eq!(
        get(&loaded, "92612900000000000000005"),
        Some(Advice {
            postcode: Address::of("100000"),
            service: ServiceKey::of("standard"),
            ..known
        })
    );
    assert_eq!(get(&loaded, "SF1300000000002"), None);
}

#[test]
fn semicolons_and_tabs_of_spreadsheets_are_understood() {
    let text = "waybill;destination;contents;weight_g\nSF1;\u{4e0a}\u{6d77}, B;goods;7\nSF2;A;;x\n";
    for separator in [";", "\t"] {
        for quote in ["", "\""] {
            let header = format!("{quote}waybill{quote}");
            let text = text.replace(';', separator).replace("waybill", &header);
            let loaded = read(&text, &lenient()).expect("one row is good");
            let advice = get(&loaded, "SF1").expect("it is there");
            assert_eq!(advice.dest, DestKey::of("\u{4e0a}\u{6d77}, B"));
            assert_eq!((advice.tags, advice.declared.weight), (GOODS, Grams(7)));
            let [fault] = loaded.report.faults.as_slice() else {
                panic!("one fault: {:?}", loaded.report.faults);
            };
            assert_eq!((fault.line, fault.column, fault.width), (3, 8, 1));
        }
    }
}

#[test]
fn a_lenient_reading_leaves_faulty_rows_out_and_says_so() {
    let bytes = fs::read(folder().join("rows.csv")).expect("the file can be read");
    let strict = read(&bytes, &options()).expect_err("it has faults");
    let loaded = read(&bytes, &lenient()).expect("a fault in a row does not matter");
    let report = loaded.report;
    assert_eq!((report.rows, report.left_out), (2, 13));
    assert_eq!(report.faults, strict.faults);
    let header = read("waybill,contents\n", &lenient()).expect_err("no row could say anything");
    assert_eq!(header.faults.len(), 1);
}

#[test]
fn so_many_faults_are_listed_and_the_others_counted() {
    let rows = Vec::from_iter((0..5_000).map(|nth| format!("W{nth},A,,{nth}kg\n")));
    let text = format!("waybill,destination,contents,weight_g\n{}", rows.concat());
    let options = Options {
        faults_max: 3,
        ..options()
    };
    let refused = read(&text, &options).expect_err("each row has a fault");
    assert_eq!((refused.faults.len(), refused.more_faults), (3, 4_997));
    assert_eq!(refused.faults[2].line, 4);
    assert!(refused.to_string().ends_with("and 4997 more faults"));
}

#[test]
fn a_row_without_end_is_refused_before_it_fills_the_memory() {
    let endless = "A,B\n".repeat(2_000_000);
    let text = format!("waybill,destination,contents\nW1,A,\n\nW2,\"A,\n{endless}");
    for options in [options(), lenient()] {
        let refused = read(&text, &options).expect_err("the file cannot be read on");
        let [fault] = refused.faults.as_slice() else {
            panic!("one fault: {refused}");
        };
        assert_eq!((fault.line, fault.column), (4, 1), "{fault}");
        assert!(fault.to_string().contains("close the quotes"), "{fault}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let path = Path::new("no-such-folder/waybills.csv");
    let refused = load_file(path, &options()).expect_err("there is no such file");
    let told = refused.to_string();
    assert!(
        told.contains("no-such-folder/waybills.csv:1:1: cannot be read"),
        "{told}"
    );
}

#[test]
fn rows_far_into_a_file_have_their_line() {
    // Further than several batches and buffers.
    let row = |nth: u64| format!("SF{nth:013},DEST-{},goods,{}\r\n", nth % 100, nth % 5_000);
    let mut text = "waybill,destination,contents,weight_g\r\n".to_owned();
    text.extend((0..30_000).map(row));
    let good = read(&text, &options()).expect("it has no fault").report;
    assert_eq!((good.rows, good.waybills), (30_000, 30_000));
    text.push_str("SF1,上海,goods,heavy\r\n");
    text.extend((30_000..40_000).map(row));
    let refused = read(&text, &options()).expect_err("one row has a fault");
    let [fault] = refused.faults.as_slice() else {
        panic!("one fault: {refused}");
    };
    assert_eq!((fault.line, fault.column, fault.width), (30_002, 14, 5));
    assert_eq!(&*fault.excerpt, "SF1,上海,goods,heavy");
}

#[test]
fn the_last_row_stands_however_many_batches_behind_the_first() {
    // Threads take turns at batches as they have time; the order of rows does not hang on that.
    let mut text = "waybill,destination,weight_g\n".to_owned();
    for round in 1..=5 {
        let row = |nth: u64| match nth % 3 {
            0 => format!("SF{nth:013},DEST-{round},{round}\n"),
            1 => format!("92612{nth:017},DEST-{round},{round}\n"),
            _ => format!("号{nth},DEST-{round},{round}\n"),
        };
        text.extend((0..6_000).map(row));
    }
    for _ in 0..20 {
        let loaded = read(&text, &Options::default()).expect("it has no fault");
        let report = &loaded.report;
        let counts = (report.rows, report.replaced, report.waybills);
        assert_eq!(counts, (30_000, 24_000, 6_000));
        assert_eq!(loaded.waybills.advices(), 5);
        for waybill in ["SF0000000003333", "9261200000000000003334", "号3335"] {
            let advice = get(&loaded, waybill).expect("it is advised");
            assert_eq!(advice.dest, DestKey::of("DEST-5"), "{waybill}");
            assert_eq!(advice.declared.weight, Grams(5), "{waybill}");
        }
    }
}

/// Every fault has a place in the text and a mend.
fn check_places(faults: &[Fault], bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = Vec::from_iter(text.split('\n'));
    for fault in faults {
        let line = lines.get(fault.line as usize - 1);
        let line = line.unwrap_or_else(|| panic!("no line {}: {fault}", fault.line));
        let columns = line.chars().count() + 1;
        assert!(
            (1..=columns).contains(&(fault.column as usize)),
            "{fault} in {line:?}"
        );
        assert!(fault.width >= 1 && !fault.kind.mend().is_empty(), "{fault}");
        assert!(fault.is_error(), "{fault}");
    }
}

fn survive(bytes: &[u8]) {
    match read(bytes, &options()) {
        Ok(loaded) => assert!(loaded.report.faults.is_empty() && loaded.report.left_out == 0),
        Err(refused) => {
            assert!(!refused.faults.is_empty(), "refused without a reason");
            check_places(&refused.faults, bytes);
        }
    }
    if let Ok(loaded) = read(bytes, &lenient()) {
        check_places(&loaded.report.faults, bytes);
        let report = &loaded.report;
        assert_eq!(report.rows - report.replaced, loaded.waybills.len() as u64);
        assert_eq!(report.left_out == 0, report.faults.is_empty());
    }
}

/// Pieces that files are made of, and pieces that break them.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&[u8]] = &[
        b"waybill",
        b"destination",
        b"contents",
        b"weight_g",
        b"postcode",
        b",",
        b",,",
        b"\n",
        b"\r\n",
        b"\r",
        b"\"",
        b"\"\"",
        b" ",
        b"SF1300000000001",
        b"W1",
        b"goods",
        b"-1",
        b"1e9",
        b"99999999999",
        b"0.5",
        b"\0",
        b"\t",
        b"\xef\xbb\xbf",
        "上海".as_bytes(),
        b"\xe4",
        b"\xff",
    ];
    proptest::sample::select(PIECES).prop_map(<[u8]>::to_vec)
}

/// A row of a model file: what is written, and what must be found.
fn model_row() -> impl Strategy<Value = (String, [String; 6], Advice)> {
    let waybill = prop_oneof!["[A-C][0-9]{1,2}", "[0-9]{18,30}", "[a-z ,\"\n]{1,4}x"];
    let waybill = waybill.prop_map(|text: String| text.trim().replace('\n', "-"));
    let words = ("[A-Z,\"\u{4e00}]{1,6}", "[0-9A-Z]{0,12}", "[0-9]{0,6}");
    let numbers = (0..5_000_u32, 0..2_000_u32);
    (waybill, words, any::<bool>(), numbers).prop_map(|(waybill, words, goods, numbers)| {
        let (destination, segment, postcode) = words;
        let (weight, length) = numbers;
        let advice = Advice {
            known: true,
            dest: DestKey::of(&destination),
            segment: Address::of(&segment),
            postcode: Address::of(&postcode),
            service: ServiceKey::NONE,
            tags: if goods { GOODS } else { Tags::NONE },
            declared: Measures {
                weight: Grams(weight),
                length: Mm(length),
                ..Measures::default()
            },
        };
        let contents = if goods { "goods" } else { "paper" }.to_owned();
        let numbers = [weight, length].map(|number| number.to_string());
        let [weight, length] = numbers;
        (
            waybill,
            [destination, segment, postcode, contents, weight, length],
            advice,
        )
    })
}

const MODEL_COLUMNS: [&str; 6] = [
    "destination",
    "segment",
    "postcode",
    "contents",
    "weight_g",
    "length_mm",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        survive(&bytes);
    }

    #[test]
    fn any_pieces_are_survived(
        has_header in any::<bool>(),
        pieces in prop::collection::vec(piece(), 0..60),
    ) {
        let header = if has_header { "waybill,destination,contents,weight_g\n" } else { "" };
        survive(&[header.as_bytes(), &pieces.concat()].concat());
    }

    #[test]
    fn a_good_file_with_changes_is_survived(
        changes in prop::collection::vec((any::<Index>(), 0..20_usize, piece()), 1..5),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (at, cut, new) in changes {
            let at = at.index(bytes.len() + 1);
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, new);
        }
        survive(&bytes);
    }

    #[test]
    fn a_quote_changes_how_a_file_is_split_but_nothing_else(
        pieces in prop::collection::vec(piece(), 0..60),
        at in any::<prop::sample::Index>(),
        is_lenient in any::<bool>(),
    ) {
        // Quotes around a word of the header change no row, nor any place behind it.
        let header = |quote: &str| format!("{quote}pieces{quote},waybill,destination,contents\n");
        let mut rows = pieces.concat();
        // A file without rows is refused at its header.
        rows.extend(b"\n1,W,A,goods\n");
        rows.retain(|byte| *byte != b'"');
        let options = if is_lenient { lenient() } else { options() };
        let results = ["", "\""].map(|quote| {
            let text = [header(quote).as_bytes(), &rows].concat();
            read(text, &options).map(|loaded| loaded.report)
        });
        let [plain, quoted] = results;
        match (plain, quoted) {
            (Ok(plain), Ok(quoted)) => prop_assert_eq!(plain, quoted),
            (Err(plain), Err(quoted)) => prop_assert_eq!(plain.faults, quoted.faults),
            (plain, quoted) => prop_assert!(false, "{:?} and {:?}", plain, quoted),
        }
        // A quoted row somewhere: text before it, records from it on.
        let mut lines = Vec::from_iter((0..400).map(|nth| format!("1,W{nth},A,goods\n")));
        let at = at.index(lines.len());
        lines[at] = "\"1\",\"W,\"\"1\",A,\"goods\n\"\n".to_owned();
        lines.push("1,,A,goods\n".to_owned());
        let refused = read(header("") + &lines.concat(), &self::options());
        let refused = refused.map(|_| ()).expect_err("the last row has no waybill");
        prop_assert_eq!(refused.faults[0].line, 403);
        prop_assert_eq!(refused.faults.len(), 1);
    }

    #[test]
    fn what_is_written_is_found(
        rows in prop::collection::vec(model_row(), 1..200),
        turn in 0..7_usize,
        crlf in any::<bool>(),
    ) {
        let mut writer = csv::WriterBuilder::new();
        if crlf {
            writer.terminator(csv::Terminator::CRLF);
        }
        let mut writer = writer.from_writer(Vec::new());
        let turned = |waybill: &str, others: &[String; 6]| {
            let mut fields = vec![waybill.to_owned()];
            fields.extend_from_slice(others);
            fields.rotate_left(turn);
            fields
        };
        let header = turned("waybill", &MODEL_COLUMNS.map(String::from));
        writer.write_record(header).expect("memory takes it");
        for (waybill, others, _) in &rows {
            writer.write_record(turned(waybill, others)).expect("memory takes it");
        }
        let bytes = writer.into_inner().expect("memory takes it");
        let loaded = read(&bytes, &options()).expect("what is written has no fault");
        let model = BTreeMap::from_iter(rows.iter().map(|(waybill, _, advice)| (waybill, advice)));
        prop_assert_eq!(loaded.report.rows as usize, rows.len());
        prop_assert_eq!(loaded.report.replaced as usize, rows.len() - model.len());
        prop_assert_eq!(loaded.waybills.len(), model.len());
        for (waybill, advice) in model {
            prop_assert_eq!(get(&loaded, waybill), Some(*advice));
        }
    }
}
