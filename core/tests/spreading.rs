//! How parcels of one destination spread over its chutes.

mod common;

use common::*;
use proptest::prelude::*;
use sorthub_core::hub::*;
use sorthub_core::ids::*;
use sorthub_core::operator::*;
use sorthub_core::plan::*;
use sorthub_core::reason::Reason;
use sorthub_core::signal::*;

/// A loop with eight chutes and a reject chute, and one destination for the eight.
fn hub() -> HubSpec {
    let mut hub = loop_spec();
    hub.chutes = (0..8)
        .map(|n| chute(&format!("C{n}"), 2_000 + n * 500))
        .collect();
    hub.chutes.push(chute("R", 7_000));
    for chute in &mut hub.chutes {
        chute.capacity = Capacity::Parcels(1_000);
    }
    hub
}

fn plan(chutes: u16, spread: Spread) -> PlanSpec {
    PlanSpec {
        destinations: vec![DestinationSpec {
            name: "a".into(),
            chutes: (0..chutes).map(ChuteId).collect(),
            spread,
            ..DestinationSpec::default()
        }],
        reject: vec![ChuteId(8)],
        ..plan_spec()
    }
}

fn chute_is(hand: &mut Hand, chute: u16, state: ChuteState) {
    let chute = ChuteId(chute);
    let taken = 0;
    hand.tell(Signal::Chute {
        chute,
        state,
        taken,
    });
}

/// Sends parcels one after the other and lets each drop where it was sent; how many went where.
fn drop_all(hand: &mut Hand, parcels: u32) -> [u32; 9] {
    let mut counts = [0; 9];
    for n in 0..parcels {
        let (cell, item) = (n % 20, 1_000 + n);
        let order = order(&hand.brought(cell, item, 0)).expect("some chute takes it");
        let first = chutes(&order)[0];
        hand.discharged(first, cell, item);
        counts[usize::from(first)] += 1;
    }
    counts
}

#[test]
fn shares_are_exact_after_every_round() {
    let shares = vec![5, 3, 0, 2];
    let mut hand = Hand::new(hub(), plan(4, Spread::Shares(shares)));
    for round in 1..=5 {
        let counts = drop_all(&mut hand, 10);
        assert_eq!(counts[..4], [5, 3, 0, 2], "round {round}");
    }
}

#[test]
fn a_share_of_nothing_takes_a_parcel_only_when_no_other_does() {
    let mut hand = Hand::new(hub(), plan(2, Spread::Shares(vec![0, 1])));
    assert_eq!(drop_all(&mut hand, 5)[..2], [0, 5]);
    let full = ChuteState {
        full: true,
        ..ChuteState::OPEN
    };
    chute_is(&mut hand, 1, full);
    assert_eq!(drop_all(&mut hand, 5)[..2], [5, 0]);
}

#[test]
fn a_chute_that_was_closed_does_not_make_up_for_it() {
    let mut hand = Hand::new(hub(), plan(2, Spread::Shares(vec![1, 1])));
    let locked = ChuteState {
        locked: true,
        ..ChuteState::OPEN
    };
    chute_is(&mut hand, 0, locked);
    assert_eq!(drop_all(&mut hand, 50)[..2], [0, 50]);
    chute_is(&mut hand, 0, ChuteState::OPEN);
    assert_eq!(drop_all(&mut hand, 10)[..2], [5, 5]);
}

#[test]
fn a_parcel_that_left_elsewhere_is_not_charged_to_the_share_it_was_meant_for() {
    let mut hand = Hand::new(hub(), plan(2, Spread::Shares(vec![1, 1])));
    for n in 0..10 {
        // Each is sent back and forth before anything is made of it.
        let sent = order(&hand.brought(n, 100 + n, 0)).expect("ordered");
        hand.tell(Signal::RemovedByHand {
            cell: sent.cell,
            item: sent.item,
        });
        assert_eq!(chutes(&sent)[0], 0, "the first share was given back");
    }
}

#[test]
fn a_bank_fills_evenly() {
    let mut hand = Hand::new(hub(), plan(8, Spread::Level));
    let counts = drop_all(&mut hand, 80);
    assert_eq!(counts[..8], [10; 8]);
}

#[test]
fn a_chute_with_its_half_eye_covered_comes_after_the_others() {
    let mut hand = Hand::new(hub(), plan(3, Spread::Level));
    let half = ChuteState {
        half: true,
        ..ChuteState::OPEN
    };
    chute_is(&mut hand, 0, half);
    assert_eq!(drop_all(&mut hand, 10)[..3], [0, 5, 5]);
    chute_is(&mut hand, 1, half);
    chute_is(&mut hand, 2, half);
    assert_eq!(drop_all(&mut hand, 9)[..3], [3, 3, 3], "all alike again");
}

