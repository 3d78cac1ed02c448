//! The texts of waybills and labels that people have named: the sorter keeps their numbers only.

use std::collections::{BTreeMap, VecDeque};

use sorthub_core::ids::CodeId;
use sorthub_core::limits::INSTRUCTIONS_MAX;

/// Twice as many as can stand at a time, so that what stands is rarely among those forgotten.
const TEXTS_MAX: usize = 2 * INSTRUCTIONS_MAX;

/// Texts by number; the oldest is forgotten first.
#[derive(Debug, Default)]
pub(super) struct Texts {
    order: VecDeque<CodeId>,
    of: BTreeMap<CodeId, Box<str>>,
}

impl Texts {
    pub fn add(&mut self, code: CodeId, text: &str) {
        if self.of.insert(code, text.into()).is_some() {
            return;
        }
        self.order.push_back(code);
        if self.order.len() > TEXTS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.of.remove(&oldest);
        }
    }

    /// The text of a code, or its number where that is forgotten.
    pub fn of(&self, code: CodeId) -> String {
        let text = self.of.get(&code).map(|text| String::from(&**text));
        text.unwrap_or_else(|| format!("#{:016x}", code.0))
    }

    /// The same; `None` for no code.
    pub fn of_some(&self, code: CodeId) -> Option<String> {
        (code != CodeId::NONE).then(|| self.of(code))
    }
}

impl FromIterator<(CodeId, String)> for Texts {
    fn from_iter<I: IntoIterator<Item = (CodeId, String)>>(all: I) -> Self {
        let mut texts = Self::default();
        for (code, text) in all {
            texts.add(code, &text);
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_text_makes_room_and_its_number_is_told() {
        let mut texts = Texts::default();
        for nth in 0..=TEXTS_MAX as u64 {
            texts.add(CodeId(nth + 1), "W");
            texts.add(CodeId(nth + 1), &format!("W{nth}"));
        }
        assert_eq!(texts.of(CodeId(1)), "#0000000000000001");
        assert_eq!(texts.of(CodeId(2)), "W1");
        assert_eq!(texts.of.len(), TEXTS_MAX);
        assert_eq!(texts.of_some(CodeId::NONE), None);
    }
}
