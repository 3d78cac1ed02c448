//! `sorthub ctl`: what people want of a running engine, over its local socket.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{Exit, print};
use crate::operator::{AdviceTo, Kind, PlanTo, Problem, Request};

mod host;
mod show;

/// How long an answer may take: a plan of a hundred thousand rules is read and checked in seconds.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// The socket's path where none is given.
const SOCKET_VARIABLE: &str = "SORTHUB_CONTROL";

/// And where that is not set either: beside the usual journal.
const SOCKET_USUAL: &str = "journal/control.sock";

/// Operate a running engine: plans, waves, chutes, bags, parcels, alarms, and why.
///
/// It ends with 0 if it was done, 1 if it was refused, and 2 if it makes no sense or no engine is
/// there. What has been asked, by whom, stands in the engine's log and journal.
#[derive(Clone, Debug, Args)]
#[command(
    subcommand_value_name = "REQUEST",
    subcommand_help_heading = "Requests"
)]
pub struct CtlArgs {
    /// The engine's local socket, which `run` and `demo` print at their start; else the variable
    /// SORTHUB_CONTROL, else journal/control.sock.
    #[arg(long, value_name = "PATH", global = true)]
    socket: Option<PathBuf>,
    /// Who asks, for the log; else your user's name.
    #[arg(long = "as", value_name = "NAME", global = true)]
    name: Option<String>,
    /// Print the answer as one JSON object.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    request: Request,
}

/// Asks and prints the answer.
#[must_use]
pub fn run(args: &CtlArgs) -> Exit {
    let mut line = match Line::open(args) {
        Ok(line) => line,
        Err(problem) => return fail(args.json, &problem),
    };
    if let Request::Host { answers } = &args.request {
        return match host::run(line, answers.as_deref(), args.json) {
            Ok(()) => Exit::Done,
            Err(problem) => fail(args.json, &problem),
        };
    }
    match line.ask(&absolute(&args.request)) {
        Ok(answer) if args.json => {
            print(&format!("{answer}\n"));
            Exit::Done
        }
        Ok(answer) => {
            print(&show::text(&args.request, &answer));
            Exit::Done
        }
        Err(problem) => fail(args.json, &problem),
    }
}

/// The engine need not have been started where we are.
fn absolute(request: &Request) -> Request {
    match request {
        Request::Plan(PlanTo::Stage { file }) => {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            Request::Plan(PlanTo::Stage { file })
        }
        Request::Advice(AdviceTo::Load { file, lenient }) => {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            let lenient = *lenient;
            Request::Advice(AdviceTo::Load { file, lenient })
        }
        other => other.clone(),
    }
}

/// Says why not. With `--json` the problem is the answer.
pub(super) fn fail(json: bool, problem: &Problem) -> Exit {
    if json {
        print(&format!("{}\n", json!({ "problem": problem })));
    } else {
        for fault in &problem.faults {
            eprintln!("{fault}\n");
        }
        eprintln!(
            "{}: {}\n  = {}",
            problem.title, problem.detail, problem.mend
        );
    }
    match problem.kind() {
        Kind::Refused | Kind::Busy | Kind::Unavailable | Kind::NoAnswer => Exit::Wrong,
        Kind::Malformed | Kind::TooLong | Kind::Unusable | Kind::NoEngine => Exit::BadInput,
    }
}

/// A connection to an engine.
struct Line {
    read: BufReader<UnixStream>,
    write: UnixStream,
    path: PathBuf,
    by: String,
}

impl Line {
    fn open(args: &CtlArgs) -> Result<Self, Problem> {
        let path = args.socket.clone();
        let path = path.or_else(|| env::var_os(SOCKET_VARIABLE).map(PathBuf::from));
        let path = path.unwrap_or_else(|| PathBuf::from(SOCKET_USUAL));
        let no_engine = |error: io::Error| {
            let problem = format!("no engine answers at {}: {error}", path.display());
            let mend = "start one, or give the socket that it prints with --socket";
            Problem::new(Kind::NoEngine, problem, mend)
        };
        let write = UnixStream::connect(&path).map_err(no_engine)?;
        write
            .set_read_timeout(Some(ANSWER_MAX))
            .map_err(no_engine)?;
        let read = BufReader::new(write.try_clone().map_err(no_engine)?);
        let user = || env::var("USER").ok().filter(|name| !name.is_empty());
        let by = args.name.clone().or_else(user);
        Ok(Self {
            read,
            write,
            by: by.unwrap_or_else(|| "nobody".to_owned()),
            path,
        })
    }

    fn broke(&self, error: &io::Error) -> Problem {
        let problem = format!("{} broke off: {error}", self.path.display());
        Problem::new(
            Kind::NoAnswer,
            problem,
            "look at `status` whether it was done",
        )
    }

    fn send(&mut self, request: &Request) -> Result<(), Problem> {
        let mut line = request.to_json();
        line["by"] = Value::from(self.by.as_str());
        let sent = self.write.write_all(format!("{line}\n").as_bytes());
        sent.map_err(|error| self.broke(&error))
    }

    /// The next line; `None` when the engine has ended.
    fn next(&mut self) -> Result<Option<Value>, Problem> {
        let mut text = String::new();
        let read = self.read.read_line(&mut text);
        if read.map_err(|error| self.broke(&error))? == 0 {
            return Ok(None);
        }
        let parsed = serde_json::from_str(&text);
        parsed.map(Some).map_err(|error| self.broke(&error.into()))
    }

    fn ask(&mut self, request: &Request) -> Result<Value, Problem> {
        self.send(request)?;
        match self.next()? {
            Some(reply) => answer_of(reply),
            None => Err(self.broke(&io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

/// What a reply says.
fn answer_of(mut reply: Value) -> Result<Value, Problem> {
    if reply["ok"] == Value::Bool(true) {
        return Ok(reply["answer"].take());
    }
    let problem = serde_json::from_value(reply["problem"].take());
    Err(problem.unwrap_or_else(|error| {
        let problem = format!("the answer is not understood: {error}");
        Problem::new(
            Kind::NoAnswer,
            problem,
            "use the `ctl` of the engine's own version",
        )
    }))
}
