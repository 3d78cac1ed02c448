//! Small hubs and a hand on a sorter, for tests.
#![allow(dead_code, reason = "each test file uses its own share")]

use std::sync::Arc;

use sorthub_core::facts::*;
use sorthub_core::hub::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::*;
use sorthub_core::reason::{Disposition, Reason};
use sorthub_core::running::Pace;
use sorthub_core::signal::*;
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::*;

pub const LOOP: TrackId = TrackId(0);

pub fn chute(name: &str, at: u32) -> ChuteSpec {
    ChuteSpec {
        name: name.into(),
        outlets: vec![Outlet {
            track: LOOP,
            at: Mm(at),
            lead: Mm(200),
        }],
        capacity: Capacity::Parcels(3),
        sensing: Sensing::Eyes,
        rules: ChuteRules::AS_TOLD,
    }
}

fn spec(kind: TrackKind) -> HubSpec {
    HubSpec {
        name: "test".into(),
        tracks: vec![TrackSpec {
            name: "T".into(),
            kind,
            speed: MmPerS(1_000),
            tolerance: Mm(300),
            caps: Caps::NONE,
        }],
        inductions: vec![InductionSpec {
            name: "I".into(),
            track: LOOP,
            at: Mm(500),
            quota_permille: 1_000,
        }],
        scanners: vec![ScannerSpec {
            name: "S".into(),
            track: LOOP,
            at: Mm(1_000),
            meets_by: MeetsBy::Trigger,
            wait: Mm(800),
        }],
        chutes: vec![
            chute("A", 3_000),
            chute("B", 4_000),
            chute("C", 5_000),
            chute("R", 6_000),
        ],
        ..HubSpec::default()
    }
}

/// A loop of 20 carriers at 600 mm, 1 m/s: chutes A, B, C at 3, 4, 5 m, reject R at 6 m.
pub fn loop_spec() -> HubSpec {
    spec(TrackKind::Loop {
        carriers: 20,
        pitch: Mm(600),
    })
}

/// A line of 6 m with the same chutes, R at its end.
pub fn line_spec(returns: Option<u32>) -> HubSpec {
    let mut spec = spec(TrackKind::Line {
        length: Mm(6_000),
        windows: 16,
        returns: returns.map(Mm),
    });
    spec.chutes[3].capacity = Capacity::Unlimited;
    spec
}

/// Destinations: 0 to A; 1 to B, else C; 2 to C with overflow A.
pub fn plan_spec() -> PlanSpec {
    let dest = |name: &str, chutes: &[u16], overflow: &[u16]| DestinationSpec {
        name: name.into(),
        chutes: chutes.iter().copied().map(ChuteId).collect(),
        overflow: overflow.iter().copied().map(ChuteId).collect(),
        ..DestinationSpec::default()
    };
    PlanSpec {
        version: 7,
        destinations: vec![
            dest("a", &[0], &[]),
            dest("b", &[1, 2], &[]),
            dest("c", &[2], &[0]),
        ],
        reject: vec![ChuteId(3)],
        room: RoomPolicy::Attempt,
        no_read: NoReadPolicy::Again,
        laps_max: 2,
        ..PlanSpec::default()
    }
}

pub fn sorter(hub: HubSpec, plan: PlanSpec) -> Sorter {
    let hub = Arc::new(Hub::new(hub).expect("the test hub is sound"));
    let plan = Arc::new(Plan::new(plan, &hub).expect("the test plan is sound"));
    Sorter::new(hub, plan, Setup::new(5))
}

/// A sorter with a clock and a belt, told things one after the other.
pub struct Hand {
    pub sorter: Sorter,
    pub outbox: Outbox,
    pub now: Micros,
}

impl Hand {
    pub fn new(hub: HubSpec, plan: PlanSpec) -> Self {
        let mut hand = Self {
            sorter: sorter(hub, plan),
            outbox: Outbox::new(),
            now: Micros(0),
        };
        hand.tell(Signal::Link {
            track: LOOP,
            to: LinkState::Up,
        });
        hand.belt(0);
        hand
    }

    /// Tells a signal and returns what was said.
    pub fn tell(&mut self, signal: Signal) -> Vec<Output> {
        self.outbox.clear();
        self.sorter.handle(self.now, &signal, &mut self.outbox);
        self.outbox.outputs().to_vec()
    }

    /// The inventory of the empty track is told: parcels may come.
    pub fn told(&mut self) -> Vec<Output> {
        let at = BeltMm(self.now.0 as i64 / 1_000);
        self.tell(Signal::InventoryEnd { track: LOOP, at })
    }

    /// A person or host wants something; the answer, and what else was said.
    pub fn command(&mut self, command: Command) -> (Result<(), Refused>, Vec<Output>) {
        let ticket = Ticket(77);
        let mut said = self.tell(Signal::Command { ticket, command });
        let answer = said.iter().find_map(|output| match output {
            Output::Answered { ticket: to, answer } if *to == ticket => Some(*answer),
            _ => None,
        });
        said.retain(|output| !matches!(output, Output::Answered { .. }));
        (answer.expect("every command is answered"), said)
    }

    pub fn track(&mut self, to: TrackWish) -> (Result<(), Refused>, Vec<Output>) {
        self.command(Command::Track { track: LOOP, to })
    }

    /// The same, for what must be taken.
    pub fn run_track(&mut self, to: TrackWish) -> Vec<Output> {
        let (answer, said) = self.track(to);
        assert_eq!(answer, Ok(()), "{to:?}");
        said
    }

    /// Ticks until nothing is due at once any more, and returns what was said.
    pub fn due(&mut self) -> Vec<Output> {
        let mut said = Vec::new();
        while let Some(due) = self.sorter.next_timeout() {
            if due.since(self.now) > Micros(10) {
                break;
            }
            self.now = self.now.max(due);
            said.extend(self.tell(Signal::Tick));
        }
        said
    }

