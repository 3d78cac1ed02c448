//! What goes wrong, as data: so that a run can be repeated with fewer faults.

use core::fmt;

use sorthub_core::facts::{Reading, Verdict};
use sorthub_core::hub::{Hub, Lot};
use sorthub_core::ids::{CellId, ChuteId, CodeId, DestId, InductionId, ScannerId, TrackId, WaveId};
use sorthub_core::operator::{ChuteWish, Command, InductionWish, Mode, TrackWish, WaybillWish};
use sorthub_core::plan::Plan;
use sorthub_core::units::Micros;

use super::dice::Dice;
use super::draw::Drawn;

/// The version of the plan that a run begins with.
pub(super) const FIRST_PLAN: u32 = 1;
/// The version of the other one.
const OTHER_PLAN: u32 = FIRST_PLAN + 1;

/// A fault with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it begins.
    pub at: Micros,
    /// How long it lasts; for what happens once, how long it may wait for its chance.
    pub lasts: Micros,
    /// What goes wrong.
    pub what: What,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A PLC loses power and comes back with another boot id.
    PlcRestart(TrackId),
    /// Its network is cut.
    LinkCut(TrackId),
    /// So many of a thousand requests never reach the PLC.
    RequestsLost(TrackId, u16),
    /// So many of a thousand replies never come back: what they wrote stands.
    RepliesLost(TrackId, u16),
    /// Exchanges take so many ms longer.
    Slow(TrackId, u16),
    /// A belt stops.
    BeltStop(TrackId),
    /// A belt runs at half its speed.
    BeltSlow(TrackId),
    /// A chute is jammed.
    Jam(ChuteId),
    /// A chute is locked at its panel.
    Lock(ChuteId),
    /// A chute is out of service.
    Disable(ChuteId),
    /// A scanner's power is gone.
    ScannerSilent(ScannerId),
    /// Its telegrams take so many ms longer.
    ScannerLate(ScannerId, u16),
    /// Its telegrams come twice.
    ScannerTwice(ScannerId),
    /// Two telegrams in a row come in the wrong order.
    ScannerSwapped(ScannerId),
    /// It reads codes that contradict each other, or that are none.
    ScannerOdd(ScannerId, Reading),
    /// It reads the label of the item before.
    LabelBefore(ScannerId),
    /// The eye at a scanner does not see the next item.
    EyeBlind(TrackId),
    /// An eye tells of the next item twice.
    EyeTwice(TrackId),
    /// The eye at an induction does not see the next item: nobody announces it.
    InductionBlind(TrackId),
    /// A PLC takes a carrier for empty that is not.
    Mislaid(TrackId),
    /// A PLC has so much else to tell that events are lost, while its network is cut.
    Flood(TrackId),
    /// A person takes an item off.
    TakenOff(TrackId),
    /// People let nothing more on and start the track again.
    Drained(TrackId),
    /// People send all that is on it to the reject chutes.
    Purged(TrackId),
    /// People work on it: nothing is sent.
    Maintained(TrackId),
    /// People run it empty.
    Emptied(TrackId),
    /// People take it out of service.
    Closed(TrackId),
    /// People do not want a carrier to be used.
    CarrierOff(CellId),
    /// People stop an induction.
    InductionOff(InductionId),
    /// The host says nothing.
    HostSilent,
    /// People sort by the other plan.
    OtherPlan,
    /// People lock a chute from afar.
    ChuteLocked(ChuteId),
    /// People take a chute out of service.
    ChuteOff(ChuteId),
    /// People change the bag or cage at a chute.
    BagChanged(ChuteId),
    /// The button at a chute is pressed.
    BagButton(ChuteId),
    /// People cut a wave off, and open it again.
    WaveOver(WaveId),
    /// Somebody wants a waybill's parcels held.
    Held(CodeId),
    /// A security device suspects a waybill's parcels.
    Suspected(CodeId),
    /// Somebody wants a waybill's parcels sent elsewhere.
    Intercepted(CodeId, DestId),
    /// The disk takes so many ms to make a record durable.
    DiskSlow(u16),
    /// The engine is so busy that ticks come so many ms late.
    TicksLate(u16),
    /// The engine dies and starts again: what was not durable is forgotten.
    Crash,
    /// The same, but the old one goes on writing for a while.
    Rival,
}

