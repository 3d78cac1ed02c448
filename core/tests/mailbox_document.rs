//! `docs/plc-interface.md` says what the code does: its worked exchange comes out of both ends, and
//! its lists and addresses are those of the codec.
#![expect(
    clippy::string_slice,
    reason = "the cuts are where a search has found ASCII"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use sorthub_core::plc::map::{self, CELLS_BASE, CHUTES_BASE, INDUCTIONS_BASE, INVENTORY_BASE};
use sorthub_core::plc::{
    Answer, Area, Assign, CellBits, ChuteCause, Command, Delivery, DisableCause, EngineBits,
    EngineConfig, EngineEnd, Event, EventKind, Exchange, InventoryCell, LinkMs, NotDischargedCause,
    OnFail, PlcConfig, PlcEnd, Quality, ResetCause, StatusBits, StatusInputs, StopCause, check_of,
    check_under,
};

const BEGIN: &str = "<!-- worked example: made by";
const END: &str = "<!-- end of the worked example -->";

fn document_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/plc-interface.md")
}

fn document() -> String {
    fs::read_to_string(document_path()).expect("docs/plc-interface.md is part of the project")
}

/// Both ends, and the text their exchanges make.
struct Example {
    plc: PlcEnd,
    engine: EngineEnd,
    now: LinkMs,
    encoder_mm: u32,
    text: String,
    step: u32,
}

impl Example {
    fn new() -> Self {
        let mut plc = PlcConfig::new(3, 12, 2, 40);
        plc.info.config_hash = 0x5EED_0012;
        plc.info.pitch_mm = 600;
        plc.info.track_mm = 24_000;
        plc.info.laps_max = 3;
        let mut engine = EngineConfig::new(Area::A, 7, 12, 2, 40);
        engine.config_hash = 0x5EED_0012;
        let mut example = Self {
            plc: PlcEnd::new(&plc).expect("good"),
            engine: EngineEnd::new(engine).expect("good"),
            now: LinkMs(0),
            encoder_mm: 100_000,
            text: String::new(),
            step: 0,
        };
        example.engine.connected(example.now);
        example.scan();
        example
    }

    fn scan(&mut self) {
        self.plc.begin_scan(self.now);
        while let Some(consumed) = self.plc.next_command() {
            let at = self.at(EventKind::LapPassed);
            self.plc
                .answer(&consumed, Answer::Accepted, at)
                .expect("room");
            if consumed.command == Command::Resync {
                let bits = CellBits::OCCUPIED;
                let item = InventoryCell {
                    cell: 3,
                    item: 70_001,
                    chute: 0,
                    bits,
                    lap: 1,
                };
                self.plc.latch_inventory([item], at).expect("room");
            }
        }
        let bits = StatusBits::RUN
            .and(StatusBits::AT_SPEED)
            .and(StatusBits::HOMED)
            .and(StatusBits::AUTO);
        let inputs = StatusInputs {
            encoder_mm: self.encoder_mm,
            speed_mm_s: 2_500,
            bits,
        };
        self.plc.end_scan(self.now, &inputs);
    }

    fn at(&self, kind: EventKind) -> Event {
        let plc_ms = self.now.0 as u32;
        Event {
            encoder_mm: self.encoder_mm,
            plc_ms,
            ..Event::of(kind)
        }
    }

    /// Carries out the exchange; its lines for the document.
    fn carry_out(&mut self, exchange: &Exchange) -> (String, Vec<Delivery>) {
        let mut lines = String::new();
        let mut registers = Vec::new();
        if let Some(read) = exchange.read {
            registers = vec![0; usize::from(read.count)];
            self.plc.read(read.address, &mut registers).expect("good");
            let (from, count) = (read.address, read.count);
            let _ = writeln!(lines, "FC3, {count} registers from {from}:");
            lines += &dump(from, &registers);
        }
        if let Some(write) = &exchange.write {
            self.plc
                .write(write.address, write.registers())
                .expect("good");
            let (from, count) = (write.address, write.registers().len());
            let _ = writeln!(lines, "FC16, {count} registers to {from}:");
            lines += &dump(from, write.registers());
        }
        self.engine.reply(self.now, &registers).expect("as asked");
        (
            lines,
            std::iter::from_fn(|| self.engine.next_event()).collect(),
        )
    }

