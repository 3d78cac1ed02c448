//! SPDX licence expressions: whether a choice allowed by an expression is one that we accept.

/// Whether `expression` can be met with licences for which `accepted` says yes.
///
/// `A OR B` (and the older `A/B`) leaves us the choice, `A AND B` asks for both, and
/// `A WITH exception` is one licence by that whole name.
///
/// # Errors
/// Where the text is no licence expression.
pub(crate) fn satisfied(
    expression: &str,
    accepted: &impl Fn(&str) -> bool,
) -> Result<bool, String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser {
        words: &words,
        accepted,
    };
    let met = parser.any_of()?;
    match parser.words.first() {
        None => Ok(met),
        Some(word) => Err(format!("`{word}` is unexpected in `{expression}`")),
    }
}

struct Parser<'a, F> {
    /// What is not yet read.
    words: &'a [&'a str],
    accepted: &'a F,
}

impl<'a, F: Fn(&str) -> bool> Parser<'a, F> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn any_of(&mut self) -> Result<bool, String> {
        let mut met = self.all_of()?;
        while self.take("OR") {
            met |= self.all_of()?;
        }
        Ok(met)
    }

    fn all_of(&mut self) -> Result<bool, String> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Ok(met)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let met = self.any_of()?;
            return if self.take(")") {
                Ok(met)
            } else {
                Err("a `)` is missing".to_owned())
            };
        }
        let name = self.name()?;
        if self.take("WITH") {
            let whole = format!("{name} WITH {}", self.name()?);
            return Ok((self.accepted)(&whole));
        }
        Ok((self.accepted)(name))
    }

    fn name(&mut self) -> Result<&'a str, String> {
        match self.words.split_first() {
            Some((name, rest)) if !["OR", "AND", "WITH", "(", ")"].contains(name) => {
                self.words = rest;
                Ok(name)
            }
            other => Err(format!(
                "a licence is missing before `{:?}`",
                other.map(|(word, _)| word)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(accepted: &[&str], expression: &str) -> Result<bool, String> {
        satisfied(expression, &|name| accepted.contains(&name))
    }

    #[test]
    fn one_accepted_choice_is_enough() {
        assert_eq!(with(&["MIT"], "MIT OR GPL-3.0-only"), Ok(true));
        assert_eq!(with(&["MIT"], "Unlicense/MIT"), Ok(true));
        assert_eq!(with(&["MIT"], "GPL-3.0-only"), Ok(false));
    }

    #[test]
    fn and_asks_for_both_and_binds_tighter_than_or() {
        assert_eq!(with(&["MIT"], "MIT AND OpenSSL"), Ok(false));
        assert_eq!(with(&["MIT"], "MIT OR X AND Y"), Ok(true));
        assert_eq!(with(&["MIT"], "(MIT OR X) AND Y"), Ok(false));
        assert_eq!(with(&["X", "Y"], "(MIT OR X) AND Y"), Ok(true));
    }

    #[test]
    fn an_exception_is_part_of_the_name() {
        assert_eq!(
            with(&["Apache-2.0"], "Apache-2.0 WITH LLVM-exception"),
            Ok(false)
        );
        let both = "Apache-2.0 WITH LLVM-exception";
        assert_eq!(
            with(&[both], "Apache-2.0 WITH LLVM-exception OR MIT"),
            Ok(true)
        );
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in [
            "", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT BSD", "MIT WITH",
        ] {
            assert!(with(&["MIT"], text).is_err(), "{text:?}");
        }
    }
}
