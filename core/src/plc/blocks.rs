//! The single blocks: the PLC's status and info, the engine's header.

use super::lists::{EngineBits, StatusBits};
use super::map::{
    Area, HEADER_REGS, INFO_REGS, MAP_VERSION, SLOTS, STATUS_REGS, check_of, long, words,
};

/// The status block, which every poll reads.
///
/// It has no check register (its 13 registers and seven slots fill one FC3 exactly); the PLC must
/// hand it out in one piece. All-zero is "nothing".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Version of the register map.
    pub version: u16,
    /// Changes whenever the PLC lost its tracking; never 0.
    pub boot: u16,
    /// Epoch of the engine it obeys, 0 for none.
    pub granted_epoch: u16,
    /// Moves every 100 ms while the PLC programme runs.
    pub heartbeat: u16,
    /// The granted engine's heartbeat as last seen.
    pub echo: u16,
    /// State of track and mailbox.
    pub bits: StatusBits,
    /// Speed of the track.
    pub speed_mm_s: u16,
    /// Encoder at the end of the PLC's scan, wrapping.
    pub encoder_mm: u32,
    /// Newest event in the window, as on the wire.
    pub event_head: u16,
    /// Newest command consumed, as on the wire.
    pub command_ack: u16,
    /// Counts the chute and induction changes told by events 12 and 14.
    pub changes: u16,
    /// Events lost because the PLC's FIFO was full, wrapping.
    pub events_lost: u16,
}

impl Status {
    /// The registers, in wire order.
    #[must_use]
    pub const fn encode(&self) -> [u16; STATUS_REGS] {
        let [encoder_high, encoder_low] = words(self.encoder_mm);
        [
            self.version,
            self.boot,
            self.granted_epoch,
            self.heartbeat,
            self.echo,
            self.bits.0,
            self.speed_mm_s,
            encoder_high,
            encoder_low,
            self.event_head,
            self.command_ack,
            self.changes,
            self.events_lost,
        ]
    }

    /// The block in registers.
    #[must_use]
    pub const fn decode(r: &[u16; STATUS_REGS]) -> Self {
        Self {
            version: r[0],
            boot: r[1],
            granted_epoch: r[2],
            heartbeat: r[3],
            echo: r[4],
            bits: StatusBits(r[5]),
            speed_mm_s: r[6],
            encoder_mm: long(r[7], r[8]),
            event_head: r[9],
            command_ack: r[10],
            changes: r[11],
            events_lost: r[12],
        }
    }

    /// The area the grant is for, or `None` while nobody is granted.
    #[must_use]
    pub const fn granted_area(&self) -> Option<Area> {
        match (self.granted_epoch, self.bits.has(StatusBits::GRANTED_B)) {
            (0, _) => None,
            (_, true) => Some(Area::B),
            (_, false) => Some(Area::A),
        }
    }
}

/// The header at the start of an engine's area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The epoch claimed, 0 to claim nothing.
    pub claim: u16,
    /// Moves every 100 ms while the engine runs.
    pub heartbeat: u16,
    /// The PLC's heartbeat as last seen.
    pub echo: u16,
    /// The boot id this was written for; the PLC ignores everything written for another.
    pub boot: u16,
    /// Newest event that is safe with the engine, as on the wire.
    pub event_ack: u16,
    /// Newest command in the window, as on the wire.
    pub command_head: u16,
    /// What the engine says about itself.
    pub bits: EngineBits,
}

impl Header {
    /// The registers, in wire order.
    #[must_use]
    pub fn encode(&self) -> [u16; HEADER_REGS] {
        let mut r = [
            MAP_VERSION,
            self.claim,
            self.heartbeat,
            self.echo,
            self.boot,
            self.event_ack,
            self.command_head,
            self.bits.0,
            0,
        ];
        r[HEADER_REGS - 1] = check_of(&r[..HEADER_REGS - 1]);
        r
    }

    /// The header in registers; `None` if it is not whole or of another map version.
    #[must_use]
    pub fn decode(r: &[u16; HEADER_REGS]) -> Option<Self> {
        let whole = check_of(&r[..HEADER_REGS - 1]) == r[HEADER_REGS - 1];
        (whole && r[0] == MAP_VERSION).then_some(Self {
            claim: r[1],
            heartbeat: r[2],
            echo: r[3],
            boot: r[4],
            event_ack: r[5],
            command_head: r[6],
            bits: EngineBits(r[7]),
        })
    }
}

/// What the PLC says about itself, read at each connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// Hash of the hub's configuration as loaded into the PLC, 0 if it keeps none.
    pub config_hash: u32,
    /// Chutes, numbered from 1.
    pub chutes: u16,
    /// Inductions, numbered from 1.
    pub inductions: u16,
    /// Carriers or windows, numbered from 1.
    pub cells: u16,
    /// Length of one cell.
    pub pitch_mm: u16,
    /// Length of the loop or line.
    pub track_mm: u32,
    /// The PLC's cycle time.
    pub scan_ms: u16,
    /// Events its FIFO can keep, those in the window included.
    pub fifo_depth: u16,
    /// Most laps it carries a parcel by itself.
    pub laps_max: u16,
    /// How long accepted orders hold without an engine, in ms; 0 for "to the end of the line".
    pub hold_ms: u16,
    /// The PLC programme's own version number.
    pub firmware: u16,
}

impl Info {
    /// The registers, in wire order.
    #[must_use]
    pub fn encode(&self) -> [u16; INFO_REGS] {
        let [hash_high, hash_low] = words(self.config_hash);
        let [track_high, track_low] = words(self.track_mm);
        let mut r = [
            MAP_VERSION,
            hash_high,
            hash_low,
            self.chutes,
            self.inductions,
            self.cells,
            self.pitch_mm,
            track_high,
            track_low,
            self.scan_ms,
            SLOTS as u16,
            self.fifo_depth,
            self.laps_max,
            self.hold_ms,
            self.firmware,
            0,
        ];
        r[INFO_REGS - 1] = check_of(&r[..INFO_REGS - 1]);
        r
    }

    /// The block in registers; `None` if it is not whole, of another map version, or for other
    /// windows.
    #[must_use]
    pub fn decode(r: &[u16; INFO_REGS]) -> Option<Self> {
        let whole = check_of(&r[..INFO_REGS - 1]) == r[INFO_REGS - 1];
        (whole && r[0] == MAP_VERSION && usize::from(r[10]) == SLOTS).then_some(Self {
            config_hash: long(r[1], r[2]),
            chutes: r[3],
            inductions: r[4],
            cells: r[5],
            pitch_mm: r[6],
            track_mm: long(r[7], r[8]),
            scan_ms: r[9],
            fifo_depth: r[11],
            laps_max: r[12],
            hold_ms: r[13],
            firmware: r[14],
        })
    }
}
