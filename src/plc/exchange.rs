//! One exchange of the mailbox on a Modbus TCP connection.

use std::time::Duration;

use sorthub_core::plc::Exchange;
use tokio::net::TcpStream;
use tokio_modbus::ExceptionCode;
use tokio_modbus::client::{Context, Reader, Writer, tcp};
use tokio_modbus::slave::Slave;

/// How long a PLC may take for one exchange. Its cycle is about 10 ms and its server may skip a
/// few; after this the answer is not waited for, and the connection with it.
const EXCHANGE_MAX: Duration = Duration::from_millis(500);

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(1);

/// Why an exchange failed. After any of these but `Fc23Refused` the connection is dropped, so that
/// a late reply can never answer the next question.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// No connection came about; the next try follows by itself.
    #[error("cannot connect to the PLC at {address}: {source}")]
    Connect {
        /// Where to.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No answer in time.
    #[error("the PLC did not answer within {EXCHANGE_MAX:?}")]
    Silent,
    /// The connection broke.
    #[error("the connection to the PLC broke: {0}")]
    Broken(tokio_modbus::Error),
    /// The PLC refused with an exception: its register map is not the one in
    /// `docs/plc-interface.md`.
    #[error("the PLC answered with exception {0}: compare its registers with the interface")]
    Exception(ExceptionCode),
    /// The PLC cannot do FC23. Use FC3 and FC16; the connection is good.
    #[error("the PLC cannot read and write in one request")]
    Fc23Refused,
}

/// A Modbus TCP connection to a PLC.
pub struct Connection {
    context: Context,
}

impl Connection {
    /// Connects.
    pub async fn open(address: &str, unit: u8) -> Result<Self, ExchangeError> {
        let failed = |source| ExchangeError::Connect {
            address: address.to_owned(),
            source,
        };
        let connect = tokio::time::timeout(CONNECT_MAX, TcpStream::connect(address)).await;
        let timed_out = std::io::Error::from(std::io::ErrorKind::TimedOut);
        let stream = connect.map_err(|_| failed(timed_out))?.map_err(failed)?;
        // An order must not wait for a segment to fill.
        stream.set_nodelay(true).map_err(failed)?;
        let context = tcp::attach_slave(stream, Slave(unit));
        Ok(Self { context })
    }

    /// Carries an exchange out and gives the registers read, none if it only writes.
    pub async fn carry_out(&mut self, exchange: &Exchange) -> Result<Vec<u16>, ExchangeError> {
        let done = tokio::time::timeout(EXCHANGE_MAX, self.request(exchange)).await;
        done.unwrap_or(Err(ExchangeError::Silent))
    }

    async fn request(&mut self, exchange: &Exchange) -> Result<Vec<u16>, ExchangeError> {
        let context = &mut self.context;
        match (&exchange.read, &exchange.write) {
            (Some(read), Some(write)) => {
                let registers = write.registers();
                let call = context.read_write_multiple_registers(
                    read.address,
                    read.count,
                    write.address,
                    registers,
                );
                match call.await.map_err(ExchangeError::Broken)? {
                    Err(ExceptionCode::IllegalFunction) => Err(ExchangeError::Fc23Refused),
                    answer => answer.map_err(ExchangeError::Exception),
                }
            }
            (Some(read), None) => {
                let call = context.read_holding_registers(read.address, read.count);
                let answer = call.await.map_err(ExchangeError::Broken)?;
                answer.map_err(ExchangeError::Exception)
            }
            (None, Some(write)) => {
                let call = context.write_multiple_registers(write.address, write.registers());
                let answer = call.await.map_err(ExchangeError::Broken)?;
                answer
                    .map(|()| Vec::new())
                    .map_err(ExchangeError::Exception)
            }
            (None, None) => Ok(Vec::new()),
        }
    }
}
