//! Levels: what stands as long as the sorter, its links or the journal are as they are.

use sorthub_core::ids::{ChuteId, DestId, ScannerId, TrackId};
use sorthub_core::reason::Reason;
use sorthub_core::running::Parts;
use sorthub_core::sorter::{ChuteIs, Sorter};
use sorthub_core::units::Micros;

use super::rates::{Share, share};
use super::words::About;
use super::{AlarmBoard, HubView};

/// A chute that is full or locked for a moment is work for its operator, not an alarm.
const CHUTE_CLOSED_MAX: Micros = Micros::from_secs(180);

/// Items missing or unexpected of a million inducted in an hour that are no alarm.
const MISTRACKED_PPM_MAX: u64 = 100;

/// Late orders of a million in an hour that are no alarm.
const LATE_PPM_MAX: u64 = 1_000;

/// Late answers of the host of a million in ten minutes that are no alarm.
const HOST_LATE_PPM_MAX: u64 = 20_000;

/// One of a few is no rate yet.
const CASES_MIN: u64 = 3;

/// How far, in thousandths, the reading rate of ten minutes may lie below that of the whole run,
/// and how many telegrams there must be of either to say so.
const READ_RATE_FALL_PERMILLE: u64 = 50;
const READS_MIN: u64 = 200;

/// Parcels of one destination that go round since no chute takes them, before it is told.
const GOING_ROUND_MIN: u32 = 3;

/// How often what takes a look at every parcel is done.
const LOOK_EVERY: Micros = Micros::from_secs(1);

/// How a PLC link does, beside being up or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkHealth {
    /// The PLC obeys another engine, with this epoch; 0: none now, but it has obeyed a later run
    /// than this one.
    pub refused_by: Option<u16>,
    /// The PLC is not the one of the hub file.
    pub is_mismatched: bool,
    /// Times that the PLC has lost events.
    pub events_lost: u64,
    /// Events outside the interface, or about what the hub file does not have.
    pub unreadable: u64,
}

/// What is remembered to know how levels change.
#[derive(Debug)]
pub(super) struct Levels {
    /// For each chute, since when it has taken nothing.
    closed_since: Vec<Option<Micros>>,
    links: Vec<LinkHealth>,
    scanners: Vec<Share>,
    mistracked: Share,
    late: Share,
    host: Share,
    journal_missing: u64,
    looked: Micros,
    /// Destinations that are told to be full.
    full: Vec<DestId>,
}

impl Levels {
    pub fn new(hub: &HubView) -> Self {
        Self {
            closed_since: vec![None; hub.chutes.len()],
            links: vec![LinkHealth::default(); hub.tracks.len()],
            scanners: vec![Share::default(); hub.scanners.len()],
            mistracked: Share::default(),
            late: Share::default(),
            host: Share::default(),
            journal_missing: 0,
            looked: Micros(0),
            full: Vec::new(),
        }
    }
}

impl AlarmBoard {
    /// Looks at the levels of tracks, scanners and chutes, and raises and clears what they call
    /// for.
    pub fn follow(&mut self, now: Micros, sorter: &Sorter) {
        self.unshelve(now);
        for track in (0..self.levels.links.len()).map(|track| TrackId(track as u16)) {
            self.track(now, sorter, track);
        }
        for scanner in (0..self.levels.scanners.len()).map(|scanner| ScannerId(scanner as u16)) {
            self.scanner(now, sorter, scanner);
        }
        for chute in (0..self.levels.closed_since.len()).map(|chute| ChuteId(chute as u16)) {
            let view = sorter.chute(chute);
            let jammed = view.is == ChuteIs::Jammed;
            self.level(now, About::ChuteJammed(chute), jammed, |names| {
                format!("{} is jammed", names.chute(chute))
            });
            self.level(
                now,
                About::EyeStuck(chute),
                view.is == ChuteIs::EyeStuck,
                |names| format!("The full eye of {} is stuck", names.chute(chute)),
            );
            self.closed(now, chute, view.is, view.since);
        }
        self.rates(now, sorter);
        if now.since(self.levels.looked) >= LOOK_EVERY {
            self.levels.looked = now;
            self.destinations(now, sorter);
        }
    }

