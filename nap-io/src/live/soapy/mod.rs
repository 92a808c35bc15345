//! Radios that SoapySDR has a module for.

mod c_text;
mod confinement;
mod gain;
pub(crate) mod isolation;
mod list;
mod radio;
pub(crate) mod source;
mod stamps;

pub use isolation::drive;
pub use list::{Found, Range, list};
pub use source::Soapy;
