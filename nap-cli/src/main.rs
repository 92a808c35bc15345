//! The nap command.
fn main() {}
