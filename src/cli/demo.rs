//! `sorthub demo`: a hub to watch, engine and virtual hub over loopback sockets.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use clap::Args;

use super::{Exit, duration, input, print, signals};
use crate::config::{HubFile, trace};
use crate::control::Timed;
use crate::demo::{self, DemoSetup, Told};
use crate::emulate::{Fault, WorldPulse};
use crate::engine::Pulse;

/// The hub that is shown if none is named; it is part of the program, so that nothing need be
/// there.
const DEMO_HUB: &str = include_str!("../../config/demo.toml");

/// How long parcels arrive if nothing else is said and no trace ends by itself.
const DURATION: Duration = Duration::from_secs(60);

/// Watch a hub sort parcels: the engine and a virtual hub in one process, over loopback sockets.
///
/// A page at the printed address shows it live. At the end the engine's book is held against the
/// ledger of what really happened; a recorded trace is also run in simulation and compared.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Show this hub in place of the small built-in one.
    #[arg(long, value_name = "HUB.toml", conflicts_with = "layout")]
    config: Option<PathBuf>,
    /// Show a recorded line: its layout.
    #[arg(long, value_name = "FILE", requires = "parcels")]
    layout: Option<PathBuf>,
    /// The parcels that went over that line.
    #[arg(long, value_name = "FILE", requires = "layout")]
    parcels: Option<PathBuf>,
    /// How long parcels arrive, in real time; then those on their way may leave. Without it 60s,
    /// or until a trace is through.
    #[arg(long, value_name = "TIME", value_parser = duration::parse_std)]
    duration: Option<Duration>,
    /// How many times faster than real time belts run and parcels come; links stay real.
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    speed: u32,
    /// Seed of everything random in the plant.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Where the page is served; port 0 takes any that is free. Without it 127.0.0.1:8080, or any
    /// free port if that one is taken.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Keep the journal in this directory, for `replay`.
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// The local socket for `sorthub ctl`. Without it control.sock in the journal's directory; its
    /// path is printed.
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
    /// Let something go wrong: plc-restart, plc-cut, scanner-cut or belt-stop, as
    /// `KIND[:DEVICE]@START+LENGTH` in the hub's time, for example `belt-stop@20s+60s`. Can be
    /// repeated.
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
    /// What people do in it, and when, in the hub's time: a scenario file (docs/scenarios.md).
    #[arg(long, value_name = "F.toml")]
    scenario: Option<PathBuf>,
    #[command(flatten)]
    advice: input::AdviceInput,
    /// Print one JSON object at the end.
    #[arg(long)]
    json: bool,
}

/// The usual address of the page, or one that the system chooses if that is taken.
fn usual_or_free() -> SocketAddr {
    let usual = SocketAddr::from(([127, 0, 0, 1], 8080));
    match TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::from(([127, 0, 0, 1], 0)),
    }
}

/// Reads a speed factor as thousandths.
pub(super) fn speed(text: &str) -> Result<u32, String> {
    let factor: f64 = text
        .parse()
        .map_err(|_| format!("`{text}` is not a number"))?;
    if (0.1..=100.0).contains(&factor) {
        Ok((factor * 1_000.0).round() as u32)
    } else {
        Err(format!("`{text}` is out of range: use 0.1 to 100"))
    }
}

