//! The page of a demonstration in a real browser: what a newcomer sees after one command.

mod common;
mod http;
mod page;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use page::check_page;

/// The running demonstration; ended with the test, whatever comes of it.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself, and that is what was wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_demo_shows_parcels_on_their_way() {
    let mut command = Command::new(common::sorthub());
    command.args(["demo", "--duration", "120s", "--listen", "127.0.0.1:0"]);
    let child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut demo = Demo(child);
    let mut lines = BufReader::new(demo.0.stderr.take().expect("piped")).lines();
    let url = lines
        .find_map(|line| Some(line.ok()?.strip_prefix("page: ")?.to_owned()))
        .expect("the demo tells where its page is");
    check_page(&url);
}
