//! Back-pressure: how full tracks are, and how fast inductions may feed them.
//!
//! The occupancy of a track is counted with every item that comes and goes; only when something
//! that a track's inductions depend on has changed are they looked at, at the end of the call.

use serde::{Deserialize, Serialize};

use super::Sorter;
use super::modes::Review;
use crate::hub::{Caps, Hub, InductionSpec};
use crate::ids::{InductionId, TrackId};
use crate::limits::{INDUCTIONS_PER_TRACK_MAX, OCCUPANCY_HYSTERESIS_PERMILLE, TRACKS_MAX};
use crate::operator::{InductionWish, Mode, Refused};
use crate::outbox::Outbox;
use crate::running::{Feeding, Hold, Pace, Parts, RunState, Step};
use crate::signal::Output;
use crate::units::Micros;

/// How full a track is against its caps, with hysteresis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Pressure {
    #[default]
    Free,
    Crowded,
    Full,
}

/// How a track runs.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Running {
    pub state: RunState,
    /// The state that was said last.
    pub said: RunState,
    /// The PLC's inventory has been told since it or we started.
    pub is_told: bool,
    /// Its levels must be said again, news or not: whoever carries them may have begun anew.
    pub says_again: bool,
    pub pressure: Pressure,
    /// What holds its inductions, as last worked out.
    pub hold: Option<Hold>,
    /// Carriers or windows with something in them, those besides an item's own included.
    pub occupied: u32,
    /// Items found on it that are not in the book.
    pub provisional: u32,
    /// Carriers that are not used.
    pub disabled: u32,
    /// Since when its encoder has stood while the belt was said to run.
    pub stood_since: Option<Micros>,
    /// A look at each of its cells that is under way.
    pub review: Option<Review>,
}

/// An induction as it should run, and as it does.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Induction {
    /// A person has stopped it.
    pub is_stopped: bool,
    /// What a person allows it an hour; 0: no limit.
    pub limit_per_h: u16,
    /// What its quota leaves it an hour; 0: no limit.
    pub quota_per_h: u16,
    /// What holds it, and since when.
    pub hold: Hold,
    pub since: Micros,
    /// When it was last let go after a stop.
    pub let_go: Micros,
    /// What was said last.
    pub said: (Pace, u16),
    pub feeding: Feeding,
}

impl Induction {
    pub fn new(hub: &Hub, spec: &InductionSpec) -> Self {
        Self {
            is_stopped: false,
            limit_per_h: 0,
            quota_per_h: quota_per_h(hub, spec),
            hold: Hold::NotTold,
            since: Micros(0),
            let_go: Micros(0),
            said: (Pace::Stop, 0),
            feeding: Feeding::default(),
        }
    }

    /// The lower of its two limits; 0: none.
    pub fn limit(&self) -> u16 {
        match (self.limit_per_h, self.quota_per_h) {
            (0, limit) | (limit, 0) => limit,
            (one, other) => one.min(other),
        }
    }
}

/// A quota as a rate: its share of the carriers or places that come past at the usual speed.
fn quota_per_h(hub: &Hub, spec: &InductionSpec) -> u16 {
    if spec.quota_permille >= 1_000 {
        return 0;
    }
    let track = &hub.tracks()[spec.track.index()];
    let places = u64::from(track.kind.cells()) * u64::from(track.speed.0) * 3_600;
    let past_per_h = places / u64::from(track.kind.round().0).max(1);
    let share = past_per_h * u64::from(spec.quota_permille) / 1_000;
    share.clamp(1, u64::from(u16::MAX)) as u16
}

// One bit for each track.
const _: () = assert!(TRACKS_MAX <= u64::BITS as usize);

impl Sorter {
    /// Something that the inductions of a track, or its step, depend on has changed.
    pub(super) fn unsettle(&mut self, track: TrackId) {
        if self.is_own(track) {
            self.state.unsettled |= 1 << track.0;
        }
    }

    /// Settles the tracks on which something has changed, as far as the outbox has room; the rest
    /// is due a microsecond later.
    pub(super) fn settle(&mut self, outbox: &mut Outbox) {
        while self.state.unsettled != 0 {
            if outbox.room() < INDUCTIONS_PER_TRACK_MAX * 2 {
                self.state.hold_until = self.state.now.after(Micros(1));
                return;
            }
            let track = TrackId(self.state.unsettled.trailing_zeros() as u16);
            self.state.unsettled &= self.state.unsettled - 1;
            self.settle_track(track, outbox);
        }
    }