    /// Looks at how a PLC link does.
    pub fn follow_link(&mut self, now: Micros, track: TrackId, health: &LinkHealth) {
        let Some(before) = self.levels.links.get_mut(track.index()) else {
            return;
        };
        let before = std::mem::replace(before, *health);
        let other = health.refused_by;
        self.level(now, About::Refused(track), other.is_some(), |names| {
            let track = names.track(track);
            match other {
                Some(run @ 1..) => format!("The PLC of {track} obeys another engine, run {run}"),
                _ => format!("The PLC of {track} has obeyed a later run than this one"),
            }
        });
        self.level(now, About::Mismatch(track), health.is_mismatched, |names| {
            let track = names.track(track);
            format!("The PLC of {track} is not the one of the hub file")
        });
        if health.events_lost > before.events_lost {
            let text = format!("The PLC of {} has lost events", self.names.track(track));
            self.happened(now, About::EventsLost(track), text);
        }
        if health.unreadable > before.unreadable {
            let name = self.names.track(track);
            let text = format!("The PLC of {name} says what nobody understands");
            self.happened(now, About::Unreadable(track), text);
        }
    }

    /// Looks at the journal: whether it can be written, and how many records are missing in it.
    pub fn follow_journal(&mut self, now: Micros, failing: bool, missing: u64) {
        self.level(now, About::JournalFailing, failing, |_| {
            "The journal cannot be written".to_owned()
        });
        if missing > self.levels.journal_missing {
            self.levels.journal_missing = missing;
            let text = format!("The journal has gaps: {missing} records are missing");
            self.happened(now, About::JournalGap, text);
        }
    }

    fn track(&mut self, now: Micros, sorter: &Sorter, track: TrackId) {
        let view = sorter.track(track);
        if view.linked {
            self.over(now, About::LinkLost(track));
        }
        if view.in_doubt == 0 {
            self.over(now, About::TrackingReset(track));
        }
        if view.disabled == 0 {
            self.over(now, About::CarriersDisabled(track));
        }
        let is_stuck = view.state.lost.has(Parts::ENCODER);
        self.level(now, About::EncoderStuck(track), is_stuck, |names| {
            let track = names.track(track);
            format!("The encoder of {track} stands while the belt runs")
        });
    }

    fn scanner(&mut self, now: Micros, sorter: &Sorter, scanner: ScannerId) {
        let view = sorter.scanner(scanner);
        self.level(
            now,
            About::ScannerSilent(scanner),
            view.is_silent,
            |names| format!("{} is silent", names.scanner(scanner)),
        );
        let rate = &mut self.levels.scanners[scanner.index()];
        rate.take(now, view.good, view.telegrams);
        let (lately, ever) = (rate.within(10), rate.ever());
        if lately.1 < READS_MIN || ever.1 < 2 * lately.1 {
            return;
        }
        let (lately, ever) = (share(lately, 1_000), share(ever, 1_000));
        let is_falling = lately + READ_RATE_FALL_PERMILLE < ever;
        self.level(now, About::ReadRate(scanner), is_falling, |names| {
            let (scanner, lately, ever) = (names.scanner(scanner), lately / 10, ever / 10);
            format!("{scanner} reads {lately} % of what passes, usually {ever} %")
        });
    }

