//! The ready hubs in `config/`, and recorded traces: what is read is what is written there.

mod common;

use std::fs;
use std::path::Path;

use sorthub::config::fault::TextFault;
use sorthub::config::links::{Functions, Peer};
use sorthub::config::{Fault, FaultKind, Files, HubFile, Source, canonical, trace};
use sorthub_core::facts::{Measures, Verdict};
use sorthub_core::hub::{Capacity, MeetsBy, Sensing, TrackKind};
use sorthub_core::ids::{DestId, TrackId};
use sorthub_core::plan::{NoReadPolicy, RoomPolicy};
use sorthub_core::scanner::{Field, Framing, MassUnit};
use sorthub_core::units::{Grams, Micros, Mm, MmPerS};
use sorthub_sim::spec::{HostPlant, Service};

fn told(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

fn ready(name: &str) -> HubFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config")
        .join(name);
    HubFile::read(&path).unwrap_or_else(|faults| panic!("{}", told(&faults)))
}

#[test]
fn every_ready_hub_loads_without_warnings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut hubs = 0;
    for entry in fs::read_dir(folder).expect("the folder is part of the project") {
        let path = entry.expect("the folder can be listed").path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("ready files are text");
        if !text.contains("[[track]]") {
            continue;
        }
        hubs += 1;
        match HubFile::read(&path) {
            Ok(file) => assert!(file.warnings.is_empty(), "{}", told(&file.warnings)),
            Err(faults) => panic!("{}", told(&faults)),
        }
    }
    assert!(hubs >= 3, "demo, lsrm-1 and lsrm-h4 are there");
}

/// Places of the reference model are travel times from the origin; 3 m/s makes 3 mm of each ms.
fn tau_ms(quarter: u32, after_ms: u32) -> Mm {
    Mm(3 * (15_000 * quarter + after_ms))
}

#[test]
fn lsrm_1_is_the_reference_model() {
    let file = ready("lsrm-1.toml");
    let hub = &file.hub;
    let [track] = hub.tracks() else {
        panic!("one loop")
    };
    assert_eq!(
        track.kind,
        TrackKind::Loop {
            carriers: 300,
            pitch: Mm(600)
        }
    );
    assert_eq!(track.speed, MmPerS(3000));
    let inductions: Vec<Mm> = hub
        .inductions()
        .iter()
        .map(|induction| induction.at)
        .collect();
    assert_eq!(inductions, [0, 1, 2, 3].map(|quarter| tau_ms(quarter, 500)));
    let scanners: Vec<Mm> = hub.scanners().iter().map(|scanner| scanner.at).collect();
    assert_eq!(scanners, [0, 1, 2, 3].map(|quarter| tau_ms(quarter, 2_000)));
    assert!(
        hub.scanners()
            .iter()
            .all(|scanner| scanner.meets_by == MeetsBy::Carrier)
    );
    assert_eq!(hub.chutes().len(), 101);
    for (j, chute) in hub.chutes().iter().enumerate().take(100) {
        let (quarter, m) = (j as u32 / 25, j as u32 % 25);
        assert_eq!(chute.name, format!("C{j:02}"));
        assert_eq!(
            chute.outlets[0].at,
            tau_ms(quarter, 3_000 + 450 * m),
            "{}",
            chute.name
        );
        assert_eq!(chute.capacity, Capacity::Parcels(20));
        assert_eq!(
            file.plan.chutes(DestId(j as u32), file.plan.waves()).len(),
            1
        );
        assert_eq!(
            file.plan.chutes(DestId(j as u32), file.plan.waves())[0].index(),
            j
        );
        assert_eq!(file.plant.demand[0][j].weight as usize, 54 + 8 * (j % 10));
        let mean = Micros::from_secs(14);
        assert_eq!(file.plant.chutes[j].service, Service::Exponential { mean });
        assert!(!file.plant.chutes[j].full_eye && !file.plant.chutes[j].counts_taken);
    }
    let reject = &hub.chutes()[100];
    assert_eq!(reject.outlets[0].at, Mm(59_500 * 3));
    assert_eq!(reject.capacity, Capacity::Unlimited);
    assert_eq!(file.plant.chutes[100].service, Service::Instant);
    let plan = file.plan.spec();
    assert_eq!(
        (plan.room, plan.no_read),
        (RoomPolicy::Attempt, NoReadPolicy::Reject)
    );
    assert_eq!((plan.laps_max, plan.destinations.len()), (3, 100));
    for induction in &file.plant.inductions {
        assert_eq!((induction.rate_per_h, induction.queue), (5000, None));
        assert_eq!(induction.spacing, Micros::from_millis(400));
    }
    assert!(
        file.plant
            .scanners
            .iter()
            .all(|scanner| scanner.read_ppm == 985_000)
    );
}

