//! What codes are: patterns, precedence and check characters. Numbers of carriers are tested with
//! the shipped table, in the root's tests.

use proptest::prelude::*;
use sorthub_core::identify::*;
use sorthub_core::ids::{CodeId, FormatId};
use sorthub_core::limits::{CODE_CHARS_MAX, FORMAT_SHAPES_MAX};

fn format(name: &str, priority: u16, patterns: &[&str]) -> FormatSpec {
    let mut format = FormatSpec::new(name, "carrier", patterns);
    format.priority = priority;
    format
}

fn checked(name: &str, priority: u16, pattern: &str, check: CheckSpec) -> FormatSpec {
    let mut format = format(name, priority, &[pattern]);
    format.check = Some(check);
    format
}

fn table(formats: Vec<FormatSpec>) -> Formats {
    Formats::new(FormatsSpec { formats }).expect("the table has no faults")
}

fn name(formats: &Formats, found: &Identified) -> Option<String> {
    let format = found.format().and_then(|id| formats.format(id));
    format.map(|format| format.name.clone())
}

const GS1: &str = r"(?<over>\d{7})(?<check>\d)";

#[test]
fn a_check_digit_decides_between_formats_of_one_priority() {
    let gs1 = checked("gs1", 10, GS1, CheckSpec::Gs1Mod10);
    let formats = table(vec![format("bare", 10, &[r"\d{8}"]), gs1]);
    // 1234567: 3 (7+5+3+1) + 6+4+2 = 60, which lacks nothing.
    let good = formats.identify("12345670");
    assert_eq!(
        (name(&formats, &good).as_deref(), good.verdict()),
        (Some("gs1"), Verdict::Checked)
    );
    let bad = formats.identify("12345671");
    assert_eq!(
        (name(&formats, &bad).as_deref(), bad.verdict()),
        (Some("bare"), Verdict::Unchecked)
    );
}

#[test]
fn priority_comes_before_the_check_digit_and_the_table_order_last() {
    let gs1 = checked("gs1", 20, GS1, CheckSpec::Gs1Mod10);
    let begins = [
        format("later", 15, &[r"12\d{6}"]),
        format("last", 15, &[r"1\d{7}"]),
    ];
    let formats = table([vec![gs1], begins.to_vec()].concat());
    assert_eq!(
        name(&formats, &formats.identify("12345670")).as_deref(),
        Some("later")
    );
    assert_eq!(
        name(&formats, &formats.identify("13345677")).as_deref(),
        Some("last")
    );
    let failed = formats.identify("22345671");
    assert_eq!(name(&formats, &failed).as_deref(), Some("gs1"));
    let (found, expected) = ('1', '7');
    assert_eq!(failed.verdict(), Verdict::Failed { found, expected });
    assert_eq!((failed.identity(), failed.code_id()), (None, CodeId::NONE));
}

#[test]
fn of_failing_formats_the_first_is_named() {
    let mod_7 = checked("seven", 30, r"(?<over>\d{7})(?<check>\d)", CheckSpec::Mod7);
    let gs1 = checked("gs1", 20, GS1, CheckSpec::Gs1Mod10);
    let formats = table(vec![mod_7, gs1]);
    assert_eq!(
        name(&formats, &formats.identify("12345679")).as_deref(),
        Some("gs1")
    );
    // 1234567 mod 7 = 5.
    assert_eq!(
        name(&formats, &formats.identify("12345675")).as_deref(),
        Some("seven")
    );
}

#[test]
fn parts_are_where_the_pattern_says_whatever_the_counts() {
    let pattern = r"X?(?<postcode>\d{2,3})-(?<identity>[A-C]{1,2}\d)(?<address>Z{0,2})";
    let formats = table(vec![format("parts", 1, &[pattern])]);
    for (code, postcode, identity, address) in [
        ("12-a1", "12", "A1", None),
        ("X123-AB1", "123", "AB1", None),
        ("x12-c9z", "12", "C9", Some("Z")),
        ("123-BC0ZZ", "123", "BC0", Some("ZZ")),
    ] {
        let found = formats.identify(code);
        assert_eq!(found.postcode(), Some(postcode), "{code}");
        assert_eq!(
            (found.identity(), found.address()),
            (Some(identity), address),
            "{code}"
        );
    }
    for code in ["1-A1", "12-D1", "12A1", "12-A1ZZZ", "1234-A1", "Y12-A1"] {
        assert_eq!(
            formats.identify(code).verdict(),
            Verdict::NoFormat,
            "{code}"
        );
    }
}