    /// Goes on, a scan each 10 ms, until an exchange is as wanted, and puts that one into the text.
    fn show(&mut self, title: &str, wanted: impl Fn(&Exchange, &[Delivery]) -> bool) {
        for _ in 0..3_000 {
            if let Some(exchange) = self.engine.next_exchange(self.now) {
                let (lines, told) = self.carry_out(&exchange);
                if wanted(&exchange, &told) {
                    self.step += 1;
                    let _ = write!(self.text, "\n**{}. {title}**\n\n```text\n", self.step);
                    self.text += &lines;
                    self.text += "```\n";
                    return;
                }
            }
            self.now.0 += 1;
            if self.now.0.is_multiple_of(10) {
                self.encoder_mm += 25;
                self.scan();
            }
        }
        panic!("step '{title}' never came");
    }

    fn acknowledge(&mut self, marks: u16) {
        let seq = sorthub_core::plc::Seq::from_wire(marks).expect("in the ring");
        assert!(
            self.engine
                .acknowledge(sorthub_core::plc::Mark { boot: 3, seq })
        );
    }
}

/// Sixteen registers a line; a block of status or header in front of slots on lines of its own.
fn dump(from: u16, registers: &[u16]) -> String {
    let front = match (from, registers.len()) {
        (0, _) => map::STATUS_REGS,
        (400, 121) => map::HEADER_REGS,
        _ => registers.len().min(16),
    };
    let (front, rest) = registers.split_at(front);
    let mut address = usize::from(from);
    let mut text = String::new();
    for line in std::iter::once(front).chain(rest.chunks(16)) {
        if line.iter().any(|register| *register != 0) {
            let _ = write!(text, "{address:>5}:");
            for register in line {
                let _ = write!(text, " {register:04X}");
            }
            text.push('\n');
        }
        address += line.len();
    }
    text
}

fn reads(address: u16) -> impl Fn(&Exchange, &[Delivery]) -> bool {
    move |exchange, _| exchange.read.is_some_and(|read| read.address == address)
}

fn writes(count: usize) -> impl Fn(&Exchange, &[Delivery]) -> bool {
    move |exchange, _| {
        exchange
            .write
            .is_some_and(|w| w.address == 400 && w.registers().len() == count)
    }
}

fn tells(kind: fn(&EventKind) -> bool) -> impl Fn(&Exchange, &[Delivery]) -> bool {
    move |_, told| {
        told.iter()
            .any(|d| matches!(d, Delivery::Event(_, e) if kind(&e.kind)))
    }
}

/// From the first read to a ready engine.
fn start(ex: &mut Example) {
    ex.show("What is this PLC?", reads(map::INFO_BASE));
    ex.show(
        "The engine claims epoch 7 for boot id 3; granted when its heartbeat has moved",
        writes(9),
    );
    ex.show("Granted: status 2 is 0007, bit 10 is clear", |_, told| {
        told.contains(&Delivery::Link(sorthub_core::plc::Link::Granted {
            boot: 3,
        }))
    });
    ex.engine.push(Command::Resync).expect("granted");
    ex.show(
        "Command 1: resynchronise. The window is written whole",
        writes(121),
    );
    ex.show(
        "Event 1: command 1 accepted. Event 2: inventory latched",
        |exchange, told| {
            reads(0)(exchange, told) && told.iter().any(|d| matches!(d, Delivery::Event(..)))
        },
    );
    ex.show(
        "The inventory's header, 1 occupied, generation 1",
        reads(INVENTORY_BASE),
    );
    ex.show(
        "The first 31 cells: item 70001 in cell 3, on its second lap",
        reads(CELLS_BASE),
    );
    ex.show(
        "The header again: still generation 1",
        reads(INVENTORY_BASE),
    );
    ex.acknowledge(2);
    ex.engine.set_bits(EngineBits::READY);
    ex.show("Both events are on disk; the engine is ready", writes(9));
}

