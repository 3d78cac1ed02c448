//! A running engine beside a virtual hub, reached over its local socket as people reach it.
#![allow(
    dead_code,
    reason = "each test binary that includes this module uses a part of it"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::common;
use crate::program::{Dir, Running, wait_for};

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Its standard output, which must be one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Where a running program says that its local socket is.
pub(crate) fn socket_of(program: &mut Running) -> PathBuf {
    program.wait_for("the local socket", |program| {
        let text = program.err();
        let (_, rest) = text.split_once("control: ")?;
        let (path, _) = rest.split_once('\n')?;
        Some(PathBuf::from(path))
    })
}

/// A demonstration with its socket.
pub(crate) struct Operated {
    pub(crate) program: Running,
    pub(crate) socket: PathBuf,
}

impl Operated {
    /// Starts a demonstration whose journal is kept in the test's folder.
    pub(crate) fn demo(dir: &Dir, more: &[&str]) -> Self {
        let journal = dir.arg("journal");
        let args = [
            "demo",
            "--listen",
            "127.0.0.1:0",
            "--json",
            "--journal",
            &journal,
        ];
        let mut program = Running::start(dir, "demo", &[&args[..], more].concat());
        let socket = socket_of(&mut program);
        Self { program, socket }
    }

    /// Runs `sorthub ctl` with these arguments to its end.
    pub(crate) fn ctl(&self, args: &[&str]) -> Said {
        let socket = self.socket.to_str().expect("UTF-8");
        ctl(&[&["--socket", socket][..], args].concat())
    }

    /// A request in words that must be done; gives its answer.
    pub(crate) fn done(&self, words: &str) -> Value {
        let words: Vec<&str> = words.split(' ').collect();
        let said = self.ctl(&[&words[..], &["--json"]].concat());
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
        said.json()
    }

    /// A request in words that must not be done; gives the exit code and what was said.
    pub(crate) fn not_done(&self, words: &str) -> (i32, String) {
        let words: Vec<&str> = words.split(' ').collect();
        let said = self.ctl(&words);
        let code = said.code.expect("an exit code");
        assert_ne!(code, 0, "{words:?}: {said:?}");
        (code, said.err)
    }

    /// Polls a request until its answer is as wanted.
    pub(crate) fn wait_until(
        &self,
        what: &str,
        words: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Value {
        wait_for(what, || Some(self.done(words)).filter(&is_so))
    }

    /// A connection to the socket itself.
    pub(crate) fn connect(&self) -> Line {
        Line::new(UnixStream::connect(&self.socket).expect("the engine listens"))
    }
}

/// Runs `sorthub ctl` to its end.
pub(crate) fn ctl(args: &[&str]) -> Said {
    let output = Command::new(common::sorthub())
        .arg("ctl")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUST_LOG")
        .env_remove("SORTHUB_CONTROL")
        .env("USER", "tester")
        .output()
        .expect("the program can be started");
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Lines both ways.
pub(crate) struct Line {
    pub(crate) write: UnixStream,
    read: BufReader<UnixStream>,
}

impl Line {
    fn new(write: UnixStream) -> Self {
        let patience = Some(Duration::from_secs(60));
        write
            .set_read_timeout(patience)
            .expect("a time-out above zero");
        let read = BufReader::new(write.try_clone().expect("a descriptor more"));
        Self { write, read }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.write.write_all(bytes).expect("the engine reads");
    }

    /// The next line; `None` when the engine has closed.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut text = String::new();
        let read = self.read.read_line(&mut text).expect("an answer in time");
        (read > 0).then(|| serde_json::from_str(&text).expect("each line is JSON"))
    }

    pub(crate) fn ask(&mut self, text: &str) -> Value {
        self.send(format!("{text}\n").as_bytes());
        self.next().expect("an answer")
    }
}
