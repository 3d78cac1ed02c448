//! `[[chute_group]]` and `[[tag]]`: what people give names to beside devices.

use sorthub_core::facts::Tags;
use sorthub_core::hub::{GroupSpec, TagSpec};
use sorthub_core::ids::ChuteId;

use super::bank::Names;
use super::draft::{Draft, origin_of};
use super::reader::Table;

/// What pre-advice has in a tag's column, where the file does not say.
const VALUE: &str = "1";

pub(super) fn read_groups(root: &Table<'_>, chutes: &Names, draft: &mut Draft) {
    for table in root.tables("chute_group", "[[chute_group]]") {
        let mark = table.faults.mark();
        let name = table
            .require("name", "name = \"bank-a\"")
            .and_then(|v| v.text());
        let list = table.require("chutes", "chutes = [\"A*\"]");
        let members = list.map(|list| chutes.find_set(list)).unwrap_or_default();
        draft.groups.push(origin_of(&table, mark));
        draft.spec.groups.push(GroupSpec {
            name: name.map_or_else(|| unreadable(draft.spec.groups.len()), str::to_owned),
            chutes: members.into_iter().map(|at| ChuteId(at as u16)).collect(),
        });
    }
}

pub(super) fn read_tags(root: &Table<'_>, draft: &mut Draft) {
    for table in root
        .tables("tag", "[[tag]]")
        .into_iter()
        .take(2 * Tags::MAX)
    {
        let mark = table.faults.mark();
        let name = table
            .require("name", "name = \"battery\"")
            .and_then(|v| v.text());
        let text = |key| table.get(key).and_then(|v| v.text());
        let column = text("column").or(name).unwrap_or_default().to_owned();
        let value = text("value").unwrap_or(VALUE).to_owned();
        draft.tags.push(origin_of(&table, mark));
        draft.spec.tags.push(TagSpec {
            name: name.map_or_else(|| unreadable(draft.spec.tags.len()), str::to_owned),
            column,
            value,
        });
    }
}

/// Stands for a name that could not be read: like no name that anybody can write.
fn unreadable(place: usize) -> String {
    format!("\0{place}")
}
