//! The `sorthub` command.
fn main() {}
