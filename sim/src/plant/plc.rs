//! What a PLC holds of one item: its number for it, the order that stands, and the chute it is
//! heading for.
//!
//! The rules are those of [`Order`]: an order must name the item that is there and be newer than
//! the last; its chutes are tried in turn, the next once the one before has refused; it lapses at
//! `obey_by`. The PLC needs an order by the commit point, `lead` before the outlet: what comes
//! later is for the next pass of a loop, and too late on a line.

use sorthub_core::ids::{ChuteId, PlcItem};
use sorthub_core::limits::ORDER_CHUTES_MAX;
use sorthub_core::signal::{OnFail, Order, OrderAnswer};
use sorthub_core::units::BeltMm;

use crate::plant::belt::NM_PER_MM;

/// Where the outlets of the item's track come past it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach<'a> {
    /// All outlets of the hub.
    pub outlets: &'a Outlets,
    /// The item's track.
    pub track: usize,
    /// The travel at which the item was at the track's origin, in this lap or pass.
    pub lap_start_nm: i64,
    /// Once round; `None` on a line.
    pub lap_nm: Option<i64>,
}

/// Where each chute takes parcels, in nanometres from the origin of each track.
#[derive(Clone, Debug, Default)]
pub(super) struct Outlets {
    first: Vec<u32>,
    list: Vec<OutletNm>,
}

/// One place where a chute takes parcels.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutletNm {
    track: usize,
    at_nm: i64,
    lead_nm: i64,
}

/// What the PLC knows and wants for one cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tracked {
    /// 0: the PLC does not know that anything is there.
    pub item: u32,
    revision: u16,
    rule: Option<Rule>,
    target: Option<Target>,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    chutes: [Option<ChuteId>; ORDER_CHUTES_MAX],
    on_fail: OnFail,
    /// The travel at which it lapses: the first at which the encoder is past its `obey_by`.
    lapses_nm: i64,
    /// The travel at which it was given.
    known_nm: i64,
}

/// The next try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// At which chute.
    pub chute: ChuteId,
    /// At which travel.
    pub at_nm: i64,
    stage: u8,
    /// Of the order that it comes from; an older one's stands if its commit point was past.
    revision: u16,
}

impl Outlets {
    pub fn new(hub: &sorthub_core::hub::Hub) -> Self {
        let (mut first, mut list) = (vec![0], Vec::new());
        for chute in hub.chutes() {
            list.extend(chute.outlets.iter().map(|outlet| OutletNm {
                track: outlet.track.index(),
                at_nm: i64::from(outlet.at.0) * NM_PER_MM,
                lead_nm: i64::from(outlet.lead.0) * NM_PER_MM,
            }));
            first.push(list.len() as u32);
        }
        Self { first, list }
    }

    fn of(&self, chute: ChuteId, track: usize) -> Option<OutletNm> {
        let end = *self.first.get(chute.index() + 1)? as usize;
        let own = &self.list[self.first[chute.index()] as usize..end];
        own.iter().copied().find(|outlet| outlet.track == track)
    }
}

impl Reach<'_> {
    fn has(&self, chute: ChuteId) -> bool {
        self.outlets.of(chute, self.track).is_some()
    }

    /// The first pass of a chute's outlet beyond `after_nm` of which the PLC knows in time what it
    /// has known since `known_nm`; `None` if there is none any more.
    fn pass(&self, chute: ChuteId, after_nm: i64, known_nm: i64) -> Option<i64> {
        let outlet = self.outlets.of(chute, self.track)?;
        let least_nm = (after_nm + 1).max(known_nm + outlet.lead_nm);
        let mut at_nm = self.lap_start_nm + outlet.at_nm;
        while at_nm < least_nm {
            at_nm += self.lap_nm?;
        }
        Some(at_nm)
    }

    fn is_committed(&self, target: &Target, now_nm: i64) -> bool {
        let lead_nm = self
            .outlets
            .of(target.chute, self.track)
            .map_or(0, |outlet| outlet.lead_nm);
        target.at_nm - lead_nm < now_nm
    }
}

impl Tracked {
    /// Nothing that the PLC knows of.
    pub const NONE: Self = Self {
        item: 0,
        revision: 0,
        rule: None,
        target: None,
    };

    /// A new item, without an order.
    pub fn new(item: PlcItem) -> Self {
        Self {
            item: item.0,
            ..Self::NONE
        }
    }

    /// The next try, if any.
    pub fn target(&self) -> Option<Target> {
        self.target
    }

