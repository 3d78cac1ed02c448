//! The program as a process: started, watched, ended and killed from outside, and what it leaves.
#![allow(
    dead_code,
    reason = "each test binary that includes this module uses a part of it"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use sorthub::journal::Reader;
use sorthub::journal::block::{Block, Item};
use sorthub_core::signal::{Output, Signal};
use sorthub_core::units::Micros;

use crate::common;

/// Far longer than anything takes on a busy machine; a test that gets here fails.
const PATIENCE: Duration = Duration::from_secs(240);

/// How often it is looked again.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Polls until there is something; panics at the deadline with what it waited for.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A folder of its own for a test; removed at the end unless the test fails.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("whole-{}-{nth}", std::process::id());
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // Left behind by a process of the same number that failed.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("the target folder takes another");
        Self(dir)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The same as an argument.
    pub(crate) fn arg(&self, name: &str) -> String {
        let path = self.file(name).into_os_string();
        path.into_string().expect("the target folder is UTF-8")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what the programs said is in {}", self.0.display());
        } else {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// A running program. What it says goes to files, so that it never waits for a reader.
pub(crate) struct Running {
    child: Child,
    name: String,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    pub(crate) fn start(dir: &Dir, name: &str, args: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self::start_in(dir, name, args, root, &BTreeMap::new())
    }

    /// Starts it in a folder, with variables beside those of the test.
    pub(crate) fn start_in(
        dir: &Dir,
        name: &str,
        args: &[&str],
        cwd: &Path,
        env: &BTreeMap<String, String>,
    ) -> Self {
        let (out, err) = (
            dir.file(&format!("{name}.out")),
            dir.file(&format!("{name}.err")),
        );
        let file = |path| File::create(path).expect("the test's folder takes files");
        let child = Command::new(common::sorthub())
            .args(args)
            .current_dir(cwd)
            .envs(env)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(file(&out))
            .stderr(file(&err))
            .spawn()
            .expect("the program can be started");
        Self {
            child,
            name: name.to_owned(),
            out,
            err,
        }
    }

    pub(crate) fn out(&self) -> String {
        fs::read_to_string(&self.out).expect("the program writes UTF-8")
    }

    pub(crate) fn err(&self) -> String {
        fs::read_to_string(&self.err).expect("the program writes UTF-8")
    }

    /// Polls; a program that ends meanwhile fails the test.
    pub(crate) fn wait_for<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        wait_for(what, || {
            let found = look(self);
            if found.is_none()
                && let Some(ended) = self.child.try_wait().expect("a child can be asked")
            {
                panic!(
                    "{} ended ({ended}) before {what}:\n{}",
                    self.name,
                    self.err()
                );
            }
            found
        })
    }

    /// The address of its page.
    pub(crate) fn page(&mut self) -> SocketAddr {
        self.wait_for("the page's address", |program| {
            let text = program.err();
            let (_, rest) = text.split_once("page: http://")?;
            let (address, _) = rest.split_once('/')?;
            Some(address.parse().expect("an address of a socket"))
        })
    }

    /// Waits for its end by itself; gives its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let ended = wait_for(&format!("the end of {}", self.name), || {
            self.child.try_wait().expect("a child can be asked")
        });
        ended.code()
    }

    /// Waits for its end; it must have gone well and said exactly one JSON object.
    pub(crate) fn json(mut self) -> Value {
        let code = self.end();
        let out = self.out();
        assert_eq!(code, Some(0), "{}: {out}\n{}", self.name, self.err());
        let value: Value = serde_json::from_str(&out).expect("one JSON value and no more");
        assert!(value.is_object(), "{value}");
        value
    }

    /// Asks it to end (SIGTERM).
    pub(crate) fn interrupt(&mut self) {
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .expect("there is a kill command");
        assert!(
            asked.success(),
            "{} was gone already: {}",
            self.name,
            self.err()
        );
    }

    /// Asks it to end and gives its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        self.interrupt();
        self.end()
    }

    /// Kills it in mid-run (SIGKILL).
    pub(crate) fn kill(mut self) {
        let gone = self.child.try_wait().expect("a child can be asked");
        assert!(gone.is_none(), "{} was gone: {}", self.name, self.err());
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child can be waited for");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the program to its end; it must go well and say exactly one JSON object.
pub(crate) fn json(dir: &Dir, name: &str, args: &[&str]) -> Value {
    Running::start(dir, name, args).json()
}

/// What `replay --verify` says of a journal that must be good.
pub(crate) fn verified(dir: &Dir, journal: &str) -> Value {
    let journal = dir.arg(journal);
    let said = json(dir, "replay", &["replay", &journal, "--verify", "--json"]);
    assert_eq!(said["ok"], true, "{said}");
    assert_eq!(said["verify"], true, "{said}");
    said
}

/// A count in a report.
pub(crate) fn count(object: &Value, name: &str) -> u64 {
    object[name]
        .as_u64()
        .unwrap_or_else(|| panic!("`{name}` is a count in {object}"))
}

/// The sum of the rejected by reason.
pub(crate) fn rejected(report: &Value) -> u64 {
    let reasons = report["rejected"].as_object().expect("rejects by reason");
    let counts = reasons.values().map(|count| count.as_u64());
    counts.map(|count| count.expect("a count")).sum()
}

/// Every parcel is on exactly one side of the book.
pub(crate) fn assert_balance(report: &Value) {
    let ended = count(report, "sorted") + rejected(report);
    let gone = count(report, "removed") + count(report, "lost");
    let all = ended + gone + count(report, "on_sorter");
    assert_eq!(count(report, "inducted"), all, "{report}");
}

/// What every demonstration must come to.
pub(crate) fn assert_good(report: &Value) {
    assert_balance(report);
    let at_inductions = count(report, "waiting") + count(report, "turned_away");
    let arrived = count(report, "inducted") + at_inductions;
    assert_eq!(count(report, "arrived"), arrived, "{report}");
    assert_eq!(count(report, "lost"), 0, "{report}");
    let ledger = &report["ledger"];
    assert_eq!(ledger["wrong_chute"], Value::Array(vec![]), "{ledger}");
    assert_eq!(ledger["differences"], Value::Array(vec![]), "{ledger}");
    assert_eq!(count(ledger, "agreed"), count(ledger, "parcels"));
    assert_eq!(count(ledger, "parcels"), count(report, "inducted"));
    assert!(count(&report["latency_us"]["wire_to_wire"], "count") > 0);
    assert!(report["broken"].is_null() && report["journal"]["error"].is_null());
    assert_eq!(report["balanced"], true);
    assert_eq!(report["good"], true, "{report}");
}

/// One call of the sorter, as the journal has it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) seq: u64,
    pub(crate) now: Micros,
    pub(crate) signal: Signal,
    pub(crate) outputs: Vec<Output>,
}