#[test]
fn what_scanners_add_is_left_out() {
    let sscc = format("sscc", 1, &[r"00(?<identity>\d{18})"]);
    let formats = table(vec![sscc, format("upper", 1, &["AB12"])]);
    for code in [
        "00095287654321012346",
        "]C100095287654321012346",
        "]C1\u{1d}00095287654321012346\u{1d}",
        "(00)095287654321012346",
        " (00) 0 9528765 432101234 6\r\n\0",
        "]E0]C100095287654321012346",
    ] {
        assert_eq!(
            formats.identify(code).identity(),
            Some("095287654321012346"),
            "{code:?}"
        );
    }
    assert_eq!(formats.identify("aB12").code(), "AB12");
}

#[test]
fn what_is_no_code_is_said_to_be_none() {
    let formats = table(vec![format("any", 1, &[r"[0-9A-Z]{1,64}"])]);
    let verdict = |code: &str| formats.identify(code).verdict();
    for code in ["", " \t", "()", "]C1", "\u{1d}"] {
        assert_eq!(
            verdict(code),
            Verdict::NotACode(NotACode::Empty),
            "{code:?}"
        );
    }
    assert_eq!(verdict(&"1".repeat(CODE_CHARS_MAX)), Verdict::Unchecked);
    let long = "1".repeat(CODE_CHARS_MAX + 1);
    assert_eq!(verdict(&long), Verdict::NotACode(NotACode::TooLong));
    for code in ["12\u{2}", "Käse", "\u{7f}", "１２"] {
        assert_eq!(
            verdict(code),
            Verdict::NotACode(NotACode::Foreign),
            "{code:?}"
        );
    }
}

#[test]
fn fnc1_inside_a_code_tells_where_a_part_ends() {
    let long = r"420(?<postcode>\d{5})(?<identity>9\d{9})";
    let short = r"420(?<postcode>\d{9})(?<identity>9\d{5})";
    let formats = table(vec![format("zip", 1, &[short, long])]);
    let found = formats.identify("420123459234912345");
    assert_eq!(found.postcode(), Some("123459234"), "the first that fits");
    let found = formats.identify("42012345\u{1d}9234912345");
    assert_eq!(
        (found.postcode(), found.identity()),
        (Some("12345"), Some("9234912345"))
    );
    let found = formats.identify("4201\u{1d}23459234912345");
    assert_eq!(found.verdict(), Verdict::NoFormat, "no part ends there");
}

#[test]
fn separators_are_left_out_only_where_they_fit_nothing() {
    let mut printed = checked("printed", 10, GS1, CheckSpec::Gs1Mod10);
    printed.separators = ".-".into();
    let own = format("own", 50, &[r"\d{7}-\d"]);
    let formats = table(vec![printed, own]);
    assert_eq!(formats.identify("12.34-567.0").identity(), Some("12345670"));
    assert_eq!(formats.identify("1234567-0").identity(), Some("1234567-0"));
    assert_eq!(
        formats.identify("1234/5670").verdict(),
        Verdict::NoFormat,
        "not its separator"
    );
    let (found, expected) = ('1', '0');
    assert_eq!(
        formats.identify("12.345671").verdict(),
        Verdict::Failed { found, expected }
    );
}