/// One item comes in, is ordered to a chute, and leaves there.
fn one_item(ex: &mut Example) {
    let inducted = EventKind::Inducted {
        length_mm: 420,
        gap_mm: 180,
        returned: false,
    };
    let event = Event {
        item: 70_002,
        cell: 9,
        device: 1,
        spanned: 1,
        ..ex.at(inducted)
    };
    ex.plc.push_event(event).expect("room");
    ex.show(
        "Event 3: item 70002 comes in at induction 1, in cell 9",
        tells(|kind| matches!(kind, EventKind::Inducted { .. })),
    );
    ex.acknowledge(3);
    let order = Assign {
        revision: 1,
        item: 70_002,
        cell: 9,
        chutes: [5, 8, 0],
        on_fail: OnFail::Lap,
        valid_until_mm: ex.encoder_mm + 24_000,
        laps_max: 2,
        reason: 0,
        plan_version: 4,
    };
    ex.engine.push(Command::Assign(order)).expect("granted");
    ex.show(
        "Command 2: to chute 5, else 8, else another lap. Event 3 is safe",
        writes(121),
    );
    ex.show(
        "Command 2 is consumed (status 10), and event 4 says accepted",
        tells(|kind| matches!(kind, EventKind::CommandAnswered { seq: 2, .. })),
    );
    let quality = Quality::ACTUATED.and(Quality::SEEN_EMPTY);
    let discharged = EventKind::Discharged {
        chute: 5,
        revision: 1,
        quality,
    };
    ex.encoder_mm += 9_000;
    let event = Event {
        item: 70_002,
        cell: 9,
        device: 5,
        spanned: 1,
        ..ex.at(discharged)
    };
    ex.plc.push_event(event).expect("room");
    ex.show(
        "Event 5: discharged at chute 5 under revision 1, actuated and seen empty",
        tells(|kind| matches!(kind, EventKind::Discharged { .. })),
    );
    ex.acknowledge(5);
    ex.show("Events 4 and 5 are safe", writes(9));
}

fn worked_example() -> String {
    let mut example = Example::new();
    start(&mut example);
    one_item(&mut example);
    example.text
}

#[test]
fn the_worked_exchange_comes_out_of_both_ends() {
    let text = document();
    let begin = text.find(BEGIN).expect("the marker before the example");
    let begin = begin + text[begin..].find('\n').expect("a line") + 1;
    let end = text.find(END).expect("the marker behind the example");
    let made = format!("{}\n", worked_example());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let renewed = format!("{}{made}{}", &text[..begin], &text[end..]);
        fs::write(document_path(), renewed).expect("the document can be written");
        return;
    }
    assert_eq!(
        &text[begin..end],
        made,
        "renew the document with UPDATE_EXPECT=1"
    );
}

/// The rows of the table under a heading: first and second column.
fn rows(text: &str, heading: &str) -> Vec<(u8, String)> {
    let from = text
        .find(heading)
        .unwrap_or_else(|| panic!("no heading '{heading}'"));
    let section = &text[from + heading.len()..];
    let section = &section[..section.find("\n#").unwrap_or(section.len())];
    let row = |line: &str| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        Some((cells.next()?.parse().ok()?, cells.next()?.to_owned()))
    };
    section.lines().filter_map(row).collect()
}

#[test]
fn the_numbered_lists_are_those_of_the_codec() {
    let text = document();
    macro_rules! same {
        ($heading:literal, $list:ty) => {
            let listed = <$list>::LISTED.iter();
            let code: Vec<_> = listed
                .map(|(v, name)| (v.code(), (*name).to_owned()))
                .collect();
            assert_eq!(rows(&text, $heading), code, $heading);
            for (value, name) in <$list>::LISTED {
                assert_eq!(<$list>::from_code(value.code()), *value);
                assert_eq!(value.name(), *name);
            }
        };
    }
    same!("### 4.1", NotDischargedCause);
    same!("### 4.2", Answer);
    same!("### 4.3", ChuteCause);
    same!("### 4.4", StopCause);
    same!("### 4.5", ResetCause);
    same!("### 4.6", DisableCause);
}

#[test]
fn the_addresses_are_those_of_the_codec() {
    let text = document();
    let section = &text[text.find("## 3. The map").expect("section 3")..];
    let row = |line: &str| line.split('|').nth(1)?.trim().parse().ok();
    let written: Vec<u16> = section
        .lines()
        .map_while(|line| {
            if line.starts_with("###") {
                None
            } else {
                Some(row(line))
            }
        })
        .flatten()
        .collect();
    let [a, b] = Area::BOTH;
    let code = [
        map::STATUS_BASE,
        map::EVENTS_BASE,
        map::INFO_BASE,
        a.base(),
        b.base(),
        INDUCTIONS_BASE,
        CHUTES_BASE,
        a.induction_wish_base(),
        a.chute_wish_base(),
        b.induction_wish_base(),
        b.chute_wish_base(),
        INVENTORY_BASE,
        CELLS_BASE,
    ];
    assert_eq!(written, code);
}

#[test]
fn the_check_is_the_one_written_down() {
    let by_hand = |registers: &[u16]| {
        let check = registers.iter().fold(42_330_u32, |check, register| {
            (check * 31 + u32::from(*register)) % 65_536
        });
        check as u16
    };
    let registers = [1, 7, 0xFFFF, 3, 0];
    assert_eq!(check_of(&registers), by_hand(&registers));
    assert_eq!(
        check_under(9, &registers),
        by_hand(&[9, 1, 7, 0xFFFF, 3, 0])
    );
}
