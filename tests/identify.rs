//! The shipped table of formats holds against numbers that standards and carriers publish, and
//! `sorthub identify` says so.
//!
//! Where a number is from stands beside it. "Public collection" is jkeen's tracking_number_data,
//! which gathers numbers that carriers print; "zint" and "BWIPP" are barcode writers whose tests
//! quote specifications.

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use proptest::prelude::*;
use serde_json::Value;
use sorthub::config::{CarrierFile, Source};
use sorthub_core::identify::{Formats, Kind, Label, Verdict};
use sorthub_core::ids::CodeId;

/// (code, format, identity, postcode)
type Good = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

const POSTS: &[Good] = &[
    // UPU S10, from the worked example of the check digit.
    ("AA473124829GB", "upu-s10", "AA473124829GB", None),
    // Public collection.
    ("RB123456785GB", "upu-s10", "RB123456785GB", None),
    (
        " R B 1 2 3 4 5 6 7 8 5 C F ",
        "upu-s10",
        "RB123456785CF",
        None,
    ),
    ("rb123456785us", "upu-s10", "RB123456785US", None),
    // USPS, numbers of 20 digits; public collection.
    (
        "0307 1790 0005 2348 3741",
        "usps-20",
        "03071790000523483741",
        None,
    ),
    (
        "7112 3456 7891 2345 6787",
        "usps-20",
        "71123456789123456787",
        None,
    ),
    (
        "7196 9010 7560 0307 7385",
        "usps-20-without-91",
        "9171969010756003077385",
        None,
    ),
    // USPS IMpb; public collection.
    (
        "9505 5110 6960 5048 6006 24",
        "usps-impb",
        "9505511069605048600624",
        None,
    ),
    (
        "9101 1234 5678 9000 0000 13",
        "usps-impb",
        "9101123456789000000013",
        None,
    ),
    (
        "9400 1112 0108 0805 4830 16",
        "usps-impb",
        "9400111201080805483016",
        None,
    ),
    (
        "9361 2898 7870 0317 6337 95",
        "usps-impb",
        "9361289878700317633795",
        None,
    ),
    (
        "9405803699300124287899",
        "usps-impb",
        "9405803699300124287899",
        None,
    ),
    (
        "9261292700768711948021",
        "usps-impb",
        "9261292700768711948021",
        None,
    ),
    (
        "92748931507708513018050063",
        "usps-impb",
        "92748931507708513018050063",
        None,
    ),
    (
        "420 22153 9101026837331000039521",
        "usps-impb",
        "9101026837331000039521",
        Some("22153"),
    ),
    (
        "4201002334249200190132607600833457",
        "usps-impb",
        "9200190132607600833457",
        Some("100233424"),
    ),
    (
        "4201028200009261290113185417468510",
        "usps-impb",
        "9261290113185417468510",
        Some("102820000"),
    ),
    // Canada Post; public collection.
    (
        "0073938000549297",
        "canada-post-16",
        "0073938000549297",
        None,
    ),
];

const GS1: &[Good] = &[
    // GS1 material and BWIPP's page on SSCC-18.
    (
        "(00)095287654321012346",
        "sscc-18",
        "095287654321012346",
        None,
    ),
    (
        "]C100095287654321012346",
        "sscc-18",
        "095287654321012346",
        None,
    ),
    ("095287654321012346", "sscc-18", "095287654321012346", None),
    ("376130321109103420", "sscc-18", "376130321109103420", None),
    ("157035381410375177", "sscc-18", "157035381410375177", None),
    // FedEx Ground Bar Code and Label Layout Specification, the example of SSCC-18.
    (
        "(00) 0 0012345 000000002 7",
        "sscc-18",
        "000123450000000027",
        None,
    ),
];

