//! What something waits for, in words for people.

use sorthub_core::hub::Hub;
use sorthub_core::ids::{CellId, ChuteId, DestId};
use sorthub_core::operator::Mode;
use sorthub_core::plan::Plan;
use sorthub_core::reason::Reason;
use sorthub_core::running::{DisabledBy, Hold, Pace, Standstill};
use sorthub_core::sorter::{Ask, ParcelWaits, Sorter, Waiting, What};
use sorthub_core::units::Micros;

/// One sentence that says what is waited for, and until when as far as that is known.
#[must_use]
pub fn why(sorter: &Sorter, now: Micros, ask: Ask) -> String {
    let words = Words {
        hub: sorter.hub(),
        plan: sorter.plan(),
        now,
    };
    match (sorter.why(ask), ask) {
        (Waiting::NotHere, Ask::Parcel(_)) => {
            "is not on the sorter: it has left, or never came".to_owned()
        }
        (Waiting::NotHere, _) => "the hub has no such device".to_owned(),
        (Waiting::Parcel(parcel), _) => words.parcel(&parcel),
        (Waiting::Empty { disabled }, _) => match disabled {
            Some(by) => format!("empty and not used: disabled {}", by_whom(by)),
            None => "empty: waits for an induction to fill it".to_owned(),
        },
        (Waiting::Carries { parcel, disabled }, _) => {
            let carried = format!("carries {}: {}", id(&parcel), words.parcel(&parcel));
            match disabled {
                Some(by) => format!("{carried}; then not used: disabled {}", by_whom(by)),
                None => carried,
            }
        }
        (
            Waiting::Chute {
                closed,
                ordered,
                next_mm,
            },
            _,
        ) => chute(closed, ordered, next_mm),
        (answer @ Waiting::Induction { .. }, _) => words.induction(&answer),
    }
}

struct Words<'a> {
    hub: &'a Hub,
    plan: &'a Plan,
    now: Micros,
}