impl What {
    /// What people say at its beginning or end, if it is their doing.
    pub(super) fn commands(self, begins: bool, plan: &Plan) -> Vec<Command> {
        let track = |track, wishes: &[TrackWish]| {
            let say = |to: &TrackWish| Command::Track { track, to: *to };
            wishes.iter().map(say).collect()
        };
        let again = [TrackWish::Mode(Mode::Automatic), TrackWish::Start];
        match (self, begins) {
            (Self::Drained(id), true) => track(id, &[TrackWish::Drain]),
            (Self::Purged(id), true) => track(id, &[TrackWish::Purge]),
            (Self::Maintained(id), true) => track(id, &[TrackWish::Mode(Mode::Maintenance)]),
            (Self::Emptied(id), true) => track(id, &[TrackWish::Mode(Mode::Emptying)]),
            (
                Self::Drained(id) | Self::Purged(id) | Self::Maintained(id) | Self::Emptied(id),
                false,
            ) => track(id, &again),
            (Self::Closed(id), true) => track(id, &[TrackWish::Close]),
            (Self::Closed(id), false) => track(id, &[TrackWish::Open]),
            (Self::CarrierOff(cell), begins) => {
                let enabled = !begins;
                vec![Command::Carrier { cell, enabled }]
            }
            (Self::InductionOff(induction), begins) => {
                let to = if begins {
                    InductionWish::Stop
                } else {
                    InductionWish::Run
                };
                vec![Command::Induction { induction, to }]
            }
            (Self::OtherPlan, begins) => {
                let version = if begins { OTHER_PLAN } else { FIRST_PLAN };
                vec![Command::Activate { version }]
            }
            (Self::ChuteLocked(chute), begins) => {
                let to = if begins {
                    ChuteWish::Lock
                } else {
                    ChuteWish::Unlock
                };
                vec![Command::Chute { chute, to }]
            }
            (Self::ChuteOff(chute), begins) => {
                let to = if begins {
                    ChuteWish::Disable
                } else {
                    ChuteWish::Enable
                };
                vec![Command::Chute { chute, to }]
            }
            (Self::BagChanged(chute), true) => vec![Command::Chute {
                chute,
                to: ChuteWish::ChangeBag,
            }],
            (Self::WaveOver(wave), begins) => vec![Command::Wave {
                wave,
                open: !begins,
            }],
            _ => self.words(begins, plan),
        }
    }

    /// The same, for what is said of waybills.
    fn words(self, begins: bool, plan: &Plan) -> Vec<Command> {
        match (self, begins) {
            (Self::Held(code), true) => vec![waybill(code, WaybillWish::Hold)],
            (Self::Intercepted(code, dest), true) => {
                let to = plan.key(dest);
                vec![waybill(code, WaybillWish::Intercept { to })]
            }
            (Self::Held(code), false) => vec![waybill(code, WaybillWish::Release)],
            (Self::Intercepted(code, _), false) => {
                vec![waybill(code, WaybillWish::CancelIntercept)]
            }
            (Self::Suspected(code), begins) => {
                let verdict = if begins {
                    Verdict::Suspect
                } else {
                    Verdict::Clear
                };
                vec![waybill(code, WaybillWish::Verdict(verdict))]
            }
            _ => vec![],
        }
    }
}

const fn waybill(code: CodeId, to: WaybillWish) -> Command {
    Command::Waybill { code, to }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Fault {{ at: Micros({}), lasts: Micros({}), what: What::{:?} }}",
            self.at.0, self.lasts.0, self.what
        )
    }
}

/// Draws the faults of a seed, in order of time. The last quarter of the horizon is left in peace.
#[must_use]
pub fn draw(seed: u64, drawn: &Drawn, horizon: Micros) -> Vec<Fault> {
    let hub = &*drawn.hub;
    let mut dice = Dice::new(seed, 2);
    let calm_from = horizon.0 / 4 * 3;
    // Some runs have none, some have many at once.
    let count = dice.pick(&[0, 1, 2, 4, 8, 16]);
    let mut faults: Vec<Fault> = (0..count)
        .map(|_| Fault {
            at: Micros(dice.below(calm_from)),
            lasts: Micros::from_millis(dice.pick(&[200, 800, 2_500, 9_000, 40_000])),
            what: what(&mut dice, hub),
        })
        .collect();
    faults.extend(people(seed, hub, calm_from));
    faults.extend(shift(seed, drawn, calm_from));
    faults.extend(office(seed, drawn, calm_from));
    faults.sort_by_key(|fault| fault.at);
    faults
}

/// What people do to plan and chutes, and a host that is silent, in every second run. They have
/// dice of their own, so that all else in a run is the same with it and without.
fn people(seed: u64, hub: &Hub, calm_from: u64) -> Vec<Fault> {
    let mut dice = Dice::new(seed, 4);
    let count = dice.pick(&[0, 0, 0, 1, 2, 4]);
    let deed = |dice: &mut Dice| {
        let chute = ChuteId(dice.below(hub.chutes().len() as u64) as u16);
        match dice.below(6) {
            0 => What::ChuteLocked(chute),
            1 => What::ChuteOff(chute),
            2 => What::HostSilent,
            _ => What::OtherPlan,
        }
    };
    let deeds = (0..count).map(|_| Fault {
        at: Micros(dice.below(calm_from)),
        lasts: Micros::from_millis(dice.pick(&[200, 2_500, 9_000, 40_000])),
        what: deed(&mut dice),
    });
    deeds.collect()
}