const PARCELS: &[Good] = &[
    // UPS; public collection, and the number in UPS's own examples.
    ("1Z5R89390357567127", "ups-1z", "1Z5R89390357567127", None),
    ("1Z879E930346834440", "ups-1z", "1Z879E930346834440", None),
    (
        "1z 410 e7w 03 9275 1591",
        "ups-1z",
        "1Z410E7W0392751591",
        None,
    ),
    ("1Z8V92A70367203024", "ups-1z", "1Z8V92A70367203024", None),
    ("1Z999AA10123456784", "ups-1z", "1Z999AA10123456784", None),
    // FedEx Express: FedEx's worked example of the check digit, then the public collection.
    ("012345678983", "fedex-express-12", "012345678983", None),
    ("9865 7878 8855", "fedex-express-12", "986578788855", None),
    ("477179081230", "fedex-express-12", "477179081230", None),
    ("799531274483", "fedex-express-12", "799531274483", None),
    ("790535312317", "fedex-express-12", "790535312317", None),
    ("974367662710", "fedex-express-12", "974367662710", None),
    // FedEx's numbers for trying out its interfaces.
    ("568838414941", "fedex-express-12", "568838414941", None),
    (
        "449044304137821",
        "fedex-ground-15",
        "449044304137821",
        None,
    ),
    (
        "149331877648230",
        "fedex-ground-15",
        "149331877648230",
        None,
    ),
    (
        "020207021381215",
        "fedex-ground-15",
        "020207021381215",
        None,
    ),
    (
        "403934084723025",
        "fedex-ground-15",
        "403934084723025",
        None,
    ),
    (
        "920241085725456",
        "fedex-ground-15",
        "920241085725456",
        None,
    ),
    // FedEx Ground; public collection.
    (
        "0414 4176 0228 964",
        "fedex-ground-15",
        "041441760228964",
        None,
    ),
    (
        "5682 8361 0012 000",
        "fedex-ground-15",
        "568283610012000",
        None,
    ),
    (
        "5682 8361 0012 734",
        "fedex-ground-15",
        "568283610012734",
        None,
    ),
    // FedEx Ground Bar Code and Label Layout Specification.
    (
        "9611020 9876543 1234567 2",
        "fedex-ground-96",
        "987654312345672",
        None,
    ),
    // Public collection: a USPS number without its 92; the whole identity is that of USPS.
    (
        "61299998820821171811",
        "fedex-smartpost-20",
        "9261299998820821171811",
        None,
    ),
    (
        "1001921334250001000300779017972697",
        "fedex-34",
        "779017972697",
        None,
    ),
    (
        "1001921380360001000300639585804382",
        "fedex-34",
        "639585804382",
        None,
    ),
    (
        "1001901781990001000300617767839437",
        "fedex-34",
        "617767839437",
        None,
    ),
    (
        "1002297871540001000300790695517286",
        "fedex-34",
        "790695517286",
        None,
    ),
    (
        "9622 0019 0 (000 000 0000) 0 00 7766 3251 7510",
        "fedex-34",
        "776632517510",
        None,
    ),
    (
        "9622001560000000000000794808390594",
        "fedex-34",
        "794808390594",
        None,
    ),
    (
        "9622001560001234567100794808390594",
        "fedex-34",
        "794808390594",
        None,
    ),
    (
        "9632001560123456789900794808390594",
        "fedex-34",
        "794808390594",
        None,
    ),
    // DPD Parcel Label Specification, sections 4, 4.6 and 5.1, as zint's tests quote it.
    (
        "0081 827 0998 0000 0200 28 101 276 B",
        "dpd-28-postcode-5",
        "09980000020028",
        Some("81827"),
    ),
    (
        "0071 106 0163 2532 9483 75 179 276 A",
        "dpd-28-postcode-5",
        "01632532948375",
        Some("71106"),
    ),
    (
        "0019 900 0998 0000 0200 84 109 203 1",
        "dpd-28-postcode-5",
        "09980000020084",
        Some("19900"),
    ),
    (
        "%008182709980000020028101276",
        "dpd-28-postcode-5",
        "09980000020028",
        Some("81827"),
    ),
    // DPD's label appendix 4.0.2, illustration 7, as zint's tests quote it.
    (
        "0003 932 0621 9912 3456 78 101 040 9",
        "dpd-28-postcode-4",
        "06219912345678",
        Some("3932"),
    ),
    // Public collection.
    (
        "00 81827 0998 0000 0200 33 350 276 C",
        "dpd-28-postcode-5",
        "09980000020033",
        Some("81827"),
    ),
    (
        "0081 827 0998 0000 0200 45 327 276 N",
        "dpd-28-postcode-5",
        "09980000020045",
        Some("81827"),
    ),
    // paketda, on the check digits of German carriers.
    ("01015026003653c", "dpd-parcel", "01015026003653", None),
    (
        "00340433836442636597",
        "dhl-paket-20",
        "340433836442636597",
        None,
    ),
    ("JJD1410302937991", "dhl-piece", "JJD1410302937991", None),
    // BWIPP's page on Identcode.
    ("563102430313", "dhl-identcode-12", "563102430313", None),
    ("56.310 243.031 3", "dhl-identcode-12", "563102430313", None),
    // DHL Express and eCommerce; public collection.
    ("3318810025", "dhl-express-10", "3318810025", None),
    ("33 1881 0014", "dhl-express-10", "3318810014", None),
    ("8487135506", "dhl-express-10", "8487135506", None),
    ("1099255990", "dhl-express-10", "1099255990", None),
    ("3821724944", "dhl-express-10", "3821724944", None),
    ("3318810036", "dhl-express-10", "3318810036", None),
    ("73891051146", "dhl-express-11", "73891051146", None),
    ("JJD0099999999", "dhl-piece", "JJD0099999999", None),
    ("JVGL0999999990", "dhl-piece", "JVGL0999999990", None),
    (
        "GM2951173225174494",
        "dhl-ecommerce",
        "GM2951173225174494",
        None,
    ),
    (
        "GM295117494011169042",
        "dhl-ecommerce",
        "GM295117494011169042",
        None,
    ),
    // Amazon; public collection.
    ("TBA502887274000", "amazon-tba", "TBA502887274000", None),
    ("TBA010000000000", "amazon-tba", "TBA010000000000", None),
];