#[test]
fn lsrm_h4_is_four_times_s1_each_with_parcels_of_its_own() {
    let (one, four) = (ready("lsrm-1.toml"), ready("lsrm-h4.toml"));
    assert_eq!(four.hub.tracks().len(), 4);
    assert_eq!(four.hub.inductions().len(), 16);
    assert_eq!(four.plan.destinations(), 400);
    for track in (0..4).map(TrackId) {
        let places = |file: &HubFile, track| -> Vec<Mm> {
            file.hub
                .outlets(track)
                .iter()
                .map(|(outlet, _)| outlet.at)
                .collect()
        };
        assert_eq!(places(&four, track), places(&one, TrackId(0)));
        let demand = &four.plant.demand[track.index()];
        let weights: Vec<u32> = demand.iter().map(|demand| demand.weight).collect();
        let of_one: Vec<u32> = one.plant.demand[0]
            .iter()
            .map(|demand| demand.weight)
            .collect();
        assert_eq!(weights, of_one);
        for demand in demand {
            let chute = four.plan.chutes(demand.dest, four.plan.waves())[0];
            assert!(
                four.hub.outlet(chute, track).is_some(),
                "its own chutes only"
            );
        }
    }
    let all: u32 = four
        .plant
        .inductions
        .iter()
        .map(|induction| induction.rate_per_h)
        .sum();
    assert_eq!(all, 80_000);
}

#[test]
fn the_demo_has_its_links_and_codes() {
    let file = ready("demo.toml");
    let plc = file.links.tracks[0].as_ref().expect("the demo has a PLC");
    assert_eq!(
        (plc.address.as_str(), plc.functions),
        ("127.0.0.1:1502", Functions::Fc3Fc16)
    );
    let scanner = file.links.scanners[1]
        .as_ref()
        .expect("the demo has two scanners");
    assert_eq!(scanner.peer, Peer::Connect("127.0.0.1:2112".to_owned()));
    assert_eq!(scanner.framing, Framing::StxEtx);
    assert_eq!(
        scanner.template.fields,
        [Field::Trigger, Field::Code, Field::Weight(MassUnit::Grams)]
    );
    let a03 = file.plan.destination_named("A03");
    assert!(a03.is_some());
    assert_eq!(
        file.directory.dest("A03-00000017"),
        a03.map(|dest| file.plan.key(dest))
    );
    assert_eq!(file.directory.dest("C03-00000017"), None);
    assert!(
        file.hub.chutes()[..14]
            .iter()
            .all(|chute| chute.sensing == Sensing::Counted)
    );
    assert!(
        file.plant.chutes[..14]
            .iter()
            .all(|chute| chute.counts_taken && chute.full_eye)
    );
}

#[test]
fn canonical_text_gives_the_same_hub_and_plan_back() {
    for name in ["demo.toml", "lsrm-h4.toml", "regional.toml"] {
        let file = ready(name);
        let text = file.canonical();
        let (hub, plan) = canonical::from_text(&text).expect("what was written can be read");
        assert_eq!((&hub, &plan), (&file.hub, &file.plan));
        assert_eq!(canonical::to_text(hub.spec(), plan.spec()), text);
        assert_eq!(file.hash(), canonical::hash(&text));
    }
    assert_ne!(ready("demo.toml").hash(), ready("lsrm-1.toml").hash());
}

#[test]
fn spelling_does_not_change_the_canonical_text_but_meaning_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo.toml");
    let text = fs::read_to_string(path).expect("the demo is there");
    let hash = |text: &str| {
        HubFile::parse("demo", text)
            .map(|file| file.hash())
            .expect("good")
    };
    let same = text.replace("speed_mm_s = 2000", "speed_mm_s = 0x7d0 # 2 m/s");
    let plant = text.replace("rate_per_h = 2250", "rate_per_h = 2251");
    let other = text.replace("speed_mm_s = 2000", "speed_mm_s = 2001");
    assert!(same != text && plant != text && other != text);
    assert_eq!(hash(&text), hash(&same));
    assert_eq!(hash(&text), hash(&plant), "the plant decides nothing");
    assert_ne!(hash(&text), hash(&other));
}

#[test]
fn a_damaged_canonical_text_is_refused() {
    let text = ready("demo.toml").canonical();
    let other_format = text.replace("\"format\":2", "\"format\":1");
    let no_such_chute = text.replace("\"reject\":[14]", "\"reject\":[99]");
    assert!(other_format != text && no_such_chute != text);
    for damaged in [
        "",
        "{}",
        text.trim_start_matches('{'),
        &other_format,
        &no_such_chute,
    ] {
        assert!(canonical::from_text(damaged).is_err(), "{damaged:.60}");
    }
}

