//! The Rust in the project's pages, compiled and run as documentation tests.
#![cfg(doctest)]

#[doc = include_str!("../README.md")]
pub struct Project;

#[doc = include_str!("../nap-dsp/README.md")]
pub struct NapDsp;

#[doc = include_str!("../nap-phy/README.md")]
pub struct NapPhy;

#[doc = include_str!("../nap-io/README.md")]
pub struct NapIo;
