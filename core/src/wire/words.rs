//! Words of the link and words of the sorter for the same thing.

use crate::plc::{
    self, Answer, ChuteBits, ChuteCause, InductionBits, InductionWish, NotDischargedCause,
    StopCause,
};
use crate::running::{Feeding, Pace, Standstill};
use crate::signal::{ChuteState, OrderAnswer, Refusal};

/// The bits of a chute that says this of itself.
#[must_use]
pub fn chute_bits(state: ChuteState) -> (ChuteBits, ChuteCause) {
    let bits = ChuteBits::default()
        .with(ChuteBits::ENABLED, state.enabled)
        .with(ChuteBits::HALF, state.half)
        .with(ChuteBits::FULL, state.full)
        .with(ChuteBits::JAM, state.jammed)
        .with(ChuteBits::LOCAL_LOCK, state.locked)
        .with(ChuteBits::LOCK_APPLIED, state.lock_applied);
    let cause = match state.closed_because() {
        None => ChuteCause::Open,
        Some(Refusal::Full) => ChuteCause::Full,
        Some(Refusal::Jammed) => ChuteCause::Jam,
        Some(Refusal::Locked) if state.locked => ChuteCause::LocalLock,
        Some(Refusal::Locked) => ChuteCause::EngineLock,
        Some(_) => ChuteCause::Fault,
    };
    (bits, cause)
}

/// What the bits of a chute say.
#[must_use]
pub fn chute_state(bits: ChuteBits) -> ChuteState {
    ChuteState {
        enabled: bits.has(ChuteBits::ENABLED) && !bits.has(ChuteBits::FAULT),
        half: bits.has(ChuteBits::HALF),
        full: bits.has(ChuteBits::FULL),
        jammed: bits.has(ChuteBits::JAM),
        locked: bits.has(ChuteBits::LOCAL_LOCK) || bits.has(ChuteBits::SHUTTER_CLOSED),
        lock_applied: bits.has(ChuteBits::LOCK_APPLIED),
    }
}

/// The PLC's word for an answer to an order.
#[must_use]
pub fn answer(answer: OrderAnswer) -> Answer {
    match answer {
        OrderAnswer::Accepted => Answer::Accepted,
        OrderAnswer::NoSuchItem => Answer::NoSuchItem,
        OrderAnswer::Late => Answer::Late,
        OrderAnswer::BadChute => Answer::BadChute,
        OrderAnswer::OldRevision => Answer::OldRevision,
        OrderAnswer::WrongEpoch => Answer::WrongMode,
        OrderAnswer::Expired => Answer::Expired,
    }
}

pub(super) fn order_answer(answer: Answer) -> OrderAnswer {
    match answer {
        Answer::Accepted => OrderAnswer::Accepted,
        Answer::NoSuchItem | Answer::WrongCell => OrderAnswer::NoSuchItem,
        Answer::Late => OrderAnswer::Late,
        Answer::BadChute => OrderAnswer::BadChute,
        Answer::OldRevision => OrderAnswer::OldRevision,
        Answer::Expired => OrderAnswer::Expired,
        // The order stands nowhere, and why is not about the chute: find another way.
        Answer::NotUnderstood | Answer::WrongMode | Answer::CarrierDisabled | Answer::Other(_) => {
            OrderAnswer::WrongEpoch
        }
    }
}

pub(super) fn refusal(cause: NotDischargedCause) -> Refusal {
    match cause {
        NotDischargedCause::ChuteFull => Refusal::Full,
        NotDischargedCause::ChuteLocked
        | NotDischargedCause::LocalLock
        | NotDischargedCause::ShutterClosed
        | NotDischargedCause::NoBag => Refusal::Locked,
        NotDischargedCause::ChuteJammed => Refusal::Jammed,
        NotDischargedCause::ChuteDisabled => Refusal::Disabled,
        NotDischargedCause::Gap | NotDischargedCause::Speed => Refusal::Gap,
        NotDischargedCause::Late => Refusal::Late,
        NotDischargedCause::Unstated
        | NotDischargedCause::Actuator
        | NotDischargedCause::NotThere
        | NotDischargedCause::Other(_) => Refusal::Failed,
    }
}

pub(super) fn not_discharged(cause: Refusal) -> NotDischargedCause {
    match cause {
        Refusal::Full => NotDischargedCause::ChuteFull,
        Refusal::Locked => NotDischargedCause::LocalLock,
        Refusal::Jammed => NotDischargedCause::ChuteJammed,
        Refusal::Disabled => NotDischargedCause::ChuteDisabled,
        Refusal::Late => NotDischargedCause::Late,
        Refusal::Gap => NotDischargedCause::Gap,
        Refusal::Failed => NotDischargedCause::Actuator,
    }
}

/// The PLC's word for how fast an induction may feed.
#[must_use]
pub fn induction_wish(to: Pace, limit_per_h: u16) -> InductionWish {
    InductionWish {
        pace: match to {
            Pace::Run => plc::Pace::Run,
            Pace::Slow => plc::Pace::Slow,
            Pace::Stop => plc::Pace::Stop,
        },
        rate_max_per_h: limit_per_h,
    }
}

pub(super) fn feeding(bits: InductionBits, rate_per_h: u16, cause: StopCause) -> Feeding {
    Feeding {
        runs: bits.has(InductionBits::RUNNING),
        slow: bits.has(InductionBits::SLOW),
        rate_per_h,
        because: match cause {
            StopCause::Running => Standstill::Runs,
            StopCause::EngineStop => Standstill::Asked,
            StopCause::LinkLost => Standstill::NoEngine,
            StopCause::TrackStopped => Standstill::TrackStopped,
            StopCause::LocalStop => Standstill::Locally,
            StopCause::NotHomed => Standstill::NotTracking,
            StopCause::Fault => Standstill::Fault,
            StopCause::Safety => Standstill::Safety,
            StopCause::Other(_) => Standstill::Other,
        },
    }
}
