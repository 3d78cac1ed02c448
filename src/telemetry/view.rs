//! What the engine shows of itself about ten times a second.
//!
//! Every row is plain data of a fixed size, and the lists keep their room from one filling to the
//! next, so that filling a view costs the decision thread no allocation once it has been full.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use sorthub_core::ids::{ChuteId, CodeId, InductionId, ParcelId, TrackId};
use sorthub_core::plan::Waves;
use sorthub_core::reason::Reason;
use sorthub_core::running::{Feeding, Hold, Pace, RunState};
use sorthub_core::signal::Refusal;
use sorthub_core::sorter::{BagStep, Books, ChuteIs, ItemView, Sorter};
use sorthub_core::units::Micros;

use super::alarms::AlarmRow;

/// Most items that one view lists. A page can draw no more, and a view of a very large hub must
/// not grow to megabytes ten times a second; the rest is counted in [`View::items_left_out`].
pub const ITEM_ROWS_MAX: usize = 4_096;

/// The state of a running engine at one moment, for people.
#[derive(Clone, Debug, Default, Serialize)]
pub struct View {
    /// Grows by one with each filling.
    pub sequence: u64,
    /// Plant time, in µs since the engine's start: what the belts and the plan run by.
    pub plant_us: u64,
    /// The version of the plan that is sorted by.
    pub plan_version: u32,
    /// Its waves that are open. Not for the page, whose numbers do not hold 64 bits.
    #[serde(skip)]
    pub waves: Waves,
    /// Plant seconds for each second on the wall, in thousandths; 1000 but for a virtual hub that
    /// runs faster.
    pub speed_permille: u32,
    /// Each track, in the order of the hub.
    pub tracks: Vec<TrackRow>,
    /// Each induction, in the order of the hub.
    pub inductions: Vec<InductionRow>,
    /// Items in carriers and windows, at most [`ITEM_ROWS_MAX`].
    pub items: Vec<ItemRow>,
    /// Items beyond those listed.
    pub items_left_out: u32,
    /// Each chute, in the order of the hub.
    pub chutes: Vec<ChuteRow>,
    /// Each scanner, in the order of the hub.
    pub scanners: Vec<ScannerRow>,
    /// The book.
    pub books: BooksRow,
    /// From the call to the sorter until it has answered.
    pub decision: LatencyRow,
    /// From the telegram or PLC event that an order follows from, read at its socket, until the
    /// PLC has acknowledged the write of the order.
    pub wire_to_wire: LatencyRow,
    /// Parcels that left for a destination in the last minute of plant time, as an hourly rate.
    pub sorted_per_h: u32,
    /// Parcels that got on in the last minute of plant time, as an hourly rate.
    pub inducted_per_h: u32,
    /// Alarms, the newest first.
    pub alarms: Vec<AlarmRow>,
    /// Links that are not a track's own: scanners, hosts, files.
    pub links: Vec<LinkRow>,
    /// Records that did not fit into a queue to another thread, all queues together.
    pub queue_drops: u64,
}

/// A track at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TrackRow {
    /// The belt's travel at [`View::plant_us`], in mm.
    pub belt_mm: i64,
    /// Its speed, in mm/s of plant time.
    pub speed_mm_s: u32,
    /// Whether the PLC link is up.
    pub linked: bool,
    /// Parcels that the PLC has forgotten and that may be found again.
    pub in_doubt: u32,
    /// Its mode, the step it is in, whether it is out of service, and what it does without.
    pub state: RunState,
    /// Occupied carriers or windows, in thousandths of the usable ones.
    pub occupancy_permille: u32,
    /// Carriers that are not used.
    pub disabled: u32,
}

/// An induction at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InductionRow {
    /// How fast it may feed.
    pub pace: Pace,
    /// Most parcels an hour; 0: no limit.
    pub limit_per_h: u16,
    /// What holds it, in words; `None`: nothing.
    #[serde(serialize_with = "hold_text")]
    pub hold: Option<Hold>,
    /// Plant time since which that is so, in µs.
    pub since_us: u64,
    /// What it really does.
    pub feeding: Feeding,
}