/// The calls of a run.
pub(crate) fn calls(journal: &Path, run: u32) -> Vec<Call> {
    let reader = Reader::open(journal).expect("the journal can be read");
    let info = reader.run(run).expect("the journal holds the run");
    let (mut calls, mut outputs) = (Vec::new(), Vec::new());
    let walked = reader.visit(&info, |block: &Block| {
        let mut items = block.items();
        while let Some(item) = items.next(&mut outputs)? {
            if let Item::Call(call) = item {
                calls.push(Call {
                    seq: call.seq,
                    now: call.now,
                    signal: call.signal,
                    outputs: outputs.clone(),
                });
            }
        }
        Ok(true)
    });
    walked.expect("the journal is whole");
    calls
}

/// The demo hub with these addresses in place of its own.
pub(crate) fn at_addresses(hub: &str, addresses: &Value) -> String {
    let mut hub: toml::Table = toml::from_str(hub).expect("the demo hub is TOML");
    let text = |value: &Value| toml::Value::from(value.as_str().expect("an address"));
    hub["track"][0]["plc"]["address"] = text(&addresses["plcs"][0]["address"]);
    let row = hub["scanner"][0].as_table().expect("a table").clone();
    let number = |key: &str| row[key].as_integer().expect("a number");
    let scanners = addresses["scanners"].as_array().expect("a list");
    assert_eq!(scanners.len() as i64, number("count"));
    let each = scanners.iter().zip(0..).map(|(scanner, nth)| {
        let mut own = row.clone();
        let at_mm = number("at_mm") + nth * number("step_mm");
        own.retain(|key, _| key != "count" && key != "step_mm");
        own.insert("name".into(), text(&scanner["scanner"]));
        own.insert("at_mm".into(), at_mm.into());
        own["link"]["connect"] = text(&scanner["address"]);
        toml::Value::from(own)
    });
    hub["scanner"] = each.collect::<Vec<_>>().into();
    toml::to_string(&hub).expect("a table is TOML")
}
