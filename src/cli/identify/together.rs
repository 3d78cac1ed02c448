//! What all the codes of one label say together, as a scanner's telegram with them is judged.

use serde::Serialize;
use sorthub_core::identify::{Formats, Identified, Kind, Label};
use sorthub_core::reason::Reason;

use super::{Answer, columns};

/// What a label comes to: one JSON object, or rows with a last line.
#[derive(Debug, Serialize)]
pub(super) struct Together {
    /// `good`, `route-only`, or the word that a parcel with such a label is rejected with.
    together: &'static str,
    /// Which parcel it is; null unless the label is good.
    identity: Option<String>,
    /// The identities that exclude each other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identities: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postcode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    codes: Vec<Part>,
    /// The same in a sentence.
    #[serde(skip)]
    said: String,
}

/// One of the codes.
#[derive(Debug, Serialize)]
struct Part {
    #[serde(flatten)]
    answer: Answer,
    /// Whether the outcome rests on it.
    counts: bool,
}

impl Together {
    /// Judges the codes of one label.
    pub(super) fn of(formats: &Formats, codes: &[String]) -> Self {
        let label = formats.label(codes.iter().map(String::as_str));
        let parts = codes.iter().map(|code| {
            let found = formats.identify(code);
            Part {
                answer: Answer::of(formats, code, &found),
                counts: counts(formats, &label, &found),
            }
        });
        let name = |code: &Identified| format!("`{}`", code.identity().unwrap_or(code.code()));
        let format = |code: &Identified| {
            let format = code.format().and_then(|id| formats.format(id));
            format.map_or_else(String::new, |format| format.name.clone())
        };
        let (together, said) = match &label {
            Label::Good { item, .. } => {
                ("good", format!("{} ({}) leads", name(item), format(item)))
            }
            Label::RouteOnly { route: Some(_) } => {
                let said = "where to is known, but not which parcel it is";
                ("route-only", said.to_owned())
            }
            Label::RouteOnly { route: None } => {
                let said = "which parcel it is is not known, and where to in several ways";
                ("route-only", said.to_owned())
            }
            Label::Invalid { .. } => {
                let said = "none of the codes can be believed";
                (Reason::InvalidCode.name(), said.to_owned())
            }
            Label::NoRead => (Reason::NoRead.name(), "there is no code".to_owned()),
            Label::Conflict { one, other } => {
                let (of_one, of_other) = (format(one), format(other));
                let (one, other) = (name(one), name(other));
                let said = format!(
                    "{one} ({of_one}) and {other} ({of_other}) contradict each other; cover the \
                     label that is not this parcel's"
                );
                (Reason::Conflict.name(), said)
            }
            Label::Several { one, other } => {
                let (of_both, one, other) = (format(one), name(one), name(other));
                let said = format!(
                    "{one} and {other} are both {of_both}, so there are two labels; part the \
                     parcels"
                );
                (Reason::Several.name(), said)
            }
        };
        let (item, route, others) = parts_of(&label);
        let said_by = |part: fn(&Identified) -> Option<&str>| {
            let mut codes = item.into_iter().chain(route);
            codes.find_map(part).map(str::to_owned)
        };
        let identity = |code: &&Identified| code.identity().map(str::to_owned);
        Self {
            together,
            identity: item.as_ref().and_then(identity),
            identities: others.iter().filter_map(identity).collect(),
            postcode: said_by(Identified::postcode),
            address: said_by(Identified::address),
            codes: parts.collect(),
            said,
        }
    }

    /// The codes in columns, and what they say together.
    pub(super) fn text(self) -> String {
        let rows = self.codes.into_iter().map(|part| {
            let mut row = part.answer.row();
            if !part.counts {
                let remark = if row[REMARKS].is_empty() { "" } else { ", " };
                row[REMARKS].push_str(remark);
                row[REMARKS].push_str("does not count");
            }
            row
        });
        let mut text = columns(&rows.collect::<Vec<_>>());
        text.push_str(&format!("together: {}; {}", self.together, self.said));
        for (what, found) in [("postcode", self.postcode), ("address", self.address)] {
            text.extend(found.map(|found| format!("; {what} {found}")));
        }
        text.push('\n');
        text
    }
}

/// The column of remarks.
const REMARKS: usize = super::HEADINGS.len() - 1;

/// What a label rests on: the code that identifies it, the one that says where to, and those that
/// exclude each other.
fn parts_of(label: &Label) -> (Option<&Identified>, Option<&Identified>, Vec<&Identified>) {
    match label {
        Label::Good { item, route } => (Some(item), route.as_ref(), vec![]),
        Label::RouteOnly { route } => (None, route.as_ref(), vec![]),
        Label::Conflict { one, other } | Label::Several { one, other } => {
            (None, None, vec![one, other])
        }
        Label::NoRead | Label::Invalid { .. } => (None, None, vec![]),
    }
}

/// Whether an outcome rests on a code: of those that identify, the ones of the priority that leads.
fn counts(formats: &Formats, label: &Label, found: &Identified) -> bool {
    let (item, route, others) = parts_of(label);
    if found.kind() == Some(Kind::Route) {
        let same = |route: &Identified| {
            (route.postcode(), route.address()) == (found.postcode(), found.address())
        };
        return found.verdict().is_good() && route.is_some_and(same);
    }
    let priority = |code: &Identified| Some(formats.format(code.format()?)?.priority);
    let leads = item.or(others.first().copied()).and_then(priority);
    found.identity().is_some() && priority(found) == leads
}
