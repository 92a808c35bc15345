//! The table of known devices as CSV.

use csv::StringRecord;

use crate::device::table::{Device, DeviceTable, parse_given};
use crate::error::Error;

/// The columns, of which the first two must be there.
const COLUMNS: [&str; 6] =
    ["device_id", "key", "message_modulo", "name", "messages_per_day", "max_messages_per_hour"];

/// The header as the user is told.
const HEADER: &str =
    "device_id,key[,message_modulo][,name][,messages_per_day][,max_messages_per_hour]";

/// Why a text is no table of devices. No message shows a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceTableError {
    /// There is not even a header.
    #[error("the file is empty; its first line is {HEADER}")]
    Empty,
    /// A line is wrong.
    #[error("line {line}: {problem}")]
    Line {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: DeviceLineError,
    },
}

/// What is wrong with a line of a table of devices.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceLineError {
    /// The line is not UTF-8.
    #[error("not text: {0}")]
    NotText(#[from] std::str::Utf8Error),
    /// The line is not CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// The header lacks a column.
    #[error("no column `{name}`; the first line is {HEADER}")]
    MissingColumn {
        /// The column.
        name: &'static str,
    },
    /// The header has a column that nobody knows.
    #[error("unknown column `{name}`; known are {}", COLUMNS.join(", "))]
    UnknownColumn {
        /// The column.
        name: String,
    },
    /// The header has a column twice.
    #[error("the column `{name}` is there twice")]
    ColumnTwice {
        /// The column.
        name: String,
    },
    /// The line has not as many fields as the header.
    #[error("{found} fields where the header has {expected}")]
    Fields {
        /// Fields of the header.
        expected: usize,
        /// Fields of the line.
        found: usize,
    },
    /// A field that counts messages is no number.
    #[error("`{name}` is a whole number, or empty")]
    Count {
        /// The column.
        name: &'static str,
    },
    /// A field is wrong, or the device is there already.
    #[error(transparent)]
    Device(#[from] Error),
}

impl DeviceTable {
    /// Reads a table with the header
    /// `device_id,key[,message_modulo][,name][,messages_per_day][,max_messages_per_hour]`, the columns in any
    /// order. Blank lines and those that start with `#` do not count; an empty key means that none
    /// is known.
    ///
    /// # Errors
    /// Names the line and what is wrong with it, but never a key.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, DeviceTableError> {
        // Line by line: a CSV reader does not say where a record starts that follows blank lines or
        // comments.
        let mut table = Table::default();
        for (line, text) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            table.take(text).map_err(|problem| DeviceTableError::Line { line, problem })?;
        }
        table.columns.map(|_| table.devices).ok_or(DeviceTableError::Empty)
    }
}

/// A table half read.
#[derive(Default)]
struct Table {
    /// Known after the header.
    columns: Option<Columns>,
    devices: DeviceTable,
}

impl Table {
    fn take(&mut self, line: &[u8]) -> Result<(), DeviceLineError> {
        let Some(record) = record(std::str::from_utf8(line)?)? else {
            return Ok(());
        };
        match &self.columns {
            None => self.columns = Some(Columns::of_header(&record)?),
            Some(columns) => self.devices.insert(columns.device(&record)?)?,
        }
        Ok(())
    }
}

/// The fields of a line, `None` if it is blank or a comment.
fn record(line: &str) -> Result<Option<StringRecord>, csv::Error> {
    if line.trim().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_reader(line.as_bytes());
    reader.records().next().transpose()
}

/// Where the columns are.
struct Columns {
    /// For each of [`COLUMNS`].
    places: [Option<usize>; 6],
    count: usize,
}

impl Columns {
    fn of_header(header: &StringRecord) -> Result<Self, DeviceLineError> {
        let places = COLUMNS.map(|name| header.iter().position(|cell| cell == name));
        for (name, place) in COLUMNS.into_iter().zip(places).take(2) {
            if place.is_none() {
                return Err(DeviceLineError::MissingColumn { name });
            }
        }
        for (index, name) in header.iter().enumerate() {
            if !COLUMNS.contains(&name) {
                return Err(DeviceLineError::UnknownColumn { name: name.into() });
            }
            if header.iter().take(index).any(|other| other == name) {
                return Err(DeviceLineError::ColumnTwice { name: name.into() });
            }
        }
        Ok(Self { places, count: header.len() })
    }

