//! What people had said to the run before is said again, before anything else happens: a held
//! parcel is not sorted onwards, and nobody is let onto a track that is being worked on, because an
//! engine was started anew.

use std::time::Duration;

use sorthub_core::signal::Signal;

use super::Decider;
use crate::journal::WORDS_SAID;
use crate::replay::{Former, Words};

/// After so many words the journal may catch up: its queue holds many more.
const WORDS_AT_ONCE: usize = 1_024;

const LOOK_EVERY: Duration = Duration::from_millis(1);

impl Decider {
    /// Says it, each word as a command in this run's journal, and notes there that all is said.
    pub(super) fn say_again(&mut self, former: &Former) {
        for (code, text) in &former.texts {
            self.recorder.text(*code, text);
        }
        let note = format!("said to run {}, which ended", former.run);
        for words in former.words.chunks(WORDS_AT_ONCE) {
            for &command in words {
                let answer = self.obey(&note, command);
                if let Some(Err(why)) = answer {
                    let word = Words::new(self.hub()).command(&command);
                    tracing::warn!(word, %why, run = former.run, "does not stand any more");
                }
            }
            let told = self.tell(Signal::Tick, None);
            self.recorder.wake();
            let journal = self.recorder.watch();
            while self.broken().is_none() && !journal.may_acknowledge(told) {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        // The first run of all had nothing to hear.
        if former.run > 0 {
            self.recorder.note(WORDS_SAID, &note);
        }
    }
}
