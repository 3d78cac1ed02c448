//! The decision threads of a hub, asked as one.
//!
//! A command goes to the sorter that owns its device, or to all of them. It is taken by an inbox or
//! refused as busy before anything is done; once the first of several sorters has taken it, the
//! others are waited for, so that it is not done by halves.

use std::sync::Arc;
use std::time::Duration;

use sorthub_core::facts::DestKey;
use sorthub_core::hub::Hub;
use sorthub_core::ids::{CodeId, SorterId};
use sorthub_core::operator::{Command, Refused};
use sorthub_core::plan::Plan;
use sorthub_core::sorter::{Ask, ItemView, Standing, Unread};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::problem::{Kind, Problem};
use crate::engine::{
    Batch, FOUND_MAX, Found, Full, HostLink, InboxSender, Question, Request as Wish,
};
use crate::telemetry::{ChuteRole, View, merge_views};

/// How long a decision thread gets to answer. It answers within a turn; one that takes so long is
/// stuck, or stopping.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How often a full inbox is tried again.
const TRY_EVERY: Duration = Duration::from_millis(5);

/// Room that is brought along for a list of unread parcels; more of them grow it.
const UNREAD_ROOM: usize = 256;

/// The answer of one command.
type Answer = Result<(), Refused>;

/// The ways to a hub's decision threads, by sorter.
#[derive(Debug)]
pub(super) struct Sorters {
    hub: Arc<Hub>,
    inboxes: Vec<InboxSender>,
}

impl Sorters {
    pub fn new(hub: Arc<Hub>, inboxes: Vec<InboxSender>) -> Self {
        Self { hub, inboxes }
    }

    /// Has commands carried out, each by the sorter that it concerns; gives an answer to each.
    pub async fn obey(
        &self,
        note: &str,
        named: Option<(CodeId, String)>,
        commands: &[Command],
    ) -> Result<Vec<Answer>, Problem> {
        let mut answers: Vec<Option<Answer>> = vec![None; commands.len()];
        let mut has_begun = false;
        for sorter in 0..self.inboxes.len() {
            let own = |command: &Command| match self.hub.addressee_of(command) {
                Some(owner) => owner == SorterId(sorter as u16),
                None => true,
            };
            let own: Vec<usize> = (0..commands.len())
                .filter(|at| own(&commands[*at]))
                .collect();
            if own.is_empty() {
                continue;
            }
            let wanted = own.iter().map(|at| commands[*at]).collect();
            let batch = Box::new(Batch::new(note.to_owned(), named.clone(), wanted));
            let wish = |reply| Wish::Obey(batch, reply);
            let batch = self.send(sorter, has_begun, wish).await?;
            has_begun = true;
            for (at, answer) in own.into_iter().zip(batch.answers) {
                answers[at] = Some(both(&commands[at], answers[at], answer));
            }
        }
        let answers = answers
            .into_iter()
            .map(|answer| answer.unwrap_or(Err(Refused::NoSuchDevice)));
        Ok(answers.collect())
    }

    /// Hands a plan to every sorter.
    pub async fn stage(&self, plan: &Arc<Plan>) -> Result<(), Problem> {
        for sorter in 0..self.inboxes.len() {
            let plan = Arc::clone(plan);
            let staged = self
                .send(sorter, false, |reply| Wish::Stage(plan, reply))
                .await?;
            staged.map_err(|_| {
                let problem = "the journal is behind";
                Problem::new(Kind::Busy, problem, "try again in a moment")
            })?;
        }
        Ok(())
    }

    /// Writes down how the hub is, into a view that was used before or is new.
    pub async fn look(&self, spare: Box<View>) -> Result<Box<View>, Problem> {
        let first = self
            .send(0, false, |reply| Wish::Look(spare, reply))
            .await?;
        if self.inboxes.len() == 1 {
            return Ok(first);
        }
        let mut views = vec![*first];
        for sorter in 1..self.inboxes.len() {
            let view = self.send(sorter, false, |reply| Wish::Look(Box::default(), reply));
            views.push(*view.await?);
        }
        let mut all = Box::<View>::default();
        merge_views(&self.hub, &views, &mut all);
        Ok(all)
    }

