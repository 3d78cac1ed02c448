//! A virtual PLC: the reference end of the mailbox behind a Modbus TCP server.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sorthub_core::hub::{Hub, TrackKind};
use sorthub_core::ids::{CellId, ChuteId, PlcItem, TrackId};
use sorthub_core::plc::{
    Answer, ChuteLevel, Command, Consumed, Event, EventKind, Exception, LinkMs, PlcConfig,
    PlcConfigError, PlcEnd, StatusBits, StatusInputs,
};
use sorthub_core::signal::{OrderAnswer, Signal};
use sorthub_core::units::{BeltMm, Micros};
use sorthub_core::wire::{Wire, answer, chute_bits};
use sorthub_sim::plant::{ChuteTruth, Plant};
use sorthub_sim::plc_node::{inventory, lock_chutes, pace_inductions, tell_inductions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_modbus::server::tcp::Server;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

/// Events that the PLC can keep for an engine that is away: more than its chutes can say at once.
const FIFO_DEPTH: u16 = 4_096;

/// The registers, shared with the server's connections on the same thread.
type Registers = Arc<Mutex<PlcEnd>>;

/// A PLC of one track.
pub(super) struct VirtualPlc {
    track: TrackId,
    wire: Wire,
    end: Registers,
    config: PlcConfig,
    unit: u8,
    fc23: bool,
    address: RefCell<String>,
    server: RefCell<Option<JoinHandle<()>>>,
    /// The command that each cell's order came by, to be named in later answers.
    commands: BTreeMap<(CellId, u16), Consumed>,
    is_alive: bool,
}

impl VirtualPlc {
    /// A PLC in the life that `boot` names, 0 excepted.
    pub fn new(
        hub: &Arc<Hub>,
        track: TrackId,
        boot: u16,
        unit: u8,
        fc23: bool,
    ) -> Result<Self, PlcConfigError> {
        let wire = Wire::new(Arc::clone(hub), track);
        let (chutes, inductions, cells) = wire.counts();
        let mut config = PlcConfig::new(boot, chutes, inductions, cells);
        let kind = hub.tracks()[track.index()].kind;
        config.info.config_hash = wire.config_hash();
        config.info.fifo_depth = FIFO_DEPTH;
        config.info.track_mm = kind.length().0;
        if let TrackKind::Loop { pitch, .. } = kind {
            config.info.pitch_mm = pitch.0 as u16;
        }
        let end = Arc::new(Mutex::new(PlcEnd::new(&config)?));
        Ok(Self {
            track,
            wire,
            end,
            config,
            unit,
            fc23,
            address: RefCell::new(String::new()),
            server: RefCell::new(None),
            commands: BTreeMap::new(),
            is_alive: true,
        })
    }

    pub fn track(&self) -> TrackId {
        self.track
    }

    pub fn is_alive(&self) -> bool {
        self.is_alive
    }

    /// Opens the server's socket; gives the address that was really taken.
    pub async fn serve(&self, address: &str) -> io::Result<String> {
        let listener = TcpListener::bind(address).await?;
        let taken = listener.local_addr()?.to_string();
        self.address.replace(taken.clone());
        let service = Registry {
            end: Arc::clone(&self.end),
            unit: self.unit,
            fc23: self.fc23,
        };
        let server = async move {
            let served = Server::new(listener)
                .serve(
                    &|stream: tokio::net::TcpStream, _| {
                        let service = service.clone();
                        async move {
                            stream.set_nodelay(true)?;
                            Ok(Some((service, stream)))
                        }
                    },
                    |error| tracing::debug!(%error, "a connection to the virtual PLC broke"),
                )
                .await;
            if let Err(error) = served {
                tracing::warn!(%error, "the virtual PLC's server ended");
            }
        };
        self.server.replace(Some(tokio::task::spawn_local(server)));
        Ok(taken)
    }

    /// Cuts its network: the socket closes, connections end. The PLC itself goes on.
    pub fn cut(&self) {
        if let Some(server) = self.server.take() {
            server.abort();
        }
    }

    /// Its network is back.
    pub async fn mend(&self) {
        let address = self.address.borrow().clone();
        // The old socket may take a moment to let go of the port.
        while let Err(error) = self.serve(&address).await {
            tracing::debug!(%error, address, "the virtual PLC cannot listen yet");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// It dies.
    pub fn kill(&mut self) {
        self.cut();
        self.is_alive = false;
        self.commands.clear();
    }

    /// It boots, with nothing in its memory.
    pub fn boot(&mut self) {
        self.config.boot = self.config.boot.wrapping_add(1).max(1);
        self.end().reboot(self.config.boot);
        self.is_alive = true;
    }

    fn end(&self) -> MutexGuard<'_, PlcEnd> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first half of a PLC cycle: what engines wrote is looked at and obeyed.
    pub fn begin_scan(&mut self, link: LinkMs, now: Micros, plant: &mut Plant) {
        self.end().begin_scan(link);
        loop {
            let command = self.end().next_command();
            let Some(consumed) = command else {
                break;
            };
            self.obey(&consumed, now, plant);
        }
        pace_inductions(&self.end(), &self.wire, now, plant);
        lock_chutes(&self.end(), &self.wire, now, plant);
    }

    fn obey(&mut self, consumed: &Consumed, now: Micros, plant: &mut Plant) {
        let near = plant.encoder(self.track, now);
        match &consumed.command {
            Command::Assign(assign) => match self.wire.order(assign, near) {
                Ok(order) => {
                    self.commands
                        .insert((order.cell, order.revision), *consumed);
                    plant.order(now, &order);
                }
                Err(_) => self.answer(consumed, OrderAnswer::BadChute, near, now),
            },
            Command::Cancel(which) => match self.wire.cell(which.cell) {
                Ok(cell) => {
                    self.commands.insert((cell, which.revision), *consumed);
                    plant.withdraw(now, cell, PlcItem(which.item), which.revision);
                }
                Err(_) => self.answer(consumed, OrderAnswer::NoSuchItem, near, now),
            },
            // It has no reject chute of its own: the engine names the chute.
            Command::ForceReject(_) => {
                let stamp = stamp(near, now);
                let _lost_is_counted = self.end().answer(consumed, Answer::NotUnderstood, stamp);
            }
            Command::CarrierEnable { cell, enable } => match self.wire.cell(*cell) {
                Ok(cell) => {
                    plant.enable_carrier(now, cell, *enable);
                    self.answer(consumed, OrderAnswer::Accepted, near, now);
                }
                Err(_) => self.answer(consumed, OrderAnswer::NoSuchItem, near, now),
            },
            Command::Resync => {
                self.answer(consumed, OrderAnswer::Accepted, near, now);
                self.latch_inventory(now, plant);
            }
        }
    }

    fn latch_inventory(&self, now: Micros, plant: &Plant) {
        let cells = inventory(&self.wire, plant);
        let at = stamp(plant.encoder(self.track, now), now);
        let _lost_is_counted = self.end().latch_inventory(cells, at);
    }

    fn answer(&self, to: &Consumed, said: OrderAnswer, at: BeltMm, now: Micros) {
        let _lost_is_counted = self.end().answer(to, answer(said), stamp(at, now));
    }

    /// Something has happened on the track.
    pub fn tell(&mut self, signal: &Signal, at: BeltMm, now: Micros) {
        match *signal {
            Signal::OrderAnswered {
                cell,
                item,
                revision,
                answer: said,
            } => {
                if let Some(consumed) = self.commands.get(&(cell, revision)) {
                    let stamp = Event {
                        item: item.0,
                        cell: self.wire.cell_number(cell),
                        ..stamp(at, now)
                    };
                    let _lost_is_counted = self.end().answer(consumed, answer(said), stamp);
                }
            }
            Signal::Belt { speed, .. } => {
                let kind = EventKind::Motion {
                    speed_mm_s: speed.0 as u16,
                    bits: running(speed.0),
                };
                let event = Event {
                    encoder_mm: at.wire(),
                    ..Event::of(kind)
                };
                let _lost_is_counted = self.end().push_event(event);
            }
            _ => {
                if let Some(event) = self.wire.event(signal) {
                    if let Signal::Discharged { cell, .. } = signal {
                        self.forget_commands(*cell);
                    }
                    let event = Event {
                        plc_ms: plc_ms(now),
                        ..event
                    };
                    let _lost_is_counted = self.end().push_event(event);
                }
            }
        }
    }

    fn forget_commands(&mut self, cell: CellId) {
        self.commands.retain(|(other, _), _| *other != cell);
    }

    /// Sets a chute's levels.
    pub fn chute(&self, chute: ChuteId, truth: &ChuteTruth, counts_taken: bool, at: BeltMm) {
        let number = self.wire.chute_number(chute);
        if number == 0 {
            return;
        }
        let (bits, cause) = chute_bits(truth.state);
        let level = ChuteLevel {
            bits,
            cause,
            drops: truth.dropped as u16,
            taken: if counts_taken { truth.taken as u16 } else { 0 },
            bag_generation: 0,
        };
        let _lost_is_counted = self.end().set_chute(number, level, stamp(at, Micros(0)));
    }

    /// The second half of a PLC cycle: events and status are published.
    pub fn end_scan(&mut self, link: LinkMs, now: Micros, plant: &Plant) {
        let at = stamp(plant.encoder(self.track, now), now);
        let speed = plant.speed(self.track, now);
        let mut end = self.end();
        tell_inductions(&mut end, &self.wire, plant, at);
        let inputs = StatusInputs {
            encoder_mm: plant.encoder(self.track, now).wire(),
            speed_mm_s: speed.0 as u16,
            bits: running(speed.0),
        };
        end.end_scan(link, &inputs);
    }
}

fn running(speed_mm_s: u32) -> StatusBits {
    StatusBits::HOMED
        .and(StatusBits::AUTO)
        .with(StatusBits::RUN, speed_mm_s > 0)
        .with(StatusBits::AT_SPEED, speed_mm_s > 0)
}

/// When and where something happened, for the mailbox.
fn stamp(at: BeltMm, now: Micros) -> Event {
    // The kind is filled in by whoever uses the stamp.
    Event {
        encoder_mm: at.wire(),
        plc_ms: plc_ms(now),
        ..Event::of(EventKind::LapPassed)
    }
}

fn plc_ms(now: Micros) -> u32 {
    (now.0 / 1_000) as u32
}

/// The Modbus server's view of the registers.
#[derive(Clone)]
struct Registry {
    end: Registers,
    unit: u8,
    fc23: bool,
}

impl tokio_modbus::server::Service for Registry {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        if request.slave != self.unit {
            return ready(Err(ExceptionCode::GatewayTargetDevice));
        }
        ready(self.answer(request.request))
    }
}

impl Registry {
    fn answer(&self, request: Request<'static>) -> Result<Response, ExceptionCode> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        match request {
            Request::ReadHoldingRegisters(address, count) => {
                read(&end, address, count).map(Response::ReadHoldingRegisters)
            }
            Request::WriteMultipleRegisters(address, registers) => {
                end.write(address, &registers).map_err(exception)?;
                Ok(Response::WriteMultipleRegisters(
                    address,
                    registers.len() as u16,
                ))
            }
            Request::WriteSingleRegister(address, register) => {
                end.write(address, &[register]).map_err(exception)?;
                Ok(Response::WriteSingleRegister(address, register))
            }
            Request::ReadWriteMultipleRegisters(from, count, to, registers) if self.fc23 => {
                // Written first, as Modbus says of function 23; nothing may rely on it.
                end.write(to, &registers).map_err(exception)?;
                read(&end, from, count).map(Response::ReadWriteMultipleRegisters)
            }
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }
}

fn read(end: &PlcEnd, address: u16, count: u16) -> Result<Vec<u16>, ExceptionCode> {
    if count == 0 || count > 125 {
        return Err(ExceptionCode::IllegalDataValue);
    }
    let mut registers = vec![0; usize::from(count)];
    end.read(address, &mut registers).map_err(exception)?;
    Ok(registers)
}

fn exception(exception: Exception) -> ExceptionCode {
    match exception {
        Exception::IllegalAddress => ExceptionCode::IllegalDataAddress,
        Exception::IllegalCount => ExceptionCode::IllegalDataValue,
    }
}
