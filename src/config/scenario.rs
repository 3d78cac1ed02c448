//! Scenario files: what people do in a hub, and when.
//!
//! ```toml
//! hub = "demo.toml"            # beside this file; where no hub is named otherwise
//! starts = "06:00"             # time of day at the start: waves are cut off by it
//!
//! [[at]]
//! time = "00:10:00"
//! do = "chute A03 lock"        # in words, as behind `sorthub ctl`
//!
//! [[at]]
//! time = "12m"
//! do = "chute"                 # or as a table, as over the socket
//! chute = "A03"
//! to = "unlock"
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use sorthub_core::directory::Directory;
use sorthub_core::hub::Hub;
use sorthub_core::identify::Formats;
use sorthub_core::operator::Command;
use sorthub_core::plan::Plan;
use sorthub_core::units::Micros;
use sorthub_sim::run::{Action, Deed};

use super::fault::{Fault, ScenarioFault};
use super::reader::{Faults, Table, Value};
use super::source::{Source, Span};
use super::{HubFile, nearest, syntax};
use crate::operator::{
    CutOffs, LocalSeconds, Names, PlanTo, Problem, ReadPlan, Request, Turn, WaveTo, time_of_day,
};

/// Nobody writes down a longer day.
const SCENARIO_MB_MAX: u64 = 16;

/// What people do in a hub, and when.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The hub's file, as the scenario names it.
    pub hub: Option<PathBuf>,
    /// Minutes after midnight when it starts.
    pub starts_min: Option<u16>,
    /// What is done, in the order of time.
    pub steps: Vec<Step>,
    source: Source,
    lost: Lost,
}

/// What could not be read of a scenario with faults, so that what follows from it is not told too.
#[derive(Clone, Copy, Debug, Default)]
struct Lost {
    /// A hub is named, but in no way that can be understood.
    hub: bool,
    /// The same of the time at the start.
    starts: bool,
    /// Something may have been said of plans.
    plans: bool,
}

/// Something that is done.
#[derive(Clone, Debug)]
pub struct Step {
    /// When, from the start.
    pub at: Micros,
    /// What.
    pub request: Request,
    /// The same as it was written.
    words: String,
    places: Places,
}

/// Where the parts of a step stand.
#[derive(Clone, Debug)]
struct Places {
    verb: Span,
    /// Keys and texts of a step that is written as a table.
    parts: Vec<(String, Span)>,
}

impl Places {
    fn new(verb: Span, table: &Table<'_>) -> Self {
        let keys = table.keys().into_iter().filter(|(key, _)| *key != "do");
        let parts = keys.flat_map(|(key, span)| {
            let value = table.entry(key, "a key");
            let text = value.and_then(|value| Some((value.any_text()?.to_owned(), value.span)));
            [Some((key.to_owned(), span)), text]
        });
        Self {
            verb,
            parts: parts.flatten().collect(),
        }
    }

    /// What a problem is about: the part that it quotes, or the request as a whole.
    fn of(&self, problem: &Problem) -> Span {
        let quoted = |(text, _): &&(String, Span)| problem.detail.contains(&format!("`{text}`"));
        let part = self.parts.iter().find(quoted);
        part.map_or(self.verb, |(_, span)| *span)
    }
}

impl Scenario {
    /// Reads a scenario's text as far as it can be understood, with every fault in it. Names are
    /// looked up by [`Scenario::actions`], which leaves out what follows from these faults.
    #[must_use]
    pub fn inspect(source: &Source) -> (Self, Vec<Fault>) {
        let (mended, slips) = syntax::mend(source);
        let entries = syntax::parse(&mended);
        let faults = Faults::new(source, &slips);
        let root = Table::new(&faults, &entries, Span::default(), "the file");
        let (hub, starts) = (root.get("hub"), root.get("starts"));
        let is_named = hub.is_some();
        let hub = hub.and_then(|v| v.text()).map(PathBuf::from);
        let starts_min = starts.and_then(|value| {
            let text = value.text()?;
            time_of_day(text)
                .map_err(|problem| value.fault(of_problem(problem)))
                .ok()
        });
        let mut lost = Lost {
            hub: is_named && hub.is_none(),
            starts: starts.is_some() && starts_min.is_none(),
            plans: faults.any_headers_broken(),
        };
        let tables = root.tables("at", "[[at]]");
        if root.get("at").is_none() {
            root.missing("at", "[[at]]` with `time` and `do");
        }
        let mut steps: Vec<Step> = Vec::new();
        for table in &tables {
            let before = steps.last().map_or(Micros(0), |step| step.at);
            steps.extend(step(table, before, &mut lost));
        }
        root.finish();
        // Stable: what is written first is done first.
        steps.sort_by_key(|step| step.at);
        let scenario = Self {
            hub,
            starts_min,
            steps,
            source: source.clone(),
            lost,
        };
        (scenario, faults.finish())
    }

