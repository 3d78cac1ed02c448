//! The journals of a hub: one for each sorter.

use std::path::{Path, PathBuf};

use sorthub_core::hub::Hub;

use super::{FILE_NAME, Journal, JournalError, Options, RunHeader};

/// Where the journal of each sorter is: a hub with one sorter keeps it in `dir` itself, one with
/// several in a directory each, called as the sorter is.
#[must_use]
pub fn places(dir: &Path, hub: &Hub) -> Vec<PathBuf> {
    let sorters = &hub.spec().sorters;
    if sorters.len() < 2 {
        return vec![dir.to_owned()];
    }
    let names = sorters.iter().enumerate();
    names
        .map(|(at, sorter)| dir.join(folder_name(at, &sorter.name)))
        .collect()
}

/// Opens the journal of each sorter, and begins a run in it.
///
/// # Errors
/// As [`Journal::open`]; runs that have been begun before stay empty.
pub fn open_all(
    dir: &Path,
    hub: &Hub,
    header: &RunHeader,
    options: Options,
) -> Result<Vec<Journal>, JournalError> {
    let places = places(dir, hub).into_iter().enumerate();
    let opened = places.map(|(at, place)| {
        let header = RunHeader {
            sorter: at as u16,
            ..header.clone()
        };
        Journal::open(&place, &header, options)
    });
    opened.collect()
}

/// The journals in a directory: that of the directory itself, or those of a hub's sorters in it.
#[must_use]
pub fn found(dir: &Path) -> Vec<PathBuf> {
    let holds_one = |dir: &Path| dir.join(FILE_NAME).is_file();
    let inside = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut inside: Vec<PathBuf> = inside
        .map(|entry| entry.path())
        .filter(|path| holds_one(path))
        .collect();
    inside.sort();
    if holds_one(dir) || inside.is_empty() {
        // Where there is none at all, opening says so.
        return vec![dir.to_owned()];
    }
    inside
}

/// A sorter's name as that of a folder; its number keeps two alike apart.
fn folder_name(at: usize, name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
    let name: String = name.chars().map(plain).take(40).collect();
    format!("{}-{name}", at + 1)
}
