//! A block: some records as bytes, the unit of commit and of damage.
//!
//! A block is a row of the store. Its bytes are items one after the other, each a tag byte and
//! what follows from it; numbers and vocabulary are postcard's encoding of the core's types. Times
//! are differences to the call before in the block. Sequence numbers are not stored but counted,
//! from the block's first.

use sorthub_core::ids::CodeId;
use sorthub_core::operator::Ticket;
use sorthub_core::signal::{Output, Signal};
use sorthub_core::units::Micros;

use super::crc32c::crc32c;

/// Version of everything that a journal's file holds. It grows with each change that an older
/// reader would misread, a changed order of the variants of `Signal` or `Output` among them.
pub const FORMAT: u32 = 2;

/// A block that has reached this size takes no more. Large enough that the row's own cost is
/// nothing, small enough that reading one takes little memory.
pub const BLOCK_BYTES_MAX: usize = 256 * 1024;

const CALL: u8 = 0;
const GAP: u8 = 1;
const TEXT: u8 = 2;
const CLOSE: u8 = 3;
const NOTE: u8 = 4;
const STAGED: u8 = 5;

/// Room for one encoded value. The largest, an order, has 16 fields of at most 10 bytes.
const SCRATCH_BYTES: usize = 256;

/// Some records of a run, with what the store's row says of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The run.
    pub run: u32,
    /// The sequence number that its first call or gap has.
    pub first_seq: u64,
    /// One past the sequence number of its last call or gap.
    pub next_seq: u64,
    /// How many calls it holds.
    pub records: u32,
    /// The time of its first call.
    pub first: Micros,
    /// The time of its last call.
    pub last: Micros,
    /// The rolling output hash after its last call, or after the block before if it has none.
    pub hash_after: u64,
    /// The items, encoded.
    pub bytes: Vec<u8>,
}

/// One thing in a block. The outputs of a call are left in the buffer given to [`Items::next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A call of the sorter.
    Call(Call),
    /// Calls that were not recorded: from `first`, so many.
    Gap {
        /// The sequence number of the first.
        first: u64,
        /// How many.
        count: u64,
    },
    /// The text of a code, told before the first call that names it.
    Text {
        /// The code.
        code: CodeId,
        /// Its text.
        text: &'a str,
    },
    /// Who gave a command and in which words, told before the call that carries it.
    Note {
        /// The command's.
        ticket: Ticket,
        /// Who and what.
        text: &'a str,
    },
    /// The sorter was handed a plan; its text is beside the blocks.
    Staged {
        /// The plan's version.
        version: u32,
    },
    /// The end of a run that was closed in good order.
    Close {
        /// The sorter's digest at the end.
        digest: u64,
    },
}

/// A call, without its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Counted through the run, from 1.
    pub seq: u64,
    /// The time it was made with.
    pub now: Micros,
    /// What the sorter was told.
    pub signal: Signal,
    /// The rolling output hash after it.
    pub hash_after: u64,
}

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockFault {
    /// The bytes are not those that were written.
    #[error("the checksum does not match")]
    Checksum,
    /// The bytes are as written, but make no sense: a fault of the writer, or another format.
    #[error("byte {at} begins nothing known")]
    Unknown {
        /// Where.
        at: usize,
    },
    /// The bytes hold other sequence numbers than the row says.
    #[error("it holds records up to {found}, its row says {told}")]
    Count {
        /// One past the last in the bytes.
        found: u64,
        /// What the row says.
        told: u64,
    },
    /// It does not begin where the block before it ends.
    #[error("it begins with record {found}, expected was {expected}")]
    Order {
        /// The first record.
        found: u64,
        /// What the block before asks for.
        expected: u64,
    },
}

impl Block {
    /// An empty block of a run, whose first record will be `first_seq`.
    #[must_use]
    pub fn new(run: u32, first_seq: u64) -> Self {
        let zero = Micros(0);
        let bytes = Vec::with_capacity(BLOCK_BYTES_MAX + BLOCK_BYTES_MAX / 4);
        Self {
            run,
            first_seq,
            next_seq: first_seq,
            records: 0,
            first: zero,
            last: zero,
            hash_after: 0,
            bytes,
        }
    }

    /// Makes it the empty block that follows itself.
    pub fn follow(&mut self) {
        self.first_seq = self.next_seq;
        self.records = 0;
        self.first = Micros(0);
        self.last = Micros(0);
        self.bytes.clear();
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether it should take no more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= BLOCK_BYTES_MAX
    }

    /// Adds a call.
    pub fn call(&mut self, now: Micros, signal: &Signal, outputs: &[Output], hash_after: u64) {
        if self.records == 0 {
            self.first = now;
        }
        // Wrapping both ways gives back any two times, even if a faulty driver's clock went back.
        let before = if self.records == 0 {
            Micros(0)
        } else {
            self.last
        };
        let step_us = now.0.wrapping_sub(before.0);
        self.bytes.push(CALL);
        self.put(&(step_us, signal, outputs.len() as u64));
        for output in outputs {
            self.put(output);
        }
        self.bytes.extend_from_slice(&hash_after.to_le_bytes());
        self.last = now;
        self.hash_after = hash_after;
        self.records += 1;
        self.next_seq += 1;
    }