/// What people do at containers, and with waves; with dice of its own, as above.
fn shift(seed: u64, drawn: &Drawn, calm_from: u64) -> Vec<Fault> {
    let mut dice = Dice::new(seed, 10);
    let chutes = 0..drawn.hub.chutes().len() as u16;
    let has_lot = |chute: &ChuteId| drawn.hub.chutes()[chute.index()].rules.lot != Lot::Flow;
    let mut deeds: Vec<What> = chutes
        .map(ChuteId)
        .filter(has_lot)
        .flat_map(|chute| [What::BagChanged(chute), What::BagButton(chute)])
        .collect();
    let waves = drawn.plan.spec().waves.len() as u8;
    deeds.extend((0..waves).map(|wave| What::WaveOver(WaveId(wave))));
    if deeds.is_empty() {
        return vec![];
    }
    let count = dice.pick(&[0, 1, 4, 8]);
    let words = (0..count).map(|_| Fault {
        at: Micros(dice.below(calm_from)),
        lasts: Micros::from_millis(dice.pick(&[800, 9_000, 40_000])),
        what: dice.pick(&deeds),
    });
    words.collect()
}

/// What is said of waybills, in every third run; with dice of its own, as above.
fn office(seed: u64, drawn: &Drawn, calm_from: u64) -> Vec<Fault> {
    let mut dice = Dice::new(seed, 7);
    let dests = drawn.plan.spec().destinations.len() as u64;
    let count = dice.pick(&[0, 0, 0, 0, 2, 6]);
    let word = |dice: &mut Dice| {
        // Parcels are numbered as they come; so many get on in most runs.
        let code = CodeId(1 + dice.below(40));
        match dice.below(3) {
            0 => What::Held(code),
            1 => What::Suspected(code),
            _ => What::Intercepted(code, DestId(dice.below(dests) as u32)),
        }
    };
    let words = (0..count).map(|_| Fault {
        at: Micros(dice.below(calm_from)),
        lasts: Micros::from_millis(dice.pick(&[800, 9_000, 40_000, 400_000])),
        what: word(&mut dice),
    });
    words.collect()
}

fn what(dice: &mut Dice, hub: &Hub) -> What {
    let track = TrackId(dice.below(hub.tracks().len() as u64) as u16);
    let chute = ChuteId(dice.below(hub.chutes().len() as u64) as u16);
    let scanner = ScannerId(dice.below(hub.scanners().len() as u64) as u16);
    let cell = CellId(dice.below(u64::from(hub.cells())) as u32);
    let induction = InductionId(dice.below(hub.inductions().len() as u64) as u16);
    match dice.below(36) {
        0 => What::PlcRestart(track),
        1 => What::LinkCut(track),
        2 => What::RequestsLost(track, dice.between(20, 400) as u16),
        3 => What::RepliesLost(track, dice.between(20, 400) as u16),
        4 => What::Slow(track, dice.between(5, 200) as u16),
        5 => What::BeltStop(track),
        6 => What::BeltSlow(track),
        7..=9 => What::Jam(chute),
        10 | 11 => What::Lock(chute),
        12 => What::Disable(chute),
        13 => What::ScannerSilent(scanner),
        14 => What::ScannerLate(scanner, dice.pick(&[40, 300, 900, 4_000, 12_000])),
        15 => What::ScannerTwice(scanner),
        16 => What::ScannerSwapped(scanner),
        17 => {
            let odd = [Reading::Conflict, Reading::Invalid, Reading::Several];
            What::ScannerOdd(scanner, dice.pick(&odd))
        }
        18 => What::LabelBefore(scanner),
        19 => dice.pick(&[What::EyeBlind(track), What::EyeTwice(track)]),
        20 => What::InductionBlind(track),
        21 | 22 => What::Mislaid(track),
        23 => What::Flood(track),
        24 => What::TakenOff(track),
        25 | 26 => What::DiskSlow(dice.between(5, 500) as u16),
        27 => What::TicksLate(dice.between(1, 50) as u16),
        28 => What::Rival,
        29 => dice.pick(&[What::Drained(track), What::Purged(track)]),
        30 => dice.pick(&[What::Maintained(track), What::Emptied(track)]),
        31 => dice.pick(&[What::Closed(track), What::InductionOff(induction)]),
        32 => What::CarrierOff(cell),
        _ => What::Crash,
    }
}
