//! When waves are cut off and open again: the plan's times of day, on the hub's own clock.
//!
//! Pure: it is handed the local time and says which waves are due. The day of a plan goes from the
//! cut-off of its first wave to the last one, and past midnight if need be; an hour after the last
//! all its waves are those of the next day. So a wave is over from its cut-off until then, whether
//! the engine ran meanwhile or not. A clock that is set back an hour in autumn does not cut a wave
//! off twice, and one that jumps ahead leaves none out.

use sorthub_core::ids::WaveId;
use sorthub_core::plan::Plan;

use super::problem::Problem;

/// Seconds on the local clock since 1970-01-01 00:00 local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalSeconds(pub i64);

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;
/// Longer than a day can be, even when the clock is set back.
const LONGEST_WAIT_S: i64 = DAY_S + 2 * HOUR_S;
/// A time of day that is past today means tomorrow's when it is no farther off: who extends a wave
/// in the evening means the night, and who is a few minutes late does not mean a day.
const TOMORROW_MOST_S: i64 = 12 * HOUR_S;

/// A wave that is to be opened or cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which.
    pub wave: WaveId,
    /// Opened, or cut off.
    pub open: bool,
}

/// The day of a plan, by its cut-offs.
#[derive(Clone, Copy, Debug)]
struct Day {
    /// The second of the day of its first cut-off.
    first_s: i64,
    /// How long after its last cut-off the next day's waves are open.
    rest_s: i64,
    /// The same from the first cut-off on.
    lasts_s: i64,
}

impl Day {
    /// The day that has these cut-offs, the first one first; `None` if there are none.
    fn of(planned_s: impl IntoIterator<Item = i64>) -> Option<Self> {
        let mut planned_s = planned_s.into_iter();
        let first_s = planned_s.next()?;
        let after_first = |second: i64| (second - first_s).rem_euclid(DAY_S);
        let last_s = planned_s.map(after_first).max().unwrap_or(0);
        // Halfway to the first of the next day at the latest.
        let rest_s = HOUR_S.min((DAY_S - last_s) / 2);
        Some(Self {
            first_s,
            rest_s,
            lasts_s: last_s + rest_s,
        })
    }

    /// Whether a wave with this cut-off is over.
    fn is_over(self, planned_s: i64, now: LocalSeconds) -> bool {
        let since_first = |second: i64| (second - self.first_s).rem_euclid(DAY_S);
        let now_s = since_first(now.0);
        since_first(planned_s) <= now_s && now_s < self.lasts_s
    }

    /// When the next day begins.
    fn next(self, now: LocalSeconds) -> LocalSeconds {
        next_at((self.first_s + self.lasts_s) % DAY_S, now)
    }
}

#[derive(Clone, Debug)]
struct CutOff {
    wave: WaveId,
    name: String,
    /// Seconds after midnight, as the plan says; `None`: a person cuts it off.
    planned_s: Option<i64>,
    /// When it is due next.
    next: Option<LocalSeconds>,
    /// The planned time in whose place `next` stands, if a person has moved it.
    moved_from: Option<LocalSeconds>,
    /// When it opens again, if it is over.
    opens: Option<LocalSeconds>,
    /// What is to be done since when: it could not be done yet.
    waits: Option<(LocalSeconds, bool)>,
}

impl CutOff {
    /// Leaves it as the clock says, whatever was before; true if it is open.
    fn stand(&mut self, day: Day, planned_s: i64, now: LocalSeconds) -> bool {
        let is_over = day.is_over(planned_s, now);
        self.next = Some(next_at(planned_s, now));
        self.moved_from = None;
        self.opens = is_over.then(|| day.next(now));
        !is_over
    }

    /// What is to be done with it now: to open it, or to cut it off.
    fn turn(&mut self, day: Option<Day>, now: LocalSeconds) -> Option<bool> {
        let waits = self.waits.take().map(|(_, open)| open);
        let (Some(day), Some(planned_s), Some(next)) = (day, self.planned_s, self.next) else {
            // One that was moved without ever being planned.
            let is_due = self.next.take_if(|next| *next <= now).is_some();
            return if is_due { Some(false) } else { waits };
        };
        if next.0 - now.0 > LONGEST_WAIT_S {
            // The clock was far ahead and has been put right.
            return Some(self.stand(day, planned_s, now));
        }
        if next <= now {
            let (planned, opens) = match self.moved_from.take() {
                // What was moved past the end of the day is over for as long as the last is.
                Some(from) => {
                    let rested = LocalSeconds(next.0 + day.rest_s);
                    (from, day.next(from).max(rested))
                }
                None => (next, day.next(next)),
            };
            if opens <= now {
                // The clock has jumped over what came after it, too.
                return Some(self.stand(day, planned_s, now));
            }
            self.opens = Some(opens);
            self.next = Some(next_at(planned_s, now.max(planned)));
            return Some(false);
        }
        let opens = self.opens.take_if(|opens| *opens <= now).is_some();
        if opens { Some(true) } else { waits }
    }
}

