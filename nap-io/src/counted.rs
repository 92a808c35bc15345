//! Numbers of things, as people read them.

use std::fmt::Display;

/// A number with the noun that it counts: `1 message`, `2 messages`.
///
/// ```
/// assert_eq!(nap_io::counted(1, "frame"), "1 frame");
/// assert_eq!(nap_io::counted(0, "frame"), "0 frames");
/// ```
pub fn counted(count: impl Display + From<u8> + PartialEq, noun: &str) -> String {
    let ending = if count == From::from(1) { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
