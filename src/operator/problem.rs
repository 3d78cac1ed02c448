//! Why a request was not done, as a problem document (RFC 9457) with what to do about it.

use serde::{Deserialize, Serialize};

/// Why a request was not done; nothing of it was, unless `detail` says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}; {mend}")]
pub struct Problem {
    /// What kind of problem, in the numbers of HTTP.
    pub status: u16,
    /// The same in words.
    pub title: String,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub mend: String,
    /// What refused it, for programs: a name that does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Box<str>>,
    /// The single faults, where a file was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

/// What kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request makes no sense.
    Malformed,
    /// It is longer than any request needs.
    TooLong,
    /// It names something that is not there, or a file that cannot be used.
    Unusable,
    /// It was understood, and is not possible now.
    Refused,
    /// There is no room to take it just now.
    Busy,
    /// The engine is stopping, or what the request needs is not working.
    Unavailable,
    /// It was taken and nobody knows what became of it.
    NoAnswer,
    /// There is no engine to take it.
    NoEngine,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Malformed,
        Self::TooLong,
        Self::Unusable,
        Self::Refused,
        Self::Busy,
        Self::Unavailable,
        Self::NoAnswer,
        Self::NoEngine,
    ];

    /// Its number, as HTTP has it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Refused => 409,
            Self::TooLong => 413,
            Self::Unusable => 422,
            Self::Busy => 429,
            Self::Unavailable => 503,
            Self::NoAnswer => 504,
            Self::NoEngine => 502,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLong => "too long",
            Self::Unusable => "unusable",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::NoAnswer => "no answer",
            Self::NoEngine => "no engine",
        }
    }
}

impl Problem {
    /// A problem of a kind.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            status: kind.status(),
            title: kind.title().to_owned(),
            detail: detail.into(),
            mend: mend.into(),
            code: None,
            faults: Vec::new(),
        }
    }

    /// The request makes no sense.
    #[must_use]
    pub fn malformed(detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail, mend)
    }

    /// It names something that is not there, or a file that cannot be used.
    #[must_use]
    pub fn unusable(detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(Kind::Unusable, detail, mend)
    }

    /// It is not possible now.
    #[must_use]
    pub fn refused(detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(Kind::Refused, detail, mend)
    }

    /// The same with its name for programs.
    #[must_use]
    pub fn with_code(self, code: &str) -> Self {
        Self {
            code: Some(code.into()),
            ..self
        }
    }

    /// The kind; [`Kind::Refused`] for a number that none has.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let mut all = Kind::ALL.into_iter();
        all.find(|kind| kind.status() == self.status)
            .unwrap_or(Kind::Refused)
    }
}
