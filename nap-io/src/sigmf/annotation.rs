//! Annotations: what somebody has marked in a recording.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::fields::{
    COMMENT, FREQ_LOWER_EDGE, FREQ_UPPER_EDGE, LABEL, SAMPLE_COUNT, SAMPLE_START, first_index,
    whole_number,
};
use crate::error::Error;

/// A marked part of a recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotation {
    /// The first sample of the part, counted from the first in the recording.
    pub sample_start: u64,
    /// How many samples the part has; `None` if nobody knows.
    pub sample_count: Option<u64>,
    /// The lower edge of the signal, in Hz; a radio frequency where the centre is known.
    pub freq_lower_edge_hz: Option<f64>,
    /// The upper edge of the signal, in Hz.
    pub freq_upper_edge_hz: Option<f64>,
    /// A short name.
    pub label: Option<String>,
    /// A text for people.
    pub comment: Option<String>,
    /// All other fields, with their name space: `"lpwan:device_id"`. To be written, the name space
    /// must be declared by an [`Extension`].
    pub extra: Map<String, Value>,
}

/// A name space for fields that SigMF does not have. It is declared as optional: who does not know
/// it can still read the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The name space, the part before the colon in field names.
    pub name: String,
    /// The version of the fields, for instance "1.0.0".
    pub version: String,
}

/// The fields that [`Annotation`] has a place for.
pub(super) const OWN_FIELDS: [&str; 6] =
    [SAMPLE_START, SAMPLE_COUNT, FREQ_LOWER_EDGE, FREQ_UPPER_EDGE, LABEL, COMMENT];

impl Annotation {
    /// As JSON, for a document that gives the first sample this index.
    fn to_json(&self, first_index: u64) -> Value {
        let mut fields = self.extra.clone();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields.insert(name.into(), value);
            }
        };
        put(SAMPLE_START, Some(json!(self.sample_start.saturating_add(first_index))));
        put(SAMPLE_COUNT, self.sample_count.map(|count| json!(count)));
        put(FREQ_LOWER_EDGE, self.freq_lower_edge_hz.map(|hz| json!(hz)));
        put(FREQ_UPPER_EDGE, self.freq_upper_edge_hz.map(|hz| json!(hz)));
        put(LABEL, self.label.as_ref().map(|text| json!(text)));
        put(COMMENT, self.comment.as_ref().map(|text| json!(text)));
        Value::Object(fields)
    }

    /// What keeps this from being written, given the name spaces declared.
    fn problem(&self, declared: &[&str]) -> Option<String> {
        let edges = [self.freq_lower_edge_hz, self.freq_upper_edge_hz];
        match edges {
            [Some(lower), Some(upper)] if lower > upper => {
                return Some(format!(
                    "its lower edge {lower} Hz is above its upper edge {upper} Hz"
                ));
            }
            [Some(_), None] | [None, Some(_)] => {
                return Some("it has one frequency edge; give both or none".into());
            }
            _ => {}
        }
        if let Some(edge) = edges.into_iter().flatten().find(|edge| !edge.is_finite()) {
            return Some(format!("its frequency edge is {edge}; give a number"));
        }
        self.extra.keys().find_map(|key| key_problem(key, declared))
    }
}

fn key_problem(key: &str, declared: &[&str]) -> Option<String> {
    if OWN_FIELDS.contains(&key) {
        return Some(format!("{key} is among the extra fields; use the field for it"));
    }
    match key.split_once(':') {
        Some(("core", _)) => None,
        Some((space, _)) if declared.contains(&space) => None,
        Some((space, _)) => Some(format!("the name space {space} of {key} is not declared")),
        None => Some(format!("the field {key} has no name space; name it like `lpwan:{key}`")),
    }
}

/// Appends annotations to metadata, in the order of `core:sample_start` that SigMF demands, and
/// declares the extensions.
///
/// `root` is a metadata document; other fields stay as they are.
pub(super) fn append(
    path: &Path,
    root: &mut Map<String, Value>,
    annotations: &[Annotation],
    extensions: &[Extension],
) -> Result<(), Error> {
    let first_index = first_index(root);
    let global = object(path, root, "global")?;
    let declared = array(path, global, "core:extensions")?;
    check(path, annotations, &name_spaces(declared, extensions))?;
    declare(declared, extensions);
    if declared.is_empty() {
        global.remove("core:extensions");
    }
    let all = array(path, root, "annotations")?;
    all.extend(annotations.iter().map(|annotation| annotation.to_json(first_index)));
    all.sort_by_key(|annotation| annotation.get(SAMPLE_START).and_then(whole_number));
    Ok(())
}

/// The name spaces that are or will be declared.
fn name_spaces<'a>(declared: &'a [Value], extensions: &'a [Extension]) -> Vec<&'a str> {
    let known = declared.iter().filter_map(|extension| extension.get("name")?.as_str());
    known.chain(extensions.iter().map(|extension| extension.name.as_str())).collect()
}

fn check(path: &Path, annotations: &[Annotation], spaces: &[&str]) -> Result<(), Error> {
    for (index, annotation) in annotations.iter().enumerate() {
        if let Some(problem) = annotation.problem(spaces) {
            return Err(Error::Annotation { path: path.into(), index, problem });
        }
    }
    Ok(())
}

fn declare(declared: &mut Vec<Value>, extensions: &[Extension]) {
    for Extension { name, version } in extensions {
        if !declared.iter().any(|known| known.get("name") == Some(&json!(name))) {
            declared.push(json!({"name": name, "version": version, "optional": true}));
        }
    }
}

/// A member that must be an object, made if it is not there.
fn object<'a>(
    path: &Path,
    parent: &'a mut Map<String, Value>,
    name: &str,
) -> Result<&'a mut Map<String, Value>, Error> {
    parent
        .entry(name)
        .or_insert_with(|| json!({}))
        .as_object_mut()
        .ok_or_else(|| Error::malformed(path, name, "must be an object"))
}

/// A member that must be an array, made if it is not there.
fn array<'a>(
    path: &Path,
    parent: &'a mut Map<String, Value>,
    name: &str,
) -> Result<&'a mut Vec<Value>, Error> {
    parent
        .entry(name)
        .or_insert_with(|| json!([]))
        .as_array_mut()
        .ok_or_else(|| Error::malformed(path, name, "must be an array"))
}
