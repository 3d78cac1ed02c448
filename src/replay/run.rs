//! One run, made again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use sorthub_core::hub::Hub;
use sorthub_core::ids::SorterId;
use sorthub_core::outbox::Outbox;
use sorthub_core::plan::Plan;
use sorthub_core::signal::{Output, Signal};
use sorthub_core::sorter::{Setup, Sorter};
use sorthub_core::units::Micros;

use super::{Difference, End, ReplayError, RunReport, What, Words};
use crate::config::canonical;
use crate::engine::hand_plan;
use crate::journal::block::{Block, BlockFault, Call, Item};
use crate::journal::{Reader, RunInfo, Tail};

/// Replays one run.
pub(super) fn replay_run(
    reader: &Reader,
    info: &RunInfo,
    verify: bool,
) -> Result<RunReport, ReplayError> {
    let begun = Instant::now();
    let (again, tail) = make_again(reader, info, verify)?;
    Ok(again.report(info, tail, begun))
}

/// The sorter as it was after the last of a run's calls that can be made again, and how those ended
/// if not with the last record.
pub(super) fn made_again(
    reader: &Reader,
    info: &RunInfo,
) -> Result<(Sorter, Option<End>), ReplayError> {
    let (again, _) = make_again(reader, info, false)?;
    Ok((again.sorter, again.end))
}

/// Makes a run's calls again.
fn make_again(reader: &Reader, info: &RunInfo, verify: bool) -> Result<(Again, Tail), ReplayError> {
    let (hub, plan) = canonical::from_text(&info.header.description).map_err(|source| {
        ReplayError::Description {
            run: info.run,
            source,
        }
    })?;
    let setup = Setup {
        run_epoch: info.run,
        sorter: SorterId(info.header.sorter),
    };
    let begun_with = Arc::clone(&plan);
    let again_hub = &Arc::clone(&hub);
    let mut again = Again {
        sorter: Sorter::new(hub, plan, setup),
        outbox: Outbox::new(),
        recorded: Vec::new(),
        verify,
        records: 0,
        outputs: 0,
        first: None,
        last: Last {
            seq: 0,
            now: Micros(0),
            signal: Signal::Tick,
        },
        end: None,
    };
    let mut unusable = None;
    let tail = reader.visit(info, |block| {
        again.block(block, |version| {
            if version == begun_with.version() {
                // People have gone back to it. It stands in the run's header, not among `plans`.
                return Some(Arc::clone(&begun_with));
            }
            let staged = staged(reader, info.run, version, again_hub);
            staged.map_err(|error| unusable = Some(error)).ok()
        })
    })?;
    if let Some(error) = unusable {
        return Err(error);
    }
    Ok((again, tail))
}

/// A plan that was staged while the run's sorter ran.
fn staged(reader: &Reader, run: u32, version: u32, hub: &Hub) -> Result<Arc<Plan>, ReplayError> {
    let text = reader.plan(run, version)?;
    let text = text.ok_or(ReplayError::NoPlan { run, version })?;
    let plan = canonical::plan_from_text(&text, hub);
    plan.map_err(|source| ReplayError::Description { run, source })
}

/// The call made last.
#[derive(Clone, Copy)]
struct Last {
    seq: u64,
    now: Micros,
    signal: Signal,
}

struct Again {
    sorter: Sorter,
    outbox: Outbox,
    /// The outputs of the record at hand, as the journal has them.
    recorded: Vec<Output>,
    verify: bool,
    records: u64,
    outputs: u64,
    first: Option<Micros>,
    last: Last,
    end: Option<End>,
}

impl Again {
    /// Takes a block; false when nothing more need be read. `plan` finds a plan's text; where it
    /// cannot, it remembers why.
    fn block(
        &mut self,
        block: &Block,
        mut plan: impl FnMut(u32) -> Option<Arc<Plan>>,
    ) -> Result<bool, BlockFault> {
        let mut items = block.items();
        while let Some(item) = items.next(&mut self.recorded)? {
            match (&mut self.end, item) {
                // After a gap the rest is only counted (and, being decoded, checked).
                (Some(End::Gap { after, .. }), Item::Call(_)) => *after += 1,
                (Some(End::Differs(_)), _) => return Ok(false),
                (Some(_), _) | (None, Item::Text { .. } | Item::Note { .. }) => {}
                (None, Item::Staged { version }) => match plan(version) {
                    Some(plan) => hand_plan(&mut self.sorter, plan),
                    None => return Ok(false),
                },
                (None, Item::Call(call)) => self.call(&call),
                (None, Item::Gap { first, count }) => {
                    self.end = Some(End::Gap {
                        first,
                        count,
                        after: 0,
                    });
                }
                (None, Item::Close { digest }) => self.close(digest),
            }
        }
        Ok(!matches!(self.end, Some(End::Differs(_))))
    }

    fn call(&mut self, call: &Call) {
        self.first.get_or_insert(call.now);
        self.last = Last {
            seq: call.seq,
            now: call.now,
            signal: call.signal,
        };
        self.outbox.clear();
        let (sorter, outbox) = (&mut self.sorter, &mut self.outbox);
        // The sorter asserts its invariants; after a stop it is only asked for its books.
        let handled = catch_unwind(AssertUnwindSafe(|| {
            sorter.handle(call.now, &call.signal, outbox)
        }));
        if let Err(panic) = handled {
            let why = words_of_panic(panic.as_ref());
            return self.differs(What::Stopped { why });
        }
        if self.verify && !self.is_same(call.hash_after) {
            return;
        }
        self.records += 1;
        self.outputs += self.outbox.outputs().len() as u64;
    }

    /// Whether the call at hand said what was recorded; what differs is kept if not.
    fn is_same(&mut self, hash_recorded: u64) -> bool {
        let hash = self.sorter.output_hash();
        if self.recorded != self.outbox.outputs() {
            let words = Words::new(self.sorter.hub());
            let say = |outputs: &[Output]| outputs.iter().map(|o| words.output(o)).collect();
            let (recorded, replayed) = (say(&self.recorded), say(self.outbox.outputs()));
            self.differs(What::Outputs { recorded, replayed });
            return false;
        }
        if hash != hash_recorded {
            self.differs(What::Hash {
                recorded: hash_recorded,
                replayed: hash,
            });
            return false;
        }
        true
    }

    fn close(&mut self, recorded: u64) {
        let replayed = self.sorter.digest();
        if self.verify && replayed != recorded {
            self.differs(What::Digest { recorded, replayed });
        } else {
            self.end = Some(End::Closed);
        }
    }

    fn differs(&mut self, what: What) {
        let Last { seq, now, signal } = self.last;
        let signal = Words::new(self.sorter.hub()).signal(&signal);
        self.end = Some(End::Differs(Box::new(Difference {
            seq,
            now,
            signal,
            what,
        })));
    }

    fn report(self, info: &RunInfo, tail: Tail, begun: Instant) -> RunReport {
        let torn = match tail {
            Tail::Torn(torn) => Some(torn),
            Tail::Whole => info.cut.clone(),
        };
        let end = match (self.end, torn) {
            (Some(end), _) => end,
            (None, Some(torn)) => End::Torn {
                first: torn.first_seq,
                why: torn.why,
            },
            (None, None) => End::Open,
        };
        RunReport {
            run: info.run,
            header: info.header.clone(),
            records: self.records,
            outputs: self.outputs,
            span: (self.first.unwrap_or_default(), self.last.now),
            end,
            books: self.sorter.books().clone(),
            digest: self.sorter.digest(),
            wall: begun.elapsed(),
        }
    }
}

fn words_of_panic(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it did not say why").to_owned()
}