#[test]
fn what_the_print_leaves_out_is_checked_and_identifies() {
    let mut without = checked("without", 10, GS1, CheckSpec::Gs1Mod10);
    without.omitted = "92".into();
    let with = checked(
        "with",
        10,
        r"(?<over>92\d{7})(?<check>\d)",
        CheckSpec::Gs1Mod10,
    );
    let formats = table(vec![without, with]);
    // 9212345670 would be 60 + 2 + 3*9 = 89: it lacks 1.
    let (short, long) = (formats.identify("12345671"), formats.identify("9212345671"));
    assert_eq!(short.identity(), Some("9212345671"));
    assert_eq!(
        (short.identity(), short.code_id()),
        (long.identity(), long.code_id())
    );
    assert_eq!(short.code(), "12345671");
    assert!(!formats.identify("12345670").verdict().is_good());
    assert_eq!(
        formats.identify("]C112345671").identity(),
        Some("9212345671")
    );
}

#[test]
fn a_word_that_is_not_in_the_list_is_another_format() {
    let mut country = format("country", 1, &[r"\d(?<word>[A-Z]{2})"]);
    country.words = vec!["GB".into(), "CN".into(), "US".into()];
    let formats = table(vec![country]);
    for code in ["1GB", "2cn", "3US"] {
        assert!(formats.identify(code).verdict().is_good(), "{code}");
    }
    for code in ["1XX", "1G", "1GBR"] {
        assert_eq!(
            formats.identify(code).verdict(),
            Verdict::NoFormat,
            "{code}"
        );
    }
}

#[test]
fn weighted_sums_go_round_from_the_right() {
    let weighted = |weights: &[u8], modulus, digit| CheckSpec::Weighted {
        weights: weights.to_vec(),
        modulus,
        digit,
    };
    let pattern = r"(?<over>\d{5})(?<check>\d)";
    // 5*2 + 4*3 + 3*2 + 2*3 + 1*2 = 36.
    for (modulus, digit, expected) in [
        (7, CheckDigit::Remainder, "1"),
        (7, CheckDigit::Complement, "6"),
        (11, CheckDigit::Remainder, "3"),
        (36, CheckDigit::Remainder, "0"),
        (36, CheckDigit::Complement, "0"),
        (26, CheckDigit::Remainder, "0"), // ten
    ] {
        let rule = weighted(&[2, 3], modulus, digit);
        let formats = table(vec![checked("sum", 1, pattern, rule)]);
        let found = formats.identify(&format!("12345{expected}"));
        assert_eq!(found.verdict(), Verdict::Checked, "{modulus} {digit:?}");
    }
}

fn kinds(format: FormatSpec) -> Vec<FormatFaultKind> {
    let found = Formats::new(FormatsSpec {
        formats: vec![format],
    });
    let faults = found.expect_err("the format is faulty");
    faults.into_iter().map(|fault| fault.kind).collect()
}

