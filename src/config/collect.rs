//! Where the faults of a text and of the files that it names are collected while it is read.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::fault::{Fault, FaultKind, LISTED_MAX, Odd, Severity, TextFault};
use super::source::{Source, Span};
use super::syntax::Slips;

/// Where faults are collected: those of one text, and of the files that it names.
#[derive(Debug)]
pub(super) struct Faults<'a> {
    source: &'a Source,
    slips: &'a Slips,
    named: RefCell<Vec<Named>>,
    found: RefCell<Vec<Fault>>,
    marks: Cell<usize>,
}

/// A file that the first one names.
#[derive(Debug)]
struct Named {
    source: Rc<Source>,
    slips: Slips,
    listing: Listing,
}

/// How many errors and warnings of a table are listed, and how many more there are.
#[derive(Debug, Default)]
pub(super) struct Listing {
    listed: [usize; 2],
    unlisted: [usize; 2],
}

impl Listing {
    /// Whether one more is listed; if not, it is counted.
    pub(super) fn takes(&mut self, severity: Severity) -> bool {
        let at = usize::from(severity == Severity::Warning);
        let takes = self.listed[at] < LISTED_MAX;
        self.listed[at] += usize::from(takes);
        self.unlisted[at] += usize::from(!takes);
        takes
    }

    /// Says at the last listed fault how many more there are.
    pub(super) fn rest(&self, last: &Fault) -> Vec<Fault> {
        let [errors, warnings] = self.unlisted;
        let mut more = Vec::new();
        if errors > 0 {
            more.push(FaultKind::from(TextFault::More { others: errors }));
        }
        if warnings > 0 {
            more.push(FaultKind::from(Odd::More { others: warnings }));
        }
        let at_last = |kind| Fault {
            kind,
            ..last.clone()
        };
        more.into_iter().map(at_last).collect()
    }
}

impl<'a> Faults<'a> {
    pub(super) fn new(source: &'a Source, slips: &'a Slips) -> Self {
        Self {
            source,
            slips,
            named: RefCell::default(),
            found: RefCell::default(),
            marks: Cell::new(0),
        }
    }

    /// Takes in a file that is named; gives the number that its spans carry.
    pub(super) fn add_file(&self, source: &Rc<Source>, slips: Slips) -> u16 {
        let mut named = self.named.borrow_mut();
        self.marks.set(self.marks.get() + slips.faults.len());
        named.push(Named {
            source: Rc::clone(source),
            slips,
            listing: Listing::default(),
        });
        named.len() as u16
    }

    /// Adds a fault, unless the line is broken anyway: then what it says means nothing.
    pub(super) fn add(&self, span: Span, kind: impl Into<FaultKind>) {
        let kind = kind.into();
        let severity = kind.severity();
        self.place(span, severity, || kind);
    }

    /// Adds an error that is dear to describe. One that is only counted is not described: tables
    /// can have an error in each of 100,000 rows.
    pub(super) fn add_error<K: Into<FaultKind>>(&self, span: Span, describe: impl FnOnce() -> K) {
        self.place(span, Severity::Error, || describe().into());
    }

    fn place(&self, span: Span, severity: Severity, describe: impl FnOnce() -> FaultKind) {
        if severity == Severity::Error {
            self.note_unsound();
        }
        let Some(at) = usize::from(span.file).checked_sub(1) else {
            if !self.slips.hide(self.source.line_of(span.start)) {
                let fault = self.source.fault(span, describe());
                self.found.borrow_mut().push(fault);
            }
            return;
        };
        let mut named = self.named.borrow_mut();
        let Some(file) = named.get_mut(at) else {
            return;
        };
        if file.slips.hide(file.source.line_of(span.start)) {
            return;
        }
        if file.listing.takes(severity) {
            let fault = file.source.fault(span, describe());
            self.found.borrow_mut().push(fault);
        }
    }