    /// Time passes at a running belt of 1 m/s until it stands at `mm`, which is told.
    pub fn belt(&mut self, mm: i64) -> Vec<Output> {
        self.now = Micros(mm as u64 * 1_000);
        self.tell(Signal::Belt {
            track: LOOP,
            at: BeltMm(mm),
            speed: MmPerS(1_000),
        })
    }

    pub fn inducted(&mut self, cell: u32, item: u32) -> Vec<Output> {
        let at = BeltMm(self.now.0 as i64 / 1_000);
        self.tell(Signal::Inducted {
            induction: InductionId(0),
            cell: CellId(cell),
            item: PlcItem(item),
            at,
            length: Mm(400),
            spans: 1,
            returned: false,
        })
    }

    pub fn at_scanner(&mut self, cell: u32, item: u32, trigger: u16) -> Vec<Output> {
        let at = BeltMm(self.now.0 as i64 / 1_000);
        let (cell, item) = (CellId(cell), PlcItem(item));
        self.tell(Signal::AtScanner {
            scanner: ScannerId(0),
            cell,
            item,
            trigger,
            at,
        })
    }

    pub fn scanned(&mut self, trigger: u16, facts: Facts) -> Vec<Output> {
        let key = ScanKey::Trigger(trigger);
        self.tell(Signal::Scanned {
            scanner: ScannerId(0),
            key,
            facts,
        })
    }

    /// Induction, scanner eye and telegram, 500 mm apart.
    pub fn brought(&mut self, cell: u32, item: u32, dest: u32) -> Vec<Output> {
        let start = self.now.0 as i64 / 1_000;
        self.inducted(cell, item);
        self.belt(start + 500);
        self.at_scanner(cell, item, item as u16);
        self.scanned(item as u16, good(u64::from(item), dest))
    }

    pub fn discharged(&mut self, chute: u16, cell: u32, item: u32) -> Vec<Output> {
        let at = BeltMm(self.now.0 as i64 / 1_000);
        let (cell, item) = (CellId(cell), PlcItem(item));
        self.tell(Signal::Discharged {
            chute: ChuteId(chute),
            cell,
            item,
            at,
        })
    }

    pub fn refused(&mut self, chute: u16, cell: u32, item: u32) -> Vec<Output> {
        let at = BeltMm(self.now.0 as i64 / 1_000);
        let (chute, cell, item) = (ChuteId(chute), CellId(cell), PlcItem(item));
        self.tell(Signal::NotDischarged {
            chute,
            cell,
            item,
            at,
            cause: Refusal::Full,
        })
    }

    /// Wants something of a waybill, which is taken.
    pub fn waybill(&mut self, code: u64, to: WaybillWish) -> Vec<Output> {
        let code = CodeId(code);
        let (answer, said) = self.command(Command::Waybill { code, to });
        assert_eq!(answer, Ok(()));
        said
    }

    /// Wants something of the parcel with this count, which is taken.
    pub fn parcel(&mut self, count: u64, to: ParcelWish) -> Vec<Output> {
        let (answer, said) = self.try_parcel(count, to);
        assert_eq!(answer, Ok(()));
        said
    }

    pub fn try_parcel(&mut self, count: u64, to: ParcelWish) -> (Result<(), Refused>, Vec<Output>) {
        let parcel = ParcelId::new(5, count);
        self.command(Command::Parcel { parcel, to })
    }

    /// Induction and scanner eye 500 mm on, and then these facts.
    pub fn read(&mut self, cell: u32, item: u32, facts: Facts) -> Vec<Output> {
        let start = self.now.0 as i64 / 1_000;
        self.inducted(cell, item);
        self.belt(start + 500);
        self.at_scanner(cell, item, item as u16);
        self.scanned(item as u16, facts)
    }

    pub fn lap(&mut self, cell: u32, item: u32) -> Vec<Output> {
        let at = BeltMm(self.now.0 as i64 / 1_000);
        self.tell(Signal::LapPassed {
            cell: CellId(cell),
            item: PlcItem(item),
            at,
        })
    }
}

pub fn good(code: u64, dest: u32) -> Facts {
    let name = ["a", "b", "c"].get(dest as usize).unwrap_or(&"nowhere");
    Facts::advised(CodeId(code), DestKey::of(name))
}

/// The order among what was said, if there is one.
pub fn order(said: &[Output]) -> Option<Order> {
    said.iter().find_map(|output| match output {
        Output::Divert(order) => Some(*order),
        _ => None,
    })
}

/// Why a parcel goes where, as decided last among what was said.
pub fn decided(said: &[Output]) -> Option<(Option<u16>, Reason, Basis)> {
    said.iter().rev().find_map(|output| match output {
        Output::Decided {
            chute, why, basis, ..
        } => Some((chute.map(|c| c.0), *why, *basis)),
        _ => None,
    })
}

/// How a parcel ended, if one did.
pub fn ended(said: &[Output]) -> Option<(Disposition, Reason, Option<u16>)> {
    said.iter().find_map(|output| match output {
        Output::Ended {
            how, why, chute, ..
        } => Some((*how, *why, chute.map(|c| c.0))),
        _ => None,
    })
}

/// The chutes of an order, as numbers.
pub fn chutes(order: &Order) -> Vec<u16> {
    order.chutes.iter().flatten().map(|chute| chute.0).collect()
}

/// How fast the induction may feed from now on, if that was said.
pub fn pace(said: &[Output]) -> Option<(Pace, u16)> {
    said.iter().rev().find_map(|output| match output {
        Output::Pace {
            to, limit_per_h, ..
        } => Some((*to, *limit_per_h)),
        _ => None,
    })
}
