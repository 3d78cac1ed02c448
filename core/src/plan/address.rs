//! The longest prefix of an address, found by bisection.

use alloc::vec::Vec;

use super::spec::{AddressKind, AddressRule};
use crate::facts::Address;
use crate::ids::DestId;

/// Prefixes of one kind of address, sorted.
///
/// Packed addresses that share a prefix are neighbours, and a prefix comes before all that begin
/// with it. So the longest prefix of an address is the nearest smaller entry, or one that this
/// entry itself begins with: each entry remembers the longest shorter one.
#[derive(Clone, Debug)]
pub(super) struct Prefixes {
    prefixes: Vec<Address>,
    rest: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    to: DestId,
    /// The longest entry that this one begins with.
    shorter: u32,
}

/// No shorter entry.
const NONE: u32 = u32::MAX;

impl Prefixes {
    pub(super) fn new(rules: &[AddressRule], kind: AddressKind) -> Self {
        let own = rules.iter().filter(|rule| rule.kind == kind);
        let mut own: Vec<(Address, DestId)> = own.map(|rule| (rule.prefix, rule.to)).collect();
        own.sort_unstable();
        own.dedup_by_key(|(prefix, _)| *prefix);
        let prefixes: Vec<Address> = own.iter().map(|(prefix, _)| *prefix).collect();
        let mut rest: Vec<Entry> = Vec::with_capacity(own.len());
        for (at, &(prefix, to)) in own.iter().enumerate() {
            let mut shorter = at.checked_sub(1).map_or(NONE, |before| before as u32);
            while shorter != NONE && !prefix.starts_with(prefixes[shorter as usize]) {
                shorter = rest[shorter as usize].shorter;
            }
            rest.push(Entry { to, shorter });
        }
        Self { prefixes, rest }
    }

    pub(super) fn longest(&self, address: Address) -> Option<DestId> {
        if !address.is_some() {
            return None;
        }
        let after = self.prefixes.partition_point(|prefix| *prefix <= address);
        let mut at = after.checked_sub(1)?;
        while !address.starts_with(self.prefixes[at]) {
            match self.rest[at].shorter {
                NONE => return None,
                shorter => at = shorter as usize,
            }
        }
        Some(self.rest[at].to)
    }
}