    fn rates(&mut self, now: Micros, sorter: &Sorter) {
        let books = sorter.books();
        let (mistracked, late) = (&mut self.levels.mistracked, &mut self.levels.late);
        mistracked.take(now, books.mistracked, books.inducted);
        late.take(now, books.late_orders, books.orders);
        let (mistracked, late) = (mistracked.within(60), late.within(60));
        let is_high = |counts: (u64, u64), most_ppm| {
            counts.0 >= CASES_MIN && share(counts, 1_000_000) > most_ppm
        };
        let holds = is_high(mistracked, MISTRACKED_PPM_MAX);
        self.level(now, About::Mistracked, holds, |_| {
            let ppm = share(mistracked, 1_000_000);
            format!("{ppm} of a million parcels are not where they should be")
        });
        self.levels
            .host
            .take(now, books.host_late, books.host_asked);
        let host = self.levels.host.within(10);
        let holds = is_high(host, HOST_LATE_PPM_MAX);
        self.level(now, About::HostSlow, holds, |_| {
            let percent = share(host, 100);
            format!("The host is late with {percent} % of its answers")
        });
        let holds = is_high(late, LATE_PPM_MAX);
        self.level(now, About::LateOrders, holds, |_| {
            let ppm = share(late, 1_000_000);
            format!("{ppm} of a million orders come too late")
        });
    }

    /// `since` is when a chute began to be what it `is`. It may go from full to locked meanwhile:
    /// what counts is since when it takes nothing.
    fn closed(&mut self, now: Micros, chute: ChuteId, is: ChuteIs, since: Micros) {
        // Nothing that cannot be sorted has anywhere else to go, whatever it is closed by.
        let closed = is.closed_because().is_some();
        let rejects = self.names.is_reject(chute);
        self.level(
            now,
            About::RejectClosed(chute),
            closed && rejects,
            |names| {
                let (chute, is) = (names.chute(chute), is.name());
                format!("{chute}, a reject chute, is closed: {is}")
            },
        );
        let waits = !rejects && waits_for_somebody(is);
        let closed_since = &mut self.levels.closed_since[chute.index()];
        *closed_since = waits.then(|| closed_since.map_or(since, |first| first.min(since)));
        let for_long = closed_since.is_some_and(|since| now.since(since) >= CHUTE_CLOSED_MAX);
        self.level(now, About::ChuteClosed(chute), for_long, |names| {
            format!("{} has taken nothing for 3 minutes", names.chute(chute))
        });
    }

    /// Destinations whose parcels go round since no chute takes them. Nothing is paused for them:
    /// inductions do not know what they bring.
    fn destinations(&mut self, now: Micros, sorter: &Sorter) {
        let mut round: Vec<(DestId, u32)> = Vec::new();
        for item in sorter.items().filter(|item| item.laps > 0) {
            let Some(dest) = item.dest.filter(|_| is_shut_out(item.why)) else {
                continue;
            };
            match round.binary_search_by_key(&dest, |(dest, _)| *dest) {
                Ok(at) => round[at].1 += 1,
                Err(at) => round.insert(at, (dest, 1)),
            }
        }
        round.retain(|(_, count)| *count >= GOING_ROUND_MIN);
        let before = std::mem::take(&mut self.levels.full);
        for dest in before {
            if !round.iter().any(|(other, _)| *other == dest) {
                self.over(now, About::DestinationFull(dest));
            }
        }
        for (dest, count) in round {
            let spec = sorter.plan().spec().destinations.get(dest.index());
            let name = spec.map_or("?", |spec| &spec.name);
            self.stands(now, About::DestinationFull(dest), |_| {
                format!("{count} parcels for {name} go round: no chute takes them")
            });
            self.levels.full.push(dest);
        }
    }
}

/// Whether what a chute is should not last: somebody must see to it. One out of service is meant to
/// be closed, and a jam or a stuck eye has an alarm of its own.
fn waits_for_somebody(is: ChuteIs) -> bool {
    matches!(
        is.closed_because(),
        Some(
            Reason::ChuteFull
                | Reason::ChuteLocked
                | Reason::BagChange
                | Reason::BagLimit
                | Reason::PendingClear
        )
    )
}

/// Whether a parcel goes round because its chutes take nothing.
fn is_shut_out(why: Reason) -> bool {
    matches!(
        why,
        Reason::ChuteFull
            | Reason::ChuteLocked
            | Reason::ChuteJammed
            | Reason::ChuteDisabled
            | Reason::PendingClear
            | Reason::BagChange
            | Reason::BagLimit
            | Reason::WaveOver
            | Reason::OutOfService
    )
}
