//! The network side of a hub: where its PLCs and scanners are, and how they talk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sorthub_core::hub::MeetsBy;
use sorthub_core::scanner::{Field, Framing, LengthUnit, MassUnit, Template};

use super::bank::Member;
use super::fault::{Meaning, TextFault};
use super::names::Pattern;
use super::reader::{Table, Value};

/// Every link of a hub. Lists run parallel to those of the hub description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinksSpec {
    /// For each track, its PLC; `None`: the hub can only be simulated.
    pub tracks: Vec<Option<PlcLink>>,
    /// For each scanner, its socket.
    pub scanners: Vec<Option<ScannerLink>>,
}

/// The Modbus TCP link to a track's PLC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlcLink {
    /// `host:port` of the PLC's Modbus TCP server.
    pub address: String,
    /// Modbus unit identifier.
    pub unit: u8,
    /// Which Modbus functions to use.
    pub functions: Functions,
    /// From the beginning of one exchange to the beginning of the next, in ms.
    pub poll_ms: u32,
}

/// Modbus functions for one exchange of the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Functions {
    /// Read holding registers, then write them: every PLC can.
    Fc3Fc16,
    /// Read and write in one request.
    Fc23,
    /// One request where the PLC can, two where it answers "illegal function".
    Auto,
}

/// The TCP link to a scanner and the form of its telegrams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannerLink {
    /// Who connects to whom.
    pub peer: Peer,
    /// How telegrams are told apart.
    pub framing: Framing,
    /// What their fields mean.
    pub template: Template,
}

/// Who connects to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    /// The scanner is the TCP server: `host:port`.
    Connect(String),
    /// The engine is: it listens at `host:port`.
    Listen(String),
}

impl LinksSpec {
    /// Puts every link on a loopback port that the system chooses, scanners as servers: for a
    /// virtual hub that must never find a port taken.
    pub fn take_free_ports(&mut self) {
        for link in self.tracks.iter_mut().flatten() {
            link.address = "127.0.0.1:0".into();
        }
        for link in self.scanners.iter_mut().flatten() {
            link.peer = Peer::Connect("127.0.0.1:0".into());
        }
    }
}

impl Peer {
    /// The address, whoever connects to it.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Connect(address) | Self::Listen(address) => address,
        }
    }
}

const FIELDS: &[(&str, Field)] = &[
    ("trigger", Field::Trigger),
    ("carrier", Field::Carrier),
    ("encoder_mm", Field::EncoderMm),
    ("code", Field::Code),
    ("weight_g", Field::Weight(MassUnit::Grams)),
    ("weight_kg", Field::Weight(MassUnit::Kilograms)),
    ("length_mm", Field::Length(LengthUnit::Millimetres)),
    ("length_cm", Field::Length(LengthUnit::Centimetres)),
    ("width_mm", Field::Width(LengthUnit::Millimetres)),
    ("width_cm", Field::Width(LengthUnit::Centimetres)),
    ("height_mm", Field::Height(LengthUnit::Millimetres)),
    ("height_cm", Field::Height(LengthUnit::Centimetres)),
    ("verdict", Field::Verdict),
    ("skip", Field::Skip),
];

/// Addresses in use, with the lines where they are given.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    lines: BTreeMap<String, u32>,
}

impl Addresses {
    fn take(&mut self, address: &str, at: Value<'_>) {
        let line = at.faults.line_of(at.span);
        if let Some(&first_line) = self.lines.get(address) {
            at.fault(Meaning::SameAddress {
                address: address.to_owned(),
                first_line,
            });
        } else {
            self.lines.insert(address.to_owned(), line);
        }
    }
}

/// Reads `plc = { … }` of a track and gives one link for each member of the bank.
pub(super) fn read_plc(
    track: &Table<'_>,
    members: &[Member],
    taken: &mut Addresses,
) -> Vec<Option<PlcLink>> {
    let none = || members.iter().map(|_| None).collect();
    let Some(table) = track.table("plc", "`plc`") else {
        return none();
    };
    let functions = table.get("functions").and_then(|value| {
        value.choice(&[
            ("fc3_fc16", Functions::Fc3Fc16),
            ("fc23", Functions::Fc23),
            ("auto", Functions::Auto),
        ])
    });
    let unit = table
        .get("unit")
        .and_then(|value| value.int(1..=247))
        .unwrap_or(1);
    let poll_ms = table
        .get("poll_ms")
        .and_then(|value| value.int(1..=1_000))
        .unwrap_or(20);
    let functions = functions.unwrap_or(Functions::Fc3Fc16);
    let address = table.require("address", "address = \"127.0.0.1:1502\"");
    table.finish();
    let Some((address, pattern)) = address.and_then(|v| Some((v, read_address(v)?))) else {
        return none();
    };
    let link = |member: &Member| {
        let place = expand_address(&pattern, member.number, &member.name, address)?;
        taken.take(&format!("{place} unit {unit}"), address);
        Some(PlcLink {
            address: place,
            unit: unit as u8,
            functions,
            poll_ms,
        })
    };
    members.iter().map(link).collect()
}

