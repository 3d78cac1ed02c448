//! The desk: takes every request, whoever brings it, and gives back an answer.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use sorthub_core::directory::Directory;
use sorthub_core::hub::Hub;
use sorthub_core::identify::Formats;
use sorthub_core::ids::{ChuteId, CodeId};
use sorthub_core::operator::{Command, Mode, Refused};
use sorthub_core::plan::Plan;
use sorthub_core::running::{RunState, Step};
use sorthub_core::sorter::ChuteIs;
use sorthub_core::units::Micros;

use super::advice_request::AdviceTo;
use super::advices::Advices;
use super::plans::{ReadPlan, Shelf};
use super::problem::{Kind, Problem};
use super::request::{AlarmsTo, PlanTo, Request, UnreadTo, WaveTo};
use super::resolve::Names;
use super::sorters::Sorters;
use super::tell;
use super::texts::Texts;
use super::waves::{CutOffs, LocalSeconds, Turn, clock_at, time_of_day};
use super::words::TrackTo;
use crate::advice::Generations;
use crate::api::HubShow;
use crate::config::plan_words::Words;
use crate::config::{canonical, diff};
use crate::engine::{HostLink, InboxSender, Question};
use crate::journal::{KeepError, PlanKeeper};
use crate::telemetry::{HubView, ShortText, View};

mod waybills;

/// Differences of two plans that an answer lists of each kind; the rest is counted.
const DIFFERENCES_TOLD_MAX: usize = 20;

/// Who asks, for the log and the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// The name that was given.
    pub name: String,
    /// How the request came in, with what is known of its sender for sure.
    pub way: String,
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.name, self.way)
    }
}

/// What a desk works with.
#[derive(Debug)]
pub struct DeskSetup {
    /// The hub.
    pub hub: Arc<Hub>,
    /// The plan that the engine starts with.
    pub plan: Arc<Plan>,
    /// What codes look like; `None`: they are taken as they come.
    pub formats: Option<Arc<Formats>>,
    /// What the hub's own labels of containers look like.
    pub container_labels: Option<Arc<Formats>>,
    /// What codes mean.
    pub directory: Arc<Generations>,
    /// The ways to the decision threads, by sorter.
    pub inboxes: Vec<InboxSender>,
    /// Where plans are kept before they are activated: the journal of each sorter.
    pub keepers: Vec<PlanKeeper>,
    /// Where people are shown what the plan makes of the hub.
    pub show: Option<HubShow>,
    /// The texts of codes that people had named in the run before.
    pub texts: Vec<(CodeId, String)>,
}

/// Takes requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hub: Arc<Hub>,
    container_labels: Option<Arc<Formats>>,
    advices: Advices,
    sorters: Sorters,
    keepers: Vec<PlanKeeper>,
    show: Option<HubShow>,
    /// Held over every request that depends on which plan is active, or changes it.
    plans: tokio::sync::Mutex<Plans>,
    host: Mutex<Option<HostLink>>,
    texts: Mutex<Texts>,
    /// A view that keeps its memory from one look to the next.
    spare: Mutex<Option<Box<View>>>,
}

#[derive(Debug)]
struct Plans {
    shelf: Shelf,
    cut_offs: CutOffs,
    now: LocalSeconds,
}

impl Desk {
    /// A desk for an engine that has just been started, at this local time.
    #[must_use]
    pub fn new(setup: DeskSetup, now: LocalSeconds) -> Self {
        let plans = Plans {
            cut_offs: CutOffs::new(&setup.plan, now),
            shelf: Shelf::new(setup.plan),
            now,
        };
        Self(Arc::new(Inner {
            advices: Advices::new(setup.directory, &setup.hub, setup.formats),
            sorters: Sorters::new(Arc::clone(&setup.hub), setup.inboxes),
            hub: setup.hub,
            container_labels: setup.container_labels,
            keepers: setup.keepers,
            show: setup.show,
            plans: tokio::sync::Mutex::new(plans),
            host: Mutex::new(None),
            texts: Mutex::new(setup.texts.into_iter().collect()),
            spare: Mutex::new(None),
        }))
    }

