//! Is the PLC there, and does it hear us?

use crate::plc::LinkMs;

/// A register that must keep moving.
#[derive(Clone, Copy, Debug, Default)]
struct Pulse {
    last: Option<u16>,
    moved_at: Option<LinkMs>,
}

impl Pulse {
    /// The first value on a connection only says where it stands; a later, different one that it
    /// moves.
    fn on_value(&mut self, now: LinkMs, value: u16) {
        if self.last.is_some_and(|last| last != value) {
            self.moved_at = Some(now);
        }
        self.last = Some(value);
    }
}

/// The PLC's heartbeat shows that its programme runs; its echo of ours that our writes reach that
/// programme.
#[derive(Debug)]
pub(super) struct Liveness {
    loss_ms: u32,
    theirs: Pulse,
    echo: Pulse,
    up: bool,
}

impl Liveness {
    pub(super) fn new(loss_ms: u32) -> Self {
        Self {
            loss_ms,
            theirs: Pulse::default(),
            echo: Pulse::default(),
            up: false,
        }
    }

    /// Starts to watch a new connection. While up, the time of the last sign of life is kept: a
    /// blip is no loss.
    pub(super) fn connected(&mut self) {
        for pulse in [&mut self.theirs, &mut self.echo] {
            pulse.last = None;
            if !self.up {
                pulse.moved_at = None;
            }
        }
    }

    /// Takes a status. `granted` is whether the echo is of our heartbeat. `true` when the link has
    /// just come up.
    pub(super) fn on_status(&mut self, now: LinkMs, beat: u16, echo: u16, granted: bool) -> bool {
        self.theirs.on_value(now, beat);
        if granted {
            self.echo.on_value(now, echo);
        }
        let fresh = self
            .alive_at()
            .is_some_and(|at| now.since(at) < u64::from(self.loss_ms));
        let came_up = granted && fresh && !self.up;
        self.up |= came_up;
        came_up
    }

    /// The last time both were known to live.
    fn alive_at(&self) -> Option<LinkMs> {
        Some(self.theirs.moved_at?.min(self.echo.moved_at?))
    }

    /// `Some(last sign of life)` once, when the link has been silent for too long.
    pub(super) fn check(&mut self, now: LinkMs) -> Option<LinkMs> {
        let at = self.alive_at()?;
        if !self.up || now.since(at) < u64::from(self.loss_ms) {
            return None;
        }
        self.down();
        Some(at)
    }

    /// When [`check`](Self::check) may have something to say.
    pub(super) fn deadline(&self) -> Option<LinkMs> {
        let at = self.alive_at()?;
        self.up.then_some(at.plus(self.loss_ms))
    }

    /// Counts as down, without a word.
    pub(super) fn down(&mut self) {
        self.up = false;
        self.theirs.moved_at = None;
        self.echo.moved_at = None;
    }
}
