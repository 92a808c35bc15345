//! Fields of a metadata document, each with its place for messages.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::time_text::{WrittenTime, parse_time};

pub(super) const SAMPLE_START: &str = "core:sample_start";
pub(super) const SAMPLE_COUNT: &str = "core:sample_count";
pub(super) const FREQ_LOWER_EDGE: &str = "core:freq_lower_edge";
pub(super) const FREQ_UPPER_EDGE: &str = "core:freq_upper_edge";
pub(super) const LABEL: &str = "core:label";
pub(super) const COMMENT: &str = "core:comment";

/// An object of the document and where it is, for messages.
pub(super) struct Object<'a> {
    pub(super) path: &'a Path,
    pub(super) place: String,
    pub(super) fields: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    fn place_of(&self, name: &str) -> String {
        if self.place.is_empty() { name.into() } else { format!("{}.{name}", self.place) }
    }

    pub(super) fn malformed(&self, name: &str, problem: &str) -> Error {
        Error::malformed(self.path, self.place_of(name), problem)
    }

    /// What was found out about a field, with its place where that is an error.
    pub(super) fn in_place<T>(&self, name: &str, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| match error {
            Error::Malformed { .. } => error,
            error => self.malformed(name, &error.nameless()),
        })
    }

    /// A field of the right kind, `None` if it is not there or null.
    fn get<T>(
        &self,
        name: &str,
        kind: &str,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => convert(value).map(Some).ok_or_else(|| {
                let problem = format!("is {}, but must be {kind}", shortened(value));
                self.malformed(name, &problem)
            }),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        self.get(name, "a text", Value::as_str)
    }

    /// A number, in quotation marks too.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, Error> {
        let quoted =
            |value: &Value| value.as_str()?.trim().parse().ok().filter(|x: &f64| x.is_finite());
        self.get(name, "a number", |value| value.as_f64().or_else(|| quoted(value)))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        self.get(name, "true or false", Value::as_bool)
    }

    pub(super) fn index(&self, name: &str) -> Result<Option<u64>, Error> {
        self.get(name, "a whole number from 0 to 2^64 - 1", whole_number)
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<WrittenTime>, Error> {
        let kind = "a time such as 2026-01-19T09:30:00.125Z";
        self.get(name, kind, |value| parse_time(value.as_str()?))
    }

    pub(super) fn object(&self, name: &str) -> Result<Object<'a>, Error> {
        let fields = self
            .get(name, "an object", Value::as_object)?
            .ok_or_else(|| self.malformed(name, "is missing"))?;
        Ok(Object { path: self.path, place: self.place_of(name), fields })
    }

    /// The objects of a list; what is none is left out, with a warning, and so is what is no list.
    pub(super) fn objects(
        &self,
        name: &str,
        warnings: &mut Vec<String>,
    ) -> Option<Vec<Object<'a>>> {
        let list = optional(self.get(name, "an array", Value::as_array), warnings)?;
        let mut objects = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let place = format!("{}[{index}]", self.place_of(name));
            match value.as_object() {
                Some(fields) => objects.push(Object { path: self.path, place, fields }),
                None => warnings.push(format!("{place}: is no object; it is left out")),
            }
        }
        Some(objects)
    }
}

/// A field that is not needed to read samples: what is wrong with it is a warning, and it is left out.
pub(super) fn optional<T>(
    field: Result<Option<T>, Error>,
    warnings: &mut Vec<String>,
) -> Option<T> {
    field.unwrap_or_else(|error| {
        warnings.push(left_out(&error));
        None
    })
}

/// The warning about something wrong that is left out.
pub(super) fn left_out(error: &Error) -> String {
    match error {
        Error::Malformed { place, problem, .. } => format!("{place}: {problem}; it is left out"),
        error => format!("{}; it is left out", error.nameless()),
    }
}

/// Some programs write whole numbers as floats; those are exact up to 2^53.
pub(super) fn whole_number(value: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let as_float = || {
        value.as_f64().filter(|x| x.fract() == 0.0 && (0.0..=EXACT).contains(x)).map(|x| x as u64)
    };
    value.as_u64().or_else(as_float)
}

/// A value for a message, not longer than a line.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// The index that the document gives to the first sample in the data file.
///
/// All indices are absolute, says `core:offset`; a capture's start maps directly to the data file,
/// says `core:sample_start`. The captures tell which of the two the writer followed.
pub(super) fn first_index(document: &Map<String, Value>) -> u64 {
    let offset = document.get("global").and_then(|global| global.get("core:offset"));
    let offset = offset.and_then(whole_number).unwrap_or(0);
    let first_capture = document.get("captures").and_then(|captures| captures.get(0));
    match first_capture.and_then(|capture| capture.get(SAMPLE_START)).and_then(whole_number) {
        Some(start) if start < offset => 0,
        _ => offset,
    }
}
