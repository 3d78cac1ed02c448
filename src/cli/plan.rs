//! `sorthub plan`: what a sort plan says, and what is different between two.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use sorthub_core::facts::Address;
use sorthub_core::hub::Hub;
use sorthub_core::ids::DestId;
use sorthub_core::plan::{AddressKind, Plan};

use super::{Exit, input, print};
use crate::config::diff::{self, PlanDiff};
use crate::config::plan_words::{Words, cut_off};
use crate::config::{Fault, Files, HubFile, PlanFile, Source, nearest};

/// Look into sort plans: show one, or tell what is different between two.
///
/// A plan is a hub file with its plan, or a plan file; a plan file needs a hub, from --hub or from
/// the other plan. Nothing is changed anywhere.
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Diff(DiffArgs),
    Show(ShowArgs),
}

/// What is different between two plans: destinations, addresses, chutes to clear, rules, policies.
///
/// Ends with 1 if the plans differ and the version of the second is not the greater one.
#[derive(Clone, Debug, Args)]
struct DiffArgs {
    /// The plan that is active.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The plan that follows it.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    #[command(flatten)]
    shared: Shared,
}

/// What a plan says: policies, waves, destinations with their chutes, rules, addresses.
#[derive(Clone, Debug, Args)]
struct ShowArgs {
    /// The plan.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Only destinations whose names begin so.
    #[arg(long, value_name = "NAME", default_value = "")]
    destination: String,
    /// Only destinations that use this chute.
    #[arg(long, value_name = "NAME")]
    chute: Option<String>,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Clone, Debug, Args)]
struct Shared {
    /// The hub that a plan file is for.
    #[arg(long, value_name = "HUB.toml")]
    hub: Option<PathBuf>,
    /// List at most so many of a kind; the others are counted.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Shows or compares.
#[must_use]
pub fn run(args: &PlanArgs) -> Exit {
    let done = match &args.command {
        Command::Diff(args) => run_diff(args),
        Command::Show(args) => run_show(args),
    };
    done.unwrap_or_else(|faults| {
        input::print_faults(&faults);
        Exit::BadInput
    })
}

/// A plan with its hub.
struct Read {
    hub: Arc<Hub>,
    plan: Arc<Plan>,
}

impl Read {
    fn words(&self) -> Words<'_> {
        Words {
            hub: &self.hub,
            plan: &self.plan,
        }
    }
}

/// Reads plans, of which those that are files of their own share a hub.
fn read<const N: usize>(paths: [&Path; N], hub: Option<&Path>) -> Result<[Read; N], Vec<Fault>> {
    const FILE_MB_MAX: u64 = 16;
    let mut sources = Vec::new();
    for path in paths {
        sources.push(Source::read(path, FILE_MB_MAX)?);
    }
    let mut found: [Option<Read>; N] = [const { None }; N];
    let mut shared = match hub {
        Some(hub) => Some(HubFile::read(hub)?),
        None => None,
    };
    for ((source, path), found) in sources.iter().zip(paths).zip(&mut found) {
        if !PlanFile::is_one(source.text()) {
            let file = HubFile::from_source(source, &Files::beside(path))?;
            shared = shared.or_else(|| Some(file.clone()));
            let (hub, plan) = (file.hub, file.plan);
            *found = Some(Read { hub, plan });
        }
    }
    let mut read = Vec::new();
    for ((source, path), found) in sources.iter().zip(paths).zip(found) {
        let one = match (found, &shared) {
            (Some(found), _) => found,
            (None, Some(HubFile { hub, formats, .. })) => {
                let files = Files::beside(path);
                let file = PlanFile::from_source(source, &files, hub, formats.as_deref())?;
                let (hub, plan) = (Arc::clone(hub), file.plan);
                Read { hub, plan }
            }
            (None, None) => {
                let no_hub = crate::config::fault::Meaning::NoHub;
                return Err(vec![source.fault_at_start(no_hub)]);
            }
        };
        read.push(one);
    }
    Ok(read
        .try_into()
        .unwrap_or_else(|_| unreachable!("one is read for each path")))
}

