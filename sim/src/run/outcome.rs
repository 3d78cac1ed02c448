//! What a run comes to, and whether the sorter's book tells the truth about it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use sorthub_core::ids::{ChuteId, InductionId};
use sorthub_core::reason::Reason;
use sorthub_core::sorter::Sorter;
use sorthub_core::units::Micros;

use super::{ActionOutcome, World};
use crate::stats::{TimeSummary, ratio};

/// What a run comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// The seed of its random numbers.
    pub seed: u64,
    /// Parcels that came to an induction: inducted, waiting and turned away.
    pub arrived: u64,
    /// Parcels that got on.
    pub inducted: u64,
    /// Parcels that still wait at an induction.
    pub waiting: u64,
    /// Parcels that found the queue at their induction full.
    pub turned_away: u64,
    /// Parcels that left by a chute of their destination, and missorts.
    pub sorted: u64,
    /// Of these, the ones that left elsewhere than ordered.
    pub missorted: u64,
    /// Parcels rejected, by reason; reasons without any are left out.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Parcels taken off by hand.
    pub removed: u64,
    /// Parcels lost.
    pub lost: u64,
    /// Parcels still on their way.
    pub on_sorter: u64,
    /// Parcels on transfers between tracks.
    pub in_transfer: u64,
    /// Tries to leave that failed and led to another lap.
    pub recirculated: u64,
    /// Of these, for each parcel inducted.
    pub recirculation_rate: f64,
    /// Parcels sorted for each hour of the run.
    pub throughput_per_hour: f64,
    /// From a parcel's arrival until it drops into a chute, reject chutes included.
    pub time_in_system_s: TimeSummary,
    /// Mean time from arrival to induction.
    pub induction_wait_s: f64,
    /// Share of the run for which a chute that can be full was full, mean over these chutes.
    pub chute_full_share: f64,
    /// By chute, in the order of the hub.
    pub chutes: Vec<ChuteOutcome>,
    /// What people did, and what was answered; left out where nobody did anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionOutcome>,
    /// When the last parcel left.
    pub makespan_s: f64,
    /// Arrivals, inductions, first scans, passages of the own chute (taken or refused) and parcels
    /// taken out by workers, whatever else the simulator may have needed.
    pub events: u64,
    /// The running hash over everything the sorter has said, in hexadecimal: a JSON number cannot
    /// hold it.
    pub output_hash: String,
    /// Wall-clock time of the run; 0 where nobody measured it. It is no part of the result.
    pub wall_s: f64,
}

/// What a run comes to at one chute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChuteOutcome {
    /// Its name.
    pub name: String,
    /// Parcels sorted into it.
    pub sorted: u64,
}

/// A count that the sorter's book and the plant's truth do not agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What was counted.
    pub what: String,
    /// The truth.
    pub truth: u64,
    /// What the sorter says.
    pub book: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: really {}, in the book {}",
            self.what, self.truth, self.book
        )
    }
}

/// Parcels at the inductions, all together.
struct Queues {
    arrived: u64,
    waiting: u64,
    turned_away: u64,
}

fn queues(world: &mut World) -> Queues {
    // What happens at the end of the run itself does not happen any more.
    let last = Micros(world.end().0.saturating_sub(1)).max(world.now);
    let mut all = Queues {
        arrived: 0,
        waiting: 0,
        turned_away: 0,
    };
    for index in 0..world.job.hub.inductions().len() {
        let induction = InductionId(index as u16);
        all.arrived += world.plant.arrived(induction, last);
        all.waiting += world.plant.waiting(induction, last);
        all.turned_away += world.plant.turned_away(induction, last);
    }
    all
}

