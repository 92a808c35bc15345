//! Which library this is.

use core::ffi::{CStr, c_char};

/// The version of the binary interface. It changes when a program that was built with an older header would no
/// longer work with the library; what is only added does not change it.
pub const NAP_ABI_VERSION: u32 = 1;

/// The version of the library as text.
const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The version of the binary interface that the library has; compare it with `NAP_ABI_VERSION` of the header.
#[unsafe(no_mangle)]
pub extern "C" fn nap_abi_version() -> u32 {
    NAP_ABI_VERSION
}

/// The version of the library, such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn nap_version() -> *const c_char {
    VERSION.as_ptr()
}
