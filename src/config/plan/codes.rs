//! Addresses as people write them: how they begin, or from where to where.

use sorthub_core::facts::{Address, AddressFault};

/// A range that needs more prefixes than this is hardly one that somebody meant.
const PREFIXES_MAX: usize = 1_000;

/// The prefixes that a text stands for: itself, or those of a range `from..to`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn prefixes(text: &str) -> Result<Vec<Address>, &'static str> {
    match text.split_once("..") {
        Some((from, to)) => range(from, to),
        None => one(text).map(|prefix| vec![prefix]),
    }
}

fn one(text: &str) -> Result<Address, &'static str> {
    // Of an address these are kept: a longer beginning would stand for more than it says.
    if kept(text).count() > Address::CHARS_MAX {
        return Err("it has more than 12 characters");
    }
    Address::checked(text).map_err(AddressFault::text)
}

/// The characters that an address keeps.
fn kept(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace())
}

/// The prefixes of all addresses between two of the same form, both included.
///
/// Where the bounds hold no letters, ten neighbours that differ in one digit are one prefix: codes
/// of that form have no other successors. With letters they are not: `SW10..SW19` must not become
/// `SW1`, which is also how `SW1A` begins.
///
/// # Errors
/// What is wrong with it.
pub(super) fn range(from: &str, to: &str) -> Result<Vec<Address>, &'static str> {
    one(from)?;
    one(to)?;
    let of = |text: &str| {
        kept(text)
            .map(|c| c.to_ascii_uppercase())
            .collect::<Vec<char>>()
    };
    let (from, to) = (of(from), of(to));
    if from.len() != to.len() {
        return Err("both ends of a range must have the same number of characters");
    }
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let (head, low) = from.split_at(shared);
    let (_, high) = to.split_at(shared);
    if let ([low], [high]) = (low, high)
        && low.is_ascii_uppercase()
        && high.is_ascii_uppercase()
    {
        return if low < high {
            Ok((*low..=*high).map(|last| packed(head, &[last])).collect())
        } else {
            Err("it ends before it begins")
        };
    }
    if !low.iter().chain(high).all(char::is_ascii_digit) {
        return Err("its ends may differ only in digits, or in one last letter");
    }
    // An empty prefix would be every address there is.
    let keeps = usize::from(head.is_empty());
    let joins = !head.iter().any(char::is_ascii_alphabetic);
    let free_max = if joins {
        low.len() - keeps.min(low.len())
    } else {
        0
    };
    let number = |digits: &[char]| {
        digits.iter().fold(0_u64, |number, digit| {
            number * 10 + u64::from(digit.to_digit(10).unwrap_or(0))
        })
    };
    let (low, high, digits) = (number(low), number(high), low.len());
    if low > high {
        return Err("it ends before it begins");
    }
    cover(low, high, digits, free_max)
        .map(|covers| {
            let texts = covers.into_iter().map(|(number, digits)| {
                let text = if digits == 0 {
                    String::new()
                } else {
                    format!("{number:0digits$}")
                };
                packed(head, &text.chars().collect::<Vec<char>>())
            });
            texts.collect()
        })
        .ok_or("it is too wide; write shorter beginnings")
}

fn packed(head: &[char], tail: &[char]) -> Address {
    Address::of(&head.iter().chain(tail).collect::<String>())
}

/// The numbers from `low` to `high` of so many digits as blocks: a number, and how many of its
/// digits are given, which may be up to `free_max` fewer. `None` if there are too many.
fn cover(mut low: u64, high: u64, digits: usize, free_max: usize) -> Option<Vec<(u64, usize)>> {
    let mut blocks = Vec::new();
    while low <= high {
        let (mut size, mut free) = (1_u64, 0);
        while free < free_max && low.is_multiple_of(size * 10) && high - low >= size * 10 - 1 {
            (size, free) = (size * 10, free + 1);
        }
        if blocks.len() == PREFIXES_MAX {
            return None;
        }
        blocks.push((low / size, digits - free));
        low += size;
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Vec<String>, &'static str> {
        let prefixes = prefixes(text)?;
        Ok(prefixes.iter().map(ToString::to_string).collect())
    }

    fn list(texts: &str) -> Result<Vec<String>, &'static str> {
        Ok(texts.split(' ').map(str::to_owned).collect())
    }

    #[test]
    fn a_range_becomes_the_fewest_prefixes() {
        assert_eq!(told("755"), list("755"));
        assert_eq!(told("10000..10599"), list("100 101 102 103 104 105"));
        assert_eq!(told("10998..11001"), list("10998 10999 11000 11001"));
        assert_eq!(told("00000..99999"), list("0 1 2 3 4 5 6 7 8 9"));
        assert_eq!(told("20000..29999"), list("2"));
        assert_eq!(told("755-08..755-11"), list("755-08 755-09 755-10 755-11"));
        assert_eq!(told("755-00..755-99"), list("755-"));
        assert_eq!(
            told("1012 .. 1013"),
            list("1012 1013"),
            "blanks do not count"
        );
        assert_eq!(told("5..5"), list("5"));
    }

    #[test]
    fn with_letters_no_shorter_prefix_stands_for_a_range() {
        assert_eq!(told("sw1a..sw1c"), list("SW1A SW1B SW1C"));
        assert_eq!(told("SW10..SW19").map(|all| all.len()), Ok(10));
        assert!(told("SW1A..SW2A").is_err());
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            " ",
            "..",
            "1..",
            "10..9",
            "10..100",
            "--",
            "B..A",
            "1234567890123",
        ] {
            assert!(told(text).is_err(), "{text}");
        }
        assert!(told("AB0000..AB9999").is_err(), "10,000 prefixes");
    }

    #[test]
    fn a_cover_holds_each_number_of_its_range_once() {
        for (low, high) in [(0, 0), (0, 999), (1, 998), (17, 642), (500, 500), (99, 101)] {
            let blocks = cover(low, high, 3, 3).expect("few");
            let mut covered: Vec<u64> = Vec::new();
            for (number, digits) in blocks {
                let size = 10_u64.pow(3 - digits as u32);
                covered.extend(number * size..(number + 1) * size);
            }
            assert_eq!(covered, (low..=high).collect::<Vec<u64>>());
        }
    }
}
