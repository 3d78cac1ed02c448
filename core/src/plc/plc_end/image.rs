//! The registers a Modbus server serves.

use alloc::vec::Vec;

use crate::plc::map::{AREA_REGS, Area, INDUCTION_WISH_REGS, READ_MAX, WRITE_MAX, map_end};

/// The answer of a Modbus server that did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exception {
    /// Exception 02: a register that does not exist, or that may not be written.
    #[error("exception 02: no such register, or not for writing")]
    IllegalAddress,
    /// Exception 03: no registers, or more than one request may carry.
    #[error("exception 03: a request carries 1 to 125 registers to read, 1 to 123 to write")]
    IllegalCount,
}

/// All holding registers, and which of them an engine may write.
#[derive(Debug)]
pub(super) struct Image {
    registers: Vec<u16>,
    chutes: u16,
    inductions: u16,
}

impl Image {
    pub(super) fn new(chutes: u16, inductions: u16, cells: u16) -> Self {
        Self {
            registers: alloc::vec![0; map_end(cells)],
            chutes,
            inductions,
        }
    }

    pub(super) fn clear(&mut self) {
        self.registers.fill(0);
    }

    /// FC3. Registers between the blocks read as 0.
    pub(super) fn read(&self, address: u16, out: &mut [u16]) -> Result<(), Exception> {
        if out.is_empty() || out.len() > READ_MAX {
            return Err(Exception::IllegalCount);
        }
        let first = usize::from(address);
        let span = self.registers.get(first..first + out.len());
        out.copy_from_slice(span.ok_or(Exception::IllegalAddress)?);
        Ok(())
    }

    /// FC16, wholly or not at all.
    pub(super) fn write(&mut self, address: u16, registers: &[u16]) -> Result<(), Exception> {
        if registers.is_empty() || registers.len() > WRITE_MAX {
            return Err(Exception::IllegalCount);
        }
        let first = usize::from(address);
        let end = first + registers.len();
        if !self.is_writable(first, end) {
            return Err(Exception::IllegalAddress);
        }
        self.registers[first..end].copy_from_slice(registers);
        Ok(())
    }

    fn is_writable(&self, first: usize, end: usize) -> bool {
        let inductions = usize::from(self.inductions) * INDUCTION_WISH_REGS;
        Area::BOTH.into_iter().any(|area| {
            let blocks = [
                (area.base(), AREA_REGS),
                (area.induction_wish_base(), inductions),
                (area.chute_wish_base(), usize::from(self.chutes)),
            ];
            blocks.into_iter().any(|(base, count)| {
                let base = usize::from(base);
                first >= base && end <= base + count
            })
        })
    }

    /// A block of known place and size.
    pub(super) fn block<const N: usize>(&self, address: u16) -> &[u16; N] {
        let block = self.registers[usize::from(address)..].first_chunk();
        block.expect("blocks of the map lie inside it")
    }

    /// Puts a block of known place and size.
    pub(super) fn put(&mut self, address: u16, block: &[u16]) {
        let first = usize::from(address);
        self.registers[first..first + block.len()].copy_from_slice(block);
    }

    /// Clears the wishes of an area: another engine starts with nothing said.
    pub(super) fn clear_wishes(&mut self, area: Area) {
        let inductions = usize::from(area.induction_wish_base());
        let chutes = usize::from(area.chute_wish_base());
        let induction_regs = usize::from(self.inductions) * INDUCTION_WISH_REGS;
        self.registers[inductions..inductions + induction_regs].fill(0);
        self.registers[chutes..chutes + usize::from(self.chutes)].fill(0);
    }
}
