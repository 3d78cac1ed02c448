//! The control-room page in a real browser.

mod common;
mod http;
mod page;
mod synthetic;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use page::{Look, Page, check_page};
use sorthub::api::{Api, ApiLimits};
use synthetic::{Scene, Source};

const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn served(scene: Scene, address: SocketAddr) -> (Api, Source) {
    let (source, views) = Source::start(scene);
    let limits = ApiLimits::default();
    let api = Api::start(address, limits, &source.hub, views).expect("the port is free");
    (api, source)
}

fn url(api: &Api) -> String {
    format!("http://{}/", api.address())
}

#[test]
fn the_page_shows_a_running_hub() {
    let (api, _source) = served(Scene::SmallLoop, LOCAL);
    check_page(&url(&api));
}

#[test]
fn the_page_shows_four_loops_of_300_carriers() {
    let (api, _source) = served(Scene::FourLoops, LOCAL);
    check_page(&url(&api));
}

#[test]
fn a_lost_connection_is_said_and_mended() {
    let (api, source) = served(Scene::SmallLoop, LOCAL);
    let Some(mut page) = Page::open(&url(&api), Look::default()) else {
        return;
    };
    page.wait("the page is live", |page| page.connection() == "live");
    let address = api.address();
    api.stop();
    drop(source);
    page.wait("the page says that the connection is lost", |page| {
        page.is_shown("#banner")
    });
    assert!(
        page.text("#banner")
            .contains("connection to the engine is lost")
    );
    assert_eq!(page.connection(), "lost");
    let parcels = page.attribute("[data-track='0'] .items.sorted", "d");
    assert!(
        parcels.is_some_and(|path| !path.is_empty()),
        "what was true last is still drawn"
    );
    // Another hub at the same place: the page shows that one.
    let (_api, _source) = served(Scene::Line, address);
    page.wait("the page is live again", |page| page.connection() == "live");
    page.wait("the other hub is drawn", |page| {
        page.text("#stage").contains("Line 1")
    });
    assert!(!page.is_shown("#banner"));
}

#[test]
fn what_needs_a_person_is_said_in_words() {
    let (api, _source) = served(Scene::Troubled, LOCAL);
    let Some(mut page) = Page::open(&url(&api), Look::default()) else {
        return;
    };
    page.wait("the jam is in the list of alarms", |page| {
        page.text("#alarms").contains("C10 is jammed")
    });
    assert!(
        page.text("#alarms").contains("free the parcels"),
        "the mend is told"
    );
    assert!(
        page.text("#alarms").contains("left by C04"),
        "the missort is told"
    );
    let mark = "[data-chute='9'] .mark";
    page.wait("the jam is written at the chute", |page| {
        page.text_content(mark) == "JAMMED"
    });
    assert_eq!(page.text_content("[data-chute='4'] .mark"), "LOCKED");
    page.wait("the missort is counted", |page| {
        page.text("#kpis").contains("1 MISSORTED")
    });
}

#[test]
fn a_lost_plc_link_is_said_at_its_track_and_that_track_stands() {
    let (api, _source) = served(Scene::LoopAndLine, LOCAL);
    let Some(mut page) = Page::open(&url(&api), Look::default()) else {
        return;
    };
    let state = |nth: u8| format!("[data-track='{nth}'] .state");
    page.wait("the loss is told", |page| {
        page.text(&state(1)) == "PLC LINK LOST"
    });
    page.wait("the other track runs", |page| {
        page.text(&state(0)).contains("2.00 m/s")
    });
    page.wait("the alarm is told", |page| {
        page.text("#alarms").contains("PLC of Line 1")
    });
    page.wait("the link is told", |page| {
        page.text("#links").contains("LOST")
    });
}

/// Not a test of anything: pictures for people who change the page.
/// `cargo test --test browser -- --ignored pictures` leaves them in `target/pictures/`.
#[test]
#[ignore = "makes pictures to look at"]
fn pictures() {
    let wide = (1440, 900);
    let shots = [
        ("loop", Scene::SmallLoop, wide),
        ("trouble", Scene::Troubled, wide),
        ("line", Scene::Line, wide),
        ("loop-and-line", Scene::LoopAndLine, wide),
        ("large-loop", Scene::LargeLoop, wide),
        ("four-loops", Scene::FourLoops, wide),
        ("laptop", Scene::Troubled, (1280, 800)),
        ("phone", Scene::SmallLoop, (500, 1600)),
    ];
    for (name, scene, (width_px, height_px)) in shots {
        for dark in [false, true] {
            let (api, source) = served(scene, LOCAL);
            let look = Look {
                width_px,
                height_px,
                dark,
            };
            let Some(mut page) = Page::open(&url(&api), look) else {
                return;
            };
            let kind = if dark { "dark" } else { "light" };
            page.wait("something of the trend is drawn", |page| {
                let trend = page.attribute(".trend polyline", "points");
                trend.is_some_and(|points| points.split(' ').count() > 10)
            });
            save(&mut page, &format!("{name}-{kind}"));
            if name == "loop" {
                page.find("7-230");
                page.wait("the parcel is shown", |page| {
                    page.text("#detail-body").contains("Why")
                });
                save(&mut page, &format!("picked-{kind}"));
                api.stop();
                drop(source);
                page.wait("the banner is shown", |page| page.is_shown("#banner"));
                save(&mut page, &format!("lost-{kind}"));
            }
        }
    }
}

fn save(page: &mut Page, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
    fs::create_dir_all(&folder).expect("the target folder takes pictures");
    let path = folder.join(format!("{name}.png"));
    fs::write(&path, page.screenshot()).expect("the picture is written");
    println!(
        "{}: frame times in ms {}",
        path.display(),
        page.frame_times()
    );
}
