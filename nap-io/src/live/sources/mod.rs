//! The kinds of sources that need no driver in this process.

pub(crate) mod isolated;
pub(crate) mod replay;
pub(crate) mod rtl_tcp;
pub(crate) mod socket;

pub use isolated::{Isolated, serve};
pub use replay::Replay;
pub use rtl_tcp::RtlTcp;
pub use socket::{RawTcp, RawUdp};
