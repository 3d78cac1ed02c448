//! A difference of two plans as text.

use std::fmt::{self, Display, Formatter};

use super::diff::{Change, Changed, Listed, Moved, PlanDiff};

impl PlanDiff {
    pub(super) fn is_empty(&self) -> bool {
        let lists = [
            self.added.count,
            self.removed.count,
            self.changed.count,
            self.addresses.count,
            self.owners.count,
            self.waves.len(),
            self.rules.count,
            self.policies.len(),
        ];
        lists.iter().all(|count| *count == 0) && !self.rules_reordered
    }

    /// Whether the new plan may follow the old one: a change needs a greater version.
    #[must_use]
    pub fn may_follow(&self) -> bool {
        self.version_grows || !self.differs
    }

    /// What to do with the new plan's file before it can follow the old one.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        let least = self.versions[0].saturating_add(1);
        (!self.may_follow()).then(|| {
            format!("the version must grow with every change; set `version = {least}` or more")
        })
    }
}

/// A heading with a count, then the lines, then how many more there are.
fn section<T>(
    f: &mut Formatter<'_>,
    title: &str,
    list: &Listed<T>,
    mut line: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    if list.count == 0 {
        return Ok(());
    }
    writeln!(f, "\n{title}: {}", list.count)?;
    for one in &list.first {
        line(f, one)?;
    }
    match list.count - list.first.len() {
        0 => Ok(()),
        more => writeln!(f, "  … and {more} more"),
    }
}

fn names(f: &mut Formatter<'_>, name: &String) -> fmt::Result {
    writeln!(f, "  {name}")
}

fn joined(list: &Listed<String>) -> String {
    let mut text = list.first.join(", ");
    match list.count - list.first.len() {
        0 => {}
        more => text.push_str(&format!(" and {more} more")),
    }
    text
}

fn or_nowhere(dest: Option<&String>) -> &str {
    dest.map_or("nowhere", String::as_str)
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.what, self.from, self.to)
    }
}

impl Display for PlanDiff {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [old, new] = self.versions;
        writeln!(f, "plan version {old} -> {new}")?;
        if !self.differs {
            writeln!(f, "the plans say the same")?;
        }
        section(f, "destinations added", &self.added, names)?;
        section(f, "destinations removed", &self.removed, names)?;
        section(
            f,
            "destinations changed",
            &self.changed,
            |f, one: &Changed| {
                writeln!(f, "  {}", one.destination)?;
                one.changes
                    .iter()
                    .try_for_each(|change| writeln!(f, "    {change}"))
            },
        )?;
        section(
            f,
            "groups of addresses that move",
            &self.addresses,
            |f, one: &Moved| {
                let (from, to) = (or_nowhere(one.from.as_ref()), or_nowhere(one.to.as_ref()));
                let many = if one.count == 1 { "" } else { "es" };
                writeln!(
                    f,
                    "  {}: {from} -> {to}, {} prefix{many}",
                    one.kind, one.count
                )?;
                writeln!(f, "    {}", one.prefixes.join(" "))
            },
        )?;
        section(
            f,
            "chutes to clear, because their owner changes",
            &self.owners,
            |f, one| {
                let mut parts = Vec::new();
                if one.no_more.count > 0 {
                    parts.push(format!("no more {}", joined(&one.no_more)));
                }
                if one.now_also.count > 0 {
                    parts.push(format!("now {}", joined(&one.now_also)));
                }
                if one.stay > 0 {
                    parts.push(format!("{} stay", one.stay));
                }
                writeln!(f, "  {}: {}", one.chute, parts.join("; "))
            },
        )?;
        let lists = [("waves", &self.waves), ("policies", &self.policies)];
        for (title, changes) in lists {
            if !changes.is_empty() {
                writeln!(f, "\n{title}: {}", changes.len())?;
                changes
                    .iter()
                    .try_for_each(|change| writeln!(f, "  {change}"))?;
            }
        }
        section(f, "rules", &self.rules, names)?;
        if self.rules_reordered {
            writeln!(
                f,
                "\nrules: those of both in another order; the first that fits counts"
            )?;
        }
        Ok(())
    }
}
