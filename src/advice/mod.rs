//! Pre-advice: files of waybills become tables, and tables become generations of the directory
//! that the decision threads look codes up in.
//!
//! [`load()`] reads a file: one thread cuts it into batches, the caller's thread fills the table,
//! and rows are understood by whichever of them has time. A file is taken as a whole or not at all,
//! unless it is read leniently. [`Generations`] owns the directory, and each decision thread has a
//! [`Reader`] of it.
//!
//! A file is UTF-8 text with commas, or with the semicolons or tabs of a spreadsheet. Its first row
//! names the columns, in any order: `waybill`; at least one of `destination`, `segment` and
//! `postcode`; if there are any, `service`, `weight_g`, `length_mm`, `width_mm` and `height_mm` as
//! declared, and the columns of [`Options::tags`]. Other columns may hold anything. Of several rows
//! for one waybill the last one stands.

mod batch;
mod blocks;
mod columns;
mod filling;
mod generations;
mod lines;
mod load;
mod places;
mod row;
mod sample;

pub use generations::{Generations, Reader};
pub use load::{Loaded, Refused, Report, load, load_file};
use std::sync::Arc;

use sorthub_core::facts::Tags;
use sorthub_core::hub::Hub;
use sorthub_core::identify::Formats;

/// How to read a file.
#[derive(Clone, Debug)]
pub struct Options {
    /// What codes look like: waybills are brought to identities, as scanned codes are, and one
    /// that no scanner could read is a fault. `None`: they are taken as they stand.
    pub formats: Option<Arc<Formats>>,
    /// Tags that columns set.
    pub tags: Vec<TagColumn>,
    /// Whether rows with a fault are left out. Otherwise one of them refuses the whole file.
    pub lenient: bool,
    /// Most faults that are listed; the others are counted.
    pub faults_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            formats: None,
            tags: Vec::new(),
            lenient: false,
            // A person mends the first few and tries again.
            faults_max: 100,
        }
    }
}

impl Options {
    /// What a hub wants of its files.
    #[must_use]
    pub fn of_hub(hub: &Hub, formats: Option<Arc<Formats>>) -> Self {
        let tags = hub.spec().tag_columns();
        let tags = tags.map(|(tag, column, value)| TagColumn {
            tag,
            column: column.to_owned(),
            value: value.to_owned(),
        });
        Self {
            formats,
            tags: tags.collect(),
            ..Self::default()
        }
    }
}

/// A tag that is set where a column has a certain value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagColumn {
    /// What is set: one bit.
    pub tag: Tags,
    /// The column, which must then be there: a file without it would say that no parcel has the
    /// tag.
    pub column: String,
    /// The value, in small or capital letters.
    pub value: String,
}