/// Runs it.
#[must_use]
pub fn run(args: &DemoArgs) -> Exit {
    let file = read(args).and_then(|mut file| {
        args.advice.read_into(&mut file)?;
        Ok(file)
    });
    let file = match file {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let timetable = match timetable(args, &file) {
        Ok(timetable) => timetable,
        Err(exit) => return exit,
    };
    let interrupts = Arc::new(AtomicU32::new(0));
    if let Err(error) = signals::count(&interrupts) {
        eprintln!("Ctrl-C will end the demo at once: {error}");
    }
    let duration = args
        .duration
        .or(file.plant.trace.is_empty().then_some(DURATION));
    let setup = DemoSetup {
        file,
        duration,
        speed_permille: args.speed,
        seed: args.seed,
        listen: args.listen.unwrap_or_else(usual_or_free),
        journal: args.journal.clone(),
        faults: args.faults.clone(),
        control: args.control.clone(),
        timetable,
        interrupts,
    };
    let mut line = StatusLine::new(duration);
    let report = demo::run(setup, &mut |told| line.told(&told));
    line.end();
    match report {
        Ok(report) => {
            if args.json {
                print(&format!("{}\n", demo::json(&report)));
            } else {
                print(&demo::text(&report));
            }
            if report.is_good() {
                Exit::Done
            } else {
                Exit::Wrong
            }
        }
        Err(error) => {
            eprintln!("{error}");
            if error.is_of_the_run() {
                Exit::Wrong
            } else {
                Exit::BadInput
            }
        }
    }
}

/// What a scenario asks when. Its names are looked up beforehand, so that a slip ends the demo
/// before it begins.
fn timetable(args: &DemoArgs, file: &HubFile) -> Result<Vec<Timed>, Exit> {
    let Some(path) = &args.scenario else {
        return Ok(Vec::new());
    };
    let (scenario, _) = input::scenario(path, file, None)?;
    let steps = scenario.timetable().into_iter();
    Ok(steps.map(|(at, request)| Timed { at, request }).collect())
}

fn read(args: &DemoArgs) -> Result<HubFile, Exit> {
    let read = match (&args.config, &args.layout, &args.parcels) {
        (Some(hub), _, _) => HubFile::read(hub),
        (None, Some(layout), Some(parcels)) => trace::read(layout, parcels),
        _ => HubFile::parse("config/demo.toml", DEMO_HUB),
    };
    match read {
        Ok(file) => {
            input::print_faults(&file.warnings);
            Ok(file)
        }
        Err(faults) => {
            input::print_faults(&faults);
            Err(Exit::BadInput)
        }
    }
}

/// One line on the terminal that is drawn over itself; nothing where there is no terminal.
struct StatusLine {
    is_terminal: bool,
    duration: Option<Duration>,
    is_drawn: bool,
}

impl StatusLine {
    fn new(duration: Option<Duration>) -> Self {
        Self {
            is_terminal: demo::is_terminal(),
            duration,
            is_drawn: false,
        }
    }

    fn told(&mut self, told: &Told<'_>) {
        match told {
            Told::Page(address) => eprintln!("page: http://{address}/"),
            Told::Control(path) => eprintln!("control: {}", path.display()),
            Told::Emptying => self.above("no more parcels arrive; those on their way may leave"),
            Told::Status(pulse, world, elapsed) => {
                let text = self.status(pulse, world, *elapsed);
                self.draw(&text);
            }
        }
    }

    fn status(&self, pulse: &Pulse, world: &WorldPulse, elapsed: Duration) -> String {
        let of = self
            .duration
            .map(|d| format!("/{}", d.as_secs()))
            .unwrap_or_default();
        let link = if pulse.linked { "up" } else { "DOWN" };
        format!(
            "{:>4}{of} s | in {} | sorted {} | rejected {} | lost {} | on sorter {} | {}/h | \
             wire {} | PLC {link} | waiting {}",
            elapsed.as_secs(),
            pulse.inducted,
            pulse.sorted,
            pulse.rejected,
            pulse.lost,
            pulse.on_sorter,
            pulse.sorted_per_h,
            demo::duration(pulse.wire_to_wire.p50_ns),
            world.waiting,
        )
    }

    fn draw(&mut self, text: &str) {
        if self.is_terminal {
            eprint!("\r\u{1b}[K{text}");
            // A line that cannot be shown is not worth ending the demo for.
            let _ = std::io::stderr().flush();
            self.is_drawn = true;
        }
    }

    fn above(&mut self, text: &str) {
        self.end();
        eprintln!("{text}");
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            eprintln!();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_factor_within_bounds() {
        assert_eq!(speed("1"), Ok(1_000));
        assert_eq!(speed("20"), Ok(20_000));
        assert_eq!(speed("0.5"), Ok(500));
        for bad in ["0", "-1", "1000", "fast", "NaN"] {
            assert!(speed(bad).is_err(), "{bad}");
        }
    }
}
