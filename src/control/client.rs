//! One connection: requests in, answers out, and questions if it is the host's.

use std::io;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::timeout;

use super::CLIENTS_MAX;
use super::lines::{LINE_BYTES_MAX, Line, Splitter};
use crate::clock::Clock;
use crate::engine::{HostLink, HostQuestion};
use crate::operator::{Asker, Desk, Kind, Problem, Request};

/// How long a client that does not read its answers is waited for.
const WRITE_MAX: Duration = Duration::from_secs(5);

/// Bytes read at once.
const PIECE_BYTES: usize = 4 * 1024;

/// Longest name that a client may give itself.
const NAME_CHARS_MAX: usize = 60;

/// Serves a connection until it ends, or the engine stops: then the request at hand is answered.
pub(super) async fn serve(
    stream: UnixStream,
    desk: Desk,
    clock: Clock,
    stopped: watch::Receiver<bool>,
) {
    let uid = stream.peer_cred().map(|peer| peer.uid());
    let way = match uid {
        Ok(uid) => format!("the local socket, user {uid}"),
        Err(_) => "the local socket".to_owned(),
    };
    let (read, write) = stream.into_split();
    let mut client = Client {
        desk,
        write,
        asker: Asker {
            name: "nobody".to_owned(),
            way,
        },
        host: None,
        speed_permille: clock.speed_permille(),
    };
    // A connection that breaks off is over; whoever was there knows.
    let _ = client.run(read, stopped).await;
    if let Some(link) = client.host.take() {
        client.desk.leave(&client.asker, &link);
    }
}

/// Tells a client that there is no place for it.
pub(super) fn turn_away(stream: &UnixStream) {
    let problem = format!("{CLIENTS_MAX} clients are served at once, and as many are here");
    let problem = Problem::new(Kind::Busy, problem, "close one, or try again later");
    let line = format!("{}\n", reply(None, Err(problem)));
    // One try: it fits into the socket's own room, or the client is not worth waiting for.
    let _ = stream.try_write(line.as_bytes());
}

struct Client {
    desk: Desk,
    write: OwnedWriteHalf,
    asker: Asker,
    /// Set once it has joined as the host.
    host: Option<HostLink>,
    speed_permille: u32,
}

enum News {
    Read(usize),
    Question(HostQuestion),
}

impl Client {
    async fn run(
        &mut self,
        mut read: OwnedReadHalf,
        mut stopped: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let mut lines = Splitter::default();
        let mut piece = [0; PIECE_BYTES];
        loop {
            // All are safe to be given up half-way: nothing is taken until they are done.
            let news = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return Ok(()),
                read = read.read(&mut piece) => News::Read(read?),
                question = next_question(self.host.as_ref()) => News::Question(question),
            };
            match news {
                News::Question(question) => self.question(&question).await?,
                News::Read(0) => {
                    if let Some(line) = lines.rest() {
                        self.line(line).await?;
                    }
                    return Ok(());
                }
                News::Read(count) => {
                    lines.push(piece.get(..count).unwrap_or_default());
                    while let Some(line) = lines.line() {
                        self.line(line).await?;
                    }
                }
            }
        }
    }

    async fn line(&mut self, line: Line) -> io::Result<()> {
        let (id, answer) = match line {
            Line::TooLong => {
                let problem = format!("a request has at most {LINE_BYTES_MAX} bytes");
                let problem = Problem::new(Kind::TooLong, problem, "name a file in place of it");
                (None, Err(problem))
            }
            Line::Whole(bytes) => match envelope(&bytes) {
                Ok(envelope) => {
                    if let Some(name) = envelope.by {
                        self.asker.name = name;
                    }
                    (envelope.id, self.answer(envelope.request).await)
                }
                Err(problem) => (None, Err(problem)),
            },
        };
        self.send(&reply(id, answer)).await
    }

    async fn answer(&mut self, request: Map<String, Value>) -> Result<Value, Problem> {
        let request = Request::from_json(Value::Object(request))?;
        match request {
            Request::Host { .. } if self.host.is_some() => Ok(json!({ "host": "joined" })),
            Request::Host { .. } => {
                self.host = Some(self.desk.join(&self.asker)?);
                Ok(json!({ "host": "joined" }))
            }
            other => self.desk.ask(&self.asker, &other).await,
        }
    }

    async fn question(&mut self, question: &HostQuestion) -> io::Result<()> {
        let plant_us = question.until.since(question.asked).0;
        let within_ms = plant_us / u64::from(self.speed_permille.max(1));
        let ask = json!({
            "parcel": question.parcel.to_string(),
            "waybill": question.text.map(|text| text.as_str().to_owned()),
            "code": format!("{:016x}", question.code.0),
            "within_ms": within_ms,
        });
        self.send(&json!({ "ask": ask })).await
    }

    async fn send(&mut self, line: &Value) -> io::Result<()> {
        let text = format!("{line}\n");
        let written = timeout(WRITE_MAX, self.write.write_all(text.as_bytes())).await;
        written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

async fn next_question(host: Option<&HostLink>) -> HostQuestion {
    match host {
        Some(link) => link.next().await,
        None => std::future::pending().await,
    }
}

/// A line, taken apart.
struct Envelope {
    /// Comes back with the answer.
    id: Option<Value>,
    /// Who asks.
    by: Option<String>,
    request: Map<String, Value>,
}

fn envelope(bytes: &[u8]) -> Result<Envelope, Problem> {
    let parsed: Result<Value, _> = serde_json::from_slice(bytes);
    let mut request = match parsed {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => {
            let problem = "a line is one JSON object";
            return Err(Problem::malformed(
                problem,
                "begin with {\"do\": \"status\"}",
            ));
        }
        Err(error) => {
            let problem = format!("not JSON: {error}");
            return Err(Problem::malformed(
                problem,
                "write one JSON object in a line",
            ));
        }
    };
    let id = request.remove("id");
    let by = match request.remove("by") {
        None => None,
        Some(Value::String(name)) => {
            let clean = name.chars().filter(|c| !c.is_control());
            Some(clean.take(NAME_CHARS_MAX).collect())
        }
        Some(_) => {
            let problem = "`by` is a name in quotes";
            return Err(Problem::malformed(problem, "say who asks, or leave it out"));
        }
    };
    Ok(Envelope { id, by, request })
}

fn reply(id: Option<Value>, answer: Result<Value, Problem>) -> Value {
    let mut line = match answer {
        Ok(answer) => json!({ "ok": true, "answer": answer }),
        Err(problem) => json!({ "ok": false, "problem": problem }),
    };
    if let (Some(id), Value::Object(fields)) = (id, &mut line) {
        fields.insert("id".to_owned(), id);
    }
    line
}
