//! What people and hosts want.

use super::Sorter;
use crate::operator::{Command, Refused, Ticket};
use crate::outbox::Outbox;
use crate::signal::Output;

impl Sorter {
    /// Takes a command and answers it.
    pub(super) fn command(&mut self, ticket: Ticket, command: &Command, outbox: &mut Outbox) {
        let answer = self.obey(command, outbox);
        outbox.push(Output::Answered { ticket, answer });
    }

    fn obey(&mut self, command: &Command, outbox: &mut Outbox) -> Result<(), Refused> {
        match *command {
            Command::Activate { version } => self.activate(version, outbox),
            Command::Wave { wave, open } => self.set_wave(wave, open),
            Command::Chute { chute, to } => self.chute_wished(chute, to, outbox),
            Command::Waybill { code, to } => self.waybill(code, to, outbox),
            Command::Parcel { parcel, ref to } => self.parcel(parcel, to, outbox),
            Command::Track { track, to } => self.track_wish(track, to),
            Command::Induction { induction, to } => self.induction_wish(induction, to, outbox),
            Command::Carrier { cell, enabled } => self.carrier_wish(cell, enabled, outbox),
        }
    }
}
