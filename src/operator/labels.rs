//! Labels of bags and cages, as scanned when one is hung.

use std::sync::OnceLock;

use sorthub_core::identify::{Formats, Kind, Verdict};
use sorthub_core::ids::CodeId;

use super::problem::Problem;
use crate::config::CarrierFile;

/// Longest label.
const LABEL_CHARS_MAX: usize = 100;

/// A label, by its number and the text of that: the identity of an SSCC, or a pattern of the hub's
/// own that no carrier's codes have. Without a table of the hub the built-in one says what is a
/// carrier's.
///
/// # Errors
/// It was misread, or it is a parcel's.
pub(super) fn read(text: &str, formats: Option<&Formats>) -> Result<(CodeId, String), Problem> {
    static SHIPPED: OnceLock<Formats> = OnceLock::new();
    let shipped = || SHIPPED.get_or_init(|| CarrierFile::shipped().formats);
    let formats = formats.unwrap_or_else(shipped);
    let text = text.trim();
    if text.is_empty() || text.chars().nth(LABEL_CHARS_MAX).is_some() {
        let problem = format!("a label has 1 to {LABEL_CHARS_MAX} characters");
        return Err(Problem::unusable(problem, "scan it again"));
    }
    let found = formats.identify(text);
    match (found.verdict(), found.kind()) {
        (Verdict::NoFormat | Verdict::NotACode(_), _) => Ok(own(text)),
        (verdict, Some(Kind::Container | Kind::Unit)) if verdict.is_good() => {
            Ok(found.identity().map_or_else(|| own(text), own))
        }
        (verdict @ Verdict::Failed { .. }, Some(Kind::Container | Kind::Unit)) => {
            let problem = format!("`{text}` is no valid label: {verdict}");
            Err(Problem::unusable(problem, "scan it again"))
        }
        (verdict, Some(Kind::Waybill)) if verdict.is_good() => {
            let problem = format!("`{text}` is a parcel's number, not a bag's");
            Err(Problem::unusable(problem, "scan the label of the bag"))
        }
        // A waybill's form with a wrong check digit is nobody's; a route is not on parcels here.
        _ => Ok(own(text)),
    }
}

fn own(text: &str) -> (CodeId, String) {
    (CodeId::of(text), text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_and_own_patterns_are_taken_and_misreadings_are_not() {
        // The example of the GS1 General Specifications, in two of its prints.
        let sscc = read("376130321109103420", None).expect("a good SSCC");
        assert_eq!(read("(00)3 7613032 110910342 0", None), Ok(sscc));
        assert!(read("376130321109103421", None).is_err());
        let own = (CodeId::of("BAG-0007"), "BAG-0007".to_owned());
        assert_eq!(read(" BAG-0007 ", None), Ok(own));
        assert!(read("1Z999AA10123456784", None).is_err(), "a parcel's");
        assert!(read("  ", None).is_err());
    }
}