    /// Reads a scenario's file for a hub, with what its steps are for the simulator: as
    /// [`Scenario::actions`].
    ///
    /// # Errors
    /// Every fault of its text and of its names, in the order of their places.
    pub fn read_for(
        path: &Path,
        file: &HubFile,
        until: Option<Micros>,
    ) -> Result<(Self, Vec<Action>), Vec<Fault>> {
        let (scenario, mut faults) = Self::inspect(&Source::read(path, SCENARIO_MB_MAX)?);
        match scenario.actions(file, until) {
            Ok(actions) if !faults.iter().any(Fault::is_error) => Ok((scenario, actions)),
            actions => {
                faults.extend(actions.err().unwrap_or_default());
                Err(super::fault::in_order(faults))
            }
        }
    }

    /// Whether a text looks like a scenario's: it has steps, or begins with what only a scenario
    /// says.
    #[must_use]
    pub fn is_one(source: &Source) -> bool {
        let lines = || source.text().lines().map(str::trim);
        let is_own = |line: &str| {
            let key = line.split_once('=').map(|(key, _)| key.trim());
            key.is_some_and(|key| matches!(key, "hub" | "starts"))
        };
        let mut beginning = lines().take_while(|line| !line.starts_with('['));
        lines().any(|line| line.starts_with("[[at]]")) || beginning.any(is_own)
    }

    /// What its steps are for the simulator: names looked up in the hub and in the plan that is
    /// active by then, plans read, waves cut off at their hours up to `until`. Plans' paths hold
    /// from the scenario's own folder.
    ///
    /// # Errors
    /// Every fault, in the order of their places.
    pub fn actions(
        &self,
        file: &HubFile,
        until: Option<Micros>,
    ) -> Result<Vec<Action>, Vec<Fault>> {
        let mut reading = Reading::new(self, file);
        let mut at_last = Micros(0);
        for step in &self.steps {
            reading.cut_off(step.at);
            reading.step(step);
            at_last = step.at;
        }
        reading.cut_off(until.unwrap_or(at_last));
        if reading.faults.is_empty() {
            Ok(reading.actions)
        } else {
            Err(super::fault::in_order(reading.faults))
        }
    }

    /// Whether a step names a waybill by its text.
    #[must_use]
    pub fn names_waybills(&self) -> bool {
        self.steps.iter().any(|step| {
            matches!(
                step.request,
                Request::Intercept { .. }
                    | Request::Hold { .. }
                    | Request::Release { .. }
                    | Request::Verdict { .. }
                    | Request::Unread(_)
            )
        })
    }

    /// What is asked when, for a running engine; plans' paths hold from where we are.
    #[must_use]
    pub fn timetable(&self) -> Vec<(Micros, Request)> {
        let steps = self.steps.iter().map(|step| match &step.request {
            Request::Plan(PlanTo::Stage { file }) => {
                let file = self.beside(file);
                (step.at, Request::Plan(PlanTo::Stage { file }))
            }
            other => (step.at, other.clone()),
        });
        steps.collect()
    }

    /// The same path from the scenario's own folder.
    fn beside(&self, path: &Path) -> PathBuf {
        match Path::new(self.source.name()).parent() {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        }
    }

    /// The hub's file, from the scenario's own folder.
    #[must_use]
    pub fn hub_file(&self) -> Option<PathBuf> {
        self.hub.as_deref().map(|hub| self.beside(hub))
    }

    /// Every fault of a scenario, in its text and in its names. These are looked up in the hub that
    /// it names, or else in this one.
    #[must_use]
    pub fn check(source: &Source, hub: Option<&HubFile>) -> Vec<Fault> {
        let (scenario, mut faults) = Self::inspect(source);
        let named = scenario.hub_file().map(|named| HubFile::read(&named));
        match named.transpose() {
            Ok(named) => match named.as_ref().or(hub) {
                Some(hub) => faults.extend(scenario.actions(hub, None).err().unwrap_or_default()),
                None if scenario.lost.hub => {}
                None => faults.push(source.fault(Span::default(), ScenarioFault::NoHub)),
            },
            Err(of_hub) => faults.extend(of_hub),
        }
        super::fault::in_order(faults)
    }
}