    /// Adds a gap of `count` calls, which follow the last call or gap.
    pub fn gap(&mut self, count: u64) {
        self.bytes.push(GAP);
        self.put(&count);
        self.next_seq += count;
    }

    /// Adds the text of a code.
    pub fn text(&mut self, code: CodeId, text: &str) {
        self.bytes.push(TEXT);
        self.put(&(code.0, text.len() as u64));
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Adds who gave a command.
    pub fn note(&mut self, ticket: Ticket, text: &str) {
        self.bytes.push(NOTE);
        self.put(&(ticket.0, text.len() as u64));
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Adds that the sorter was handed a plan.
    pub fn staged(&mut self, version: u32) {
        self.bytes.push(STAGED);
        self.put(&version);
    }

    /// Adds the end of the run.
    pub fn close(&mut self, digest: u64) {
        self.bytes.push(CLOSE);
        self.bytes.extend_from_slice(&digest.to_le_bytes());
    }

    fn put<T: serde::Serialize>(&mut self, value: &T) {
        let mut scratch = [0; SCRATCH_BYTES];
        let encoded = postcard::to_slice(value, &mut scratch);
        self.bytes
            .extend_from_slice(encoded.expect("no value of the vocabulary is so long"));
    }

    /// The checksum of the row: of the bytes and of everything said about them.
    #[must_use]
    pub fn crc(&self) -> u32 {
        crc32c(&[
            &self.run.to_le_bytes(),
            &self.first_seq.to_le_bytes(),
            &self.next_seq.to_le_bytes(),
            &self.records.to_le_bytes(),
            &self.first.0.to_le_bytes(),
            &self.last.0.to_le_bytes(),
            &self.hash_after.to_le_bytes(),
            &self.bytes,
        ])
    }

    /// What is in it, in order.
    #[must_use]
    pub fn items(&self) -> Items<'_> {
        let now = Micros(0);
        Items {
            block: self,
            at: 0,
            seq: self.first_seq,
            now,
        }
    }
}

/// A walk through a block.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    block: &'a Block,
    at: usize,
    seq: u64,
    now: Micros,
}

impl<'a> Items<'a> {
    /// The next item; a call's outputs replace what is in `outputs`. `None` at the end.
    ///
    /// # Errors
    /// [`BlockFault::Unknown`] or [`BlockFault::Count`]; nothing more can be had from the block.
    pub fn next(&mut self, outputs: &mut Vec<Output>) -> Result<Option<Item<'a>>, BlockFault> {
        let bytes: &'a [u8] = &self.block.bytes;
        let Some((&tag, rest)) = bytes.get(self.at..).and_then(<[u8]>::split_first) else {
            let (found, told) = (self.seq, self.block.next_seq);
            return if found == told {
                Ok(None)
            } else {
                Err(BlockFault::Count { found, told })
            };
        };
        let unknown = BlockFault::Unknown { at: self.at };
        let (item, rest) = self.item(tag, rest, outputs).ok_or(unknown)?;
        self.at = bytes.len() - rest.len();
        Ok(Some(item))
    }

    /// Decodes what follows a tag; `None` if that is not possible.
    fn item(
        &mut self,
        tag: u8,
        rest: &'a [u8],
        outputs: &mut Vec<Output>,
    ) -> Option<(Item<'a>, &'a [u8])> {
        match tag {
            CALL => self.call(rest, outputs),
            GAP => {
                let (count, rest) = take::<u64>(rest)?;
                let first = self.seq;
                self.seq = first.checked_add(count)?;
                Some((Item::Gap { first, count }, rest))
            }
            TEXT => {
                let ((code, len), rest) = take::<(u64, u64)>(rest)?;
                let (text, rest) = take_text(rest, len)?;
                Some((
                    Item::Text {
                        code: CodeId(code),
                        text,
                    },
                    rest,
                ))
            }
            NOTE => {
                let ((ticket, len), rest) = take::<(u32, u64)>(rest)?;
                let (text, rest) = take_text(rest, len)?;
                let ticket = Ticket(ticket);
                Some((Item::Note { ticket, text }, rest))
            }
            STAGED => {
                let (version, rest) = take(rest)?;
                Some((Item::Staged { version }, rest))
            }
            CLOSE => {
                let (digest, rest) = take_u64_le(rest)?;
                Some((Item::Close { digest }, rest))
            }
            _ => None,
        }
    }

    fn call(&mut self, rest: &'a [u8], outputs: &mut Vec<Output>) -> Option<(Item<'a>, &'a [u8])> {
        let ((step_us, signal, said), mut rest) = take::<(u64, Signal, u64)>(rest)?;
        outputs.clear();
        for _ in 0..said {
            let (output, after) = take::<Output>(rest)?;
            outputs.push(output);
            rest = after;
        }
        let (hash_after, rest) = take_u64_le(rest)?;
        let seq = self.seq;
        self.seq = seq.checked_add(1)?;
        self.now = Micros(self.now.0.wrapping_add(step_us));
        Some((
            Item::Call(Call {
                seq,
                now: self.now,
                signal,
                hash_after,
            }),
            rest,
        ))
    }
}

fn take<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Option<(T, &'a [u8])> {
    postcard::take_from_bytes(bytes).ok()
}

fn take_text(bytes: &[u8], len: u64) -> Option<(&str, &[u8])> {
    let (text, rest) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

fn take_u64_le(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), rest))
}