/// An item on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ItemRow {
    /// Its parcel id; `None` while it is not known whether it is a new one.
    #[serde(serialize_with = "parcel_text")]
    pub parcel: Option<ParcelId>,
    /// Its carrier or window, numbered through the hub.
    pub cell: u32,
    /// The belt position at which it was, or would have been, at its track's origin, in mm.
    pub origin_mm: i64,
    /// The chute it is ordered to, by position in the hub's list.
    pub chute: Option<u16>,
    /// Why it goes there, or what kept it from leaving last.
    #[serde(serialize_with = "reason_text")]
    pub why: Reason,
    /// Laps added so far.
    pub laps: u8,
    /// Whether a code was read.
    pub read: bool,
    /// The code's text, where the engine keeps it.
    pub waybill: Option<ShortText>,
}

/// A chute at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChuteRow {
    /// Parcels that left by it.
    pub dropped: u64,
    /// Parcels in it, for chutes that can count them.
    pub holds: u32,
    /// Parcels on their way to it.
    pub coming: u32,
    /// Its half eye is covered.
    pub half: bool,
    /// Its full eye is covered.
    pub full: bool,
    /// What it is, all things considered: [`ChuteIs::name`].
    #[serde(rename = "state", serialize_with = "by_name")]
    pub is: ChuteIs,
    /// Since when it is that, in plant time.
    pub since_us: u64,
    /// The bag or cage that hangs there, if it has one.
    pub bag: Option<BagRow>,
    /// Parcels that it refused, by [`Refusal`] in its order. This and what follows is for whoever
    /// asks about chutes; the page, which gets ten views a second, does without.
    #[serde(skip)]
    pub refused: [u64; Refusal::COUNT],
    /// Discharges into it that failed at its diverter or a carrier.
    #[serde(skip)]
    pub failed: u64,
    /// For how long it was full so far, in µs of plant time.
    #[serde(skip)]
    pub full_us: u64,
    /// For how long it was locked so far, or its bag being changed.
    #[serde(skip)]
    pub locked_us: u64,
}

/// A bag or cage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BagRow {
    /// Parcels in it, and their mass as far as it is known.
    pub pieces: u32,
    /// See `pieces`.
    pub weight_g: u32,
    /// Whether that is all that is in it.
    pub counted: bool,
    /// Its contents stand: it can be taken off.
    pub frozen: bool,
    /// It has a label.
    pub labelled: bool,
    /// The label of the one that comes after it is bound.
    pub next_bound: bool,
    /// How far its change has come. This and what follows is for whoever asks about chutes.
    #[serde(skip)]
    pub step: BagStep,
    /// What is in it, in cm³ as far as it is known.
    #[serde(skip)]
    pub volume_cm3: u32,
    /// The label it has, if any.
    #[serde(skip)]
    pub label: CodeId,
    /// The label of the one that comes after it, once bound.
    #[serde(skip)]
    pub next: CodeId,
}

fn by_name<S: Serializer>(is: &ChuteIs, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(is.name())
}

/// A scanner since the start, counted by its link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScannerRow {
    /// Telegrams with a code.
    pub reads: u64,
    /// Telegrams without one.
    pub no_reads: u64,
    /// What it read last.
    pub last: Option<ShortText>,
    /// Whether its link is up.
    pub linked: bool,
    /// Whether it has said nothing of so many items in a row that it counts as lost.
    pub silent: bool,
}

/// The book, in the words of the reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BooksRow {
    /// Parcels that got on.
    pub inducted: u64,
    /// Parcels that left for their destination.
    pub sorted: u64,
    /// Of those, the ones that left elsewhere than ordered.
    pub missorted: u64,
    /// Parcels rejected.
    pub rejected: u64,
    /// Parcels taken off by hand.
    pub removed: u64,
    /// Parcels lost.
    pub lost: u64,
    /// Parcels still on their way.
    pub on_sorter: u64,
    /// Parcels that left for another sorter of the hub.
    pub handed_over: u64,
    /// Parcels that came from another one. Of all sorters together, those handed over and not
    /// taken over are on a transfer.
    pub taken_over: u64,
    /// Tries to leave that failed and led to another lap.
    pub recirculated: u64,
    /// Orders given.
    pub orders: u64,
    /// Telegrams that met no item, or more than one.
    pub unmatched_scans: u64,
    /// Items whose scanner said nothing in time.
    pub silent_scans: u64,
    /// Whether every parcel is accounted for.
    pub balance: bool,
    /// Parcels rejected, by cause.
    pub rejected_by: ByReason,
}