/// Collection of BF-zh, Courier-Validation.
const CHINA: &[Good] = &[
    ("SF1385628716739", "sf", "SF1385628716739", None),
    ("JDX024407261700", "jd", "JDX024407261700", None),
    ("JDX024407261700-1-2-", "jd", "JDX024407261700", None),
    ("JT5261988016578", "jt", "JT5261988016578", None),
    ("YT8962646785389", "yto", "YT8962646785389", None),
    ("DPK202252612836", "deppon", "DPK202252612836", None),
    ("773277027280336", "sto", "773277027280336", None),
    ("73610555582883", "zto", "73610555582883", None),
    ("463431409940372", "yunda", "463431409940372", None),
    ("1207119765021", "china-post", "1207119765021", None),
    // Made up within the published form.
    ("621123456789012", "cainiao", "621123456789012", None),
];

/// Numbers that their sources give as invalid: the format, and the right check character.
const FAILING: &[(&str, &str, char)] = &[
    // Public collection.
    ("RB123456786US", "upu-s10", '5'),
    ("0307 1790 0005 2348 3742", "usps-20", '1'),
    ("9200000000000000000000", "usps-impb", '1'),
    ("420000009200000000000000000000", "usps-impb", '1'),
    ("4201028200009261290113185417468511", "usps-impb", '0'),
    ("9261292700768711948020", "usps-impb", '1'),
    ("1Z1111111111111111", "ups-1z", '8'),
    ("996578788855", "fedex-express-12", '6'),
    ("1001901781990001000300617767839438", "fedex-34", '7'),
    ("9622001560001234567100794808390595", "fedex-34", '4'),
    ("9622001560001234567100794808390597", "fedex-34", '4'),
    ("5682 8361 0012 732", "fedex-ground-15", '4'),
    ("9600000000000000000001", "fedex-ground-96", '0'),
    ("000000000000000001", "sscc-18", '0'),
    ("008182709980000020033350276A", "dpd-28-postcode-5", 'C'),
    ("0081 827 0998 0000 0200 45 000 000 N", "dpd-28", 'J'),
    ("3318810010", "dhl-express-10", '4'),
    ("3318810034", "dhl-express-10", '6'),
    ("3318810011", "dhl-express-10", '4'),
    ("0073938000549292", "canada-post-16", '7'),
];

/// Invalid by their sources because they have nobody's form.
const FOREIGN: &[&str] = &[
    // Public collection.
    "RB123456785XX",
    "420000000000000000000000000000",
    "2Z5R89390357567127",
    "1A5R89390357567127",
    "TBA50288727400A",
    "TBB000000000000",
    "XJD0099999998",
    "GS295117494011169041",
    "GR295117494011169045",
    // Product codes and web addresses also stand on boxes.
    "4006381333931X",
    "HTTPS://EXAMPLE.COM/1234",
];

fn shipped() -> Formats {
    CarrierFile::shipped().formats
}

fn name_of(formats: &Formats, code: &str) -> Option<String> {
    let format = formats.identify(code).format();
    format
        .and_then(|id| formats.format(id))
        .map(|format| format.name.clone())
}

#[test]
fn published_numbers_are_what_their_sources_say() {
    let formats = shipped();
    for (code, format, identity, postcode) in [POSTS, GS1, PARCELS, CHINA].concat() {
        let found = formats.identify(code);
        assert_eq!(
            found.identity(),
            Some(identity),
            "{code}: {}",
            found.verdict()
        );
        assert_eq!(name_of(&formats, code).as_deref(), Some(format), "{code}");
        assert_eq!(found.postcode(), postcode, "{code}");
    }
}

