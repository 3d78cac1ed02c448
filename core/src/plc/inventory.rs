//! The inventory: a frozen copy of what lies where, and the machine that reads it page by page.

use alloc::vec::Vec;

use super::event::Event;
use super::lists::CellBits;
use super::map::{
    CELL_REGS, CELLS_BASE, INVENTORY_BASE, INVENTORY_HEADER_REGS, READ_MAX, check_of, long, pack,
    unpack, words,
};
use super::ring::is_newer;

/// Cells of one page: as many as one FC3 carries.
const PAGE_CELLS: u16 = (READ_MAX / CELL_REGS) as u16;
/// Header reads, one a poll, after which an inventory is given up: some seconds at the usual poll.
const TRIES_MAX: u8 = 200;

/// What lay in one carrier or window when the inventory was latched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InventoryCell {
    /// The carrier or window, from 1.
    pub cell: u16,
    /// The item in it, 0 for none.
    pub item: u32,
    /// The chute its order wants next, 0 for none.
    pub chute: u16,
    /// Occupied, disabled, ordered.
    pub bits: CellBits,
    /// Laps the item has completed.
    pub lap: u8,
}

impl InventoryCell {
    /// The registers, in wire order.
    #[must_use]
    pub const fn encode(&self) -> [u16; CELL_REGS] {
        let [item_high, item_low] = words(self.item);
        [item_high, item_low, self.chute, pack(self.lap, self.bits.0)]
    }

    /// The cell with this number in registers.
    #[must_use]
    pub const fn decode(cell: u16, r: &[u16; CELL_REGS]) -> Self {
        let (lap, bits) = unpack(r[3]);
        Self {
            cell,
            item: long(r[0], r[1]),
            chute: r[2],
            bits: CellBits(bits),
            lap,
        }
    }
}

/// The header of the inventory area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InventoryHeader {
    /// The copy's number, 1 for the first after power-up.
    pub generation: u16,
    /// Occupied cells in it.
    pub occupied: u16,
    /// Encoder when it was taken, in mm, wrapping.
    pub encoder_mm: u32,
    /// Cells the area holds.
    pub cells: u16,
    /// Boot id it was taken under: after a restart the generations begin anew.
    pub boot: u16,
}

impl InventoryHeader {
    /// The registers, in wire order.
    #[must_use]
    pub fn encode(&self) -> [u16; INVENTORY_HEADER_REGS] {
        let [encoder_high, encoder_low] = words(self.encoder_mm);
        let mut r = [
            self.generation,
            self.occupied,
            encoder_high,
            encoder_low,
            self.cells,
            self.boot,
            0,
            0,
        ];
        r[INVENTORY_HEADER_REGS - 1] = check_of(&r[..INVENTORY_HEADER_REGS - 1]);
        r
    }

    /// The header in registers; `None` if it is not whole.
    #[must_use]
    pub fn decode(r: &[u16; INVENTORY_HEADER_REGS]) -> Option<Self> {
        let whole = check_of(&r[..INVENTORY_HEADER_REGS - 1]) == r[INVENTORY_HEADER_REGS - 1];
        whole.then_some(Self {
            generation: r[0],
            occupied: r[1],
            encoder_mm: long(r[2], r[3]),
            cells: r[4],
            boot: r[5],
        })
    }
}

/// How reading an inventory ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InventoryEnd {
    /// Every cell that holds or disables something has been told.
    Complete,
    /// A later inventory took its place before it could be read. No cell of it is told; the later
    /// one follows.
    Superseded,
    /// The area never showed the copy that the event told of: a fault of the PLC's programme. None
    /// is told; alarm.
    Unreadable,
    /// The cells read do not come to the number the PLC counted: a fault of its programme. None is
    /// told; alarm.
    Miscounted {
        /// Occupied cells that were read.
        read: u16,
        /// Occupied cells the PLC counted.
        counted: u16,
    },
}

/// What the reader is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No inventory was told of.
    Idle,
    /// ...until event 20 names a generation: is the area still that one?
    Opening,
    /// Then cell after cell, this one next...
    Cells { next: u16 },
    /// ...and at the end once more: was it that one all the while?
    Closing,
    /// Then hand out: the event, the cells, how it ended.
    Event { end: InventoryEnd },
    /// From this cell on.
    Telling { next: u16, end: InventoryEnd },
}

/// One thing the reader hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Event(Event),
    Cell(InventoryCell),
    End(InventoryEnd),
}

/// Reads a latched inventory into its own store, and only then tells it: an inventory is told whole
/// or not at all.
#[derive(Debug)]
pub(super) struct InventoryReader {
    stage: Stage,
    /// The event that told of it, the boot id then, and its generation and count.
    event: Option<Event>,
    boot: u16,
    generation: u16,
    counted: u16,
    /// Header reads that did not show our copy, and whether the next waits for a poll.
    tries: u8,
    waits: bool,
    store: Vec<[u16; CELL_REGS]>,
}

impl InventoryReader {
    pub(super) fn new(cells: u16) -> Self {
        let store = alloc::vec![[0; CELL_REGS]; usize::from(cells)];
        Self {
            stage: Stage::Idle,
            event: None,
            boot: 0,
            generation: 0,
            counted: 0,
            tries: 0,
            waits: false,
            store,
        }
    }