/// Reads `link = { … }` of a scanner and gives one link for each member of the bank.
pub(super) fn read_scanner(
    scanner: &Table<'_>,
    meets_by: MeetsBy,
    members: &[Member],
    taken: &mut Addresses,
) -> Vec<Option<ScannerLink>> {
    let none = || members.iter().map(|_| None).collect();
    let Some(table) = scanner.table("link", "`link`") else {
        return none();
    };
    let framings = [("stx_etx", Framing::StxEtx), ("crlf", Framing::CrLf)];
    let framing = table
        .get("framing")
        .and_then(|value| value.choice(&framings));
    let separator = table.get("separator").and_then(read_separator);
    let template = read_template(&table, separator.unwrap_or(';'), meets_by);
    let listen = table.get("listen");
    let connect = table.get("connect");
    match (connect, listen) {
        (Some(_), Some(_)) => table.refuse("listen", "the engine already connects"),
        (None, None) => table.missing("connect", "connect = \"127.0.0.1:2111\""),
        _ => {}
    }
    table.finish();
    let Some((address, pattern)) = connect.or(listen).and_then(|v| Some((v, read_address(v)?)))
    else {
        return none();
    };
    let link = |member: &Member| {
        let place = expand_address(&pattern, member.number, &member.track_name, address)?;
        taken.take(&place, address);
        Some(ScannerLink {
            peer: if connect.is_some() {
                Peer::Connect(place)
            } else {
                Peer::Listen(place)
            },
            framing: framing.unwrap_or(Framing::StxEtx),
            template: template.clone(),
        })
    };
    members.iter().map(link).collect()
}

/// What the fields of a telegram mean.
fn read_template(table: &Table<'_>, separator: char, meets_by: MeetsBy) -> Template {
    let words = |key| -> Option<Vec<String>> {
        let words = table.get(key)?.texts();
        Some(words.iter().map(|(text, _)| (*text).to_owned()).collect())
    };
    let no_read = words("no_read").unwrap_or_else(|| vec!["NoRead".to_owned()]);
    let between_codes = table.get("between_codes").and_then(|value| {
        let between = read_separator(value)?;
        if between == separator {
            value.fault(Meaning::SameSeparator { between });
        }
        Some(between)
    });
    let fields = read_fields(table, meets_by);
    let (clear, suspect) = (words("clear"), words("suspect"));
    if fields.contains(&Field::Verdict) {
        if suspect.is_none() {
            table.missing("suspect", "suspect = [\"ALARM\"]");
        }
    } else {
        let why = "the telegrams have no field `verdict`";
        table.refuse("clear", why);
        table.refuse("suspect", why);
    }
    let (clear, suspect) = (clear.unwrap_or_default(), suspect.unwrap_or_default());
    if let Some(both) = clear.iter().find(|word| suspect.contains(word)) {
        table.faults.add(
            table.place_of("clear"),
            Meaning::Repeated {
                key: "suspect".to_owned(),
                name: both.clone(),
            },
        );
    }
    Template {
        separator,
        fields,
        no_read,
        between_codes,
        clear,
        suspect,
    }
}

/// `host:port`, which may have the number of the device in it.
fn read_address(value: Value<'_>) -> Option<Pattern> {
    Pattern::parse(value.text()?)
        .map_err(|fault| value.fault(fault))
        .ok()
}

/// The address of one device of a bank.
fn expand_address(pattern: &Pattern, number: u32, track: &str, value: Value<'_>) -> Option<String> {
    let found = pattern.expand(number, track);
    let good = found.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(char::is_whitespace) && port.parse::<u16>().is_ok()
    });
    if !good {
        value.fault(TextFault::BadAddress { found });
        return None;
    }
    Some(found)
}

/// One character, which can be a tab.
fn read_separator(value: Value<'_>) -> Option<char> {
    let text = value.any_text().or_else(|| value.text())?;
    let mut chars = text.chars();
    if let (Some(one), None) = (chars.next(), chars.next()) {
        return Some(one);
    }
    value.fault(TextFault::NotOneOf {
        key: value.key.to_owned(),
        found: text.to_owned(),
        allowed: vec![";", ",", "|", "\\t", "or another single character"],
        nearest: None,
    });
    None
}

/// The fields of a telegram; without the key, what is matched by and the code.
fn read_fields(table: &Table<'_>, meets_by: MeetsBy) -> Vec<Field> {
    let key_field = match meets_by {
        MeetsBy::Trigger => Some(("trigger number", "trigger", Field::Trigger)),
        MeetsBy::Carrier => Some(("carrier number", "carrier", Field::Carrier)),
        MeetsBy::Encoder { .. } => Some(("encoder position", "encoder_mm", Field::EncoderMm)),
        MeetsBy::Arrival { .. } => None,
    };
    let Some(value) = table.get("fields") else {
        return key_field
            .map(|(_, _, field)| field)
            .into_iter()
            .chain([Field::Code])
            .collect();
    };
    let list = value.list("a list of field names").unwrap_or_default();
    let fields: Vec<Field> = list
        .iter()
        .filter_map(|entry| entry.choice(FIELDS))
        .collect();
    if fields.len() < list.len() || !value.is_list() {
        return fields;
    }
    if let Some((meets_by, field, _)) = key_field.filter(|(_, _, f)| !fields.contains(f)) {
        value.fault(Meaning::NoKeyField { meets_by, field });
    }
    if !fields.contains(&Field::Code) {
        value.fault(Meaning::NoCodeField);
    }
    for (nth, field) in fields.iter().enumerate() {
        if *field != Field::Skip && fields.iter().take(nth).any(|other| other.is_like(*field)) {
            let name = FIELDS
                .iter()
                .find(|(_, f)| f == field)
                .map_or("", |(name, _)| *name);
            value.fault(Meaning::Repeated {
                key: "fields".to_owned(),
                name: name.to_owned(),
            });
        }
    }
    fields
}
