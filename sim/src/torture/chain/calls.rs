//! Calls of the sorters, and the journal of them.

use sorthub_core::ids::SorterId;
use sorthub_core::plc::Mark;
use sorthub_core::signal::{Output, Signal};
use sorthub_core::sorter::{Sorter, Wish};
use sorthub_core::units::Micros;

use super::Chain;

/// So many records are kept behind a snapshot before there is another.
const RECORDS_MAX: usize = 2_000;

/// A sorter's last snapshot and the calls since.
pub(super) struct Journal {
    pub snapshot: Vec<u8>,
    pub records: Vec<Record>,
}

/// A record of a journal.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub now: Micros,
    pub signal: Signal,
    pub durable: Micros,
    pub mark: Option<(usize, Mark)>,
}

impl Journal {
    /// A journal that begins with what a sorter is now.
    pub fn new(sorter: &Sorter) -> Self {
        Self {
            snapshot: sorter.snapshot(),
            records: vec![],
        }
    }

    /// Begins anew with a snapshot, if it has become long and all of it is durable.
    fn shorten(&mut self, sorter: &Sorter, now: Micros) {
        let is_durable = |last: &Record| last.durable <= now;
        if self.records.len() > RECORDS_MAX && self.records.last().is_some_and(is_durable) {
            *self = Self::new(sorter);
        }
    }
}

impl Chain {
    pub(super) fn call(
        &mut self,
        index: usize,
        signal: &Signal,
        mark: Option<(usize, Mark)>,
    ) -> Result<(), String> {
        self.calls += 1;
        let now = self.now;
        self.journals[index].shorten(&self.sorters[index], now);
        let sorter = &mut self.sorters[index];
        let stepwise = self.judges[index].before(sorter, now, signal)?;
        self.outbox.clear();
        sorter.handle(now, signal, &mut self.outbox);
        let outputs = self.outbox.outputs();
        self.judges[index].after(sorter, &self.truth, now, signal, outputs, stepwise)?;
        for output in outputs {
            match *output {
                Output::Divert(ref order) => {
                    if let Some((track, own)) = self.drawn.hub.track_of(order.cell) {
                        self.lanes[track.index()].order(own, output);
                        self.looks[track.index()] = now;
                    }
                }
                Output::Withdraw { cell, .. } => {
                    if let Some((track, own)) = self.drawn.hub.track_of(cell) {
                        self.lanes[track.index()].order(own, output);
                        self.looks[track.index()] = now;
                    }
                }
                Output::CarrierEnable { cell, .. } => {
                    if let Some((track, own)) = self.drawn.hub.track_of(cell) {
                        self.lanes[track.index()].use_carrier(own, output);
                        self.looks[track.index()] = now;
                    }
                }
                Output::Pace {
                    induction,
                    to,
                    limit_per_h,
                } => {
                    let track = self.drawn.hub.inductions()[induction.index()].track;
                    self.lanes[track.index()].pace(induction, to, limit_per_h);
                    self.looks[track.index()] = now;
                }
                Output::ChuteWish {
                    chute,
                    lock,
                    lamp,
                    why,
                } => {
                    let wish = Wish { lock, lamp, why };
                    for (lane, look) in self.lanes.iter_mut().zip(&mut self.looks) {
                        lane.wish_chute(chute, wish);
                        *look = now;
                    }
                }
                Output::AskHost { parcel, code, .. } => self.asked.push((parcel, code)),
                Output::HandOver {
                    transfer,
                    parcel,
                    facts,
                } => self.handed_over.push_back(Signal::Transfer {
                    transfer,
                    parcel,
                    facts,
                }),
                _ => {}
            }
        }
        self.journal(index, signal, mark);
        self.host_answers();
        while let Some(news) = self.handed_over.pop_front() {
            let to = self.drawn.hub.addressee(&news).map_or(0, SorterId::index);
            self.call(to, &news, None)?;
        }
        Ok(())
    }

    /// Writes a call down; its event is acknowledged once it is durable.
    fn journal(&mut self, index: usize, signal: &Signal, mark: Option<(usize, Mark)>) {
        let (now, signal) = (self.now, *signal);
        let records = &mut self.journals[index].records;
        // Records become durable in their order.
        let before = records.last().map_or(now, |record: &Record| record.durable);
        let durable = before.max(now.after(Micros::from_millis(u64::from(self.disk_ms))));
        if let Some((lane, mark)) = mark {
            self.lanes[lane].durable_at(durable, mark);
        }
        records.push(Record {
            now,
            signal,
            durable,
            mark,
        });
    }
}