    /// Starts on the inventory that `event` told of.
    pub(super) fn start(&mut self, boot: u16, event: Event, occupied: u16, generation: u16) {
        assert!(
            self.stage == Stage::Idle,
            "later events are held back while one is read"
        );
        self.event = Some(event);
        self.boot = boot;
        self.tries = 0;
        self.waits = false;
        self.generation = generation;
        self.counted = occupied;
        self.stage = Stage::Opening;
    }

    /// Drops everything: the PLC restarted.
    pub(super) fn void(&mut self) {
        self.stage = Stage::Idle;
        self.event = None;
    }

    /// Starts over after a lost connection; what has been read so far may be of two copies.
    pub(super) fn reconnected(&mut self) {
        if matches!(self.stage, Stage::Cells { .. } | Stage::Closing) {
            self.stage = Stage::Opening;
        }
    }

    /// Whether later events must be held back.
    pub(super) fn is_active(&self) -> bool {
        self.stage != Stage::Idle
    }

    /// Whether everything is read and waits to be told.
    pub(super) fn is_telling(&self) -> bool {
        matches!(self.stage, Stage::Event { .. } | Stage::Telling { .. })
    }

    /// A poll has shown that the PLC still leads the life the event was told in: an area that did
    /// not show our copy may be looked at again. (A PLC that is restarting shows none, and is no
    /// reason to give up.)
    pub(super) fn polled(&mut self) {
        self.waits = false;
    }

    /// The next page to read: address and count.
    pub(super) fn page(&self) -> Option<(u16, u16)> {
        if self.waits {
            return None;
        }
        match self.stage {
            Stage::Opening | Stage::Closing => Some((INVENTORY_BASE, INVENTORY_HEADER_REGS as u16)),
            Stage::Cells { next } => {
                let count = (self.store.len() as u16 - next).min(PAGE_CELLS);
                Some((
                    CELLS_BASE + next * CELL_REGS as u16,
                    count * CELL_REGS as u16,
                ))
            }
            Stage::Idle | Stage::Event { .. } | Stage::Telling { .. } => None,
        }
    }

    /// Takes the registers of [`page`](Self::page).
    pub(super) fn on_page(&mut self, registers: &[u16]) {
        match self.stage {
            Stage::Opening => self.on_header(registers, Stage::Cells { next: 0 }),
            Stage::Closing => {
                let end = self.count_up();
                self.on_header(registers, Stage::Event { end });
            }
            Stage::Cells { next } => {
                let mut at = next;
                for cell in registers.chunks_exact(CELL_REGS) {
                    self.store[usize::from(at)].copy_from_slice(cell);
                    at += 1;
                }
                let all = usize::from(at) == self.store.len();
                self.stage = if all {
                    Stage::Closing
                } else {
                    Stage::Cells { next: at }
                };
            }
            Stage::Idle | Stage::Event { .. } | Stage::Telling { .. } => {}
        }
    }

    /// Goes on to `then` if the area still holds our copy. A header that is torn or older is read
    /// again: the area can only be ahead of the event, so that an older one is a read served late.
    /// One of another boot id is as good as none: the next status tells of the restart.
    fn on_header(&mut self, registers: &[u16], then: Stage) {
        let header = registers.try_into().ok().and_then(InventoryHeader::decode);
        let ours = header.filter(|header| header.boot == self.boot);
        match ours.map(|header| header.generation) {
            Some(_) if mutant!("any_inventory") => self.stage = then,
            Some(generation) if generation == self.generation => self.stage = then,
            Some(generation) if is_newer(generation, self.generation) => {
                self.stage = Stage::Event {
                    end: InventoryEnd::Superseded,
                };
            }
            _ if self.tries == TRIES_MAX => {
                self.stage = Stage::Event {
                    end: InventoryEnd::Unreadable,
                };
            }
            _ => {
                self.tries += 1;
                self.waits = true;
            }
        }
    }

    fn count_up(&self) -> InventoryEnd {
        let occupied =
            |r: &&[u16; CELL_REGS]| InventoryCell::decode(0, r).bits.has(CellBits::OCCUPIED);
        let read = self.store.iter().filter(occupied).count() as u16;
        if read == self.counted {
            InventoryEnd::Complete
        } else {
            InventoryEnd::Miscounted {
                read,
                counted: self.counted,
            }
        }
    }

    /// Hands out the next part of a whole inventory.
    pub(super) fn tell(&mut self) -> Option<Told> {
        match self.stage {
            Stage::Event { end } => {
                // Without a whole copy there is no cell to tell.
                let next = match end {
                    InventoryEnd::Complete => 0,
                    _ => self.store.len() as u16,
                };
                self.stage = Stage::Telling { next, end };
                self.event.map(Told::Event)
            }
            Stage::Telling { next, end } => {
                let cells = (next..self.store.len() as u16)
                    .map(|at| InventoryCell::decode(at + 1, &self.store[usize::from(at)]));
                let empty = |cell: &InventoryCell| cell.item == 0 && cell.bits == CellBits(0);
                let Some(found) = cells.into_iter().find(|cell| !empty(cell)) else {
                    self.void();
                    return Some(Told::End(end));
                };
                self.stage = Stage::Telling {
                    next: found.cell,
                    end,
                };
                Some(Told::Cell(found))
            }
            _ => None,
        }
    }
}
