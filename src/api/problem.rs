//! Refusals as problem documents (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request was refused, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// There is nothing at this path.
    NotFound,
    /// The path exists, but not for this method.
    MethodNotAllowed,
    /// The request carries more than any request here needs.
    TooLarge {
        /// The most it may carry, in bytes.
        bytes_max: usize,
    },
    /// As many as may watch already do.
    TooManyWatchers {
        /// How many may.
        watchers_max: usize,
    },
    /// The engine has published nothing in time.
    NoView,
}

#[derive(Serialize)]
struct Document {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyWatchers { .. } | Self::NoView => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::NotFound => {
                "there is nothing here; the page is at /, data at /api/hub, /api/view and \
                 /api/events"
                    .to_owned()
            }
            Self::MethodNotAllowed => "only GET and HEAD are served here".to_owned(),
            Self::TooLarge { bytes_max } => {
                format!("a request may carry at most {bytes_max} bytes; send less")
            }
            Self::TooManyWatchers { watchers_max } => format!(
                "{watchers_max} watchers are served at once, and as many are here; close a page, \
                 or try again later"
            ),
            Self::NoView => {
                "the engine has published nothing; it is starting, stopping, or stuck".to_owned()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let document = Document {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Refused"),
            status: status.as_u16(),
            detail: self.detail(),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
