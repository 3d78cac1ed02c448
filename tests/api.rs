//! The API as a client on a socket sees it: data, streams, refusals, limits, and its end.

mod http;
mod synthetic;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sorthub::api::{Api, ApiError, ApiLimits};
use sorthub::telemetry::view_slot;
use synthetic::{Scene, Source};

const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const DEADLINE: Duration = Duration::from_secs(20);

fn served(scene: Scene, limits: ApiLimits) -> (Api, Source) {
    let (source, views) = Source::start(scene);
    let api = Api::start(LOCAL, limits, &source.hub, views).expect("a free port is there");
    (api, source)
}

fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| panic!("{value} is a whole number"))
}

#[test]
fn the_hub_is_described_with_all_that_a_drawing_needs() {
    let (api, _source) = served(Scene::LoopAndLine, ApiLimits::default());
    let answer = http::get(api.address(), "/api/hub");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    let hub = answer.json();
    assert_eq!(hub["name"], "Hangzhou East");
    assert_eq!(hub["tracks"][0]["pitch_mm"], 600);
    assert_eq!(hub["tracks"][0]["length_mm"], 36_000);
    assert_eq!(hub["tracks"][1]["is_loop"], false);
    assert_eq!(hub["tracks"][1]["first_cell"], 60);
    assert_eq!(hub["tracks"][1]["return_mm"], 12_500);
    let chutes = hub["chutes"].as_array().expect("chutes are a list");
    assert_eq!(chutes.len(), 21);
    assert_eq!(chutes[0]["destinations"][0], "Branch C01");
    assert_eq!(chutes[0]["capacity"]["parcels"], 20);
    assert_eq!(chutes[14]["role"], "reject");
    assert_eq!(chutes[14]["capacity"], Value::Null);
    assert_eq!(chutes[15]["capacity"]["length_mm"], 3_000);
}

#[test]
fn a_view_is_whole_and_the_next_one_newer() {
    let (api, _source) = served(Scene::SmallLoop, ApiLimits::default());
    let view = http::get(api.address(), "/api/view").json();
    let books = &view["books"];
    assert!(number(&books["inducted"]) > 0);
    let ended: i64 = ["sorted", "rejected", "removed", "lost", "on_sorter"]
        .map(|side| number(&books[side]))
        .iter()
        .sum();
    assert_eq!(number(&books["inducted"]), ended);
    assert_eq!(books["balance"], true);
    let causes = books["rejected_by"].as_object().expect("causes are named");
    assert_eq!(
        number(&books["rejected"]),
        causes.values().map(number).sum::<i64>()
    );
    assert!(causes.contains_key("no-read"), "{causes:?}");
    let items = view["items"].as_array().expect("items are a list");
    assert_eq!(items.len() as i64, number(&books["on_sorter"]));
    let read = items
        .iter()
        .find(|item| item["waybill"].is_string())
        .expect("some are read");
    assert!(
        read["parcel"]
            .as_str()
            .is_some_and(|id| id.starts_with("7-")),
        "{read}"
    );
    assert!(view["decision"]["count"].as_u64() > Some(0));
    let next = http::get(api.address(), "/api/view").json();
    assert!(number(&next["sequence"]) > number(&view["sequence"]));
    let belt = |view: &Value| number(&view["tracks"][0]["belt_mm"]);
    assert!(belt(&next) > belt(&view), "the belt has moved");
}

#[test]
fn events_follow_each_other_while_the_belt_runs() {
    let (api, _source) = served(Scene::SmallLoop, ApiLimits::default());
    let mut events = http::open(api.address(), "/api/events");
    assert_eq!(events.head.status, 200);
    assert_eq!(
        events.head.header("content-type"),
        Some("text/event-stream")
    );
    let views: Vec<Value> = (0..5).map_while(|_| events.view()).collect();
    assert_eq!(views.len(), 5);
    for pair in views.windows(2) {
        assert!(number(&pair[1]["sequence"]) > number(&pair[0]["sequence"]));
        assert!(number(&pair[1]["plant_us"]) > number(&pair[0]["plant_us"]));
    }
}

