//! What is known of a parcel besides where it is: the compact facts that a signal carries.
//!
//! Facts are not decisions. The driver identifies codes and looks waybills up with the pure
//! functions of this crate, and what came of it travels in the signal and lies in the journal, so
//! that replay needs neither format table nor directory. Nothing here depends on a sort plan:
//! which destination an address belongs to is decided by the plan that is active when the parcel
//! is decided, and again when another one becomes active while it rides.

mod address;

use serde::{Deserialize, Serialize};

pub use address::{Address, AddressFault};

use crate::ids::CodeId;
use crate::units::{Grams, Mm};

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
            Deserialize,
        )]
        pub struct $name(pub u64);

        impl $name {
            /// No name.
            pub const NONE: Self = Self(0);

            /// The key of a name; that of the empty name is [`Self::NONE`].
            #[must_use]
            pub fn of(name: &str) -> Self {
                if name.is_empty() { Self::NONE } else { Self(CodeId::of(name).0) }
            }

            /// Whether there is a name.
            #[must_use]
            pub const fn is_some(self) -> bool {
                self.0 != 0
            }
        }
    };
}

key! {
    /// A destination by its name, as pre-advice, hosts and people give it.
    ///
    /// It is a hash of the name ([`CodeId::of`]), so that pre-advice and every version of the plan
    /// agree on it without a common register. [`Plan::new`](crate::plan::Plan::new) refuses two
    /// names with one key.
    DestKey
}
key! {
    /// A carrier (SF, UPS, …) by its name, as the table of code formats gives it.
    CarrierKey
}
key! {
    /// A service (express, economy, …) by its name, as pre-advice gives it.
    ServiceKey
}

/// Named attributes of a parcel, one bit each. The first are fixed; the hub names the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tags(pub u64);

impl Tags {
    /// No attribute.
    pub const NONE: Self = Self(0);
    /// Dangerous goods, as declared.
    pub const DANGEROUS: Self = Self(1);
    /// Must not fall far.
    pub const FRAGILE: Self = Self(2);
    /// Names of the fixed bits, in their order.
    pub const FIXED: [&'static str; 2] = ["dangerous", "fragile"];
    /// How many there can be, the fixed ones among them.
    pub const MAX: usize = 64;

    /// Whether it has all of `others`.
    #[must_use]
    pub const fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether it has any of `others`.
    #[must_use]
    pub const fn has_any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// Mass and size; zero means not measured, or not declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Measures {
    /// Mass.
    pub weight: Grams,
    /// The longest side.
    pub length: Mm,
    /// The middle side.
    pub width: Mm,
    /// The shortest side.
    pub height: Mm,
}

impl Measures {
    /// Its sides in mm, the longest first; 0 for one that is not measured.
    #[must_use]
    pub fn sides(&self) -> [u32; 3] {
        let mut sides = [self.length.0, self.width.0, self.height.0];
        sides.sort_unstable_by(|a, b| b.cmp(a));
        sides
    }

    /// The same with its sides in order: however a parcel lies, its longest side is its length.
    #[must_use]
    pub fn longest_first(self) -> Self {
        let [length, width, height] = self.sides().map(Mm);
        Self {
            length,
            width,
            height,
            ..self
        }
    }

    /// These, with what was measured later in place of it.
    #[must_use]
    pub fn updated(self, later: Self) -> Self {
        let newer = |before: u32, later: u32| if later > 0 { later } else { before };
        Self {
            weight: Grams(newer(self.weight.0, later.weight.0)),
            length: Mm(newer(self.length.0, later.length.0)),
            width: Mm(newer(self.width.0, later.width.0)),
            height: Mm(newer(self.height.0, later.height.0)),
        }
    }

