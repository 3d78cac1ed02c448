//! What the papers say of parcels, and what devices see that is not on them: pure functions of the
//! seed and the parcel's number, like everything about a parcel.

use sorthub_core::facts::{Measures, Verdict};
use sorthub_core::units::{Grams, Mm};

use super::parcel::Parcels;
use crate::random::{Purpose, Stream};

/// The streams that only papers need.
#[derive(Clone, Debug)]
pub(super) struct Papers {
    widths: Stream,
    heights: Stream,
    advices: Stream,
    declarations: Stream,
    verdicts: Stream,
}

impl Papers {
    pub fn new(seed: u64) -> Self {
        let stream = |purpose| Stream::new(seed, purpose, 0);
        Self {
            widths: stream(Purpose::Width),
            heights: stream(Purpose::Height),
            advices: stream(Purpose::Advice),
            declarations: stream(Purpose::Declaration),
            verdicts: stream(Purpose::Verdict),
        }
    }
}

/// Whether a number's draw falls into a share.
fn falls(stream: &Stream, number: u64, ppm: u32) -> bool {
    ppm > 0 && stream.below(number, 1_000_000) < u64::from(ppm)
}

impl Parcels {
    /// Whether pre-advice of a parcel was sent.
    #[inline]
    #[must_use]
    pub fn is_advised(&self, number: u64) -> bool {
        !falls(&self.papers.advices, number, self.plant().unadvised_ppm)
    }

    /// What its sender has declared: the truth or, for a share of the parcels, half of the mass
    /// and of each side. Nothing, if senders declare nothing.
    #[must_use]
    pub fn declared(&self, number: u64) -> Measures {
        let Some(wrong_ppm) = self.plant().misdeclared_ppm else {
            return Measures::default();
        };
        let real = self.measured(number, self.traits(number).mass);
        if !falls(&self.papers.declarations, number, wrong_ppm) {
            return real;
        }
        Measures {
            weight: Grams(real.weight.0 / 2),
            length: Mm(real.length.0 / 2),
            width: Mm(real.width.0 / 2),
            height: Mm(real.height.0 / 2),
        }
    }

    /// What a scale and a volume scanner measure. Sides are only measured where all are described.
    #[inline]
    #[must_use]
    pub(super) fn measured(&self, number: u64, weight: Grams) -> Measures {
        let plant = self.plant();
        let sides = match (self.row(number), plant.width, plant.height) {
            (Some(row), ..) => Some(row.size),
            (None, Some(width), Some(height)) => Some([
                self.traits(number).length,
                Mm(self.papers.widths.between(number, width.0.0, width.1.0)),
                Mm(self.papers.heights.between(number, height.0.0, height.1.0)),
            ]),
            _ => None,
        };
        let [length, width, height] = sides.unwrap_or_default();
        let measured = Measures {
            weight,
            length,
            width,
            height,
        };
        measured.longest_first()
    }

    /// What an X-ray machine says of a parcel; nothing, if there is none.
    #[inline]
    #[must_use]
    pub(super) fn verdict(&self, number: u64) -> Verdict {
        match self.plant().suspect_ppm {
            None => Verdict::None,
            Some(ppm) if falls(&self.papers.verdicts, number, ppm) => Verdict::Suspect,
            Some(_) => Verdict::Clear,
        }
    }
}
