//! A virtual PLC: the simulator's PLC behind a Modbus TCP server.

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sorthub_core::hub::Hub;
use sorthub_core::ids::TrackId;
use sorthub_core::plc::{Exception, PlcConfigError, PlcEnd};
use sorthub_core::units::BeltMm;
use sorthub_sim::plc_node::PlcNode;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_modbus::server::tcp::Server;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

/// The PLC, shared with the server's connections on the same thread.
type SharedNode = Arc<Mutex<PlcNode>>;

/// A PLC of one track.
pub(super) struct VirtualPlc {
    node: SharedNode,
    unit: u8,
    fc23: bool,
    address: RefCell<String>,
    server: RefCell<Option<JoinHandle<()>>>,
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
        let node = PlcNode::new(hub, track, boot)?;
        Ok(Self {
            node: Arc::new(Mutex::new(node)),
            unit,
            fc23,
            address: RefCell::new(String::new()),
            server: RefCell::new(None),
        })
    }

    /// The PLC itself. The guard must not be held over an await.
    pub fn node(&self) -> MutexGuard<'_, PlcNode> {
        locked(&self.node)
    }

    /// Opens the server's socket; gives the address that was really taken.
    pub async fn serve(&self, address: &str) -> io::Result<String> {
        let listener = TcpListener::bind(address).await?;
        let taken = listener.local_addr()?.to_string();
        self.address.replace(taken.clone());
        let service = Registry {
            node: Arc::clone(&self.node),
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

    /// It dies, and its network with it.
    pub fn kill(&self) {
        self.cut();
        self.node().kill();
    }

    /// It boots, with nothing in its memory. Its encoder is of the kind that keeps its count.
    pub fn boot(&self) {
        self.node().boot(BeltMm(0));
    }
}

fn locked(node: &SharedNode) -> MutexGuard<'_, PlcNode> {
    node.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The Modbus server's view of the registers.
#[derive(Clone)]
struct Registry {
    node: SharedNode,
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
        let mut node = locked(&self.node);
        let end = node.registers();
        match request {
            Request::ReadHoldingRegisters(address, count) => {
                read(end, address, count).map(Response::ReadHoldingRegisters)
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
                read(end, from, count).map(Response::ReadWriteMultipleRegisters)
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
