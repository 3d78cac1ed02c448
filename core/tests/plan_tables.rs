//! What a compiled plan answers is what its description says, in whatever tables it is kept.

mod common;

use common::*;
use proptest::prelude::*;
use sorthub_core::facts::{Address, DestKey, Tags};
use sorthub_core::hub::*;
use sorthub_core::ids::*;
use sorthub_core::plan::*;

fn hub() -> Hub {
    Hub::new(loop_spec()).expect("sound")
}

fn compiled(spec: PlanSpec) -> Plan {
    Plan::new(spec, &hub()).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn destination(name: &str) -> DestinationSpec {
    DestinationSpec {
        name: name.into(),
        chutes: vec![ChuteId(0)],
        ..DestinationSpec::default()
    }
}

fn rule(kind: AddressKind, prefix: &str, to: u32) -> AddressRule {
    AddressRule {
        kind,
        prefix: Address::of(prefix),
        to: DestId(to),
    }
}

/// The destination by looking at every rule.
fn naive(rules: &[AddressRule], kind: AddressKind, address: Address) -> Option<DestId> {
    let fitting = rules
        .iter()
        .filter(|rule| rule.kind == kind && address.starts_with(rule.prefix));
    let longest = fitting.max_by_key(|rule| rule.prefix.chars());
    longest.map(|rule| rule.to).filter(|_| address.is_some())
}

const KINDS: [AddressKind; 2] = [AddressKind::Segment, AddressKind::Postcode];

fn plan_with(rules: &[AddressRule]) -> Plan {
    let mut spec = plan_spec();
    spec.addresses = rules.to_vec();
    compiled(spec)
}

fn assert_same(plan: &Plan, rules: &[AddressRule], addresses: &[Address]) {
    for kind in KINDS {
        let mut before: Option<(Address, DestId)> = None;
        for (first, last, dest) in plan.address_ranges(kind) {
            assert!(first <= last);
            if let Some((end, other)) = before {
                assert!(first > end, "ranges ascend and do not overlap");
                assert!(dest != other || first.0 > end.0 + 1, "neighbours differ");
            }
            before = Some((last, dest));
        }
        for &address in addresses {
            let wanted = naive(rules, kind, address);
            assert_eq!(plan.dest_at(kind, address), wanted, "{kind:?} {address}");
            let mut ranges = plan.address_ranges(kind);
            let within = ranges.find(|(first, last, _)| *first <= address && address <= *last);
            let dest = within.map(|(.., dest)| dest).filter(|_| address.is_some());
            assert_eq!(dest, wanted, "ranges of {kind:?} at {address}");
        }
    }
}

/// Many rules: the indexed search, with nested prefixes of all lengths and at both ends.
#[test]
fn the_longest_prefix_of_an_address_counts_among_thousands() {
    let mut rules: Vec<AddressRule> = (0..4_000_u32)
        .map(|at| {
            rule(
                AddressKind::Postcode,
                &format!("{:05}", at * 7 % 100_000),
                at % 3,
            )
        })
        .collect();
    for (prefix, to) in [
        ("0", 1),
        ("00", 2),
        ("27", 0),
        ("279", 1),
        ("Z", 2),
        ("-", 0),
    ] {
        rules.push(rule(AddressKind::Postcode, prefix, to));
    }
    rules.sort_by_key(|rule| rule.prefix);
    rules.dedup_by_key(|rule| rule.prefix);
    let plan = plan_with(&rules);
    let texts = (0..2_000_u32).map(|at| format!("{:05}", at * 47 % 100_000));
    let mut addresses: Vec<Address> = texts.map(|text| Address::of(&text)).collect();
    for text in [
        "",
        "0",
        "2",
        "279",
        "27999",
        "ZZZZZZZZZZZZ",
        "------------",
        "A1",
        "00000X",
    ] {
        addresses.push(Address::of(text));
    }
    let ends = rules.iter().flat_map(|rule| {
        let last = rule.prefix.last_with_prefix();
        [rule.prefix, last, Address(last.0 + 1)]
    });
    addresses.extend(ends.filter(|address| address.0 < Address::END).step_by(13));
    assert_same(&plan, &rules, &addresses);
}

#[test]
fn an_address_that_cannot_be_is_for_nobody() {
    let plan = plan_with(&[rule(AddressKind::Segment, "75", 1)]);
    for address in [Address(u64::MAX), Address(Address::END), Address::NONE] {
        assert_eq!(plan.dest_at(AddressKind::Segment, address), None);
    }
    assert_eq!(
        plan.dest_at(AddressKind::Postcode, Address::of("75")),
        None,
        "a segment is no postcode"
    );
}

#[test]
fn an_open_wave_stands_in_place_of_the_own_chutes() {
    let mut spec = plan_spec();
    let wave = |name: &str, cut_off_min| WaveSpec {
        name: name.into(),
        cut_off_min,
    };
    spec.waves = vec![wave("noon", Some(12 * 60)), wave("night", None)];
    spec.destinations[1].waves = vec![
        (WaveId(0), vec![ChuteId(2)]),
        (WaveId(1), vec![ChuteId(0), ChuteId(1)]),
    ];
    spec.destinations[1].alternates = vec![ChuteId(3)];
    spec.destinations[1].spread = Spread::Level;
    let plan = compiled(spec);
    let dest = DestId(1);
    let ids = |chutes: &[u16]| -> Vec<ChuteId> { chutes.iter().copied().map(ChuteId).collect() };
    assert_eq!(
        plan.chutes(dest, plan.waves()),
        ids(&[2]),
        "the first that is open"
    );
    let later = plan.waves().with(WaveId(0), false);
    assert_eq!(plan.chutes(dest, later), ids(&[0, 1]));
    assert_eq!(
        plan.chutes(dest, Waves::default()),
        ids(&[1, 2]),
        "none is open"
    );
    assert_eq!(plan.alternates(dest), ids(&[3]));
    assert_eq!(*plan.spread(dest), Spread::Level);
    for chute in 0..4 {
        assert!(plan.allows(dest, ChuteId(chute)), "{chute} in some wave");
    }
    assert!(!plan.allows(DestId(0), ChuteId(1)));
    let nobody = DestId(99);
    assert!(plan.alternates(nobody).is_empty() && plan.overflow(nobody).is_empty());
    assert!(!plan.allows(nobody, ChuteId(0)));
    assert_eq!(
        (plan.key(nobody), plan.spread(nobody)),
        (DestKey::NONE, &Spread::Preferred)
    );
}

#[test]
fn waves_and_rules_are_checked() {
    let mut spec = plan_spec();
    let wave = |name: &str, cut_off_min| WaveSpec {
        name: name.into(),
        cut_off_min: Some(cut_off_min),
    };
    spec.waves = vec![wave("one", 1_439), wave("two", 1_440), wave("one", 0)];
    let last = AttributeRule {
        stage: Stage::Last,
        when: vec![],
        then: Then::To(DestId(0)),
    };
    spec.rules = vec![last; sorthub_core::limits::RULES_MAX + 1];
    let faults = Plan::new(spec, &hub()).expect_err("faulty");
    let wanted = [
        PlanFault::SameWave { wave: 2 },
        PlanFault::NoSuchTime { wave: 1 },
        PlanFault::TooManyRules,
    ];
    assert_eq!(faults, wanted);
}

#[test]
fn groups_and_tags_are_checked_and_found() {
    let mut spec = loop_spec();
    let tag = |name: &str| TagSpec {
        name: name.into(),
        column: name.into(),
        value: "yes".into(),
    };
    let group = |name: &str, chutes: &[u16]| GroupSpec {
        name: name.into(),
        chutes: chutes.iter().copied().map(ChuteId).collect(),
    };
    spec.tags = vec![tag("cold"), tag("fragile"), tag("battery")];
    spec.groups = vec![group("bank", &[0, 1])];
    let hub = Hub::new(spec.clone()).expect("sound");
    let names: Vec<&str> = hub.spec().tag_names().collect();
    assert_eq!(names, ["dangerous", "fragile", "cold", "battery"]);
    assert_eq!(
        hub.spec().tag("fragile"),
        Some(Tags::FRAGILE),
        "its own bit"
    );
    assert_eq!(hub.spec().tag("battery"), Some(Tags(8)));
    assert_eq!(hub.spec().tag("hot"), None);
    let bits: Vec<Tags> = hub.spec().tag_columns().map(|(bit, ..)| bit).collect();
    assert_eq!(bits, [Tags(4), Tags::FRAGILE, Tags(8)]);
    let chutes = hub.group_named("bank").map(|group| group.chutes.as_slice());
    assert_eq!(chutes, Some([ChuteId(0), ChuteId(1)].as_slice()));

    spec.tags = (0..63).map(|at| tag(&at.to_string())).collect();
    spec.groups
        .extend([group("bank", &[9]), group("nobody", &[])]);
    let faults = Hub::new(spec).expect_err("faulty");
    let fault = |element, kind| HubFault { element, kind };
    let wanted = [
        fault(Element::Group(1), HubFaultKind::SameName("bank".into())),
        fault(Element::Group(1), HubFaultKind::NoSuchChute(ChuteId(9))),
        fault(Element::Group(2), HubFaultKind::NoMember),
        fault(
            Element::Hub,
            HubFaultKind::TooMany {
                what: "tag",
                max: 62,
            },
        ),
    ];
    assert_eq!(faults, wanted);
}

/// Short prefixes over few characters nest and touch in every way.
fn rules() -> impl Strategy<Value = Vec<AddressRule>> {
    let prefixes = prop::collection::btree_map("[01A-]{0,4}", 0..3_u32, 0..24);
    prop::collection::vec(prefixes, 2).prop_map(|of_kinds| {
        let of_kind = |(kind, prefixes): (AddressKind, std::collections::BTreeMap<String, u32>)| {
            let rules = prefixes.into_iter();
            rules
                .map(move |(prefix, to)| rule(kind, &prefix, to))
                .collect::<Vec<_>>()
        };
        KINDS.into_iter().zip(of_kinds).flat_map(of_kind).collect()
    })
}

proptest! {
    #[test]
    fn the_longest_prefix_of_an_address_counts(
        rules in rules(),
        texts in prop::collection::vec("[01A-]{0,6}", 1..20),
    ) {
        let plan = plan_with(&rules);
        let addresses: Vec<Address> = texts.iter().map(|text| Address::of(text)).collect();
        assert_same(&plan, &rules, &addresses);
    }

    #[test]
    fn every_list_is_the_one_described(
        lists in prop::collection::vec(
            (prop::collection::vec(0..4_u16, 1..5), prop::collection::vec(0..4_u16, 0..4),
             prop::collection::vec(0..4_u16, 0..3)),
            1..40,
        ),
    ) {
        let ids = |list: &[u16]| list.iter().copied().map(ChuteId).collect::<Vec<_>>();
        let mut spec = plan_spec();
        let dests = lists.iter().enumerate().map(|(at, (own, alternates, overflow))| {
            DestinationSpec {
                chutes: ids(own),
                spread: Spread::Shares((1..=own.len() as u16).collect()),
                alternates: ids(alternates),
                overflow: ids(overflow),
                ..destination(&at.to_string())
            }
        });
        spec.destinations = dests.collect();
        let plan = compiled(spec);
        for (at, dest) in plan.spec().destinations.iter().enumerate() {
            let id = DestId(at as u32);
            prop_assert_eq!(plan.chutes(id, plan.waves()), &dest.chutes);
            prop_assert_eq!(plan.alternates(id), &dest.alternates);
            prop_assert_eq!(plan.overflow(id), &dest.overflow);
            prop_assert_eq!(plan.spread(id), &dest.spread);
            prop_assert_eq!(plan.key(id), DestKey::of(&dest.name));
            prop_assert_eq!(plan.dest(plan.key(id)), Some(id));
            for chute in 0..4 {
                let wanted = dest.every_chute().any(|own| own.0 == chute);
                prop_assert_eq!(plan.allows(id, ChuteId(chute)), wanted);
            }
        }
    }
}
