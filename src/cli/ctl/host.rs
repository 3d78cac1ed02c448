//! Answering as the host: from a file, or by a person at the keyboard.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _};
use std::path::Path;

use serde_json::Value;

use super::{Line, answer_of};
use crate::cli::print;
use crate::operator::{Problem, Request};

/// Joins as the host and answers until the engine ends.
pub(super) fn run(mut line: Line, answers: Option<&Path>, json: bool) -> Result<(), Problem> {
    let answers = answers.map(read).transpose()?;
    line.ask(&Request::Host { answers: None })?;
    // Questions come when they come.
    let no_limit = line.write.set_read_timeout(None);
    no_limit.map_err(|error| line.broke(&error))?;
    if answers.is_none() {
        type_answers(&line)?;
    }
    while let Some(said) = line.next()? {
        if json {
            print(&format!("{said}\n"));
        }
        let question = &said["ask"];
        let Some(parcel) = question["parcel"].as_str() else {
            tell_answer(said, json);
            continue;
        };
        let waybill = question["waybill"].as_str().unwrap_or_default();
        let Some(answers) = &answers else {
            if !json {
                let within = &question["within_ms"];
                print(&format!("{parcel}  {waybill}  within {within} ms?\n"));
            }
            continue;
        };
        let said = answers.get(waybill).map_or("unknown", String::as_str);
        line.send(&says(parcel, said))?;
        if !json {
            print(&format!("{parcel}  {waybill}  {said}\n"));
        }
    }
    Ok(())
}

/// How an answer of ours was taken: only a refusal is worth a line.
fn tell_answer(reply: Value, json: bool) {
    if let Err(problem) = answer_of(reply)
        && !json
    {
        eprintln!("{problem}");
    }
}

fn says(parcel: &str, said: &str) -> Request {
    let parcel = parcel.to_owned();
    match said {
        "hold" => Request::HostSays {
            parcel,
            dest: None,
            hold: true,
        },
        "" | "unknown" => Request::HostSays {
            parcel,
            dest: None,
            hold: false,
        },
        dest => Request::HostSays {
            parcel,
            dest: Some(dest.to_owned()),
            hold: false,
        },
    }
}

/// Sends what is typed, on a thread of its own.
fn type_answers(line: &Line) -> Result<(), Problem> {
    let write = line.write.try_clone().map_err(|error| line.broke(&error))?;
    let read = write.try_clone().map_err(|error| line.broke(&error))?;
    let mut typed = Line {
        read: io::BufReader::new(read),
        write,
        path: line.path.clone(),
        by: line.by.clone(),
    };
    let body = move || {
        for text in io::stdin().lock().lines().map_while(Result::ok) {
            let mut words = text.split_whitespace();
            match (words.next(), words.next()) {
                (None, _) => {}
                (Some(parcel), Some(said)) => {
                    if typed.send(&says(parcel, said)).is_err() {
                        return;
                    }
                }
                (Some(_), None) => {
                    eprintln!("write the parcel and where it goes, `hold` or `unknown`");
                }
            }
        }
    };
    std::thread::Builder::new()
        .name("answers".to_owned())
        .spawn(body)
        .map(drop)
        .map_err(|error| line.broke(&error))
}

/// The answers of a file, by waybill.
fn read(path: &Path) -> Result<BTreeMap<String, String>, Problem> {
    let unusable = |what: String| {
        let problem = format!("{}: {what}", path.display());
        Problem::unusable(
            problem,
            "give a CSV file with columns `waybill` and `destination`",
        )
    };
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.trim(csv::Trim::All).from_path(path);
    let mut reader = reader.map_err(|error| unusable(error.to_string()))?;
    let header = reader
        .headers()
        .map_err(|error| unusable(error.to_string()))?;
    let column = |name: &str| header.iter().position(|column| column == name);
    let (Some(waybill), Some(dest)) = (column("waybill"), column("destination")) else {
        return Err(unusable("a column is missing".to_owned()));
    };
    let mut answers = BTreeMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| unusable(error.to_string()))?;
        let field = |at: usize| row.get(at).unwrap_or_default().to_owned();
        answers.insert(field(waybill), field(dest));
    }
    Ok(answers)
}