#[test]
fn those_on_their_way_count_as_if_they_lay_there() {
    let mut hub = hub();
    for chute in &mut hub.chutes {
        chute.sensing = Sensing::Counted;
        chute.capacity = Capacity::Parcels(10);
    }
    let mut hand = Hand::new(hub, plan(2, Spread::Level));
    let mut first = Vec::new();
    for n in 0..6 {
        first.push(chutes(&order(&hand.brought(n, 100 + n, 0)).expect("ordered"))[0]);
    }
    assert_eq!(first, [0, 1, 0, 1, 0, 1]);
    assert_eq!(hand.sorter.chute(ChuteId(0)).coming, 3);
}

#[test]
fn alternates_come_before_a_lap_and_overflow_after_the_last() {
    let mut spec = plan(1, Spread::Preferred);
    spec.destinations[0].alternates = vec![ChuteId(1)];
    spec.destinations[0].overflow = vec![ChuteId(2)];
    spec.room = RoomPolicy::Reserve;
    spec.laps_max = 1;
    let mut hand = Hand::new(hub(), spec);
    let said = hand.brought(3, 100, 0);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![0]));
    let locked = ChuteState {
        locked: true,
        ..ChuteState::OPEN
    };
    let shut = |hand: &mut Hand, chute: u16| {
        let (chute, taken) = (ChuteId(chute), 0);
        let state = locked;
        hand.tell(Signal::Chute {
            chute,
            state,
            taken,
        })
    };
    let said = shut(&mut hand, 0);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![1]));
    let said = shut(&mut hand, 1);
    assert_eq!(order(&said), None, "it goes round");
    assert!(matches!(said[..], [.., Output::Withdraw { .. }]));
    hand.belt(11_500);
    let said = hand.lap(3, 100);
    let order = order(&said).expect("no lap is left");
    assert_eq!((chutes(&order), order.why), (vec![2], Reason::ChuteLocked));
}

fn waves_plan() -> PlanSpec {
    let wave = |name: &str| WaveSpec {
        name: name.into(),
        cut_off_min: None,
    };
    let mut spec = plan(0, Spread::Preferred);
    spec.waves = vec![wave("early"), wave("late")];
    spec.destinations[0].waves = vec![(WaveId(0), vec![ChuteId(0)]), (WaveId(1), vec![ChuteId(1)])];
    spec
}

fn set_wave(hand: &mut Hand, wave: u8, open: bool) -> (Result<(), Refused>, Vec<Output>) {
    let wave = WaveId(wave);
    hand.command(Command::Wave { wave, open })
}

#[test]
fn a_wave_that_is_cut_off_sends_its_parcels_to_the_next_or_rejects_them() {
    let mut hand = Hand::new(hub(), waves_plan());
    let said = hand.brought(3, 100, 0);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![0]));
    let (answer, said) = set_wave(&mut hand, 0, false);
    assert_eq!(answer, Ok(()));
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![1]));
    let (_, said) = set_wave(&mut hand, 1, false);
    let rejected = order(&said).expect("to the reject chute");
    assert_eq!(
        (chutes(&rejected), rejected.why),
        (vec![8], Reason::WaveOver)
    );
    let (_, said) = set_wave(&mut hand, 0, true);
    assert_eq!(said, [], "what was rejected stays rejected");
    let said = hand.brought(4, 101, 0);
    assert_eq!(order(&said).map(|order| chutes(&order)), Some(vec![0]));
    assert_eq!(set_wave(&mut hand, 2, false).0, Err(Refused::NoSuchWave));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// After any number of parcels, each share has had its part to less than one parcel for each
    /// of the others.
    #[test]
    fn shares_are_kept_all_the_time(
        shares in prop::collection::vec(0..50_u16, 2..8), parcels in 1..200_u32,
    ) {
        prop_assume!(shares.iter().any(|share| *share > 0));
        let all: u32 = shares.iter().map(|share| u32::from(*share)).sum();
        let spread = Spread::Shares(shares.clone());
        let mut hand = Hand::new(hub(), plan(shares.len() as u16, spread));
        let counts = drop_all(&mut hand, parcels);
        for (count, share) in counts.iter().zip(&shares) {
            let due = u64::from(parcels) * u64::from(*share);
            let has = u64::from(*count) * u64::from(all);
            let most = u64::from(all) * (shares.len() as u64 - 1);
            prop_assert!(due.abs_diff(has) < most.max(1) + u64::from(all), "{counts:?} {shares:?}");
        }
    }
}
