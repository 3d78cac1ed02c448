//! Signals and outputs in words, with the names that the hub gives its devices.

use sorthub_core::facts::{Facts, Reading};
use sorthub_core::hub::Hub;
use sorthub_core::ids::{CellId, ChuteId, CodeId, InductionId, ScannerId, TrackId};
use sorthub_core::operator::Command;
use sorthub_core::running::RunState;
use sorthub_core::signal::{
    Alarm, BagStage, Basis, ChuteState, LinkState, OnFail, Order, Output, Reader, ScanKey, Signal,
};
use sorthub_core::units::Micros;

/// Says things about one hub. A device that the hub does not have is named by its number: what is
/// described may be just the fault that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    hub: &'a Hub,
}

impl<'a> Words<'a> {
    /// Words for this hub.
    #[must_use]
    pub fn new(hub: &'a Hub) -> Self {
        Self { hub }
    }

    /// What the sorter was told.
    #[must_use]
    #[expect(
        clippy::too_many_lines,
        reason = "a table: one arm for each kind of signal"
    )]
    pub fn signal(self, signal: &Signal) -> String {
        match *signal {
            Signal::Tick => "time passed".to_owned(),
            Signal::Belt { track, at, speed } => {
                format!(
                    "belt {} at {} mm, {} mm/s",
                    self.track(track),
                    at.0,
                    speed.0
                )
            }
            Signal::Inducted {
                induction,
                cell,
                item,
                at,
                length,
                spans,
                returned,
            } => {
                let way = if returned { "came round" } else { "got on" };
                let (induction, cell) = (self.induction(induction), self.cell(cell));
                let (item, at, length) = (item.0, at.0, length.0);
                let over = if spans > 1 {
                    format!(", over {spans} carriers")
                } else {
                    String::new()
                };
                format!(
                    "item {item} {way} at {induction} to {cell}, {at} mm, {length} mm long{over}"
                )
            }
            Signal::AtScanner {
                scanner,
                cell,
                item,
                trigger,
                at,
            } => {
                let (scanner, cell) = (self.scanner(scanner), self.cell(cell));
                format!(
                    "item {} on {cell} at {scanner}, {} mm, trigger {trigger}",
                    item.0, at.0
                )
            }
            Signal::Scanned {
                scanner,
                key,
                facts,
            } => self.scanned(scanner, key, &facts),
            Signal::Chute {
                chute,
                state,
                taken,
            } => {
                format!(
                    "chute {} {}, {taken} taken",
                    self.chute(chute),
                    chute_state(state)
                )
            }
            Signal::Link { track, to } => {
                let to = match to {
                    LinkState::Up => "is up",
                    LinkState::Lost => "is lost",
                    LinkState::Reset => "has lost its tracking",
                };
                format!("PLC of {} {to}", self.track(track))
            }
            Signal::InventoryEnd { track, at } => {
                format!("inventory of {} is told, {} mm", self.track(track), at.0)
            }
            Signal::CarrierDisabled { cell } => {
                format!("PLC uses {} no more", self.cell(cell))
            }
            Signal::InductionState { induction, feeding } => {
                let how = match (feeding.runs, feeding.slow) {
                    (true, false) => "feeds".to_owned(),
                    (true, true) => "feeds slowly".to_owned(),
                    (false, _) => format!("stands ({:?})", feeding.because),
                };
                format!("induction {} {how}", self.induction(induction))
            }
            Signal::Command { ref command, .. } => self.command(command),
            _ => self.item_signal(signal),
        }
    }

    /// What a person or host wants.
    #[must_use]
    pub fn command(self, command: &Command) -> String {
        match *command {
            Command::Chute { chute, to } => format!("chute {}: {to:?}", self.chute(chute)),
            Command::Track { track, to } => format!("track {}: {to:?}", self.track(track)),
            Command::Induction { induction, to } => {
                format!("induction {}: {to:?}", self.induction(induction))
            }
            Command::Carrier { cell, enabled } => {
                let what = if enabled {
                    "used again"
                } else {
                    "used no more"
                };
                format!("{}: {what}", self.cell(cell))
            }
            ref other => format!("{other:?}"),
        }
    }

    /// Signals that say what became of one item.
    fn item_signal(self, signal: &Signal) -> String {
        let (cell, item, at, what) = match *signal {
            Signal::Discharged {
                chute,
                cell,
                item,
                at,
            } => (
                cell,
                item,
                at,
                format!("left by chute {}", self.chute(chute)),
            ),
            Signal::NotDischarged {
                chute,
                cell,
                item,
                at,
                cause,
            } => {
                let (chute, cause) = (self.chute(chute), cause.reason());
                (
                    cell,
                    item,
                    at,
                    format!("was not taken by chute {chute} ({cause})"),
                )
            }
            Signal::LapPassed { cell, item, at } => (cell, item, at, "begins a lap".to_owned()),
            Signal::Returning { cell, item, at } => {
                (cell, item, at, "goes onto the return".to_owned())
            }
            Signal::Missing { cell, item, at } => (cell, item, at, "is missing".to_owned()),
            Signal::CarrierNotEmpty { cell, item, at } => {
                (cell, item, at, "lies there still".to_owned())
            }
            Signal::Unexpected { cell, item, at } => {
                (cell, item, at, "was found and is unknown".to_owned())
            }
            Signal::Inventory { cell, item, at } => {
                (cell, item, at, "is in the inventory".to_owned())
            }
            Signal::RemovedByHand { cell, item } => {
                return format!(
                    "item {} on {} was taken off by hand",
                    item.0,
                    self.cell(cell)
                );
            }
            Signal::OrderAnswered {
                cell,
                item,
                revision,
                answer,
            } => {
                let cell = self.cell(cell);
                return format!(
                    "item {} on {cell}: order {revision} answered {answer:?}",
                    item.0
                );
            }
            // Those that are not about one item have been said by the caller.
            _ => return format!("{signal:?}"),
        };
        format!("item {} on {} {what}, {} mm", item.0, self.cell(cell), at.0)
    }

    fn scanned(self, scanner: ScannerId, key: ScanKey, facts: &Facts) -> String {
        let key = match key {
            ScanKey::Trigger(trigger) => format!("trigger {trigger}"),
            ScanKey::Carrier(cell) => self.cell(cell),
            ScanKey::Encoder(at) => format!("{} mm", at.0),
            ScanKey::Arrival => "what came just now".to_owned(),
        };
        let read = match facts.read {
            Reading::NoRead => "no code".to_owned(),
            Reading::Good => code(facts.code),
            Reading::Conflict => "codes that contradict each other".to_owned(),
            Reading::Invalid => format!("invalid {}", code(facts.code)),
            Reading::Several => "codes of several parcels".to_owned(),
        };
        let advice = &facts.advice;
        let place = if advice.dest.is_some() {
            format!("for destination {:016x}", advice.dest.0)
        } else if advice.segment.is_some() {
            format!("for segment {}", advice.segment)
        } else if advice.postcode.is_some() {
            format!("for postcode {}", advice.postcode)
        } else {
            "for nowhere known".to_owned()
        };
        format!(
            "{} read {read} {place} by {key}, {} g",
            self.scanner(scanner),
            facts.measured.weight.0
        )
    }

    /// What the sorter said.
    #[must_use]
    #[expect(
        clippy::too_many_lines,
        reason = "a table: one arm for each kind of output"
    )]
    pub fn output(self, output: &Output) -> String {
        match *output {
            Output::Divert(ref order) => self.order(order),
            Output::Withdraw {
                parcel,
                item,
                cell,
                revision,
            } => {
                let cell = self.cell(cell);
                format!(
                    "parcel {parcel} (item {}, {cell}): withdraw, revision {revision}",
                    item.0
                )
            }
            Output::Known { parcel, cell, item } => {
                format!("parcel {parcel} is item {} on {}", item.0, self.cell(cell))
            }
            Output::Read {
                parcel,
                by,
                code: read,
            } => {
                let read = code(read);
                match by {
                    Reader::Scanner(scanner) => {
                        let scanner = self.scanner(scanner);
                        format!("parcel {parcel} has {read}, read by {scanner}")
                    }
                    Reader::Seat(seat) => {
                        format!("parcel {parcel} has {read}, keyed in at seat {}", seat.0)
                    }
                }
            }
            Output::Decided {
                parcel,
                chute,
                why,
                basis,
            } => {
                let to = match chute {
                    Some(chute) => format!("leave by {}", self.chute(chute)),
                    None => "go on".to_owned(),
                };
                match basis {
                    Basis::Nothing => format!("parcel {parcel} should {to} ({why})"),
                    basis => format!("parcel {parcel} should {to} ({why}; by {basis:?})"),
                }
            }
            Output::HandOver {
                transfer, parcel, ..
            } => format!("parcel {parcel} goes over transfer {}", transfer.0),
            Output::AskHost {
                parcel,
                code: asked,
                until,
            } => {
                let asked = code(asked);
                format!(
                    "ask the host about parcel {parcel}, {asked}, until {} us",
                    until.0
                )
            }
            Output::Answered { ticket, answer } => match answer {
                Ok(()) => format!("command {} taken", ticket.0),
                Err(refused) => format!("command {} refused: {refused}", ticket.0),
            },
            Output::Ended {
                parcel,
                how,
                why,
                chute,
                bag,
            } => match chute {
                Some(chute) => {
                    let bag = bag.map_or(String::new(), |bag| format!(", bag {bag}"));
                    format!(
                        "parcel {parcel} {how} by {}{bag} ({why})",
                        self.chute(chute)
                    )
                }
                None => format!("parcel {parcel} {how} ({why})"),
            },
            Output::Pace {
                induction,
                to,
                limit_per_h,
            } => {
                let limit = match limit_per_h {
                    0 => String::new(),
                    limit => format!(", at most {limit} an hour"),
                };
                format!("induction {}: {to:?}{limit}", self.induction(induction))
            }
            Output::CarrierEnable { cell, enabled } => {
                let use_it = if enabled { "use" } else { "do not use" };
                format!("{use_it} {}", self.cell(cell))
            }
            Output::Track { track, to } => {
                let RunState { mode, step, .. } = to;
                let degraded = if to.lost.is_none() { "" } else { ", degraded" };
                let closed = if to.closed { ", out of service" } else { "" };
                let track = self.track(track);
                format!("track {track}: {mode:?}, {step:?}{degraded}{closed}")
            }
            Output::StillThere {
                parcel,
                cell,
                chute,
            } => {
                let (cell, chute) = (self.cell(cell), self.chute(chute));
                format!("correction: parcel {parcel} lies on {cell}, not in {chute}")
            }
            Output::ChuteWish { .. } | Output::Bag { .. } => self.chute_output(output),
            Output::RetirePlan { version } => {
                format!("nothing depends on plan version {version} any more")
            }
            Output::Alarm(alarm) => format!("alarm: {}", self.alarm(alarm)),
        }
    }

    /// What is said of a chute.
    fn chute_output(self, output: &Output) -> String {
        match *output {
            Output::ChuteWish {
                chute,
                lock,
                lamp,
                why,
            } => {
                let lock = if lock { "lock" } else { "leave open" };
                let why = why.map_or(String::new(), |why| format!(" ({why})"));
                format!("{lock} chute {}, lamp {lamp:?}{why}", self.chute(chute))
            }
            Output::Bag {
                chute,
                bag,
                label,
                pieces,
                weight,
                volume_cm3,
                to,
            } => {
                let label = match label {
                    CodeId::NONE => "without a label".to_owned(),
                    label => format!("with label {}", code(label)),
                };
                let stage = match to {
                    BagStage::Opened => "is open",
                    BagStage::Labelled => "has its label",
                    BagStage::Frozen => "is closed",
                    BagStage::Kept => "stays and is open again",
                };
                let (chute, grams) = (self.chute(chute), weight.0);
                format!(
                    "bag {bag} {label} at {chute} {stage}: {pieces} parcels, {grams} g, \
                     {volume_cm3} cm3"
                )
            }
            _ => format!("{output:?}"),
        }
    }

    fn order(self, order: &Order) -> String {
        let chutes: Vec<String> = order
            .chutes
            .iter()
            .flatten()
            .map(|chute| self.chute(*chute))
            .collect();
        let on_fail = match order.on_fail {
            OnFail::Lap => "else lap",
            OnFail::Straight => "else straight on",
        };
        format!(
            "parcel {} (item {}, {}): divert to {}, {on_fail}, by {} mm, revision {} ({}, plan {})",
            order.parcel,
            order.item.0,
            self.cell(order.cell),
            chutes.join(" or "),
            order.obey_by.0,
            order.revision,
            order.why,
            order.plan_version,
        )
    }

    fn alarm(self, alarm: Alarm) -> String {
        match alarm {
            Alarm::Missort {
                parcel,
                ordered,
                went,
            } => {
                let ordered = ordered.map_or("nowhere".to_owned(), |chute| self.chute(chute));
                format!(
                    "parcel {parcel} ordered to {ordered} went to {}",
                    self.chute(went)
                )
            }
            Alarm::Slipped { parcel, went, why } => {
                let went = self.chute(went);
                format!("parcel {parcel} left by {went} although it was stopped ({why})")
            }
            Alarm::Lost { parcel } => format!("parcel {parcel} is lost"),
            Alarm::LinkLost { track } => format!("PLC of {} is lost", self.track(track)),
            Alarm::TrackingReset { track, in_doubt } => {
                format!(
                    "PLC of {} has lost its tracking, {in_doubt} in doubt",
                    self.track(track)
                )
            }
            Alarm::CarrierDisabled { cell, by } => {
                format!("{} is used no more ({by:?})", self.cell(cell))
            }
            Alarm::CarrierNotEmpty { cell } => {
                format!("{} is not empty after its discharge", self.cell(cell))
            }
            Alarm::ChuteFails { chute } => {
                format!("chute {} fails carrier after carrier", self.chute(chute))
            }
            Alarm::EyeStuck { chute } => {
                format!("the full eye of chute {} is stuck", self.chute(chute))
            }
            Alarm::LockedLong { chute } => {
                format!("chute {} has been locked for long", self.chute(chute))
            }
            Alarm::NoReadStreak { scanner } => {
                format!("{} reads nothing any more", self.scanner(scanner))
            }
            Alarm::TooManyItems { cell } => {
                format!("no room to follow another item, on {}", self.cell(cell))
            }
        }
    }

    fn track(self, track: TrackId) -> String {
        named(
            self.hub.tracks().get(track.index()).map(|t| &t.name),
            "track",
            track.index(),
        )
    }

    fn induction(self, induction: InductionId) -> String {
        let spec = self.hub.inductions().get(induction.index());
        named(spec.map(|i| &i.name), "induction", induction.index())
    }

    fn scanner(self, scanner: ScannerId) -> String {
        let spec = self.hub.scanners().get(scanner.index());
        named(spec.map(|s| &s.name), "scanner", scanner.index())
    }

    fn chute(self, chute: ChuteId) -> String {
        named(
            self.hub.chutes().get(chute.index()).map(|c| &c.name),
            "chute",
            chute.index(),
        )
    }

    fn cell(self, cell: CellId) -> String {
        let Some((track, own)) = self.hub.track_of(cell) else {
            return format!("cell {} (not in this hub)", cell.0);
        };
        let is_loop = self.hub.tracks()[track.index()].kind.is_loop();
        format!(
            "{} {own} of {}",
            if is_loop { "carrier" } else { "window" },
            self.track(track)
        )
    }
}

fn named(name: Option<&String>, kind: &str, index: usize) -> String {
    name.map_or_else(|| format!("{kind} {index} (not in this hub)"), Clone::clone)
}

fn code(code: CodeId) -> String {
    format!("code {:016x}", code.0)
}

fn chute_state(state: ChuteState) -> String {
    let ChuteState {
        enabled,
        half,
        full,
        jammed,
        locked,
        lock_applied,
    } = state;
    let all = [
        (!enabled, "disabled"),
        (half, "half"),
        (full, "full"),
        (jammed, "jammed"),
    ];
    let mut words: Vec<&str> = all
        .into_iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, word)| word)
        .collect();
    if locked {
        words.push("locked");
    }
    if lock_applied {
        words.push("lock applied");
    }
    if words.is_empty() {
        "open".to_owned()
    } else {
        words.join(", ")
    }
}

/// A sorter's time as hours, minutes, seconds and microseconds since the start of the run.
#[must_use]
pub fn clock(now: Micros) -> String {
    let (seconds, micros) = (now.0 / 1_000_000, now.0 % 1_000_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{micros:06}", seconds % 60)
}