    /// The parcels with a code.
    pub async fn parcels(&self, code: CodeId) -> Result<Vec<ItemView>, Problem> {
        let question = || Question::Parcels(code, Vec::with_capacity(FOUND_MAX));
        let found = self.ask_all(question).await?.into_iter();
        let lists = found.filter_map(|found| match found {
            Found::Parcels(parcels) => Some(parcels),
            _ => None,
        });
        Ok(lists.flatten().collect())
    }

    /// What something waits for, in words; `None`: there is no such thing.
    pub async fn why(&self, ask: Ask) -> Result<Option<String>, Problem> {
        let found = self.ask_all(|| Question::Why(ask)).await?.into_iter();
        let mut known = found.filter_map(|found| match found {
            Found::Why(why) => why,
            _ => None,
        });
        Ok(known.next())
    }

    /// What stands for a waybill.
    pub async fn stands_for(&self, code: CodeId) -> Result<Standing, Problem> {
        let found = self.ask_all(|| Question::StandsFor(code)).await?;
        let all = found.into_iter().filter_map(|found| match found {
            Found::Stands(told) => Some(told),
            _ => None,
        });
        let nothing = Standing {
            code,
            is_held: false,
            is_suspect: false,
            intercept: DestKey::NONE,
        };
        Ok(all.fold(nothing, joined))
    }

    /// The first waybills behind `after` for which something stands, in the order of their
    /// numbers, and how many there are in all.
    pub async fn standing(
        &self,
        after: CodeId,
        most: usize,
    ) -> Result<(Vec<Standing>, usize), Problem> {
        let question = || Question::Standing(after, Vec::with_capacity(most));
        let (mut all, mut count) = (Vec::<Standing>::new(), 0);
        for found in self.ask_all(question).await? {
            if let Found::Standing(list, of) = found {
                all.extend(list);
                // What was said was said to all of them.
                count = count.max(of);
            }
        }
        all.sort_unstable();
        all.dedup_by(|later, first| {
            let is_same = later.code == first.code;
            if is_same {
                *first = joined(*first, *later);
            }
            is_same
        });
        all.truncate(most);
        Ok((all, count))
    }

    /// The parcels that can be keyed in, the most urgent first.
    pub async fn unread(&self) -> Result<Vec<Unread>, Problem> {
        let question = || Question::Unread(Vec::with_capacity(UNREAD_ROOM));
        let found = self.ask_all(question).await?.into_iter();
        let lists = found.filter_map(|found| match found {
            Found::Unread(queue) => Some(queue),
            _ => None,
        });
        let mut all: Vec<Unread> = lists.flatten().collect();
        all.sort_by_key(|one| (one.left_mm, one.parcel));
        Ok(all)
    }

    /// Notes something on an alarm; each sorter has alarms of its own.
    pub async fn alarm(&self, question: impl Fn() -> Question) -> Result<(), Problem> {
        let mut refused = None;
        for found in self.ask_all(question).await? {
            match found {
                Found::Alarm(Ok(())) => return Ok(()),
                Found::Alarm(Err(why)) => refused = Some(why.to_string()),
                _ => {}
            }
        }
        let text = refused.unwrap_or_default();
        let (problem, mend) = text
            .split_once("; ")
            .unwrap_or((&text, "read the list again"));
        Err(Problem::refused(problem, mend))
    }

    async fn ask_all(&self, question: impl Fn() -> Question) -> Result<Vec<Found>, Problem> {
        let mut all = Vec::with_capacity(self.inboxes.len());
        for sorter in 0..self.inboxes.len() {
            let question = question();
            all.push(
                self.send(sorter, false, |reply| Wish::Ask(question, reply))
                    .await?,
            );
        }
        Ok(all)
    }

    /// Questions to the host go there from now on.
    pub fn host(&self, link: Option<&HostLink>) -> Result<(), Full> {
        let mut all = self.inboxes.iter();
        all.try_for_each(|inbox| inbox.send(Wish::Host(link.cloned())))
    }

    /// What the active plan uses each chute for. Where there is no room for it, alarms are ranked
    /// as before until the next activation.
    pub fn roles(&self, roles: &[ChuteRole]) {
        for inbox in &self.inboxes {
            let _ = inbox.send(Wish::Roles(roles.to_vec()));
        }
    }