    /// Adds faults that were found while a named file was split into rows.
    pub(super) fn absorb(&self, file: u16, found: Vec<Fault>, listing: &Listing) {
        let at = usize::from(file).checked_sub(1);
        let mut named = self.named.borrow_mut();
        let Some(file) = at.and_then(|at| named.get_mut(at)) else {
            return;
        };
        for (own, more) in file.listing.unlisted.iter_mut().zip(listing.unlisted) {
            *own += more;
        }
        for fault in found {
            if fault.is_error() {
                self.note_unsound();
            }
            if file.listing.takes(fault.severity()) {
                self.found.borrow_mut().push(fault);
            }
        }
    }

    /// Adds faults of a file that could not even be taken in.
    pub(super) fn add_foreign(&self, found: Vec<Fault>) {
        self.note_unsound();
        self.found.borrow_mut().extend(found);
    }

    /// Grows with every error. What was read between two equal marks is sound.
    pub(super) fn mark(&self) -> usize {
        self.marks.get()
    }

    /// Notes an error without adding a fault: something follows from a slip already reported.
    pub(super) fn note_unsound(&self) {
        self.marks.set(self.marks.get() + 1);
    }

    /// Whether whole elements of the first text may be missing because their headers could not be
    /// read.
    pub(super) fn headers_broken(&self) -> bool {
        self.slips.headers_broken
    }

    /// The same of any text.
    pub(super) fn any_headers_broken(&self) -> bool {
        let mut named = self
            .named
            .borrow()
            .iter()
            .any(|file| file.slips.headers_broken);
        named |= self.slips.headers_broken;
        named
    }

    /// Whether keys of the table that begins here may be missing because of a slip.
    pub(super) fn broken_at(&self, table: Span) -> bool {
        match usize::from(table.file).checked_sub(1) {
            None => self.slips.touch(table.start),
            Some(at) => {
                let named = self.named.borrow();
                named
                    .get(at)
                    .is_some_and(|file| file.slips.touch(table.start))
            }
        }
    }

    pub(super) fn line_of(&self, span: Span) -> u32 {
        match usize::from(span.file).checked_sub(1) {
            None => self.source.line_of(span.start),
            Some(at) => {
                let named = self.named.borrow();
                named
                    .get(at)
                    .map_or(1, |file| file.source.line_of(span.start))
            }
        }
    }

    /// The name of the text that a place is in.
    pub(super) fn name_of(&self, span: Span) -> String {
        let named = self.named.borrow();
        let file = usize::from(span.file).checked_sub(1);
        let source = file.and_then(|at| named.get(at)).map(|file| &*file.source);
        source.unwrap_or(self.source).name().to_owned()
    }

    /// What stands at a place of the first text.
    pub(super) fn text_at(&self, span: Span) -> Option<&str> {
        let is_first = span.file == 0;
        is_first.then(|| self.source.text().get(span.start..span.end))?
    }

    /// The texts that were named, in the order in which they were read.
    pub(super) fn named(&self) -> Vec<Rc<Source>> {
        let named = self.named.borrow();
        named.iter().map(|file| Rc::clone(&file.source)).collect()
    }

    /// All faults, those of the texts included, file by file.
    pub(super) fn finish(self) -> Vec<Fault> {
        let found = self.found.into_inner();
        let of = |name: &str| {
            let own = found.iter().filter(move |fault| &*fault.file == name);
            own.cloned().collect::<Vec<Fault>>()
        };
        let mut all = self.slips.faults.clone();
        all.extend(of(self.source.name()));
        for file in self.named.into_inner() {
            all.extend(file.slips.faults);
            let own = of(file.source.name());
            let last = own
                .iter()
                .max_by_key(|fault| (fault.line, fault.column))
                .cloned();
            all.extend(own);
            all.extend(last.iter().flat_map(|last| file.listing.rest(last)));
        }
        let known: Vec<Arc<str>> = all.iter().map(|fault| fault.file.clone()).collect();
        all.extend(
            found
                .into_iter()
                .filter(|fault| !known.contains(&fault.file)),
        );
        super::fault::in_order(all)
    }
}
