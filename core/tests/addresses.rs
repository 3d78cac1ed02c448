//! Segment codes and postcodes are packed, and checked, as their documentation says.

use proptest::prelude::*;
use sorthub_core::facts::{Address, AddressFault};

/// What counts of a text: capitals, with every other sign as the same separator.
fn counted(text: &str) -> Vec<char> {
    let kept = text.chars().filter(|c| !c.is_whitespace());
    let capitals = kept.map(|c| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_uppercase(),
        false => '-',
    });
    capitals.collect()
}

/// What is wrong with a text that a person wrote, asked character by character.
fn fault(text: &str) -> Option<AddressFault> {
    let kept = Vec::from_iter(text.chars().filter(|c| !c.is_whitespace()));
    let is_foreign = |c: &char| !c.is_ascii_alphanumeric() && !"-/._".contains(*c);
    match kept.as_slice() {
        [] => Some(AddressFault::Empty),
        kept if kept.iter().any(is_foreign) => Some(AddressFault::Foreign),
        kept if !kept.iter().any(char::is_ascii_alphanumeric) => Some(AddressFault::Bare),
        _ => None,
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9A-Za-z]{0,14}",
        "[0-9A-Za-z./_-]{0,14}",
        "[0-9A-Z \t*-]{0,16}",
        "[0-9区\u{3000}é -]{0,16}",
        "[./_-]{0,14}",
    ]
}

proptest! {
    #[test]
    fn a_text_is_packed_by_what_counts_of_it(text in text()) {
        let kept = String::from_iter(counted(&text).iter().take(Address::CHARS_MAX));
        let address = Address::of(&text);
        prop_assert_eq!(address.to_string(), kept.clone(), "{:?}", text);
        prop_assert_eq!(address.chars(), kept.len());
        prop_assert_eq!(address.is_some(), !kept.is_empty());
    }

    #[test]
    fn a_text_that_a_person_wrote_is_an_address_or_has_its_fault(text in text()) {
        let expected = fault(&text).map_or_else(|| Ok(Address::of(&text)), Err);
        prop_assert_eq!(Address::checked(&text), expected, "{:?}", text);
    }
}
