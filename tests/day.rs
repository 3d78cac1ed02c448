//! The walk-through of docs/day-at-a-hub.md: every command in it is run, in its order, and must
//! show what the document shows.
//!
//! A block of the document that begins with ```` ```console ```` is a terminal: lines with `$ `
//! are commands, what follows is what they print. In what is printed
//! - `…` stands for any text within a line, a line `⋮` for any lines;
//! - `<name>` stands for a word without blanks, which later commands can use;
//! - blanks count as one, however many there are.
//!
//! Commands that only look are asked again until they show it: in the document time passes. A
//! command that uses a `<name>` and is refused is tried again with what is found then: the parcel
//! that it was has left meanwhile. A command with `&` behind it goes on beside the others.

mod common;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use program::{Dir, Running};

/// A command of the document with what it shows.
#[derive(Debug)]
struct Step {
    line: usize,
    command: String,
    shown: Vec<String>,
}

/// Every command in the document, in order.
fn steps(text: &str) -> Vec<Step> {
    let (mut steps, mut is_terminal): (Vec<Step>, bool) = (Vec::new(), false);
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            is_terminal = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_terminal) {
            steps.push(Step {
                line: at + 1,
                command: command.to_owned(),
                shown: Vec::new(),
            });
        } else if let Some(step) = steps.last_mut().filter(|_| is_terminal) {
            step.shown.push(line.to_owned());
        }
    }
    steps
}

/// The names in what people found out, and what they are now.
type Found = BTreeMap<String, String>;

/// Whether some text shows what a step says. Names that it finds are noted.
fn shows(shown: &[String], printed: &str, found: &mut Found) -> bool {
    let clean = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = printed.lines().map(clean).filter(|line| !line.is_empty());
    let mut any_lines = false;
    for wanted in shown
        .iter()
        .map(|line| clean(line))
        .filter(|line| !line.is_empty())
    {
        if wanted == "⋮" {
            any_lines = true;
            continue;
        }
        let fits = if any_lines {
            lines.any(|line| line_shows(&wanted, &line, found))
        } else {
            lines
                .next()
                .is_some_and(|line| line_shows(&wanted, &line, found))
        };
        if !fits {
            return false;
        }
        any_lines = false;
    }
    any_lines || lines.next().is_none()
}

/// Whether a line is as wanted; the names in it are noted only then.
fn line_shows(wanted: &str, line: &str, found: &mut Found) -> bool {
    let mut names = found.clone();
    let fits = rest_shows(wanted, line, &mut names);
    if fits {
        *found = names;
    }
    fits
}

fn rest_shows(wanted: &str, line: &str, names: &mut Found) -> bool {
    if let Some(after) = wanted.strip_prefix('…') {
        let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
        return ends.any(|at| {
            let mut tried = names.clone();
            let fits = rest_shows(after, line.get(at..).unwrap_or(""), &mut tried);
            if fits {
                *names = tried;
            }
            fits
        });
    }
    if let Some((name, after)) = placeholder(wanted) {
        let end = line.find(|c: char| c.is_whitespace() || c == ',' || c == ':');
        let (word, rest) = line.split_at(end.unwrap_or(line.len()));
        names.insert(name.to_owned(), word.to_owned());
        return !word.is_empty() && rest_shows(after, rest, names);
    }
    match (wanted.chars().next(), line.chars().next()) {
        (None, None) => true,
        (Some(a), Some(b)) if a == b => {
            let (wanted, line) = (wanted.get(a.len_utf8()..), line.get(b.len_utf8()..));
            rest_shows(wanted.unwrap_or(""), line.unwrap_or(""), names)
        }
        _ => false,
    }
}

/// `<name>` at the beginning, with what follows it.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('<')?.split_once('>')?;
    name.chars()
        .all(|c| c.is_ascii_lowercase())
        .then_some((name, after))
}

/// A command with names replaced by what they are now.
fn filled(command: &str, found: &Found) -> String {
    let mut text = command.to_owned();
    for (name, word) in found {
        text = text.replace(&format!("<{name}>"), word);
    }
    text
}

/// Words as a shell splits them; the document uses quotes around names with a star.
fn words(command: &str) -> Vec<String> {
    command
        .split_whitespace()
        .map(|word| word.trim_matches('\'').to_owned())
        .collect()
}

/// Whether a command changes nothing, so that it can be asked until it shows what it should.
fn only_looks(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["sorthub", "ctl", rest @ ..] => matches!(
            rest,
            ["status" | "chutes" | "why", ..]
                | ["plan", "list" | "diff", ..]
                | ["wave" | "unread" | "alarms", "list", ..]
        ),
        ["sorthub", "check" | "plan" | "identify", ..] => true,
        _ => false,
    }
}

/// The terminal of the document.
struct Terminal<'d> {
    dir: &'d Dir,
    env: BTreeMap<String, String>,
    beside: Vec<Running>,
    found: Found,
}

