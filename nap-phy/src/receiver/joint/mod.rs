//! Frames of one message, decoded together.

pub(super) mod carrier_plan;
pub(super) mod fragment;
pub(super) mod groups;