/// Holds the sorter's book against the truth.
pub(super) fn differences(world: &mut World) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut check = |what: &str, truth: u64, book: u64| {
        if truth != book {
            found.push(Difference {
                what: what.to_owned(),
                truth,
                book,
            });
        }
    };
    let queues = queues(world);
    let (books, tally) = (world.books(), *world.plant.tally());
    let left_queue = queues.arrived - queues.waiting - queues.turned_away;
    check(
        "parcels that left the queue at an induction",
        left_queue,
        books.inducted,
    );
    check("parcels inducted", tally.inducted, books.inducted);
    check(
        "parcels sorted or rejected",
        tally.discharged,
        books.sorted + books.rejected,
    );
    check("parcels removed", tally.removed, books.removed);
    check("parcels lost", 0, books.lost);
    check("parcels on the sorter", tally.on_tracks(), books.on_sorter);
    check(
        "parcels on transfers",
        tally.on_transfers(),
        books.in_transfer(),
    );
    check(
        "parcels in a chute that is not theirs",
        world.astray,
        // A person may have sent it there: that it was somebody's wish is all the book can say.
        world
            .astray
            .clamp(books.missorted, books.missorted + world.redirected),
    );
    let ended = books.sorted + books.rejected + books.removed + books.lost;
    check(
        "parcels whose passage ended",
        books.inducted - books.on_sorter - books.in_transfer(),
        ended,
    );
    check(
        "parcels sorted, chute by chute",
        world.sorted.iter().sum(),
        books.sorted,
    );
    for (index, chute) in world.job.hub.chutes().iter().enumerate() {
        let id = ChuteId(index as u16);
        let truth = world.plant.chute(id, world.now).dropped;
        check(
            &format!("parcels in chute `{}`", chute.name),
            truth,
            world
                .sorters
                .iter()
                .map(|sorter| sorter.chute(id).dropped)
                .sum(),
        );
    }
    found
}

/// The running hash of all sorters; that of the only one is its own.
fn output_hash(world: &World) -> u64 {
    let mut hashes = world.sorters.iter().map(Sorter::output_hash);
    let first = hashes.next().unwrap_or_default();
    hashes.fold(first, |all, hash| all.rotate_left(1) ^ hash)
}

/// Sums a run up.
pub(super) fn outcome(world: &mut World) -> Outcome {
    let end = world.end();
    let last = Micros(end.0.saturating_sub(1)).max(world.now);
    let queues = queues(world);
    let (books, tally) = (world.books(), *world.plant.tally());
    let rejected = Reason::ALL.iter().filter_map(|reason| {
        let count = books.rejected_by[*reason];
        (count > 0).then_some((reason.name(), count))
    });
    // Before the chutes are asked: their answers are final up to the time they are asked for.
    let services = world.plant.services(last);
    let (mut limited, mut full_us) = (0_u64, 0_u64);
    for index in 0..world.job.hub.chutes().len() {
        let chute = world.plant.chute(ChuteId(index as u16), end);
        limited += u64::from(chute.is_limited);
        full_us += chute.full_us;
    }
    let names = world
        .job
        .hub
        .chutes()
        .iter()
        .map(|chute| chute.name.clone());
    let chutes = names.zip(&world.sorted);
    let inducted = books.inducted as f64;
    Outcome {
        seed: world.seed,
        arrived: queues.arrived,
        inducted: books.inducted,
        waiting: queues.waiting,
        turned_away: queues.turned_away,
        sorted: books.sorted,
        missorted: books.missorted,
        rejected: rejected.collect(),
        removed: books.removed,
        lost: books.lost,
        on_sorter: books.on_sorter,
        in_transfer: books.in_transfer(),
        recirculated: books.recirculated,
        recirculation_rate: ratio(books.recirculated as f64, inducted),
        throughput_per_hour: ratio(books.sorted as f64 * 3.6e9, end.0 as f64),
        time_in_system_s: world.times.summary(),
        induction_wait_s: ratio(tally.waited_us as f64, tally.inducted as f64) / 1e6,
        chute_full_share: ratio(full_us as f64, limited as f64 * end.0 as f64),
        chutes: chutes
            .map(|(name, &sorted)| ChuteOutcome { name, sorted })
            .collect(),
        actions: world.actions(),
        makespan_s: tally.last_exit.0 as f64 / 1e6,
        events: queues.arrived + tally.inducted + tally.scanned + tally.attempts + services,
        output_hash: format!("{:016x}", output_hash(world)),
        wall_s: 0.0,
    }
}