    fn settle_track(&mut self, track: TrackId, outbox: &mut Outbox) {
        let is_empty = self.on_track(track) == 0;
        let pressure = self.pressure(track);
        let running = &mut self.state.running[track.index()];
        if is_empty && matches!(running.state.step, Step::Draining | Step::Purging) {
            running.state.step = Step::Stopped;
        }
        running.pressure = pressure;
        let hold = running.holds();
        let again = core::mem::take(&mut running.says_again);
        let is_news = again || running.state != running.said;
        let is_held_anew = again || running.hold != Some(hold);
        (running.said, running.hold) = (running.state, Some(hold));
        if is_news {
            let to = running.state;
            outbox.push(Output::Track { track, to });
        }
        if is_held_anew {
            for index in 0..self.hub.inductions().len() {
                if self.hub.inductions()[index].track == track {
                    self.pace(InductionId(index as u16), again, outbox);
                }
            }
        }
    }

    /// Works out how an induction may run, and says so if that is news.
    fn pace(&mut self, id: InductionId, again: bool, outbox: &mut Outbox) {
        let track = self.hub.inductions()[id.index()].track;
        let of_track = self.state.running[track.index()].hold;
        let now = self.state.now;
        let induction = &mut self.state.inductions[id.index()];
        let own = if induction.is_stopped {
            Hold::Operator
        } else {
            Hold::Nothing
        };
        let hold = own.min(of_track.unwrap_or(Hold::NotTold));
        if hold != induction.hold {
            (induction.hold, induction.since) = (hold, now);
        }
        let said = (hold.pace(), induction.limit());
        if again || said != induction.said {
            if induction.said.0 == Pace::Stop {
                induction.let_go = now;
            }
            induction.said = said;
            outbox.push(Output::Pace {
                induction: id,
                to: said.0,
                limit_per_h: said.1,
            });
        }
    }

    /// A person wants something of an induction.
    pub(super) fn induction_wish(
        &mut self,
        id: InductionId,
        to: InductionWish,
        outbox: &mut Outbox,
    ) -> Result<(), Refused> {
        let inductions = &mut self.state.inductions;
        let induction = inductions
            .get_mut(id.index())
            .ok_or(Refused::NoSuchDevice)?;
        match to {
            InductionWish::Run => induction.is_stopped = false,
            InductionWish::Stop => induction.is_stopped = true,
            InductionWish::Limit(per_h) => induction.limit_per_h = per_h,
        }
        self.pace(id, false, outbox);
        Ok(())
    }

    /// Parcels that are on a track, or may be.
    pub(super) fn on_track(&self, track: TrackId) -> u32 {
        let (belt, running) = (
            &self.state.tracks[track.index()],
            &self.state.running[track.index()],
        );
        // What was found and is not known yet may be one of those in doubt: not counted twice.
        let in_doubt = (belt.in_doubt.len() as u32).saturating_sub(running.provisional);
        running.occupied + belt.returning.len() as u32 + in_doubt
    }

    /// The occupancy of a track, in thousandths of its usable carriers or windows.
    pub(super) fn occupancy_permille(&self, track: TrackId) -> u64 {
        let range = self.hub.cells_of(track);
        let disabled = self.state.running[track.index()].disabled;
        let usable = (range.end - range.start).saturating_sub(disabled).max(1);
        u64::from(self.on_track(track)) * 1_000 / u64::from(usable)
    }

    fn pressure(&self, track: TrackId) -> Pressure {
        let Caps {
            slow_permille,
            stop_permille,
        } = self.hub.tracks()[track.index()].caps;
        if slow_permille.is_none() && stop_permille.is_none() {
            return Pressure::Free;
        }
        let before = self.state.running[track.index()].pressure;
        let is = self.occupancy_permille(track);
        let reaches = |cap: Option<u16>, held: bool| {
            let slack = if held && !mutant!("no_hysteresis") {
                OCCUPANCY_HYSTERESIS_PERMILLE
            } else {
                0
            };
            cap.is_some_and(|cap| is + slack >= u64::from(cap))
        };
        if reaches(stop_permille, before == Pressure::Full) {
            Pressure::Full
        } else if reaches(slow_permille, before >= Pressure::Crowded) {
            Pressure::Crowded
        } else {
            Pressure::Free
        }
    }
}

impl Running {
    /// What holds all of a track's inductions: the first of the list that does.
    fn holds(&self) -> Hold {
        let RunState {
            mode,
            step,
            closed,
            lost,
        } = self.state;
        let all = [
            (!self.is_told, Hold::NotTold),
            (lost.has(Parts::LINK), Hold::LinkLost),
            (lost.has(Parts::ENCODER), Hold::EncoderStuck),
            (closed, Hold::Closed),
            (mode == Mode::Maintenance, Hold::Maintenance),
            (mode == Mode::Emptying, Hold::Emptying),
            (step == Step::Purging, Hold::Purging),
            (step != Step::Started, Hold::NotStarted),
            (lost.has(Parts::ALL_SCANNERS), Hold::ScannersSilent),
            (self.pressure == Pressure::Full, Hold::Full),
            (self.pressure == Pressure::Crowded, Hold::Crowded),
            (lost.has(Parts::REJECT), Hold::RejectClosed),
        ];
        let first = all.into_iter().find(|(holds, _)| *holds);
        first.map_or(Hold::Nothing, |(_, hold)| hold)
    }
}