#[test]
fn a_watcher_that_comes_later_sees_nothing_old() {
    let (api, _source) = served(Scene::SmallLoop, ApiLimits::default());
    let first = http::open(api.address(), "/api/events")
        .view()
        .expect("a view comes");
    let after = http::get(api.address(), "/api/view").json();
    // The first stream is closed by now, so that nobody has asked for views for a while.
    let deadline = Instant::now() + DEADLINE;
    let mut last = after;
    while number(&last["plant_us"]) < number(&first["plant_us"]) + 1_000_000 {
        assert!(Instant::now() < deadline, "plant time stands still");
        last = http::get(api.address(), "/api/view").json();
    }
    let next = http::open(api.address(), "/api/events")
        .view()
        .expect("a view comes");
    assert!(number(&next["plant_us"]) >= number(&last["plant_us"]));
}

#[test]
fn a_reader_that_stops_reading_holds_up_nobody() {
    let (api, _source) = served(Scene::FourLoops, ApiLimits::default());
    let mut slow = TcpStream::connect(api.address()).expect("it listens");
    let request = b"GET /api/events HTTP/1.1\r\nHost: test\r\n\r\n";
    slow.write_all(request).expect("the request is taken");
    let mut events = http::open(api.address(), "/api/events");
    // More than the socket's buffers hold, so that the slow one is stuck by then.
    let mut bytes = 0;
    let mut last = None;
    while bytes < 12_000_000 {
        let view = events.view().expect("the stream goes on");
        bytes += view.to_string().len();
        last = Some(number(&view["sequence"]));
    }
    // Reading again, it gets some old views that were under way, then the present.
    let mut buffer = vec![0; 1 << 20];
    let mut read = 0;
    let deadline = Instant::now() + DEADLINE;
    let mut tail = Vec::new();
    loop {
        let n = slow.read(&mut buffer).expect("the stream is still open");
        read += n;
        tail.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&tail);
        let newest = text.rsplit("{\"sequence\":").next();
        let newest = newest.and_then(|rest| rest.split(',').next()?.parse::<i64>().ok());
        if newest > last {
            break;
        }
        assert!(Instant::now() < deadline, "the present never came");
    }
    assert!(
        read < bytes,
        "{read} bytes were kept for a reader that did not read"
    );
}

#[test]
fn unknown_paths_and_methods_get_a_problem_document() {
    let (api, _source) = served(Scene::SmallLoop, ApiLimits::default());
    let delete = "DELETE /api/hub HTTP/1.1\r\nHost: test\r\n\r\n";
    let large = "POST /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999\r\n\r\n";
    let cases = [
        (http::get(api.address(), "/nowhere"), 404, "Not Found"),
        (
            http::get(api.address(), "/page/../Cargo.toml"),
            404,
            "Not Found",
        ),
        (http::ask(api.address(), delete), 405, "Method Not Allowed"),
        (http::ask(api.address(), large), 413, "Payload Too Large"),
    ];
    for (answer, status, title) in cases {
        assert_eq!(answer.status, status);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        let problem = answer.json();
        assert_eq!(
            (&problem["status"], &problem["title"]),
            (&status.into(), &title.into())
        );
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| detail.len() > 10)
        );
    }
}

#[test]
fn every_part_of_the_page_is_here_and_nothing_is_elsewhere() {
    let (api, _source) = served(Scene::SmallLoop, ApiLimits::default());
    let mut open = vec!["/".to_owned()];
    let mut seen: Vec<String> = Vec::new();
    while let Some(path) = open.pop() {
        let answer = http::get(api.address(), &path);
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
        let text = String::from_utf8(answer.body).expect("the page is text");
        let outside = text.matches("://").count();
        let known = text.matches("http://www.w3.org/2000/svg").count();
        assert_eq!(outside, known, "{path} names another server");
        seen.push(path);
        let quoted = text.split('"');
        let named = quoted.filter_map(|word| {
            let module = word.strip_prefix("./").map(|name| format!("/page/{name}"));
            module.or_else(|| word.starts_with("/page/").then(|| word.to_owned()))
        });
        let new: Vec<String> = named.filter(|path| !seen.contains(path)).collect();
        open.extend(new);
    }
    assert!(seen.iter().any(|path| path == "/page/track.js"), "{seen:?}");
}

