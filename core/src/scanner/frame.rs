//! Frames in a stream of bytes.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Longest frame in bytes. Camera tunnels send up to a few hundred; what is longer is noise.
pub const FRAME_MAX: usize = 1_024;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

/// How frames are told apart in the stream of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Framing {
    /// Between STX (02h) and ETX (03h); bytes outside are noise.
    StxEtx,
    /// Each ends with CR LF, or with either alone.
    CrLf,
}

/// Why bytes were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// Bytes outside a frame.
    Noise,
    /// A frame began before the one before it had ended.
    Cut,
    /// A frame was longer than any scanner sends.
    TooLong,
}

/// Finds frames in bytes, however they are cut.
#[derive(Debug)]
pub struct Framer {
    framing: Framing,
    frame: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the start of a frame; for line framing there is no such state.
    Outside,
    Inside,
    /// In a frame that was too long, until it ends.
    Skipping,
}

impl Framer {
    /// A framer at the start of a connection.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        let mut framer = Self {
            framing,
            frame: Vec::with_capacity(FRAME_MAX),
            state: State::Outside,
        };
        framer.restart();
        framer
    }

    /// Forgets a half-received frame: the connection is a new one.
    pub fn restart(&mut self) {
        self.frame.clear();
        self.state = match self.framing {
            Framing::StxEtx => State::Outside,
            Framing::CrLf => State::Inside,
        };
    }

    /// Takes bytes as they come; hands every whole frame and every drop to `sink`.
    pub fn push(&mut self, bytes: &[u8], mut sink: impl FnMut(Result<&[u8], Dropped>)) {
        for &byte in bytes {
            match self.framing {
                Framing::StxEtx => self.stx_etx(byte, &mut sink),
                Framing::CrLf => self.cr_lf(byte, &mut sink),
            }
        }
    }

    fn stx_etx(&mut self, byte: u8, sink: &mut impl FnMut(Result<&[u8], Dropped>)) {
        match (self.state, byte) {
            (state, STX) => {
                if state == State::Inside {
                    sink(Err(Dropped::Cut));
                }
                self.frame.clear();
                self.state = State::Inside;
            }
            (State::Inside, ETX) => {
                sink(Ok(&self.frame));
                self.state = State::Outside;
            }
            (State::Inside, _) => self.keep(byte, sink),
            (State::Skipping, ETX) => self.state = State::Outside,
            (State::Skipping, _) => {}
            // Line ends between frames are usual and mean nothing.
            (State::Outside, b'\r' | b'\n' | 0) => {}
            (State::Outside, _) => {
                // A run of noise is one drop, not one for each byte.
                self.state = State::Skipping;
                sink(Err(Dropped::Noise));
            }
        }
    }

    fn cr_lf(&mut self, byte: u8, sink: &mut impl FnMut(Result<&[u8], Dropped>)) {
        match (self.state, byte) {
            (State::Inside, b'\r' | b'\n') => {
                // The LF after a CR ends an empty line, which is nothing.
                if !self.frame.is_empty() {
                    sink(Ok(&self.frame));
                    self.frame.clear();
                }
            }
            (_, b'\r' | b'\n') => self.restart(),
            (State::Inside, _) => self.keep(byte, sink),
            (_, _) => {}
        }
    }

    fn keep(&mut self, byte: u8, sink: &mut impl FnMut(Result<&[u8], Dropped>)) {
        if self.frame.len() < FRAME_MAX {
            self.frame.push(byte);
        } else {
            self.frame.clear();
            self.state = State::Skipping;
            sink(Err(Dropped::TooLong));
        }
    }
}