fn run_diff(args: &DiffArgs) -> Result<Exit, Vec<Fault>> {
    let [old, new] = read([&args.old, &args.new], args.shared.hub.as_deref())?;
    let diff: PlanDiff = diff::diff(old.words(), new.words(), args.shared.limit as usize);
    if args.shared.json {
        let json = serde_json::to_string(&diff).expect("texts and numbers are always JSON");
        print(&format!("{json}\n"));
    } else {
        // Between files only: a plan that an engine has at hand keeps its version.
        let advice = diff.advice().map(|advice| format!("\n{advice}\n"));
        print(&format!("{diff}{}", advice.unwrap_or_default()));
    }
    Ok(if diff.may_follow() {
        Exit::Done
    } else {
        Exit::Wrong
    })
}

fn run_show(args: &ShowArgs) -> Result<Exit, Vec<Fault>> {
    let [read] = read([&args.plan], args.shared.hub.as_deref())?;
    let hub = &read.hub;
    let unknown = args.chute.as_ref().filter(|n| hub.chute_named(n).is_none());
    if let Some(name) = unknown {
        let all = hub.chutes().iter().map(|chute| chute.name.as_str());
        eprintln!(
            "error: the hub has no chute `{name}`; {}",
            one_of(name, all)
        );
        return Ok(Exit::BadInput);
    }
    let dests = &read.plan.spec().destinations;
    let all = dests.iter().map(|dest| dest.name.as_str());
    let beginning = args.destination.as_str();
    if !beginning.is_empty() && !all.clone().any(|name| name.starts_with(beginning)) {
        let mend = one_of(beginning, all);
        eprintln!("error: no destination of the plan begins with `{beginning}`; {mend}");
        return Ok(Exit::BadInput);
    }
    let shown = Shown::of(&read, args);
    if args.shared.json {
        print(&format!("{}\n", shown.json()));
    } else {
        print(&shown.text());
    }
    Ok(Exit::Done)
}

/// The mend for a name that nothing has.
fn one_of<'n>(name: &str, all: impl Iterator<Item = &'n str>) -> String {
    match nearest(name, all) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name one that it has".to_owned(),
    }
}

/// What is shown of a plan.
struct Shown<'s> {
    words: Words<'s>,
    /// The first destinations that were asked for, by position, and how many there are.
    destinations: Vec<usize>,
    /// The addresses that are for each, in order.
    by_dest: BTreeMap<(DestId, AddressKind), Vec<Address>>,
    count: usize,
    limit: usize,
}

impl<'s> Shown<'s> {
    fn of(read: &'s Read, args: &ShowArgs) -> Self {
        let words = read.words();
        let dests = &words.plan.spec().destinations;
        let chute = args.chute.as_ref().map(|name| words.hub.chute_named(name));
        let asked = |at: &usize| {
            let dest = &dests[*at];
            let uses = |chute: &Option<_>| {
                let mut every = dest.every_chute();
                chute.is_some_and(|chute| every.any(|own| *own == chute))
            };
            dest.name.starts_with(&args.destination) && chute.as_ref().is_none_or(uses)
        };
        let mut destinations: Vec<usize> = (0..dests.len()).filter(asked).collect();
        let mut by_dest = BTreeMap::<_, Vec<Address>>::new();
        for rule in &words.plan.spec().addresses {
            by_dest
                .entry((rule.to, rule.kind))
                .or_default()
                .push(rule.prefix);
        }
        by_dest.values_mut().for_each(|all| all.sort_unstable());
        let (count, limit) = (destinations.len(), args.shared.limit as usize);
        destinations.truncate(limit);
        Self {
            words,
            destinations,
            by_dest,
            count,
            limit,
        }
    }

