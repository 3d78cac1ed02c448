//! The little HTTP that tests need, over plain sockets: what goes over the wire is seen as it is.
#![allow(
    dead_code,
    reason = "each test binary that includes this module uses a part of it"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Long enough for a busy machine; a test that gets here fails.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value; names are compared without case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

/// A connection whose answer's head was read, and whose body comes as it comes.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) head: Answer,
    reader: BufReader<TcpStream>,
}

impl Stream {
    /// The next chunk of a chunked body; `None` at its end.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut line = String::new();
        self.reader
            .read_line(&mut line)
            .expect("a chunk's length comes in time");
        let length = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
        let mut chunk = vec![0; length + 2];
        self.reader.read_exact(&mut chunk).ok()?;
        chunk.truncate(length);
        (length > 0).then_some(chunk)
    }

    /// The next view of a stream of events; `None` at its end.
    pub(crate) fn view(&mut self) -> Option<serde_json::Value> {
        loop {
            let chunk = self.chunk()?;
            let text = String::from_utf8(chunk).expect("events are text");
            if let Some(data) = text.strip_prefix("event: view\ndata: ") {
                assert!(text.ends_with("\n\n"), "an event is cut: {text}");
                return Some(serde_json::from_str(data).expect("an event's data are JSON"));
            }
        }
    }
}

/// Sends a request of any kind and reads the answer to its end.
pub(crate) fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = send(address, request);
    let chunked = stream.head.header("transfer-encoding") == Some("chunked");
    let mut body = Vec::new();
    if chunked {
        while let Some(chunk) = stream.chunk() {
            body.extend_from_slice(&chunk);
        }
    } else {
        let length = stream.head.header("content-length");
        let length = length.map_or(0, |text| text.parse().expect("a length is a number"));
        body.resize(length, 0);
        stream
            .reader
            .read_exact(&mut body)
            .expect("the whole body comes in time");
    }
    Answer {
        body,
        ..stream.head
    }
}

/// `GET` of a path.
pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, &get_request(path))
}

/// `GET` of a path whose body has no end.
pub(crate) fn open(address: SocketAddr, path: &str) -> Stream {
    send(address, &get_request(path))
}

/// `POST` of JSON.
pub(crate) fn post(address: SocketAddr, path: &str, body: &serde_json::Value) -> Answer {
    let body = body.to_string();
    let length = body.len();
    // A browser's driver answers only requests that are meant for it.
    let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n");
    ask(
        address,
        &format!("{head}Content-Type: application/json\r\n\r\n{body}"),
    )
}

fn get_request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")
}

fn send(address: SocketAddr, request: &str) -> Stream {
    let mut socket = TcpStream::connect(address).expect("somebody listens");
    socket
        .set_read_timeout(Some(ANSWER_MAX))
        .expect("a time-out can be set");
    socket
        .write_all(request.as_bytes())
        .expect("the request is taken");
    let mut reader = BufReader::new(socket);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head comes in time");
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let status = lines
        .first()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
    let head = Answer {
        status: status.expect("an answer begins with a status"),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
        body: Vec::new(),
    };
    Stream { head, reader }
}