impl Words<'_> {
    fn parcel(&self, parcel: &ParcelWaits) -> String {
        let place = self.cell(parcel.cell);
        let what = match parcel.what {
            What::Finding => {
                return format!(
                    "forgotten by the PLC, last on {place}: found again by its code, else lost{}",
                    self.until(parcel)
                );
            }
            What::Return => "comes round over the return".to_owned(),
            What::Scanner(scanner) => {
                let name = &self.hub.scanners()[scanner.index()].name;
                format!("on {place}, to be read by {name}")
            }
            What::Telegram(scanner) => {
                let name = &self.hub.scanners()[scanner.index()].name;
                return format!(
                    "on {place}, waits for the reading of {name}, else not read{}",
                    self.until(parcel)
                );
            }
            What::Host { until } => {
                let ms = until.since(self.now).0 / 1_000;
                let seconds = format!("{}.{} s", ms / 1_000, ms % 1_000 / 100);
                return format!("on {place}, waits for the host, {seconds} more");
            }
            What::Chute { chute, why } => {
                let name = self.chute(chute);
                let why = match why {
                    Reason::Planned => String::new(),
                    why => format!(" ({why})"),
                };
                format!("on {place}, ordered to {name}{why}")
            }
            What::Lap(why) => {
                let dest = self.dest(parcel.dest);
                let laps = parcel.laps;
                format!("on {place}, laps ({why}){dest}, {laps} laps so far; again")
            }
            What::End(why) => format!("on {place}, runs to the end of the line ({why})"),
            What::Mode(mode) => {
                return format!(
                    "on {place}, nothing is sent while the track is {}",
                    in_mode(mode)
                );
            }
            What::Encoder => {
                return format!("on {place}, nothing is sent while the encoder stands");
            }
        };
        format!("{what}{}", self.until(parcel))
    }

    /// How far and how long it still is.
    fn until(&self, parcel: &ParcelWaits) -> String {
        let Some(mm) = parcel.until_mm else {
            return String::new();
        };
        let way = format!(" in {}.{} m", mm.max(0) / 1_000, mm.max(0) % 1_000 / 100);
        match parcel.until {
            Some(at) => {
                let ms = at.since(self.now).0 / 1_000;
                format!("{way}, {}.{} s", ms / 1_000, ms % 1_000 / 100)
            }
            None => format!("{way}, but the belt stands"),
        }
    }

    fn induction(&self, answer: &Waiting) -> String {
        let Waiting::Induction {
            pace,
            hold,
            since,
            occupancy_permille,
            limit_per_h,
            feeding,
        } = *answer
        else {
            return String::new();
        };
        let how = match pace {
            Pace::Run => "runs",
            Pace::Slow => "goes slowly",
            Pace::Stop => "stopped",
        };
        let why = match hold {
            Hold::Nothing => String::new(),
            Hold::Full | Hold::Crowded => {
                let percent = occupancy_permille / 10;
                format!(" because {hold}: occupancy {percent} %")
            }
            hold => format!(" because {hold}"),
        };
        let since_s = self.now.since(since).0 / 1_000_000;
        let limit = match limit_per_h {
            0 => String::new(),
            limit => format!(", at most {limit} an hour"),
        };
        let really = match (pace, feeding.because) {
            (Pace::Stop, _) | (_, Standstill::Runs | Standstill::Unsaid) => String::new(),
            (_, because) => format!("; but it stands: {}", standstill(because)),
        };
        format!("{how}{why}, for {since_s} s{limit}{really}")
    }

    fn dest(&self, dest: Option<DestId>) -> String {
        let spec = dest.and_then(|dest| self.plan.spec().destinations.get(dest.index()));
        spec.map_or_else(String::new, |spec| format!(" for {}", spec.name))
    }

    fn chute(&self, chute: ChuteId) -> &str {
        &self.hub.chutes()[chute.index()].name
    }

    fn cell(&self, cell: CellId) -> String {
        let Some((track, own)) = self.hub.track_of(cell) else {
            return format!("cell {}", cell.0);
        };
        let track = &self.hub.tracks()[track.index()];
        let kind = if track.kind.is_loop() {
            "carrier"
        } else {
            "window"
        };
        format!("{kind} {own} of {}", track.name)
    }
}

fn id(parcel: &ParcelWaits) -> String {
    if parcel.parcel.counter() == 0 {
        "a parcel that is not known yet".to_owned()
    } else {
        format!("parcel {}", parcel.parcel)
    }
}

fn chute(closed: Option<Reason>, ordered: u32, next_mm: Option<i64>) -> String {
    let state = match closed {
        Some(why) => format!("closed ({why})"),
        None => "open".to_owned(),
    };
    let next = match next_mm {
        Some(mm) => format!(
            ", the next of them in {}.{} m",
            mm / 1_000,
            mm % 1_000 / 100
        ),
        None => String::new(),
    };
    match ordered {
        0 => format!("{state}; nothing is on its way to it"),
        1 => format!("{state}; one parcel is on its way to it{next}"),
        many => format!("{state}; {many} parcels are on their way to it{next}"),
    }
}

fn by_whom(by: DisabledBy) -> &'static str {
    match by {
        DisabledBy::Operator => "by a person",
        DisabledBy::Failures => "after failed discharges",
        DisabledBy::Plc => "by its PLC",
    }
}

fn in_mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Automatic => "in automatic",
        Mode::Manual => "in manual",
        Mode::Maintenance => "in maintenance",
        Mode::Emptying => "being emptied",
    }
}

fn standstill(because: Standstill) -> &'static str {
    match because {
        Standstill::Unsaid | Standstill::Other => "its PLC does not say why",
        Standstill::Runs => "it does not",
        Standstill::Asked => "its PLC has not heard yet that it may run",
        Standstill::NoEngine => "its PLC obeys no engine",
        Standstill::TrackStopped => "the track does not run",
        Standstill::Locally => "a person stopped it on the spot",
        Standstill::NotTracking => "the PLC's tracking is not valid",
        Standstill::Fault => "a drive or an eye has failed",
        Standstill::Safety => "its safety circuit is open",
    }
}