    fn addresses(&self, kind: AddressKind) -> usize {
        let rules = self.words.plan.spec().addresses.iter();
        rules.filter(|rule| rule.kind == kind).count()
    }

    /// The addresses of each kind that are for a destination, as people write them.
    fn addresses_of(&self, dest: usize) -> [(&'static str, String); 2] {
        let written = |kind| {
            let all = self.by_dest.get(&(DestId(dest as u32), kind));
            let all = all.map_or(&[][..], Vec::as_slice);
            let mut text = diff::joined(all, self.limit + 1);
            if text.len() > self.limit {
                text[self.limit] = "…".to_owned();
            }
            match text.as_slice() {
                [] => "-".to_owned(),
                text => text.join(", "),
            }
        };
        [
            ("segments", written(AddressKind::Segment)),
            ("postcodes", written(AddressKind::Postcode)),
        ]
    }

    fn json(&self) -> Value {
        let (words, spec) = (&self.words, self.words.plan.spec());
        let dests = self.destinations.iter().map(|at| {
            let dest = &spec.destinations[*at];
            let mut one = json!({ "name": dest.name });
            let parts = words.destination_parts(dest).into_iter();
            for (key, text) in parts.chain(self.addresses_of(*at)) {
                one[key] = Value::from(text);
            }
            one
        });
        let waves = spec.waves.iter();
        let waves = waves.map(|wave| json!({ "name": wave.name, "cut_off": cut_off(wave) }));
        let policies = words
            .policies()
            .into_iter()
            .map(|(key, text)| (key, Value::from(text)));
        json!({
            "version": spec.version,
            "policies": policies.collect::<serde_json::Map<String, Value>>(),
            "waves": waves.collect::<Vec<Value>>(),
            "destinations": { "count": self.count, "first": dests.collect::<Vec<Value>>() },
            "rules": spec.rules.iter().map(|rule| words.rule(rule)).collect::<Vec<String>>(),
            "addresses": {
                "segment": self.addresses(AddressKind::Segment),
                "postcode": self.addresses(AddressKind::Postcode),
            },
        })
    }

    fn text(&self) -> String {
        let (words, spec) = (&self.words, self.words.plan.spec());
        let mut text = format!(
            "plan version {} for {}\n",
            spec.version,
            words.hub.spec().name
        );
        for (key, value) in words.policies() {
            let _ = writeln!(text, "  {key:<32} {value}");
        }
        if !spec.waves.is_empty() {
            let _ = writeln!(text, "\nwaves: {}", spec.waves.len());
            for wave in &spec.waves {
                let _ = writeln!(text, "  {:<32} {}", wave.name, cut_off(wave));
            }
        }
        let _ = writeln!(text, "\ndestinations: {}", self.count);
        for at in &self.destinations {
            let dest = &spec.destinations[*at];
            let [(_, own), others @ ..] = words.destination_parts(dest);
            let _ = writeln!(text, "  {:<32} {own}", dest.name);
            let others = others.into_iter().chain(self.addresses_of(*at));
            let told =
                others.filter(|(_, value)| !matches!(value.as_str(), "" | "-" | "preferred"));
            for (key, value) in told {
                let _ = writeln!(text, "  {:<32} {key} {value}", "");
            }
        }
        if self.count > self.destinations.len() {
            let _ = writeln!(
                text,
                "  … and {} more",
                self.count - self.destinations.len()
            );
        }
        if !spec.rules.is_empty() {
            let _ = writeln!(text, "\nrules: {}", spec.rules.len());
            for rule in spec.rules.iter().take(self.limit) {
                let _ = writeln!(text, "  {}", words.rule(rule));
            }
        }
        let _ = writeln!(
            text,
            "\naddresses: {} segment codes, {} postcodes",
            self.addresses(AddressKind::Segment),
            self.addresses(AddressKind::Postcode)
        );
        text
    }
}
