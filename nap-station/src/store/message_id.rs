//! The IDs that receivers tell messages and events apart by.

use std::fmt;
use std::str::FromStr;

/// The ID of a message, `<epoch>-<n>`: the same wherever and however often it arrives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerId {
    /// Eight hexadecimal digits: which ledger, on which hardware.
    pub epoch: String,
    /// Counts up from 1.
    pub n: u64,
}

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.n)
    }
}

impl FromStr for LedgerId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (epoch, n) = text.split_once('-').ok_or(())?;
        let is_epoch = epoch.len() == 8 && epoch.bytes().all(|byte| byte.is_ascii_hexdigit());
        let n = n.parse().map_err(|_| ())?;
        if is_epoch { Ok(Self { epoch: epoch.into(), n }) } else { Err(()) }
    }
}
