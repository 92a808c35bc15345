//! The version of the records' schema.

/// Version of the records' schema.
pub const SCHEMA: u16 = 1;
