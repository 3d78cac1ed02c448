//! `sorthub identify`: what scanned codes are.

use std::io::{BufRead as _, IsTerminal as _, stdin};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use sorthub_core::identify::{Formats, Identified};

use self::together::Together;
use super::{Exit, input, print};
use crate::config::CarrierFile;

mod together;

/// Say what codes are: whose, whether the check digit is right, which parcel, and where to.
///
/// Codes are taken as scanners send them or as people read them off: capitals or not, with blanks,
/// with a symbology identifier, with parentheses around `(00)`. An invalid code is an answer and
/// no failure.
#[derive(Clone, Debug, Args)]
pub struct IdentifyArgs {
    /// The codes; without any they are read from standard input, one a line.
    #[arg(value_name = "CODE", allow_hyphen_values = true)]
    codes: Vec<String>,
    /// The codes are all of one label: say what it comes to, as the sorter would.
    #[arg(long)]
    together: bool,
    /// Print one JSON object a line; with --together one in all.
    #[arg(long)]
    json: bool,
    /// A table of formats in place of the one that is built in.
    #[arg(long, value_name = "FILE")]
    formats: Option<PathBuf>,
}

/// What is said of one code.
#[derive(Debug, Serialize)]
struct Answer {
    /// As it was given.
    code: String,
    /// The format's name; null if there is none of this form.
    format: Option<String>,
    /// Whether it can be believed.
    valid: bool,
    /// Which parcel it is; null if it is not valid, or says only where to.
    identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<sorthub_core::identify::Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postcode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Why it is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Identifies codes; done if all could be read, whatever they are.
#[must_use]
pub fn run(args: &IdentifyArgs) -> Exit {
    let formats = match read_formats(args) {
        Ok(formats) => formats,
        Err(exit) => return exit,
    };
    if args.codes.is_empty() && stdin().is_terminal() {
        eprintln!("no code is given; name one, or send some to standard input, one a line");
        return Exit::BadInput;
    }
    let mut rows = Vec::new();
    let mut label = Vec::new();
    let mut answer = |code: &str| {
        if args.together {
            label.push(code.to_owned());
            return;
        }
        let answer = Answer::of(&formats, code, &formats.identify(code));
        if args.json {
            print_json(&answer);
        } else {
            rows.push(answer.row());
        }
    };
    let mut exit = Exit::Done;
    if args.codes.is_empty() {
        exit = for_each_line(&mut answer);
    } else {
        args.codes.iter().for_each(|code| answer(code));
    }
    if args.together {
        let together = Together::of(&formats, &label);
        if args.json {
            print_json(&together);
        } else {
            print(&together.text());
        }
    } else if !rows.is_empty() {
        print(&columns(&rows));
    }
    exit
}

fn print_json(answer: &impl Serialize) {
    let json = serde_json::to_string(answer).expect("texts and numbers are always JSON");
    print(&format!("{json}\n"));
}

fn read_formats(args: &IdentifyArgs) -> Result<Formats, Exit> {
    let Some(path) = &args.formats else {
        return Ok(CarrierFile::shipped().formats);
    };
    match CarrierFile::read(path) {
        Ok(file) => {
            input::print_faults(&file.warnings);
            Ok(file.formats)
        }
        Err(faults) => {
            input::print_faults(&faults);
            Err(Exit::BadInput)
        }
    }
}

/// Lines are taken as bytes: what is no text is a code that no format has.
fn for_each_line(answer: &mut impl FnMut(&str)) -> Exit {
    for (nth, line) in stdin().lock().split(b'\n').enumerate() {
        match line {
            Ok(bytes) => {
                let line = String::from_utf8_lossy(&bytes);
                // Spreadsheets begin their texts with a mark that is no part of the first code.
                let mark = if nth == 0 { "\u{feff}" } else { "" };
                let line = line.strip_prefix(mark).unwrap_or(&line);
                answer(line.strip_suffix('\r').unwrap_or(line));
            }
            Err(error) => {
                eprintln!("standard input cannot be read: {error}; give the codes as arguments");
                return Exit::BadInput;
            }
        }
    }
    Exit::Done
}

/// More of a code than any format has, blanks included, is not shown in a column.
const SHOWN_MAX: usize = 80;

const HEADINGS: [&str; 6] = ["code", "format", "carrier", "valid", "identity", "remarks"];

impl Answer {
    fn of(formats: &Formats, code: &str, found: &Identified) -> Self {
        let format = found.format().and_then(|id| formats.format(id));
        let verdict = found.verdict();
        Self {
            code: code.to_owned(),
            format: format.map(|format| format.name.clone()),
            valid: verdict.is_good(),
            identity: found.identity().map(str::to_owned),
            carrier: format.map(|format| format.carrier.clone()),
            kind: found.kind(),
            postcode: found.postcode().map(str::to_owned),
            address: found.address().map(str::to_owned),
            why: (!verdict.is_good()).then(|| verdict.to_string()),
        }
    }

    fn row(self) -> [String; HEADINGS.len()] {
        let remark = |what: &str, text: Option<String>| text.map(|text| format!("{what} {text}"));
        let to = [
            remark("postcode", self.postcode),
            remark("address", self.address),
            self.why,
        ];
        let dash = || "-".to_owned();
        [
            shown(&self.code),
            self.format.unwrap_or_else(dash),
            self.carrier.unwrap_or_else(dash),
            if self.valid { "yes" } else { "no" }.to_owned(),
            self.identity.unwrap_or_else(dash),
            to.into_iter().flatten().collect::<Vec<_>>().join(", "),
        ]
    }
}

/// A code as it can stand in a column. Control characters would garble a terminal, and one line
/// that is no code at all must not push the others out of sight.
fn shown(code: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut text: String = code.chars().take(SHOWN_MAX).map(plain).collect();
    if code.chars().nth(SHOWN_MAX).is_some() {
        text.push('…');
    }
    text
}

/// Rows under headings, each column as wide as its widest entry.
fn columns(rows: &[[String; HEADINGS.len()]]) -> String {
    let headings = HEADINGS.map(str::to_owned);
    let all = || std::iter::once(&headings).chain(rows);
    let mut widths = [0; HEADINGS.len()];
    for row in all() {
        for (width, entry) in widths.iter_mut().zip(row) {
            *width = (*width).max(entry.chars().count());
        }
    }
    let mut text = String::new();
    for row in all() {
        let mut line = String::new();
        for (entry, width) in row.iter().zip(widths) {
            line.push_str(entry);
            // Not by a width in `format!`, which panics above 65,535.
            let blanks = width - entry.chars().count() + 2;
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