#[test]
fn published_wrong_numbers_are_refused() {
    let formats = shipped();
    for &(code, format, right) in FAILING {
        let found = formats.identify(code);
        let Verdict::Failed { expected, .. } = found.verdict() else {
            panic!("{code}: {}", found.verdict());
        };
        assert_eq!((expected, found.identity()), (right, None), "{code}");
        assert_eq!(name_of(&formats, code).as_deref(), Some(format), "{code}");
    }
    for code in FOREIGN {
        assert_eq!(
            formats.identify(code).verdict(),
            Verdict::NoFormat,
            "{code}"
        );
    }
}

/// Every rule gives one check digit: with any other the number is no longer good as what it was.
#[test]
fn another_check_digit_is_never_right() {
    let formats = shipped();
    let goods = [POSTS, GS1, PARCELS].concat();
    let checked = goods.iter().filter(|(code, ..)| {
        formats.identify(code).verdict() == Verdict::Checked
            && !code.starts_with(['A', 'R', 'r', ' '])
    });
    let mut tried = 0;
    for (code, format, ..) in checked {
        let (payload, check) = code.split_at(code.len() - 1);
        for digit in "0123456789"
            .chars()
            .filter(|digit| !check.starts_with(*digit))
        {
            let wrong = format!("{payload}{digit}");
            let found = formats.identify(&wrong);
            let same = name_of(&formats, &wrong).as_deref() == Some(*format);
            assert!(!(same && found.verdict() == Verdict::Checked), "{wrong}");
            tried += 1;
        }
    }
    assert!(tried > 500, "{tried} tried");
}

/// One number that two carriers would each call their own.
#[test]
fn a_hub_that_names_its_carriers_is_not_misled_by_others() {
    // paketda's example of a DHL Identcode is also a good FedEx number.
    let code = "201298452277";
    assert_eq!(
        name_of(&shipped(), code).as_deref(),
        Some("fedex-express-12")
    );
    let text = include_str!("../config/carriers.toml");
    let text = format!("carriers = [\"DHL\", \"DPD\"]\n{text}");
    let file = CarrierFile::from_source(&Source::new("own.toml", text)).expect("no faults");
    assert_eq!(
        name_of(&file.formats, code).as_deref(),
        Some("dhl-identcode-12")
    );
    assert_eq!(name_of(&file.formats, "1Z999AA10123456784"), None);
    assert_eq!(file.formats.spec().formats.len(), 11);
}

#[test]
fn labels_with_several_codes_are_understood() {
    let formats = shipped();
    let good = |codes: &[&str]| match formats.label(codes.iter().copied()) {
        Label::Good { item, route } => {
            let route = route
                .as_ref()
                .and_then(|route| route.postcode().map(str::to_owned));
            (
                item.identity().map(str::to_owned).expect("a good code"),
                route,
            )
        }
        other => panic!("{codes:?}: {other:?}"),
    };
    // UPS: the number beside the postcode. FedEx: the number beside the 34 digits.
    let ups = good(&["42090210", "1Z999AA10123456784"]);
    assert_eq!(ups, ("1Z999AA10123456784".into(), Some("90210".into())));
    let fedex = good(&["776632517510", "9622001900000000000000776632517510"]);
    assert_eq!(fedex.0, "776632517510");
    // SurePost: UPS leads and USPS delivers. The USPS number with and without its postcode is one.
    let usps = ["9405803699300124287899", "420902109405803699300124287899"];
    assert_eq!(good(&usps).0, usps[0]);
    assert_eq!(
        good(&[usps[0], "1Z999AA10123456784", usps[1]]).0,
        "1Z999AA10123456784"
    );
    let label = formats.label(["SF1385628716739", "SF1385628716730"]);
    assert!(matches!(label, Label::Several { .. }), "{label:?}");
    let label = formats.label(["SF1385628716739", "YT8962646785389"]);
    assert!(matches!(label, Label::Conflict { .. }), "{label:?}");
    let label = formats.label(["1Z999AA10123456785"]);
    assert!(matches!(label, Label::Invalid { .. }), "{label:?}");
}

#[test]
fn labels_of_the_virtual_hub_are_known() {
    let formats = shipped();
    for (code, address) in [
        ("C01-00000017", "C01"),
        ("NORTH-EAST-1234567890", "NORTH-EAST"),
    ] {
        let found = formats.identify(code);
        assert_eq!(
            (found.identity(), found.address()),
            (Some(code), Some(address))
        );
    }
}