    /// Does what is asked, or says why not. Must run on a runtime with timers.
    ///
    /// # Errors
    /// See [`Problem`]; nothing has been done then, unless it says so.
    pub async fn ask(&self, asker: &Asker, request: &Request) -> Result<Value, Problem> {
        let answer = self.serve(asker, request).await;
        let told = match &answer {
            Ok(_) => "done".to_owned(),
            Err(problem) => format!("{}: {}", problem.title, problem.detail),
        };
        if request.only_looks() {
            tracing::debug!(target: "audit", %asker, %request, answer = told);
        } else {
            tracing::info!(target: "audit", %asker, %request, answer = told);
        }
        answer
    }

    async fn serve(&self, asker: &Asker, request: &Request) -> Result<Value, Problem> {
        let hub = &self.0.hub;
        match request {
            Request::Status {} => self.look(|view| tell::status(hub, view)).await,
            Request::Chutes { chute, closed } => self.chutes(chute.as_deref(), *closed).await,
            Request::Waybills { waybill, after } => {
                self.waybills(waybill.as_deref(), after.as_deref()).await
            }
            Request::Alarms(AlarmsTo::List {}) => self.look(tell::alarms).await,
            Request::Plan(to) => self.plan(asker, to, request).await,
            Request::Wave(WaveTo::List {}) => {
                // Held until the answer stands, so that the waves are those of the plan.
                let plans = self.0.plans.lock().await;
                let (plan, cut_offs) = (plans.shelf.active(), &plans.cut_offs);
                self.look(|view| tell::waves(plan, view.waves, cut_offs))
                    .await
            }
            Request::Wave(WaveTo::Extend { wave, until }) => {
                self.extend(asker, request, wave, until).await
            }
            Request::Why { of, name, track } => {
                self.why(of, name.as_deref(), track.as_deref()).await
            }
            Request::Alarms(AlarmsTo::Ack { alarm }) => {
                let who = ShortText::new(&asker.name);
                self.0
                    .sorters
                    .alarm(|| Question::Acknowledge(*alarm, who))
                    .await?;
                Ok(json!({ "done": 1 }))
            }
            Request::Alarms(AlarmsTo::Shelve { alarm, minutes }) => {
                let wait = Micros::from_secs(u64::from(*minutes) * 60);
                self.0
                    .sorters
                    .alarm(|| Question::Shelve(*alarm, wait))
                    .await?;
                Ok(json!({ "done": 1 }))
            }
            Request::Unread(UnreadTo::List {}) => {
                let all = self.0.sorters.unread().await?;
                Ok(tell::unread(hub, &all))
            }
            Request::Advice(to) => self.advice(to).await,
            Request::Host { .. } => {
                let problem = "a host stays on the line to be asked";
                Err(Problem::malformed(problem, "join over the local socket"))
            }
            _ => {
                let plans = self.0.plans.lock().await;
                let directory = self.0.advices.directory();
                let names = self.names(plans.shelf.active(), &directory);
                let Some(commands) = names.commands(request)? else {
                    unreachable!("every request that is no command is served above: {request}");
                };
                let mut answer = self
                    .obey(asker, request, &commands, plans.shelf.active())
                    .await?;
                if let Some(note) = self.note(request).await? {
                    answer["note"] = note.into();
                }
                Ok(answer)
            }
        }
    }

    async fn chutes(&self, chute: Option<&str>, only_closed: bool) -> Result<Value, Problem> {
        let plans = self.0.plans.lock().await;
        let directory = self.0.advices.directory();
        let names = self.names(plans.shelf.active(), &directory);
        let chute = chute.map(|name| names.chute(name)).transpose()?;
        drop(plans);
        let asked = |id: ChuteId, is: ChuteIs| {
            let is_closed = is.closed_because().is_some();
            chute.is_none_or(|chute| chute == id) && (is_closed || !only_closed)
        };
        self.look(|view| tell::chutes(&self.0.hub, view, &lock(&self.0.texts), asked))
            .await
    }