/// One `[[at]]`. One whose time cannot be understood is taken for the time of the one `before`, so
/// that its names are looked up all the same.
fn step(table: &Table<'_>, before: Micros, lost: &mut Lost) -> Option<Step> {
    let at = table
        .require("time", "time = \"00:10:00\"")
        .and_then(|value| time(&value));
    let was_lost = std::mem::replace(&mut lost.plans, true);
    let verb = table.require("do", "do = \"chute A03 lock\"")?;
    let text = verb.text()?;
    let first = text.split_whitespace().next().unwrap_or_default();
    lost.plans = was_lost;
    let mut places = Places::new(verb.span, table);
    let in_words = text.trim().contains(char::is_whitespace) || table.keys().len() <= 2;
    let (request, words) = if in_words {
        // In words it is all said: another key is one that nobody reads.
        table.finish();
        places.parts.clear();
        (Request::from_words(text), text.to_owned())
    } else {
        // What a request's keys are, the request knows.
        let fields = Json::Object(table.as_json("time"));
        let words = fields.to_string();
        (Request::from_json(fields), words)
    };
    let report = |problem: Problem| table.faults.add(places.of(&problem), of_problem(problem));
    let about_plans = nearest(first, ["plan"]).is_some();
    lost.plans |= about_plans && (request.is_err() || at.is_none());
    let request = request.map_err(report).ok()?;
    let name = || first.to_owned();
    if request.only_looks() {
        verb.fault(ScenarioFault::OnlyLooks { verb: name() });
        return None;
    }
    if matches!(
        request,
        Request::Host { .. } | Request::Alarms(_) | Request::Advice(_)
    ) {
        verb.fault(ScenarioFault::NotHere { verb: name() });
        return None;
    }
    Some(Step {
        at: at.unwrap_or(before),
        request,
        words,
        places,
    })
}

/// A time of the run: `00:10:00`, or a span such as `10m`.
fn time(value: &Value<'_>) -> Option<Micros> {
    let text = value.text()?;
    let time = clock_time(text).or_else(|| crate::cli::duration::parse(text).ok());
    if time.is_none() {
        let found = text.to_owned();
        value.fault(ScenarioFault::BadTime { found });
    }
    time
}

/// Hours, minutes and seconds; hours can be any number.
fn clock_time(text: &str) -> Option<Micros> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else {
        return None;
    };
    let number = |part: &str, most: u64| {
        let is_plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = part.parse::<u64>().ok().filter(|_| is_plain)?;
        (number <= most).then_some(number)
    };
    // A hundred years of hours.
    let (hours, minutes) = (number(hours, 1_000_000)?, number(minutes, 59)?);
    let seconds = number(seconds, 59)?;
    Some(Micros::from_secs((hours * 60 + minutes) * 60 + seconds))
}

fn of_problem(problem: Problem) -> ScenarioFault {
    ScenarioFault::Request {
        detail: problem.detail,
        how: problem.mend,
    }
}

/// Steps on their way to actions.
struct Reading<'a> {
    scenario: &'a Scenario,
    hub: &'a Hub,
    formats: Option<&'a Formats>,
    container_labels: Option<&'a Formats>,
    directory: &'a Directory,
    /// The active plan, and the one before.
    plan: Arc<Plan>,
    before: Option<Arc<Plan>>,
    staged: Vec<Arc<Plan>>,
    cut_offs: CutOffs,
    actions: Vec<Action>,
    faults: Vec<Fault>,
    /// A plan may be missing among those that are staged.
    stage_lost: bool,
    /// The same of those that were active.
    switch_lost: bool,
    /// It is another plan than this that should be active now.
    plan_unknown: bool,
}

impl<'a> Reading<'a> {
    fn new(scenario: &'a Scenario, file: &'a HubFile) -> Self {
        let mut reading = Self {
            scenario,
            hub: &file.hub,
            formats: file.formats.as_deref(),
            container_labels: file.container_labels.as_deref(),
            directory: &file.directory,
            plan: Arc::clone(&file.plan),
            before: None,
            staged: vec![Arc::clone(&file.plan)],
            cut_offs: CutOffs::default(),
            actions: Vec::new(),
            faults: Vec::new(),
            stage_lost: scenario.lost.plans,
            switch_lost: scenario.lost.plans,
            plan_unknown: false,
        };
        reading.begin_plan(Micros(0));
        reading
    }

    /// The local time at a time of the run; `None` where no one says what time it starts.
    fn local(&self, at: Micros) -> Option<LocalSeconds> {
        let starts_s = i64::from(self.scenario.starts_min?) * 60;
        Some(LocalSeconds(
            starts_s + i64::try_from(at.0 / 1_000_000).ok()?,
        ))
    }

