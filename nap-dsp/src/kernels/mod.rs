//! Arithmetic that the stages share.

pub(crate) mod bessel;
pub(crate) mod blocks;
pub(crate) mod fixed_point;
pub(crate) mod lanes;
pub(crate) mod median;
pub(crate) mod sums;
