//! Parts that a track may have to do without, and how their loss is noticed.

use serde::{Deserialize, Serialize};

use super::Sorter;
use crate::facts::Reading;
use crate::ids::{ChuteId, ScannerId, TrackId};
use crate::limits::{ENCODER_STUCK_MM, HOST_LOST_AFTER, NO_READ_STREAK, SCANNER_SILENT_AFTER};
use crate::outbox::Outbox;
use crate::running::Parts;
use crate::signal::{Alarm, Output};
use crate::units::MmPerS;

/// What is heard of a scanner.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Hearing {
    /// Items in a row without a telegram.
    pub silent: u16,
    /// Telegrams in a row that read nothing.
    pub no_reads: u16,
    /// Telegrams, and those of them with a good code.
    pub telegrams: u64,
    pub good: u64,
}

impl Hearing {
    pub fn is_silent(&self) -> bool {
        self.silent >= SCANNER_SILENT_AFTER
    }
}

impl Sorter {
    /// A scanner has said something.
    pub(super) fn heard(&mut self, scanner: ScannerId, read: Reading, outbox: &mut Outbox) {
        let hearing = &mut self.state.hearing[scanner.index()];
        let was_silent = hearing.is_silent();
        hearing.silent = 0;
        hearing.telegrams += 1;
        hearing.good += u64::from(read == Reading::Good);
        if read == Reading::NoRead {
            hearing.no_reads = hearing.no_reads.saturating_add(1);
            if hearing.no_reads == NO_READ_STREAK {
                outbox.push(Output::Alarm(Alarm::NoReadStreak { scanner }));
            }
        } else {
            hearing.no_reads = 0;
        }
        if was_silent {
            self.hear_out(self.hub.scanners()[scanner.index()].track);
        }
    }

    /// A scanner has said nothing of an item in time.
    pub(super) fn unheard(&mut self, scanner: ScannerId) {
        let hearing = &mut self.state.hearing[scanner.index()];
        hearing.silent = hearing.silent.saturating_add(1);
        if hearing.silent == SCANNER_SILENT_AFTER {
            self.hear_out(self.hub.scanners()[scanner.index()].track);
        }
    }

    /// A person says that a track is all right: its scanners are trusted until shown otherwise.
    pub(super) fn trust_scanners(&mut self, track: TrackId) {
        for (hearing, spec) in self.state.hearing.iter_mut().zip(self.hub.scanners()) {
            if spec.track == track {
                hearing.silent = 0;
            }
        }
        self.hear_out(track);
    }

    fn hear_out(&mut self, track: TrackId) {
        let (mut any, mut all) = (false, true);
        for (hearing, spec) in self.state.hearing.iter().zip(self.hub.scanners()) {
            if spec.track == track {
                any |= hearing.is_silent();
                all &= hearing.is_silent();
            }
        }
        self.lose(track, Parts::SCANNER, any);
        self.lose(track, Parts::ALL_SCANNERS, all);
    }

    /// Whether a scanner is silent while another one of its track can stand in for it: then what
    /// it did not read is read there, even if the plan rejects what cannot be read.
    pub(super) fn stands_in(&self, scanner: ScannerId) -> bool {
        let track = self.hub.scanners()[scanner.index()].track;
        self.state.hearing[scanner.index()].is_silent() && !self.is_lost(track, Parts::ALL_SCANNERS)
    }

    /// The host has not answered a question in time.
    pub(super) fn host_unheard(&mut self) {
        self.state.host_late_in_row = self.state.host_late_in_row.saturating_add(1);
        if self.state.host_late_in_row == HOST_LOST_AFTER {
            self.host_is_lost(true);
        }
    }

    /// It has answered one in time.
    pub(super) fn host_heard(&mut self) {
        if core::mem::replace(&mut self.state.host_late_in_row, 0) >= HOST_LOST_AFTER {
            self.host_is_lost(false);
        }
    }

    fn host_is_lost(&mut self, lost: bool) {
        for track in (0..self.hub.tracks().len()).map(|track| TrackId(track as u16)) {
            if self.is_own(track) {
                self.lose(track, Parts::HOST, lost);
            }
        }
    }

    /// A belt was told: whether its encoder has moved, and the speed it says.
    pub(super) fn watch_encoder(&mut self, track: TrackId, has_moved: bool, speed: MmPerS) {
        let now = self.state.now;
        let running = &mut self.state.running[track.index()];
        if has_moved || speed.0 == 0 {
            running.stood_since = None;
            if running.state.lost.has(Parts::ENCODER) {
                self.lose(track, Parts::ENCODER, false);
                // What was not ordered meanwhile is looked at again.
                self.review(track, false);
            }
            return;
        }
        let since = *running.stood_since.get_or_insert(now);
        if speed.travel_mm(now.since(since)) >= ENCODER_STUCK_MM {
            self.lose(track, Parts::ENCODER, true);
        }
    }

    /// A chute has closed or opened: perhaps a track has no reject chute left, or has one again.
    pub(super) fn look_at_rejects(&mut self, chute: ChuteId) {
        for nth in 0..self.hub.chutes()[chute.index()].outlets.len() {
            let track = self.hub.chutes()[chute.index()].outlets[nth].track;
            let rejects = self.plan.spec().reject.iter();
            let mut own = rejects.filter(|reject| self.hub.outlet(**reject, track).is_some());
            let is_closed = |reject: &ChuteId| {
                let is = self.state.chutes[reject.index()].is;
                is.closed_because().is_some()
            };
            let all = own.all(is_closed);
            self.lose(track, Parts::REJECT, all);
        }
    }

    /// Notes whether a track does without a part.
    pub(super) fn lose(&mut self, track: TrackId, part: Parts, lost: bool) {
        let state = &mut self.state.running[track.index()].state;
        let after = state.lost.with(part, lost);
        if after != state.lost {
            state.lost = after;
            self.unsettle(track);
        }
    }
}
