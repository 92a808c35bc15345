//! Old words in a file.

use std::collections::BTreeSet;

use crate::list::{Entry, List, Old};
use crate::parts::{contains, parts};
use crate::sources::Source;

/// Every old word that a file says, a line each, in their order.
pub(crate) fn findings(list: &List, file: &str, source: &Source) -> Vec<String> {
    let entries: Vec<&Entry> = list.entries.iter().filter(|entry| entry.counts_in(file)).collect();
    let mut found = BTreeSet::new();
    for (line, name) in &source.names {
        let entries = entries.iter().filter(|entry| entry.in_names);
        for entry in entries.filter(|entry| !list.allowed.contains(name) && entry.is_in_name(name))
        {
            found.insert((*line, format!("`{name}` has an old word: {}", entry.new)));
        }
    }
    for (line, text) in &source.prose {
        let words = parts(text);
        for entry in entries.iter().filter(|entry| entry.in_prose) {
            for old in entry.old.iter().filter_map(|old| old.in_words(&words)) {
                found.insert((*line, format!("\"{old}\" is an old word: {}", entry.new)));
            }
        }
    }
    found.into_iter().map(|(line, text)| format!("{file}:{line}: {text}")).collect()
}

impl Entry {
    fn is_in_name(&self, name: &str) -> bool {
        self.old.iter().any(|old| match old {
            Old::Parts(some) => contains(&parts(name), some),
            Old::Beginning(text) => name.trim_start_matches('_').starts_with(text),
            Old::Between(text) => name.contains(text),
        })
    }
}

impl Old {
    /// The word if it is among others.
    fn in_words(&self, words: &[String]) -> Option<String> {
        match self {
            Self::Parts(some) if contains(words, some) => Some(some.join(" ")),
            _ => None,
        }
    }
}