/// A count for each reason; on the wire an object that names only those above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByReason(pub [u64; Reason::COUNT]);

/// A distribution of times, in ns; all zero when nothing was measured yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LatencyRow {
    /// How many were measured.
    pub count: u64,
    /// The median.
    pub p50_ns: u64,
    /// 99 of 100 took at most this.
    pub p99_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

/// A link other than a track's PLC link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LinkRow {
    /// What is at its other end.
    pub name: ShortText,
    /// Whether it is up.
    pub up: bool,
}

/// A text of at most [`ShortText::BYTES`] bytes, held in place; longer ones are cut.
///
/// It lets a row be copied and overwritten without touching the heap.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShortText {
    length: u8,
    bytes: [u8; Self::BYTES],
}

impl ShortText {
    /// The longest text that is kept whole; every carrier's waybill number is shorter.
    pub const BYTES: usize = 47;

    /// Keeps `text`, or as many of its characters as fit.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let length = (0..=text.len().min(Self::BYTES))
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        let mut bytes = [0; Self::BYTES];
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        Self {
            length: length as u8,
            bytes,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let kept = &self.bytes[..usize::from(self.length)];
        std::str::from_utf8(kept).expect("a text is only ever cut between characters")
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for ShortText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Default for ByReason {
    fn default() -> Self {
        Self([0; Reason::COUNT])
    }
}

impl Serialize for ByReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (reason, count) in Reason::ALL.iter().zip(&self.0) {
            if *count > 0 {
                map.serialize_entry(reason.name(), count)?;
            }
        }
        map.end()
    }
}

impl From<&Books> for ByReason {
    fn from(books: &Books) -> Self {
        let mut counts = [0; Reason::COUNT];
        for (count, reason) in counts.iter_mut().zip(Reason::ALL) {
            *count = books.rejected_by[*reason];
        }
        Self(counts)
    }
}

impl From<&Books> for BooksRow {
    fn from(books: &Books) -> Self {
        Self {
            inducted: books.inducted,
            sorted: books.sorted,
            missorted: books.missorted,
            rejected: books.rejected,
            removed: books.removed,
            lost: books.lost,
            on_sorter: books.on_sorter,
            handed_over: books.handed_over,
            taken_over: books.taken_over,
            recirculated: books.recirculated,
            orders: books.orders,
            unmatched_scans: books.unmatched_scans,
            silent_scans: books.silent_scans,
            balance: books.balance(),
            rejected_by: ByReason::from(books),
        }
    }
}

impl BooksRow {
    /// Adds the counts of another sorter.
    pub(super) fn add(&mut self, other: &Self) {
        self.inducted += other.inducted;
        self.sorted += other.sorted;
        self.missorted += other.missorted;
        self.rejected += other.rejected;
        self.removed += other.removed;
        self.lost += other.lost;
        self.on_sorter += other.on_sorter;
        self.handed_over += other.handed_over;
        self.taken_over += other.taken_over;
        self.recirculated += other.recirculated;
        self.orders += other.orders;
        self.unmatched_scans += other.unmatched_scans;
        self.silent_scans += other.silent_scans;
        self.balance &= other.balance;
        for (count, more) in self.rejected_by.0.iter_mut().zip(&other.rejected_by.0) {
            *count += more;
        }
    }
}

