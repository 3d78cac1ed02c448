//! What is served, and with which headers.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;

use super::feed::Feed;
use super::page::ASSETS;
use super::problem::Problem;

/// Nothing that is served needs a body; what comes in addition to the headers is refused.
const BODY_BYTES_MAX: usize = 16 * 1_024;

/// Everything comes from this server, and nothing is written into the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// What the handlers share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    /// The hub's description as JSON, under the active plan.
    pub hub: watch::Receiver<Bytes>,
    /// The views.
    pub feed: Feed,
    /// How many may watch at once; for the refusal's text.
    pub watchers_max: usize,
}

pub(super) fn router(shared: Shared) -> Router {
    let mut router = Router::new()
        .route("/api/hub", get(hub))
        .route("/api/view", get(view))
        .route("/api/events", get(events))
        .route("/healthz", get(healthz));
    for asset in ASSETS {
        router = router.route(asset.path, get(async move || asset));
    }
    router
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(middleware::from_fn(guarded))
        .with_state(shared)
}

async fn hub(State(shared): State<Shared>) -> Response {
    let hub = shared.hub.borrow().clone();
    json(hub)
}

async fn view(State(shared): State<Shared>) -> Response {
    match shared.feed.view().await {
        Some(view) => json(view),
        None => Problem::NoView.into_response(),
    }
}

async fn events(State(shared): State<Shared>) -> Response {
    let Some(events) = shared.feed.events() else {
        let watchers_max = shared.watchers_max;
        return Problem::TooManyWatchers { watchers_max }.into_response();
    };
    let mut response = Body::from_stream(events).into_response();
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// That this thread answers; how the hub is stands in the view.
async fn healthz() -> Response {
    json(Bytes::from_static(br#"{"status":"up"}"#))
}

fn json(body: Bytes) -> Response {
    let mut response = body.into_response();
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Refuses what is too large before anybody reads it, and puts the headers on every answer.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = if is_too_large(request.headers()) {
        let bytes_max = BODY_BYTES_MAX;
        Problem::TooLarge { bytes_max }.into_response()
    } else {
        next.run(request).await
    };
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        // A new build serves another page, and views are true for a moment only.
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// A body of unknown length is never read: no handler takes one.
fn is_too_large(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length > BODY_BYTES_MAX)
}