    fn begin_plan(&mut self, at: Micros) {
        self.cut_offs = match self.local(at) {
            Some(now) => self.cut_offs.under(&self.plan, now),
            None => CutOffs::default(),
        };
    }

    /// Cuts off, and opens again, what is due up to a time.
    fn cut_off(&mut self, until: Micros) {
        let (Some(starts), Some(until)) = (self.local(Micros(0)), self.local(until)) else {
            return;
        };
        while let Some(next) = self.cut_offs.next().filter(|next| *next <= until) {
            let seconds = u64::try_from(next.0 - starts.0).unwrap_or(0);
            for Turn { wave, open } in self.cut_offs.due(next) {
                let name = &self.plan.spec().waves[wave.index()].name;
                let words = if open {
                    format!("wave open {name} (its next day)")
                } else {
                    format!("wave close {name} (its cut-off)")
                };
                let deeds = vec![Deed::Command(Command::Wave { wave, open })];
                let at = Micros::from_secs(seconds);
                self.actions.push(Action { at, words, deeds });
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match self.deeds(step) {
            Ok(deeds) if deeds.is_empty() => {}
            Ok(deeds) => self.actions.push(Action {
                at: step.at,
                words: step.words.clone(),
                deeds,
            }),
            Err(_) if self.follows(&step.request) => {}
            Err(problem) => {
                let (span, source) = (step.places.of(&problem), &self.scenario.source);
                self.faults.push(source.fault(span, of_problem(problem)));
            }
        }
    }

    /// Whether the fault of a request may only follow from one that is told already.
    fn follows(&mut self, request: &Request) -> bool {
        match request {
            Request::Plan(PlanTo::Stage { .. }) => {
                self.stage_lost = true;
                false
            }
            Request::Plan(PlanTo::Rollback {}) => {
                self.plan_unknown |= self.switch_lost;
                self.switch_lost
            }
            Request::Plan(_) => {
                (self.plan_unknown, self.switch_lost) = (true, true);
                self.stage_lost
            }
            Request::Wave(_) | Request::Intercept { .. } | Request::HostSays { .. } => {
                self.plan_unknown
            }
            _ => false,
        }
    }

    fn deeds(&mut self, step: &Step) -> Result<Vec<Deed>, Problem> {
        match &step.request {
            Request::Plan(PlanTo::Stage { file }) => {
                let read = ReadPlan::read(&self.scenario.beside(file), self.hub, self.formats)?;
                self.staged.push(read.plan);
                Ok(Vec::new())
            }
            Request::Plan(PlanTo::Activate { version }) => {
                let mut all = self.staged.iter().rev();
                let found = all.find(|plan| plan.version() == *version).cloned();
                let plan = found.ok_or_else(|| {
                    let problem = format!("no plan {version} is staged by then");
                    Problem::refused(problem, "stage it first: `plan stage FILE`")
                })?;
                Ok(self.activate(step.at, plan))
            }
            Request::Plan(PlanTo::Rollback {}) => {
                let before = self.before.clone().ok_or_else(|| {
                    let problem = "no plan was active before this one";
                    Problem::refused(problem, "activate another one first")
                })?;
                Ok(self.activate(step.at, before))
            }
            Request::Wave(WaveTo::Extend { wave, until }) => {
                let until_min = time_of_day(until)?;
                let wave = self.names().wave_id(wave)?;
                if self.scenario.lost.starts {
                    return Ok(Vec::new());
                }
                let now = self.local(step.at).ok_or_else(|| {
                    let problem = "the scenario does not say at what time of day it starts";
                    Problem::unusable(problem, "add `starts = \"06:00\"` at its beginning")
                })?;
                self.cut_offs.extend(wave, until_min, now)?;
                Ok(vec![Deed::Command(Command::Wave { wave, open: true })])
            }
            request => {
                let commands = self.names().commands(request)?.unwrap_or_default();
                Ok(commands.into_iter().map(Deed::Command).collect())
            }
        }
    }

    fn names(&self) -> Names<'_> {
        Names {
            hub: self.hub,
            plan: &self.plan,
            formats: self.formats,
            container_labels: self.container_labels,
            directory: self.directory,
        }
    }

    fn activate(&mut self, at: Micros, plan: Arc<Plan>) -> Vec<Deed> {
        let version = plan.version();
        let deeds = vec![
            Deed::Stage(Arc::clone(&plan)),
            Deed::Command(Command::Activate { version }),
        ];
        self.plan_unknown = false;
        if version != self.plan.version() {
            self.before = Some(std::mem::replace(&mut self.plan, plan));
            self.begin_plan(at);
        }
        deeds
    }
}
