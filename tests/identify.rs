//! The shipped table of formats holds against numbers that standards and carriers publish, and
//! `sorthub identify` says so.
//!
//! The numbers, and where each is from, are in `tests/published_numbers.txt`.

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use sorthub::config::{CarrierFile, Source};
use sorthub_core::identify::{Formats, Kind, Label, Verdict};
use sorthub_core::ids::CodeId;

/// A good number.
struct Good {
    code: &'static str,
    format: &'static str,
    identity: &'static str,
    postcode: Option<&'static str>,
}

/// The lines of the table, cut into columns.
fn lines() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = include_str!("published_numbers.txt").lines();
    let filled = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    filled.map(|line| line.split('|').map(str::trim).collect())
}

fn good_numbers() -> Vec<Good> {
    let goods = lines()
        .filter(|line| line.len() > 2 && line[2] != "!")
        .map(|line| Good {
            code: line[0],
            format: line[1],
            identity: line[2],
            postcode: line.get(3).copied(),
        });
    let goods = Vec::from_iter(goods);
    assert!(goods.len() >= 90, "{} numbers", goods.len());
    goods
}

/// Compiled once: a property asks it thousands of times.
fn shipped() -> &'static Formats {
    static SHIPPED: LazyLock<Formats> = LazyLock::new(|| CarrierFile::shipped().formats);
    &SHIPPED
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
    for good in good_numbers() {
        let code = good.code;
        let found = formats.identify(code);
        assert_eq!(
            found.identity(),
            Some(good.identity),
            "{code}: {}",
            found.verdict()
        );
        assert_eq!(
            name_of(formats, code).as_deref(),
            Some(good.format),
            "{code}"
        );
        assert_eq!(found.postcode(), good.postcode, "{code}");
    }
}

#[test]
fn published_wrong_numbers_are_refused() {
    let formats = shipped();
    let (mut failing, mut foreign) = (0, 0);
    for line in lines() {
        let found = formats.identify(line[0]);
        match line[..] {
            [code, format, "!", right] => {
                let Verdict::Failed { expected, .. } = found.verdict() else {
                    panic!("{code}: {}", found.verdict());
                };
                assert_eq!(
                    (expected.to_string().as_str(), found.identity()),
                    (right, None)
                );
                assert_eq!(name_of(formats, code).as_deref(), Some(format), "{code}");
                failing += 1;
            }
            [code] => {
                assert_eq!(found.verdict(), Verdict::NoFormat, "{code}");
                foreign += 1;
            }
            _ => {}
        }
    }
    assert!(
        failing >= 20 && foreign >= 10,
        "{failing} failing, {foreign} foreign"
    );
}

/// Every rule gives one check digit: with any other the number is no longer good as what it was.
#[test]
fn another_check_digit_is_never_right() {
    let formats = shipped();
    let mut tried = 0;
    for good in good_numbers() {
        let checked = formats.identify(good.code).verdict() == Verdict::Checked;
        // The check digit of S10 is not the last character.
        let Some((payload, check)) = good.code.split_at_checked(good.code.len() - 1) else {
            continue;
        };
        if !checked || good.format == "upu-s10" {
            continue;
        }
        for digit in "0123456789"
            .chars()
            .filter(|digit| !check.starts_with(*digit))
        {
            let wrong = format!("{payload}{digit}");
            let same = name_of(formats, &wrong).as_deref() == Some(good.format);
            let verdict = formats.identify(&wrong).verdict();
            assert!(!(same && verdict == Verdict::Checked), "{wrong}");
            tried += 1;
        }
    }
    assert!(tried > 500, "{tried} tried");
}