/// A layout in other words and units, with one length for all outfeeds, and columns in another
/// order with one more.
const LAYOUT: &str = "Property, Value ,UNIT\r
Belt speed ,1.25, m / s\r
Distance Infeed to Scanner,6.3,m\r
Distance Scanner to Outfeed,3,m\r
Distance  between  Outfeeds,2500,mm\r
Distance Infeeds to Arrival ,12.5,m\r
Length outfeed,3.0,m\r
";
const PARCELS: &str =
    "\u{feff}weight_g,parcel,arrival_s,length_m,width_m,height_m,colour,feasible_chutes
1500.5,7,2.5,0.5,0.4,0.3,red, 3|1
100,8,0.0000015,638,0.4,0.3,,
100,9,1,0.5,0.4,0.3,,1|3|1
100,10,1,0.5,0.4,0.3,,12
";

#[test]
fn a_trace_becomes_a_line_with_a_return() {
    let layout = Source::new("layout", LAYOUT.to_owned());
    let parcels = Source::new("parcels", PARCELS.to_owned());
    let file = trace::from_sources(&layout, &parcels).unwrap_or_else(|f| panic!("{}", told(&f)));
    let hub = &file.hub;
    // The last outfeed that a parcel names is the last there is.
    assert_eq!(hub.chutes().len(), 13);
    let last = 6_300 + 3_000 + 11 * 2_500;
    assert_eq!(hub.chutes()[0].outlets[0].at, Mm(9_300));
    assert_eq!(hub.chutes()[11].outlets[0].at, Mm(last));
    assert_eq!(hub.chutes()[11].capacity, Capacity::Length(Mm(3_000)));
    let TrackKind::Line {
        length,
        returns,
        windows,
    } = hub.tracks()[0].kind
    else {
        panic!("a line")
    };
    assert_eq!(returns, Some(Mm(12_500)));
    assert!(length.0 > last && hub.end_chute(TrackId(0)).is_some());
    assert!(
        windows > (length.0 + 12_500) / 300,
        "enough for parcels at the least gap"
    );
    assert_eq!(hub.tracks()[0].speed, MmPerS(1250));
    assert_eq!(hub.scanners()[0].at, Mm(6_300));

    let plan = file.plan.spec();
    let names: Vec<&str> = plan
        .destinations
        .iter()
        .map(|dest| dest.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["1|3", "12"],
        "one for each set, however it is written"
    );
    assert_eq!((plan.room, plan.laps_max), (RoomPolicy::Reserve, 3));

    let trace = &file.plant.trace;
    let labels: Vec<&str> = trace.iter().map(|parcel| parcel.label.as_str()).collect();
    assert_eq!(
        labels,
        ["8", "9", "10", "7"],
        "in order of time, equal times as in the file"
    );
    assert_eq!((trace[0].arrival, trace[0].size[0]), (Micros(2), Mm(638)));
    assert_eq!(
        (trace[3].mass, trace[3].size),
        (Grams(1_501), [Mm(500), Mm(400), Mm(300)])
    );
    assert_eq!((trace[0].dest, trace[1].dest), (None, trace[3].dest));
    assert_eq!(file.directory.dest("7"), Some(file.plan.key(DestId(0))));
    assert_eq!(file.directory.dest("8"), None);
    assert_eq!(file.warnings.len(), 1, "{}", told(&file.warnings));
    assert_eq!((file.warnings[0].line, file.warnings[0].column), (3, 17));
}

#[test]
fn the_recorded_trace_loads_with_its_five_odd_lengths() {
    let Some(folder) = common::trace_dir() else {
        return;
    };
    let layout = folder.join("posisorter-1.layout.csv");
    let file = trace::read(&layout, &folder.join("posisorter-1.csv"))
        .unwrap_or_else(|faults| panic!("{}", told(&faults)));
    assert_eq!(file.warnings.len(), 5, "{}", told(&file.warnings));
    assert_eq!(file.plant.trace.len(), 300);
    assert_eq!(
        file.plant
            .trace
            .iter()
            .filter(|parcel| parcel.dest.is_none())
            .count(),
        2
    );
    assert!(file.plant.trace.is_sorted_by_key(|parcel| parcel.arrival));
    assert!(
        file.plant
            .trace
            .iter()
            .all(|parcel| (100..=3_000).contains(&parcel.size[0].0))
    );
    let places: Vec<u32> = file
        .hub
        .chutes()
        .iter()
        .map(|c| c.outlets[0].at.0)
        .collect();
    assert_eq!(&places[..3], [9_300, 11_800, 14_300]);
    assert_eq!(file.hub.tracks()[0].speed, MmPerS(800));
}

