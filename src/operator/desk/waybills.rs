//! What is asked about waybills: what stands for them, and what their parcels wait for.

use std::sync::Arc;

use serde_json::{Value, json};
use sorthub_core::ids::CodeId;
use sorthub_core::plan::Plan;
use sorthub_core::sorter::{Ask, Standing};

use super::{Desk, lock};
use crate::operator::problem::Problem;
use crate::operator::resolve::{Names, Subject};
use crate::operator::tell::{advice_row, advice_words, standing_row, standing_words};

/// Waybills that an answer lists; the rest is asked for with the mark at its end.
const WAYBILLS_TOLD_MAX: usize = 200;

impl Desk {
    /// `why`.
    pub(super) async fn why(
        &self,
        of: &str,
        name: Option<&str>,
        track: Option<&str>,
    ) -> Result<Value, Problem> {
        let plan = Arc::clone(self.0.plans.lock().await.shelf.active());
        let directory = self.0.advices.directory();
        let names = self.names(&plan, &directory);
        match names.subject(of, name, track)? {
            Subject::Waybill(code) => {
                let waybill = names.identity(name.unwrap_or(of))?;
                self.why_waybill(names, code, &waybill).await
            }
            Subject::One(ask) => {
                let Some(why) = self.0.sorters.why(ask).await? else {
                    let what = name.unwrap_or(of);
                    let problem = format!("`{what}` is not on the sorter, or no more");
                    return Err(not_here(problem));
                };
                let of = match name {
                    Some(name) => format!("{of} {name}"),
                    None => format!("parcel {of}"),
                };
                Ok(json!({ "waits": [{ "of": of, "why": why }] }))
            }
        }
    }

    /// What a waybill's parcels wait for, and what stands for it whether or not any ride.
    async fn why_waybill(
        &self,
        names: Names<'_>,
        code: CodeId,
        waybill: &str,
    ) -> Result<Value, Problem> {
        let mut rows = Vec::new();
        for item in self.0.sorters.parcels(code).await? {
            let ask = Ask::Parcel(item.parcel);
            // It may have left between the two questions.
            if let Some(why) = self.0.sorters.why(ask).await? {
                let of = format!("parcel {}", item.parcel);
                rows.push(json!({ "of": of, "why": why }));
            }
        }
        let told = self.stands_for(code, waybill).await?;
        let advice = names.directory.advised(waybill);
        let mut stands = standing_words(&told, names.plan);
        stands.extend(advice.map(|advice| advice_words(&advice, names.plan)));
        if stands.is_empty() && rows.is_empty() {
            let problem =
                format!("`{waybill}` is not on the sorter, or no more, and nothing stands for it");
            return Err(not_here(problem));
        }
        if !stands.is_empty() {
            if rows.is_empty() {
                stands.insert(0, "not on the sorter".to_owned());
            }
            let of = format!("waybill {waybill}");
            rows.push(json!({ "of": of, "why": stands.join("; ") }));
        }
        let mut row = standing_row(&told, waybill, names.plan);
        row["advice"] = json!(advice.map(|advice| advice_row(&advice, names)));
        Ok(json!({ "waits": rows, "stands": row }))
    }

    /// `waybills`: a page of what stands, or what stands for one.
    pub(super) async fn waybills(
        &self,
        waybill: Option<&str>,
        after: Option<&str>,
    ) -> Result<Value, Problem> {
        let plan = Arc::clone(self.0.plans.lock().await.shelf.active());
        let directory = self.0.advices.directory();
        match (waybill, after) {
            (Some(waybill), None) => {
                let names = self.names(&plan, &directory);
                let (code, waybill) = (names.facts(waybill)?.code, names.identity(waybill)?);
                let told = self.stands_for(code, &waybill).await?;
                let mut row = standing_row(&told, &waybill, &plan);
                if let Some(advice) = directory.advised(&waybill) {
                    let mut stands = standing_words(&told, &plan);
                    stands.push(advice_words(&advice, &plan));
                    row["stands"] = stands.join("; ").into();
                    row["advice"] = advice_row(&advice, names);
                }
                let says_something = row["stands"] != "";
                let rows: Vec<Value> = says_something.then_some(row).into_iter().collect();
                Ok(json!({ "count": rows.len(), "waybills": rows, "after": null }))
            }
            (None, Some(mark)) => match u64::from_str_radix(mark, 16) {
                Ok(code) => self.page(&plan, CodeId(code)).await,
                Err(_) => {
                    let problem = format!("`{mark}` is no mark");
                    Err(Problem::unusable(
                        problem,
                        "give the one that the list ends with",
                    ))
                }
            },
            (None, None) => self.page(&plan, CodeId::NONE).await,
            (Some(_), Some(_)) => {
                let problem = "one waybill has no pages";
                Err(Problem::malformed(
                    problem,
                    "leave `after` or the waybill out",
                ))
            }
        }
    }

    /// What stands for a waybill. What was said of it to the run before is known by its number
    /// only: whoever asks for it gives it its text again.
    async fn stands_for(&self, code: CodeId, waybill: &str) -> Result<Standing, Problem> {
        let told = self.0.sorters.stands_for(code).await?;
        if told.says_something() {
            lock(&self.0.texts).add(code, waybill);
        }
        Ok(told)
    }

    async fn page(&self, plan: &Plan, after: CodeId) -> Result<Value, Problem> {
        let sorters = &self.0.sorters;
        let (mut page, count) = sorters.standing(after, WAYBILLS_TOLD_MAX + 1).await?;
        let has_more = page.len() > WAYBILLS_TOLD_MAX;
        page.truncate(WAYBILLS_TOLD_MAX);
        let mark = |last: &Standing| format!("{:016x}", last.code.0);
        let after = page.last().filter(|_| has_more).map(mark);
        let texts = lock(&self.0.texts);
        let mut rows: Vec<(String, Standing)> = page
            .into_iter()
            .map(|told| (texts.of(told.code), told))
            .collect();
        drop(texts);
        rows.sort();
        let rows = rows
            .iter()
            .map(|(text, told)| standing_row(told, text, plan));
        let rows: Vec<Value> = rows.collect();
        Ok(json!({ "count": count, "waybills": rows, "after": after }))
    }
}

fn not_here(problem: String) -> Problem {
    Problem::refused(problem, "read its number again").with_code("not-here")
}