/// One number that two carriers would each call their own.
#[test]
fn an_application_identifier_says_more_than_a_check_digit() {
    let formats = shipped();
    let mut others = 0;
    for zip in (0..1_000_000_000_u64).step_by(1_234_567) {
        let bare = format!("420{zip:09}");
        let marked = ["(420)", "]C1420", "]d2420", "\u{1d}420"];
        for code in marked.map(|mark| format!("{mark}{zip:09}")) {
            let found = formats.identify(&code);
            assert_eq!(found.kind(), Some(Kind::Route), "{code:?}");
            let postcode = format!("{zip:09}");
            assert_eq!(found.postcode(), Some(&*postcode), "{code:?}");
        }
        // Without it nobody can know.
        others += usize::from(formats.identify(&bare).kind() != Some(Kind::Route));
        // Code 128 of any kind says nothing either.
        let plain = formats.identify(&format!("]C0{bare}"));
        assert_eq!(plain.format(), formats.identify(&bare).format());
    }
    assert!(others > 50, "{others} of 811 are good numbers of carriers");
    // What is none of GS1's is what it is without the mark.
    let ups = formats.identify("]C11Z999AA10123456784");
    assert_eq!(ups.identity(), Some("1Z999AA10123456784"));
}

#[test]
fn a_hub_that_names_its_carriers_is_not_misled_by_others() {
    // paketda's example of a DHL Identcode is also a good FedEx number.
    let code = "201298452277";
    assert_eq!(
        name_of(shipped(), code).as_deref(),
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

/// The format that docs/carriers.md shows how to add, with the number of BWIPP's page on Leitcode.
#[test]
fn the_format_in_the_document_works() {
    let page = include_str!("../docs/carriers.md");
    let block = page
        .split("```toml")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let text = block.expect("the page has a table").to_owned();
    let file = CarrierFile::from_source(&Source::new("carriers.md", text)).expect("no faults");
    let found = file.formats.identify("21348.075.016.40 1");
    assert_eq!(found.verdict(), Verdict::NoFormat, "it has no separators");
    let found = file.formats.identify("21348 075016 401");
    assert_eq!((found.postcode(), found.identity()), (Some("21348"), None));
    assert!(!file.formats.identify("21348075016402").verdict().is_good());
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
    for Good { code, .. } in good_numbers() {
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
        &["identify", "RB123456785GB", "C01-00000017", "RB123456786GB"],
        None,
    );
    assert_eq!(
        out.status.code(),
        Some(0),
        "validity is an answer, not a fault"
    );
    let expected = "\
code           format     carrier  valid  identity       remarks
RB123456785GB  upu-s10    UPU      yes    RB123456785GB
C01-00000017   hub-label  hub      yes    C01-00000017   address C01
RB123456786GB  upu-s10    UPU      no     -              the check character is 6 but must be 5
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

/// A line of any length is an answer like the others, and takes none of them along.
#[test]
fn a_line_without_end_hides_no_other() {
    let long = "7".repeat(70_000);
    let input = format!("{long}\n3318810025\n");
    let out = sorthub(&["identify"], Some(input.as_bytes()));
    assert_eq!((out.status.code(), text(&out.stderr)), (Some(0), ""));
    let lines = Vec::from_iter(text(&out.stdout).lines());
    assert_eq!(lines.len(), 3, "a heading and a row for each code");
    assert!(
        lines[1].starts_with(&format!("{}…  -", "7".repeat(80))),
        "{}",
        lines[1]
    );
    assert!(
        lines[1].ends_with("it is longer than 64 characters"),
        "{}",
        lines[1]
    );
    assert!(lines[2].starts_with("3318810025 "), "{}", lines[2]);
    let out = sorthub(&["identify", "--json"], Some(input.as_bytes()));
    let first = text(&out.stdout)
        .lines()
        .next()
        .expect("a line for each code");
    let first: Value = serde_json::from_str(first).expect("each line is JSON");
    assert_eq!(first["code"], long.as_str(), "data is not cut");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_code() {
    let input = "\u{feff}3318810025\n\u{feff}3318810025\n";
    let out = sorthub(&["identify", "--json"], Some(input.as_bytes()));
    let lines: Vec<Value> = text(&out.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    assert_eq!(
        (&lines[0]["valid"], &lines[0]["code"]),
        (&true.into(), &"3318810025".into())
    );
    assert_eq!(
        lines[1]["valid"], false,
        "elsewhere it is a foreign character"
    );
}

/// The JSON of `identify --together`, with the codes given in both orders.
fn together(codes: &[&str]) -> Value {
    let of = |codes: &[&str]| -> Value {
        let out = sorthub(
            &[&["identify", "--together", "--json"][..], codes].concat(),
            None,
        );
        assert_eq!((out.status.code(), text(&out.stderr)), (Some(0), ""));
        serde_json::from_slice(&out.stdout).expect("one object and no more")
    };
    let (mut told, mut backwards) = (of(codes), of(&Vec::from_iter(codes.iter().rev().copied())));
    let list = backwards["codes"].as_array_mut().expect("a list");
    list.reverse();
    assert_eq!(told, backwards, "the order plays no part");
    // Each code has what it has alone, beside whether it counts.
    for (part, code) in told["codes"]
        .as_array_mut()
        .expect("a list")
        .iter_mut()
        .zip(codes)
    {
        let part = part.as_object_mut().expect("an object");
        let counts = part.remove("counts").expect("it is said of each");
        let alone = sorthub(&["identify", "--json", code], None);
        let alone: Value = serde_json::from_slice(&alone.stdout).expect("one object");
        assert_eq!(Value::Object(part.clone()), alone);
        part.clear();
        part.insert("counts".to_owned(), counts);
    }
    told
}

fn counted(flags: &[bool]) -> Value {
    flags
        .iter()
        .map(|counts| serde_json::json!({ "counts": counts }))
        .collect()
}

#[test]
fn the_codes_of_one_label_are_judged_together() {
    let (ups, usps, yto) = (
        "1Z999AA10123456784",
        "9405803699300124287899",
        "YT8962646785389",
    );
    let (sf, other_sf) = ("SF1385628716739", "SF1385628716730");
    // UPS leads, USPS delivers, and a misread code counts for nothing.
    assert_eq!(
        together(&["42090210", ups, usps, "RB123456786US"]),
        serde_json::json!({
            "together": "good", "identity": ups, "postcode": "90210",
            "codes": counted(&[true, true, false, false]),
        })
    );
    assert_eq!(
        together(&[sf, other_sf]),
        serde_json::json!({
            "together": "several-parcels", "identity": null, "identities": [other_sf, sf],
            "codes": counted(&[true, true]),
        })
    );
    let conflict = together(&[sf, yto]);
    assert_eq!(conflict["together"], "conflict");
    assert_eq!(conflict["identity"], Value::Null);
    assert_eq!(conflict["identities"].as_array().map(Vec::len), Some(2));
    let route = together(&["42090210", "RB123456786US"]);
    assert_eq!(
        (&route["together"], &route["postcode"]),
        (&"route-only".into(), &"90210".into())
    );
    let invalid = together(&["RB123456786US"]);
    assert_eq!(
        (&invalid["together"], &invalid["identity"]),
        (&"invalid-code".into(), &Value::Null)
    );
}

#[test]
fn people_read_what_a_label_says_in_its_last_line() {
    let codes = ["1Z999AA10123456784", "9405803699300124287899"];
    let out = sorthub(
        &["identify", "--together"],
        Some(codes.join("\n").as_bytes()),
    );
    let expected = "\
code                    format     carrier  valid  identity                remarks
1Z999AA10123456784      ups-1z     UPS      yes    1Z999AA10123456784
9405803699300124287899  usps-impb  USPS     yes    9405803699300124287899  does not count
together: good; `1Z999AA10123456784` (ups-1z) leads
";
    assert_eq!((out.status.code(), text(&out.stdout)), (Some(0), expected));
    let out = sorthub(
        &[
            "identify",
            "--together",
            "SF1385628716739",
            "SF1385628716730",
        ],
        None,
    );
    let last = text(&out.stdout).lines().last();
    assert_eq!(
        last,
        Some(
            "together: several-parcels; `SF1385628716730` and `SF1385628716739` are both sf, so \
             there are two labels; part the parcels"
        )
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
