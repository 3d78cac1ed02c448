//! The page and its parts, built into the binary: a control room needs no other server.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A file of the page.
#[derive(Debug)]
pub(super) struct Asset {
    /// Where it is served.
    pub path: &'static str,
    kind: &'static str,
    text: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Every file of the page.
pub(super) const ASSETS: &[Asset] = &[
    asset(
        "/",
        "text/html; charset=utf-8",
        include_str!("page/index.html"),
    ),
    asset(
        "/page/style.css",
        "text/css; charset=utf-8",
        include_str!("page/style.css"),
    ),
    asset("/page/main.js", SCRIPT, include_str!("page/main.js")),
    asset("/page/feed.js", SCRIPT, include_str!("page/feed.js")),
    asset("/page/belt.js", SCRIPT, include_str!("page/belt.js")),
    asset("/page/shape.js", SCRIPT, include_str!("page/shape.js")),
    asset("/page/track.js", SCRIPT, include_str!("page/track.js")),
    asset("/page/chutes.js", SCRIPT, include_str!("page/chutes.js")),
    asset("/page/panels.js", SCRIPT, include_str!("page/panels.js")),
    asset("/page/detail.js", SCRIPT, include_str!("page/detail.js")),
    asset("/page/alarms.js", SCRIPT, include_str!("page/alarms.js")),
    asset("/page/words.js", SCRIPT, include_str!("page/words.js")),
    asset(
        "/page/icon.svg",
        "image/svg+xml",
        include_str!("page/icon.svg"),
    ),
];

const fn asset(path: &'static str, kind: &'static str, text: &'static str) -> Asset {
    Asset { path, kind, text }
}

impl IntoResponse for &'static Asset {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static(self.kind);
        let mut response = self.text.into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
