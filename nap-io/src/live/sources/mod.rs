//! The kinds of sources that need no driver in this process.

mod isolated;
mod replay;
mod rtl_tcp;
mod socket;

pub use isolated::{Isolated, serve};
pub use replay::Replay;
pub use rtl_tcp::RtlTcp;
pub use socket::{RawTcp, RawUdp};
