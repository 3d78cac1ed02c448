//! A browser without a window, and what must hold of the page whatever engine is behind it.
#![allow(
    dead_code,
    reason = "each test binary that includes this module uses a part of it"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{common, http};

/// Long enough for a busy machine to start a browser; a test that gets here fails.
const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// How the page is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) width_px: u32,
    pub(crate) height_px: u32,
    pub(crate) dark: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            width_px: 1440,
            height_px: 900,
            dark: false,
        }
    }
}

/// Opens the page at `url` and demands what a person would see in its first minute: counts that
/// rise, a parcel that moves and can be picked, no alarm about the connection, and no error on
/// the browser's console. Returns early where there is no browser.
pub(crate) fn check_page(url: &str) {
    let Some(mut page) = Page::open(url, Look::default()) else {
        return;
    };
    page.check();
}

/// A page in a browser of its own, closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Page {
    runtime: Runtime,
    client: Option<Client>,
    driver: Driver,
}

impl Page {
    /// `None`, with a line that says so, where there is no browser.
    pub(crate) fn open(url: &str, look: Look) -> Option<Self> {
        let (chromium, chromedriver) = (common::chromium()?, common::chromedriver()?);
        let driver = Driver::start(&chromedriver);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.expect("the system gives a runtime");
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            let wanted = capabilities(&chromium, &driver.profile, look);
            builder.capabilities(wanted);
            let driver = format!("http://{}", driver.address);
            let client = builder.connect(&driver).await.expect("the browser starts");
            client.goto(url).await.expect("the page loads");
            client
        });
        let mut page = Self {
            runtime,
            client: Some(client),
            driver,
        };
        page.fit(look);
        Some(page)
    }

    /// The window's own frame is not part of what was asked for.
    fn fit(&mut self, look: Look) {
        let inside = self.script("return [innerWidth, innerHeight]");
        let frame = |nth: usize, wanted: u32| {
            let is = inside[nth].as_u64().map_or(wanted, |px| px as u32);
            wanted * 2 - is.min(wanted)
        };
        let (width, height) = (frame(0, look.width_px), frame(1, look.height_px));
        let client = self
            .client
            .as_ref()
            .expect("it is open until it is dropped");
        let sized = self.runtime.block_on(client.set_window_size(width, height));
        sized.expect("the window takes its size");
    }

    /// The demands of [`check_page`].
    pub(crate) fn check(&mut self) {
        self.wait("the page is live", |page| page.connection() == "live");
        assert!(
            !self.is_shown("#banner"),
            "a banner is shown while the page is live"
        );
        let hub = self.text("#hub-name");
        assert!(
            !hub.is_empty() && self.title().starts_with(&hub),
            "the title names the hub"
        );
        for count in ["#kpi-inducted", "#kpi-sorted"] {
            let before = self.count(count);
            self.wait(&format!("{count} rises"), |page| page.count(count) > before);
        }
        self.wait("a carrier moves", |page| {
            let cells = "[data-track='0'] :is(.cells, .marks)";
            let at = |page: &mut Page| page.attribute(cells, "stroke-dashoffset");
            let before = at(page);
            thread::sleep(POLL);
            before.is_some() && at(page) != before
        });
        self.check_parcel();
        self.check_chute();
        let errors = self.console_errors();
        assert!(errors.is_empty(), "the console says: {errors:#?}");
    }

    /// A parcel is picked by its number, shown, and moves.
    fn check_parcel(&mut self) {
        let ring = "[data-track='0'] .ring.on";
        self.wait("a parcel of the first track is picked and moves", |page| {
            let parcel = page.script(
                "return Promise.all(['/api/hub', '/api/view'].map((path) => \
                 fetch(path).then((answer) => answer.json()))).then(([hub, view]) => \
                 view.items.filter((item) => item.parcel && item.cell < hub.tracks[0].cells) \
                 .sort((a, b) => b.origin_mm - a.origin_mm)[0]?.parcel ?? '')",
            );
            page.find(parcel.as_str().unwrap_or_default());
            let place = page.attribute(ring, "transform");
            thread::sleep(POLL * 3);
            let moved = page.attribute(ring, "transform");
            place.is_some() && moved.is_some() && place != moved
        });
        let detail = self.text("#detail-body");
        for word in ["Parcel", "Goes to", "Why", "Extra laps"] {
            assert!(detail.contains(word), "the detail names {word}: {detail}");
        }
    }

    fn check_chute(&mut self) {
        self.script("document.querySelector('.chute').dispatchEvent(new MouseEvent('click'))");
        self.wait("a chute's detail is shown", |page| {
            let detail = page.text("#detail-body");
            detail.contains("Parcels so far") && detail.contains("State")
        });
        let label = self.attribute(".chute", "aria-label").unwrap_or_default();
        assert!(
            label.contains("hute"),
            "a chute has a name to be read out: {label}"
        );
    }

    /// Types into the page's search field.
    pub(crate) fn find(&mut self, text: &str) {
        self.script(&format!(
            "document.getElementById('find-text').value = {}; \
             document.getElementById('find').requestSubmit()",
            json!(text)
        ));
    }

    /// Polls until `condition` holds.
    pub(crate) fn wait(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !condition(self) {
            assert!(
                Instant::now() < deadline,
                "never came true: {what}; the console says {:#?}, the page: {}",
                self.console_errors(),
                self.text("body")
            );
            thread::sleep(POLL);
        }
    }

    pub(crate) fn connection(&mut self) -> String {
        self.attribute("body", "data-connection")
            .unwrap_or_default()
    }

    pub(crate) fn text(&mut self, css: &str) -> String {
        let element = json!(css);
        let text = self.script(&format!(
            "return document.querySelector({element})?.innerText"
        ));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The text of what has no layout of its own, such as text in a drawing.
    pub(crate) fn text_content(&mut self, css: &str) -> String {
        let css = json!(css);
        let text = self.script(&format!(
            "return document.querySelector({css})?.textContent"
        ));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// From frame to frame over a second, in ms: how many, the median, the longest.
    pub(crate) fn frame_times(&mut self) -> Value {
        self.script(
            "return new Promise((done) => { const times = []; let last = performance.now(); \
             const each = (now) => { times.push(now - last); last = now; \
             if (times.length < 60) return requestAnimationFrame(each); \
             times.sort((a, b) => a - b); \
             done([times.length, Math.round(times[30]), Math.round(times[59])]); }; \
             requestAnimationFrame(each); })",
        )
    }

    pub(crate) fn attribute(&mut self, css: &str, name: &str) -> Option<String> {
        let (css, name) = (json!(css), json!(name));
        let script = format!("return document.querySelector({css})?.getAttribute({name})");
        self.script(&script).as_str().map(str::to_owned)
    }

    pub(crate) fn is_shown(&mut self, css: &str) -> bool {
        let css = json!(css);
        let script = format!("return document.querySelector({css}).checkVisibility()");
        self.script(&script) == Value::Bool(true)
    }

    /// A count as the page writes it, with separators.
    pub(crate) fn count(&mut self, css: &str) -> Option<u64> {
        let text = self.text(css);
        text.replace(',', "").parse().ok()
    }

    pub(crate) fn script(&mut self, script: &str) -> Value {
        let client = self
            .client
            .as_ref()
            .expect("it is open until it is dropped");
        let done = self.runtime.block_on(client.execute(script, Vec::new()));
        done.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    pub(crate) fn screenshot(&mut self) -> Vec<u8> {
        let client = self
            .client
            .as_ref()
            .expect("it is open until it is dropped");
        self.runtime
            .block_on(client.screenshot())
            .expect("a picture is taken")
    }

    /// What the browser has put on its console as an error since it was asked last.
    pub(crate) fn console_errors(&mut self) -> Vec<String> {
        let client = self
            .client
            .as_ref()
            .expect("it is open until it is dropped");
        let session = self.runtime.block_on(client.session_id());
        let session = session.ok().flatten().expect("the session has an id");
        let path = format!("/session/{session}/se/log");
        let answer = http::post(self.driver.address, &path, &json!({"type": "browser"}));
        assert_eq!(answer.status, 200, "the log is there");
        let answer = answer.json();
        let entries = answer["value"].as_array().expect("the log is a list");
        let errors = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        errors.map(|entry| entry["message"].to_string()).collect()
    }

    fn title(&mut self) -> String {
        self.script("return document.title")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // The driver ends in any case; closing first lets the browser end cleanly.
            let _ = self.runtime.block_on(client.close());
        }
    }
}

/// The browser's driver as a process of its own, on a port that the system has chosen.
#[derive(Debug)]
struct Driver {
    process: Child,
    address: SocketAddr,
    profile: PathBuf,
}

impl Driver {
    fn start(program: &Path) -> Self {
        let mut process = Command::new(program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut lines = lines.map_while(Result::ok);
        let port = lines.find_map(|line| {
            let after = line.split("started successfully on port ").nth(1)?;
            after.trim_end_matches('.').parse().ok()
        });
        let port: u16 = port.expect("the driver names its port");
        // A full pipe would stop it.
        thread::spawn(move || lines.for_each(drop));
        let name = format!("sorthub-page-{}-{port}", std::process::id());
        let profile = std::env::temp_dir().join(name);
        fs::create_dir_all(&profile).expect("a folder for the profile can be made");
        Self {
            process,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            profile,
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

fn capabilities(chromium: &Path, profile: &Path, look: Look) -> serde_json::Map<String, Value> {
    let Look {
        width_px,
        height_px,
        dark,
    } = look;
    let scheme = u8::from(!dark);
    let flags = [
        "--headless=new".to_owned(),
        // Containers run as root, where the browser's own sandbox cannot be set up.
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--window-size={width_px},{height_px}"),
        format!("--blink-settings=preferredColorScheme={scheme}"),
        format!("--user-data-dir={}", profile.display()),
    ];
    let wanted = json!({
        "goog:chromeOptions": { "binary": chromium, "args": flags },
        "goog:loggingPrefs": { "browser": "ALL" },
    });
    match wanted {
        Value::Object(wanted) => wanted,
        _ => unreachable!("it is written as an object"),
    }
}
