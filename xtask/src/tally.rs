//! Counts tests from what `cargo test` prints, output and errors in one stream.

use std::fmt;

/// What a test writes to standard error when it cannot run here (tests/common/mod.rs).
pub(crate) const SKIP_MARK: &str = "sorthub-test-skipped:";

/// Numbers of tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Ignored, or ended early because something was missing on this machine.
    pub(crate) skipped: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    pub(crate) fn ran(self) -> u64 {
        self.passed + self.failed + self.skipped
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// Reads the output of `cargo test` line by line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    tally: Tally,
    /// Skips announced since the last result line; libtest counts these tests as passed.
    announced: u64,
    /// The test file that is running, from Cargo's `Running` line.
    target: String,
    failures: Vec<String>,
}

impl Reader {
    /// Takes the next line in.
    pub(crate) fn line(&mut self, line: &str) {
        // Results stand at the margin: an indented one is quoted by a test about such output.
        if line.starts_with("test result: ") {
            self.result(line);
            return;
        }
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("Running ") {
            let path = rest.split(" (").next().unwrap_or(rest);
            self.target = path.trim_start_matches("unittests ").to_owned();
        } else if let Some(rest) = line.strip_prefix("Doc-tests ") {
            self.target = format!("documentation of {rest}");
        } else if line.contains(SKIP_MARK) {
            self.announced += 1;
        } else if let Some(rest) = line.strip_prefix("test ")
            && let Some(name) = rest.strip_suffix(" ... FAILED")
        {
            self.failures.push(format!("{} {name}", self.target));
        }
    }

    fn result(&mut self, line: &str) {
        let count = |word: &str| {
            let mut fields = line
                .split([' ', ';', '.'])
                .filter(|field| !field.is_empty());
            let mut before = "";
            fields.find_map(|field| {
                let number = (field == word).then(|| before.parse().ok()).flatten();
                before = field;
                number
            })
        };
        let (Some(passed), Some(failed), Some(ignored)) =
            (count("passed"), count("failed"), count("ignored"))
        else {
            self.failures
                .push(format!("this result line was not understood: {line}"));
            return;
        };
        let skipped = self.announced.min(passed);
        let found = Tally {
            passed: passed - skipped,
            failed,
            skipped: skipped + ignored,
        };
        self.announced = 0;
        // A file under tests/ exists for its tests: none in it means they were lost on the way.
        if found.ran() == 0 && self.target.starts_with("tests/") {
            self.failures
                .push(format!("{} holds no test that runs", self.target));
        }
        self.tally.add(found);
    }

    /// The sum, and one line for each failed test and each test file without tests.
    pub(crate) fn finish(self) -> (Tally, Vec<String>) {
        (self.tally, self.failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Tally, Vec<String>) {
        let mut reader = Reader::default();
        text.lines().for_each(|line| reader.line(line));
        reader.finish()
    }

    #[test]
    fn all_binaries_are_summed_and_failures_named() {
        let (tally, failures) = read(
            "\
     Running unittests src/lib.rs (target/debug/deps/sorthub-0f)
test engine::waits ... ok
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s
     Running tests/demo.rs (target/debug/deps/demo-1a)
test books_balance ... FAILED
test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2s
   Doc-tests sorthub_core
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.3s",
        );
        assert_eq!(
            tally,
            Tally {
                passed: 15,
                failed: 1,
                skipped: 1
            }
        );
        assert_eq!(failures, ["tests/demo.rs books_balance"]);
    }

    #[test]
    fn an_announced_skip_is_no_pass() {
        let (tally, failures) = read(
            "\
     Running tests/page.rs (target/debug/deps/page-1a)
sorthub-test-skipped: page::counts_rise: no ChromeDriver
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
     Running tests/tidy.rs (target/debug/deps/tidy-1a)
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
        );
        assert_eq!(
            tally,
            Tally {
                passed: 4,
                failed: 0,
                skipped: 1
            }
        );
        assert!(failures.is_empty());
    }

    #[test]
    fn a_test_file_without_tests_is_a_failure() {
        let none = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        let (_, failures) = read(&format!("Running tests/page.rs (x)\n{none}"));
        assert_eq!(failures, ["tests/page.rs holds no test that runs"]);
        let (_, failures) = read(&format!("Running unittests src/main.rs (x)\n{none}"));
        assert!(failures.is_empty());
        let (tally, _) = read(&format!("    {none}").replace('0', "7"));
        assert_eq!(tally.ran(), 0, "an indented line is a quotation");
    }

    #[test]
    fn a_result_line_of_another_shape_is_not_passed_over() {
        let (tally, failures) = read("test result: all good");
        assert_eq!(tally.ran(), 0);
        assert_eq!(failures.len(), 1);
    }
}
