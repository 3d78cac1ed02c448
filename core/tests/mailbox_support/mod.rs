//! Both mailbox ends on a simulated link, with faults, and the laws they must keep whatever
//! happens.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;

pub mod node;
pub mod pair;
pub mod plant;

use node::Node;
use plant::Plant;
use sorthub_core::plc::map::POLL_REGS;
use sorthub_core::plc::{Area, EngineConfig, Exchange, LinkMs};

/// Time an exchange takes to the PLC, and back.
const ONE_WAY_MS: u64 = 1;
/// When a driver gives up an exchange, and how long it takes to connect again.
const TIMEOUT_MS: u64 = 40;
const RECONNECT_MS: u64 = 5;
pub const CHUTES: u16 = 30;
pub const INDUCTIONS: u16 = 2;
pub const CELLS: u16 = 70;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next exchange never arrives.
    LoseRequest,
    /// The next exchange is carried out, but its reply never arrives.
    LoseReply,
    /// The next exchange is given up, and carried out that long after it began.
    LateRequest { ms: u8 },
    /// The next exchange is carried out, and its write again that long after it began.
    WriteAgain { ms: u8 },
    /// Only the first registers of the next write arrive, and the connection breaks.
    TornWrite { registers: u8 },
    /// The next poll is served from some scans ago.
    StaleRead { scans: u8 },
    /// The next poll is served with slots from some scans ago from this register on.
    TornRead { scans: u8, from: u8 },
    /// The PLC programme stands still.
    PlcPause { ms: u16 },
    /// The PLC loses everything.
    PlcReboot,
    /// The engine is killed, and another run starts in its area with what was on disk.
    EngineRestart,
    /// A second engine with a newer epoch appears in the other area.
    SecondEngine,
    /// The engine's process stands still.
    EnginePause { ms: u16 },
}

struct Flight {
    exchange: Exchange,
    effect_at: Option<u64>,
    reply_at: Option<u64>,
    fail_at: u64,
    fault: Option<Fault>,
    registers: Vec<u16>,
}

struct Seat {
    node: Node,
    connected: bool,
    connect_at: u64,
    paused_until: u64,
    flight: Option<Flight>,
    pending_fault: Option<Fault>,
}

/// The whole of it.
pub struct World {
    pub now_ms: u64,
    pub plant: Plant,
    seats: Vec<Seat>,
    scans: Vec<[u16; POLL_REGS]>,
    late_writes: Vec<(u64, u16, Vec<u16>)>,
    plc_paused_until: u64,
    epochs: u16,
    fc23: bool,
    pub exchanges: u64,
}

impl World {
    pub fn new(seed: u64, fc23: bool) -> Self {
        let mut world = Self {
            now_ms: 0,
            plant: Plant::new(seed),
            seats: Vec::new(),
            scans: Vec::new(),
            late_writes: Vec::new(),
            plc_paused_until: 0,
            epochs: 0,
            fc23,
            exchanges: 0,
        };
        world.seat_engine(Area::A, None);
        world
    }

    pub fn config(&self, area: Area, epoch: u16) -> EngineConfig {
        let mut config = EngineConfig::new(area, epoch, CHUTES, INDUCTIONS, CELLS);
        config.fc23 = self.fc23;
        config.sweep_ms = 500;
        config
    }

    fn seat_engine(&mut self, area: Area, replaced: Option<usize>) {
        self.epochs += 1;
        let mut config = self.config(area, self.epochs);
        config.resume = replaced.and_then(|at| self.seats[at].node.on_disk);
        let seat = Seat {
            node: Node::new(config, self.now_ms),
            connected: false,
            connect_at: self.now_ms + RECONNECT_MS,
            paused_until: 0,
            flight: None,
            pending_fault: None,
        };
        match replaced {
            Some(at) => {
                let old = std::mem::replace(&mut self.seats[at], seat);
                self.plant.retire(&old.node);
            }
            None => self.seats.push(seat),
        }
    }

    /// The engine in a seat: 0 is the first, 1 the second if there is one.
    pub fn node(&mut self, seat: usize) -> &mut Node {
        &mut self.seats[seat].node
    }

    /// The seat whose engine the PLC obeys.
    pub fn granted_seat(&self) -> Option<usize> {
        let (_, epoch) = self.plant.plc.granted()?;
        self.seats.iter().position(|seat| seat.node.epoch == epoch)
    }

