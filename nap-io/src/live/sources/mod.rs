//! The kinds of sources that need no driver in this process.

pub(crate) mod datagrams;
pub(crate) mod growing;
pub(crate) mod isolated;
pub(crate) mod replay;
pub(crate) mod rtl_tcp;
mod sequence_number;
pub(crate) mod socket;
pub(crate) mod zmq;
mod zmtp;

pub use datagrams::RawUdp;
pub use growing::Growing;
pub use isolated::{Isolated, serve};
pub use replay::Replay;
pub use rtl_tcp::RtlTcp;
pub use socket::RawTcp;
pub use zmq::Zmq;
