//! From the soft symbols of frames to containers.

pub(super) mod code_extrinsic;
pub(super) mod competing_hypotheses;
pub(super) mod container_search;
pub(super) mod false_message_budget;
pub(super) mod frame_priors;
pub(super) mod known_devices;
pub(super) mod list_decoder;
mod periodicity;
pub(super) mod soft_container;
pub(super) mod symbols;
pub(super) mod template;
pub(super) mod trellis;
pub(super) mod tuning;