    pub fn strike(&mut self, fault: Fault) {
        let ms = |ms: u16| u64::from(ms);
        match fault {
            Fault::PlcPause { ms: pause } => self.plc_paused_until = self.now_ms + ms(pause),
            Fault::PlcReboot => {
                self.plant.reboot();
                self.scans.clear();
            }
            Fault::EngineRestart => {
                let area = self.seats[0].node.area;
                self.seat_engine(area, Some(0));
            }
            Fault::SecondEngine if self.seats.len() == 1 => self.seat_engine(Area::B, None),
            Fault::SecondEngine => self.seat_engine(Area::B, Some(1)),
            Fault::EnginePause { ms: pause } => {
                self.seats[0].paused_until = self.now_ms + ms(pause);
            }
            link => {
                for seat in &mut self.seats {
                    seat.pending_fault = Some(link);
                }
            }
        }
    }

    /// Runs for that long, checking the laws all the while.
    pub fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.step();
        }
    }

    /// Runs until everything has been told and consumed; panics if that does not come to pass
    /// within the time.
    pub fn settle(&mut self, within_ms: u64) {
        self.plant.quiet = true;
        for seat in &mut self.seats {
            seat.node.quiet = true;
        }
        for _ in 0..within_ms {
            self.step();
            if self.is_settled() {
                self.check_commands();
                return;
            }
        }
        let granted = self.granted_seat();
        let state = granted.map(|at| (self.seats[at].node.state(), self.seats[at].node.epoch));
        panic!(
            "stuck: granted {:?}, node {state:?}, plant newest {:?}, commands {:?}",
            self.plant.plc.granted(),
            self.plant.newest(),
            granted.map(|at| self.seats[at].node.end.commands_open()),
        );
    }

    /// Each command was consumed at most once; each pushed by the engine now granted was consumed,
    /// unless a newer one for its cell was, or the PLC lost its life in between.
    fn check_commands(&self) {
        for ((boot, epoch), list) in &self.plant.consumed {
            let mut newest = BTreeMap::new();
            for (at, (seq, revision, cell)) in list.iter().enumerate() {
                assert_eq!(
                    usize::from(*seq),
                    at + 1,
                    "boot {boot} epoch {epoch}: in ring order"
                );
                if *revision > 0 {
                    let before = newest.insert(*cell, *revision).unwrap_or(0);
                    assert!(before < *revision, "cell {cell}: {revision} after {before}");
                }
            }
        }
        let at = self.granted_seat().expect("settled");
        let node = &self.seats[at].node;
        let consumed = self.plant.consumed.get(&(self.plant.boot, node.epoch));
        for (revision, cell) in &node.pushed {
            let obeyed = consumed
                .into_iter()
                .flatten()
                .any(|(_, newer, of)| of == cell && newer >= revision);
            assert!(obeyed, "revision {revision} for cell {cell} is lost");
        }
    }

    fn is_settled(&self) -> bool {
        let Some(at) = self.granted_seat() else {
            return false;
        };
        let node = &self.seats[at].node;
        node.end.commands_open() == 0
            && node.up
            && self
                .plant
                .newest()
                .is_none_or(|seq| node.last_taken() == Some((self.plant.boot, seq)))
            && node.statuses_since_quiet > 3
    }

    fn step(&mut self) {
        self.now_ms += 1;
        let now = LinkMs(self.now_ms);
        self.late_writes.sort_by_key(|(at, ..)| *at);
        while self
            .late_writes
            .first()
            .is_some_and(|(at, ..)| *at <= self.now_ms)
        {
            let (_, address, registers) = self.late_writes.remove(0);
            self.plant
                .plc
                .write(address, &registers)
                .expect("was a good write");
        }
        if self.now_ms.is_multiple_of(10) && self.now_ms >= self.plc_paused_until {
            self.plant.scan(now);
            let mut poll = [0; POLL_REGS];
            self.plant.plc.read(0, &mut poll).expect("the poll block");
            self.scans.push(poll);
        }
        for at in 0..self.seats.len() {
            if self.now_ms >= self.seats[at].paused_until {
                self.step_seat(at, now);
            }
        }
    }

    fn step_seat(&mut self, at: usize, now: LinkMs) {
        if !self.seats[at].connected && self.now_ms >= self.seats[at].connect_at {
            self.seats[at].connected = true;
            self.seats[at].node.end.connected(now);
        }
        if self.seats[at].flight.is_some() {
            self.step_flight(at, now);
        }
        self.seats[at].node.work(now, &mut self.plant);
        let seat = &mut self.seats[at];
        if let Some(exchange) = seat.node.end.next_exchange(now) {
            assert!(
                seat.flight.is_none() && seat.connected,
                "one exchange, on a connection"
            );
            assert!(exchange.read.is_some() || exchange.write.is_some());
            self.exchanges += 1;
            let fault = seat.pending_fault.take();
            let flight = self.launch(exchange, fault);
            self.seats[at].flight = Some(flight);
        } else if seat.connected && seat.flight.is_none() {
            let next = seat.node.end.next_timeout(now);
            assert!(
                next.is_none_or(|next| next > now),
                "due now, but nothing was given"
            );
        }
    }

    fn launch(&mut self, exchange: Exchange, fault: Option<Fault>) -> Flight {
        let now = self.now_ms;
        let mut flight = Flight {
            exchange,
            effect_at: Some(now + ONE_WAY_MS),
            reply_at: Some(now + 2 * ONE_WAY_MS),
            fail_at: now + TIMEOUT_MS,
            fault,
            registers: Vec::new(),
        };
        let again = |ms: u8| {
            let write = exchange.write?;
            Some((
                now + u64::from(ms),
                write.address,
                write.registers().to_vec(),
            ))
        };
        match fault {
            Some(Fault::LoseRequest) => {
                flight.effect_at = None;
                flight.reply_at = None;
            }
            Some(Fault::LoseReply) => flight.reply_at = None,
            Some(Fault::LateRequest { ms }) => {
                flight.effect_at = None;
                flight.reply_at = None;
                self.late_writes.extend(again(ms));
            }
            Some(Fault::WriteAgain { ms }) => self.late_writes.extend(again(ms)),
            Some(Fault::TornWrite { .. }) if exchange.write.is_some() => flight.reply_at = None,
            _ => {}
        }
        flight
    }

    fn step_flight(&mut self, at: usize, now: LinkMs) {
        let Some(mut flight) = self.seats[at].flight.take() else {
            return;
        };
        if flight.effect_at.is_some_and(|due| self.now_ms >= due) {
            flight.effect_at = None;
            self.carry_out(&mut flight);
        }
        if flight.reply_at.is_some_and(|due| self.now_ms >= due) {
            let reply = self.seats[at].node.end.reply(now, &flight.registers);
            assert_eq!(reply, Ok(()));
        } else if self.now_ms >= flight.fail_at {
            self.seats[at].node.end.failed(now);
            self.seats[at].connected = false;
            self.seats[at].connect_at = self.now_ms + RECONNECT_MS;
        } else {
            self.seats[at].flight = Some(flight);
        }
    }

    fn carry_out(&mut self, flight: &mut Flight) {
        if let Some(write) = &flight.exchange.write {
            let registers = match flight.fault {
                Some(Fault::TornWrite { registers }) => {
                    &write.registers()[..usize::from(registers).min(write.registers().len())]
                }
                _ => write.registers(),
            };
            if !registers.is_empty() {
                self.plant
                    .plc
                    .write(write.address, registers)
                    .expect("a write the map allows");
            }
        }
        let Some(read) = flight.exchange.read else {
            return;
        };
        flight.registers = vec![0; usize::from(read.count)];
        self.plant
            .plc
            .read(read.address, &mut flight.registers)
            .expect("a read the map allows");
        let ago = |scans: u8| {
            let at = self.scans.len().checked_sub(usize::from(scans) + 1)?;
            Some(self.scans[at])
        };
        if read.address == 0 {
            match flight.fault {
                Some(Fault::StaleRead { scans }) => {
                    flight.registers = ago(scans).map_or(flight.registers.clone(), Vec::from);
                }
                Some(Fault::TornRead { scans, from }) => {
                    let from = usize::from(from).clamp(13, POLL_REGS);
                    if let Some(old) = ago(scans) {
                        flight.registers[from..].copy_from_slice(&old[from..]);
                    }
                }
                _ => {}
            }
        }
    }
}
