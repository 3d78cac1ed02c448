//! The header: which column holds what.

use std::sync::Arc;

use csv::ByteRecord;
use sorthub_core::facts::Tags;
use sorthub_core::identify::Formats;

use super::Options;
use crate::config::fault::{AdviceFault, FaultKind, RowFault};
use crate::config::names::nearest;

/// Columns by name; those that nobody asks for may hold anything.
#[derive(Debug)]
pub(super) struct Columns {
    /// What stands between two fields.
    pub separator: u8,
    /// What waybills look like; `None`: they are taken as they stand.
    pub formats: Option<Arc<Formats>>,
    /// How many fields each row has.
    pub fields: usize,
    pub waybill: usize,
    pub destination: Option<usize>,
    pub segment: Option<usize>,
    pub postcode: Option<usize>,
    pub service: Option<usize>,
    pub measures: [Option<usize>; 4],
    pub tags: Vec<TagField>,
}

/// A tag that is set where a field has a certain value.
#[derive(Debug)]
pub(super) struct TagField {
    pub field: usize,
    pub value: String,
    pub tag: Tags,
}

/// Declared values, with the unit at the end of the name.
pub(super) const MEASURES: [&str; 4] = ["weight_g", "length_mm", "width_mm", "height_mm"];

/// What is wrong with a header, and in which field if in one.
pub(super) type HeaderFault = (Option<usize>, FaultKind);

impl Columns {
    pub(super) fn of(
        header: &ByteRecord,
        separator: u8,
        options: &Options,
    ) -> Result<Self, Vec<HeaderFault>> {
        let names = header.iter().map(String::from_utf8_lossy);
        let mut reader = HeaderReader {
            names: names.map(|name| name.trim().to_lowercase()).collect(),
            faults: Vec::new(),
        };
        let waybill = reader.needed("waybill");
        let places = ["destination", "segment", "postcode"].map(|name| reader.optional(name));
        if places == [None; 3] {
            reader
                .faults
                .push((None, AdviceFault::NoPlaceColumn.into()));
        }
        let service = reader.optional("service");
        let measures = MEASURES.map(|name| reader.optional(name));
        let tags = options.tags.iter().map(|tag| TagField {
            field: reader.needed(&tag.column.to_lowercase()),
            value: tag.value.clone(),
            tag: tag.tag,
        });
        let tags = tags.collect();
        // Several tags may be read from one column.
        reader.faults.dedup();
        let HeaderReader { names, faults } = reader;
        if !faults.is_empty() {
            return Err(faults);
        }
        let [destination, segment, postcode] = places;
        Ok(Self {
            separator,
            formats: options.formats.clone(),
            fields: names.len(),
            waybill,
            destination,
            segment,
            postcode,
            service,
            measures,
            tags,
        })
    }
}

struct HeaderReader {
    names: Vec<String>,
    faults: Vec<HeaderFault>,
}

impl HeaderReader {
    /// The field of a column, if it is there; a fault if it is there twice.
    fn optional(&mut self, column: &str) -> Option<usize> {
        let mut found = (0..self.names.len()).filter(|&at| self.names[at] == column);
        let (first, second) = (found.next(), found.next());
        if second.is_some() {
            let column = column.to_owned().into();
            let fault = RowFault::ColumnTwice { column };
            self.faults.push((second, fault.into()));
        }
        first
    }

    /// The field of a column; a fault if it is not there.
    fn needed(&mut self, column: &str) -> usize {
        self.optional(column).unwrap_or_else(|| {
            let nearest = nearest(column, self.names.iter().map(String::as_str));
            let column = column.to_owned().into();
            let fault = RowFault::MissingColumn { column, nearest };
            self.faults.push((None, fault.into()));
            0
        })
    }
}