    /// Sends a wish to a decision thread and waits for its answer. A full inbox is a problem, or,
    /// `patiently`, is waited for.
    async fn send<T>(
        &self,
        sorter: usize,
        patiently: bool,
        wish: impl FnOnce(oneshot::Sender<T>) -> Wish,
    ) -> Result<T, Problem> {
        let inbox = &self.inboxes[sorter];
        let give_up = Instant::now() + ANSWER_MAX;
        while patiently && inbox.is_full() && Instant::now() < give_up {
            sleep(TRY_EVERY).await;
        }
        let (reply, answer) = oneshot::channel();
        inbox.send(wish(reply)).map_err(|full| {
            let text = full.to_string();
            let (problem, mend) = text.split_once(": ").unwrap_or((&text, "try again"));
            Problem::new(Kind::Busy, problem, mend)
        })?;
        match timeout(ANSWER_MAX, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => {
                let mend = "start it again";
                Err(Problem::new(
                    Kind::Unavailable,
                    "the engine is stopping",
                    mend,
                ))
            }
            Err(_) => {
                let problem = format!("the engine has not answered for {} s", ANSWER_MAX.as_secs());
                let mend = "look at `status` whether it was done";
                Err(Problem::new(Kind::NoAnswer, problem, mend))
            }
        }
    }
}

/// The answer of two sorters to one command. A parcel is on one of them, and the others do not
/// know it; what is taken back stands on one at least. Anything else must be done by all.
fn both(command: &Command, before: Option<Answer>, new: Answer) -> Answer {
    let Some(before) = before else { return new };
    let unknown = |answer: Answer| {
        let not_there = [
            Refused::NoSuchParcel,
            Refused::NotHeld,
            Refused::NotIntercepted,
        ];
        answer.is_err_and(|why| not_there.contains(&why))
    };
    match (command, before, new) {
        (Command::Parcel { .. }, Ok(()), _) | (Command::Parcel { .. }, _, Ok(())) => Ok(()),
        (_, before, new) if unknown(before) => new,
        (_, before, new) if unknown(new) => before,
        (_, before, new) => before.and(new),
    }
}

/// What stands on two sorters.
fn joined(one: Standing, other: Standing) -> Standing {
    Standing {
        is_held: one.is_held || other.is_held,
        is_suspect: one.is_suspect || other.is_suspect,
        intercept: one.intercept.max(other.intercept),
        ..one
    }
}

#[cfg(test)]
mod tests {
    use sorthub_core::ids::{ParcelId, WaveId};
    use sorthub_core::operator::{ParcelWish, WaybillWish};

    use super::*;

    #[test]
    fn of_several_sorters_one_must_know_a_parcel_and_all_must_take_the_rest() {
        let parcel = Command::Parcel {
            parcel: ParcelId::new(1, 1),
            to: ParcelWish::Damaged,
        };
        let (unknown, late) = (Err(Refused::NoSuchParcel), Err(Refused::OutOfReach));
        assert_eq!(both(&parcel, Some(unknown), Ok(())), Ok(()));
        assert_eq!(both(&parcel, Some(Ok(())), unknown), Ok(()));
        assert_eq!(both(&parcel, Some(unknown), late), late);
        assert_eq!(both(&parcel, Some(late), unknown), late);
        let release = Command::Waybill {
            code: CodeId(7),
            to: WaybillWish::Release,
        };
        let (not_held, busy) = (Err(Refused::NotHeld), Err(Refused::TooMany));
        for (one, other, both_say) in [
            (Ok(()), not_held, Ok(())),
            (not_held, not_held, not_held),
            (not_held, busy, busy),
            (Ok(()), busy, busy),
        ] {
            assert_eq!(both(&release, Some(one), other), both_say);
            assert_eq!(both(&release, Some(other), one), both_say);
        }
        let wave = Command::Wave {
            wave: WaveId(0),
            open: false,
        };
        let refused = Err(Refused::NoSuchWave);
        assert_eq!(both(&wave, Some(Ok(())), refused), refused);
        assert_eq!(both(&wave, Some(refused), Ok(())), refused);
        assert_eq!(both(&wave, None, Ok(())), Ok(()));
    }
}
