//! Names of elements, for looking them up: one by one, all with one beginning, or a group.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

use sorthub_core::hub::{GroupSpec, HubSpec};

use super::fault::Meaning;
use super::names::nearest;
use super::reader::{Faults, Value};
use super::source::Span;

/// The names of one kind of element.
#[derive(Debug, Default)]
pub(super) struct Names {
    what: &'static str,
    by_name: HashMap<String, usize>,
    in_order: Vec<String>,
    /// Members of groups, which a list names with `@` before the group's name.
    groups: BTreeMap<String, Vec<usize>>,
    seen: RefCell<Seen>,
    /// How many names were compared with misspelt ones so far.
    compared: Cell<usize>,
}

/// Comparing takes about half a microsecond: the first of many misspelt names among 100,000 get a
/// suggestion, and the others do not make people wait.
const COMPARED_MAX: usize = 1_000_000;

/// Which elements the present list has already.
#[derive(Debug, Default)]
struct Seen {
    list: u32,
    last_list: Vec<u32>,
}

impl Seen {
    fn begin(&mut self, elements: usize) {
        if self.list == u32::MAX || self.last_list.len() != elements {
            self.last_list = vec![0; elements];
            self.list = 0;
        }
        self.list += 1;
    }

    /// Whether it is new in the present list.
    fn is_new(&mut self, at: usize) -> bool {
        std::mem::replace(&mut self.last_list[at], self.list) != self.list
    }
}

impl Names {
    pub(super) fn new<'n>(what: &'static str, names: impl Iterator<Item = &'n str>) -> Self {
        let in_order: Vec<String> = names.map(str::to_owned).collect();
        let mut by_name = HashMap::with_capacity(in_order.len());
        for (at, name) in in_order.iter().enumerate() {
            by_name.entry(name.clone()).or_insert(at);
        }
        Self {
            what,
            by_name,
            in_order,
            ..Self::default()
        }
    }

    /// The names of a hub's chutes and groups.
    pub(super) fn of_chutes(hub: &HubSpec) -> Self {
        let mut names = Self::new("chute", hub.chutes.iter().map(|chute| chute.name.as_str()));
        let members = |group: &GroupSpec| group.chutes.iter().map(|chute| chute.index()).collect();
        let groups = hub.groups.iter();
        names.groups = groups
            .map(|group| (group.name.clone(), members(group)))
            .collect();
        names
    }

    /// The position of the first element with this name, if there is one.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The position of the first element with this name. Reports a name that nothing has, unless
    /// what has it may be missing because of a slip.
    pub(super) fn find(&self, name: &str, span: Span, faults: &Faults<'_>) -> Option<usize> {
        let found = self.position(name);
        if found.is_none() {
            let compared = self.compared.get();
            self.compared.set(compared + self.in_order.len());
            let all = self.in_order.iter().map(String::as_str);
            let all = all.take(COMPARED_MAX.saturating_sub(compared));
            unknown(self.what, name, all, span, faults);
        }
        found
    }

    /// The positions of all elements that a list names; `"A*"` names all that begin with `A`, and
    /// `"@bank"` the members of a group.
    pub(super) fn find_all(&self, list: Value<'_>) -> Vec<usize> {
        let mut found = Vec::new();
        for (text, span) in list.texts() {
            self.find_entry(text, span, list.faults, &mut found);
        }
        found
    }

    /// The same for a list that has each element once. One that is named again by a beginning or
    /// a group keeps its first place; one that is named twice by its own name is a fault.
    pub(super) fn find_set(&self, list: Value<'_>) -> Vec<usize> {
        self.find_set_of(list.key, &list.texts(), list.faults)
    }

    /// The same for names that stand in a list or in one field of a table.
    pub(super) fn find_set_of(
        &self,
        key: &str,
        texts: &[(&str, Span)],
        faults: &Faults<'_>,
    ) -> Vec<usize> {
        let mut seen = self.seen.borrow_mut();
        seen.begin(self.in_order.len());
        let (mut found, mut set) = (Vec::new(), Vec::new());
        for &(text, span) in texts {
            found.clear();
            self.find_entry(text, span, faults, &mut found);
            let by_name = self.position(text).is_some();
            for &at in &found {
                if seen.is_new(at) {
                    set.push(at);
                } else if by_name {
                    let (key, name) = (key.to_owned(), text.to_owned());
                    faults.add(span, Meaning::Repeated { key, name });
                }
            }
        }
        set
    }

    fn find_entry(&self, text: &str, span: Span, faults: &Faults<'_>, found: &mut Vec<usize>) {
        if let Some(group) = text
            .strip_prefix('@')
            .filter(|_| self.position(text).is_none())
        {
            match self.groups.get(group) {
                Some(members) => found.extend(members),
                None => {
                    let groups = self.groups.keys().map(String::as_str);
                    unknown("chute group", group, groups, span, faults);
                }
            }
            return;
        }
        let Some(beginning) = text.strip_suffix('*') else {
            found.extend(self.find(text, span, faults));
            return;
        };
        let before = found.len();
        let all = self.in_order.iter().enumerate();
        let with_it = all.filter(|(_, name)| name.starts_with(beginning));
        found.extend(with_it.map(|(at, _)| at));
        if found.len() == before {
            self.find(text, span, faults);
        }
    }

    /// The position of the one element that a key names.
    pub(super) fn find_one(&self, value: Value<'_>) -> Option<usize> {
        self.find(value.text()?, value.span, value.faults)
    }

    /// Every name, by position.
    pub(super) fn all(&self) -> &[String] {
        &self.in_order
    }
}

fn unknown<'n>(
    what: &'static str,
    name: &str,
    all: impl Iterator<Item = &'n str>,
    span: Span,
    faults: &Faults<'_>,
) {
    if faults.any_headers_broken() {
        faults.note_unsound();
        return;
    }
    faults.add_error(span, || Meaning::UnknownName {
        what,
        name: name.to_owned(),
        nearest: nearest(name, all),
    });
}
