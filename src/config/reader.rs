//! A small reader of TOML tables that collects faults and goes on.
//!
//! Each getter notes its key as known, returns `None` where there is nothing usable, and has then
//! reported why. Callers go on with a stand-in value, so that one pass finds every fault.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use toml::de::{DeTable, DeValue};

pub(super) use super::collect::Faults;
use super::fault::{FaultKind, TextFault};
use super::names::nearest;
use super::source::Span;

/// A table with what is known about its keys.
pub(super) struct Table<'a> {
    pub(super) faults: &'a Faults<'a>,
    entries: &'a DeTable<'a>,
    /// Its header, or the whole of an inline table.
    pub(super) span: Span,
    title: String,
    known: RefCell<Vec<&'static str>>,
}

/// A value with its key.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) faults: &'a Faults<'a>,
    pub(super) key: &'static str,
    pub(super) span: Span,
    value: &'a DeValue<'a>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        faults: &'a Faults<'a>,
        entries: &'a DeTable<'a>,
        span: Span,
        title: &str,
    ) -> Self {
        Self {
            faults,
            entries,
            span,
            title: title.to_owned(),
            known: RefCell::default(),
        }
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &'static str) -> Option<Value<'a>> {
        if !self.known.borrow().contains(&key) {
            self.known.borrow_mut().push(key);
        }
        let value = self.entries.get(key)?;
        Some(Value {
            faults: self.faults,
            key,
            span: Span::of(self.span.file, value.span()),
            value: value.get_ref(),
        })
    }

    /// The value of a key that must be there.
    pub(super) fn require(&self, key: &'static str, example: &'static str) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() {
            self.missing(key, example);
        }
        value
    }

    /// Reports that a key is missing, unless a broken line may have held it.
    pub(super) fn missing(&self, key: &'static str, example: &'static str) {
        let fault = TextFault::Missing {
            key: key.to_owned(),
            table: self.title.clone(),
            example,
        };
        if self.faults.broken_at(self.span) {
            self.faults.note_unsound();
        } else {
            self.faults.add(self.span, fault);
        }
    }

    /// Reports a key that is known elsewhere but makes no sense beside this table's others.
    pub(super) fn refuse(&self, key: &'static str, why: &'static str) {
        self.known.borrow_mut().push(key);
        if let Some((name, _)) = self.entries.get_key_value(key) {
            let fault = TextFault::NotHere {
                key: key.to_owned(),
                why,
            };
            self.faults
                .add(Span::of(self.span.file, name.span()), fault);
        }
    }

    /// Where the value of a key stands, or the table's header where there is none.
    pub(super) fn place_of(&self, key: &str) -> Span {
        self.entries
            .get(key)
            .map_or(self.span, |value| Span::of(self.span.file, value.span()))
    }

    /// The keys in the order in which they stand.
    pub(super) fn keys(&self) -> Vec<(&'a str, Span)> {
        let all = self
            .entries
            .iter()
            .map(|(key, _)| (key.get_ref().as_ref(), Span::of(self.span.file, key.span())));
        let mut keys: Vec<(&str, Span)> = all.collect();
        keys.sort_by_key(|(_, span)| span.start);
        keys
    }

    /// The value of a key that is not fixed beforehand, under a fixed name for messages.
    pub(super) fn entry(&self, key: &str, called: &'static str) -> Option<Value<'a>> {
        let value = self.entries.get(key)?;
        let span = Span::of(self.span.file, value.span());
        Some(Value {
            faults: self.faults,
            key: called,
            span,
            value: value.get_ref(),
        })
    }

    /// All but one key, as JSON: for who reads tables and JSON alike, and reports what is unknown.
    pub(super) fn as_json(&self, except: &str) -> serde_json::Map<String, serde_json::Value> {
        let all = self.entries.iter();
        let all = all.filter(|(key, _)| key.get_ref() != except);
        all.map(|(key, value)| (key.get_ref().to_string(), json_of(value.get_ref())))
            .collect()
    }

    /// A sub-table: `[key]` or `key = { … }`.
    pub(super) fn table(&self, key: &'static str, title: &str) -> Option<Table<'a>> {
        self.get(key)?.table(title)
    }

    /// `[[key]]`s in order, or a single `[key]` or `key = { … }`.
    pub(super) fn tables(&self, key: &'static str, title: &str) -> Vec<Table<'a>> {
        match self.get(key) {
            Some(value) if value.is_table() => value.table(title).into_iter().collect(),
            Some(value) => {
                let wanted = "a table";
                let list = value.list(wanted).unwrap_or_default();
                list.into_iter()
                    .filter_map(|entry| entry.table(title))
                    .collect()
            }
            None => Vec::new(),
        }
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(&self) {
        let mut known = self.known.borrow().clone();
        known.sort_unstable();
        for (key, span) in self.keys() {
            if known.contains(&key) {
                continue;
            }
            let fault = TextFault::UnknownKey {
                key: key.to_owned(),
                table: self.title.clone(),
                nearest: nearest(key, known.iter().copied())
                    .or_else(|| same_beginning(key, &known)),
                known: known.join(", "),
            };
            self.faults.add(span, fault);
        }
    }
}

/// A value of TOML as JSON; numbers and dates that JSON does not have, as texts.
fn json_of(value: &DeValue<'_>) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Json::from(number.to_string()), Json::from),
        DeValue::Float(number) => {
            let parsed = number.as_str().parse::<f64>().ok();
            let number = || Json::from(number.as_str());
            parsed
                .and_then(serde_json::Number::from_f64)
                .map_or_else(number, Json::from)
        }
        DeValue::Boolean(flag) => Json::from(*flag),
        DeValue::Datetime(date) => Json::from(date.to_string()),
        DeValue::Array(list) => list.iter().map(|one| json_of(one.get_ref())).collect(),
        DeValue::Table(table) => {
            let all = table.iter();
            let all = all.map(|(key, one)| (key.get_ref().to_string(), json_of(one.get_ref())));
            Json::Object(all.collect())
        }
    }
}

/// `pitch_m` and `pitch` are meant for `pitch_mm`, however many letters the unit has.
fn same_beginning(key: &str, known: &[&str]) -> Option<String> {
    let stem = |key: &str| key.split('_').next().unwrap_or("").to_lowercase();
    let mut alike = known.iter().filter(|other| stem(other) == stem(key));
    let first = alike.next()?;
    alike.next().is_none().then(|| (*first).to_owned())
}

impl<'a> Value<'a> {
    fn wrong(&self, wanted: &'static str) {
        let found = match self.value {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a decimal number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.faults.add(
            self.span,
            TextFault::WrongType {
                key: self.key.to_owned(),
                wanted,
                found,
            },
        );
    }

    /// A whole number within a range.
    pub(super) fn int(&self, range: RangeInclusive<u32>) -> Option<u32> {
        let DeValue::Integer(number) = self.value else {
            self.wrong("a whole number");
            return None;
        };
        let value = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let inside = value
            .and_then(|v| u32::try_from(v).ok())
            .filter(|v| range.contains(v));
        if inside.is_none() {
            let fault = TextFault::OutOfRange {
                key: self.key.to_owned(),
                found: number.to_string(),
                least: u64::from(*range.start()),
                most: u64::from(*range.end()),
            };
            self.faults.add(self.span, fault);
        }
        inside
    }

    /// Text with something in it.
    pub(super) fn text(&self) -> Option<&'a str> {
        let Some(text) = self.any_text() else {
            self.wrong("text in quotes");
            return None;
        };
        if text.trim().is_empty() {
            self.faults.add(
                self.span,
                TextFault::Blank {
                    key: self.key.to_owned(),
                },
            );
            return None;
        }
        if text.chars().any(char::is_control) {
            // Names go into telegrams, logs and terminals.
            self.faults.add(
                self.span,
                TextFault::ControlCharacter {
                    key: self.key.to_owned(),
                },
            );
            return None;
        }
        Some(text)
    }

    /// Text, without a word if it is something else.
    pub(super) fn any_text(&self) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) => Some(text.as_ref()),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.wrong("true or false");
        }
        flag
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let allowed: Vec<&'static str> = words.iter().map(|(word, _)| *word).collect();
            let nearest = nearest(text, allowed.iter().copied());
            let (key, found) = (self.key.to_owned(), text.to_owned());
            self.faults.add(
                self.span,
                TextFault::NotOneOf {
                    key,
                    found,
                    allowed,
                    nearest,
                },
            );
        }
        found.map(|(_, value)| *value)
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(super) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    /// A table.
    pub(super) fn table(&self, title: &str) -> Option<Table<'a>> {
        let DeValue::Table(entries) = self.value else {
            self.wrong("a table");
            return None;
        };
        Some(Table::new(self.faults, entries, self.span, title))
    }

    /// The entries of a list.
    pub(super) fn list(&self, wanted: &'static str) -> Option<Vec<Self>> {
        let DeValue::Array(entries) = self.value else {
            self.wrong(wanted);
            return None;
        };
        let of = |entry: &'a toml::Spanned<DeValue<'a>>| Self {
            span: Span::of(self.span.file, entry.span()),
            value: entry.get_ref(),
            ..*self
        };
        Some(entries.iter().map(of).collect())
    }

    /// Texts with their places.
    pub(super) fn texts(&self) -> Vec<(&'a str, Span)> {
        let list = self.list("a list of texts").unwrap_or_default();
        list.iter()
            .filter_map(|entry| Some((entry.text()?, entry.span)))
            .collect()
    }

    /// The place of one character of a text, if the text stands in the file as it is: in single
    /// quotes, or without escapes. Else the place of the whole.
    pub(super) fn place_in(&self, character: usize) -> Span {
        let text = self.any_text().unwrap_or("");
        let written = self.faults.text_at(self.span);
        let is_plain = written.is_some_and(|w| w.len() == text.len() + 2 && w.contains(text));
        match text.char_indices().nth(character) {
            Some((at, c)) if is_plain => {
                let start = self.span.start + 1 + at;
                Span::of(self.span.file, start..start + c.len_utf8())
            }
            _ => self.span,
        }
    }

    /// Reports a fault at this value.
    pub(super) fn fault(&self, kind: impl Into<FaultKind>) {
        self.faults.add(self.span, kind);
    }
}
