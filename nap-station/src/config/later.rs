//! Keys that are known and do not work yet.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys, by section, that are refused unless they have the value that does nothing.
const LATER: [(&str, &str, Option<&str>); 13] = [
    ("station", "label_url", Some("")),
    ("radio", "unknown_territory", Some("keep")),
    ("radio", "territories", None),
    ("fences", "file", None),
    ("backhaul", "prefer", None),
    ("backhaul", "ethernet", None),
    ("backhaul", "wifi", None),
    ("backhaul", "lte", None),
    ("backhaul", "probe", None),
    ("backhaul", "metered_megabytes_per_month", None),
    ("leds", "root", None),
    ("keys", "store", Some("file")),
    ("management", "url", None),
];
/// Those that come with others.
const LATER_TOO: [(&str, &str, Option<&str>); 3] =
    [("management", "ca", None), ("http", "certificate", None), ("http", "key", None)];
/// Sections of which nothing works yet.
const SECTIONS: [&str; 5] = ["fences", "backhaul", "leds", "keys", "management"];

/// A key that does not work yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Later {
    /// Where in the text.
    pub(super) offset: usize,
    /// Its section and name.
    pub(super) name: String,
}

/// The first key that does not work yet, if there is one.
pub(super) fn find(table: &DeTable<'_>) -> Option<Later> {
    let all = LATER.into_iter().chain(LATER_TOO);
    all.filter_map(|(section, key, idle)| find_key(table, section, key, idle))
        .min_by_key(|one| one.offset)
}

fn find_key(table: &DeTable<'_>, section: &str, key: &str, idle: Option<&str>) -> Option<Later> {
    let DeValue::Table(section_table) = table.get(section)?.get_ref() else { return None };
    let (found, value) = section_table.get_key_value(key)?;
    if does_nothing(value, idle) {
        return None;
    }
    Some(Later { offset: found.span().start, name: format!("{section}.{key}") })
}

fn does_nothing(value: &Spanned<DeValue<'_>>, idle: Option<&str>) -> bool {
    match value.get_ref() {
        DeValue::String(text) => idle == Some(text.as_ref()),
        DeValue::Table(table) => table.is_empty(),
        _ => false,
    }
}

/// Takes keys out that do nothing, and of which nobody else knows; a section of which nothing works yet goes
/// when nothing is left in it.
pub(super) fn drop_idle(table: &mut DeTable<'_>) {
    for (section, key, _) in LATER.into_iter().chain(LATER_TOO) {
        let Some(value) = table.get_mut(section) else { continue };
        if let DeValue::Table(section_table) = value.get_mut() {
            section_table.remove(key);
        }
    }
    for section in SECTIONS {
        let found = table.get(section).map(Spanned::get_ref);
        if matches!(found, Some(DeValue::Table(section)) if section.is_empty()) {
            table.remove(section);
        }
    }
}