    /// Why nothing comes onto a track all the same, for whoever has just had it run.
    async fn note(&self, request: &Request) -> Result<Option<String>, Problem> {
        let Request::Track { track, to, .. } = request else {
            return Ok(None);
        };
        let all = self.0.hub.tracks().iter();
        let Some(at) = all.map(|spec| &spec.name).position(|name| name == track) else {
            return Ok(None);
        };
        let mut state = RunState::default();
        self.look(|view| {
            state = view.tracks[at].state;
            Value::Null
        })
        .await?;
        let may_start = matches!(state.mode, Mode::Automatic | Mode::Manual);
        let wait_for = match to {
            TrackTo::Start if state.closed => "open",
            TrackTo::Open | TrackTo::Mode if may_start && state.step == Step::Stopped => "start",
            _ => return Ok(None),
        };
        Ok(Some(format!(
            "nothing is let in before `track {track} {wait_for}`"
        )))
    }

    fn names<'a>(&'a self, plan: &'a Plan, directory: &'a Directory) -> Names<'a> {
        Names {
            hub: &self.0.hub,
            plan,
            formats: self.0.advices.formats(),
            container_labels: self.0.container_labels.as_deref(),
            directory,
        }
    }

    async fn advice(&self, to: &AdviceTo) -> Result<Value, Problem> {
        let advices = &self.0.advices;
        match to {
            AdviceTo::Status {} => Ok(advices.status()),
            AdviceTo::Load { file, lenient } => advices.load(file, *lenient).await,
            AdviceTo::Set(set) => {
                let plan = Arc::clone(self.0.plans.lock().await.shelf.active());
                let directory = advices.directory();
                let names = self.names(&plan, &directory);
                let (waybill, advice) = (names.identity(&set.waybill)?, names.advice(set)?);
                advices.set(waybill, advice).await
            }
            AdviceTo::Withdraw { waybill } => {
                let plan = Arc::clone(self.0.plans.lock().await.shelf.active());
                let waybill = self.names(&plan, &advices.directory()).identity(waybill)?;
                advices.withdraw(waybill).await
            }
        }
    }

    /// Has commands carried out; all of them are tried.
    async fn obey(
        &self,
        asker: &Asker,
        request: &Request,
        commands: &[Command],
        plan: &Plan,
    ) -> Result<Value, Problem> {
        let note = format!("{asker}: {request}");
        let named = self.names(plan, &self.0.advices.directory()).named(request);
        if let Some((code, text)) = &named {
            // What is refused after all does no harm here.
            lock(&self.0.texts).add(*code, text);
        }
        let answers = self.0.sorters.obey(&note, named, commands).await?;
        let all = commands.iter().zip(&answers);
        let refused: Vec<(&Command, Refused)> = all
            .filter_map(|(command, answer)| Some((command, answer.err()?)))
            .collect();
        let Some((command, first)) = refused.first() else {
            return Ok(json!({ "done": commands.len() }));
        };
        let text = self.refusal(*first, plan);
        let (problem, mend) = text.split_once("; ").unwrap_or((&text, "see `status`"));
        if commands.len() == 1 {
            return Err(Problem::refused(problem, mend).with_code(first.code()));
        }
        let (done, of) = (commands.len() - refused.len(), commands.len());
        let (code, first) = (first.code(), self.device(command));
        let detail = format!("{done} of {of} done; `{first}` was the first refused: {problem}");
        let faults = refused.iter().map(|(command, why)| {
            format!("{}: {}", self.device(command), self.refusal(*why, plan))
        });
        Err(Problem {
            faults: faults.collect(),
            ..Problem::refused(detail, mend).with_code(code)
        })
    }

    /// A refusal with the names of what it is about.
    fn refusal(&self, why: Refused, _plan: &Plan) -> String {
        match why {
            Refused::StillClearing { chute } => {
                let name = self
                    .0
                    .hub
                    .chutes()
                    .get(chute.index())
                    .map(|c| c.name.as_str());
                format!("{why} (the first is {})", name.unwrap_or("?"))
            }
            other => other.to_string(),
        }
    }

    fn device(&self, command: &Command) -> String {
        match command {
            Command::Chute { chute, .. } => self.0.hub.chutes()[chute.index()].name.clone(),
            other => format!("{other:?}"),
        }
    }

    /// Looks at how things are.
    async fn look(&self, tell: impl FnOnce(&View) -> Value) -> Result<Value, Problem> {
        let spare = lock(&self.0.spare).take().unwrap_or_default();
        let view = self.0.sorters.look(spare).await?;
        let told = tell(&view);
        *lock(&self.0.spare) = Some(view);
        Ok(told)
    }

    async fn plan(&self, asker: &Asker, to: &PlanTo, request: &Request) -> Result<Value, Problem> {
        match to {
            PlanTo::Stage { file } => self.stage(asker, file).await,
            PlanTo::List {} => Ok(self.0.plans.lock().await.shelf.list()),
            PlanTo::Diff { from, into } => {
                let plans = self.0.plans.lock().await;
                let (from, into) = (plans.shelf.plan(*from)?, plans.shelf.plan(*into)?);
                drop(plans);
                let words = |plan| Words {
                    hub: &self.0.hub,
                    plan,
                };
                let diff = diff::diff(words(&from), words(&into), DIFFERENCES_TOLD_MAX);
                Ok(json!({ "diff": diff, "text": diff.to_string() }))
            }
            PlanTo::Activate { version } => {
                let mut plans = self.0.plans.lock().await;
                self.activate(asker, request, &mut plans, *version).await
            }
            PlanTo::Rollback {} => {
                let mut plans = self.0.plans.lock().await;
                let Some(before) = plans.shelf.before() else {
                    let problem = "no plan was active before this one";
                    return Err(Problem::refused(problem, "stage and activate another one"));
                };
                self.activate(asker, request, &mut plans, before).await
            }
        }
    }

    /// Reads a plan and keeps it: on the shelf, and in the journal so that a replay finds it.
    async fn stage(&self, asker: &Asker, file: &Path) -> Result<Value, Problem> {
        let (hub, path) = (Arc::clone(&self.0.hub), file.to_owned());
        let formats = self.0.advices.shared_formats();
        let read = move || ReadPlan::read(&path, &hub, formats.as_deref());
        let read = tokio::task::spawn_blocking(read).await;
        let ReadPlan { plan, mut warnings } = read.map_err(|_| lost_thread())??;
        let mut plans = self.0.plans.lock().await;
        let is_there = plans.shelf.admit(&plan)?;
        let version = plan.version();
        if !is_there {
            let (keepers, kept) = (self.0.keepers.clone(), Arc::clone(&plan));
            let keep = move || {
                let text = canonical::plan_to_text(kept.spec());
                let all = keepers.iter();
                let all = all.map(|keeper| keeper.keep(version, text.clone()));
                all.collect::<Result<Vec<Option<u32>>, _>>()
            };
            let kept = tokio::task::spawn_blocking(keep).await;
            let kept = kept.map_err(|_| lost_thread())?;
            let others = kept.map_err(|error| of_keeping(&error))?;
            if let Some(run) = others.into_iter().flatten().max() {
                warnings.push(format!(
                    "warning: run {run} had another plan {version}; give a plan that changes a \
                     version of its own, so that people can tell the two apart"
                ));
            }
            plans
                .shelf
                .put(Arc::clone(&plan), file.to_owned(), asker.to_string());
        }
        Ok(json!({
            "version": version,
            "active": plans.shelf.active().version(),
            "destinations": plan.destinations(),
            "warnings": warnings,
        }))
    }

    async fn activate(
        &self,
        asker: &Asker,
        request: &Request,
        plans: &mut Plans,
        version: u32,
    ) -> Result<Value, Problem> {
        let plan = plans.shelf.plan(version)?;
        self.0.sorters.stage(&plan).await?;
        // Also if it is active: after a refusal by one of several sorters others have it already.
        let was_active = plans.shelf.active().version() == version;
        let command = Command::Activate { version };
        self.obey(asker, request, &[command], plans.shelf.active())
            .await?;
        plans.shelf.activated(version);
        self.0.advices.follow(&plan);
        plans.cut_offs = plans.cut_offs.under(&plan, plans.now);
        self.show(&plan);
        self.turn_waves(plans).await;
        Ok(json!({
            "active": version,
            "before": plans.shelf.before(),
            "was_active": was_active,
        }))
    }

    /// Whoever shows the hub shows it under this plan from now on.
    fn show(&self, plan: &Plan) {
        let view = HubView::new(&self.0.hub, plan);
        self.0.sorters.roles(&view.roles());
        if let Some(show) = &self.0.show {
            show.set(&view);
        }
    }

    async fn extend(
        &self,
        asker: &Asker,
        request: &Request,
        wave: &str,
        until: &str,
    ) -> Result<Value, Problem> {
        let until_min = time_of_day(until)?;
        let mut plans = self.0.plans.lock().await;
        let plan = Arc::clone(plans.shelf.active());
        let wave = self
            .names(&plan, &self.0.advices.directory())
            .wave_id(wave)?;
        let now = plans.now;
        let mut cut_offs = plans.cut_offs.clone();
        let until = cut_offs.extend(wave, until_min, now)?;
        let open = Command::Wave { wave, open: true };
        self.obey(asker, request, &[open], &plan).await?;
        plans.cut_offs = cut_offs;
        Ok(json!({ "cut_off": clock_at(until, now) }))
    }

    /// It is this time now: waves that have reached their cut-off are cut off, those of the next
    /// day opened. To be called about once a second.
    pub async fn tick(&self, now: LocalSeconds) {
        let mut plans = self.0.plans.lock().await;
        plans.now = now;
        self.turn_waves(&mut plans).await;
    }

    async fn turn_waves(&self, plans: &mut Plans) {
        let (now, plan) = (plans.now, Arc::clone(plans.shelf.active()));
        for turn in plans.cut_offs.due(now) {
            let Turn { wave, open } = turn;
            let asker = Asker {
                name: "the plan".to_owned(),
                way: if open { "its next day" } else { "its cut-off" }.to_owned(),
            };
            let name = plan.spec().waves[wave.index()].name.clone();
            let request = Request::Wave(if open {
                WaveTo::Open { wave: name }
            } else {
                WaveTo::Close { wave: name }
            });
            let command = Command::Wave { wave, open };
            let answer = self.obey(&asker, &request, &[command], &plan).await;
            match &answer {
                Ok(_) => tracing::info!(target: "audit", %asker, %request, answer = "done"),
                Err(problem) => {
                    tracing::warn!(target: "audit", %asker, %request, %problem);
                    if problem.kind() == Kind::Busy {
                        plans.cut_offs.again(turn, now);
                    }
                }
            }
        }
    }

    /// Joins as the host: questions come by the link until [`Desk::leave`]. There is one host.
    ///
    /// # Errors
    /// Another one has joined, or the engine has no room for the request.
    pub fn join(&self, asker: &Asker) -> Result<HostLink, Problem> {
        let mut host = lock(&self.0.host);
        if host.is_some() {
            let problem = "another host has joined";
            return Err(Problem::refused(problem, "end that one first"));
        }
        let link = HostLink::new();
        self.0.sorters.host(Some(&link)).map_err(|_| {
            Problem::new(
                Kind::Busy,
                "the engine has no room for requests",
                "try again",
            )
        })?;
        *host = Some(link.clone());
        tracing::info!(target: "audit", %asker, "joined as the host");
        Ok(link)
    }

    /// The host has gone. Until another joins, every question gets its local answer.
    pub fn leave(&self, asker: &Asker, link: &HostLink) {
        let mut host = lock(&self.0.host);
        if host.as_ref().is_some_and(|joined| joined.is(link)) {
            *host = None;
            // Without room its queue fills up, which costs nothing but the count.
            let _ = self.0.sorters.host(None);
            tracing::info!(target: "audit", %asker, "left as the host");
        }
    }
}

fn of_keeping(error: &KeepError) -> Problem {
    let text = error.to_string();
    let (problem, mend) = text.split_once(": ").unwrap_or((&text, "try again"));
    let kind = match error {
        KeepError::Busy => Kind::Busy,
        KeepError::Failing(_) => Kind::Unavailable,
    };
    Problem::new(kind, problem, mend)
}

fn lost_thread() -> Problem {
    let problem = "the thread that read it has ended by a fault";
    Problem::new(
        Kind::Unavailable,
        problem,
        "check the file with `sorthub check`",
    )
}

/// A lock whose data no panic can leave half changed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
