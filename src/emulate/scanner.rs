//! A virtual scanner: a socket that sends a telegram for each parcel at its eye.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use sorthub_core::facts::{Measures, Verdict};
use sorthub_core::scanner::{Field, Framing, LengthUnit, MassUnit};
use sorthub_core::signal::ScanKey;
use sorthub_core::units::Mm;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};

use crate::config::links::{Peer, ScannerLink};

/// How long to wait between two tries to connect, and while the link is cut.
const RETRY: Duration = Duration::from_millis(50);

/// One scanner's socket.
pub(super) struct VirtualScanner {
    link: ScannerLink,
    connection: Option<OwnedWriteHalf>,
    /// Counts connections, so that the end of an old one does not end a newer one.
    generation: u64,
    is_cut: bool,
    /// Telegrams that found no connection.
    pub unsent: u64,
}

/// What a telegram carries.
pub(super) struct Content<'a> {
    pub key: ScanKey,
    /// The carrier's own number on its track.
    pub carrier: u16,
    pub encoder_mm: u32,
    pub code: Option<&'a str>,
    pub measured: Measures,
    pub verdict: Verdict,
}

impl VirtualScanner {
    pub fn new(link: &ScannerLink) -> Self {
        Self {
            link: link.clone(),
            connection: None,
            generation: 0,
            is_cut: false,
            unsent: 0,
        }
    }

    /// Cuts the link, or mends it.
    pub fn cut(&mut self, cut: bool) {
        self.is_cut = cut;
        if cut {
            self.connection = None;
        }
    }

    /// Sends a telegram, if somebody is connected. A scanner keeps nothing for later.
    pub fn send(&mut self, content: &Content<'_>) {
        let telegram = self.telegram(content);
        let sent = match &self.connection {
            Some(connection) => connection.try_write(telegram.as_bytes()),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        match sent {
            Ok(count) if count == telegram.len() => {}
            _ => {
                // Half a telegram would spoil the next: the connection is given up.
                self.connection = None;
                self.unsent += 1;
            }
        }
    }

    fn telegram(&self, content: &Content<'_>) -> String {
        let template = &self.link.template;
        let no_read = template.no_read.first().map_or("", String::as_str);
        let field = |field: &Field| match field {
            Field::Trigger => match content.key {
                ScanKey::Trigger(trigger) => trigger.to_string(),
                _ => String::new(),
            },
            Field::Carrier => content.carrier.to_string(),
            Field::EncoderMm => content.encoder_mm.to_string(),
            Field::Code => content.code.unwrap_or(no_read).to_owned(),
            Field::Weight(MassUnit::Grams) => content.measured.weight.0.to_string(),
            Field::Weight(MassUnit::Kilograms) => {
                let grams = content.measured.weight.0;
                format!("{}.{:03}", grams / 1_000, grams % 1_000)
            }
            Field::Length(unit) => length(*unit, content.measured.length),
            Field::Width(unit) => length(*unit, content.measured.width),
            Field::Height(unit) => length(*unit, content.measured.height),
            Field::Verdict => {
                let words = match content.verdict {
                    Verdict::None => return String::new(),
                    Verdict::Clear => &template.clear,
                    Verdict::Suspect => &template.suspect,
                };
                words.first().cloned().unwrap_or_default()
            }
            Field::Skip => String::new(),
        };
        let fields: Vec<String> = template.fields.iter().map(field).collect();
        let text = fields.join(&template.separator.to_string());
        match self.link.framing {
            Framing::StxEtx => format!("\u{2}{text}\u{3}"),
            Framing::CrLf => format!("{text}\r\n"),
        }
    }
}

fn length(unit: LengthUnit, length: Mm) -> String {
    match unit {
        LengthUnit::Millimetres => length.0.to_string(),
        LengthUnit::Centimetres => format!("{}.{}", length.0 / 10, length.0 % 10),
    }
}

/// Opens the scanner's socket: as server where the engine connects, as client where it listens.
/// `peer` gets the address that was really taken.
pub(super) async fn open(scanner: &Rc<RefCell<VirtualScanner>>, peer: &mut Peer) -> io::Result<()> {
    match peer {
        Peer::Connect(address) => {
            let listener = TcpListener::bind(address.as_str()).await?;
            *address = listener.local_addr()?.to_string();
            tokio::task::spawn_local(accept(Rc::clone(scanner), listener));
        }
        Peer::Listen(address) => {
            tokio::task::spawn_local(connect(Rc::clone(scanner), address.clone()));
        }
    }
    Ok(())
}

async fn accept(scanner: Rc<RefCell<VirtualScanner>>, listener: TcpListener) {
    loop {
        if let Ok((stream, _)) = listener.accept().await
            && !scanner.borrow().is_cut
        {
            // The newest connection is the live one.
            tokio::task::spawn_local(hold(Rc::clone(&scanner), stream));
        }
    }
}

async fn connect(scanner: Rc<RefCell<VirtualScanner>>, address: String) {
    loop {
        if !scanner.borrow().is_cut
            && let Ok(stream) = TcpStream::connect(&address).await
        {
            hold(Rc::clone(&scanner), stream).await;
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Keeps a connection until the other side ends it, or it is cut or replaced.
async fn hold(scanner: Rc<RefCell<VirtualScanner>>, stream: TcpStream) {
    let _best_effort = stream.set_nodelay(true);
    let (mut from, to) = stream.into_split();
    let generation = {
        let mut scanner = scanner.borrow_mut();
        scanner.generation += 1;
        scanner.connection = Some(to);
        scanner.generation
    };
    let mut heard = [0; 64];
    loop {
        let replaced = || {
            let scanner = scanner.borrow();
            scanner.generation != generation || scanner.connection.is_none()
        };
        tokio::select! {
            // What an engine sends to a scanner (heartbeats, triggers) is not looked at.
            read = from.read(&mut heard) => match read {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            },
            () = tokio::time::sleep(RETRY) => if replaced() { return },
        }
    }
    let mut scanner = scanner.borrow_mut();
    if scanner.generation == generation {
        scanner.connection = None;
    }
}
