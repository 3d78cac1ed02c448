//! When waves are cut off: the plan's times of day, on the hub's own clock.
//!
//! Pure: it is handed the local time and says which waves are due. A wave is cut off once each
//! time its hour comes round after the plan was activated; a clock that is set back an hour in
//! autumn does not cut it off twice, and one that jumps ahead leaves none out.

use sorthub_core::ids::WaveId;
use sorthub_core::plan::Plan;

use super::problem::Problem;

/// Seconds on the local clock since 1970-01-01 00:00 local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalSeconds(pub i64);

const DAY_S: i64 = 86_400;
/// Longer than a day can be, even when the clock is set back.
const LONGEST_WAIT_S: i64 = DAY_S + 2 * 3_600;

#[derive(Clone, Debug)]
struct CutOff {
    wave: WaveId,
    /// Seconds after midnight, as the plan says; `None`: a person cuts it off.
    planned_s: Option<i64>,
    /// When it is due next.
    next: Option<LocalSeconds>,
}

/// The cut-offs of the active plan.
#[derive(Clone, Debug, Default)]
pub struct CutOffs {
    all: Vec<CutOff>,
}

impl CutOffs {
    /// The cut-offs of a plan that is activated now: each the next time its hour comes.
    #[must_use]
    pub fn new(plan: &Plan, now: LocalSeconds) -> Self {
        let waves = plan.spec().waves.iter().enumerate();
        let all = waves.map(|(at, wave)| {
            let planned_s = wave.cut_off_min.map(|min| i64::from(min) * 60);
            CutOff {
                wave: WaveId(at as u8),
                planned_s,
                next: planned_s.map(|second| next_at(second, now)),
            }
        });
        Self { all: all.collect() }
    }

    /// When the next wave is due.
    #[must_use]
    pub fn next(&self) -> Option<LocalSeconds> {
        self.all.iter().filter_map(|one| one.next).min()
    }

    /// Which waves are due; each is told once.
    pub fn due(&mut self, now: LocalSeconds) -> Vec<WaveId> {
        let mut due = Vec::new();
        for cut_off in &mut self.all {
            let (Some(next), Some(planned_s)) = (cut_off.next, cut_off.planned_s) else {
                // One that was moved without ever being planned.
                if cut_off.next.take_if(|next| *next <= now).is_some() {
                    due.push(cut_off.wave);
                }
                continue;
            };
            if next <= now {
                due.push(cut_off.wave);
                cut_off.next = Some(next_at(planned_s, now));
            } else if next.0 - now.0 > LONGEST_WAIT_S {
                // The clock was far ahead and has been put right.
                cut_off.next = Some(next_at(planned_s, now));
            }
        }
        due
    }

    /// A wave could not be cut off just now: it stays due.
    pub fn again(&mut self, wave: WaveId, now: LocalSeconds) {
        if let Some(cut_off) = self.all.iter_mut().find(|one| one.wave == wave) {
            cut_off.next = Some(now);
        }
    }

    /// Moves a wave's next cut-off to a time of day still to come today.
    ///
    /// # Errors
    /// The time has passed.
    pub fn extend(
        &mut self,
        wave: WaveId,
        until_min: u16,
        now: LocalSeconds,
    ) -> Result<LocalSeconds, Problem> {
        let midnight = now.0 - now.0.rem_euclid(DAY_S);
        let until = LocalSeconds(midnight + i64::from(until_min) * 60);
        if until <= now {
            let problem = format!("{} has passed", clock(until_min));
            let mend = format!("it is {}; name a later time", clock(minute_of(now)));
            return Err(Problem::refused(problem, mend));
        }
        if let Some(cut_off) = self.all.iter_mut().find(|one| one.wave == wave) {
            cut_off.next = Some(until);
        }
        Ok(until)
    }

    /// The time of day at which a wave is due next, in words.
    #[must_use]
    pub fn of(&self, wave: WaveId) -> Option<String> {
        let cut_off = self.all.iter().find(|one| one.wave == wave)?;
        Some(clock(minute_of(cut_off.next?)))
    }
}

/// The next time after `now` that the clock shows this second of the day.
fn next_at(second: i64, now: LocalSeconds) -> LocalSeconds {
    let today = now.0 - now.0.rem_euclid(DAY_S) + second;
    LocalSeconds(if today > now.0 { today } else { today + DAY_S })
}