/// A hub file with every kind of table, each with a key that none of them knows.
const EVERY_TABLE: &str = r#"
name = "every table"
zzz = 1
[[track]]
kind = "loop"
zzz = 1
plc = { zzz = 1 }
[[track]]
kind = "line"
zzz = 1
[[induction]]
zzz = 1
[[scanner]]
meets_by = "arrival"
zzz = 1
link = { zzz = 1 }
[[chute]]
zzz = 1
[[chute]]
outlets = [{ zzz = 1 }]
zzz = 1
[[chute_group]]
zzz = 1
[[tag]]
zzz = 1
[plan]
zzz = 1
destination = { zzz = 1 }
wave = { zzz = 1 }
rule = { zzz = 1 }
host = { zzz = 1 }
checks = { zzz = 1 }
[plant]
zzz = 1
induction = { zzz = 1 }
scanner = { zzz = 1 }
chute = { service = "exponential", zzz = 1 }
demand = { zzz = 1 }
parcel = { zzz = 1 }
"#;

#[test]
fn the_guides_name_every_key() {
    let guide = ["docs/hub-file.md", "docs/sort-plan.md"].map(|part| {
        let part = Path::new(env!("CARGO_MANIFEST_DIR")).join(part);
        fs::read_to_string(part).expect("the guide is part of the project")
    });
    let guide = guide.concat();
    let faults = HubFile::parse("every.toml", EVERY_TABLE).expect_err("zzz is no key");
    let mut tables = 0;
    for fault in faults {
        let FaultKind::Text(TextFault::UnknownKey {
            key, known, table, ..
        }) = fault.kind
        else {
            continue;
        };
        assert_eq!(key, "zzz", "{table}");
        tables += 1;
        for key in known.split(", ") {
            // By itself, after the part of the plant it belongs to, as a table, or as such a part.
            let (before, after) = (["`", ".", "["], ["`", "]", "."]);
            let mut named = before
                .iter()
                .flat_map(|b| after.map(|a| format!("{b}{key}{a}")));
            let is_named = named.any(|name| guide.contains(&name));
            assert!(is_named, "`{key}` of {table} is in neither guide");
        }
    }
    assert_eq!(
        tables,
        EVERY_TABLE.matches("zzz").count(),
        "each table lists its keys"
    );
}

#[test]
fn a_measuring_scanner_and_a_plant_with_papers_are_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo.toml");
    let text = fs::read_to_string(path).expect("a ready hub is a text");
    let fields =
        r#""trigger", "code", "verdict", "weight_kg", "length_cm", "width_mm", "height_mm""#;
    let words = r#"between_codes = "+", clear = ["OK"], suspect = ["ALARM", "X"]"#;
    let text = text.replace(
        r#"fields = ["trigger", "code", "weight_g"]"#,
        &format!("fields = [{fields}], {words}"),
    );
    let more = "
[plant.host]
delay_ms = 250
silent_ppm = 1_000
";
    let text = text.replace(
        "\nparcel = {",
        "\nparcel = { unadvised_ppm = 5, misdeclared_ppm = 6, \
        suspect_ppm = 7, width_mm = 80, height_mm = [20, 30],",
    );
    let source = Source::new("hub.toml", format!("{text}{more}"));
    let file = HubFile::from_source(&source, &Files::None)
        .unwrap_or_else(|faults| panic!("{}", told(&faults)));
    let link = file.links.scanners[0].as_ref().expect("it has a socket");
    let read = link.template.read(b"7;A-1+B-2;ALARM;1.5;30;200;100");
    let read = read.expect("such a telegram");
    assert_eq!(read.codes.all(), ["A-1", "B-2"]);
    assert_eq!(read.verdict, Verdict::Suspect);
    let measured = Measures {
        weight: Grams(1_500),
        length: Mm(300),
        width: Mm(200),
        height: Mm(100),
    };
    assert_eq!(read.measured, measured);
    let parcels = &file.plant.parcels;
    assert_eq!(
        (parcels.unadvised_ppm, parcels.misdeclared_ppm),
        (5, Some(6))
    );
    assert_eq!(parcels.suspect_ppm, Some(7));
    assert_eq!(parcels.width, Some((Mm(80), Mm(80))));
    assert_eq!(parcels.height, Some((Mm(20), Mm(30))));
    let host = HostPlant {
        delay: Micros::from_millis(250),
        silent_ppm: 1_000,
    };
    assert_eq!(file.plant.host, Some(host));
}
