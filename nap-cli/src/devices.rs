//! The table of known devices, a CSV file.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use csv::StringRecord;
use nap_phy::{Device, DeviceTable};

use crate::outcome::misuse;

/// The columns, of which the first two must be there.
const COLUMNS: [&str; 4] = ["device_id", "key", "message_modulo", "name"];

/// The header as the user is told.
const HEADER: &str = "device_id,key[,message_modulo][,name]";

/// Which devices are known.
#[derive(Debug, clap::Args)]
pub struct DevicesArg {
    /// Known devices: CSV with the header `device_id,key[,message_modulo][,name]`. Messages of a
    /// device with a key are authenticated.
    #[arg(long, value_name = "FILE.csv")]
    devices: Option<PathBuf>,
}

impl DevicesArg {
    /// The devices of the file, none without one.
    ///
    /// # Errors
    /// Names the line and what is wrong with it, but never a key.
    pub fn load(&self) -> Result<DeviceTable> {
        let Some(path) = &self.devices else {
            return Ok(DeviceTable::new());
        };
        load(path).with_context(|| path.display().to_string()).map_err(misuse)
    }
}

fn load(path: &Path) -> Result<DeviceTable> {
    let file = File::open(path).context("cannot open the table of devices")?;
    read(BufReader::new(file))
}

/// Reads line by line: a CSV reader does not say where a record starts that follows blank lines or
/// comments.
fn read(input: impl BufRead) -> Result<DeviceTable> {
    let mut table = Table::default();
    for (line, text) in (1..).zip(input.lines()) {
        let taken = text.map_err(Into::into).and_then(|text| table.take(&text));
        taken.with_context(|| format!("line {line}"))?;
    }
    match table.columns {
        Some(_) => Ok(table.devices),
        None => bail!("the file is empty; its first line is {HEADER}"),
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
    fn take(&mut self, line: &str) -> Result<()> {
        let Some(record) = record(line)? else {
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
    places: [Option<usize>; 4],
    count: usize,
}

impl Columns {
    fn of_header(header: &StringRecord) -> Result<Self> {
        let places = COLUMNS.map(|name| header.iter().position(|cell| cell == name));
        for (name, place) in COLUMNS.iter().zip(places).take(2) {
            if place.is_none() {
                bail!("no column `{name}`; the first line is {HEADER}");
            }
        }
        for (index, name) in header.iter().enumerate() {
            if !COLUMNS.contains(&name) {
                bail!("unknown column `{name}`; known are {}", COLUMNS.join(", "));
            }
            if header.iter().take(index).any(|other| other == name) {
                bail!("the column `{name}` is there twice");
            }
        }
        Ok(Self { places, count: header.len() })
    }

    fn device(&self, record: &StringRecord) -> Result<Device> {
        if record.len() != self.count {
            bail!("{} fields where the header has {}", record.len(), self.count);
        }
        let [device_id, key, message_modulo, name] =
            self.places.map(|place| place.and_then(|index| record.get(index)).unwrap_or(""));
        Ok(Device::from_fields(device_id, key, message_modulo, name)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        format!("{:#}", read(text.as_bytes()).unwrap_err())
    }

    #[test]
    fn reads_columns_in_any_order() {
        let text = "# ours\n\nname, key ,device_id\nshed,00112233445566778899aabbccddeeff,4d33db\n\
            ,,1\n";
        let devices = read(text.as_bytes()).unwrap();
        assert_eq!(devices.len(), 2);
        let shed = devices.get(nap_phy::DeviceId(0x4d_33db)).unwrap();
        assert_eq!(shed.name.as_deref(), Some("shed"));
        assert_eq!(shed.key, Some(nap_phy::Key::PUBLIC));
        assert_eq!(devices.key(nap_phy::DeviceId(1)), None);
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
        let error = read(&b"device_id,key\n1,\n2,\xff\n"[..]).unwrap_err();
        assert!(error.to_string().starts_with("line 3"), "{error}");
    }
}
