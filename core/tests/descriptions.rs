//! Hub and plan checks find every fault; the directory finds the longest prefix.

mod common;

use std::collections::BTreeMap;

use common::*;
use proptest::prelude::*;
use sorthub_core::directory::Directory;
use sorthub_core::facts::{Advice, DestKey};
use sorthub_core::hub::*;
use sorthub_core::ids::*;
use sorthub_core::plan::*;
use sorthub_core::reason::Reason;
use sorthub_core::units::*;

#[test]
fn every_fault_of_a_hub_is_found_at_once() {
    let mut spec = line_spec(Some(0));
    spec.tracks[0].speed = MmPerS(0);
    spec.inductions[0].track = TrackId(4);
    spec.scanners[0].at = Mm(6_500);
    spec.chutes[1].name = "A".into();
    spec.chutes[2].outlets.clear();
    spec.chutes[3].outlets[0].at = Mm(5_900);
    spec.chutes[0].outlets[0].lead = Mm(3_100);
    let faults = Hub::new(spec).expect_err("faulty");
    let found = |element, kind| faults.contains(&HubFault { element, kind });
    assert!(found(Element::Track(0), HubFaultKind::Zero("the speed")));
    assert!(found(
        Element::Track(0),
        HubFaultKind::Zero("the length of the return")
    ));
    assert!(found(Element::Track(0), HubFaultKind::NoEndChute(6_000)));
    assert!(found(
        Element::Induction(0),
        HubFaultKind::NoSuchTrack(TrackId(4))
    ));
    let beyond = HubFaultKind::BeyondTrack {
        at: 6_500,
        length: 6_000,
    };
    assert!(found(Element::Scanner(0), beyond));
    assert!(found(
        Element::Scanner(0),
        HubFaultKind::ScannerBehindChutes
    ));
    assert!(found(Element::Chute(1), HubFaultKind::SameName("A".into())));
    assert!(found(Element::Chute(2), HubFaultKind::NoOutlet));
    let lead = HubFaultKind::LeadBeforeStart {
        lead: 3_100,
        at: 3_000,
    };
    assert!(found(Element::Chute(0), lead));
    assert_eq!(faults.len(), 9, "{faults:?}");
}

#[test]
fn an_empty_hub_lacks_everything() {
    let faults = Hub::new(HubSpec::default()).expect_err("empty");
    assert_eq!(faults.len(), 4);
    assert!(
        faults
            .iter()
            .all(|fault| matches!(fault.kind, HubFaultKind::Empty(_)))
    );
}

#[test]
fn every_fault_of_a_plan_is_found_at_once() {
    let hub = Hub::new(loop_spec()).expect("sound");
    let mut spec = plan_spec();
    spec.destinations[0].chutes.clear();
    spec.destinations[1].chutes.push(ChuteId(9));
    spec.destinations[2].name = "a".into();
    spec.reject.clear();
    spec.exceptions = vec![
        (Reason::NoRead, vec![ChuteId(3)]),
        (Reason::NoRead, vec![ChuteId(2)]),
        (Reason::Gap, vec![ChuteId(8)]),
    ];
    spec.laps_max = 101;
    let faults = Plan::new(spec, &hub).expect_err("faulty");
    for fault in [
        PlanFault::NoChute { destination: 0 },
        PlanFault::NoSuchChute {
            destination: Some(1),
            chute: ChuteId(9),
        },
        PlanFault::NoSuchChute {
            destination: None,
            chute: ChuteId(8),
        },
        PlanFault::SameName { destination: 2 },
        PlanFault::TwoExceptions(Reason::NoRead),
        PlanFault::TooManyLaps,
        PlanFault::NoReject { track: LOOP },
    ] {
        assert!(faults.contains(&fault), "{fault} is missing in {faults:?}");
    }
    assert_eq!(faults.len(), 7, "{faults:?}");
}

#[test]
fn cells_are_numbered_through_the_tracks() {
    let mut spec = loop_spec();
    let mut second = spec.tracks[0].clone();
    second.name = "U".into();
    spec.tracks.push(second);
    let mut scanner = spec.scanners[0].clone();
    scanner.name = "S2".into();
    scanner.track = TrackId(1);
    spec.scanners.push(scanner);
    let hub = Hub::new(spec).expect("sound");
    assert_eq!(hub.cells(), 40);
    assert_eq!(hub.cell(TrackId(1), 3), Some(CellId(23)));
    assert_eq!(hub.cell(TrackId(1), 20), None);
    assert_eq!(hub.track_of(CellId(23)), Some((TrackId(1), 3)));
    assert_eq!(hub.track_of(CellId(0)), Some((TrackId(0), 0)));
    assert_eq!(hub.track_of(CellId(40)), None);
}

#[test]
fn an_exception_chute_comes_before_the_common_reject() {
    let hub = Hub::new(loop_spec()).expect("sound");
    let mut spec = plan_spec();
    spec.exceptions = vec![(Reason::NoRead, vec![ChuteId(2)])];
    let plan = Plan::new(spec, &hub).expect("sound");
    let chutes: Vec<_> = plan.rejects(Reason::NoRead).collect();
    assert_eq!(chutes, [ChuteId(2), ChuteId(3)]);
    assert_eq!(
        plan.rejects(Reason::Conflict).collect::<Vec<_>>(),
        [ChuteId(3)]
    );
    assert_eq!(plan.destination_named("c"), Some(DestId(2)));
    assert!(
        plan.chutes(DestId(99), Waves::default()).is_empty(),
        "an unknown destination has no chute"
    );
}

