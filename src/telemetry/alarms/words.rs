//! What each alarm is about, and its words.

use sorthub_core::ids::{CellId, ChuteId, DestId, ScannerId, TrackId};
use sorthub_core::signal::Alarm;

use super::Priority;
use crate::telemetry::hub_view::{ChuteRole, HubView, TrackSite};

/// What an alarm is about. Two occurrences with the same one share a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Parcels left by a chute that they were not ordered to.
    Missort(ChuteId),
    /// Parcels were held or redirected too late: they left by a chute.
    Slipped(ChuteId),
    /// Parcels were lost.
    Lost,
    /// A PLC says nothing.
    LinkLost(TrackId),
    /// A PLC has started anew.
    TrackingReset(TrackId),
    /// There is no room to follow an item.
    TooManyItems,
    /// A chute takes nothing.
    ChuteClosed(ChuteId),
    /// A reject chute takes nothing.
    RejectClosed(ChuteId),
    /// A chute is jammed.
    ChuteJammed(ChuteId),
    /// A chute's diverter fails.
    ChuteFails(ChuteId),
    /// A chute's full eye is stuck.
    EyeStuck(ChuteId),
    /// Carriers of a track are not used.
    CarriersDisabled(TrackId),
    /// Carriers of a track were not empty after their discharge.
    CarrierNotEmpty(TrackId),
    /// A track's encoder stands while its belt runs.
    EncoderStuck(TrackId),
    /// A scanner sends no telegrams.
    ScannerSilent(ScannerId),
    /// A scanner has read nothing of many items in a row.
    NoReadStreak(ScannerId),
    /// A scanner reads less than it did.
    ReadRate(ScannerId),
    /// Orders come too late.
    LateOrders,
    /// Items are missing, or found where none should be.
    Mistracked,
    /// The host answers late or not at all.
    HostSlow,
    /// No chute takes the parcels of a destination.
    DestinationFull(DestId),
    /// A PLC obeys another engine.
    Refused(TrackId),
    /// A PLC is set up for another hub.
    Mismatch(TrackId),
    /// A PLC has lost events.
    EventsLost(TrackId),
    /// A PLC says what the interface does not have.
    Unreadable(TrackId),
    /// The journal cannot be written.
    JournalFailing,
    /// The journal has a gap.
    JournalGap,
    /// There are more alarms than can be read.
    Flood,
}

/// The words of an alarm that do not depend on which device it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Says {
    pub priority: Priority,
    pub cause: &'static str,
    pub mend: &'static str,
}

const fn critical(cause: &'static str, mend: &'static str) -> Says {
    Says {
        priority: Priority::Critical,
        cause,
        mend,
    }
}

const fn high(cause: &'static str, mend: &'static str) -> Says {
    Says {
        priority: Priority::High,
        cause,
        mend,
    }
}

const fn low(cause: &'static str, mend: &'static str) -> Says {
    Says {
        priority: Priority::Low,
        cause,
        mend,
    }
}

impl About {
    /// Whether what the sorter says once lasts until it is seen to be over.
    pub(super) fn lasts(self) -> bool {
        matches!(
            self,
            Self::LinkLost(_)
                | Self::TrackingReset(_)
                | Self::CarriersDisabled(_)
                | Self::EyeStuck(_)
                | Self::ChuteClosed(_)
        )
    }

    /// Priority, cause and mend.
    pub(super) fn says(self) -> Says {
        match self {
            Self::LinkLost(_)
            | Self::TrackingReset(_)
            | Self::Refused(_)
            | Self::Mismatch(_)
            | Self::EventsLost(_)
            | Self::Unreadable(_) => self.of_a_link(),
            Self::ChuteClosed(_)
            | Self::RejectClosed(_)
            | Self::ChuteJammed(_)
            | Self::ChuteFails(_)
            | Self::EyeStuck(_)
            | Self::CarriersDisabled(_)
            | Self::CarrierNotEmpty(_)
            | Self::EncoderStuck(_)
            | Self::ScannerSilent(_)
            | Self::NoReadStreak(_)
            | Self::ReadRate(_) => self.of_a_device(),
            Self::Missort(_)
            | Self::Slipped(_)
            | Self::Lost
            | Self::TooManyItems
            | Self::LateOrders
            | Self::Mistracked
            | Self::HostSlow
            | Self::DestinationFull(_)
            | Self::JournalFailing
            | Self::JournalGap
            | Self::Flood => self.of_the_flow(),
        }
    }

