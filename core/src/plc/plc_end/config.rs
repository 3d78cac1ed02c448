//! What a PLC end is set up with.

use crate::plc::blocks::Info;
use crate::plc::map::{CELLS_MAX, CHUTES_MAX, FIFO_MIN, INDUCTIONS_MAX};

/// What one PLC end is set up with.
#[derive(Clone, Copy, Debug)]
pub struct PlcConfig {
    /// Boot id of this life, not 0.
    pub boot: u16,
    /// What it says about itself; its counts are the capacity, and its FIFO depth that of the FIFO.
    pub info: Info,
    /// Time from one heartbeat to the next, in ms.
    pub heartbeat_ms: u32,
    /// Silence after which the engine is lost, in ms.
    pub loss_ms: u32,
}

impl PlcConfig {
    /// The usual times of the contract, and the smallest FIFO.
    #[must_use]
    pub const fn new(boot: u16, chutes: u16, inductions: u16, cells: u16) -> Self {
        let info = Info {
            config_hash: 0,
            chutes,
            inductions,
            cells,
            pitch_mm: 0,
            track_mm: 0,
            scan_ms: 10,
            fifo_depth: FIFO_MIN as u16,
            laps_max: 0,
            hold_ms: 5_000,
            firmware: 1,
        };
        Self {
            boot,
            info,
            heartbeat_ms: 100,
            loss_ms: 1_000,
        }
    }

    pub(super) fn check(&self) -> Result<(), PlcConfigError> {
        let Info {
            chutes,
            inductions,
            cells,
            fifo_depth,
            ..
        } = self.info;
        let fits = chutes <= CHUTES_MAX && inductions <= INDUCTIONS_MAX;
        if !fits || cells == 0 || cells > CELLS_MAX {
            return Err(PlcConfigError::Counts);
        }
        if self.boot == 0 {
            return Err(PlcConfigError::Boot);
        }
        if usize::from(fifo_depth) < FIFO_MIN {
            return Err(PlcConfigError::Fifo(fifo_depth));
        }
        if self.heartbeat_ms == 0 || self.loss_ms < self.heartbeat_ms.saturating_mul(4) {
            return Err(PlcConfigError::Times);
        }
        Ok(())
    }
}

/// Why a PLC end can not be set up like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlcConfigError {
    /// Boot id 0 means "not started".
    #[error("boot id 0 is a PLC that has not started: count from 1")]
    Boot,
    /// More than the register map has room for, or no cells.
    #[error("the register map has room for 1000 chutes, 64 inductions, 1 to 8000 cells")]
    Counts,
    /// Too few places for events.
    #[error("a FIFO of {0} events: the contract asks for at least 256")]
    Fifo(u16),
    /// Times that would lose a healthy link, or never pass.
    #[error("heartbeat_ms must not be 0, and loss_ms must be at least four heartbeats")]
    Times,
}
