//! What was said of waybills, and that it is done.

use std::collections::BTreeMap;

use sorthub_core::facts::{DestKey, Verdict};
use sorthub_core::hub::Hub;
use sorthub_core::ids::{ChuteId, CodeId};
use sorthub_core::operator::{Command, Mode, Refused, WaybillWish};
use sorthub_core::reason::Reason;
use sorthub_core::signal::{Order, Output, Signal};
use sorthub_core::sorter::{ItemView, Sorter};

/// So far ahead of its commit point an order can surely be taken back.
const AHEAD_MM: i64 = 1_500;

/// What stands for a waybill.
#[derive(Clone, Copy, Default)]
struct Word {
    is_held: bool,
    is_suspect: bool,
    intercept: DestKey,
}

impl Word {
    /// Whether what somebody ends does not stand, as the answer says.
    fn is_over(&self, to: WaybillWish, why: Refused) -> bool {
        match (to, why) {
            (WaybillWish::Release, Refused::NotHeld | Refused::Suspect) => !self.is_held,
            (WaybillWish::CancelIntercept, Refused::NotIntercepted) => !self.intercept.is_some(),
            _ => false,
        }
    }
}

/// All that one sorter was told and has taken.
#[derive(Default)]
pub(super) struct Office {
    words: BTreeMap<CodeId, Word>,
}

impl Office {
    /// What was said may not be known any more.
    pub fn forget(&mut self) {
        self.words.clear();
    }

    /// A sorter was called with `signal` and has said `outputs`: if that was a word for a waybill,
    /// it stands, and the parcel is on no way that it forbids.
    pub fn hear(
        &mut self,
        sorter: &Sorter,
        signal: &Signal,
        outputs: &[Output],
    ) -> Result<(), String> {
        let Signal::Command {
            command: Command::Waybill { code, to },
            ..
        } = *signal
        else {
            return Ok(());
        };
        let word = self.words.entry(code).or_default();
        let mut said = outputs.iter();
        let answer = said.find_map(|output| match output {
            Output::Answered { answer, .. } => Some(*answer),
            _ => None,
        });
        match answer {
            Some(Ok(())) => {}
            // Another one has ended it, or it was forgotten in a crash.
            Some(Err(why)) if word.is_over(to, why) => return Ok(()),
            _ => return Err(format!("a word for the waybill {} is refused", code.0)),
        }
        match to {
            WaybillWish::Hold => word.is_held = true,
            WaybillWish::Intercept { to } => word.intercept = to,
            WaybillWish::Release => word.is_held = false,
            WaybillWish::CancelIntercept => word.intercept = DestKey::NONE,
            WaybillWish::Verdict(said) => word.is_suspect = said == Verdict::Suspect,
        }
        let mut rides = sorter.items().filter(|item| item.code == code);
        match rides.find(|item| can_be_sent_elsewhere(sorter, item)) {
            Some(item) => self.is_heard(sorter, code, item.why, item.chute),
            None => Ok(()),
        }
    }

    /// An order, just given, for the parcel with a code.
    pub fn order(&self, sorter: &Sorter, code: CodeId, order: &Order) -> Result<(), String> {
        self.is_heard(sorter, code, order.why, order.chutes[0])
    }

    fn is_heard(
        &self,
        sorter: &Sorter,
        code: CodeId,
        why: Reason,
        chute: Option<ChuteId>,
    ) -> Result<(), String> {
        let Some(word) = self.words.get(&code) else {
            return Ok(());
        };
        let goes_on = matches!(why, Reason::Planned | Reason::Intercept);
        if goes_on && (word.is_held || word.is_suspect) {
            let what = if word.is_suspect { "suspect" } else { "held" };
            return Err(format!("code {} is {what}, and sent to {chute:?}", code.0));
        }
        let plan = sorter.plan();
        if let (true, Some(dest), Some(chute)) = (goes_on, plan.dest(word.intercept), chute)
            && !plan.allows(dest, chute)
            && !leads_on(sorter.hub(), chute)
        {
            return Err(format!(
                "code {} is intercepted, and sent to chute {}",
                code.0, chute.0
            ));
        }
        Ok(())
    }
}

fn leads_on(hub: &Hub, chute: ChuteId) -> bool {
    hub.transfers().iter().any(|way| way.from == chute)
}

/// Whether an item is surely so far ahead of the chute that it is ordered to that it can be sent to
/// another one.
fn can_be_sent_elsewhere(sorter: &Sorter, item: &ItemView) -> bool {
    let hub = sorter.hub();
    let (Some(chute), Some((track, _))) = (item.chute, hub.track_of(item.cell)) else {
        return false;
    };
    let Some(outlet) = hub.outlet(chute, track) else {
        return false;
    };
    let view = sorter.track(track);
    let belt = view.speed.travel_mm(sorter.now().since(view.told));
    let here = view.at.plus(belt).minus(item.origin);
    let commit = i64::from(outlet.at.0) - i64::from(outlet.lead.0);
    let kind = &hub.tracks()[track.index()].kind;
    let ahead = if kind.is_loop() {
        (commit - here).rem_euclid(i64::from(kind.length().0))
    } else {
        commit - here
    };
    // Who works on a track wants nothing sent, and nothing changed.
    view.state.mode == Mode::Automatic && ahead > AHEAD_MM
}
