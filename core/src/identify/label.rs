//! All the codes that one scanner saw on one parcel, taken together.

use super::{Formats, Identified, Verdict};
use crate::ids::FormatId;
use crate::limits::LABEL_WAYBILLS_MAX;

/// What the codes of one parcel say together. The order in which they were read plays no part.
///
/// Codes that cannot be believed do not count beside one that can; codes of kind route identify
/// nothing. Of the others only those of the smallest priority number count: a parcel that goes
/// from carrier to carrier, or stands in an old box, has several labels, and the priorities say
/// which one leads. One identity read twice, or from two formats (FedEx prints its number alone
/// and within 34 digits), is one.
#[derive(Clone, Copy, Debug)]
pub enum Label {
    /// There was no code at all.
    NoRead,
    /// One identity.
    Good {
        /// The code that gave it.
        item: Identified,
        /// The code of kind route beside it, if there is one and no other contradicts it.
        route: Option<Identified>,
    },
    /// Nothing but codes of kind route: where it goes is known, but not which parcel it is.
    RouteOnly {
        /// The code; `None` if several contradict each other.
        route: Option<Identified>,
    },
    /// Something was read, but nothing that can be believed.
    Invalid {
        /// One whose check character is wrong, if there is one, or else one without a format.
        code: Identified,
    },
    /// Two identities of different formats: one parcel whose labels contradict each other. A label
    /// has to be covered.
    Conflict {
        /// The one of the format that comes first.
        one: Identified,
        /// Another.
        other: Identified,
    },
    /// Two identities of one format. A label has one number of each of its formats, so there are
    /// two labels, and as a rule two parcels in one gate. They have to be parted.
    Several {
        /// One of them.
        one: Identified,
        /// The other.
        other: Identified,
    },
}

/// What has been seen so far.
struct Seen {
    /// Different identities of the smallest priority number so far, in no order.
    items: [Option<Identified>; LABEL_WAYBILLS_MAX],
    priority: u16,
    route: Option<Identified>,
    /// Two codes of kind route of one priority disagree.
    routes_differ: bool,
    bad: Option<Identified>,
}

impl Formats {
    /// Judges all the codes that one scanner saw on one parcel.
    #[must_use]
    pub fn label<'c>(&self, codes: impl IntoIterator<Item = &'c str>) -> Label {
        let mut seen = Seen {
            items: [None; LABEL_WAYBILLS_MAX],
            priority: u16::MAX,
            route: None,
            routes_differ: false,
            bad: None,
        };
        for code in codes {
            let found = self.identify(code);
            let priority = found.format.map_or(u16::MAX, |id| self.priority(id));
            match found.identity() {
                Some(_) => seen.item(found, priority),
                None if found.verdict.is_good() => self.route(&mut seen, found, priority),
                None => seen.bad(found),
            }
        }
        seen.judge()
    }

    fn priority(&self, id: FormatId) -> u16 {
        self.format(id).map_or(u16::MAX, |format| format.priority)
    }

    fn route(&self, seen: &mut Seen, found: Identified, priority: u16) {
        let Some(known) = &seen.route else {
            seen.route = Some(found);
            return;
        };
        let known_priority = known.format.map_or(u16::MAX, |id| self.priority(id));
        let differ = known.postcode() != found.postcode() || known.address() != found.address();
        if priority < known_priority {
            (seen.route, seen.routes_differ) = (Some(found), false);
        } else if priority == known_priority {
            seen.routes_differ |= differ;
            if key(&found) < key(known) {
                seen.route = Some(found);
            }
        }
    }
}

impl Seen {
    fn item(&mut self, found: Identified, priority: u16) {
        if priority > self.priority {
            return;
        }
        if priority < self.priority {
            (self.items, self.priority) = ([None; LABEL_WAYBILLS_MAX], priority);
        }
        let same = |item: &&mut Option<Identified>| match item {
            Some(item) => item.identity_bytes() == found.identity_bytes(),
            None => true,
        };
        // Beyond the limit there are far more than two, which is all that matters.
        let Some(place) = self.items.iter_mut().find(same) else {
            return;
        };
        if place.as_ref().is_none_or(|item| key(&found) < key(item)) {
            *place = Some(found);
        }
    }

    fn bad(&mut self, found: Identified) {
        let weight = |code: &Identified| match code.verdict {
            Verdict::Failed { .. } => 0,
            Verdict::NoFormat => 1,
            _ => 2,
        };
        let sooner = |bad: &Identified| (weight(&found), key(&found)) < (weight(bad), key(bad));
        if self.bad.as_ref().is_none_or(sooner) {
            self.bad = Some(found);
        }
    }

    fn judge(self) -> Label {
        let items = || self.items.iter().flatten();
        let route = self.route.filter(|_| !self.routes_differ);
        let Some(item) = items().min_by_key(|item| key(item)) else {
            return match self.bad {
                _ if self.route.is_some() => Label::RouteOnly { route },
                Some(code) => Label::Invalid { code },
                None => Label::NoRead,
            };
        };
        let mut several: Option<(&Identified, &Identified)> = None;
        for (one, other) in items().flat_map(|one| items().map(move |other| (one, other))) {
            let one_format = one.format == other.format && !mutant!("several_is_conflict");
            let is_pair = one_format && key(one) < key(other);
            if is_pair && several.is_none_or(|(a, b)| (key(one), key(other)) < (key(a), key(b))) {
                several = Some((one, other));
            }
        }
        if let Some((one, other)) = several {
            return Label::Several {
                one: *one,
                other: *other,
            };
        }
        let others = items().filter(|other| key(other) != key(item));
        match others.min_by_key(|other| key(other)) {
            Some(other) => Label::Conflict {
                one: *item,
                other: *other,
            },
            None => Label::Good { item: *item, route },
        }
    }
}

/// What puts codes into an order that does not depend on when they were read.
fn key(code: &Identified) -> (u16, &[u8]) {
    (code.rank, code.code.bytes())
}