proptest! {
    #[test]
    fn the_longest_prefix_counts(
        prefixes in prop::collection::btree_map("[ab\u{e9}]{0,4}", 0..50_u32, 0..12),
        code in "[abc\u{e9}]{1,7}",
    ) {
        let mut directory = Directory::new();
        let key = |dest: &u32| DestKey(u64::from(*dest) + 1);
        let pairs = prefixes.iter().map(|(prefix, dest)| (prefix.clone(), key(dest)));
        directory.set_prefixes(pairs);
        prop_assert_eq!(directory.dest(&code), naive(&prefixes, &code));
        let advice = Advice { dest: DestKey(77), ..Advice::default() };
        prop_assert_eq!(directory.advise(&code, advice), Ok(()));
        prop_assert_eq!(directory.dest(&code), Some(DestKey(77)), "pre-advice comes first");
    }

    #[test]
    fn a_wrapped_encoder_unwraps_to_the_nearest(near in 0..1_i64 << 40, step in -9_999..9_999_i64) {
        let true_position = BeltMm(near + step);
        prop_assert_eq!(BeltMm::unwrap_near(BeltMm(near), true_position.wire()), true_position);
    }
}

fn naive(prefixes: &BTreeMap<String, u32>, code: &str) -> Option<DestKey> {
    let fitting = prefixes
        .iter()
        .filter(|(prefix, _)| code.starts_with(prefix.as_str()));
    fitting
        .max_by_key(|(prefix, _)| prefix.len())
        .map(|(_, dest)| DestKey(u64::from(*dest) + 1))
}

/// Two loops, each with the chutes of the small one, and a transfer from the first to the second.
fn joined() -> HubSpec {
    let mut spec = loop_spec();
    let second = TrackId(1);
    spec.tracks.push(TrackSpec {
        name: "T2".into(),
        ..spec.tracks[0].clone()
    });
    spec.inductions.push(InductionSpec {
        name: "in 2".into(),
        track: second,
        ..spec.inductions[0].clone()
    });
    spec.scanners.push(ScannerSpec {
        name: "scan 2".into(),
        track: second,
        ..spec.scanners[0].clone()
    });
    for name in ["A2", "R2"] {
        let mut own = chute(name, 3_000);
        own.outlets[0].track = second;
        spec.chutes.push(own);
    }
    spec.transfers.push(TransferSpec {
        from: ChuteId(0),
        to: InductionId(1),
        travel: Micros(10),
        patience: Micros(20),
    });
    spec
}

#[test]
fn ways_lead_over_transfers_and_only_forwards() {
    let hub = Hub::new(joined()).expect("sound");
    assert_eq!(hub.ways(TrackId(0), TrackId(1)), [ChuteId(0)]);
    assert!(hub.ways(TrackId(1), TrackId(0)).is_empty());
    assert!(hub.ways(TrackId(0), TrackId(0)).is_empty());
    assert_eq!(hub.transfer_from(ChuteId(0)), Some(TransferId(0)));
    assert_eq!(hub.sorters(), 1);
}

#[test]
fn sorters_and_transfers_are_checked() {
    let sorter = |name: &str, tracks: &[u16]| SorterSpec {
        name: name.into(),
        tracks: tracks.iter().copied().map(TrackId).collect(),
    };
    let mut spec = joined();
    // Track 1 is in none, track 0 in two, and there is no track 7.
    spec.sorters = vec![sorter("one", &[0, 7]), sorter("two", &[0])];
    // A chute of both tracks, which are not in one sorter.
    spec.chutes[1].outlets.push(Outlet {
        track: TrackId(1),
        at: Mm(4_000),
        lead: Mm(200),
    });
    let first = spec.transfers[0];
    spec.transfers.push(TransferSpec {
        to: InductionId(9),
        patience: Micros(5),
        ..first
    });
    let faults = Hub::new(spec).expect_err("full of faults");
    let fault = |element, kind| HubFault { element, kind };
    for expected in [
        fault(Element::Sorter(0), HubFaultKind::NoSuchTrack(TrackId(7))),
        fault(
            Element::Track(0),
            HubFaultKind::NotInOneSorter { sorters: 2 },
        ),
        fault(
            Element::Track(1),
            HubFaultKind::NotInOneSorter { sorters: 0 },
        ),
        fault(Element::Chute(1), HubFaultKind::SharedBySorters),
        fault(Element::Transfer(1), HubFaultKind::NoSuchEnd("induction")),
        fault(Element::Transfer(1), HubFaultKind::TwoTransfers),
        fault(Element::Transfer(1), HubFaultKind::PatienceTooShort),
    ] {
        assert!(faults.contains(&expected), "{expected:?} not in {faults:?}");
    }
    assert_eq!(faults.len(), 7, "{faults:?}");
}
