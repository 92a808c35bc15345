//! Records as comma-separated values.

use anyhow::Result;
use serde_json::Value;

/// The line with the names of the columns.
pub fn header(columns: &[&str]) -> Result<String> {
    line(columns)
}

/// The line of a record. A column is the field of its name, empty if the record has none. Lists of
/// objects become their lengths, other lists are separated by spaces; `ranks` lists the ranks of
/// the `frames`.
pub fn row(columns: &[&str], record: &Value) -> Result<String> {
    let cells: Vec<String> = columns
        .iter()
        .map(|&column| match column {
            "ranks" => ranks(&record["frames"]),
            _ => cell(&record[column]),
        })
        .collect();
    line(&cells)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().any(Value::is_object) => items.len().to_string(),
        Value::Array(items) => joined(items.iter().map(cell)),
        other => other.to_string(),
    }
}

fn ranks(frames: &Value) -> String {
    let frames = frames.as_array().into_iter().flatten();
    joined(frames.map(|frame| cell(&frame["rank"])))
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(" ")
}

fn line(cells: &[impl AsRef<[u8]>]) -> Result<String> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(cells)?;
    let text = String::from_utf8(writer.into_inner()?)?;
    Ok(text.trim_end_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn picks_and_quotes_cells() {
        let record = json!({
            "text": "a,\"b\"", "number": -118.2, "flag": true, "none": null,
            "frames": [{ "rank": 1 }, { "rank": 3 }], "list": ["x", "y"],
        });
        let columns = ["text", "number", "flag", "none", "absent", "frames", "ranks", "list"];
        assert_eq!(row(&columns, &record).unwrap(), "\"a,\"\"b\"\"\",-118.2,true,,,2,1 3,x y");
        assert_eq!(header(&["a", "b"]).unwrap(), "a,b");
    }
}
