//! Rules for the files of the project: those that Git tracks, and new ones that it does not ignore.
//!
//! Each rule is a function from a file to what is wrong with it, with a test that runs it over the
//! project and another that shows it a planted fault.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

const LINE_COLUMNS_MAX: usize = 100;
const FILE_LINES_MAX: usize = 700;

/// A file of the project, by its path from the root with `/` between folders.
struct File {
    path: String,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file; pictures and the like are not for these rules.
fn files() -> Vec<File> {
    let list = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .expect("git must be installed: the rules hold for the files that it tracks");
    assert!(
        list.status.success(),
        "{}",
        String::from_utf8_lossy(&list.stderr)
    );
    let paths = String::from_utf8(list.stdout).expect("paths in this project are UTF-8");
    let read = |path: &str| {
        let text = fs::read_to_string(root().join(path)).ok()?;
        Some(File {
            path: path.to_owned(),
            text,
        })
    };
    let files: Vec<File> = paths.split('\0').filter_map(read).collect();
    assert!(
        files.iter().any(|file| file.path == "tests/tidy.rs"),
        "git lists other files"
    );
    files
}

fn demand(rule: impl Fn(&File) -> Vec<String>) {
    let found: Vec<String> = files().iter().flat_map(rule).collect();
    assert!(
        found.is_empty(),
        "{} to mend:\n{}",
        found.len(),
        found.join("\n")
    );
}

fn long_lines(file: &File) -> Vec<String> {
    let long = |(line, text): (usize, &str)| {
        let columns = text.chars().count();
        let (path, most) = (&file.path, LINE_COLUMNS_MAX);
        (columns > most).then(|| format!("{path}:{line}: {columns} columns; break it at {most}"))
    };
    if file.is_rust() {
        file.numbered().filter_map(long).collect()
    } else {
        Vec::new()
    }
}

fn long_file(file: &File) -> Vec<String> {
    let lines = file.text.lines().count();
    if !file.is_rust() || lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![format!(
        "{}: {lines} lines; at most {FILE_LINES_MAX}: split it by subject",
        file.path
    )]
}

fn unfinished(file: &File) -> Vec<String> {
    // Joined here so that this file does not hold the words itself.
    let words = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!"));
    let mut found = Vec::new();
    for (line, text) in file.numbered().filter(|_| file.is_rust()) {
        for word in words.iter().filter(|word| text.contains(*word)) {
            found.push(format!(
                "{}:{line}: `{word}`; finish it before it is committed",
                file.path
            ));
        }
    }
    found
}

fn module_without_doc(file: &File) -> Vec<String> {
    // A probe is a test input, compiled apart.
    let exempt = !file.is_rust() || file.path.starts_with("xtask/probe/");
    if exempt || file.text.starts_with("//!") {
        return Vec::new();
    }
    vec![format!(
        "{}: begin with `//!` and what the module is for",
        file.path
    )]
}

/// A place in the text counts only where a path begins, so that `docs/work/` is no finding.
fn machine_paths(file: &File) -> Vec<String> {
    let bad = ["work", "tmp/wt", "root"].map(|folder| format!("/{folder}/"));
    let part_of_path = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let mut found = Vec::new();
    for (line, text) in file.numbered() {
        for path in &bad {
            let begins = |(at, _): (usize, &str)| {
                !text
                    .get(..at)
                    .is_some_and(|before| before.ends_with(part_of_path))
            };
            if text.match_indices(path.as_str()).any(begins) {
                let place = format!("{}:{line}", file.path);
                found.push(format!(
                    "{place}: `{path}` is of one machine; name it from the root"
                ));
            }
        }
    }
    found
}

/// Paths that a page names: link targets, and code spans that look like a path.
fn named_paths(text: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        let links = line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let links = links.filter_map(|link| link.split('#').next());
        let spans = line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|span| looks_like_path(span));
        let paths = links
            .chain(spans)
            .filter(|path| !path.is_empty() && !path.contains(':'));
        named.extend(paths.map(|path| (index + 1, path.to_owned())));
    }
    named
}

fn looks_like_path(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let folder = span.ends_with('/');
    let kinds = [
        ".rs", ".md", ".toml", ".csv", ".py", ".html", ".yaml", ".json",
    ];
    let file = span.contains('/') && kinds.iter().any(|kind| span.ends_with(kind));
    span.chars().all(plain) && !span.starts_with('/') && (folder || file)
}

/// Paths hold from the root or from the page's own folder. What a build makes is not there yet,
/// and what lies outside the repository need not be.
fn dead_paths(file: &File, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let dead = |path: &str| {
        let elsewhere = path.starts_with("target/") || path.starts_with("../shared/");
        !elsewhere && !exists(Path::new(path)) && !exists(&folder.join(path))
    };
    let named = named_paths(&file.text)
        .into_iter()
        .filter(|(_, path)| dead(path));
    let mend = "there is no such file or folder; correct the name, or drop it";
    named
        .map(|(line, path)| format!("{}:{line}: `{path}`: {mend}", file.path))
        .collect()
}

fn decision_out_of_form(file: &File) -> Vec<String> {
    let Some(name) = file.path.strip_prefix("docs/decisions/") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let numbered = name.split_once('-').is_some_and(|(number, title)| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let title = title.strip_suffix(".md").unwrap_or("?");
        number.len() == 4
            && number.chars().all(|c| c.is_ascii_digit())
            && !title.is_empty()
            && title.chars().all(plain)
    });
    if !numbered {
        found.push(format!("{}: name it NNNN-title-in-words.md", file.path));
    }
    if !file.text.lines().take(10).any(holds_date) {
        found.push(format!(
            "{}: give the date, YYYY-MM-DD, in the first ten lines",
            file.path
        ));
    }
    found
}