    fn device(&self, record: &StringRecord) -> Result<Device, DeviceLineError> {
        if record.len() != self.count {
            return Err(DeviceLineError::Fields { expected: self.count, found: record.len() });
        }
        let [device_id, key, message_modulo, name, per_day, per_hour] =
            self.places.map(|place| place.and_then(|index| record.get(index)).unwrap_or(""));
        Ok(Device {
            messages_per_day: count("messages_per_day", per_day)?,
            max_messages_per_hour: count("max_messages_per_hour", per_hour)?,
            ..Device::from_fields(device_id, key, message_modulo, name)?
        })
    }
}

/// A number of messages, if one is given.
fn count(name: &'static str, field: &str) -> Result<Option<u32>, DeviceLineError> {
    parse_given(field).map_err(|_| DeviceLineError::Count { name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::id::DeviceId;
    use crate::device::key::Key;

    fn error(text: &str) -> String {
        DeviceTable::from_csv(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn reads_columns_in_any_order() {
        let text = "# ours\n\nname, key ,device_id\nshed,00112233445566778899aabbccddeeff,4d33db\n\
            ,,1\n";
        let devices = DeviceTable::from_csv(text.as_bytes()).unwrap();
        assert_eq!(devices.len(), 2);
        let shed = devices.get(DeviceId(0x4d_33db)).unwrap();
        assert_eq!(shed.name.as_deref(), Some("shed"));
        assert_eq!(shed.key, Some(Key::PUBLIC));
        assert_eq!(devices.key(DeviceId(1)), None);
    }

    #[test]
    fn reads_rates_where_they_are_given() {
        let text = "device_id,key,max_messages_per_hour,messages_per_day\n1,,6,70\n2,,,\n3,,0,\n";
        let devices = DeviceTable::from_csv(text.as_bytes()).unwrap();
        let rates = |id| {
            let device = devices.get(DeviceId(id)).unwrap();
            (device.messages_per_day, device.max_messages_per_hour)
        };
        assert_eq!(rates(1), (Some(70), Some(6)));
        assert_eq!(rates(2), (None, None));
        assert_eq!(rates(3), (None, Some(0)));
        let text = "device_id,key,messages_per_day\n1,,many\n";
        assert_eq!(error(text), "line 2: `messages_per_day` is a whole number, or empty");
    }

    #[test]
    fn says_where_and_what() {
        let secret = "c0ffee00c0ffee00c0ffee00c0ffee";
        let errors = [
            (String::new(), "the file is empty"),
            (format!("4d33db,{secret}\n"), "line 1: no column `device_id`"),
            ("device_id,name\n".into(), "line 1: no column `key`"),
            ("device_id,key,colour\n".into(), "line 1: unknown column `colour`"),
            ("device_id,key,key\n".into(), "line 1: the column `key` is there twice"),
            (format!("device_id,key\n1,\n\n2,{secret}\n"), "line 4: a key has 32"),
            (format!("device_id,key\n1,{secret}xx\n"), "line 2: character 30 of the key"),
            (format!("device_id,key\nx,{secret}\n"), "line 2: character 0 of the device id"),
            ("device_id,key\n1,\n1,\n".into(), "line 3: device 00000001 is already"),
            (format!("device_id,key\n1,{secret},7\n"), "line 2: 3 fields where the header has 2"),
            ("device_id,key,message_modulo\n1,,100\n".into(), "line 2: a message modulo is"),
        ];
        for (text, expected) in errors {
            let error = error(&text);
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("c0ffee"), "{error}");
        }
    }

    #[test]
    fn text_must_be_text() {
        let error = DeviceTable::from_csv(b"device_id,key\n1,\n2,\xff\n").unwrap_err();
        assert!(error.to_string().starts_with("line 3"), "{error}");
    }
}
