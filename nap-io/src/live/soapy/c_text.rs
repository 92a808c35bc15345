//! What may be handed to a driver as a text.

use crate::error::Error;

/// Refuses a text for the radio of these arguments that C would cut short, and on which SoapySDR's Rust binding
/// panics.
pub(super) fn check<'a>(
    arguments: &str,
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<(), Error> {
    let Some(text) = texts.into_iter().find(|text| text.contains('\0')) else { return Ok(()) };
    let problem = format!("no driver takes a text with a NUL in it, as {text:?} has; take it out");
    Err(Error::refused(arguments.replace('\0', "\\0"), problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_refused() {
        assert!(check("driver=x", ["driver=x", "key", ""]).is_ok());
        let text = check("driver=x\0y", ["key", "a\0b"]).unwrap_err().to_string();
        assert!(text.contains("driver=x\\0y") && text.contains(r#""a\0b""#), "{text}");
    }
}
