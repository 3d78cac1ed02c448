//! Labels of bags and cages, as scanned when one is hung.

use std::sync::OnceLock;

use sorthub_core::identify::{Formats, Identified, Kind, Verdict};
use sorthub_core::ids::CodeId;
use sorthub_core::limits::CODE_CHARS_MAX;

use super::problem::Problem;
use crate::config::CarrierFile;

/// FNC1 inside a code, as readers send it.
const GS: char = '\u{1d}';

/// How an SSCC is long, with and without its application identifier, give or take a digit: digits
/// of such a number are meant for one.
const LIKE_SSCC: std::ops::RangeInclusive<usize> = 17..=21;

/// Whether a text has characters that stand on no label: they would garble lists and logs.
pub(super) fn has_control(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != GS)
}

/// The identity of a label: an SSCC, or one of the hub's `own` patterns. A hub whose table of
/// formats has any for containers knows them by these; without a table the built-in one says what
/// is a carrier's, and if there are no patterns either, any plain text is taken that is none of it.
///
/// # Errors
/// It was misread, it is a parcel's, or nothing says that it is a container's.
pub(super) fn identity(
    text: &str,
    formats: Option<&Formats>,
    own: Option<&Formats>,
) -> Result<CodeId, Problem> {
    text_of(text, formats, own).map(|text| CodeId::of(&text))
}

/// The same, as the text that the identity is the number of.
///
/// # Errors
/// As for [`identity`].
pub(super) fn text_of(
    text: &str,
    formats: Option<&Formats>,
    own: Option<&Formats>,
) -> Result<String, Problem> {
    static SHIPPED: OnceLock<Formats> = OnceLock::new();
    let shipped = || SHIPPED.get_or_init(|| CarrierFile::shipped().formats);
    let text = text.trim();
    if text.chars().count() > CODE_CHARS_MAX || has_control(text) {
        let problem =
            format!("a label has at most {CODE_CHARS_MAX} characters, and no control characters");
        return Err(Problem::unusable(problem, "scan it again"));
    }
    let named = |found: &Identified| found.identity().unwrap_or(text).to_owned();
    let of = |formats: &Formats| formats.identify(text);
    if let Some(found) = own.map(of).filter(|found| found.verdict().is_good()) {
        return Ok(named(&found));
    }
    let known = formats.filter(|formats| has_containers(formats));
    let found = of(known.unwrap_or_else(shipped));
    let is_container = |found: &Identified| {
        let kind = found.kind();
        matches!(kind, Some(Kind::Container | Kind::Unit))
    };
    let parcel = [Some(found), formats.map(of)].into_iter().flatten();
    let mut parcel = parcel.filter(|found| found.verdict().is_good() && !is_container(found));
    match found.verdict() {
        verdict if verdict.is_good() && is_container(&found) => return Ok(named(&found)),
        verdict @ Verdict::Failed { .. } if is_container(&found) => {
            let problem = format!("`{text}` is no valid label: {verdict}");
            return Err(Problem::unusable(problem, "scan it again"));
        }
        _ => {}
    }
    if parcel.any(|found| found.kind() == Some(Kind::Waybill)) {
        let problem = format!("`{text}` is a parcel's number, not a bag's");
        return Err(Problem::unusable(problem, "scan the label of the bag"));
    }
    // A waybill's form with a wrong check digit is nobody's; a route is not on parcels here.
    if formats.is_none() && own.is_none() && is_plain(text) {
        return Ok(text.to_owned());
    }
    Err(refused(text, formats, own))
}

fn has_containers(formats: &Formats) -> bool {
    let mut all = formats.spec().formats.iter();
    all.any(|format| matches!(format.kind, Kind::Container | Kind::Unit))
}

/// Whether a text can be a label where nothing says what one looks like.
fn is_plain(text: &str) -> bool {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_like_sscc = is_number && LIKE_SSCC.contains(&text.len());
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) && !is_like_sscc
}