    fn of_a_link(self) -> Says {
        match self {
            Self::TrackingReset(_) => high(
                "The PLC restarted, or lost its homing.",
                "Keep parcels on the belt: each is known again once it is read.",
            ),
            Self::Refused(_) => critical(
                "Another engine holds the grant, or held it and had a later run than this one.",
                "Stop the other engine, or let it sort. If there is none, start on its journal; \
                 if that is lost, start once with --after-run and the number of its last run, \
                 or one that surely is higher.",
            ),
            Self::Mismatch(_) => critical(
                "The PLC's configuration or its programme is not the one of the hub file.",
                "Load the hub file that belongs to the PLC, or the PLC's own configuration.",
            ),
            Self::EventsLost(_) => high(
                "The engine was away for longer than the PLC can keep events.",
                "Nothing: its inventory was asked for. Count what left meanwhile at the chutes.",
            ),
            Self::Unreadable(_) => high(
                "The PLC's programme does not keep to the interface.",
                "Compare its map version and devices with the hub file; the log has the slot.",
            ),
            _ => critical(
                "The PLC, its switch or its cable has no power, or the network is cut.",
                "Check the PLC and its network; sorting goes on by itself once it answers.",
            ),
        }
    }

    fn of_a_device(self) -> Says {
        match self {
            Self::ChuteClosed(_) => high(
                "Nobody empties it, or it was locked and forgotten.",
                "Empty it and let it open again; until then its parcels go round.",
            ),
            Self::RejectClosed(_) => critical(
                "It is full, jammed, locked or out of service, as the text says.",
                "See to it and open it again; what cannot be sorted has nowhere to go.",
            ),
            Self::ChuteJammed(_) => high(
                "Parcels are stuck in it.",
                "Stop the chute, free the parcels, and reset it at its panel.",
            ),
            Self::ChuteFails(_) => high(
                "Its diverter or the air to it fails: several carriers could not unload there.",
                "Disable the chute, then look at its diverter.",
            ),
            Self::EyeStuck(_) => high(
                "Its full eye is dirty, moved, or covered by what is no parcel.",
                "Look at the eye and wipe it; once it is clear the chute is used again.",
            ),
            Self::CarriersDisabled(_) => low(
                "They failed to unload at several chutes, or a person said so.",
                "Look at them at the next stop, mend them, and enable them again.",
            ),
            Self::CarrierNotEmpty(_) => high(
                "A parcel sticks to the carrier, or two lay on it.",
                "Nothing at once: it is read again. Look at the carrier if it comes often.",
            ),
            Self::EncoderStuck(_) => critical(
                "The encoder, its wheel or its cable has failed.",
                "Stop the track at its panel and mend the encoder; nothing is sent meanwhile.",
            ),
            Self::ScannerSilent(_) => high(
                "The scanner or its link has failed.",
                "Check its power, its link and its trigger; then start the track.",
            ),
            Self::NoReadStreak(_) => high(
                "Its window is dirty, its light is out, or the labels are the wrong way up.",
                "Clean it, look at its picture, and see how parcels are put on.",
            ),
            _ => low(
                "A dirty window, a failing light, or worse labels than usual.",
                "Clean it and look at its pictures.",
            ),
        }
    }

    fn of_the_flow(self) -> Says {
        match self {
            Self::Missort(_) => high(
                "The diverter acted late or not at all, or the tracking slipped.",
                "Take it out by hand; check the diverter and the carrier before it.",
            ),
            Self::Slipped(_) => high(
                "The hold or the new destination came when the parcel was at its chute.",
                "Take it out of the chute by hand before it is loaded.",
            ),
            Self::Lost => high(
                "It fell off, was taken off, or an eye missed it.",
                "Look beside the belt and under the last eye that saw it.",
            ),
            Self::TooManyItems => critical(
                "More parcels are followed or sought than there are places.",
                "Pause the inductions until the sorter has emptied.",
            ),
            Self::LateOrders => high(
                "Scanners, hosts or links are too slow for the way that is left to the chutes.",
                "Look at the delays of scanners and links; slow the belt if they cannot be mended.",
            ),
            Self::Mistracked => high(
                "An eye is dirty or out of place, parcels slip, or the encoder slips.",
                "Find the eye that most of them are missing at; clean and align it.",
            ),
            Self::HostSlow => high(
                "The host or the network to it is overloaded or down.",
                "Ask who runs the host; until then the plan's rules or the exception chute decide.",
            ),
            Self::DestinationFull(_) => low(
                "Its chutes are full, closed or out of service.",
                "Empty them or name another chute in the plan; its parcels go round meanwhile.",
            ),
            Self::JournalFailing => critical(
                "The disk is full or broken.",
                "Make room or change the disk; sorting goes on, but what happens is not kept.",
            ),
            Self::JournalGap => high(
                "The disk was away or too slow for longer than the queue lasts.",
                "Look at the disk; reports that touch the gap say so.",
            ),
            _ => high(
                "Usually one fault that shows everywhere: power, network, or a stopped belt.",
                "Look at the critical ones first; the others come again once they can be read.",
            ),
        }
    }
}

