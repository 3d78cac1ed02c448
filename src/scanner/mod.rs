//! The scanner arrow of the picture: sockets of code readers and DWS.
//!
//! Bytes are cut into frames and frames read as telegrams by [`sorthub_core::scanner`]; here they
//! get a socket, as client or as server, and a new one when it breaks.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use sorthub_core::scanner::Framer;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::config::links::{Peer, ScannerLink};
use crate::engine::Decider;

/// First and longest wait between two tries to connect.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(1);

/// A scanner that has lost its power says no good-bye: it is asked whether it is still there.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(2))
    .with_interval(Duration::from_secs(1))
    .with_retries(3);

/// Bytes read at once: a few dozen telegrams.
const READ_BYTES: usize = 4_096;

/// Runs the link of one scanner until it is dropped.
pub async fn run(decider: Rc<RefCell<Decider>>, scanner: usize, link: ScannerLink) {
    let framer = Framer::new(link.framing);
    match &link.peer {
        Peer::Connect(address) => connect(&decider, scanner, framer, address).await,
        Peer::Listen(address) => listen(&decider, scanner, framer, address).await,
    }
}

async fn connect(decider: &RefCell<Decider>, scanner: usize, mut framer: Framer, address: &str) {
    let mut backoff = BACKOFF_MIN;
    loop {
        let connected = tokio::time::timeout(CONNECT_MAX, TcpStream::connect(address)).await;
        match connected.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())) {
            Ok(mut stream) => {
                let begun = Instant::now();
                read_until_closed(decider, scanner, &mut framer, &mut stream).await;
                // One that hangs up at once is not tried as if it had been good.
                if begun.elapsed() > BACKOFF_MAX {
                    backoff = BACKOFF_MIN;
                }
            }
            Err(error) => tracing::debug!(scanner, address, %error, "scanner not reached"),
        }
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

async fn listen(decider: &RefCell<Decider>, scanner: usize, mut framer: Framer, address: &str) {
    loop {
        let listener = match TcpListener::bind(address).await {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(scanner, address, %error, "cannot listen for the scanner");
                tokio::time::sleep(BACKOFF_MAX).await;
                continue;
            }
        };
        let Ok((mut stream, _)) = listener.accept().await else {
            continue;
        };
        loop {
            // One device, one connection: a new one means that the old one is dead, even if
            // nobody has said so.
            tokio::select! {
                newer = listener.accept() => match newer {
                    Ok((newer, _)) => stream = newer,
                    Err(_) => break,
                },
                () = read_until_closed(decider, scanner, &mut framer, &mut stream) => break,
            }
        }
    }
}

async fn read_until_closed(
    decider: &RefCell<Decider>,
    scanner: usize,
    framer: &mut Framer,
    stream: &mut TcpStream,
) {
    tracing::info!(scanner, "scanner connected");
    framer.restart();
    if let Err(error) = SockRef::from(&*stream).set_tcp_keepalive(&KEEPALIVE) {
        tracing::warn!(scanner, %error, "a scanner that loses power may not be noticed");
    }
    decider.borrow_mut().scanner_linked(scanner, true);
    let mut bytes = [0; READ_BYTES];
    loop {
        match stream.read(&mut bytes).await {
            Ok(0) => break,
            Ok(count) => {
                let mut decider = decider.borrow_mut();
                let came = Instant::now();
                let bytes = bytes.get(..count).unwrap_or_default();
                framer.push(bytes, |frame| decider.scanner_frame(scanner, frame, came));
                decider.turn_over();
            }
            Err(error) => {
                tracing::warn!(scanner, %error, "scanner connection broke");
                break;
            }
        }
    }
    tracing::warn!(scanner, "scanner disconnected");
    decider.borrow_mut().scanner_linked(scanner, false);
}
