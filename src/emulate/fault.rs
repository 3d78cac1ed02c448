//! Faults on a timetable: what goes wrong in a virtual hub, and when.

use std::str::FromStr;

use sorthub_core::hub::Hub;
use sorthub_core::units::Micros;

/// Something that goes wrong for a while. Times are the hub's own: with a faster clock they come
/// sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// Which track or scanner, from 0 in the order of the hub file.
    pub device: usize,
    /// When it begins.
    pub at: Micros,
    /// How long it lasts.
    pub lasts: Micros,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The PLC of a track dies: its sockets close, its belt stands, its memory is gone. At the end
    /// it boots, and somebody starts the belt.
    PlcRestart,
    /// The connection to a scanner is cut; telegrams meanwhile are lost.
    ScannerCut,
    /// The belt of a track stops by its ramp, and runs again at the end.
    BeltStop,
    /// The PLC's network is gone; PLC and belt go on.
    PlcCut,
}

const KINDS: &[(&str, FaultKind)] = &[
    ("plc-restart", FaultKind::PlcRestart),
    ("scanner-cut", FaultKind::ScannerCut),
    ("belt-stop", FaultKind::BeltStop),
    ("plc-cut", FaultKind::PlcCut),
];

/// Why a fault's text is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Not of the form.
    #[error(
        "`{0}` is not a fault: write KIND[:DEVICE]@START+LENGTH, for example \
         `belt-stop@20s+60s` or `scanner-cut:2@500ms+3s`"
    )]
    Form(String),
    /// An unknown kind.
    #[error("`{0}` is no kind of fault: use plc-restart, plc-cut, scanner-cut or belt-stop")]
    Kind(String),
    /// The hub has no such device.
    #[error("there is no {what} {number}: the hub has {count}, counted from 1")]
    Device {
        /// Track or scanner.
        what: &'static str,
        /// As given.
        number: usize,
        /// How many there are.
        count: usize,
    },
}

impl FromStr for Fault {
    type Err = FaultError;

    /// Reads `KIND[:DEVICE]@START+LENGTH`; devices count from 1 and the first is meant without.
    fn from_str(text: &str) -> Result<Self, FaultError> {
        let form = || FaultError::Form(text.to_owned());
        let (what, when) = text.split_once('@').ok_or_else(form)?;
        let (start, length) = when.split_once('+').ok_or_else(form)?;
        let (kind, device) = match what.split_once(':') {
            Some((kind, device)) => (kind, device.parse::<usize>().map_err(|_| form())?),
            None => (what, 1),
        };
        let found = KINDS.iter().find(|(name, _)| *name == kind);
        let (_, kind) = found.ok_or_else(|| FaultError::Kind(kind.to_owned()))?;
        Ok(Self {
            kind: *kind,
            device: device.checked_sub(1).ok_or_else(form)?,
            at: duration(start).ok_or_else(form)?,
            lasts: duration(length).ok_or_else(form)?,
        })
    }
}

impl Fault {
    /// Checks that the hub has the device.
    ///
    /// # Errors
    /// If it has not.
    pub fn check(&self, hub: &Hub) -> Result<(), FaultError> {
        let (what, count) = match self.kind {
            FaultKind::ScannerCut => ("scanner", hub.scanners().len()),
            _ => ("track", hub.tracks().len()),
        };
        if self.device < count {
            return Ok(());
        }
        Err(FaultError::Device {
            what,
            number: self.device + 1,
            count,
        })
    }
}

/// `20s`, `1500ms`, `1m` or `1h` as a span.
#[must_use]
pub fn duration(text: &str) -> Option<Micros> {
    let units = [
        ("ms", 1_000),
        ("s", 1_000_000),
        ("m", 60_000_000),
        ("h", 3_600_000_000_u64),
    ];
    let (number, unit) = units
        .iter()
        .find_map(|(unit, us)| Some((text.strip_suffix(unit)?, us)))?;
    number.parse::<u64>().ok()?.checked_mul(*unit).map(Micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read() {
        let fault: Fault = "scanner-cut:2@500ms+3s".parse().unwrap();
        assert_eq!(fault.kind, FaultKind::ScannerCut);
        assert_eq!(
            (fault.device, fault.at.0, fault.lasts.0),
            (1, 500_000, 3_000_000)
        );
        let fault: Fault = "belt-stop@1m+1h".parse().unwrap();
        assert_eq!((fault.device, fault.at.0), (0, 60_000_000));
    }

    #[test]
    fn what_is_no_fault_says_so() {
        for text in [
            "",
            "belt-stop",
            "belt-stop@3s",
            "belt-stop:0@1s+1s",
            "belt-stop@3+4s",
        ] {
            let refused = text.parse::<Fault>();
            assert!(
                matches!(refused, Err(FaultError::Form(_))),
                "{text}: {refused:?}"
            );
        }
        assert!(matches!(
            "fire@1s+1s".parse::<Fault>(),
            Err(FaultError::Kind(_))
        ));
    }
}