    /// The travel at which the order lapses, if that is before its next try.
    pub fn lapses_at_nm(&self) -> Option<i64> {
        let (rule, target) = (self.rule?, self.target?);
        let is_own = target.revision == self.revision;
        (is_own && target.at_nm >= rule.lapses_nm).then_some(rule.lapses_nm)
    }

    /// Takes an order, or says why not; chutes that it is too late for on this line are put into
    /// `late` if there is another that it is not too late for.
    pub fn take(
        &mut self,
        order: &Order,
        now_nm: i64,
        reach: Reach<'_>,
        late: &mut Vec<ChuteId>,
    ) -> OrderAnswer {
        if self.item == 0 || order.item.0 != self.item {
            return OrderAnswer::NoSuchItem;
        }
        if !self.is_newer(order.revision) {
            return OrderAnswer::OldRevision;
        }
        if order
            .chutes
            .iter()
            .flatten()
            .any(|&chute| !reach.has(chute))
        {
            return OrderAnswer::BadChute;
        }
        let lapses_nm = lapses_at_nm(order.obey_by);
        if now_nm >= lapses_nm {
            return OrderAnswer::Expired;
        }
        let committed = self
            .target
            .filter(|target| reach.is_committed(target, now_nm));
        // Round a loop every chute comes past again.
        let in_time = |chute: ChuteId| {
            reach.lap_nm.is_some()
                || committed.is_some_and(|target| target.chute == chute)
                || reach.pass(chute, now_nm - 1, now_nm).is_some()
        };
        if !order.chutes.iter().flatten().any(|&chute| in_time(chute)) {
            return OrderAnswer::Late;
        }
        self.revision = order.revision;
        self.rule = Some(Rule {
            chutes: order.chutes,
            on_fail: order.on_fail,
            lapses_nm,
            known_nm: now_nm,
        });
        match committed {
            // The diverter is on its way already. If that is where it still should go, the try
            // is the new order's own.
            Some(mut target) => {
                let stage = order
                    .chutes
                    .iter()
                    .position(|&chute| chute == Some(target.chute));
                if let Some(stage) = stage {
                    target.stage = stage as u8;
                    target.revision = order.revision;
                }
                self.target = Some(target);
            }
            None => self.aim(0, now_nm - 1, reach, late),
        }
        OrderAnswer::Accepted
    }

    /// Forgets the order, unless its commit point is past.
    pub fn withdraw(
        &mut self,
        item: PlcItem,
        revision: u16,
        now_nm: i64,
        reach: Reach<'_>,
    ) -> OrderAnswer {
        if self.item == 0 || item.0 != self.item {
            return OrderAnswer::NoSuchItem;
        }
        if !self.is_newer(revision) {
            return OrderAnswer::OldRevision;
        }
        self.revision = revision;
        self.rule = None;
        self.target = self
            .target
            .filter(|target| reach.is_committed(target, now_nm));
        OrderAnswer::Accepted
    }

    /// The order lapses; its revision.
    pub fn lapse(&mut self) -> u16 {
        self.rule = None;
        self.target = None;
        self.revision
    }

    /// The target refused: on to the next chute. Chutes that are past already go into `late`.
    pub fn refused(&mut self, target: Target, reach: Reach<'_>, late: &mut Vec<ChuteId>) {
        let stage = if target.revision == self.revision {
            target.stage + 1
        } else {
            0
        };
        self.aim(usize::from(stage), target.at_nm, reach, late);
    }

    fn is_newer(&self, revision: u16) -> bool {
        revision.wrapping_sub(self.revision) as i16 > 0
    }

    /// Heads for the first chute from `stage` on that still comes past.
    fn aim(&mut self, stage: usize, after_nm: i64, reach: Reach<'_>, late: &mut Vec<ChuteId>) {
        self.target = None;
        let Some(rule) = self.rule else { return };
        // Round again from the first chute, if a round there is.
        let again = rule.on_fail == OnFail::Lap && reach.lap_nm.is_some();
        let rest = (stage..ORDER_CHUTES_MAX).chain(0..if again { stage } else { 0 });
        for stage in rest {
            let Some(chute) = rule.chutes[stage] else {
                continue;
            };
            if let Some(at_nm) = reach.pass(chute, after_nm, rule.known_nm) {
                let revision = self.revision;
                self.target = Some(Target {
                    chute,
                    at_nm,
                    stage: stage as u8,
                    revision,
                });
                return;
            }
            late.push(chute);
        }
        self.rule = None;
    }
}

/// The first travel at which the encoder is past `obey_by`; far beyond any travel for "never".
fn lapses_at_nm(obey_by: BeltMm) -> i64 {
    obey_by.0.saturating_add(1).saturating_mul(NM_PER_MM)
}
