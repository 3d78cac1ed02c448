//! The numbered closed lists (causes, answers) and the named bits of the interface.
//!
//! A number outside a list comes from a PLC programme that does not keep to the contract. It must
//! not hide the event that carries it, so it is kept as `Other` and the reader takes it as the most
//! cautious case.

macro_rules! closed_list {
    ($(#[$outer:meta])* $name:ident {
        $($(#[$inner:meta])* $code:literal => $variant:ident, $text:literal;)*
    }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$inner])* $variant,)*
            /// A number outside the list: a fault of the PLC programme, to be alarmed.
            Other(u8),
        }

        impl $name {
            /// Every number of the list with its meaning.
            pub const LISTED: &'static [(Self, &'static str)] = &[$((Self::$variant, $text),)*];

            /// The number on the wire.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Other(code) => code,
                }
            }

            /// The meaning of a number.
            #[must_use]
            pub const fn from_code(code: u8) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            /// The name used in the interface document, for logs and pages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(_) => "not in the list",
                }
            }
        }
    };
}

closed_list! {
    /// Why a parcel that was to leave at a chute did not (event 5).
    NotDischargedCause {
        /// The PLC gave no cause.
        0 => Unstated, "no cause given";
        /// The chute's full eye is covered.
        1 => ChuteFull, "chute full";
        /// The engine's lock is applied.
        2 => ChuteLocked, "chute locked by the engine";
        /// A person locked the chute on the spot.
        3 => LocalLock, "chute locked locally";
        /// The chute is jammed.
        4 => ChuteJammed, "chute jammed";
        /// The chute is switched off.
        5 => ChuteDisabled, "chute disabled";
        /// No bag or cage is in place.
        6 => NoBag, "no bag";
        /// The shutter is closed.
        7 => ShutterClosed, "shutter closed";
        /// Too near to its neighbour to be diverted alone.
        8 => Gap, "gap too small";
        /// The track was not at discharge speed.
        9 => Speed, "speed outside limits";
        /// The order came when the parcel had passed the point of no return.
        10 => Late, "too late";
        /// The divert or carrier did not act.
        11 => Actuator, "actuator fault";
        /// The parcel was not where it should be.
        12 => NotThere, "item not there";
    }
}

closed_list! {
    /// What became of a command (event 11).
    Answer {
        /// The command is now the PLC's to carry out.
        0 => Accepted, "accepted";
        /// The item is not known, or no longer.
        1 => NoSuchItem, "no such item";
        /// The parcel is past the commit point.
        2 => Late, "too late";
        /// A chute number that does not exist here.
        3 => BadChute, "bad chute";
        /// A revision equal to or older than the one held.
        4 => OldRevision, "old revision";
        /// An accepted order was not carried out before its encoder value.
        5 => Expired, "expired";
        /// The item is known, but in another cell.
        6 => WrongCell, "wrong cell";
        /// The slot is whole but its type or a field is not in the contract.
        7 => NotUnderstood, "not understood";
        /// The mode (manual, maintenance) does not permit it.
        8 => WrongMode, "not in this mode";
        /// The carrier is disabled.
        9 => CarrierDisabled, "carrier disabled";
    }
}

closed_list! {
    /// Why a chute is not open (event 12, chute levels).
    ChuteCause {
        /// It is open.
        0 => Open, "open";
        /// The full eye has been covered for its holding time.
        1 => Full, "full";
        /// An eye sees a parcel that does not move.
        2 => Jam, "jam";
        /// A person locked it on the spot; only a person opens it.
        3 => LocalLock, "locked locally";
        /// The engine's lock is applied.
        4 => EngineLock, "locked by the engine";
        /// No bag or cage is in place.
        5 => NoBag, "no bag";
        /// The shutter is closed.
        6 => Shutter, "shutter closed";
        /// The divert, a drive or an eye has failed.
        7 => Fault, "fault";
        /// The safety circuit of this section is open.
        8 => Safety, "safety circuit open";
        /// A bag is being changed.
        9 => BagChange, "bag change";
        /// A full eye is on although nothing was dropped.
        10 => EyeStuck, "eye stuck";
    }
}

closed_list! {
    /// Why an induction stands (event 14, induction levels).
    StopCause {
        /// It runs.
        0 => Running, "running";
        /// The engine asked for it.
        1 => EngineStop, "stopped by the engine";
        /// No engine: its heartbeat is lost, or none is granted or ready.
        2 => LinkLost, "no engine";
        /// The track does not run.
        3 => TrackStopped, "track stopped";
        /// A person stopped it on the spot.
        4 => LocalStop, "stopped locally";
        /// Tracking is not valid.
        5 => NotHomed, "tracking not valid";
        /// A drive or an eye has failed.
        6 => Fault, "fault";
        /// The safety circuit of this section is open.
        7 => Safety, "safety circuit open";
    }
}

closed_list! {
    /// Why the PLC no longer knows what lies where (event 16).
    ResetCause {
        /// No cause given.
        0 => Unstated, "no cause given";
        /// Power-up.
        1 => PowerUp, "power-up";
        /// The homing mark did not come where it should.
        2 => HomingLost, "homing lost";
        /// The encoder failed.
        3 => Encoder, "encoder fault";
        /// A person cleared the tracking.
        4 => Cleared, "cleared by hand";
        /// The PLC programme was changed.
        5 => ProgrammeChanged, "programme changed";
    }
}

