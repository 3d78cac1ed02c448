//! Where a call leaves what it says, and the running hash over all of it.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::limits::OUTPUTS_PER_CALL_MAX;
use crate::signal::Output;

/// What one `handle` call says, in order. Made once and used for every call.
#[derive(Debug)]
pub struct Outbox {
    outputs: Vec<Output>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Outbox {
    /// An empty one with room for all that one call can say.
    #[must_use]
    pub fn new() -> Self {
        Self {
            outputs: Vec::with_capacity(OUTPUTS_PER_CALL_MAX),
        }
    }

    /// What was said since the last [`Outbox::clear`].
    #[must_use]
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Forgets what was said.
    pub fn clear(&mut self) {
        self.outputs.clear();
    }

    /// Room left, in outputs.
    #[must_use]
    pub fn room(&self) -> usize {
        OUTPUTS_PER_CALL_MAX - self.outputs.len()
    }

    /// Adds one. The sorter leaves work for later rather than run out of room; running out is a
    /// fault of the program.
    pub(crate) fn push(&mut self, output: Output) {
        assert!(
            self.room() > 0,
            "one call made more than {OUTPUTS_PER_CALL_MAX} outputs"
        );
        self.outputs.push(output);
    }
}

/// A running hash over outputs: equal runs have equal hashes, on every machine.
///
/// Each word is mixed in by a 64x64 to 128 bit product folded onto itself (the construction of
/// wyhash, Wang Yi 2019). It guards against differences, not against forgery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollingHash(u64);

impl Default for RollingHash {
    fn default() -> Self {
        Self(0x2d35_8dcc_aa6c_78a5)
    }
}

impl RollingHash {
    /// Mixes a value in.
    pub fn mix(&mut self, value: &impl Hash) {
        value.hash(self);
    }

    /// The hash so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    fn word(&mut self, word: u64) {
        let product =
            u128::from(self.0 ^ word ^ 0x8bb8_4b93_962e_acc9) * 0x9e37_79b9_7f4a_7c15_u128;
        self.0 = (product as u64 ^ (product >> 64) as u64).wrapping_add(0xa076_1d64_78bd_642f);
    }
}

// Only the widths that derived `Hash` uses are overridden; all become one 64-bit word, so that
// neither pointer width nor byte order shows in the result.
impl Hasher for RollingHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, i: u8) {
        self.word(u64::from(i));
    }

    fn write_u16(&mut self, i: u16) {
        self.word(u64::from(i));
    }

    fn write_u32(&mut self, i: u32) {
        self.word(u64::from(i));
    }

    fn write_u64(&mut self, i: u64) {
        self.word(i);
    }

    fn write_usize(&mut self, i: usize) {
        self.word(i as u64);
    }

    fn write_i64(&mut self, i: i64) {
        self.word(i as u64);
    }

    fn write_isize(&mut self, i: isize) {
        self.word(i as u64);
    }
}
