//! What a driver carries out on its socket.

use crate::plc::map::READ_WRITE_WRITE_MAX;

/// A read of holding registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// First register.
    pub address: u16,
    /// Registers, 1 to 125.
    pub count: u16,
}

/// A write of holding registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// First register.
    pub address: u16,
    count: u16,
    buffer: [u16; READ_WRITE_WRITE_MAX],
}

impl Write {
    pub(super) fn new(address: u16, registers: &[u16]) -> Self {
        let mut buffer = [0; READ_WRITE_WRITE_MAX];
        buffer[..registers.len()].copy_from_slice(registers);
        Self {
            address,
            count: registers.len() as u16,
            buffer,
        }
    }

    /// The registers to write, 1 to 121.
    #[must_use]
    pub fn registers(&self) -> &[u16] {
        &self.buffer[..usize::from(self.count)]
    }
}

/// One exchange with the PLC. There is never a second one before the first is replied to or failed.
///
/// With both parts it is one FC23; it may be carried out as FC3 and then FC16 as well. With one
/// part it is an FC3 or an FC16. At least one part is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What to read.
    pub read: Option<Read>,
    /// What to write.
    pub write: Option<Write>,
}