/// What devices are called.
#[derive(Debug)]
pub(super) struct Names {
    tracks: Vec<TrackSite>,
    scanners: Vec<(String, TrackId)>,
    chutes: Vec<(String, ChuteRole)>,
}

impl Names {
    pub fn set_roles(&mut self, roles: &[ChuteRole]) {
        for ((_, role), new) in self.chutes.iter_mut().zip(roles) {
            *role = *new;
        }
    }

    pub fn new(hub: &HubView) -> Self {
        let scanners = hub.scanners.iter();
        let chutes = hub.chutes.iter().map(|c| (c.name.clone(), c.role));
        Self {
            tracks: hub.tracks.clone(),
            scanners: scanners
                .map(|s| (s.name.clone(), TrackId(s.track)))
                .collect(),
            chutes: chutes.collect(),
        }
    }

    /// What the sorter's alarm is about, and its text.
    pub fn of(&self, alarm: &Alarm) -> (About, String) {
        match *alarm {
            Alarm::Missort { parcel, went, .. } => {
                let text = format!("Parcel {parcel} left by {}", self.chute(went));
                (About::Missort(went), text)
            }
            Alarm::Slipped { parcel, went, why } => {
                let went_to = self.chute(went);
                let text =
                    format!("Parcel {parcel} left by {went_to} though it was stopped: {why}");
                (About::Slipped(went), text)
            }
            Alarm::Lost { parcel } => {
                let text = format!("Parcel {parcel} was not seen where it had to pass");
                (About::Lost, text)
            }
            Alarm::LinkLost { track } => {
                let text = format!("No word from the PLC of {}", self.track(track));
                (About::LinkLost(track), text)
            }
            Alarm::TrackingReset { track, in_doubt } => {
                let name = self.track(track);
                let text = format!("The PLC of {name} has lost {in_doubt} parcels");
                (About::TrackingReset(track), text)
            }
            Alarm::TooManyItems { .. } => {
                let text = "An item is not followed: there is no room for it".to_owned();
                (About::TooManyItems, text)
            }
            Alarm::CarrierDisabled { cell, .. } => {
                let (track, name) = self.cell(cell);
                (
                    About::CarriersDisabled(track),
                    format!("{name} is used no more"),
                )
            }
            Alarm::CarrierNotEmpty { cell } => {
                let (track, name) = self.cell(cell);
                let text = format!("{name} was not empty after its discharge");
                (About::CarrierNotEmpty(track), text)
            }
            Alarm::ChuteFails { chute } => {
                let text = format!("{} fails to take parcels", self.chute(chute));
                (About::ChuteFails(chute), text)
            }
            Alarm::EyeStuck { chute } => {
                let text = format!("The full eye of {} is stuck", self.chute(chute));
                (About::EyeStuck(chute), text)
            }
            Alarm::LockedLong { chute } => {
                let text = format!("{} has taken nothing for 3 minutes", self.chute(chute));
                (About::ChuteClosed(chute), text)
            }
            Alarm::NoReadStreak { scanner } => {
                let text = format!("{} has read nothing for a while", self.scanner(scanner));
                (About::NoReadStreak(scanner), text)
            }
        }
    }

    pub fn track(&self, track: TrackId) -> &str {
        self.tracks.get(track.index()).map_or("?", |t| &t.name)
    }

    pub fn scanner(&self, scanner: ScannerId) -> &str {
        let scanner = self.scanners.get(scanner.index());
        scanner.map_or("?", |(name, _)| name)
    }

    pub fn chute(&self, chute: ChuteId) -> &str {
        self.chutes.get(chute.index()).map_or("?", |(name, _)| name)
    }

    pub fn is_reject(&self, chute: ChuteId) -> bool {
        let chute = self.chutes.get(chute.index());
        chute.is_some_and(|(_, role)| *role == ChuteRole::Reject)
    }

    /// The track of a carrier or window, and what it is called.
    fn cell(&self, cell: CellId) -> (TrackId, String) {
        let at = self
            .tracks
            .iter()
            .position(|track| (track.first_cell..track.first_cell + track.cells).contains(&cell.0));
        let Some(at) = at else {
            return (TrackId(0), format!("Carrier {}", cell.0));
        };
        let track = &self.tracks[at];
        let own = cell.0 - track.first_cell;
        let name = format!("Carrier {own} of {}", track.name);
        (TrackId(at as u16), name)
    }
}
