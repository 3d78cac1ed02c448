//! The hub of the bench, its plans in files, and what is known of its parcels.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sorthub_core::facts::{Address, DestKey, Facts, ServiceKey};
use sorthub_core::hub::*;
use sorthub_core::ids::{CodeId, TrackId};
use sorthub_core::units::{Mm, MmPerS};

pub const TRACKS: u32 = 8;
pub const PITCH_MM: u32 = 600;
/// The PLC must know an order so many carriers before its chute.
const LEAD_PITCHES: u32 = 3;
/// Where parcels get on and are read, in carriers from the origin.
pub const INDUCTION_AT: u32 = 2;
pub const SCANNER_AT: u32 = 5;
/// From one signal to the next: 1.2 million parcels an hour, six signals each.
pub const SIGNAL_US: u64 = 500;
/// A belt moves by a carrier while each of the eight tells its six signals.
const STEP_US: u64 = SIGNAL_US * 6 * TRACKS as u64;
pub const SPEED: MmPerS = MmPerS((PITCH_MM as u64 * 1_000_000 / STEP_US) as u32);
pub struct Sizes {
    pub rounds: usize,
    /// To the other plan and back.
    pub pairs: usize,
    pub carriers: u32,
    pub chutes: u32,
    pub destinations: u32,
    pub addresses: u32,
    pub rules: u32,
}

pub const BENCH: Sizes = Sizes {
    rounds: 9,
    pairs: 6,
    carriers: 6_500,
    chutes: 400,
    destinations: 40_000,
    addresses: 59_900,
    rules: 100,
};

pub const SMOKE: Sizes = Sizes {
    rounds: 1,
    pairs: 1,
    carriers: 160,
    chutes: 40,
    destinations: 400,
    addresses: 500,
    rules: 10,
};

impl Sizes {
    /// Where a chute stands on every loop, in carriers: the last of a lap, so that parcels ride
    /// for nearly all of it.
    pub fn chute_at(&self, chute: u32) -> u32 {
        self.carriers - self.chutes - 10 + chute
    }

    fn reject(&self) -> u32 {
        self.chutes - 1
    }

    /// Chutes in one half of the plan; the first half is the one that changes.
    pub fn half(&self) -> u32 {
        self.chutes / 2 - 1
    }

    /// Chute `nth` in the half of a destination, when its chutes are moved on by `moved`.
    fn chute_of(&self, destination: u32, nth: u32, moved: u32) -> u32 {
        let half = self.half();
        match destination % 2 {
            0 => (destination / 2 + nth + moved) % half,
            _ => half + (destination / 2 + nth) % half,
        }
    }

    pub fn hub(&self) -> Hub {
        let on_all = |at: u32, lead: u32| {
            let outlet = |track: u32| Outlet {
                track: TrackId(track as u16),
                at: Mm(at * PITCH_MM),
                lead: Mm(lead * PITCH_MM),
            };
            Vec::from_iter((0..TRACKS).map(outlet))
        };
        let tracks = 0..TRACKS;
        let spec = HubSpec {
            name: "bench".into(),
            tracks: Vec::from_iter(tracks.clone().map(|track| TrackSpec {
                name: format!("loop {track}"),
                kind: TrackKind::Loop {
                    carriers: self.carriers,
                    pitch: Mm(PITCH_MM),
                },
                speed: SPEED,
                tolerance: Mm(PITCH_MM / 2),
                caps: Caps::NONE,
            })),
            inductions: Vec::from_iter(tracks.clone().map(|track| InductionSpec {
                name: format!("in {track}"),
                track: TrackId(track as u16),
                at: Mm(INDUCTION_AT * PITCH_MM),
                quota_permille: 1_000,
            })),
            scanners: Vec::from_iter(tracks.map(|track| ScannerSpec {
                name: format!("scan {track}"),
                track: TrackId(track as u16),
                at: Mm(SCANNER_AT * PITCH_MM),
                meets_by: MeetsBy::Trigger,
                wait: Mm(4 * PITCH_MM),
            })),
            chutes: Vec::from_iter((0..self.chutes).map(|chute| ChuteSpec {
                name: format!("C{chute:03}"),
                outlets: on_all(self.chute_at(chute), LEAD_PITCHES),
                capacity: Capacity::Parcels(1_000),
                sensing: Sensing::Eyes,
                rules: ChuteRules::AS_TOLD,
            })),
            ..HubSpec::default()
        };
        Hub::new(spec).expect("the hub of this bench has no faults")
    }

    /// Writes a plan's files; gives the plan's path. Every fourth destination has shares if
    /// `by_shares`.
    pub fn write_plan(&self, version: u32, moved: u32, by_shares: bool) -> PathBuf {
        let folder = format!("bench-switching-{version}");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        fs::create_dir_all(&folder).expect("the target folder takes another");
        let mut destinations = "name,chutes,shares,alternates,overflow\n".to_owned();
        for at in 0..self.destinations {
            let [own, next, third, fourth] =
                [0, 7, 11, 13].map(|nth| self.chute_of(at, nth, moved));
            let shares = if by_shares && at / 2 % 2 == 0 {
                "2|1"
            } else {
                ""
            };
            let row = format!("C{own:03}|C{next:03},{shares},C{third:03},C{fourth:03}");
            writeln!(destinations, "branch {at},{row}").expect("text takes more");
        }
        let mut addresses = "kind,prefix,destination\n".to_owned();
        for at in 0..self.addresses {
            let (code, to) = (self.postcode(at), at * 7 % self.destinations);
            writeln!(addresses, "postcode,{code},branch {to}").expect("text takes more");
        }
        let mut plan = format!(
            "[plan]\nversion = {version}\nlaps_max = 20\nreject = [\"C{:03}\"]\n\
             destinations = \"destinations.csv\"\naddresses = \"addresses.csv\"\n",
            self.reject()
        );
        for at in 0..self.rules {
            let rule =
                format!("stage = \"first\"\nservice = \"service {at}\"\nto = \"branch {at}\"");
            write!(plan, "\n[[plan.rule]]\n{rule}\n").expect("text takes more");
        }
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).expect("the target folder takes files");
        };
        write("destinations.csv", &destinations);
        write("addresses.csv", &addresses);
        write("plan.toml", &plan);
        folder.join("plan.toml")
    }

    fn postcode(&self, nth: u32) -> String {
        format!("{:06}", nth * (1_000_000 / self.addresses))
    }

    /// What is known of a parcel: named by pre-advice, or by its postcode only; now and then with
    /// a service that a rule asks for.
    pub fn facts(&self, number: u32) -> Facts {
        let code = CodeId(u64::from(number) + 1);
        let step = number.wrapping_mul(2_654_435_761) >> 7;
        let mut facts = Facts::advised(code, DestKey::NONE);
        facts.advice.known = true;
        if number.is_multiple_of(2) {
            let name = format!("branch {}", step % self.destinations);
            facts.advice.dest = DestKey::of(&name);
        } else {
            facts.advice.postcode = Address::of(&self.postcode(step % self.addresses));
        }
        if number.is_multiple_of(64) {
            let service = format!("service {}", step % self.rules);
            facts.advice.service = ServiceKey::of(&service);
        }
        facts
    }
}
