//! Where everything lies: the addresses and limits of `docs/plc-interface.md`.
//!
//! All are holding registers, counted from 0, big-endian; 32-bit values take two, high word first.

/// Version of the register map. A PLC or engine that meets another number stops there.
pub const MAP_VERSION: u16 = 1;

/// Registers of one event or command.
pub const SLOT_REGS: usize = 16;
/// Slots in each window: as many as one FC3 carries beside the status block.
pub const SLOTS: usize = 7;

/// Most registers one FC3 may read, and the most FC23 may read.
pub const READ_MAX: usize = 125;
/// Most registers one FC16 may write.
pub const WRITE_MAX: usize = 123;
/// Most registers one FC23 may write. Every write of ours keeps to it, so that FC16 and FC23 are
/// interchangeable.
pub const READ_WRITE_WRITE_MAX: usize = 121;

/// First register of the status block.
pub const STATUS_BASE: u16 = 0;
/// Registers of the status block.
pub const STATUS_REGS: usize = 13;
/// First register of the event slots, right behind the status so that one read takes both.
pub const EVENTS_BASE: u16 = STATUS_BASE + STATUS_REGS as u16;
/// Registers of one poll: status and all event slots.
pub const POLL_REGS: usize = STATUS_REGS + SLOTS * SLOT_REGS;

/// First register of the info block, read once at each connect.
pub const INFO_BASE: u16 = 200;
/// Registers of the info block.
pub const INFO_REGS: usize = 16;

/// Registers of the header an engine writes.
pub const HEADER_REGS: usize = 9;
/// Registers of one engine's area: header and all command slots.
pub const AREA_REGS: usize = HEADER_REGS + SLOTS * SLOT_REGS;

/// First register of the induction levels.
pub const INDUCTIONS_BASE: u16 = 1_000;
/// Registers of one induction's levels.
pub const INDUCTION_REGS: usize = 4;
/// Most inductions of one PLC.
pub const INDUCTIONS_MAX: u16 = 64;

/// First register of the chute levels.
pub const CHUTES_BASE: u16 = 2_000;
/// Registers of one chute's levels.
pub const CHUTE_REGS: usize = 5;
/// Most chutes of one PLC.
pub const CHUTES_MAX: u16 = 1_000;

/// Registers of one induction's wish, written by the engine.
pub const INDUCTION_WISH_REGS: usize = 2;
/// Distance from the start of a wish area to its chutes.
const CHUTE_WISH_OFFSET: u16 = 200;
/// Registers one wish area spans, inductions and chutes.
const WISH_AREA_REGS: u16 = CHUTE_WISH_OFFSET + CHUTES_MAX;

/// First register of the inventory's header.
pub const INVENTORY_BASE: u16 = 12_000;
/// Registers of the inventory's header.
pub const INVENTORY_HEADER_REGS: usize = 8;
/// First register of the inventory's cells.
pub const CELLS_BASE: u16 = 12_100;
/// Registers of one cell (carrier or window) in the inventory.
pub const CELL_REGS: usize = 4;
/// Most cells of one PLC.
pub const CELLS_MAX: u16 = 8_000;

/// Fewest events the PLC must be able to keep behind the window: over 10 s at 22 events a second.
pub const FIFO_MIN: usize = 256;

/// Which of the two engine areas of a PLC an engine writes. An engine never touches the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Area {
    /// Registers from 400 (header and commands) and from 8000 (wishes).
    A,
    /// Registers from 600 (header and commands) and from 10000 (wishes).
    B,
}

impl Area {
    /// Both areas, in the order in which the PLC looks at claims.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// First register of the header; the command slots follow it.
    #[must_use]
    pub const fn base(self) -> u16 {
        match self {
            Self::A => 400,
            Self::B => 600,
        }
    }

    /// First register of the induction wishes.
    #[must_use]
    pub const fn induction_wish_base(self) -> u16 {
        match self {
            Self::A => 8_000,
            Self::B => 10_000,
        }
    }

    /// First register of the chute wishes.
    #[must_use]
    pub const fn chute_wish_base(self) -> u16 {
        self.induction_wish_base() + CHUTE_WISH_OFFSET
    }

    /// 0 for A, 1 for B.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }
}

/// One past the last register of a PLC with that many cells.
#[must_use]
pub const fn map_end(cells: u16) -> usize {
    CELLS_BASE as usize + cells as usize * CELL_REGS
}

const _: () = {
    assert!(
        POLL_REGS == READ_MAX,
        "status and events are one FC3, and none of it wasted"
    );
    assert!(
        AREA_REGS == READ_WRITE_WRITE_MAX,
        "header and commands are one FC16 or one FC23"
    );
    assert!(AREA_REGS <= WRITE_MAX);
    assert!(POLL_REGS <= INFO_BASE as usize);
    assert!(INFO_BASE as usize + INFO_REGS <= Area::A.base() as usize);
    assert!(Area::A.base() as usize + AREA_REGS <= Area::B.base() as usize);
    assert!(Area::B.base() as usize + AREA_REGS <= INDUCTIONS_BASE as usize);
    assert!(
        INDUCTIONS_BASE as usize + INDUCTIONS_MAX as usize * INDUCTION_REGS <= CHUTES_BASE as usize
    );
    let chutes_end = CHUTES_BASE as usize + CHUTES_MAX as usize * CHUTE_REGS;
    assert!(chutes_end <= Area::A.induction_wish_base() as usize);
    assert!(INDUCTIONS_MAX as usize * INDUCTION_WISH_REGS <= CHUTE_WISH_OFFSET as usize);
    assert!(Area::A.induction_wish_base() + WISH_AREA_REGS <= Area::B.induction_wish_base());
    assert!(Area::B.induction_wish_base() + WISH_AREA_REGS <= INVENTORY_BASE);
    assert!(INVENTORY_BASE as usize + INVENTORY_HEADER_REGS <= CELLS_BASE as usize);
    assert!(
        map_end(CELLS_MAX) <= 0x1_0000,
        "a Modbus address has 16 bits"
    );
};

/// What the check starts with, so that all-zero registers never pass.
const CHECK_START: u16 = 0xA55A;
/// Weight of a register against the one after it. A plain sum lets a torn slot pass: seven on in
/// the sequence and seven down in the device number cancel out.
const CHECK_FACTOR: u16 = 31;

/// The check register of a block, from its other registers.
#[must_use]
pub fn check_of(registers: &[u16]) -> u16 {
    check_from(CHECK_START, registers)
}

/// The check register of a command slot: as if `boot` stood in front, so that it is good for that
/// life only.
#[must_use]
pub fn check_under(boot: u16, registers: &[u16]) -> u16 {
    check_from(check_from(CHECK_START, &[boot]), registers)
}

fn check_from(start: u16, registers: &[u16]) -> u16 {
    registers.iter().fold(start, |check, register| {
        check.wrapping_mul(CHECK_FACTOR).wrapping_add(*register)
    })
}

/// High and low word of a 32-bit value, in wire order.
#[must_use]
pub const fn words(value: u32) -> [u16; 2] {
    [(value >> 16) as u16, value as u16]
}

/// The 32-bit value of two registers in wire order.
#[must_use]
pub const fn long(high: u16, low: u16) -> u32 {
    (high as u32) << 16 | low as u32
}

/// A register of two bytes.
pub(super) const fn pack(high: u8, low: u8) -> u16 {
    (high as u16) << 8 | low as u16
}

/// High and low byte of a register.
pub(super) const fn unpack(register: u16) -> (u8, u8) {
    ((register >> 8) as u8, register as u8)
}
