//! `container_labels`: what a hub's own labels of bags and cages look like.

use sorthub_core::identify::{FormatFaultKind, FormatPart, FormatSpec, Formats, FormatsSpec, Kind};

use super::fault::{Meaning, TextFault};
use super::reader::{Table, Value};

/// What reports call the format that is made of the patterns.
const NAME: &str = "container label";

/// Reads the patterns. `None` if there are none, or if they have a fault.
pub(super) fn read(root: &Table<'_>) -> Option<Formats> {
    let value = root.get("container_labels")?;
    let list = value.list("a list of patterns")?;
    if list.is_empty() {
        let key = value.key.to_owned();
        value.fault(TextFault::Blank { key });
        return None;
    }
    let texts = list
        .iter()
        .filter_map(|entry| Some((entry.text()?, *entry)));
    let (texts, patterns): (Vec<&str>, Vec<Value<'_>>) = texts.unzip();
    if texts.is_empty() {
        return None;
    }
    let mut spec = FormatSpec::new(NAME, NAME, &texts);
    spec.kind = Kind::Container;
    let formats = vec![spec];
    let faults = match Formats::new(FormatsSpec { formats }) {
        Ok(formats) => return Some(formats),
        Err(faults) => faults,
    };
    for fault in faults {
        let place = match fault.part {
            FormatPart::Pattern { nth, at } => patterns
                .get(nth)
                .map(|pattern| at.map_or(pattern.span, |at| pattern.place_in(at))),
            _ => None,
        };
        let place = place.unwrap_or(value.span);
        let format = NAME.to_owned();
        match fault.kind {
            // There is no key that a rule could be given in.
            FormatFaultKind::NoRule => {
                let key = "check".to_owned();
                let why = "the patterns of labels have no rule for a check character";
                root.faults.add(place, TextFault::NotHere { key, why });
            }
            fault => root.faults.add(place, Meaning::Format { format, fault }),
        }
    }
    None
}
