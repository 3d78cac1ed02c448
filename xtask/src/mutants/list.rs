//! The list of kept mutants, and the names that stand in the source.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

use crate::purity::rust_files;

/// Where the list is.
pub(super) const LIST: &str = "tests/mutants.toml";
const SOURCES: [&str; 3] = ["core/src", "sim/src", "src"];
/// Defines the macro, and shows how it is used.
const DEFINITION: &str = "core/src/mutant.rs";

/// One entry of the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mutant {
    pub(super) name: String,
    /// The wrong rule, in a sentence.
    pub(super) what: String,
    /// What must catch it.
    pub(super) by: Catcher,
}

/// What must catch a mutant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Catcher {
    /// A test that must fail.
    Test(TestName),
    /// `sorthub torture`.
    Torture,
}

/// A test and where to find it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TestName {
    pub(super) package: String,
    /// The file in `tests/` without its ending; none for a unit test of the library.
    pub(super) file: Option<String>,
    /// The test's whole name.
    pub(super) test: String,
}

impl Catcher {
    /// Package and file of the test, if it is one.
    pub(super) fn target(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Test(test) => Some((&test.package, test.file.as_deref())),
            Self::Torture => None,
        }
    }
}

impl fmt::Display for Catcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test(test) => f.write_str(&test.test),
            Self::Torture => f.write_str("torture"),
        }
    }
}

/// Reads the list.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(root: &Path) -> Result<Vec<Mutant>, String> {
    let text = fs::read_to_string(root.join(LIST)).map_err(|why| format!("{LIST}: {why}"))?;
    parse(&text).map_err(|why| format!("{LIST}: {why}"))
}

fn parse(text: &str) -> Result<Vec<Mutant>, String> {
    let mut table: toml::Table = text
        .parse()
        .map_err(|why: toml::de::Error| why.to_string())?;
    let entries = table
        .remove("mutant")
        .unwrap_or_else(|| toml::Value::Array(Vec::new()));
    if let Some(key) = table.keys().next() {
        return Err(format!("`{key}` is not known: entries are [[mutant]]"));
    }
    let entries = entries
        .as_array()
        .cloned()
        .ok_or("entries are [[mutant]]")?;
    let mut mutants = Vec::new();
    for entry in entries {
        let fields = entry.as_table().cloned().ok_or("entries are [[mutant]]")?;
        let mutant = entry_of(fields)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !mutant.name.chars().all(plain) {
            return Err(format!(
                "mutant `{}`: a name is of a-z, 0-9 and _",
                mutant.name
            ));
        }
        if mutants
            .iter()
            .any(|other: &Mutant| other.name == mutant.name)
        {
            return Err(format!("mutant `{}` is listed twice", mutant.name));
        }
        mutants.push(mutant);
    }
    Ok(mutants)
}

fn entry_of(mut fields: toml::Table) -> Result<Mutant, String> {
    let mut field = |name: &str| match fields.remove(name) {
        Some(toml::Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        None => Ok(None),
        Some(other) => Err(format!(
            "`{name} = {other}` must be a text that is not empty"
        )),
    };
    let name = field("name")?.ok_or("a mutant has no `name`")?;
    let missing = |what: &str| format!("mutant `{name}` has no `{what}`");
    let what = field("what")?.ok_or_else(|| missing("what"))?;
    let by = match field("caught-by")?.as_deref() {
        Some("torture") => Catcher::Torture,
        Some(other) => {
            return Err(format!(
                "mutant `{name}`: `caught-by` is `torture` or left out, not `{other}`"
            ));
        }
        None => Catcher::Test(TestName {
            package: field("package")?.ok_or_else(|| missing("package"))?,
            file: field("test-file")?,
            test: field("test")?.ok_or_else(|| missing("test"))?,
        }),
    };
    if let Some(key) = fields.keys().next() {
        return Err(format!("mutant `{name}`: `{key}` is not known here"));
    }
    Ok(Mutant { name, what, by })
}

/// The names in the source.
///
/// # Errors
/// A file or folder that could not be read.
pub(super) fn in_source(root: &Path) -> Result<BTreeSet<String>, String> {
    let mut files = Vec::new();
    for folder in SOURCES
        .map(|folder| root.join(folder))
        .iter()
        .filter(|folder| folder.is_dir())
    {
        rust_files(folder, &mut files)?;
    }
    files.retain(|file| *file != root.join(DEFINITION));
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let uses = text.split("mutant!(\"").skip(1);
        names.extend(
            uses.filter_map(|rest| rest.split('"').next())
                .map(str::to_owned),
        );
    }
    Ok(names)
}

/// What stands in only one of list and source.
pub(super) fn differences(mutants: &[Mutant], source: &BTreeSet<String>) -> Vec<String> {
    let listed: BTreeSet<String> = mutants.iter().map(|mutant| mutant.name.clone()).collect();
    let unlisted = source.difference(&listed).map(|name| {
        format!("the source has mutant!(\"{name}\"), {LIST} does not: say there what catches it")
    });
    let unused = listed.difference(source).map(|name| {
        format!("{LIST} lists `{name}`, the source has no mutant!(\"{name}\"): drop the entry")
    });
    unlisted.chain(unused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"
        [[mutant]]
        name = "late_is_early"
        what = "the deadline is checked the wrong way round"
        package = "sorthub-core"
        test-file = "deadline"
        test = "late_is_late"
    "#;

    const TORTURED: &str = r#"
        [[mutant]]
        name = "lost"
        what = "a parcel is lost"
        caught-by = "torture"
    "#;

    #[test]
    fn an_entry_is_read() {
        let mutants = parse(&format!("{ENTRY}{TORTURED}")).expect("a good list");
        assert_eq!(mutants.len(), 2);
        let target = Some(("sorthub-core", Some("deadline")));
        assert_eq!(mutants[0].by.target(), target);
        assert_eq!(mutants[1].by, Catcher::Torture);
        assert!(parse("").expect("an empty list").is_empty());
    }

    #[test]
    fn faulty_lists_are_refused_with_the_place() {
        for (from, to, word) in [
            ("what", "wat", "what"),
            ("test-file", "test_file", "test_file"),
            ("late_is_early", "late is early", "a-z"),
            ("[[mutant]]", "[[mutants]]", "mutants"),
            ("\"late_is_late\"", "3", "test"),
            ("package =", "caught-by = \"torture\"\npackage =", "package"),
        ] {
            let message = parse(&ENTRY.replacen(from, to, 1)).expect_err(to);
            assert!(message.contains(word), "{to}: {message}");
        }
        let other = TORTURED.replacen("\"torture\"", "\"luck\"", 1);
        assert!(parse(&other).expect_err("luck").contains("luck"));
        let twice = format!("{ENTRY}{ENTRY}");
        assert!(parse(&twice).expect_err("twice").contains("twice"));
    }

    #[test]
    fn the_list_of_this_repository_and_its_source_agree() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mutants = read(&root).expect("a good list");
        let source = in_source(&root).expect("the source is there");
        assert!(!source.is_empty(), "no mutant was found in the source");
        assert_eq!(differences(&mutants, &source), Vec::<String>::new());
    }

    #[test]
    fn list_and_source_must_agree() {
        let mutants = parse(ENTRY).expect("a good list");
        let source = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert!(differences(&mutants, &source(&["late_is_early"])).is_empty());
        assert_eq!(differences(&mutants, &source(&[])).len(), 1);
        assert_eq!(
            differences(&mutants, &source(&["late_is_early", "other"])).len(),
            1
        );
    }
}