/// The cut-offs of the active plan.
#[derive(Clone, Debug, Default)]
pub struct CutOffs {
    day: Option<Day>,
    all: Vec<CutOff>,
}

impl CutOffs {
    /// The cut-offs of a plan that a run begins with now. Its sorter has every wave open; those
    /// that are over are due at once.
    #[must_use]
    pub fn new(plan: &Plan, now: LocalSeconds) -> Self {
        let waves = plan.spec().waves.iter();
        Self::of(waves.map(|wave| (wave.name.clone(), wave.cut_off_min)), now)
    }

    /// The cut-offs of waves by name and minute of the day.
    fn of(waves: impl Iterator<Item = (String, Option<u16>)>, now: LocalSeconds) -> Self {
        let all = waves.enumerate().map(|(at, (name, cut_off_min))| CutOff {
            wave: WaveId(at as u8),
            name,
            planned_s: cut_off_min.map(|min| i64::from(min) * 60),
            next: None,
            moved_from: None,
            opens: None,
            waits: None,
        });
        let mut all: Vec<CutOff> = all.collect();
        let day = Day::of(all.iter().filter_map(|one| one.planned_s));
        for cut_off in &mut all {
            if let Some((day, planned_s)) = day.zip(cut_off.planned_s)
                && !cut_off.stand(day, planned_s, now)
            {
                cut_off.waits = Some((now, false));
            }
        }
        Self { day, all }
    }

    /// The cut-offs of a plan that takes the place of this one's now. A wave of the same name and
    /// cut-off goes on as it is, as it does in the sorter; the others stand as the clock says.
    #[must_use]
    pub fn under(&self, plan: &Plan, now: LocalSeconds) -> Self {
        let mut all = Self::new(plan, now);
        all.go_on_from(self);
        all
    }

    /// Leaves the waves that these know, too, as they are there.
    fn go_on_from(&mut self, before: &Self) {
        for one in &mut self.all {
            let Some(was) = before.all.iter().find(|was| was.name == one.name) else {
                continue;
            };
            // One that was cut off stays so; for how long says the new plan, if it knows.
            one.opens = match was.opens {
                Some(_) => one.opens.or(was.opens),
                None if was.planned_s == one.planned_s => None,
                None => one.opens,
            };
            if was.planned_s == one.planned_s {
                one.next = was.next;
                one.moved_from = was.moved_from;
                one.waits = was.waits;
            }
        }
    }

    /// When the next wave is due.
    #[must_use]
    pub fn next(&self) -> Option<LocalSeconds> {
        let times = |one: &CutOff| [one.next, one.opens, one.waits.map(|(since, _)| since)];
        self.all.iter().flat_map(times).flatten().min()
    }

    /// Which waves are due; each is told once.
    pub fn due(&mut self, now: LocalSeconds) -> Vec<Turn> {
        let day = self.day;
        let turns = self.all.iter_mut().filter_map(|one| {
            Some(Turn {
                wave: one.wave,
                open: one.turn(day, now)?,
            })
        });
        turns.collect()
    }

    /// What was due could not be done just now: it stays due.
    pub fn again(&mut self, turn: Turn, now: LocalSeconds) {
        if let Some(cut_off) = self.all.iter_mut().find(|one| one.wave == turn.wave) {
            cut_off.waits = Some((now, turn.open));
        }
    }

