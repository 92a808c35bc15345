//! What names and sentences are made of.

/// The parts of a name in lower case: `MIN_SNR`, `minSnr` and `min_snr` are `min` and `snr`. Of a sentence, its words.
pub(crate) fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_alphabetic() {
            let is_next_small = letters.peek().is_some_and(|next| next.is_lowercase());
            let begins = !before.is_alphabetic()
                || (letter.is_uppercase() && (before.is_lowercase() || is_next_small));
            if begins {
                parts.push(String::new());
            }
            if let Some(part) = parts.last_mut() {
                part.extend(letter.to_lowercase());
            }
        }
        before = letter;
    }
    parts
}

/// Whether some parts follow each other in others.
pub(crate) fn contains(all: &[String], some: &[String]) -> bool {
    !some.is_empty() && all.windows(some.len()).any(|window| window == some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_whatever_their_case() {
        for name in ["min_line_snr", "MIN_LINE_SNR", "MinLineSnr", "min_lineSNR", "Min line SNR."] {
            assert_eq!(parts(name), ["min", "line", "snr"], "{name}");
        }
        assert_eq!(parts("SNRFloor x2"), ["snr", "floor", "x"]);
        assert_eq!(parts("_"), Vec::<String>::new());
    }

    #[test]
    fn parts_are_found_in_their_order() {
        let all = parts("the known word here");
        assert!(contains(&all, &parts("known word")) && contains(&all, &parts("here")));
        assert!(!contains(&all, &parts("word known")) && !contains(&all, &[]));
    }
}
