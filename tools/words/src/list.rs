//! The list of old words, each with its new one.

use anyhow::{Context, Result, bail};

use crate::parts::parts;

/// What must not be said, and which names may say it all the same.
pub(crate) struct List {
    pub(crate) entries: Vec<Entry>,
    /// Whole names, which are others' or mean something else.
    pub(crate) allowed: Vec<String>,
    /// Beginnings of the paths of files whose constants say where they come from.
    sourced: Vec<String>,
}

/// Old words with the new one that stands for all of them.
pub(crate) struct Entry {
    pub(crate) old: Vec<Old>,
    pub(crate) new: String,
    pub(crate) in_names: bool,
    pub(crate) in_prose: bool,
    /// Beginnings of paths; everywhere if there are none.
    pub(crate) places: Vec<String>,
}

/// An old word.
pub(crate) enum Old {
    /// Parts of a name, or words, that follow each other.
    Parts(Vec<String>),
    /// How a name begins: `LEAST_`.
    Beginning(String),
    /// What stands between two parts of a name: `_A_`.
    Between(String),
}

impl List {
    /// Reads `old, old > new | names, prose | place place`, `allow name`, or `constants place place`, a line each; `#`
    /// begins a comment.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut list = Self { entries: Vec::new(), allowed: Vec::new(), sourced: Vec::new() };
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some(name) = line.strip_prefix("allow ") {
                list.allowed.push(name.trim().to_owned());
            } else if let Some(places) = line.strip_prefix("constants ") {
                list.sourced.extend(places.split_whitespace().map(str::to_owned));
            } else if !line.is_empty() {
                list.entries.push(entry(line).with_context(|| format!("line {number}: {line}"))?);
            }
        }
        Ok(list)
    }
}

impl List {
    /// Whether the constants of a file have to say where they come from.
    pub(crate) fn asks_for_sources(&self, file: &str) -> bool {
        let is_sourced = |place: &String| file.starts_with(place.as_str());
        file.ends_with(".rs") && self.sourced.iter().any(is_sourced)
    }
}

fn entry(line: &str) -> Result<Entry> {
    let mut columns = line.split('|').map(str::trim);
    let words = columns.next().unwrap_or_default();
    let (old, new) = words.split_once('>').context("there is no `>` with the new word")?;
    let kinds = columns.next().unwrap_or("names, prose");
    let (in_names, in_prose) = (kinds.contains("names"), kinds.contains("prose"));
    if !in_names && !in_prose {
        bail!("after `|` stands `names`, `prose` or both, not `{kinds}`");
    }
    let places = columns.next().unwrap_or_default().split_whitespace().map(str::to_owned);
    Ok(Entry {
        old: old.split(',').map(str::trim).map(Old::new).collect(),
        new: new.trim().to_owned(),
        in_names,
        in_prose,
        places: places.collect(),
    })
}

impl Old {
    fn new(text: &str) -> Self {
        match (text.starts_with('_'), text.ends_with('_')) {
            (true, true) => Self::Between(text.to_owned()),
            (false, true) => Self::Beginning(text.to_owned()),
            _ => Self::Parts(text.split_whitespace().flat_map(parts).collect()),
        }
    }
}

impl Entry {
    /// Whether the word is an old one in this file, given with `/`.
    pub(crate) fn counts_in(&self, file: &str) -> bool {
        self.places.is_empty() || self.places.iter().any(|place| file.starts_with(place))
    }
}