/// Pre-advice names parcels by what people read; directories are asked for identities. Both meet
/// where an identity, identified, is itself.
#[test]
fn an_identity_identifies_itself() {
    let formats = shipped();
    for (code, ..) in [POSTS, GS1, PARCELS, CHINA].concat() {
        let found = formats.identify(code);
        let identity = found.identity().expect("a published number");
        let again = formats.identify(identity);
        assert_eq!(again.identity(), Some(identity), "{code}");
        assert_eq!(again.code_id(), found.code_id(), "{code}");
    }
}

proptest! {
    #[test]
    fn any_code_is_survived(code in r"[ -~\x1d]{0,50}|[0-9]{8,40}|\PC{0,70}") {
        let formats = shipped();
        let found = formats.identify(&code);
        let identifies = found.verdict().is_good() && found.kind() != Some(Kind::Route);
        prop_assert_eq!(found.identity().is_some(), identifies);
        prop_assert_eq!(found.code_id() == CodeId::NONE, !identifies);
        let one = formats.label([code.as_str()]);
        prop_assert_eq!(matches!(one, Label::Good { .. }), identifies, "{:?}", one);
    }
}

fn sorthub(args: &[&str], input: Option<&[u8]>) -> Output {
    let mut command = Command::new(common::sorthub());
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env_remove("RUST_LOG");
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A program that does not read its input may have closed it already.
    let _ = stdin.write_all(input.unwrap_or(b""));
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the program writes UTF-8")
}

#[test]
fn json_is_one_object_a_line() {
    let codes = [
        "42022153 9101026837331000039521",
        "RB123456786US",
        "what is this?",
        "42090210",
    ];
    let out = sorthub(&[&["identify", "--json"][..], &codes].concat(), None);
    assert_eq!((out.status.code(), text(&out.stderr)), (Some(0), ""));
    let lines: Vec<Value> = text(&out.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let expected = serde_json::json!([
        {
            "code": codes[0], "format": "usps-impb", "valid": true,
            "identity": "9101026837331000039521", "carrier": "USPS", "kind": "waybill",
            "postcode": "22153",
        },
        {
            "code": codes[1], "format": "upu-s10", "valid": false, "identity": null,
            "carrier": "UPU", "kind": "waybill", "why": "the check character is 6 but must be 5",
        },
        {
            "code": codes[2], "format": null, "valid": false, "identity": null,
            "why": "no format has this form",
        },
        {
            "code": codes[3], "format": "us-postcode", "valid": true, "identity": null,
            "carrier": "GS1", "kind": "route", "postcode": "90210",
        },
    ]);
    assert_eq!(Value::Array(lines), expected);
}

#[test]
fn people_get_columns() {
    let out = sorthub(
        &[
            "identify",
            "1Z999AA10123456784",
            "C01-00000017",
            "3318810010",
        ],
        None,
    );
    assert_eq!(
        out.status.code(),
        Some(0),
        "validity is an answer, not a fault"
    );
    let expected = "\
code                format          carrier  valid  identity            remarks
1Z999AA10123456784  ups-1z          UPS      yes    1Z999AA10123456784
C01-00000017        hub-label       hub      yes    C01-00000017        address C01
3318810010          dhl-express-10  DHL      no     -                   the check character is 0 but must be 4
";
    assert_eq!(text(&out.stdout), expected);
}

#[test]
fn codes_come_on_standard_input_too() {
    let input = b"SF1385628716739\r\n\n\xff\xfe\n3318810025";
    let out = sorthub(&["identify", "--json"], Some(input));
    assert_eq!((out.status.code(), text(&out.stderr)), (Some(0), ""));
    let lines: Vec<Value> = text(&out.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let formats: Vec<&Value> = lines.iter().map(|line| &line["format"]).collect();
    let expected = serde_json::json!(["sf", null, null, "dhl-express-10"]);
    assert_eq!(
        formats,
        expected
            .as_array()
            .expect("a list")
            .iter()
            .collect::<Vec<_>>()
    );
    assert_eq!(
        lines[0]["code"], "SF1385628716739",
        "the line's end is not part of the code"
    );
}

#[test]
fn another_table_can_be_given_and_a_faulty_one_is_refused() {
    let out = sorthub(
        &["identify", "--formats", "tests/faulty/carriers.toml", "1"],
        None,
    );
    assert_eq!((out.status.code(), text(&out.stdout)), (Some(2), ""));
    assert!(text(&out.stderr).contains("error: tests/faulty/carriers.toml:"));
    let out = sorthub(
        &[
            "identify",
            "--json",
            "--formats",
            "config/carriers.toml",
            "3318810025",
        ],
        None,
    );
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("dhl-express-10"));
}
