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

    fn obey(&mut self, command: &Command, _outbox: &mut Outbox) -> Result<(), Refused> {
        match *command {
            Command::Activate { .. }
            | Command::Wave { .. }
            | Command::Chute { .. }
            | Command::Waybill { .. }
            | Command::Parcel { .. }
            | Command::Track { .. }
            | Command::Induction { .. }
            | Command::Carrier { .. } => Err(Refused::NotNow),
        }
    }
}
