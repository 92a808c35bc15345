//! Constants that do not say where they come from.

/// The constants of a Rust file, those of types and functions too, tests left out, that have no comment above them and
/// stand in no group that begins with one: each with its line, counted from 1.
pub(crate) fn without_source(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_told = false;
    let shipped = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    for (number, line) in (1..).zip(shipped.map(str::trim_start)) {
        if let Some(name) = constant(line).filter(|_| !is_told) {
            found.push((number, name.to_owned()));
        }
        // A blank line ends a group, and so does the end of anything else.
        is_told = line.starts_with("//") || (is_told && !line.is_empty() && line != "}");
    }
    found
}

/// The name of the constant that a line defines.
fn constant(line: &str) -> Option<&str> {
    let definition = line.strip_prefix("pub").map_or(line, |rest| {
        rest.strip_prefix('(')
            .and_then(|rest| Some(rest.split_once(')')?.1))
            .unwrap_or(rest)
            .trim_start()
    });
    let name = definition.strip_prefix("const ")?.split(':').next()?;
    name.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '_').then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_say_where_they_come_from() {
        let text = "//! A file.\n\nuse a::B;\n\nconst LOST: f64 = 1.0;\n/// Told.\nconst TOLD: f64 = 2.0;\n\
            const WITH_IT: f64 =\n    3.0;\n\npub(super) const ALONE: u8 = 4;\n/// Told.\npub const X1: u8 = 5;\n\n\
            pub const fn of() {}\nfn f() {\n    const INSIDE: u8 = 7;\n}\n#[cfg(test)]\nconst OF_TESTS: u8 = 6;\n";
        let found = without_source(text);
        assert_eq!(
            found,
            [(5, "LOST".to_owned()), (11, "ALONE".to_owned()), (17, "INSIDE".to_owned())]
        );
    }
}