#[test]
fn a_faulty_pattern_is_refused_where_it_is_faulty() {
    use FormatFaultKind::*;
    for (pattern, at, kind) in [
        (r"\d{3}a", Some(5), LowerCase('a')),
        ("A B", Some(1), NeverMet(' ')),
        ("ABß", Some(2), NeverMet('ß')),
        (r"\w", Some(0), NotKnown('w')),
        (r"A\", Some(1), NotKnown('\\')),
        ("A|B", Some(1), NotKnown('|')),
        (r"1Z\d+", Some(4), NotKnown('+')),
        ("[A-", Some(0), BadSet),
        ("A[]", Some(1), BadSet),
        ("[^A]", Some(0), BadSet),
        ("[9-0]", Some(0), BadSet),
        ("A]", Some(1), BadSet),
        ("{2}", Some(0), BadCount),
        ("A{2", Some(0), BadCount),
        ("AB{3,2}", Some(1), BadCount),
        ("AB{0}", Some(1), BadCount),
        ("A{,2}", Some(0), BadCount),
        ("A?{2}", Some(2), BadCount),
        ("(A)", Some(0), Unbalanced),
        ("A(?<identity>B", Some(1), Unbalanced),
        ("(?<identity", Some(0), Unbalanced),
        ("AB)", Some(2), Unbalanced),
        ("(?<idenity>A)", Some(0), NoSuchGroup("idenity".into())),
        ("(?<word>A)(?<word>B)", Some(10), GroupTwice("word")),
        ("", None, Empty),
        (r"\d{0,3}A?", None, Empty),
        (r"\d{99}", Some(0), TooLong),
        (r"\d{99999999999999999999}", Some(0), TooLong),
        (r"\d{40}[A-Z]{25}", None, TooLong),
        (r"A{1,20}B{1,20}", None, TooWide),
    ] {
        let spec = format("faulty", 1, &["A", pattern]);
        let found = Formats::new(FormatsSpec {
            formats: vec![spec],
        })
        .expect_err(pattern);
        let part = FormatPart::Pattern { nth: 1, at };
        let expected = FormatFault {
            format: 0,
            part,
            kind,
        };
        assert_eq!(found, [expected], "{pattern}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    use FormatFaultKind::*;
    let gs1 = |pattern| checked("f", 1, pattern, CheckSpec::Gs1Mod10);
    assert_eq!(kinds(gs1(r"\d{8}")), [NoCheckGroup]);
    assert_eq!(kinds(gs1(r"(?<over>\d{7})\d")), [HalfCheck]);
    assert_eq!(kinds(gs1(r"\d{7}(?<check>\d)")), [HalfCheck]);
    assert_eq!(kinds(gs1(r"(?<over>\d{7})(?<check>\d{2})")), [WideCheck]);
    assert_eq!(
        kinds(gs1(r"(?<over>[A-Z]{7})(?<check>\d)")),
        [NotDigits("over")]
    );
    assert_eq!(
        kinds(gs1(r"(?<over>\d{7})(?<check>[0-9A-Z])")),
        [NotDigits("check")]
    );
    assert_eq!(kinds(format("f", 1, &[GS1])), [NoRule]);
    let s10 = checked("f", 1, r"(?<over>\d{7,8})(?<check>\d)", CheckSpec::S10Mod11);
    assert_eq!(kinds(s10), [WrongCount(8)]);
    for (weights, modulus) in [
        (vec![], 10),
        (vec![0, 1], 10),
        (vec![1; 33], 10),
        (vec![1], 1),
    ] {
        let digit = CheckDigit::Remainder;
        let rule = CheckSpec::Weighted {
            weights,
            modulus,
            digit,
        };
        assert_eq!(kinds(checked("f", 1, GS1, rule)), [BadWeights]);
    }
    let mut wrong = gs1(GS1);
    wrong.omitted = "9A".into();
    assert_eq!(kinds(wrong.clone()), [BadOmitted], "the rule takes digits");
    wrong.omitted = "12345".into();
    assert_eq!(kinds(wrong), [BadOmitted]);
    let mut elsewhere = format("f", 1, &[r"A(?<identity>\d)"]);
    elsewhere.omitted = "9".into();
    assert_eq!(kinds(elsewhere), [OmittedElsewhere]);
    let mut separators = format("f", 1, &["A"]);
    separators.separators = "-_".into();
    assert_eq!(kinds(separators), [BadSeparator('_')]);
    assert_eq!(kinds(format("f", 1, &["(?<word>A)"])), [HalfWord]);
    let mut words = format("f", 1, &["(?<word>[A-Z]{2})"]);
    words.words = vec!["GB".into(), "g1".into(), "GBR".into()];
    assert_eq!(kinds(words.clone()), [BadWord, BadWord]);
    words.patterns = vec!["A".into()];
    assert!(kinds(words).contains(&HalfWord));
    let mut route = format("f", 1, &["A"]);
    route.kind = Kind::Route;
    assert_eq!(kinds(route), [NoAddress]);
    assert_eq!(kinds(format("f", 1, &[])), [NoPattern]);
    assert_eq!(kinds(format(" ", 1, &["A"])), [NoName]);
}

#[test]
fn a_table_has_limits_and_unique_names() {
    let spec = FormatsSpec {
        formats: vec![format("a", 1, &["A"]), format("a", 1, &["B"])],
    };
    let faults = Formats::new(spec).expect_err("one name, two formats");
    assert_eq!(
        (faults.len(), faults[0].format, faults[0].part),
        (1, 1, FormatPart::Name)
    );
    let wide = format!(r"\d{{1,{}}}", CODE_CHARS_MAX);
    let patterns = vec![wide.as_str(); FORMAT_SHAPES_MAX / CODE_CHARS_MAX];
    let many = (0..17).map(|nth| format(&format!("f{nth}"), 1, &patterns));
    let faults = Formats::new(FormatsSpec {
        formats: many.collect(),
    })
    .expect_err("too many");
    assert_eq!(faults[0].kind, FormatFaultKind::TooManyShapes);
    let more = [patterns, vec!["A"]].concat();
    assert_eq!(kinds(format("f", 1, &more)), [FormatFaultKind::TooWide]);
    let many = (0..1_001).map(|nth| format(&format!("f{nth}"), 1, &["A"]));
    let faults = Formats::new(FormatsSpec {
        formats: many.collect(),
    })
    .expect_err("too many");
    assert_eq!(faults[0].kind, FormatFaultKind::TooManyFormats);
}

#[test]
fn every_fault_says_its_mend() {
    let mut formats = vec![
        format("", 1, &["a", "[", "(?<x>A)", "A{0}", "A*"]),
        checked("b", 1, "A", CheckSpec::Gs1Mod10),
        format("b", 1, &["(?<check>A)", "(?<word>A)"]),
    ];
    formats[2].omitted = "abcde".into();
    formats[2].separators = "x".into();
    let faults = Formats::new(FormatsSpec { formats }).expect_err("many faults");
    assert!(faults.len() >= 10, "{faults:?}");
    for fault in faults {
        let text = fault.kind.to_string();
        let halves: Vec<&str> = text.split("; ").collect();
        assert!(halves.len() == 2 && !halves[1].is_empty(), "{text}");
    }
}

/// One format with a check digit, and one that only says where to.
fn two() -> Formats {
    let mut route = format("route", 5, &[r"Z(?<postcode>\d{5})"]);
    route.kind = Kind::Route;
    table(vec![checked("gs1", 20, GS1, CheckSpec::Gs1Mod10), route])
}

/// What a plain reading of a pattern says, place by place.
fn plain_fit(sets: &[(&str, usize)], code: &str) -> bool {
    let places: Vec<&str> = sets
        .iter()
        .flat_map(|(set, count)| vec![*set; *count])
        .collect();
    let in_set = |set: &str, c: char| match set {
        r"\d" => c.is_ascii_digit(),
        "[A-Z]" => c.is_ascii_uppercase(),
        "[0-9A-F]" => c.is_ascii_digit() || ('A'..='F').contains(&c),
        "[13579]" => "13579".contains(c),
        one => one == c.to_string(),
    };
    places.len() == code.len()
        && places
            .iter()
            .zip(code.chars())
            .all(|(set, c)| in_set(set, c))
}

type Sets = Vec<(&'static str, usize)>;

fn sets() -> impl Strategy<Value = Sets> {
    let set = prop::sample::select(vec![r"\d", "[A-Z]", "[0-9A-F]", "[13579]", "7", "B", "%"]);
    prop::collection::vec((set, 1..3_usize), 1..4)
}

fn alphabet() -> impl Strategy<Value = String> {
    let c = prop::sample::select(vec!['0', '1', '7', 'A', 'B', 'F', 'G', 'Z', '%']);
    prop::collection::vec(c, 1..6).prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// More than 64 formats share a length here, so that masks have several words.
    #[test]
    fn the_first_format_that_fits_is_found(
        patterns in prop::collection::vec(sets(), 1..300),
        codes in prop::collection::vec(alphabet(), 1..20),
    ) {
        let text = |sets: &Sets| -> String {
            sets.iter().map(|(set, count)| format!("{set}{{{count}}}")).collect()
        };
        let specs = patterns.iter().enumerate();
        let specs = specs.map(|(n, sets)| format(&n.to_string(), 1, &[&text(sets)]));
        let formats = table(specs.collect());
        for code in &codes {
            let first = patterns.iter().position(|sets| plain_fit(sets, code));
            let first = first.map(|at| FormatId(at as u16));
            prop_assert_eq!(formats.identify(code).format(), first, "{}", code);
        }
    }

    #[test]
    fn any_text_is_survived(
        code in any::<String>(),
        bytes in prop::collection::vec(any::<u8>(), 0..90),
    ) {
        let formats = two();
        for code in [code, String::from_utf8_lossy(&bytes).into_owned()] {
            let found = formats.identify(&code);
            let said = found.identity().or(found.postcode());
            prop_assert_eq!(found.verdict().is_good(), said.is_some());
            let _ = formats.label([code.as_str(), code.as_str()]);
        }
    }

    #[test]
    fn any_pattern_is_survived(
        pattern in r"[\[\](){}?<>\\dA-Z0-9,a-z*-]{0,30}",
        code in any::<String>(),
    ) {
        let formats = vec![format("f", 1, &[&pattern])];
        if let Ok(formats) = Formats::new(FormatsSpec { formats }) {
            let _ = formats.identify(&code);
        }
    }

    #[test]
    fn one_spelling_is_reached_at_once(code in r"(\]?[A-Za-z]?[0-9a-zA-Z])?[ -~\x1d]{0,70}") {
        if let Ok(once) = Code::new(&code) {
            let twice = Code::new(once.as_str()).expect("it was a code");
            prop_assert_eq!(once.as_str(), twice.as_str());
        }
    }

    #[test]
    fn blanks_and_small_letters_change_nothing(
        number in 0..10_000_000_u32,
        blanks in prop::collection::vec(0..3_usize, 8),
    ) {
        let formats = two();
        let expected = |check: &u32| formats.identify(&format!("{number:07}{check}"));
        let good = (0..10).find(|check| expected(check).verdict() == Verdict::Checked);
        let code = format!("{number:07}{}", good.expect("one of the ten is right"));
        let chars = code.chars().zip(&blanks);
        let spaced: String = chars.map(|(c, n)| format!("{}{c}", " ".repeat(*n))).collect();
        let found = formats.identify(&spaced);
        prop_assert_eq!(found.identity(), Some(code.as_str()));
    }

    /// GS1 and MOD 37,36 promise to notice every single wrong character.
    #[test]
    fn one_wrong_character_is_noticed(
        number in "[0-9]{17}",
        letters in "[0-9A-Z]{14}",
        at in any::<prop::sample::Index>(),
        other in 1..36_u8,
    ) {
        const SIGNS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let gs1 = checked("d", 1, r"(?<over>\d{17})(?<check>\d)", CheckSpec::Gs1Mod10);
        let pattern = "(?<over>[0-9A-Z]{14})(?<check>[0-9A-Z])";
        let iso = checked("l", 1, pattern, CheckSpec::Iso7064Mod37x36);
        let formats = table(vec![gs1, iso]);
        for (payload, signs) in [(&number, &SIGNS[..10]), (&letters, SIGNS)] {
            let whole = signs.iter().map(|sign| format!("{payload}{}", char::from(*sign)));
            let good = whole.filter(|code| formats.identify(code).verdict().is_good());
            let good: Vec<String> = good.collect();
            prop_assert_eq!(good.len(), 1, "one check character is right");
            let mut wrong = good[0].clone().into_bytes();
            let place = at.index(wrong.len());
            let old = signs.iter().position(|sign| *sign == wrong[place]).expect("it is a sign");
            let step = usize::from(other) % (signs.len() - 1) + 1;
            wrong[place] = signs[(old + step) % signs.len()];
            let wrong = String::from_utf8(wrong).expect("ASCII");
            let verdict = formats.identify(&wrong).verdict();
            prop_assert!(!verdict.is_good(), "{} for {}", wrong, good[0]);
        }
    }
}