closed_list! {
    /// Why a carrier takes no more parcels (event 19).
    DisableCause {
        /// No cause given.
        0 => Unstated, "no cause given";
        /// The engine asked for it.
        1 => EngineOrder, "disabled by the engine";
        /// Too many failed discharges.
        2 => Failures, "too many failures";
        /// Still occupied after its discharge.
        3 => NotEmpty, "not empty after discharge";
        /// A person disabled it on the spot.
        4 => Local, "disabled locally";
    }
}

macro_rules! bit_set {
    ($(#[$outer:meta])* $name:ident($word:ty) {
        $($(#[$inner:meta])* $bit:literal => $flag:ident;)*
    }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name(pub $word);

        impl $name {
            $($(#[$inner])* pub const $flag: Self = Self(1 << $bit);)*

            /// Whether every bit of `other` is set here.
            #[must_use]
            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// These bits with those of `other` set or cleared.
            #[must_use]
            pub const fn with(self, other: Self, set: bool) -> Self {
                Self(if set { self.0 | other.0 } else { self.0 & !other.0 })
            }

            /// The bits of both.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }
    };
}

bit_set! {
    /// State of the track and of the mailbox (status register 5; bits 0 to 5 also in event 15).
    StatusBits(u16) {
        /// The track runs.
        0 => RUN;
        /// The track is at its set speed.
        1 => AT_SPEED;
        /// The safety circuit is open.
        2 => SAFETY_TRIPPED;
        /// Tracking is valid.
        3 => HOMED;
        /// Automatic mode.
        4 => AUTO;
        /// The PLC is running the track empty.
        5 => EMPTYING;
        /// The engine's heartbeat was lost; stays until the engine says that it has seen this.
        6 => LINK_LOST;
        /// Events were lost; stays until the next inventory is latched.
        7 => OVERFLOW;
        /// An engine says that the configurations differ.
        8 => CONFIG_MISMATCH;
        /// More events wait behind the window.
        9 => MORE_EVENTS;
        /// The grant is area B's (else A's).
        10 => GRANTED_B;
    }
}

bit_set! {
    /// State of a chute (levels and event 12).
    ChuteBits(u16) {
        /// Switched on.
        0 => ENABLED;
        /// The half eye is covered.
        1 => HALF;
        /// The full eye is covered, for its holding time.
        2 => FULL;
        /// Jammed.
        3 => JAM;
        /// A bag or cage is in place.
        4 => BAG_PRESENT;
        /// The shutter is closed.
        5 => SHUTTER_CLOSED;
        /// Locked by a person on the spot.
        6 => LOCAL_LOCK;
        /// A device has failed.
        7 => FAULT;
        /// The engine's lock is applied: nothing more will be dropped.
        8 => LOCK_APPLIED;
    }
}

bit_set! {
    /// State of an induction (levels and event 14).
    InductionBits(u16) {
        /// Switched on.
        0 => ENABLED;
        /// Running.
        1 => RUNNING;
        /// Running at the slow rate.
        2 => SLOW;
        /// A parcel waits for a free cell.
        3 => WAITING;
        /// A device has failed.
        4 => FAULT;
        /// Stopped by a person on the spot.
        5 => LOCAL_STOP;
    }
}

bit_set! {
    /// State of a cell in the inventory (low byte; the lap is in the high byte).
    CellBits(u8) {
        /// An item lies here.
        0 => OCCUPIED;
        /// The carrier takes no parcels.
        1 => DISABLED;
        /// The item has an accepted order.
        2 => ORDERED;
    }
}

bit_set! {
    /// How well a discharge is known (event 4).
    Quality(u8) {
        /// The divert or carrier was actuated.
        0 => ACTUATED;
        /// The carrier or window was seen empty afterwards.
        1 => SEEN_EMPTY;
        /// The chute's eye saw the parcel.
        2 => CHUTE_EYE;
    }
}

bit_set! {
    /// What the engine says about itself (header register 7). Bits 4 to 6 are the mailbox's own.
    EngineBits(u16) {
        /// Ready to sort: inductions may run.
        0 => READY;
        /// Running with a part missing.
        1 => DEGRADED;
        /// Asks the PLC to run the track empty.
        2 => EMPTYING_REQUEST;
        /// Takes no decisions (shadow running).
        3 => DECIDE_OFF;
        /// Has seen the PLC's `LINK_LOST` bit.
        4 => LOSS_SEEN;
        /// Found another configuration in the info block than its own, and claims nothing.
        5 => CONFIG_MISMATCH;
        /// Gives its grant back.
        6 => RELEASING;
    }
}

impl StatusBits {
    /// The bits that are the plant's; the others are the mailbox's.
    pub const PLANT: Self = Self(0x003F);
}

impl EngineBits {
    /// The bits that are the engine's to choose; the others are the mailbox's.
    pub const CHOSEN: Self = Self(0x000F);
}
