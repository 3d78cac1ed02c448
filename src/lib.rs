//! The live engine.

pub mod cli {
    //! The command line: one file for each command.

    pub mod replay;
}
pub mod journal;
pub mod replay;