fn holds_date(line: &str) -> bool {
    line.split(|c: char| !c.is_ascii_digit() && c != '-')
        .any(|word| {
            let shape: String = word
                .chars()
                .map(|c| if c == '-' { '-' } else { '9' })
                .collect();
            shape == "9999-99-99"
        })
}

fn changelog_without_unreleased(file: &File) -> Vec<String> {
    let heading = |line: &str| {
        line.strip_prefix("## ")
            .is_some_and(|title| title.trim_matches(['[', ']']) == "Unreleased")
    };
    if file.path != "CHANGELOG.md" || file.text.lines().any(heading) {
        return Vec::new();
    }
    vec!["CHANGELOG.md: add a section `## Unreleased` on top for what is not yet out".to_owned()]
}

#[test]
fn rust_lines_fit_the_width() {
    demand(long_lines);
}

#[test]
fn rust_files_are_of_one_subject() {
    demand(long_file);
}

#[test]
fn nothing_is_left_unfinished() {
    demand(unfinished);
}

#[test]
fn every_module_says_what_it_is_for() {
    demand(module_without_doc);
}

#[test]
fn no_path_of_one_machine() {
    demand(machine_paths);
}

#[test]
fn pages_name_only_what_exists() {
    for page in ["README.md", "ARCHITECTURE.md"] {
        if !root().join(page).is_file() {
            common::skip(&format!("{page} is not written yet"));
            return;
        }
    }
    demand(|file| dead_paths(file, |path| root().join(path).exists()));
}

#[test]
fn decisions_are_numbered_and_dated() {
    demand(decision_out_of_form);
    let mut numbers: Vec<String> = files()
        .iter()
        .filter_map(|file| file.path.strip_prefix("docs/decisions/"))
        .filter_map(|name| name.split('-').next().map(str::to_owned))
        .collect();
    numbers.sort();
    for pair in numbers.windows(2) {
        assert_ne!(
            pair[0], pair[1],
            "two files in docs/decisions/ share a number: renumber one"
        );
    }
}

#[test]
fn the_changelog_is_open() {
    if !root().join("CHANGELOG.md").is_file() {
        common::skip("CHANGELOG.md is not written yet");
        return;
    }
    demand(changelog_without_unreleased);
}

/// Runs a rule over a file made for it and demands so many findings.
fn plant(rule: impl Fn(&File) -> Vec<String>, path: &str, text: &str, findings: usize) {
    let found = rule(&File {
        path: path.to_owned(),
        text: text.to_owned(),
    });
    assert_eq!(found.len(), findings, "{path} with {text:?}: {found:?}");
}

#[test]
fn rules_for_code_find_planted_faults() {
    plant(long_lines, "a.rs", &format!("ok\n{}", "é".repeat(101)), 1);
    plant(long_lines, "a.rs", &"é".repeat(100), 0);
    plant(long_file, "a.rs", &"x\n".repeat(701), 1);
    plant(long_file, "a.rs", &"x\n".repeat(700), 0);
    plant(unfinished, "a.rs", concat!("x\n", "to", "do!()"), 1);
    plant(
        unfinished,
        "a.rs",
        concat!("d", "bg!(x); unimpl", "emented!()"),
        2,
    );
    plant(module_without_doc, "a.rs", "use std::fmt;\n//! Late.", 1);
    plant(module_without_doc, "a.rs", "//! A.\n", 0);
}

#[test]
fn rules_for_pages_find_planted_faults() {
    plant(machine_paths, "a.md", concat!("see /wo", "rk/x"), 1);
    plant(machine_paths, "a.toml", concat!("p = \"/ro", "ot/x\""), 1);
    plant(machine_paths, "a.md", concat!("file:///ro", "ot/x"), 1);
    plant(machine_paths, "a.md", concat!("docs/wo", "rk/x"), 0);
    let nothing_exists = |file: &File| dead_paths(file, |_| false);
    let docs_exist = |file: &File| dead_paths(file, |path| path == Path::new("docs/a.md"));
    plant(
        nothing_exists,
        "a.md",
        "in `core/gone/` and [x](docs/gone.md#part)",
        2,
    );
    plant(
        nothing_exists,
        "a.md",
        "`GET /x/`, `a b/`, [x](https://x.y/z), `target/x/`",
        0,
    );
    plant(nothing_exists, "a.md", "```\n`core/gone/`\n```", 0);
    plant(
        docs_exist,
        "docs/b.md",
        "[from here](a.md), [from the root](docs/a.md)",
        0,
    );
    plant(docs_exist, "b.md", "[not from the root](a.md)", 1);
    plant(
        decision_out_of_form,
        "docs/decisions/0001-a-b.md",
        "# A\n2026-11-23",
        0,
    );
    plant(
        decision_out_of_form,
        "docs/decisions/1-a.md",
        "# A\n2026-11-23",
        1,
    );
    plant(
        decision_out_of_form,
        "docs/decisions/0001-A b.md",
        "# A\n2026-11-23",
        1,
    );
    plant(
        decision_out_of_form,
        "docs/decisions/0001-a.md",
        "# A\n23.11.2026",
        1,
    );
    plant(decision_out_of_form, "docs/decisions/index.md", "# A", 2);
    plant(
        changelog_without_unreleased,
        "CHANGELOG.md",
        "# Changes\n## 0.1.0",
        1,
    );
    plant(
        changelog_without_unreleased,
        "CHANGELOG.md",
        "## [Unreleased]",
        0,
    );
}