#[test]
fn one_watcher_too_many_is_told_so_and_gets_in_once_another_has_left() {
    let limits = ApiLimits {
        watchers_max: 2,
        ..ApiLimits::default()
    };
    let (api, _source) = served(Scene::SmallLoop, limits);
    let mut watching: Vec<_> = (0..2)
        .map(|_| http::open(api.address(), "/api/events"))
        .collect();
    assert!(watching.iter_mut().all(|events| events.view().is_some()));
    let refused = http::get(api.address(), "/api/events");
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("5"))
    );
    assert!(
        refused.json()["detail"]
            .as_str()
            .is_some_and(|text| text.contains("2 watchers"))
    );
    watching.pop();
    let deadline = Instant::now() + DEADLINE;
    while http::open(api.address(), "/api/events").head.status != 200 {
        assert!(Instant::now() < deadline, "the free place is never given");
    }
}

#[test]
fn a_connection_beyond_the_limit_waits_for_a_place() {
    let limits = ApiLimits {
        connections_max: 1,
        ..ApiLimits::default()
    };
    let (api, _source) = served(Scene::SmallLoop, limits);
    let mut first = http::open(api.address(), "/api/events");
    assert!(first.view().is_some());
    let (sender, answers) = mpsc::sync_channel(1);
    let address = api.address();
    let second = thread::spawn(move || {
        sender
            .send(http::get(address, "/healthz").status)
            .expect("the test waits");
    });
    // While views keep coming to the first, the second has no answer.
    for _ in 0..5 {
        assert!(first.view().is_some());
    }
    assert!(
        answers.try_recv().is_err(),
        "a second connection was served"
    );
    drop(first);
    assert_eq!(answers.recv_timeout(DEADLINE), Ok(200));
    second.join().expect("the second client ends");
}

#[test]
fn a_connection_that_does_nothing_is_closed() {
    let limits = ApiLimits {
        idle_max: Duration::from_millis(200),
        ..ApiLimits::default()
    };
    let (api, _source) = served(Scene::SmallLoop, limits);
    let mut silent = TcpStream::connect(api.address()).expect("it listens");
    silent
        .set_read_timeout(Some(DEADLINE))
        .expect("a time-out can be set");
    let mut nothing = [0; 1];
    assert_eq!(silent.read(&mut nothing).expect("it is closed in time"), 0);
    // One that is served goes on for many times as long.
    let mut events = http::open(api.address(), "/api/events");
    assert!((0..10).all(|_| events.view().is_some()));
}

#[test]
fn an_engine_that_publishes_nothing_is_named() {
    let (source, _) = Source::start(Scene::SmallLoop);
    let (_publisher, views) = view_slot();
    let api = Api::start(LOCAL, ApiLimits::default(), &source.hub, views).expect("a free port");
    let answer = http::get(api.address(), "/api/view");
    assert_eq!(answer.status, 503);
    assert!(
        answer.json()["detail"]
            .as_str()
            .is_some_and(|text| text.contains("engine"))
    );
    assert_eq!(http::get(api.address(), "/healthz").json()["status"], "up");
}

#[test]
fn a_stopped_api_ends_its_streams_and_frees_its_port() {
    let (api, _source) = served(Scene::SmallLoop, ApiLimits::default());
    let address = api.address();
    let mut events = http::open(address, "/api/events");
    assert!(events.view().is_some());
    api.stop();
    while events.view().is_some() {}
    TcpListener::bind(address).expect("the port is free again");
}

#[test]
fn an_address_that_is_taken_is_an_error_that_names_it() {
    let taken = TcpListener::bind(LOCAL).expect("a free port is there");
    let address = taken.local_addr().expect("it is bound");
    let (source, views) = Source::start(Scene::SmallLoop);
    let error = Api::start(address, ApiLimits::default(), &source.hub, views).map(drop);
    let error = error.expect_err("the port is taken");
    assert!(matches!(error, ApiError::Listen { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains(&address.to_string()) && text.contains("another"),
        "{text}"
    );
}
