//! What a step found, and the closing lines of a run.

use std::io::{self, Write};
use std::time::Duration;

use crate::tally::Tally;

/// What one step found. Empty means: ran, and all is well.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// One line each: what is wrong and, where it is not plain, the mend.
    pub(crate) failures: Vec<String>,
    /// What could not be tried here, with the reason. A failure on a CI machine.
    pub(crate) skips: Vec<String>,
    /// The tests that the step ran.
    pub(crate) tests: Tally,
}

impl Report {
    /// A step that could not be tried here.
    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self {
            skips: vec![reason.into()],
            ..Self::default()
        }
    }

    /// A step without tests of its own: `Err` is its one failure.
    pub(crate) fn of(result: Result<(), String>) -> Self {
        Self {
            failures: result.err().into_iter().collect(),
            ..Self::default()
        }
    }
}

/// One step's report with its name and time.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) name: &'static str,
    pub(crate) took: Duration,
    pub(crate) report: Report,
}

/// Everything that a run found.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) steps: Vec<Finished>,
    /// On a CI machine nothing may be skipped.
    pub(crate) ci: bool,
}

impl Run {
    /// Every failure, each with the step that found it. On a CI machine skips are among them.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut all = Vec::new();
        for Finished { name, report, .. } in &self.steps {
            all.extend(
                report
                    .failures
                    .iter()
                    .map(|failure| format!("{name}: {failure}")),
            );
            if self.ci {
                let skips = report.skips.iter();
                all.extend(skips.map(|why| format!("{name}: skipped on a CI machine: {why}")));
            }
        }
        all
    }

    /// The sum over all tests. A failing step counts as at least one failure, so that the
    /// closing line never says `0 failed` for a run that failed.
    pub(crate) fn sum(&self) -> Tally {
        let mut sum = Tally::default();
        for Finished { report, .. } in &self.steps {
            sum.add(report.tests);
            let skips = report.skips.len() as u64;
            let failed = !report.failures.is_empty() || (self.ci && skips > 0);
            sum.failed += u64::from(failed && report.tests.failed == 0);
            sum.skipped += if self.ci { 0 } else { skips };
        }
        sum
    }

    /// Times, skips, failures, and last the closing line.
    ///
    /// # Errors
    /// What writing to `to` gave.
    pub(crate) fn print(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(to, "\n== summary")?;
        for Finished { name, took, report } in &self.steps {
            let failed = !report.failures.is_empty() || (self.ci && !report.skips.is_empty());
            let word = match (failed, report.skips.is_empty()) {
                (true, _) => "FAILED",
                (false, true) => "ok",
                (false, false) => "ok, with skips",
            };
            writeln!(to, "{name:10} {:6.1} s  {word}", took.as_secs_f64())?;
        }
        if !self.ci {
            for Finished { name, report, .. } in &self.steps {
                for why in &report.skips {
                    writeln!(to, "skipped: {name}: {why}")?;
                }
            }
        }
        for failure in self.failures() {
            writeln!(to, "FAILED: {failure}")?;
        }
        writeln!(to, "{}", self.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ci: bool, reports: Vec<Report>) -> Run {
        let finished = |report| Finished {
            name: "step",
            took: Duration::from_secs(1),
            report,
        };
        Run {
            steps: reports.into_iter().map(finished).collect(),
            ci,
        }
    }

    fn closing_line(run: &Run) -> String {
        let mut text = Vec::new();
        run.print(&mut text).expect("a Vec takes every write");
        let text = String::from_utf8(text).expect("the summary is text");
        text.lines().last().expect("a summary has lines").to_owned()
    }

    fn tests(passed: u64, failed: u64, skipped: u64) -> Report {
        let tests = Tally {
            passed,
            failed,
            skipped,
        };
        let failures = if failed > 0 {
            vec!["a test failed".to_owned()]
        } else {
            Vec::new()
        };
        Report {
            tests,
            failures,
            ..Report::default()
        }
    }

    #[test]
    fn the_closing_line_sums_all_tests() {
        let all = run(
            false,
            vec![tests(3, 0, 0), Report::default(), tests(4, 0, 0)],
        );
        assert_eq!(closing_line(&all), "7 passed, 0 failed");
        assert_eq!(
            closing_line(&run(false, vec![tests(3, 2, 1)])),
            "3 passed, 2 failed, 1 skipped"
        );
    }

    #[test]
    fn a_failing_step_without_tests_is_counted() {
        let broken = Report::of(Err("not formatted".to_owned()));
        let all = run(false, vec![broken, tests(3, 0, 0)]);
        assert_eq!(all.failures(), ["step: not formatted"]);
        assert_eq!(closing_line(&all), "3 passed, 1 failed");
    }

    #[test]
    fn a_skip_is_a_failure_on_a_ci_machine_only() {
        let here = run(false, vec![tests(1, 0, 0), Report::skipped("no Chromium")]);
        assert_eq!(closing_line(&here), "1 passed, 0 failed, 1 skipped");
        assert!(here.failures().is_empty());
        let ci = run(true, vec![tests(1, 0, 0), Report::skipped("no Chromium")]);
        assert_eq!(closing_line(&ci), "1 passed, 1 failed");
        assert_eq!(
            ci.failures(),
            ["step: skipped on a CI machine: no Chromium"]
        );
    }
}
