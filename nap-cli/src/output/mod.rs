//! Results, in the format that the user wants.

mod csv;
pub mod json_lines;
pub mod log;
pub mod names;
pub mod printer;
pub mod rotated_file;