    /// Moves a wave's next cut-off to a time of day: today's if it is still to come, else
    /// tomorrow's if that is at most twelve hours off. The wave has to be opened, too.
    ///
    /// # Errors
    /// The time has passed.
    pub fn extend(
        &mut self,
        wave: WaveId,
        until_min: u16,
        now: LocalSeconds,
    ) -> Result<LocalSeconds, Problem> {
        let until = next_at(i64::from(until_min) * 60, now);
        if is_tomorrow(until, now) && until.0 - now.0 > TOMORROW_MOST_S {
            let most = LocalSeconds(now.0 + TOMORROW_MOST_S);
            let (until, most) = (clock(until_min), clock_at(most, now));
            let problem = format!("{until} has passed, and tomorrow's is too far off to be meant");
            let mend = format!(
                "it is {}; name a time later today, or one up to {most}",
                clock(minute_of(now))
            );
            return Err(Problem::refused(problem, mend));
        }
        if let Some(cut_off) = self.all.iter_mut().find(|one| one.wave == wave) {
            let nearest = LocalSeconds(until.0 - DAY_S / 2);
            cut_off.moved_from = cut_off.planned_s.map(|second| next_at(second, nearest));
            cut_off.next = Some(until);
            cut_off.opens = None;
            cut_off.waits = None;
        }
        Ok(until)
    }

    /// The time of day at which a wave is cut off next, in words.
    #[must_use]
    pub fn of_wave(&self, wave: WaveId) -> Option<String> {
        let cut_off = self.all.iter().find(|one| one.wave == wave)?;
        Some(clock(minute_of(cut_off.next?)))
    }

    /// The time of day at which a wave that is over opens again, in words.
    #[must_use]
    pub fn opens(&self, wave: WaveId) -> Option<String> {
        let cut_off = self.all.iter().find(|one| one.wave == wave)?;
        Some(clock(minute_of(cut_off.opens?)))
    }
}

/// Whether a time is not before the next midnight.
fn is_tomorrow(at: LocalSeconds, now: LocalSeconds) -> bool {
    at >= next_at(0, now)
}

