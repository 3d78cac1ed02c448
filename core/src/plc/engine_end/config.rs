//! What an engine end is set up with.

use super::Mark;
use crate::plc::map::{Area, CELLS_MAX, CHUTES_MAX, INDUCTIONS_MAX};

/// What one engine end is set up with. Times are real milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct EngineConfig {
    /// The area this engine writes.
    pub area: Area,
    /// This run's epoch, not 0, newer than that of any earlier run: durable before the first claim.
    pub epoch: u16,
    /// Hash of the hub's configuration; 0 here or in the PLC means "not compared".
    pub config_hash: u32,
    /// Chutes the configuration gives this PLC.
    pub chutes: u16,
    /// Inductions it gives it.
    pub inductions: u16,
    /// Carriers or windows it gives it.
    pub cells: u16,
    /// Most commands waiting for a slot.
    pub waiting_max: u16,
    /// Time from one poll to the next.
    pub poll_ms: u32,
    /// Time to the next poll when only the PLC's answer can let commands or events go on.
    pub poll_urgent_ms: u32,
    /// Time from one heartbeat to the next.
    pub heartbeat_ms: u32,
    /// Silence after which the link is lost.
    pub loss_ms: u32,
    /// Time from one slow check of the levels to the next.
    pub sweep_ms: u32,
    /// Time after which wishes are written again.
    pub wishes_ms: u32,
    /// Use FC23; [`fc23_refused`](super::EngineEnd::fc23_refused) gives it up.
    pub fc23: bool,
    /// The last event an earlier run has on disk, so that it is not told again.
    pub resume: Option<Mark>,
}

impl EngineConfig {
    /// The usual times of the contract, without FC23.
    #[must_use]
    pub const fn new(area: Area, epoch: u16, chutes: u16, inductions: u16, cells: u16) -> Self {
        Self {
            area,
            epoch,
            config_hash: 0,
            chutes,
            inductions,
            cells,
            waiting_max: 256,
            poll_ms: 20,
            poll_urgent_ms: 2,
            heartbeat_ms: 100,
            loss_ms: 1_000,
            sweep_ms: 5_000,
            wishes_ms: 1_000,
            fc23: false,
            resume: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.epoch == 0 {
            return Err(ConfigError::Epoch);
        }
        if self.chutes > CHUTES_MAX {
            return Err(ConfigError::Chutes(self.chutes));
        }
        if self.inductions > INDUCTIONS_MAX {
            return Err(ConfigError::Inductions(self.inductions));
        }
        if self.cells == 0 || self.cells > CELLS_MAX {
            return Err(ConfigError::Cells(self.cells));
        }
        if self.waiting_max == 0 {
            return Err(ConfigError::Waiting);
        }
        let slowest = self.poll_ms.max(self.heartbeat_ms);
        if self.poll_ms == 0 || self.heartbeat_ms == 0 || self.loss_ms < slowest.saturating_mul(4) {
            return Err(ConfigError::Times);
        }
        if self.sweep_ms == 0 || self.wishes_ms == 0 {
            return Err(ConfigError::Times);
        }
        Ok(())
    }
}

/// Why an engine end can not be set up like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Epoch 0 means "no claim".
    #[error("epoch 0 is no claim: count epochs from 1")]
    Epoch,
    /// More chutes than the register map has room for.
    #[error("{0} chutes on one PLC: the register map has room for 1000")]
    Chutes(u16),
    /// More inductions than the register map has room for.
    #[error("{0} inductions on one PLC: the register map has room for 64")]
    Inductions(u16),
    /// No cells, or more than the register map has room for.
    #[error("{0} carriers or windows on one PLC: give 1 to 8000")]
    Cells(u16),
    /// A queue without room.
    #[error("no room for waiting commands: give at least 1")]
    Waiting,
    /// Times that would lose a healthy link, or never pass.
    #[error("times must not be 0, and loss_ms must be at least four polls and four heartbeats")]
    Times,
}