    /// Volume in cm³, rounded down; `None` if a side is not measured.
    #[must_use]
    pub const fn volume_cm3(&self) -> Option<u64> {
        if self.length.0 == 0 || self.width.0 == 0 || self.height.0 == 0 {
            return None;
        }
        Some(self.length.0 as u64 * self.width.0 as u64 * self.height.0 as u64 / 1_000)
    }
}

/// What pre-advice says of a waybill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Advice {
    /// There is pre-advice; otherwise the rest is empty but for what the code itself says.
    pub known: bool,
    /// The destination, where it is named outright.
    pub dest: DestKey,
    /// The segment code.
    pub segment: Address,
    /// The postcode.
    pub postcode: Address,
    /// The service.
    pub service: ServiceKey,
    /// Attributes.
    pub tags: Tags,
    /// Mass and size as declared.
    pub declared: Measures,
}

impl Advice {
    /// The same with the segment code and the postcode of another one where it has none.
    #[must_use]
    pub fn with_address_of(self, other: &Self) -> Self {
        let or = |own: Address, other| if own.is_some() { own } else { other };
        Self {
            segment: or(self.segment, other.segment),
            postcode: or(self.postcode, other.postcode),
            ..self
        }
    }
}

/// What is known of a parcel after a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Facts {
    /// Whether there is a code, and a good one.
    pub read: Reading,
    /// The identity that the code gives, as a number; the text stays with the driver.
    pub code: CodeId,
    /// Whose code it is.
    pub carrier: CarrierKey,
    /// What pre-advice says.
    pub advice: Advice,
    /// Mass and size as measured here.
    pub measured: Measures,
    /// What a security device says.
    pub verdict: Verdict,
}

/// Whether a telegram carried a code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reading {
    /// None could be read.
    #[default]
    NoRead,
    /// One good code.
    Good,
    /// Codes that contradict each other.
    Conflict,
    /// A code whose form or check digit is wrong.
    Invalid,
    /// Codes of several parcels in one gate.
    Several,
}

/// What a security device (X-ray) says of a parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing.
    #[default]
    None,
    /// It may go on.
    Clear,
    /// Somebody must look at it.
    Suspect,
}

impl Facts {
    /// A good reading of a code that pre-advice names a destination for; without a key one that
    /// nothing is known of.
    #[must_use]
    pub fn advised(code: CodeId, dest: DestKey) -> Self {
        Self {
            read: Reading::Good,
            code,
            advice: Advice {
                known: dest.is_some(),
                dest,
                ..Advice::default()
            },
            ..Self::default()
        }
    }

    /// What is known after another reading of the same parcel.
    ///
    /// A good code makes up for one that could not be read or was not valid; two different good
    /// ones contradict each other, and then neither is trusted any more, whatever follows. What a
    /// later reading does not say stays as it was: a scale may see only the mass, an X-ray machine
    /// only its verdict.
    #[must_use]
    pub fn joined(&self, later: &Self) -> Self {
        let mut all = *self;
        // Several parcels on one scale weigh what none of them does.
        if later.read != Reading::Several {
            all.measured = self.measured.updated(later.measured);
        }
        if later.verdict != Verdict::None {
            all.verdict = later.verdict;
        }
        if later.read == Reading::NoRead {
            all.advice = self.advice.with_address_of(&later.advice);
        }
        match (self.read, later.read) {
            (Reading::Good, Reading::Good) if later.code != self.code => {
                all.read = if mutant!("first_code_wins") {
                    Reading::Good
                } else {
                    Reading::Conflict
                };
            }
            (Reading::Good | Reading::NoRead | Reading::Invalid, Reading::Good) => {
                all.read = Reading::Good;
                all.code = later.code;
                if later.carrier.is_some() {
                    all.carrier = later.carrier;
                }
                if !self.advice.known {
                    // What it has is from the label: one reader may see only the address, another
                    // only the number.
                    all.advice = later.advice.with_address_of(&self.advice);
                } else if later.advice.known {
                    all.advice = later.advice;
                }
            }
            (Reading::NoRead, Reading::NoRead) => {}
            (Reading::NoRead, read)
            | (Reading::Invalid, read @ (Reading::Conflict | Reading::Several)) => {
                all.read = read;
                all.code = later.code;
            }
            _ => {}
        }
        all
    }
}