fn minute_of(at: LocalSeconds) -> u16 {
    (at.0.rem_euclid(DAY_S) / 60) as u16
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Minutes after midnight of a time of day such as `14:45`.
///
/// # Errors
/// It is none.
pub fn time_of_day(text: &str) -> Result<u16, Problem> {
    let parts = text.trim().split_once(':');
    let minute = parts.and_then(|(hours, minutes)| {
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(hours) || !digits(minutes) {
            return None;
        }
        let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    });
    minute.ok_or_else(|| {
        let problem = format!("`{text}` is no time of day");
        Problem::malformed(problem, "write hours and minutes, for example 14:45")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: LocalSeconds = LocalSeconds(20_000 * DAY_S + 12 * 3_600);

    fn at(hours: i64, minutes: i64) -> LocalSeconds {
        LocalSeconds(20_000 * DAY_S + hours * 3_600 + minutes * 60)
    }

    /// One wave that is cut off at 14:30, one by people.
    fn cut_offs() -> CutOffs {
        let of = |wave, planned_s: Option<i64>| CutOff {
            wave: WaveId(wave),
            planned_s,
            next: planned_s.map(|second| next_at(second, NOON)),
        };
        let all = vec![of(0, Some(14 * 3_600 + 1_800)), of(1, None)];
        CutOffs { all }
    }

    #[test]
    fn a_wave_is_due_once_and_again_the_next_day() {
        let mut all = cut_offs();
        assert_eq!(all.due(at(14, 29)), []);
        assert_eq!(all.due(at(14, 30)), [WaveId(0)]);
        assert_eq!(all.due(at(14, 31)), []);
        assert_eq!(all.due(at(24 + 14, 30)), [WaveId(0)]);
    }

    #[test]
    fn a_clock_set_back_an_hour_does_not_repeat_a_cut_off() {
        let mut all = cut_offs();
        assert_eq!(all.due(at(14, 45)), [WaveId(0)]);
        assert_eq!(all.due(at(13, 50)), []);
        assert_eq!(all.due(at(14, 40)), []);
    }

    #[test]
    fn a_jump_ahead_leaves_none_out_and_one_far_back_is_put_right() {
        let mut all = cut_offs();
        assert_eq!(all.due(at(10 * 24, 0)), [WaveId(0)]);
        assert_eq!(all.due(at(13, 0)), []);
        assert_eq!(all.due(at(14, 30)), [WaveId(0)]);
    }

    #[test]
    fn an_extension_moves_the_next_cut_off_only() {
        let mut all = cut_offs();
        assert!(all.extend(WaveId(0), 11 * 60, NOON).is_err());
        assert!(all.extend(WaveId(0), 15 * 60, NOON).is_ok());
        assert_eq!(all.of(WaveId(0)).as_deref(), Some("15:00"));
        assert_eq!(all.due(at(14, 30)), []);
        assert_eq!(all.due(at(15, 0)), [WaveId(0)]);
        assert_eq!(all.of(WaveId(0)).as_deref(), Some("14:30"));
        // One that people cut off can get a time for once.
        assert!(all.extend(WaveId(1), 16 * 60, NOON).is_ok());
        assert_eq!(all.due(at(16, 0)), [WaveId(1)]);
        assert_eq!(all.of(WaveId(1)), None);
    }

    #[test]
    fn what_could_not_be_done_stays_due() {
        let mut all = cut_offs();
        assert_eq!(all.due(at(14, 30)), [WaveId(0)]);
        all.again(WaveId(0), at(14, 30));
        assert_eq!(all.due(at(14, 31)), [WaveId(0)]);
        assert_eq!(all.due(at(14, 32)), []);
    }

    #[test]
    fn times_of_day_are_hours_and_minutes() {
        assert_eq!(time_of_day("14:45"), Ok(14 * 60 + 45));
        assert_eq!(time_of_day("00:00"), Ok(0));
        for bad in ["24:00", "1:30", "12:60", "1245", "", "ab:cd", "+1:30"] {
            assert!(time_of_day(bad).is_err(), "{bad}");
        }
    }
}
