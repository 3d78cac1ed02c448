//! The words of requests that stand for one wish each.

use clap::ValueEnum;
use serde::{Deserialize, Deserializer, Serialize};

use super::request::near;

/// Declares words that stand for one wish each, with their help texts.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$help:meta])* $word:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$help])* $word,)* }
    };
}

words! {
    /// What is wanted of a chute.
    ChuteTo {
        /// Take nothing more until it is unlocked
        Lock,
        /// Take parcels again; a lock at the chute itself opens only there
        Unlock,
        /// Out of service: plan around it
        Disable,
        /// In service again
        Enable,
        /// What was in it has been taken out: it may have a new owner
        Cleared,
    }
}

words! {
    /// A step of a bag change.
    BagTo {
        /// Ask for a bag change: the chute closes
        Change,
        /// The new bag's label was scanned
        Bind,
        /// The new bag hangs: open
        Ready,
        /// Give up and open again with the old bag
        Keep,
    }
}

words! {
    /// What is wanted of a bank of chutes.
    BankTo {
        /// Out of service: plan around all of them
        Disable,
        /// In service again
        Enable,
        /// Take nothing more until they are unlocked
        Lock,
        /// Take parcels again
        Unlock,
    }
}

words! {
    /// What is wanted of an induction.
    InductionTo {
        /// Let parcels in
        Run,
        /// Let none in
        Stop,
        /// Let in at most so many an hour
        Limit,
    }
}

words! {
    /// What is wanted of a track.
    TrackTo {
        /// Another mode
        Mode,
        /// Let parcels in again; no motor is started
        Start,
        /// Let no more in; those on it are sorted
        Drain,
        /// Send what is on it to the reject chutes
        Purge,
        /// Out of service: plan around it
        Close,
        /// In service again
        Open,
    }
}

words! {
    /// A track's mode.
    ModeTo {
        /// Sorting
        Automatic,
        /// Nothing is sent by itself
        Manual,
        /// Being worked on: nothing is let in, nothing is ordered
        Maintenance,
        /// Nothing is let in, what is on it is sorted or rejected
        Emptying,
    }
}

words! {
    /// What is wanted of a carrier.
    CarrierTo {
        /// Use it
        Enable,
        /// Do not use it
        Disable,
    }
}

words! {
    /// What a security device says.
    VerdictTo {
        /// It may go on
        Clear,
        /// Somebody must look at it
        Suspect,
    }
}

words! {
    /// What is wanted of a parcel.
    ParcelTo {
        /// Send it to a chute, whatever the plan says
        Force,
        /// It is damaged
        Damaged,
        /// A person has taken it off
        Removed,
    }
}

/// Reads one of a few words; an unknown one is told with the nearest.
pub(super) fn word<'de, D: Deserializer<'de>, T: ValueEnum>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    T::from_str(&text, false).map_err(|_| {
        let all = T::value_variants().iter();
        let all: Vec<String> = all
            .filter_map(|one| Some(one.to_possible_value()?.get_name().to_owned()))
            .collect();
        serde::de::Error::custom(format!(
            "`{text}` is not known here; use one of {}{}",
            all.join(", "),
            near(&text, all.iter().map(String::as_str))
        ))
    })
}

pub(super) fn maybe_word<'de, D: Deserializer<'de>, T: ValueEnum>(
    from: D,
) -> Result<Option<T>, D::Error> {
    word(from).map(Some)
}
