//! Live radio: samples that come when they come, from receivers that fail.
//!
//! A [`LiveSource`] gives what has arrived, and says where samples were lost. A [`Supervisor`] runs
//! one in a thread of its own, numbers the samples, watches that they keep coming at the right rate,
//! and opens the source again when it fails. Whoever listens gets [`Block`]s with the index of their
//! first sample, the time when they were received, and a mark where samples are missing: the index
//! goes on over what was lost, so time stays right.
//!
//! | source | |
//! | --- | --- |
//! | [`Replay`] | a recording, at its own speed, a multiple of it, or as fast as possible; standard input |
//! | [`Growing`] | a raw file that another program is writing |
//! | [`RawTcp`], [`RawUdp`] | raw samples over the network |
//! | [`Zmq`] | the ZMQ sinks of GNU Radio |
//! | [`RtlTcp`] | a server of the rtl_tcp protocol |
//! | `Soapy` (feature `soapy`) | any receiver that SoapySDR has a module for |
//! | [`Isolated`] | any of these in a process of its own, which can be killed when it hangs |

mod block;
mod driver_program;
mod event;
mod fault;
mod mirror;
#[cfg(feature = "soapy")]
pub mod soapy;
mod source;
mod source_address;
mod source_kind;
mod sources;
mod stream_time;
mod supervisor;
mod tuning;

pub use block::Block;
pub use driver_program::DriverProgram;
pub use event::{LiveEvent, Outage};
pub use fault::{Fault, FaultKind};
pub use source::{LiveSource, Loss, Opener, Reading};
pub use source_address::{Source, SourceAddress, SourceSettings};
pub use source_kind::SourceKind;
pub use sources::{Growing, Isolated, RawTcp, RawUdp, Replay, RtlTcp, Zmq, serve};
pub use stream_time::{Moment, StreamTime};
pub use supervisor::Supervisor;
pub use supervisor::policy::{OnError, Policy};
pub use tuning::{Gain, Tuning};
