//! Kept mutants: wrong rules that stand in the source beside the right ones. One at a time is
//! switched on to show that what should catch it can fail.
//!
//! Without `--cfg mutant`, which no shipped build is given, [`mutant!`](crate::mutant!) is `false`
//! at compile time and the wrong rule is not there. With it, one build holds them all, and the
//! environment variable `SORTHUB_MUTANT` names the one that is on; this is the only place of the
//! core that links `std`, and under that flag only.

/// Whether the kept mutant of this name is switched on; `tests/mutants.toml` lists them.
///
/// ```
/// # let (now, deadline) = (3, 2);
/// let is_late = if sorthub_core::mutant!("late_is_early") {
///     now < deadline
/// } else {
///     now >= deadline
/// };
/// assert!(is_late);
/// ```
#[cfg(not(mutant))]
#[macro_export]
macro_rules! mutant {
    ($name:literal) => {
        false
    };
}

/// Whether the kept mutant of this name is switched on; `tests/mutants.toml` lists them.
#[cfg(mutant)]
#[macro_export]
macro_rules! mutant {
    ($name:literal) => {
        $crate::mutant::is_on($name)
    };
}

#[cfg(mutant)]
pub use chosen::is_on;

#[cfg(mutant)]
mod chosen {
    use std::string::String;
    use std::sync::OnceLock;

    /// Asked once: a decision must not change while the program runs.
    static NAME: OnceLock<Option<String>> = OnceLock::new();

    /// Whether `SORTHUB_MUTANT` names this mutant.
    #[must_use]
    pub fn is_on(name: &str) -> bool {
        let chosen = NAME.get_or_init(|| std::env::var("SORTHUB_MUTANT").ok());
        chosen.as_deref() == Some(name)
    }
}