impl LatencyRow {
    /// The slower of two distributions, with the count of both: what a page can say of several.
    pub(super) fn slower_of(&mut self, other: &Self) {
        self.count += other.count;
        self.p50_ns = self.p50_ns.max(other.p50_ns);
        self.p99_ns = self.p99_ns.max(other.p99_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
    }
}

impl View {
    /// Writes down what the sorter knows at plant time `now`: tracks, items, chutes and the book.
    /// The rest (scanners, latencies, rates, alarms, links) is the engine's to fill in.
    ///
    /// `text_of` gives a code's text where the engine still has it.
    pub fn read_sorter<'t>(
        &mut self,
        sorter: &Sorter,
        now: Micros,
        mut text_of: impl FnMut(CodeId) -> Option<&'t str>,
    ) {
        let hub = sorter.hub();
        self.plant_us = now.0;
        self.plan_version = sorter.plan().version();
        self.waves = sorter.waves();
        self.books = BooksRow::from(sorter.books());
        self.tracks.clear();
        let tracks = (0..hub.tracks().len()).map(|track| track_row(sorter, track, now));
        self.tracks.extend(tracks);
        self.inductions.clear();
        let inductions = (0..hub.inductions().len()).map(|at| induction_row(sorter, at));
        self.inductions.extend(inductions);
        self.chutes.clear();
        let chutes = (0..hub.chutes().len()).map(|chute| chute_row(sorter, chute));
        self.chutes.extend(chutes);
        self.items.clear();
        self.items_left_out = 0;
        for item in sorter.items() {
            if self.items.len() < ITEM_ROWS_MAX {
                self.items.push(item_row(&item, &mut text_of));
            } else {
                self.items_left_out += 1;
            }
        }
    }
}

fn track_row(sorter: &Sorter, track: usize, now: Micros) -> TrackRow {
    let track = sorter.track(TrackId(track as u16));
    // Nobody knows where a belt is whose link is lost; it is shown where it was last.
    let since = if track.linked {
        now.since(track.told)
    } else {
        Micros(0)
    };
    TrackRow {
        belt_mm: track.at.plus(track.speed.travel_mm(since)).0,
        speed_mm_s: if track.linked { track.speed.0 } else { 0 },
        linked: track.linked,
        in_doubt: track.in_doubt,
        state: track.state,
        occupancy_permille: track.occupancy_permille,
        disabled: track.disabled,
    }
}

fn induction_row(sorter: &Sorter, at: usize) -> InductionRow {
    let view = sorter.induction(InductionId(at as u16));
    InductionRow {
        pace: view.pace,
        limit_per_h: view.limit_per_h,
        hold: (view.hold != Hold::Nothing).then_some(view.hold),
        since_us: view.since.0,
        feeding: view.feeding,
    }
}

fn chute_row(sorter: &Sorter, chute: usize) -> ChuteRow {
    let chute = sorter.chute(ChuteId(chute as u16));
    ChuteRow {
        dropped: chute.dropped,
        holds: chute.holds,
        coming: chute.coming,
        half: chute.state.half,
        full: chute.state.full,
        is: chute.is,
        since_us: chute.since.0,
        bag: chute.bag.map(|bag| BagRow {
            pieces: bag.pieces,
            weight_g: bag.weight_g,
            counted: bag.is_counted,
            frozen: bag.is_frozen,
            labelled: bag.label != CodeId::NONE,
            next_bound: bag.next != CodeId::NONE,
            step: bag.step,
            volume_cm3: bag.volume_cm3,
            label: bag.label,
            next: bag.next,
        }),
        refused: chute.refused,
        failed: chute.failed,
        full_us: chute.full_us,
        locked_us: chute.locked_us,
    }
}

fn item_row<'t>(item: &ItemView, text_of: &mut impl FnMut(CodeId) -> Option<&'t str>) -> ItemRow {
    let read = item.code != CodeId::NONE;
    ItemRow {
        parcel: (item.parcel.counter() != 0).then_some(item.parcel),
        cell: item.cell.0,
        origin_mm: item.origin.0,
        chute: item.chute.map(|chute| chute.0),
        why: item.why,
        laps: item.laps,
        read,
        waybill: if read {
            text_of(item.code).map(ShortText::new)
        } else {
            None
        },
    }
}

fn parcel_text<S: Serializer>(parcel: &Option<ParcelId>, serializer: S) -> Result<S::Ok, S::Error> {
    match parcel {
        Some(parcel) => serializer.collect_str(parcel),
        None => serializer.serialize_none(),
    }
}

fn hold_text<S: Serializer>(hold: &Option<Hold>, serializer: S) -> Result<S::Ok, S::Error> {
    match hold {
        Some(hold) => serializer.collect_str(hold),
        None => serializer.serialize_none(),
    }
}

fn reason_text<S: Serializer>(reason: &Reason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.name())
}
