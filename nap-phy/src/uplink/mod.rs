//! Messages from devices: their meaning and their bits on the air.

pub mod acceptance;
mod airtime;
pub mod container;
pub mod content;
pub mod control;
pub mod convolution;
pub mod crc16;
pub mod frame;
pub mod frame_error;
pub mod frame_type;
pub mod kind;
pub mod length_class;
pub mod message;
pub mod message_counter;
pub mod payload;
pub mod rank;
pub mod sync_word;
