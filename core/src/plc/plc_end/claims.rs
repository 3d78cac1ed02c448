//! Which engine the PLC obeys.

use crate::plc::LinkMs;
use crate::plc::blocks::Header;
use crate::plc::lists::EngineBits;
use crate::plc::map::Area;
use crate::plc::ring::is_newer;

/// What was last seen in one area's header.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    claim: u16,
    heartbeat: Option<u16>,
    moved_at: Option<LinkMs>,
}

/// What a scan of the headers brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    /// An engine was granted in this scan.
    pub(super) new_grant: bool,
    /// The granted engine's header, where it is whole and for this life of the PLC.
    pub(super) header: Option<Header>,
}

/// The grant, the lease that keeps it, and the latch of its loss.
#[derive(Debug)]
pub(super) struct Claims {
    loss_ms: u32,
    seen: [Seen; 2],
    granted: Option<(Area, u16)>,
    /// The last epoch granted in this life; none that is not newer is granted again.
    last_epoch: u16,
    granted_at: LinkMs,
    pub(super) loss_latched: bool,
    pub(super) mismatch: bool,
}

impl Claims {
    pub(super) fn new(loss_ms: u32) -> Self {
        Self {
            loss_ms,
            seen: [Seen::default(); 2],
            granted: None,
            last_epoch: 0,
            granted_at: LinkMs(0),
            loss_latched: false,
            mismatch: false,
        }
    }

    pub(super) fn granted(&self) -> Option<(Area, u16)> {
        self.granted
    }

    /// Takes both headers, as far as they are whole and were written for this life of the PLC.
    pub(super) fn scan(&mut self, now: LinkMs, headers: [Option<Header>; 2]) -> Scanned {
        for (seen, header) in self.seen.iter_mut().zip(&headers) {
            if let Some(header) = header {
                seen.on_header(now, header);
            }
        }
        self.mismatch = headers
            .iter()
            .flatten()
            .any(|header| header.bits.has(EngineBits::CONFIG_MISMATCH));
        self.release(&headers);
        let new_grant = self.grant(now);
        let header = self
            .granted
            .and_then(|(area, epoch)| headers[area.index()].filter(|header| header.claim == epoch));
        if self.granted.is_some() && !self.lease_holds(now) {
            self.loss_latched = true;
        } else if header.is_some_and(|header| header.bits.has(EngineBits::LOSS_SEEN)) {
            self.loss_latched = false;
        }
        Scanned { new_grant, header }
    }

    fn release(&mut self, headers: &[Option<Header>; 2]) {
        let Some((area, epoch)) = self.granted else {
            return;
        };
        let releases =
            |header: &Header| header.claim == epoch && header.bits.has(EngineBits::RELEASING);
        if headers[area.index()].as_ref().is_some_and(releases) {
            self.granted = None;
        }
    }

    fn grant(&mut self, now: LinkMs) -> bool {
        if self.granted.is_some() && self.lease_holds(now) {
            return false;
        }
        for area in Area::BOTH {
            let seen = self.seen[area.index()];
            let newer = self.last_epoch == 0 || is_newer(seen.claim, self.last_epoch);
            if seen.claim != 0 && newer && self.is_alive(seen.moved_at, now) {
                self.granted = Some((area, seen.claim));
                self.last_epoch = seen.claim;
                self.granted_at = now;
                return true;
            }
        }
        false
    }

    /// Whether the granted engine still shows life. Its header may have been overwritten by another
    /// claim in the same area; then it does not, however lively that one is.
    pub(super) fn lease_holds(&self, now: LinkMs) -> bool {
        self.granted.is_some_and(|(area, epoch)| {
            if mutant!("lease_for_ever") {
                return true;
            }
            let seen = &self.seen[area.index()];
            let at = if seen.claim == epoch {
                seen.moved_at
            } else {
                None
            };
            self.is_alive(at.or(Some(self.granted_at)), now)
        })
    }

    fn is_alive(&self, at: Option<LinkMs>, now: LinkMs) -> bool {
        at.is_some_and(|at| now.since(at) < u64::from(self.loss_ms))
    }
}

impl Seen {
    /// A claim shows life only when its heartbeat moves: a header that a dead engine left behind is
    /// none.
    fn on_header(&mut self, now: LinkMs, header: &Header) {
        if self.claim != header.claim {
            *self = Self {
                claim: header.claim,
                heartbeat: None,
                moved_at: None,
            };
        }
        if self.heartbeat.is_some_and(|last| last != header.heartbeat) {
            self.moved_at = Some(now);
        }
        self.heartbeat = Some(header.heartbeat);
    }
}
