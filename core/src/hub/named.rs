//! What people give names to beside devices: groups of chutes, and attributes of parcels.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Hub, HubSpec};
use crate::facts::Tags;
use crate::ids::ChuteId;

/// Chutes that people speak of as one: a bank that a plan names in place of its chutes, and that
/// is taken out of service as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GroupSpec {
    /// What people call it.
    pub name: String,
    /// Its chutes, in the order in which a list that names the group has them.
    pub chutes: Vec<ChuteId>,
}

/// An attribute of parcels, and where pre-advice says that a parcel has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TagSpec {
    /// What plans call it. One of [`Tags::FIXED`] keeps its own bit.
    pub name: String,
    /// The column of pre-advice that tells it.
    pub column: String,
    /// What stands there for a parcel that has it.
    pub value: String,
}

impl HubSpec {
    /// Every attribute that a plan can name, in the order of the bits: the fixed ones, then those
    /// of this hub.
    pub fn tag_names(&self) -> impl Iterator<Item = &str> {
        let own = self.tags.iter().map(|tag| tag.name.as_str());
        Tags::FIXED
            .into_iter()
            .chain(own.filter(|name| !is_fixed(name)))
    }

    /// The bit of the attribute with this name; `None` if no parcel can have it here.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<Tags> {
        let at = self.tag_names().position(|other| other == name)?;
        (at < Tags::MAX).then(|| Tags(1 << at))
    }

    /// Where pre-advice tells attributes: the bit, the column, and what stands in it.
    pub fn tag_columns(&self) -> impl Iterator<Item = (Tags, &str, &str)> {
        self.tags.iter().filter_map(|tag| {
            let bit = self.tag(&tag.name)?;
            Some((bit, tag.column.as_str(), tag.value.as_str()))
        })
    }
}

impl Hub {
    /// The groups of chutes.
    #[must_use]
    pub fn groups(&self) -> &[GroupSpec] {
        &self.spec.groups
    }

    /// The group of chutes with this name.
    #[must_use]
    pub fn group_named(&self, name: &str) -> Option<&GroupSpec> {
        self.spec.groups.iter().find(|group| group.name == name)
    }
}

/// Whether it is an attribute that every hub has.
pub(super) fn is_fixed(name: &str) -> bool {
    Tags::FIXED.contains(&name)
}