/// What is expected instead.
fn refused(text: &str, formats: Option<&Formats>, own: Option<&Formats>) -> Problem {
    let patterns = own.map(|own| {
        let all = own
            .spec()
            .formats
            .iter()
            .flat_map(|format| &format.patterns);
        let all = all.map(|pattern| format!("`{pattern}`"));
        all.collect::<Vec<_>>().join(" or ")
    });
    let mend = match (patterns, formats) {
        (Some(patterns), _) => format!("scan an SSCC, or a label of the form {patterns}"),
        (None, Some(_)) => {
            "scan an SSCC; what other labels look like, `container_labels` of the hub file says"
                .to_owned()
        }
        (None, None) => {
            "scan an SSCC, which is 18 digits, or a label without blanks in plain letters"
                .to_owned()
        }
    };
    Problem::unusable(format!("`{text}` is no label of a container"), mend)
}

#[cfg(test)]
mod tests {
    use sorthub_core::identify::{FormatSpec, FormatsSpec};

    use super::*;

    /// The example of the GS1 General Specifications.
    const SSCC: &str = "376130321109103420";

    fn bags(patterns: &[&str]) -> Formats {
        let mut spec = FormatSpec::new("bag", "hub", patterns);
        spec.kind = Kind::Container;
        let formats = vec![spec];
        Formats::new(FormatsSpec { formats }).expect("good patterns")
    }

    fn refusal(text: &str, formats: Option<&Formats>, own: Option<&Formats>) -> String {
        identity(text, formats, own).expect_err(text).to_string()
    }

    #[test]
    fn without_a_word_of_the_hub_plain_texts_are_taken_and_misreadings_are_not() {
        let of = |text| identity(text, None, None);
        assert_eq!(
            of("(00)3 7613032 110910342 0"),
            of(SSCC),
            "two prints of one"
        );
        assert_eq!(of(SSCC), Ok(CodeId::of(SSCC)));
        assert_eq!(of(" BAG-0007 "), Ok(CodeId::of("BAG-0007")));
        let told = |text| refusal(text, None, None);
        assert!(told("376130321109103421").contains("must be 0"));
        assert!(told("37613032110910342").contains("18 digits"), "one short");
        assert!(told("1Z999AA10123456784").contains("a parcel's"));
        for text in ["", "a b", "a\u{7}b", "a\nb", "Säcke", &"B".repeat(65)] {
            assert!(of(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_hub_that_says_what_its_labels_look_like_takes_no_others() {
        let own = bags(&[r"BAG-\d{4}", r"C\d{3}"]);
        let table = CarrierFile::shipped().formats;
        for formats in [None, Some(&table)] {
            let of = |text| identity(text, formats, Some(&own));
            assert_eq!(of("bag-0007"), Ok(CodeId::of("BAG-0007")));
            assert_eq!(of(SSCC), Ok(CodeId::of(SSCC)));
            for text in ["BAG-007", "BAG 0007 X", "37613032110910342"] {
                let told = refusal(text, formats, Some(&own));
                assert!(told.contains(r"`BAG-\d{4}` or `C\d{3}`"), "{told}");
            }
        }
    }

    #[test]
    fn a_table_of_formats_says_what_a_container_is() {
        let shipped = CarrierFile::shipped().formats;
        assert_eq!(identity(SSCC, Some(&shipped), None), Ok(CodeId::of(SSCC)));
        let told = refusal("BAG-0007", Some(&shipped), None);
        assert!(told.contains("container_labels"), "{told}");
        // It may have its own, and then an SSCC is as foreign as any other.
        let cages = bags(&[r"K\d{5}"]);
        assert_eq!(
            identity("K00017", Some(&cages), None),
            Ok(CodeId::of("K00017"))
        );
        assert!(identity(SSCC, Some(&cages), None).is_err());
        // One of parcels alone leaves containers to the standard.
        let mut parcels = FormatSpec::new("parcel", "hub", &[r"P\d{5}"]);
        parcels.kind = Kind::Waybill;
        let formats = vec![parcels];
        let parcels = Formats::new(FormatsSpec { formats }).expect("a good pattern");
        assert_eq!(identity(SSCC, Some(&parcels), None), Ok(CodeId::of(SSCC)));
        assert!(refusal("P00017", Some(&parcels), None).contains("a parcel's"));
    }
}