impl Terminal<'_> {
    fn run(&mut self, steps: &[Step]) {
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            at = self.step(steps, at, step);
        }
    }

    /// Does a step; gives the next one's position: an earlier one where a parcel has left.
    fn step(&mut self, steps: &[Step], at: usize, step: &Step) -> usize {
        let command = filled(&step.command, &self.found);
        let words = words(&command);
        if let Some(assigned) = command.strip_prefix("export ") {
            let (name, value) = assigned.split_once('=').expect("NAME=value");
            self.env.insert(name.to_owned(), value.to_owned());
        } else if command.ends_with('&') {
            self.start(step, &words[..words.len() - 1]);
        } else if command == "fg" {
            // Back to the engine: Ctrl-C.
            let mut program = self.beside.pop().expect("one was started");
            program.interrupt();
            let code = program.end();
            let said = format!("{}{}", program.err(), program.out());
            assert!(
                shows(&step.shown, &said, &mut self.found),
                "{}: {said}",
                step.line
            );
            assert_eq!(code, Some(0), "line {}: {said}", step.line);
        } else if only_looks(&words) {
            let mut last = String::new();
            let deadline = std::time::Instant::now() + Duration::from_secs(240);
            while !shows(&step.shown, &last, &mut self.found) {
                assert!(
                    std::time::Instant::now() < deadline,
                    "line {}: `{command}` never showed\n{}\nbut\n{last}",
                    step.line,
                    step.shown.join("\n")
                );
                last = self.output(&words).1;
                std::thread::sleep(Duration::from_millis(20));
            }
        } else {
            let (is_done, said) = self.output(&words);
            let is_as_shown = shows(&step.shown, &said, &mut self.found);
            if !is_as_shown && !is_done && step.command.contains('<') {
                // What it names has left: look again where the name was found.
                return finder_of(steps, at);
            }
            assert!(is_as_shown, "line {}: `{command}` said\n{said}", step.line);
        }
        at + 1
    }

    fn start(&mut self, step: &Step, words: &[String]) {
        let args: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        let name = format!("beside-{}", self.beside.len());
        let cwd = self.dir.file("cwd");
        let mut program = Running::start_in(self.dir, &name, &args, &cwd, &self.env);
        let found = &mut self.found;
        program.wait_for("what the document shows", |program| {
            shows(&step.shown, &program.err(), found).then_some(())
        });
        self.beside.push(program);
    }

    /// Runs a command to its end: whether it was done, and what it printed.
    fn output(&self, words: &[String]) -> (bool, String) {
        let (name, args) = words.split_first().expect("a command");
        assert_eq!(name, "sorthub", "only our own commands are run");
        let output = Command::new(common::sorthub())
            .args(args)
            .current_dir(self.dir.file("cwd"))
            .envs(&self.env)
            .env("USER", "lin")
            .env_remove("RUST_LOG")
            .output()
            .expect("the program can be started");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let said = format!("{}{}", text(output.stdout), text(output.stderr));
        (output.status.success(), said)
    }
}

/// The step before this one that shows the names which it uses.
fn finder_of(steps: &[Step], at: usize) -> usize {
    let (_, name) = steps[at].command.split_once('<').expect("a name is used");
    let name = format!("<{}", name.split('>').next().unwrap_or(""));
    let shows_it = |step: &Step| step.shown.iter().any(|line| line.contains(&name));
    let before = steps[..at].iter().rposition(shows_it);
    before.unwrap_or_else(|| panic!("`{name}>` is used before it is shown"))
}

/// A time zone in which it is early in the morning, so that no cut-off of the day comes while the
/// test runs.
fn morning() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let hour = (since.as_secs() / 3_600 % 24) as i64;
    // POSIX counts west of Greenwich.
    format!("DAY{}", hour - 5)
}

#[test]
fn every_command_of_the_day_shows_what_the_document_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/day-at-a-hub.md")).expect("the document");
    let steps = steps(&text);
    assert!(
        steps.len() > 30,
        "a day has more commands than {}",
        steps.len()
    );
    let dir = Dir::new();
    fs::create_dir(dir.file("cwd")).expect("the test's folder takes another");
    for folder in ["config", "docs"] {
        let link = dir.file("cwd").join(folder);
        symlink(root.join(folder), link).expect("a link can be made");
    }
    let mut terminal = Terminal {
        dir: &dir,
        env: BTreeMap::from([("TZ".to_owned(), morning())]),
        beside: Vec::new(),
        found: Found::new(),
    };
    terminal.run(&steps);
    assert!(terminal.beside.is_empty(), "the day ends with the engine");
}

#[test]
fn the_marks_of_the_document_mean_what_they_say() {
    let fits = |shown: &str, printed: &str| {
        let lines: Vec<String> = shown.lines().map(str::to_owned).collect();
        shows(&lines, printed, &mut Found::new())
    };
    assert!(fits("a  b", "a b\n"));
    assert!(!fits("a", "a\nb\n"));
    assert!(fits("a\n⋮", "a\nb\nc\n"));
    assert!(fits("⋮\nc", "a\nb\nc\n"));
    assert!(!fits("⋮\nd", "a\nb\nc\n"));
    assert!(fits("in … s, … left", "in 3.5 s, 7 left"));
    assert!(!fits("in … s", "in 3.5 m"));
    assert!(!fits("a", ""));
    let mut found = Found::new();
    let shown = ["<parcel> … no-read".to_owned()];
    assert!(shows(&shown, "3-127  carrier 5  no-read", &mut found));
    assert_eq!(filled("take <parcel>", &found), "take 3-127");
}