/// A time of today or tomorrow in words.
#[must_use]
pub fn clock_at(at: LocalSeconds, now: LocalSeconds) -> String {
    let tomorrow = if is_tomorrow(at, now) {
        " tomorrow"
    } else {
        ""
    };
    format!("{}{tomorrow}", clock(minute_of(at)))
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

    /// A time of some day, or of the next ones from 24 hours on.
    fn at(hours: i64, minutes: i64) -> LocalSeconds {
        LocalSeconds(20_000 * DAY_S + hours * HOUR_S + minutes * 60)
    }

    const NOON: LocalSeconds = LocalSeconds(20_000 * DAY_S + 12 * HOUR_S);
    const NONE: [u8; 0] = [];

    /// Waves with these cut-offs, named by their places.
    fn waves(cut_offs: &[Option<&str>], now: LocalSeconds) -> CutOffs {
        let minutes = cut_offs.iter().enumerate().map(|(nth, time)| {
            let minutes = time.map(|time| time_of_day(time).expect("a time of day"));
            (nth.to_string(), minutes)
        });
        CutOffs::of(minutes, now)
    }

    /// One wave that is cut off at 14:30, one by people.
    fn cut_offs() -> CutOffs {
        waves(&[Some("14:30"), None], NOON)
    }

    fn cut(wave: u8) -> Turn {
        let wave = WaveId(wave);
        Turn { wave, open: false }
    }

    fn opened(wave: u8) -> Turn {
        let wave = WaveId(wave);
        Turn { wave, open: true }
    }

    /// Which of these waves are over when a run begins then.
    fn over_at(cut_offs: &[Option<&str>], now: LocalSeconds) -> Vec<u8> {
        let due = waves(cut_offs, now).due(now);
        assert!(due.iter().all(|turn| !turn.open), "{due:?}");
        due.iter().map(|turn| turn.wave.0).collect()
    }

    #[test]
    fn a_run_begins_with_the_waves_that_the_clock_leaves_open() {
        let two = [Some("09:30"), Some("21:30")];
        assert_eq!(over_at(&two, at(6, 0)), NONE);
        assert_eq!(over_at(&two, at(9, 29)), NONE);
        assert_eq!(over_at(&two, at(9, 30)), [0]);
        assert_eq!(over_at(&two, at(14, 46)), [0]);
        assert_eq!(over_at(&two, at(21, 30)), [0, 1]);
        assert_eq!(over_at(&two, at(22, 29)), [0, 1]);
        // The next day's.
        assert_eq!(over_at(&two, at(22, 30)), NONE);
        assert_eq!(over_at(&two, at(24, 0)), NONE);
        // Past midnight, in the order of the plan.
        let night = [Some("18:00"), Some("23:50"), None, Some("00:10")];
        assert_eq!(over_at(&night, at(17, 0)), NONE);
        assert_eq!(over_at(&night, at(23, 50)), [0, 1]);
        assert_eq!(over_at(&night, at(24, 9)), [0, 1]);
        assert_eq!(over_at(&night, at(24, 10)), [0, 1, 3]);
        assert_eq!(over_at(&night, at(25, 10)), NONE);
        assert_eq!(over_at(&[Some("00:10")], at(23, 50)), NONE);
        // So close together that the next day begins halfway.
        let round = [Some("00:10"), Some("23:50")];
        assert_eq!(over_at(&round, at(23, 59)), [0, 1]);
        assert_eq!(over_at(&round, at(24, 0)), NONE);
        assert_eq!(over_at(&[None], at(14, 46)), NONE);
        assert_eq!(over_at(&[], at(14, 46)), NONE);
    }

    #[test]
    fn a_run_that_begins_at_any_minute_stands_as_one_that_goes_on() {
        for plan in [
            &[Some("09:30"), Some("21:30")][..],
            &[Some("18:00"), Some("23:50"), Some("00:10")],
            &[Some("14:30")],
            &[Some("00:10"), Some("12:00"), Some("23:50")],
        ] {
            let mut goes_on = waves(plan, at(0, 0));
            let mut open = vec![true; plan.len()];
            for minute in 0..3 * 24 * 60 {
                let now = at(0, minute);
                for turn in goes_on.due(now) {
                    open[turn.wave.index()] = turn.open;
                }
                let over = over_at(plan, now);
                let begins: Vec<bool> = (0..plan.len() as u8).map(|w| !over.contains(&w)).collect();
                assert_eq!(open, begins, "{plan:?} {}", clock(minute_of(now)));
            }
        }
    }

    #[test]
    fn a_wave_is_due_once_and_again_the_next_day() {
        let mut all = cut_offs();
        assert_eq!(all.due(at(14, 29)), []);
        assert_eq!(all.due(at(14, 30)), [cut(0)]);
        assert_eq!(all.due(at(14, 31)), []);
        assert_eq!(all.opens(WaveId(0)).as_deref(), Some("15:30"));
        assert_eq!(all.due(at(15, 29)), []);
        assert_eq!(all.due(at(15, 30)), [opened(0)]);
        assert_eq!(all.opens(WaveId(0)), None);
        assert_eq!(all.due(at(15, 31)), []);
        assert_eq!(all.due(at(24 + 14, 30)), [cut(0)]);
    }

    #[test]
    fn a_clock_set_back_an_hour_does_not_repeat_a_cut_off() {
        let mut all = cut_offs();
        assert_eq!(all.due(at(14, 45)), [cut(0)]);
        assert_eq!(all.due(at(13, 50)), []);
        assert_eq!(all.due(at(14, 40)), []);
    }

    #[test]
    fn a_jump_of_the_clock_leaves_the_waves_as_it_says() {
        let mut all = cut_offs();
        assert_eq!(all.due(at(10 * 24 + 14, 45)), [cut(0)]);
        // Put right again.
        assert_eq!(all.due(at(13, 0)), [opened(0)]);
        assert_eq!(all.due(at(14, 30)), [cut(0)]);
        assert_eq!(all.due(at(24 + 13, 0)), [opened(0)]);
        let mut two = waves(&[Some("09:30"), Some("21:30")], NOON);
        assert_eq!(two.due(NOON), [cut(0)]);
        assert_eq!(two.due(at(24 + 10, 0)), [cut(0), opened(1)]);
    }

    #[test]
    fn an_extension_moves_the_next_cut_off_only() {
        let mut all = cut_offs();
        assert!(all.extend(WaveId(0), 11 * 60, NOON).is_err());
        assert!(all.extend(WaveId(0), 15 * 60, NOON).is_ok());
        assert_eq!(all.of_wave(WaveId(0)).as_deref(), Some("15:00"));
        assert_eq!(all.due(at(14, 30)), []);
        assert_eq!(all.due(at(15, 0)), [cut(0)]);
        assert_eq!(all.of_wave(WaveId(0)).as_deref(), Some("14:30"));
        assert_eq!(all.opens(WaveId(0)).as_deref(), Some("16:00"));
        // One that people cut off can get a time for once.
        assert!(all.extend(WaveId(1), 16 * 60, NOON).is_ok());
        assert_eq!(all.due(at(16, 0)), [opened(0), cut(1)]);
        assert_eq!(all.of_wave(WaveId(1)), None);
        // One that was moved ahead is cut off once, too.
        assert!(all.extend(WaveId(0), 13 * 60, at(24 + 12, 0)).is_ok());
        assert_eq!(all.due(at(24 + 13, 0)), [cut(0)]);
        assert_eq!(all.due(at(24 + 14, 30)), []);
        assert_eq!(all.due(at(24 + 15, 30)), [opened(0)]);
    }

    #[test]
    fn an_extension_may_pass_midnight() {
        let mut all = waves(&[Some("09:30"), Some("23:50")], at(23, 41));
        assert_eq!(all.due(at(23, 41)), [cut(0)]);
        assert_eq!(all.extend(WaveId(1), 5, at(23, 41)), Ok(at(24, 5)));
        assert_eq!(clock_at(at(24, 5), at(23, 41)), "00:05 tomorrow");
        assert_eq!(all.due(at(23, 50)), []);
        assert_eq!(all.due(at(24, 5)), [cut(1)]);
        // An hour after each.
        assert_eq!(all.due(at(24, 50)), [opened(0)]);
        assert_eq!(all.due(at(25, 5)), [opened(1)]);
        assert_eq!(all.due(at(24 + 23, 50)), [cut(0), cut(1)]);
        // Twelve hours ahead at most.
        assert_eq!(all.extend(WaveId(0), 2 * 60, at(14, 0)), Ok(at(26, 0)));
        assert_eq!(all.extend(WaveId(0), 0, at(14, 46)), Ok(at(24, 0)));
        let refused = all.extend(WaveId(0), 2 * 60 + 1, at(14, 0));
        let problem = refused.expect_err("more than twelve hours").to_string();
        assert!(problem.contains("02:01 has passed"), "{problem}");
        assert!(problem.contains("up to 02:00 tomorrow"), "{problem}");
        // What is still to come today may be farther off.
        assert_eq!(all.extend(WaveId(1), 23 * 60, at(1, 0)), Ok(at(23, 0)));
    }

    #[test]
    fn waves_of_the_same_name_and_cut_off_go_on_under_another_plan() {
        let named = |all: &[(&str, u16)], now| {
            let all = all
                .iter()
                .map(|(name, min)| ((*name).to_owned(), Some(*min)));
            CutOffs::of(all, now)
        };
        let (early, late) = (9 * 60 + 30, 21 * 60 + 30);
        let mut before = named(&[("early", early), ("late", late)], at(9, 0));
        assert!(before.extend(WaveId(0), early + 15, at(9, 20)).is_ok());
        let other = [("dawn", 8 * 60), ("early", early), ("late", late - 30)];
        let mut after = named(&other, at(9, 40));
        after.go_on_from(&before);
        // A new one is over by the clock.
        assert_eq!(after.due(at(9, 40)), [cut(0)]);
        assert_eq!(after.due(at(9, 45)), [cut(1)]);
        // One that is cut off and gets a later hour stays cut off until the next day.
        let mut later = named(&[("early", 12 * 60), ("late", late)], at(10, 0));
        later.go_on_from(&after);
        assert_eq!(later.due(at(10, 0)), []);
        assert_eq!(later.opens(WaveId(0)).as_deref(), Some("22:00"));
        // One that is open though its hour is over stays open.
        assert!(later.extend(WaveId(0), 13 * 60, at(12, 30)).is_ok());
        let mut again = named(&[("early", 12 * 60), ("late", late)], at(12, 45));
        again.go_on_from(&later);
        assert_eq!(again.due(at(12, 45)), []);
        assert_eq!(again.opens(WaveId(0)), None);
        assert_eq!(again.due(at(13, 0)), [cut(0)]);
        assert_eq!(after.due(at(21, 0)), [cut(2)]);
    }

    #[test]
    fn what_could_not_be_done_stays_due() {
        let mut all = cut_offs();
        assert_eq!(all.due(at(14, 30)), [cut(0)]);
        all.again(cut(0), at(14, 30));
        assert_eq!(all.due(at(14, 31)), [cut(0)]);
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
